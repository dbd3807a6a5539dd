/**
 * Plain JavaScript values as data of a described type: what `readValue` gives, and what people write.
 *
 * Decides: names of enumerations and bits in any case, numbers as text, dates as text or `now`, octets as text or `0x…`.
 * Leaves out: guessing. A value that the type does not take is a MisuseError that names the field.
 */
import { fromHex, MisuseError, Writer } from '@amiable/bytes';
import {
  type Data,
  type DlmsDate,
  type DlmsDateTime,
  type DlmsTime,
  dateTimeBytes,
  encodeDate,
  encodeTime,
  TAGS,
} from '@amiable/dlms';
import type { PlainValue, ValueType } from '../classes/type.ts';
import { obisGroups, obisToBytes } from '../obis.ts';
import { parseDate, parseDateTime, parseTime } from './moment.ts';
import { bitBytes, bytesOfText, ipv4Number, ipv6Bytes } from './octets.ts';

export interface WriteOptions {
  /** What `now` stands for. */
  readonly now?: DlmsDateTime;
  /** The present value: where the type leaves the choice, the new one is encoded alike. */
  readonly like?: Data;
}

/** A plain value, or data as it is. */
export type Writable = PlainValue | Data;

/** @throws MisuseError when the type does not take the value */
export function writeValue(type: ValueType, value: Writable, options: WriteOptions = {}): Data {
  return write(type, value, options, '');
}

function refuse(path: string, value: unknown, wanted: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? 'this' : String(value);
  throw new MisuseError(`${path ? `${path}: ` : ''}${shown} is not ${wanted}`);
}

const isData = (value: Writable): value is Data =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Uint8Array) &&
  !Array.isArray(value) &&
  'type' in value &&
  typeof value.type === 'string' &&
  Object.hasOwn(TAGS, value.type);

const RANGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  integer: [-0x80, 0x7f],
  'delta-integer': [-0x80, 0x7f],
  unsigned: [0, 0xff],
  'delta-unsigned': [0, 0xff],
  enum: [0, 0xff],
  bcd: [0, 0xff],
  long: [-0x8000, 0x7fff],
  'delta-long': [-0x8000, 0x7fff],
  'long-unsigned': [0, 0xffff],
  'delta-long-unsigned': [0, 0xffff],
  'double-long': [-0x80000000, 0x7fffffff],
  'delta-double-long': [-0x80000000, 0x7fffffff],
  'double-long-unsigned': [0, 0xffffffff],
  'delta-double-long-unsigned': [0, 0xffffffff],
};

type NumberData = Extract<Data, { value: number }>;

function number(type: NumberData['type'], value: Writable, path: string): Data {
  const n =
    typeof value === 'number'
      ? value
      : typeof value === 'bigint'
        ? Number(value)
        : typeof value === 'string' && value.trim() !== '' && !/^\s*[-+]?0[xob]/i.test(value)
          ? Number(value)
          : refuse(path, value, `a number (${type})`);
  const range = RANGES[type];
  if (
    range
      ? !Number.isInteger(n) || n < range[0] || n > range[1]
      : Number.isNaN(n) && value !== 'NaN' && !Number.isNaN(value)
  )
    refuse(path, value, range ? `a whole number from ${range[0]} to ${range[1]} (${type})` : `a number (${type})`);
  return { type, value: n };
}

function long64(type: 'long64' | 'long64-unsigned', value: Writable, path: string): Data {
  let n: bigint;
  if (typeof value === 'bigint') n = value;
  else if (typeof value === 'number' && Number.isInteger(value)) n = BigInt(value);
  else if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) n = BigInt(value);
  else return refuse(path, value, `a whole number (${type})`);
  if ((type === 'long64' ? BigInt.asIntN(64, n) : BigInt.asUintN(64, n)) !== n)
    refuse(path, value, `of 64 bits (${type})`);
  return { type, value: n };
}

const plainName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

function enumeration(names: Readonly<Record<number, string>>, value: Writable, path: string): Data {
  if (typeof value === 'string') {
    const codes = Object.keys(names);
    // The exact name first: symbols of units differ by case or sign alone.
    const exact = codes.find((code) => names[Number(code)] === value);
    const code =
      exact ?? codes.find((c) => plainName(value) !== '' && plainName(names[Number(c)] as string) === plainName(value));
    if (code !== undefined) return { type: 'enum', value: Number(code) };
    if (!/^\d+$/.test(value)) refuse(path, value, `one of ${Object.values(names).slice(0, 12).join(', ')}`);
  }
  return number('enum', value, path);
}

/** The names of bits that are set, as a list or a text with commas. */
function listed(value: Writable): readonly string[] | undefined {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value as string[];
  return typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : undefined;
}

function bitIndex(names: readonly string[], name: string, path: string): number {
  const wanted = plainName(name);
  const index = names.findIndex((n) => n !== '' && plainName(n) === wanted);
  if (index >= 0) return index;
  const bit = /^bit(\d{1,3})$/.exec(name);
  return bit ? Number(bit[1]) : refuse(path, name, `one of ${names.filter(Boolean).join(', ')}`);
}

function flags(type: Extract<ValueType, { kind: 'flags' }>, value: Writable, path: string): Data {
  const list = typeof value === 'string' && /^\d+$/.test(value) ? undefined : listed(value);
  if (!list) return number(type.type, value, path);
  let bits = 0;
  for (const name of list) bits |= 1 << bitIndex(type.names, name, path);
  return number(type.type, bits >>> 0, path);
}

function bitString(type: Extract<ValueType, { kind: 'bit-string' }>, value: Writable, path: string): Data {
  let text: string;
  const list = typeof value === 'string' && /^[01]*$/.test(value) ? undefined : listed(value);
  if (typeof value === 'string' && !list) text = value;
  else if (list && type.names) {
    const set = new Set(list.map((name) => bitIndex(type.names as readonly string[], name, path)));
    const size = Math.max(type.size ?? 0, ...[...set].map((bit) => bit + 1));
    text = Array.from({ length: size }, (_, bit) => (set.has(bit) ? '1' : '0')).join('');
  } else return refuse(path, value, 'a text of 0 and 1');
  if (type.size !== undefined && text.length !== type.size) refuse(path, value, `of ${type.size} bits`);
  return { type: 'bit-string', bits: text.length, value: bitBytes(text) ?? refuse(path, value, 'a text of 0 and 1') };
}

function string(type: Extract<ValueType, { kind: 'string' }>, value: Writable, path: string): Data {
  let bytes: Uint8Array;
  if (value instanceof Uint8Array) bytes = value;
  else if (typeof value !== 'string') return refuse(path, value, 'a text or bytes');
  else if (type.as === 'logical-name' && obisGroups(value)) bytes = obisToBytes(value);
  else if (type.as === 'ipv6' && !value.startsWith('0x')) bytes = ipv6Bytes(value);
  else if (type.as === 'hex') {
    const digits = value.startsWith('0x') ? value.slice(2) : value;
    if (!/^(?:[0-9a-f]{2}[\s:-]?)*$/i.test(digits)) refuse(path, value, 'hex');
    bytes = fromHex(digits);
  } else bytes = bytesOfText(value);
  if (type.size !== undefined && bytes.length !== type.size)
    refuse(path, value, type.as === 'logical-name' ? 'an OBIS code' : `of ${type.size} bytes`);
  return { type: type.type, value: bytes };
}

type Moment = DlmsDateTime & DlmsDate & DlmsTime;

const PARSERS = { 'date-time': parseDateTime, date: parseDate, time: parseTime } as const;

function moment(
  type: Extract<ValueType, { kind: 'temporal' }>,
  value: Writable,
  options: WriteOptions,
  path: string,
): Data {
  let fields: Moment;
  if (value === 'now') {
    if (!options.now) throw new MisuseError(`${path ? `${path}: ` : ''}nobody said what now is`);
    fields = options.now;
  } else if (typeof value === 'string') {
    fields = PARSERS[type.of](value) ?? refuse(path, value, `a ${type.of}, e.g. ${EXAMPLES[type.of]}`);
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value)) {
    fields = value as Moment;
  } else if (value instanceof Uint8Array) return { type: 'octet-string', value };
  else return refuse(path, value, `a ${type.of}`);
  if (type.in === 'itself') return momentData(type.of, fields);
  if (type.of === 'date-time') return { type: 'octet-string', value: dateTimeBytes(fields) };
  const writer = new Writer(5);
  if (type.of === 'date') encodeDate(writer, fields);
  else encodeTime(writer, fields);
  return { type: 'octet-string', value: writer.finish() };
}

const EXAMPLES = { 'date-time': '2026-03-01 00:15:00+01:00', date: '2026-03-01', time: '06:00:00' } as const;

/** Only the fields of a moment, without its text. */
function momentData(of: 'date-time' | 'date' | 'time', fields: Moment): Data {
  const { year, month, day, weekday, hour, minute, second, hundredths, deviation, status } = fields;
  const date = { year, month, day, weekday };
  const time = { hour, minute, second, hundredths };
  const kept = of === 'date' ? date : of === 'time' ? time : { ...date, ...time, deviation, status };
  const value = Object.fromEntries(Object.entries(kept).filter(([, v]) => v !== undefined));
  return { type: of, value } as Data;
}

function structure(
  types: Readonly<Record<string, ValueType>>,
  value: Writable,
  options: WriteOptions,
  path: string,
): Data {
  const names = Object.keys(types);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array)
    return refuse(path, value, `a structure of ${names.join(', ')}`);
  const given: Readonly<Record<string, Writable>> = Array.isArray(value)
    ? Object.fromEntries(value.map((element, i) => [names[i] ?? `element${i + 1}`, element]))
    : (value as Record<string, Writable>);
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(types, name));
  if (unknown !== undefined)
    throw new MisuseError(`${path ? `${path}: ` : ''}there is no field ${unknown}; there are ${names.join(', ')}`);
  const like = options.like?.type === 'structure' ? options.like.value : [];
  return {
    type: 'structure',
    value: names.map((name, i) => {
      const field = given[name];
      const inner = path ? `${path}.${name}` : name;
      if (field === undefined) throw new MisuseError(`${inner} is missing`);
      return write(types[name] as ValueType, field, alike(options, like[i]), inner);
    }),
  };
}

function alike(options: WriteOptions, like: Data | undefined): WriteOptions {
  if (like === undefined && options.like === undefined) return options;
  const { like: _, ...rest } = options;
  return like === undefined ? rest : { ...rest, like };
}

function write(type: ValueType, value: Writable, options: WriteOptions, path: string): Data {
  if (type.kind !== 'structure' && type.kind !== 'choice' && isData(value)) return value;
  switch (type.kind) {
    case 'null-data':
      return value === null ? { type: 'null-data' } : refuse(path, value, 'null');
    case 'boolean':
      if (typeof value === 'boolean') return { type: 'boolean', value };
      if (value === 'true' || value === 'on' || value === 'yes' || value === '1' || value === 1)
        return { type: 'boolean', value: true };
      if (value === 'false' || value === 'off' || value === 'no' || value === '0' || value === 0)
        return { type: 'boolean', value: false };
      return refuse(path, value, 'true or false');
    case 'number':
      if (type.unit === 'IPv4' && typeof value === 'string') {
        const address = ipv4Number(value);
        if (address !== undefined) return { type: type.type, value: address };
      }
      return number(type.type, value, path);
    case 'long64':
      return long64(type.type, value, path);
    case 'enum':
      return enumeration(type.names, value, path);
    case 'flags':
      return flags(type, value, path);
    case 'bit-string':
      return bitString(type, value, path);
    case 'string':
      return string(type, value, path);
    case 'temporal':
      return moment(type, value, options, path);
    case 'structure':
      return isData(value) ? value : structure(type.fields, value, options, path);
    case 'array': {
      if (!Array.isArray(value)) return refuse(path, value, 'a list');
      const like = options.like?.type === 'array' ? options.like.value[0] : undefined;
      return {
        type: 'array',
        value: value.map((element, i) => write(type.of, element as Writable, alike(options, like), `${path}[${i}]`)),
      };
    }
    case 'choice':
      return choice(type.of, value, options, path);
    case 'any':
      return anything(value, options, path);
  }
}

function choice(types: readonly ValueType[], value: Writable, options: WriteOptions, path: string): Data {
  if (isData(value)) return value;
  const faults: string[] = [];
  for (const alternative of types) {
    try {
      return write(alternative, value, options, path);
    } catch (error) {
      if (!(error instanceof MisuseError)) throw error;
      faults.push(error.message);
    }
  }
  throw new MisuseError(faults.join('; '));
}

const AS_BYTES = { kind: 'string', as: 'bytes' } as const;

/** What the present value is made of; without one the smallest of the usual types. */
function anything(value: Writable, options: WriteOptions, path: string): Data {
  const { like } = options;
  if (like) {
    const type = typeOfData(like);
    if (type) return write(type, value, options, path);
  }
  if (value === null) return { type: 'null-data' };
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'bigint') return long64(value < 0n ? 'long64' : 'long64-unsigned', value, path);
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return { type: 'float64', value };
    if (value >= 0 && value <= 0xffffffff) return { type: 'double-long-unsigned', value };
    if (value >= -0x80000000 && value < 0) return { type: 'double-long', value };
    return long64('long64', value, path);
  }
  if (typeof value === 'string' || value instanceof Uint8Array)
    return string({ ...AS_BYTES, type: 'octet-string' }, value, path);
  if (Array.isArray(value))
    return { type: 'structure', value: value.map((element, i) => anything(element as Writable, {}, `${path}[${i}]`)) };
  if ('text' in (value as object)) return { type: 'octet-string', value: dateTimeBytes(value as DlmsDateTime) };
  return refuse(path, value, 'a value whose type can be told; give { type, value }');
}

/** The type that describes data of this kind, one level deep. */
function typeOfData(data: Data): ValueType | undefined {
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
    case 'compact-array':
      return undefined;
    case 'boolean':
      return { kind: 'boolean' };
    case 'long64':
    case 'long64-unsigned':
      return { kind: 'long64', type: data.type };
    case 'enum':
      return { kind: 'enum', names: {} };
    case 'bit-string':
      return { kind: 'bit-string', size: data.bits };
    case 'octet-string':
      return data.value.length === 12 || data.value.length === 6
        ? { kind: 'choice', of: octetForms(data.value.length) }
        : { ...AS_BYTES, type: data.type };
    case 'visible-string':
    case 'utf8-string':
      return { ...AS_BYTES, type: data.type };
    case 'date-time':
    case 'date':
    case 'time':
      return { kind: 'temporal', of: data.type, in: 'itself' };
    case 'array':
      return { kind: 'array', of: { kind: 'any' } };
    case 'structure':
      return {
        kind: 'structure',
        fields: Object.fromEntries(data.value.map((_, i) => [`element${i + 1}`, { kind: 'any' } as const])),
      };
    default:
      return { kind: 'number', type: data.type };
  }
}

function octetForms(length: 6 | 12): readonly ValueType[] {
  const bytes = { ...AS_BYTES, type: 'octet-string' } as const;
  return length === 12
    ? [{ kind: 'temporal', of: 'date-time', in: 'octet-string' }, bytes]
    : [{ kind: 'string', type: 'octet-string', as: 'logical-name', size: 6 }, bytes];
}
