/** Slaves: when they are asked, what becomes a row, and what happens when they are silent. */
import { describe, expect, it } from 'vitest';
import {
  PROFILE_STATUS as P,
  type SlavePort,
  type SlaveReading,
  type SlaveSettings,
} from '../../src/electricity/index.ts';
import { DAY, events, forward, HOUR, MINUTE, meter, rows, START } from './helpers.ts';

const gas: SlaveSettings = {
  medium: 'gas',
  address: 1,
  baud: 2400,
  obis: '7-0:3.0.0',
  record: { storage: 0, tariff: 0, subunit: 0 },
  scaler: -3,
  unit: 'm3',
  capture: 'daily',
  hasProfile: false,
};
const hourlyKept: SlaveSettings = { ...gas, capture: 'hourly', hasProfile: true };
const hourly: SlaveSettings = { ...gas, capture: 'hourly' };
/** Local midnight after START. */
const MIDNIGHT = START + 12 * HOUR;

/** A slave that counts 1000 an hour; `awake` says whether it answers. */
function port(awake: () => boolean, keeps: boolean) {
  const asked: { channel: number; from: number; to: number; at: number }[] = [];
  const clock = { now: () => 0 };
  const value = (at: number): SlaveReading => ({ at, value: Math.round((at - START) / HOUR) * 1000 });
  const made: SlavePort = {
    fetch(channel, _settings, from, to) {
      asked.push({ channel, from, to, at: clock.now() });
      if (!awake()) return undefined;
      if (!keeps) return [value(to)];
      const readings: SlaveReading[] = [];
      for (let at = from + HOUR; at <= to; at += HOUR) readings.push(value(at));
      return readings;
    },
  };
  return { made, asked, clock };
}

function installed(settings: SlaveSettings, awake: () => boolean = () => true, channel = 0) {
  const p = port(awake, settings.hasProfile);
  const slaves = [undefined, undefined, undefined, undefined] as (SlaveSettings | undefined)[];
  slaves[channel] = settings;
  const m = meter({ slavePort: p.made, parameters: { slaves } });
  p.clock.now = () => m.now;
  return { m, ...p };
}

describe('a daily slave', () => {
  it('is asked once a day, after midnight, each channel a minute later', () => {
    const { m, asked } = installed(gas, () => true, 2);
    m.advance(MIDNIGHT + 3 * DAY);
    expect(asked.map(({ at }) => at)).toEqual([0, 1, 2].map((n) => MIDNIGHT + n * DAY + 7 * MINUTE));
    expect(rows(m, 'slave-3')).toEqual(
      [0, 1, 2].map((n) => ({ at: MIDNIGHT + n * DAY, status: 0, values: [12_000 + n * 24_000] })),
    );
    expect(m.profile('slave-3')).toMatchObject({ capacity: 240, period: 86_400, columns: ['7-0:3.0.0'] });
    expect(m.profile('slave-1').length).toBe(0);
  });

  it('keeps 240 rows', () => {
    const { m } = installed(gas);
    m.advance(MIDNIGHT + 300 * DAY);
    expect(m.profile('slave-1').length).toBe(240);
    expect(m.profile('slave-1').timeOf(239)).toBe(Date.parse('2025-11-10T23:00:00Z'));
  });

  it('that gives no answer has the last value and a mark, and one event each way', () => {
    let awake = true;
    const { m } = installed(gas, () => awake);
    m.advance(MIDNIGHT + HOUR);
    awake = false;
    m.advance(MIDNIGHT + 3 * DAY + HOUR);
    awake = true;
    m.advance(MIDNIGHT + 4 * DAY + HOUR);
    expect(rows(m, 'slave-1').map(({ status, values }) => [status, values[0]])).toEqual([
      [0, 12_000],
      [P.dataNotActual, 12_000],
      [P.dataNotActual, 12_000],
      [P.dataNotActual, 12_000],
      [0, 108_000],
    ]);
    expect(events(m)).toEqual(['slaveSilent1', 'slaveBack1']);
  });

  it('may answer later', () => {
    const { m } = installed(gas, () => false);
    m.advance(MIDNIGHT + HOUR);
    expect(m.profile('slave-1').length).toBe(0);
    m.slaveData(0, [{ at: MIDNIGHT, value: 5, status: 0x04 }]);
    expect(rows(m, 'slave-1')).toEqual([{ at: MIDNIGHT, status: P.slaveAlarm, values: [5] }]);
    // What comes unasked is known, and makes no row.
    m.slaveData(0, [{ at: MIDNIGHT + HOUR, value: 6 }]);
    expect([m.slaveValue(0)?.value, m.profile('slave-1').length]).toEqual([6, 1]);
    expect(events(m)).toEqual([]);
  });

  it('that answers with an old value is not actual', () => {
    const { m } = installed(gas, () => false);
    m.advance(MIDNIGHT + 2 * DAY + HOUR);
    m.slaveData(0, [{ at: MIDNIGHT + DAY, value: 5 }]);
    expect(rows(m, 'slave-1').at(-1)).toMatchObject({ at: MIDNIGHT + 2 * DAY, status: P.dataNotActual });
  });
});

describe('an hourly slave', () => {
  it('that keeps its hours is asked once a day', () => {
    const { m, asked } = installed(hourlyKept);
    m.advance(MIDNIGHT + DAY + HOUR);
    expect(asked).toHaveLength(2);
    const found = rows(m, 'slave-1');
    expect(found).toHaveLength(36);
    for (const [i, row] of found.entries())
      expect(row).toEqual({ at: START + (i + 1) * HOUR, status: 0, values: [(i + 1) * 1000] });
    expect(m.profile('slave-1').period).toBe(3600);
  });

  it('that was silent for a day loses no hour', () => {
    let awake = false;
    const { m } = installed(hourlyKept, () => awake);
    m.advance(MIDNIGHT + DAY + HOUR);
    expect(m.profile('slave-1').length).toBe(0);
    expect(events(m)).toEqual(['slaveSilent1']);
    awake = true;
    m.advance(MIDNIGHT + 2 * DAY + HOUR);
    expect(m.profile('slave-1').length).toBe(60);
    expect(events(m)).toEqual(['slaveSilent1', 'slaveBack1']);
  });

  it('that does not keep them is asked each hour', () => {
    let awake = true;
    const { m, asked } = installed(hourly, () => awake);
    forward(m, 3 * HOUR);
    awake = false;
    forward(m, 2 * HOUR);
    expect(asked.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5].map((n) => START + n * HOUR));
    expect(rows(m, 'slave-1').map(({ status }) => status)).toEqual([0, 0, 0, P.dataNotActual]);
  });
});

describe('slaves and the rest', () => {
  it('their totals stand in the monthly profile', () => {
    const { m } = installed(gas, () => true, 1);
    m.setPowers([1000, 0, 0]);
    expect(m.setParameters({ monthly: ['1.8.0', '2.8.0', '15.8.0', '1.8.1'] })).toEqual({ done: true });
    m.advance(Date.parse('2025-02-01T00:00:00Z'));
    expect(m.profile('monthly').columns).toEqual(['1-0:1.8.0', '1-0:2.8.0', '1-0:15.8.0', '1-0:1.8.1', '7-0:3.0.0']);
    // Of the last fetch, which was the morning before.
    expect(rows(m, 'monthly')[0]?.values.slice(-1)).toEqual([12_000 + 15 * 24_000]);
  });

  it('are not asked while the module is down, and soon after', () => {
    const { m, asked } = installed(gas);
    m.setMains(false);
    m.advance(MIDNIGHT + HOUR);
    m.setMains(true);
    expect(asked).toEqual([]);
    forward(m, 2 * MINUTE);
    expect(asked).toHaveLength(1);
    expect(rows(m, 'slave-1')[0]).toMatchObject({ at: MIDNIGHT, values: [12_000] });
  });

  it('settings have limits, and new ones begin the profile anew', () => {
    const { m } = installed(gas);
    m.advance(MIDNIGHT + HOUR);
    expect(m.profile('slave-1').length).toBe(1);
    expect(m.setParameters({ slaves: [{ ...gas, address: 251 }] })).toMatchObject({ done: false, reason: 'range' });
    expect(m.setParameters({ slaves: [{ ...gas, obis: 'gas' }] })).toMatchObject({ done: false });
    expect(m.setParameters({ slaves: [gas, gas, gas, gas, gas] })).toMatchObject({ done: false });
    expect(m.profile('slave-1').length).toBe(1);
    expect(m.setParameters({ slaves: [{ ...gas, address: 250 }] })).toEqual({ done: true });
    expect(m.profile('slave-1').length).toBe(0);
    const second = installed(gas, () => true, 1);
    second.m.advance(MIDNIGHT + HOUR);
    expect(second.m.profile('slave-2').length).toBe(1);
    expect(second.m.setParameters({ slaves: [gas, undefined] })).toEqual({ done: true });
    expect(second.m.profile('slave-2').length).toBe(0);
    second.m.advance(MIDNIGHT + DAY + HOUR);
    expect([second.m.profile('slave-1').length, second.m.profile('slave-2').length]).toEqual([1, 0]);
  });
});
