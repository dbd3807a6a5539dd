import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store, seenIn } from '../src/index.ts';
import { createIds, firstId, timeOfId } from '../src/journal/ids.ts';
import { boundedDetail, createWriter } from '../src/journal/journal.ts';
import type { Database } from '../src/pg/database.ts';
import { StoreUnavailable } from '../src/types.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const T = Date.UTC(2026, 10, 20);

describe('ids of transactions', () => {
  it('are in order of time and unique, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 300 }), fc.nat(9000), (steps, writer) => {
        let now = T;
        const next = createIds(writer, () => now);
        let last = -1n;
        for (const step of steps) {
          now += step;
          const id = next();
          expect(id).toBeGreaterThan(last);
          expect(Number((id >> 10n) & 4095n)).toBe(writer % 4096);
          last = id;
        }
      }),
    );
    const next = createIds(1, () => T);
    const many = Array.from({ length: 5000 }, () => next());
    expect(new Set(many).size).toBe(5000);
    expect(timeOfId(many[0] as bigint)).toBe(T);
    expect(many[0]).toBeGreaterThan(firstId(T));
    expect(many[0]).toBeLessThan(firstId(T + 1));
  });
});

describe('a detail', () => {
  it('is bounded, and marked where it was cut', () => {
    expect(boundedDetail({ a: 1n, b: 'x\u0000y' })).toBe('{"a":"1","b":"xy"}');
    const cut = JSON.parse(boundedDetail({ hex: 'ab'.repeat(10_000) }) as string) as { cut: boolean; text: string };
    expect(cut.cut).toBe(true);
    expect(boundedDetail({ hex: 'ab'.repeat(10_000) })?.length).toBeLessThan(8192);
    const round: { self?: unknown } = {};
    round.self = round;
    expect(boundedDetail(round)).toContain('cut');
  });
});

describe('the writer, while the database comes and goes', () => {
  /** A database of two statements that is away when told. */
  function fake() {
    const rows = new Map<string, { state: string; text: string }>();
    const state = { away: false, loseAnswer: false };
    const client = {
      async query({ name, values }: { name?: string; values: unknown[][] }) {
        if (state.away) throw new StoreUnavailable('away');
        if (name === 'journal.insert')
          values[0]?.forEach((id, i) => {
            if (values[9]?.[i] === 'poison') throw new Error('invalid');
            if (!rows.has(id as string))
              rows.set(id as string, { state: values[8]?.[i] as string, text: values[9]?.[i] as string });
          });
        if (name === 'journal.end')
          values[0]?.forEach((id, i) => {
            const row = rows.get(id as string);
            if (row) row.state = values[2]?.[i] as string;
          });
        if (state.loseAnswer) {
          state.loseAnswer = false;
          throw new StoreUnavailable('the answer was lost');
        }
        return { rows: [] };
      },
    };
    const db = { write: (work: (c: unknown) => Promise<unknown>) => work(client) } as unknown as Database;
    return { rows, state, db };
  }
  const partitions = { transactions: async () => {} };

  it('keeps each entry once, in its last state, over any faults', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('begin', 'end', 'add', 'flush', 'away', 'back', 'lose'), { maxLength: 60 }),
        async (script) => {
          const { rows, state, db } = fake();
          const writer = createWriter({ db, partitions, writer: 1, clock: () => T });
          const model = new Map<string, string>();
          const open: string[] = [];
          for (const step of script) {
            if (step === 'begin') {
              const id = writer.begin({ kind: 'meter', started: T, text: 'm' });
              model.set(id, 'running');
              open.push(id);
            } else if (step === 'end') {
              const id = open.shift();
              if (id === undefined) continue;
              writer.end(id, { ended: T, state: 'failed' });
              model.set(id, 'failed');
            } else if (step === 'add')
              model.set(writer.add({ kind: 'apdu', started: T, ended: T, state: 'done', text: 'a' }), 'done');
            else if (step === 'flush') await writer.flush();
            else if (step === 'lose') state.loseAnswer = true;
            else state.away = step === 'away';
          }
          state.away = false;
          state.loseAnswer = false;
          await writer.flush();
          await writer.close();
          expect(new Map([...rows].map(([id, row]) => [id, row.state]))).toEqual(model);
          expect(writer.lost).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is bounded: APDUs are lost first, tasks last, and the log says how many', async () => {
    const { rows, state, db } = fake();
    const writer = createWriter({ db, partitions, writer: 1, clock: () => T, room: 100 });
    state.away = true;
    for (let i = 0; i < 200; i++) writer.add({ kind: 'apdu', started: T, ended: T, state: 'done', text: 'a' });
    expect(writer.waiting).toBe(50);
    for (let i = 0; i < 20; i++) writer.begin({ kind: 'task', started: T, text: 't' });
    expect(writer.lost).toBe(150);
    await writer.flush();
    state.away = false;
    await writer.flush();
    await writer.close();
    const texts = [...rows.values()].map((row) => row.text);
    expect(texts.filter((t) => t === 't')).toHaveLength(20);
    expect(texts).toContain('150 entries of the transaction log were lost: the database did not take them in time');
  });

  it('loses the one entry that the database refuses, not its neighbours', async () => {
    const { rows, db } = fake();
    const writer = createWriter({ db, partitions, writer: 1, clock: () => T });
    for (const text of ['a', 'b', 'poison', 'c']) writer.begin({ kind: 'meter', started: T, text });
    await writer.flush();
    await writer.close();
    expect([...rows.values()].map((row) => row.text)).toEqual(['a', 'b', 'c', expect.stringContaining('1 entries')]);
  });
});

describe('the log in the database', () => {
  let db: TestDatabase;
  let store: Store;
  let client: pg.Client;
  let meters: string[];
  beforeAll(async () => {
    db = await createTestDatabase();
    store = await openStore({ url: db.url });
    client = new pg.Client(db.url);
    await client.connect();
    meters = [...(await store.ensureMeters([{ serial: 'A' }, { serial: 'B' }])).values()];
    await client.query('update amiable.meter set segment = 2 where id = $1', [meters[1]]);
  });
  afterAll(async () => {
    await client.end();
    await store.close();
    await db.drop();
  });

  const runOf = async (name: string, scope: number[] | null): Promise<string> => {
    const more = { priority: 5, due: T, expires: T + 1, created: T, creator: 'anna', transaction: '' } as const;
    const run = await store.work.runs.create({ what: 'task', kind: 'daily', name, definition: {}, scope, ...more });
    return run?.id as string;
  };

  it('is a tree by levels, in the caller’s segments', async () => {
    const { journal } = store;
    const run = await runOf('daily values', null);
    const task = journal.begin({ kind: 'task', started: T, run, text: 'daily values' });
    const own = meters.map((meter, k) =>
      journal.begin({ kind: 'meter', parent: task, run, meter, started: T + k, text: `meter ${k} 100%` }),
    );
    await journal.flush();
    journal.end(own[0] as string, { ended: T + 9, state: 'done', detail: { values: 96 } });
    journal.end(own[1] as string, { ended: T + 9, state: 'failed', text: 'meter 1 does not answer' });
    journal.add({
      kind: 'association',
      parent: own[0] as string,
      meter: meters[0] as string,
      started: T,
      ended: T,
      state: 'done',
      text: 'reader',
    });
    await journal.flush();

    const roots = await journal.list({ limit: 10, scope: 'all' });
    expect(roots.transactions).toMatchObject([{ id: task, kind: 'task', state: 'running', children: 2, run }]);
    expect(roots.next).toBeUndefined();
    const below = await journal.list({ parent: task, limit: 1, scope: 'all' });
    expect(below.transactions).toMatchObject([
      { id: own[0], state: 'done', detail: { values: 96 }, children: 1, ended: T + 9 },
    ]);
    const rest = await journal.list({ parent: task, limit: 1, after: below.next as string, scope: 'all' });
    expect(rest.transactions).toMatchObject([{ id: own[1], state: 'failed', text: 'meter 1 does not answer' }]);

    // Segment 2 is not in the scope: its meter is as if it were not there.
    const scoped = await journal.list({ parent: task, limit: 10, scope: [1] });
    expect(scoped.transactions.map((t) => t.id)).toEqual([own[0]]);
    expect(await journal.get(own[1] as string, [1])).toBeUndefined();
    expect(await journal.get(own[1] as string, [2])).toMatchObject({ id: own[1] });
    expect((await journal.list({ limit: 10, scope: [] })).transactions.map((t) => t.id)).toEqual([task]);

    const ids = async (query: object) =>
      (await journal.list({ limit: 10, scope: 'all', ...query })).transactions.map((t) => t.id);
    expect(await ids({ q: 'NOT answer' })).toEqual([own[1]]);
    expect(await ids({ q: '%' })).toEqual([own[0]]);
    expect(await ids({ run, state: 'failed' })).toEqual([own[1]]);
    expect(await ids({ meter: meters[0], kind: 'association' })).toHaveLength(1);
    expect(await ids({ run, from: T + 1 })).toEqual([own[1]]);
    expect(await ids({ run, to: T + 1, kind: 'meter' })).toEqual([own[0]]);
    expect(await journal.progress([task], 'all')).toEqual(new Map([[task, { done: 1, failed: 1 }]]));
    expect(await journal.progress([task], [1])).toEqual(new Map([[task, { done: 1 }]]));
    expect((await journal.list({ limit: 10, scope: [1] })).transactions[0]?.children).toBe(1);
  });

  it('tells of a run what it says of other segments to nobody who does not see them', async () => {
    const { journal } = store;
    const [foreign, wider, inside] = [await runOf('north', [2]), await runOf('all', null), await runOf('south', [1])];
    const begin = (run: string) =>
      journal.begin({ kind: 'task', started: T, run, text: 'secret 190 of 200 meters done', detail: { total: 200 } });
    const ids = [begin(foreign), begin(wider), begin(inside)] as const;
    await journal.flush();
    const seen = (await journal.list({ limit: 10, scope: [1] })).transactions;
    expect(seen.map((t) => t.id)).not.toContain(ids[0]);
    expect(await journal.get(ids[0], [1])).toBeUndefined();
    const redacted = await journal.get(ids[1], [1]);
    expect(redacted).toMatchObject({ text: 'all' });
    expect(redacted).not.toHaveProperty('detail');
    expect(await journal.get(ids[2], [1])).toMatchObject({ detail: { total: 200 } });
    expect(await journal.get(ids[0], 'all')).toMatchObject({ detail: { total: 200 } });
    // Words that are not shown find nothing.
    const found = await journal.list({ limit: 10, scope: [1], q: 'secret 190' });
    expect(found.transactions.map((t) => t.id)).toEqual([ids[2]]);
    // Who follows the log sees the same.
    const rows = (await journal.changed('0', [], 1000)).filter((t) => (ids as readonly string[]).includes(t.id));
    expect(rows.map((row) => seenIn(row, [1])?.text)).toEqual([undefined, 'all', 'secret 190 of 200 meters done']);
    expect(seenIn(rows[1] as (typeof rows)[number], [1])).not.toHaveProperty('detail');
    expect(rows.map((row) => seenIn(row, 'all')?.text)).toEqual(rows.map((row) => row.text));
  });

  it('tells what changed after a stamp, among roots and below those that are asked for', async () => {
    const { journal } = store;
    const root = journal.begin({ kind: 'command', started: T, text: 'backup' });
    const child = journal.begin({ kind: 'meter', parent: root, meter: meters[1] as string, started: T, text: 'x' });
    await journal.flush();
    const first = await journal.changed('0', [], 1000);
    expect(first.map((t) => t.id)).toContain(root);
    expect(first.map((t) => t.id)).not.toContain(child);
    const stamp = first.at(-1)?.changed as string;
    expect((await journal.changed(stamp, [root], 10)).map((t) => t.id)).toEqual([child]);
    journal.end(root, { ended: T, state: 'done' });
    await journal.flush();
    const then = await journal.changed(stamp, [root], 10);
    expect(then).toMatchObject([
      { id: child, segment: 2 },
      { id: root, state: 'done' },
    ]);
    expect(BigInt(then[1]?.changed as string)).toBeGreaterThan(BigInt(then[0]?.changed as string));
  });

  it('closes what an ended program left open, and lets go by kind', async () => {
    const { journal } = store;
    const other = await openStore({ url: db.url, migrate: false });
    const orphan = other.journal.begin({ kind: 'meter', started: T, text: 'cut short' });
    const task = other.journal.begin({ kind: 'task', started: T, text: 'goes on elsewhere' });
    await other.close();
    const mine = journal.begin({ kind: 'meter', started: T, text: 'mine' });
    await journal.flush();
    const old = String(firstId(Date.now() - 3_600_000) + 3n * 1024n);
    await client.query(`update amiable.transaction set id = id - (1000000::bigint << 22) where id in ($1, $2, $3)`, [
      orphan,
      task,
      mine,
    ]);
    const shifted = (id: string) => String(BigInt(id) - (1_000_000n << 22n));
    await journal.retain();
    expect(await journal.get(shifted(orphan), 'all')).toMatchObject({
      state: 'failed',
      text: 'cut short (its program ended)',
    });
    expect(await journal.get(shifted(task), 'all')).toMatchObject({ state: 'running' });
    expect(await journal.get(shifted(mine), 'all')).toMatchObject({ state: 'running' });
    const apdu = journal.add({ kind: 'apdu', started: T, ended: T, state: 'done', text: 'get' });
    await journal.flush();
    await client.query(`update amiable.transaction set id = $2 where id = $1`, [apdu, old]);
    expect(await journal.retain({ apduDays: 0.01 })).toBe(1);
    expect(await journal.get(old, 'all')).toBeUndefined();
    expect((await client.query(`select count(*)::int as n from amiable.transaction_default`)).rows).toEqual([{ n: 0 }]);
  });
});
