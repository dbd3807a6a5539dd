/**
 * The states of a run of a task and of a flow, as one table each: what may follow what, and what has to be done by it.
 *
 * Decides: which orders a run takes in which state. Leaves out: doing the effects (the store changes state and jobs, the scheduler the rest).
 */
import type { Step, Table } from '@amiable/fsm';

export const RUN_STATES = ['waiting', 'running', 'paused', 'done', 'failed', 'cancelled'] as const;
export type RunStateName = (typeof RUN_STATES)[number];

export type RunState =
  | { readonly type: 'waiting' }
  | { readonly type: 'running' }
  | { readonly type: 'paused' }
  | { readonly type: 'done' }
  | { readonly type: 'failed' }
  | { readonly type: 'cancelled' };

export type RunInput =
  /** Its first jobs or steps are made. */
  | { readonly type: 'begin' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'cancel' }
  /** All of it has ended. */
  | { readonly type: 'complete' }
  | { readonly type: 'fail' };

export type RunEffect =
  /** Its jobs are leased no more; those that are under way end. */
  | 'hold-jobs'
  | 'queue-jobs'
  /** Jobs that wait are cancelled. */
  | 'end-jobs'
  | 'pause-steps'
  | 'resume-steps'
  | 'cancel-steps'
  /** Its transaction ends, and the flow that it is a step of goes on. */
  | 'close';

const to = (type: RunStateName, ...effects: RunEffect[]): Step<RunState, RunEffect> => ({ state: { type }, effects });

export const taskRunTable: Table<RunState, RunInput, RunEffect> = {
  waiting: {
    begin: () => to('running'),
    pause: () => to('paused'),
    cancel: () => to('cancelled', 'end-jobs', 'close'),
    // A run about no meters.
    complete: () => to('done', 'close'),
    fail: () => to('failed', 'end-jobs', 'close'),
  },
  running: {
    pause: () => to('paused', 'hold-jobs'),
    cancel: () => to('cancelled', 'end-jobs', 'close'),
    complete: () => to('done', 'close'),
    fail: () => to('failed', 'end-jobs', 'close'),
  },
  paused: {
    resume: () => to('running', 'queue-jobs'),
    cancel: () => to('cancelled', 'end-jobs', 'close'),
    // What was under way when it was paused may have been the last of it; or its time is over.
    complete: () => to('done', 'close'),
    fail: () => to('failed', 'end-jobs', 'close'),
  },
  done: {},
  failed: {},
  cancelled: {},
};

export const flowRunTable: Table<RunState, RunInput, RunEffect> = {
  waiting: {
    begin: () => to('running'),
    pause: () => to('paused'),
    cancel: () => to('cancelled', 'close'),
    fail: () => to('failed', 'close'),
  },
  running: {
    pause: () => to('paused', 'pause-steps'),
    cancel: () => to('cancelled', 'cancel-steps', 'close'),
    complete: () => to('done', 'close'),
    fail: () => to('failed', 'cancel-steps', 'close'),
  },
  paused: {
    resume: () => to('running', 'resume-steps'),
    cancel: () => to('cancelled', 'cancel-steps', 'close'),
    fail: () => to('failed', 'cancel-steps', 'close'),
  },
  done: {},
  failed: {},
  cancelled: {},
};

/** The states in which a run takes this. */
export function takenIn(table: Table<RunState, RunInput, RunEffect>, input: RunInput['type']): RunStateName[] {
  return RUN_STATES.filter((state) => table[state][input] !== undefined);
}

export const hasEnded = (state: RunStateName): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';
