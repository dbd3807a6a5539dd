/**
 * Bulk import into the registry: rows are staged by COPY, checked as sets, and applied, all in one transaction. Nothing of a file is
 * there before all of it is; a program that dies in between leaves nothing but an empty staging table.
 *
 * Decides: a row that refuses costs the file (or, asked so, only itself); a first fill of many meters drops the indexes that are not
 * unique and builds them after, which is ten times faster but keeps others from these tables meanwhile. Leaves out: what a file is
 * (apps/central), and words for people: a refusal is a code with what it names.
 */
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { bulkSql, type StagedTable } from '../sql/bulk.ts';
import { createStagedRows, type StagedRows } from './bulk-rows.ts';

export type BulkFaultCode =
  | 'twice'
  | 'foreign'
  | 'unknown'
  | 'overlap'
  | 'collides'
  | 'incomplete'
  | 'lacking'
  | 'channel-twice'
  | 'channel-taken'
  | 'chain'
  | 'ring';

export interface BulkFault {
  readonly line: number;
  readonly code: BulkFaultCode;
  readonly field: string;
  /** The line it repeats, the name that nobody knows, or the time of the stay it meets. */
  readonly detail: string | null;
}

export interface BulkCount {
  readonly kind: string;
  readonly rows: number;
  readonly inserted: number;
  readonly changed: number;
}

export type BulkPhase = 'reading' | 'checking' | 'writing' | 'indexing';

export interface BulkOptions {
  /** Only checks. */
  readonly dry?: boolean;
  /** Rows that are refused are left out, the others taken. */
  readonly takeGood?: boolean;
  /** In whose segments rows may lie and refer to. */
  readonly scope: Scope;
  /** Segment of what the file puts into none. */
  readonly segment: number;
  /** Zone of meters that have none. */
  readonly timeZone: string;
  readonly who: string | null;
  /** Epoch ms. */
  readonly at: number;
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: BulkPhase) => void;
  /** How many new rows of a table make its indexes be dropped and built anew; default 50,000, and more than are there. */
  readonly rebuildFrom?: number;
}

export interface BulkLoad {
  readonly rows: StagedRows;
  /** To be awaited now and then: what waits goes to the database. */
  flush(): Promise<void>;
}

export interface BulkResult {
  /** False: refused or only checked; nothing was changed. */
  readonly applied: boolean;
  readonly counts: readonly BulkCount[];
  /** In order of lines; at most MAX_BULK_FAULTS. */
  readonly faults: readonly BulkFault[];
}

export interface Bulk {
  /**
   * One import. `fill` puts all rows in and says whether the file may be applied for all that it found itself; it may be called again
   * from its beginning when the database was away.
   */
  load(fill: (load: BulkLoad) => Promise<boolean>, options: BulkOptions): Promise<BulkResult>;
}

export const MAX_BULK_FAULTS = 100_000;

/** An import was called off. Nothing was changed. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

type Check = readonly [keyof typeof bulkSql, StagedTable, BulkFaultCode];
const CHECKS: readonly Check[] = [
  ['twiceNode', 'node', 'twice'],
  ['twiceMeter', 'meter', 'twice'],
  ['twiceType', 'type', 'twice'],
  ['twiceConnection', 'connection', 'twice'],
  ['foreignNode', 'node', 'foreign'],
  ['foreignMeter', 'meter', 'foreign'],
  ['unknownType', 'meter', 'unknown'],
  ['unknownChild', 'link', 'unknown'],
  ['unknownParent', 'link', 'unknown'],
  ['unknownPoint', 'ratio', 'unknown'],
  ['unknownConnected', 'connection', 'unknown'],
  ['incompleteConnection', 'connection', 'incomplete'],
  ['lackingMeter', 'meter', 'lacking'],
  ['lackingNode', 'node', 'lacking'],
  ['channelTwice', 'link', 'channel-twice'],
  ['channelTaken', 'link', 'channel-taken'],
  ['chain', 'link', 'chain'],
  ['overlapLink', 'link', 'overlap'],
  ['overlapRatio', 'ratio', 'overlap'],
  ['collidingLink', 'link', 'collides'],
  ['collidingRatio', 'ratio', 'collides'],
];
const COUNTS = {
  node: 'countNode',
  meter: 'countMeter',
  type: 'countType',
  link: 'countLink',
  ratio: 'countRatio',
  connection: 'countConnection',
} as const;
const TABLES = Object.keys(COUNTS) as StagedTable[];
/** Rows for which no statistics are worth making. */
const FEW = 1000;
/** Takes back a whole transaction that came to its end as it should. */
class Undo extends Error {}

export function createBulk(db: Database): Bulk {
  return {
    async load(fill, options) {
      let result: BulkResult | undefined;
      try {
        await db.write(async (client) => {
          result = await run(client, fill, options);
          if (!result.applied) throw new Undo();
        });
      } catch (error) {
        if (!(error instanceof Undo)) throw error;
      }
      return result as BulkResult;
    },
  };
}

async function run(
  client: Client,
  fill: (load: BulkLoad) => Promise<boolean>,
  options: BulkOptions,
): Promise<BulkResult> {
  const step = (): void => {
    if (options.signal?.aborted) throw new Cancelled('the import was called off; nothing was changed');
  };
  options.onPhase?.('reading');
  await client.query(bulkSql.lock);
  const { rows: found } = await client.query(bulkSql.filled);
  if ((found[0] as { filled: boolean }).filled) await client.query(bulkSql.empty);
  const rows = createStagedRows();
  const good = await fill({
    rows,
    flush: async () => {
      step();
      await rows.flush(client);
    },
  });
  step();
  await rows.flush(client, true);
  options.onPhase?.('checking');
  await client.query(bulkSql.lockTree);
  await client.query(bulkSql.sorting);
  const used = TABLES.filter((table) => rows.counts[table] > 0);
  for (const table of used) if (rows.counts[table] > FEW) await client.query(bulkSql.analyze(table));
  const scope = options.scope === 'all' ? null : [...options.scope];
  await identify(client, scope, used);
  if (used.includes('link')) await client.query(bulkSql.dropLoose);
  const faults = await check(client, scope, used, options.takeGood ?? false, step);
  const counts: BulkCount[] = [];
  for (const table of used) {
    step();
    const { rows: found } = await client.query(bulkSql[COUNTS[table]]);
    for (const row of found as { kind: string; rows: number; fresh: number; changed: number }[])
      counts.push({ kind: row.kind, rows: row.rows, inserted: row.fresh, changed: row.changed });
  }
  if (options.dry || !good || (faults.length > 0 && !options.takeGood)) return { applied: false, counts, faults };
  options.onPhase?.('writing');
  const ring = await apply(client, scope, used, counts, options, step);
  if (ring) return { applied: false, counts, faults: [...faults, ring] };
  if (TABLES.some((table) => rows.counts[table] > FEW)) await client.query(bulkSql.empty);
  else for (const table of used) await client.query(bulkSql.clear(table));
  return { applied: true, counts, faults };
}

async function identify(client: Client, scope: readonly number[] | null, used: readonly StagedTable[]): Promise<void> {
  if (used.includes('node')) await client.query(bulkSql.findNodes);
  if (used.includes('meter')) await client.query(bulkSql.findMeters);
  await resolve(client, scope, used);
}

/** Names of what is stored become ids. */
async function resolve(client: Client, scope: readonly number[] | null, used: readonly StagedTable[]): Promise<void> {
  if (used.includes('link'))
    for (const text of [
      bulkSql.findChildMeters,
      bulkSql.findChildNodes,
      bulkSql.findParentMeters,
      bulkSql.findParentNodes,
    ])
      await client.query(text, [scope]);
  if (used.includes('ratio')) await client.query(bulkSql.findPoints, [scope]);
  if (used.includes('connection')) await client.query(bulkSql.findConnected, [scope]);
}

/** Where refused rows are left out, others may have referred to them: checked again until nothing more is found. */
async function check(
  client: Client,
  scope: readonly number[] | null,
  used: readonly StagedTable[],
  takeGood: boolean,
  step: () => void,
): Promise<BulkFault[]> {
  const faults: BulkFault[] = [];
  const told = new Set<string>();
  for (let again = true; again && faults.length < MAX_BULK_FAULTS; ) {
    again = false;
    for (const [name, table, code] of CHECKS) {
      if (!used.includes(table)) continue;
      for (;;) {
        step();
        const most = Math.min(20_000, MAX_BULK_FAULTS - faults.length);
        if (most <= 0) break;
        const needsScope = name === 'foreignNode' || name === 'foreignMeter';
        const { rows } = await client.query(bulkSql[name] as string, needsScope ? [most, scope] : [most]);
        const found = rows as { line: number; field: string; detail: string | null }[];
        for (const { line, field, detail } of found) {
          const key = `${line} ${name}`;
          if (!told.has(key)) faults.push({ line, code, field, detail });
          told.add(key);
        }
        if (!takeGood || found.length === 0) break;
        again = true;
        const lines = [...new Set(found.map((fault) => fault.line))];
        // A line may have put rows into several tables (a meter and where it stands): they go together.
        for (const each of used) await client.query(bulkSql.refuse(each), [lines]);
        if (found.length < most) break;
      }
    }
    if (!takeGood) break;
  }
  return faults.sort((a, b) => a.line - b.line);
}

async function apply(
  client: Client,
  scope: readonly number[] | null,
  used: readonly StagedTable[],
  counts: readonly BulkCount[],
  options: BulkOptions,
  step: () => void,
): Promise<BulkFault | undefined> {
  const { who, segment, timeZone } = options;
  const at = new Date(options.at).toISOString();
  const inserted = (...kinds: string[]): number =>
    counts.reduce((sum, c) => sum + (kinds.length === 0 || kinds.includes(c.kind) ? c.inserted : 0), 0);
  const links = inserted('under', 'installed', 'behind', 'served');
  const meters = inserted('meter');
  const nodes = inserted() - links - meters - inserted('meter-type', 'ratio', 'connection');
  const does = async (text: string, values: readonly unknown[] = []): Promise<void> => {
    step();
    await client.query(text, [...values]);
  };
  const indexes: { name: string; definition: string }[] = [];
  const least = options.rebuildFrom ?? 50_000;
  for (const [table, fresh] of [
    ['node', nodes],
    ['meter', meters],
    ['link', links],
  ] as const) {
    if (fresh < least) continue;
    const { rows: stored } = await client.query(bulkSql.stored(table), [fresh]);
    if ((stored[0] as { n: number }).n >= fresh) continue;
    const { rows } = await client.query(bulkSql.indexes, [`amiable.${table}`]);
    for (const index of rows as { name: string; definition: string }[]) {
      await does(bulkSql.dropIndex(index.name));
      indexes.push(index);
    }
  }
  if (used.includes('type')) {
    await does(bulkSql.updateType);
    await does(bulkSql.insertType);
  }
  if (used.includes('node')) {
    await does(bulkSql.logNode, [who, at]);
    await does(bulkSql.logPerson, [who, at]);
    await does(bulkSql.updateNode);
    await does(bulkSql.insertNode, [segment, at]);
    if (nodes > 0) await does(bulkSql.findNodes);
    await does(bulkSql.updatePremises);
    await does(bulkSql.insertPremises);
  }
  if (used.includes('meter')) {
    await does(bulkSql.logMeter, [who, at]);
    await does(bulkSql.updateMeter);
    await does(bulkSql.insertMeter, [timeZone, segment]);
  }
  await resolve(client, scope, used);
  if (used.includes('link')) {
    await does(bulkSql.closeLink, [who, at]);
    await does(bulkSql.replaceLink, [who, at]);
    await does(bulkSql.insertLink, [who, at]);
    await does(bulkSql.setParents);
  }
  if (used.includes('ratio')) {
    await does(bulkSql.closeRatio, [who, at]);
    await does(bulkSql.replaceRatio, [who, at]);
    await does(bulkSql.insertRatio, [who, at]);
  }
  if (used.includes('node') || used.includes('link')) {
    await does(bulkSql.setPaths);
    const { rows } = await client.query(bulkSql.ring);
    const ring = rows[0] as { kind: string; code: string } | undefined;
    if (ring) return { line: 0, code: 'ring', field: 'parent', detail: `${ring.kind} ${ring.code}` };
  }
  if (used.includes('link')) {
    await does(bulkSql.setMeterPaths, [counts.some((c) => c.kind === 'under' && c.rows > 0)]);
    await does(bulkSql.setSlavePaths);
  }
  if (used.includes('connection')) {
    await does(bulkSql.updateConnection, [at]);
    await does(bulkSql.insertConnection, [at]);
  }
  if (indexes.length > 0) {
    options.onPhase?.('indexing');
    await does(bulkSql.memory);
    for (const { definition } of indexes) await does(definition);
  }
  if (meters + nodes + links > 10_000) await does(bulkSql.analyzeStored);
  return undefined;
}
