/** How a house is doing, from when it was last heard and whether its messages could be read. */
import type { Live, Meter } from '@amiable/model';

export type Condition =
  | { readonly kind: 'ok' }
  | { readonly kind: 'silent' | 'lost'; readonly since: number }
  | { readonly kind: 'locked' | 'waiting' };

/** HAN ports speak every 2 to 10 s; a minute without a word is worth telling. */
const SILENT = 60_000;
const LOST = 3_600_000;
/** A fast simulated clock passes a minute between two deliveries; this much of the wall's time is always granted. */
const GRACE = 15_000;

export function conditionOf(meter: Meter, live: Live | null | undefined, now: number, speed: number): Condition {
  if (!live) return { kind: meter.needsKey ? 'locked' : 'waiting' };
  const told = Date.parse(live.time);
  const seen = meter.lastSeen === null ? told : Math.max(told, Date.parse(meter.lastSeen));
  const age = now - seen;
  if (age < Math.max(SILENT, GRACE * speed)) return { kind: 'ok' };
  return { kind: age < Math.max(LOST, GRACE * speed * 10) ? 'silent' : 'lost', since: seen };
}

export type Direction = 'import' | 'export' | 'none' | 'unknown';

export function directionOf(power: number | null | undefined): Direction {
  if (power === null || power === undefined) return 'unknown';
  return power > 0 ? 'import' : power < 0 ? 'export' : 'none';
}

const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10];

/** The next round number of watts at or above `most`: the end of a scale. */
export function niceScale(most: number): number {
  const size = Math.max(2000, most);
  const decade = 10 ** Math.floor(Math.log10(size));
  for (const step of STEPS) if (step * decade >= size) return step * decade;
  return 10 * decade;
}

/**
 * The scale that all gauges of a street share. It grows at once and shrinks only when far too long, so that a kettle
 * does not make the whole street breathe.
 */
export function nextScale(before: number, powers: Iterable<number>): number {
  let most = 0;
  for (const power of powers) most = Math.max(most, power > 0 ? power : -power * 3);
  const wanted = niceScale(most);
  return wanted > before || wanted < before * 0.45 ? wanted : before;
}
