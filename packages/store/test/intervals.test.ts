import { intervalRegister, quantityOf } from '@amiable/model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SeriesData, Store } from '../src/index.ts';
import { openStore } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const DAY = 86_400_000;
const Q = 900_000;
const START = Date.UTC(2026, 10, 2);
const QUARTERS = intervalRegister(quantityOf('energyImport') as never, 900);

let db: TestDatabase;
let store: Store;
let meters: string[];
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  const made = await store.ensureMeters(Array.from({ length: 40 }, (_, i) => ({ serial: `H${i}` })));
  meters = [...made.values()];
});
afterAll(async () => {
  await store.close();
  await db.drop();
});

const series = (meter: string, start: number, values: number[], quality?: SeriesData['quality'], scaler = 0): SeriesData => ({
  meter,
  register: QUARTERS,
  scaler,
  start,
  step: Q,
  values: Float64Array.from(values),
  ...(quality === undefined ? {} : { quality }),
});

it('gives back what was written, meter by meter, with holes', async () => {
  const [a, b] = [meters[0] as string, meters[1] as string];
  const done = await store.intervals.write(
    [
      series(b, START, Array.from({ length: 200 }, (_, i) => (i === 50 ? Number.NaN : i))),
      series(a, START + 4 * Q, [10, 20, 30], ['measured', 'estimated', 'calculated'], -1),
    ],
    { source: 'validation', at: START + 10 * DAY },
  );
  expect(done).toEqual({ inserted: 4, changed: 0, duplicates: 0, values: 202, kept: 0, replaced: 0 });
  const seen: string[] = [];
  await store.intervals.read([b, a], { quantity: 'energyImport', from: START, to: START + 3 * DAY }, (x) => {
    seen.push(x.meter);
    expect(x).toMatchObject({ start: START, step: Q, unit: 'Wh', version: 1 });
    expect(x.values.length).toBe(288);
    if (x.meter === b) {
      expect(x.values[49]).toBe(49);
      expect(x.values[50]).toBeNaN();
      expect(x.quality[50]).toBe(4);
      expect(x.values[199]).toBe(199);
      expect(x.quality[200]).toBe(4);
    } else {
      expect([...x.values.subarray(4, 7)]).toEqual([10, 20, 30]);
      expect([...x.quality.subarray(3, 8)]).toEqual([4, 0, 3, 1, 4]);
      expect(x.scaler).toBe(-1);
    }
  });
  expect(seen).toEqual([a, b]);
  expect(await store.intervals.one(a, { quantity: 'energyImport', from: START, to: START + DAY, asOf: START })).toBeUndefined();
});
