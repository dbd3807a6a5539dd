/**
 * Security contexts: the examples of the Green Book, every suite with every form and protection there and back, and what
 * an attacker would try.
 */
import { fromHex, MisuseError, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CipheringForm,
  createSecurityContext,
  decodeApdu,
  type KeyInfoMethod,
  memoryCounter,
  memoryPeerCounter,
  type Protection,
  policyProtection,
  type SecurityContext,
  type SecurityContextOptions,
  type SecuritySuite,
  satisfies,
  securityPolicy,
  type Unprotected,
} from '../src/index.ts';

const CLIENT = fromHex('4D4D4D0000BC614E');
const SERVER = fromHex('4D4D4D0000000001');
const GET = fromHex('C0010000080000010000FF0200');
const AUTH = { authenticated: true, encrypted: false };
const ENC = { authenticated: false, encrypted: true };
const BOTH = { authenticated: true, encrypted: true };
const NONE = { authenticated: false, encrypted: false };

const KEY16 = {
  unicast: fromHex('000102030405060708090A0B0C0D0E0F'),
  broadcast: fromHex('0F0E0D0C0B0A09080706050403020100'),
  authentication: fromHex('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF'),
  master: fromHex('31313131313131313131313131313131'),
};
const long = (key: Uint8Array) => new Uint8Array([...key, ...key]);
const KEY32 = {
  unicast: long(KEY16.unicast),
  broadcast: long(KEY16.broadcast),
  authentication: long(KEY16.authentication),
  master: long(KEY16.master),
};
const DEDICATED = fromHex('00112233445566778899AABBCCDDEEFF');

function pairs(curve: 'P-256' | 'P-384') {
  const make = () => nodeCrypto.generateKeyPair(curve);
  return { clientSign: make(), clientAgree: make(), serverSign: make(), serverAgree: make() };
}
const EC = { 1: pairs('P-256'), 2: pairs('P-384') };

type Changes = Partial<SecurityContextOptions>;

function context(role: 'client' | 'server', suite: SecuritySuite, changes: Changes = {}): SecurityContext {
  const client = role === 'client';
  const ec = suite === 0 ? undefined : EC[suite];
  const keys = suite === 2 ? KEY32 : KEY16;
  return createSecurityContext({
    suite,
    role,
    ownSystemTitle: client ? CLIENT : SERVER,
    peerSystemTitle: client ? SERVER : CLIENT,
    keys: ec
      ? {
          ...keys,
          signing: (client ? ec.clientSign : ec.serverSign).privateKey,
          agreement: (client ? ec.clientAgree : ec.serverAgree).privateKey,
          peerSigning: (client ? ec.serverSign : ec.clientSign).publicKey,
          peerAgreement: (client ? ec.serverAgree : ec.clientAgree).publicKey,
        }
      : keys,
    dedicatedKey: suite === 2 ? long(DEDICATED) : DEDICATED,
    send: BOTH,
    require: BOTH,
    form: 'service-specific-global',
    counter: memoryCounter(),
    peerCounter: memoryPeerCounter(),
    broadcastCounter: memoryCounter(),
    crypto: nodeCrypto,
    ...changes,
  });
}

function both(suite: SecuritySuite, changes: Changes = {}): { client: SecurityContext; server: SecurityContext } {
  const own = () => ({ counter: memoryCounter(), peerCounter: memoryPeerCounter() });
  return {
    client: context('client', suite, { ...own(), ...changes }),
    server: context('server', suite, { ...own(), ...changes }),
  };
}

const reason = (result: Unprotected) => (result.ok ? 'ok' : result.reason);

describe('examples of the Green Book', () => {
  const at = (send: Protection, more: Changes = {}) =>
    context('client', 0, { send, counter: memoryCounter(0x01234567), ...more });

  it('get-request, the three protections', () => {
    expect(toHex(at(AUTH).protect(GET))).toBe('c81e1001234567c0010000080000010000ff020006725d910f9221d263877516');
    expect(toHex(at(ENC).protect(GET))).toBe('c8122001234567411312ff935a47566827c467bc');
    expect(toHex(at(BOTH).protect(GET))).toBe('c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b');
  });

  it('initiate-request with a dedicated key, whatever form the association has', () => {
    const plain = fromHex('01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0');
    const ciphered =
      '21303001234567801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855';
    for (const form of ['service-specific-global', 'service-specific-dedicated', 'general-global'] as const)
      expect(toHex(at(BOTH, { form }).protect(plain))).toBe(ciphered);
    const server = context('server', 0);
    expect(server.unprotect(fromHex(ciphered))).toMatchObject({
      ok: true,
      plain,
      wasProtected: true,
      control: 0x30,
      invocationCounter: 0x01234567,
    });
  });
});

const FORMS: readonly [CipheringForm, KeyInfoMethod | undefined][] = [
  ['service-specific-global', undefined],
  ['service-specific-dedicated', undefined],
  ['general-global', undefined],
  ['general-dedicated', undefined],
  ['general-ciphering', 'identified'],
  ['general-ciphering', 'wrapped'],
  ['general-ciphering', 'one-pass-dh'],
  ['general-ciphering', 'static-dh'],
];
const PROTECTIONS: readonly Protection[] = [AUTH, ENC, BOTH];
/** get-request, get-response, ACCESS, Data-Notification, initiate-response. */
const PLAINS = ['C001', 'C401C1000600BC614E', 'D94000000000', '0F40000000000600002611', '0800065F1F0400007E1F04B00007'];

describe('there and back', () => {
  for (const suite of [0, 1, 2] as const)
    for (const [form, keyInfo] of FORMS) {
      if (suite === 0 && (keyInfo === 'one-pass-dh' || keyInfo === 'static-dh')) continue;
      it(`suite ${suite}, ${form} ${keyInfo ?? ''}`, () => {
        for (const send of PROTECTIONS) {
          const { client, server } = both(suite, { form, send, require: send, ...(keyInfo ? { keyInfo } : {}) });
          for (const hex of PLAINS) {
            const plain = fromHex(hex);
            const there = client.protect(plain);
            expect(server.unprotect(there)).toMatchObject({ ok: true, plain, protection: send, wasProtected: true });
            // The general codec reads the same envelope.
            expect(decodeApdu(there).type).toMatch(/cipher/);
            const back = server.protect(plain);
            expect(client.unprotect(back)).toMatchObject({ ok: true, plain });
          }
        }
      });
    }

  for (const suite of [1, 2] as const)
    for (const signing of ['inside', 'outside'] as const)
      for (const form of ['service-specific-global', 'general-ciphering'] as const)
        it(`suite ${suite} signed ${signing} of ${form}`, () => {
          for (const protection of [NONE, AUTH, BOTH]) {
            const send = { ...protection, signed: true };
            const { client, server } = both(suite, { form, send, require: send, signing });
            const there = client.protect(GET);
            expect(there[0]).toBe(
              protection === NONE || signing === 'outside' ? 0xdf : form === 'general-ciphering' ? 0xdd : 0xdb,
            );
            expect(server.unprotect(there)).toMatchObject({
              ok: true,
              plain: GET,
              protection: send,
              systemTitle: CLIENT,
            });
            expect(reason(server.unprotect(there))).toBe('replay');
          }
        });

  it('any text, any counter', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.constantFrom(...PROTECTIONS),
        fc.constantFrom(0 as const, 2 as const),
        (tail, first, send, suite) => {
          const { client, server } = both(suite, { send, require: send, counter: memoryCounter(first) });
          const plain = new Uint8Array([0xc4, ...tail]);
          expect(server.unprotect(client.protect(plain))).toMatchObject({ ok: true, plain, invocationCounter: first });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('the broadcast key has its own bit, key and numbers', () => {
    for (const form of ['general-global', 'general-ciphering', 'service-specific-global'] as const) {
      const { client, server } = both(0, { form });
      const sent = client.protect(GET, { broadcast: true });
      expect(server.unprotect(sent)).toMatchObject({
        ok: true,
        plain: GET,
        control: form === 'general-ciphering' ? 0x30 : 0x70,
      });
      expect(reason(server.unprotect(sent))).toBe('replay');
      expect(reason(server.unprotect(client.protect(GET)))).toBe('ok');
    }
    const { broadcast: _, ...without } = KEY16;
    expect(
      reason(context('server', 0, { keys: without }).unprotect(context('client', 0).protect(GET, { broadcast: true }))),
    ).toBe('noKey');
    expect(() => context('client', 0, { keys: without }).protect(GET, { broadcast: true })).toThrow(MisuseError);
  });

  it('a client takes nothing under the broadcast key, which every meter has', () => {
    for (const form of ['general-global', 'general-ciphering'] as const) {
      const { client, server } = both(0, { form });
      expect(reason(client.unprotect(server.protect(GET, { broadcast: true })))).toBe('malformed');
    }
  });

  it('both ways of encoding the algorithm for agreed keys', () => {
    for (const keyInfo of ['one-pass-dh', 'static-dh'] as const) {
      const changes = { form: 'general-ciphering', keyInfo } as const;
      const printed = both(1, { ...changes, algorithmArc: 6 });
      expect(reason(printed.server.unprotect(printed.client.protect(GET)))).toBe('ok');
      expect(reason(both(1, changes).server.unprotect(printed.client.protect(GET)))).toBe('wrongKey');
    }
  });

  it('a server answers in the transaction of the request', () => {
    const { client, server } = both(1, { form: 'general-ciphering', keyInfo: 'static-dh' });
    const request = client.protect(GET);
    expect(reason(server.unprotect(request))).toBe('ok');
    const answers = [server.protect(fromHex('C401')), server.protect(fromHex('C402'))];
    for (const answer of answers) {
      expect(toHex(answer.subarray(1, 10))).toBe(toHex(request.subarray(1, 10)));
      expect(reason(client.unprotect(answer))).toBe('ok');
    }
    expect(answers.map((answer) => reason(client.unprotect(answer)))).toEqual(['replay', 'replay']);
  });

  it('the dialect of Gurux leaves the fields out of tag and signature', () => {
    const send = { ...BOTH, signed: true };
    for (const changes of [{ form: 'general-ciphering' }, { send, require: send }] as const) {
      const gurux = both(1, { ...changes, dialect: 'gurux' });
      const standard = both(1, changes);
      expect(reason(gurux.server.unprotect(gurux.client.protect(GET)))).toBe('ok');
      expect(reason(standard.server.unprotect(gurux.client.protect(GET)))).not.toBe('ok');
      expect(reason(gurux.server.unprotect(standard.client.protect(GET)))).not.toBe('ok');
    }
  });
});

describe('what an attacker would try', () => {
  it('every changed bit is refused where there is a tag or a signature', () => {
    const cases: [SecuritySuite, Changes][] = [
      [0, { send: AUTH, require: AUTH }],
      [2, { form: 'general-global' }],
      [0, { form: 'general-dedicated' }],
      [0, { form: 'general-ciphering', keyInfo: 'wrapped' }],
      [1, { form: 'general-ciphering', keyInfo: 'static-dh' }],
      [1, { form: 'general-ciphering', keyInfo: 'one-pass-dh' }],
      [1, { send: { ...NONE, signed: true }, require: { ...NONE, signed: true } }],
    ];
    for (const [suite, changes] of cases) {
      const { client, server } = both(suite, changes);
      const sent = client.protect(GET);
      const step = suite === 1 ? 5 : 1;
      for (let bit = 0; bit < sent.length * 8; bit += step) {
        const changed = sent.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(reason(server.unprotect(changed)), `bit ${bit}`).not.toBe('ok');
      }
      expect(reason(server.unprotect(sent))).toBe('ok');
    }
  });

  it('every cut and every tail', () => {
    for (const form of ['service-specific-global', 'general-global', 'general-ciphering'] as const) {
      const { client, server } = both(0, { form });
      const sent = client.protect(GET);
      for (let end = 0; end < sent.length; end++)
        expect(reason(server.unprotect(sent.subarray(0, end)))).not.toBe('ok');
      expect(reason(server.unprotect(new Uint8Array([...sent, 0])))).toBe('malformed');
      expect(reason(server.unprotect(sent))).toBe('ok');
    }
  });

  it('a truncated tag, with lengths put right', () => {
    for (let kept = 0; kept < 12; kept++) {
      const content = context('client', 0)
        .protect(new Uint8Array([0xc0]))
        .subarray(2, 2 + 5 + 1 + kept);
      const apdu = new Uint8Array([0xc8, content.length, ...content]);
      expect(reason(context('server', 0).unprotect(apdu))).toMatch(/malformed|wrongKey/);
    }
  });

  it('repeated and lower counters; 0 may be the first', () => {
    const { client, server } = both(0);
    const sent = [client.protect(GET), client.protect(GET), client.protect(GET)];
    expect(server.unprotect(sent[0]!)).toMatchObject({ ok: true, invocationCounter: 0 });
    expect(server.unprotect(sent[0]!)).toMatchObject({ reason: 'replay', expectedCounter: 1, receivedCounter: 0 });
    expect(reason(server.unprotect(sent[2]!))).toBe('ok');
    expect(server.unprotect(sent[1]!)).toMatchObject({ reason: 'replay', expectedCounter: 3, receivedCounter: 1 });
  });

  it('the last counter is the last', () => {
    const { client, server } = both(0, { counter: memoryCounter(0xffffffff) });
    const sent = client.protect(GET);
    expect(reason(server.unprotect(sent))).toBe('ok');
    expect(server.unprotect(sent)).toMatchObject({ reason: 'replay', expectedCounter: 0x1_0000_0000 });
    expect(() => client.protect(GET)).toThrow(/new key/);
  });

  it('a forged message moves no counter', () => {
    const server = context('server', 0);
    const forged = context('client', 0, { counter: memoryCounter(0xfffffff0), keys: { ...KEY16, unicast: DEDICATED } });
    expect(reason(server.unprotect(forged.protect(GET)))).toBe('wrongKey');
    // Encrypted without a tag: anybody can make bytes that decipher to something.
    for (const send of [ENC, NONE])
      expect(
        reason(server.unprotect(context('client', 0, { send, counter: memoryCounter(0xfffffff0) }).protect(GET))),
      ).toBe('downgrade');
    expect(server.unprotect(new Uint8Array([0xc8, 18, 0x00, 0xff, 0xff, 0xff, 0xf0, ...GET]))).toMatchObject({
      reason: 'downgrade',
    });
    expect(reason(server.unprotect(context('client', 0).protect(GET)))).toBe('ok');
  });

  it('less protection than demanded, in every combination', () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
      authenticated: (bits & 1) !== 0,
      encrypted: (bits & 2) !== 0,
      signed: (bits & 4) !== 0,
    }));
    for (const require of all)
      for (const send of all) {
        const result = context('server', 1, { require }).unprotect(context('client', 1, { send }).protect(GET));
        expect(reason(result)).toBe(satisfies(send, require) ? 'ok' : 'downgrade');
      }
  });

  it('another suite, compression, reserved bits', () => {
    expect(reason(context('server', 1).unprotect(context('client', 0).protect(GET)))).toBe('downgrade');
    expect(reason(context('server', 0).unprotect(context('client', 1).protect(GET)))).toBe('unsupported');
    const compressed = context('client', 1).protect(GET);
    compressed[2]! |= 0x80;
    expect(context('server', 1).unprotect(compressed)).toMatchObject({
      reason: 'unsupported',
      text: expect.stringMatching(/V\.44/),
    });
    const unknown = context('client', 0).protect(GET);
    unknown[2]! |= 0x0f;
    expect(reason(context('server', 0).unprotect(unknown))).toBe('unsupported');
  });

  it('our own message sent back, another sender, another recipient', () => {
    for (const form of ['service-specific-global', 'general-global', 'general-ciphering'] as const) {
      const client = context('client', 0, { form });
      expect(reason(client.unprotect(client.protect(GET)))).toBe(
        form === 'service-specific-global' ? 'wrongKey' : 'foreign',
      );
    }
    const form = 'general-ciphering';
    const stranger = fromHex('5858580000000009');
    expect(
      reason(
        context('server', 0, { form }).unprotect(context('client', 0, { form, ownSystemTitle: stranger }).protect(GET)),
      ),
    ).toBe('foreign');
    expect(
      reason(
        context('server', 0, { form }).unprotect(
          context('client', 0, { form, peerSystemTitle: stranger }).protect(GET),
        ),
      ),
    ).toBe('foreign');
  });

  it('one service inside the envelope of another', () => {
    const sent = context('client', 0).protect(GET);
    // The tag of the envelope is under no authentication tag.
    sent[0] = 0xc9;
    expect(reason(context('server', 0).unprotect(sent))).toBe('malformed');
    sent[0] = 0xd0;
    expect(reason(context('server', 0).unprotect(sent))).toBe('wrongKey');
  });

  it('keys that came with a message come once, also across associations where the caller remembers', () => {
    for (const keyInfo of ['wrapped', 'one-pass-dh', 'static-dh'] as const) {
      const used = new Set<string>();
      const freshTransaction = (originator: Uint8Array, id: Uint8Array) => !used.has(toHex(originator) + toHex(id));
      const server = () => context('server', 1, { form: 'general-ciphering', freshTransaction });
      const sent = context('client', 1, { form: 'general-ciphering', keyInfo }).protect(GET);
      const first = server();
      expect(reason(first.unprotect(sent))).toBe('ok');
      expect(reason(first.unprotect(sent))).toBe('replay');
      expect(reason(server().unprotect(sent))).toBe('ok');
      used.add(toHex(CLIENT) + toHex(sent.subarray(2, 10)));
      expect(reason(server().unprotect(sent))).toBe('replay');
    }
  });

  it('an ephemeral key that the peer has not signed, or no point of the curve', () => {
    const changes = { form: 'general-ciphering', keyInfo: 'one-pass-dh' } as const;
    const other = nodeCrypto.generateKeyPair('P-256');
    const keys = { ...KEY16, signing: other.privateKey, peerAgreement: EC[1].serverAgree.publicKey };
    expect(reason(context('server', 1).unprotect(context('client', 1, { ...changes, keys }).protect(GET)))).toBe(
      'wrongSignature',
    );
    const bad = { curve: 'P-256', point: new Uint8Array(64).fill(7) } as const;
    const crypto = { ...nodeCrypto, generateKeyPair: () => ({ privateKey: other.privateKey, publicKey: bad }) };
    expect(reason(context('server', 1).unprotect(context('client', 1, { ...changes, crypto }).protect(GET)))).toBe(
      'malformed',
    );
  });

  it('envelopes inside each other without end', () => {
    let apdu = GET;
    for (let depth = 0; depth < 3; depth++) {
      apdu = context('client', 0, { form: 'general-global', counter: memoryCounter(10 - depth) }).protect(apdu);
    }
    expect(reason(context('server', 0).unprotect(apdu))).toBe('ok');
    for (let depth = 0; depth < 2; depth++)
      apdu = context('client', 0, { form: 'general-global', counter: memoryCounter(7 - depth) }).protect(apdu);
    expect(context('server', 0).unprotect(apdu)).toMatchObject({
      reason: 'malformed',
      text: expect.stringMatching(/layers/),
    });
  });

  it('random bytes, also behind the tag of an envelope', () => {
    const contexts = [context('server', 0), context('client', 1), context('server', 2)];
    const tags = [0x21, 0x28, 0x2e, 0x45, 0xc8, 0xcc, 0xd4, 0xdb, 0xdc, 0xdd, 0xdf, 0xd8, 0x61];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...tags), fc.nat(2), (bytes, tag, which) => {
        const context = contexts[which] as SecurityContext;
        const plain = context.unprotect(bytes);
        const tagged = context.unprotect(new Uint8Array([tag, bytes.length, ...bytes]));
        for (const result of [plain, tagged]) if (result.ok) expect(result.wasProtected).toBe(false);
      }),
      { numRuns: 500 },
    );
    for (const huge of ['c884ffffffff30', 'dbffff', 'dd08', 'df8480000000'])
      expect(reason(context('server', 1).unprotect(fromHex(huge)))).toBe('malformed');
  });
});

describe('what may come plain', () => {
  it('ACSE to both, exceptions and service errors to the client', () => {
    for (const tag of ['60', '61', '62', '63']) {
      const apdu = fromHex(`${tag}00`);
      for (const role of ['client', 'server'] as const)
        expect(context(role, 0).unprotect(apdu)).toMatchObject({ ok: true, plain: apdu, wasProtected: false });
    }
    for (const hex of ['D8010600000005', '0E01060D']) {
      expect(context('client', 0).unprotect(fromHex(hex))).toMatchObject({ ok: true, wasProtected: false });
      expect(reason(context('server', 0).unprotect(fromHex(hex)))).toBe('downgrade');
    }
  });

  it('the rest only when the caller allows it, or nothing is demanded', () => {
    const response = fromHex('0800065F1F0400007E1F04B00007');
    expect(reason(context('client', 0).unprotect(response))).toBe('downgrade');
    expect(context('client', 0).unprotect(response, { plainAllowed: true })).toMatchObject({
      ok: true,
      wasProtected: false,
    });
    expect(context('client', 0, { require: NONE, send: NONE }).unprotect(GET)).toMatchObject({
      ok: true,
      wasProtected: false,
    });
    expect(context('client', 0, { send: NONE }).protect(GET)).toEqual(GET);
    expect(reason(context('client', 0).unprotect(new Uint8Array(0)))).toBe('malformed');
  });
});

describe('titles, keys and dedicated keys', () => {
  it('the peer is known from the envelope or told later', () => {
    const options = { ownSystemTitle: SERVER } as const;
    const make = () => {
      const { peerSystemTitle: _, ...rest } = { ...options, peerSystemTitle: undefined };
      return createSecurityContext({
        suite: 0,
        role: 'server',
        keys: KEY16,
        send: BOTH,
        require: BOTH,
        form: 'general-global',
        counter: memoryCounter(),
        peerCounter: memoryPeerCounter(),
        crypto: nodeCrypto,
        ...rest,
      });
    };
    const client = context('client', 0);
    expect(reason(make().unprotect(client.protect(GET)))).toBe('foreign');
    const told = make();
    told.setPeerSystemTitle(CLIENT);
    expect(reason(told.unprotect(client.protect(GET)))).toBe('ok');
    expect(make().unprotect(context('client', 0, { form: 'general-global' }).protect(GET))).toMatchObject({
      ok: true,
      systemTitle: CLIENT,
    });
    expect(() => make().protect(GET)).not.toThrow();
  });

  it('a new dedicated key begins at 0 at both ends, and needs no global number', () => {
    const { client, server } = both(0, { form: 'service-specific-dedicated' });
    for (const end of [client, server]) end.setDedicatedKey(KEY16.master);
    const sent = client.protect(GET);
    expect(toHex(sent.subarray(0, 7))).toBe('d01e3000000000');
    expect(reason(server.unprotect(sent))).toBe('ok');
    expect(reason(server.unprotect(sent))).toBe('replay');
    const { dedicatedKey: _, ...rest } = { dedicatedKey: 0 };
    expect(rest).toEqual({});
    const bare = createSecurityContext({
      suite: 0,
      role: 'server',
      ownSystemTitle: SERVER,
      peerSystemTitle: CLIENT,
      keys: KEY16,
      send: BOTH,
      require: BOTH,
      form: 'service-specific-dedicated',
      counter: memoryCounter(),
      peerCounter: memoryPeerCounter(),
      crypto: nodeCrypto,
    });
    expect(reason(bare.unprotect(sent))).toBe('noKey');
    expect(() => bare.protect(GET)).toThrow(/dedicated/);
  });

  it('lengths and curves are checked at once', () => {
    const wrong: [SecuritySuite, Changes][] = [
      [0, { keys: KEY32 }],
      [2, { keys: KEY16 }],
      [0, { keys: { ...KEY16, authentication: new Uint8Array(15) } }],
      [0, { ownSystemTitle: new Uint8Array(7) }],
      [0, { dedicatedKey: new Uint8Array(32) }],
      [0, { keys: { ...KEY16, signing: EC[1].clientSign.privateKey } }],
      [2, { keys: { ...KEY32, signing: EC[1].clientSign.privateKey } }],
      [0, { send: { ...BOTH, signed: true } }],
    ];
    for (const [suite, changes] of wrong) expect(() => context('client', suite, changes)).toThrow(MisuseError);
    expect(() => context('client', 0).setPeerSystemTitle(new Uint8Array(9))).toThrow(MisuseError);
    expect(() => context('client', 0).setDedicatedKey(new Uint8Array(9))).toThrow(MisuseError);
  });
});

describe('security policies', () => {
  it('version 0 enumerates, version 1 has bits for each direction', () => {
    expect(policyProtection(0, 3, 'response')).toEqual({ ...BOTH, signed: false });
    expect(policyProtection(0, 2, 'request')).toEqual({ ...ENC, signed: false });
    expect(policyProtection(1, 0b0000_1100, 'request')).toEqual({ ...BOTH, signed: false });
    expect(policyProtection(1, 0b0000_1100, 'response')).toEqual({ ...NONE, signed: false });
    expect(policyProtection(1, 0b1010_0000, 'response')).toEqual({ ...AUTH, signed: true });
    for (let policy = 0; policy < 256; policy += 4)
      expect(securityPolicy(policyProtection(1, policy, 'request'), policyProtection(1, policy, 'response'))).toBe(
        policy,
      );
  });
});
