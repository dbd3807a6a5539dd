/**
 * Billing periods (feature M6): calendar months, quarters and years, beginning on any day from 1 to 28, or dates of one's own.
 *
 * Decides: the words for them (`2026-10`, `2026-Q4`, `2026`, `previous`) and that they run from local midnight to local midnight, as
 * walls; which instants those are depends on the zone of each tariff.
 */
import { MisuseError } from '@amiable/bytes';
import { localToUtc, toLocal } from '@amiable/calendar';
import type { Cycle } from '@amiable/store';

/** Wall times: ms as if the wall clock were UTC. */
export interface Period {
  readonly name: string;
  readonly cycle: Cycle;
  readonly from: number;
  readonly to: number;
}
export interface Span {
  readonly from: number;
  readonly to: number;
}

const DAY = 86_400_000;
const MONTHS: Readonly<Record<Exclude<Cycle, 'dates'>, number>> = { month: 1, quarter: 3, year: 12 };
const LONGEST = 400 * DAY;

const two = (n: number): string => String(n).padStart(2, '0');

function calendarPeriod(cycle: Exclude<Cycle, 'dates'>, year: number, index: number): Period {
  const months = MONTHS[cycle];
  const from = Date.UTC(year, index * months, 1);
  const date = new Date(from);
  const y = date.getUTCFullYear();
  const m = date.getUTCMonth();
  const name = cycle === 'year' ? `${y}` : cycle === 'month' ? `${y}-${two(m + 1)}` : `${y}-Q${m / 3 + 1}`;
  return { name, cycle, from, to: Date.UTC(y, m + months, 1) };
}

/** `previous` is the last that is over, `current` the one that runs. @throws MisuseError for a word that is no period */
export function periodNamed(cycle: Exclude<Cycle, 'dates'>, word: string, zone: string, now: number): Period {
  const months = MONTHS[cycle];
  if (word === 'previous' || word === 'current') {
    const date = new Date(toLocal(zone, now));
    const index = Math.floor(date.getUTCMonth() / months) - (word === 'previous' ? 1 : 0);
    return calendarPeriod(cycle, date.getUTCFullYear(), index);
  }
  const found = { month: /^(\d{4})-(\d\d)$/, quarter: /^(\d{4})-Q([1-4])$/, year: /^(\d{4})$/ }[cycle].exec(word);
  const [, year, part] = found ?? [];
  const index = part === undefined ? 0 : Number(part) - 1;
  if (!found || Number(year) < 1970 || Number(year) > 2199 || index < 0 || index * months > 11)
    throw new MisuseError(
      `${JSON.stringify(word.slice(0, 20))} is no ${cycle}; write ${{ month: '2026-10', quarter: '2026-Q4', year: '2026' }[cycle]}, previous or current`,
    );
  return calendarPeriod(cycle, Number(year), index);
}

/** Own dates, the second the day after the last. @throws MisuseError */
export function periodOfDates(from: string, to: string): Period {
  const [a, b] = [Date.parse(`${from}T00:00:00Z`), Date.parse(`${to}T00:00:00Z`)];
  if (Number.isNaN(a) || Number.isNaN(b) || b <= a)
    throw new MisuseError(`${from} to ${to} is no period; the second is the day after the last`);
  if (b - a > LONGEST) throw new MisuseError('a billing period has at most 400 days');
  return { name: `${from} to ${to}`, cycle: 'dates', from: a, to: b };
}

/** The instants of a period in a zone; of a cycle that begins on another day than the first, moved by so many days. */
export function inZone(period: Period, zone: string, cycleDay = 1): Span {
  const moved = period.cycle === 'dates' ? 0 : (cycleDay - 1) * DAY;
  return { from: localToUtc(zone, period.from + moved), to: localToUtc(zone, period.to + moved) };
}

/** `2026-10-01` of an instant. */
export const localDay = (zone: string, at: number): string => new Date(toLocal(zone, at)).toISOString().slice(0, 10);
