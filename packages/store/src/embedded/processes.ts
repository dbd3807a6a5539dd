/**
 * Who a process id belongs to. Ids are reused, so a bare id proves nothing: a process is known by its id together with
 * the moment it started, and a server by the folder it works in.
 */
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether some process has this id now. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A mark that two processes with the same id do not share: the boot and the moment of start; undefined when unknown. */
export async function birthMark(pid: number): Promise<string | undefined> {
  try {
    if (platform() === 'linux') {
      const [stat, boot] = await Promise.all([
        readFile(`/proc/${pid}/stat`, 'latin1'),
        readFile('/proc/sys/kernel/random/boot_id', 'latin1'),
      ]);
      // The program's name may hold blanks and brackets; the fields are counted from the last bracket on.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      return `${boot.trim()}/${fields[19]}`;
    }
    if (platform() === 'win32') return undefined;
    return (await run('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The name space of process ids: ids of another container mean nothing here. */
export async function pidSpace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => platform());
}

/** Whether `pid` is a PostgreSQL process that works in this cluster folder. */
export async function isServerOf(pid: number, clusterDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  try {
    if (platform() === 'linux') {
      const [cwd, name, folder] = await Promise.all([
        readlink(`/proc/${pid}/cwd`),
        readFile(`/proc/${pid}/comm`, 'latin1'),
        realpath(clusterDir),
      ]);
      return cwd === folder && name.startsWith('postgres');
    }
    if (platform() === 'win32') return true;
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout.includes('postgres') && stdout.includes(await realpath(clusterDir));
  } catch {
    // Unreadable means that it belongs to somebody else: our servers run under an account that we may look at.
    return false;
  }
}

/** Waits until the process is gone; false when it outlives `ms`. */
export async function waitUntilGone(pid: number, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  for (let pause = 2; isAlive(pid) && !(await isZombie(pid)); pause = Math.min(pause * 2, 50)) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return true;
}

async function isZombie(pid: number): Promise<boolean> {
  if (platform() !== 'linux') return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ') X');
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}
