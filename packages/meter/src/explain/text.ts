/**
 * Where the text protocols of meters begin and end in bytes: P1 telegrams, and read-outs and exchanges of IEC 62056-21.
 *
 * Decides: what is evidence enough that bytes are text (they begin like a line of one of the two, and readable characters
 * follow), where one part of an exchange ends and the next begins, and which of the two protocols it is. Bit 7 may be parity.
 * Left out: what the characters mean. Each look at a beginning is bounded, so that a hostile text costs little.
 */
import { textProtocol } from '../any.ts';

export interface TextPart {
  readonly kind: 'p1' | 'iec62056-21';
  readonly start: number;
  readonly end: number;
}

const [NUL, SOH, STX, ETX, EOT, ACK, LF, CR, NAK, BANG, SLASH, DEL] = [
  0, 1, 2, 3, 4, 6, 0x0a, 0x0d, 0x15, 0x21, 0x2f, 0x7f,
] as const;
const FLAG = 0x7e;
/** Characters that a beginning is judged by. */
const WINDOW = 240;
const LONGEST_IDENTIFICATION = 64;
/** So many octets in a row that are none of a text end it. */
const STRANGE_ROW = 16;

const REQUEST = /^\/\?[\x20-\x7e]{0,64}?!/;
/** The third letter may be a small one, and some meters have more than letters in their maker's place. */
const IDENTIFICATION = /^\/[A-Za-z]{3}[\dA-Za-z?][\x20-\x7e]{0,59}(?=[\r\n]|$)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they frame the blocks
const BLOCK = /^\x02[\x20-\x7e\r\n]{0,48}?\([\x20-\x7e]{0,128}?(?:\)|$)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they frame the commands
const COMMAND = /^\x01[PWREB]\d[\x02\x03]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: an acknowledgement begins with one
const SELECT = /^\x06\d[\dA-Z][\dA-Z]\r\n/;
/** A data set: code and the beginning of its value. */
export const DATA_LINE = /^(?:\d{1,3}-\d{1,3}:)?[\dA-F]{1,3}\.[\dA-F]{1,3}(?:[.*&]\d{1,3}){0,3}\(/;

const isPadding = (c: number): boolean => c === NUL || c === DEL || c === CR || c === LF;
const isLetter = (c: number): boolean => (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);

/**
 * The part of a text that begins at `at`, with padding and ends of lines before it.
 * @param follows it stands behind a part of an exchange, where a single ACK or NAK means something
 * @param isFrame whether a link frame begins there, which ends the text (HDLC follows the sign-on of mode E)
 */
export function textAt(
  bytes: Uint8Array,
  at: number,
  follows: boolean,
  isFrame: (at: number) => boolean,
): TextPart | undefined {
  let from = at;
  if (isPadding((bytes[at] as number) & 0x7f)) {
    // A run of padding is looked at from its beginning only.
    if (at > 0 && !follows && isPadding((bytes[at - 1] as number) & 0x7f)) return undefined;
    while (from < bytes.length && isPadding((bytes[from] as number) & 0x7f)) from++;
    if (from === bytes.length) return follows ? { kind: 'iec62056-21', start: at, end: from } : undefined;
  }
  const c = (bytes[from] as number) & 0x7f;
  if (c === ACK || c === NAK) {
    const length = c === ACK && SELECT.test(windowAt(bytes, from, 6)) ? 6 : follows && bytes[from] !== 0x86 ? 1 : 0;
    return length === 0 ? undefined : { kind: 'iec62056-21', start: at, end: from + length };
  }
  if (!beginsText(bytes, from, c)) return undefined;
  const end = endOf(bytes, from, c, isFrame);
  const kind = c === SLASH && !isRequest(bytes, from) ? textProtocol(bytes.subarray(from, end)) : 'iec62056-21';
  return { kind, start: at, end };
}

const isRequest = (bytes: Uint8Array, at: number): boolean => ((bytes[at + 1] as number) & 0x7f) === 0x3f;

function beginsText(bytes: Uint8Array, at: number, c: number): boolean {
  const char = (i: number): number => (i < bytes.length ? (bytes[i] as number) & 0x7f : 0);
  if (c === SLASH) {
    if (char(at + 1) === 0x3f) return REQUEST.test(windowAt(bytes, at, 80));
    // Most of what is none is told by its first letters.
    if (!isLetter(char(at + 1)) || !isLetter(char(at + 2)) || !isLetter(char(at + 3))) return false;
    // Within an identification STX is a meter's odd escape.
    return IDENTIFICATION.test(windowAt(bytes, at, LONGEST_IDENTIFICATION + 2).replaceAll('\x02', '\\'));
  }
  if (c === STX) return BLOCK.test(windowAt(bytes, at, WINDOW));
  if (c === SOH) return COMMAND.test(windowAt(bytes, at, 4));
  const before = at > 0 ? char(at - 1) : LF;
  return (before === LF || before === CR || before === ETX) && DATA_LINE.test(windowAt(bytes, at, 32));
}

function windowAt(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  const end = Math.min(bytes.length, at + length);
  for (let i = at; i < end; i++) text += String.fromCharCode((bytes[i] as number) & 0x7f);
  return text;
}

/** Where the part ends whose first character `c` stands at `from`. */
function endOf(bytes: Uint8Array, from: number, c: number, isFrame: (at: number) => boolean): number {
  if (c !== SLASH) return behindBlock(bytes, from, isFrame);
  let at = from;
  const stops = isRequest(bytes, from) ? BANG : CR;
  while (at < bytes.length) {
    const d = (bytes[at] as number) & 0x7f;
    if (d === stops || d === LF) break;
    at++;
  }
  if (stops === BANG) return behindLineEnd(bytes, at + 1);
  at = behindLineEnd(bytes, at, 8);
  const next = at < bytes.length ? (bytes[at] as number) & 0x7f : SLASH;
  const alone =
    next === SLASH ||
    next === SOH ||
    next === ACK ||
    next === NAK ||
    (bytes[at] === FLAG && isFrame(at)) ||
    next === NUL;
  return alone ? at : behindBlock(bytes, at, isFrame);
}

function behindLineEnd(bytes: Uint8Array, from: number, most = 4): number {
  let at = from;
  while (at < bytes.length && at < from + most) {
    const c = (bytes[at] as number) & 0x7f;
    if (c !== CR && c !== LF) break;
    at++;
  }
  return at;
}

const isHex = (c: number): boolean => (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);

/** Behind ETX or EOT and the block check, or behind the line with the exclamation mark; where the text ends if neither comes. */
function behindBlock(bytes: Uint8Array, from: number, isFrame: (at: number) => boolean): number {
  let inBracket = false;
  let strange = 0;
  let previous: number = LF;
  for (let at = from; at < bytes.length; at++) {
    const c = (bytes[at] as number) & 0x7f;
    if (c === ETX || c === EOT) return Math.min(bytes.length, at + 2);
    if (c === CR || c === LF) inBracket = false;
    else if (c === 0x28) inBracket = true;
    else if (c === 0x29) inBracket = false;
    else if (c === BANG && !inBracket) return behindBang(bytes, at + 1);
    else if (c === SLASH && at > from && (previous === LF || previous === CR) && beginsText(bytes, at, c)) return at;
    else if (bytes[at] === FLAG && !inBracket && isFrame(at)) return at;
    strange = c < 0x20 && c !== CR && c !== LF ? strange + 1 : 0;
    if (strange === STRANGE_ROW) return Math.max(from + 1, at + 1 - STRANGE_ROW);
    previous = c;
  }
  return bytes.length;
}

function behindBang(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && at < from + 4 && isHex((bytes[at] as number) & 0x7f)) at++;
  at = behindLineEnd(bytes, at);
  // The block check may be any octet.
  return at < bytes.length && ((bytes[at] as number) & 0x7f) === ETX ? Math.min(bytes.length, at + 2) : at;
}
