/** What a metering point took: exchanges, ratios that are no whole numbers, periods that differ, times without a meter. */
import { describe, expect, it } from 'vitest';
import { joinParts, partOf } from '../src/billing/points.ts';
import type { MeterIntervals } from '../src/index.ts';

const Q = 900_000;
const series = (meter: string, values: number[], step = Q, scaler = 0): MeterIntervals => ({
  meter,
  start: 0,
  step,
  scaler,
  unit: 'Wh',
  version: 1,
  values: Float64Array.from(values),
  quality: Uint8Array.from(values, (v) => (Number.isNaN(v) ? 4 : 0)),
});
const part = (meter: string, from: number, to: number, multipliers: Parameters<typeof partOf>[1] = []) =>
  partOf({ meter, from, to }, multipliers);
const ratio = (
  numerator: bigint,
  denominator: bigint,
  from: number,
  to: number | null,
  kind: 'current' | 'voltage' = 'current',
) => ({
  meter: 'x',
  kind,
  from,
  to,
  multiplier: { numerator, denominator },
});

describe('what a metering point took', () => {
  it('is the meter’s own where one stood there all the time', () => {
    const own = series('a', [1, 2, 3, 4]);
    const joined = joinParts('p', [{ part: part('a', 0, 4 * Q), intervals: own }], 0, 4 * Q);
    expect(joined?.values).toBe(own.values);
  });

  it('joins both meters in the interval of the exchange, and says where one of them is silent', () => {
    const at = 1.5 * Q;
    const old = { part: part('a', 0, at), intervals: series('a', [10, 6, 99, 99]) };
    const fresh = (first: number) => ({ part: part('b', at, 4 * Q), intervals: series('b', [99, first, 20, 20]) });
    const both = joinParts('p', [old, fresh(5)], 0, 4 * Q);
    expect([...(both?.values ?? [])]).toEqual([10, 11, 20, 20]);
    expect([...(both?.quality ?? [])]).toEqual([0, 0, 0, 0]);
    const one = joinParts('p', [old, fresh(Number.NaN)], 0, 4 * Q);
    expect([one?.values[1], one?.quality[1]]).toEqual([6, 3]);
    const none = joinParts(
      'p',
      [old, { part: part('b', 3 * Q, 4 * Q), intervals: series('b', [9, 9, 9, 20]) }],
      0,
      4 * Q,
    );
    expect([...(none?.values ?? [])]).toEqual([10, 6, Number.NaN, 20]);
    expect([...(none?.quality ?? [])]).toEqual([0, 3, 4, 0]);
  });

  it('multiplies exactly as far as six digits go, by the ratio at the start of each interval', () => {
    const ratios = [ratio(25n, 2n, 0, 2 * Q), ratio(40n, 1n, 2 * Q, null), ratio(3n, 8n, 3 * Q, null, 'voltage')];
    const joined = joinParts(
      'p',
      [{ part: part('x', 0, 4 * Q, ratios), intervals: series('x', [3, 1, 7, 8]) }],
      0,
      4 * Q,
    );
    const unit = 10 ** (joined?.scaler ?? 0);
    expect([...(joined?.values ?? [])].map((v) => v * unit)).toEqual([37.5, 12.5, 280, 120]);
    const third = joinParts(
      'p',
      [{ part: part('x', 0, Q, [ratio(1n, 3n, 0, null)]), intervals: series('x', [1]) }],
      0,
      Q,
    );
    expect([third?.scaler, third?.values[0]]).toEqual([-6, 333_333]);
  });

  it('takes the finer grid, and divides a longer interval evenly', () => {
    const hourly = { part: part('a', 0, 4 * Q), intervals: series('a', [10, 10], 4 * Q) };
    const quarters = { part: part('b', 4 * Q, 8 * Q), intervals: series('b', [0, 0, 0, 0, 1, 2, 3, 4]) };
    const joined = joinParts('p', [hourly, quarters], 0, 8 * Q);
    expect(joined).toMatchObject({ step: Q, scaler: -2 });
    expect([...(joined?.values ?? [])]).toEqual([250, 250, 250, 250, 100, 200, 300, 400]);
    expect([...(joined?.quality ?? [])]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  });
});
