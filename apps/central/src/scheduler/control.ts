/**
 * Runs are paused, resumed and cancelled: a flow with its steps.
 *
 * Decides: which orders a run takes, by its table of states. The state of the flow is changed first; should the process die before its steps
 * have followed, the scheduler makes up for it (follow).
 */
import type { Run, RunId, RunState, Store } from '@amiable/store';
import { flowRunTable, hasEnded, takenIn, taskRunTable } from '@amiable/tasks';

export type Order = 'pause' | 'resume' | 'cancel';

const BECOMES: Readonly<Record<Order, RunState>> = { pause: 'paused', resume: 'running', cancel: 'cancelled' };

/** @returns the run as it is then; undefined when it takes no such order in its state */
export async function control(
  store: Store,
  run: Run,
  order: Order,
  now: number,
  note?: string,
): Promise<Run | undefined> {
  const table = run.what === 'flow' ? flowRunTable : taskRunTable;
  const changed = await store.work.runs.change(run.id, takenIn(table, order), BECOMES[order], now, { note });
  if (!changed) return undefined;
  if (hasEnded(changed.state)) closeTransaction(store, changed, now);
  if (run.what === 'flow') await follow(store, changed, now);
  return changed;
}

/** Steps are as their flow is. */
export async function follow(store: Store, flow: Run, now: number): Promise<void> {
  const order: Order = flow.state === 'paused' ? 'pause' : flow.state === 'running' ? 'resume' : 'cancel';
  if (flow.state === 'waiting' || flow.state === 'done') return;
  for (const step of await stepsOf(store, flow.id)) if (!hasEnded(step.state)) await control(store, step, order, now);
}

export const stepsOf = (store: Store, flow: RunId): Promise<readonly Run[]> =>
  store.work.runs.list({ parent: flow, limit: 1000, scope: 'all' });

/** The end of a run in the transaction log. */
export function closeTransaction(store: Store, run: Run, now: number): void {
  if (run.transaction === '') return;
  const { total, done } = run.counts;
  const state =
    run.state === 'cancelled'
      ? 'cancelled'
      : run.what === 'task' && total > 0 && done < total
        ? done > 0
          ? 'partial'
          : 'failed'
        : run.state === 'failed'
          ? 'failed'
          : 'done';
  store.journal.end(run.transaction, {
    ended: now,
    state,
    text: `${run.name}: ${outcomeOf(run)}`,
    detail: { run: run.id, ...run.counts, note: run.note },
  });
}

/** How a run ended, in words. */
export function outcomeOf(run: Run): string {
  const { total, done } = run.counts;
  if (run.state === 'cancelled') return 'cancelled';
  if (run.what === 'flow' || total === 0) return run.note ?? run.state;
  return done === total ? `all ${total} meters done` : `${done} of ${total} meters done`;
}
