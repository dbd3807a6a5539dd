/**
 * Ratios of measuring transformers in validation: rules speak of what flows at the metering point, a metering holds what its meter counts.
 *
 * Decides: an interval has the ratio that holds at its start, as in bills; checks see intervals times their ratio and k of the sum check
 * is the ratio, so the span is cut where it changes. Estimates, registers and what is written stay in what the meter counts; registers are
 * looked at as the meter shows them. Leaves out: where ratios stand (the registry).
 */
import {
  type CompiledRule,
  checksOf,
  type Finding,
  type Intervals,
  type Known,
  type VeeChecks,
} from '@amiable/compute';
import type { Ratio } from './judge.ts';

/** Pieces of [from, to) with the product of all ratios that hold in them; undefined where it is 1 throughout. */
export function ratiosIn(
  given: readonly { readonly from: number; readonly to: number | null; readonly multiplier: number }[],
  from: number,
  to: number,
): Ratio[] | undefined {
  const own = given.filter((one) => one.from < to && (one.to === null || one.to > from));
  if (own.length === 0) return undefined;
  const cuts = new Set([from, to]);
  for (const one of own) for (const at of [one.from, one.to]) if (at !== null && at > from && at < to) cuts.add(at);
  const times = [...cuts].sort((a, b) => a - b);
  const pieces: Ratio[] = [];
  for (let k = 1; k < times.length; k++) {
    const [begin, end] = [times[k - 1] as number, times[k] as number];
    const multiplier = ratioAt(own, begin);
    const before = pieces.at(-1);
    if (before?.multiplier === multiplier) pieces[pieces.length - 1] = { ...before, to: end };
    else pieces.push({ from: begin, to: end, multiplier });
  }
  return pieces.every(({ multiplier }) => multiplier === 1) ? undefined : pieces;
}

/** The product of what holds at a time. */
export function ratioAt(
  given: readonly { readonly from: number; readonly to: number | null; readonly multiplier: number }[],
  at: number,
): number {
  let product = 1;
  for (const { from, to, multiplier } of given) if (from <= at && (to === null || to > at)) product *= multiplier;
  return product;
}

/** Intervals times the ratio that holds at their start. */
export function timesRatio(intervals: Intervals, ratios: readonly Ratio[]): Intervals {
  const { start, step } = intervals;
  const values = intervals.values.slice();
  for (const { from, to, multiplier } of ratios) {
    const end = Math.min(values.length, Math.ceil((to - start) / step));
    for (let i = Math.max(0, Math.ceil((from - start) / step)); i < end; i++)
      values[i] = (values[i] as number) * multiplier;
  }
  return { ...intervals, values };
}

export function checksByRatio(rules: readonly CompiledRule[], known: Known, ratios: readonly Ratio[]): VeeChecks {
  const siblings = known.siblings?.map((one) => ({ ...one, intervals: timesRatio(one.intervals, ratios) }));
  const pieces = ratios.map((ratio) => ({
    ...ratio,
    checks: checksOf(rules, { ...known, ...(siblings ? { siblings } : {}), multiplier: ratio.multiplier }),
  }));
  const ask =
    (which: 'structure' | 'intervals'): NonNullable<VeeChecks['intervals']> =>
    (series, from, to) => {
      const seen = timesRatio(series, ratios);
      const { start, step } = series;
      const found: Finding[] = [];
      for (const { multiplier, checks, ...span } of pieces) {
        const begin = Math.max(from, start + Math.ceil((span.from - start) / step) * step);
        const end = Math.min(to, start + Math.ceil((span.to - start) / step) * step);
        if (!(begin < end)) continue;
        for (const one of checks[which]?.(seen, begin, end) ?? [])
          found.push(one.value === undefined ? one : { ...one, value: Math.round(one.value / multiplier) });
      }
      return found;
    };
  const first = pieces[0]?.checks;
  return {
    ...(first?.registers ? { registers: first.registers } : {}),
    ...(first?.structure ? { structure: ask('structure') } : {}),
    ...(first?.intervals ? { intervals: ask('intervals') } : {}),
  };
}
