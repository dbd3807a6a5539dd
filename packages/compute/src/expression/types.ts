/**
 * The checked tree of a formula (docs/expressions.md).
 *
 * Decides: what a formula can say at all. Every node carries its dimension and whether it differs from interval to interval, so that
 * nothing is left to find out when it is evaluated. Plain data, so that it can be stored and sent to worker threads.
 */

/** Powers of the base units: Wh, h, varh, VAh, m3, V, A, K, money and so on (`BASES` of units.ts), in their order. */
export type Dimension = readonly number[];

export interface Typed {
  /** Offset of its first character in the source. */
  readonly at: number;
  /** Behind its last. */
  readonly end: number;
  /** Of truth values: undefined. */
  readonly dimension: Dimension | undefined;
  /** Whether it differs from interval to interval; else it is one number for all of them. */
  readonly series: boolean;
}

/** Over which intervals a window function goes. */
export type Window =
  /** All intervals that are calculated. */
  | { readonly kind: 'all' }
  /** The `ms` that end with the interval. */
  | { readonly kind: 'trailing'; readonly ms: number }
  /** The local day, week … that the interval stands in. */
  | { readonly kind: 'calendar'; readonly unit: CalendarWord };
export const CALENDAR_WORDS = ['hour', 'day', 'week', 'month', 'year'] as const;
export type CalendarWord = (typeof CALENDAR_WORDS)[number];

/** Over numbers of a window. */
export const WINDOW_FUNCTIONS = [
  'sum',
  'min',
  'max',
  'mean',
  'median',
  'stddev',
  'count',
  'missing',
  'first',
  'last',
] as const;
export type WindowFunction = (typeof WINDOW_FUNCTIONS)[number];

export const BINARY = ['+', '-', '*', '/', '<', '<=', '>', '>=', '=', '!=', 'and', 'or'] as const;
export type BinaryOperator = (typeof BINARY)[number];

/**
 * How intervals of another length come onto the grid: `spread`: a longer one is shared out equally; `hold`: it holds for each part (a price);
 * `sum` and `mean`: shorter ones together. Without a hint amounts are summed and everything else has its mean; what is longer holds if it
 * is no amount, and is refused if it is one.
 */
export type Resampling = 'spread' | 'hold' | 'sum' | 'mean';

export type Node = Typed &
  (
    | { readonly kind: 'number' /** In base units. */; readonly value: number }
    | { readonly kind: 'truth'; readonly value: boolean }
    | { readonly kind: 'name'; readonly name: string }
    /** Of the interval itself: its length in hours, local hour of the day, weekday (1 Monday), day of month, month. */
    | { readonly kind: 'clock'; readonly what: 'interval' | 'hour' | 'weekday' | 'day' | 'month' }
    | { readonly kind: 'unary'; readonly operator: '-' | 'not'; readonly of: Node }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
    | { readonly kind: 'if'; readonly condition: Node; readonly yes: Node; readonly no: Node }
    | {
        readonly kind: 'call';
        readonly name:
          | 'min'
          | 'max'
          | 'abs'
          | 'round'
          | 'floor'
          | 'ceil'
          | 'sqrt'
          | 'apparent'
          | 'coalesce'
          | 'is_missing';
        readonly args: readonly Node[];
      }
    | { readonly kind: 'window'; readonly name: WindowFunction; readonly of: Node; readonly window: Window }
    | {
        readonly kind: 'previous';
        readonly of: Node;
        /** `interval`: the one before; `ms`: so much before; else the same local time `count` days, weeks … before. */
        readonly by: 'interval' | { readonly ms: number } | { readonly unit: CalendarWord; readonly count: number };
      }
    /** Energy of the interval as mean power, and back. */
    | { readonly kind: 'power' | 'energy'; readonly of: Node }
    /** How a series of other intervals comes onto the grid of the result, said of the series itself. */
    | { readonly kind: 'resample'; readonly how: Resampling; readonly name: string }
  );

/** A series that formulas may name: its unit as text (`Wh`, `kW`, `EUR/kWh`; empty: a bare number). */
export type Names = Readonly<Record<string, string>>;

export interface Expression {
  readonly source: string;
  readonly root: Node;
  readonly dimension: Dimension | undefined;
  readonly series: boolean;
  /** Names that it reads, each once, sorted. */
  readonly names: readonly string[];
  /** How far before the first interval it looks, ms: load as much context. Calendar units at their longest. */
  readonly lookBack: number;
  /** Whether a window covers time after the interval (calendar windows): the end of its local unit must be loaded too. */
  readonly wholePeriods: readonly CalendarWord[];
}
