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
  budget.spend(start);
  const tag = reader.u8('data type');
  const data = decodeByTag(reader, tag, budget);
  if (budget.seen !== undefined) budget.seen(data, start, reader.pos);
  return data;
}

/** Reads the contents of a value whose type is known already (compact arrays send tags once). */
export function decodeContents(reader: Reader, type: DataType, budget: Budget): Data {
  return decodeByTag(reader, TAGS[type], budget);
}

// By number rather than by name: this switch is where a profile's time goes. The numbers are those of TAGS.
function decodeByTag(reader: Reader, tag: number, budget: Budget): Data {
  switch (tag) {
    case 0:
      return { type: 'null-data' };
    case 1:
      return { type: 'array', value: decodeElements(reader, budget) };
    case 2:
      return { type: 'structure', value: decodeElements(reader, budget) };
    case 3:
      return { type: 'boolean', value: reader.u8('boolean') !== 0 };
    case 4: {
      const bits = decodeLength(reader);
      return { type: 'bit-string', bits, value: reader.bytes(Math.ceil(bits / 8), 'bit-string') };
    }
    case 5:
      return { type: 'double-long', value: reader.i32('double-long') };
    case 6:
      return { type: 'double-long-unsigned', value: reader.u32('double-long-unsigned') };
    case 9:
      return { type: 'octet-string', value: reader.bytes(decodeLength(reader), 'octet-string') };
    case 10:
      return { type: 'visible-string', value: reader.bytes(decodeLength(reader), 'visible-string') };
    case 12:
      return { type: 'utf8-string', value: reader.bytes(decodeLength(reader), 'utf8-string') };
    case 13:
      return { type: 'bcd', value: reader.u8('bcd') };
    case 15:
      return { type: 'integer', value: reader.i8('integer') };
    case 16:
      return { type: 'long', value: reader.i16('long') };
    case 17:
      return { type: 'unsigned', value: reader.u8('unsigned') };
    case 18:
      return { type: 'long-unsigned', value: reader.u16('long-unsigned') };
    case 19:
      return decodeCompactArray(reader, budget, decodeContents);
    case 20:
      return { type: 'long64', value: reader.i64('long64') };
    case 21:
      return { type: 'long64-unsigned', value: reader.u64('long64-unsigned') };
    case 22:
      return { type: 'enum', value: reader.u8('enum') };
    default:
      return decodeRare(reader, tag);
  }
}

const FLOAT = new DataView(new ArrayBuffer(8));

function decodeRare(reader: Reader, tag: number): Data {
  const type = typeOfTag(tag);
  switch (type) {
    case 'float32':
      FLOAT.setUint32(0, reader.u32(type));
      return { type, value: FLOAT.getFloat32(0) };
    case 'float64':
      FLOAT.setBigUint64(0, reader.u64(type));
      return { type, value: FLOAT.getFloat64(0) };
    case 'date-time':
      return { type, value: decodeDateTime(reader) };
    case 'date':
      return { type, value: decodeDate(reader) };
    case 'time':
      return { type, value: decodeTime(reader) };
    case 'delta-integer':
      return { type, value: reader.i8(type) };
    case 'delta-long':
      return { type, value: reader.i16(type) };
    case 'delta-double-long':
      return { type, value: reader.i32(type) };
    case 'delta-unsigned':
      return { type, value: reader.u8(type) };
    case 'delta-long-unsigned':
      return { type, value: reader.u16(type) };
    case 'delta-double-long-unsigned':
      return { type, value: reader.u32(type) };
    case 'dont-care':
      return { type };
    default:
      throw new DecodeError('tag', `no DLMS data type has tag ${tag}`, reader.pos - 1);
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

/** Writes one value with its tag. @throws MisuseError when a number does not fit its type */
export function encodeData(writer: Writer, data: Data): void {
  // The frequent types have their tags here: to look a name up in TAGS takes longer than to write the value.
  switch (data.type) {
    case 'double-long-unsigned':
      writer.u8(6).u32(ranged(data, 0, 0xffffffff));
      return;
    case 'octet-string':
      writer.u8(9);
      encodeLength(writer, data.value.length);
      writer.bytes(data.value);
      return;
    case 'structure':
    case 'array':
      writer.u8(data.type === 'array' ? 1 : 2);
      encodeLength(writer, data.value.length);
      for (let i = 0; i < data.value.length; i++) encodeData(writer, data.value[i] as Data);
      return;
    case 'unsigned':
      writer.u8(17).u8(ranged(data, 0, 0xff));
      return;
    case 'enum':
      writer.u8(22).u8(ranged(data, 0, 0xff));
      return;
    case 'long-unsigned':
      writer.u8(18).u16(ranged(data, 0, 0xffff));
      return;
    case 'integer':
      writer.u8(15).u8(ranged(data, -0x80, 0x7f));
      return;
    case 'long':
      writer.u8(16).u16(ranged(data, -0x8000, 0x7fff));
      return;
    case 'double-long':
      writer.u8(5).u32(ranged(data, -0x80000000, 0x7fffffff));
      return;
    case 'null-data':
      writer.u8(0);
      return;
    default:
      writer.u8(TAGS[data.type]);
      encodeContents(writer, data);
  }
}

/** Writes the contents alone, as they stand in a compact-array. */
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
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
      encodeLength(writer, data.value.length);
      writer.bytes(data.value);
      return;
    case 'unsigned':
    case 'enum':
    case 'bcd':
    case 'delta-unsigned':
      writer.u8(ranged(data, 0, 0xff));
      return;
    case 'integer':
    case 'delta-integer':
      writer.u8(ranged(data, -0x80, 0x7f));
      return;
    case 'long-unsigned':
    case 'delta-long-unsigned':
      writer.u16(ranged(data, 0, 0xffff));
      return;
    case 'long':
    case 'delta-long':
      writer.u16(ranged(data, -0x8000, 0x7fff));
      return;
    case 'double-long-unsigned':
    case 'delta-double-long-unsigned':
      writer.u32(ranged(data, 0, 0xffffffff));
      return;
    case 'double-long':
    case 'delta-double-long':
      writer.u32(ranged(data, -0x80000000, 0x7fffffff));
      return;
    default:
      encodeRare(writer, data);
  }
}

/** The value, when its type can hold it. */
function ranged(data: { readonly type: NumberType; readonly value: number }, min: number, max: number): number {
  const { value } = data;
  if (!Number.isInteger(value) || value < min || value > max)
    throw new MisuseError(`${value} does not fit ${data.type} (${min} to ${max})`);
  return value;
}

function encodeRare(writer: Writer, data: Data): void {
  switch (data.type) {
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
    case 'long64':
      writer.u64(BigInt.asUintN(64, ranged64(data, -0x8000000000000000n, 0x7fffffffffffffffn)));
      return;
    case 'long64-unsigned':
      writer.u64(ranged64(data, 0n, 0xffffffffffffffffn));
      return;
    case 'float32':
      FLOAT.setFloat32(0, data.value);
      writer.u32(FLOAT.getUint32(0));
      return;
    case 'float64':
      FLOAT.setFloat64(0, data.value);
      writer.u64(FLOAT.getBigUint64(0));
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
      throw new MisuseError(`there is no type ${data.type} of data`);
  }
}

function ranged64(data: { readonly type: string; readonly value: bigint }, min: bigint, max: bigint): bigint {
  if (data.value < min || data.value > max)
    throw new MisuseError(`${data.value} does not fit ${data.type} (${min} to ${max})`);
  return data.value;
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
