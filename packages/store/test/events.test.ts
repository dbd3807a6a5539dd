import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NewEvent, openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const T = Date.UTC(2026, 10, 1);
let db: TestDatabase;
let store: Store;
let client: pg.Client;
let meters: string[];
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
  meters = [...(await store.ensureMeters(['A', 'B', 'C'].map((serial) => ({ serial })))).values()];
  await client.query('update amiable.meter set segment = 2, path = array[10, 11] where id = $1', [meters[2]]);
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

const event = (k: number, time: number, code: number, more: Partial<NewEvent> = {}): NewEvent => ({
  meter: meters[k] as string,
  time,
  code,
  source: 'standard',
  catalogue: 'amiable-virtual',
  ...more,
});
const all = (more: object = {}) => store.events.list({ limit: 1000, scope: 'all', ...more });

describe('events', () => {
  it('are stored once, however often and in whatever pieces a log is read', async () => {
    const log = [
      event(0, T, 23),
      event(0, T, 23),
      event(0, T, 23, { source: 'other' }),
      event(0, T + 1000, 24, { status: 0x8000 }),
      event(1, T, 999, { detail: { note: 'a\u0000b' } }),
    ];
    expect(await store.events.write(log, T)).toEqual({ inserted: 5, known: 0, refused: 0 });
    expect(await store.events.write(log.slice(0, 3), T)).toEqual({ inserted: 0, known: 3, refused: 0 });
    expect(await store.events.write([...log, event(0, T + 2000, 99)].reverse(), T)).toMatchObject({
      inserted: 1,
      known: 5,
    });
    const { events } = await all({ meters: [meters[0]] });
    expect(events.map((e) => [e.time - T, e.event, e.ordinal, e.source])).toEqual([
      [2000, 'unknown', 0, 'amiable-virtual/standard'],
      [1000, 'power-up-short', 0, 'amiable-virtual/standard'],
      [0, 'power-down', 1, 'amiable-virtual/standard'],
      [0, 'power-down', 0, 'amiable-virtual/standard'],
      [0, 'power-down', 0, 'amiable-virtual/other'],
    ]);
    expect(events[1]).toMatchObject({ status: 0x8000, category: 'power', severity: 0, serial: 'A', received: T });
    expect((await all({ meters: [meters[1]] })).events).toMatchObject([
      { event: 'unknown', code: 999, detail: { note: 'ab' } },
    ]);
  });

  it('refuses times that are none, and lies by month', async () => {
    const odd = [event(0, 0, 23), event(0, Number.NaN, 23), event(0, Date.UTC(2200, 0), 23), event(0, T, 0.5)];
    expect(await store.events.write(odd, T)).toEqual({ inserted: 0, known: 0, refused: 4 });
    await store.events.write([event(1, Date.UTC(2026, 8, 30, 23, 59, 59), 11)], T);
    expect((await client.query(`select count(*)::int as n from amiable.event_2026_09`)).rows).toEqual([{ n: 1 }]);
  });

  it('are found by area, category, weight and time, in the caller’s segments, page by page', async () => {
    const times = Array.from({ length: 40 }, (_, k) => event(2, T + 86_400_000 + (k >> 2) * 1000, 26 + (k % 4)));
    await store.events.write(times, T);
    const area = { under: '10', from: T };
    const whole = (await all(area)).events;
    expect(whole).toHaveLength(40);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 41 }), async (limit) => {
        const got = [];
        let after: string | undefined;
        do {
          const page = await all({ ...area, limit, ...(after === undefined ? {} : { after }) });
          got.push(...page.events);
          after = page.next;
        } while (after !== undefined);
        expect(got).toEqual(whole);
      }),
      { numRuns: 6 },
    );
    expect((await all({ ...area, categories: ['voltage'], severity: 1 })).events).toHaveLength(30);
    expect((await all({ ...area, to: T + 86_400_000 + 1000 })).events).toHaveLength(4);
    expect((await all({ ...area, scope: [1] })).events).toEqual([]);
    expect((await all({ ...area, scope: [2], events: ['undervoltage-l3'] })).events).toHaveLength(10);
    expect((await all({ under: '12' })).events).toEqual([]);
    expect((await all({ ...area, after: 'nonsense' })).events).toHaveLength(40);
    expect(await store.events.count({ ...area, scope: 'all' })).toHaveLength(4);
    expect(
      (await client.query('select event, serial from amiable.event_view where meter_id = $1 limit 1', [meters[2]]))
        .rows,
    ).toHaveLength(1);
  });
});
