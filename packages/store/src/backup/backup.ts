/**
 * Backup: everything in one file, from one snapshot, as a stream of constant memory. The bytes are PostgreSQL's binary
 * COPY format, which is the same from server to server for the types of our schema, so that a backup moves between the
 * embedded server and another, and between major versions.
 *
 * A cluster (Citus) collects the whole result of a COPY before it gives the first byte, so there the big tables come by
 * day; and it has no snapshot across its shards: what is written meanwhile may be in or not, table by table.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import {
  hasCitus,
  partitions,
  qualified,
  quote,
  schemaVersion,
  sequences,
  settle,
  type TableShape,
  tables,
} from './catalogue.ts';
import { BackupError, formatName, formatVersion, type Header, type Manifest, record } from './format.ts';

export interface Progress {
  readonly table: string;
  /** Of all tables so far, before compression. */
  readonly bytes: number;
}

export interface BackupOptions {
  readonly url: string;
  /** Written under another name first; an older file of this name stays until the new one is complete. */
  readonly file: string;
  /** The moment, for the header. */
  readonly now?: Date;
  readonly progress?: (progress: Progress) => void;
  /** Big tables day by day, as on a cluster; found out by itself. */
  readonly byDay?: boolean;
}

export interface BackupResult extends Manifest {
  readonly schema: number;
  readonly bytes: number;
}

/** @throws BackupError with a sentence. */
export async function backup(options: BackupOptions): Promise<BackupResult> {
  const file = resolve(options.file);
  const draft = `${file}.part`;
  if (
    await stat(file).then(
      (s) => s.isDirectory(),
      () => false,
    )
  )
    throw new BackupError(`${file} is a folder; name a file in it.`);
  const client = new pg.Client({
    connectionString: options.url,
    connectionTimeoutMillis: 10_000,
    application_name: 'amiable backup',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await settle(client);
    await client.query('begin isolation level repeatable read read only');
    const schema = await schemaVersion(client);
    if (schema === 0) throw new BackupError('There is nothing to back up: the database holds no tables of Amiable.');
    const byDay = options.byDay ?? (await hasCitus(client));
    const manifest: Manifest = { tables: [], sequences: [] };
    const header: Header = {
      format: formatName,
      version: formatVersion,
      schema,
      server: (await client.query<{ v: string }>(`select current_setting('server_version') as v`)).rows[0]?.v ?? '',
      takenAt: (options.now ?? new Date()).toISOString(),
      partitions: await partitions(client),
    };
    await rm(draft, { force: true });
    const output = createWriteStream(draft, { flags: 'wx', mode: 0o600, highWaterMark: 2 ** 20, flush: true });
    await pipeline(
      Readable.from(records(client, header, manifest, byDay, options.progress), { objectMode: true, highWaterMark: 8 }),
      // Blocks are packed already; a higher level costs much and gains little.
      createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 256 * 1024 }),
      output,
    );
    await client.query('commit');
    await rename(draft, file);
    await syncFolder(dirname(file));
    return { ...manifest, schema, bytes: output.bytesWritten };
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw explain(error, file);
  } finally {
    await client.end().catch(() => {});
  }
}

async function* records(
  client: pg.Client,
  header: Header,
  manifest: Manifest,
  byDay: boolean,
  progress: ((progress: Progress) => void) | undefined,
): AsyncGenerator<Buffer, void> {
  yield* record('H', header);
  let total = 0;
  for (const shape of await tables(client)) {
    const { table, columns } = shape;
    const list = columns.map(quote).join(', ');
    const sum = { table, rows: 0, bytes: 0 };
    for (const where of byDay ? await days(client, shape) : ['']) {
      yield* record('T', { table, columns });
      const hash = createHash('sha256');
      let bytes = 0;
      const copy = client.query(
        copyTo(`copy (select ${list} from ${qualified(table)}${where}) to stdout (format binary)`),
      );
      for await (const chunk of copy as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
        total += chunk.length;
        yield* record('D', chunk);
        progress?.({ table, bytes: total });
      }
      const rows = copy.rowCount;
      yield* record('E', { rows, bytes, sha256: hash.digest('hex') });
      sum.rows += rows;
      sum.bytes += bytes;
    }
    manifest.tables.push(sum);
  }
  manifest.sequences.push(...(await sequences(client)));
  yield* record('M', manifest);
}

const dayMs = 86_400_000;

/** One condition for each day of a partitioned table; the whole table for others, which hold little per meter. */
async function days(client: pg.Client, { table, key }: TableShape): Promise<string[]> {
  if (!key) return [''];
  // Others are of the coordinator alone, and small beside these.
  if (key.type !== 'date' && key.type !== 'timestamp with time zone') return [''];
  const column = quote(key.column);
  const asDate = key.type === 'date' ? column : `(${column} at time zone 'UTC')::date`;
  const { rows } = await client.query<{ first: string | null; last: string | null }>(
    `select min(${asDate})::text as first, max(${asDate})::text as last from ${qualified(table)}`,
  );
  const { first, last } = rows[0]!;
  if (first === null || last === null) return [''];
  const conditions: string[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last); at += dayMs) {
    const [from, to] = [at, at + dayMs].map((ms) => {
      const day = new Date(ms).toISOString().slice(0, 10);
      return key.type === 'date' ? `date '${day}'` : `timestamptz '${day} 00:00:00+00'`;
    });
    conditions.push(` where ${column} >= ${from} and ${column} < ${to}`);
  }
  return conditions;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function explain(error: unknown, file: string): unknown {
  const code = (error as { code?: string }).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BackupError(`The disk is full: ${file} could not be written. Free some space, or write elsewhere.`, {
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new BackupError(`You may not write ${file}. Choose another place.`, { cause: error });
  }
  if (code === 'ENOENT') return new BackupError(`The folder ${dirname(file)} does not exist.`, { cause: error });
  if (code === '42501') {
    return new BackupError('The database user may not read all tables. Use the one that Amiable runs with.', {
      cause: error,
    });
  }
  return error;
}
