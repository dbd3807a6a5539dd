/** What clients of bad will do to a server of meters: connections, memory, and others' turns. */
import { fromHex } from '@amiable/bytes';
import { createLogicalDevice } from '@amiable/cosem';
import { encodeApdu, encodeWrapper, LN_CONFORMANCE } from '@amiable/dlms';
import { CONTROL, encodeFrame, encodeParameters } from '@amiable/hdlc';
import { loopback, nodeCrypto, virtualClock } from '@amiable/io';
import { describe, expect, test } from 'vitest';
import {
  type ConnectionEvents,
  createMeterServer,
  hdlcTransport,
  type MeterServer,
  type MeterServerOptions,
  openSession,
  serveOn,
} from '../src/index.ts';

const LONG = 60_000;
/** An octet-string. */
const long = (length: number): Uint8Array => {
  const out = new Uint8Array(length + 5);
  out.set([9, 0x83, length >> 16, length >> 8, length]);
  return out;
};
const device = createLogicalDevice<undefined>({
  associations: [
    { name: 'public', clientSap: 16, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE },
  ],
  objects: [
    { classId: 1, logicalName: '0-0:96.1.0', attributes: { 2: { get: () => long(LONG) } } },
    { classId: 1, logicalName: '0-0:96.1.1', attributes: { 2: { get: () => long(400_000) } } },
  ],
});
const aarq = (maxPduSize: number): Uint8Array =>
  encodeApdu({
    type: 'aarq',
    applicationContext: 1,
    userInformation: encodeApdu({
      type: 'initiate-request',
      responseAllowed: true,
      version: 6,
      conformance: LN_CONFORMANCE,
      maxPduSize,
    }),
  });
const get = (name: string): Uint8Array =>
  encodeApdu({
    type: 'get-request-normal',
    invoke: 0xc1,
    attribute: { classId: 1, instanceId: fromHex(name), attributeId: 2 },
  });
const GET = get('0000600100ff');
const GET_HUGE = get('0000600101ff');

function serverOf(more: Partial<MeterServerOptions<undefined>> = {}): MeterServer<undefined> {
  return createMeterServer<undefined>({
    find: () => ({ device, meter: undefined }),
    clock: virtualClock(),
    random: (n) => nodeCrypto.randomBytes(n),
    fault: (error) => {
      throw error;
    },
    ...more,
  });
}

/** A connection whose other end reads nothing, or everything. */
function connected(server: MeterServer<undefined>, transport: 'wrapper' | 'hdlc' = 'wrapper', reads = false) {
  const state = { closed: false, written: 0 };
  const events = server.accept(
    {
      write: (bytes) => {
        state.written += bytes.length;
      },
      close: () => {
        state.closed = true;
      },
      get waiting() {
        return reads ? 0 : state.written;
      },
    },
    transport,
  );
  return { events: events as ConnectionEvents, state };
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const WIDE = { maxInfoTransmit: 2030, maxInfoReceive: 2030, windowTransmit: 7, windowReceive: 7 };
const frame = (control: number, info: Uint8Array = new Uint8Array(0), client = 16): Uint8Array =>
  encodeFrame({
    destination: { value: 1, length: 1 },
    source: { value: client, length: 1 },
    control,
    info,
    segmented: false,
  });
const POLL = 0x10;
const SNRM = (client = 16): Uint8Array => frame(CONTROL.SNRM | POLL, encodeParameters(WIDE), client);
const inform = (ns: number, nr: number, apdu: Uint8Array, client = 16): Uint8Array =>
  frame((nr << 5) | (ns << 1) | POLL, joined(fromHex('e6e600'), apdu), client);

describe('clients that do not read', () => {
  test('wrapper: a chunk full of requests is not answered beyond what may wait', () => {
    const { events, state } = connected(serverOf({ maxWaiting: 300_000 }));
    events.data(encodeWrapper(16, 1, aarq(0)));
    events.data(joined(...Array.from({ length: 1000 }, () => encodeWrapper(16, 1, GET))));
    expect(state.closed).toBe(true);
    expect(state.written).toBeLessThan(600_000);
  });

  test('HDLC: polls for the same frames again and again', () => {
    const server = serverOf({ maxWaiting: 300_000, hdlc: { limits: WIDE } });
    const { events, state } = connected(server, 'hdlc');
    events.data(SNRM());
    events.data(inform(0, 0, aarq(0)));
    events.data(inform(1, 1, GET));
    const poll = frame((1 << 5) | 0x01 | POLL);
    for (let i = 0; i < 20; i++) events.data(joined(...Array.from({ length: 100 }, () => poll)));
    expect(state.closed).toBe(true);
    expect(state.written).toBeLessThan(600_000);
  });

  test('HDLC: answers that are not fetched do not pile up', () => {
    const server = serverOf({ hdlc: { limits: WIDE } });
    const { events } = connected(server, 'hdlc', true);
    let most = 0;
    for (let client = 1; client < 20; client++) {
      if (client !== 16) continue;
      events.data(SNRM(client));
      events.data(inform(0, 0, aarq(0), client));
      // Without a word on what was received.
      for (let n = 1; n < 60; n++) events.data(inform(n & 7, 1, GET, client));
      most = Math.max(most, server.held);
    }
    expect(most).toBeGreaterThan(LONG);
    expect(most).toBeLessThan(20 * LONG);
  });
});

describe('memory of all connections together', () => {
  test('beyond the bound the one longest silent goes, not the one that speaks', async () => {
    const clock = virtualClock();
    const server = serverOf({ clock, maxHeld: 3_000_000 });
    const all: { closed: boolean }[] = [];
    for (let i = 0; i < 20; i++) {
      const { events, state } = connected(server, 'wrapper', true);
      events.data(encodeWrapper(16, 1, aarq(128)));
      events.data(encodeWrapper(16, 1, GET_HUGE));
      all.push(state);
      await clock.advance(10);
    }
    expect(server.held).toBeLessThanOrEqual(3_000_000);
    expect(all.map(({ closed }) => closed)).toEqual(all.map((_, i) => i < 13));
    expect(server.connections).toBe(7);
  });

  test('HDLC too, and what waits for its rest', async () => {
    const clock = virtualClock();
    const server = serverOf({ clock, maxHeld: 300_000, hdlc: { limits: WIDE } });
    const first = connected(server, 'wrapper', true);
    first.events.data(encodeWrapper(16, 1, new Uint8Array(65_000)).subarray(0, 64_000));
    expect(server.held).toBeGreaterThanOrEqual(64_000);
    await clock.advance(10);
    const second = connected(server, 'hdlc', true);
    second.events.data(SNRM());
    second.events.data(inform(0, 0, aarq(0)));
    for (let n = 1; n < 6; n++) second.events.data(inform(n, 1, GET));
    expect(first.state.closed).toBe(true);
    server.close();
    expect(server.held).toBe(0);
  });
});

describe('connections that only hold a place', () => {
  test('make room for one that comes, the longest silent first; those with an association stay', async () => {
    const clock = virtualClock();
    const server = serverOf({ clock, maxConnections: 3 });
    const honest = connected(server, 'wrapper', true);
    honest.events.data(encodeWrapper(16, 1, aarq(1024)));
    const idle = [connected(server), connected(server)];
    await clock.advance(1000);
    // A byte now and then is no word.
    idle[0]?.events.data(Uint8Array.of(0));
    const next = connected(server, 'wrapper', true);
    expect([honest, ...idle].map(({ state }) => state.closed)).toEqual([false, true, false]);
    next.events.data(encodeWrapper(16, 1, aarq(1024)));
    const last = connected(server, 'wrapper', true);
    last.events.data(encodeWrapper(16, 1, aarq(1024)));
    expect(idle[1]?.state.closed).toBe(true);
    expect(server.connections).toBe(3);
    const refused = connected(server);
    expect(refused.events).toBeUndefined();
    expect(refused.state.closed).toBe(true);
  });

  test.each(['wrapper', 'hdlc'] as const)('%s: bytes without a message do not keep a connection', async (transport) => {
    const clock = virtualClock();
    const server = serverOf({ clock, inactivity: 1000 });
    const { events, state } = connected(server, transport, true);
    for (let i = 0; i < 20 && !state.closed; i++) {
      await clock.advance(100);
      events.data(transport === 'hdlc' ? Uint8Array.of(0x55) : Uint8Array.of(i === 1 ? 1 : 0));
    }
    expect(state.closed).toBe(true);
  });

  test('a line is no caller: it is served however long nobody spoke, and makes room for none', async () => {
    const clock = virtualClock();
    const server = serverOf({ clock, maxConnections: 1 });
    const [here, there] = loopback();
    await serveOn(server, there, 'hdlc');
    await clock.advance(3_600_000);
    expect(connected(server).events).toBeUndefined();
    const session = await openSession({ transport: hdlcTransport(here, clock, { server: 1 }), clock });
    expect((await session.get({ classId: 1, instanceId: fromHex('0000600100ff'), attributeId: 2 })).length).toBe(
      60_005,
    );
    await session.release();
  });

  test('a line full of links that only said SNRM takes another client', () => {
    const server = serverOf({ hdlc: { maxLinks: 8 } });
    const { events } = connected(server, 'hdlc', true);
    events.data(SNRM(1));
    events.data(inform(0, 0, aarq(0), 1));
    for (let client = 2; client < 100; client++) if (client !== 16) events.data(SNRM(client));
    events.data(SNRM(16));
    events.data(inform(0, 0, aarq(0), 16));
    expect([...server.associations()].filter(({ status }) => status === 2)).toHaveLength(1);
    expect([...server.associations()].length).toBeLessThanOrEqual(8);
  });
});
