/**
 * What DLMS security (IEC 62056-5-3 clause 5.3) needs of cryptography: synchronous, without state of its own.
 *
 * Decides: the shapes of keys, signatures and points as DLMS writes them (points x || y, signatures r || s, no ASN.1).
 * Leaves out: every algorithm (package io implements them on the machine's library) and what goes into them.
 */

/** AES-GCM, all that reading pushed messages takes. The key's length decides: 16 bytes AES-128, 32 bytes AES-256. */
export interface AesGcm {
  /** Without a tag nothing is checked. @returns undefined when the tag does not fit */
  gcmDecrypt(
    key: Uint8Array,
    iv: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array | undefined,
  ): Uint8Array | undefined;
  /** @param tagLength bytes of tag; 0 when the message is ciphered only */
  gcmEncrypt(
    key: Uint8Array,
    iv: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    tagLength: number,
  ): { readonly ciphertext: Uint8Array; readonly tag: Uint8Array };
}

/** AES-128 without authentication, as wireless M-Bus uses it (EN 13757-7): whole blocks in CBC, any length in CTR. */
export interface AesModes {
  /** Nothing is padded or cut off. @throws MisuseError when `data` is no whole number of blocks */
  cbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  cbcEncrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** The same both ways. @param counter the first counter block, 16 bytes */
  ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array;
}

/** Suite 1 signs and agrees on P-256, suite 2 on P-384. */
export type Curve = 'P-256' | 'P-384';

export interface EcPublicKey {
  readonly curve: Curve;
  /** x || y, big-endian: 64 bytes on P-256, 96 on P-384. */
  readonly point: Uint8Array;
}

export interface EcPrivateKey {
  readonly curve: Curve;
  /** 32 bytes on P-256, 48 on P-384. */
  readonly scalar: Uint8Array;
}

export interface EcKeyPair {
  readonly privateKey: EcPrivateKey;
  readonly publicKey: EcPublicKey;
}

export interface Crypto extends AesGcm {
  /** One block of 16 bytes through AES in ECB mode (HLS mechanism 2 of some makers). */
  aesEncryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array;
  /** AES key wrap (RFC 3394): 8 bytes longer than the key. @throws MisuseError on lengths it cannot take */
  keyWrap(kek: Uint8Array, key: Uint8Array): Uint8Array;
  /** @returns undefined when it was not wrapped with this key */
  keyUnwrap(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined;
  md5(data: Uint8Array): Uint8Array;
  sha1(data: Uint8Array): Uint8Array;
  sha256(data: Uint8Array): Uint8Array;
  sha384(data: Uint8Array): Uint8Array;
  hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** ECDSA with SHA-256 on P-256, SHA-384 on P-384. @returns r || s, 64 or 96 bytes */
  ecdsaSign(key: EcPrivateKey, data: Uint8Array): Uint8Array;
  /** False too for a signature of the wrong length or a point that is not on the curve. */
  ecdsaVerify(key: EcPublicKey, data: Uint8Array, signature: Uint8Array): boolean;
  /** The shared secret Z (the x-coordinate). @returns undefined when the point is not on the curve or curves differ */
  ecdh(own: EcPrivateKey, peer: EcPublicKey): Uint8Array | undefined;
  generateKeyPair(curve: Curve): EcKeyPair;
  publicKeyOf(key: EcPrivateKey): EcPublicKey;
  /** Whether all bytes are equal, in a time that tells nothing of where they differ. Lengths are not secret. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** From a generator fit for keys and challenges. */
  randomBytes(length: number): Uint8Array;
}
