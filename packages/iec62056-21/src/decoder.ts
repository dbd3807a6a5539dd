/**
 * Read-outs out of a stream that was captured or is listened to (IEC 62056-21 modes A to D): octets in, canonical messages out.
 *
 * Decides: where a telegram begins (`/XXXZ…`, or STX, or data sets right behind the start or end of another) and ends (`!`,
 * with STX also ETX and BCC); what to believe. A block that has a BCC is believed by it, one without only if no parity bit is
 * broken, and says `crcMissing`. What was cut is dropped, unless all its lines are whole and no BCC was to come: then
 * it is a message with flag `truncated`. Echoed requests, acknowledgements, padding with NUL or 7F, LF LF: passed over.
 * Leaves out: asking (client.ts), and P1, whose telegrams look alike but end in a CRC of their own.
 */
import type { DecodeError, Drop } from '@amiable/bytes';
import {
  type Flag,
  isClockWrong,
  type Message,
  messageId,
  type PortCounters,
  type PortDecoder,
  type PortOptions,
  type PortSink,
} from '@amiable/model';
import { blockCheck, CR, ETX, LF, NUL, parityOf, STX, textOf } from './characters.ts';
import { type DataSet, isPassing, parseDataBlock } from './data-set.ts';
import { type Identification, parseIdentification } from './identification.ts';
import { createLayouts, type Layouts } from './items.ts';
import { headOf, type Readings, readingsOf } from './message.ts';

/** Longest telegram, octets; load profiles in a read-out are long. */
export const MAX_TELEGRAM = 1 << 19;
const MAX_LINE = 8192;
/** Octets that a canonical message carries as they came; a longer load profile goes without them. */
const MAX_RAW = 65_536;
const EXCERPT = 64;
/** A meter may pause so long within a telegram (reaction and inter-character time, clause 6.4.3.2), ms. */
const LONGEST_PAUSE = 1400;
// biome-ignore lint/suspicious/noControlCharactersInRegex: some meters send STX where their escape is meant
const CONTROLS = /[\x00-\x1f\x7f]/g;
const SLASH = 0x2f;
const OPEN = 0x28;
const CLOSE = 0x29;
const END = 0x21;

type State =
  /** Between telegrams. */
  | 'hunt'
  /** Inside of one. */
  | 'open'
  /** Behind `!` of a block that began with STX: CR LF and ETX are to come. */
  | 'tail'
  /** Behind ETX. */
  | 'check';

/** @returns a decoder that never throws; what it refuses is told as drops */
export function createReadoutDecoder(options: PortOptions, sink: PortSink): PortDecoder {
  return new ReadoutDecoder(options, sink);
}

class ReadoutDecoder implements PortDecoder {
  readonly counters: PortCounters = { bytes: 0, frames: 0, good: 0, sealed: 0, dropped: {}, noise: 0 };
  readonly #options: PortOptions;
  readonly #sink: PortSink;
  readonly #layouts: Layouts = createLayouts();
  /** The telegram under way, or the line while none is; as received. */
  #buf = new Uint8Array(4096);
  #len = 0;
  /** Where in the stream the buffer begins. */
  #offset = 0;
  #state: State = 'hunt';
  #identification: Identification | undefined;
  #lineAt = 0;
  /** Behind the first STX; -1 without one. */
  #blockAt = -1;
  /** Behind the identification's line. */
  #dataAt = 0;
  #etxAt = -1;
  #inBracket = false;
  #dataLines = 0;
  /** Where the next telegram begins is known: nothing of one is missing before. */
  #synced: boolean;
  #lastAt: number;

  constructor(options: PortOptions, sink: PortSink) {
    this.#options = options;
    this.#sink = sink;
    // A file begins where somebody began to write it; a live line anywhere.
    this.#synced = options.live !== true;
    this.#lastAt = options.live ? options.now() : 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#options.live) this.#lastAt = this.#options.now();
    for (let i = 0; i < bytes.length; i++) this.#take(bytes[i] as number);
    this.counters.bytes += bytes.length;
  }

  idle(): void {
    // Meters pause between their identification and their data, and slow ones within.
    if (this.#options.live && this.#state !== 'tail' && this.#options.now() - this.#lastAt < LONGEST_PAUSE) return;
    if (this.#state === 'open' && this.#dataLines === 0) return;
    this.#over();
    this.#synced = true;
  }

  end(): void {
    this.#over();
  }

  // --- octets ---------------------------------------------------------------------------------------------------

  #take(octet: number): void {
    const c = octet & 0x7f;
    if (this.#state === 'tail') {
      if (c === ETX) {
        this.#etxAt = this.#len;
        this.#put(octet);
        this.#state = 'check';
        return;
      }
      if (c === CR || c === LF || c === NUL) {
        this.#put(octet);
        return;
      }
      // No ETX comes: the capture has taken it away.
      this.#finish('end');
    } else if (this.#state === 'check') {
      this.#put(octet);
      this.#finish('end');
      return;
    }
    if (c === CR || c === LF) {
      this.#endLine();
      // The line stays only where it is part of a telegram.
      if (this.#state !== 'hunt') {
        this.#put(octet);
        this.#lineAt = this.#len;
      } else this.#offset++;
      return;
    }
    // Within an identification that octet is a meter's odd escape.
    if (c === STX && !this.#inBracket && !this.#isSlashLine()) {
      if (this.#state === 'hunt') this.#open(this.#len, undefined);
      this.#put(octet);
      if (this.#blockAt < 0 && this.#dataLines === 0) {
        this.#blockAt = this.#len;
        this.#dataAt = this.#len;
        this.#lineAt = this.#len;
      }
      return;
    }
    if (c === ETX && !this.#inBracket && this.#state === 'open' && this.#blockAt >= 0) {
      this.#endLine();
      if (this.#state !== 'open') return;
      this.#etxAt = this.#len;
      this.#put(octet);
      this.#state = 'check';
      return;
    }
    if (c === OPEN) this.#inBracket = true;
    else if (c === CLOSE) this.#inBracket = false;
    else if (c === END && !this.#inBracket && !this.#isSlashLine()) {
      this.#endMark(octet);
      return;
    }
    this.#put(octet);
    if (this.#len - this.#lineAt > MAX_LINE) this.#endLine();
  }

  #put(octet: number): void {
    if (this.#len >= MAX_TELEGRAM) {
      this.#refuse('tooLong', 0, undefined);
      this.#synced = false;
    }
    if (this.#len === this.#buf.length) {
      const grown = new Uint8Array(this.#buf.length * 2);
      grown.set(this.#buf);
      this.#buf = grown;
    }
    this.#buf[this.#len++] = octet;
  }

  /** The line begins with a slash: a request or identification, whose `!` ends no data block. */
  #isSlashLine(): boolean {
    for (let i = this.#lineAt; i < this.#len; i++) {
      const c = (this.#buf[i] as number) & 0x7f;
      if (c > 0x20 && c < 0x7f) return c === SLASH;
    }
    return false;
  }

  // --- lines ----------------------------------------------------------------------------------------------------

  /** A line is whole, its CR or LF not in the buffer yet. */
  #endLine(): void {
    this.#inBracket = false;
    const from = this.#lineAt;
    const line = textOf(this.#buf, from, this.#len);
    const slash = line.lastIndexOf('/');
    if (slash >= 0) {
      const rest = line.slice(slash).replace(CONTROLS, '').trimEnd();
      const identification = /[()]/.test(rest) ? undefined : parseIdentification(rest);
      if (identification) {
        this.#cutAt(from + slash);
        this.#open(0, identification);
        return;
      }
    }
    if (line.includes('(')) {
      if (this.#state === 'hunt') {
        if (!this.#synced) {
          this.#noise(this.#len);
          // From the next line on nothing is missing but the lines before: still no telegram to be believed.
          return;
        }
        this.#open(from, undefined);
      }
      this.#dataLines++;
      return;
    }
    if (this.#state === 'hunt') this.#passOver(line);
  }

  /** A line between telegrams that begins none: padding, an echoed request, an acknowledgement, or noise. */
  #passOver(line: string): void {
    if (isPassing(line)) this.#forget(this.#len);
    else this.#noise(this.#len);
  }

  /** A new telegram begins at `at` in the buffer: what is before was cut. */
  #cutAt(at: number): void {
    const tail = this.#buf.slice(at, this.#len);
    const offset = this.#offset + at;
    this.#len = at;
    if (this.#state === 'open') {
      if (this.#dataLines > 0) this.#finish('cut');
      else this.#forget(this.#len);
    } else if (at > 0) this.#passOver(textOf(this.#buf, 0, at));
    this.#reset();
    this.#offset = offset;
    this.#buf.set(tail, 0);
    this.#len = tail.length;
  }

  /** A telegram begins at `at`; what is before is noise. */
  #open(at: number, identification: Identification | undefined): void {
    if (at > 0) {
      const rest = this.#buf.slice(at, this.#len);
      this.#len = at;
      this.#passOver(textOf(this.#buf, 0, at));
      this.#buf.set(rest, 0);
      this.#len = rest.length;
    }
    this.#state = 'open';
    this.#identification = identification;
    this.#lineAt = 0;
    this.#dataAt = identification ? this.#len : 0;
    this.#blockAt = -1;
    this.#etxAt = -1;
    this.#dataLines = 0;
  }

  /** `!` outside brackets. */
  #endMark(octet: number): void {
    if (this.#len > this.#lineAt && textOf(this.#buf, this.#lineAt, this.#len).includes('(')) this.#endLine();
    if (this.#state === 'hunt') {
      // The end of a telegram whose beginning nobody saw: the next one is whole.
      this.#put(octet);
      this.#noise(this.#len);
      this.#synced = true;
      return;
    }
    this.#put(octet);
    if (this.#blockAt >= 0) this.#state = 'tail';
    else this.#finish('end');
  }

  // --- telegrams ------------------------------------------------------------------------------------------------

  /** The line fell silent, or ends. */
  #over(): void {
    if (this.#state === 'hunt') {
      if (this.#len > 0) this.#endLine();
      if (this.#state === 'hunt') {
        if (this.#len > 0) this.#passOver(textOf(this.#buf, 0, this.#len));
        return;
      }
    }
    this.#finish(this.#state === 'tail' ? 'end' : 'cut');
  }

  #finish(how: 'end' | 'cut'): void {
    const raw = this.#buf.slice(0, this.#len);
    const blockEnd = this.#etxAt >= 0 ? this.#etxAt : this.#len;
    const hasCheck = this.#etxAt >= 0 && this.#len > this.#etxAt + 1;
    // A line that is not whole is not looked at.
    const wholeTo = how === 'cut' && this.#blockAt < 0 ? this.#lineAt : blockEnd;
    const text = textOf(raw, this.#dataAt, Math.max(this.#dataAt, wholeTo));
    const dataAt = this.#dataAt;
    const skipped: [DecodeError, string][] = [];
    const sets = parseDataBlock(text, (error, line) => skipped.push([error, line]));
    this.counters.frames++;
    if (sets.length === 0) {
      // An identification alone, as before a change to HDLC, is nothing to complain of.
      const nothing = skipped.length === 0 && this.#blockAt < 0;
      if (nothing) this.#forget(this.#len);
      else this.#refuse('syntax', dataAt, undefined);
      this.#synced = true;
      return;
    }
    if (how === 'cut' && this.#blockAt >= 0) {
      this.#refuse('truncated', raw.length, sets, ['truncated']);
      return;
    }
    const right =
      hasCheck && blockCheck(raw, this.#blockAt, this.#etxAt + 1) === ((raw[this.#etxAt + 1] as number) & 0x7f);
    // Noise has brackets in it, and a check of seven bits fits it once in a while.
    if (!isMostlyText(raw)) {
      this.#refuse('parity', 0, sets, ['checksumBad']);
      return;
    }
    const flags: Flag[] = [];
    if (!hasCheck) {
      if (this.#etxAt >= 0) {
        this.#refuse('truncated', raw.length, sets, ['truncated']);
        return;
      }
      const { parity, broken } = parityOf(raw);
      if (parity === 'even' && broken > 0) {
        this.#refuse('parity', 0, sets, ['checksumBad']);
        return;
      }
      flags.push('crcMissing');
    } else if (!right) {
      // Meters that put control octets before the end mark compute their check over something else.
      if (!controlsBeforeEnd(raw, this.#blockAt, blockEnd)) {
        this.#refuse('bcc', this.#etxAt + 1, sets, ['checksumBad']);
        return;
      }
      // What it says cannot be checked, so it is as if there were none.
      flags.push('crcMissing');
    }
    if (how === 'cut') flags.push('truncated');
    for (const [error, line] of skipped) this.#dropLine(error, line, dataAt);
    this.counters.good++;
    this.#sink.message(this.#message(sets, raw, flags));
    this.#synced = true;
    this.#forget(this.#len);
  }

  #message(sets: readonly DataSet[], raw: Uint8Array, flags: Flag[]): Message {
    const { now, zone } = this.#options;
    const receivedAt = now();
    const readings: Readings = readingsOf(sets, zone);
    if (isClockWrong(this.#options, readings.time, receivedAt)) flags.push('clockWrong');
    return messageOfReadings(this.#options, this.#identification, readings, {
      raw,
      flags,
      receivedAt,
      items: this.#layouts.intern(readings.items),
      sequence: this.#options.live ? receivedAt : this.#offset,
    });
  }

  /** What is in the buffer is refused. @param at where the fault shows, in it */
  #refuse(reason: string, at: number, sets: readonly DataSet[] | undefined, flags: Flag[] = []): void {
    const raw = this.#buf.slice(0, this.#len);
    this.#count(reason);
    this.#sink.drop({ reason, offset: this.#offset, length: raw.length, excerpt: raw });
    if (this.#options.bad) {
      const message = this.#message(sets ?? [], raw, flags);
      this.#sink.message({ ...message, error: { reason, offset: at } });
    }
    this.#synced = true;
    this.#forget(this.#len);
  }

  #dropLine(error: DecodeError, line: string, base: number): void {
    this.#count('line');
    const excerpt = Uint8Array.from(line.slice(0, EXCERPT), (c) => c.charCodeAt(0));
    this.#sink.drop({ reason: 'line', offset: this.#offset + base + error.offset, length: line.length, excerpt });
  }

  #count(reason: string): void {
    this.counters.dropped[reason] = (this.counters.dropped[reason] ?? 0) + 1;
  }

  /** The first `length` octets of the buffer were no telegram's. */
  #noise(length: number): void {
    if (length > 0) {
      const drop: Drop = {
        reason: 'noise',
        offset: this.#offset,
        length,
        excerpt: this.#buf.slice(0, Math.min(length, EXCERPT)),
      };
      this.counters.noise += length;
      this.#count('noise');
      this.#sink.drop(drop);
    }
    this.#forget(length);
  }

  #forget(length: number): void {
    this.#offset += length;
    this.#reset();
  }

  #reset(): void {
    this.#len = 0;
    this.#lineAt = 0;
    this.#blockAt = -1;
    this.#etxAt = -1;
    this.#dataAt = 0;
    this.#dataLines = 0;
    this.#identification = undefined;
    this.#inBracket = false;
    this.#state = 'hunt';
  }
}

/** One octet in so many of a text may be none: padding within lines, control octets, letters of a maker beyond ASCII. */
const STRANGEST = 8;

/** Where bit 7 is no parity stands no character of the standard. */
function isMostlyText(raw: Uint8Array): boolean {
  const odd = parityOf(raw).parity === 'other';
  let strange = 0;
  for (const octet of raw) {
    const c = octet & 0x7f;
    const isControl = c < 0x20 && c !== CR && c !== LF && c !== STX && c !== 0;
    if (isControl || (odd && octet > 0x7f)) strange++;
  }
  return strange * STRANGEST <= raw.length;
}

/** At least two control octets stand right before the end mark (Actaris ACE3000). */
function controlsBeforeEnd(raw: Uint8Array, start: number, end: number): boolean {
  for (let i = end - 1; i > start; i--) {
    if (((raw[i] as number) & 0x7f) !== END) continue;
    const isControl = (at: number): boolean => {
      const c = (raw[at] as number) & 0x7f;
      return c < 0x20 && c !== CR && c !== LF;
    };
    return isControl(i - 1) && isControl(i - 2);
  }
  return false;
}

export interface MessageContext {
  readonly raw: Uint8Array;
  readonly flags: readonly Flag[];
  readonly receivedAt: number;
  readonly items?: Message['items'];
  /** Tells messages without a clock of their own apart. */
  readonly sequence: number;
}

/** The canonical message of readings. */
export function messageOfReadings(
  { reader, port }: Pick<PortOptions, 'reader' | 'port'>,
  identification: Identification | undefined,
  readings: Readings,
  { raw, flags, receivedAt, items = readings.items, sequence }: MessageContext,
): Message {
  const label = `${reader}/${port}`;
  return {
    v: 1,
    id: messageId(label, readings.meterTime ?? `#${sequence}`, raw),
    reader,
    port,
    protocol: 'iec62056-21',
    ...headOf(identification),
    ...(readings.meterId !== undefined && { meterId: readings.meterId }),
    ...(readings.time !== undefined && { time: readings.time }),
    ...(readings.meterTime !== undefined && { meterTime: readings.meterTime }),
    receivedAt,
    flags: readings.cut && !flags.includes('truncated') ? [...flags, 'truncated'] : flags,
    items,
    values: readings.values,
    ...(readings.times && { times: readings.times }),
    ...(readings.raws && { raws: readings.raws }),
    ...(raw.length <= MAX_RAW && { raw }),
  };
}
