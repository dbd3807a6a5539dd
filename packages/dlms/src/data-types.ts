/**
 * The `Data` choice of DLMS (IEC 62056-5-3 annex A): its types and tags, lengths, and the limits of decoding.
 *
 * The long form of a length need not be the shortest one: meters send `82 02 47`, and `81 10` as well.
 */
import { DecodeError, type Reader, type Writer } from '@amiable/bytes';
import type { DlmsDate, DlmsDateTime, DlmsTime } from './date-time.ts';

/** What a compact-array says of its elements. */
export type TypeDescription =
  | { readonly type: 'array'; readonly count: number; readonly of: TypeDescription }
  | { readonly type: 'structure'; readonly of: readonly TypeDescription[] }
  | { readonly type: Exclude<DataType, 'array' | 'structure' | 'compact-array'> };

/** One value of any DLMS type. 64-bit integers are bigint, all others numbers; `scale` and unit live elsewhere. */
export type Data =
  | { readonly type: 'null-data' }
  | { readonly type: 'array'; readonly value: readonly Data[] }
  | { readonly type: 'structure'; readonly value: readonly Data[] }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** `bits` counts the bits that are used, from the most significant bit of the first byte. */
  | { readonly type: 'bit-string'; readonly bits: number; readonly value: Uint8Array }
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: BytesType; readonly value: Uint8Array }
  | { readonly type: 'long64' | 'long64-unsigned'; readonly value: bigint }
  /** All elements are of the described type; their tags are sent once. */
  | { readonly type: 'compact-array'; readonly description: TypeDescription; readonly value: readonly Data[] }
  | { readonly type: 'date-time'; readonly value: DlmsDateTime }
  | { readonly type: 'date'; readonly value: DlmsDate }
  | { readonly type: 'time'; readonly value: DlmsTime }
  | { readonly type: 'dont-care' };

export type DataType = Data['type'];

/** Types whose value is a JavaScript number, with width and reading by tag. */
export type NumberType =
  | 'double-long'
  | 'double-long-unsigned'
  | 'bcd'
  | 'integer'
  | 'long'
  | 'unsigned'
  | 'long-unsigned'
  | 'enum'
  | 'float32'
  | 'float64'
  | 'delta-integer'
  | 'delta-long'
  | 'delta-double-long'
  | 'delta-unsigned'
  | 'delta-long-unsigned'
  | 'delta-double-long-unsigned';

/** Strings stay bytes: which character set a meter means is not the codec's business. */
export type BytesType = 'octet-string' | 'visible-string' | 'utf8-string';

/** Tag of each type (IEC 62056-5-3 annex A, `Data`). */
export const TAGS = {
  'null-data': 0,
  array: 1,
  structure: 2,
  boolean: 3,
  'bit-string': 4,
  'double-long': 5,
  'double-long-unsigned': 6,
  'octet-string': 9,
  'visible-string': 10,
  'utf8-string': 12,
  bcd: 13,
  integer: 15,
  long: 16,
  unsigned: 17,
  'long-unsigned': 18,
  'compact-array': 19,
  long64: 20,
  'long64-unsigned': 21,
  enum: 22,
  float32: 23,
  float64: 24,
  'date-time': 25,
  date: 26,
  time: 27,
  'delta-integer': 28,
  'delta-long': 29,
  'delta-double-long': 30,
  'delta-unsigned': 31,
  'delta-long-unsigned': 32,
  'delta-double-long-unsigned': 33,
  'dont-care': 255,
} as const satisfies Record<DataType, number>;

const TYPES: readonly (DataType | undefined)[] = (() => {
  const types: (DataType | undefined)[] = new Array(256).fill(undefined);
  for (const [type, tag] of Object.entries(TAGS)) types[tag] = type as DataType;
  return types;
})();

/** The type with this tag; undefined when the standard has none. */
export function typeOfTag(tag: number): DataType | undefined {
  return TYPES[tag];
}

export interface DataLimits {
  /** Arrays and structures inside each other. */
  readonly depth: number;
  /** Values in all, containers included. */
  readonly values: number;
}

export const DEFAULT_LIMITS: DataLimits = { depth: 16, values: 20_000 };

/** Told of each value after it was decoded, inner ones first: tag offset and end. */
export type Seen = (data: Data, start: number, end: number) => void;

/** What is left of the limits while a value, or several of one message, are decoded. */
export class Budget {
  depth: number;
  values: number;
  readonly seen: Seen | undefined;
  constructor(limits: DataLimits, seen?: Seen) {
    this.depth = limits.depth;
    this.values = limits.values;
    this.seen = seen;
  }
  spend(offset: number): void {
    if (--this.values < 0) throw new DecodeError('limit', 'too many values in one message', offset);
  }
}

/** A length or count: one byte below 128, else 0x80 + the number of bytes that follow (at most 4). */
export function decodeLength(reader: Reader): number {
  const first = reader.u8('length');
  if (first < 0x80) return first;
  const n = first & 0x7f;
  if (n === 0 || n > 4) throw new DecodeError('length', `a length of ${n} bytes is not possible`, reader.pos - 1);
  let value = 0;
  for (let i = 0; i < n; i++) value = value * 256 + reader.u8('length');
  return value;
}

export function encodeLength(writer: Writer, n: number): void {
  if (n < 0x80) writer.u8(n);
  else if (n < 0x100) writer.u8(0x81).u8(n);
  else if (n < 0x10000) writer.u8(0x82).u16(n);
  else writer.u8(0x84).u32(n);
}
