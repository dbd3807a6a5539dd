/**
 * Framed messages of read-out and programming mode (IEC 62056-21 clause 6.3.4 to 6.3.11): `STX data ETX BCC`,
 * `SOH C D STX data ETX BCC`, each with EOT for ETX where more blocks follow, and the lines and single characters around them.
 *
 * Decides: what a stream of characters is made of. Leaves out: what it means, and repetition.
 */
import { ACK, blockCheck, bytesOf, CR, EOT, ETX, isEven, LF, NAK, SOH, STX, textOf } from './characters.ts';

/** P password, W write, R read, E execute, B exit (break). */
export type CommandLetter = 'P' | 'W' | 'R' | 'E' | 'B';

export interface CommandMessage {
  readonly command: CommandLetter;
  /** Command type: one character, mostly a digit. */
  readonly type: string;
  /** Data set, brackets included, e.g. `1.8.0()`; empty for B0. */
  readonly data: string;
  /** EOT: more blocks of the same command follow. */
  readonly more: boolean;
}

/** `SOH C D STX data ETX BCC`; without STX and data where there is none. */
export function encodeCommand({ command, type, data, more }: CommandMessage): Uint8Array {
  const text = data === '' ? `${command}${type}` : `${command}${type}\x02${data}`;
  return framed(SOH, text, more);
}

/** `STX data ETX BCC`. */
export function encodeData(data: string, more = false): Uint8Array {
  return framed(STX, data, more);
}

/** The data block of a read-out: lines, `!`, CR LF, between STX and ETX BCC. */
export function encodeReadout(lines: readonly string[]): Uint8Array {
  return encodeData(`${lines.map((line) => `${line}\r\n`).join('')}!\r\n`);
}

function framed(start: number, text: string, more: boolean): Uint8Array {
  const bytes = new Uint8Array(text.length + 3);
  bytes[0] = start;
  bytes.set(bytesOf(text), 1);
  bytes[text.length + 1] = more ? EOT : ETX;
  bytes[text.length + 2] = blockCheck(bytes, 1, text.length + 2);
  return bytes;
}

/** A block as it came in. */
export interface Block {
  readonly type: 'block';
  /** Of a programming command; undefined for a data message. */
  readonly command?: { readonly command: string; readonly type: string };
  readonly data: string;
  readonly more: boolean;
  /** `none`: a data block without STX and BCC (mode D). */
  readonly check: 'right' | 'wrong' | 'none';
  /** All of it, parity bits taken off. */
  readonly bytes: Uint8Array;
}

export type Received =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'ack' }
  | { readonly type: 'nak' }
  | Block;

const LONGEST_LINE = 80;
export const LONGEST_BLOCK = 1 << 19;
const SLASH = 0x2f;
const END = 0x21;
const OPEN = 0x28;
const CLOSE = 0x29;

/** What the machine that owns the receiver waits for: the same character may begin several things. */
export interface Expectation {
  /** ACK alone, or the beginning of `ACK V Z Y CR LF`. */
  readonly ack: 'single' | 'line';
  /** Data without STX may come, up to `!` CR LF. */
  readonly bare: boolean;
  /** What follows such data is waited for: with ETX and BCC behind them their head was lost, STX with it, and they are wrong. */
  readonly tail?: boolean;
}

export interface MessageReceiver {
  expectation: Expectation;
  /** Within a line or block. */
  readonly busy: boolean;
  /** Octets since the last reset that began nothing, at most 64 of them. */
  readonly noise: Uint8Array;
  push(octet: number): void;
  /** Nothing follows: bare data that waited for a tail are taken. @returns whether there were any */
  flush(): boolean;
  reset(): void;
}

/** Takes octets with or without parity bits. */
export function createMessageReceiver(take: (received: Received) => void): MessageReceiver {
  return new Receiver(take);
}

class Receiver implements MessageReceiver {
  expectation: Expectation = { ack: 'single', bare: false };
  readonly #take: (received: Received) => void;
  #state: 'idle' | 'line' | 'block' | 'check' | 'bare' | 'tail' = 'idle';
  #buf = new Uint8Array(256);
  #len = 0;
  #noise: number[] = [];
  /** Of the line or block under way: octets with bit 7, and such that break even parity. */
  #high = 0;
  #broken = 0;

  constructor(take: (received: Received) => void) {
    this.#take = take;
  }

  get busy(): boolean {
    return this.#state !== 'idle';
  }

  get noise(): Uint8Array {
    return Uint8Array.from(this.#noise);
  }

  flush(): boolean {
    if (this.#state !== 'tail') return false;
    this.#bare();
    return true;
  }

  reset(): void {
    this.#state = 'idle';
    this.#len = 0;
    this.#noise = [];
  }

  push(octet: number): void {
    const c = octet & 0x7f;
    if (octet > 0x7f) this.#high++;
    if (!isEven(octet)) this.#broken++;
    switch (this.#state) {
      case 'idle':
        this.#begin(c);
        return;
      case 'line':
        if (c === LF) this.#line();
        // A line that begins anew: what came before was noise.
        else if (c === SLASH && this.#buf[0] === SLASH) this.#start('line', c);
        else if (this.#len >= LONGEST_LINE) this.reset();
        else if (c === STX || c === SOH) this.#start('block', c);
        else if (c !== CR && c !== 0) this.#put(c);
        return;
      case 'block':
        this.#put(c);
        if (c === ETX || c === EOT) this.#state = 'check';
        else if (this.#len > LONGEST_BLOCK) this.reset();
        return;
      case 'check':
        this.#put(c);
        this.#block();
        return;
      case 'bare':
        // What a change of rate left on the line stands before it.
        if (c === STX && !this.#isInBracket()) {
          this.#start('block', c);
          return;
        }
        this.#put(c);
        if (c === LF && this.#endsBare()) {
          if (this.expectation.tail) this.#state = 'tail';
          else this.#bare();
        } else if (this.#len > LONGEST_BLOCK) this.reset();
        return;
      case 'tail':
        if (c === ETX || c === EOT) {
          this.#put(c);
          this.#state = 'check';
        } else if (c !== CR && c !== LF && c !== 0) {
          this.#bare();
          this.#begin(c);
        }
    }
  }

  #begin(c: number): void {
    if (c === SOH || c === STX) this.#start('block', c);
    else if (c === SLASH) this.#start('line', c);
    else if (c === ACK && this.expectation.ack === 'line') this.#start('line', c);
    else if (c === ACK) this.#take({ type: 'ack' });
    else if (c === NAK) this.#take({ type: 'nak' });
    else if (this.expectation.bare && c > 0x20 && c < 0x7f) this.#start('bare', c);
    else if (c !== CR && c !== LF && this.#noise.length < 64) this.#noise.push(c);
  }

  #start(state: 'line' | 'block' | 'bare', c: number): void {
    this.#state = state;
    this.#len = 0;
    // The octet itself is counted already, whichever it was.
    this.#high = 0;
    this.#broken = 0;
    this.#put(c);
  }

  /** The line carries parity bits, and some are broken. Without parity about half of all octets would seem so. */
  #isParityBroken(): boolean {
    return this.#high > 0 && this.#broken > 0 && this.#broken * 8 <= this.#len;
  }

  #put(c: number): void {
    if (this.#len === this.#buf.length) {
      const grown = new Uint8Array(this.#buf.length * 2);
      grown.set(this.#buf);
      this.#buf = grown;
    }
    this.#buf[this.#len++] = c;
  }

  #line(): void {
    const text = textOf(this.#buf, 0, this.#len);
    this.#state = 'idle';
    const broken = this.#isParityBroken();
    this.#len = 0;
    // An identification with a broken character would be believed: nothing else checks it.
    if (!broken) this.#take({ type: 'line', text });
  }

  /** The line under way has a bracket that is not closed: some meters send STX within. */
  #isInBracket(): boolean {
    for (let at = this.#len - 1; at >= 0; at--) {
      const c = this.#buf[at];
      if (c === OPEN) return true;
      if (c === CLOSE || c === LF) return false;
    }
    return false;
  }

  /** The line that ends here begins with the end mark. */
  #endsBare(): boolean {
    let at = this.#len - 1;
    while (at > 0 && (this.#buf[at - 1] as number) !== LF) at--;
    return this.#buf[at] === END;
  }

  #bare(): void {
    const bytes = this.#buf.slice(0, this.#len);
    const check = this.#isParityBroken() ? 'wrong' : 'none';
    this.#state = 'idle';
    this.#len = 0;
    this.#take({ type: 'block', data: textOf(bytes), more: false, check, bytes });
  }

  #block(): void {
    const bytes = this.#buf.slice(0, this.#len);
    const broken = this.#isParityBroken();
    this.#state = 'idle';
    this.#len = 0;
    const end = bytes.length - 2;
    const headless = bytes[0] !== STX && bytes[0] !== SOH;
    const right = !broken && !headless && blockCheck(bytes, 1, end + 1) === bytes[end + 1];
    const stx = bytes[0] === SOH ? bytes.indexOf(STX) : 0;
    const data = stx < 0 ? '' : textOf(bytes, stx + 1, end);
    const head = bytes[0] === SOH ? textOf(bytes, 1, Math.min(3, end)) : '';
    this.#take({
      type: 'block',
      ...(head !== '' && { command: { command: head[0] as string, type: head[1] ?? '' } }),
      data,
      more: bytes[end] === EOT,
      check: right ? 'right' : 'wrong',
      bytes,
    });
  }
}
