/**
 * Words of the M-Bus link layer that both ends share (EN 13757-2 clause 5; EN 13757-3 for CI): control fields, addresses,
 * baud rates, times, and the secondary address with its wildcards.
 */
import { DecodeError } from '@amiable/bytes';
import { identificationAt, manufacturerOf } from './application/header.ts';

/** Control fields of the master; FCB is added by who counts. */
export const SND_NKE = 0x40;
export const SND_UD = 0x53;
export const REQ_UD1 = 0x5a;
export const REQ_UD2 = 0x5b;
/** Of the slave: answer with user data; ACD and DFC may be added. */
export const RSP_UD = 0x08;
export const ACD = 0x20;
export const DFC = 0x10;
/** Frame count bit, and whether it is valid; PRM: the master speaks. */
export const FCB = 0x20;
export const FCV = 0x10;
export const PRM = 0x40;

export const ADDRESS = { unconfigured: 0, last: 250, network: 253, test: 254, broadcast: 255 } as const;

/** Control information of a master (mode 1; bit 2 set: most significant octet first). */
export const CI = {
  applicationReset: 0x50,
  dataSend: 0x51,
  select: 0x52,
  applicationError: 0x70,
  alarm: 0x71,
  variable: 0x72,
  fixed: 0x73,
} as const;

/** CI B8 to BF. */
export const BAUD_CI: readonly number[] = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400];
const FIRST_BAUD_CI = 0xb8;

export function baudOfCi(ci: number): number | undefined {
  return ci >= FIRST_BAUD_CI ? BAUD_CI[ci - FIRST_BAUD_CI] : undefined;
}

export function ciOfBaud(baud: number): number | undefined {
  const at = BAUD_CI.indexOf(baud);
  return at < 0 ? undefined : FIRST_BAUD_CI + at;
}

/** Bits of a character on the line: start, 8 data, parity, stop. */
export const CHARACTER_BITS = 11;
/** A slave answers no earlier than after 11 bits of silence, no later than after 330 bits and 50 ms (EN 13757-2 clause 5.5). */
export const ANSWER_EARLIEST_BITS = 11;
export const ANSWER_LATEST_BITS = 330;
export const ANSWER_LATEST_MS = 50;
/** Silence of the master before it speaks again, and of a line that ends a frame. */
export const PAUSE_BITS = 33;

export interface SecondaryAddress {
  /** 8 digits; in a pattern `F` matches any digit. */
  readonly identification: string;
  /** Three letters; absent in a pattern: any. */
  readonly manufacturer?: string | undefined;
  readonly version?: number | undefined;
  readonly medium?: number | undefined;
}

/** A secondary address in full, as a slave has it. */
export interface SlaveIdentity extends SecondaryAddress {
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: number;
}

/** Octets of a secondary address. */
export const SECONDARY_LENGTH = 8;

export function decodeSecondary(bytes: Uint8Array, at = 0): SlaveIdentity {
  if (bytes.length - at < SECONDARY_LENGTH)
    throw new DecodeError('truncated', `a secondary address has 8 octets, ${bytes.length - at} are here`, at);
  return {
    identification: identificationAt(bytes, at),
    manufacturer: manufacturerOf((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8)),
    version: bytes[at + 6] as number,
    medium: bytes[at + 7] as number,
  };
}

/** Whether the 8 octets of a slave match those of a selection: nibble F of the identification, octet FF of the rest. */
export function matchesSecondary(own: Uint8Array, pattern: Uint8Array, at = 0): boolean {
  for (let i = 0; i < SECONDARY_LENGTH; i++) {
    const is = own[i] as number;
    const wanted = pattern[at + i] as number;
    if (i >= 4) {
      if (wanted !== 0xff && wanted !== is) return false;
      continue;
    }
    if ((wanted & 0x0f) !== 0x0f && (wanted & 0x0f) !== (is & 0x0f)) return false;
    if ((wanted & 0xf0) !== 0xf0 && (wanted & 0xf0) !== (is & 0xf0)) return false;
  }
  return true;
}
