/** The server against a model of its states, and against whatever bytes come. */
import { fromHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClientProfile, decodeApdu, encodeApdu, type ServerAssociation } from '../src/index.ts';
import { apdu } from './arbitraries.ts';
import { aarq, attribute, fakeDevice, octets, PUBLIC, serverFor } from './server-device.ts';

const SECRET = fromHex('00112233445566778899aabbccddeeff');
const HLS: ClientProfile = { ...PUBLIC, applicationContexts: [1], mechanism: 3, secret: () => SECRET };

const reply = (proof: Uint8Array): Uint8Array =>
  encodeApdu({
    type: 'action-request-normal',
    invoke: 0xc1,
    method: { classId: 15, instanceId: fromHex('0000280000ff'), methodId: 1 },
    parameters: Uint8Array.of(9, proof.length, ...proof),
  });

type Input = 'aarq' | 'bad aarq' | 'proof' | 'bad proof' | 'get' | 'rlrq' | 'closed' | 'noise';
interface Model {
  status: 0 | 1 | 2;
}

/** What the standard says comes of an input: the status after it, and what kind of answer. */
function expected(model: Model, input: Input): { status: 0 | 1 | 2; answer: string | undefined } {
  const { status } = model;
  switch (input) {
    case 'aarq':
      return { status: 1, answer: 'aare 0' };
    case 'bad aarq':
      return { status: 0, answer: 'aare 1' };
    case 'proof':
      if (status === 1) return { status: 2, answer: 'action 0' };
      return status === 2 ? { status: 2, answer: 'action 3' } : { status: 0, answer: 'exception' };
    case 'bad proof':
      if (status === 0) return { status: 0, answer: 'exception' };
      return { status: status === 1 ? 0 : 2, answer: 'action 3' };
    case 'get':
      return { status, answer: status === 2 ? 'get' : 'exception' };
    case 'rlrq':
      return { status: 0, answer: 'rlre' };
    case 'closed':
      return { status: 0, answer: undefined };
    case 'noise':
      return { status, answer: 'exception' };
  }
}

function kindOf(answer: Uint8Array | undefined): string | undefined {
  if (!answer) return undefined;
  const said = decodeApdu(answer);
  switch (said.type) {
    case 'aare':
      return `aare ${said.result}`;
    case 'action-response-normal':
      return `action ${said.result.result}`;
    case 'exception-response':
      return 'exception';
    case 'get-response-normal':
      return 'get';
    default:
      return said.type;
  }
}

test('every sequence of inputs goes as the model says', () => {
  const inputs = fc.constantFrom<Input>('aarq', 'bad aarq', 'proof', 'bad proof', 'get', 'rlrq', 'closed', 'noise');
  fc.assert(
    fc.property(fc.array(inputs, { maxLength: 30 }), (sequence) => {
      const device = fakeDevice([HLS]);
      device.values.set(2, octets(3));
      const server = serverFor(device);
      const model: Model = { status: 0 };
      let challenge = new Uint8Array(16);
      let opens = 0;
      for (const input of sequence) {
        const before = model.status;
        const wanted = expected(model, input);
        let answer: Uint8Array | undefined;
        if (input === 'aarq') {
          answer = server.receive(aarq({ mechanism: 3, value: new Uint8Array(16).fill(0xee) }));
          const said = decodeApdu(answer as Uint8Array);
          if (said.type === 'aare') challenge = (said.respondingAuthenticationValue as Uint8Array).slice();
        } else if (input === 'bad aarq') answer = server.receive(aarq({ mechanism: 3, value: new Uint8Array(3) }));
        else if (input === 'proof')
          answer = server.receive(reply(nodeCrypto.md5(Uint8Array.of(...challenge, ...SECRET))));
        else if (input === 'bad proof') answer = server.receive(reply(new Uint8Array(16)));
        else if (input === 'get') answer = server.receive(fromHex('c001c100010000600100ff0200'));
        else if (input === 'rlrq') answer = server.receive(fromHex('6203800100'));
        else if (input === 'noise') answer = server.receive(fromHex('ffffff'));
        else server.closed();
        expect([input, before, kindOf(answer), server.status]).toEqual([input, before, wanted.answer, wanted.status]);
        model.status = wanted.status;
        if (before !== 2 && wanted.status === 2) opens++;
        // The device hears of every opening and every end, once.
        expect(device.calls.filter((call) => call === 'status 2')).toHaveLength(opens);
        expect(device.calls.filter((call) => call === 'status 0')).toHaveLength(opens - (wanted.status === 2 ? 1 : 0));
      }
    }),
    { numRuns: 60 },
  );
});

describe('whatever comes', () => {
  const LIMITS = { request: 2000, response: 4000, list: 16, queue: 4 };
  const BOUND = LIMITS.request * 3 + LIMITS.response * 2 + 4 * 1024;

  function feed(server: ServerAssociation<undefined>, bytes: Uint8Array): void {
    const answer = server.receive(bytes);
    if (answer) expect(answer.length).toBeGreaterThan(0);
    for (let n = 0, apdu = server.next(); apdu; apdu = server.next()) expect(++n).toBeLessThan(200);
    expect(server.held).toBeLessThan(BOUND);
  }

  function fresh(applicationContext: 1 | 2): ServerAssociation<undefined> {
    const device = fakeDevice([PUBLIC]);
    for (let i = 0; i < 40; i++) device.values.set(i, octets(i * 60));
    const server = serverFor(device, 16, LIMITS);
    server.receive(aarq({ applicationContext, maxPduSize: 128 }));
    return server;
  }

  test.each([1, 2] as const)('any APDUs in any order, context %i: no throw, no growth', (context) => {
    fc.assert(
      fc.property(fc.array(apdu, { maxLength: 12 }), (sequence) => {
        const server = fresh(context);
        for (const one of sequence) feed(server, encodeApdu(one));
      }),
      { numRuns: 60 },
    );
  });

  test.each([1, 2] as const)('requests that hit, cut and changed, context %i', (context) => {
    const requests = [
      fromHex('c001c100010000600100ff2000'),
      encodeApdu({ type: 'get-request-next', invoke: 0xc1, blockNumber: 1 }),
      encodeApdu({ type: 'get-request-with-list', invoke: 0xc1, attributes: [attribute(30), attribute(31)] }),
      encodeApdu({ type: 'set-request-normal', invoke: 0xc1, attribute: attribute(3), value: octets(20) }),
      encodeApdu({
        type: 'set-request-with-first-datablock',
        invoke: 0xc1,
        attribute: attribute(3),
        lastBlock: false,
        blockNumber: 1,
        raw: octets(60),
      }),
      encodeApdu({ type: 'set-request-with-datablock', invoke: 0xc1, lastBlock: true, blockNumber: 2, raw: octets(3) }),
      encodeApdu({ type: 'read-request', variables: [{ kind: 'variable-name', name: 32 }] }),
      encodeApdu({ type: 'read-request', variables: [{ kind: 'block-number-access', blockNumber: 1 }] }),
      fromHex('e0c30001000004c001c100'),
      fromHex('e003000200010000'),
      aarq({ applicationContext: context, maxPduSize: 64 }),
      fromHex('6200'),
    ];
    const change = fc.tuple(fc.nat(requests.length - 1), fc.nat(40), fc.nat(255), fc.boolean());
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const server = fresh(context);
        for (const [which, at, value, cut] of changes) {
          const bytes = (requests[which] as Uint8Array).slice();
          if (at < bytes.length) bytes[at] = value;
          feed(server, cut ? bytes.slice(0, at) : bytes);
        }
      }),
      { numRuns: 60 },
    );
  });
});
