/**
 * What calendars, schedules and special days say at a wall time (IEC 62056-6-2 clauses 4.5.3 to 4.5.7).
 *
 * Decides: the season is the one that began last; a special day goes before the week; the action of a day is the last one
 * that began, and a day without one yet goes on with the day before. Takes the values as `readValue` gives them. Leaves
 * out: executing scripts, and time changes.
 */
import type { DlmsDate, DlmsDateTime, DlmsTime } from '@amiable/dlms';
import {
  civilOf,
  DAY_MS,
  type DaylightSaving,
  dateMatches,
  dayOf,
  lastOccurrence,
  nextOccurrence,
} from './recurrence.ts';

export interface Season {
  readonly season_profile_name: unknown;
  readonly season_start: DlmsDateTime;
  readonly week_name: unknown;
}

export interface WeekProfile {
  readonly week_profile_name: unknown;
  readonly monday: number;
  readonly tuesday: number;
  readonly wednesday: number;
  readonly thursday: number;
  readonly friday: number;
  readonly saturday: number;
  readonly sunday: number;
}

export interface DayAction {
  readonly start_time: DlmsTime;
  readonly script_logical_name: string;
  readonly script_selector: number;
}

export interface DayProfile {
  readonly day_id: number;
  readonly day_schedule: readonly DayAction[];
}

export interface SpecialDay {
  readonly index: number;
  readonly specialday_date: DlmsDate;
  readonly day_id: number;
}

/** The active or the passive half of an activity calendar. */
export interface Calendar {
  readonly seasons: readonly Season[];
  readonly weeks: readonly WeekProfile[];
  readonly days: readonly DayProfile[];
}

/** Names of seasons and weeks are octets: text, or bytes that are equal when all of them are. */
function sameName(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  return a === b;
}

/** The season that began last at or before the wall time; of two that began together the later in the list. */
export function seasonAt<S extends Season>(
  seasons: readonly S[],
  wallMs: number,
  daylightSaving?: DaylightSaving,
): S | undefined {
  let best: S | undefined;
  let begun = Number.NEGATIVE_INFINITY;
  for (const season of seasons) {
    const start = lastOccurrence(withTime(season.season_start), wallMs, daylightSaving);
    if (start === undefined || start < begun) continue;
    begun = start;
    best = season;
  }
  return best;
}

/** A start whose time is not specified begins with its day. */
function withTime({ hour = 0, minute = 0, second = 0, ...date }: DlmsDateTime): DlmsDateTime {
  return { ...date, hour, minute, second };
}

/** The special day that a wall day is; of several the one with the lowest index. */
export function specialDayAt<S extends SpecialDay>(
  specialDays: readonly S[],
  wallMs: number,
  daylightSaving?: DaylightSaving,
): S | undefined {
  const day = dayOf(wallMs);
  let best: S | undefined;
  for (const special of specialDays)
    if ((!best || special.index < best.index) && dateMatches(special.specialday_date, day, daylightSaving))
      best = special;
  return best;
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** The day_id that governs the day of a wall time; undefined when no season or week says one. */
export function dayIdAt(
  calendar: Calendar,
  specialDays: readonly SpecialDay[],
  wallMs: number,
  daylightSaving?: DaylightSaving,
): number | undefined {
  const special = specialDayAt(specialDays, wallMs, daylightSaving);
  if (special) return special.day_id;
  const season = seasonAt(calendar.seasons, wallMs, daylightSaving);
  const week = season && calendar.weeks.find(({ week_profile_name }) => sameName(week_profile_name, season.week_name));
  return week?.[WEEKDAYS[civilOf(dayOf(wallMs)).weekday - 1] as (typeof WEEKDAYS)[number]];
}

/** Milliseconds from midnight; undefined for a time that is no moment of a day. */
function startOf({ hour, minute = 0, second = 0, hundredths = 0 }: DlmsTime): number | undefined {
  if (hour === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  return hour * 3_600_000 + minute * 60_000 + second * 1000 + hundredths * 10;
}

/** The actions of a day in the order of their start. */
export function actionsOfDay(
  calendar: Calendar,
  dayId: number | undefined,
): readonly { readonly start: number; readonly action: DayAction }[] {
  const profile = calendar.days.find(({ day_id }) => day_id === dayId);
  const actions: { start: number; action: DayAction }[] = [];
  for (const action of profile?.day_schedule ?? []) {
    const start = startOf(action.start_time);
    if (start !== undefined) actions.push({ start, action });
  }
  return actions.sort((a, b) => a.start - b.start);
}

/** So far back it is looked for the action that still governs: a week has seven days, special days may hide one. */
const DAYS_BACK = 8;

export interface CalendarState {
  readonly dayId: number | undefined;
  /** The action that began last, be it on a day before; undefined when none did within eight days. */
  readonly action: DayAction | undefined;
  /** Wall time at which it began. */
  readonly since: number | undefined;
  /** Wall time of the next action, today or on the days after; undefined when none comes within eight days. */
  readonly next: number | undefined;
}

/** What an activity calendar with its special days says at a wall time. */
export function calendarAt(
  calendar: Calendar,
  specialDays: readonly SpecialDay[],
  wallMs: number,
  daylightSaving?: DaylightSaving,
): CalendarState {
  const today = dayOf(wallMs);
  // A season may begin within the day; the day is what its last moment says.
  const idOf = (day: number): number | undefined =>
    dayIdAt(calendar, specialDays, day === today ? wallMs : (day + 1) * DAY_MS - 1, daylightSaving);
  let action: DayAction | undefined;
  let since: number | undefined;
  for (let day = today; day > today - DAYS_BACK && !action; day--)
    for (const found of actionsOfDay(calendar, idOf(day)))
      if (day * DAY_MS + found.start <= wallMs) {
        action = found.action;
        since = day * DAY_MS + found.start;
      }
  let next: number | undefined;
  for (let day = today; day < today + DAYS_BACK && next === undefined; day++)
    for (const found of actionsOfDay(calendar, idOf(day)))
      if (next === undefined && day * DAY_MS + found.start > wallMs) next = day * DAY_MS + found.start;
  return { dayId: idOf(today), action, since, next };
}

export interface ScheduleEntry {
  readonly index: number;
  readonly enable: boolean;
  readonly script_logical_name: string;
  readonly script_selector: number;
  readonly switch_time: DlmsTime;
  readonly validity_window: number;
  /** Bits as text, Monday first. */
  readonly exec_weekdays: string;
  /** Bits as text; the nth is special day_id n. */
  readonly exec_specdays: string;
  readonly begin_date: DlmsDate;
  readonly end_date: DlmsDate;
}

/** Whether a day lies between two dates, both included; without years they come back each year, be it over its end. */
export function isBetween(begin: DlmsDate, end: DlmsDate, day: number): boolean {
  const at = civilOf(day);
  const order = (date: DlmsDate): number =>
    (date.year ?? at.year) * 10_000 + (date.month ?? at.month) * 100 + (date.day ?? at.day);
  const [from, to, here] = [order(begin), order(end), order({})];
  if (begin.year === undefined && end.year === undefined && from > to) return here >= from || here <= to;
  return here >= from && here <= to;
}

/** Whether an entry of a schedule is to be executed on the day of a wall time: special days go before days of week. */
export function isScheduled(
  entry: ScheduleEntry,
  specialDays: readonly SpecialDay[],
  wallMs: number,
  daylightSaving?: DaylightSaving,
): boolean {
  const day = dayOf(wallMs);
  if (!entry.enable || !isBetween(entry.begin_date, entry.end_date, day)) return false;
  const special = specialDayAt(specialDays, wallMs, daylightSaving);
  if (special) return entry.exec_specdays[special.day_id] === '1';
  return entry.exec_weekdays[civilOf(day).weekday - 1] === '1';
}

/** The next wall time at or after `from` at which an entry is executed; undefined when none comes within eight years. */
export function nextSwitch(
  entry: ScheduleEntry,
  specialDays: readonly SpecialDay[],
  from: number,
  daylightSaving?: DaylightSaving,
): number | undefined {
  const first = dayOf(from);
  for (let day = first; day < first + 8 * 366; day++) {
    if (!isScheduled(entry, specialDays, day * DAY_MS, daylightSaving)) continue;
    const start = Math.max(from, day * DAY_MS);
    const found = nextOccurrence({ ...civilDate(day), ...entry.switch_time }, start, daylightSaving);
    if (found !== undefined) return found;
  }
  return undefined;
}

function civilDate(day: number): DlmsDate {
  const { year, month, day: of } = civilOf(day);
  return { year, month, day: of };
}

/** The next wall time at or after `from` of a single action schedule's execution times; undefined when none comes. */
export function nextExecution(
  executionTimes: readonly { readonly time: DlmsTime; readonly date: DlmsDate }[],
  from: number,
  daylightSaving?: DaylightSaving,
): number | undefined {
  let next: number | undefined;
  for (const { time, date } of executionTimes) {
    const found = nextOccurrence({ ...date, ...time }, from, daylightSaving);
    if (found !== undefined && (next === undefined || found < next)) next = found;
  }
  return next;
}
