import { localToUtc } from '@amiable/calendar';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type RegisterKey, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const QUARTER = 900_000;
const ZONE = 'Europe/Oslo';
const local = (d: number, h = 0): number => localToUtc(ZONE, Date.UTC(2026, 9, d, h));
const NOW = local(29, 6);
const LOAD: RegisterKey = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', period: 900 };

let db: TestDatabase;
let store: Store;
let client: pg.Client;
let ids: string[];
const query = { profile: 'load', from: '2026-10-23', to: '2026-10-29', limit: 100, scope: 'all' as const };
const values = (meter: string, from: number, to: number, quality?: 'estimated') =>
  store.writeBlocks([
    {
      meter,
      register: LOAD,
      scaler: 0,
      start: from,
      step: QUARTER,
      values: Array.from({ length: (to - from) / QUARTER }, (_, k) => k),
      ...(quality ? { quality: Array.from({ length: (to - from) / QUARTER }, () => quality) } : {}),
    },
  ]);

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
  ids = [...(await store.ensureMeters(['A', 'B', 'C', 'D'].map((serial) => ({ serial, timeZone: ZONE })))).values()];
  await client.query(`insert into amiable.node (id, kind, code, name, parent, path, attributes, created_at) values
    (1, 'region', 'N', 'North', null, '{1}', '{}', '2026-01-01'), (2, 'transformer', 'T1', null, 1, '{1,2}', '{}', '2026-01-01'),
    (3, 'transformer', 'T2', 'Two', 1, '{1,3}', '{}', '2026-01-01'), (4, 'premises', 'H', null, 3, '{1,3,4}', '{}', '2026-01-01')`);
  for (const [k, meter] of ids.entries()) {
    await client.query('update amiable.meter set path = $2, segment = $3 where id = $1', [
      meter,
      k < 2 ? '{1,2}' : '{1,3,4}',
      k === 3 ? 2 : 1,
    ]);
    await client.query(
      `insert into amiable.connection (meter, protocol, address, transport, readout, changed_at) values ($1, 'dlms', 'tcp://x', 'wrapper', 'idis', '2026-01-01')`,
      [meter],
    );
    await client.query(
      `insert into amiable.readout_state (meter, tried_at, outcome, delivers) values ($1, '2026-01-01', 'done', '{"load": ["1-0:1.8.0"]}')`,
      [meter],
    );
  }
  // A: whole. B: lacks the 100 quarters of the 25th. C: came into service at noon of the 27th. D: nothing but an estimated day.
  await values(ids[0]!, local(20), local(29));
  await values(ids[1]!, local(20), local(25));
  await values(ids[1]!, local(26), local(29));
  await client.query(
    `insert into amiable.link (kind, child, parent, from_time, recorded_at) values ('installed', $1, 4, $2, $2)`,
    [ids[2], new Date(local(27, 12)).toISOString()],
  );
  await values(ids[2]!, local(27, 12), local(29));
  await values(ids[3]!, local(28), local(29), 'estimated');
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

const cell = (expected: number, missing: number, meters: number, complete: number, more = {}) => ({
  expected,
  present: expected - missing,
  missing,
  estimated: 0,
  givenUp: 0,
  meters,
  complete,
  ...more,
});

describe('completeness', () => {
  it('counts days of 96 and 100 quarters by area and segment, from the day a meter is in service', async () => {
    const result = await store.completeness.compute({ profiles: ['load'], days: 6 }, NOW);
    expect(result).toMatchObject({ profiles: ['load'], meters: 4, missing: 100 + 5 * 96 + 4 });
    const { days, total, rows, computed } = await store.completeness.report({ ...query, rows: 'region' });
    expect(days).toEqual(['2026-10-23', '2026-10-24', '2026-10-25', '2026-10-26', '2026-10-27', '2026-10-28']);
    expect(computed).toBe(NOW);
    expect(total).toEqual([
      cell(288, 96, 3, 2),
      cell(288, 96, 3, 2),
      cell(300, 200, 3, 1),
      cell(288, 96, 3, 2),
      cell(336, 96, 4, 3),
      cell(384, 0, 4, 4, { estimated: 96 }),
    ]);
    expect(rows).toEqual([{ id: '1', name: 'North', cells: total }]);
    const below = await store.completeness.report({ ...query, rows: 'transformer', under: '1' });
    expect(below.rows.map((row) => [row.name, row.cells[2]?.missing])).toEqual([
      ['T1', 100],
      ['Two', 100],
    ]);
    const page = await store.completeness.report({ ...query, rows: 'transformer', limit: 1 });
    expect(page.next).toBe('2');
    expect(
      (await store.completeness.report({ ...query, rows: 'transformer', limit: 1, after: '2' })).rows,
    ).toHaveLength(1);
    // Premises are no area, and another segment's meters are not counted.
    expect(
      (await client.query('select distinct area::int from amiable.completeness order by 1')).rows.map((r) => r.area),
    ).toEqual([0, 1, 2, 3]);
    const scoped = await store.completeness.report({ ...query, rows: 'transformer', scope: [1] });
    expect(scoped.total[0]).toEqual(cell(192, 0, 2, 2));
    expect(scoped.rows.map((row) => row.cells[5]?.meters)).toEqual([2, 1]);
  });

  it('names the meters that lack something, the worst first, and each one’s own days', async () => {
    const { meters } = await store.completeness.gaps(query);
    expect(meters.map((m) => [m.serial, m.missing, m.days, m.first, m.last])).toEqual([
      ['D', 484, 6, '2026-10-23', '2026-10-28'],
      ['B', 100, 1, '2026-10-25', '2026-10-25'],
    ]);
    const first = await store.completeness.gaps({ ...query, limit: 1 });
    expect(
      (await store.completeness.gaps({ ...query, limit: 1, after: first.next! })).meters.map((m) => m.serial),
    ).toEqual(['B']);
    expect((await store.completeness.gaps({ ...query, under: '2' })).meters.map((m) => m.serial)).toEqual(['B']);
    expect((await store.completeness.gaps({ ...query, scope: [1] })).meters.map((m) => m.serial)).toEqual(['B']);
    const rows = (await store.completeness.report({ ...query, rows: 'meter' })).rows;
    expect(rows.map((row) => row.name)).toEqual(['D', 'B']);
    expect(rows[1]?.cells).toEqual(
      [96, 96, 100, 96, 96, 96].map((n, d) => cell(n, d === 2 ? 100 : 0, 1, d === 2 ? 0 : 1)),
    );
    const own = await store.completeness.meterDays(ids[1]!, 'load', '2026-10-24', '2026-10-26');
    expect(own?.profiles).toEqual(['load', 'daily', 'monthly']);
    expect(own?.days).toEqual([
      { day: '2026-10-24', expected: 96, present: 96, missing: 0, estimated: 0, givenUp: 0, gaps: [] },
      {
        day: '2026-10-25',
        expected: 100,
        present: 0,
        missing: 100,
        estimated: 0,
        givenUp: 0,
        gaps: [{ from: local(25), to: local(26), count: 100 }],
      },
    ]);
    expect(await store.completeness.meterDays('999', 'load', '2026-10-24', '2026-10-26')).toBeUndefined();
  });

  it('sees late values of days that are not counted anew any more', async () => {
    await values(ids[1]!, local(25), local(26) - 4 * QUARTER);
    await store.completeness.compute({ profiles: ['load'], days: 1 }, NOW);
    const { total, rows } = await store.completeness.report({ ...query, rows: 'transformer' });
    expect(total[2]).toEqual(cell(300, 104, 3, 1));
    expect(rows[0]?.cells[2]).toEqual(cell(200, 4, 2, 1));
    await values(ids[1]!, local(26) - 4 * QUARTER, local(26));
    await store.completeness.compute({ profiles: ['load'], days: 1 }, NOW);
    expect((await store.completeness.report({ ...query, rows: 'transformer' })).rows[0]?.cells[2]).toEqual(
      cell(200, 0, 2, 2),
    );
    expect((await client.query('select count(*)::int as n from amiable.gap where meter = $1', [ids[1]])).rows).toEqual([
      { n: 0 },
    ]);
  });

  it('gives up by rule and by the word of the reader, names why, and asks no more', async () => {
    await store.completeness.giveUp(ids[3]!, 'load', local(27), local(28), 'the buffer begins later', NOW);
    await store.completeness.compute({ profiles: ['load'], days: 6, giveUpDays: 4 }, NOW);
    const own = await store.completeness.meterDays(ids[3]!, 'load', '2026-10-23', '2026-10-29');
    expect(own?.days.map((d) => [d.missing, d.givenUp, d.reason])).toEqual([
      [0, 96, 'not delivered within 4 days'],
      [0, 96, 'not delivered within 4 days'],
      [100, 0, undefined],
      [96, 0, undefined],
      [0, 96, 'the buffer begins later'],
      [0, 0, undefined],
    ]);
    expect((await store.completeness.report({ ...query, rows: 'region' })).total[0]).toEqual(
      cell(288, 0, 3, 2, { present: 192, givenUp: 96 }),
    );
    const wanted = {
      profile: { name: 'load', kind: 'profile', obis: '1-0:99.1.0', period: 900 },
      registers: [LOAD],
      from: local(23),
      to: local(29),
    } as const;
    expect((await store.completeness.missing([ids[3]!], wanted, ZONE)).get(ids[3]!)).toEqual([
      { from: local(25), to: local(27), count: 196 },
    ]);
    // It comes after all.
    await values(ids[3]!, local(23), local(25));
    await store.completeness.compute({ profiles: ['load'], days: 6, giveUpDays: 4 }, NOW);
    expect((await store.completeness.report({ ...query, rows: 'region' })).total[0]).toEqual(cell(288, 0, 3, 3));
  });
});
