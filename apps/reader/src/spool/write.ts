/**
 * From memory to the disk: into segments, synced in groups.
 *
 * Decides: what could not be written or synced whole stays pending and is written once more; a reserve of one segment is kept so that
 * room can be made on a full disk. Leaves out: when it is written, synced and tried again (spool.ts).
 */
import { join } from 'node:path';
import { portError } from '@amiable/io';
import type { Held } from './cursor.ts';
import { writeAll } from './disk.ts';
import { encodeSegmentHead, SEGMENT_HEAD } from './record.ts';
import { type Segment, segmentPath } from './segments.ts';
import { isFull, type SpoolState } from './state.ts';

export const RESERVE = 'reserve';

export function makeReserve(s: SpoolState): void {
  if (s.reserve) return;
  const path = join(s.folder, RESERVE);
  try {
    const fd = s.disk.open(path, 'w');
    s.reserve = true;
    try {
      writeAll(s.disk, fd, Buffer.alloc(s.most), 0);
    } finally {
      s.disk.close(fd);
    }
  } catch {
    useReserve(s);
  }
}
export function useReserve(s: SpoolState): void {
  if (!s.reserve) return;
  s.reserve = false;
  try {
    s.disk.remove(join(s.folder, RESERVE));
  } catch {
    // So be it.
  }
}

function roll(s: SpoolState): void {
  if (s.active) {
    s.toSync.push(s.active.fd);
    s.active = undefined;
  }
  const first = s.pending[0]?.info.seq ?? s.next;
  const newestSegment = s.segments.at(-1);
  const goesOn = s.mayGoOn;
  s.mayGoOn = false;
  if (goesOn && newestSegment && newestSegment.level === 0 && !newestSegment.busy && newestSegment.bytes < s.most) {
    s.active = { segment: newestSegment, fd: s.disk.open(newestSegment.path, 'r+') };
    return;
  }
  const path = segmentPath(s.folder, first);
  // All of it is written once more.
  if (newestSegment?.first === first) s.segments.pop();
  const fd = s.disk.open(path, 'w');
  try {
    writeAll(s.disk, fd, encodeSegmentHead({ level: 0, count: -1, first, last: -1 }), 0);
  } catch (error) {
    s.disk.close(fd);
    s.disk.remove(path);
    throw error;
  }
  s.newNames = true;
  const segment: Segment = { path, first, bytes: SEGMENT_HEAD, count: 0, level: 0, busy: false };
  s.segments.push(segment);
  s.active = { segment, fd };
  makeReserve(s);
}

/** @throws errors of the disk; what was not written stays pending */
export function writePending(s: SpoolState): void {
  let done = 0;
  try {
    while (done < s.pending.length) {
      if (!s.active || s.active.segment.bytes >= s.most) {
        s.pending = s.pending.slice(done);
        done = 0;
        roll(s);
      }
      const { segment, fd } = s.active as NonNullable<typeof s.active>;
      let size = 0;
      let end = done;
      while (end < s.pending.length && segment.bytes + size < s.most) size += (s.pending[end++] as Held).bytes.length;
      const group = s.pending.slice(done, end);
      const octets =
        group.length === 1
          ? (group[0] as Held).bytes
          : Buffer.concat(
              group.map((held) => held.bytes),
              size,
            );
      try {
        writeAll(s.disk, fd, octets, segment.bytes);
      } catch (error) {
        try {
          s.disk.truncate(fd, segment.bytes);
        } catch {
          leaveActive(s);
        }
        if (!isFull(error)) leaveActive(s);
        throw error;
      }
      segment.bytes += size;
      segment.count += group.length;
      s.pendingBytes -= size;
      s.unsyncedBytes += size;
      for (const held of group) s.unsynced.push(held);
      done = end;
    }
  } finally {
    s.pending = done === s.pending.length ? [] : s.pending.slice(done);
  }
}
export function leaveActive(s: SpoolState): void {
  if (!s.active) return;
  s.toSync.push(s.active.fd);
  s.active = undefined;
}

/**
 * One sync for all that was written before it.
 * @param failed told as soon as what was not synced is pending again, before its files are closed
 * @throws PortError
 */
export async function syncWritten(s: SpoolState, failed: (error: unknown) => void): Promise<void> {
  const own = s.unsynced.length;
  const old = s.toSync;
  s.toSync = [];
  const names = s.newNames;
  s.newNames = false;
  try {
    for (const fd of old) await s.disk.sync(fd);
    if (s.active) await s.disk.sync(s.active.fd);
    if (names) s.disk.syncFolder(s.folder);
    const synced = s.unsynced.slice(0, own);
    s.unsynced = s.unsynced.slice(own);
    for (const held of synced) s.unsyncedBytes -= held.bytes.length;
    for (const one of s.cursors) await one.file?.sync();
  } catch (error) {
    // What the system had taken may be gone: it is written once more, to a new file.
    s.pending = [...s.unsynced, ...s.pending];
    s.pendingBytes += s.unsyncedBytes;
    s.unsynced = [];
    s.unsyncedBytes = 0;
    leaveActive(s);
    for (const fd of s.toSync.splice(0)) old.push(fd);
    failed(error);
    throw portError(s.folder, error);
  } finally {
    for (const fd of old)
      try {
        s.disk.close(fd);
      } catch {
        // Nothing depends on it any more.
      }
  }
}
