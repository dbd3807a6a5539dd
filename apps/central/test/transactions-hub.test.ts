import type { ChangedTransaction, JournalStore, TransactionProgress } from '@amiable/store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTransactionHub, type LogEvent } from '../src/features/transactions/hub.ts';

const EPOCH = Date.UTC(2020, 0, 1);
const T = Date.UTC(2026, 10, 20);
const stamp = (time: number): bigint => BigInt(time - EPOCH) << 22n;

/** A log in memory: rows become visible when they are shown, whatever their stamp. */
function fakeLog() {
  const rows = new Map<string, ChangedTransaction>();
  let calls = 0;
  const journal = {
    stamp: (time: number) => String(stamp(time)),
    async changed(after: string, parents: readonly string[], limit: number) {
      calls++;
      return [...rows.values()]
        .filter((r) => BigInt(r.changed) > BigInt(after) && (r.parent === undefined || parents.includes(r.parent)))
        .sort((a, b) => (BigInt(a.changed) < BigInt(b.changed) ? -1 : 1))
        .slice(0, limit);
    },
    async running() {
      return [...rows.values()].filter((r) => r.parent === undefined && r.state === 'running').map((r) => r.id);
    },
    async progress(ids: readonly string[]) {
      const out = new Map<string, TransactionProgress>();
      for (const id of ids) {
        const counts: Record<string, number> = {};
        for (const r of rows.values()) if (r.parent === id) counts[r.state] = (counts[r.state] ?? 0) + 1;
        if (Object.keys(counts).length > 0) out.set(id, counts);
      }
      return out;
    },
  } as unknown as JournalStore;
  return {
    journal,
    rows,
    get calls() {
      return calls;
    },
    put(id: string, at: number, more: Partial<ChangedTransaction> = {}) {
      rows.set(id, {
        id,
        kind: 'task',
        state: 'running',
        started: T,
        text: id,
        children: 0,
        changed: String(stamp(at) + BigInt(id)),
        ...more,
      });
    },
  };
}

function listener(
  hub: ReturnType<typeof createTransactionHub>,
  more: { parents?: string[]; scope?: 'all' | number[]; after?: string; takes?: () => boolean } = {},
) {
  const state = new Map<string, string>();
  const seen = {
    state,
    id: more.after ?? '',
    resets: 0,
    progress: {} as Record<string, TransactionProgress>,
    end: () => {},
  };
  seen.end = hub.listen({
    parents: more.parents ?? [],
    scope: more.scope ?? 'all',
    ...(more.after === undefined ? {} : { after: more.after }),
    send(event: LogEvent) {
      if (more.takes && !more.takes()) return false;
      for (const row of event.transactions) state.set(row.id, row.state);
      Object.assign(seen.progress, event.progress);
      seen.id = event.id;
      return true;
    },
    reset(id) {
      seen.resets++;
      seen.id = id;
    },
  });
  return seen;
}

describe('following the transaction log', () => {
  it('tells roots, children of what is open, and nothing of other segments', async () => {
    const log = fakeLog();
    const hub = createTransactionHub(log.journal, () => T + 1000);
    const all = listener(hub, { parents: ['1'] });
    const one = listener(hub, { parents: ['1'], scope: [1] });
    const closed = listener(hub);
    await hub.turn();
    log.put('1', T + 1000);
    log.put('2', T + 1000, { parent: '1', meter: '7', segment: 1, kind: 'meter' });
    log.put('3', T + 1000, { parent: '1', meter: '8', segment: 2, kind: 'meter', state: 'done' });
    log.put('4', T + 1000, { parent: '2', kind: 'association' });
    log.put('5', T + 1000, { parent: '1', meter: '9', kind: 'meter' });
    await hub.turn();
    expect([...all.state.keys()]).toEqual(['1', '2', '3', '5']);
    // A meter that was taken away is in no segment.
    expect([...one.state.keys()]).toEqual(['1', '2']);
    expect([...closed.state.keys()]).toEqual(['1']);
  });

  it('misses nothing, whatever order rows become visible in, and over breaks by the last id', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            id: fc.integer({ min: 1, max: 8 }),
            late: fc.integer({ min: 0, max: 4000 }),
            what: fc.constantFrom('put', 'turn', 'break'),
          }),
          { maxLength: 40 },
        ),
        async (script) => {
          const log = fakeLog();
          let now = T;
          const hub = createTransactionHub(log.journal, () => now);
          let me = listener(hub);
          await hub.turn();
          const got = new Map<string, string>();
          const states = new Map<string, string>();
          let n = 0;
          for (const { id, late, what } of script) {
            now += 700;
            if (what === 'put') {
              const before = log.rows.get(String(id));
              // A later state has the later stamp.
              const at = Math.max(now - late, before ? Number(BigInt(before.changed) >> 22n) + EPOCH + 1 : 0);
              log.put(String(id), at, { state: n++ % 2 === 0 ? 'running' : 'done' });
              states.set(String(id), log.rows.get(String(id))?.state as string);
            } else if (what === 'turn') await hub.turn();
            else {
              for (const [key, value] of me.state) got.set(key, value);
              const { id: last } = me;
              me.end();
              me = listener(hub, last === '' ? {} : { after: last });
            }
          }
          await hub.turn();
          for (const [key, value] of me.state) got.set(key, value);
          expect(me.resets).toBe(0);
          // Those put before the first id was known and a break at once are not owed.
          if (!script.some(({ what }) => what === 'break')) expect(got).toEqual(states);
          else for (const [key, value] of got) if (me.state.has(key)) expect(value).toBe(states.get(key));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('catches up after a break by the last id', async () => {
    const log = fakeLog();
    let now = T;
    const hub = createTransactionHub(log.journal, () => now);
    const first = listener(hub);
    await hub.turn();
    log.put('1', T);
    await hub.turn();
    first.end();
    for (let k = 2; k < 50; k++) log.put(String(k), T + k * 1000);
    now = T + 60_000;
    const again = listener(hub, { after: first.id });
    await hub.turn();
    for (let k = 2; k < 50; k++) expect(again.state.has(String(k)), String(k)).toBe(true);
    expect(again.resets).toBe(0);
    // Too long ago, and too much: load anew.
    now = T + 3 * 3_600_000;
    const late = listener(hub, { after: first.id });
    await hub.turn();
    expect(late.resets).toBe(1);
    for (let k = 100; k < 2200; k++) log.put(String(k), now);
    const much = listener(hub, { after: String(stamp(now - 1000)) });
    await hub.turn();
    expect(much.resets).toBe(1);
    log.put('9', now + 1);
    await hub.turn();
    expect([...much.state.keys()]).toContain('9');
  });

  it('keeps a bounded number of last states for a listener that takes none', async () => {
    const log = fakeLog();
    const now = T;
    const hub = createTransactionHub(log.journal, () => now);
    let takes = false;
    const slow = listener(hub, { takes: () => takes });
    await hub.turn();
    log.put('1', T);
    await hub.turn();
    log.put('1', T + 1, { state: 'done' });
    await hub.turn();
    takes = true;
    await hub.turn();
    expect([...slow.state]).toEqual([['1', 'done']]);
    takes = false;
    for (let k = 10; k < 2100; k++) log.put(String(k), T + 2);
    await hub.turn();
    expect(slow.resets).toBe(1);
  });

  it('counts how far running roots are, and asks nothing while nobody listens', async () => {
    const log = fakeLog();
    let now = T;
    const hub = createTransactionHub(log.journal, () => now);
    await hub.turn();
    expect(log.calls).toBe(0);
    log.put('1', T);
    log.put('2', T, { parent: '1', state: 'done' });
    log.put('3', T, { parent: '1', state: 'failed' });
    const me = listener(hub);
    await hub.turn();
    expect(me.progress).toEqual({ 1: { done: 1, failed: 1 } });
    log.put('3', T, { parent: '1', state: 'done' });
    now += 2000;
    await hub.turn();
    expect(me.progress).toEqual({ 1: { done: 2 } });
    me.end();
    expect(hub.listeners).toBe(0);
  });
});
