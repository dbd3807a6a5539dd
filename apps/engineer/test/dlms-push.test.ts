/** `amiable dlms push`: what meters send unasked, over real sockets. */

import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { obisToBytes } from '@amiable/cosem';
import {
  createSecurityContext,
  decodeWrapperDatagram,
  encodeApdu,
  encodeWrapper,
  memoryCounter,
  memoryPeerCounter,
  type SecurityContext,
  unconfirmedBlocks,
} from '@amiable/dlms';
import { CONTROL, encodeFrame } from '@amiable/hdlc';
import { nodeCrypto } from '@amiable/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf, openCounter } from '../src/dlms/counters.ts';
import { itemsOf, objectsOption, runPush } from '../src/dlms/push.ts';
import type { Given } from '../src/dlms/settings.ts';
import { keysOf, METER_TITLE } from './dlms-device.ts';
import { type Machine, machine, type Ran, ran } from './dlms-terminal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amiable-push-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const octets = (text: string) => ({ type: 'octet-string', value: obisToBytes(text) }) as const;
const CONFIRMED = 0x4000_0000;
function notification(confirmed = false): Uint8Array {
  return encodeApdu({
    type: 'data-notification',
    invokeId: (confirmed ? CONFIRMED : 0) + 7,
    dateTimeForm: 'none',
    body: {
      type: 'structure',
      value: [
        octets('1-0:1.8.0'),
        { type: 'double-long-unsigned', value: 4711 },
        { type: 'visible-string', value: new TextEncoder().encode('x\x1b[2J') },
      ],
    },
  });
}
const event = encodeApdu({
  type: 'event-notification-request',
  attribute: { classId: 70, instanceId: obisToBytes('0-0:96.3.10'), attributeId: 3 },
  value: Uint8Array.of(0x16, 2),
});

const hex = (bytes: Uint8Array): string => toHex(bytes);
const keys = keysOf(0);
const KEYS = { key: hex(keys.unicast), authKey: hex(keys.authentication) };
const meterContext = (
  first = 1,
  form: 'general-global' | 'service-specific-global' = 'general-global',
): SecurityContext =>
  createSecurityContext({
    suite: 0,
    role: 'server',
    ownSystemTitle: METER_TITLE,
    peerSystemTitle: Uint8Array.from(Buffer.from('414d494300000001', 'hex')),
    keys,
    send: { authenticated: true, encrypted: true },
    require: { authenticated: true, encrypted: true },
    form,
    counter: memoryCounter(first),
    peerCounter: memoryPeerCounter(),
    crypto: nodeCrypto,
  });

let states = 0;
/** Listens on a free port, lets `send` work, and gives what was printed after `count` messages (or the end). */
async function listening(given: Given, send: (port: number, terminal: Machine) => Promise<void>): Promise<Ran> {
  for (let tries = 0; ; tries++) {
    const terminal = machine();
    // The port is asked of the system first, since 0 cannot be written as an address.
    const free = await freePort();
    const listen = String(given.listen ?? 'tcp://127.0.0.1').replace(/$/, `:${free}`);
    let over = false;
    const run = ran(terminal, (t) => runPush(t, { state: join(folder, `${++states}.json`), ...given, listen }));
    void run.finally(() => {
      over = true;
    });
    while (!over && !terminal.text.err.includes('listening')) await new Promise((resolve) => setImmediate(resolve));
    if (over) {
      // Somebody was quicker: the system gives the same ports to all.
      const { err } = await run;
      if (tries < 5 && err.includes('in use')) continue;
      throw new Error(`not listening: ${err}`);
    }
    await send(free, terminal);
    return run;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function sender(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
  });
}

const answerOf = (socket: Socket): Promise<Buffer> => new Promise((resolve) => socket.once('data', resolve));
const wrapped = (apdu: Uint8Array): Uint8Array => encodeWrapper(1, 16, apdu);

describe('what a body holds', () => {
  const clock = {
    type: 'octet-string',
    value: Uint8Array.from(Buffer.from('07ea0b14050c1e0000ffc400', 'hex')),
  } as const;
  const energy = { type: 'double-long-unsigned', value: 4711 } as const;
  const entry = (classId: number, name: string) =>
    ({
      type: 'structure',
      value: [
        { type: 'long-unsigned', value: classId },
        octets(name),
        { type: 'integer', value: 2 },
        { type: 'long-unsigned', value: 0 },
      ],
    }) as const;
  const names = (items: ReturnType<typeof itemsOf>) =>
    items.map(({ named }) => named && [named.object.classId, named.object.obis, named.attribute]);

  it('is named by its own push_object_list', () => {
    const list = {
      type: 'array',
      value: [entry(40, '0-0:25.9.0'), entry(8, '0-0:1.0.0'), entry(3, '1-0:1.8.0')],
    } as const;
    expect(names(itemsOf({ type: 'structure', value: [list, clock, energy] }))).toEqual([
      [40, '0-0:25.9.0', 2],
      [8, '0-0:1.0.0', 2],
      [3, '1-0:1.8.0', 2],
    ]);
    // A list of another length describes something else.
    expect(names(itemsOf({ type: 'structure', value: [list, energy] }))).toEqual([undefined, undefined]);
  });
  it('is named by the user', () => {
    const told = objectsOption('0-0:1.0.0,3:1-0:1.8.0:value');
    expect(names(itemsOf({ type: 'structure', value: [clock, energy, energy] }, told))).toEqual([
      [8, '0-0:1.0.0', 2],
      [3, '1-0:1.8.0', 2],
      undefined,
    ]);
    expect(() => objectsOption('clock')).toThrow(/logical names/);
  });
});

describe('amiable dlms push', () => {
  it('prints pairs of name and value, and confirms where asked', async () => {
    let answer: Uint8Array | undefined;
    const { out, code } = await listening({ count: '1' }, async (port) => {
      const socket = await sender(port);
      const came = answerOf(socket);
      socket.write(wrapped(notification(true)));
      answer = await came;
      socket.destroy();
    });
    expect(code).toBe(0);
    expect(out).toMatch(/notification\n {2}1-0:1\.8\.0 {2}Active energy import {2}4711\n {2}2 +0x781b5b324a\n$/);
    const frame = decodeWrapperDatagram(answer as Uint8Array);
    expect([frame.source, frame.destination, toHex(frame.apdu).slice(0, 2)]).toEqual([16, 1, '10']);
  });

  it('opens what is ciphered, each counter once; refuses plain ones where keys are given', async () => {
    const meter = meterContext();
    const sealed = meter.protect(notification());
    let answer: Uint8Array | undefined;
    const { out, err } = await listening({ ...KEYS, count: '2', json: true }, async (port) => {
      const socket = await sender(port);
      socket.write(wrapped(sealed));
      socket.write(wrapped(sealed));
      socket.write(wrapped(notification()));
      const came = answerOf(socket);
      socket.write(wrapped(meter.protect(notification(true))));
      answer = await came;
      socket.destroy();
    });
    const messages = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(messages).toHaveLength(2);
    expect(messages[0]).toMatchObject({
      type: 'data-notification',
      title: '4D45540000000001',
      invokeId: 7,
      values: [{ obis: '1-0:1.8.0', class: 3, value: 4711 }, { value: '0x781b5b324a' }],
    });
    expect(err).toMatch(/refused: .*invocation counter/);
    expect(err).toContain('not ciphered is refused');
    // The confirmation is ciphered as well.
    const opened = meter.unprotect(decodeWrapperDatagram(answer as Uint8Array).apdu.slice());
    expect(opened.ok && opened.plain[0]).toBe(0x10);
  });

  it('leaves the numbers of a key to other commands but while it confirms', async () => {
    const state = join(folder, 'shared.json');
    const fingerprint = fingerprintOf(Uint8Array.from(Buffer.from('414d494300000001', 'hex')), keys.unicast);
    const used: number[] = [];
    const { code } = await listening({ ...KEYS, count: '2', state }, async (port) => {
      const meter = meterContext();
      const socket = await sender(port);
      for (let i = 0; i < 2; i++) {
        const other = await openCounter(state, fingerprint, machine().clock);
        used.push(other.next());
        other.release();
        const came = answerOf(socket);
        socket.write(wrapped(meter.protect(notification(true))));
        const opened = meter.unprotect(decodeWrapperDatagram(await came).apdu.slice());
        expect(opened.ok).toBe(true);
        if (opened.ok) used.push(opened.invocationCounter as number);
      }
      socket.destroy();
    });
    expect(code).toBe(0);
    expect(used).toHaveLength(4);
    expect([...used].sort((a, b) => a - b)).toEqual(used);
    expect(new Set(used).size).toBe(4);
  });

  it('tells what is missing when no key, or a wrong one, is there', async () => {
    const sealed = wrapped(meterContext().protect(notification()));
    const none = await listening({}, async (port, terminal) => {
      (await sender(port)).end(sealed);
      while (!terminal.text.err.includes('Give --key')) await new Promise((resolve) => setImmediate(resolve));
      terminal.stop();
    });
    expect(none).toMatchObject({ out: '', code: 0 });
    expect(none.err).toContain('of the meter 4D45540000000001');
    const wrong = await listening({ ...KEYS, key: KEYS.authKey }, async (port, terminal) => {
      (await sender(port)).end(sealed);
      while (!terminal.text.err.includes('is refused')) await new Promise((resolve) => setImmediate(resolve));
      terminal.stop();
    });
    expect(wrong.out).toBe('');
  });

  it('takes datagrams, events, blocks, and survives what is none of these', async () => {
    const { out, err } = await listening({ listen: 'udp://127.0.0.1', count: '2' }, async (port) => {
      const socket = createSocket('udp4');
      for (const bytes of [
        Uint8Array.of(1, 2, 3),
        wrapped(Uint8Array.of(0x0f, 0xff)),
        wrapped(Uint8Array.of(0xc0, 1, 0xc1, 0, 1, 0, 0, 1, 0, 0, 255, 2, 0)),
        wrapped(event),
        ...unconfirmedBlocks(notification(), 30).map(wrapped),
      ])
        await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
      socket.close();
    });
    expect(out).toMatch(/event\n {2}0-0:96\.3\.10:control_state {2}Disconnect control {2}ready_for_reconnection\n/);
    expect(out).toContain('4711');
    expect(err).toContain('no APDU in a wrapper');
    expect(err).toContain('cannot be read');
    expect(err).toContain('get-request-normal is nothing that is pushed');
  });

  it('joins segments of HDLC', async () => {
    const information = Uint8Array.of(0xe6, 0xe7, 0x00, ...notification());
    const frame = (info: Uint8Array, segmented: boolean) =>
      encodeFrame({
        destination: { value: 16, length: 1 },
        source: { value: 1, length: 1 },
        control: CONTROL.UI,
        info,
        segmented,
      });
    const { out } = await listening({ listen: 'hdlc+tcp://127.0.0.1', count: '1' }, async (port) => {
      const socket = await sender(port);
      socket.write(frame(information.subarray(0, 12), true));
      socket.write(frame(information.subarray(12), false));
      socket.end();
    });
    expect(out).toContain('1-0:1.8.0  Active energy import  4711');
  });
});
