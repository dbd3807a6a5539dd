/**
 * Curves that no customer makes: spikes, use far from the usual, steps, peaks.
 *
 * Decides: spike: (h1 − h3) / h3 of the highest and third-highest interval of a local day. High and low: mean daily use of the
 * last days beside that of the same days of last year, else of the days before. Step: change from the last value that is there.
 * Peak: the highest of what is validated beside the highest of as long before. Shares are per cent.
 */
import type { ProfileRule } from '@amiable/model';
import { number } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { type Context, hit, MAX_FINDINGS, many, real, say, scanFrom, timeOf, when } from './context.ts';
import { daysBefore, partOf } from './days.ts';
import { extent } from './matrix.ts';

type Rule<C extends ProfileRule['check']> = ProfileRule & { check: C };

const DAY = 86_400_000;
/** Of the days that are compared, how much must be there. */
const COVERED = 0.5;

function floorOf(ctx: Context, rule: ProfileRule & { atLeast?: string | number | undefined }): number {
  const { intervals, unit } = ctx.input;
  if (rule.atLeast === undefined) return 0;
  return mantissaOf(rule.atLeast, unit, intervals.scaler, intervals.step, rule.name);
}

export function checkSpike(ctx: Context, rule: Rule<'spike'>): void {
  const { bounds, scan, values } = ctx;
  const least = floorOf(ctx, rule);
  const times = 1 + rule.threshold;
  let n = 0;
  // Where of the day before the third was found: that is where most days have their peak.
  let hint = 0;
  for (let d = ctx.firstDay; d < ctx.lastDay; d++) {
    const h1 = scan.high[d] as number;
    if (!(h1 > 0) || h1 < least) continue;
    const a = bounds[d] as number;
    const b = bounds[d + 1] as number;
    if (b - a - (scan.missing[d] as number) < rule.intervals) continue;
    // (h1 − h3) / h3 > threshold, where fewer than three values reach h1 / (1 + threshold).
    const bar = h1 / times;
    let high = 0;
    let i = Math.min(a + hint, b - 1);
    const begun = i;
    do {
      if ((values[i] as number) >= bar && ++high === 3) break;
      if (++i === b) i = a;
    } while (i !== begun);
    if (high < 3) n = tellSpikes(ctx, rule, a, b, times, n);
    else hint = Math.max(0, i - a - 4);
  }
}

function tellSpikes(ctx: Context, rule: Rule<'spike'>, a: number, b: number, times: number, told: number): number {
  const [h1, , h3] = highest(ctx.values, a, b);
  let n = told;
  // With h3 zero the quotient says nothing: a house that is left alone and a pump that starts once.
  if (!(h3 > 0)) return n;
  for (let i = a; i < b; i++) {
    const v = ctx.values[i] as number;
    if (!(v > h3 * times) || n++ >= MAX_FINDINGS) continue;
    const ratio = (v - h3) / h3;
    hit(
      ctx,
      rule,
      i,
      i + 1,
      `${say(ctx, v)} at ${when(ctx, i)} stands ${number(ratio)} times above the third-highest interval of its day, ${say(ctx, h3)}; allowed is ${number(rule.threshold)}`,
      { value: real(ctx, v), highest: real(ctx, h1), third: real(ctx, h3), ratio, threshold: rule.threshold },
    );
  }
  return n;
}

/** The three highest of [a, b). */
function highest(values: Float64Array, a: number, b: number): [number, number, number] {
  const top: [number, number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = a; i < b; i++) {
    const v = values[i] as number;
    if (!(v > top[2])) continue;
    top[2] = v;
    top.sort((x, y) => y - x);
  }
  return top;
}

/** Mean use of a day of 24 hours over [a, b) out of the scanned days; NaN where too little is there of `wanted` intervals. */
function daily(ctx: Context, a: number, b: number, wanted: number): number {
  const { bounds, scan, values } = ctx;
  let sum = 0;
  let count = 0;
  let d = partOf(bounds, a);
  scanFrom(ctx, d);
  for (let from = bounds[d] as number; from < b; d++) {
    const to = bounds[d + 1] as number;
    if (from >= a && to <= b && d < ctx.lastDay) {
      sum += scan.sum[d] as number;
      count += to - from - (scan.missing[d] as number);
    } else {
      const part = extent(values, Math.max(a, from), Math.min(b, to));
      sum += part.sum;
      count += part.count;
    }
    from = to;
  }
  return count >= wanted * COVERED && count > 0 ? (sum / count) * (DAY / ctx.input.intervals.step) : Number.NaN;
}

/** Mean daily use of the same days a year ago; NaN where too few of them are known. */
function lastYearOf(ctx: Context, a: number, b: number): number {
  const { lastYear, lastYearDaily = Number.NaN } = ctx.input;
  if (!lastYear) return lastYearDaily;
  const { first, daily: days } = lastYear;
  const from = Math.round((timeOf(ctx, a) - first) / DAY);
  const to = Math.round((timeOf(ctx, b) - first) / DAY);
  let sum = 0;
  let count = 0;
  for (let d = Math.max(0, from); d < Math.min(to, days.length); d++) {
    const use = days[d] as number;
    if (Number.isNaN(use)) continue;
    sum += use;
    count++;
  }
  return count > 0 && count >= (to - from) * COVERED ? sum / count : lastYearDaily;
}

export function checkHighLow(ctx: Context, rule: Rule<'high-low'>): void {
  const { intervals } = ctx.input;
  const wanted = (rule.days * DAY) / intervals.step;
  const least = floorOf(ctx, rule);
  const { midnights } = ctx.grid;
  for (let end = ctx.to; end > ctx.from; ) {
    const begin = daysBefore(midnights, end, rule.days);
    const use = daily(ctx, begin, end, wanted);
    const before = daysBefore(midnights, begin, rule.days);
    const then = lastYearOf(ctx, begin, end);
    const known = !Number.isNaN(then);
    const usual = known ? then : begin > before ? daily(ctx, before, begin, wanted) : Number.NaN;
    const share = (use / usual) * 100;
    const high = share > rule.high && use >= least;
    const low = share < rule.low && usual >= least;
    if (usual > 0 && (high || low))
      hit(
        ctx,
        rule,
        Math.max(begin, ctx.from),
        end,
        `${say(ctx, use)} a day on average from ${when(ctx, begin)} to ${when(ctx, end)} is ${number(share)} % of ${known ? 'the same days last year' : `the ${many(rule.days, 'day')} before`}, ${say(ctx, usual)} a day; usual is ${number(rule.low)} to ${number(rule.high)} %`,
        { daily: real(ctx, use), usual: real(ctx, usual), percent: share, lowest: rule.low, highest: rule.high },
      );
    end = begin;
  }
}

export function checkStep(ctx: Context, rule: Rule<'step'>): void {
  const { values } = ctx;
  const share = rule.percent / 100;
  const least = floorOf(ctx, rule);
  let last = Number.NaN;
  for (let i = ctx.from - 1; i >= 0 && Number.isNaN(last); i--) last = values[i] as number;
  let n = 0;
  for (let i = ctx.from; i < ctx.to; i++) {
    const v = values[i] as number;
    if (Number.isNaN(v)) continue;
    const change = Math.abs(v - last);
    // A percentage of nothing says nothing: from zero only the floor counts, where the rule has one.
    if (change > share * Math.abs(last) && change > least && (last !== 0 || least > 0) && n++ < MAX_FINDINGS)
      hit(
        ctx,
        rule,
        i,
        i + 1,
        `from ${say(ctx, last)} to ${say(ctx, v)} at ${when(ctx, i)}: ${last === 0 ? 'a change' : `a change by ${number((change / Math.abs(last)) * 100)} %`}${least ? ` of ${say(ctx, change)}` : ''}; allowed are ${number(rule.percent)} %`,
        { before: real(ctx, last), value: real(ctx, v), percent: last ? (change / Math.abs(last)) * 100 : Number.NaN },
      );
    last = v;
  }
}

export function checkPeak(ctx: Context, rule: Rule<'demand-peak'>): void {
  const { scan } = ctx;
  const length = ctx.to - ctx.from;
  const begin = ctx.from - length;
  if (begin < 0) return;
  const before = extent(ctx.values, begin, ctx.from);
  let high = Number.NEGATIVE_INFINITY;
  for (let d = ctx.firstDay; d < ctx.lastDay; d++) high = Math.max(high, scan.high[d] as number);
  if (before.count < length * COVERED || !(before.high > 0)) return;
  const share = (high / before.high) * 100;
  if (!(share > rule.percent) || high < floorOf(ctx, rule)) return;
  let at = ctx.from;
  while (ctx.values[at] !== high) at++;
  hit(
    ctx,
    rule,
    at,
    at + 1,
    `the peak of ${say(ctx, high)} at ${when(ctx, at)} is ${number(share)} % of the highest of as long before (from ${when(ctx, begin)}), ${say(ctx, before.high)}; allowed are ${number(rule.percent)} %`,
    { peak: real(ctx, high), before: real(ctx, before.high), percent: share, allowed: rule.percent },
  );
}
