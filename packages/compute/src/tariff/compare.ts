/** What if: two results for the same consumption beside each other, and how the prices of a tariff may follow one another. */
import { MisuseError } from '@amiable/bytes';
import { firstDayOf } from './compile.ts';
import { dayText, parseDay } from './days.ts';
import { type Fraction, minus, over, parse, plus, print, times, whole, ZERO } from './fraction.ts';
import type { Rated, TariffVersion } from './types.ts';

export interface ComparedLine {
  readonly component: string;
  readonly title: string;
  /** Sum of the component's lines; null where the tariff has no such component. */
  readonly before: string | null;
  readonly after: string | null;
  readonly difference: string;
}

export interface Comparison {
  readonly currency: string;
  readonly before: string;
  readonly after: string;
  /** After less before: below zero the customer pays less. */
  readonly difference: string;
  /** Of what was paid before; null where that was nothing. */
  readonly percent: string | null;
  /** Components by name, those of the first result first. */
  readonly components: readonly ComparedLine[];
}

/** @throws MisuseError for results of different currencies or periods */
export function compareRated(before: Rated, after: Rated): Comparison {
  if (before.currency !== after.currency)
    throw new MisuseError(`results in ${before.currency} and ${after.currency} cannot be compared`);
  if (before.from !== after.from || before.to !== after.to)
    throw new MisuseError('results of different periods cannot be compared; bill both for the same one');
  const sums = (of: Rated): Map<string, { title: string; sum: Fraction }> => {
    const found = new Map<string, { title: string; sum: Fraction }>();
    for (const { component, title, amount } of of.lines)
      found.set(component, { title, sum: plus(found.get(component)?.sum ?? ZERO, parse(amount)) });
    return found;
  };
  const a = sums(before);
  const b = sums(after);
  const { decimals } = before;
  const text = (value: Fraction): string => print(value, Math.max(6, decimals), decimals);
  const difference = minus(parse(after.total), parse(before.total));
  const paid = parse(before.total);
  return {
    currency: before.currency,
    before: before.total,
    after: after.total,
    difference: text(difference),
    percent:
      paid.n === 0n
        ? null
        : print(over(times(difference, whole(100)), paid.n < 0n ? { n: -paid.n, d: paid.d } : paid), 2),
    components: [...new Set([...a.keys(), ...b.keys()])].map((component) => {
      const x = a.get(component);
      const y = b.get(component);
      return {
        component,
        title: (x ?? y)?.title ?? component,
        before: x ? text(x.sum) : null,
        after: y ? text(y.sum) : null,
        difference: text(minus(y?.sum ?? ZERO, x?.sum ?? ZERO)),
      };
    }),
  };
}

/**
 * The versions with one more. What was billed stays as it was: a version may begin only after the last day billed by the tariff, and
 * never takes the place of another.
 *
 * @param billedTo first local day that is not billed yet, `2026-04-01`; left out, nothing was
 * @throws MisuseError with the reason
 */
export function addVersion(
  versions: readonly TariffVersion[],
  next: TariffVersion,
  billedTo?: string,
): TariffVersion[] {
  const day = firstDayOf(next);
  if (billedTo !== undefined && day < parseDay(billedTo))
    throw new MisuseError(
      `prices from ${next.from} on would change what was billed up to ${dayText(parseDay(billedTo) - 1)}; let the version begin on ${billedTo} or later, and settle what lies before as a difference`,
    );
  for (const { version, from } of versions) {
    if (version === next.version)
      throw new MisuseError(`there is a version ${version} already; versions are never written over`);
    if (parseDay(from) === day)
      throw new MisuseError(`version ${version} begins on ${from} too; versions are never written over`);
  }
  return [...versions, next].sort((a, b) => parseDay(a.from) - parseDay(b.from));
}
