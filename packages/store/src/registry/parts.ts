/** What the parts of the registry share: rows to objects, who did it when, the log of changes. */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import type { RegistryLink, RegistryNode } from './types.ts';

/** Who writes, and when (epoch ms; may be simulated). */
export interface By {
  readonly who: string;
  readonly at: number;
}

export type Row = Record<string, unknown>;

export const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
export const iso = (ms: number): string => new Date(ms).toISOString();
const ms = (date: unknown): number | null => (date instanceof Date ? date.getTime() : null);

export interface NodeRow extends RegistryNode {
  readonly path: readonly string[];
}

export const nodeOf = (row: Row): NodeRow => ({
  id: row.id as string,
  kind: row.kind as RegistryNode['kind'],
  code: row.code as string,
  name: row.name as string | null,
  parent: row.parent as string | null,
  path: row.path as string[],
  segment: row.segment as number,
  latitude: row.latitude as number | null,
  longitude: row.longitude as number | null,
  attributes: row.attributes as RegistryNode['attributes'],
});

export const linkOf = (row: Row): RegistryLink => ({
  id: row.id as string,
  kind: row.kind as RegistryLink['kind'],
  child: row.child as string,
  parent: row.parent as string,
  channel: row.channel as number | null,
  from: ms(row.from_time) as number,
  to: ms(row.to_time),
  recordedAt: ms(row.recorded_at) as number,
  recordedBy: row.recorded_by as string | null,
  replacedAt: ms(row.replaced_at),
  replacedBy: row.replaced_by as string | null,
  reason: row.reason as string | null,
});

const asText = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);

/** Writes down each field that differs. */
export async function logChanges(
  client: Client,
  object: string,
  id: string | number,
  before: Row,
  after: Row,
  by: By,
): Promise<number> {
  let changed = 0;
  for (const field of Object.keys(after)) {
    const [was, became] = [asText(before[field]), asText(after[field])];
    if (was === became) continue;
    changed++;
    await (object === 'meter'
      ? client.query(registrySql.logMeterChange, [id, field, was, became, by.who, iso(by.at)])
      : client.query(registrySql.logChange, [object, id, field, was, became, by.who, iso(by.at)]));
  }
  return changed;
}

export async function log(client: Client, object: string, id: string | number, field: string, by: By): Promise<void> {
  await client.query(registrySql.logChange, [object, id, field, null, null, by.who, iso(by.at)]);
}

/** Nobody knows today where a meter will be: what is planned is the status of life, or a task. */
export function checkPast(what: string, at: number, by: By): void {
  if (at > by.at) throw new MisuseError(`${what} lies in the future (${iso(at)}); write it down when it has happened`);
  if (!(at >= Date.UTC(1900, 0, 1))) throw new MisuseError(`${what} is no time from 1900 on`);
}

export const segmentOk = (segment: number, scope: Scope): boolean =>
  Number.isInteger(segment) && segment > 0 && segment < 2 ** 31 && (scope === 'all' || scope.includes(segment));
