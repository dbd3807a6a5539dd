/**
 * Plays one virtual meter onto a line: at its own pace and the line's, or as fast as the other side takes it.
 *
 * A line that is too slow for the schedule is told of and counted: a message that could begin only LATEST ms after its
 * time is left out, as a meter's transmit buffer would lose it, so that what waits stays bounded.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { toHex } from '@amiable/bytes';
import {
  type Clock,
  characterBits,
  createDamage,
  createPacer,
  portError,
  ptyLink,
  sleep,
  systemClock,
  tcpServer,
} from '@amiable/io';
import { type Message, messageId, messageToJson } from '@amiable/model';
import type { Emission } from './han/meter.ts';
import type { SimulateOptions } from './options.ts';

/** A message may begin this much late. */
export const LATEST = 8000;
/** Pieces in which a paced line hands bytes over: about 10 ms, as a UART's FIFO does. */
const PIECES_PER_SECOND = 100;
/** Bytes sent at once as fast as possible before the event loop has its turn. */
const BURST = 65_536;

/** Where bytes and words go; a test gives its own. */
export interface Output {
  write(bytes: Uint8Array): Promise<void>;
  truth?(line: string): Promise<void>;
  say(line: string): void;
  close(): Promise<void>;
  readonly clock: Clock;
  /** How another program reads what is sent, e.g. `-d 127.0.0.1:7700`. */
  readonly readWith: string;
  /** Waits until somebody listens, where that can be known. */
  ready?(): Promise<void>;
}

export interface RunCounters {
  readonly sent: Record<1 | 2 | 3, number>;
  /** Not sent because the line was busy too long. */
  readonly overloaded: number;
  readonly bytes: number;
  readonly damage?: Readonly<Record<string, number>>;
}

export async function runSimulator(
  options: SimulateOptions,
  output: Output,
  signal: AbortSignal,
): Promise<RunCounters> {
  const { meter, fast, baud, parity } = options;
  const { clock } = output;
  introduce(options, output);
  await output.ready?.();
  const sent = { 1: 0, 2: 0, 3: 0 };
  let overloaded = 0;
  let bytes = 0;
  let told = false;
  let named = false;
  let warned = -Infinity;
  const damage = options.noise ? createDamage(options.noise.seed, options.noise.rates) : undefined;
  const pacer = createPacer({ baud, parity, clock });
  const piece = Math.max(1, Math.floor(baud / characterBits(parity) / PIECES_PER_SECOND));
  const begun = clock.now();
  const from = options.from ?? begun;
  let burst = 0;

  const send = async (frame: Uint8Array): Promise<void> => {
    if (options.hex) {
      await output.write(new TextEncoder().encode(`${toHex(frame)}\n`));
      bytes += frame.length;
      return;
    }
    if (fast) {
      await output.write(frame);
      bytes += frame.length;
      burst += frame.length;
      if (burst > BURST) {
        burst = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return;
    }
    for (let at = 0; at < frame.length && !signal.aborted; at += piece) {
      const part = frame.subarray(at, at + piece);
      await pacer.take(part.length, signal);
      await output.write(part);
      bytes += part.length;
    }
  };

  const frames = meter.frames(
    from,
    options.duration === undefined ? Number.MAX_SAFE_INTEGER : from + options.duration,
    options.lists ? { lists: options.lists } : {},
  );
  try {
    for (const emission of frames) {
      if (signal.aborted) break;
      if (!fast) {
        const wait = begun + (emission.at - from) - clock.now();
        if (wait < -LATEST) {
          overloaded++;
          told = true;
          if (clock.now() - warned > 10_000) {
            warned = clock.now();
            output.say(overloadText(options, overloaded));
          }
          continue;
        }
        if (wait > 0) await sleep(clock, wait, signal);
        if (signal.aborted) break;
      }
      sent[emission.list]++;
      if (output.truth) await output.truth(truthLine(meter.serial, emission, named));
      named ||= emission.names;
      for (const part of damage ? damage.apply(emission.bytes) : [emission.bytes]) await send(part);
    }
    for (const part of damage?.end() ?? []) await send(part);
  } finally {
    await output.close();
  }
  const counters = { sent, overloaded, bytes, ...(damage ? { damage: { ...damage.counts } } : {}) };
  output.say(summary(counters, baud, told));
  return counters;
}

/** The canonical message as `amiable read --json` gives it, but for what only the reader knows. */
export function truthLine(port: string, emission: Emission, told: boolean): string {
  const truth = emission.message(told);
  const message: Message = {
    ...truth,
    id: messageId(port, truth.meterTime ?? String(emission.at), emission.bytes),
    reader: 'simulator',
    port,
    receivedAt: emission.at,
  };
  return messageToJson(message);
}

function overloadText({ baud }: SimulateOptions, lost: number): string {
  return `the line is too slow: at ${baud} baud the meter's lists take longer than the time between them; ${lost} messages could not be sent so far (a higher --baud or fewer --list mends it)`;
}

function introduce(options: SimulateOptions, output: Output): void {
  const { meter } = options;
  const { cipher } = meter;
  const pace = options.fast ? 'as fast as possible' : `at ${options.baud} baud 8${options.parity}1`;
  output.say(
    `${meter.model.maker} ${meter.model.name}, meter ${meter.serial}, ${pace}, from ${options.from === undefined ? 'now' : new Date(options.from).toISOString()}`,
  );
  let keys = '';
  if (cipher && options.ownKeys) {
    keys = ` -k ${toHex(cipher.keys.key)}`;
    if (cipher.keys.authKey) keys += ` --auth-key ${toHex(cipher.keys.authKey)}`;
  } else if (cipher) keys = cipher.keys.authKey ? ' -k KEY --auth-key KEY' : ' -k KEY';
  const zone = meter.zone === 'Europe/Oslo' ? '' : ` --tz ${meter.zone}`;
  output.say(`read it with: amiable read ${output.readWith}${keys}${zone} --json`);
}

function summary({ sent, overloaded, bytes, damage }: RunCounters, baud: number, told: boolean): string {
  const all = sent[1] + sent[2] + sent[3];
  let text = `${all} messages sent (list 1: ${sent[1]}, list 2: ${sent[2]}, list 3: ${sent[3]}), ${bytes} bytes`;
  if (told) text += `; ${overloaded} of ${all + overloaded} not sent because ${baud} baud is too slow`;
  if (damage) {
    const kinds = Object.entries(damage).filter(([, n]) => n > 0);
    text += `; damaged: ${kinds.map(([kind, n]) => `${kind} ${n}`).join(', ') || 'none'}`;
  }
  return text;
}

/** The machine's own outputs. */
export async function machineOutput(
  options: Pick<SimulateOptions, 'truth' | 'target' | 'fast' | 'baud' | 'parity'>,
  stop: AbortController,
): Promise<Output> {
  const { signal } = stop;
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const truth = options.truth === undefined ? undefined : await fileWriter(options.truth);
  const rest = {
    say,
    clock: systemClock,
    ...(truth ? { truth: (line: string) => truth.write(new TextEncoder().encode(`${line}\n`)) } : {}),
  };
  const { target } = options;
  if (target.to === 'stdout') {
    const out = streamWriter(process.stdout, 'stdout', () => stop.abort());
    return { ...rest, readWith: '-f -', write: out.write, close: async () => truth?.close() };
  }
  if (target.to === 'file') {
    const out = await fileWriter(target.path);
    return {
      ...rest,
      readWith: `-f ${target.path}`,
      write: out.write,
      async close() {
        await out.close();
        await truth?.close();
      },
    };
  }
  const silent = { data: () => {}, closed: () => {} };
  const link =
    target.to === 'tcp' ? tcpServer(target) : ptyLink(target.path === undefined ? {} : { path: target.path });
  await link.open(silent);
  let readWith = '';
  if ('peers' in link) {
    const host = target.to === 'tcp' && target.host ? target.host : '127.0.0.1';
    readWith = `-d ${host.includes(':') ? `[${host}]` : host}:${link.port}`;
  } else readWith = `-d ${link.path} -P ${options.parity} --baud ${options.baud}`;
  let flood = 0;
  return {
    ...rest,
    readWith,
    async ready() {
      if (!('peers' in link)) return;
      say('waiting until a reader connects');
      while (link.peers === 0 && !signal.aborted) await sleep(systemClock, 50, signal);
    },
    async write(bytes) {
      await link.write(bytes);
      // A server link cuts off who does not keep up; a flood therefore gives its readers time.
      flood += bytes.length;
      if (options.fast && flood > BURST) {
        flood = 0;
        await sleep(systemClock, 25, signal);
      }
    },
    async close() {
      await link.close();
      await truth?.close();
    },
  };
}

export interface Writer {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const ENDINGS = ['drain', 'error', 'close'] as const;

function streamWriter(stream: NodeJS.WritableStream, subject: string, gone?: () => void): Writer {
  let failure: Error | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads a pipe may have had enough, as `head` does; that ends the run and is no fault.
    if (error.code === 'EPIPE' && gone) {
      gone();
      return;
    }
    failure = portError(subject, error);
  });
  return {
    async write(bytes) {
      if (failure) throw failure;
      if (stream.write(bytes)) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          for (const event of ENDINGS) stream.off(event, done);
          resolve();
        };
        for (const event of ENDINGS) stream.once(event, done);
      });
      if (failure) throw failure;
    },
    async close() {
      if (failure) throw failure;
      await new Promise<void>((resolve, reject) => {
        stream.end((error?: Error | null) => (error ? reject(portError(subject, error)) : resolve()));
      });
    },
  };
}

/** Resolves when the file is open, so that a wrong path is told at once. @throws PortError */
export async function fileWriter(path: string): Promise<Writer> {
  const stream = createWriteStream(path);
  const writer = streamWriter(stream, path);
  try {
    await once(stream, 'open');
  } catch (error) {
    throw portError(path, error);
  }
  return writer;
}
