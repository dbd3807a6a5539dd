/**
 * Flows: tasks that follow one another by what came of those before (AMI system description §5.2.2, figure 5; §5.3: what validation
 * finds goes into groups that feed the next steps).
 *
 * Decides: whether a graph is one that can run (no loops, no step that is not there), and, from how its steps stand, which begin, which are
 * passed over and how the flow ends. Pure: the same facts give the same answer, so that any process may go on with it.
 */

import type { Schedule } from '@amiable/calendar';
import type { Missed } from './definition.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** Of a step before, when it has ended. */
export type FlowCondition =
  /** Its run ended as done, as failed, or anyhow. */
  | { readonly is: 'done' | 'failed' | 'ended' }
  /** So large a share (0 to 1) of its meters were done, or were not. */
  | { readonly share: 'done' | 'failed'; readonly is: Comparison; readonly value: number }
  /** So many of its meters. */
  | { readonly count: 'done' | 'failed' | 'total'; readonly is: Comparison; readonly value: number }
  /** So many meters are in a stored group, such as one that validation fills. */
  | { readonly group: string; readonly is: Comparison; readonly value: number };

export interface FlowLink {
  /** Name of the step before. */
  readonly step: string;
  readonly when: FlowCondition;
}

/** Instead of the task's own target: the meters of a group, or those of a step before that were done or were not. */
export type StepMeters =
  | { readonly group: string }
  | { readonly step: string; readonly which: 'done' | 'failed' | 'all' };

export interface FlowStep {
  readonly name: string;
  /** Number of the task. */
  readonly task: string;
  /** Without any it begins with the flow. */
  readonly after: readonly FlowLink[];
  /** With several links: whether all must hold or one is enough. */
  readonly join: 'all' | 'any';
  readonly meters?: StepMeters | undefined;
}

export interface FlowDefinition {
  readonly steps: readonly FlowStep[];
  readonly schedule: Omit<Schedule, 'zone'>;
  readonly timeZone: string;
  readonly missed: Missed;
  /** After so long (ms) a run is not worth going on with. */
  readonly lifetime: number;
}

export const MOST_STEPS = 100;

/** What is wrong with a flow, in sentences; none when it can run. */
export function flowFaults(steps: readonly FlowStep[]): string[] {
  const faults: string[] = [];
  if (steps.length === 0) faults.push('a flow has at least one step');
  if (steps.length > MOST_STEPS) return [`a flow has at most ${MOST_STEPS} steps, this one ${steps.length}`];
  const byName = new Map<string, FlowStep>();
  for (const step of steps) {
    if (byName.has(step.name)) faults.push(`two steps are called ${step.name}`);
    byName.set(step.name, step);
  }
  for (const step of steps) {
    for (const before of beforeOf(step))
      if (!byName.has(before)) faults.push(`${step.name} follows ${before}, which is no step of this flow`);
    const named = new Set<string>();
    for (const link of step.after) {
      if (named.has(link.step)) faults.push(`${step.name} follows ${link.step} twice`);
      named.add(link.step);
    }
  }
  const cycle = findCycle(steps);
  if (cycle) faults.push(`the flow goes round in a circle: ${cycle.join(' → ')}`);
  return faults;
}

/** A step whose meters come from another waits for that one too. */
const beforeOf = (step: FlowStep): string[] => [
  ...step.after.map((link) => link.step),
  ...(step.meters && 'step' in step.meters ? [step.meters.step] : []),
];

/** Names of the steps of one circle, the first one again at the end; undefined when there is none. */
export function findCycle(steps: readonly FlowStep[]): string[] | undefined {
  const next = new Map<string, string[]>(steps.map((step) => [step.name, []]));
  for (const step of steps) for (const before of beforeOf(step)) next.get(before)?.push(step.name);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] | undefined => {
    const at = path.indexOf(name);
    if (at >= 0) return [...path.slice(at), name];
    if (done.has(name)) return undefined;
    path.push(name);
    for (const follower of next.get(name) ?? []) {
      const found = visit(follower);
      if (found) return found;
    }
    path.pop();
    done.add(name);
    return undefined;
  };
  for (const step of steps) {
    const found = visit(step.name);
    if (found) return found;
  }
  return undefined;
}

/** How a step stands. `failed` counts all meters that were not done. */
export interface StepFact {
  readonly state: 'running' | 'done' | 'failed' | 'cancelled' | 'skipped';
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

/** Groups whose sizes the conditions ask for. */
export const groupsOf = (steps: readonly FlowStep[]): string[] => [
  ...new Set(steps.flatMap((step) => step.after.flatMap(({ when }) => ('group' in when ? [when.group] : [])))),
];

export interface FlowAdvance {
  /** Steps whose run is to be made now. */
  readonly begin: readonly string[];
  /** Steps that will not run, as their conditions can no longer hold. */
  readonly skip: readonly string[];
  /** How the flow ended; left out while it goes on. */
  readonly ended?: 'done' | 'failed';
}

const compare: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Whether a condition holds of a step that has ended. A share of no meters is 1 of those done and 0 of those failed. */
export function holds(condition: FlowCondition, fact: StepFact, groups: ReadonlyMap<string, number>): boolean {
  if (fact.state === 'skipped' || fact.state === 'running') return false;
  if ('group' in condition) return compare[condition.is](groups.get(condition.group) ?? 0, condition.value);
  if ('count' in condition) return compare[condition.is](fact[condition.count], condition.value);
  if ('share' in condition) {
    const none = condition.share === 'done' ? 1 : 0;
    return compare[condition.is](fact.total === 0 ? none : fact[condition.share] / fact.total, condition.value);
  }
  if (condition.is === 'ended') return true;
  // What was cancelled was not done.
  return condition.is === 'done' ? fact.state === 'done' : fact.state !== 'done';
}

/**
 * What is next. A flow has failed when a step failed and no other step began because of it; a failure that leads on was foreseen.
 *
 * @param facts of steps that have begun or were passed over, by name
 * @param groups sizes of the groups that conditions name
 */
export function advance(
  steps: readonly FlowStep[],
  facts: ReadonlyMap<string, StepFact>,
  groups: ReadonlyMap<string, number>,
): FlowAdvance {
  const known = new Map(facts);
  const begin: string[] = [];
  const skip: string[] = [];
  // What is passed over may settle those after it: once round for each step is enough.
  for (let changed = true; changed; ) {
    changed = false;
    for (const step of steps) {
      if (known.has(step.name) || begin.includes(step.name)) continue;
      const verdict = judge(step, known, groups);
      if (verdict === 'begin') begin.push(step.name);
      else if (verdict === 'skip') {
        skip.push(step.name);
        known.set(step.name, { state: 'skipped', total: 0, done: 0, failed: 0 });
        changed = true;
      }
    }
  }
  const over = begin.length === 0 && steps.every((step) => (known.get(step.name)?.state ?? 'running') !== 'running');
  if (!over) return { begin, skip };
  const failed = steps.some((step) => {
    const fact = known.get(step.name) as StepFact;
    return (fact.state === 'failed' || fact.state === 'cancelled') && !ledOn(step.name, steps, known, groups);
  });
  return { begin, skip, ended: failed ? 'failed' : 'done' };
}

function judge(
  step: FlowStep,
  known: ReadonlyMap<string, StepFact>,
  groups: ReadonlyMap<string, number>,
): 'begin' | 'skip' | 'wait' {
  if (step.meters && 'step' in step.meters) {
    const source = known.get(step.meters.step)?.state ?? 'running';
    if (source === 'skipped') return 'skip';
    if (source === 'running') return 'wait';
  }
  if (step.after.length === 0) return 'begin';
  const links = step.after.map((link): boolean | undefined => {
    const fact = known.get(link.step);
    return fact === undefined || fact.state === 'running' ? undefined : holds(link.when, fact, groups);
  });
  if (step.join === 'any') return links.includes(true) ? 'begin' : links.includes(undefined) ? 'wait' : 'skip';
  return links.includes(false) ? 'skip' : links.includes(undefined) ? 'wait' : 'begin';
}

const ledOn = (
  name: string,
  steps: readonly FlowStep[],
  known: ReadonlyMap<string, StepFact>,
  groups: ReadonlyMap<string, number>,
): boolean =>
  steps.some(
    (step) =>
      known.get(step.name)?.state !== 'skipped' &&
      step.after.some(
        (link) =>
          link.step === name &&
          // Doing the next thing whatever came of it is no answer to a failure of it.
          !('is' in link.when && link.when.is === 'ended') &&
          holds(link.when, known.get(name) as StepFact, groups),
      ),
  );
