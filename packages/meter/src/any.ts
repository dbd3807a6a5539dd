/**
 * Reads a port whose protocol nobody has named: the bytes go to the decoders of all protocols until one of them has read a
 * message that only its protocol can explain; from then on they go to that one.
 *
 * Decides: what proves a protocol. A good message does, with two exceptions. P1 telegrams and read-outs of IEC 62056-21 look alike
 * (the one grew out of the other), so the codes of the first data line decide between them. A sealed message proves its
 * protocol only if a frame with a check sum carried it. Until something is proven nothing is lost: what each decoder said
 * waits, bounded, and is told when the choice has fallen; at the end of the stream the most plausible one is believed. Sealed messages do not
 * wait, since their key may come another day.
 */
import type { Drop } from '@amiable/bytes';
import type { Crypto, KeyRing } from '@amiable/dlms';
import { createReadoutDecoder } from '@amiable/iec62056-21';
import { createMbusDecoder, createWmbusDecoder, type MbusKeys } from '@amiable/mbus';
import {
  addCounters,
  type Message,
  newPortCounters,
  type PortCounters,
  type PortDecoder,
  type PortOptions,
  type PortSink,
} from '@amiable/model';
import { createP1Decoder } from '@amiable/p1';
import { createHanReader, type HanReader } from './reader.ts';

/** The first is believed first where several could be right. */
export const PORT_PROTOCOLS = ['han', 'p1', 'iec62056-21', 'mbus', 'wmbus'] as const;
export type PortProtocol = (typeof PORT_PROTOCOLS)[number];

export interface AnyReaderOptions extends PortOptions {
  readonly keys?: KeyRing | undefined;
  /** From `keys` unless given. */
  readonly mbusKeys?: MbusKeys | undefined;
  readonly crypto?: Crypto | undefined;
  /** Id that a message on this port showed last, where the caller kept it over a restart. */
  readonly knownMeter?: string | undefined;
  /** Id to give to a meter that never says its own (P1 in Sweden) where none is known. */
  readonly portMeter?: string | undefined;
  /** Forces the protocol. */
  readonly protocol?: PortProtocol | undefined;
}

export interface AnyReader extends PortDecoder {
  /** Undefined until it is known. */
  readonly protocol: PortProtocol | undefined;
  /** Forgets what was found: the line is another one from here on. */
  reset(): void;
}

/** Messages and drops that wait for the choice; older ones make room. */
const MAX_WAITING = 256;

/** Keys of M-Bus meters out of a ring that knows meters by their number. */
export function mbusKeysOf(keys: KeyRing): MbusKeys {
  return { candidates: (identification) => keys.candidates(undefined, identification).map((pair) => pair.key) };
}

function makeDecoder(protocol: PortProtocol, options: AnyReaderOptions, sink: PortSink): PortDecoder {
  const {
    keys,
    crypto,
    knownMeter,
    portMeter,
    mbusKeys = keys && mbusKeysOf(keys),
    protocol: _forced,
    ...port
  } = options;
  switch (protocol) {
    case 'han':
      return createHanReader({ ...port, keys, crypto, knownMeter }, sink);
    case 'p1':
      return createP1Decoder({ ...port, keys, crypto, knownMeter: knownMeter ?? portMeter }, sink);
    case 'iec62056-21':
      return createReadoutDecoder(port, sink);
    case 'mbus':
      return createMbusDecoder({ ...port, keys: mbusKeys }, sink);
    case 'wmbus':
      return createWmbusDecoder({ ...port, keys: mbusKeys }, sink);
  }
}

/** One octet in so many of a text may be none of a text (a check sum, what a line has spoilt). */
const STRANGEST = 12;
/** What was read says more than what was refused. */
const READ_WEIGHS = 1e6;
/** So many frames in a row without an octet between are no accident. */
const LONG_ROW = 8;
/** Octets of a read-out without identification that are no accident. */
const LONG_ENOUGH = 32;

const FULL_CODE = /(^|[\r\n])\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\(/;
const ANY_CODE = /(?:^|[\r\n])[\dA-Z][\w.:*&-]{2,24}\(/;
const LONGEST_LOOK = 400;

/** Which of the two text protocols a telegram is of: P1 gives codes as A-B:C.D.E, read-outs in any other way. */
export function textProtocol(raw: Uint8Array): 'p1' | 'iec62056-21' {
  let text = '';
  for (let i = 0; i < raw.length && text.length < LONGEST_LOOK; i++)
    text += String.fromCharCode((raw[i] as number) & 0x7f);
  const first = ANY_CODE.exec(text);
  // A read-out begins its data with STX; inside of an identification that octet is only a meter's odd escape.
  if (!first || text.includes('\n\x02') || text.includes('\r\x02')) return 'iec62056-21';
  const full = FULL_CODE.exec(text);
  return full !== null && full.index === first.index ? 'p1' : 'iec62056-21';
}

interface Candidate {
  readonly protocol: PortProtocol;
  readonly decoder: PortDecoder;
  readonly messages: Message[];
  readonly drops: Drop[];
  /** Good messages with nothing refused between them, and what was refused before the last. */
  row: number;
  refused: number;
}

export function createAnyReader(options: AnyReaderOptions, sink: PortSink): AnyReader {
  return new Detector(options, sink);
}

class Detector implements AnyReader {
  protocol: PortProtocol | undefined;
  readonly #options: AnyReaderOptions;
  readonly #sink: PortSink;
  #candidates: Candidate[] = [];
  #chosen: Candidate | undefined;
  /** What was counted before the line became another one. */
  #before: PortCounters = newPortCounters();

  constructor(options: AnyReaderOptions, sink: PortSink) {
    this.#options = options;
    this.#sink = sink;
    this.#begin();
  }

  #begin(): void {
    const { protocol } = this.#options;
    this.#candidates = (protocol ? [protocol] : PORT_PROTOCOLS).map((one) => this.#candidate(one));
    this.#chosen = undefined;
    this.protocol = undefined;
    if (protocol) this.#choose(this.#candidates[0] as Candidate);
  }

  #candidate(protocol: PortProtocol): Candidate {
    const sink: PortSink = {
      message: (m) => this.#message(candidate, m),
      drop: (d) => this.#drop(candidate, d),
    };
    const candidate: Candidate = {
      protocol,
      decoder: makeDecoder(protocol, this.#options, sink),
      messages: [],
      drops: [],
      row: 0,
      refused: 0,
    };
    return candidate;
  }

  #message(candidate: Candidate, m: Message): void {
    if (this.#chosen) {
      // Those not chosen have nothing to say any more.
      if (this.#chosen === candidate) this.#sink.message(m);
      return;
    }
    if (isOfOther(candidate, m)) return;
    const reason = m.error?.reason;
    if (reason === 'noKey' || reason === 'wrongKey') {
      if (isFramed(candidate)) this.#choose(candidate);
      else if (candidate.protocol !== 'han') return;
      this.#sink.message(m);
      return;
    }
    if (!m.error) {
      const refused = refusedSoFar(candidate.decoder.counters);
      candidate.row = refused === candidate.refused ? candidate.row + 1 : 1;
      candidate.refused = refused;
    }
    if (isProof(candidate, m)) {
      this.#choose(candidate);
      this.#sink.message(m);
      return;
    }
    if (candidate.messages.length >= MAX_WAITING) candidate.messages.shift();
    candidate.messages.push(m);
  }

  #drop(candidate: Candidate, d: Drop): void {
    if (this.#chosen) {
      if (this.#chosen === candidate) this.#sink.drop(d);
      return;
    }
    if (candidate.drops.length >= MAX_WAITING) candidate.drops.shift();
    candidate.drops.push(d);
  }

  #choose(candidate: Candidate): void {
    this.#chosen = candidate;
    this.protocol = candidate.protocol;
    for (const d of candidate.drops) this.#sink.drop(d);
    for (const m of candidate.messages) this.#sink.message(m);
    this.#candidates = [candidate];
  }

  push(bytes: Uint8Array): void {
    if (this.#chosen) this.#chosen.decoder.push(bytes);
    // All of them get the piece in which the choice falls: the one that is chosen has then had every byte.
    else for (const { decoder } of this.#candidates) decoder.push(bytes);
  }

  idle(): void {
    for (const { decoder } of this.#candidates) decoder.idle();
  }

  end(): void {
    for (const { decoder } of [...this.#candidates]) decoder.end();
    if (!this.#chosen) this.#choose(this.#mostPlausible());
  }

  /** Nothing is proven: whose frames, even if broken ones, explain most of the octets. */
  #mostPlausible(): Candidate {
    const rank = ({ protocol, decoder, messages, drops }: Candidate): number => {
      // Of wireless frames any octet may be the first.
      if (protocol === 'wmbus' && !isClean(decoder.counters)) return 0;
      const read = messages.reduce((octets, m) => octets + (m.items.length > 0 ? (m.raw?.length ?? 1) : 0), 0);
      const refused = drops.reduce((octets, d) => octets + (d.reason === 'noise' ? 0 : d.length), 0);
      return read * READ_WEIGHS + refused;
    };
    return this.#candidates.reduce((best, one) => (rank(one) > rank(best) ? one : best));
  }

  get counters(): PortCounters {
    const now = (this.#chosen ?? (this.#candidates[0] as Candidate)).decoder.counters;
    return this.#before.bytes === 0 ? now : addCounters(this.#before, now);
  }

  reset(): void {
    if (!this.#chosen) {
      const { drops, messages, decoder } = this.#mostPlausible();
      for (const d of drops) this.#sink.drop(d);
      // On a line with the wrong parity much seems to be something; on one where nothing else was heard it is.
      if (isClean(decoder.counters)) for (const m of messages) this.#sink.message(m);
    }
    this.#before = addCounters(this.#before, (this.#chosen ?? (this.#candidates[0] as Candidate)).decoder.counters);
    this.#begin();
  }
}

const isClean = ({ noise, dropped }: PortCounters): boolean => noise === 0 && Object.keys(dropped).length === 0;

function isFramed({ protocol, decoder }: Candidate): boolean {
  if (protocol === 'han') return (decoder as HanReader).link === 'hdlc' || (decoder as HanReader).link === 'mbus';
  return protocol === 'mbus';
}

/** Octets that belonged to nothing, and refused frames. */
function refusedSoFar({ noise, dropped }: PortCounters): number {
  let all = noise;
  for (const reason in dropped) all += dropped[reason] as number;
  return all;
}

function isProof({ protocol, row }: Candidate, m: Message): boolean {
  if (m.error || m.flags.includes('checksumBad') || m.flags.includes('truncated')) return false;
  // Wireless frames may come without check sums, and noise holds some that look whole: only a row of them is proof.
  if (protocol === 'wmbus') return row >= LONG_ROW;
  // So it is with data sets that nobody announced: `x(1)!` stands in every noise.
  if (protocol === 'iec62056-21' && m.raw !== undefined && ((m.raw[0] as number) & 0x7f) !== 0x2f)
    return m.raw.length >= LONG_ENOUGH || row >= LONG_ROW;
  return true;
}

/** A text that one of the two text protocols takes for its own though it is the other's. */
function isOfOther({ protocol }: Candidate, { raw }: Message): boolean {
  if (raw === undefined) return false;
  // A ciphered P1 telegram begins with no slash; nothing else is in such an envelope.
  if (protocol === 'p1') return ((raw[0] as number) & 0x7f) === 0x2f && textProtocol(raw) !== 'p1';
  if (protocol !== 'iec62056-21') return false;
  // Data without an identification are no P1 telegram, whatever their codes.
  return (((raw[0] as number) & 0x7f) === 0x2f && textProtocol(raw) === 'p1') || !isText(raw);
}

/** Nearly all of it printable: what looks like a read-out within the octets of something else is not. */
function isText(raw: Uint8Array): boolean {
  let strange = 0;
  for (let i = 0; i < raw.length; i++) {
    const c = (raw[i] as number) & 0x7f;
    // STX, ETX, CR, LF and padding.
    if (c < 0x20 && c !== 0x0d && c !== 0x0a && c !== 0x02 && c !== 0x03 && c !== 0) strange++;
  }
  return strange * STRANGEST <= raw.length;
}
