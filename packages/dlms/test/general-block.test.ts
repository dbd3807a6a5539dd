/** General block transfer: the two ends against each other over a line that loses, repeats and swaps blocks. */
import { DecodeError, fromHex } from '@amiable/bytes';
import {
  abortBlocks,
  createBlockJoiner,
  createBlockTransfer,
  decodeApdu,
  type GeneralBlockTransfer,
  unconfirmedBlocks,
} from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const blockOf = (bytes: Uint8Array): GeneralBlockTransfer => {
  const apdu = decodeApdu(bytes);
  if (apdu.type !== 'general-block-transfer') throw new Error(apdu.type);
  return apdu;
};
const counted = (length: number, seed = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff);
const block = (control: number, number: number, acknowledged: number, data: Uint8Array): GeneralBlockTransfer => ({
  type: 'general-block-transfer',
  lastBlock: (control & 0x80) !== 0,
  streaming: (control & 0x40) !== 0,
  window: control & 0x3f,
  blockNumber: number,
  blockNumberAcknowledged: acknowledged,
  block: data,
});

interface Line {
  /** What becomes of the n-th block on the line. */
  fate(n: number): 'arrives' | 'lost' | 'twice';
}

/** Plays a request and its response; gives what each end got, and how often somebody had to be woken. */
function play(request: Uint8Array, response: Uint8Array, windows: [number, number], pdu: [number, number], line: Line) {
  const client = createBlockTransfer({ role: 'client', window: windows[0], maxPduSize: pdu[1], maxRepeats: 50 });
  const server = createBlockTransfer({ role: 'server', window: windows[1], maxPduSize: pdu[0], maxRepeats: 50 });
  const toServer: Uint8Array[] = [...client.send(request)];
  const toClient: Uint8Array[] = [];
  const got: { request: Uint8Array[]; response?: Uint8Array } = { request: [] };
  let n = 0;
  let woken = 0;
  const carry = (queue: Uint8Array[]): Uint8Array[] => {
    const all = queue.splice(0);
    return all.flatMap((b) => {
      const fate = line.fate(n++);
      return fate === 'lost' ? [] : fate === 'twice' ? [b, b] : [b];
    });
  };
  while (!got.response && woken < 60) {
    if (toServer.length === 0 && toClient.length === 0) {
      woken++;
      toServer.push(...client.repeat());
      // The server's half of an acknowledgement that was lost is the client's to ask for.
      if (toServer.length === 0) toClient.push(...server.repeat());
    }
    for (const b of carry(toServer)) {
      expect(b.length).toBeLessThanOrEqual(pdu[1]);
      const step = server.receive(blockOf(b));
      toClient.push(...step.send);
      if (step.apdu) {
        got.request.push(step.apdu);
        toClient.push(...server.send(response));
      }
    }
    for (const b of carry(toClient)) {
      expect(b.length).toBeLessThanOrEqual(pdu[0]);
      if (got.response) continue;
      const step = client.receive(blockOf(b));
      toServer.push(...step.send);
      if (step.apdu) got.response = step.apdu;
    }
  }
  return { ...got, woken, client, server };
}

describe('both ends', () => {
  test('a request and a response in blocks, nothing lost: nobody has to be woken', () => {
    for (const [a, b, wa, wb] of [
      [1, 1, 1, 1],
      [500, 3000, 5, 1],
      [3000, 500, 1, 63],
      [64, 10_000, 63, 8],
    ] as const) {
      const played = play(counted(a), counted(b, 1), [wa, wb], [64, 50], { fate: () => 'arrives' });
      expect(played.request).toEqual([counted(a)]);
      expect(played.response).toEqual(counted(b, 1));
      expect(played.woken).toBe(0);
      expect(played.client.held).toBe(0);
    }
  });

  test('whatever is lost or doubled, both get the very bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 63 }),
        fc.integer({ min: 1, max: 63 }),
        fc.array(fc.constantFrom('arrives', 'arrives', 'arrives', 'lost', 'twice'), { maxLength: 60 }),
        (a, b, wa, wb, fates) => {
          const played = play(counted(a, 3), counted(b, 5), [wa, wb], [40, 30], {
            fate: (n) => (fates[n] ?? 'arrives') as 'arrives',
          });
          expect(played.response).toEqual(counted(b, 5));
          for (const r of played.request) expect(r).toEqual(counted(a, 3));
          expect(played.request.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 120 },
    );
  });

  test('windows of the standard: STR ends with the window, BNA names what is complete', () => {
    const client = createBlockTransfer({ role: 'client', window: 3, maxPduSize: 0 });
    const first = client.receive(block(0x00 | 5, 1, 0, counted(4)));
    expect(first.send.map((b) => [...b])).toEqual([[0xe0, 0x83, 0, 1, 0, 1, 0]]);
    expect(client.receive(block(0x43, 2, 1, counted(4))).send).toEqual([]);
    // Block 3 is lost: it is asked for alone, by a window of one.
    const gap = client.receive(block(0x03, 4, 1, counted(4)));
    expect(gap.send.map((b) => [...b])).toEqual([[0xe0, 0x81, 0, 2, 0, 2, 0]]);
    const on = client.receive(block(0x03, 3, 2, counted(4)));
    expect(on.send.map((b) => [...b])).toEqual([[0xe0, 0x83, 0, 3, 0, 4, 0]]);
    const last = client.receive(block(0x83, 5, 3, counted(2)));
    expect(last.send).toEqual([]);
    expect(last.apdu).toHaveLength(18);
  });

  test('a server whose empty acknowledgements take no number is understood too', () => {
    for (const numbered of [true, false]) {
      const client = createBlockTransfer({ role: 'client', window: 4, maxPduSize: 20 });
      expect(client.send(counted(30))).toHaveLength(1);
      expect(client.receive(block(0x05, 1, 1, new Uint8Array(0))).send).toHaveLength(2);
      const from = numbered ? 2 : 1;
      expect(client.receive(block(0x45, from, 3, Uint8Array.of(1))).more).toBe(true);
      expect(client.receive(block(0x85, from + 1, 3, Uint8Array.of(2))).apdu).toEqual(Uint8Array.of(1, 2));
    }
  });

  test('the request said twice is answered twice, but delivered once', () => {
    const server = createBlockTransfer({ role: 'server', maxPduSize: 100 });
    expect(server.receive(block(0x81, 1, 0, counted(9))).apdu).toEqual(counted(9));
    const answer = server.send(counted(50));
    const again = server.receive(block(0x81, 1, 0, counted(9)));
    expect(again.apdu).toBeUndefined();
    expect(again.send).toEqual(answer);
    expect(server.receive(block(0x81, 1, 0, counted(8))).apdu).toEqual(counted(8));
  });
});

describe('what a peer must not do', () => {
  const reasonOf = (fn: () => unknown): string => {
    try {
      fn();
    } catch (error) {
      if (error instanceof DecodeError) return error.reason;
      throw error;
    }
    return 'nothing';
  };
  const busy = () => {
    const client = createBlockTransfer({ role: 'client', window: 2, maxPduSize: 0, maxBytes: 100, maxRepeats: 3 });
    client.receive(block(0x02, 1, 0, counted(10)));
    return client;
  };

  test.each([
    ['a block beyond the window', block(0x02, 4, 1, counted(3)), 'block'],
    ['more bytes than are joined', block(0x02, 2, 1, counted(91)), 'limit'],
    ['more bytes than are kept before a gap', block(0x02, 3, 1, counted(91)), 'limit'],
    ['giving up', blockOf(abortBlocks()), 'block'],
  ])('%s', (_, bad, reason) => {
    const client = busy();
    expect(reasonOf(() => client.receive(bad))).toBe(reason);
    expect(client.held).toBe(0);
    expect(client.active).toBe(false);
  });

  test('acknowledging what was not sent, data before all is acknowledged', () => {
    for (const bad of [block(0x02, 1, 2, new Uint8Array(0)), block(0x02, 1, 0, counted(3))]) {
      const client = createBlockTransfer({ role: 'client', maxPduSize: 20 });
      client.send(counted(60));
      expect(reasonOf(() => client.receive(bad))).toBe('block');
    }
  });

  test('the same again and again: ends after a few', () => {
    const client = busy();
    let n = 0;
    expect(
      reasonOf(() => {
        for (; n < 100; n++) client.receive(block(0x02, 1, 1, counted(10)));
      }),
    ).toBe('block');
    expect(n).toBeLessThan(10);
    const sender = createBlockTransfer({ role: 'client', maxPduSize: 20, maxRepeats: 3 });
    sender.send(counted(60));
    let m = 0;
    expect(
      reasonOf(() => {
        for (; m < 100; m++) sender.receive(block(0x02, m + 1, 0, new Uint8Array(0)));
      }),
    ).toBe('block');
    expect(m).toBeLessThan(10);
  });

  test('blocks after the last, another last', () => {
    const client = createBlockTransfer({ role: 'client', window: 5, maxPduSize: 0 });
    client.receive(block(0x42, 1, 0, counted(1)));
    client.receive(block(0x82, 3, 0, counted(1)));
    expect(reasonOf(() => client.receive(block(0x02, 4, 0, counted(1))))).toBe('block');
  });

  test('any blocks at all: only DecodeError, and bounded', () => {
    const any = fc.record({
      type: fc.constant('general-block-transfer' as const),
      lastBlock: fc.boolean(),
      streaming: fc.boolean(),
      window: fc.integer({ min: 0, max: 63 }),
      blockNumber: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 65_535 })),
      blockNumberAcknowledged: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 65_535 })),
      block: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom('client' as const, 'server' as const),
        fc.array(fc.oneof(any, fc.constant('send' as const), fc.constant('repeat' as const)), { maxLength: 40 }),
        (role, inputs) => {
          const end = createBlockTransfer({ role, window: 3, maxPduSize: 30, maxBytes: 200 });
          for (const input of inputs) {
            if (input === 'send') end.send(counted(90));
            else if (input === 'repeat') end.repeat();
            else
              try {
                expect(end.receive(input).send.length).toBeLessThanOrEqual(63);
              } catch (error) {
                expect(error).toBeInstanceOf(DecodeError);
              }
            expect(end.held).toBeLessThanOrEqual(200 + 200 + 90 + 40);
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});

test('blocks that nobody acknowledges are joined again', () => {
  const apdu = counted(300);
  const blocks = unconfirmedBlocks(apdu, 50);
  const joiner = createBlockJoiner();
  const joined = blocks.map((b) => joiner.push(blockOf(b)));
  expect(joined.pop()).toEqual(apdu);
  expect(joined.every((j) => j === undefined)).toBe(true);
  expect(blocks.every((b) => b.length <= 50)).toBe(true);
  expect(fromHex('e0c00001000000').slice(0, 2)).toEqual(Uint8Array.of(0xe0, 0xc0));
});
