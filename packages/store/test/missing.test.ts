import { localToUtc, toLocal } from '@amiable/calendar';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type RegisterKey, type SeriesData, type Store } from '../src/index.ts';
import { slotsOf } from '../src/readout/slots.ts';
import type { Missing, ReadoutProfile } from '../src/readout/types.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const QUARTER = 900_000;
const ZONE = 'Europe/Oslo';
const LOAD: ReadoutProfile = { name: 'load', kind: 'profile', obis: '1-0:99.1.0', period: 900 };
const DAILY: ReadoutProfile = { name: 'daily', kind: 'daily', obis: '1-0:98.2.0', period: 86_400 };
const MONTHLY: ReadoutProfile = { name: 'monthly', kind: 'monthly', obis: '1-0:98.1.0', period: 0 };
const key = (obis: string, period: number): RegisterKey => ({ obis, name: `r${obis}`, unit: 'Wh', period });
const LOADS = [key('1-0:1.8.0', 900), key('1-0:2.8.0', 900)];
const local = (y: number, m: number, d: number, h = 0): number => localToUtc(ZONE, Date.UTC(y, m - 1, d, h));

let db: TestDatabase;
let store: Store;
let client: pg.Client;
let ids: string[];
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
  ids = [...(await store.ensureMeters(Array.from({ length: 60 }, (_, i) => ({ serial: `M${i}` })))).values()];
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

describe('when values should stand', () => {
  it('counts 92, 96 and 100 quarters', () => {
    for (const [y, m, d, n] of [
      [2026, 3, 29, 92],
      [2026, 3, 30, 96],
      [2026, 10, 25, 100],
    ] as const)
      expect(slotsOf(LOAD, ZONE, local(y, m, d), local(y, m, d + 1)).times).toHaveLength(n);
  });
  it('has one daily value at each local midnight, one monthly at each first', () => {
    const times = [...slotsOf(DAILY, ZONE, local(2026, 10, 24), local(2026, 10, 27)).times];
    expect(times).toEqual([local(2026, 10, 24), local(2026, 10, 25), local(2026, 10, 26)]);
    expect(times[2]! - times[1]!).toBe(25 * 3_600_000);
    expect([...slotsOf(MONTHLY, ZONE, local(2026, 1, 2), local(2026, 3, 2)).times]).toEqual([
      local(2026, 2, 1),
      local(2026, 3, 1),
    ]);
  });
  it('stands by local days also where the zone lies half an hour off, and where a day begins at one', () => {
    const india = slotsOf(
      { kind: 'profile', period: 3600 },
      'Asia/Kolkata',
      Date.UTC(2026, 0, 1),
      Date.UTC(2026, 0, 2),
    );
    for (const time of india.times) expect(toLocal('Asia/Kolkata', time) % 3_600_000).toBe(0);
    expect(slotsOf(LOAD, 'America/Santiago', Date.UTC(2026, 8, 6, 4), Date.UTC(2026, 8, 7, 3)).times).toHaveLength(92);
  });
});

describe('missing', () => {
  it('is what a scan of all values finds, over days of 92 and 100 quarters', async () => {
    // A pattern for each meter and register: which quarters are there, and how they were written.
    const pattern = fc.record({
      holes: fc.array(fc.tuple(fc.nat(700), fc.nat(90)), { maxLength: 5 }),
      form: fc.constantFrom('regular', 'irregular', 'none'),
      estimated: fc.boolean(),
    });
    const [patterns] = fc.sample(
      fc.array(fc.tuple(pattern, pattern), { minLength: ids.length, maxLength: ids.length }),
      { seed: 7, numRuns: 1 },
    ) as [
      [
        { holes: [number, number][]; form: string; estimated: boolean },
        { holes: [number, number][]; form: string; estimated: boolean },
      ][],
    ];
    const begin = local(2026, 10, 23);
    const end = local(2026, 10, 30);
    const all = Array.from({ length: (end - begin) / QUARTER }, (_, k) => begin + k * QUARTER);
    expect(all).toHaveLength(7 * 96 + 4);
    const there = new Map<string, Set<number>[]>();
    const data: SeriesData[] = [];
    for (const [m, pair] of patterns.entries()) {
      const meter = ids[m] as string;
      there.set(meter, []);
      for (const [r, { holes, form, estimated }] of pair.entries()) {
        const times = form === 'none' ? [] : all.filter((_, k) => !holes.some(([at, n]) => k >= at && k < at + n));
        there.get(meter)?.push(new Set(times));
        if (times.length === 0) continue;
        const common = { meter, register: LOADS[r] as RegisterKey, scaler: 0 };
        if (form === 'regular')
          data.push({
            ...common,
            start: begin,
            step: QUARTER,
            values: all.map((time, k) => (times.includes(time) ? k : Number.NaN)),
            ...(estimated ? { quality: all.map(() => 'estimated' as const) } : {}),
          });
        else data.push({ ...common, times, values: times.map((_, k) => k) });
      }
    }
    await store.writeBlocks(data);
    const naive = (meter: string, from: number, to: number): Missing[] => {
      const out: { from: number; to: number; count: number }[] = [];
      for (const time of all) {
        if (time < from || time >= to) continue;
        const lacks = there.get(meter)?.filter((set) => !set.has(time)).length ?? 2;
        if (lacks === 0) continue;
        const last = out.at(-1);
        if (last && last.to === time) {
          last.to = Math.min(time + QUARTER, to);
          last.count += lacks;
        } else out.push({ from: time, to: Math.min(time + QUARTER, to), count: lacks });
      }
      return out;
    };
    for (const [from, to] of [
      [begin, end],
      [local(2026, 10, 25), local(2026, 10, 26)],
      [begin + 1, begin + 5 * QUARTER + 1],
      [local(2026, 10, 25, 12), local(2026, 10, 26, 12)],
    ] as const) {
      const found = await store.completeness.missing(ids, { profile: LOAD, registers: LOADS, from, to }, ZONE);
      for (const meter of ids) expect(found.get(meter) ?? [], `${meter} ${from}`).toEqual(naive(meter, from, to));
    }
  });

  it('finds daily and monthly values at local midnights, and nothing in an empty span', async () => {
    const meter = ids[0] as string;
    const days = [24, 25, 27].map((d) => local(2026, 10, d));
    const register = key('1-0:1.8.0', 86_400);
    await store.writeBlocks([{ meter, register, scaler: 0, times: days, values: [1, 2, 3] }]);
    const wanted = { profile: DAILY, registers: [register], from: local(2026, 10, 24), to: local(2026, 10, 28) };
    expect((await store.completeness.missing([meter], wanted, ZONE)).get(meter)).toEqual([
      { from: local(2026, 10, 26), to: local(2026, 10, 27), count: 1 },
    ]);
    const months = {
      profile: MONTHLY,
      registers: [key('1-0:1.8.0', 2_592_000)],
      from: local(2026, 9, 15),
      to: local(2026, 10, 15),
    };
    expect((await store.completeness.missing([meter], months, ZONE)).get(meter)).toEqual([
      { from: local(2026, 10, 1), to: local(2026, 10, 15), count: 1 },
    ]);
    expect((await store.completeness.missing([meter], { ...wanted, to: wanted.from }, ZONE)).size).toBe(0);
    // Nothing is known of what it delivers: all of it lacks.
    expect((await store.completeness.missing([meter], { ...wanted, registers: [] }, ZONE)).get(meter)).toMatchObject([
      { count: 4 },
    ]);
  });

  it('leaves out what was given up', async () => {
    const meter = ids[1] as string;
    const wanted = {
      profile: { ...LOAD, name: 'other' },
      registers: [key('1-0:9.8.0', 900)],
      from: local(2026, 10, 24),
      to: local(2026, 10, 27),
    };
    await client.query(
      `insert into amiable.gap values ($1, 'other', '2026-10-25', 100, 0, 0, 100, 'gone', '2026-11-01', '2026-11-01')`,
      [meter],
    );
    expect((await store.completeness.missing([meter], wanted, ZONE)).get(meter)).toEqual([
      { from: local(2026, 10, 24), to: local(2026, 10, 25), count: 96 },
      { from: local(2026, 10, 26), to: local(2026, 10, 27), count: 96 },
    ]);
  });
});
