/** Lines before they are rounded, and the state that components of one rating share. */
import type { TariffComponent } from '@amiable/model';
import type { CompiledTariff, Span } from './compile.ts';
import type { Fraction } from './fraction.ts';
import type { Tally } from './kernels.ts';
import { type Metering, meteringOf, tallyOf } from './quantity.ts';
import type { Determinant, Peak, QualityShares, RatingInput, RatingMark } from './types.ts';

export interface Draft {
  readonly component: TariffComponent;
  readonly span: Span;
  readonly from: number;
  readonly to: number;
  readonly rate: string | null;
  readonly step: number | null;
  readonly quantity: Fraction;
  readonly unit: string;
  /** In currency per unit; null where each interval has its own. */
  readonly price: Fraction | null;
  readonly share: string | null;
  readonly amount: Fraction;
  readonly quality: QualityShares | null;
  readonly peaks?: readonly Peak[] | undefined;
  /** What goes before the arithmetic: `energyImport at rate day`. */
  readonly what: string;
  /** What people have to know beside it. */
  readonly note?: string | undefined;
}

/** Of one call of `rate`. */
export interface Rating {
  readonly compiled: CompiledTariff;
  readonly input: RatingInput;
  readonly marks: RatingMark[];
  readonly determinants: Determinant[];
  readonly meterings: Map<string, Metering>;
  readonly tallies: Map<string, Tally>;
}

export function metering(rating: Rating, span: Span, name: string): Metering {
  const key = `${span.from} ${name}`;
  let found = rating.meterings.get(key);
  if (!found) {
    found = meteringOf(rating.compiled, span, rating.input, name);
    rating.meterings.set(key, found);
  }
  return found;
}

/** Energy by rate and quality of a whole span; counted once, whatever the number of components. */
export function spanTally(rating: Rating, span: Span, name: string): Tally {
  const key = `${span.from} ${name}`;
  let found = rating.tallies.get(key);
  if (!found) {
    const { grid } = metering(rating, span, name);
    const first = grid.spanRuns[0] ?? 0;
    const end = grid.spanRuns.at(-2) ?? 0;
    found = tallyOf(metering(rating, span, name), first, end, span.tariff.rates.length);
    rating.tallies.set(key, found);
  }
  return found;
}

/** Places of the rates that a component is for. */
export const ratesFor = (span: Span, only: readonly string[] | undefined): number[] =>
  only
    ? [...new Set(only)].map((rate) => span.rates.get(rate) as number).sort((a, b) => a - b)
    : span.tariff.rates.map((_, i) => i);
