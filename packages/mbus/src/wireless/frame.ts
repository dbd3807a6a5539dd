/**
 * Frames of wireless M-Bus (EN 13757-4 clauses 12.3 to 12.5): formats A and B, their CRCs, and the first block.
 *
 * Decides: which form octets are in (A and B by their CRCs, else bare, as sticks hand them on), how long a frame of each form
 * is, and what the first block says. A bare frame has no check sum left; the radio has checked it. Leaves out: preambles and
 * line codes (line-code.ts), everything from the CI field on.
 *
 * L counts what follows it: in format A without the CRCs, in format B with them.
 */
import { crc16En13757, DecodeError, MisuseError } from '@amiable/bytes';

export type WirelessForm = 'A' | 'B' | 'bare';

/** L, C, M (2), A (6): the octets before the CI field. */
export const LINK_HEADER = 10;
const CRC = 2;
/** Data octets of every later block of format A. */
const BLOCK_A = 16;
/** The first two blocks of format B together, CRC included. */
const HEAD_B = 128;

/** Octets of a frame of format A whose L field is `l`. */
export function lengthOfA(l: number): number {
  const rest = Math.max(0, l + 1 - LINK_HEADER);
  return l + 1 + CRC + Math.ceil(rest / BLOCK_A) * CRC;
}

function crcFits(bytes: Uint8Array, start: number, end: number): boolean {
  return crc16En13757(bytes, start, end) === (((bytes[end] as number) << 8) | (bytes[end + 1] as number));
}

/** Whether the CRC of the first block of format A stands where it would. Enough to find the start of a frame. */
export function startsAsA(bytes: Uint8Array, at: number): boolean {
  return at + LINK_HEADER + CRC <= bytes.length && crcFits(bytes, at, at + LINK_HEADER);
}

/** Where in bytes[start, end) the first wrong CRC of a frame of format A stands; undefined when all are right. */
function faultOfA(bytes: Uint8Array, start: number, end: number): number | undefined {
  for (let at = start, size = LINK_HEADER; at < end; at += size + CRC, size = BLOCK_A) {
    const last = Math.min(at + size, end - CRC);
    if (!crcFits(bytes, at, last)) return last;
  }
  return undefined;
}

function faultOfB(bytes: Uint8Array, start: number, end: number): number | undefined {
  const head = Math.min(start + HEAD_B, end) - CRC;
  if (!crcFits(bytes, start, head)) return head;
  if (end > start + HEAD_B && !crcFits(bytes, start + HEAD_B, end - CRC)) return end - CRC;
  return undefined;
}

function possibleB(l: number): boolean {
  // CI and a CRC; what goes beyond the second block has a CRC of its own.
  return l >= LINK_HEADER + CRC && (l < HEAD_B || l > HEAD_B + 1);
}

export interface WirelessFrame {
  readonly form: WirelessForm;
  /** Without CRCs and, of format B, with L as format A would have it: L counts what follows. */
  readonly bytes: Uint8Array;
  /** Octets of the input that it took. */
  readonly length: number;
}

/**
 * The frame that stands at the beginning of `input`. Octets behind it (a stick's signal strength) are left alone.
 * @param form what it must be; found out when not given
 * @throws DecodeError `length` (cut, or too short for a frame), `crc`
 */
export function decodeWirelessFrame(input: Uint8Array, form?: WirelessForm): WirelessFrame {
  const l = input[0];
  if (l === undefined || l < LINK_HEADER) throw new DecodeError('length', 'too short for a wireless frame', 0);
  const a = lengthOfA(l);
  if (form !== 'B' && form !== 'bare' && input.length >= a) {
    const fault = faultOfA(input, 0, a);
    if (fault === undefined) return { form: 'A', bytes: withoutCrcsOfA(input, a), length: a };
    if (form === 'A' || startsAsA(input, 0)) throw new DecodeError('crc', 'a block does not fit its CRC', fault);
  }
  if (input.length < l + 1) {
    throw new DecodeError('length', `the frame says ${l + 1} bytes, there are ${input.length}`, input.length);
  }
  if (form !== 'A' && form !== 'bare' && possibleB(l)) {
    const fault = faultOfB(input, 0, l + 1);
    if (fault === undefined) return { form: 'B', bytes: withoutCrcsOfB(input, l + 1), length: l + 1 };
    if (form === 'B') throw new DecodeError('crc', 'a block does not fit its CRC', fault);
  }
  if (form === 'A' || (form !== 'bare' && startsAsA(input, 0)))
    throw new DecodeError('length', `the frame says ${a} bytes, there are ${input.length}`, input.length);
  return { form: 'bare', bytes: input.length === l + 1 ? input : input.subarray(0, l + 1), length: l + 1 };
}

function withoutCrcsOfA(input: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array((input[0] as number) + 1);
  let to = 0;
  for (let at = 0, size = LINK_HEADER; at < length; at += size + CRC, size = BLOCK_A) {
    const end = Math.min(at + size, length - CRC);
    out.set(input.subarray(at, end), to);
    to += end - at;
  }
  return out;
}

function withoutCrcsOfB(input: Uint8Array, length: number): Uint8Array {
  const head = Math.min(HEAD_B, length) - CRC;
  const tail = length > HEAD_B ? length - HEAD_B - CRC : 0;
  const out = new Uint8Array(head + tail);
  out.set(input.subarray(0, head));
  out.set(input.subarray(HEAD_B, HEAD_B + tail), head);
  out[0] = out.length - 1;
  return out;
}

/**
 * The octets on air of a bare frame.
 * @throws MisuseError when L is not what follows it, or too much for format B
 */
export function encodeWirelessFrame(bare: Uint8Array, form: WirelessForm): Uint8Array {
  if (bare.length <= LINK_HEADER || bare.length !== (bare[0] as number) + 1)
    throw new MisuseError(`L says ${bare[0]}, ${bare.length - 1} bytes follow it`);
  if (form === 'bare') return bare.slice();
  if (form === 'A') {
    const out = new Uint8Array(lengthOfA(bare[0] as number));
    let to = 0;
    for (let at = 0, size = LINK_HEADER; at < bare.length; at += size, size = BLOCK_A)
      to = putBlock(out, to, bare.subarray(at, at + size));
    return out;
  }
  const whole = bare.length + CRC <= HEAD_B;
  const l = bare.length - 1 + (whole ? CRC : 2 * CRC);
  if (l > 255) throw new MisuseError('format B has no room for so much');
  const copy = bare.slice();
  copy[0] = l;
  const out = new Uint8Array(l + 1);
  const to = putBlock(out, 0, copy.subarray(0, whole ? copy.length : HEAD_B - CRC));
  if (!whole) putBlock(out, to, copy.subarray(HEAD_B - CRC));
  return out;
}

function putBlock(out: Uint8Array, at: number, block: Uint8Array): number {
  out.set(block, at);
  const crc = crc16En13757(block);
  out[at + block.length] = crc >> 8;
  out[at + block.length + 1] = crc & 0xff;
  return at + block.length + CRC;
}

/** What the C field of a frame of a meter or its partner may be (EN 13757-4 table 15), for finding frames in noise. */
const CONTROLS: Readonly<Record<number, string>> = {
  64: 'SND_NKE',
  83: 'SND_UD',
  115: 'SND_UD',
  67: 'SND_UD2',
  91: 'REQ_UD2',
  123: 'REQ_UD2',
  90: 'REQ_UD1',
  122: 'REQ_UD1',
  68: 'SND_NR',
  70: 'SND_IR',
  6: 'CNF_IR',
  8: 'RSP_UD',
  24: 'RSP_UD',
  40: 'RSP_UD',
  56: 'RSP_UD',
  71: 'ACC_NR',
  72: 'ACC_DMD',
  0: 'ACK',
  16: 'ACK',
  32: 'ACK',
  48: 'ACK',
};

/** The standard's word for a C field, e.g. `SND_NR`; undefined for one that no frame has. */
export function controlName(c: number): string | undefined {
  return CONTROLS[c];
}
