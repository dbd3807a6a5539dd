/**
 * What should be there of each meter: its read-out set says which profiles, the meter itself which registers they deliver, the
 * registry since when and until when it is in service.
 */
import type { Client } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { missingSql } from '../sql/missing.ts';
import type { MeterId } from '../types.ts';
import { periodOf, type ReadoutProfile, type ReadoutSet } from './types.ts';

export interface ExpectedMeter {
  readonly id: MeterId;
  readonly zone: string;
  readonly segment: number;
  /** Nodes of the network it stands under. */
  readonly path: readonly string[];
  readonly readout: string;
  /** Epoch ms; before and after, nothing is expected. */
  readonly since: number;
  readonly until: number;
  /** Codes that each profile delivers, where the meter has said so. */
  readonly delivers: Readonly<Record<string, readonly string[]>>;
}

interface MeterRow {
  readonly id: MeterId;
  readonly time_zone: string;
  readonly segment: number;
  readonly path: readonly string[] | null;
  readonly first_seen: number | null;
  readonly readout: string;
}

async function complete(client: Client, rows: readonly MeterRow[]): Promise<ExpectedMeter[]> {
  const ids = rows.map((row) => row.id);
  const delivers = new Map(
    (
      (await client.query(missingSql.delivers, [ids])).rows as { meter: MeterId; delivers: ExpectedMeter['delivers'] }[]
    ).map((row) => [row.meter, row.delivers]),
  );
  const service = new Map(
    (
      (await client.query(missingSql.inService, [ids])).rows as {
        meter: MeterId;
        since: number;
        until: number | null;
      }[]
    ).map((row) => [row.meter, row]),
  );
  return rows.map((row) => ({
    id: row.id,
    zone: row.time_zone,
    segment: row.segment,
    path: row.path ?? [],
    readout: row.readout,
    since: service.get(row.id)?.since ?? row.first_seen ?? Number.NEGATIVE_INFINITY,
    until: service.get(row.id)?.until ?? Number.POSITIVE_INFINITY,
    delivers: delivers.get(row.id) ?? {},
  }));
}

export async function expectedPage(client: Client, after: MeterId, limit: number): Promise<ExpectedMeter[]> {
  return complete(client, (await client.query(missingSql.meters, [after, limit])).rows as MeterRow[]);
}

export async function expectedMeters(client: Client, ids: readonly MeterId[]): Promise<ExpectedMeter[]> {
  return complete(client, (await client.query(missingSql.meterOf, [ids])).rows as MeterRow[]);
}

export const profileOf = (set: ReadoutSet | undefined, name: string): ReadoutProfile | undefined =>
  set?.profiles.find((profile) => profile.name === name);

/** Registers of a profile as they lie in the store: those of its period whose codes it delivers. */
export function registersOf(registers: Registers, meter: ExpectedMeter, profile: ReadoutProfile): number[] {
  const codes = new Set(profile.registers ?? meter.delivers[profile.name] ?? []);
  const period = periodOf(profile);
  const found: number[] = [];
  if (codes.size > 0)
    for (const { id, obis, period: own, stat } of registers.all())
      if (obis !== undefined && own === period && stat === 'value' && codes.has(obis)) found.push(id);
  return found.sort((a, b) => a - b);
}

/** How many values a row of the profile has; while the meter has not said 1, of what is optional 0. */
export const widthOf = (meter: ExpectedMeter, profile: ReadoutProfile): number =>
  Math.max(profile.optional ? 0 : 1, new Set(profile.registers ?? meter.delivers[profile.name] ?? []).size);
