/**
 * The supervisor's own connection: its end is the first sign of a crash, also of a server that is not our child, and the
 * advisory lock that it holds makes sure that one Amiable alone works with the server. It also makes role and database
 * where they are missing, and keeps the server's log from growing without bound.
 */
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { databaseName, type Passwords, userName } from './cluster.ts';
import { inUse } from './instance-lock.ts';
import type { Server } from './postmaster.ts';
import { isServerOf } from './processes.ts';
import { EmbeddedError } from './trouble.ts';

// Any number will do, as long as it stays the same.
const instanceLockId = 7_233_421_106;

export interface WatchPlan {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly logFile: string;
  readonly adminUrl: string;
  readonly passwords: Passwords;
  readonly log: (line: string) => void;
}

export interface Watch {
  readonly ready: Promise<void>;
  close(): void;
}

const lookMs = 1_000;
const largestLog = 8 * 2 ** 20;

/** Keeps the supervisor's connection, makes role and database where they are missing, and notices the server's end. */
export function watchServer(means: WatchPlan, server: Server, gone: () => void): Watch {
  let closed = false;
  let client: pg.Client | undefined;
  let first = true;
  // The end of a child is told by itself; a server that is not our child has to be looked for.
  const lives = async (): Promise<boolean> => {
    if (server.child) return server.child.exitCode === null && server.child.signalCode === null;
    if (await isServerOf(server.pid, means.clusterDir)) return true;
    gone();
    return false;
  };
  const timer = setInterval(() => {
    void lives();
    void trimLog(means.logFile);
  }, lookMs);
  timer.unref();

  const connect = async (): Promise<void> => {
    for (let attempt = 0; !closed; attempt++) {
      const next = new pg.Client({
        connectionString: means.adminUrl,
        connectionTimeoutMillis: 10_000,
        keepAlive: true,
      });
      next.on('error', () => {});
      try {
        await next.connect();
        await hold(next, means.dataDir);
        if (first) await ensureDatabase(next, means.passwords.user);
      } catch (error) {
        await next.end().catch(() => {});
        if (closed) return;
        if (!(await lives())) return;
        const code = (error as { code?: string }).code;
        if (code === '28P01') {
          throw new EmbeddedError(
            `The passwords in ${join(means.dataDir, 'postgres.json')} do not fit the database. Remove that file and ` +
              'start again; the database is then given new ones.',
          );
        }
        // Starting up, recovering, or out of connections for a moment: the server lives, so it is asked again.
        const passing = code === undefined || /^(57P0|08|53300|ECONN|ENOENT|EPIPE)/.test(code);
        if (!passing || attempt > 2_000) throw error;
        await new Promise((resolve) => setTimeout(resolve, 25));
        continue;
      }
      client = next;
      next.once('end', () => {
        if (client === next) void reconnect();
      });
      first = false;
      return;
    }
  };
  const reconnect = async (): Promise<void> => {
    client = undefined;
    // A dying server closes its connections a moment before it is gone.
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (closed || !(await lives())) return;
    means.log('The database server cut its connections (did one of its processes crash?); it recovers by itself.');
    await connect().catch((error: Error) => means.log(`The watch over the database is interrupted: ${error.message}`));
  };
  return {
    ready: connect(),
    close() {
      closed = true;
      clearInterval(timer);
      client?.end().catch(() => {});
      client = undefined;
    },
  };
}

/** The second lock: a killed holder's session ends within moments, a living one keeps it. */
async function hold(client: pg.Client, dataDir: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
      instanceLockId,
    ]);
    if (rows[0]?.taken) return;
    if (attempt >= 100) throw inUse(dataDir);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function ensureDatabase(client: pg.Client, password: string): Promise<void> {
  const { rows } = await client.query<{ role: boolean; base: boolean }>(
    `select exists (select from pg_roles where rolname = $1) as role,
            exists (select from pg_database where datname = $2) as base`,
    [userName, databaseName],
  );
  // Names are ours and passwords have neither quotes nor backslashes. The password is set each time: the file rules.
  const verb = rows[0]?.role ? 'alter' : 'create';
  await client.query(`${verb} role ${userName} login createdb nosuperuser password '${password}'`);
  if (!rows[0]?.base) await client.query(`create database ${databaseName} owner ${userName}`);
}

/** The server writes little; a fault that repeats for months must still not fill the disk. */
async function trimLog(file: string): Promise<void> {
  try {
    if ((await stat(file)).size <= largestLog) return;
    await copyFile(file, `${file}.1`);
    await truncate(file, 0);
  } catch {
    // A full disk; the server has its own say about that.
  }
}
