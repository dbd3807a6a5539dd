/**
 * Results of many meters, written together: profiles in bulk, events and registers with them, then how each reading went, and
 * only when all of that is durable the outcomes of the jobs.
 *
 * Decides: what is written before what, so that a worker that ends anywhere loses nothing (its lease ends, and everything is
 * written again to the same effect); that a database which is away is waited for, and how much may wait; that one meter whose
 * data the store refuses spoils nobody else's. Leaves out: what the results are.
 */
import type { Message } from '@amiable/model';
import {
  type CounterRequest,
  type JobOutcome,
  type MeterId,
  type NewEvent,
  type SeriesData,
  type StateChange,
  type Store,
  StoreUnavailable,
} from '@amiable/store';
import type { GivenUp } from './read-one.ts';

export interface MeterResult {
  readonly meter: MeterId;
  readonly series: readonly SeriesData[];
  readonly events: readonly NewEvent[];
  readonly messages: readonly Message[];
  readonly state: StateChange | undefined;
  readonly outcomes: readonly JobOutcome[];
  readonly givenUp?: readonly GivenUp[];
  readonly peer?: Omit<CounterRequest, 'count'> & { readonly peer: number };
  /** Called once all of it is durable, or with why it will never be. */
  readonly written: (error?: Error) => void;
}

export interface GatherCounts {
  meters: number;
  values: number;
  blocks: number;
  events: number;
  messages: number;
  batches: number;
  /** Writes that had to be done again because the database was away. */
  retries: number;
  /** Outcomes of jobs that another worker held by then. */
  refused: number;
  /** ms spent writing. */
  writing: number;
}

export interface GatherOptions {
  readonly store: Pick<Store, 'writeBlocks' | 'completeness' | 'events' | 'ingest' | 'readout' | 'work'>;
  readonly worker: string;
  readonly now: () => number;
  readonly after: (ms: number, fn: () => void) => () => void;
  /** Meters that are written together at least, unless they have waited `pause` ms. */
  readonly batch: number;
  readonly pause: number;
  readonly log: (line: string) => void;
  readonly elapsed: () => number;
}

export interface Gather {
  add(result: MeterResult): void;
  /** Meters whose results are not durable yet. */
  readonly waiting: number;
  readonly counts: Readonly<GatherCounts>;
  /** Resolves when everything that was added is durable, or `stop` was called. */
  idle(): Promise<void>;
  /** Gives up what is not durable: leases end, others read it again. */
  stop(): void;
}

/** Meters in one write at most. */
const MOST = 2000;
/** Stretches that are given up with one write. */
const GIVE_UP = 10;
const LONGEST_PAUSE = 10_000;

export function createGather(options: GatherOptions): Gather {
  const { store, worker, now, after, batch, pause, log, elapsed } = options;
  const counts: GatherCounts = {
    meters: 0,
    values: 0,
    blocks: 0,
    events: 0,
    messages: 0,
    batches: 0,
    retries: 0,
    refused: 0,
    writing: 0,
  };
  let waiting: MeterResult[] = [];
  let flying = 0;
  let stopped = false;
  let cancel: (() => void) | undefined;
  let idlers: (() => void)[] = [];

  function settle(): void {
    if (!stopped && (waiting.length > 0 || flying > 0)) return;
    const done = idlers;
    idlers = [];
    for (const tell of done) tell();
  }

  function consider(): void {
    if (stopped || flying > 0 || waiting.length === 0) return;
    if (waiting.length >= batch) {
      cancel?.();
      cancel = undefined;
      void flush();
    } else cancel ??= after(pause, due);
  }

  function due(): void {
    cancel = undefined;
    if (!stopped && flying === 0 && waiting.length > 0) void flush();
  }

  async function flush(): Promise<void> {
    const some = waiting.slice(0, MOST);
    waiting = waiting.slice(some.length);
    flying = some.length;
    const began = elapsed();
    try {
      await persist(some);
    } finally {
      counts.writing += elapsed() - began;
      flying = 0;
      settle();
      consider();
    }
  }

  /** Until it is durable, or the worker stops. Results that the store refuses for what is in them are told one by one. */
  async function persist(some: readonly MeterResult[]): Promise<void> {
    for (let attempt = 0; !stopped; attempt++) {
      try {
        await write(some);
        counts.batches++;
        for (const result of some) result.written();
        return;
      } catch (error) {
        if (stopped) return;
        if (error instanceof StoreUnavailable) {
          counts.retries++;
          if (attempt === 0) log(`${error.message}; ${some.length} meters' results wait for it`);
          await new Promise<void>((go) => after(Math.min(LONGEST_PAUSE, 200 * 2 ** Math.min(attempt, 10)), go));
        } else if (some.length > 1) {
          const half = some.length >> 1;
          await persist(some.slice(0, half));
          await persist(some.slice(half));
          return;
        } else {
          await refuse(some[0] as MeterResult, error as Error);
          return;
        }
      }
    }
  }

  async function write(some: readonly MeterResult[]): Promise<void> {
    const series = some.flatMap((r) => r.series);
    const events = some.flatMap((r) => r.events);
    const messages = some.flatMap((r) => r.messages);
    const states = some.flatMap((r) => (r.state ? [r.state] : []));
    const peers = some.flatMap((r) => (r.peer ? [r.peer] : []));
    if (series.length > 0) {
      const written = await store.writeBlocks(series, { source: 'acquisition' });
      counts.values += written.values;
      counts.blocks += written.inserted + written.changed;
    }
    if (events.length > 0) counts.events += (await store.events.write(events, now())).inserted;
    if (messages.length > 0) counts.messages += (await store.ingest(messages)).accepted;
    if (states.length > 0) await store.readout.writeStates(states);
    if (peers.length > 0) await store.readout.notePeers(peers);
    // Each costs several questions: a few at a time, the others when they are asked for again.
    const lost = some.flatMap((r) => r.givenUp ?? []).slice(0, GIVE_UP);
    for (const { meter, profile, from, to, reason } of lost)
      await store.completeness.giveUp(meter, profile, from, to, reason, now());
    const { refused } = await store.work.finish(
      worker,
      some.flatMap((r) => r.outcomes),
      now(),
    );
    counts.refused += refused.length;
    counts.meters += some.length;
  }

  async function refuse(result: MeterResult, error: Error): Promise<void> {
    log(`meter ${result.meter}: what it gave cannot be stored: ${error.message}`);
    // Where not even that can be written its lease ends.
    if (result.series.length + result.events.length + result.messages.length === 0 && !result.state) {
      result.written(error);
      return;
    }
    const outcomes = result.outcomes.map(
      ({ job }): JobOutcome => ({
        job,
        result: 'failed',
        reason: `what the meter gave cannot be stored: ${error.message}`,
      }),
    );
    await persist([
      { meter: result.meter, series: [], events: [], messages: [], state: undefined, outcomes, written: () => {} },
    ]).catch(() => {});
    result.written(error);
  }

  return {
    counts,
    get waiting() {
      return waiting.length + flying;
    },
    add(result) {
      waiting.push(result);
      consider();
    },
    async idle() {
      if (stopped || (waiting.length === 0 && flying === 0)) return;
      await new Promise<void>((tell) => idlers.push(tell));
    },
    stop() {
      stopped = true;
      cancel?.();
      waiting = [];
      settle();
    },
  };
}
