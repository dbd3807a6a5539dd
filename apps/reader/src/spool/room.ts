/**
 * What goes when there is no room: fast values are thinned to one a minute, then one in five minutes, then one an hour, the oldest
 * first; only then the oldest messages are given up. The same policy in memory and on disk.
 */
import type { Held } from './cursor.ts';
import { delivered } from './delivered.ts';
import { type Segment, SPACINGS, thin } from './segments.ts';
import { type SpoolState, total } from './state.ts';
import { createThinner } from './streams.ts';
import { leaveActive } from './write.ts';

/** Segments thinned into one at a time. */
const RUN = 64;

/** The policy of the disk, in memory. */
export function boundMemory(s: SpoolState): void {
  for (const spacing of SPACINGS.slice(1)) {
    const passes = createThinner(spacing);
    const kept = s.pending.filter(({ info }) => !info.fast || passes(info.stream, info.stamp));
    s.thinned += s.pending.length - kept.length;
    s.pending = kept;
    s.pendingBytes = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (s.pendingBytes <= s.memoryBytes >> 1) return;
  }
  let done = 0;
  while (s.pendingBytes > s.memoryBytes >> 1) s.pendingBytes -= (s.pending[done++] as Held).bytes.length;
  s.pending = s.pending.slice(done);
  gaveUp(s, done, 'the memory is full while the disk cannot be written');
}
function gaveUp(s: SpoolState, n: number, why: string): void {
  if (n === 0) return;
  s.dropped += n;
  // At most a line an hour: this may go on for days.
  if (s.clock.now() - s.roomTold >= 3_600_000 || s.roomTold === 0)
    s.tell(`${s.folder}: ${why}: the oldest ${n} undelivered messages are given up (${s.dropped} so far)`);
  s.roomTold = s.clock.now();
}

/** One step. @returns whether there was anything to do */
export async function makeRoom(s: SpoolState): Promise<boolean> {
  const closedOnes = s.segments.filter((one) => one !== s.active?.segment);
  if (closedOnes.length === 0) {
    if (!s.active || s.active.segment.count < 2) return false;
    leaveActive(s);
    return true;
  }
  for (let level = 1; level < SPACINGS.length; level++) {
    const from = closedOnes.findIndex((one) => one.level < level);
    if (from < 0) continue;
    const run: Segment[] = [];
    for (const one of closedOnes.slice(from, from + RUN)) {
      if (one.level >= level) break;
      run.push(one);
    }
    await thinRun(s, run, level);
    return true;
  }
  return dropOldest(s, s.state === 'full' ? 'the disk is full' : 'there is no more room');
}
export function dropOldest(s: SpoolState, why: string): boolean {
  const [oldest] = s.segments;
  if (!oldest || oldest === s.active?.segment) return false;
  s.segments.shift();
  s.disk.remove(oldest.path);
  for (const one of s.cursors) one.changed();
  const end = s.segments[0]?.first ?? s.pending[0]?.info.seq ?? s.next;
  const passed = s.cursors.size === 0 ? oldest.first : delivered(s);
  if (passed < end) gaveUp(s, Math.min(oldest.count, end - Math.max(oldest.first, passed)), why);
  return true;
}

async function thinRun(s: SpoolState, run: readonly Segment[], level: number): Promise<void> {
  for (const one of run) one.busy = true;
  const index = s.segments.indexOf(run[0] as Segment);
  const after = run.map((_, i) => s.segments[index + i + 1]?.first ?? s.pending[0]?.info.seq ?? s.next);
  try {
    const made = await thin(s.disk, s.folder, run, after, level, s.most);
    const at = s.segments.indexOf(run[0] as Segment);
    s.segments.splice(at, made.replaced, made.segment);
    for (const one of s.cursors) one.changed();
    const passed = s.cursors.size === 0 ? 0 : delivered(s);
    let n = 0;
    for (const seq of made.removed) if (seq >= passed) n++;
    if (s.thinned === 0 && n > 0)
      s.tell(
        `${s.folder}: ${Math.round(total(s) / 1e6)} MB wait for delivery; from now on the oldest fast values are thinned, registers are kept`,
      );
    s.thinned += n;
  } finally {
    for (const one of run) one.busy = false;
  }
}
