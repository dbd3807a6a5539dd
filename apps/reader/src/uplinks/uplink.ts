/** What all uplinks have in common, and the waiting at the end. */
import { type Clock, type PortError, sleep } from '@amiable/io';
import type { Outbox } from './outbox.ts';

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
  readonly state: 'connecting' | 'up' | 'down';
  /** Epoch ms of the last acknowledgement. */
  readonly lastDelivery?: number;
}

export interface Uplink {
  readonly name: string;
  /** Resolves with the cause when trying again is useless: wrong password, wrong certificate, wrong address. Never where `patient`. */
  readonly hopeless: Promise<PortError>;
  report(): UplinkReport;
  /** Resolves when everything is delivered, given up, `ms` have passed or `cut` is aborted; then closes. */
  finish(ms: number, cut?: AbortSignal): Promise<UplinkReport>;
}

/** What every uplink is given. */
export interface UplinkCommon {
  /** Where its messages come from; the uplink closes it at its end. */
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: (line: string) => void;
  /**
   * A wrong password or certificate does not end it: it is told and tried again, slowly, since somebody may set it right at the
   * other end.
   */
  readonly patient?: boolean;
}

/** ms between tries that only somebody's help can make better. */
export const SLOWLY = 60_000;

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
