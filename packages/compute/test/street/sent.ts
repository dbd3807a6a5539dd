/**
 * What the meters of the street send: a load profile of quarters stamped with their end some seconds late, a register each local
 * midnight (total and two rates, eight digits that run over), reactive energy, water by the hour, events. Faults are put in here.
 */
import { add, toLocal } from '@amiable/calendar';
import type { MeterTimes, Showings, SourceRows, Span } from '../../src/index.ts';
import { cumulative, DAY, HOUR, type House, Q, ZONE } from './houses.ts';
import { chance, roll } from './random.ts';

/** Registers run over here: 10^8 Wh. */
export const DIGITS = 8;
export const ROLLOVER = 10 ** DIGITS;

export interface SentHouse {
  readonly house: House;
  readonly start: number;
  readonly n: number;
  /** Quarters; NaN was not sent. */
  readonly energyImport: Float64Array;
  readonly energyExport: Float64Array;
  readonly reactiveImport: Float64Array;
  readonly water: Float64Array;
  /** Local midnights, and what the registers showed then; NaN was not sent. */
  readonly midnights: Float64Array;
  readonly total: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly outages: Span[];
  readonly disconnected: Span[];
  readonly installed: Span[];
  readonly clock: (Span & { deviation?: number })[];
  readonly events: (Span & { event: string })[];
  /** Sent twice with another value. */
  readonly twice: { readonly at: number; readonly value: number }[];
  /** What the meter names of itself for a time, where it is not as it should be. */
  readonly named: (Span & Pick<SourceRows, 'unit' | 'step' | 'multiplier'>)[];
}

const isHigh = (time: number): boolean => {
  const wall = toLocal(ZONE, time);
  const hour = (wall % DAY) / HOUR;
  const weekday = new Date(wall).getUTCDay();
  return weekday > 0 && weekday < 6 && hour >= 6 && hour < 22;
};

/** A house without faults. */
export function send(house: House): SentHouse {
  const { start, seed } = house;
  const n = house.energyImport.length;
  const midnights: number[] = [];
  for (let at = start; at <= start + n * Q; at = add('day', ZONE, at, 1)) midnights.push(at);
  const highPart = house.energyImport.map((v, i) => (isHigh(start + i * Q) ? v : 0));
  const lowPart = house.energyImport.map((v, i) => v - (highPart[i] as number));
  // One house in three runs over within the year.
  const begin = seed % 3 === 0 ? ROLLOVER - roll(seed, 60, 200_000, 1_500_000) : roll(seed, 60, 1_000_000, 60_000_000);
  const lowBegin = Math.floor(begin / 3);
  const at = (all: Float64Array): Float64Array =>
    Float64Array.from(midnights, (t) => (all[(t - start) / Q] as number) % ROLLOVER);
  return {
    house,
    start,
    n,
    energyImport: house.energyImport.slice(),
    energyExport: house.energyExport.slice(),
    reactiveImport: house.reactiveImport.slice(),
    water: house.water.slice(),
    midnights: Float64Array.from(midnights),
    total: at(cumulative(house.energyImport, begin)),
    high: at(cumulative(highPart, begin - lowBegin)),
    low: at(cumulative(lowPart, lowBegin)),
    outages: [],
    disconnected: [],
    installed: [{ from: start - 400 * DAY, to: start + 4000 * DAY }],
    clock: [],
    events: [],
    twice: [],
    named: [],
  };
}

/** A profile as it comes: stamped with the end, up to five seconds late; not sent is not there. */
export function rowsOf(sent: SentHouse, from: number, to: number): Showings {
  const times: number[] = [];
  const values: number[] = [];
  for (let i = (from - sent.start) / Q; i < (to - sent.start) / Q; i++) {
    const value = sent.energyImport[i] as number;
    if (Number.isNaN(value)) continue;
    const stamp = sent.start + (i + 1) * Q + Math.floor(5000 * chance(sent.house.seed, i, 61));
    times.push(stamp);
    values.push(value);
    for (const row of sent.twice)
      if (row.at === i) {
        times.push(stamp);
        values.push(row.value);
      }
  }
  return { times: Float64Array.from(times), values: Float64Array.from(values), scaler: 0 };
}

export function nightly(sent: SentHouse, which: 'total' | 'high' | 'low', from: number, to: number): Showings {
  const places: number[] = [];
  for (let d = 0; d < sent.midnights.length; d++) {
    const time = sent.midnights[d] as number;
    if (time >= from && time <= to && !Number.isNaN(sent[which][d] as number)) places.push(d);
  }
  return {
    times: Float64Array.from(places, (d) => sent.midnights[d] as number),
    values: Float64Array.from(places, (d) => sent[which][d] as number),
    scaler: 0,
  };
}

export const timesOf = (sent: SentHouse): MeterTimes => ({
  outages: sent.outages,
  disconnected: sent.disconnected,
  installed: sent.installed,
  clock: sent.clock,
  events: sent.events,
});
