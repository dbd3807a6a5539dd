/** Where the marks of an axis stand: round numbers for values, local hours, days and months for time. */
import { add, type CalendarUnit, startOf } from '@amiable/calendar';
import type { Format } from '../format.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

export interface Mark {
  readonly at: number;
  readonly text: string;
}

/** Minutes between marks for spans below two days. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720];

/** At most `most` marks in [from, to]. Days are local: none is 24 hours by decree. */
export function timeMarks(from: number, to: number, zone: string, format: Format, most: number): Mark[] {
  const span = to - from;
  if (span <= 0 || most < 1) return [];
  const marks: Mark[] = [];
  if (span <= 2 * DAY) {
    const step = (STEPS.find((minutes) => span / (minutes * MINUTE) <= most) ?? 1440) * MINUTE;
    const day = startOf('day', zone, from);
    // Steps from local midnight; after a change of the clocks the wall's hours are looked up anew.
    for (let at = day + Math.ceil((from - day) / step) * step; at < to; at += step)
      marks.push({ at, text: format.clock(at, zone) });
    return marks;
  }
  const unit: CalendarUnit = span > 80 * DAY ? 'month' : 'day';
  const count = span / (unit === 'month' ? 30 * DAY : DAY);
  const every = Math.max(1, Math.ceil(count / most));
  let n = 0;
  for (let at = startOf(unit, zone, from); at < to; at = add(unit, zone, at, 1)) {
    if (at >= from && n++ % every === 0)
      marks.push({
        at,
        text: unit === 'month' ? format.monthShort(at, zone) : format.dayShort(at, zone, span <= 9 * DAY),
      });
  }
  return marks;
}

/** Round values from at or below `low` to at or above `high`, two at least: one mark is no scale. */
export function valueMarks(low: number, high: number, most: number): number[] {
  // A span that vanishes beside its values has no marks of its own.
  const least = Math.max(Math.abs(low), Math.abs(high), 1e-3) * 1e-9;
  const raw = Math.max(high - low || 1, least) / Math.max(1, most);
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * decade).find((s) => s >= raw) ?? 10 * decade;
  const marks: number[] = [];
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  for (let k = first; k <= last; k++) marks.push(k * step);
  return marks;
}
