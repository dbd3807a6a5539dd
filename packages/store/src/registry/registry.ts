/** The registry as one part of the store: nodes, stays, types, ratios, attributes, groups, and the selection of meters. */
import type { Scope } from '@amiable/model';
import type { Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import { type Catalogue, createCatalogue } from './catalogue.ts';
import { createLinks, type Links } from './links.ts';
import { createEntries, type Entries } from './meters.ts';
import { createNodes, type Nodes } from './nodes.ts';
import { type Row, segments } from './parts.ts';
import { createRatios, type Ratios } from './ratios.ts';
import { isId } from './selection.ts';
import { createSelector, type Selector } from './selector.ts';
import { createSummaries, type Summaries } from './summary.ts';

/** One thing that was changed about an object, newest first. Personal data have neither `was` nor `became`. */
export interface RegistryChange {
  readonly field: string;
  readonly was: string | null;
  readonly became: string | null;
  readonly who: string | null;
  readonly at: number;
}

export interface RegistryStore extends Selector, Nodes, Links, Entries, Catalogue, Ratios, Summaries {
  changesOfNode(id: string, scope: Scope, limit: number): Promise<readonly RegistryChange[] | undefined>;
  changesOfMeter(id: string, scope: Scope, limit: number): Promise<readonly RegistryChange[] | undefined>;
}

const changeOf = (row: Row): RegistryChange => ({
  field: row.field as string,
  was: row.was as string | null,
  became: row.became as string | null,
  who: row.who as string | null,
  at: (row.at as Date).getTime(),
});

export function createRegistryStore(db: Database): RegistryStore {
  const selector = createSelector(db);
  return {
    ...selector,
    ...createNodes(db),
    ...createLinks(db),
    ...createEntries(db),
    ...createCatalogue(db, selector),
    ...createRatios(db),
    ...createSummaries(db),
    changesOfNode: (id, scope, limit) =>
      db.read(async (client) => {
        if (!isId(id) || (await client.query(registrySql.nodeKind, [id, segments(scope)])).rows.length === 0)
          return undefined;
        return ((await client.query(registrySql.changes, ['node', id, limit])).rows as Row[]).map(changeOf);
      }),
    changesOfMeter: (id, scope, limit) =>
      db.read(async (client) => {
        if (!isId(id) || (await client.query(registrySql.entry, [id, segments(scope)])).rows.length === 0)
          return undefined;
        return ((await client.query(registrySql.meterChanges, [id, limit])).rows as Row[]).map(changeOf);
      }),
  };
}
