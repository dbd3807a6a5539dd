import { add, startOf, toLocal } from '@amiable/calendar';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calendarRows } from '../src/calendar.ts';
import { openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

describe('the calendar', () => {
  it.each([
    'Europe/Oslo',
    'Europe/London',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Pacific/Apia',
    'UTC',
  ])('tells the local day of every moment in %s', (zone) => {
    const first = Date.UTC(2026, 0, 1) / DAY;
    for (const row of calendarRows(zone, first, first + 400)) {
      const moments = [0, 1, DAY / 2, DAY - 1].map((ms) => row.day * DAY + ms);
      for (const edge of [row.nextAt, row.secondAt]) if (edge !== undefined) moments.push(edge - 1, edge);
      for (const t of moments) {
        if (Math.floor(t / DAY) !== row.day) continue;
        const day =
          row.localDay + (t >= row.nextAt ? 1 : 0) + (row.secondAt !== undefined && t >= row.secondAt ? 1 : 0);
        expect(day).toBe(Math.floor(toLocal(zone, t) / DAY));
      }
    }
  });
});

describe('the views that other programs read', () => {
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

  it('sum by local hour and day, also where the offset is half an hour and the day has 23 hours', async () => {
    const zones = ['Europe/Oslo', 'Asia/Kolkata'];
    const ids = await store.ensureMeters(zones.map((timeZone) => ({ serial: timeZone, timeZone })));
    const start = Date.UTC(2026, 2, 25);
    const values = Float64Array.from({ length: 8 * 96 }, (_, i) => (i * 37) % 400);
    for (const id of ids.values())
      await store.writeBlocks([
        {
          meter: id,
          register: { obis: '1-0:1.29.0', name: 'activeEnergyImportInterval', unit: 'Wh', period: 900 },
          scaler: 0,
          start,
          step: 900_000,
          values,
        },
      ]);
    await store.compact(start + 10 * DAY);
    for (const zone of zones) {
      const id = ids.get(zone) as string;
      const days = await client.query(
        `select local_day::text as day, n::integer as n, sum::float8 as sum, max::float8 as max from amiable.reading_day where meter_id = $1 order by 1`,
        [id],
      );
      const expected = new Map<string, number[]>();
      values.forEach((v, i) => {
        const day = new Date(toLocal(zone, start + i * 900_000)).toISOString().slice(0, 10);
        expected.set(day, [...(expected.get(day) ?? []), v]);
      });
      expect(days.rows).toEqual(
        [...expected].map(([day, all]) => ({
          day,
          n: all.length,
          sum: all.reduce((a, b) => a + b, 0),
          max: Math.max(...all),
        })),
      );
      const hours = await client.query(
        `select time, sum::float8 as sum, local_day::text as day from amiable.reading_hour where meter_id = $1 and day = '2026-03-29' order by time, local_day`,
        [id],
      );
      if (zone === 'Europe/Oslo') {
        expect(days.rows.find((r) => r.day === '2026-03-29').n).toBe(92);
        expect(hours.rows).toHaveLength(24);
        const at = (Date.UTC(2026, 2, 29, 5) - start) / 900_000;
        expect(hours.rows[5]).toEqual({
          time: new Date(Date.UTC(2026, 2, 29, 5)),
          sum: values.slice(at, at + 4).reduce((a, b) => a + b, 0),
          day: '2026-03-29',
        });
      }
      expect(startOf('day', zone, add('day', zone, start, 1))).toBeGreaterThan(start - HOUR);
    }
  });
});
