import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGES } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from './login.ts';

const T = Date.UTC(2025, 10, 20);
let folder: string;
let test: TestApp;
let all: Record<string, string>;
let base: string;
let meter: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-journal-'));
  test = await openTestApp(folder);
  all = await test.as(PRIVILEGES);
  base = `http://127.0.0.1:${(test.app.server.address() as { port: number }).port}`;
  meter = [
    ...(await test.store.ensureMeters([{ serial: 'A', firstSeen: T - 86_400_000 * 100 }])).values(),
  ][0] as string;
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Events of a stream: id and data. */
async function* eventsOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<{ id: string; data: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = parts.pop() as string;
    for (const part of parts) {
      const id = /^id: (.*)$/m.exec(part)?.[1];
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (id !== undefined && data !== undefined) yield { id, data };
    }
  }
}

const get = async (url: string) => {
  const answer = await test.app.inject({ method: 'GET', url, headers: all });
  return { status: answer.statusCode, body: answer.json() as Record<string, never> };
};

describe('the log by API', () => {
  it('is a tree, with what an entry is a part of', async () => {
    const { journal } = test.store;
    const task = journal.begin({ kind: 'task', started: T, text: 'daily values' });
    const one = journal.add({ kind: 'meter', parent: task, meter, started: T, ended: T + 5, state: 'done', text: 'A' });
    await journal.flush();
    expect((await get('/api/v1/transactions')).body).toMatchObject({
      transactions: [{ id: task, children: 1, ended: null }],
      next: null,
    });
    expect((await get(`/api/v1/transactions/${one}`)).body).toMatchObject({
      id: one,
      started: '2025-11-20T00:00:00.000Z',
      ancestors: [{ id: task }],
    });
    expect((await get('/api/v1/transactions/1')).status).toBe(404);
    for (const bad of ['?limit=0', '?parent=x', '?kind=none', '?from=yesterday', `?parent=${'9'.repeat(19)}`])
      expect((await get(`/api/v1/transactions${bad}`)).status, bad).toBe(422);
  });

  it('is followed live, and goes on behind the last event after a break', async () => {
    const { journal } = test.store;
    /** Reads until an entry with these words has come. @returns the id of its event */
    const until = async (words: string, last?: string): Promise<string> => {
      const ending = new AbortController();
      const answer = await fetch(`${base}/api/v1/transactions/live`, {
        headers: { ...all, ...(last === undefined ? {} : { 'last-event-id': last }) },
        signal: ending.signal,
      });
      try {
        for await (const event of eventsOf(answer.body as unknown as AsyncIterable<Uint8Array>)) {
          const data = JSON.parse(event.data) as { transactions?: { text: string }[] };
          if (words === '' || data.transactions?.some((entry) => entry.text === words)) return event.id as string;
        }
      } finally {
        ending.abort();
      }
      throw new Error('the stream ended');
    };
    const first = await until('');
    journal.add({ kind: 'command', started: T, ended: T, state: 'done', text: 'while nobody listened' });
    await journal.flush();
    const second = await until('while nobody listened', first);
    expect(BigInt(second)).toBeGreaterThan(BigInt(first));
  });
});

describe('events, supply and completeness by API', () => {
  it('give what is in the store, in words', async () => {
    const event = (time: number, code: number) => ({ meter, time, code, source: 'standard', catalogue: 'dlms' });
    await test.store.events.write([event(T, 1), event(T + 600_000, 2), event(T, 76), event(T, 250)], T);
    const span = 'from=2025-11-19T00:00:00Z&to=2025-11-21T00:00:00Z';
    expect((await get(`/api/v1/events?${span}&category=other`)).body).toMatchObject({
      events: [{ code: 250, text: 'Unknown event 250', source: 'dlms/standard' }],
    });
    expect((await get(`/api/v1/meters/${meter}/events?${span}&limit=1`)).body).toMatchObject({
      events: [{ event: 'power-up' }],
      next: expect.any(String),
    });
    expect((await get(`/api/v1/meters/${meter}/supply?${span}`)).body).toMatchObject({
      outages: [{ seconds: 600, momentary: false, planned: false }],
      counters: [],
      voltage: [{ event: 'undervoltage-l1', n: 1 }],
    });
    expect((await get(`/api/v1/outages?${span}&momentary=10`)).body).toMatchObject({
      outages: [{ momentary: true }],
      next: null,
    });
    const indices = await get('/api/v1/outages/indices?from=2025-11-01T00:00:00Z&to=2025-11-20T12:00:00Z');
    expect(indices.body).toMatchObject({
      months: [{ name: '2025-11' }],
      rows: [{ kind: 'all', months: [{ saidi: 10, saifi: 1, caidi: 10, maifi: 0 }] }],
    });
    expect((await get('/api/v1/outages/indices?from=1990-01-01T00:00:00Z&to=2025-11-20T12:00:00Z')).status).toBe(422);
    expect((await get('/api/v1/events/catalogue')).body).toMatchObject({ sources: { dlms: { 1: 'power-down' } } });
    expect((await get('/api/v1/completeness?from=2025-11-01&to=2025-11-03')).body).toMatchObject({
      days: ['2025-11-01', '2025-11-02'],
      total: { kind: 'all', cells: [null, null] },
      rows: [],
      computedAt: null,
    });
    expect((await get(`/api/v1/meters/${meter}/completeness?from=2025-11-01&to=2025-11-03`)).body).toMatchObject({
      days: [],
    });
    for (const bad of [
      'from=2025-11-03&to=2025-11-03',
      'from=2020-01-01&to=2025-01-01',
      'from=2025-02-30&to=2025-03-02',
      'profile=../x',
    ])
      expect((await get(`/api/v1/completeness?${bad}`)).status, bad).toBe(422);
  });
});
