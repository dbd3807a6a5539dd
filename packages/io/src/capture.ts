/**
 * What captures look like on disk: the raw bytes, or hex text of them. Which it is shows in the first bytes: a capture
 * of any meter protocol has a byte that is no hex digit among them (7E, 68, 0F, DB, `/`, STX), text has none.
 *
 * Hex text may be broken anywhere by blanks and line ends, in pairs or not, in either case, with `0x`, commas, colons or
 * dashes between, a byte order mark in front and comments from `#` to the end of the line. A pure stage: pieces in,
 * pieces out, nothing kept but a nibble, so that a gigabyte takes no memory.
 */
import { hexDigit } from '@amiable/bytes';

export type CaptureForm = 'bytes' | 'hex';

const BLANK = new Set([...' \t\r\n\v\f,;:-'].map((c) => c.charCodeAt(0)));
const HASH = 35;
const NEWLINE = 10;
const X = 120;
/** How much of a file the decision is made on; a stream that grows slowly is not held back for more than this. */
const LOOK = 64;

/** `undefined` while blanks are all there is. */
export function formOf(head: Uint8Array): CaptureForm | undefined {
  let digits = 0;
  let comment = false;
  let i = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  for (; i < head.length; i++) {
    const c = head[i] as number;
    if (comment) {
      // A comment is text; a binary file that begins with `#` is caught here.
      if (c === NEWLINE) comment = false;
      else if (c < 9) return 'bytes';
    } else if (hexDigit(c) >= 0) digits++;
    else if (c === HASH) comment = true;
    else if ((c | 32) === X && head[i - 1] === 48) digits--;
    else if (!BLANK.has(c)) return 'bytes';
  }
  return digits >= 2 ? 'hex' : undefined;
}

export interface CaptureStage {
  /** Known after the first bytes that say it. */
  readonly form: CaptureForm | undefined;
  /** Characters of hex text that are none, and a digit without its pair at the end. */
  readonly strange: number;
  push(piece: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

export function captureStage(forced?: CaptureForm): CaptureStage {
  let form = forced;
  let strange = 0;
  let high = -1;
  let comment = false;
  /** A zero that may be the first half of `0x`. */
  let previous = 0;
  let held: Uint8Array = new Uint8Array(0);

  const hex = (piece: Uint8Array): Uint8Array => {
    const out = new Uint8Array((piece.length >> 1) + 1);
    let n = 0;
    for (let i = 0; i < piece.length; i++) {
      const c = piece[i] as number;
      const digit = hexDigit(c);
      if (comment) {
        if (c === NEWLINE) comment = false;
      } else if (digit >= 0) {
        if (high < 0) high = digit;
        else {
          out[n++] = (high << 4) | digit;
          high = -1;
        }
      } else if (c === HASH) comment = true;
      else if ((c | 32) === X && previous === 48 && high === 0) high = -1;
      else if (!BLANK.has(c)) strange++;
      previous = c;
    }
    return out.subarray(0, n);
  };

  const pass = (piece: Uint8Array) => (form === 'hex' ? hex(piece) : piece);
  const decide = (last: boolean): Uint8Array => {
    const found = formOf(held.subarray(0, LOOK)) ?? formOf(held);
    if (!found && !last) return new Uint8Array(0);
    if (found !== 'bytes' && held.length < LOOK && !last) return new Uint8Array(0);
    form = found ?? 'bytes';
    const all = held;
    held = new Uint8Array(0);
    const start = form === 'hex' && all[0] === 0xef ? 3 : 0;
    return pass(all.subarray(start));
  };

  return {
    get form() {
      return form;
    },
    get strange() {
      return strange;
    },
    push(piece) {
      if (form) return pass(piece);
      if (held.length === 0) held = piece.slice();
      else {
        const joined = new Uint8Array(held.length + piece.length);
        joined.set(held);
        joined.set(piece, held.length);
        held = joined;
      }
      // A file of nothing but blanks must not pile up.
      if (held.length > LOOK * 16 && !formOf(held)) held = held.slice(-16);
      return decide(false);
    },
    end() {
      const rest = form ? new Uint8Array(0) : decide(true);
      if (high >= 0) strange++;
      return rest;
    },
  };
}
