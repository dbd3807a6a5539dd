/**
 * A tariff's calendar as the meter's own (IEC 62056-6-2 activity calendar and special days), within what a meter holds (AMI system
 * description §7.4.5: 4 seasons or week tables, 8 day tables of up to 4 switch points, 50 special days).
 *
 * Decides: what can be merged without changing a rate is merged first (equal day and week tables, neighbouring seasons of the same weeks, switch
 * points that switch nothing); feasts that move are written out by year. A tariff that does not fit is refused with every reason.
 * Leaves out: sending it; prices, which no meter knows.
 */
import { MisuseError } from '@amiable/bytes';
import { dayOfLeapYear, TARIFF_WEEKDAYS, type Tariff, type TariffSpecialDay } from '@amiable/model';
import { civilDay, dayTables, dayText, parseDay, specialDayIn } from './days.ts';

export interface MeterLimits {
  readonly seasons: number;
  readonly weeks: number;
  readonly days: number;
  readonly switches: number;
  readonly specialDays: number;
  readonly rates: number;
}

export const METER_LIMITS: MeterLimits = { seasons: 4, weeks: 4, days: 8, switches: 4, specialDays: 50, rates: 4 };

/** Without `year` each year. */
export interface MeterDate {
  readonly year?: number;
  readonly month: number;
  readonly day: number;
}

export interface MeterCalendar {
  /** Which register counts in which rate; selectors of switch points are these numbers. */
  readonly rates: readonly { readonly rate: string; readonly selector: number }[];
  readonly seasons: readonly { readonly name: string; readonly start: MeterDate; readonly week: string }[];
  /** Day ids, Monday first. */
  readonly weeks: readonly { readonly name: string; readonly days: readonly number[] }[];
  readonly days: readonly {
    readonly id: number;
    readonly points: readonly { readonly minute: number; readonly selector: number }[];
  }[];
  readonly specialDays: readonly { readonly index: number; readonly date: MeterDate; readonly dayId: number }[];
  /** Up to and with this year the feasts that move are in it. */
  readonly lastYear: number;
}

export interface MeterFit {
  readonly calendar: MeterCalendar;
  /** Why it does not fit; none when it does. */
  readonly reasons: readonly string[];
}

/** Seasons of the calendar are named by one octet string; so are weeks. */
const MOST_NAME = 8;

/**
 * @param from first local day on which the meter shall have it, `2026-01-01`
 * @param years for how many years feasts that move are written out
 */
export function meterFit(tariff: Tariff, from: string, years = 3, limits: MeterLimits = METER_LIMITS): MeterFit {
  const firstDay = parseDay(from);
  const firstYear = civilDay(firstDay).year;
  const lastYear = firstYear + years - 1;
  const { days, idOf } = mergedDays(tariff);
  const { weeks, weekOf } = mergedWeeks(tariff, idOf);
  const used = new Set<number>();
  for (const week of weeks) for (const id of week.days) used.add(id);
  const seasons = mergedSeasons(tariff, weekOf);
  const specialDays = specials(tariff, firstDay, firstYear, lastYear, idOf);
  for (const { dayId } of specialDays) used.add(dayId);
  const usedDays = days.filter(({ id }) => used.has(id));
  const rates = tariff.rates.map(({ name }, i) => ({ rate: name, selector: i + 1 }));
  const reasons: string[] = [];
  const most = (what: string, has: number, holds: number, advice: string): void => {
    if (has > holds) reasons.push(`The tariff has ${has} ${what}, the meter holds ${holds}; ${advice}.`);
  };
  const centrally = 'bill it centrally from intervals';
  most('seasons', seasons.length, limits.seasons, centrally);
  most('week tables', weeks.length, limits.weeks, centrally);
  most('day tables', usedDays.length, limits.days, centrally);
  most('rates', rates.length, limits.rates, centrally);
  most(
    `special days up to ${lastYear}`,
    specialDays.length,
    limits.specialDays,
    years > 1 ? `write out fewer years than ${years}, or ${centrally}` : centrally,
  );
  for (const { id, points } of usedDays)
    if (points.length > limits.switches) {
      const names = tariff.calendar.days.filter((_, i) => idOf[i] === id).map(({ name }) => JSON.stringify(name));
      reasons.push(
        `Day table ${names.join(', ')} has ${points.length} switch points, the meter holds ${limits.switches} a day; ${centrally}.`,
      );
    }
  for (const { name, start } of seasons)
    if (start.month === 2 && start.day === 29)
      reasons.push(
        `Season ${JSON.stringify(name)} begins on 02-29, which most years lack; let it begin on 02-28 or 03-01.`,
      );
  return { calendar: { rates, seasons, weeks, days: usedDays, specialDays, lastYear }, reasons };
}

/** @throws MisuseError with every reason for which the meter cannot hold it */
export function meterCalendar(
  tariff: Tariff,
  from: string,
  years = 3,
  limits: MeterLimits = METER_LIMITS,
): MeterCalendar {
  const { calendar, reasons } = meterFit(tariff, from, years, limits);
  if (reasons.length) throw new MisuseError(`tariff ${tariff.name} does not fit into the meter. ${reasons.join(' ')}`);
  return calendar;
}

interface Day {
  readonly id: number;
  readonly points: { readonly minute: number; readonly selector: number }[];
}

/** Ids from 1 by what day tables say, equal ones once. */
function mergedDays({ calendar, rates }: Tariff): { days: Day[]; idOf: number[] } {
  const selectors = new Map(rates.map(({ name }, i) => [name, i + 1]));
  const ids = new Map<string, number>();
  const days: Day[] = [];
  const idOf = calendar.days.map(({ switches }) => {
    const points: { minute: number; selector: number }[] = [];
    for (const { at, rate } of switches) {
      const selector = selectors.get(rate) as number;
      if (points.at(-1)?.selector !== selector)
        points.push({ minute: Number(at.slice(0, 2)) * 60 + Number(at.slice(3)), selector });
    }
    const key = JSON.stringify(points);
    let id = ids.get(key);
    if (id === undefined) {
      id = ids.size + 1;
      ids.set(key, id);
      days.push({ id, points });
    }
    return id;
  });
  return { days, idOf };
}

function mergedWeeks(
  { calendar }: Tariff,
  idOf: readonly number[],
): { weeks: { name: string; days: number[] }[]; weekOf: Map<string, string> } {
  const dayIds = new Map(calendar.days.map(({ name }, i) => [name, idOf[i] as number]));
  const used = new Set(calendar.seasons.map(({ week }) => week));
  const names = new Map<string, string>();
  const weeks: { name: string; days: number[] }[] = [];
  const weekOf = new Map<string, string>();
  for (const week of calendar.weeks) {
    if (!used.has(week.name)) continue;
    const days = TARIFF_WEEKDAYS.map((weekday) => dayIds.get(week[weekday]) as number);
    const key = days.join();
    let name = names.get(key);
    if (name === undefined) {
      name = unique(week.name, new Set(names.values()));
      names.set(key, name);
      weeks.push({ name, days });
    }
    weekOf.set(week.name, name);
  }
  return { weeks, weekOf };
}

function mergedSeasons({ calendar }: Tariff, weekOf: ReadonlyMap<string, string>): MeterCalendar['seasons'][number][] {
  const sorted = [...calendar.seasons].sort(
    (a, b) => (dayOfLeapYear(a.from) as number) - (dayOfLeapYear(b.from) as number),
  );
  const taken = new Set<string>();
  const out: MeterCalendar['seasons'][number][] = [];
  for (const [i, season] of sorted.entries()) {
    const before = sorted[(i + sorted.length - 1) % sorted.length] as (typeof sorted)[number];
    // The season before goes on when its weeks are the same; one must begin, be it the only one.
    if (
      sorted.length > 1 &&
      weekOf.get(before.week) === weekOf.get(season.week) &&
      !(i === 0 && sorted.every(({ week }) => weekOf.get(week) === weekOf.get(season.week)))
    )
      continue;
    const name = unique(season.name, taken);
    taken.add(name);
    const [month, day] = season.from.split('-').map(Number) as [number, number];
    out.push({ name, start: { month, day }, week: weekOf.get(season.week) as string });
  }
  return out;
}

/** Short and once. */
function unique(name: string, taken: ReadonlySet<string>): string {
  const ascii =
    name
      .normalize('NFKD')
      .replace(/[^A-Za-z0-9]/g, '')
      .slice(0, MOST_NAME) || 'x';
  for (let n = 1; ; n++) {
    const tail = n === 1 ? '' : `${n}`;
    const found = ascii.slice(0, MOST_NAME - tail.length) + tail;
    if (!taken.has(found)) return found;
  }
}

function specials(
  tariff: Tariff,
  firstDay: number,
  firstYear: number,
  lastYear: number,
  idOf: readonly number[],
): MeterCalendar['specialDays'][number][] {
  const { calendar } = tariff;
  const places = new Map(calendar.days.map(({ name }, i) => [name, i]));
  const list: { date: MeterDate; dayId: number }[] = [];
  const yearly = (special: TariffSpecialDay): boolean =>
    'date' in special &&
    special.date.length === 5 &&
    special.observed === undefined &&
    special.fromYear === undefined &&
    special.toYear === undefined;
  for (const special of calendar.specialDays) {
    const dayId = idOf[places.get(special.day) as number] as number;
    if (yearly(special) && 'date' in special) {
      const [month, day] = special.date.split('-').map(Number) as [number, number];
      list.push({ date: { month, day }, dayId });
      continue;
    }
    for (let year = firstYear - 1; year <= lastYear + 1; year++) {
      const day = specialDayIn(special, year);
      if (day === undefined || day < firstDay || civilDay(day).year > lastYear) continue;
      list.push({ date: civilDay(day), dayId });
    }
  }
  // A date of one year that a date of every year before it in the list has already.
  const seen = new Set<string>();
  const out: MeterCalendar['specialDays'][number][] = [];
  for (const { date, dayId } of list) {
    const each = `${date.month}-${date.day}`;
    const key = date.year === undefined ? each : `${date.year}-${each}`;
    if (seen.has(each) || seen.has(key)) continue;
    seen.add(key);
    out.push({ index: out.length + 1, date, dayId });
  }
  return out;
}

/** The rate that the meter's calendar has at a minute of a local day; for checks of one against the other. */
export function meterRateAt(calendar: MeterCalendar, day: number, minute: number): string {
  const { year, month, day: of } = civilDay(day);
  const special = calendar.specialDays.find(
    ({ date }) => date.month === month && date.day === of && (date.year ?? year) === year,
  );
  let id = special?.dayId;
  if (id === undefined) {
    const place = month * 100 + of;
    const begun = (start: MeterDate): number => start.month * 100 + start.day;
    const sorted = calendar.seasons.toSorted((a, b) => begun(a.start) - begun(b.start));
    const season = sorted.findLast(({ start }) => begun(start) <= place) ?? sorted.at(-1);
    id = calendar.weeks.find(({ name }) => name === season?.week)?.days[(day + 3) % 7];
  }
  const points = calendar.days.find((table) => table.id === id)?.points ?? [];
  const selector = points.findLast((point) => point.minute <= minute)?.selector;
  return calendar.rates.find((rate) => rate.selector === selector)?.rate ?? '';
}

/**
 * Days of [from, to) on which the meter's calendar has another rate than the tariff, the first `most` of them: what is in the
 * meter, checked against what is billed.
 */
export function calendarDifferences(
  tariff: Tariff,
  calendar: MeterCalendar,
  from: string,
  to: string,
  most = 20,
): { readonly day: string; readonly minute: number; readonly tariff: string; readonly meter: string }[] {
  const tables = dayTables(tariff.calendar);
  const out: { day: string; minute: number; tariff: string; meter: string }[] = [];
  const points = calendar.days.flatMap((table) => table.points.map(({ minute }) => minute));
  const end = Math.min(parseDay(to), parseDay(from) + 20 * 366);
  for (let day = parseDay(from); day < end && out.length < most; day++) {
    const table = tariff.calendar.days[tables.tableOf(day)] as Tariff['calendar']['days'][number];
    // Rates change nowhere else.
    const minutes = new Set([
      ...table.switches.map(({ at }) => Number(at.slice(0, 2)) * 60 + Number(at.slice(3))),
      ...points,
    ]);
    for (const minute of [...minutes].sort((a, b) => a - b)) {
      const at = `${`${Math.floor(minute / 60)}`.padStart(2, '0')}:${`${minute % 60}`.padStart(2, '0')}`;
      const wanted = table.switches.findLast((point) => point.at <= at)?.rate ?? '';
      const has = meterRateAt(calendar, day, minute);
      if (has === wanted) continue;
      out.push({
        day: dayText(day),
        minute,
        tariff: wanted,
        meter: has,
      });
      break;
    }
  }
  return out;
}
