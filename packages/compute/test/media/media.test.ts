import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  airPressure,
  compensate,
  conversionNumber,
  dayStart,
  degreeDays,
  GAS_DAY,
  HDD17,
  meansOfDays,
  mediaDays,
  movesOfDays,
  sumsOfDays,
  timesFactors,
  weatherNormal,
} from '../../src/media/index.ts';
import type { Intervals } from '../../src/series.ts';

const H = 3_600_000;
const ZONE = 'Europe/Berlin';
const T = Date.UTC(2026, 10, 19, 23);
const series = (values: readonly number[], scaler = 0, start = T): Intervals => ({
  start,
  step: H,
  scaler,
  values: Float64Array.from(values),
  quality: new Uint8Array(values.length),
});

describe('gas as energy', () => {
  it('is volume times conversion number times calorific value, exactly', () => {
    // 0.950 m3 × 0.9692 × 11.284 kWh/m3 = 10.38973816 kWh
    const energy = timesFactors(
      series([950], -3),
      [[{ from: 0, mantissa: 9692, scaler: -4 }], [{ from: 0, mantissa: 11284, scaler: -3 }]],
      -3,
    );
    expect([...energy.values]).toEqual([Math.round(0.95 * 0.9692 * 11.284 * 1000)]);
    expect(energy).toMatchObject({ scaler: -3, start: T, step: H });
    expect([...energy.quality]).toEqual([1]);
  });

  it('has the conversion number that bills have', () => {
    // 15 °C, 200 m above the sea, 22 mbar: (273.15 / 288.15) × (992 + 22) / 1013.25
    expect(airPressure(200)).toBe(992);
    expect(conversionNumber({ celsius: 15, ambient: airPressure(200), effective: 22 })).toMatchObject({
      mantissa: 9486,
      scaler: -4,
    });
    expect(conversionNumber({ celsius: 0, ambient: 1013.25, effective: 0 }).mantissa).toBe(10_000);
    expect(() => conversionNumber({ celsius: -300, ambient: 1000, effective: 0 })).toThrow('that gas can have');
  });

  it('splits an interval over a change by time, and knows nothing before the first factor', () => {
    const factor = [
      { from: T + H, mantissa: 10, scaler: 0 },
      { from: T + 2 * H + H / 4, mantissa: 14, scaler: 0 },
    ];
    const energy = timesFactors(series([1, 1, 1, 1]), [factor], -1);
    expect([...energy.values]).toEqual([Number.NaN, 100, 130, 140]);
    expect([...energy.quality]).toEqual([4, 1, 3, 1]);
    expect(() => timesFactors(series([1]), [[...factor].reverse()], 0)).toThrow('in order of time');
    expect(() => timesFactors(series([1]), [[]], 0)).toThrow('at least one value');
    expect(() => timesFactors(series([2 ** 52]), [[{ from: 0, mantissa: 2 ** 40, scaler: 0 }]], 0)).toThrow(
      'too large',
    );
  });

  it('is the same whatever the order of factors, and rounds halves away from zero', () => {
    const step = fc.record({
      mantissa: fc.integer({ min: -2000, max: 2000 }),
      scaler: fc.integer({ min: -4, max: 0 }),
    });
    fc.assert(
      fc.property(step, step, fc.integer({ min: 0, max: 100_000 }), (a, b, volume) => {
        const factors = [[{ from: 0, ...a }], [{ from: 0, ...b }]];
        const [x, y] = [
          timesFactors(series([volume], -3), factors, -3),
          timesFactors(series([volume], -3), [...factors].reverse(), -3),
        ];
        expect(x).toEqual(y);
      }),
      { numRuns: 50 },
    );
    expect(timesFactors(series([1]), [[{ from: 0, mantissa: 15, scaler: -1 }]], 0).values[0]).toBe(2);
    expect(timesFactors(series([1]), [[{ from: 0, mantissa: -15, scaler: -1 }]], 0).values[0]).toBe(-2);
  });

  it('compensates for temperature', () => {
    const warm = compensate(series([1000], -3), series([150], -1));
    expect([...warm.values]).toEqual([Math.round((1000 * 1000 * 273.15) / 288.15)]);
    expect(warm.scaler).toBe(-6);
    expect(compensate(series([1000]), series([Number.NaN])).quality[0]).toBe(4);
    expect(() => compensate(series([1]), series([1, 2]))).toThrow('on one grid');
  });
});

describe('days of media', () => {
  it('begin at 06:00 local time for gas, with 23 and 25 hours where summer time begins and ends', () => {
    const days = mediaDays(ZONE, Date.UTC(2026, 2, 27), Date.UTC(2026, 2, 30), GAS_DAY);
    expect(days.map((d) => [d.day, (d.to - d.from) / H])).toEqual([
      ['2026-03-27', 24],
      ['2026-03-28', 23],
      ['2026-03-29', 24],
    ]);
    const autumn = mediaDays(ZONE, Date.UTC(2026, 9, 24), Date.UTC(2026, 9, 26), GAS_DAY);
    expect(autumn.map((d) => [d.day, (d.to - d.from) / H])).toEqual([
      ['2026-10-24', 25],
      ['2026-10-25', 24],
    ]);
    expect(autumn[0]?.from).toBe(Date.UTC(2026, 9, 24, 4));
    expect(dayStart(ZONE, Date.UTC(2026, 10, 20, 4, 59), GAS_DAY)).toBe(Date.UTC(2026, 10, 19, 5));
    expect(dayStart(ZONE, Date.UTC(2026, 10, 20, 5), GAS_DAY)).toBe(Date.UTC(2026, 10, 20, 5));
  });

  it('follow one another without a hole, whenever they begin', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 3000 }), (hour, day) => {
        const from = Date.UTC(2020, 0, 1) + day * 24 * H;
        const days = mediaDays(ZONE, from, from + 10 * 24 * H, hour);
        for (let i = 1; i < days.length; i++) expect(days[i]?.from).toBe(days[i - 1]?.to);
        for (const d of days) expect(dayStart(ZONE, d.from, hour)).toBe(d.from);
      }),
      { numRuns: 40 },
    );
  });

  it('have sums of intervals and moves of registers', () => {
    const days = mediaDays(ZONE, T, T + 48 * H);
    const hours = series([...new Array(24).fill(2), ...new Array(23).fill(1), Number.NaN]);
    expect(sumsOfDays(hours, days).map((d) => [d.value, d.quality])).toEqual([
      [48, 0],
      [Number.NaN, 4],
    ]);
    const showings = {
      times: Float64Array.of(T + 60_000, T + 23 * H, T + 27 * H, T + 48 * H),
      values: Float64Array.of(1000, 1230, 1250, 1500),
      scaler: -3,
    };
    expect(movesOfDays(showings, days).map((d) => [d.value, d.quality])).toEqual([
      [235, 3],
      [265, 3],
    ]);
    const fallen = { ...showings, values: Float64Array.of(1000, 1230, 20, 300) };
    expect(movesOfDays(fallen, days).map((d) => d.quality)).toEqual([4, 4]);
    expect(movesOfDays({ times: Float64Array.of(T), values: Float64Array.of(1), scaler: 0 }, days)[0]?.quality).toBe(4);
  });

  it('count degrees', () => {
    expect(degreeDays(5)).toBe(15);
    expect(degreeDays(15)).toBe(0);
    expect(degreeDays(14.9)).toBeCloseTo(5.1);
    expect(degreeDays(-3, HDD17)).toBe(20);
    expect(degreeDays(Number.NaN)).toBeNaN();
    const days = mediaDays(ZONE, T, T + 48 * H);
    const means = meansOfDays(
      series([...new Array(24).fill(55), ...new Array(10).fill(10), ...new Array(14).fill(Number.NaN)], -1),
      days,
    );
    expect(means).toEqual([5.5, Number.NaN]);
    expect(weatherNormal(12_000, 3000, 3300, 2000)).toBe(13_000);
    expect(weatherNormal(1, 0, 1)).toBeNaN();
  });
});
