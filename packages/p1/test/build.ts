/** Telegrams for tests, put together line by line. */
import { crc16Arc } from '@amiable/bytes';

export const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Lines between a header and an end with a right check sum; `crc` gives another end. */
export function telegram(
  lines: readonly string[],
  { header = '/ISK5\\2M550T-1012', crc }: { header?: string; crc?: string } = {},
): Uint8Array {
  const body = `${header}\r\n\r\n${lines.map((line) => `${line}\r\n`).join('')}!`;
  const sum = crc16Arc(bytesOf(body)).toString(16).toUpperCase().padStart(4, '0');
  return bytesOf(`${body}${crc ?? sum}\r\n`);
}

export const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

export const V5 = ['1-3:0.2.8(50)', '0-0:1.0.0(220528151729S)', '0-0:96.1.1(4530303434303037313331363530363138)'];
