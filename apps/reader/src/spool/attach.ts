/**
 * What an earlier run left in the folder, found again; what was kept in memory meanwhile comes behind it.
 *
 * Decides: numbers go on behind the last that was given, delivered or lost; the last few segments are synced once more.
 */
import { openCursorFile } from './cursor-file.ts';
import { takeLock } from './lock.ts';
import { renumber } from './record.ts';
import { findSegments } from './segments.ts';
import type { SpoolState } from './state.ts';
import { makeReserve, RESERVE } from './write.ts';

/** Finds what an earlier run left and goes on behind it. @throws errors of lock and disk */
export function attach(s: SpoolState): void {
  s.disk.makeFolder(s.folder);
  const taken = takeLock(s.folder);
  try {
    const found = findSegments(s.disk, s.folder);
    let base = found.next;
    const there = s.disk.list(s.folder);
    const names = there.filter((name) => name.endsWith('.cursor'));
    for (const name of names) {
      const known = openCursorFile(s.disk, s.folder, decodeURIComponent(name.slice(0, -'.cursor'.length))).next;
      // Delivered and then lost in a power cut: such numbers are not given again, or a cursor would pass over the new ones.
      if (known !== undefined && known > base) base = known;
    }
    s.segments = found.segments;
    s.damaged += found.damaged;
    s.reserve = there.includes(RESERVE);
    for (const held of s.pending) {
      held.info = { ...held.info, seq: held.info.seq + base };
      renumber(held.bytes, held.info.seq);
    }
    s.next += base;
    for (const one of s.cursors) {
      one.file = openCursorFile(s.disk, s.folder, one.name);
      one.shift(base, one.file.next ?? s.segments[0]?.first ?? base);
    }
    s.lock = taken;
  } catch (error) {
    taken.release();
    throw error;
  }
  s.state = 'disk';
  s.mayGoOn = true;
  // What a killed run wrote and did not sync any more; every segment before the last few was synced.
  for (const one of s.segments.slice(-3)) s.toSync.push(s.disk.open(one.path, 'r+'));
  makeReserve(s);
  if (s.damaged > 0 && !s.damageTold) {
    s.damageTold = true;
    s.tell(`${s.folder}: the end of the spool was torn, by a power cut perhaps; everything before it is there`);
  }
}
