/**
 * Means and extremes of equal periods out of values that stand where the meter sent them. A value counts in the period
 * that its time falls in; empty periods are NaN. One pass, no allocation per value.
 */

export interface Resampled {
  readonly mean: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** How many values each period had. */
  readonly count: Uint32Array;
}

/**
 * @param times epoch ms, in any order
 * @param values as long as times; NaN is a missing value
 * @param from start of the first period, epoch ms
 * @param period length of a period, ms
 * @param periods how many
 */
export function resample(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  from: number,
  period: number,
  periods: number,
): Resampled {
  const mean = new Float64Array(periods);
  const min = new Float64Array(periods).fill(Number.NaN);
  const max = new Float64Array(periods).fill(Number.NaN);
  const count = new Uint32Array(periods);
  const n = Math.min(times.length, values.length);
  for (let i = 0; i < n; i++) {
    const value = values[i] as number;
    const at = Math.floor(((times[i] as number) - from) / period);
    if (at < 0 || at >= periods || Number.isNaN(value)) continue;
    mean[at] = (mean[at] as number) + value;
    count[at] = (count[at] as number) + 1;
    // Written so that the first value replaces NaN.
    if (!((min[at] as number) <= value)) min[at] = value;
    if (!((max[at] as number) >= value)) max[at] = value;
  }
  for (let p = 0; p < periods; p++) mean[p] = count[p] ? (mean[p] as number) / (count[p] as number) : Number.NaN;
  return { mean, min, max, count };
}
