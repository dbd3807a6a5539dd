/** What validation knows beside a meter's own values: last year, rates, ratios, check meters, references, holidays, marks of rows. */
import { localToUtc } from '@amiable/calendar';
import { intervalRegister, quantityOf } from '@amiable/model';
import { type MeterId, openStore, type RegisterKey, type SeriesData, type Store } from '@amiable/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { withMarks } from '../src/features/validation/beside.ts';
import { validationParameters } from '../src/features/validation/parameters.ts';
import { createPool } from '../src/features/validation/pool.ts';
import { ratiosIn } from '../src/features/validation/ratios.ts';
import { definitionSchema } from '../src/features/validation/rule-sets.ts';
import { runValidation } from '../src/features/validation/run.ts';

const QUARTER = 900_000;
const ZONE = 'Europe/Oslo';
const local = (month: number, day: number, hour = 0, minute = 0, year = 2026): number =>
  localToUtc(ZONE, Date.UTC(year, month - 1, day, hour, minute));
const START = local(9, 1);
const END = local(9, 15);
const LOAD: RegisterKey = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', period: 900 };
const RATES = [1, 2].map(
  (e): RegisterKey => ({ obis: `1-0:1.8.${e}`, name: `activeEnergyImportRate${e}`, unit: 'Wh', period: 86_400 }),
);
const FLAGS: RegisterKey = { obis: '0-0:96.10.1', name: 'profileFlags', period: 900 };
const METERING = intervalRegister(quantityOf('energyImport') as NonNullable<ReturnType<typeof quantityOf>>, 900);
const pool = createPool(0);
const NAMES = ['year', 'rates', 'ratio', 'gap', 'check', 'shape', 'holiday', 'marks'] as const;

let db: TestDatabase;
let store: Store;
let now = END + 6 * 3_600_000;
const meters = {} as Record<(typeof NAMES)[number], MeterId>;
const by = () => ({ who: 'test', at: now });

/** A register that takes `use(i)` in the ith quarter, cumulative. */
function register(use: (i: number, local: number) => number, start = START, end = END): Float64Array {
  const values = new Float64Array((end - start) / QUARTER + 1);
  for (let i = 0, shown = 1000; i < values.length; i++) {
    values[i] = shown;
    shown += use(i, i % 96);
  }
  return values;
}
const at = (time: number): number => (time - START) / QUARTER;
const put = (meter: MeterId, values: Float64Array, key = LOAD, start = START, step = QUARTER) =>
  store.writeBlocks([{ meter, register: key, scaler: 0, start, step, values }]);
async function rulesOf(profile: object[], estimation: object = {}, periodic: object[] = []): Promise<void> {
  const definition = definitionSchema.parse({ rules: { name: 'own', profile, periodic }, estimation });
  await store.validation.rules.put('own', { isDefault: true, definition }, by());
}
const validate = async (meter: MeterId, days = 14, scope: 'all' | number[] = 'all') => {
  now += 60_000;
  const result = await runValidation(
    { store, pool, now: () => now },
    {
      parameters: { ...validationParameters.parse({ days, again: true }), target: { meters: [meter] } },
      scope,
      who: 'anna',
    },
  );
  expect(result.failed).toEqual([]);
  return result;
};
const findings = async (meter: MeterId) =>
  (await store.validation.exceptions.list({ meters: [meter], states: ['open'], scope: 'all', limit: 100 })).exceptions;
const values = async (meter: MeterId, from: number, to: number) => {
  const found = await store.intervals.one(meter, { quantity: 'energyImport', from, to, period: 900 });
  return [...(found?.values ?? [])];
};
const estimates = (meter: MeterId, from: number, to: number) =>
  store.validation.exceptions.estimates(meter, { from, to, limit: 100, scope: 'all' });

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url, migrate: false });
  const made = await store.ensureMeters(NAMES.map((serial) => ({ serial, timeZone: ZONE })));
  for (const name of NAMES) meters[name] = made.get(name) as MeterId;
});
afterAll(async () => {
  await store?.close();
  await db?.drop();
  await pool.close();
});

describe('last year', () => {
  it('is what high and low are compared with, out of the metering of then', async () => {
    const meter = meters.year;
    await put(
      meter,
      register((i) => (i < at(local(9, 8)) ? 10 : 25)),
    );
    await rulesOf([{ name: 'fortnight', check: 'high-low', days: 7, high: 200, low: 50 }]);
    await validate(meter, 7);
    // Beside the week before it is too much.
    expect((await findings(meter)).map(({ sentence }) => sentence)).toEqual([
      expect.stringContaining('the 7 days before'),
    ]);
    const then = local(8, 25, 0, 0, 2025);
    const series: SeriesData = {
      meter,
      register: METERING,
      scaler: -1,
      start: then,
      step: QUARTER,
      values: new Float64Array(25 * 96).fill(240),
      quality: new Uint8Array(25 * 96),
    };
    await store.intervals.write([series], { source: 'test', at: now });
    await validate(meter, 7);
    expect(await findings(meter)).toEqual([]);
    await rulesOf([{ name: 'fortnight', check: 'high-low', days: 7, high: 103, low: 50 }]);
    await validate(meter, 7);
    expect((await findings(meter))[0]).toMatchObject({
      sentence: expect.stringContaining('the same days last year, 2.304 kWh a day'),
      numbers: { daily: 2400, usual: 2304 },
    });
  });
});

describe('rates', () => {
  it('are read beside the total and must make it', async () => {
    const meter = meters.rates;
    const total = register(() => 20);
    await put(meter, total);
    const midnights = (END - START) / 86_400_000 + 1;
    const half = Float64Array.from({ length: midnights }, (_, d) => (total[d * 96] as number) / 2);
    await put(meter, half, RATES[0], START, 86_400_000);
    await put(meter, half, RATES[1], START, 86_400_000);
    await rulesOf([{ name: 'rates', check: 'rates-sum' }], {}, [{ name: 'shown', check: 'rates-sum' }]);
    await validate(meter);
    expect(await findings(meter)).toEqual([]);
    await put(
      meter,
      half.map((v, d) => (d < 9 ? v : v + 50)),
      RATES[1],
      START,
      86_400_000,
    );
    await validate(meter);
    const found = await findings(meter);
    expect(found.find(({ rule }) => rule === 'rates')).toMatchObject({
      from: local(9, 10),
      numbers: { total: 18_280, sum: 18_330 },
    });
    expect(found.some(({ rule }) => rule === 'shown')).toBe(true);
  });
});

describe('ratios of transformers', () => {
  it('hold by their time: rules speak of the point, the metering of the meter', async () => {
    const meter = meters.ratio;
    const change = local(9, 8);
    const point = await store.registry.createNode(
      { kind: 'metering-point', code: 'P', segment: 1, from: START },
      'all',
      by(),
    );
    await store.registry.link({ kind: 'installed', child: meter, parent: point.id, from: START }, 'all', by());
    await store.registry.putRatio(
      { meteringPoint: point.id, kind: 'current', primary: 200, secondary: 5, from: change },
      'all',
      by(),
    );
    // 25 Wh in a quarter are 100 W at the meter, and 4 kW behind the transformers.
    const shown = register(() => 25);
    shown.fill(Number.NaN, at(local(9, 10, 3)) + 1, at(local(9, 10, 4)));
    await put(meter, shown);
    const rules = [
      { name: 'high', check: 'demand-limit', limit: '3 kW', usable: true },
      { name: 'sum', check: 'sum' },
      { name: 'odd', check: 'higher-than', limit: '30 Wh', action: 'user-defined', value: '400 Wh' },
    ];
    await rulesOf(rules.slice(0, 2));
    await validate(meter);
    const found = await findings(meter);
    expect(found.map(({ rule }) => rule)).toEqual(found.map(() => 'high'));
    expect(Math.min(...found.map(({ from }) => from))).toBe(change);
    expect(found[0]?.sentence).toMatch(/1 kWh|4 kW/);
    // Estimates are brought to the register that the meter shows.
    expect(await values(meter, local(9, 10, 3), local(9, 10, 4))).toEqual([25, 25, 25, 25]);
    await rulesOf([...rules.slice(1)]);
    await validate(meter);
    expect((await values(meter, change - QUARTER, change + QUARTER))[0]).toBe(25);
    expect((await values(meter, change - QUARTER, change + QUARTER))[1]).toBe(10);
  });

  it('are cut where any of them changes, and are none where their product is one', () => {
    const ratio = (from: number, to: number | null, multiplier: number) => ({ from, to, multiplier });
    expect(ratiosIn([], 0, 10)).toBeUndefined();
    expect(ratiosIn([ratio(0, null, 1)], 0, 10)).toBeUndefined();
    expect(ratiosIn([ratio(-5, 4, 40), ratio(2, null, 10), ratio(20, 30, 7)], 0, 10)).toEqual([
      ratio(0, 2, 40),
      ratio(2, 4, 400),
      ratio(4, 10, 10),
    ]);
    expect(ratiosIn([ratio(0, 5, 40), ratio(5, null, 40)], 0, 10)).toEqual([ratio(0, 10, 40)]);
  });
});

describe('estimation', () => {
  const [from, to] = [local(9, 10, 8), local(9, 10, 9)];

  it('takes the check meter that an attribute names, and nothing of one of another segment', async () => {
    const { gap, check } = meters;
    await store.registry.putDefinition(
      {
        object: 'meter',
        name: 'checkMeter',
        type: 'text',
        description: null,
        required: false,
        lowest: null,
        highest: null,
        choices: [],
        searchable: false,
      },
      by(),
    );
    await store.registry.patchEntry(gap, { attributes: { checkMeter: 'check' } }, 'all', by());
    const own = register(() => 20);
    // The register after the gap is lost too: nothing says how much it was.
    own.fill(Number.NaN, at(from) + 1);
    await put(gap, own.slice(0, at(from) + 1));
    const later = register(() => 20, to, END);
    await put(gap, later.fill(5, 0, 1), LOAD, to);
    await put(
      check,
      register((i) => 20 + (i % 4)),
    );
    await rulesOf([{ name: 'missing', check: 'missing' }]);
    await validate(check);
    await validate(gap);
    expect(await values(gap, from, to)).toEqual([20, 21, 22, 23]);
    expect((await estimates(gap, from, to))[0]).toMatchObject({ method: 'check-meter' });
    expect(await store.validation.rules.idsOf(['check'], [4711])).toEqual(new Map());
  });

  it('takes the shape of a reference, and holidays for like days', async () => {
    const { shape, holiday } = meters;
    await put(
      shape,
      register((i) => 10 + 2 * (i % 4)),
    );
    await rulesOf([]);
    await validate(shape);
    // Thursday 10 September is a holiday, and the one before it was; both are unlike other days.
    const day = (i: number): boolean => i >= at(local(9, 10)) && i < at(local(9, 11));
    const before = (i: number): boolean => i >= at(local(9, 2)) && i < at(local(9, 3));
    const use = (i: number): number => (day(i) || before(i) ? 80 : 20 + 4 * (i % 4));
    const own = register(use);
    const cut = own.slice(0, at(from) + 1);
    await put(holiday, cut);
    // The exchange of the meter in the gap: the registers do not say how much it was.
    await put(
      holiday,
      register((i) => use(i + at(local(9, 10, 20))), local(9, 10, 20), END),
      LOAD,
      local(9, 10, 20),
    );
    const [a, b] = [local(9, 10, 10), local(9, 10, 11)];
    await rulesOf([], { long: ['reference-profile'], reference: { meter: shape, quantity: 'energyImport' } });
    await validate(holiday);
    expect(await values(holiday, a, b)).not.toContain(80);
    expect((await estimates(holiday, a, b))[0]).toMatchObject({ method: 'reference-profile' });
    await rulesOf([], {
      long: ['like-day'],
      days: 1,
      holidays: [{ date: '09-02' }, { date: '2026-09-10', name: 'once' }],
    });
    await validate(holiday);
    expect(await values(holiday, a, b)).toEqual([80, 80, 80, 80]);
    expect((await estimates(holiday, a, b))[0]).toMatchObject({
      method: 'like-day',
      sentence: expect.stringContaining('holiday'),
    });
    expect(() =>
      definitionSchema.parse({ rules: { name: 'x' }, estimation: { holidays: [{ easter: 300 }] } }),
    ).toThrow();
  });
});

describe('marks of rows', () => {
  it('are found by the rules and make no endpoints of estimates', async () => {
    const meter = meters.marks;
    const shown = register(() => 20);
    const [from, to] = [local(9, 10, 8), local(9, 10, 9)];
    shown.fill(Number.NaN, at(from) + 1, at(to));
    await put(meter, shown);
    const stamps = [from, to + QUARTER, local(9, 11, 6), local(9, 12, 6)];
    const series: SeriesData = { meter, register: FLAGS, scaler: 0, times: stamps, values: [0x20, 0x20, 0x02, 0x01] };
    await store.writeBlocks([series]);
    // Out of the log: one that a rule names, and one that none does.
    const logged = { meter, source: 'standard', catalogue: 'dlms', ordinal: 0 } as const;
    await store.events.write(
      [
        { ...logged, time: local(9, 13, 6, 5), code: 12 },
        { ...logged, time: local(9, 13, 7, 5), code: 13 },
      ],
      now,
    );
    await rulesOf([
      { name: 'clock', check: 'clock', severity: 'error' },
      { name: 'marked', check: 'event', events: ['critical-error', 'power-failure', 'program-memory-error'] },
    ]);
    await validate(meter);
    const found = (await findings(meter)).map(({ rule, from: since }) => [rule, since]);
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        ['clock', local(9, 11, 5, 45)],
        ['marked', from - QUARTER],
        ['marked', to],
        ['marked', local(9, 12, 5, 45)],
        ['marked', local(9, 13, 6)],
      ]),
    );
    expect((await estimates(meter, from, to))[0]).toMatchObject({ method: 'outage', scaled: true });
  });

  it('are power failures, wrong clocks and events of the interval that ends at their stamp', () => {
    const task = { context: START, period: 900 };
    const marks = {
      times: Float64Array.of(START + QUARTER, START + 3 * QUARTER + 5000),
      values: Float64Array.of(0x20 | 0x04, 0x02),
    };
    const outage = { from: START + 10 * QUARTER, to: START + 11 * QUARTER };
    expect(withMarks({ outages: [outage] }, marks, task)).toEqual({
      outages: [{ from: START + 1, to: START + QUARTER }, outage],
      clock: [{ from: START + 2 * QUARTER, to: START + 3 * QUARTER }],
      events: [
        { from: START, to: START + QUARTER, event: 'value-disturbed' },
        { from: START, to: START + QUARTER, event: 'power-failure' },
      ],
    });
  });
});
