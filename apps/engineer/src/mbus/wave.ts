/**
 * `amiable mbus wave`: octets as they look on the bus, and what an oscilloscope has recorded as octets (EN 13757-2 clause 4).
 *
 * Decides: hex in gives a picture (or samples as CSV), a recording in gives frames in hex, a burst a line, and with --json their
 * records. Who sends is told by the first octet. Leaves out the model, the decoding and the drawing (package mbus).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { DecodeError, type Field, fromHex, MisuseError, toHex } from '@amiable/bytes';
import { portError, seededRandom } from '@amiable/io';
import {
  decodeWave,
  drawWave,
  encodeWave,
  explainLongFrame,
  formatWaveCsv,
  parseWaveCsv,
  type Waveform,
  type WaveOptions,
  type WaveParity,
  type WaveReading,
} from '@amiable/mbus';
import { runDecode } from './decode.ts';

export interface WaveStreams {
  out(text: string): void;
  say(line: string): void;
}

const machine: WaveStreams = {
  out: (text) => void process.stdout.write(text),
  say: (line) => void process.stderr.write(`${line}\n`),
};

type Input = { readonly hex: Uint8Array } | { readonly csv: string };

/** Exit code: 0, 2 for wrong usage, 3 where nothing could be read. */
export async function runWave(
  words: readonly string[],
  given: Record<string, unknown>,
  { out, say }: WaveStreams = machine,
): Promise<number> {
  try {
    const input = readInput(words);
    const output = outputOf(given);
    const made = 'hex' in input ? fromOctets(input.hex, given) : fromRecording(input.csv, given);
    if (output.form === 'csv') write(output.path, formatWaveCsv(made.wave), out);
    const reading = decodeWave(made.wave, decodeOptions(given));
    tell(reading, made.wave, say);
    const drawn = output.form === 'svg' || (output.form === undefined && 'hex' in input);
    if (drawn) {
      const title = given.title === undefined ? titleOf(reading) : String(given.title);
      write(output.path, drawWave(made.wave, reading, { title, fields: explainOctets(reading.bytes) }), out);
    }
    if ('hex' in input || (output.form !== undefined && output.path === undefined)) return 0;
    const bursts = burstsOf(reading).map((burst) => toHex(burst).toUpperCase());
    if (given.json) return await runDecode(bursts, given);
    for (const burst of bursts) out(`${burst}\n`);
    return reading.bytes.length > 0 ? 0 : 3;
  } catch (error) {
    if (error instanceof DecodeError) {
      say(`amiable mbus wave: ${error.message.replace(/ \(at byte \d+\)$/, '')}`);
      return 3;
    }
    if (error instanceof MisuseError) {
      say(`amiable mbus wave: ${error.message}`);
      return 2;
    }
    throw error;
  }
}

const isHex = (text: string): boolean => /^[0-9a-f\s]*$/i.test(text) && text.replace(/\s/g, '').length % 2 === 0;

function readInput(words: readonly string[]): Input {
  const joined = words.join('');
  if (joined !== '' && isHex(joined)) return { hex: fromHex(joined.replace(/\s/g, '')) };
  if (words.length !== 1) throw new MisuseError(`${words.join(' ')}: give hex, or one file`);
  const path = words[0] as string;
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'latin1');
  } catch (error) {
    throw new MisuseError(`${portError(path, error).message}; and it is no hex either`);
  }
  // µ and ∞ are two and three octets in UTF-8.
  if (/[\u00c2\u00ce\u00e2\u00ef]/.test(text)) text = Buffer.from(text, 'latin1').toString('utf8');
  const trimmed = text.trim();
  if (trimmed !== '' && isHex(trimmed)) return { hex: fromHex(trimmed.replace(/\s/g, '')) };
  return { csv: text };
}

function outputOf(given: Record<string, unknown>): { form?: 'svg' | 'csv'; path?: string } {
  if (given.output === undefined) return given.csv ? { form: 'csv' } : given.svg ? { form: 'svg' } : {};
  const path = String(given.output);
  const form = /\.svg$/i.test(path)
    ? 'svg'
    : /\.csv$/i.test(path)
      ? 'csv'
      : given.csv
        ? 'csv'
        : given.svg
          ? 'svg'
          : undefined;
  if (!form) throw new MisuseError(`--output ${path}: a name that ends in .svg or .csv, or --svg or --csv beside it`);
  return { form, path };
}

function write(path: string | undefined, text: string, out: (text: string) => void): void {
  if (path === undefined) {
    out(text);
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new MisuseError(`${path}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

function number(given: Record<string, unknown>, name: string, low: number, high: number): number | undefined {
  if (given[name] === undefined) return undefined;
  const value = Number(given[name]);
  if (!(value >= low && value <= high)) {
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new MisuseError(`--${option} ${String(given[name])}: a number from ${low} to ${high}`);
  }
  return value;
}

function parityOf(given: Record<string, unknown>): WaveParity | undefined {
  if (given.parity === undefined || given.parity === 'auto') return undefined;
  const parity = ({ e: 'even', o: 'odd', n: 'none' } as const)[String(given.parity).charAt(0).toLowerCase()];
  if (!parity) throw new MisuseError(`--parity ${String(given.parity)}: even, odd or none`);
  return parity;
}

function decodeOptions(given: Record<string, unknown>) {
  const baud = number(given, 'baud', 50, 1_000_000);
  const parity = parityOf(given);
  return { ...(baud !== undefined && { baud }), ...(parity && { parity }) };
}

function list(given: Record<string, unknown>, name: string): number[] {
  if (given[name] === undefined) return [];
  return String(given[name])
    .split(',')
    .map((word) => {
      const n = Number(word);
      if (!Number.isInteger(n) || n < 0) throw new MisuseError(`--${name}: numbers of octets from 0 on, e.g. 2,5`);
      return n;
    });
}

/** Slaves answer with E5, or with a control octet without the primary's bit. */
function senderOf(bytes: Uint8Array): 'master' | 'slave' {
  const control = bytes[0] === 0x68 ? bytes[4] : bytes[0] === 0x10 ? bytes[1] : undefined;
  if (control !== undefined) return control & 0x40 ? 'master' : 'slave';
  return bytes[0] === 0xe5 ? 'slave' : 'master';
}

function fromOctets(bytes: Uint8Array, given: Record<string, unknown>): { wave: Waveform } {
  if (bytes.length === 0) throw new MisuseError('no octets: give them in hex');
  const from = given.from === undefined ? senderOf(bytes) : given.from;
  if (from !== 'master' && from !== 'slave') throw new MisuseError(`--from ${String(from)}: master or slave`);
  const numbers: Partial<Record<keyof WaveOptions, number | undefined>> = {
    baud: number(given, 'baud', 50, 1_000_000),
    baudError: number(given, 'baudError', -20, 20),
    rate: number(given, 'rate', 1, 1e9),
    mark: number(given, 'mark', -100, 100),
    space: number(given, 'space', -100, 100),
    slaves: number(given, 'slaves', 1, 255),
    resistance: number(given, 'resistance', 0, 10_000),
    capacitance: number(given, 'capacitance', 0, 10_000),
    noise: number(given, 'noise', 0, 100),
    ripple: number(given, 'ripple', 0, 100),
    rippleFrequency: number(given, 'rippleFrequency', 0, 1e6),
    gap: number(given, 'gap', 0, 10_000),
  };
  const transition = number(given, 'transition', 0, 10_000);
  const parity = parityOf(given);
  const wave = encodeWave(bytes, {
    ...(Object.fromEntries(Object.entries(numbers).filter(([, v]) => v !== undefined)) as WaveOptions),
    ...(transition !== undefined && { transition: transition * 1e-6 }),
    ...(parity && { parity }),
    sender: from,
    random: seededRandom(number(given, 'seed', 0, 0xffff_ffff) ?? 1),
    parityErrors: list(given, 'wrongParity'),
    framingErrors: list(given, 'wrongStop'),
    swapped: given.swapped === true,
  });
  return { wave };
}

function fromRecording(text: string, given: Record<string, unknown>): { wave: Waveform } {
  const rate = number(given, 'rate', 1, 1e9);
  return parseWaveCsv(text, {
    ...(given.column !== undefined && { column: String(given.column) }),
    ...(rate !== undefined && { rate }),
    ...(given.from === 'slave' && { quantity: 'current' as const }),
  });
}

/** Octets between pauses of more than a character. */
function burstsOf({ characters, bytes, measuredBaud }: WaveReading): Uint8Array[] {
  const bursts: Uint8Array[] = [];
  let from = 0;
  for (let i = 1; i <= characters.length; i++) {
    const pause = i < characters.length ? (characters[i]?.at ?? 0) - (characters[i - 1]?.at ?? 0) : Infinity;
    if (pause < 22 / measuredBaud) continue;
    bursts.push(bytes.slice(from, i));
    from = i;
  }
  return bursts;
}

const titleOf = ({ bytes }: WaveReading): string =>
  bytes.length === 1 && bytes[0] === 0xe5
    ? 'M-Bus acknowledgement'
    : `M-Bus, ${bytes.length} octet${bytes.length === 1 ? '' : 's'}`;

const fixed = (v: number, digits: number): string => String(Number(v.toFixed(digits)));

function tell(reading: WaveReading, { quantity, values }: Waveform, say: (line: string) => void): void {
  const unit = quantity === 'voltage' ? 'V' : 'mA';
  const { baud, measuredBaud, mark, space, levels, parity, faults, characters } = reading;
  const letter = { even: 'E', odd: 'O', none: 'N' }[parity];
  say(
    `${values.length} samples: ${characters.length} characters at ${baud} baud 8${letter}1 (measured ${fixed(measuredBaud, 1)}), mark ${fixed(mark, 2)} ${unit}, space ${fixed(space, 2)} ${unit}, noise ${fixed(levels.noise, 2)} ${unit}${reading.inverted ? ', inverted' : ''}`,
  );
  for (const { at, sample, message, kind } of faults.slice(0, 50))
    say(`  ${fixed(at * 1000, 3)} ms, sample ${sample}: ${kind}: ${message}`);
  if (faults.length > 50) say(`  and ${faults.length - 50} more`);
}

/** Fields of all frames in a row; what is none stays unnamed. */
export function explainOctets(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  const add = (offset: number, length: number, text: string): void => {
    fields.push({ path: 'mbus', offset, length, text });
  };
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    const length = bytes[at + 1] ?? 0;
    if (first === 0xe5) {
      add(at, 1, 'E5: acknowledgement');
      at++;
    } else if (first === 0x10 && bytes[at + 4] === 0x16) {
      const control = bytes[at + 1] as number;
      add(at, 1, 'start of a short frame');
      add(at + 1, 1, `control ${toHex(bytes.subarray(at + 1, at + 2)).toUpperCase()}: ${controlText(control)}`);
      add(at + 2, 1, `address ${bytes[at + 2]}`);
      add(at + 3, 1, 'check sum');
      add(at + 4, 1, 'stop');
      at += 5;
    } else if (first === 0x68 && bytes[at + 2] === length && bytes[at + 3] === 0x68) {
      const end = Math.min(bytes.length, at + length + 6);
      fields.push(...explainLongFrame(bytes.subarray(0, end), at));
      at = end;
    } else at++;
  }
  return fields;
}

function controlText(control: number): string {
  // Without frame count bit and its validity.
  const name = { 64: 'SND_NKE, reset', 73: 'REQ_SKE, status', 74: 'REQ_UD1, alarm', 75: 'REQ_UD2, data' }[
    control & 0x4f
  ];
  return name ?? 'unknown';
}
