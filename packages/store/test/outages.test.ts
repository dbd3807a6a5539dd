import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NewEvent, openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const M = 60_000;
const DAY = 86_400_000;
const OCT = { from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 10, 1) };
const NOV = { from: OCT.to, to: Date.UTC(2026, 11, 1) };
const NOW = Date.UTC(2026, 11, 20);

let db: TestDatabase;
let store: Store;
let client: pg.Client;
let ids: string[];
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
  const serials = ['A', 'B', 'C', 'gas', 'stock'];
  ids = [
    ...(
      await store.ensureMeters(
        serials.map((serial) => ({ serial, ...(serial === 'stock' ? {} : { firstSeen: Date.UTC(2026, 0, 1) }) })),
      )
    ).values(),
  ];
  await client.query(`insert into amiable.node (id, kind, code, name, parent, path, attributes, created_at) values
    (1, 'region', 'N', 'North', null, '{1}', '{}', '2026-01-01'), (2, 'transformer', 'T1', null, 1, '{1,2}', '{}', '2026-01-01'),
    (3, 'transformer', 'T2', 'Two', 1, '{1,3}', '{}', '2026-01-01'), (4, 'metering-point', 'MP', null, 3, '{1,3,4}', '{}', '2026-01-01')`);
  for (const [k, path] of ['{1,2}', '{1,2}', '{1,3,4}', '{1,3}', '{1,3}'].entries())
    await client.query('update amiable.meter set path = $2, segment = $3 where id = $1', [
      ids[k],
      path,
      k === 2 ? 2 : 1,
    ]);
  // C is installed at the middle of November only; the gas meter stands behind it.
  await client.query(
    `insert into amiable.link (kind, child, parent, channel, from_time, recorded_at) values ('installed', $1, 4, null, '2026-11-16', '2026-11-16'),
    ('behind', $2, $1, 1, '2026-11-16', '2026-11-16')`,
    [ids[2], ids[3]],
  );
  const event = (k: number, time: number, code: number): NewEvent => ({
    meter: ids[k] as string,
    time,
    code,
    source: 'standard',
    catalogue: 'amiable-virtual',
  });
  await store.events.write(
    [
      // A: 2 min on the 5th of October; 60 min over the end of October.
      event(0, Date.UTC(2026, 9, 5), 23),
      event(0, Date.UTC(2026, 9, 5) + 2 * M, 24),
      event(0, OCT.to - 20 * M, 23),
      event(0, OCT.to + 40 * M, 25),
      // B: 30 min in announced work; a phase; and it is dark since the 30th of November.
      event(1, Date.UTC(2026, 9, 10, 8), 23),
      event(1, Date.UTC(2026, 9, 10, 8, 30), 25),
      event(1, Date.UTC(2026, 9, 11), 39),
      event(1, Date.UTC(2026, 9, 11, 1), 42),
      event(1, NOV.to - DAY, 23),
      // C: before and after it was installed.
      event(2, Date.UTC(2026, 10, 3), 23),
      event(2, Date.UTC(2026, 10, 3, 1), 25),
      event(2, Date.UTC(2026, 10, 20), 23),
      event(2, Date.UTC(2026, 10, 20, 1, 30), 25),
    ],
    NOW,
  );
  await store.outages.plan(
    { node: '2', from: Date.UTC(2026, 9, 10, 7), to: Date.UTC(2026, 9, 10, 9), reason: 'new cable', who: 'anna' },
    NOW,
    'all',
  );
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

describe('outages', () => {
  it('are listed by meter, with those that reach into the span, announced and open ones told', async () => {
    const { outages } = await store.outages.list({ ...OCT, limit: 10, scope: 'all' });
    expect(outages.map((o) => [o.serial, o.phase, o.to === undefined ? null : (o.to - o.from) / M, o.planned])).toEqual(
      [
        ['A', 'all', 2, false],
        ['A', 'all', 60, false],
        ['B', 'all', 30, true],
        ['B', 'l2', 60, false],
      ],
    );
    const later = await store.outages.list({ from: NOV.from, to: NOV.from + M, limit: 10, scope: 'all' });
    expect(later.outages.map((o) => o.serial)).toEqual(['A']);
    const open = await store.outages.list({
      from: NOW - DAY,
      to: NOW,
      meter: ids[1] as string,
      limit: 10,
      scope: 'all',
    });
    expect(open.outages).toMatchObject([{ from: NOV.to - DAY, to: undefined }]);
    expect((await store.outages.list({ ...NOV, limit: 10, scope: [2] })).outages.map((o) => o.serial)).toEqual([
      'C',
      'C',
    ]);
    expect(
      (await store.outages.list({ ...NOV, limit: 10, scope: 'all', under: '2' })).outages.map((o) => o.serial),
    ).toEqual(['A', 'B']);
    const first = await store.outages.list({ ...OCT, limit: 1, scope: 'all' });
    expect(first.next).toBe(ids[0]);
    expect(
      (await store.outages.list({ ...OCT, limit: 1, scope: 'all', after: first.next as string })).outages[0]?.serial,
    ).toBe('B');
  });

  it('make the indices by area and month, of those in service', async () => {
    const query = { periods: [OCT, NOV], momentary: 3 * M, now: NOW, scope: 'all' } as const;
    const [all] = await store.outages.indices({ ...query, rows: 'all' });
    // October: A and B; B's is announced. November: A, B, and C for half of it.
    expect(all?.sums).toMatchObject([
      { customers: 2, sustained: 1, momentary: 1, minutes: 20 },
      { customers: 2.5, sustained: 2, momentary: 0, minutes: 40 + 24 * 60 + 90 },
    ]);
    const areas = await store.outages.indices({ ...query, rows: 'transformer' });
    expect(areas.map((row) => [row.name, row.sums[1]?.customers, row.sums[1]?.minutes])).toEqual([
      ['T1', 2, 40 + 24 * 60],
      ['Two', 0.5, 90],
    ]);
    expect((await store.outages.indices({ ...query, rows: 'all', scope: [2] }))[0]?.sums[1]).toMatchObject({
      customers: 0.5,
      sustained: 1,
      momentary: 0,
      minutes: 90,
    });
    expect(await store.outages.indices({ ...query, rows: 'region', under: '3' })).toEqual([]);
    expect(await store.outages.indices({ ...query, periods: [], rows: 'all' })).toEqual([]);
  });

  it('stand beside what the meter itself has counted', async () => {
    const register = { obis: '0-0:96.7.0', name: 'powerFailures' };
    await store.writeBlocks([
      { meter: ids[0] as string, register, scaler: 0, times: [OCT.from, OCT.to - DAY], values: [4, 5] },
    ]);
    expect(await store.outages.counters(ids[0] as string, OCT.from, OCT.to)).toEqual([
      { register: '0-0:96.7.0', first: { time: OCT.from, value: 4 }, last: { time: OCT.to - DAY, value: 5 } },
    ]);
    expect(await store.outages.counters(ids[1] as string, OCT.from, OCT.to)).toEqual([]);
  });

  it('keeps announced work until it is taken back', async () => {
    const [work] = await store.outages.planned(OCT.from, OCT.to, 10, 'all');
    expect(work).toMatchObject({ node: '2', reason: 'new cable', who: 'anna', from: Date.UTC(2026, 9, 10, 7) });
    expect(await store.outages.planned(OCT.from, OCT.to, 10, [2])).toEqual([]);
    expect(await store.outages.unplan(work?.id as string, [2])).toBe(false);
    const again = { node: '2', from: NOW, to: NOW + M, reason: 'x', who: null };
    expect(await store.outages.plan(again, NOW, [2])).toBeUndefined();
    expect(await store.outages.plan({ ...again, node: null }, NOW, [1])).toBeUndefined();
    expect(await store.outages.unplan(work?.id as string, 'all')).toBe(true);
    expect(await store.outages.unplan(work?.id as string, 'all')).toBe(false);
    expect((await store.outages.list({ ...OCT, limit: 10, scope: 'all' })).outages.some((o) => o.planned)).toBe(false);
  });
});
