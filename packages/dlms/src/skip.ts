/**
 * Passes over encoded values without making anything of them: how values travel through APDUs as bytes.
 *
 * Decides: tags, lengths and depth are checked; of the contents of a compact-array the length only. Time follows the
 * bytes and nothing is allocated, so values need not be counted.
 */
import { DecodeError, type Reader } from '@amiable/bytes';
import { type DataLimits, type DataType, DEFAULT_LIMITS, TAGS } from './data-types.ts';

// Bytes that the contents of each type take; -1 where they tell it themselves, -2 where no type has the tag.
const FIXED = new Int8Array(256).fill(-2);
for (const [type, bytes] of Object.entries({
  'null-data': 0,
  'dont-care': 0,
  boolean: 1,
  'double-long': 4,
  'double-long-unsigned': 4,
  bcd: 1,
  integer: 1,
  long: 2,
  unsigned: 1,
  'long-unsigned': 2,
  long64: 8,
  'long64-unsigned': 8,
  enum: 1,
  float32: 4,
  float64: 8,
  'date-time': 12,
  date: 5,
  time: 4,
  'delta-integer': 1,
  'delta-long': 2,
  'delta-double-long': 4,
  'delta-unsigned': 1,
  'delta-long-unsigned': 2,
  'delta-double-long-unsigned': 4,
  array: -1,
  structure: -1,
  'bit-string': -1,
  'octet-string': -1,
  'visible-string': -1,
  'utf8-string': -1,
  'compact-array': -1,
} satisfies Record<DataType, number>))
  FIXED[TAGS[type as DataType]] = bytes;

/** Passes over one value with its tag. @throws DecodeError `tag`, `length`, `limit`, `truncated` */
export function skipData(reader: Reader, limits: Pick<DataLimits, 'depth'> = DEFAULT_LIMITS): void {
  reader.pos = endOfData(reader.buf, reader.pos, reader.end, limits.depth);
}

/** Where the value that begins at buf[pos] ends. @throws DecodeError as skipData */
export function endOfData(buf: Uint8Array, pos: number, end: number, depth: number): number {
  if (pos >= end) throw truncated(pos, 1, end);
  const tag = buf[pos] as number;
  const size = FIXED[tag] as number;
  if (size >= 0) {
    const after = pos + 1 + size;
    if (after > end) throw truncated(pos + 1, size, end);
    return after;
  }
  if (size === -2) throw new DecodeError('tag', `no DLMS data type has tag ${tag}`, pos);
  let at = pos + 1;
  if (tag === TAGS['compact-array']) at = endOfDescription(buf, at, end, depth);
  const length = lengthAt(buf, at, end);
  at = lengthEnd;
  if (tag === TAGS.array || tag === TAGS.structure) {
    // Every element takes a byte at least, so a count beyond what is left is a lie that must cost nothing.
    if (length > end - at) throw truncated(at, length, end);
    if (depth <= 0) throw new DecodeError('limit', 'arrays and structures nest too deep', pos);
    for (let i = 0; i < length; i++) at = endOfData(buf, at, end, depth - 1);
    return at;
  }
  const bytes = tag === TAGS['bit-string'] ? Math.ceil(length / 8) : length;
  if (bytes > end - at) throw truncated(at, bytes, end);
  return at + bytes;
}

const truncated = (pos: number, bytes: number, end: number): DecodeError =>
  new DecodeError('truncated', `value needs ${bytes} bytes, ${Math.max(0, end - pos)} left`, pos);

// Where the length ends that lengthAt read last: a second result without an object.
let lengthEnd = 0;

function lengthAt(buf: Uint8Array, pos: number, end: number): number {
  if (pos >= end) throw truncated(pos, 1, end);
  const first = buf[pos] as number;
  lengthEnd = pos + 1;
  if (first < 0x80) return first;
  const n = first & 0x7f;
  if (n === 0 || n > 4) throw new DecodeError('length', `a length of ${n} bytes is not possible`, pos);
  if (n > end - lengthEnd) throw truncated(lengthEnd, n, end);
  let value = 0;
  for (let i = 0; i < n; i++) value = value * 256 + (buf[lengthEnd++] as number);
  return value;
}

/** A TypeDescription; an array in it has a count of two bytes. */
function endOfDescription(buf: Uint8Array, pos: number, end: number, depth: number): number {
  if (pos >= end) throw truncated(pos, 1, end);
  const tag = buf[pos] as number;
  if (FIXED[tag] === -2 || tag === TAGS['compact-array'])
    throw new DecodeError('tag', `tag ${tag} cannot describe an element`, pos);
  if (tag !== TAGS.array && tag !== TAGS.structure) return pos + 1;
  if (depth <= 0) throw new DecodeError('limit', 'type descriptions nest too deep', pos);
  if (tag === TAGS.array) {
    if (end - pos < 3) throw truncated(pos + 1, 2, end);
    return endOfDescription(buf, pos + 3, end, depth - 1);
  }
  const count = lengthAt(buf, pos + 1, end);
  let at = lengthEnd;
  if (count > end - at) throw truncated(at, count, end);
  for (let i = 0; i < count; i++) at = endOfDescription(buf, at, end, depth - 1);
  return at;
}
