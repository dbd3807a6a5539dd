/** Reading the transaction log: the tree by levels, lists by meter, run and words, and what changed. */
import { isInScope, type Scope } from '@amiable/model';
import type { Database } from '../pg/database.ts';
import { journalSql } from '../sql/journal.ts';
import type {
  ChangedTransaction,
  Transaction,
  TransactionKind,
  TransactionPage,
  TransactionProgress,
  TransactionQuery,
  TransactionState,
} from './types.ts';

/** Rows that a search without anything to go by looks at in one call. */
const LOOK = 200_000;
const LAST = String(2n ** 63n - 1n);

interface Row {
  readonly id: string;
  readonly parent: string | null;
  readonly run: string | null;
  readonly meter: string | null;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly changed: string;
  readonly kind: TransactionKind;
  readonly state: TransactionState;
  readonly text: string;
  readonly detail: unknown;
  readonly segment: number | null;
  readonly children: number;
}

function transaction(row: Row): Transaction {
  return {
    id: row.id,
    kind: row.kind,
    ...(row.parent === null ? {} : { parent: row.parent }),
    ...(row.run === null ? {} : { run: row.run }),
    ...(row.meter === null ? {} : { meter: row.meter }),
    started: row.started_at.getTime(),
    ...(row.ended_at === null ? {} : { ended: row.ended_at.getTime() }),
    state: row.state,
    text: row.text,
    ...(row.detail === null ? {} : { detail: row.detail }),
    children: row.children,
  };
}

const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
const pattern = (words: string): string =>
  `%${words
    .trim()
    .replace(/[\\%_]/g, '\\$&')
    .replace(/\s+/g, '%')}%`;

export async function listTransactions(db: Database, query: TransactionQuery): Promise<TransactionPage> {
  const q = query.q === undefined || query.q.trim() === '' ? null : pattern(query.q);
  const before = query.before ?? LAST;
  const values = (bound: string, where: string | null): unknown[] => [
    segments(query.scope),
    query.kind ?? null,
    query.state ?? null,
    iso(query.from),
    iso(query.to),
    q,
    bound,
    query.limit + 1,
    where,
  ];
  return db.read(async (client) => {
    let text: string = journalSql.roots;
    let bound: unknown[];
    let end: string | undefined;
    if (query.parent !== undefined) {
      text = journalSql.children;
      bound = values(query.after ?? query.parent, query.parent);
    } else if (query.run !== undefined) {
      text = journalSql.ofRun;
      bound = values(before, query.run);
    } else if (query.meter !== undefined) {
      text = journalSql.ofMeter;
      bound = values(before, query.meter);
    } else if (q !== null || (query.kind !== undefined && query.kind !== 'flow' && query.kind !== 'command')) {
      const back = (await client.query(journalSql.back, [before, LOOK])).rows[0] as { id: string | null; n: number };
      if (back.id === null) return { transactions: [] };
      if (back.n === LOOK) end = back.id;
      text = journalSql.all;
      bound = values(before, back.id);
    } else bound = values(before, null);
    const rows = (await client.query({ text, values: bound })).rows as Row[];
    const more = rows.length > query.limit;
    const transactions = rows.slice(0, query.limit).map(transaction);
    const next = more ? transactions.at(-1)?.id : end;
    return { transactions, ...(next === undefined ? {} : { next }) };
  });
}

export async function getTransaction(db: Database, id: string, scope: Scope): Promise<Transaction | undefined> {
  const { rows } = await db.read((client) => client.query(journalSql.get, [segments(scope), id]));
  return rows.length > 0 ? transaction(rows[0] as Row) : undefined;
}

export async function changedTransactions(
  db: Database,
  after: string,
  parents: readonly string[],
  limit: number,
): Promise<ChangedTransaction[]> {
  const { rows } = await db.read((client) => client.query(journalSql.changed, [after, parents, limit]));
  return (rows as (Row & { run_name: string | null; run_scope: number[] | null })[]).map((row) => ({
    ...transaction(row),
    changed: row.changed,
    ...(row.segment === null ? {} : { segment: row.segment }),
    ...(row.run_name === null ? {} : { of: { name: row.run_name, scope: row.run_scope ?? 'all' } }),
  }));
}

/** An entry as somebody sees it, by the rules of the statements; undefined: not at all. */
export function seenIn(row: ChangedTransaction, scope: Scope): ChangedTransaction | undefined {
  if (scope === 'all') return row;
  if (row.meter !== undefined) return row.segment !== undefined && isInScope(scope, row.segment) ? row : undefined;
  if (row.run === undefined) return row;
  if (row.of === undefined) return undefined;
  const { name, scope: touched } = row.of;
  if (touched !== 'all' && !touched.some((segment) => scope.includes(segment))) return undefined;
  if (touched !== 'all' && touched.every((segment) => scope.includes(segment))) return row;
  const { detail: _, ...rest } = row;
  return { ...rest, text: name };
}

export async function progressOf(
  db: Database,
  parents: readonly string[],
  scope: Scope,
): Promise<Map<string, TransactionProgress>> {
  const found = new Map<string, Record<string, number>>();
  if (parents.length === 0) return found;
  const { rows } = await db.read((client) => client.query(journalSql.progress, [segments(scope), parents]));
  for (const { parent, state, n } of rows as { parent: string; state: string; n: number }[]) {
    const counts = found.get(parent) ?? {};
    counts[state] = n;
    found.set(parent, counts);
  }
  return found;
}
