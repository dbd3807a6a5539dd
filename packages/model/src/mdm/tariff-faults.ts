/**
 * What is wrong with a tariff in itself: each fault with its path and a sentence that says what to do.
 *
 * Decides: no hole in a day table, no day of the year without a season or with two, nothing named that is not there, every rate priced,
 * steps that rise, taxes that do not go in circles. Leaves out: shapes of single fields (tariff.ts), what a meter can hold (compute).
 */
import type { Tariff, TariffComponent } from './tariff.ts';

export interface TariffFault {
  readonly path: readonly (string | number)[];
  readonly sentence: string;
}

export const TARIFF_WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
/** Months before it in a leap year. */
const BEFORE = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335] as const;
const MOST_FAULTS = 100;
/** Those that look at each interval of many months anew. */
const MOST_LOOKING_BACK = 50;

/** Place of `MM-DD` in a leap year, 0 to 365; undefined for a day that no year has. */
export function dayOfLeapYear(text: string): number | undefined {
  const month = Number(text.slice(0, 2));
  const day = Number(text.slice(3, 5));
  const days = MONTH_DAYS[month - 1];
  return days === undefined || day < 1 || day > days ? undefined : (BEFORE[month - 1] as number) + day - 1;
}

const two = (n: number): string => `${n}`.padStart(2, '0');

function leapDayText(at: number): string {
  let month = 12;
  while (month > 1 && (BEFORE[month - 1] as number) > at) month--;
  return `${two(month)}-${two(at - (BEFORE[month - 1] as number) + 1)}`;
}

function isDate(text: string): boolean {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const quoted = (names: Iterable<string>): string => {
  const all = [...names];
  const shown = all.slice(0, 8).map((n) => JSON.stringify(n));
  return all.length > 8 ? `${shown.join(', ')} and ${all.length - 8} more` : shown.join(', ');
};

/** Compares two decimals as written: below zero, zero, above. */
export function compareDecimals(a: string, b: string): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

function aligned(a: string, b: string): [bigint, bigint] {
  const places = (text: string): number => (text.includes('.') ? text.length - text.indexOf('.') - 1 : 0);
  const most = Math.max(places(a), places(b));
  const mantissa = (text: string): bigint => BigInt(text.replace('.', '')) * 10n ** BigInt(most - places(text));
  return [mantissa(a), mantissa(b)];
}

class Faults {
  readonly all: TariffFault[] = [];
  add(path: readonly (string | number)[], sentence: string): void {
    if (this.all.length < MOST_FAULTS) this.all.push({ path, sentence });
  }
  /** Names of a list, duplicates refused. */
  names(list: readonly { readonly name: string }[], path: string[], what: string): Set<string> {
    const seen = new Set<string>();
    for (const [i, { name }] of list.entries()) {
      if (seen.has(name))
        this.add(
          [...path, i, 'name'],
          `There are two ${what}s named ${JSON.stringify(name)}; give each a name of its own.`,
        );
      seen.add(name);
    }
    return seen;
  }
  known(name: string, among: ReadonlySet<string>, path: readonly (string | number)[], what: string): void {
    if (!among.has(name))
      this.add(
        path,
        `There is no ${what} named ${JSON.stringify(name)}; there ${among.size === 1 ? 'is' : 'are'} ${quoted(among)}.`,
      );
  }
}

/** All faults of a tariff whose fields have the right shapes; none when it can be billed by. */
export function tariffFaults(tariff: Tariff): TariffFault[] {
  const faults = new Faults();
  try {
    new Intl.DateTimeFormat('en', { timeZone: tariff.zone });
  } catch {
    faults.add(
      ['zone'],
      `There is no time zone ${JSON.stringify(tariff.zone)}; give an IANA name such as Europe/Oslo.`,
    );
  }
  const rates = faults.names(tariff.rates, ['rates'], 'rate');
  calendarFaults(tariff, rates, faults);
  componentFaults(tariff, rates, faults);
  return faults.all;
}

function calendarFaults({ calendar }: Tariff, rates: ReadonlySet<string>, faults: Faults): void {
  const days = faults.names(calendar.days, ['calendar', 'days'], 'day table');
  const weeks = faults.names(calendar.weeks, ['calendar', 'weeks'], 'week table');
  faults.names(calendar.seasons, ['calendar', 'seasons'], 'season');
  for (const [d, day] of calendar.days.entries()) {
    const path = ['calendar', 'days', d, 'switches'];
    for (const [s, { at, rate }] of day.switches.entries()) {
      faults.known(rate, rates, [...path, s, 'rate'], 'rate');
      const before = day.switches[s - 1];
      if (!before && at !== '00:00')
        faults.add(
          [...path, s, 'at'],
          `Day table ${JSON.stringify(day.name)} has a hole: no rate holds from 00:00 to ${at}; let it begin with a switch point at 00:00.`,
        );
      if (before && before.at >= at)
        faults.add(
          [...path, s, 'at'],
          `Day table ${JSON.stringify(day.name)} switches at ${at} after ${before.at}; switch points stand in the order of the day, each time once.`,
        );
    }
  }
  for (const [w, week] of calendar.weeks.entries())
    for (const weekday of TARIFF_WEEKDAYS)
      faults.known(week[weekday], days, ['calendar', 'weeks', w, weekday], 'day table');
  seasonFaults(calendar.seasons, weeks, faults);
  specialDayFaults(calendar, days, faults);
}

function seasonFaults(seasons: Tariff['calendar']['seasons'], weeks: ReadonlySet<string>, faults: Faults): void {
  const holder = new Int32Array(366).fill(-1);
  let whole = true;
  for (const [s, season] of seasons.entries()) {
    const path = ['calendar', 'seasons', s];
    faults.known(season.week, weeks, [...path, 'week'], 'week table');
    const from = dayOfLeapYear(season.from);
    const to = dayOfLeapYear(season.to);
    if (from === undefined) faults.add([...path, 'from'], `No year has a day ${season.from}.`);
    if (to === undefined) faults.add([...path, 'to'], `No year has a day ${season.to}.`);
    if (from === undefined || to === undefined) {
      whole = false;
      continue;
    }
    let told = false;
    for (let at = from, n = 0; n < 366; n++, at = (at + 1) % 366) {
      const other = holder[at] as number;
      if (other >= 0 && !told) {
        faults.add(
          [...path, 'from'],
          `Season ${JSON.stringify(season.name)} overlaps season ${JSON.stringify(seasons[other]?.name)} on ${leapDayText(at)}; each day of the year belongs to one.`,
        );
        told = true;
      }
      if (other < 0) holder[at] = s;
      if (at === to) break;
    }
  }
  for (let at = 0; whole && at < 366; at++) {
    if ((holder[at] as number) >= 0) continue;
    const from = at;
    while (at < 365 && (holder[at + 1] as number) < 0) at++;
    faults.add(
      ['calendar', 'seasons'],
      from === at
        ? `${leapDayText(at)} belongs to no season; every day of the year needs one (also 02-29).`
        : `The days from ${leapDayText(from)} to ${leapDayText(at)} belong to no season; every day of the year needs one.`,
    );
  }
}

function specialDayFaults(calendar: Tariff['calendar'], days: ReadonlySet<string>, faults: Faults): void {
  const rules = new Set<string>();
  for (const [i, special] of calendar.specialDays.entries()) {
    const path = ['calendar', 'specialDays', i];
    faults.known(special.day, days, [...path, 'day'], 'day table');
    if (
      'date' in special &&
      (special.date.length === 5 ? dayOfLeapYear(special.date) === undefined : !isDate(special.date))
    )
      faults.add([...path, 'date'], `There is no day ${special.date}.`);
    if ('onOrAfter' in special && dayOfLeapYear(special.onOrAfter) === undefined)
      faults.add([...path, 'onOrAfter'], `No year has a day ${special.onOrAfter}.`);
    if (special.fromYear !== undefined && special.toYear !== undefined && special.fromYear > special.toYear)
      faults.add(
        [...path, 'toYear'],
        `Special day ${JSON.stringify(special.name)} ends in ${special.toYear}, before it begins in ${special.fromYear}.`,
      );
    const { name: _name, day: _day, ...rule } = special;
    const key = JSON.stringify(rule, Object.keys(rule).sort());
    if (rules.has(key))
      faults.add(path, `Special day ${JSON.stringify(special.name)} stands twice in the list; leave one of them out.`);
    rules.add(key);
  }
}

function componentFaults(tariff: Tariff, rates: ReadonlySet<string>, faults: Faults): void {
  const names = faults.names(tariff.components, ['components'], 'component');
  const groups = new Set<string>();
  for (const [c, { group }] of tariff.components.entries()) {
    if (group === undefined) continue;
    if (names.has(group))
      faults.add(
        ['components', c, 'group'],
        `${JSON.stringify(group)} is the name of a component; call the group something else.`,
      );
    groups.add(group);
  }
  const targets = new Set([...names, ...groups]);
  for (const [c, component] of tariff.components.entries()) {
    const path = ['components', c];
    if ('only' in component && component.only)
      for (const [i, rate] of component.only.entries()) faults.known(rate, rates, [...path, 'only', i], 'rate');
    if (component.kind === 'energy') energyFaults(component, rates, path, faults);
    if (component.kind === 'net') netFaults(component, rates, path, faults);
    if (component.kind === 'capacity') capacityFaults(component, rates, path, faults);
    if (component.kind === 'tax' || component.kind === 'minimum') {
      if (component.credit)
        faults.add(
          [...path, 'credit'],
          `A ${component.kind} follows what it stands on and is no credit of its own; leave credit out.`,
        );
      for (const [i, target] of component.on.entries())
        if (target !== '*') faults.known(target, targets, [...path, 'on', i], 'component or group');
    }
  }
  const back = tariff.components.filter(({ kind }) => kind === 'capacity' || kind === 'net').length;
  if (back > MOST_LOOKING_BACK)
    faults.add(
      ['components'],
      `A tariff has ${MOST_LOOKING_BACK} demand charges and net settlements at most; this one has ${back}.`,
    );
  orderFaults(tariff, faults);
}

type Path = readonly (string | number)[];

function rateRecord(
  record: Readonly<Record<string, string>>,
  wanted: Iterable<string>,
  rates: ReadonlySet<string>,
  path: Path,
  faults: Faults,
): void {
  for (const rate of Object.keys(record)) faults.known(rate, rates, [...path, rate], 'rate');
  const unpriced = [...wanted].filter((rate) => !Object.hasOwn(record, rate));
  if (unpriced.length)
    faults.add(path, `Nothing is said for rate ${quoted(unpriced)}; what is used in it would have no price.`);
}

function energyFaults(
  component: Extract<TariffComponent, { kind: 'energy' }>,
  rates: ReadonlySet<string>,
  path: Path,
  faults: Faults,
): void {
  const said = (['price', 'prices', 'steps', 'spot'] as const).filter((key) => component[key] !== undefined);
  if (said.length !== 1)
    faults.add(
      path,
      `Component ${JSON.stringify(component.name)} has ${said.length === 0 ? 'no price' : `${said.join(' and ')}`}; say exactly one of price, prices, steps and spot.`,
    );
  const used = component.only ?? rates;
  if (component.prices) rateRecord(component.prices, used, rates, [...path, 'prices'], faults);
  if (component.registers) {
    rateRecord(component.registers, used, rates, [...path, 'registers'], faults);
    if (component.spot)
      faults.add([...path, 'registers'], 'A spot price needs intervals; registers do not tell when energy was used.');
    if (component.steps?.per === 'day')
      faults.add(
        [...path, 'registers'],
        'Steps of each day need intervals; registers do not tell on which day energy was used.',
      );
  }
  if (component.steps) stepFaults(component.steps.steps, 'upTo', [...path, 'steps', 'steps'], faults);
  const { spot } = component;
  if (spot && (spot.missing === 'substitute') !== (spot.substitute !== undefined))
    faults.add(
      [...path, 'spot', 'substitute'],
      spot.missing === 'substitute'
        ? 'Say which price stands in for a missing one.'
        : 'A substitute is used only where missing is "substitute".',
    );
  if (spot?.floor !== undefined && spot.cap !== undefined && compareDecimals(spot.floor, spot.cap) > 0)
    faults.add([...path, 'spot', 'cap'], `The cap ${spot.cap} lies below the floor ${spot.floor}.`);
}

function netFaults(
  component: Extract<TariffComponent, { kind: 'net' }>,
  rates: ReadonlySet<string>,
  path: Path,
  faults: Faults,
): void {
  if ((component.price === undefined) === (component.prices === undefined))
    faults.add(path, `Component ${JSON.stringify(component.name)}: say exactly one of price and prices.`);
  if (component.prices) rateRecord(component.prices, rates, rates, [...path, 'prices'], faults);
  if (dayOfLeapYear(component.from) === undefined || component.from === '02-29')
    faults.add([...path, 'from'], `Not every year has a day ${component.from}.`);
  if (component.import === component.export)
    faults.add([...path, 'export'], 'Import and export are the same metering; nothing would be left.');
}

function capacityFaults(
  component: Extract<TariffComponent, { kind: 'capacity' }>,
  rates: ReadonlySet<string>,
  path: Path,
  faults: Faults,
): void {
  if ((component.price === undefined) === (component.steps === undefined))
    faults.add(path, `Component ${JSON.stringify(component.name)}: say exactly one of price and steps.`);
  if (component.steps) stepFaults(component.steps, 'below', [...path, 'steps'], faults);
  for (const rate of Object.keys(component.weights ?? {}))
    faults.known(rate, rates, [...path, 'weights', rate], 'rate');
}

function stepFaults(
  steps: readonly { readonly upTo?: string | undefined; readonly below?: string | undefined }[],
  key: 'upTo' | 'below',
  path: Path,
  faults: Faults,
): void {
  for (const [i, step] of steps.entries()) {
    const limit = step[key];
    const before = steps[i - 1]?.[key];
    const last = i === steps.length - 1;
    if (limit === undefined && !last)
      faults.add(
        [...path, i, key],
        `Step ${i + 1} has no limit, so those after it are never reached; only the last has none.`,
      );
    if (limit !== undefined && last)
      faults.add([...path, i, key], `What lies above ${limit} has no price; leave ${key} out of the last step.`);
    if (limit !== undefined && before !== undefined && compareDecimals(limit, before) <= 0)
      faults.add([...path, i, key], `Step ${i + 1} ends at ${limit}, not above the step before (${before}).`);
  }
}

/** A tax on tax is fine, in circles it is not. */
function orderFaults(tariff: Tariff, faults: Faults): void {
  const needs = tariff.components.map((component) => tariffDependencies(tariff, component));
  const state = new Uint8Array(needs.length);
  const visit = (at: number, way: number[]): void => {
    if (state[at] === 2) return;
    if (state[at] === 1) {
      const circle = [...way.slice(way.indexOf(at)), at].map((i) => tariff.components[i]?.name ?? '');
      faults.add(
        ['components', at, 'on'],
        `${quoted(circle)}: each stands on the next, in a circle; one of them must leave the other out.`,
      );
      return;
    }
    state[at] = 1;
    for (const next of needs[at] as readonly number[]) visit(next, [...way, at]);
    state[at] = 2;
  };
  for (let at = 0; at < needs.length; at++) visit(at, []);
}

/** Places of the components that a tax or minimum stands on, in order; none for the others. */
export function tariffDependencies(tariff: Tariff, component: TariffComponent): number[] {
  if (component.kind !== 'tax' && component.kind !== 'minimum') return [];
  const named = new Set(component.on);
  const found: number[] = [];
  for (const [i, other] of tariff.components.entries()) {
    const byStar =
      named.has('*') && other.kind !== 'tax' && !(component.kind === 'minimum' && other.kind === 'minimum');
    if (
      (byStar || named.has(other.name) || (other.group !== undefined && named.has(other.group))) &&
      other !== component
    )
      found.push(i);
    else if (other === component && named.has(other.name)) found.push(i);
  }
  return found;
}
