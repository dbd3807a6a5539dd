/**
 * Reads the customer port (HAN, P1 in its DLMS form) of a meter: bytes in, canonical messages out.
 *
 * What it decides: which link is spoken (HDLC, M-Bus long frames, or APDUs without a link; the first good frame tells),
 * how frames become APDUs (assembly.ts), which key opens them, whose message it is when it does not say, and whether
 * the meter's clock can be believed. Nothing is dropped silently: refused bytes are `Drop`s, what no key opens is a
 * message with an error and its bytes. What the lists mean is package push.
 *
 * It keeps no reference to a chunk that was pushed: the caller may reuse its buffer.
 */
import { DecodeError, type Drop } from '@amiable/bytes';
import {
  APDU,
  type Crypto,
  decipher,
  decodeApdu,
  type GeneralCiphering,
  type KeyPair,
  type KeyRing,
} from '@amiable/dlms';
import { createHdlcScanner } from '@amiable/hdlc';
import { createMbusReceiver, transportSegment } from '@amiable/mbus';
import {
  type Flag,
  type Item,
  isClockWrong,
  type MessageError,
  type PortCounters,
  type PortDecoder,
  type PortOptions,
  type PortSink,
  type Value,
} from '@amiable/model';
import { createPushDecoder, makerOf, type PushDecoder, PushMessage } from '@amiable/push';
import { createAssembly, llcLength, MAX_APDU } from './assembly.ts';
import { BareCollector, lengthOfApdu } from './bare.ts';
import { RawKeeper } from './raw-keeper.ts';
import { offsetInRaw, refusedFrameAt } from './refused.ts';

export type HanLink = 'hdlc' | 'mbus' | 'apdu';

export interface HanReaderOptions extends PortOptions {
  readonly keys?: KeyRing | undefined;
  readonly crypto?: Crypto | undefined;
  /** Id that a message on this port showed last, where the caller kept it over a restart. */
  readonly knownMeter?: string | undefined;
  /** Forces the link; it is detected unless said. */
  readonly protocol?: HanLink | undefined;
}

export type HanSink = PortSink;
export type HanCounters = PortCounters;

export interface HanReader extends PortDecoder {
  /** Undefined until the first good frame. */
  readonly link: HanLink | undefined;
}

const EMPTY = new Uint8Array(0);
const NO_FLAGS: readonly Flag[] = [];
const NO_ITEMS: readonly Item[] = [];
const NO_VALUES: readonly Value[] = [];
const INHERITED: readonly Flag[] = ['meterIdInherited'];
/** Reasons that mean a whole frame was refused, not noise between frames. */
const REFUSED = new Set(['hcs', 'fcs', 'checksum', 'truncated']);
/** Security control and invocation counter: the plain text stands in the place of the octets behind them. */
const SECURITY_HEAD = 5;
const HALF = MAX_APDU / 2;
/** Drops kept until the link is known. */
const MAX_EARLY = 256;

/** Two meters on one line may be told apart by it, where one ciphers. */
function sameTitle(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function createHanReader(options: HanReaderOptions, sink: HanSink): HanReader {
  const { now, keys, crypto, live = false, maxClockError, bad = false } = options;
  const origin = { reader: options.reader, port: options.port };
  const pushDecoder = (layouts?: number) =>
    createPushDecoder({
      ...origin,
      live,
      ...(options.zone === undefined ? {} : { zone: options.zone }),
      ...(layouts === undefined ? {} : { layouts }),
    });
  const decoder = pushDecoder();
  /** Apart, so that damaged bytes teach nothing. */
  let refusedDecoder: PushDecoder | undefined;
  const counters: HanCounters = { bytes: 0, frames: 0, good: 0, sealed: 0, dropped: {}, noise: 0 };
  let link = options.protocol;
  const keeper = new RawKeeper();
  let receivedAt = -1;
  let lastMeterId = options.knownMeter;
  /** System title under which that meter spoke, undefined in the clear; null while nobody has spoken. */
  let lastTitle: Uint8Array | undefined | null = null;
  let lastKey: KeyPair | undefined;
  /** While the link is unknown: what each scanner threw away, and the first bytes in case they are a bare APDU. */
  let early: { hdlc: Drop[]; mbus: Drop[] } | undefined = link ? undefined : { hdlc: [], mbus: [] };
  let bare = link === undefined || link === 'apdu' ? new BareCollector() : undefined;

  const assembly = createAssembly((reason, raw, offset) => refuse(reason, 0, raw, offset));

  // --- frames ---------------------------------------------------------------------------------------------------

  const hdlc = createHdlcScanner(
    {
      frame(buf, start, infoStart, infoEnd, offset) {
        if (link !== 'hdlc' && !take('hdlc')) return;
        counters.frames++;
        if (infoEnd === infoStart) return;
        const more = ((buf[start] as number) & 0x08) !== 0;
        const raw = keeper.frame(buf, start, infoEnd + 2);
        if (!more && !assembly.open) {
          const at = infoStart + llcLength(buf, infoStart, infoEnd);
          const tag = buf[at];
          if (tag === APDU.dataNotification) {
            notification(buf.subarray(at, infoEnd), raw, offset - 1);
            return;
          }
          if (tag === APDU.generalGloCiphering || tag === APDU.generalDedCiphering) {
            apdu(buf.subarray(at, infoEnd), raw, offset - 1);
            return;
          }
        }
        const payload = raw.subarray(1 + infoStart - start, 1 + infoEnd - start);
        const whole = assembly.push(payload, more, raw, offset - 1);
        if (whole) apdu(whole.apdu, whole.raw, whole.offset);
      },
      drop(d) {
        if (link === 'hdlc') refusedFrame(d);
        else early?.hdlc.push(d);
      },
    },
    { refused: bad },
  );

  let nextSegment = 0;
  const mbus = createMbusReceiver({
    frame(f, offset) {
      const head = transportSegment(f);
      if (link !== 'mbus' && !(head && take('mbus'))) return;
      counters.frames++;
      const raw = f.raw.slice();
      if (!head) {
        refuse('ci', 6, raw, offset);
        return;
      }
      const due = head.sequence === 0 ? 0 : nextSegment;
      if (head.sequence !== due || due === 0) assembly.abandon();
      nextSegment = head.final || head.sequence !== due ? 0 : (head.sequence + 1) & 0x0f;
      if (head.sequence !== due) {
        refuse('segment', 0, raw, offset);
        return;
      }
      const payload = raw.subarray(raw.length - 2 - head.data.length, raw.length - 2);
      const whole = assembly.push(payload, !head.final, raw, offset);
      if (whole) apdu(whole.apdu, whole.raw, whole.offset);
    },
    drop(d) {
      if (link === 'mbus') refusedFrame(d);
      else early?.mbus.push(d);
    },
  });

  /** The first good frame decides the link. */
  function take(found: 'hdlc' | 'mbus'): boolean {
    if (link !== undefined || !early) return false;
    link = found;
    bare = undefined;
    const before = early[found];
    early = undefined;
    for (const d of before) refusedFrame(d);
    return true;
  }

  // --- APDUs ----------------------------------------------------------------------------------------------------

  function apdu(bytes: Uint8Array, raw: Uint8Array, offset: number): void {
    if (bytes[0] === APDU.dataNotification) {
      notification(bytes, raw, offset);
      return;
    }
    try {
      const envelope = decodeApdu(bytes);
      if (envelope.type === 'general-glo-ciphering' || envelope.type === 'general-ded-ciphering')
        sealed(envelope, bytes.length - envelope.content.length, raw, offset);
      else refuseApdu('apdu', 0, raw, offset);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      refuseApdu(e.reason, e.offset, raw, offset);
    }
  }

  function notification(bytes: Uint8Array, raw: Uint8Array, offset: number): void {
    let message: PushMessage;
    try {
      message = decoder.decode(bytes, receipt(), raw);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      refuseApdu(e.reason, e.offset, raw, offset);
      return;
    }
    good(message);
  }

  /** `contentAt`: where the ciphered content begins in the APDU. */
  function sealed(envelope: GeneralCiphering, contentAt: number, raw: Uint8Array, offset: number): void {
    const ring = keys?.candidates(envelope.systemTitle, lastMeterId) ?? [];
    // The key of the last message most likely opens this one too.
    const tries = lastKey && ring.length > 1 && ring.includes(lastKey) ? [lastKey, ...ring] : ring;
    const opened = crypto ? decipher(envelope, tries, crypto) : ({ ok: false, reason: 'noKey' } as const);
    if (!opened.ok) {
      unreadable(opened.reason, envelope, raw);
      return;
    }
    const { plain, authenticated } = opened;
    const plainAt = contentAt + SECURITY_HEAD;
    if (plain[0] !== APDU.dataNotification) {
      refuseApdu('apdu', plainAt, raw, offset);
      return;
    }
    let message: PushMessage;
    try {
      message = decoder.decode(plain, receipt(), raw);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      // Where no tag could be checked a wrong key shows only in that nothing makes sense.
      if (authenticated) refuseApdu(e.reason, plainAt + e.offset, raw, offset);
      else unreadable('wrongKey', envelope, raw);
      return;
    }
    lastKey = opened.key;
    if (message.maker === undefined) message.maker = makerOf(envelope.systemTitle) as string;
    if (opened.control.authenticated && !authenticated) message.addFlag('notAuthenticated');
    good(message, envelope.systemTitle);
  }

  // --- messages -------------------------------------------------------------------------------------------------

  function receipt(): number {
    if (receivedAt < 0) receivedAt = now();
    return receivedAt;
  }

  function good(message: PushMessage, title?: Uint8Array): void {
    counters.good++;
    if (message.meterId !== undefined) {
      lastMeterId = message.meterId;
      lastTitle = title?.slice();
    } else if (lastMeterId !== undefined && (lastTitle === null || sameTitle(title, lastTitle))) {
      message.meterId = lastMeterId;
      if (message.flags.length === 0) message.flags = INHERITED;
      else message.addFlag('meterIdInherited');
    }
    if (live && isClockWrong({ live, maxClockError }, message.time, receipt())) message.addFlag('clockWrong');
    sink.message(message);
  }

  /** A message that says nothing but why. */
  function empty(
    reason: string,
    at: number | undefined,
    maker: string | undefined,
    raw: Uint8Array,
    stamp: number,
  ): void {
    const head = { maker, list: undefined, meterType: undefined };
    const message = new PushMessage(
      origin,
      head,
      undefined,
      undefined,
      receipt(),
      NO_FLAGS,
      NO_ITEMS,
      NO_VALUES,
      undefined,
      raw,
      Number.NaN,
      0,
      stamp,
    );
    message.error = at === undefined ? { reason } : { reason, offset: at };
    sink.message(message);
  }

  /** No key opens it. Its invocation counter makes its bytes, and so its id, unlike all others. */
  function unreadable(reason: 'noKey' | 'wrongKey', envelope: GeneralCiphering, raw: Uint8Array): void {
    counters.sealed++;
    empty(reason, undefined, makerOf(envelope.systemTitle), raw, 0);
  }

  // --- what is refused ------------------------------------------------------------------------------------------

  /** A refused frame or noise, as the link tells it. */
  function refusedFrame(d: Drop): void {
    counters.dropped[d.reason] = (counters.dropped[d.reason] ?? 0) + 1;
    sink.drop(d);
    assembly.interrupted();
    if (!bad || d.excerpt.length < d.length || !REFUSED.has(d.reason)) return;
    const raw = link === 'mbus' ? d.excerpt : keeper.frame(d.excerpt, 0, d.excerpt.length);
    const { at, apdu: plain } = refusedFrameAt(raw, link === 'mbus' ? 'mbus' : 'hdlc', d.reason);
    if (plain && refusedNotification(raw.subarray(plain.start, plain.end), raw, { reason: d.reason, offset: at }))
      return;
    empty(d.reason, at, undefined, raw, d.offset);
  }

  /** A frame that its check sum refused, but whose content still parses. */
  function refusedNotification(bytes: Uint8Array, raw: Uint8Array, error: MessageError): boolean {
    try {
      refusedDecoder ??= pushDecoder(0);
      const message = refusedDecoder.decode(bytes, receipt(), raw, true);
      message.error = error;
      message.addFlag('checksumBad');
      sink.message(message);
      return true;
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      return false;
    }
  }

  /** The content of good frames is not what it should be, from octet `at` of its APDU on. */
  function refuseApdu(reason: string, at: number, raw: Uint8Array, offset: number): void {
    refuse(reason, bad ? offsetInRaw(raw, at) : 0, raw, offset);
  }

  /** Good frames of no use. `at` counts in `raw`. */
  function refuse(reason: string, at: number, raw: Uint8Array, offset: number): void {
    counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
    sink.drop({ reason, offset, length: raw.length, excerpt: raw });
    if (bad) empty(reason, at, undefined, raw, offset);
  }

  // --- APDUs without a link -------------------------------------------------------------------------------------

  function collectBare(bytes: Uint8Array): void {
    for (let at = 0; bare && at < bytes.length; at += HALF) {
      const piece = bytes.subarray(at, at + HALF);
      if (!bare.add(piece)) {
        bareApdus(false);
        if (link === undefined || !bare.add(piece)) bare = undefined;
      }
      if (link === undefined && !bare?.plausible) bare = undefined;
    }
  }

  function bareApdus(final: boolean): void {
    const bytes = bare?.take() ?? EMPTY;
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at);
      const length = lengthOfApdu(rest, decoder, receipt());
      if (length === 0 && link === undefined) return;
      if (length === 0 && !final && rest.length <= HALF) {
        // Its end is still to come.
        bare?.add(rest);
        return;
      }
      link = 'apdu';
      early = undefined;
      const raw = length > 0 ? rest.subarray(0, length) : rest;
      at += raw.length;
      counters.frames++;
      const whole = assembly.push(raw, false, raw, counters.bytes - rest.length);
      if (whole) apdu(whole.apdu, whole.raw, whole.offset);
    }
  }

  /** So much noise without a frame: tell it as it is. */
  function boundEarly(): void {
    if (!early) return;
    for (const d of early.hdlc.splice(0, Math.max(0, early.hdlc.length - MAX_EARLY))) refusedFrame(d);
    early.mbus.splice(0, Math.max(0, early.mbus.length - MAX_EARLY));
  }

  function settle(): void {
    receivedAt = -1;
    if (link === undefined || link === 'apdu') bareApdus(true);
  }

  return {
    get link() {
      return link;
    },
    counters,
    push(bytes) {
      if (bytes.length === 0) return;
      counters.bytes += bytes.length;
      receivedAt = -1;
      keeper.begin(bytes);
      collectBare(bytes);
      if (link === undefined || link === 'hdlc') hdlc.push(bytes);
      if (link === undefined || link === 'mbus') mbus.push(bytes);
      keeper.end();
      counters.noise = (link === 'mbus' ? mbus : hdlc).counters.noise;
      if (early) boundEarly();
    },
    idle() {
      if (link === undefined || link === 'hdlc') hdlc.idle();
      if (link === undefined || link === 'mbus') mbus.idle();
      settle();
      assembly.abandon();
    },
    end() {
      if (link === undefined || link === 'hdlc') hdlc.end();
      if (link === undefined || link === 'mbus') mbus.end();
      settle();
      assembly.abandon();
      if (link === undefined && early) for (const d of early.hdlc) refusedFrame(d);
      early = undefined;
    },
  };
}
