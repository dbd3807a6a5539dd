import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Channel, type MeterId, openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { type Action, actions, live } from './work-model.ts';

const T0 = Date.parse('2026-11-20T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LONG = process.env.AMIABLE_LONG_TESTS !== undefined;
const METERS = 12;

let db: TestDatabase;
let store: Store;
let client: pg.Client;
let ids: MeterId[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url, migrate: false });
  client = new pg.Client({ connectionString: db.url });
  await client.connect();
  await client.query(
    `insert into amiable.meter (serial, time_zone, first_seen) select 'm-' || k, 'UTC', '2026-01-01' from generate_series(1, ${METERS}) k`,
  );
  ids = (await client.query('select m.id::text from amiable.meter m order by m.id')).rows.map((row) => row.id);
  await client.query(`insert into amiable.connection (meter, protocol, address, transport, readout, channel, changed_at)
    select id, 'dlms', 'tcp://10.' || id % 2 || '.0.' || id || ':4059', 'wrapper', 'x', case when id % 3 = 0 then 'gsm' end, '2026-01-01' from amiable.meter`);
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});
beforeEach(async () => {
  await client.query(`delete from amiable.job; delete from amiable.work_meter; delete from amiable.run; delete from amiable.channel;
    delete from amiable.work_lane; delete from amiable.work_worker`);
});

const channelOf = (meter: MeterId): string => (Number(meter) % 3 === 0 ? 'gsm' : '');
const channel = (more: Partial<Channel> & Pick<Channel, 'kind' | 'name'>): Channel => ({
  most: null,
  windows: [],
  timeZone: 'Europe/Oslo',
  address: null,
  ...more,
});

async function order(meters: readonly MeterId[], more: Record<string, unknown> = {}, definition: object = {}) {
  const run = await store.work.runs.create({
    what: 'task',
    kind: 'daily',
    name: 'a run',
    definition: { parameters: { days: 3 }, ...definition },
    meters,
    priority: 5,
    due: T0,
    expires: T0 + 24 * HOUR,
    created: T0,
    creator: 'anna',
    scope: null,
    transaction: '',
    ...more,
  });
  if (!run) throw new Error('no run');
  return run;
}
const lease = (now: number, count = 100, worker = 'w') => store.work.lease({ worker, count, now, hold: MINUTE });

describe('leases', () => {
  it('obey the model, whatever workers and clocks do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(actions(METERS), { minLength: 5, maxLength: LONG ? 60 : 25 }),
        fc.constantFrom(null, 1, 2),
        async (script: Action[], most) => {
          await client.query(
            'delete from amiable.job; delete from amiable.work_meter; delete from amiable.run; delete from amiable.channel',
          );
          const channels = most === null ? [] : [channel({ kind: 'channel', name: 'gsm', most })];
          for (const one of channels) await store.work.channels.put(one);
          await live(store, ids, channelOf, channels, script);
        },
      ),
      { numRuns: LONG ? 400 : 4 },
    );
  });

  it('give all jobs of a meter to one worker, with what they need', async () => {
    const one = await order(ids.slice(0, 2));
    const two = await order(ids.slice(0, 1), { kind: 'events', priority: 9, transaction: '77' });
    const leased = await lease(T0, 1);
    expect(leased).toHaveLength(1);
    expect(leased[0]?.jobs.map((job) => [job.run, job.kind, job.priority, job.transaction]).sort()).toEqual(
      [
        [one.id, 'daily', 5, ''],
        [two.id, 'events', 9, '77'],
      ].sort(),
    );
    expect(leased[0]?.jobs.find((job) => job.run === one.id)).toMatchObject({
      parameters: { days: 3 },
      due: T0,
      attempts: 0,
    });
    expect(leased[0]?.until).toBe(T0 + MINUTE);
  });

  it('hold the limit of a concentrator for all meters that it serves', async () => {
    const node = await client.query(
      `insert into amiable.node (kind, code, created_at, path) select 'concentrator', code, '2026-01-01', '{}'
        from unnest(array['C-1', 'C-2']) code returning id`,
    );
    const [one, two] = node.rows.map((row) => row.id);
    await client.query(
      `insert into amiable.link (kind, child, parent, from_time, to_time, recorded_at)
        select 'served', k.meter, k.node, '2026-01-01', k.until, '2026-01-01'
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) as k (meter, node, until)`,
      [ids.slice(0, 4), [one, one, two, one], [null, null, null, '2026-02-01']],
    );
    await store.work.channels.put(channel({ kind: 'concentrator', name: 'C-1', most: 1 }));
    await order(ids.slice(0, 5));
    const first = (await lease(T0)).map((m) => m.meter).sort();
    // One of the two behind C-1, and all that it does not serve (any more).
    expect(first.filter((id) => ids.slice(0, 2).includes(id))).toHaveLength(1);
    expect(first).toEqual(expect.arrayContaining(ids.slice(2, 5)));
    expect(await lease(T0, 100, 'other')).toEqual([]);
    expect(await store.work.channels.use(T0)).toContainEqual(
      expect.objectContaining({ concentrator: 'C-1', meters: 2, leased: 1 }),
    );
    // Its lease has ended: the other's turn.
    expect((await lease(T0 + 2 * MINUTE, 100, 'other')).filter((m) => ids.slice(0, 2).includes(m.meter))).toHaveLength(
      1,
    );
  });

  it('of several limits obey all: channel, network, and each name of *', async () => {
    await store.work.channels.put(channel({ kind: 'network', name: 'even', address: '10.0.0.0/16', most: 3 }));
    await store.work.channels.put(channel({ kind: 'channel', name: '*', most: 2 }));
    await order(ids);
    const leased = (await lease(T0)).map((m) => Number(m.meter));
    expect(leased.filter((id) => id % 2 === 0)).toHaveLength(3);
    expect(leased.filter((id) => id % 3 === 0).length).toBeLessThanOrEqual(2);
    expect(leased.filter((id) => id % 2 === 1 && id % 3 !== 0)).toHaveLength(4);
    expect(await lease(T0, 100, 'other')).toEqual([]);
    expect(await store.work.channels.use(T0)).toContainEqual(
      expect.objectContaining({ channel: '', network: 'even', meters: 4 }),
    );
  });

  it('keep the windows of channels and of runs, in local time', async () => {
    // 12:00 UTC is 13:00 in Oslo.
    await store.work.channels.put(channel({ kind: 'channel', name: 'gsm', windows: [{ from: 14 * 60, to: 15 * 60 }] }));
    await order(ids, {}, { windows: [{ from: 13 * 60, to: 14 * 60 + 30 }], timeZone: 'Europe/Oslo' });
    expect((await lease(T0, 3)).map((m) => m.meter)).toHaveLength(3);
    await store.work.release('w');
    expect((await lease(T0)).every((m) => channelOf(m.meter) === '')).toBe(true);
    await store.work.release('w');
    expect(await lease(T0 + HOUR)).toHaveLength(METERS);
    await store.work.release('w');
    // The run's window is closed until tomorrow.
    expect(await lease(T0 + 90 * MINUTE)).toEqual([]);
    expect(await lease(T0 + 12 * HOUR)).toEqual([]);
    expect((await lease(T0 + 23 * HOUR)).every((m) => channelOf(m.meter) === '')).toBe(true);
  });

  it('pass closed runs over for what is open behind them', async () => {
    await order(ids, { priority: 9 }, { windows: [{ from: 0, to: 60 }], timeZone: 'UTC' });
    const two = await order(ids.slice(-2), { priority: 1 });
    const leased = await lease(T0, 2);
    expect(leased.flatMap((m) => m.jobs.map((job) => job.run))).toEqual([two.id, two.id]);
  });

  it('are never more than workers ask for at once, when many ask together', async () => {
    await store.work.channels.put(channel({ kind: 'channel', name: 'gsm', most: 2 }));
    await order(ids);
    const all = await Promise.all([1, 2, 3, 4, 5].map((n) => lease(T0, 3, `many${n}`)));
    const meters = all.flat().map((m) => m.meter);
    expect(new Set(meters).size).toBe(meters.length);
    expect(meters.filter((id) => channelOf(id) === 'gsm')).toHaveLength(2);
    expect(meters).toHaveLength(METERS - 2);
    const workers = (await store.work.workers()).filter((w) => w.worker.startsWith('many'));
    expect(workers.reduce((sum, w) => sum + w.meters, 0)).toBe(METERS - 2);
    expect(workers.reduce((sum, w) => sum + w.leases, 0)).toBe(5);
  });

  it('that were lost again and again are given up', async () => {
    const run = await order(ids.slice(0, 1), {}, { retry: { tries: 2 } });
    for (let i = 0; i < 2; i++) expect(await lease(T0 + i * HOUR, 1, `w${i}`)).toHaveLength(1);
    expect(await lease(T0 + 2 * HOUR)).toEqual([]);
    const [job] = await store.work.runs.jobs(run.id, { limit: 10, scope: 'all' });
    expect(job).toMatchObject({ state: 'given-up', attempts: 2, reason: 'workers were lost at it again and again' });
    expect((await store.work.runs.get(run.id))?.counts).toMatchObject({ total: 1, givenUp: 1 });
    expect((await store.work.workers()).find((w) => w.worker === 'w0')?.lost).toBe(1);
  });
});

describe('outcomes', () => {
  it('are taken once, and refused when the lease is lost', async () => {
    const run = await order(ids.slice(0, 2));
    const [a, b] = (await lease(T0)).flatMap((m) => m.jobs.map((job) => job.id)) as [string, string];
    const done = [{ job: a, result: 'done' as const, stored: 7 }];
    expect(await store.work.finish('w', done, T0)).toEqual({ refused: [] });
    expect(await store.work.finish('w', done, T0)).toEqual({ refused: [] });
    expect((await store.work.runs.get(run.id))?.counts).toMatchObject({ done: 1, tries: 1, stored: 7 });
    await lease(T0 + HOUR, 10, 'other');
    expect(await store.work.finish('w', [{ job: b, result: 'done' }], T0 + HOUR)).toEqual({ refused: [b] });
    expect(await store.work.finish('other', [{ job: b, result: 'failed', reason: 'no' }], T0 + HOUR)).toEqual({
      refused: [],
    });
    expect(
      await store.work.finish(
        'w',
        [
          { job: 'x', result: 'done' },
          { job: '9-9', result: 'done' },
        ],
        T0,
      ),
    ).toEqual({ refused: ['x', '9-9'] });
    const jobs = await store.work.runs.jobs(run.id, { limit: 10, scope: 'all' });
    expect(jobs.map((job) => [job.state, job.reason])).toEqual([
      ['done', null],
      ['failed', 'no'],
    ]);
    expect((await client.query('select count(*)::int as n from amiable.work_meter')).rows).toEqual([{ n: 0 }]);
  });

  it('that ask for another try wait, lose priority, and end when their time is over', async () => {
    const run = await order(
      ids.slice(0, 1),
      { expires: T0 + 10 * MINUTE },
      { retry: { tries: 99, pause: MINUTE, factor: 2, jitter: 0, decay: 2 } },
    );
    const again = async (now: number) => {
      const [meter] = await lease(now);
      const [job] = meter?.jobs ?? [];
      await store.work.finish('w', [{ job: job?.id as string, result: 'again', reason: 'silent' }], now);
      return job?.priority;
    };
    expect(await again(T0)).toBe(5);
    expect(await lease(T0 + MINUTE - 1)).toEqual([]);
    expect(await again(T0 + MINUTE)).toBe(3);
    expect(await again(T0 + 3 * MINUTE)).toBe(1);
    expect(await again(T0 + 7 * MINUTE)).toBe(0);
    expect((await store.work.runs.jobs(run.id, { limit: 1, scope: 'all' }))[0]).toMatchObject({
      state: 'given-up',
      attempts: 4,
      reason: 'silent',
    });
  });
});

describe('runs', () => {
  it('are expanded in pages, each once, whoever does it', async () => {
    const run = await order(ids.slice(0, 3), { meters: undefined });
    const page = { meters: ids.slice(0, 5), last: false };
    const both = await Promise.all([store.work.runs.expand(run, page, T0), store.work.runs.expand(run, page, T0)]);
    expect(both.sort()).toEqual([false, true]);
    const next = await store.work.runs.get(run.id);
    if (!next) throw new Error('gone');
    expect(next).toMatchObject({ state: 'running', expandedTo: ids[4], expanded: false, counts: { total: 5 } });
    expect(await store.work.runs.expand(next, { meters: ids.slice(5), last: true, note: 'some' }, T0)).toBe(true);
    expect(await store.work.runs.get(run.id)).toMatchObject({
      expanded: true,
      note: 'some',
      counts: { total: METERS },
    });
    expect(await lease(T0)).toHaveLength(METERS);
  });

  it('are made once for an occurrence and for a transaction', async () => {
    const occurrence = { nominal: '2026-11-20T12:00', at: T0 };
    const made = await Promise.all([1, 2, 3].map(() => store.work.runs.create({ ...blank, task: '9', occurrence })));
    expect(made.filter(Boolean)).toHaveLength(1);
    const same = await Promise.all([1, 2].map(() => order(ids, { transaction: '4711' })));
    expect(same[0]?.id).toBe(same[1]?.id);
    expect(same[0]?.counts.total).toBe(METERS);
  });

  const blank = {
    what: 'task',
    kind: 'daily',
    name: 'x',
    definition: {},
    priority: 5,
    due: T0,
    expires: T0 + HOUR,
    created: T0,
    creator: 'anna',
    scope: null,
    transaction: '',
  } as const;

  it('and their jobs are let go of when they are old', async () => {
    const run = await order(ids);
    await store.work.runs.change(run.id, ['running'], 'cancelled', T0);
    expect(await store.work.runs.prune(T0)).toBe(0);
    expect(await store.work.runs.prune(T0 + 1)).toBe(1);
    expect((await client.query('select count(*)::int as n from amiable.job')).rows).toEqual([{ n: 0 }]);
  });

  it('that somebody may not see are not listed, and their jobs are those of the segments', async () => {
    await order(ids, { scope: [2] });
    const own = await order(ids, { scope: [1] });
    await order(ids);
    expect((await store.work.runs.list({ limit: 10, scope: [1] })).map((run) => run.id)).toEqual([own.id]);
    expect(await store.work.runs.jobs(own.id, { limit: 100, scope: [2] })).toEqual([]);
  });
});

describe('definitions', () => {
  it('keep every version, refuse a name twice and a change of what was changed', async () => {
    const definition = { kind: 'daily' } as never;
    const base = { kind: 'daily', definition, creator: 'anna', scope: [1, 2], nextDue: null } as const;
    const one = await store.work.tasks.create({ ...base, name: 'nightly' }, T0);
    if (!one) throw new Error('no task');
    expect(await store.work.tasks.create({ ...base, name: 'nightly' }, T0)).toBeUndefined();
    const two = await store.work.tasks.create({ ...base, name: 'other' }, T0);
    const change = { definition: { kind: 'daily', priority: 7 } as never, nextDue: T0, by: 'bert', scope: [1] };
    expect(await store.work.tasks.change(one.id, 1, change, T0 + 1)).toMatchObject({
      version: 2,
      creator: 'bert',
      scope: [1],
      nextDue: T0,
    });
    expect(await store.work.tasks.change(one.id, 1, change, T0 + 2)).toBe('stale');
    expect(
      await store.work.tasks.change(two?.id as string, 1, { name: 'nightly', nextDue: null, by: 'x', scope: null }, T0),
    ).toBe('taken');
    expect((await store.work.tasks.versions(one.id)).map((v) => [v.version, v.changedBy])).toEqual([
      [2, 'bert'],
      [1, 'anna'],
    ]);
    expect(await store.work.tasks.get(one.id, [2])).toBeUndefined();
    expect(await store.work.tasks.byName('nightly', [1, 3])).toMatchObject({ id: one.id });
    expect((await store.work.tasks.due(T0)).map((task) => task.id)).toEqual([one.id]);
    await store.work.tasks.change(one.id, 2, { state: 'deleted', nextDue: null, by: 'x', scope: null }, T0);
    expect(await store.work.tasks.get(one.id, 'all')).toBeUndefined();
    expect(await store.work.tasks.create({ ...base, name: 'nightly' }, T0)).toBeDefined();
  });
});
