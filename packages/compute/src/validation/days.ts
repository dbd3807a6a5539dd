/**
 * Local days as indices of a series. The same grid comes again for thousands of meters, so the last grids are remembered.
 */
import { startsIn } from '@amiable/calendar';

const REMEMBERED = 8;
const memory = new Map<string, Int32Array>();

/**
 * Bounds of the parts of [0, n): every local midnight, and `cuts` beside them; part d is [bounds[d], bounds[d + 1]).
 * A midnight within an interval counts for the interval that begins at it or after it.
 *
 * @param start epoch ms of interval 0
 * @param step ms
 */
export function dayBounds(
  zone: string,
  start: number,
  step: number,
  n: number,
  cuts: readonly number[] = [],
): Int32Array {
  const key = `${zone} ${start} ${step} ${n} ${cuts.join(' ')}`;
  const known = memory.get(key);
  if (known) return known;
  const at = new Set<number>([0, n, ...cuts.filter((cut) => cut > 0 && cut < n)]);
  for (const midnight of startsIn('day', zone, start, start + n * step)) {
    const i = Math.ceil((midnight - start) / step);
    if (i > 0 && i < n) at.add(i);
  }
  const bounds = Int32Array.from(at).sort();
  if (memory.size >= REMEMBERED) memory.delete(memory.keys().next().value as string);
  memory.set(key, bounds);
  return bounds;
}
