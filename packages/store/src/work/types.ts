/**
 * Work that waits and work that runs: what schedules, workers and the API say to each other through the database
 * (AMI system description §5.2.2, §5.6). Any number of workers, any may die: what a worker holds is leased, and a lease ends.
 *
 * A task definition makes runs; a run has a job for each meter it is about; the jobs of one meter are leased together, so
 * that one association does all of them. A flow is a graph of tasks; each of its steps is a run.
 */
import type { Scope } from '@amiable/model';
import type { FlowDefinition, OwnKind, ReadKind, TaskDefinition, TaskKind, TimeWindow } from '@amiable/tasks';
import type { MeterId } from '../types.ts';

export type RunId = string;
export type JobId = string;

export type { OwnKind, ReadKind, TaskKind };

export type RunState = 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
export type JobState = 'waiting' | 'leased' | 'done' | 'failed' | 'given-up' | 'cancelled' | 'expired';

export interface Job {
  readonly id: JobId;
  readonly run: RunId;
  readonly kind: ReadKind;
  /** By kind: `from` and `to` (epoch ms) of a history, `registers`, `set` of a clock. Checked when the task was saved. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** 0 to 9; 9 goes first. */
  readonly priority: number;
  /** Tries so far, this one not counted. */
  readonly attempts: number;
  /** When the task was due, epoch ms: a daily reading of yesterday is still of yesterday when it is late. */
  readonly due: number;
  /** Not worth doing any more after this, epoch ms. */
  readonly expires: number;
  /** The transaction of the run, for the log. */
  readonly transaction: string;
}

/** All that is due for one meter, held by one worker. */
export interface LeasedMeter {
  readonly meter: MeterId;
  readonly jobs: readonly Job[];
  /** Epoch ms; after it another worker may have it. */
  readonly until: number;
}

export interface LeaseOptions {
  readonly worker: string;
  /** Meters at most. */
  readonly count: number;
  readonly now: number;
  /** How long the lease holds, ms. */
  readonly hold: number;
}

/** What became of one job. */
export interface JobOutcome {
  readonly job: JobId;
  /** `again`: it failed for now; the task's retry rule says when the next try is, or that it is given up. */
  readonly result: 'done' | 'again' | 'failed';
  /** In words, for `again` and `failed`. */
  readonly reason?: string;
  /** Values and events stored by it. */
  readonly stored?: number;
}

/** The worker's side. Outcomes of jobs that another worker holds by now are refused one by one, and nothing is lost by it. */
export interface WorkLeases {
  lease(options: LeaseOptions): Promise<readonly LeasedMeter[]>;
  renew(worker: string, jobs: readonly JobId[], until: number): Promise<void>;
  finish(worker: string, outcomes: readonly JobOutcome[], now: number): Promise<{ readonly refused: readonly JobId[] }>;
  /** Gives back what was not begun, when a worker ends. */
  release(worker: string): Promise<void>;
}

/** A run as it stands. */
export interface Run {
  readonly id: RunId;
  readonly what: 'task' | 'flow';
  readonly task: string | null;
  readonly flow: string | null;
  /** The run of the flow that it is a step of, and the step's name. */
  readonly parent: RunId | null;
  readonly step: string | null;
  readonly version: number | null;
  readonly kind: TaskKind | null;
  readonly name: string;
  readonly state: RunState;
  readonly definition: Readonly<Record<string, unknown>>;
  /** Meters named with the order. */
  readonly meters: readonly MeterId[] | null;
  readonly priority: number;
  /** Times are epoch ms. */
  readonly due: number;
  readonly expires: number;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly creator: string;
  /** The user behind the account, whose rights are looked at anew for each run; null: a program of our own. */
  readonly creatorId: string | null;
  /** Segments it may touch; null: all. */
  readonly scope: readonly number[] | null;
  readonly transaction: string;
  /** Whether a job was made for each of its meters. */
  readonly expanded: boolean;
  readonly expandedTo: MeterId | null;
  readonly counts: RunCounts;
  readonly progress: Readonly<Record<string, unknown>> | null;
  /** A warning, or why it failed. */
  readonly note: string | null;
}

export interface RunCounts {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly givenUp: number;
  readonly expired: number;
  readonly cancelled: number;
  /** Tries of all jobs together. */
  readonly tries: number;
  /** Values and events stored. */
  readonly stored: number;
}

export interface NewRun {
  readonly what: 'task' | 'flow';
  readonly task?: string | undefined;
  readonly flow?: string | undefined;
  readonly parent?: RunId | undefined;
  readonly step?: string | undefined;
  readonly version?: number | undefined;
  readonly kind?: TaskKind | undefined;
  readonly name: string;
  /** `parameters`, `retry`, `windows`, `timeZone`, `target` … of a task; steps of a flow. */
  readonly definition: object;
  /** About these meters, whatever its target says. At most 1,000 are made jobs at once; more are taken in pages by the scheduler. */
  readonly meters?: readonly MeterId[] | undefined;
  readonly priority: number;
  readonly due: number;
  readonly expires: number;
  readonly created: number;
  readonly creator: string;
  readonly creatorId?: string | null | undefined;
  readonly scope: readonly number[] | null;
  /** Empty: the scheduler begins one. */
  readonly transaction: string;
  /** Of a schedule: its name; a second run of the same one is not made. */
  readonly occurrence?: { readonly nominal: string; readonly at: number } | undefined;
}

export interface RunQuery {
  readonly task?: string | undefined;
  readonly flow?: string | undefined;
  readonly parent?: RunId | undefined;
  readonly state?: RunState | undefined;
  /** Newest first; those older than this one. */
  readonly before?: RunId | undefined;
  readonly limit: number;
  /** Runs that touch no other segments than these. */
  readonly scope: Scope;
}

export interface JobRow {
  readonly run: RunId;
  readonly meter: MeterId;
  readonly serial: string;
  readonly state: JobState;
  readonly priority: number;
  readonly attempts: number;
  readonly ready: number | null;
  readonly worker: string | null;
  readonly ended: number | null;
  readonly stored: number;
  readonly reason: string | null;
}

/** Runs and their jobs: the side of schedules, the API and orders. */
export interface Runs {
  /**
   * Makes a run; with `meters` (up to 1,000) its jobs too, in the same transaction, so that workers find them at once.
   * @returns undefined when the occurrence was dealt with before
   */
  create(run: NewRun): Promise<Run | undefined>;
  /** An occurrence that was missed and is not made up for. */
  pass(
    what: 'task' | 'flow',
    owner: string,
    occurrence: { readonly nominal: string; readonly at: number },
  ): Promise<void>;
  get(id: RunId): Promise<Run | undefined>;
  list(query: RunQuery): Promise<readonly Run[]>;
  /** Runs that have not ended, of tasks and flows, oldest first. */
  open(): Promise<readonly Run[]>;
  /** How many runs of somebody have not ended. */
  openCount(creator: string): Promise<number>;
  /**
   * Adds a page of meters. @returns false when another process did it, or the run was ended in the meantime: nothing is added then
   */
  expand(
    run: Run,
    page: { readonly meters: readonly MeterId[]; readonly last: boolean; readonly note?: string | undefined },
    now: number,
  ): Promise<boolean>;
  /** @returns false when it has one */
  setTransaction(id: RunId, transaction: string): Promise<boolean>;
  /** Meters of a run that were done, or were not, in order. */
  metersOf(
    run: RunId,
    which: 'done' | 'failed' | 'all',
    page: { readonly after?: MeterId | undefined; readonly limit: number },
  ): Promise<readonly MeterId[]>;
  /** Those of them that have a connection. */
  reachable(meters: readonly MeterId[]): Promise<readonly MeterId[]>;
  /** Jobs that a process left waiting when it died between ending a run and ending its jobs. */
  mend(now: number): Promise<void>;
  jobs(
    run: RunId,
    query: {
      readonly state?: JobState | undefined;
      readonly after?: MeterId | undefined;
      readonly limit: number;
      readonly scope: Scope;
    },
  ): Promise<readonly JobRow[]>;
  /** Takes the run for this process until then, for what only one may do at a time. */
  hold(id: RunId, by: string, now: number, until: number): Promise<boolean>;
  unhold(id: RunId, by: string): Promise<void>;
  /** A change of state, when it is in one of `from`. With it the jobs: paused ones are not leased, cancelled ones end. */
  change(
    id: RunId,
    from: readonly RunState[],
    to: RunState,
    now: number,
    more?: { readonly note?: string | undefined; readonly progress?: object | undefined },
  ): Promise<Run | undefined>;
  /** What a flow or a system task says of itself; only while it runs. */
  progress(id: RunId, progress: object): Promise<void>;
  /** Jobs whose run has expired end so. @returns how many */
  expire(now: number): Promise<number>;
  /** Runs that ended before, with their jobs. @returns how many runs */
  prune(before: number): Promise<number>;
}

/** A task or a flow as it is kept. What its definition says is `TaskDefinition` or `FlowDefinition` of @amiable/tasks. */
export interface Definition<D = Readonly<Record<string, unknown>>> {
  readonly id: string;
  readonly name: string;
  /** Of tasks only. */
  readonly kind?: TaskKind;
  readonly state: 'active' | 'paused' | 'deleted';
  readonly version: number;
  readonly definition: D;
  readonly creator: string;
  /** The user behind the account, whose rights are looked at anew for each run; null: a program of our own. */
  readonly creatorId: string | null;
  /** Segments its runs may touch; null: all. */
  readonly scope: readonly number[] | null;
  /** Times are epoch ms. */
  readonly created: number;
  readonly changed: number;
  readonly nextDue: number | null;
  readonly plannedTo: string | null;
}

export interface DefinitionVersion<D> {
  readonly version: number;
  readonly definition: D;
  readonly changedBy: string;
  readonly changedAt: number;
}

/** Tasks, or flows: the same for both. */
export interface Definitions<D> {
  /** @returns undefined when the name is taken */
  create(
    made: {
      readonly name: string;
      readonly kind?: TaskKind | undefined;
      readonly definition: D;
      readonly creator: string;
      readonly creatorId?: string | null | undefined;
      readonly scope: readonly number[] | null;
      readonly nextDue: number | null;
    },
    now: number,
  ): Promise<Definition<D> | undefined>;
  get(id: string, scope: Scope): Promise<Definition<D> | undefined>;
  byName(name: string, scope: Scope): Promise<Definition<D> | undefined>;
  list(query: {
    readonly after?: string | undefined;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly Definition<D>[]>;
  versions(id: string): Promise<readonly DefinitionVersion<D>[]>;
  /**
   * Changes what is said of the version that the caller saw. Who changes the definition becomes the one whose rights its runs have.
   * @returns `stale` when there is a newer version, `taken` when the name is
   */
  change(
    id: string,
    version: number,
    change: {
      readonly name?: string | undefined;
      readonly definition?: D | undefined;
      readonly state?: 'active' | 'paused' | 'deleted' | undefined;
      readonly nextDue: number | null;
      readonly by: string;
      readonly byId?: string | null | undefined;
      readonly scope: readonly number[] | null;
    },
    now: number,
  ): Promise<Definition<D> | 'stale' | 'taken'>;
  /** Active ones of which an occurrence is due. */
  due(now: number): Promise<readonly Definition<D>[]>;
  active(after: string): Promise<readonly Definition<D>[]>;
  /** @returns false when it was changed in the meantime */
  planned(definition: Definition<D>, to: string | undefined, nextDue: number | null): Promise<boolean>;
}

/** Limits and windows of what meters are reached through. */
export interface Channel {
  readonly kind: 'channel' | 'concentrator' | 'network';
  /** `*` stands for all of the kind that have none of their own. */
  readonly name: string;
  /** Meters at a time; null: no limit. */
  readonly most: number | null;
  readonly windows: readonly TimeWindow[];
  readonly timeZone: string;
  /** Of a network: `10.20.0.0/16`. */
  readonly address: string | null;
  /** Of a channel: its modems (apps/central/src/channels/device.ts); null: it opens nothing itself. */
  readonly device?: Readonly<Record<string, unknown>> | null | undefined;
}

export interface ChannelUse {
  readonly channel: string;
  readonly concentrator: string;
  readonly network: string;
  /** Meters with open jobs, those that could be leased now, those that are. */
  readonly meters: number;
  readonly queued: number;
  readonly leased: number;
}

export interface Channels {
  list(): Promise<readonly Channel[]>;
  put(channel: Channel): Promise<void>;
  /** @returns false when there is none */
  remove(kind: Channel['kind'], name: string): Promise<boolean>;
  use(now: number): Promise<readonly ChannelUse[]>;
}

/** What a worker had of the queue, and how much workers stood in each other's way. */
export interface WorkerUse {
  readonly worker: string;
  readonly seen: number;
  readonly leases: number;
  readonly meters: number;
  readonly jobs: number;
  /** Times it got nothing. */
  readonly empty: number;
  /** Times it had to wait for another, or found meters locked. */
  readonly conflicts: number;
  /** How long it waited for others, microseconds. */
  readonly waited: number;
  /** Transactions done again after a deadlock, a serialisation failure or a lost connection. */
  readonly retries: number;
  readonly finished: number;
  /** Outcomes refused because its lease was lost. */
  readonly refused: number;
  /** Leases it let end. */
  readonly lost: number;
}

export interface WorkStore extends WorkLeases {
  readonly runs: Runs;
  readonly tasks: Definitions<TaskDefinition>;
  readonly flows: Definitions<FlowDefinition>;
  readonly channels: Channels;
  /** Those of this process as they are, those of others as they last wrote (each second, or when asked to flush). */
  workers(): Promise<readonly WorkerUse[]>;
  /** Writes what was counted. */
  flush(now: number): Promise<void>;
}
