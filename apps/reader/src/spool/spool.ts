/**
 * Store and forward: every message is appended to a file before anything else is done with it, and stays until every uplink has
 * handed it on. Decides when it is written (at once, so that the end of this program costs nothing), when it is synced
 * (grouped, so that a memory card lasts: a power cut costs at most the sync interval), and what goes when there is no room: fast
 * values are thinned to one a minute, then one in five minutes, then one an hour, the oldest first; only then the oldest
 * messages are given up. A disk that cannot be written is told and tried again; meanwhile messages are kept in memory, by the
 * same policy. Leaves out the octets (record.ts), the folder (segments.ts) and the uplinks' ways (cursor.ts).
 */
import { join } from 'node:path';
import { type BackOff, backOff, type Clock, PortError, portError, sleep } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import type { SpoolStatus } from '../service/types.ts';
import { type Cursor, type CursorOptions, createCursor, type Held, type InnerCursor, type Source } from './cursor.ts';
import { openCursorFile } from './cursor-file.ts';
import { type Disk, realDisk, writeAll } from './disk.ts';
import { type Lock, takeLock } from './lock.ts';
import { encodeRecord, encodeSegmentHead, renumber, SEGMENT_HEAD } from './record.ts';
import { findSegments, type Segment, SPACINGS, segmentPath, thin } from './segments.ts';
import { createStreams, createThinner } from './streams.ts';

export interface SpoolOptions {
  readonly folder: string;
  /** On disk, the reserve not counted. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
  /** ms between syncs: what a power cut may cost. 5000 unless said; 0: after every group of writes. */
  readonly syncInterval?: number;
  /** Octets in memory while the disk cannot be written. */
  readonly memoryBytes?: number;
  /** Fail when the folder cannot be written, instead of going on in memory. */
  readonly mustOpen?: boolean;
  readonly random?: () => number;
  readonly disk?: Disk;
  /** Called after each group of messages is in the spool. */
  readonly written?: () => void;
}

export interface Spool {
  append(m: Message): void;
  /** Goes on where the one of that name was. */
  cursor(options: CursorOptions): Cursor;
  /** It holds nothing back any more; where it was stays known. */
  detach(cursor: Cursor): Promise<void>;
  /** Resolves when everything appended so far would survive a power cut. @throws PortError when the disk does not take it */
  sync(): Promise<void>;
  /** Resolves when what was appended is written and there is room for more without thinning; for those who can wait. */
  room(signal: AbortSignal): Promise<void>;
  readonly next: number;
  /** Another bound from now on. */
  resize(maxBytes: number): void;
  status(): SpoolStatus;
  /** Writes, syncs and lets the folder go. */
  close(): Promise<void>;
}

const SYNC_INTERVAL = 5000;
const MEMORY = 16 << 20;
/** Unsynced octets that are synced before their time. */
const MUCH = 1 << 20;
const RETRY: BackOff = { first: 1000, longest: 30_000 };
const CURSOR_EVERY = 1000;
/** Segments thinned into one at a time. */
const RUN = 64;
const STREAMS = 1024;
const RESERVE = 'reserve';

const segmentSize = (maxBytes: number) => Math.min(1 << 20, Math.max(1 << 14, maxBytes >> 6));
const isFull = (error: unknown) => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException)?.code ?? '');

/** @throws PortError when another process holds the folder, or (`mustOpen`) it cannot be written */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, clock, tell, written } = options;
  let { maxBytes } = options;
  const { syncInterval = SYNC_INTERVAL, memoryBytes = MEMORY, random = Math.random, disk = realDisk } = options;
  const most = segmentSize(maxBytes);
  const streams = createStreams();
  const cursors = new Set<InnerCursor>();
  const newest = new Map<number, Held>();

  let segments: Segment[] = [];
  let pending: Held[] = [];
  let pendingBytes = 0;
  /** Written since the last sync. */
  let unsynced: Held[] = [];
  let unsyncedBytes = 0;
  let next = 0;
  let lock: Lock | undefined;
  let active: { readonly segment: Segment; readonly fd: number } | undefined;
  /** Files of earlier segments that are not synced yet. */
  let toSync: number[] = [];
  let newNames = false;
  let reserve = false;
  /** The newest segment is one of an earlier run with room in it. */
  let mayGoOn = false;

  let scheduled = false;
  let closed = false;
  let state: SpoolStatus['state'] = 'memory';
  let fault: PortError | undefined;
  let failures = 0;
  let cancelRetry: (() => void) | undefined;
  let cancelSync: (() => void) | undefined;
  let cancelCursors: (() => void) | undefined;
  let thinnedCount = 0;
  let droppedCount = 0;
  let damagedCount = 0;
  let damageTold = false;
  let roomTold = 0;

  const source: Source = {
    disk,
    clock,
    get segments() {
      return segments;
    },
    get active() {
      return active?.segment;
    },
    get pending() {
      return pending;
    },
    get next() {
      return next;
    },
    newest,
    moved() {
      release();
      cancelCursors ??= clock.after(CURSOR_EVERY, () => {
        cancelCursors = undefined;
        writeCursors();
      });
    },
    damaged(runs, segment) {
      damagedCount += runs;
      if (!damageTold) tell(`${segment.path}: damaged on the disk; what can be read of it is delivered`);
      damageTold = true;
    },
  };

  const total = () => {
    let sum = 0;
    for (const one of segments) sum += one.bytes;
    return sum;
  };
  /** Numbers before this are delivered everywhere. */
  const delivered = () => {
    let least = Number.POSITIVE_INFINITY;
    for (const one of cursors) least = Math.min(least, one.next);
    return cursors.size === 0 ? 0 : least;
  };

  /** Segments that every uplink has passed go. */
  const release = () => {
    const passed = delivered();
    while (segments.length > 1 && (segments[1] as Segment).first <= passed) {
      const [oldest] = segments as [Segment];
      if (oldest.busy || oldest === active?.segment) return;
      segments.shift();
      disk.discard(oldest.path);
    }
    if (state === 'disk') return;
    // What is delivered everywhere need not be written any more.
    let done = 0;
    while (done < pending.length && (pending[done] as Held).info.seq < passed)
      pendingBytes -= (pending[done++] as Held).bytes.length;
    if (done > 0) pending = pending.slice(done);
  };

  const writeCursors = () => {
    if (!lock) return;
    for (const one of cursors)
      if (one.dirty)
        try {
          one.file ??= openCursorFile(disk, folder, one.name);
          one.file.write(one.next);
          one.dirty = false;
        } catch {
          // Delivered once more after a restart: the store knows the ids.
        }
  };

  const makeReserve = () => {
    if (reserve) return;
    const path = join(folder, RESERVE);
    try {
      const fd = disk.open(path, 'w');
      reserve = true;
      try {
        writeAll(disk, fd, Buffer.alloc(most), 0);
      } finally {
        disk.close(fd);
      }
    } catch {
      useReserve();
    }
  };
  const useReserve = () => {
    if (!reserve) return;
    reserve = false;
    try {
      disk.remove(join(folder, RESERVE));
    } catch {
      // So be it.
    }
  };

  /** Finds what an earlier run left and goes on behind it. @throws errors of lock and disk */
  const attach = () => {
    disk.makeFolder(folder);
    const taken = takeLock(folder);
    try {
      const found = findSegments(disk, folder);
      let base = found.next;
      const there = disk.list(folder);
      const names = there.filter((name) => name.endsWith('.cursor'));
      for (const name of names) {
        const known = openCursorFile(disk, folder, decodeURIComponent(name.slice(0, -'.cursor'.length))).next;
        // Delivered and then lost in a power cut: such numbers are not given again, or a cursor would pass over the new ones.
        if (known !== undefined && known > base) base = known;
      }
      segments = found.segments;
      damagedCount += found.damaged;
      reserve = there.includes(RESERVE);
      for (const held of pending) {
        held.info = { ...held.info, seq: held.info.seq + base };
        renumber(held.bytes, held.info.seq);
      }
      next += base;
      for (const one of cursors) {
        one.file = openCursorFile(disk, folder, one.name);
        one.shift(base, one.file.next ?? segments[0]?.first ?? base);
      }
      lock = taken;
    } catch (error) {
      taken.release();
      throw error;
    }
    state = 'disk';
    mayGoOn = true;
    // What a killed run wrote and did not sync any more; every segment before the last few was synced.
    for (const one of segments.slice(-3)) toSync.push(disk.open(one.path, 'r+'));
    if (toSync.length > 0) syncSoon();
    makeReserve();
    if (damagedCount > 0 && !damageTold) {
      damageTold = true;
      tell(`${folder}: the end of the spool was torn, by a power cut perhaps; everything before it is there`);
    }
    if (total() > maxBytes) tend(false);
  };

  const roll = () => {
    if (active) {
      toSync.push(active.fd);
      active = undefined;
    }
    const first = pending[0]?.info.seq ?? next;
    const newestSegment = segments.at(-1);
    const goesOn = mayGoOn;
    mayGoOn = false;
    if (goesOn && newestSegment && newestSegment.level === 0 && !newestSegment.busy && newestSegment.bytes < most) {
      active = { segment: newestSegment, fd: disk.open(newestSegment.path, 'r+') };
      return;
    }
    const path = segmentPath(folder, first);
    // All of it is written once more.
    if (newestSegment?.first === first) segments.pop();
    const fd = disk.open(path, 'w');
    try {
      writeAll(disk, fd, encodeSegmentHead({ level: 0, count: -1, first, last: -1 }), 0);
    } catch (error) {
      disk.close(fd);
      disk.remove(path);
      throw error;
    }
    newNames = true;
    const segment: Segment = { path, first, bytes: SEGMENT_HEAD, count: 0, level: 0, busy: false };
    segments.push(segment);
    active = { segment, fd };
    makeReserve();
  };

  /** @throws errors of the disk; what was not written stays pending */
  const writePending = () => {
    let done = 0;
    try {
      while (done < pending.length) {
        if (!active || active.segment.bytes >= most) {
          pending = pending.slice(done);
          done = 0;
          roll();
        }
        const { segment, fd } = active as NonNullable<typeof active>;
        let size = 0;
        let end = done;
        while (end < pending.length && segment.bytes + size < most) size += (pending[end++] as Held).bytes.length;
        const group = pending.slice(done, end);
        const octets =
          group.length === 1
            ? (group[0] as Held).bytes
            : Buffer.concat(
                group.map((held) => held.bytes),
                size,
              );
        try {
          writeAll(disk, fd, octets, segment.bytes);
        } catch (error) {
          try {
            disk.truncate(fd, segment.bytes);
          } catch {
            leaveActive();
          }
          if (!isFull(error)) leaveActive();
          throw error;
        }
        segment.bytes += size;
        segment.count += group.length;
        pendingBytes -= size;
        unsyncedBytes += size;
        for (const held of group) unsynced.push(held);
        done = end;
      }
    } finally {
      pending = done === pending.length ? [] : pending.slice(done);
    }
  };
  const leaveActive = () => {
    if (!active) return;
    toSync.push(active.fd);
    active = undefined;
  };

  const write = () => {
    scheduled = false;
    if (closed) return;
    attempt();
    written?.();
    for (const one of cursors) one.onPut();
  };

  const attempt = () => {
    if (pending.length > 0 && !cancelRetry) {
      try {
        if (!lock) attach();
        writePending();
        recovered();
      } catch (error) {
        failed(error);
      }
    }
    if (pendingBytes > memoryBytes) boundMemory();
    if (unsyncedBytes > MUCH || (syncInterval === 0 && unsynced.length > 0)) void group().catch(() => {});
    else if (unsynced.length > 0) syncSoon();
    if (state === 'disk' && total() > maxBytes) tend(false);
  };

  const recovered = () => {
    if (state !== 'disk' || fault) tell(`${folder}: it is written again`);
    state = 'disk';
    fault = undefined;
    failures = 0;
  };
  const failed = (error: unknown) => {
    const known = portError(folder, error);
    const before = fault?.message;
    fault = known;
    state = isFull(error) ? 'full' : 'memory';
    failures++;
    if (before !== known.message)
      tell(
        state === 'full'
          ? `${known.message}. Fast values are thinned to make room; new messages wait in memory`
          : `${known.message}. Messages are kept in memory until it can be written`,
      );
    cancelRetry ??= clock.after(backOff(RETRY, failures, random), again);
    if (state === 'full') tend(true);
  };
  const again = () => {
    cancelRetry?.();
    cancelRetry = undefined;
    if (closed) return;
    if (!lock && pending.length === 0) {
      try {
        attach();
        recovered();
      } catch (error) {
        failed(error);
      }
    }
    write();
  };

  /** The policy of the disk, in memory. */
  const boundMemory = () => {
    for (const spacing of SPACINGS.slice(1)) {
      const passes = createThinner(spacing);
      const kept = pending.filter(({ info }) => !info.fast || passes(info.stream, info.stamp));
      thinnedCount += pending.length - kept.length;
      pending = kept;
      pendingBytes = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
      if (pendingBytes <= memoryBytes >> 1) return;
    }
    let done = 0;
    while (pendingBytes > memoryBytes >> 1) pendingBytes -= (pending[done++] as Held).bytes.length;
    pending = pending.slice(done);
    gaveUp(done, 'the memory is full while the disk cannot be written');
  };
  const gaveUp = (n: number, why: string) => {
    if (n === 0) return;
    droppedCount += n;
    // At most a line an hour: this may go on for days.
    if (clock.now() - roomTold >= 3_600_000 || roomTold === 0)
      tell(`${folder}: ${why}: the oldest ${n} undelivered messages are given up (${droppedCount} so far)`);
    roomTold = clock.now();
  };

  let tending: Promise<void> | undefined;
  /** Makes room until all is within bounds. `forced`: the disk is full, whatever the bounds. */
  const tend = (forced: boolean) => {
    let progress = false;
    tending ??= (async () => {
      let force = forced;
      while (!closed && (force || total() > maxBytes)) {
        if (force) useReserve();
        const before = total();
        if (!(await makeRoom())) break;
        if (total() < before) {
          force = false;
          progress = true;
        }
      }
    })()
      .catch((error) => {
        // Thinning found no room either, not even with the reserve: the oldest go.
        if (isFull(error)) progress = dropOldest('the disk is full');
        else failed(error);
      })
      .finally(() => {
        tending = undefined;
        if (progress && forced && !closed) again();
      });
  };

  /** One step. @returns whether there was anything to do */
  const makeRoom = async (): Promise<boolean> => {
    const closedOnes = segments.filter((one) => one !== active?.segment);
    if (closedOnes.length === 0) {
      if (!active || active.segment.count < 2) return false;
      leaveActive();
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
      await thinRun(run, level);
      return true;
    }
    return dropOldest(state === 'full' ? 'the disk is full' : 'there is no more room');
  };
  const dropOldest = (why: string): boolean => {
    const [oldest] = segments;
    if (!oldest || oldest === active?.segment) return false;
    segments.shift();
    disk.remove(oldest.path);
    for (const one of cursors) one.changed();
    const end = segments[0]?.first ?? pending[0]?.info.seq ?? next;
    const passed = cursors.size === 0 ? oldest.first : delivered();
    if (passed < end) gaveUp(Math.min(oldest.count, end - Math.max(oldest.first, passed)), why);
    return true;
  };

  const thinRun = async (run: readonly Segment[], level: number) => {
    for (const one of run) one.busy = true;
    const index = segments.indexOf(run[0] as Segment);
    const after = run.map((_, i) => segments[index + i + 1]?.first ?? pending[0]?.info.seq ?? next);
    try {
      const made = await thin(disk, folder, run, after, level, most);
      const at = segments.indexOf(run[0] as Segment);
      segments.splice(at, made.replaced, made.segment);
      for (const one of cursors) one.changed();
      const passed = cursors.size === 0 ? 0 : delivered();
      let n = 0;
      for (const seq of made.removed) if (seq >= passed) n++;
      if (thinnedCount === 0 && n > 0)
        tell(
          `${folder}: ${Math.round(total() / 1e6)} MB wait for delivery; from now on the oldest fast values are thinned, registers are kept`,
        );
      thinnedCount += n;
    } finally {
      for (const one of run) one.busy = false;
    }
  };

  const syncSoon = () => {
    cancelSync ??= clock.after(syncInterval, () => {
      cancelSync = undefined;
      void group().catch(() => {});
    });
  };
  let grouping: Promise<void> | undefined;
  /** One sync for all that was written before it. */
  const group = (): Promise<void> => {
    grouping ??= (async () => {
      cancelSync?.();
      cancelSync = undefined;
      const own = unsynced.length;
      const old = toSync;
      toSync = [];
      const names = newNames;
      newNames = false;
      try {
        for (const fd of old) await disk.sync(fd);
        if (active) await disk.sync(active.fd);
        if (names) disk.syncFolder(folder);
        const synced = unsynced.slice(0, own);
        unsynced = unsynced.slice(own);
        for (const held of synced) unsyncedBytes -= held.bytes.length;
        for (const one of cursors) await one.file?.sync();
      } catch (error) {
        // What the system had taken may be gone: it is written once more, to a new file.
        pending = [...unsynced, ...pending];
        pendingBytes += unsyncedBytes;
        unsynced = [];
        unsyncedBytes = 0;
        leaveActive();
        for (const fd of toSync.splice(0)) old.push(fd);
        failed(error);
        throw portError(folder, error);
      } finally {
        for (const fd of old)
          try {
            disk.close(fd);
          } catch {
            // Nothing depends on it any more.
          }
      }
    })().finally(() => {
      grouping = undefined;
      // What came meanwhile gets its own turn.
      if (unsynced.length > 0 && !closed) syncSoon();
    });
    return grouping;
  };

  try {
    attach();
  } catch (error) {
    const known = portError(folder, error);
    if (options.mustOpen || (known.reason === 'busy' && error instanceof PortError)) throw known;
    failed(error);
  }

  const spool: Spool = {
    get next() {
      return next;
    },
    append(m) {
      if (closed) return;
      const { stream, stamp, fast } = streams.of(m);
      const info = { seq: next++, stamp, at: m.receivedAt, stream, fast };
      const held: Held = { info, bytes: encodeRecord(info, messageToJson(m, { raw: true })) };
      pending.push(held);
      pendingBytes += held.bytes.length;
      if (newest.size >= STREAMS && !newest.has(stream)) newest.delete(newest.keys().next().value as number);
      newest.set(stream, held);
      if (scheduled) return;
      scheduled = true;
      setImmediate(write);
    },
    cursor(wanted) {
      const file = lock ? openCursorFile(disk, folder, wanted.name) : undefined;
      const oldest = segments[0]?.first ?? pending[0]?.info.seq ?? next;
      const start = file?.next ?? (wanted.from === 'new' ? next : oldest);
      const own = createCursor(wanted, source, Math.min(start, next));
      own.file = file;
      own.dirty = true;
      cursors.add(own);
      writeCursors();
      return own;
    },
    async detach(cursor) {
      const own = cursor as InnerCursor;
      own.dirty = true;
      writeCursors();
      own.end();
      cursors.delete(own);
      release();
    },
    async sync() {
      if (scheduled) write();
      while (grouping) await grouping;
      if (unsynced.length > 0 || toSync.length > 0) await group();
      if (pending.length > 0) throw fault ?? new PortError('other', `${folder}: not everything could be written`);
    },
    resize(bytes) {
      maxBytes = bytes;
      if (state === 'disk' && total() > maxBytes) tend(false);
    },
    async room(signal) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      while (
        !signal.aborted &&
        !closed &&
        cursors.size > 0 &&
        (total() > maxBytes * 0.75 || pendingBytes > memoryBytes / 2)
      )
        await sleep(clock, 50, signal);
    },
    status() {
      const [oldest] = segments;
      let messages = pending.length;
      for (const one of segments) messages += one.count;
      return {
        folder,
        state,
        ...(fault ? { fault: fault.message } : {}),
        bytes: total(),
        maxBytes,
        segments: segments.length,
        messages,
        ...(oldest || pending[0] ? { oldest: oldestAt() } : {}),
        unsynced: unsynced.length + pending.length,
        thinned: thinnedCount,
        dropped: droppedCount,
        damaged: damagedCount,
      };
    },
    async close() {
      if (closed) return;
      try {
        if (scheduled) write();
        if (cancelRetry && pending.length > 0) again();
        cancelRetry?.();
        await tending;
        await spool.sync().catch(() => {});
        writeCursors();
        if (lock) for (const one of cursors) await one.file?.sync().catch(() => {});
      } finally {
        closed = true;
        cancelSync?.();
        cancelCursors?.();
        cancelRetry?.();
        await grouping?.catch(() => {});
        for (const one of cursors) one.end();
        for (const fd of [...toSync, ...(active ? [active.fd] : [])])
          try {
            disk.close(fd);
          } catch {
            // Closing.
          }
        lock?.release();
        if (pending.length > 0 && !lock)
          tell(`${folder}: ${pending.length} messages were kept in memory only and end with this program`);
      }
    },
  };

  let oldestKnown: { readonly path: string; readonly level: number; readonly at: number } | undefined;
  const oldestAt = (): number => {
    const [oldest] = segments;
    if (!oldest || !lock) return pending[0]?.info.at ?? 0;
    if (oldestKnown?.path !== oldest.path || oldestKnown.level !== oldest.level) {
      let at = 0;
      try {
        const fd = disk.open(oldest.path, 'r');
        const head = Buffer.alloc(32);
        disk.read(fd, head, SEGMENT_HEAD);
        disk.close(fd);
        at = head.readDoubleLE(24);
      } catch {
        // Unknown.
      }
      oldestKnown = { path: oldest.path, level: oldest.level, at };
    }
    return oldestKnown.at;
  };
  return spool;
}
