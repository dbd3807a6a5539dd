import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ExpressionError,
  evaluate,
  explainAt,
  type Grid,
  outline,
  parseExpression,
  QUALITY,
  type SeriesInput,
  sentenceAt,
} from '../../src/index.ts';

const QUARTER = 900_000;
const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 2, 1);
const NAMES = { value: 'Wh', export: 'Wh', reactive: 'varh', price: 'EUR/MWh', gas: 'm3', outside: 'degC', long: 'Wh' };

function series(values: readonly number[], unit = 'Wh', options: Partial<SeriesInput['intervals']> = {}): SeriesInput {
  const array = Float64Array.from(values);
  return {
    unit,
    intervals: {
      start: T0,
      step: QUARTER,
      scaler: 0,
      values: array,
      quality: Uint8Array.from(values, (v) => (Number.isNaN(v) ? QUALITY.missing : QUALITY.measured)),
      ...options,
    },
  };
}

function calc(source: string, all: Record<string, SeriesInput>, grid: Partial<Grid> = {}): number[] {
  const n = all.value?.intervals.values.length ?? 4;
  const g = { start: T0, step: QUARTER, n, zone: 'UTC', ...grid };
  return [...evaluate(parseExpression(source, NAMES), g, (name) => all[name]).values];
}

const fault = (source: string): ExpressionError => {
  try {
    parseExpression(source, NAMES);
  } catch (e) {
    if (e instanceof ExpressionError) return e;
    throw e;
  }
  throw new Error(`${source} was taken`);
};

describe('formulas', () => {
  it.each<[string, number[]]>([
    ['value + export', [11, 22, 33, 44]],
    ['value - export * 2', [8, 16, 24, 32]],
    ['-(value - export) / 2', [-4.5, -9, -13.5, -18]],
    ['2 kWh - value', [1990, 1980, 1970, 1960]],
    ['80 % * value', [8, 16, 24, 32]],
    ['value > 15 Wh and not (export > 3 Wh)', [0, 1, 1, 0]],
    ['value = 20 Wh or value = 40 Wh', [0, 1, 0, 1]],
    ['if(value > 15 Wh, value, 0)', [0, 20, 30, 40]],
    ['min(value, 25 Wh)', [10, 20, 25, 25]],
    ['max(value - 25 Wh, 0, export)', [1, 2, 5, 15]],
    ['abs(export - value)', [9, 18, 27, 36]],
    ['round(value / 15 Wh)', [1, 1, 2, 3]],
    ['power(value)', [40, 80, 120, 160]],
    ['energy(power(value))', [10, 20, 30, 40]],
    ['value / interval', [40, 80, 120, 160]],
    ['sum(value)', [100, 100, 100, 100]],
    ['value / sum(value)', [0.1, 0.2, 0.3, 0.4]],
    ['mean(value, 30 min)', [10, 15, 25, 35]],
    ['max(value, 30 min)', [10, 20, 30, 40]],
    ['min(value, 30 min)', [10, 10, 20, 30]],
    ['median(value, 45 min)', [10, 15, 20, 30]],
    ['count(value, 30 min)', [1, 2, 2, 2]],
    ['missing(value, 30 min)', [1, 0, 0, 0]],
    ['first(value, hour)', [10, 10, 10, 10]],
    ['last(value, hour)', [40, 40, 40, 40]],
    ['weekday', [7, 7, 7, 7]],
    ['hour', [0, 0, 0, 0]],
    ['month * 100 + day_of_month', [301, 301, 301, 301]],
    ['apparent(3 Wh, 4 varh) + 0 * apparent(value, reactive)', [5, 5, 5, 5]],
    ['sqrt(value * value)', [10, 20, 30, 40]],
    ['"value"', [10, 20, 30, 40]],
    ['value * 50 EUR/MWh', [0.0005, 0.001, 0.0015, 0.002]],
  ])('%s', (source, expected) => {
    const result = calc(source, {
      value: series([10, 20, 30, 40]),
      export: series([1, 2, 3, 4]),
      reactive: series([1, 1, 1, 1], 'varh'),
    });
    for (const [i, v] of result.entries()) expect(v).toBeCloseTo(expected[i] as number, 12);
  });

  it('looks back by intervals, times and the calendar', () => {
    const n = 96 * 3;
    const value = series(Array.from({ length: n }, (_, i) => i));
    expect(calc('previous(value)', { value }).slice(0, 3)).toEqual([Number.NaN, 0, 1]);
    expect(calc('previous(value, 30 min)', { value }).slice(0, 4)).toEqual([Number.NaN, Number.NaN, 0, 1]);
    expect(calc('value - previous(value, day)', { value })[200]).toBe(96);
    expect(calc('value - previous(value, 2 days)', { value })[200]).toBe(192);
    expect(calc('previous(value, week)', { value })[200]).toBeNaN();
  });

  it('finds the same local time on the day before across a change of the clock', () => {
    const start = Date.UTC(2026, 2, 27, 23); // 28 March, local midnight
    const n = 96 + 92;
    const value = series(
      Array.from({ length: n }, (_, i) => i),
      'Wh',
      { start },
    );
    const day = calc('previous(value, day)', { value }, { start, zone: 'Europe/Oslo' });
    // 29 March has no 02:00; its 12:00 is the 40th quarter after midnight, and that of the day before the 48th.
    expect(day[96 + 44]).toBe(48);
    expect(day[96]).toBe(0);
  });

  it('has windows of local days', () => {
    const start = Date.UTC(2026, 2, 27, 23);
    const value = series(new Array(96 + 92).fill(1), 'Wh', { start });
    const sums = calc('sum(value, day)', { value }, { start, zone: 'Europe/Oslo' });
    expect([sums[0], sums[95], sums[96], sums[187]]).toEqual([96, 96, 92, 92]);
  });

  it('keeps what is missing missing, and says so with its quality', () => {
    const value = series([10, Number.NaN, 30, 40]);
    const estimated = series([1, 2, 3, 4], 'Wh', { quality: Uint8Array.of(0, 0, 3, 2) });
    const all: Record<string, SeriesInput> = { value, export: estimated };
    const grid = { start: T0, step: QUARTER, n: 4, zone: 'UTC' };
    const of = (source: string) => evaluate(parseExpression(source, NAMES), grid, (name) => all[name]);
    expect([...of('value + export').values]).toEqual([11, Number.NaN, 33, 44]);
    expect([...of('value + export').quality]).toEqual([0, 4, 3, 2]);
    expect([...of('value > 5 Wh').values]).toEqual([1, Number.NaN, 1, 1]);
    expect([...of('value > 5 Wh and export < 0').values]).toEqual([0, 0, 0, 0]);
    expect([...of('value > 5 Wh and export < 0').quality]).toEqual([0, 0, 3, 2]);
    expect([...of('coalesce(value, 7 Wh)').values]).toEqual([10, 7, 30, 40]);
    expect([...of('coalesce(value, 7 Wh)').quality]).toEqual([0, 3, 0, 0]);
    expect([...of('is_missing(value)').values]).toEqual([0, 1, 0, 0]);
    expect([...of('sum(value, hour)').values]).toEqual(new Array(4).fill(Number.NaN));
    expect([...of('mean(value, hour)').values]).toEqual(new Array(4).fill(80 / 3));
    expect([...of('mean(export, 30 min)').quality]).toEqual([0, 0, 3, 3]);
    expect([...of('value / (export - export)').quality]).toEqual([4, 4, 4, 4]);
  });

  it('brings other intervals onto the grid, and shares out amounts only where it is told to', () => {
    const value = series([10, 20, 30, 40, 50, 60, 70, 80]);
    const price = series([40, 80], 'EUR/MWh', { step: HOUR });
    const long = series([400, 800], 'Wh', { step: HOUR });
    const all = { value, price, long };
    expect(calc('value * price', all)[4]).toBeCloseTo((50 * 80) / 1e6, 15);
    expect(calc('spread(long) - value', all)).toEqual([90, 80, 70, 60, 150, 140, 130, 120]);
    expect(() => calc('long - value', all)).toThrow(/write spread\(long\)/);
    expect(calc('value', all, { step: HOUR, n: 2 })).toEqual([100, 260]);
    expect(calc('resample_mean(value)', all, { step: HOUR, n: 2 })).toEqual([25, 65]);
    expect(calc('long + value', all, { step: HOUR, n: 2 })).toEqual([500, 1060]);
    expect(() => calc('value', { value: series([1], 'Wh', { start: T0 + 1 }) }, { n: 1 })).toThrow(
      /begin at other times/,
    );
  });

  it('keeps decimals', () => {
    const value = series([123, 1], 'kWh', { scaler: -3 });
    expect(calc('value', { value })).toEqual([123, 1]);
    const gas = series([1001], 'm3', { scaler: -3 });
    expect(calc('gas', { gas }, { n: 1 })).toEqual([1.001]);
  });

  it.each<[string, number, RegExp]>([
    ['', 1, /empty/],
    ['value +', 8, /ends where an amount/],
    ['value + gas', 9, /Wh there, an amount in m3 here/],
    ['value > 3', 9, /Wh there, a bare number here/],
    ['value + reactive', 9, /varh/],
    ['valu > 0', 1, /no series "valu"/],
    ['Value > 0', 1, /did you mean value/],
    ['value > 0 and 5', 15, /true or false/],
    ['(value > 0) + 1', 1, /says whether/],
    ['mean(5 Wh)', 6, /needs a series/],
    ['mean(value, 5 kWh)', 13, /a window is/],
    ['mean(value, 3 years)', 13, /two years/],
    ['boom(value)', 1, /no function "boom"/],
    ['value # 2', 7, /"#" has no meaning/],
    ['value) ', 6, /bracket too many/],
    ['(value', 7, /to close the bracket/],
    ['value / 0', 7, /division by zero/],
    ['0 < value < 2 Wh', 11, /comparisons cannot follow/],
    ['if(value, 1, 2)', 4, /condition of if/],
    ['if(value > 0, 1 Wh, 2 m3)', 21, /same unit/],
    ['sqrt(value)', 6, /root of a square/],
    ['apparent(reactive, value)', 1, /Wh and varh/],
    ['spread(1)', 8, /name of a series/],
    ['"value', 1, /does not end/],
    ['constructor', 1, /no series/],
    ['__proto__ > 0', 1, /no series/],
    ['toString(value)', 1, /no function/],
  ])('refuses %s at its place', (source, position, message) => {
    const e = fault(source);
    expect(e.message).toMatch(message);
    expect(e.position).toBe(position);
  });

  it('is bounded', () => {
    expect(fault('('.repeat(3000)).message).toMatch(/levels/);
    expect(fault(`value > 0${' and value > 0'.repeat(200)}`).message).toMatch(/500 parts/);
    expect(fault(`${'-'.repeat(3000)}value`).message).toMatch(/too many "-"/);
    expect(fault(`${'not '.repeat(900)}true`).message).toMatch(/too many "not"/);
    expect(fault('1'.repeat(4001)).message).toMatch(/4000 characters/);
    expect(() => calc('median(value, 60 days)', { value: series([1]) })).toThrow(/moving median/);
    expect(() => calc('value', { value: series([1]) }, { n: 1e9 })).toThrow(/intervals at most/);
  });

  it('says what it reads, how far it looks back, and what each part is', () => {
    const e = parseExpression('value > 3 * mean(previous(value, week), 7 days) + export', NAMES);
    expect(e.names).toEqual(['export', 'value']);
    expect(e.lookBack).toBeGreaterThanOrEqual(14 * 86_400_000);
    expect(e.dimension).toBeUndefined();
    expect(outline(e)).toContain('    3 * mean(previous(value, week), 7 days): an amount in Wh, at each interval');
    expect(parseExpression('sum(value, month)', NAMES).wholePeriods).toEqual(['month']);
  });

  it('explains an interval with its numbers', () => {
    const value = series([100, 100, 100, 3900]);
    const e = parseExpression('value > 3 * mean(value)', NAMES);
    const explained = explainAt(e, { start: T0, step: QUARTER, n: 4, zone: 'UTC' }, () => value, 3);
    expect(explained[0]).toMatchObject({ text: 'value > 3 * mean(value)', words: 'true' });
    expect(sentenceAt(explained)).toBe('value = 3.9 kWh, 3 * mean(value) = 3.15 kWh, mean(value) = 1.05 kWh');
  });

  it('is plain data: a formula goes to a worker thread as it is', () => {
    const e = parseExpression('if(value > 0, value, 0)', NAMES);
    expect(structuredClone(e)).toEqual(e);
  });
});

describe('windows', () => {
  const values = fc.array(
    fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -1000, max: 1000 }) }, fc.constant(Number.NaN)),
    {
      minLength: 1,
      maxLength: 60,
    },
  );

  it('of any length are what a slow way finds', () => {
    const slow: Record<string, (there: number[], k: number) => number> = {
      count: (t) => t.length,
      missing: (t, k) => k - t.length,
      sum: (t, k) => (t.length === k ? t.reduce((a, b) => a + b, 0) : Number.NaN),
      mean: (t) => (t.length ? t.reduce((a, b) => a + b, 0) / t.length : Number.NaN),
      min: (t) => (t.length ? Math.min(...t) : Number.NaN),
      max: (t) => (t.length ? Math.max(...t) : Number.NaN),
      first: (t) => t[0] ?? Number.NaN,
      last: (t) => t.at(-1) ?? Number.NaN,
      median: (t) => {
        const s = t.toSorted((a, b) => a - b);
        const h = s.length >> 1;
        return s.length
          ? s.length % 2
            ? (s[h] as number)
            : ((s[h - 1] as number) + (s[h] as number)) / 2
          : Number.NaN;
      },
      stddev: (t) => {
        const mean = t.reduce((a, b) => a + b, 0) / t.length;
        return t.length > 1 ? Math.sqrt(t.reduce((a, b) => a + (b - mean) ** 2, 0) / (t.length - 1)) : Number.NaN;
      },
    };
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 70 }), fc.constantFrom(...Object.keys(slow)), (v, k, name) => {
        const result = calc(`${name}(value, ${k * 15} min)`, { value: series(v) });
        for (let i = 0; i < v.length; i++) {
          const there = v.slice(Math.max(0, i - k + 1), i + 1).filter((x) => !Number.isNaN(x));
          const expected = (slow[name] as (t: number[], k: number) => number)(there, k);
          if (Number.isNaN(expected)) expect(result[i]).toBeNaN();
          else expect(result[i]).toBeCloseTo(expected, 6);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('any text', () => {
  it('is read or refused with a place in it', () => {
    const word = fc.constantFrom(
      'value',
      'gas',
      '(',
      ')',
      '+',
      '-',
      '*',
      '/',
      '<',
      ',',
      '3',
      '2.5',
      'kWh',
      'mean',
      'if',
      'not',
      'and',
      '"',
      'day',
      'h',
      'previous',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 40 }),
          fc.array(word, { maxLength: 20 }).map((w) => w.join(' ')),
        ),
        (source) => {
          try {
            parseExpression(source, NAMES);
          } catch (e) {
            expect(e).toBeInstanceOf(ExpressionError);
            expect((e as ExpressionError).position).toBeGreaterThan(0);
            expect((e as ExpressionError).position).toBeLessThanOrEqual(source.length + 1);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
