/** What a run of the reader needs of the machine it runs on, so that tests hand in their own. */
import { hostname, networkInterfaces } from 'node:os';
import { type Clock, systemClock } from '@amiable/io';

export interface ReadIo {
  /** Resolves when the text is taken; false when nobody reads any more. @throws when it cannot be written (disk full) */
  out(text: string): Promise<boolean>;
  err(text: string): void;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly hostName: string;
  /** Hardware address of the first real network interface. */
  readonly mac: string;
  /** Aborted when the user wants an end. */
  readonly signal: AbortSignal;
  readonly processId: number;
  /** Another serialport binding, for tests. */
  readonly serialBinding?: unknown;
}

export function macAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { internal, mac } of addresses ?? [])
      if (!internal && mac !== '00:00:00:00:00:00') return mac.toUpperCase();
  }
  return '00:00:00:00:00:00';
}

/** The real machine. `release` takes the signal handlers away again. */
export function machineIo(): ReadIo & { release(): void } {
  const ending = new AbortController();
  let asked = 0;
  const end = () => {
    asked++;
    // The second time the user means now.
    if (asked > 1) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  let gone = false;
  const closed = (error: Error | null | undefined) =>
    error && ['EPIPE', 'ERR_STREAM_DESTROYED'].includes((error as NodeJS.ErrnoException).code ?? '');
  const broken = () => {
    gone = true;
  };
  process.stdout.on('error', broken);
  // Nobody is left to be told when stderr is gone.
  process.stderr.on('error', () => {});
  return {
    out(text) {
      if (gone) return Promise.resolve(false);
      return new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          if (error && !closed(error)) reject(error);
          else resolve(!error);
        });
      });
    },
    err: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    clock: systemClock,
    random: Math.random,
    hostName: hostname(),
    mac: macAddress(),
    signal: ending.signal,
    processId: process.pid,
    release() {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      // stdin that is still open (a terminal, a pipe that goes on) would keep the program.
      process.stdin.unref?.();
    },
  };
}
