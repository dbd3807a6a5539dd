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

/** Slaves at the same time: their characters bit by bit on one wire, where a space (0) wins; then what a UART makes of it. */
function collide(answers: readonly { bytes: Uint8Array; afterBits: number }[]): Uint8Array {
  const [only] = answers;
  if (answers.length === 1 && only !== undefined) return only.bytes;
  const first = Math.min(...answers.map((a) => a.afterBits));
  const length = Math.max(...answers.map((a) => a.afterBits - first + a.bytes.length * CHARACTER_BITS));
  const line = new Uint8Array(length + CHARACTER_BITS).fill(1);
  for (const { bytes, afterBits } of answers)
    bytes.forEach((octet, i) => {
      const at = afterBits - first + i * CHARACTER_BITS;
      const character = characterOf(octet);
      for (let k = 0; k < CHARACTER_BITS; k++) line[at + k] = (line[at + k] as number) & ((character >> k) & 1);
    });
  const out: number[] = [];
  for (let at = 0; at < length; ) {
    if (line[at] === 1) {
      at++;
      continue;
    }
    let octet = 0;
    for (let k = 0; k < 8; k++) octet |= (line[at + 1 + k] as number) << k;
    out.push(octet);
    at += CHARACTER_BITS;
  }
  return Uint8Array.from(out);
}

/** Start bit, 8 data bits from the least significant on, even parity, stop bit. */
function characterOf(octet: number): number {
  let parity = 0;
  for (let k = 0; k < 8; k++) parity ^= (octet >> k) & 1;
  return (octet << 1) | (parity << 9) | (1 << 10);
}
