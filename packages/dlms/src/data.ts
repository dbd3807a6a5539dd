/**
 * A-XDR (IEC 61334-6) of the `Data` choice of DLMS/COSEM (IEC 62056-6-2 clause 4.1.5, IEC 62056-5-3 annex A).
 *
 * Decides: every data type as one value of a union, bounds on depth and size. Leaves out: what a value means, and the
 * dates inside octet-strings (date-time.ts).
 */
import { DecodeError, MisuseError, type Reader, type Writer } from '@amiable/bytes';
import { decodeCompactArray, encodeCompactArray } from './compact-array.ts';
import {
  Budget,
  type BytesType,
  type Data,
  type DataLimits,
  type DataType,
  DEFAULT_LIMITS,
  decodeLength,
  encodeLength,
  type NumberType,
  type Seen,
  TAGS,
  typeOfTag,
} from './data-types.ts';
import { decodeDate, decodeDateTime, decodeTime, encodeDate, encodeDateTime, encodeTime } from './date-time.ts';

/** Reads one value with its tag. @throws DecodeError `tag`, `length`, `limit`, `truncated`, `value` */
export function decodeData(reader: Reader, limits: DataLimits | Budget = DEFAULT_LIMITS, seen?: Seen): Data {
  return decodeTagged(reader, limits instanceof Budget ? limits : new Budget(limits, seen));
}

function decodeTagged(reader: Reader, budget: Budget): Data {
  const start = reader.pos;
  const tag = reader.u8('data type');
  const type = typeOfTag(tag);
  if (type === undefined) throw new DecodeError('tag', `no DLMS data type has tag ${tag}`, start);
  budget.spend(start);
  const data = decodeContents(reader, type, budget);
  budget.seen?.(data, start, reader.pos);
  return data;
}

/** Reads the contents of a value whose type is known already (compact arrays send tags once). */
export function decodeContents(reader: Reader, type: DataType, budget: Budget): Data {
  switch (type) {
    case 'null-data':
    case 'dont-care':
      return { type };
    case 'array':
    case 'structure':
      return { type, value: decodeElements(reader, budget) };
    case 'compact-array':
      return decodeCompactArray(reader, budget, decodeContents);
    case 'boolean':
      return { type, value: reader.u8(type) !== 0 };
    case 'bit-string': {
      const bits = decodeLength(reader);
      return { type, bits, value: reader.bytes(Math.ceil(bits / 8), type) };
    }
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
      return { type, value: reader.bytes(decodeLength(reader), type) };
    case 'long64':
      return { type, value: reader.i64(type) };
    case 'long64-unsigned':
      return { type, value: reader.u64(type) };
    case 'date-time':
      return { type, value: decodeDateTime(reader) };
    case 'date':
      return { type, value: decodeDate(reader) };
    case 'time':
      return { type, value: decodeTime(reader) };
    default:
      return { type, value: decodeNumber(reader, type) };
  }
}

function decodeElements(reader: Reader, budget: Budget): Data[] {
  const at = reader.pos;
  const count = decodeLength(reader);
  // Every element takes a byte at least, so a count beyond what is left is a lie that must cost nothing.
  if (count > reader.remaining)
    throw new DecodeError('truncated', `${count} elements announced, ${reader.remaining} bytes left`, at);
  if (--budget.depth < 0) throw new DecodeError('limit', 'arrays and structures nest too deep', at);
  const elements: Data[] = [];
  for (let i = 0; i < count; i++) elements.push(decodeTagged(reader, budget));
  budget.depth++;
  return elements;
}

const FLOAT = new DataView(new ArrayBuffer(8));

function decodeNumber(reader: Reader, type: NumberType): number {
  switch (type) {
    case 'integer':
    case 'delta-integer':
      return reader.i8(type);
    case 'unsigned':
    case 'delta-unsigned':
    case 'enum':
    case 'bcd':
      return reader.u8(type);
    case 'long':
    case 'delta-long':
      return reader.i16(type);
    case 'long-unsigned':
    case 'delta-long-unsigned':
      return reader.u16(type);
    case 'double-long':
    case 'delta-double-long':
      return reader.i32(type);
    case 'double-long-unsigned':
    case 'delta-double-long-unsigned':
      return reader.u32(type);
    case 'float32':
      FLOAT.setUint32(0, reader.u32(type));
      return FLOAT.getFloat32(0);
    case 'float64':
      FLOAT.setBigUint64(0, reader.u64(type));
      return FLOAT.getFloat64(0);
  }
}

/** Writes one value with its tag. @throws MisuseError when a number does not fit its type */
export function encodeData(writer: Writer, data: Data): void {
  writer.u8(TAGS[data.type]);
  encodeContents(writer, data);
}

function encodeContents(writer: Writer, data: Data): void {
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
      return;
    case 'array':
    case 'structure':
      encodeLength(writer, data.value.length);
      for (const element of data.value) encodeData(writer, element);
      return;
    case 'compact-array':
      encodeCompactArray(writer, data, encodeContents);
      return;
    case 'boolean':
      writer.u8(data.value ? 1 : 0);
      return;
    case 'bit-string':
      if (data.value.length !== Math.ceil(data.bits / 8))
        throw new MisuseError(`${data.bits} bits do not take ${data.value.length} bytes`);
      encodeLength(writer, data.bits);
      writer.bytes(data.value);
      return;
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
      encodeLength(writer, data.value.length);
      writer.bytes(data.value);
      return;
    case 'long64':
    case 'long64-unsigned':
      writer.u64(BigInt.asUintN(64, data.value));
      return;
    case 'date-time':
      encodeDateTime(writer, data.value);
      return;
    case 'date':
      encodeDate(writer, data.value);
      return;
    case 'time':
      encodeTime(writer, data.value);
      return;
    default:
      encodeNumber(writer, data.type, data.value);
  }
}

const RANGES: Record<Exclude<NumberType, 'float32' | 'float64'>, readonly [min: number, max: number, bytes: number]> = {
  integer: [-0x80, 0x7f, 1],
  'delta-integer': [-0x80, 0x7f, 1],
  unsigned: [0, 0xff, 1],
  'delta-unsigned': [0, 0xff, 1],
  enum: [0, 0xff, 1],
  bcd: [0, 0xff, 1],
  long: [-0x8000, 0x7fff, 2],
  'delta-long': [-0x8000, 0x7fff, 2],
  'long-unsigned': [0, 0xffff, 2],
  'delta-long-unsigned': [0, 0xffff, 2],
  'double-long': [-0x80000000, 0x7fffffff, 4],
  'delta-double-long': [-0x80000000, 0x7fffffff, 4],
  'double-long-unsigned': [0, 0xffffffff, 4],
  'delta-double-long-unsigned': [0, 0xffffffff, 4],
};

function encodeNumber(writer: Writer, type: NumberType, value: number): void {
  if (type === 'float32') {
    FLOAT.setFloat32(0, value);
    writer.u32(FLOAT.getUint32(0));
  } else if (type === 'float64') {
    FLOAT.setFloat64(0, value);
    writer.u64(FLOAT.getBigUint64(0));
  } else {
    const [min, max, bytes] = RANGES[type];
    if (!Number.isInteger(value) || value < min || value > max)
      throw new MisuseError(`${value} does not fit ${type} (${min} to ${max})`);
    if (bytes === 1) writer.u8(value);
    else if (bytes === 2) writer.u16(value);
    else writer.u32(value);
  }
}

// Short hands for those who build lists: the simulator and tests.
export const structure = (...value: Data[]): Data => ({ type: 'structure', value });
export const array = (...value: Data[]): Data => ({ type: 'array', value });
export const number = (type: NumberType, value: number): Data => ({ type, value });
export const octets = (value: Uint8Array): Data => ({ type: 'octet-string', value });
export const nullData: Data = { type: 'null-data' };

/** ASCII text as octet-string or visible-string. */
export function text(value: string, type: BytesType = 'visible-string'): Data {
  return { type, value: Uint8Array.from(value, (c) => c.charCodeAt(0)) };
}
