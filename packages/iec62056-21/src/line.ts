/**
 * A machine on a link: characters with parity while the framing is 7E1, and changes of rate once what was written has left.
 *
 * Decides: when the line is free again: adapters say that they have written what still waits in them, so the time that the
 * characters take is counted as well. A link without `setBaud` (TCP) stays at its rate: a serial server must do it itself, or the
 * meter keep to one rate. Leaves out: opening and closing.
 */
import { evenParity, lineTime } from './characters.ts';
import type { LineSettings } from './identification.ts';

/** The part of a link (package io) that is used here. */
export interface OpticalLink {
  readonly describe: string;
  open(events: { data(bytes: Uint8Array): void; closed(error?: Error): void }): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Serial ports. */
  setBaud?(baud: number): Promise<void>;
}

/** The part of a clock (package io) that is used here. */
export interface OpticalClock {
  now(): number;
  after(ms: number, fn: () => void): () => void;
}

/** Between the last bit of a character and the change of rate, ms: adapters count in milliseconds. */
const SETTLE = 20;

export interface LineDriver {
  /** Of the port, Bd. */
  readonly baud: number;
  readonly framing: LineSettings['framing'];
  write(bytes: Uint8Array): void;
  line(settings: LineSettings): void;
  /** Resolves when all that was asked for is done. */
  settled(): Promise<void>;
  /** Nothing more is written. */
  stop(): void;
}

/**
 * @param baud rate at which the link was opened
 * @param failed told once when writing or changing fails
 */
export function createLineDriver(
  link: OpticalLink,
  clock: OpticalClock,
  { baud = 300, failed }: { readonly baud?: number; readonly failed: (error: Error) => void },
): LineDriver {
  let rate = baud;
  let framing: LineSettings['framing'] = '7E1';
  let stopped = false;
  /** Rate of the port, behind what is queued. */
  let set = baud;
  let free = 0;
  let cancel = (): void => {};
  let doing: Promise<void> = Promise.resolve();
  const then = (what: () => Promise<void>): void => {
    doing = doing
      .then(() => (stopped ? undefined : what()))
      .catch((error: Error) => {
        if (stopped) return;
        stopped = true;
        failed(error);
      });
  };
  const until = (at: number): Promise<void> =>
    at <= clock.now()
      ? Promise.resolve()
      : new Promise((resolve) => {
          cancel = clock.after(at - clock.now(), resolve);
        });
  return {
    get baud() {
      return rate;
    },
    get framing() {
      return framing;
    },
    write(bytes) {
      const octets = framing === '7E1' ? evenParity(bytes) : bytes;
      then(async () => {
        free = Math.max(free, clock.now()) + lineTime(octets.length, set);
        await link.write(octets);
      });
    },
    line(settings) {
      rate = settings.baud;
      framing = settings.framing;
      then(async () => {
        if (settings.baud === set) return;
        set = settings.baud;
        if (!link.setBaud) return;
        await until(free + SETTLE);
        if (!stopped) await link.setBaud(settings.baud);
      });
    },
    settled: () => doing,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
