/**
 * Series of any interval on the grid of a calculation, in base units.
 *
 * Decides: shorter intervals are summed where they are amounts (energy, volume) and have their mean where they are not; a part that is
 * missing makes the whole missing. A longer interval holds for its parts if it is no amount (an hour's price); an amount is shared out
 * only where the formula says `spread`, for that is a guess. Intervals that cannot be fitted are refused.
 */
import { MisuseError } from '@amiable/bytes';
import { type Intervals, QUALITY } from '../series.ts';
import { duration } from '../words.ts';
import type { Resampling } from './types.ts';
import { isAmount, parseUnit } from './units.ts';

/** Where a formula is calculated: `n` intervals of `step` ms from `start`. */
export interface Grid {
  readonly start: number;
  readonly step: number;
  readonly n: number;
  /** IANA name: local days, weeks and times of day. */
  readonly zone: string;
  /** Windows over everything go over [from, to); left out: all. */
  readonly from?: number;
  readonly to?: number;
}

export interface SeriesInput {
  readonly intervals: Intervals;
  /** As the formula was checked with. */
  readonly unit: string;
}

export interface Aligned {
  readonly v: Float64Array;
  readonly q: Uint8Array;
}

/** @throws MisuseError for intervals that do not fit on the grid */
export function align(name: string, { intervals, unit }: SeriesInput, grid: Grid, how?: Resampling): Aligned {
  const { factor, dimension } = parseUnit(unit);
  const scale = intervals.scaler < 0 ? factor / 10 ** -intervals.scaler : factor * 10 ** intervals.scaler;
  // Dividing by a whole power of ten keeps decimals exact to the last bit that a double has; multiplying by 0.1 does not.
  const inverse = scale < 1 && Math.abs(Math.round(1 / scale) * scale - 1) < 1e-12 ? Math.round(1 / scale) : 0;
  const real = (m: number) => (inverse ? m / inverse : m * scale);
  const v = new Float64Array(grid.n).fill(Number.NaN);
  const q = new Uint8Array(grid.n).fill(QUALITY.missing);
  const { values, quality, start, step } = intervals;
  const count = values.length;
  const misfit = (why: string) =>
    new MisuseError(`"${name}" has intervals of ${duration(step)} and the grid ${duration(grid.step)}: ${why}`);
  if (step === grid.step) {
    const shift = (grid.start - start) / step;
    if (!Number.isInteger(shift)) throw misfit('they begin at other times');
    for (let i = Math.max(0, -shift); i < grid.n && i + shift < count; i++) {
      v[i] = real(values[i + shift] as number);
      q[i] = quality[i + shift] as number;
    }
  } else if (step < grid.step) {
    const parts = grid.step / step;
    const shift = (grid.start - start) / step;
    if (!Number.isInteger(parts) || !Number.isInteger(shift))
      throw misfit('the longer one is no multiple of the shorter');
    const sum = how ? how === 'sum' : isAmount(dimension);
    if (how === 'spread' || how === 'hold') throw misfit(`"${how}" is for intervals that are longer than the grid`);
    for (let i = 0; i < grid.n; i++) {
      const a = shift + i * parts;
      if (a < 0 || a + parts > count) continue;
      let total = 0;
      let worst = 0;
      for (let p = a; p < a + parts; p++) {
        total += values[p] as number;
        if ((quality[p] as number) > worst) worst = quality[p] as number;
      }
      v[i] = real(sum ? total : total / parts);
      q[i] = worst;
    }
  } else {
    const parts = step / grid.step;
    if (!Number.isInteger(parts) || !Number.isInteger((grid.start - start) / grid.step))
      throw misfit('the longer one is no multiple of the shorter');
    const spread = how === 'spread';
    if (how === 'sum' || how === 'mean')
      throw misfit(`"resample_${how}" is for intervals that are shorter than the grid`);
    if (!how && isAmount(dimension))
      throw misfit(
        `an amount of a longer interval would have to be shared out; write spread(${name}) if equal shares will do`,
      );
    for (let i = 0; i < grid.n; i++) {
      const at = Math.floor((grid.start + i * grid.step - start) / step);
      if (at < 0 || at >= count) continue;
      v[i] = real(values[at] as number) / (spread ? parts : 1);
      // Equal shares were measured by nobody.
      q[i] = spread ? Math.max(quality[at] as number, QUALITY.estimated) : (quality[at] as number);
    }
  }
  return { v, q };
}
