/**
 * The ciphered form of a telegram: general-glo-ciphering (IEC 62056-5-3 clause 5.3.4), suite 0, as Luxembourg's meters send it
 * (P1 specification 1.1.3 clause 3.2.5). For simulators and tests; the decoder opens it.
 */
import { type Crypto, encipher, encodeApdu, type KeyPair } from '@amiable/dlms';

export interface SealOptions {
  /** Eight octets, three letters of the maker first. */
  readonly systemTitle: Uint8Array;
  /** Must never repeat under one key. */
  readonly invocationCounter: number;
}

/** `telegram` as encodeTelegram gives it. */
export function sealTelegram(telegram: Uint8Array, pair: KeyPair, options: SealOptions, crypto: Crypto): Uint8Array {
  return encodeApdu(encipher(telegram, pair, options, crypto));
}
