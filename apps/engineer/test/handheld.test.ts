/** `amiable handheld`: visits to meters on sockets, what a cut line or a torn file leaves, upload and the DLMS server. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { captureObjectsOf, createLogicalDevice, encodedData } from '@amiable/cosem';
import { LN_CONFORMANCE } from '@amiable/dlms';
import type { TariffDevice } from '@amiable/iec62056-21';
import { type Listener, listenTcp, nodeCrypto, systemClock } from '@amiable/io';
import { createMeterServer } from '@amiable/meter';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runGet } from '../src/dlms/get.ts';
import { runLs } from '../src/dlms/ls.ts';
import { runProfile } from '../src/dlms/profile.ts';
import { CATEGORIES, eventName, GROUPS, IS_OBJECTS } from '../src/handheld/is15959.ts';
import { parseList } from '../src/handheld/list.ts';
import { readingsIn } from '../src/handheld/messages.ts';
import { groupOf, groupOfCode } from '../src/handheld/select.ts';
import { handheldServer } from '../src/handheld/serve.ts';
import { runShow, runStatus } from '../src/handheld/status.ts';
import {
  continueVisit,
  countsOf,
  createVisit,
  decodeRecord,
  encodeRecord,
  type Head,
  readVisit,
  readVisits,
  type VisitRecord,
} from '../src/handheld/store.ts';
import { runUpload } from '../src/handheld/upload.ts';
import { runVisit, withoutSecrets } from '../src/handheld/visit.ts';
import { PASSWORD, type Served, serveMeter } from './dlms-device.ts';
import { type Machine, machine, ran } from './dlms-terminal.ts';
import { listenOptical } from './optical-port.ts';

const NOW = Date.UTC(2026, 10, 20, 22, 50);
let folder = '';
const open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handheld-'));
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

const served = async (options?: Parameters<typeof serveMeter>[0]): Promise<Served> => {
  const meter = await serveMeter(options);
  open.push(meter);
  return meter;
};

/** Waits between attempts take no time. */
const quick = (options: Parameters<typeof machine>[0] = {}): Machine => {
  const terminal = machine({ now: NOW, ...options });
  return {
    ...terminal,
    clock: { ...terminal.clock, after: (ms, fn) => systemClock.after([2000, 4000, 65_000].includes(ms) ? 0 : ms, fn) },
  };
};

const store = (): string => join(folder, 'visits');
function listOf(rows: readonly Record<string, unknown>[], name = 'tour.json'): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(rows));
  return path;
}
function secrets(): string {
  const path = join(folder, 'secrets.json');
  writeFileSync(path, JSON.stringify({ reader: { password: PASSWORD, client: 2 }, optical: { password: 'geheim' } }), {
    mode: 0o600,
  });
  return path;
}
const visit = (terminal: Machine, list: string, given: Record<string, unknown> = {}, names: string[] = []) =>
  ran(terminal, (t) => runVisit(t, list, names, { store: store(), credentials: secrets(), ...given }));
const messagesOf = (records: readonly VisitRecord[]) => records.flatMap((r) => (r.t === 'message' ? [r] : []));
const dlmsRow = (port: number, more: Record<string, unknown> = {}) => ({
  meter: 'M-1',
  place: 'Hill 1',
  device: `tcp://127.0.0.1:${port}`,
  credentials: 'reader',
  tz: 'Europe/Oslo',
  ...more,
});

describe('the list of meters', () => {
  test('CSV with quotes, empty lines, comments and options of the line', () => {
    const [a, b] = parseList(
      'meter,place,device,protocol,read,write,client,mode-e\r\n# north\r\n"A-1","Hill, ""old"" 1",tcp://h:1,,"energy load:7d",1-0:0.8.0=1800 | clock:time=now,2,\r\n\r\nB-2,,/dev/ttyUSB0,optical,,,,yes\r\n',
      'x.csv',
    );
    expect(a).toMatchObject({ meter: 'A-1', place: 'Hill, "old" 1', protocol: 'dlms', options: { client: '2' } });
    expect(a?.read).toEqual([{ group: 'energy' }, { group: 'load', since: 7 * 86_400_000 }]);
    expect(a?.write).toEqual([
      { object: '1-0:0.8.0', value: '1800' },
      { object: 'clock:time', value: 'now' },
    ]);
    expect(b).toMatchObject({ protocol: 'iec62056-21', options: { modeE: true } });
    expect(b?.read.map(({ group }) => group)).toEqual([...GROUPS]);
  });
  test.each([
    ['meter,device,password\nA,tcp://h:1,x', /line 2: password does not belong into the list/],
    ['meter,device,colour\nA,tcp://h:1,x', /line 2: colour is no field/],
    ['meter,device\nA,tcp://h:1\nA,tcp://h:2', /line 3: meter A stands in .*line 2/],
    ['meter,device,read\nA,tcp://h:1,gas', /gas is none of identity/],
    ['meter,device\n../A,tcp://h:1', /digits, letters/],
    ['meter,device,tz\nA,tcp://h:1,Mars', /Mars is no time zone/],
    ['[{"meter":"A"}]', /visit 1: device is missing/],
    ['[{"meter":', /begins as JSON but is none/],
    ['meter,device\n', /names no meter/],
  ])('%j is refused with its place', (text, words) => {
    expect(() => parseList(text, 'x.csv')).toThrow(words);
  });
});

describe('IS 15959', () => {
  test('each object once, in known categories, and of the group that selection gives it', () => {
    expect(new Set(IS_OBJECTS.map(({ obis }) => obis)).size).toBe(IS_OBJECTS.length);
    for (const { obis, classId, group, categories } of IS_OBJECTS) {
      expect(categories.every((c) => CATEGORIES.includes(c))).toBe(true);
      if (group && classId !== 70 && classId !== 71) expect([obis, groupOf(obis, classId)]).toEqual([obis, group]);
    }
  });
  test('event codes in words', () => {
    expect(eventName(101)).toBe('Power failure, occurrence');
    expect(eventName(102)).toBe('Power failure, restoration');
    expect(eventName(251)).toBe('Meter cover opened');
    expect(eventName(156)).toBeUndefined();
    expect(eventName(252)).toBeUndefined();
  });
  test('codes of other countries by their value groups', () => {
    expect(groupOf('1-0:21.8.0', 3)).toBe('energy');
    expect(groupOf('1-0:1.8.0*01', 3)).toBe('billing');
    expect(groupOf('0-0:40.0.0', 15)).toBeUndefined();
    expect(['1.8.0', '1-1:1.8.1*02', 'C.1.0', '1.6.0', '32.7', '0.9.1', 'P.01', 'P.98'].map(groupOfCode)).toEqual([
      'energy',
      'billing',
      'identity',
      'demand',
      'instantaneous',
      'identity',
      'load',
      'events',
    ]);
  });
});

describe('the store', () => {
  const head: Head = {
    t: 'visit',
    v: 1,
    id: 'M/1',
    meter: 'M',
    device: 'd',
    protocol: 'dlms',
    zone: 'UTC',
    read: [],
    at: NOW,
  };
  const records: VisitRecord[] = [
    { t: 'attempt', n: 1, at: NOW },
    { t: 'exchange', at: NOW, d: 'in', bytes: '00ff' },
    {
      t: 'message',
      step: 'energy',
      until: 5,
      json: '{"id":"00","readings":[{"name":"ü \\"message\\":{","value":238.0}]}',
    },
    { t: 'end', state: 'complete', at: NOW },
  ];
  test('records come back as they were, decimals exact, and no damaged line does', () => {
    for (const record of records) {
      const line = encodeRecord(record).trimEnd();
      expect(decodeRecord(line)).toEqual(record);
      expect(JSON.parse(line)).toMatchObject({ t: record.t });
      for (let i = 0; i < line.length; i++)
        expect(
          decodeRecord(line.slice(0, i) + String.fromCharCode(line.charCodeAt(i) ^ 1) + line.slice(i + 1)),
        ).toBeUndefined();
    }
  });
  test('a power cut at any byte costs the record that was being written, and the visit goes on behind the others', () => {
    const writer = createVisit(store(), head);
    for (const record of records) writer.append(record);
    writer.close();
    const path = join(store(), writer.name);
    const whole = readFileSync(path);
    const ends = [...whole.keys()].filter((i) => whole[i] === 10).map((i) => i + 1);
    fc.assert(
      fc.property(fc.integer({ min: ends[0] as number, max: whole.length }), (cut) => {
        writeFileSync(path, whole);
        truncateSync(path, cut);
        const again = continueVisit(store(), writer.name);
        const kept = ends.filter((end) => end <= cut).length;
        expect(again.records).toHaveLength(kept);
        again.append({ t: 'attempt', n: 2, at: NOW });
        again.close();
        expect(readVisit(store(), writer.name)?.records).toEqual([
          ...[head, ...records].slice(0, kept),
          { t: 'attempt', n: 2, at: NOW },
        ]);
      }),
      { numRuns: 20 },
    );
  });
  test('a second visit in the same second is a second file', () => {
    const first = createVisit(store(), head);
    const second = createVisit(store(), head);
    first.append({ t: 'end', state: 'complete', at: NOW });
    first.close();
    second.close();
    expect(second.name).not.toBe(first.name);
    expect(
      readVisits(store())
        .map(({ records: r }) => countsOf(r).state)
        .sort(),
    ).toEqual(['complete', 'interrupted']);
  });
  test('secrets are struck out of the exchange, the check behind them too', () => {
    const bytes = new TextEncoder().encode('\x01P1\x02(geheim)\x03Q');
    const out = withoutSecrets(bytes, [new TextEncoder().encode('geheim')]);
    expect(new TextDecoder().decode(out)).toBe('\x01P1\x02(******)\x03*');
    expect(bytes[5]).toBe(0x67);
  });
});

describe('visits over DLMS', () => {
  test('reads by groups into one file, with the exchange but not the password', async () => {
    const meter = await served();
    const list = listOf([dlmsRow(meter.port, { read: 'all' })]);
    const done = await visit(quick(), list);
    expect(done).toMatchObject({ code: 0, out: expect.stringMatching(/M-1 +Hill 1 +complete: /) });
    const [file] = readVisits(store());
    const records = file?.records ?? [];
    expect(records.find(({ t }) => t === 'identity')).toMatchObject({ serial: '12345678' });
    const energy = messagesOf(records).find(({ step }) => step === 'energy');
    expect(readingsIn(energy?.json ?? '')[0]).toMatchObject({
      obis: '1-0:1.8.0',
      name: 'activeEnergyImport',
      value: '123456789.1',
      unit: 'Wh',
    });
    const load = messagesOf(records)
      .filter(({ step }) => step === 'profile 1-0:99.1.0')
      .flatMap(({ json }) => readingsIn(json));
    expect(load).toHaveLength(2 * 192);
    expect(load[0]).toMatchObject({ obis: '1-0:1.8.0', value: '10000.0', unit: 'Wh', time: '2026-11-18T23:00:00Z' });
    const text = readFileSync(file?.path ?? '', 'latin1');
    expect(text).toContain('"t":"exchange"');
    expect(text).not.toContain(Buffer.from(PASSWORD).toString('hex'));
    // The meter's clock stands at noon, an afternoon behind.
    expect(done.err).toMatch(/its clock is \d+ min slow/);
    expect(energy?.json).toContain('"flags":["clockWrong"]');
    // Visited: not visited again; named: a second file.
    expect((await visit(quick(), list)).out).toMatch(/visited 0 min ago/);
    expect((await visit(quick(), list, { read: 'energy' }, ['M-1'])).out).toMatch(/complete: 1 message/);
    expect(readdirSync(store())).toHaveLength(2);
    const shown = machine({ now: NOW });
    runShow(shown, 'M-1', { store: store() });
    expect(shown.text.out).toContain('123456789.1');
  });

  test('a line that breaks again and again: the visit goes on where it was, no row is lost or taken twice', async () => {
    const meter = await served({ cutAfter: 2300 });
    const list = listOf([dlmsRow(meter.port, { read: 'load:3d', maxPdu: '300' })]);
    let outcome = await visit(quick(), list);
    expect(outcome.code).toBe(1);
    expect(outcome.out).toMatch(/interrupted/);
    const rows = () =>
      readVisits(store()).flatMap(({ records }) => records.flatMap((r) => (r.t === 'rows' ? [r.n] : [])));
    for (let n = 0; n < 12 && outcome.code !== 0; n++) outcome = await visit(quick(), list);
    expect(outcome.code).toBe(0);
    expect(outcome.err).toMatch(/goes on where it was/);
    expect(readdirSync(store())).toHaveLength(1);
    expect(rows().reduce((a, b) => a + b, 0)).toBe(192);
    const times = messagesOf(readVisits(store())[0]?.records ?? []).flatMap(({ json }) =>
      readingsIn(json).flatMap(({ obis, time }) => (obis === '1-0:1.8.0' ? [time] : [])),
    );
    expect(new Set(times).size).toBe(192);
  });

  test('only what is new, and a meter that is not the one of the list', async () => {
    const meter = await served();
    const list = listOf([dlmsRow(meter.port, { read: 'load:new' })]);
    await visit(quick(), list);
    meter.meter.rows = 200;
    await visit(quick(), list, { again: true });
    const [, second] = readVisits(store());
    expect(second?.records.flatMap((r) => (r.t === 'rows' ? [r.n] : []))).toEqual([8]);
    const wrong = await visit(quick(), listOf([dlmsRow(meter.port, { meter: 'M-9', serial: '87654321' })], 'b.json'));
    expect(wrong).toMatchObject({
      code: 1,
      out: expect.stringMatching(/this is meter 12345678, the list says 87654321/),
    });
    expect(messagesOf(readVisits(store()).find(({ head }) => head.meter === 'M-9')?.records ?? [])).toEqual([]);
  });

  test('a refused password is not tried again', async () => {
    const meter = await served();
    process.env.AMIABLE_HANDHELD_OTHER = 'wrong';
    try {
      const done = await visit(quick(), listOf([dlmsRow(meter.port, { credentials: 'other', client: 2 })]));
      expect(done.code).toBe(1);
      expect(done.err).not.toMatch(/trying again/);
      expect(readVisits(store())[0]?.records.filter(({ t }) => t === 'attempt')).toHaveLength(1);
    } finally {
      delete process.env.AMIABLE_HANDHELD_OTHER;
    }
    expect(await visit(quick(), listOf([dlmsRow(meter.port, { credentials: 'nobody' })]))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/AMIABLE_HANDHELD_NOBODY/),
    });
  });

  test('parameters: asked for, written, read back, logged; not without an answer', async () => {
    const meter = await served();
    const list = listOf([dlmsRow(meter.port, { read: 'nothing', write: ['0-0:17.0.1=520', '1-0:2.8.0=1'] })]);
    const asked = await visit(quick({ answer: false }), list);
    expect(asked.err).toMatch(/Write 0-0:17\.0\.1 .* from 400\.0 W to 520\.0 W\?/);
    expect(asked).toMatchObject({ code: 1, out: expect.stringMatching(/2 not written/) });
    expect([...meter.meter.threshold]).toEqual([0x12, 0x0f, 0xa0]);
    const done = await visit(quick(), list, { yes: true }, ['M-1']);
    expect(done.out).toMatch(/partial: 0 messages, 1 not written/);
    expect([...meter.meter.threshold]).toEqual([0x12, 0x14, 0x50]);
    const log = readVisits(store())
      .at(-1)
      ?.records.filter(({ t }) => t === 'write');
    expect(log?.map((r) => (r.t === 'write' ? [r.object, r.state, r.before, r.after] : []))).toEqual([
      ['0-0:17.0.1', 'begun', '400.0 W', undefined],
      ['0-0:17.0.1', 'done', '400.0 W', '520.0 W'],
      ['1-0:2.8.0', 'begun', '4711 Wh', undefined],
      ['1-0:2.8.0', 'refused', '4711 Wh', undefined],
    ]);
  });
});

describe('a meter after IS 15959', () => {
  test('name plate and scaler profiles are used, events are told in words', async () => {
    const row = (...cells: number[][]) => Uint8Array.from([1, 1, 2, cells.length, ...cells.flat()]);
    const column = (classId: number, obis: string, attribute = 2): Parameters<typeof captureObjectsOf>[0][number] => ({
      classId,
      logicalName: obis,
      attribute,
      dataIndex: 0,
    });
    const profile = (obis: string, columns: ReturnType<typeof column>[], buffer: Uint8Array) => ({
      classId: 7,
      version: 1,
      logicalName: obis,
      attributes: {
        2: buffer,
        3: encodedData(captureObjectsOf(columns)),
        4: Uint8Array.of(6, 0, 0, 0, 0),
        5: Uint8Array.of(0x16, 1),
        7: Uint8Array.of(6, 0, 0, 0, 1),
      },
    });
    const clock = [9, 12, 0x07, 0xea, 11, 20, 255, 9, 30, 0, 0, 0x80, 0, 0];
    const serial = [9, 5, 0x49, 0x4e, 0x30, 0x30, 0x37];
    const device = createLogicalDevice({
      associations: [
        { name: 'public', clientSap: 16, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE },
      ],
      objects: [
        { classId: 1, logicalName: '0-0:96.1.0', attributes: { 2: Uint8Array.from(serial) } },
        profile(
          '0-0:94.91.10',
          [column(1, '0-0:96.1.0'), column(1, '0-0:94.91.12')],
          row(serial, [9, 3, 0x36, 0x30, 0x41]),
        ),
        profile('1-0:94.91.0', [column(8, '0-0:1.0.0'), column(3, '1-0:12.7.0')], row(clock, [0x12, 0x5a, 0x10])),
        profile('1-0:94.91.3', [column(3, '1-0:12.7.0', 3)], row([2, 2, 0x0f, 0xfe, 0x16, 35])),
        profile('0-0:99.98.2', [column(8, '0-0:1.0.0'), column(1, '0-0:96.11.2')], row(clock, [0x12, 0, 101])),
      ],
    });
    const meters = createMeterServer({
      find: () => ({ device, meter: undefined }),
      clock: systemClock,
      random: (n) => nodeCrypto.randomBytes(n),
      fault: (error) => {
        throw error;
      },
    });
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => meters.accept(connection));
    open.push({ close: () => listener.close() });
    const done = await visit(
      quick(),
      listOf([{ meter: 'IN', device: `tcp://127.0.0.1:${listener.port}`, tz: 'Asia/Kolkata' }]),
    );
    expect(done.code).toBe(0);
    const of = (step: string) =>
      messagesOf(readVisits(store())[0]?.records ?? [])
        .filter((m) => m.step === step)
        .flatMap(({ json }) => readingsIn(json));
    expect(of('profile 0-0:94.91.10').map(({ value }) => value)).toEqual(['IN007', '60A']);
    // 230.56 V: its register is not there, the scaler profile says 10^-2 V; the clock names no offset, so the zone does.
    expect(of('profile 1-0:94.91.0')).toMatchObject([
      { obis: '1-0:12.7.0', value: '230.56', unit: 'V', time: '2026-11-20T04:00:00Z' },
    ]);
    const { server: unit } = handheldServer({ folder: store(), clock: systemClock, fault: () => {} });
    const serving = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => unit.accept(connection));
    open.push({ close: () => serving.close() });
    const rows = await ran(machine(), (t) =>
      runProfile(t, `tcp://127.0.0.1:${serving.port}`, '1-0:94.91.0', { server: 17, csv: true, tz: 'Asia/Kolkata' }),
    );
    expect(rows.out).toMatch(/\n2026-11-20T09:30:00\+05:30,230\.56\n/);
    const shown = machine();
    runShow(shown, 'IN', { store: store() });
    expect(shown.text.out).toMatch(/Power related events: 1 rows/);
    expect(shown.text.out).toMatch(/2026-11-20 09:30:00 +101 Power failure, occurrence/);
  });
});

describe('visits over IEC 62056-21', () => {
  const LINES = [
    'F.F(00)',
    'C.1.0(4711)',
    '1.8.0(000285.4*kWh)',
    '1.6.0(18.014*kW)(26-11-19 00:15)',
    '1.8.0*01(000200.0*kWh)(26-11-01 00:00)',
  ];
  const SURVEY = 'P.01(0261120000000)(00)(60)(1)(1.8.0)(kWh)(0001.5)(0002.5)(0003.25)';
  const kept = new Map([['C.50.0', 'first']]);
  const device: TariffDevice = {
    readout: () => LINES,
    operand: () => '',
    command({ command, data, type }, level) {
      if (command === 'P') return data === '(geheim)' ? { type: 'ack', level: 1 } : { type: 'error', text: 'ER07' };
      const [, address = '', value = ''] = /^(.*)\((.*)\)$/.exec(data) ?? [];
      if (command === 'W') {
        if (level === 0) return { type: 'error', text: 'ER06' };
        kept.set(address, value);
        return { type: 'ack' };
      }
      if (address === 'P.01')
        return type === '5'
          ? { type: 'data', parts: [/^026112[01]|^$/.test(value.split(';').at(-1) ?? '') ? SURVEY : 'P.01()'] }
          : { type: 'error', text: 'ER08' };
      const line =
        LINES.find((l) => l.startsWith(`${address}(`)) ??
        (kept.has(address) ? `${address}(${kept.get(address)})` : undefined);
      return line === undefined ? { type: 'error', text: 'ER01' } : { type: 'data', parts: [line] };
    },
  };
  let listener: Listener;
  beforeAll(async () => {
    listener = await listenOptical(device);
  });
  afterAll(() => listener.close());
  const row = (more: Record<string, unknown> = {}) => ({
    meter: 'O-1',
    device: `127.0.0.1:${listener.port}`,
    protocol: 'iec62056-21',
    credentials: 'optical',
    tz: 'Europe/Oslo',
    ...more,
  });

  test('read-out by groups, load survey, codes, parameters; a code that is refused keeps nothing back', async () => {
    const list = listOf([
      row({ read: 'energy load events', codes: ['C.50.0'], write: { object: 'C.50.0', value: 'second' } }),
    ]);
    const done = await visit(quick(), list, { yes: true });
    expect(done).toMatchObject({ code: 1, out: expect.stringMatching(/partial: 3 messages, 1 refused/) });
    const records = readVisits(store())[0]?.records ?? [];
    const of = (step: string) =>
      messagesOf(records)
        .filter((m) => m.step === step)
        .flatMap(({ json }) => readingsIn(json));
    expect(of('readout')).toMatchObject([{ obis: '1-0:1.8.0', value: '285400', unit: 'Wh' }]);
    expect(of('load P.01').map(({ value, time }) => [value, time])).toHaveLength(3);
    expect(of('code C.50.0')).toHaveLength(1);
    expect(messagesOf(records).every(({ json }) => (JSON.parse(json) as { meterId: string }).meterId === '4711')).toBe(
      true,
    );
    expect(records.find((r) => r.t === 'step' && r.step === 'events P.98')).toMatchObject({ state: 'refused' });
    expect(kept.get('C.50.0')).toBe('second');
    expect(records.filter((r) => r.t === 'write').map((r) => r.state)).toEqual(['begun', 'done']);
    expect(readFileSync(readVisits(store())[0]?.path ?? '', 'latin1')).not.toContain(
      Buffer.from('geheim').toString('hex'),
    );
  });
});

describe('after the visits', () => {
  const bodies: string[][] = [];
  let answers: ((ids: string[]) => [status: number, body: string])[] = [];
  let server: Server;
  let where = '';
  const ok = (ids: string[]): [number, string] => [
    200,
    JSON.stringify({ accepted: ids.length, duplicates: 0, rejected: [] }),
  ];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const ids = gunzipSync(Buffer.concat(parts))
          .toString('utf8')
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { id: string }).id);
        bodies.push(ids);
        const [status, body] =
          request.headers.authorization === 'Bearer key' ? (answers.shift() ?? ok)(ids) : [401, '{}'];
        response.writeHead(status, { 'retry-after': '2' }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    where = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  beforeEach(async () => {
    bodies.length = 0;
    answers = [];
    const meter = await served();
    await visit(quick(), listOf([dlmsRow(meter.port), dlmsRow(meter.port, { meter: 'M-2', read: 'identity energy' })]));
  });
  const upload = (given: Record<string, unknown> = { apiKey: 'key' }) =>
    ran(quick(), (t) => runUpload(t, where, { store: store(), ...given }));

  test('what the server has taken is marked; a busy server is asked again; what it refuses is told', async () => {
    const all = readVisits(store()).flatMap(({ records }) =>
      messagesOf(records).map(({ json }) => (JSON.parse(json) as { id: string }).id),
    );
    expect((await upload({ apiKey: 'other' })).err).toMatch(/does not accept this API key/);
    answers = [
      () => [503, '{"error":"busy"}'],
      (ids) => [
        200,
        JSON.stringify({ accepted: ids.length - 1, duplicates: 0, rejected: [{ line: 1, reason: 'odd' }] }),
      ],
    ];
    bodies.length = 0;
    const first = await upload();
    expect(first).toMatchObject({
      code: 1,
      err: expect.stringMatching(/busy\); trying again.*refuses a message of M-1: odd/s),
    });
    expect(new Set(bodies.flat())).toEqual(new Set(all));
    expect(bodies[1]).toEqual(bodies[0]);
    bodies.length = 0;
    expect((await upload()).out).toBe('0 messages taken, 0 it had already\n');
    expect(bodies).toEqual([]);
    // Idempotent by ids: sent again they are the same.
    await upload({ apiKey: 'key', again: true });
    expect(new Set(bodies.flat())).toEqual(new Set(all));
    const status = machine();
    runStatus(status, { store: store() });
    expect(status.text.out).toMatch(/M-2 .* all /);
  });

  test('SERVER_MODE: the unit lists the meters, and each gives what was read of it', async () => {
    const { server: dlms, meters } = handheldServer({
      folder: store(),
      clock: systemClock,
      fault: (error) => {
        throw error;
      },
    });
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) =>
      dlms.accept(connection, 'wrapper'),
    );
    open.push({ close: () => listener.close() });
    const address = `tcp://127.0.0.1:${listener.port}`;
    expect(meters().map(({ sap, meter }) => [sap, meter])).toEqual([
      [17, 'M-1'],
      [18, 'M-2'],
    ]);
    const unit = await ran(machine(), (t) => runGet(t, address, ['17:0-0:41.0.0'], { json: true }));
    expect(unit.out).toMatch(/"SAP":17.*"SAP":18/);
    const ls = await ran(machine(), (t) => runLs(t, address, { server: 17, long: true }, []));
    expect(ls.out).toMatch(/1-0:1\.8\.0 .*123456789\.1 Wh/);
    expect(ls.out).toMatch(/1-0:99\.1\.0 .*192 of 192 entries, every 900 s/);
    expect(ls.out).not.toMatch(/0-0:17\.0\.1/);
    const energy = await ran(machine(), (t) =>
      runGet(t, address, ['1.8.0', '1.6.0:capture_time'], { server: 18, plain: true }),
    );
    expect(energy.out).toMatch(/^123456789\.1 Wh\n/);
    const rows = await ran(machine(), (t) =>
      runProfile(t, address, '1-0:99.1.0', {
        server: 17,
        from: '2026-11-19T10:00+01:00',
        to: '2026-11-19T10:30+01:00',
        csv: true,
      }),
    );
    expect(
      rows.out
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',')[0]),
    ).toEqual(['2026-11-19T10:00:00+01:00', '2026-11-19T10:15:00+01:00', '2026-11-19T10:30:00+01:00']);
    expect(
      (await ran(machine(), (t) => runProfile(t, address, '1-0:99.1.0', { server: 17, last: '2', json: true }))).out
        .trim()
        .split('\n'),
    ).toHaveLength(2);
  });
});
