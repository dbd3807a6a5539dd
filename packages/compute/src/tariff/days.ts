/**
 * Days of a tariff: which day table a day has, and when feasts that move with Easter are.
 *
 * Decides: special days before seasons, the first in the list before later ones. Days are numbers of the wall calendar: whole days since
 * 1970-01-01. Leaves out: clocks (slots.ts).
 */
import { dayOfLeapYear, type Holiday, TARIFF_WEEKDAYS, type TariffCalendar } from '@amiable/model';

const DAY = 86_400_000;

export interface CivilDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

export const dayNumber = (year: number, month: number, day: number): number => {
  const date = new Date(Date.UTC(2000, month - 1, day));
  if (year !== 2000) date.setUTCFullYear(year, month - 1, day);
  return Math.floor(date.getTime() / DAY);
};

export function civilDay(number: number): CivilDay {
  const date = new Date(number * DAY);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** 1 is Monday. */
export const weekdayOf = (number: number): number => ((((number + 3) % 7) + 7) % 7) + 1;
export const daysInMonth = (year: number, month: number): number =>
  dayNumber(year, month + 1, 1) - dayNumber(year, month, 1);
export const daysInYear = (year: number): number => dayNumber(year + 1, 1, 1) - dayNumber(year, 1, 1);

/** `2026-05-17` of a day number. */
export const dayText = (number: number): string => new Date(number * DAY).toISOString().slice(0, 10);
/** Day number of `2026-05-17`. */
export const parseDay = (text: string): number => {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  return dayNumber(year, month, day);
};

/** Easter Sunday of the western churches (Gregorian computus). */
export function easterSunday(year: number): number {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const leapDaysLeftOut = century - Math.floor(century / 4);
  const moonCorrection = Math.floor((8 * century + 13) / 25);
  let epact = (leapDaysLeftOut - moonCorrection + 19 * golden + 15) % 30;
  // The two exceptions that keep the paschal moon within April.
  if (epact === 29 || (epact === 28 && golden > 10)) epact--;
  const fullMoon = dayNumber(year, 3, 21) + epact;
  return fullMoon + 7 - (weekdayOf(fullMoon) % 7);
}

/** Easter Sunday of the eastern churches: by the Julian calendar, as a day of the Gregorian one. */
export function orthodoxEasterSunday(year: number): number {
  const epact = (19 * (year % 19) + 15) % 30;
  const julianToGregorian = Math.floor(year / 100) - Math.floor(year / 400) - 2;
  const fullMoon = dayNumber(year, 3, 21) + epact + julianToGregorian;
  return fullMoon + 7 - (weekdayOf(fullMoon) % 7);
}

/** The day on which a special day falls in a year; undefined in years that have none. */
export function specialDayIn(special: Holiday, year: number): number | undefined {
  if (special.fromYear !== undefined && year < special.fromYear) return undefined;
  if (special.toYear !== undefined && year > special.toYear) return undefined;
  const day = plainDayIn(special, year);
  if (day === undefined || special.observed === undefined) return day;
  const weekday = weekdayOf(day);
  if (weekday === 7) return day + 1;
  return weekday === 6 ? (special.observed === 'monday' ? day + 2 : day - 1) : day;
}

function plainDayIn(special: Holiday, year: number): number | undefined {
  if ('date' in special) {
    const fixed = special.date.length === 10;
    if (fixed && Number(special.date.slice(0, 4)) !== year) return undefined;
    const [month, day] = special.date.slice(-5).split('-').map(Number) as [number, number];
    return day > daysInMonth(year, month) ? undefined : dayNumber(year, month, day);
  }
  if ('easter' in special) return easterSunday(year) + special.easter;
  if ('orthodoxEaster' in special) return orthodoxEasterSunday(year) + special.orthodoxEaster;
  if ('nth' in special) {
    const days = daysInMonth(year, special.month);
    if (special.nth === -1) {
      const last = dayNumber(year, special.month, days);
      return last - ((weekdayOf(last) - special.weekday + 7) % 7);
    }
    const first = dayNumber(year, special.month, 1);
    const day = first + ((special.weekday - weekdayOf(first) + 7) % 7) + (special.nth - 1) * 7;
    return day < first + days ? day : undefined;
  }
  const [month, day] = special.onOrAfter.split('-').map(Number) as [number, number];
  // In a year without a 29 February the day after stands for it.
  const first = dayNumber(year, month, day);
  return first + ((special.weekday - weekdayOf(first) + 7) % 7);
}

/** Answers which day table a day has. */
export interface DayTables {
  /** Place in the calendar's `days`. */
  tableOf(day: number): number;
}

export function dayTables(calendar: TariffCalendar): DayTables {
  const tables = new Map(calendar.days.map(({ name }, i) => [name, i]));
  const weeks = new Map(
    calendar.weeks.map((week) => [week.name, TARIFF_WEEKDAYS.map((weekday) => tables.get(week[weekday]) as number)]),
  );
  const seasonOfDay = new Int32Array(366).fill(-1);
  const weekOfSeason = calendar.seasons.map(({ week }) => weeks.get(week) as number[]);
  for (const [s, season] of calendar.seasons.entries()) {
    const to = dayOfLeapYear(season.to) as number;
    for (let at = dayOfLeapYear(season.from) as number; ; at = (at + 1) % 366) {
      seasonOfDay[at] = s;
      if (at === to) break;
    }
  }
  const years = new Map<number, Map<number, number>>();
  const specialsOf = (year: number): Map<number, number> => {
    let found = years.get(year);
    if (!found) {
      found = new Map();
      // A day that is observed on another one, or counted from Easter, may fall into the neighbouring year.
      for (const special of calendar.specialDays)
        for (const of of [year - 1, year, year + 1]) {
          const day = specialDayIn(special, of);
          if (day !== undefined && civilDay(day).year === year && !found.has(day))
            found.set(day, tables.get(special.day) as number);
        }
      years.set(year, found);
    }
    return found;
  };
  return {
    tableOf: (day) => {
      const { year, month, day: of } = civilDay(day);
      const special = specialsOf(year).get(day);
      if (special !== undefined) return special;
      const place = dayNumber(2000, month, of) - dayNumber(2000, 1, 1);
      return (weekOfSeason[seasonOfDay[place] as number] as number[])[weekdayOf(day) - 1] as number;
    },
  };
}
