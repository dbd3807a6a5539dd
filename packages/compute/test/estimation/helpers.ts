/** Series for tests of estimation: a gap is null. */
import { type Intervals, QUALITY, type Showings } from '../../src/index.ts';

export const Q = 900_000;
export const H = 4 * Q;
export const DAY = 24 * H;
export const ZONE = 'Europe/Oslo';
/** Monday, local midnight. */
export const MONDAY = Date.UTC(2026, 0, 4, 23);

export function series(values: readonly (number | null)[], start = MONDAY, step = Q, scaler = 0): Intervals {
  return {
    start,
    step,
    scaler,
    values: Float64Array.from(values, (v) => v ?? Number.NaN),
    quality: Uint8Array.from(values, (v) => (v === null ? QUALITY.missing : QUALITY.measured)),
  };
}

export function showings(rows: readonly (readonly [time: number, value: number])[], scaler = 0): Showings {
  return {
    times: Float64Array.from(rows, ([time]) => time),
    values: Float64Array.from(rows, ([, value]) => value),
    scaler,
  };
}

export const whole = (intervals: Intervals) => ({
  from: intervals.start,
  to: intervals.start + intervals.values.length * intervals.step,
});

/** `n` days of quarters, each value by day and quarter of the day. */
export const daysOfQuarters = (n: number, value: (day: number, quarter: number) => number | null): (number | null)[] =>
  Array.from({ length: n * 96 }, (_, i) => value(Math.floor(i / 96), i % 96));
