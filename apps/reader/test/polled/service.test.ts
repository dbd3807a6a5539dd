/** Ports that are asked, as the service, the configuration and the command line know them. */
import { virtualClock } from '@amiable/io';
import { afterEach, describe, expect, it } from 'vitest';
import { buildConfig } from '../../src/config/build.ts';
import { faultText } from '../../src/config/faults.ts';
import { portsOfTexts } from '../../src/config/port-text.ts';
import { parseOptions } from '../../src/options.ts';
import { begin, configOf, newFolder, portConfig } from '../service/bench.ts';
import { createLine, mbus, opticalMeter, slave, T0 } from './bench.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe('the service', () => {
  it('asks its meters, tells how they fare, and a new configuration loses nothing of what was begun', async () => {
    const clock = virtualClock(T0);
    const bus = createLine(clock);
    const head = createLine(clock);
    let value = 0;
    mbus(bus, [slave(1, '10000001', () => [++value]), slave(2, '10000002', () => [7, 8, 9])]);
    opticalMeter(head, { mode: 'C', baud: 9600 });
    const config = configOf({
      spool: { folder: newFolder(), maxBytes: 1 << 26, syncInterval: 0 },
      ports: [
        portConfig('/dev/bus', 'bus', { protocol: 'mbus', poll: 60_000, meters: ['1', '2'], baud: 2400, parity: 'E' }),
        portConfig('/dev/head', 'head', { protocol: 'iec62056-21', poll: 30_000 }),
      ],
    });
    const { service, seen, told } = await begin(config, ends, {
      clock,
      makeLink: (setting) => (setting.baud === 300 ? head : bus).make(setting),
    });
    const until = async (done: () => boolean) => {
      while (!done()) {
        await clock.advance(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const busNow = () => service.status().ports.find((port) => port.name === 'bus');
    await until(() => seen.length >= 5);
    expect(service.status().ports).toMatchObject([
      { name: 'bus', state: 'up', counters: { good: 4, dropped: {} }, last: { meterId: '10000002' } },
      { name: 'head', state: 'up', counters: { good: 1, dropped: {} }, last: { meterId: '12345678' } },
    ]);
    expect([...service.latest().keys()].sort()).toEqual(['bus/10000001', 'bus/10000002', 'head/12345678']);
    // In the middle of a round: the second meter has given one telegram of three.
    await until(() => busNow()?.counters.good === 6);
    const applied = service.apply({
      ...config,
      ports: [{ ...config.ports[0]!, poll: 120_000 }, config.ports[1]!],
    });
    let done = false;
    void applied.then(() => {
      done = true;
    });
    await until(() => done);
    await until(() => seen.filter((m) => m.port === 'bus').length >= 10);
    const readings = seen.filter((m) => m.meterId === '10000001').map((m) => Number(m.values[0]));
    // Every reading that the meter has given, in order, none twice.
    expect(readings).toEqual(Array.from({ length: value }, (_, i) => i + 1).slice(0, readings.length));
    expect(seen.filter((m) => m.meterId === '10000002').map((m) => m.values[0])).toEqual(
      expect.arrayContaining([7, 8, 9]),
    );
    // The other port was not touched.
    expect(head.openings).toHaveLength(1);
    expect(bus.openings).toHaveLength(2);
    bus.pull();
    await until(() => busNow()?.state === 'down');
    expect(busNow()?.fault).toMatch(/unplugged|no such device/);
    bus.plug();
    await until(() => busNow()?.state === 'up');
    expect(told.filter((text) => /^bus: .*back$/.test(text))).toHaveLength(1);
    const ending = service.stop(0);
    let over = false;
    void ending.then(() => {
      over = true;
    });
    await until(() => over);
  });
});

describe('settings', () => {
  const built = (settings: Record<string, string>) =>
    buildConfig(new Map(Object.entries({ 'port.1.device': '/dev/ttyUSB0', ...settings })), {
      hostName: 'attic',
      folder: '/tmp',
    });
  it.each([
    [{}, undefined],
    [{ 'port.1.protocol': 'p1' }, undefined],
    [{ 'port.1.protocol': 'mbus' }, 900_000],
    [{ 'port.1.protocol': 'iec62056-21' }, 60_000],
    [{ 'port.1.protocol': 'iec62056-21', 'port.1.wake-up': 'yes' }, 3_600_000],
    [{ 'port.1.protocol': 'iec62056-21', 'port.1.mode': 'D' }, undefined],
    [{ 'port.1.protocol': 'iec62056-21', 'port.1.poll': '0' }, undefined],
    [{ 'port.1.protocol': 'mbus', 'port.1.poll': '5m' }, 300_000],
  ])('%j is asked every %s ms', (settings, poll) => {
    expect(built(settings).config?.ports[0]?.poll).toBe(poll);
  });
  it('mode D is listened to at its one rate', () => {
    expect(built({ 'port.1.protocol': 'iec62056-21', 'port.1.mode': 'D' }).config?.ports[0]).toMatchObject({
      baud: 2400,
      parity: 'N',
      mode: 'D',
    });
  });
  it.each([
    [{ 'port.1.poll': '1m' }, /port\.1\.poll: .*port\.1\.protocol must be iec62056-21, mbus/],
    [{ 'port.1.protocol': 'p1', 'port.1.meters': '1' }, /port\.1\.meters: .*port\.1\.protocol must be mbus/],
    [{ 'port.1.protocol': 'mbus', 'port.1.meters': '1 300' }, /port\.1\.meters: addresses from 0 to 250/],
    [{ 'port.1.protocol': 'iec62056-21', 'port.1.address': '1!' }, /port\.1\.address: ! cannot stand in it/],
  ])('%j is told', (settings, words) => {
    expect(
      built(settings)
        .faults.map((fault) => faultText(fault))
        .join(),
    ).toMatch(words);
  });
  it('stand behind a device on a command line', () => {
    expect(
      portsOfTexts(['/dev/ttyUSB0', '/dev/ttyUSB1,protocol=mbus,poll=5m,meters=1 12345678'], {
        'time-zone': 'Europe/Oslo',
      }),
    ).toMatchObject([
      { name: 'han0', device: '/dev/ttyUSB0', protocol: 'auto', zone: 'Europe/Oslo' },
      { name: 'han1', device: '/dev/ttyUSB1', protocol: 'mbus', poll: 300_000, meters: ['1', '12345678'] },
    ]);
    expect(() => portsOfTexts(['/dev/a', '/dev/b,poll=5m,colour=red'])).toThrow(
      /^-d \/dev\/b,poll=5m,colour=red: colour: there is no such setting; poll: .*protocol must be/,
    );
    expect(() => portsOfTexts(['host:99999'])).toThrow(/^-d host:99999: device: a serial port/);
  });
});

describe('amiable read', () => {
  const options = (given: Record<string, unknown>) => parseOptions({ device: '/dev/ttyUSB0', ...given }, [], 'attic');
  it('asks with --poll', () => {
    expect(options({ protocol: 'mbus', poll: '60', meters: '1 5' }).poll).toMatchObject({
      interval: 60_000,
      meters: ['1', '5'],
    });
    expect(
      options({ protocol: 'iec62056-21', poll: '60', wakeUp: true, address: '77', baud: '4800' }).poll,
    ).toMatchObject({ interval: 60_000, wakeUp: true, address: '77', baud: 4800 });
    expect(options({ protocol: 'mbus' }).poll).toBeUndefined();
    expect(options({ protocol: 'iec62056-21', mode: 'd' }).source).toMatchObject({ parity: 'N', baud: 2400 });
  });
  it.each([
    [{ poll: '60' }, /which protocol shall be asked/],
    [{ poll: '60', protocol: 'p1' }, /which protocol shall be asked/],
    [{ poll: '60', protocol: 'mbus', meters: 'x' }, /--meters x: addresses/],
    [{ poll: '60', protocol: 'iec62056-21', meters: '1' }, /--meters is for --protocol mbus/],
    [{ poll: '60', protocol: 'iec62056-21', mode: 'D' }, /--mode D: such a meter sends by itself/],
    [{ protocol: 'mbus', meters: '1' }, /--meters is for meters that are asked/],
    [{ protocol: 'iec62056-21', mode: 'C' }, /--mode C: such a meter does not speak unasked/],
    [{ poll: '0.01', protocol: 'mbus' }, /at least 0\.1 s/],
    [{ poll: '60', protocol: 'mbus', device: undefined, listen: true }, /--poll asks the meters of a device/],
    [{ dataRequest: true, device: 'host:3001' }, /--data-request is for a serial port/],
    [{ dataRequest: 'cts' }, /--data-request cts: it can be rts, dtr, both/],
  ])('%j is refused', (given, words) => {
    expect(() => options(given)).toThrow(words);
  });
  it.each([
    [true, { rts: true, dtr: true }],
    ['rts', { rts: true, dtr: false }],
    ['DTR', { rts: false, dtr: true }],
  ])('--data-request %s holds %j', (dataRequest, signals) => {
    expect(options({ dataRequest }).signals).toEqual(signals);
  });
});
