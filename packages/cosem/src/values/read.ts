/**
 * Values of attributes as plain JavaScript values, derived from the tables of ../classes.
 *
 * Decides: fields and enumerations by name; flags and named bits as the names of those set; 64-bit integers as bigint; dates
 * with their text; octets as what they are. Meters deviate from the standard's types, so a value of another type is read as
 * what it is rather than refused; `checkValue` is for those who must refuse.
 */
import { DecodeError, Reader, toHex } from '@amiable/bytes';
import { type Data, decodeData, type EncodedData } from '@amiable/dlms';
import type { PlainValue, ValueOf, ValueType } from '../classes/type.ts';
import { obisFromBytes } from '../obis.ts';
import { checkValue } from './check.ts';
import { momentOf, spokenDate, spokenDateTime, spokenTime } from './moment.ts';
import { bitText, guessed, hexText, ipv6Text, textOf, textOrBytes } from './octets.ts';

/** Decodes what is still encoded. @throws DecodeError, also for bytes behind the value */
export function dataOf(data: Data | EncodedData): Data {
  if (!(data instanceof Uint8Array)) return data;
  const reader = new Reader(data);
  const value = decodeData(reader);
  if (reader.remaining) throw new DecodeError('length', `${reader.remaining} bytes behind the value`, reader.pos);
  return value;
}

/** The value of a described type. @throws DecodeError when bytes are given that are no value */
export function readValue<const T extends ValueType>(type: T, data: Data | EncodedData): ValueOf<T> {
  return read(type, dataOf(data)) as ValueOf<T>;
}

/** The same, where the type is known only at run time. */
export function readPlain(type: ValueType, data: Data | EncodedData): PlainValue {
  return read(type, dataOf(data));
}

/** The value of any data, where no type is known. */
export function plainValue(data: Data | EncodedData): PlainValue {
  return plain(dataOf(data));
}

function plain(data: Data): PlainValue {
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
      return null;
    case 'array':
    case 'structure':
    case 'compact-array':
      return data.value.map(plain);
    case 'bit-string':
      return bitText(data.value, data.bits);
    case 'octet-string':
      return guessed(data.value);
    case 'visible-string':
    case 'utf8-string':
      return textOrBytes(data.value, data.type === 'utf8-string');
    case 'date-time':
      return spokenDateTime(data.value);
    case 'date':
      return spokenDate(data.value);
    case 'time':
      return spokenTime(data.value);
    default:
      return data.value;
  }
}

/** The bit names of a number, the least significant first. */
export function flagNames(value: number, names: readonly string[]): string[] {
  const set: string[] = [];
  for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) set.push(names[bit] || `bit${bit}`);
  return set;
}

function bitNames(bytes: Uint8Array, bits: number, names: readonly string[]): string[] {
  const set: string[] = [];
  for (let bit = 0; bit < bits; bit++)
    if ((bytes[bit >> 3] as number) & (0x80 >> (bit & 7))) set.push(names[bit] || `bit${bit}`);
  return set;
}

function string(type: Extract<ValueType, { kind: 'string' }>, data: Data): PlainValue {
  if (data.type !== 'octet-string' && data.type !== 'visible-string' && data.type !== 'utf8-string') return plain(data);
  const bytes = data.value;
  switch (type.as) {
    case 'logical-name':
      return bytes.length === 6 ? obisFromBytes(bytes) : hexText(bytes);
    case 'hex':
      return toHex(bytes);
    case 'ipv6':
      return bytes.length === 16 ? ipv6Text(bytes) : hexText(bytes);
    case 'text':
      return textOf(bytes, true) ?? hexText(bytes);
    case 'bytes':
      return textOrBytes(bytes);
  }
}

function read(type: ValueType, data: Data): PlainValue {
  switch (type.kind) {
    case 'enum':
    case 'flags': {
      const value = 'value' in data ? data.value : undefined;
      if (typeof value !== 'number') return plain(data);
      return type.kind === 'flags' ? flagNames(value, type.names) : (type.names[value] ?? value);
    }
    case 'bit-string':
      return data.type === 'bit-string' && type.names ? bitNames(data.value, data.bits, type.names) : plain(data);
    case 'string':
      return string(type, data);
    case 'temporal':
      return (data.type === 'octet-string' ? momentOf(data.value) : undefined) ?? plain(data);
    case 'structure':
      return data.type === 'structure' ? fields(type.fields, data.value) : plain(data);
    case 'array':
      return data.type === 'array' || data.type === 'compact-array'
        ? data.value.map((element) => read(type.of, element))
        : plain(data);
    case 'choice': {
      const meant = type.of.find((alternative) => checkValue(alternative, data) === undefined);
      return meant ? read(meant, data) : plain(data);
    }
    default:
      return plain(data);
  }
}

function fields(types: Readonly<Record<string, ValueType>>, values: readonly Data[]): PlainValue {
  const out: Record<string, PlainValue> = {};
  let i = 0;
  for (const [name, type] of Object.entries(types)) {
    const value = values[i++];
    if (value) out[name] = read(type, value);
  }
  for (; i < values.length; i++) out[`element${i + 1}`] = plain(values[i] as Data);
  return out;
}
