/** What the uplinks are done with: how far all of them are, what may go for that, and where each is, on disk. */
import type { Held } from './cursor.ts';
import { openCursorFile } from './cursor-file.ts';
import type { Segment } from './segments.ts';
import type { SpoolState } from './state.ts';

/** Numbers before this are delivered everywhere. */
export function delivered(s: SpoolState): number {
  let least = Number.POSITIVE_INFINITY;
  for (const one of s.cursors) least = Math.min(least, one.next);
  return s.cursors.size === 0 ? 0 : least;
}

/** Segments that every uplink has passed go. */
export function release(s: SpoolState): void {
  const passed = delivered(s);
  while (s.segments.length > 1 && (s.segments[1] as Segment).first <= passed) {
    const [oldest] = s.segments as [Segment];
    if (oldest.busy || oldest === s.active?.segment) return;
    s.segments.shift();
    s.disk.discard(oldest.path);
  }
  if (s.state === 'disk') return;
  // What is delivered everywhere need not be written any more.
  let done = 0;
  while (done < s.pending.length && (s.pending[done] as Held).info.seq < passed)
    s.pendingBytes -= (s.pending[done++] as Held).bytes.length;
  if (done > 0) s.pending = s.pending.slice(done);
}

export function writeCursors(s: SpoolState): void {
  if (!s.lock) return;
  for (const one of s.cursors)
    if (one.dirty)
      try {
        one.file ??= openCursorFile(s.disk, s.folder, one.name);
        one.file.write(one.next);
        one.dirty = false;
      } catch {
        // Delivered once more after a restart: the store knows the ids.
      }
}
