/** The primitives of security suites 0 to 2 against the vectors of NIST and the RFCs. */
import { fromHex, MisuseError, toHex } from '@amiable/bytes';
import { describe, expect, it } from 'vitest';
import { nodeCrypto as crypto } from '../src/index.ts';

const ascii = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array | undefined) => bytes && toHex(bytes);
const bytes = (spaced: string) => fromHex(spaced.replace(/\s/g, ''));

describe('AES', () => {
  it('GCM with 256 bits: SP 800-38D test case 16', () => {
    const key = bytes('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
    const iv = bytes('cafebabefacedbaddecaf888');
    const aad = bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const plain = bytes(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
    const sealed = crypto.gcmEncrypt(key, iv, aad, plain, 12);
    expect(hex(sealed.ciphertext)).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
    );
    expect(hex(sealed.tag)).toBe('76fc6ece0f4e1768cddf8853');
    expect(crypto.gcmDecrypt(key, iv, aad, sealed.ciphertext, sealed.tag)).toEqual(plain);
    expect(() => crypto.gcmEncrypt(key.subarray(0, 24), iv, aad, plain, 12)).toThrow(MisuseError);
  });

  it('one block: FIPS 197, appendix C.1 and C.3', () => {
    const block = bytes('00112233445566778899aabbccddeeff');
    const key = bytes('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
    expect(hex(crypto.aesEncryptBlock(key.subarray(0, 16), block))).toBe('69c4e0d86a7b0430d8cdb78070b4c55a');
    expect(hex(crypto.aesEncryptBlock(key, block))).toBe('8ea2b7ca516745bfeafc49904b496089');
    expect(() => crypto.aesEncryptBlock(key, block.subarray(1))).toThrow(MisuseError);
  });

  it('key wrap: RFC 3394 4.1, 4.3 and 4.6', () => {
    const kek = bytes('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
    const data = bytes('00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f');
    const cases: [number, number, string][] = [
      [16, 16, '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
      [32, 16, '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
      [32, 32, '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21'],
    ];
    for (const [kekLength, keyLength, wrapped] of cases) {
      const under = kek.subarray(0, kekLength);
      expect(hex(crypto.keyWrap(under, data.subarray(0, keyLength)))).toBe(wrapped);
      expect(crypto.keyUnwrap(under, fromHex(wrapped))).toEqual(data.slice(0, keyLength));
      for (let bit = 0; bit < wrapped.length * 4; bit += 7) {
        const changed = fromHex(wrapped);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(crypto.keyUnwrap(under, changed)).toBeUndefined();
      }
      for (let end = 0; end < wrapped.length / 2; end++)
        expect(crypto.keyUnwrap(under, fromHex(wrapped).subarray(0, end))).toBeUndefined();
    }
    expect(() => crypto.keyWrap(kek, data.subarray(0, 15))).toThrow(MisuseError);
    expect(() => crypto.keyWrap(kek.subarray(0, 15), data)).toThrow(MisuseError);
  });
});

it('hashes and their keyed forms: FIPS 180-4, RFC 1321, RFC 2202, RFC 4231', () => {
  const abc = ascii('abc');
  expect(hex(crypto.md5(abc))).toBe('900150983cd24fb0d6963f7d28e17f72');
  expect(hex(crypto.sha1(abc))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  expect(hex(crypto.sha256(abc))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hex(crypto.sha384(abc))).toBe(
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  );
  const text = ascii('what do ya want for nothing?');
  expect(hex(crypto.hmacSha1(ascii('Jefe'), text))).toBe('effcdf6ae5eb2fa2d27416d5f184df9c259a7c79');
  expect(hex(crypto.hmacSha256(ascii('Jefe'), text))).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

describe('elliptic curves', () => {
  it('ECDH: RFC 5903 8.1 and 8.2', () => {
    const p256 = {
      own: bytes('C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433'),
      peer: bytes(
        'D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63 56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB',
      ),
      z: 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
    };
    const p384 = {
      own: bytes('099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896783AB194'),
      peer: bytes(
        'E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0774A3571 DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96DB9E6386C',
      ),
      z: '11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746',
    };
    for (const [curve, v] of [
      ['P-256', p256],
      ['P-384', p384],
    ] as const)
      expect(hex(crypto.ecdh({ curve, scalar: v.own }, { curve, point: v.peer }))).toBe(v.z);
  });

  it('ECDSA: RFC 6979 A.2.5, and the P-384 example of the Suite B guide', () => {
    const p256 = {
      curve: 'P-256' as const,
      point: bytes(
        '60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6 7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299',
      ),
    };
    const signature = bytes(
      'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716 F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8',
    );
    expect(crypto.ecdsaVerify(p256, ascii('sample'), signature)).toBe(true);
    expect(crypto.ecdsaVerify(p256, ascii('Sample'), signature)).toBe(false);
    const p384 = {
      curve: 'P-384' as const,
      point: bytes(
        '1fbac8eebd0cbf35640b39efe0808dd774debff20a2a329e91713baf7d7f3c3e81546d883730bee7e48678f857b02ca0 eb213103bd68ce343365a8a4c3d4555fa385f5330203bdd76ffad1f3affb95751c132007e1b240353cb0a4cf1693bdf9',
      ),
    };
    expect(
      crypto.ecdsaVerify(
        p384,
        ascii('This is only a test message. It is 48 bytes long'),
        bytes(
          'a0c27ec893092dea1e1bd2ccfed3cf945c8134ed0c9f81311a0f4a05942db8dbed8dd59f267471d5462aa14fe72de856 20ab3f45b74f10b6e11f96a2c8eb694d206b9dda86d3c7e331c26b22c987b7537726577667adadf168ebbe803794a402',
        ),
      ),
    ).toBe(true);
  });

  for (const curve of ['P-256', 'P-384'] as const)
    it(`${curve}: made keys sign, agree and come back from their bytes`, () => {
      const a = crypto.generateKeyPair(curve);
      const b = crypto.generateKeyPair(curve);
      const size = curve === 'P-256' ? 32 : 48;
      const again = { curve, scalar: a.privateKey.scalar.slice() };
      expect(again.scalar).toHaveLength(size);
      expect(crypto.publicKeyOf(again)).toEqual(a.publicKey);
      expect(crypto.ecdh(again, b.publicKey)).toEqual(crypto.ecdh(b.privateKey, a.publicKey));
      const signature = crypto.ecdsaSign(again, ascii('text'));
      expect(signature).toHaveLength(2 * size);
      expect(crypto.ecdsaVerify(a.publicKey, ascii('text'), signature)).toBe(true);
      expect(crypto.ecdsaVerify(b.publicKey, ascii('text'), signature)).toBe(false);
      for (let end = 0; end < signature.length; end += 5)
        expect(crypto.ecdsaVerify(a.publicKey, ascii('text'), signature.subarray(0, end))).toBe(false);
      expect(crypto.ecdsaVerify(a.publicKey, ascii('text'), new Uint8Array(2 * size))).toBe(false);
    });

  it('what is no point of the curve, or no scalar, is refused', () => {
    const { privateKey, publicKey } = crypto.generateKeyPair('P-256');
    const other = crypto.generateKeyPair('P-384');
    const off = publicKey.point.slice();
    off[40]! ^= 1;
    for (const point of [off, new Uint8Array(64), publicKey.point.subarray(1), new Uint8Array(64).fill(255)]) {
      expect(crypto.ecdh(privateKey, { curve: 'P-256', point })).toBeUndefined();
      expect(crypto.ecdsaVerify({ curve: 'P-256', point }, ascii('text'), new Uint8Array(64).fill(1))).toBe(false);
    }
    expect(crypto.ecdh(privateKey, other.publicKey)).toBeUndefined();
    for (const scalar of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31).fill(1)])
      expect(() => crypto.ecdsaSign({ curve: 'P-256', scalar }, ascii('text'))).toThrow(MisuseError);
  });
});

it('equality and random bytes', () => {
  expect(crypto.equal(ascii('abc'), ascii('abc'))).toBe(true);
  expect(crypto.equal(ascii('abc'), ascii('abd'))).toBe(false);
  expect(crypto.equal(ascii('abc'), ascii('abcd'))).toBe(false);
  expect(crypto.equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  const random = crypto.randomBytes(32);
  expect(random).toHaveLength(32);
  expect(toHex(random)).not.toBe(toHex(crypto.randomBytes(32)));
});
