/**
 * What is kept of fine values when they are thinned: means, lowest and highest of a minute and of a quarter of an hour for
 * what flows (power, voltage, current), and what the register showed at each quarter for what only grows.
 */
import type { Unit } from '@amiable/model';
import type { DayValues } from '../codec/block.ts';
import { CALCULATED } from '../codec/quality.ts';
import type { Register } from '../registers.ts';
import type { RegisterKey, Stat } from '../types.ts';

const MINUTE = 60_000;
const QUARTER = 900_000;

/** Units whose extremes inside a period matter for peaks and quality of supply. */
const EXTREMES: ReadonlySet<Unit> = new Set<Unit>(['W', 'var', 'VA', 'V']);
const FLOWS: ReadonlySet<Unit> = new Set<Unit>([
  'W',
  'var',
  'VA',
  'V',
  'A',
  'Hz',
  'degC',
  'K',
  'bar',
  'm3/h',
  'J/h',
  'kg/h',
  'dBm',
  'dB',
  'lm',
  'lx',
  'ppm',
  'deg',
]);

export interface Derived {
  readonly period: number;
  readonly stat: Stat;
}

/** Which series are derived of a register. */
export function derivedOf(register: Register): readonly Derived[] {
  if (register.period !== 0) return [];
  if (register.unit === undefined || !FLOWS.has(register.unit)) return [{ period: QUARTER, stat: 'value' }];
  const stats: Stat[] = EXTREMES.has(register.unit) ? ['mean', 'min', 'max'] : ['mean'];
  return [MINUTE, QUARTER].flatMap((period) => stats.map((stat) => ({ period, stat })));
}

export function derivedKey(register: Register, derived: Derived): RegisterKey {
  const { id: _, short: __, source: ___, period: ____, stat: _____, ...key } = register;
  return { ...key, period: derived.period / 1000, stat: derived.stat };
}

/** The series of the whole periods that [from, to) touches; undefined when there is nothing in them. */
export function derive(day: DayValues, { period, stat }: Derived, from: number, to: number): DayValues | undefined {
  const first = Math.floor(from / period) * period;
  const last = Math.ceil(to / period) * period;
  return stat === 'value' ? atStarts(day, period, first, last) : inPeriods(day, period, stat, first, last);
}

function inPeriods(day: DayValues, period: number, stat: Stat, first: number, last: number): DayValues | undefined {
  const times: number[] = [];
  const values: number[] = [];
  const quality: number[] = [];
  let i = lowerBound(day.times, first);
  while (i < day.times.length && (day.times[i] as number) < last) {
    const start = Math.floor((day.times[i] as number) / period) * period;
    let sum = 0;
    let n = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let worst = 0;
    for (; i < day.times.length && (day.times[i] as number) < start + period; i++) {
      const value = day.values[i] as number;
      sum += value;
      n++;
      if (value < min) min = value;
      if (value > max) max = value;
      const q = day.quality?.[i] ?? 0;
      if (q > worst) worst = q;
    }
    times.push(start);
    values.push(stat === 'mean' ? Math.round(sum / n) : stat === 'min' ? min : max);
    quality.push(worst);
  }
  return pack(times, values, quality, day.scaler);
}

/** What a register showed at each period's start: read at it, or run evenly between the readings around it. */
function atStarts(day: DayValues, period: number, first: number, last: number): DayValues | undefined {
  const times: number[] = [];
  const values: number[] = [];
  const quality: number[] = [];
  let i = Math.max(0, lowerBound(day.times, first) - 1);
  for (let start = first; start < last; start += period) {
    while (i + 1 < day.times.length && (day.times[i + 1] as number) <= start) i++;
    const t0 = day.times[i];
    if (t0 === undefined) break;
    const v0 = day.values[i] as number;
    const q0 = day.quality?.[i] ?? 0;
    if (t0 === start) {
      times.push(start);
      values.push(v0);
      quality.push(q0);
      continue;
    }
    const t1 = day.times[i + 1];
    const v1 = day.values[i + 1];
    if (t0 > start) {
      // The day's first reading may come some seconds after midnight.
      if (start === 0 && t0 < MINUTE) {
        times.push(start);
        values.push(v0);
        quality.push(Math.max(q0, CALCULATED));
      }
      continue;
    }
    if (t1 === undefined || v1 === undefined || t1 - t0 > period || v1 < v0) continue;
    times.push(start);
    values.push(Math.round(v0 + ((v1 - v0) * (start - t0)) / (t1 - t0)));
    quality.push(Math.max(q0, day.quality?.[i + 1] ?? 0, CALCULATED));
  }
  return pack(times, values, quality, day.scaler);
}

function pack(times: number[], values: number[], quality: number[], scaler: number): DayValues | undefined {
  if (times.length === 0) return undefined;
  return {
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    quality: Uint8Array.from(quality),
    scaler,
  };
}

function lowerBound(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
