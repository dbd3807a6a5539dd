/**
 * When a meter sends what.
 * - Kaifa (guide, fig. 7): list 1 every 2 s; at every tenth second list 2 instead; at XX:00:10 list 3 instead, with the
 *   registers of XX:00:00.
 * - Aidon (as users report it): list 1 every 2.5 s, list 2 every 10 s; list 3 hourly, assumed to come like Kaifa's. Its
 *   lists have no time but list 3's clock, XX:00:00, so all of list 3 is taken to be of that instant.
 * - Kamstrup (as users report it, and the example frames show): the 10-second list on the tens, the hourly list at
 *   XX:00:05 besides, both its clocks saying XX:00:05. It has no short list. Captures show meters some seconds off this.
 * - Swedish lists: everything every 10 s.
 * Hours are those of the wall clock.
 */
import { zoneOffset } from '@amiable/calendar';

/** 1: power only; 2: with voltages and currents; 3: with energy registers. */
export type ListKind = 1 | 2 | 3;

export interface Schedule {
  /** All sending instants are multiples of this, ms. */
  readonly step: number;
  /** What is sent at a wall-clock instant on the grid; 0 for nothing. */
  at(wallMs: number): ListKind | 0;
  /** What list 3's registers and clock are behind its sending, ms. */
  readonly lag: number;
  /** List 3's other values are of the same earlier instant: it has one clock for all of them. */
  readonly snapshot: boolean;
}

const HOUR = 3_600_000;
const guide = (step: number, snapshot: boolean): Schedule => ({
  step,
  snapshot,
  lag: 10_000,
  at: (wall) => (wall % 10_000 !== 0 ? 1 : wall % HOUR === 10_000 ? 3 : 2),
});

export const KAIFA_CLOCK = guide(2000, false);
export const AIDON_CLOCK = guide(2500, true);
export const KAMSTRUP_CLOCK: Schedule = {
  step: 5000,
  lag: 0,
  snapshot: false,
  at: (wall) => (wall % HOUR === 5000 ? 3 : wall % 10_000 === 0 ? 2 : 0),
};
export const SWEDISH_CLOCK: Schedule = { step: 10_000, lag: 0, snapshot: false, at: () => 3 };

/** Sending instants in [from, to), UTC. */
export function* sendings(
  schedule: Schedule,
  zone: string,
  from: number,
  to: number,
): Generator<{ readonly at: number; readonly list: ListKind }> {
  const { step } = schedule;
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    const list = schedule.at(at + zoneOffset(zone, at));
    if (list) yield { at, list };
  }
}
