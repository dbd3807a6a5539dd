/**
 * Validation of registers and other periodic values: the second matrix (AMI system description §5.3), and what holds of counters.
 *
 * Decides: of a register, limits and the reference are compared with what it shows; zero, the previous value, month and year with its
 * use since the showing before, for a counter is always higher than it was. Of a periodic consumption every comparison is with the
 * value itself. "Source" is what the meter itself sent, before estimates and edits. A register falls when it shows less than before,
 * unless its digits rolled over: it stood in the upper half of its range and now stands in the lower.
 */
import { MisuseError } from '@amiable/bytes';
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import type { PeriodicRule } from '@amiable/model';
import { evaluate } from '../expression/evaluate.ts';
import { explainAt, sentenceAt } from '../expression/explain.ts';
import type { Expression } from '../expression/types.ts';
import { QUALITY } from '../series.ts';
import { clock, duration, number, words } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { ratesMismatches, ratesSentence } from './sums.ts';
import type { CompiledRule, Finding, PeriodicInput } from './types.ts';
import { inOrder } from './validate.ts';

const MAX_FINDINGS = 1000;
const DAY = 86_400_000;
/** A showing stands for the same time a month or a year ago if it is no further away. */
const NEAR_MS = 36 * 3_600_000;

/** What formulas of periodic rules may name; see docs/expressions.md. */
export const PERIODIC_NAMES = [
  'value',
  'use',
  'previous_use',
  'previous_month',
  'previous_year',
  'reference',
  'source',
] as const;

interface Work {
  readonly input: PeriodicInput;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Use since the showing before (rollovers taken out); of a consumption the value itself. NaN: unknown, or it fell. */
  readonly use: Float64Array;
  /** The same of what the meter itself sent. */
  readonly sourceUse: Float64Array;
  readonly findings: Finding[];
}

/** All hits of the periodic rules, in order of time; `from` and `to` of a finding are indices of showings. @throws MisuseError */
export function validateRegisters(input: PeriodicInput, rules: readonly CompiledRule[]): Finding[] {
  const { showings, from, to } = input;
  const { times, values } = showings;
  const n = values.length;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= n) || times.length !== n)
    throw new MisuseError(`showings ${from} to ${to} are not among the ${n} that were given`);
  const source = input.source ?? measured(input);
  const work: Work = {
    input,
    times,
    values,
    use: input.kind === 'consumption' ? values : uses(values, input.rollover),
    sourceUse: input.kind === 'consumption' ? source : uses(source, input.rollover),
    findings: [],
  };
  for (const rule of rules) if (rule.kind === 'periodic') check(work, rule);
  return work.findings.sort(inOrder);
}

function measured({ showings: { values, quality } }: PeriodicInput): Float64Array {
  if (!quality) return values;
  return values.map((v, i) => (quality[i] === QUALITY.measured ? v : Number.NaN));
}

/** Index of the last showing before `i` that is there; -1: none. */
function lastBefore(values: Float64Array, i: number): number {
  let p = i - 1;
  while (p >= 0 && Number.isNaN(values[p] as number)) p--;
  return p;
}

const rolled = (before: number, now: number, rollover: number | undefined): boolean =>
  rollover !== undefined && before > rollover / 2 && before < rollover && now < rollover / 2 && now >= 0;

function uses(values: Float64Array, rollover: number | undefined): Float64Array {
  const out = new Float64Array(values.length).fill(Number.NaN);
  let before = Number.NaN;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (Number.isNaN(v)) continue;
    if (v >= before) out[i] = v - before;
    else if (rolled(before, v, rollover)) out[i] = v + (rollover as number) - before;
    before = v;
  }
  return out;
}

const say = (w: Work, mantissa: number): string => words(mantissa, w.input.unit, w.input.showings.scaler);
const real = (w: Work, mantissa: number): number => mantissa * 10 ** w.input.showings.scaler;
const when = (w: Work, i: number): string => clock(w.input.zone, w.times[i] as number);
const isRegister = (w: Work): boolean => w.input.kind === 'register';

function hit(
  w: Work,
  rule: PeriodicRule,
  from: number,
  to: number,
  sentence: string,
  numbers: Record<string, number>,
  usable = true,
): void {
  w.findings.push({
    rule: rule.name,
    check: rule.check,
    severity: rule.severity,
    from,
    to,
    sentence,
    numbers,
    action: 'unchanged',
    usable: rule.usable ?? usable,
    ...(rule.group !== undefined && { group: rule.group }),
  });
}

/** Calls `found` for showings that are there; stops after as many hits as one rule may have. */
function each(w: Work, found: (i: number) => boolean | undefined): void {
  let hits = 0;
  for (let i = w.input.from; i < w.input.to && hits < MAX_FINDINGS; i++)
    if (!Number.isNaN(w.values[i] as number) && found(i)) hits++;
}

function check(w: Work, { rule, expression }: CompiledRule & { kind: 'periodic' }): void {
  switch (rule.check) {
    case 'missing':
      missing(w, rule);
      break;
    case 'zero':
      each(w, (i) => {
        if (w.use[i] !== 0) return false;
        const since = isRegister(w) ? ` since ${when(w, lastBefore(w.values, i))}` : '';
        hit(
          w,
          rule,
          i,
          i + 1,
          `no use${since} at ${when(w, i)}${isRegister(w) ? `, it still shows ${say(w, w.values[i] as number)}` : ''}`,
          {
            value: real(w, w.values[i] as number),
          },
        );
        return true;
      });
      break;
    case 'anything':
    case 'not-missing':
      there(w, rule);
      break;
    case 'higher-than':
    case 'lower-than':
      limit(w, rule);
      break;
    case 'higher-than-reference':
    case 'lower-than-reference':
      compare(w, rule, 'reference', (i) => [w.values[i] as number, w.input.reference ?? Number.NaN, '']);
      break;
    case 'higher-than-previous':
    case 'lower-than-previous':
      compare(w, rule, 'previous', (i) => {
        const p = lastBefore(w.use, i);
        return [w.use[i] as number, p < 0 ? Number.NaN : (w.use[p] as number), p < 0 ? '' : ` at ${when(w, p)}`];
      });
      break;
    case 'falling':
    case 'rollover':
      falls(w, rule);
      break;
    case 'maximum':
      maximum(w, rule);
      break;
    case 'rates-sum':
      rates(w, rule);
      break;
    case 'multiplier': {
      const { sourceMultiplier, multiplier = 1, from, to } = w.input;
      if (sourceMultiplier !== undefined && sourceMultiplier !== multiplier && from < to)
        hit(
          w,
          rule,
          from,
          to,
          `the source says a ratio of ${number(sourceMultiplier)}, the registry ${number(multiplier)} for this time`,
          {
            source: sourceMultiplier,
            registry: multiplier,
          },
          false,
        );
      return;
    }
    case 'event':
      events(w, rule);
      break;
    case 'user':
      user(w, rule, expression as Expression);
      break;
    default:
      compareBack(w, rule);
  }
}

function missing(w: Work, rule: PeriodicRule): void {
  const { from, to, period, zone } = w.input;
  for (let i = from; i < to && w.findings.length < MAX_FINDINGS; i++) {
    if (Number.isNaN(w.values[i] as number)) {
      hit(w, rule, i, i + 1, `no value at ${when(w, i)}`, {}, false);
      continue;
    }
    if (!period || i === 0) continue;
    // What was due between the showing before and this one, both ends left out: a reading at a boundary stands for it.
    let lacking = 0;
    const last = startOf(period, zone, (w.times[i] as number) - 1);
    for (let due = add(period, zone, w.times[i - 1] as number, 1); due < last || due === last; ) {
      if (due >= (w.times[i] as number) || lacking >= 10_000) break;
      lacking++;
      due = add(period, zone, due, 1);
    }
    // A reading in the middle of each period has one boundary between it and the next.
    const aligned = startOf(period, zone, w.times[i] as number) === w.times[i];
    const lacks = aligned ? lacking : Math.max(0, lacking - 1);
    if (lacks > 0)
      hit(
        w,
        rule,
        i,
        i + 1,
        `${lacks} value${lacks > 1 ? 's' : ''} missing between ${when(w, i - 1)} and ${when(w, i)}: one is due every ${period}`,
        {
          missing: lacks,
        },
      );
  }
}

function there(w: Work, rule: PeriodicRule): void {
  const { from, to } = w.input;
  let count = 0;
  for (let i = from; i < to; i++) if (!Number.isNaN(w.values[i] as number)) count++;
  if (from < to && (rule.check === 'anything' || count > 0))
    hit(w, rule, from, to, `${count} of ${to - from} values there from ${when(w, from)} to ${when(w, to - 1)}`, {
      values: count,
    });
}

function limit(w: Work, rule: PeriodicRule & { check: 'higher-than' | 'lower-than' }): void {
  const above = rule.check === 'higher-than';
  // What is shown has no length; mean power would have nothing to be the mean of.
  if (typeof rule.limit === 'string' && !/(Wh|varh|VAh|m3|l|J)$/.test(rule.limit))
    throw new MisuseError(
      `rule "${rule.name}": ${rule.limit} is power; a value is compared with an amount, the check "maximum" with power`,
    );
  const least = mantissaOf(rule.limit, w.input.unit, w.input.showings.scaler, 0, rule.name);
  each(w, (i) => {
    const v = w.values[i] as number;
    if (above ? v <= least : v >= least) return false;
    hit(
      w,
      rule,
      i,
      i + 1,
      `${say(w, v)} at ${when(w, i)} is ${above ? 'above' : 'below'} the limit of ${say(w, least)}`,
      {
        value: real(w, v),
        limit: real(w, least),
      },
    );
    return true;
  });
}

type Compared = PeriodicRule & { readonly percent: number };

/** @param sides what is compared, with what, and of when that is */
function compare(
  w: Work,
  rule: Compared,
  what: string,
  sides: (i: number) => readonly [value: number, base: number, of: string],
): void {
  const above = rule.check.startsWith('higher');
  each(w, (i) => {
    const [value, base, of] = sides(i);
    const bound = base + ((above ? 1 : -1) * Math.abs(base) * rule.percent) / 100;
    // False for NaN: what is unknown is no hit.
    if (!(above ? value > bound : value < bound)) return false;
    const by = rule.percent ? ` by more than ${number(rule.percent)} %` : '';
    hit(
      w,
      rule,
      i,
      i + 1,
      `${say(w, value)} at ${when(w, i)} is ${above ? 'higher' : 'lower'}${by} than the ${what} value, ${say(w, base)}${of}`,
      {
        value: real(w, value),
        [what.replace(/ .*/, '')]: real(w, base),
        percent: rule.percent,
      },
    );
    return true;
  });
}

/** Months or years: `higher-than-previous-month-source` and its like. */
function compareBack(w: Work, rule: PeriodicRule): void {
  const unit = rule.check.includes('month') ? 'month' : 'year';
  const source = rule.check.endsWith('source');
  const base = source ? w.sourceUse : w.use;
  compare(
    w,
    rule as Compared,
    `${unit === 'month' ? "previous month's" : "previous year's"}${source ? ' source' : ''}`,
    (i) => {
      const p = ago(w, i, unit);
      return [w.use[i] as number, p < 0 ? Number.NaN : (base[p] as number), p < 0 ? '' : ` at ${when(w, p)}`];
    },
  );
}

/** The showing nearest to the same local time a month or a year ago; -1: none is near. */
function ago(w: Work, i: number, unit: 'month' | 'year'): number {
  const { zone } = w.input;
  const wall = toLocal(zone, w.times[i] as number);
  const date = new Date(wall);
  const months = unit === 'month' ? 1 : 12;
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months + 1, 0)).getUTCDate();
  const target = localToUtc(
    zone,
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, Math.min(last, date.getUTCDate())) +
      (((wall % DAY) + DAY) % DAY),
  );
  let best = -1;
  for (let p = i - 1; p >= 0; p--) {
    const apart = (w.times[p] as number) - target;
    if (apart < -NEAR_MS) break;
    if (apart > NEAR_MS || Number.isNaN(w.values[p] as number)) continue;
    if (best < 0 || Math.abs(apart) < Math.abs((w.times[best] as number) - target)) best = p;
  }
  return best;
}

function falls(w: Work, rule: PeriodicRule & { check: 'falling' | 'rollover' }): void {
  if (!isRegister(w)) return;
  const { rollover } = w.input;
  each(w, (i) => {
    const p = lastBefore(w.values, i);
    if (p < 0) return false;
    const before = w.values[p] as number;
    const now = w.values[i] as number;
    if (now >= before) return false;
    const over = rolled(before, now, rollover);
    if (over !== (rule.check === 'rollover')) return false;
    const went = `from ${say(w, before)} at ${when(w, p)} to ${say(w, now)} at ${when(w, i)}`;
    if (over)
      hit(
        w,
        rule,
        i,
        i + 1,
        `the register rolled over ${went}: its digits end at ${say(w, rollover as number)}, the use is ${say(w, w.use[i] as number)}`,
        {
          before: real(w, before),
          value: real(w, now),
          use: real(w, w.use[i] as number),
        },
      );
    else
      hit(
        w,
        rule,
        i,
        i + 1,
        `the register fell ${went}, by ${say(w, before - now)}; a counter never falls`,
        {
          before: real(w, before),
          value: real(w, now),
          difference: real(w, now - before),
        },
        false,
      );
    return true;
  });
}

function maximum(w: Work, rule: PeriodicRule & { check: 'maximum' }): void {
  const { unit, showings } = w.input;
  // Most showings stand equally far apart, and what may flow between them is read of the rule once.
  let asked = Number.NaN;
  let most = 0;
  each(w, (i) => {
    const p = lastBefore(w.values, i);
    const use = w.use[i] as number;
    if (p < 0 || Number.isNaN(use)) return false;
    const time = (w.times[i] as number) - (w.times[p] as number);
    if (time !== asked) most = mantissaOf(rule.limit, unit, showings.scaler, time, rule.name);
    asked = time;
    if (use <= most) return false;
    hit(
      w,
      rule,
      i,
      i + 1,
      `${say(w, use)} in ${duration(time)} up to ${when(w, i)} is more than the maximum of ${rule.limit}${typeof rule.limit === 'number' ? ` ${unit}` : ''}, ${say(w, most)} in this time`,
      {
        use: real(w, use),
        maximum: real(w, most),
        hours: time / 3_600_000,
      },
      false,
    );
    return true;
  });
}

function rates(w: Work, rule: PeriodicRule & { check: 'rates-sum' }): void {
  const { showings, unit, zone, from, to } = w.input;
  if (!w.input.rates || from >= to) return;
  const tolerance =
    rule.tolerance === undefined ? undefined : mantissaOf(rule.tolerance, unit, showings.scaler, 0, rule.name);
  const all = ratesMismatches(
    showings,
    w.input.rates,
    w.times[from] as number,
    w.times[to - 1] as number,
    rule.factor,
    tolerance,
  );
  for (const one of all.slice(0, MAX_FINDINGS)) {
    const i = w.times.indexOf(one.time);
    hit(w, rule, i, i + 1, ratesSentence(one, unit, showings.scaler, zone), {
      total: real(w, one.total),
      sum: real(w, one.sum),
      tolerance: real(w, one.tolerance),
    });
  }
}

/** Events since the showing before, told of the showing that follows. */
function events(w: Work, rule: PeriodicRule & { check: 'event' }): void {
  const named = (w.input.meter?.events ?? []).filter((event) => rule.events.includes(event.event));
  for (const event of named.slice(0, MAX_FINDINGS)) {
    let i = w.input.from;
    while (i < w.input.to && (w.times[i] as number) < event.from) i++;
    if (i >= w.input.to || (i > 0 && event.to < (w.times[i - 1] as number))) continue;
    if (i === 0 && event.to < (w.times[0] as number) - DAY) continue;
    hit(
      w,
      rule,
      i,
      i + 1,
      `the meter tells of ${event.event} at ${clock(w.input.zone, event.from)}, before its value of ${when(w, i)}`,
      {},
    );
  }
}

function user(w: Work, rule: PeriodicRule & { check: 'user' }, expression: Expression): void {
  const { values, input } = w;
  const n = values.length;
  const previous = (unit: 'month' | 'year'): Float64Array =>
    values.map((_, i) => {
      const p = ago(w, i, unit);
      return p < 0 ? Number.NaN : (w.use[p] as number);
    });
  const of = (name: string): Float64Array | undefined => {
    switch (name) {
      case 'value':
        return values;
      case 'use':
        return w.use;
      case 'previous_use':
        return values.map((_, i) => {
          const p = lastBefore(w.use, i);
          return p < 0 ? Number.NaN : (w.use[p] as number);
        });
      case 'previous_month':
        return previous('month');
      case 'previous_year':
        return previous('year');
      case 'reference':
        return values.map(() => input.reference ?? Number.NaN);
      case 'source':
        return input.source ?? measured(input);
      default:
        return undefined;
    }
  };
  // Showings have no grid; their order stands for one, and formulas with time in them are refused when they are compiled.
  const grid = { start: 0, step: DAY, n, zone: 'UTC', from: input.from, to: input.to };
  const series = (name: string) => {
    const found = of(name);
    return (
      found && {
        unit: input.unit,
        intervals: { start: 0, step: DAY, scaler: input.showings.scaler, values: found, quality: new Uint8Array(n) },
      }
    );
  };
  const truth = evaluate(expression, grid, series).values;
  each(w, (i) => {
    if (truth[i] !== 1) return false;
    const explained = explainAt(expression, grid, series, i);
    hit(w, rule, i, i + 1, `${rule.formula} holds at ${when(w, i)}: ${sentenceAt(explained)}`, {
      value: real(w, values[i] as number),
    });
    return true;
  });
}
