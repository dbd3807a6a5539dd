/**
 * HDLC addresses (IEC 62056-46 clause 6.4.2): one, two or four octets of seven bits each, the lowest bit of an octet
 * set in the last one only. The number of octets is part of the address: 0 in one octet, 0 in two and 0 in four are
 * three addresses, and an answer must use the form it was asked in. Left out: the reserved addresses of clients and the
 * "calling physical device", which are names for users only.
 */
import { MisuseError } from '@amiable/bytes';

export type AddressLength = 1 | 2 | 4;

export interface HdlcAddress {
  /** The seven-bit groups joined, high group first. */
  readonly value: number;
  /** Octets on the wire. */
  readonly length: AddressLength;
}

/** Length of the address at buf[at], 0 when none of the allowed forms ends before `end`. */
export function addressLength(buf: Uint8Array, at: number, end: number): 0 | AddressLength {
  if (at >= end) return 0;
  if ((buf[at] as number) & 1) return 1;
  if (at + 1 >= end) return 0;
  if ((buf[at + 1] as number) & 1) return 2;
  if (at + 3 >= end || (buf[at + 2] as number) & 1) return 0;
  return (buf[at + 3] as number) & 1 ? 4 : 0;
}

export function readAddress(buf: Uint8Array, at: number, length: AddressLength): HdlcAddress {
  let value = 0;
  for (let i = 0; i < length; i++) value = (value << 7) | ((buf[at + i] as number) >> 1);
  return { value, length };
}

export function addressBytes(address: HdlcAddress): Uint8Array {
  const { value, length } = address;
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (7 * length))
    throw new MisuseError(`HDLC address ${value} does not fit ${length} octets of 7 bits`);
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = ((value >> (7 * (length - 1 - i))) & 0x7f) << 1;
  out[length - 1] = (out[length - 1] as number) | 1;
  return out;
}

/** Upper part (logical device) of a two- or four-octet server address; all of a one-octet address. */
export function upperAddress(address: HdlcAddress): number {
  return address.length === 1 ? address.value : address.value >> (address.length === 2 ? 7 : 14);
}

/** Lower part (physical device) of a two- or four-octet server address, absent in one octet. */
export function lowerAddress(address: HdlcAddress): number | undefined {
  return address.length === 1 ? undefined : address.value & (address.length === 2 ? 0x7f : 0x3fff);
}

/** Every station is meant: the upper or the lower part is all ones (7F, 3FFF). Only UI without poll may go there. */
export function isAllStation(address: HdlcAddress): boolean {
  const all = address.length === 4 ? 0x3fff : 0x7f;
  return upperAddress(address) === all || lowerAddress(address) === all;
}

/** No station is meant. */
export function isNoStation(address: HdlcAddress): boolean {
  return address.value === 0;
}
