/** Slaves of the simulator, asked over the wire in virtual time: what they say follows the household. */
import { toHex } from '@amiable/bytes';
import {
  askBus,
  createWmbusDecoder,
  decodeLongFrame,
  decodeRecords,
  encodeLongFrame,
  encodeRecords,
  encodeShortFrame,
  type MbusRecord,
  type RecordToSend,
} from '@amiable/mbus';
import { describe, expect, it } from 'vitest';
import { createConsumption } from '../../src/mbus/consumption.ts';
import { createConverter } from '../../src/mbus/converter.ts';
import type { MbusDevice } from '../../src/mbus/device.ts';
import { createGasDevice, GAS_VIF, REMOTE } from '../../src/mbus/gas-device.ts';
import { gasModuleOf, type InstallOptions, install } from '../../src/mbus/install.ts';
import { createOcrDevice, OCR_IDS } from '../../src/mbus/ocr.ts';
import { encodeBeacon } from '../../src/mbus/radio.ts';
import type { DeviceSlave } from '../../src/mbus/slave.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONE = 'Europe/Oslo';
const START = Date.UTC(2026, 0, 14, 9);
const consumption = createConsumption({ seed: 3, street: 3, zone: ZONE });
/** m3 or kWh of the household. */
const litres = (supply: 'gas' | 'water-cold' | 'water-hot' | 'heat', at: number): number =>
  Math.floor(consumption.flow(supply).total(at) / 1000);

function bus(kinds: InstallOptions['kinds'], more: Partial<InstallOptions> = {}) {
  const clock = { now: START };
  const installation = install({
    seed: 3,
    zone: ZONE,
    kinds,
    start: START,
    consumption,
    now: () => clock.now,
    ...more,
  });
  const say = (bytes: Uint8Array, baud = 2400): Uint8Array | undefined =>
    askBus(installation.slaves, bytes, baud)?.bytes;
  let fcb = 0;
  let sent = 0;
  /** All telegrams of the slave at `address`. */
  function read(address: number, subcode?: number): MbusRecord[] {
    say(encodeShortFrame(0x40, address));
    if (subcode !== undefined)
      say(encodeLongFrame({ control: 0x53, address, controlInformation: 0x50, data: Uint8Array.of(subcode) }));
    const records: MbusRecord[] = [];
    for (let i = 0; i < 20; i++) {
      fcb ^= 0x20;
      const frame = decodeLongFrame(say(encodeShortFrame(0x5b | fcb, address)) ?? new Uint8Array());
      expect(frame.controlInformation).toBe(0x72);
      const decoded = decodeRecords(frame.data, 12, frame.data.length, {});
      records.push(...decoded.records);
      if (!decoded.moreFollows) return records;
    }
    throw new Error('telegrams without end');
  }
  function write(address: number, records: readonly RecordToSend[]): number | undefined {
    sent ^= 0x20;
    const data = encodeRecords(records);
    expect(say(encodeLongFrame({ control: 0x53 | sent, address, controlInformation: 0x51, data }))).toEqual(
      Uint8Array.of(0xe5),
    );
    fcb ^= 0x20;
    const answer = decodeLongFrame(say(encodeShortFrame(0x5b | fcb, address)) ?? new Uint8Array());
    return answer.controlInformation === 0x70 ? answer.data[0] : undefined;
  }
  return { ...installation, clock, say, read, write };
}

const value = (records: readonly MbusRecord[], name: string, place: Partial<MbusRecord> = {}): unknown =>
  records.find(
    (r) =>
      r.name === name &&
      Object.entries({ storage: 0, tariff: 0, subunit: 0, ...place }).every(([k, v]) => r[k as 'storage'] === v),
  )?.value;

describe('a household', () => {
  it('takes more gas and heat in winter than in summer, water by day, and nothing is ever given back', () => {
    const of = (supply: 'gas' | 'heat' | 'water-cold', from: number, to: number): number =>
      consumption.flow(supply).total(to) - consumption.flow(supply).total(from);
    const january = Date.UTC(2026, 0, 1);
    const july = Date.UTC(2026, 6, 1);
    for (const supply of ['gas', 'heat'] as const)
      expect(of(supply, january, january + 30 * DAY)).toBeGreaterThan(3 * of(supply, july, july + 30 * DAY));
    const day = Date.UTC(2026, 2, 3);
    expect(of('water-cold', day, day + 4 * HOUR)).toBeLessThan(of('water-cold', day + 4 * HOUR, day + DAY) / 4);
    const year = of('gas', january, january + 365 * DAY) / 1e6;
    expect([year > 500, year < 6000]).toEqual([true, true]);
  });

  it('has rates that add up to its totals, whatever is asked in whatever order', () => {
    for (const supply of ['gas', 'water-hot', 'heat'] as const) {
      const flow = createConsumption({ seed: 9, street: 1, zone: ZONE }).flow(supply);
      const late = flow.total(START + 2 * DAY);
      let sum = flow.total(START);
      for (let at = START; at < START + 2 * DAY; at = flow.next(at)) {
        sum += flow.rate(at) / 12;
        expect(flow.total(flow.next(at))).toBe(sum);
      }
      expect(sum).toBe(late);
    }
  });
});

describe('meters on the wire', () => {
  it('say what the household has taken, and when', () => {
    const { read, clock } = bus(['gas', 'water-cold', 'water-hot', 'heat']);
    clock.now = START + 5 * DAY + 17 * 60_000;
    for (const [i, supply] of (['gas', 'water-cold', 'water-hot'] as const).entries()) {
      const records = read(i + 1);
      expect(value(records, 'volume')).toBe(litres(supply, clock.now));
      expect(value(records, 'dateAndTime')).toBe('2026-01-19T10:17:00');
      expect(value(records, 'date', { storage: 1 })).toBe('2025-12-31');
      expect(value(records, 'volume', { storage: 1 })).toBe(litres(supply, Date.UTC(2025, 11, 31, 23)));
    }
    const heat = read(4);
    expect(heat.find((r) => r.name === 'energy')).toMatchObject({
      value: litres('heat', clock.now),
      scaler: 3,
      unit: 'Wh',
    });
    const spread = (value(heat, 'flowTemperature') as number) - (value(heat, 'returnTemperature') as number);
    expect(Math.abs(spread - (value(heat, 'temperatureDifference') as number))).toBeLessThan(2);
  });

  it('keep their hours and give them over several telegrams', () => {
    const { read, clock } = bus(['gas']);
    clock.now = START + 20 * 60_000;
    const records = read(1, 0x3a);
    const hours = records.filter((r) => r.name === 'volume' && r.storage >= 8);
    expect(hours).toHaveLength(240);
    expect(records.find((r) => r.name === 'dateAndTime' && r.storage === 8)?.value).toBe('2026-01-04T11:00:00');
    for (const [i, r] of hours.entries()) expect(r.value).toBe(litres('gas', START - (239 - i) * HOUR));
    expect(read(1, 0x00).some((r) => r.storage >= 8)).toBe(false);
  });
});

describe('the OCR module', () => {
  it('has a secondary address of its own, and the identifiers that were written at its installation', () => {
    const { read, write, slaves } = bus(['ocr-gas']);
    const own = slaves[0]?.slave.secondary.identification as string;
    const texts = [
      { vif: OCR_IDS.utilitySerial, data: { type: 'text', value: 'U'.repeat(32) } },
      { vif: OCR_IDS.manufacturerSerial, data: { type: 'text', value: 'KROM1234567' } },
      { vif: OCR_IDS.configurationId, data: { type: 'text', value: 'CFG 7' } },
    ] as const;
    expect(write(1, texts)).toBeUndefined();
    const records = read(1);
    expect([
      value(records, 'customer'),
      value(records, 'fabricationNumber'),
      value(records, 'parameterSetIdentification'),
    ]).toEqual(['U'.repeat(32), 'KROM1234567', 'CFG 7']);
    expect(value(records, 'modelVersion')).toBe(`OCR${own}`);
    // 33 characters are one too many; the module's own number is not written.
    expect(write(1, [{ vif: OCR_IDS.utilitySerial, data: { type: 'text', value: 'U'.repeat(33) } }])).toBe(1);
    expect(write(1, [{ vif: OCR_IDS.moduleSerial, data: { type: 'text', value: 'X' } }])).toBe(1);
  });

  it('reads the wheels once an hour, whole litres, and keeps what it saw', () => {
    const { read, clock } = bus(['ocr-gas']);
    clock.now = START + 3 * HOUR + 59 * 60_000;
    const records = read(1);
    const seen = value(records, 'volume') as number;
    expect(Math.abs(seen - litres('gas', START + 3 * HOUR))).toBeLessThanOrEqual(1);
    expect(value(records, 'dateAndTime')).toBe('2026-01-14T13:00:00');
  });

  it('does not believe what it cannot read: the value before stands, and the status says so', () => {
    const ocr = createOcrDevice({
      supply: 'gas',
      identification: '12345678',
      consumption,
      zone: ZONE,
      seed: 4,
      unreadable: 0.4,
    });
    let unread = 0;
    ocr.live(START - HOUR);
    let before = ocr.value ?? 0;
    for (let at = START; at < START + 10 * DAY; at += HOUR) {
      ocr.live(at);
      const now = ocr.value ?? 0;
      expect(now).toBeGreaterThanOrEqual(before);
      if (!ocr.readable) {
        unread++;
        expect([now, ocr.status()]).toEqual([before, 0x10]);
      } else expect(Math.abs(now - litres('gas', at))).toBeLessThanOrEqual(1);
      before = now;
    }
    expect(unread).toBeGreaterThan(40);
    expect(unread).toBeLessThan(160);
  });
});

describe('the gas smart module on the wire', () => {
  it('gives its account by block, and takes commands as records', () => {
    const { read, write, clock, slaves } = bus(['gas-module'], {
      gas: { credit: 1_000_000, parameters: { mode: 'prepayment' } },
    });
    clock.now = START + 3 * DAY;
    const { module } = (slaves[0] as DeviceSlave).device as ReturnType<typeof createGasDevice>;
    const records = read(1);
    expect(value(records, 'volume')).toBe(Math.floor(module.billedVolume / 1000));
    expect(value(records, 'volume', { tariff: 1 })).toBe(Math.floor((module.blocks[0] ?? 0) / 1000));
    expect(records.find((r) => r.name === 'credit')).toMatchObject({
      value: Math.floor(module.credit / 100),
      scaler: -3,
    });
    expect(records.find((r) => r.name.startsWith('debit') && r.tariff === 2)).toMatchObject({
      value: 91_000,
      scaler: -5,
    });

    expect(write(1, [{ vif: GAS_VIF.valve, data: { type: 'integer', octets: 1, value: 0 } }])).toBeUndefined();
    expect(module.valve).toBe('closing');
    const { credit } = module;
    const topUp: RecordToSend[] = [
      { vif: GAS_VIF.credit, data: { type: 'integer', octets: 4, value: 20_000 } },
      { vif: GAS_VIF.transaction, data: { type: 'integer', octets: 4, value: 4711 } },
    ];
    expect([write(1, topUp), module.credit - credit]).toEqual([undefined, 2_000_000]);
    // The same again is refused, and one without its number.
    expect([write(1, topUp), write(1, topUp.slice(0, 1)), module.credit - credit]).toEqual([0, 0, 2_000_000]);
    expect(
      write(1, [{ vif: GAS_VIF.remote, data: { type: 'integer', octets: 1, value: REMOTE.creditMode } }]),
    ).toBeUndefined();
    expect(module.parameters.mode).toBe('credit');
    expect(write(1, [{ vif: [0x3b], data: { type: 'integer', octets: 2, value: 1 } }])).toBe(1);
  });

  it('takes a tariff table, at once or for later, and the time', () => {
    const { write, clock, slaves } = bus(['gas-module']);
    const { module } = (slaves[0] as DeviceSlave).device as ReturnType<typeof createGasDevice>;
    const table: RecordToSend[] = [
      { vif: GAS_VIF.limit, tariff: 1, data: { type: 'bcd', digits: 8, value: 5000 } },
      { vif: GAS_VIF.price, tariff: 1, data: { type: 'integer', octets: 4, value: 12_345 } },
      { vif: GAS_VIF.price, tariff: 2, data: { type: 'integer', octets: 4, value: 23_456 } },
      { vif: GAS_VIF.standing, data: { type: 'integer', octets: 4, value: 777 } },
    ];
    expect(write(1, table)).toBeUndefined();
    expect(module.parameters.tariff).toMatchObject({
      limits: [5_000_000],
      prices: [12_345, 23_456],
      standingCharge: 777,
    });
    const later: RecordToSend = { vif: GAS_VIF.tariffStart, data: { type: 'dateTime', value: '2026-01-15T00:00' } };
    const next = { ...(table[1] as RecordToSend), data: { type: 'integer', octets: 4, value: 1 } } as RecordToSend;
    expect(write(1, [next, later])).toBeUndefined();
    expect(module.parameters.activation).toBe(Date.UTC(2026, 0, 14, 23));
    clock.now = START + DAY;
    expect(write(1, [{ vif: [0x6d], data: { type: 'dateTime', value: '2026-01-15T12:00' } }])).toBeUndefined();
    expect(module.parameters.tariff.prices).toEqual([1]);
    expect(module.clock - clock.now).toBe(2 * HOUR);
    // Two limits and one price: no table.
    expect(write(1, table.slice(0, 1))).toBe(undefined);
    expect(write(1, [table[0] as RecordToSend, table[1] as RecordToSend])).toBe(0);
  });
});

describe('the RF converter', () => {
  it('stands for its radio devices, and says of each when it was heard', () => {
    const { read, clock, slaves } = bus(['rf']);
    expect(slaves).toHaveLength(3);
    clock.now = START + 2 * HOUR + 7 * 60_000;
    const own = read(1);
    expect(value(own, 'fabricationNumber', { subunit: 1 })).toBe(slaves[1]?.device.identity.identification);
    expect(own.find((r) => r.name === 'receptionLevel' && r.subunit === 2)?.value).toBeLessThan(-59);
    const water = read(2);
    expect(Math.abs((value(water, 'volume') as number) - litres('water-cold', START + 2 * HOUR))).toBeLessThanOrEqual(
      1,
    );
    expect(value(water, 'actualityDuration')).toBe(7 * 60);
  });

  it('keeps the hours that it heard; one whose telegram was lost has no value', () => {
    const { read, clock } = bus(['rf']);
    clock.now = START + 10 * DAY;
    const hours = read(3, 0x3a).filter((r) => r.storage >= 8 && r.name === 'volume');
    expect(hours.length).toBeGreaterThan(230);
    const lost = hours.filter((r) => r.missing);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(25);
  });

  it('hands commands on when the device listens, which is after it has sent', () => {
    const gas = createGasDevice(gasModuleOf({ seed: 3, zone: ZONE, start: START }, consumption, 1, 'wireless'));
    const converter = createConverter({
      identification: '00000001',
      radios: [{ device: gas, every: 900 }],
      zone: ZONE,
      seed: 1,
      loss: 0,
    });
    const [proxy] = converter.proxies as [MbusDevice];
    proxy.live(START);
    const data = encodeRecords([{ vif: GAS_VIF.valve, data: { type: 'integer', octets: 1, value: 0 } }]);
    expect(proxy.write(decodeRecords(data, 0, data.length, {}).records)).toBeUndefined();
    proxy.live(START + 899_999);
    expect(gas.module.valve).toBe('open');
    proxy.live(START + 900_000);
    expect(gas.module.valve).toBe('closing');
  });

  it('says when a device is no longer heard', () => {
    const gas = createGasDevice(gasModuleOf({ seed: 3, zone: ZONE, start: START }, consumption, 1, 'wireless'));
    const deaf = createConverter({
      identification: '00000001',
      radios: [{ device: gas, every: 900 }],
      zone: ZONE,
      seed: 1,
      loss: 1,
    });
    deaf.live(START + DAY);
    expect([deaf.status(), deaf.proxies[0]?.records(undefined)]).toEqual([0x10, []]);
  });
});

describe('a bus with trouble on it', () => {
  it('lets slaves at one address talk on top of each other', () => {
    const { say } = bus(['gas', 'water-cold'], { collide: 'primary' });
    // Two acknowledgements are one; two telegrams are none.
    expect(say(encodeShortFrame(0x40, 1))).toEqual(Uint8Array.of(0xe5));
    expect(() => decodeLongFrame(say(encodeShortFrame(0x5b, 1)) ?? new Uint8Array())).toThrow();
  });

  it('has secondary addresses that collide as asked for', () => {
    const same = bus(['gas', 'water-cold', 'heat'], { collide: 'identification' }).slaves.map(
      ({ slave }) => slave.secondary,
    );
    expect(new Set(same.map((s) => s.identification)).size).toBe(1);
    expect(new Set(same.map((s) => s.version)).size).toBe(3);
    const full = bus(['gas', 'water-cold', 'heat'], { collide: 'full' }).slaves;
    expect(new Set(full.map(({ slave }) => JSON.stringify(slave.secondary))).size).toBe(1);
    expect(new Set(full.map(({ device }) => device.fabrication)).size).toBe(3);
  });

  it('has faulty slaves: silent, busy, error, wrong check sum, cut', () => {
    const faults = new Map([
      [1, 'silent'],
      [2, 'busy'],
      [3, 'error'],
      [4, 'checksum'],
      [5, 'cut'],
    ] as const);
    const { say, slaves } = bus(['gas', 'gas', 'gas', 'gas', 'gas'], { faults });
    const ask = (address: number): Uint8Array | undefined => say(encodeShortFrame(0x7b, address));
    expect(say(encodeShortFrame(0x40, 1))).toBeUndefined();
    expect(decodeLongFrame(ask(2) as Uint8Array)).toMatchObject({ controlInformation: 0x70, data: Uint8Array.of(8) });
    expect(decodeLongFrame(ask(3) as Uint8Array)).toMatchObject({ controlInformation: 0x70, data: Uint8Array.of(0) });
    expect(() => decodeLongFrame(ask(4) as Uint8Array)).toThrow(/check sum/);
    expect(() => decodeLongFrame(ask(5) as Uint8Array)).toThrow(/octets/);
    expect(slaves.map(({ fault }) => fault)).toEqual([...faults.values()]);
  });

  it('changes the rate of a slave, which then hears that rate only', () => {
    const { say } = bus(['gas']);
    const change = encodeLongFrame({ control: 0x53, address: 1, controlInformation: 0xbd, data: new Uint8Array() });
    expect(say(change)).toEqual(Uint8Array.of(0xe5));
    expect(say(encodeShortFrame(0x40, 1))).toBeUndefined();
    expect(say(encodeShortFrame(0x40, 1), 9600)).toEqual(Uint8Array.of(0xe5));
  });
});

describe('over the air', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i * 7);
  it.each([
    ['plain', {}],
    ['enciphered', { key }],
    ['enciphered, format B', { key, form: 'B' as const }],
  ])('a gas smart module is heard, %s', (_, how) => {
    const module = gasModuleOf({ seed: 3, zone: ZONE, start: START }, consumption, 1, 'wireless');
    const device = createGasDevice(module);
    device.live(START + HOUR);
    const frame = encodeBeacon(device, { accessNumber: 42, ...how });
    const got: { values: readonly unknown[]; items: readonly { name: string }[]; meterId?: string }[] = [];
    const keys = { candidates: () => [key] };
    const decoder = createWmbusDecoder(
      { reader: 'r', port: 'p', now: () => START, keys } as unknown as Parameters<typeof createWmbusDecoder>[0],
      { message: (m) => got.push(m), drop: (d) => expect(d).toBeUndefined() } as Parameters<
        typeof createWmbusDecoder
      >[1],
    );
    decoder.frame(frame);
    expect(got).toHaveLength(1);
    const [message] = got as [(typeof got)[number]];
    expect(message.meterId).toBe(device.identity.identification);
    expect(message.values[message.items.findIndex(({ name }) => name === 'volume')]).toBe(
      Math.floor(module.billedVolume / 1000),
    );
    if ('key' in how) expect(toHex(frame)).not.toContain(toHex(encodeRecords(device.beacon())).slice(0, 12));
  });
});
