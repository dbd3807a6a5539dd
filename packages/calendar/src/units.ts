/** Local hours, days, weeks (from Monday, ISO 8601), months and years: where they begin and how one steps along them. */
import { localToUtc, toLocal, zoneOffset } from './zone.ts';

export const CALENDAR_UNITS = ['hour', 'day', 'week', 'month', 'year'] as const;
export type CalendarUnit = (typeof CALENDAR_UNITS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** First instant (UTC ms) of the local unit that holds `utcMs`. A local day has 23, 24 or 25 hours. */
export function startOf(unit: CalendarUnit, zone: string, utcMs: number): number {
  const offset = zoneOffset(zone, utcMs);
  const wall = utcMs + offset;
  if (unit === 'hour') {
    // Counted back within the same offset, so that the repeated hour has two starts.
    const start = Math.floor(wall / HOUR) * HOUR - offset;
    return zoneOffset(zone, start) === offset ? start : localToUtc(zone, start + zoneOffset(zone, start));
  }
  return localToUtc(zone, wallStart(unit, wall));
}

function wallStart(unit: Exclude<CalendarUnit, 'hour'>, wall: number): number {
  const day = Math.floor(wall / DAY) * DAY;
  if (unit === 'day') return day;
  if (unit === 'week') return day - ((new Date(day).getUTCDay() + 6) % 7) * DAY;
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), unit === 'month' ? date.getUTCMonth() : 0, 1);
}

/**
 * The start of the unit that lies `n` units from the one that holds `utcMs`. Days, weeks, months and years step in wall
 * time; hours step in real time, since a wall hour may stand twice or never.
 */
export function add(unit: CalendarUnit, zone: string, utcMs: number, n: number): number {
  if (unit === 'hour') return startOf('hour', zone, startOf('hour', zone, utcMs) + n * HOUR);
  const wall = wallStart(unit, toLocal(zone, utcMs));
  if (unit === 'day' || unit === 'week') return localToUtc(zone, wall + n * (unit === 'day' ? DAY : 7 * DAY));
  const date = new Date(wall);
  return localToUtc(
    zone,
    unit === 'month'
      ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n, 1)
      : Date.UTC(date.getUTCFullYear() + n, 0, 1),
  );
}

/** Starts of all units that begin in [from, to), after the one that holds `from`, with that one first. */
export function* startsIn(unit: CalendarUnit, zone: string, from: number, to: number): Generator<number> {
  for (let at = startOf(unit, zone, from); at < to; ) {
    yield at;
    const next = add(unit, zone, at, 1);
    // A zone that skipped a whole day (Samoa, 2011) would otherwise stand still.
    at = next > at ? next : add(unit, zone, at, 2);
  }
}
