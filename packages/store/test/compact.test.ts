import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../src/index.ts';
import { createLayouts } from '../src/layouts.ts';
import { createPartitions } from '../src/partitions.ts';
import { connect, type Database } from '../src/pg/database.ts';
import { createRegisters } from '../src/registers.ts';
import { compactSql } from '../src/sql/compact.ts';
import { compact } from '../src/write/compact.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { list1, list2, list3, T0 } from './samples.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.UTC(2026, 2, 10);

let db: TestDatabase;
let store: Store;
let client: pg.Client;
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

const idOf = async (serial: string): Promise<string> => (await store.ensureMeters([{ serial }])).get(serial) as string;
const sql = async (text: string, values: unknown[] = []) => (await client.query(text, values)).rows;
/** What other programs see: value by value. */
const readings = (meter: string, obis: string, period = 0, stat = 'value') =>
  sql(
    `select time, value::float8 as value, quality, version from amiable.reading
     where meter_id = $1 and obis = $2 and period = $3 and stat = $4 order by time`,
    [meter, obis, period, stat],
  );

/** An hour as a meter sends it: list 1 each 2 s, list 2 each 10 s, list 3 at 10 s past. */
function hour(serial: string, start: number, power: (second: number) => number) {
  const messages = [];
  for (let s = 0; s < 3600; s += 2) {
    const at = start + s * 1000;
    if (s === 10) messages.push(list3(at, power(s), 5000 + Math.floor(start / HOUR) * 100, { serial }));
    else messages.push((s % 10 === 0 ? list2 : list1)(at, power(s), { serial }));
  }
  return messages;
}

describe('compaction', () => {
  it('moves whole hours into blocks, and nothing that is read changes', async () => {
    const serial = 'K1';
    const id = await idOf(serial);
    await store.ingest([...hour(serial, T0, (s) => s), ...hour(serial, T0 + HOUR, (s) => 2 * s).slice(0, 300)]);
    const ask = async () => ({
      power: await store.series(id, ['1.7.0', '32.7.0'], T0, T0 + 2 * HOUR, 10_000),
      quarters: await store.series(id, ['1.7.0'], T0, T0 + 2 * HOUR, 8),
      energy: await store.energy(id, 'hour', T0, T0 + 2 * HOUR),
      view: await readings(id, '1-0:1.7.0'),
      registers: await readings(id, '1-0:1.8.0'),
    });
    const before = await ask();
    expect(before.view).toHaveLength(2100);
    expect(before.registers[0]).toMatchObject({ time: new Date(T0), quality: 'measured', version: 1 });
    const done = await store.compact(T0 + HOUR + 5 * MINUTE);
    expect(done).toMatchObject({ meters: 1, messages: 1800 });
    expect(await ask()).toEqual(before);
    expect((await store.compact(T0 + HOUR + 5 * MINUTE)).messages).toBe(0);
    // Means and extremes were computed on the way.
    expect((await readings(id, '1-0:1.7.0', 60, 'mean')).map((r) => r.value).slice(0, 3)).toEqual([29, 89, 149]);
    expect((await readings(id, '1-0:1.7.0', 900, 'max')).map((r) => r.value)).toEqual([898, 1798, 2698, 3598]);
    await store.compact(T0 + 2 * HOUR + 5 * MINUTE);
    const after = await ask();
    expect(after).toMatchObject({ power: before.power, view: before.view });
    expect(after.energy.buckets[0]).toEqual(before.energy.buckets[0]);
    // 598 seconds of samples, or ten minutes of means.
    expect(Math.abs((after.energy.import as number) - (before.energy.import as number))).toBeLessThanOrEqual(1);
    const hours = await sql(
      `select time, value::float8 as value, sum::float8, min::float8, max::float8, n::integer, local_day::text
       from amiable.reading_hour where meter_id = $1 and obis = '1-0:1.7.0' order by time`,
      [id],
    );
    expect(hours[0]).toEqual({
      time: new Date(T0),
      value: 1799,
      sum: 449 + 1349 + 2249 + 3149,
      min: 0,
      max: 3598,
      n: 4,
      local_day: '2026-03-10',
    });
  });

  it('lays late messages over the blocks, logs what they change, and does both once', async () => {
    const serial = 'K2';
    const id = await idOf(serial);
    await store.ingest([list1(T0, 100, { serial }), list1(T0 + 4000, 120, { serial })]);
    await store.compact(T0 + HOUR + 5 * MINUTE);
    // The same second said anew by another message, and one that was missing.
    const again = list2(T0, 101, { serial });
    await store.ingest([list1(T0 + 2000, 110, { serial }), { ...again, receivedAt: T0 + 2 * HOUR }]);
    const whole = [
      [T0, 101],
      [T0 + 2000, 110],
      [T0 + 4000, 120],
    ];
    const curve = async () => {
      const s = await store.series(id, ['1.7.0'], T0, T0 + MINUTE, 1000);
      return s.time.map((t, i) => [t, s.curves[0]?.values[i]]);
    };
    expect(await curve()).toEqual(whole);
    await store.compact(T0 + HOUR + 6 * MINUTE);
    expect(await curve()).toEqual(whole);
    const log = () => sql('select mantissa, new_mantissa, kept, source from amiable.change_log where meter = $1', [id]);
    expect(await log()).toEqual([{ mantissa: '100', new_mantissa: '101', kept: false, source: 'late message' }]);
    await client.query(`insert into amiable.dirty values ($1, '2026-03-10')`, [id]);
    await store.compact(T0 + HOUR + 7 * MINUTE);
    expect(await curve()).toEqual(whole);
    expect(await log()).toHaveLength(1);
    expect((await readings(id, '1-0:1.7.0'))[0]?.version).toBe(2);
  });

  it('keeps finer decimals when a block and a message differ in them', async () => {
    const serial = 'K3';
    const id = await idOf(serial);
    const item = { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V' } as const;
    await store.ingest([{ ...list1(T0, 0, { serial }), items: [{ ...item, scaler: 0 }], values: [238] }]);
    await store.compact(T0 + HOUR + 5 * MINUTE);
    await store.ingest([{ ...list1(T0 + HOUR, 0, { serial }), items: [{ ...item, scaler: -1 }], values: [2385] }]);
    await store.compact(T0 + 2 * HOUR + 5 * MINUTE);
    expect((await readings(id, '1-0:32.7.0')).map((r) => r.value)).toEqual([238, 238.5]);
    expect(await sql('select count(*)::integer as n from amiable.block where meter = $1', [id])).toEqual([{ n: 1 }]);
  });

  it('catches up over days, and never loses what comes while it runs', async () => {
    const serial = 'K4';
    const id = await idOf(serial);
    const messages = Array.from({ length: 300 }, (_, i) => list1(T0 - 3 * DAY + i * 20 * MINUTE, i, { serial }));
    await store.ingest(messages.slice(0, 100));
    await Promise.all([
      store.compact(T0 + 2 * DAY),
      ...[1, 2, 3, 4].map((k) => store.ingest(messages.slice(50 * k + 50, 50 * k + 100))),
    ]);
    await store.compact(T0 + 2 * DAY);
    expect((await readings(id, '1-0:1.7.0')).map((r) => r.value)).toEqual(messages.map((_, i) => i));
    expect(await sql('select 1 from amiable.dirty')).toEqual([]);
  });

  it('leaves nothing behind that came between the look for the first message and the lock', async () => {
    const serial = 'K5';
    const id = await idOf(serial);
    const at = (i: number): number => T0 - 3 * DAY + i * 20 * MINUTE;
    const messages = Array.from({ length: 200 }, (_, i) => list1(at(i), i, { serial }));
    await store.ingest(messages.slice(80, 100));
    // Each look is followed by messages: earlier ones than the first that was seen, then some where nothing was seen any more.
    const late = [messages.slice(0, 80), messages.slice(100)];
    const own = connect({ url: db.url });
    const registers = createRegisters(own);
    const layouts = createLayouts(own, registers);
    let looked = false;
    const spied: Database = {
      ...own,
      read: async (work) => {
        const result = await own.read((client) =>
          work(
            new Proxy(client, {
              get(target, name) {
                const value = Reflect.get(target, name) as unknown;
                if (typeof value !== 'function') return value;
                return (...args: unknown[]) => {
                  if (args[0] === compactSql.firstMessages) looked = true;
                  return (value as (...a: unknown[]) => unknown).apply(target, args);
                };
              },
            }),
          ),
        );
        if (looked && late.length > 0) await store.ingest(late.shift() as typeof messages);
        looked = false;
        return result;
      },
    };
    await registers.load();
    await layouts.load();
    const partitions = createPartitions(own);
    await compact({ db: spied, layouts, registers, partitions, sourceDays: () => 7 }, T0 + 2 * DAY);
    await own.end();
    await store.compact(T0 + 2 * DAY);
    expect((await readings(id, '1-0:1.7.0')).map((r) => r.value)).toEqual(messages.map((_, i) => i));
  });
});

describe('retention', () => {
  it('keeps what the policy says and lets the rest go, compacted only', async () => {
    const serial = 'R1';
    const id = await idOf(serial);
    for (const day of [0, 1, 8]) await store.ingest(hour(serial, MIDNIGHT + day * DAY, (s) => s).slice(0, 900));
    const now = MIDNIGHT + 8 * DAY + 2 * HOUR;
    // Nothing is compacted yet, so nothing may go.
    await store.retain(now);
    expect(await sql('select count(*)::integer as n from amiable.message where meter = $1', [id])).toEqual([
      { n: 2700 },
    ]);
    await store.compact(now);
    const gone = await store.retain(now);
    expect(gone.partitions).toBeGreaterThanOrEqual(1);
    expect((await readings(id, '1-0:1.7.0')).map((r) => r.time.toISOString().slice(0, 10))).not.toContain('2026-03-10');
    expect(
      new Set((await readings(id, '1-0:1.7.0', 900, 'mean')).map((r) => r.time.toISOString().slice(0, 10))),
    ).toEqual(new Set(['2026-03-10', '2026-03-11', '2026-03-18']));
    expect(await readings(id, '1-0:1.8.0')).toHaveLength(3);
    const months = MIDNIGHT + 120 * DAY;
    await store.compact(months);
    await store.retain(months);
    expect(await readings(id, '1-0:1.7.0', 60, 'mean')).toEqual([]);
    expect(await readings(id, '1-0:1.7.0', 900, 'mean')).toHaveLength(6);
    expect(await store.messages(id)).toEqual([]);
    // A late message of long ago fills holes and leaves the means that were made of many values.
    const mean = (await readings(id, '1-0:1.7.0', 900, 'mean'))[0];
    await store.ingest([list1(MIDNIGHT + 1000, 9999, { serial }), list1(MIDNIGHT + 3000, 9999, { serial })]);
    await store.compact(months + HOUR);
    expect((await readings(id, '1-0:1.7.0', 900, 'mean'))[0]).toEqual(mean);
  });
});
