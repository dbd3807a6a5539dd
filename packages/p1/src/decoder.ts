/**
 * Reads a P1 port: bytes in as they come, canonical messages out.
 *
 * Decides: which telegrams are good (check sum; without one only where the version has none), whose key opens a ciphered one
 * (general-glo-ciphering of IEC 62056-5-3, Luxembourg P1 1.1.3 clause 3.2.5; the same in parts of Austria), whose message it is when
 * it does not say, whether the meter's clock can be believed. Nothing is dropped silently: refused bytes are `Drop`s, with `bad`
 * messages as well; what no key opens is a message with an error and its bytes. Layouts are learnt (plan.ts).
 * Leaves out: how telegrams are found (scanner.ts), what they mean (readings.ts).
 */
import { crc16Arc, DecodeError, type Drop } from '@amiable/bytes';
import { type Crypto, decipher, decodeApdu, type KeyPair, type KeyRing } from '@amiable/dlms';
import {
  type Flag,
  isClockWrong,
  type MessageError,
  type PortCounters,
  type PortDecoder,
  type PortOptions,
  type PortSink,
  withFlag,
} from '@amiable/model';
import { PortClock } from './clock.ts';
import { type Head, P1Message } from './message.ts';
import { stripParity } from './parity.ts';
import { makePlan, type Plan } from './plan.ts';
import { fits, runPlan } from './run.ts';
import { type Found, P1Scanner, type ScanSink } from './scanner.ts';
import { BANG, checksumAt, SLASH } from './telegram.ts';

export interface P1DecoderOptions extends PortOptions {
  readonly keys?: KeyRing | undefined;
  readonly crypto?: Crypto | undefined;
  /** Number of the meter on this port, for telegrams that do not say it (Sweden): from the last run, or from the user. */
  readonly knownMeter?: string | undefined;
  /** Layouts remembered; 0 reads every telegram by the book. */
  readonly layouts?: number | undefined;
}

export interface P1Counters extends PortCounters {
  /** Of the good messages, those that a learnt layout gave. */
  learnt: number;
}

export interface P1Decoder extends PortDecoder {
  readonly counters: P1Counters;
}

const DEFAULT_LAYOUTS = 32;
const MINUTE = 60_000;
/** A gas value without summer-time mark is at most so old on a live port. */
const OLDEST_STAMP = 65 * MINUTE;
const CRC_MISSING: readonly Flag[] = ['crcMissing'];
const NO_FLAGS: readonly Flag[] = [];
const NOTHING: Head = {
  maker: undefined,
  list: undefined,
  meterType: undefined,
  items: [],
  qualities: undefined,
  timed: [],
};
const EMPTY = new Uint8Array(0);

/** Additional data that Luxembourg's meters use, published in its P1 specification (clause 3.2.5). */
const LUXEMBOURG = Uint8Array.from({ length: 16 }, (_, i) => i * 0x11);

export function createP1Decoder(options: P1DecoderOptions, sink: PortSink): P1Decoder {
  return new Decoder(options, sink);
}

class Decoder implements P1Decoder, ScanSink {
  readonly counters: P1Counters = { bytes: 0, frames: 0, good: 0, sealed: 0, dropped: {}, noise: 0, learnt: 0 };
  readonly #options: P1DecoderOptions;
  readonly #sink: PortSink;
  readonly #origin: { readonly reader: string; readonly port: string };
  readonly #scanner: P1Scanner;
  readonly #live: boolean;
  readonly #capacity: number;
  readonly #clock: PortClock;
  /** Most recently used first. */
  readonly #plans: Plan[] = [];
  #sequence = 0;
  #receivedAt = -1;
  #lastMeterId: string | undefined;
  #lastTitle: string | undefined | null = null;
  #lastKey: KeyPair | undefined;
  /** This port has had a telegram with a right check sum: those of its kind that lack it have lost it. */
  #proven = false;

  constructor(options: P1DecoderOptions, sink: PortSink) {
    this.#options = options;
    this.#sink = sink;
    this.#origin = { reader: options.reader, port: options.port };
    this.#live = options.live === true;
    this.#capacity = options.layouts ?? DEFAULT_LAYOUTS;
    this.#clock = new PortClock(options.zone);
    this.#lastMeterId = options.knownMeter;
    this.#scanner = new P1Scanner(this);
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.counters.bytes += bytes.length;
    this.#receivedAt = -1;
    this.#scanner.push(bytes);
    this.counters.noise = this.#scanner.noise;
  }

  idle(): void {
    this.#scanner.settle();
    this.counters.noise = this.#scanner.noise;
    this.#receivedAt = -1;
  }

  end(): void {
    this.idle();
  }

  // --- what the scanner finds -------------------------------------------------------------------------------------

  quick(b: Uint8Array, view: DataView, start: number, to: number, owned: boolean): number {
    const plans = this.#plans;
    for (let i = 0; i < plans.length; i++) {
      const plan = plans[i] as Plan;
      const bang = start + plan.length;
      // Four digits and a line end behind them, so that none is cut off.
      if (bang + 5 >= to || b[bang] !== BANG || !fits(plan, b, view, start)) continue;
      const sent = checksumAt(b, bang + 1, to);
      if (sent.value < 0 || sent.value !== crc16Arc(b, start, bang + 1)) return 0;
      const raw = owned ? b.subarray(start, sent.end) : b.slice(start, sent.end);
      const message = runPlan(plan, b, start, this.#origin, this.#clockNow(), this.#receipt(), raw, this.#stamp());
      if (message === undefined) continue;
      if (i > 0) this.#first(i);
      this.counters.frames++;
      this.counters.learnt++;
      this.#proven = true;
      this.#good(message, undefined);
      return sent.end;
    }
    return 0;
  }

  proves(found: Found): boolean {
    if (found.checksum < 0) return false;
    if (!found.seven) return found.checksum === crc16Arc(found.bytes, found.start, found.bang + 1);
    return found.checksum === crc16Arc(stripParity(found.bytes, found.start, found.bang + 1).bytes);
  }

  telegram(found: Found): void {
    const raw = keep(found);
    const { bytes, wrong } = found.seven ? stripParity(raw) : { bytes: raw, wrong: -1 };
    const bang = found.bang - found.start;
    if (wrong >= 0) this.#refuse('parity', wrong, raw, bytes.subarray(0, bang), found.offset);
    else if (found.checksum === -2 || (found.checksum >= 0 && !this.proves(found)))
      this.#refuse('crc', bang + 1, raw, bytes.subarray(0, bang), found.offset);
    else this.#read(bytes.subarray(0, bang), raw, found.offset, found.checksum >= 0);
  }

  unended(found: Found): void {
    const raw = keep(found);
    const { bytes, wrong } = found.seven ? stripParity(raw) : { bytes: raw, wrong: -1 };
    if (wrong < 0 && isWhole(bytes)) {
      const plan = this.#plan(bytes);
      // Only DSMR 2 and 3 have neither clock nor check sum, and only they may lack their end.
      if (plan && plan.list === undefined && plan.clock < 0 && plan.items.length > 0 && plan.flags.length === 0) {
        this.#read(bytes, raw, found.offset, false);
        return;
      }
    }
    this.#refuse('truncated', raw.length, raw, bytes, found.offset);
  }

  sealed(found: Found): boolean {
    const raw = found.bytes.subarray(found.start, found.end);
    const opened = this.#open(raw);
    if (opened === undefined) return false;
    const { plain, authenticated, title } = opened;
    const kept = keep(found);
    this.counters.frames++;
    this.#readSealed(plain, kept, found.offset, authenticated, title);
    return true;
  }

  unreadable(found: Found): void {
    const raw = keep(found);
    this.counters.sealed++;
    this.#empty(this.#hasKey(raw) ? 'wrongKey' : 'noKey', undefined, raw, 0);
  }

  drop(d: Drop): void {
    this.#drop(d);
    if (this.#options.bad && d.reason !== 'noise') this.#refused(d.reason, d.length, d.excerpt, d.excerpt, d.offset);
  }

  // --- good telegrams -----------------------------------------------------------------------------------------------

  /** `b`: up to before the exclamation mark; `raw`: as it came, with its end. */
  #read(b: Uint8Array, raw: Uint8Array, offset: number, checked: boolean, title?: string, extra?: Flag): void {
    const message = this.#learnt(b, raw, checked) ?? this.#byTheBook(b, raw, offset, checked);
    if (message === undefined) return;
    if (!checked) message.flags = message.flags.length === 0 ? CRC_MISSING : withFlag(message.flags, 'crcMissing');
    if (extra) message.addFlag(extra);
    if (title === undefined) this.counters.frames++;
    if (checked) this.#proven = true;
    this.#good(message, title);
  }

  #learnt(b: Uint8Array, raw: Uint8Array, checked: boolean): P1Message | undefined {
    const view = new DataView(b.buffer);
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i] as Plan;
      if (plan.length !== b.length || !fits(plan, b, view, 0)) continue;
      if (!checked && this.#lacks(plan)) return undefined;
      const message = runPlan(plan, b, 0, this.#origin, this.#clockNow(), this.#receipt(), raw, this.#stamp());
      if (message === undefined) continue;
      if (i > 0) this.#first(i);
      this.counters.learnt++;
      return message;
    }
    return undefined;
  }

  #byTheBook(b: Uint8Array, raw: Uint8Array, offset: number, checked: boolean): P1Message | undefined {
    const plan = this.#plan(b);
    if (plan === undefined || (plan.items.length === 0 && !checked)) {
      this.#refuse('telegram', 0, raw, EMPTY, offset);
      return undefined;
    }
    if (!checked && this.#lacks(plan)) {
      this.#refuse('crc', raw.length, raw, b, offset);
      return undefined;
    }
    for (const line of plan.junk)
      this.#drop({
        reason: 'line',
        offset: offset + line.start,
        length: line.end - line.start,
        excerpt: b.slice(line.start, Math.min(line.end, line.start + 64)),
      });
    const message = runPlan(plan, b, 0, this.#origin, this.#clockNow(), this.#receipt(), raw, this.#stamp());
    if (message !== undefined && plan.learnable && this.#capacity > 0) {
      this.#plans.unshift(plan);
      if (this.#plans.length > this.#capacity) this.#plans.pop();
    }
    return message;
  }

  /** Telegrams of this kind have a check sum on this port, so one without it has lost it. */
  #lacks(plan: Plan): boolean {
    return this.#proven && (plan.list !== undefined || plan.clock >= 0);
  }

  #plan(b: Uint8Array): Plan | undefined {
    try {
      return makePlan(b, this.#clockNow());
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      return undefined;
    }
  }

  #first(index: number): void {
    const [plan] = this.#plans.splice(index, 1) as [Plan];
    this.#plans.unshift(plan);
  }

  #good(message: P1Message, title: string | undefined): void {
    this.counters.good++;
    this.#sequence++;
    if (message.meterId !== undefined) {
      this.#lastMeterId = message.meterId;
      this.#lastTitle = title;
    } else if (this.#lastMeterId !== undefined && (this.#lastTitle === null || this.#lastTitle === title)) {
      message.meterId = this.#lastMeterId;
      message.addFlag('meterIdInherited');
    }
    if (this.#live && isClockWrong(this.#options, message.time, message.receivedAt)) message.addFlag('clockWrong');
    this.#sink.message(message);
  }

  // --- ciphered ones ------------------------------------------------------------------------------------------------

  #hasKey(raw: Uint8Array): boolean {
    return this.#options.crypto !== undefined && this.#candidates(raw.subarray(2, 10)).length > 0;
  }

  #candidates(title: Uint8Array): readonly KeyPair[] {
    const ring = this.#options.keys?.candidates(title, this.#lastMeterId) ?? [];
    // The key of the last message most likely opens this one too.
    return this.#lastKey && ring.length > 1 && ring.includes(this.#lastKey) ? [this.#lastKey, ...ring] : ring;
  }

  #open(raw: Uint8Array): { plain: Uint8Array; authenticated: boolean; title: string } | undefined {
    const { crypto } = this.#options;
    if (!crypto) return undefined;
    try {
      const envelope = decodeApdu(raw);
      if (envelope.type !== 'general-glo-ciphering') return undefined;
      const title = String.fromCharCode(...envelope.systemTitle);
      for (const pair of this.#candidates(envelope.systemTitle)) {
        // Without an authentication key the published one may prove the telegram yet.
        const tries = pair.authKey ? [pair] : [{ key: pair.key, authKey: LUXEMBOURG }, pair];
        for (const one of tries) {
          const opened = decipher(envelope, [one], crypto, undefined, looksLikeTelegram);
          if (!opened.ok) continue;
          const { plain, authenticated, control } = opened;
          if (!looksLikeTelegram(plain)) continue;
          this.#lastKey = pair;
          return { plain, authenticated: authenticated || !control.authenticated, title };
        }
      }
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
    }
    return undefined;
  }

  /** The plain text is a whole telegram, check sum included. */
  #readSealed(plain: Uint8Array, raw: Uint8Array, offset: number, authenticated: boolean, title: string): void {
    const bang = lastBang(plain);
    if (bang < 0) {
      this.#refuse('truncated', 0, raw, plain, offset);
      return;
    }
    const sent = checksumAt(plain, bang + 1, plain.length);
    const wrong = sent.value >= 0 && sent.value !== crc16Arc(plain, 0, bang + 1);
    const extra = authenticated ? undefined : ('notAuthenticated' as const);
    if (wrong) this.#refuse('crc', 0, raw, plain.subarray(0, bang), offset, extra);
    else this.#read(plain.subarray(0, bang), raw, offset, sent.value >= 0, title, extra);
  }

  // --- what is refused ----------------------------------------------------------------------------------------------

  /** `at` counts in `raw`; `b` is what may still be read of it. */
  #refuse(reason: string, at: number, raw: Uint8Array, b: Uint8Array, offset: number, extra?: Flag): void {
    this.#drop({ reason, offset, length: raw.length, excerpt: raw });
    if (this.#options.bad) this.#refused(reason, at, raw, b, offset, extra);
  }

  #drop(d: Drop): void {
    this.counters.dropped[d.reason] = (this.counters.dropped[d.reason] ?? 0) + 1;
    this.#sink.drop(d);
  }

  /** A message of what was refused, as far as it can be read. It teaches nothing. */
  #refused(reason: string, at: number, raw: Uint8Array, b: Uint8Array, offset: number, extra?: Flag): void {
    const error: MessageError = { reason, offset: Math.min(at, raw.length) };
    try {
      const clock = new PortClock(this.#options.zone);
      const plan = makePlan(b, clock);
      const stamp = `${reason}@${offset}`;
      const message = runPlan(plan, b, 0, this.#origin, clock, this.#receipt(), raw, stamp);
      if (message !== undefined && plan.items.length > 0) {
        message.error = error;
        message.addFlag(reason === 'truncated' || reason === 'length' ? 'truncated' : 'checksumBad');
        if (extra) message.addFlag(extra);
        this.#sink.message(message);
        return;
      }
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
    }
    this.#empty(reason, error.offset, raw, `${reason}@${offset}`);
  }

  /** A message that says nothing but why. */
  #empty(reason: string, at: number | undefined, raw: Uint8Array, stamp: number | string): void {
    const none = Number.NaN;
    const receipt = this.#receipt();
    const message = new P1Message(
      this.#origin,
      NOTHING,
      undefined,
      undefined,
      receipt,
      NO_FLAGS,
      [],
      raw,
      none,
      0,
      stamp,
      undefined,
    );
    message.error = at === undefined ? { reason } : { reason, offset: at };
    this.#sink.message(message);
  }

  // --- time ---------------------------------------------------------------------------------------------------------

  #receipt(): number {
    if (this.#receivedAt < 0) this.#receivedAt = this.#options.now();
    return this.#receivedAt;
  }

  #stamp(): number {
    return this.#live ? this.#receipt() : this.#sequence + 1;
  }

  /** On a live port the receiver's clock tells the two 02:30 of autumn apart where the meter does not mark them. */
  #clockNow(): PortClock {
    if (this.#live) this.#clock.after = this.#receipt() - OLDEST_STAMP;
    return this.#clock;
  }
}

/** The telegram's bytes in memory that stays. */
function keep({ bytes, start, end, owned }: Found): Uint8Array {
  return owned ? bytes.subarray(start, end) : bytes.slice(start, end);
}

const CR = 0x0d;
const LF = 0x0a;
const CLOSE = 0x29;

/** Whether the last line was sent to its end. */
function isWhole(b: Uint8Array): boolean {
  let at = b.length - 1;
  while (at > 0 && (b[at] === CR || b[at] === LF)) at--;
  return b[at] === CLOSE;
}

/** The exclamation mark that begins the last line. */
function lastBang(b: Uint8Array): number {
  let at = b.lastIndexOf(BANG);
  while (at > 0 && b[at - 1] !== CR && b[at - 1] !== LF) at = b.lastIndexOf(BANG, at - 1);
  return at > 0 ? at : -1;
}

/** A wrong key yields octets that are no text: the beginning and the first hundred tell. */
function looksLikeTelegram(plain: Uint8Array): boolean {
  if (plain[0] !== SLASH || plain.length < 8) return false;
  const to = Math.min(plain.length, 100);
  for (let i = 1; i < to; i++) {
    const c = plain[i] as number;
    if (c > 0x7e && c < 0xa0) return false;
    if (c < 0x20 && c !== CR && c !== LF && c !== 0x02) return false;
  }
  return true;
}
