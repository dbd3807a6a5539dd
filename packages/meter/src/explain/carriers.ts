/**
 * Cuts bytes of any layer into what carries: HDLC frames, M-Bus long frames, wrapper datagrams, bare APDUs, bare values.
 *
 * Decides: how a layer is told from its first bytes when nobody says which it is. What begins like a frame and is none is
 * passed over up to the next beginning. Left out: joining (conversation.ts) and what the bytes mean.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { APDU, decodeApdu, decodeData, serviceOfCiphered, WRAPPER_HEADER } from '@amiable/dlms';
import { FLAG, type FrameLayout, layoutFrame } from '@amiable/hdlc';
import { decodeLongFrame, LONG_OVERHEAD, transportSegment } from '@amiable/mbus';

export type CarrierKind = 'hdlc' | 'mbus' | 'wrapper' | 'apdu' | 'data' | 'unknown';

export interface Carried {
  readonly kind: CarrierKind;
  readonly start: number;
  readonly end: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** HDLC: where the parts of the frame lie. */
  readonly layout?: FrameLayout;
  /** M-Bus transport: more segments follow. */
  readonly more?: boolean;
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

/** Cuts `bytes`; every byte up to the last carrier belongs to one. */
export function carriersOf(bytes: Uint8Array, only?: CarrierKind, most = MAX_CARRIERS): Carried[] {
  const found: Carried[] = [];
  let at = 0;
  while (at < bytes.length && found.length < Math.min(most, MAX_CARRIERS)) {
    const next = carrierAt(bytes, at, only);
    if (next) {
      found.push(next);
      at = next.end;
      continue;
    }
    const why = faultAt(bytes, at);
    let end = at + 1;
    while (end < bytes.length && (inFlags(bytes, end) || !linkAt(bytes, end))) end++;
    found.push({ kind: 'unknown', start: at, end, payloadStart: at, payloadEnd: end, why });
    at = end;
  }
  return found;
}

function carrierAt(bytes: Uint8Array, at: number, only: CarrierKind | undefined): Carried | undefined {
  const link = only === 'apdu' || only === 'data' ? undefined : linkAt(bytes, at);
  if (link && (only === undefined || link.kind === only)) return link;
  const whole = { start: at, end: bytes.length, payloadStart: at, payloadEnd: bytes.length } as const;
  if (only === 'apdu' || only === 'data') return { kind: only, ...whole };
  if (only !== undefined) return undefined;
  if (readsAsApdu(bytes.subarray(at))) return { kind: 'apdu', ...whole };
  if (readsAsData(bytes.subarray(at))) return { kind: 'data', ...whole };
  // Broken, but an APDU if anything: it is explained as far as it goes.
  return at === 0 && isApduTag(bytes[0]) && !linkFollows(bytes) ? { kind: 'apdu', ...whole } : undefined;
}

function linkFollows(bytes: Uint8Array): boolean {
  for (let at = 1; at < bytes.length; at++) if (!inFlags(bytes, at) && linkAt(bytes, at)) return true;
  return false;
}

/** Whether the flag here follows another: a run of flags was looked at as one from its first on. */
function inFlags(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === FLAG && bytes[at - 1] === FLAG;
}

function linkAt(bytes: Uint8Array, at: number): Carried | undefined {
  try {
    if (bytes[at] === FLAG || ((bytes[at] as number) & 0xf0) === 0xa0) return hdlcAt(bytes, at);
    // The end is looked at first: to try and fail takes long where 68 stands in every octet.
    if (bytes[at] === 0x68 && bytes[at + 3] === 0x68 && bytes[at + (bytes[at + 1] as number) + 5] === 0x16)
      return mbusAt(bytes, at);
    if (bytes[at] === 0 && bytes[at + 1] === 1) return wrapperAt(bytes, at);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  return undefined;
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
  const frame = decodeLongFrame(bytes.subarray(at, at + (bytes[at + 1] as number) + LONG_OVERHEAD));
  const segment = transportSegment(frame);
  const end = at + frame.raw.length;
  return {
    kind: 'mbus',
    start: at,
    end,
    payloadStart: at + 7 + (segment ? 2 : 0),
    payloadEnd: end - 2,
    more: segment !== undefined && !segment.final,
  };
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
