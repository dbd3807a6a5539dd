/**
 * Reading the buffer of a Profile generic (IEC 62056-6-2, class 7 attribute 2): selections, and the rows of what came.
 *
 * Decides: rows are cut out whole, also of a buffer that breaks off; what stands in them stays encoded, and null-data is
 * not filled in (a reader of rows needs the capture objects for that). A compact array has no rows to cut.
 */
import { DecodeError, MisuseError, Writer } from '@amiable/bytes';
import { type EncodedData, endOfData, octetString, type SelectiveAccess } from '@amiable/dlms';
import type { CaptureObjectDefinition, ProfileRows, ProfileSelection } from './types.ts';

const ARRAY = 0x01;
const STRUCTURE = 0x02;
const COMPACT_ARRAY = 0x13;
const INTEGER = 0x0f;
const LONG_UNSIGNED = 0x12;
const DOUBLE_LONG_UNSIGNED = 0x06;
const DEPTH = 16;

/** Clock, 0-0:1.0.0, time. */
const CLOCK: CaptureObjectDefinition = {
  classId: 8,
  instanceId: Uint8Array.of(0, 0, 1, 0, 0, 255),
  attributeId: 2,
  dataIndex: 0,
};

/** The selective access of a selection; undefined for all. @throws MisuseError on numbers that cannot be */
export function profileAccess(selection: ProfileSelection): SelectiveAccess | undefined {
  if (selection.kind === 'all') return undefined;
  const writer = new Writer();
  if (selection.kind === 'range') {
    const columns = selection.columns ?? [];
    if (columns.length > 0x7f) throw new MisuseError(`${columns.length} columns are too many to select`);
    writer.u8(STRUCTURE).u8(4);
    captureObject(writer, selection.by ?? CLOCK);
    writer.bytes(selection.from).bytes(selection.to).u8(ARRAY).u8(columns.length);
    for (const column of columns) captureObject(writer, column);
    return { selector: 1, parameters: writer.finish() };
  }
  const { from, to, fromColumn = 1, toColumn = 0 } = selection;
  for (const n of [from, to, fromColumn, toColumn])
    if (!Number.isInteger(n) || n < 0 || n > 0xffff_ffff) throw new MisuseError(`${n} is no entry of a profile`);
  writer.u8(STRUCTURE).u8(4).u8(DOUBLE_LONG_UNSIGNED).u32(from).u8(DOUBLE_LONG_UNSIGNED).u32(to);
  writer.u8(LONG_UNSIGNED).u16(fromColumn).u8(LONG_UNSIGNED).u16(toColumn);
  return { selector: 2, parameters: writer.finish() };
}

function captureObject(writer: Writer, c: CaptureObjectDefinition): void {
  writer.u8(STRUCTURE).u8(4).u8(LONG_UNSIGNED).u16(c.classId).bytes(octetString(c.instanceId));
  writer
    .u8(INTEGER)
    .u8(c.attributeId & 0xff)
    .u8(LONG_UNSIGNED)
    .u16(c.dataIndex);
}

/**
 * The rows of a buffer that came whole. Some meters count wrong: then the rows that can be read are given, with the error.
 */
export function wholeRows(buffer: EncodedData): ProfileRows {
  // An empty profile may be null-data.
  if (buffer[0] === COMPACT_ARRAY || (buffer[0] === 0 && buffer.length === 1))
    return { rows: [], buffer, complete: true };
  let rows: readonly EncodedData[] = [];
  try {
    const cut = cutRows(buffer);
    rows = cut.rows;
    if (rows.length !== cut.announced)
      throw new DecodeError('truncated', `${cut.announced} rows are announced, ${rows.length} are there`, cut.end);
    if (cut.end !== buffer.length)
      throw new DecodeError('trailing', `${buffer.length - cut.end} bytes follow the last row`, cut.end);
    return { rows, buffer, complete: true };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { rows, buffer: joinRows(rows), complete: false, error };
  }
}

/** The whole rows of a buffer that breaks off. */
export function partialRows(partial: EncodedData | undefined, error: Error): ProfileRows {
  // Its columns stand in its head; whoever reads it takes what is whole.
  if (partial?.[0] === COMPACT_ARRAY) return { rows: [], buffer: partial, complete: false, error };
  let rows: readonly EncodedData[] = [];
  try {
    if (partial) rows = cutRows(partial).rows;
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
  }
  return { rows, buffer: joinRows(rows), complete: false, error };
}

/** As many rows as are whole. @throws DecodeError when it does not begin as an array */
function cutRows(buffer: Uint8Array): { rows: EncodedData[]; announced: number; end: number } {
  if (buffer[0] !== ARRAY) throw new DecodeError('tag', 'the buffer of a profile is an array', 0);
  const first = buffer[1] ?? 0;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || buffer.length < 2 + more) throw new DecodeError('length', 'the number of rows cannot be read', 1);
  let announced = more === 0 ? first : 0;
  for (let i = 0; i < more; i++) announced = announced * 256 + (buffer[2 + i] as number);
  const rows: EncodedData[] = [];
  let at = 2 + more;
  while (rows.length < announced && at < buffer.length) {
    const end = rowEnd(buffer, at);
    if (end === undefined) break;
    rows.push(buffer.subarray(at, end));
    at = end;
  }
  return { rows, announced, end: at };
}

function rowEnd(buffer: Uint8Array, at: number): number | undefined {
  try {
    return endOfData(buffer, at, buffer.length, DEPTH);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function joinRows(rows: readonly EncodedData[]): EncodedData {
  const writer = new Writer(64);
  writer.u8(ARRAY);
  if (rows.length < 0x80) writer.u8(rows.length);
  else writer.u8(0x84).u32(rows.length);
  for (const row of rows) writer.bytes(row);
  return writer.finish();
}
