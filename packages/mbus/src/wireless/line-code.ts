/**
 * Line codes of wireless M-Bus (EN 13757-4 clauses 6.4 and 7.4): Manchester of S mode, 3-out-of-6 of T mode, both ways. C mode
 * sends its bits as they are (NRZ).
 *
 * Decides: octets to octets of chips, most significant chip first; a code that does not exist is told with the place of its
 * first octet. Leaves out: preambles, synchronisation words and what a radio does.
 */
import { DecodeError } from '@amiable/bytes';

/** The code of each half octet: three of six chips are one, never more than four alike in a row. */
const SIX = [
  0b010110, 0b001101, 0b001110, 0b001011, 0b011100, 0b011001, 0b011010, 0b010011, 0b101100, 0b100101, 0b100110,
  0b100011, 0b110100, 0b110001, 0b110010, 0b101001,
] as const;
const FROM_SIX = new Uint8Array(64).fill(0xff);
for (let i = 0; i < 16; i++) FROM_SIX[SIX[i] as number] = i;

/** Chips of T mode, filled up with 01… to a whole octet (the postamble begins so). */
export function encode3of6(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil((data.length * 12) / 8));
  let register = 0;
  let bits = 0;
  let to = 0;
  for (const octet of data) {
    register = (register << 12) | ((SIX[octet >> 4] as number) << 6) | (SIX[octet & 0x0f] as number);
    for (bits += 12; bits >= 8; bits -= 8) out[to++] = register >> (bits - 8);
    register &= (1 << bits) - 1;
  }
  if (bits > 0) out[to] = (register << (8 - bits)) | 0b0101;
  return out;
}

/**
 * @param length octets wanted; as many as the chips hold unless said
 * @throws DecodeError `lineCode` with the octet of the chips where the wrong code begins; `length` when the chips do not suffice
 */
export function decode3of6(chips: Uint8Array, length = Math.floor((chips.length * 8) / 12)): Uint8Array {
  if (chips.length * 8 < length * 12) throw new DecodeError('length', 'too few chips', chips.length);
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const high = FROM_SIX[sixAt(chips, i * 12)] as number;
    const low = FROM_SIX[sixAt(chips, i * 12 + 6)] as number;
    if (high > 15 || low > 15)
      throw new DecodeError('lineCode', 'six chips that are no code', (i * 12 + (high > 15 ? 0 : 6)) >> 3);
    out[i] = (high << 4) | low;
  }
  return out;
}

function sixAt(chips: Uint8Array, bit: number): number {
  const at = bit >> 3;
  const pair = ((chips[at] as number) << 8) | (chips[at + 1] ?? 0);
  return (pair >> (10 - (bit & 7))) & 0x3f;
}

/** Manchester of S mode: a one is sent as chips 01, a zero as 10. Twice as many octets. */
export function encodeManchester(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length * 2);
  for (let i = 0; i < data.length; i++) {
    const octet = data[i] as number;
    out[2 * i] = manchesterOf(octet >> 4);
    out[2 * i + 1] = manchesterOf(octet & 0x0f);
  }
  return out;
}

function manchesterOf(half: number): number {
  let chips = 0;
  for (let bit = 3; bit >= 0; bit--) chips = (chips << 2) | ((half >> bit) & 1 ? 0b01 : 0b10);
  return chips;
}

/** @throws DecodeError `lineCode` at chips 00 or 11; `length` for an odd number of octets */
export function decodeManchester(chips: Uint8Array): Uint8Array {
  if (chips.length % 2 !== 0) throw new DecodeError('length', 'half an octet of Manchester chips', chips.length);
  const out = new Uint8Array(chips.length / 2);
  for (let i = 0; i < chips.length; i++) {
    const octet = chips[i] as number;
    // Each pair must hold one 1.
    if ((((octet >> 1) ^ octet) & 0x55) !== 0x55) throw new DecodeError('lineCode', 'two equal chips', i);
    const half = (octet & 1) | ((octet >> 1) & 2) | ((octet >> 2) & 4) | ((octet >> 3) & 8);
    out[i >> 1] = ((out[i >> 1] as number) << 4) | half;
  }
  return out;
}
