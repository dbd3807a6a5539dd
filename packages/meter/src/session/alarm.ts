/**
 * One timer for a deadline that moves all the time: it is set anew only when it rings too early, so a request and its
 * answer cost no timer of their own.
 */
import type { SessionClock } from './types.ts';

export interface Alarm {
  /** Rings at `at` (epoch ms) unless it is set anew before. Infinity: not at all. */
  set(at: number): void;
  /** Leaves nothing behind. */
  stop(): void;
}

export function createAlarm(clock: SessionClock, ring: () => void): Alarm {
  let wanted = Number.POSITIVE_INFINITY;
  let timerAt = Number.POSITIVE_INFINITY;
  let cancel: (() => void) | undefined;
  function arm(): void {
    timerAt = wanted;
    cancel = clock.after(Math.max(0, wanted - clock.now()), due);
  }
  function due(): void {
    cancel = undefined;
    timerAt = Number.POSITIVE_INFINITY;
    if (wanted === Number.POSITIVE_INFINITY) return;
    // Clocks of machines ring up to a millisecond early.
    if (clock.now() < wanted - 1) arm();
    else {
      wanted = Number.POSITIVE_INFINITY;
      ring();
    }
  }
  return {
    set(at) {
      wanted = at;
      if (at >= timerAt || at === Number.POSITIVE_INFINITY) return;
      cancel?.();
      arm();
    },
    stop() {
      cancel?.();
      cancel = undefined;
      wanted = timerAt = Number.POSITIVE_INFINITY;
    },
  };
}
