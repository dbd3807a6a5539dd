/** One port of the service: read for as long as it is configured, its state and counters kept for the status. */
import { fromHex } from '@amiable/bytes';
import type { KeyRing } from '@amiable/dlms';
import { sleep } from '@amiable/io';
import { addCounters, type Message, newPortCounters, type PortCounters } from '@amiable/model';
import type { PortConfig } from '../config/types.ts';
import { keyRing } from '../keys.ts';
import { parseDevice } from '../options.ts';
import { type BusMemories, createLiveReader, isAsked, type PollOptions } from '../polled/index.ts';
import { andThen } from '../words.ts';
import type { PortStatus, ReaderMachine } from './types.ts';

/** ms without a byte: the line is between two frames. */
const GAP = 120;
/** ms: a line that never falls silent is not waited for any longer. */
const LONGEST_WAIT = 3000;
/** ms before a port that ended by a fault of its own is begun again. */
const AGAIN = 10_000;

export interface ServicePort {
  status(): PortStatus;
  /** Reads to the end of what is under way. `gently`: waits for a pause between frames. */
  stop(gently: boolean): Promise<void>;
}

export interface ServicePortOptions {
  readonly reader: string;
  readonly config: PortConfig;
  readonly machine: ReaderMachine;
  readonly knownMeter?: string;
  /** Where meters that were found on a bus are remembered. */
  readonly memories?: BusMemories;
  readonly message: (m: Message) => void;
}

const NONE = newPortCounters();

function keysOf(config: PortConfig, more: KeyRing | undefined): KeyRing {
  const own = keyRing(
    config.keys.map(({ id, key, authKey }) => ({
      ...(id === undefined ? {} : { id }),
      key: fromHex(key),
      ...(authKey === undefined ? {} : { authKey: fromHex(authKey) }),
    })),
  );
  if (!more) return own;
  return { candidates: (title, meterId) => [...more.candidates(title, meterId), ...own.candidates(title, meterId)] };
}

function pollOf(config: PortConfig, memories: BusMemories | undefined): PollOptions {
  const { name, device, poll = 0, baud, meters = [], address, mode, wakeUp } = config;
  return {
    interval: poll,
    baud,
    meters,
    address,
    mode: mode === 'D' ? undefined : mode,
    wakeUp,
    memory: memories?.of(name, device, meters),
  };
}

export function startPort(options: ServicePortOptions): ServicePort {
  const { reader, config, machine } = options;
  const { clock } = machine;
  const stopping = new AbortController();
  let state: PortStatus['state'] = 'opening';
  let since = clock.now();
  let fault: string | undefined;
  let note: string | undefined;
  let last: PortStatus['last'];
  let lastByte = 0;
  let overrun = 0;
  /** Of readers that ended. */
  let before = NONE;
  let current: (() => PortCounters) | undefined;
  const turn = (to: PortStatus['state'], why?: string) => {
    if (state !== to) since = clock.now();
    state = to;
    fault = why;
  };

  const tell = (line: string) => {
    note = line;
    machine.tell(`${config.name}: ${line}`);
  };

  const once = async (): Promise<void> => {
    const port = createLiveReader({
      device: parseDevice(config.device, {
        patience: config.patience,
        ...(config.parity === undefined ? {} : { parity: config.parity }),
        ...(config.baud === undefined ? {} : { baud: config.baud }),
      }),
      reader,
      port: config.name,
      keys: keysOf(config, machine.keys),
      clock,
      random: machine.random,
      ...(config.signals === 'none'
        ? {}
        : { signals: { rts: config.signals !== 'dtr', dtr: config.signals !== 'rts' } }),
      ...(config.protocol === 'auto' || config.protocol === 'dlms' ? {} : { protocol: config.protocol }),
      ...(isAsked(config.protocol) && (config.poll ?? 0) > 0
        ? { poll: pollOf(config, options.memories), makeLink: machine.makeLink }
        : {}),
      maxClockError: config.maxClockError,
      ...(config.zone === undefined ? {} : { zone: config.zone }),
      ...(options.knownMeter === undefined ? {} : { knownMeter: options.knownMeter }),
      ...(machine.serialBinding === undefined ? {} : { serialBinding: machine.serialBinding }),
      tell,
      status(now) {
        if (now.type === 'up') turn('up');
        else turn('down', now.error?.message ?? `${config.device}: closed`);
      },
      bytes() {
        lastByte = clock.now();
      },
      message(m) {
        last = {
          at: m.receivedAt,
          id: m.id,
          ...(m.meterId === undefined ? {} : { meterId: m.meterId }),
          ...(m.list === undefined ? {} : { list: m.list }),
          ...(m.error === undefined ? {} : { error: m.error.reason }),
        };
        options.message(m);
      },
      lost(bytes) {
        overrun++;
        tell(`${bytes} bytes were lost, this machine did not keep up`);
      },
    });
    current = () => port.counters;
    try {
      await port.run(stopping.signal);
    } finally {
      before = addCounters(before, port.counters);
      current = undefined;
    }
  };
  const work = async () => {
    while (!stopping.signal.aborted) {
      try {
        await once();
      } catch (error) {
        const words = (error as Error).message;
        if (fault !== words) tell(andThen(words, 'Trying again'));
        turn('down', words);
      }
      await sleep(clock, AGAIN, stopping.signal);
    }
  };
  const done = work();

  return {
    status() {
      const counters = addCounters(before, current?.() ?? NONE);
      if (overrun > 0) counters.dropped.overrun = overrun;
      const silentFor = state === 'up' ? silence(config, clock.now() - Math.max(since, last?.at ?? since)) : undefined;
      return {
        name: config.name,
        device: config.device,
        state,
        since,
        ...(fault === undefined ? {} : { fault }),
        ...(note === undefined ? {} : { note }),
        ...(silentFor === undefined ? {} : { silentFor }),
        counters,
        ...(last === undefined ? {} : { last }),
      };
    },
    async stop(gently) {
      const begun = clock.now();
      while (gently && state === 'up' && clock.now() - lastByte < GAP && clock.now() - begun < LONGEST_WAIT)
        await sleep(clock, 20);
      stopping.abort();
      await done;
    },
  };
}

/** Ports that speak by themselves do so every few seconds; those that are asked, at each round. */
const LONGEST_PAUSE = 5 * 60_000;
const ROUNDS = 3;

/** `quiet` where it is longer than the port ever pauses. Radio meters send when they like. */
export function silence({ protocol, poll = 0 }: PortConfig, quiet: number): number | undefined {
  if (protocol === 'wmbus') return undefined;
  return quiet > LONGEST_PAUSE + (isAsked(protocol) ? ROUNDS * poll : 0) ? quiet : undefined;
}
