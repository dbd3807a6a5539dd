/**
 * Rows of a profile as its buffer, for servers (IEC 62056-6-2 clause 4.3.6).
 *
 * Decides: with `nullData` a value equal to the one above is sent as null-data, and a clock that is the one above plus the
 * capture period, with the same deviation and status. Leaves out: selective access, which chooses the rows before.
 */
import { MisuseError, Reader, Writer } from '@amiable/bytes';
import { type Data, dateTimeOf, decodeDateTime, type EncodedData, encodeLength, TAGS, wallMillis } from '@amiable/dlms';
import { encodedData } from './encoded.ts';

export interface ProfileWriteOptions {
  /** Compresses with null-data. */
  readonly nullData?: boolean;
  /** Index of the clock's column; none is compressed by period when not said. */
  readonly clock?: number;
  /** Seconds. */
  readonly capturePeriod?: number;
  /** The newest row comes first. */
  readonly newestFirst?: boolean;
}

/** A value, or its bytes with the tag. */
export type Cell = Data | EncodedData;

const NULL = 0x00;

/** The buffer of these rows, all of one width. @throws MisuseError when one is of another */
export function writeProfileRows(rows: readonly (readonly Cell[])[], options: ProfileWriteOptions = {}): EncodedData {
  const width = rows[0]?.length ?? 0;
  const writer = new Writer(64 + rows.length * (2 + 8 * width));
  writer.u8(TAGS.array);
  encodeLength(writer, rows.length);
  const step = (options.capturePeriod ?? 0) * (options.newestFirst ? -1 : 1);
  const above: (Uint8Array | undefined)[] = new Array(width).fill(undefined);
  for (const row of rows) {
    if (row.length !== width) throw new MisuseError(`a row of ${row.length} values among rows of ${width}`);
    writer.u8(TAGS.structure);
    encodeLength(writer, width);
    for (let c = 0; c < width; c++) {
      const cell = row[c] as Cell;
      const bytes = cell instanceof Uint8Array ? cell : encodedData(cell);
      if (options.nullData && follows(above[c], bytes, c === options.clock ? step : undefined)) writer.u8(NULL);
      else writer.bytes(bytes);
      above[c] = bytes;
    }
  }
  return writer.finish();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const MOMENT_FIELDS = [
  'year',
  'month',
  'day',
  'weekday',
  'hour',
  'minute',
  'second',
  'hundredths',
  'deviation',
  'status',
] as const;

/** Whether null-data below `above` means `value`. Clocks (`period` in seconds, 0 when none) never repeat: null means later there. */
function follows(above: Uint8Array | undefined, value: Uint8Array, period: number | undefined): boolean {
  if (!above) return false;
  if (period === undefined) return equal(above, value);
  // 09 0C and the twelve bytes, or 19 and they.
  const at = value[0] === TAGS['date-time'] ? 1 : 2;
  if (period === 0 || value.length !== at + 12 || above.length !== value.length || above[0] !== value[0]) return false;
  const before = decodeDateTime(new Reader(above, at));
  const wall = wallMillis(before);
  if (wall === undefined) return false;
  const next = dateTimeOf(wall + period * 1000, {
    ...(before.deviation !== undefined && { deviation: before.deviation }),
    ...(before.status !== undefined && { status: before.status }),
    ...(before.hundredths !== undefined && { hundredths: true }),
  });
  const now = decodeDateTime(new Reader(value, at));
  return MOMENT_FIELDS.every(
    (field) => now[field] === (field === 'weekday' && before.weekday === undefined ? undefined : next[field]),
  );
}
