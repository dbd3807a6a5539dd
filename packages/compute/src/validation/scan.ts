/**
 * One pass over a series that tells of each day all that most checks need to know, so that a day without a hit costs nothing more.
 *
 * Decides: sum, lowest, the three highest values, how many are zero and how many are missing (NaN). What a rule finds wrong in a day
 * is then looked for in that day alone. Top-level functions over typed arrays, nothing allocated but when the arrays must grow.
 */

/** Column d tells of part d of the bounds. Of a part without any value `low` is +Infinity and the highest are -Infinity. */
export interface Scan {
  parts: number;
  sum: Float64Array;
  low: Float64Array;
  high: Float64Array;
  second: Float64Array;
  third: Float64Array;
  zeros: Int32Array;
  missing: Int32Array;
}

export const newScan = (parts = 64): Scan => ({
  parts: 0,
  sum: new Float64Array(parts),
  low: new Float64Array(parts),
  high: new Float64Array(parts),
  second: new Float64Array(parts),
  third: new Float64Array(parts),
  zeros: new Int32Array(parts),
  missing: new Int32Array(parts),
});

/**
 * @param bounds ascending indices; part d is [bounds[d], bounds[d + 1])
 * @param into is filled and can be used again
 */
export function scanDays(values: Float64Array, bounds: Int32Array, into: Scan): Scan {
  const parts = bounds.length - 1;
  if (into.sum.length < parts) Object.assign(into, newScan(parts * 2));
  into.parts = parts;
  for (let d = 0; d < parts; d++) scanDay(values, bounds[d] as number, bounds[d + 1] as number, d, into);
  return into;
}

function scanDay(values: Float64Array, from: number, to: number, d: number, into: Scan): void {
  let sum = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let second = high;
  let third = high;
  let zeros = 0;
  for (let i = from; i < to; i++) {
    const v = values[i] as number;
    sum += v;
    if (v < low) low = v;
    if (v === 0) zeros++;
    if (v > third) {
      if (v > second) {
        third = second;
        if (v > high) {
          second = high;
          high = v;
        } else second = v;
      } else third = v;
    }
  }
  let missing = 0;
  // Comparisons with NaN are false, so all but the sum is right where something is missing.
  if (Number.isNaN(sum)) {
    sum = 0;
    for (let i = from; i < to; i++) {
      const v = values[i] as number;
      if (!Number.isNaN(v)) sum += v;
      else missing++;
    }
  }
  into.sum[d] = sum;
  into.low[d] = low;
  into.high[d] = high;
  into.second[d] = second;
  into.third[d] = third;
  into.zeros[d] = zeros;
  into.missing[d] = missing;
}
