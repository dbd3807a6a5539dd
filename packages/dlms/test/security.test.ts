/**
 * Suite 0 against the machine's own AES-GCM. The example of the Green Book (IEC 62056-5-3 clause 5.3.4, table of ciphered
 * xDLMS APDUs) fixes nonce, additional data and tag; the rest goes there and back.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AesGcm,
  decipher,
  decodeApdu,
  encipher,
  encodeApdu,
  type GeneralCiphering,
  looksLikeApdu,
} from '../src/index.ts';

const crypto: AesGcm = {
  gcmDecrypt(key, iv, aad, ciphertext, tag) {
    const d = createDecipheriv('aes-128-gcm', key, iv, { authTagLength: tag?.length ?? 16 });
    d.setAAD(aad);
    if (tag) d.setAuthTag(tag);
    const plain = new Uint8Array(d.update(ciphertext));
    try {
      if (tag) d.final();
    } catch {
      return undefined;
    }
    return plain;
  },
  gcmEncrypt(key, iv, aad, plaintext, tagLength) {
    const c = createCipheriv('aes-128-gcm', key, iv, { authTagLength: tagLength || 16 });
    c.setAAD(aad);
    const ciphertext = new Uint8Array(c.update(plaintext));
    c.final();
    return { ciphertext, tag: new Uint8Array(c.getAuthTag()).subarray(0, tagLength) };
  },
};

const key = fromHex('000102030405060708090A0B0C0D0E0F');
const authKey = fromHex('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF');
const systemTitle = fromHex('4D4D4D0000BC614E');
const invocationCounter = 0x01234567;
/** A get-request of the clock's time, as in the example. */
const plain = fromHex('C0010000080000010000FF0200');
const notification = fromHex('0F4000000000 0201 0600002611');

describe('the example of the Green Book', () => {
  const expected: [security: number, content: string][] = [
    [0x10, '1001234567 C0010000080000010000FF0200 06725D910F9221D263877516'],
    [0x20, '2001234567 411312FF935A47566827C467BC'],
    [0x30, '3001234567 411312FF935A47566827C467BC 7D825C3BE4A77C3FCC056B6B'],
  ];
  for (const [security, content] of expected)
    it(`security control ${security.toString(16)}`, () => {
      const sealed = encipher(plain, { key, authKey }, { systemTitle, invocationCounter, security }, crypto);
      expect(toHex(sealed.content)).toBe(toHex(fromHex(content)));
    });
});

describe('deciphering', () => {
  const seal = (security: number, pair = { key, authKey }): GeneralCiphering => {
    const sealed = encipher(notification, pair, { systemTitle, invocationCounter, security }, crypto);
    const read = decodeApdu(encodeApdu(sealed));
    expect(read).toEqual(sealed);
    return read as GeneralCiphering;
  };
  const wrong = new Uint8Array(16).fill(7);

  it('with the right keys, checked', () => {
    for (const security of [0x10, 0x30])
      expect(decipher(seal(security), [{ key, authKey }], crypto)).toMatchObject({
        ok: true,
        plain: notification,
        authenticated: true,
        invocationCounter,
        systemTitle,
      });
  });
  it('without a tag, or without the key to check it, says so', () => {
    expect(decipher(seal(0x20), [{ key, authKey }], crypto)).toMatchObject({
      ok: true,
      plain: notification,
      authenticated: false,
    });
    expect(decipher(seal(0x30), [{ key }], crypto)).toMatchObject({
      ok: true,
      plain: notification,
      authenticated: false,
    });
    expect(decipher(seal(0x10), [{ key }], crypto)).toMatchObject({
      ok: true,
      plain: notification,
      authenticated: false,
    });
  });
  it('that is only authenticated is read without any key, unchecked', () => {
    expect(decipher(seal(0x10), [], crypto)).toMatchObject({ ok: true, plain: notification, authenticated: false });
    expect(decipher(seal(0x30), [], crypto)).toMatchObject({ ok: false, reason: 'noKey' });
  });
  it('with a wrong key or authentication key fails as wrongKey', () => {
    expect(decipher(seal(0x30), [{ key: wrong, authKey }], crypto)).toMatchObject({ ok: false, reason: 'wrongKey' });
    expect(decipher(seal(0x30), [{ key, authKey: wrong }], crypto)).toMatchObject({ ok: false, reason: 'wrongKey' });
    expect(decipher(seal(0x10), [{ key, authKey: wrong }], crypto)).toMatchObject({ ok: false, reason: 'wrongKey' });
    expect(decipher(seal(0x30), [{ key: wrong }], crypto)).toMatchObject({ ok: false, reason: 'wrongKey' });
    expect(decipher(seal(0x20), [{ key: wrong }], crypto)).toMatchObject({ ok: false, reason: 'wrongKey' });
  });
  it('without any key fails as noKey', () => {
    expect(decipher(seal(0x30), [], crypto)).toMatchObject({
      ok: false,
      reason: 'noKey',
      systemTitle,
      invocationCounter,
    });
  });
  it('tries one key after the other', () => {
    const result = decipher(seal(0x30), [{ key: wrong }, { key, authKey: wrong }, { key, authKey }], crypto);
    expect(result).toMatchObject({ ok: true, authenticated: true, key: { key, authKey } });
  });
  it('plain in an envelope needs no key', () => {
    expect(decipher(seal(0x00), [], crypto)).toMatchObject({ ok: true, plain: notification, authenticated: false });
  });
  it('takes the title of the association where the envelope has none', () => {
    const sealed = { ...seal(0x30), systemTitle: new Uint8Array(0) };
    expect(decipher(sealed, [{ key, authKey }], crypto, systemTitle)).toMatchObject({ ok: true });
    expect(() => decipher(sealed, [{ key, authKey }], crypto)).toThrow(/system title is missing/);
  });
  it('refuses other suites, compression and envelopes without room', () => {
    for (const content of ['3100000001', 'B000000001', '3000000001AABB', '30'])
      expect(() => decipher({ ...seal(0x30), content: fromHex(content) }, [{ key }], crypto)).toThrow(DecodeError);
  });
  it('any damage under a checked tag is wrongKey, never plain text', () => {
    const sealed = seal(0x30);
    fc.assert(
      fc.property(fc.nat(sealed.content.length - 2), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const content = sealed.content.slice();
        content[at + 1] = (content[at + 1] as number) ^ flip;
        expect(decipher({ ...sealed, content }, [{ key, authKey }], crypto).ok).toBe(false);
      }),
    );
  });
});

it('plain text is told from noise', () => {
  expect(looksLikeApdu(notification)).toBe(true);
  // A plain generator, since noise made for tests likes noughts and small numbers.
  let state = 1;
  const noise = new Uint8Array(40);
  let passed = 0;
  for (let run = 0; run < 20_000; run++) {
    for (let i = 0; i < noise.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      noise[i] = state >>> 24;
    }
    if (looksLikeApdu(noise)) passed++;
  }
  expect(passed).toBeLessThan(3);
});
