/** Energy registers, what the module sees of the meter, identification numbers. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEVICE_STATUS,
  EVENT_TEXTS,
  EVENTS,
  IDENTIFICATIONS,
  meterIdentity,
  PROFILE_STATUS,
  slaveObis,
  variedIdentity,
} from '../../src/electricity/index.ts';
import { DAY, events, forward, HOUR, MINUTE, meter, SECOND, START } from './helpers.ts';

describe('energy registers', () => {
  it('count import, export and the phases’ magnitudes', () => {
    const m = meter();
    m.setPowers([3000, -1000, 500]);
    forward(m, HOUR);
    expect([m.register('1.8.0'), m.register('2.8.0'), m.register('15.8.0')]).toEqual([2500, 0, 4500]);
    m.setPowers([-3000, 500, 500]);
    forward(m, HOUR);
    expect([m.register('1.8.0'), m.register('2.8.0'), m.register('15.8.0')]).toEqual([2500, 2000, 8500]);
    expect(m.registerText('15.8.0')).toBe('000008.500');
  });

  it('count each rate while it is in force', () => {
    const m = meter();
    m.setPowers([1200, 0, 0]);
    m.advance(START + 12 * HOUR);
    // Rate 1 until 22:00, rate 2 after.
    expect([m.register('1.8.1'), m.register('1.8.2')]).toEqual([12_000, 2400]);
    m.setPowers([-600, 0, 0]);
    m.advance(START + 19 * HOUR);
    expect([m.register('2.8.1'), m.register('2.8.2')]).toEqual([600, 3600]);
  });

  it('roll over after 999,999,999 Wh', () => {
    const m = meter({ registers: { '1.8.0': 999_999_999 } });
    m.setPowers([60, 0, 0]);
    expect(m.register('1.8.0')).toBe(999_999_999);
    expect(m.registerText('1.8.0')).toBe('999999.999');
    forward(m, MINUTE);
    expect(m.register('1.8.0')).toBe(0);
    forward(m, MINUTE);
    expect(m.register('1.8.0')).toBe(1);
  });

  it('are seen as of the last read-out, each full minute', () => {
    const m = meter();
    m.setPowers([3600, 0, 0]);
    m.advance(START + 59_999);
    expect(m.register('1.8.0')).toBe(0);
    m.advance(START + MINUTE);
    expect(m.register('1.8.0')).toBe(60);
    m.advance(START + MINUTE + 30 * SECOND);
    // A change between two read-outs does not show through.
    m.setPowers([36_000, 0, 0]);
    expect(m.register('1.8.0')).toBe(60);
    m.advance(START + 2 * MINUTE - 1);
    expect(m.register('1.8.0')).toBe(60);
    m.advance(START + 2 * MINUTE);
    expect(m.register('1.8.0')).toBe(60 + 30 + 300);
  });

  it('pieces of time and load never change the sums', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 * HOUR }), fc.integer({ min: -20_000, max: 20_000 })), {
          maxLength: 30,
        }),
        (steps) => {
          const m = meter();
          let into = 0;
          let out = 0;
          let both = 0;
          for (const [ms, watts] of steps) {
            m.setPowers([watts, 700, -200]);
            forward(m, ms);
            const sum = watts + 500;
            into += Math.max(0, sum) * ms;
            out += Math.max(0, -sum) * ms;
            both += (Math.abs(watts) + 900) * ms;
          }
          m.setPowers([0, 0, 0]);
          forward(m, MINUTE);
          expect(m.register('1.8.0')).toBe(Math.floor(into / HOUR));
          expect(m.register('2.8.0')).toBe(Math.floor(out / HOUR));
          expect(m.register('15.8.0')).toBe(Math.floor(both / HOUR));
          // Each of two rates is cut to whole Wh by itself.
          const rated = m.register('1.8.1') + m.register('1.8.2');
          expect([rated, rated + 1]).toContain(m.register('1.8.0'));
        },
      ),
    );
  });

  it('stand still where a phase has no voltage and where the premises are disconnected', () => {
    const m = meter();
    m.setPowers([1000, 1000, 1000]);
    m.setVoltages([230, 230, 0]);
    forward(m, HOUR);
    expect(m.register('1.8.0')).toBe(2000);
    m.setVoltages(undefined);
    expect(m.pressButton()).toEqual({ done: true });
    expect(m.powers).toEqual([0, 0, 0]);
    forward(m, HOUR);
    expect(m.register('1.8.0')).toBe(2000);
  });

  it('give an S0 pulse for each 2 Wh of import', () => {
    const m = meter({ config: { interface: 's0' } });
    m.setPowers([7200, 0, 0]);
    forward(m, SECOND - 1);
    expect(m.outputs).toEqual({ relay: undefined, pulses: 0 });
    forward(m, 1);
    expect(m.outputs.pulses).toBe(1);
    forward(m, HOUR - SECOND);
    expect(m.outputs.pulses).toBe(3600);
    m.setPowers([-7200, 0, 0]);
    forward(m, HOUR);
    expect(m.outputs.pulses).toBe(3600);
  });
});

describe('power-quality registers', () => {
  it('show voltages as RMS over 5 seconds, once a minute', () => {
    const m = meter();
    m.advance(START + MINUTE - 2500);
    m.setVoltages([200, 230, 240]);
    m.advance(START + MINUTE - 1);
    expect(m.powerQuality.voltages).toEqual([230, 230, 230]);
    m.advance(START + MINUTE);
    const [u1, u2, u3] = m.powerQuality.voltages;
    expect(u1).toBeCloseTo(Math.sqrt((230 ** 2 + 200 ** 2) / 2), 6);
    expect(u2).toBeCloseTo(230, 9);
    expect(u3).toBeCloseTo(Math.sqrt((230 ** 2 + 240 ** 2) / 2), 6);
    m.advance(START + 2 * MINUTE);
    expect(m.powerQuality.voltages).toEqual([200, 230, 240]);
  });

  it('add up several changes within the 5 seconds, of each phase', () => {
    const m = meter();
    m.advance(START + MINUTE - 4000);
    m.setVoltages([200, 210, 220]);
    m.advance(START + MINUTE - 2000);
    m.setVoltages([240, 250, 200]);
    m.advance(START + MINUTE);
    for (const [phase, [a, b]] of [
      [200, 240],
      [210, 250],
      [220, 200],
    ].entries()) {
      const mean = (230 ** 2 + 2 * (a as number) ** 2 + 2 * (b as number) ** 2) / 5;
      expect(m.powerQuality.voltages[phase]).toBeCloseTo(Math.sqrt(mean), 9);
    }
  });

  it('show the current of single-phase meters only', () => {
    const single = meter({ config: { type: 'single-phase' } });
    single.setPowers([2300, 999, 999]);
    forward(single, MINUTE);
    expect(single.powerQuality.current).toBeCloseTo(10, 9);
    expect(single.register('1.8.0')).toBe(38);
    expect(single.powerQuality.voltages).toEqual([230, 0, 0]);
    expect(meter().powerQuality.current).toBeUndefined();
  });

  it('carry the error of the measurement, at most 2 %', () => {
    const m = meter({ config: { voltageErrorPercent: -2 } });
    forward(m, MINUTE);
    expect(m.powerQuality.voltages[0]).toBeCloseTo(225.4, 9);
    expect(() => meter({ config: { voltageErrorPercent: 2.1 } })).toThrow(/accuracy is 2 %/);
    const own = meter({ identity: { ...meterIdentity(1), voltageErrorPercent: 1, driftPpm: 20 } });
    forward(own, DAY);
    expect(own.powerQuality.voltages[0]).toBeCloseTo(232.3, 9);
    expect(own.clock.utc - own.now).toBe(1728);
    for (let n = 0; n < 200; n++) {
      const { driftPpm = 99, voltageErrorPercent = 99 } = variedIdentity(n, 5);
      expect(Math.abs(driftPpm)).toBeLessThanOrEqual(20);
      expect(Math.abs(voltageErrorPercent)).toBeLessThanOrEqual(1);
    }
  });

  it('are given in volts and watts that can be', () => {
    const m = meter();
    for (const bad of [Number.NaN, -1, 1001]) expect(() => m.setVoltages([230, 230, bad])).toThrow(/voltages/);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1e6 + 1])
      expect(() => m.setPowers([bad, 0, 0])).toThrow(/powers/);
    // The most, for as long as one may ask: nothing is rounded away.
    m.setPowers([1e6, 0, 0]);
    m.desynchronise();
    m.advance(START + 4000 * DAY);
    expect(m.register('1.8.0')).toBe((1e6 * 24 * 4000) % 1e9);
    expect(m.register('1.8.1') + m.register('1.8.2')).toBe(m.register('1.8.0'));
  });
});

describe('the device status', () => {
  it('has a bit for each thing that it tells', () => {
    const D = DEVICE_STATUS;
    const m = meter({ config: { module: 'gprs', extraInput: 'alert' } });
    expect(m.deviceStatus).toBe(0);
    for (const [act, bits] of [
      [() => m.setError('critical'), D.criticalError],
      [() => m.setError('fatal'), D.fatalError],
      [() => m.setError('none'), 0],
      [() => m.setAlertInput(true), D.alert],
      [() => m.setAlertInput(false), 0],
      [() => m.setVoltages([119, 120, 230]), D.phase1Missing],
      [() => m.setVoltages([120, 119, 119]), D.phase2Missing | D.phase3Missing],
      [() => m.setVoltages(undefined), 0],
      [() => m.pressButton(), D.disconnected],
      [() => m.setDisconnecterMode('remote'), D.disconnected | D.remoteMode],
      [() => m.remoteReconnect(), D.disconnected | D.remoteMode | D.localConnectionEnabled],
      [() => m.pressButton(), D.remoteMode],
      [() => m.setDisconnecterMode('local'), 0],
      [() => m.advance(START + 10 * HOUR), D.rate2 | D.controlOutput],
      [() => m.desynchronise(), D.rate2 | D.clockDesynchronised],
      [() => m.setClock(START + 180 * DAY), D.dst],
    ] as const) {
      act();
      expect(m.deviceStatus).toBe(bits);
    }
  });
});

describe('event numbers', () => {
  it('are each of one event with one text', () => {
    const numbers = Object.values(EVENTS);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Object.keys(EVENT_TEXTS).map(Number)).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(Object.values(EVENT_TEXTS)).size).toBe(numbers.length);
  });
});

describe('docs/virtual-meter.md', () => {
  it('has the numbers, texts and bits of the program', () => {
    const text = readFileSync(new URL('../../../../docs/virtual-meter.md', import.meta.url), 'utf8');
    const cells = text.split('\n').flatMap((line) => {
      const found = /^\| (\d+) \| (.*) \|$/.exec(line);
      return found ? [[found[1], found[2]]] : [];
    });
    for (const [number, words] of Object.entries(EVENT_TEXTS)) expect(cells).toContainEqual([number, words]);
    const bit = (words: Readonly<Record<string, number>>, i: number): string => {
      const name = Object.keys(words).find((key) => words[key] === 1 << i);
      return name ? `\`${name}\`` : '';
    };
    for (let i = 0; i < 16; i++)
      expect(cells).toContainEqual([String(i), `${bit(PROFILE_STATUS, i)} | ${bit(DEVICE_STATUS, i)}`]);
  });
});

describe('identification numbers', () => {
  it('are read, and written where they may be', () => {
    const m = meter();
    expect(m.identification('meter-serial')).toBe('AMI99000001');
    expect(m.writeIdentification('meter-serial', 'X')).toMatchObject({ done: false, reason: 'read-only' });
    expect(m.writeIdentification('utility-serial-2.1', '12345678')).toEqual({ done: true });
    expect(m.identification('utility-serial-2.1')).toBe('12345678');
    expect(m.writeIdentification('utility-serial-2.1', '123456789')).toMatchObject({ done: false, reason: 'range' });
    expect(m.writeIdentification('utility-serial-2.2', 'Ä')).toMatchObject({ done: false, reason: 'range' });
    expect(m.identification('utility-serial-2.2')).toBe('');
    expect(() => meter({ identity: { utilitySerial: 'x'.repeat(25), meterSerial: '', moduleSerial: '' } })).toThrow(
      /24 characters/,
    );
  });

  it('the parameterisation id is 0 to 255, and writing it makes a PLC module NEW and unlocked', () => {
    const m = meter();
    m.plcHeard();
    m.plcRegistered();
    expect(m.plcState).toBe('registered');
    for (const bad of ['256', '-1', '01', 'a', '', '1000'])
      expect(m.writeIdentification('parameterisation-id', bad)).toMatchObject({ done: false, reason: 'range' });
    expect(m.plcState).toBe('registered');
    for (const good of ['0', '255']) {
      expect(m.writeIdentification('parameterisation-id', good)).toEqual({ done: true });
      expect(m.identification('parameterisation-id')).toBe(good);
    }
    expect(m.plcState).toBe('new-unlocked');
    expect(events(m)).toEqual(['parameterisationIdChanged', 'parameterisationIdChanged']);
    const gprs = meter({ config: { module: 'gprs' } });
    gprs.writeIdentification('parameterisation-id', '9');
    expect(gprs.plcState).toBe('registered');
  });

  it('of slaves have 32 and 16 characters and codes by medium and channel', () => {
    const m = meter();
    expect(m.writeSlaveIdentification(3, 'utility-serial', 'u'.repeat(32))).toEqual({ done: true });
    expect(m.slaveIdentification(3, 'utility-serial')).toHaveLength(32);
    expect(m.writeSlaveIdentification(3, 'utility-serial', 'u'.repeat(33))).toMatchObject({ reason: 'range' });
    expect(m.writeSlaveIdentification(0, 'ocr-serial', 'u'.repeat(17))).toMatchObject({ reason: 'range' });
    expect(m.writeSlaveIdentification(4, 'ocr-serial', 'u')).toMatchObject({ reason: 'unknown' });
    expect(slaveObis('utility-serial', 'gas', 0)).toBe('7-0:0.0.0');
    expect(slaveObis('manufacturer-serial', 'water-hot', 3)).toBe('9-3:0.0.9');
    expect(slaveObis('ocr-serial', 'heat', 2)).toBe('0-2:96.1.0');
    expect(IDENTIFICATIONS['module-firmware']).toMatchObject({ obis: '1-1:0.2.0', maxLength: 3, baseName: 0xff00 });
  });
});
