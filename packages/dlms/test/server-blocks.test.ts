import { fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClientAssociation, decodeApdu, encodeApdu, type ServerAssociation } from '../src/index.ts';
import { ALL, attribute, fakeDevice, finish, method, octets, opened, PUBLIC, serverFor } from './server-device.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);
const GET = fromHex('c001c100010000600100ff0200');
const next = (blockNumber: number, invoke = 0xc1): Uint8Array =>
  encodeApdu({ type: 'get-request-next', invoke, blockNumber });
const GENERAL = 0x200000;
const SERVICE_BLOCKS = 0x001c00;

/** Both ends associated; what the client takes and the server takes. */
function pair(client: number, server: number, conformance: number, referencing: 'LN' | 'SN' = 'LN') {
  const device = fakeDevice([{ ...PUBLIC, maxReceivePduSize: server, conformance }]);
  const there = serverFor(device);
  const here = createClientAssociation({ referencing, maxPduSize: client, window: 3 });
  const seen = { longest: 0 };
  expect(finish(here, there, here.associate())).toMatchObject({ ok: true });
  return { device, there, here, seen };
}

const sizes = fc.record({
  client: fc.integer({ min: 40, max: 400 }),
  server: fc.integer({ min: 64, max: 400 }),
  length: fc.oneof(fc.nat(40), fc.nat(3000)),
});

describe('both ends', () => {
  test.each([
    ['blocks of the services', ALL & ~GENERAL],
    ['general blocks', ALL & ~SERVICE_BLOCKS],
    ['both negotiated', ALL],
  ])('%s: get, set, action of any length at any PDU size', (_, conformance) => {
    fc.assert(
      fc.property(sizes, ({ client, server, length }) => {
        const { device, there, here, seen } = pair(client, server, conformance);
        const value = octets(length, 0x31);
        device.values.set(2, value);
        device.values.set(3, fromHex('00'));
        const got = finish(here, there, here.get(attribute(2)), seen);
        expect(got).toMatchObject({ ok: true, operation: 'get', result: { data: value } });
        expect(seen.longest).toBeLessThanOrEqual(client);
        expect(finish(here, there, here.set(attribute(3), value), seen)).toMatchObject({ ok: true, result: 0 });
        expect(device.values.get(3)).toEqual(value);
        const done = finish(here, there, here.action(method(1), value), seen);
        expect(done).toMatchObject({ ok: true, result: { result: 0, returned: { data: value } } });
        const list = finish(here, there, here.getList([attribute(2), attribute(9), attribute(3)]), seen);
        expect(list).toMatchObject({ ok: true, results: [{ data: value }, { error: 4 }, { data: value }] });
        const lists = finish(here, there, here.setList([attribute(3), attribute(9)], [octets(length), value]), seen);
        expect(lists).toMatchObject({ ok: true, results: [0, 4] });
        const methods = finish(here, there, here.actionList([method(1), method(7)], [value, value]), seen);
        expect(methods).toMatchObject({
          ok: true,
          results: [{ result: 0, returned: { data: value } }, { result: 4 }],
        });
        expect(seen.longest).toBeLessThanOrEqual(client);
        expect(there.held).toBeLessThan(4 * (length + 400));
      }),
      { numRuns: 12 },
    );
  });

  test('short names: reads and writes of any length', () => {
    fc.assert(
      fc.property(sizes, ({ client, server, length }) => {
        const { device, there, here, seen } = pair(client, server, ALL & ~GENERAL, 'SN');
        const value = octets(length, 0x32);
        device.values.set(0x108, value);
        device.values.set(0x110, fromHex('00'));
        const variable = (name: number) => ({ kind: 'variable-name' as const, name });
        const got = finish(here, there, here.read([variable(0x108), variable(0x999)]), seen);
        expect(got).toMatchObject({ ok: true, results: [{ data: value }, { error: 4 }] });
        const one = finish(here, there, here.read([variable(0x108)]), seen);
        expect(one).toMatchObject({ ok: true, results: [{ data: value }] });
        const put = finish(here, there, here.write([variable(0x110), variable(0x999)], [value, value]), seen);
        expect(put).toMatchObject({ ok: true, results: [{ success: true }, { error: 4 }] });
        expect(device.values.get(0x110)).toEqual(value);
        expect(seen.longest).toBeLessThanOrEqual(client);
      }),
      { numRuns: 12 },
    );
  });

  test('access: in one APDU, in general blocks when it is long, refused where there are none', () => {
    const specifications = [
      { kind: 'get', ...attribute(2) },
      { kind: 'set', ...attribute(3) },
      { kind: 'action', ...method(1) },
    ] as const;
    const value = octets(300);
    for (const [conformance, ok] of [
      [ALL, true],
      [ALL & ~GENERAL, false],
    ] as const) {
      const { device, there, here, seen } = pair(200, 1024, conformance);
      device.values.set(2, value);
      device.values.set(3, fromHex('00'));
      const done = finish(
        here,
        there,
        here.access(specifications, [fromHex('00'), fromHex('1107'), fromHex('1108')]),
        seen,
      );
      expect(done.ok).toBe(ok);
      if (ok)
        expect(done).toMatchObject({
          response: {
            data: [value, fromHex('00'), fromHex('1108')],
            results: [
              { kind: 'get', result: 0 },
              { kind: 'set', result: 0 },
              { kind: 'action', result: 0 },
            ],
          },
        });
      expect(hex(device.values.get(3))).toBe('1107');
      expect(seen.longest).toBeLessThanOrEqual(200);
    }
  });

  test('access: break on error leaves the rest undone', () => {
    const { device, there, here } = pair(400, 400, ALL);
    device.values.set(3, fromHex('00'));
    const specifications = [
      { kind: 'get', ...attribute(9) },
      { kind: 'set', ...attribute(3) },
    ] as const;
    const data = [fromHex('00'), fromHex('1107')];
    const done = finish(here, there, here.access(specifications, data, { breakOnError: true, selfDescriptive: true }));
    expect(done).toMatchObject({ response: { results: [{ result: 4 }, { result: 250 }], specifications } });
    expect(hex(device.values.get(3))).toBe('00');
  });
});

describe('a long get', () => {
  function began(): ServerAssociation<undefined> {
    const device = fakeDevice([PUBLIC]);
    device.values.set(2, octets(200));
    const server = opened(device, { maxPduSize: 64, conformance: ALL & ~GENERAL });
    expect(hex(server.receive(GET))).toMatch(/^c402c1000000000100 ?34/);
    return server;
  }

  test('ends with the right blocks and nothing held', () => {
    const server = began();
    const second = server.receive(next(1));
    expect(second).toHaveLength(64 - 2);
    let last = second;
    for (let n = 2; last?.[3] === 0; n++) last = server.receive(next(n));
    expect(last?.[3]).toBe(1);
    expect(server.held).toBe(0);
    // Behind the last block there is nothing to go on with.
    expect(hex(server.receive(next(4)))).toBe('c402c101000000040110');
  });

  test('a wrong block number ends it: data-block-number-invalid, then no-long-get-in-progress', () => {
    const server = began();
    expect(hex(server.receive(next(2)))).toBe('c402c101000000020113');
    expect(server.held).toBe(0);
    expect(hex(server.receive(next(1)))).toBe('c402c101000000010110');
  });

  test('a block of another invoke id is refused, and the transfer goes on', () => {
    const server = began();
    expect(hex(server.receive(next(1, 0xc2)))).toBe('c402c201000000010110');
    expect(hex(server.receive(next(1)))).toMatch(/^c402c10000000002/);
  });

  test('another request in between ends it', () => {
    const server = began();
    server.receive(fromHex('c001c100010000600100ff0500'));
    expect(hex(server.receive(next(1)))).toBe('c402c101000000010110');
  });

  test('without blocks a value that does not fit is other-reason', () => {
    const device = fakeDevice([PUBLIC]);
    device.values.set(2, octets(200));
    const server = opened(device, { maxPduSize: 64, conformance: 0x000018 });
    expect(hex(server.receive(GET))).toBe('c401c101fa');
  });
});

describe('a long set', () => {
  const first = (blockNumber: number, raw: Uint8Array, lastBlock = false): Uint8Array =>
    encodeApdu({
      type: 'set-request-with-first-datablock',
      invoke: 0xc1,
      attribute: attribute(3),
      lastBlock,
      blockNumber,
      raw,
    });
  const more = (blockNumber: number, raw: Uint8Array, lastBlock = false, invoke = 0xc1): Uint8Array =>
    encodeApdu({ type: 'set-request-with-datablock', invoke, lastBlock, blockNumber, raw });
  const piece = new Uint8Array(40);

  function server(limits?: { request: number }) {
    const device = fakeDevice([PUBLIC]);
    device.values.set(3, fromHex('00'));
    return { device, server: opened(device, {}, limits) };
  }

  test('wrong numbers are refused', () => {
    const { server: s } = server();
    expect(hex(s.receive(more(2, piece)))).toBe('c503c11200000002');
    expect(hex(s.receive(first(2, piece)))).toBe('c503c11300000002');
    expect(hex(s.receive(first(1, piece)))).toBe('c502c100000001');
    expect(hex(s.receive(more(3, piece)))).toBe('c503c11300000003');
    expect(hex(s.receive(more(2, piece)))).toBe('c503c11200000002');
    expect(s.held).toBe(0);
  });

  test('a block of another invoke id is refused, and the transfer goes on', () => {
    const { server: s, device } = server();
    s.receive(first(1, fromHex('12')));
    expect(hex(s.receive(more(2, piece, true, 0xc2)))).toBe('c503c21200000002');
    expect(hex(s.receive(more(2, fromHex('1234'), true)))).toBe('c503c10000000002');
    expect(hex(device.values.get(3))).toBe('121234');
  });

  test('endless blocks end at the limit', () => {
    const { server: s } = server({ request: 1000 });
    s.receive(first(1, piece));
    let n = 2;
    let answer = hex(s.receive(more(n, piece)));
    while (answer?.startsWith('c502')) {
      expect(s.held).toBeLessThanOrEqual(1000);
      answer = hex(s.receive(more(++n, piece)));
    }
    expect(answer).toMatch(/^c503c111/);
    expect(n).toBe(26);
    expect(s.held).toBe(0);
  });

  test('what the blocks make together must be one value', () => {
    const { server: s, device } = server();
    s.receive(first(1, fromHex('1212')));
    expect(hex(s.receive(more(2, fromHex('3456'), true)))).toBe('c503c10c00000002');
    expect(hex(s.receive(first(1, fromHex('120102'), true)))).toBe('c503c10000000001');
    expect(hex(device.values.get(3))).toBe('120102');
  });
});

describe('a long action', () => {
  const first = (blockNumber: number, raw: Uint8Array): Uint8Array =>
    encodeApdu({
      type: 'action-request-with-first-pblock',
      invoke: 0xc1,
      method: method(1),
      lastBlock: false,
      blockNumber,
      raw,
    });
  test('wrong numbers end it', () => {
    const server = opened(fakeDevice([PUBLIC]));
    const more = (blockNumber: number): Uint8Array =>
      encodeApdu({ type: 'action-request-with-pblock', invoke: 0xc1, lastBlock: false, blockNumber, raw: octets(4) });
    expect(hex(server.receive(more(2)))).toBe('c701c11000');
    expect(hex(server.receive(first(3, octets(4))))).toBe('c701c10f00');
    expect(hex(server.receive(first(1, octets(4))))).toBe('c704c100000001');
    expect(hex(server.receive(more(1)))).toBe('c701c10f00');
    expect(hex(server.receive(encodeApdu({ type: 'action-request-next-pblock', invoke: 0xc1, blockNumber: 1 })))).toBe(
      'c701c11000',
    );
  });
});

describe('long reads and writes by short name', () => {
  test('wrong numbers are refused', () => {
    const device = fakeDevice([PUBLIC]);
    device.values.set(8, octets(200));
    const server = opened(device, { applicationContext: 2, maxPduSize: 64, conformance: ALL & ~GENERAL });
    const on = (n: number): Uint8Array =>
      encodeApdu({ type: 'read-request', variables: [{ kind: 'block-number-access', blockNumber: n }] });
    const read = encodeApdu({ type: 'read-request', variables: [{ kind: 'variable-name', name: 8 }] });
    expect(hex(server.receive(on(1)))).toBe('0c010110');
    // The value itself, not the list of results with it.
    expect(hex(server.receive(read))).toMatch(/^0c0102000001370981c85555/);
    expect(hex(server.receive(on(2)))).toBe('0c010113');
    const write = (n: number): Uint8Array =>
      encodeApdu({
        type: 'write-request',
        variables: [{ kind: 'write-data-block-access', lastBlock: false, blockNumber: n }],
        values: [octets(8)],
      });
    expect(hex(server.receive(write(2)))).toBe('0d010112');
    expect(hex(server.receive(write(1)))).toBe('0d01020001');
    expect(hex(server.receive(write(3)))).toBe('0d010113');
  });

  test('unconfirmed writes are carried out in silence', () => {
    const device = fakeDevice([PUBLIC]);
    device.values.set(8, fromHex('00'));
    const server = opened(device, { applicationContext: 2 });
    const write = encodeApdu({
      type: 'unconfirmed-write-request',
      variables: [{ kind: 'variable-name', name: 8 }],
      values: [fromHex('1105')],
    });
    expect(server.receive(write)).toBeUndefined();
    expect(hex(device.values.get(8))).toBe('1105');
  });
});

describe('bounds', () => {
  test('lists longer than allowed, and answers longer than allowed', () => {
    const device = fakeDevice([PUBLIC]);
    device.values.set(2, octets(600));
    const server = opened(device, { maxPduSize: 0 }, { list: 4, response: 1000 });
    const list = (n: number): Uint8Array =>
      encodeApdu({ type: 'get-request-with-list', invoke: 0xc1, attributes: new Array(n).fill(attribute(2)) });
    expect(hex(server.receive(list(5)))).toBe('d80101');
    const answer = decodeApdu(server.receive(list(3))!);
    if (answer.type !== 'get-response-with-list') throw new Error(answer.type);
    expect(answer.results.map((result) => ('error' in result ? result.error : 0))).toEqual([0, 250, 250]);
    device.values.set(2, octets(1100));
    expect(hex(server.receive(GET))).toBe('c401c101fa');
  });

  test('behind the first value that no longer fits nothing is read any more', () => {
    const device = fakeDevice([PUBLIC]);
    let asked = 0;
    const data = octets(600);
    const counting = {
      ...device,
      get: () => {
        asked++;
        return { data };
      },
      readName: () => {
        asked++;
        return { data };
      },
    };
    const variables = new Array(60).fill({ kind: 'variable-name', name: 8 } as const);
    const attributes = new Array(60).fill(attribute(2));
    const specifications = attributes.map((a) => ({ kind: 'get' as const, ...a }));
    const nothing = attributes.map(() => Uint8Array.of(0));
    const requests = [
      encodeApdu({ type: 'get-request-with-list', invoke: 0xc1, attributes }),
      encodeApdu({
        type: 'access-request',
        longInvoke: 0x4000_0001,
        dateTime: new Uint8Array(0),
        specifications,
        data: nothing,
      }),
    ];
    for (const request of requests) {
      asked = 0;
      opened(counting, { maxPduSize: 0 }, { response: 1000 }).receive(request);
      expect(asked).toBe(2);
    }
    asked = 0;
    const short = opened(counting, { applicationContext: 2, maxPduSize: 0 }, { response: 1000 });
    short.receive(encodeApdu({ type: 'read-request', variables }));
    expect(asked).toBe(2);
  });

  test('general blocks that never end are given up', () => {
    const server = opened(fakeDevice([PUBLIC]), {}, { request: 1000 });
    let answer: Uint8Array | undefined;
    for (let n = 1; n < 2000; n++) {
      answer = server.receive(
        encodeApdu({
          type: 'general-block-transfer',
          lastBlock: false,
          streaming: false,
          window: 1,
          blockNumber: n,
          blockNumberAcknowledged: n - 1,
          block: new Uint8Array(100),
        }),
      );
      expect(server.held).toBeLessThanOrEqual(1200);
      if (answer && decodeApdu(answer).type === 'general-block-transfer' && answer[2] === 0 && answer[3] === 0) break;
    }
    expect(hex(answer)).toBe('e0800000000000');
    expect(server.held).toBe(0);
  });
});
