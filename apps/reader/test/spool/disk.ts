/** A disk in memory that can be full, broken, or lose what was not synced, as a power cut does. */
import type { Disk } from '../../src/spool/disk.ts';
import { realDisk } from '../../src/spool/disk.ts';

export interface TestDisk extends Disk {
  /** Octets that still fit; undefined: no bound. */
  room: number | undefined;
  /** Thrown by every writing operation while set, or by what the test asks. */
  broken: { code: string; operations?: readonly string[] } | undefined;
  readonly counts: Record<string, number>;
  readonly files: Map<string, { bytes: Buffer; length: number; synced: number }>;
  /** Leaves of each file what was synced, and of the rest as much as `keep` says, its end perhaps damaged. */
  powerCut(keep: (unsynced: number) => number, garble?: (bytes: Buffer, from: number) => void): void;
}

const fail = (code: string): Error => Object.assign(new Error(code), { code });

export function testDisk(): TestDisk {
  type File = { bytes: Buffer; length: number; synced: number };
  const files = new Map<string, File>();
  const open = new Map<number, File>();
  let fds = 3;
  const counts: Record<string, number> = {};
  const used = () => [...files.values()].reduce((sum, f) => sum + f.length, 0);
  const check = (operation: string) => {
    counts[operation] = (counts[operation] ?? 0) + 1;
    const { broken } = disk;
    if (broken && (broken.operations ?? ['write', 'open', 'sync', 'makeFolder']).includes(operation))
      throw fail(broken.code);
  };
  const at = (fd: number): File => {
    const file = open.get(fd);
    if (!file) throw fail('EBADF');
    return file;
  };
  const grow = (file: File, length: number) => {
    if (length > file.bytes.length) {
      const more = Buffer.alloc(Math.max(length, file.bytes.length * 2));
      file.bytes.copy(more, 0, 0, file.length);
      file.bytes = more;
    }
  };
  const disk: TestDisk = {
    room: undefined,
    broken: undefined,
    counts,
    files,
    // The lock lies on the real one.
    makeFolder(path) {
      check('makeFolder');
      realDisk.makeFolder(path);
    },
    list: (folder) =>
      [...files.keys()].filter((p) => p.startsWith(`${folder}/`)).map((p) => p.slice(folder.length + 1)),
    size: (path) => files.get(path)?.length ?? 0,
    open(path, flags) {
      let file = files.get(path);
      if (flags !== 'r') check('open');
      if (!file) {
        if (flags === 'r' || flags === 'r+') throw fail('ENOENT');
        file = { bytes: Buffer.alloc(256), length: 0, synced: 0 };
        files.set(path, file);
      } else if (flags === 'w') file.length = file.synced = 0;
      open.set(fds, file);
      return fds++;
    },
    close(fd) {
      at(fd);
      open.delete(fd);
    },
    read(fd, into, position) {
      const file = at(fd);
      const n = Math.max(0, Math.min(into.length, file.length - position));
      file.bytes.copy(into, 0, position, position + n);
      return n;
    },
    write(fd, bytes, position) {
      check('write');
      const file = at(fd);
      const more = Math.max(0, position + bytes.length - file.length);
      const fits = disk.room === undefined ? more : Math.min(more, Math.max(0, disk.room - used()));
      const n = bytes.length - more + fits;
      if (n <= 0 && bytes.length > 0) throw fail('ENOSPC');
      grow(file, position + n);
      bytes.copy(file.bytes, position, 0, n);
      file.length = Math.max(file.length, position + n);
      file.synced = Math.min(file.synced, position);
      return n;
    },
    truncate(fd, length) {
      const file = at(fd);
      file.length = Math.min(file.length, length);
      file.synced = Math.min(file.synced, file.length);
    },
    async sync(fd) {
      check('sync');
      const file = at(fd);
      file.synced = file.length;
    },
    syncFolder() {},
    rename(from, to) {
      const file = files.get(from);
      if (!file) throw fail('ENOENT');
      files.delete(from);
      files.set(to, file);
    },
    remove(path) {
      if (!files.delete(path)) throw fail('ENOENT');
    },
    discard: (path) => void files.delete(path),
    powerCut(keep, garble) {
      open.clear();
      for (const file of files.values()) {
        const left = file.synced + keep(file.length - file.synced);
        garble?.(file.bytes.subarray(0, left), file.synced);
        file.length = left;
        file.synced = left;
      }
    },
  };
  return disk;
}
