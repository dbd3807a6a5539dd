/**
 * One pass over a series that tells of each day all that most checks need to know, so that a day without a hit costs nothing more.
 *
 * Decides: sum and highest value, and how many are zero, negative or missing (NaN). What a rule finds wrong in a day is then looked for in
 * that day alone. Four values at a time and four sums: an addition need not wait for the one before, and one comparison tells that nothing
 * is odd. Top-level functions over typed arrays, nothing allocated but when the arrays must grow.
 */

/** Column d tells of part d of the bounds. Of a part without any value `high` is -Infinity. */
export interface Scan {
  sum: Float64Array;
  high: Float64Array;
  zeros: Int32Array;
  negative: Int32Array;
  missing: Int32Array;
}

export const newScan = (parts = 64): Scan => ({
  sum: new Float64Array(parts),
  high: new Float64Array(parts),
  zeros: new Int32Array(parts),
  negative: new Int32Array(parts),
  missing: new Int32Array(parts),
});

/**
 * Parts [first, last) of the bounds.
 * @param bounds ascending indices; part d is [bounds[d], bounds[d + 1])
 * @param into is filled and can be used again; what it knows of other parts stays
 */
export function scanDays(values: Float64Array, bounds: Int32Array, into: Scan, first: number, last: number): void {
  if (into.sum.length < last) grow(into, last * 2);
  for (let d = first; d < last; d++) scanDay(values, bounds[d] as number, bounds[d + 1] as number, d, into);
}

function grow(into: Scan, parts: number): void {
  const more = newScan(parts);
  more.sum.set(into.sum);
  more.high.set(into.high);
  more.zeros.set(into.zeros);
  more.negative.set(into.negative);
  more.missing.set(into.missing);
  Object.assign(into, more);
}

function scanDay(values: Float64Array, from: number, to: number, d: number, into: Scan): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let high = Number.NEGATIVE_INFINITY;
  let odd = false;
  let i = from;
  for (const four = to - 3; i < four; i += 4) {
    const a = values[i] as number;
    const b = values[i + 1] as number;
    const c = values[i + 2] as number;
    const e = values[i + 3] as number;
    s0 += a;
    s1 += b;
    s2 += c;
    s3 += e;
    if (a > high) high = a;
    if (b > high) high = b;
    if (c > high) high = c;
    if (e > high) high = e;
    // False for NaN too.
    if (!(a > 0 && b > 0 && c > 0 && e > 0)) odd = true;
  }
  for (; i < to; i++) {
    const a = values[i] as number;
    s0 += a;
    if (a > high) high = a;
    if (!(a > 0)) odd = true;
  }
  into.sum[d] = s0 + s1 + (s2 + s3);
  into.high[d] = high;
  into.zeros[d] = 0;
  into.negative[d] = 0;
  into.missing[d] = 0;
  if (odd) scanOdd(values, from, to, d, into);
}

/** A day in which something is zero, negative or missing. */
function scanOdd(values: Float64Array, from: number, to: number, d: number, into: Scan): void {
  let sum = 0;
  let zeros = 0;
  let negative = 0;
  let missing = 0;
  for (let i = from; i < to; i++) {
    const v = values[i] as number;
    if (Number.isNaN(v)) missing++;
    else {
      sum += v;
      if (v === 0) zeros++;
      else if (v < 0) negative++;
    }
  }
  into.sum[d] = sum;
  into.zeros[d] = zeros;
  into.negative[d] = negative;
  into.missing[d] = missing;
}
