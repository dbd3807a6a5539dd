/**
 * The transaction log's writer. Entries wait a fifth of a second and go to the database together: what began and ended
 * meanwhile is one row, written once.
 *
 * Decides: nobody waits for the log and nothing fails by it. While the database is away entries are kept up to a bound, and
 * what is finest goes first: APDUs at half of it, associations at three quarters, meters at nine tenths; what was lost is
 * counted, and the log itself says so afterwards. Not here: reading (query.ts), retention (retain.ts).
 */
import type { Database } from '../pg/database.ts';
import { journalSql } from '../sql/journal.ts';
import { StoreUnavailable } from '../types.ts';
import { createIds, timeOfId } from './ids.ts';
import type { Journal, NewTransaction, TransactionEnd, TransactionKind, TransactionState } from './types.ts';

export interface JournalParts {
  readonly db: Database;
  /** Makes the partition of these days (since 1970). */
  readonly partitions: { transactions(days: Iterable<number>): Promise<void> };
  /** The number of this writer, and who it is. */
  readonly writer: number;
  readonly name?: string;
  /** Real time, epoch ms. */
  readonly clock: () => number;
  /** Entries that may wait. */
  readonly room?: number;
  /** Real milliseconds that an entry waits for others. */
  readonly pause?: number;
}

export interface JournalWriter extends Journal {
  readonly waiting: number;
  readonly lost: number;
  onWritten(listener: () => void): () => void;
  nextStamp(): bigint;
  close(): Promise<void>;
}

interface Row {
  readonly id: bigint;
  readonly parent: string | null;
  readonly run: string | null;
  readonly meter: string | null;
  readonly started: number;
  readonly kind: TransactionKind;
  ended: number | null;
  state: TransactionState;
  text: string;
  detail: string | null;
  size: number;
  /** It may be in the database already: the answer was lost. It stays as it is, and its end is written after it. */
  tried: boolean;
}
interface End {
  readonly ended: number;
  readonly state: TransactionState;
  readonly text: string | null;
  readonly detail: string | null;
}

const MAX_TEXT = 500;
const MAX_DETAIL = 8192;
/** Bytes of texts and details that may wait, roughly. */
const MAX_BYTES = 32 * 1024 * 1024;
const BATCH = 2000;
const DAY = 86_400_000;
/** What of the room an entry may find taken. */
const SHARE: Readonly<Record<TransactionKind, number>> = {
  apdu: 0.5,
  association: 0.75,
  meter: 0.9,
  command: 1,
  task: 1,
  flow: 1,
};

const NUL = String.fromCharCode(0);
/** Half of a pair of surrogates: JSON can say it, the database cannot. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const clean = (text: string): string => text.replaceAll(NUL, '').replace(LONE, '\ufffd');
const plain = (text: string): string => clean(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);
const digits = (text: string | undefined): string | null =>
  text !== undefined && /^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n ? text : null;
const iso = (ms: number): string => new Date(Number.isFinite(ms) ? ms : 0).toISOString();

/** JSON of at most 8 kB; what is longer stands as the beginning of its text, marked. */
export function boundedDetail(detail: unknown): string | null {
  if (detail === undefined || detail === null) return null;
  let text: string | undefined;
  try {
    text = JSON.stringify(detail, (_, value) => {
      if (typeof value === 'bigint') return String(value);
      return typeof value === 'string' ? clean(value) : value;
    });
  } catch {
    return JSON.stringify({ cut: true, text: 'the detail cannot be written as JSON' });
  }
  if (text === undefined) return null;
  if (text.length <= MAX_DETAIL) return text;
  return JSON.stringify({ cut: true, text: clean(text.slice(0, MAX_DETAIL / 2)) });
}

export function createWriter(parts: JournalParts): JournalWriter {
  const { db, partitions, clock } = parts;
  const room = parts.room ?? 50_000;
  const pause = parts.pause ?? 200;
  const ids = createIds(parts.writer, clock);
  const listeners = new Set<() => void>();
  /** Not in the database yet, in order. */
  const fresh = new Map<bigint, Row>();
  const ends = new Map<bigint, End>();
  let flying = 0;
  let bytes = 0;
  let lost = 0;
  let untold = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> | undefined;
  let failures = 0;
  let seen = 0;
  let closed = false;

  const waiting = (): number => fresh.size + flying + ends.size;

  function lose(count: number): void {
    lost += count;
    untold += count;
  }

  function wake(after: number): void {
    if (timer !== undefined || closed) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush();
    }, after);
    timer.unref();
  }

  function put(entry: NewTransaction, end: TransactionEnd | undefined): string {
    const id = ids();
    if (closed || waiting() >= room * SHARE[entry.kind] || bytes >= MAX_BYTES * SHARE[entry.kind]) {
      lose(1);
      return String(id);
    }
    const text = plain(end?.text ?? entry.text);
    const detail = boundedDetail(end?.detail ?? entry.detail);
    const size = text.length + (detail?.length ?? 0);
    bytes += size;
    fresh.set(id, {
      id,
      parent: digits(entry.parent),
      run: digits(entry.run),
      meter: digits(entry.meter),
      started: entry.started,
      kind: entry.kind,
      ended: end?.ended ?? null,
      state: end?.state ?? 'running',
      text,
      detail,
      size,
      tried: false,
    });
    if (fresh.size >= BATCH && failures === 0) void flush();
    else wake(failures === 0 ? pause : 1000);
    return String(id);
  }

  function end(key: string, { ended, state, text, detail }: TransactionEnd): void {
    const id = digits(key);
    if (id === null || closed) return;
    const row = fresh.get(BigInt(id));
    if (row && !row.tried) {
      row.ended = ended;
      row.state = state;
      if (text !== undefined) row.text = plain(text);
      if (detail !== undefined) row.detail = boundedDetail(detail);
      const size = row.text.length + (row.detail?.length ?? 0);
      bytes += size - row.size;
      row.size = size;
      return;
    }
    if (ends.size >= room) {
      lose(1);
      return;
    }
    ends.set(BigInt(id), {
      ended,
      state,
      text: text === undefined ? null : plain(text),
      detail: boundedDetail(detail),
    });
    wake(failures === 0 ? pause : 1000);
  }

  async function insert(rows: readonly Row[]): Promise<void> {
    await partitions.transactions(new Set(rows.map((r) => Math.floor(timeOfId(r.id) / DAY))));
    await db.write((client) =>
      client.query({
        name: 'journal.insert',
        text: journalSql.insert,
        values: [
          rows.map((r) => String(r.id)),
          rows.map((r) => r.parent),
          rows.map((r) => r.run),
          rows.map((r) => r.meter),
          rows.map((r) => iso(r.started)),
          rows.map((r) => (r.ended === null ? null : iso(r.ended))),
          rows.map(() => String(ids())),
          rows.map((r) => r.kind),
          rows.map((r) => r.state),
          rows.map((r) => r.text),
          rows.map((r) => r.detail),
        ],
      }),
    );
  }

  async function finish(some: readonly (readonly [bigint, End])[]): Promise<void> {
    const keys = some.map(([id]) => id);
    const lowest = keys.reduce((a, b) => (b < a ? b : a));
    const highest = keys.reduce((a, b) => (b > a ? b : a));
    await db.write((client) =>
      client.query({
        name: 'journal.end',
        text: journalSql.end,
        values: [
          keys.map(String),
          some.map(([, e]) => iso(e.ended)),
          some.map(([, e]) => e.state),
          some.map(([, e]) => e.text),
          some.map(([, e]) => e.detail),
          some.map(() => String(ids())),
          String(lowest),
          String(highest),
        ],
      }),
    );
  }

  /** One that the database refuses for what it is must not hold up the others. @throws StoreUnavailable */
  async function each<T>(some: readonly T[], write: (some: readonly T[]) => Promise<void>): Promise<void> {
    try {
      await write(some);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      if (some.length === 1) return lose(1);
      const half = some.length >> 1;
      await each(some.slice(0, half), write);
      await each(some.slice(half), write);
    }
  }

  async function once(): Promise<void> {
    const rows = [...fresh.values()].slice(0, BATCH);
    const some = [...ends].slice(0, BATCH);
    for (const row of rows) {
      fresh.delete(row.id);
      row.tried = true;
    }
    flying = rows.length;
    try {
      if (rows.length > 0) await each(rows, insert);
      flying = 0;
      for (const row of rows) bytes -= row.size;
    } catch (error) {
      // Back to the front: what came meanwhile is behind them.
      const later = [...fresh.values()];
      fresh.clear();
      for (const row of [...rows, ...later]) fresh.set(row.id, row);
      flying = 0;
      throw error;
    }
    // Of rows that are in the database by now; those of rows that flew are in the next turn.
    if (some.length > 0) {
      await each(some, finish);
      for (const [id, done] of some) if (ends.get(id) === done) ends.delete(id);
    }
    await tellAlive();
  }

  async function tellAlive(): Promise<void> {
    const now = clock();
    if (Math.abs(now - seen) < 60_000) return;
    seen = now;
    await db.write((client) => client.query(journalSql.seen, [parts.writer, parts.name ?? '', iso(now)]));
  }
  // Who writes for long what it began must not be taken for ended.
  const beat = setInterval(() => {
    if (seen !== 0) tellAlive().catch(() => {});
  }, 120_000);
  beat.unref();

  async function drain(): Promise<void> {
    try {
      while (fresh.size > 0 || ends.size > 0) {
        await once();
        failures = 0;
        for (const listener of listeners) listener();
        if (untold > 0 && waiting() < room / 4) {
          const count = untold;
          untold = 0;
          const at = clock();
          put(
            { kind: 'command', started: at, text: '' },
            {
              ended: at,
              state: 'partial',
              text: `${count} entries of the transaction log were lost: the database did not take them in time`,
            },
          );
        }
      }
    } catch {
      failures++;
      wake(Math.min(1000 * 2 ** (failures - 1), 10_000));
    }
  }

  function flush(): Promise<void> {
    turn ??= drain().finally(() => {
      turn = undefined;
    });
    return turn;
  }

  return {
    begin: (entry) => put(entry, undefined),
    end,
    add: (entry) => put(entry, entry),
    flush,
    nextStamp: ids,
    onWritten(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get waiting() {
      return waiting();
    },
    get lost() {
      return lost;
    },
    async close() {
      clearInterval(beat);
      if (timer !== undefined) clearTimeout(timer);
      timer = undefined;
      await turn;
      await flush();
      closed = true;
      if (timer !== undefined) clearTimeout(timer);
      timer = undefined;
    },
  };
}
