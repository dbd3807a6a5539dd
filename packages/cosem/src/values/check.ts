/**
 * Whether a value is of a described type, and if not, where and why: what a server asks of everything that is set and of
 * every parameter of a method, and what a client explains.
 *
 * Decides: the type of each element, the number of elements of a structure, sizes that the standard fixes. Works on the
 * encoded bytes: nothing is decoded, depth and count are bounded, words are looked for only when somebody asks. Leaves
 * out: ranges and which values an enumeration has, which are the affair of the object.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { type Data, decodeLength, type EncodedData, skipData, TAGS, typeOfTag } from '@amiable/dlms';
import type { ValueType } from '../classes/type.ts';
import { encodedData } from './encoded.ts';

const DEPTH = 16;

/** Whether `value` is one value of the type and nothing follows it. */
export function isOfType(value: EncodedData, type: ValueType): boolean {
  const reader = new Reader(value);
  try {
    return matches(reader, type, DEPTH) && reader.remaining === 0;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** Undefined when the data is of the type; else what is wrong, e.g. `entries[2].day_id: long, not unsigned`. */
export function checkValue(type: ValueType, data: Data | EncodedData): string | undefined {
  const bytes = data instanceof Uint8Array ? data : encodedData(data);
  if (isOfType(bytes, type)) return undefined;
  const reader = new Reader(bytes);
  place = [];
  explaining = true;
  try {
    if (!matches(reader, type, DEPTH)) return told();
    return `${reader.remaining} bytes behind the value`;
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  } finally {
    explaining = false;
  }
}

// What was wrong with the value that did not fit, and where, from the inside out. Kept beside the result, so that a server,
// which needs no words, pays for none.
let explaining = false;
let fault = '';
let place: string[] = [];

function no(text: string): false {
  fault = text;
  place.length = 0;
  return false;
}

function inside(step: string): false {
  place.push(step);
  return false;
}

function told(): string {
  let path = '';
  for (const step of place.reverse()) path += path && !step.startsWith('[') ? `.${step}` : step;
  return path ? `${path}: ${fault}` : fault;
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

const fieldName = (type: Extract<ValueType, { kind: 'structure' }>, i: number): string =>
  Object.keys(type.fields)[i] as string;
const name = (tag: number): string => typeOfTag(tag) ?? `tag ${tag}`;

function tagIs(reader: Reader, wanted: number): boolean {
  const tag = reader.u8();
  return tag === wanted || (explaining && no(`${name(tag)}, not ${name(wanted)}`));
}

function fixed(reader: Reader, tag: number): boolean {
  if (!tagIs(reader, tag)) return false;
  reader.skip(WIDTH[tag] ?? 0);
  return true;
}

function octets(reader: Reader, tag: number, size: number | undefined): boolean {
  if (!tagIs(reader, tag)) return false;
  const length = decodeLength(reader);
  reader.skip(length);
  return size === undefined || length === size || (explaining && no(`${length} bytes, not ${size}`));
}

/** Reads one value; the reader stands behind it when the answer is yes. */
function matches(reader: Reader, type: ValueType, depth: number): boolean {
  if (depth < 0) return explaining && no('arrays and structures nest too deep');
  switch (type.kind) {
    case 'null-data':
      return tagIs(reader, TAGS['null-data']);
    case 'boolean':
      return fixed(reader, TAGS.boolean);
    case 'number':
    case 'long64':
    case 'flags':
      return fixed(reader, TAGS[type.type]);
    case 'enum':
      return fixed(reader, TAGS.enum);
    case 'bit-string': {
      if (!tagIs(reader, TAGS['bit-string'])) return false;
      const bits = decodeLength(reader);
      reader.skip(Math.ceil(bits / 8));
      return type.size === undefined || bits === type.size || (explaining && no(`${bits} bits, not ${type.size}`));
    }
    case 'string':
      return octets(reader, TAGS[type.type], type.size);
    case 'temporal':
      return type.in === 'itself'
        ? fixed(reader, TAGS[type.of])
        : octets(reader, TAGS['octet-string'], TEMPORAL[type.of]);
    case 'structure': {
      if (!tagIs(reader, TAGS.structure)) return false;
      const fields = Object.values(type.fields);
      const count = decodeLength(reader);
      if (count !== fields.length) return explaining && no(`${count} elements, not ${fields.length}`);
      for (let i = 0; i < count; i++)
        if (!matches(reader, fields[i] as ValueType, depth - 1)) return explaining && inside(fieldName(type, i));
      return true;
    }
    case 'array': {
      if (!tagIs(reader, TAGS.array)) return false;
      const count = decodeLength(reader);
      if (count > reader.remaining)
        return explaining && no(`${count} elements announced, ${reader.remaining} bytes left`);
      if (type.max !== undefined && count > type.max)
        return explaining && no(`${count} elements, at most ${type.max} fit`);
      for (let i = 0; i < count; i++) if (!matches(reader, type.of, depth - 1)) return explaining && inside(`[${i}]`);
      return true;
    }
    case 'choice':
      return matchesOne(reader, type.of, depth);
    case 'any': {
      const tag = reader.peek();
      if (type.simple && (tag === TAGS.array || tag === TAGS.structure || tag === TAGS['compact-array']))
        return explaining && no(`${name(tag)} where a simple type is asked for`);
      skipData(reader);
      return true;
    }
  }
}

function matchesOne(reader: Reader, alternatives: readonly ValueType[], depth: number): boolean {
  const start = reader.pos;
  const faults: string[] | undefined = explaining ? [] : undefined;
  for (const alternative of alternatives) {
    reader.pos = start;
    if (matches(reader, alternative, depth)) return true;
    faults?.push(told());
  }
  return faults !== undefined && no(faults.join('; '));
}
