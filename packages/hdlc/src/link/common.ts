/** What both ends of a link need beside the transfer: counters, addresses, words for errors, and one thing at a time. */
import { toHex } from '@amiable/bytes';
import { addressLength, readAddress } from '../address.ts';
import { controlText } from '../control.ts';
import type { HdlcAddresses, HdlcLinkCounters } from './types.ts';

export function newCounters(): HdlcLinkCounters {
  return { framesIn: 0, framesOut: 0, repeated: 0, timeouts: 0, outOfSequence: 0, ignored: 0, dropped: 0 };
}

/** The addresses of the frame whose format field is at `start`. */
export function addressesAt(buf: Uint8Array, start: number, infoEnd: number): HdlcAddresses {
  const end = infoEnd + 2;
  const d = addressLength(buf, start + 2, end) || 1;
  const s = addressLength(buf, start + 2 + d, end) || 1;
  return { destination: readAddress(buf, start + 2, d), source: readAddress(buf, start + 2 + d, s) };
}

/** A frame for an error message: what it is, and its octets, the first 64. */
export function frameText(buf: Uint8Array, start: number, end: number): string {
  const source = start + 2 + addressLength(buf, start + 2, end);
  const control = buf[source + addressLength(buf, source, end)] as number;
  const cut = end - start > 64 ? '…' : '';
  return `${controlText(control)}: ${toHex(buf.subarray(start, Math.min(end, start + 64))).toUpperCase()}${cut}`;
}

/**
 * Keeps the octets that come while an end is at work, and hands them over when it is done: when both ends of a link stand
 * in one program and one writes straight into the other, an answer comes before the question is wholly sent.
 */
export class Gate {
  #depth = 0;
  readonly #late: Uint8Array[] = [];
  readonly #take: (bytes: Uint8Array) => void;

  constructor(take: (bytes: Uint8Array) => void) {
    this.#take = take;
  }

  enter(): void {
    this.#depth++;
  }

  leave(): void {
    if (--this.#depth > 0) return;
    for (let bytes = this.#late.shift(); bytes !== undefined; bytes = this.#late.shift()) this.receive(bytes);
  }

  receive(bytes: Uint8Array): void {
    if (this.#depth > 0) {
      this.#late.push(bytes);
      return;
    }
    this.#depth++;
    try {
      this.#take(bytes);
    } finally {
      this.leave();
    }
  }
}
