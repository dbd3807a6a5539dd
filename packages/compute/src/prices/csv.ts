/**
 * Prices in CSV of any columns.
 *
 * Decides: which column is the time and which the price where nobody says (headings, then contents); time and hour in columns of
 * their own; an interval written as `from - to`; files that run backwards; how long a price holds (to the next one, the
 * usual step at a hole). Errors are told by line. Leaves out: other things than prices.
 */
import { startOf } from '@amiable/calendar';
import { type Amount, amountOf, priceUnitOf } from './amount.ts';
import { usualStep } from './json.ts';
import { instantOf, isDayFirst, isSkipped, readStamp, type Stamp } from './stamp.ts';
import { columnOf, type Row, readRows, type Separator } from './table.ts';
import { MOST_PRICES, type PriceReading, type PriceSpan, type PriceWish } from './types.ts';

export interface CsvForm {
  readonly separator?: Separator;
  readonly decimal?: '.' | ',';
  /** Heading or number from 1. */
  readonly time?: string;
  /** Hour of the day in a column of its own: 0 to 23, 1 to 25 (counted from the start of the day), `00-01`. */
  readonly hour?: string;
  readonly end?: string;
  readonly price?: string;
  /** With `PriceWish.area`: only lines of that area. */
  readonly area?: string;
  readonly dayFirst?: boolean;
}

export interface LineFault {
  readonly line: number;
  readonly message: string;
}
export interface CsvReading extends PriceReading {
  readonly faults: readonly LineFault[];
}

const MOST_FAULTS = 1000;
const HOUR = 3_600_000;
const PRICE_WORDS = /pri[cs]e?s?\b|preis|pris|prix|prijs|hinta|spot|eur|nok|sek|dkk|øre|öre|€/i;
const NOTHING = new Set(['', '-', 'n/a', 'n/e', 'nan', 'null', 'na']);

export function readPriceCsv(text: string, wish: PriceWish, form: CsvForm = {}): CsvReading {
  const rows = readRows(text, form.separator);
  const fail = (message: string, line = 1): CsvReading => ({
    form: 'csv',
    lists: [],
    notes: [],
    faults: [{ line, message }],
  });
  const first = rows.findIndex((row) => row.cells.length > 1 && row.cells.some((cell) => anyStamps(cell)));
  if (first < 0)
    return fail('no line has a time and a price in columns of their own; say the separator and the columns');
  const header = first > 0 ? (rows[first - 1] as Row).cells : [];
  const body = rows.slice(first);
  const named = (name: string | undefined, what: string): number | undefined => {
    if (name === undefined) return undefined;
    const at = columnOf(header, name);
    if (at < 0)
      throw new ColumnMissing(
        `there is no column ${JSON.stringify(name)} for the ${what}; there are ${header.join(', ').slice(0, 300) || `${body[0]?.cells.length} without headings`}`,
      );
    return at;
  };
  try {
    const sample = body.slice(0, 500);
    const timeAt = named(form.time, 'time') ?? (body[0] as Row).cells.findIndex((cell) => anyStamps(cell));
    const dayFirst = form.dayFirst ?? isDayFirst(body.map((row) => row.cells[timeAt] ?? ''));
    if (dayFirst === undefined)
      return fail(
        'dates such as 3/4/2026 can be read in two ways here; say whether the day comes first',
        (body[0] as Row).line,
      );
    const areaAt = named(form.area, 'area');
    const hourAt = named(form.hour, 'hour');
    const endAt = named(form.end, 'end') ?? secondTime(header, sample, timeAt, dayFirst);
    const priceAt = named(form.price, 'price') ?? priceColumn(header, sample, [timeAt, areaAt, hourAt, endAt], wish);
    if (priceAt === undefined) return fail('which column is the price cannot be told; name it', (body[0] as Row).line);
    const own =
      areaAt === undefined || wish.area === undefined ? body : body.filter((row) => row.cells[areaAt] === wish.area);
    const decimal = form.decimal ?? decimalOf(own.map((row) => row.cells[priceAt] ?? ''));
    const heading = priceUnitOf(header[priceAt] ?? '');
    return build(own, { timeAt, hourAt, endAt, priceAt, dayFirst, decimal, shift: heading.shift }, wish, heading);
  } catch (error) {
    if (error instanceof ColumnMissing) return fail(error.message);
    throw error;
  }
}

class ColumnMissing extends Error {}

interface Columns {
  readonly timeAt: number;
  readonly hourAt: number | undefined;
  readonly endAt: number | undefined;
  readonly priceAt: number;
  readonly dayFirst: boolean;
  readonly decimal: '.' | ',';
  readonly shift: number;
}

function build(
  rows: readonly Row[],
  columns: Columns,
  wish: PriceWish,
  heading: { readonly currency: string | undefined; readonly unit: string | undefined },
): CsvReading {
  const faults: LineFault[] = [];
  const notes: string[] = [];
  const fault = (line: number, message: string): void => {
    if (faults.length < MOST_FAULTS) faults.push({ line, message });
  };
  const read: {
    readonly line: number;
    readonly stamp: Stamp;
    readonly end: Stamp | undefined;
    readonly price: Amount | undefined;
  }[] = [];
  const ofHour = columns.hourAt === undefined ? undefined : hourReader(rows, columns.hourAt);
  for (const { line, cells } of rows) {
    const written = cells[columns.timeAt] ?? '';
    const both = stampsOf(written, columns.dayFirst);
    if (!both) {
      // Sums and remarks below a table have no time.
      if (cells.some((cell) => cell !== '')) fault(line, `${JSON.stringify(written.slice(0, 60))} is no time`);
      continue;
    }
    let [stamp, end] = both;
    if (ofHour) {
      const made = ofHour(cells[columns.hourAt as number] ?? '', stamp, wish.zone);
      if (!made) {
        fault(line, `${JSON.stringify((cells[columns.hourAt as number] ?? '').slice(0, 40))} is no hour of the day`);
        continue;
      }
      stamp = made;
    }
    if (columns.endAt !== undefined) end = readStamp(cells[columns.endAt] ?? '', columns.dayFirst);
    const cell = cells[columns.priceAt] ?? '';
    const price = NOTHING.has(cell.toLowerCase())
      ? undefined
      : amountOf(cell.replace(/\s*(€|[A-Z]{3})$/, ''), columns.decimal);
    if (!price && !NOTHING.has(cell.toLowerCase())) {
      fault(
        line,
        `${JSON.stringify(cell.slice(0, 40))} is no price with a decimal ${columns.decimal === ',' ? 'comma' : 'point'}`,
      );
      continue;
    }
    if (isSkipped(stamp, wish.zone)) {
      fault(
        line,
        `clocks in ${wish.zone} never showed ${written.slice(0, 40)}: summer time began then; is the file in another zone?`,
      );
      continue;
    }
    read.push({ line, stamp, end, price });
    if (read.length > MOST_PRICES) {
      fault(line, `more than ${MOST_PRICES} prices; cut the file in parts`);
      break;
    }
  }
  const backwards = read.length > 1 && (read[0]?.stamp.wall ?? 0) > (read.at(-1)?.stamp.wall ?? 0);
  if (backwards) read.reverse();
  const times: number[] = [];
  for (const { stamp } of read) times.push(instantOf(stamp, wish.zone, times.at(-1)));
  const usual = usualStep(times);
  const spans: PriceSpan[] = [];
  let without = 0;
  read.forEach(({ line, end, price }, i) => {
    const from = times[i] as number;
    const next = times[i + 1];
    const said = end && instantOf(end, wish.zone, from);
    const to =
      said !== undefined && said > from
        ? said
        : next !== undefined && next > from && next - from <= usual
          ? next
          : from + usual;
    const before = spans.at(-1);
    if (before && from < before.to) fault(line, `a price for ${new Date(from).toISOString()} stands there already`);
    else if (!price) without++;
    else spans.push({ from, to, mantissa: price.mantissa, scaler: price.scaler + columns.shift });
  });
  if (without > 0) notes.push(`${without} lines have no price`);
  faults.sort((a, b) => a.line - b.line);
  const list = { area: wish.area, currency: heading.currency, unit: heading.unit, spans };
  return { form: 'csv', lists: spans.length === 0 ? [] : [list], notes, faults };
}

/** Before it is known whether days or months come first. */
const anyStamps = (cell: string): boolean => (stampsOf(cell, true) ?? stampsOf(cell, false)) !== undefined;

/** A cell with one time, or two: `01.01.2026 00:00 - 01.01.2026 01:00`. */
function stampsOf(cell: string, dayFirst: boolean): [Stamp, Stamp | undefined] | undefined {
  if (cell.length < 6 || !/\d/.test(cell)) return undefined;
  const one = readStamp(cell, dayFirst);
  if (one) return [one, undefined];
  const [a = '', b = '', ...more] = cell.split(/\s+[-–]\s+/);
  if (more.length > 0 || b === '') return undefined;
  const from = readStamp(a, dayFirst);
  const mark = /\(?\b(CES?T|UTC)\)?$/.exec(b)?.[1];
  const to = readStamp(b.replace(/\s*\(\w+\)$/, ''), dayFirst);
  if (!from || !to) return undefined;
  return mark === undefined ? [from, to] : [from, to];
}

function secondTime(
  header: readonly string[],
  rows: readonly Row[],
  timeAt: number,
  dayFirst: boolean,
): number | undefined {
  const at = timeAt + 1;
  if (!rows.every((row) => readStamp(row.cells[at] ?? '', dayFirst)?.timed)) return undefined;
  // Local time beside UTC is no end.
  return /utc|local|cet|dk|gmt/i.test(header[at] ?? '') ? undefined : at;
}

function priceColumn(
  header: readonly string[],
  rows: readonly Row[],
  taken: readonly (number | undefined)[],
  { area, currency }: PriceWish,
): number | undefined {
  const width = Math.max(...rows.map((row) => row.cells.length));
  const numbers: number[] = [];
  for (let at = 0; at < width; at++) {
    if (taken.includes(at)) continue;
    const cells = rows.map((row) => row.cells[at] ?? '').filter((cell) => !NOTHING.has(cell.toLowerCase()));
    const good = cells.filter((cell) => amountOf(cell) !== undefined || amountOf(cell, ',') !== undefined);
    if (
      good.length > 0 &&
      good.length * 2 >= cells.length &&
      cells.every((cell) => readStamp(cell, true) === undefined)
    )
      numbers.push(at);
  }
  const heading = (at: number): string => header[at] ?? '';
  const byArea = numbers.filter((at) => area !== undefined && heading(at).toLowerCase() === area.toLowerCase());
  if (byArea.length === 1) return byArea[0];
  const byCurrency = numbers.filter((at) => currency !== undefined && priceUnitOf(heading(at)).currency === currency);
  if (byCurrency.length === 1) return byCurrency[0];
  const byWord = numbers.filter((at) => PRICE_WORDS.test(heading(at)));
  if (byWord.length === 1) return byWord[0];
  return numbers.length === 1 ? numbers[0] : undefined;
}

/** A comma that stands where a decimal point would, and no such point. */
export function decimalOf(cells: readonly string[]): '.' | ',' {
  let commas = 0;
  let points = 0;
  for (const cell of cells) {
    const last = Math.max(cell.lastIndexOf(','), cell.lastIndexOf('.'));
    if (last < 0) continue;
    // 1,234 alone may be a thousand; more or fewer digits behind it are not.
    const behind = cell.length - last - 1;
    const weight = behind === 3 ? 1 : 10;
    if (cell[last] === ',') commas += weight;
    else points += weight;
  }
  return commas > points ? ',' : '.';
}

type HourReader = (cell: string, day: Stamp, zone: string) => Stamp | undefined;

/** Hours counted from 1 are counted from the start of the local day, so that the 25th is there in autumn. */
function hourReader(rows: readonly Row[], at: number): HourReader {
  const cells = rows.map((row) => row.cells[at] ?? '');
  const plain = cells.every((cell) => /^\s*\D{0,3}\d{1,2}\s*$/.test(cell));
  const base = plain && !cells.some((cell) => Number(/\d+/.exec(cell)?.[0]) === 0) ? 1 : 0;
  return (cell, day, zone) => {
    const found = /^\s*\D{0,3}(\d{1,2})(?:[:.](\d\d))?/.exec(cell);
    if (!found) return undefined;
    const hour = Number(found[1]);
    if (hour - base > 24 || hour < base) return undefined;
    if (base === 0)
      return { wall: day.wall + hour * HOUR + Number(found[2] ?? 0) * 60_000, offset: day.offset, timed: true };
    const start = startOf('day', zone, instantOf(day, zone));
    return { wall: start + (hour - 1) * HOUR, offset: 0, timed: true };
  };
}
