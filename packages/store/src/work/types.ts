/**
 * Work that waits and work that runs: what schedules, workers and the API say to each other through the database
 * (AMI system description §5.2.2, §5.6). Any number of workers, any may die: what a worker holds is leased, and a lease ends.
 *
 * A task definition makes runs; a run has a job for each meter it is about; the jobs of one meter are leased together, so
 * that one association does all of them. A flow is a graph of tasks; each of its steps is a run.
 */
import type { Scope } from '@amiable/model';
import type { OwnKind, ReadKind, TaskKind } from '@amiable/tasks';
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
  readonly scope: readonly number[] | null;
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
  get(id: RunId): Promise<Run | undefined>;
  list(query: RunQuery): Promise<readonly Run[]>;
  /** Runs that have not ended, of tasks and flows, oldest first. */
  open(): Promise<readonly Run[]>;
  /**
   * Adds a page of meters. @returns false when another process did it, or the run was ended in the meantime: nothing is added then
   */
  expand(
    run: Run,
    page: { readonly meters: readonly MeterId[]; readonly last: boolean; readonly note?: string | undefined },
    now: number,
  ): Promise<boolean>;
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

export interface WorkStore extends WorkLeases {
  readonly runs: Runs;
}
