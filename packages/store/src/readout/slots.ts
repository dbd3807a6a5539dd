/**
 * When values of a profile should stand: every period of a local day from its midnight on (92, 96 or 100 quarters), local
 * midnights, local firsts of the month. Days are local days, as numbers since 1970.
 */
import { localToUtc, toLocal } from '@amiable/calendar';
import type { ReadoutProfile } from './types.ts';

const DAY = 86_400_000;
/** Values that one meter can be asked about at once: eleven years of quarters. */
const MAX_SLOTS = 400_000;

export interface Slots {
  /** Epoch ms, rising. */
  readonly times: Float64Array;
  /** Local day of each. */
  readonly days: Int32Array;
  /** The slot of a time; -1 for none. */
  find(time: number): number;
}

export const localDay = (zone: string, time: number): number => Math.floor(toLocal(zone, time) / DAY);
export const dayStart = (zone: string, day: number): number => localToUtc(zone, day * DAY);

/** Slots from `from` to before `to`, epoch ms. */
export function slotsOf(
  profile: Pick<ReadoutProfile, 'kind' | 'period'>,
  zone: string,
  from: number,
  to: number,
): Slots {
  const times: number[] = [];
  const days: number[] = [];
  const step = profile.period * 1000;
  const push = (time: number, day: number): void => {
    if (time < from || time >= to) return;
    if (times.length >= MAX_SLOTS) throw new RangeError(`more than ${MAX_SLOTS} values of a profile at once`);
    times.push(time);
    days.push(day);
  };
  const last = localDay(zone, to - 1);
  for (let day = localDay(zone, from); day <= last; day++) {
    const start = dayStart(zone, day);
    if (profile.kind === 'daily') push(start, day);
    else if (profile.kind === 'monthly') {
      if (new Date(day * DAY).getUTCDate() === 1) push(start, day);
    } else {
      const end = dayStart(zone, day + 1);
      for (let time = start; time < end; time += step) push(time, day);
    }
  }
  const regular = profile.kind === 'profile' && step > 0 && isRegular(times, step);
  const first = times[0] ?? 0;
  const index = regular ? undefined : new Map(times.map((time, k) => [time, k]));
  return {
    times: Float64Array.from(times),
    days: Int32Array.from(days),
    find(time) {
      if (index) return index.get(time) ?? -1;
      const slot = (time - first) / step;
      return Number.isInteger(slot) && slot >= 0 && slot < times.length ? slot : -1;
    },
  };
}

function isRegular(times: readonly number[], step: number): boolean {
  for (let k = 1; k < times.length; k++) if ((times[k] as number) - (times[k - 1] as number) !== step) return false;
  return true;
}
