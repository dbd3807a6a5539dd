/**
 * Lays what came over what is there, value by value and idempotently. The finer decimals of the two win, so that a series
 * is never split. Where both have a value at the same time and they differ, the one that came stands and the other is told
 * to the change log; only an edit is not undone by a reading that comes again.
 */
import type { DayValues } from '../codec/block.ts';
import { EDITED } from '../codec/quality.ts';

export interface Change {
  /** Milliseconds after the start of the day. */
  readonly time: number;
  /** Null: nothing was there. */
  readonly was: number | bigint | null;
  readonly wasScaler: number;
  readonly wasQuality: number;
  /** Null: it is taken away. */
  readonly is: number | bigint | null;
  readonly isScaler: number;
  readonly isQuality: number;
  /** The value that was there stayed. */
  readonly kept: boolean;
}

export interface Overlaid {
  readonly day: DayValues;
  readonly changes: readonly Change[];
}

export interface OverlayOptions {
  /** What comes is itself an edit. */
  readonly edit?: boolean;
  /** Only places where nothing is. */
  readonly fill?: boolean;
}

const LIMIT = 2 ** 51;

export function overlay(there: DayValues | undefined, came: DayValues, options: OverlayOptions = {}): Overlaid {
  if (!there || there.values.length === 0) return { day: came, changes: [] };
  const scaler = commonScaler(there, came);
  let a = rescale(there, scaler);
  let b = rescale(came, scaler);
  if (a.big || b.big) {
    a = exact(a);
    b = exact(b);
  }
  const n = a.values.length + b.values.length;
  const times = new Float64Array(n);
  const values = new Float64Array(n);
  const quality = new Uint8Array(n);
  const big = a.big ? new BigInt64Array(n) : undefined;
  const changes: Change[] = [];
  let count = 0;
  const put = (day: DayValues, i: number): void => {
    times[count] = day.times[i] as number;
    values[count] = day.values[i] as number;
    quality[count] = day.quality?.[i] ?? 0;
    if (big) big[count] = day.big?.[i] as bigint;
    count++;
  };
  let i = 0;
  let j = 0;
  while (i < a.times.length && j < b.times.length) {
    const before = a.times[i] as number;
    const time = b.times[j] as number;
    if (before < time) put(a, i++);
    else if (time < before) put(b, j++);
    else {
      const was = a.big ? (a.big[i] as bigint) : (a.values[i] as number);
      const is = b.big ? (b.big[j] as bigint) : (b.values[j] as number);
      const wasQuality = a.quality?.[i] ?? 0;
      const isQuality = b.quality?.[j] ?? 0;
      const same = was === is && wasQuality === isQuality;
      const keep = same || options.fill === true || (wasQuality === EDITED && !options.edit);
      if (!same && !options.fill)
        changes.push({ time, was, wasScaler: scaler, wasQuality, is, isScaler: scaler, isQuality, kept: keep });
      put(keep ? a : b, keep ? i : j);
      i++;
      j++;
    }
  }
  while (i < a.times.length) put(a, i++);
  while (j < b.times.length) put(b, j++);
  return {
    day: {
      times: times.subarray(0, count),
      values: values.subarray(0, count),
      quality: quality.subarray(0, count),
      scaler,
      ...(big ? { big: big.subarray(0, count) } : {}),
    },
    changes,
  };
}

const LIMIT_64 = 2n ** 63n - 1n;

/** The finest decimals that hold the values of both; decimals that 64 bits cannot hold are given up, not the value. */
export function commonScaler(a: DayValues, b: DayValues): number {
  let scaler = Math.min(a.scaler, b.scaler);
  for (const day of [a, b]) {
    const wanted = day.scaler - scaler;
    if (wanted <= 0) continue;
    let most = 0n;
    if (day.big) {
      for (const value of day.big) if (value > most || -value > most) most = value < 0n ? -value : value;
    } else most = BigInt(day.values.reduce((m, value) => Math.max(m, Math.abs(value)), 0));
    let digits = 0;
    while (digits < wanted && (most === 0n || most * 10n <= LIMIT_64)) {
      most *= 10n;
      digits++;
    }
    scaler = Math.max(scaler, day.scaler - digits);
  }
  return scaler;
}

/** The same values with other decimals. */
export function rescale(day: DayValues, scaler: number): DayValues {
  const digits = day.scaler - scaler;
  if (digits === 0) return day;
  if (!day.big && digits < 16) {
    const factor = 10 ** Math.abs(digits);
    const values = day.values.map((value) => (digits > 0 ? value * factor : Math.round(value / factor) + 0));
    if (values.every((value) => value < LIMIT && value > -LIMIT)) return { ...day, values, scaler };
  }
  const factor = 10n ** BigInt(Math.abs(digits));
  const big = exact(day).big as BigInt64Array;
  const scaled = big.map((value) => (digits > 0 ? value * factor : divide(value, factor)));
  return { ...day, values: Float64Array.from(scaled, Number), big: scaled, scaler };
}

/** Rounded to the nearest. */
const divide = (value: bigint, by: bigint): bigint => (value < 0n ? value - by / 2n : value + by / 2n) / by;

function exact(day: DayValues): DayValues {
  return day.big ? day : { ...day, big: BigInt64Array.from(day.values, (value) => BigInt(value)) };
}
