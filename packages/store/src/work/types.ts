/**
 * Work that waits and work that runs: what schedules, workers and the API say to each other through the database
 * (AMI system description §5.2.2, §5.6). Any number of workers, any may die: what a worker holds is leased, and a lease ends.
 *
 * A task definition makes runs; a run has a job for each meter it is about; the jobs of one meter are leased together, so
 * that one association does all of them. A flow is a graph of tasks; each of its steps is a run.
 */
import type { MeterId } from '../types.ts';

export type RunId = string;
export type JobId = string;

/** What is read of a meter or done to it; see ARCHITECTURE.md for what each fetches. */
export type ReadKind =
  | 'monthly'
  | 'daily'
  | 'profile'
  | 'events'
  | 'status'
  | 'quality'
  | 'outage'
  | 'registers'
  | 'clock';
/** What the central system does by itself. */
export type OwnKind = 'completeness' | 'import' | 'export' | 'backup' | 'retention';
export type TaskKind = ReadKind | OwnKind;

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
