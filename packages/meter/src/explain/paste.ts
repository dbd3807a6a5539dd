/**
 * Bytes out of whatever an engineer pastes: bare hex, C arrays, `hexdump -C`, `xxd`, Wireshark's hex pane, logs of two
 * directions, JSON with a hex string in it; text of P1 telegrams and of read-outs, as it stands; lines of wireless receivers.
 *
 * Decides: which characters of a line are bytes, what is an offset or a text column beside them, and which end sent them.
 * A line with a direction, a dump whose offsets start again, and text begin a new piece; other lines continue the piece before.
 * Text is told by its first line, and goes on to its exclamation mark, to a line of hex, or to the other end's turn. Its lines
 * end with CR LF, whatever the clipboard has made of them: check sums count them. Left out: what the bytes mean.
 */
import { fromHex } from '@amiable/bytes';
import { framesOfLine } from '@amiable/mbus';
import { DATA_LINE } from './text.ts';

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

/** How receivers print a wireless frame; of bare hex it is not told. CUL's `b` makes the number of digits odd. */
const RECEIVER = /^\s*(?:[STC]\d?[+;]|b(?:[\da-f]{2}){10,300}\s*$|bY[\da-f]{20}|telegram=|\{.*"data")/i;
/** What a line of text may begin with: a request, an identification. */
const TEXT = /^(?:\/\?[^!]{0,40}!|\/[A-Za-z]{3}[\dA-Za-z?][^/]*$)/;
const REQUEST = /^\/\?[^!]*!/;
/** Control characters that frame blocks and commands, or answer them. */
const FRAMING = '\x01\x02\x03\x04\x06\x15';
/** Names of control characters as logs write them. */
const NAMED: Readonly<Record<string, string>> = {
  NUL: '\x00',
  SOH: '\x01',
  STX: '\x02',
  ETX: '\x03',
  EOT: '\x04',
  ACK: '\x06',
  LF: '\n',
  CR: '\r',
  NAK: '\x15',
};
const NAME = /<(NUL|SOH|STX|ETX|EOT|ACK|LF|CR|NAK)>/gi;
/** Bytes in hex alone; a line so short could be anything. */
const HEX_LINE = /^[\s\da-f:,-]{8,}$/i;
/** A line that ends a telegram: the mark, a check sum, or the block check behind it. */
const END_LINE = /^[ \t]*!|\)!\s*$/;

const spelt = (line: string): string => line.replace(NAME, (_all, name: string) => NAMED[name.toUpperCase()] as string);

function isTextLine(line: string): boolean {
  const head = spelt(line.slice(0, 80).trimStart());
  return FRAMING.includes(head[0] ?? ' ') || TEXT.test(head) || DATA_LINE.test(head);
}

/** Characters of a line as octets; none of more than eight bits belongs there. */
function octetsOf(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    out[i] = code > 0xff ? 0x3f : code;
  }
  return out;
}

/** @throws nothing: what holds no bytes is counted */
export function parsePaste(pasted: string): Pasted {
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
  /** Lines are text: `open` until the mark, `marked` behind it, where ETX may follow. */
  let text: 'open' | 'marked' | undefined;
  /** In a telegram's first line: all of them are indented. */
  let indented = false;

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
  const put = (bytes: Uint8Array): void => {
    parts.push(bytes);
    size += bytes.length;
  };
  const take = (digits: string): void => {
    const all = half + digits;
    const even = all.length & ~1;
    half = all.slice(even);
    put(fromHex(all.slice(0, even)));
  };

  /** Takes a line as it stands, with its end. */
  const takeText = (line: string): void => {
    const own = spelt(indented ? line.trimStart() : line);
    const end = Math.max(own.indexOf('\x03'), own.indexOf('\x04'));
    const answers = own[0] === '\x06' || own[0] === '\x15';
    // An end that is spelt out, a block check, and a single character are not followed by an end of ours.
    const whole = /[\r\n]$/.test(own) || (end >= 0 && end >= own.length - 2) || (answers && own.length === 1);
    put(octetsOf(whole ? own : `${own}\r\n`));
    text = end >= 0 || answers || REQUEST.test(own) ? undefined : END_LINE.test(own) ? 'marked' : 'open';
  };

  for (const [i, raw] of pasted
    .slice(0, MAX_PASTE)
    .split(/\r\n|\r|\n/)
    .entries()) {
    const blank = raw.trim() === '';
    if (text === 'open' && !HEX_LINE.test(raw) && (blank || !isDirected(raw))) {
      takeText(raw);
      continue;
    }
    if (blank) continue;
    if (text === 'marked' && spelt(raw.slice(0, 40).trimStart())[0] === '\x03') {
      takeText(raw);
      continue;
    }
    text = undefined;
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
    if (isTextLine(line)) {
      // What was said before is another's, or another telegram.
      if (size > 0) {
        finish();
        if (line === raw) direction = undefined;
      }
      firstLine = i + 1;
      indented = /^[ \t]/.test(line);
      takeText(line);
      continue;
    }
    const received = half === '' && RECEIVER.test(line) ? framesOfLine(line) : undefined;
    if (received && received.length > 0) {
      for (const frame of received) {
        finish();
        firstLine = i + 1;
        put(frame.bytes);
        finish();
      }
      continue;
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

const isDirected = (line: string): boolean => DIRECTIONS.some(([form]) => form.test(line));

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
