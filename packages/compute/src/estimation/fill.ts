/**
 * The order in which methods are tried on what is open (mdm §3): what a rule wants first; zero where a power failure covers the whole
 * interval; short gaps whole; long gaps local day by local day. What no method can fill stays open.
 */
import { dayAt } from './days.ts';
import { METHODS, type Method } from './methods.ts';
import { localTime } from './say.ts';
import type { EstimationMethod } from './types.ts';
import { fill, flag, timeAt, WHOLLY, type Work } from './work.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const DEFAULT_SHORT: readonly EstimationMethod[] = ['check-meter', 'linear'];
export const DEFAULT_LONG: readonly EstimationMethod[] = [
  'check-meter',
  'same-weekday',
  'like-day',
  'reference-profile',
  'previous-week',
  'previous-day',
];

/** What a rule wants done with [from, to). */
export interface Wanted {
  readonly from: number;
  readonly to: number;
  readonly action: EstimationMethod;
  readonly value: number | undefined;
  readonly rule: string;
}

/** Fills what is open in [lo, hi). */
export function fillOpen(work: Work, wanted: readonly Wanted[]): void {
  for (const { from, to, action, value, rule } of wanted) {
    const method = METHODS[action];
    if (!method) continue;
    eachRun(work, from, to, (a, b) => {
      // A day before stands for a day; what spans several days is taken day by day, so that each has one of its own.
      const done =
        action === 'previous-day' || action === 'previous-week'
          ? byDay(work, a, b, (c, d) => method(work, c, d, value))
          : method(work, a, b, value);
      if (!done)
        flag(
          work,
          'action-not-possible',
          'warning',
          a,
          b,
          `rule ${rule} asks for ${action}, which has nothing to go by here; estimated like any gap`,
          { intervals: b - a },
        );
    });
  }
  const limit = (work.settings.giveUp ?? 62 * DAY) / work.series.step;
  eachRun(work, work.lo, work.hi, (a, b) => {
    if (b - a > limit) {
      work.open.fill(0, a, b);
      const days = ((b - a) * work.series.step) / DAY;
      flag(
        work,
        'gap-not-estimated',
        'error',
        a,
        b,
        `${days.toFixed(1)} days from ${localTime(timeAt(work, a), work.zone)} are missing; as long a gap is not estimated (limit ${(limit * work.series.step) / DAY} days)`,
        { days },
      );
      return;
    }
    eachOutage(work, a, b);
    eachRun(work, a, b, (c, d) => gap(work, c, d));
  });
}

/** Runs of open intervals in [from, to). */
export function eachRun(work: Work, from: number, to: number, take: (a: number, b: number) => void): void {
  const { open } = work;
  for (let i = from; i < to; ) {
    if (open[i] === 0) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < to && open[end] === 1) end++;
    take(i, end);
    i = end;
  }
}

/** Without supply nothing is used. */
function eachOutage(work: Work, a: number, b: number): void {
  for (let i = a; i < b; ) {
    if (work.outage[i] !== WHOLLY) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < b && work.outage[end] === WHOLLY) end++;
    work.values.fill(0, i, end);
    fill(work, i, end, 'outage', 'zero: a power failure covers all of it', { value: 0 });
    i = end;
  }
}

function gap(work: Work, a: number, b: number): void {
  const { settings } = work;
  const long = settings.long ?? DEFAULT_LONG;
  const isShort = (b - a) * work.series.step <= (settings.shortUpTo ?? 2 * HOUR);
  if (isShort && tryAll(work, a, b, settings.short ?? DEFAULT_SHORT)) return;
  byDay(work, a, b, (c, d) => tryAll(work, c, d, long));
}

function tryAll(work: Work, a: number, b: number, methods: readonly EstimationMethod[]): boolean {
  for (const name of methods) {
    const method: Method | undefined = METHODS[name];
    if (method?.(work, a, b)) return true;
  }
  return false;
}

/** Pieces of [a, b) by local day; whether all of them were done. */
function byDay(work: Work, a: number, b: number, take: (c: number, d: number) => boolean): boolean {
  const days = work.days();
  let done = true;
  for (let i = a; i < b; ) {
    const next = days.starts[dayAt(days, timeAt(work, i)) + 1] as number;
    const end = Math.min(b, Math.max(i + 1, Math.ceil((next - work.series.start) / work.series.step)));
    if (!take(i, end)) done = false;
    i = end;
  }
  return done;
}
