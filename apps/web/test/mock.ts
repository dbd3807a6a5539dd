/**
 * A stand-in for the server: the same API over an invented neighbourhood, with moods. Used by the tests of the page and
 * by `npm -w @amiable/web run dev`, never by the product.
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Energy, Meter, MeterPatch, StoredMessage } from '@amiable/model';
import { keyPut, meterPatch } from '@amiable/model/schemas';
import { explain } from './explain.ts';
import { FRAMES } from './frames.ts';
import { accessAnswer, type MockCaller } from './mock-access.ts';
import { areaNode, areasAnswer, standsIn, standsUnder } from './mock-areas.ts';
import { completenessAnswer, meterCompletenessAnswer } from './mock-completeness.ts';
import { createMockLog } from './mock-log.ts';
import { OPENAPI } from './mock-openapi.ts';
import { createMockReads, eventsOf, REACHED, READOUT_SETS } from './mock-reads.ts';
import {
  BILL,
  estimatesAnswer,
  exceptionsAnswer,
  houseBillAnswer,
  intervalsAnswer,
  meteringsAnswer,
} from './mock-values.ts';
import {
  energyOf,
  type House,
  house,
  liveOf,
  mediaOf,
  meterOf,
  nameOf,
  placeOf,
  power,
  seriesOf,
  ZONE,
} from './world.ts';

export const MOCK_MODES = ['live', 'empty', 'error', 'loading', 'many'] as const;
export type MockMode = (typeof MOCK_MODES)[number];

export function isMockMode(text: string): text is MockMode {
  return (MOCK_MODES as readonly string[]).includes(text);
}

export interface MockOptions {
  readonly mode?: MockMode;
  /** Folder of the built page, served beside the API. */
  readonly dist?: string;
  /** Milliseconds between live events. */
  readonly beat?: number;
  readonly now?: () => number;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
/** As strict as a server may be with the page. */
const POLICY = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'";

export function createMock(options: MockOptions = {}) {
  const now = options.now ?? Date.now;
  const state = {
    mode: options.mode ?? ('live' as MockMode),
    /** Who is logged in; see mock-access.ts. */
    caller: 'anna' as MockCaller,
    language: null as string | null,
    refuseLive: false,
    requests: [] as string[],
  };
  const patches = new Map<string, MeterPatch & { hasKey?: boolean }>();
  const log = createMockLog(now);
  const reads = createMockReads(now, options.beat ?? 2000);
  const streams = new Set<{ response: ServerResponse; meters: Set<string> | undefined }>();
  const sockets = new Set<import('node:net').Socket>();

  const count = () => (state.mode === 'empty' ? 0 : state.mode === 'many' ? 100_000 : 13);
  const find = (id: string): House | undefined => {
    const index = Number(id) - 1;
    return Number.isInteger(index) && index >= 0 && index < count() ? house(index) : undefined;
  };
  const show = (h: House): Meter => {
    const { hasKey, ...patch } = patches.get(h.id) ?? {};
    const meter: Meter = { ...meterOf(h, now()), ...(hasKey ? { hasKey, needsKey: false } : {}) };
    for (const [key, value] of Object.entries(patch)) if (value !== undefined) Object.assign(meter, { [key]: value });
    return { ...meter, state: meter.name ? 'named' : 'new' };
  };
  const json = (response: ServerResponse, code: number, body: unknown) => {
    response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  };

  function listMeters(query: URLSearchParams) {
    const q = (query.get('q') ?? '').trim().toLocaleLowerCase();
    const wanted = query.get('state');
    const limit = Math.min(500, Number(query.get('limit') ?? 100));
    const after = Number(query.get('after') ?? 0);
    const under = query.get('under');
    const outside = query.get('outside');
    const meters: Meter[] = [];
    let total = 0;
    let more = false;
    for (let i = 0; i < count(); i++) {
      const patch = patches.get(String(i + 1));
      const name = patch?.name ?? nameOf(i);
      if (wanted && (name ? 'named' : 'new') !== wanted) continue;
      if (under && !standsUnder(i, under, state.mode === 'many')) continue;
      if (outside && standsIn(i)) continue;
      if (q && !`${name ?? ''} ${placeOf(i)}`.toLocaleLowerCase().includes(q)) continue;
      total++;
      if (i < after) continue;
      if (meters.length < limit) meters.push(show(house(i)));
      else more = true;
    }
    return { meters, total, next: more ? (meters.at(-1)?.id ?? null) : null };
  }

  function frameOf(h: House, back: number): { raw: string; list: string | null; locked: boolean } {
    const long = back % 5 === 0;
    if (h.condition === 'locked' || h.index === 4) return { raw: FRAMES.aidonEncrypted, list: null, locked: true };
    if (h.maker === 'Kaifa')
      return { raw: long ? FRAMES.kaifaList2 : FRAMES.kaifaList1, list: 'KFM_001', locked: false };
    if (h.maker === 'Aidon')
      return { raw: long ? FRAMES.aidonList3 : FRAMES.aidonList1, list: 'AIDON_V0001', locked: false };
    return { raw: FRAMES.kamstrup, list: 'Kamstrup_V0001', locked: false };
  }
  function message(h: House, back: number): StoredMessage {
    const frame = frameOf(h, back);
    const at = Math.floor(now() / 2000) * 2000 - back * (h.maker === 'Kamstrup' ? 10_000 : 2000);
    const open = !frame.locked || show(h).hasKey;
    return {
      id: `${h.id.padStart(8, '0')}${String(back).padStart(4, '0')}${'5ae1'.repeat(5)}`,
      meter: h.id,
      receivedAt: new Date(at + 140).toISOString(),
      time: open ? new Date(at).toISOString() : null,
      protocol: 'han',
      list: frame.list,
      flags: h.index === 12 ? ['clockWrong'] : [],
      raw: frame.raw,
      error: open ? null : { reason: 'noKey', offset: 11 },
      readings: explain(frame.raw, open).readings,
    };
  }

  async function body(request: IncomingMessage): Promise<unknown> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    return JSON.parse(Buffer.concat(parts).toString() || '{}');
  }

  function openLive(request: IncomingMessage, response: ServerResponse, query: URLSearchParams) {
    const ids = query.get('meters');
    const stream = { response, meters: ids === null ? undefined : new Set(ids.split(',')) };
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': welcome\n\n');
    streams.add(stream);
    request.on('close', () => streams.delete(stream));
  }
  const timer = setInterval(() => {
    for (const { response, meters } of streams) {
      const ids = meters ? [...meters] : Array.from({ length: Math.min(count(), 1000) }, (_, i) => String(i + 1));
      const events = ids.flatMap((id) => {
        const h = find(id);
        const live = h?.condition === 'ok' ? liveOf(h, now()) : null;
        return live ? [live] : [];
      });
      if (events.length) response.write(`data: ${JSON.stringify(events)}\n\n`);
    }
  }, options.beat ?? 2000);
  timer.unref();

  async function api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, , , what, id, part, last] = url.pathname.split('/');
    state.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const sent = request.method === 'GET' ? {} : await body(request).catch(() => ({}));
    const known = accessAnswer(state, `${request.method} /${[what, id].filter(Boolean).join('/')}`, sent);
    if (known?.retryAfter) response.setHeader('retry-after', known.retryAfter);
    if (known) return json(response, known.code, known.body);
    if (state.mode === 'error')
      return json(response, 500, { error: 'The database does not answer. Is its disk full?' });
    if (state.mode === 'loading') return;
    if (what === 'live') {
      if (state.refuseLive) return json(response, 503, { error: 'closing' });
      return openLive(request, response, url.searchParams);
    }
    if (what === 'status') {
      const unnamed = state.mode === 'many' ? 1031 : listMeters(new URLSearchParams('state=new')).total;
      return json(response, 200, {
        version: '0.1.0',
        now: new Date(now()).toISOString(),
        speed: 1,
        simulated: true,
        timeZone: ZONE,
        meters: count(),
        newMeters: unnamed,
        messages: { accepted: 184_223, duplicates: 12, rejected: 3, unplaced: state.mode === 'empty' ? 0 : 41 },
        causes: [],
      });
    }
    if (what === 'total') {
      // The first houses stand for all.
      const some = Array.from({ length: Math.min(count(), 50) }, (_, i) => house(i));
      const at = (time: number) => some.reduce((sum, h) => sum + power(h, time), 0) * (count() / some.length);
      const time = Array.from({ length: 120 }, (_, i) => now() - (119 - i) * 5000);
      const net = at(now());
      const recent = { time, values: time.map(at) };
      return json(response, 200, {
        time: new Date(now()).toISOString(),
        import: net + 1500,
        export: 1500,
        meters: count(),
        recent,
      });
    }
    if (what === 'readout-sets') return json(response, 200, READOUT_SETS);
    if (what === 'tree') return json(response, 200, { nodes: count() === 0 ? [] : [{ id: '4000' }], next: null });
    if (what === 'areas')
      return json(response, 200, areasAnswer(url.searchParams, count(), state.mode === 'many', now()));
    if (what === 'nodes') {
      const node = areaNode(id ?? '');
      return node ? json(response, 200, node) : json(response, 404, { error: `there is no node ${id}` });
    }
    const world = { empty: state.mode === 'empty', many: state.mode === 'many', now: now() };
    if (what === 'reads') {
      if (part === 'events') return reads.events(id ?? '', request, response);
      const found = request.method === 'DELETE' ? reads.cancel(id ?? '') : reads.get(id ?? '');
      return found ? json(response, 200, found) : json(response, 404, { error: `there is no read ${id}` });
    }
    if (what === 'openapi.json') return json(response, 200, OPENAPI);
    if (what === 'transactions') {
      if (id === 'live') return log.live(request, response, url.searchParams);
      if (!id) return json(response, 200, log.list(url.searchParams, state.mode === 'empty'));
      const found = log.get(id);
      return found ? json(response, 200, found) : json(response, 404, { error: `No entry has the number ${id}.` });
    }
    if (what === 'completeness') return json(response, 200, completenessAnswer(world, url.searchParams));
    if (what === 'exceptions') return json(response, 200, exceptionsAnswer(url.searchParams));
    if (what === 'bills') return json(response, 200, BILL);
    if (what !== 'meters') return json(response, 404, { error: `No such address: ${url.pathname}` });
    if (!id) return json(response, 200, listMeters(url.searchParams));
    const h = find(id);
    if (!h) return json(response, 404, { error: `No meter has the number ${id}.` });
    const number = (name: string, fallback: number) => Number(url.searchParams.get(name) ?? fallback);
    if (part === undefined && request.method === 'PATCH') {
      const patch = meterPatch.parse(sent);
      patches.set(id, { ...patches.get(id), ...patch });
      return json(response, 200, show(h));
    }
    if (part === undefined) return json(response, 200, { ...show(h), hasConnection: id === REACHED });
    if (part === 'key' && request.method === 'PUT') {
      keyPut.parse(sent);
      patches.set(id, { ...patches.get(id), hasKey: true });
      return json(response, 200, { reprocessed: 41, left: 0, meter: id });
    }
    if (part === 'events') {
      const all = eventsOf(now());
      const at = number('after', 0);
      const to = at + number('limit', 100);
      return json(response, 200, { events: all.slice(at, to), next: to < all.length ? String(to) : null });
    }
    if (part === 'reads')
      return request.method === 'POST'
        ? json(response, 202, reads.order(id, sent as Record<string, unknown>))
        : json(response, 200, reads.last(id));
    if (part === 'connection') return json(response, 200, { meter: id, readout: 'stand-in' });
    if (part === 'completeness') return json(response, 200, meterCompletenessAnswer(world, id, url.searchParams));
    if (part === 'series') {
      const codes = (url.searchParams.get('obis') ?? '').split(',');
      const answer = seriesOf(h, codes, number('from', 0), number('to', now()), number('points', 2000), now());
      return json(response, 200, answer);
    }
    if (part === 'intervals') return json(response, 200, intervalsAnswer(id, url.searchParams, now()));
    if (part === 'meterings') return json(response, 200, meteringsAnswer(id, now()));
    if (part === 'estimates') return json(response, 200, estimatesAnswer(url.searchParams));
    if (part === 'bill') return json(response, 200, houseBillAnswer(id, url.searchParams, now()));
    if (part === 'energy') {
      const bucket = (url.searchParams.get('bucket') ?? 'hour') as Energy['bucket'];
      return json(response, 200, energyOf(h, bucket, number('from', 0), number('to', now()), now()));
    }
    if (part === 'media') {
      const bucket = (url.searchParams.get('bucket') ?? 'hour') as Energy['bucket'];
      return json(response, 200, mediaOf(h, bucket, number('from', 0), number('to', now()), now()));
    }
    if (part === 'messages' && !last) {
      const limit = Math.min(100, number('limit', 20));
      return json(response, 200, { messages: Array.from({ length: limit }, (_, i) => message(h, i)) });
    }
    if (part === 'messages' && last) {
      const stored = message(h, Number(last.slice(8, 12)));
      return json(response, 200, { ...stored, ...explain(stored.raw, stored.error === null) });
    }
    return json(response, 404, { error: `No such address: ${url.pathname}` });
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    if (request.url?.startsWith('/api/')) {
      api(request, response).catch((fault) => json(response, 422, { error: String(fault) }));
      return;
    }
    const dist = options.dist ?? '';
    const path = join(dist, normalize(new URL(request.url ?? '/', 'http://localhost').pathname));
    const file = path.startsWith(dist) && existsSync(path) && statSync(path).isFile() ? path : join(dist, 'index.html');
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    });
    createReadStream(file).pipe(response);
  }

  const server = createServer(handle);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    state,
    log,
    reads,
    patches,
    handle,
    async listen(port = 0): Promise<string> {
      await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    /** Cuts every live stream, as a restart of the server does. */
    dropLive(): void {
      for (const { response } of streams) response.destroy();
      streams.clear();
    },
    streams: () => streams.size,
    async close(): Promise<void> {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
export type Mock = ReturnType<typeof createMock>;
