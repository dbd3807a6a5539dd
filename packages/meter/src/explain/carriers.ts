/**
 * Cuts bytes of any layer into what carries: HDLC frames, M-Bus frames of wire and radio, wrapper datagrams, text of P1 and IEC
 * 62056-21, bare APDUs, bare values.
 *
 * Decides: how a layer is told from its first bytes when nobody says which it is. What begins like a frame and is none is
 * passed over up to the next beginning. Wireless frames begin with nothing of their own: they stand at the beginning, one behind
 * the other, and are believed by their CRCs or by everything in their heads. Left out: joining (conversation.ts), where text
 * begins (text.ts), and what the bytes mean.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { APDU, decodeApdu, decodeData, serviceOfCiphered, WRAPPER_HEADER } from '@amiable/dlms';
import { FLAG, type FrameLayout, layoutFrame } from '@amiable/hdlc';
import {
  controlName,
  decodeLongFrame,
  decodeWirelessFrame,
  LINK_HEADER,
  LONG_OVERHEAD,
  lengthOfA,
  longFrameAt,
  transportSegment,
} from '@amiable/mbus';
import { textAt } from './text.ts';

export type CarrierKind = 'hdlc' | 'mbus' | 'wmbus' | 'wrapper' | 'p1' | 'iec62056-21' | 'apdu' | 'data' | 'unknown';

export interface Carried {
  readonly kind: CarrierKind;
  readonly start: number;
  readonly end: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** HDLC: where the parts of the frame lie. */
  readonly layout?: FrameLayout;
  /** M-Bus transport of DLMS: more segments follow. Undefined where there is no such transport. */
  readonly more?: boolean | undefined;
  /** Unknown: what was tried, and where it failed. */
  readonly why?: string;
}

/** Carriers that one input is cut into. */
const MAX_CARRIERS = 20_000;

const PLAIN_TAGS: ReadonlySet<number> = new Set(Object.values(APDU));

/** Whether an APDU of any kind can begin with this byte. */
export function isApduTag(tag: number | undefined): boolean {
  return tag !== undefined && (PLAIN_TAGS.has(tag) || serviceOfCiphered(tag) !== undefined);
}

/**
 * Cuts `bytes`; every byte up to the last carrier belongs to one.
 * @param before what the conversation had last: a single character is an answer only there
 */
export function carriersOf(
  bytes: Uint8Array,
  only?: CarrierKind,
  most = MAX_CARRIERS,
  before?: CarrierKind,
): Carried[] {
  const found: Carried[] = [];
  let at = 0;
  while (at < bytes.length && found.length < Math.min(most, MAX_CARRIERS)) {
    const next = carrierAt(bytes, at, only, found.at(-1)?.kind ?? before);
    if (next) {
      found.push(next);
      at = next.end;
      continue;
    }
    const why = faultAt(bytes, at);
    let end = at + 1;
    while (end < bytes.length && (inFlags(bytes, end) || !beginningAt(bytes, end))) end++;
    found.push({ kind: 'unknown', start: at, end, payloadStart: at, payloadEnd: end, why });
    at = end;
  }
  return found;
}

function carrierAt(
  bytes: Uint8Array,
  at: number,
  only: CarrierKind | undefined,
  previous: CarrierKind | undefined,
): Carried | undefined {
  const whole = { start: at, end: bytes.length, payloadStart: at, payloadEnd: bytes.length } as const;
  switch (only) {
    case 'apdu':
    case 'data':
      return { kind: only, ...whole };
    case 'p1':
    case 'iec62056-21':
      return { ...(textCarrier(bytes, at, true) ?? whole), kind: only };
    case 'wmbus':
      return wirelessAt(bytes, at, true) ?? { kind: only, ...whole };
    case 'mbus':
      return linkAt(bytes, at, 'mbus') ?? shortAt(bytes, at, true);
    case 'hdlc':
    case 'wrapper':
      return linkAt(bytes, at, only);
    default:
  }
  const link = linkAt(bytes, at) ?? shortAt(bytes, at, previous === 'mbus');
  if (link) return link;
  const text = textCarrier(bytes, at, previous === 'iec62056-21');
  if (text) return text;
  if (at === 0 || previous === 'wmbus') {
    const wireless = wirelessAt(bytes, at, false);
    if (wireless) return wireless;
  }
  const sealed = sealedAt(bytes, at);
  if (sealed) return sealed;
  if (readsAsApdu(bytes.subarray(at))) return { kind: 'apdu', ...whole };
  if (readsAsData(bytes.subarray(at))) return { kind: 'data', ...whole };
  // Broken, but an APDU if anything: it is explained as far as it goes.
  return at === 0 && isApduTag(bytes[0]) && !linkFollows(bytes) ? { kind: 'apdu', ...whole } : undefined;
}

/** What an unknown stretch ends before. */
function beginningAt(bytes: Uint8Array, at: number): boolean {
  return linkAt(bytes, at) !== undefined || textCarrier(bytes, at, false) !== undefined;
}

function textCarrier(bytes: Uint8Array, at: number, follows: boolean): Carried | undefined {
  const text = textAt(bytes, at, follows, (i) => linkAt(bytes, i, 'hdlc') !== undefined);
  return text && { ...text, payloadStart: text.start, payloadEnd: text.end };
}

/** Whether something else begins within. */
function linkFollows(bytes: Uint8Array): boolean {
  for (let at = 1; at < bytes.length; at++) if (!inFlags(bytes, at) && beginningAt(bytes, at)) return true;
  return false;
}

/** Whether the flag here follows another: a run of flags was looked at as one from its first on. */
function inFlags(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === FLAG && bytes[at - 1] === FLAG;
}

function linkAt(bytes: Uint8Array, at: number, only?: CarrierKind): Carried | undefined {
  try {
    if (only !== 'mbus' && only !== 'wrapper' && (bytes[at] === FLAG || ((bytes[at] as number) & 0xf0) === 0xa0))
      return hdlcAt(bytes, at);
    // The end is looked at first: to try and fail takes long where 68 stands in every octet.
    if (
      (only === undefined || only === 'mbus') &&
      bytes[at] === 0x68 &&
      bytes[at + 3] === 0x68 &&
      bytes[at + (bytes[at + 1] as number) + 5] === 0x16
    )
      return mbusAt(bytes, at);
    if ((only === undefined || only === 'wrapper') && bytes[at] === 0 && bytes[at + 1] === 1)
      return wrapperAt(bytes, at);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  return undefined;
}

/** Control fields that short frames have: SND_NKE, REQ_UD1, REQ_UD2. */
export const SHORT_CONTROLS: ReadonlySet<number> = new Set([0x40, 0x5a, 0x7a, 0x5b, 0x7b]);

/** M-Bus frames without data: five octets, or one, which is taken for one only beside others. */
function shortAt(bytes: Uint8Array, at: number, beside: boolean): Carried | undefined {
  const frame = (length: number): Carried => ({
    kind: 'mbus',
    start: at,
    end: at + length,
    payloadStart: at + length,
    payloadEnd: at + length,
  });
  if (bytes[at] === 0xe5 && (beside || bytes.length === 1 || linkAt(bytes, at + 1, 'mbus'))) return frame(1);
  const control = bytes[at + 1] as number;
  const fits =
    bytes[at] === 0x10 &&
    bytes[at + 4] === 0x16 &&
    SHORT_CONTROLS.has(control) &&
    ((control + (bytes[at + 2] as number)) & 0xff) === bytes[at + 3];
  return fits ? frame(5) : undefined;
}

/** Octets that a stick puts behind a frame: quality and strength. */
const STICK_TAIL = 2;

function wirelessAt(bytes: Uint8Array, at: number, sure: boolean): Carried | undefined {
  const carried = (length: number): Carried => {
    const rest = bytes.length - at - length;
    const end = rest <= STICK_TAIL ? bytes.length : at + length;
    return { kind: 'wmbus', start: at, end, payloadStart: at, payloadEnd: at + length };
  };
  const l = bytes[at] as number;
  // C, M, A and a CI at least; a frame has a C field that frames have.
  if (l < LINK_HEADER || at + l >= bytes.length || (!sure && controlName(bytes[at + 1] as number) === undefined))
    return undefined;
  try {
    const { form, length } = decodeWirelessFrame(bytes.subarray(at, at + lengthOfA(l)));
    if (form !== 'bare' || sure) return carried(length);
    const rest = bytes.length - at - length;
    const follows = rest > STICK_TAIL ? bareHead(bytes, at + length) : rest >= 0;
    return follows && bareHead(bytes, at) ? carried(length) : undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

/** CI fields that meters send (EN 13757-7 table 2): M-Bus with and without headers, extended link, authentication, makers' own. */
function isMeterCi(ci: number): boolean {
  return (
    (ci >= 0x60 && ci <= 0x7f) || (ci >= 0x80 && ci <= 0x8f) || ci === 0x90 || (ci >= 0xa0 && ci <= 0xb7) || ci === 0xc0
  );
}

/** A frame that has lost its CRCs is believed when all of its head is possible: length, C, three letters of a maker, CI. */
function bareHead(bytes: Uint8Array, at: number): boolean {
  const l = bytes[at] as number;
  if (l < LINK_HEADER || at + l >= bytes.length || controlName(bytes[at + 1] as number) === undefined) return false;
  const maker = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  // Bit 15 says whether the address is the maker's or set later.
  const letters = [(maker >> 10) & 31, (maker >> 5) & 31, maker & 31];
  return letters.every((n) => n >= 1 && n <= 26) && isMeterCi(bytes[at + LINK_HEADER] as number);
}

/** One of several envelopes in a row (a ciphered P1 port says nothing else); a single one is found by its tag. */
function sealedAt(bytes: Uint8Array, at: number): Carried | undefined {
  if (bytes[at] !== APDU.generalGloCiphering || bytes[at + 1] !== 8) return undefined;
  const first = bytes[at + 10] as number;
  const more = first > 0x80 && first <= 0x84 ? first - 0x80 : 0;
  let length = more === 0 ? first : 0;
  for (let i = 0; i < more; i++) length = length * 256 + (bytes[at + 11 + i] ?? 0);
  const end = at + 11 + more + length;
  if (end >= bytes.length || bytes[end] !== APDU.generalGloCiphering || bytes[end + 1] !== 8) return undefined;
  return { kind: 'apdu', start: at, end, payloadStart: at, payloadEnd: end };
}

function hdlcAt(bytes: Uint8Array, at: number): Carried | undefined {
  let start = at;
  while (bytes[start] === FLAG) start++;
  if (start >= bytes.length) return undefined;
  const layout = layoutFrame(bytes, start, bytes.length);
  // Without flags two bytes are little to go by: the end must be the end of something.
  if (start === at && layout.end !== bytes.length && bytes[layout.end] !== FLAG) return undefined;
  const end = layout.end + (bytes[layout.end] === FLAG ? 1 : 0);
  return { kind: 'hdlc', start: at, end, payloadStart: layout.infoStart, payloadEnd: layout.infoEnd, layout };
}

function mbusAt(bytes: Uint8Array, at: number): Carried {
  const own = bytes.subarray(at, at + (bytes[at + 1] as number) + LONG_OVERHEAD);
  const frame = longFrameOf(own);
  const segment = transportSegment(frame);
  const end = at + frame.raw.length;
  return {
    kind: 'mbus',
    start: at,
    end,
    payloadStart: at + 7 + (segment ? 2 : 0),
    payloadEnd: end - 2,
    more: segment && !segment.final,
  };
}

/** A frame whose check sum is wrong is one still: to see what it says is why it was pasted. */
function longFrameOf(own: Uint8Array): ReturnType<typeof decodeLongFrame> {
  try {
    return decodeLongFrame(own);
  } catch (error) {
    if (error instanceof DecodeError && error.reason === 'checksum') return longFrameAt(own, 0);
    throw error;
  }
}

function wrapperAt(bytes: Uint8Array, at: number): Carried | undefined {
  if (bytes.length - at < WRAPPER_HEADER) return undefined;
  const length = ((bytes[at + 6] as number) << 8) | (bytes[at + 7] as number);
  const payloadStart = at + WRAPPER_HEADER;
  if (length === 0 || !isApduTag(bytes[payloadStart])) return undefined;
  const end = Math.min(bytes.length, payloadStart + length);
  return { kind: 'wrapper', start: at, end, payloadStart, payloadEnd: end };
}

function readsAsApdu(bytes: Uint8Array): boolean {
  return reads(() => decodeApdu(bytes));
}

function readsAsData(bytes: Uint8Array): boolean {
  return reads(() => {
    const reader = new Reader(bytes);
    decodeData(reader);
    if (reader.remaining > 0) throw new DecodeError('trailing', 'bytes follow the value', reader.pos);
  });
}

function reads(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** The best of what can be said against each reading of these bytes. */
function faultAt(bytes: Uint8Array, at: number): string {
  const tries: (() => unknown)[] = [];
  if (bytes[at] === FLAG || ((bytes[at] as number) & 0xf0) === 0xa0)
    tries.push(() => {
      let start = at;
      while (bytes[start] === FLAG) start++;
      layoutFrame(bytes, start, bytes.length);
    });
  if (bytes[at] === 0x68) tries.push(() => decodeLongFrame(bytes.subarray(at)));
  if (isApduTag(bytes[at])) tries.push(() => decodeApdu(bytes.subarray(at)));
  for (const attempt of tries) {
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return error.message;
    }
  }
  return 'no frame, APDU or value begins here';
}
