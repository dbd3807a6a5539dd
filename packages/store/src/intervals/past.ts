/**
 * Past states: the present one, from which what was written since is taken back, the newest first. Changes and arrivals of one value
 * are in the order of the change log's numbers; an arrival stands behind the last change before it.
 */
import { DAY, type DayValues } from '../codec/block.ts';
import { MISSING } from '../codec/quality.ts';
import type { Client } from '../pg/database.ts';
import { intervalSql } from '../sql/intervals.ts';
import { dayText } from '../sql/partitions.ts';
import type { MeterId } from '../types.ts';
import { unpackRuns } from './runs.ts';

/** A value was another one before, or (arrival) none. */
export type PastEvent =
  | {
      readonly seq: number;
      readonly time: number;
      readonly mantissa: number | null;
      readonly scaler: number;
      readonly quality: number;
    }
  | { readonly seq: number; readonly from: number; readonly to: number };

/** Of one value of a change_log row. */
export interface ChangeRow {
  readonly id: string;
  readonly meter: MeterId;
  readonly register: number;
  readonly time: string;
  readonly mantissa: string | null;
  readonly scaler: number;
  readonly quality: number;
  readonly new_mantissa: string | null;
  readonly new_scaler: number;
  readonly new_quality: number;
}

const NONE: readonly PastEvent[] = [];

export interface Events {
  /** The newest first. */
  of(meter: MeterId, register: number, day: number): readonly PastEvent[];
}

export async function eventsAfter(
  client: Client,
  meters: readonly MeterId[],
  registers: readonly number[],
  first: number,
  last: number,
  asOf: number,
): Promise<Events> {
  const found = new Map<string, PastEvent[]>();
  const put = (key: string, event: PastEvent): void => {
    const list = found.get(key);
    if (list) list.push(event);
    else found.set(key, [event]);
  };
  const changes = await client.query(intervalSql.changesAfter, [
    meters,
    registers,
    new Date(first * DAY).toISOString(),
    new Date((last + 1) * DAY).toISOString(),
    new Date(asOf).toISOString(),
  ]);
  for (const row of changes.rows as ChangeRow[]) {
    const time = Number(row.time);
    const day = Math.floor(time / DAY);
    put(`${row.meter} ${row.register} ${day}`, {
      seq: Number(row.id),
      time: time - day * DAY,
      mantissa: row.mantissa === null ? null : Number(row.mantissa),
      scaler: row.scaler,
      quality: row.quality,
    });
  }
  const arrivals = await client.query({
    text: intervalSql.arrivals,
    values: [meters, registers, dayText(first), dayText(last)],
    rowMode: 'array',
  });
  for (const [meter, register, day, packed] of arrivals.rows as unknown as [string, number, number, Buffer][])
    for (const run of unpackRuns(packed))
      if (run.at > asOf) put(`${meter} ${register} ${day}`, { seq: run.after + 0.5, from: run.from, to: run.to });
  for (const list of found.values()) list.sort((a, b) => b.seq - a.seq);
  return { of: (meter, register, day) => found.get(`${meter} ${register} ${day}`) ?? NONE };
}

/** A day without what came since. @param events the newest first */
export function undone(day: DayValues, events: readonly PastEvent[]): DayValues {
  return replacedOnly(day, events) ?? rebuilt(day, events);
}

/** Most often values were only replaced by others: no place comes or goes. */
function replacedOnly(day: DayValues, events: readonly PastEvent[]): DayValues | undefined {
  const { times } = day;
  const values = day.values.slice();
  const quality = day.quality?.slice() ?? new Uint8Array(times.length);
  for (const event of events) {
    if ('from' in event || event.mantissa === null || event.scaler < day.scaler) return undefined;
    const at = placeOf(times, event.time);
    if (at < 0) return undefined;
    values[at] = event.mantissa * 10 ** (event.scaler - day.scaler);
    quality[at] = event.quality;
  }
  return { times, values, quality, scaler: day.scaler };
}

function placeOf(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const there = times[middle] as number;
    if (there === time) return middle;
    if (there < time) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function rebuilt(day: DayValues, events: readonly PastEvent[]): DayValues {
  const state = new Map<number, readonly [value: number, quality: number, scaler: number]>();
  for (let i = 0; i < day.times.length; i++)
    state.set(day.times[i] as number, [day.values[i] as number, day.quality?.[i] ?? 0, day.scaler]);
  for (const event of events) {
    if ('from' in event) {
      for (const time of [...state.keys()]) if (time >= event.from && time <= event.to) state.delete(time);
    } else if (event.mantissa === null || event.quality === MISSING) state.delete(event.time);
    else state.set(event.time, [event.mantissa, event.quality, event.scaler]);
  }
  const rows = [...state].sort(([a], [b]) => a - b);
  const scaler = rows.reduce((least, [, [, , s]]) => Math.min(least, s), rows[0]?.[1][2] ?? day.scaler);
  return {
    times: Float64Array.from(rows, ([time]) => time),
    values: Float64Array.from(rows, ([, [value, , s]]) => value * 10 ** (s - scaler)),
    quality: Uint8Array.from(rows, ([, [, quality]]) => quality),
    scaler,
  };
}
