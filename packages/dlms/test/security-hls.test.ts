/** Authentication: f(StoC) and f(CtoS) of mechanisms 2 to 7 against the examples and against each other. */
import { createCipheriv, createHash } from 'node:crypto';
import { fromHex, MisuseError, PeerError, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { describe, expect, it } from 'vitest';
import {
  aesEcbManufacturer,
  type HlsMechanism,
  type HlsParameters,
  hlsCheck,
  hlsReply,
  llsCheck,
  makeChallenge,
  memoryCounter,
} from '../src/index.ts';

const clientSystemTitle = fromHex('4D4D4D0000000001');
const serverSystemTitle = fromHex('4D4D4D0000BC614E');
const clientChallenge = fromHex('4B35366956616759');
const serverChallenge = fromHex('503677524A323146');
const unicast = fromHex('000102030405060708090A0B0C0D0E0F');
const authentication = fromHex('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF');
const secret = new TextEncoder().encode('Gurux');
const pair = { client: nodeCrypto.generateKeyPair('P-256'), server: nodeCrypto.generateKeyPair('P-256') };

function parameters(
  mechanism: HlsMechanism,
  role: 'client' | 'server',
  changes: Partial<HlsParameters> = {},
): HlsParameters {
  const peer = role === 'client' ? 'server' : 'client';
  return {
    mechanism,
    role,
    crypto: nodeCrypto,
    clientChallenge,
    serverChallenge,
    clientSystemTitle,
    serverSystemTitle,
    secret,
    manufacturer: aesEcbManufacturer,
    gmac: { suite: 0, unicast, authentication, counter: memoryCounter(1) },
    signing: pair[role].privateKey,
    peerSigning: pair[peer].publicKey,
    ...changes,
  };
}

const md = (name: string, ...parts: Uint8Array[]) => createHash(name).update(Buffer.concat(parts)).digest('hex');

describe('what is answered', () => {
  it('GMAC: the example of the Green Book, f(StoC) with IC 1', () => {
    expect(toHex(hlsReply(parameters(5, 'client')))).toBe('10000000011a52fe7dd3e72748973c1e28');
  });

  it('MD5 and SHA-1: the challenge, then the secret', () => {
    expect(toHex(hlsReply(parameters(3, 'client')))).toBe(md('md5', serverChallenge, secret));
    expect(toHex(hlsReply(parameters(3, 'server')))).toBe(md('md5', clientChallenge, secret));
    expect(toHex(hlsReply(parameters(4, 'client')))).toBe(md('sha1', serverChallenge, secret));
  });

  it('SHA-256: the secret, who answers, who asked, what was asked, what was asked of the other', () => {
    expect(toHex(hlsReply(parameters(6, 'client')))).toBe(
      md('sha256', secret, clientSystemTitle, serverSystemTitle, serverChallenge, clientChallenge),
    );
    expect(toHex(hlsReply(parameters(6, 'server')))).toBe(
      md('sha256', secret, serverSystemTitle, clientSystemTitle, clientChallenge, serverChallenge),
    );
  });

  it('ECDSA: both titles and both challenges', () => {
    const signature = hlsReply(parameters(7, 'server'));
    const text = Buffer.concat([serverSystemTitle, clientSystemTitle, clientChallenge, serverChallenge]);
    expect(nodeCrypto.ecdsaVerify(pair.server.publicKey, text, signature)).toBe(true);
  });

  it('a maker: AES-128 in ECB of the challenge under the secret filled with zeros', () => {
    const challenge = new Uint8Array(16).map((_, i) => i);
    const cipher = createCipheriv('aes-128-ecb', Buffer.concat([secret, Buffer.alloc(11)]), null).setAutoPadding(false);
    const expected = cipher.update(challenge).toString('hex');
    expect(toHex(hlsReply(parameters(2, 'client', { serverChallenge: challenge })))).toBe(expected);
    const own = () => new Uint8Array([1, 2, 3]);
    expect(hlsReply(parameters(2, 'client', { manufacturer: own }))).toEqual(own());
    expect(aesEcbManufacturer(secret, new Uint8Array(20), nodeCrypto)).toHaveLength(32);
  });
});

describe('both ends', () => {
  for (const mechanism of [2, 3, 4, 5, 6, 7] as const)
    it(`mechanism ${mechanism}: each end accepts the other, and nothing else`, () => {
      for (const [role, peer] of [
        ['client', 'server'],
        ['server', 'client'],
      ] as const) {
        const reply = hlsReply(parameters(mechanism, role));
        const check = (received: Uint8Array, changes: Partial<HlsParameters> = {}) =>
          hlsCheck(parameters(mechanism, peer, changes), received);
        expect(check(reply)).toBe(true);
        for (let bit = 0; bit < reply.length * 8; bit += 3) {
          const changed = reply.slice();
          changed[bit >> 3]! ^= 1 << (bit & 7);
          expect(check(changed)).toBe(false);
        }
        for (let end = 0; end < reply.length; end++) expect(check(reply.subarray(0, end))).toBe(false);
        expect(check(new Uint8Array([...reply, 0]))).toBe(false);
        expect(hlsCheck(parameters(mechanism, role), reply)).toBe(false);
        const other = new Uint8Array(16).fill(9);
        expect(check(reply, role === 'client' ? { serverChallenge: other } : { clientChallenge: other })).toBe(false);
        if (mechanism >= 5)
          expect(check(reply, { clientSystemTitle: serverSystemTitle, serverSystemTitle: clientSystemTitle })).toBe(
            false,
          );
        if (mechanism === 2 || mechanism === 3 || mechanism === 4 || mechanism === 6)
          expect(check(reply, { secret: new TextEncoder().encode('gurux') })).toBe(false);
      }
    });

  it('GMAC in suites 1 and 2 names its suite', () => {
    const wide = (key: Uint8Array) => new Uint8Array([...key, ...key]);
    const gmac = {
      suite: 2,
      unicast: wide(unicast),
      authentication: wide(authentication),
      counter: memoryCounter(7),
    } as const;
    const reply = hlsReply(parameters(5, 'client', { gmac }));
    expect(toHex(reply.subarray(0, 5))).toBe('1200000007');
    expect(hlsCheck(parameters(5, 'server', { gmac }), reply)).toBe(true);
    expect(hlsCheck(parameters(5, 'server'), reply)).toBe(false);
    expect(() => hlsReply(parameters(5, 'client', { gmac: { ...gmac, suite: 0 } }))).toThrow(MisuseError);
  });
});

describe('challenges', () => {
  it('one that is sent back, or too short, or too long, is never answered', () => {
    for (const challenge of [clientChallenge, new Uint8Array(7), new Uint8Array(65)])
      for (const mechanism of [2, 3, 4, 5, 6, 7] as const) {
        const changes = { serverChallenge: challenge };
        expect(() => hlsReply(parameters(mechanism, 'client', changes))).toThrow(PeerError);
        expect(hlsCheck(parameters(mechanism, 'client', changes), new Uint8Array(17))).toBe(false);
      }
  });

  it('are fresh, of 16 bytes unless said, 32 for ECDSA', () => {
    expect(makeChallenge(nodeCrypto, 5)).toHaveLength(16);
    expect(makeChallenge(nodeCrypto, 7)).toHaveLength(32);
    expect(makeChallenge(nodeCrypto, 3, 64)).toHaveLength(64);
    expect(toHex(makeChallenge(nodeCrypto, 5))).not.toBe(toHex(makeChallenge(nodeCrypto, 5)));
    for (const [mechanism, length] of [
      [5, 7],
      [5, 65],
      [7, 31],
      [5, 8.5],
    ] as const)
      expect(() => makeChallenge(nodeCrypto, mechanism, length)).toThrow(MisuseError);
  });
});

it('a missing secret, key or function is named', () => {
  const gone = (mechanism: HlsMechanism, name: keyof HlsParameters) => () => {
    const all = { ...parameters(mechanism, 'client') } as Record<string, unknown>;
    delete all[name];
    hlsReply(all as unknown as HlsParameters);
  };
  expect(gone(3, 'secret')).toThrow(/mechanism 3 needs a secret/);
  expect(gone(2, 'manufacturer')).toThrow(/maker/);
  expect(gone(5, 'gmac')).toThrow(/keys/);
  expect(gone(6, 'serverSystemTitle')).toThrow(/server's system title/);
  expect(gone(7, 'signing')).toThrow(/signature key/);
});

it('passwords', () => {
  expect(llsCheck(nodeCrypto, secret, secret.slice())).toBe(true);
  for (const wrong of ['', 'G', 'gurux', 'Gurux ', 'Guruy'])
    expect(llsCheck(nodeCrypto, secret, new TextEncoder().encode(wrong))).toBe(false);
});
