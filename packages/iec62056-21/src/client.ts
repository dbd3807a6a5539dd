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
 * Decides: what is waited for and how long, when the line changes, what is repeated: a block with a wrong check is asked for
 * again with NAK, a sign-on without data behind it is tried anew, at last at 300 Bd; a command without an answer is sent again
 * unless it executes something. Leaves out: parity (it comes and goes in characters.ts), the port, promises (session.ts).
 */
import { LinkError, MisuseError, PeerError } from '@amiable/bytes';
import { type Step, step, type Table } from '@amiable/fsm';
import {
  type Block,
  type CommandMessage,
  createMessageReceiver,
  type Expectation,
  encodeCommand,
  LONGEST_BLOCK,
  type Received,
} from './block.ts';
import { ACK, bytesOf, NAK, NUL, visible } from './characters.ts';
import { errorText } from './errors.ts';
import {
  fastest,
  type Identification,
  type LineSettings,
  MODE_D_LINE,
  type Mode,
  parseIdentification,
  parseOptionSelect,
  rateCharacter,
  SIGN_ON_LINE,
} from './identification.ts';

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

// ---------------------------------------------------------------- states

interface Context {
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

type Input =
  | { readonly type: 'start'; readonly want: Want }
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'ack' }
  | { readonly type: 'nak' }
  | Block
  | { readonly type: 'silence'; readonly heard: boolean; readonly noise: Uint8Array }
  | { readonly type: 'command'; readonly commands: readonly CommandMessage[] }
  | { readonly type: 'break' };

type Effect =
  /** Write, and wait so long for what comes, ms; Infinity: for ever. */
  | { readonly do: 'write'; readonly bytes: Uint8Array; readonly wait: number }
  | { readonly do: 'wait'; readonly wait: number }
  | { readonly do: 'line'; readonly settings: LineSettings }
  | { readonly do: 'expect'; readonly expectation: Expectation }
  | { readonly do: 'event'; readonly event: ClientEvent };

type ClientStep = Step<ClientState, Effect>;

const NEVER = Number.POSITIVE_INFINITY;
const SINGLE: Effect = { do: 'expect', expectation: { ack: 'single', bare: false } };
const BARE: Effect = { do: 'expect', expectation: { ack: 'single', bare: true } };
const BARE_OR_CHECKED: Effect = { do: 'expect', expectation: { ack: 'single', bare: true, tail: true } };
const LINES: Effect = { do: 'expect', expectation: { ack: 'line', bare: false } };
const signOnLine: Effect = { do: 'line', settings: SIGN_ON_LINE };
const BREAK = encodeCommand({ command: 'B', type: '0', data: '', more: false });
const STOP: Effect = { do: 'wait', wait: NEVER };
/** NULs for 2.2 s at 300 Bd, then a pause of 1.6 s (annex B: 2.1 to 2.3 s and 1.5 to 1.7 s). */
const WAKE_NULS = 66;
const WAKE_PAUSE = 1600;
/** A meter whose data nobody took goes back after 1500 to 2200 ms (clause 6.4.3.2). */
const REST = 2500;

const to = (state: ClientState, ...effects: Effect[]): ClientStep => ({ state, effects });
const stay = (state: ClientState): ClientStep => ({ state, effects: [] });
const event = (e: ClientEvent): Effect => ({ do: 'event', event: e });

function failed(error: LinkError | PeerError): ClientStep {
  return to({ type: 'failed' }, STOP, event({ type: 'failed', error }));
}

/** The transitions, for the options of one client. */
function tableOf(options: ClientOptions): Table<ClientState, Input, Effect> {
  const { address = '', timeout = 2200, attempts = 3, repeats: allowed = 3, confirmTimeout = 1500 } = options;
  const maxBaud = fastest(options.maxBaud ?? 19_200);
  const request = bytesOf(`/?${address}!\r\n`);

  const signOn = (want: Want, attempt: number): ClientStep =>
    options.wakeUp
      ? to({ type: 'waking', want, attempt }, signOnLine, SINGLE, {
          do: 'write',
          bytes: new Uint8Array(WAKE_NULS).fill(NUL),
          wait: WAKE_PAUSE,
        })
      : ask(want, attempt, signOnLine);
  const ask = (want: Want, attempt: number, ...before: Effect[]): ClientStep =>
    to({ type: 'signing', want, attempt }, ...before, SINGLE, { do: 'write', bytes: request, wait: timeout });

  function begin(want: Want): ClientStep {
    if (options.mode !== 'D') return signOn(want, 1);
    if (want !== 'readout') return failed(new LinkError('a meter in mode D sends by itself: it cannot be programmed'));
    return to({ type: 'listening', want, attempt: 1 }, { do: 'line', settings: MODE_D_LINE }, SINGLE, STOP);
  }

  /** Once more from the beginning, or the end of it. */
  function again(state: Context, what: string, expected: string, ...first: Effect[]): ClientStep {
    if (state.attempt < attempts && first.length > 0)
      return to({ type: 'resting', want: state.want, attempt: state.attempt + 1 }, ...first, {
        do: 'wait',
        wait: REST,
      });
    if (state.attempt < attempts) return signOn(state.want, state.attempt + 1);
    return failed(new LinkError(`signing on: ${expected} was expected, ${what} in ${state.attempt} attempts`));
  }

  function identified(state: Context, found: Identification): ClientStep {
    const mode = options.mode ?? found.mode;
    const { want } = state;
    // A meter that is not heard after the change of rate is at last read at the rate at which it was.
    const limit = state.attempt >= attempts && attempts > 1 ? 300 : maxBaud;
    if (want === 'hdlc') {
      if (!found.marks.includes('\\2'))
        return failed(
          new LinkError(
            `signing on in mode E: the meter ${found.maker} offers no binary mode (\\2): ${visible(lineOf(found))}`,
          ),
        );
      if (found.z < '0' || found.z > '6')
        return failed(
          new LinkError(
            `signing on in mode E: the meter names an unknown rate ${JSON.stringify(found.z)}: ${visible(lineOf(found))}`,
          ),
        );
    }
    if (want === 'hdlc' || mode === 'C') {
      const agreed = Math.min(found.baud, fastest(limit));
      const inMode = want === 'hdlc' ? 'E' : 'C';
      const meter: SignedOn = { ...found, inMode, agreed };
      const z = rateCharacter('C', agreed) ?? '0';
      const y = want === 'hdlc' ? '2' : want === 'programming' ? '1' : want === 'readout' ? '0' : want.option;
      const select: Effect = {
        do: 'write',
        bytes: bytesOf(`\x06${want === 'hdlc' ? '2' : '0'}${z}${y}\r\n`),
        wait: want === 'hdlc' ? confirmTimeout : timeout,
      };
      const told = event({ type: 'identified', meter });
      if (want === 'hdlc') return to({ type: 'confirming', meter, ...contextOf(state) }, told, LINES, select);
      const change: Effect = { do: 'line', settings: { baud: agreed, framing: '7E1' } };
      if (want === 'programming')
        return to({ type: 'entering', meter, repeats: 0, ...contextOf(state) }, told, SINGLE, select, change);
      return to({ type: 'reading', meter, repeats: 0, ...contextOf(state) }, told, BARE_OR_CHECKED, select, change);
    }
    // Modes A and B: the data come by themselves.
    const agreed = mode === 'B' ? found.baud : 300;
    const meter: SignedOn = { ...found, inMode: mode, agreed };
    return to(
      { type: 'reading', meter, repeats: 0, ...contextOf(state) },
      event({ type: 'identified', meter }),
      ...(agreed === 300 ? [] : [{ do: 'line', settings: { baud: agreed, framing: '7E1' } } as const]),
      BARE_OR_CHECKED,
      { do: 'wait', wait: timeout },
    );
  }

  const nak: Effect = { do: 'write', bytes: Uint8Array.of(NAK), wait: timeout };
  const ack: Effect = { do: 'write', bytes: Uint8Array.of(ACK), wait: timeout };
  const lastAck: Effect = { do: 'write', bytes: Uint8Array.of(ACK), wait: NEVER };

  function readout(state: Extract<ClientState, { type: 'reading' }>, block: Block): ClientStep {
    const { meter } = state;
    if (block.command) return brokenOff(block) ?? stay(state);
    if (block.check === 'wrong') {
      if (meter.inMode === 'D') return to({ ...contextOf(state), type: 'listening' }, SINGLE, STOP);
      if (state.repeats < allowed) return to({ ...state, repeats: state.repeats + 1 }, nak);
      return failed(
        new LinkError(
          `reading out: the block check was wrong ${state.repeats + 1} times; is the optical head in place?`,
        ),
      );
    }
    if (meter.inMode === 'D') return to({ type: 'over' }, STOP, event({ type: 'readout', meter, block }));
    // Modes A and B: programming follows the read-out.
    if (state.want === 'programming')
      return to({ type: 'programming' }, SINGLE, STOP, event({ type: 'entered', meter, operand: '' }));
    return to(
      { type: 'over' },
      SINGLE,
      ...(block.check === 'right' ? [lastAck] : [STOP]),
      event({ type: 'readout', meter, block }),
    );
  }

  function entered(state: Extract<ClientState, { type: 'entering' }>, block: Block): ClientStep {
    const off = brokenOff(block);
    if (off) return off;
    if (block.check === 'wrong') {
      if (state.repeats < allowed) return to({ ...state, repeats: state.repeats + 1 }, nak);
      return failed(new LinkError(`entering programming mode: the block check was wrong ${state.repeats + 1} times`));
    }
    const text = errorText(block.data);
    if (text !== undefined && !block.command)
      return failed(new PeerError(`entering programming mode: the meter refuses: ${text}`));
    if (block.command?.command !== 'P')
      return failed(
        new PeerError(
          'entering programming mode: the meter reads out instead; it has none, or wants another address or rate',
        ),
      );
    const operand = block.data.replace(/^\(/, '').replace(/\)$/, '');
    return to({ type: 'programming' }, STOP, event({ type: 'entered', meter: state.meter, operand }));
  }

  function brokenOff(block: Block): ClientStep | undefined {
    if (block.command?.command !== 'B' || block.check === 'wrong') return undefined;
    return failed(new PeerError('the meter ended the exchange (break, B0)'));
  }

  type Asking = Extract<ClientState, { type: 'asking' }>;
  const send = (state: Asking): ClientStep => to(state, { do: 'write', bytes: state.sent, wait: timeout });
  const done = (answer: Answer): ClientStep => to({ type: 'programming' }, STOP, event({ type: 'answer', answer }));
  const name = ({ commands, at }: Asking): string => {
    const { command, type, data } = commands[at] as CommandMessage;
    return command === 'P' ? `P${type} (password)` : `${command}${type} ${data}`.trim();
  };

  function answered(state: Asking, block: Block): ClientStep {
    const off = brokenOff(block);
    if (off) return off;
    if (block.check === 'wrong') {
      if (state.repeats < allowed) return to({ ...state, repeats: state.repeats + 1 }, nak);
      return failed(new LinkError(`${name(state)}: the block check was wrong ${state.repeats + 1} times`));
    }
    const text = state.parts === '' ? errorText(block.data) : undefined;
    if (text !== undefined) return done({ type: 'error', text });
    const parts = state.parts + block.data;
    if (parts.length > LONGEST_BLOCK)
      return failed(new LinkError(`${name(state)}: the meter's answer does not end: ${parts.length} characters came`));
    if (block.more) return to({ ...state, parts, repeats: 0, sent: Uint8Array.of(ACK) }, ack);
    return done({ type: 'data', data: parts });
  }

  function acknowledged(state: Asking): ClientStep {
    const next = state.commands[state.at + 1];
    if (next) return send({ ...state, at: state.at + 1, repeats: 0, sent: encodeCommand(next) });
    // A read is answered with data: this is what the meter said to something else.
    return state.commands[0]?.command === 'R' ? stay(state) : done({ type: 'ack' });
  }

  /** The same once more. What executes something is not sent twice: the first may have been heard. */
  function repeat(state: Asking, why: string, harmless: boolean): ClientStep {
    if (state.repeats >= allowed || !harmless)
      return failed(new LinkError(`${name(state)}: ${why}${harmless ? ` ${state.repeats + 1} times` : ''}`));
    return send({ ...state, repeats: state.repeats + 1 });
  }

  const leave = (): ClientStep => to({ type: 'over' }, { do: 'write', bytes: BREAK, wait: NEVER }, signOnLine);
  const start = (_: ClientState, { want }: { readonly want: Want }): ClientStep => begin(want);

  return {
    idle: { start },
    waking: { start, silence: (s) => ask(s.want, s.attempt) },
    resting: { start, silence: (s) => signOn(s.want, s.attempt) },
    signing: {
      start,
      line(s, { text }) {
        const found = parseIdentification(text);
        return found ? identified(s, found) : stay(s);
      },
      silence: (s, { noise }) =>
        again(
          s,
          noise.length > 0 ? `${visible(noise)} came` : 'nothing came',
          options.address ? `an answer of meter ${options.address} (/XXXZ…)` : 'an identification /XXXZ…',
        ),
    },
    listening: {
      start,
      line(s, { text }) {
        const found = parseIdentification(text);
        if (!found) return stay(s);
        const meter: SignedOn = { ...found, inMode: 'D', agreed: 2400 };
        return to({ type: 'reading', meter, repeats: 0, ...contextOf(s) }, event({ type: 'identified', meter }), BARE, {
          do: 'wait',
          wait: timeout,
        });
      },
    },
    reading: {
      start,
      block: readout,
      silence(s, { heard }) {
        if (s.meter.inMode === 'D') return to({ ...contextOf(s), type: 'listening' }, SINGLE, STOP);
        if (heard && s.repeats < allowed) return to({ ...s, repeats: s.repeats + 1 }, nak);
        return again(s, `nothing came at ${s.meter.agreed} Bd`, 'a read-out', STOP);
      },
    },
    entering: {
      start,
      block: entered,
      // Some take ACK for the request of a password.
      ack: (s) => to({ type: 'programming' }, STOP, event({ type: 'entered', meter: s.meter, operand: '' })),
      silence(s, { heard }) {
        if (heard && s.repeats < allowed) return to({ ...s, repeats: s.repeats + 1 }, nak);
        return again(s, `nothing came at ${s.meter.agreed} Bd`, 'programming mode (P0)', {
          do: 'write',
          bytes: BREAK,
          wait: NEVER,
        });
      },
    },
    confirming: {
      start,
      line(s, { text }) {
        const found = parseOptionSelect(text);
        return found?.v === '2' ? handOver(s.meter) : stay(s);
      },
      // Some meters change over without a word.
      silence: (s) => handOver(s.meter),
    },
    programming: {
      start,
      command: (_, { commands }) =>
        send({
          type: 'asking',
          sent: encodeCommand(commands[0] as CommandMessage),
          commands,
          at: 0,
          parts: '',
          repeats: 0,
        }),
      break: leave,
      block: (s, b) => brokenOff(b) ?? stay(s),
    },
    asking: {
      block: answered,
      ack: acknowledged,
      nak: (s) => repeat(s, 'the meter did not understand (NAK)', true),
      silence: (s, { heard }) =>
        heard && s.repeats < allowed && s.commands[0]?.command === 'R'
          ? to({ ...s, repeats: s.repeats + 1 }, nak)
          : repeat(s, 'no answer', s.commands[0]?.command !== 'E'),
      break: leave,
    },
    hdlc: { start },
    over: { start },
    failed: { start },
  };

  function handOver(meter: SignedOn): ClientStep {
    return to(
      { type: 'hdlc' },
      STOP,
      { do: 'line', settings: { baud: meter.agreed, framing: '8N1' } },
      event({ type: 'hdlc', meter, rest: new Uint8Array(0) }),
    );
  }
}

const contextOf = ({ want, attempt }: Context): Context => ({ want, attempt });
const lineOf = ({ maker, z, marks, identification }: Identification): string =>
  `/${maker}${z}${marks}${identification}`;

// ---------------------------------------------------------------- the machine

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

/** Ten bits a character; the last of it may still be on the line. */
export const lineTime = (octets: number, baud: number): number => Math.ceil((octets * 10_000) / baud);

/** Octets of an identification or a first command, with all that a line may add to it. */
const LONGEST_OPENING = 4096;

class Client implements OpticalClient {
  readonly #table: Table<ClientState, Input, Effect>;
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
    this.#table = tableOf(options);
    this.#sink = sink;
    this.#timeout = options.timeout ?? 2200;
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
    const { state, effects } = step(this.#table, this.#state, input);
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
