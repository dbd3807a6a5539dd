/**
 * One uplink's way through the spool: records in order of their numbers, each there until it is dropped. Decides what is let
 * through (interval, thinning), and what goes ahead: where the records to come are old, the newest of each stream is put before
 * them, so that a live view is right at once, and again every few seconds as long as there is a backlog. What went ahead is
 * not sent again behind.
 */
import type { Clock } from '@amiable/io';
import type { Outbox } from '../uplinks/outbox.ts';
import type { CursorFile } from './cursor-file.ts';
import { type Disk, readAt } from './disk.ts';
import { LARGEST_PAYLOAD, nextRecord, RECORD_HEAD, type RecordInfo, RecordView, SEGMENT_HEAD } from './record.ts';
import type { Segment } from './segments.ts';
import { createThinner } from './streams.ts';

export interface CursorOptions {
  /** Of the uplink; names the file. */
  readonly name: string;
  /** Where an uplink begins that never was. */
  readonly from: 'oldest' | 'new';
  /** ms between deliveries; 0: each message at once. */
  readonly interval: number;
  /** Of the fast lists only one per stream and interval (a minute where `interval` is 0). */
  readonly thin: boolean;
  /** The newest state goes before a backlog. */
  readonly newestFirst: boolean;
}

export interface Cursor extends Outbox {
  readonly name: string;
  /** Number of the next record to deliver. */
  readonly next: number;
  readonly thinned: number;
  /** Everything is delivered, thinned or dropped. */
  readonly done: boolean;
}

/** A record in memory. */
export interface Held {
  info: RecordInfo;
  readonly bytes: Buffer;
}

/** What a cursor sees of its spool. */
export interface Source {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly segments: readonly Segment[];
  /** The segment that is being written. */
  readonly active: Segment | undefined;
  /** Not on disk yet, in order. */
  readonly pending: readonly Held[];
  /** Number that the next record will get. */
  readonly next: number;
  readonly newest: ReadonlyMap<number, Held>;
  moved(cursor: InnerCursor): void;
  damaged(runs: number, segment: Segment): void;
}

/** For the spool only. */
export interface InnerCursor extends Cursor {
  file: CursorFile | undefined;
  /** Differs from what is on disk. */
  dirty: boolean;
  /** These segments are not what they were. */
  changed(): void;
  /** Numbers given while there was no folder are so many higher now; what the folder holds from `next` on comes after. */
  shift(by: number, next: number): void;
  /** ms until it may let more through; the spool's clock calls `open` then. */
  end(): void;
}

interface Entry {
  seq: number;
  readonly line: string;
  readonly at: number;
  readonly ahead: boolean;
}

const BLOCK = 1 << 18;
const WINDOW = 4 << 20;
/** ms: what is younger is no backlog. */
const LAG = 10_000;
/** ms between two looks ahead. */
const AHEAD_EVERY = 5000;
/** ms: a stream that said nothing for longer has no newest state worth a place before others. */
const STALE = 900_000;

export function createCursor(options: CursorOptions, source: Source, start: number): InnerCursor {
  const { disk, clock } = source;
  let next = start;
  /** Number of the next record to load. */
  let tail = start;
  let window: Entry[] = [];
  let head = 0;
  let size = 0;
  /** Entries handed out and perhaps under way. */
  let looked = 0;
  let segment: Segment | undefined;
  let offset = SEGMENT_HEAD;
  let block = BLOCK;
  let thinned = 0;
  const lost = 0;
  let closed = false;
  /** Numbers that went ahead. */
  const ahead = new Set<number>();
  let aheadAt = Number.NEGATIVE_INFINITY;
  let backTo: number | undefined;
  const view = new RecordView();

  const { interval } = options;
  let limit = interval > 0 ? source.next : Number.POSITIVE_INFINITY;
  let limitBefore = 0;
  let newestAtLimit = new Map<number, number>();
  const passes = createThinner(interval || 60_000);
  let cancel = () => {};
  const gate = () => {
    limitBefore = limit;
    limit = source.next;
    newestAtLimit = new Map();
    for (const [stream, held] of source.newest) newestAtLimit.set(stream, held.info.seq);
    cursor.onPut();
    cancel = clock.after(interval, gate);
  };
  if (interval > 0) cancel = clock.after(interval, gate);

  /** What is thinned out may be passed over. */
  const isWanted = (info: RecordInfo): boolean => {
    if (!options.thin || !info.fast) return true;
    // Of what was gathered since the last time the newest; of what is older, by the clock.
    if (interval > 0 && limitBefore > 0 && info.seq >= limitBefore && newestAtLimit.has(info.stream))
      return newestAtLimit.get(info.stream) === info.seq;
    return passes(info.stream, info.stamp);
  };
  const take = (info: RecordInfo, line: () => string) => {
    tail = info.seq + 1;
    if (ahead.delete(info.seq)) return;
    if (!isWanted(info)) {
      thinned++;
      return;
    }
    const text = line();
    window.push({ seq: info.seq, line: text, at: info.at, ahead: false });
    size += text.length;
  };

  const seek = (): Segment | undefined => {
    const all = source.segments;
    let found: Segment | undefined;
    // The last one that begins at or before it; else the first there is.
    let low = 0;
    let high = all.length - 1;
    while (low <= high) {
      const mid = (low + high) >> 1;
      const one = all[mid] as Segment;
      if (one.first <= tail) {
        found = one;
        low = mid + 1;
      } else high = mid - 1;
    }
    return found ?? all[0];
  };

  /** Loads more; false when there is nothing more now. */
  const load = (): boolean => {
    if (tail >= limit) return false;
    if (!segment) {
      segment = seek();
      offset = SEGMENT_HEAD;
    }
    while (segment) {
      const own: Segment = segment;
      const isLast = own === source.active;
      if (offset < own.bytes) {
        let bytes: Buffer;
        const length = Math.min(block, own.bytes - offset);
        try {
          bytes = readAt(disk, own.path, offset, length);
        } catch {
          // Unreadable: what comes after it is still good.
          source.damaged(1, own);
          bytes = Buffer.alloc(0);
          offset = own.bytes;
        }
        const final = offset + bytes.length >= own.bytes || bytes.length < length;
        let at = 0;
        let wasLoaded = false;
        while (at < bytes.length) {
          const found = nextRecord(bytes, at, final, view);
          if (found.skipped > 0) source.damaged(1, own);
          if (found.type === 'record') {
            if (view.seq >= limit) {
              offset += view.start;
              return wasLoaded;
            }
            at = view.end;
            if (view.seq >= tail) {
              const before = window.length;
              take(view, () => view.line());
              wasLoaded ||= window.length > before;
            }
            continue;
          }
          if (found.type === 'more' && view.start === 0) {
            // A record longer than the block.
            if (block < LARGEST_PAYLOAD + RECORD_HEAD) block *= 2;
            else at = bytes.length;
            break;
          }
          at = found.type === 'more' ? view.start : bytes.length;
          break;
        }
        offset += at;
        if (final && bytes.length < length) offset = own.bytes;
        if (wasLoaded) {
          block = BLOCK;
          return true;
        }
        continue;
      }
      if (isLast) break;
      const index: number = source.segments.indexOf(own);
      const after: Segment | undefined = source.segments[index + 1];
      // The newest one of an earlier run, before anything was written in this.
      if (!after || index < 0) break;
      segment = after;
      offset = SEGMENT_HEAD;
    }
    const before = window.length;
    for (const held of source.pending) {
      if (held.info.seq < tail) continue;
      if (held.info.seq >= limit || window.length - head > 1000) return window.length > before;
      take(held.info, () => held.bytes.toString('utf8', RECORD_HEAD));
    }
    // Numbers that were lost in a power cut do not come any more.
    tail = Math.max(tail, Math.min(limit, source.next));
    return window.length > before;
  };

  const settle = () => {
    if (head < window.length) return;
    window = [];
    head = size = looked = 0;
    if (next !== tail && backTo === undefined) {
      next = tail;
      cursor.dirty = true;
      source.moved(cursor);
    }
    if (backTo !== undefined) {
      next = tail = backTo;
      backTo = undefined;
      segment = undefined;
      ahead.clear();
    }
  };

  const fill = (need: number) => {
    while (window.length - head < need && size < WINDOW && load());
    if (head === window.length) settle();
  };

  /** Puts the newest of each stream behind what is under way. */
  const goAhead = () => {
    if (!options.newestFirst || interval > 0) return;
    const now = clock.now();
    if (now - aheadAt < AHEAD_EVERY) return;
    const first = window.find((entry, i) => i >= head + looked && !entry.ahead);
    if (!first) return;
    const entries: Entry[] = [];
    let newest = 0;
    for (const { info } of source.newest.values()) newest = Math.max(newest, info.at);
    if (newest - first.at < LAG) return;
    aheadAt = now;
    for (const { info, bytes } of source.newest.values()) {
      if (info.seq < tail || info.at < newest - STALE || ahead.has(info.seq)) continue;
      ahead.add(info.seq);
      entries.push({ seq: info.seq, line: bytes.toString('utf8', RECORD_HEAD), at: info.at, ahead: true });
    }
    entries.sort((a, b) => a.seq - b.seq);
    for (const entry of entries) size += entry.line.length;
    window.splice(head + looked, 0, ...entries);
  };

  const cursor: InnerCursor = {
    name: options.name,
    file: undefined,
    dirty: false,
    onPut: () => {},
    get next() {
      return next;
    },
    get thinned() {
      return thinned;
    },
    get lost() {
      return lost;
    },
    get done() {
      fill(1);
      return head === window.length && tail >= Math.min(limit, source.next);
    },
    get length() {
      let n = window.length - head;
      const all = source.segments;
      const firstPending = source.pending[0]?.info.seq ?? source.next;
      for (let i = 0; i < all.length; i++) {
        const one = all[i] as Segment;
        const after = all[i + 1]?.first ?? firstPending;
        if (after > tail) n += Math.min(one.count, after - Math.max(one.first, tail));
      }
      for (const { info } of source.pending) if (info.seq >= tail) n++;
      return Math.max(0, n - ahead.size);
    },
    look(skip, items, bytes) {
      if (closed) return [];
      fill(skip + 1);
      goAhead();
      fill(skip + items);
      const out: string[] = [];
      let length = 0;
      for (let i = head + skip; i < window.length && out.length < items; i++) {
        const { line } = window[i] as Entry;
        if (out.length > 0 && length + line.length > bytes) break;
        length += line.length;
        out.push(line);
      }
      looked = Math.max(looked, skip + out.length);
      return out;
    },
    drop(n) {
      for (let i = 0; i < n && head < window.length; i++) {
        const entry = window[head++] as Entry;
        size -= entry.line.length;
        if (!entry.ahead && backTo === undefined) next = entry.seq + 1;
      }
      looked = Math.max(0, looked - n);
      cursor.dirty = true;
      if (head > 1024 && head * 2 > window.length) {
        window = window.slice(head);
        head = 0;
      }
      settle();
      source.moved(cursor);
    },
    again() {
      looked = 0;
      // What was newest then is history now, and comes in its turn.
      if (ahead.size > 0)
        window = window.slice(head).filter((entry) => {
          const isPassed = !entry.ahead || entry.seq < tail;
          if (!isPassed) {
            ahead.delete(entry.seq);
            size -= entry.line.length;
          }
          return isPassed;
        });
      else window = window.slice(head);
      head = 0;
      aheadAt = Number.NEGATIVE_INFINITY;
    },
    hurry() {
      cancel();
      limitBefore = limit;
      limit = Number.POSITIVE_INFINITY;
      newestAtLimit = new Map();
      for (const [stream, held] of source.newest) newestAtLimit.set(stream, held.info.seq);
      cursor.onPut();
    },
    changed() {
      segment = undefined;
    },
    shift(by, at) {
      for (const entry of window) entry.seq += by;
      tail += by;
      next += by;
      if (limit !== Number.POSITIVE_INFINITY) limit += by;
      limitBefore += limitBefore > 0 ? by : 0;
      newestAtLimit.clear();
      ahead.clear();
      segment = undefined;
      if (at < by) backTo = at;
      settle();
      cursor.onPut();
    },
    end() {
      closed = true;
      cancel();
    },
    close() {
      cursor.end();
    },
  };
  return cursor;
}
