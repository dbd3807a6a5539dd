import { fromHex, toHex } from '@amiable/bytes';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../src/index.ts';

// NIST SP 800-38D test case 4 (AES-128, 96-bit IV, 20 bytes of additional data).
const KEY = fromHex('feffe9928665731c6d6a8f9467308308');
const IV = fromHex('cafebabefacedbaddecaf888');
const AAD = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
const PLAIN = fromHex(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
);
const CIPHER =
  '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091';
const TAG = '5bc94fbc3221a5db94fae95ae7121a47';

describe('nodeCrypto', () => {
  it('agrees with the NIST vector, whole tag and the 12 bytes DLMS sends', () => {
    for (const length of [16, 12]) {
      const out = nodeCrypto.gcmEncrypt(KEY, IV, AAD, PLAIN, length);
      expect(toHex(out.ciphertext)).toBe(CIPHER);
      expect(toHex(out.tag)).toBe(TAG.slice(0, length * 2));
      expect(toHex(nodeCrypto.gcmDecrypt(KEY, IV, AAD, out.ciphertext, out.tag)!)).toBe(toHex(PLAIN));
    }
  });
  it('refuses a changed tag, text or additional data', () => {
    const { ciphertext, tag } = nodeCrypto.gcmEncrypt(KEY, IV, AAD, PLAIN, 12);
    const flipped = (b: Uint8Array) => b.map((x, i) => (i === 3 ? x ^ 1 : x));
    expect(nodeCrypto.gcmDecrypt(KEY, IV, AAD, ciphertext, flipped(tag))).toBeUndefined();
    expect(nodeCrypto.gcmDecrypt(KEY, IV, AAD, flipped(ciphertext), tag)).toBeUndefined();
    expect(nodeCrypto.gcmDecrypt(KEY, IV, flipped(AAD), ciphertext, tag)).toBeUndefined();
    expect(nodeCrypto.gcmDecrypt(KEY, IV, AAD, ciphertext, tag.subarray(0, 2))).toBeUndefined();
  });
  it('deciphers unchecked when there is no tag', () => {
    expect(toHex(nodeCrypto.gcmDecrypt(KEY, IV, AAD, fromHex(CIPHER), undefined)!)).toBe(toHex(PLAIN));
    expect(nodeCrypto.gcmEncrypt(KEY, IV, AAD, PLAIN, 0).tag).toHaveLength(0);
    expect(nodeCrypto.gcmDecrypt(KEY, IV, AAD, new Uint8Array(0), undefined)).toHaveLength(0);
  });
});
