/**
 * Security of wireless M-Bus: AES-CTR of the extended link layer (EN 13757-4 clause 13.2.8), security modes 5 and 7 of the
 * transport layer (EN 13757-7 clause 7.7; OMS volume 2 clause 9), key derivation and MAC of the AFL (EN 13757-7 clause 6.6).
 *
 * Decides: initial values, derived keys, and when a key was the right one (CRC of the ELL, 2F 2F behind the transport header,
 * the MAC). Many telegrams in logs stand deciphered behind headers that say otherwise: they are taken as plain.
 * Leaves out: mode 8 to 10 and 13 (no public telegram is known), where keys come from.
 */
import { crc16En13757 } from '@amiable/bytes';
import { cmac, type MbusCrypto } from './aes.ts';
import type { AuthenticationLink, ExtendedLink, TransportHeader } from './layers.ts';

const BLOCK = 16;
const NO_IV = new Uint8Array(BLOCK);
/** Idle filler that stands first in every enciphered text. */
const FILLER = 0x2f;
/** M, A, CC, SN; frame number and block counter behind them begin at 0. */
function counterOfEll(address: Uint8Array, ell: ExtendedLink): Uint8Array {
  const counter = new Uint8Array(BLOCK);
  counter.set(address);
  counter[8] = ell.communicationControl;
  const number = ell.session?.number ?? 0;
  for (let i = 0; i < 4; i++) counter[9 + i] = number >>> (8 * i);
  return counter;
}

/** Whether the payload CRC at `at` fits all that follows it. */
export function ellCrcFits(bytes: Uint8Array, at: number): boolean {
  return (
    at + 2 <= bytes.length && crc16En13757(bytes, at + 2) === ((bytes[at] as number) | ((bytes[at + 1] as number) << 8))
  );
}

/** Payload CRC and payload, deciphered (or enciphered: CTR is its own inverse). */
export function ellCipher(
  crypto: MbusCrypto,
  key: Uint8Array,
  address: Uint8Array,
  ell: ExtendedLink,
  octets: Uint8Array,
): Uint8Array {
  return crypto.ctr(key, counterOfEll(address, ell), octets);
}

/** M, A and eight times the access number. */
function ivOfMode5(address: Uint8Array, accessNumber: number): Uint8Array {
  const iv = new Uint8Array(BLOCK).fill(accessNumber);
  iv.set(address);
  return iv;
}

export type DerivedKey = 'encryption' | 'mac';

/**
 * A key for one message (KDF A of EN 13757-7): CMAC over the constant, the message counter, the identification and filler.
 * @param toMeter for a message that the meter receives
 */
export function deriveKey(
  crypto: MbusCrypto,
  key: Uint8Array,
  use: DerivedKey,
  counter: number,
  address: Uint8Array,
  toMeter = false,
): Uint8Array {
  const input = new Uint8Array(BLOCK).fill(0x07);
  input[0] = (toMeter ? 0x10 : 0) | (use === 'mac' ? 1 : 0);
  for (let i = 0; i < 4; i++) {
    input[1 + i] = counter >>> (8 * i);
    input[5 + i] = address[2 + i] as number;
  }
  return cmac(crypto, key, input);
}

/** MAC of the AFL over MCL, MCR, ML (where there is one) and all from the CI of the transport layer on. */
export function aflMac(
  crypto: MbusCrypto,
  macKey: Uint8Array,
  afl: AuthenticationLink,
  message: Uint8Array,
): Uint8Array {
  const head: number[] = [];
  if (afl.messageControl !== undefined) head.push(afl.messageControl);
  if (afl.messageCounter !== undefined) for (let i = 0; i < 4; i++) head.push((afl.messageCounter >>> (8 * i)) & 0xff);
  if (afl.messageLength !== undefined) head.push(afl.messageLength & 0xff, afl.messageLength >> 8);
  const data = new Uint8Array(head.length + message.length);
  data.set(head);
  data.set(message, head.length);
  return cmac(crypto, macKey, data).subarray(0, afl.mac?.length ?? BLOCK);
}

export interface TransportContext {
  readonly header: TransportHeader;
  /** M and A of the meter. */
  readonly address: Uint8Array;
  /** Mode 7. */
  readonly afl?: AuthenticationLink | undefined;
}

/** Whether the text begins as every deciphered text does. */
export function beginsPlain(text: Uint8Array, at = 0): boolean {
  return text[at] === FILLER && text[at + 1] === FILLER;
}

/** The enciphered octets with this key, whatever comes out. @returns undefined for a mode that is not known */
export function transportDecipher(
  crypto: MbusCrypto,
  key: Uint8Array,
  context: TransportContext,
  octets: Uint8Array,
): Uint8Array | undefined {
  const { header, address, afl } = context;
  if (header.mode === 4) return crypto.cbcDecrypt(key, NO_IV, octets);
  if (header.mode === 5) return crypto.cbcDecrypt(key, ivOfMode5(address, header.accessNumber), octets);
  if (header.mode === 7) return crypto.cbcDecrypt(mode7Key(crypto, key, address, header, afl), NO_IV, octets);
  return undefined;
}

/** The other way, for what sends. */
export function transportEncipher(
  crypto: MbusCrypto,
  key: Uint8Array,
  context: TransportContext,
  octets: Uint8Array,
): Uint8Array | undefined {
  const { header, address, afl } = context;
  if (header.mode === 5) return crypto.cbcEncrypt(key, ivOfMode5(address, header.accessNumber), octets);
  if (header.mode === 7) return crypto.cbcEncrypt(mode7Key(crypto, key, address, header, afl), NO_IV, octets);
  return undefined;
}

/** Bits 4 and 5 of the extension choose the derivation; 0 takes the key as it is. */
function mode7Key(
  crypto: MbusCrypto,
  key: Uint8Array,
  address: Uint8Array,
  header: TransportHeader,
  afl: AuthenticationLink | undefined,
): Uint8Array {
  if (((header.extension ?? 0) & 0x30) === 0) return key;
  return deriveKey(crypto, key, 'encryption', afl?.messageCounter ?? 0, address);
}
