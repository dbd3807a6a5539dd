/**
 * What a reading of the wall clock means where summer time begins or ends: it may stand once, never, or twice.
 *
 * Decides: the instants of a wall time, and the first instant at or after it. Leaves out: which of two is meant (recurrence.ts).
 */
import { zoneOffset } from './zone.ts';

const REACH = 14 * 3_600_000;

export interface WallInstants {
  readonly kind: 'once' | 'skipped' | 'twice';
  /** Epoch ms. Of a skipped wall time: the first instant after the gap. Of a repeated one: the first time it stands. */
  readonly first: number;
  /** The second time; the same as `first` unless it is repeated. */
  readonly second: number;
}

/** The instants at which clocks in `zone` show `wall` (wall ms). @throws RangeError for an unknown zone */
export function wallInstants(zone: string, wall: number): WallInstants {
  const early = zoneOffset(zone, wall - REACH);
  const late = zoneOffset(zone, wall + REACH);
  const a = wall - Math.max(early, late);
  const b = wall - Math.min(early, late);
  const aFits = a + zoneOffset(zone, a) === wall;
  const bFits = b + zoneOffset(zone, b) === wall;
  if (aFits && bFits) return { kind: a === b ? 'once' : 'twice', first: a, second: b };
  if (aFits || bFits) return { kind: 'once', first: aFits ? a : b, second: aFits ? a : b };
  // The gap's end lies between: before it clocks show less than `wall`, after it more.
  let low = a;
  let high = b;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle + zoneOffset(zone, middle) < wall) low = middle;
    else high = middle;
  }
  return { kind: 'skipped', first: high, second: high };
}
