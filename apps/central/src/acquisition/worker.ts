/**
 * The worker role: leases meters with all that is due for them, reads each in one association, and writes what came together
 * (AMI system description §5.2).
 *
 * Decides: how many meters are read at once and when more are leased; that nothing more is begun while the database does not keep up;
 * that leases are renewed while their meters are read. A worker that ends anywhere loses nothing: its leases end, and what is
 * read again is written to the same effect. Leaves out: what is due (tasks), what a meter says (package meter).
 */
import { MisuseError } from '@amiable/bytes';
import { quantityOf } from '@amiable/cosem';
import { type Clock, type Link, systemClock } from '@amiable/io';
import {
  type AcquireResult,
  createShapeMemory,
  notOpened,
  type OpenMeter,
  openDlms,
  openIec,
  type SessionLink,
} from '@amiable/meter';
import type { MetricSource } from '@amiable/model';
import {
  type Connection,
  type CounterGrant,
  type Job,
  type Journal,
  type LeasedMeter,
  type MeterId,
  type MissingQuery,
  periodOf,
  type ReadoutSet,
  type ReadTarget,
  type RegisterKey,
  type Store,
  type TransactionState,
} from '@amiable/store';
import { connectTo } from '../channels/lines.ts';
import type { Vault } from '../keys/vault.ts';
import { type AccessParts, accessOf, COUNTERS, counterKey, openSecrets, type Secrets } from './access.ts';
import { logOf } from './entries.ts';
import { createGather, type Gather, type GatherCounts } from './gather.ts';
import { type MeterPlan, planOf, type Wants, wantsOf } from './plan.ts';
import { createPool, type Pool, type PoolCounts, type PooledLink } from './pool.ts';
import { clockEvents, collector, givenUpOf, outcomesOf, type ReadTask, stateOf, summary } from './read-one.ts';

export interface WorkerOptions {
  readonly store: Store;
  readonly vault: Vault;
  /** The store's own unless given. */
  readonly journal?: Journal;
  /** Name of this worker: unique among those that run. */
  readonly name: string;
  /** Epoch ms; simulated when the street is. */
  readonly now?: () => number;
  /** Timers, in real time. */
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
  /** Meters that are read at once; 200 unless said. */
  readonly sessions?: number;
  /** Connections to one address at once; 4 unless said. */
  readonly perAddress?: number;
  /** ms between two questions for work when there was none; 1,000 unless said. */
  readonly poll?: number;
  /** ms that a lease holds; renewed meanwhile. 120,000 unless said. */
  readonly hold?: number;
  /** Meters that are written together at least, and ms that fewer wait for more; 400 and 250 unless said. */
  readonly batch?: number;
  readonly pause?: number;
  /** Meters whose results may wait for the database before no more are begun; 4,000 unless said. */
  readonly backlog?: number;
  /** Links to `tcp:` and `tls:` addresses; the machine's own unless given. */
  readonly connect?: (address: string) => Link;
  /** Links to meters that are reached otherwise (`modem:`, `via:`), and with what connection then. */
  readonly lines?: LineFinder;
}

export type LineFinder = (
  connection: Connection,
) => Promise<{ readonly connection: Connection; readonly link: SessionLink }>;

export interface WorkerCounts extends GatherCounts {
  leases: number;
  /** Leases that brought nothing. */
  empty: number;
  leased: number;
  reading: number;
  read: number;
  /** Readings by how they went. */
  readonly outcomes: Record<AcquireResult['outcome'], number>;
  requests: number;
  /** ms in which nothing was leased because results waited for the database. */
  held: number;
  readonly connections: PoolCounts;
}

export interface Worker {
  /** Ends what is being read, writes what was read, gives back the rest. */
  stop(): Promise<void>;
  readonly counters: WorkerCounts;
  readonly metrics: MetricSource;
}

const SETS_HOLD = 10_000;
/** Empty stretches that are remembered. */
const EMPTY = 100_000;

const emptyKey = (meter: MeterId, profile: string, to: number): string => `${meter} ${profile} ${to}`;

export function startWorker(options: WorkerOptions): Worker {
  const worker = new AcquisitionWorker(options);
  worker.run();
  return worker;
}

class AcquisitionWorker implements Worker {
  readonly #options: WorkerOptions;
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #log: (line: string) => void;
  readonly #sessions: number;
  readonly #hold: number;
  readonly #backlog: number;
  readonly #pool: Pool;
  readonly #gather: Gather;
  readonly #parts: AccessParts;
  /** Leased meters whose outcomes are not durable yet: their leases are renewed. */
  readonly #held = new Map<MeterId, readonly Job[]>();
  /** Of these, those that are being read or wait for a line. */
  #reading = 0;
  readonly #open = new Set<OpenMeter>();
  readonly #own = {
    leases: 0,
    empty: 0,
    leased: 0,
    read: 0,
    requests: 0,
    held: 0,
    outcomes: { done: 0, partial: 0, failed: 0, unreachable: 0, refused: 0, stranger: 0 },
  };
  readonly #registers = new Map<string, RegisterKey>();
  /**
   * Stretches that were found empty (meter, profile, end). The store remembers them of days on which values are expected; of days before a
   * meter was installed it does not, and they would be asked for every night.
   */
  readonly #empty = new Set<string>();
  #sets: { readonly at: number; readonly sets: ReadonlyMap<string, ReadoutSet> } | undefined;
  #stopping = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #cancelRenewal: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    const { store, clock = systemClock, now = clock.now, log = () => {}, batch = 400, pause = 250 } = options;
    this.#options = options;
    this.#store = store;
    this.#journal = options.journal ?? store.journal;
    this.#clock = clock;
    this.#now = now;
    this.#log = log;
    this.#sessions = options.sessions ?? 200;
    this.#hold = options.hold ?? 120_000;
    this.#backlog = options.backlog ?? 4000;
    const { after } = clock;
    this.#pool = createPool({
      connect: options.connect ?? connectTo,
      perAddress: options.perAddress ?? 4,
      linger: 1000,
      after,
    });
    this.#gather = createGather({
      store,
      worker: options.name,
      now,
      after,
      batch,
      pause,
      log,
      elapsed: () => performance.now(),
    });
    this.#parts = { clock, now, shapes: createShapeMemory(), readout: store.readout };
  }

  get counters(): WorkerCounts {
    return { ...this.#own, ...this.#gather.counts, reading: this.#reading, connections: this.#pool.counts };
  }

  readonly metrics: MetricSource = (add) => {
    const c = this.counters;
    const worker = this.#options.name;
    const count = (name: string, help: string, value: number, labels = {}): void =>
      add(`amiable_acquisition_${name}`, 'counter', help, value, { worker, ...labels });
    add('amiable_acquisition_reading', 'gauge', 'Meters that are being read', c.reading, { worker });
    add('amiable_acquisition_waiting', 'gauge', 'Meters whose results are not durable yet', this.#gather.waiting, {
      worker,
    });
    add('amiable_acquisition_connections', 'gauge', 'Connections that stand', c.connections.open, { worker });
    for (const [outcome, n] of Object.entries(c.outcomes))
      count('readings_total', 'Readings of meters by outcome', n, { outcome });
    count('requests_total', 'Requests to meters', c.requests);
    count('connections_total', 'Connections opened', c.connections.opened);
    count('connections_reused_total', 'Readings on a connection that stood', c.connections.reused);
    count('values_total', 'Values written', c.values);
    count('events_total', 'New events written', c.events);
    count('batches_total', 'Writes of results', c.batches);
    count('write_retries_total', 'Writes done again because the database was away', c.retries);
    count('writing_seconds_total', 'Time spent writing', c.writing / 1000);
    count('held_seconds_total', 'Time in which nothing was begun because results waited', c.held / 1000);
    count('leases_total', 'Leases', c.leases);
    count('leases_empty_total', 'Leases that brought nothing', c.empty);
    count('refused_total', 'Outcomes of jobs that another worker held by then', c.refused);
  };

  run(): void {
    this.#running = this.#loop();
    this.#renewLater();
  }

  async stop(): Promise<void> {
    if (this.#stopping) return this.#running;
    this.#stopping = true;
    this.#cancelRenewal?.();
    this.#wake?.();
    await this.#running;
    // What is on the line now is ended: its whole rows are kept, the rest is due again.
    for (const meter of [...this.#open]) void meter.close();
    while (this.#reading > 0) await this.#changed(1000);
    const gone = this.#clock.after(30_000, () => this.#gather.stop());
    await this.#gather.idle();
    gone();
    await this.#pool.close();
    await this.#store.work.release(this.#options.name).catch(() => {});
    await this.#journal.flush().catch(() => {});
  }

  // ---------------------------------------------------------------- the loop

  async #loop(): Promise<void> {
    const { poll = 1000, name } = this.#options;
    let failures = 0;
    let asked = Number.NEGATIVE_INFINITY;
    while (!this.#stopping) {
      const room = this.#sessions - this.#reading;
      if (this.#gather.waiting >= this.#backlog) {
        const since = performance.now();
        await this.#changed(poll);
        this.#own.held += performance.now() - since;
        continue;
      }
      // Leases of many cost little more than of one, but what is urgent does not wait for many to be free.
      if (room < 1 || (room < this.#sessions / 4 && performance.now() - asked < poll / 2)) {
        await this.#changed(poll / 2);
        continue;
      }
      asked = performance.now();
      try {
        this.#own.leases++;
        const leased = await this.#store.work.lease({ worker: name, count: room, now: this.#now(), hold: this.#hold });
        if (leased.length > 0) {
          this.#own.leased += leased.length;
          await this.#begin(leased);
        } else {
          this.#own.empty++;
          await this.#changed(poll);
        }
        failures = 0;
      } catch (error) {
        if (failures++ === 0) this.#log(`no work can be had now: ${(error as Error).message}`);
        await this.#changed(Math.min(30_000, poll * 2 ** Math.min(failures, 5)));
      }
    }
  }

  /** Until a meter was read, a batch written, `ms` have passed, or the worker ends. */
  #changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        if (this.#wake === done) this.#wake = undefined;
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#wake = done;
    });
  }

  #renewLater(): void {
    this.#cancelRenewal = this.#clock.after(this.#hold / 3, () => {
      const jobs = [...this.#held.values()].flat().map(({ id }) => id);
      const renewed =
        jobs.length > 0
          ? this.#store.work.renew(this.#options.name, jobs, this.#now() + this.#hold)
          : Promise.resolve();
      renewed
        .catch((error: Error) => this.#log(`leases could not be renewed: ${error.message}`))
        .finally(() => {
          if (!this.#stopping) this.#renewLater();
        });
    });
  }

  async #setsNow(): Promise<ReadonlyMap<string, ReadoutSet>> {
    const at = this.#clock.now();
    if (!this.#sets || at - this.#sets.at > SETS_HOLD) this.#sets = { at, sets: await this.#store.readout.sets() };
    return this.#sets.sets;
  }

  /** Finds out for all leased meters together what is to be asked, and begins. */
  async #begin(leased: readonly LeasedMeter[]): Promise<void> {
    // From here on they are ours: leases are renewed, and whatever happens each job gets an outcome or its lease ends.
    for (const { meter, jobs } of leased) this.#held.set(meter, jobs);
    try {
      const sets = await this.#setsNow();
      const targets = await this.#store.readout.targets(leased.map(({ meter }) => meter));
      const now = this.#now();
      const found: { leased: LeasedMeter; target: ReadTarget; set: ReadoutSet; wants: Wants }[] = [];
      for (const one of leased) {
        const target = targets.get(one.meter);
        const set = target?.connection && sets.get(target.connection.readout);
        if (!target || !set) this.#unreadable(one, target);
        else found.push({ leased: one, target, set, wants: wantsOf(one.jobs, set, target.timeZone, now) });
      }
      const missing = await this.#missing(found);
      const tasks = found.map(
        (one): ReadTask => ({
          ...one,
          plan: planOf(one.target, one.set, one.wants, missing.get(one.target.meter) ?? []),
        }),
      );
      const secrets = this.#secretsOf(tasks);
      const grants = await this.#store.readout.reserve(
        [...secrets.values()].flatMap(({ meter, key }) => (key === undefined ? [] : [{ meter, key, count: COUNTERS }])),
      );
      for (const task of tasks) {
        const own = secrets.get(task.target.meter);
        if (own) void this.#read(task, own, grants.get(task.target.meter));
      }
    } catch (error) {
      for (const { meter } of leased) this.#held.delete(meter);
      throw error;
    }
  }

  #unreadable(leased: LeasedMeter, target: ReadTarget | undefined): void {
    const reason = !target
      ? 'there is no such meter'
      : target.connection
        ? `there is no read-out set ${target.connection.readout}`
        : 'no connection is set for this meter';
    this.#finish(
      leased,
      [],
      undefined,
      leased.jobs.map(({ id }) => ({ job: id, result: 'failed', reason })),
    );
  }

  /** Ranges that lack, by meter in the order of its wants: one question for all meters that want the same. */
  async #missing(
    found: readonly { target: ReadTarget; wants: Wants }[],
  ): Promise<Map<MeterId, { from: number; to: number }[][]>> {
    interface Question {
      readonly wanted: Parameters<MissingQuery['missing']>[1];
      readonly zone: string;
      readonly asked: { readonly meter: MeterId; readonly at: number }[];
    }
    const questions = new Map<string, Question>();
    const answers = new Map<MeterId, { from: number; to: number }[][]>();
    for (const { target, wants } of found) {
      answers.set(
        target.meter,
        wants.profiles.map(() => []),
      );
      for (const [at, { profile, from, to, again }] of wants.profiles.entries()) {
        if (again) {
          (answers.get(target.meter) as { from: number; to: number }[][])[at] = [{ from, to }];
          continue;
        }
        const period = periodOf(profile);
        const codes = profile.registers ?? target.state?.delivers?.[profile.name] ?? [];
        const registers = codes.map((obis) => this.#registerOf(obis, period));
        const text = JSON.stringify([profile, from, to, target.timeZone, registers]);
        let question = questions.get(text);
        if (!question) {
          question = { wanted: { profile, registers, from, to }, zone: target.timeZone, asked: [] };
          questions.set(text, question);
        }
        question.asked.push({ meter: target.meter, at });
      }
    }
    for (const { wanted, zone, asked } of questions.values()) {
      const meters = [...new Set(asked.map(({ meter }) => meter))];
      const lacking = await this.#store.completeness.missing(meters, wanted, zone);
      for (const { meter, at } of asked)
        (answers.get(meter) as { from: number; to: number }[][])[at] = (lacking.get(meter) ?? []).filter(
          ({ to }) => !this.#empty.has(emptyKey(meter, wanted.profile.name, to)),
        );
    }
    return answers;
  }

  /** As the values were written; of what was never written by its code. */
  #registerOf(obis: string, period: number): RegisterKey {
    const text = `${obis} ${period}`;
    let key = this.#registers.get(text);
    if (!key) {
      key = this.#store.readout.registerOf(obis, period);
      if (!key) return { obis, ...quantityOf(obis), period } as RegisterKey;
      this.#registers.set(text, key);
    }
    return key;
  }

  #secretsOf(
    tasks: readonly ReadTask[],
  ): Map<MeterId, { meter: MeterId; secrets: Secrets; key: string | undefined; error?: Error }> {
    const found = new Map<MeterId, { meter: MeterId; secrets: Secrets; key: string | undefined; error?: Error }>();
    for (const { target } of tasks) {
      const { meter, connection } = target;
      try {
        const secrets = openSecrets(target, this.#options.vault);
        found.set(meter, { meter, secrets, key: connection && counterKey(connection, secrets) });
      } catch (error) {
        found.set(meter, { meter, secrets: { clientTitle: new Uint8Array(8) }, key: undefined, error: error as Error });
      }
    }
    return found;
  }

  // ---------------------------------------------------------------- one meter

  async #read(
    task: ReadTask,
    { secrets, key, error }: { secrets: Secrets; key: string | undefined; error?: Error },
    grant: CounterGrant | undefined,
  ): Promise<void> {
    const { leased, target, plan } = task;
    this.#reading++;
    const began = this.#now();
    const log = logOf(this.#journal, this.#now, task);
    const entries = log.meter(began);
    const collected = collector(task, this.#options.name, this.#now);
    let result: AcquireResult;
    let peer: number | undefined;
    try {
      if (error) throw new MisuseError(error.message);
      if (plan.plan.items.length === 0) result = nothingToAsk(began);
      else
        [result, peer] = await this.#overLine(
          target as ReadTarget & { connection: Connection },
          async (connection, link) => {
            const counters = key !== undefined && grant ? { key, grant } : undefined;
            return log.association(entries[0], connection, (association) => {
              const trace = log.apdus(association);
              const parts = { ...this.#parts, ...(trace && { trace }) };
              return this.#over(
                plan,
                accessOf(parts, { ...target, connection }, secrets, counters, link),
                link,
                collected,
              );
            });
          },
        );
    } catch (failure) {
      result = lost(plan, failure as Error, began, this.#now());
      this.#log(`meter ${target.serial}: ${(failure as Error).message}`);
    }
    this.#own.outcomes[result.outcome]++;
    this.#own.requests += result.requests;
    if (result.outcome === 'stranger')
      this.#log(`meter ${target.serial}: ${result.error?.message}; nothing of it is stored`);
    collected.events.push(...clockEvents(task, result));
    const outcomes = outcomesOf(task, result, collected);
    const givenUp = givenUpOf(task, result, collected);
    if (this.#empty.size > EMPTY) this.#empty.clear();
    for (const { profile, to } of givenUp) this.#empty.add(emptyKey(target.meter, profile, to));
    const text = summary(task, result);
    const state: TransactionState =
      result.outcome === 'done' || result.outcome === 'partial' ? result.outcome : 'failed';
    const detail = { requests: result.requests, ...(result.clock && { clock: result.clock }) };
    this.#gather.add({
      meter: leased.meter,
      series: collected.series,
      events: collected.events,
      messages: collected.messages,
      state: plan.plan.items.length === 0 ? undefined : stateOf(task, result, collected),
      outcomes,
      givenUp,
      ...(key !== undefined && peer !== undefined && { peer: { meter: leased.meter, key, peer } }),
      written: (failure) => {
        const end = { ended: this.#now(), state: failure ? 'failed' : state } as const;
        for (const id of entries) this.#journal.end(id, { ...end, text: failure?.message ?? text, detail });
        this.#held.delete(leased.meter);
        this.#wake?.();
      },
    });
    this.#own.read++;
    this.#reading--;
    this.#wake?.();
  }

  async #overLine<T>(
    target: ReadTarget & { connection: Connection },
    use: (connection: Connection, link: SessionLink) => Promise<T>,
  ): Promise<T> {
    const { connection } = target;
    if (/^t(cp|ls):/.test(connection.address))
      return this.#pool.run(connection.address, (link) => use(connection, link));
    if (!this.#options.lines)
      throw new MisuseError(`${connection.address.split(':')[0]}: this worker has no such lines`);
    const found = await this.#options.lines(connection);
    return use(found.connection, found.link);
  }

  async #over(
    { plan }: MeterPlan,
    { access, peer }: ReturnType<typeof accessOf>,
    link: SessionLink,
    { sink }: ReturnType<typeof collector>,
  ): Promise<[AcquireResult, number | undefined]> {
    const began = this.#now();
    let meter: OpenMeter;
    try {
      meter = access.protocol === 'dlms' ? await openDlms(access) : openIec(access);
    } catch (error) {
      return [notOpened(plan, error as Error, began, this.#now()), peer()];
    }
    this.#open.add(meter);
    try {
      if (this.#stopping) await meter.close();
      const result = await meter.read(plan, sink);
      if (result.outcome === 'done' && 'keep' in link) (link as PooledLink).keep();
      return [result, peer()];
    } finally {
      this.#open.delete(meter);
      await meter.close();
    }
  }

  #finish(
    { meter }: LeasedMeter,
    series: readonly never[],
    state: undefined,
    outcomes: Parameters<Gather['add']>[0]['outcomes'],
  ): void {
    const written = (): void => {
      this.#held.delete(meter);
      this.#wake?.();
    };
    this.#gather.add({ meter, series, events: [], messages: [], state, outcomes, written });
  }
}

const nothingToAsk = (at: number): AcquireResult => ({
  outcome: 'done',
  items: [],
  identity: {},
  requests: 0,
  began: at,
  ended: at,
});

/** What could not even be tried: a secret that does not open, a line there is none for. */
const lost = ({ plan }: MeterPlan, error: Error, began: number, ended: number): AcquireResult => ({
  outcome: 'failed',
  items: plan.items.map(({ id }) => ({ id, state: 'failed', count: 0, reason: error.message, again: false })),
  identity: {},
  error,
  requests: 0,
  began,
  ended,
});
