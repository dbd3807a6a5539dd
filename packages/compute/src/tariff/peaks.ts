/** The highest windows out of a run of them. */
import { allMeasured, highestOf } from './kernels.ts';
import type { Windows } from './windows.ts';

/** What windows are picked out of. */
export interface Source {
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Place in `values` of interval 0 of the grid. */
  readonly base: number;
  /** Rate of each interval of the grid. */
  readonly rates: Uint16Array;
  /** By rate: whole weight, 0 for rates that do not count; left out, all weigh the same. */
  readonly weights: Float64Array | undefined;
}

/** One window: its place, its weighted sum, the worst quality in it. */
export interface Top {
  readonly window: number;
  readonly sum: number;
  readonly quality: number;
}

export interface Tops {
  /** The highest first; of equals the earlier. */
  readonly tops: readonly Top[];
  /** Windows with an interval missing, of those that would count. */
  readonly missing: number;
}

/** The `most` highest windows of [from, to), each of another day if so wanted. */
export function topsOf(
  source: Source,
  windows: Windows,
  from: number,
  to: number,
  most: number,
  differentDays: boolean,
): Tops {
  const { values, quality, base, rates, weights } = source;
  const { size, first, day } = windows;
  if (most === 1 && size === 1 && weights === undefined) return highest(source, windows, from, to);
  const tops: Top[] = [];
  let missing = 0;
  let least = Number.NEGATIVE_INFINITY;
  let best: Top | undefined;
  for (let w = from; w < to; w++) {
    const place = first[w] as number;
    const weight = weights === undefined ? 1 : (weights[rates[place] as number] as number);
    if (differentDays && best && day[w] !== day[best.window]) {
      least = keep(tops, best, most);
      best = undefined;
    }
    if (weight === 0) continue;
    const begin = base + place;
    if (begin < 0 || begin + size > values.length) {
      missing++;
      continue;
    }
    let sum = 0;
    let worst = 0;
    for (let i = begin; i < begin + size; i++) {
      const q = quality[i] as number;
      if (q > worst) worst = q;
      sum += values[i] as number;
    }
    if (worst > 3 || Number.isNaN(sum)) {
      missing++;
      continue;
    }
    sum *= weight;
    if (sum <= least) continue;
    if (differentDays) {
      if (!best || sum > best.sum) best = { window: w, sum, quality: worst };
    } else least = keep(tops, { window: w, sum, quality: worst }, most);
  }
  if (best) keep(tops, best, most);
  return { tops, missing };
}

/** Puts one in order. @returns what a window must exceed to get in from now on */
function keep(tops: Top[], top: Top, most: number): number {
  let at = tops.length;
  while (at > 0 && (tops[at - 1] as Top).sum < top.sum) at--;
  if (at < most) {
    tops.splice(at, 0, top);
    if (tops.length > most) tops.pop();
  }
  return tops.length < most ? Number.NEGATIVE_INFINITY : (tops[most - 1] as Top).sum;
}

/** The common case, one interval out of all, without a look at anything else. */
function highest({ values, quality, base }: Source, { first }: Windows, from: number, to: number): Tops {
  // One after the other without a gap, and all there: the plain maximum.
  const begin = base + (first[from] as number);
  const end = begin + to - from;
  if (
    to > from &&
    begin >= 0 &&
    end <= values.length &&
    (first[to - 1] as number) - (first[from] as number) === to - 1 - from &&
    allMeasured(quality, begin, end)
  ) {
    const place = highestOf(values, begin, end);
    if (place >= 0)
      return { tops: [{ window: from + place - begin, sum: values[place] as number, quality: 0 }], missing: 0 };
  }
  let best = Number.NEGATIVE_INFINITY;
  let at = -1;
  let missing = 0;
  for (let w = from; w < to; w++) {
    const i = base + (first[w] as number);
    const value = i < 0 || i >= values.length ? Number.NaN : (values[i] as number);
    if (Number.isNaN(value) || (quality[i] as number) > 3) missing++;
    else if (value > best) {
      best = value;
      at = w;
    }
  }
  if (at < 0) return { tops: [], missing };
  return { tops: [{ window: at, sum: best, quality: quality[base + (first[at] as number)] as number }], missing };
}
