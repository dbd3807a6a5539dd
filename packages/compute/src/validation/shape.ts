/**
 * Curves that no customer makes: spikes, use far from the usual, steps, peaks.
 *
 * Decides: spike: (h1 − h3) / h3 of the highest and third-highest interval of a local day. High and low: mean daily use of the
 * last days beside that of the same days of last year, else of the days before. Step: change from the last value that is there.
 * Peak: the highest of what is validated beside the highest of as long before. Shares are per cent.
 */
import { add } from '@amiable/calendar';
import type { ProfileRule } from '@amiable/model';
import { number } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { type Context, hit, MAX_FINDINGS, many, real, say, when } from './context.ts';
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
  const { bounds, scan } = ctx;
  const least = floorOf(ctx, rule);
  const times = 1 + rule.threshold;
  let n = 0;
  for (let d = ctx.firstDay; d < ctx.lastDay; d++) {
    const h1 = scan.high[d] as number;
    const h3 = scan.third[d] as number;
    // With h3 zero the quotient says nothing: a house that is left alone and a pump that starts once.
    if (!(h3 > 0) || h1 <= h3 * times || h1 < least) continue;
    const a = bounds[d] as number;
    const b = bounds[d + 1] as number;
    if (b - a - (scan.missing[d] as number) < rule.intervals) continue;
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
  }
}

/** Mean use of a day of 24 hours over [a, b) out of the scanned days; NaN where too little is there of `wanted` intervals. */
function daily(ctx: Context, a: number, b: number, wanted: number): number {
  const { bounds, scan, values } = ctx;
  let sum = 0;
  let count = 0;
  for (let d = 0; d < scan.parts; d++) {
    const from = bounds[d] as number;
    const to = bounds[d + 1] as number;
    if (to <= a) continue;
    if (from >= b) break;
    if (from >= a && to <= b) {
      sum += scan.sum[d] as number;
      count += to - from - (scan.missing[d] as number);
    } else {
      const part = extent(values, Math.max(a, from), Math.min(b, to));
      sum += part.sum;
      count += part.count;
    }
  }
  return count >= wanted * COVERED && count > 0 ? (sum / count) * (DAY / ctx.input.intervals.step) : Number.NaN;
}

export function checkHighLow(ctx: Context, rule: Rule<'high-low'>): void {
  const { intervals, zone, lastYearDaily } = ctx.input;
  const { start, step, values } = intervals;
  const wanted = (rule.days * DAY) / step;
  const least = floorOf(ctx, rule);
  const back = (i: number): number => Math.ceil((add('day', zone, start + i * step - 1, 1 - rule.days) - start) / step);
  for (let end = ctx.to; end > ctx.from; ) {
    const begin = Math.max(0, back(end));
    const use = daily(ctx, begin, end, wanted);
    const known = lastYearDaily !== undefined && !Number.isNaN(lastYearDaily);
    const usual = known ? lastYearDaily : begin > 0 ? daily(ctx, Math.max(0, back(begin)), begin, wanted) : Number.NaN;
    const share = (use / usual) * 100;
    const high = share > rule.high && use >= least;
    const low = share < rule.low && usual >= least;
    if (usual > 0 && (high || low) && values.length > 0)
      hit(
        ctx,
        rule,
        Math.max(begin, ctx.from),
        end,
        `${say(ctx, use)} a day on average from ${when(ctx, begin)} to ${when(ctx, end)} is ${number(share)} % of ${known ? 'the same days last year' : `the ${many(rule.days, 'day')} before`}, ${say(ctx, usual)} a day; usual is ${number(rule.low)} to ${number(rule.high)} %`,
        { daily: real(ctx, use), usual: real(ctx, usual), percent: share, lowest: rule.low, highest: rule.high },
      );
    if (begin >= end) break;
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
