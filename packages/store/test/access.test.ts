/** Users, groups, segments, tokens and sessions on a real database: what may not happen, above all. */
import { createHash } from 'node:crypto';
import type { Privilege } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rights } from '../src/access/types.ts';
import { openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
const any = () => {};
const hash = (text: string) => createHash('sha256').update(text).digest();
let db: TestDatabase;
let store: Store;
let access: Store['access'];
let admin: string;

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url, migrate: false });
  access = store.access;
});
afterAll(async () => {
  await store?.close();
  await db?.drop();
});

describe('the first administrator', () => {
  it('is one, however many claim to be', async () => {
    expect(await access.hasAdministrator()).toBe(false);
    expect(await access.setFirstCode(hash('old'), NOW)).toBe(true);
    expect(await access.setFirstCode(hash('code'), NOW)).toBe(true);
    expect(await access.claimFirst(hash('old'), { name: 'a', password: 'x' }, NOW)).toBe('wrong');
    const claims = await Promise.all(
      ['Anna', 'Bea', 'Cara', 'Dora'].map((name) => access.claimFirst(hash('code'), { name, password: 'h' }, NOW)),
    );
    const won = claims.filter((claim) => typeof claim !== 'string');
    expect(won).toHaveLength(1);
    expect(claims.filter((claim) => claim === 'taken')).toHaveLength(3);
    admin = (won[0] as { id: string }).id;
    expect((await access.users({ limit: 10 })).users).toHaveLength(1);
    expect(await access.setFirstCode(hash('again'), NOW)).toBe(false);
    expect((await access.rights(admin))?.scope).toBe('all');
    expect((await access.rights(admin))?.privileges.has('execute:erase-person')).toBe(true);
  });
  it('stays while there is no other: not disabled, deleted, erased or put out of the group', async () => {
    const refused = 'one administrator who can log in must remain';
    await expect(access.changeUser(admin, { disabled: true }, any)).rejects.toThrow(refused);
    await expect(access.changeUser(admin, { groups: [2] }, any)).rejects.toThrow(refused);
    await expect(access.deleteUser(admin, any)).rejects.toThrow(refused);
    await expect(access.eraseUser(admin, NOW, any)).rejects.toThrow(refused);
    // Two who end each other at once: one of the ends is refused.
    const other = await access.createUser({ name: 'two', password: 'h', groups: [1], segments: 'all' }, NOW, any);
    const both = await Promise.allSettled([
      access.changeUser(admin, { disabled: true }, any),
      access.changeUser(other.id, { disabled: true }, any),
    ]);
    expect(both.map((b) => b.status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const id of [admin, other.id]) await access.changeUser(id, { disabled: false }, any);
    expect(await access.deleteUser(other.id, any)).toBe(true);
  });
});

describe('users and groups', () => {
  it('differ by more than case, and are found by name', async () => {
    const user = await access.createUser({ name: 'Per Gynt', groups: [5], segments: [1], language: 'nb' }, NOW, any);
    await expect(access.createUser({ name: 'PER GYNT', groups: [], segments: [] }, NOW, any)).rejects.toThrow(
      'already',
    );
    expect((await access.userByName('per gynt'))?.user).toEqual(user);
    expect((await access.users({ limit: 10, q: 'GYN' })).users).toEqual([user]);
    expect((await access.users({ limit: 10, q: '%' })).users).toEqual([]);
    expect(await access.user('9'.repeat(30))).toBeUndefined();
  });
  it('change as a whole or not at all: who checks is told before and after', async () => {
    const { id } = await access.createUser({ name: 'escalate', groups: [5], segments: [1] }, NOW, any);
    const seen: (Rights | undefined)[] = [];
    await expect(
      access.changeUser(id, { groups: [1], segments: 'all' }, (before, after) => {
        seen.push(before, after);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(seen[0]?.privileges.has('user:create')).toBe(false);
    expect(seen[1]?.privileges.has('user:create')).toBe(true);
    expect(seen[1]?.scope).toBe('all');
    expect((await access.user(id))?.groups).toEqual([5]);
    await expect(access.changeUser(id, { groups: [99] }, any)).rejects.toThrow('does not exist');
    await expect(access.changeUser(id, { segments: [99] }, any)).rejects.toThrow('does not exist');
  });
  it('of the program itself keep their names; that of administrators keeps everything', async () => {
    await expect(access.changeGroup(1, { privileges: [] }, any)).rejects.toThrow('cannot be changed');
    await expect(access.changeGroup(6, { name: 'x' }, any)).rejects.toThrow('keeps it');
    await expect(access.deleteGroup(7, any)).rejects.toThrow('cannot be deleted');
    const made = await access.createGroup({ name: 'north', description: null, privileges: ['meter:view'] }, any);
    await expect(access.createGroup({ name: 'north', description: null, privileges: [] }, any)).rejects.toThrow(
      'already',
    );
    expect(await access.changeGroup(made.id, { privileges: ['meter:view', 'event:view'] }, any)).toMatchObject({
      privileges: ['event:view', 'meter:view'],
    });
    expect(await access.deleteGroup(made.id, any)).toBe(true);
    expect(await access.deleteGroup(made.id, any)).toBe(false);
  });
  it('are seeded with privileges that exist', async () => {
    const { PRIVILEGES } = await import('@amiable/model');
    const groups = await access.groups();
    expect(groups.map((g) => g.name)).toEqual([
      'administrator',
      'operator',
      'call-centre',
      'installer',
      'viewer',
      'reader-program',
      'guest',
      'billing',
    ]);
    expect(groups[0]?.privileges).toHaveLength(PRIVILEGES.length);
    const { migrations } = await import('../src/schema/migrations.ts');
    const seeds = migrations.filter(({ sql }) => sql.includes('user_group')).map(({ sql }) => sql);
    const seeded = seeds.flatMap((sql) =>
      [...sql.matchAll(/'\{([a-z:,*-]+)\}'(?:, true\)|\s*where id)/g)].flatMap((m) => m[1]?.split(',') ?? []),
    );
    for (const name of seeded.filter((n) => n !== '*')) expect(PRIVILEGES).toContain(name as Privilege);
    expect(seeded.length).toBeGreaterThan(140);
  });
});

describe('sessions and tokens', () => {
  const open = (user: string, text: string, at = NOW) =>
    access.openSession({ user, hash: hash(text), kind: 'page', idle: HOUR, endsAt: NOW + 12 * HOUR }, at);

  it('end when unused, when their time is up, and at once when the user is disabled or loses rights', async () => {
    const { id } = await access.createUser({ name: 'session', password: 'h', groups: [2, 5], segments: [1] }, NOW, any);
    await open(id, 's1');
    expect((await access.bySession(hash('s1'), NOW + HOUR - 1))?.user.name).toBe('session');
    // That was a use.
    expect(await access.bySession(hash('s1'), NOW + 2 * HOUR - 2)).toBeDefined();
    expect(await access.bySession(hash('s1'), NOW + 4 * HOUR)).toBeUndefined();
    await open(id, 's2', NOW + 11.5 * HOUR);
    expect(await access.bySession(hash('s2'), NOW + 12 * HOUR)).toBeUndefined();
    for (const patch of [
      { disabled: true },
      { disabled: false, groups: [5] },
      { password: 'h2' },
      { segments: 'all' as const },
    ]) {
      await access.changeUser(id, { disabled: false }, any);
      await open(id, `s-${JSON.stringify(patch)}`);
      await access.changeUser(id, patch, any);
      expect(await access.bySession(hash(`s-${JSON.stringify(patch)}`), NOW), JSON.stringify(patch)).toBeUndefined();
    }
    await open(id, 'kept');
    await open(id, 'other');
    await access.changeUser(id, { password: 'h3' }, any, hash('kept'));
    expect(await access.bySession(hash('kept'), NOW)).toBeDefined();
    expect(await access.bySession(hash('other'), NOW)).toBeUndefined();
    await access.changeUser(id, { language: 'de' }, any);
    expect((await access.bySession(hash('kept'), NOW))?.user.language).toBe('de');
  });
  it('are bounded for each user', async () => {
    const { id } = await access.createUser({ name: 'many', password: 'h', groups: [], segments: [] }, NOW, any);
    for (let i = 0; i < 60; i++) await open(id, `many-${i}`, NOW + i);
    expect(await access.sessions(id, NOW + 60)).toHaveLength(50);
    expect(await access.bySession(hash('many-0'), NOW + 60)).toBeUndefined();
    expect(await access.endSessions(id)).toBe(50);
  });
  it('tokens do what the user may now, never more', async () => {
    const segment = await access.createSegment('south', null);
    const user = await access.createUser(
      { name: 'owner', password: 'h', groups: [5], segments: [1, segment.id] },
      NOW,
      any,
    );
    const token = await access.createToken(
      {
        user: user.id,
        name: 'export',
        hash: hash('t'),
        privileges: ['meter:view', 'user:create'],
        segments: [segment.id, 1],
        expiresAt: NOW + HOUR,
      },
      NOW,
    );
    const found = await access.byToken(hash('t'), NOW);
    expect([...(found?.privileges ?? [])]).toEqual(['meter:view']);
    expect(found?.scope).toEqual([segment.id, 1]);
    await access.changeUser(user.id, { segments: [1] }, any);
    expect((await access.byToken(hash('t'), NOW))?.scope).toEqual([1]);
    expect(await access.byToken(hash('t'), NOW + HOUR)).toBeUndefined();
    await access.changeUser(user.id, { disabled: true }, any);
    expect(await access.byToken(hash('t'), NOW)).toBeUndefined();
    await expect(access.deleteSegment(segment.id)).rejects.toThrow('take it from them');
    expect(await access.deleteToken(token.id)).toBe(true);
    expect(await access.deleteSegment(segment.id)).toBe(true);
  });
});

describe('segments', () => {
  it('hide meters from lists, counts, messages and curves', async () => {
    const ids = await store.ensureMeters([{ serial: 'S1' }, { serial: 'S2', name: 'hidden' }]);
    const [s1, s2] = [ids.get('S1') as string, ids.get('S2') as string];
    const { id } = await access.createSegment('west', 'all that lies there');
    await expect(access.moveMeters([s2], 77, 'all')).rejects.toThrow('no segment');
    expect(await access.moveMeters([s2], id, [7])).toBe(0);
    expect(await access.moveMeters([s2], id, 'all')).toBe(1);
    expect(await access.metersIn([id])).toEqual([s2]);
    await expect(access.deleteSegment(id)).rejects.toThrow('move them first');
    await expect(access.deleteSegment(1)).rejects.toThrow('it stays');
    for (const q of ['', 's', 's2', 'hidden', 'hi']) {
      const list = await store.meters({ q, scope: [1] });
      expect(
        list.meters.map((m) => m.serial),
        q,
      ).not.toContain('S2');
      expect(list.total, q).toBe(list.meters.length);
    }
    expect((await store.meters({ scope: [id] })).meters.map((m) => m.serial)).toEqual(['S2']);
    expect((await store.meters({ scope: [] })).total).toBe(0);
    expect(await store.meter(s2, [1])).toBeUndefined();
    expect(await store.patchMeter(s2, { name: 'x' }, undefined, [1])).toBeUndefined();
    expect((await store.meter(s2, 'all'))?.name).toBe('hidden');
    expect((await store.counters([id])).meters).toBe(1);
    for (const scope of [[1], []]) {
      await expect(store.messages(s2, 5, scope)).rejects.toThrow(`there is no meter ${s2}`);
      await expect(store.series(s2, ['1.7.0'], 0, 1000, 10, scope)).rejects.toThrow('there is no meter');
      await expect(store.energy(s2, 'day', 0, 1000, undefined, scope)).rejects.toThrow('there is no meter');
      await expect(store.media(s2, 'day', 0, 1000, 'UTC', scope)).rejects.toThrow('there is no meter');
    }
    expect(await store.messages(s1, 5, [1])).toEqual([]);
    expect((await access.segments([id])).map((s) => [s.name, s.meters])).toEqual([['west', 1]]);
  });
});

describe('the audit log', () => {
  it('is read newest first, by user, object and action, and forgets with its policy', async () => {
    const user = await access.createUser({ name: 'audited', groups: [], segments: [] }, NOW, any);
    for (let i = 0; i < 5; i++)
      await access.audit({
        at: NOW + i,
        who: 'audited',
        user: user.id,
        action: 'PATCH /api/v1/meters/:id',
        object: `meter ${i}`,
        detail: { name: 'a\0b\ud800' },
        address: '::1',
      });
    const found = await access.auditLog({ user: user.id, limit: 2 });
    expect(found.map((a) => a.object)).toEqual(['meter 4', 'meter 3']);
    const rest = await access.auditLog({ user: user.id, limit: 9, before: found[1]?.id as string });
    expect(rest).toHaveLength(3);
    expect(await access.auditLog({ object: 'meter 2', limit: 9 })).toHaveLength(1);
    expect(await access.auditLog({ object: 'meter*', action: 'PATCH*', from: NOW + 3, limit: 9 })).toHaveLength(2);
    expect(await access.auditLog({ object: '%', limit: 9 })).toEqual([]);
    expect(await access.eraseUser(user.id, NOW, any)).toBe(true);
    const erased = await access.auditLog({ user: user.id, limit: 9 });
    expect(new Set(erased.map((a) => a.who))).toEqual(new Set([`erased-${user.id}`]));
    expect(erased.every((a) => a.address === undefined)).toBe(true);
    expect(await access.user(user.id)).toMatchObject({ name: `erased-${user.id}`, attributes: {}, disabled: true });
    expect(await access.changeUser(user.id, { disabled: false }, any)).toBeUndefined();
    expect((await access.retain(NOW + 3 * 366 * 86_400_000)).audit).toBe(5);
    expect(await access.auditLog({ limit: 9 })).toEqual([]);
  });
});
