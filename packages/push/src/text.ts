/** Strings of meters: text where the bytes are printable, else hex; NUL and blanks at the ends mean nothing. */
import { toHex } from '@amiable/bytes';

const blank = (c: number | undefined): boolean => c === 0 || c === 0x20 || c === 0xff;

/** Longer strings are cut: no value of a meter needs them. */
const MAX_BYTES = 1024;

/** ASCII text without the padding, or lower-case hex of all bytes when something else than ASCII is inside. */
export function octetsText(bytes: Uint8Array, start = 0, last = bytes.length): string {
  const end = Math.min(last, start + MAX_BYTES);
  let from = start;
  let to = end;
  while (to > from && blank(bytes[to - 1])) to--;
  while (from < to && (bytes[from] === 0x20 || bytes[from] === 0)) from++;
  let text = '';
  for (let i = from; i < to; i++) {
    const c = bytes[i] as number;
    if (c < 0x20 || c > 0x7e) return toHex(bytes.subarray(start, end));
    text += String.fromCharCode(c);
  }
  // Bytes that are nothing but FF say "unset", yet are no text.
  return text === '' && end > start && bytes[start] === 0xff ? toHex(bytes.subarray(start, end)) : text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes.subarray(0, MAX_BYTES)).replace(/^[\0 ]+|[\0 ]+$/g, '');
  } catch {
    return toHex(bytes.subarray(0, MAX_BYTES));
  }
}
