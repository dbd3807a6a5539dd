/** Registers integrate power exactly; the past is the same whatever way it is asked for; a year looks like a household. */
import { describe, expect, test } from 'vitest';
import { findModel, type Model } from '../src/han/models.ts';
import { history } from '../src/history.ts';
import type { House } from '../src/house/house.ts';
import { zeroSum } from '../src/house/noise.ts';
import { createVirtualMeter } from '../src/index.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function meter(name: string, seed = 11, more: { car?: boolean; solar?: boolean } = {}) {
  return createVirtualMeter({ seed, street: 4, zone: 'Europe/Oslo', model: findModel(name) as Model, ...more });
}

function integral(house: House, from: number, to: number): number[] {
  const out = new Float64Array(5);
  const sums = [0, 0, 0, 0];
  for (let at = from; at < to; at += 2000) {
    house.instantInto(at, out);
    const [power, a, b, c, vars] = out as unknown as [number, number, number, number, number];
    if (a + b + c !== power) throw new Error(`phases do not make up the sum at ${at}`);
    sums[power > 0 ? 0 : 1]! += Math.abs(power) * 2;
    sums[vars > 0 ? 2 : 3]! += Math.abs(vars) * 2;
  }
  return sums;
}

test('zeroSum adds up to nothing', () => {
  for (let group = 0; group < 500; group++)
    for (const n of [3, 4, 5, 6, 60]) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += zeroSum(9, group, i, n, 1 + (group % 97));
      expect(sum).toBe(0);
    }
});

describe('registers are the integral of power', () => {
  const cases = [
    ['MA105H2E', {}, Date.UTC(2018, 0, 9, 22)],
    ['MA304H3E', { car: true }, Date.UTC(2018, 1, 17, 15)],
    ['MA304H4', { car: true, solar: true }, Date.UTC(2023, 5, 20, 3)],
    ['Aidon-6525', {}, Date.UTC(2018, 2, 24, 23)],
  ] as const;
  for (const [name, more, from] of cases)
    test(name, () => {
      const { house } = meter(name, 11, more);
      for (const [start, end] of [
        [from, from + 5 * HOUR],
        [from + 1234_000, from + 1234_000 + 62 * 60_000],
        [from + 40_000, from + 46_000],
      ] as const) {
        const before = house.registers(start);
        const after = house.registers(end);
        expect([
          after.import - before.import,
          after.export - before.export,
          after.reactiveImport - before.reactiveImport,
          after.reactiveExport - before.reactiveExport,
        ]).toEqual(integral(house, start, end));
      }
    });

  test('whoever asks first, and between ticks', () => {
    const at = Date.UTC(2023, 3, 3, 3, 33, 33);
    const early = meter('MA304H4', 5, { solar: true }).house;
    const late = meter('MA304H4', 5, { solar: true }).house;
    late.registers(at + 40 * DAY);
    late.minutes(Math.floor(at / DAY) + 3);
    expect(early.registers(at)).toEqual(late.registers(at));
    const [a, b, c] = [0, 500, 1000].map((ms) => early.registers(at + ms).import) as [number, number, number];
    expect(b - a).toBeCloseTo(c - b, 6);
  });

  test('they never run backwards', () => {
    const { house } = meter('MA304H4', 21, { solar: true });
    let last = house.registers(Date.UTC(2018, 11, 31, 22));
    for (let at = Date.UTC(2018, 11, 31, 22); at < Date.UTC(2019, 0, 1, 2); at += 7000) {
      const now = house.registers(at);
      for (const key of ['import', 'export', 'reactiveImport', 'reactiveExport'] as const)
        expect(now[key]).toBeGreaterThanOrEqual(last[key]);
      last = now;
    }
  });
});

describe('history', () => {
  // Clocks change within the span.
  const to = Date.UTC(2018, 9, 30, 9, 17, 23);
  for (const name of ['MA304H3E', 'MA105H2E', 'Aidon-6534', 'Kamstrup-6841'])
    test(`${name} goes over into live frames`, () => {
      const m = meter(name);
      const from = to - 6 * DAY;
      const series = [...history(m, from, to, { minuteDays: 3, sourceDays: 0.25 })];
      const of = (obis: string, period: number) =>
        series.find((s) => s.register.obis.endsWith(`:${obis}`) && s.register.period === period);
      const timeOf = (s: (typeof series)[number], i: number): number =>
        s.times ? (s.times[i] as number) : (s.start as number) + i * (s.step as number);

      // Sent values: exactly what frames would have carried, and nothing that the live meter will send again.
      const sent = of('1.7.0', 0);
      if (!sent) throw new Error('no source values');
      const emissions = [...m.frames(timeOf(sent, 0), to)].filter((e) => e.list !== 3 || !m.model.schedule.snapshot);
      expect(sent.values.length).toBe(emissions.length);
      for (let i = 0; i < emissions.length; i += 97) {
        const truth = emissions[i]?.message(true);
        const at = truth?.items.findIndex((item) => item.name === 'activePowerImport') ?? -1;
        expect(timeOf(sent, i)).toBe(emissions[i]?.at);
        expect(sent.values[i]).toBe(truth?.values[at]);
      }

      // Registers: list 3 by list 3, the last one before `to`.
      const energy = of('1.8.0', 0);
      if (!energy) throw new Error('no registers');
      const threes = [...m.frames(from, to, { lists: new Set([3] as const) })];
      expect(energy.values.length).toBe(threes.length);
      threes.forEach((emission, i) => {
        const truth = emission.message(true);
        const at = truth.items.findIndex((item) => item.name === 'activeEnergyImport');
        expect(energy.values[i]).toBe(truth.values[at]);
        expect(timeOf(energy, i)).toBe(truth.times?.[at] ?? truth.time);
      });

      // Means of power are the energy.
      const minutes = of('1.7.0', 60);
      const quarters = of('1.7.0', 900);
      if (!minutes || !quarters) throw new Error('no means');
      expect(timeOf(minutes, minutes.values.length)).toBeLessThanOrEqual(to);
      expect(minutes.values.some(Number.isNaN)).toBe(false);
      const hour = Math.ceil((from + DAY) / HOUR) * HOUR;
      const i = (hour - (quarters.start as number)) / 900_000;
      const mean = [0, 1, 2, 3].reduce((sum, k) => sum + (quarters.values[i + k] as number), 0) / 4;
      const wh = (m.house.registers(hour + HOUR).import - m.house.registers(hour).import) / 3600;
      expect(Math.abs(mean - wh)).toBeLessThanOrEqual(1);
      // Minutes and quarters tell the same story.
      const k = (hour + 3 * DAY - (minutes.start as number)) / 60_000;
      const fifteen = [...minutes.values.slice(k, k + 15)].reduce((a, b) => a + b, 0) / 15;
      const quarter = quarters.values[(hour + 3 * DAY - (quarters.start as number)) / 900_000] as number;
      expect(Math.abs(fifteen - quarter)).toBeLessThanOrEqual(1);
    });

  test('nothing is invented before the first meter', () => {
    expect(() => [...history(meter('MA304H3E'), Date.UTC(2017, 0, 1), Date.UTC(2017, 0, 2))]).toThrow(/2018-01-01/);
  });
});

describe('a year looks like a household', () => {
  const year = [Date.UTC(2018, 0, 1), Date.UTC(2019, 0, 1)] as const;
  for (const [name, low, high] of [
    ['MA105H2E', 3000, 14_000],
    ['MA304H3E', 5000, 32_000],
    ['Aidon-6534', 5000, 32_000],
  ] as const)
    test(`${name} uses ${low} to ${high} kWh`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const { house } = meter(name, seed);
        const kWh = (house.registers(year[1]).import - house.registers(year[0]).import) / 3.6e6;
        expect(kWh).toBeGreaterThan(low);
        expect(kWh).toBeLessThan(high);
      }
    });

  test('panels give in summer, not at night, and a share of what they could', () => {
    const { house } = meter('MA304H4', 2, { solar: true });
    const gave = (from: number, to: number): number =>
      (house.registers(to).export - house.registers(from).export) / 3.6e6;
    const june = gave(Date.UTC(2023, 5, 1), Date.UTC(2023, 6, 1));
    const december = gave(Date.UTC(2023, 11, 1), Date.UTC(2024, 0, 1));
    expect(june).toBeGreaterThan(150);
    expect(december).toBeLessThan(30);
    expect(gave(Date.UTC(2023, 5, 10, 22), Date.UTC(2023, 5, 11, 0))).toBe(0);
    expect(gave(Date.UTC(2023, 3, 1), Date.UTC(2024, 3, 1))).toBeLessThan(
      1100 * ((house.profile.solar?.peak ?? 0) / 1000),
    );
  });

  test('winter takes more than summer, and voltage falls with load', () => {
    const m = meter('MA304H3E', 6);
    const used = (month: number): number =>
      m.house.registers(Date.UTC(2018, month + 1, 1)).import - m.house.registers(Date.UTC(2018, month, 1)).import;
    expect(used(0)).toBeGreaterThan(1.3 * used(6));
    const power = new Float64Array(5);
    const net = new Float64Array(6);
    const at = Date.UTC(2018, 0, 5, 12);
    power.set([300, 100, 100, 100, 0]);
    m.grid.into(at, power, net);
    const light = net[0] as number;
    power.set([9300, 9100, 100, 100, 0]);
    m.grid.into(at, power, net);
    expect(light - (net[0] as number)).toBeGreaterThan(5);
    for (let i = 0; i < 3; i++) expect(net[i]).toBeGreaterThan(200);
  });
});
