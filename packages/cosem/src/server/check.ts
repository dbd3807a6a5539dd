/**
 * Whether encoded bytes are a value of a described type: what a server asks of everything that is set, and of every
 * parameter of a method.
 *
 * Decides: the type of each element, the number of elements of a structure, sizes that the standard fixes. Leaves out:
 * ranges and enumerations' values, which are the object's affair. Nothing is decoded; depth and count are bounded.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { decodeLength, skipData, TAGS } from '@amiable/dlms';
import type { ValueType } from '../classes/type.ts';

const DEPTH = 16;

/** Whether `value` is one value of the type and nothing follows it. */
export function isOfType(value: Uint8Array, type: ValueType): boolean {
  const reader = new Reader(value);
  try {
    return matches(reader, type, DEPTH) && reader.remaining === 0;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

const WIDTH: Readonly<Record<number, number>> = {
  [TAGS.boolean]: 1,
  [TAGS.enum]: 1,
  [TAGS.integer]: 1,
  [TAGS.unsigned]: 1,
  [TAGS.bcd]: 1,
  [TAGS['delta-integer']]: 1,
  [TAGS['delta-unsigned']]: 1,
  [TAGS.long]: 2,
  [TAGS['long-unsigned']]: 2,
  [TAGS['delta-long']]: 2,
  [TAGS['delta-long-unsigned']]: 2,
  [TAGS['double-long']]: 4,
  [TAGS['double-long-unsigned']]: 4,
  [TAGS['delta-double-long']]: 4,
  [TAGS['delta-double-long-unsigned']]: 4,
  [TAGS.float32]: 4,
  [TAGS.float64]: 8,
  [TAGS.long64]: 8,
  [TAGS['long64-unsigned']]: 8,
  [TAGS['date-time']]: 12,
  [TAGS.date]: 5,
  [TAGS.time]: 4,
};

const TEMPORAL = { 'date-time': 12, date: 5, time: 4 } as const;

function fixed(reader: Reader, tag: number): boolean {
  if (reader.u8() !== tag) return false;
  reader.skip(WIDTH[tag] ?? 0);
  return true;
}

function octets(reader: Reader, tag: number, size: number | undefined): boolean {
  if (reader.u8() !== tag) return false;
  const length = decodeLength(reader);
  reader.skip(length);
  return size === undefined || length === size;
}

/** Reads one value; the reader stands behind it when the answer is yes. */
function matches(reader: Reader, type: ValueType, depth: number): boolean {
  if (depth < 0) return false;
  switch (type.kind) {
    case 'null-data':
      return reader.u8() === TAGS['null-data'];
    case 'boolean':
      return fixed(reader, TAGS.boolean);
    case 'number':
    case 'long64':
    case 'flags':
      return fixed(reader, TAGS[type.type]);
    case 'enum':
      return fixed(reader, TAGS.enum);
    case 'bit-string': {
      if (reader.u8() !== TAGS['bit-string']) return false;
      const bits = decodeLength(reader);
      reader.skip((bits + 7) >> 3);
      return type.size === undefined || bits === type.size;
    }
    case 'string':
      return octets(reader, TAGS[type.type], type.size);
    case 'temporal':
      return type.in === 'itself'
        ? fixed(reader, TAGS[type.of])
        : octets(reader, TAGS['octet-string'], TEMPORAL[type.of]);
    case 'structure': {
      if (reader.u8() !== TAGS.structure) return false;
      const fields = Object.values(type.fields);
      if (decodeLength(reader) !== fields.length) return false;
      for (const field of fields) if (!matches(reader, field, depth - 1)) return false;
      return true;
    }
    case 'array': {
      if (reader.u8() !== TAGS.array) return false;
      const count = decodeLength(reader);
      if (count > reader.remaining || (type.max !== undefined && count > type.max)) return false;
      for (let i = 0; i < count; i++) if (!matches(reader, type.of, depth - 1)) return false;
      return true;
    }
    case 'choice': {
      const start = reader.pos;
      for (const alternative of type.of) {
        reader.pos = start;
        if (matches(reader, alternative, depth)) return true;
      }
      return false;
    }
    case 'any': {
      const tag = reader.peek();
      if (type.simple && (tag === TAGS.array || tag === TAGS.structure || tag === TAGS['compact-array'])) return false;
      skipData(reader);
      return true;
    }
  }
}
