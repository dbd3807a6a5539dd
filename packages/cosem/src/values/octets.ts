/**
 * What octets are: text, hex, addresses, and a guess where nothing says it.
 *
 * Decides: octets are text when all are printable ASCII (or, in utf8-strings, valid UTF-8 without control characters) and
 * do not look like hex (`0x…`), so that a text always comes back as the same octets.
 */
import { fromHex, MisuseError, toHex } from '@amiable/bytes';
import type { DlmsDateTime } from '@amiable/dlms';
import { isCivilDate } from '@amiable/dlms';
import type { Spoken } from '../classes/type.ts';
import { obisFromBytes } from '../obis.ts';
import { momentOf } from './moment.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const HEX = /^0x(?:[0-9a-f]{2})*$/i;

function isPrintable(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte < 0x20 || byte > 0x7e) return false;
  return true;
}

/** The text that the bytes are; undefined when they are none. */
export function textOf(bytes: Uint8Array, wide = false): string | undefined {
  let text: string | undefined;
  if (isPrintable(bytes)) text = String.fromCharCode(...bytes.subarray(0, 8192));
  else if (wide) {
    try {
      text = utf8.decode(bytes);
    } catch {
      return undefined;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(text)) return undefined;
  }
  if (text === undefined || bytes.length > 8192 || HEX.test(text)) return undefined;
  return text;
}

/** Text, or the bytes themselves. */
export function textOrBytes(bytes: Uint8Array, wide = false): string | Uint8Array {
  return textOf(bytes, wide) ?? bytes;
}

export const hexText = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;

/** The bytes of a text as `textOf` and `hexText` write it. */
export function bytesOfText(text: string): Uint8Array {
  return HEX.test(text) ? fromHex(text.slice(2)) : new TextEncoder().encode(text);
}

/** A date-time that can be meant: a year of our time or none, and fields within their ranges. */
function plausible(bytes: Uint8Array): boolean {
  const [y1 = 0, y2 = 0, month = 0, day = 0, weekday = 0, hour = 0, minute = 0, second = 0, hundredths = 0] = bytes;
  const year = y1 * 256 + y2;
  if (year !== 0xffff && (year < 1970 || year > 2200)) return false;
  if (!((month >= 1 && month <= 12) || month >= 0xfd) || !((day >= 1 && day <= 31) || day >= 0xfd)) return false;
  if (year !== 0xffff && month <= 12 && day <= 31 && !isCivilDate(year, month, day)) return false;
  if (!(weekday <= 7 || weekday === 0xff) || !(hour <= 23 || hour === 0xff)) return false;
  return (
    (minute <= 59 || minute === 0xff) && (second <= 59 || second === 0xff) && (hundredths <= 99 || hundredths === 0xff)
  );
}

/** Text, a date-time, a logical name or the bytes: what an octet-string is where the type says nothing more. */
export function guessed(bytes: Uint8Array): string | Spoken<DlmsDateTime> | Uint8Array {
  const text = textOf(bytes);
  if (text !== undefined) return text;
  if (bytes.length === 12 && plausible(bytes)) return momentOf(bytes) as Spoken<DlmsDateTime>;
  if (bytes.length === 6 && bytes[5] === 0xff && (bytes[0] as number) <= 9) return obisFromBytes(bytes);
  return bytes;
}

/** RFC 5952: the longest run of zero groups as `::`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > length) [start, length] = [i, n];
  }
  const part = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return start < 0 ? part(0, 8) : `${part(0, start)}::${part(start + length, 8)}`;
}

/** @throws MisuseError when the text is no IPv6 address */
export function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail, ...more] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const missing = 8 - left.length - right.length;
  const all = [...left, ...new Array<string>(Math.max(0, missing)).fill('0'), ...right];
  if (
    more.length ||
    (tail === undefined ? missing !== 0 : missing < 1) ||
    !all.every((g) => /^[0-9a-f]{1,4}$/i.test(g))
  )
    throw new MisuseError(`${JSON.stringify(text)} is no IPv6 address`);
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  });
  return bytes;
}

export function ipv4Text(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** Undefined when the text is no IPv4 address. */
export function ipv4Number(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The first `bits` bits, the most significant of each byte first. */
export function bitText(bytes: Uint8Array, bits: number): string {
  let text = '';
  for (let i = 0; i < bits; i++) text += ((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1;
  return text;
}

/** Undefined when the text is not of 0 and 1. */
export function bitBytes(text: string): Uint8Array | undefined {
  if (!/^[01]*$/.test(text)) return undefined;
  const bytes = new Uint8Array((text.length + 7) >> 3);
  for (let i = 0; i < text.length; i++)
    if (text[i] === '1') bytes[i >> 3] = (bytes[i >> 3] as number) | (0x80 >> (i & 7));
  return bytes;
}
