/**
 * Qualities as runs: varints of (length × 8 + quality), empty when everything is measured. The codes stand in the
 * database, so their order is fixed.
 */
import { QUALITIES, type Quality } from '@amiable/model';
import { type Bytes, Varints } from './bytes.ts';

export const MEASURED = 0;
export const CALCULATED = 1;
export const EDITED = 2;
export const ESTIMATED = 3;
export const MISSING = 4;

export const qualityName = (code: number): Quality => QUALITIES[code] ?? 'missing';
export const qualityCode = (name: Quality | undefined): number => (name === undefined ? 0 : QUALITIES.indexOf(name));

/** Writes the runs of `codes[from, to)`; nothing when all are measured. */
export function packQuality(out: Bytes, codes: ArrayLike<number>, from: number, to: number): void {
  let i = from;
  while (i < to && codes[i] === 0) i++;
  if (i === to) return;
  i = from;
  while (i < to) {
    const code = codes[i] as number;
    let end = i + 1;
    while (end < to && codes[end] === code) end++;
    out.unsigned((end - i) * 8 + code);
    i = end;
  }
}

/** @returns n codes, or undefined when all are measured */
export function unpackQuality(packed: Uint8Array, n: number): Uint8Array | undefined {
  if (packed.length === 0) return undefined;
  const out = new Uint8Array(n);
  const runs = new Varints(packed);
  let at = 0;
  while (at < n && runs.at < packed.length) {
    const run = runs.unsigned();
    const end = Math.min(n, at + Math.floor(run / 8));
    out.fill(run % 8, at, end);
    at = end;
  }
  return out;
}
