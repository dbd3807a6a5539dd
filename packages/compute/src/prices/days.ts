/** Which local days have all their prices: 92, 96 or 100 quarters, 23, 24 or 25 hours. */
import { add, startOf, toLocal } from '@amiable/calendar';

export interface PriceDay {
  /** `2026-10-25`. */
  readonly day: string;
  readonly from: number;
  readonly to: number;
  /** Prices on the grid that the day should have: 92, 96, 100 of quarters. */
  readonly expected: number;
  readonly present: number;
  /** Stretches without a price. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
  /** Set where the day is not 24 hours or something lacks. */
  readonly sentence: string | undefined;
}

/** The days that [from, to) touches, whole; `values[i]` is the price from `start + i × step`, NaN where there is none. */
export function priceDays(
  points: { readonly start: number; readonly step: number; readonly values: Float64Array },
  zone: string,
  from: number,
  to: number,
): PriceDay[] {
  const { start, step, values } = points;
  const days: PriceDay[] = [];
  for (let at = startOf('day', zone, from); at < to && days.length < 4000; at = add('day', zone, at, 1)) {
    const end = add('day', zone, at, 1);
    const expected = Math.round((end - at) / step);
    const gaps: { from: number; to: number }[] = [];
    let present = 0;
    for (let t = at; t < end; t += step) {
      const value = values[(t - start) / step];
      const last = gaps.at(-1);
      if (value !== undefined && !Number.isNaN(value)) present++;
      else if (last?.to === t) last.to = t + step;
      else gaps.push({ from: t, to: t + step });
    }
    const day = new Date(toLocal(zone, at)).toISOString().slice(0, 10);
    const hours = (end - at) / 3_600_000;
    const words: string[] = [];
    if (hours !== 24)
      words.push(`${day} has ${hours} hours (${hours < 24 ? 'summer time begins' : 'summer time ends'})`);
    if (present < expected)
      words.push(
        `${words.length > 0 ? '' : `${day}: `}${expected - present} of ${expected} prices lack, ${gaps
          .slice(0, 3)
          .map((gap) => `from ${clock(zone, gap.from)} to ${clock(zone, gap.to)}`)
          .join(', ')}${gaps.length > 3 ? ` and ${gaps.length - 3} more` : ''}`,
      );
    days.push({
      day,
      from: at,
      to: end,
      expected,
      present,
      gaps,
      sentence: words.length === 0 ? undefined : words.join('; '),
    });
  }
  return days;
}

const clock = (zone: string, at: number): string => new Date(toLocal(zone, at)).toISOString().slice(11, 16);
