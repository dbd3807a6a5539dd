/**
 * States, inputs and effects of the reading end, and the few words in which its transitions are written.
 *
 * Decides: what a transition may ask for: to write and wait, to wait, to change the line, what to expect, to tell. Leaves out: the
 * transitions (sign-on.ts, first-block.ts, programming.ts) and who carries the effects out (../client.ts).
 */
import { type LinkError, PeerError } from '@amiable/bytes';
import type { Step, Table } from '@amiable/fsm';
import { type Block, type CommandMessage, type Expectation, encodeCommand } from '../block.ts';
import { fastest, type LineSettings, SIGN_ON_LINE } from '../identification.ts';
import type { ClientEvent, ClientOptions, SignedOn, Want } from './types.ts';

export interface Context {
  readonly want: Want;
  /** Sign-ons so far. */
  readonly attempt: number;
}

export type ClientState =
  | { readonly type: 'idle' }
  | ({ readonly type: 'waking' } & Context)
  | ({ readonly type: 'signing' } & Context)
  /** The meter is given time to go back to the first rate. */
  | ({ readonly type: 'resting' } & Context)
  /** Mode D: the meter begins. */
  | ({ readonly type: 'listening' } & Context)
  | ({ readonly type: 'reading'; readonly meter: SignedOn; readonly repeats: number } & Context)
  | ({ readonly type: 'entering'; readonly meter: SignedOn; readonly repeats: number } & Context)
  | ({ readonly type: 'confirming'; readonly meter: SignedOn } & Context)
  | { readonly type: 'programming' }
  | {
      readonly type: 'asking';
      /** What was sent last. */
      readonly sent: Uint8Array;
      readonly commands: readonly CommandMessage[];
      /** Which of the commands (of partial blocks) is under way. */
      readonly at: number;
      /** Data of the blocks that came. */
      readonly parts: string;
      readonly repeats: number;
    }
  | { readonly type: 'hdlc' }
  | { readonly type: 'over' }
  | { readonly type: 'failed' };

export type Input =
  | { readonly type: 'start'; readonly want: Want }
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'ack' }
  | { readonly type: 'nak' }
  | Block
  | { readonly type: 'silence'; readonly heard: boolean; readonly noise: Uint8Array }
  | { readonly type: 'command'; readonly commands: readonly CommandMessage[] }
  | { readonly type: 'break' };

export type Effect =
  /** Write, and wait so long for what comes, ms; Infinity: for ever. */
  | { readonly do: 'write'; readonly bytes: Uint8Array; readonly wait: number }
  | { readonly do: 'wait'; readonly wait: number }
  | { readonly do: 'line'; readonly settings: LineSettings }
  | { readonly do: 'expect'; readonly expectation: Expectation }
  | { readonly do: 'event'; readonly event: ClientEvent };

export type ClientStep = Step<ClientState, Effect>;
export type ClientTable = Table<ClientState, Input, Effect>;

/** Options with what is usual where nothing was said. */
export interface Terms {
  readonly address: string;
  /** Bd, one that the standard has. */
  readonly maxBaud: number;
  readonly mode: ClientOptions['mode'];
  readonly wakeUp: boolean;
  readonly timeout: number;
  readonly confirmTimeout: number;
  readonly attempts: number;
  readonly repeats: number;
}

export function termsOf(options: ClientOptions): Terms {
  const { address = '', timeout = 2200, confirmTimeout = 1500, attempts = 3, repeats = 3, wakeUp = false } = options;
  const maxBaud = fastest(options.maxBaud ?? 19_200);
  return { address, maxBaud, mode: options.mode, wakeUp, timeout, confirmTimeout, attempts, repeats };
}

export const NEVER = Number.POSITIVE_INFINITY;
export const SINGLE: Effect = { do: 'expect', expectation: { ack: 'single', bare: false } };
export const BARE: Effect = { do: 'expect', expectation: { ack: 'single', bare: true } };
export const BARE_OR_CHECKED: Effect = { do: 'expect', expectation: { ack: 'single', bare: true, tail: true } };
export const LINES: Effect = { do: 'expect', expectation: { ack: 'line', bare: false } };
export const SIGN_ON: Effect = { do: 'line', settings: SIGN_ON_LINE };
export const BREAK = encodeCommand({ command: 'B', type: '0', data: '', more: false });
export const STOP: Effect = { do: 'wait', wait: NEVER };

export const to = (state: ClientState, ...effects: Effect[]): ClientStep => ({ state, effects });
export const stay = (state: ClientState): ClientStep => ({ state, effects: [] });
export const event = (e: ClientEvent): Effect => ({ do: 'event', event: e });

export function failed(error: LinkError | PeerError): ClientStep {
  return to({ type: 'failed' }, STOP, event({ type: 'failed', error }));
}

export const contextOf = ({ want, attempt }: Context): Context => ({ want, attempt });

/** One of ACK and NAK, and what is waited for then. */
export const character = (octet: number, wait: number): Effect => ({
  do: 'write',
  bytes: Uint8Array.of(octet),
  wait,
});

/** The meter may end the exchange whenever it speaks. */
export function brokenOff(block: Block): ClientStep | undefined {
  if (block.command?.command !== 'B' || block.check === 'wrong') return undefined;
  return failed(new PeerError('the meter ended the exchange (break, B0)'));
}
