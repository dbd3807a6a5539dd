/**
 * Validation of registers and other periodic values: the second matrix (AMI system description §5.3), and what holds of counters.
 *
 * Decides: of a register, limits and the reference are compared with what it shows; zero, the previous value, month and year with its
 * use since the showing before, for a counter is always higher than it was. Of a periodic consumption every comparison is with the
 * value itself. "Source" is what the meter itself sent, before estimates and edits. A register falls when it shows less than before,
 * unless its digits rolled over: it stood in the upper half of its range and now stands in the lower.
 */
import { MisuseError } from '@amiable/bytes';
import { add, startOf } from '@amiable/calendar';
import type { PeriodicRule } from '@amiable/model';
import { evaluate } from '../expression/evaluate.ts';
import { explainAt, sentenceAt } from '../expression/explain.ts';
import type { Expression } from '../expression/types.ts';
import { clock, duration, number } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { MAX_FINDINGS } from './context.ts';
import {
  ago,
  each,
  everFalls,
  hit,
  isRegister,
  lastBefore,
  measured,
  real,
  rolled,
  say,
  uses,
  type Work,
  when,
} from './showings.ts';
import { ratesMismatches, ratesSentence } from './sums.ts';
import type { CompiledRule, Finding, PeriodicInput } from './types.ts';
import { inOrder } from './validate.ts';

const DAY = 86_400_000;
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

/** All hits of the periodic rules, in order of time; `from` and `to` of a finding are indices of showings. @throws MisuseError */
export function validateRegisters(input: PeriodicInput, rules: readonly CompiledRule[]): Finding[] {
  const { showings, from, to } = input;
  const { times, values } = showings;
  const n = values.length;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= n) || times.length !== n)
    throw new MisuseError(`showings ${from} to ${to} are not among the ${n} that were given`);
  let sourceUse: Float64Array | undefined;
  let isFalling: boolean | undefined;
  const work: Work = {
    input,
    times,
    values,
    use: input.kind === 'consumption' ? values : uses(values, input.rollover),
    sourceUse() {
      const source = input.source ?? measured(input);
      sourceUse ??= input.kind === 'consumption' ? source : uses(source, input.rollover);
      return sourceUse;
    },
    falls() {
      isFalling ??= everFalls(values);
      return isFalling;
    },
    findings: [],
  };
  for (const rule of rules) if (rule.kind === 'periodic') check(work, rule);
  return work.findings.sort(inOrder);
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

const SHORTEST = {
  hour: 3_600_000,
  day: 23 * 3_600_000,
  week: 167 * 3_600_000,
  month: 28 * DAY - 3_600_000,
  year: 365 * DAY - 3_600_000,
};

function missing(w: Work, rule: PeriodicRule): void {
  const { from, to, period, zone } = w.input;
  for (let i = from; i < to && w.findings.length < MAX_FINDINGS; i++) {
    if (Number.isNaN(w.values[i] as number)) {
      hit(w, rule, i, i + 1, `no value at ${when(w, i)}`, {}, false);
      continue;
    }
    // Nothing can lack between two that are no further apart than the shortest period (a day of 23 hours, February).
    if (!period || i === 0 || (w.times[i] as number) - (w.times[i - 1] as number) <= SHORTEST[period]) continue;
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
  const base = source ? w.sourceUse() : w.use;
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

function falls(w: Work, rule: PeriodicRule & { check: 'falling' | 'rollover' }): void {
  if (!isRegister(w) || !w.falls()) return;
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
  if (isWithin(w, rule)) return;
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

/** Whether the highest use of all is allowed between the two showings that stand closest: then each is. */
function isWithin(w: Work, rule: PeriodicRule & { check: 'maximum' }): boolean {
  const { use, times } = w;
  const { from, to, unit, showings } = w.input;
  let highest = Number.NEGATIVE_INFINITY;
  let closest = Number.POSITIVE_INFINITY;
  for (let i = Math.max(1, from); i < to; i++) {
    const used = use[i] as number;
    const time = (times[i] as number) - (times[i - 1] as number);
    if (used > highest) highest = used;
    if (time < closest) closest = time;
  }
  if (highest === Number.NEGATIVE_INFINITY || !(closest > 0)) return false;
  // An amount is the same for all, a power allows more the longer it lasts.
  const least = mantissaOf(rule.limit, unit, showings.scaler, closest, rule.name);
  return least >= 0 && highest <= least;
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
