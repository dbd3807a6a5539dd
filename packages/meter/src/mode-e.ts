/**
 * The way into HDLC through an optical port, both ends: IEC 62056-21 protocol mode E (annex E there; IEC 62056-42).
 *
 *     300 Bd 7E1   client  /?<address>!CRLF
 *                  meter   /XXXZ\2<identification>CRLF      \2: the binary mode (HDLC) is there; Z: the fastest rate
 *                  client  ACK 2 Z 2 CRLF                   HDLC procedure, rate Z, binary mode
 *                  meter   ACK 2 Z 2 CRLF                   the same, as confirmation
 *     Z Bd 8N1     both    HDLC
 *
 * Decides: what each end waits for and how long, and when the line changes. The confirmation goes at the old rate; a meter
 * that gives none is followed to the new rate all the same. Parity bits of a line that hands on eight are ignored. What
 * follows the last line is HDLC already and is given on. Leaves out: read-out and programming (modes A to D), and the
 * port: it is told `line` when to change.
 */
import { LinkError, toHex } from '@amiable/bytes';

/** How the port is to be set. */
export interface LineSettings {
  readonly baud: number;
  readonly framing: '7E1' | '8N1';
}

/** Baud rate identification characters of mode C and E. */
const RATES = [300, 600, 1200, 2400, 4800, 9600, 19_200] as const;
export const SIGN_ON_LINE: LineSettings = { baud: 300, framing: '7E1' };

/** Longest line: an identification has 24 characters at most, an address 32. */
const LONGEST = 64;
const ACK = 0x06;
const CR = 0x0d;
const LF = 0x0a;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Collects characters up to CR LF, at most so many. */
class LineBuffer {
  text = '';
  /** @returns where in the bytes the line ended (behind its LF), -1 when it has not */
  push(bytes: Uint8Array, from: number): number {
    for (let i = from; i < bytes.length; i++) {
      const c = (bytes[i] as number) & 0x7f;
      if (c === LF) return i + 1;
      // Each request and answer begins with one of these: noise before it is dropped.
      if (c === 0x2f || c === ACK) this.text = '';
      if (c !== CR && c !== 0) this.text += String.fromCharCode(c);
      if (this.text.length > LONGEST) this.text = '';
    }
    return -1;
  }
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

// ---------------------------------------------------------------- meter

export interface ModeEServerOptions {
  /** Three letters of the maker, e.g. `AMI`; the third in lower case where the meter answers within 20 ms. */
  readonly maker: string;
  /** Up to 16 printable characters without `/` and `!`. */
  readonly identification: string;
  /** The fastest rate of the port; 9600 unless said. */
  readonly baud?: number;
  /** Answers to this address only, and to none; leading zeros mean nothing. */
  readonly address?: string;
  /** How long the client may take for its ACK, ms; 1500 is the standard's. */
  readonly timeout?: number;
}

export interface ModeEServerSink {
  write(bytes: Uint8Array): void;
  /** Change the port, once all that was written has left it. */
  line(settings: LineSettings): void;
  /** HDLC from here on. `rest`: what came with the last line, mostly nothing. */
  hdlc(rest: Uint8Array): void;
}

export interface ModeEServer {
  readonly state: 'waiting' | 'identified' | 'hdlc';
  /** In state `hdlc` bytes are no longer for this machine. */
  receive(bytes: Uint8Array, now: number): void;
  tick(now: number): void;
  nextDeadline(): number;
  /** The HDLC link has ended (DISC, or nobody there): the port goes back to signing on. */
  reset(): void;
}

export function createModeEServer(options: ModeEServerOptions, sink: ModeEServerSink): ModeEServer {
  return new ModeEMeter(options, sink);
}

class ModeEMeter implements ModeEServer {
  state: ModeEServer['state'] = 'waiting';
  readonly #options: ModeEServerOptions;
  readonly #sink: ModeEServerSink;
  readonly #line = new LineBuffer();
  #deadline = Number.POSITIVE_INFINITY;

  constructor(options: ModeEServerOptions, sink: ModeEServerSink) {
    this.#options = options;
    this.#sink = sink;
  }

  receive(bytes: Uint8Array, now: number): void {
    this.tick(now);
    let at = 0;
    while (at < bytes.length) {
      if (this.state === 'hdlc') {
        this.#sink.hdlc(bytes.subarray(at));
        return;
      }
      const end = this.#line.push(bytes, at);
      if (end < 0) return;
      at = end;
      const text = this.#line.take();
      if (text.startsWith('/?')) this.#signOn(text, now);
      else if (this.state === 'identified') this.#acknowledged(text, bytes.subarray(at));
      if ((this.state as string) === 'hdlc') return;
    }
  }

  #signOn(text: string, now: number): void {
    const address = /^\/\?([0-9A-Za-z ]{0,32})!$/.exec(text)?.[1];
    if (address === undefined) return;
    const plain = address.replace(/^0+/, '');
    if (plain !== '' && plain !== (this.#options.address ?? '').replace(/^0+/, '')) return;
    const { maker, identification, baud = 9600, timeout = 1500 } = this.#options;
    const rate = Math.max(0, RATES.indexOf(baud as (typeof RATES)[number]));
    this.#sink.write(ascii(`/${maker}${rate}\\2${identification}\r\n`));
    this.state = 'identified';
    this.#deadline = now + timeout;
  }

  #acknowledged(text: string, rest: Uint8Array): void {
    const rate = text.length === 4 && text.startsWith('\x062') && text.endsWith('2') ? text[2] : undefined;
    // Another procedure, or a rate that was not offered: the client will sign on anew.
    const baud = RATES[Number(rate)];
    if (rate === undefined || baud === undefined || baud > (this.#options.baud ?? 9600)) {
      this.state = 'waiting';
      this.#deadline = Number.POSITIVE_INFINITY;
      return;
    }
    this.#sink.write(ascii(`\x062${rate}2\r\n`));
    this.state = 'hdlc';
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#sink.line({ baud, framing: '8N1' });
    this.#sink.hdlc(rest);
  }

  tick(now: number): void {
    if (now < this.#deadline) return;
    this.#deadline = Number.POSITIVE_INFINITY;
    if (this.state === 'identified') this.state = 'waiting';
  }

  nextDeadline(): number {
    return this.#deadline;
  }

  reset(): void {
    this.#line.take();
    this.#deadline = Number.POSITIVE_INFINITY;
    if (this.state === 'hdlc') this.#sink.line(SIGN_ON_LINE);
    this.state = 'waiting';
  }
}

// ---------------------------------------------------------------- client

export interface ModeEClientOptions {
  /** The meter's address on a line of several; all answer to none. */
  readonly address?: string;
  /** The fastest rate that our port can; 19200 unless said. */
  readonly maxBaud?: number;
  /** For the identification, ms; 3000 unless said. */
  readonly timeout?: number;
  /** How long the confirmation is awaited before the line is changed without it, ms; 1500 unless said. */
  readonly confirmTimeout?: number;
  /** Signs on so often before it gives up; 3 unless said. */
  readonly attempts?: number;
}

export interface ModeEIdentification {
  readonly maker: string;
  readonly identification: string;
  /** The rate that both have agreed on. */
  readonly baud: number;
}

export interface ModeEClientSink {
  write(bytes: Uint8Array): void;
  /** Change the port, once all that was written has left it. */
  line(settings: LineSettings): void;
  /** HDLC from here on. `rest`: what came behind the confirmation. */
  hdlc(meter: ModeEIdentification, rest: Uint8Array): void;
  failed(error: LinkError): void;
}

export interface ModeEClient {
  readonly state: 'idle' | 'signing-on' | 'confirming' | 'hdlc' | 'failed';
  start(now: number): void;
  receive(bytes: Uint8Array, now: number): void;
  tick(now: number): void;
  nextDeadline(): number;
}

export function createModeEClient(options: ModeEClientOptions, sink: ModeEClientSink): ModeEClient {
  return new ModeEReader(options, sink);
}

class ModeEReader implements ModeEClient {
  state: ModeEClient['state'] = 'idle';
  readonly #options: ModeEClientOptions;
  readonly #sink: ModeEClientSink;
  readonly #line = new LineBuffer();
  #deadline = Number.POSITIVE_INFINITY;
  #attempts = 0;
  #meter: ModeEIdentification | undefined;
  #said = new Uint8Array(0);
  /** Our request came back: so will our acknowledgement. */
  #echo = false;

  constructor(options: ModeEClientOptions, sink: ModeEClientSink) {
    this.#options = options;
    this.#sink = sink;
  }

  start(now: number): void {
    this.#attempts = 0;
    this.#sink.line(SIGN_ON_LINE);
    this.#signOn(now);
  }

  #signOn(now: number): void {
    this.#attempts++;
    this.#line.take();
    this.#echo = false;
    this.state = 'signing-on';
    this.#deadline = now + (this.#options.timeout ?? 3000);
    this.#sink.write(ascii(`/?${this.#options.address ?? ''}!\r\n`));
  }

  receive(bytes: Uint8Array, now: number): void {
    let at = 0;
    while (at < bytes.length && (this.state === 'signing-on' || this.state === 'confirming')) {
      const end = this.#line.push(bytes, at);
      if (end < 0) break;
      at = end;
      const text = this.#line.take();
      if (this.state === 'signing-on') this.#identified(text, now);
      else if (text.startsWith('\x062')) {
        // On an optical head that echoes, the first is our own.
        if (this.#echo) this.#echo = false;
        else this.#confirmed(bytes.subarray(at));
      }
    }
    if (this.state === 'signing-on' || this.state === 'confirming') this.#said = bytes.slice(0, 64);
  }

  #identified(text: string, now: number): void {
    if (text.startsWith('/?')) this.#echo = true;
    const found = /^\/([A-Za-z]{3})([0-9A-Z])(.*)$/.exec(text);
    if (!found) return;
    const [, maker = '', z = '0', rest = ''] = found;
    // `\W` may stand several times; 2 is the binary mode.
    const marks = /^(?:\\.)*/.exec(rest)?.[0] ?? '';
    if (!marks.includes('\\2')) {
      this.#fail(`the meter ${maker} offers no binary mode (\\2): ${JSON.stringify(text)}`);
      return;
    }
    const offered = RATES[Number(z)];
    if (offered === undefined) {
      this.#fail(`the meter names an unknown rate ${JSON.stringify(z)}: ${JSON.stringify(text)}`);
      return;
    }
    const baud = Math.min(offered, fastest(this.#options.maxBaud ?? 19_200));
    this.#meter = { maker, identification: rest.slice(marks.length), baud };
    this.state = 'confirming';
    this.#deadline = now + (this.#options.confirmTimeout ?? 1500);
    this.#sink.write(ascii(`\x062${RATES.indexOf(baud as (typeof RATES)[number])}2\r\n`));
  }

  #confirmed(rest: Uint8Array): void {
    const meter = this.#meter as ModeEIdentification;
    this.state = 'hdlc';
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#sink.line({ baud: meter.baud, framing: '8N1' });
    this.#sink.hdlc(meter, rest);
  }

  #fail(text: string): void {
    this.state = 'failed';
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#sink.failed(new LinkError(`signing on in mode E: ${text}`));
  }

  tick(now: number): void {
    if (now < this.#deadline) return;
    // Some meters change over without a word.
    if (this.state === 'confirming') this.#confirmed(new Uint8Array(0));
    else if (this.#attempts < (this.#options.attempts ?? 3)) this.#signOn(now);
    else {
      const heard = this.#said.length > 0 ? `${toHex(this.#said, ' ').toUpperCase()} came` : 'nothing came';
      this.#fail(`an identification /XXXZ\\2… was expected, ${heard} in ${this.#attempts} attempts`);
    }
  }

  nextDeadline(): number {
    return this.#deadline;
  }
}

/** The fastest standard rate not above this one. */
function fastest(limit: number): number {
  return RATES.findLast((rate) => rate <= limit) ?? RATES[0];
}
