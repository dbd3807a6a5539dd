/**
 * A modem that is none: answers AT commands on a link and, when told to dial, connects to another link. For tests and demonstrations.
 *
 * Decides: what a modem of the usual kind answers (V.250), with its escape sequence and guard times, and what goes wrong on
 * order: a busy number, nobody there, a call that breaks off after so many octets, noise, a port at another speed. Leaves out: the line itself.
 */
import type { Clock } from './clock.ts';
import type { Link } from './link.ts';
import type { ResultCode } from './modem-results.ts';

/** What becomes of a number that is dialled: somebody to talk to, or a result code. */
export type Called = Link | Exclude<ResultCode, 'ok' | 'connect' | 'ring'> | 'silent';

export interface SimulatedModemOptions {
  /** The port of the modem. */
  readonly link: Pick<Link, 'open' | 'write' | 'close'>;
  readonly clock: Clock;
  readonly dial: (number: string) => Called;
  /** From ATD to its result, ms; 3000 unless said. */
  readonly setup?: number;
  /** Silence that it wants around +++, ms; 1000 unless said. */
  readonly guard?: number;
  /** Told behind CONNECT; nothing unless said. */
  readonly speed?: number;
  /** Octets from the other end until the call breaks off. */
  readonly dropAfter?: number;
  /** Octets written before each answer. */
  readonly noise?: Uint8Array;
  /** The port is at another speed: nothing is understood, and rubbish is answered. */
  readonly wrongSpeed?: boolean;
  readonly mute?: boolean;
  /** Commands that are answered by ERROR. */
  readonly refuses?: RegExp;
}

export interface SimulatedModem {
  /** Commands as they came. */
  readonly commands: readonly string[];
  readonly online: boolean;
  /** Calls that were connected so far. */
  readonly calls: number;
  /** Somebody calls. */
  ring(caller: Link): void;
  /** The control line of the port. */
  carrier(): Promise<boolean>;
  dtr(on: boolean): Promise<void>;
  close(): Promise<void>;
}

const WORDS: Readonly<Record<ResultCode, readonly [string, number]>> = {
  ok: ['OK', 0],
  connect: ['CONNECT', 1],
  ring: ['RING', 2],
  'no-carrier': ['NO CARRIER', 3],
  error: ['ERROR', 4],
  'no-dialtone': ['NO DIALTONE', 6],
  busy: ['BUSY', 7],
  'no-answer': ['NO ANSWER', 8],
  blacklisted: ['BLACKLISTED', 4],
};
const GUARD = 1000;
const LONGEST_COMMAND = 512;

/** Opens the link and answers. */
export async function simulateModem(options: SimulatedModemOptions): Promise<SimulatedModem> {
  const modem = new Modem(options);
  await options.link.open({ data: (bytes) => modem.receive(bytes), closed: () => modem.hangUp() });
  return modem;
}

class Modem implements SimulatedModem {
  readonly #options: SimulatedModemOptions;
  readonly commands: string[] = [];
  calls = 0;
  #echo = true;
  #verbose = true;
  #line = '';
  #state: 'command' | 'dialling' | 'online' | 'escaped' = 'command';
  #call: Link | undefined;
  #caller: Link | undefined;
  #left = Number.POSITIVE_INFINITY;
  #lastOctet = Number.NEGATIVE_INFINITY;
  #pluses = 0;
  #cancel = (): void => {};

  constructor(options: SimulatedModemOptions) {
    this.#options = options;
  }

  get online(): boolean {
    return this.#call !== undefined && (this.#state === 'online' || this.#state === 'escaped');
  }

  async carrier(): Promise<boolean> {
    return this.online;
  }

  async dtr(on: boolean): Promise<void> {
    if (!on && this.#call) {
      this.hangUp();
      this.#say('ok');
    }
  }

  ring(caller: Link): void {
    this.#caller = caller;
    this.#say('ring');
  }

  receive(bytes: Uint8Array): void {
    const { mute, wrongSpeed } = this.#options;
    if (wrongSpeed) this.#write(bytes.map((octet) => (octet * 7 + 0x80) & 0xff));
    if (mute || wrongSpeed) return;
    if (this.#state === 'online') this.#data(bytes);
    else for (const octet of bytes) this.#octet(octet & 0x7f);
  }

  /** Data of the call; `+++` between two silences leaves it. */
  #data(bytes: Uint8Array): void {
    const now = this.#options.clock.now();
    const quiet = now - this.#lastOctet >= (this.#options.guard ?? GUARD);
    this.#lastOctet = now;
    this.#cancel();
    const pluses = bytes.every((octet) => octet === 0x2b);
    this.#pluses = pluses && (quiet || this.#pluses > 0) ? this.#pluses + bytes.length : 0;
    if (this.#pluses === 3)
      this.#cancel = this.#options.clock.after(this.#options.guard ?? GUARD, () => {
        this.#pluses = 0;
        this.#state = 'escaped';
        this.#say('ok');
      });
    void this.#call?.write(bytes).catch(() => {});
  }

  #octet(octet: number): void {
    if (this.#state === 'dialling') {
      this.#cancel();
      this.#state = 'command';
      this.#say('no-carrier');
      return;
    }
    if (this.#echo) this.#write(Uint8Array.of(octet));
    if (octet !== 0x0d) {
      if (this.#line.length < LONGEST_COMMAND && octet >= 0x20) this.#line += String.fromCharCode(octet);
      return;
    }
    const line = this.#line.trim();
    this.#line = '';
    const at = /AT(.*)$/i.exec(line);
    if (at) this.#command((at[1] as string).toUpperCase());
  }

  #command(text: string): void {
    this.commands.push(text);
    if (this.#options.refuses?.test(text)) this.#say('error');
    else if (text.startsWith('D')) this.#dial(text.slice(1).replace(/^[TP]/, ''));
    else if (text === 'A' && this.#caller) this.#connect(this.#caller);
    else if (text === 'A') this.#say('no-carrier');
    else if (text === 'O' && this.#call) {
      this.#state = 'online';
      this.#say('connect');
    } else this.#set(text);
  }

  /** H, Z, &F, E, V; all else is taken as it is. */
  #set(text: string): void {
    if (text.startsWith('H')) this.hangUp();
    if (text.startsWith('Z') || text.startsWith('&F')) {
      this.hangUp();
      this.#echo = true;
      this.#verbose = true;
    }
    for (const [, letter, value] of text.replace(/[&+].*$/, '').matchAll(/([EV])([01]?)/g)) {
      if (letter === 'E') this.#echo = value === '1';
      else this.#verbose = value === '1';
    }
    this.#say('ok');
  }

  #dial(number: string): void {
    this.#state = 'dialling';
    this.#cancel = this.#options.clock.after(this.#options.setup ?? 3000, () => {
      const called = this.#options.dial(number);
      if (called === 'silent') return;
      this.#state = 'command';
      if (typeof called === 'string') this.#say(called);
      else this.#connect(called);
    });
  }

  #connect(peer: Link): void {
    this.#caller = undefined;
    this.#left = this.#options.dropAfter ?? Number.POSITIVE_INFINITY;
    peer
      .open({
        data: (bytes) => {
          if (this.#call !== peer) return;
          const part = bytes.subarray(0, this.#left);
          this.#left -= part.length;
          if (part.length > 0) this.#write(part);
          if (this.#left <= 0) this.#ended(peer);
        },
        closed: () => this.#ended(peer),
      })
      .then(
        () => {
          this.#call = peer;
          this.calls++;
          this.#state = 'online';
          this.#lastOctet = this.#options.clock.now();
          this.#say('connect');
        },
        () => this.#say('no-carrier'),
      );
  }

  #ended(peer: Link): void {
    if (this.#call !== peer) return;
    this.hangUp();
    this.#say('no-carrier');
  }

  hangUp(): void {
    const call = this.#call;
    this.#call = undefined;
    this.#state = 'command';
    this.#line = '';
    this.#pluses = 0;
    this.#cancel();
    void call?.close();
  }

  #say(code: ResultCode): void {
    const { mute, noise, speed } = this.#options;
    if (mute) return;
    const [word, number] = WORDS[code];
    const told = code === 'connect' && speed !== undefined ? `${word} ${speed}` : word;
    if (noise) this.#write(noise);
    this.#write(new TextEncoder().encode(this.#verbose ? `\r\n${told}\r\n` : `${number}\r`));
  }

  #write(bytes: Uint8Array): void {
    void this.#options.link.write(bytes).catch(() => {});
  }

  async close(): Promise<void> {
    this.hangUp();
    await this.#options.link.close();
  }
}
