/**
 * Invocation counters and how they outlive a crash (IEC 62056-5-3 clause 5.3.4.3.7: a number is never used twice with a
 * key, or AES-GCM is broken).
 *
 * Decides: numbers are given out up to 4294967295, then the key is used up. Reserving ahead: a bound is written durably
 * before any number under it is used, so that after a crash counting goes on at the bound; some numbers are lost, none
 * is used again. Leaves out: where the bound is kept.
 */
import { MisuseError } from '@amiable/bytes';
import type { InvocationCounter, PeerCounter } from './types.ts';

const END = 0x1_0000_0000;

function checkNumber(value: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > END)
    throw new MisuseError(`${what} is a whole number from 0 to ${END - 1}, not ${value}`);
}

function usedUp(): never {
  throw new MisuseError('all invocation counters of this key are used; a new key is needed');
}

/** For keys that live as long as the process: dedicated keys, tests. */
export function memoryCounter(first = 0): InvocationCounter {
  checkNumber(first, 'the first invocation counter');
  let following = first;
  return {
    next() {
      if (following >= END) usedUp();
      return following++;
    },
  };
}

export interface ReservedCounterOptions {
  /** What `persist` was last given; 0 for a new key. */
  readonly start: number;
  /** How many numbers each write reserves; 1000 unless said. A crash loses at most so many. */
  readonly batch?: number;
  /** Writes the bound durably before it returns: no number from it on has been used. When it throws, none is given out. */
  persist(bound: number): void;
}

/** Our numbers, with one durable write for many of them. */
export function reservedCounter(options: ReservedCounterOptions): InvocationCounter {
  const batch = options.batch ?? 1000;
  checkNumber(options.start, 'start');
  if (!Number.isInteger(batch) || batch < 1) throw new MisuseError(`a batch is 1 or more, not ${batch}`);
  let following = options.start;
  let bound = options.start;
  return {
    next() {
      if (following >= END) usedUp();
      if (following >= bound) {
        const wanted = Math.min(following + batch, END);
        options.persist(wanted);
        bound = wanted;
      }
      return following++;
    },
  };
}

/** Our numbers where the store is asynchronous: the holder persists a bound, then grants it. */
export interface GrantedCounter extends InvocationCounter {
  /** Numbers that `next` can still give out without a further grant. */
  remaining(): number;
  /** To be called once `bound` is durable. */
  grant(bound: number): void;
}

export function grantedCounter(start: number): GrantedCounter {
  checkNumber(start, 'start');
  let following = start;
  let bound = start;
  return {
    next() {
      if (following >= END) usedUp();
      if (following >= bound)
        throw new MisuseError('no invocation counters are reserved; persist a bound and grant it');
      return following++;
    },
    remaining: () => bound - following,
    grant(to) {
      checkNumber(to, 'the bound');
      bound = Math.max(bound, to);
    },
  };
}

/** The peer's numbers, forgotten with the process. */
export function memoryPeerCounter(lowest = 0): PeerCounter {
  checkNumber(lowest, 'the lowest counter');
  let fresh = lowest;
  return {
    lowest: () => fresh,
    accept(counter) {
      if (counter >= fresh) fresh = counter + 1;
    },
  };
}

/**
 * The peer's numbers with few durable writes: the bound written is ahead of what was received. After a crash the numbers
 * below it are refused once, and the refusal names the one to go on from. With `batch` 1 nothing is ever skipped.
 */
export function reservedPeerCounter(options: ReservedCounterOptions): PeerCounter {
  const batch = options.batch ?? 1000;
  checkNumber(options.start, 'start');
  if (!Number.isInteger(batch) || batch < 1) throw new MisuseError(`a batch is 1 or more, not ${batch}`);
  let fresh = options.start;
  let bound = options.start;
  return {
    lowest: () => fresh,
    accept(counter) {
      if (counter < fresh) return;
      if (counter >= bound) {
        const wanted = Math.min(counter + batch, END);
        options.persist(wanted);
        bound = wanted;
      }
      fresh = counter + 1;
    },
  };
}
