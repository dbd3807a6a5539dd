/** The server behind security: all suites and forms against the client, and what an attacker would try. */
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { describe, expect, test } from 'vitest';
import {
  type CipheringForm,
  type ClientProfile,
  createClientAssociation,
  createSecurityContext,
  memoryCounter,
  memoryPeerCounter,
  type Protection,
  type SecurityContext,
  type SecurityKeys,
  type SecuritySuite,
} from '../src/index.ts';
import { attribute, type FakeDevice, fakeDevice, finish, method, octets, PUBLIC, serverFor } from './server-device.ts';

const CLIENT = fromHex('4d4d4d0000bc614e');
const SERVER = fromHex('4d4d4d0000000001');
const BOTH: Protection = { authenticated: true, encrypted: true };
const NONE: Protection = { authenticated: false, encrypted: false };
const DEDICATED = fromHex('00112233445566778899aabbccddeeff');
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);
const long = (key: Uint8Array): Uint8Array => Uint8Array.of(...key, ...key);

function keysOf(suite: SecuritySuite): { server: SecurityKeys; client: SecurityKeys } {
  const unicast = fromHex('000102030405060708090a0b0c0d0e0f');
  const authentication = fromHex('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf');
  if (suite === 0) return { server: { unicast, authentication }, client: { unicast, authentication } };
  const curve = suite === 1 ? 'P-256' : 'P-384';
  const [a, b, c, d] = [1, 2, 3, 4].map(() => nodeCrypto.generateKeyPair(curve)) as [
    KeyPair,
    KeyPair,
    KeyPair,
    KeyPair,
  ];
  const shared =
    suite === 1
      ? { unicast, authentication, master: unicast }
      : { unicast: long(unicast), authentication: long(authentication), master: long(unicast) };
  return {
    server: {
      ...shared,
      signing: a.privateKey,
      agreement: b.privateKey,
      peerSigning: c.publicKey,
      peerAgreement: d.publicKey,
    },
    client: {
      ...shared,
      signing: c.privateKey,
      agreement: d.privateKey,
      peerSigning: a.publicKey,
      peerAgreement: b.publicKey,
    },
  };
}
type KeyPair = ReturnType<typeof nodeCrypto.generateKeyPair>;

interface Setup {
  readonly suite?: SecuritySuite;
  readonly form?: CipheringForm;
  readonly mechanism?: 0 | 5 | 7;
  readonly send?: Protection;
  readonly require?: Protection;
  readonly clientSends?: Protection;
  readonly dedicated?: boolean;
  readonly maxPduSize?: number;
}

function setup(options: Setup = {}) {
  const { suite = 0, form = 'service-specific-global', mechanism = 0, send = BOTH, dedicated = false } = options;
  const keys = keysOf(suite);
  const peerCounter = memoryPeerCounter();
  const profile: ClientProfile = {
    ...PUBLIC,
    applicationContexts: [3],
    mechanism,
    security: () => ({
      suite,
      ownSystemTitle: SERVER,
      keys: keys.server,
      send,
      require: options.require ?? BOTH,
      counter: memoryCounter(100),
      peerCounter,
      crypto: nodeCrypto,
    }),
  };
  const device = fakeDevice([profile]);
  device.values.set(2, fromHex('1105'));
  const server = serverFor(device);
  const clientContext = (changes: { start?: number; form?: CipheringForm; send?: Protection } = {}): SecurityContext =>
    createSecurityContext({
      suite,
      role: 'client',
      ownSystemTitle: CLIENT,
      peerSystemTitle: SERVER,
      keys: keys.client,
      send: changes.send ?? options.clientSends ?? BOTH,
      require: NONE,
      form: changes.form ?? form,
      counter: memoryCounter(changes.start ?? 10),
      peerCounter: memoryPeerCounter(),
      ...(dedicated && { dedicatedKey: suite === 2 ? long(DEDICATED) : DEDICATED }),
      crypto: nodeCrypto,
    });
  const client = createClientAssociation({
    security: clientContext(),
    systemTitle: CLIENT,
    crypto: nodeCrypto,
    maxPduSize: options.maxPduSize ?? 1024,
    ...(dedicated && { dedicatedKey: suite === 2 ? long(DEDICATED) : DEDICATED }),
    ...(mechanism !== 0 && {
      authentication: {
        mechanism,
        ...(keys.client.signing && { signing: keys.client.signing }),
        ...(keys.client.peerSigning && { peerSigning: keys.client.peerSigning }),
        gmac: {
          suite,
          unicast: keys.client.unicast,
          authentication: keys.client.authentication,
          counter: memoryCounter(1),
        },
      },
    }),
  } as Parameters<typeof createClientAssociation>[0]);
  return { client, server, device, peerCounter, clientContext };
}

function exchange({
  client,
  server,
  device,
}: {
  client: Client;
  server: ReturnType<typeof serverFor>;
  device: FakeDevice;
}) {
  const seen = { longest: 0 };
  expect(finish(client, server, client.associate(), seen)).toMatchObject({ ok: true });
  device.values.set(3, octets(500));
  expect(finish(client, server, client.get(attribute(2)), seen)).toMatchObject({ result: { data: fromHex('1105') } });
  expect(finish(client, server, client.get(attribute(3)), seen)).toMatchObject({ result: { data: octets(500) } });
  expect(finish(client, server, client.set(attribute(2), octets(300)), seen)).toMatchObject({ result: 0 });
  expect(device.values.get(2)).toEqual(octets(300));
  expect(finish(client, server, client.action(method(1), octets(400)), seen)).toMatchObject({
    result: { returned: { data: octets(400) } },
  });
  return seen;
}
type Client = ReturnType<typeof createClientAssociation>;

describe('both ends', () => {
  const forms: readonly CipheringForm[] = [
    'service-specific-global',
    'service-specific-dedicated',
    'general-global',
    'general-dedicated',
    'general-ciphering',
  ];
  const cases = ([0, 1, 2] as const).flatMap((suite) => forms.map((form) => [suite, form] as const));
  test.each(cases)('suite %i, %s: values of any length within the PDU size', (suite, form) => {
    const at = setup({ suite, form, dedicated: form.endsWith('dedicated'), maxPduSize: 300 });
    const seen = exchange(at);
    expect(seen.longest).toBeLessThanOrEqual(300);
    expect(finish(at.client, at.server, at.client.release(), seen)).toMatchObject({ ok: true });
    expect(at.server.status).toBe(0);
  });

  test.each([
    [0, 5],
    [1, 5],
    [1, 7],
    [2, 5],
    [2, 7],
  ] as const)('suite %i with mechanism %i', (suite, mechanism) => {
    exchange(setup({ suite, mechanism }));
  });

  test('signed both ways', () => {
    const signed = { ...BOTH, signed: true };
    exchange(setup({ suite: 1, form: 'general-ciphering', send: signed, require: signed, clientSends: signed }));
  });

  test('a policy of nothing answers as it was asked', () => {
    const at = setup({ send: NONE, require: NONE });
    at.server.receive(at.client.associate().send[0] as Uint8Array);
    const context = at.clientContext({ start: 50 });
    const get = fromHex('c001c100010000600100ff0200');
    expect(hex(at.server.receive(get))).toBe('c401c1001105');
    const answer = at.server.receive(context.protect(get)) as Uint8Array;
    expect(answer[0]).toBe(0xcc);
    expect(answer[2]).toBe(0x30);
    expect(context.unprotect(answer)).toMatchObject({ ok: true, plain: fromHex('c401c1001105') });
  });
});

test('a device may ask for more protection of an answer than policy and request have', () => {
  const at = setup({ send: NONE, require: NONE });
  at.server.receive(at.client.associate().send[0] as Uint8Array);
  const get = fromHex('c001c100010000600100ff0200');
  const ask = at.device.get;
  at.device.get = (attribute, context) => {
    expect(context.protectAnswer?.({ authenticated: true, encrypted: false })).toBe(true);
    return ask(attribute, context);
  };
  const answer = at.server.receive(get) as Uint8Array;
  expect([answer[0], answer[2]]).toEqual([0xcc, 0x10]);
  at.device.get = ask;
  expect(hex(at.server.receive(get))).toBe('c401c1001105');
});

describe('an attacker', () => {
  const get = fromHex('c001c100010000600100ff0200');

  function associated() {
    const at = setup();
    const request = at.client.associate().send[0] as Uint8Array;
    at.server.receive(request);
    expect(at.server.status).toBe(2);
    return { ...at, request, context: at.clientContext({ start: 20 }) };
  }

  test('replays a request: refused, and told which counter is fresh', () => {
    const { server, context } = associated();
    const sealed = context.protect(get);
    expect(server.receive(sealed)?.[0]).toBe(0xcc);
    expect(hex(server.receive(sealed))).toBe('d8010600000015');
    // The association lives on, and the rightful client too.
    expect(server.receive(context.protect(get))?.[0]).toBe(0xcc);
  });

  test('replays an AARQ: no association', () => {
    const { server, request } = associated();
    expect(hex(server.receive(request))).toBe('d801060000000b');
    expect(server.status).toBe(0);
  });

  test('asks plainly, or with less than the policy', () => {
    const { server, clientContext } = associated();
    expect(hex(server.receive(get))).toBe('d80105');
    const weaker = clientContext({ start: 40, send: { authenticated: false, encrypted: true } });
    expect(hex(server.receive(weaker.protect(get)))).toBe('d80105');
    const unread = clientContext({ start: 50, send: { authenticated: true, encrypted: false } });
    expect(hex(server.receive(unread.protect(get)))).toBe('d80105');
  });

  test('opens with a plain initiate', () => {
    const { server } = setup();
    const aarq = fromHex('6029a109060760857405080103a60a04084d4d4d0000bc614ebe10040e01000000065f1f0400007e1f04b0');
    expect(hex(server.receive(aarq))).toBe('d80105');
    expect(server.status).toBe(0);
  });

  test('cuts or changes any byte: nothing is served, no counter moves', () => {
    const { server, context, peerCounter } = associated();
    const sealed = context.protect(get);
    const before = peerCounter.lowest();
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i] = (changed[i] as number) ^ 0x01;
      const answer = hex(server.receive(changed));
      if (answer !== undefined) expect(answer).toMatch(/^(d8|e0)/);
      const cut = hex(server.receive(sealed.slice(0, i)));
      if (cut !== undefined) expect(cut).toMatch(/^d8/);
    }
    expect(peerCounter.lowest()).toBe(before);
    expect(server.receive(sealed)?.[0]).toBe(0xcc);
  });

  test('comes as another client', () => {
    const { server } = associated();
    const other = createSecurityContext({
      suite: 0,
      role: 'client',
      ownSystemTitle: fromHex('4d4d4d0000bc614f'),
      peerSystemTitle: SERVER,
      keys: keysOf(0).client,
      send: BOTH,
      require: NONE,
      form: 'general-global',
      counter: memoryCounter(1000),
      peerCounter: memoryPeerCounter(),
      crypto: nodeCrypto,
    });
    expect(hex(server.receive(other.protect(get)))).toBe('d80105');
  });

  test('uses a dedicated key that was never agreed', () => {
    const { server, clientContext } = associated();
    expect(hex(server.receive(fromHex('d01e30000000010102030405060708090a0b0c0d0e0f101112131415161718')))).toBe(
      'd80105',
    );
    expect(clientContext).toBeDefined();
  });

  test('gets refusals that anyone can read', () => {
    const { server, context } = associated();
    expect(hex(server.receive(context.protect(fromHex('0501020008'))))).toBe('d80102');
  });
});
