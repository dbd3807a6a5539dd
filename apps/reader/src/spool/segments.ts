/**
 * The segments of a folder: found again after whatever ended the last run, and thinned. Decides file names
 * (`00000000000000000042.seg`, the number of its first record), what of a torn tail is cut off, and how a thinned run of segments
 * takes the place of the old ones: written beside, synced, renamed over the first, the others removed. A run that was cut in
 * between leaves old segments whose numbers the new one covers; they are removed at the next opening.
 */
import { join } from 'node:path';
import { type Disk, readAt, writeAll } from './disk.ts';
import { decodeSegmentHead, encodeSegmentHead, nextRecord, RecordView, SEGMENT_HEAD } from './record.ts';
import { createThinner } from './streams.ts';

export interface Segment {
  readonly path: string;
  /** Number of the first record; records before it are in other segments. */
  readonly first: number;
  /** Octets written. */
  bytes: number;
  /** Records; of a segment that an earlier run left behind not known better than by its numbers. */
  count: number;
  /** How far it was thinned: an index of `SPACINGS`, 0 not at all. */
  level: number;
  /** Not to be removed or thinned now. */
  busy: boolean;
}

/** ms between fast records of a stream, by level. */
export const SPACINGS: readonly number[] = [0, 60_000, 300_000, 3_600_000];
export const TEMPORARY = 'thin.tmp';
const SUFFIX = '.seg';

export const segmentPath = (folder: string, first: number): string =>
  join(folder, `${String(first).padStart(20, '0')}${SUFFIX}`);

export interface Found {
  readonly segments: Segment[];
  /** Number after the last record. */
  readonly next: number;
  /** Runs of octets that were no record, in the newest segment. */
  readonly damaged: number;
}

/** @throws errors of the disk */
export function findSegments(disk: Disk, folder: string): Found {
  const names = disk.list(folder);
  if (names.includes(TEMPORARY)) disk.remove(join(folder, TEMPORARY));
  const firsts = names
    .filter((name) => /^\d{20}\.seg$/.test(name))
    .map((name) => Number(name.slice(0, -SUFFIX.length)))
    .filter((first) => Number.isSafeInteger(first))
    .sort((a, b) => a - b);
  const segments: Segment[] = [];
  let covered = -1;
  for (const first of firsts) {
    const path = segmentPath(folder, first);
    if (first <= covered) {
      disk.remove(path);
      continue;
    }
    const head = decodeSegmentHead(readAt(disk, path, 0, SEGMENT_HEAD));
    if (head && head.last > covered) covered = head.last;
    segments.push({
      path,
      first,
      bytes: disk.size(path),
      count: head?.count ?? -1,
      level: head?.level ?? 0,
      busy: false,
    });
  }
  let next = covered + 1;
  let damaged = 0;
  const newest = segments.at(-1);
  if (newest) {
    const seen = scan(disk, newest);
    next = Math.max(next, newest.first, seen.last + 1);
    newest.count = seen.count;
    damaged = seen.damaged;
    if (seen.end < newest.bytes) {
      // The tail that a power cut tore; if it cannot be cut off, it is passed over in reading.
      try {
        const fd = disk.open(newest.path, 'r+');
        try {
          disk.truncate(fd, seen.end);
          newest.bytes = seen.end;
        } finally {
          disk.close(fd);
        }
      } catch {
        newest.busy = false;
      }
    }
    if (newest.count === 0) {
      disk.remove(newest.path);
      segments.pop();
    }
  }
  segments.forEach((segment, i) => {
    const after = segments[i + 1]?.first ?? next;
    if (segment.count < 0) segment.count = Math.min(after - segment.first, Math.floor(segment.bytes / 50));
  });
  return { segments, next, damaged };
}

function scan(disk: Disk, { path, bytes }: Segment): { count: number; last: number; end: number; damaged: number } {
  const all = readAt(disk, path, 0, bytes);
  const view = new RecordView();
  let count = 0;
  let last = -1;
  let end = SEGMENT_HEAD;
  let damaged = 0;
  for (let at = SEGMENT_HEAD; at < all.length; ) {
    const found = nextRecord(all, at, true, view);
    if (found.skipped > 0) damaged++;
    if (found.type !== 'record') break;
    count++;
    if (view.seq > last) last = view.seq;
    end = at = view.end;
  }
  return { count, last, end, damaged };
}

export interface Thinned {
  readonly segment: Segment;
  /** How many of the run it replaces. */
  readonly replaced: number;
  /** Numbers of the records that are not there any more. */
  readonly removed: number[];
}

/**
 * Thins as many segments of `run` into one as fit into `most` octets.
 * @param after number of the first record behind the run's last segment
 * @throws errors of the disk; the old segments stand then
 */
export async function thin(
  disk: Disk,
  folder: string,
  run: readonly Segment[],
  after: readonly number[],
  level: number,
  most: number,
): Promise<Thinned> {
  const passes = createThinner(SPACINGS[level] as number);
  const view = new RecordView();
  const kept: Buffer[] = [];
  const removed: number[] = [];
  let size = SEGMENT_HEAD;
  let last = -1;
  let replaced = 0;
  for (const segment of run) {
    if (replaced > 0 && size >= most) break;
    const all = readAt(disk, segment.path, 0, segment.bytes);
    for (let at = SEGMENT_HEAD; at < all.length; ) {
      if (nextRecord(all, at, true, view).type !== 'record') break;
      at = view.end;
      if (view.seq <= last) continue;
      last = view.seq;
      if (view.fast && !passes(view.stream, view.stamp)) removed.push(view.seq);
      else {
        // A copy: what is kept is little, and shall not hold the whole segment in memory.
        kept.push(Buffer.from(all.subarray(view.start, view.end)));
        size += view.end - view.start;
      }
    }
    replaced++;
  }
  const [oldest] = run as [Segment];
  const head = encodeSegmentHead({
    level,
    count: kept.length,
    first: oldest.first,
    last: (after[replaced - 1] as number) - 1,
  });
  if (removed.length === 0 && replaced === 1) {
    // Nothing to leave out: only the level is noted, in place.
    const fd = disk.open(oldest.path, 'r+');
    try {
      writeAll(disk, fd, head, 0);
    } finally {
      disk.close(fd);
    }
    return { segment: { ...oldest, level, count: kept.length, busy: false }, replaced, removed };
  }
  const temporary = join(folder, TEMPORARY);
  const fd = disk.open(temporary, 'w');
  try {
    writeAll(disk, fd, Buffer.concat([head, ...kept]), 0);
    await disk.sync(fd);
  } catch (error) {
    disk.close(fd);
    disk.remove(temporary);
    throw error;
  }
  disk.close(fd);
  disk.rename(temporary, oldest.path);
  for (const segment of run.slice(1, replaced))
    try {
      disk.remove(segment.path);
    } catch {
      // Covered by the new one; removed at the next opening.
    }
  return {
    segment: { path: oldest.path, first: oldest.first, bytes: size, count: kept.length, level, busy: false },
    replaced,
    removed,
  };
}
