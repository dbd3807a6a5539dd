/**
 * A call over an AT-command modem as a link, over any other link: a serial port, or TCP to a modem server. Opening dials, closing hangs up.
 *
 * Decides: what goes to the modem and what to the caller; that a number holds nothing but digits (no command can be smuggled in);
 * when the call has ended: by DCD where the port has it, else by the modem's NO CARRIER followed by silence. Leaves out:
 * whose turn it is (channels), tones, faxes, and modems that are set up by other than AT commands.
 */
import { MisuseError } from '@amiable/bytes';
import { run } from '@amiable/fsm';
import { type Clock, systemClock } from './clock.ts';
import { PortError, portError } from './faults.ts';
import type { Link, LinkEvents } from './link.ts';
import { type ModemEffect, type ModemInput, type ModemState, type ModemTerms, modemTable } from './modem-machine.ts';
import { CarrierWatch, createResultReader } from './modem-results.ts';

/** Control lines of a modem's port, where there are any. */
export interface ModemLines {
  /** Data Carrier Detect. */
  carrier(): Promise<boolean>;
  /** Data Terminal Ready; off hangs up (&D2). */
  dtr(on: boolean): Promise<void>;
}

export interface ModemSettings {
  /** Sent after the reset and before dialling, e.g. `AT&F`, `AT+IPR=9600`; `AT` is put before where it lacks. */
  readonly init?: readonly string[];
  /** Circuit-switched data of GSM, +CBST: speed (71: 9600 bit/s V.110), name and connection element. */
  readonly bearer?: { readonly speed: number; readonly name: number; readonly element: number };
  /** `tone` and `pulse` are for analogue lines; the modem's own way unless said. */
  readonly dialling?: 'tone' | 'pulse';
  /** Until the called modem has connected, ms; 75 000 unless said. */
  readonly dialTimeout?: number;
  /** Until the modem answers a command, ms; 3000 unless said. */
  readonly commandTimeout?: number;
  /** Silence around +++, ms; 1100 unless said. */
  readonly guard?: number;
}

export interface ModemOptions extends ModemSettings {
  /** To the modem. */
  readonly link: Link;
  /** Digits, +, *, #, with blanks, hyphens and brackets as people write them. Left out: a call is awaited (RING, ATA). */
  readonly number?: string;
  readonly clock?: Clock;
  readonly lines?: ModemLines;
  /** The modem, for messages; what the link says of itself unless given. */
  readonly name?: string;
}

export interface ModemLink extends Link {
  /** Bit/s that CONNECT told, where it did. */
  readonly speed: number | undefined;
}

/** Behind the modem's NO CARRIER: data would go on. */
const QUIET = 300;
const CARRIER_POLL = 500;

/** A number as it is dialled. @throws MisuseError for anything but a number */
export function dialString(number: string): string {
  const plain = number.replace(/[\s()./-]/g, '');
  if (number.length > 60 || !/^\+?[0-9*#][0-9*#,]{0,31}$/.test(plain))
    throw new MisuseError(
      `${JSON.stringify(number.slice(0, 60))} is no phone number: digits are needed, with + in front, *, # or a comma for a pause`,
    );
  return plain;
}

/** @throws MisuseError for characters that would end the command */
function commandText(text: string): string {
  const plain = text.trim();
  if (!/^[\x20-\x7e]{1,120}$/.test(plain))
    throw new MisuseError(
      `the modem command ${JSON.stringify(text.slice(0, 120))}: up to 120 printable characters are needed`,
    );
  const command = /^at/i.test(plain) ? `AT${plain.slice(2)}` : `AT${plain}`;
  if (/^AT[DA]/i.test(command))
    throw new MisuseError(
      `the modem command ${JSON.stringify(command)} would dial or answer; the link does that itself`,
    );
  return command;
}

function bearerText({ speed, name, element }: NonNullable<ModemSettings['bearer']>): string {
  for (const n of [speed, name, element])
    if (!Number.isInteger(n) || n < 0 || n > 255) throw new MisuseError(`+CBST: ${n} is no number from 0 to 255`);
  return `AT+CBST=${speed},${name},${element}`;
}

const MODIFIER = { tone: 'T', pulse: 'P' } as const;

function termsOf({
  link,
  number,
  init,
  bearer,
  dialling,
  dialTimeout,
  commandTimeout,
  guard,
  lines,
  name,
}: ModemOptions): ModemTerms {
  const digits = number === undefined ? '' : dialString(number);
  return {
    name: name ?? link.describe,
    commands: ['ATZ', 'ATE0V1', ...(init ?? []).map(commandText), ...(bearer ? [bearerText(bearer)] : [])],
    dial: number === undefined ? undefined : `ATD${dialling ? MODIFIER[dialling] : ''}${digits}`,
    number: digits,
    commandTimeout: commandTimeout ?? 3000,
    dialTimeout: dialTimeout ?? 75_000,
    guard: guard ?? 1100,
    dtr: lines !== undefined,
  };
}

/** @throws MisuseError for a number or a command that is none */
export function modemLink(options: ModemOptions): ModemLink {
  return new Modem(options, termsOf(options));
}

const encoder = new TextEncoder();

class Modem implements ModemLink {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #lines: ModemLines | undefined;
  readonly #terms: ModemTerms;
  readonly #machine;
  readonly #reader;
  #watch = new CarrierWatch();
  #events: LinkEvents | undefined;
  #opening: { resolve(): void; reject(error: Error): void } | undefined;
  #closing: Promise<void> | undefined;
  #ended = (): void => {};
  #cancel = (): void => {};
  #cancelQuiet = (): void => {};
  #cancelPoll = (): void => {};
  #carrierSeen = false;
  /** Counts openings: what the link says late of an earlier one is not heard. */
  #opened = 0;
  speed: number | undefined;

  constructor(options: ModemOptions, terms: ModemTerms) {
    this.#link = options.link;
    this.#clock = options.clock ?? systemClock;
    this.#lines = options.lines;
    this.#terms = terms;
    this.#machine = run<ModemState, ModemInput, ModemEffect>(modemTable(terms), { type: 'idle' }, (effect) =>
      this.#perform(effect),
    );
    this.#reader = createResultReader((result) =>
      this.#machine.send({ type: 'result', result, noise: this.#reader.noise }),
    );
  }

  get describe(): string {
    const { name, number } = this.#terms;
    return number === '' ? `a call to ${name}` : `${number} over ${name}`;
  }

  open(events: LinkEvents): Promise<void> {
    if (this.#machine.state.type !== 'idle')
      return Promise.reject(new MisuseError(`${this.describe}: the modem is in use`));
    this.#events = events;
    this.#closing = undefined;
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#machine.send({ type: 'start' });
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#machine.state.type !== 'online')
      return Promise.reject(new PortError('closed', `${this.describe}: there is no call`));
    return this.#link.write(bytes);
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#ended = resolve;
      this.#machine.send({ type: 'stop' });
    });
    return this.#closing;
  }

  #perform(effect: ModemEffect): void {
    switch (effect.do) {
      case 'open':
        this.#openLink(++this.#opened);
        break;
      case 'close': {
        const own = this.#opened;
        // Whatever the link says of its closing, it is closed then.
        const closed = (): void => this.#tell(own, { type: 'lost', error: undefined });
        this.#link.close().then(closed, closed);
        break;
      }
      case 'write':
        this.#reader.reset();
        // A failure shows as `lost`, or as silence.
        this.#link.write(encoder.encode(effect.text)).catch(() => {});
        break;
      case 'dtr':
        this.#lines?.dtr(effect.on).catch(() => {});
        break;
      case 'wait':
        this.#cancel();
        this.#cancel = this.#clock.after(effect.ms, () =>
          this.#machine.send({ type: 'timer', noise: this.#reader.noise }),
        );
        break;
      case 'cancelWait':
        this.#cancel();
        break;
      case 'connected':
        this.speed = effect.speed;
        this.#opening?.resolve();
        this.#opening = undefined;
        this.#pollCarrier();
        break;
      case 'failed':
        this.#opening?.reject(effect.error);
        this.#opening = undefined;
        this.#events = undefined;
        break;
      case 'lost':
        this.#tellClosed(effect.error);
        break;
      case 'ended':
        this.#cancel();
        this.#tellClosed(undefined);
        this.#opening?.reject(new PortError('closed', `${this.describe}: closed`));
        this.#opening = undefined;
        this.#ended();
        break;
    }
  }

  #tell(own: number, input: ModemInput): void {
    if (own === this.#opened) this.#machine.send(input);
  }

  #openLink(own: number): void {
    this.#reader.reset();
    this.#watch = new CarrierWatch();
    this.speed = undefined;
    const link = this.#link;
    link
      .open({
        data: (bytes) => {
          if (own === this.#opened) this.#data(bytes);
        },
        closed: (error) => this.#tell(own, { type: 'lost', error }),
      })
      .then(
        () => this.#tell(own, { type: 'opened' }),
        (error) => this.#tell(own, { type: 'failed', error: portError(link.describe, error) }),
      );
  }

  #tellClosed(error: Error | undefined): void {
    this.#cancelQuiet();
    this.#cancelPoll();
    const events = this.#events;
    this.#events = undefined;
    events?.closed(error);
  }

  #data(bytes: Uint8Array): void {
    if (this.#machine.state.type !== 'online' || this.#reader.pending) {
      const rest = this.#reader.push(bytes);
      // Data may come in one piece with CONNECT.
      if (rest && rest.length > 0 && this.#machine.state.type === 'online') this.#hand(rest);
      return;
    }
    this.#hand(bytes);
  }

  #hand(bytes: Uint8Array): void {
    this.#cancelQuiet();
    if (this.#watch.push(bytes))
      this.#cancelQuiet = this.#clock.after(QUIET, () => {
        if (this.#machine.state.type === 'online') this.#machine.send({ type: 'carrier-lost' });
      });
    this.#events?.data(bytes);
  }

  /** A line that never was on is not connected, and tells nothing. */
  #pollCarrier(): void {
    const lines = this.#lines;
    if (!lines) return;
    this.#carrierSeen = false;
    const look = async (): Promise<void> => {
      const on = await lines.carrier().catch(() => undefined);
      if (this.#machine.state.type !== 'online' || on === undefined) return;
      if (on) this.#carrierSeen = true;
      else if (this.#carrierSeen) {
        this.#machine.send({ type: 'carrier-lost' });
        return;
      }
      this.#cancelPoll = this.#clock.after(CARRIER_POLL, () => void look());
    };
    void look();
  }
}
