/**
 * The switching table, structured as the activity calendar of IEC 62056-62: seasons name weeks, weeks name day tables, day
 * tables have switch points; special days go before the week.
 *
 * Decides which switch point governs a local time and when the next one comes; the limits (4 seasons, 4 weeks, 8 day tables,
 * 4 points, 50 special days). A day without switch points, or before its first, carries on what the day before ended with.
 * On the day clocks go forward a point in the gap switches as much later; in the repeated hour it switches the first time.
 * Leaves out what is switched (switching.ts).
 */
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import { DAY, MINUTE, NEVER } from './core.ts';
import type { CalendarDay, Definition, Season, SpecialDay, SwitchingTables, SwitchPoint } from './parameter-types.ts';

export const MAX_SEASONS = 4;
export const MAX_WEEKS = 4;
export const MAX_DAYS = 8;
export const MAX_POINTS = 4;
export const MAX_SPECIAL_DAYS = 50;
/** So far back it is looked for the point that still governs. A week has seven days; one more for special days. */
const DAYS_BACK = 8;

interface Governing {
  /** Undefined: no point ever came. */
  readonly selector: number | undefined;
  /** UTC ms of the next switch point or local midnight, whichever comes first; NEVER for an empty definition. */
  readonly next: number;
}

/** The day, counted from 1970, on which a season last began at or before `day`; undefined when it has not begun yet. */
function seasonStart(season: Season, day: number): number | undefined {
  const { year, month = 1, day: of = 1 } = season.start;
  const thisYear = new Date(day * DAY).getUTCFullYear();
  for (const y of year === undefined ? [thisYear, thisYear - 1] : [year]) {
    const start = Date.UTC(y, month - 1, of) / DAY;
    if (start <= day) return start;
  }
  return undefined;
}

function dateMatches(date: CalendarDay, day: number): boolean {
  const at = new Date(day * DAY);
  return (
    (date.year === undefined || date.year === at.getUTCFullYear()) &&
    (date.month === undefined || date.month === at.getUTCMonth() + 1) &&
    (date.day === undefined || date.day === at.getUTCDate()) &&
    (date.weekday === undefined || date.weekday % 7 === at.getUTCDay())
  );
}

const NO_POINTS: readonly SwitchPoint[] = [];

/** Switch points of local day `day` (days since 1970 on the wall calendar), in order. */
export function pointsOfDay(
  definition: Definition,
  specialDays: readonly SpecialDay[],
  day: number,
): readonly SwitchPoint[] {
  let id = specialDays.find(({ date }) => dateMatches(date, day))?.dayId;
  if (id === undefined) {
    let best: Season | undefined;
    let since = Number.NEGATIVE_INFINITY;
    for (const season of definition.seasons) {
      const start = seasonStart(season, day);
      if (start !== undefined && start > since) {
        since = start;
        best = season;
      }
    }
    const week = definition.weeks.find(({ name }) => name === best?.week);
    // 1970-01-01 was a Thursday.
    id = week?.days[(((day + 3) % 7) + 7) % 7];
  }
  return definition.days.find((table) => table.id === id)?.points ?? NO_POINTS;
}

/** What governs at `utc` by the meter's clock. */
export function governing(
  definition: Definition,
  specialDays: readonly SpecialDay[],
  zone: string,
  utc: number,
): Governing {
  if (definition.days.length === 0) return { selector: undefined, next: NEVER };
  const midnight = startOf('day', zone, utc);
  // Noon is on the same wall day whatever the clocks did in the morning.
  const today = Math.floor((toLocal(zone, midnight) + DAY / 2) / DAY);
  let selector: number | undefined;
  let next = add('day', zone, utc, 1);
  for (const point of pointsOfDay(definition, specialDays, today)) {
    const at = localToUtc(zone, today * DAY + point.minute * MINUTE);
    if (at <= utc) selector = point.selector;
    else if (at < next) next = at;
  }
  for (let back = 1; selector === undefined && back <= DAYS_BACK; back++)
    selector = pointsOfDay(definition, specialDays, today - back).at(-1)?.selector;
  return { selector, next };
}

const whole = (n: number, low: number, high: number): boolean => Number.isInteger(n) && n >= low && n <= high;

function checkDate(date: CalendarDay): boolean {
  return (
    (date.year === undefined || whole(date.year, 1970, 2105)) &&
    (date.month === undefined || whole(date.month, 1, 12)) &&
    (date.day === undefined || whole(date.day, 1, 31)) &&
    (date.weekday === undefined || whole(date.weekday, 1, 7))
  );
}

function checkDefinition(what: string, definition: Definition, low: number, high: number): string | undefined {
  const { seasons, weeks, days } = definition;
  if (seasons.length > MAX_SEASONS) return `${what}: ${seasons.length} seasons; at most ${MAX_SEASONS}`;
  if (weeks.length > MAX_WEEKS) return `${what}: ${weeks.length} week tables; at most ${MAX_WEEKS}`;
  if (days.length > MAX_DAYS) return `${what}: ${days.length} day tables; at most ${MAX_DAYS}`;
  for (const season of seasons) {
    if (season.start.weekday !== undefined || !checkDate(season.start))
      return `${what}: season ${season.name} begins on no calendar day`;
    if (!weeks.some(({ name }) => name === season.week))
      return `${what}: season ${season.name} names week ${season.week}, which is not there`;
  }
  for (const week of weeks)
    for (const id of week.days)
      if (!days.some((table) => table.id === id))
        return `${what}: week ${week.name} names day table ${id}, which is not there`;
  if (new Set(weeks.map(({ name }) => name)).size < weeks.length) return `${what}: two week tables have one name`;
  if (new Set(days.map(({ id }) => id)).size < days.length) return `${what}: two day tables have one id`;
  for (const { id, points } of days) {
    if (!whole(id, 0, 255)) return `${what}: day table ${id}; ids are 0 to 255`;
    if (points.length > MAX_POINTS)
      return `${what}: day table ${id} has ${points.length} switch points; at most ${MAX_POINTS}`;
    for (const [i, point] of points.entries()) {
      if (!whole(point.minute, 0, 1439)) return `${what}: day table ${id} switches at minute ${point.minute}`;
      if (i > 0 && point.minute <= (points[i - 1] as SwitchPoint).minute)
        return `${what}: day table ${id} has switch points out of order`;
      if (!whole(point.selector, low, high)) return `${what}: day table ${id} selects ${point.selector}`;
    }
  }
  return undefined;
}

/** What is wrong with a table; undefined when nothing is. */
export function checkTables(tables: SwitchingTables): string | undefined {
  const { parameterisationId: id } = tables;
  if (id !== undefined && !isParameterisationId(id)) return `parameterisation ID ${id}; 0 to 255 are possible`;
  return checkDefinition('tariff', tables.tariff, 1, 2) ?? checkDefinition('control output', tables.output, 0, 1);
}

export function checkSpecialDays(days: readonly SpecialDay[]): string | undefined {
  if (days.length > MAX_SPECIAL_DAYS) return `${days.length} special days; at most ${MAX_SPECIAL_DAYS}`;
  if (new Set(days.map(({ index }) => index)).size < days.length) return 'two special days have one index';
  for (const { index, date, dayId } of days) {
    if (!whole(index, 0, 65535)) return `special day ${index}; 0 to 65535 are possible`;
    if (!checkDate(date) || !whole(dayId, 0, 255)) return `special day ${index} is no day, or names no day table`;
  }
  return undefined;
}

/** '0' to '255', without leading zeros. */
export const isParameterisationId = (text: string): boolean => /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= 255;
