/**
 * The fast way through a profile's buffer: an array of structures of numbers and clocks, straight from the bytes into
 * columns. Gives up (undefined) at anything else; profile-rows.ts then reads the whole, and equally.
 */
import { type DataType, daysFromCivil, type EncodedData, isCivilDate, typeOfTag } from '@amiable/dlms';
import { holdsMoments, type ProfileColumn } from './capture.ts';
import {
  type BufferHead,
  type ColumnValues,
  clockStep,
  type Profile,
  type ProfileOptions,
  specialColumns,
  utcOfClock,
} from './profile-types.ts';

const MAX_COLUMNS = 127;
const FLOAT = new DataView(new ArrayBuffer(8));
const TWO_32 = 0x1_0000_0000;

/** A day is the same in many rows: its number is worked out once. */
let lastDate = -1;
let lastDay = 0;

/** The wall clock of the twelve bytes at `p`, as if UTC; NaN when they name no moment. */
export function wallAt(buf: Uint8Array, p: number): number {
  const date =
    (buf[p] as number) * 0x1000000 +
    (((buf[p + 1] as number) << 16) | ((buf[p + 2] as number) << 8)) +
    (buf[p + 3] as number);
  if (date !== lastDate) {
    const year = ((buf[p] as number) << 8) | (buf[p + 1] as number);
    const [month, day] = [buf[p + 2] as number, buf[p + 3] as number];
    lastDate = date;
    lastDay =
      year !== 0xffff && isCivilDate(year, month, day) ? daysFromCivil(year, month, day) * 86_400_000 : Number.NaN;
  }
  const hour = buf[p + 5] as number;
  const minute = buf[p + 6] as number;
  let second = buf[p + 7] as number;
  let hundredths = buf[p + 8] as number;
  if (second === 0xff) second = 0;
  if (hundredths === 0xff) hundredths = 0;
  if (hour > 23 || minute > 59 || second > 59 || hundredths > 99) return Number.NaN;
  return lastDay + hour * 3_600_000 + minute * 60_000 + second * 1000 + hundredths * 10;
}

/** Undefined unless every row is a structure of as many numbers and clocks as there are columns. */
export function readFast(
  buf: EncodedData,
  { count, offset }: BufferHead,
  columns: readonly ProfileColumn[],
  options: ProfileOptions,
): Profile | undefined {
  const width = columns.length;
  const end = buf.length;
  // Null-data is the shortest cell, so a count that cannot be is found before anything is allocated for it.
  if (width === 0 || width > MAX_COLUMNS || count === 0 || count * (2 + width) > end - offset) return undefined;
  const { clock, status: statusColumn } = specialColumns(columns);
  const step = clockStep(options);
  const numbers: Float64Array[] = new Array(width);
  const moments: (Mutable | undefined)[] = new Array(width).fill(undefined);
  const types: DataType[] = new Array(width);

  let p = offset;
  for (let row = 0; row < count; row++) {
    if (p + 2 > end || buf[p] !== 2 || buf[p + 1] !== width) return undefined;
    p += 2;
    for (let c = 0; c < width; c++) {
      const tag = buf[p];
      if (row === 0) {
        const moment = tag === 9 || tag === 25;
        if (moment !== holdsMoments(columns[c] as ProfileColumn) || tag === undefined) return undefined;
        if (moment) moments[c] = newMoments(count);
        numbers[c] = moment ? (moments[c] as Mutable).utc : new Float64Array(count);
        types[c] = typeOfTag(tag) as DataType;
      }
      const values = numbers[c] as Float64Array;
      const moment = moments[c];
      let value: number;
      if (moment !== undefined) {
        if (tag === 0) {
          // In row 0 the tag was another one.
          p += 1;
          repeat(moment, row, c === clock ? step : 0);
          continue;
        }
        if (tag === 9) {
          if (buf[p + 1] !== 12) return undefined;
          p += 2;
        } else if (tag === 25) p += 1;
        else return undefined;
        if (p + 12 > end) return undefined;
        const wall = wallAt(buf, p);
        const deviation = (((buf[p + 9] as number) << 24) >> 16) | (buf[p + 10] as number);
        const status = buf[p + 11] as number;
        moment.wall[row] = wall;
        moment.deviation[row] = deviation;
        moment.status[row] = status;
        values[row] = utcOfClock(wall, deviation, status, options);
        p += 12;
        continue;
      }
      switch (tag) {
        case 6: // double-long-unsigned
          if (p + 5 > end) return undefined;
          value =
            (((buf[p + 1] as number) << 24) |
              ((buf[p + 2] as number) << 16) |
              ((buf[p + 3] as number) << 8) |
              (buf[p + 4] as number)) >>>
            0;
          p += 5;
          break;
        case 18: // long-unsigned
          if (p + 3 > end) return undefined;
          value = ((buf[p + 1] as number) << 8) | (buf[p + 2] as number);
          p += 3;
          break;
        case 17: // unsigned
        case 22: // enum
        case 13: // bcd
          if (p + 2 > end) return undefined;
          value = buf[p + 1] as number;
          p += 2;
          break;
        case 0:
          if (row === 0) return undefined;
          value = values[row - 1] as number;
          p += 1;
          break;
        case 5: // double-long
          if (p + 5 > end) return undefined;
          value =
            ((buf[p + 1] as number) << 24) |
            ((buf[p + 2] as number) << 16) |
            ((buf[p + 3] as number) << 8) |
            (buf[p + 4] as number);
          p += 5;
          break;
        case 16: // long
          if (p + 3 > end) return undefined;
          value = (((buf[p + 1] as number) << 24) >> 16) | (buf[p + 2] as number);
          p += 3;
          break;
        case 15: // integer
          if (p + 2 > end) return undefined;
          value = ((buf[p + 1] as number) << 24) >> 24;
          p += 2;
          break;
        case 3: // boolean
          if (p + 2 > end) return undefined;
          value = buf[p + 1] === 0 ? 0 : 1;
          p += 2;
          break;
        case 20: // long64
        case 21: {
          // long64-unsigned
          if (p + 9 > end) return undefined;
          const high = wordAt(buf, p + 1);
          value = (tag === 20 ? high | 0 : high) * TWO_32 + wordAt(buf, p + 5);
          if (!Number.isSafeInteger(value)) return undefined;
          p += 9;
          break;
        }
        case 23: // float32
          if (p + 5 > end) return undefined;
          FLOAT.setUint32(0, wordAt(buf, p + 1));
          value = FLOAT.getFloat32(0);
          p += 5;
          break;
        case 24: // float64
          if (p + 9 > end) return undefined;
          FLOAT.setUint32(0, wordAt(buf, p + 1));
          FLOAT.setUint32(4, wordAt(buf, p + 5));
          value = FLOAT.getFloat64(0);
          p += 9;
          break;
        case 28: // delta-integer
        case 31: // delta-unsigned
          if (row === 0 || p + 2 > end) return undefined;
          value =
            (values[row - 1] as number) + (tag === 28 ? ((buf[p + 1] as number) << 24) >> 24 : (buf[p + 1] as number));
          p += 2;
          break;
        case 29: // delta-long
        case 32: {
          // delta-long-unsigned
          if (row === 0 || p + 3 > end) return undefined;
          const delta = ((buf[p + 1] as number) << 8) | (buf[p + 2] as number);
          value = (values[row - 1] as number) + (tag === 29 ? (delta << 16) >> 16 : delta);
          p += 3;
          break;
        }
        case 30: // delta-double-long
        case 33: {
          // delta-double-long-unsigned
          if (row === 0 || p + 5 > end) return undefined;
          const delta = wordAt(buf, p + 1);
          value = (values[row - 1] as number) + (tag === 30 ? delta | 0 : delta);
          p += 5;
          break;
        }
        default:
          return undefined;
      }
      // A sum of deltas may need more than a double.
      if (tag >= 28 && Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined;
      values[row] = value;
    }
  }
  if (p !== end) return undefined;
  const out: ColumnValues[] = columns.map((_, c) => {
    const moment = moments[c];
    if (moment) return { kind: 'moment', ...moment };
    const values = numbers[c] as Float64Array;
    return { kind: 'number', type: types[c] as DataType, values };
  });
  return { rows: count, columns: out, clock, status: statusColumn };
}

interface Mutable {
  readonly utc: Float64Array;
  readonly wall: Float64Array;
  readonly deviation: Int16Array;
  readonly status: Uint8Array;
}

export function newMoments(rows: number): Mutable {
  return {
    utc: new Float64Array(rows),
    wall: new Float64Array(rows),
    deviation: new Int16Array(rows),
    status: new Uint8Array(rows),
  };
}

/** The row above again, `step` ms later. */
function repeat(moment: Mutable, row: number, step: number): void {
  moment.utc[row] = (moment.utc[row - 1] as number) + step;
  moment.wall[row] = (moment.wall[row - 1] as number) + step;
  moment.deviation[row] = moment.deviation[row - 1] as number;
  moment.status[row] = moment.status[row - 1] as number;
}

function wordAt(buf: Uint8Array, p: number): number {
  return (
    (((buf[p] as number) << 24) |
      ((buf[p + 1] as number) << 16) |
      ((buf[p + 2] as number) << 8) |
      (buf[p + 3] as number)) >>>
    0
  );
}
