/**
 * A row of integers as the differences between neighbours (the first of 0), zigzag, in one of two widths: groups of seven
 * bits in bytes, or groups of three bits in half bytes, each with a mark that more follow, low groups first. Noise of some
 * units and long runs of the same take half bytes, wide steps bytes; which is shorter is counted before writing. An odd
 * half byte at the end is filled with a mark that nothing follows.
 */
import { DamagedBlock } from './bytes.ts';

export const BYTES = 1;
export const HALVES = 3;
export type Width = typeof BYTES | typeof HALVES;

const TWO32 = 4294967296;
const BYTES_OF = Uint8Array.from({ length: 65 }, (_, bits) => Math.max(1, Math.ceil(bits / 7)));
const HALVES_OF = Uint8Array.from({ length: 65 }, (_, bits) => Math.max(1, Math.ceil(bits / 3)));
/** Half bytes take twice as long to read (their ends cannot be foreseen): they must be worth it. */
const WORTH = 0.8;

/** What the integers of a row are like; one object, reused. NaN repeats the value before. */
export interface Survey {
  count: number;
  missing: number;
  sum: number;
  min: number;
  max: number;
  bytes: number;
  halves: number;
}

export const survey = (): Survey => ({ count: 0, missing: 0, sum: 0, min: 0, max: 0, bytes: 0, halves: 0 });

/** @throws RangeError for what is no integer */
export function measure(values: ArrayLike<number>, from: number, to: number, into: Survey): void {
  let before = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let missing = 0;
  let bytes = 0;
  let halves = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) {
      missing++;
      continue;
    }
    const d = value - before;
    before = value;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
    const short = d | 0;
    const bits = short === d ? 32 - Math.clz32((short << 1) ^ (short >> 31)) : 0;
    if (short === d && short >= -0x40000000 && short < 0x40000000) {
      bytes += BYTES_OF[bits] as number;
      halves += HALVES_OF[bits] as number;
    } else {
      const wide = bitsOf(d);
      bytes += BYTES_OF[wide] as number;
      halves += HALVES_OF[wide] as number;
    }
  }
  into.count = to - from;
  into.missing = missing;
  into.sum = sum;
  into.min = min;
  into.max = max;
  into.bytes = bytes + missing;
  into.halves = halves + missing;
}

function bitsOf(d: number): number {
  if (!Number.isInteger(d)) throw new RangeError('a value is no whole mantissa');
  const z = d >= 0 ? d * 2 : -d * 2 - 1;
  if (z >= 2 ** 64) return 64;
  return z < TWO32 ? 32 - Math.clz32(z) : 64 - Math.clz32(Math.floor(z / TWO32));
}

export const widthOf = (s: Survey): Width => (Math.ceil(s.halves / 2) <= s.bytes * WORTH ? HALVES : BYTES);

/** Bytes that writing takes at most. */
export const roomFor = (s: Survey): number => Math.max(s.bytes, (s.halves >> 1) + 1) + 1;

/** @returns the position after them */
export function write(
  buffer: Uint8Array,
  at: number,
  values: ArrayLike<number>,
  from: number,
  to: number,
  width: Width,
): number {
  return width === BYTES ? writeBytes(buffer, at, values, from, to) : writeHalves(buffer, at, values, from, to);
}

function writeBytes(buffer: Uint8Array, start: number, values: ArrayLike<number>, from: number, to: number): number {
  let at = start;
  let before = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) {
      buffer[at++] = 0;
      continue;
    }
    const d = value - before;
    before = value;
    if (d >= -64 && d < 64) buffer[at++] = (d << 1) ^ (d >> 31);
    else if (d >= -0x40000000 && d < 0x40000000) {
      let z = (d << 1) ^ (d >> 31);
      while (z > 127) {
        buffer[at++] = (z & 127) | 128;
        z >>>= 7;
      }
      buffer[at++] = z;
    } else {
      let z = d >= 0 ? d * 2 : -d * 2 - 1;
      while (z >= 128) {
        buffer[at++] = (z % 128) | 128;
        z = Math.floor(z / 128);
      }
      buffer[at++] = z;
    }
  }
  return at;
}

function writeHalves(buffer: Uint8Array, start: number, values: ArrayLike<number>, from: number, to: number): number {
  let at = start;
  let before = 0;
  /** The low half that waits for its high one; -1 when none does. */
  let low = -1;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    let z = 0;
    if (!Number.isNaN(value)) {
      const d = value - before;
      before = value;
      if (d >= -0x40000000 && d < 0x40000000) z = (d << 1) ^ (d >> 31);
      else {
        z = d >= 0 ? d * 2 : -d * 2 - 1;
        while (z > 0x7fffffff) {
          const half = (z % 8) | 8;
          z = Math.floor(z / 8);
          if (low < 0) low = half;
          else {
            buffer[at++] = low | (half << 4);
            low = -1;
          }
        }
      }
    }
    while (z > 7) {
      const half = (z & 7) | 8;
      z >>>= 3;
      if (low < 0) low = half;
      else {
        buffer[at++] = low | (half << 4);
        low = -1;
      }
    }
    if (low < 0) low = z;
    else {
      buffer[at++] = low | (z << 4);
      low = -1;
    }
  }
  if (low >= 0) buffer[at++] = low | 0x80;
  return at;
}

/** Where reading ended. */
export interface Read {
  /** How many values there were. */
  count: number;
  /** Position after them. */
  at: number;
}

/** Reads at most `most` values of v[from, to) into `out`. */
export function read(
  width: number,
  v: Uint8Array,
  from: number,
  to: number,
  most: number,
  out: Float64Array,
  end: Read,
): void {
  if (width === BYTES) readBytes(v, from, to, most, out, end);
  else readHalves(v, from, to, most, out, end);
}

function readBytes(v: Uint8Array, from: number, to: number, most: number, out: Float64Array, end: Read): void {
  let at = from;
  let total = 0;
  let n = 0;
  while (at < to && n < most) {
    let b = v[at++] as number;
    if (b < 128) total += (b >> 1) ^ -(b & 1);
    else {
      let z = b & 127;
      let scale = 128;
      do {
        if (at >= to || scale > 2 ** 57) throw new DamagedBlock('a number is cut short');
        b = v[at++] as number;
        z += (b & 127) * scale;
        scale *= 128;
      } while (b > 127);
      total += z % 2 === 0 ? z / 2 : -(z + 1) / 2;
    }
    out[n++] = total;
  }
  end.count = n;
  end.at = at;
}

function readHalves(v: Uint8Array, from: number, to: number, most: number, out: Float64Array, end: Read): void {
  let at = from;
  let total = 0;
  let n = 0;
  let z = 0;
  let shift = 0;
  while (at < to && n < most) {
    const b = v[at++] as number;
    if (shift > 21) {
      // Rare: a number of more than 24 bits is under way; half by half, and without 32-bit shifts.
      for (let half = b & 15, left = 2; left > 0 && n < most; half = b >> 4, left--) {
        if (shift > 57) throw new DamagedBlock('a number is too long');
        z += (half & 7) * 2 ** shift;
        shift += 3;
        if (half > 7) continue;
        total += z % 2 === 0 ? z / 2 : -(z + 1) / 2;
        out[n++] = total;
        z = 0;
        shift = 0;
      }
      continue;
    }
    // Which of the two halves end a number.
    switch (b & 0x88) {
      case 0x08:
        z |= ((b & 7) | ((b >> 1) & 0x38)) << shift;
        total += (z >>> 1) ^ -(z & 1);
        out[n++] = total;
        z = 0;
        shift = 0;
        break;
      case 0x00:
        z |= (b & 7) << shift;
        total += (z >>> 1) ^ -(z & 1);
        out[n++] = total;
        z = 0;
        shift = 0;
        if (n === most) break;
        z = b >> 4;
        total += (z >>> 1) ^ -(z & 1);
        out[n++] = total;
        z = 0;
        break;
      case 0x80:
        z |= (b & 7) << shift;
        total += (z >>> 1) ^ -(z & 1);
        out[n++] = total;
        z = (b >> 4) & 7;
        shift = 3;
        break;
      default:
        z |= ((b & 7) | ((b >> 1) & 0x38)) << shift;
        shift += 6;
    }
  }
  end.count = n;
  end.at = at;
}
