/**
 * Who follows the transaction log. One turn reads what changed since the last for all listeners together, whichever process
 * wrote it, and hands each what it may see: roots, and the children of those it has open.
 *
 * Decides: rows are states, so one that comes twice does no harm; every turn looks back some seconds, for stamps become
 * visible in any order. A listener that takes nothing more keeps a bounded number of rows in their last state, then is told
 * to load the lists anew. Leaves out: how it is sent (routes.ts), and when a turn is due.
 */
import type { Scope } from '@amiable/model';
import { type ChangedTransaction, type JournalStore, seenIn, type TransactionProgress } from '@amiable/store';

export interface LogEvent {
  /** Stamp up to which the listener has seen the log. */
  readonly id: string;
  readonly transactions: readonly ChangedTransaction[];
  readonly progress: Readonly<Record<string, TransactionProgress>>;
}

export interface LogListener {
  readonly parents: readonly string[];
  readonly scope: Scope;
  /** Stamp after which it wants to see; from now on unless said. */
  readonly after?: string;
  /** @returns false when nothing more can be taken now */
  send(event: LogEvent): boolean;
  /** Too much was missed. */
  reset(id: string): void;
}

export interface TransactionHub {
  listen(listener: LogListener): () => void;
  turn(): Promise<void>;
  readonly listeners: number;
}

/** How far stamps may lie apart that become visible together, ms: clocks of machines, commits under way. */
const LAG = 5000;
const BATCH = 5000;
/** Rows kept for a listener that takes none. */
const MOST = 2000;
/** Ages of a stamp from which nobody catches up. */
const OLD = 60 * 60_000;

interface State {
  readonly listener: LogListener;
  readonly parents: ReadonlySet<string>;
  readonly waiting: Map<string, ChangedTransaction>;
  seen: bigint;
  /** Where it has to catch up from. */
  catchUp: string | undefined;
  overrun: boolean;
  progress: string;
}

/** @param clock real time, epoch ms */
export function createTransactionHub(journal: JournalStore, clock: () => number): TransactionHub {
  const states = new Set<State>();
  let cursor = 0n;
  /** What was handed out within the lag, by id and stamp. */
  let recent = new Map<string, bigint>();
  let turning: Promise<void> | undefined;
  let progressDue = 0;

  const lagOf = (stamp: bigint): bigint => {
    const back = stamp - (BigInt(LAG) << 22n);
    return back > 0n ? back : 0n;
  };

  function give(state: State, given: ChangedTransaction): void {
    const { listener, parents, waiting } = state;
    if (given.parent !== undefined && !parents.has(given.parent)) return;
    const row = seenIn(given, listener.scope);
    if (!row) return;
    const before = waiting.get(row.id);
    if (before && BigInt(before.changed) > BigInt(row.changed)) return;
    waiting.delete(row.id);
    waiting.set(row.id, row);
    if (waiting.size > MOST) {
      waiting.clear();
      state.overrun = true;
    }
  }

  /** What a listener has missed. */
  async function catchUp(state: State, from: string): Promise<void> {
    if (BigInt(from) < BigInt(journal.stamp(clock() - OLD))) {
      state.overrun = true;
      return;
    }
    const rows = await journal.changed(String(lagOf(BigInt(from))), [...state.parents], MOST + 1);
    if (rows.length > MOST) state.overrun = true;
    else for (const row of rows) give(state, row);
  }

  async function readOn(): Promise<void> {
    const parents = [...new Set([...states].flatMap((state) => [...state.parents]))];
    let after = lagOf(cursor);
    for (;;) {
      const rows = await journal.changed(String(after), parents, BATCH);
      for (const row of rows) {
        const stamp = BigInt(row.changed);
        after = stamp;
        if (stamp > cursor) cursor = stamp;
        if (recent.get(row.id) === stamp) continue;
        recent.set(row.id, stamp);
        for (const state of states) if (state.catchUp === undefined) give(state, row);
      }
      if (rows.length < BATCH) break;
    }
    const bound = lagOf(lagOf(cursor));
    if (recent.size > BATCH) recent = new Map([...recent].filter(([, stamp]) => stamp > bound));
  }

  /** How far roots and opened nodes are; as often as counting costs little. */
  async function progress(): Promise<Map<State, Record<string, TransactionProgress>>> {
    const out = new Map<State, Record<string, TransactionProgress>>();
    const began = clock();
    if (began < progressDue) return out;
    const running = await journal.running();
    const byScope = new Map<string, State[]>();
    for (const state of states) {
      const key = JSON.stringify(state.listener.scope);
      byScope.set(key, [...(byScope.get(key) ?? []), state]);
    }
    for (const list of byScope.values()) {
      const ids = [...new Set([...running, ...list.flatMap((state) => [...state.parents])])];
      const found = await journal.progress(ids, (list[0] as State).listener.scope);
      for (const state of list) {
        const own: Record<string, TransactionProgress> = {};
        for (const id of [...running, ...state.parents]) {
          const counts = found.get(id);
          if (counts) own[id] = counts;
        }
        const text = JSON.stringify(own);
        if (text !== state.progress) out.set(state, own);
        state.progress = text;
      }
    }
    progressDue = clock() + Math.max(1500, (clock() - began) * 20);
    return out;
  }

  async function once(): Promise<void> {
    if (states.size === 0) {
      cursor = 0n;
      return;
    }
    if (cursor === 0n) {
      // The first listener after a while: the log from now on.
      cursor = BigInt(journal.stamp(clock()));
      recent = new Map();
    }
    await readOn();
    for (const state of states) {
      const from = state.catchUp;
      if (from === undefined) continue;
      state.catchUp = undefined;
      await catchUp(state, from);
    }
    const counts = await progress();
    for (const state of states) {
      if (state.overrun) {
        state.overrun = false;
        state.waiting.clear();
        state.seen = cursor;
        state.listener.reset(String(cursor));
        continue;
      }
      const own = counts.get(state);
      if (state.waiting.size === 0 && own === undefined) continue;
      const transactions = [...state.waiting.values()];
      const newest = transactions.reduce((a, row) => (BigInt(row.changed) > a ? BigInt(row.changed) : a), state.seen);
      if (!state.listener.send({ id: String(newest), transactions, progress: own ?? {} })) {
        state.progress = '';
        continue;
      }
      state.seen = newest;
      state.waiting.clear();
    }
  }

  return {
    listen(listener) {
      const now = BigInt(journal.stamp(clock()));
      const state: State = {
        listener,
        parents: new Set(listener.parents),
        waiting: new Map(),
        seen: listener.after === undefined ? now : BigInt(listener.after),
        catchUp: listener.after,
        overrun: false,
        progress: '',
      };
      states.add(state);
      progressDue = 0;
      return () => states.delete(state);
    },
    turn() {
      turning ??= once().finally(() => {
        turning = undefined;
      });
      return turning;
    },
    get listeners() {
      return states.size;
    },
  };
}
