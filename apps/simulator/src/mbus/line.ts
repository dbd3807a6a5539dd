/**
 * Slaves on a line that another program's master asks: bytes in, answers out at the pace of the wire.
 *
 * Decides: a question is complete with its last octet; slaves answer together (bus in package mbus), after their silence and
 * character by character; a new question while an answer is being sent ends it, as the master has given up. A pseudo-terminal or a
 * TCP connection does not tell the rate at which the master talks, so slaves of every rate hear it there and each answers at its own.
 */
import { type Clock, createDamage, createPacer, type Damage, type DamageRates, sleep } from '@amiable/io';
import { askBus, createMbusReceiver, encodeShortFrame } from '@amiable/mbus';
import type { DeviceSlave } from './slave.ts';

export interface LineOptions {
  readonly slaves: readonly DeviceSlave[];
  readonly clock: Clock;
  /** Rate of the line where it is known (a serial port); absent: each slave's own. */
  readonly baud?: number;
  readonly noise?: { readonly rates: DamageRates; readonly seed: number };
  write(bytes: Uint8Array): Promise<void>;
}

export interface SlaveLine {
  /** From the master. */
  push(bytes: Uint8Array): void;
  close(): void;
  readonly counters: { questions: number; answers: number; collisions: number; octets: number };
}

/** Silence that ends a question that was cut, ms; network and operating system hold pieces back longer than a wire would. */
const PAUSE = 300;
/** Answers go out in pieces of about 10 ms. */
const PIECES_PER_SECOND = 100;
const CHARACTER_BITS = 11;

export function createSlaveLine(options: LineOptions): SlaveLine {
  const { slaves, clock, write } = options;
  const counters = { questions: 0, answers: 0, collisions: 0, octets: 0 };
  const damage: Damage | undefined = options.noise && createDamage(options.noise.seed, options.noise.rates);
  let current = new AbortController();
  let closed = false;
  let cancelPause = (): void => {};

  const receiver = createMbusReceiver({
    frame: (f) => ask(f.raw.slice()),
    short: (control, address) => ask(encodeShortFrame(control, address)),
    drop() {},
  });

  function ask(question: Uint8Array): void {
    counters.questions++;
    current.abort();
    current = new AbortController();
    const rates = options.baud === undefined ? [...new Set(slaves.map(({ slave }) => slave.baud))] : [options.baud];
    for (const baud of rates) {
      const answer = askBus(slaves, question, baud);
      if (!answer) continue;
      counters.answers++;
      if (answer.speakers > 1) counters.collisions++;
      const silence = answer.bits - answer.bytes.length * CHARACTER_BITS;
      void send(answer.bytes, baud, silence, current.signal);
    }
  }

  async function send(bytes: Uint8Array, baud: number, silence: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(clock, (silence * 1000) / baud, signal);
      const pacer = createPacer({ baud, clock });
      const piece = Math.max(1, Math.floor(baud / CHARACTER_BITS / PIECES_PER_SECOND));
      for (const part of damage ? damage.apply(bytes) : [bytes]) {
        for (let at = 0; at < part.length && !signal.aborted && !closed; at += piece) {
          const some = part.subarray(at, at + piece);
          await pacer.take(some.length, signal);
          if (signal.aborted || closed) return;
          await write(some);
          counters.octets += some.length;
        }
      }
    } catch {
      // The master has hung up; the next one asks again.
    }
  }

  return {
    counters,
    push(bytes) {
      cancelPause();
      receiver.push(bytes);
      cancelPause = clock.after(PAUSE, () => receiver.idle());
    },
    close() {
      closed = true;
      cancelPause();
      current.abort();
    },
  };
}
