/** Sessions against the project's own server, over lines in memory, in virtual time. */

import type { Authentication } from '@amiable/dlms';
import { nodeCrypto, virtualClock } from '@amiable/io';
import {
  hdlcTransport,
  openSession,
  type Session,
  type SessionOptions,
  type SessionSecurity,
  wrapperTransport,
} from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import {
  COLUMNS,
  type DeviceOptions,
  lineTo,
  lineToDevice,
  ln,
  ROWS,
  SECRET,
  SERVER_TITLE,
  securityOf,
  u32,
} from './session-device.ts';

const REGISTER = { classId: 3, instanceId: ln('1-0:1.8.0'), attributeId: 2 };
const LONG = { classId: 1, instanceId: ln('0-0:96.13.0'), attributeId: 2 };
const SCRIPT = { classId: 9, instanceId: ln('0-0:10.0.0'), methodId: 1 };
const PROFILE = ln('1-0:99.1.0');

interface Case extends DeviceOptions {
  readonly name: string;
  readonly transport?: 'wrapper' | 'hdlc';
}

async function opened(options: DeviceOptions & { transport?: 'wrapper' | 'hdlc' }, more: Partial<SessionOptions> = {}) {
  const clock = virtualClock();
  const { line, server, state } = lineToDevice(options, clock, options.transport ?? 'wrapper');
  const { authentication, security, sn, conformance } = options;
  const session = openSession({
    transport: options.transport === 'hdlc' ? hdlcTransport(line.link, clock) : wrapperTransport(line.link),
    clock,
    crypto: nodeCrypto,
    ...(sn && { referencing: 'SN' }),
    ...(authentication && { authentication }),
    ...(security && { security }),
    ...(conformance !== undefined && { conformance }),
    ...more,
  });
  return { session, line, clock, server, state };
}

/** Every service once, and what must come of it. */
async function exercise(session: Session, state: { long: Uint8Array; invoked: Uint8Array[] }): Promise<void> {
  expect(await session.get(REGISTER)).toEqual(u32(123456));
  const list = await session.getList([REGISTER, { ...REGISTER, attributeId: 9 }, LONG]);
  expect(list[0]).toEqual({ data: u32(123456) });
  expect(list[1]).toHaveProperty('error');
  expect(list[2]).toEqual({ data: state.long });
  const long = Uint8Array.of(9, 0x82, 0x09, 0xc4, ...new Uint8Array(2500).map((_, i) => i & 0xff));
  await session.set(LONG, long);
  expect(state.long).toEqual(long);
  await session.action(SCRIPT, Uint8Array.of(0x12, 0, 5));
  expect(state.invoked.pop()).toEqual(Uint8Array.of(0x12, 0, 5));
  const objects = await session.objects();
  expect(objects.some((o) => o.classId === 7 && o.instanceId.join() === PROFILE.join())).toBe(true);
  expect(await session.captureObjects(PROFILE)).toHaveLength(COLUMNS);
  const whole = await session.getProfile(PROFILE);
  expect(whole.complete).toBe(true);
  expect(whole.rows).toHaveLength(ROWS);
  const some = await session.getProfile(PROFILE, { kind: 'entry', from: 2, to: 4 });
  expect(some.rows).toEqual(whole.rows.slice(1, 4));
  await expect(session.get({ ...REGISTER, attributeId: 99 })).rejects.toThrow(/3\/1-0:1\.8\.0\/99|denied|undefined/);
}

const hls = (mechanism: 2 | 3 | 4 | 5 | 6 | 7): Authentication => ({ mechanism, secret: SECRET });
const cases: Case[] = [
  { name: 'LN, none' },
  { name: 'LN, none, HDLC', transport: 'hdlc' },
  { name: 'SN, none', sn: true },
  { name: 'SN, LLS, HDLC', sn: true, transport: 'hdlc', authentication: { mechanism: 1, password: SECRET } },
  { name: 'LN, LLS, PDU of 128', authentication: { mechanism: 1, password: SECRET }, maxPdu: 128 },
  { name: 'LN, HLS MD5', authentication: hls(3) },
  { name: 'LN, HLS SHA-1', authentication: hls(4) },
  { name: 'SN, HLS MD5', sn: true, authentication: hls(3) },
  {
    name: 'LN, HLS SHA-256, keys for titles only',
    authentication: hls(6),
    security: securityOf(0, { ciphered: false }),
  },
  { name: 'LN, HLS GMAC, not ciphered', authentication: hls(5), security: securityOf(0, { ciphered: false }) },
  { name: 'LN, GMAC, ciphered', authentication: hls(5), security: securityOf(0) },
  { name: 'LN, GMAC, ciphered, HDLC', transport: 'hdlc', authentication: hls(5), security: securityOf(0) },
  { name: 'LN, GMAC, ciphered, PDU of 200', authentication: hls(5), security: securityOf(0), maxPdu: 200 },
  { name: 'SN, GMAC, ciphered', sn: true, authentication: hls(5), security: securityOf(0) },
  { name: 'LN, GMAC, dedicated key', authentication: hls(5), security: securityOf(0, { dedicatedKey: true }) },
  { name: 'LN, GMAC, general-glo', authentication: hls(5), security: securityOf(0, { form: 'general-global' }) },
  {
    name: 'LN, GMAC, general-ded',
    authentication: hls(5),
    security: securityOf(0, { form: 'general-dedicated', dedicatedKey: true }),
  },
  {
    name: 'LN, authenticated only',
    authentication: hls(5),
    security: securityOf(0, { send: { authenticated: true, encrypted: false } }),
  },
  { name: 'LN, none, PDU of 100 and no blocks of services', conformance: 0x62e0df, maxPdu: 100 },
  {
    name: 'LN, suite 1, general-ciphering with an agreed key, PDU of 500',
    authentication: hls(7),
    security: securityOf(1, { form: 'general-ciphering', keyInfo: 'one-pass-dh', serverSystemTitle: SERVER_TITLE }),
    maxPdu: 500,
  },
  {
    name: 'LN, suite 1, signed and ciphered',
    authentication: hls(7),
    security: securityOf(1, {
      send: { authenticated: true, encrypted: true, signed: true },
      serverSystemTitle: SERVER_TITLE,
    }),
  },
  { name: 'LN, suite 1, ECDSA', authentication: hls(7), security: securityOf(1) },
  { name: 'LN, suite 2, ECDSA', authentication: hls(7), security: securityOf(2) },
  { name: 'LN, suite 2, GMAC', authentication: hls(5), security: securityOf(2) },
];

describe('every context, mechanism and form', () => {
  test.each(cases)('$name', async (options) => {
    const { session, state, line, server } = await opened(options);
    const s = await session;
    await exercise(s, state);
    await s.release();
    expect(s.state).toBe('released');
    expect(line.closed).toBe(true);
    expect([...server.associations()]).toEqual([]);
    await expect(s.get(REGISTER)).rejects.toThrow(/released/);
  });
});

test('a wrong password, key or secret is refused in the words of the standard', async () => {
  const lls = await opened(
    { authentication: { mechanism: 1, password: SECRET } },
    {
      authentication: { mechanism: 1, password: Uint8Array.of(1) },
    },
  );
  await expect(lls.session).rejects.toThrow(/rejected-permanent \(1\): authentication-failure \(13\)/);
  expect(lls.line.closed).toBe(true);
  const high = await opened({ authentication: hls(3) }, { authentication: { mechanism: 3, secret: Uint8Array.of(1) } });
  await expect(high.session).rejects.toThrow();
  expect(high.line.closed).toBe(true);
  const other: SessionSecurity = securityOf(0, {
    keys: { unicast: new Uint8Array(16).fill(9), authentication: new Uint8Array(16).fill(2) },
  });
  const keys = await opened({ authentication: hls(5), security: securityOf(0) }, { security: other });
  await expect(keys.session).rejects.toThrow();
  expect(keys.line.closed).toBe(true);
});

test('a profile as typed columns, with units; half of it when the line breaks', async () => {
  const { session, line } = await opened({}, { maxPduSize: 400 });
  const s = await session;
  const { columns, profile, complete, rows } = await s.readProfile(PROFILE);
  expect(complete).toBe(true);
  expect(profile.rows).toBe(ROWS);
  expect(rows).toHaveLength(ROWS);
  expect(columns.map((c) => c.logicalName)).toEqual(['0-0:1.0.0', '1-0:1.8.0', '1-0:2.8.0', '1-0:3.8.0', '1-0:4.8.0']);
  expect(columns[1]?.scalerUnit).toEqual({ scaler: 0, unit: 'Wh' });
  const [clock, energy] = profile.columns;
  expect(clock?.kind === 'moment' && new Date(clock.wall[95] as number).toISOString()).toBe('2026-11-20T23:45:00.000Z');
  expect(energy?.kind === 'number' && [energy.values[0], energy.values[95]]).toEqual([1, 951]);
  const picked = await s.readProfile(PROFILE, { kind: 'entry', from: 1, to: 2, fromColumn: 2, toColumn: 3 });
  expect(picked.columns.map((c) => c.logicalName)).toEqual(['1-0:1.8.0', '1-0:2.8.0']);
  expect(picked.profile.rows).toBe(2);
  let n = 0;
  line.tamper.toClient = (bytes) => {
    if (++n < 4) return bytes;
    queueMicrotask(line.hangUp);
    return undefined;
  };
  const half = await s.readProfile(PROFILE, { kind: 'all' }, { columns });
  expect(half.complete).toBe(false);
  expect(half.profile.rows).toBeGreaterThan(20);
  expect(half.profile.rows).toBe(half.rows.length);
  expect(half.error?.message).toMatch(/block 4/);
});

test('an association that exists already: no AARQ, no release', async () => {
  const clock = virtualClock();
  const seen: number[] = [];
  const line = lineTo((reply) => ({
    data(bytes) {
      seen.push(bytes[8] as number);
      reply(Uint8Array.of(0, 1, 0, 1, 0, 16, 0, 6, 0xc4, 1, bytes[10] as number, 0, 0x11, 5));
    },
    closed() {},
  }));
  const preEstablished = { conformance: 0x10, maxPduSize: 500 };
  const session = await openSession({ transport: wrapperTransport(line.link), clock, preEstablished });
  expect(session.negotiated).toMatchObject(preEstablished);
  expect(await session.get(REGISTER)).toEqual(Uint8Array.of(0x11, 5));
  await session.release();
  expect(seen).toEqual([0xc0]);
  expect(line.closed).toBe(true);
});

test('what the meter sends unasked is told, while idle and in between', async () => {
  const heard: string[] = [];
  const { session, line } = await opened({}, { onNotification: (n) => heard.push(n.type) });
  const s = await session;
  const off = s.onNotification((n) => heard.push(`also ${n.type}`));
  const note = Uint8Array.of(0, 1, 0, 1, 0, 16, 0, 8, 0x0f, 0, 0, 0, 1, 0, 0x11, 5);
  line.inject(note);
  line.tamper.toClient = (bytes) => Uint8Array.of(...note, ...bytes);
  expect(await s.get(REGISTER)).toEqual(u32(123456));
  off();
  await s.release();
  expect(heard.slice(0, 4)).toEqual([
    'data-notification',
    'also data-notification',
    'data-notification',
    'also data-notification',
  ]);
});

test('unconfirmed services are done when they are sent', async () => {
  const { session, state } = await opened({});
  const s = await session;
  await s.unconfirmedSet(LONG, Uint8Array.of(9, 1, 5));
  await s.unconfirmedAction(SCRIPT, Uint8Array.of(0x12, 0, 9));
  expect(await s.get(LONG)).toEqual(Uint8Array.of(9, 1, 5));
  expect(state.invoked).toEqual([Uint8Array.of(0x12, 0, 9)]);
  await s.release();
});

test('ACCESS: several at once, with their results', async () => {
  const { session } = await opened({});
  const s = await session;
  const response = await s.access([
    { kind: 'get', ...REGISTER },
    { kind: 'get', ...REGISTER, attributeId: 77 },
  ]);
  expect(response.results[0]).toEqual({ kind: 'get', result: 0 });
  expect(response.results[1]?.result).not.toBe(0);
  expect(response.data[0]).toEqual(u32(123456));
  await s.release();
});

test('general block transfer over datagrams that get lost: blocks are asked for again', async () => {
  // No blocks of services: what is long goes in general blocks.
  const { session, line, clock } = await opened(
    { conformance: 0x62e0df, maxPdu: 200 },
    { maxPduSize: 200, window: 5, timeouts: { answer: 1000 } },
  );
  const s = await session;
  let n = 0;
  line.tamper.toClient = (bytes) => (++n % 7 === 3 ? undefined : bytes);
  let m = 0;
  line.tamper.toServer = (bytes) => (++m % 9 === 5 && bytes[8] === 0xe0 ? undefined : bytes);
  const reading = s.getProfile(PROFILE);
  await clock.advance(60_000);
  const got = await reading;
  expect(got.error).toBeUndefined();
  expect(got.rows).toHaveLength(ROWS);
  const long = Uint8Array.of(9, 0x82, 0x03, 0xe8, ...new Uint8Array(1000).map((_, i) => i & 0xff));
  const writing = s.set(LONG, long);
  await clock.advance(60_000);
  await writing;
  line.tamper.toClient = (bytes) => bytes;
  line.tamper.toServer = (bytes) => bytes;
  expect(await s.get(LONG)).toEqual(long);
  await s.release();
  expect(clock.pending).toBe(0);
});
