/**
 * The embedded PostgreSQL: starts it on a data folder, or takes over the one that a killed Amiable left running there,
 * keeps it running and stops it. Reached over a Unix socket in a folder closed to others (a loopback port where sockets
 * do not serve or a port is asked for), with a password in either case; never from another machine.
 */
import { chmod, chown, lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { chooseAccount, commandMaker } from './account.ts';
import { type Address, connectionUrl, keepOrFindPort } from './address.ts';
import { findBinaries } from './binaries.ts';
import { adminName, databaseName, prepareCluster, serverSettings, userName } from './cluster.ts';
import { takeInstanceLock } from './instance-lock.ts';
import {
  becomesReady,
  clearRemains,
  explainEnd,
  findRunning,
  launch,
  type PidFile,
  type Server,
  shutDown,
} from './postmaster.ts';
import { supervise } from './session.ts';
import { EmbeddedError, explainFileError, type Place } from './trouble.ts';

export interface EmbeddedOptions {
  /** Everything of this installation lies here; made when it is missing. */
  readonly dataDir: string;
  /** Also listen on this port of 127.0.0.1 (for psql and other programs). */
  readonly port?: number;
  readonly log?: (line: string) => void;
  /** The server could not be kept running; the process should end. */
  readonly onGiveUp?: (reason: Error) => void;
  /** Further server settings, for tests (a time zone, tiny buffers). */
  readonly settings?: Readonly<Record<string, string>>;
  /** False gives up durability, for tests only. */
  readonly sync?: boolean;
}

export interface Embedded {
  /** For pg and psql: works as the owner of the database `amiable`. */
  readonly url: string;
  /** The superuser, for the supervisor and tests. */
  readonly adminUrl: string;
  /** A server left running by a killed parent was taken over. */
  readonly adopted: boolean;
  /** The server's process id now. */
  readonly pid: number | undefined;
  /** Fast shutdown; may be called more than once. */
  stop(): Promise<void>;
}

/** @throws EmbeddedError with a sentence for the person who started it. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const dataDir = resolve(options.dataDir);
  try {
    return await start(dataDir, options);
  } catch (error) {
    throw explainFileError(error, dataDir);
  }
}

async function start(dataDir: string, options: EmbeddedOptions): Promise<Embedded> {
  const log = options.log ?? (() => {});
  const root = process.getuid?.() === 0;
  // As root the server's account must be able to pass through, but need not see what else lies there.
  await mkdir(dataDir, { recursive: true, mode: root ? 0o711 : 0o700 });
  await refuseLinks(dataDir, ['run', 'lib', 'postgres.log', 'postgres.json', 'amiable.lock']);
  const lock = await takeInstanceLock(dataDir, new Date().toISOString());
  try {
    const clusterDir = join(await realpath(dataDir), 'postgres');
    const binaries = await findBinaries(join(dataDir, 'lib'));
    const account = await chooseAccount(dataDir, clusterDir);
    const command = await commandMaker(account, [await realpath(dataDir), await realpath(binaries.root)]);
    const runDir = join(await realpath(dataDir), 'run');
    await mkdir(runDir, { recursive: true, mode: 0o700 });
    await chmod(runDir, 0o700);
    if (account.other) await chown(runDir, account.other.uid, account.other.gid);
    // The address of a socket has room for 104 bytes on some systems; the server appends a name of 15.
    const socket = platform() !== 'win32' && Buffer.byteLength(runDir) + 16 < 104;
    const logFile = join(dataDir, 'postgres.log');
    await (await open(logFile, 'a', 0o600)).close();
    // Started by root for somebody else's folder: its owner must be able to start alone later.
    if (root) await chown(logFile, (await stat(dataDir)).uid, -1);
    const running = await findRunning(clusterDir);
    const wantedPort = options.port ?? (socket ? undefined : await keepOrFindPort(running));
    const place: Place = { dataDir, port: wantedPort, logFile, runAs: account.name };
    const passwordFile = join(dataDir, 'postgres.json');
    let adoptable: PidFile | undefined = running;
    if (running && !(await stat(passwordFile).catch(() => undefined))) {
      // New passwords can only be given while no server runs.
      await shutDown(running.pid, clusterDir, binaries);
      adoptable = undefined;
    }
    const sync = options.sync ?? true;
    const passwords = await prepareCluster({
      dataDir,
      clusterDir,
      passwordFile,
      binaries,
      account,
      command,
      place,
      sync,
      log,
    });
    const settings: Record<string, string> = {
      ...(await serverSettings(dataDir, sync)),
      listen_addresses: wantedPort === undefined ? '' : '127.0.0.1',
      port: String(wantedPort ?? 5432),
      unix_socket_directories: socket ? runDir : '',
      unix_socket_permissions: '0700',
      ...options.settings,
    };
    const address = { runDir, port: wantedPort ?? 5432, socket };
    const session = supervise({
      dataDir,
      clusterDir,
      logFile,
      adminUrl: connectionUrl(address, adminName, passwords.admin, 'postgres'),
      passwords,
      log,
      onGiveUp: options.onGiveUp,
      adopt: () => tryAdopt(adoptable, clusterDir, settings, binaries.version, address, passwords.admin),
      stopLeftOver: async () => {
        const left = await findRunning(clusterDir);
        if (left) {
          log(`Stopping a PostgreSQL server (process ${left.pid}) that was left over in ${dataDir}.`);
          await shutDown(left.pid, clusterDir, binaries);
        }
        await clearRemains(clusterDir, runDir);
      },
      launch: (started) => launch({ clusterDir, binaries, command, place, settings, log, started }),
      shutDown: (pid) => shutDown(pid, clusterDir, binaries),
      explainEnd: (server) => explainEnd(place, server.logStart),
      released: () => lock.release(),
    });
    const { adopted } = await session.opened;
    return {
      url: connectionUrl(address, userName, passwords.user, databaseName),
      adminUrl: connectionUrl(address, adminName, passwords.admin, 'postgres'),
      adopted,
      get pid() {
        return session.pid();
      },
      stop: session.stop,
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Root gives some of these to another user: a link planted there would give away what it points to. */
async function refuseLinks(dataDir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(dataDir, name);
    if ((await lstat(path).catch(() => undefined))?.isSymbolicLink()) {
      throw new EmbeddedError(`${path} is a symbolic link, which Amiable does not follow there. Remove it.`);
    }
  }
}

/** Takes a running server over if it is the one that we would start; else undefined. */
async function tryAdopt(
  found: PidFile | undefined,
  clusterDir: string,
  settings: Readonly<Record<string, string>>,
  version: string,
  address: Address,
  password: string,
): Promise<Server | undefined> {
  if (!found) return undefined;
  const fits =
    String(found.port) === settings.port &&
    found.listen === settings.listen_addresses &&
    found.socketDir === settings.unix_socket_directories;
  if (!fits || !(await becomesReady(clusterDir, found.pid, 60_000))) return undefined;
  const client = new pg.Client({
    connectionString: connectionUrl(address, adminName, password, 'postgres'),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; version: string; fsync: string }>(
      `select current_setting('data_directory') as folder, current_setting('server_version') as version,
              current_setting('fsync') as fsync`,
    );
    const row = rows[0];
    if (row?.folder !== clusterDir || row.fsync !== settings.fsync) return undefined;
    if (row.version !== version && !row.version.startsWith(`${version} `)) return undefined;
    return { pid: found.pid, adopted: true, child: undefined, logStart: Number.MAX_SAFE_INTEGER };
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => {});
  }
}
