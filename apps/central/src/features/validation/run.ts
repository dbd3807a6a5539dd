/**
 * A run of validation over many meters: what changed is read, judged in worker threads, and written, several batches under way at once.
 *
 * Decides: meters go in batches; of each the values are written first, then findings, estimates and states together, so that a run
 * that is killed does its last batches again to the same effect and no other; days are the local days of each meter's zone.
 * Leaves out: what changed (store.validation.plan), the kernels (compute).
 */
import { add, startOf } from '@amiable/calendar';
import { SEVERITIES, type Severity } from '@amiable/compute';
import { intervalRegister, QUANTITIES, type Quantity, quantityOf, type Scope } from '@amiable/model';
import type {
  By,
  MeterId,
  RegisterKey,
  SeriesData,
  Store,
  ValidatedMeter,
  ValidationOutcome,
  ValidationTask,
} from '@amiable/store';
import { selectionOf } from '../../scheduler/targets.ts';
import { batchOf } from './beside.ts';
import type { Failed } from './judge.ts';
import type { ValidationParameters } from './parameters.ts';
import type { Pool } from './pool.ts';
import { loadRules } from './rule-sets.ts';

/** Meters of one batch; with a month of quarters of two quantities some tens of megabytes. */
const BATCH = 250;
const NAMED = 10;

export interface RunParts {
  readonly store: Store;
  readonly pool: Pool;
  /** Epoch ms; may be simulated. */
  readonly now: () => number;
}

export interface RunOrder {
  readonly parameters: ValidationParameters;
  readonly scope: Scope;
  readonly who: string;
  /** Instead of the target: pages of meters. */
  readonly meters?: AsyncIterable<readonly MeterId[]> | undefined;
  readonly total?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  progress?(fact: Readonly<Record<string, unknown>>): void;
}

export interface RunResult {
  readonly meters: number;
  /** Meterings of which something was validated. */
  readonly meterings: number;
  readonly intervals: number;
  readonly findings: number;
  readonly estimates: number;
  readonly solved: number;
  /** Values of meterings that are others than before. */
  readonly changed: number;
  readonly failed: readonly Failed[];
}

const registers = new Map<string, RegisterKey>();
function registerOf(quantity: string, period: number): RegisterKey {
  const name = `${quantity} ${period}`;
  let key = registers.get(name);
  if (!key) {
    key = intervalRegister(quantityOf(quantity) as Quantity, period);
    registers.set(name, key);
  }
  return key;
}

export async function* pagesOf(
  store: Store,
  target: ValidationParameters['target'],
  scope: Scope,
  now: number,
): AsyncGenerator<readonly MeterId[]> {
  const { meters, ...rest } = target;
  if (meters) {
    for (let i = 0; i < meters.length; i += BATCH)
      yield await store.registry.select(selectionOf({ ...rest, meters: meters.slice(i, i + BATCH) }, now), scope, {
        limit: BATCH,
      });
    return;
  }
  const selection = selectionOf(target, now);
  for (let after: MeterId | undefined; ; ) {
    const page = await store.registry.select(selection, scope, {
      limit: 5000,
      ...(after === undefined ? {} : { after }),
    });
    for (let i = 0; i < page.length; i += BATCH) yield page.slice(i, i + BATCH);
    if (page.length < 5000) return;
    after = page.at(-1);
  }
}

export async function runValidation(parts: RunParts, order: RunOrder): Promise<RunResult> {
  const { store, pool, now } = parts;
  const { parameters, scope, signal } = order;
  const rules = await loadRules(store, parameters.ruleSet);
  const quantities = parameters.quantities?.map((name) => quantityOf(name) as Quantity) ?? QUANTITIES;
  const joined = new Set<string>();
  const sum = { meters: 0, meterings: 0, intervals: 0, findings: 0, estimates: 0, solved: 0, changed: 0 };
  const failed: Failed[] = [];
  const by: By = { who: order.who, at: now() };

  async function batch(ids: readonly MeterId[]): Promise<void> {
    const meters = await store.validation.rules.meters(ids);
    const tasks: ValidationTask[] = [];
    for (const [zone, own] of byZone(meters)) {
      const span = daysOf(parameters, zone, now());
      if (!(span.from < span.to)) continue;
      const planned = await store.validation.plan({
        meters: own,
        quantities,
        ...span,
        again: parameters.again,
        rulesOf: (meter, quantity) => rules.held(meter, quantity.name),
      });
      tasks.push(...planned);
    }
    if (tasks.length > 0) {
      const judged = await pool.judge(await batchOf(store, meters, tasks, rules, scope));
      signal?.throwIfAborted();
      failed.push(...judged.failed);
      const { outcomes } = judged;
      if (outcomes.length > 0) await write(outcomes);
    }
    sum.meters += ids.length;
    order.progress?.({
      done: sum.meters,
      ...(order.total === undefined ? {} : { total: order.total }),
      intervals: sum.intervals,
      findings: sum.findings,
      estimates: sum.estimates,
    });
  }

  async function write(outcomes: readonly ValidationOutcome[]): Promise<void> {
    const grouped = withGroups(outcomes, parameters.groups);
    const at = now();
    const written = await store.intervals.write(outcomes.map(seriesOf), { source: 'validation', at, replace: true });
    const saved = await store.validation.save(grouped, at);
    for (const [group, found] of saved.groups) {
      if (!joined.has(group) && !(await store.registry.group(group)))
        await store.registry.putGroup(group, { description: 'Meters that validation found' }, by);
      joined.add(group);
      await store.registry.addToGroup(group, found, 'all', by);
    }
    sum.meterings += outcomes.length;
    for (const { intervals } of outcomes) sum.intervals += intervals.values.length;
    sum.findings += saved.findings;
    sum.estimates += saved.estimates;
    sum.solved += saved.solved;
    sum.changed += written.replaced;
  }

  // While one batch is judged another is read and a third written.
  const most = Math.max(2, pool.threads + 1);
  const under = new Set<Promise<void>>();
  let fault: unknown;
  for await (const ids of order.meters ?? pagesOf(store, parameters.target, scope, now())) {
    if (fault !== undefined || signal?.aborted) break;
    if (ids.length === 0) continue;
    const one: Promise<void> = batch(ids)
      .catch((error: unknown) => {
        fault ??= error;
      })
      .finally(() => under.delete(one));
    under.add(one);
    if (under.size >= most) await Promise.race(under);
  }
  await Promise.all(under);
  if (fault !== undefined) throw fault;
  signal?.throwIfAborted();
  await leaveGroups(store, [...new Set([...rules.groups, ...parameters.groups.map((g) => g.group)])], by);
  return { ...sum, failed };
}

function byZone(meters: readonly ValidatedMeter[]): Map<string, ValidatedMeter[]> {
  const found = new Map<string, ValidatedMeter[]>();
  for (const meter of meters) {
    const list = found.get(meter.zone);
    if (list) list.push(meter);
    else found.set(meter.zone, [meter]);
  }
  return found;
}

/** Whole local days; of the day that runs the whole hours that are there (`open`), and nothing of it is missing yet. */
export function daysOf(
  { from, to, days }: Pick<ValidationParameters, 'from' | 'to' | 'days'>,
  zone: string,
  now: number,
): { readonly from: number; readonly to: number; readonly open?: number } {
  const today = startOf('day', zone, now);
  const end = to === undefined ? today : Math.min(today, startOf('day', zone, to));
  return {
    from: from === undefined ? add('day', zone, end, -days) : startOf('day', zone, from),
    to: end,
    ...(to === undefined ? { open: startOf('hour', zone, now) } : {}),
  };
}

const seriesOf = ({ meter, quantity, period, intervals }: ValidationOutcome): SeriesData => ({
  meter,
  register: registerOf(quantity, period),
  scaler: intervals.scaler,
  start: intervals.start,
  step: intervals.step,
  values: intervals.values,
  quality: intervals.quality,
});

function withGroups(
  outcomes: readonly ValidationOutcome[],
  groups: ValidationParameters['groups'],
): readonly ValidationOutcome[] {
  if (groups.length === 0) return outcomes;
  const weight = (severity: Severity): number => SEVERITIES.indexOf(severity);
  return outcomes.map((outcome) => ({
    ...outcome,
    findings: outcome.findings.map((finding) => {
      if (finding.group !== undefined) return finding;
      const found = groups.find(
        (g) => weight(finding.severity) >= weight(g.severity) && (!g.checks || g.checks.includes(finding.check)),
      );
      return found ? { ...finding, group: found.group } : finding;
    }),
  }));
}

/** Who was found for a group and has no open finding any more leaves it: what a flow is fed with is what is to be done. */
export async function leaveGroups(store: Store, groups: readonly string[], by: By): Promise<void> {
  for (const group of groups) {
    const stored = await store.registry.group(group);
    if (!stored || stored.selection !== null) continue;
    for (let after: MeterId | undefined; ; ) {
      const page = await store.registry.select({ group }, 'all', {
        limit: 1000,
        ...(after === undefined ? {} : { after }),
      });
      const free = page.length === 0 ? [] : await store.validation.freeOf(group, page);
      if (free.length > 0) await store.registry.removeFromGroup(group, free, 'all', by);
      if (page.length < 1000) break;
      after = page.at(-1);
    }
  }
}

/** What came of a run, in words. */
export function noteOf(result: RunResult): string {
  const count = (n: number): string => n.toLocaleString('en');
  const head =
    result.meterings === 0
      ? `${count(result.meters)} meters: nothing has changed since they were validated last`
      : `${count(result.meters)} meters, ${count(result.meterings)} meterings, ${count(result.intervals)} intervals: ${count(result.findings)} findings, ${count(result.estimates)} estimates, ${count(result.solved)} findings solved`;
  if (result.failed.length === 0) return head;
  const named = result.failed
    .slice(0, NAMED)
    .map(({ meter, quantity, reason }) => `meter ${meter} ${quantity}: ${reason}`)
    .join('; ');
  return `${head}; ${count(result.failed.length)} could not be validated: ${named}`;
}
