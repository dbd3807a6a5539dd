/**
 * Dates and times with wildcards, and when they come (IEC 62056-6-2 clause 4.1.6.1).
 *
 * Decides: what is not specified matches anything. Day and day of week are read together: the last day with a day of week is
 * the last such day of the month; without a year, a day and a day of week are that day of week on or after the day. Times
 * here are wall clock, epoch ms as if UTC. Leaves out: zones and what happens in the repeated hour, which the caller knows.
 */
import { type DlmsDate, type DlmsDateTime, type DlmsTime, daysFromCivil, isCivilDate } from '@amiable/dlms';

export const DAY_MS = 86_400_000;
/** Between two 29ths of February around a century there are eight years. */
const SEARCH_DAYS = 8 * 366 + 1;

/** When daylight saving begins and ends, as days since 1970 on the wall calendar: for dates that name them. */
export interface DaylightSaving {
  begin(year: number): number | undefined;
  end(year: number): number | undefined;
}

/** Days since 1970 of the wall calendar. */
export function dayOf(wallMs: number): number {
  return Math.floor(wallMs / DAY_MS);
}

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 1 is Monday. */
  readonly weekday: number;
}

export function civilOf(day: number): CivilDate {
  const date = new Date(day * DAY_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() || 7,
  };
}

function daysIn(year: number, month: number): number {
  return month === 2 ? (isCivilDate(year, 2, 29) ? 29 : 28) : isCivilDate(year, month, 31) ? 31 : 30;
}

/** Whether a day (since 1970, wall calendar) is one that the date names. */
export function dateMatches(date: DlmsDate, day: number, daylightSaving?: DaylightSaving): boolean {
  const at = civilOf(day);
  if (date.month === 0xfe || date.month === 0xfd) {
    const turn = date.month === 0xfe ? daylightSaving?.begin(at.year) : daylightSaving?.end(at.year);
    return turn === day && (date.year === undefined || date.year === at.year);
  }
  if (date.year === undefined && date.weekday !== undefined && date.day !== undefined && date.day <= 31)
    return onOrAfter(date, day, at);
  if (date.year !== undefined && date.year !== at.year) return false;
  if (date.month !== undefined && date.month !== at.month) return false;
  if (date.weekday !== undefined && date.weekday !== at.weekday) return false;
  if (date.day === undefined) return true;
  if (date.day <= 31) return date.day === at.day;
  const left = daysIn(at.year, at.month) - at.day;
  const back = date.day === 0xfe ? 0 : date.day === 0xfd ? 1 : -1;
  if (back < 0) return false;
  // With a day of week: its last time in the month, or its last but one.
  return date.weekday === undefined ? left === back : Math.floor(left / 7) === back;
}

/** The day of week on the date's day or after it, be it in the month after. */
function onOrAfter(date: DlmsDate, day: number, at: CivilDate): boolean {
  if (at.weekday !== date.weekday) return false;
  for (let back = 0; back < 7; back++) {
    const from = back === 0 ? at : civilOf(day - back);
    if (from.day === date.day) return date.month === undefined || date.month === from.month;
  }
  return false;
}

/** Whether the time of day of `wallMs` is one that the time names; seconds and hundredths not specified match all. */
export function timeMatches(time: DlmsTime, wallMs: number): boolean {
  const ms = wallMs - dayOf(wallMs) * DAY_MS;
  const matches = (part: number | undefined, unit: number, count: number): boolean =>
    part === undefined || part === Math.floor(ms / unit) % count;
  return (
    matches(time.hour, 3_600_000, 24) &&
    matches(time.minute, 60_000, 60) &&
    matches(time.second, 1000, 60) &&
    matches(time.hundredths, 10, 100)
  );
}

export function dateTimeMatches(value: DlmsDateTime, wallMs: number, daylightSaving?: DaylightSaving): boolean {
  return dateMatches(value, dayOf(wallMs), daylightSaving) && timeMatches(value, wallMs);
}

/** Hours to hundredths; hundredths not specified are zero when a moment is looked for. */
const UNITS = [3_600_000, 60_000, 1000, 10] as const;
const COUNTS = [24, 60, 60, 100] as const;

/**
 * The first moment of a day, in ms from midnight, that the time names, at or after `from`; undefined when none is left. With
 * `back` the last one at or before.
 */
function momentOfDay(time: DlmsTime, from: number, back: boolean): number | undefined {
  const given = [time.hour, time.minute, time.second, time.hundredths ?? 0];
  const edge = back ? Math.floor(from / 10) * 10 : Math.ceil(from / 10) * 10;
  // While all larger parts are those of the edge, a part must not pass the edge's; then it is free.
  const search = (i: number, atEdge: boolean): number | undefined => {
    if (i === UNITS.length) return 0;
    const [unit, count] = [UNITS[i] as number, COUNTS[i] as number];
    const limit = i === 0 ? Math.floor(edge / unit) : Math.floor(edge / unit) % count;
    const wanted = given[i];
    const free = atEdge ? [limit, limit + (back ? -1 : 1)] : [back ? count - 1 : 0];
    for (const n of wanted === undefined ? free : [wanted]) {
      if (n < 0 || n >= count || (atEdge && (back ? n > limit : n < limit))) continue;
      const rest = search(i + 1, atEdge && n === limit);
      if (rest !== undefined) return n * unit + rest;
    }
    return undefined;
  };
  return search(0, true);
}

/**
 * The next wall time at or after `from` that the date-time names; undefined when there is none within eight years. A moment has
 * whole hundredths; `from` with a finer fraction is passed over to the next.
 */
export function nextOccurrence(value: DlmsDateTime, from: number, daylightSaving?: DaylightSaving): number | undefined {
  const first = dayOf(from);
  for (const day of daysFrom(value, first, 1)) {
    if (!dateMatches(value, day, daylightSaving)) continue;
    const moment = momentOfDay(value, day === first ? from - day * DAY_MS : 0, false);
    if (moment !== undefined) return day * DAY_MS + moment;
  }
  return undefined;
}

/** The last wall time at or before `until` that the date-time names; undefined when there is none within eight years. */
export function lastOccurrence(
  value: DlmsDateTime,
  until: number,
  daylightSaving?: DaylightSaving,
): number | undefined {
  const first = dayOf(until);
  for (const day of daysFrom(value, first, -1)) {
    if (!dateMatches(value, day, daylightSaving)) continue;
    const moment = momentOfDay(value, day === first ? until - day * DAY_MS : DAY_MS - 1, true);
    if (moment !== undefined) return day * DAY_MS + moment;
  }
  return undefined;
}

/** The days to look at: one where the date names one, else one after the other. */
function* daysFrom({ year, month, day }: DlmsDate, first: number, step: 1 | -1): Generator<number> {
  if (year !== undefined && month !== undefined && day !== undefined && month <= 12 && day <= 31) {
    if (!isCivilDate(year, month, day)) return;
    const only = daysFromCivil(year, month, day);
    if ((only - first) * step >= 0) yield only;
    return;
  }
  let from = first;
  if (year !== undefined) {
    // Not before the year begins, or after it ends.
    const edge = step > 0 ? daysFromCivil(year, 1, 1) : daysFromCivil(year, 12, 31);
    if ((edge - first) * step > 0) from = edge;
  }
  for (let n = 0; n < SEARCH_DAYS; n++) {
    const at = from + n * step;
    if (year !== undefined && civilOf(at).year !== year) return;
    yield at;
  }
}
