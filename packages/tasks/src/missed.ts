/**
 * Which occurrences of a schedule are due now, and which of them are made up for after down time.
 *
 * Decides: nothing runs that was dealt with, and all that was missed is named, so that it can be kept as passed over. Leaves out: the memory
 * of what was dealt with: occurrences are known by their names, and the store keeps each once.
 */
import type { Occurrence, Recurring } from '@amiable/calendar';
import type { Missed } from './definition.ts';

export interface DueOccurrence extends Occurrence {
  /** False: it was missed and is passed over. */
  readonly run: boolean;
}

/** An occurrence that is later than this was missed; less is the ordinary delay of a schedule that is looked at now and then. */
export const GRACE = 10 * 60_000;
/** Of a long time away the newest so many are made up for. */
export const MOST_MISSED = 100;

/**
 * What is due from `since` to `now` (both included, epoch ms), in order. Of the missed ones the rule says which run; those within
 * `GRACE` run anyhow.
 */
export function dueOccurrences(ready: Recurring, since: number, now: number, missed: Missed): DueOccurrence[] {
  if (since > now) return [];
  // A schedule of each minute over a year is half a million: what is older than the newest ones is passed over in silence.
  let all: Occurrence[] = ready.between(since, now + 1, MOST_MISSED * 10);
  while (all.length === MOST_MISSED * 10) {
    const last = all.at(-1) as Occurrence;
    const more = ready.between(last.at + 1, now + 1, MOST_MISSED * 10);
    if (more.length === 0) break;
    all = [...all, ...more].slice(-MOST_MISSED * 10);
    if (more.length < MOST_MISSED * 10) break;
  }
  const recent = all.slice(-MOST_MISSED);
  return recent.map((occurrence, i) => ({
    ...occurrence,
    run: missed === 'all' || now - occurrence.at <= GRACE || (missed === 'last' && i === recent.length - 1),
  }));
}
