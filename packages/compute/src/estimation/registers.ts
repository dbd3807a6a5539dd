/**
 * Register readings that lack at the times at which they are wanted (mdm §3): the reading before plus the intervals since, the reading after
 * less the intervals until then, or the reading before plus days times the average daily consumption.
 *
 * Decides: an estimate never passes a reading of the same run that stands later; it is cut to the register's own steps, as a register shows
 * them. Leaves out: rollover (registers come with it taken out).
 */
import type { Showings } from '../series.ts';
import { exact, localTime } from './say.ts';
import type { RegisterEstimate } from './vee-types.ts';
import { timeAt, type Work } from './work.ts';

const DAY = 86_400_000;

export function estimateRegisters(
  work: Work,
  showings: Showings,
  wanted: Float64Array,
  multiplier: number,
): RegisterEstimate[] {
  const { at, shown, runs } = work.register();
  const out: RegisterEstimate[] = [];
  const { start, step, scaler } = work.series;
  // Mantissas of the series to mantissas of the register.
  const back = 10 ** (scaler - showings.scaler) / multiplier;
  const cut = (value: number): number => Math.floor(value * back + 1e-6);
  const say = (value: number): string => exact(cut(value), showings.scaler);
  const when = (i: number): string => localTime(timeAt(work, i), work.zone);
  const have = new Set(at);
  const daily = averageDaily(work);
  for (const time of wanted) {
    const place = (time - start) / step;
    const near = Math.round(place);
    if (have.has(near) && Math.abs(place - near) * step <= 30_000) continue;
    let before = at.length - 1;
    while (before >= 0 && (at[before] as number) > place) before--;
    const after = before + 1 < at.length ? before + 1 : -1;
    const on = Number.isInteger(place) && place >= 0 && place <= work.values.length;
    const p = before >= 0 ? (at[before] as number) : -1;
    const sumBefore = on && before >= 0 ? sum(work, p, place) : Number.NaN;
    const later = after >= 0 && (before < 0 || runs[after] === runs[before]) ? after : -1;
    const most = later >= 0 ? (shown[later] as number) : Number.POSITIVE_INFINITY;
    if (!Number.isNaN(sumBefore)) {
      const value = Math.min((shown[before] as number) + sumBefore, most);
      out.push({
        time,
        value: cut(value),
        method: 'intervals',
        sentence: `${say(shown[before] as number)} at ${when(p)} plus ${say(sumBefore)} of the intervals since`,
        inputs: { reading: cut(shown[before] as number), readingAt: timeAt(work, p), intervals: sumBefore },
      });
      continue;
    }
    const sumAfter = on && after >= 0 ? sum(work, place, at[after] as number) : Number.NaN;
    if (!Number.isNaN(sumAfter)) {
      const least = later >= 0 && before >= 0 ? (shown[before] as number) : 0;
      const value = Math.max((shown[after] as number) - sumAfter, least);
      out.push({
        time,
        value: cut(value),
        method: 'intervals',
        sentence: `${say(shown[after] as number)} at ${when(at[after] as number)} less ${say(sumAfter)} of the intervals until then`,
        inputs: {
          reading: cut(shown[after] as number),
          readingAt: timeAt(work, at[after] as number),
          intervals: -sumAfter,
        },
      });
      continue;
    }
    if (before < 0 || Number.isNaN(daily)) continue;
    const days = (time - timeAt(work, p)) / DAY;
    const value = Math.min((shown[before] as number) + days * daily, most);
    out.push({
      time,
      value: cut(value),
      method: 'average-daily',
      sentence: `${say(shown[before] as number)} at ${when(p)} plus ${days.toFixed(2)} days of ${say(daily)} on average`,
      inputs: { reading: cut(shown[before] as number), readingAt: timeAt(work, p), days, daily: cut(daily) },
    });
  }
  return out;
}

/** NaN as soon as an interval lacks. */
function sum(work: Work, from: number, to: number): number {
  if (to > work.values.length || from < 0) return Number.NaN;
  let total = 0;
  for (let i = from; i < to; i++) total += work.values[i] as number;
  return total;
}

/** Of the register over its longest time without a fall; else of the intervals. Mantissas of the series a day; NaN: nothing is known. */
function averageDaily(work: Work): number {
  const { at, shown, runs } = work.register();
  let best = 0;
  let daily = Number.NaN;
  for (let first = 0, k = 1; k <= at.length; k++) {
    if (k < at.length && runs[k] === runs[first]) continue;
    const length = (at[k - 1] as number) - (at[first] as number);
    if (length > best) {
      best = length;
      daily = (((shown[k - 1] as number) - (shown[first] as number)) * DAY) / (length * work.series.step);
    }
    first = k;
  }
  if (best * work.series.step >= DAY) return daily;
  let total = 0;
  let count = 0;
  for (let i = 0; i < work.values.length; i++) {
    const value = work.values[i] as number;
    if (Number.isNaN(value)) continue;
    total += value;
    count++;
  }
  return count > 0 ? (total * DAY) / (count * work.series.step) : daily;
}
