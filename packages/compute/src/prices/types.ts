/** What readers of prices give, whatever form the prices came in. */

/** From when to when (epoch ms) a price holds; the price is mantissa × 10^scaler. */
export interface PriceSpan {
  readonly from: number;
  readonly to: number;
  readonly mantissa: number;
  readonly scaler: number;
}

/** Prices of one area in one currency. */
export interface PriceList {
  /** As the source names it: `10YNO-1--------2`, `NO1`; undefined where it does not say. */
  readonly area: string | undefined;
  /** ISO 4217; undefined where the source does not say. */
  readonly currency: string | undefined;
  /** `kWh`, `MWh` …; undefined where the source does not say. */
  readonly unit: string | undefined;
  /** In order of time, none overlapping another. */
  readonly spans: readonly PriceSpan[];
}

export interface PriceReading {
  /** Which form it was: `entsoe`, `nordpool`, `csv` … */
  readonly form: string;
  readonly lists: readonly PriceList[];
  /** What was left out or added, in sentences: positions repeated, points without a price. */
  readonly notes: readonly string[];
}

/** What is known beforehand and where a source says more than one thing, which is meant. */
export interface PriceWish {
  readonly area?: string;
  readonly currency?: string;
  /** Zone of times without an offset. */
  readonly zone: string;
  /** ENTSO-E: which auction (`classificationSequence`), 1 where it does not say. */
  readonly sequence?: number;
}

/** As Map.groupBy, which this language level has not. */
export function grouped<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const out = new Map<K, T[]>();
  for (const item of items) {
    const k = key(item);
    const list = out.get(k);
    if (list) list.push(item);
    else out.set(k, [item]);
  }
  return out;
}

/** Prices of one reading: five years of quarters of an hour for a few areas. */
export const MOST_PRICES = 1_000_000;
/** Characters of a file or an answer. */
export const MOST_TEXT = 64 * 1024 * 1024;
