/**
 * A profile's buffer value by value: any type in any cell, compact-arrays, rows that differ, buffers that were cut off.
 *
 * Decides what a column of values is: numbers, when a double holds them all; else big integers, text, or plain values.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { type Data, decodeData, decodeLength, type EncodedData, TAGS, typeOfTag, wallMillis } from '@amiable/dlms';
import { holdsMoments, type ProfileColumn } from './capture.ts';
import { newMoments, wallAt } from './profile-fast.ts';
import {
  type BufferHead,
  type ColumnValues,
  clockStep,
  type Profile,
  type ProfileOptions,
  type Stop,
  specialColumns,
  utcOfClock,
} from './profile-types.ts';
import { plainValue } from './read.ts';

/** Of one row: far more than any profile captures. */
const ROW_LIMITS = { depth: 16, values: 4000 };
const MAX_CELLS = 2_000_000;

/** Cells by row; a null, a delta and a value of its own are told apart later. */
type Row = readonly Data[];

export function readRows(
  buffer: EncodedData,
  head: BufferHead,
  columns: readonly ProfileColumn[],
  options: ProfileOptions & { readonly maxRows: number },
): Profile {
  const rows: Row[] = [];
  const stopped = head.compact
    ? compactRows(buffer, head.offset, rows, options.maxRows)
    : arrayRows(buffer, head, rows);
  let width = columns.length;
  for (const row of rows) if (row.length > width) width = row.length;
  if (width * rows.length > MAX_CELLS)
    throw new DecodeError('limit', `${rows.length} rows of ${width} values are too many`, 0);
  const special = specialColumns(columns);
  const values = Array.from({ length: width }, (_, c) => columnOf(rows, c, columns[c], c === special.clock, options));
  return { rows: rows.length, columns: values, ...special, ...(stopped && { stopped }) };
}

function arrayRows(buffer: EncodedData, head: BufferHead, rows: Row[]): Stop | undefined {
  const reader = new Reader(buffer, head.offset);
  for (let row = 0; row < head.count; row++) {
    const offset = reader.pos;
    try {
      const data = decodeData(reader, ROW_LIMITS);
      rows.push(data.type === 'structure' ? data.value : [data]);
    } catch (error) {
      if (error instanceof DecodeError) return { row, offset, error };
      throw error;
    }
  }
  return behind(reader, rows.length);
}

function behind(reader: Reader, row: number): Stop | undefined {
  if (reader.remaining === 0) return undefined;
  const error = new DecodeError('length', `${reader.remaining} bytes behind the last row`, reader.pos);
  return { row, offset: reader.pos, error };
}

/** What the rows of a compact-array are made of. */
type Description =
  | { readonly tag: number }
  | { readonly tag: number; readonly count: number; readonly of: Description }
  | { readonly tag: number; readonly fields: readonly Description[] };

function describe(reader: Reader, depth: number): Description {
  const at = reader.pos;
  const tag = reader.u8('type description');
  const type = typeOfTag(tag);
  if (type === undefined || type === 'compact-array')
    throw new DecodeError('tag', `tag ${tag} cannot describe an element`, at);
  if (type !== 'array' && type !== 'structure') return { tag };
  if (depth === 0) throw new DecodeError('limit', 'type descriptions nest too deep', at);
  if (type === 'array') return { tag, count: reader.u16('number of elements'), of: describe(reader, depth - 1) };
  const count = decodeLength(reader);
  if (count > reader.remaining)
    throw new DecodeError('truncated', `${count} types announced, ${reader.remaining} bytes left`, at);
  return { tag, fields: Array.from({ length: count }, () => describe(reader, depth - 1)) };
}

/** One element without tags. `budget` counts values down over the whole buffer. */
function element(reader: Reader, description: Description, budget: { left: number }): Data {
  if (--budget.left < 0) throw new DecodeError('limit', 'too many values in one buffer', reader.pos);
  if ('fields' in description)
    return { type: 'structure', value: description.fields.map((field) => element(reader, field, budget)) };
  if ('of' in description) {
    const value: Data[] = [];
    for (let i = 0; i < description.count; i++) value.push(element(reader, description.of, budget));
    return { type: 'array', value };
  }
  return leaf(reader, description.tag);
}

const WIDTH: Readonly<Record<number, number>> = {
  [TAGS['null-data']]: 0,
  [TAGS['dont-care']]: 0,
  [TAGS['double-long']]: 4,
  [TAGS['double-long-unsigned']]: 4,
  [TAGS['delta-double-long']]: 4,
  [TAGS['delta-double-long-unsigned']]: 4,
  [TAGS.float32]: 4,
  [TAGS.long]: 2,
  [TAGS['long-unsigned']]: 2,
  [TAGS['delta-long']]: 2,
  [TAGS['delta-long-unsigned']]: 2,
  [TAGS.long64]: 8,
  [TAGS['long64-unsigned']]: 8,
  [TAGS.float64]: 8,
  [TAGS['date-time']]: 12,
  [TAGS.date]: 5,
  [TAGS.time]: 4,
};

/** Puts the tag before the contents, so that the one decoder of data reads it. */
function leaf(reader: Reader, tag: number): Data {
  const start = reader.pos;
  let width = WIDTH[tag];
  if (tag === TAGS['bit-string']) width = (decodeLength(reader) + 7) >> 3;
  else if (tag === TAGS['octet-string'] || tag === TAGS['visible-string'] || tag === TAGS['utf8-string'])
    width = decodeLength(reader);
  reader.skip(width ?? 1, typeOfTag(tag) ?? 'value');
  const tagged = new Uint8Array(1 + reader.pos - start);
  tagged[0] = tag;
  tagged.set(reader.buf.subarray(start, reader.pos), 1);
  return decodeData(new Reader(tagged));
}

function compactRows(buffer: EncodedData, offset: number, rows: Row[], maxRows: number): Stop | undefined {
  const reader = new Reader(buffer, offset);
  const description = describe(reader, ROW_LIMITS.depth);
  const length = decodeLength(reader);
  const whole = length <= reader.remaining;
  const contents = new Reader(buffer, reader.pos, whole ? reader.pos + length : buffer.length);
  const budget = { left: MAX_CELLS };
  while (contents.remaining > 0) {
    const at = contents.pos;
    try {
      const data = element(contents, description, budget);
      if (contents.pos === at) throw new DecodeError('value', 'rows of a compact-array take no bytes', at);
      if (rows.length >= maxRows) throw new DecodeError('limit', `more than ${maxRows} rows`, at);
      rows.push(data.type === 'structure' ? data.value : [data]);
    } catch (error) {
      if (error instanceof DecodeError) return { row: rows.length, offset: at, error };
      throw error;
    }
  }
  if (whole) return behind(new Reader(buffer, contents.pos), rows.length);
  const error = new DecodeError(
    'truncated',
    `${length} bytes announced, ${contents.pos - reader.pos} came`,
    contents.pos,
  );
  return { row: rows.length, offset: contents.pos, error };
}

const isNumeric = (data: Data): data is Extract<Data, { value: number | bigint | boolean }> =>
  'value' in data &&
  (typeof data.value === 'number' || typeof data.value === 'bigint' || typeof data.value === 'boolean');

/** The clock in a cell: wall clock, deviation and status; undefined when it is none. */
function clockIn(data: Data): readonly [wall: number, deviation: number, status: number] | undefined {
  if (data.type === 'date-time') {
    const { deviation = -0x8000, status = 0xff } = data.value;
    return [wallMillis(data.value) ?? Number.NaN, deviation, status];
  }
  if (data.type !== 'octet-string' || data.value.length !== 12) return undefined;
  const deviation = (((data.value[9] as number) << 24) >> 16) | (data.value[10] as number);
  return [wallAt(data.value, 0), deviation, data.value[11] as number];
}

const isMoment = (data: Data): boolean =>
  data.type === 'date-time' || (data.type === 'octet-string' && data.value.length === 12);

function columnOf(
  rows: readonly Row[],
  c: number,
  column: ProfileColumn | undefined,
  clock: boolean,
  options: ProfileOptions,
): ColumnValues {
  const cells = rows.map((row) => row[c]);
  const own = cells.filter((cell) => cell && cell.type !== 'null-data' && cell.type !== 'dont-care') as Data[];
  if (column && holdsMoments(column) && own.length > 0 && own.every(isMoment))
    return moments(cells, clock ? clockStep(options) : 0, options);
  const values = repeated(cells);
  const [first] = own;
  const given = values.filter((value) => value !== undefined);
  if (first && given.every(isNumeric)) {
    const exact = given.every(({ value }) => typeof value !== 'bigint' || Number.isSafeInteger(Number(value)));
    if (exact) {
      const numbers = Float64Array.from(values, (value) =>
        value ? Number((value as { value: number }).value) : Number.NaN,
      );
      return { kind: 'number', type: first.type, values: numbers };
    }
    if (given.every(({ value }) => typeof value === 'bigint' || Number.isSafeInteger(Number(value))))
      return {
        kind: 'bigint',
        type: first.type,
        values: values.map((value) => value && BigInt((value as { value: number | bigint }).value)),
      };
  }
  const plain = values.map((value) => value && plainValue(value));
  if (first && plain.every((value) => value === undefined || typeof value === 'string'))
    return { kind: 'text', values: plain as (string | undefined)[] };
  return { kind: 'plain', values: plain };
}

/** Null-data as the value above, deltas added to it. Undefined where there is nothing. */
function repeated(cells: readonly (Data | undefined)[]): (Data | undefined)[] {
  let above: Data | undefined;
  return cells.map((cell) => {
    if (!cell || cell.type === 'dont-care') above = undefined;
    else if (cell.type.startsWith('delta-')) above = above && added(above, (cell as { value: number }).value);
    else if (cell.type !== 'null-data') above = cell;
    return above;
  });
}

/** The sum as a value of the same type, however large: it is never encoded. */
function added(above: Data, delta: number): Data | undefined {
  if (above.type === 'long64' || above.type === 'long64-unsigned')
    return { type: above.type, value: above.value + BigInt(delta) };
  if (!isNumeric(above)) return undefined;
  return { type: above.type, value: Number(above.value) + delta } as Data;
}

function moments(cells: readonly (Data | undefined)[], step: number, options: ProfileOptions): ColumnValues {
  const out = newMoments(cells.length);
  let utc = Number.NaN;
  let wall = Number.NaN;
  let deviation = -0x8000;
  let status = 0xff;
  cells.forEach((cell, row) => {
    const value = cell && clockIn(cell);
    if (value) {
      [wall, deviation, status] = value;
      utc = utcOfClock(wall, deviation, status, options);
    } else if (cell?.type === 'null-data') {
      utc += step;
      wall += step;
    } else [utc, wall, deviation, status] = [Number.NaN, Number.NaN, -0x8000, 0xff];
    out.utc[row] = utc;
    out.wall[row] = wall;
    out.deviation[row] = deviation;
    out.status[row] = status;
  });
  return { kind: 'moment', ...out };
}
