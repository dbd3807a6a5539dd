/**
 * Brings a database up to the schema that this program knows: numbered migrations, each in a transaction of its own,
 * recorded with a checksum in amiable.migration. Every step takes an advisory lock for its transaction and looks again
 * what is applied, so that several roles may start at once, also through a connection pool. The same definitions run
 * everywhere; where the Citus extension is present, a migration's `distribute` statements run too, once (docs: rules of
 * distributed tables), also on a database that gets the extension later.
 *
 * It never goes back: a database made by a newer program is refused.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** create_distributed_table and create_reference_table statements for what this migration made. */
  readonly distribute?: string;
}

export interface MigrateOptions {
  readonly url: string;
  readonly migrations: readonly Migration[];
  readonly log?: (line: string) => void;
  /** Wait at most so long for tables that another program holds (ms). */
  readonly lockTimeout?: number;
}

export interface MigrateResult {
  /** Schema version before and after; 0 is an empty database. */
  readonly from: number;
  readonly to: number;
  readonly distributed: boolean;
}

/** A sentence about a database that cannot be brought up to date. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const migrationLock = 7_233_421_107;
export const oldestServer = 15;

interface Applied {
  version: number;
  checksum: string;
  distributed: boolean;
}

export const checksumOf = (migration: Migration): string =>
  createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n').trim()).digest('hex').slice(0, 32);

/** @throws MigrationError with a sentence; other errors are the database's own. */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const { url, migrations, log = () => {}, lockTimeout = 30_000 } = options;
  migrations.forEach((m, i) => {
    if (m.version !== i + 1) throw new MigrationError(`Migration ${m.version} (${m.name}) stands at place ${i + 1}.`);
  });
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'amiable migrate',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const { citus } = await checkServer(client);
    const before = await look(client, migrations);
    let next = before.length;
    while (next < migrations.length || (citus && before.some((a) => !a.distributed))) {
      const done = await step(client, migrations, { citus, lockTimeout, log });
      if (done === undefined) break;
      next = done;
    }
    return { from: before.length, to: migrations.length, distributed: citus };
  } finally {
    await client.end().catch(() => {});
  }
}

async function checkServer(client: pg.Client): Promise<{ citus: boolean }> {
  const { rows } = await client.query<{ version: string; encoding: string; citus: boolean; base: string }>(
    `select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding,
            current_database() as base, exists (select from pg_extension where extname = 'citus') as citus`,
  );
  const found = rows[0]!;
  const major = Math.floor(Number(found.version) / 10_000);
  if (major < oldestServer) {
    throw new MigrationError(
      `The database server is PostgreSQL ${major}; Amiable needs ${oldestServer} or newer. Update the server.`,
    );
  }
  if (found.encoding !== 'UTF8') {
    throw new MigrationError(
      `The database ${found.base} keeps its texts in ${found.encoding}; Amiable needs UTF8. ` +
        `Create another: create database ${found.base}_utf8 encoding 'UTF8' template template0.`,
    );
  }
  return { citus: found.citus };
}

/** What is applied, checked against what this program knows. */
async function look(client: pg.Client, migrations: readonly Migration[]): Promise<Applied[]> {
  // A query on the catalogue, not to_regclass: that may answer from a cache of before the wait for the lock.
  const { rows: there } = await client.query<{ present: boolean }>(
    `select exists (select from pg_tables where schemaname = 'amiable' and tablename = 'migration') as present`,
  );
  if (!there[0]?.present) return [];
  const { rows } = await client.query<Applied>(
    'select version, checksum, distributed from amiable.migration order by version',
  );
  const newest = rows.at(-1)?.version ?? 0;
  if (newest > migrations.length) {
    throw new MigrationError(
      `This database was made by a newer Amiable (schema ${newest}; this program knows up to ${migrations.length}). ` +
        'Update Amiable; an older program must not write to it.',
    );
  }
  rows.forEach((row, i) => {
    const known = migrations[i]!;
    if (row.version !== i + 1 || row.checksum !== checksumOf(known)) {
      throw new MigrationError(
        `Migration ${i + 1} (${known.name}) was applied to this database in another form than this program has. ` +
          'A database of an unreleased version must be made anew; for a released one, restore the program that made it.',
      );
    }
  });
  return rows;
}

interface StepOptions {
  readonly citus: boolean;
  readonly lockTimeout: number;
  readonly log: (line: string) => void;
}

/** Applies the next migration, or distributes what is not yet; undefined when there is nothing left to do. */
async function step(
  client: pg.Client,
  migrations: readonly Migration[],
  { citus, lockTimeout, log }: StepOptions,
): Promise<number | undefined> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${Math.trunc(lockTimeout)}`);
    await client.query('set local statement_timeout = 0');
    await lockMigrations(client);
    const applied = await look(client, migrations);
    const next = migrations[applied.length];
    let result: number | undefined;
    if (next) {
      log(`Bringing the database to schema ${next.version} (${next.name}).`);
      await applyWithin(client, [next], citus);
      result = next.version;
    } else if (citus) {
      const waiting = applied.find((a) => !a.distributed);
      if (waiting) {
        log(`Distributing the tables of schema ${waiting.version}.`);
        await client.query(migrations[waiting.version - 1]?.distribute ?? '');
        await client.query('update amiable.migration set distributed = true where version = $1', [waiting.version]);
        result = migrations.length;
      }
    }
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw await explain(client, error);
  }
}

/** Held to the end of the transaction: one program at a time changes the schema or replaces the data. */
export async function lockMigrations(client: pg.Client): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
}

/** Applies migrations inside the caller's transaction. */
export async function applyWithin(client: pg.Client, list: readonly Migration[], citus: boolean): Promise<void> {
  for (const next of list) {
    if (next.version === 1) await prepare(client);
    await client.query(next.sql);
    if (citus && next.distribute) await client.query(next.distribute);
    await client.query('insert into amiable.migration (version, name, checksum, distributed) values ($1, $2, $3, $4)', [
      next.version,
      next.name,
      checksumOf(next),
      citus || !next.distribute,
    ]);
  }
}

async function prepare(client: pg.Client): Promise<void> {
  // `if not exists` asks for the right to create even where the schema is there: an administrator may have made it.
  const { rows } = await client.query(`select from pg_namespace where nspname = 'amiable'`);
  if (rows.length === 0) await client.query('create schema amiable');
  await client.query(`create table if not exists amiable.migration (
    version integer primary key,
    name text not null,
    checksum text not null,
    distributed boolean not null,
    applied_at timestamptz not null default now())`);
}

async function explain(client: pg.Client, error: unknown): Promise<unknown> {
  const code = (error as { code?: string }).code;
  const who = `${client.user ?? 'the user'}`;
  const base = client.database ?? 'the database';
  const text = (error as Error).message;
  if (code === '42501') {
    return new MigrationError(
      `The database user ${who} lacks a right in ${base} (${text}). As administrator: ` +
        `alter database "${base}" owner to "${who}"; or grant create on database "${base}" to "${who}".`,
      { cause: error },
    );
  }
  if (code === '55P03') {
    return new MigrationError(
      'Another program holds tables that the new schema changes. Stop the other roles of Amiable and try again.',
      { cause: error },
    );
  }
  if (code === '53100') {
    return new MigrationError('The disk of the database is full. Free some space and start again.', { cause: error });
  }
  return error;
}
