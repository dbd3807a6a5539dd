/**
 * `amiable simulate optical`: the virtual electricity meter behind an optical port, on a pseudo-terminal, TCP or a serial port.
 *
 * Decides: each TCP connection is an optical head of its own; characters go at the line's rate unless `--fast`; in mode D the
 * meter sends at its own pace, to a file or stdout as well. Leaves out: the protocol (package iec62056-21).
 */
import { appendFileSync, createWriteStream, writeFileSync } from 'node:fs';
import {
  createOpticalServer,
  evenParity,
  lineTime,
  messageOfReadings,
  type OpticalLink,
  type OpticalPort,
  parseDataBlock,
  parseIdentification,
  readingsOf,
  type ServerOptions,
  serveOpticalPort,
} from '@amiable/iec62056-21';
import {
  type Clock,
  type IncomingConnection,
  type IncomingEvents,
  listenTcp,
  portError,
  ptyLink,
  quickCrypto,
  serialLink,
  sleep,
  systemClock,
} from '@amiable/io';
import { messageToJson } from '@amiable/model';
import { virtualMeter } from '../electricity-server/factory.ts';
import { createServer, singleDirectory } from '../electricity-server/listen.ts';
import { virtualTime } from '../electricity-server/run.ts';
import { opticalDevice } from './device.ts';
import type { OpticalRunOptions } from './options.ts';

export interface OpticalRunning {
  /** What `amiable optical read` takes, e.g. `/dev/pts/4` or `127.0.0.1:7710`. */
  readonly where: string;
  /** Resolves when `--duration` is over; never without it. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Pieces in which a paced line hands bytes over, ms. */
const PIECE = 10;
/**
 * Before each answer: the standard asks for 200 ms at least. A pseudo-terminal delivers `ACK 0 Z Y` at once while who sent it counts 200 ms for
 * it at 300 Bd and changes its rate then, so there is some more.
 */
const REACTION = 350;

/** A link whose bytes leave at the rate of the line, whatever it is made of. */
export function pacedLink(link: OpticalLink, clock: Clock): OpticalLink {
  let baud = 300;
  let free = 0;
  let writing = Promise.resolve();
  return {
    get describe() {
      return link.describe;
    },
    open: (events) => link.open(events),
    write(bytes) {
      const copy = bytes.slice();
      writing = writing.then(async () => {
        const piece = Math.max(1, Math.floor((baud * PIECE) / 10_000));
        for (let at = 0; at < copy.length; at += piece) {
          const part = copy.subarray(at, at + piece);
          free = Math.max(free, clock.now()) + lineTime(part.length, baud);
          if (free - clock.now() >= 1) await sleep(clock, free - clock.now());
          await link.write(part);
        }
      });
      return writing;
    },
    async setBaud(rate) {
      baud = rate;
      await link.setBaud?.(rate);
    },
    close: () => link.close(),
  };
}

/** One TCP client as a link. */
function connectionLink(connection: IncomingConnection): {
  readonly link: OpticalLink;
  readonly events: IncomingEvents;
} {
  let inner: Parameters<OpticalLink['open']>[0] | undefined;
  return {
    link: {
      describe: connection.describe,
      open: async (events) => {
        inner = events;
      },
      write: async (bytes) => connection.write(bytes),
      close: async () => connection.close(),
    },
    events: { data: (bytes) => inner?.data(bytes), closed: () => inner?.closed() },
  };
}

/** Starts. @throws PortError where a port cannot be had */
export async function startOptical(
  options: OpticalRunOptions,
  say: (line: string) => void,
  clock: Clock = systemClock,
): Promise<OpticalRunning> {
  const { zone, mode, baud, fast, target, from } = options;
  let skipped = 0;
  const time = virtualTime(clock, 1, from);
  const now = (): number => time() + skipped;
  const meter = virtualMeter(
    {
      seed: options.seed,
      zone,
      suite: 0,
      config: { type: options.singlePhase ? 'single-phase' : 'polyphase' },
      history: options.history,
      car: options.car,
      solar: options.solar,
      now,
    },
    { number: 1, lower: 17 },
  );
  if (options.truth !== undefined) {
    try {
      writeFileSync(options.truth, '');
    } catch (error) {
      throw portError(options.truth, error);
    }
  }
  const identification = parseIdentification(`/AMI5${options.identification}`);
  const device = opticalDevice(meter, {
    zone,
    passwords: options.passwords,
    operand: () => Array.from(quickCrypto.randomBytes(8), (octet) => octet % 10).join(''),
    onReadout(lines) {
      if (options.truth === undefined) return;
      const text = lines.join('\r\n');
      const at = now();
      const message = messageOfReadings(
        { reader: 'simulator', port: 'optical' },
        identification,
        readingsOf(parseDataBlock(text), zone),
        {
          raw: new TextEncoder().encode(text),
          flags: mode === 'D' ? ['crcMissing'] : [],
          receivedAt: at,
          sequence: at,
        },
      );
      appendFileSync(options.truth, `${messageToJson(message)}\n`);
    },
  });
  const server: ServerOptions = {
    maker: 'AMI',
    identification: options.identification,
    mode: mode === 'E' ? 'C' : mode,
    hdlc: mode === 'E',
    baud,
    address: options.address,
    reaction: fast ? 0 : REACTION,
    wakeUp: options.wakeUp,
    device,
  };
  const serial = meter.engine.identification('meter-serial');
  const stop = new AbortController();

  if (target.to === 'stdout' || target.to === 'file') {
    const stream = target.to === 'stdout' ? process.stdout : createWriteStream(target.path);
    let failure: Error | undefined;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Who reads a pipe may have had enough.
      if (error.code !== 'EPIPE') failure = portError(target.to === 'file' ? target.path : 'stdout', error);
      stop.abort();
    });
    const telegrams = createOpticalServer(server, {
      write: (bytes) => void stream.write(evenParity(bytes)),
      line() {},
      hdlc() {},
    });
    const begun = now();
    const run = async (): Promise<void> => {
      while (!stop.signal.aborted && (options.duration === undefined || now() - begun < options.duration)) {
        telegrams.trigger(now());
        if (fast) {
          skipped += options.every;
          await new Promise((resolve) => setImmediate(resolve));
        } else await sleep(clock, options.every, stop.signal);
      }
      if (target.to === 'file') await new Promise<void>((resolve) => void stream.end(() => resolve()));
      if (failure) throw failure;
    };
    say(`virtual meter ${serial} in mode D, a telegram every ${options.every / 1000} s`);
    const done = run();
    return {
      where: '-',
      done,
      async close() {
        stop.abort();
        await done;
      },
    };
  }

  const ports = new Set<OpticalPort>();
  const hdlcServer = mode === 'E' ? createServer(singleDirectory(meter), clock) : undefined;
  const serve = async (raw: OpticalLink): Promise<OpticalPort> => {
    const link = fast ? raw : pacedLink(raw, clock);
    const write = (bytes: Uint8Array): void => void link.write(bytes).catch(() => {});
    const hdlc = hdlcServer?.accept({ describe: link.describe, write, close: () => {} }, 'hdlc');
    let port: OpticalPort | undefined;
    port = await serveOpticalPort({
      ...server,
      link,
      clock,
      ...(hdlc && { onHdlc: hdlc }),
      closed: () => {
        if (port) ports.delete(port);
      },
    });
    // The pace of a link that has no rate of its own is the line's.
    if (mode === 'D') await link.setBaud?.(2400);
    ports.add(port);
    return port;
  };
  let where: string;
  let closeListener = async (): Promise<void> => {};
  if (target.to === 'tcp') {
    const listener = await listenTcp({ host: target.host, port: target.port }, (connection) => {
      const { link, events } = connectionLink(connection);
      void serve(link);
      return events;
    });
    where = `${target.host || '127.0.0.1'}:${listener.port}`;
    closeListener = () => listener.close();
  } else {
    const link =
      target.to === 'pty'
        ? ptyLink(target.path === undefined ? {} : { path: target.path })
        : serialLink({ path: target.path, baud: mode === 'D' ? 2400 : 300, parity: 'N' });
    await serve(link);
    where = 'path' in link ? link.path : target.path === undefined ? link.describe : target.path;
  }
  introduce(options, serial, where, say);
  const done = beat();

  /** In mode D sends; keeps the meter alive in all of them. */
  async function beat(): Promise<void> {
    const begun = clock.now();
    while (!stop.signal.aborted && (options.duration === undefined || clock.now() - begun < options.duration)) {
      meter.live();
      if (mode === 'D') for (const port of ports) port.trigger();
      const left = options.duration === undefined ? options.every : begun + options.duration - clock.now();
      await sleep(clock, Math.max(1, Math.min(options.every, left)), stop.signal);
    }
  }

  return {
    where,
    done: options.duration === undefined ? new Promise(() => {}) : done,
    async close() {
      stop.abort();
      for (const port of [...ports]) await port.close();
      hdlcServer?.close();
      await closeListener();
      await done;
    },
  };
}

/** As whoever started this would start another; npx says how it was called. */
const PROGRAM = process.env.npm_command === 'exec' ? 'npx --no-install amiable' : 'amiable';

function introduce(
  { mode, baud, address, passwords, wakeUp }: OpticalRunOptions,
  serial: string,
  where: string,
  say: (line: string) => void,
): void {
  const how = `${mode === 'D' ? ' --mode D' : ''}${address === undefined ? '' : ` --address ${address}`}${wakeUp ? ' --wake-up' : ''}`;
  say(`virtual meter ${serial}, mode ${mode}, ${baud} Bd, at ${where}`);
  say('  try, in another terminal:');
  say(`    ${PROGRAM} optical read ${where}${how}`);
  if (mode !== 'D') {
    say(`    AMIABLE_OPTICAL_PASSWORD=${passwords[1]} ${PROGRAM} optical program ${where}${how} read 1.8.0 0.9.1`);
    say(`    ${PROGRAM} optical shell ${where}${how}`);
    say(`  passwords (no secret): P1 ${passwords[1]} sets the clock, P2 ${passwords[2]} the rest`);
  }
  if (mode === 'E') say(`    ${PROGRAM} dlms ls ${where.startsWith('/') ? where : `hdlc+tcp://${where}`} --mode-e`);
}
