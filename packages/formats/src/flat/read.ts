/**
 * A flat file read back by its design: values out of bytes with bounded memory, each fault with its line and column.
 *
 * Decides: constants of the lines before must stand there (else it is another format); counts and sums of the lines after are checked; a
 * file that breaks off is told by them. A wrong line is told and left out. Leaves out: whose meters these are (the importer).
 */
import {
  FLAT_UNIT_POWERS,
  type FlatColumn,
  type FlatFormat,
  type LineColumn,
  QUALITIES,
  type Quality,
} from '@amiable/model';
import { dateForm } from '../date.ts';
import type { MeterName, ReadingFault, ReadingReader, ReadingSink } from '../series.ts';
import { readDecimal, scaledBy, undefused } from '../text.ts';

/** Characters of a line. */
export const MAX_LINE = 65_536;

export interface FlatReadOptions {
  /** IANA zone in which `local` times are read. */
  readonly zone: string;
  /** Length of an interval, ms, where no column says it; 0: showings of registers. */
  readonly period?: number;
  /** What is read of a file that does not name its meter or quantity. */
  readonly meter?: { readonly by: MeterName; readonly name: string };
  readonly what?: string;
  /** Takes 1,5 and 1.5 alike: of forms that were guessed. */
  readonly eitherDecimal?: boolean;
}

interface Cell {
  readonly text: string;
  /** From 1 on. */
  readonly at: number;
}

const NAMES: Readonly<Record<string, MeterName>> = {
  meter: 'serial',
  utilitySerial: 'utilitySerial',
  meterId: 'id',
  point: 'point',
};
const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);

/** Cells of one separated line; a sentence where quotes do not close. */
export function separatedCells(
  line: string,
  separator: string,
): Cell[] | { readonly at: number; readonly message: string } {
  const cells: Cell[] = [];
  let at = 0;
  for (;;) {
    if (line.charCodeAt(at) === 34) {
      let text = '';
      let from = at + 1;
      for (;;) {
        const close = line.indexOf('"', from);
        if (close < 0) return { at: at + 1, message: 'the quote that opens here is not closed on this line' };
        text += line.slice(from, close);
        from = close + 1;
        if (line.charCodeAt(from) !== 34) break;
        text += '"';
        from++;
      }
      if (from < line.length && line[from] !== separator)
        return { at: from + 1, message: 'text follows the closing quote; double a quote that belongs to the text' };
      cells.push({ text, at: at + 1 });
      at = from;
    } else {
      const next = line.indexOf(separator, at);
      const to = next < 0 ? line.length : next;
      cells.push({ text: line.slice(at, to), at: at + 1 });
      at = to;
    }
    if (at >= line.length) return cells;
    at++;
    if (at === line.length) {
      cells.push({ text: '', at: at + 1 });
      return cells;
    }
  }
}

export function createFlatReader(format: FlatFormat, sink: ReadingSink, options: FlatReadOptions): ReadingReader {
  const { columns } = format;
  const fixed = format.layout === 'fixed';
  const decoder = new TextDecoder(format.encoding === 'latin1' ? 'iso-8859-1' : 'utf-8');
  const dates = columns.map((column) => dateForm(column.date, column.zone));
  const backwards = columns.map(
    (column) => new Map(Object.entries(column.words ?? {}).map(([ours, theirs]) => [theirs, ours])),
  );
  const before = format.header.length + (format.columnNames ? 1 : 0);
  const decimalMark = format.decimal;
  let text = '';
  let line = 0;
  let over = false;
  let rows = 0;
  let sumMantissa = 0n;
  let sumScaler = 0;
  /** The last lines may be those after the values. */
  const held: { readonly line: number; readonly text: string }[] = [];
  /** Of the value before, for the repeated hour. */
  let lastOf = '';
  let lastTime: number | undefined;

  const fault = (at: number, message: string, field?: string, where = line): void =>
    sink.fault({ line: where, column: at, message, ...(field === undefined ? {} : { field }) });
  const fatal = (at: number, message: string): false => {
    fault(at, message);
    over = true;
    text = '';
    return false;
  };

  function cellsOf(
    columnsOf: readonly { readonly width?: number | undefined; readonly pad: string; readonly align: string }[],
    whole: string,
    where: number,
  ): Cell[] | undefined {
    if (!fixed) {
      const cells = separatedCells(whole, format.separator);
      if (!Array.isArray(cells)) {
        fault(cells.at, cells.message, undefined, where);
        return undefined;
      }
      if (cells.length !== columnsOf.length) {
        const few = cells.length < columnsOf.length;
        fault(
          few ? whole.length + 1 : (cells[columnsOf.length]?.at ?? 1),
          `this line has ${cells.length} columns and the format ${columnsOf.length}`,
          undefined,
          where,
        );
        return undefined;
      }
      return cells;
    }
    const cells: Cell[] = [];
    let at = 0;
    for (const { width = 1, pad, align } of columnsOf) {
      let cell = whole.slice(at, at + width);
      if (align === 'right')
        while (cell.length > 1 && cell.startsWith(pad) && !(pad === '0' && /[.,]/.test(cell[1] as string)))
          cell = cell.slice(1);
      else while (cell.length > 0 && cell.endsWith(pad)) cell = cell.slice(0, -1);
      cells.push({ text: cell.trim(), at: at + 1 });
      at += width;
    }
    if (whole.length > at) {
      fault(at + 1, `the line has ${whole.length} characters and the format ${at}`, undefined, where);
      return undefined;
    }
    return cells;
  }

  const number = (cell: Cell, unit: string | undefined): { mantissa: number; scaler: number } | undefined => {
    let plain = cell.text.trim();
    if (options.eitherDecimal) plain = plain.replace(',', '.');
    else if (decimalMark === ',') {
      if (plain.includes('.')) return undefined;
      plain = plain.replace(',', '.');
    }
    const read = readDecimal(plain.replace(/^([+-]?)\./, '$10.'));
    return read && scaledBy(read, FLAT_UNIT_POWERS[unit ?? '']?.power ?? 0);
  };

  function head(whole: string): boolean {
    const special = format.header[line - 1];
    if (!special) return true;
    const cells = cellsOf(special, whole, line);
    if (!cells) return fatal(1, 'this is not the beginning that the format says; is it the right format?');
    for (const [i, column] of special.entries()) {
      const cell = cells[i] as Cell;
      const given = undefused(cell.text).trim();
      if (column.field === 'constant' && given !== column.text.trim())
        return fatal(cell.at, `${shown(column.text)} is wanted here, not ${shown(given)}; is it the right format?`);
    }
    return true;
  }

  function row(whole: string, where: number): void {
    rows++;
    const cells = cellsOf(columns, whole, where);
    if (!cells) return;
    let by: MeterName = options.meter?.by ?? 'serial';
    let meter = options.meter?.name;
    let what = options.what;
    let period = options.period ?? 0;
    let unit: string | undefined;
    let quality: Quality = 'measured';
    let time: number | undefined;
    let ended: number | undefined;
    let value: { mantissa: number; scaler: number } | null | undefined;
    let valueAt = 1;
    let bad = false;
    const wrong = (i: number, message: string): void => {
      bad = true;
      fault((cells[i] as Cell).at, message, (columns[i] as FlatColumn).name ?? (columns[i] as FlatColumn).field, where);
    };
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as FlatColumn;
      const cell = cells[i] as Cell;
      const given = format.formulas === 'defuse' && !fixed ? undefused(cell.text) : cell.text;
      switch (column.field) {
        case 'meter':
        case 'utilitySerial':
        case 'meterId':
        case 'point': {
          const name = given.trim();
          // The first that says something: a file may have serial number and metering point.
          if (meter === undefined && name !== '') {
            meter = name;
            by = NAMES[column.field] as MeterName;
          }
          break;
        }
        case 'quantity':
        case 'obis':
          if (given.trim() !== '') what = backwards[i]?.get(given.trim()) ?? given.trim();
          break;
        case 'unit': {
          const known = FLAT_UNIT_POWERS[given.trim()];
          if (column.text === '' && !known && given.trim() !== '')
            wrong(i, `${shown(given)} is no unit that is known; there are ${Object.keys(FLAT_UNIT_POWERS).join(', ')}`);
          unit = given.trim();
          break;
        }
        case 'period':
          if (/^\d{1,6}$/.test(given)) period = Number(given) * 1000;
          else wrong(i, `a number of seconds is wanted, not ${shown(given)}`);
          break;
        case 'quality': {
          const name = backwards[i]?.get(given.trim()) ?? given.trim();
          if (name === '') break;
          if ((QUALITIES as readonly string[]).includes(name)) quality = name as Quality;
          else
            wrong(
              i,
              `${shown(given)} is no quality; there are ${column.words ? Object.values(column.words).join(', ') : QUALITIES.join(', ')}`,
            );
          break;
        }
        case 'constant':
          if (given.trim() !== column.text.trim())
            wrong(i, `${shown(column.text)} is wanted here, not ${shown(given)}`);
          break;
        default:
      }
    }
    const key = `${meter ?? ''}\0${what ?? ''}`;
    const after = key === lastOf ? lastTime : undefined;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as FlatColumn;
      const cell = cells[i] as Cell;
      if (column.field === 'time' || column.field === 'end') {
        const end = column.field === 'end';
        const read = dates[i]?.parse(
          cell.text.trim(),
          options.zone,
          after === undefined ? undefined : end ? after + period : after,
        );
        if (typeof read === 'string') wrong(i, read);
        else if (end) ended = read;
        else time = read;
      } else if (column.field === 'value') {
        valueAt = cell.at;
        const given = cell.text.trim();
        if (given === (format.missing === 'skip' ? '' : format.missing.write.trim()) || given === '') value = null;
        else {
          value = number(
            cell,
            column.unit ??
              (unit !== undefined && columns.some((c) => c.field === 'unit' && c.text === '') ? unit : undefined),
          );
          if (value === undefined)
            wrong(
              i,
              `a number with a decimal ${decimalMark === ',' && !options.eitherDecimal ? 'comma' : 'point'} and at most 15 digits is wanted, not ${shown(given)}`,
            );
        }
      }
    }
    if (!bad && time === undefined && ended !== undefined) time = ended - period;
    if (!bad && time !== undefined && ended !== undefined && period > 0 && ended - time !== period)
      wrong(
        columns.findIndex((c) => c.field === 'end'),
        `the interval is ${(ended - time) / 1000} s long, and ${period / 1000} s are wanted`,
      );
    if (!bad && period === 0 && time !== undefined && ended !== undefined) period = ended - time;
    if (bad || time === undefined || value === undefined) return;
    if (value && !Number.isSafeInteger(value.mantissa)) {
      wrong(
        columns.findIndex((c) => c.field === 'value'),
        'the number has more than 15 digits',
      );
      return;
    }
    lastOf = key;
    lastTime = time;
    if (value) {
      if (value.scaler < sumScaler) {
        sumMantissa *= 10n ** BigInt(sumScaler - value.scaler);
        sumScaler = value.scaler;
      }
      sumMantissa += BigInt(value.mantissa) * 10n ** BigInt(value.scaler - sumScaler);
    }
    const base = columns.find((c) => c.field === 'value')?.unit ?? unit;
    sink.row({
      line: where,
      column: valueAt,
      meter,
      by,
      what,
      time,
      period,
      mantissa: value?.mantissa ?? null,
      scaler: value?.scaler ?? 0,
      unit: base === undefined ? undefined : FLAT_UNIT_POWERS[base]?.base,
      quality: value === null ? 'missing' : quality,
    });
  }

  function foot(): void {
    // Fewer lines than the format ends with: the file was cut off.
    if (held.length < format.footer.length) {
      fault(1, 'the last lines that the format says are not there; is the file whole?');
      return;
    }
    for (const [k, special] of format.footer.entries()) {
      const { text: whole, line: where } = held[k] as { line: number; text: string };
      if (!fixed) {
        const cells = separatedCells(whole, format.separator);
        if (!Array.isArray(cells) || cells.length !== special.length) {
          fault(1, 'this is not the last line that the format says; is the file whole?', undefined, where);
          continue;
        }
      }
      const cells = cellsOf(special, whole, where);
      if (!cells) continue;
      for (const [i, column] of special.entries()) check(column, cells[i] as Cell, where);
    }
  }

  function check(column: LineColumn, cell: Cell, where: number): void {
    const given = cell.text.trim();
    if (column.field === 'constant' && undefused(given) !== column.text.trim())
      fault(cell.at, `${shown(column.text)} is wanted here, not ${shown(given)}; is the file whole?`, undefined, where);
    const counted =
      column.field === 'rows' ? rows : column.field === 'lines' ? before + rows + format.footer.length : undefined;
    if (counted !== undefined && Number(given) !== counted)
      fault(
        cell.at,
        `the file says ${shown(given)} ${column.field} and has ${counted}; is it whole?`,
        column.field,
        where,
      );
    if (column.field !== 'sum') return;
    const read = number(cell, column.unit);
    if (!read) {
      fault(cell.at, `a sum is wanted, not ${shown(given)}`, 'sum', where);
      return;
    }
    // Rounded as it was written.
    const places = column.decimals;
    const power = FLAT_UNIT_POWERS[column.unit ?? '']?.power ?? 0;
    const least = Math.min(read.scaler, sumScaler);
    const difference =
      BigInt(read.mantissa) * 10n ** BigInt(read.scaler - least) - sumMantissa * 10n ** BigInt(sumScaler - least);
    const off = difference < 0n ? -difference : difference;
    // Half of the last decimal that was written, in units of 10^least.
    const half =
      places === undefined ? 0n : power - places - least > 0 ? (10n ** BigInt(power - places - least) + 1n) / 2n : 0n;
    if (off > half) fault(cell.at, `the values do not add up to ${shown(given)}; is the file whole?`, 'sum', where);
  }

  function take(whole: string): boolean {
    line++;
    if (whole.length > MAX_LINE)
      return fatal(1, `the line is longer than ${MAX_LINE} characters; is a line end missing?`);
    if (line <= before) return head(whole);
    if (whole.trim() === '' && !fixed) return true;
    if (format.footer.length === 0) row(whole, line);
    else {
      held.push({ line, text: whole });
      if (held.length > format.footer.length) {
        const first = held.shift() as { line: number; text: string };
        row(first.text, first.line);
      }
    }
    return true;
  }

  function scan(last: boolean): boolean {
    let at = 0;
    while (!over) {
      const next = text.indexOf('\n', at);
      if (next < 0) break;
      const whole = text.slice(at, text.charCodeAt(next - 1) === 13 && next > at ? next - 1 : next);
      at = next + 1;
      if (!take(whole)) return false;
    }
    if (over) return false;
    text = text.slice(at);
    if (text.length > MAX_LINE) {
      line++;
      return fatal(1, `the line is longer than ${MAX_LINE} characters; is a line end missing?`);
    }
    if (last && text !== '') {
      const whole = text;
      text = '';
      if (!take(whole)) return false;
    }
    return true;
  }

  return {
    push(bytes) {
      if (over) return false;
      text += decoder.decode(bytes, { stream: true });
      return scan(false);
    },
    end() {
      if (over) return false;
      text += decoder.decode();
      if (!scan(true)) return false;
      if (line < before) {
        line++;
        return fatal(1, 'the file ends before its first value');
      }
      foot();
      over = true;
      return true;
    },
  };
}

export type { ReadingFault };
