/**
 * How one value is read from its bytes: the kind of reading, its place, and for what cannot be read again by place alone
 * (floats, whose decimals vary; rare types) the value itself, once.
 */
import { toHex } from '@amiable/bytes';
import { type Data, wallMillis } from '@amiable/dlms';
import type { Value } from '@amiable/model';
import { clockText, NO_DEVIATION } from './clock.ts';
import type { Element } from './elements.ts';
import { isText } from './find-list.ts';
import { exactDecimal } from './float.ts';
import { octetsText, utf8Text } from './text.ts';

/** How a value is read from its bytes. */
export const KIND = {
  /** Pinned: the value stands in `base`. */
  constant: 0,
  u8: 1,
  i8: 2,
  u16: 3,
  i16: 4,
  u32: 5,
  i32: 6,
  u64: 7,
  i64: 8,
  bool: 9,
  text: 10,
  utf8: 11,
  clock: 12,
  /** Twelve octets that may be text, a date-time or neither. */
  maybeClock: 13,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export interface Read {
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;
  readonly value: Value;
  /** Scaler of the value itself (floats). */
  readonly scaler: number;
  readonly number: boolean;
  /** Kept out of the cache. */
  readonly once?: true;
}

// Plain functions, not closures: a list is read value by value.
function int(start: number, end: number, kind: Kind): Read {
  return { kind, start, end, value: 0, scaler: 0, number: true };
}

function once(start: number, end: number, value: Value, scaler: number): Read {
  return { kind: KIND.constant, start, end, value, scaler, number: typeof value !== 'string', once: true };
}

/** How to read a value; undefined for null-data and the like, which are left out. */
export function readOf(element: Element, clock: boolean): Read | undefined {
  const { data, start: tag, end } = element;
  const start = tag + 1;
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
    case 'array':
    case 'structure':
    case 'compact-array':
      return undefined;
    case 'boolean':
      return int(start, end, KIND.bool);
    case 'unsigned':
    case 'enum':
    case 'bcd':
    case 'delta-unsigned':
      return int(start, end, KIND.u8);
    case 'integer':
    case 'delta-integer':
      return int(start, end, KIND.i8);
    case 'long-unsigned':
    case 'delta-long-unsigned':
      return int(start, end, KIND.u16);
    case 'long':
    case 'delta-long':
      return int(start, end, KIND.i16);
    case 'double-long-unsigned':
    case 'delta-double-long-unsigned':
      return int(start, end, KIND.u32);
    case 'double-long':
    case 'delta-double-long':
      return int(start, end, KIND.i32);
    case 'long64-unsigned':
      return int(start, end, KIND.u64);
    case 'long64':
      return int(start, end, KIND.i64);
    case 'float32':
    case 'float64': {
      const exact = exactDecimal(data.value, data.type === 'float32');
      return exact ? once(start, end, exact.mantissa, exact.scaler) : once(start, end, String(data.value), 0);
    }
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string': {
      const from = end - data.value.length;
      const twelve = data.type === 'octet-string' && data.value.length === 12;
      const kind = twelve
        ? clock
          ? KIND.clock
          : element.obis === undefined
            ? KIND.maybeClock
            : KIND.text
        : data.type === 'utf8-string'
          ? KIND.utf8
          : KIND.text;
      return { kind, start: from, end, value: '', scaler: 0, number: false };
    }
    case 'date-time':
      return { kind: KIND.clock, start, end, value: '', scaler: 0, number: false };
    default:
      return once(start, end, oddText(data), 0);
  }
}

/** Text of types that hardly a list uses. */
function oddText(data: Extract<Data, { type: 'bit-string' | 'date' | 'time' }>): string {
  if (data.type === 'bit-string')
    return Array.from(data.value, (b) => b.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, data.bits);
  const noon = { hour: 12, minute: 0 };
  const day = { year: 2000, month: 1, day: 1 };
  const wall = wallMillis(data.type === 'date' ? { ...data.value, ...noon } : { ...day, ...data.value });
  if (wall === undefined) return JSON.stringify(data.value);
  const text = clockText(wall, NO_DEVIATION);
  return data.type === 'date' ? text.slice(0, 10) : text.slice(11);
}

/** Inner elements of compact arrays share one place and cannot be read again by offset. */
export function inCompactArray(element: Element, bytes: Uint8Array): boolean {
  return bytes[element.start] === 0x13;
}

/** Text of a pinned string. */
export function textOf(data: Data): string | undefined {
  if (!isText(data)) return undefined;
  return data.type === 'utf8-string' ? utf8Text(data.value) : octetsText(data.value);
}

export function looseValue(data: Data): Value {
  if (isText(data)) return textOf(data) ?? '';
  if (!('value' in data)) return '';
  if (typeof data.value === 'number' || typeof data.value === 'bigint') return data.value;
  if (typeof data.value === 'boolean') return data.value ? 1 : 0;
  return data.value instanceof Uint8Array ? toHex(data.value) : JSON.stringify(data.value);
}
