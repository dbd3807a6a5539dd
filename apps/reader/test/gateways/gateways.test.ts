import { type AddressInfo, connect, createServer } from 'node:net';
import { systemClock, virtualClock } from '@amiable/io';
import { Aedes } from 'aedes';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { buildConfig } from '../../src/config/build.ts';
import type { ReaderConfig } from '../../src/config/types.ts';
import { entityOf, spoken } from '../../src/gateways/entities.ts';
import { discovery, startHomeAssistant, states } from '../../src/gateways/home-assistant.ts';
import { createGateways } from '../../src/gateways/index.ts';
import { answerPdu, devicesOfPort, startModbus, takeFrames } from '../../src/gateways/modbus.ts';
import { healthCauses, metricsText } from '../../src/gateways/prometheus.ts';
import {
  BASE,
  COMMON,
  END,
  METER_FLOAT,
  METER_INTEGER,
  OTHER_METERS,
  OTHER_MODEL,
  REGISTERS,
  registersOf,
} from '../../src/gateways/sunspec.ts';
import { createLiveValues, isSilent, type LiveDevice } from '../../src/gateways/values.ts';
import { type Fake, fakeService, LIST_1, LIST_3, message, NOW, TELEGRAM } from './fake.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function config(more: Record<string, string> = {}): ReaderConfig {
  const given = { reader: 'attic', 'port.1.device': '/dev/a', 'port.2.device': '/dev/b', 'port.2.name': 'p1', ...more };
  const built = buildConfig(new Map(Object.entries(given)), { hostName: 'pi', folder: '/' });
  expect(built.faults).toEqual([]);
  return built.config as ReaderConfig;
}
const device = (fake: Fake, id: string): LiveDevice => {
  const values = createLiveValues(fake);
  const found = values.devices.get(id);
  values.close();
  return found as LiveDevice;
};
const has = (value: string, of: LiveDevice) => of.values.get(value)?.value;

describe('live values', () => {
  it('keep the registers while short lists come', () => {
    const fake = fakeService(config(), [LIST_3]);
    const values = createLiveValues(fake);
    fake.say(LIST_1);
    const meter = values.devices.get('6970631400000066') as LiveDevice;
    expect(has('activePowerImport', meter)).toBe(4321);
    expect(has('activeEnergyImport', meter)).toBe(5_431_234);
    expect([...meter.values.keys()]).not.toContain('meterId');
  });

  it('know meters behind the meter, and leave lists of history out', () => {
    const values = createLiveValues(fakeService(config(), [TELEGRAM]));
    expect([...values.devices.values()].map(({ id, medium, parent }) => [id, medium, parent])).toEqual([
      ['E0034', 'electricity', undefined],
      ['G0001', 'gas', 'E0034'],
      ['W/1 ü', 'water', 'E0034'],
    ]);
    expect([...(values.devices.get('E0034')?.values.keys() ?? [])]).toEqual([
      'activeEnergyImportRate1',
      'activeEnergyImportRate2',
      'activePowerNet',
    ]);
  });

  it('call a meter behind the meter by what it counts, though its type and its valve are told first or alone', () => {
    const behind = (channel: number, type: number, ...counts: string[]) => {
      const more = { channel, deviceId: `D${channel}` };
      return [
        [`0-${channel}:24.1.0`, 'deviceType', undefined, 0, type, more],
        [`0-${channel}:24.4.0`, 'valveState', undefined, 0, 1, more],
        ...counts.map((name) => [`0-${channel}:24.2.1`, name, 'm3', -3, 1000, more]),
      ] as never[];
    };
    const telegram = message(
      [...behind(1, 3, 'gasVolumeUncorrected'), ...behind(2, 7, 'waterVolume'), ...behind(3, 3), ...behind(4, 2)],
      { protocol: 'p1', meterId: 'E0034' },
    );
    const fake = fakeService(config(), [telegram]);
    const values = createLiveValues(fake);
    expect([...values.devices.values()].map(({ id, medium }) => [id, medium])).toEqual([
      ['D1', 'gas'],
      ['D2', 'water'],
      ['D3', 'gas'],
      ['D4', 'electricity'],
    ]);
    const gas = values.devices.get('D1') as LiveDevice;
    const volume = gas.values.get('gasVolumeUncorrected');
    expect(volume && entityOf(volume.item, volume.value, gas.medium)?.deviceClass).toBe('gas');
    const type = gas.values.get('deviceType');
    expect(type && entityOf(type.item, type.value, gas.medium)).toEqual({ shift: 0, disabled: true, diagnostic: true });
  });

  it('wait for the name of a meter before one is called after its port', () => {
    const fake = fakeService(config());
    const values = createLiveValues(fake);
    const { meterId: _, ...anonymous } = LIST_1;
    const ids = () => [...values.devices.keys()];
    fake.say(anonymous);
    fake.say({ ...anonymous, receivedAt: NOW + 59_000 });
    expect(ids()).toEqual([]);
    fake.say({ ...anonymous, receivedAt: NOW + 60_000 });
    expect(ids()).toEqual(['han0']);
    fake.say({ ...LIST_3, receivedAt: NOW + 61_000 });
    fake.say({ ...anonymous, receivedAt: NOW + 62_000 });
    expect(ids()).toEqual(['6970631400000066']);
  });

  it('never hold what was refused, and are bounded', () => {
    const fake = fakeService(config());
    const values = createLiveValues(fake);
    fake.say({ ...LIST_1, flags: ['checksumBad'] });
    fake.say({ ...LIST_1, error: { reason: 'wrongKey' } });
    expect(values.devices.size).toBe(0);
    for (let i = 0; i < 1000; i++) fake.say({ ...LIST_1, meterId: String(i) });
    expect(values.devices.size).toBe(200);
  });

  it('tell M-Bus records apart by storage, tariff and function, and the medium by the device type', () => {
    const mbus = message(
      [
        ['', 'volume', 'm3', -3, 1000],
        ['', 'volume', 'm3', -3, 900, { storage: 1 }],
        ['', 'volumeFlow', 'm3/h', -3, 20, { function: 'maximum' }],
      ].map(([, ...rest]) => ['', ...rest]) as never,
      { protocol: 'mbus', meterType: 'Water', meterId: '12345678' },
    );
    const water = device(
      fakeService(config(), [{ ...mbus, items: mbus.items.map(({ obis: _, ...item }) => item) }]),
      '12345678',
    );
    expect(water.medium).toBe('water');
    expect([...water.values.keys()]).toEqual(['volume', 'volume_storage1', 'volumeFlow_maximum']);
    const [now, before] = [...water.values.values()].map((value) => entityOf(value.item, value.value, water.medium));
    expect(now).toEqual({ deviceClass: 'water', stateClass: 'total_increasing', unit: 'm³', shift: 0 });
    expect(before).toEqual({ deviceClass: 'water', unit: 'm³', shift: 0, disabled: true });
  });
});

describe('Home Assistant', () => {
  it('gets what its energy dashboard asks for', () => {
    const fake = fakeService(config(), [LIST_3, TELEGRAM]);
    const form = (id: string, key: string) => {
      const of = device(fake, id);
      const value = of.values.get(key);
      return value && entityOf(value.item, value.value, of.medium);
    };
    expect(form('6970631400000066', 'activeEnergyImport')).toEqual({
      deviceClass: 'energy',
      stateClass: 'total_increasing',
      unit: 'kWh',
      shift: 3,
    });
    expect(form('E0034', 'activeEnergyImportRate2')).toEqual({
      deviceClass: 'energy',
      stateClass: 'total_increasing',
      unit: 'kWh',
      shift: 3,
    });
    expect(form('6970631400000066', 'activePowerImport')).toEqual({
      deviceClass: 'power',
      stateClass: 'measurement',
      unit: 'W',
      shift: 0,
    });
    expect(form('6970631400000066', 'voltageL2')).toEqual({
      deviceClass: 'voltage',
      stateClass: 'measurement',
      unit: 'V',
      shift: 0,
    });
    expect(form('G0001', 'gasVolume')).toEqual({
      deviceClass: 'gas',
      stateClass: 'total_increasing',
      unit: 'm³',
      shift: 0,
    });
    expect(form('W/1 ü', 'waterVolume')).toEqual({
      deviceClass: 'water',
      stateClass: 'total_increasing',
      unit: 'm³',
      shift: 0,
    });
    const heat = { name: 'heatEnergy', unit: 'J', scaler: 6 } as const;
    expect(entityOf(heat, 12, 'heat')).toEqual({
      deviceClass: 'energy',
      stateClass: 'total_increasing',
      unit: 'MJ',
      shift: 6,
    });
    expect(entityOf({ name: 'activeEnergyNet', unit: 'Wh', scaler: 0 }, 12, 'electricity')?.stateClass).toBe('total');
  });

  it('gets exact numbers and names for people', () => {
    const meter = device(fakeService(config(), [LIST_3]), '6970631400000066');
    expect(JSON.parse(states(meter))).toMatchObject({
      activePowerImport: 948,
      activeEnergyImport: 5431.234,
      voltageL1: 238.5,
      currentL1: 3.104,
    });
    expect(states(meter)).toContain('"activeEnergyImport":5431.234');
    expect(spoken({ name: 'activePowerImportL1', scaler: 0 }, 'activePowerImportL1')).toBe('Active power import L1');
    expect(spoken({ name: 'voltageL2', scaler: 0, between: 'L1-L3' }, 'voltageL2')).toBe('Voltage L1-L3');
    expect(spoken({ name: 'activeEnergyImportRate1', scaler: 0 }, 'activeEnergyImportRate1')).toBe(
      'Active energy import rate1',
    );
    expect(spoken({ name: 'volume', scaler: 0, storage: 1 }, 'volume_storage1')).toBe('Volume storage1');
  });

  it('topics and ids carry no letter that would break them', () => {
    const fake = fakeService(config(), [TELEGRAM]);
    const { topic, payload } = discovery(
      device(fake, 'W/1 ü'),
      'waterVolume',
      { shift: 0 },
      {
        config: { connection: {} as never, prefix: 'homeassistant', base: 'amiable/attic/ha', interval: 0 },
        reader: 'attic',
      },
    );
    expect(topic).toBe('homeassistant/sensor/amiable_W_1__/waterVolume/config');
    expect(payload).toMatchObject({
      unique_id: 'amiable_W_1___waterVolume',
      object_id: 'w_1___watervolume',
      default_entity_id: 'sensor.w_1___watervolume',
      state_topic: 'amiable/attic/ha/W_1__/state',
      value_template: "{{ value_json['waterVolume'] }}",
      device: { name: 'Water meter W/1 ü', via_device: 'amiable_E0034' },
    });
  });

  it('hears everything through a broker, again when it starts anew, and that the reader went', async () => {
    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle as never);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise<void>((resolve) => broker.close(() => server.close(() => resolve()))));
    const retained = new Map<string, string>();
    let count = 0;
    let wake = () => {};
    broker.on('publish', (packet, client) => {
      if (!client) return;
      expect(packet.retain).toBe(true);
      retained.set(packet.topic, packet.payload.toString());
      count++;
      wake();
    });
    const until = async (done: () => boolean) => {
      while (!done()) await new Promise<void>((resolve) => (wake = resolve));
    };
    const { port } = server.address() as AddressInfo;
    const { gateways } = config({
      'mqtt.1.host': '127.0.0.1',
      'mqtt.1.port': String(port),
      'homeassistant.enabled': 'yes',
      'homeassistant.interval': 'live',
    });
    const fake = fakeService(config(), [LIST_3]);
    const values = createLiveValues(fake);
    const clock = virtualClock(NOW);
    const gateway = await startHomeAssistant({
      config: gateways.homeAssistant as never,
      reader: 'attic',
      values,
      clock,
      tell: () => {},
    });
    const state = 'amiable/attic/ha/6970631400000066/state';
    await until(() => retained.has(state));
    expect(retained.get('amiable/attic/ha/availability')).toBe('online');
    expect(retained.get('amiable/attic/ha/6970631400000066/availability')).toBe('online');
    expect(
      JSON.parse(retained.get('homeassistant/sensor/amiable_6970631400000066/activeEnergyImport/config') ?? ''),
    ).toMatchObject({
      device_class: 'energy',
      state_class: 'total_increasing',
      unit_of_measurement: 'kWh',
    });
    fake.say(LIST_1);
    await until(() => (retained.get(state) ?? '').includes('4321'));
    expect(JSON.parse(retained.get(state) ?? '')).toMatchObject({
      activePowerImport: 4321,
      activeEnergyImport: 5431.234,
    });
    const before = count;
    broker.publish(
      { cmd: 'publish', topic: 'homeassistant/status', payload: 'online', qos: 0, retain: false, dup: false },
      () => {},
    );
    await until(() => count >= before + 15);
    await clock.advance(20 * 60_000);
    await until(() => retained.get('amiable/attic/ha/6970631400000066/availability') === 'offline');
    await gateway.close(true);
    expect(retained.get('homeassistant/sensor/amiable_6970631400000066/activeEnergyImport/config')).toBe('');
    expect(retained.get('amiable/attic/ha/availability')).toBe('offline');
  });

  it('lets only the newest of a topic wait while the broker takes its time', async () => {
    const held: (() => void)[] = [];
    const taken: string[] = [];
    let wake = () => {};
    let holds = false;
    const broker = await Aedes.createBroker({
      authorizePublish(client, packet, done) {
        if (client && packet.topic.endsWith('/state')) taken.push(packet.payload.toString());
        if (client && holds) held.push(() => done(null));
        else done(null);
        wake();
      },
    });
    const server = createServer(broker.handle as never);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise<void>((resolve) => broker.close(() => server.close(() => resolve()))));
    const until = async (done: () => boolean) => {
      while (!done()) await new Promise<void>((resolve) => (wake = resolve));
    };
    const { gateways } = config({
      'mqtt.1.host': '127.0.0.1',
      'mqtt.1.port': String((server.address() as AddressInfo).port),
      'homeassistant.enabled': 'yes',
      'homeassistant.interval': 'live',
    });
    const fake = fakeService(config(), [LIST_3]);
    const gateway = await startHomeAssistant({
      config: gateways.homeAssistant as never,
      reader: 'attic',
      values: createLiveValues(fake),
      clock: virtualClock(NOW),
      tell: () => {},
    });
    await until(() => taken.length === 1);
    holds = true;
    for (let watts = 1; watts <= 100; watts++) fake.say(message([['1-0:1.7.0', 'activePowerImport', 'W', 0, watts]]));
    await until(() => held.length === 1);
    holds = false;
    held[0]?.();
    await until(() => taken.at(-1)?.includes(':100,') === true || taken.at(-1)?.includes(':100}') === true);
    expect(taken.length).toBeLessThanOrEqual(4);
    await gateway.close();
  });
});

describe('Modbus TCP', () => {
  const picture = (id: string, others: readonly LiveDevice[] = [], now = NOW) =>
    registersOf({
      meter: device(fakeService(config(), [LIST_3, TELEGRAM]), id),
      others,
      reader: 'attic',
      version: '0.1.0',
      unit: 1,
      now,
    });
  const at = (registers: Uint16Array, address: number) => registers[address - BASE] as number;
  const int = (registers: Uint16Array, address: number) => (at(registers, address) << 16) >> 16;
  const long = (registers: Uint16Array, address: number) =>
    at(registers, address) * 0x1_0000 + at(registers, address + 1);
  const float = (registers: Uint16Array, address: number) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, long(registers, address));
    return view.getFloat32(0);
  };

  it('is a chain of SunSpec models that ends', () => {
    const map = picture('6970631400000066');
    expect([at(map, BASE), at(map, BASE + 1)]).toEqual([0x5375, 0x6e53]);
    const chain: number[][] = [];
    let address = COMMON;
    while (at(map, address) !== 0xffff) {
      chain.push([address, at(map, address), at(map, address + 1)]);
      address += 2 + at(map, address + 1);
    }
    expect(chain).toEqual([
      [40_002, 1, 66],
      [40_070, 203, 105],
      [40_177, 213, 124],
      [40_303, OTHER_MODEL, 164],
    ]);
    expect([address, END + 2 - BASE, map.length]).toEqual([END, REGISTERS, 471]);
    expect([METER_INTEGER, METER_FLOAT, OTHER_METERS]).toEqual([40_070, 40_177, 40_303]);
  });

  it('has the values of the meter as integers with scale factors and as floats', () => {
    const map = picture('6970631400000066');
    const m = METER_INTEGER + 2;
    expect([0, 1, 2, 3, 4].map((i) => int(map, m + i))).toEqual([500, 310, 100, 90, -2]);
    expect([5, 6, 7, 8, 9, 13].map((i) => int(map, m + i))).toEqual([2387, 2385, 2390, 2386, -32_768, -1]);
    expect(int(map, m + 14)).toBe(-32_768); // frequency: not implemented
    expect([16, 17, 20].map((i) => int(map, m + i))).toEqual([948, -32_768, 0]);
    expect([long(map, m + 36), long(map, m + 44), int(map, m + 52)]).toEqual([716, 5_431_234, 0]);
    expect(long(map, m + 70)).toBe(111_698);
    const f = METER_FLOAT + 2;
    expect(float(map, f)).toBeCloseTo(5, 5);
    expect(float(map, f + 26)).toBe(948);
    expect(float(map, f + 24)).toBeNaN();
    expect([float(map, f + 58), float(map, f + 66)]).toEqual([716, 5_431_234]);
  });

  it('adds rates up, knows net power, and shows gas and water', () => {
    const values = createLiveValues(fakeService(config(), [TELEGRAM]));
    const { meter, others } = devicesOfPort(values, 'p1');
    const map = registersOf({
      ...(meter ? { meter } : {}),
      others,
      reader: 'attic',
      version: '0.1.0',
      unit: 2,
      now: NOW + 7000,
    });
    expect(int(map, METER_INTEGER + 2 + 16)).toBe(-120);
    expect(long(map, METER_INTEGER + 2 + 44)).toBe(3500);
    const o = OTHER_METERS + 2;
    expect([long(map, o), at(map, o + 2)]).toEqual([7, 2]);
    expect([at(map, o + 4), long(map, o + 4 + 11)]).toEqual([1, 1_234_567]);
    expect([at(map, o + 24), long(map, o + 24 + 11), at(map, o + 44)]).toEqual([2, 872_234, 0xffff]);
  });

  it('takes gauges away that are old, and keeps registers', () => {
    const map = picture('6970631400000066', [], NOW + 301_000);
    expect(int(map, METER_INTEGER + 2 + 16)).toBe(-32_768);
    expect(long(map, METER_INTEGER + 2 + 44)).toBe(5_431_234);
  });

  it('has the whole map where nothing was read yet', () => {
    const map = registersOf({ others: [], reader: 'attic', version: '0.1.0', unit: 1, now: NOW });
    expect([map.length, at(map, END), at(map, METER_INTEGER), long(map, OTHER_METERS + 2)]).toEqual([
      REGISTERS,
      0xffff,
      201,
      0xffff_ffff,
    ]);
  });

  it('chooses the scale factor in which a large value fits', () => {
    const big = device(
      fakeService(config(), [message([['1-0:1.7.0', 'activePowerImport', 'W', 0, 43_210]])]),
      '6970631400000066',
    );
    const map = registersOf({ meter: big, others: [], reader: 'attic', version: '0.1.0', unit: 1, now: NOW });
    expect([int(map, METER_INTEGER + 18), int(map, METER_INTEGER + 22)]).toEqual([4321, 1]);
  });

  const pdu = (code: number, start: number, count: number) =>
    Uint8Array.of(code, start >> 8, start & 255, count >> 8, count & 255);
  const registers = (unit: number) => (unit <= 1 || unit === 255 ? new Uint16Array(REGISTERS).fill(7) : undefined);

  it.each<[string, number, Uint8Array, number[]]>([
    ['function 3', 1, pdu(3, BASE, 2), [3, 4, 0, 7, 0, 7]],
    ['function 4', 255, pdu(4, END + 1, 1), [4, 2, 0, 7]],
    ['writing', 1, pdu(6, BASE, 1), [0x86, 1]],
    ['an address below', 1, pdu(3, BASE - 1, 1), [0x83, 2]],
    ['an address above', 1, pdu(3, END + 1, 2), [0x83, 2]],
    ['nothing', 1, pdu(3, BASE, 0), [0x83, 3]],
    ['too much', 1, pdu(3, BASE, 126), [0x83, 3]],
    ['a request cut', 1, Uint8Array.of(3, 0), [0x83, 3]],
    ['an unknown unit', 2, pdu(3, BASE, 1), [0x83, 10]],
  ])('%s', (_, unit, request, answer) => {
    expect([...answerPdu(unit, request, registers)]).toEqual(answer);
  });

  it('answers the same however the bytes are cut, and ends who speaks otherwise', () => {
    const frame = (id: number, request: Uint8Array) => Buffer.from([0, id, 0, 0, 0, 1 + request.length, 1, ...request]);
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }), fc.nat(30), (ids, size) => {
        const bytes = Buffer.concat(ids.map((id) => frame(id, pdu(3, BASE + id, 2))));
        let rest: Buffer | undefined = Buffer.alloc(0);
        const answers: number[] = [];
        for (let i = 0; i < bytes.length && rest; i += size + 1)
          rest = takeFrames(Buffer.concat([rest, bytes.subarray(i, i + size + 1)]), registers, (answer) =>
            answers.push(answer[1] as number),
          );
        expect(answers).toEqual(ids);
        expect(rest?.length).toBe(0);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const rest = takeFrames(Buffer.from(bytes), registers, (answer) =>
          expect(answer.length).toBeLessThanOrEqual(260),
        );
        if (rest) expect(rest.length).toBeLessThan(260);
      }),
    );
  });

  it('serves clients over TCP, so many and no more', async () => {
    const values = createLiveValues(fakeService(config(), [LIST_3]));
    const gateway = await startModbus({
      config: { host: '127.0.0.1', port: 0, maxClients: 1 },
      reader: 'attic',
      version: '0.1.0',
      values,
      ports: () => ['han0'],
      clock: systemClock,
      tell: () => {},
    });
    ends.push(() => gateway.close());
    const first = connect(gateway.port, '127.0.0.1');
    first.on('error', () => {});
    ends.push(() => first.destroy());
    first.write(Buffer.from([0, 9, 0, 0, 0, 6, 1, 3, 0x9c, 0x40, 0, 2]));
    const answer = await new Promise<Buffer>((resolve) => first.once('data', resolve));
    expect([...answer]).toEqual([0, 9, 0, 0, 0, 7, 1, 3, 4, 0x53, 0x75, 0x6e, 0x53]);
    const second = connect(gateway.port, '127.0.0.1');
    second.on('error', () => {});
    await new Promise((resolve) => second.once('close', resolve));
    expect(gateway.status()).toMatchObject({ state: 'up', count: 1, clients: 1 });
  });
});

describe('Prometheus', () => {
  it('tells the state of the reader and what the meters say', () => {
    const fake = fakeService(config({ 'mqtt.1.host': 'broker.lan' }), [LIST_3, TELEGRAM]);
    const values = createLiveValues(fake);
    const text = metricsText({
      status: fake.status(),
      gateways: [],
      devices: values.devices.values(),
      version: '0.1.0',
      causes: [],
      resident: 5,
    });
    for (const line of [
      'amiable_reader_info{version="0.1.0",reader="attic"} 1',
      'amiable_reader_port_messages_total{port="han0",result="good"} 118',
      'amiable_reader_port_refused_total{port="han0",cause="checksum"} 2',
      'amiable_reader_uplink_waiting_messages{uplink="mqtt"} 3',
      'amiable_meter_watts{meter="6970631400000066",port="han0",medium="electricity",name="activePowerImport",obis="1-0:1.7.0"} 948',
      'amiable_meter_cubic_metres_total{meter="G0001",port="p1",medium="gas",name="gasVolume",obis="0-1:24.2.1"} 1234.567',
    ])
      expect(text.split('\n')).toContain(line);
    // Each family is told once, and has all its lines behind it.
    const seen = new Set<string>();
    for (const line of text.trim().split('\n')) {
      const name = /^# TYPE (\S+) (gauge|counter)$/.exec(line)?.[1];
      if (name) expect(seen.has(name)).toBe(false);
      if (name) seen.add(name);
      else if (!line.startsWith('#')) expect([...seen].at(-1)).toBe(/^\w+/.exec(line)?.[0]);
    }
    expect(metricsText({ gateways: [], version: '0', causes: ['x'], resident: 5 })).not.toContain('amiable_meter');
  });

  it('health names its causes', () => {
    const fake = fakeService(config({ 'mqtt.1.host': 'broker.lan' }));
    expect(healthCauses(fake.status(), [])).toEqual([]);
    const [port] = fake.state.ports;
    fake.state.ports = [
      { ...(port as NonNullable<typeof port>), state: 'down', fault: '/dev/a: there is no such file or device' },
    ];
    expect(
      healthCauses(
        { ...fake.status(), ports: [{ ...(port as NonNullable<typeof port>), state: 'up', silentFor: 12 * 60_000 }] },
        [],
      ),
    ).toEqual(['port han0: it is open, but no message came for 12 min; is the cable in the meter?']);
    fake.state.uplinks = fake.state.uplinks.map((uplink) => ({ ...uplink, state: 'down' as const }));
    expect(healthCauses(fake.status(), [{ name: 'm', state: 'down', count: 0, fault: 'Modbus TCP: taken' }])).toEqual([
      'port han0: /dev/a: there is no such file or device',
      'uplink mqtt: the other side does not answer',
      'Modbus TCP: taken',
    ]);
    expect(healthCauses(undefined, [])).toEqual(['the reader is not set up yet']);
  });
});

describe('gateways together', () => {
  it('begin, change and end with the configuration, and try again what could not start', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    ends.push(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    const clock = virtualClock(NOW);
    const told: string[] = [];
    const fake = fakeService(config(), [LIST_3]);
    const gateways = createGateways({ service: fake, clock, tell: (line) => told.push(line), version: '0.1.0' });
    ends.push(() => gateways.close());
    await gateways.apply(config());
    expect(gateways.status()).toEqual([]);
    const modbus = config({ 'modbus.enabled': 'yes', 'modbus.port': String(port) });
    await gateways.apply(modbus);
    expect(gateways.status()).toMatchObject([{ name: 'Modbus TCP', state: 'down' }]);
    // Tried again, and not told again.
    await clock.advance(15_000);
    await gateways.apply(modbus);
    expect(told).toEqual([expect.stringMatching(/^Modbus TCP.*Trying again$/)]);
    const free = { ...modbus, gateways: { modbus: { host: '127.0.0.1', port: 0, maxClients: 8 } } };
    await gateways.apply(free);
    expect(gateways.status()).toMatchObject([
      { name: expect.stringMatching(/^Modbus TCP 127.0.0.1:\d+$/), state: 'up' },
    ]);
    await gateways.apply(config());
    expect(gateways.status()).toEqual([]);
  });
});

it('a device is silent when it was so for three times its custom, and five minutes at least', () => {
  const meter = device(fakeService(config(), [LIST_3]), '6970631400000066');
  expect([isSilent(meter, NOW + 300_000), isSilent(meter, NOW + 300_001)]).toEqual([false, true]);
  expect(isSilent({ ...meter, gap: 3_600_000 }, NOW + 3 * 3_600_000)).toBe(false);
});
