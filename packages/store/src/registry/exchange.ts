/** What imports and exports ask of the database besides the load itself: definitions, runs, and the registry in pages. */
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { bulkSql } from '../sql/bulk.ts';
import { exportSql } from '../sql/export.ts';
import { type Bulk, createBulk } from './bulk.ts';

export interface AttributeDefinition {
  /** `meter` or a kind of node. */
  readonly object: string;
  readonly name: string;
  readonly type: 'text' | 'number' | 'boolean' | 'date' | 'choice';
  readonly required: boolean;
  readonly lowest: number | null;
  readonly highest: number | null;
  readonly choices: readonly string[];
}

export const IMPORT_STATES = ['receiving', 'running', 'done', 'refused', 'failed', 'cancelled', 'interrupted'] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** One import, as it is kept. Times are epoch ms. */
export interface ImportRun {
  readonly id: string;
  readonly state: ImportState;
  readonly dry: boolean;
  readonly name: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Segments of who asked; null: all. */
  readonly segments: readonly number[] | null;
  readonly who: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly report: unknown;
}

export type ExportPart =
  | { readonly of: 'node'; readonly kind: string }
  | { readonly of: 'stay' | 'ratio' | 'type' | 'meter' | 'connection' | 'behind' | 'installed' | 'served' };
/** Columns as the statements name them. */
export type ExportRow = Readonly<Record<string, unknown>>;

export interface ExchangeStore extends Bulk {
  attributes(): Promise<AttributeDefinition[]>;
  /** Names of segments with their ids. */
  segments(): Promise<ReadonlyMap<string, number>>;
  beginRun(run: Pick<ImportRun, 'dry' | 'name' | 'detail' | 'segments' | 'who' | 'startedAt'>): Promise<string>;
  setRun(id: string, state: ImportState, endedAt: number | null, report: unknown): Promise<void>;
  /** Runs of a program that ended are marked so. */
  interrupt(at: number): Promise<void>;
  run(id: string): Promise<ImportRun | undefined>;
  runs(page: { readonly before?: string; readonly limit: number }): Promise<ImportRun[]>;
  /** Rows of one part in pages of `limit` objects; an object's rows never part. With `meters`, pages of ids take the place of all meters. */
  pages(
    part: ExportPart,
    scope: Scope,
    limit: number,
    meters?: AsyncIterable<readonly string[]>,
  ): AsyncGenerator<readonly ExportRow[]>;
}

export function createExchangeStore(db: Database): ExchangeStore {
  const bulk = createBulk(db);
  const rowsOf = async (text: string, values: unknown[]): Promise<Record<string, unknown>[]> =>
    (await db.read((client: Client) => client.query(text, values))).rows as Record<string, unknown>[];
  const time = (value: unknown): number | null => (value === null ? null : (value as Date).getTime());
  const asRun = (row: Record<string, unknown>): ImportRun => ({
    id: row.id as string,
    state: row.state as ImportState,
    dry: row.dry as boolean,
    name: row.name as string | null,
    detail: row.detail as Record<string, unknown>,
    segments: row.segments as number[] | null,
    who: row.who as string | null,
    startedAt: time(row.started_at) as number,
    endedAt: time(row.ended_at),
    report: row.report,
  });

  async function* ids(text: string, scope: readonly number[] | null, limit: number): AsyncGenerator<readonly string[]> {
    for (let after = '0'; ; ) {
      const found = (await rowsOf(text, [scope, after, limit])).map((row) => row.id as string);
      if (found.length === 0) return;
      yield found;
      after = found.at(-1) as string;
    }
  }

  return {
    ...bulk,
    async attributes() {
      return (await rowsOf(bulkSql.attributes, [])) as unknown as AttributeDefinition[];
    },
    async segments() {
      return new Map((await rowsOf(bulkSql.segments, [])).map((row) => [row.name as string, row.id as number]));
    },
    async beginRun(run) {
      const rows = await db.write((client) =>
        client.query(bulkSql.beginRun, [
          run.dry,
          run.name,
          JSON.stringify(run.detail),
          run.segments === null ? null : [...run.segments],
          run.who,
          new Date(run.startedAt).toISOString(),
        ]),
      );
      return (rows.rows[0] as { id: string }).id;
    },
    async setRun(id, state, endedAt, report) {
      await db.write((client) =>
        client.query(bulkSql.setRun, [
          id,
          state,
          endedAt === null ? null : new Date(endedAt).toISOString(),
          report === undefined ? null : JSON.stringify(report),
        ]),
      );
    },
    async interrupt(at) {
      await db.write((client) => client.query(bulkSql.interrupted, [new Date(at).toISOString()]));
    },
    async run(id) {
      const [row] = await rowsOf(bulkSql.run, [id]);
      return row ? asRun(row) : undefined;
    },
    async runs({ before, limit }) {
      return (await rowsOf(bulkSql.runs, [before ?? '9223372036854775807', limit])).map(asRun);
    },
    async *pages(part, scope, limit, meters) {
      const seen = scope === 'all' ? null : [...scope];
      if (part.of === 'node' || part.of === 'type') {
        for (let after = '0'; ; ) {
          const rows =
            part.of === 'node'
              ? await rowsOf(exportSql.nodes, [part.kind, seen, after, limit])
              : await rowsOf(exportSql.types, [after, limit]);
          if (rows.length === 0) return;
          yield rows;
          after = String((rows.at(-1) as { id: unknown }).id);
        }
      }
      const source =
        part.of === 'stay'
          ? ids(exportSql.nodeIds, seen, limit)
          : part.of === 'ratio'
            ? ids(exportSql.pointIds, seen, limit)
            : (meters ?? ids(exportSql.meterIds, seen, limit));
      for await (const page of source) {
        const of = [...page];
        if (of.length === 0) continue;
        if (part.of === 'ratio') yield await rowsOf(exportSql.ratios, [of]);
        else if (part.of === 'stay') yield await rowsOf(exportSql.stays, [of, seen]);
        else if (part.of === 'meter') yield await rowsOf(exportSql.meters, [of, seen]);
        else if (part.of === 'behind') yield await rowsOf(exportSql.behind, [of, seen]);
        else if (part.of === 'connection') yield await rowsOf(exportSql.connections, [of, seen]);
        else yield await rowsOf(exportSql.atNodes, [of, seen, part.of]);
      }
    },
  };
}
