/** What the reading end is given, and what it tells. */
import type { LinkError, PeerError } from '@amiable/bytes';
import type { Block } from '../block.ts';
import type { Identification, LineSettings, Mode } from '../identification.ts';

/** What the client is after. A single character other than 0, 1, 2 is a maker's own option Y, read like a read-out. */
export type Want = 'readout' | 'programming' | 'hdlc' | { readonly option: string };

export interface ClientOptions {
  /** The meter's address on a line of several; all answer to none. */
  readonly address?: string | undefined;
  /** The fastest rate that our port can; 19200 unless said. */
  readonly maxBaud?: number | undefined;
  /** By the identification unless said. D: the meter sends unasked. */
  readonly mode?: 'A' | 'B' | 'C' | 'D' | undefined;
  /** A battery-powered meter is woken by NULs first (annex B). */
  readonly wakeUp?: boolean | undefined;
  /** Silence that ends waiting for an answer, beyond the time that the line takes, ms; 2200 unless said (reaction 1500). */
  readonly timeout?: number | undefined;
  /** How long the confirmation of mode E is awaited before the line is changed without it, ms; 1500 unless said. */
  readonly confirmTimeout?: number | undefined;
  /** Signs on so often before it gives up; 3 unless said. */
  readonly attempts?: number | undefined;
  /** Asks so often for a block again; 3 unless said. */
  readonly repeats?: number | undefined;
}

/** Who answered, and the rate that both have agreed on. */
export interface SignedOn extends Identification {
  /** The mode in which it goes on. */
  readonly inMode: Mode;
  /** Of the line from here on, Bd. */
  readonly agreed: number;
}

/** What came of a command in programming mode. */
export type Answer =
  | { readonly type: 'data'; readonly data: string }
  | { readonly type: 'ack' }
  /** The meter's own text, e.g. `ER07`. */
  | { readonly type: 'error'; readonly text: string };

export type ClientEvent =
  | { readonly type: 'identified'; readonly meter: SignedOn }
  /** The data of a read-out, with its bytes. */
  | { readonly type: 'readout'; readonly meter: SignedOn; readonly block: Block }
  /** In programming mode; `operand` is the data of the P0 message without brackets. */
  | { readonly type: 'entered'; readonly meter: SignedOn; readonly operand: string }
  | { readonly type: 'answer'; readonly answer: Answer }
  /** HDLC from here on. `rest`: what came behind the confirmation. */
  | { readonly type: 'hdlc'; readonly meter: SignedOn; readonly rest: Uint8Array }
  | { readonly type: 'failed'; readonly error: LinkError | PeerError };

export interface ClientSink {
  write(bytes: Uint8Array): void;
  /** Change the port, once all that was written has left it. */
  line(settings: LineSettings): void;
  event(event: ClientEvent): void;
}
