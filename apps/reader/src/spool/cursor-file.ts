/**
 * Where an uplink stands, on disk: one file of two slots written in turn and in place, so that a torn write leaves the other and a
 * full disk takes it still. A slot: `AMCURS1` and a zero, number of the next record (f64), how many writes before (f64), 4
 * zeros, CRC-32 of these 28 octets.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Disk, readAt, writeAll } from './disk.ts';

const SLOT = 32;
const MAGIC = Buffer.from('AMCURS1\0', 'latin1');

export interface CursorFile {
  /** What was written last; undefined when there is none or it is damaged. */
  readonly next: number | undefined;
  /** @throws errors of the disk */
  write(next: number): void;
  /** Resolves when it would survive a power cut. */
  sync(): Promise<void>;
}

export const cursorPath = (folder: string, name: string): string =>
  join(folder, `${encodeURIComponent(name).replace(/\./g, '%2E')}.cursor`);

export function openCursorFile(disk: Disk, folder: string, name: string): CursorFile {
  const path = cursorPath(folder, name);
  let next: number | undefined;
  let writes = 0;
  let there = false;
  try {
    const bytes = readAt(disk, path, 0, 2 * SLOT);
    there = true;
    for (const at of [0, SLOT]) {
      const slot = bytes.subarray(at, at + SLOT);
      if (
        slot.length < SLOT ||
        !slot.subarray(0, 8).equals(MAGIC) ||
        crc32(slot.subarray(0, 28)) !== slot.readUInt32LE(28)
      )
        continue;
      if (next !== undefined && slot.readDoubleLE(16) <= writes) continue;
      next = slot.readDoubleLE(8);
      writes = slot.readDoubleLE(16);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const slot = Buffer.alloc(SLOT);
  return {
    get next() {
      return next;
    },
    write(value) {
      MAGIC.copy(slot);
      slot.writeDoubleLE(value, 8);
      slot.writeDoubleLE(writes + 1, 16);
      slot.writeUInt32LE(crc32(slot.subarray(0, 28)), 28);
      const fd = disk.open(path, there ? 'r+' : 'w');
      try {
        writeAll(disk, fd, slot, ((writes + 1) % 2) * SLOT);
      } finally {
        disk.close(fd);
      }
      there = true;
      writes++;
      next = value;
    },
    async sync() {
      if (!there) return;
      const fd = disk.open(path, 'r+');
      try {
        await disk.sync(fd);
      } finally {
        disk.close(fd);
      }
    },
  };
}
