/**
 * A meter read and programmed through a link: the client machine (client.ts) with promises.
 *
 * Decides: one operation at a time; what a reading is. Failures: PeerError (the meter refused, in its words), LinkError (line
 * gone, silence), MisuseError. A session can sign on again and again over one open link: read out, then programming mode.
 */
import { LinkError, MisuseError, PeerError } from '@amiable/bytes';
import type { Message } from '@amiable/model';
import type { Block, CommandMessage } from './block.ts';
import { bytesOf } from './characters.ts';
import type { Answer, ClientEvent, ClientOptions, SignedOn } from './client/types.ts';
import { createOpticalClient, type OpticalClient } from './client.ts';
import { type DataSet, parseDataBlock } from './data-set.ts';
import { messageOfReadings } from './decoder.ts';
import { errorWords } from './errors.ts';
import { createLineDriver, type LineDriver, type OpticalClock, type OpticalLink } from './line.ts';
import { readingsOf } from './message.ts';

export interface OpticalTrace {
  readonly direction: 'out' | 'in';
  /** Epoch ms. */
  readonly time: number;
  /** Without parity bits. */
  readonly bytes: Uint8Array;
}

export interface OpticalSessionOptions extends ClientOptions {
  readonly link: OpticalLink;
  readonly clock: OpticalClock;
  /** Rate at which the link is opened, Bd; 300 unless said, 2400 in mode D. */
  readonly openBaud?: number | undefined;
  readonly trace?: ((trace: OpticalTrace) => void) | undefined;
  /** Told as soon as a meter has answered. */
  readonly identified?: ((meter: SignedOn) => void) | undefined;
}

/** For a message of what was read. */
export interface MessageOptions {
  readonly reader: string;
  readonly port: string;
  /** IANA zone of the meter's clock. */
  readonly zone?: string | undefined;
  readonly receivedAt: number;
}

/** What a read-out gave. */
export interface OpticalReadout {
  readonly meter: SignedOn;
  readonly sets: readonly DataSet[];
  /** Identification and data block as they came, parity bits taken off. */
  readonly raw: Uint8Array;
  /** As a canonical message. */
  message(options: MessageOptions): Message;
}

export interface ReadOptions {
  /** Command type: 1 unless said; 3, 4 and 6 give partial blocks, 2 and 5 are other codings. */
  readonly type?: string | undefined;
  /** Between the brackets: a number of elements, or a span such as `01301310800;01302010800`. */
  readonly value?: string | undefined;
}

export interface WriteOptions {
  /** Command type: 1 unless said; 3 and 4 go in partial blocks, 5 is makers' own. */
  readonly type?: string | undefined;
  /** Characters of a partial block; 64 unless said. */
  readonly blockLength?: number | undefined;
}

export interface OpticalSession {
  readonly describe: string;
  /** Who answered last. */
  readonly meter: SignedOn | undefined;
  /** In programming mode. */
  readonly programming: boolean;
  /**
   * Signs on and reads the data set out; in mode D waits for the meter.
   * @param option Y of makers who have further data sets
   */
  readout(option?: string): Promise<OpticalReadout>;
  /** Signs on into programming mode. @returns the operand of the meter's P0 message, mostly empty or 8 digits */
  program(): Promise<string>;
  /**
   * P1, or P2 where the meter wants the result of its own algorithm over the operand.
   * @throws PeerError for a wrong password
   */
  logIn(password: string, type?: '1' | '2'): Promise<void>;
  /** Reads one address. @throws PeerError with the meter's error text */
  read(address: string, options?: ReadOptions): Promise<DataSet[]>;
  /** Writes one value; it may hold its unit (`12.5*kW`). @throws PeerError */
  write(address: string, value: string, options?: WriteOptions): Promise<void>;
  /** E2, or another type. @throws PeerError */
  execute(address: string, value?: string, type?: string): Promise<string>;
  /** Any command; error answers are given, not thrown. */
  command(commands: CommandMessage | readonly CommandMessage[]): Promise<Answer>;
  /** A message of sets that were read one by one. */
  message(sets: readonly DataSet[], options: MessageOptions): Message;
  /** Ends programming mode (B0); the link stays open. */
  leave(): Promise<void>;
  /** B0 where needed, and the link closed. Idempotent. */
  close(): Promise<void>;
}

interface Job {
  readonly want: ClientEvent['type'];
  readonly resolve: (event: ClientEvent) => void;
  readonly reject: (error: Error) => void;
}

/** Opens the link; nothing is sent yet. @throws LinkError */
export async function createOpticalSession(options: OpticalSessionOptions): Promise<OpticalSession> {
  const session = new Session(options);
  await session.open();
  return session;
}

class Session implements OpticalSession {
  readonly #options: OpticalSessionOptions;
  readonly #client: OpticalClient;
  readonly #driver: LineDriver;
  #job: Job | undefined;
  #over: Error | undefined;
  #closing: Promise<void> | undefined;
  #cancel = (): void => {};
  #timerAt = Number.POSITIVE_INFINITY;
  #opened = false;
  meter: SignedOn | undefined;

  constructor(options: OpticalSessionOptions) {
    this.#options = options;
    const { link, clock, openBaud = options.mode === 'D' ? 2400 : 300 } = options;
    this.#driver = createLineDriver(link, clock, { baud: openBaud, failed: (error) => this.#lost(error) });
    this.#client = createOpticalClient(options, {
      write: (bytes) => {
        options.trace?.({ direction: 'out', time: clock.now(), bytes });
        this.#driver.write(bytes);
      },
      line: (settings) => this.#driver.line(settings),
      event: (event) => this.#event(event),
    });
  }

  get describe(): string {
    return this.#options.link.describe;
  }

  get programming(): boolean {
    return this.#client.state === 'programming' || this.#client.state === 'asking';
  }

  async open(): Promise<void> {
    const { link, clock, trace } = this.#options;
    await link.open({
      data: (bytes) => {
        if (trace) trace({ direction: 'in', time: clock.now(), bytes: bytes.map((octet) => octet & 0x7f) });
        this.#client.receive(bytes, clock.now());
        this.#wake();
      },
      closed: (error) => this.#lost(error ?? new LinkError(`${link.describe}: the line ended`)),
    });
    this.#opened = true;
  }

  // --- events ---------------------------------------------------------------------------------------------------

  #event(event: ClientEvent): void {
    if (event.type === 'identified') {
      this.meter = event.meter;
      this.#options.identified?.(event.meter);
      return;
    }
    const job = this.#job;
    this.#job = undefined;
    if (event.type === 'failed') job?.reject(event.error);
    else if (job?.want === event.type) job.resolve(event);
    else job?.reject(new LinkError(`the meter went another way: ${event.type}`));
  }

  #lost(error: Error): void {
    this.#over ??= error;
    this.#cancel();
    this.#driver.stop();
    const job = this.#job;
    this.#job = undefined;
    job?.reject(error);
  }

  #wake(): void {
    const { clock } = this.#options;
    const at = this.#client.nextDeadline();
    // A deadline that moves on is looked at when the timer rings.
    if (at >= this.#timerAt || at === Number.POSITIVE_INFINITY || this.#over) return;
    this.#cancel();
    this.#timerAt = at;
    this.#cancel = clock.after(Math.max(0, at - clock.now()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#client.tick(clock.now());
      this.#wake();
    });
  }

  #run(want: ClientEvent['type'], begin: (now: number) => void): Promise<ClientEvent> {
    if (this.#over) return Promise.reject(this.#over);
    if (this.#job) return Promise.reject(new MisuseError('the session is busy: one operation at a time'));
    return new Promise((resolve, reject) => {
      this.#job = { want, resolve, reject };
      try {
        begin(this.#options.clock.now());
      } catch (error) {
        this.#job = undefined;
        reject(error);
      }
      this.#wake();
    });
  }

  // --- operations -----------------------------------------------------------------------------------------------

  async readout(option?: string): Promise<OpticalReadout> {
    await this.leave();
    const want = option === undefined || option === '0' ? 'readout' : { option };
    const event = await this.#run('readout', (now) => this.#client.start(want, now));
    if (event.type !== 'readout') throw new LinkError('no read-out came');
    return readoutOf(event.meter, event.block);
  }

  async program(): Promise<string> {
    await this.leave();
    const event = await this.#run('entered', (now) => this.#client.start('programming', now));
    return event.type === 'entered' ? event.operand : '';
  }

  async logIn(password: string, type: '1' | '2' = '1'): Promise<void> {
    const answer = await this.command({ command: 'P', type, data: `(${password})`, more: false });
    if (answer.type === 'error') throw new PeerError(`the meter refuses the password: ${errorWords(answer.text)}`);
  }

  async read(address: string, { type = '1', value = '' }: ReadOptions = {}): Promise<DataSet[]> {
    checkText(address, value);
    const answer = await this.command({ command: 'R', type, data: `${address}(${value})`, more: false });
    if (answer.type !== 'data') throw new PeerError(`R${type} ${address}: ${saidOf(answer)}`);
    // An answer may leave the address out.
    const text = answer.data.trimStart().startsWith('(') ? address + answer.data.trimStart() : answer.data;
    return parseDataBlock(text, (error, line) => {
      throw new PeerError(`R${type} ${address}: the answer ${JSON.stringify(line)} cannot be read: ${error.message}`);
    });
  }

  async write(address: string, value: string, { type = '1', blockLength = 64 }: WriteOptions = {}): Promise<void> {
    checkText(address, value);
    const data = `${address}(${value})`;
    const partial = type === '3' || type === '4';
    const commands: CommandMessage[] = [];
    for (let at = 0; at < data.length; at += partial ? blockLength : data.length) {
      const end = partial ? at + blockLength : data.length;
      commands.push({ command: 'W', type, data: data.slice(at, end), more: end < data.length });
    }
    const answer = await this.command(commands);
    if (answer.type === 'error') throw new PeerError(`W${type} ${address}: ${saidOf(answer)}`);
  }

  async execute(address: string, value = '', type = '2'): Promise<string> {
    checkText(address, value);
    const answer = await this.command({ command: 'E', type, data: `${address}(${value})`, more: false });
    if (answer.type === 'error') throw new PeerError(`E${type} ${address}: ${saidOf(answer)}`);
    return answer.type === 'data' ? answer.data : '';
  }

  async command(commands: CommandMessage | readonly CommandMessage[]): Promise<Answer> {
    const event = await this.#run('answer', (now) => this.#client.command(commands, now));
    return event.type === 'answer' ? event.answer : { type: 'ack' };
  }

  message(sets: readonly DataSet[], options: MessageOptions): Message {
    return messageOf(this.meter, sets, bytesOf(sets.map(textOfSet).join('\r\n')), options, ['crcMissing']);
  }

  async leave(): Promise<void> {
    if (!this.programming || this.#over) return;
    if (this.#job) throw new MisuseError('the session is busy: one operation at a time');
    this.#client.leave(this.#options.clock.now());
    await this.#driver.settled();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.programming && !this.#over) {
      this.#client.leave(this.#options.clock.now());
      await this.#driver.settled();
    }
    this.#lost(new LinkError('the session was closed'));
    if (this.#opened) await this.#options.link.close();
  }
}

const saidOf = (answer: Answer): string =>
  answer.type === 'error' ? errorWords(answer.text) : answer.type === 'ack' ? 'the meter gave no data' : answer.data;

/** @throws MisuseError for characters that would end the data set */
function checkText(...texts: readonly string[]): void {
  for (const text of texts)
    if (!/^[\x20-\x27\x2a-\x7e]*$/.test(text) || text.includes('!'))
      throw new MisuseError(`${JSON.stringify(text)}: printable ASCII without brackets and ! is needed`);
}

const textOfSet = ({ address, values }: DataSet): string =>
  address + values.map(({ value, unit }) => `(${value}${unit === undefined ? '' : `*${unit}`})`).join('');

function messageOf(
  meter: SignedOn | undefined,
  sets: readonly DataSet[],
  raw: Uint8Array,
  { reader, port, zone, receivedAt }: MessageOptions,
  flags: Message['flags'],
): Message {
  return messageOfReadings({ reader, port }, meter, readingsOf(sets, zone), {
    raw,
    flags,
    receivedAt,
    sequence: receivedAt,
  });
}

function readoutOf(meter: SignedOn, block: Block): OpticalReadout {
  const head = bytesOf(`/${meter.maker}${meter.z}${meter.marks}${meter.identification}\r\n`);
  const raw = new Uint8Array(head.length + block.bytes.length);
  raw.set(head, 0);
  raw.set(block.bytes, head.length);
  const sets = parseDataBlock(block.data, () => {});
  return {
    meter,
    sets,
    raw,
    message: (options) => messageOf(meter, sets, raw, options, block.check === 'right' ? [] : ['crcMissing']),
  };
}
