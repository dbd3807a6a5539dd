/** What an attacker tries beyond what the single parts are tested with: across associations, at the ends of numbers, for memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { describe, expect, test } from 'vitest';
import {
  type ClientProfile,
  createBlockTransfer,
  createClientAssociation,
  createSecurityContext,
  decodeApdu,
  encodeApdu,
  memoryCounter,
  memoryPeerCounter,
  type PeerCounter,
  type SecurityContextOptions,
} from '../src/index.ts';
import { aarq, attribute, fakeDevice, PUBLIC, serverFor } from './server-device.ts';

const CLIENT = fromHex('4d4d4d0000bc614e');
const SERVER = fromHex('4d4d4d0000000001');
const BOTH = { authenticated: true, encrypted: true } as const;
const NONE = { authenticated: false, encrypted: false } as const;
const KEY = fromHex('000102030405060708090a0b0c0d0e0f');
const keys = { unicast: KEY, authentication: KEY, master: KEY };
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);
const GET = encodeApdu({ type: 'get-request-normal', invoke: 0xc1, attribute: attribute(2) });

function ciphered(peerCounter: PeerCounter, mechanism: 0 | 5 = 0) {
  const profile: ClientProfile = {
    ...PUBLIC,
    applicationContexts: [3],
    mechanism,
    security: () => ({
      suite: 0,
      ownSystemTitle: SERVER,
      keys,
      send: BOTH,
      require: BOTH,
      counter: memoryCounter(),
      peerCounter,
      crypto: nodeCrypto,
    }),
  };
  const device = fakeDevice([profile]);
  device.values.set(2, fromHex('1105'));
  return serverFor(device);
}

const client = (more: Partial<SecurityContextOptions> = {}) =>
  createSecurityContext({
    suite: 0,
    role: 'client',
    ownSystemTitle: CLIENT,
    peerSystemTitle: SERVER,
    keys,
    send: BOTH,
    require: NONE,
    form: 'service-specific-global',
    counter: memoryCounter(),
    peerCounter: memoryPeerCounter(),
    crypto: nodeCrypto,
    ...more,
  });

const INITIATE = fromHex('01000000065f1f040000101d0400');

describe('across associations', () => {
  test('what came under a key of its own is not taken again in the next association', () => {
    const peerCounter = memoryPeerCounter();
    const wrapped = {
      form: 'general-ciphering',
      keyInfo: 'wrapped',
      initiate: 'as-others',
      counter: memoryCounter(),
    } as const;
    const recorded: Uint8Array[] = [];
    const initiate = encodeApdu({
      type: 'initiate-request',
      responseAllowed: true,
      version: 6,
      conformance: PUBLIC.conformance,
      maxPduSize: 1024,
    });
    for (let round = 0; round < 2; round++) {
      const server = ciphered(peerCounter);
      const context = client(wrapped);
      const open = aarq({ applicationContext: 3, title: CLIENT, userInformation: context.protect(initiate) });
      expect(hex(server.receive(open))).toMatch(/^61/);
      expect(server.status).toBe(2);
      for (const old of recorded) expect(hex(server.receive(old))).toMatch(/^d8/);
      const request = context.protect(GET);
      expect(hex(server.receive(request))).toMatch(/^dd/);
      recorded.push(request);
      server.closed();
      // The whole association once more.
      const again = ciphered(peerCounter);
      expect(hex(again.receive(open))).toMatch(/^d8/);
      expect(again.status).toBe(0);
    }
  });

  test('a peer that bears our own system title could send us our own words back', () => {
    const server = ciphered(memoryPeerCounter());
    const context = client({ ownSystemTitle: SERVER, peerSystemTitle: SERVER });
    const open = aarq({ applicationContext: 3, title: SERVER, userInformation: context.protect(INITIATE) });
    const answer = decodeApdu(server.receive(open) as Uint8Array);
    expect(answer).toMatchObject({ type: 'aare', result: 1, resultSourceDiagnostic: { source: 'user', code: 3 } });

    const honest = createClientAssociation({
      systemTitle: CLIENT,
      crypto: nodeCrypto,
      authentication: { mechanism: 5, gmac: { suite: 0, unicast: KEY, authentication: KEY, counter: memoryCounter() } },
    });
    honest.associate();
    const step = honest.receive(
      encodeApdu({
        type: 'aare',
        applicationContext: 1,
        result: 0,
        resultSourceDiagnostic: { source: 'user', code: 14 },
        respondingApTitle: CLIENT,
        responderAcseRequirements: true,
        mechanism: 5,
        respondingAuthenticationValue: new Uint8Array(16).fill(9),
        userInformation: fromHex('0800065f1f040000101d04000007'),
      }),
    );
    expect(step.send).toEqual([]);
    expect(step.done).toMatchObject({ ok: false });
  });

  test('a pre-established association that is closed is gone, and is there again when somebody speaks', () => {
    const device = fakeDevice([{ ...PUBLIC, clientSap: 102, preEstablished: true }]);
    device.values.set(2, fromHex('1105'));
    const server = serverFor(device, 102);
    server.closed();
    expect(device.calls).toEqual(['status 2', 'status 0']);
    expect(hex(server.receive(GET))).toBe('c401c1001105');
    expect(device.calls).toEqual(['status 2', 'status 0', 'status 2']);
  });
});

describe('what a client leaves out', () => {
  const withoutSecret: ClientProfile['security'] = () => ({
    suite: 0,
    ownSystemTitle: SERVER,
    keys,
    send: NONE,
    require: NONE,
    counter: memoryCounter(),
    peerCounter: memoryPeerCounter(),
    crypto: nodeCrypto,
  });

  test.each([2, 3, 4, 5, 6] as const)('mechanism %i without its system title: refused, never thrown', (mechanism) => {
    const server = serverFor(
      fakeDevice([
        { ...PUBLIC, mechanism, secret: () => new Uint8Array(16), ...(mechanism >= 5 && { security: withoutSecret }) },
      ]),
    );
    const answer = decodeApdu(server.receive(aarq({ mechanism, value: new Uint8Array(16).fill(1) })) as Uint8Array);
    expect(answer).toMatchObject(
      mechanism >= 5 ? { result: 1, resultSourceDiagnostic: { source: 'user', code: 3 } } : { result: 0 },
    );
    const reply = encodeApdu({
      type: 'action-request-normal',
      invoke: 0xc1,
      method: { classId: 15, instanceId: fromHex('0000280000ff'), methodId: 1 },
      parameters: fromHex(`0920${'00'.repeat(32)}`),
    });
    expect(hex(server.receive(reply))).toMatch(mechanism >= 5 ? /^d801/ : /^c701c103/);
    expect(server.status).toBe(0);
  });

  test('pre-established and ciphered: whoever names himself in his envelope is answered', () => {
    const profile: ClientProfile = { ...PUBLIC, applicationContexts: [3], preEstablished: true };
    for (const form of ['service-specific-global', 'general-global', 'general-ciphering'] as const) {
      const device = fakeDevice([
        { ...profile, security: () => ({ ...withoutSecret(undefined), send: BOTH, require: BOTH }) },
      ]);
      device.values.set(2, fromHex('1105'));
      const server = serverFor(device);
      const answer = server.receive(client({ form }).protect(GET));
      // Without a title in the envelope nobody knows whose it is.
      if (form === 'service-specific-global') expect(hex(answer)).toMatch(/^d8/);
      else
        expect(client({ form }).unprotect(answer as Uint8Array)).toMatchObject({
          ok: true,
          plain: fromHex('c401c1001105'),
        });
    }
  });
});

describe('ends of numbers', () => {
  test('a key whose numbers are all used says so, and does not name 0 as the one to go on from', () => {
    const peerCounter = memoryPeerCounter();
    const server = ciphered(peerCounter);
    const context = client({ counter: memoryCounter(0xffff_fffe) });
    const open = aarq({
      applicationContext: 3,
      title: CLIENT,
      userInformation: context.protect(
        encodeApdu({
          type: 'initiate-request',
          responseAllowed: true,
          version: 6,
          conformance: PUBLIC.conformance,
          maxPduSize: 1024,
        }),
      ),
    });
    server.receive(open);
    expect(server.status).toBe(2);
    expect(hex(server.receive(context.protect(GET)))).toMatch(/^cc/);
    expect(peerCounter.lowest()).toBe(0x1_0000_0000);
    expect(hex(server.receive(client().protect(GET)))).toBe('d80105');
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  /** Bytes that `make` leaves held: the least of three tries, for other tests of the process let go of theirs meanwhile. */
  const leastHeld = (make: () => readonly unknown[]): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const before = used();
      const made = make();
      least = Math.min(least, (used() - before) / made.length);
    }
    return least;
  };

  test('general blocks of one byte each take little more than their bytes', () => {
    const piece = Uint8Array.of(7);
    const least = leastHeld(() => {
      const transfers = Array.from({ length: 10 }, () => createBlockTransfer({ role: 'server', maxPduSize: 128 }));
      for (const transfer of transfers)
        for (let blockNumber = 1; blockNumber <= 20_000; blockNumber++)
          transfer.receive({
            type: 'general-block-transfer',
            lastBlock: false,
            streaming: blockNumber % 8 !== 0,
            window: 8,
            blockNumber,
            blockNumberAcknowledged: 0,
            block: piece,
          });
      expect(transfers[0]?.held).toBeGreaterThanOrEqual(20_000);
      return transfers;
    });
    expect(least).toBeLessThan(150_000);
  });

  test('blocks of a byte that a meter gives a client take little more than their bytes', () => {
    const least = leastHeld(() => {
      const clients = Array.from({ length: 10 }, () => {
        const one = createClientAssociation({
          preEstablished: { conformance: PUBLIC.conformance, maxPduSize: 1024 },
        });
        one.get(attribute(2));
        for (let blockNumber = 1; blockNumber <= 10_000; blockNumber++)
          one.receive(
            encodeApdu({
              type: 'get-response-with-datablock',
              invoke: 0xc1,
              lastBlock: false,
              blockNumber,
              result: { raw: Uint8Array.of(7) },
            }),
          );
        return one;
      });
      expect(clients.every((one) => one.expecting.includes('block 10001'))).toBe(true);
      return clients;
    });
    expect(least).toBeLessThan(100_000);
  });
});
