/**
 * What late values make stale: estimates that they replace, that have them beside them, or that would have been made of other days, had
 * the values been there in time. `vee` over these spans brings all of it up to date; scaling is widened there.
 *
 * Decides: rather an estimate too many than one too few, for making one anew from the same inputs changes nothing.
 */
import { add, startOf } from '@amiable/calendar';
import type { Span } from '../outages.ts';
import type { Estimate } from './types.ts';

const DAY = 86_400_000;

/**
 * Spans to be validated and estimated again, merged, in order of time, whole local days; those of the late values among them.
 * @param estimates as they were made (each names its days)
 * @param late spans in which values have come or have changed
 * @param context how far away from an estimate days were looked for, ms: the context that `vee` is given
 * @param open spans of which something was neither there nor estimated
 */
export function dependents(
  estimates: readonly Estimate[],
  late: readonly Span[],
  zone: string,
  context = Number.POSITIVE_INFINITY,
  open: readonly Span[] = [],
): Span[] {
  const spans: Span[] = late.map((span) => ({ from: span.from, to: span.to }));
  // What found nothing to be made of may find it in what came.
  for (const gap of open)
    if (late.some(({ from, to }) => from <= gap.to + context && to >= gap.from - context)) spans.push(gap);
  for (const estimate of estimates) {
    const reach = Math.min(context, reachOf(estimate));
    if (late.some(({ from, to }) => from <= estimate.to + reach && to >= estimate.from - reach))
      spans.push({ from: estimate.from, to: estimate.to });
  }
  const whole = spans
    .filter(({ from, to }) => to > from)
    .map(({ from, to }) => ({ from: startOf('day', zone, from), to: add('day', zone, to - 1, 1) }))
    .sort((a, b) => a.from - b.from);
  const out: { from: number; to: number }[] = [];
  for (const span of whole) {
    const last = out.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else out.push(span);
  }
  return out;
}

/** How far away a value can lie that would have been taken, had it been there; ms. */
function reachOf({ method, from, inputs }: Estimate): number {
  switch (method) {
    case 'same-weekday': {
      // A day nearer than the farthest that was taken would have been taken in its place.
      let reach = 0;
      if (Array.isArray(inputs.days)) for (const day of inputs.days) reach = Math.max(reach, Math.abs(day - from));
      return reach + 2 * DAY;
    }
    case 'like-day':
    case 'previous-week':
    case 'previous-day':
    case 'reference-profile':
      // Three of the same weekday were not to be had: any day may be the one that was wanting.
      return Number.POSITIVE_INFINITY;
    case 'nearest':
      return 7 * DAY;
    default:
      // Neighbours, or nothing at all; what hangs on a register's window is found by `vee` itself.
      return 0;
  }
}
