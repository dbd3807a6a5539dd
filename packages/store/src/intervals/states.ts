/** Every state that values had, the present one first: what a person sees who asks why a value is what it is. */
import { DAY, unpackDay } from '../codec/block.ts';
import { CALCULATED, EDITED, ESTIMATED, MISSING, qualityName } from '../codec/quality.ts';
import type { Client } from '../pg/database.ts';
import { intervalSql } from '../sql/intervals.ts';
import { dayText } from '../sql/partitions.ts';
import type { MeterId } from '../types.ts';
import type { ChangeRow } from './past.ts';
import { type ArrivalRun, unpackRuns } from './runs.ts';
import type { ValueState } from './types.ts';

interface Row extends ChangeRow {
  readonly kept: boolean;
  readonly source: string;
  readonly who: string | null;
  readonly reason: string | null;
  readonly edit: string | null;
  readonly at: string;
}

interface Value {
  readonly value: number | null;
  readonly scaler: number;
  readonly quality: number;
}

const GONE: Value = { value: null, scaler: 0, quality: MISSING };

/** What brought a value of which nobody wrote it down. */
const sourceOf = (quality: number): string =>
  quality === ESTIMATED
    ? 'estimation'
    : quality === CALCULATED
      ? 'calculation'
      : quality === EDITED
        ? 'edit'
        : 'reading';

export async function statesOf(
  client: Client,
  meter: MeterId,
  register: number,
  from: number,
  to: number,
  limit: number,
): Promise<ValueState[]> {
  const first = Math.floor(from / DAY);
  const last = Math.floor((to - 1) / DAY);
  const present = new Map<number, Value>();
  const came = new Map<number, number>();
  const blocks = await client.query({
    text: intervalSql.withCame,
    values: [[meter], [register], dayText(first), dayText(last)],
    rowMode: 'array',
  });
  for (const row of blocks.rows as unknown as [
    string,
    number,
    number,
    number,
    number,
    number,
    number,
    Buffer,
    Buffer,
    number,
    string,
  ][]) {
    const [, , day, start, step, scaler, , v, s, n, at] = row;
    came.set(day, Number(at));
    const values = unpackDay({ start, step, n, scaler, v, s });
    for (let i = 0; i < values.times.length; i++) {
      const time = day * DAY + (values.times[i] as number);
      if (time >= from && time < to)
        present.set(time, { value: values.values[i] as number, scaler, quality: values.quality?.[i] ?? 0 });
    }
  }
  const arrivals = new Map<number, ArrivalRun[]>();
  const arrived = await client.query({
    text: intervalSql.arrivals,
    values: [[meter], [register], dayText(first), dayText(last)],
    rowMode: 'array',
  });
  for (const [, , day, packed] of arrived.rows as unknown as [string, number, number, Buffer][])
    arrivals.set(day, unpackRuns(packed));
  const changes = new Map<number, Row[]>();
  const { rows } = await client.query(intervalSql.changesOf, [
    meter,
    register,
    new Date(from).toISOString(),
    new Date(to).toISOString(),
  ]);
  for (const row of rows as Row[]) {
    const list = changes.get(Number(row.time));
    if (list) list.push(row);
    else changes.set(Number(row.time), [row]);
  }
  const times = [...new Set([...present.keys(), ...changes.keys()])].sort((a, b) => a - b);
  const out: ValueState[] = [];
  for (const time of times) {
    const day = Math.floor(time / DAY);
    for (const state of history(
      time,
      present.get(time),
      changes.get(time) ?? [],
      arrivals.get(day) ?? [],
      came.get(day) ?? 0,
    )) {
      if (out.length >= limit) return out;
      out.push(state);
    }
  }
  return out;
}

/** @param changes of the time, the newest first */
function history(
  time: number,
  present: Value | undefined,
  changes: readonly Row[],
  arrivals: readonly ArrivalRun[],
  came: number,
): ValueState[] {
  const offset = time - Math.floor(time / DAY) * DAY;
  const events: { seq: number; row?: Row; at: number }[] = changes.map((row) => ({
    seq: Number(row.id),
    row,
    at: Number(row.at),
  }));
  for (const run of arrivals)
    if (offset >= run.from && offset <= run.to) events.push({ seq: run.after + 0.5, at: run.at });
  events.sort((a, b) => b.seq - a.seq);
  const out: ValueState[] = [];
  let now = present ?? GONE;
  for (const { row, at } of events) {
    if (!row) {
      if (now.value === null) continue;
      out.push(unwritten(time, now, at));
      now = GONE;
      continue;
    }
    const is: Value = {
      value: row.new_mantissa === null ? null : Number(row.new_mantissa),
      scaler: row.new_scaler,
      quality: row.new_quality,
    };
    out.push({
      time,
      value: is.value,
      scaler: is.scaler,
      quality: qualityName(is.quality),
      source: row.source,
      user: row.who,
      reason: row.reason,
      edit: row.edit,
      at,
      kept: row.kept,
    });
    if (row.kept) continue;
    now = row.mantissa === null ? GONE : { value: Number(row.mantissa), scaler: row.scaler, quality: row.quality };
  }
  if (now.value !== null) out.push(unwritten(time, now, came === 0 ? null : came));
  return out;
}

const unwritten = (time: number, { value, scaler, quality }: Value, at: number | null): ValueState => ({
  time,
  value,
  scaler,
  quality: qualityName(quality),
  source: sourceOf(quality),
  user: null,
  reason: null,
  edit: null,
  at,
  kept: false,
});
