/**
 * The cryptography of DLMS security suites 0 to 2 (NIST SP 800-38D, RFC 3394, FIPS 180-4, FIPS 186-4, SP 800-56A;
 * IEC 62056-5-3 clause 5.3) on the machine's own library.
 *
 * Decides: how a 12-byte tag (or any length GCM allows) is checked, and that a message without a tag is deciphered
 * unchecked, as security byte 20 asks for. Leaves out: what nonce, additional data and signed bytes consist of (dlms).
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { MisuseError } from '@amiable/bytes';
import { type AesModes, type Crypto, softwareGcm } from '@amiable/dlms';
import { ecdh, ecdsaSign, ecdsaVerify, generateKeyPair, publicKeyOf } from './crypto-ec.ts';

const FULL_TAG = 16;
/** RFC 3394 §2.2.3.1. */
const WRAP_IV = Buffer.alloc(8, 0xa6);

function gcm(key: Uint8Array): 'aes-128-gcm' | 'aes-256-gcm' {
  if (key.length === 16) return 'aes-128-gcm';
  if (key.length === 32) return 'aes-256-gcm';
  throw new MisuseError(`an AES key has 16 or 32 bytes here, not ${key.length}`);
}

function wrap(kek: Uint8Array, data: Uint8Array, least: number): 'aes128-wrap' | 'aes256-wrap' {
  if (kek.length !== 16 && kek.length !== 32)
    throw new MisuseError(`a key-encrypting key has 16 or 32 bytes, not ${kek.length}`);
  if (data.length < least || data.length % 8 !== 0)
    throw new MisuseError(`AES key wrap takes ${least} bytes or more in eights, not ${data.length}`);
  return kek.length === 16 ? 'aes128-wrap' : 'aes256-wrap';
}

function hash(algorithm: string, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(data).digest());
}

function cbc(make: typeof createCipheriv | typeof createDecipheriv, key: Uint8Array, iv: Uint8Array, data: Uint8Array) {
  if (data.length % 16 !== 0) throw new MisuseError(`CBC takes whole blocks of 16 bytes, not ${data.length} bytes`);
  const cipher = make('aes-128-cbc', key, iv);
  cipher.setAutoPadding(false);
  return new Uint8Array(cipher.update(data));
}

export const nodeCrypto: Crypto & AesModes = {
  cbcDecrypt: (key, iv, data) => cbc(createDecipheriv, key, iv, data),
  cbcEncrypt: (key, iv, data) => cbc(createCipheriv, key, iv, data),
  ctr: (key, counter, data) => new Uint8Array(createCipheriv('aes-128-ctr', key, counter).update(data)),
  gcmDecrypt(key, iv, aad, ciphertext, tag) {
    const algorithm = gcm(key);
    if (tag === undefined) {
      const decipher = createDecipheriv(algorithm, key, iv);
      // Without a tag `final` would refuse everything; the counter mode underneath has yielded all by then.
      return new Uint8Array(decipher.update(ciphertext));
    }
    try {
      const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tag.length });
      decipher.setAAD(aad);
      decipher.setAuthTag(tag);
      const plain = decipher.update(ciphertext);
      decipher.final();
      return new Uint8Array(plain);
    } catch {
      return undefined;
    }
  },
  gcmEncrypt(key, iv, aad, plaintext, tagLength) {
    // A length of 0 means a message that is ciphered only: the tag is made and thrown away.
    const length = tagLength === 0 ? FULL_TAG : tagLength;
    const cipher = createCipheriv(gcm(key), key, iv, { authTagLength: length });
    cipher.setAAD(aad);
    const ciphertext = new Uint8Array(cipher.update(plaintext));
    cipher.final();
    return { ciphertext, tag: tagLength === 0 ? new Uint8Array(0) : new Uint8Array(cipher.getAuthTag()) };
  },
  aesEncryptBlock(key, block) {
    if (block.length !== 16) throw new MisuseError(`a block of AES has 16 bytes, not ${block.length}`);
    const cipher = createCipheriv(key.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb', key, null);
    cipher.setAutoPadding(false);
    return new Uint8Array(cipher.update(block));
  },
  keyWrap(kek, key) {
    const cipher = createCipheriv(wrap(kek, key, 16), kek, WRAP_IV);
    return new Uint8Array(Buffer.concat([cipher.update(key), cipher.final()]));
  },
  keyUnwrap(kek, wrapped) {
    if (wrapped.length < 24 || wrapped.length % 8 !== 0) return undefined;
    const decipher = createDecipheriv(wrap(kek, wrapped, 24), kek, WRAP_IV);
    try {
      return new Uint8Array(Buffer.concat([decipher.update(wrapped), decipher.final()]));
    } catch {
      return undefined;
    }
  },
  md5: (data) => hash('md5', data),
  sha1: (data) => hash('sha1', data),
  sha256: (data) => hash('sha256', data),
  sha384: (data) => hash('sha384', data),
  hmacSha1: (key, data) => new Uint8Array(createHmac('sha1', key).update(data).digest()),
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  ecdsaSign,
  ecdsaVerify,
  ecdh,
  generateKeyPair,
  publicKeyOf,
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
};

/** Text and additional data, in bytes, up to which the software is the faster one: measured, see docs/security.md. */
const SHORT = 192;

/**
 * `nodeCrypto` with AES-GCM of short messages done in software, which takes a quarter to a half of the time but leaves
 * traces in the processor's cache (see software-gcm.ts of package dlms): for simulators and benchmarks, where keys guard
 * nothing.
 */
export const quickCrypto: Crypto & AesModes = {
  ...nodeCrypto,
  gcmDecrypt(key, iv, aad, ciphertext, tag) {
    const by = aad.length + ciphertext.length <= SHORT ? softwareGcm : nodeCrypto;
    return by.gcmDecrypt(key, iv, aad, ciphertext, tag);
  },
  gcmEncrypt(key, iv, aad, plaintext, tagLength) {
    const by = aad.length + plaintext.length <= SHORT ? softwareGcm : nodeCrypto;
    return by.gcmEncrypt(key, iv, aad, plaintext, tagLength);
  },
};
