import { MisuseError } from '@amiable/bytes';
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edit, type IntervalQuery, NotThere, openStore, type SeriesData, type Store } from '../src/index.ts';
import { packRuns, unpackRuns } from '../src/intervals/runs.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { HistoryModel, RANK, type State } from './intervals-model.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const Q = 900_000;
const START = Date.UTC(2026, 10, 2);
const ENERGY = quantityOf('energyImport') as Quantity;
const QUARTERS = intervalRegister(ENERGY, 900);

let db: TestDatabase;
let store: Store;
let meters: string[];
let used = 0;
const RUNS = Number(process.env.AMIABLE_RUNS ?? 15);
/** A meter of the test's own. */
const fresh = (): string => meters[used++] as string;

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  const made = await store.ensureMeters(Array.from({ length: RUNS + 100 }, (_, i) => ({ serial: `H${i}` })));
  meters = [...made.values()];
});
afterAll(async () => {
  await store.close();
  await db.drop();
});

const series = (
  meter: string,
  start: number,
  values: readonly number[],
  quality?: SeriesData['quality'],
  scaler = 0,
): SeriesData => ({
  meter,
  register: QUARTERS,
  scaler,
  start,
  step: Q,
  values: Float64Array.from(values),
  ...(quality === undefined ? {} : { quality }),
});
const how = (at: number, replace = false) => ({ source: 'validation', at, ...(replace ? { replace } : {}) });
const day = (asOf?: number): IntervalQuery => ({
  quantity: 'energyImport',
  from: START,
  to: START + DAY,
  ...(asOf === undefined ? {} : { asOf }),
});
const firsts = async (meter: string, n: number, asOf?: number): Promise<(string | number)[]> => {
  const found = await store.intervals.one(meter, day(asOf));
  if (!found) return [];
  return [...found.values.subarray(0, n)].map((value, i) =>
    Number.isNaN(value) ? '-' : `${value * 10 ** found.scaler} ${RANK[found.quality[i] as number]}`,
  );
};

describe('reading', () => {
  it('gives many meters in order, each on the whole grid of the time asked for', async () => {
    const [a, b, c] = [fresh(), fresh(), fresh()];
    const done = await store.intervals.write(
      [
        series(
          b,
          START,
          Array.from({ length: 200 }, (_, i) => (i === 50 ? Number.NaN : i)),
        ),
        series(a, START + 4 * Q, [10, 20, 30], ['measured', 'estimated', 'calculated'], -1),
      ],
      how(START + 10 * DAY),
    );
    expect(done).toEqual({ inserted: 4, changed: 0, duplicates: 0, values: 202, kept: 0, replaced: 0 });
    const seen: string[] = [];
    await store.intervals.read(
      [c, b, a, b],
      { quantity: 'energyImport', from: START + 1, to: START + 3 * DAY },
      (x) => {
        seen.push(x.meter);
        expect(x).toMatchObject({ start: START + Q, step: Q, unit: 'Wh', version: 1 });
        expect(x.values.length).toBe(287);
        if (x.meter === b) {
          expect([...x.values.subarray(47, 51)]).toEqual([48, 49, Number.NaN, 51]);
          expect([...x.quality.subarray(48, 51)]).toEqual([0, 4, 0]);
          expect([x.values[198], x.quality[199], x.values[199]]).toEqual([199, 4, Number.NaN]);
        } else {
          expect([...x.values.subarray(2, 7)]).toEqual([Number.NaN, 10, 20, 30, Number.NaN]);
          expect([...x.quality.subarray(2, 7)]).toEqual([4, 0, 3, 1, 4]);
          expect(x.scaler).toBe(-1);
        }
      },
    );
    expect(seen).toEqual([a, b]);
    const everybody: string[] = [];
    await store.intervals.read('all', day(), (x) => {
      everybody.push(x.meter);
    });
    expect(everybody).toEqual(expect.arrayContaining([a, b]));
    expect(await store.intervals.one(c, day())).toBeUndefined();
    await expect(store.intervals.one(c, day(), [77])).rejects.toThrow(NotThere);
    await expect(store.intervals.one(c, { ...day(), to: START })).rejects.toThrow(MisuseError);
  });

  it('takes the finest series that there is, and local hours and days where they stand', async () => {
    const meter = fresh();
    const hours = intervalRegister(ENERGY, 3600);
    const days = intervalRegister(quantityOf('gasVolume') as Quantity, 86_400);
    // Half past in UTC, as in Kolkata; local days of Oslo around the end of summer time.
    const midnights = [0, 1, 2, 3].map((d) => Date.UTC(2026, 9, 23 + d, d < 3 ? 22 : 23));
    await store.intervals.write(
      [
        { meter, register: hours, scaler: 0, start: START + HOUR / 2, step: HOUR, values: [1, 2, 3] },
        { meter, register: days, scaler: -2, times: midnights, values: [100, 200, 250, 300] },
      ],
      how(START + DAY),
    );
    expect(await store.intervals.one(meter, day())).toMatchObject({ step: HOUR, start: START + HOUR / 2 });
    const gas = await store.intervals.one(meter, {
      quantity: 'gasVolume',
      from: midnights[0] as number,
      to: (midnights[3] as number) + DAY,
    });
    expect([...(gas?.values ?? [])]).toEqual([100, 200, 250, 300]);
    await store.intervals.write([series(meter, START, [5])], how(START + DAY));
    expect(await store.intervals.one(meter, day())).toMatchObject({ step: Q, start: START });
    const coarse = await store.intervals.one(meter, { ...day(), period: 3600 });
    expect([...(coarse?.values.subarray(0, 4) ?? [])]).toEqual([1, 2, 3, Number.NaN]);
    expect(await store.intervals.list(meter)).toMatchObject([
      { quantity: 'energyImport', period: 900, unit: 'Wh', first: START, last: START },
      { quantity: 'energyImport', period: 3600 },
      { quantity: 'gasVolume', period: 86_400, unit: 'm3', obis: '7-0:3.29.0' },
    ]);
  });
});

describe('writing', () => {
  it('lets the better value stand and says what it was', async () => {
    const meter = fresh();
    await store.intervals.write(
      [series(meter, START, [10, 20, 30, 40], ['estimated', 'measured', 'calculated', 'edited'])],
      how(1e12),
    );
    // Measured ones over all but the edit; an estimate over neither.
    expect(await store.intervals.write([series(meter, START, [11, 21, 31, 41])], how(1e12 + 1))).toMatchObject({
      changed: 1,
      replaced: 3,
      kept: 1,
    });
    expect(await firsts(meter, 4)).toEqual(['11 measured', '21 measured', '31 measured', '40 edited']);
    const estimates = new Uint8Array(4).fill(3);
    expect(await store.intervals.write([series(meter, START, [1, 2, 3, 4], estimates)], how(1e12 + 2))).toMatchObject({
      changed: 0,
      kept: 4,
    });
    // Who judges anew may.
    await store.intervals.write([series(meter, START, [1, 21, 3, 4], estimates)], how(1e12 + 3, true));
    expect(await firsts(meter, 4)).toEqual(['1 estimated', '21 estimated', '3 estimated', '40 edited']);
    const states = await store.intervals.states(meter, { quantity: 'energyImport', from: START, to: START + Q }, 9);
    expect(states).toMatchObject([
      { value: 1, quality: 'estimated', source: 'validation', at: 1e12 + 3, kept: false },
      { value: 11, quality: 'measured', at: 1e12 + 1 },
      { value: 10, quality: 'estimated', source: 'estimation', at: 1e12 },
    ]);
    // What came to the edit and did not count is told once.
    await store.intervals.write([series(meter, START + 3 * Q, [41])], how(1e12 + 4));
    const edited = await store.intervals.states(
      meter,
      { quantity: 'energyImport', from: START + 3 * Q, to: START + 4 * Q },
      9,
    );
    expect(edited.map((s) => [s.value, s.kept])).toEqual([
      [41, true],
      [40, false],
    ]);
  });

  it('takes away, takes back, and knows every moment', async () => {
    const meter = fresh();
    const missing = ['missing'] as const;
    await store.intervals.write([series(meter, START, [10, 20])], how(1e12));
    await store.intervals.write([series(meter, START, [Number.NaN], missing)], how(1e12 + 1));
    await store.intervals.write([series(meter, START, [Number.NaN, 200], ['measured', 'measured'], -1)], how(1e12 + 2));
    await store.intervals.write([series(meter, START + Q, [Number.NaN], missing)], how(1e12 + 3));
    expect(await store.intervals.one(meter, day())).toBeUndefined();
    await store.intervals.write([series(meter, START, [125, 20, 7], undefined, -1)], how(1e12 + 4));
    expect(await firsts(meter, 4)).toEqual(['12.5 measured', '2 measured', '0.7000000000000001 measured', '-']);
    expect(await firsts(meter, 2, 1e12 + 3)).toEqual([]);
    expect(await firsts(meter, 2, 1e12 + 2)).toEqual(['-', '20 measured']);
    expect(await firsts(meter, 2, 1e12 + 1)).toEqual(['-', '20 measured']);
    expect(await firsts(meter, 2, 1e12)).toEqual(['10 measured', '20 measured']);
    expect(await firsts(meter, 2, 1e12 - 1)).toEqual([]);
    const states = await store.intervals.states(meter, { quantity: 'energyImport', from: START, to: START + Q }, 9);
    expect(states.map((s) => [s.value, s.scaler, s.quality, s.at])).toEqual([
      [125, -1, 'measured', 1e12 + 4],
      [null, 0, 'missing', 1e12 + 1],
      [10, 0, 'measured', 1e12],
    ]);
  });

  it('refuses what is no metering', async () => {
    const meter = fresh();
    const wrong: [Partial<SeriesData>, RegExp][] = [
      [{ register: { name: 'energyImport', period: 900 } }, /no register of a metering/],
      [{ step: 60_000 }, /every 60 s for a metering of 900 s/],
      [{ values: [1.5] }, /no whole mantissa/],
      [{ values: [2 ** 52] }, /no whole mantissa/],
      [{ quality: ['measured', 'measured'] }, /2 qualities for 1 values/],
      [{ values: BigInt64Array.of(1n) }, /numbers/],
    ];
    for (const [change, text] of wrong)
      await expect(store.intervals.write([{ ...series(meter, START, [1]), ...change }], how(1e12))).rejects.toThrow(
        text,
      );
    expect(await store.intervals.list(meter)).toEqual([]);
  });

  it('tells what depends on values which of them changed', async () => {
    const [a, b] = [fresh(), fresh()];
    const since = 1.1e12;
    const query = { since, from: START, to: START + 5 * DAY, meters: [a, b] };
    await store.intervals.write([series(a, START, new Array(96 * 2).fill(1)), series(b, START, [1])], how(1e12));
    expect(await store.intervals.changedSince(query)).toEqual([]);
    // A change, an arrival, a new day.
    await store.intervals.write([series(a, START + 3 * Q, [2])], how(since));
    await store.intervals.write([series(b, START + 3 * Q, [2]), series(b, START + 4 * DAY, [2])], how(since + 5));
    const both = [
      { meter: a, quantity: 'energyImport', period: 900, days: [START], latest: since },
      { meter: b, quantity: 'energyImport', period: 900, days: [START, START + 4 * DAY], latest: since + 5 },
    ];
    expect(await store.intervals.changedSince(query)).toEqual(both);
    expect(await store.intervals.changedSince({ ...query, meters: 'all' })).toEqual(expect.arrayContaining(both));
    // What was committed late is told again, what is long past is not.
    expect(await store.intervals.changedSince({ ...query, since: since + 600_000 })).toEqual(both);
    expect(await store.intervals.changedSince({ ...query, since: since + 600_006 })).toEqual([]);
    expect(await store.intervals.changedSince({ ...query, quantities: ['energyExport'] })).toEqual([]);
  });
});

describe('edits', () => {
  const edit = (meter: string, values: readonly (number | null)[], more: object = {}) => ({
    meter,
    quantity: 'energyImport',
    from: START,
    to: START + values.length * Q,
    values,
    scaler: 0,
    reason: 'read off the display',
    ...more,
  });

  it('are applied with a reason, stay over readings, and are undone to what was there', async () => {
    const meter = fresh();
    await store.intervals.write([series(meter, START, [10, 20, 30], ['measured', 'estimated', 'measured'])], how(1e12));
    const [made] = (await store.intervals.edit([edit(meter, [15, 25, null, 45])], 'anna', 1e12 + 1, false)) as [Edit];
    expect(made).toMatchObject({ state: 'applied', by: 'anna', period: 900, unit: 'Wh', decidedBy: null });
    expect(await firsts(meter, 4)).toEqual(['15 edited', '25 edited', '-', '45 edited']);
    // The real value of the estimated one comes, and the one that was taken away comes again.
    await store.intervals.write([series(meter, START, [10, 21, 30])], how(1e12 + 2, true));
    expect(await firsts(meter, 4)).toEqual(['15 edited', '25 edited', '-', '45 edited']);
    await expect(store.intervals.undo(made.id, 'anna', ' ', 1e12 + 3)).rejects.toThrow('say why');
    const undone = await store.intervals.undo(made.id, 'per', 'wrong meter', 1e12 + 3);
    expect(undone).toMatchObject({ state: 'undone', undoneBy: 'per', undoReason: 'wrong meter', undoneAt: 1e12 + 3 });
    expect(await firsts(meter, 4)).toEqual(['10 measured', '21 measured', '30 measured', '-']);
    expect(await firsts(meter, 4, 1e12 + 2)).toEqual(['15 edited', '25 edited', '-', '45 edited']);
    await expect(store.intervals.undo(made.id, 'per', 'again', 1e12 + 4)).rejects.toThrow('it is undone');
    const states = await store.intervals.states(
      meter,
      { quantity: 'energyImport', from: START + Q, to: START + 2 * Q },
      9,
    );
    expect(states.map((s) => [s.value, s.quality, s.source, s.user, s.reason, s.kept])).toEqual([
      [21, 'measured', 'undo', null, `came while edit ${made.id} stood`, false],
      [20, 'estimated', 'undo', 'per', 'wrong meter', false],
      [21, 'measured', 'validation', null, null, true],
      [25, 'edited', 'edit', 'anna', 'read off the display', false],
      [20, 'estimated', 'estimation', null, null, false],
    ]);
  });

  it('wait for another person where two are asked for', async () => {
    const meter = fresh();
    expect(await store.intervals.twoPersons()).toBe(false);
    await store.intervals.setTwoPersons(true, 'root', 1e12);
    expect(await store.intervals.twoPersons()).toBe(true);
    await store.intervals.write([series(meter, START, [1, 2])], how(1e12));
    const [a, b] = (await store.intervals.edit(
      [edit(meter, [9]), edit(meter, [7], { from: START + Q, to: START + 2 * Q })],
      'anna',
      1e12 + 1,
      true,
    )) as [Edit, Edit];
    expect(await firsts(meter, 2)).toEqual(['1 measured', '2 measured']);
    await expect(store.intervals.decide(a.id, true, 'anna', 1e12 + 2)).rejects.toThrow('another person');
    expect(await store.intervals.decide(a.id, true, 'per', 1e12 + 2)).toMatchObject({ decidedBy: 'per' });
    // Who made it may withdraw it.
    expect(await store.intervals.decide(b.id, false, 'anna', 1e12 + 3)).toMatchObject({ state: 'refused' });
    await expect(store.intervals.decide(a.id, false, 'per', 1e12 + 4)).rejects.toThrow('it is applied');
    expect(await firsts(meter, 2)).toEqual(['9 edited', '2 measured']);
    const own = { meter, limit: 10, scope: 'all' } as const;
    expect((await store.intervals.edits(own)).map((e) => e.id)).toEqual([b.id, a.id]);
    expect((await store.intervals.edits({ ...own, state: 'applied' })).map((e) => e.id)).toEqual([a.id]);
    expect((await store.intervals.edits({ ...own, after: b.id })).map((e) => e.id)).toEqual([a.id]);
    expect(await store.intervals.edits({ ...own, scope: [77] })).toEqual([]);
    expect(await store.intervals.oneEdit(a.id, [77])).toBeUndefined();
    await expect(store.intervals.undo(a.id, 'x', 'y', 1e12 + 5, [77])).rejects.toThrow(NotThere);
  });

  it('are all made or none', async () => {
    const meter = fresh();
    await store.intervals.write([series(meter, START, [1, 2])], how(1e12));
    const wrong: [object, RegExp][] = [
      [{ reason: '  ' }, /say why/],
      [{ reason: 'x'.repeat(1001) }, /up to 1000/],
      [{ values: [1, 2] }, /2 values for 1 intervals/],
      [{ from: START + 1 }, /not on the grid of 900 s/],
      [{ to: START }, /before/],
      [{ to: START + 40_001 * Q }, /up to 40000 values/],
      [{ values: [0.5] }, /no whole mantissa/],
      [{ scaler: 99 }, /scaler/],
      [{ quantity: 'moonlight' }, /no metering moonlight/],
      [{ period: 60 }, /no metering energyImport of 60 s/],
    ];
    for (const [change, text] of wrong)
      await expect(
        store.intervals.edit([edit(meter, [5]), { ...edit(meter, [5]), ...change }], 'anna', 1e12 + 1, false),
      ).rejects.toThrow(text);
    await expect(store.intervals.edit([edit(meter, [5])], 'anna', 1e12, false, [77])).rejects.toThrow(NotThere);
    await expect(store.intervals.edit([], 'anna', 1e12, false)).rejects.toThrow('no edit');
    expect(await firsts(meter, 2)).toEqual(['1 measured', '2 measured']);
    expect(await store.intervals.edits({ meter, limit: 10, scope: 'all' })).toEqual([]);
  });
});

describe('the history', () => {
  const SLOTS = 8;
  const first = START + DAY - 4 * Q;
  const state = fc.record({ value: fc.integer({ min: 0, max: 4 }), quality: fc.constantFrom(...RANK) });
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constant('write' as const),
        from: fc.nat(SLOTS - 1),
        states: fc.array(fc.option(state), { minLength: 1, maxLength: SLOTS }),
        replace: fc.boolean(),
        fine: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('edit' as const),
        from: fc.nat(SLOTS - 1),
        values: fc.array(fc.option(fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 4 }),
        waits: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('decide' as const), which: fc.nat(), yes: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('undo' as const), which: fc.nat() }) },
  );

  it('is that of a map from times to states, whatever is written, edited and undone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), fc.array(fc.nat(14)), async (steps, asked) => {
        const meter = fresh();
        const model = new HistoryModel();
        const ids: string[] = [];
        let at = 1.2e12;
        const clock = (): number => {
          at += 1000;
          return at;
        };
        // There is a metering to edit.
        await store.intervals.write([series(meter, first - 5 * DAY, [1])], how(at));
        for (const s of steps) {
          if (s.what === 'write') {
            const came = new Map<number, State | 'gone'>();
            const values: number[] = [];
            const quality: (State['quality'] | undefined)[] = [];
            s.states.slice(0, SLOTS - s.from).forEach((one, i) => {
              values.push(!one || one.quality === 'missing' ? Number.NaN : one.value * (s.fine ? 10 : 1));
              quality.push(one?.quality);
              if (one) came.set(s.from + i, one.quality === 'missing' ? 'gone' : { ...one, value: one.value * 10 });
            });
            const time = clock();
            await store.intervals.write(
              [series(meter, first + s.from * Q, values, quality, s.fine ? -1 : 0)],
              how(time, s.replace),
            );
            model.write(came, s.replace, time);
          } else if (s.what === 'edit') {
            const values = s.values.slice(0, SLOTS - s.from);
            const time = clock();
            const from = first + s.from * Q;
            const [made] = await store.intervals.edit(
              [{ meter, quantity: 'energyImport', from, to: from + values.length * Q, values, scaler: 0, reason: 'r' }],
              'anna',
              time,
              s.waits,
            );
            ids.push(made?.id as string);
            model.edit(
              s.from,
              values.map((v) => (v === null ? null : v * 10)),
              s.waits,
              time,
            );
          } else {
            const wanted = s.what === 'decide' ? 'waiting' : 'applied';
            const open = model.edits.flatMap((e, i) => (e.state === wanted ? [i] : []));
            const which = open[s.which % Math.max(open.length, 1)];
            if (which === undefined) continue;
            const time = clock();
            const id = ids[which] as string;
            if (s.what === 'decide') {
              await store.intervals.decide(id, s.yes, 'per', time);
              model.decide(which, s.yes, time);
            } else if (model.undo(which, time)) await store.intervals.undo(id, 'per', 'r', time);
            else await expect(store.intervals.undo(id, 'per', 'r', time)).rejects.toThrow('undo that one first');
          }
        }
        const query = { quantity: 'energyImport', from: first, to: first + SLOTS * Q };
        const moments = [...new Set(asked.map((k) => 1.2e12 + k * 1000 + (k % 3) - 1)), undefined];
        for (const asOf of moments) {
          const found = await store.intervals.one(meter, { ...query, ...(asOf === undefined ? {} : { asOf }) });
          const seen = new Map<number, State>();
          found?.values.forEach((value, i) => {
            if (!Number.isNaN(value))
              seen.set(i, {
                value: Math.round(value * 10 ** (found.scaler + 1)),
                quality: RANK[found.quality[i] as number] as State['quality'],
              });
          });
          expect([...seen], `as of ${asOf}`).toEqual(
            [...(asOf === undefined ? model.now : model.asOf(asOf))].sort(([a], [b]) => a - b),
          );
        }
        // The states of each value, read forwards, are what it was at each of their times.
        for (const s of await store.intervals.states(meter, query, 1000)) {
          if (s.kept || s.at === null) continue;
          const then = model.asOf(s.at).get((s.time - first) / Q);
          if (s.source === 'undo' && s.reason === 'r') continue;
          expect(then?.value ?? null).toBe(s.value === null ? null : Math.round(s.value * 10 ** (s.scaler + 1)));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps when values came in twenty bytes a run', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(95), { minLength: 1 }), fc.uniqueArray(fc.nat(95)), (some, others) => {
        const arrived = some.map((k) => k * Q).sort((a, b) => a - b);
        const all = [...new Set([...some, ...others])].map((k) => k * Q).sort((a, b) => a - b);
        const runs = unpackRuns(packRuns(arrived, all, 1.7e12, 12));
        const covered = all.filter((t) => runs.some((r) => t >= r.from && t <= r.to));
        expect(covered).toEqual(arrived);
        expect(runs.every((r) => r.at === 1.7e12 && r.after === 12)).toBe(true);
      }),
    );
  });
});
