/** What kernels work on: equal steps of one series as typed arrays. */

/** As the store writes them (model QUALITIES, in this order). */
export const QUALITY = { measured: 0, calculated: 1, edited: 2, estimated: 3, missing: 4 } as const;
export type QualityCode = (typeof QUALITY)[keyof typeof QUALITY];

/**
 * Intervals of equal length. `values[i]` is the mantissa (value = mantissa × 10^scaler) of the interval that begins at
 * `start + i × step`; NaN where nothing is, and then `quality[i]` is `missing`.
 */
export interface Intervals {
  /** Start of the first interval, epoch ms. */
  readonly start: number;
  /** Length of each, ms. */
  readonly step: number;
  readonly scaler: number;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
}

/** Readings of a cumulative register: what it showed at a time. Times rise; mantissas with the scaler of the series. */
export interface Showings {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly quality?: Uint8Array;
  readonly scaler: number;
}
