/**
 * The speed of a serial line without the line: how long bytes take at a baud rate, and waiting just that long. A
 * character is 11 bits in 8E1 and 8O1 (start, 8 data, parity, stop) and 10 in 8N1.
 */
import { type Clock, sleep } from './clock.ts';
import type { Parity } from './serial.ts';

export const characterBits = (parity: Parity): number => (parity === 'N' ? 10 : 11);

/** Milliseconds that `bytes` characters occupy the line. */
export const lineTime = (bytes: number, baud: number, parity: Parity): number =>
  (bytes * characterBits(parity) * 1000) / baud;

export interface Pacer {
  /** Resolves when the line would have carried these bytes after everything before them. */
  take(bytes: number, signal?: AbortSignal): Promise<void>;
  /** Milliseconds of sending still ahead; grows without end when more is sent than the line carries. */
  readonly backlog: number;
}

export function createPacer({ baud, parity = 'E', clock }: { baud: number; parity?: Parity; clock: Clock }): Pacer {
  if (!(baud > 0)) throw new RangeError(`a line of ${baud} baud carries nothing`);
  let free = clock.now();
  return {
    async take(bytes, signal) {
      free = Math.max(free, clock.now()) + lineTime(bytes, baud, parity);
      const wait = free - clock.now();
      // Timers have millisecond steps; what is too short to wait for is made up by the next bytes.
      if (wait >= 1) await sleep(clock, wait, signal);
    },
    get backlog() {
      return Math.max(0, free - clock.now());
    },
  };
}

/** The same bytes in the small pieces and at the times in which a serial port hands them over. */
export async function* paced(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: { baud: number; parity?: Parity; clock: Clock; signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const pacer = createPacer(options);
  // About 10 ms of the line at a time, as a UART driver with its FIFO time-out does.
  const piece = Math.max(1, Math.floor(options.baud / characterBits(options.parity ?? 'E') / 100));
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += piece) {
      const part = bytes.subarray(at, at + piece);
      await pacer.take(part.length, options.signal);
      if (options.signal?.aborted) return;
      yield part;
    }
  }
}
