/**
 * The reading end of IEC 62056-21 (a hand-held unit, HHU) as one state machine: modes A, B, C, D, and hand-over to E
 * (clause 6.4, annex E; IEC 62056-42).
 *
 *     300 Bd   client  [NUL … pause]  /?<address>! CRLF
 *              meter   /XXXZ<identification> CRLF               Z: rate and mode
 *     C        client  ACK 0 Z Y CRLF                           Y: 0 read-out, 1 programming, 2 HDLC (mode E)
 *     Z Bd     meter   STX data ! CRLF ETX BCC                  repeated on NAK
 *              meter   SOH P0 STX (operand) ETX BCC             programming mode: commands and answers until SOH B0
 *     A, B     meter   the data at once, at 300 Bd or at Z; programming follows it
 *     D        meter   identification and data at 2400 Bd, unasked
 *
 * The transitions are in client/: sign-on.ts, first-block.ts, programming.ts. This file carries their effects out. Decides: how long
 * is waited while octets come, what is an echo of our own, what a state does not hear. Leaves out: parity (it comes and goes in
 * characters.ts), the port, promises (session.ts).
 */
import { MisuseError } from '@amiable/bytes';
import { step } from '@amiable/fsm';
import { type CommandMessage, createMessageReceiver, LONGEST_BLOCK, type Received } from './block.ts';
import { lineTime } from './characters.ts';
import { firstBlockRows } from './client/first-block.ts';
import { programmingRows } from './client/programming.ts';
import { signOnOf } from './client/sign-on.ts';
import {
  type ClientState,
  type ClientTable,
  type Effect,
  type Input,
  NEVER,
  type Terms,
  termsOf,
} from './client/steps.ts';
import type { ClientOptions, ClientSink, Want } from './client/types.ts';

/** The transitions, for the terms of one client. */
function tableOf(terms: Terms): ClientTable {
  const signOn = signOnOf(terms);
  const { start } = signOn;
  return {
    idle: { start },
    ...signOn.rows,
    ...firstBlockRows(terms, signOn),
    ...programmingRows(terms, signOn),
    hdlc: { start },
    over: { start },
    failed: { start },
  };
}

export interface OpticalClient {
  readonly state: ClientState['type'];
  /** Signs on, from whatever state. */
  start(want: Want, now: number): void;
  /** In programming mode: one command, or the partial blocks of one. Its `answer` comes as an event. @throws MisuseError elsewhere */
  command(commands: CommandMessage | readonly CommandMessage[], now: number): void;
  /** Ends programming mode: B0. */
  leave(now: number): void;
  /** In state `hdlc` bytes are no longer for this machine. */
  receive(bytes: Uint8Array, now: number): void;
  tick(now: number): void;
  nextDeadline(): number;
}

export function createOpticalClient(options: ClientOptions, sink: ClientSink): OpticalClient {
  return new Client(options, sink);
}

/** Octets of an identification or a first command, with all that a line may add to it. */
const LONGEST_OPENING = 4096;

class Client implements OpticalClient {
  readonly #table: ClientTable;
  readonly #sink: ClientSink;
  readonly #timeout: number;
  #state: ClientState = { type: 'idle' };
  readonly #receiver = createMessageReceiver((received) => this.#take(received));
  #baud = 300;
  #deadline = NEVER;
  #now = 0;
  /** Something of an answer came since the last wait began. */
  #heard = false;
  /** How many octets came since then. */
  #octets = 0;
  /** What came since the start that was no message, for the words of a failure. */
  #said: Uint8Array = new Uint8Array(0);
  /** Our own characters that an optical head may give back, and how many of them have come. */
  #echo: Uint8Array = new Uint8Array(0);
  #echoed = 0;
  /** The head gives back what is sent: our request came back. */
  #echoing = false;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(options: ClientOptions, sink: ClientSink) {
    const terms = termsOf(options);
    this.#table = tableOf(terms);
    this.#sink = sink;
    this.#timeout = terms.timeout;
  }

  get state(): ClientState['type'] {
    return this.#state.type;
  }

  start(want: Want, now: number): void {
    this.#now = now;
    this.#said = new Uint8Array(0);
    this.#send({ type: 'start', want });
  }

  command(given: CommandMessage | readonly CommandMessage[], now: number): void {
    const commands = Array.isArray(given) ? (given as readonly CommandMessage[]) : [given as CommandMessage];
    if (this.#state.type !== 'programming' || commands.length === 0)
      throw new MisuseError(`a command is for programming mode; this client is ${this.#state.type}`);
    this.#now = now;
    this.#send({ type: 'command', commands });
  }

  leave(now: number): void {
    this.#now = now;
    this.#send({ type: 'break' });
  }

  receive(bytes: Uint8Array, now: number): void {
    this.#now = now;
    for (let i = 0; i < bytes.length; i++) {
      if (this.#state.type === 'hdlc') return;
      const c = (bytes[i] as number) & 0x7f;
      if (this.#isEcho(c)) continue;
      this.#rest = bytes.subarray(i + 1);
      this.#heard = true;
      this.#receiver.push(bytes[i] as number);
    }
    // Within an answer the time between characters counts (clause 6.4.3.2: 1500 ms); a peer that never ends is not waited for.
    this.#octets += bytes.length;
    const most = this.#state.type === 'reading' || this.#state.type === 'asking' ? LONGEST_BLOCK : LONGEST_OPENING;
    if (this.#receiver.busy && this.#deadline !== NEVER && this.#octets <= most)
      this.#deadline = Math.max(this.#deadline, now + this.#timeout);
  }

  /** What was written comes back first, on heads that hear themselves. */
  #isEcho(c: number): boolean {
    if (this.#echoed >= this.#echo.length) return false;
    if (this.#echo[this.#echoed] !== c) {
      // It was no echo: what seemed one is the meter's.
      const taken = this.#echo.subarray(0, this.#echoed);
      this.#echo = this.#echo.subarray(0, 0);
      this.#echoed = 0;
      for (const octet of taken) this.#receiver.push(octet);
      return false;
    }
    this.#echoed++;
    if (this.#echoed === this.#echo.length) this.#echoing = true;
    return true;
  }

  tick(now: number): void {
    if (now < this.#deadline) return;
    this.#now = now;
    this.#deadline = NEVER;
    const heard = this.#heard;
    if (this.#receiver.noise.length > 0) this.#said = this.#receiver.noise;
    if (this.#receiver.flush()) return;
    this.#receiver.reset();
    this.#send({ type: 'silence', heard, noise: this.#said });
  }

  nextDeadline(): number {
    return this.#deadline;
  }

  #take(received: Received): void {
    this.#send(received);
  }

  #send(input: Input): void {
    // What a state does not expect is noise, or the meter's misbehaviour: it is passed over.
    if (!Object.hasOwn(this.#table[this.#state.type], input.type)) return;
    const { state, effects } = step<ClientState, Input, Effect>(this.#table, this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'write':
        this.#receiver.reset();
        this.#heard = false;
        this.#octets = 0;
        // Whether a head gives back what is sent shows at the request; a confirmation in mode E is the same as what we sent.
        this.#echo = this.#echoing || this.#state.type === 'signing' ? effect.bytes : effect.bytes.subarray(0, 0);
        this.#echoed = 0;
        this.#deadline = this.#now + lineTime(effect.bytes.length, this.#baud) + effect.wait;
        this.#sink.write(effect.bytes);
        return;
      case 'wait':
        this.#heard = false;
        this.#octets = 0;
        this.#deadline = this.#now + effect.wait;
        return;
      case 'line':
        this.#baud = effect.settings.baud;
        this.#sink.line(effect.settings);
        return;
      case 'expect':
        this.#receiver.expectation = effect.expectation;
        return;
      case 'event': {
        const { event: told } = effect;
        // What came behind the confirmation in one piece is HDLC already.
        this.#sink.event(told.type === 'hdlc' ? { ...told, rest: this.#rest } : told);
      }
    }
  }
}
