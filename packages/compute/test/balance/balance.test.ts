import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BalanceMember,
  balanceOf,
  LOSS_LIMITS,
  type LossDay,
  lineThrough,
  lossFindings,
  medianOf,
  scatterOf,
  tenMinuteMeans,
  totalsOf,
  trendOf,
  voltageWeek,
} from '../../src/balance/index.ts';
import type { Intervals } from '../../src/series.ts';

const Q = 900_000;
const T = Date.UTC(2026, 10, 19, 23);
const series = (values: readonly number[], { scaler = 0, step = Q, start = T, quality = 0 } = {}): Intervals => ({
  start,
  step,
  scaler,
  values: Float64Array.from(values),
  quality: Uint8Array.from(values, (v) => (Number.isNaN(v) ? 4 : quality)),
});
const always = [{ from: 0, to: 1e14, numerator: 1, denominator: 1 }];
const member = (id: string, role: BalanceMember['role'], intervals: Intervals | undefined, spans = always) => ({
  id,
  role,
  intervals,
  spans,
});
const grid = (n: number) => ({ start: T, step: Q, n });
const gap = Number.NaN;

describe('balance of an area', () => {
  it('is what is supplied less what is consumed and with what is produced; what is incomplete says who lacks', () => {
    const found = balanceOf(
      [
        member('trafo', 'supplied', series([1000, 1000, 1000, 1000])),
        member('a', 'consumed', series([4000, 4000, gap, 4000], { scaler: -1 })),
        member('b', 'consumed', series([550, 560, 570, 580], { quality: 3 })),
        member('sun', 'produced', series([0, 100, 100, 100])),
      ],
      grid(4),
    );
    expect(found.scaler).toBe(-1);
    expect([...found.loss]).toEqual([500, 1400, gap, 1200]);
    expect([...found.complete]).toEqual([1, 1, 0, 1]);
    expect([...found.quality]).toEqual([3, 3, 4, 3]);
    expect(found.shares).toEqual([11, 0, 0, 4, 1]);
    expect(found.missing).toEqual([
      { id: 'a', role: 'consumed', count: 1, spans: [{ from: T + 2 * Q, to: T + 3 * Q }] },
    ]);
    expect(totalsOf(found, T, T + 4 * Q)).toEqual({
      from: T,
      to: T + 4 * Q,
      intervals: 4,
      complete: 3,
      supplied: 30_000,
      consumed: 28_900,
      produced: 2000,
      loss: 3100,
      share: 3100 / 32_000,
    });
  });

  it('multiplies by ratios, sums finer intervals, and takes off what is fed back', () => {
    const ct = [{ from: 0, to: 1e14, numerator: 600, denominator: 5 }];
    const found = balanceOf(
      [
        member('trafo', 'supplied', series([10, 10]), ct),
        member('trafo out', 'fedBack', series([1, 0]), ct),
        member('fine', 'consumed', series([100, 200, 300, 100, 100, gap], { step: Q / 3 })),
      ],
      grid(2),
    );
    expect(found.scaler).toBe(0);
    expect([...found.loss]).toEqual([480, gap]);
    const third = balanceOf(
      [member('t', 'supplied', series([10]), [{ from: 0, to: 1e14, numerator: 1, denominator: 3 }])],
      grid(1),
    );
    expect([third.scaler, third.loss[0]]).toEqual([-3, 3333]);
    expect(() => balanceOf([member('hours', 'supplied', series([1], { step: 4 * Q }))], grid(4))).toThrow(
      'meter hours has intervals of 60 min, which do not make up 15 min; give the area a longer period (in seconds: 3600)',
    );
  });

  it('counts a meter for as long as it belongs to the area', () => {
    const until = [{ from: 0, to: T + Q + Q / 2, numerator: 1, denominator: 1 }];
    const since = [{ from: T + Q + Q / 2, to: 1e14, numerator: 1, denominator: 1 }];
    const found = balanceOf(
      [
        member('trafo', 'supplied', series([9, 9, 9])),
        member('old', 'consumed', series([5, 2, gap]), until),
        member('new', 'consumed', series([gap, 3, 6]), since),
        member('never read', 'consumed', undefined, [{ from: T + 5 * Q, to: 1e14, numerator: 1, denominator: 1 }]),
      ],
      grid(3),
    );
    expect([...found.loss]).toEqual([4, 4, 3]);
    expect([...found.quality]).toEqual([0, 3, 0]);
    const nothing = balanceOf(
      [member('trafo', 'supplied', series([9])), member('dark', 'consumed', undefined)],
      grid(1),
    );
    expect(nothing.missing).toMatchObject([{ id: 'dark', count: 1 }]);
    expect(balanceOf([member('a', 'consumed', series([9]))], grid(1)).complete[0]).toBe(0);
  });

  it('does not care for the order of meters, and days make up the whole', () => {
    const value = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
      { weight: 1, arbitrary: fc.constant(gap) },
    );
    const meter = fc.record({
      role: fc.constantFrom('supplied' as const, 'consumed' as const, 'produced' as const),
      values: fc.array(value, { minLength: 8, maxLength: 8 }),
      scaler: fc.integer({ min: -3, max: 0 }),
    });
    fc.assert(
      fc.property(fc.array(meter, { minLength: 1, maxLength: 6 }), (meters) => {
        const all = meters.map(({ role, values, scaler }, k) => member(String(k), role, series(values, { scaler })));
        const [a, b] = [balanceOf(all, grid(8)), balanceOf([...all].reverse(), grid(8))];
        expect(b.loss).toEqual(a.loss);
        expect(b.missing).toEqual(a.missing);
        const whole = totalsOf(a, T, T + 8 * Q);
        const halves = [totalsOf(a, T, T + 3 * Q), totalsOf(a, T + 3 * Q, T + 8 * Q)];
        expect(halves.reduce((n, h) => n + h.loss, 0)).toBe(whole.loss);
        expect(whole.loss).toBe(a.loss.reduce((n, x) => n + (Number.isNaN(x) ? 0 : x), 0));
      }),
      { numRuns: 60 },
    );
  });
});

/** Days with a load that swings and a loss of a share and a constant part. */
function days(n: number, share: (k: number) => number, constant = 0, complete = 96): LossDay[] {
  return Array.from({ length: n }, (_, k) => {
    const supplied = 100_000 + 30_000 * Math.sin(k);
    return {
      day: new Date(Date.UTC(2026, 9, 1) + k * 86_400_000).toISOString().slice(0, 10),
      supplied,
      produced: 0,
      loss: supplied * share(k) + constant,
      intervals: 96,
      complete,
    };
  });
}

describe('losses that stay', () => {
  it('takes one day of much loss for nothing, and a share that stays for a candidate', () => {
    expect(lossFindings(days(14, (k) => (k === 5 ? 0.5 : 0.03)))).toEqual([]);
    expect(lossFindings(days(14, (k) => (k % 2 === 0 ? 0.12 : 0.03)))).toEqual([]);
    const [found, ...more] = lossFindings(days(14, () => 0.03, 8000));
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      kind: 'persistent-loss',
      severity: 'warning',
      firstDay: '2026-10-01',
      lastDay: '2026-10-14',
    });
    expect(found?.numbers).toMatchObject({ days: 14, above: 14, constantWh: 8000 });
    expect(found?.numbers.proportional).toBeCloseTo(0.03, 6);
    expect(found?.sentence).toMatch(
      /^10\.8 % of what comes in is lost, 11\.\d kWh a day .* 8\.0 kWh a day, does not grow with the load/,
    );
    const wrong = lossFindings(days(14, () => 0.2))[0];
    expect(wrong).toMatchObject({
      severity: 'error',
      sentence: expect.stringContaining('grows with the load (20.0 %'),
    });
    expect(
      lossFindings(days(14, () => 0.2).map((d) => ({ ...d, supplied: d.supplied / 1000, loss: d.loss / 1000 }))),
    ).toEqual([]);
  });

  it('tells more consumption than supply, steps, and too little to say', () => {
    expect(lossFindings(days(14, () => -0.05))).toMatchObject([{ kind: 'negative-loss', severity: 'error' }]);
    const step = lossFindings(days(60, (k) => (k < 46 ? 0.02 + 0.002 * Math.cos(k) : 0.055)));
    expect(step).toMatchObject([{ kind: 'step', firstDay: '2026-11-16' }]);
    expect(step[0]?.sentence).toContain('went from 2.0 % (46 days before) to 5.5 % and stays there: 14 of 14 days');
    expect(lossFindings(days(14, () => 0.2, 0, 60))).toMatchObject([
      { kind: 'incomplete', numbers: { complete: 0, needed: LOSS_LIMITS.leastDays } },
    ]);
    expect(lossFindings(days(3, () => 0.2))).toEqual([]);
    expect(lossFindings([])).toEqual([]);
  });

  it('follows a trend and is not led astray by days that are wild', () => {
    const trend = trendOf(days(30, (k) => (k % 7 === 3 ? 0.9 : 0.02 + 0.001 * k)));
    expect(trend?.perMonth).toBeCloseTo(0.03, 3);
    expect(trendOf(days(2, () => 0.1))).toBeUndefined();
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(scatterOf([1, 2, 3, 4, 100])).toBeCloseTo(1.4826, 4);
    expect(
      lineThrough([
        { x: 0, y: 5 },
        { x: 1, y: 7 },
        { x: 2, y: 9 },
        { x: 4, y: 13 },
        { x: 3, y: 500 },
      ]),
    ).toEqual({ slope: 2, intercept: 5 });
  });
});

describe('EN 50160', () => {
  const week = (change: (k: number) => number) => Float64Array.from({ length: 1008 }, (_, k) => change(k));

  it('wants 95 % of the week within 10 %, and all within +10 / -15 %', () => {
    // 5 % of 1,008 are 50.4: 50 may be low, 51 not.
    expect(voltageWeek(week((k) => (k < 50 ? 200 : 230)))).toMatchObject({
      state: 'passed',
      within: 958,
      below: 50,
      outside: 0,
      lowest: 200,
    });
    expect(voltageWeek(week((k) => (k < 51 ? 200 : 230))).state).toBe('failed');
    expect(voltageWeek(week((k) => (k < 1 ? 195 : 230)))).toMatchObject({ state: 'failed', outside: 1 });
    expect(voltageWeek(week((k) => (k < 1 ? 253.1 : 230)))).toMatchObject({ state: 'failed', above: 1, outside: 1 });
    expect(voltageWeek(week((k) => (k < 500 ? 253 : 207))).state).toBe('passed');
  });

  it('does not count what is not there for either side', () => {
    expect(voltageWeek(week((k) => (k < 50 ? gap : 230))).state).toBe('passed');
    const undecided = voltageWeek(week((k) => (k < 51 ? gap : 230)));
    expect(undecided).toMatchObject({ state: 'undecided', present: 957 });
    expect(undecided.sentence).toBe(
      'undecided: 100.00 % of 957 means within 230 V ± 10 %; 0 below, 0 above; 51 of 1008 lack',
    );
    expect(voltageWeek(week((k) => (k < 60 ? 200 : k < 600 ? gap : 230))).state).toBe('failed');
    expect(voltageWeek(new Float64Array(0)).state).toBe('undecided');
  });

  it('makes means of ten minutes out of finer ones', () => {
    const minute = {
      start: 5 * 60_000,
      step: 60_000,
      values: Float64Array.from({ length: 26 }, (_, i) => (i === 20 ? gap : i)),
    };
    expect(tenMinuteMeans(minute)).toEqual({ start: 600_000, values: Float64Array.of(9.5, gap) });
    expect(tenMinuteMeans({ start: 0, step: 420_000, values: new Float64Array(5) }).values).toHaveLength(0);
  });
});
