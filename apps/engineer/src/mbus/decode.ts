/**
 * `amiable mbus decode`: frames in hex text, wired or wireless, to canonical messages or to tables for people.
 *
 * Decides: what on a line is a frame and which kind (wired ones begin 68 L L 68, 10 or E5), that a frame may go over several lines,
 * how messages are printed, and the exit code: 0 when at least one frame was good, 3 when none was, 2 for wrong usage.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { DecodeError, type Drop, fromHex } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import { nodeCrypto, portError } from '@amiable/io';
import {
  createMbusDecoder,
  createWmbusDecoder,
  explainLongFrame,
  explainWireless,
  framesOfLine,
  type LineFrame,
  type MbusKeys,
} from '@amiable/mbus';
import { layersText } from '@amiable/meter';
import { type Message, messageToJson } from '@amiable/model';
import { messageTable } from './table.ts';

export class UsageError extends Error {}

interface Settings {
  readonly reader: string;
  readonly port: string;
  readonly zone: string | undefined;
  readonly keys: MbusKeys;
  readonly keyCount: number;
  readonly json: boolean;
  readonly bad: boolean;
  readonly raw: boolean;
  readonly trace: boolean;
}

/** Where words go and frames come from: the process, or a test. */
export interface DecodeIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: AsyncIterable<unknown>;
}

/** @returns the exit code */
export async function runDecode(
  sources: readonly string[],
  given: Record<string, unknown>,
  io: DecodeIo = process,
): Promise<number> {
  try {
    const settings = settingsOf(given);
    const run = createRun(settings, io);
    for (const source of sources) await decodeSource(source, run, io);
    return run.finish();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    tell(io, error.message);
    return 2;
  }
}

function settingsOf(given: Record<string, unknown>): Settings {
  const zone = given.tz as string | undefined;
  if (zone !== undefined && !isValidZone(zone))
    throw new UsageError(`--tz ${zone}: no such time zone; e.g. Europe/Oslo`);
  const entries = ((given.key as string[] | undefined) ?? []).map(keyEntry);
  return {
    reader: (given.reader as string | undefined) ?? hostname(),
    port: (given.port as string | undefined) ?? 'mbus0',
    zone,
    keys: keysOf(entries),
    keyCount: entries.length,
    json: given.json === true,
    bad: given.bad === true,
    raw: given.raw === true,
    trace: given.trace === true,
  };
}

interface KeyEntry {
  readonly id: string | undefined;
  readonly key: Uint8Array;
}

/** `[ID=]HEX`. Errors never show the key. */
export function keyEntry(text: string): KeyEntry {
  const cut = text.lastIndexOf('=');
  const id = cut < 0 ? undefined : text.slice(0, cut).trim().toUpperCase();
  if (id === '') throw new UsageError('-k: no number of a meter stands before the "="');
  let key: Uint8Array;
  try {
    key = fromHex(text.slice(cut + 1).trim());
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(
      '-k: a key is 32 hex digits; this one has something that is no hex digit, or an odd number of them',
    );
  }
  if (key.length !== 16) throw new UsageError(`-k: a key is 32 hex digits; this one has ${key.length * 2}`);
  return { id, key };
}

/** A key made for the very meter is tried first, then those for any. */
export function keysOf(entries: readonly KeyEntry[]): MbusKeys {
  const known = new Map<string, readonly Uint8Array[]>();
  return {
    candidates(identification) {
      let keys = known.get(identification);
      if (!keys) {
        const own = entries.filter(({ id }) => id === identification);
        const open = entries.filter(({ id }) => id === undefined);
        keys = [...own, ...open].map(({ key }) => key);
        if (known.size < 10_000) known.set(identification, keys);
      }
      return keys;
    },
  };
}

interface Run {
  frame(frame: LineFrame): void;
  /** A line that is no frame. */
  strange(line: string, source: string, number: number): void;
  finish(): number;
}

function createRun(settings: Settings, io: DecodeIo): Run {
  const say = (line: string) => tell(io, line);
  const { reader, port, zone, keys, bad } = settings;
  const counts = {
    frames: 0,
    good: 0,
    sealed: new Map<string, number>(),
    dropped: new Map<string, number>(),
    strange: 0,
  };
  let firstStrange = '';
  let printed = 0;
  const now = () => Date.now();
  const sink = {
    message(m: Message) {
      const reason = m.error?.reason;
      const closed = reason === 'noKey' || reason === 'wrongKey' || reason === 'securityMode' || reason === 'noFormat';
      if (closed) count(counts.sealed, reason);
      const good = (m.error === undefined || isReport(m)) && !m.flags.includes('checksumBad');
      if (good) counts.good++;
      if (good || bad) print(m);
    },
    drop(d: Drop) {
      count(counts.dropped, d.reason);
    },
  };
  const common = { reader, port, zone, keys, bad, now };
  const wireless = createWmbusDecoder({ ...common, crypto: nodeCrypto }, sink);
  const wired = createMbusDecoder(common, sink);

  function explained(bytes: Uint8Array): string {
    if (!isWired(bytes)) return layersText([explainWireless(bytes, { keys, crypto: nodeCrypto })]);
    return layersText([{ name: 'M-Bus frame', bytes, fields: explainLongFrame(bytes) }]);
  }

  function print(m: Message): void {
    if (settings.json) io.stdout.write(`${messageToJson(m, { raw: settings.raw })}\n`);
    else io.stdout.write(`${printed++ > 0 ? '\n' : ''}${messageTable(m, settings.raw)}`);
  }

  return {
    frame(frame) {
      counts.frames++;
      if (isWired(frame.bytes)) {
        wired.push(frame.bytes);
        wired.idle();
      } else if (frame.damaged) count(counts.dropped, 'crc');
      else wireless.frame(frame.bytes, { form: frame.form, strength: frame.strength });
      if (settings.trace)
        io.stderr.write(`${explained(frame.bytes)}
`);
    },
    strange(line, source, number) {
      counts.strange++;
      firstStrange ||= `${source}, line ${number}: no frame in hex: ${line.slice(0, 40)}`;
    },
    finish() {
      wireless.end();
      wired.end();
      if (firstStrange) say(`${firstStrange}${counts.strange > 1 ? ` (and ${counts.strange - 1} more lines)` : ''}`);
      if (counts.frames === 0) say('there is no frame in what was given; one frame a line in hex text is wanted');
      const hint = bad ? '' : '; --bad shows them';
      for (const [reason, n] of counts.sealed)
        say(`${n} ${n === 1 ? 'frame' : 'frames'}: ${SEALED[reason] ?? reason}${hint}`);
      for (const [reason, n] of counts.dropped)
        say(`${n} ${n === 1 ? 'frame' : 'frames'} refused: ${REFUSED[reason] ?? reason}${hint}`);
      say(`${counts.frames} ${counts.frames === 1 ? 'frame' : 'frames'}, ${counts.good} good`);
      return counts.good > 0 ? 0 : 3;
    },
  };
}

/** An application error that the slave reports is something that it says. */
function isReport(m: Message): boolean {
  return /^application/.test(m.error?.reason ?? '');
}

const SEALED: Readonly<Record<string, string>> = {
  noKey: 'encrypted, and no key was given for this meter; give it with -k',
  wrongKey: 'wrong key: none of those given opens it. Nothing is lost: the right key reads it',
  securityMode: 'encrypted in a mode that is not known here',
  noFormat: 'compact: its meter has to send a full frame (or a format frame) before it can be read',
};

const REFUSED: Readonly<Record<string, string>> = {
  crc: 'a CRC does not fit (crc)',
  checksum: 'the check sum does not fit (checksum)',
  length: 'the frame says another length than it has (length)',
  truncated: 'it ends too early (truncated)',
  ci: 'its CI field announces nothing known (ci)',
  noise: 'octets that belong to no frame (noise)',
};

function tell(io: DecodeIo, line: string): void {
  io.stderr.write(`amiable mbus decode: ${line}\n`);
}

function count(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

function isWired(b: Uint8Array): boolean {
  return (
    (b[0] === 0x68 && b[3] === 0x68 && b[1] === b[2]) ||
    (b[0] === 0x10 && b.length === 5) ||
    (b[0] === 0xe5 && b.length === 1)
  );
}

async function decodeSource(source: string, run: Run, io: DecodeIo): Promise<void> {
  let text: string;
  if (source === '-') text = await standardInput(io);
  else
    try {
      text = await readFile(source, 'latin1');
    } catch (error) {
      if (/^(0x)?[0-9a-f\s:|_-]{10,}$/i.test(source) && (error as NodeJS.ErrnoException).code === 'ENOENT')
        text = source;
      else throw new UsageError(portError(source, error).message);
    }
  const name = source === '-' ? 'standard input' : source.slice(0, 60);
  /** Octets of a frame that goes on in the next line. */
  let open: Uint8Array | undefined;
  const flush = () => {
    if (open) run.frame({ bytes: open });
    open = undefined;
  };
  text.split(/\r\n|\n|\r/).forEach((line, i) => {
    const frames = framesOfLine(line);
    if (!frames) {
      flush();
      run.strange(line.trim(), name, i + 1);
      return;
    }
    for (const frame of frames) {
      if (open && !isWhole(frame.bytes)) {
        const joined: Uint8Array = new Uint8Array(open.length + frame.bytes.length);
        joined.set(open);
        joined.set(frame.bytes, open.length);
        open = joined;
      } else {
        flush();
        open = frame.bytes;
      }
      if (frame.form || frame.strength !== undefined || frame.damaged) {
        open = undefined;
        run.frame(frame);
      } else if (isWhole(open) || open.length > 1024) flush();
    }
    if (frames.length === 0) flush();
  });
  flush();
}

/** By its first octets and its length. */
function isWhole(b: Uint8Array): boolean {
  if (b[0] === 0x68 && b[3] === 0x68) return b.length >= (b[1] as number) + 6;
  return isWired(b) || b.length > (b[0] ?? 0);
}

async function standardInput(io: DecodeIo): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of io.stdin) parts.push(part as Uint8Array);
  return Buffer.concat(parts).toString('latin1');
}
