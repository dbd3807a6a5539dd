/**
 * What billing puts into a tariff and gets out of it; the shapes that the kernels, bills and pages share.
 *
 * Decides: that every line says quantity × price, over which span, by which price version, and of what quality its quantity is. All
 * numbers that people see are decimals as text; times are epoch ms.
 */
import type { Tariff, Unit } from '@amiable/model';
import type { Intervals, Showings } from '../series.ts';

/** A tariff as it holds from a local day on, until the next version. What was billed by a version stays billed by it. */
export interface TariffVersion {
  /** What bills call it: a number or name of the caller's. */
  readonly version: string;
  /** First local day in the tariff's zone, `2026-01-01`. */
  readonly from: string;
  readonly tariff: Tariff;
}

/** A metering. Without `unit` that of the quantity of the same name (model QUANTITIES). */
export interface RatingSeries extends Intervals {
  readonly unit?: Unit | undefined;
}
export interface RatingRegister extends Showings {
  readonly unit?: Unit | undefined;
}

/** Prices by time; NaN where none is known. An hour's price holds for its quarters. */
export interface RatingPrices {
  readonly start: number;
  readonly step: number;
  readonly values: Float64Array;
  readonly scaler: number;
  readonly currency: string;
  /** `kWh`, `MWh`, `m3`. */
  readonly unit: string;
}

export interface RatingInput {
  readonly versions: readonly TariffVersion[];
  /** The billing period [from, to): local midnights of the tariff's zone. */
  readonly from: number;
  readonly to: number;
  /** Supply began here; what lies before is no history of this customer. */
  readonly since?: number | undefined;
  /** Supply ends here: a year of settlement that has begun ends with it. */
  readonly until?: number | undefined;
  /** By name of the metering. They reach back to `earliest(versions, from, to, since)` where a component looks back. */
  readonly series: Readonly<Record<string, RatingSeries>>;
  /** By the names that components give: `1.8.1`. */
  readonly registers?: Readonly<Record<string, RatingRegister>> | undefined;
  /** By name of the price series. */
  readonly prices?: Readonly<Record<string, RatingPrices>> | undefined;
  /** Numbers of the contract that components multiply by, decimals as text. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

export const QUALITY_NAMES = ['measured', 'calculated', 'edited', 'estimated', 'missing'] as const;
export type QualityName = (typeof QUALITY_NAMES)[number];

/** What a quantity was made of. */
export interface QualityShares {
  /** Intervals of each quality. */
  readonly intervals: Readonly<Record<QualityName, number>>;
  /** How much of the quantity is of each quality; they add up to it. Nothing is known of what is missing. */
  readonly quantity: Readonly<Record<QualityName, string>>;
  readonly worst: QualityName;
}

/** One interval that a demand charge stands on. */
export interface Peak {
  readonly at: number;
  /** In the unit of the determinant. */
  readonly value: string;
  readonly quality: QualityName;
}

/** A quantity that is billed by, apart from prices. */
export interface Determinant {
  readonly kind: 'energy' | 'power' | 'days' | 'net';
  /** Name of the metering, or of the component where it is the component's own. */
  readonly name: string;
  readonly rate: string | null;
  readonly version: string;
  readonly from: number;
  readonly to: number;
  readonly quantity: string;
  readonly unit: string;
  readonly quality: QualityShares | null;
  readonly peaks?: readonly Peak[] | undefined;
}

export interface Line {
  readonly component: string;
  readonly title: string;
  readonly kind: Tariff['components'][number]['kind'];
  readonly group: string | null;
  readonly version: string;
  /** The span that the line is for. */
  readonly from: number;
  readonly to: number;
  readonly rate: string | null;
  /** Which step, from 1. */
  readonly step: number | null;
  readonly quantity: string;
  readonly unit: string;
  /** In currency per unit; null where each interval had its own, then `meanPrice` says what came out. */
  readonly price: string | null;
  readonly meanPrice: string | null;
  /** Share of the price's period that is billed: `12/31`; null where that is nothing to ask. */
  readonly share: string | null;
  /** Exact, a decimal or a fraction. */
  readonly exact: string;
  /** As rounded; where the total alone is rounded, exact to six decimals. */
  readonly amount: string;
  readonly quality: QualityShares | null;
  readonly peaks?: readonly Peak[] | undefined;
  /** The derivation, for people. */
  readonly sentence: string;
}

/** Something that a reader of the bill must know. */
export interface RatingMark {
  readonly kind: 'missing-price' | 'substitute-price' | 'missing-intervals';
  readonly component: string | null;
  readonly from: number;
  readonly to: number;
  readonly sentence: string;
}

export interface Rated {
  readonly tariff: string;
  readonly currency: string;
  readonly decimals: number;
  readonly zone: string;
  readonly from: number;
  readonly to: number;
  /** Versions that held, with their spans. */
  readonly versions: readonly { readonly version: string; readonly from: number; readonly to: number }[];
  readonly determinants: readonly Determinant[];
  readonly lines: readonly Line[];
  /** Rounded as `rounding` says. */
  readonly total: string;
  /** Of taxes, out of the total. */
  readonly tax: string;
  /** Of the intervals of the period, by metering; for the export gate. */
  readonly quality: Readonly<Record<string, QualityShares & { readonly unit: string }>>;
  readonly marks: readonly RatingMark[];
  /** How money was rounded, in a sentence. */
  readonly rounding: string;
}
