/**
 * Time as a parameter: whoever waits or stamps is handed a Clock, the machine's own in the program and a simulated one
 * in tests and simulations.
 */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `fn` once after `ms`; the returned function calls it off. */
  after(ms: number, fn: () => void): () => void;
}

/** setTimeout holds at most 2^31-1 ms; a longer wait would fire at once. */
const LONGEST = 0x7fff_ffff;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), LONGEST));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when `signal` is aborted, before or meanwhile. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

export interface VirtualClock extends Clock {
  /** Moves time on, runs what falls due in order, and lets promises settle in between. */
  advance(ms: number): Promise<void>;
  /** How many waits are pending. */
  readonly pending: number;
}

export function virtualClock(start = 0): VirtualClock {
  let now = start;
  let sequence = 0;
  const waits = new Map<number, { at: number; fn: () => void }>();
  const due = (until: number) => {
    let first: [number, { at: number; fn: () => void }] | undefined;
    for (const entry of waits) if (entry[1].at <= until && (!first || entry[1].at < first[1].at)) first = entry;
    return first;
  };
  /** Long enough for any chain of promises a test builds, and for I/O callbacks already queued. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    after(ms, fn) {
      const id = sequence++;
      waits.set(id, { at: now + Math.max(0, ms), fn });
      return () => waits.delete(id);
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let next = due(until); next; next = due(until)) {
        waits.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].fn();
        await settle();
      }
      now = until;
    },
    get pending() {
      return waits.size;
    },
  };
}
