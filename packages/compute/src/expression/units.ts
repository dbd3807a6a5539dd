/**
 * Units of formulas: what can be added to what.
 *
 * Decides: a unit is a factor and a power of each base unit. Active, reactive and apparent energy are kinds of their own, and so is every
 * currency, since no factor makes one of another. Degrees Celsius and kelvin are one base: a formula has differences of temperature.
 */
import { MisuseError } from '@amiable/bytes';
import type { Dimension } from './types.ts';

export const BASES = [
  'Wh',
  'varh',
  'VAh',
  'h',
  'm3',
  'V',
  'A',
  'K',
  'kg',
  'bar',
  'deg',
  'EUR',
  'NOK',
  'SEK',
  'DKK',
  'ISK',
  'GBP',
  'CHF',
  'PLN',
  'CZK',
  'HUF',
  'RON',
  'BGN',
  'USD',
  'CAD',
  'AUD',
] as const;
type Base = (typeof BASES)[number];

export const BARE: Dimension = BASES.map(() => 0);

const of = (powers: Readonly<Partial<Record<Base, number>>>): Dimension => BASES.map((base) => powers[base] ?? 0);

export interface UnitMeaning {
  readonly factor: number;
  readonly dimension: Dimension;
}

const unit = (factor: number, powers: Readonly<Partial<Record<Base, number>>>): UnitMeaning => ({
  factor,
  dimension: of(powers),
});

const SECOND = 1 / 3600;
const UNITS: ReadonlyMap<string, UnitMeaning> = new Map<string, UnitMeaning>([
  ...BASES.map((base): [string, UnitMeaning] => [base, unit(1, { [base]: 1 })]),
  ...(['Wh', 'varh', 'VAh'] as const).flatMap((energy): [string, UnitMeaning][] => [
    [`k${energy}`, unit(1e3, { [energy]: 1 })],
    [`M${energy}`, unit(1e6, { [energy]: 1 })],
    [`G${energy}`, unit(1e9, { [energy]: 1 })],
    [energy.slice(0, -1), unit(1, { [energy]: 1, h: -1 })],
    [`k${energy.slice(0, -1)}`, unit(1e3, { [energy]: 1, h: -1 })],
    [`M${energy.slice(0, -1)}`, unit(1e6, { [energy]: 1, h: -1 })],
    [`G${energy.slice(0, -1)}`, unit(1e9, { [energy]: 1, h: -1 })],
  ]),
  ['1', unit(1, {})],
  ['%', unit(0.01, {})],
  ['s', unit(SECOND, { h: 1 })],
  ['min', unit(1 / 60, { h: 1 })],
  ['hour', unit(1, { h: 1 })],
  ['hours', unit(1, { h: 1 })],
  ['d', unit(24, { h: 1 })],
  ['day', unit(24, { h: 1 })],
  ['days', unit(24, { h: 1 })],
  ['week', unit(168, { h: 1 })],
  ['weeks', unit(168, { h: 1 })],
  ['J', unit(SECOND, { Wh: 1 })],
  ['kJ', unit(1e3 * SECOND, { Wh: 1 })],
  ['MJ', unit(1e6 * SECOND, { Wh: 1 })],
  ['GJ', unit(1e9 * SECOND, { Wh: 1 })],
  ['l', unit(1e-3, { m3: 1 })],
  ['kV', unit(1e3, { V: 1 })],
  ['mA', unit(1e-3, { A: 1 })],
  ['kA', unit(1e3, { A: 1 })],
  ['Ah', unit(1, { A: 1, h: 1 })],
  ['Hz', unit(3600, { h: -1 })],
  ['degC', unit(1, { K: 1 })],
  ['mbar', unit(1e-3, { bar: 1 })],
]);

export const isUnit = (word: string): boolean => UNITS.has(word);

export const times = (a: Dimension, b: Dimension, power = 1): Dimension =>
  a.map((p, i) => p + power * (b[i] as number));
export const same = (a: Dimension, b: Dimension): boolean => a.every((p, i) => p === b[i]);
export const isBare = (d: Dimension): boolean => d.every((p) => p === 0);
/** An amount grows with the length of its interval: energy, volume, mass, money, charge. */
export const isAmount = (d: Dimension): boolean =>
  (d[BASES.indexOf('h')] as number) >= 0 &&
  ['Wh', 'varh', 'VAh', 'm3', 'kg'].some((base) => d[BASES.indexOf(base as Base)] === 1);

const WORD = /^([A-Za-z%1][A-Za-z]*(?:3(?![0-9]))?)(?:\^?(-?[1-4]))?$/;

/** Reads `kWh`, `EUR/MWh`, `kWh/m3`, `m3/h`; empty text is a bare number. @throws MisuseError for what is no unit */
export function parseUnit(text: string): UnitMeaning {
  const trimmed = text.trim();
  if (!trimmed) return { factor: 1, dimension: BARE };
  if (trimmed.length > 40) throw new MisuseError('a unit has 40 characters at most');
  let factor = 1;
  let dimension = BARE;
  for (const [i, part] of trimmed.split('/').entries()) {
    const sign = i ? -1 : 1;
    for (const word of part.split(/[*·]/)) {
      const found = WORD.exec(word.trim());
      const meaning = UNITS.get(word.trim()) ?? UNITS.get(found?.[1] ?? '');
      if (!found || !meaning)
        throw new MisuseError(
          `"${word.trim()}" is no unit; units are Wh, kWh, W, kW, varh, VAh, m3, h, V, A, EUR and their like`,
        );
      const power = sign * (UNITS.has(word.trim()) ? 1 : Number(found[2] ?? 1));
      factor *= meaning.factor ** power;
      dimension = times(dimension, meaning.dimension, power);
    }
  }
  return { factor, dimension };
}

const NAMED: readonly (readonly [string, Dimension])[] = [
  ['W', of({ Wh: 1, h: -1 })],
  ['var', of({ varh: 1, h: -1 })],
  ['VA', of({ VAh: 1, h: -1 })],
];

/** The base unit of a dimension in words: `Wh`, `EUR/Wh`; of a bare number empty. */
export function unitText(d: Dimension): string {
  for (const [name, dimension] of NAMED) if (same(d, dimension)) return name;
  const power = (p: number) => (p === 1 ? '' : `^${p}`);
  const above = BASES.filter((_, i) => (d[i] as number) > 0).map(
    (base) => base + power(d[BASES.indexOf(base)] as number),
  );
  const below = BASES.filter((_, i) => (d[i] as number) < 0).map(
    (base) => base + power(-(d[BASES.indexOf(base)] as number)),
  );
  if (!above.length && !below.length) return '';
  return `${above.join('*') || '1'}${below.map((base) => `/${base}`).join('')}`;
}

/** A dimension for people: `energy (Wh)`, `a bare number`, `Wh/K`. */
export function dimensionText(d: Dimension): string {
  return isBare(d) ? 'a bare number' : `an amount in ${unitText(d)}`;
}
