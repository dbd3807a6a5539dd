/**
 * Periods as people and wall displays name them: `day`, `week -2`, `month,-1`, `year 0`. The offset counts whole
 * calendar units from the one that holds now; negative is earlier.
 */
import { add, type CalendarUnit } from './units.ts';

export type PeriodUnit = Exclude<CalendarUnit, 'hour'>;

export interface Period {
  readonly unit: PeriodUnit;
  readonly offset: number;
}

const FORM = /^\s*(day|week|month|year)s?\s*[,/ ]?\s*([+-]?\d{1,5})?\s*$/i;

/** Reads a period; undefined when the text is none. */
export function parsePeriod(text: string): Period | undefined {
  const found = FORM.exec(text);
  if (!found) return undefined;
  // `-0` reads as zero.
  return { unit: (found[1] as string).toLowerCase() as PeriodUnit, offset: Number(found[2] ?? 0) + 0 || 0 };
}

export function printPeriod(period: Period): string {
  return period.offset === 0 ? period.unit : `${period.unit} ${period.offset}`;
}

/** The instants [from, to) of a period, UTC ms. */
export function periodRange(period: Period, zone: string, nowMs: number): { from: number; to: number } {
  return {
    from: add(period.unit, zone, nowMs, period.offset),
    to: add(period.unit, zone, nowMs, period.offset + 1),
  };
}
