/**
 * One running server: started by us, or found running because its parent was killed (a killed parent does not take the
 * server along: it leads its own process group, so that Ctrl-C in a terminal reaches Amiable alone, which then stops it
 * in order). The server tells its state in postmaster.pid: process id, folder, start time, port, socket folder, address,
 * shared memory, status.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname, join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { type MakeCommand, spawnOptions } from './cluster.ts';
import { isAlive, isServerOf, waitUntilGone } from './processes.ts';
import { EmbeddedError, explainServerLog, type Place } from './trouble.ts';

export interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly listen: string;
  readonly status: string;
}

export async function readPidFile(clusterDir: string): Promise<PidFile | undefined> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid = '', , , port = '', socketDir = '', listen = '', , status = ''] = text.split('\n');
  const id = Number.parseInt(pid, 10);
  if (!Number.isInteger(id) || id === 0) return undefined;
  // A negative id is a single-user server.
  return { pid: Math.abs(id), port: Number(port), socketDir, listen: listen.trim(), status: status.trim() };
}

export interface Server {
  readonly pid: number;
  readonly adopted: boolean;
  readonly child: ChildProcess | undefined;
  /** Where its log began when it was started. */
  readonly logStart: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A server of this folder that still runs. */
export async function findRunning(clusterDir: string): Promise<PidFile | undefined> {
  const found = await readPidFile(clusterDir);
  return found && (await isServerOf(found.pid, clusterDir)) ? found : undefined;
}

/**
 * Takes away the remains of a killed server that would stop another from starting because its process id now belongs to
 * somebody else. Only for the holder of the folder's lock, after findRunning found nothing. PostgreSQL's own check of the
 * shared memory still guards the folder against a server that we failed to recognise.
 */
export async function clearRemains(clusterDir: string, runDir: string): Promise<void> {
  const found = await readPidFile(clusterDir);
  if (found && isAlive(found.pid)) await rm(join(clusterDir, 'postmaster.pid'), { force: true });
  for (const name of await readdir(runDir)) await rm(join(runDir, name), { force: true });
}

/** Waits for a found server to accept connections; false when it does not within `ms`. */
export async function becomesReady(clusterDir: string, pid: number, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await pause(20)) {
    const file = await readPidFile(clusterDir);
    if (!file || file.pid !== pid || !(await isServerOf(pid, clusterDir))) return false;
    if (file.status === 'ready') return true;
    if (file.status === 'stopping') return false;
  }
  return false;
}

export interface LaunchPlan {
  readonly clusterDir: string;
  readonly binaries: Binaries;
  readonly command: MakeCommand;
  readonly place: Place;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** Told as soon as there is a process, so that it can be ended before it is ready. */
  readonly started: (server: Server) => void;
}

/** Starts the server and waits until it is ready. @throws EmbeddedError with the reason when it ends before. */
export async function launch(plan: LaunchPlan): Promise<Server> {
  // Remains of a killed postmaster need a moment to notice that it is gone; after that they are told.
  for (let attempt = 0; ; attempt++) {
    try {
      return await launchOnce(plan);
    } catch (error) {
      if (!(error instanceof EmbeddedError) || error.kind !== 'busy' || attempt >= 100) {
        throw error;
      }
      if (attempt % 20 === 4) await quitOrphans(plan.clusterDir);
      await pause(50);
    }
  }
}

async function launchOnce(plan: LaunchPlan): Promise<Server> {
  const { clusterDir, binaries, place, log } = plan;
  const options = Object.entries(plan.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = plan.command(binaries.postgres, ['-D', clusterDir, ...options]);
  const output = await open(place.logFile, 'a', 0o600);
  const logStart = (await output.stat()).size;
  let child: ChildProcess;
  try {
    child = spawn(command.file, [...command.args], {
      ...spawnOptions(command, binaries.env),
      stdio: ['ignore', output.fd, output.fd],
      detached: true,
    });
  } finally {
    await output.close();
  }
  const ended = new Promise<Error>((resolve) => {
    child.once('exit', async () => resolve(await explainEnd(place, logStart)));
    child.once('error', (cause) =>
      resolve(new EmbeddedError(`${command.file} could not be started: ${cause.message}.`, { cause })),
    );
  });
  let failure: Error | undefined;
  void ended.then((reason) => {
    failure = reason;
  });
  if (child.pid === undefined) throw await ended;
  const server: Server = { pid: child.pid, adopted: false, child, logStart };
  plan.started(server);
  const begun = performance.now();
  let told = 0;
  for (let wait = 2; ; wait = Math.min(wait * 1.5, 25)) {
    if (failure) throw failure;
    if (child.exitCode !== null || child.signalCode !== null) throw await ended;
    const file = await readPidFile(clusterDir);
    if (file?.pid === child.pid && file.status === 'ready') return server;
    // After a crash or a power cut the log is replayed; that may take minutes and must not be cut short.
    if (performance.now() - begun > (told + 1) * 10_000) {
      told++;
      log(`The database is being recovered since ${told * 10} s; please wait.`);
    }
    await pause(wait);
  }
}

/** Why a server ended, from what it wrote since it started. */
export async function explainEnd(place: Place, logStart: number): Promise<EmbeddedError> {
  const handle = await open(place.logFile, 'r').catch(() => undefined);
  if (!handle) return explainServerLog('', place);
  try {
    const { size } = await handle.stat();
    const from = Math.max(Math.min(logStart, size), size - 20_000);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    return explainServerLog(buffer.toString('utf8', 0, bytesRead), place);
  } finally {
    await handle.close();
  }
}

/** Server processes whose postmaster is gone are told to end at once; they have nothing left to save. */
async function quitOrphans(clusterDir: string): Promise<void> {
  if (platform() !== 'linux') return;
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid) && (await isServerOf(pid, clusterDir))) {
      try {
        process.kill(pid, 'SIGQUIT');
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }
}

/** Fast shutdown: connections are cut, everything is written. After 30 s at once, which costs a replay at the next start. */
export async function shutDown(
  pid: number,
  clusterDir: string,
  binaries: Binaries,
  env: Record<string, string> = {},
): Promise<void> {
  const signal = async (name: 'SIGINT' | 'SIGQUIT', mode: string): Promise<void> => {
    if (platform() === 'win32') {
      const tool = join(dirname(binaries.postgres), 'pg_ctl.exe');
      await new Promise((resolve) => {
        execFile(tool, ['stop', '-D', clusterDir, '-m', mode, '-W'], { env: { ...process.env, ...env } }, resolve);
      });
      return;
    }
    try {
      process.kill(pid, name);
    } catch {
      // Gone already.
    }
  };
  await signal('SIGINT', 'fast');
  if (await waitUntilGone(pid, 30_000)) return;
  await signal('SIGQUIT', 'immediate');
  if (await waitUntilGone(pid, 10_000)) return;
  throw new EmbeddedError(`The database server (process ${pid}) in ${clusterDir} does not end. End it by hand.`);
}
