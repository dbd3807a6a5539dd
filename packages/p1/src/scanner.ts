/**
 * Finds telegrams in a stream (DSMR P1 5.0.2 clause 5.2, IEC 62056-21 clause 6.5): `/` and three letters begin one, `!` at the start
 * of a line and up to four hexadecimal digits end it; a ciphered one is delimited by its length.
 *
 * Decides how to find back: a telegram that is cut, and then a new `/`, is dropped up to there, whether a line ended before or not,
 * and the new one is read; where the check sum is wrong the rejected bytes are searched for such a beginning. What is no telegram is
 * noise and told as such; line ends between telegrams are not. Lines of 7 data bits and even parity are seen by their first octet.
 * Leaves out: what telegrams mean, keys (decoder.ts).
 *
 * It keeps no reference to a chunk that was pushed. Memory is bounded by the longest telegram.
 */
import type { Drop } from '@amiable/bytes';
import { isEven, SLASH_EVEN } from './parity.ts';
import { BANG, checksumAt, MAX_TELEGRAM, SLASH } from './telegram.ts';

const CR = 0x0d;
const LF = 0x0a;
const SEALED = 0xdb;
const TITLE_LENGTH = 8;
/** Tag, title with its length, and the longest length that is taken. */
const SEALED_HEAD = 2 + TITLE_LENGTH;
const MAX_SEALED = MAX_TELEGRAM + 64;
const EXCERPT = 64;
/** Chunks from this size on are scanned where they are copied to, and messages share that copy. */
const LARGE = 1024;

/** Where a telegram lies in `bytes`. */
export interface Found {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Of the exclamation mark; where the telegram breaks off when it has none. */
  readonly bang: number;
  /** Behind the check sum. */
  readonly end: number;
  /** As sent; -1 without one, -2 when something else stands in its place. */
  readonly checksum: number;
  /** Seven data bits and parity. */
  readonly seven: boolean;
  /** `bytes` stays as it is: a view of it may be kept. */
  readonly owned: boolean;
  /** Position in the stream. */
  readonly offset: number;
}

export interface ScanSink {
  /** A telegram known by heart at `start`: its end, or 0 when none is. `view` is of the whole buffer under `b`. */
  quick(b: Uint8Array, view: DataView, start: number, to: number, owned: boolean): number;
  /** Whether the check sum fits. */
  proves(found: Found): boolean;
  telegram(found: Found): void;
  /** No exclamation mark, and the next one begins or the line fell silent. */
  unended(found: Found): void;
  /** A ciphered telegram, bytes[start, end). False when no key opens it and its bytes may hide another one's beginning. */
  sealed(found: Found): boolean;
  /** What no key opens and hides nothing. */
  unreadable(found: Found): void;
  drop(d: Drop): void;
}

const isLetter = (octet: number): boolean => {
  const upper = octet & 0xdf;
  return upper >= 0x41 && upper <= 0x5a;
};
const isLineEnd = (octet: number): boolean => octet === CR || octet === LF;

/** Beginnings looked at inside of one refused telegram. */
const MAX_TRIES = 8;

const NO = 0;
const YES = 1;
const UNSURE = 2;

export class P1Scanner {
  readonly #sink: ScanSink;
  /** What waits for more, from its start. */
  #held = new Uint8Array(4096);
  #length = 0;
  /** Position of #held[0] in the stream. */
  #origin = 0;
  /** How far the telegram at the start of #held has been searched for its end. */
  #searched = 0;
  /** The next exclamation mark and slash of the chunk under way. */
  #bangAt = -1;
  #slashAt = -1;
  #slashOf = SLASH;
  #noise = new Uint8Array(EXCERPT);
  #noiseLength = 0;
  #noiseAt = 0;
  /** Octets that belonged to no telegram. */
  noise = 0;

  constructor(sink: ScanSink) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length >= LARGE) {
      const all = new Uint8Array(this.#length + chunk.length);
      all.set(this.#held.subarray(0, this.#length));
      all.set(chunk, this.#length);
      const used = this.#scan(all, all.length, true, false);
      this.#length = 0;
      this.#hold(all, used, all.length);
      this.#origin += used;
      return;
    }
    this.#hold(chunk, 0, chunk.length);
    this.#consume(false);
  }

  /** The line is silent, or at its end: what waits will not be completed. */
  settle(): void {
    this.#consume(true);
    this.#tellNoise();
  }

  #consume(final: boolean): void {
    const used = this.#scan(this.#held, this.#length, false, final);
    if (used > 0) {
      this.#held.copyWithin(0, used, this.#length);
      this.#length -= used;
      this.#origin += used;
    }
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#held.length) {
      const more = new Uint8Array(Math.max(length, this.#held.length * 2));
      more.set(this.#held.subarray(0, this.#length));
      this.#held = more;
    }
    this.#held.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), this.#length);
    this.#length = length;
  }

  /** Gives how much is done with. */
  #scan(b: Uint8Array, to: number, owned: boolean, final: boolean): number {
    const view = new DataView(b.buffer);
    this.#bangAt = -1;
    this.#slashAt = -1;
    let at = 0;
    while (at < to) {
      const begins = beginning(b, at, to);
      if (begins === UNSURE && !final) break;
      if (begins !== YES) {
        if (!isLineEnd((b[at] as number) & 0x7f)) this.#addNoise(b[at] as number, at);
        at++;
        continue;
      }
      this.#tellNoise();
      const quick = at === 0 && this.#searched > 0 ? 0 : this.#sink.quick(b, view, at, to, owned);
      if (quick > 0) {
        at = quick;
        continue;
      }
      const next = b[at] === SEALED ? this.#sealed(b, at, to, owned, final) : this.#telegram(b, at, to, owned, final);
      if (next === at) break;
      at = next;
      this.#searched = 0;
    }
    // What waits is moved to the start of #held.
    if (at > 0 && this.#searched > at) this.#searched -= at;
    return at;
  }

  /** Where to go on; `start` itself to wait for more. */
  #telegram(b: Uint8Array, start: number, to: number, owned: boolean, final: boolean): number {
    const seven = b[start] === SLASH_EVEN;
    const slash = seven ? SLASH_EVEN : SLASH;
    const limit = Math.min(to, start + MAX_TELEGRAM);
    const offset = this.#origin + start;
    let at = start === 0 && this.#searched > 0 ? this.#searched : start + 1;
    while (at < limit) {
      // Found once and kept while they lie ahead, so that a chunk is searched once however it is made up.
      if (this.#bangAt < at) this.#bangAt = indexFrom(b, BANG, at);
      if (this.#slashAt < at || this.#slashOf !== slash) this.#slashAt = indexFrom(b, slash, at);
      this.#slashOf = slash;
      const bang = Math.min(this.#bangAt, limit);
      at = Math.min(this.#slashAt, bang);
      if (at >= limit) break;
      if (!isLineEnd((b[at - 1] as number) & 0x7f)) {
        at++;
        continue;
      }
      if (at < bang) {
        const begins = beginning(b, at, to);
        if (begins === UNSURE && !final) return this.#wait(start, at);
        if (begins !== YES) {
          at++;
          continue;
        }
        this.#sink.unended({ bytes: b, start, bang: at, end: at, checksum: -1, seven, owned, offset });
        return at;
      }
      const digits = seven ? b.subarray(at + 1, Math.min(to, at + 5)).map((octet) => octet & 0x7f) : b;
      const from = seven ? 0 : at + 1;
      const sent = checksumAt(digits, from, seven ? digits.length : to);
      const end = seven ? at + 1 + sent.end : sent.end;
      if (sent.end - from < 4 && end === to && !final) return this.#wait(start, at);
      const foreign = sent.end === from && end < to && !isEnd((b[end] as number) & 0x7f);
      const checksum = foreign ? -2 : sent.value;
      const found: Found = { bytes: b, start, bang: at, end, checksum, seven, owned, offset };
      const again = this.#insideOf(found);
      if (again > 0) {
        this.#cut(b, start, again);
        return again;
      }
      this.#sink.telegram(found);
      return end;
    }
    if (to - start >= MAX_TELEGRAM) {
      // No telegram is so long: this was the beginning of none, or its end was lost.
      let next = start + 1;
      while (next < limit && beginning(b, next, to) === NO) next++;
      this.#sink.drop({ reason: 'length', offset, length: next - start, excerpt: b.slice(start, next) });
      return next;
    }
    if (!final) return this.#wait(start, to);
    this.#sink.unended({ bytes: b, start, bang: to, end: to, checksum: -1, seven, owned, offset });
    return to;
  }

  #wait(start: number, searched: number): number {
    // An index in the buffer now; #scan makes it one in what is kept.
    this.#searched = Math.max(searched, start + 1);
    return start;
  }

  /** Where another telegram begins inside of one whose check sum does not fit or is not there; 0 when none does. */
  #insideOf(found: Found): number {
    const { bytes: b, start, bang, seven } = found;
    if (found.checksum >= 0 && this.#sink.proves(found)) return 0;
    const slash = seven ? SLASH_EVEN : SLASH;
    let tries = 0;
    for (let at = b.indexOf(slash, start + 1); at > 0 && at < bang; at = b.indexOf(slash, at + 1)) {
      if (beginning(b, at, bang) !== YES) continue;
      if (++tries > MAX_TRIES) return 0;
      // In the middle of a line it may be text: its own check sum must fit, or it must look like an identification.
      if (found.checksum >= 0 ? this.#sink.proves({ ...found, start: at }) : isIdentification(b, at, bang)) return at;
    }
    return 0;
  }

  #cut(b: Uint8Array, start: number, end: number): void {
    this.#sink.drop({
      reason: 'truncated',
      offset: this.#origin + start,
      length: end - start,
      excerpt: b.slice(start, end),
    });
  }

  #sealed(b: Uint8Array, start: number, to: number, owned: boolean, final: boolean): number {
    const length = sealedLength(b, start, to);
    if (length < 0) {
      this.#addNoise(b[start] as number, start);
      return start + 1;
    }
    const offset = this.#origin + start;
    if (length === 0 || start + length > to) {
      if (!final) return this.#wait(start, start + 1);
      const again = sameTitle(b, start, to);
      const end = again > 0 ? again : to;
      this.#cut(b, start, end);
      return end;
    }
    const end = start + length;
    const found: Found = { bytes: b, start, bang: end, end, checksum: -1, seven: false, owned, offset };
    if (this.#sink.sealed(found)) return end;
    // Octets were lost: the next frame of the same meter begins inside of the announced length.
    const again = sameTitle(b, start, end);
    if (again > 0) {
      this.#cut(b, start, again);
      return again;
    }
    this.#sink.unreadable(found);
    return end;
  }

  #addNoise(octet: number, at: number): void {
    if (this.#noiseLength === 0) this.#noiseAt = this.#origin + at;
    if (this.#noiseLength < EXCERPT) this.#noise[this.#noiseLength] = octet;
    this.#noiseLength++;
    this.noise++;
  }

  #tellNoise(): void {
    const length = this.#noiseLength;
    if (length === 0) return;
    this.#noiseLength = 0;
    this.#sink.drop({
      reason: 'noise',
      offset: this.#noiseAt,
      length,
      excerpt: this.#noise.slice(0, Math.min(length, EXCERPT)),
    });
  }
}

const indexFrom = (b: Uint8Array, octet: number, from: number): number => {
  const at = b.indexOf(octet, from);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
};

/** What may stand behind an exclamation mark without check sum. */
const isEnd = (octet: number): boolean => isLineEnd(octet) || octet === SLASH || octet === 0;

/** Whether a telegram begins at `at`. */
function beginning(b: Uint8Array, at: number, to: number): number {
  const first = b[at] as number;
  if (first === SEALED) {
    if (at + 1 < to && b[at + 1] !== TITLE_LENGTH) return NO;
    // System titles begin with the three letters of the maker.
    for (let i = at + 2; i < Math.min(to, at + 5); i++) if (!isLetter(b[i] as number)) return NO;
    return at + 5 <= to ? YES : UNSURE;
  }
  if (first !== SLASH && first !== SLASH_EVEN) return NO;
  for (let i = at + 1; i < Math.min(to, at + 4); i++) {
    const octet = b[i] as number;
    if (first === SLASH ? !isLetter(octet) : !(isEven(octet) && isLetter(octet & 0x7f))) return NO;
  }
  return at + 4 <= to ? YES : UNSURE;
}

/** Three letters and a baud rate, as nearly all begin. */
function isIdentification(b: Uint8Array, at: number, to: number): boolean {
  const baud = (b[at + 4] as number) & 0x7f;
  return at + 4 < to && baud >= 0x30 && baud <= 0x39;
}

/** Octets of the whole frame; 0 while that cannot be told, -1 when it is none. */
function sealedLength(b: Uint8Array, start: number, to: number): number {
  const at = start + SEALED_HEAD;
  if (at >= to) return 0;
  const first = b[at] as number;
  let length = first;
  let head = SEALED_HEAD + 1;
  if (first > 0x7f) {
    const octets = first & 0x7f;
    if (octets < 1 || octets > 2) return -1;
    if (at + octets >= to) return 0;
    length = octets === 1 ? (b[at + 1] as number) : ((b[at + 1] as number) << 8) | (b[at + 2] as number);
    head += octets;
  }
  return length < 5 || length > MAX_SEALED ? -1 : head + length;
}

/** Where tag and title of the frame at `start` stand again; 0 when nowhere. */
function sameTitle(b: Uint8Array, start: number, to: number): number {
  for (let at = b.indexOf(SEALED, start + 1); at > 0 && at + SEALED_HEAD <= to; at = b.indexOf(SEALED, at + 1)) {
    let i = 1;
    while (i < SEALED_HEAD && b[at + i] === b[start + i]) i++;
    if (i === SEALED_HEAD) return at;
  }
  return 0;
}
