/** Numbers that look random and are a function of a seed and a place: the same street for ever, whatever is asked first. */

function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}

/** In [0, 1). */
export const chance = (seed: number, a: number, b = 0): number =>
  (mix(Math.imul(mix(seed + Math.imul(a, 0x9e3779b1)), 0x85ebca6b) + Math.imul(b, 0xc2b2ae35)) >>> 0) / 0x1_0000_0000;

/** Whole, in [low, high]. */
export const roll = (seed: number, a: number, low: number, high: number, b = 0): number =>
  low + Math.floor(chance(seed, a, b) * (high - low + 1));

/** About normal: mean 0, deviation 1. */
export const normal = (seed: number, a: number, b = 0): number =>
  (chance(seed, a, b * 4 + 1) + chance(seed, a, b * 4 + 2) + chance(seed, a, b * 4 + 3) + chance(seed, a, b * 4) - 2) *
  1.732;
