/**
 * What the pictures say, in the languages of the page. Names of months and days stand here rather than in the machine's own tables,
 * so that a picture is the same on every machine, down to the pixel.
 */
import { type PeriodUnit, toLocal } from '@amiable/calendar';

export const LANGUAGES = ['en', 'nb', 'de', 'nl'] as const;
export type Language = (typeof LANGUAGES)[number];

interface Words {
  readonly months: readonly string[];
  /** From Monday. */
  readonly days: readonly string[];
  readonly monthLetters: number;
  readonly dayLetters: number;
  readonly decimal: string;
  readonly thousands: string;
  /** After the number of a day. */
  readonly dayDot: string;
  readonly afterWeekday: string;
  readonly week: string;
  readonly now: string;
  readonly import: string;
  readonly export: string;
  readonly importing: string;
  readonly exporting: string;
  readonly gas: string;
  readonly water: string;
  readonly heat: string;
  readonly volume: string;
  readonly asOf: string;
  readonly nothing: string;
  readonly noHour: string;
  readonly future: string;
  readonly silent: string;
  readonly waiting: string;
  readonly locked: string;
  readonly noMeter: string;
  readonly noMeterYet: string;
  readonly database: string;
  readonly meter: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    months: 'January February March April May June July August September October November December'.split(' '),
    days: 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' '),
    monthLetters: 3,
    dayLetters: 3,
    decimal: '.',
    thousands: ',',
    dayDot: '',
    afterWeekday: ' ',
    week: 'Week',
    now: 'Now',
    import: 'Import',
    export: 'Export',
    importing: 'imports',
    exporting: 'exports',
    gas: 'Gas',
    water: 'Water',
    heat: 'Heat',
    volume: 'Volume',
    asOf: 'as of {time}',
    nothing: 'Nothing was measured in this time.',
    noHour: 'No full hour yet.',
    future: 'This lies in the future.',
    silent: 'Not heard since {time}',
    waiting: 'Nothing was heard yet.',
    locked: 'Encrypted: its key is missing.',
    noMeter: 'There is no meter {id}.',
    noMeterYet: 'No meter yet',
    database: 'The database does not answer.',
    meter: 'Meter {serial}',
  },
  nb: {
    months: 'januar februar mars april mai juni juli august september oktober november desember'.split(' '),
    days: 'mandag tirsdag onsdag torsdag fredag lørdag søndag'.split(' '),
    monthLetters: 3,
    dayLetters: 3,
    decimal: ',',
    thousands: ' ',
    dayDot: '.',
    afterWeekday: ' ',
    week: 'Uke',
    now: 'Nå',
    import: 'Uttak',
    export: 'Innmating',
    importing: 'tar ut',
    exporting: 'mater inn',
    gas: 'Gass',
    water: 'Vann',
    heat: 'Varme',
    volume: 'Volum',
    asOf: 'per {time}',
    nothing: 'Ingenting ble målt i denne tiden.',
    noHour: 'Ingen hel time ennå.',
    future: 'Dette ligger i fremtiden.',
    silent: 'Ikke hørt siden {time}',
    waiting: 'Ingenting er hørt ennå.',
    locked: 'Kryptert: nøkkelen mangler.',
    noMeter: 'Det finnes ingen måler {id}.',
    noMeterYet: 'Ingen måler ennå',
    database: 'Databasen svarer ikke.',
    meter: 'Måler {serial}',
  },
  de: {
    months: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(' '),
    days: 'Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag'.split(' '),
    monthLetters: 3,
    dayLetters: 2,
    decimal: ',',
    thousands: '.',
    dayDot: '.',
    afterWeekday: ', ',
    week: 'Woche',
    now: 'Jetzt',
    import: 'Bezug',
    export: 'Einspeisung',
    importing: 'Bezug',
    exporting: 'Einspeisung',
    gas: 'Gas',
    water: 'Wasser',
    heat: 'Wärme',
    volume: 'Volumen',
    asOf: 'Stand {time}',
    nothing: 'In dieser Zeit wurde nichts gemessen.',
    noHour: 'Noch keine volle Stunde.',
    future: 'Das liegt in der Zukunft.',
    silent: 'Seit {time} nichts gehört',
    waiting: 'Noch nichts gehört.',
    locked: 'Verschlüsselt: der Schlüssel fehlt.',
    noMeter: 'Es gibt keinen Zähler {id}.',
    noMeterYet: 'Noch kein Zähler',
    database: 'Die Datenbank antwortet nicht.',
    meter: 'Zähler {serial}',
  },
  nl: {
    months: 'januari februari maart april mei juni juli augustus september oktober november december'.split(' '),
    days: 'maandag dinsdag woensdag donderdag vrijdag zaterdag zondag'.split(' '),
    monthLetters: 3,
    dayLetters: 2,
    decimal: ',',
    thousands: '.',
    dayDot: '',
    afterWeekday: ' ',
    week: 'Week',
    now: 'Nu',
    import: 'Afname',
    export: 'Teruglevering',
    importing: 'neemt af',
    exporting: 'levert terug',
    gas: 'Gas',
    water: 'Water',
    heat: 'Warmte',
    volume: 'Volume',
    asOf: 'stand {time}',
    nothing: 'In deze tijd is niets gemeten.',
    noHour: 'Nog geen vol uur.',
    future: 'Dit ligt in de toekomst.',
    silent: 'Niet gehoord sinds {time}',
    waiting: 'Nog niets gehoord.',
    locked: 'Versleuteld: de sleutel ontbreekt.',
    noMeter: 'Er is geen meter {id}.',
    noMeterYet: 'Nog geen meter',
    database: 'De database antwoordt niet.',
    meter: 'Meter {serial}',
  },
};

type Text = {
  [K in keyof Words]: Words[K] extends string ? K : never;
}[keyof Words];

export interface Speech {
  readonly language: Language;
  say(key: Text, parameters?: Readonly<Record<string, string>>): string;
  /** Exactly `digits` decimals. */
  number(value: number, digits: number): string;
  /** As a person reads it off: 948 W, 2.41 kW. */
  power(watts: number): { value: string; unit: string };
  energy(wattHours: number): { value: string; unit: string };
  /** Cubic metres, or energy of heat. */
  amount(value: number, unit: string): { value: string; unit: string };
  clock(at: number, zone: string): string;
  /** `day`: with the date when that is not the day of `now`. */
  moment(at: number, zone: string, now: number): string;
  title(unit: PeriodUnit, from: number, to: number, zone: string): { long: string; short: string };
  bar(unit: PeriodUnit, start: number, zone: string): string;
}

const DAY = 86_400_000;
const two = (n: number): string => String(n).padStart(2, '0');

export function speechOf(language: Language): Speech {
  const words = WORDS[language];
  const wall = (at: number, zone: string): Date => new Date(toLocal(zone, at));
  const weekday = (date: Date): string => words.days[(date.getUTCDay() + 6) % 7] as string;
  const month = (date: Date): string => words.months[date.getUTCMonth()] as string;
  const brief = (text: string, letters: number): string => text.slice(0, letters);
  const number = (value: number, digits: number): string => {
    const text = Math.abs(value).toFixed(digits);
    const [whole = '', rest] = text.split('.');
    const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, words.thousands) : whole;
    const minus = value < 0 && Number(text) !== 0 ? '−' : '';
    return minus + grouped + (rest === undefined ? '' : words.decimal + rest);
  };
  const prefixed = (value: number, unit: string): { value: string; unit: string } => {
    const size = Math.abs(value);
    if (size < 999.5) return { value: number(value, 0), unit };
    const [divisor, prefix] = size < 999_500 ? [1000, 'k'] : size < 999_500_000 ? [1e6, 'M'] : [1e9, 'G'];
    const scaled = value / divisor;
    return {
      value: number(scaled, Math.abs(scaled) < 9.995 ? 2 : Math.abs(scaled) < 99.95 ? 1 : 0),
      unit: prefix + unit,
    };
  };
  const significant = (value: number): string =>
    number(value, Math.abs(value) < 9.995 ? 2 : Math.abs(value) < 999.5 ? 1 : 0);
  const clock = (at: number, zone: string): string => {
    const date = wall(at, zone);
    return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  };
  const dayMonth = (date: Date): string =>
    `${date.getUTCDate()}${words.dayDot} ${brief(month(date), words.monthLetters)}`;
  return {
    language,
    say: (key, parameters = {}) =>
      (words[key] as string).replace(/\{(\w+)\}/g, (_, name: string) => parameters[name] ?? ''),
    number,
    power: (watts) => prefixed(watts, 'W'),
    energy: (wattHours) => {
      const kwh = wattHours / 1000;
      if (Math.abs(kwh) >= 999_500) return { value: number(kwh / 1e6, 2), unit: 'GWh' };
      return { value: significant(kwh), unit: 'kWh' };
    },
    amount: (value, unit) => {
      if (unit === 'm3') return { value: significant(value), unit: 'm³' };
      if (unit === 'J') return { value: significant(value / 3.6e6), unit: 'kWh' };
      return prefixed(value, unit);
    },
    clock,
    moment: (at, zone, now) => {
      const date = wall(at, zone);
      const today = Math.floor(date.getTime() / DAY) === Math.floor(wall(now, zone).getTime() / DAY);
      return today ? clock(at, zone) : `${dayMonth(date)} ${clock(at, zone)}`;
    },
    title: (unit, from, to, zone) => {
      const date = wall(from, zone);
      const year = String(date.getUTCFullYear());
      if (unit === 'year') return { long: year, short: year };
      if (unit === 'month')
        return { long: `${month(date)} ${year}`, short: `${brief(month(date), words.monthLetters)} ${year}` };
      if (unit === 'day') {
        const long = `${weekday(date)}${words.afterWeekday}${date.getUTCDate()}${words.dayDot} ${month(date)} ${year}`;
        return { long, short: `${brief(weekday(date), words.dayLetters)} ${dayMonth(date)}` };
      }
      const end = wall(to - 1, zone);
      const same = date.getUTCMonth() === end.getUTCMonth();
      const first = same ? `${date.getUTCDate()}${words.dayDot}` : dayMonth(date);
      const week = `${words.week} ${weekNumber(date)}`;
      return {
        long: `${week} · ${first} – ${dayMonth(end)} ${end.getUTCFullYear()}`,
        short: `${week} · ${first}–${dayMonth(end)}`,
      };
    },
    bar: (unit, start, zone) => {
      const date = wall(start, zone);
      if (unit === 'day') return String(date.getUTCHours());
      if (unit === 'week') return `${brief(weekday(date), words.dayLetters)} ${date.getUTCDate()}`;
      if (unit === 'month') return String(date.getUTCDate());
      return brief(month(date), words.monthLetters);
    },
  };
}

/** ISO 8601: the week that holds its Thursday. */
function weekNumber(date: Date): number {
  const day = Math.floor(date.getTime() / DAY);
  const thursday = day - ((date.getUTCDay() + 6) % 7) + 3;
  const first = Date.UTC(new Date(thursday * DAY).getUTCFullYear(), 0, 1) / DAY;
  return Math.floor((thursday - first) / 7) + 1;
}
