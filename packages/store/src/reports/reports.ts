/** Reports that people have set up, and those that were made. */
import type { Scope } from '@amiable/model';
import type { Database } from '../pg/database.ts';
import { reportSql } from '../sql/reports.ts';

export const REPORT_FORMATS = ['html', 'xlsx', 'csv', 'text'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface Report {
  readonly id: number;
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly version: number;
  /** Of who wrote this version: whose it is, and no more goes into it; null: all. */
  readonly segments: readonly number[] | null;
  readonly creator: string;
  readonly changed: number;
}

/** Where a report went: a file, an address, a printer; and what came of it. */
export interface ReportOutput {
  readonly to: string;
  /** null: it arrived. */
  readonly fault: string | null;
}

export interface NewResult {
  readonly report: number | null;
  readonly name: string;
  readonly kind: string;
  readonly format: ReportFormat;
  readonly lines: number;
  readonly made: number;
  readonly who: string;
  readonly scope: Scope;
  readonly content: Uint8Array;
}

export interface ReportResult {
  readonly id: string;
  readonly report: number | null;
  readonly name: string;
  readonly kind: string;
  readonly format: ReportFormat;
  readonly lines: number;
  readonly made: number;
  readonly who: string;
  readonly outputs: readonly ReportOutput[];
  readonly bytes: number;
}

export interface ReportStore {
  list(page: { readonly after?: string; readonly limit: number; readonly scope: Scope }): Promise<readonly Report[]>;
  get(id: number, scope: Scope): Promise<Report | undefined>;
  byName(name: string, scope: Scope): Promise<Report | undefined>;
  /** Makes it, or a new version of the one of this name. */
  put(name: string, definition: object, by: string, at: number, scope: Scope): Promise<Report>;
  remove(id: number): Promise<boolean>;
  keep(result: NewResult): Promise<string>;
  delivered(id: string, outputs: readonly ReportOutput[]): Promise<void>;
  /** Newest first. */
  results(query: {
    readonly report?: number;
    readonly before?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly ReportResult[]>;
  result(id: string, scope: Scope): Promise<(ReportResult & { readonly content: Buffer }) | undefined>;
  /** Lets go what was made before. @returns how many */
  prune(before: number): Promise<number>;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);

function resultOf(row: Record<string, unknown>): ReportResult {
  const { segments: _, content: __, ...rest } = row;
  return rest as unknown as ReportResult;
}

export function createReportStore(db: Database): ReportStore {
  const rows = async <T>(text: string, values: readonly unknown[]): Promise<T[]> =>
    db.read(async (client) => (await client.query(text, [...values])).rows as T[]);
  const change = async <T>(text: string, values: readonly unknown[]): Promise<T[]> =>
    db.write(async (client) => (await client.query(text, [...values])).rows as T[]);
  return {
    list: ({ after = '', limit, scope }) => rows<Report>(reportSql.list, [after, limit, segments(scope)]),
    get: async (id, scope) => (await rows<Report>(reportSql.get, [id, segments(scope)]))[0],
    byName: async (name, scope) => (await rows<Report>(reportSql.byName, [name, segments(scope)]))[0],
    put: async (name, definition, by, at, scope) =>
      (
        await change<Report>(reportSql.put, [name, JSON.stringify(definition), by, iso(at), segments(scope)])
      )[0] as Report,
    remove: async (id) => (await change(reportSql.remove, [id])).length > 0,
    async keep({ report, name, kind, format, lines, made, who, scope, content }) {
      const values = [report, name, kind, format, lines, iso(made), who, segments(scope), '[]', Buffer.from(content)];
      return ((await change<{ id: string }>(reportSql.keep, values))[0] as { id: string }).id;
    },
    async delivered(id, outputs) {
      await change(reportSql.outputs, [id, JSON.stringify(outputs)]);
    },
    async results({ report, before, limit, scope }) {
      const found = await rows<Record<string, unknown>>(reportSql.results, [
        before ?? null,
        report ?? null,
        limit,
        segments(scope),
      ]);
      return found.map(resultOf);
    },
    async result(id, scope) {
      const [row] = await rows<Record<string, unknown>>(reportSql.result, [id, segments(scope)]);
      return row && { ...resultOf(row), content: row.content as Buffer };
    },
    prune: async (before) => (await change(reportSql.prune, [iso(before)])).length,
  };
}
