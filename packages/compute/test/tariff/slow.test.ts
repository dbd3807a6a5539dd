import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rate } from '../../src/index.ts';
import { randomInput } from './random.ts';
import { roundSlow, slowRate } from './slow.ts';

/** Text of a pair of big integers, exact: the kernels print a decimal or a fraction. */
function fraction(text: string): readonly [bigint, bigint] {
  if (text.includes('/')) return text.split('/').map(BigInt) as unknown as [bigint, bigint];
  const point = text.indexOf('.');
  if (point < 0) return [BigInt(text), 1n];
  return [BigInt(text.replace('.', '')), 10n ** BigInt(text.length - point - 1)];
}
const same = (a: readonly [bigint, bigint], b: readonly [bigint, bigint]): boolean => a[0] * b[1] === b[0] * a[1];
const show = ([n, d]: readonly [bigint, bigint]): string => {
  let a = n < 0n ? -n : n;
  let b = d;
  while (b) [a, b] = [b, a % b];
  return a ? `${n / a}/${d / a}` : '0';
};

const RUNS = Number(process.env.AMIABLE_TARIFF_RUNS ?? 20);

describe('a bill, and the same bill by a slow implementation', () => {
  it('is equal to the last digit over random tariffs, zones and clock changes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const input = randomInput(seed);
        const rated = rate(input);
        const slow = slowRate(input);
        const { rounding } = (input.versions[0] as (typeof input.versions)[number]).tariff;
        const fast = rated.lines.map((line) => ({
          ...line,
          value: fraction(rounding.of === 'lines' ? line.amount : line.exact),
        }));
        const key = (component: string, version: string, value: readonly [bigint, bigint]): string =>
          `${version} ${component} ${show(value)}`;
        expect(
          fast
            .filter(({ value }) => value[0] !== 0n)
            .map((l) => key(l.component, l.version, l.value))
            .sort(),
        ).toEqual(
          slow.lines
            .filter(({ amount }) => amount[0] !== 0n)
            .map((l) => key(l.component, l.version, l.amount))
            .sort(),
        );
        expect(show(fraction(rated.total))).toBe(show(roundSlow(slow.total, rated.decimals, rounding.mode)));
        for (const determinant of rated.determinants) {
          if (determinant.kind !== 'energy') continue;
          const found = slow.energy.get(`${determinant.version} ${determinant.name} ${determinant.rate}`) ?? [0n, 1n];
          const exponent = { kWh: 1000n, MWh: 1_000_000n }[determinant.unit] as bigint;
          expect(same(fraction(determinant.quantity), [found[0], found[1] * exponent])).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
