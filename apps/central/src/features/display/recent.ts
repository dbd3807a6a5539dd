/** Power of the last day, week, month or year in 288 steps, newest first: what a display that draws by itself asks for. */
import type { Series } from '@amiable/model';

const MINUTE = 60_000;
const STEPS = 288;
/** Steps of 5, 35, 155 and 1825 minutes: 288 of them are a day, a week, a month of 31 days, a year. */
export const SELECTORS = [5, 35, 155, 1825].map((minutes) => minutes * MINUTE);

export interface SeriesSource {
  series(id: string, obis: readonly string[], from: number, to: number, points: number): Promise<Series>;
}

/** W, import above zero; null where nothing is known. */
export async function recentPowers(
  store: SeriesSource,
  meter: string,
  now: number,
  step: number,
): Promise<(number | null)[]> {
  const to = (Math.floor(now / step) + 1) * step;
  const from = to - STEPS * step;
  const series = await store.series(meter, ['1.7.0', '2.7.0'], from, to, STEPS * 6);
  const sums = new Float64Array(STEPS);
  const counts = new Uint32Array(STEPS);
  const taken = series.curves[0]?.values ?? [];
  const given = series.curves[1]?.values ?? [];
  series.time.forEach((time, i) => {
    const into = taken[i] ?? null;
    const out = given[i] ?? null;
    const at = Math.floor((time - from) / step);
    if ((into === null && out === null) || at < 0 || at >= STEPS) return;
    sums[at] = (sums[at] as number) + (into ?? 0) - (out ?? 0);
    counts[at] = (counts[at] as number) + 1;
  });
  return Array.from(sums, (sum, i) => (counts[i] ? Math.round(sum / (counts[i] as number)) : null)).reverse();
}
