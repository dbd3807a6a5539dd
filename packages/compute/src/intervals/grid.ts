/**
 * The grid that intervals of a metering stand on: boundaries in local time.
 *
 * Decides: parts of an hour and whole hours begin with the local hour (zones of half and quarter hours too); days begin at
 * local midnight or at a later local time (the gas day at 06:00), so that they have 23, 24 or 25 hours. Leaves out: months.
 */
import { MisuseError } from '@amiable/bytes';
import { localToUtc, toLocal, zoneOffset } from '@amiable/calendar';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Forty years of quarters. */
const MOST = 1_500_000;

export type GridStep = number | 'day';

/** Whether intervals of this length (ms) fill an hour. */
export const isGridStep = (step: number): boolean => Number.isInteger(step) && step >= 1000 && HOUR % step === 0;

/**
 * Boundaries of all intervals that begin in [from, to): one more than there are intervals; the first is the start of the first
 * interval that begins at `from` or later.
 * @param dayStart local time at which a day begins, ms after midnight
 * @throws MisuseError for a step that does not fill an hour, or more intervals than forty years of quarters have
 */
export function gridOf(zone: string, step: GridStep, from: number, to: number, dayStart = 0): Float64Array {
  if (!(to > from)) return new Float64Array(0);
  if (step === 'day') return daysOf(zone, from, to, dayStart);
  if (!isGridStep(step))
    throw new MisuseError(`intervals of ${step} ms fill no hour; give 5, 10, 15, 30 or 60 minutes`);
  // Clocks change by whole grid steps wherever they still change, so the offset at the start holds for the whole grid.
  const offset = zoneOffset(zone, from);
  const first = Math.ceil((from + offset) / step) * step - offset;
  const n = Math.max(0, Math.ceil((to - first) / step));
  if (n > MOST) throw new MisuseError(`${n} intervals are too many at once; ${MOST} are the limit`);
  if (n === 0) return new Float64Array(0);
  const bounds = new Float64Array(n + 1);
  for (let i = 0; i <= n; i++) bounds[i] = first + i * step;
  return bounds;
}

function daysOf(zone: string, from: number, to: number, dayStart: number): Float64Array {
  if ((to - from) / DAY > MOST) throw new MisuseError('more days than can be told apart');
  const bounds: number[] = [];
  let wall = Math.floor((toLocal(zone, from) - dayStart) / DAY) * DAY + dayStart;
  for (;;) {
    const at = localToUtc(zone, wall);
    wall += DAY;
    if (at < from) continue;
    // A zone that skipped a whole day has two names for one instant.
    if (bounds.length === 0 || at > (bounds[bounds.length - 1] as number)) bounds.push(at);
    if (at >= to) break;
  }
  return bounds.length > 1 ? Float64Array.from(bounds) : new Float64Array(0);
}
