/** The electricity meter as master of its slaves: in memory, and over a line in virtual time. */
import { loopback, virtualClock } from '@amiable/io';
import { createMbusSession, encodeRecords, type MbusRecord, type RecordToSend } from '@amiable/mbus';
import { describe, expect, it } from 'vitest';
import type { SlaveReading, SlaveSettings } from '../../src/electricity/index.ts';
import { createConsumption } from '../../src/mbus/consumption.ts';
import { type InstallOptions, install } from '../../src/mbus/install.ts';
import { createSlaveLine } from '../../src/mbus/line.ts';
import { insideBus, lineBus, readingsOf } from '../../src/mbus/meter-port.ts';
import { DAY, events, HOUR, MINUTE, meter, rows, START } from '../electricity/helpers.ts';

const ZONE = 'Europe/Oslo';
const consumption = createConsumption({ seed: 5, street: 5, zone: ZONE });
const gasAt = (at: number): number => Math.floor(consumption.flow('gas').total(at) / 1000);
/** Local midnight after START. */
const MIDNIGHT = START + 12 * HOUR;

const gas: SlaveSettings = {
  medium: 'gas',
  address: 1,
  baud: 2400,
  obis: '7-0:3.0.0',
  record: { storage: 0, tariff: 0, subunit: 0 },
  scaler: -3,
  unit: 'm3',
  capture: 'hourly',
  hasProfile: true,
};

/** A meter whose slaves hang on a bus in memory. */
function inside(
  kinds: InstallOptions['kinds'],
  settings: readonly SlaveSettings[],
  more: Partial<InstallOptions> = {},
) {
  let m: ReturnType<typeof meter> | undefined;
  const now = (): number => m?.now ?? START;
  const installation = install({ seed: 5, zone: ZONE, kinds, start: START, consumption, now, ...more });
  const port = insideBus({ slaves: installation.slaves, zone: ZONE, now });
  m = meter({ slavePort: port, parameters: { slaves: settings } });
  return { m, port, ...installation };
}

describe('a bus in memory', () => {
  it('is read once a day where the slave keeps its hours, and every hour is a row', () => {
    const { m, port } = inside(['gas'], [gas]);
    m.advance(MIDNIGHT + DAY + HOUR);
    const found = rows(m, 'slave-1');
    expect(found).toHaveLength(36);
    for (const [i, row] of found.entries())
      expect(row).toEqual({ at: START + (i + 1) * HOUR, status: 0, values: [gasAt(START + (i + 1) * HOUR)] });
    // Two fetches, each an answer of one or more telegrams.
    expect(port.header(0)).toMatchObject({ manufacturer: 'AMI', medium: 3 });
  });

  it('loses no hour of a slave that was silent for five days', () => {
    const { m, slaves } = inside(['gas'], [gas]);
    m.advance(MIDNIGHT + HOUR);
    const [slave] = slaves;
    if (slave) slave.fault = 'silent';
    m.advance(MIDNIGHT + 5 * DAY);
    if (slave) slave.fault = undefined;
    m.advance(MIDNIGHT + 6 * DAY);
    expect(rows(m, 'slave-1').map(({ at }) => at)).toEqual(
      Array.from({ length: 12 + 5 * 24 }, (_, i) => START + (i + 1) * HOUR),
    );
    expect(events(m)).toEqual(['slaveSilent1', 'slaveBack1']);
  });

  it('asks a busy slave again, gives up on a faulty one', () => {
    const settings = [gas, { ...gas, address: 2 }, { ...gas, address: 3 }, { ...gas, address: 4 }];
    const faults = new Map([
      [1, 'busy'],
      [2, 'error'],
      [3, 'checksum'],
      [4, 'late'],
    ] as const);
    const { m } = inside(['gas', 'gas', 'gas', 'gas'], settings, { faults });
    m.advance(MIDNIGHT + DAY + HOUR);
    expect(rows(m, 'slave-1').length).toBe(36);
    // The status octet of its header says busy.
    expect(rows(m, 'slave-1').every(({ status }) => status !== 0)).toBe(true);
    for (const id of ['slave-2', 'slave-3', 'slave-4'] as const) expect(m.profile(id).length).toBe(0);
    expect(events(m).sort()).toEqual(['slaveSilent2', 'slaveSilent3', 'slaveSilent4']);
  });

  it('maps each medium to its unit, a block of a gas smart module by its tariff, an OCR module, a radio device', () => {
    const settings: SlaveSettings[] = [
      { ...gas, medium: 'heat', unit: 'Wh', scaler: 3, capture: 'daily', hasProfile: false },
      {
        ...gas,
        address: 2,
        scaler: -2,
        capture: 'daily',
        hasProfile: false,
        record: { storage: 0, tariff: 1, subunit: 0 },
      },
      { ...gas, address: 3 },
      { ...gas, address: 5, medium: 'water-cold' },
    ];
    const { m, slaves } = inside(['heat', 'gas-module', 'ocr-gas', 'rf'], settings);
    m.advance(MIDNIGHT + 10 * MINUTE);
    const of = (n: 1 | 2 | 3 | 4): number => rows(m, `slave-${n}`).at(-1)?.values[0] as number;
    // Daily values stand for the moment in which they were read.
    expect(of(1)).toBe(Math.floor(consumption.flow('heat').total(MIDNIGHT + 5 * MINUTE) / 1000));
    const burnt = gasAt(MIDNIGHT + 6 * MINUTE) - gasAt(START);
    expect(Math.abs(of(2) - burnt / 10)).toBeLessThan(burnt / 10 / 20 + 1);
    expect(Math.abs(of(3) - gasAt(MIDNIGHT))).toBeLessThanOrEqual(1);
    const water = Math.floor(consumption.flow('water-cold').total(MIDNIGHT) / 1000);
    expect(Math.abs(of(4) - water)).toBeLessThanOrEqual(1);
    expect(slaves[4]?.device.name).toContain('by radio');
  });

  it('sends records, and says whether the slave took them', () => {
    const { m, port, slaves } = inside(['gas-module'], [gas]);
    m.advance(START + HOUR);
    const valve = (value: number): Uint8Array =>
      encodeRecords([{ vif: [0xfd, 0x1a], data: { type: 'integer', octets: 1, value } }]);
    expect(port.send(gas, valve(0))).toBe(true);
    expect(slaves[0]?.device.records(undefined).find(({ vif }) => vif.join() === '253,26')?.data).toMatchObject({
      value: 4,
    });
    expect(port.send(gas, valve(9))).toBe(false);
    expect(port.send({ ...gas, address: 77 }, valve(0))).toBe(false);
  });
});

describe('what becomes of records', () => {
  const header = {
    identification: '1',
    manufacturer: 'AMI',
    version: 1,
    medium: 3,
    accessNumber: 0,
    status: 0,
    configuration: 0,
  };
  const record = (more: Partial<MbusRecord>): MbusRecord =>
    ({
      function: 'instantaneous',
      storage: 0,
      tariff: 0,
      subunit: 0,
      dif: 0,
      difes: [],
      vif: 0x13,
      vifes: [],
      quantity: 'Volume',
      name: 'volume',
      unit: 'm3',
      scaler: -3,
      value: 5000,
      offset: 0,
      length: 6,
      ...more,
    }) as MbusRecord;
  const read = (records: MbusRecord[]): readonly SlaveReading[] =>
    readingsOf({ header, records }, { ...gas, hasProfile: false }, ZONE, 99);

  it('is converted to the scaler of the settings, with the time of the slave or ours', () => {
    expect(read([record({ scaler: -1, value: 12 })])).toEqual([{ at: 99, value: 1200 }]);
    const time = record({ vif: 0x6d, name: 'dateAndTime', unit: undefined as never, value: '2025-01-15T12:00:00' });
    expect(read([record({}), time])).toEqual([{ at: START, value: 5000 }]);
  });

  it('is nothing where storage, tariff, function or unit differ, or the value is missing', () => {
    for (const other of [
      { storage: 1 },
      { tariff: 2 },
      { function: 'maximum' },
      { unit: 'Wh' },
      { missing: true },
      { vifes: [0x3a] },
    ])
      expect(read([record(other as Partial<MbusRecord>)])).toEqual([]);
  });
});

describe('a line', () => {
  it('is read over, character by character, and answers come later', async () => {
    const clock = virtualClock(START);
    const [ours, theirs] = loopback();
    const { slaves } = install({
      seed: 5,
      zone: ZONE,
      kinds: ['gas', 'water-cold'],
      start: START,
      consumption,
      now: () => clock.now(),
    });
    const line = createSlaveLine({ slaves, clock, write: (bytes) => theirs.write(bytes) });
    await theirs.open({ data: (bytes) => line.push(bytes), closed() {} });
    const session = await createMbusSession({ link: ours, clock, baud: 2400 });
    const got: [number, readonly SlaveReading[]][] = [];
    const said: string[] = [];
    const bus = lineBus({
      session,
      zone: ZONE,
      now: () => clock.now(),
      deliver: (channel, readings) => void got.push([channel, readings]),
      say: (text) => void said.push(text),
    });
    expect(bus.fetch(0, gas, START - 2 * HOUR, START)).toBeUndefined();
    expect(bus.fetch(1, { ...gas, address: 9 }, START - 2 * HOUR, START)).toBeUndefined();
    // History that it is made to have lived.
    bus.fetch(1, gas, START - 9 * DAY, START - 8 * DAY);
    // 400 octets at 218 characters a second.
    await clock.advance(900);
    expect(got).toEqual([]);
    await clock.advance(30_000);
    expect(got).toHaveLength(1);
    expect(got[0]?.[1].filter(({ at }) => at > START - 2 * HOUR)).toEqual(
      [START - HOUR, START].map((at) => ({ at, value: gasAt(at) })),
    );
    expect(said).toEqual([expect.stringMatching(/^M-Bus, slave 2: .*did not answer/)]);
    expect(line.counters.collisions).toBe(0);

    const records: RecordToSend[] = [{ vif: [0x6d], data: { type: 'dateTime', value: '2025-01-15T12:00' } }];
    expect(bus.send(gas, encodeRecords(records))).toBeUndefined();
    await clock.advance(5000);
    expect(said).toHaveLength(1);
    line.close();
    await session.close();
  });

  it('that two slaves share an address on gives no frame', async () => {
    const clock = virtualClock(START);
    const [ours, theirs] = loopback();
    const { slaves } = install({
      seed: 5,
      zone: ZONE,
      kinds: ['gas', 'heat'],
      start: START,
      consumption,
      collide: 'primary',
      now: () => clock.now(),
    });
    const line = createSlaveLine({ slaves, clock, write: (bytes) => theirs.write(bytes) });
    await theirs.open({ data: (bytes) => line.push(bytes), closed() {} });
    const session = await createMbusSession({ link: ours, clock, baud: 2400 });
    const outcome = session.read(1).then(
      () => 'read',
      (error: Error) => error.message,
    );
    await clock.advance(30_000);
    expect(await outcome).toContain('several meters answer at once');
    expect(line.counters.collisions).toBeGreaterThan(0);
    line.close();
    await session.close();
  });
});
