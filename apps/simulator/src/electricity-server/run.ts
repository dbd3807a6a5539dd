/**
 * `amiable simulate meter`: one virtual electricity meter, a fleet behind one port, or many ports with a meter each.
 *
 * Decides: what is printed, so that somebody who has read nothing can read the meter; time, real or virtual; when state is
 * saved. Leaves out: the words of the command line (options.ts), protocols (listen.ts).
 */

import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { MisuseError, toHex } from '@amiable/bytes';
import { encodeWrapper } from '@amiable/dlms';
import { type Clock, type Listener, parseHostPort, ptyLink, serialLink, systemClock, tcpClient } from '@amiable/io';
import { createMbusSession, type MbusSession } from '@amiable/mbus';
import { lineBus } from '../mbus/meter-port.ts';
import { opticalDevice } from '../optical/device.ts';
import { CLIENTS } from './devices.ts';
import { type VirtualMeterOptions, virtualMeter } from './factory.ts';
import {
  createServer,
  fleetDirectory,
  LOWER,
  serveOptical,
  serveTcp,
  serveUdp,
  singleDirectory,
  type Traffic,
} from './listen.ts';
import type { BusLine, MeterRunOptions } from './options.ts';
import { servePage } from './page/server.ts';
import type { PushMessage, ServedMeter } from './served.ts';
import { folderStore, type Store } from './store.ts';

const SAVE_BEAT = 200;
/** Beats. */
const SAVE_ALL = 300;
/** Number of the meter on the current loop: keys and household follow from it. */
const EXTERNAL = 90_001;
/** A sweep advances meters for so long before the event loop has its turn. */
const SLICE = 10;
/** Wrapper client port that pushes go to (data collection system). */
const PUSH_CLIENT = 103;

export interface Running {
  readonly meters: readonly ServedMeter[];
  readonly wrapperPorts: readonly number[];
  readonly hdlcPorts: readonly number[];
  readonly pagePort: number | undefined;
  close(): Promise<void>;
}

/** Real time, or time that begins at `from` and runs faster. */
export function virtualTime(clock: Clock, speed: number, from: number | undefined): () => number {
  const begun = clock.now();
  if (speed === 1 && from === undefined) return () => clock.now();
  const base = from ?? begun;
  return () => Math.floor(base + (clock.now() - begun) * speed);
}

/** Starts. @throws PortError where a port cannot be had, MisuseError for damaged state */
export async function startMeters(
  options: MeterRunOptions,
  say: (line: string) => void,
  clock: Clock = systemClock,
): Promise<Running> {
  const store = options.state === undefined ? undefined : folderStore(options.state);
  const fleet = options.count > 1 || options.ports > 1;
  const wire = options.mbus && (await openBus(options.mbus, clock));
  const how: VirtualMeterOptions = {
    seed: options.seed,
    zone: options.zone,
    suite: options.suite,
    config: options.config,
    ...((options.capturePeriod !== 60 || options.columns) && {
      parameters: {
        capturePeriod: options.capturePeriod,
        ...(options.columns && { periodic: options.columns }),
      },
    }),
    slaves: options.slaves,
    slaveKinds: options.slaveKinds,
    ...(wire && { bus: (face) => lineBus({ ...face, session: wire, say }) }),
    history: options.history,
    solar: options.solar,
    car: options.car,
    shared: fleet,
    ...(options.disturbances !== undefined && { disturbances: options.disturbances }),
    now: virtualTime(clock, options.speed, options.from),
  };
  const make = (number: number, lower?: number, like = how): ServedMeter => {
    const meter = virtualMeter(like, {
      number,
      ...(lower !== undefined && { lower }),
      ...(store && { kept: store.load(number), saveCredentials: (stored) => store.saveCredentials(number, stored) }),
    });
    meter.onPush = sendPush;
    return meter;
  };
  const tls = options.tls && { cert: readPem(options.tls.cert), key: readPem(options.tls.key) };
  const many = Math.max(options.count, options.ports);
  const meters = Array.from({ length: many }, (_, i) => make(i + 1, options.count > 1 ? undefined : LOWER.own));
  const first = meters[0] as ServedMeter;
  // Another meter, on the current loop: another household, reached by its lower address.
  const external = fleet ? undefined : make(EXTERNAL, LOWER.external, { ...how, slaves: [], slaveKinds: [] });
  const closers: (() => Promise<void> | void)[] = [];
  if (wire) closers.push(() => wire.close());
  const wrapperPorts: number[] = [];
  const hdlcPorts: number[] = [];
  const listened = (listener: Listener, list: number[]): void => {
    list.push(listener.port);
    closers.push(() => listener.close());
  };
  try {
    for (let i = 0; i < options.ports; i++) {
      const meter = meters[i] as ServedMeter;
      const directory =
        options.count > 1 ? fleetDirectory((number) => meters[number - 1]) : singleDirectory(meter, external);
      const server = createServer(directory, clock, { fault: (error) => say(`fault: ${String(error)}`) });
      closers.push(() => server.close());
      const traffic = fleet ? undefined : lightsOf(meter);
      const at = (port: number) => ({
        host: options.host,
        port: port === 0 ? 0 : port + i,
        ...(traffic && { traffic }),
        ...(tls && { tls }),
      });
      listened(await serveTcp(server, 'wrapper', at(options.wrapperPort)), wrapperPorts);
      if (options.ports === 1) listened(await serveTcp(server, 'hdlc', at(options.hdlcPort)), hdlcPorts);
      if (options.udp)
        closers.push(
          (
            (udp) => () =>
              udp.close()
          )(await serveUdp(server, { ...at(0), port: wrapperPorts[i] as number })),
        );
      if (i === 0 && options.to) {
        const link =
          options.to.kind === 'pty'
            ? ptyLink(options.to.path === undefined ? {} : { path: options.to.path })
            : serialLink({ path: options.to.path ?? '', baud: 300, parity: 'N' });
        const password = String.fromCharCode(...meter.credentials.stored.password);
        const device = opticalDevice(meter, { zone: options.zone, passwords: { 1: password, 2: password } });
        await serveOptical(server, link, clock, 'AMIABLE99', meter.engine.identification('meter-serial'), device);
        closers.push(() => link.close());
        say(`optical port (modes C and E, HDLC): ${'path' in link ? (link as { path: string }).path : link.describe}`);
      }
    }
    let pagePort: number | undefined;
    if (options.pagePort !== undefined) {
      const page = await servePage({ host: options.host, port: options.pagePort, meter: first, speed: options.speed });
      closers.push(() => page.close());
      pagePort = page.port;
    }
    const running: Running = { meters, wrapperPorts, hdlcPorts, pagePort, close };
    if (options.speed !== 1 || options.count === 1) closers.push(pace(first, clock));
    if (options.sweep > 0) closers.push(sweep(meters, options.sweep, clock));
    if (store) closers.push(saving(store, external ? [...meters, external] : meters, clock));
    if (options.keys !== undefined) writeKeys(options.keys, options, running);
    introduce(options, running, say);
    return running;
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<void> {
    for (const closer of closers.reverse()) await closer();
    closers.length = 0;
  }
}

/** The line that slaves of others are on, this meter their master. @throws PortError */
function openBus(line: BusLine, clock: Clock): Promise<MbusSession> {
  if (line.to === 'tcp') return createMbusSession({ link: tcpClient(line), clock });
  const link = serialLink({ path: line.path, baud: line.baud, parity: 'E' });
  return createMbusSession({ link, clock, baud: line.baud });
}

/** @throws MisuseError */
function readPem(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new MisuseError(`${path}: ${(error as Error).message}`);
  }
}

/** Lets the lights show what passes. */
function lightsOf(meter: ServedMeter): Traffic {
  let open = 0;
  return (direction) => {
    if (!meter.awake) return;
    const { engine } = meter;
    const { now } = engine;
    if (direction === 'open') open++;
    if (direction === 'closed') open--;
    if (engine.config.module === 'gprs') {
      if (direction === 'in') engine.setRadio({ lastReceive: now });
      else if (direction === 'out') engine.setRadio({ lastTransmit: now });
      else engine.setRadio({ gprs: open > 0 ? 'open' : 'listening' });
    } else if (direction === 'in') engine.setPlcLine({ receivingUntil: now + 600 });
    else if (direction === 'out') engine.setPlcLine({ transmittingUntil: now + 600 });
  };
}

/** A single meter lives on although nobody asks, so that its page, pushes and events are in time. */
function pace(meter: ServedMeter, clock: Clock): () => void {
  let cancel = clock.after(0, beat);
  function beat(): void {
    meter.live();
    cancel = clock.after(250, beat);
  }
  return () => cancel();
}

/** Brings a fleet up to the present, a slice at a time. */
function sweep(meters: readonly ServedMeter[], every: number, clock: Clock): () => void {
  let at = 0;
  let cancel = clock.after(0, slice);
  function slice(): void {
    const until = performance.now() + SLICE;
    while (at < meters.length && performance.now() < until) (meters[at++] as ServedMeter).live();
    const done = at >= meters.length;
    if (done) at = 0;
    cancel = clock.after(done ? every : 1, slice);
  }
  return () => cancel();
}

/** All that has lived once a minute, what was written at the next beat, everything at the end. */
function saving(store: Store, meters: readonly ServedMeter[], clock: Clock): () => void {
  const all = (wanted: (meter: ServedMeter) => boolean): void => {
    for (const meter of meters) if (wanted(meter)) store.save(meter);
  };
  let beats = 0;
  let cancel = clock.after(SAVE_BEAT, beat);
  function beat(): void {
    const everything = ++beats % SAVE_ALL === 0;
    all((meter) => everything || meter.written);
    cancel = clock.after(SAVE_BEAT, beat);
  }
  return () => {
    cancel();
    all(() => true);
  };
}

/** One connection, or datagram, for each push; whoever does not listen does not get it. */
function sendPush({ service, destination, apdu }: PushMessage): boolean {
  const to = parseHostPort(destination);
  if (!to) return false;
  const bytes = encodeWrapper(1, PUSH_CLIENT, apdu);
  const host = to.host || '127.0.0.1';
  if (service === 1) {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => {});
    socket.send(bytes, to.port, host, () => socket.close());
    return true;
  }
  const socket = createConnection({ host, port: to.port }, () => socket.end(bytes));
  socket.setTimeout(10_000, () => socket.destroy());
  socket.on('error', () => {});
  return true;
}

/** Passwords and keys of all meters, a line each; for its owner alone. @throws MisuseError where it cannot be written */
function writeKeys(path: string, options: MeterRunOptions, { meters, wrapperPorts }: Running): void {
  const OWNERS = ['management', 'firmware'] as const;
  const KEYS = ['unicast', 'authentication', 'master'] as const;
  const heading = ['number', 'port', 'server', 'system_title', 'suite', 'password'];
  const lines = [[...heading, ...OWNERS.flatMap((owner) => KEYS.map((key) => `${owner}_${key}`))].join(',')];
  meters.forEach(({ number, credentials: { stored, systemTitle } }, i) => {
    const cells = [
      number,
      wrapperPorts[options.ports > 1 ? i : 0],
      options.count > 1 ? number : 1,
      toHex(systemTitle),
      stored.suite,
      String.fromCharCode(...stored.password),
      ...OWNERS.flatMap((owner) => KEYS.map((key) => toHex(stored[owner][key]))),
    ];
    lines.push(cells.join(','));
  });
  try {
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  } catch (error) {
    throw new MisuseError(`--keys ${path}: ${(error as Error).message}`);
  }
}

/** As whoever started this would start another; npx says how it was called. */
const PROGRAM = process.env.npm_command === 'exec' ? 'npx --no-install amiable' : 'amiable';

/** What somebody needs to read it. */
function introduce(
  options: MeterRunOptions,
  { meters, wrapperPorts, hdlcPorts, pagePort }: Running,
  say: (line: string) => void,
): void {
  const first = meters[0] as ServedMeter;
  const { stored, systemTitle } = first.credentials;
  const port = wrapperPorts[0];
  const shown = options.host.includes(':') ? `[${options.host}]` : options.host;
  const place = `${options.tls ? 'tls' : 'tcp'}://${shown}:${port}`;
  const url = options.tls ? `${place} --ca ${options.tls.cert}` : place;
  const keys = (owner: 'management' | 'firmware'): string =>
    `--key ${toHex(stored[owner].unicast)} --auth-key ${toHex(stored[owner].authentication)}`;
  if (options.ports > 1) say(`${options.ports} meters on ports ${port} to ${wrapperPorts.at(-1)} (wrapper), one each`);
  else if (options.count > 1)
    say(
      `${options.count} meters: wrapper destination 1 to ${options.count} on port ${port}; HDLC lower address 1 to ${options.count}, upper 1 or 16, on port ${hdlcPorts[0]}`,
    );
  else
    say(
      `virtual electricity meter ${first.engine.identification('meter-serial')}: wrapper on ${place}, HDLC on hdlc+${options.tls ? 'tls' : 'tcp'}://${shown}:${hdlcPorts[0]}`,
    );
  const reader = `${url} --client ${CLIENTS.reader[0]} --server 1 --password ${String.fromCharCode(...stored.password)}`;
  if (pagePort !== undefined) say(`  page:       http://${shown}:${pagePort}/`);
  say('  try, in another terminal:');
  say(`    ${PROGRAM} dlms get ${reader} 1-0:1.8.0 clock:time`);
  if (options.history > 0) say(`    ${PROGRAM} dlms profile ${reader} 1-0:99.1.0 --last 6`);
  say(`    ${PROGRAM} dlms ls -l ${reader}`);
  say('  clients:');
  say(`  public:     ${PROGRAM} dlms ls ${url} --client ${CLIENTS.public[0]} --server 1`);
  say(`  reader:     ${PROGRAM} dlms ls ${reader}`);
  say(
    `  management: ${PROGRAM} dlms ls ${url} --client ${CLIENTS.management[0]} --server 1 --suite ${stored.suite} ${keys('management')}`,
  );
  say(
    `  firmware:   ${PROGRAM} dlms ls ${url} --client ${CLIENTS.firmware[0]} --server 1 --suite ${stored.suite} ${keys('firmware')}`,
  );
  say(
    `  master key ${toHex(stored.management.master)}; system title ${toHex(systemTitle)}; short names: clients 48, 34, 33, 35; Metering logical device: --server 16`,
  );
  if (options.count > 1 || options.ports > 1)
    say(
      `  keys are those of meter 1; each meter has its own${options.keys === undefined ? ', which --keys FILE writes down' : `: see ${options.keys}`}`,
    );
}
