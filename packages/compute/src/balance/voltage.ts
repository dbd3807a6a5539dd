/**
 * Supply voltage by EN 50160: in every week 95 % of the 10-minute means within the nominal voltage ± 10 %, all of them within
 * +10 / −15 %.
 *
 * Decides: what is not there speaks for nobody. A week passes when 95 % of all its intervals are seen within, fails when that can no
 * longer be (or one mean is outside of the wide band), and is undecided between. Leaves out: dips, flicker, harmonics.
 */

export interface VoltageLimits {
  readonly nominal: number;
  /** 0.1: ± 10 %. */
  readonly band: number;
  readonly share: number;
  readonly above: number;
  readonly below: number;
}
export const EN50160: VoltageLimits = { nominal: 230, band: 0.1, share: 0.95, above: 0.1, below: 0.15 };

export interface VoltageWeek {
  readonly state: 'passed' | 'failed' | 'undecided';
  readonly intervals: number;
  /** Those that have a mean. */
  readonly present: number;
  readonly within: number;
  readonly above: number;
  readonly below: number;
  /** Means outside of the wide band. */
  readonly outside: number;
  readonly lowest: number;
  readonly highest: number;
  readonly sentence: string;
}

const TEN = 600_000;

/** Means of ten minutes out of samples: `values[i]` is the mean of the interval of `step` ms from `start + i × step`; NaN in one, NaN in all. */
export function tenMinuteMeans(samples: {
  readonly start: number;
  readonly step: number;
  readonly values: Float64Array;
}): {
  readonly start: number;
  readonly values: Float64Array;
} {
  const { start, step, values } = samples;
  const parts = TEN / step;
  if (step === TEN) return { start, values };
  const first = Math.ceil(start / TEN) * TEN;
  const shift = (first - start) / step;
  const n =
    Number.isInteger(parts) && Number.isInteger(shift) ? Math.max(0, Math.floor((values.length - shift) / parts)) : 0;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let p = 0; p < parts; p++) sum += values[shift + i * parts + p] as number;
    out[i] = sum / parts;
  }
  return { start: first, values: out };
}

/** One phase, one week: all its 10-minute means in volts (1,008; 1,002 or 1,014 where summer time begins or ends), NaN where none is. */
export function voltageWeek(means: Float64Array, limits: VoltageLimits = EN50160): VoltageWeek {
  const { nominal, band } = limits;
  const [low, high] = [nominal * (1 - band), nominal * (1 + band)];
  const [lowest, highest] = [nominal * (1 - limits.below), nominal * (1 + limits.above)];
  let [present, within, above, below, outside] = [0, 0, 0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < means.length; i++) {
    const v = means[i] as number;
    if (Number.isNaN(v)) continue;
    present++;
    if (v < min) min = v;
    if (v > max) max = v;
    // Bounds are products of decimals: a mean that stands on one is within.
    if (v < low - 1e-9) below++;
    else if (v > high + 1e-9) above++;
    else within++;
    if (v < lowest - 1e-9 || v > highest + 1e-9) outside++;
  }
  const n = means.length;
  const needed = Math.ceil(limits.share * n - 1e-9);
  const failed = outside > 0 || within + (n - present) < needed;
  const state = n === 0 ? 'undecided' : failed ? 'failed' : within >= needed ? 'passed' : 'undecided';
  const share = present === 0 ? 0 : (100 * within) / present;
  const words = [
    `${(Math.floor(share * 100) / 100).toFixed(2)} % of ${present} means within ${nominal} V ± ${band * 100} %`,
    `${below} below, ${above} above`,
    ...(outside > 0 ? [`${outside} outside of −${limits.below * 100} / +${limits.above * 100} %`] : []),
    ...(present < n ? [`${n - present} of ${n} lack`] : []),
  ];
  return {
    state,
    intervals: n,
    present,
    within,
    above,
    below,
    outside,
    lowest: present === 0 ? Number.NaN : min,
    highest: present === 0 ? Number.NaN : max,
    sentence: `${state}: ${words.join('; ')}`,
  };
}
