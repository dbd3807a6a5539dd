/**
 * Methods of estimation (mdm §3): each fills the intervals [a, b) of one gap, or of one local day of it, or says that it cannot.
 *
 * Decides: what may be a basis (accepted values alone, no day with a power failure), which days are nearest (the earlier of two that are
 * as far), that power failures are no endpoints. Leaves out: the order in which methods are tried (fill.ts), scaling (scale.ts).
 */
import { clockOf, type Days, dayAt, HOLIDAY, instantOf, KINDS_OF_DAY, WEEKEND } from './days.ts';
import { exact, localDate, localTime, some } from './say.ts';
import { shareOut } from './share.ts';
import type { EstimationMethod } from './types.ts';
import { fill, timeAt, type Work } from './work.ts';

const DAY = 86_400_000;
/** How far a nearest good interval and a reference profile's level are looked for. */
const REACH = 7 * DAY;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** One gap or day of it. `user`: the mantissa that a rule or a person gave. */
export type Method = (work: Work, a: number, b: number, user?: number) => boolean;

const isGood = (work: Work, i: number): boolean =>
  i >= 0 && i < work.values.length && work.basis[i] === 1 && work.outage[i] === 0;
const isOut = (work: Work, i: number): boolean => i >= 0 && i < work.values.length && (work.outage[i] as number) > 0;
const say = (work: Work, value: number): string => exact(value, work.series.scaler);
const at = (work: Work, i: number): string => localTime(timeAt(work, i), work.zone);

/** Between the intervals beside the gap; beside a power failure zero or the nearest good interval. */
const linear: Method = (work, a, b) => {
  const left = isGood(work, a - 1);
  const right = isGood(work, b);
  if (left && right) {
    const from = work.values[a - 1] as number;
    const to = work.values[b] as number;
    const n = b - a;
    for (let i = 1; i <= n; i++) work.values[a + i - 1] = Math.round(from + ((to - from) * i) / (n + 1));
    fill(
      work,
      a,
      b,
      'linear',
      `between ${say(work, from)} at ${at(work, a - 1)} and ${say(work, to)} at ${at(work, b)}`,
      { left: from, right: to, leftAt: timeAt(work, a - 1), rightAt: timeAt(work, b) },
    );
    return true;
  }
  const leftOut = isOut(work, a - 1);
  const rightOut = isOut(work, b);
  if (leftOut && rightOut) {
    work.values.fill(0, a, b);
    fill(work, a, b, 'outage', 'zero: power failures on both sides', { value: 0 });
    return true;
  }
  return (leftOut || rightOut) && nearest(work, a, b);
};

/** The value of the good interval that is nearest to the gap; of two that are as near the earlier. */
const nearest: Method = (work, a, b) => {
  const reach = Math.ceil(REACH / work.series.step);
  for (let off = 1; off <= reach; off++)
    for (const i of [a - off, b - 1 + off]) {
      if (!isGood(work, i)) continue;
      const value = work.values[i] as number;
      work.values.fill(value, a, b);
      fill(work, a, b, 'nearest', `${say(work, value)} as at ${at(work, i)}, the nearest good interval`, {
        value,
        valueAt: timeAt(work, i),
      });
      return true;
    }
  return false;
};

const zero: Method = (work, a, b) => {
  work.values.fill(0, a, b);
  fill(work, a, b, 'zero', 'zero, as the rule says', { value: 0 }, true);
  return true;
};

const userDefined: Method = (work, a, b, user) => {
  if (user === undefined) return false;
  work.values.fill(user, a, b);
  fill(work, a, b, 'user-defined', `${say(work, user)} in each interval, as the rule says`, { value: user }, true);
  return true;
};

const userDefinedDistributed: Method = (work, a, b, user) => {
  if (user === undefined) return false;
  equally(work, a, b, user);
  const sentence = `${say(work, user)} shared equally over ${b - a} intervals, as the rule says`;
  fill(work, a, b, 'user-defined-distributed', sentence, { total: user }, true);
  return true;
};

function equally(work: Work, a: number, b: number, total: number): void {
  work.values.fill(0, a, b);
  shareOut(
    work.values,
    Array.from({ length: b - a }, (_, k) => a + k),
    Math.round(total),
  );
}

/**
 * What the register says of the time around the gap, less what is known of it; without a register the value after the gap, which is then
 * what ran through since the value before it.
 */
const distributeCumulative: Method = (work, a, b) => {
  const { at: places, shown, runs } = work.register();
  let k = places.length - 1;
  while (k >= 0 && (places[k] as number) > a) k--;
  let m = Math.max(k, 0);
  while (m < places.length && (places[m] as number) < b) m++;
  if (k >= 0 && m < places.length && runs[k] === runs[m]) {
    let known = 0;
    let whole = true;
    for (let i = places[k] as number; i < (places[m] as number); i++) {
      if (i >= a && i < b) continue;
      if (work.open[i] === 1 || Number.isNaN(work.values[i] as number)) whole = false;
      else known += work.values[i] as number;
    }
    const difference = Math.round((shown[m] as number) - (shown[k] as number));
    const total = difference - known;
    if (whole && (total >= 0 || !work.consumption)) {
      equally(work, a, b, total);
      const [from, to] = [at(work, places[k] as number), at(work, places[m] as number)];
      const sentence = `${say(work, total)} shared equally over ${b - a} intervals: the register ran ${say(work, difference)} from ${from} to ${to}, ${say(work, known)} of it is known`;
      fill(work, a, b, 'distribute-cumulative-value', sentence, { total, difference, known });
      return true;
    }
  }
  if (b >= work.hi || !isGood(work, b) || work.quality[b] !== 0) return false;
  const total = work.values[b] as number;
  equally(work, a, b + 1, total);
  const sentence = `${say(work, total)}, which stood at ${at(work, b)} after the gap, shared equally over it and ${b - a} before`;
  fill(work, a, b + 1, 'distribute-cumulative-value', sentence, { total, valueAt: timeAt(work, b) });
  return true;
};

/** Index of the same time of day on another day; -1 where the series has none or it is no basis. */
function sameTime(work: Work, days: Days, i: number, day: number, other: number): number {
  const clock = clockOf(days, day, timeAt(work, i), work.zone);
  const there = Math.floor((instantOf(days, other, clock, work.zone) - work.series.start) / work.series.step);
  return there >= 0 && there < work.values.length && work.basis[there] === 1 ? there : -1;
}

/** Whether another day can stand for [a, b) of this one: every interval accepted, no power failure on all of the day. */
function stands(work: Work, days: Days, a: number, b: number, day: number, other: number): boolean {
  const { start, step } = work.series;
  const first = Math.max(0, Math.floor(((days.starts[other] as number) - start) / step));
  const last = Math.min(work.values.length, Math.ceil(((days.starts[other + 1] as number) - start) / step));
  for (let i = first; i < last; i++) if (work.outage[i] !== 0) return false;
  for (let i = a; i < b; i++) if (sameTime(work, days, i, day, other) < 0) return false;
  return true;
}

/** Means over days, the nearest first; false when there are fewer than `least`. */
function meanOf(
  work: Work,
  a: number,
  b: number,
  method: EstimationMethod,
  least: number,
  most: number,
  fits: (other: number) => boolean,
  kind: string,
): boolean {
  const days = work.days();
  const day = dayAt(days, timeAt(work, a));
  const chosen: number[] = [];
  for (let off = 1; off < days.count && chosen.length < most; off++)
    for (const other of [day - off, day + off])
      if (
        chosen.length < most &&
        other >= 0 &&
        other < days.count &&
        fits(other) &&
        stands(work, days, a, b, day, other)
      )
        chosen.push(other);
  if (chosen.length < least) return false;
  for (let i = a; i < b; i++) {
    let sum = 0;
    for (const other of chosen) sum += work.values[sameTime(work, days, i, day, other)] as number;
    work.values[i] = Math.round(sum / chosen.length);
  }
  const dates = chosen.map((other) => days.starts[other] as number);
  const names = some(dates.map((time) => localDate(time, work.zone)));
  fill(work, a, b, method, `${chosen.length > 1 ? 'mean of ' : ''}${kind} ${names}`, { days: dates });
  return true;
}

const sameWeekday: Method = (work, a, b) => {
  const days = work.days();
  const day = dayAt(days, timeAt(work, a));
  // A holiday is like no other day of its name.
  if (days.kind[day] === HOLIDAY) return false;
  const weekday = days.weekday[day] as number;
  const wanted = Math.max(1, work.settings.days ?? 3);
  const fits = (other: number): boolean => days.weekday[other] === weekday && days.kind[other] !== HOLIDAY;
  return meanOf(work, a, b, 'same-weekday', wanted, wanted, fits, `the nearest ${WEEKDAYS[weekday]}s:`);
};

const likeDay: Method = (work, a, b) => {
  const days = work.days();
  const kind = days.kind[dayAt(days, timeAt(work, a))] as number;
  const wanted = Math.max(1, work.settings.days ?? 3);
  const like = (of: number): boolean => {
    const name = KINDS_OF_DAY[of] as string;
    return meanOf(work, a, b, 'like-day', 1, wanted, (other) => days.kind[other] === of, `the nearest ${name}:`);
  };
  // Where no other holiday is known, people live as on a weekend.
  return like(kind) || (kind === HOLIDAY && like(WEEKEND));
};

const back =
  (method: EstimationMethod, step: number, most: number): Method =>
  (work, a, b) => {
    const days = work.days();
    const day = dayAt(days, timeAt(work, a));
    for (let k = 1; k <= most; k++) {
      const other = day - k * step;
      if (other < 0) return false;
      if (!stands(work, days, a, b, day, other)) continue;
      for (let i = a; i < b; i++) work.values[i] = work.values[sameTime(work, days, i, day, other)] as number;
      const start = days.starts[other] as number;
      const older = k === 1 ? '' : ', for what lies between is not accepted';
      fill(work, a, b, method, `as on ${localDate(start, work.zone)}${older}`, { days: [start] });
      return true;
    }
    return false;
  };

/** Value of another series at the same instant, in mantissas of this one; NaN where there is none. */
function other(work: Work, series: typeof work.series, i: number): number {
  const there = (timeAt(work, i) - series.start) / series.step;
  if (series.step !== work.series.step || !Number.isInteger(there) || there < 0 || there >= series.values.length)
    return Number.NaN;
  if ((series.quality[there] as number) > 2) return Number.NaN;
  return (series.values[there] as number) * 10 ** (series.scaler - work.series.scaler);
}

const checkMeter: Method = (work, a, b) => {
  const series = work.checkMeter;
  if (!series) return false;
  for (let i = a; i < b; i++) if (Number.isNaN(other(work, series, i))) return false;
  for (let i = a; i < b; i++) work.values[i] = Math.round(other(work, series, i));
  fill(work, a, b, 'check-meter', 'as the check meter measured', {});
  return true;
};

/** The reference's shape at the level that this series has beside it, over a week on both sides. */
const referenceProfile: Method = (work, a, b) => {
  const series = work.reference;
  if (!series) return false;
  for (let i = a; i < b; i++) if (Number.isNaN(other(work, series, i))) return false;
  const reach = Math.ceil(REACH / work.series.step);
  let own = 0;
  let its = 0;
  for (let i = Math.max(0, a - reach); i < Math.min(work.values.length, b + reach); i++) {
    if ((i >= a && i < b) || !isGood(work, i)) continue;
    const value = other(work, series, i);
    if (Number.isNaN(value)) continue;
    own += work.values[i] as number;
    its += value;
  }
  const factor = its > 0 && own >= 0 ? own / its : 1;
  for (let i = a; i < b; i++) work.values[i] = Math.round(other(work, series, i) * factor);
  const sentence = `the reference profile times ${factor.toPrecision(4)}, which is how this series stands to it within a week`;
  fill(work, a, b, 'reference-profile', sentence, { factor });
  return true;
};

export const METHODS: Readonly<Partial<Record<EstimationMethod, Method>>> = {
  linear,
  nearest,
  zero,
  'user-defined': userDefined,
  'user-defined-distributed': userDefinedDistributed,
  'distribute-cumulative-value': distributeCumulative,
  'same-weekday': sameWeekday,
  'like-day': likeDay,
  'previous-day': back('previous-day', 1, 7),
  'previous-week': back('previous-week', 7, 8),
  'check-meter': checkMeter,
  'reference-profile': referenceProfile,
};
