/**
 * One question of the master and what comes back (EN 13757-2 clause 5.5), without clock and line: time goes in, deadlines come out.
 *
 * Decides: how long is waited for the first octet (330 bits and 50 ms, and what the line itself delays), when an answer is over
 * (a pause of 33 bits), and what it was: E5, a good frame, silence, or octets that are neither (a collision, or damage).
 * Converters that echo what is sent are seen through. Leaves out: repeating (master.ts).
 */
import { ACKNOWLEDGE, type LongFrame, longFrameAt } from '../frame.ts';
import { ANSWER_LATEST_BITS, ANSWER_LATEST_MS, CHARACTER_BITS, PAUSE_BITS } from '../link.ts';
import { createMbusReceiver } from '../receiver.ts';

export type Answer =
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'frame'; readonly frame: LongFrame }
  /** Octets that make no answer: several slaves at once, or damage. */
  | { readonly kind: 'garbage'; readonly octets: Uint8Array }
  | { readonly kind: 'silence' };

export interface ExchangeOptions {
  readonly baud: number;
  /** What adapter and network add, ms. */
  readonly latency: number;
}

export interface Exchange {
  /** When `wake` wants to be called, ms. */
  readonly deadline: number;
  /** Octets that arrived. */
  push(bytes: Uint8Array, now: number): void;
  /** The deadline has come. */
  wake(now: number): void;
  /** Set once the answer is known. */
  readonly answer: Answer | undefined;
}

/** More than any answer with noise around it. */
const MOST = 1024;
const SILENCE: Answer = { kind: 'silence' };

/** Begins when the last octet of `question` is handed to the line, at `now`. */
export function createExchange(
  question: Uint8Array,
  now: number,
  { baud, latency }: ExchangeOptions,
  answered = true,
): Exchange {
  const bit = 1000 / baud;
  const sent = now + question.length * CHARACTER_BITS * bit;
  const pause = PAUSE_BITS * bit;
  let deadline = answered ? sent + ANSWER_LATEST_BITS * bit + ANSWER_LATEST_MS + latency : sent + pause;
  let answer: Answer | undefined;
  let frame: LongFrame | undefined;
  const octets: number[] = [];
  let heard = 0;
  let echoed = 0;
  let echoing = true;

  const receiver = createMbusReceiver({
    frame(f) {
      frame ??= longFrameAt(f.raw.slice(), 0);
    },
    drop() {},
  });

  function take(octet: number): void {
    if (octets.length < MOST) octets.push(octet);
    receiver.push(Uint8Array.of(octet));
  }

  function outcome(): Answer {
    if (frame !== undefined) return { kind: 'frame', frame };
    if (octets.length === 1 && octets[0] === ACKNOWLEDGE) return { kind: 'acknowledge' };
    return octets.length === 0 ? SILENCE : { kind: 'garbage', octets: Uint8Array.from(octets) };
  }

  return {
    get deadline() {
      return answer === undefined ? deadline : Number.POSITIVE_INFINITY;
    },
    get answer() {
      return answer;
    },
    push(bytes, at) {
      if (heard > MOST) return;
      heard += bytes.length;
      for (const octet of bytes) {
        if (echoing && octet === question[echoed]) {
          echoed++;
          if (echoed === question.length) {
            echoing = false;
            deadline = Math.max(deadline, at + ANSWER_LATEST_BITS * bit + ANSWER_LATEST_MS + latency);
          }
          continue;
        }
        if (echoing) {
          // It was the beginning of an answer after all.
          echoing = false;
          for (let i = 0; i < echoed; i++) take(question[i] as number);
        }
        take(octet);
      }
      // A good frame is over; what else comes shows within the pause that the line needs anyway.
      const missing = frame !== undefined || (octets.length === 1 && octets[0] === ACKNOWLEDGE);
      if (octets.length > 0) deadline = at + pause + (missing ? 0 : latency);
      // Who never falls silent is not waited for.
      if (heard > MOST) deadline = at;
    },
    wake(at) {
      if (answer !== undefined || at < deadline) return;
      if (echoing && echoed > 0) for (let i = 0; i < echoed; i++) take(question[i] as number);
      receiver.end();
      answer = outcome();
    },
  };
}
