/**
 * Bytes out of whatever an engineer pastes: bare hex, C arrays, `hexdump -C`, `xxd`, Wireshark's hex pane, logs of two
 * directions, JSON with a hex string in it.
 *
 * Decides: which characters of a line are bytes, what is an offset or a text column beside them, and which end sent them.
 * A line with a direction, and a dump whose offsets start again, begin a new piece; other lines continue the piece before.
 * Left out: what the bytes mean (bytes.ts).
 */
import { fromHex } from '@amiable/bytes';

/** Who sent it: `out` from client to meter, `in` from the meter. */
export type Direction = 'out' | 'in';

export interface PastedPiece {
  readonly bytes: Uint8Array;
  readonly direction: Direction | undefined;
  /** Line it begins on, from 1. */
  readonly line: number;
}

export interface Pasted {
  readonly pieces: readonly PastedPiece[];
  /** Lines that hold no bytes, and are not blank. */
  readonly skipped: number;
  /** Pieces that end in half a byte, which is left out. */
  readonly odd: number;
}

/** Characters that are looked at; a longer text is a file. */
export const MAX_PASTE = 4 << 20;

/** What loggers put in front of a line: a date, a time, or both. */
const STAMP = String.raw`(?:\[[^\]]{0,40}\]|[\d:.,TZ/+-]{5,35})`;
const TIMESTAMP = String.raw`^\s*(?:${STAMP}(?:\s+${STAMP})?)?\s*`;
const DIRECTIONS: readonly (readonly [RegExp, Direction])[] = [
  [new RegExp(String.raw`${TIMESTAMP}(?:(?:tx|sent|send|out|request|client)\b|>>+|-+>|=+>|→|⇒)\s*[:>|]?`, 'i'), 'out'],
  [
    new RegExp(
      String.raw`${TIMESTAMP}(?:(?:rx|recv|received|in|response|server|meter)\b|<<+|<-+|<=+|←|⇐)\s*[:<|]?`,
      'i',
    ),
    'in',
  ],
];
/** An offset, two blanks or a colon, pairs or groups of four digits, then perhaps a text column. */
const DUMP =
  /^\s*(?:0x)?([0-9a-f]{4,8})(?::\s?|\s{1,4})((?:[0-9a-f]{2}){1,2}(?:\s{1,2}(?:[0-9a-f]{2}){1,2}){0,31})(?:\s{2,}.*|\s*\|.*|\s*)$/i;
const COMMENT = /(?:#|\/\/).*$/;
/** What stands between bytes in arrays and logs. */
const BETWEEN = /0x|\\x|[\s,;:{}[\]()"'_-]/gi;
const RUN = /(?:[0-9a-f]{2}[ :-]?){4,}/gi;

/** @throws nothing: what holds no bytes is counted */
export function parsePaste(text: string): Pasted {
  const pieces: PastedPiece[] = [];
  let skipped = 0;
  let odd = 0;
  let parts: Uint8Array[] = [];
  let size = 0;
  let direction: Direction | undefined;
  let firstLine = 1;
  /** Odd digit at the end of a line that the next one completes. */
  let half = '';
  let dumped = 0;

  const finish = (): void => {
    if (size > 0) {
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      pieces.push({ bytes, direction, line: firstLine });
    }
    if (half) odd++;
    parts = [];
    size = 0;
    half = '';
    dumped = 0;
  };
  const take = (digits: string): void => {
    const all = half + digits;
    const even = all.length & ~1;
    half = all.slice(even);
    const bytes = fromHex(all.slice(0, even));
    parts.push(bytes);
    size += bytes.length;
  };

  for (const [i, raw] of text
    .slice(0, MAX_PASTE)
    .split(/\r\n|\r|\n/)
    .entries()) {
    if (raw.trim() === '') continue;
    const dump = DUMP.exec(raw);
    const offset = dump ? Number.parseInt(dump[1] as string, 16) : 0;
    // Four digits in front of a group may be bytes: an offset it is only where it counts on.
    if (dump && (offset === 0 || (dumped > 0 && offset === dumped))) {
      if (offset === 0) {
        finish();
        direction = undefined;
        firstLine = i + 1;
      }
      const digits = (dump[2] as string).replace(/\s/g, '');
      take(digits);
      dumped = offset + digits.length / 2;
      continue;
    }
    let line = raw;
    for (const [form, meaning] of DIRECTIONS) {
      const found = form.exec(line);
      if (!found) continue;
      finish();
      direction = meaning;
      firstLine = i + 1;
      line = line.slice(found[0].length);
      break;
    }
    const digits = hexOf(line);
    if (digits === undefined) {
      if (line.trim() !== '') skipped++;
      continue;
    }
    if (size === 0 && half === '') firstLine = i + 1;
    take(digits);
  }
  finish();
  return { pieces, skipped, odd };
}

/** The hex digits of a line: all of it, or the longest run of bytes in it. */
function hexOf(line: string): string | undefined {
  const bare = line.replace(COMMENT, '').replace(BETWEEN, '');
  if (bare !== '' && /^[0-9a-f]+$/i.test(bare)) return bare;
  let best = '';
  for (const [run] of line.matchAll(RUN)) {
    const digits = run.replace(/[ :-]/g, '');
    if (digits.length > best.length) best = digits;
  }
  return best || undefined;
}
