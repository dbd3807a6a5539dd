/** What validation finds and what may be done about it; the shapes that its kernels, its jobs and its pages share. */

/** In order of weight. */
export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Columns of the matrix (AMI system description §5.3). */
export const ACTIONS_ON_VALUES = [
  'unchanged',
  'zero',
  'previous-day',
  'previous-week',
  'user-defined',
  'user-defined-distributed',
  'distribute-cumulative-value',
] as const;
export type ValueAction = (typeof ACTIONS_ON_VALUES)[number];

/** One hit of one rule: the intervals [from, to) of the series that was looked at. */
export interface Finding {
  /** Name of the rule in its rule set. */
  readonly rule: string;
  /** Which check of the catalogue: `gap`, `spike`, `sum` … */
  readonly check: string;
  readonly severity: Severity;
  readonly from: number;
  readonly to: number;
  /** What happened, in a sentence with the numbers. */
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly action: ValueAction;
  /** False: the intervals cannot be used and are estimated, whatever they say. */
  readonly usable: boolean;
}
