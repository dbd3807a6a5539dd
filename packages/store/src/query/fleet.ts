/**
 * Questions over many meters: kernels over packed blocks while they stream in, and what the headers answer alone. Times
 * are UTC; who asks by local time makes the slots so.
 */

import { unpackPlaces } from '../codec/block.ts';
import { MISSING, unpackQuality } from '../codec/quality.ts';
import { type CopyRow, copyOut } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import { fleetSql } from '../sql/fleet.ts';
import { dayText } from '../sql/partitions.ts';
import type { Gap, MeterId, Profile, Slots } from '../types.ts';
import { scale } from './values.ts';

const DAY = 86_400_000;

/** One block under way: its values are in `values[0, n)`, the first in slot `slot`. */
interface Visit {
  meter: number;
  slot: number;
  n: number;
  scaler: number;
  values: Float64Array;
  /** Undefined when all are there. */
  quality: Uint8Array | undefined;
}

/** Streams the blocks of a register whose values lie on the slots, and unpacks each into the same array. */
async function visit(
  client: Client,
  register: number,
  slots: Slots,
  meters: readonly MeterId[] | undefined,
  take: (block: Visit) => void,
): Promise<void> {
  const first = Math.floor(slots.from / DAY);
  const last = Math.floor((slots.from + slots.step * slots.count - 1) / DAY);
  const block: Visit = { meter: 0, slot: 0, n: 0, scaler: 0, values: new Float64Array(1440), quality: undefined };
  const copy = fleetSql.copyPacked(register, slots.step, first, last, meters);
  await copyOut(client, copy, (row: CopyRow) => {
    block.meter = row.long();
    const offset = row.date() * DAY + row.int() - slots.from;
    block.scaler = row.short();
    const at = row.span();
    const end = row.position;
    if (offset % slots.step !== 0) return;
    // A value takes half a byte at least.
    if (block.values.length < 2 * (end - at)) block.values = new Float64Array(2 * (end - at));
    block.slot = offset / slots.step;
    block.n = unpackPlaces(row.data, at, end, block.values);
    block.quality = row.isNull() ? undefined : unpackQuality(row.blob(), block.n);
    take(block);
  });
}

/** The load profile: what many meters took together in each slot. */
export async function loadProfile(
  client: Client,
  register: number,
  slots: Slots,
  meters?: readonly MeterId[],
): Promise<Profile> {
  const sum = new Float64Array(slots.count);
  const seen = new Uint32Array(slots.count);
  await visit(client, register, slots, meters, ({ slot, n, scaler, values, quality }) => {
    const from = Math.max(0, -slot);
    const to = Math.min(n, slots.count - slot);
    const factor = scaler === 0 ? 1 : scale(1, scaler);
    for (let i = from; i < to; i++) {
      if (quality !== undefined && quality[i] === MISSING) continue;
      sum[slot + i] = (sum[slot + i] as number) + (values[i] as number) * factor;
      seen[slot + i] = (seen[slot + i] as number) + 1;
    }
  });
  return { sum, meters: seen };
}

/**
 * Sums per meter and rate: `rates[slot]` is the rate that holds in a slot.
 * @returns per meter as many sums as there are rates
 */
export async function rateSums(
  client: Client,
  register: number,
  slots: Slots,
  rates: Uint8Array,
  meters?: readonly MeterId[],
): Promise<Map<MeterId, Float64Array>> {
  const count = rates.reduce((a, b) => Math.max(a, b), 0) + 1;
  // Where the run of one rate ends that a slot is in: rates change a few times a day, so sums run free between.
  const runEnd = new Int32Array(slots.count);
  for (let i = slots.count - 1, end = slots.count; i >= 0; i--) {
    if (i + 1 < slots.count && rates[i + 1] !== rates[i]) end = i + 1;
    runEnd[i] = end;
  }
  const sums = new Map<number, Float64Array>();
  let meter = Number.NaN;
  let own: Float64Array = new Float64Array(count);
  await visit(client, register, slots, meters, (block) => {
    const { slot, n, scaler, values, quality } = block;
    if (block.meter !== meter) {
      meter = block.meter;
      own = sums.get(meter) ?? new Float64Array(count);
      sums.set(meter, own);
    }
    const to = Math.min(n, slots.count - slot);
    const factor = scaler === 0 ? 1 : scale(1, scaler);
    let i = Math.max(0, -slot);
    while (i < to) {
      const rate = rates[slot + i] as number;
      const end = Math.min(to, (runEnd[slot + i] as number) - slot);
      let sum = 0;
      if (quality === undefined) for (; i < end; i++) sum += values[i] as number;
      else for (; i < end; i++) if (quality[i] !== MISSING) sum += values[i] as number;
      own[rate] = (own[rate] as number) + sum * factor;
    }
  });
  return new Map([...sums].sort(([a], [b]) => a - b).map(([id, values]) => [String(id), values]));
}

/** Meters that have less than a value in each slot; whole UTC days. Meters without any value are in it. */
export async function gaps(
  client: Client,
  register: number,
  first: number,
  last: number,
  perDay: number,
): Promise<Gap[]> {
  const expected = (last - first + 1) * perDay;
  const { rows } = await client.query({
    text: fleetSql.present,
    values: [register, dayText(first), dayText(last)],
    rowMode: 'array',
  });
  const out: Gap[] = [];
  for (const [meter, n] of rows as unknown as [string, string][])
    if (Number(n) < expected) out.push({ meter, missing: expected - Number(n) });
  return out;
}

/** The highest value of each meter in whole UTC days. */
export async function peaks(
  client: Client,
  register: number,
  first: number,
  last: number,
): Promise<Map<MeterId, number>> {
  const { rows } = await client.query({
    text: fleetSql.highest,
    values: [register, dayText(first), dayText(last)],
    rowMode: 'array',
  });
  const found = new Map<MeterId, number>();
  for (const [meter, scaler, peak] of rows as unknown as [string, number, string | null][]) {
    if (peak === null) continue;
    const value = scale(Number(peak), scaler);
    found.set(meter, Math.max(found.get(meter) ?? Number.NEGATIVE_INFINITY, value));
  }
  return found;
}
