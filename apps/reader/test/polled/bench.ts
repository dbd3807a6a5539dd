/** Meters that are asked, in virtual time: an optical meter and an M-Bus behind a line that can be cut, damaged and pulled. */
import { toHex } from '@amiable/bytes';
import { createOpticalServer, evenParity, lineTime, type ServerOptions, type TariffDevice } from '@amiable/iec62056-21';
import { type Clock, type Link, type LinkEvents, PortError, type VirtualClock, virtualClock } from '@amiable/io';
import {
  askBus,
  type BusSlave,
  createMbusReceiver,
  createMbusSlave,
  encodeShortFrame,
  type MbusSlaveOptions,
  type RecordToSend,
  telegramsOf,
} from '@amiable/mbus';
import type { Message } from '@amiable/model';
import { keyRing } from '../../src/keys.ts';
import { createPolledReader, type PolledReaderOptions, type PollOptions } from '../../src/polled/index.ts';

export const T0 = Date.UTC(2026, 10, 20, 12);

/** What hangs on the line. */
export interface Far {
  /** Octets of the reader at the rate at which its port is. */
  hear(bytes: Uint8Array, baud: number, parity: string): void;
  /** The port has been closed. */
  gone?(): void;
}

export interface Line {
  readonly clock: VirtualClock;
  /** Every opening: its setting. */
  readonly openings: string[];
  /** What the reader has written, hex. */
  readonly written: string[];
  /** To the reader. */
  say(bytes: Uint8Array): void;
  /** The adapter is pulled out: openings fail until it is put in again. */
  pull(): void;
  plug(): void;
  make(setting: { baud: number; parity: string }): Link;
  far: Far | undefined;
  /** What comes over the line on its way to the reader; undefined: nothing does. */
  spoil: ((bytes: Uint8Array) => Uint8Array | undefined) | undefined;
  readonly open: boolean;
}

export function createLine(clock = virtualClock(T0)): Line {
  let events: LinkEvents | undefined;
  let pulled = false;
  const line: Line = {
    clock,
    openings: [],
    written: [],
    far: undefined,
    spoil: undefined,
    get open() {
      return events !== undefined;
    },
    say(bytes) {
      const some = line.spoil ? line.spoil(bytes) : bytes;
      if (some) events?.data(some.slice());
    },
    pull() {
      pulled = true;
      const was = events;
      events = undefined;
      line.far?.gone?.();
      was?.closed(new PortError('closed', '/dev/test: the device is gone; was it unplugged?'));
    },
    plug() {
      pulled = false;
    },
    make({ baud, parity }) {
      let rate = baud;
      let own: LinkEvents | undefined;
      const link: Link & { setBaud(to: number): Promise<void> } = {
        describe: `/dev/test at ${baud} 8${parity}1`,
        async open(given) {
          if (pulled) throw new PortError('notFound', '/dev/test: there is no such device');
          line.openings.push(`${baud} ${parity}`);
          own = given;
          events = given;
        },
        async write(bytes) {
          if (events !== own || !own) throw new PortError('closed', '/dev/test: not open');
          line.written.push(toHex(bytes));
          line.far?.hear(bytes.slice(), rate, parity);
        },
        async setBaud(to) {
          rate = to;
        },
        pause() {},
        resume() {},
        async close() {
          const was = own;
          own = undefined;
          if (events !== was || !was) return;
          events = undefined;
          line.far?.gone?.();
          was.closed();
        },
      };
      return link;
    },
  };
  return line;
}

export const READOUT = ['F.F(00)', '0.0.0(12345678)', '0.9.1(130000)', '0.9.2(261120)', '1.8.0(000285.4*kWh)'];

const PIECE = 32;

/** An optical meter: answers at its rate, hears nothing at another, and says everything with even parity. */
export function opticalMeter(
  line: Line,
  options: Partial<ServerOptions> = {},
  device: TariffDevice = { readout: () => READOUT },
): { readouts(): number } {
  const { clock } = line;
  let baud = 300;
  let free = 0;
  let readouts = 0;
  let timer = (): void => {};
  const server = createOpticalServer(
    {
      maker: 'AMI',
      identification: 'TEST',
      ...options,
      device: {
        ...device,
        readout(option) {
          readouts++;
          return device.readout(option);
        },
      },
    },
    {
      write(bytes) {
        const octets = evenParity(bytes);
        // In pieces, as characters come: a client gives up after a pause.
        for (let at = 0; at < octets.length; at += PIECE) {
          const piece = octets.subarray(at, at + PIECE);
          free = Math.max(free, clock.now()) + lineTime(piece.length, baud);
          clock.after(free - clock.now(), () => line.say(piece));
        }
      },
      line(settings) {
        baud = settings.baud;
      },
      hdlc() {},
    },
  );
  const wake = () => {
    timer();
    const at = server.nextDeadline();
    if (at === Number.POSITIVE_INFINITY) return;
    timer = clock.after(Math.max(0, at - clock.now()), () => {
      server.tick(clock.now());
      wake();
    });
  };
  line.far = {
    hear(bytes, rate) {
      if (rate !== baud) return;
      clock.after(lineTime(bytes.length, rate), () => {
        server.receive(bytes, clock.now());
        wake();
      });
    },
  };
  return { readouts: () => readouts };
}

export const volume = (value: number): RecordToSend => ({ vif: [0x13], data: { type: 'integer', octets: 4, value } });

export interface TestSlave {
  /** Answers nothing while it is false. */
  powered: boolean;
  readonly bus: BusSlave;
}

export function slave(
  primaryAddress: number,
  identification: string,
  values: () => readonly number[],
  more: Partial<MbusSlaveOptions> = {},
): TestSlave {
  const secondary = { identification, manufacturer: 'KAM', version: 4, medium: 7 };
  const answers: { bytes: Uint8Array; afterBits: number }[] = [];
  const own = createMbusSlave(
    {
      primaryAddress,
      secondary,
      respond: ({ kind, accessNumber }) =>
        kind === 'alarm'
          ? []
          : telegramsOf({ ...secondary, accessNumber, status: 0, configuration: 0 }, values().map(volume), {
              maxOctets: 20,
            }),
      ...more,
    },
    { send: (bytes, afterBits) => answers.push({ bytes: bytes.slice(), afterBits }) },
  );
  const test: TestSlave = {
    powered: true,
    bus: {
      slave: own,
      take() {
        const all = answers.splice(0);
        return test.powered ? all : [];
      },
    },
  };
  return test;
}

/** The bus hears its master where rate and parity are its own. */
export function mbus(line: Line, slaves: readonly TestSlave[], { parity = 'E', echo = false } = {}): void {
  const { clock } = line;
  let at = 2400;
  const ask = (question: Uint8Array): void => {
    const answer = askBus(
      slaves.map((one) => one.bus),
      question,
      at,
    );
    const rate = at;
    if (answer)
      clock.after(Math.ceil(((question.length * 11 + answer.bits) * 1000) / rate), () => line.say(answer.bytes));
  };
  const receiver = createMbusReceiver({
    frame: (f) => ask(f.raw.slice()),
    short: (control, address) => ask(encodeShortFrame(control, address)),
    drop() {},
  });
  line.far = {
    hear(bytes, baud, given) {
      if (given !== parity) return;
      at = baud;
      if (echo) line.say(bytes);
      receiver.push(bytes);
      receiver.idle();
    },
  };
}

export interface Polled {
  readonly messages: Message[];
  readonly told: string[];
  readonly drops: string[];
  readonly reader: ReturnType<typeof createPolledReader>;
  readonly states: string[];
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export function begin(
  line: Line,
  protocol: 'mbus' | 'iec62056-21',
  poll: Partial<PollOptions> = {},
  more: Partial<PolledReaderOptions> = {},
): Polled {
  const messages: Message[] = [];
  const told: string[] = [];
  const drops: string[] = [];
  const states: string[] = [];
  const stopping = new AbortController();
  const reader = createPolledReader({
    device: { type: 'serial', path: '/dev/test', patience: 20_000 },
    reader: 'attic',
    port: 'p0',
    keys: keyRing([]),
    clock: line.clock as Clock,
    random: () => 0,
    zone: 'UTC',
    protocol,
    tell: (text) => told.push(text),
    status: (now) => states.push(now.type),
    message: (m) => void messages.push(m),
    drop: (d) => drops.push(d.reason),
    makeLink: (setting) => line.make(setting),
    poll: { interval: 60_000, ...poll },
    ...more,
  });
  const ended = reader.run(stopping.signal);
  ended.catch(() => {});
  return {
    messages,
    told,
    drops,
    states,
    reader,
    ended,
    async stop() {
      stopping.abort();
      await line.clock.advance(10);
      await ended;
    },
  };
}
