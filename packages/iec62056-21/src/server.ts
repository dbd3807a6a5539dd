/**
 * The meter's end of IEC 62056-21 (a tariff device) as one state machine: modes A to D and the hand-over to E (clause 6.4, annex E).
 *
 * Decides: what is answered, after which reaction time, at which rate; what is repeated on NAK; when the meter goes back to
 * 300 Bd: nobody acknowledged, the client left (B0), or fell silent in programming mode. Leaves out: what data and commands
 * mean (the device's), parity, the port.
 */
import { type Step, step, type Table } from '@amiable/fsm';
import {
  type Block,
  createMessageReceiver,
  type Expectation,
  encodeCommand,
  encodeData,
  encodeReadout,
} from './block.ts';
import { ACK, bytesOf, lineTime, NAK, NUL } from './characters.ts';
import {
  addressFits,
  type LineSettings,
  MODE_D_LINE,
  parseOptionSelect,
  parseRequest,
  RATES,
  rateCharacter,
  SIGN_ON_LINE,
} from './identification.ts';

/** What a device says to a command of programming mode. */
export type Reply =
  /** `level`: access level from here on. */
  | { readonly type: 'ack'; readonly level?: number }
  /** Data sets; several are partial blocks, each acknowledged. */
  | { readonly type: 'data'; readonly parts: readonly string[] }
  /** E.g. `ER07`. */
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'nak' }
  /** The meter has had enough: B0. */
  | { readonly type: 'break' };

export interface DeviceCommand {
  readonly command: string;
  readonly type: string;
  /** All blocks joined. */
  readonly data: string;
}

/** What stands behind the port. */
export interface TariffDevice {
  /** Lines of the read-out for the option Y (`0`: the standard one); undefined: there is none. */
  readout(option: string): readonly string[] | undefined;
  /** Operand of the P0 message; undefined: no programming mode. A new one for each log-in where a secure algorithm uses it. */
  operand?(): string | undefined;
  /** Password commands too. `level` is what an `ack` gave last, 0 before; `operand` the one that was sent. */
  command?(command: DeviceCommand, level: number, operand: string): Reply;
}

export interface ServerOptions {
  /** Three letters of the maker, e.g. `AMI`; the third in lower case where the meter answers within 20 ms. */
  readonly maker: string;
  /** Up to 16 printable characters without `/` and `!`. */
  readonly identification: string;
  /** C unless said. */
  readonly mode?: 'A' | 'B' | 'C' | 'D' | undefined;
  /** HDLC is there too: `\2`, mode E. */
  readonly hdlc?: boolean | undefined;
  /** The fastest rate of the port; 9600 unless said. */
  readonly baud?: number | undefined;
  /** Answers to this address only, and to none; leading zeros mean nothing. */
  readonly address?: string | undefined;
  /** How long the client may take, ms; 1500 is the standard's. */
  readonly timeout?: number | undefined;
  /** Before each answer, ms: 200 to 1500 by the standard; 0 unless said. */
  readonly reaction?: number | undefined;
  /** Silence that ends programming mode, ms; 60000 unless said (60 to 120 s). */
  readonly inactivity?: number | undefined;
  /** Sleeps until NULs wake it. */
  readonly wakeUp?: boolean | undefined;
  /** Without it the port knows mode E alone. */
  readonly device?: TariffDevice | undefined;
}

export interface ServerSink {
  write(bytes: Uint8Array): void;
  /** Change the port, once all that was written has left it. */
  line(settings: LineSettings): void;
  /** HDLC from here on. `rest`: what came with the last line, mostly nothing. */
  hdlc(rest: Uint8Array): void;
}

interface Session {
  readonly level: number;
  readonly operand: string;
  /** What was said last, for NAK. */
  readonly last: Uint8Array;
}

type ServerState =
  | { readonly type: 'waiting' }
  | { readonly type: 'identified' }
  /** The reaction time is passing. */
  | { readonly type: 'reacting'; readonly next: ServerState; readonly effects: readonly Effect[] }
  /** The read-out has been sent. */
  | { readonly type: 'sent'; readonly last: Uint8Array; readonly repeats: number }
  | ({ readonly type: 'programming' } & Session)
  /** Partial blocks go out, one for each ACK. */
  | ({ readonly type: 'streaming'; readonly parts: readonly string[]; readonly at: number } & Session)
  /** Partial blocks come in. */
  | ({ readonly type: 'gathering'; readonly so: DeviceCommand } & Session)
  | { readonly type: 'hdlc' };

type Input =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'ack' }
  | { readonly type: 'nak' }
  | Block
  | { readonly type: 'silence' }
  | { readonly type: 'trigger' };

type Effect =
  | { readonly do: 'write'; readonly bytes: Uint8Array }
  | { readonly do: 'wait'; readonly wait: number }
  | { readonly do: 'line'; readonly settings: LineSettings }
  | { readonly do: 'expect'; readonly expectation: Expectation }
  | { readonly do: 'hdlc' };

type ServerStep = Step<ServerState, Effect>;

const NEVER = Number.POSITIVE_INFINITY;
const SINGLE: Effect = { do: 'expect', expectation: { ack: 'single', bare: false } };
const LINES: Effect = { do: 'expect', expectation: { ack: 'line', bare: false } };
const STOP: Effect = { do: 'wait', wait: NEVER };
const WAITING: ServerState = { type: 'waiting' };
/** A block that arrives broken is asked for so often; a read-out is repeated so often. */
const REPEATS = 5;
const LONGEST_COMMAND = 16_384;
/** NULs that wake a sleeper, and for how long it then listens, ms. */
const NULS_TO_WAKE = 20;
const AWAKE = 10_000;

const write = (bytes: Uint8Array): Effect => ({ do: 'write', bytes });
const wait = (ms: number): Effect => ({ do: 'wait', wait: ms });
const to = (state: ServerState, ...effects: Effect[]): ServerStep => ({ state, effects });
const stay = (state: ServerState): ServerStep => ({ state, effects: [] });

function tableOf(options: ServerOptions): Table<ServerState, Input, Effect> {
  const { maker, identification, mode = 'C', device, timeout = 1500, reaction = 0, inactivity = 60_000 } = options;
  const baud = mode === 'A' ? 300 : (options.baud ?? 9600);
  const z = rateCharacter(mode, mode === 'D' ? 2400 : baud) ?? (mode === 'B' ? 'A' : '0');
  const hello = bytesOf(`/${maker}${z}${options.hdlc ? '\\2' : ''}${identification}\r\n`);
  const home: Effect = { do: 'line', settings: mode === 'D' ? MODE_D_LINE : SIGN_ON_LINE };
  const line = (rate: number, framing: LineSettings['framing'] = '7E1'): Effect => ({
    do: 'line',
    settings: { baud: rate, framing },
  });

  /** After the reaction time. */
  const answer = (next: ServerState, ...effects: Effect[]): ServerStep =>
    reaction === 0 ? { state: next, effects } : to({ type: 'reacting', next, effects }, wait(reaction));
  const back = (...before: Effect[]): ServerStep => to(WAITING, ...before, STOP, LINES, home);

  function request(state: ServerState, { text }: { readonly text: string }): ServerStep {
    const address = mode === 'D' ? undefined : parseRequest(text);
    if (address === undefined || !addressFits(address, options.address)) return stay(state);
    if (mode === 'C') return answer({ type: 'identified' }, write(hello), LINES, wait(timeout));
    const data = readoutBytes('0');
    // Modes A and B: the data follow by themselves, in mode B at the new rate.
    return answer(
      {
        type: 'reacting',
        next: { type: 'sent', last: data, repeats: 0 },
        effects: [write(data), SINGLE, wait(timeout + 700)],
      },
      write(hello),
      ...(mode === 'B' ? [line(baud)] : []),
      wait(Math.max(reaction, 20)),
    );
  }

  const readoutBytes = (option: string): Uint8Array => encodeReadout(device?.readout(option) ?? []);

  function readout(option: string, ...before: Effect[]): ServerStep {
    const data = readoutBytes(option);
    return answer({ type: 'sent', last: data, repeats: 0 }, ...before, write(data), SINGLE, wait(timeout + 700));
  }

  function selected(state: ServerState, input: { readonly text: string }): ServerStep {
    if (input.text.startsWith('/')) return request(state, input);
    const option = parseOptionSelect(input.text);
    const rate = option && RATES[Number(option.z)];
    const offered = rate !== undefined && rate <= baud;
    if (option && offered && option.v === '2' && option.y === '2' && options.hdlc)
      return to({ type: 'hdlc' }, STOP, write(bytesOf(`${input.text}\r\n`)), line(rate, '8N1'), { do: 'hdlc' });
    // What was not offered is answered as if nothing had come: read-out at the first rate (clause 6.4.3).
    if (!option || !offered || option.v !== '0') return device ? unanswered() : back();
    if (option.y === '1') return programming(rate);
    const lines = device?.readout(option.y);
    return lines ? readout(option.y, line(rate)) : back();
  }

  const unanswered = (): ServerStep => (device?.readout('0') ? readout('0') : back());

  function programming(rate: number): ServerStep {
    const operand = device?.operand?.();
    if (operand === undefined) return unanswered();
    const hi = encodeCommand({ command: 'P', type: '0', data: `(${operand})`, more: false });
    return answer(
      { type: 'programming', level: 0, operand, last: hi },
      line(rate),
      write(hi),
      SINGLE,
      wait(inactivity),
    );
  }

  const say = (session: Session, bytes: Uint8Array): ServerStep =>
    answer(programmingOf({ ...session, last: bytes }), write(bytes), wait(inactivity));
  const programmingOf = ({ level, operand, last }: Session): ServerState => ({
    type: 'programming',
    level,
    operand,
    last,
  });

  function reply(session: Session, given: Reply): ServerStep {
    switch (given.type) {
      case 'ack':
        return say({ ...session, level: given.level ?? session.level }, Uint8Array.of(ACK));
      case 'nak':
        return say(session, Uint8Array.of(NAK));
      case 'error':
        return say(session, encodeData(`(${given.text})`));
      case 'break':
        return answer(
          WAITING,
          write(encodeCommand({ command: 'B', type: '0', data: '', more: false })),
          STOP,
          LINES,
          home,
        );
      case 'data': {
        const [first = '', ...more] = given.parts;
        if (more.length === 0) return say(session, encodeData(first));
        return stream(session, given.parts, 0);
      }
    }
  }

  function stream(session: Session, parts: readonly string[], at: number): ServerStep {
    const last = encodeData(parts[at] ?? '', at < parts.length - 1);
    if (at >= parts.length - 1) return say(session, last);
    const { level, operand } = session;
    return answer({ type: 'streaming', level, operand, last, parts, at }, write(last), wait(inactivity));
  }

  function commanded(state: Session & ServerState, block: Block, before = ''): ServerStep {
    if (block.check === 'wrong') return say(state, Uint8Array.of(NAK));
    if (!block.command) return stay(state);
    const { command, type } = block.command;
    if (command === 'B') return back();
    const so: DeviceCommand = { command, type, data: before + block.data };
    if (so.data.length > LONGEST_COMMAND) return reply(state, { type: 'error', text: 'ER03' });
    if (block.more) {
      const bytes = Uint8Array.of(ACK);
      const { level, operand } = state;
      return answer({ type: 'gathering', level, operand, last: bytes, so }, write(bytes), wait(inactivity));
    }
    return reply(state, device?.command?.(so, state.level, state.operand) ?? { type: 'error', text: 'ER01' });
  }

  /** Programming mode begun without option select, behind a read-out (modes A and B). */
  function direct(state: Extract<ServerState, { type: 'sent' }>, block: Block): ServerStep {
    const operand = block.command ? device?.operand?.() : undefined;
    if (operand === undefined) return stay(state);
    return commanded({ type: 'programming', level: 0, operand, last: state.last }, block);
  }

  const again = (state: Session & ServerState): ServerStep => answer(state, write(state.last), wait(inactivity));
  const bye = (): ServerStep => back();

  return {
    waiting: {
      line: request,
      trigger(state) {
        const lines = device?.readout('0');
        if (mode !== 'D' || !lines) return stay(state);
        return to(WAITING, write(hello), write(bytesOf(`\r\n${lines.map((text) => `${text}\r\n`).join('')}!\r\n`)));
      },
    },
    identified: { line: selected, silence: unanswered },
    reacting: { silence: ({ next, effects }) => ({ state: next, effects }) },
    sent: {
      ack: bye,
      nak: (s) =>
        s.repeats < REPEATS ? answer({ ...s, repeats: s.repeats + 1 }, write(s.last), wait(timeout + 700)) : back(),
      block: direct,
      line: (s, input) => (mode === 'C' || parseRequest(input.text) === undefined ? stay(s) : request(s, input)),
      silence: bye,
    },
    programming: { block: commanded, nak: again, silence: bye },
    streaming: {
      ack: (s) => stream(s, s.parts, s.at + 1),
      nak: again,
      block: commanded,
      silence: bye,
    },
    gathering: {
      block: (s, block) =>
        block.check === 'wrong'
          ? again({ ...s, last: Uint8Array.of(NAK) })
          : block.command && block.command.command === s.so.command && block.command.type === s.so.type
            ? commanded(s, block, s.so.data)
            : commanded(s, block),
      nak: again,
      silence: bye,
    },
    hdlc: {},
  };
}

export interface OpticalServer {
  readonly state: 'waiting' | 'identified' | 'busy' | 'hdlc';
  /** In state `hdlc` bytes are no longer for this machine. */
  receive(bytes: Uint8Array, now: number): void;
  /** Mode D: somebody has pressed the button, or it is time. */
  trigger(now: number): void;
  tick(now: number): void;
  nextDeadline(): number;
  /** The HDLC link has ended (DISC, or nobody there), or the line: the port goes back to signing on. */
  reset(): void;
}

export function createOpticalServer(options: ServerOptions, sink: ServerSink): OpticalServer {
  return new Server(options, sink);
}

class Server implements OpticalServer {
  readonly #table: Table<ServerState, Input, Effect>;
  readonly #options: ServerOptions;
  readonly #sink: ServerSink;
  #state: ServerState = WAITING;
  readonly #receiver = createMessageReceiver((received) => {
    // Who speaks has heard us out: the line is free, however slow it was thought.
    this.#lineFree = Math.min(this.#lineFree, this.#now);
    this.#send(received);
  });
  #baud: number;
  #deadline = NEVER;
  /** When what was written has left the line. */
  #lineFree = 0;
  #now = 0;
  #nuls = 0;
  #awakeUntil = 0;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(options: ServerOptions, sink: ServerSink) {
    this.#table = tableOf(options);
    this.#options = options;
    this.#sink = sink;
    this.#baud = options.mode === 'D' ? MODE_D_LINE.baud : SIGN_ON_LINE.baud;
    this.#receiver.expectation = { ack: 'line', bare: false };
  }

  get state(): OpticalServer['state'] {
    const { type } = this.#state;
    return type === 'waiting' || type === 'identified' || type === 'hdlc' ? type : 'busy';
  }

  receive(bytes: Uint8Array, now: number): void {
    this.tick(now);
    this.#now = now;
    for (let i = 0; i < bytes.length; i++) {
      if (this.#state.type === 'hdlc') {
        this.#sink.hdlc(bytes.subarray(i));
        return;
      }
      const octet = bytes[i] as number;
      if (this.#asleep(octet & 0x7f, now)) continue;
      this.#rest = bytes.subarray(i + 1);
      this.#receiver.push(octet);
      // The rest went with the hand-over.
      if ((this.#state as ServerState).type === 'hdlc') return;
    }
    if (this.#receiver.busy && this.#deadline !== NEVER && this.#state.type !== 'reacting')
      this.#deadline = Math.max(this.#deadline, now + (this.#options.timeout ?? 1500));
  }

  #asleep(c: number, now: number): boolean {
    if (!this.#options.wakeUp || this.#state.type !== 'waiting') return false;
    if (c === NUL) {
      this.#nuls++;
      if (this.#nuls >= NULS_TO_WAKE) this.#awakeUntil = now + AWAKE;
      return true;
    }
    this.#nuls = 0;
    return now >= this.#awakeUntil;
  }

  trigger(now: number): void {
    this.tick(now);
    this.#now = now;
    this.#send({ type: 'trigger' });
  }

  tick(now: number): void {
    // A reaction may be followed by another that is due as well.
    while (now >= this.#deadline) {
      this.#now = this.#deadline;
      this.#deadline = NEVER;
      this.#receiver.reset();
      this.#send({ type: 'silence' });
    }
  }

  nextDeadline(): number {
    return this.#deadline;
  }

  reset(): void {
    const home = this.#options.mode === 'D' ? MODE_D_LINE : SIGN_ON_LINE;
    this.#receiver.reset();
    this.#receiver.expectation = { ack: 'line', bare: false };
    this.#deadline = NEVER;
    if (this.#state.type !== 'waiting' && this.#state.type !== 'identified') {
      this.#baud = home.baud;
      this.#sink.line(home);
    }
    this.#state = WAITING;
  }

  #send(input: Input): void {
    // What a state does not expect is noise, or the client's misbehaviour: it is passed over.
    if (!Object.hasOwn(this.#table[this.#state.type], input.type)) return;
    const { state, effects } = step(this.#table, this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'write':
        this.#receiver.reset();
        this.#lineFree = Math.max(this.#now, this.#lineFree) + lineTime(effect.bytes.length, this.#baud);
        this.#sink.write(effect.bytes);
        return;
      case 'wait':
        this.#deadline = Math.max(this.#now, this.#lineFree) + effect.wait;
        return;
      case 'line':
        if (effect.settings.baud === this.#baud && effect.settings.framing === '7E1') return;
        this.#baud = effect.settings.baud;
        this.#sink.line(effect.settings);
        return;
      case 'expect':
        this.#receiver.expectation = effect.expectation;
        return;
      case 'hdlc':
        this.#sink.hdlc(this.#rest);
    }
  }
}
