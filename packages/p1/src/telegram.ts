/**
 * The telegram as text: identification, data lines, end (IEC 62056-21 clause 6.5 data readout as DSMR P1 5.0.2 clause 5.2 and
 * 6.2 take it). Decode and encode side by side; both keep values as sent.
 *
 *   /ISK5\2M550T-1012 CR LF CR LF 1-0:1.8.1(016366.258*kWh) CR LF … !46B4 CR LF
 *
 * Decides: what is an address and what a value; a line that begins with a bracket goes on with the line before; further opening
 * and closing brackets round a value belong to no value. A line without a bracket is no data: it is told as junk and passed over,
 * as is one whose bracket is not closed. Leaves out: what values mean (readings.ts), where telegrams begin in a stream (scanner.ts).
 */
import { crc16Arc, DecodeError, MisuseError } from '@amiable/bytes';

export const SLASH = 0x2f;
export const BANG = 0x21;
const STX = 0x02;
const CR = 0x0d;
const LF = 0x0a;
const OPEN = 0x28;
const CLOSE = 0x29;

/** No telegram is longer: the longest text message takes 4,096 digits, 13 peaks take 600. */
export const MAX_TELEGRAM = 16_384;
/** As many values as a canonical message may carry. */
export const MAX_VALUES = 2000;

/** No address is longer. */
const MAX_ADDRESS = 64;

/** [start, end) in the telegram's bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface DataObject {
  readonly address: Span;
  /** The values between brackets. */
  readonly values: readonly Span[];
}

export interface Layout {
  /** The line behind the slash, without its end. */
  readonly identification: Span;
  readonly objects: readonly DataObject[];
  /** Lines that are no data. */
  readonly junk: readonly Span[];
  /** Where the exclamation mark stands; the length when there is none. */
  readonly end: number;
}

/**
 * Finds the parts of one telegram, `/` to the end of `b`. Never fails on what a line holds.
 * @throws DecodeError `telegram` when it does not begin with a slash and an identification, `limit` on too many values
 */
export function layoutTelegram(b: Uint8Array, from = 0, to = b.length): Layout {
  if (b[from] !== SLASH) throw new DecodeError('telegram', 'a telegram begins with /', from);
  const identification = { start: from + 1, end: lineEnd(b, from + 1, to) };
  if (identification.end === identification.start)
    throw new DecodeError('telegram', 'the identification is empty', from + 1);
  const objects: DataObject[] = [];
  const junk: Span[] = [];
  let open: { address: Span; values: Span[] } | undefined;
  let count = 0;
  let at = identification.end;
  let end = to;
  while (at < to) {
    const c = b[at] as number;
    if (c === CR || c === LF) {
      at++;
      continue;
    }
    if (c === BANG) {
      end = at;
      break;
    }
    // A read-out of IEC 62056-21 begins its data so; its lines look alike, but it is none.
    if (c === STX) throw new DecodeError('telegram', 'a read-out of IEC 62056-21, not a telegram', at);
    const stop = lineEnd(b, at, to);
    let bracket = at;
    while (bracket < stop && b[bracket] !== OPEN) bracket++;
    const values = bracket < stop && bracket - at <= MAX_ADDRESS ? valuesOf(b, bracket, stop) : undefined;
    if (values === undefined) junk.push({ start: at, end: stop });
    else {
      count += values.length;
      if (count > MAX_VALUES) throw new DecodeError('limit', `more than ${MAX_VALUES} values`, at);
      if (bracket > at) {
        open = { address: { start: at, end: bracket }, values };
        objects.push(open);
      } else if (open) open.values.push(...values);
      else junk.push({ start: at, end: stop });
    }
    at = stop;
  }
  return { identification, objects, junk, end };
}

function lineEnd(b: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && b[at] !== CR && b[at] !== LF) at++;
  return at;
}

/** Undefined when a bracket is not closed. */
function valuesOf(b: Uint8Array, from: number, to: number): Span[] | undefined {
  const values: Span[] = [];
  let at = from;
  while (at < to) {
    const c = b[at] as number;
    if (c !== OPEN) {
      // What stands between brackets (a second closing one, blanks) is no value.
      at++;
      continue;
    }
    while (at < to && b[at] === OPEN) at++;
    const start = at;
    while (at < to && b[at] !== CLOSE) at++;
    if (at === to) return undefined;
    values.push({ start, end: at });
    at++;
  }
  return values;
}

/** Characters as sent, one for each octet. */
export function ascii(b: Uint8Array, { start, end }: Span): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(b[i] as number);
  return text;
}

/** A telegram as text, every value as sent. */
export interface Telegram {
  /** Without the slash, e.g. `ISK5\2M550T-1012`. */
  readonly identification: string;
  readonly objects: readonly { readonly address: string; readonly values: readonly string[] }[];
  /** `none` for DSMR 2 and 3. */
  readonly checksum: 'crc16' | 'none';
}

/**
 * Reads one whole telegram, its check sum included where there is one.
 * @throws DecodeError `telegram`, `truncated` (no exclamation mark), `crc`, `limit`
 */
export function decodeTelegram(b: Uint8Array): Telegram {
  const { identification, objects, end } = layoutTelegram(b);
  if (end === b.length) throw new DecodeError('truncated', 'the telegram has no end', end);
  const sent = checksumAt(b, end + 1, b.length);
  if (sent.value >= 0 && sent.value !== crc16Arc(b, 0, end + 1))
    throw new DecodeError('crc', 'the check sum is wrong', end + 1);
  return {
    identification: ascii(b, identification),
    objects: objects.map((o) => ({ address: ascii(b, o.address), values: o.values.map((v) => ascii(b, v)) })),
    checksum: sent.value < 0 ? 'none' : 'crc16',
  };
}

/** Up to four hexadecimal digits behind the exclamation mark; some meters leave out leading zeros. `value` is -1 without any. */
export function checksumAt(b: Uint8Array, from: number, to: number): { readonly value: number; readonly end: number } {
  let value = -1;
  let at = from;
  for (; at < to && at < from + 4; at++) {
    const digit = hexValue(b[at] as number);
    if (digit < 0) break;
    value = value < 0 ? digit : value * 16 + digit;
  }
  return { value, end: at };
}

export function hexValue(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet & 0xdf;
  return letter >= 0x41 && letter <= 0x46 ? letter - 0x37 : -1;
}

/** Writes a telegram, ready for the line. @throws MisuseError for text that would not come back */
export function encodeTelegram({ identification, objects, checksum }: Telegram): Uint8Array {
  const odd = /[\r\n]/.test(identification) || identification === '';
  if (odd) throw new MisuseError('the identification is one line');
  let text = `/${identification}\r\n\r\n`;
  for (const { address, values } of objects) {
    if (!/^[^(\r\n!/][^(\r\n]*$/.test(address)) throw new MisuseError(`${JSON.stringify(address)} is no address`);
    if (values.length === 0) throw new MisuseError(`${address} has no value; an empty one is ''`);
    text += address;
    for (const value of values) {
      if (/[()\r\n]/.test(value)) throw new MisuseError(`${JSON.stringify(value)} is no value: brackets end it`);
      text += `(${value})`;
    }
    text += '\r\n';
  }
  text += '!';
  const tail = checksum === 'crc16' ? 6 : 2;
  const out = new Uint8Array(text.length + tail);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  const crc = checksum === 'crc16' ? crc16Arc(out, 0, text.length).toString(16).toUpperCase().padStart(4, '0') : '';
  for (let i = 0; i < crc.length; i++) out[text.length + i] = crc.charCodeAt(i);
  out[out.length - 2] = CR;
  out[out.length - 1] = LF;
  return out;
}
