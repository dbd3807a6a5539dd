/** Hex text in both directions. */
import { DecodeError } from './errors.ts';

const DIGITS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function toHex(bytes: ArrayLike<number>, separator = ''): string {
  const parts = new Array<string>(bytes.length);
  for (let i = 0; i < bytes.length; i++) parts[i] = DIGITS[bytes[i] as number] as string;
  return parts.join(separator);
}

/** Value of one hex digit's character code, -1 when it is none. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Reads hex text; blanks, line ends, `:` and `-` between digits mean nothing. @throws DecodeError `hex` */
export function fromHex(text: string): Uint8Array {
  const out = new Uint8Array(text.length >> 1);
  let n = 0;
  let high = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = hexDigit(code);
    if (digit < 0) {
      if (code === 32 || (code >= 9 && code <= 13) || code === 58 || code === 45) continue;
      throw new DecodeError('hex', `${JSON.stringify(text[i])} is no hex digit`, i);
    }
    if (high < 0) high = digit;
    else {
      out[n++] = (high << 4) | digit;
      high = -1;
    }
  }
  if (high >= 0) throw new DecodeError('hex', 'odd number of hex digits', text.length);
  return out.slice(0, n);
}
