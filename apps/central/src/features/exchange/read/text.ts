/**
 * Text out of the bytes of a file: UTF-8 unless a byte order mark or the caller says otherwise. Bytes that are no character
 * become U+FFFD, which the readers refuse where it stands, so that one wrong line does not cost the file.
 */
import { MisuseError } from '@amiable/bytes';

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin1'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface TextReader {
  /** The text that is whole so far. */
  push(bytes: Uint8Array): string;
  end(): string;
  readonly encoding: Encoding;
}

export function createTextReader(declared?: Encoding): TextReader {
  if (declared !== undefined && !ENCODINGS.includes(declared))
    throw new MisuseError(`${JSON.stringify(declared)} is no encoding; there are ${ENCODINGS.join(', ')}`);
  let encoding: Encoding = declared ?? 'utf-8';
  let decoder: TextDecoder | undefined;
  let head: Uint8Array | undefined;

  const begin = (bytes: Uint8Array): string => {
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) encoding = 'utf-8';
    else if (bytes[0] === 0xff && bytes[1] === 0xfe) encoding = 'utf-16le';
    else if (bytes[0] === 0xfe && bytes[1] === 0xff) encoding = 'utf-16be';
    // A byte order mark is taken off by the decoder.
    decoder = new TextDecoder(encoding);
    return decoder.decode(bytes, { stream: true });
  };

  return {
    get encoding() {
      return encoding;
    },
    push(bytes) {
      if (decoder) return decoder.decode(bytes, { stream: true });
      const whole = head ? Buffer.concat([head, bytes]) : bytes;
      if (whole.length >= 3) return begin(whole);
      // A copy: the caller may use its bytes again.
      head = Uint8Array.from(whole);
      return '';
    },
    end() {
      const text = decoder ? '' : begin(head ?? new Uint8Array(0));
      return text + (decoder as TextDecoder).decode();
    },
  };
}
