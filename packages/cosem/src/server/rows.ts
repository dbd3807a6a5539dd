/**
 * The buffer of a Profile generic as a server gives it (IEC 62056-6-2 clause 4.3.6): whole, by range or by entry.
 *
 * Decides: which rows and columns a selective access names. Works on rows in an interface and writes only those that are
 * asked for; where rows ascend by the restricting object they are found by halving. Leaves out: where rows are kept, and
 * null-data in place of repeated values.
 */
import { DecodeError, Reader, Writer } from '@amiable/bytes';
import {
  type DataResult,
  type DlmsDateTime,
  decodeDateTime,
  decodeLength,
  type EncodedData,
  encodeLength,
  RESULT,
  type SelectiveAccess,
  skipData,
  TAGS,
  wallMillis,
} from '@amiable/dlms';
import { entryDescriptor, rangeDescriptor } from '../classes/common.ts';
import { obisToBytes } from '../obis.ts';
import { isOfType } from '../values/check.ts';

/** One capture object. */
export interface RowColumn {
  readonly classId: number;
  /** As text, `0-0:1.0.0`. */
  readonly logicalName: string;
  readonly attributeIndex: number;
  /** 0, the whole attribute, unless said. */
  readonly dataIndex?: number;
}

export interface Rows {
  readonly columns: readonly RowColumn[];
  /** Rows are 0 to count - 1, in the order of the buffer. */
  readonly count: number;
  /** Writes the encoded value of one cell. */
  write(writer: Writer, row: number, column: number): void;
  /** What rows are restricted by: of a clock the instant, of others the value. Absent: no selection by range. */
  key?(row: number, column: number): number;
  /** The same of a value that a client sends; undefined refuses it. `keyOf` with the meter's deviation will mostly do. */
  keyOf?(value: EncodedData, column: number, end: 'from' | 'to'): number | undefined;
  /** The column by which rows ascend. */
  readonly ascendingBy?: number;
}

/** Selectors of `buffer`: by range, by entry. */
export const BUFFER_SELECTORS: readonly number[] = [1, 2];

/** The buffer, or the part of it that is asked for. For the getter of attribute 2: `readRows(rows, access)`. */
export function readRows(rows: Rows, access?: SelectiveAccess): DataResult {
  if (!access) return { data: writeRows(rows, 0, rows.count, undefined, undefined) };
  try {
    if (access.selector === 1) return byRange(rows, access.parameters);
    if (access.selector === 2) return byEntry(rows, access.parameters);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { error: RESULT.typeUnmatched };
  }
  return { error: RESULT.scopeOfAccessViolated };
}

function writeRows(
  rows: Rows,
  from: number,
  to: number,
  chosen: readonly number[] | undefined,
  columns: readonly number[] | undefined,
): EncodedData {
  const count = chosen ? chosen.length : Math.max(0, to - from);
  const width = columns ? columns.length : rows.columns.length;
  const writer = new Writer(64 + Math.min(count * width * 8, 65_536));
  writer.u8(TAGS.array);
  encodeLength(writer, count);
  for (let i = 0; i < count; i++) {
    const row = chosen ? (chosen[i] as number) : from + i;
    writer.u8(TAGS.structure);
    encodeLength(writer, width);
    for (let c = 0; c < width; c++) rows.write(writer, row, columns ? (columns[c] as number) : c);
  }
  return writer.finish();
}

// ---------------------------------------------------------------- by range

function byRange(rows: Rows, parameters: EncodedData): DataResult {
  if (!isOfType(parameters, rangeDescriptor)) return { error: RESULT.typeUnmatched };
  const reader = new Reader(parameters, 2);
  const restricting = columnOf(rows, reader);
  const fromValue = oneValue(reader);
  const toValue = oneValue(reader);
  reader.skip(1);
  const selected: number[] = [];
  const count = decodeLength(reader);
  // Each column once: a short request must not make a long answer of the same column again and again.
  if (count > rows.columns.length) return { error: RESULT.scopeOfAccessViolated };
  for (let n = count; n > 0; n--) selected.push(columnOf(rows, reader));
  if (restricting < 0 || selected.includes(-1) || new Set(selected).size !== count)
    return { error: RESULT.scopeOfAccessViolated };
  const { key, keyOf } = rows;
  if (!key || !keyOf) return { error: RESULT.scopeOfAccessViolated };
  const from = rows.keyOf?.(fromValue, restricting, 'from');
  const to = rows.keyOf?.(toValue, restricting, 'to');
  if (from === undefined || to === undefined) return { error: RESULT.typeUnmatched };
  const columns = selected.length === 0 ? undefined : selected;
  if (rows.ascendingBy === restricting) {
    const first = firstAtLeast(rows, restricting, from, false);
    return { data: writeRows(rows, first, firstAtLeast(rows, restricting, to, true), undefined, columns) };
  }
  const chosen: number[] = [];
  for (let row = 0; row < rows.count; row++) {
    const value = rows.key?.(row, restricting) as number;
    if (value >= from && value <= to) chosen.push(row);
  }
  return { data: writeRows(rows, 0, 0, chosen, columns) };
}

/** The first row whose key is at least (with `beyond`: more than) the bound. */
function firstAtLeast(rows: Rows, column: number, bound: number, beyond: boolean): number {
  let low = 0;
  let high = rows.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = rows.key?.(middle, column) as number;
    if (value < bound || (beyond && value === bound)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Reads a capture object that has been checked. @returns its column, -1 when it is none */
function columnOf(rows: Rows, reader: Reader): number {
  reader.skip(3);
  const classId = reader.u16();
  reader.skip(2);
  const name = reader.bytes(6);
  reader.skip(1);
  const attributeIndex = reader.i8();
  reader.skip(1);
  const dataIndex = reader.u16();
  return rows.columns.findIndex(
    (column) =>
      column.classId === classId &&
      column.attributeIndex === attributeIndex &&
      (column.dataIndex ?? 0) === dataIndex &&
      obisToBytes(column.logicalName).every((byte, i) => byte === name[i]),
  );
}

function oneValue(reader: Reader): EncodedData {
  const start = reader.pos;
  skipData(reader);
  return reader.buf.subarray(start, reader.pos);
}

// ---------------------------------------------------------------- by entry

function byEntry(rows: Rows, parameters: EncodedData): DataResult {
  if (!isOfType(parameters, entryDescriptor)) return { error: RESULT.typeUnmatched };
  const reader = new Reader(parameters, 3);
  const fromEntry = reader.u32();
  reader.skip(1);
  const toEntry = reader.u32();
  reader.skip(1);
  const fromColumn = reader.u16();
  reader.skip(1);
  const toColumn = reader.u16();
  const width = rows.columns.length;
  // Both count from 1; 0 as the last is "to the end". The first must be there.
  if (fromEntry === 0 || fromColumn === 0 || fromColumn > width) return { error: RESULT.scopeOfAccessViolated };
  const lastRow = toEntry === 0 ? rows.count : Math.min(toEntry, rows.count);
  const lastColumn = toColumn === 0 ? width : Math.min(toColumn, width);
  if (lastColumn < fromColumn) return { error: RESULT.scopeOfAccessViolated };
  const all = fromColumn === 1 && lastColumn === width;
  const columns = all ? undefined : Array.from({ length: lastColumn - fromColumn + 1 }, (_, i) => fromColumn - 1 + i);
  return { data: writeRows(rows, fromEntry - 1, lastRow, undefined, columns) };
}

// ---------------------------------------------------------------- keys

const LOWEST: Required<Pick<DlmsDateTime, 'month' | 'day' | 'hour' | 'minute' | 'second'>> = {
  month: 1,
  day: 1,
  hour: 0,
  minute: 0,
  second: 0,
};
const HIGHEST = { month: 12, day: 31, hour: 23, minute: 59, second: 59 } as const;

/**
 * The key of a value that restricts rows: a number as it is; a date-time (in an octet-string or itself) as milliseconds since
 * 1970 UTC, with the deviation it states, else with `deviation` (minutes from local time to UTC, as the meter's clock
 * has it). What a date-time leaves open is its lowest at the beginning and its highest at the end of a range.
 */
export function keyOf(value: EncodedData, end: 'from' | 'to', deviation = 0): number | undefined {
  const reader = new Reader(value);
  try {
    const tag = reader.u8();
    switch (tag) {
      case TAGS['octet-string']:
        return decodeLength(reader) === 12 ? instant(decodeDateTime(reader), end, deviation) : undefined;
      case TAGS['date-time']:
        return instant(decodeDateTime(reader), end, deviation);
      case TAGS.unsigned:
      case TAGS.enum:
        return reader.u8();
      case TAGS.integer:
        return reader.i8();
      case TAGS['long-unsigned']:
        return reader.u16();
      case TAGS.long:
        return reader.i16();
      case TAGS['double-long-unsigned']:
        return reader.u32();
      case TAGS['double-long']:
        return reader.i32();
      case TAGS.long64:
        return Number(reader.i64());
      case TAGS['long64-unsigned']:
        return Number(reader.u64());
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function instant(given: DlmsDateTime, end: 'from' | 'to', deviation: number): number | undefined {
  // A year that is open is no restriction at all.
  if (given.year === undefined) return end === 'from' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const filled = { ...(end === 'from' ? LOWEST : HIGHEST), ...given };
  let wall = wallMillis(filled);
  // The highest day of a month need not be 31.
  for (let day = 30; wall === undefined && given.day === undefined && day >= 28; day--)
    wall = wallMillis({ ...filled, day });
  return wall === undefined ? undefined : wall + (given.deviation ?? deviation) * 60_000;
}
