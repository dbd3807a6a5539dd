/**
 * Takes the stored bytes of one message apart again: the frames that carried it, the payload of each, the APDU that they
 * make. For those who look at one message at leisure (explanation, key questions); streams are reader.ts.
 */
import { DecodeError } from '@amiable/bytes';
import { APDU, createBlockJoiner, decodeApdu } from '@amiable/dlms';
import { FLAG, layoutFrame } from '@amiable/hdlc';
import { decodeLongFrame, transportSegment } from '@amiable/mbus';
import { isPushTag, llcLength } from './assembly.ts';

export interface Carrier {
  readonly kind: 'hdlc' | 'mbus' | 'bare';
  /** The frame in the raw bytes, flags included. */
  readonly start: number;
  readonly end: number;
  /** What it carries, without link and LLC headers. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly llc: boolean;
}

export interface Wire {
  readonly carriers: readonly Carrier[];
  /** Undefined when the pieces do not make one. */
  readonly apdu: Uint8Array | undefined;
  /** Where the APDU lies in the raw bytes, when it lies there in one piece. */
  readonly apduAt: number | undefined;
  /** From here on nothing could be made of the bytes. */
  readonly end: number;
}

const MAX_CARRIERS = 1024;

export function readWire(raw: Uint8Array): Wire {
  const carriers: Carrier[] = [];
  let at = 0;
  while (at < raw.length && carriers.length < MAX_CARRIERS) {
    const next = carrierAt(raw, at);
    if (!next) break;
    carriers.push(next);
    at = next.end;
  }
  const only = carriers.length === 1 ? carriers[0] : undefined;
  const joined = join(raw, carriers);
  if (joined[0] !== APDU.generalBlockTransfer) {
    const apdu = isPushTag(joined[0]) ? joined : undefined;
    return { carriers, apdu, apduAt: apdu && only?.payloadStart, end: at };
  }
  return { carriers, apdu: unblock(raw, carriers), apduAt: undefined, end: at };
}

function carrierAt(raw: Uint8Array, at: number): Carrier | undefined {
  try {
    if (raw[at] === 0x68) {
      const frame = decodeLongFrame(raw.subarray(at, at + (raw[at + 1] ?? 0) + 6));
      const payloadStart = at + 7 + (transportSegment(frame) ? 2 : 0);
      const end = at + frame.raw.length;
      return { kind: 'mbus', start: at, end, payloadStart, payloadEnd: end - 2, llc: false };
    }
    let start = at;
    while (raw[start] === FLAG) start++;
    if ((start > at || ((raw[at] as number) & 0xf0) === 0xa0) && start < raw.length) {
      const layout = layoutFrame(raw, start, raw.length);
      const llc = llcLength(raw, layout.infoStart, layout.infoEnd);
      const end = layout.end + (raw[layout.end] === FLAG ? 1 : 0);
      return {
        kind: 'hdlc',
        start: at,
        end,
        payloadStart: layout.infoStart + llc,
        payloadEnd: layout.infoEnd,
        llc: llc > 0,
      };
    }
    if (at === 0 && isPushTag(raw[0]))
      return { kind: 'bare', start: 0, end: raw.length, payloadStart: 0, payloadEnd: raw.length, llc: false };
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
  }
  return undefined;
}

function join(raw: Uint8Array, carriers: readonly Carrier[]): Uint8Array {
  const out = new Uint8Array(carriers.reduce((n, c) => n + c.payloadEnd - c.payloadStart, 0));
  let at = 0;
  for (const c of carriers) {
    out.set(raw.subarray(c.payloadStart, c.payloadEnd), at);
    at += c.payloadEnd - c.payloadStart;
  }
  return out;
}

function unblock(raw: Uint8Array, carriers: readonly Carrier[]): Uint8Array | undefined {
  const blocks = createBlockJoiner();
  try {
    for (const c of carriers) {
      const block = decodeApdu(raw.subarray(c.payloadStart, c.payloadEnd));
      if (block.type !== 'general-block-transfer') return undefined;
      const whole = blocks.push(block);
      if (whole) return whole;
    }
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
  }
  return undefined;
}

/** The system title that a ciphered message names in the clear; undefined when it is not ciphered or names none. */
export function systemTitleOf(raw: Uint8Array): Uint8Array | undefined {
  const { apdu } = readWire(raw);
  if (apdu?.[0] !== APDU.generalGloCiphering && apdu?.[0] !== APDU.generalDedCiphering) return undefined;
  return apdu[1] === 8 && apdu.length > 10 ? apdu.slice(2, 10) : undefined;
}
