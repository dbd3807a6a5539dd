/**
 * The store against a database that behaves like a cluster on a bad day (see hostile-proxy.ts): every message that it
 * acknowledges is there once, and nothing that it refused is half there. AMIABLE_HOSTILE sets how many rounds.
 */
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { openStore, type Store, StoreUnavailable } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { type Faults, type HostileProxy, startHostileProxy } from './hostile-proxy.ts';
import { numberedId, range, streamMeters, streamStart, streamStep } from './numbered.ts';

const rounds = Number(process.env.AMIABLE_HOSTILE ?? 1);
let open: { db: TestDatabase; proxy: HostileProxy; store?: Store } | undefined;
afterEach(async () => {
  await open?.store?.close();
  await open?.proxy.close();
  await open?.db.drop();
  open = undefined;
});

async function ask<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function hostile(faults: Faults): Promise<{ db: TestDatabase; proxy: HostileProxy; store: Store }> {
  const db = await createTestDatabase();
  // Far from every zone that a session would ask for, as on the workers of a cluster.
  for (const setting of [
    `timezone = 'Asia/Kathmandu'`,
    `datestyle = 'SQL, DMY'`,
    `intervalstyle = 'iso_8601'`,
    `bytea_output = 'escape'`,
    'jit = on',
  ])
    await ask(db.url, `alter database ${db.name} set ${setting}`);
  const proxy = await startHostileProxy(db.url, { seed: faults.seed });
  open = { db, proxy };
  const store = await openStore({ url: proxy.url, migrate: false, retry: { attempts: 4, pause: 1 } });
  open = { db, proxy, store };
  proxy.set(faults);
  return open as { db: TestDatabase; proxy: HostileProxy; store: Store };
}

/** Tries until it is done, as the front doors' senders do. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

const onlyUnavailable = (error: unknown): void => {
  if (!(error instanceof StoreUnavailable)) throw error;
};

async function expectExactlyOnce(url: string, count: number): Promise<void> {
  const messages = await ask<{ id: string; meter: string; time: string }>(
    url,
    `select replace(m.id::text, '-', '') as id, e.serial as meter, (extract(epoch from m.time) * 1000)::bigint as time
     from amiable.message m join amiable.meter e on e.id = m.meter`,
  );
  const expected = new Set(
    Array.from(
      { length: count },
      (_, n) => `${numberedId(n)} meter-${n % streamMeters} ${streamStart + n * streamStep}`,
    ),
  );
  expect(messages.length).toBe(count);
  for (const { id, meter, time } of messages) expect(expected.delete(`${id} ${meter} ${time}`)).toBe(true);
  const values = await ask<{ n: string; times: string }>(
    url,
    `select value::bigint as n, count(*) as times from amiable.reading where obis = '1-0:1.7.0' and period = 0 group by 1 order by 1`,
  );
  expect(values).toEqual(Array.from({ length: count }, (_, n) => ({ n: String(n), times: '1' })));
  const meters = await ask(url, 'select serial from amiable.meter order by serial');
  expect(meters.length).toBe(streamMeters);
}

describe('ingest on a hostile database', () => {
  it.each(Array.from({ length: rounds }, (_, i) => i + 1))(
    'stores every message once, seed %i',
    { timeout: 180_000 },
    async (seed) => {
      const { db, proxy, store } = await hostile({ seed, cutBefore: 0.02, cutAfter: 0.02, fail: 0.03 });
      const count = 1_500;
      let next = 0;
      const caller = async (): Promise<void> => {
        while (next < count) {
          const first = next;
          const size = Math.min(count - first, 1 + ((first * 31) % 25));
          next += size;
          const messages = range(first, size);
          const result = await insist(() => store.ingest(messages));
          expect(result.accepted + result.duplicates).toBe(size);
          expect(result.rejected).toEqual([]);
        }
      };
      let through = false;
      const compacting = async (): Promise<void> => {
        while (!through) await store.compact(streamStart + (next - 200) * streamStep).catch(onlyUnavailable);
      };
      const compactions = compacting();
      await Promise.all([1, 2, 3, 4].map(caller));
      through = true;
      await compactions;
      await insist(() => store.compact(streamStart + (count / 2) * streamStep));
      // All of it again: known.
      proxy.set({});
      const again = await store.ingest(range(0, count));
      expect(again).toEqual({ accepted: 0, duplicates: count, unplaced: 0, rejected: [] });
      await expectExactlyOnce(db.url, count);
      expect(await ask(db.url, 'select count(*) > 10 as some from amiable.block')).toEqual([{ some: true }]);
      expect(await ask(db.url, 'select count(*)::int as n from amiable.change_log')).toEqual([{ n: 0 }]);
      const { cutBefore, cutAfter, failed, lies } = proxy.counts;
      expect(Math.min(cutBefore, cutAfter, failed, lies)).toBeGreaterThan(0);
    },
  );

  it('counts by what comes back, not by row counts', async () => {
    const { proxy, store } = await hostile({ seed: 1 });
    expect(await store.ingest(range(0, 50))).toMatchObject({ accepted: 50, duplicates: 0 });
    expect(await store.ingest(range(40, 20))).toMatchObject({ accepted: 10, duplicates: 10 });
    expect(proxy.counts.lies).toBeGreaterThan(0);
  });

  it('takes a commit without an answer for what it is: done once', async () => {
    const { db, proxy, store } = await hostile({ seed: 1 });
    // Meters and layouts are made in transactions of their own, before.
    await store.ingest(range(0, 10));
    proxy.set({ cutAfter: 1, only: /^commit/i });
    await expect(store.ingest(range(10, 20))).rejects.toThrow(StoreUnavailable);
    proxy.set({});
    expect(await store.ingest(range(10, 20))).toMatchObject({ accepted: 0, duplicates: 20 });
    await expectExactlyOnce(db.url, 30);
  });

  it('keeps what no key opens once, too', async () => {
    const { db, proxy, store } = await hostile({ seed: 5, cutBefore: 0.02, cutAfter: 0.03, fail: 0.03 });
    const sealed = range(0, 200).map(({ meterId: _, ...m }) => ({
      ...m,
      items: [],
      values: [],
      error: { reason: 'noKey' },
    }));
    for (let i = 0; i < 200; i += 10) await insist(() => store.ingest(sealed.slice(i, i + 10)));
    proxy.set({});
    expect(await ask(db.url, 'select count(*)::int as n from amiable.unplaced')).toEqual([{ n: 200 }]);
  });
});

describe('meterings on a hostile database', () => {
  it('are written, edited and undone once, whatever becomes of the answers to commits', async () => {
    const { db, proxy, store } = await hostile({ seed: 3 });
    const meter = (await store.ensureMeters([{ serial: 'one' }])).get('one') as string;
    const patient = await openStore({ url: proxy.url, migrate: false, retry: { attempts: 40, pause: 1 } });
    try {
      const register = intervalRegister(quantityOf('energyImport') as Quantity, 900);
      const start = Date.UTC(2026, 10, 18);
      const series = { meter, register, scaler: 0, start, step: 900_000, values: new Float64Array(8).fill(1) };
      await patient.intervals.write([series], { source: 'validation', at: start });
      proxy.set({ cutAfter: 0.5, only: /^commit/i });
      for (let i = 0; i < 8; i++) {
        const at = start + (i + 1) * 1000;
        const from = start + i * 900_000;
        const edit = { meter, quantity: 'energyImport', from, to: from + 900_000, values: [9], scaler: 0, reason: 'r' };
        const [made] = await patient.intervals.edit([edit], 'anna', at, i % 2 === 0);
        const id = made?.id as string;
        if (i % 2 === 0)
          expect(await patient.intervals.decide(id, true, 'per', at + 1)).toMatchObject({ state: 'applied' });
        if (i % 4 < 2) expect(await patient.intervals.undo(id, 'per', 'r', at + 2)).toMatchObject({ state: 'undone' });
      }
      proxy.set({});
      expect(proxy.counts.cutAfter).toBeGreaterThan(0);
      const found = await patient.intervals.one(meter, {
        quantity: 'energyImport',
        from: start,
        to: start + 7_200_000,
      });
      expect([...(found?.values ?? [])]).toEqual([1, 1, 9, 9, 1, 1, 9, 9]);
      expect(
        await ask(db.url, 'select state, count(*)::int as n from amiable.value_edit group by state order by state'),
      ).toEqual([
        { state: 'applied', n: 4 },
        { state: 'undone', n: 4 },
      ]);
      expect(await ask(db.url, 'select count(*)::int as n from amiable.change_log')).toEqual([{ n: 12 }]);
    } finally {
      await patient.close();
    }
  });
});

describe('a database that is away', () => {
  it('makes callers wait, then tells them; nothing is lost or half there', async () => {
    const { db, proxy, store } = await hostile({ seed: 1 });
    await store.ingest(range(0, 10));
    proxy.down(true);
    const refused = store.ingest(range(10, 10));
    await expect(refused).rejects.toThrow(StoreUnavailable);
    await expect(refused).rejects.toMatchObject({ retryable: true });
    expect(await store.check()).toEqual(expect.any(String));
    proxy.down(false);
    await expect(insist(() => store.ingest(range(10, 10)))).resolves.toMatchObject({ accepted: 10 });
    expect(await store.check()).toBeUndefined();
    await expectExactlyOnce(db.url, 20);
  });

  it('goes on by itself when it comes back in time', async () => {
    const { db, proxy, store } = await hostile({ seed: 1, cutBefore: 1 });
    const waiting = store.ingest(range(0, 10));
    while (proxy.counts.cutBefore === 0) await new Promise((resolve) => setImmediate(resolve));
    proxy.set({});
    expect(await waiting).toMatchObject({ accepted: 10 });
    await expectExactlyOnce(db.url, 10);
  });

  it('that is full says so, takes nothing, and takes it later', async () => {
    const { db, proxy, store } = await hostile({ seed: 1 });
    await store.ingest(range(0, 10));
    for (const only of [/insert into amiable\.message/i, /^commit/i]) {
      proxy.set({ fail: 1, codes: ['53100'], only });
      const refused = store.ingest(range(10, 10));
      await expect(refused).rejects.toThrow(/disk of the database is full/);
      await expect(refused).rejects.toMatchObject({ code: '53100' });
    }
    proxy.set({});
    expect(await ask(db.url, 'select count(*)::int as n from amiable.message')).toEqual([{ n: 10 }]);
    expect(await store.ingest(range(10, 10))).toMatchObject({ accepted: 10 });
    await expectExactlyOnce(db.url, 20);
  });

  it('holds back those who bring more than may wait', async () => {
    const db = await createTestDatabase();
    const proxy = await startHostileProxy(db.url, { seed: 1 });
    const store = await openStore({ url: proxy.url, migrate: false, queue: 100, retry: { attempts: 2, pause: 1 } });
    open = { db, proxy, store };
    proxy.set({ cutBefore: 1 });
    const results = Array.from({ length: 30 }, (_, i) =>
      store.ingest(range(i * 20, 20)).then(
        () => 'stored',
        () => 'refused',
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect((await store.counters().catch(() => undefined))?.waiting ?? 0).toBeLessThanOrEqual(100);
    expect(new Set(await Promise.all(results))).toEqual(new Set(['refused']));
    proxy.set({});
    for (let i = 0; i < 30; i++) await insist(() => store.ingest(range(i * 20, 20)));
    await expectExactlyOnce(db.url, 600);
  });

  it('from the start is told in a sentence', async () => {
    await expect(
      openStore({ url: 'postgresql://nobody:x@127.0.0.1:1/none', retry: { attempts: 1, pause: 1 } }),
    ).rejects.toThrow('the database does not answer; is it running, and is its address right?');
  });
});
