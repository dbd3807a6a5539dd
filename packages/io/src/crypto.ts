/**
 * AES-128-GCM of DLMS security suite 0 (NIST SP 800-38D; IEC 62056-5-3 clause 5.3.4) on the machine's own library.
 *
 * Decides: how a 12-byte tag (or any length GCM allows) is checked, and that a message without a tag is deciphered
 * unchecked, as security byte 20 asks for. Leaves out: what nonce and additional data consist of (package dlms).
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Crypto } from '@amiable/dlms';

const ALGORITHM = 'aes-128-gcm';
const FULL_TAG = 16;

export const nodeCrypto: Crypto = {
  gcmDecrypt(key, iv, aad, ciphertext, tag) {
    if (tag === undefined) {
      const decipher = createDecipheriv(ALGORITHM, key, iv);
      // Without a tag `final` would refuse everything; the counter mode underneath has yielded all by then.
      return new Uint8Array(decipher.update(ciphertext));
    }
    try {
      const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: tag.length });
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
    const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: length });
    cipher.setAAD(aad);
    const ciphertext = new Uint8Array(cipher.update(plaintext));
    cipher.final();
    return { ciphertext, tag: tagLength === 0 ? new Uint8Array(0) : new Uint8Array(cipher.getAuthTag()) };
  },
};
