import type { Determinant, Line, QualityShares, Rated } from '@amiable/compute';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type KeptRated, packRated, unpackRated } from '../src/features/billing/derivation.ts';

const NAMES = ['measured', 'calculated', 'edited', 'estimated', 'missing'] as const;
const [FROM, TO] = [Date.UTC(2025, 10, 1), Date.UTC(2025, 11, 1)];
const text = fc.constantFrom('0', '12.5', '7');
const orNull = (one: fc.Arbitrary<string>): fc.Arbitrary<string | null> => fc.option(one, { nil: null });
const count = fc.constantFrom(0, 0, 0, 2880);
const part = fc.constantFrom('0', '0', '0', '12.5');
const shares: fc.Arbitrary<QualityShares> = fc.record({
  intervals: fc.record({ measured: count, calculated: count, edited: count, estimated: count, missing: count }),
  quantity: fc.record({ measured: part, calculated: part, edited: part, estimated: part, missing: part }),
  worst: fc.constantFrom(...NAMES),
});
const common = {
  version: fc.constantFrom('1', '2'),
  from: fc.constantFrom(FROM, FROM + 86_400_000),
  to: fc.constantFrom(TO, TO - 86_400_000),
  rate: orNull(fc.constantFrom('day', 'night')),
  quantity: text,
  unit: fc.constant('kWh'),
  quality: fc.option(shares, { nil: null }),
};
const determinant: fc.Arbitrary<Determinant> = fc.record({
  ...common,
  kind: fc.constantFrom('energy' as const, 'days' as const),
  name: fc.constant('energyImport'),
});
const line: fc.Arbitrary<Line> = fc.record({
  ...common,
  component: fc.constant('energy'),
  title: fc.constant('Energy'),
  kind: fc.constant('energy' as const),
  group: orNull(text),
  step: fc.option(fc.nat(3), { nil: null }),
  price: orNull(text),
  meanPrice: orNull(text),
  share: orNull(text),
  exact: text,
  amount: text,
  sentence: fc.string(),
});
const rated: fc.Arbitrary<Rated> = fc.record({
  tariff: fc.constant('a'),
  currency: fc.constant('EUR'),
  decimals: fc.constant(2),
  zone: fc.constant('Europe/Oslo'),
  from: fc.constant(FROM),
  to: fc.constant(TO),
  versions: fc.constantFrom([], [{ version: '1', from: FROM, to: TO }]),
  determinants: fc.array(determinant, { maxLength: 5 }),
  lines: fc.array(line, { maxLength: 5 }),
  total: text,
  tax: text,
  quality: fc.constant({}),
  marks: fc.constant([]),
  rounding: fc.constant('lines'),
});

it('gives back of a derivation exactly what it was given, through JSON', () => {
  fc.assert(
    fc.property(rated, (one) => {
      expect(unpackRated(JSON.parse(JSON.stringify(packRated(one))) as KeptRated)).toEqual(one);
    }),
  );
});

it('leaves one that was written whole as it is', () => {
  fc.assert(
    fc.property(rated, (one) => {
      expect(unpackRated(one as KeptRated)).toEqual(one);
    }),
  );
});

it('keeps the shares of what is measured throughout as two words', () => {
  const quality: QualityShares = {
    intervals: { measured: 96, calculated: 0, edited: 0, estimated: 0, missing: 0 },
    quantity: { measured: '12.5', calculated: '0', edited: '0', estimated: '0', missing: '0' },
    worst: 'measured',
  };
  const [one] = fc.sample(determinant, 1) as [Determinant];
  const [whole] = fc.sample(rated, 1) as [Rated];
  const packed = packRated({ ...whole, determinants: [{ ...one, quantity: '12.5', quality }] });
  expect(packed.determinants[0]?.quality).toEqual(['measured', 96]);
});
