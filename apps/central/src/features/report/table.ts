/** A report before it has a form: columns, rows, totals and what must be said beside them. Pure data; render/ gives it a form. */

export type CellType = 'text' | 'integer' | 'number' | 'percent' | 'money' | 'day' | 'time' | 'minutes';

export interface ReportColumn {
  readonly name: string;
  /** Heading. */
  readonly label: string;
  /** `percent`: a share from 0 to 1; `money`: decimal text; `day`: `2026-11-20`; `time`: epoch ms. */
  readonly type: CellType;
  /** Decimals shown of a number. */
  readonly decimals?: number;
  /** Shown in the heading. */
  readonly unit?: string;
  /** Drawn as a bar beside its number, in relation to the largest of the column (of a percentage: to 1). */
  readonly bar?: boolean;
}

export type ReportCell = string | number | null;

export interface ReportTable {
  readonly title: string;
  /** What was asked, as label and words. */
  readonly asked: readonly (readonly [label: string, words: string])[];
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly (readonly ReportCell[])[];
  readonly totals?: readonly ReportCell[];
  /** Sentences: what was left out, what the figures mean. */
  readonly notes: readonly string[];
  /** IANA zone of its days and times. */
  readonly timeZone: string;
  /** Epoch ms. */
  readonly made: number;
}

/** Rows of one report; what is beyond is told in a note. */
export const MOST_ROWS = 20_000;
