/**
 * Summaries of the network (AMI system description §5.2.3): new, failed, lost and installed meters by region or another kind
 * of node, by type, and how many nodes there are. Lost is who was heard once and not since a time; failed is what the part
 * of the system says that reads (see `provide` of the selector).
 */
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import type { MeterId } from '../types.ts';
import { iso, segments } from './parts.ts';
import type { NodeId, NodeKind } from './types.ts';

export interface Counts {
  readonly planned: number;
  readonly new: number;
  readonly installed: number;
  readonly removed: number;
  /** Heard at least once; those of them not heard since the time that was asked; never heard. */
  readonly seen: number;
  readonly lost: number;
  readonly silent: number;
  /** By what reads; null where nothing says. */
  readonly failed: number | null;
}
export interface Summary {
  readonly total: Counts;
  /** By each node of the kind asked for. */
  readonly below: readonly (Counts & { readonly id: NodeId; readonly code: string; readonly name: string | null })[];
  readonly types: readonly { readonly meterType: string | null; readonly meters: number }[];
  readonly nodes: Readonly<Partial<Record<NodeKind, number>>>;
}
export interface SummaryQuery {
  readonly by: NodeKind;
  readonly under?: NodeId | undefined;
  /** Lost is who was not heard since, epoch ms. */
  readonly since: number;
  readonly limit: number;
  /** Ids of meters that failed, where somebody knows. */
  readonly failed?: readonly MeterId[] | undefined;
}

interface Tally {
  planned: number;
  new: number;
  installed: number;
  removed: number;
  seen: number;
  lost: number;
  failed: number | null;
}
const tally = (failed: boolean): Tally => ({
  planned: 0,
  new: 0,
  installed: 0,
  removed: 0,
  seen: 0,
  lost: 0,
  failed: failed ? 0 : null,
});
const counts = (t: Tally): Counts => ({ ...t, silent: Math.max(0, t.planned + t.new + t.installed - t.seen) });

export interface Summaries {
  summary(query: SummaryQuery, scope: Scope): Promise<Summary>;
}

export function createSummaries(db: Database): Summaries {
  return {
    summary: (query, scope) => db.read((client) => read(client, query, scope)),
  };
}

async function read(client: Client, query: SummaryQuery, scope: Scope): Promise<Summary> {
  const within = segments(scope);
  const { rows: found } = await client.query(registrySql.regions, [
    [query.by],
    query.under ?? null,
    within,
    query.limit,
  ]);
  const nodes = found as { id: string; code: string; name: string | null }[];
  const root = query.under;
  const ids = [...new Set([...nodes.map((n) => n.id), ...(root === undefined ? [] : [root])])];
  const known = query.failed !== undefined;
  const below = new Map(ids.map((id) => [id, tally(known)]));
  const total = root === undefined ? tally(known) : (below.get(root) as Tally);
  const since = iso(query.since);
  for (const row of (await client.query(registrySql.livesBelow, [ids, within])).rows as {
    place: string;
    life: keyof Counts;
    n: number;
  }[])
    count(below.get(row.place), row.life, row.n);
  for (const row of (await client.query(registrySql.seenBelow, [ids, within, since])).rows as {
    place: string;
    seen: number;
    lost: number;
  }[])
    heard(below.get(row.place), row);
  if (root === undefined) {
    for (const row of (await client.query(registrySql.lives, [within])).rows as { life: keyof Counts; n: number }[])
      count(total, row.life, row.n);
    heard(total, (await client.query(registrySql.seen, [within, since])).rows[0] as { seen: number; lost: number });
  }
  if (query.failed !== undefined && query.failed.length > 0)
    for (const { path } of (await client.query(registrySql.placesOf, [query.failed, within])).rows as {
      path: string[];
    }[]) {
      if (root === undefined) total.failed = (total.failed ?? 0) + 1;
      for (const id of path) {
        const place = below.get(id);
        if (place) place.failed = (place.failed ?? 0) + 1;
      }
    }
  const types = (await client.query(registrySql.types, [within, root ?? null])).rows as {
    meter_type: string | null;
    n: number;
  }[];
  const kinds = (await client.query(registrySql.kinds, [within, root ?? null])).rows as { kind: NodeKind; n: number }[];
  return {
    total: counts(total),
    below: nodes.map(({ id, code, name }) => ({ id, code, name, ...counts(below.get(id) as Tally) })),
    types: types.map((t) => ({ meterType: t.meter_type, meters: t.n })),
    nodes: Object.fromEntries(kinds.map((k) => [k.kind, k.n])),
  };
}

function count(t: Tally | undefined, life: keyof Counts, n: number): void {
  if (t && (life === 'planned' || life === 'new' || life === 'installed' || life === 'removed')) t[life] += n;
}
function heard(t: Tally | undefined, { seen, lost }: { seen: number; lost: number }): void {
  if (!t) return;
  t.seen = seen;
  t.lost = lost;
}
