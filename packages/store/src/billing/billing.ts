/** Joins what the store keeps of billing. */
import type { IntervalStore } from '../intervals/types.ts';
import type { Database } from '../pg/database.ts';
import { iso, type Row, segments } from '../registry/parts.ts';
import type { Ratios } from '../registry/ratios.ts';
import { isId } from '../registry/selection.ts';
import { billingSql } from '../sql/billing.ts';
import { createBills } from './bills.ts';
import { createContracts } from './contracts.ts';
import { createDeterminants } from './determinants.ts';
import { createPoints } from './points.ts';
import { billId, timeOf } from './rows.ts';
import { createReleases, createRuns } from './runs.ts';
import { createTariffs } from './tariffs.ts';
import type { BilledSpan, BillingStore, Readings } from './types.ts';

export function createBillingStore(
  db: Database,
  ratios: Pick<Ratios, 'multipliersOfMeters'>,
  intervals: Pick<IntervalStore, 'read'>,
  register: BillingStore['register'],
): BillingStore {
  const points = createPoints(db, ratios, intervals);
  return {
    tariffs: createTariffs(db),
    contracts: createContracts(db),
    runs: createRuns(db),
    bills: createBills(db),
    determinants: createDeterminants(db),
    releases: createReleases(db),
    readPoint: points.readPoint,
    readPoints: points.readPoints,
    register,
    parts: (ids, from, to) => points.parts(ids, from, to),
    pointsOf: (meters, { from, to, after, limit, scope }) =>
      db.read(async (client) => {
        const values = [meters ?? null, iso(from), iso(to), after ?? '0', segments(scope), limit];
        return (await client.query(billingSql.pointsOfMeters, values)).rows as { id: string; code: string }[];
      }),
    billedOverlap: (meter, from, to) =>
      db.read(async (client) => {
        if (!isId(meter)) return [];
        const span = [iso(from), iso(to)];
        const stays = (await client.query(billingSql.staysOfMeters, [[meter], ...span])).rows as Row[];
        if (stays.length === 0) return [];
        const ids = [...new Set(stays.map((row) => row.point as string))];
        const found: BilledSpan[] = [];
        for (const row of (await client.query(billingSql.billedSpans, [ids, ...span])).rows as Row[]) {
          const billed = { from: timeOf(row.from_time), to: timeOf(row.to_time) };
          const used = stays.some(
            (stay) =>
              stay.point === row.metering_point &&
              Math.max(from, billed.from, timeOf(stay.from_time)) <
                Math.min(to, billed.to, stay.to_time === null ? Number.POSITIVE_INFINITY : timeOf(stay.to_time)),
          );
          if (used)
            found.push({
              bill: billId(row.meter, row.run, row.contract),
              run: row.run as string,
              meteringPoint: row.metering_point as string,
              product: row.product as string,
              ...billed,
            });
        }
        return found;
      }),
    zones: (meters) =>
      db.read(async (client) => {
        const { rows } = await client.query(billingSql.zonesOf, [meters]);
        return new Map((rows as { id: string; time_zone: string }[]).map((row) => [row.id, row.time_zone]));
      }),
  };
}

/** Showings of one register out of the profiles it stands in: a load profile, daily values, what was read on demand. */
export function joinedReadings(
  series: readonly {
    readonly unit: string | null;
    readonly values: { readonly times: Float64Array; readonly values: Float64Array } | undefined;
  }[],
): Readings {
  const at = new Map<number, number>();
  let unit: string | null = null;
  for (const { unit: own, values } of series) {
    if (!values || values.times.length === 0 || (unit !== null && own !== unit)) continue;
    unit = own;
    for (let i = 0; i < values.times.length; i++) at.set(values.times[i] as number, values.values[i] as number);
  }
  const times = Float64Array.from(at.keys()).sort();
  return { times, values: times.map((time) => at.get(time) as number), unit };
}
