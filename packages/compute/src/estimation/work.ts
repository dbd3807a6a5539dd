/** What estimation works on while it works: one series with marks for each interval, and what has been put in so far. */
import type { Span } from '../outages.ts';
import { type Intervals, QUALITY, type Showings } from '../series.ts';
import type { Finding } from '../validation/types.ts';
import { type Days, daysOf } from './days.ts';
import { ESTIMATION_METHODS, type EstimationMethod } from './types.ts';
import type { EstimationSettings } from './vee-types.ts';

export const IN_PART = 1;
export const WHOLLY = 2;

/** A run of intervals [from, to) that one method filled. */
export interface Filled {
  readonly from: number;
  readonly to: number;
  readonly method: EstimationMethod;
  readonly sentence: string;
  readonly inputs: Record<string, number | readonly number[]>;
  /** Said by a rule or a person: not scaled. */
  readonly fixed: boolean;
  /** Register differences that it was scaled to. */
  scaledTo: number[];
}

/** Register at boundaries of the grid, rising in `at`; mantissas of the series. */
export interface Register {
  readonly at: Int32Array;
  readonly shown: Float64Array;
  readonly runs: Uint32Array;
}

export interface Work {
  readonly series: Intervals;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** 1: accepted, may be a basis of estimates. */
  readonly basis: Uint8Array;
  /** Whether a power failure lies in it. */
  readonly outage: Uint8Array;
  /** 1: has to be estimated and is not yet. */
  readonly open: Uint8Array;
  /** What is worked on, indices. */
  lo: number;
  hi: number;
  readonly zone: string;
  readonly consumption: boolean;
  readonly settings: EstimationSettings;
  readonly checkMeter: Intervals | undefined;
  readonly reference: Intervals | undefined;
  /** Asked for only where something was estimated: most series of most days are whole. */
  register(): Register;
  readonly filled: Filled[];
  readonly flags: Finding[];
  days(): Days;
}

export function createWork(
  series: Intervals,
  lo: number,
  hi: number,
  options: {
    readonly zone: string;
    readonly consumption: boolean;
    readonly settings: EstimationSettings;
    readonly outages: readonly Span[];
    readonly holidays: readonly number[];
    readonly notAccepted: readonly Span[];
    readonly checkMeter: Intervals | undefined;
    readonly reference: Intervals | undefined;
    readonly register: () => Register;
  },
): Work {
  const n = series.values.length;
  const { values, quality } = series;
  const basis = new Uint8Array(n);
  for (let i = 0; i < n; i++)
    basis[i] = (quality[i] as number) <= QUALITY.edited && !Number.isNaN(values[i] as number) ? 1 : 0;
  for (const span of options.notAccepted) {
    const [a, b] = within(series, span);
    basis.fill(0, a, b);
  }
  const outage = new Uint8Array(n);
  for (const span of options.outages) {
    const [a, b] = within(series, span);
    for (let i = a; i < b; i++) {
      const begin = series.start + i * series.step;
      outage[i] =
        span.from <= begin && span.to >= begin + series.step ? WHOLLY : Math.max(outage[i] as number, IN_PART);
    }
  }
  let days: Days | undefined;
  return {
    series,
    values,
    quality,
    basis,
    outage,
    open: new Uint8Array(n),
    lo,
    hi,
    zone: options.zone,
    consumption: options.consumption,
    settings: options.settings,
    checkMeter: options.checkMeter,
    reference: options.reference,
    register: options.register,
    filled: [],
    flags: [],
    days: () => {
      days ??= daysOf(series, options.zone, options.holidays);
      return days;
    },
  };
}

/** Indices [a, b) of the intervals that a span touches. */
export function within(series: Intervals, span: { readonly from: number; readonly to: number }): [number, number] {
  const { start, step } = series;
  const n = series.values.length;
  const a = Math.min(n, Math.max(0, Math.floor((span.from - start) / step)));
  const b = Math.min(n, Math.max(a, Math.ceil((span.to - start) / step)));
  return [a, b];
}

export const timeAt = (work: Work, i: number): number => work.series.start + i * work.series.step;

/** Values that stand in [from, to) are now estimates of a method. */
export function fill(
  work: Work,
  from: number,
  to: number,
  method: EstimationMethod,
  sentence: string,
  inputs: Record<string, number | readonly number[]>,
  fixed = false,
): void {
  for (let i = from; i < to; i++) {
    work.quality[i] = QUALITY.estimated;
    work.open[i] = 0;
    work.basis[i] = 0;
  }
  work.filled.push({ from, to, method, sentence, inputs, fixed, scaledTo: [] });
}

export function flag(
  work: Work,
  check: string,
  severity: Finding['severity'],
  from: number,
  to: number,
  sentence: string,
  numbers: Record<string, number>,
): void {
  work.flags.push({
    rule: 'estimation',
    check,
    severity,
    from: timeAt(work, from),
    to: timeAt(work, to),
    sentence,
    numbers,
    action: 'unchanged',
    usable: true,
  });
}

export const isMethod = (word: string): word is EstimationMethod =>
  (ESTIMATION_METHODS as readonly string[]).includes(word);

/**
 * Register readings on the boundaries of the grid, in mantissas of the series, as they may be scaled to: none that was dropped or is
 * an estimate itself. `runs` count falls.
 */
export function registerOn(
  series: Intervals,
  showings: Showings,
  options: {
    readonly runs: Uint32Array | undefined;
    readonly tolerance: number;
    readonly multiplier: number;
    readonly bad: readonly Span[];
    /** Only readings of this time, and one valid one before and after it; left out: all. */
    readonly only?: Span | undefined;
  },
): Register {
  const { times, values, quality } = showings;
  const { runs: given, tolerance, bad, only } = options;
  const all = Math.min(times.length, values.length);
  // Some more on both sides, for one that is bad or beside the grid; a window that is longer than that is rare, and then all are taken.
  const first = only ? Math.max(0, firstAt(times, only.from) - BESIDE) : 0;
  const end = only ? Math.min(all, firstAt(times, only.to) + BESIDE) : all;
  const count = end - first;
  const at = new Int32Array(count);
  const shown = new Float64Array(count);
  const runs = new Uint32Array(count);
  const { start, step } = series;
  const n = series.values.length;
  const factor = 10 ** (showings.scaler - series.scaler) * options.multiplier;
  let k = 0;
  let run = 0;
  let before = Number.NaN;
  for (let i = first; i < end; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    const time = times[i] as number;
    if (quality !== undefined && (quality[i] as number) >= QUALITY.estimated) continue;
    if (bad.length > 0 && isIn(bad, time)) continue;
    if (value < before) run++;
    before = value;
    const place = Math.round((time - start) / step);
    if (place < 0 || place > n || Math.abs(start + place * step - time) > tolerance) continue;
    // Of two at one boundary the later stands.
    if (k > 0 && place <= (at[k - 1] as number)) k--;
    at[k] = place;
    shown[k] = value * factor;
    runs[k] = given === undefined ? run : (given[i] as number);
    k++;
  }
  const register = { at: at.subarray(0, k), shown: shown.subarray(0, k), runs: runs.subarray(0, k) };
  if (!only) return register;
  const covers =
    (first === 0 || (k > 0 && start + (at[0] as number) * step <= only.from)) &&
    (end === all || (k > 0 && start + (at[k - 1] as number) * step >= only.to));
  return covers ? register : registerOn(series, showings, { ...options, only: undefined });
}

const BESIDE = 4;

/** Index of the first time that is not before `time`. */
function firstAt(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A finding of readings may name one instant alone. */
function isIn(spans: readonly Span[], time: number): boolean {
  for (const { from, to } of spans) if (time === from || (time >= from && time < to)) return true;
  return false;
}

/** Index of the last reading at `place` or before; -1: none. */
export function readingAt({ at }: Register, place: number): number {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((at[middle] as number) <= place) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
