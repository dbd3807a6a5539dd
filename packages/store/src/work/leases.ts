/**
 * The worker's side of the queue: meters are leased with all that is due for them, and outcomes taken.
 *
 * Decides: who gets what. Best priority first, no more than limits allow, only inside windows, never two workers at one meter. Where limits
 * hold or there are several lanes, workers take turns at choosing (an advisory lock) so that the counts are true; otherwise they pass each
 * other by (SKIP LOCKED). Leaves out: what makes runs and jobs (runs.ts), what is done with a meter.
 */
import { DEFAULT_RETRY, isOpen, nextOpen, nextTry, type RetryRule, type TimeWindow } from '@amiable/tasks';
import type { Client, Database } from '../pg/database.ts';
import type { MeterId } from '../types.ts';
import { COUNTED, createTallies, iso, lease as query, settleMeters } from './queue.ts';
import type {
  Job,
  JobId,
  JobOutcome,
  JobState,
  LeasedMeter,
  LeaseOptions,
  ReadKind,
  RunId,
  WorkLeases,
} from './types.ts';

/** So often a lease looks further when what it found could not be done now. */
const ROUNDS = 12;
const MAX_METERS = 5000;
const MAX_REASON = 500;

export interface WorkerCounts {
  leases: number;
  meters: number;
  jobs: number;
  /** Times it got nothing. */
  empty: number;
  /** Times it had to wait for another or found meters locked. */
  conflicts: number;
  /** Microseconds it waited for others. */
  waited: number;
  /** Transactions done again. */
  retries: number;
  finished: number;
  refused: number;
  /** Leases it let end. */
  lost: number;
}

export interface LeaseParts {
  readonly db: Database;
  /** 0 to before 1. */
  readonly random?: () => number;
  /** A clock for measuring waits, ms; it may be any. */
  readonly elapsed?: () => number;
}

export interface Leases extends WorkLeases {
  /** What was counted and not yet written, by worker. */
  readonly pending: ReadonlyMap<string, WorkerCounts>;
  flush(now: number): Promise<void>;
}

interface Windows {
  readonly windows: readonly TimeWindow[] | null;
  readonly time_zone: string | null;
}

export interface Rule extends Windows {
  readonly id: RunId;
  readonly state: string;
  readonly due: number;
  readonly expires: number;
  readonly retry: Partial<RetryRule> | null;
}

interface Lane {
  readonly id: number;
  readonly channel: string;
  readonly concentrator: string;
  readonly network: string;
}

interface Limit extends Windows {
  readonly kind: 'channel' | 'concentrator' | 'network';
  readonly name: string;
  readonly most: number | null;
}

const KINDS = ['channel', 'concentrator', 'network'] as const;

export const jobId = (run: RunId, meter: MeterId): JobId => `${run}-${meter}`;
const JOB_ID = /^(\d{1,18})-(\d{1,18})$/;
export function splitJobId(id: JobId): { run: RunId; meter: MeterId } | undefined {
  const found = JOB_ID.exec(id);
  return found ? { run: found[1] as string, meter: found[2] as string } : undefined;
}

const none = (): WorkerCounts => ({
  leases: 0,
  meters: 0,
  jobs: 0,
  empty: 0,
  conflicts: 0,
  waited: 0,
  retries: 0,
  finished: 0,
  refused: 0,
  lost: 0,
});

const opening = (rule: Windows, now: number): number | undefined =>
  nextOpen(rule.windows ?? [], rule.time_zone ?? 'UTC', now);

export function createLeases({ db, random = Math.random, elapsed = () => performance.now() }: LeaseParts): Leases {
  const counts = new Map<string, WorkerCounts>();
  const flushed = new Map<string, number>();
  const of = (worker: string): WorkerCounts => {
    let found = counts.get(worker);
    if (!found) {
      found = none();
      counts.set(worker, found);
    }
    return found;
  };

  /** A transaction whose repetitions are counted. */
  async function counted<T>(worker: string, work: (client: Client) => Promise<T>): Promise<T> {
    let tries = 0;
    return db.write((client) => {
      if (tries++ > 0) of(worker).retries++;
      return work(client);
    });
  }

  async function writeCounts(client: Client, worker: string, now: number): Promise<void> {
    const c = of(worker);
    counts.delete(worker);
    flushed.set(worker, elapsed());
    if (flushed.size > 1000) flushed.clear();
    const values = [c.leases, c.meters, c.jobs, c.empty, c.conflicts, Math.round(c.waited), c.retries, c.finished];
    await query(client, 'countWorker', [worker, iso(now), ...values, c.refused, c.lost]);
  }

  /** Counting is worth a write of its own once in a second. */
  async function countNowAndThen(worker: string, now: number): Promise<void> {
    if (elapsed() - (flushed.get(worker) ?? Number.NEGATIVE_INFINITY) < 1000) return;
    await db.write((client) => writeCounts(client, worker, now));
  }

  /** Leases that ended are nobody's; jobs whose pause is over wait again. */
  async function wake(client: Client, now: number): Promise<void> {
    const at = iso(now);
    const ended = await query<{ meter: MeterId; worker: string }>(client, 'ended', [at]);
    if (ended.length > 0) {
      for (const { worker } of ended) of(worker).lost++;
      const meters = ended.map((row) => row.meter);
      const lost = await query<LostJob>(client, 'lose', [meters, at]);
      await giveUpLost(client, lost, now);
      await settleMeters(client, meters, now);
    }
    const waking = await query<{ meter: MeterId }>(client, 'waking', [at]);
    if (waking.length > 0) await query(client, 'recompute', [waking.map((row) => row.meter), at]);
  }

  /** A meter at which workers die must not be tried for ever. */
  async function giveUpLost(client: Client, lost: readonly LostJob[], now: number): Promise<void> {
    if (lost.length === 0) return;
    const rules = await rulesOf(client, new Set(lost.map((job) => job.run)));
    const over = lost.filter((job) => job.attempts >= { ...DEFAULT_RETRY, ...rules.get(job.run)?.retry }.tries);
    if (over.length === 0) return;
    const tallies = createTallies();
    for (const job of over) tallies.of(job.run).givenUp++;
    await query(client, 'settle', [
      over.map((job) => job.run),
      over.map((job) => job.meter),
      over.map(() => 'given-up'),
      over.map((job) => job.attempts),
      over.map((job) => job.priority),
      over.map(() => null),
      over.map(() => 0),
      iso(now),
      over.map(() => 'workers were lost at it again and again'),
    ]);
    await tallies.write(client);
  }

  async function rulesOf(client: Client, runs: ReadonlySet<RunId>): Promise<Map<RunId, Rule>> {
    const rows = await query<Rule>(client, 'rules', [[...runs]]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** How many more meters may be leased through what a meter is reached by. */
  async function openWays(client: Client, options: LeaseOptions) {
    const lanes = await query<Lane>(client, 'lanes');
    const limits = await query<Limit>(client, 'limits');
    const limitOf = new Map(limits.map((limit) => [`${limit.kind}/${limit.name}`, limit]));
    const find = (kind: Limit['kind'], name: string): Limit | undefined =>
      name === '' ? undefined : (limitOf.get(`${kind}/${name}`) ?? limitOf.get(`${kind}/*`));
    const open = lanes.filter((lane) =>
      KINDS.every((kind) => {
        const limit = find(kind, lane[kind]);
        return limit === undefined || isOpen(limit.windows ?? [], limit.time_zone ?? 'UTC', options.now);
      }),
    );
    const limited = limits.some((limit) => limit.most !== null);
    if (lanes.length > 1 || limited) await takeTurn(client, options.worker);
    const free = new Map<string, number>();
    const keysOf = (lane: Lane): string[] =>
      KINDS.flatMap((kind) => ((find(kind, lane[kind])?.most ?? null) === null ? [] : [`${kind}/${lane[kind]}`]));
    const keys = new Map(lanes.map((lane) => [lane.id, keysOf(lane)]));
    if (limited) {
      for (const lane of lanes)
        for (const kind of KINDS) {
          const most = find(kind, lane[kind])?.most ?? null;
          if (most !== null) free.set(`${kind}/${lane[kind]}`, most);
        }
      for (const { lane, n } of await query<{ lane: number; n: number }>(client, 'inUse', [iso(options.now)]))
        for (const key of keys.get(lane) ?? []) free.set(key, (free.get(key) as number) - n);
    }
    return {
      open,
      cap(lane: Lane, count: number): number {
        let cap = count;
        for (const key of keys.get(lane.id) ?? []) cap = Math.min(cap, free.get(key) as number);
        return cap;
      },
      /** Takes one place in all that limits this lane; false when there is none. */
      take(lane: number): boolean {
        const mine = keys.get(lane) ?? [];
        if (mine.some((key) => (free.get(key) as number) <= 0)) return false;
        for (const key of mine) free.set(key, (free.get(key) as number) - 1);
        return true;
      },
      give(lane: number): void {
        for (const key of keys.get(lane) ?? []) free.set(key, (free.get(key) as number) + 1);
      },
    };
  }

  async function takeTurn(client: Client, worker: string): Promise<void> {
    const [first] = await query<{ got: boolean }>(client, 'tryLock');
    if (first?.got) return;
    const count = of(worker);
    count.conflicts++;
    const since = elapsed();
    await query(client, 'lock');
    count.waited += (elapsed() - since) * 1000;
  }

  /** Runs outside of their windows, with the next opening (undefined: never). */
  async function closedRuns(client: Client, now: number): Promise<Map<RunId, number | undefined>> {
    const closed = new Map<RunId, number | undefined>();
    for (const row of await query<Windows & { id: RunId }>(client, 'windowed'))
      if (!isOpen(row.windows ?? [], row.time_zone ?? 'UTC', now)) closed.set(row.id, opening(row, now));
    return closed;
  }

  async function leaseWithin(client: Client, options: LeaseOptions): Promise<LeasedMeter[]> {
    const { worker, now } = options;
    const count = Math.min(options.count, MAX_METERS);
    const at = iso(now);
    const until = now + options.hold;
    await query(client, 'quick');
    await wake(client, now);
    const ways = await openWays(client, options);
    const closed = await closedRuns(client, now);
    const found = new Map<MeterId, { run: RunId; priority: number; attempts: number }[]>();
    const runIds = new Set<RunId>();
    for (let round = 0; round < ROUNDS && found.size < count; round++) {
      const wanted = count - found.size;
      const lanes = ways.open.map((lane) => [lane.id, ways.cap(lane, wanted)] as const).filter(([, cap]) => cap > 0);
      if (lanes.length === 0) break;
      const ids = lanes.map(([id]) => id);
      const rows = await query<{ meter: MeterId; lane: number }>(client, 'candidates', [
        ids,
        lanes.map(([, cap]) => cap),
        at,
        wanted,
      ]);
      if (rows.length < wanted && lanes.length === 1) {
        // Nothing was left but what others have locked at this moment.
        const [left] = await query<{ some: boolean }>(client, 'anyQueued', [ids, at]);
        if (left?.some && rows.length === 0) of(worker).conflicts++;
      }
      if (rows.length === 0) break;
      const chosen = rows.filter((row) => ways.take(row.lane));
      const meters = chosen.map((row) => row.meter);
      await query(client, 'hold', [meters, worker, iso(until)]);
      const jobs = await query<{ run: RunId; meter: MeterId; priority: number; attempts: number }>(client, 'take', [
        meters,
        worker,
        at,
        [...closed.keys()],
      ]);
      const byMeter = new Map<MeterId, typeof jobs>();
      for (const job of jobs) {
        runIds.add(job.run);
        const list = byMeter.get(job.meter);
        if (list) list.push(job);
        else byMeter.set(job.meter, [job]);
      }
      // In the order of the queue: the first is the most urgent.
      const idle: MeterId[] = [];
      for (const { meter, lane } of chosen) {
        const list = byMeter.get(meter);
        if (list) found.set(meter, list);
        else {
          idle.push(meter);
          ways.give(lane);
        }
      }
      if (idle.length > 0) await putAside(client, idle, closed, now);
    }
    const runs = new Map(
      (runIds.size === 0 ? [] : await query<RunRow>(client, 'runs', [[...runIds]])).map((row) => [row.id, row]),
    );
    const leased: LeasedMeter[] = [];
    for (const [meter, list] of found)
      leased.push({ meter, until, jobs: list.map((job) => toJob(runs.get(job.run) as RunRow, meter, job)) });
    return leased;
  }

  /** Meters whose jobs cannot be done now after all: their window is closed, their time is over, their run is paused. */
  async function putAside(
    client: Client,
    meters: readonly MeterId[],
    closed: ReadonlyMap<RunId, number | undefined>,
    now: number,
  ): Promise<void> {
    const tallies = createTallies();
    for (const { run } of await query<{ run: RunId }>(client, 'expireJobs', [meters, iso(now)]))
      tallies.of(run).expired++;
    for (const [run, at] of closed)
      await query(client, 'deferJobs', [meters, run, at === undefined ? 'infinity' : iso(at)]);
    await settleMeters(client, meters, now);
    await tallies.write(client);
  }

  async function finishWithin(
    client: Client,
    worker: string,
    outcomes: readonly JobOutcome[],
    now: number,
  ): Promise<{ refused: JobId[]; taken: number }> {
    const told = new Map<JobId, JobOutcome>();
    const refused: JobId[] = [];
    const runs: RunId[] = [];
    const of: MeterId[] = [];
    for (const outcome of outcomes) {
      const key = splitJobId(outcome.job);
      if (!key) refused.push(outcome.job);
      else if (!told.has(outcome.job)) {
        told.set(outcome.job, outcome);
        runs.push(key.run);
        of.push(key.meter);
      }
    }
    const meters = [...new Set(of)];
    await query(client, 'lockMeters', [meters]);
    const jobs = await query<JobRow>(client, 'jobsOf', [runs, of]);
    const rules = await rulesOf(client, new Set(runs));
    const seen = new Set<JobId>();
    const tallies = createTallies();
    const columns: [
      RunId[],
      MeterId[],
      JobState[],
      number[],
      number[],
      (string | null)[],
      number[],
      (string | null)[],
    ] = [[], [], [], [], [], [], [], []];
    for (const job of jobs) {
      const id = jobId(job.run, job.meter);
      seen.add(id);
      if (job.worker !== worker) refused.push(id);
      // Told before: the answer to it was lost.
      if (job.worker !== worker || job.state !== 'leased') continue;
      const outcome = told.get(id) as JobOutcome;
      const next = settled(job, outcome, rules.get(job.run) as Rule, now, random());
      const tally = tallies.of(job.run);
      tally.tries++;
      tally.stored += outcome.stored ?? 0;
      if (next.state !== 'waiting' && next.state !== 'leased') tally[COUNTED[next.state]]++;
      const row = [
        job.run,
        job.meter,
        next.state,
        Math.min(job.attempts + 1, 32_000),
        next.priority,
        next.ready === undefined ? null : iso(next.ready),
        Math.min(outcome.stored ?? 0, 2_000_000_000),
        outcome.result === 'done' ? null : (outcome.reason ?? 'no reason was given').slice(0, MAX_REASON),
      ] as const;
      for (let c = 0; c < columns.length; c++) (columns[c] as unknown[]).push(row[c]);
    }
    for (const id of told.keys()) if (!seen.has(id)) refused.push(id);
    if (columns[0].length > 0) {
      const [run, meter, state, attempts, priority, ready, stored, reason] = columns;
      await query(client, 'settle', [run, meter, state, attempts, priority, ready, stored, iso(now), reason]);
      await settleMeters(client, [...new Set(meter)], now);
      await tallies.write(client);
    }
    return { refused, taken: columns[0].length };
  }

  return {
    pending: counts,
    async lease(options) {
      const leased = await counted(options.worker, (client) => leaseWithin(client, options));
      const count = of(options.worker);
      count.leases++;
      count.meters += leased.length;
      if (leased.length === 0) count.empty++;
      for (const meter of leased) count.jobs += meter.jobs.length;
      await countNowAndThen(options.worker, options.now);
      return leased;
    },
    async renew(worker, jobs, until) {
      const meters = [...new Set(jobs.flatMap((job) => splitJobId(job)?.meter ?? []))].sort();
      if (meters.length > 0) await counted(worker, (client) => query(client, 'renew', [meters, worker, iso(until)]));
    },
    async finish(worker, outcomes, now) {
      if (outcomes.length === 0) return { refused: [] };
      const { refused, taken } = await counted(worker, (client) => finishWithin(client, worker, outcomes, now));
      const count = of(worker);
      count.finished += taken;
      count.refused += refused.length;
      return { refused };
    },
    async release(worker) {
      await counted(worker, async (client) => {
        const held = await query<{ meter: MeterId }>(client, 'heldBy', [worker]);
        const meters = held.map((row) => row.meter);
        if (meters.length === 0) return;
        await query(client, 'giveBack', [meters, worker]);
        await query(client, 'free', [meters]);
      });
    },
    async flush(now) {
      for (const worker of [...counts.keys()]) await db.write((client) => writeCounts(client, worker, now));
    },
  };
}

interface LostJob {
  readonly run: RunId;
  readonly meter: MeterId;
  readonly attempts: number;
  readonly priority: number;
}

interface JobRow extends LostJob {
  readonly state: JobState;
  readonly worker: string | null;
}

interface RunRow {
  readonly id: RunId;
  readonly kind: ReadKind;
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly due: number;
  readonly expires: number;
  readonly transaction: string;
}

function toJob(run: RunRow, meter: MeterId, job: { priority: number; attempts: number }): Job {
  return {
    id: jobId(run.id, meter),
    run: run.id,
    kind: run.kind,
    parameters: run.parameters ?? {},
    priority: job.priority,
    attempts: job.attempts,
    due: run.due,
    expires: run.expires,
    transaction: run.transaction,
  };
}

/** What a job is after an outcome. */
function settled(
  job: LostJob,
  outcome: JobOutcome,
  rule: Rule,
  now: number,
  random: number,
): { state: JobState; priority: number; ready?: number } {
  const { priority } = job;
  if (outcome.result !== 'again') return { state: outcome.result, priority };
  if (rule.state === 'cancelled') return { state: 'cancelled', priority };
  const { due, expires } = rule;
  const next = nextTry(
    { ...DEFAULT_RETRY, ...rule.retry },
    { tries: job.attempts + 1, priority, due, expires, now, random },
  );
  if (!next.again) return { state: next.why === 'time' && now >= expires ? 'expired' : 'given-up', priority };
  const ready = opening(rule, next.at);
  if (ready === undefined || ready >= expires) return { state: 'given-up', priority };
  return { state: 'waiting', priority: next.priority, ready };
}
