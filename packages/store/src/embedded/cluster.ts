/**
 * The cluster folder: made once by initdb (UTF-8, the built-in C.UTF-8 locale, which depends on no library of the
 * machine and so never changes under an index; checksums; passwords only), tied to its major version, with two
 * passwords beside it in a file of mode 600. `amiable_admin` is the superuser and used by the supervisor alone;
 * everything else works as `amiable`, who owns the database and is nobody special, as on a server that others run.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, rename, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Account, Command } from './account.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedError, explainServerLog, type Place } from './trouble.ts';

export const adminName = 'amiable_admin';
export const userName = 'amiable';
export const databaseName = 'amiable';

export interface Passwords {
  readonly admin: string;
  readonly user: string;
}

export type MakeCommand = (file: string, args: readonly string[]) => Command;

/** @throws EmbeddedError when the folder was made by another major version. */
export async function isInitialised(clusterDir: string, binaries: Binaries): Promise<boolean> {
  const version = (await readFile(join(clusterDir, 'PG_VERSION'), 'latin1').catch(() => undefined))?.trim();
  if (version === undefined) {
    const there = await stat(clusterDir).catch(() => undefined);
    if (!there) return false;
    throw new EmbeddedError(
      `${clusterDir} exists but holds no PostgreSQL database (PG_VERSION is missing). ` +
        'Move that folder away to begin afresh, or put back the copy that it came from.',
    );
  }
  if (version !== String(binaries.major)) {
    throw new EmbeddedError(
      `The database in ${clusterDir} was made by PostgreSQL ${version}, and this Amiable brings PostgreSQL ` +
        `${binaries.major}. Start it with the release of Amiable that made it, run \`amiable backup\`, and restore ` +
        'that backup here into an empty data folder.',
    );
  }
  return true;
}

async function writePasswords(file: string, passwords: Passwords, owner: number | undefined): Promise<void> {
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(passwords)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (owner !== undefined) await chown(draft, owner, -1).catch(() => {});
  await rename(draft, file);
}

async function readPasswords(file: string): Promise<Passwords | undefined> {
  const s = await stat(file).catch(() => undefined);
  if (!s) return undefined;
  if (process.platform !== 'win32' && (s.mode & 0o077) !== 0) {
    throw new EmbeddedError(
      `${file} holds the passwords of the database and others may read it. Run chmod 600 '${file}'.`,
    );
  }
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new EmbeddedError(`You may not read ${file}, the passwords of the database. Start Amiable as its owner.`, {
      cause,
    });
  });
  try {
    const value = JSON.parse(text) as Passwords;
    const plain = /^[\w-]{20,100}$/;
    if (plain.test(value.admin) && plain.test(value.user)) return { admin: value.admin, user: value.user };
  } catch {
    // Damaged: made anew below, like a missing one.
  }
  return undefined;
}

const newPasswords = (): Passwords => ({
  admin: randomBytes(24).toString('base64url'),
  user: randomBytes(24).toString('base64url'),
});

export interface ClusterPlan {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly passwordFile: string;
  readonly binaries: Binaries;
  readonly account: Account;
  readonly command: MakeCommand;
  readonly place: Place;
  readonly sync: boolean;
  readonly log: (line: string) => void;
}

/** Makes the cluster where there is none; gives the passwords. */
export async function prepareCluster(plan: ClusterPlan): Promise<Passwords> {
  const { clusterDir, binaries, passwordFile, log } = plan;
  const owner = process.getuid?.() === 0 ? (await stat(plan.dataDir)).uid : undefined;
  const ready = await isInitialised(clusterDir, binaries);
  let passwords = await readPasswords(passwordFile);
  if (!passwords) {
    passwords = newPasswords();
    if (ready) {
      log(`${passwordFile} is missing or damaged: giving the database new passwords.`);
      await resetPassword(plan, passwords.admin);
    }
    await writePasswords(passwordFile, passwords, owner);
  }
  if (!ready) await initialise(plan, passwords.admin);
  return passwords;
}

async function initialise(plan: ClusterPlan, password: string): Promise<void> {
  const { clusterDir, binaries, account, command } = plan;
  // In a folder of another name first: a cluster that is half made must never be taken for one.
  const draft = `${clusterDir}.new`;
  const passwordDraft = `${clusterDir}.password`;
  await rm(draft, { recursive: true, force: true });
  await rm(passwordDraft, { force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordDraft, `${password}\n`, { mode: 0o600, flag: 'wx' });
  try {
    if (account.other) {
      await chown(draft, account.other.uid, account.other.gid);
      await chown(passwordDraft, account.other.uid, account.other.gid);
    }
    const { code, output } = await capture(
      command(binaries.initdb, [
        `--pgdata=${draft}`,
        `--username=${adminName}`,
        `--pwfile=${passwordDraft}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--no-locale',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--set=log_timezone=UTC',
        '--set=timezone=UTC',
        ...(plan.sync ? [] : ['--no-sync']),
      ]),
      binaries.env,
    );
    if (code !== 0) throw explainServerLog(output, plan.place);
    await rename(draft, clusterDir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
    throw error;
  } finally {
    await unlink(passwordDraft).catch(() => {});
  }
}

/** In single-user mode nobody asks for a password: whoever may start the server on the folder owns it anyway. */
async function resetPassword(plan: ClusterPlan, password: string): Promise<void> {
  const { clusterDir, binaries, command } = plan;
  const { code, output } = await capture(
    command(binaries.postgres, ['--single', '-D', clusterDir, 'postgres']),
    binaries.env,
    `alter role ${adminName} password '${password}'\n`,
  );
  if (code !== 0 || /ERROR|FATAL/.test(output)) throw explainServerLog(output, plan.place);
}

function capture(
  command: Command,
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, [...command.args], { ...spawnOptions(command, env), stdio: 'pipe' });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-20_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Messages in the C locale, which explainServerLog reads, and nothing of ours that could lead the programs astray. */
export function spawnOptions(command: Command, env: Readonly<Record<string, string>>) {
  const clean: NodeJS.ProcessEnv = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC', ...env };
  for (const name of ['SystemRoot', 'TEMP', 'TMP', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) clean[name] = value;
  }
  return {
    cwd: '/',
    env: clean,
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  };
}

/**
 * Settings by the size of the machine: a Raspberry Pi with 1 GB and an SD card must do, and a server-sized one must take
 * bulk loads. Durability is never traded: fsync, full_page_writes and synchronous_commit stay on. The passwords are
 * random, so that many rounds of hashing would only slow down each connection.
 */
export async function serverSettings(dataDir: string, sync: boolean): Promise<Record<string, string>> {
  const megabytes = totalmem() / 2 ** 20;
  const disk = await statfs(dataDir).catch(() => undefined);
  const freeMegabytes = disk ? (disk.bavail * disk.bsize) / 2 ** 20 : Number.POSITIVE_INFINITY;
  const between = (low: number, value: number, high: number): number =>
    Math.round(Math.min(high, Math.max(low, value)));
  const on = sync ? 'on' : 'off';
  // After a crash one call in place of one per file; older kernels keep write errors from it.
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const syncfs = platform() === 'linux' && (major > 5 || (major === 5 && minor >= 8));
  return {
    fsync: on,
    synchronous_commit: on,
    full_page_writes: on,
    shared_buffers: `${between(32, megabytes / 16, 256)}MB`,
    work_mem: `${between(4, megabytes / 256, 32)}MB`,
    maintenance_work_mem: `${between(32, megabytes / 32, 256)}MB`,
    max_wal_size: `${between(128, freeMegabytes / 16, 2048)}MB`,
    min_wal_size: `${between(64, freeMegabytes / 64, 256)}MB`,
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    checkpoint_timeout: '10min',
    ...(syncfs ? { recovery_init_sync_method: 'syncfs' } : {}),
    max_connections: '60',
    autovacuum_max_workers: '2',
    io_workers: '2',
    jit: 'off',
    password_encryption: 'scram-sha-256',
    scram_iterations: '1',
    timezone: 'UTC',
    lc_messages: 'C',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
  };
}
