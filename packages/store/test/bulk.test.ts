import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type RegisterKey, type SeriesData, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const QUARTER = 900_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 30);
const PROFILE: RegisterKey = { obis: '1-0:1.29.0', name: 'activeEnergyImportInterval', unit: 'Wh', period: 900 };

let db: TestDatabase;
let store: Store;
let client: pg.Client;
let ids: string[];
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
  ids = [...(await store.ensureMeters(Array.from({ length: 8 }, (_, i) => ({ serial: `P${i}` })))).values()];
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

const wave = (days: number, k: number): Float64Array =>
  Float64Array.from({ length: days * 96 }, (_, i) => 100 + ((i * 7 + k) % 50));
const series = (meter: string, values: SeriesData['values'], more: Partial<SeriesData> = {}): SeriesData => ({
  meter,
  register: PROFILE,
  scaler: 0,
  start: START,
  step: QUARTER,
  values,
  ...more,
});
const stored = async (meter: string): Promise<number[]> => [
  ...(await store.values(meter, PROFILE, START - 400 * DAY, START + 400 * DAY)).values,
];
const log = async (meter: string) =>
  (
    await client.query(
      'select mantissa::float8 as was, new_mantissa::float8 as is, kept, source, who, reason from amiable.change_log where meter = $1 order by time',
      [meter],
    )
  ).rows;

describe('writeBlocks', () => {
  it('stores each value once, over the ends of months', async () => {
    const all = ids.slice(0, 3).map((id, k) => series(id, wave(5, k)));
    const first = await store.writeBlocks(all);
    expect(first).toEqual({ inserted: 15, changed: 0, duplicates: 0, values: 3 * 5 * 96 });
    expect(await store.writeBlocks(all)).toEqual({ inserted: 0, changed: 0, duplicates: 15, values: 3 * 5 * 96 });
    expect(await stored(ids[1] as string)).toEqual([...wave(5, 1)]);
    const parts = await client.query(`select distinct tableoid::regclass::text as t from amiable.block order by 1`);
    expect(parts.rows.map((r) => r.t)).toEqual(['block_2026_01', 'block_2026_02']);
  });

  it('merges what overlaps, and logs what it changes', async () => {
    const meter = ids[3] as string;
    const values = wave(2, 3);
    await store.writeBlocks([series(meter, values.slice(0, 100))]);
    const changed = values.slice();
    changed[50] = 999;
    const second = await store.writeBlocks([series(meter, changed.slice(40), { start: START + 40 * QUARTER })], {
      source: 'file 7',
    });
    expect(second).toMatchObject({ inserted: 0, changed: 2 });
    expect(await stored(meter)).toEqual([...changed]);
    expect(await log(meter)).toEqual([
      { was: values[50], is: 999, kept: false, source: 'file 7', who: null, reason: null },
    ]);
    const { rows } = await client.query('select version, n from amiable.block where meter = $1 order by day', [meter]);
    expect(rows).toEqual([
      { version: 2, n: 96 },
      { version: 1, n: 96 },
    ]);
    // The part that was there comes again: nothing happens.
    expect(
      await store.writeBlocks([series(meter, changed.slice(60, 90), { start: START + 60 * QUARTER })]),
    ).toMatchObject({ changed: 0, duplicates: 1 });
  });

  it('keeps an edit when the reading comes again, with who and why', async () => {
    const meter = ids[4] as string;
    await store.writeBlocks([series(meter, wave(1, 0))]);
    await store.writeBlocks([series(meter, [7], { start: START + 10 * QUARTER, quality: ['edited'] })], {
      source: 'page',
      user: 'kari',
      reason: 'meter was exchanged',
    });
    await store.writeBlocks([series(meter, wave(1, 0))]);
    expect((await stored(meter))[10]).toBe(7);
    expect(await log(meter)).toMatchObject([
      { is: 7, kept: false, who: 'kari', reason: 'meter was exchanged' },
      { was: 7, kept: true, source: 'profile' },
    ]);
    const view = await client.query(
      `select quality, count(*)::integer as n from amiable.reading where meter_id = $1 group by 1 order by 1`,
      [meter],
    );
    expect(view.rows).toEqual([
      { quality: 'edited', n: 1 },
      { quality: 'measured', n: 95 },
    ]);
  });

  it('holds missing values, irregular times and 64 bits', async () => {
    const meter = ids[5] as string;
    const holes = Float64Array.from({ length: 96 }, (_, i) => (i % 5 === 0 ? Number.NaN : i));
    const times = [START + 3, START + 70_001, START + DAY + 5];
    const big = BigInt64Array.of(2n ** 62n, -5n, 0n);
    expect(
      await store.writeBlocks([
        series(meter, holes),
        { meter, register: { ...PROFILE, name: 'odd', period: 0 }, scaler: -3, times, values: [1, 2, 3] },
        {
          meter,
          register: { ...PROFILE, name: 'big', period: 0 },
          scaler: 0,
          start: START,
          step: QUARTER,
          values: big,
        },
      ]),
    ).toMatchObject({ inserted: 4, values: 76 + 6 });
    expect(await stored(meter)).toEqual([...holes].filter((v) => !Number.isNaN(v)));
    const { rows } = await client.query(
      `select r.name, extract(epoch from time)::float8 * 1000 as at, value::text from amiable.reading v
       join amiable.register r on r.id = v.register where meter_id = $1 and r.name <> 'activeEnergyImportInterval' order by r.name, time`,
      [meter],
    );
    expect(rows.map((r) => r.value)).toEqual([String(2n ** 62n), '-5', '0', '0.001', '0.002', '0.003']);
    expect(rows.slice(3).map((r) => r.at)).toEqual(times);
  });

  it('takes one day twice in one call, and single blocks among known ones', async () => {
    const meter = ids[7] as string;
    const twice = [
      series(meter, wave(1, 0).slice(0, 50)),
      series(meter, wave(1, 0).slice(40), { start: START + 40 * QUARTER }),
    ];
    const first = await store.writeBlocks(twice);
    expect(first.inserted).toBe(1);
    expect(await stored(meter)).toEqual([...wave(1, 0)]);
    const more = await store.writeBlocks([series(meter, wave(3, 0)), ...twice]);
    expect(more).toMatchObject({ inserted: 2, changed: 0, duplicates: 3 });
    expect(await stored(meter)).toEqual([...wave(3, 0)]);
  });

  it('refuses what makes no sense, whole and with a reason', async () => {
    const meter = ids[6] as string;
    for (const bad of [
      series(meter, [1.5]),
      series(meter, [1], { step: 0 }),
      series(meter, [1], { start: Date.UTC(1890, 0) }),
      series(meter, [1, 2], { times: [START] }),
      series(meter, [1, 2], { times: [START, START] }),
      series(meter, [1], { scaler: 99 }),
    ])
      await expect(store.writeBlocks([series(meter, [1, 2, 3]), bad])).rejects.toThrow(RangeError);
    expect(await stored(meter)).toEqual([]);
  });

  it('answers for many meters at once', async () => {
    const slots = { from: START, step: QUARTER, count: 5 * 96 };
    const some = ids.slice(0, 3);
    const profile = await store.loadProfile(PROFILE, slots, some);
    expect(profile.sum[100]).toBe([0, 1, 2].reduce((sum, k) => sum + (wave(5, k)[100] as number), 0));
    expect(profile.meters[100]).toBe(3);
    const rates = new Uint8Array(slots.count).map((_, i) => (i % 96 < 24 ? 0 : i % 96 < 60 ? 1 : 2));
    const sums = await store.rateSums(PROFILE, slots, rates, some);
    const own = [0, 0, 0];
    wave(5, 2).forEach((v, i) => {
      own[rates[i] as number] = (own[rates[i] as number] as number) + v;
    });
    expect([...(sums.get(ids[2] as string) ?? [])]).toEqual(own);
    const peaks = await store.peaks(PROFILE, START, START + 5 * DAY);
    expect(peaks.get(ids[3] as string)).toBe(999);
    const gaps = await store.gaps(PROFILE, START, START + DAY, 96);
    expect(gaps).toEqual([{ meter: ids[5], missing: 20 }]);
  });
});
