/**
 * Values between brackets: decimals and moments, as the many makers print them.
 *
 * Decides: which text is a number and which a moment, and what moment. Moments are wall milliseconds (see calendar): what the
 * meter's clock showed, as if it were UTC. Leaves out: whether a number of that code is a quantity at all (items.ts).
 */

export interface Number10 {
  readonly mantissa: number | bigint;
  /** Decimals printed, negated. */
  readonly scaler: number;
}

const NUMBER = /^\s*([+-]?)\s*(\d{1,30})(?:[.,](\d{1,20}))?\s*$/;

/** Reads a decimal number, leading zeros and all; undefined when it is none or needs more than 63 bits. */
export function parseNumber(text: string): Number10 | undefined {
  const found = NUMBER.exec(text);
  if (!found) return undefined;
  const [, sign = '', whole = '', fraction = ''] = found;
  const digits = whole + fraction;
  const scaler = fraction === '' ? 0 : -fraction.length;
  if (digits.length <= 15) {
    const small = Number(digits);
    return { mantissa: sign === '-' && small !== 0 ? -small : small, scaler };
  }
  const big = BigInt(`${sign === '-' ? '-' : ''}${digits}`);
  if (BigInt.asIntN(64, big) !== big) return undefined;
  return { mantissa: big >= -9_007_199_254_740_991n && big <= 9_007_199_254_740_991n ? Number(big) : big, scaler };
}

/** A number printed exactly, for an encoder: `decimals` places, at least `digits` digits before the point. */
export function printNumber(mantissa: number, scaler: number, digits = 1): string {
  const sign = mantissa < 0 ? '-' : '';
  const all = String(Math.abs(mantissa)).padStart(digits - Math.min(0, scaler), '0');
  return scaler >= 0 ? sign + all + '0'.repeat(scaler) : `${sign}${all.slice(0, scaler)}.${all.slice(scaler)}`;
}

export interface Moment {
  /** Wall milliseconds; of a time of day alone, since midnight. */
  readonly wall: number;
  /** The clock's mark: summer time or not. */
  readonly dst?: boolean;
  /** The clock says that it shows UTC (season digit 2 of the VDEW lists). */
  readonly utc?: true;
}

const DAY = 86_400_000;
const YEAR_PIVOT = 90;

/** Undefined for a day that no calendar has, such as 00-00-00. */
function dateOf(year: number, month: number, day: number): number | undefined {
  const full = year < 100 ? (year < YEAR_PIVOT ? 2000 : 1900) + year : year;
  const wall = Date.UTC(full, month - 1, day);
  const date = new Date(wall);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month > 0 ? wall : undefined;
}

function timeOf(hours: number, minutes: number, seconds: number): number | undefined {
  // Midnight at the end of a day is printed as 24:00 by some.
  if (hours === 24 && minutes === 0 && seconds === 0) return DAY;
  return hours > 23 || minutes > 59 || seconds > 59 ? undefined : ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

const SEPARATED_DATE = /^(?:([012])[ ,]?)?(\d{4}|\d{2})[-./](\d{2})[-./](\d{2})$/;
const GERMAN_DATE = /^(\d{2})\.(\d{2})\.(\d{4}|\d{2})$/;
const COMPACT_DATE = /^([012])?(\d{2})(\d{2})(\d{2})$/;
const SEPARATED_TIME = /^(?:([012])[ ,])?(\d{2}):(\d{2})(?::(\d{2}))?$/;
const COMPACT_TIME = /^([012])?(\d{2})(\d{2})(\d{2})$/;
/** `YY-MM-DD hh:mm[:ss]` and relatives; `&`, `,` and `T` stand between as well. */
const SEPARATED = /^(\S{8,11})[ ,&T]+(\d{2}:\d{2}(?::\d{2})?)\s*([SW]?)$/;
/** `[s]YYMMDDhhmm[ss][S|W]`, s the season digit. */
const COMPACT = /^([012])?(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?([SW]?)$/;

function marked(wall: number, season: string | undefined, letter = ''): Moment {
  if (season === '2') return { wall, utc: true };
  if (season === '1' || letter === 'S') return { wall, dst: true };
  if (season === '0' || letter === 'W') return { wall, dst: false };
  return { wall };
}

/** A date alone: `10-02-09`, `100209`, `1100209`, `2016-09-24`, `09.02.2010`. */
export function parseDate(text: string): Moment | undefined {
  const plain = text.trim();
  const german = GERMAN_DATE.exec(plain);
  // Points stand in either order; a day beyond 31 or a year of four digits tells which.
  if (german && (german[3]?.length === 4 || Number(german[3]) > 31)) {
    const wall = dateOf(Number(german[3]), Number(german[2]), Number(german[1]));
    return wall === undefined ? undefined : { wall };
  }
  const found = SEPARATED_DATE.exec(plain) ?? COMPACT_DATE.exec(plain);
  if (!found) return undefined;
  const wall = dateOf(Number(found[2]), Number(found[3]), Number(found[4]));
  return wall === undefined ? undefined : marked(wall, found[1]);
}

/** A time of day alone: `17:27:51`, `172751`, `1172751`, `17:27`. */
export function parseTime(text: string): Moment | undefined {
  const plain = text.trim();
  const found = SEPARATED_TIME.exec(plain) ?? COMPACT_TIME.exec(plain);
  if (!found) return undefined;
  const wall = timeOf(Number(found[2]), Number(found[3]), Number(found[4] ?? 0));
  return wall === undefined ? undefined : marked(wall, found[1]);
}

/** A date with a time: `10-02-01 00:15`, `2017-01-18&01:36:47`, `1502041015`, `01502041015`, `150204101500W`. */
export function parseMoment(text: string): Moment | undefined {
  const plain = text.trim();
  const parted = SEPARATED.exec(plain);
  if (parted) {
    const date = parseDate(parted[1] as string);
    const time = parseTime(parted[2] as string);
    if (!date || !time) return undefined;
    const season = date.utc ? '2' : date.dst === undefined ? undefined : date.dst ? '1' : '0';
    return marked(date.wall + time.wall, season, parted[3]);
  }
  const found = COMPACT.exec(plain);
  if (!found) return undefined;
  const [, season, year, month, day, hours, minutes, seconds, letter] = found;
  const date = dateOf(Number(year), Number(month), Number(day));
  const time = timeOf(Number(hours), Number(minutes), Number(seconds ?? 0));
  return date === undefined || time === undefined ? undefined : marked(date + time, season, letter);
}
