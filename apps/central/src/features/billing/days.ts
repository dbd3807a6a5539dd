/**
 * What a bill saw of each local day: sum and check number of the values and their qualities. By comparing them a change is found without
 * keeping the values, and the days that changed are named.
 *
 * Layout: for each metering in order of its name, for each local day twelve octets, big end first: sum of the mantissas as a double, check
 * number as 32 bits. The check number is of the mantissas without the zeros that all of the day end in, so that a metering that became
 * finer (one edit with a decimal does that) has the same numbers on all other days.
 */
import { add, startOf } from '@amiable/calendar';

/** What is read of a point. */
export interface Seen {
  readonly start: number;
  readonly step: number;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
}

const BYTES = 12;
const MISSING = 4;
const PRIME = 0x01000193;

/** Places of the first interval of each local day in [from, to), and one behind the last. Shared by all points of the same grid. */
export function dayPlaces(zone: string, from: number, to: number, start: number, step: number): Int32Array {
  const places: number[] = [];
  for (let day = startOf('day', zone, from); day < to; ) {
    places.push(Math.max(0, Math.ceil((Math.max(day, from) - start) / step)));
    const next = add('day', zone, day, 1);
    day = next > day ? next : add('day', zone, day, 2);
  }
  places.push(Math.ceil((to - start) / step));
  return Int32Array.from(places);
}

/** Writes the days of one metering, and counts the qualities of the intervals from `since` on into `counts`. */
export function digestDays(
  { values, quality }: Pick<Seen, 'values' | 'quality'>,
  places: Int32Array,
  since: number,
  counts: Float64Array,
  out: DataView,
  at: number,
): void {
  for (let d = 0; d + 1 < places.length; d++) {
    const end = Math.min(places[d + 1] as number, values.length);
    let sum = 0;
    let check = 0x811c9dc5 | 0;
    const ten = tensOf(values, quality, places[d] as number, end);
    for (let i = places[d] as number; i < end; i++) {
      const q = quality[i] as number;
      if (q === MISSING) check = Math.imul(check ^ 0x55555555, PRIME);
      else {
        const value = values[i] as number;
        sum += value;
        check = Math.imul(check ^ ((value / ten) | 0) ^ (q << 24), PRIME);
      }
      if (i >= since) counts[q] = (counts[q] as number) + 1;
    }
    out.setFloat64(at, sum);
    out.setInt32(at + 8, check);
    at += BYTES;
  }
}

/** The highest power of ten that divides all values of [from, end); 1 where none or only zeros are there. */
function tensOf(values: Float64Array, quality: Uint8Array, from: number, end: number): number {
  let ten = 0;
  for (let i = from; i < end; i++) {
    const value = values[i] as number;
    if (value === 0 || quality[i] === MISSING) continue;
    if (ten === 0) for (ten = 1; value % (ten * 10) === 0; ) ten *= 10;
    else while (value % ten !== 0) ten /= 10;
    if (ten === 1) return 1;
  }
  return ten || 1;
}

export const digestLength = (places: Int32Array): number => (places.length - 1) * BYTES;

export interface DayChange {
  /** Place of the day. */
  readonly day: number;
  /** Sums of mantissas, each with the scaler of its time. */
  readonly was: number;
  readonly is: number;
}

/**
 * Days that differ.
 * @param n days of one metering
 * @param finer how many digits finer the scaler is now than it was; below zero: coarser
 */
export function changedDays(was: Uint8Array, is: Uint8Array, offset: number, n: number, finer = 0): DayChange[] {
  const [more, less] = [10 ** Math.max(0, finer), 10 ** Math.max(0, -finer)];
  const a = new DataView(was.buffer, was.byteOffset, was.byteLength);
  const b = new DataView(is.buffer, is.byteOffset, is.byteLength);
  const found: DayChange[] = [];
  for (let day = 0; day < n; day++) {
    const at = (offset + day) * BYTES;
    if (at + BYTES > a.byteLength || at + BYTES > b.byteLength) break;
    const [x, y] = [a.getFloat64(at), b.getFloat64(at)];
    if (x * more !== y * less || a.getInt32(at + 8) !== b.getInt32(at + 8)) found.push({ day, was: x, is: y });
  }
  return found;
}
