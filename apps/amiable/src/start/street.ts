/**
 * Lets the simulated street live: at every turn of the clock the meters' frames of the time that has passed go over a wire
 * inside the process to a reader each, as they would over a cable. When the database is slower than the simulated time,
 * the street waits; no frame is left out.
 */

import type { KeyRing } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import { createHanReader, type HanReader } from '@amiable/meter';
import type { Message } from '@amiable/model';
import type { Street, StreetMeter } from '@amiable/simulator';
import type { StreetClock } from './clock.ts';

export interface StreetDrive {
  readonly counters: { readonly frames: number; readonly messages: number; readonly dropped: number };
  stop(): Promise<void>;
}

export interface StreetDriveOptions {
  readonly street: Street;
  readonly clock: StreetClock;
  /** Where the street begins, epoch ms; what lies before is history. */
  readonly from: number;
  readonly keys: KeyRing;
  readonly ingest: (messages: readonly Message[]) => Promise<unknown>;
  readonly log: (line: string) => void;
}

const READER = 'street';
/** Real milliseconds between turns. */
const TURN = 200;
/** Simulated time that one turn takes at most, so that a long pause (a laptop asleep) comes back in pieces. */
const MAX_STEP = 10 * 60_000;

interface House {
  readonly meter: StreetMeter;
  readonly reader: HanReader;
}

export function driveStreet(options: StreetDriveOptions): StreetDrive {
  const { street, clock, keys, ingest, log } = options;
  const counters = { frames: 0, messages: 0, dropped: 0 };
  let out: Message[] = [];
  let at = options.from;
  let arrived = at;
  const houses: House[] = street.meters.map((meter) => ({
    meter,
    reader: createHanReader(
      {
        reader: READER,
        port: meter.port,
        zone: street.zone,
        // A street knows who lives where, so not even its first short list is without a name.
        knownMeter: meter.serial,
        keys,
        crypto: nodeCrypto,
        now: () => arrived,
        // A recording tells the time at which it was made; that is no fault of a clock.
        live: !meter.replay,
      },
      {
        message: (message) => {
          counters.messages++;
          out.push(message);
        },
        drop: () => {
          counters.dropped++;
        },
      },
    ),
  }));

  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();
  let told = false;
  let saved = 0;
  clock.reached(at, MAX_STEP);

  async function step(): Promise<void> {
    const to = Math.min(clock.now(), at + MAX_STEP);
    if (to <= at) return;
    for (const { meter, reader } of houses)
      for (const frame of meter.frames(at, to)) {
        arrived = frame.at;
        counters.frames++;
        reader.push(frame.bytes);
      }
    at = to;
    const messages = out;
    out = [];
    if (messages.length > 0) await deliver(messages);
    if (!stopped) clock.reached(at, MAX_STEP);
    if (Date.now() - saved > 10_000) {
      saved = Date.now();
      clock.save();
    }
  }

  /** Until they are durable: the street stands still meanwhile, as meters wait for no one but a simulation may. */
  async function deliver(messages: readonly Message[]): Promise<void> {
    for (let pause = 250; !stopped; pause = Math.min(pause * 2, 5000)) {
      try {
        await ingest(messages);
        if (told) log('street: the database takes messages again');
        told = false;
        return;
      } catch (error) {
        if (!told) log(`street: ${(error as Error).message}; the street waits`);
        told = true;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  const schedule = (): void => {
    timer = setTimeout(() => {
      turn = step()
        .catch((error: Error) => log(`street: ${error.stack ?? error.message}`))
        .finally(() => {
          if (!stopped) schedule();
        });
    }, TURN);
  };
  schedule();
  return {
    counters,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await turn;
      clock.save();
    },
  };
}
