/**
 * A meter's clock compared with ours, and set by rule (IEC 62056-6-2 clause 4.5.1; AMI system description §7.5.3, §7.6.3).
 *
 * Decides: the deviation is that against the middle of the round trip, right to within half of it and the clock's resolution; what
 * lies within that is no deviation. A mend stays within the running interval of the meter or waits for the next time; only
 * a deviation beyond `adjust`, where the rule says `set`, crosses a boundary, and the result says so.
 */
import type { ClockMeasure, ClockRule } from './types.ts';

/** @param resolution ms within which the meter tells its time */
export function measureClock(
  meter: { readonly utc: number; readonly resolution: number; readonly invalid: boolean },
  sent: number,
  received: number,
): ClockMeasure {
  const half = meter.resolution > 10 ? meter.resolution / 2 : 0;
  const at = (sent + received) / 2;
  return {
    deviation: Math.round(meter.utc + half - at),
    uncertainty: Math.ceil((received - sent) / 2 + half),
    at: Math.round(at),
    invalid: meter.invalid,
  };
}

export type ClockDecision =
  | { readonly do: 'none' | 'postponed' | 'reported' }
  /** `crosses`: the boundary of an interval lies between the meter's time and ours. */
  | { readonly do: 'adjust' | 'set'; readonly crosses: boolean };

/** Room before a boundary: a mend takes a round trip. */
const MARGIN = 2000;

export function decideClock(measure: ClockMeasure, rule: ClockRule | undefined): ClockDecision {
  if (!rule) return { do: 'none' };
  const { deviation, uncertainty, at, invalid } = measure;
  const size = Math.abs(deviation);
  // An invalid clock is set whatever it shows, within what the rule sets at all.
  if (!invalid && (size <= rule.ignore * 1000 || size <= uncertainty)) return { do: 'none' };
  const interval = Math.max(1, rule.interval ?? 3600) * 1000;
  const meter = at + deviation;
  const low = Math.min(meter, at);
  const high = Math.max(meter, at) + MARGIN;
  const crosses = Math.floor(low / interval) !== Math.floor(high / interval);
  if (size > rule.adjust * 1000) return rule.above === 'set' ? { do: 'set', crosses } : { do: 'reported' };
  return crosses ? { do: 'postponed' } : { do: 'adjust', crosses };
}
