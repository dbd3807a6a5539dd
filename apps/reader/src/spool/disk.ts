/** The few things that the spool asks of a file system, so that tests can let them fail. Errors are Node's, with `code`. */
import {
  closeSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlink,
  unlinkSync,
  writeSync,
} from 'node:fs';

export interface Disk {
  makeFolder(path: string): void;
  list(folder: string): string[];
  size(path: string): number;
  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx'): number;
  close(fd: number): void;
  /** @returns octets read */
  read(fd: number, into: Buffer, position: number): number;
  /** @returns octets written, perhaps fewer than given */
  write(fd: number, bytes: Buffer, position: number): number;
  truncate(fd: number, length: number): void;
  /** Resolves when what was written would survive a power cut. */
  sync(fd: number): Promise<void>;
  /** Names made in the folder would survive, too. */
  syncFolder(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** The same without waiting; a file that stays does no harm. */
  discard(path: string): void;
}

export const realDisk: Disk = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  list: (folder) => readdirSync(folder),
  size: (path) => statSync(path).size,
  open: (path, flags) => openSync(path, flags, 0o600),
  close: (fd) => closeSync(fd),
  read: (fd, into, position) => readSync(fd, into, 0, into.length, position),
  write: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
  truncate: (fd, length) => ftruncateSync(fd, length),
  sync: (fd) => new Promise((resolve, reject) => fsync(fd, (error) => (error ? reject(error) : resolve()))),
  syncFolder(path) {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      // Windows opens no folders; there the names are kept anyway.
      return;
    }
    try {
      fsyncSync(fd);
    } catch {
      // Not every file system syncs folders.
    } finally {
      closeSync(fd);
    }
  },
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlinkSync(path),
  discard: (path) => unlink(path, () => {}),
};

/** @throws what the disk throws; nothing of it counts as written then */
export function writeAll(disk: Disk, fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const n = disk.write(fd, done === 0 ? bytes : bytes.subarray(done), position + done);
    // A disk that is full takes a part and says so only at the next write.
    if (n === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' });
    done += n;
  }
}

/** As many octets of the file as there are, at most `most`. */
export function readAt(disk: Disk, path: string, position: number, most: number): Buffer {
  const fd = disk.open(path, 'r');
  try {
    const out = Buffer.allocUnsafe(most);
    let done = 0;
    while (done < most) {
      const n = disk.read(fd, done === 0 ? out : out.subarray(done), position + done);
      if (n === 0) break;
      done += n;
    }
    return out.subarray(0, done);
  } finally {
    disk.close(fd);
  }
}
