/**
 * What a modem says (ITU-T V.250 clause 5.7 and 6.3): result codes in words (`<CR><LF>BUSY<CR><LF>`) or as numbers (`7<CR>`).
 *
 * Decides: which lines are result codes, whatever stands around them: echoes, noise, makers' reports; where data begins behind
 * CONNECT. A line is bounded; what is longer is noise. Leaves out: when which is expected (modem-machine.ts).
 */

export type ResultCode =
  | 'ok'
  | 'connect'
  | 'ring'
  | 'no-carrier'
  | 'error'
  | 'no-dialtone'
  | 'busy'
  | 'no-answer'
  | 'blacklisted';

export interface Result {
  readonly code: ResultCode;
  /** As the modem wrote it, printable characters only, 80 at most. */
  readonly text: string;
  /** Bit/s behind CONNECT, where it is said. */
  readonly speed?: number;
}

export interface ResultReader {
  /** @returns what stands behind a CONNECT: it is data of the call, and no line is looked for in it */
  push(bytes: Uint8Array): Uint8Array | undefined;
  reset(): void;
  /** CONNECT has been read, but not the end of its line. */
  readonly pending: boolean;
  /** Octets that were part of no result code since `reset`. */
  readonly noise: number;
}

const LONGEST_LINE = 160;
const CR = 0x0d;
const LF = 0x0a;

/** Numbers of V.250 and what nearly all makers have beside them; 10 and above are CONNECT at some rate. */
const NUMBERS: Readonly<Record<number, ResultCode>> = {
  0: 'ok',
  1: 'connect',
  2: 'ring',
  3: 'no-carrier',
  4: 'error',
  5: 'connect',
  6: 'no-dialtone',
  7: 'busy',
  8: 'no-answer',
};
const NUMBERED_SPEEDS: Readonly<Record<number, number>> = { 5: 1200, 10: 2400, 11: 4800, 12: 9600, 13: 14_400 };

const WORDS: readonly (readonly [RegExp, ResultCode])[] = [
  [/^OK$/, 'ok'],
  [/^CONNECT\b/, 'connect'],
  [/^(?:RING|\+CRING\b.*)$/, 'ring'],
  [/^NO CARRIER\b/, 'no-carrier'],
  [/^NO DIAL ?TONE$/, 'no-dialtone'],
  [/^BUSY$/, 'busy'],
  [/^NO ANSWER$/, 'no-answer'],
  [/^(?:BLACKLISTED|DELAYED|\+FCERROR)\b/, 'blacklisted'],
  [/^(?:ERROR|COMMAND NOT SUPPORT|\+CM[ES] ERROR\b.*)$/, 'error'],
];

/** One line without its end; undefined when it is no result code. */
export function parseResult(line: string): Result | undefined {
  const text = line.trim();
  if (/^\d{1,2}$/.test(text)) {
    const number = Number(text);
    const code = NUMBERS[number] ?? (number >= 10 ? 'connect' : undefined);
    const speed = NUMBERED_SPEEDS[number];
    return code && { code, text, ...(speed !== undefined && { speed }) };
  }
  for (const [form, code] of WORDS) {
    if (!form.test(text)) continue;
    const digits = code === 'connect' ? /^CONNECT[ /:]+(?:[A-Z]+[ /:]+)*(\d{2,8})\b/.exec(text)?.[1] : undefined;
    return { code, text: plain(text), ...(digits !== undefined && { speed: Number(digits) }) };
  }
  return undefined;
}

/** Printable characters of a text, bounded: what a modem says ends in logs. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').slice(0, 80);

export function createResultReader(take: (result: Result) => void): ResultReader {
  let line = '';
  let noise = 0;
  let tooLong = false;
  /** A CONNECT in words ends with CR LF: the LF may come later. */
  let pending = false;
  return {
    get pending() {
      return pending;
    },
    get noise() {
      // An echo says at least that the modem is there.
      return noise + (/^AT/i.test(line) ? 0 : line.length);
    },
    reset() {
      line = '';
      noise = 0;
      tooLong = false;
      pending = false;
    },
    push(bytes) {
      for (let at = 0; at < bytes.length; at++) {
        // Some modems answer with the parity of the line set: 7 bits are what counts.
        const octet = (bytes[at] as number) & 0x7f;
        if (pending) {
          pending = false;
          return bytes.subarray(octet === LF ? at + 1 : at);
        }
        if (octet !== CR && octet !== LF) {
          if (line.length < LONGEST_LINE) line += String.fromCharCode(octet);
          else tooLong = true;
          continue;
        }
        const said = line;
        const found = tooLong ? undefined : parseResult(said);
        line = '';
        tooLong = false;
        if (!found) {
          if (!/^\s*AT/i.test(said)) noise += said.length;
          continue;
        }
        take(found);
        if (found.code !== 'connect') continue;
        if (octet === LF || /^\d/.test(found.text)) return bytes.subarray(at + 1);
        pending = true;
      }
      return undefined;
    },
  };
}

const NO_CARRIER = '\r\nNO CARRIER\r\n';

/**
 * Looks for the modem's own NO CARRIER in the bytes of a call, where no control line tells that it ended. The bytes are data all the same:
 * only when nothing follows for a while was it the modem.
 */
export class CarrierWatch {
  #at = 0;

  /** Whether what came so far ends with the modem's report. */
  push(bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) {
      const octet = (bytes[i] as number) & 0x7f;
      if (octet === NO_CARRIER.charCodeAt(this.#at)) this.#at++;
      else this.#at = octet === CR ? 1 : 0;
    }
    return this.#at === NO_CARRIER.length;
  }
}
