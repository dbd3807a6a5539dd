/** The caller's segments as statements take them, and what is said of an object that lies outside. */
import type { Scope } from '@amiable/model';
import type { Client } from '../pg/database.ts';
import { querySql } from '../sql/query.ts';
import { type MeterId, NotThere } from '../types.ts';

/** A parameter `integer[]`; null: no segment is left out. */
export type Segments = readonly number[] | null;
export const segmentsOf = (scope: Scope | undefined): Segments =>
  scope === undefined || scope === 'all' ? null : scope;

/**
 * Before values of one meter are read for somebody.
 * @returns its time zone
 * @throws NotThere when there is none in these segments: nobody can tell a foreign meter from none
 */
export async function requireMeter(client: Client, id: MeterId, scope: Scope): Promise<string> {
  const { rows } = await client.query(querySql.meterInScope, [id, segmentsOf(scope)]);
  const row = rows[0] as { time_zone: string } | undefined;
  if (!row) throw new NotThere(`there is no meter ${id}`);
  return row.time_zone;
}
