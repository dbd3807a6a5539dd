/**
 * Local days over a series: which day and which time of day an interval has, and where the same time of another day lies.
 *
 * Decides: the kinds of day (weekday, weekend, holiday); the repeated hour of autumn finds the first of two, the hour that spring
 * leaves out finds the one after it. Days of 23 and 25 hours are compared by the clock, not by count.
 */
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import type { Intervals } from '../series.ts';

const DAY = 86_400_000;

export const WEEKDAY = 0;
export const WEEKEND = 1;
export const HOLIDAY = 2;
export const KINDS_OF_DAY = ['weekdays', 'weekend days', 'holidays'] as const;

export interface Days {
  readonly count: number;
  /** Start of each local day, epoch ms, and of the one after the last. */
  readonly starts: Float64Array;
  /** Local midnight as wall ms. */
  readonly walls: Float64Array;
  /** 0 Sunday … 6 Saturday. */
  readonly weekday: Uint8Array;
  readonly kind: Uint8Array;
}

interface Remembered {
  readonly zone: string;
  readonly start: number;
  readonly step: number;
  readonly n: number;
  readonly holidays: string;
  readonly days: Days;
}
/** Series of many meters over the same time follow each other. */
let last: Remembered | undefined;

export function daysOf(series: Intervals, zone: string, holidays: readonly number[] = []): Days {
  const { start, step } = series;
  const n = series.values.length;
  const named = holidays.join();
  if (last?.start === start && last.step === step && last.n === n && last.zone === zone && last.holidays === named)
    return last.days;
  const days = makeDays(start, step, n, zone, holidays);
  last = { zone, start, step, n, holidays: named, days };
  return days;
}

function makeDays(start: number, step: number, n: number, zone: string, holidays: readonly number[]): Days {
  const daily = step === DAY;
  const starts: number[] = [];
  const walls: number[] = [];
  if (daily) {
    // Steps of days are counted, for local days are not of equal length; an hour more or less changes no date at two at night.
    for (let i = 0; i <= n; i++) {
      starts.push(start + i * DAY);
      walls.push(Math.floor((toLocal(zone, start + i * DAY) + 2 * 3_600_000) / DAY) * DAY);
    }
  } else {
    const end = start + n * step;
    for (let at = startOf('day', zone, start); ; ) {
      starts.push(at);
      walls.push(Math.round(toLocal(zone, at) / DAY) * DAY);
      if (at >= end) break;
      const next = add('day', zone, at, 1);
      at = next > at ? next : add('day', zone, at, 2);
    }
  }
  const count = starts.length - 1;
  const free = new Set<number>();
  for (const holiday of holidays) free.add(Math.floor((toLocal(zone, holiday) + 2 * 3_600_000) / DAY) * DAY);
  const weekday = new Uint8Array(count);
  const kind = new Uint8Array(count);
  for (let d = 0; d < count; d++) {
    const wall = walls[d] as number;
    const w = (((Math.floor(wall / DAY) + 4) % 7) + 7) % 7;
    weekday[d] = w;
    kind[d] = free.has(wall) ? HOLIDAY : w === 0 || w === 6 ? WEEKEND : WEEKDAY;
  }
  return { count, starts: Float64Array.from(starts), walls: Float64Array.from(walls), weekday, kind };
}

/** The day that holds an instant. */
export function dayAt(days: Days, time: number): number {
  let low = 0;
  let high = days.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((days.starts[middle] as number) <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Time of day by the clock, ms. */
export function clockOf(days: Days, day: number, time: number, zone: string): number {
  const length = (days.starts[day + 1] as number) - (days.starts[day] as number);
  if (length === DAY) return time - (days.starts[day] as number);
  return toLocal(zone, time) - (days.walls[day] as number);
}

/** The instant at which the clock shows `clock` on a day. */
export function instantOf(days: Days, day: number, clock: number, zone: string): number {
  const length = (days.starts[day + 1] as number) - (days.starts[day] as number);
  if (length === DAY) return (days.starts[day] as number) + clock;
  return localToUtc(zone, (days.walls[day] as number) + clock);
}
