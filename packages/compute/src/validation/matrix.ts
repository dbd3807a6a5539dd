/** Conditions of the first matrix (AMI system description §5.3): each run of intervals that meets one is a hit. */
import type { ProfileRule } from '@amiable/model';
import { number } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { anyDay, type Context, hit, MAX_FINDINGS, many, real, say, when } from './context.ts';
import { daysBefore } from './days.ts';

/** What an interval is compared with. */
export type Test = 'missing' | 'there' | 'any' | 'zero' | 'above' | 'below';

/** Calls `found` with every run [a, b) of [from, to) that passes the test. Missing values pass `missing` and `any` only. */
export function eachRun(
  values: Float64Array,
  from: number,
  to: number,
  test: Test,
  limit: number,
  found: (a: number, b: number) => void,
): void {
  let since = -1;
  for (let i = from; i < to; i++) {
    const v = values[i] as number;
    let is = false;
    switch (test) {
      case 'missing':
        is = Number.isNaN(v);
        break;
      case 'there':
        is = !Number.isNaN(v);
        break;
      case 'any':
        is = true;
        break;
      case 'zero':
        is = v === 0;
        break;
      case 'above':
        is = v > limit;
        break;
      case 'below':
        is = v < limit;
        break;
    }
    if (is) {
      if (since < 0) since = i;
    } else if (since >= 0) {
      found(since, i);
      since = -1;
    }
  }
  if (since >= 0) found(since, to);
}

/** Lowest, highest and sum of what is there in [a, b). */
export function extent(
  values: Float64Array,
  a: number,
  b: number,
): { low: number; high: number; sum: number; count: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  for (let i = a; i < b; i++) {
    const v = values[i] as number;
    if (Number.isNaN(v)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
    sum += v;
    count++;
  }
  return { low, high, sum, count };
}

/** `2026-03-01 14:00 to 15:30`-like span of the intervals [a, b). */
export const span = (ctx: Context, a: number, b: number): string => `${when(ctx, a)} to ${when(ctx, b)}`;

function runs(
  ctx: Context,
  rule: ProfileRule,
  test: Test,
  limit: number,
  tell: (a: number, b: number) => readonly [sentence: string, numbers: Record<string, number>],
): void {
  let n = 0;
  eachRun(ctx.values, ctx.from, ctx.to, test, limit, (a, b) => {
    if (n++ >= MAX_FINDINGS) return;
    const [sentence, numbers] = tell(a, b);
    hit(ctx, rule, a, b, sentence, { intervals: b - a, ...numbers });
  });
}

export function checkMissing(ctx: Context, rule: ProfileRule, least = 1): void {
  if (!anyDay(ctx, (s, d) => (s.missing[d] as number) > 0)) return;
  let n = 0;
  eachRun(ctx.values, ctx.from, ctx.to, 'missing', 0, (a, b) => {
    if (b - a < least || n++ >= MAX_FINDINGS) return;
    hit(ctx, rule, a, b, `${many(b - a)} missing from ${span(ctx, a, b)}`, { intervals: b - a });
  });
}

export function checkPresent(ctx: Context, rule: ProfileRule): void {
  const test = rule.check === 'anything' ? 'any' : rule.check === 'positive' ? 'above' : 'there';
  const what = test === 'any' ? 'looked at' : test === 'above' ? 'above zero' : 'there';
  runs(ctx, rule, test, 0, (a, b) => {
    const { low, high, sum, count } = extent(ctx.values, a, b);
    const told = count ? `: between ${say(ctx, low)} and ${say(ctx, high)}, ${say(ctx, sum)} together` : '';
    return [
      `${many(b - a)} ${what} from ${span(ctx, a, b)}${told}`,
      count ? { lowest: real(ctx, low), highest: real(ctx, high), sum: real(ctx, sum) } : {},
    ];
  });
}

export function checkZero(ctx: Context, rule: ProfileRule): void {
  if (!anyDay(ctx, (s, d) => (s.zeros[d] as number) > 0)) return;
  runs(ctx, rule, 'zero', 0, (a, b) => [`${many(b - a)} of zero from ${span(ctx, a, b)}`, {}]);
}

export function checkNegative(ctx: Context, rule: ProfileRule): void {
  if (!anyDay(ctx, (s, d) => (s.negative[d] as number) > 0)) return;
  runs(ctx, rule, 'below', 0, (a, b) => {
    const { low } = extent(ctx.values, a, b);
    return [
      `${many(b - a)} below zero from ${span(ctx, a, b)}; the lowest is ${say(ctx, low)}`,
      { lowest: real(ctx, low) },
    ];
  });
}

/** @param than what the limit is: `the limit`, `3 times the mean …` */
export function checkLimit(ctx: Context, rule: ProfileRule, above: boolean, limit: number, than: string): void {
  if (above && !anyDay(ctx, (s, d) => (s.high[d] as number) > limit)) return;
  runs(ctx, rule, above ? 'above' : 'below', limit, (a, b) => {
    const { low, high } = extent(ctx.values, a, b);
    const worst = above ? high : low;
    return [
      `${many(b - a)} ${above ? 'above' : 'below'} ${than} from ${span(ctx, a, b)}; the ${above ? 'highest' : 'lowest'} is ${say(ctx, worst)}`,
      { limit: real(ctx, limit), [above ? 'highest' : 'lowest']: real(ctx, worst) },
    ];
  });
}

export function checkGiven(
  ctx: Context,
  rule: ProfileRule & { check: 'higher-than' | 'lower-than' | 'demand-limit' },
): void {
  const { intervals, unit } = ctx.input;
  const limit = mantissaOf(rule.limit, unit, intervals.scaler, intervals.step, rule.name);
  const told = typeof rule.limit === 'string' && !rule.limit.endsWith(unit) ? ` (${rule.limit})` : '';
  checkLimit(ctx, rule, rule.check !== 'lower-than', limit, `the limit of ${say(ctx, limit)}${told}`);
}

// Grows with the longest context that was ever asked for.
let scratch = new Float64Array(4096);

/** Mean or median of what is there in the days before `from`; where that is less than a day, of what is validated itself. */
export function usual(ctx: Context, days: number, median: boolean): number {
  let a = daysBefore(ctx.grid.midnights, ctx.from, days);
  let b = ctx.from;
  if ((b - a) * ctx.input.intervals.step < 23 * 3_600_000) {
    a = ctx.from;
    b = ctx.to;
  }
  if (scratch.length < b - a) scratch = new Float64Array(2 * (b - a));
  let n = 0;
  let sum = 0;
  for (let i = a; i < b; i++) {
    const v = ctx.values[i] as number;
    if (Number.isNaN(v)) continue;
    scratch[n++] = v;
    sum += v;
  }
  if (!n) return Number.NaN;
  return median ? medianOf(scratch, n) : sum / n;
}

/** Of the first `n` values, none of them NaN; they are put in another order. */
export function medianOf(values: Float64Array, n: number): number {
  const middle = n >> 1;
  const upper = select(values, n, middle);
  if (n % 2) return upper;
  // What was put before the middle is not above it.
  let lower = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < middle; i++) if ((values[i] as number) > lower) lower = values[i] as number;
  return (lower + upper) / 2;
}

/** The k-th lowest; everything before it is not above it (Hoare's selection). */
function select(values: Float64Array, n: number, k: number): number {
  let low = 0;
  let high = n - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const moved = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = moved;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k] as number;
}

export function checkUsual(
  ctx: Context,
  rule: ProfileRule & {
    check: 'higher-than-average' | 'lower-than-average' | 'higher-than-median' | 'lower-than-median';
  },
): void {
  const median = rule.check.endsWith('median');
  const above = rule.check.startsWith('higher');
  const base = usual(ctx, rule.days, median);
  if (!(base > 0)) return;
  let limit = (base * rule.percent) / 100;
  const { intervals, unit } = ctx.input;
  if ('atLeast' in rule && rule.atLeast !== undefined)
    limit = Math.max(limit, mantissaOf(rule.atLeast, unit, intervals.scaler, intervals.step, rule.name));
  const than = `${say(ctx, limit)}: ${number(rule.percent)} % of the ${median ? 'median' : 'mean'} of ${many(rule.days, 'day')}, which is ${say(ctx, base)}`;
  checkLimit(ctx, rule, above, limit, than);
}
