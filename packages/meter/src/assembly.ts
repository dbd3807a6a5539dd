/**
 * From the payloads of frames to whole APDUs. A meter cuts a long APDU in one of three ways: HDLC segments (the bit in the
 * format field), segments of the M-Bus transport layer, or general block transfer inside whole frames.
 *
 * What it decides: a payload that begins with the LLC header E6 E7 00 (IEC 62056-46 clause 5.4; E6 E6 00 in the other
 * direction) starts an APDU, whatever was being joined; without it a payload continues what is being joined, or is an
 * APDU by itself. A piece that was lost makes the rest of its APDU worthless. Sizes are bounded. Left out: block
 * transfer with confirmation, which a port that only sends cannot have.
 */
import { DecodeError } from '@amiable/bytes';
import { APDU, createBlockJoiner, decodeApdu } from '@amiable/dlms';

/** Largest APDU that is joined. */
export const MAX_APDU = 65_536;
/** Raw octets kept for one message: the APDU and the frames around its pieces. */
const MAX_RAW = 2 * MAX_APDU;

export interface Whole {
  readonly apdu: Uint8Array;
  /** The frames that carried it, flags included. */
  readonly raw: Uint8Array;
  /** Where the first of them began in the stream. */
  readonly offset: number;
}

export interface Assembly {
  /** Takes one frame's payload, in memory that stays. `more`: the link says that further segments follow. */
  push(payload: Uint8Array, more: boolean, raw: Uint8Array, offset: number): Whole | undefined;
  /** Gives up what is being joined. */
  abandon(): void;
  /**
   * Something was lost on the line. HDLC segments carry no numbers, and those of two messages must never be joined; blocks
   * are numbered and may go on.
   */
  interrupted(): void;
  /** Whether something is being joined. */
  readonly open: boolean;
}

/** Hears of pieces that came to nothing: the frames, and why. */
export type Lost = (reason: string, raw: Uint8Array, offset: number) => void;

export function isPushTag(tag: number | undefined): boolean {
  return (
    tag === APDU.dataNotification ||
    tag === APDU.generalGloCiphering ||
    tag === APDU.generalDedCiphering ||
    tag === APDU.generalBlockTransfer
  );
}

/** Octets of the LLC header at buf[at]: 3 or 0. */
export function llcLength(buf: Uint8Array, at: number, end: number): 0 | 3 {
  return end - at >= 3 && buf[at] === 0xe6 && (buf[at + 1] === 0xe7 || buf[at + 1] === 0xe6) && buf[at + 2] === 0x00
    ? 3
    : 0;
}

export function createAssembly(lost: Lost): Assembly {
  let segments: Uint8Array[] = [];
  let segmentBytes = 0;
  let raws: Uint8Array[] = [];
  let rawBytes = 0;
  let rawOffset = 0;
  const blocks = createBlockJoiner(MAX_APDU);

  function reset(): void {
    segments = [];
    segmentBytes = 0;
    raws = [];
    rawBytes = 0;
    blocks.reset();
  }

  function lose(reason: string): undefined {
    if (raws.length === 0) return;
    const raw = joinParts(raws, rawBytes);
    reset();
    lost(reason, raw, rawOffset);
  }

  function keepRaw(raw: Uint8Array, offset: number): void {
    if (raws.length === 0) rawOffset = offset;
    rawBytes += raw.length;
    raws.push(raw);
  }

  function whole(apdu: Uint8Array): Whole {
    const done = { apdu, raw: joinParts(raws, rawBytes), offset: rawOffset };
    reset();
    return done;
  }

  /** The payload with the segments before it, once the last is there. */
  function joinSegment(payload: Uint8Array, more: boolean): Uint8Array | undefined {
    if (segments.length === 0 && !more) return payload;
    segmentBytes += payload.length;
    segments.push(payload);
    if (more) return undefined;
    const joined = joinParts(segments, segmentBytes);
    segments = [];
    segmentBytes = 0;
    return joined;
  }

  return {
    push(payload, more, raw, offset) {
      const llc = llcLength(payload, 0, payload.length);
      const starts = isPushTag(payload[llc]);
      if (segments.length > 0 && llc > 0 && starts) lose('segment');
      const continues = segments.length > 0;
      if (!continues && !starts) lose('segment');
      // Nothing else comes between the blocks of one APDU.
      if (!continues && blocks.waiting > 0 && payload[llc] !== APDU.generalBlockTransfer) lose('block');
      keepRaw(raw, offset);
      if (!continues && !starts) return lose('segment');
      if (rawBytes > MAX_RAW) return lose('limit');
      const apdu = joinSegment(continues ? payload : payload.subarray(llc), more);
      if (!apdu) return undefined;
      if (apdu[0] !== APDU.generalBlockTransfer) return whole(apdu);
      try {
        const block = decodeApdu(apdu);
        if (block.type !== 'general-block-transfer') return undefined;
        if (block.blockNumber === 1 && blocks.waiting > 0) {
          // A new start; only the frame just taken belongs to it.
          raws.pop();
          rawBytes -= raw.length;
          lose('block');
          keepRaw(raw, offset);
        }
        const joined = blocks.push(block);
        return joined && whole(joined);
      } catch (e) {
        if (!(e instanceof DecodeError)) throw e;
        return lose(e.reason);
      }
    },
    abandon() {
      lose('segment');
    },
    interrupted() {
      if (segments.length > 0) lose('segment');
    },
    get open() {
      return raws.length > 0;
    },
  };
}

/** One array of all parts; not a copy when there is but one. */
export function joinParts(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const out = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
