/** How a value was made where none was measured; the shapes that estimation, its jobs and its pages share. */

export const ESTIMATION_METHODS = [
  'linear',
  'zero',
  'outage',
  'previous-day',
  'previous-week',
  'same-weekday',
  'like-day',
  'user-defined',
  'user-defined-distributed',
  'distribute-cumulative-value',
  'check-meter',
  'reference-profile',
  'scaled-to-registers',
  'nearest',
] as const;
export type EstimationMethod = (typeof ESTIMATION_METHODS)[number];

/** What was put into the intervals [from, to) of a series, and out of what. */
export interface Estimate {
  readonly from: number;
  readonly to: number;
  readonly method: EstimationMethod;
  /** Whether the run was scaled afterwards so that registers and intervals agree. */
  readonly scaled: boolean;
  /** The inputs in a sentence: which days, which endpoints, which registers. */
  readonly sentence: string;
  readonly inputs: Readonly<Record<string, number | readonly number[]>>;
}
