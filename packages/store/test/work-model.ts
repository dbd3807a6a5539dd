/**
 * Workers, clocks and limits by chance, against a model of who holds what. Run over one database: each world has meters of its own.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Channel, JobId, LeasedMeter, MeterId, RunId, Store } from '../src/index.ts';

const T0 = Date.parse('2026-11-20T12:00:00Z');
const SECOND = 1000;

export type Action =
  | { readonly do: 'run'; readonly priority: number; readonly meters: readonly number[]; readonly later: number }
  | { readonly do: 'lease'; readonly worker: number; readonly count: number; readonly hold: number }
  | { readonly do: 'finish'; readonly worker: number; readonly results: readonly ('done' | 'again' | 'failed')[] }
  | { readonly do: 'twice'; readonly worker: number }
  | { readonly do: 'stale'; readonly worker: number }
  | { readonly do: 'die'; readonly worker: number }
  | { readonly do: 'release'; readonly worker: number }
  | { readonly do: 'renew'; readonly worker: number; readonly hold: number }
  | { readonly do: 'clock'; readonly by: number }
  | { readonly do: 'pause' | 'resume' | 'cancel'; readonly run: number };

const worker = fc.integer({ min: 0, max: 3 });
export const actions = (meters: number): fc.Arbitrary<Action> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('run' as const),
        priority: fc.integer({ min: 0, max: 9 }),
        meters: fc.uniqueArray(fc.integer({ min: 0, max: meters - 1 }), { minLength: 1, maxLength: meters }),
        later: fc.constantFrom(0, 0, 0, 30 * SECOND),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('lease' as const),
        worker,
        count: fc.integer({ min: 1, max: 6 }),
        hold: fc.constantFrom(10 * SECOND, 60 * SECOND),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('finish' as const),
        worker,
        results: fc.array(fc.constantFrom('done' as const, 'done' as const, 'again' as const, 'failed' as const), {
          minLength: 1,
          maxLength: 8,
        }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('twice' as const), worker }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('stale' as const), worker }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const), worker }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), worker }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), worker, hold: fc.constant(60 * SECOND) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('clock' as const),
        by: fc.constantFrom(SECOND, 11 * SECOND, 61 * SECOND, 600 * SECOND, -20 * SECOND),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('pause' as const, 'resume' as const, 'cancel' as const),
        run: fc.nat(5),
      }),
    },
  );

interface ModelJob {
  readonly run: RunId;
  readonly meter: MeterId;
  state: string;
  priority: number;
  attempts: number;
  /** Not before; of a failed try only bounds are known, for its pause is spread by chance. */
  ready: number;
  /** Not later than that it must be had. */
  readyAtMost: number;
}

const TRIES = 3;
const PAUSE = 20 * SECOND;

/** Lives through the actions; after each the database must say what the model says. */
export async function live(
  store: Store,
  meters: readonly MeterId[],
  channelOf: (meter: MeterId) => string,
  channels: readonly Channel[],
  script: readonly Action[],
): Promise<void> {
  const { work } = store;
  let now = T0;
  const jobs = new Map<JobId, ModelJob>();
  const runs: { id: RunId; state: string }[] = [];
  /** Who holds a meter, since the last answer. */
  const held = new Map<MeterId, { worker: string; until: number; jobs: JobId[] }>();
  /** What each worker believes to have. */
  const hands: JobId[][] = [[], [], [], []];
  const told: JobId[][] = [[], [], [], []];
  /** A worker that died comes back under another name. */
  const lives = [0, 0, 0, 0];
  const nameOf = (w: number): string => `w${w}.${lives[w]}`;
  const meterOf = (job: JobId): MeterId => jobs.get(job)?.meter as MeterId;
  const runOf = (id: RunId) => runs.find((run) => run.id === id) as { id: RunId; state: string };
  const open = (job: ModelJob): boolean => job.state === 'waiting' || job.state === 'leased';

  /** Leases that ended, as the next one to ask finds them. */
  function lapse(): void {
    for (const [meter, hold] of held) {
      if (hold.until > now) continue;
      held.delete(meter);
      for (const id of hold.jobs) {
        const job = jobs.get(id) as ModelJob;
        if (job.state !== 'leased') continue;
        job.attempts++;
        job.state = job.attempts >= TRIES ? 'given-up' : 'waiting';
        job.ready = Math.min(job.ready, now);
        job.readyAtMost = Math.min(job.readyAtMost, now);
      }
    }
  }
  const mayBeReady = (job: ModelJob): boolean =>
    job.state === 'waiting' && runOf(job.run).state === 'running' && job.ready <= now;
  const mustBeReady = (job: ModelJob): boolean => mayBeReady(job) && job.readyAtMost <= now;

  function checkLease(name: string, count: number, leased: readonly LeasedMeter[]): void {
    expect(new Set(leased.map((m) => m.meter)).size).toBe(leased.length);
    expect(leased.length).toBeLessThanOrEqual(count);
    for (const { meter, jobs: given } of leased) {
      expect(held.get(meter), `${meter} is leased to two`).toBeUndefined();
      expect(given.length).toBeGreaterThan(0);
      for (const each of given) {
        const job = jobs.get(each.id) as ModelJob;
        expect(mayBeReady(job), `${each.id} is given out although it is ${job.state}`).toBe(true);
        expect([each.priority, each.attempts]).toEqual([job.priority, job.attempts]);
      }
      // All that is due for it, together.
      const ids = new Set(given.map((job) => job.id));
      for (const [id, job] of jobs)
        if (job.meter === meter && mustBeReady(job)) expect(ids, `${id} is left out`).toContain(id);
    }
    // Nobody with a better right is passed over, but for what limits forbid.
    const taken = new Set(leased.map((m) => m.meter));
    const use = new Map<string, number>();
    for (const meter of [...held.keys(), ...taken]) use.set(channelOf(meter), (use.get(channelOf(meter)) ?? 0) + 1);
    for (const { name: channel, most } of channels)
      if (most !== null) expect(use.get(channel) ?? 0, `${channel} is over its limit`).toBeLessThanOrEqual(most);
    const isFull = (channel: string): boolean => {
      const most = channels.find((c) => c.name === channel)?.most ?? null;
      return most !== null && (use.get(channel) ?? 0) >= most;
    };
    const best = (meter: MeterId, ready: (job: ModelJob) => boolean): number =>
      Math.max(-1, ...[...jobs.values()].filter((job) => job.meter === meter && ready(job)).map((job) => job.priority));
    for (const meter of meters) {
      if (taken.has(meter) || held.has(meter)) continue;
      const priority = best(meter, mustBeReady);
      if (priority < 0) continue;
      const channel = channelOf(meter);
      if (isFull(channel)) {
        // Of its own channel only those with the same right or a better one.
        for (const other of taken)
          if (channelOf(other) === channel) expect(best(other, mayBeReady)).toBeGreaterThanOrEqual(priority);
        continue;
      }
      expect(leased.length, `${meter} waits with ${priority} while ${name} asked for ${count}`).toBe(count);
      for (const other of taken)
        expect(best(other, mayBeReady), `${other} goes before ${meter}`).toBeGreaterThanOrEqual(priority);
    }
  }

  async function finish(
    w: number,
    ids: readonly JobId[],
    results: readonly ('done' | 'again' | 'failed')[],
  ): Promise<void> {
    const name = nameOf(w);
    const outcomes = ids.map((job, i) => ({
      job,
      result: results[i % results.length] as 'done',
      reason: 'by chance',
      stored: 2,
    }));
    const { refused } = await work.finish(name, outcomes, now);
    for (const { job: id, result } of outcomes as { job: JobId; result: string }[]) {
      const job = jobs.get(id) as ModelJob;
      const hold = held.get(job.meter);
      const mine = job.state === 'leased' && hold?.worker === name && hold.jobs.includes(id);
      if (!mine) {
        // Told before is no fault; lost is one.
        if (!told[w]?.includes(id)) expect(refused).toContain(id);
        continue;
      }
      expect(refused).not.toContain(id);
      told[w]?.push(id);
      job.attempts++;
      if (result !== 'again') job.state = result;
      else if (runOf(job.run).state === 'cancelled') job.state = 'cancelled';
      else if (job.attempts >= TRIES) job.state = 'given-up';
      else {
        job.state = 'waiting';
        job.priority = Math.max(0, job.priority - 1);
        const pause = PAUSE * 2 ** (job.attempts - 1);
        job.ready = now + pause * 0.9 - 1;
        job.readyAtMost = now + pause * 1.1 + 1;
      }
    }
    for (const [meter, hold] of held)
      if (hold.worker === name && hold.jobs.every((id) => jobs.get(id)?.state !== 'leased')) held.delete(meter);
  }

  for (const action of script) {
    switch (action.do) {
      case 'run': {
        const list = action.meters.map((i) => meters[i] as MeterId);
        const due = now + action.later;
        const run = await work.runs.create({
          what: 'task',
          kind: 'daily',
          name: 'chance',
          definition: {
            parameters: {},
            retry: { tries: TRIES, pause: PAUSE, factor: 2, longest: 1e9, jitter: 0.2, decay: 1 },
          },
          meters: list,
          priority: action.priority,
          due,
          expires: now + 1e9,
          created: now,
          creator: 'test',
          scope: null,
          transaction: '',
        });
        if (!run) throw new Error('no run');
        runs.push({ id: run.id, state: 'running' });
        for (const meter of list)
          jobs.set(`${run.id}-${meter}`, {
            run: run.id,
            meter,
            state: 'waiting',
            priority: action.priority,
            attempts: 0,
            ready: due,
            readyAtMost: due,
          });
        break;
      }
      case 'lease': {
        lapse();
        const name = nameOf(action.worker);
        const leased = await work.lease({ worker: name, count: action.count, now, hold: action.hold });
        checkLease(name, action.count, leased);
        for (const { meter, jobs: given, until } of leased) {
          held.set(meter, { worker: name, until, jobs: given.map((job) => job.id) });
          for (const { id } of given) (jobs.get(id) as ModelJob).state = 'leased';
          hands[action.worker]?.push(...given.map((job) => job.id));
          told[action.worker] = (told[action.worker] as JobId[]).filter((id) => !given.some((job) => job.id === id));
        }
        break;
      }
      case 'finish': {
        const mine = hands[action.worker] as JobId[];
        await finish(action.worker, mine.splice(0, action.results.length), action.results);
        break;
      }
      case 'twice':
        await finish(action.worker, (told[action.worker] as JobId[]).slice(0, 3), ['done']);
        break;
      case 'stale': {
        // Somebody tells of jobs that another one holds.
        const other = [...held.values()].find((hold) => hold.worker !== nameOf(action.worker));
        const ids = (other?.jobs ?? []).filter((id) => !told[action.worker]?.includes(id));
        if (ids.length > 0) await finish(action.worker, ids, ['done']);
        break;
      }
      case 'die':
        hands[action.worker] = [];
        told[action.worker] = [];
        (lives as number[])[action.worker]! += 1;
        break;
      case 'release': {
        const name = nameOf(action.worker);
        await work.release(name);
        for (const [meter, hold] of held)
          if (hold.worker === name) {
            held.delete(meter);
            for (const id of hold.jobs) {
              const job = jobs.get(id) as ModelJob;
              if (job.state === 'leased') job.state = 'waiting';
            }
          }
        hands[action.worker] = [];
        break;
      }
      case 'renew': {
        const name = nameOf(action.worker);
        const ids = hands[action.worker] as JobId[];
        await work.renew(name, ids, now + action.hold);
        for (const meter of new Set(ids.map(meterOf))) {
          const hold = held.get(meter);
          if (hold?.worker === name) hold.until = now + action.hold;
        }
        break;
      }
      case 'clock':
        now += action.by;
        break;
      default: {
        const run = runs[action.run % Math.max(1, runs.length)];
        if (!run) break;
        const from = action.do === 'resume' ? 'paused' : action.do === 'pause' ? 'running' : run.state;
        if (run.state !== from || run.state === 'cancelled') break;
        const to = action.do === 'resume' ? 'running' : action.do === 'pause' ? 'paused' : 'cancelled';
        await work.runs.change(run.id, [from as 'running'], to, now);
        run.state = to;
        if (to === 'cancelled')
          for (const job of jobs.values()) if (job.run === run.id && job.state === 'waiting') job.state = 'cancelled';
      }
    }
  }

  // Nothing is lost: with time and one worker all of it ends.
  for (const run of runs)
    if (run.state === 'paused') {
      await work.runs.change(run.id, ['paused'], 'running', now);
      run.state = 'running';
    }
  for (let turns = 0; [...jobs.values()].some(open) && turns < 200; turns++) {
    now += 120 * SECOND;
    lapse();
    const leased = await work.lease({ worker: 'last', count: 50, now, hold: 60 * SECOND });
    checkLease('last', 50, leased);
    for (const { meter, jobs: given } of leased)
      for (const { id } of given) {
        expect(jobs.get(id)?.state, `${id} of ${meter}`).toBe('waiting');
        (jobs.get(id) as ModelJob).state = 'done';
      }
    const outcomes = leased.flatMap((m) => m.jobs.map((job) => ({ job: job.id, result: 'done' as const })));
    expect((await work.finish('last', outcomes, now)).refused).toEqual([]);
  }
  for (const run of runs) {
    const rows = await work.runs.jobs(run.id, { limit: 1000, scope: 'all' });
    const mine = [...jobs.values()].filter((job) => job.run === run.id);
    expect(rows.map((row) => [row.meter, row.state]).sort()).toEqual(mine.map((job) => [job.meter, job.state]).sort());
    const counts = (await work.runs.get(run.id))?.counts;
    const count = (state: string): number => mine.filter((job) => job.state === state).length;
    expect(counts).toMatchObject({
      total: mine.length,
      done: count('done'),
      failed: count('failed'),
      givenUp: count('given-up'),
      cancelled: count('cancelled'),
      expired: 0,
    });
  }
}
