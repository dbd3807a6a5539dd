/** What a file is, by its beginning. Apart from sources.ts, which brings all decoders. */

/** Bytes that a file may have. */
export const MAX_FILE = 16 << 20;

/** Whether a file is text: no control characters but those of lines, in its beginning. */
export function isText(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.subarray(0, 4096).every((b) => b >= 32 || (b >= 9 && b <= 13));
}
