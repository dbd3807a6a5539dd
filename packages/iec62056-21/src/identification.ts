/**
 * The messages that open an exchange (IEC 62056-21 clause 6.3.1 to 6.3.3, 6.3.14): request, identification,
 * acknowledgement with option select, as text without CR LF.
 *
 * Decides: what mode and rate an identification offers. Leaves out: when each is sent (client.ts, server.ts).
 */

/** Rates by the baud rate identification character of modes C and E, Bd. */
export const RATES = [300, 600, 1200, 2400, 4800, 9600, 19_200] as const;
/** Of mode B, from `A` on. */
const RATES_B = [600, 1200, 2400, 4800, 9600, 19_200] as const;

export type Mode = 'A' | 'B' | 'C' | 'D' | 'E';

/** How a port is to be set. `7E1` is made in software: the port itself stays at eight bits without parity. */
export interface LineSettings {
  readonly baud: number;
  readonly framing: '7E1' | '8N1';
}

export const SIGN_ON_LINE: LineSettings = { baud: 300, framing: '7E1' };
/** Mode D has one rate (clause 6.4.4). */
export const MODE_D_LINE: LineSettings = { baud: 2400, framing: '7E1' };

export interface Identification {
  /** Three letters of the maker, FLAG association; the third in lower case where the meter answers within 20 ms. */
  readonly maker: string;
  /** Baud rate identification character. */
  readonly z: string;
  /** `\W` marks, e.g. `\2`: binary mode (HDLC) is there. */
  readonly marks: string;
  /** What follows: the maker's own, up to 16 characters. */
  readonly identification: string;
  /** As the rate character tells it: digits are mode C (or D, which looks the same), `A` to `F` mode B, else A. */
  readonly mode: 'A' | 'B' | 'C';
  /** The rate that it offers, Bd. */
  readonly baud: number;
  /** Fastest answer, ms: 20 or 200: a lower-case third letter promises 20. */
  readonly reaction: 20 | 200;
}

const IDENTIFICATION = /^\/([A-Za-z]{3})([\x20-\x7e])((?:\\.)*)([\x20-\x7e]*)$/;

/** Reads `/XXXZ…`; undefined when it is none. */
export function parseIdentification(line: string): Identification | undefined {
  const found = IDENTIFICATION.exec(line);
  if (!found) return undefined;
  const [, maker = '', z = '', marks = '', identification = ''] = found;
  const digit = z >= '0' && z <= '9' ? RATES[Number(z)] : undefined;
  const letter = z >= 'A' && z <= 'I' ? RATES_B[z.charCodeAt(0) - 65] : undefined;
  const mode = z >= '0' && z <= '9' ? 'C' : z >= 'A' && z <= 'I' ? 'B' : 'A';
  return {
    maker,
    z,
    marks,
    identification,
    mode,
    baud: digit ?? letter ?? 300,
    reaction: maker[2] === maker[2]?.toLowerCase() ? 20 : 200,
  };
}

/** The rate character of a mode and rate; undefined where the mode has no such rate. */
export function rateCharacter(mode: Mode, baud: number): string | undefined {
  if (mode === 'A') return baud === 300 ? ' ' : undefined;
  if (mode === 'D') return baud === 2400 ? '3' : undefined;
  const at = (mode === 'B' ? RATES_B : RATES).indexOf(baud as never);
  return at < 0 ? undefined : mode === 'B' ? String.fromCharCode(65 + at) : String(at);
}

/** The fastest rate of modes C and E that is not above `limit`. */
export function fastest(limit: number): number {
  return RATES.findLast((rate) => rate <= limit) ?? RATES[0];
}

const REQUEST = /^\/\?([0-9A-Za-z ]{0,32})!$/;

/** The address of a request `/?address!`; undefined when it is no request. */
export function parseRequest(line: string): string | undefined {
  return REQUEST.exec(line)?.[1];
}

/** An address fits a meter: leading zeros mean nothing, and none means everybody (clause 6.3.14, 22). */
export function addressFits(asked: string, own: string | undefined): boolean {
  const plain = asked.replace(/^0+/, '');
  return plain === '' || plain === (own ?? '').replace(/^0+/, '');
}

export interface OptionSelect {
  /** 0: normal procedure, 1: secondary, 2: HDLC. */
  readonly v: string;
  readonly z: string;
  /** 0: read-out, 1: programming mode, 2: binary mode (HDLC); others are makers' own. */
  readonly y: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ACK is the character that is meant
const SELECT = /^\x06([0-9A-Z])([0-9A-Z])([0-9A-Z])$/;

/** Reads `ACK V Z Y`; undefined when it is none. */
export function parseOptionSelect(line: string): OptionSelect | undefined {
  const found = SELECT.exec(line);
  return found ? { v: found[1] as string, z: found[2] as string, y: found[3] as string } : undefined;
}
