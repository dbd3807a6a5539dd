/**
 * One metering validated and estimated: what a meter sent becomes intervals, the rules look at them, what cannot be used is estimated
 * (mdm: order of steps). Pure, so that it runs in a worker thread or beside everything else alike.
 *
 * Decides: what was validated before is the context, what a person edited or accepted holds; which rules belong to which step. Leaves
 * out: the kernels (compute), reading and writing (the pipeline).
 */
import {
  type CompiledRule,
  checksOf,
  type EstimationSettings,
  type Finding,
  type Intervals,
  type Known,
  type LastYear,
  type MeterTimes,
  meteringOf,
  QUALITY,
  type Sent,
  type Showings,
  type Sibling,
  sourceStamps,
  vee,
} from '@amiable/compute';
import { type Holiday, quantityOf, type Unit } from '@amiable/model';
import type { RulesHeld, SentSeries, ValidationOutcome, ValidationTask } from '@amiable/store';
import { checksByRatio } from './ratios.ts';

/** Rules of one set made ready for one unit. */
export interface JudgeRules {
  readonly compiled: readonly CompiledRule[];
  readonly settings: EstimationSettings;
  readonly holidays: readonly Holiday[];
  /** The metering that `reference-profile` takes its shape of. */
  readonly reference?: { readonly meter: string; readonly quantity: string } | undefined;
}

/** A time in which one ratio holds. */
export interface Ratio {
  readonly from: number;
  readonly to: number;
  readonly multiplier: number;
}

export interface JudgeTask extends ValidationTask {
  readonly times: MeterTimes;
  /** Use of the same days last year, at the metering point. */
  readonly lastYear?: (LastYear & { readonly scaler: number }) | undefined;
  /** Registers of rates. */
  readonly rates?: readonly { readonly name: string; readonly showings: SentSeries }[] | undefined;
  /** Ratios of measuring transformers by their time, all of [context, end); left out: 1 throughout. */
  readonly ratios?: readonly Ratio[] | undefined;
  readonly holidays?: readonly number[] | undefined;
  readonly checkMeter?: Intervals | undefined;
  readonly reference?: Intervals | undefined;
}

/** What is sent to a worker: tasks of some meters, those of one meter together. */
export interface Batch {
  readonly tasks: readonly JudgeTask[];
  /** By `rulesKey`. */
  readonly rules: Readonly<Record<string, JudgeRules>>;
}

export const rulesKey = ({ ruleSet, version }: RulesHeld, unit: string): string => `${ruleSet}.${version}.${unit}`;

/** They find places without a value; a person cannot accept one that is not there. */
const OF_NOTHING: ReadonlySet<string> = new Set(['missing', 'gap', 'run-missing', 'sibling-missing']);

/** What a meter sent, as intervals with what was validated before around them. */
interface Made {
  readonly task: JudgeTask;
  readonly intervals: Intervals;
  readonly showings: Showings | undefined;
  readonly runs: Uint32Array | undefined;
}

/** A metering that could not be judged: nothing is written of it, and it is looked at again. */
export interface Failed {
  readonly meter: string;
  readonly quantity: string;
  readonly reason: string;
}

export interface Judged {
  readonly outcomes: ValidationOutcome[];
  readonly failed: Failed[];
}

export function judgeAll({ tasks, rules }: Batch): Judged {
  const outcomes: ValidationOutcome[] = [];
  const failed: Failed[] = [];
  const tried = <T>({ meter, quantity }: JudgeTask, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      failed.push({ meter, quantity, reason: (error as Error).message });
      return undefined;
    }
  };
  for (let i = 0; i < tasks.length; ) {
    const { meter } = tasks[i] as JudgeTask;
    const own: Made[] = [];
    for (; i < tasks.length && (tasks[i] as JudgeTask).meter === meter; i++) {
      const task = tasks[i] as JudgeTask;
      const made = tried(task, () => make(task));
      if (made) own.push(made);
    }
    for (const made of own) {
      const unit = quantityOf(made.task.quantity)?.unit ?? 'Wh';
      const held = rules[rulesKey(made.task.rules, unit)];
      const outcome = held && tried(made.task, () => judge(made, held, siblingsOf(made, own)));
      if (outcome) outcomes.push(outcome);
    }
  }
  return { outcomes, failed };
}

const siblingsOf = ({ intervals, task }: Made, all: readonly Made[]): Sibling[] =>
  all
    .filter(
      (other) =>
        other.task !== task &&
        other.intervals.start === intervals.start &&
        other.intervals.step === intervals.step &&
        other.intervals.values.length === intervals.values.length,
    )
    .map(({ task: { quantity }, intervals: own }) => ({
      name: quantity,
      unit: quantityOf(quantity)?.unit ?? 'Wh',
      intervals: own,
    }));

function sentOf({ kind, sent, period }: JudgeTask): Sent {
  const series: SentSeries = sent;
  if (kind === 'register') return { registers: [series] };
  const stamped = [{ ...series, period: period * 1000 }];
  return kind === 'interval' ? { profiles: stamped } : { powers: stamped };
}

function make(task: JudgeTask): Made {
  const step = task.period * 1000;
  const made = meteringOf(sentOf(task), { zone: task.zone, step, from: task.context, to: task.end });
  const intervals = task.stored ? layOver(made.intervals, task.stored, task.from, task.to) : made.intervals;
  return {
    task,
    intervals,
    showings: made.showings ?? task.showings,
    runs: made.showings ? made.runs : undefined,
  };
}

/** Stamps as checks of structure take them; most meters are on the grid to the millisecond, and nothing is to be moved. */
function stampsOf({ kind, sent: { times } }: JudgeTask, intervals: Intervals): Float64Array {
  const period = kind === 'register' ? 0 : intervals.step;
  const { start, step } = intervals;
  let exact = period === 0;
  // A quotient is far quicker than a remainder, and whole for multiples alone.
  for (let i = 0; exact && i < times.length; i++) {
    const place = ((times[i] as number) - start) / step;
    exact = Math.floor(place) === place;
  }
  return exact ? times : sourceStamps(times, period, intervals);
}

/** Readings of rates stand beside those of their total, which are on the grid. */
function onGrid(
  { name, showings }: { readonly name: string; readonly showings: SentSeries },
  intervals: Intervals,
): { name: string; showings: Showings } {
  return { name, showings: { ...showings, times: sourceStamps(showings.times, 0, intervals) } };
}

/** The one that `vee` works in. */
const scalerOf = (intervals: Intervals, showings: Showings | undefined): number =>
  Math.min(intervals.scaler, showings?.scaler ?? intervals.scaler);

function inScaler({ first, daily, scaler }: LastYear & { readonly scaler: number }, wanted: number): LastYear {
  return scaler === wanted ? { first, daily } : { first, daily: daily.map((v) => v * 10 ** (scaler - wanted)) };
}

/** Around the span what was validated stands in place of what was sent; within it only edits do. */
function layOver(sent: Intervals, stored: Intervals, from: number, to: number): Intervals {
  const scaler = Math.min(sent.scaler, stored.scaler);
  const [a, b] = [10 ** (sent.scaler - scaler), 10 ** (stored.scaler - scaler)];
  const { start, step, values, quality } = sent;
  const offset = (start - stored.start) / step;
  if (a !== 1) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * a;
  if (!Number.isInteger(offset) || step !== stored.step) return { ...sent, scaler };
  const lo = (from - start) / step;
  const hi = (to - start) / step;
  for (let i = 0; i < values.length; i++) {
    const q = stored.quality[i + offset];
    if (q === undefined || q >= QUALITY.missing) continue;
    if (i >= lo && i < hi && q !== QUALITY.edited) continue;
    values[i] = (stored.values[i + offset] as number) * b;
    quality[i] = q;
  }
  return { start, step, scaler, values, quality };
}

function judge(
  { task, intervals, showings, runs }: Made,
  rules: JudgeRules,
  siblings: readonly Sibling[],
): ValidationOutcome {
  const quantity = quantityOf(task.quantity);
  const unit: Unit = quantity?.unit ?? 'Wh';
  /** What is handed on of a finding that a person accepted, and the finding itself. */
  const accepted = new Map<Finding, Finding>();
  const holds = (finding: Finding): Finding => {
    if (task.accepted.length === 0 || OF_NOTHING.has(finding.check)) return finding;
    if (finding.usable && finding.action === 'unchanged' && finding.severity !== 'error') return finding;
    if (!task.accepted.some((a) => a.rule === finding.rule && a.from < finding.to && a.to > finding.from))
      return finding;
    const mild: Finding = { ...finding, usable: true, action: 'unchanged', severity: 'warning' };
    accepted.set(mild, finding);
    return mild;
  };
  const known: Known = {
    unit,
    zone: task.zone,
    quantity: task.quantity,
    meter: task.times,
    source: {
      times: stampsOf(task, intervals),
      values: task.sent.values,
    },
    ...(showings ? { showings } : {}),
    ...(task.kind === 'register' ? { readings: task.sent } : {}),
    ...(siblings.length > 0 ? { siblings } : {}),
    ...(task.rates ? { rates: task.rates.map((rate) => onGrid(rate, intervals)) } : {}),
    ...(task.lastYear ? { lastYear: inScaler(task.lastYear, scalerOf(intervals, showings)) } : {}),
  };
  const checks = task.ratios ? checksByRatio(rules.compiled, known, task.ratios) : checksOf(rules.compiled, known);
  const { registers, structure, intervals: values } = checks;
  const result = vee({
    intervals,
    from: task.from,
    to: task.to,
    zone: task.zone,
    consumption: quantity?.consumption ?? true,
    ...(showings ? { showings } : {}),
    ...(runs ? { runs } : {}),
    ...(task.times.outages ? { outages: task.times.outages } : {}),
    ...(task.holidays ? { holidays: task.holidays } : {}),
    ...(task.checkMeter ? { checkMeter: task.checkMeter } : {}),
    ...(task.reference ? { reference: task.reference } : {}),
    settings: rules.settings,
    checks: {
      ...(registers ? { registers: (shown, from, to) => registers(shown, from, to).map(holds) } : {}),
      ...(structure ? { structure: (series, from, to) => structure(series, from, to).map(holds) } : {}),
      ...(values ? { intervals: (series, from, to) => values(series, from, to).map(holds) } : {}),
    },
  });
  const { start, step, scaler, quality } = result.intervals;
  const [lo, hi] = [(result.from - start) / step, (result.to - start) / step];
  return {
    meter: task.meter,
    quantity: task.quantity,
    zone: task.zone,
    period: task.period,
    source: task.source,
    register: task.register,
    rules: task.rules,
    days: task.days,
    from: result.from,
    to: result.to,
    intervals: {
      start: result.from,
      step,
      scaler,
      // All of it is a copy already.
      values: lo === 0 && hi === quality.length ? result.intervals.values : result.intervals.values.slice(lo, hi),
      quality: lo === 0 && hi === quality.length ? quality : quality.slice(lo, hi),
    },
    findings: [...result.findings.map((finding) => accepted.get(finding) ?? finding), ...result.flags],
    estimates: result.estimates,
  };
}

/** Buffers that move to another thread instead of being copied. */
export function buffersOf(outcomes: readonly ValidationOutcome[]): ArrayBuffer[] {
  return outcomes.flatMap(({ intervals }) => [
    intervals.values.buffer as ArrayBuffer,
    intervals.quality.buffer as ArrayBuffer,
  ]);
}

export function buffersIn({ tasks }: Batch): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  for (const { sent, showings, stored } of tasks)
    for (const one of [sent, showings, stored])
      if (one) {
        if ('times' in one) found.add(one.times.buffer as ArrayBuffer);
        found.add(one.values.buffer as ArrayBuffer);
        if (one.quality) found.add(one.quality.buffer as ArrayBuffer);
      }
  return [...found];
}
