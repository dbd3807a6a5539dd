/**
 * Restore: all of a backup or nothing. One transaction makes the schema of the backup's version (where another one or
 * none is there), fills the tables and checks row counts and checksums; what came out wrong leaves no trace. Then the
 * usual migrations bring it up to this program's version.
 */

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { finished, pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams';
import { applyWithin, lockMigrations, type Migration, migrate } from '../migrate.ts';
import { migrations as ours } from '../schema/migrations.ts';
import type { Progress } from './backup.ts';
import { hasCitus, partitions, qualified, quote, schemaVersion, settle, type TableShape, tables } from './catalogue.ts';
import {
  BackupError,
  boundForm,
  Header,
  Manifest,
  parseRecord,
  type Read,
  readRecords,
  TableBegin,
  TableEnd,
} from './format.ts';

export interface RestoreOptions {
  readonly file: string;
  readonly url: string;
  /** Replaces what the database holds. */
  readonly force?: boolean;
  readonly progress?: (progress: Progress) => void;
  readonly migrations?: readonly Migration[];
}

export interface RestoreResult extends Manifest {
  readonly takenAt: string;
  /** Schema of the backup; the database now has this program's. */
  readonly schema: number;
}

/** @throws BackupError with a sentence; the database is then as it was. */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const { file, url, migrations = ours } = options;
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'amiable restore',
  });
  client.on('error', () => {});
  await client.connect();
  let result: RestoreResult;
  const input = createReadStream(file, { highWaterMark: 2 ** 18 });
  const unpacked = createGunzip({ chunkSize: 256 * 1024 });
  const reading = pipeline(input, unpacked);
  // The reader hears of it through `unpacked`; nobody waits for this promise until then.
  reading.catch(() => {});
  // A cut file may end the work while zlib is still on its last chunk: it then reports to a stream nobody listens to.
  input.on('error', () => {});
  unpacked.on('error', () => {});
  try {
    await settle(client);
    await refuseInUse(client);
    const records = readRecords(unpacked);
    const first = await records.next();
    if (first.done || first.value.kind !== 'H') throw new BackupError(`${file} is not a backup of Amiable.`);
    const header = parseRecord(Header, first.value);
    await client.query('begin');
    result = await fill(client, header, records, { ...options, migrations });
    await reading;
    await client.query('commit');
  } catch (error) {
    // Its end rolls the connection back; a rollback would wait for a COPY that waits for us.
    throw explain(error, file);
  } finally {
    input.destroy();
    unpacked.destroy();
    await client.end().catch(() => {});
  }
  await migrate({ url, migrations });
  return result;
}

/**
 * A program that works with the database remembers numbers of registers and layouts; after a restore under its feet it
 * would write values under wrong ones.
 */
async function refuseInUse(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::integer as n from pg_catalog.pg_stat_activity
      where datname = current_database() and application_name = 'amiable' and pid <> pg_backend_pid()`,
  );
  if ((rows[0]?.n ?? 0) > 0) throw new BackupError('Amiable runs on this database. End it first, then restore.');
}

async function fill(
  client: pg.Client,
  header: Header,
  records: AsyncGenerator<Read, void>,
  options: RestoreOptions & { readonly migrations: readonly Migration[] },
): Promise<RestoreResult> {
  const { migrations, force = false, progress } = options;
  if (header.schema > migrations.length) {
    throw new BackupError(
      `The backup was made by a newer Amiable (schema ${header.schema}; this program knows up to ${migrations.length}). ` +
        'Update Amiable first.',
    );
  }
  await lockMigrations(client);
  await makeRoom(client, header.schema, migrations, force);
  await makePartitions(client, header);
  const shapes = new Map((await tables(client)).map((shape) => [shape.table, shape]));

  let part: Part | undefined;
  let manifest: Manifest | undefined;
  let total = 0;
  const sums = new Map<string, number>();
  for await (const read of records) {
    if (manifest) throw new BackupError('The backup is damaged: something follows its end. Use another copy.');
    if (part ? read.kind !== 'D' && read.kind !== 'E' : read.kind !== 'T' && read.kind !== 'M') {
      throw new BackupError(`The backup is damaged: an unexpected record ${read.kind}. Use another copy.`);
    }
    if (read.kind === 'T') part = begin(client, shapes, parseRecord(TableBegin, read));
    else if (read.kind === 'M') manifest = parseRecord(Manifest, read);
    else if (part && read.kind === 'D') {
      part.bytes += read.body.length;
      total += read.body.length;
      part.hash.update(read.body);
      await write(part, read.body);
      progress?.({ table: part.table, bytes: total });
    } else if (part) {
      const end = parseRecord(TableEnd, read);
      await complete(part, end);
      sums.set(part.table, (sums.get(part.table) ?? 0) + end.rows);
      part = undefined;
    }
  }
  if (!manifest) throw new BackupError('The backup is incomplete: its end is missing. Use another copy.');
  for (const { table, rows } of manifest.tables) {
    if (!shapes.has(table)) throw new BackupError(`The backup's table ${table} is unknown to its schema.`);
    const { rows: counted } = await client.query<{ n: string }>(`select count(*) as n from ${qualified(table)}`);
    if (sums.get(table) !== rows || Number(counted[0]?.n) !== rows) {
      throw new BackupError(`The backup is damaged: table ${table} should have ${rows} rows. Use another copy.`);
    }
  }
  await setSequences(client, manifest);
  return { ...manifest, takenAt: header.takenAt, schema: header.schema };
}

/** Leaves the schema of the backup's version with empty tables. */
async function makeRoom(
  client: pg.Client,
  wanted: number,
  migrations: readonly Migration[],
  force: boolean,
): Promise<void> {
  const present = await schemaVersion(client);
  if (present > migrations.length) {
    throw new BackupError(
      `The database was made by a newer Amiable (schema ${present}). Update this program, or use an empty database.`,
    );
  }
  const filled: string[] = [];
  if (present > 0) {
    const shapes = await tables(client);
    const seeded = seededBy(migrations);
    for (const { table } of shapes) {
      if (seeded.has(table)) continue;
      const { rows } = await client.query<{ some: boolean }>(`select exists (select from ${qualified(table)}) as some`);
      if (rows[0]?.some) filled.push(table);
    }
    if (filled.length > 0 && !force) {
      throw new BackupError(
        `The database is not empty (${filled.slice(0, 5).join(', ')} hold data). Restore into an empty one, ` +
          'or use --force to replace everything in it.',
      );
    }
    if (present === wanted) {
      await empty(client, shapes);
      return;
    }
    await client.query('drop schema amiable cascade');
  }
  await applyWithin(client, migrations.slice(0, wanted), await hasCitus(client));
  await empty(client, await tables(client));
}

/** Tables that have rows in a database in which nothing was done yet. */
const seededBy = (migrations: readonly Migration[]): ReadonlySet<string> =>
  new Set(
    migrations.flatMap(({ sql }) => [...sql.matchAll(/insert into amiable\.(\w+)/gi)].map((m) => m[1] as string)),
  );

/** The backup brings the rows of a new schema too, as they became. */
async function empty(client: pg.Client, shapes: readonly TableShape[]): Promise<void> {
  if (shapes.length > 0) await client.query(`truncate ${shapes.map((s) => qualified(s.table)).join(', ')}`);
}

async function makePartitions(client: pg.Client, header: Header): Promise<void> {
  const there = new Map((await partitions(client)).map((p) => [p.table, p]));
  const parents = new Set((await tables(client)).filter((t) => t.key).map((t) => t.table));
  for (const { table, parent, bound } of header.partitions) {
    const same = there.get(table);
    if (same?.parent === parent && same.bound === bound) continue;
    if (!parents.has(parent) || !boundForm.test(bound) || same) {
      throw new BackupError(`The backup's partition ${table} of ${parent} does not fit this database.`);
    }
    await client.query(`create table ${qualified(table)} partition of ${qualified(parent)} ${bound}`);
  }
}

interface Part {
  readonly table: string;
  readonly copy: CopyStreamQuery;
  readonly hash: Hash;
  readonly done: Promise<void>;
  /** What the server said against it. */
  failure?: unknown;
  /** Ends the write that is under way: a connection that is gone drains no more. */
  interrupt?: (error: unknown) => void;
  bytes: number;
}

function begin(client: pg.Client, shapes: ReadonlyMap<string, TableShape>, { table, columns }: TableBegin): Part {
  const shape = shapes.get(table);
  const unknown = columns.find((column) => !shape?.columns.includes(column));
  if (!shape || unknown !== undefined) {
    throw new BackupError(`The backup's table ${table} (${unknown ?? 'as a whole'}) is unknown to its schema.`);
  }
  const list = columns.map(quote).join(', ');
  const copy = client.query(copyFrom(`copy ${qualified(table)} (${list}) from stdin (format binary)`));
  const part: Part = { table, copy, hash: createHash('sha256'), done: finished(copy), bytes: 0 };
  // A refusal is met at the next write or at the end.
  part.done.catch((error) => {
    part.failure = error;
    part.interrupt?.(error);
  });
  return part;
}

async function write(part: Part, body: Buffer): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      part.copy.write(body, (error) => (error ? reject(error) : resolve()));
      part.interrupt = reject;
    });
  } catch (error) {
    // After a refusal the stream has no connection any more, and says only that.
    throw part.failure ?? error;
  }
}

async function complete(part: Part, end: TableEnd): Promise<void> {
  if (part.hash.digest('hex') !== end.sha256 || part.bytes !== end.bytes) {
    throw new BackupError(`The backup is damaged: the checksum of table ${part.table} is wrong. Use another copy.`);
  }
  if (part.failure) throw part.failure;
  part.copy.end();
  await part.done;
  if (part.copy.rowCount !== end.rows) {
    throw new BackupError(`The backup is damaged: table ${part.table} should have ${end.rows} rows. Use another copy.`);
  }
}

async function setSequences(client: pg.Client, manifest: Manifest): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select sequencename::text as name from pg_sequences where schemaname = 'amiable'`,
  );
  const known = new Set(rows.map((row) => row.name));
  for (const { name, value } of manifest.sequences) {
    if (!known.has(name)) throw new BackupError(`The backup's sequence ${name} is unknown to its schema.`);
    await client.query('select setval($1::regclass, $2::bigint, true)', [qualified(name), value]);
  }
}

function explain(error: unknown, file: string): unknown {
  if (error instanceof BackupError) return error;
  const code = (error as { code?: string }).code;
  if (code === 'ENOENT') return new BackupError(`There is no file ${file}.`, { cause: error });
  if (code === 'EACCES') return new BackupError(`You may not read ${file}.`, { cause: error });
  if (code === 'EISDIR') return new BackupError(`${file} is a folder, not a backup.`, { cause: error });
  if (code === 'Z_BUF_ERROR') {
    return new BackupError(`The backup is incomplete: ${file} ends in the middle. Use another copy.`, { cause: error });
  }
  if (code?.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new BackupError(`${file} is damaged or not a backup of Amiable. Use another copy.`, { cause: error });
  }
  if (code === '53100') {
    return new BackupError('The disk of the database is full; nothing was changed. Free some space and try again.', {
      cause: error,
    });
  }
  if (code?.startsWith('22') || code?.startsWith('23') || code === '08P01') {
    return new BackupError(`The backup is damaged: ${(error as Error).message}. Nothing was changed.`, {
      cause: error,
    });
  }
  return error;
}
