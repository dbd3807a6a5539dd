/**
 * Where in the bytes on the wire the fault of something refused was seen, so that a person finds it there, whatever
 * layers lie between. For refused messages only, which somebody asked to see: not for speed.
 */
import { DecodeError } from '@amiable/bytes';
import { APDU } from '@amiable/dlms';
import { layoutFrame } from '@amiable/hdlc';
import { LONG_OVERHEAD, longFrameAt, transportSegment } from '@amiable/mbus';
import { llcLength } from './assembly.ts';
import { readWire } from './wire.ts';

/**
 * Place in the raw bytes of octet `at` of the APDU that its frames carry. The first octet when blocks are around the APDU:
 * they have heads of their own.
 */
export function offsetInRaw(raw: Uint8Array, at: number): number {
  const { carriers } = readWire(raw);
  const first = carriers[0];
  if (!first || raw[first.payloadStart] === APDU.generalBlockTransfer) return 0;
  let before = 0;
  for (const { payloadStart, payloadEnd } of carriers) {
    const length = payloadEnd - payloadStart;
    if (at < before + length) return payloadStart + at - before;
    before += length;
  }
  return carriers.at(-1)?.payloadEnd ?? raw.length;
}

export interface RefusedFrame {
  /** Where the fault shows: the check sum that is wrong, or the end of what is there. */
  readonly at: number;
  /** The plain notification in it; undefined when there is none, or only a part of one. */
  readonly apdu: { readonly start: number; readonly end: number } | undefined;
}

/** Looks into a frame that its link refused for `reason`. */
export function refusedFrameAt(raw: Uint8Array, link: 'hdlc' | 'mbus', reason: string): RefusedFrame {
  try {
    return link === 'mbus' ? refusedLongFrame(raw, reason) : refusedHdlc(raw, reason);
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    return { at: Math.min(e.offset, raw.length), apdu: undefined };
  }
}

function refusedHdlc(raw: Uint8Array, reason: string): RefusedFrame {
  const { headerEnd, infoStart, infoEnd } = layoutFrame(raw, 1, raw.length);
  const start = infoStart + llcLength(raw, infoStart, infoEnd);
  return { at: reason === 'hcs' ? headerEnd : infoEnd, apdu: notificationIn(raw, start, infoEnd) };
}

function refusedLongFrame(raw: Uint8Array, reason: string): RefusedFrame {
  if (reason !== 'checksum' || raw.length < LONG_OVERHEAD + 3) return { at: raw.length, apdu: undefined };
  const end = raw.length - 2;
  const segment = transportSegment(longFrameAt(raw, 0));
  const alone = segment?.final === true && segment.sequence === 0;
  return { at: end, apdu: alone ? notificationIn(raw, end - segment.data.length, end) : undefined };
}

const notificationIn = (raw: Uint8Array, start: number, end: number) =>
  raw[start] === APDU.dataNotification ? { start, end } : undefined;
