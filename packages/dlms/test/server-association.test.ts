import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { describe, expect, test } from 'vitest';
import {
  type Aare,
  type ClientProfile,
  createClientAssociation,
  createServerAssociation,
  decodeApdu,
  encodeApdu,
  type MechanismName,
  memoryCounter,
  memoryPeerCounter,
} from '../src/index.ts';
import {
  type AarqParts,
  aarq,
  attribute,
  fakeDevice,
  finish,
  method,
  octets,
  opened,
  PUBLIC,
  serverFor,
} from './server-device.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);
const text = (words: string): Uint8Array => Uint8Array.from(words, (c) => c.charCodeAt(0));
const TITLE = fromHex('4d4d4d0000bc614e');
const OWN = fromHex('4d4d4d0000000001');
const SECRET = text('secret of sixteen');

function aare(bytes: Uint8Array | undefined): Aare {
  const apdu = decodeApdu(bytes as Uint8Array);
  if (apdu.type !== 'aare') throw new Error(apdu.type);
  return apdu;
}

describe('AARQ', () => {
  test('the example without security of the Green Book is answered as there', () => {
    const device = fakeDevice([{ ...PUBLIC, conformance: 0x00501f, maxReceivePduSize: 500 }]);
    const server = serverFor(device);
    const request = fromHex('601da109060760857405080101be10040e01000000065f1f0400007e1f04b0');
    expect(hex(server.receive(request))).toBe(
      '6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000501f01f40007',
    );
    expect(server.status).toBe(2);
    expect(server.context.maxSendPduSize).toBe(1200);
    expect(device.calls).toEqual(['status 2']);
  });

  const LLS: ClientProfile = { ...PUBLIC, mechanism: 1, applicationContexts: [1], secret: () => text('12345678') };
  const HLS: ClientProfile = { ...PUBLIC, mechanism: 3, applicationContexts: [1], secret: () => SECRET };
  /** What is asked, of which association, and the diagnostic and the user-information of the refusal. */
  const refusals: [string, ClientProfile | undefined, AarqParts, 'user' | 'provider', number, string | RegExp][] = [
    ['nobody at this client SAP', undefined, {}, 'user', 1, /^$/],
    ['another application context', LLS, { applicationContext: 2 }, 'user', 2, /^$/],
    ['ciphering where there is none', PUBLIC, { applicationContext: 3, title: TITLE }, 'user', 2, /^$/],
    ['a protocol version that is not 1', PUBLIC, { protocolVersion: '01' }, 'provider', 2, /^$/],
    ['no authentication', LLS, {}, 'user', 14, /^0800065f1f/],
    ['authentication without a mechanism', LLS, { acseRequirements: true }, 'user', 12, /^0800065f1f/],
    ['another mechanism', LLS, { mechanism: 2, value: octets(8) }, 'user', 11, /^0800065f1f/],
    ['authentication where none is wanted', PUBLIC, { mechanism: 1, value: text('x') }, 'user', 11, /^0800065f1f/],
    ['a wrong password', LLS, { mechanism: 1, value: text('12345679') }, 'user', 13, /^0800065f1f/],
    ['a password cut short', LLS, { mechanism: 1, value: text('1234567') }, 'user', 13, /^0800065f1f/],
    ['a password said twice', LLS, { mechanism: 1, value: text('1234567812345678') }, 'user', 13, /^0800065f1f/],
    ['no password', LLS, { mechanism: 1 }, 'user', 13, /^0800065f1f/],
    ['an empty password', LLS, { mechanism: 1, value: new Uint8Array(0) }, 'user', 13, /^0800065f1f/],
    ['a challenge of 7 bytes', HLS, { mechanism: 3, value: new Uint8Array(7) }, 'user', 13, /^0800065f1f/],
    ['a challenge of 65 bytes', HLS, { mechanism: 3, value: new Uint8Array(65) }, 'user', 13, /^0800065f1f/],
    ['DLMS version 5', PUBLIC, { version: 5 }, 'user', 1, '0e010601'],
    ['no service in common', PUBLIC, { conformance: 0x100000 }, 'user', 1, '0e010602'],
    ['a PDU size of 11', PUBLIC, { maxPduSize: 11 }, 'user', 1, '0e010603'],
    ['no initiate', PUBLIC, { userInformation: null }, 'user', 1, '0e010600'],
    ['an initiate that is none', PUBLIC, { userInformation: fromHex('0102') }, 'user', 1, '0e010600'],
  ];
  test.each(refusals)('refuses %s', (_, profile, parts, source, code, information) => {
    const server = serverFor(fakeDevice(profile ? [profile] : []));
    const answer = aare(server.receive(aarq(parts)));
    expect(answer.result).toBe(1);
    expect(answer.resultSourceDiagnostic).toEqual({ source, code });
    const said = hex(answer.userInformation) ?? '';
    if (typeof information === 'string') expect(said).toBe(information);
    else expect(said).toMatch(information);
    expect(server.status).toBe(0);
    expect(hex(server.receive(fromHex('c001c100010000600100ff0200')))).toBe('d80101');
  });

  test('a mangled AARQ is refused by the provider', () => {
    const server = serverFor(fakeDevice([PUBLIC]));
    const answer = aare(server.receive(aarq().slice(0, 20)));
    expect(answer.resultSourceDiagnostic).toEqual({ source: 'provider', code: 1 });
  });

  test('the right password opens', () => {
    const server = serverFor(fakeDevice([LLS]));
    expect(aare(server.receive(aarq({ mechanism: 1, value: text('12345678') }))).result).toBe(0);
    expect(server.status).toBe(2);
  });

  test('without response-allowed the association opens and nothing is said', () => {
    const server = serverFor(fakeDevice([PUBLIC]));
    expect(server.receive(aarq({ responseAllowed: false }))).toBeUndefined();
    expect(server.status).toBe(2);
  });

  test('short names are told by the VAA name, and their conformance alone', () => {
    const server = serverFor(fakeDevice([PUBLIC]));
    const answer = aare(server.receive(aarq({ applicationContext: 2, conformance: 0xffffff })));
    expect(hex(answer.userInformation)).toBe('0800065f1f04007e1ba00400fa00');
  });

  test('on an open association it begins anew; the device is told', () => {
    const device = fakeDevice([PUBLIC]);
    const server = opened(device, { maxPduSize: 300 });
    device.values.set(2, octets(2000));
    server.receive(fromHex('c001c100010000600100ff0200'));
    expect(server.held).toBeGreaterThan(2000);
    expect(aare(server.receive(aarq({ maxPduSize: 200 }))).result).toBe(0);
    expect(server.held).toBe(0);
    expect(server.context.maxSendPduSize).toBe(200);
    expect(device.calls).toEqual(['status 2', 'status 0', 'status 2']);
    expect(aare(server.receive(aarq({ version: 1 }))).result).toBe(1);
    expect(server.status).toBe(0);
  });

  test('what is kept of a request is a copy, of a Buffer too', () => {
    const device = fakeDevice([HLS]);
    const server = serverFor(device);
    const request = Buffer.from(aarq({ mechanism: 3, value: new Uint8Array(16).fill(9) }));
    const challenge = aare(server.receive(request)).respondingAuthenticationValue as Uint8Array;
    request.fill(0);
    const proof = nodeCrypto.md5(Uint8Array.of(...challenge, ...SECRET));
    const reply = encodeApdu({
      type: 'action-request-normal',
      invoke: 0xc1,
      method: { classId: 15, instanceId: fromHex('0000280000ff'), methodId: 1 },
      parameters: Uint8Array.of(9, 16, ...proof),
    });
    const answer = toHex(nodeCrypto.md5(Uint8Array.of(...new Uint8Array(16).fill(9), ...SECRET)));
    expect(hex(server.receive(Buffer.from(reply)))).toBe(`c701c10001000910${answer}`);
  });

  test('a closed line frees the association', () => {
    const device = fakeDevice([PUBLIC]);
    const server = opened(device);
    server.closed();
    expect(server.status).toBe(0);
    expect(device.calls).toEqual(['status 2', 'status 0']);
    server.closed();
    expect(device.calls).toHaveLength(2);
  });
});

describe('release', () => {
  test('is answered, with or without an association, and however it is written', () => {
    const server = opened(fakeDevice([PUBLIC]));
    expect(hex(server.receive(fromHex('6203800100')))).toBe('6303800100');
    expect(server.status).toBe(0);
    expect(hex(server.receive(fromHex('6200')))).toBe('6303800100');
    expect(hex(opened(fakeDevice([PUBLIC])).receive(fromHex('62010203800100')))).toBe('6303800100');
  });

  test('gives an InitiateResponse back where the request had one', () => {
    const server = opened(fakeDevice([PUBLIC]));
    const initiate = fromHex('01000000065f1f04001e1d04ffff');
    const answer = decodeApdu(server.receive(encodeApdu({ type: 'rlrq', reason: 0, userInformation: initiate }))!);
    if (answer.type !== 'rlre') throw new Error(answer.type);
    expect(hex(answer.userInformation)).toMatch(/^0800065f1f04/);
  });
});

describe('pre-established association', () => {
  const PRE: ClientProfile = { ...PUBLIC, clientSap: 102, preEstablished: true };
  test('serves without AARQ, refuses one and cannot be released', () => {
    const device = fakeDevice([PRE]);
    device.values.set(2, fromHex('1105'));
    const server = serverFor(device, 102);
    const get = fromHex('c001c100010000600100ff0200');
    expect(hex(server.receive(get))).toBe('c401c1001105');
    expect(aare(server.receive(aarq())).result).toBe(1);
    expect(hex(server.receive(fromHex('6200')))).toBe('6303800101');
    expect(hex(server.receive(get))).toBe('c401c1001105');
    server.closed();
    expect(hex(server.receive(get))).toBe('c401c1001105');
  });
});

describe('high level authentication', () => {
  const p256 = nodeCrypto.generateKeyPair('P-256');
  const server256 = nodeCrypto.generateKeyPair('P-256');
  const keys = { unicast: octets(14).slice(0, 16), authentication: new Uint8Array(16).fill(7) };
  const profile = (mechanism: MechanismName, contexts: readonly (1 | 2)[]): ClientProfile => ({
    ...PUBLIC,
    mechanism,
    applicationContexts: contexts,
    secret: () => SECRET.slice(0, 16),
    security: () => ({
      suite: mechanism === 7 ? 1 : 0,
      ownSystemTitle: OWN,
      keys: { ...keys, signing: server256.privateKey, peerSigning: p256.publicKey },
      send: { authenticated: false, encrypted: false },
      require: { authenticated: false, encrypted: false },
      counter: memoryCounter(),
      peerCounter: memoryPeerCounter(),
      crypto: nodeCrypto,
    }),
  });
  // Suite 0 has no curves: its contexts must not be given any.
  const suited = (p: ClientProfile): ClientProfile => {
    const security = p.security?.(undefined);
    if (!security || p.mechanism === 7) return p;
    return { ...p, security: () => ({ ...security, keys }) };
  };

  function clientOf(mechanism: 2 | 3 | 4 | 5 | 6 | 7, referencing: 'LN' | 'SN', secret: Uint8Array) {
    return createClientAssociation({
      referencing,
      systemTitle: TITLE,
      crypto: nodeCrypto,
      authentication: {
        mechanism,
        secret,
        signing: p256.privateKey,
        peerSigning: server256.publicKey,
      },
    });
  }

  const cases = ([2, 3, 4, 6, 7] as const).flatMap((m) => [[m, 'LN'] as const, [m, 'SN'] as const]);
  test.each(cases)('mechanism %i, %s: passes 3 and 4', (mechanism, referencing) => {
    const device = fakeDevice([suited(profile(mechanism, referencing === 'LN' ? [1] : [2]))]);
    const server = serverFor(device);
    const client = clientOf(mechanism, referencing, SECRET.slice(0, 16));
    expect(finish(client, server, client.associate())).toMatchObject({ ok: true, operation: 'associate' });
    expect(server.status).toBe(2);
    expect(device.calls).toEqual(['status 2']);
  });

  test.each([2, 3, 4, 6] as const)('mechanism %i: a wrong secret frees the association', (mechanism) => {
    const device = fakeDevice([suited(profile(mechanism, [1]))]);
    const server = serverFor(device);
    const client = clientOf(mechanism, 'LN', SECRET.slice(1, 17));
    expect(finish(client, server, client.associate())).toMatchObject({ ok: false });
    expect(server.status).toBe(0);
    expect(device.calls).toEqual([]);
  });

  test('while the proof is awaited nothing else is served; a second proof is not taken', () => {
    const device = fakeDevice([profile(3, [1])]);
    device.values.set(2, fromHex('1105'));
    const server = serverFor(device);
    const answer = aare(server.receive(aarq({ mechanism: 3, value: new Uint8Array(16) })));
    expect(answer).toMatchObject({ result: 0, mechanism: 3, resultSourceDiagnostic: { source: 'user', code: 14 } });
    const challenge = answer.respondingAuthenticationValue as Uint8Array;
    expect(challenge).toHaveLength(16);
    expect(server.status).toBe(1);
    expect(hex(server.receive(fromHex('c001c100010000600100ff0200')))).toBe('d80101');
    expect(hex(server.receive(encodeApdu({ type: 'action-request-normal', invoke: 0xc1, method: method(1) })))).toBe(
      'd80101',
    );
    const reply = (proof: Uint8Array): Uint8Array =>
      encodeApdu({
        type: 'action-request-normal',
        invoke: 0xc1,
        method: { classId: 15, instanceId: fromHex('0000280000ff'), methodId: 1 },
        parameters: Uint8Array.of(9, proof.length, ...proof),
      });
    const joined = Uint8Array.of(...challenge, ...SECRET.slice(0, 16));
    const proof = nodeCrypto.md5(joined);
    expect(hex(server.receive(reply(proof)))).toMatch(/^c701c10001000910/);
    expect(server.status).toBe(2);
    // The association is open: the proof is of no more use.
    expect(hex(server.receive(reply(proof)))).toBe('c701c10300');
    expect(server.status).toBe(2);
  });

  test('a challenge that is our own, said back, proves nothing', () => {
    const server = serverFor(fakeDevice([profile(3, [1])]));
    // The fake generator's next challenge is all ones.
    server.receive(aarq({ mechanism: 3, value: new Uint8Array(16).fill(1) }));
    const proof = nodeCrypto.md5(Uint8Array.of(...new Uint8Array(16).fill(1), ...SECRET.slice(0, 16)));
    const answer = server.receive(
      encodeApdu({
        type: 'action-request-normal',
        invoke: 0xc1,
        method: { classId: 15, instanceId: fromHex('0000280000ff'), methodId: 1 },
        parameters: Uint8Array.of(9, 16, ...proof),
      }),
    );
    expect(hex(answer)).toBe('c701c10300');
    expect(server.status).toBe(0);
  });
});

describe('what is not served', () => {
  test('services that were not negotiated', () => {
    const server = opened(fakeDevice([PUBLIC]), { conformance: 0x000010 });
    const refused = 'd80102';
    const requests = [
      encodeApdu({ type: 'set-request-normal', invoke: 0xc1, attribute: attribute(2), value: fromHex('1105') }),
      encodeApdu({ type: 'action-request-normal', invoke: 0xc1, method: method(1) }),
      encodeApdu({ type: 'get-request-with-list', invoke: 0xc1, attributes: [attribute(2)] }),
      encodeApdu({ type: 'read-request', variables: [{ kind: 'variable-name', name: 8 }] }),
      fromHex('d940000001000000'),
      fromHex('e0c10001000003c001c1'),
    ];
    for (const request of requests) expect(hex(server.receive(request))).toBe(refused);
    expect(hex(server.receive(fromHex('ff')))).toBe('d80202');
    expect(hex(server.receive(fromHex('c401c1000000')))).toMatch(/^d80[12]0[23]$/);
    expect(hex(server.receive(fromHex('c001c1')))).toBe('d80103');
    expect(server.receive(new Uint8Array(0))).toBeUndefined();
  });

  test('an APDU longer than the server takes', () => {
    const device = fakeDevice([{ ...PUBLIC, maxReceivePduSize: 64 }]);
    const server = opened(device);
    const long = encodeApdu({ type: 'set-request-normal', invoke: 0xc1, attribute: attribute(2), value: octets(64) });
    expect(hex(server.receive(long))).toBe('d80104');
  });

  test('attribute 0 and selective access, unless negotiated', () => {
    const device = fakeDevice([{ ...PUBLIC, conformance: 0x000010 }]);
    const server = opened(device);
    expect(hex(server.receive(fromHex('c001c100010000600100ff0000')))).toBe('c401c10103');
    expect(hex(server.receive(fromHex('c001c100010000600100ff02010100')))).toBe('c401c1010d');
  });

  test('in short names refusals are confirmed-service-errors', () => {
    const server = opened(fakeDevice([PUBLIC]), { applicationContext: 2, conformance: 0x080000 });
    expect(hex(server.receive(fromHex('05010200fa')))).toBe('0e050302');
    expect(hex(server.receive(fromHex('0501')))).toBe('0e050300');
    expect(hex(server.receive(fromHex('c001c100010000600100ff0200')))).toBe('0e050302');
  });

  test('unconfirmed requests are carried out and not answered; a get is answered all the same', () => {
    const device = fakeDevice([PUBLIC]);
    device.values.set(2, fromHex('1105'));
    const server = opened(device);
    const set = encodeApdu({
      type: 'set-request-normal',
      invoke: 0x81,
      attribute: attribute(2),
      value: fromHex('1106'),
    });
    expect(server.receive(set)).toBeUndefined();
    expect(hex(device.values.get(2))).toBe('1106');
    expect(server.receive(encodeApdu({ type: 'action-request-normal', invoke: 1, method: method(2) }))).toBeUndefined();
    expect(device.calls).toContain('action 2');
    expect(hex(server.receive(fromHex('c0018100010000600100ff0200')))).toBe('c40181001106');
  });

  test('a device that throws: thrown on, or told and answered with an exception', () => {
    const broken = {
      ...fakeDevice([PUBLIC]),
      get: () => {
        throw new RangeError('broken');
      },
    };
    const get = fromHex('c001c100010000600100ff0200');
    expect(() => opened(broken).receive(get)).toThrow('broken');
    const faults: unknown[] = [];
    const server = createServerAssociation({
      device: broken,
      meter: undefined,
      clientSap: 16,
      serverSap: 1,
      random: (length) => new Uint8Array(length),
      fault: (error) => faults.push(error),
    });
    server.receive(aarq());
    expect(hex(server.receive(get))).toBe('d80103');
    expect(faults).toEqual([new RangeError('broken')]);
  });
});

describe('notifications', () => {
  const push = fromHex('0f00000001000202110512000a');
  test('are queued, and dropped oldest first', () => {
    const server = opened(fakeDevice([PUBLIC]), {}, { queue: 2 });
    for (let i = 1; i <= 3; i++)
      expect(server.notify(Uint8Array.of(...push.slice(0, 4), i, ...push.slice(5)))).toBe(true);
    expect(server.next()?.[4]).toBe(2);
    expect(server.next()?.[4]).toBe(3);
    expect(server.next()).toBeUndefined();
  });

  test('need an association that negotiated them', () => {
    const device = fakeDevice([PUBLIC]);
    expect(serverFor(device).notify(push)).toBe(false);
    expect(opened(device, { conformance: 0x10 }).notify(push)).toBe(false);
    expect(opened(device).notify(fromHex('c401'))).toBe(false);
  });

  test('too long for the client, go in general blocks', () => {
    const server = opened(fakeDevice([PUBLIC]), { maxPduSize: 40 });
    const long = Uint8Array.of(0x0f, 0, 0, 0, 1, 0, ...octets(100));
    expect(server.notify(long)).toBe(true);
    const joined: number[] = [];
    let last = false;
    for (let apdu = server.next(); apdu; apdu = server.next()) {
      expect(apdu.length).toBeLessThanOrEqual(40);
      const block = decodeApdu(apdu);
      if (block.type !== 'general-block-transfer') throw new Error(block.type);
      joined.push(...block.block);
      last = block.lastBlock;
    }
    expect(last).toBe(true);
    expect(Uint8Array.from(joined)).toEqual(long);
  });
});
