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

describe('energy of the hour in which a meter was first heard', () => {
  const MIDNIGHT = Date.UTC(2026, 2, 9, 23); // in Oslo
  const START = T0 + 31 * 60_000 + 7000;
  const item = (obis: string, name: string, unit: 'Wh' | 'W' | 'm3' | 'J', scaler = 0) => ({
    obis,
    name,
    unit,
    scaler,
  });
  const POWER_ITEM = item('1-0:1.7.0', 'activePowerImport', 'W');
  const RATES = [
    item('1-0:1.8.1', 'activeEnergyImportTariff1', 'Wh'),
    item('1-0:1.8.2', 'activeEnergyImportTariff2', 'Wh'),
    item('1-0:2.8.1', 'activeEnergyExportTariff1', 'Wh'),
    item('1-0:2.8.2', 'activeEnergyExportTariff2', 'Wh'),
  ];
  const WHOLE = [item('1-0:1.8.0', 'activeEnergyImport', 'Wh'), item('1-0:2.8.0', 'activeEnergyExport', 'Wh')];
  const MEDIA = [
    { ...item('0-1:24.2.1', 'gasVolume', 'm3', -3), channel: 1 },
    { ...item('0-2:24.2.1', 'waterVolume', 'm3', -3), channel: 2 },
    { ...item('0-3:24.2.1', 'heatEnergy', 'J', 3), channel: 3 },
  ];
  /** Every 10 s from START on: 720 W, thus 2 Wh each; 1 l of gas and of water and 1 kJ of heat a minute. */
  const p1 = (serial: string, until: number, registers: readonly (typeof RATES)[number][]) => {
    const out = [];
    for (let at = START; at <= until; at += 10_000) {
      const n = (at - START) / 10_000;
      const shown = registers.map((r) => (r.obis.startsWith('1-0:1.8') ? (n * 2) / (registers.length / 2) : 0) + 5000);
      const minute = Math.floor(n / 6);
      const message = list1(at, 720, { serial });
      out.push({
        ...message,
        items: [POWER_ITEM, ...registers, ...MEDIA],
        values: [720, ...shown, 9000 + minute, 800 + minute, 70_000 + minute],
      });
    }
    return out;
  };
  const NINETEEN = T0 + HOUR;
  // 1733 s to the full hour: 346.6 Wh.
  const FIRST = 346;

  it.each([
    ['registers', WHOLE],
    ['the sum of rates', RATES],
  ])('counts from the first value of %s, and is not whole', async (_, registers) => {
    const { id, serial } = await newMeter();
    const until = NINETEEN + 20_000;
    await store.ingest(p1(serial, until, registers));
    const check = async () => {
      const e = await store.energy(id, 'hour', T0 - HOUR, NINETEEN + HOUR);
      expect(e.buckets[0]).toMatchObject({ import: null, quality: 'missing' });
      expect(e.buckets[1]).toMatchObject({ export: 0, quality: 'missing' });
      expect(Math.abs((e.buckets[1]?.import as number) - FIRST)).toBeLessThanOrEqual(2);
      expect(e.buckets[2]?.quality).not.toBe('missing');
      // The last register stands at 17 s past.
      const total = Math.floor((until - START) / 10_000) * 2;
      expect(Math.abs((e.import as number) - total)).toBeLessThanOrEqual(4);
      for (const unit of ['day', 'month'] as const) {
        const sum = await store.energy(id, unit, MIDNIGHT, until);
        expect(sum.buckets.at(-1)?.quality).toBe('missing');
        expect(Math.abs((sum.import as number) - total)).toBeLessThanOrEqual(4);
      }
    };
    await check();
    // What is thinned to quarters of an hour does not lose the time before the first of them.
    await store.compact(NINETEEN + 5 * 60_000);
    await check();
  });

  it('counts gas, water and heat from their first values', async () => {
    const { id, serial } = await newMeter();
    await store.ingest(p1(serial, NINETEEN + 20_000, WHOLE));
    for (const compacted of [false, true]) {
      if (compacted) await store.compact(NINETEEN + 5 * 60_000);
      const { media } = await store.media(id, 'hour', T0, NINETEEN + HOUR);
      expect(media.map((m) => m.name)).toEqual(['gasVolume', 'waterVolume', 'heatEnergy']);
      expect(media.map((m) => m.buckets[0]?.quality)).toEqual(['missing', 'missing', 'missing']);
      const [gas, water, heat] = media.map((m) => m.total as number);
      expect([gas, water, heat]).toEqual([0.029, 0.029, 29_000]);
      const day = await store.media(id, 'day', MIDNIGHT, NINETEEN + HOUR);
      expect(day.media.map((m) => m.total)).toEqual([0.029, 0.029, 29_000]);
    }
  });

  it('counts the running hour, from the second value on', async () => {
    const { id, serial } = await newMeter();
    await store.ingest(p1(serial, START, WHOLE));
    expect((await store.media(id, 'hour', T0, NINETEEN)).media[0]?.total ?? null).toBeNull();
    await store.ingest(p1(serial, START + 600_000, WHOLE));
    expect((await store.energy(id, 'hour', T0, NINETEEN)).import).toBe(120);
    expect((await store.media(id, 'hour', T0, NINETEEN)).media[0]?.total).toBe(0.01);
  });

  it('counts by power until a meter tells its hourly register, and then no less', async () => {
    const { id, serial } = await newMeter();
    const messages = [];
    for (let at = START; at < NINETEEN; at += 10_000) messages.push(list1(at, 720, { serial }));
    await store.ingest(messages);
    const import_ = async (unit: 'hour' | 'day') => (await store.energy(id, unit, MIDNIGHT, NINETEEN + HOUR)).import;
    expect(Math.abs(((await import_('hour')) as number) - FIRST)).toBeLessThanOrEqual(3);
    await store.ingest([list3(NINETEEN + 5000, 720, 8000, { serial }), list1(NINETEEN + 20_000, 720, { serial })]);
    for (const unit of ['hour', 'day'] as const)
      expect(Math.abs(((await import_(unit)) as number) - FIRST - 4)).toBeLessThanOrEqual(4);
    const { buckets } = await store.energy(id, 'hour', T0, NINETEEN + HOUR);
    expect(buckets.map((b) => b.quality)).toEqual(['missing', 'calculated']);
  });

  it('leaves an hour that power tells nearly whole as it was', async () => {
    const { id, serial } = await newMeter();
    const messages = [];
    for (let at = T0 + 120_000; at < NINETEEN; at += 10_000) messages.push(list1(at, 600, { serial }));
    await store.ingest([...messages, list3(NINETEEN + 5000, 600, 8000, { serial })]);
    const { buckets } = await store.energy(id, 'hour', T0, NINETEEN);
    expect(buckets.map((b) => [b.import, b.quality])).toEqual([[600, 'calculated']]);
  });
});
