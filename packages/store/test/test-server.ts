/**
 * The server that tests work on: the one of AMIABLE_TEST_DATABASE_URL (a user who may create databases), else an
 * embedded one in a folder for temporary files, without the syncs that tests of durability bring themselves. It holds a
 * template database with the schema applied.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { findRunning } from '../src/embedded/postmaster.ts';
import { isAlive } from '../src/embedded/processes.ts';
import { startEmbedded } from '../src/embedded/supervisor.ts';
import { migrate } from '../src/migrate.ts';
import { migrations } from '../src/schema/migrations.ts';
import { scratchFolder, scratchPrefix, scratchRoot } from './scratch.ts';

export interface TestServer {
  /** A user who may create databases. */
  readonly url: string;
  /** Name of the migrated database to clone. */
  readonly template: string;
  close(): Promise<void>;
}

export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

export async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export async function openTestServer(): Promise<TestServer> {
  const given = process.env.AMIABLE_TEST_DATABASE_URL;
  if (given) {
    const template = `amiable_template_${process.pid}`;
    await makeTemplate(given, template);
    return {
      url: given,
      template,
      async close() {
        await query(given, `drop database if exists ${template} with (force)`);
      },
    };
  }
  await sweep();
  const dataDir = await scratchFolder();
  const server = await startEmbedded({ dataDir, sync: false, settings: { autovacuum: 'off', max_connections: '200' } });
  const template = 'amiable_template';
  await makeTemplate(server.url, template);
  return {
    url: server.url,
    template,
    async close() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function makeTemplate(url: string, template: string): Promise<void> {
  await query(url, `create database ${template} template template0`);
  await migrate({ url: withDatabase(url, template), migrations });
}

/** Servers of runs that were killed end here. */
async function sweep(): Promise<void> {
  const root = scratchRoot();
  for (const name of await readdir(root)) {
    if (!name.startsWith(scratchPrefix)) continue;
    const folder = join(root, name);
    const holder = await readFile(join(folder, 'amiable.lock'), 'utf8').then(JSON.parse, () => undefined);
    if (!holder || isAlive(holder.pid)) continue;
    const left = await findRunning(join(folder, 'postgres'));
    if (left) process.kill(left.pid, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}
