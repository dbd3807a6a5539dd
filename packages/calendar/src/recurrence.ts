/**
 * When something recurs: daily, weekly, monthly, by a cron expression, once; in local time, with days that are not working days.
 *
 * Decides: the occurrences of a schedule. Each has a nominal local time, which is its name: whatever clocks do, an occurrence is the same
 * one as long as its name is. Where summer time begins, those in the skipped hour come at the first instant after it, together as one; where
 * it ends, those in the repeated hour come the first time only, unless `repeated` says `each`: then the second has a name with `+`.
 * Leaves out: which of them were dealt with (the store knows), and what they are for.
 */
import { type Cron, parseCron } from './cron.ts';
import { wallInstants } from './wall.ts';
import { isValidZone, toLocal } from './zone.ts';

/** A day of the month: by number, from the end (-1 is the last), as nth or last weekday, or as nth or last working day. */
export type MonthDay =
  | { readonly day: number }
  /** `nth` 1 to 5, or -1 for the last; weekday 1 Monday to 7 Sunday. */
  | { readonly nth: number; readonly weekday: number }
  /** 1 is the first working day of the month, -1 the last. */
  | { readonly workday: number };

export type Recurrence =
  /** Minutes of the local day, 0 to 1439. */
  | { readonly type: 'daily'; readonly at: readonly number[] }
  /** 1 Monday to 7 Sunday. */
  | { readonly type: 'weekly'; readonly days: readonly number[]; readonly at: readonly number[] }
  /** In months that lack the day there is none. Without `months` in every month. */
  | {
      readonly type: 'monthly';
      readonly on: readonly MonthDay[];
      readonly months?: readonly number[] | undefined;
      readonly at: readonly number[];
    }
  | { readonly type: 'cron'; readonly expression: string }
  /** Local date and time, `2026-11-20T14:30`. */
  | { readonly type: 'once'; readonly at: string }
  /** When another system or a person orders it; when something happens. No times. */
  | { readonly type: 'order' }
  | { readonly type: 'spontaneous' };

export interface Schedule {
  readonly recurrence: Recurrence;
  /** IANA name. */
  readonly zone: string;
  /** Where an occurrence falls on a day that is no working day: it moves, or is left out. */
  readonly shift?: 'none' | 'next' | 'previous' | 'nearest' | 'skip' | undefined;
  /** Days besides Saturday and Sunday that are no working days: `2026-12-25`, or `12-25` of every year. */
  readonly specialDays?: readonly string[] | undefined;
  /** In the hour that is repeated: the first time only, or each time. */
  readonly repeated?: 'first' | 'each' | undefined;
  /** First and last local day on which it holds, `2026-01-01`. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

export interface Occurrence {
  /** Its name: local date and time, with `+` for the second time in the repeated hour. */
  readonly nominal: string;
  /** Epoch ms. */
  readonly at: number;
  /** It stands in the hour that is skipped, and comes after it. */
  readonly skipped?: true;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Longest move to a working day. */
const MAX_SHIFT = 15;
/** 29 February on a Monday comes once in 40 years at the most. */
const HORIZON = 41 * 366;

interface Day {
  readonly number: number;
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** Days of the month. */
  readonly length: number;
  /** 1 Monday to 7 Sunday. */
  readonly weekday: number;
}

function dayOf(number: number): Day {
  const date = new Date(number * DAY);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth() + 1;
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { number, year, month, day: date.getUTCDate(), length, weekday: ((date.getUTCDay() + 6) % 7) + 1 };
}

const two = (n: number): string => String(n).padStart(2, '0');
const dateText = (day: Day): string => `${String(day.year).padStart(4, '0')}-${two(day.month)}-${two(day.day)}`;
const nominalText = (wall: number): string => new Date(wall).toISOString().slice(0, 16);

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)$/;

/** Days since 1970 of a date; undefined when the text is none. */
function dayNumber(text: string): number | undefined {
  if (!DATE.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text) ? ms / DAY : undefined;
}

/** A schedule made ready for asking; making it checks it. */
export interface Recurring {
  /** All that are due from `from` to before `to` (epoch ms), in order, `limit` at most. */
  between(from: number, to: number, limit?: number): Occurrence[];
  /** The first one after `after`; undefined when there is none any more. */
  next(after: number): Occurrence | undefined;
}

/** @throws RangeError with a sentence that says what is wrong with it */
export function recurring(schedule: Schedule): Recurring {
  const { zone, recurrence, shift = 'none', repeated = 'first' } = schedule;
  if (!isValidZone(zone))
    throw new RangeError(`unknown time zone ${JSON.stringify(zone)}; give an IANA name such as Europe/Oslo`);
  const special = specialDays(schedule.specialDays ?? []);
  let first = boundOf(schedule.from, 'from') ?? Number.NEGATIVE_INFINITY;
  const last = boundOf(schedule.until, 'until') ?? Number.POSITIVE_INFINITY;
  if (last < first) throw new RangeError(`the schedule ends (${schedule.until}) before it begins (${schedule.from})`);
  const works = (day: Day): boolean => day.weekday < 6 && !special(day);
  const rule = compile(recurrence, works);
  // However far away it is, it is looked for where it stands.
  if (recurrence.type === 'once')
    first = Math.max(first, (dayNumber(recurrence.at.slice(0, 10)) as number) - MAX_SHIFT);

  /** Where the occurrences of a day go. */
  function moved(day: Day): number | undefined {
    if (shift === 'none' || works(day)) return day.number;
    if (shift === 'skip') return undefined;
    for (let n = 1; n <= MAX_SHIFT; n++) {
      // Of two that are equally near the earlier one is taken.
      if (shift !== 'next' && works(dayOf(day.number - n))) return day.number - n;
      if (shift !== 'previous' && works(dayOf(day.number + n))) return day.number + n;
    }
    return undefined;
  }

  /** Minutes of one local day at which something is due, ascending. */
  function minutesOf(number: number): readonly number[] {
    if (number < first || number > last) return [];
    const own = dayOf(number);
    if (shift === 'none' || shift === 'skip') {
      const minutes = rule(own);
      return minutes.length > 0 && moved(own) !== undefined ? minutes : [];
    }
    if (!works(own)) return [];
    const found = new Set<number>(rule(own));
    for (let n = 1; n <= MAX_SHIFT; n++)
      for (const other of [number - n, number + n]) {
        const day = dayOf(other);
        const minutes = works(day) ? [] : rule(day);
        if (minutes.length > 0 && moved(day) === number) for (const minute of minutes) found.add(minute);
      }
    return [...found].sort((a, b) => a - b);
  }

  function occurrencesOf(number: number): Occurrence[] {
    const out: Occurrence[] = [];
    for (const minute of minutesOf(number)) {
      const wall = number * DAY + minute * MINUTE;
      const { kind, first: at, second } = wallInstants(zone, wall);
      const nominal = nominalText(wall);
      if (kind === 'skipped') out.push({ nominal, at, skipped: true });
      else {
        out.push({ nominal, at });
        if (kind === 'twice' && repeated === 'each') out.push({ nominal: `${nominal}+`, at: second });
      }
    }
    return out;
  }

  /** Occurrences of whole local days, in order of instants; several at one instant are one, under the earliest name. */
  function ofDays(from: number, to: number): Occurrence[] {
    const all: Occurrence[] = [];
    for (let number = from; number <= to; number++) all.push(...occurrencesOf(number));
    all.sort((a, b) => a.at - b.at || (a.nominal < b.nominal ? -1 : 1));
    return all.filter((occurrence, i) => i === 0 || occurrence.at !== (all[i - 1] as Occurrence).at);
  }

  const localDay = (utc: number): number => Math.floor(toLocal(zone, utc) / DAY);
  const isTimed = recurrence.type !== 'order' && recurrence.type !== 'spontaneous';

  return {
    between(from, to, limit = 10_000) {
      const out: Occurrence[] = [];
      if (!isTimed || !(to > from)) return out;
      // Days before and after: instants of a skipped hour lie later than their names say.
      const end = Math.min(localDay(to) + 1, last + 1);
      for (let day = Math.max(localDay(from) - 2, first - 1); day <= end && out.length < limit; day += 8) {
        const page = ofDays(day - 2, Math.min(day + 9, end + 2));
        const low = Math.max(from, out.length > 0 ? (out.at(-1) as Occurrence).at + 1 : from);
        for (const occurrence of page)
          if (occurrence.at >= low && occurrence.at < to && localDay(occurrence.at) <= day + 7) {
            out.push(occurrence);
            if (out.length >= limit) break;
          }
      }
      return out;
    },
    next(after) {
      if (!isTimed) return undefined;
      const start = Math.max(localDay(after) - 2, first - 1);
      const end = Math.min(start + HORIZON, last);
      for (let day = start; day <= end; day++) {
        if (minutesOf(day).length === 0) continue;
        // A neighbouring day may have an earlier instant left, or the same under an earlier name.
        const found = ofDays(day - 2, day + 2).find((occurrence) => occurrence.at > after);
        if (found) return found;
      }
      return undefined;
    },
  };
}

function boundOf(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  const day = dayNumber(text);
  if (day === undefined)
    throw new RangeError(`${what}: ${JSON.stringify(text.slice(0, 40))} is no date; write 2026-12-31`);
  return day;
}

function specialDays(list: readonly string[]): (day: Day) => boolean {
  if (list.length > 1000) throw new RangeError(`at most 1,000 special days, these are ${list.length}`);
  const known = new Set<string>();
  for (const text of list) {
    // 2024 is a leap year: 02-29 is a day.
    if (dayNumber(text) === undefined && dayNumber(`2024-${text}`) === undefined)
      throw new RangeError(
        `${JSON.stringify(text.slice(0, 40))} is no special day; write 2026-12-25, or 12-25 for every year`,
      );
    known.add(text);
  }
  if (known.size === 0) return () => false;
  return (day) => {
    const text = dateText(day);
    return known.has(text) || known.has(text.slice(5));
  };
}

const whole = (n: number, low: number, high: number): boolean => Number.isInteger(n) && n >= low && n <= high;

function checkTimes(at: readonly number[]): readonly number[] {
  if (at.length === 0 || at.length > 1440 || !at.every((minute) => whole(minute, 0, 1439)))
    throw new RangeError('times of the day are minutes from 0 to 1439, one at least');
  return [...new Set(at)].sort((a, b) => a - b);
}

const NONE: readonly number[] = [];

/** Minutes that a rule gives on a day, before days are moved. */
function compile(rule: Recurrence, works: (day: Day) => boolean): (day: Day) => readonly number[] {
  switch (rule.type) {
    case 'daily': {
      const at = checkTimes(rule.at);
      return () => at;
    }
    case 'weekly': {
      const at = checkTimes(rule.at);
      if (rule.days.length === 0 || !rule.days.every((day) => whole(day, 1, 7)))
        throw new RangeError('days of the week are numbers from 1 (Monday) to 7 (Sunday), one at least');
      return (day) => (rule.days.includes(day.weekday) ? at : NONE);
    }
    case 'monthly':
      return monthly(rule, works);
    case 'cron':
      return fromCron(parseCron(rule.expression));
    case 'once': {
      const found = DATE_TIME.exec(rule.at);
      const number = found ? dayNumber(found[1] as string) : undefined;
      const minute = found ? Number(found[2]) * 60 + Number(found[3]) : -1;
      if (number === undefined || Number(found?.[3]) > 59 || !whole(minute, 0, 1439))
        throw new RangeError(
          `${JSON.stringify(rule.at.slice(0, 40))} is no local date and time; write 2026-11-20T14:30`,
        );
      return (day) => (day.number === number ? [minute] : NONE);
    }
    default:
      return () => NONE;
  }
}

function monthly(
  rule: Extract<Recurrence, { type: 'monthly' }>,
  works: (day: Day) => boolean,
): (day: Day) => readonly number[] {
  const at = checkTimes(rule.at);
  if (rule.months && (rule.months.length === 0 || !rule.months.every((month) => whole(month, 1, 12))))
    throw new RangeError('months are numbers from 1 to 12, one at least');
  if (rule.on.length === 0 || rule.on.length > 31) throw new RangeError('a monthly schedule names 1 to 31 days');
  const tests = rule.on.map((on): ((day: Day) => boolean) => {
    if ('day' in on) {
      if (!whole(Math.abs(on.day), 1, 31))
        throw new RangeError('a day of the month is 1 to 31, or -1 (the last) to -31');
      return (day) => (on.day > 0 ? day.day === on.day : day.day === day.length + 1 + on.day);
    }
    if ('weekday' in on) {
      if (!whole(on.weekday, 1, 7) || !(whole(on.nth, 1, 5) || on.nth === -1))
        throw new RangeError(
          'an nth weekday has nth 1 to 5, or -1 for the last, and a weekday 1 (Monday) to 7 (Sunday)',
        );
      return (day) =>
        day.weekday === on.weekday && (on.nth > 0 ? Math.ceil(day.day / 7) === on.nth : day.day + 7 > day.length);
    }
    if (!whole(Math.abs(on.workday), 1, 23))
      throw new RangeError('a working day of the month is 1 to 23, or -1 to -23');
    return (day) => works(day) && workdayOf(day, on.workday > 0, works) === Math.abs(on.workday);
  });
  return (day) =>
    (rule.months === undefined || rule.months.includes(day.month)) && tests.some((test) => test(day)) ? at : NONE;
}

/** The how-manieth working day of its month this is, from the begin or the end. */
function workdayOf(day: Day, fromBegin: boolean, works: (day: Day) => boolean): number {
  let count = 0;
  const start = day.number - day.day + 1;
  const from = fromBegin ? start : day.number;
  const to = fromBegin ? day.number : start + day.length - 1;
  for (let number = from; number <= to; number++) if (works(dayOf(number))) count++;
  return count;
}

function fromCron(cron: Cron): (day: Day) => readonly number[] {
  return (day) => {
    if (!cron.months[day.month]) return NONE;
    const byDay = cron.days[day.day] as boolean;
    const byWeekday = cron.weekdays[day.weekday % 7] as boolean;
    return (cron.either ? byDay || byWeekday : byDay && byWeekday) ? cron.minutes : NONE;
  };
}
