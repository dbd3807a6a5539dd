/**
 * A wire with slaves on it, in memory and in virtual time: what the master sends reaches all slaves, what they answer at the same
 * time collides as it does on the wire, where a space (more current) wins over a mark: bit by bit, a 0 wins.
 *
 * Leaves out: voltages and currents (wave), and slaves that listen at another rate hear nothing at all.
 */
import { CHARACTER_BITS } from '../link.ts';
import type { MbusSlave } from './slave.ts';

export interface BusSlave {
  readonly slave: MbusSlave;
  /** Answers that the slave gave since last time, with their silence before in bits. */
  take(): { readonly bytes: Uint8Array; readonly afterBits: number }[];
}

export interface BusAnswer {
  readonly bytes: Uint8Array;
  /** Bits from the end of the question to the end of the answer. */
  readonly bits: number;
  /** How many slaves spoke. */
  readonly speakers: number;
}

/** What the master hears after it sent `bytes` at `baud`; undefined: nothing. */
export function askBus(slaves: Iterable<BusSlave>, bytes: Uint8Array, baud: number): BusAnswer | undefined {
  const answers: { bytes: Uint8Array; afterBits: number }[] = [];
  for (const { slave, take } of slaves) {
    if (slave.baud !== baud) continue;
    slave.idle();
    slave.push(bytes);
    slave.idle();
    answers.push(...take());
  }
  if (answers.length === 0) return undefined;
  const heard = collide(answers);
  const first = Math.min(...answers.map((a) => a.afterBits));
  return { bytes: heard, bits: first + heard.length * CHARACTER_BITS, speakers: answers.length };
}

/** Characters on top of each other: a space (0) wins. Slaves that begin later shift theirs by whole characters. */
function collide(answers: readonly { bytes: Uint8Array; afterBits: number }[]): Uint8Array {
  const first = Math.min(...answers.map((a) => a.afterBits));
  const shifts = answers.map((a) => Math.round((a.afterBits - first) / CHARACTER_BITS));
  const out = new Uint8Array(Math.max(...answers.map((a, i) => (shifts[i] as number) + a.bytes.length))).fill(0xff);
  answers.forEach(({ bytes }, i) => {
    for (let k = 0; k < bytes.length; k++) {
      const at = (shifts[i] as number) + k;
      out[at] = (out[at] as number) & (bytes[k] as number);
    }
  });
  return out;
}
