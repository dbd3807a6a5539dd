/**
 * The little of DER (ITU-T X.690) that X.509 certificates take.
 *
 * Decides: one-byte tags, lengths of up to 4 bytes in their shortest form, nothing indefinite. Leaves out: all of BER.
 */
import { DecodeError, Reader } from '@amiable/bytes';

export const DER = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export interface Element {
  readonly tag: number;
  /** The contents. */
  readonly value: Uint8Array;
  /** With tag and length, as it stands. */
  readonly raw: Uint8Array;
  /** Of the contents, from the start of the buffer. */
  readonly offset: number;
}

/** @throws DecodeError `tag`, `length`, `truncated` */
export function readElement(reader: Reader): Element {
  const start = reader.pos;
  const tag = reader.u8('tag');
  if ((tag & 0x1f) === 0x1f) throw new DecodeError('tag', 'a tag of several bytes', start);
  const length = readDerLength(reader);
  const offset = reader.pos;
  const value = reader.bytes(length, 'contents');
  return { tag, value, raw: reader.buf.subarray(start, reader.pos), offset };
}

function readDerLength(reader: Reader): number {
  const at = reader.pos;
  const first = reader.u8('length');
  if (first < 0x80) return first;
  const bytes = first & 0x7f;
  if (bytes === 0 || bytes > 4) throw new DecodeError('length', `a length of ${bytes} bytes`, at);
  let length = 0;
  for (let i = 0; i < bytes; i++) length = length * 256 + reader.u8('length');
  if (length < 0x80 || length < 256 ** (bytes - 1))
    throw new DecodeError('length', 'a length that is not the shortest', at);
  return length;
}

/** The next element, which must have this tag. */
export function expectElement(reader: Reader, tag: number, what: string): Element {
  const start = reader.pos;
  const element = readElement(reader);
  if (element.tag !== tag) throw new DecodeError('tag', `${what} has tag ${element.tag}, not ${tag}`, start);
  return element;
}

/** A reader over the contents of an element, with offsets of the whole. */
export function inside(reader: Reader, element: Element): Reader {
  return new Reader(reader.buf, element.offset, element.offset + element.value.length);
}

/** @throws DecodeError when bytes follow */
export function finished(reader: Reader, what: string): void {
  if (reader.remaining > 0)
    throw new DecodeError('trailing', `${reader.remaining} bytes follow the end of ${what}`, reader.pos);
}

/** `2.16.756`; numbers beyond 2^53 are refused. */
export function readOid(element: Element): string {
  const arcs: number[] = [];
  let arc = 0;
  let open = false;
  for (const byte of element.value) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER)
      throw new DecodeError('value', 'an object identifier with too large an arc', element.offset);
    open = (byte & 0x80) !== 0;
    if (open) continue;
    if (arcs.length === 0) arcs.push(arc < 80 ? Math.floor(arc / 40) : 2, arc < 80 ? arc % 40 : arc - 80);
    else arcs.push(arc);
    arc = 0;
  }
  if (open || arcs.length === 0)
    throw new DecodeError('value', 'an object identifier that does not end', element.offset);
  return arcs.join('.');
}

/** UTCTime and GeneralizedTime in the form that RFC 5280 asks for (seconds, Z). @returns milliseconds since 1970 */
export function readTime(element: Element): number {
  const generalized = element.tag === DER.generalizedTime;
  if (!generalized && element.tag !== DER.utcTime) throw new DecodeError('tag', 'no time', element.offset);
  const said = String.fromCharCode(...element.value.subarray(0, 32));
  const match = (
    generalized ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(said);
  if (!match) throw new DecodeError('value', 'a time that is not written as RFC 5280 asks', element.offset);
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const full = generalized ? year : year < 50 ? 2000 + year : 1900 + year;
  const time = Date.UTC(full, month - 1, day, hour, minute, second);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    throw new DecodeError('value', 'a time that does not exist', element.offset);
  return time;
}
