/**
 * Local days as indices of a series. The same grid comes again for thousands of meters, so the last grids are remembered.
 */
import { startsIn } from '@amiable/calendar';

const REMEMBERED = 8;

export interface DayGrid {
  /** Ascending: 0, every local midnight, `from`, `to`, n; part d is [bounds[d], bounds[d + 1]). */
  readonly bounds: Int32Array;
  /** Parts [first, last) are those of [from, to). */
  readonly first: number;
  readonly last: number;
  /** Midnights alone, without 0 and n unless they are some. */
  readonly midnights: Int32Array;
}

interface Known extends DayGrid {
  readonly zone: string;
  readonly start: number;
  readonly step: number;
  readonly n: number;
  readonly from: number;
  readonly to: number;
}
const memory: Known[] = [];

/**
 * Days of [0, n), cut at `from` and `to`. A midnight within an interval counts for the interval that begins behind it.
 *
 * @param start epoch ms of interval 0
 * @param step ms
 */
export function dayGrid(zone: string, start: number, step: number, n: number, from = 0, to = n): DayGrid {
  for (const known of memory)
    if (
      known.start === start &&
      known.n === n &&
      known.from === from &&
      known.to === to &&
      known.step === step &&
      known.zone === zone
    )
      return known;
  const at = new Set<number>([0, from, to, n]);
  const midnights: number[] = [];
  for (const midnight of startsIn('day', zone, start, start + n * step + 1)) {
    const i = Math.ceil((midnight - start) / step);
    if (i < 0 || i > n) continue;
    midnights.push(i);
    at.add(i);
  }
  const bounds = Int32Array.from(at).sort();
  const grid: Known = {
    zone,
    start,
    step,
    n,
    from,
    to,
    bounds,
    first: bounds.indexOf(from),
    last: bounds.indexOf(to),
    midnights: Int32Array.from(midnights),
  };
  if (memory.length >= REMEMBERED) memory.pop();
  memory.unshift(grid);
  return grid;
}

/** Last part that begins at `i` or before. */
export function partOf(bounds: Int32Array, i: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((bounds[middle] as number) <= i) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where the local day begins that lies `days` days before `i`; `i` itself is where a day begins or a day that has begun. */
export function daysBefore(midnights: Int32Array, i: number, days: number): number {
  if (!midnights.length || i <= (midnights[0] as number)) return 0;
  // The last midnight before i: i on a midnight is the end of the day before.
  const last = partOf(midnights, i - 1);
  return last - (days - 1) < 0 ? 0 : (midnights[last - (days - 1)] as number);
}
