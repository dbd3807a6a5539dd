/** Goes on with the run of a flow: which steps begin now, which are passed over, whether it has ended. */
import type { Run, Store } from '@amiable/store';
import {
  advance,
  type FlowDefinition,
  type FlowStep,
  flowRunTable,
  groupsOf,
  hasEnded,
  type StepFact,
  takenIn,
} from '@amiable/tasks';
import { closeTransaction, follow, stepsOf } from './control.ts';
import { scopeOf } from './rights.ts';
import { newRun } from './scheduler-runs.ts';

export interface FlowParts {
  readonly store: Store;
  readonly name: string;
  readonly clock: () => number;
  /** Real ms. */
  readonly hold: number;
  readonly begin: (run: Run, scope: 'all' | readonly number[], at: number) => Promise<Run>;
}

interface Skipped {
  readonly skipped?: readonly string[];
}

export async function advanceFlow(parts: FlowParts, flow: Run, at: number): Promise<void> {
  const { store, name, clock } = parts;
  const { runs } = store.work;
  if (flow.state === 'paused') return follow(store, flow, at);
  if (!(await runs.hold(flow.id, name, clock(), clock() + parts.hold))) return;
  try {
    const rights = await scopeOf(store, flow, ['execute:run-task']);
    if ('refused' in rights) return void (await end(parts, flow, 'failed', at, rights.refused));
    if (flow.expires <= at) return void (await end(parts, flow, 'failed', at, 'its time was over'));
    if (flow.state === 'waiting') {
      await parts.begin(flow, rights.scope, at);
      if (!(await runs.change(flow.id, takenIn(flowRunTable, 'begin'), 'running', at))) return;
    }
    const { steps } = flow.definition as unknown as FlowDefinition;
    const children = new Map((await stepsOf(store, flow.id)).map((run) => [run.step as string, run]));
    const facts = new Map<string, StepFact>([...children].map(([step, run]) => [step, factOf(run)]));
    const before = (flow.progress as Skipped | null)?.skipped ?? [];
    for (const step of before) facts.set(step, { state: 'skipped', total: 0, done: 0, failed: 0 });
    const groups = new Map<string, number>();
    for (const group of groupsOf(steps)) groups.set(group, await sizeOf(store, group, rights.scope));
    const next = advance(steps, facts, groups);
    if (next.skip.length > 0) await runs.progress(flow.id, { skipped: [...before, ...next.skip] });
    for (const step of next.begin) {
      const fault = await beginStep(store, flow, steps.find((s) => s.name === step) as FlowStep, children, at);
      if (fault) return void (await end(parts, flow, 'failed', at, fault));
    }
    if (next.ended) {
      const failed = [...children.values()].filter((run) => run.state !== 'done').map((run) => run.step);
      await end(parts, flow, next.ended, at, failed.length > 0 ? `not done: ${failed.join(', ')}` : undefined);
    }
  } finally {
    await runs.unhold(flow.id, name);
  }
}

/** A group that is gone has nobody in it. */
async function sizeOf(store: Store, group: string, scope: 'all' | readonly number[]): Promise<number> {
  try {
    return await store.registry.count({ group }, scope, 1_000_000);
  } catch (error) {
    if ((error as Error).name === 'MisuseError') return 0;
    throw error;
  }
}

function factOf(run: Run): StepFact {
  const { total, done } = run.counts;
  const state = hasEnded(run.state) ? (run.state as 'done' | 'failed' | 'cancelled') : 'running';
  return { state, total, done, failed: total - done };
}

/** @returns what stands in the way, in words */
async function beginStep(
  store: Store,
  flow: Run,
  step: FlowStep,
  children: ReadonlyMap<string, Run>,
  at: number,
): Promise<string | undefined> {
  const task = await store.work.tasks.get(step.task, 'all');
  if (!task) return `${step.name}: task ${step.task} is not there any more`;
  const run = newRun('task', task, flow.due, at);
  const { meters } = step;
  let definition: object = task.definition;
  if (meters && 'group' in meters) definition = { ...task.definition, target: { group: meters.group } };
  else if (meters) {
    const source = children.get(meters.step);
    if (!source) return `${step.name}: ${meters.step} did not run`;
    definition = { ...task.definition, target: {}, from: { run: source.id, which: meters.which } };
  }
  await store.work.runs.create({
    ...run,
    definition,
    parent: flow.id,
    step: step.name,
    name: `${flow.name} / ${step.name}`,
    expires: Math.min(run.expires, flow.expires),
    // The flow's creator answers for all of it.
    creator: flow.creator,
    creatorId: flow.creatorId,
    scope: flow.scope,
  });
  return undefined;
}

async function end(parts: FlowParts, flow: Run, state: 'done' | 'failed', at: number, note?: string): Promise<void> {
  const { store } = parts;
  const from = takenIn(flowRunTable, state === 'done' ? 'complete' : 'fail');
  const ended = await store.work.runs.change(flow.id, from, state, at, { note });
  if (!ended) return;
  closeTransaction(store, ended, at);
  if (state === 'failed') await follow(store, ended, at);
}
