/**
 * Sums: intervals beside the register that counted the same energy, and registers of rates beside their total.
 *
 * Decides: the sum of the intervals between two showings equals what the register went forward, times the multiplier, within
 * `factor` (2) × multiplier × one step of the register, or within a tolerance that the rule says. Showings are taken once a local day
 * (the first on a boundary of intervals) and the last, so that a hit names a day. Spans in which an interval is missing, or the register
 * fell, are not compared: they are found by other rules.
 */
import type { ProfileRule } from '@amiable/model';
import type { Showings } from '../series.ts';
import { clock, number, words } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { type Context, hit, MAX_FINDINGS, real, say, timeOf } from './context.ts';
import { partOf } from './days.ts';

type SumRule = ProfileRule & { check: 'sum' | 'rates-sum' };

/** First index whose time is not before `time`. */
export function firstAt(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sum of [a, b) out of the days that are summed already; NaN where something is missing. */
export function sumBetween(ctx: Context, a: number, b: number): number {
  const { bounds, scan, values } = ctx;
  let sum = 0;
  let d = partOf(bounds, a);
  for (let i = a; i < b; ) {
    const start = bounds[d] as number;
    const end = bounds[d + 1] as number;
    if (scan.missing[d] === 0 && i === start && end <= b) {
      sum += scan.sum[d] as number;
      i = end;
    } else for (const stop = Math.min(end, b); i < stop; i++) sum += values[i] as number;
    d++;
  }
  return sum;
}

/** Up to where a showing may lie beside a boundary of intervals and still stand for it: clocks of registers tick on. */
const BESIDE_MS = 1000;

export function checkSum(ctx: Context, rule: SumRule & { check: 'sum' }): void {
  const { showings, intervals, multiplier = 1, unit } = ctx.input;
  if (!showings || showings.times.length < 2) return;
  const { start, step, scaler } = intervals;
  // One step of the register as mantissas of intervals.
  const one = multiplier * 10 ** (showings.scaler - scaler);
  const tolerance =
    rule.tolerance !== undefined
      ? mantissaOf(rule.tolerance, unit, scaler, step, rule.name)
      : Math.max(rule.factor * one, 0);
  const { times, values } = showings;
  const end = timeOf(ctx, ctx.to);
  let last = -1;
  let lastAt = -1;
  let day = ctx.firstDay;
  let found = 0;
  // Only so much as binary fractions may be off.
  const slack = 1e-9 * Math.abs(tolerance) + 1e-6;
  const begin = timeOf(ctx, ctx.from) - BESIDE_MS;
  let behind = firstAt(times, end + BESIDE_MS);
  while (behind < times.length && (times[behind] as number) <= end + BESIDE_MS) behind++;
  for (let s = firstAt(times, begin); s < behind; s++) {
    const at = Math.round(((times[s] as number) - start) / step);
    const beside = Math.abs(start + at * step - (times[s] as number)) <= BESIDE_MS;
    if (!beside || Number.isNaN(values[s] as number)) continue;
    // The first of its day, or the last of all.
    const due = at >= (ctx.bounds[day] as number);
    if (!due && s + 1 < behind) {
      // None before the next day's beginning is asked for, but the last.
      const next = firstAt(times, start + (ctx.bounds[day] as number) * step - BESIDE_MS);
      s = Math.max(s, Math.min(next, behind - 1) - 1);
      continue;
    }
    while (day < ctx.lastDay && (ctx.bounds[day] as number) <= at) day++;
    if (last >= 0 && at > lastAt) {
      const counted = (values[s] as number) - (values[last] as number);
      const sum = sumBetween(ctx, lastAt, at);
      const apart = sum - counted * one;
      if (counted >= 0 && Math.abs(apart) > tolerance + slack && found++ < MAX_FINDINGS)
        tellSum(ctx, rule, lastAt, at, last, s, { sum, register: counted * one, apart, tolerance });
    }
    last = s;
    lastAt = at;
  }
}

function tellSum(
  ctx: Context,
  rule: SumRule,
  a: number,
  b: number,
  first: number,
  second: number,
  n: { sum: number; register: number; apart: number; tolerance: number },
): void {
  const { showings, zone, unit, multiplier = 1 } = ctx.input;
  const { times, values, scaler } = showings as Showings;
  const shown = (s: number) => `${words(values[s] as number, unit, scaler)} at ${clock(zone, times[s] as number)}`;
  const by = multiplier === 1 ? '' : ` × ${number(multiplier)}`;
  hit(
    ctx,
    rule,
    a,
    b,
    `the intervals add up to ${say(ctx, n.sum)}, the register went from ${shown(first)} to ${shown(second)}${by}, which is ${say(ctx, n.register)}: ${say(ctx, Math.abs(n.apart))} ${n.apart < 0 ? 'too little' : 'too much'}, allowed are ${say(ctx, n.tolerance)}`,
    {
      sum: real(ctx, n.sum),
      register: real(ctx, n.register),
      difference: real(ctx, n.apart),
      tolerance: real(ctx, n.tolerance),
      multiplier,
    },
  );
}

/** A total beside the registers of its rates, at times at which all of them were read. */
export interface RatesMismatch {
  readonly time: number;
  readonly total: number;
  readonly sum: number;
  readonly tolerance: number;
  readonly rates: number;
}

/**
 * All that differ by more than `factor` steps of each register together (each of them is cut off for itself).
 * Amounts are mantissas with the scaler of the total.
 */
export function ratesMismatches(
  total: Showings,
  rates: readonly { readonly name: string; readonly showings: Showings }[],
  from: number,
  to: number,
  factor: number,
  tolerance?: number,
): RatesMismatch[] {
  const out: RatesMismatch[] = [];
  if (!rates.length) return out;
  let allowed = tolerance ?? factor;
  if (tolerance === undefined)
    for (const r of rates) allowed = Math.max(allowed, factor * 10 ** (r.showings.scaler - total.scaler));
  // Times rise in all of them, so they are walked through side by side.
  const places = rates.map(({ showings }) => firstAt(showings.times, from));
  for (let s = firstAt(total.times, from); s < total.times.length && (total.times[s] as number) <= to; s++) {
    const time = total.times[s] as number;
    let sum = 0;
    for (let r = 0; r < rates.length; r++) {
      const { showings } = rates[r] as (typeof rates)[number];
      let at = places[r] as number;
      while ((showings.times[at] as number) < time) at++;
      places[r] = at;
      sum +=
        showings.times[at] === time
          ? (showings.values[at] as number) * 10 ** (showings.scaler - total.scaler)
          : Number.NaN;
    }
    const shown = total.values[s] as number;
    const most = allowed * (1 + 1e-9) + 1e-6;
    if (Math.abs(sum - shown) > most && !isRollover(Math.abs(sum - shown), shown, most))
      out.push({ time, total: shown, sum, tolerance: allowed, rates: rates.length });
  }
  return out;
}

/**
 * Whether the difference is that of a register whose digits rolled over before the others': a whole number of times a power of ten above
 * everything that it shows.
 */
function isRollover(apart: number, shown: number, most: number): boolean {
  for (let range = 1e5; range <= 1e15; range *= 10) {
    const times = Math.round(apart / range);
    if (times > 0 && times < 10 && Math.abs(apart - times * range) <= most) return shown < range;
  }
  return false;
}

export function checkRates(ctx: Context, rule: SumRule & { check: 'rates-sum' }): void {
  const { showings, rates, intervals, unit, zone } = ctx.input;
  if (!showings || !rates) return;
  const { start, step } = intervals;
  const tolerance =
    rule.tolerance === undefined ? undefined : mantissaOf(rule.tolerance, unit, showings.scaler, step, rule.name);
  const found = ratesMismatches(showings, rates, timeOf(ctx, ctx.from), timeOf(ctx, ctx.to), rule.factor, tolerance);
  // The difference stands from when it came about; saying it again at every showing says nothing new.
  let before = Number.NaN;
  for (const one of found.slice(0, MAX_FINDINGS)) {
    const apart = one.sum - one.total;
    if (Math.abs(apart - before) <= one.tolerance) continue;
    before = apart;
    const at = Math.min(ctx.to - 1, Math.max(ctx.from, Math.floor((one.time - start) / step)));
    hit(ctx, rule, at, at + 1, ratesSentence(one, unit, showings.scaler, zone), {
      total: one.total * 10 ** showings.scaler,
      sum: one.sum * 10 ** showings.scaler,
      tolerance: one.tolerance * 10 ** showings.scaler,
    });
  }
}

export const ratesSentence = (one: RatesMismatch, unit: string, scaler: number, zone: string): string =>
  `at ${clock(zone, one.time)} the ${one.rates} registers of rates show ${words(one.sum, unit, scaler)} together and the total ${words(one.total, unit, scaler)}; allowed are ${words(one.tolerance, unit, scaler)} of difference`;
