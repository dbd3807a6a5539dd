import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../src/index.ts';
import { news, onGrid } from '../src/prices/cover.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const H = 3_600_000;
const Q = H / 4;
const T = Date.UTC(2026, 10, 19, 23);
const NOON = Date.UTC(2026, 10, 19, 12);

let db: TestDatabase;
let store: Store;
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
});
afterAll(async () => {
  await store.close();
  await db.drop();
});
const hours = (values: readonly number[], start = T) => ({
  start,
  step: H,
  values: Float64Array.from(values),
  scaler: -2,
});

describe('prices in the store', () => {
  it('knows what is new, what changed, and what was known when', async () => {
    await store.prices.put({ name: 'NO1', currency: 'EUR', unit: 'MWh', description: null });
    const first = { source: 'day-ahead', at: NOON };
    expect(await store.prices.write('NO1', hours([4210, 3990, Number.NaN, 4050]), first)).toEqual({
      fresh: 3,
      changed: 0,
    });
    expect(
      await store.prices.write('NO1', hours([4210, 3990, 4000, 4100]), { source: 'corrected', at: NOON + H }),
    ).toEqual({
      fresh: 1,
      changed: 1,
    });
    expect(
      await store.prices.write('NO1', hours([4210, 3990, 4000, 4100]), { source: 'again', at: NOON + 2 * H }),
    ).toEqual({
      fresh: 0,
      changed: 0,
    });
    const now = await store.prices.read('NO1', { from: T, to: T + 4 * H, step: H });
    expect(now).toMatchObject({ start: T, step: H, scaler: -2, currency: 'EUR', unit: 'MWh' });
    expect([...(now?.values ?? [])]).toEqual([4210, 3990, 4000, 4100]);
    const then = await store.prices.read('NO1', { from: T, to: T + 4 * H, step: H, asOf: NOON });
    expect([...(then?.values ?? [])]).toEqual([4210, 3990, Number.NaN, 4050]);
    const quarters = await store.prices.read('NO1', { from: T + Q, to: T + 6 * Q, step: Q });
    expect([...(quarters?.values ?? [])]).toEqual([4210, 4210, 4210, 3990, 3990]);
    expect(
      (await store.prices.history('NO1', { from: T + 3 * H, to: T + 4 * H, limit: 10 })).map((p) => p.source),
    ).toEqual(['corrected', 'day-ahead']);
    expect(await store.prices.read('nothing', { from: T, to: T + H, step: H })).toBeUndefined();
  });

  it('lets one writer after the other see what the one before wrote', async () => {
    await store.prices.put({ name: 'NO2', currency: 'NOK', unit: 'kWh', description: 'south' });
    const written = await Promise.all(
      [1, 2, 3].map(() => store.prices.write('NO2', hours([1, 2, 3]), { source: 'x', at: NOON })),
    );
    expect(written.reduce((n, w) => n + w.fresh, 0)).toBe(3);
    expect(await store.prices.history('NO2', { from: T, to: T + 3 * H, limit: 10 })).toHaveLength(3);
  });

  it('refuses what cannot be', async () => {
    const how = { source: 'x', at: NOON };
    await expect(store.prices.write('none', hours([1]), how)).rejects.toThrow('there is no series of prices "none"');
    await expect(store.prices.write('NO2', hours([1.5]), how)).rejects.toThrow('no whole mantissa');
    await expect(store.prices.put({ name: 'NO2', currency: 'EUR', unit: 'kWh', description: null })).rejects.toThrow(
      'NO2 has prices in NOK for one kWh',
    );
    await expect(store.prices.put({ name: 'X', currency: 'kr', unit: 'kWh', description: null })).rejects.toThrow(
      'no currency',
    );
    const span = { from: T, to: T + H, mantissa: 1, scaler: 0 };
    await expect(store.prices.writeSpans('NO2', [span, { ...span, from: T + Q }], how)).rejects.toThrow(
      'two prices are given',
    );
    await expect(store.prices.writeSpans('NO2', [{ ...span, to: T }], how)).rejects.toThrow('to a later one');
    await expect(store.prices.read('NO2', { from: 0, to: 1e13, step: 1000 })).rejects.toThrow('shorter time');
  });

  it('keeps sources, and their keys apart', async () => {
    const { sources } = store.prices;
    await sources.put({ name: 'se', series: 'NO2', definition: { url: 'https://prices.example/' } });
    expect(await sources.putSecret('se', Uint8Array.of(1, 2))).toBe(true);
    expect(await sources.putSecret('none', null)).toBe(false);
    await sources.put({ name: 'se', series: 'NO1', definition: {} });
    await sources.tried('se', NOON, 'fetched', true);
    expect(await sources.get('se')).toEqual({
      name: 'se',
      series: 'NO1',
      definition: {},
      hasSecret: true,
      triedAt: NOON,
      outcome: 'fetched',
      good: true,
    });
    expect([...((await sources.secret('se')) ?? [])]).toEqual([1, 2]);
    expect(await sources.remove('se')).toBe(true);
    expect(await sources.list()).toEqual([]);
  });
});

describe('prices over each other', () => {
  const span = (from: number, to: number, mantissa: number, scaler = -2) => ({ from, to, mantissa, scaler });

  it('gives the mean of the parts of a coarser interval, and nothing where one lacks', () => {
    const quarters = [10, 11, 12, 14].map((m, i) => span(i * Q, (i + 1) * Q, m));
    expect(onGrid(quarters, 0, H, H)).toEqual({ start: 0, step: H, scaler: -8, values: Float64Array.of(11_750_000) });
    expect(onGrid(quarters.slice(1), 0, H, H).values).toEqual(Float64Array.of(Number.NaN));
    expect(onGrid([span(0, H, 5, -1), span(Q, 2 * Q, 51)], 0, H, Q)).toEqual({
      start: 0,
      step: Q,
      scaler: -2,
      values: Float64Array.of(50, 51, 50, 50),
    });
  });

  it('takes one price in other digits for the same', () => {
    expect(news([span(0, H, 5, -1)], [span(0, H, 500, -3)])).toEqual({ add: [], fresh: 0, changed: 0 });
    expect(news([span(0, H, 5, -1)], [span(Q, H, 501, -3)])).toMatchObject({ fresh: 0, changed: 1 });
  });

  it('agrees with painting quarter by quarter, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: -99, max: 999 })),
          {
            maxLength: 12,
          },
        ),
        (rows) => {
          const painted = new Float64Array(30).fill(Number.NaN);
          for (const [at, length, value] of rows) painted.fill(value, at, at + length);
          const found = onGrid(
            rows.map(([at, length, value]) => span(at * Q, (at + length) * Q, value)),
            0,
            30 * Q,
            Q,
          );
          expect(found.values).toEqual(painted);
        },
      ),
      { numRuns: 60 },
    );
  });
});
