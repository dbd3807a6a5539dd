/** What carries APDUs: M-Bus, power line LLC, datagrams, bare pieces, and a link that fails while it is opened. */
import { LinkError } from '@amiable/bytes';
import { createServerAssociation, decodeWrapperDatagram, encodeWrapper, type ServerAssociation } from '@amiable/dlms';
import {
  listenTcp,
  listenUdp,
  nodeCrypto,
  systemClock,
  tcpClient,
  udpClient,
  type VirtualClock,
  virtualClock,
} from '@amiable/io';
import { createMbusReceiver, encodeLongFrame, splitTransport, transportSegment } from '@amiable/mbus';
import {
  type ApduTransport,
  createMeterServer,
  hdlcServerAddress,
  hdlcTransport,
  llcTransport,
  mbusTransport,
  openSession,
  rawTransport,
  type SessionLink,
  wrapperTransport,
} from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import { deviceFor, type Line, lineTo, ln, newState, ROWS, type State, u32 } from './session-device.ts';

const REGISTER = { classId: 3, instanceId: ln('1-0:1.8.0'), attributeId: 2 };
const PROFILE = ln('1-0:99.1.0');

const association = (): ServerAssociation<State> =>
  createServerAssociation<State>({
    device: deviceFor({}),
    meter: newState(),
    clientSap: 16,
    serverSap: 1,
    random: (n) => nodeCrypto.randomBytes(n),
  });

async function readAll(transport: ApduTransport, clock: VirtualClock, options: { maxPduSize?: number } = {}) {
  const opening = openSession({ transport, clock, ...options });
  await clock.advance(1000);
  const session = await opening;
  const reading = session.get(REGISTER);
  await clock.advance(3000);
  expect(await reading).toEqual(u32(123456));
  const profile = session.getProfile(PROFILE);
  await clock.advance(60_000);
  const { rows, error } = await profile;
  expect(error).toBeUndefined();
  expect(rows).toHaveLength(ROWS);
  const released = session.release();
  await clock.advance(10_000);
  await released;
  expect(clock.pending).toBe(0);
  return session;
}

test('bare pieces', async () => {
  const clock = virtualClock();
  const server = association();
  const line = lineTo((reply) => ({
    data: (apdu) => {
      const answer = server.receive(apdu);
      if (answer) reply(answer);
    },
    closed() {},
  }));
  await readAll(rawTransport(line.link), clock);
  expect(line.closed).toBe(true);
});

test('power line LLC: addresses and control before each APDU, others are not heard', async () => {
  const clock = virtualClock();
  const server = association();
  const seen: number[][] = [];
  const line = lineTo((reply) => ({
    data(pdu) {
      seen.push([...pdu.subarray(0, 3)]);
      const answer = server.receive(pdu.subarray(3));
      reply(Uint8Array.of(17, 1, 0x90, 0xff));
      if (answer) reply(Uint8Array.of(16, 1, 0x90, ...answer));
    },
    closed() {},
  }));
  await readAll(llcTransport(line.link), clock);
  expect(seen[0]).toEqual([1, 16, 0x90]);
});

test('datagrams: whole or not at all', async () => {
  const clock = virtualClock();
  const device = deviceFor({});
  const state = newState();
  const server = createMeterServer<State>({
    fault: (error) => {
      throw error;
    },
    clock,
    random: (n) => nodeCrypto.randomBytes(n),
    find: () => ({ device, meter: state }),
    inactivity: 0,
  });
  const line = lineTo((reply) => ({
    data(bytes) {
      expect(decodeWrapperDatagram(bytes).destination).toBe(1);
      // Half a datagram, and rubbish, are dropped.
      reply(encodeWrapper(1, 16, Uint8Array.of(0xc4, 1, 0xc1, 0)).subarray(0, 10));
      reply(Uint8Array.of(9));
      server.datagram(bytes, 'peer', reply);
    },
    closed() {},
  }));
  await readAll(wrapperTransport({ ...line.link, datagrams: true }), clock);
});

describe('M-Bus', () => {
  /** A slave: acknowledges, collects segments, gives its answer when it is asked. */
  function slave(lose: (n: number) => boolean = () => false, busy = 0): Line {
    const server = association();
    let n = 0;
    return lineTo((reply) => {
      const say = (bytes: Uint8Array): void => {
        if (!lose(n++)) reply(bytes);
      };
      let parts: number[] = [];
      let answers: Uint8Array[] = [];
      let last: { control: number; bytes: Uint8Array } | undefined;
      let fcb = -1;
      let asked = 0;
      const receiver = createMbusReceiver({
        drop() {},
        short(control) {
          if (control === 0x40) {
            say(Uint8Array.of(0xe5));
            return;
          }
          if ((control & 0x0f) !== 0x0b) return;
          // The same frame count bit: the answer before was lost.
          if (last?.control === control) {
            say(last.bytes);
            return;
          }
          const next = asked++ < busy ? undefined : answers.shift();
          const bytes = next ?? Uint8Array.of(0xe5);
          last = { control, bytes };
          say(bytes);
        },
        frame(frame) {
          const segment = transportSegment(frame);
          if (!segment) return;
          const repeated = (frame.control & 0x20) === fcb;
          fcb = frame.control & 0x20;
          if (!repeated) {
            parts.push(...segment.data);
            if (segment.final) {
              const answer = server.receive(Uint8Array.from(parts));
              parts = [];
              answers = answer
                ? splitTransport(answer, 1, 16).map((part) => encodeLongFrame({ ...part, control: 0x08, address: 5 }))
                : [];
              asked = 0;
            }
          }
          say(Uint8Array.of(0xe5));
        },
      });
      return { data: (bytes) => receiver.push(bytes), closed() {} };
    });
  }

  test('segments both ways', async () => {
    const clock = virtualClock();
    const line = slave();
    await readAll(mbusTransport(line.link, clock, { address: 5 }), clock);
    expect(line.closed).toBe(true);
  });

  test('a slave that needs time, and a line that loses', async () => {
    const clock = virtualClock();
    await readAll(mbusTransport(slave(undefined, 3).link, clock, { address: 5 }), clock);
    await readAll(mbusTransport(slave((n) => n % 5 === 3).link, clock, { address: 5 }), clock);
  });

  test('a slave that is not there', async () => {
    const clock = virtualClock();
    const line = slave(() => true);
    const opening = openSession({ transport: mbusTransport(line.link, clock, { address: 5 }), clock });
    const error = opening.catch((e: Error) => e);
    await clock.advance(5000);
    expect(await error).toBeInstanceOf(LinkError);
    expect(String(await error)).toMatch(/M-Bus slave 5 did not answer SND_NKE/);
    expect(line.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

test('addresses of HDLC servers', () => {
  expect(hdlcServerAddress(1)).toEqual({ value: 1, length: 1 });
  expect(hdlcServerAddress(1, 17)).toEqual({ value: 0x91, length: 2 });
  expect(hdlcServerAddress(1, 1000)).toEqual({ value: 0x4000 + 1000, length: 4 });
  expect(hdlcServerAddress(300)).toEqual({ value: 300 * 0x4000, length: 4 });
  expect(hdlcServerAddress(1, 17, 4)).toEqual({ value: 0x4011, length: 4 });
});

test('a link that cannot be opened, or not be written', async () => {
  const clock = virtualClock();
  let closed = 0;
  const broken: SessionLink = {
    describe: 'broken',
    open: () => Promise.reject(new LinkError('broken: refused')),
    write: async () => {},
    close: async () => {
      closed++;
    },
  };
  for (const transport of [
    wrapperTransport(broken),
    hdlcTransport(broken, clock),
    mbusTransport(broken, clock, { address: 1 }),
    rawTransport(broken),
    llcTransport(broken),
  ])
    await expect(openSession({ transport, clock })).rejects.toThrow('broken: refused');
  expect(closed).toBe(5);
  const deaf: SessionLink = {
    ...broken,
    open: async () => {},
    write: () => Promise.reject(new LinkError('no carrier')),
  };
  await expect(openSession({ transport: wrapperTransport(deaf), clock })).rejects.toThrow(
    /association: no carrier; expected AARE/,
  );
  await expect(openSession({ transport: hdlcTransport(deaf, clock), clock })).rejects.toThrow(/no carrier/);
  expect(clock.pending).toBe(0);
});

test('over real sockets of this machine, TCP and UDP', async () => {
  const device = deviceFor({});
  const state = newState();
  const server = createMeterServer<State>({
    fault: (error) => {
      throw error;
    },
    clock: systemClock,
    random: (n) => nodeCrypto.randomBytes(n),
    find: () => ({ device, meter: state }),
    inactivity: 0,
  });
  const here = { host: '127.0.0.1', port: 0 };
  const tcp = await listenTcp(here, (connection) => server.accept(connection));
  const udp = await listenUdp(here, (bytes, peer, reply) => server.datagram(bytes, peer, reply));
  for (const link of [
    tcpClient({ host: '127.0.0.1', port: tcp.port }),
    udpClient({ host: '127.0.0.1', port: udp.port }),
  ]) {
    const session = await openSession({ transport: wrapperTransport(link), clock: systemClock });
    const results = await session.getList(Array.from({ length: 200 }, () => REGISTER));
    expect(results).toHaveLength(200);
    expect(results[199]).toEqual({ data: u32(123456) });
    expect((await session.getProfile(PROFILE)).rows).toHaveLength(ROWS);
    await session.release();
  }
  await tcp.close();
  await udp.close();
});
