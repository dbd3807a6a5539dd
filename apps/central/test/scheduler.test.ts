import type { OwnKind, Run, Store } from '@amiable/store';
import { openStore } from '@amiable/store';
import { DEFAULTS, type FlowDefinition, type TaskDefinition } from '@amiable/tasks';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { control } from '../src/scheduler/control.ts';
import type { OwnKinds, OwnTask } from '../src/scheduler/own.ts';
import { createScheduler, type Scheduler } from '../src/scheduler/scheduler.ts';

const T0 = Date.parse('2026-03-28T12:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let db: TestDatabase;
let store: Store;
let client: pg.Client;
let now = T0;
const lines: string[] = [];
const ownKinds: OwnKinds = new Map<OwnKind, OwnTask>();
const made: Scheduler[] = [];

function scheduler(name: string): Scheduler {
  const one = createScheduler({
    store,
    now: () => now,
    clock: () => now,
    name,
    ownKinds,
    log: (line) => lines.push(line),
  });
  made.push(one);
  return one;
}

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url, migrate: false });
  client = new pg.Client({ connectionString: db.url });
  await client.connect();
  // Twelve meters with a connection, three of them in segment 2, and two that cannot be reached.
  await client.query(`insert into amiable.meter (serial, time_zone, first_seen, segment)
    select 'm-' || k, 'Europe/Oslo', '2026-01-01', case when k > 9 then 2 else 1 end from generate_series(1, 14) k`);
  await client.query(`insert into amiable.connection (meter, protocol, address, transport, readout, changed_at)
    select id, 'dlms', 'tcp://10.0.0.' || id || ':4059', 'wrapper', 'amiable-virtual', '2026-01-01' from amiable.meter where id <= 12`);
});
afterAll(async () => {
  for (const one of made) await one.stop();
  await client.end();
  await store.close();
  await db.drop();
});
beforeEach(async () => {
  // What an earlier case left is nobody's.
  await client.query(`update amiable.task set state = 'deleted'; update amiable.flow set state = 'deleted';
    delete from amiable.job; delete from amiable.work_meter; delete from amiable.run; delete from amiable.occurrence`);
  lines.length = 0;
  ownKinds.clear();
  now = T0;
});

const task = (more: Partial<TaskDefinition> = {}): TaskDefinition => ({
  ...DEFAULTS,
  kind: 'daily',
  parameters: {},
  target: {},
  schedule: { recurrence: { type: 'daily', at: [150] } },
  timeZone: 'Europe/Oslo',
  retry: { ...DEFAULTS.retry, tries: 1 },
  ...more,
});

let names = 0;
async function addTask(
  definition: TaskDefinition,
  more: { scope?: number[]; creatorId?: string; nextDue?: number } = {},
) {
  const one = await store.work.tasks.create(
    {
      name: `task ${++names}`,
      kind: definition.kind,
      definition,
      creator: 'anna',
      creatorId: more.creatorId ?? null,
      scope: more.scope ?? null,
      nextDue: more.nextDue ?? null,
    },
    now,
  );
  return one as NonNullable<typeof one>;
}

const runsOf = async (id: string): Promise<readonly Run[]> =>
  [...(await store.work.runs.list({ task: id, limit: 1000, scope: 'all' }))].reverse();

/** A worker that does all there is; `fails` says which meters do not answer. */
async function work(fails: (meter: string) => boolean = () => false): Promise<string[]> {
  const done: string[] = [];
  for (;;) {
    const leased = await store.work.lease({ worker: 'w', count: 100, now, hold: HOUR });
    if (leased.length === 0) return done;
    for (const { meter, jobs } of leased) for (const job of jobs) done.push(`${job.kind} ${meter}`);
    const outcomes = leased.flatMap(({ meter, jobs }) =>
      jobs.map((job) => ({ job: job.id, result: fails(meter) ? ('failed' as const) : ('done' as const), stored: 1 })),
    );
    await store.work.finish('w', outcomes, now);
  }
}

describe('a task', () => {
  it('has a run at the first instant after a skipped hour, with a job for each meter that can be reached', async () => {
    const one = await addTask(task());
    const s = scheduler('a');
    await s.turn();
    expect(await runsOf(one.id)).toEqual([]);
    now = Date.parse('2026-03-29T01:00:01Z');
    await s.turn();
    const [run] = await runsOf(one.id);
    expect(run).toMatchObject({
      state: 'running',
      due: Date.parse('2026-03-29T01:00Z'),
      expanded: true,
      counts: { total: 12 },
    });
    expect(run?.note).toBe('2 meters that fit have no connection and were left out');
    expect(run?.transaction).not.toBe('');
    expect(await work()).toHaveLength(12);
    await s.turn();
    expect((await runsOf(one.id)).map((r) => [r.state, r.counts.done, r.counts.stored])).toEqual([['done', 12, 12]]);
  });

  it('has one run for each occurrence, however many schedulers there are', async () => {
    const one = await addTask(task());
    const all = [scheduler('a'), scheduler('b'), scheduler('c')];
    await Promise.all(all.map((s) => s.turn()));
    for (let day = 0; day < 2; day++) {
      now += DAY;
      await Promise.all(all.map((s) => s.turn()));
    }
    await Promise.all(all.map((s) => s.turn()));
    const runs = await runsOf(one.id);
    expect(runs).toHaveLength(2);
    for (const run of runs) expect(run.counts.total).toBe(12);
  });

  it('never runs an occurrence twice when the clock is set back, and goes on where it was', async () => {
    const one = await addTask(task());
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    expect(await runsOf(one.id)).toHaveLength(1);
    now -= DAY;
    await s.turn();
    now += DAY;
    await s.turn();
    expect(await runsOf(one.id)).toHaveLength(1);
    // A clock that was years ahead for a moment does not keep the next day from coming.
    const right = now;
    now += 1000 * DAY;
    await s.turn();
    const before = (await runsOf(one.id)).length;
    now = right;
    await s.turn();
    now = right + DAY;
    await s.turn();
    const after = await runsOf(one.id);
    expect(after).toHaveLength(before + 1);
    expect(after.at(-1)?.due).toBeLessThan(right + DAY);
  });

  it.each([
    ['last', 1],
    ['all', 3],
    ['none', 0],
  ] as const)('makes up for what was missed: %s', async (missed, count) => {
    const one = await addTask(task({ missed }));
    await scheduler('a').turn();
    now += 3 * DAY;
    const s = scheduler('b');
    await s.turn();
    expect(await runsOf(one.id)).toHaveLength(count);
    await s.turn();
    expect(await runsOf(one.id)).toHaveLength(count);
  });

  it.each([
    ['first', ['00:30']],
    ['each', ['00:30', '01:30']],
  ] as const)('in the repeated hour of autumn runs as it says: %s', async (repeated, times) => {
    now = Date.parse('2026-10-24T12:00:00Z');
    const one = await addTask(task({ schedule: { recurrence: { type: 'daily', at: [150] }, repeated } }));
    const s = scheduler('a');
    await s.turn();
    // 02:30 in Oslo comes at 00:30 and at 01:30 UTC.
    for (const [time, so] of [
      ['00:29:59', 0],
      ['00:30:01', 1],
      ['01:29:59', 1],
      ['01:30:01', times.length],
      ['12:00:00', times.length],
    ] as const) {
      now = Date.parse(`2026-10-25T${time}Z`);
      await s.turn();
      expect(await runsOf(one.id), time).toHaveLength(so);
    }
    const runs = await runsOf(one.id);
    expect(runs.map((run) => run.due)).toEqual(times.map((time) => Date.parse(`2026-10-25T${time}Z`)));
    for (const run of runs) expect(run.counts.total).toBe(12);
  });

  it('on no meters is done with a warning that says so', async () => {
    const one = await addTask(task({ target: { where: [{ attribute: 'serial', is: '=', value: 'nobody' }] } }));
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    await s.turn();
    expect(await runsOf(one.id)).toMatchObject([{ state: 'done', note: 'nothing was done: no meter fits the target' }]);
  });

  it('touches only the segments of who made it', async () => {
    const one = await addTask(task(), { scope: [2] });
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    expect(await work()).toEqual(['daily 10', 'daily 11', 'daily 12']);
    expect((await runsOf(one.id))[0]?.counts.total).toBe(3);
  });

  it('does not run when its maker is gone', async () => {
    const one = await addTask(task(), { creatorId: '4711' });
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    expect(await runsOf(one.id)).toMatchObject([{ state: 'failed', counts: { total: 0 } }]);
    expect((await runsOf(one.id))[0]?.note).toContain('anna');
  });

  it('that names a group which is gone fails with words', async () => {
    const one = await addTask(task({ target: { group: 'gone' } }));
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    expect(await runsOf(one.id)).toMatchObject([{ state: 'failed' }]);
    expect((await runsOf(one.id))[0]?.note).toMatch(/no group of meters/);
  });

  it('counts as done by the share that is enough', async () => {
    const strict = await addTask(task());
    const mild = await addTask(task({ kind: 'events', enough: 0.9 }));
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    await work((meter) => meter === '5');
    await s.turn();
    expect((await runsOf(strict.id))[0]).toMatchObject({
      state: 'failed',
      note: expect.stringContaining('1 of 12 meters'),
    });
    expect((await runsOf(mild.id))[0]).toMatchObject({ state: 'done', counts: { done: 11, failed: 1 } });
  });

  it('ends what is left of a run when its time is over', async () => {
    const one = await addTask(task({ lifetime: HOUR }));
    const s = scheduler('a');
    await s.turn();
    now = Date.parse('2026-03-29T01:00:01Z');
    await s.turn();
    now += 2 * HOUR;
    await s.turn();
    await s.turn();
    expect((await runsOf(one.id))[0]).toMatchObject({ state: 'failed', counts: { total: 12, expired: 12 } });
    expect(await work()).toEqual([]);
  });

  it('is paused, resumed and cancelled', async () => {
    const one = await addTask(task());
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    const [run] = (await runsOf(one.id)) as [Run];
    const leased = await store.work.lease({ worker: 'w', count: 2, now, hold: HOUR });
    expect(leased).toHaveLength(2);
    expect(await control(store, run, 'pause', now)).toMatchObject({ state: 'paused' });
    expect(await work()).toEqual([]);
    // What was under way ends.
    const outcomes = leased.flatMap((m) => m.jobs.map((job) => ({ job: job.id, result: 'done' as const })));
    expect(await store.work.finish('w', outcomes, now)).toEqual({ refused: [] });
    expect(await control(store, run, 'pause', now)).toBeUndefined();
    expect(await control(store, run, 'resume', now)).toMatchObject({ state: 'running' });
    expect(await store.work.lease({ worker: 'w', count: 3, now, hold: HOUR })).toHaveLength(3);
    expect(await control(store, run, 'cancel', now)).toMatchObject({
      state: 'cancelled',
      counts: { done: 2, cancelled: 7 },
    });
    expect(await work()).toEqual([]);
    expect(await control(store, run, 'resume', now)).toBeUndefined();
  });
});

describe('what the system does by itself', () => {
  it('is executed once, with its progress, by whichever process comes first', async () => {
    let times = 0;
    ownKinds.set('backup', async ({ parameters, progress }) => {
      times++;
      progress({ bytes: 1 });
      expect(parameters).toEqual({ check: true });
      return { note: 'written' };
    });
    const one = await addTask(task({ kind: 'backup', parameters: { check: true } }));
    const all = [scheduler('a'), scheduler('b')];
    await Promise.all(all.map((s) => s.turn()));
    now += DAY;
    await Promise.all(all.map((s) => s.turn()));
    await Promise.all(all.map((s) => s.stop()));
    expect(times).toBe(1);
    expect(await runsOf(one.id)).toMatchObject([{ state: 'done', note: 'written' }]);
  });
  it('fails with its words, and with words when nobody can do it', async () => {
    ownKinds.set('export', async () => {
      throw new Error('the disk is full');
    });
    const one = await addTask(task({ kind: 'export' }));
    const two = await addTask(task({ kind: 'import' }));
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    await s.stop();
    expect(await runsOf(one.id)).toMatchObject([{ state: 'failed', note: 'the disk is full' }]);
    expect(await runsOf(two.id)).toMatchObject([{ state: 'failed', note: 'this program cannot do import by itself' }]);
  });
});

describe('a flow', () => {
  async function addFlow(steps: FlowDefinition['steps']) {
    const definition: FlowDefinition = {
      steps,
      schedule: { recurrence: { type: 'daily', at: [150] } },
      timeZone: 'Europe/Oslo',
      missed: 'last',
      lifetime: DAY,
    };
    const one = await store.work.flows.create(
      { name: `flow ${++names}`, definition, creator: 'anna', scope: null, nextDue: null },
      now,
    );
    return one as NonNullable<typeof one>;
  }
  const order = { recurrence: { type: 'order' } } as const;

  it('reads again what failed, and goes on when all have come', async () => {
    const read = await addTask(task({ schedule: order }));
    const check = await addTask(task({ kind: 'status', schedule: order }));
    const flow = await addFlow([
      { name: 'read', task: read.id, after: [], join: 'all' },
      {
        name: 'again',
        task: read.id,
        after: [{ step: 'read', when: { share: 'failed', is: '>', value: 0 } }],
        join: 'all',
        meters: { step: 'read', which: 'failed' },
      },
      { name: 'unused', task: check.id, after: [{ step: 'read', when: { is: 'done' } }], join: 'all' },
      {
        name: 'check',
        task: check.id,
        after: [
          { step: 'again', when: { is: 'done' } },
          { step: 'unused', when: { is: 'done' } },
        ],
        join: 'any',
      },
    ]);
    const all = [scheduler('a'), scheduler('b')];
    const turn = async () => {
      for (let i = 0; i < 3; i++) await Promise.all(all.map((s) => s.turn()));
    };
    await turn();
    now += DAY;
    await turn();
    expect(await work((meter) => meter === '3' || meter === '4')).toHaveLength(12);
    await turn();
    expect((await work()).sort()).toEqual(['daily 3', 'daily 4']);
    await turn();
    expect(await work()).toHaveLength(12);
    await turn();
    const [run] = await store.work.runs.list({ flow: flow.id, limit: 10, scope: 'all' });
    expect(run).toMatchObject({ state: 'done', progress: { skipped: ['unused'] } });
    const steps = await store.work.runs.list({ parent: run?.id, limit: 10, scope: 'all' });
    expect(steps.map((s) => [s.step, s.state, s.counts.total]).reverse()).toEqual([
      ['read', 'failed', 12],
      ['again', 'done', 2],
      ['check', 'done', 12],
    ]);
  });

  it('is paused and cancelled with its steps', async () => {
    const read = await addTask(task({ schedule: order }));
    const flow = await addFlow([{ name: 'read', task: read.id, after: [], join: 'all' }]);
    const s = scheduler('a');
    await s.turn();
    now += DAY;
    await s.turn();
    await s.turn();
    const [run] = (await store.work.runs.list({ flow: flow.id, limit: 10, scope: 'all' })) as [Run];
    await control(store, run, 'pause', now);
    expect(await work()).toEqual([]);
    await control(store, run, 'resume', now);
    expect(await store.work.lease({ worker: 'v', count: 5, now, hold: HOUR })).toHaveLength(5);
    await control(store, run, 'cancel', now);
    expect(await work()).toEqual([]);
    const [step] = await store.work.runs.list({ parent: run.id, limit: 10, scope: 'all' });
    expect(step).toMatchObject({ state: 'cancelled', counts: { total: 12, cancelled: 7 } });
  });
});

it('says once that the database is away, and goes on', async () => {
  const broken = new Proxy(store, {
    get: (target, key) =>
      key === 'work'
        ? { ...target.work, runs: { ...target.work.runs, mend: async () => Promise.reject(new Error('gone for now')) } }
        : Reflect.get(target, key),
  });
  const s = createScheduler({ store: broken, now: () => now, name: 'x', ownKinds, log: (line) => lines.push(line) });
  await s.turn();
  await s.turn();
  expect(lines).toEqual(['tasks: gone for now']);
  expect(s.counts.failures).toBe(2);
});
