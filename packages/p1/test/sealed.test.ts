/** Ciphered telegrams (Luxembourg, parts of Austria): right keys, none, wrong ones, lost octets. */
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { describe, expect, test } from 'vitest';
import { explainTelegram, sealTelegram } from '../src/index.ts';
import { join, telegram, V5 } from './build.ts';
import { listen } from './cases.ts';

const key = fromHex('0123456789abcdef0123456789abcdef');
const authKey = fromHex('ffeeddccbbaa99887766554433221100');
const PUBLISHED = fromHex('00112233445566778899aabbccddeeff');
const systemTitle = fromHex('5341470500000001');
const plain = telegram(V5, { header: '/Lux5\\253694471_M' });
const seal = (n: number, pair: { key: Uint8Array; authKey?: Uint8Array } = { key, authKey }) =>
  sealTelegram(plain, pair, { systemTitle, invocationCounter: n }, nodeCrypto);
const ring = (...pairs: { key: Uint8Array; authKey?: Uint8Array }[]) => ({
  keys: { candidates: () => pairs },
  crypto: nodeCrypto,
});
const frames = join(seal(1), seal(2), seal(3));

describe('ciphered telegrams', () => {
  test('with both keys, in pieces of any size', () => {
    for (const piece of [1 << 16, 100, 1]) {
      const { messages, drops } = listen(frames, ring({ key, authKey }), piece);
      expect(messages.map((m) => [m.meterId, m.meterTime, m.flags])).toEqual(
        Array(3).fill(['E0044007131650618', '2022-05-28T15:17:29S', []]),
      );
      expect(drops).toEqual([]);
      expect(new Set(messages.map((m) => m.id)).size).toBe(3);
      expect(toHex(messages[0]?.raw as Uint8Array)).toBe(toHex(seal(1)));
    }
  });
  test('without the authentication key they are read, and flagged', () => {
    expect(listen(frames, ring({ key })).messages.map((m) => m.flags)).toEqual(
      Array(3).fill([['notAuthenticated']].flat()),
    );
  });
  test('with the additional data that Luxembourg has published, no authentication key is needed', () => {
    expect(listen(seal(1, { key, authKey: PUBLISHED }), ring({ key })).messages.map((m) => m.flags)).toEqual([[]]);
  });
  test('no key: a message with error and bytes', () => {
    const { messages } = listen(seal(1));
    expect(messages).toMatchObject([{ error: { reason: 'noKey' }, items: [], values: [] }]);
    expect(toHex(messages[0]?.raw as Uint8Array)).toBe(toHex(seal(1)));
    expect(listen(seal(1), ring()).messages).toMatchObject([{ error: { reason: 'noKey' } }]);
  });
  test('a wrong key, a wrong authentication key: loudly', () => {
    const other = fromHex('00000000000000000000000000000001');
    for (const pair of [{ key: other }, { key: other, authKey }, { key, authKey: other }])
      expect(listen(frames, ring(pair)).messages.map((m) => m.error?.reason)).toEqual(Array(3).fill('wrongKey'));
  });
  test('several keys: the one that fits', () => {
    const other = { key: fromHex('00000000000000000000000000000001'), authKey };
    expect(listen(frames, ring(other, { key, authKey })).messages.map((m) => m.flags)).toEqual([[], [], []]);
  });
  test('lost octets cost one frame', () => {
    const first = seal(1);
    const { messages, drops } = listen(
      join(first.slice(0, 50), first.slice(70), seal(2), seal(3)),
      ring({ key, authKey }),
    );
    expect(messages.map((m) => m.error)).toEqual([undefined, undefined]);
    expect(drops).toMatchObject([{ reason: 'truncated', offset: 0, length: first.length - 20 }]);
    const cut = listen(join(seal(1).slice(0, 40)), ring({ key, authKey }));
    expect(cut.drops).toMatchObject([{ reason: 'truncated', length: 40 }]);
  });
  test('a check sum that is wrong inside is a refused telegram', () => {
    const odd = sealTelegram(
      telegram(V5, { crc: '0000' }),
      { key, authKey },
      { systemTitle, invocationCounter: 9 },
      nodeCrypto,
    );
    expect(listen(odd, ring({ key, authKey }))).toMatchObject({ messages: [], drops: [{ reason: 'crc' }] });
    const bad = listen(odd, { ...ring({ key, authKey }), bad: true });
    expect(bad.messages).toMatchObject([
      { flags: ['checksumBad'], error: { reason: 'crc' }, meterId: 'E0044007131650618' },
    ]);
  });
  test('explained as the APDU that it is', () => {
    const fields = explainTelegram(seal(1));
    expect(fields.reduce((n, f) => n + f.length, 0)).toBe(seal(1).length);
  });
});
