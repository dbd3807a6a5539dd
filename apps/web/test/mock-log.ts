/**
 * The stand-in server's transaction log: some flows with what is below them, and whatever a test adds. Speaks the live stream too: stamps, a
 * replay from a stamp, a reset.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

interface Entry {
  id: string;
  kind: string;
  state: string;
  text: string;
  started: string;
  ended: string | null;
  parent: string | null;
  run: string | null;
  meter: string | null;
  detail: unknown;
  children: number;
}

export const GET_REQUEST = 'c001c1000f0000280000ff0700';

export function createMockLog(now: () => number) {
  const entries: Entry[] = [];
  const byId = new Map<string, Entry>();
  const children = new Map<string, Entry[]>();
  const streams = new Set<{ response: ServerResponse; parents: readonly string[] }>();
  const changes: Entry[] = [];
  let serial = 1000;
  let refuse = false;

  function add(entry: Partial<Entry> & { text: string }, ended?: number): Entry {
    const at = now();
    const made: Entry = {
      id: String(++serial),
      kind: 'task',
      state: ended === undefined ? 'running' : 'done',
      started: new Date(at - (ended ?? 0)).toISOString(),
      ended: ended === undefined ? null : new Date(at).toISOString(),
      parent: null,
      run: null,
      meter: null,
      detail: null,
      children: 0,
      ...entry,
    };
    entries.push(made);
    byId.set(made.id, made);
    if (made.parent !== null) {
      children.set(made.parent, [...(children.get(made.parent) ?? []), made]);
      (byId.get(made.parent) as Entry).children++;
    }
    return made;
  }

  const flow = add({ kind: 'flow', text: 'Night: daily values, profiles, events' });
  const daily = add({ parent: flow.id, text: 'Daily values of 200 meters', detail: { total: 200 }, run: '7' });
  for (let n = 1; n <= 30; n++) {
    const state = n % 9 === 0 ? 'failed' : n % 13 === 0 ? 'partial' : 'done';
    const text =
      state === 'failed'
        ? 'Meter 735999221055% does not answer: the connection was refused after 3 tries'
        : 'Meter 735999221055%: 4 values';
    const meter = add(
      {
        kind: 'meter',
        parent: daily.id,
        meter: String((n % 13) + 1),
        state,
        text: text.replace('%', String(400 + n)),
        run: '7',
      },
      800 + n * 37,
    );
    if (state === 'failed') continue;
    const association = add(
      {
        kind: 'association',
        parent: meter.id,
        state: 'done',
        text: 'Association with tcp://127.0.0.1:4059, client 2, low authentication',
      },
      700,
    );
    add(
      {
        kind: 'apdu',
        parent: association.id,
        state: 'done',
        text: 'get-request 0-0:40.0.0',
        detail: { direction: 'sent', apdu: 'get-request', bytes: 13, hex: GET_REQUEST },
      },
      1,
    );
    add(
      {
        kind: 'apdu',
        parent: association.id,
        state: 'done',
        text: 'get-response',
        detail: { direction: 'received', apdu: 'get-response', bytes: 10, hex: 'c401c100090547757275' },
      },
      1,
    );
  }
  add({ parent: flow.id, text: 'Load profiles', state: 'cancelled' }, 60_000);
  add({ text: 'Completeness of yesterday', state: 'done' }, 1400);
  add({ text: 'Clock check', state: 'partial' }, 62_000);
  add({ text: 'Events of all meters', state: 'failed', detail: { reason: 'The database did not answer' } }, 3_700_000);
  add({ kind: 'command', text: 'anna reads meter 7 now', meter: '7', state: 'done' }, 2300);

  const progressOf = (id: string) => {
    const out: Record<string, number> = {};
    for (const child of children.get(id) ?? []) out[child.state] = (out[child.state] ?? 0) + 1;
    return out;
  };
  const later = (a: Entry, b: Entry) => Number(a.id) - Number(b.id);

  function tell(): void {
    for (const { response, parents } of streams) send(response, parents, changes);
    changes.length = 0;
  }
  let stamp = 0;
  function send(response: ServerResponse, parents: readonly string[], list: readonly Entry[]): void {
    const seen = list.filter((entry) => entry.parent === null || parents.includes(entry.parent));
    const running = entries.filter((entry) => entry.parent === null && entry.state === 'running').map(({ id }) => id);
    const progress = Object.fromEntries([...new Set([...running, ...parents])].map((id) => [id, progressOf(id)]));
    const data = { transactions: seen.map((entry) => ({ ...entry, children: 0 })), progress };
    response.write(`event: transactions\nid: ${++stamp}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  return {
    entries,
    flow,
    daily,
    /** Adds an entry and tells who listens; many at once are told at once. */
    put(...list: readonly (Partial<Entry> & { text: string })[]): readonly Entry[] {
      const made = list.map((entry) =>
        add(entry, entry.state === undefined || entry.state === 'running' ? undefined : 5),
      );
      changes.push(...made);
      tell();
      return made;
    },
    end(id: string, state: string): void {
      const entry = byId.get(id) as Entry;
      Object.assign(entry, { state, ended: new Date(now()).toISOString() });
      changes.push(entry);
      tell();
    },
    /** What a program does that was away: entries without telling anybody. */
    quietly(entry: Partial<Entry> & { text: string }): Entry {
      return add(entry, 5);
    },
    reset(): void {
      for (const { response } of streams) response.write('event: reset\ndata: {}\n\n');
    },
    refuse(no: boolean): void {
      refuse = no;
      if (!no) return;
      for (const { response } of streams) response.destroy();
      streams.clear();
    },
    streams: () => streams.size,
    parents: () => [...streams].map((stream) => stream.parents),
    live(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
      if (refuse) {
        response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"closing"}');
        return;
      }
      const parents = (query.get('parents') ?? '').split(',').filter(Boolean);
      const stream = { response, parents };
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      streams.add(stream);
      request.on('close', () => streams.delete(stream));
      send(response, parents, []);
    },
    list(query: URLSearchParams, empty: boolean) {
      if (empty) return { transactions: [], next: null };
      const limit = Number(query.get('limit') ?? 100);
      const parent = query.get('parent');
      if (parent !== null) {
        const after = Number(query.get('after') || 0);
        const all = (children.get(parent) ?? []).filter((entry) => Number(entry.id) > after).sort(later);
        const transactions = all.slice(0, limit);
        return { transactions, next: all.length > limit ? (transactions.at(-1)?.id ?? null) : null };
      }
      const filters = ['state', 'kind', 'meter', 'run'] as const;
      const words = (query.get('q') ?? '').toLowerCase();
      const filtered = words !== '' || filters.some((name) => query.get(name));
      const before = Number(query.get('before') || Number.POSITIVE_INFINITY);
      const all = entries
        .filter((entry) => (filtered || entry.parent === null) && Number(entry.id) < before)
        .filter((entry) => filters.every((name) => !query.get(name) || entry[name] === query.get(name)))
        .filter((entry) => entry.text.toLowerCase().includes(words))
        .sort((a, b) => later(b, a));
      const transactions = all.slice(0, limit);
      return { transactions, next: all.length > limit ? (transactions.at(-1)?.id ?? null) : null };
    },
    get(id: string) {
      const entry = byId.get(id);
      if (!entry) return undefined;
      const ancestors: Entry[] = [];
      for (let at = entry.parent; at !== null; at = byId.get(at)?.parent ?? null)
        ancestors.unshift(byId.get(at) as Entry);
      return { ...entry, ancestors };
    },
  };
}
