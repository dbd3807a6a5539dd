/**
 * A household's own history: CSV as utilities' portals, meters' applications and spreadsheets write it, as intervals of one series.
 *
 * Decides: which column is the time (date and clock may stand apart), which the value, its unit out of the heading or a column, decimal
 * comma or point, start or end stamps, cumulative readings as differences; local times with the repeated hour by the order of lines.
 * What cannot be told is asked for, never guessed. Errors are told by line. Leaves out: other meters in the same file.
 */
import { amountOf } from '../prices/amount.ts';
import { decimalOf, type LineFault } from '../prices/csv.ts';
import { usualStep } from '../prices/json.ts';
import { instantOf, isDayFirst, isSkipped, readStamp, type Stamp } from '../prices/stamp.ts';
import { columnOf, type Row, readRows, type Separator } from '../prices/table.ts';
import { type Intervals, QUALITY } from '../series.ts';

export interface HistoryForm {
  /** Of times without an offset; `UTC` for files in UTC. */
  readonly zone: string;
  readonly separator?: Separator;
  readonly decimal?: '.' | ',';
  /** Heading or number from 1. */
  readonly time?: string;
  readonly clock?: string;
  readonly value?: string;
  readonly unit?: string;
  readonly dayFirst?: boolean;
  /** What a time marks: the start of its interval (unless said), or the end. */
  readonly stamp?: 'start' | 'end';
  /** Values are what a register showed. */
  readonly cumulative?: boolean;
}

export interface HistoryReading {
  /** In Wh or m3; undefined where nothing could be read. */
  readonly intervals: Intervals | undefined;
  readonly unit: 'Wh' | 'm3' | undefined;
  readonly count: number;
  readonly notes: readonly string[];
  readonly faults: readonly LineFault[];
}

const MOST_FAULTS = 1000;
/** Five years of five minutes. */
const MOST_INTERVALS = 530_000;
const MINUTE = 60_000;
const VALUE_WORDS =
  /kwh|wh\b|m3|m³|verbrauch|forbruk|forbrug|förbrukning|kulutus|määrä|mængde|menge|usage|consum|volume|value|wert|quantity|energy|energi|reading|stand/i;
const QUALITY_WORDS = /estimat|geschätzt|ersatzwert|estimert|beregnet|estimeret|uppskatt|arvio|geschat/i;
const CLOCK = /^\d{1,2}:\d{2}(:\d{2})?(\s*[AP]M)?$/i;
const UNITS: Readonly<Record<string, readonly ['Wh' | 'm3', number]>> = {
  wh: ['Wh', 0],
  kwh: ['Wh', 3],
  mwh: ['Wh', 6],
  m3: ['m3', 0],
  'm³': ['m3', 0],
  l: ['m3', -3],
};

/** Before it is known whether days or months come first. */
const anyStamp = (cell: string): Stamp | undefined => readStamp(cell, true) ?? readStamp(cell, false);

const unitOf = (text: string | undefined): readonly ['Wh' | 'm3', number] | undefined => {
  for (const word of (text ?? '').toLowerCase().split(/[^a-z0-9³]+/)) {
    const unit = Object.hasOwn(UNITS, word) ? UNITS[word] : undefined;
    if (unit) return unit;
  }
  return undefined;
};

export function readHistory(text: string, form: HistoryForm): HistoryReading {
  const fail = (message: string, line = 1): HistoryReading => ({
    intervals: undefined,
    unit: undefined,
    count: 0,
    notes: [],
    faults: [{ line, message }],
  });
  const rows = readRows(text, form.separator);
  const stamped = (cell: string | undefined): boolean =>
    cell !== undefined && cell.length >= 8 && anyStamp(cell) !== undefined;
  const first = rows.findIndex((row) => row.cells.length > 1 && row.cells.some(stamped));
  if (first < 0)
    return fail('no line has a time and a value in columns of their own; say the separator and the columns');
  const header = first > 0 ? (rows[first - 1] as Row).cells : [];
  const body = rows.slice(first);
  const line = (body[0] as Row).line;
  const named = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : columnOf(header, name);
  for (const name of [form.time, form.clock, form.value])
    if (name !== undefined && columnOf(header, name) < 0)
      return fail(`there is no column ${JSON.stringify(name)}; there are ${header.join(', ').slice(0, 300)}`);
  const cells = (body[0] as Row).cells;
  const timeAt = named(form.time) ?? cells.findIndex(stamped);
  const clockAt =
    named(form.clock) ??
    (CLOCK.test(cells[timeAt + 1] ?? '') && !anyStamp(cells[timeAt] ?? '')?.timed ? timeAt + 1 : undefined);
  const dayFirst = form.dayFirst ?? isDayFirst(body.map((row) => row.cells[timeAt] ?? ''));
  if (dayFirst === undefined)
    return fail('dates such as 3/4/2026 can be read in two ways here; say whether the day comes first', line);
  const valueAt = named(form.value) ?? valueColumn(header, body.slice(0, 200), [timeAt, clockAt]);
  if (valueAt === undefined) return fail('which column is the value cannot be told; name it', line);
  const unitAt = cells.findIndex((cell, at) => at !== valueAt && Object.hasOwn(UNITS, cell.toLowerCase()));
  const unit =
    unitOf(form.unit) ??
    unitOf(header[valueAt]) ??
    (unitAt >= 0 ? unitOf(cells[unitAt]) : undefined) ??
    unitOf(header.join(' '));
  if (!unit) return fail('the file does not say in what its values are; say the unit: kWh, Wh, m3', line);
  const decimal = form.decimal ?? decimalOf(body.map((row) => row.cells[valueAt] ?? ''));
  return build(body, { timeAt, clockAt, valueAt, unitAt, dayFirst, decimal, unit }, form);
}

function valueColumn(
  header: readonly string[],
  rows: readonly Row[],
  taken: readonly (number | undefined)[],
): number | undefined {
  const width = Math.max(...rows.map((row) => row.cells.length));
  const numbers: number[] = [];
  for (let at = 0; at < width; at++) {
    if (taken.includes(at)) continue;
    const own = rows.map((row) => row.cells[at] ?? '').filter((cell) => cell !== '');
    // Numbers of meters and points are long and whole.
    const good = own.filter(
      (cell) => (amountOf(cell) ?? amountOf(cell, ',')) !== undefined && !/^\d{9,}$/.test(cell) && !CLOCK.test(cell),
    );
    if (
      good.length > 0 &&
      good.length * 2 >= own.length &&
      own.every((cell) => cell.length < 8 || anyStamp(cell) === undefined)
    )
      numbers.push(at);
  }
  if (numbers.length <= 1) return numbers[0];
  const byWord = numbers.filter((at) => VALUE_WORDS.test(header[at] ?? ''));
  return byWord.length === 1 ? byWord[0] : undefined;
}

interface Columns {
  readonly timeAt: number;
  readonly clockAt: number | undefined;
  readonly valueAt: number;
  readonly unitAt: number;
  readonly dayFirst: boolean;
  readonly decimal: '.' | ',';
  readonly unit: readonly ['Wh' | 'm3', number];
}

interface Point {
  readonly line: number;
  readonly stamp: Stamp;
  readonly mantissa: number;
  readonly scaler: number;
  readonly estimated: boolean;
}

function build(rows: readonly Row[], columns: Columns, form: HistoryForm): HistoryReading {
  const faults: LineFault[] = [];
  const notes: string[] = [];
  const fault = (at: number, message: string): void => {
    if (faults.length < MOST_FAULTS) faults.push({ line: at, message });
  };
  const points: Point[] = [];
  let empty = 0;
  for (const { line, cells } of rows) {
    const written = `${cells[columns.timeAt] ?? ''}${columns.clockAt === undefined ? '' : ` ${cells[columns.clockAt] ?? ''}`}`;
    const stamp = readStamp(written, columns.dayFirst);
    const cell = cells[columns.valueAt] ?? '';
    const own = columns.unitAt >= 0 ? unitOf(cells[columns.unitAt]) : undefined;
    const amount = amountOf(cell.replace(/\s*(k?Wh|m3|m³)$/i, ''), columns.decimal);
    if (!stamp) fault(line, `${JSON.stringify(written.slice(0, 60))} is no time`);
    else if (isSkipped(stamp, form.zone))
      fault(
        line,
        `clocks in ${form.zone} never showed ${written.slice(0, 40)}: summer time began then; is the file in another zone?`,
      );
    else if (cell === '' || cell === '-') empty++;
    else if (!amount)
      fault(
        line,
        `${JSON.stringify(cell.slice(0, 40))} is no value with a decimal ${columns.decimal === ',' ? 'comma' : 'point'}`,
      );
    else if (own && own[0] !== columns.unit[0]) fault(line, `this line is in another unit: ${cells[columns.unitAt]}`);
    else
      points.push({
        line,
        stamp,
        mantissa: amount.mantissa,
        scaler: amount.scaler + (own ?? columns.unit)[1],
        estimated: cells.some((c) => QUALITY_WORDS.test(c)),
      });
  }
  if (empty > 0) notes.push(`${empty} lines have no value`);
  if (points.length > 1 && (points[0] as Point).stamp.wall > (points.at(-1) as Point).stamp.wall) points.reverse();
  const times: number[] = [];
  for (const { stamp } of points) times.push(instantOf(stamp, form.zone, times.at(-1)));
  const done = (intervals: Intervals | undefined, count: number): HistoryReading => {
    faults.sort((a, b) => a.line - b.line);
    return { intervals, unit: columns.unit[0], count, notes, faults };
  };
  if (points.length === 0) return done(undefined, 0);
  const step = usualStep(times);
  if (points.length < 2 || step < 5 * MINUTE || step > 60 * MINUTE || 60 % (step / MINUTE) !== 0) {
    fault(
      (points[0] as Point).line,
      `values stand ${points.length < 2 ? 'alone' : `${step / MINUTE} minutes apart`}; a history has intervals of 5, 10, 15, 20, 30 or 60 minutes`,
    );
    return done(undefined, 0);
  }
  const scaler = Math.max(-6, Math.min(...points.map((p) => p.scaler), 0));
  const shift = form.stamp === 'end' && !form.cumulative ? step : 0;
  const start = Math.floor(((times[0] as number) - shift) / step) * step;
  const n = Math.round(((times.at(-1) as number) - shift - start) / step) + 1;
  if (!(n <= MOST_INTERVALS)) {
    fault((points[0] as Point).line, `the file goes over more than ${MOST_INTERVALS} intervals; cut it in parts`);
    return done(undefined, 0);
  }
  const values = new Float64Array(n).fill(Number.NaN);
  const quality = new Uint8Array(n).fill(QUALITY.missing);
  let count = 0;
  const refusalOf = (i: number, at: number, mantissa: number): string | undefined => {
    if (!Number.isInteger(i) || i < 0 || i >= n)
      return `${new Date(at).toISOString()} is no start of an interval of ${step / MINUTE} minutes`;
    if (!Number.isNaN(values[i] as number)) return `a value for ${new Date(at).toISOString()} stands there already`;
    if (mantissa >= 0) return undefined;
    return form.cumulative ? 'the register fell here: was the meter exchanged?' : 'a consumption below zero';
  };
  const put = (point: Point, at: number, mantissa: number): void => {
    const i = (at - start) / step;
    const refusal = refusalOf(i, at, mantissa);
    if (refusal !== undefined) {
      fault(point.line, refusal);
      return;
    }
    values[i] = mantissa;
    quality[i] = point.estimated ? QUALITY.estimated : QUALITY.measured;
    count++;
  };
  const whole = (p: Point): number => Math.round(p.mantissa * 10 ** (p.scaler - scaler));
  points.forEach((point, k) => {
    const next = points[k + 1];
    if (!form.cumulative) put(point, (times[k] as number) - shift, whole(point));
    // What a register moved between two readings that are further apart belongs to no one interval.
    else if (next && (times[k + 1] as number) - (times[k] as number) === step)
      put(next, times[k] as number, whole(next) - whole(point));
  });
  return done({ start, step, scaler, values, quality }, count);
}
