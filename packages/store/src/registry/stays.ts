/**
 * Stays in time, as arithmetic: what becomes of the stays of one child when somebody writes down that it came, left, or that
 * an earlier note was wrong. Decides that stays of one child never overlap and that nothing is overwritten: a change gives rows
 * to replace and rows to add. Times are epoch ms; a stay holds from `from` to before `to`, or still when `to` is null.
 */
import { MisuseError } from '@amiable/bytes';

export interface Stay {
  readonly from: number;
  readonly to: number | null;
}
export interface KeptStay<T> extends Stay {
  readonly id: string;
  readonly what: T;
}
export interface Change<T> {
  readonly replace: readonly string[];
  readonly add: readonly (Stay & { readonly what: T })[];
}

export const overlap = (a: Stay, b: Stay): boolean =>
  (b.to === null || a.from < b.to) && (a.to === null || b.from < a.to);
export const holdsAt = (s: Stay, at: number): boolean => s.from <= at && (s.to === null || at < s.to);

const day = (ms: number): string => new Date(ms).toISOString();
export const inWords = (s: Stay): string =>
  s.to === null ? `since ${day(s.from)}` : `from ${day(s.from)} to ${day(s.to)}`;

function check(stay: Stay): void {
  if (!Number.isSafeInteger(stay.from) || (stay.to !== null && !Number.isSafeInteger(stay.to)))
    throw new MisuseError('a stay has times in whole milliseconds');
  if (stay.to !== null && stay.to <= stay.from)
    throw new MisuseError(`a stay ends after it begins: ${day(stay.from)} to ${day(stay.to)}`);
}

function free<T>(stays: readonly KeptStay<T>[], stay: Stay): void {
  const other = stays.find((s) => overlap(s, stay));
  if (other)
    throw new MisuseError(`${inWords(stay)} overlaps the stay ${inWords(other)} (${other.id}); correct that one first`);
}

/**
 * It came. An open stay that began earlier ends where this one begins, if it is still there; a stay of the past has to fit in.
 * @throws MisuseError when it overlaps another stay
 */
export function come<T>(stays: readonly KeptStay<T>[], stay: Stay, what: T): Change<T> {
  check(stay);
  const open = stay.to === null ? stays.find((s) => s.to === null && s.from < stay.from) : undefined;
  const rest = open ? stays.filter((s) => s !== open) : stays;
  free(rest, stay);
  return open
    ? {
        replace: [open.id],
        add: [
          { from: open.from, to: stay.from, what: open.what },
          { ...stay, what },
        ],
      }
    : { replace: [], add: [{ ...stay, what }] };
}

/** It left. @throws MisuseError when it was nowhere, or came later than that */
export function leave<T>(stays: readonly KeptStay<T>[], to: number): Change<T> {
  const open = stays.find((s) => s.to === null);
  if (!open) throw new MisuseError('there is no stay to end');
  const ended = { from: open.from, to };
  check(ended);
  return { replace: [open.id], add: [{ ...ended, what: open.what }] };
}

/** It was otherwise: another time or place, or not at all (`right` undefined). */
export function correct<T>(
  stays: readonly KeptStay<T>[],
  id: string,
  right: (Stay & { readonly what: T }) | undefined,
): Change<T> {
  const wrong = stays.find((s) => s.id === id);
  if (!wrong) throw new MisuseError(`there is no stay ${id} that holds; it may have been corrected before`);
  if (!right) return { replace: [id], add: [] };
  check(right);
  free(
    stays.filter((s) => s !== wrong),
    right,
  );
  return { replace: [id], add: [right] };
}
