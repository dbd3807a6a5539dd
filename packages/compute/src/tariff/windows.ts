/**
 * Demand windows: intervals put together to quarters, halves or whole hours of the local clock.
 *
 * Decides: a window is whole or none; where a clock change cuts one (Lord Howe's half hour), its parts are no windows. The hour that
 * stands twice is two windows. A window belongs to the rate, day and month in which it begins.
 */
import { MisuseError } from '@amiable/bytes';
import { zoneOffset } from '@amiable/calendar';
import type { Grid } from './compile.ts';
import { civilDay } from './days.ts';

const DAY = 86_400_000;

export interface Windows {
  /** Intervals in one. */
  readonly size: number;
  /** First interval of each, by place in the grid. */
  readonly first: Int32Array;
  /** Wall day of each. */
  readonly day: Int32Array;
  /** Places of windows by month: `year × 12 + month - 1` to [from, to). */
  readonly months: ReadonlyMap<number, readonly [number, number]>;
}

const kept = new WeakMap<Grid, Map<number, Windows>>();

/** @param minutes length of a window */
export function windowsOf(grid: Grid, zone: string, minutes: number, what: string): Windows {
  let of = kept.get(grid);
  if (!of) {
    of = new Map();
    kept.set(grid, of);
  }
  let found = of.get(minutes);
  if (!found) {
    found = layWindows(grid, zone, minutes, what);
    of.set(minutes, found);
  }
  return found;
}

function layWindows({ origin, step, count }: Grid, zone: string, minutes: number, what: string): Windows {
  const length = minutes * 60_000;
  if (length % step !== 0)
    throw new MisuseError(
      `the demand charge is for means over ${minutes} minutes; ${what} has intervals of ${step / 60_000} minutes, which do not tell them`,
    );
  const size = length / step;
  const first = new Int32Array(Math.ceil(count / size));
  const day = new Int32Array(first.length);
  const months = new Map<number, [number, number]>();
  let n = 0;
  let month = Number.NaN;
  let monthDay = Number.NaN;
  for (let i = 0; i + size <= count; ) {
    const at = origin + i * step;
    const offset = zoneOffset(zone, at);
    const wall = at + offset;
    if (wall % length !== 0 || zoneOffset(zone, at + length - step) !== offset) {
      i++;
      continue;
    }
    first[n] = i;
    const wallDay = Math.floor(wall / DAY);
    day[n] = wallDay;
    if (wallDay !== monthDay) {
      const civil = civilDay(wallDay);
      month = civil.year * 12 + civil.month - 1;
      monthDay = wallDay;
    }
    const range = months.get(month);
    if (range) range[1] = n + 1;
    else months.set(month, [n, n + 1]);
    n++;
    i += size;
  }
  return { size, first: first.subarray(0, n), day: day.subarray(0, n), months };
}
