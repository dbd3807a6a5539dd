/** Meters behind wrapper, UDP and HDLC: fleets, logical devices, bounds, ends of connections; sessions on the other side. */
import { fromHex, toHex } from '@amiable/bytes';
import { createLogicalDevice } from '@amiable/cosem';
import { encodeApdu, encodeWrapper, LN_CONFORMANCE } from '@amiable/dlms';
import { loopback, nodeCrypto, virtualClock } from '@amiable/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConnectionEvents,
  createMeterServer,
  hdlcTransport,
  type MeterServerOptions,
  openSession,
  type ServerAddress,
  serveLink,
  serveOn,
  wrapperTransport,
} from '../src/index.ts';

interface Meter {
  readonly id: number;
}

const ENERGY = { classId: 3, instanceId: fromHex('0100010800ff'), attributeId: 2 };
const LIST = { classId: 15, instanceId: fromHex('0000280000ff'), attributeId: 2 };
const opens: string[] = [];
const device = createLogicalDevice<Meter>({
  associations: [
    { name: 'public', clientSap: 16, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE },
    { name: 'reader', clientSap: 2, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE },
    {
      name: 'broadcast',
      clientSap: 102,
      applicationContexts: [1],
      mechanism: 0,
      conformance: LN_CONFORMANCE,
      preEstablished: true,
    },
  ],
  name: (meter) => `AMI${meter.id}`,
  objects: Array.from({ length: 40 }, (_, i) => ({
    classId: 3,
    logicalName: `1-0:${i + 1}.8.0`,
    attributes: { 2: { get: ({ meter }) => Uint8Array.of(0x12, meter.id >> 8, meter.id) } },
  })),
  associated: ({ meter, status, clientSap }) => opens.push(`${meter.id} ${clientSap} ${status}`),
});

/** A fleet: over the wrapper the destination is the meter, over HDLC the lower address. */
const find = ({ logical, physical }: ServerAddress) => {
  const id = physical ?? logical;
  return id > 0 && id <= 10_000 ? { device, meter: { id } } : undefined;
};

function thrown(error: unknown): never {
  throw error;
}

function options(more: Partial<MeterServerOptions<Meter>> = {}): MeterServerOptions<Meter> {
  return { find, clock: virtualClock(), random: (n) => nodeCrypto.randomBytes(n), fault: thrown, ...more };
}

const AARQ = encodeApdu({
  type: 'aarq',
  applicationContext: 1,
  userInformation: encodeApdu({
    type: 'initiate-request',
    responseAllowed: true,
    version: 6,
    conformance: LN_CONFORMANCE,
    maxPduSize: 1024,
  }),
});
const GET = encodeApdu({ type: 'get-request-normal', invoke: 0xc1, attribute: ENERGY });

/** A connection whose bytes both ways are kept. */
function connected(server = createMeterServer(options()), transport: 'wrapper' | 'hdlc' = 'wrapper') {
  const written: Uint8Array[] = [];
  const state = { closed: false, waiting: 0 };
  const events = server.accept(
    {
      write: (bytes) => void written.push(bytes.slice()),
      close: () => {
        state.closed = true;
      },
      get waiting() {
        return state.waiting;
      },
    },
    transport,
  ) as ConnectionEvents;
  const take = (): string => {
    const all = written.map((bytes) => toHex(bytes)).join('|');
    written.length = 0;
    return all;
  };
  return { server, events, written, state, take };
}

describe('wrapper', () => {
  test('bytes cut and joined in any way give the same answers', () => {
    const stream = Uint8Array.of(
      ...encodeWrapper(16, 7, AARQ),
      ...encodeWrapper(16, 7, GET),
      ...encodeWrapper(16, 300, AARQ),
      ...encodeWrapper(16, 300, GET),
      ...encodeWrapper(16, 7, GET),
    );
    const whole = connected();
    whole.events.data(stream);
    expect(whole.written).toHaveLength(1);
    const wanted = whole.take();
    expect(wanted.match(/c401c10012..../g)).toEqual(['c401c100120007', 'c401c10012012c', 'c401c100120007']);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }), (cuts) => {
        const { events, take } = connected();
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          // A buffer that is used again, as sockets do.
          const chunk = stream.slice(at, at + cut);
          events.data(chunk);
          chunk.fill(0xaa);
          at += cut;
        }
        expect(take().replaceAll('|', '')).toBe(wanted);
      }),
      { numRuns: 40 },
    );
  });

  test('one answer carries the addresses of its request, turned round', () => {
    const { events, take } = connected();
    events.data(encodeWrapper(16, 300, AARQ));
    expect(take()).toMatch(/^0001012c0010....61/);
  });

  test('nobody at that address: no answer', () => {
    const { events, take, server } = connected();
    events.data(encodeWrapper(16, 0, AARQ));
    events.data(encodeWrapper(16, 10_001, AARQ));
    expect(take()).toBe('');
    expect([...server.associations()]).toHaveLength(0);
  });

  test('a closed connection frees its associations at once', () => {
    opens.length = 0;
    const { events, server } = connected();
    events.data(encodeWrapper(16, 7, AARQ));
    events.data(encodeWrapper(2, 7, AARQ));
    expect([...server.associations()]).toHaveLength(2);
    events.closed();
    events.closed();
    expect(opens).toEqual(['7 16 2', '7 2 2', '7 16 0', '7 2 0']);
    expect(server.connections).toBe(0);
  });

  test('a stream out of step is closed', () => {
    const { events, state } = connected();
    events.data(fromHex('7ea0'));
    expect(state.closed).toBe(true);
  });

  test('a client that does not read is closed', () => {
    const { events, state } = connected(createMeterServer(options({ maxWaiting: 1000 })));
    state.waiting = 1001;
    events.data(encodeWrapper(16, 7, AARQ));
    expect(state.closed).toBe(true);
  });

  test('connections and associations are bounded; the one longest silent goes', () => {
    opens.length = 0;
    const server = createMeterServer(options({ maxConnections: 1, maxAssociations: 3 }));
    const { events, take } = connected(server);
    for (const id of [1, 2, 3]) events.data(encodeWrapper(16, id, AARQ));
    const refused = { closed: false };
    const more = server.accept({
      write: () => {},
      close: () => {
        refused.closed = true;
      },
    });
    expect([more, refused.closed]).toEqual([undefined, true]);
    events.data(encodeWrapper(16, 1, GET));
    events.data(encodeWrapper(16, 4, AARQ));
    expect(opens.filter((line) => line.endsWith(' 0'))).toEqual(['2 16 0']);
    take();
    events.data(encodeWrapper(16, 2, GET));
    expect(take()).toMatch(/d80101$/);
    expect([...server.associations()]).toHaveLength(3);
  });

  test('a silent connection is closed after the inactivity time, not before', async () => {
    const clock = virtualClock();
    const server = createMeterServer(options({ clock, inactivity: 1000 }));
    const { events, state } = connected(server);
    events.data(encodeWrapper(16, 7, AARQ));
    for (let i = 0; i < 5; i++) {
      await clock.advance(700);
      expect(state.closed).toBe(false);
      events.data(encodeWrapper(16, 7, GET));
    }
    await clock.advance(1300);
    expect(state.closed).toBe(true);
    expect(server.connections).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('notifications leave with flush', () => {
    const { events, server, take } = connected();
    events.data(encodeWrapper(16, 7, AARQ));
    take();
    for (const association of server.associations()) association.notify(fromHex('0f000000010000'));
    server.flush();
    expect(take()).toBe('00010007001000070f000000010000');
  });

  test('random bytes: no throw, no growth', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40 }), fc.uint8Array({ maxLength: 80 })), {
          maxLength: 20,
        }),
        (chunks) => {
          const { events, server } = connected(createMeterServer(options({ maxAssociations: 4 })));
          for (const [framed, to, bytes] of chunks) {
            if (bytes[0] === 0x60) events.data(encodeWrapper(16, to, AARQ));
            events.data(framed ? encodeWrapper(16, to, bytes) : bytes);
          }
          let held = 0;
          for (const association of server.associations()) held += association.held;
          expect(held).toBeLessThan(4 * 66_000);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('UDP', () => {
  test('each sender has associations of its own; one without is forgotten', () => {
    const server = createMeterServer(options({ maxConnections: 2 }));
    const send = (peer: string, apdu: Uint8Array): string => {
      const got: string[] = [];
      server.datagram(encodeWrapper(16, 7, apdu), peer, (bytes) => got.push(toHex(bytes)));
      return got.join('|');
    };
    expect(send('a', GET)).toMatch(/d80101$/);
    expect(server.connections).toBe(0);
    expect(send('a', AARQ)).toMatch(/^00010007001000..61/);
    expect(send('a', GET)).toMatch(/c401c100120007$/);
    expect(send('b', GET)).toMatch(/d80101$/);
    send('b', AARQ);
    // A third pushes out the one longest silent.
    send('c', AARQ);
    expect(server.connections).toBe(2);
    server.datagram(fromHex('0001'), 'd', () => {
      throw new Error('answered');
    });
    expect(send('c', fromHex('6200'))).toMatch(/63038001..$/);
    expect(server.connections).toBe(1);
  });
});

describe('sessions on the other side', () => {
  test('wrapper over a link: a list in blocks, two meters behind one port', async () => {
    const clock = virtualClock();
    const [here, there] = loopback();
    await serveLink(there, options({ clock }), 'wrapper');
    const session = await openSession({ transport: wrapperTransport(here, { server: 42 }), clock, maxPduSize: 128 });
    expect(toHex(await session.get(ENERGY))).toBe('12002a');
    expect((await session.objects()).length).toBe(40 + 3);
    await session.release();
  });

  test.each([1, 2, 4] as const)('HDLC, addresses of %i octets: segments and windows', async (addressLength) => {
    const clock = virtualClock();
    const [here, there] = loopback();
    const server = await serveLink(
      there,
      options({ clock, hdlc: { limits: { maxInfoTransmit: 128, windowTransmit: 3, maxInfoReceive: 128 } } }),
    );
    const physical = addressLength === 1 ? undefined : 17;
    const session = await openSession({
      transport: hdlcTransport(here, clock, { server: 1, addressLength, ...(physical !== undefined && { physical }) }),
      clock,
    });
    expect(toHex(await session.get(ENERGY))).toBe(addressLength === 1 ? '120001' : '120011');
    expect((await session.get(LIST)).length).toBeGreaterThan(1000);
    expect([...server.associations()]).toHaveLength(1);
    await session.release();
    expect([...server.associations()]).toHaveLength(0);
  });

  test('HDLC: a line that goes frees the association; many meters on one line', async () => {
    opens.length = 0;
    const clock = virtualClock();
    const server = createMeterServer(options({ clock }));
    const [here, there] = loopback();
    await serveOn(server, there, 'hdlc');
    const session = await openSession({ transport: hdlcTransport(here, clock, { server: 1, physical: 900 }), clock });
    expect(toHex(await session.get(ENERGY))).toBe('120384');
    expect(opens).toEqual(['900 16 2']);
    await here.close();
    expect(opens).toEqual(['900 16 2', '900 16 0']);
    expect(server.connections).toBe(0);
  });

  test('HDLC: random bytes do no harm', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
        const { events } = connected(createMeterServer(options()), 'hdlc');
        for (const bytes of chunks) events.data(bytes);
        events.closed();
      }),
      { numRuns: 60 },
    );
  });
});
