/**
 * Levels and edges of a sampled waveform: which two levels it has, and when it goes from one to the other.
 *
 * Decides: the outer levels are where three samples in a row agree, so that a spike of one sample is not taken for a level;
 * each level is then the median of what lies on its side. An edge is told when the far third is reached (hysteresis), and dated
 * when the middle was crossed last before that. Where a digital recorder wrote changes only, a sample's value holds
 * until the next one.
 */
import { DecodeError } from '@amiable/bytes';
import { timeOf, type Waveform } from './types.ts';

export interface WaveLevels {
  readonly high: number;
  readonly low: number;
  readonly middle: number;
  /** Standard deviation of single samples, estimated from neighbours. */
  readonly noise: number;
  /** Only two values, at the times when they change. */
  readonly stepped: boolean;
}

export interface Edge {
  /** s. */
  readonly at: number;
  /** First sample on the new side. */
  readonly sample: number;
  readonly rising: boolean;
}

/** Share of the swing on each side of the middle that has to be passed. */
const HYSTERESIS = 0.17;
/** A swing is one when it is so many times the noise. */
const LEAST_SIGNAL = 5;
/** Samples that a median is taken over. */
const MEDIAN_OF = 20_001;

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] as number;
}

/** Median of the samples above, or below, `middle`; of a thinned selection where there are many. */
function sideLevel(values: Float64Array, middle: number, above: boolean): number {
  let count = 0;
  for (const v of values) if (above ? v > middle : v < middle) count++;
  const every = Math.max(1, Math.ceil(count / MEDIAN_OF));
  const picked: number[] = [];
  let n = 0;
  for (const v of values) if ((above ? v > middle : v < middle) && n++ % every === 0) picked.push(v);
  return picked.length ? median(picked) : middle;
}

/** @throws DecodeError 'empty', 'noSignal' */
export function findLevels(wave: Waveform): WaveLevels {
  const { values } = wave;
  if (values.length < 3) throw new DecodeError('empty', `${values.length} samples are no waveform`, 0);
  const stepped = isStepped(wave);
  let high = -Infinity;
  let low = Infinity;
  if (stepped) {
    for (const v of values) {
      if (v > high) high = v;
      if (v < low) low = v;
    }
  } else {
    for (let i = 2; i < values.length; i++) {
      const a = values[i - 2] as number;
      const b = values[i - 1] as number;
      const c = values[i] as number;
      high = Math.max(high, Math.min(a, b, c));
      low = Math.min(low, Math.max(a, b, c));
    }
  }
  const noise = stepped ? 0 : noiseOf(values);
  if (!(high - low > LEAST_SIGNAL * noise) || !(high > low))
    throw new DecodeError(
      'noSignal',
      `no signal: the samples lie within ${round(low)} to ${round(high)} with noise of ${round(noise)}`,
      0,
    );
  // Twice, for the first middle comes from the extremes.
  for (let pass = 0; pass < 2; pass++) {
    const middle = (high + low) / 2;
    high = sideLevel(values, middle, true);
    low = sideLevel(values, middle, false);
  }
  if (!(high - low > LEAST_SIGNAL * noise))
    throw new DecodeError(
      'noSignal',
      `no signal: the two levels ${round(low)} and ${round(high)} are not told apart in noise of ${round(noise)}`,
      0,
    );
  return { high, low, middle: (high + low) / 2, noise, stepped };
}

const round = (v: number): string => String(Number(v.toPrecision(4)));

function isStepped({ values, times }: Waveform): boolean {
  if (!times) return false;
  const first = values[0] as number;
  let other = Number.NaN;
  for (const v of values) {
    if (v === first) continue;
    if (Number.isNaN(other)) other = v;
    else if (v !== other) return false;
  }
  return !Number.isNaN(other);
}

/** From the median of what neighbours differ by, which edges hardly touch. */
function noiseOf(values: Float64Array): number {
  const every = Math.max(1, Math.floor(values.length / MEDIAN_OF));
  const steps: number[] = [];
  for (let i = 1; i < values.length; i += every)
    steps.push(Math.abs((values[i] as number) - (values[i - 1] as number)));
  return median(steps) / 0.954;
}

export function findEdges(wave: Waveform, levels: WaveLevels): { readonly edges: Edge[]; readonly firstHigh: boolean } {
  const { values } = wave;
  const { high, low, middle, stepped } = levels;
  const margin = (high - low) * HYSTERESIS;
  const up = middle + margin;
  const down = middle - margin;
  const edges: Edge[] = [];
  let state = (values[0] as number) > middle;
  const firstHigh = state;
  let crossing = 0;
  for (let i = 1; i < values.length; i++) {
    const v = values[i] as number;
    const before = values[i - 1] as number;
    if (state ? before > middle && v <= middle : before < middle && v >= middle) crossing = i;
    if (state ? v < down : v > up) {
      if (crossing === 0) crossing = i;
      edges.push({
        at: stepped ? timeOf(wave, crossing) : crossingTime(wave, crossing, middle),
        sample: crossing,
        rising: !state,
      });
      state = !state;
    }
  }
  return { edges, firstHigh };
}

function crossingTime(wave: Waveform, i: number, middle: number): number {
  const v0 = wave.values[i - 1] as number;
  const v1 = wave.values[i] as number;
  const t0 = timeOf(wave, i - 1);
  const t1 = timeOf(wave, i);
  if (v1 === v0) return t1;
  return t0 + (t1 - t0) * Math.min(1, Math.max(0, (middle - v0) / (v1 - v0)));
}
