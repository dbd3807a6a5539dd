/**
 * Reads the values of a telegram along its layout: the data types of EN 13757-3 annex A. This is the hot path.
 *
 * Decides what counts as no value: an integer of type B that is its most negative one, BCD with digits beyond 9 (but for the
 * sign F in front), floats that are no number, dates that the meter marks invalid. Such a reading keeps its digits as text, loses
 * its unit and is marked missing. Floats become the shortest decimal that reads back as the same float. Local times
 * become ISO 8601 text, `*` where the meter means every year, month or day.
 */
import { toHex } from '@amiable/bytes';
import type { Item, Quality, Value } from '@amiable/model';
import { KIND, type Layout, type Slot } from './layout.ts';

/** What a slot's reading is like this time: 0 as laid out, MISSING, or the power of ten that a float adds. */
const MISSING = 127;

/** What was read last at one place, so that the same octets give the same value. */
interface Memo {
  readonly bytes: Uint8Array;
  value: Value;
  state: number;
}

export interface Columns {
  readonly layout: Layout;
  readonly items: readonly Item[];
  readonly values: Value[];
  readonly qualities: readonly (Quality | undefined)[] | undefined;
}

interface Variant extends Pick<Columns, 'items' | 'qualities'> {
  readonly states: Int8Array;
}

/** A layout made ready to be read along. */
export interface Reading {
  readonly layout: Layout;
  readonly kinds: Uint8Array;
  readonly ats: Int32Array;
  readonly lengths: Int32Array;
  readonly factors: Float64Array;
  readonly memos: readonly (Memo | undefined)[];
  readonly plain: Variant;
  readonly states: Int8Array;
  /** The states of `plain` can change from telegram to telegram even without a missing value. */
  variants: Map<string, Variant> | undefined;
  last: Variant;
  /** Items of one slot by state. */
  readonly itemsOf: (Map<number, Item> | undefined)[];
}

const MAX_VARIANTS = 256;
const SAFE = Number.MAX_SAFE_INTEGER;

export function readingOf(layout: Layout): Reading {
  const { slots } = layout;
  const n = slots.length;
  const plainStates = new Int8Array(n);
  const plain: Variant = { items: slots.map((slot) => slot.item), qualities: undefined, states: plainStates };
  return {
    layout,
    kinds: Uint8Array.from(slots, (slot) => (isCareful(slot, layout) ? slot.kind | CAREFUL : slot.kind)),
    ats: Int32Array.from(slots, (slot) => slot.at),
    lengths: Int32Array.from(slots, (slot) => slot.length),
    factors: Float64Array.from(slots, (slot) => slot.head?.factor ?? 1),
    memos: slots.map((slot) =>
      (slot.kind >= KIND.text && slot.kind !== KIND.integer) || slot.kind === KIND.real32
        ? { bytes: new Uint8Array(slot.length), value: '', state: -128 }
        : undefined,
    ),
    plain,
    states: new Int8Array(n),
    variants: undefined,
    last: plain,
    itemsOf: [],
  };
}

/** Set in `kinds` of what the loop below must not read by itself. */
const CAREFUL = 0x80;
const isCareful = ({ head }: Slot, { msbFirst }: Layout): boolean =>
  msbFirst || (head !== undefined && (head.fault !== undefined || head.factor > 100_000));

const reversed = new Uint8Array(256);

/** State of the value that was read last. */
let state = 0;

/** Reads the records that start at bytes[start]. */
export function readAlong(reading: Reading, bytes: Uint8Array, start: number): Columns {
  const { kinds, ats, factors, states } = reading;
  const n = kinds.length;
  const values: Value[] = new Array(n);
  let odd = false;
  for (let i = 0; i < n; i++) {
    const o = start + (ats[i] as number);
    let value = 0;
    switch (kinds[i]) {
      case KIND.i32:
        value =
          (bytes[o] as number) |
          ((bytes[o + 1] as number) << 8) |
          ((bytes[o + 2] as number) << 16) |
          ((bytes[o + 3] as number) << 24);
        if (value === -0x8000_0000) break;
        values[i] = value * (factors[i] as number);
        states[i] = 0;
        continue;
      case KIND.i16:
        value = (bytes[o] as number) | (((bytes[o + 1] as number) << 24) >> 16);
        if (value === -0x8000) break;
        values[i] = value * (factors[i] as number);
        states[i] = 0;
        continue;
      case KIND.i8:
        value = ((bytes[o] as number) << 24) >> 24;
        if (value === -0x80) break;
        values[i] = value * (factors[i] as number);
        states[i] = 0;
        continue;
      case KIND.bcd: {
        const length = reading.lengths[i] as number;
        let k = length - 1;
        for (; k >= 0; k--) {
          const two = BCD[bytes[o + k] as number] as number;
          if (two < 0) break;
          value = value * 100 + two;
        }
        if (k >= 0) break;
        value *= factors[i] as number;
        if (value > SAFE) break;
        values[i] = value;
        states[i] = 0;
        continue;
      }
    }
    values[i] = readSlot(reading, i, bytes, o);
    states[i] = state;
    if (state !== 0) odd = true;
  }
  if (!odd) return { layout: reading.layout, items: reading.plain.items, values, qualities: undefined };
  const variant = variantOf(reading);
  return { layout: reading.layout, items: variant.items, values, qualities: variant.qualities };
}

/** Two digits of packed BCD; -1 when one is beyond 9. */
const BCD = Int8Array.from({ length: 256 }, (_, b) => ((b & 15) > 9 || b >> 4 > 9 ? -1 : (b >> 4) * 10 + (b & 15)));

/** All that is not plain: remembered, made anew, or read with the care that the loop leaves out. */
function readSlot(reading: Reading, i: number, bytes: Uint8Array, o: number): Value {
  const slot = reading.layout.slots[i] as Slot;
  const { length } = slot;
  let from = bytes;
  let at = o;
  if (reading.layout.msbFirst && slot.kind !== KIND.maker) {
    for (let k = 0; k < length; k++) reversed[k] = bytes[o + length - 1 - k] as number;
    from = reversed;
    at = 0;
  }
  const memo = reading.memos[i];
  if (memo !== undefined) {
    const known = memo.bytes;
    let k = memo.state === -128 ? -1 : length;
    while (k > 0 && known[k - 1] === from[at + k - 1]) k--;
    if (k === 0) {
      state = memo.state;
      return memo.value;
    }
  }
  state = 0;
  let value = valueAt(slot, from, at);
  if (slot.head?.fault !== undefined) state = MISSING;
  // A mantissa has at most 63 bits and a sign: what is more is kept as its digits.
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) state = MISSING;
  if (state === MISSING && typeof value !== 'string') value = value.toString();
  if (memo !== undefined) {
    for (let k = 0; k < length; k++) memo.bytes[k] = from[at + k] as number;
    memo.value = value;
    memo.state = state;
  }
  return value;
}

/** The value at bytes[at], least significant octet first; sets `state`. */
function valueAt({ kind, length, head }: Slot, b: Uint8Array, at: number): Value {
  const factor = head?.factor ?? 1;
  switch (kind) {
    case KIND.none:
      state = MISSING;
      return '';
    case KIND.i8:
    case KIND.i16:
    case KIND.i24:
    case KIND.i32:
    case KIND.i48:
    case KIND.i64:
    case KIND.integer:
      return signed(b, at, length, factor);
    case KIND.unsigned:
      return times(unsignedAt(b, at, length), factor);
    case KIND.bcd:
      return packed(b, at, length, factor, true);
    case KIND.positiveBcd:
      return packed(b, at, length, factor, false);
    case KIND.negativeBcd: {
      const value = packed(b, at, length, factor, false);
      return typeof value === 'string' ? value : negative(value);
    }
    case KIND.real32:
      return real(b, at, factor);
    case KIND.text:
      return textAt(b, at, length);
    case KIND.cp16:
      return dateAt(b, at);
    case KIND.cp24:
      return timeAt(b, at);
    case KIND.cp32:
      return dateTimeAt(b, at, 0, 0);
    case KIND.cp48:
      return dateTimeAt(b, at + 1, b[at] as number, 1);
    case KIND.digits:
      return digitsAt(b, at, length);
    case KIND.letters: {
      const code = (b[at] as number) | ((b[at + 1] as number) << 8);
      return String.fromCharCode(((code >> 10) & 0x1f) + 64, ((code >> 5) & 0x1f) + 64, (code & 0x1f) + 64);
    }
    case KIND.hex:
      return digitsAt(b, at, length).toLowerCase();
    default:
      return toHex(b.subarray(at, at + length));
  }
}

function digitsAt(b: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = length - 1; i >= 0; i--) text += (b[at + i] as number).toString(16).padStart(2, '0');
  return text.toUpperCase();
}

function times(value: number | bigint, factor: number): number | bigint {
  if (factor === 1) return value;
  if (typeof value === 'number') {
    const product = value * factor;
    if (product <= SAFE && product >= -SAFE) return product;
  }
  return BigInt(value) * BigInt(factor);
}

const negative = (value: number | bigint): number | bigint => (value === 0 ? 0 : -value);

function unsignedAt(b: Uint8Array, at: number, length: number): number | bigint {
  let value = 0;
  if (length <= 6) {
    for (let i = length - 1; i >= 0; i--) value = value * 256 + (b[at + i] as number);
    return value;
  }
  let big = 0n;
  for (let i = length - 1; i >= 0; i--) big = (big << 8n) | BigInt(b[at + i] as number);
  return small(big);
}

function small(big: bigint): number | bigint {
  const value = Number(big);
  return Number.isSafeInteger(value) ? value : big;
}

function signed(b: Uint8Array, at: number, length: number, factor: number): Value {
  if (length === 0) {
    state = MISSING;
    return '';
  }
  const value = unsignedAt(b, at, length);
  if ((b[at + length - 1] as number) < 0x80) return times(value, factor);
  const whole = 1n << BigInt(8 * length);
  const below = BigInt(value) - whole;
  if (below * -2n === whole) {
    // Type B: the most negative integer is no value.
    state = MISSING;
    return digitsAt(b, at, length);
  }
  return times(small(below), factor);
}

function packed(b: Uint8Array, at: number, length: number, factor: number, sign: boolean): Value {
  let value = 0n;
  let minus = false;
  for (let i = length - 1; i >= 0; i--) {
    const octet = b[at + i] as number;
    let two = BCD[octet] as number;
    if (two < 0 && sign && i === length - 1 && octet >= 0xf0 && (octet & 15) <= 9) {
      minus = true;
      two = octet & 15;
    }
    if (two < 0) {
      state = MISSING;
      return digitsAt(b, at, length);
    }
    value = value * 100n + BigInt(two);
  }
  const mantissa = times(small(value), factor);
  return minus ? negative(mantissa) : mantissa;
}

const single = new DataView(new ArrayBuffer(4));
const POWERS = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);
/** A mantissa has at most 63 bits. */
const LARGEST = 9e18;

function real(b: Uint8Array, at: number, factor: number): Value {
  for (let i = 0; i < 4; i++) single.setUint8(i, b[at + i] as number);
  const value = single.getFloat32(0, true);
  if (!Number.isFinite(value) || Math.abs(value) * factor >= LARGEST) {
    state = MISSING;
    return String(value);
  }
  for (let places = 0; places < 16; places++) {
    const power = POWERS[places] as number;
    const mantissa = Math.round(value * power);
    if (Math.abs(mantissa) <= SAFE ? Math.fround(mantissa / power) === value : places === 0) {
      state = -places;
      return times(Math.abs(mantissa) <= SAFE ? mantissa + 0 : BigInt(value), factor);
    }
  }
  // Finer than 10^-15, where no register lives.
  state = -15;
  return times(Math.round(value * (POWERS[15] as number)) + 0, factor);
}

/** ISO 8859-1, last character first; NUL and blanks at the ends mean nothing. */
function textAt(b: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = length - 1; i >= 0; i--) text += String.fromCharCode(b[at + i] as number);
  return text.replace(/^[\0 ]+|[\0 ]+$/g, '');
}

const TWO = Array.from({ length: 256 }, (_, i) => String(i).padStart(2, '0'));
const two = (n: number): string => TWO[n] as string;

/** Year of 7 bits: 127 is every year; up to 80 it is of this century, unless the hundreds say otherwise. */
function yearText(year: number, hundreds: number): string {
  if (year === 127) return '*';
  if (year > 99) state = MISSING;
  return String(hundreds > 0 ? 1900 + 100 * hundreds + year : year <= 80 ? 2000 + year : 1900 + year);
}

function dayText(low: number, high: number, hundreds: number): string {
  const day = low & 0x1f;
  const month = high & 0x0f;
  const year = ((low & 0xe0) >> 5) | ((high & 0xf0) >> 1);
  if (month === 0 || (month > 12 && month < 15)) state = MISSING;
  return `${yearText(year, hundreds)}-${month === 15 ? '*' : two(month)}-${day === 0 && state === 0 ? '*' : two(day)}`;
}

/** Type G. */
function dateAt(b: Uint8Array, at: number): string {
  const low = b[at] as number;
  const high = b[at + 1] as number;
  if (low === 0xff && high === 0xff) state = MISSING;
  return dayText(low, high, 0);
}

/** Type J: seconds, minutes, hours. */
function timeAt(b: Uint8Array, at: number): string {
  const [second, minute, hour] = [(b[at] as number) & 0x3f, (b[at + 1] as number) & 0x3f, (b[at + 2] as number) & 0x1f];
  if (second > 59 || minute > 59 || hour > 23) state = MISSING;
  return `${two(hour)}:${two(minute)}:${two(second)}`;
}

/**
 * Type F (`at` its first octet) and, behind an octet of seconds, type I. The hundreds of the year are type F's; type I
 * has the day of the week in their place.
 */
function dateTimeAt(b: Uint8Array, at: number, seconds: number, long: number): string {
  const b0 = b[at] as number;
  const b1 = b[at + 1] as number;
  const minute = b0 & 0x3f;
  const hour = b1 & 0x1f;
  const second = seconds & 0x3f;
  // In type I the invalid mark is the same bit of its second octet.
  if ((b0 & 0x80) !== 0) state = MISSING;
  const day = dayText(b[at + 2] as number, b[at + 3] as number, long ? 0 : (b1 >> 5) & 3);
  if (minute > 59 && minute !== 63) state = MISSING;
  if (hour > 24 && hour !== 31) state = MISSING;
  return `${day}T${hour === 31 ? '*' : two(hour)}:${minute === 63 ? '*' : two(minute)}:${two(second > 59 ? 0 : second)}`;
}

/** Items and qualities of the states that were just read. */
function variantOf(reading: Reading): Variant {
  const { states, last } = reading;
  let same = last !== reading.plain;
  for (let i = 0; same && i < states.length; i++) same = last.states[i] === states[i];
  if (same) return last;
  let key = '';
  for (let i = 0; i < states.length; i++) key += String.fromCharCode((states[i] as number) + 128);
  reading.variants ??= new Map();
  const { variants } = reading;
  let variant = variants.get(key);
  if (variant === undefined) {
    if (variants.size >= MAX_VARIANTS) variants.clear();
    variant = makeVariant(reading);
    variants.set(key, variant);
  }
  reading.last = variant;
  return variant;
}

function makeVariant(reading: Reading): Variant {
  const states = reading.states.slice();
  let missing = false;
  const items = reading.plain.items.map((item, i) => {
    const at = states[i] as number;
    if (at === 0) return item;
    if (at === MISSING) missing = true;
    reading.itemsOf[i] ??= new Map();
    const known = reading.itemsOf[i] as Map<number, Item>;
    let made = known.get(at);
    if (made === undefined) {
      const { unit, ...rest } = item;
      made = at === MISSING ? { ...rest, scaler: 0 } : { ...item, scaler: item.scaler + at };
      known.set(at, made);
    }
    return made;
  });
  const qualities = missing
    ? Array.from(states, (at): Quality | undefined => (at === MISSING ? 'missing' : undefined))
    : undefined;
  return { items, qualities, states };
}
