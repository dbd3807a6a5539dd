/**
 * What every reader of a port has in common, whatever the protocol: bytes in as they come, canonical messages and drops out.
 * A decoder has no clock and no line; `now` gives it the time of receipt, `idle` tells it that the line fell silent.
 */
import type { Drop } from '@amiable/bytes';
import type { Flag, Message } from './message.ts';

export interface PortOptions {
  /** Name of the program that reads. */
  readonly reader: string;
  readonly port: string;
  /** IANA time zone of the meter's clock where it gives no offset and no market is known. */
  readonly zone?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A live port: the meter's clock is compared with `now`. */
  readonly live?: boolean | undefined;
  /** Largest believable difference of the meter's clock, milliseconds; an hour unless said. */
  readonly maxClockError?: number | undefined;
  /** Also give what was refused, as messages with an error. */
  readonly bad?: boolean | undefined;
}

export interface PortSink {
  message(m: Message): void;
  drop(d: Drop): void;
}

export interface PortCounters {
  bytes: number;
  /** Good frames or telegrams. */
  frames: number;
  /** Messages that could be read. */
  good: number;
  /** Messages that no key opened. */
  sealed: number;
  /** Refused frames and runs of noise by reason. */
  readonly dropped: Record<string, number>;
  /** Bytes that belonged to no frame. */
  noise: number;
}

export const newPortCounters = (): PortCounters => ({
  bytes: 0,
  frames: 0,
  good: 0,
  sealed: 0,
  dropped: {},
  noise: 0,
});

/** Both together, in a new object. */
export function addCounters(a: PortCounters, b: PortCounters): PortCounters {
  const dropped: Record<string, number> = { ...a.dropped };
  for (const [reason, n] of Object.entries(b.dropped)) dropped[reason] = (dropped[reason] ?? 0) + n;
  return {
    bytes: a.bytes + b.bytes,
    frames: a.frames + b.frames,
    good: a.good + b.good,
    sealed: a.sealed + b.sealed,
    dropped,
    noise: a.noise + b.noise,
  };
}

export interface PortDecoder {
  /** Keeps no reference to the chunk. Never throws, whatever the bytes. */
  push(bytes: Uint8Array): void;
  /** The line has been silent for longer than a pause inside a frame: what is waited for will not come. */
  idle(): void;
  end(): void;
  readonly counters: PortCounters;
}

const HOUR = 3_600_000;

/** Whether the clock of a live meter is too far off to be believed (`clockWrong`). */
export function isClockWrong(
  { live, maxClockError = HOUR }: Pick<PortOptions, 'live' | 'maxClockError'>,
  time: number | undefined,
  receivedAt: number,
): boolean {
  return live === true && time !== undefined && Math.abs(time - receivedAt) > maxClockError;
}

/** The flags with one more, in a new array. */
export function withFlag(flags: readonly Flag[], flag: Flag): readonly Flag[] {
  return flags.includes(flag) ? flags : [...flags, flag];
}
