import { describe, expect, it } from 'vitest';
import { DAY, found, HOUR, house, inputOf, places, QUARTER, showings, T0 } from './helpers.ts';

const NONE = Number.NaN;
const at = (i: number) => T0 + i * QUARTER;
const fill = (n: number, value = 10) => new Array<number>(n).fill(value);
const put = (values: number[], from: number, ...these: number[]) => {
  const out = values.slice();
  for (const [i, v] of these.entries()) out[from + i] = v;
  return out;
};

describe('conditions of the matrix', () => {
  const values = [10, NONE, NONE, 0, -5, 20, 0, 0];
  it.each<[string, object, [number, number][]]>([
    ['missing', {}, [[1, 3]]],
    [
      'zero',
      {},
      [
        [3, 4],
        [6, 8],
      ],
    ],
    ['anything', {}, [[0, 8]]],
    [
      'not-missing',
      {},
      [
        [0, 1],
        [3, 8],
      ],
    ],
    ['negative', {}, [[4, 5]]],
    [
      'positive',
      {},
      [
        [0, 1],
        [5, 6],
      ],
    ],
    ['higher-than', { limit: 10 }, [[5, 6]]],
    ['higher-than', { limit: '0.01 kWh' }, [[5, 6]]],
    ['higher-than', { limit: '40 W' }, [[5, 6]]],
    [
      'lower-than',
      { limit: 5 },
      [
        [3, 5],
        [6, 8],
      ],
    ],
    ['gap', { intervals: 3 }, []],
    ['gap', {}, [[1, 3]]],
    ['user', { formula: 'value > 15 Wh or value < 0' }, [[4, 6]]],
  ])('%s %j', (check, more, expected) => {
    expect(places(found({ check, ...more }, values))).toEqual(expected);
  });

  it('compares with the mean and the median of the days before', () => {
    // Three quiet days with one loud interval, which moves the mean but not the median.
    const before = put(fill(3 * DAY), 50, 10_000);
    const values = [...before, ...put(fill(DAY), 10, 60, 5, 200)];
    const options = { from: 3 * DAY, to: 4 * DAY };
    const mean = 10 + 9990 / (3 * DAY);
    expect(places(found({ check: 'higher-than-median', percent: 500 }, values, options))).toEqual([
      [298, 299],
      [300, 301],
    ]);
    expect(places(found({ check: 'higher-than-average', percent: 400 }, values, options))).toEqual([[300, 301]]);
    expect(200).toBeGreaterThan(4 * mean);
    expect(places(found({ check: 'lower-than-median', percent: 60 }, values, options))).toEqual([[299, 300]]);
    expect(places(found({ check: 'lower-than-average', percent: 12 }, values, options))).toEqual([[299, 300]]);
    expect(found({ check: 'higher-than-median', percent: 500, atLeast: '1 kW' }, values, options)).toEqual([]);
    expect(found({ check: 'higher-than-median', percent: 500 }, fill(10, NONE))).toEqual([]);
  });

  it('says what happened, where, with the numbers', () => {
    const [hit] = found(
      { check: 'higher-than', limit: '17 kW', severity: 'error', group: 'to be visited' },
      put(fill(DAY), 56, 9900),
      {},
    );
    expect(hit).toEqual({
      rule: 'r',
      check: 'higher-than',
      severity: 'error',
      from: 56,
      to: 57,
      sentence:
        '1 interval above the limit of 4.25 kWh (17 kW) from 2026-01-05 14:00 to 2026-01-05 14:15; the highest is 9.9 kWh',
      numbers: { intervals: 1, limit: 4250, highest: 9900 },
      action: 'unchanged',
      usable: false,
      group: 'to be visited',
    });
  });

  it('hands on what a rule wants done, with its value as a mantissa', () => {
    const [hit] = found({ check: 'missing', action: 'user-defined', value: '1.2 kWh' }, [1, NONE], { scaler: 2 });
    expect(hit).toMatchObject({ action: 'user-defined', value: 12, usable: false });
  });
});

describe('structure', () => {
  const times = (offsets: number[]) => Float64Array.from(offsets, (o) => T0 + o * QUARTER);
  it('finds two values for one time, unless they agree', () => {
    const source = { times: times([0, 1, 1, 2, 2]), values: Float64Array.of(5, 6, 6, 7, 8) };
    const hits = found({ check: 'duplicate' }, fill(4), { source });
    expect(places(hits)).toEqual([[2, 3]]);
    expect(hits[0]?.sentence).toBe('the meter sent two values for 2026-01-05 00:30: 7 and 8');
  });
  it('finds intervals of another length', () => {
    expect(places(found({ check: 'interval-length' }, fill(4), { source: { times: times([0, 1, 1.5, 2]) } }))).toEqual([
      [1, 2],
    ]);
    expect(places(found({ check: 'interval-length' }, fill(4), { source: { times: times([]), step: HOUR } }))).toEqual([
      [0, 4],
    ]);
    expect(
      found({ check: 'interval-length' }, fill(4), { source: { times: times([0, 1, 2, 3]), step: QUARTER } }),
    ).toEqual([]);
  });
  it('finds another unit and another ratio', () => {
    const source = { times: times([0]), unit: 'varh' as const, multiplier: 40 };
    expect(found({ check: 'unit' }, fill(4), { source })[0]?.sentence).toBe(
      'the meter sent varh, the metering is in Wh',
    );
    expect(found({ check: 'multiplier' }, fill(4), { source, multiplier: 60 })[0]?.numbers).toEqual({
      source: 40,
      registry: 60,
    });
    expect(found({ check: 'multiplier' }, fill(4), { source, multiplier: 40 })).toEqual([]);
  });
  it('finds a sibling channel that lacks', () => {
    const { intervals } = inputOf(put(fill(8), 2, NONE, NONE));
    const siblings = [{ name: 'energyExport', unit: 'Wh' as const, intervals }];
    expect(places(found({ check: 'sibling-missing' }, fill(8), { siblings }))).toEqual([[2, 4]]);
    expect(places(found({ check: 'sibling-missing', siblings: ['reactiveImport'] }, fill(8), { siblings }))).toEqual([
      [0, 8],
    ]);
  });
});

describe('sum check', () => {
  const values = fill(2 * DAY);
  const register = (days: number[]) =>
    showings(
      days.map((_, d) => at(d * DAY)),
      days,
    );
  it('allows 2 × k steps of the register and not one more', () => {
    expect(found({ check: 'sum' }, values, { showings: register([0, 960, 1920]) })).toEqual([]);
    expect(found({ check: 'sum' }, values, { showings: register([0, 962, 1920]) })).toEqual([]);
    expect(places(found({ check: 'sum' }, values, { showings: register([0, 963, 1923]) }))).toEqual([[0, DAY]]);
  });
  it('takes the multiplier into account', () => {
    const options = { showings: register([0, 16, 32]), multiplier: 60 };
    expect(found({ check: 'sum' }, values, options)).toEqual([]);
    expect(found({ check: 'sum' }, values, { ...options, multiplier: 40, showings: register([0, 26, 50]) })).toEqual(
      [],
    );
    expect(
      found({ check: 'sum' }, values, { ...options, multiplier: 40, showings: register([0, 27, 51]) }),
    ).toHaveLength(1);
  });
  it('tells both sides, the difference and the tolerance', () => {
    const [hit] = found({ check: 'sum', tolerance: '0.1 kWh' }, values, { showings: register([0, 960, 2920]) });
    expect(hit?.sentence).toBe(
      'the intervals add up to 960 Wh, the register went from 960 Wh at 2026-01-06 00:00 to 2.92 kWh at 2026-01-07 00:00, which is 1.96 kWh: 1 kWh too little, allowed are 100 Wh',
    );
    expect(hit?.numbers).toEqual({ sum: 960, register: 1960, difference: -1000, tolerance: 100, multiplier: 1 });
  });
  it('does not compare where an interval is missing, or the register fell, or it has another scaler', () => {
    expect(found({ check: 'sum' }, put(values, 5, NONE), { showings: register([0, 5000, 5960]) })).toEqual([]);
    expect(found({ check: 'sum' }, values, { showings: register([5000, 960, 1920]) })).toEqual([]);
    expect(found({ check: 'sum' }, values, { showings: { ...register([0, 1, 2]), scaler: 3 } })).toEqual([]);
    expect(found({ check: 'sum' }, values, { showings: { ...register([0, 3, 6]), scaler: 3 } })).toHaveLength(2);
  });
  it('reads the register wherever it stands on a boundary', () => {
    const quarters = showings(
      values.map((_, i) => at(i)).concat(at(2 * DAY)),
      values.map((_, i) => i * 10).concat(1920),
    );
    expect(found({ check: 'sum' }, values, { showings: quarters })).toEqual([]);
    expect(places(found({ check: 'sum' }, put(values, 100, 90), { showings: quarters }))).toEqual([[DAY, 2 * DAY]]);
  });
  it('adds up registers of rates', () => {
    const total = register([0, 960, 1920]);
    const rates = (last: number) => [
      { name: 'day', showings: register([0, 600, 1200]) },
      { name: 'night', showings: register([0, 360, last]) },
    ];
    expect(found({ check: 'rates-sum' }, values, { showings: total, rates: rates(718) })).toEqual([]);
    const hits = found({ check: 'rates-sum' }, values, { showings: total, rates: rates(700) });
    expect(places(hits)).toEqual([[2 * DAY - 1, 2 * DAY]]);
    expect(hits[0]?.numbers).toEqual({ total: 1920, sum: 1900, tolerance: 2 });
  });
  it('knows that one register rolls over before the others', () => {
    const total = register([999_999_900, 1_000_000_860 - 1e9, 1_000_001_820 - 1e9]);
    const rates = [
      { name: 'day', showings: register([500_000_000, 500_000_600, 500_001_200]) },
      { name: 'night', showings: register([499_999_900, 500_000_260, 500_000_620]) },
    ];
    expect(found({ check: 'rates-sum' }, values, { showings: total, rates })).toEqual([]);
  });
});

describe('shape', () => {
  it('spike: (h1 − h3) / h3 above 1.8, of at least 20 intervals', () => {
    const day = put(fill(DAY, 100), 10, 200, 200);
    expect(found({ check: 'spike' }, put(day, 40, 560))).toEqual([]);
    const hits = found({ check: 'spike' }, put(day, 40, 561));
    expect(places(hits)).toEqual([[40, 41]]);
    expect(hits[0]?.numbers).toEqual({ value: 561, highest: 561, third: 200, ratio: 1.805, threshold: 1.8 });
    expect(found({ check: 'spike' }, put(fill(19, 100), 4, 1000))).toEqual([]);
    expect(places(found({ check: 'spike' }, put(fill(20, 100), 4, 1000)))).toEqual([[4, 5]]);
    expect(places(found({ check: 'spike' }, put(fill(DAY, 100), 4, 1000, 900)))).toEqual([
      [4, 5],
      [5, 6],
    ]);
    expect(found({ check: 'spike' }, put(fill(DAY, 100), 4, 1000, 900, 800))).toEqual([]);
    expect(found({ check: 'spike', atLeast: '10 kW' }, put(day, 40, 561))).toEqual([]);
    expect(found({ check: 'spike' }, put(fill(DAY, 0), 4, 1000))).toEqual([]);
    // Each day for itself: a quiet day is no yardstick for a loud one.
    expect(found({ check: 'spike' }, [...fill(DAY, 10), ...fill(DAY, 1000)])).toEqual([]);
  });
  it('high and low use beside the days before, or last year', () => {
    const rule = { check: 'high-low', days: 2, high: 200, low: 50 };
    const options = { from: 2 * DAY, to: 4 * DAY };
    const days = (a: number, b: number) => [...fill(2 * DAY, a), ...fill(2 * DAY, b)];
    expect(found(rule, days(10, 20), options)).toEqual([]);
    expect(places(found(rule, days(10, 21), options))).toEqual([[192, 384]]);
    expect(places(found(rule, days(10, 4), options))).toEqual([[192, 384]]);
    expect(found(rule, days(10, 5), options)).toEqual([]);
    expect(found(rule, days(10, 21), { ...options, lastYearDaily: 21 * DAY })).toEqual([]);
    const [hit] = found(rule, days(21, 21), { ...options, lastYearDaily: 960 });
    expect(hit?.sentence).toMatch(
      /^2\.016 kWh a day .* is 210 % of the same days last year, 960 Wh a day; usual is 50 to 200 %$/,
    );
    expect(found({ ...rule, atLeast: '3 kWh' }, days(10, 21), options)).toEqual([]);
    // Day by day: each window has its own days; where too few are known, the days before stand in for them.
    const first = T0 + 2 * DAY * QUARTER;
    const then = (...use: number[]) => ({ lastYear: { first, daily: Float64Array.from(use) } });
    expect(found(rule, days(10, 21), { ...options, ...then(21 * DAY, 20 * DAY) })).toEqual([]);
    expect(found(rule, days(21, 21), { ...options, ...then(10 * DAY, NONE) })[0]?.sentence).toContain('960 Wh a day');
    expect(found(rule, days(10, 21), { ...options, ...then(NONE, NONE) })[0]?.sentence).toContain('the 2 days before');
    const twice = {
      from: 0,
      to: 4 * DAY,
      lastYear: { first: T0, daily: Float64Array.from([10, 10, 50, 50], (v) => v * DAY) },
    };
    expect(places(found(rule, days(10, 21), twice))).toEqual([[192, 384]]);
    expect(found(rule, fill(2 * DAY), { from: 0, to: 2 * DAY })).toEqual([]);
  });
  it('steps from the last value that is there', () => {
    const rule = { check: 'step', percent: 100 };
    expect(places(found(rule, [10, NONE, 21, 21]))).toEqual([[2, 3]]);
    expect(places(found(rule, [10, 20, 21], { from: 1 }))).toEqual([]);
    expect(places(found(rule, [10, 21, 21], { from: 1 }))).toEqual([[1, 2]]);
    expect(found({ ...rule, atLeast: 100 }, [10, 21, 21])).toEqual([]);
    expect(found(rule, [0, 10])).toEqual([]);
    expect(places(found({ ...rule, atLeast: 5 }, [0, 10]))).toEqual([[1, 2]]);
  });
  it('peaks beside those of as long before', () => {
    const values = [...put(fill(DAY), 5, 100), ...put(fill(DAY), 9, 250)];
    expect(places(found({ check: 'demand-peak', percent: 200 }, values, { from: DAY }))).toEqual([[DAY + 9, DAY + 10]]);
    expect(found({ check: 'demand-peak', percent: 250 }, values, { from: DAY })).toEqual([]);
    expect(places(found({ check: 'demand-limit', limit: '0.9 kW' }, values))).toEqual([[DAY + 9, DAY + 10]]);
  });
});

describe('runs', () => {
  it('counts what began before', () => {
    const values = [...fill(4), 0, 0, 0, 0, 0, 0, 0, 0, ...fill(4)];
    expect(places(found({ check: 'run-zero', hours: 2 }, values))).toEqual([[4, 12]]);
    expect(found({ check: 'run-zero', hours: 2.25 }, values)).toEqual([]);
    expect(places(found({ check: 'run-zero', hours: 2 }, values, { from: 10 }))).toEqual([[10, 12]]);
    expect(found({ check: 'run-zero', hours: 2 }, values, { from: 12 })).toEqual([]);
  });
  it('negative, identical, missing', () => {
    expect(places(found({ check: 'run-negative', hours: 0.5 }, [1, -1, 2, -1, -2, -3]))).toEqual([[3, 6]]);
    const same = [1, 5, 5, 5, 5, 0, 0, 0, 0, 7];
    expect(places(found({ check: 'run-identical', hours: 1 }, same))).toEqual([[1, 5]]);
    expect(places(found({ check: 'run-identical', hours: 1 }, same, { from: 3 }))).toEqual([[3, 5]]);
    expect(places(found({ check: 'run-missing', hours: 0.5 }, [1, NONE, 1, NONE, NONE]))).toEqual([[3, 5]]);
  });
  it('outages, leaks, estimates', () => {
    const meter = {
      outages: [
        { from: at(2) + 1, to: at(6) },
        { from: at(8), to: at(9) },
      ],
    };
    expect(places(found({ check: 'run-outage', hours: 0.9 }, fill(12), { meter }))).toEqual([[2, 6]]);
    const leak = put(fill(2 * DAY, 3), 10, 0);
    expect(places(found({ check: 'never-zero', days: 1 }, leak))).toEqual([[11, 192]]);
    expect(found({ check: 'never-zero', days: 1, above: 3 }, leak)).toEqual([]);
    const quality = Uint8Array.from({ length: 2 * DAY }, (_, i) => (i >= 20 && i < 20 + DAY ? 3 : 0));
    expect(places(found({ check: 'prolonged-estimation', days: 1 }, fill(2 * DAY), { quality }))).toEqual([[20, 116]]);
    expect(found({ check: 'prolonged-estimation', days: 1.1 }, fill(2 * DAY), { quality })).toEqual([]);
  });
});

describe('beside events', () => {
  const quiet = put(fill(16), 4, 0, 0, 0, 0, 0, 0, 0, 0);
  it('zero is explained by an outage, a relay or a stay', () => {
    const rule = { check: 'zero-without-outage', hours: 2 };
    expect(places(found(rule, quiet))).toEqual([[4, 12]]);
    expect(found(rule, quiet, { meter: { outages: [{ from: at(5), to: at(6) }] } })).toEqual([]);
    expect(found(rule, quiet, { meter: { disconnected: [{ from: at(4), to: at(12) }] } })).toEqual([]);
    expect(found(rule, quiet, { meter: { installed: [{ from: at(12), to: at(99) }] } })).toEqual([]);
    expect(found(rule, quiet, { meter: { outages: [{ from: at(0), to: at(1) }] } })).toHaveLength(1);
  });
  it('use while it was disconnected or not installed', () => {
    const meter = { disconnected: [{ from: at(2) + 1, to: at(6) }] };
    const hits = found({ check: 'use-while-disconnected' }, fill(8), { meter });
    expect(places(hits)).toEqual([[3, 6]]);
    expect(hits[0]?.numbers).toEqual({ intervals: 3, sum: 30 });
    expect(found({ check: 'use-while-disconnected', tolerance: 10 }, fill(8), { meter })).toEqual([]);
    const stays = {
      installed: [
        { from: at(2), to: at(4) },
        { from: at(4), to: at(6) },
      ],
    };
    expect(places(found({ check: 'use-while-not-installed' }, fill(8), { meter: stays }))).toEqual([
      [0, 2],
      [6, 8],
    ]);
    expect(places(found({ check: 'use-while-not-installed' }, fill(8), { meter: { installed: [] } }))).toEqual([
      [0, 8],
    ]);
    expect(found({ check: 'use-while-not-installed' }, fill(8), {})).toEqual([]);
  });
  it('reactive energy without active, and the reverse', () => {
    const { intervals } = inputOf(put(fill(12), 3, 0, 0, 0, 0, 0));
    const siblings = [{ name: 'energyImport', unit: 'Wh' as const, intervals }];
    const rule = { check: 'reactive-without-active', sibling: 'energyImport', hours: 1 };
    expect(places(found(rule, fill(12, 4), { siblings, unit: 'varh' }))).toEqual([[3, 8]]);
    expect(found({ ...rule, hours: 1.5 }, fill(12, 4), { siblings, unit: 'varh' })).toEqual([]);
    // What began before counts with its whole length.
    expect(places(found(rule, fill(12, 4), { siblings, unit: 'varh', from: 6 }))).toEqual([[6, 8]]);
    const other = [{ name: 'reactiveImport', unit: 'varh' as const, intervals }];
    expect(places(found({ check: 'active-without-reactive', hours: 1 }, fill(12), { siblings: other }))).toEqual([
      [3, 8],
    ]);
  });
  it('a clock that was wrong, and the log of the meter', () => {
    const meter = {
      clock: [
        { from: at(1), to: at(3) },
        { from: at(4), to: at(5), deviation: 59_000 },
        { from: at(6), to: at(7), deviation: -90_000 },
      ],
      events: [
        { from: at(2) + 5, to: at(2) + 5, event: 'fraud-attempt' },
        { from: at(3), to: at(5), event: 'communication-error' },
      ],
    };
    expect(places(found({ check: 'clock', seconds: 60 }, fill(8), { meter }))).toEqual([
      [1, 3],
      [6, 7],
    ]);
    expect(places(found({ check: 'event', events: ['fraud-attempt'] }, fill(8), { meter }))).toEqual([[2, 3]]);
    expect(places(found({ check: 'event', events: ['communication-error'] }, fill(8), { meter }))).toEqual([[3, 5]]);
  });
});

describe('check functions', () => {
  it('see siblings and windows, and say what they saw', () => {
    const { intervals } = inputOf(fill(DAY, 2));
    const siblings = [{ name: 'energyExport', unit: 'Wh' as const, intervals }];
    const [hit] = found(
      { check: 'user', formula: 'value - energyExport > 3 * mean(value, day)' },
      put(house(1), 20, 3000, 2800),
      { siblings },
    );
    expect(hit).toMatchObject({ from: 20, to: 22 });
    expect(hit?.sentence).toMatch(
      /^value - energyExport > 3 \* mean\(value, day\) holds for 2 intervals from .* at the first: .*value = 3 kWh, energyExport = 2 Wh/,
    );
    expect(hit?.numbers.value).toBe(3000);
  });
  it('say nothing of a meter that has not what they read', () => {
    expect(found({ check: 'user', formula: 'energyExport > 0' }, fill(4))).toEqual([]);
    expect(found({ check: 'user', formula: 'energyImport > 0' }, fill(4), { quantity: 'energyImport' })).toHaveLength(
      1,
    );
  });
});
