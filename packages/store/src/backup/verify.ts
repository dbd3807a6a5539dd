/**
 * A backup is worth what its restore is: restores it into a scratch database beside the one in use, compares, and drops it.
 *
 * Decides: the scratch database's name (it says whose it is and when it was made, so that one left behind by a crash is found and
 * dropped); that row counts and checksums, which the restore checks, must be those of the backup. Leaves out: when (the schedule's).
 */
import pg from 'pg';
import { quote } from './catalogue.ts';
import { BackupError } from './format.ts';
import { type RestoreResult, restore } from './restore.ts';

const PREFIX = 'amiable_check_';
/** A check of years of data may take hours; what is older than this was left behind. */
const LEFT_BEHIND = 24 * 3_600_000;

export interface VerifyOptions {
  readonly file: string;
  /** The database in use, or any on its server; the user must be allowed to create databases. */
  readonly url: string;
  /** Epoch ms. */
  readonly now: number;
}

/** @throws BackupError with a sentence: the file is damaged, or no scratch database can be made. */
export async function verifyBackup({ file, url, now }: VerifyOptions): Promise<RestoreResult> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'amiable backup check',
  });
  client.on('error', () => {});
  await client.connect();
  const name = `${PREFIX}${now}_${process.pid}`;
  try {
    await dropLeftBehind(client, now);
    await client.query(`create database ${quote(name)} template template0 encoding 'UTF8'`);
    try {
      const scratch = new URL(url);
      scratch.pathname = `/${name}`;
      return await restore({ file, url: scratch.href });
    } finally {
      await client.query(`drop database if exists ${quote(name)} with (force)`);
    }
  } catch (error) {
    if ((error as { code?: string }).code === '42501')
      throw new BackupError(
        `The restore could not be tried: ${client.user} may not create databases. As administrator: alter user "${client.user}" createdb.`,
        { cause: error },
      );
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

async function dropLeftBehind(client: pg.Client, now: number): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select datname::text as name from pg_database where datname like $1',
    [`${PREFIX.replaceAll('_', '\\_')}%`],
  );
  for (const { name } of rows) {
    const made = Number(/^amiable_check_(\d+)_\d+$/.exec(name)?.[1] ?? Number.NaN);
    if (now - made > LEFT_BEHIND) await client.query(`drop database if exists ${quote(name)} with (force)`);
  }
}
