/**
 * `amiable simulate mbus`: slaves on a line that a master asks (pty, TCP, serial port); or, to stdout or a file, what a master of its
 * own gets from them; or what radio devices send. As hex text, a frame a line.
 *
 * Decides: what is printed, so that somebody who has read nothing can read the slaves; time, real or virtual. Leaves out the words of
 * the command line (options.ts), the wire (line.ts), the devices.
 */
import { createHash } from 'node:crypto';
import { DecodeError, toHex } from '@amiable/bytes';
import { type Clock, createDamage, type Link, ptyLink, serialLink, sleep, systemClock, tcpServer } from '@amiable/io';
import {
  askBus,
  decodeLongFrame,
  decodeLongHeader,
  decodeRecords,
  encodeShortFrame,
  LONG_HEADER,
  messageOfRecords,
} from '@amiable/mbus';
import { messageToJson } from '@amiable/model';
import { machineOutput, type Output } from '../run.ts';
import { HOURLY_SUBCODE, type MbusDevice } from './device.ts';
import { type Installation, install } from './install.ts';
import { createSlaveLine, type SlaveLine } from './line.ts';
import type { MbusRunOptions } from './options.ts';
import { encodeBeacon } from './radio.ts';
import type { DeviceSlave } from './slave.ts';

export interface MbusRun {
  /** Frames, or answers on a line. */
  readonly frames: number;
}

/** Virtual time of the devices. */
function timeOf(options: MbusRunOptions, clock: Clock): { now(): number; set(at: number): void } {
  const begun = clock.now();
  const from = options.from ?? begun;
  let at: number | undefined;
  return {
    now: () => at ?? Math.floor(from + (clock.now() - begun) * options.speed),
    set(next) {
      at = next;
    },
  };
}

/** AES-128 key of a device, by its number; no secret. */
export const keyOf = (seed: number, identification: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`amiable mbus ${seed} ${identification}`).digest().subarray(0, 16));

/** Runs until it is done or stopped. @throws PortError */
export async function runMbus(
  options: MbusRunOptions,
  stop: AbortController,
  say: (line: string) => void,
  clock: Clock = systemClock,
  output?: Output,
): Promise<MbusRun> {
  const time = timeOf(options, clock);
  const start = time.now();
  const truths: string[] = [];
  const wanted = options.truth !== undefined || output?.truth !== undefined;
  const installation = install({
    seed: options.seed,
    zone: options.zone,
    kinds: options.kinds,
    start,
    baud: options.baud,
    faults: options.faults,
    ...(options.collide && { collide: options.collide }),
    ...(options.gas && { gas: options.gas }),
    now: time.now,
    gave(_device, telegrams) {
      if (wanted) for (const telegram of telegrams) truths.push(truthOf(telegram, options, time.now()));
    },
  });
  const { target } = options;
  if (!options.wireless && (target.to === 'pty' || target.to === 'tcp' || target.to === 'serial'))
    return serve(options, target, installation, truths, stop, say, clock, time.now);
  const out =
    output ??
    (await machineOutput(
      {
        target: target.to === 'serial' ? { to: 'file', path: target.path } : target,
        fast: options.fast,
        baud: options.baud,
        parity: 'E',
        ...(options.truth !== undefined && { truth: options.truth }),
      },
      stop,
    ));
  introduceFrames(options, installation, out);
  await out.ready?.();
  let frames = 0;
  const damage = options.noise && createDamage(options.noise.seed, options.noise.rates);
  const line = async (bytes: Uint8Array): Promise<void> => {
    frames++;
    for (const part of damage ? damage.apply(bytes) : [bytes])
      await out.write(new TextEncoder().encode(`${toHex(part).toUpperCase()}\n`));
  };
  try {
    const end = options.duration === undefined ? Infinity : start + options.duration;
    const first = Math.ceil(start / options.every) * options.every;
    const begun = clock.now();
    const send = options.wireless ? beacons(options, installation, truths, time) : master(installation.slaves);
    for (let at = first; at < end && !stop.signal.aborted; at += options.every) {
      if (options.fast) time.set(at);
      else {
        const wait = (at - start) / options.speed - (clock.now() - begun);
        if (wait > 0) await sleep(clock, wait, stop.signal);
        if (stop.signal.aborted) break;
      }
      for (const frame of send(at)) await line(frame);
      for (const text of truths.splice(0)) await out.truth?.(text);
    }
    for (const part of damage?.end() ?? []) await out.write(new TextEncoder().encode(`${toHex(part)}\n`));
  } finally {
    await out.close();
  }
  out.say(`${frames} frames`);
  return { frames };
}

/** What a master gets that asks each slave for all that it has. */
function master(slaves: readonly DeviceSlave[]): (at: number) => Generator<Uint8Array> {
  return function* ask() {
    for (const { slave } of slaves) {
      const { primaryAddress: address, baud } = slave;
      if (!askBus(slaves, encodeShortFrame(0x40, address), baud)) continue;
      for (let fcb = 0x20, more = true, n = 0; more && n < 32; fcb ^= 0x20, n++) {
        const answer = askBus(slaves, encodeShortFrame(0x5b | fcb, address), baud);
        if (!answer || answer.bytes.length <= 1) break;
        yield answer.bytes;
        more = moreFollows(answer.bytes);
      }
    }
  };
}

function moreFollows(bytes: Uint8Array): boolean {
  try {
    const { data } = decodeLongFrame(bytes);
    return data.length > LONG_HEADER && data.at(-1) === 0x1f;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return false;
  }
}

const airborne = ({ radios, slaves }: Installation): readonly MbusDevice[] =>
  radios.length ? radios : slaves.map(({ device }) => device);

function deviceKey(options: MbusRunOptions, device: MbusDevice): Uint8Array | undefined {
  const { wireless, seed } = options;
  return wireless?.key ?? (wireless?.ownKeys ? keyOf(seed, device.identity.identification) : undefined);
}

/** What devices send over the air. */
function beacons(
  options: MbusRunOptions,
  installation: Installation,
  truths: string[],
  time: { now(): number },
): (at: number) => Generator<Uint8Array> {
  const devices = airborne(installation);
  let accessNumber = 0;
  return function* send() {
    accessNumber = (accessNumber + 1) & 0xff;
    for (const device of devices) {
      device.live(time.now());
      const key = deviceKey(options, device);
      const form = options.wireless?.form ?? 'A';
      device.sent?.();
      if (options.truth !== undefined) truths.push(beaconTruth(device, options, time.now()));
      yield encodeBeacon(device, { form, accessNumber, ...(key && { key }) });
    }
  };
}

/** The canonical message of a telegram (CI, header, records), as a decoder should give it. */
function truthOf(telegram: Uint8Array, { zone }: MbusRunOptions, at: number): string {
  const header = decodeLongHeader(telegram, 1);
  const decoded = decodeRecords(telegram, 1 + LONG_HEADER, telegram.length, {});
  const context = { reader: 'simulator', port: 'mbus', receivedAt: at, raw: telegram, stamp: at, zone };
  return messageToJson(messageOfRecords(header, decoded, { ...context, protocol: 'mbus' }));
}

function beaconTruth(device: MbusDevice, { zone }: MbusRunOptions, at: number): string {
  const bare = encodeBeacon(device, { form: 'bare', accessNumber: 0 });
  const decoded = decodeRecords(bare, 15, bare.length, {});
  const context = { reader: 'simulator', port: 'wmbus', receivedAt: at, raw: bare, stamp: at, zone };
  return messageToJson(messageOfRecords(device.identity, decoded, { ...context, protocol: 'wmbus' }));
}

// ---------------------------------------------------------------- a line

async function serve(
  options: MbusRunOptions,
  target: MbusRunOptions['target'],
  installation: Installation,
  truths: string[],
  stop: AbortController,
  say: (line: string) => void,
  clock: Clock,
  now: () => number,
): Promise<MbusRun> {
  const { slaves } = installation;
  let line: SlaveLine | undefined;
  let link: Link;
  if (target.to === 'tcp') link = tcpServer({ host: target.host, port: target.port });
  else if (target.to === 'serial') link = serialLink({ path: target.path, baud: options.baud, parity: 'E' });
  else link = ptyLink(target.to === 'pty' && target.path !== undefined ? { path: target.path } : {});
  const truth =
    options.truth === undefined
      ? undefined
      : await import('../run.ts').then(({ fileWriter }) => fileWriter(options.truth as string));
  await link.open({
    data(bytes) {
      line?.push(bytes);
      for (const text of truths.splice(0)) void truth?.write(new TextEncoder().encode(`${text}\n`));
    },
    closed(error) {
      if (error) say(error.message);
      stop.abort();
    },
  });
  // A slave has 330 bits and 50 ms to answer: what its household has used so far is worked out before anybody asks.
  for (const { device } of slaves) {
    device.live(now());
    device.records(HOURLY_SUBCODE | 1);
  }
  line = createSlaveLine({
    slaves,
    clock,
    ...(target.to === 'serial' && { baud: options.baud }),
    ...(options.noise && { noise: options.noise }),
    write: (bytes) => link.write(bytes),
  });
  const where =
    'peers' in link
      ? `127.0.0.1:${(link as ReturnType<typeof tcpServer>).port}`
      : 'path' in link
        ? String(link.path)
        : target.to === 'serial'
          ? `the other end of ${target.path}`
          : '';
  introduceLine(options, installation, where, say);
  try {
    await new Promise<void>((resolve) => {
      if (stop.signal.aborted) resolve();
      stop.signal.addEventListener('abort', () => resolve(), { once: true });
      if (options.duration !== undefined)
        void sleep(clock, options.duration / options.speed, stop.signal).then(resolve);
    });
  } finally {
    line.close();
    await link.close();
    await truth?.close();
  }
  const { questions, answers, collisions } = line.counters;
  say(`${questions} questions, ${answers} answers, ${collisions} of them from several slaves at once`);
  return { frames: answers };
}

// ---------------------------------------------------------------- words

function table({ slaves }: Installation, say: (line: string) => void): void {
  for (const { slave, device, fault } of slaves) {
    const { identification, manufacturer, version, medium } = slave.secondary;
    // As `amiable mbus read` takes it.
    const secondary = `${identification}-${manufacturer}-${version}-${medium}`;
    say(
      `  ${String(slave.primaryAddress).padStart(3)}  ${secondary.padEnd(19)}  ${device.name}${fault ? `, ${fault}` : ''}`,
    );
  }
}

function introduceLine(
  options: MbusRunOptions,
  installation: Installation,
  where: string,
  say: (line: string) => void,
): void {
  say(`${installation.slaves.length} M-Bus slaves at ${options.baud} baud 8E1 on ${where}`);
  say('  address, secondary address (number-maker-version-medium), what it is:');
  table(installation, say);
  say('  try, in another terminal:');
  say(`    amiable mbus scan ${where} --baud ${options.baud}`);
  const first = installation.slaves[0]?.slave.primaryAddress ?? 1;
  say(`    amiable mbus read ${where} ${first} --baud ${options.baud}`);
}

function introduceFrames(options: MbusRunOptions, installation: Installation, out: Output): void {
  if (!options.wireless) {
    out.say(`${installation.slaves.length} M-Bus slaves, asked every ${options.every / 1000} s:`);
    table(installation, out.say);
  }
  const keys: string[] = [];
  if (options.wireless) {
    const devices = airborne(installation);
    out.say(`${devices.length} radio devices, each sends every ${options.every / 1000} s:`);
    for (const device of devices) {
      const { identification, manufacturer } = device.identity;
      out.say(`  ${identification} ${manufacturer}  ${device.name}`);
      const key = deviceKey(options, device);
      if (key) keys.push(` -k ${identification}=${options.wireless.ownKeys ? toHex(key) : 'KEY'}`);
    }
  }
  const file = options.target.to === 'file' ? options.target.path : '-';
  const zone = options.zone === 'Europe/Oslo' ? '' : ` --tz ${options.zone}`;
  out.say(`read it with: amiable mbus decode ${file}${keys.join('')}${zone} --json`);
}
