/**
 * Reads the records of telegrams, learning their layouts: what a meter has sent once is read along its layout from then on, when
 * every octet that is no value is the same. Anything else goes the way by the standard, and is learnt in turn.
 */
import type { DecodeError } from '@amiable/bytes';
import { type Layout, layOut, layOutPartly } from './layout.ts';
import { type Columns, type Reading, readAlong, readingOf } from './read.ts';

export interface TelegramReader {
  /** The records in bytes[start, end). @throws DecodeError with its offset in `bytes` */
  read(bytes: Uint8Array, start: number, end: number, msbFirst?: boolean): Columns;
  /** The records before the first fault, and the fault. */
  readPartly(
    bytes: Uint8Array,
    start: number,
    end: number,
    msbFirst?: boolean,
  ): { readonly columns: Columns; readonly fault: DecodeError | undefined };
}

interface Learnt {
  readonly reading: Reading;
  /** Where the octets stand that never change, and what they are. */
  readonly pinsAt: Int32Array;
  readonly pins: Uint8Array;
}

/** Layouts of one length, and in all: a bus has at most 250 meters, of few kinds. */
const MAX_SAME_LENGTH = 32;
const MAX_LEARNT = 1024;

export function createTelegramReader(): TelegramReader {
  const byLength = new Map<number, Learnt[]>();
  let count = 0;

  function learn(key: number, layout: Layout, bytes: Uint8Array, start: number): Reading {
    if (count >= MAX_LEARNT) {
      byLength.clear();
      count = 0;
    }
    let same = byLength.get(key);
    if (same === undefined) {
      same = [];
      byLength.set(key, same);
    }
    if (same.length >= MAX_SAME_LENGTH) {
      same.pop();
      count--;
    }
    const reading = readingOf(layout);
    same.unshift({ reading, ...pinsOf(layout, bytes, start) });
    count++;
    return reading;
  }

  return {
    read(bytes, start, end, msbFirst = false) {
      const key = msbFirst ? -1 - (end - start) : end - start;
      const same = byLength.get(key);
      if (same !== undefined)
        for (let i = 0; i < same.length; i++) {
          const learnt = same[i] as Learnt;
          if (!fits(learnt, bytes, start)) continue;
          // What comes again soon stands near the front.
          if (i > 3) {
            same[i] = same[i >> 1] as Learnt;
            same[i >> 1] = learnt;
          }
          return readAlong(learnt.reading, bytes, start);
        }
      const layout = layOut(bytes, start, end, msbFirst);
      return readAlong(learn(key, layout, bytes, start), bytes, start);
    },
    readPartly(bytes, start, end, msbFirst = false) {
      const { layout, fault } = layOutPartly(bytes, start, end, msbFirst);
      return { columns: readAlong(readingOf(layout), bytes, start), fault };
    },
  };
}

function fits({ pinsAt, pins }: Learnt, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < pinsAt.length; i++) if (bytes[start + (pinsAt[i] as number)] !== pins[i]) return false;
  return true;
}

function pinsOf(layout: Layout, bytes: Uint8Array, start: number): Pick<Learnt, 'pinsAt' | 'pins'> {
  const free = new Uint8Array(layout.length);
  for (const slot of layout.slots) free.fill(1, slot.at, slot.at + slot.length);
  const at: number[] = [];
  for (let i = 0; i < layout.length; i++) if (free[i] === 0) at.push(i);
  return { pinsAt: Int32Array.from(at), pins: Uint8Array.from(at, (i) => bytes[start + i] as number) };
}
