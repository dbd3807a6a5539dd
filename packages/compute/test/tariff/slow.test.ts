import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rate } from '../../src/index.ts';
import { pair, show } from './exact.ts';
import { randomInput } from './random.ts';
import { roundSlow, slowRate } from './slow.ts';

const RUNS = Number(process.env.AMIABLE_TARIFF_RUNS ?? 14);

describe('a bill, and the same bill by a slow implementation', () => {
  it(
    'is equal to the last digit over random tariffs, zones and clock changes',
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
          const input = randomInput(seed);
          const rated = rate(input);
          const slow = slowRate(input);
          const { rounding } = (input.versions[0] as (typeof input.versions)[number]).tariff;
          const fast = rated.lines.map((line) => ({
            ...line,
            value: pair(rounding.of === 'lines' ? line.amount : line.exact),
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
          expect(show(pair(rated.total))).toBe(show(roundSlow(slow.total, rated.decimals, rounding.mode)));
          for (const determinant of rated.determinants) {
            if (determinant.kind !== 'energy') continue;
            const found = slow.energy.get(`${determinant.version} ${determinant.name} ${determinant.rate}`) ?? [0n, 1n];
            const exponent = { kWh: 1000n, MWh: 1_000_000n }[determinant.unit] as bigint;
            expect(show(pair(determinant.quantity))).toBe(show([found[0], found[1] * exponent]));
          }
        }),
        { numRuns: RUNS },
      );
    },
    90_000 + RUNS * 1000,
  );
});
