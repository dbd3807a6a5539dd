/** AES-GCM in software: equal to the machine's own library in everything, and to the vectors of SP 800-38D. */
import { fromHex, MisuseError, toHex } from '@amiable/bytes';
import { softwareGcm } from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCrypto, quickCrypto } from '../src/index.ts';

const NONE = new Uint8Array(0);
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const key = fc.oneof(exactly(16), exactly(32));

it('SP 800-38D test cases 1, 2, 4, 13, 14 and 16', () => {
  const zero16 = '00'.repeat(16);
  const zero12 = '00'.repeat(12);
  const k4 = 'feffe9928665731c6d6a8f9467308308';
  const aad = 'feedfacedeadbeeffeedfacedeadbeefabaddad2';
  const text =
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39';
  const cases = [
    [zero16, zero12, '', '', '', '58e2fccefa7e3061367f1d57a4e7455a'],
    [zero16, zero12, '', zero16, '0388dace60b6a392f328c2b971b2fe78', 'ab6e47d42cec13bdf53a67b21257bddf'],
    [
      k4,
      'cafebabefacedbaddecaf888',
      aad,
      text,
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091',
      '5bc94fbc3221a5db94fae95ae7121a47',
    ],
    [zero16 + zero16, zero12, '', '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
    [zero16 + zero16, zero12, '', zero16, 'cea7403d4d606b6e074ec5d3baf39d18', 'd0d1c8a799996bf0265b98b5d48ab919'],
    [
      k4 + k4,
      'cafebabefacedbaddecaf888',
      aad,
      text,
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
      '76fc6ece0f4e1768cddf8853bb2d551b',
    ],
  ].map((row) => row.map(fromHex)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array][];
  for (const [k, iv, a, plain, ciphertext, tag] of cases) {
    expect(softwareGcm.gcmEncrypt(k, iv, a, plain, 16)).toEqual({ ciphertext, tag });
    expect(softwareGcm.gcmDecrypt(k, iv, a, ciphertext, tag)).toEqual(plain);
  }
});

describe('equal to the library', () => {
  it('sealing and opening, with and without a tag', () => {
    fc.assert(
      fc.property(
        key,
        exactly(12),
        bytes(70),
        bytes(150),
        fc.constantFrom(0, 12, 13, 16),
        (k, iv, aad, plain, tagLength) => {
          const mine = softwareGcm.gcmEncrypt(k, iv, aad, plain, tagLength);
          const theirs = nodeCrypto.gcmEncrypt(k, iv, aad, plain, tagLength);
          expect(toHex(mine.ciphertext)).toBe(toHex(theirs.ciphertext));
          expect(toHex(mine.tag)).toBe(toHex(theirs.tag));
          const tag = tagLength === 0 ? undefined : theirs.tag;
          expect(softwareGcm.gcmDecrypt(k, iv, aad, theirs.ciphertext, tag)).toEqual(plain);
          expect(quickCrypto.gcmEncrypt(k, iv, aad, plain, tagLength)).toEqual(mine);
          expect(quickCrypto.gcmDecrypt(k, iv, aad, theirs.ciphertext, tag)).toEqual(plain);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('long texts', () => {
    for (const length of [255, 256, 4096, 70_001]) {
      const plain = new Uint8Array(length).map((_, i) => i * 7);
      const [k, iv] = [new Uint8Array(16).fill(length), new Uint8Array(12).fill(length >> 3)];
      expect(softwareGcm.gcmEncrypt(k, iv, plain, plain, 12)).toEqual(nodeCrypto.gcmEncrypt(k, iv, plain, plain, 12));
    }
  });

  it('every changed bit is refused', () => {
    const [k, iv, aad, plain] = [
      new Uint8Array(16).fill(1),
      new Uint8Array(12),
      new Uint8Array(17),
      new Uint8Array(21),
    ];
    const { ciphertext, tag } = softwareGcm.gcmEncrypt(k, iv, aad, plain, 12);
    for (const part of [iv, aad, ciphertext, tag])
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        expect(softwareGcm.gcmDecrypt(k, iv, aad, ciphertext, tag)).toBeUndefined();
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    expect(softwareGcm.gcmDecrypt(k, iv, aad, ciphertext, tag)).toEqual(plain);
    for (let end = 0; end < 12; end++)
      expect(softwareGcm.gcmDecrypt(k, iv, aad, ciphertext, tag.subarray(0, end))).toBeUndefined();
  });
});

it('a key whose array was written over is another key', () => {
  const k = new Uint8Array(16).fill(1);
  const iv = new Uint8Array(12);
  const first = softwareGcm.gcmEncrypt(k, iv, NONE, NONE, 12).tag;
  k.fill(2);
  expect(softwareGcm.gcmEncrypt(k, iv, NONE, NONE, 12)).toEqual(nodeCrypto.gcmEncrypt(k, iv, NONE, NONE, 12));
  expect(toHex(softwareGcm.gcmEncrypt(k, iv, NONE, NONE, 12).tag)).not.toBe(toHex(first));
});

it('lengths that DLMS does not have', () => {
  const iv = new Uint8Array(12);
  expect(() => softwareGcm.gcmEncrypt(new Uint8Array(24), iv, NONE, NONE, 12)).toThrow(MisuseError);
  expect(() => softwareGcm.gcmEncrypt(new Uint8Array(16), new Uint8Array(16), NONE, NONE, 12)).toThrow(MisuseError);
  expect(() => softwareGcm.gcmEncrypt(new Uint8Array(16), iv, NONE, NONE, 4)).toThrow(MisuseError);
});
