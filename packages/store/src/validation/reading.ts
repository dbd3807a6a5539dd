/**
 * Blocks of many meters on their way into arrays, in one pass of COPY: what validation reads of what meters sent.
 *
 * Decides: arrays are as long as headers say; blocks of different decimals become one series in the finest. Leaves out: which (plan.ts).
 */
import { unpackDay, unpackPlaces } from '../codec/block.ts';
import { MISSING, unpackQuality } from '../codec/quality.ts';
import { type CopyRow, copyOut } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import { blockSql } from '../sql/blocks.ts';
import type { Headers } from './sources.ts';
import type { SentSeries } from './types.ts';

const DAY = 86_400_000;

/** By meter, by register. */
export type ByRegister<T> = Map<string, Map<number, T>>;

export const within = <T>(map: ByRegister<T>, meter: string, register: number, make: () => T): T => {
  let own = map.get(meter);
  if (!own) {
    own = new Map();
    map.set(meter, own);
  }
  let one = own.get(register);
  if (one === undefined) {
    one = make();
    own.set(register, one);
  }
  return one;
};

/** Values of one register on their way into arrays that are as long as its headers say. */
export interface Filling {
  readonly first: number;
  readonly last: number;
  times: Float64Array;
  values: Float64Array;
  quality: Uint8Array | undefined;
  n: number;
  scaler: number | undefined;
}

export function fillingOf({ days, places }: Pick<Headers, 'days' | 'places'>, first: number, last: number): Filling {
  let room = 0;
  for (let i = 0; i < days.length; i++)
    if ((days[i] as number) >= first && (days[i] as number) <= last) room += places[i] as number;
  return {
    first,
    last,
    times: new Float64Array(room),
    values: new Float64Array(room),
    quality: undefined,
    n: 0,
    scaler: undefined,
  };
}

const room = { places: new Float64Array(1440) };

export interface Row {
  day: number;
  start: number;
  step: number;
  n: number;
  scaler: number;
  from: number;
  to: number;
  data: Buffer;
  s: Buffer;
}

export async function readInto<T extends { readonly first: number; readonly last: number }>(
  client: Client,
  wanted: ByRegister<T[]>,
  take: (list: readonly T[], row: Row) => void,
): Promise<void> {
  if (wanted.size === 0) return;
  const registers = new Set<number>();
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const own of wanted.values())
    for (const [register, list] of own) {
      registers.add(register);
      for (const one of list) {
        first = Math.min(first, one.first);
        last = Math.max(last, one.last);
      }
    }
  const row: Row = {
    day: 0,
    start: 0,
    step: 0,
    n: 0,
    scaler: 0,
    from: 0,
    to: 0,
    data: Buffer.alloc(0),
    s: Buffer.alloc(0),
  };
  // Rows come in order: one meter after the other.
  let before = -1;
  let own: Map<number, T[]> | undefined;
  await copyOut(client, blockSql.copyBlocks([...wanted.keys()], [...registers], first, last), (copied: CopyRow) => {
    const meter = copied.long();
    if (meter !== before) own = wanted.get(String(meter));
    before = meter;
    const list = own?.get(copied.int());
    if (!list) return;
    row.day = copied.int();
    row.start = copied.int();
    row.step = copied.int();
    row.n = copied.int();
    row.scaler = copied.short();
    copied.short();
    row.from = copied.span();
    row.to = copied.position;
    row.data = copied.data;
    row.s = copied.blob();
    take(list, row);
  });
}

/** Regular blocks are unpacked where they stand; others through their times. */
export function put(into: Filling, row: Row): void {
  const { n } = row;
  into.scaler ??= row.scaler;
  const factor = factorOf(into, row.scaler);
  const base = row.day * DAY;
  if (row.step > 0) {
    if (room.places.length < n + 8) room.places = new Float64Array(n + 8);
    unpackPlaces(row.data, row.from, row.to, room.places.subarray(0, n));
    const quality = unpackQuality(row.s, n);
    if (quality && !into.quality) into.quality = new Uint8Array(into.times.length);
    const time = base + row.start;
    if (quality === undefined) {
      // Whole days, as most are.
      const { times, values } = into;
      for (let i = 0, at = into.n; i < n; i++, at++) {
        times[at] = time + i * row.step;
        values[at] = (room.places[i] as number) * factor;
      }
      into.n += n;
      return;
    }
    for (let i = 0; i < n; i++) {
      if (quality[i] === MISSING) continue;
      into.times[into.n] = time + i * row.step;
      into.values[into.n] = (room.places[i] as number) * factor;
      if (into.quality) into.quality[into.n] = quality[i] as number;
      into.n++;
    }
    return;
  }
  const day = unpackDay({ ...row, v: row.data.subarray(row.from, row.to) });
  if (day.quality && !into.quality) into.quality = new Uint8Array(into.times.length);
  for (let i = 0; i < day.values.length; i++) {
    into.times[into.n] = base + (day.times[i] as number);
    into.values[into.n] = (day.values[i] as number) * factor;
    if (day.quality && into.quality) into.quality[into.n] = day.quality[i] as number;
    into.n++;
  }
}

/** Blocks may differ in decimals: the finest count. @returns by what the mantissas of this block are multiplied */
export function factorOf(into: { values: Float64Array; scaler: number | undefined }, scaler: number): number {
  const had = into.scaler as number;
  if (scaler < had) {
    const finer = 10 ** (had - scaler);
    for (let i = 0; i < into.values.length; i++) into.values[i] = (into.values[i] as number) * finer;
    into.scaler = scaler;
    return 1;
  }
  return scaler === had ? 1 : 10 ** (scaler - had);
}

export const seriesOf = (filling: Filling): SentSeries => {
  const { n, times, values, quality } = filling;
  // Whole arrays go to a worker without being copied; cut ones are made whole.
  const whole = n === times.length;
  return {
    times: whole ? times : times.slice(0, n),
    values: whole ? values : values.slice(0, n),
    ...(quality ? { quality: whole ? quality : quality.slice(0, n) } : {}),
    scaler: filling.scaler ?? 0,
  };
};
