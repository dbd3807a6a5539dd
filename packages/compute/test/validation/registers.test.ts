import { add } from '@amiable/calendar';
import { describe, expect, it } from 'vitest';
import { foundInRegister as found, places, showings, T0, ZONE } from './helpers.ts';

const DAY = 86_400_000;
const NONE = Number.NaN;
/** Local midnights. */
const days = (n: number) => Array.from({ length: n }, (_, d) => add('day', ZONE, T0, d));
const months = (n: number) => Array.from({ length: n }, (_, m) => add('month', ZONE, T0, m));
const daily = (values: number[], scaler = 0) => showings(days(values.length), values, scaler);
const monthly = (values: number[]) => showings(months(values.length), values);

describe('the matrix of registers', () => {
  it.each<[string, object, [number, number][]]>([
    ['missing', {}, [[2, 3]]],
    ['anything', {}, [[0, 5]]],
    ['not-missing', {}, [[0, 5]]],
    ['zero', {}, [[3, 4]]],
    ['higher-than', { limit: 120 }, [[4, 5]]],
    ['higher-than', { limit: '0.12 kWh' }, [[4, 5]]],
    ['lower-than', { limit: 105 }, [[0, 1]]],
    [
      'higher-than-reference',
      {},
      [
        [1, 2],
        [3, 4],
        [4, 5],
      ],
    ],
    ['higher-than-reference', { percent: 10 }, [[4, 5]]],
    ['lower-than-reference', {}, [[0, 1]]],
    ['higher-than-previous', {}, [[4, 5]]],
    ['lower-than-previous', {}, [[3, 4]]],
    ['user', { formula: 'use > 25 Wh' }, [[4, 5]]],
    ['user', { formula: 'value > 1.1 * reference and previous_use = 0' }, [[4, 5]]],
    ['user', { formula: 'use > max(use) - 1 Wh' }, [[4, 5]]],
  ])('%s %j', (check, more, expected) => {
    expect(places(found({ check, ...more }, daily([100, 110, NONE, 110, 150]), { reference: 105 }))).toEqual(expected);
  });

  it('compares a consumption itself', () => {
    const of = (check: string, values: number[], more: object = {}) =>
      places(found({ check, ...more }, daily(values), { kind: 'consumption' }));
    expect(of('higher-than-previous', [10, 12, 12, 5])).toEqual([[1, 2]]);
    expect(of('higher-than-previous', [10, 12, 12, 5], { percent: 20 })).toEqual([]);
    expect(of('lower-than-previous', [10, 12, 12, 5])).toEqual([[3, 4]]);
    expect(of('zero', [10, 0, 12])).toEqual([[1, 2]]);
    expect(of('falling', [10, 5])).toEqual([]);
  });

  it('compares with the month and the year before, of its own and of the source', () => {
    const use = [0, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 130, 90];
    let sum = 0;
    const register = monthly(
      use.map((u) => {
        sum += u;
        return sum;
      }),
    );
    const of = (check: string, source?: number[]) =>
      places(found({ check }, register, source ? { source: Float64Array.from(source) } : {}));
    expect(of('higher-than-previous-month')).toEqual([[13, 14]]);
    expect(of('lower-than-previous-month')).toEqual([[14, 15]]);
    expect(of('higher-than-previous-year')).toEqual([[13, 14]]);
    expect(of('lower-than-previous-year')).toEqual([[14, 15]]);
    // What the meter sent a month and a year ago was less than what is believed now.
    const source = [...register.values].map((v, i) => (i === 1 || i === 12 ? v - 20 : v));
    expect(of('higher-than-previous-year-source', source)).toEqual([[13, 14]]);
    expect(of('higher-than-previous-month-source', source)).toEqual([
      [2, 3],
      [13, 14],
    ]);
    expect(of('lower-than-previous-month-source', source)).toEqual([
      [3, 4],
      [14, 15],
    ]);
    expect(of('lower-than-previous-year-source', source)).toEqual([[14, 15]]);
    const [hit] = found({ check: 'higher-than-previous-year', percent: 25 }, register);
    expect(hit?.sentence).toBe(
      "130 Wh at 2027-02-01 00:00 is higher by more than 25 % than the previous year's value, 100 Wh at 2026-02-01 00:00",
    );
  });

  it('takes what was measured for the source, where nobody says what the source is', () => {
    const shown = { ...monthly([0, 100, 200, 310]), quality: Uint8Array.of(0, 0, 3, 0) };
    expect(found({ check: 'higher-than-previous-month' }, shown)).toHaveLength(1);
    expect(found({ check: 'higher-than-previous-month-source' }, shown)).toEqual([]);
  });

  it('counts what was due', () => {
    const times = days(6).filter((_, d) => d !== 2 && d !== 3);
    const hits = found({ check: 'missing' }, showings(times, [1, 2, 3, 4]), { period: 'day' });
    expect(places(hits)).toEqual([[2, 3]]);
    expect(hits[0]?.numbers).toEqual({ missing: 2 });
    const noon = times.map((t) => t + DAY / 2);
    expect(found({ check: 'missing' }, showings(noon, [1, 2, 3, 4]), { period: 'day' })[0]?.numbers).toEqual({
      missing: 2,
    });
    // A day of 23 hours is a day.
    const spring = Array.from({ length: 4 }, (_, d) => add('day', ZONE, Date.UTC(2026, 2, 27, 23), d));
    expect(found({ check: 'missing' }, showings(spring, [1, 2, 3, 4]), { period: 'day' })).toEqual([]);
  });

  it('refuses a formula with time in it, and a limit that is power', () => {
    expect(found({ check: 'user', formula: 'mean(use, day) > 0' }, daily([1, 2]))).toEqual([]);
    expect(() => found({ check: 'higher-than', limit: '17 kW' }, daily([1, 2]))).toThrow(/the check "maximum"/);
  });
});

describe('counters', () => {
  it('never fall, but for a rollover', () => {
    const values = [999_980, 999_995, 10, 30, 25, 40];
    expect(places(found({ check: 'falling' }, daily(values)))).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(places(found({ check: 'falling' }, daily(values), { rollover: 1e6 }))).toEqual([[4, 5]]);
    const [over] = found({ check: 'rollover', severity: 'info' }, daily(values), { rollover: 1e6 });
    expect(over).toMatchObject({ from: 2, to: 3, usable: true, numbers: { before: 999_995, value: 10, use: 15 } });
    expect(over?.sentence).toMatch(
      /^the register rolled over from 1,000 kWh at .* its digits end at 1,000 kWh, the use is 15 Wh$/,
    );
    const [fell] = found({ check: 'falling' }, daily(values), { rollover: 1e6 });
    expect(fell?.sentence).toBe(
      'the register fell from 30 Wh at 2026-01-08 00:00 to 25 Wh at 2026-01-09 00:00, by 5 Wh; a counter never falls',
    );
    expect(fell?.usable).toBe(false);
  });
  it('stand on the last showing that is there', () => {
    expect(places(found({ check: 'falling' }, daily([10, NONE, 9])))).toEqual([[2, 3]]);
    expect(places(found({ check: 'falling' }, daily([10, NONE, 9]), { from: 2 }))).toEqual([[2, 3]]);
  });
  it('count no more than can flow', () => {
    const hits = found({ check: 'maximum', limit: '10 kW' }, daily([0, 240, 481, 482], 3));
    expect(places(hits)).toEqual([[2, 3]]);
    expect(hits[0]?.sentence).toBe(
      '241 kWh in 24 h up to 2026-01-07 00:00 is more than the maximum of 10 kW, 240 kWh in this time',
    );
    expect(places(found({ check: 'maximum', limit: 240 }, daily([0, 240, 481, 482])))).toEqual([[2, 3]]);
    expect(places(found({ check: 'maximum', limit: '50 Wh' }, daily([999_980, 10, 30]), { rollover: 1e6 }))).toEqual(
      [],
    );
  });
  it('of rates make the total; ratios agree; the log is heard', () => {
    const rates = [
      { name: 'a', showings: daily([1, 2, 3]) },
      { name: 'b', showings: daily([1, 2, 7]) },
    ];
    expect(places(found({ check: 'rates-sum' }, daily([2, 4, 6]), { rates }))).toEqual([[2, 3]]);
    expect(found({ check: 'multiplier' }, daily([2, 4]), { multiplier: 40, sourceMultiplier: 60 })).toHaveLength(1);
    expect(found({ check: 'multiplier' }, daily([2, 4]), { multiplier: 60, sourceMultiplier: 60 })).toEqual([]);
    const meter = { events: [{ from: T0 + DAY + 5, to: T0 + DAY + 5, event: 'communication-error' }] };
    expect(places(found({ check: 'event', events: ['communication-error'] }, daily([2, 4, 6]), { meter }))).toEqual([
      [2, 3],
    ]);
  });
});
