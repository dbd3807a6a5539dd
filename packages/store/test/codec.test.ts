import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DayValues,
  packDay,
  packRun,
  packRunQuality,
  type RunHeader,
  unpackDay,
  unpackPlaces,
} from '../src/codec/block.ts';
import { Bytes, DamagedBlock, Varints } from '../src/codec/bytes.ts';
import { packQuality, unpackQuality } from '../src/codec/quality.ts';
import { overlay } from '../src/write/overlay.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const DAY = 86_400_000;

const mantissa = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.integer(),
  fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
);
/** A day with times on a grid (with holes) or anywhere. */
const day: fc.Arbitrary<DayValues> = fc
  .record({
    grid: fc.constantFrom(0, 2000, 10_000, 900_000, 3_600_000),
    values: fc.array(fc.tuple(mantissa, fc.nat(3), fc.nat(DAY - 1)), { minLength: 1, maxLength: 80 }),
    scaler: fc.integer({ min: -6, max: 6 }),
  })
  .map(({ grid, values, scaler }) => {
    const at = new Map(
      values.map(([value, quality, t]) => [grid ? Math.floor(t / grid) * grid : t, { value, quality }]),
    );
    const times = [...at.keys()].sort((a, b) => a - b);
    return {
      times: Float64Array.from(times),
      values: Float64Array.from(times, (t) => at.get(t)?.value as number),
      quality: Uint8Array.from(times, (t) => at.get(t)?.quality as number),
      scaler,
    };
  });

const same = (a: DayValues, b: DayValues): void => {
  expect([...a.times]).toEqual([...b.times]);
  expect([...a.values]).toEqual([...b.values]);
  expect([...(a.quality ?? a.values.map(() => 0))]).toEqual([...(b.quality ?? b.values.map(() => 0))]);
  expect(a.scaler).toBe(b.scaler);
};

describe('block codec', () => {
  it('gives back every day that it packed, with true statistics', () => {
    fc.assert(
      fc.property(day, (d) => {
        const packed = packDay(d);
        same(unpackDay(packed), d);
        expect(packed.n - packed.missing).toBe(d.values.length);
        expect(Number(packed.max)).toBe(Math.max(...d.values));
        expect(BigInt(packed.sum as number)).toBe([...d.values].reduce((sum, v) => sum + BigInt(v), 0n));
      }),
    );
  });

  it('keeps every one of 64 bits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 20 }),
        (values) => {
          const d: DayValues = {
            times: Float64Array.from(values, (_, i) => i * 60_000),
            values: Float64Array.from(values, Number),
            big: BigInt64Array.from(values),
            scaler: 0,
          };
          expect([...(unpackDay(packDay(d)).big ?? [])]).toEqual(values);
        },
      ),
    );
  });

  it('packs a run in bulk into the same bytes', () => {
    const value = fc.oneof(mantissa, fc.constant(Number.NaN));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 96 }),
        fc.array(fc.nat(3), { minLength: 96, maxLength: 96 }),
        (values, quality) => {
          const header: RunHeader = { start: 0, n: 0, missing: 0, sum: 0, max: 0, mixed: false, ok: false };
          const v = new Bytes(4);
          const s = new Bytes(4);
          const run = { values, quality, from: 0, to: values.length, start: 1000, step: 900_000, scaler: -1 };
          packRun(v, run, header);
          const there = values.flatMap((x, i) => (Number.isNaN(x) ? [] : [i]));
          expect(header.n > 0).toBe(there.length > 0);
          if (!header.ok) return;
          packRunQuality(s, run, header);
          const packed = packDay(
            {
              times: Float64Array.from(there, (i) => 1000 + i * 900_000),
              values: Float64Array.from(there, (i) => values[i] as number),
              quality: Uint8Array.from(there, (i) => quality[i] as number),
              scaler: -1,
            },
            900_000,
          );
          expect(header).toMatchObject({
            start: packed.start,
            n: packed.n,
            missing: packed.missing,
            sum: packed.sum,
            max: packed.max,
            mixed: packed.s.length > 0,
          });
          // The same distance is found where it is not given, or a wider one of which it is a multiple.
          if (packed.step === 900_000) {
            expect(v.copy()).toEqual(packed.v);
            expect(s.copy()).toEqual(packed.s);
          }
          const places = new Float64Array(header.n);
          expect(unpackPlaces(v.buffer, 0, v.length, places)).toBe(header.n);
          for (const i of there)
            expect(places[Math.round((1000 + i * 900_000 - header.start) / 900_000)]).toBe(values[i]);
        },
      ),
    );
  });

  it('refuses what is no whole mantissa', () => {
    const header: RunHeader = { start: 0, n: 0, missing: 0, sum: 0, max: 0, mixed: false, ok: false };
    for (const bad of [0.5, -1e-9, Number.POSITIVE_INFINITY])
      expect(() =>
        packRun(new Bytes(), { values: [1, bad], from: 0, to: 2, start: 0, step: 1000, scaler: 0 }, header),
      ).toThrow(RangeError);
    for (const bad of [1e300, 2 ** 63])
      expect(() => packDay({ times: Float64Array.of(0), values: Float64Array.of(bad), scaler: 0 })).toThrow(RangeError);
  });

  it('meets damaged rows with an error, never with a crash or a hang', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 10 }),
        fc.integer({ min: -5, max: 2000 }),
        fc.constantFrom(0, 1000),
        (v, s, n, step) => {
          try {
            unpackDay({ start: 0, step, n, scaler: 0, v, s });
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedBlock);
          }
        },
      ),
    );
  });

  it('takes a byte and a bit per value of a household', () => {
    const values = Float64Array.from({ length: 96 }, (_, i) => Math.round(80 + 40 * Math.sin(i / 15) + (i % 7) * 3));
    const packed = packDay({ times: values.map((_, i) => i * 900_000), values, scaler: 0 });
    expect(packed.v.length).toBeLessThanOrEqual(98);
    expect(packed.s.length).toBe(0);
  });
});

describe('varints', () => {
  it('round trip at any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.nat(),
        (a, b, c) => {
          const out = new Bytes(1);
          out.signed(a);
          out.bigSigned(b);
          out.unsigned(c);
          out.bigSigned(BigInt(a));
          const reader = new Varints(out.copy());
          expect([reader.signed(), reader.bigSigned(), reader.unsigned(), reader.signed()]).toEqual([
            a === 0 ? 0 : a,
            b,
            c,
            a === 0 ? 0 : a,
          ]);
        },
      ),
    );
  });
});

describe('qualities', () => {
  it('round trip, and take nothing when all are measured', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 100 }), (codes) => {
        const out = new Bytes(1);
        packQuality(out, codes, 0, codes.length);
        const back = unpackQuality(out.copy(), codes.length);
        expect(back ? [...back] : codes.map(() => 0)).toEqual(codes);
        expect(out.length === 0).toBe(codes.every((c) => c === 0));
      }),
    );
  });
});

describe('overlay', () => {
  it('is idempotent, keeps all times and lets the newcomer win', () => {
    fc.assert(
      fc.property(day, day, (a, b) => {
        const { day: merged, changes } = overlay(a, b);
        // Beyond 64 bits decimals are given up, and may come back when the value that had no room for them is gone.
        if (merged.scaler === Math.min(a.scaler, b.scaler)) {
          same(overlay(merged, b).day, merged);
          expect(overlay(merged, b).changes).toEqual(changes.filter((c) => c.kept));
        }
        expect([...merged.times]).toEqual([...new Set([...a.times, ...b.times])].sort((x, y) => x - y));
        expect(merged.scaler).toBeGreaterThanOrEqual(Math.min(a.scaler, b.scaler));
        expect(merged.scaler).toBeLessThanOrEqual(Math.max(a.scaler, b.scaler));
        same(unpackDay(packDay(merged)), merged);
      }),
    );
  });
  it('does not undo an edit by a reading that comes again', () => {
    const edited: DayValues = {
      times: Float64Array.of(0),
      values: Float64Array.of(5),
      quality: Uint8Array.of(2),
      scaler: 0,
    };
    const read: DayValues = { times: Float64Array.of(0), values: Float64Array.of(7), scaler: 0 };
    expect([...overlay(edited, read).day.values]).toEqual([5]);
    expect(overlay(edited, read).changes).toMatchObject([{ was: 5, is: 7, kept: true }]);
    expect([...overlay(read, { ...edited }, { edit: true }).day.values]).toEqual([5]);
  });
});

describe('SQL unpacks what was packed here', () => {
  let db: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    db = await createTestDatabase();
    client = new pg.Client(db.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  it('values, times and qualities', async () => {
    const big: DayValues = {
      times: Float64Array.of(5, 700, 1234),
      values: Float64Array.of(0, 0, 0),
      big: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 12n),
      scaler: 0,
    };
    for (const d of [...fc.sample(day, 60), big]) {
      const p = packDay(d);
      const { rows } = await client.query(
        'select amiable.unpack($1, $2)::text[] as v, amiable.unpack_times($1, $2, $3)::float8[] as t, amiable.unpack_quality($4, $2) as q',
        [p.v, p.n, p.step, p.s],
      );
      const { v, t, q } = rows[0] as { v: string[]; t: number[]; q: number[] };
      expect([v.length, t.length]).toEqual([p.n, p.n]);
      const there = v.map((_, i) => i).filter((i) => (q[i] ?? 0) < 4);
      expect(there.map((i) => p.start + (t[i] as number))).toEqual([...d.times]);
      expect(there.map((i) => v[i])).toEqual(Array.from(d.big ?? d.values, String));
      expect(there.map((i) => q[i] ?? 0)).toEqual([...(d.quality ?? d.values.map(() => 0))]);
    }
  });
});
