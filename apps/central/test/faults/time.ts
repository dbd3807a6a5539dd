/** Simulated time that runs faster than the machine's, the same in several processes, with jumps of the server's clock. */
import type { Clock } from '@amiable/io';

export interface FastClock extends Clock {
  /** The server's clock is set: forward, or back. Timers do not follow. */
  jump(ms: number): void;
}

/** @param base simulated time at `since` (of the machine, epoch ms) */
export function fastClock(base: number, since: number, speed: number): FastClock {
  let jumped = 0;
  return {
    now: () => base + (Date.now() - since) * speed + jumped,
    after(ms, fn) {
      const timer = setTimeout(fn, Math.max(0, ms / speed));
      return () => clearTimeout(timer);
    },
    jump(ms) {
      jumped += ms;
    },
  };
}
