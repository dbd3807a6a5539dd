/** The store's part for users and rights: segments, the first administrator, audit, erasure and retention; joined with the rest. */
import { timingSafeEqual } from 'node:crypto';
import type { Database } from '../pg/database.ts';
import { segmentsOf } from '../query/scope.ts';
import { clean } from '../registers.ts';
import { accessSql as sql } from '../sql/access.ts';
import { createAccounts, isId, iso, json, nameKey, readRights, requireAdministrator, rowOf } from './accounts.ts';
import { auditOf, type Row, segmentOf, userOf } from './rows.ts';
import { createSessions } from './sessions.ts';
import { ACCESS_POLICY, AccessConflict, type AccessStore, ADMINISTRATORS } from './types.ts';

const DAY = 86_400_000;
const LAST = (2n ** 63n - 1n).toString();
/** `meter 7*` is a beginning. */
const pattern = (text: string | undefined): string | null =>
  text === undefined ? null : text.replace(/[\\%_]/g, '\\$&').replace(/\*$/, '%');

export function createAccessStore(db: Database): AccessStore {
  return {
    ...createAccounts(db),
    ...createSessions(db),

    async segments(scope) {
      const { rows } = await db.read((client) => client.query(sql.segments, [segmentsOf(scope)]));
      return (rows as Row[]).map(segmentOf);
    },
    createSegment: (name, description) =>
      db.write(async (client) => {
        const made = await rowOf(client, sql.insertSegment, [
          clean(name),
          description === null ? null : clean(description),
        ]);
        if (!made) throw new AccessConflict(`there is a segment ${name} already`);
        return segmentOf((await rowOf(client, sql.segment, [made.id])) as Row);
      }),
    changeSegment: (id, patch) =>
      db.write(async (client) => {
        const row = await rowOf(client, sql.segment, [id]);
        if (!row) return undefined;
        const name = clean(patch.name ?? (row.name as string));
        if (await rowOf(client, sql.segmentNameTaken, [name, id]))
          throw new AccessConflict(`there is a segment ${name} already`);
        const description = patch.description === undefined ? (row.description as string | null) : patch.description;
        await client.query(sql.changeSegment, [id, name, description === null ? null : clean(description)]);
        return segmentOf((await rowOf(client, sql.segment, [id])) as Row);
      }),
    deleteSegment: (id) =>
      db.write(async (client) => {
        if (id === 1) throw new AccessConflict('segment 1 is where objects are that nobody assigned; it stays');
        if (await rowOf(client, sql.someMeterIn, [id]))
          throw new AccessConflict('there are meters in this segment; move them first');
        if (await rowOf(client, sql.someHolderOf, [id]))
          throw new AccessConflict('users or tokens are let into this segment; take it from them first');
        return (await rowOf(client, sql.deleteSegment, [id])) !== undefined;
      }),
    moveMeters: (meters, segment, scope) =>
      db.write(async (client) => {
        if (!(await rowOf(client, sql.segment, [segment]))) throw new AccessConflict(`there is no segment ${segment}`);
        const { rows } = await client.query(sql.moveMeters, [meters.filter(isId), segment, segmentsOf(scope)]);
        return rows.length;
      }),
    async metersIn(segments) {
      const { rows } = await db.read((client) =>
        client.query({ text: sql.metersIn, values: [segments], rowMode: 'array' }),
      );
      return (rows as unknown as [string][]).map(([id]) => id);
    },

    async hasAdministrator() {
      return (await db.read((client) => rowOf(client, sql.administrators, []))) !== undefined;
    },
    setFirstCode: (hash, at) =>
      db.write(async (client) => {
        await client.query(sql.lock);
        if (await rowOf(client, sql.administrators, [])) return false;
        await client.query(sql.setFirstCode, [Buffer.from(hash), iso(at)]);
        return true;
      }),
    claimFirst: (code, user, at) =>
      db.write(async (client) => {
        // Whoever comes second waits here, and then finds an administrator.
        await client.query(sql.lock);
        if (await rowOf(client, sql.administrators, [])) return 'taken' as const;
        const kept = (await rowOf(client, sql.firstCode, []))?.hash as Buffer | undefined;
        const given = Buffer.from(code);
        if (!kept || kept.length !== given.length || !timingSafeEqual(kept, given)) return 'wrong' as const;
        const made = await rowOf(client, sql.insertUser, [
          clean(user.name),
          nameKey(user.name),
          user.password,
          false,
          user.language ?? null,
          '{}',
          true,
          iso(at),
        ]);
        if (!made) throw new AccessConflict(`there is a user ${user.name} already; take another name`);
        await client.query(sql.joinGroups, [made.id, [ADMINISTRATORS]]);
        await client.query(sql.dropFirstCode);
        return userOf((await rowOf(client, sql.user, [made.id])) as Row);
      }),

    async audit(record) {
      await db.write((client) =>
        client.query(sql.insertAudit, [
          iso(record.at),
          clean(record.who),
          record.user ?? null,
          record.token ?? null,
          record.action,
          record.object === undefined ? null : clean(record.object).slice(0, 500),
          record.detail === undefined ? null : json(record.detail),
          record.address ?? null,
        ]),
      );
    },
    async auditLog(query) {
      const { rows } = await db.read((client) =>
        client.query(sql.audit, [
          query.before !== undefined && isId(query.before) ? query.before : LAST,
          query.from === undefined ? null : iso(query.from),
          query.to === undefined ? null : iso(query.to),
          query.user !== undefined && isId(query.user) ? query.user : null,
          pattern(query.object),
          pattern(query.action),
          Math.min(Math.max(Math.trunc(query.limit), 1), 1000),
        ]),
      );
      return (rows as Row[]).map(auditOf);
    },

    async eraseUser(id, at, allow) {
      if (!isId(id)) return false;
      return db.write(async (client) => {
        await client.query(sql.lock);
        const row = await rowOf(client, sql.user, [id]);
        if (!row) return false;
        allow(await readRights(client, id), undefined);
        const name = `erased-${id}`;
        for (const text of [sql.leaveGroups, sql.leaveSegments, sql.deleteTokensOf]) await client.query(text, [id]);
        await client.query(sql.endSessions, [id, null]);
        await client.query(sql.eraseUser, [id, name, iso(at)]);
        await client.query(sql.eraseFromAudit, [id, name]);
        await client.query(sql.eraseObjectsFromAudit, [[`user ${id}`]]);
        if ((row.groups as number[]).includes(ADMINISTRATORS)) await requireAdministrator(client);
        return true;
      });
    },
    async erasePremises(id, at, scope) {
      if (!isId(id)) return false;
      return db.write(async (client) => {
        if (!(await rowOf(client, sql.erasePremises, [id, iso(at), segmentsOf(scope)]))) return false;
        const { rows } = await client.query(sql.metersAt, [id]);
        const meters = (rows as { id: string }[]).map((row) => row.id);
        await client.query(sql.eraseMeterNames, [meters]);
        await client.query(sql.eraseMeterChanges, [meters]);
        await client.query(sql.eraseObjectsFromAudit, [[`premises ${id}`, ...meters.map((meter) => `meter ${meter}`)]]);
        return true;
      });
    },
    async retain(now, policy) {
      const { auditDays, addressDays, goneDays } = { ...ACCESS_POLICY, ...policy };
      return db.write(async (client) => {
        const audit = (await client.query(sql.retainAudit, [iso(now - auditDays * DAY)])).rows.length;
        const sessions = (await client.query(sql.retainSessions, [iso(now)])).rows.length;
        await client.query(sql.retainAddresses, [iso(now - addressDays * DAY)]);
        await client.query(sql.retainTokens, [iso(now - goneDays * DAY)]);
        await client.query(sql.retainFailed, [iso(now - goneDays * DAY)]);
        return { audit, sessions };
      });
    },
  };
}
