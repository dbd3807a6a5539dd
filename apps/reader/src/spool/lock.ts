/**
 * One process per spool. The lock is a symbolic link that names its holder (a link is made at once or not at all, and needs no
 * room on a full disk): process id, the boot and tick at which that process began (ids are used again), and the name space of
 * ids. A file system without links gets a file. After kill -9 or a power cut the lock is there without its holder, which the
 * next one sees. A holder in another container cannot be looked up; it touches the lock every five seconds, and one that
 * nobody touched for twenty is nobody's.
 */
import {
  lstatSync,
  lutimesSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PortError } from '@amiable/io';

const BEAT = 5000;
const STALE = 20_000;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
};

const readLock = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return read(path);
  }
};

/** @throws EEXIST when there is one */
function writeLock(path: string, text: string): void {
  try {
    symlinkSync(text, path);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    writeFileSync(path, text, { flag: 'wx' });
  }
}

/** Of a living process; undefined where the system does not tell. */
function begun(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name of the program may hold blanks and brackets; fields are counted from the last bracket.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${read('/proc/sys/kernel/random/boot_id')?.slice(0, 8)}/${fields[19]}`;
}

function space(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return process.platform;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @returns the id of the living holder; 0 for one that cannot be named */
function holderOf(file: string, text: string): number | undefined {
  const [pid = '', born = '', where = ''] = text.split(' ');
  const id = Number(pid);
  if (!Number.isInteger(id) || id <= 0) return undefined;
  if (where === space()) {
    if (!lives(id)) return undefined;
    const now = begun(id);
    // Undefined and alive: another system than Linux, or a zombie, which holds nothing.
    if (now === undefined) return process.platform === 'linux' ? undefined : id;
    return born === now ? id : undefined;
  }
  try {
    return Math.abs(Date.now() - lstatSync(file).mtimeMs) < STALE ? 0 : undefined;
  } catch {
    return undefined;
  }
}

export interface Lock {
  release(): void;
}

/** Folders that this process holds, for its own id proves nothing then. */
const own = new Set<string>();

/** @throws PortError `busy` when another process holds it; errors of the file system as they come */
export function takeLock(folder: string): Lock {
  const file = join(folder, 'lock');
  const busy = (pid: number) =>
    new PortError(
      'busy',
      `${folder}: ${pid === process.pid ? 'this program' : pid > 0 ? `another process (${pid})` : 'a process in another container'} uses this spool; end that one first, or give each its own folder`,
    );
  if (own.has(file)) throw busy(process.pid);
  const text = `${process.pid} ${begun(process.pid) ?? ''} ${space()}`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeLock(file, text);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 20) throw error;
    }
    const found = readLock(file);
    if (found === undefined) continue;
    const pid = holderOf(file, found);
    // A holder with our own id that we know nothing of: our id was somebody's before.
    if (pid !== undefined && pid !== process.pid) throw busy(pid);
    removeStale(file, found);
  }
  own.add(file);
  const beat = setInterval(() => {
    try {
      const now = new Date();
      lutimesSync(file, now, now);
    } catch {
      // A disk that does not take it says so at the next write.
    }
  }, BEAT);
  beat.unref();
  return {
    release() {
      clearInterval(beat);
      if (!own.delete(file)) return;
      try {
        if (readLock(file) === text) unlinkSync(file);
      } catch {
        // It is recognised as stale.
      }
    },
  };
}

/** Takes the file of a holder that is gone away, unless somebody else has just done so and put his own there. */
function removeStale(file: string, expected: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    if (readLock(file) !== expected) return;
    renameSync(file, aside);
    const moved = readLock(aside);
    if (moved !== undefined && moved !== expected) writeLock(file, moved);
  } catch {
    // Somebody was quicker.
  }
  try {
    unlinkSync(aside);
  } catch {
    // So it is gone.
  }
}
