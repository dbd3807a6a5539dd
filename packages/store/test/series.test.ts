import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { list1, list2, list3, T0 } from './samples.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const REGISTER = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh' } as const;
const POWER = { obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W' } as const;

let db: TestDatabase;
let store: Store;
let next = 0;
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
});
afterAll(async () => {
  await store.close();
  await db.drop();
});

async function newMeter(): Promise<{ id: string; serial: string }> {
  const serial = `S${++next}`;
  return { serial, id: (await store.ensureMeters([{ serial }])).get(serial) as string };
}

describe('series', () => {
  it('gives points where the meter sent them, when they fit', async () => {
    const { id, serial } = await newMeter();
    await store.ingest([
      list1(T0, 100, { serial }),
      list2(T0 + 2000, 110, { serial }),
      list1(T0 + 4000, 120, { serial }),
    ]);
    const s = await store.series(id, ['1.7.0', '32.7.0', '99.9.9'], T0, T0 + 10_000, 100);
    expect(s).toMatchObject({ period: 0, time: [T0, T0 + 2000, T0 + 4000] });
    expect(s.curves[0]).toEqual({ obis: '1.7.0', name: 'activePowerImport', unit: 'W', values: [100, 110, 120] });
    expect(s.curves[1]?.values).toEqual([null, 230.1, null]);
    expect(s.curves[2]?.values).toEqual([null, null, null]);
  });

  it('reduces to means with extremes when they do not fit', async () => {
    const { id, serial } = await newMeter();
    await store.ingest(Array.from({ length: 300 }, (_, i) => list1(T0 + i * 2000, i, { serial })));
    const s = await store.series(id, ['1.7.0'], T0, T0 + 600_000, 10);
    expect(s.period).toBe(60);
    expect(s.curves[0]?.values).toEqual(Array.from({ length: 10 }, (_, i) => i * 30 + 14.5));
    expect(s.curves[0]?.min?.[1]).toBe(30);
    expect(s.curves[0]?.max?.[1]).toBe(59);
  });

  it('reads coarser stored periods where the finer are thinned away, and joins what is hot', async () => {
    const { id, serial } = await newMeter();
    const from = T0 - DAY;
    const quarters = (k: number) => Float64Array.from({ length: 96 }, (_, i) => i + k);
    await store.writeBlocks([
      {
        meter: id,
        register: { ...POWER, period: 900, stat: 'mean' },
        scaler: 0,
        start: from,
        step: 900_000,
        values: quarters(0),
      },
      {
        meter: id,
        register: { ...POWER, period: 900, stat: 'max' },
        scaler: 0,
        start: from,
        step: 900_000,
        values: quarters(1000),
      },
      {
        meter: id,
        register: { ...POWER, period: 900, stat: 'min' },
        scaler: 0,
        start: from,
        step: 900_000,
        values: quarters(-50),
      },
    ]);
    await store.ingest([list1(T0, 500, { serial }), list1(T0 + 2000, 700, { serial })]);
    const day = await store.series(id, ['1.7.0'], from, T0 + HOUR, 100);
    expect(day.period).toBe(900);
    expect(day.curves[0]?.values.slice(0, 98)).toEqual([...quarters(0), 600, null]);
    expect(day.curves[0]?.max?.[95]).toBe(1095);
    expect(day.curves[0]?.max?.[96]).toBe(700);
    // Zoomed into the past: nothing finer is there, the quarter hours stand in.
    const hour = await store.series(id, ['1.7.0'], from, from + HOUR, 2000);
    expect(hour.period).toBe(900);
    expect(hour.curves[0]?.values).toEqual([0, 1, 2, 3]);
    // Hours of means: four quarters weigh the same as each other, however many values each had.
    const wide = await store.series(id, ['1.7.0'], from, T0 + HOUR, 26);
    expect(wide.period).toBe(3600);
    expect(wide.curves[0]?.values[0]).toBe(1.5);
    expect(wide.curves[0]?.values[24]).toBe(600);
  });
});

describe('energy', () => {
  it('is the difference of registers by local day, also on the day of 23 hours', async () => {
    const { id } = await newMeter();
    // Europe/Oslo springs forward on 2026-03-29.
    const from = Date.UTC(2026, 2, 27, 23);
    const values = Float64Array.from({ length: 24 * 4 }, (_, i) => 1_000_000 + i * 500);
    await store.writeBlocks([{ meter: id, register: REGISTER, scaler: 0, start: from, step: HOUR, values }]);
    const e = await store.energy(id, 'day', from, from + 3 * DAY);
    expect(e.buckets.map((b) => (b.end - b.start) / HOUR)).toEqual([24, 23, 24, 24]);
    expect(e.buckets.slice(0, 3).map((b) => b.import)).toEqual([12_000, 11_500, 12_000]);
    expect(e.buckets[0]).toMatchObject({ quality: 'measured', export: null });
    const hours = await store.energy(id, 'hour', from, from + 3 * HOUR);
    expect(hours.buckets.map((b) => b.import)).toEqual([500, 500, 500]);
    expect(hours.import).toBe(1500);
  });

  it('follows the running hour by its power', async () => {
    const { id, serial } = await newMeter();
    const messages = [list3(T0 + 10_000, 1200, 5000, { serial })];
    for (let s = 12; s <= 1800; s += 2) messages.push(list1(T0 + s * 1000, 1200, { serial }));
    messages.unshift(list3(T0 - HOUR + 10_000, 1200, 4000, { serial }));
    await store.ingest(messages);
    const e = await store.energy(id, 'hour', T0 - HOUR, T0 + HOUR);
    expect(e.buckets.map((b) => [b.import, b.quality])).toEqual([
      [1000, 'measured'],
      [600, 'calculated'],
    ]);
  });

  it('integrates power where the meter has no register', async () => {
    const { id, serial } = await newMeter();
    const messages = [];
    for (let s = 0; s <= 7200; s += 10) messages.push(list1(T0 + s * 1000, 2000, { serial }));
    await store.ingest(messages);
    const e = await store.energy(id, 'hour', T0, T0 + 2 * HOUR);
    expect(e.buckets.map((b) => [b.import, b.quality])).toEqual([
      [2000, 'calculated'],
      [2000, 'calculated'],
    ]);
  });
});
