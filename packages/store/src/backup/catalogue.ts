/** What a database holds, as the catalogue tells: tables in the order in which they can be filled, and what they need. */
import type pg from 'pg';

export interface TableShape {
  readonly table: string;
  /** Without generated columns: the database computes those itself. */
  readonly columns: readonly string[];
  /** The column that partitions it, with its type; undefined for a plain table. */
  readonly key?: { readonly column: string; readonly type: string };
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const qualified = (table: string): string => `amiable.${quote(table)}`;

/** The schema version that is applied; 0 for an empty database. */
export async function schemaVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ present: boolean }>(
    `select exists (select from pg_tables where schemaname = 'amiable' and tablename = 'migration') as present`,
  );
  if (!rows[0]?.present) return 0;
  const { rows: found } = await client.query<{ version: number | null }>(
    'select max(version) as version from amiable.migration',
  );
  return found[0]?.version ?? 0;
}

/**
 * Tables with data of their own (unlogged ones are scratch, partitions come with their table, amiable.migration is the
 * runner's), those first that others refer to.
 */
export async function tables(client: pg.ClientBase): Promise<TableShape[]> {
  const { rows } = await client.query<{ table: string; columns: string[]; key: string | null; type: string | null }>(`
    select c.relname::text as table,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
      k.attname::text as key, format_type(k.atttypid, null) as type
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_partitioned_table p on p.partrelid = c.oid and p.partstrat = 'r' and p.partnatts = 1
    left join pg_attribute k on k.attrelid = c.oid and k.attnum = p.partattrs[0]
    where n.nspname = 'amiable' and c.relkind in ('r', 'p') and not c.relispartition
      and c.relpersistence = 'p' and c.relname <> 'migration'
    order by c.relname`);
  const { rows: references } = await client.query<{ from: string; to: string }>(`
    select f.relname::text as from, t.relname::text as to
    from pg_constraint x
    join pg_class f on f.oid = x.conrelid
    join pg_class t on t.oid = x.confrelid
    join pg_namespace n on n.oid = f.relnamespace
    where x.contype = 'f' and n.nspname = 'amiable' and f.oid <> t.oid`);
  const byName = new Map(rows.map((row) => [row.table, row]));
  const order: TableShape[] = [];
  const seen = new Set<string>();
  const visit = (table: string): void => {
    const row = byName.get(table);
    if (!row || seen.has(table)) return;
    seen.add(table);
    for (const { from, to } of references) if (from === table) visit(to);
    const { columns, key, type } = row;
    order.push({ table, columns, ...(key !== null && type !== null ? { key: { column: key, type } } : {}) });
  };
  for (const { table } of rows) visit(table);
  return order;
}

export interface Partition {
  readonly table: string;
  readonly parent: string;
  readonly bound: string;
}

/** Partitions but the default ones, which the schema itself makes. */
export async function partitions(client: pg.ClientBase): Promise<Partition[]> {
  const { rows } = await client.query<Partition>(`
    select c.relname::text as table, p.relname::text as parent, pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_class c
    join pg_inherits i on i.inhrelid = c.oid
    join pg_class p on p.oid = i.inhparent
    join pg_namespace n on n.oid = p.relnamespace
    where n.nspname = 'amiable' and c.relispartition and c.relkind = 'r' and p.relpersistence = 'p'
      and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
    order by p.relname, c.relname`);
  return rows;
}

export async function sequences(client: pg.ClientBase): Promise<{ name: string; value: string }[]> {
  const { rows } = await client.query<{ name: string; value: string }>(`
    select sequencename::text as name, last_value::text as value from pg_sequences
    where schemaname = 'amiable' and last_value is not null order by sequencename`);
  return rows;
}

export async function hasCitus(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `select exists (select from pg_extension where extname = 'citus') as there`,
  );
  return rows[0]?.there ?? false;
}

/** The same texts on every server, and patience: a backup of years may take an hour. */
export async function settle(client: pg.ClientBase): Promise<void> {
  for (const setting of [
    `time zone 'UTC'`,
    `statement_timeout = 0`,
    `idle_in_transaction_session_timeout = 0`,
    `datestyle = 'ISO'`,
  ]) {
    await client.query(`set ${setting}`);
  }
}
