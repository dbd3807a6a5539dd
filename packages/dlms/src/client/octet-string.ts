/** An octet-string as encoded A-XDR, without going through a value. */
import type { EncodedData } from '../apdu/types.ts';

/** An encoded octet-string. */
export function octetString(bytes: Uint8Array): EncodedData {
  const n = bytes.length;
  const head = n < 0x80 ? [9, n] : n < 0x100 ? [9, 0x81, n] : n < 0x10000 ? [9, 0x82, n >>> 8, n & 0xff] : undefined;
  const length = head ?? [9, 0x84, n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
  const out = new Uint8Array(length.length + n);
  out.set(length);
  out.set(bytes, length.length);
  return out;
}
