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

/** One price from when to when, e.g. of a month; mantissas as above. */
export interface PriceSpan {
  readonly from: number;
  readonly to: number;
  readonly mantissa: number;
  readonly scaler: number;
}

/** A price with where it came from and when it became known. */
export interface RecordedPrice extends PriceSpan {
  readonly source: string;
  readonly recordedAt: number;
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

export interface PriceWritten {
  readonly fresh: number;
  readonly changed: number;
}

/** Where prices are fetched from; the definition's shape is the central system's. */
export interface PriceSource {
  readonly name: string;
  readonly series: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly hasSecret: boolean;
  readonly triedAt: number | null;
  readonly outcome: string | null;
  readonly good: boolean | null;
}

export interface PriceSources {
  list(): Promise<readonly PriceSource[]>;
  get(name: string): Promise<PriceSource | undefined>;
  put(source: Pick<PriceSource, 'name' | 'series' | 'definition'>): Promise<void>;
  /** Sealed by whoever calls; null takes it away. @returns false when there is no such source */
  putSecret(name: string, sealed: Uint8Array | null): Promise<boolean>;
  secret(name: string): Promise<Uint8Array | undefined>;
  tried(name: string, at: number, outcome: string, good: boolean): Promise<void>;
  /** @returns false when there was none */
  remove(name: string): Promise<boolean>;
}

export interface PriceStore {
  list(): Promise<readonly PriceSeries[]>;
  get(name: string): Promise<PriceSeries | undefined>;
  /** @throws MisuseError when prices are there and currency or unit would change */
  put(series: PriceSeries): Promise<void>;
  /** What was there before stays as history. @returns how many prices were new and how many changed */
  write(
    name: string,
    points: PricePoints,
    how: { readonly source: string; readonly at: number },
  ): Promise<PriceWritten>;
  /** The same for prices of any length, such as months. They may not overlap one another. */
  writeSpans(
    name: string,
    spans: readonly PriceSpan[],
    how: { readonly source: string; readonly at: number },
  ): Promise<PriceWritten>;
  /**
   * On the grid of `step`; an hour's price holds for its quarters, and a coarser interval has the mean of its parts where all are
   * there (rounded to six places below theirs). `asOf`: as known then. @returns undefined when there is no such series
   */
  read(
    name: string,
    query: { readonly from: number; readonly to: number; readonly step: number; readonly asOf?: number },
  ): Promise<(PricePoints & { readonly currency: string; readonly unit: string }) | undefined>;
  /** Every price that was recorded for a time, those that were replaced too: in order of time, the newest first. */
  history(
    name: string,
    query: { readonly from: number; readonly to: number; readonly limit: number },
  ): Promise<readonly RecordedPrice[]>;
  readonly sources: PriceSources;
}
