/**
 * Quantities of meterings for a tariff: energy by rate and quality over a span, with units turned and shares told.
 *
 * Decides: the unit of a metering is its quantity's own unless said; kWh, MWh and their like are powers of ten of it.
 */
import { MisuseError } from '@amiable/bytes';
import { quantityOf } from '@amiable/model';
import type { CompiledTariff, Grid, Span } from './compile.ts';
import { cutRuns } from './compile.ts';
import { type Fraction, plus, print, scaled, ZERO } from './fraction.ts';
import { type Tally, tally } from './kernels.ts';
import { QUALITY_NAMES, type QualityName, type QualityShares, type RatingInput, type RatingSeries } from './types.ts';

const UNITS: Readonly<Record<string, readonly [base: string, exponent: number]>> = {
  Wh: ['Wh', 0],
  kWh: ['Wh', 3],
  MWh: ['Wh', 6],
  varh: ['varh', 0],
  kvarh: ['varh', 3],
  VAh: ['VAh', 0],
  kVAh: ['VAh', 3],
  m3: ['m3', 0],
  W: ['Wh', 0],
  kW: ['Wh', 3],
  MW: ['Wh', 6],
  kvar: ['varh', 3],
  kVA: ['VAh', 3],
};

/** The power of ten that mantissas of `scaler` in `from` have in `to`. @throws MisuseError for units of different kinds */
export function scalerIn(from: string, scaler: number, to: string, what: string): number {
  const a = UNITS[from];
  const b = UNITS[to];
  if (!a || !b || a[0] !== b[0])
    throw new MisuseError(
      `${what} is in ${from}, the tariff wants ${to}; give a metering of that unit, or one that is calculated`,
    );
  return scaler + a[1] - b[1];
}

/** Energy of each quality, as exact numbers in one unit. */
export interface Amounts {
  /** By quality. */
  readonly by: readonly Fraction[];
  readonly counts: readonly number[];
  readonly total: Fraction;
}

const NONE: Amounts = { by: [ZERO, ZERO, ZERO, ZERO, ZERO], counts: [0, 0, 0, 0, 0], total: ZERO };

export const combined = (a: Amounts, b: Amounts): Amounts => ({
  by: a.by.map((x, q) => plus(x, b.by[q] as Fraction)),
  counts: a.counts.map((n, q) => n + (b.counts[q] as number)),
  total: plus(a.total, b.total),
});

export function sharesOf({ by, counts }: Amounts): QualityShares {
  let worst: QualityName = 'measured';
  const intervals = {} as Record<QualityName, number>;
  const quantity = {} as Record<QualityName, string>;
  for (const [q, name] of QUALITY_NAMES.entries()) {
    intervals[name] = counts[q] as number;
    quantity[name] = print(by[q] as Fraction);
    if ((counts[q] as number) > 0) worst = name;
  }
  return { intervals, quantity, worst };
}

/** Of one rate, or of several, out of a tally. */
export function amountsOf(found: Tally, rates: Iterable<number>, scaler: number): Amounts {
  const sums = [0n, 0n, 0n, 0n, 0n];
  const counts = [0, 0, 0, 0, 0];
  for (const rate of rates)
    for (let q = 0; q < 5; q++) {
      sums[q] = (sums[q] as bigint) + (found.sums[rate * 5 + q] as bigint);
      counts[q] = (counts[q] as number) + (found.counts[rate * 5 + q] as number);
    }
  if (counts.every((n) => n === 0)) return NONE;
  const by = sums.map((sum) => scaled(sum, scaler));
  return {
    by,
    counts,
    total: scaled(
      sums.reduce((a, b) => a + b),
      scaler,
    ),
  };
}

/** One metering of the input on the grid of a span. */
export interface Metering {
  readonly name: string;
  readonly series: RatingSeries;
  readonly unit: string;
  readonly grid: Grid;
  /** Place in the series of interval 0 of the grid; may be negative. */
  readonly base: number;
}

export function meteringOf(compiled: CompiledTariff, span: Span, input: RatingInput, name: string): Metering {
  const series = Object.hasOwn(input.series, name) ? input.series[name] : undefined;
  if (!series)
    throw new MisuseError(`the tariff bills ${name}, but there is no such metering; measure or calculate it`);
  const unit = series.unit ?? quantityOf(name)?.unit;
  if (!unit) throw new MisuseError(`metering ${name} does not say its unit`);
  if (series.quality.length < series.values.length)
    throw new MisuseError(`metering ${name} has values without a quality`);
  const grid = compiled.grid(span, series.start, series.step, name);
  return { name, series, unit, grid, base: (grid.origin - series.start) / series.step };
}

/** Energy by rate and quality of [from, to), by interval of the grid. */
export const tallyOf = (metering: Metering, from: number, to: number, rateCount: number): Tally =>
  tally(
    metering.series.values,
    metering.series.quality,
    metering.base,
    cutRuns(metering.grid.runs, from, to),
    rateCount,
  );

/** Interval of the grid that begins at or after an instant. */
export const placeOf = (grid: Grid, at: number): number => Math.max(0, Math.ceil((at - grid.origin) / grid.step));
