/**
 * The inner loops: energy by rate, by rate and quality, and the highest interval. Values are whole mantissas in a Float64Array, so sums are exact
 * below 2^53; NaN is a missing value and makes a sum NaN, upon which the caller counts again with care.
 */
import { MisuseError } from '@amiable/bytes';

/**
 * Adds the energy of each rate to `out`. One pass over runs of intervals, nothing looked up per interval.
 *
 * @param base place in `values` of the interval that runs count from
 * @param runs triples: first interval, interval after the last, rate
 */
export function addRates(values: Float64Array, base: number, runs: Int32Array, out: Float64Array): void {
  for (let r = 0; r < runs.length; r += 3) {
    const end = base + (runs[r + 1] as number);
    let i = base + (runs[r] as number);
    // Four sums side by side: an addition need not wait for the one before.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (; i + 3 < end; i += 4) {
      a += values[i] as number;
      b += values[i + 1] as number;
      c += values[i + 2] as number;
      d += values[i + 3] as number;
    }
    for (; i < end; i++) a += values[i] as number;
    out[runs[r + 2] as number] = (out[runs[r + 2] as number] as number) + (a + b + (c + d));
  }
}

/** Place of the highest value in [from, to); -1 where there is none. The first of equals. */
export function highestOf(values: Float64Array, from: number, to: number): number {
  let best = Number.NEGATIVE_INFINITY;
  let at = -1;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (value > best) {
      best = value;
      at = i;
    }
  }
  return at;
}

/**
 * Energy by rate and the highest interval of many meters whose intervals stand one meter after the other.
 *
 * @param values meters × count mantissas
 * @param rates out: meters × rateCount; NaN where an interval is missing
 * @param peaks out: one a meter, the highest interval; -Infinity where all are missing
 */
export function rateMeters(
  values: Float64Array,
  count: number,
  runs: Int32Array,
  rateCount: number,
  rates: Float64Array,
  peaks: Float64Array,
): void {
  const meters = peaks.length;
  for (let meter = 0; meter < meters; meter++) {
    const out = rates.subarray(meter * rateCount, (meter + 1) * rateCount);
    peaks[meter] = addRatesAndPeak(values, meter * count, runs, out.fill(0));
  }
}

/** `addRates`, and the highest value of all runs on the way. */
export function addRatesAndPeak(values: Float64Array, base: number, runs: Int32Array, out: Float64Array): number {
  let high = Number.NEGATIVE_INFINITY;
  let other = Number.NEGATIVE_INFINITY;
  for (let r = 0; r < runs.length; r += 3) {
    const end = base + (runs[r + 1] as number);
    let i = base + (runs[r] as number);
    let a = 0;
    let b = 0;
    for (; i + 1 < end; i += 2) {
      const x = values[i] as number;
      const y = values[i + 1] as number;
      a += x;
      b += y;
      if (x > high) high = x;
      if (y > other) other = y;
    }
    if (i < end) {
      const x = values[i] as number;
      a += x;
      if (x > high) high = x;
    }
    out[runs[r + 2] as number] = (out[runs[r + 2] as number] as number) + (a + b);
  }
  return high > other ? high : other;
}

/** Sums and counts by rate and quality: place rate × 5 + quality. */
export interface Tally {
  readonly sums: readonly bigint[];
  readonly counts: readonly number[];
}

/** Whether all of [from, to) is measured. */
export function allMeasured(quality: Uint8Array, from: number, to: number): boolean {
  let any = 0;
  for (let i = from; i < to; i++) any |= quality[i] as number;
  return any === 0;
}

/**
 * Energy by rate and quality of the runs, exact. What lies before or after the series is missing.
 *
 * @param base place in the series of the interval that runs count from; may be negative
 * @throws MisuseError for values that are no whole mantissas
 */
export function tally(
  values: Float64Array,
  quality: Uint8Array,
  base: number,
  runs: Int32Array,
  rateCount: number,
): Tally {
  const sums = new Array<bigint>(rateCount * 5).fill(0n);
  const counts = new Array<number>(rateCount * 5).fill(0);
  if (runs.length === 0) return { sums, counts };
  const from = base + (runs[0] as number);
  const to = base + (runs.at(-2) as number);
  if (from >= 0 && to <= values.length && allMeasured(quality, from, to)) {
    const fast = new Float64Array(rateCount);
    addRates(values, base, runs, fast);
    if (fast.every((sum) => Number.isSafeInteger(sum))) {
      for (let rate = 0; rate < rateCount; rate++) sums[rate * 5] = BigInt(fast[rate] as number);
      for (let r = 0; r < runs.length; r += 3)
        counts[(runs[r + 2] as number) * 5] =
          (counts[(runs[r + 2] as number) * 5] as number) + (runs[r + 1] as number) - (runs[r] as number);
      return { sums, counts };
    }
  }
  const partial = new Float64Array(5);
  for (let r = 0; r < runs.length; r += 3) {
    const place = (runs[r + 2] as number) * 5;
    const first = base + (runs[r] as number);
    const end = base + (runs[r + 1] as number);
    partial.fill(0);
    for (let i = first; i < end; i++) {
      const value = i >= 0 && i < values.length ? (values[i] as number) : Number.NaN;
      const q = Number.isNaN(value) || (quality[i] as number) > 3 ? 4 : (quality[i] as number);
      counts[place + q] = (counts[place + q] as number) + 1;
      if (q === 4) continue;
      if (!Number.isSafeInteger(value))
        throw new MisuseError(`interval ${i} of the series is ${value}; values are whole mantissas with a scaler`);
      const sum = (partial[q] as number) + value;
      if (Number.isSafeInteger(sum)) partial[q] = sum;
      else {
        sums[place + q] = (sums[place + q] as bigint) + BigInt(partial[q] as number);
        partial[q] = value;
      }
    }
    for (let q = 0; q < 4; q++)
      if (partial[q] !== 0) sums[place + q] = (sums[place + q] as bigint) + BigInt(partial[q] as number);
  }
  return { sums, counts };
}

/** Σ value × price over [from, to) where both are known, as a whole number; the slow way where it grows past 2^53. */
export function costOf(
  values: Float64Array,
  quality: Uint8Array,
  prices: Float64Array,
  base: number,
  from: number,
  to: number,
): bigint {
  let sum = 0;
  let big = 0n;
  const end = Math.min(to, values.length - base);
  for (let i = Math.max(from, -base); i < end; i++) {
    const value = values[base + i] as number;
    const price = prices[i] as number;
    if (Number.isNaN(value) || Number.isNaN(price) || (quality[base + i] as number) > 3) continue;
    const product = value * price;
    const next = sum + product;
    if (
      next < 9_007_199_254_740_992 &&
      next > -9_007_199_254_740_992 &&
      product < 4_503_599_627_370_496 &&
      product > -4_503_599_627_370_496
    ) {
      sum = next;
      continue;
    }
    big += BigInt(sum) + BigInt(value) * BigInt(price);
    sum = 0;
  }
  return big + BigInt(sum);
}
