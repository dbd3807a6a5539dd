/**
 * Whether a loss is one that stays: a candidate for theft, a leak or wrong measurement is a share that persists over days, not one
 * interval (mdm.md §5).
 *
 * Decides, over days that are complete enough: the median of the daily shares (half of the days may be anything), its scatter as
 * 1.4826 × the median absolute deviation, and on how many days the limit was passed. A candidate needs both: a median above the limit
 * and most of the days above it. Whether the loss is constant or grows with the load is told by the line through the medians of all slopes
 * (Theil and Sen): a theft or a leak is mostly constant, conductors and wrong ratios grow. Leaves out: who did it.
 */

export interface LossDay {
  /** Local day, `2026-11-20`. */
  readonly day: string;
  /** Wh, whole. */
  readonly supplied: number;
  readonly produced: number;
  readonly loss: number;
  readonly intervals: number;
  readonly complete: number;
}

export interface LossLimits {
  /** Share of a technical loss, above which a day counts. */
  readonly share: number;
  /** Wh a day below which nobody looks. */
  readonly least: number;
  /** Share below zero (more consumed than supplied) that points to wrong measurement. */
  readonly negative: number;
  /** Days that are looked at, and how many of them must be complete enough. */
  readonly days: number;
  readonly leastDays: number;
  /** Share of those days that must be above the limit. */
  readonly persistent: number;
  /** Intervals of a day that must be complete for it to count, as a share. */
  readonly completeness: number;
  /** A jump of the share against the days before that is told. */
  readonly step: number;
}
export const LOSS_LIMITS: LossLimits = {
  share: 0.06,
  least: 1000,
  negative: 0.01,
  days: 14,
  leastDays: 7,
  persistent: 0.8,
  completeness: 0.8,
  step: 0.02,
};

export type LossKind = 'persistent-loss' | 'negative-loss' | 'step' | 'incomplete';
export interface LossFinding {
  readonly kind: LossKind;
  readonly severity: 'info' | 'warning' | 'error';
  readonly firstDay: string;
  readonly lastDay: string;
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number>>;
}

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
};
/** 1.4826 × median absolute deviation: as wide as a standard deviation where errors are normal. */
export const scatterOf = (values: readonly number[], median = medianOf(values)): number =>
  1.4826 * medianOf(values.map((v) => Math.abs(v - median)));

/** The median of all slopes between two points, and the median of what it leaves. */
export function lineThrough(points: readonly { readonly x: number; readonly y: number }[]): {
  readonly slope: number;
  readonly intercept: number;
} {
  const slopes: number[] = [];
  for (let i = 0; i < points.length; i++)
    for (let k = i + 1; k < points.length; k++) {
      const [a, b] = [points[i], points[k]] as [(typeof points)[0], (typeof points)[0]];
      if (a.x !== b.x) slopes.push((b.y - a.y) / (b.x - a.x));
    }
  const slope = slopes.length === 0 ? 0 : medianOf(slopes);
  return { slope, intercept: medianOf(points.map((p) => p.y - slope * p.x)) };
}

export const shareOf = ({ supplied, produced, loss }: LossDay): number => {
  const inflow = Math.max(supplied, 0) + produced;
  return inflow > 0 ? loss / inflow : Number.NaN;
};

export interface LossTrend {
  readonly days: number;
  readonly median: number;
  readonly scatter: number;
  /** Change of the share over thirty days. */
  readonly perMonth: number;
  /** Part of the daily loss that does not grow with the load, Wh, and what is lost of each further Wh. */
  readonly constant: number;
  readonly proportional: number;
}

const percent = (share: number): string => `${(Math.round(share * 1000) / 10).toFixed(1)} %`;
const kWh = (wh: number): string => `${(Math.round(wh / 100) / 10).toFixed(1)} kWh`;
const dayNumber = (day: string): number => Date.parse(day) / 86_400_000;

/** Over the days that count; undefined for fewer than three. */
export function trendOf(days: readonly LossDay[], completeness = LOSS_LIMITS.completeness): LossTrend | undefined {
  const good = days.filter((d) => counts(d, completeness));
  if (good.length < 3) return undefined;
  const shares = good.map(shareOf);
  const median = medianOf(shares);
  const first = dayNumber((good[0] as LossDay).day);
  // A day of which a part lacks has a part of its loss.
  const whole = (d: LossDay, x: number): number => (x * d.intervals) / d.complete;
  const { slope, intercept } = lineThrough(
    good.map((d) => ({ x: whole(d, Math.max(d.supplied, 0) + d.produced), y: whole(d, d.loss) })),
  );
  return {
    days: good.length,
    median,
    scatter: scatterOf(shares, median),
    perMonth: 30 * lineThrough(good.map((d) => ({ x: dayNumber(d.day) - first, y: shareOf(d) }))).slope,
    constant: intercept,
    proportional: slope,
  };
}

const counts = (d: LossDay, completeness: number): boolean =>
  d.complete > 0 && d.complete >= completeness * d.intervals && Number.isFinite(shareOf(d));

/** What the last days say. Days in order of time; those before the last `limits.days` are what a step is seen against. */
export function lossFindings(days: readonly LossDay[], limits: LossLimits = LOSS_LIMITS): LossFinding[] {
  const recent = days.slice(-limits.days);
  const [first, last] = [recent[0], recent.at(-1)];
  if (!first || !last) return [];
  const span = { firstDay: first.day, lastDay: last.day };
  const good = recent.filter((d) => counts(d, limits.completeness));
  if (good.length < limits.leastDays) {
    if (recent.length < limits.leastDays) return [];
    const numbers = { days: recent.length, complete: good.length, needed: limits.leastDays };
    return [
      {
        kind: 'incomplete',
        severity: 'info',
        ...span,
        sentence: `too little to say: ${good.length} of ${recent.length} days are complete enough (${percent(limits.completeness)} of their intervals), ${limits.leastDays} are needed`,
        numbers,
      },
    ];
  }
  const shares = good.map(shareOf);
  const losses = good.map((d) => (d.loss * d.intervals) / d.complete);
  const median = medianOf(shares);
  const scatter = scatterOf(shares, median);
  const daily = medianOf(losses);
  const out: LossFinding[] = [];
  const above = good.filter(
    (_, i) => (shares[i] as number) > limits.share && (losses[i] as number) > limits.least,
  ).length;
  const common = { days: good.length, median, scatter, dailyWh: Math.round(daily), limit: limits.share };
  if (median > limits.share && daily > limits.least && above >= limits.persistent * good.length) {
    const loads = good.map((d) => ((Math.max(d.supplied, 0) + d.produced) * d.intervals) / d.complete);
    const { slope, intercept } = lineThrough(good.map((_, i) => ({ x: loads[i] as number, y: losses[i] as number })));
    // A line through days of one load says nothing.
    const varied = scatterOf(loads) > 0.05 * medianOf(loads) && slope > -0.05;
    const shape = !varied
      ? 'The load hardly changes from day to day, so it cannot be told whether the loss grows with it'
      : Math.abs(intercept) > 0.5 * Math.abs(daily)
        ? `Most of it, ${kWh(intercept)} a day, does not grow with the load: a leak, a theft or a meter that is not known`
        : `It grows with the load (${percent(slope)} of each further kWh): conductors, a wrong ratio or a meter that counts too little`;
    out.push({
      kind: 'persistent-loss',
      severity: median > 2 * limits.share ? 'error' : 'warning',
      ...span,
      sentence: `${percent(median)} of what comes in is lost, ${kWh(daily)} a day (median of ${good.length} days, scatter ${percent(scatter)}); above ${percent(limits.share)} on ${above} of them. ${shape}`,
      numbers: { ...common, above, ...(varied ? { constantWh: Math.round(intercept), proportional: slope } : {}) },
    });
  }
  const below = shares.filter((s) => s < -limits.negative).length;
  if (median < -limits.negative && below >= limits.persistent * good.length)
    out.push({
      kind: 'negative-loss',
      severity: 'error',
      ...span,
      sentence: `more is consumed than supplied: ${percent(-median)} of what comes in, ${kWh(-daily)} a day (median of ${good.length} days, scatter ${percent(scatter)}), on ${below} of them; a ratio is wrong, a meter belongs to another area, or production is not counted`,
      numbers: { ...common, below, limit: -limits.negative },
    });
  const before = days
    .slice(0, -limits.days)
    .filter((d) => counts(d, limits.completeness))
    .slice(-4 * limits.days);
  if (before.length >= limits.leastDays) {
    const old = before.map(shareOf);
    const was = medianOf(old);
    const wide = Math.max(limits.step, 3 * scatterOf(old, was));
    const jumped = shares.filter(
      (s) => Math.abs(s - was) > wide && Math.sign(s - was) === Math.sign(median - was),
    ).length;
    if (Math.abs(median - was) > wide && jumped >= limits.persistent * good.length)
      out.push({
        kind: 'step',
        severity: 'warning',
        ...span,
        sentence: `the share of the loss went from ${percent(was)} (${before.length} days before) to ${percent(median)} and stays there: ${jumped} of ${good.length} days differ by more than ${percent(wide)}`,
        numbers: { ...common, before: was, beforeDays: before.length, jumped, limit: wide },
      });
  }
  return out;
}
