/** `amiable dlms` against a meter of our own on loopback: what a user types, what he reads, what the shell is told. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { ptyLink } from '@amiable/io';
import { extractStreams } from '@amiable/pcap';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { openCounter } from '../src/dlms/counters.ts';
import { runGet } from '../src/dlms/get.ts';
import { runLs } from '../src/dlms/ls.ts';
import { runProfile } from '../src/dlms/profile.ts';
import { runScan } from '../src/dlms/scan.ts';
import { runDo, runSet } from '../src/dlms/set.ts';
import type { Given } from '../src/dlms/settings.ts';
import { newMeter, PASSWORD, type Served, serveMeter, serveModeE, signing } from './dlms-device.ts';
import { machine, type Ran, ran } from './dlms-terminal.ts';

let folder: string;
let tcp: Served;
let hdlc: Served;
let udp: Served;
let at: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amiable-dlms-'));
  [tcp, hdlc, udp] = await Promise.all([serveMeter(), serveMeter({ transport: 'hdlc' }), serveMeter({ udp: true })]);
  at = `tcp://127.0.0.1:${tcp.port}`;
});
afterAll(async () => {
  await Promise.all([tcp.close(), hdlc.close(), udp.close()]);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => Object.assign(tcp.meter, newMeter()));

const hex = (n: number, length: number): string => toHex(new Uint8Array(length).fill(n));
const KEYS = { key: hex(0x11, 16), authKey: hex(0x22, 16) };
const LOW = { client: '2', password: PASSWORD };
let states = 0;
const state = (): string => join(folder, `state${++states}.json`);

const ls = (address: string, given: Given = {}, ...words: string[]): Promise<Ran> =>
  ran(machine(), (t) => runLs(t, address, given, words));
const get = (address: string, words: string[], given: Given = {}): Promise<Ran> =>
  ran(machine(), (t) => runGet(t, address, words, given));
const profile = (given: Given, address = at, now?: number): Promise<Ran> =>
  ran(machine(now === undefined ? {} : { now }), (t) => runProfile(t, address, '1-0:99.1.0', given));

test('get: one that is not there does not keep the others back', async () => {
  const { out, err, code } = await get(at, ['1-0:9.8.0', 'clock:time', '1-0:1.8.0']);
  expect(code).toBe(1);
  expect(out).toMatch(/0-0:1\.0\.0 .*\n1-0:1\.8\.0 /);
  expect(err).toContain('1-0:9.8.0 is not in the object list');
  const alone = await get(at, ['1-0:9.8.0']);
  expect([alone.code, alone.out]).toEqual([1, '']);
});

describe('ls', () => {
  it('groups by class, names objects and tells rights', async () => {
    const { out, err, code } = await ls(at);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Data \(class 1\)\n {2}0-0:42\.0\.0 /);
    expect(out).toMatch(/\nRegister \(class 3\)\n(?: {2}.*\n)* {2}1-0:1\.8\.0 +Active energy import +rrr\n/);
    expect((await ls(at, LOW)).out).toMatch(/1-0:1\.8\.0 +Active energy import +r[r+]r x\n/);
  });
  it('-l reads values, chosen by words', async () => {
    const { out } = await ls(at, { long: true }, 'register');
    expect(out).toContain('123456789.1 Wh');
    expect(out).not.toContain('Clock');
    expect((await ls(at, { long: true }, '99.1')).out).toContain('192 of 2160 entries, every 900 s');
  });
  it('gives JSON that can be parsed, by HDLC and UDP too', async () => {
    for (const address of [at, `hdlc+tcp://127.0.0.1:${hdlc.port}`, `udp://127.0.0.1:${udp.port}`]) {
      const { out, code } = await ls(address, { json: true, long: true });
      expect(code).toBe(0);
      const objects = out
        .trim()
        .split('\n')
        .map(
          (line) => JSON.parse(line) as { obis: string; class: number; attributes: object; values: { value: object } },
        );
      expect(objects.find((o) => o.obis === '1-0:1.8.0')).toMatchObject({
        class: 3,
        className: 'Register',
        attributes: { value: 'r', scaler_unit: 'r' },
        values: { value: { value: 123456789.1, unit: 'Wh' } },
      });
    }
  });
  it('on a terminal of 80 columns names give way to values', async () => {
    const { out } = await ran({ ...machine(), columns: 80 }, (t) => runLs(t, at, { long: true }, []));
    expect(out).toMatch(/ {2}1-0:1\.8\.0 .*123456789\.1 Wh\n/);
    expect(out).toMatch(/ {2}1-0:1\.6\.0 +Active power import maxim… .*5150 W\n/);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
  it('says when nothing matches', async () => expect(await ls(at, {}, 'nonsense')).toMatchObject({ code: 2, out: '' }));
});

describe('get', () => {
  it('applies scalers exactly, finds classes, takes several', async () => {
    const { out, code } = await get(at, [
      '1-0:1.8.0',
      'clock:time',
      '0-0:96.1.0',
      '32.7.0',
      '1-0:1.6.0:capture_time',
      '1-0:1.8.0:scaler_unit',
    ]);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
      '1-0:1.8.0|Active energy import|123456789.1 Wh',
      '0-0:1.0.0|Clock|2026-11-20 12:30:00+01:00',
      '0-0:96.1.0|Device ID 1|12345678',
      '1-0:32.7.0|Voltage L1|230.5 V',
      '1-0:1.6.0:capture_time|Active power import maximum|2026-11-20 11:15:00+01:00',
      '1-0:1.8.0:scaler_unit|Active energy import|10^-1 Wh',
      '',
    ]);
  });
  test.each([
    ['class, name and attribute by number', '3:1-0:1.8.0:2', '123456789.1 Wh\n'],
    ['as the trace writes it', '3/1-0:1.8.0/2', '123456789.1 Wh\n'],
    ['class by name', 'register:1-0:1.8.0:value', '123456789.1 Wh\n'],
    ['six numbers', '1.0.1.8.0.255', '123456789.1 Wh\n'],
    ['the name in words', 'active energy import', '123456789.1 Wh\n'],
    ['a short code of another medium', '96.1.0', '12345678\n'],
  ])('%s', async (_, word, out) => expect(await get(at, [word], { plain: true })).toEqual({ out, err: '', code: 0 }));

  it('gives bytes, JSON, all attributes', async () => {
    expect((await get(at, ['1.8.0'], { raw: true, plain: true })).out).toBe('06499602D3\n');
    expect(JSON.parse((await get(at, ['1.8.0'], { json: true, raw: true })).out)).toMatchObject({
      obis: '1-0:1.8.0',
      value: 123456789.1,
      unit: 'Wh',
      scaler: -1,
      raw: '06499602d3',
    });
    expect((await get(at, ['1-0:1.8.0'], { all: true })).out).toMatch(
      /Register 3\)\n {2}1 {2}logical_name .*\n {2}2 {2}value +123456789\.1 Wh\n {2}3 {2}scaler_unit +10\^-1 Wh\n$/,
    );
  });
  it('never lets a meter move the cursor', async () =>
    expect((await get(at, ['0-0:96.13.0'])).out).not.toContain('\x1b'));
  it('prints what could be read, tells what could not, exit code 1', async () => {
    const { out, err, code } = await get(at, ['1-0:1.8.0', '3:1-0:77.7.7:2']);
    expect(code).toBe(1);
    expect(out).toContain('123456789.1 Wh');
    expect(err).toMatch(/77\.7\.7: object-undefined \(4\)\.\n.*ls/);
  });
  test.each<[string, string[], RegExp, number?]>([
    ['nothing named so', ['gas meter'], /names no object/, 1],
    ['not in the list', ['1-0:77.7.7'], /not in the object list.*3:1-0:77\.7\.7\. Client 16 .*--password/, 1],
    ['what another device may have', ['1-0:77.7.7'], /logical device: --server 16 \(METERING\\x1bB\)\.\n$/, 1],
    ['two objects of the class', ['register'], /may be 4 objects/],
    ['no such attribute', ['1-0:1.8.0:colour'], /has logical_name, value, scaler_unit/],
    ['a profile', ['1-0:99.1.0'], /amiable dlms profile/],
    ['no such class', ['gizmo:1-0:1.8.0'], /no interface class/],
    ['a number too large', ['1-0:1.8.999'], /above 255/],
    ['no code at all', ['%%'], /names nothing/],
  ])('refuses %s', async (_, words, message, exitCode = 2) => {
    const { out, err, code } = await get(at, words);
    expect([out, code]).toEqual(['', exitCode]);
    expect(err).toMatch(message);
  });
});

describe('log-in and security', () => {
  const pem = (key: { scalar: Uint8Array }): string => toHex(key.scalar);
  test.each<[string, Given]>([
    ['low level', LOW],
    ['HLS MD5', { client: '3', hls: 'md5', secret: PASSWORD }],
    ['GMAC, suite 0', KEYS],
    ['a dedicated key', { ...KEYS, dedicated: true }],
    ['general-glo', { ...KEYS, general: true }],
    ['general-ciphering, identified', { ...KEYS, generalCiphering: 'identified' }],
    ['general-ded', { ...KEYS, general: true, dedicated: true }],
    ['GMAC, suite 1', { ...KEYS, client: '4', suite: '1' }],
    ['GMAC, suite 2', { key: hex(0x11, 32), authKey: hex(0x22, 32), client: '5' }],
    [
      'ECDSA, suite 1',
      {
        ...KEYS,
        client: '6',
        hls: 'ecdsa',
        signingKey: pem(signing.client.privateKey),
        peerKey: toHex(signing.meter.publicKey.point),
      },
    ],
  ])('%s', async (_, given) => {
    const result = await get(at, ['1.8.0'], { ...given, state: state() });
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toContain('123456789.1 Wh');
  });

  it('takes secrets from files', async () => {
    await writeFile(join(folder, 'password'), `${PASSWORD}\n`);
    await writeFile(join(folder, 'ek'), `${KEYS.key}\n`);
    expect(await get(at, ['1.8.0'], { client: '2', password: `@${join(folder, 'password')}` })).toMatchObject({
      code: 0,
    });
    expect(await get(at, ['1.8.0'], { ...KEYS, key: `@${join(folder, 'ek')}`, state: state() })).toMatchObject({
      code: 0,
    });
  });

  it('reads the first counter from the meter, keeps it, never repeats one', async () => {
    tcp.meter.counter = 5000;
    const file = state();
    expect(await get(at, ['1.8.0'], { ...KEYS, state: file })).toMatchObject({ code: 0, err: '' });
    const bound = (): number =>
      Object.values(
        (JSON.parse(readFileSync(file, 'utf8')) as { counters: Record<string, number> }).counters,
      )[0] as number;
    const first = bound();
    expect(first).toBe(tcp.meter.counter);
    expect(await get(at, ['1.8.0'], { ...KEYS, state: file, counter: '0' })).toMatchObject({
      code: 0,
      err: expect.stringContaining('going on at'),
    });
    expect(bound()).toBeGreaterThan(first);
    expect(bound()).toBe(tcp.meter.counter);
  });

  it('goes on from the counter that a refusal names, once', async () => {
    const file = state();
    expect(await get(at, ['1.8.0'], { ...KEYS, state: file, counter: '7' })).toMatchObject({ code: 0 });
    tcp.meter.counter = 90_000;
    expect(await get(at, ['1.8.0'], { ...KEYS, state: file })).toMatchObject({ code: 0, err: '' });
    // Somebody who forges refusals cannot use the key up.
    tcp.meter.counter = 4_000_000_000;
    const refused = await get(at, ['1.8.0'], { ...KEYS, state: file });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('--counter 4000000001');
    expect(await get(at, ['1.8.0'], { ...KEYS, state: file, counter: '4000000001' })).toMatchObject({ code: 0 });
  });

  it('reads the counter from the object that is named', async () => {
    tcp.meter.counter = 300;
    expect(await get(at, ['1.8.0'], { ...KEYS, state: state(), counter: '0-0:43.1.0' })).toMatchObject({ code: 0 });
    expect(tcp.meter.counter).toBeGreaterThan(300);
    expect(await get(at, ['1.8.0'], { ...KEYS, state: state(), counter: '0-0:96.1.0' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('holds no counter'),
    });
  });

  test.each<[string, Given, RegExp]>([
    ['no log-in', { client: '2' }, /authentication-required.*\n.*--password/],
    ['a wrong password', { client: '2', password: 'wrong' }, /authentication-failure.*\n.*lock/],
    ['a client that is not there', { client: '77' }, /--client.*amiable dlms scan/],
    ['no ciphering', { client: '1', password: 'x' }, /context-name-not-supported.*\n.*--key/],
    ['a wrong key', { ...KEYS, key: hex(0x12, 16) }, /deciphering-error.*\n.*--auth-key/],
    ['exchanged keys', { key: KEYS.authKey, authKey: KEYS.key }, /deciphering-error.*\n.*--key/],
    ['another suite', { ...KEYS, client: '4', suite: '0' }, /refuses|suite/],
    ['less protection', { ...KEYS, policy: 'auth' }, /--policy/],
    ['short names where there are none', { sn: true }, /without --sn/],
  ])('%s: what was refused and what to try', async (_, given, message) => {
    const { out, err, code } = await get(at, ['1.8.0'], { state: state(), ...given });
    expect([out, code]).toEqual(['', 1]);
    expect(err).toMatch(message);
    expect(err).not.toContain('letmein');
  });
});

describe('invocation counters', () => {
  let now = 0;
  const clock = {
    now: () => now,
    after(ms: number, fn: () => void) {
      now += ms;
      setImmediate(fn);
      return () => {};
    },
  };
  it('are reserved before they are used, and given back', async () => {
    const file = state();
    const counter = await openCounter(file, 'a', clock);
    expect([counter.known, counter.next(), counter.next()]).toEqual([undefined, 0, 1]);
    // A crash here: the file is ahead of everything used.
    expect(JSON.parse(readFileSync(file, 'utf8')).counters.a).toBeGreaterThan(1);
    counter.release();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ counters: { a: 2 } });
    const other = await openCounter(file, 'b', clock);
    other.startAt(10);
    other.startAt(5);
    expect(other.next()).toBe(10);
    other.release();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ counters: { a: 2, b: 11 } });
  });
  it('belong to one process at a time; a lock of the dead does not hold', async () => {
    const file = state();
    const counter = await openCounter(file, 'a', clock);
    await expect(openCounter(file, 'a', clock)).rejects.toThrow(`Process ${process.pid} is using`);
    counter.release();
    await writeFile(`${file}.lock`, '999999999\n');
    (await openCounter(file, 'a', clock)).release();
  });
  it('stop when somebody else got at the file', async () => {
    const file = state();
    const counter = await openCounter(file, 'a', clock);
    expect(counter.next()).toBe(0);
    await writeFile(file, '{"counters":{"a":900}}');
    for (let i = 1; i < 200; i++) counter.next();
    expect(() => counter.next()).toThrow(/changed by another program/);
    counter.release();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ counters: { a: 900 } });
    (await openCounter(file, 'a', clock)).release();
  });
  it('of a damaged file are not guessed', async () => {
    const file = state();
    await writeFile(file, '{"counters":{"a":-1}}');
    await expect(openCounter(file, 'a', clock)).rejects.toThrow(/damaged.*0-0:43\.1\.0/);
    // And the lock is gone.
    await writeFile(file, '{"counters":{"a":4294967296}}');
    const counter = await openCounter(file, 'a', clock);
    expect(() => counter.next()).toThrow(/new key/);
    counter.release();
  });
});

describe('set and do', () => {
  const set = (target: string, value: string, given: Given = LOW, options = {}) =>
    ran(machine(options), (t) => runSet(t, at, target, value, given));
  const act = (words: string[], given: Given = LOW, options = {}) =>
    ran(machine(options), (t) => runDo(t, at, words[0] as string, words.slice(1), given));

  it('writes with the type and scaler that are there', async () => {
    expect(await set('0-0:17.0.1', '450.5')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/450\.5 W {2}\(was 400\.0 W\)/),
    });
    expect(toHex(tcp.meter.threshold)).toBe('121199');
    expect(await set('0-0:17.0.1', '450.55')).toMatchObject({
      code: 2,
      err: expect.stringContaining('steps of 10^-1'),
    });
    expect(await set('0-0:17.0.1', 'long-unsigned:7')).toMatchObject({ code: 0 });
    expect(toHex(tcp.meter.threshold)).toBe('120007');
    expect(await set('0-0:17.0.1', 'many')).toMatchObject({ code: 2, err: expect.stringContaining('no number in W') });
  });
  it('sets clocks, with offset and summer time', async () => {
    const july = Date.UTC(2026, 6, 1, 10, 0, 5);
    expect(await set('clock:time', 'now', { ...LOW, tz: 'Europe/Oslo' }, { now: july })).toMatchObject({
      code: 0,
      out: expect.stringContaining('2026-07-01 12:00:05+02:00 dst'),
    });
    expect(toHex(tcp.meter.clock)).toBe('090c07ea0701030c0005ffff8880');
    expect(await set('clock', '2026-01-02 03:04', { ...LOW, tz: 'Europe/Oslo' })).toMatchObject({
      out: expect.stringContaining('2026-01-02 03:04:00+01:00'),
    });
    expect(await set('clock', 'soon')).toMatchObject({ code: 2 });
  });
  it('--dry-run writes nothing and shows the bytes', async () => {
    const { out, err, code } = await set('0-0:17.0.1', '1', { ...LOW, dryRun: true });
    expect([code, out]).toEqual([0, '0-0:17.0.1  Limiter 2  1.0 W  (now 400.0 W)\nlong-unsigned  12000A\n']);
    expect(err).toContain('nothing was written');
    expect(toHex(tcp.meter.threshold)).toBe('120fa0');
  });
  it('asks where somebody can be asked', async () => {
    expect(await set('0-0:17.0.1', '1', LOW, { answer: false })).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('from 400.0 W to 1.0 W? [y/N]'),
    });
    expect(toHex(tcp.meter.threshold)).toBe('120fa0');
    expect(await act(['0-0:96.3.10', 'remote_disconnect'], LOW, { answer: true })).toMatchObject({ code: 0 });
    expect(tcp.meter.connected).toBe(false);
  });
  it('where nobody can be asked, what cuts the supply or erases needs --yes', async () => {
    expect(await act(['0-0:96.3.10', 'remote_disconnect'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--yes'),
    });
    expect(await act(['1-0:1.8.0:reset'])).toMatchObject({ code: 2 });
    expect([tcp.meter.connected, tcp.meter.resets]).toEqual([true, 0]);
    expect(await act(['1-0:1.8.0', 'reset', '0'], { ...LOW, yes: true })).toMatchObject({
      code: 0,
      out: expect.stringContaining('reset  done'),
    });
    expect(await act(['0-0:96.3.10', '1'], { ...LOW, yes: true })).toMatchObject({ code: 0 });
    expect([tcp.meter.connected, tcp.meter.resets]).toEqual([false, 1]);
  });
  it('tells refusals', async () => {
    expect(await act(['0-0:96.3.10', 'remote_disconnect'], { yes: true })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/read-write-denied.*\n.*Client 16 has no right/),
    });
    expect(await set('0-0:17.0.1', '1', {})).toMatchObject({
      code: 1,
      err: expect.stringContaining('read-write-denied'),
    });
    expect(await act(['0-0:96.3.10', 'explode'], { ...LOW, yes: true })).toMatchObject({
      code: 2,
      err: expect.stringContaining('remote_disconnect, remote_reconnect'),
    });
    expect(await act(['0-0:96.3.10'], LOW)).toMatchObject({ code: 2, err: expect.stringContaining('Which method') });
  });
});

describe('profile', () => {
  const first = '2026-11-19 00:00:00+01:00';
  it('prints whole, by entries, the last ones', async () => {
    const all = await profile({});
    expect(all).toMatchObject({ code: 0, err: '' });
    expect(all.out.trim().split('\n')).toHaveLength(194);
    expect(
      all.out
        .split('\n')
        .slice(0, 3)
        .map((l) => l.replace(/ {2,}/g, '|')),
    ).toEqual([
      'Clock|Active energy import|Active energy export',
      '0-0:1.0.0|1-0:1.8.0 Wh|1-0:2.8.0 Wh',
      `${first}|10000.0|200000`,
    ]);
    expect(
      (await profile({ entries: '2..3' })).out
        .trim()
        .split('\n')
        .slice(2)
        .map((l) => l.slice(11, 16)),
    ).toEqual(['00:15', '00:30']);
    expect(
      (await profile({ last: '2' })).out
        .trim()
        .split('\n')
        .slice(2)
        .map((l) => l.slice(0, 16)),
    ).toEqual(['2026-11-20 23:30', '2026-11-20 23:45']);
  });
  it('of what is no profile, or not seen, says who may have it', async () => {
    const asked = (code: string) => ran(machine(), (t) => runProfile(t, at, code, {}));
    expect(await asked('1-0:1.8.0')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/1-0:1\.8\.0 is no profile/),
    });
    expect(await asked('1-0:99.7.0')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no profile 1-0:99\.7\.0 for this client.*--password.*--server 16/),
    });
  });
  it('chooses by time, in any zone, both ends included', async () => {
    const range = { from: '2026-11-19 01:00+01:00', to: '2026-11-19 01:30+01:00', csv: true };
    const rows = [
      'clock,activeEnergyImport (Wh),activeEnergyExport (Wh)',
      '2026-11-19T01:00:00+01:00,10002.8,200028',
      '2026-11-19T01:15:00+01:00,10003.5,200035',
      '2026-11-19T01:30:00+01:00,10004.2,200042',
      '',
    ];
    expect((await profile(range)).out.split('\n')).toEqual(rows);
    expect((await profile({ ...range, tz: 'America/New_York' })).out).toContain('2026-11-18T19:00:00-05:00,10002.8');
    const midday = Date.UTC(2026, 10, 20, 11);
    expect((await profile({ last: '30min', csv: true }, at, midday)).out.split('\n')).toHaveLength(5);
    expect((await profile({ from: 'today', tz: 'Europe/Oslo', csv: true }, at, midday)).out.split('\n')[1]).toMatch(
      /^2026-11-20T00:00/,
    );
    expect((await profile({ from: '2020-01-01', to: '2020-01-02' })).out).toContain('(no rows)');
    // A meter that does not select by time is read whole.
    tcp.meter.rangeError = 250;
    const refused = await profile(range);
    expect(refused.out.split('\n')).toEqual(rows);
    expect(refused.err).toContain('does not select by time');
    tcp.meter.rangeError = 3;
    expect(await profile(range)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('read-write-denied') });
    delete tcp.meter.rangeError;
  });
  it('gives chosen columns, JSON a row', async () => {
    const { out } = await profile({ columns: 'clock,1-0:2.8.0', entries: '1', json: true });
    expect(JSON.parse(out)).toEqual({ clock: first.replace(' ', 'T'), activeEnergyExport: 200000 });
    const narrowed = await profile({
      columns: '2',
      from: '2026-11-19 00:00+01:00',
      to: '2026-11-19 00:00+01:00',
      json: true,
    });
    expect(narrowed.code).toBe(0);
    expect(await profile({ columns: '9' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('1 0-0:1.0.0 clock'),
    });
  });
  it('keeps whole rows when the connection is cut, and says so', async () => {
    const cut = await serveMeter({ cutAfter: 1500 });
    const { out, err, code } = await profile({ maxPdu: '200', csv: true }, `tcp://127.0.0.1:${cut.port}`);
    await cut.close();
    expect(code).toBe(1);
    const rows = out.trim().split('\n').slice(1);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.every((row) => row.split(',').length === 3)).toBe(true);
    expect(err).toContain(`the ${rows.length} rows above are whole`);
    expect(err).toContain('closed the connection');
  });
  test.each<[Given, RegExp]>([
    [{ last: '2d', from: 'today' }, /one of them/],
    [{ entries: '0..3' }, /--entries/],
    [{ entries: '5..2' }, /--entries/],
    [{ from: '2026-02-30' }, /no day/],
    [{ from: 'whenever' }, /no time/],
    [{ from: 'now', to: 'yesterday' }, /before/],
    [{ last: 'long' }, /span/],
    [{ csv: true, json: true }, /not both/],
    [{ tz: 'Mars/Base' }, /time zone/],
  ])('%j is refused', async (given, message) => {
    const { err, code } = await profile(given);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('short names', () => {
  it('list, read, write, invoke and profile', async () => {
    const sn = { sn: true, server: '2' };
    expect((await ls(at, sn)).out).toMatch(/1-0:1\.8\.0 +[0-9A-F]{4} +Active energy import/);
    expect((await get(at, ['1.8.0', 'clock:time'], sn)).out).toContain('123456789.1 Wh');
    const low = { ...sn, ...LOW, yes: true };
    expect(await ran(machine(), (t) => runSet(t, at, '0-0:17.0.1', '41', low))).toMatchObject({ code: 0 });
    expect(toHex(tcp.meter.threshold)).toBe('12019a');
    expect(await ran(machine(), (t) => runDo(t, at, '0-0:96.3.10', ['remote_disconnect'], low))).toMatchObject({
      code: 0,
    });
    expect(tcp.meter.connected).toBe(false);
    expect((await profile({ ...sn, entries: '1..2', csv: true })).out.trim().split('\n')).toHaveLength(3);
  });
});

describe('scan', () => {
  it('finds what answers, tries no password, says how to go on', async () => {
    const result = await ran(machine(), (t) => runScan(t, at, { clients: '16,1,2,3,9', servers: '1,2', pace: '0' }));
    expect(result.code).toBe(0);
    const lines = result.out.split('\n').map((l) => l.replace(/ {2,}/g, '|'));
    expect(lines).toContain('wrapper|16|1|LN|open without authentication');
    expect(lines).toContain('wrapper|1|1|LN|wants ciphered messages (keys)');
    expect(lines).toContain('wrapper|2|1|LN|wants authentication');
    expect(lines).toContain('wrapper|16|2|SN|open without authentication');
    expect(result.out).toContain(`Go on with:\n  amiable dlms ls ${at} --client 16 --server 1\n`);
    const [first] = /amiable dlms ls (\S+)/.exec(result.out)?.slice(1) ?? [];
    expect((await ls(first as string, { client: '16', server: '1' })).code).toBe(0);
  });
  it('over HDLC too, bounded', async () => {
    const result = await ran(machine(), (t) =>
      runScan(t, `hdlc+tcp://127.0.0.1:${hdlc.port}`, { limit: '4', pace: '0', timeout: '0.2', json: true }),
    );
    expect(result.out.trim().split('\n')).toHaveLength(2);
    expect(result.err).toContain('stopped after 4 attempts');
  });
  it('says when nobody is there', async () => {
    const port = tcp.port === 1 ? 2 : 1;
    expect(await ran(machine(), (t) => runScan(t, `tcp://127.0.0.1:${port}`, {}))).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('nothing answered'),
    });
    expect(await ran(machine(), (t) => runScan(t, at, { password: 'x' }))).toMatchObject({ code: 2 });
  });
});

describe('watching', () => {
  it('traces every APDU both ways, plain and ciphered, on stderr alone', async () => {
    const { out, err } = await get(at, ['3:1-0:1.8.0:2'], { ...KEYS, state: state(), counter: '0', trace: 'bytes' });
    expect(out).toBe('1-0:1.8.0  Active energy import  123456789.1 Wh\n');
    expect(err).toMatch(/→ AARQ > initiate-request\n/);
    expect(err).toMatch(/← AARE/);
    expect(err).toMatch(/→ ciphered > get-request-with-list of 2\n/);
    expect(err).toMatch(/deciphered, \d+ bytes\n {4}0 {2}c0 /);
    expect(err).toMatch(/← RLRE/);
    const xml = await get(at, ['3:1-0:1.8.0:2'], {
      ...KEYS,
      state: state(),
      counter: '0',
      trace: 'xml',
      dedicated: true,
    });
    expect(xml.err).toContain('<glo_InitiateRequest');
    expect(xml.err).toContain('<!-- plain -->\n<InitiateRequest>');
    expect(xml.err).toContain('<DoubleLongUnsigned Value="1234567891" />');
  });
  it('captures what Wireshark reads', async () => {
    for (const [served, address, kind] of [
      [tcp, at, 'tcp'],
      [udp, `udp://127.0.0.1:${udp.port}`, 'udp'],
      [hdlc, `hdlc+tcp://127.0.0.1:${hdlc.port}`, 'tcp'],
    ] as const) {
      const file = join(folder, `${kind}.pcap`);
      expect(await get(address, ['1.8.0'], { pcap: file })).toMatchObject({ code: 0 });
      const { streams, damage } = extractStreams(new Uint8Array(await readFile(file)));
      expect(damage).toEqual([]);
      expect(streams).toHaveLength(1);
      expect(streams[0]).toMatchObject({ kind, server: `127.0.0.1:${served.port}` });
      expect(streams[0]?.pieces.length).toBeGreaterThan(4);
    }
    expect(await get(at, ['1.8.0'], { pcap: join(folder, 'no', 'where.pcap') })).toMatchObject({ code: 2 });
  });
  it('shows progress where somebody looks on, and wipes it away', async () => {
    const terminal = machine({ watched: true });
    await ran(terminal, (t) => runGet(t, at, ['1.8.0'], {}));
    expect(terminal.text.err).toContain('connecting');
    expect(terminal.text.err.endsWith('\r\x1b[K')).toBe(true);
  });
});

describe('a line that fails', () => {
  const silent = async (use: (address: string, terminal: ReturnType<typeof machine>) => Promise<void>) => {
    const server = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      await use(`127.0.0.1:${port}`, machine());
    } finally {
      server.close();
    }
  };
  it('ends in time and says what to try', async () =>
    silent(async (address) => {
      expect(await get(`tcp://${address}`, ['1.8.0'], { timeout: '0.1' })).toMatchObject({
        code: 1,
        err: expect.stringMatching(/no answer in 0\.1 s; expected AARE.*\n.*--hdlc/),
      });
      expect(await get(`hdlc+tcp://${address}`, ['1.8.0'], { timeout: '0.2' })).toMatchObject({
        code: 1,
        err: expect.stringContaining('--wrapper'),
      });
    }));
  it('the user may end it', async () =>
    silent(async (address, terminal) => {
      // Far before its patience ends, or this test waits longer than it may.
      setTimeout(() => terminal.stop(), 50);
      expect(await ran(terminal, (t) => runGet(t, `tcp://${address}`, ['1.8.0'], { timeout: '300' }))).toMatchObject({
        code: 130,
        out: '',
      });
    }));
  it('nobody there', async () => {
    expect(await get('tcp://127.0.0.1:1', ['1.8.0'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('nobody listens there'),
    });
    expect(await get('/dev/ttyNOSUCH', ['1.8.0'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such device'),
    });
  });
});

test.each<[string, Given, RegExp]>([
  ['somewhere', {}, /no address/],
  ['tcp://127.0.0.1:99999', {}, /no port/],
  ['hdlc+udp://127.0.0.1:1', {}, /not go over UDP/],
  ['127.0.0.1', { hdlc: true, wrapper: true }, /not both/],
  ['127.0.0.1', { client: 'x' }, /--client x/],
  ['127.0.0.1', { server: '70000' }, /0 to 65535/],
  ['127.0.0.1', { physical: '17' }, /belong to HDLC/],
  ['127.0.0.1', { hdlc: true, addressSize: '3' }, /1, 2, 4/],
  ['127.0.0.1', { hdlc: true, addressSize: '1', physical: '18' }, /no room for --physical/],
  ['127.0.0.1', { password: 'a', hls: 'gmac', ...KEYS }, /not both/],
  ['127.0.0.1', { secret: 'a' }, /goes with --hls/],
  ['127.0.0.1', { hls: 'md5' }, /needs --secret/],
  ['127.0.0.1', { hls: 'gmac' }, /needs --key/],
  ['127.0.0.1', { hls: 'rot13' }, /none of gmac/],
  ['127.0.0.1', { key: KEYS.key }, /--auth-key is missing/],
  ['127.0.0.1', { ...KEYS, key: '00zz' }, /not hex/],
  ['127.0.0.1', { ...KEYS, key: '0011' }, /4 hex digits; 32 or 64/],
  ['127.0.0.1', { ...KEYS, suite: '2' }, /suite 2 has keys of 64/],
  ['127.0.0.1', { ...KEYS, title: '00' }, /16 hex digits/],
  ['127.0.0.1', { ...KEYS, hls: 'ecdsa' }, /--signing-key/],
  ['127.0.0.1', { ...KEYS, policy: 'none', dedicated: true }, /--dedicated/],
  ['127.0.0.1', { ...KEYS, generalCiphering: 'wrapped' }, /--master-key/],
  ['127.0.0.1', { dedicated: true }, /--dedicated needs --key/],
  ['127.0.0.1', { ...KEYS, counter: 'some' }, /--counter/],
  ['127.0.0.1', { password: '@/no/such/file' }, /cannot be read/],
  ['127.0.0.1', { trace: 'colour' }, /bytes, xml/],
  ['127.0.0.1', { timeout: '0' }, /--timeout/],
  ['127.0.0.1', { window: '99', hdlc: true }, /1 to 7/],
  ['127.0.0.1', { modeE: true, wrapper: true }, /--mode-e/],
])('usage: %s %j', async (address, given, message) => {
  const { out, err, code } = await get(address, ['1.8.0'], given);
  expect([out, code]).toEqual(['', 2]);
  expect(err).toMatch(message);
});

test('through an optical head: mode E on a pseudo-terminal', async ({ skip }) => {
  const pty = ptyLink();
  const meter = newMeter();
  try {
    await serveModeE(pty, meter);
  } catch (error) {
    if ((error as Error).message.includes('socat')) skip('socat is not there');
    throw error;
  }
  try {
    const result = await get(pty.path, ['8:0-0:1.0.0:2'], { modeE: true, pcap: join(folder, 'serial.pcap') });
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toContain('2026-11-20 12:30:00+01:00');
    const { streams } = extractStreams(new Uint8Array(await readFile(join(folder, 'serial.pcap'))));
    expect(streams[0]?.kind).toBe('serial');
  } finally {
    await pty.close();
  }
});

test('the program: exit codes, stdout for results alone, --trace before an address', async () => {
  const program = new URL('../../amiable/bin/amiable.js', import.meta.url).pathname;
  const run = (...words: string[]) =>
    new Promise<{ out: string; err: string; code: number | null }>((resolve) => {
      const child = spawn(process.execPath, [program, 'dlms', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      const text = { out: '', err: '' };
      child.stdout.on('data', (d) => (text.out += String(d)));
      child.stderr.on('data', (d) => (text.err += String(d)));
      child.on('close', (code) => resolve({ ...text, code }));
    });
  const [good, usage, head] = await Promise.all([
    run('get', '--trace', at, '1.8.0', '--plain'),
    run('get', at, '1.8.0', '--key', '00'),
    run('get', '--mode-e', '/dev/ttyNOSUCH', '1.8.0'),
  ]);
  expect(good).toMatchObject({ code: 0, out: '123456789.1 Wh\n', err: expect.stringContaining('→ AARQ') });
  expect(head).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('/dev/ttyNOSUCH: there is no such device'),
  });
  expect(usage).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^amiable: --key/) });
});
