/**
 * Store and forward: every message is appended to a file before anything else is done with it, and stays until every uplink has
 * handed it on. Decides when it is written (at once, so that the end of this program costs nothing), when it is synced
 * (grouped, so that a memory card lasts: a power cut costs at most the sync interval), and when room is made. A disk that cannot be
 * written is told and tried again; meanwhile messages are kept in memory. What is done is in attach.ts (an earlier run's), write.ts,
 * room.ts (what goes first) and delivered.ts. Leaves out the octets (record.ts), the folder (segments.ts) and the uplinks' ways
 * (cursor.ts).
 */
import { type BackOff, backOff, type Clock, PortError, portError, sleep } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import type { SpoolStatus } from '../service/types.ts';
import { attach } from './attach.ts';
import { type Cursor, type CursorOptions, createCursor, type Held, type InnerCursor, type Source } from './cursor.ts';
import { openCursorFile } from './cursor-file.ts';
import { release, writeCursors } from './delivered.ts';
import { type Disk, realDisk } from './disk.ts';
import { encodeRecord, SEGMENT_HEAD } from './record.ts';
import { boundMemory, dropOldest, makeRoom } from './room.ts';
import { createState, isFull, total } from './state.ts';
import { createStreams } from './streams.ts';
import { syncWritten, useReserve, writePending } from './write.ts';

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
const STREAMS = 1024;

const segmentSize = (maxBytes: number) => Math.min(1 << 20, Math.max(1 << 14, maxBytes >> 6));

/** @throws PortError when another process holds the folder, or (`mustOpen`) it cannot be written */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, clock, tell, written } = options;
  let { maxBytes } = options;
  const { syncInterval = SYNC_INTERVAL, memoryBytes = MEMORY, random = Math.random, disk = realDisk } = options;
  const streams = createStreams();
  const s = createState({ disk, folder, clock, tell, most: segmentSize(maxBytes), memoryBytes });
  const { cursors, newest } = s;

  let scheduled = false;
  let closed = false;
  let fault: PortError | undefined;
  let failures = 0;
  let cancelRetry: (() => void) | undefined;
  let cancelSync: (() => void) | undefined;
  let cancelCursors: (() => void) | undefined;

  const source: Source = {
    disk,
    clock,
    get segments() {
      return s.segments;
    },
    get active() {
      return s.active?.segment;
    },
    get pending() {
      return s.pending;
    },
    get next() {
      return s.next;
    },
    newest,
    moved() {
      release(s);
      cancelCursors ??= clock.after(CURSOR_EVERY, () => {
        cancelCursors = undefined;
        writeCursors(s);
      });
    },
    damaged(runs, segment) {
      s.damaged += runs;
      if (!s.damageTold) tell(`${segment.path}: damaged on the disk; what can be read of it is delivered`);
      s.damageTold = true;
    },
  };

  /** Goes on behind what an earlier run left. @throws errors of lock and disk */
  const open = () => {
    attach(s);
    if (s.toSync.length > 0) syncSoon();
    if (total(s) > maxBytes) tend(false);
  };

  const write = () => {
    scheduled = false;
    if (closed) return;
    attempt();
    written?.();
    for (const one of cursors) one.onPut();
  };

  const attempt = () => {
    if (s.pending.length > 0 && !cancelRetry) {
      try {
        if (!s.lock) open();
        writePending(s);
        recovered();
      } catch (error) {
        failed(error);
      }
    }
    if (s.pendingBytes > memoryBytes) boundMemory(s);
    if (s.unsyncedBytes > MUCH || (syncInterval === 0 && s.unsynced.length > 0)) void group().catch(() => {});
    else if (s.unsynced.length > 0) syncSoon();
    if (s.state === 'disk' && total(s) > maxBytes) tend(false);
  };

  const recovered = () => {
    if (s.state !== 'disk' || fault) tell(`${folder}: it is written again`);
    s.state = 'disk';
    fault = undefined;
    failures = 0;
  };
  const failed = (error: unknown) => {
    const known = portError(folder, error);
    const before = fault?.message;
    fault = known;
    s.state = isFull(error) ? 'full' : 'memory';
    failures++;
    if (before !== known.message)
      tell(
        s.state === 'full'
          ? `${known.message}. Fast values are thinned to make room; new messages wait in memory`
          : `${known.message}. Messages are kept in memory until it can be written`,
      );
    cancelRetry ??= clock.after(backOff(RETRY, failures, random), again);
    if (s.state === 'full') tend(true);
  };
  const again = () => {
    cancelRetry?.();
    cancelRetry = undefined;
    if (closed) return;
    if (!s.lock && s.pending.length === 0) {
      try {
        open();
        recovered();
      } catch (error) {
        failed(error);
      }
    }
    write();
  };

  let tending: Promise<void> | undefined;
  /** Makes room until all is within bounds. `forced`: the disk is full, whatever the bounds. */
  const tend = (forced: boolean) => {
    let progress = false;
    tending ??= (async () => {
      let force = forced;
      while (!closed && (force || total(s) > maxBytes)) {
        if (force) useReserve(s);
        const before = total(s);
        if (!(await makeRoom(s))) break;
        if (total(s) < before) {
          force = false;
          progress = true;
        }
      }
    })()
      .catch((error) => {
        // Thinning found no room either, not even with the reserve: the oldest go.
        if (isFull(error)) progress = dropOldest(s, 'the disk is full');
        else failed(error);
      })
      .finally(() => {
        tending = undefined;
        if (progress && forced && !closed) again();
      });
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
    if (!grouping) {
      cancelSync?.();
      cancelSync = undefined;
      grouping = syncWritten(s, failed).finally(() => {
        grouping = undefined;
        // What came meanwhile gets its own turn.
        if (s.unsynced.length > 0 && !closed) syncSoon();
      });
    }
    return grouping;
  };

  try {
    open();
  } catch (error) {
    const known = portError(folder, error);
    if (options.mustOpen || (known.reason === 'busy' && error instanceof PortError)) throw known;
    failed(error);
  }

  const spool: Spool = {
    get next() {
      return s.next;
    },
    append(m) {
      if (closed) return;
      const { stream, stamp, fast } = streams.of(m);
      const info = { seq: s.next++, stamp, at: m.receivedAt, stream, fast };
      const held: Held = { info, bytes: encodeRecord(info, messageToJson(m, { raw: true })) };
      s.pending.push(held);
      s.pendingBytes += held.bytes.length;
      if (newest.size >= STREAMS && !newest.has(stream)) newest.delete(newest.keys().next().value as number);
      newest.set(stream, held);
      if (scheduled) return;
      scheduled = true;
      setImmediate(write);
    },
    cursor(wanted) {
      const file = s.lock ? openCursorFile(disk, folder, wanted.name) : undefined;
      const oldest = s.segments[0]?.first ?? s.pending[0]?.info.seq ?? s.next;
      const start = file?.next ?? (wanted.from === 'new' ? s.next : oldest);
      const own = createCursor(wanted, source, Math.min(start, s.next));
      own.file = file;
      own.dirty = true;
      cursors.add(own);
      writeCursors(s);
      return own;
    },
    async detach(cursor) {
      const own = cursor as InnerCursor;
      own.dirty = true;
      writeCursors(s);
      own.end();
      cursors.delete(own);
      release(s);
    },
    async sync() {
      if (scheduled) write();
      while (grouping) await grouping;
      if (s.unsynced.length > 0 || s.toSync.length > 0) await group();
      if (s.pending.length > 0) throw fault ?? new PortError('other', `${folder}: not everything could be written`);
    },
    resize(bytes) {
      maxBytes = bytes;
      if (s.state === 'disk' && total(s) > maxBytes) tend(false);
    },
    async room(signal) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      while (
        !signal.aborted &&
        !closed &&
        cursors.size > 0 &&
        (total(s) > maxBytes * 0.75 || s.pendingBytes > memoryBytes / 2)
      )
        await sleep(clock, 50, signal);
    },
    status() {
      const [oldest] = s.segments;
      let messages = s.pending.length;
      for (const one of s.segments) messages += one.count;
      return {
        folder,
        state: s.state,
        ...(fault ? { fault: fault.message } : {}),
        bytes: total(s),
        maxBytes,
        segments: s.segments.length,
        messages,
        ...(oldest || s.pending[0] ? { oldest: oldestAt() } : {}),
        unsynced: s.unsynced.length + s.pending.length,
        thinned: s.thinned,
        dropped: s.dropped,
        damaged: s.damaged,
      };
    },
    async close() {
      if (closed) return;
      try {
        if (scheduled) write();
        if (cancelRetry && s.pending.length > 0) again();
        cancelRetry?.();
        await tending;
        await spool.sync().catch(() => {});
        writeCursors(s);
        if (s.lock) for (const one of cursors) await one.file?.sync().catch(() => {});
      } finally {
        closed = true;
        cancelSync?.();
        cancelCursors?.();
        cancelRetry?.();
        await grouping?.catch(() => {});
        for (const one of cursors) one.end();
        for (const fd of [...s.toSync, ...(s.active ? [s.active.fd] : [])])
          try {
            disk.close(fd);
          } catch {
            // Closing.
          }
        s.lock?.release();
        if (s.pending.length > 0 && !s.lock)
          tell(`${folder}: ${s.pending.length} messages were kept in memory only and end with this program`);
      }
    },
  };

  let oldestKnown: { readonly path: string; readonly level: number; readonly at: number } | undefined;
  const oldestAt = (): number => {
    const [oldest] = s.segments;
    if (!oldest || !s.lock) return s.pending[0]?.info.at ?? 0;
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
