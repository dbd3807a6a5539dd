import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dependents, QUALITY, shareOut, type VeeInput, vee } from '../../src/index.ts';
import { DAY, daysOfQuarters, H, MONDAY, Q, series, showings, whole, ZONE } from './helpers.ts';

const sum = (values: ArrayLike<number>, from = 0, to = values.length): number => {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i] as number;
  return total;
};
const run = (values: readonly (number | null)[], rows: [number, number][], more: Partial<VeeInput> = {}) => {
  const intervals = series(values);
  return vee({ intervals, ...whole(intervals), zone: ZONE, showings: showings(rows), ...more });
};

describe('scaling to registers', () => {
  it('brings estimates alone to what is left of the difference', () => {
    // 75 + 350 + 100 = 525 by line; the register says 560.
    const result = run(
      [75, null, null, null, null, 100],
      [
        [MONDAY, 5000],
        [MONDAY + 6 * Q, 5560],
      ],
    );
    expect(Array.from(result.intervals.values)).toEqual([75, 88, 94, 99, 104, 100]);
    expect(sum(result.intervals.values)).toBe(560);
    expect(result.estimates[0]?.scaled).toBe(true);
    expect(result.estimates[0]?.sentence).toContain("brought to the register's difference of 560");
  });
  it('shares equally where estimates are nothing', () => {
    const result = run(
      [0, null, null, null, 0],
      [
        [MONDAY, 0],
        [MONDAY + 5 * Q, 8],
      ],
    );
    expect(Array.from(result.intervals.values)).toEqual([0, 3, 3, 2, 0]);
  });
  it('goes never below zero, and reports it with the numbers', () => {
    const rows: [number, number][] = [
      [MONDAY, 0],
      [MONDAY + 3 * Q, 120],
    ];
    const result = run([75, null, 100], rows);
    expect(Array.from(result.intervals.values)).toEqual([75, 0, 100]);
    expect(result.flags[0]?.check).toBe('negative-estimate');
    expect(result.flags[0]?.numbers).toEqual({ difference: 120, actual: 175, excess: 55 });
    const balance = run([75, null, 100], rows, { consumption: false });
    expect(Array.from(balance.intervals.values)).toEqual([75, -55, 100]);
  });
  it('shares what nothing else could estimate', () => {
    const result = run(
      [null, null, null, null],
      [
        [MONDAY, 10],
        [MONDAY + 4 * Q, 21],
      ],
    );
    expect(Array.from(result.intervals.values)).toEqual([3, 3, 3, 2]);
    expect(result.estimates[0]?.method).toBe('distribute-cumulative-value');
    expect(result.flags).toEqual([]);
  });
  it('knows a finer register, a coarser one and a ratio', () => {
    const intervals = series([75, null, 100]);
    const rows = showings(
      [
        [MONDAY, 50_000],
        [MONDAY + 3 * Q, 52_655],
      ],
      -1,
    );
    const finer = vee({ intervals, ...whole(intervals), zone: ZONE, showings: rows });
    expect(finer.intervals.scaler).toBe(-1);
    expect(Array.from(finer.intervals.values)).toEqual([750, 905, 1000]);
    const coarser = vee({
      intervals,
      ...whole(intervals),
      zone: ZONE,
      showings: { ...rows, scaler: 1 },
      multiplier: 0.01,
    });
    expect(sum(coarser.intervals.values)).toBe(266);
  });
  it('does not scale across a fall, to a bad reading, or to an estimated one', () => {
    const values = [75, null, 100];
    const rows: [number, number][] = [
      [MONDAY, 5000],
      [MONDAY + 3 * Q, 20],
    ];
    expect(run(values, rows).estimates[0]?.scaled).toBe(false);
    const good: [number, number][] = [
      [MONDAY, 5000],
      [MONDAY + 3 * Q, 5300],
    ];
    const bad = {
      rule: 'r',
      check: 'maximum',
      severity: 'error',
      sentence: '',
      numbers: {},
      action: 'unchanged',
      usable: false,
    } as const;
    const checks = { registers: () => [{ ...bad, from: MONDAY + 3 * Q, to: MONDAY + 3 * Q }] };
    expect(run(values, good).estimates[0]?.scaled).toBe(true);
    expect(run(values, good, { checks }).estimates[0]?.scaled).toBe(false);
    const made = { ...showings(good), quality: Uint8Array.of(0, QUALITY.estimated) };
    expect(run(values, [], { showings: made }).estimates[0]?.scaled).toBe(false);
  });
  it('leaves alone what a rule has set', () => {
    const finding = {
      rule: 'r',
      check: 'missing',
      severity: 'warning',
      from: MONDAY + Q,
      to: MONDAY + 2 * Q,
      sentence: '',
      numbers: {},
      action: 'zero',
      usable: false,
    } as const;
    const rows: [number, number][] = [
      [MONDAY, 0],
      [MONDAY + 5 * Q, 300],
    ];
    const result = run([75, null, 50, null, 100], rows, { checks: { intervals: () => [finding] } });
    expect(Array.from(result.intervals.values)).toEqual([75, 0, 50, 75, 100]);
  });
});

describe('register readings that lack', () => {
  const wanted = Float64Array.of(MONDAY + 2 * Q);
  it('are the one before and the intervals since', () => {
    const [made] = run([10, 20, 30, 40], [[MONDAY, 500]], { wanted }).registers;
    expect(made?.value).toBe(530);
    expect(made?.sentence).toBe('500 at 2026-01-05 00:00 plus 30 of the intervals since');
  });
  it('are the one after less the intervals until then', () => {
    expect(run([10, 20, 30, 40], [[MONDAY + 4 * Q, 600]], { wanted }).registers[0]?.value).toBe(530);
  });
  it('are the one before and days of average use where intervals lack', () => {
    const rows: [number, number][] = [
      [MONDAY, 0],
      [MONDAY + 2 * DAY, 4800],
    ];
    const values = daysOfQuarters(4, (d) => (d < 2 ? 25 : null));
    const made = run(values, rows, {
      wanted: Float64Array.of(MONDAY + 3.5 * DAY),
      settings: { fill: false },
    }).registers;
    expect(made[0]?.value).toBe(4800 + 3600);
    expect(made[0]?.method).toBe('average-daily');
  });
  it('are not made where one stands, and show the register’s own steps', () => {
    expect(run([10, 20, 30, 40], [[MONDAY + 2 * Q, 500]], { wanted }).registers).toEqual([]);
    const intervals = series([10, 20, 30, 999, 40]);
    const result = vee({
      intervals,
      ...whole(intervals),
      zone: ZONE,
      showings: showings([[MONDAY, 7]], 3),
      wanted: Float64Array.of(MONDAY + 5 * Q),
    });
    expect(result.registers[0]?.value).toBe(8);
  });
});

describe('properties', () => {
  const use = fc.integer({ min: 0, max: 3000 });
  /** Two weeks of hours, with gaps and readings at random hours. */
  const house = fc.record({
    values: fc.array(use, { minLength: 336, maxLength: 336 }),
    gaps: fc.array(fc.tuple(fc.nat(335), fc.integer({ min: 1, max: 60 })), { maxLength: 6 }),
    readings: fc.uniqueArray(fc.nat(336), { maxLength: 12 }),
    outages: fc.array(fc.tuple(fc.nat(335), fc.integer({ min: 1, max: 5 })), { maxLength: 2 }),
  });
  type House = typeof house extends fc.Arbitrary<infer T> ? T : never;
  function inputOf({ values, gaps, readings, outages }: House): VeeInput {
    const off = (i: number): boolean => outages.some(([at, n]) => i >= at && i < at + n);
    const truth = values.map((v, i) => (off(i) ? 0 : v));
    const total = [0];
    for (const v of truth) total.push((total.at(-1) as number) + v);
    const intervals = series(
      truth.map((v, i) => (gaps.some(([at, n]) => i >= at && i < at + n) ? null : v)),
      MONDAY,
      H,
    );
    return {
      intervals,
      ...whole(intervals),
      zone: ZONE,
      showings: showings(readings.sort((a, b) => a - b).map((i) => [MONDAY + i * H, total[i] as number])),
      outages: outages.map(([at, n]) => ({ from: MONDAY + at * H, to: MONDAY + (at + n) * H })),
    };
  }

  it('estimates keep the sums of registers to the last unit, and nothing measured changes', () => {
    fc.assert(
      fc.property(house, (h) => {
        const input = inputOf(h);
        const { intervals, estimates } = vee(input);
        const { times, values } = input.showings as NonNullable<VeeInput['showings']>;
        for (let k = 0; k + 1 < times.length; k++) {
          const [a, b] = [times[k] as number, times[k + 1] as number].map((t) => (t - MONDAY) / H) as [number, number];
          expect(sum(intervals.values, a, b)).toBe((values[k + 1] as number) - (values[k] as number));
        }
        // One assertion for all intervals: thousands of them would take longer than the estimates.
        const wrong: number[] = [];
        const told = new Uint8Array(336);
        for (const e of estimates) if (e.sentence) told.fill(1, (e.from - MONDAY) / H, (e.to - MONDAY) / H);
        for (let i = 0; i < 336; i++) {
          const value = intervals.values[i] as number;
          const isMeasured = input.intervals.quality[i] === QUALITY.measured;
          const isKept = value === input.intervals.values[i] && intervals.quality[i] === QUALITY.measured;
          const isMade = Number.isNaN(value) || (value >= 0 && Number.isInteger(value) && told[i] === 1);
          if (isMeasured ? !isKept : !isMade) wrong.push(i);
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('a second turn changes nothing, and days may come in any order', () => {
    fc.assert(
      fc.property(house, fc.integer({ min: 0, max: 1000 }), (h, seed) => {
        const input = inputOf(h);
        const once = vee(input);
        const again = vee({ ...input, intervals: once.intervals });
        expect(Array.from(again.intervals.values)).toEqual(Array.from(once.intervals.values));
        expect(again.estimates).toEqual(once.estimates);
        let now = input.intervals;
        const days = Array.from({ length: 14 }, (_, d) => (d * 5 + seed) % 14);
        for (const d of days)
          now = vee({ ...input, intervals: now, from: MONDAY + d * DAY, to: MONDAY + (d + 1) * DAY }).intervals;
        expect(Array.from(now.values)).toEqual(Array.from(once.intervals.values));
        expect(Array.from(now.quality)).toEqual(Array.from(once.intervals.quality));
      }),
      { numRuns: 25 },
    );
  });

  it('late real values replace estimates, and what depends on them is as if they had never been late', () => {
    fc.assert(
      fc.property(house, fc.nat(5), (h, which) => {
        const gap = h.gaps[which % Math.max(1, h.gaps.length)];
        if (!gap) return;
        const before = vee(inputOf(h));
        const complete = inputOf({ ...h, gaps: h.gaps.filter((g) => g !== gap) });
        const expected = vee(complete);
        // The real values of the gap, where no other gap lies, over the metering as it stood.
        const late = {
          ...before.intervals,
          values: before.intervals.values.slice(),
          quality: before.intervals.quality.slice(),
        };
        for (let i = 0; i < 336; i++)
          if (complete.intervals.quality[i] === QUALITY.measured) {
            late.values[i] = complete.intervals.values[i] as number;
            late.quality[i] = QUALITY.measured;
          }
        const arrived = { from: MONDAY + gap[0] * H, to: MONDAY + Math.min(336, gap[0] + gap[1]) * H };
        let now: VeeInput['intervals'] = late;
        const open = Array.from(before.intervals.values, (value, i) => ({
          value,
          from: MONDAY + i * H,
          to: MONDAY + (i + 1) * H,
        })).filter(({ value }) => Number.isNaN(value));
        for (const span of dependents(before.estimates, [arrived], ZONE, Number.POSITIVE_INFINITY, open))
          now = vee({ ...complete, intervals: now, from: span.from, to: span.to }).intervals;
        expect(Array.from(now.values)).toEqual(Array.from(expected.intervals.values));
      }),
      { numRuns: Number(process.env.AMIABLE_RUNS ?? 1) * 40 },
    );
  });

  it('shares add up to the last unit and keep the proportion', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 0, max: 2_000_000_000 }),
        (weights, total) => {
          const parts = Float64Array.from(weights);
          shareOut(
            parts,
            weights.map((_, i) => i),
            total,
          );
          expect(sum(parts)).toBe(total);
          const all = sum(weights);
          for (const [i, weight] of weights.entries()) {
            expect(parts[i]).toBeGreaterThanOrEqual(0);
            const exact = all > 0 ? (weight * total) / all : total / weights.length;
            expect(Math.abs((parts[i] as number) - exact)).toBeLessThan(1.001);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
