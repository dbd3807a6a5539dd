/** What a port that is asked is asked for, and what one protocol must be able to do for it. */
import { LinkError, PeerError } from '@amiable/bytes';
import type { PortProtocol } from '@amiable/meter';

/** Protocols whose meters can be asked. */
export const ASKED_PROTOCOLS = ['iec62056-21', 'mbus'] as const satisfies readonly PortProtocol[];
export type AskedProtocol = (typeof ASKED_PROTOCOLS)[number];
export const isAsked = (protocol: string | undefined): protocol is AskedProtocol =>
  protocol === 'iec62056-21' || protocol === 'mbus';

/** Meters that a search of the bus found, kept over a restart. */
export interface BusMemory {
  /** As `slaveAddressText` writes them; undefined before the first search. */
  load(): readonly string[] | undefined;
  save(found: readonly string[]): void;
}

export interface PollOptions {
  /** From the beginning of one round to that of the next, ms. */
  readonly interval: number;
  /**
   * M-Bus over a network: the rate of the bus behind it, 2400 unless said; optical: the fastest rate that the head can. The rate of a
   * serial M-Bus is its device's.
   */
  readonly baud?: number | undefined;
  /** M-Bus: as `busMeters` takes them. */
  readonly meters?: readonly string[] | undefined;
  /** Optical: the meter's address on a line of several. */
  readonly address?: string | undefined;
  /** Optical: by the identification unless said. */
  readonly mode?: 'A' | 'B' | 'C' | undefined;
  /** Optical: a battery-powered meter is woken first. */
  readonly wakeUp?: boolean | undefined;
  readonly memory?: BusMemory | undefined;
}

/** What a protocol is given of the port. */
export interface Surroundings {
  /** Octets of the meter, as they came or as they are believed, to the decoder; told it that nothing more belongs to them. */
  decode(bytes: Uint8Array): void;
  /** Waits until all messages so far are taken. */
  settled(): Promise<void>;
  /** Something was asked for and did not come, or not whole; for the counters. */
  refused(reason: string): void;
  tell(line: string): void;
  readonly signal: AbortSignal;
}

/** Meters on an open line. */
export interface Asker {
  /** Every meter once. @returns whether any of them answered; rejects only when the line is lost or this is called off */
  round(): Promise<boolean>;
  /** Closes the line too. */
  close(): Promise<void>;
}

/** The meter was silent, not understood, or refused; anything else is a fault of this program. */
export const isOfMeter = (error: unknown): error is LinkError | PeerError =>
  error instanceof LinkError || error instanceof PeerError;
