/** What a file is, by its beginning. Apart from sources.ts, which brings all decoders. */

/** Bytes that a file may have. */
export const MAX_FILE = 16 << 20;

/** A slash with a parity bit: a telegram of seven-bit characters, which are no text before that bit is gone. */
const SLASH_WITH_PARITY = 0xaf;

/** Whether a file is text: no control characters but those of lines, in its beginning. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes[0] === SLASH_WITH_PARITY) return false;
  return bytes.length > 0 && bytes.subarray(0, 4096).every((b) => b >= 32 || (b >= 9 && b <= 13));
}
