/** Disconnecter, clock, firmware, switching tables, limits and schedules, changed through COSEM. */
import { type Data, dateTimeBytes, type EncodedData, octetString } from '@amiable/dlms';
import type { Session } from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import { buildImage, EVENTS, type LogId } from '../../src/electricity/index.ts';
import { encode } from '../../src/electricity-server/define.ts';
import { FIRMWARE_KEY, hmac } from '../../src/electricity-server/factory.ts';
import { instantOf, localDateTime, moment } from '../../src/electricity-server/values.ts';
import { attribute, DAY, HOUR, MINUTE, method, open, read, type Stand, stand, ZERO } from './helpers.ts';

const ZONE = 'Europe/Oslo';
const enumeration = (n: number): EncodedData => Uint8Array.of(0x16, n);

function eventsOf(at: Stand, id: LogId = 'standard'): number[] {
  const view = at.meter.live().log(id);
  return Array.from({ length: view.length }, (_, i) => view.entry(i).event);
}

describe('disconnecter', () => {
  const RELAY = '0-0:96.3.10';
  const relay = async (session: Session): Promise<unknown[]> => [
    await read(session, 70, RELAY, 2),
    await read(session, 70, RELAY, 3),
    await read(session, 70, RELAY, 4),
  ];

  test('local mode: remote disconnection, reconnection by the button alone', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    expect(await relay(session)).toEqual([true, 1, 1]);
    await session.action(method(70, RELAY, 1), ZERO);
    expect(await relay(session)).toEqual([false, 2, 1]);
    await expect(session.action(method(70, RELAY, 2), ZERO)).rejects.toThrow(/other-reason/);
    expect(at.meter.engine.pressButton().done).toBe(true);
    expect(await relay(session)).toEqual([true, 1, 1]);
    expect(eventsOf(at, 'disconnecter')).toEqual([EVENTS.disconnectedRemotely, EVENTS.connectedLocally]);
    expect(await read(session, 1, '0-0:96.11.1')).toBe(EVENTS.connectedLocally);
  });

  test('remote mode: the local connection has to be enabled first; other modes are refused', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    await session.set(attribute(70, RELAY, 4), enumeration(3));
    expect(at.meter.engine.pressButton().done).toBe(false);
    await session.action(method(70, RELAY, 1), ZERO);
    expect(await relay(session)).toEqual([false, 0, 3]);
    expect(at.meter.engine.pressButton().done).toBe(false);
    await session.action(method(70, RELAY, 2), ZERO);
    expect(await relay(session)).toEqual([false, 2, 3]);
    expect(at.meter.engine.pressButton().done).toBe(true);
    for (const mode of [0, 2, 4, 5, 6])
      await expect(session.set(attribute(70, RELAY, 4), enumeration(mode))).rejects.toThrow(/other-reason/);
  });

  test('by short names over HDLC it is the same', async () => {
    const at = stand();
    const session = await open(at, { as: 'management', referencing: 'SN', transport: 'hdlc' });
    await session.set(attribute(70, RELAY, 4), enumeration(3));
    await session.action(method(70, RELAY, 1), ZERO);
    expect(await relay(session)).toEqual([false, 0, 3]);
    const reader = await open(at, { as: 'reader', referencing: 'SN', transport: 'hdlc' });
    await expect(reader.action(method(70, RELAY, 2), ZERO)).rejects.toThrow();
    expect(await relay(reader)).toEqual([false, 0, 3]);
    const rows = await reader.getProfile(attribute(7, '0-0:99.98.1').instanceId, { kind: 'entry', from: 2, to: 2 });
    expect(rows.rows).toHaveLength(1);
  });

  test('a schedule disconnects at its time, and not before', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    const time = [9, 4, 14, 30, 0, 0];
    const date = [9, 5, 0xff, 0xff, 0xff, 0xff, 0xff];
    await session.set(attribute(22, '0-0:15.0.1', 4), Uint8Array.of(1, 1, 2, 2, ...time, ...date));
    await at.clock.advance(2 * HOUR);
    expect((await relay(session))[0]).toBe(true);
    await at.clock.advance(HOUR);
    expect((await relay(session))[0]).toBe(false);
    const log = at.meter.engine.log('disconnecter');
    expect(log.entry(0).at).toBe(Date.UTC(2025, 0, 15, 13, 30));
    at.meter.engine.pressButton();
    await session.action(method(9, '0-0:10.0.106', 1), Uint8Array.of(0x12, 0, 1));
    expect((await relay(session))[0]).toBe(false);
    await expect(session.action(method(9, '0-0:10.0.106', 1), Uint8Array.of(0x12, 0, 9))).rejects.toThrow(/other/);
  });
});

describe('clock', () => {
  const CLOCK = attribute(8, '0-0:1.0.0');
  const now = (at: Stand): number => at.meter.live().clock.utc;
  const setTo = (session: Session, utc: number) => session.set(CLOCK, moment(ZONE, utc));

  test('it says local time, deviation and status', async () => {
    const at = stand();
    const session = await open(at, { as: 'public' });
    const said = (await session.get(CLOCK)).subarray(2);
    expect([...said]).toEqual([0x07, 0xe9, 1, 15, 3, 12, 0, 0, 0, 0xff, 0xc4, 0]);
    await expect(session.set(CLOCK, moment(ZONE, now(at)))).rejects.toThrow(/denied/);
    expect(await read(session, 8, '0-0:1.0.0', 3)).toBe(-60);
    const begin = (await session.get(attribute(8, '0-0:1.0.0', 5))).subarray(2);
    expect([...begin.subarray(0, 8)]).toEqual([0xff, 0xff, 3, 0xfe, 7, 2, 0, 0]);
  });

  test('within sync_limit nothing is registered, many small shifts are refused', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    await setTo(session, now(at) + 6000);
    expect(eventsOf(at)).toEqual([]);
    await expect(setTo(session, now(at) + 6000)).rejects.toThrow(/other-reason/);
    expect(eventsOf(at)).toEqual([EVENTS.smallShiftsRefused]);
  });

  test('beyond it old and new time are logged and the running period is marked', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    await setTo(session, now(at) + 90_000);
    expect(eventsOf(at)).toEqual([EVENTS.clockAdjusted, EVENTS.clockAdjustedTo]);
    await at.clock.advance(2 * HOUR);
    const view = at.meter.live().profile('periodic');
    expect([view.statusOf(0) & 0x20, view.statusOf(1) & 0x20]).toEqual([0x20, 0]);
  });

  test('the six methods', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    const invoke = (index: number, parameters = ZERO) => session.action(method(8, '0-0:1.0.0', index), parameters);
    await invoke(6, Uint8Array.of(0x10, 0, 200));
    expect(now(at) % HOUR).toBe(200_000);
    await invoke(3);
    expect(now(at) % HOUR).toBe(180_000);
    await invoke(1);
    expect(now(at) % HOUR).toBe(0);
    await invoke(6, Uint8Array.of(0x10, 2, 0));
    await invoke(2);
    expect(now(at) % HOUR).toBe(0);
    await expect(invoke(6, Uint8Array.of(0x10, 0x10, 0))).rejects.toThrow(/other-reason/);
    await expect(invoke(4)).rejects.toThrow(/other-reason/);
    const base = now(at);
    const preset = [base + 7 * 60_000, base - HOUR, base + HOUR].flatMap((utc) => [...moment(ZONE, utc)]);
    await invoke(5, Uint8Array.of(2, 3, ...preset));
    await invoke(4);
    expect(now(at)).toBe(base + 7 * 60_000);
  });

  test('local times without deviation are the zone’s', () => {
    const wall = { ...localDateTime(ZONE, Date.UTC(2025, 6, 1, 10)), status: 0 };
    const { deviation: _, ...bare } = wall;
    expect(instantOf(ZONE, bare)).toBe(Date.UTC(2025, 6, 1, 10));
    expect(instantOf(ZONE, { year: 2025 })).toBeUndefined();
  });
});

describe('firmware', () => {
  const IMAGE = '0-0:44.0.0';
  const FIRMWARE = { key: FIRMWARE_KEY, profile: 'hmac-sha-256', hmac } as const;
  const u32 = (n: number): number[] => [6, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const status = (session: Session) => read(session, 18, IMAGE, 6);

  async function transfer(session: Session, image: Uint8Array): Promise<void> {
    const size = Number(await read(session, 18, IMAGE, 2));
    await session.action(method(18, IMAGE, 1), Uint8Array.of(2, 2, 9, 3, 0x54, 0x31, 0x31, ...u32(image.length)));
    for (let block = 0; block * size < image.length; block++) {
      const bytes = image.subarray(block * size, (block + 1) * size);
      const length = bytes.length < 128 ? [bytes.length] : [0x81, bytes.length];
      await session.action(method(18, IMAGE, 2), Uint8Array.of(2, 2, ...u32(block), 9, ...length, ...bytes));
    }
    expect(await read(session, 18, IMAGE, 4)).toBe(Math.ceil(image.length / size));
  }
  const verify = (session: Session) => session.action(method(18, IMAGE, 3), ZERO);
  const activate = (session: Session) => session.action(method(18, IMAGE, 4), ZERO);

  test('a good image becomes the firmware; the module starts anew', async () => {
    const at = stand();
    const session = await open(at, { as: 'firmware' });
    await transfer(session, buildImage(FIRMWARE, 'T42', new Uint8Array(1500).fill(7)));
    await expect(verify(session)).rejects.toThrow(/temporary-failure/);
    expect(await status(session)).toBe(2);
    await at.clock.advance(3000);
    expect(await status(session)).toBe(3);
    await verify(session);
    expect(await read(session, 18, IMAGE, 7)).toEqual([[expect.any(Number), 'T42', expect.any(Uint8Array)]]);
    await expect(activate(session)).rejects.toThrow(/temporary-failure/);
    await at.clock.advance(16_000);
    at.meter.live();
    await at.clock.advance(1);
    expect([...at.server.associations()].filter(({ status: s }) => s !== 0)).toEqual([]);
    const again = await open(at, { as: 'firmware' });
    expect(await read(again, 3, '1-1:0.2.0')).toBe('T42');
    expect(await status(again)).toBe(6);
    expect(eventsOf(at)).toEqual([EVENTS.firmwareTransfer, EVENTS.firmwareVerified, EVENTS.firmwareActivated]);
  });

  test('an image with one bit changed is refused, and nothing is activated', async () => {
    const at = stand();
    const session = await open(at, { as: 'firmware' });
    const image = buildImage(FIRMWARE, 'T66', new Uint8Array(300));
    image[50] = (image[50] as number) ^ 1;
    await transfer(session, image);
    await expect(verify(session)).rejects.toThrow(/temporary/);
    await at.clock.advance(3000);
    expect(await status(session)).toBe(4);
    await expect(activate(session)).rejects.toThrow(/other-reason/);
    expect(await read(session, 3, '1-1:0.2.0')).toBe('T10');
  });

  test('a power cut during activation is made good', async () => {
    const at = stand();
    const session = await open(at, { as: 'firmware' });
    await transfer(session, buildImage(FIRMWARE, 'T43', new Uint8Array(300)));
    await expect(verify(session)).rejects.toThrow(/temporary/);
    await at.clock.advance(3000);
    await expect(activate(session)).rejects.toThrow(/temporary/);
    at.meter.live().setMains(false);
    await at.clock.advance(HOUR);
    at.meter.live().setMains(true);
    await at.clock.advance(60_000);
    expect(await read(await open(at, { as: 'firmware' }), 3, '1-1:0.2.0')).toBe('T43');
  });
});

describe('switching tables', () => {
  const TARIFF = '0-0:13.0.0';
  const week = [2, 8, 9, 1, 0x77, ...[1, 1, 1, 1, 1, 2, 2].flatMap((id) => [0x11, id])];
  const point = (hour: number, selector: number): number[] => [
    ...[2, 3, 9, 4, hour, 0, 0, 0],
    ...[9, 6, 0, 0, 10, 0, 100, 255],
    ...[0x12, 0, selector],
  ];
  const season = [2, 3, 9, 1, 0x73, ...octetString(dateTimeBytes({ month: 1, day: 1 })), 9, 1, 0x77];
  const day = (id: number, ...points: number[][]): number[] => [2, 2, 0x11, id, 1, points.length, ...points.flat()];

  test('written part by part, they are taken when whole, and active when their time comes', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    const write = (index: number, bytes: Uint8Array) => session.set(attribute(20, TARIFF, index), bytes);
    await write(6, Uint8Array.of(9, 3, 0x6e, 0x65, 0x77));
    await write(7, Uint8Array.of(1, 1, ...season));
    await expect(session.action(method(20, TARIFF, 1), ZERO)).rejects.toThrow(/other-reason/);
    await write(8, Uint8Array.of(1, 1, ...week));
    await write(9, Uint8Array.of(1, 2, ...day(1, point(0, 1)), ...day(2, point(0, 2), point(12, 1))));
    expect(await read(session, 20, TARIFF, 7)).toHaveLength(1);
    await session.set(attribute(1, '0-0:96.128.30'), Uint8Array.of(9, 2, 0x34, 0x32));
    const when = at.meter.engine.clock.utc + DAY;
    await write(10, moment(ZONE, when));
    expect((await session.get(attribute(20, TARIFF, 10))).length).toBe(14);
    expect(await read(session, 20, TARIFF, 2)).toBe('day/night');
    await at.clock.advance(DAY + 1000);
    expect(await read(session, 20, TARIFF, 2)).toBe('new');
    expect(await read(session, 3, '1-0:0.2.1')).toBe('42');
    expect(eventsOf(at)).toContain(EVENTS.touActivated);
    // A Saturday morning is rate 2.
    await at.clock.advance(2 * DAY - 4 * HOUR);
    expect(await read(session, 1, '0-0:96.14.0')).toBe(2);
  });

  test('five switch points are too many; special days come and go', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    const five = day(1, ...[1, 2, 3, 4, 5].map((hour) => point(hour, 1)));
    await expect(session.set(attribute(20, TARIFF, 9), Uint8Array.of(1, 1, ...five))).rejects.toThrow(/other-reason/);
    const christmas = Uint8Array.of(2, 3, 0x12, 0, 7, 9, 5, 0xff, 0xff, 12, 25, 0xff, 0x11, 1);
    await session.action(method(11, '0-0:11.0.0', 1), christmas);
    expect(at.meter.engine.parameters.specialDays).toEqual([{ index: 7, date: { month: 12, day: 25 }, dayId: 1 }]);
    await session.action(method(11, '0-0:11.0.0', 2), Uint8Array.of(0x12, 0, 7));
    expect(at.meter.engine.parameters.specialDays).toEqual([]);
  });
});

describe('limits and settings', () => {
  test('each is written in its unit, and refused beyond its range', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    const u16 = (n: number): EncodedData => Uint8Array.of(0x12, n >> 8, n & 255);
    const put = (obis: string, n: number) => session.set(attribute(3, obis), u16(n));
    await put('1-0:12.31.0', 855);
    await put('1-0:12.43.0', 300);
    await put('0-0:96.7.20', 60);
    await put('0-0:96.128.10', 17);
    await put('0-0:96.128.11', 125);
    const { parameters } = at.meter.engine;
    expect(parameters.undervoltage).toEqual({ percent: 85.5, minutes: 5 });
    expect(parameters.longPowerFailure).toBe(60);
    expect(await read(session, 71, '0-0:17.0.0', 4)).toBe(21_250);
    await expect(put('0-0:96.7.20', 9)).rejects.toThrow(/other-reason/);
    await expect(put('0-0:96.128.10', 257)).rejects.toThrow(/other-reason/);
    await expect(session.set(attribute(3, '0-0:96.7.20'), Uint8Array.of(0x11, 60))).rejects.toThrow(/type/);
    await session.set(attribute(1, '0-0:96.128.0'), Uint8Array.of(3, 0));
    expect(at.meter.engine.parameters.powerQualityRegistration).toBe(false);
    await session.set(attribute(1, '0-0:96.13.0'), encode({ type: 'octet-string', value: Uint8Array.of(0x68, 0x69) }));
    expect(at.meter.engine.display.message).toBe('hi');
  });

  test('a slave is deinstalled and installed again; the next association sees what is there', async () => {
    const at = stand({ slaves: ['gas'] });
    const session = await open(at, { as: 'management' });
    expect(await read(session, 72, '0-1:24.1.0', 5)).toBe(1);
    await session.action(method(72, '0-1:24.1.0', 2), ZERO);
    const without = await open(at, { as: 'management' });
    await expect(read(without, 4, '7-0:3.0.0')).rejects.toThrow(/undefined/);
    await expect(without.action(method(72, '0-1:24.1.0', 1), Uint8Array.of(0x11, 9))).rejects.toThrow();
    await without.action(method(72, '0-1:24.1.0', 1), Uint8Array.of(0x11, 1));
    await without.set(attribute(72, '0-1:24.1.0', 4), Uint8Array.of(6, 0, 1, 0x51, 0x80));
    expect(at.meter.engine.parameters.slaves[0]).toMatchObject({ medium: 'gas', capture: 'daily' });
    expect(await read(await open(at, { as: 'reader' }), 4, '7-0:3.0.0', 3)).toEqual([-3, 13]);
  });
});

describe('the M-Bus client', () => {
  test('gives a slave records by data_send, asks it by capture, sets its clock', async () => {
    const at = stand({ slaves: ['gas'], slaveKinds: ['gas-module'] });
    const session = await open(at, { as: 'management' });
    const send = (...record: Data[]): Promise<unknown> =>
      session.action(
        method(72, '0-1:24.1.0', 6),
        encode({ type: 'array', value: [{ type: 'structure', value: record }] }),
      );
    const octets = (...value: number[]): Data => ({ type: 'octet-string', value: Uint8Array.from(value) });
    // Digital output 0: the valve closes.
    await send(octets(0x01), octets(0xfd, 0x1a), { type: 'unsigned', value: 0 });
    await at.clock.advance(10_000);
    await session.action(method(72, '0-1:24.1.0', 3), ZERO);
    const volume = at.meter.engine.slaveValue(0)?.value;
    await at.clock.advance(30 * MINUTE);
    await session.action(method(72, '0-1:24.1.0', 3), ZERO);
    expect(volume).toBeGreaterThan(0);
    expect(at.meter.engine.slaveValue(0)?.value).toBe(volume);
    // A command that the module does not know; octets as they are sent; a record without VIF.
    await expect(send(octets(0x01), octets(0xfd, 0x1a), { type: 'unsigned', value: 9 })).rejects.toThrow();
    await send(octets(0x01), octets(0xfd, 0x1f), octets(0x03));
    await expect(send(octets(0x01), octets(), { type: 'unsigned', value: 1 })).rejects.toThrow();
    await session.action(method(72, '0-1:24.1.0', 5), ZERO);
    expect(await read(session, 72, '0-1:24.1.0', 9)).toBe(3);
  });
});
