/** What all uplinks have in common, and the waiting at the end. */
import { type Clock, type PortError, sleep } from '@amiable/io';

export interface UplinkReport {
  /** For a person, e.g. `broker localhost:1883`. Never with a password. */
  readonly name: string;
  readonly delivered: number;
  /** Taken by the other side and refused for good, with what it said last. */
  readonly refused: number;
  readonly refusal?: string;
  /** Did not fit in the queue while the line did not wait. */
  readonly lost: number;
  /** Still waiting. */
  readonly waiting: number;
  /** Trying again was useless. */
  readonly gaveUp: boolean;
  /** What stands in the way now. */
  readonly fault?: string;
}

export interface Uplink {
  readonly name: string;
  /** False when the queue is full. */
  put(line: string): boolean;
  /** Counts a message that nobody could wait for. */
  lose(): void;
  room(): Promise<void>;
  /** Whoever waits for room goes on, room or not. */
  release(): void;
  /** Resolves with the cause when trying again is useless: wrong password, wrong certificate, wrong address. */
  readonly hopeless: Promise<PortError>;
  report(): UplinkReport;
  /** Resolves when everything is delivered, given up, `ms` have passed or `cut` is aborted; then closes. */
  finish(ms: number, cut?: AbortSignal): Promise<UplinkReport>;
}

/** Waits until `done()` is true, looking whenever `changed` hands out a new promise. */
export async function waitUntil(
  done: () => boolean,
  change: () => Promise<void>,
  clock: Clock,
  ms: number,
  cut?: AbortSignal,
): Promise<boolean> {
  const patience = new AbortController();
  const either = cut ? AbortSignal.any([patience.signal, cut]) : patience.signal;
  let over = false;
  const late = sleep(clock, ms, either).then(() => {
    over = true;
  });
  try {
    while (!done()) {
      if (over) return false;
      await Promise.race([change(), late]);
    }
    return true;
  } finally {
    patience.abort();
  }
}

/** A bell: `ring` wakes everyone who waited for `next`. */
export function createBell(): { ring(): void; next(): Promise<void> } {
  let ring = () => {};
  let next = new Promise<void>((resolve) => {
    ring = resolve;
  });
  return {
    ring() {
      const now = ring;
      next = new Promise<void>((resolve) => {
        ring = resolve;
      });
      now();
    },
    next: () => next,
  };
}
