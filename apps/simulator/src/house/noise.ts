/**
 * Randomness that can be asked for at any instant: every "random" number is a hash of (seed, place, index), so the value
 * of a second in March is known without having lived through February, and the same seed is the same street for ever.
 *
 * `zeroSum` is what lets detail be added below a known mean: its values over a group of n add up to exactly nothing.
 */

/** MurmurHash3's finaliser: every bit of the input moves half of the output's. */
function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** 32 random bits (signed) of a place. */
export const hash = (seed: number, a: number, b = 0): number =>
  mix((Math.imul(mix((Math.imul(a, 0x9e3779b1) + seed) | 0), 0x7feb352d) + Math.imul(b, 0x846ca68b)) | 0);

/** In [0, 1). */
export const unit = (seed: number, a: number, b = 0): number => (hash(seed, a, b) >>> 0) / 0x1_0000_0000;

/** In [-1, 1). */
export const swing = (seed: number, a: number, b = 0): number => hash(seed, a, b) / 0x8000_0000;

/** Whole number in [low, high]. */
export const between = (seed: number, a: number, b: number, low: number, high: number): number =>
  low + Math.floor(unit(seed, a, b) * (high - low + 1));

/** A new seed for a part of something, told apart by a small number. */
export const part = (seed: number, n: number): number => hash(seed, n, 0x5eed);

/** Smooth value noise in [-1, 1): cosine between hashes that stand at whole numbers. */
export function smooth(seed: number, x: number): number {
  const i = Math.floor(x);
  const f = x - i;
  const w = f * f * (3 - 2 * f);
  return swing(seed, i) * (1 - w) + swing(seed, i + 1) * w;
}

/**
 * Detail number i of group `group`, which has n members: whole, within ±2·amplitude, and the n of a group add up to 0
 * exactly (each is a step between neighbours on a ring).
 */
export function zeroSum(seed: number, group: number, i: number, n: number, amplitude: number): number {
  if (amplitude < 1) return 0;
  const next = i + 1 === n ? 0 : i + 1;
  const span = 2 * amplitude + 1;
  const here = Math.floor(unit(seed, group, i) * span);
  return here - Math.floor(unit(seed, group, next) * span);
}
