/**
 * Functions over windows of a series.
 *
 * Decides: missing values (NaN) are left out of all but `sum`, which is missing where one of its window is, and `missing`, which counts
 * them. Standard deviation is that of a sample (n − 1). A trailing window is cut into blocks and put together of what stands before and behind
 * the cut (van Herk, Gil and Werman), so that its cost does not grow with its length and no error builds up as it would by subtracting.
 */
import { MisuseError } from '@amiable/bytes';
import type { WindowFunction } from './types.ts';

/** Longest window of a moving median, intervals: a month of quarters and some more. */
export const MAX_MEDIAN = 3000;

/** Over the values of [a, b). `sum` and others of nothing are NaN; `count` and `missing` are numbers always. */
export function over(name: WindowFunction, v: Float64Array, a: number, b: number): number {
  let n = 0;
  let sum = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = a; i < b; i++) {
    const x = v[i] as number;
    if (Number.isNaN(x)) continue;
    n++;
    sum += x;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  switch (name) {
    case 'count':
      return n;
    case 'missing':
      return b - a - n;
    case 'sum':
      return n === b - a && n > 0 ? sum : Number.NaN;
    case 'mean':
      return n ? sum / n : Number.NaN;
    case 'min':
      return n ? low : Number.NaN;
    case 'max':
      return n ? high : Number.NaN;
    case 'first':
      for (let i = a; i < b; i++) if (!Number.isNaN(v[i] as number)) return v[i] as number;
      return Number.NaN;
    case 'last':
      for (let i = b - 1; i >= a; i--) if (!Number.isNaN(v[i] as number)) return v[i] as number;
      return Number.NaN;
    case 'median':
      return middle(v.slice(a, b));
    case 'stddev': {
      if (n < 2) return Number.NaN;
      const mean = sum / n;
      let square = 0;
      for (let i = a; i < b; i++) {
        const x = v[i] as number;
        if (!Number.isNaN(x)) square += (x - mean) ** 2;
      }
      return Math.sqrt(square / (n - 1));
    }
  }
}

/** Sorts `values`; NaN sort to the end. */
function middle(values: Float64Array): number {
  values.sort();
  let n = values.length;
  while (n > 0 && Number.isNaN(values[n - 1] as number)) n--;
  if (!n) return Number.NaN;
  const half = n >> 1;
  return n % 2 ? (values[half] as number) : ((values[half - 1] as number) + (values[half] as number)) / 2;
}

/** out[i] = v[max(0, i − k + 1)] + … + v[i]. */
function slidingSum(v: Float64Array, k: number): Float64Array {
  const n = v.length;
  const behind = new Float64Array(n);
  for (let block = 0; block < n; block += k) {
    let sum = 0;
    for (let i = Math.min(block + k, n) - 1; i >= block; i--) {
      sum += v[i] as number;
      behind[i] = sum;
    }
  }
  const out = new Float64Array(n);
  for (let block = 0; block < n; block += k) {
    let sum = 0;
    const end = Math.min(block + k, n);
    for (let i = block; i < end; i++) {
      sum += v[i] as number;
      // The window of the last of a block is the block; those of the first block begin before the series.
      const a = i - k + 1;
      out[i] = a <= 0 || i === block + k - 1 ? sum : (behind[a] as number) + sum;
    }
  }
  return out;
}

/** The lowest or highest of v[max(0, i − k + 1)] … v[i]. */
function slidingExtreme(v: Float64Array, k: number, low: boolean): Float64Array {
  const n = v.length;
  const none = low ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const behind = new Float64Array(n);
  for (let block = 0; block < n; block += k) {
    let best = none;
    for (let i = Math.min(block + k, n) - 1; i >= block; i--) {
      const x = v[i] as number;
      if (low ? x < best : x > best) best = x;
      behind[i] = best;
    }
  }
  const out = new Float64Array(n);
  for (let block = 0; block < n; block += k) {
    let best = none;
    const end = Math.min(block + k, n);
    for (let i = block; i < end; i++) {
      const x = v[i] as number;
      if (low ? x < best : x > best) best = x;
      const a = i - k + 1;
      const other = a <= 0 || i === block + k - 1 ? best : (behind[a] as number);
      out[i] = (low ? other < best : other > best) ? other : best;
    }
  }
  return out;
}

const present = (v: Float64Array, put: (x: number) => number, absent: number): Float64Array => {
  const out = new Float64Array(v.length);
  for (let i = 0; i < v.length; i++) out[i] = Number.isNaN(v[i] as number) ? absent : put(v[i] as number);
  return out;
};

/** The function of the `k` intervals that end with each. What lies before the series is missing. */
export function trailing(name: WindowFunction, v: Float64Array, k: number): Float64Array {
  const n = v.length;
  const out = new Float64Array(n);
  const count = slidingSum(
    present(v, () => 1, 0),
    k,
  );
  switch (name) {
    case 'count':
      return count;
    case 'missing':
      for (let i = 0; i < n; i++) out[i] = k - (count[i] as number);
      return out;
    case 'sum':
    case 'mean': {
      const sum = slidingSum(
        present(v, (x) => x, 0),
        k,
      );
      for (let i = 0; i < n; i++) {
        const c = count[i] as number;
        if (name === 'sum') out[i] = c === k ? (sum[i] as number) : Number.NaN;
        else out[i] = c ? (sum[i] as number) / c : Number.NaN;
      }
      return out;
    }
    case 'min':
    case 'max': {
      const low = name === 'min';
      const absent = low ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
      const found = slidingExtreme(
        present(v, (x) => x, absent),
        k,
        low,
      );
      for (let i = 0; i < n; i++) out[i] = count[i] ? (found[i] as number) : Number.NaN;
      return out;
    }
    case 'stddev': {
      // Moved by the mean of all, so that squares of large values do not swallow the difference.
      const shift = over('mean', v, 0, n);
      const sum = slidingSum(
        present(v, (x) => x - shift, 0),
        k,
      );
      const square = slidingSum(
        present(v, (x) => (x - shift) ** 2, 0),
        k,
      );
      for (let i = 0; i < n; i++) {
        const c = count[i] as number;
        const s = sum[i] as number;
        out[i] = c > 1 ? Math.sqrt(Math.max(0, (square[i] as number) - (s * s) / c) / (c - 1)) : Number.NaN;
      }
      return out;
    }
    case 'first':
    case 'last': {
      let last = -1;
      const next = new Int32Array(n + 1).fill(n);
      for (let i = n - 1; i >= 0; i--) next[i] = Number.isNaN(v[i] as number) ? (next[i + 1] as number) : i;
      for (let i = 0; i < n; i++) {
        if (!Number.isNaN(v[i] as number)) last = i;
        const at = name === 'last' ? last : (next[Math.max(0, i - k + 1)] as number);
        out[i] = at > i - k && at >= 0 && at <= i ? (v[at] as number) : Number.NaN;
      }
      return out;
    }
    case 'median':
      return movingMedian(v, k);
  }
}

function movingMedian(v: Float64Array, k: number): Float64Array {
  if (k > MAX_MEDIAN)
    throw new MisuseError(
      `a moving median goes over ${MAX_MEDIAN} intervals at most, this one over ${k}; take a calendar window`,
    );
  const out = new Float64Array(v.length);
  const window = new Float64Array(k);
  let n = 0;
  for (let i = 0; i < v.length; i++) {
    const gone = i >= k ? (v[i - k] as number) : Number.NaN;
    if (!Number.isNaN(gone)) {
      const at = placeOf(window, n, gone);
      window.copyWithin(at, at + 1, n);
      n--;
    }
    const come = v[i] as number;
    if (!Number.isNaN(come)) {
      const at = placeOf(window, n, come);
      window.copyWithin(at + 1, at, n);
      window[at] = come;
      n++;
    }
    const half = n >> 1;
    out[i] = !n
      ? Number.NaN
      : n % 2
        ? (window[half] as number)
        : ((window[half - 1] as number) + (window[half] as number)) / 2;
  }
  return out;
}

/** First of the `n` sorted values that is not below `x`. */
function placeOf(sorted: Float64Array, n: number, x: number): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const half = (low + high) >> 1;
    if ((sorted[half] as number) < x) low = half + 1;
    else high = half;
  }
  return low;
}

/** The function of each part [bounds[p], bounds[p + 1]), at every interval of it. */
export function byParts(name: WindowFunction, v: Float64Array, bounds: Int32Array): Float64Array {
  const out = new Float64Array(v.length);
  for (let p = 0; p + 1 < bounds.length; p++) {
    const a = bounds[p] as number;
    const b = bounds[p + 1] as number;
    out.fill(over(name, v, a, b), a, b);
  }
  return out;
}

/** Worst quality of the window of each interval; of what is there, for what is missing is said by the value. */
export function worst(
  quality: Uint8Array,
  v: Float64Array,
  window: { k: number } | { bounds: Int32Array },
): Uint8Array {
  const codes = new Float64Array(v.length);
  for (let i = 0; i < v.length; i++) codes[i] = Number.isNaN(v[i] as number) ? 0 : (quality[i] as number);
  const found = 'k' in window ? slidingExtreme(codes, window.k, false) : byParts('max', codes, window.bounds);
  return Uint8Array.from(found);
}
