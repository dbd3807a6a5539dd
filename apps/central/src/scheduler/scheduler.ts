/**
 * The scheduler: makes the runs that are due, their jobs, goes on with flows, ends what has ended. Any number of processes may run one; what
 * each does is safe to be done by another at the same moment, or again.
 *
 * Decides: the order of a turn, and that the next turn makes up for what one did not come to. Occurrences are kept by name in the
 * database, so a run is made once, whatever clocks and processes do. Leaves out: reading meters (workers), what own kinds do (own.ts).
 */
import { recurring } from '@amiable/calendar';
import type { Definitions, Run, Store } from '@amiable/store';
import {
  dueOccurrences,
  type FlowDefinition,
  hasEnded,
  hasMeters,
  type Missed,
  scheduleOf,
  type TaskDefinition,
  takenIn,
  taskRunTable,
} from '@amiable/tasks';
import { closeTransaction, follow } from './control.ts';
import { advanceFlow } from './flows.ts';
import type { OwnKinds } from './own.ts';
import { createOwnRunner } from './own-runner.ts';
import { neededFor, scopeOf } from './rights.ts';
import { newRun } from './scheduler-runs.ts';
import { nextPage, selectionOf } from './targets.ts';

/** Real ms between turns. */
const PAUSE = 500;
/** A clock that goes back further than this has been set. */
const BACK = 60_000;
/** Real ms for which a process has a run to itself. */
const HOLD = 60_000;

export interface SchedulerOptions {
  readonly store: Store;
  /** Epoch ms; may be simulated. */
  readonly now: () => number;
  /** Real time, epoch ms: for what processes hold. */
  readonly clock?: () => number;
  /** Unique among the processes. */
  readonly name: string;
  readonly ownKinds: OwnKinds;
  readonly log: (line: string) => void;
}

export interface Scheduler {
  /** One turn; turns do not overlap. */
  turn(): Promise<void>;
  /** A turn soon: something was ordered. */
  wake(): void;
  /** A run was cancelled in this process: if it executes it, it is told at once. */
  cancelled(run: string): void;
  start(): void;
  stop(): Promise<void>;
  readonly counts: { turns: number; failures: number; runs: number; lost: number };
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { store, now, name, ownKinds, log } = options;
  const clock = options.clock ?? Date.now;
  const { runs, tasks, flows } = store.work;
  const counts = { turns: 0, failures: 0, runs: 0, lost: 0 };
  const own = createOwnRunner({ store, now, clock, name, ownKinds, log });
  let last: number | undefined;
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  let stopped = true;
  let turning: Promise<void> | undefined;

  /** The next occurrence after an instant; null when there is none or the schedule cannot be read any more. */
  function nextDue(definition: TaskDefinition | FlowDefinition, after: number): number | null {
    try {
      return recurring(scheduleOf(definition)).next(after)?.at ?? null;
    } catch {
      return null;
    }
  }

  /** After a start, or a clock that was set back: nobody waits for what a wrong clock had planned. */
  async function replan<D extends TaskDefinition | FlowDefinition>(all: Definitions<D>, at: number): Promise<void> {
    let after = '0';
    for (;;) {
      const page = await all.active(after);
      for (const one of page) {
        const next = nextDue(one.definition, at);
        // What is due already stays so: it was missed.
        if (next !== null && (one.nextDue === null || one.nextDue > next)) await all.planned(one, undefined, next);
      }
      const end = page.at(-1);
      if (!end) return;
      after = end.id;
    }
  }

  async function makeDue<D extends TaskDefinition | FlowDefinition>(
    what: 'task' | 'flow',
    all: Definitions<D>,
    at: number,
  ): Promise<void> {
    for (const one of await all.due(at)) {
      const { definition } = one;
      const due = dueOccurrences(
        recurring(scheduleOf(definition)),
        one.nextDue as number,
        at,
        definition.missed as Missed,
      );
      for (const occurrence of due) {
        const run = occurrence.run
          ? await runs.create(newRun(what, one, occurrence.at, at, { nominal: occurrence.nominal, at: occurrence.at }))
          : await runs.pass(what, one.id, { nominal: occurrence.nominal, at: occurrence.at }).then(() => undefined);
        if (run) counts.runs++;
        else if (occurrence.run) counts.lost++;
      }
      await all.planned(one, due.at(-1)?.nominal, nextDue(definition, at));
    }
  }

  /** Jobs of a run, page after page. */
  async function expand(run: Run, at: number): Promise<void> {
    if (!(await runs.hold(run.id, name, clock(), clock() + HOLD))) return;
    try {
      const definition = run.definition as unknown as TaskDefinition;
      const rights = await scopeOf(store, run, neededFor(run.kind as TaskDefinition['kind'], definition.parameters));
      if ('refused' in rights) return void (await end(run, 'failed', rights.refused));
      let current = await begin(run, rights.scope, at);
      let left = 0;
      while (!current.expanded) {
        const page = await nextPage(store, current, rights.scope, at);
        left += page.left;
        const note = page.last ? noteOf(current.counts.total + page.meters.length, left) : undefined;
        if (!(await runs.expand(current, { meters: page.meters, last: page.last, note }, at))) return;
        await runs.hold(run.id, name, clock(), clock() + HOLD);
        current = (await runs.get(run.id)) ?? current;
        if (hasEnded(current.state) || current.state === 'paused') return;
      }
    } catch (error) {
      // The group or attribute it names is gone: that will not mend itself.
      if ((error as Error).name !== 'MisuseError') throw error;
      await end(run, 'failed', (error as Error).message);
    } finally {
      await runs.unhold(run.id, name);
    }
  }

  /** The run's entry in the transaction log, made once. */
  async function begin(run: Run, scope: Parameters<typeof store.registry.count>[1], at: number): Promise<Run> {
    if (run.transaction !== '') return run;
    const { target = {}, from } = run.definition as unknown as TaskDefinition & { from?: object };
    let total = run.meters?.length ?? target.meters?.length;
    if (run.what === 'task' && total === undefined && !from && run.kind && hasMeters(run.kind))
      total = await store.registry.count(selectionOf(target, at), scope, 1_000_000);
    const parent = run.parent === null ? undefined : (await runs.get(run.parent))?.transaction;
    const transaction = store.journal.begin({
      kind: run.what,
      ...(parent ? { parent } : {}),
      run: run.id,
      started: at,
      text: run.name,
      detail: { run: run.id, kind: run.kind, total: total ?? null },
    });
    if (await runs.setTransaction(run.id, transaction)) return { ...run, transaction };
    // Another process was quicker.
    store.journal.end(transaction, { ended: at, state: 'cancelled' });
    return (await runs.get(run.id)) ?? run;
  }

  /** A run whose jobs have all ended. */
  async function settle(run: Run): Promise<void> {
    const { total, done, failed, givenUp, expired, cancelled } = run.counts;
    if (!run.expanded || done + failed + givenUp + expired + cancelled < total) return;
    const { enough = 1 } = run.definition as { enough?: number };
    if (total === 0) return end(run, 'done', run.note ?? noteOf(0, 0));
    const bad = total - done;
    const note = bad > 0 ? `${bad} of ${total} meters were not done` : undefined;
    await end(
      run,
      done / total >= enough ? 'done' : 'failed',
      [run.note, note].filter(Boolean).join('; ') || undefined,
    );
  }

  async function end(run: Run, state: 'done' | 'failed', note?: string): Promise<void> {
    const at = now();
    const from = takenIn(taskRunTable, state === 'done' ? 'complete' : 'fail');
    const ended = await runs.change(run.id, from, state, at, { note });
    if (ended) closeTransaction(store, ended, at);
  }

  async function goOn(open: readonly Run[], at: number): Promise<void> {
    const byId = new Map(open.map((run) => [run.id, run]));
    for (const run of open) {
      if (run.parent !== null && !byId.has(run.parent)) {
        const flow = await runs.get(run.parent);
        if (flow && flow.state !== 'done') await follow(store, flow, at);
      }
      if (run.what === 'flow') await advanceFlow({ store, name, clock, hold: HOLD, begin }, run, at);
      else if (run.kind !== null && !hasMeters(run.kind)) await own.look(run, at, begin);
      else if (run.state === 'paused') await settle(run);
      else if (!run.expanded && run.expires <= at) await end(run, 'failed', 'its time was over before it began');
      else if (!run.expanded) await expand(run, at);
      else await settle(run);
    }
  }

  async function work(): Promise<void> {
    const at = now();
    if (last === undefined || at < last - BACK) {
      if (last === undefined) await runs.mend(at);
      await replan(tasks, at);
      await replan(flows, at);
    }
    last = at;
    await makeDue('task', tasks, at);
    await makeDue('flow', flows, at);
    await goOn(await runs.open(), at);
    await runs.expire(at);
  }

  function turn(): Promise<void> {
    turning ??= work()
      .then(() => {
        if (said !== '') log('tasks: going on');
        said = '';
      })
      .catch((error: Error) => {
        counts.failures++;
        if (error.message !== said) log(`tasks: ${error.message}`);
        said = error.message;
      })
      .finally(() => {
        counts.turns++;
        turning = undefined;
      });
    return turning;
  }

  function plan(pause: number): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void turn().then(() => plan(PAUSE)), pause);
    timer.unref();
  }

  return {
    turn,
    wake: () => plan(0),
    cancelled: (run) => own.cancel(run),
    start() {
      stopped = false;
      plan(0);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await turning;
      await own.stop();
    },
    counts,
  };
}

function noteOf(total: number, left: number): string | undefined {
  const unreachable = left > 0 ? `${left} meters that fit have no connection and were left out` : undefined;
  if (total > 0) return unreachable;
  return `nothing was done: ${unreachable ?? 'no meter fits the target'}`;
}
