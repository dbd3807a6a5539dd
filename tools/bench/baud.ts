/**
 * Table 7.2 of the thesis anew: how long after its time a list-3 message is there, per baud rate, and whether the messages
 * around it stay whole. The simulator sends the guide's schedule over a paced line in 8E1; the reader is the real one.
 *
 * In virtual time, so the latency is exact (the first bit leaves at the message's own time unless the line is still busy;
 * the message is there with the stop bit of its last octet), then over TCP in real time at a few rates.
 */
import { systemClock, tcpClient, tcpServer, virtualClock } from '@amiable/io';
import { createHanReader } from '@amiable/meter';
import { type Message, messageToJson } from '@amiable/model';
import { type Output, type RunCounters, runSimulator, simulateOptions } from '../../apps/simulator/src/index.ts';
import type { Figure } from './figure.ts';

const PEER = 'thesis table 7.2';
/** Seconds; the thesis has no 600 and nothing above 18400. */
const THESIS: Readonly<Record<number, number>> = {
  300: 5.26,
  1200: 1.04,
  2400: 0.52,
  4800: 0.26,
  9600: 0.13,
  18400: 0.07,
};
const RATES = [300, 600, 1200, 2400, 4800, 9600, 18400, 19200, 38400, 57600, 115_200];
const HOUR = Date.UTC(2018, 4, 24, 13);

export interface BaudResult {
  readonly baud: number;
  /** Of the list-3 message, ms from its own time. */
  readonly latency: number;
  readonly counters: RunCounters;
  /** Messages that arrived and are what was sent. */
  readonly whole: number;
  readonly dropped: number;
}

const bare = (json: string): string => json.replace(/"(id|reader|port|receivedAt)":"[^"]*",/g, '');

function receiver(now: () => number, zoneLag: number) {
  const messages: { readonly message: Message; readonly at: number }[] = [];
  let dropped = 0;
  const reader = createHanReader(
    { reader: 'bench', port: 'line', zone: 'Europe/Oslo', now },
    {
      message: (message) => messages.push({ message, at: now() - zoneLag }),
      drop: () => {
        dropped++;
      },
    },
  );
  return { messages, reader, dropped: () => dropped };
}

/** One hour's turn at `baud` in virtual time: `before` ms up to list 3 and two minutes more. */
export async function virtualRun(baud: number, before = baud < 600 ? 600_000 : 60_000): Promise<BaudResult> {
  const from = HOUR - before;
  const clock = virtualClock(from);
  const { messages, reader, dropped } = receiver(() => clock.now(), 0);
  const truth: string[] = [];
  const output: Output = {
    clock,
    readWith: '',
    say: () => {},
    write: async (bytes) => reader.push(bytes),
    truth: async (line) => {
      truth.push(line);
    },
    close: async () => {},
  };
  const options = simulateOptions({
    model: 'MA304H3E',
    seed: 1,
    from: new Date(from).toISOString(),
    duration: `${(before + 120_000) / 1000}s`,
    baud,
    parity: 'E',
  });
  let done = false;
  const run = runSimulator(options, output, new AbortController().signal).finally(() => {
    done = true;
  });
  while (!done) await clock.advance(10_000);
  reader.end();
  const sentTruth = new Set(truth.map(bare));
  const whole = messages.filter(({ message }) => sentTruth.has(bare(messageToJson(message)))).length;
  const three = messages.find(({ message }) => message.items.some((item) => item.name === 'activeEnergyImport'));
  return {
    baud,
    latency: three ? three.at - (three.message.time as number) : Number.NaN,
    counters: await run,
    whole,
    dropped: dropped(),
  };
}

/** One list 3 over TCP at the line's pace, milliseconds of real time. */
async function realRun(baud: number): Promise<number> {
  const server = tcpServer({ host: '127.0.0.1', port: 0 });
  await server.open({ data: () => {}, closed: () => {} });
  const client = tcpClient({ host: '127.0.0.1', port: server.port });
  const { messages, reader } = receiver(() => performance.timeOrigin + performance.now(), 0);
  await client.open({ data: (bytes) => reader.push(bytes), closed: () => {} });
  while (server.peers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  // Half a second before list 3 the meter's clock starts to run.
  const from = HOUR + 9500;
  const options = simulateOptions({
    seed: 1,
    from: new Date(from).toISOString(),
    duration: '1s',
    baud,
    parity: 'E',
    list: '3',
  });
  const begun = systemClock.now();
  await runSimulator(
    options,
    { clock: systemClock, readWith: '', say: () => {}, write: (bytes) => server.write(bytes), close: async () => {} },
    new AbortController().signal,
  );
  for (let i = 0; i < 200 && messages.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  await client.close();
  await server.close();
  const arrived = messages[0]?.at;
  if (arrived === undefined) throw new Error(`nothing arrived over TCP at ${baud} baud`);
  return arrived - begun - 500;
}

export async function benchBaud({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const baud of smoke ? [300, 2400] : RATES) {
    const { latency, counters, whole, dropped } = await virtualRun(baud);
    const thesis = THESIS[baud];
    const seconds = latency / 1000;
    figures.push({
      name: `Baud ${baud}: list 3 is there after`,
      value: seconds,
      unit: 's',
      ...(thesis === undefined ? {} : { peer: PEER, ratio: seconds / thesis }),
    });
    const sent = counters.sent[1] + counters.sent[2] + counters.sent[3];
    figures.push({ name: `Baud ${baud}: messages sent`, value: sent, unit: 'messages' });
    figures.push({ name: `Baud ${baud}: of them lost or wrong`, value: sent - whole + dropped, unit: 'messages' });
    figures.push({ name: `Baud ${baud}: not sent, line overloaded`, value: counters.overloaded, unit: 'messages' });
  }
  for (const baud of smoke ? [9600] : [1200, 2400, 9600, 115_200])
    figures.push({
      name: `Baud ${baud}: list 3 over TCP in real time`,
      value: (await realRun(baud)) / 1000,
      unit: 's',
    });
  return figures;
}
