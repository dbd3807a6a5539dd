/**
 * Days of media: local days, and gas days from 06:00 to 06:00 local time; what a register moved in each; degree days.
 *
 * Decides: a day has 23, 24 or 25 hours, wherever it begins; a register that was not read at the border is taken on a straight line
 * between the readings around it, and the day is estimated then. Leaves out: which of the two a contract counts by.
 */
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import { type Intervals, QUALITY, type Showings } from '../series.ts';

export interface MediaDay {
  /** The local day in which it begins. */
  readonly day: string;
  readonly from: number;
  readonly to: number;
}

const HOUR = 3_600_000;
export const GAS_DAY = 6;
const MOST_DAYS = 40_000;

/** Start of the day that holds `at`, when days begin at `hour` local time. */
export function dayStart(zone: string, at: number, hour: number): number {
  const midnight = startOf('day', zone, at);
  const own = beginning(zone, midnight, hour);
  return own <= at ? own : beginning(zone, add('day', zone, midnight, -1), hour);
}
const beginning = (zone: string, midnight: number, hour: number): number =>
  hour === 0 ? midnight : localToUtc(zone, toLocal(zone, midnight) + hour * HOUR);

/** Days that begin in [from, to), each with its end. */
export function mediaDays(zone: string, from: number, to: number, hour = 0): MediaDay[] {
  const out: MediaDay[] = [];
  for (let midnight = startOf('day', zone, from); out.length < MOST_DAYS; ) {
    const next = add('day', zone, midnight, 1);
    const start = beginning(zone, midnight, hour);
    if (start >= to) break;
    if (start >= from)
      out.push({
        day: new Date(toLocal(zone, midnight)).toISOString().slice(0, 10),
        from: start,
        to: beginning(zone, next, hour),
      });
    midnight = next;
  }
  return out;
}

export interface DayAmount extends MediaDay {
  /** Mantissa with the scaler of what it was made of; NaN where nothing can be said. */
  readonly value: number;
  readonly quality: number;
}

/** Sums of intervals; a day in which one lacks has no sum. Intervals over a border do not fit and the day has none. */
export function sumsOfDays(intervals: Intervals, days: readonly MediaDay[]): DayAmount[] {
  const { start, step, values, quality } = intervals;
  return days.map((day) => {
    const [a, b] = [(day.from - start) / step, (day.to - start) / step];
    let sum = 0;
    let worst: number = QUALITY.measured;
    if (!Number.isInteger(a) || !Number.isInteger(b) || a < 0 || b > values.length) sum = Number.NaN;
    else
      for (let i = a; i < b; i++) {
        sum += values[i] as number;
        worst = Math.max(worst, quality[i] as number);
      }
    return { ...day, value: sum, quality: Number.isNaN(sum) ? QUALITY.missing : worst };
  });
}

/**
 * What a register moved in each day. A reading up to `near` ms from a border stands for it.
 * A register that fell (exchange, rollover) says nothing of the day.
 */
export function movesOfDays(showings: Showings, days: readonly MediaDay[], near = 15 * 60_000): DayAmount[] {
  const at = (time: number): { value: number; estimated: boolean } | undefined => {
    const { times, values } = showings;
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    const after = low < times.length ? low : -1;
    const before = after >= 0 && times[after] === time ? after : low - 1;
    const close = [before, after]
      .filter((k) => k >= 0 && Math.abs((times[k] as number) - time) <= near)
      .sort((a, b) => Math.abs((times[a] as number) - time) - Math.abs((times[b] as number) - time))[0];
    if (close !== undefined) return { value: values[close] as number, estimated: false };
    if (before < 0 || after < 0) return undefined;
    const [t0, t1, v0, v1] = [times[before], times[after], values[before], values[after]] as [
      number,
      number,
      number,
      number,
    ];
    if (v1 < v0) return undefined;
    return { value: Math.round(v0 + ((v1 - v0) * (time - t0)) / (t1 - t0)), estimated: true };
  };
  return days.map((day) => {
    const [first, last] = [at(day.from), at(day.to)];
    const value = first && last ? last.value - first.value : Number.NaN;
    if (!first || !last || Number.isNaN(value) || value < 0)
      return { ...day, value: Number.NaN, quality: QUALITY.missing };
    return { ...day, value, quality: first.estimated || last.estimated ? QUALITY.estimated : QUALITY.measured };
  });
}

export interface DegreeDayRule {
  /** Temperature that is wanted inside, °C. */
  readonly inside: number;
  /** A day with a mean at or above it needs no heating, °C. */
  readonly limit: number;
}
/** VDI 3807: degree days 20/15. Norway counts from 17/17. */
export const G20_15: DegreeDayRule = { inside: 20, limit: 15 };
export const HDD17: DegreeDayRule = { inside: 17, limit: 17 };

/** Degree days of one day with a mean outside temperature, K·d; NaN without a mean. */
export const degreeDays = (mean: number, { inside, limit }: DegreeDayRule = G20_15): number =>
  Number.isNaN(mean) ? Number.NaN : mean >= limit ? 0 : Math.max(0, inside - mean);

/** Mean temperatures of days, in the unit of the intervals; NaN where more than `missing` of the day lacks. */
export function meansOfDays(intervals: Intervals, days: readonly MediaDay[], missing = 0.2): number[] {
  const { start, step, values, scaler } = intervals;
  return days.map(({ from, to }) => {
    let sum = 0;
    let n = 0;
    let all = 0;
    for (let i = Math.ceil((from - start) / step); start + i * step < to; i++) {
      all++;
      const value = values[i];
      if (value === undefined || Number.isNaN(value)) continue;
      sum += value;
      n++;
    }
    return n === 0 || n < (1 - missing) * all
      ? Number.NaN
      : scaler < 0
        ? sum / n / 10 ** -scaler
        : (sum / n) * 10 ** scaler;
  });
}

/** Consumption as it would have been in a year of normal weather: the part that heats grows with the degree days. */
export function weatherNormal(consumed: number, actual: number, normal: number, base = 0): number {
  if (!(actual > 0) || !(normal >= 0)) return Number.NaN;
  return base + ((consumed - base) * normal) / actual;
}
