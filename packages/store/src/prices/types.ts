/** Prices by time: spot prices of an area, fees that change. Kept with when they became known; a later price never rewrites what was billed. */

export interface PricePoints {
  /** Start of the first price, epoch ms. */
  readonly start: number;
  /** ms: 900,000 or 3,600,000 for spot prices. */
  readonly step: number;
  /** Mantissas (price = mantissa × 10^scaler in currency per unit); NaN where there is none. */
  readonly values: Float64Array;
  readonly scaler: number;
}

export interface PriceSeries {
  /** `NO1`, `DE-LU`, a name of one's own. */
  readonly name: string;
  /** ISO 4217. */
  readonly currency: string;
  /** `kWh`, `MWh`, `m3`. */
  readonly unit: string;
  readonly description: string | null;
}

export interface PriceStore {
  list(): Promise<readonly PriceSeries[]>;
  put(series: PriceSeries): Promise<void>;
  /** What was there before stays as history. @returns how many prices were new and how many changed */
  write(
    name: string,
    points: PricePoints,
    how: { readonly source: string; readonly at: number },
  ): Promise<{ readonly fresh: number; readonly changed: number }>;
  /** On the grid of `step`; an hour's price holds for its quarters. `asOf`: as known then. */
  read(
    name: string,
    query: { readonly from: number; readonly to: number; readonly step: number; readonly asOf?: number },
  ): Promise<(PricePoints & { readonly currency: string; readonly unit: string }) | undefined>;
}
