/**
 * Many meterings as one series on the grid of a calculation: sums of a supplier's meters, means, counts.
 *
 * Decides: shorter intervals are summed where they are amounts (energy, volume) and have their mean where they are not; longer ones hold
 * if they are no amounts, and are shared out only where it was said that equal shares will do. A meter counts while it belongs, times
 * its ratios. Where one lacks, nothing is said of the interval, or (skip) the others count and the result is estimated. Meters are
 * given one by one, so that memory does not grow with their number.
 */
import { MisuseError } from '@amiable/bytes';
import type { MemberSpan } from '../balance/balance.ts';
import { isAmount, parseUnit } from '../expression/units.ts';
import { type Intervals, QUALITY } from '../series.ts';

export type Combination = 'sum' | 'mean' | 'min' | 'max' | 'count';

export interface CombineOptions {
  /** Of the input, as people call it. */
  readonly name: string;
  readonly unit: string;
  readonly start: number;
  readonly step: number;
  readonly n: number;
  readonly combine: Combination;
  readonly missing: 'missing' | 'skip';
  readonly spread: boolean;
}

export interface Lacking {
  readonly id: string;
  readonly count: number;
}

export interface Combined {
  readonly intervals: Intervals;
  readonly members: number;
  /** Meters without a value, the worst first. */
  readonly lacking: readonly Lacking[];
  /** How intervals of other lengths were fitted, in sentences. */
  readonly fitted: readonly string[];
  /** Values that went in, by quality. */
  readonly shares: readonly number[];
}

export interface Combiner {
  /** `intervals` undefined: the meter belongs and has no values at all. @throws MisuseError for intervals that do not fit */
  add(id: string, spans: readonly MemberSpan[], intervals: Intervals | undefined): void;
  result(): Combined;
}

/** Digits that sums of mixed scalers and ratios keep: thousandths of a Wh, millilitres. */
const scalerOf = (unit: string): number => (/Wh|varh|VAh/.test(unit) ? -3 : -6);
const minutes = (ms: number): string => `${ms / 60_000} min`;

export function createCombiner(options: CombineOptions): Combiner {
  const { name, start, step, n, combine } = options;
  const scaler = scalerOf(options.unit);
  const amount = isAmount(parseUnit(options.unit).dimension);
  const values = new Float64Array(n).fill(
    combine === 'min' ? Number.POSITIVE_INFINITY : combine === 'max' ? Number.NEGATIVE_INFINITY : 0,
  );
  const quality = new Uint8Array(n);
  const counts = new Uint32Array(n);
  const holes = new Uint32Array(n);
  const lacking: Lacking[] = [];
  const fitted = new Map<string, number>();
  const shares = [0, 0, 0, 0, 0];
  let members = 0;

  function add(id: string, spans: readonly MemberSpan[], intervals: Intervals | undefined): void {
    members++;
    const fit = intervals && fitOf(options, amount, intervals);
    if (fit?.words !== undefined) fitted.set(fit.words, (fitted.get(fit.words) ?? 0) + 1);
    const scale = intervals ? 10 ** (intervals.scaler - scaler) : 0;
    let lacks = 0;
    for (let i = 0; i < n; i++) {
      const from = start + i * step;
      const span = holding(spans, from, from + step);
      if (!span) continue;
      const value = fit && intervals ? fit.at(i) : Number.NaN;
      if (Number.isNaN(value)) {
        // Of an interval in which it came or went nothing is expected.
        if (span.from <= from && span.to >= from + step) {
          lacks++;
          holes[i] = (holes[i] as number) + 1;
          shares[QUALITY.missing] = (shares[QUALITY.missing] as number) + 1;
        }
        continue;
      }
      const real = (value * scale * span.numerator) / span.denominator;
      const q = fit?.quality(i) ?? 0;
      shares[q] = (shares[q] as number) + 1;
      if (q > (quality[i] as number)) quality[i] = q;
      counts[i] = (counts[i] as number) + 1;
      if (combine === 'min') values[i] = Math.min(values[i] as number, real);
      else if (combine === 'max') values[i] = Math.max(values[i] as number, real);
      else values[i] = (values[i] as number) + real;
    }
    if (lacks > 0) lacking.push({ id, count: lacks });
  }

  function result(): Combined {
    const out = new Float64Array(n);
    const q = new Uint8Array(n);
    for (let i = 0; i < n; i++) {
      const count = counts[i] as number;
      const lacks = holes[i] as number;
      if (combine === 'count') {
        out[i] = count * 10 ** -scaler;
        q[i] = QUALITY.calculated;
      } else if ((lacks > 0 && options.missing === 'missing') || count === 0) {
        out[i] = Number.NaN;
        q[i] = QUALITY.missing;
      } else {
        const value = Math.round(combine === 'mean' ? (values[i] as number) / count : (values[i] as number));
        if (!Number.isSafeInteger(value))
          throw new MisuseError(`${name}: the sum of its meters is too large to be exact`);
        out[i] = value;
        q[i] = Math.max(quality[i] as number, lacks > 0 ? QUALITY.estimated : QUALITY.measured);
      }
    }
    lacking.sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1));
    return {
      intervals: { start, step, scaler: scaler, values: out, quality: q },
      members,
      lacking,
      fitted: [...fitted].map(
        ([words, meters]) => `${name}: ${words} (${meters} ${meters === 1 ? 'meter' : 'meters'})`,
      ),
      shares,
    };
  }
  return { add, result };
}

function holding(spans: readonly MemberSpan[], from: number, to: number): MemberSpan | undefined {
  for (const span of spans) if (span.from < to && span.to > from) return span;
  return undefined;
}

interface Fit {
  readonly words: string | undefined;
  at(i: number): number;
  quality(i: number): number;
}

function fitOf({ name, start, step, spread }: CombineOptions, amount: boolean, intervals: Intervals): Fit {
  const { values, quality } = intervals;
  if (intervals.step === step) {
    const shift = (start - intervals.start) / step;
    if (!Number.isInteger(shift)) throw misfit(name, intervals.step, step, 'they begin at other times');
    return {
      words: undefined,
      at: (i) => values[i + shift] ?? Number.NaN,
      quality: (i) => quality[i + shift] as number,
    };
  }
  if (intervals.step < step) {
    const parts = step / intervals.step;
    const shift = (start - intervals.start) / intervals.step;
    if (!Number.isInteger(parts) || !Number.isInteger(shift))
      throw misfit(name, intervals.step, step, 'the longer one is no multiple of the shorter');
    return {
      words: `intervals of ${minutes(intervals.step)} were ${amount ? 'summed' : 'averaged'} to ${minutes(step)}`,
      at(i) {
        let sum = 0;
        for (let p = 0; p < parts; p++) sum += values[shift + i * parts + p] ?? Number.NaN;
        return amount ? sum : sum / parts;
      },
      quality(i) {
        let worst = 0;
        for (let p = 0; p < parts; p++) worst = Math.max(worst, quality[shift + i * parts + p] as number);
        return worst;
      },
    };
  }
  const parts = intervals.step / step;
  if (!Number.isInteger(parts) || !Number.isInteger((start - intervals.start) / step))
    throw misfit(name, intervals.step, step, 'the longer one is no multiple of the shorter');
  if (amount && !spread)
    throw misfit(
      name,
      intervals.step,
      step,
      'the energy of a longer interval would have to be shared out; say spread: true if equal shares will do',
    );
  const index = (i: number): number => Math.floor((start + i * step - intervals.start) / intervals.step);
  return {
    words: `intervals of ${minutes(intervals.step)} ${amount ? `were shared out equally to ${minutes(step)} and are estimated` : `hold for each ${minutes(step)}`}`,
    at: (i) => (values[index(i)] ?? Number.NaN) / (amount ? parts : 1),
    quality: (i) => Math.max(quality[index(i)] as number, amount ? QUALITY.estimated : 0),
  };
}

const misfit = (name: string, has: number, grid: number, why: string): MisuseError =>
  new MisuseError(`${name} has intervals of ${minutes(has)} and the formula ${minutes(grid)}: ${why}`);
