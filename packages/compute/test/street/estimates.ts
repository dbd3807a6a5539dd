/**
 * How near estimates come to the truth where no register helps: gaps at known places in clean houses, filled by what Amiable does and by
 * the usual simple ways. The error of a way is Σ|estimate − truth| over Σ truth, of intervals and of the gap's energy.
 */
import { type EstimationMethod, type EstimationSettings, type Intervals, QUALITY, vee } from '../../src/index.ts';
import { cumulative, DAY, HOLIDAYS, HOUR, type House, Q, ZONE } from './houses.ts';
import { chance, roll } from './random.ts';

export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** One gap in about nine days, from two and a half hours to three days; indices. */
export function gapsOf(house: House): Gap[] {
  const gaps: Gap[] = [];
  const n = house.energyImport.length;
  for (let k = 0, at = 96 * 8; at < n - 96 * 8; k++) {
    const long = [10, 16, 24, 40, 96, 200, 288][roll(house.seed, k, 0, 6, 50)] as number;
    const from = at + Math.floor(chance(house.seed, k, 51) * 96 * 3);
    gaps.push({ from, to: from + long });
    at = from + long + 96 * 6;
  }
  return gaps;
}

export function withGaps(house: House, gaps: readonly Gap[]): Intervals {
  const values = house.energyImport.slice();
  const quality = new Uint8Array(values.length);
  for (const { from, to } of gaps) {
    values.fill(Number.NaN, from, to);
    quality.fill(QUALITY.missing, from, to);
  }
  return { start: house.start, step: Q, scaler: 0, values, quality };
}

export const WAYS: Readonly<Record<string, EstimationSettings>> = {
  amiable: {},
  'previous day': only('previous-day'),
  'previous week': only('previous-week'),
  'like day': only('like-day'),
};

function only(method: EstimationMethod): EstimationSettings {
  return { short: [method], long: [method] };
}

export interface Errors {
  /** Σ|estimate − truth| of intervals. */
  intervals: number;
  /** Σ|Σ estimate − Σ truth| of gaps. */
  gaps: number;
  truth: number;
  missing: number;
}

/** Adds one house; by way. */
export function addErrors(house: House, into: Record<string, Errors>): void {
  const gaps = gapsOf(house);
  const intervals = withGaps(house, gaps);
  const to = house.start + intervals.values.length * Q;
  for (const [way, settings] of Object.entries(WAYS)) {
    const { values } = vee({ intervals, from: house.start, to, zone: ZONE, holidays: HOLIDAYS, settings }).intervals;
    into[way] ??= { intervals: 0, gaps: 0, truth: 0, missing: 0 };
    const errors = into[way];
    for (const gap of gaps) {
      let off = 0;
      for (let i = gap.from; i < gap.to; i++) {
        const truth = house.energyImport[i] as number;
        const made = values[i] as number;
        if (Number.isNaN(made)) {
          errors.missing++;
          continue;
        }
        errors.truth += truth;
        errors.intervals += Math.abs(made - truth);
        off += made - truth;
      }
      errors.gaps += Math.abs(off);
    }
  }
}

/** The largest difference between the sum of intervals and that of registers, over all days at which a register stands; must be 0. */
export function registerDifference(house: House): number {
  const shown = cumulative(house.energyImport, 120_000);
  const n = house.energyImport.length;
  const gaps = gapsOf(house);
  const intervals = withGaps(house, gaps);
  // A reading each night, by quarters of the UTC day; some nights it fails.
  const at: number[] = [];
  for (let i = 0; i <= n; i += 96) if (chance(house.seed, i, 52) < 0.9) at.push(i);
  const { values } = vee({
    intervals,
    from: house.start,
    to: house.start + n * Q,
    zone: ZONE,
    holidays: HOLIDAYS,
    showings: {
      times: Float64Array.from(at, (i) => house.start + i * Q),
      values: Float64Array.from(at, (i) => shown[i] as number),
      scaler: 0,
    },
  }).intervals;
  let worst = 0;
  for (let k = 0; k + 1 < at.length; k++) {
    let sum = 0;
    for (let i = at[k] as number; i < (at[k + 1] as number); i++) sum += values[i] as number;
    worst = Math.max(
      worst,
      Math.abs(sum - (shown[at[k + 1] as number] as number) + (shown[at[k] as number] as number)),
    );
  }
  return worst;
}

export const share = (errors: Errors) => ({
  intervals: errors.intervals / errors.truth,
  gaps: errors.gaps / errors.truth,
});

export { DAY, HOUR };
