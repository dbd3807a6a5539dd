import { toNumber } from '@amiable/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exactDecimal } from '../src/float.ts';

it('reads back as the same float', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (value) => {
      const exact = exactDecimal(value, false);
      if (!exact) return;
      expect(Number(`${exact.mantissa}e${exact.scaler}`)).toBe(value === 0 ? 0 : value);
    }),
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const exact = exactDecimal(value, true);
      if (exact) expect(Math.fround(Number(`${exact.mantissa}e${exact.scaler}`))).toBe(value === 0 ? 0 : value);
    }),
  );
});

it('is the shortest one', () => {
  expect(exactDecimal(Math.fround(230.1), true)).toEqual({ mantissa: 2301, scaler: -1 });
  expect(exactDecimal(230.1, false)).toEqual({ mantissa: 2301, scaler: -1 });
  expect(exactDecimal(1000, true)).toEqual({ mantissa: 1000, scaler: 0 });
  expect(exactDecimal(-0, true)).toEqual({ mantissa: 0, scaler: 0 });
  expect(toNumber(2301, -1)).toBe(230.1);
});

it('no number has none', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) expect(exactDecimal(value, false)).toBeUndefined();
});
