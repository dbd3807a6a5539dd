import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integratePower, registerEnergy, resample } from '../src/index.ts';

const H = 3_600_000;

describe('resample', () => {
  it('gives mean, extremes and count; empty periods are NaN', () => {
    const r = resample([0, 1, 5, 25], [10, 20, 60, 7], 0, 10, 3);
    expect([...r.mean]).toEqual([30, Number.NaN, 7]);
    expect([...r.min]).toEqual([10, Number.NaN, 7]);
    expect([...r.max]).toEqual([60, Number.NaN, 7]);
    expect([...r.count]).toEqual([3, 0, 1]);
  });
  it('keeps the total whatever the period', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9999), fc.integer({ min: -1000, max: 1000 }))),
        fc.integer({ min: 1, max: 5000 }),
        (pairs, period) => {
          const r = resample(
            pairs.map((p) => p[0]),
            pairs.map((p) => p[1]),
            0,
            period,
            Math.ceil(10_000 / period),
          );
          let total = 0;
          r.mean.forEach((mean, i) => {
            if (r.count[i]) total += mean * (r.count[i] as number);
          });
          expect(total).toBeCloseTo(
            pairs.reduce((sum, p) => sum + p[1], 0),
            6,
          );
        },
      ),
    );
  });
});

describe('registerEnergy', () => {
  it('is the difference of readings at the boundaries', () => {
    expect(registerEnergy([0, H, 2 * H], [100, 150, 225], [0, H, 2 * H])).toEqual([
      { value: 50, quality: 'measured' },
      { value: 75, quality: 'measured' },
    ]);
  });
  it('runs evenly through a gap and says so', () => {
    expect(registerEnergy([0, 4 * H], [0, 40], [0, H, 2 * H, 4 * H, 5 * H])).toEqual([
      { value: 10, quality: 'estimated' },
      { value: 10, quality: 'estimated' },
      { value: 20, quality: 'estimated' },
      { value: null, quality: 'missing' },
    ]);
  });
  it('knows nothing across a fall, unless it ran over', () => {
    const times = [0, H, 2 * H];
    expect(registerEnergy(times, [999_990, 5, 15], times)).toEqual([
      { value: null, quality: 'missing' },
      { value: 10, quality: 'measured' },
    ]);
    expect(registerEnergy(times, [999_990, 5, 15], times, { digits: 6 })[0]).toEqual({
      value: 15,
      quality: 'measured',
    });
  });
  it('takes a reading seconds from the boundary for it', () => {
    const late = [5000, H + 5000, 2 * H + 5000];
    expect(registerEnergy(late, [100, 150, 225], [0, H, 2 * H])).toEqual([
      { value: 50, quality: 'measured' },
      { value: 75, quality: 'measured' },
    ]);
    expect(registerEnergy(late, [100, 150, 225], [0, H], { tolerance: 1000 })[0]?.quality).toBe('missing');
  });
  it('never bridges longer than told', () => {
    expect(registerEnergy([0, 10 * H], [0, 10], [0, H], { bridge: 5 * H })[0]?.quality).toBe('missing');
  });
  it('counts the first bucket from the first reading when asked to, and says that it is not whole', () => {
    const times = [0.5 * H, 0.75 * H, H, 1.5 * H];
    const bounds = [-H, 0, H, 2 * H];
    const first = { first: true };
    expect(registerEnergy(times, [100, 110, 130, 150], bounds.slice(0, 3), first)).toEqual([
      { value: null, quality: 'missing' },
      { value: 30, quality: 'missing' },
    ]);
    expect(registerEnergy(times, [100, 110, 130, 150], bounds.slice(0, 3))[1]?.value).toBeNull();
    // One reading is no difference, also when it stands for the bucket's end; nor is anything known across a fall.
    expect(registerEnergy([H - 5000], [100], [0, H], first)[0]?.value).toBeNull();
    expect(registerEnergy([0.5 * H], [100], [0, 0.5 * H], first)[0]?.value).toBeNull();
    expect(registerEnergy(times, [100, 110, 5, 150], [0, H], first)[0]?.value).toBeNull();
    // A bucket whose begin is known is as it was.
    expect(registerEnergy([0, H], [0, 40], [0, H], first)).toEqual([{ value: 40, quality: 'measured' }]);
  });
  it('buckets add up to the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { minLength: 2, maxLength: 60 }), (steps) => {
        let sum = 0;
        const values = steps.map((s) => (sum += s));
        const times = steps.map((_, i) => i * H);
        const parts = registerEnergy(times, values, times);
        expect(parts.reduce((t, p) => t + (p.value ?? 0), 0)).toBe((values.at(-1) as number) - (values[0] as number));
      }),
    );
  });
});

describe('integratePower', () => {
  it('integrates what is held, and knows nothing of what is not covered', () => {
    const times = Array.from({ length: 1800 }, (_, i) => i * 2000);
    const [first, second] = integratePower(
      times,
      times.map(() => 1000),
      [0, H, 2 * H],
      10_000,
    );
    expect(first).toBeCloseTo(1000, 6);
    expect(second).toBeNull();
  });
  it('splits a sample at the boundary', () => {
    expect(integratePower([0.5 * H], [1000], [0, H, 2 * H], H, 0.4)).toEqual([1000, 1000]);
  });
});
