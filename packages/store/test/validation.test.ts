/** What is to be validated, out of headers alone; findings, states and rule sets as they are kept. */
import { QUALITY } from '@amiable/compute';
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type RegisterKey, type Store, type ValidationOutcome, type ValidationTask } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const DAY = 86_400_000;
const QUARTER = 900_000;
const FROM = Date.UTC(2026, 9, 5);
const TO = Date.UTC(2026, 9, 9);
const NOW = Date.UTC(2026, 9, 9, 6);
const IMPORT = quantityOf('energyImport') as Quantity;
const LOAD: RegisterKey = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', period: 900 };
const PROFILE: RegisterKey = { obis: '1-0:1.29.0', name: 'activeEnergyImportInterval', unit: 'Wh', period: 900 };
const POWER: RegisterKey = { obis: '1-0:1.5.0', name: 'activePowerImportMean', unit: 'W', period: 900 };

let db: TestDatabase;
let store: Store;
let ids: string[];
let held = { ruleSet: 1, version: 1 };

const plan = async (meter: string, more: object = {}): Promise<ValidationTask[]> =>
  store.validation.plan({
    meters: await store.validation.rules.meters([meter]),
    quantities: [IMPORT],
    from: FROM,
    to: TO,
    rulesOf: () => held,
    ...more,
  });
const fill = (meter: string, register: RegisterKey, start: number, n: number, first = 0, scaler = 0) =>
  store.writeBlocks([
    {
      meter,
      register,
      scaler,
      start,
      step: QUARTER,
      values: Float64Array.from({ length: n }, (_, i) => first + i * 10),
    },
  ]);
const outcomeOf = (task: ValidationTask, findings: ValidationOutcome['findings'] = []): ValidationOutcome => {
  const n = (task.to - task.from) / QUARTER;
  const intervals = {
    start: task.from,
    step: QUARTER,
    scaler: 0,
    values: new Float64Array(n).fill(10),
    quality: new Uint8Array(n).fill(QUALITY.measured),
  };
  return { ...task, intervals, findings, estimates: [] };
};
const finding = (from: number, rule = 'high') => ({
  rule,
  check: 'higher-than',
  severity: 'warning' as const,
  from,
  to: from + QUARTER,
  sentence: `it is high at ${from}`,
  numbers: { value: 1 },
  action: 'unchanged' as const,
  usable: true,
});

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url, migrate: false });
  const made = await store.ensureMeters(['A', 'B', 'C', 'D'].map((serial) => ({ serial, timeZone: 'UTC' })));
  ids = [...made.values()];
});
afterAll(async () => {
  await store?.close();
  await db?.drop();
});

describe('a plan', () => {
  it('has the days that changed, and none twice', async () => {
    const [a = ''] = ids;
    await fill(a, LOAD, FROM, 4 * 96 + 1);
    const tasks = await plan(a);
    expect(tasks).toMatchObject([{ kind: 'register', period: 900, from: FROM, to: TO, stored: undefined }]);
    expect([...(tasks[0] as ValidationTask).sent.times]).toHaveLength(4 * 96 + 1);
    expect([...(tasks[0] as ValidationTask).days]).toEqual([0, 1, 2, 3].flatMap((d) => [FROM / DAY + d, 1, 96, DAY]));
    await store.validation.save(
      tasks.map((task) => outcomeOf(task)),
      NOW,
    );
    expect(await plan(a)).toEqual([]);
    // A value of the third day is another now: the interval before it too, which ends at it.
    await fill(a, LOAD, FROM + 2 * DAY, 1, 2 * 960 - 3);
    expect(await plan(a)).toMatchObject([{ from: FROM + DAY, to: FROM + 3 * DAY }]);
    await store.validation.save(
      (await plan(a)).map((task) => outcomeOf(task)),
      NOW,
    );
    expect(await plan(a)).toEqual([]);
    held = { ruleSet: 1, version: 2 };
    expect(await plan(a)).toMatchObject([{ from: FROM, to: TO }]);
    held = { ruleSet: 1, version: 1 };
    expect(await plan(a, { again: true })).toMatchObject([{ from: FROM, to: TO }]);
  });

  it('takes intervals before registers and those before powers, and blocks of different decimals as one series', async () => {
    const [, b = '', c = ''] = ids;
    await fill(b, LOAD, FROM, 4 * 96);
    await fill(b, PROFILE, FROM + QUARTER, 4 * 96);
    expect(await plan(b)).toMatchObject([{ kind: 'interval', from: FROM, showings: { scaler: 0 } }]);
    await fill(c, POWER, FROM, 96);
    await fill(c, POWER, FROM + DAY, 96, 5, -1);
    const [task] = await plan(c);
    expect(task).toMatchObject({ kind: 'power', sent: { scaler: -1 } });
    expect([task?.sent.values[1], task?.sent.values[97]]).toEqual([100, 15]);
  });

  it('is nothing for a meter of which nothing came, and for one whose rules are none', async () => {
    const [a = '', , , d = ''] = ids;
    expect(await plan(d)).toEqual([]);
    expect(await plan(a, { again: true, rulesOf: () => undefined })).toEqual([]);
  });
});

describe('findings', () => {
  it('are the same when found again, solved when not, open again when they come back', async () => {
    const [a = ''] = ids;
    const scope = 'all' as const;
    const list = async () => (await store.validation.exceptions.list({ meters: [a], scope, limit: 10 })).exceptions;
    const save = async (findings: ValidationOutcome['findings']) =>
      store.validation.save(
        (await plan(a, { again: true })).map((task) => outcomeOf(task, findings)),
        NOW,
      );
    await store.intervals.write(
      [{ meter: a, register: intervalRegister(IMPORT, 900), scaler: 0, start: FROM, step: QUARTER, values: [10] }],
      { source: 'validation', at: NOW },
    );
    const two = [finding(FROM), finding(FROM + DAY)];
    expect(await save(two)).toMatchObject({ findings: 2, solved: 0 });
    expect(await save(two)).toMatchObject({ findings: 2, solved: 0 });
    const first = await list();
    expect(first.map((e) => [e.from, e.state])).toEqual([
      [FROM + DAY, 'open'],
      [FROM, 'open'],
    ]);
    const by = { who: 'anna', at: NOW };
    const id = first[1]?.id as string;
    await store.validation.exceptions.change({ ids: [id] }, { state: 'dismissed', note: 'fine' }, scope, by);
    expect(await save([])).toMatchObject({ findings: 0, solved: 1 });
    expect((await list()).map((e) => e.state)).toEqual(['solved', 'dismissed']);
    await save(two);
    expect(await list()).toMatchObject([
      { id: first[0]?.id, state: 'open' },
      { id, state: 'dismissed', note: 'fine', changedBy: 'anna' },
    ]);
    expect(await store.validation.exceptions.one(id, [2])).toBeUndefined();
    expect(await store.validation.exceptions.change({ ids: [id] }, { state: 'open' }, [2], by)).toEqual([]);
    await expect(async () => store.validation.exceptions.change({ ids: [id] }, {}, scope, by)).rejects.toThrow(
      /say what/,
    );
  });

  it('hold meters in a group as long as they are open', async () => {
    const [a = '', b = ''] = ids;
    const [task] = await plan(a, { again: true });
    const saved = await store.validation.save(
      [outcomeOf(task as ValidationTask, [{ ...finding(FROM), group: 'odd' }])],
      NOW,
    );
    expect([...saved.groups]).toEqual([['odd', [a]]]);
    // It was dismissed before, and stays so: nothing holds the meter. One that was never found is nobody's to take away.
    expect(await store.validation.freeOf('odd', [a, b])).toEqual([a]);
    await store.validation.save(
      [outcomeOf(task as ValidationTask, [{ ...finding(FROM + 2 * DAY), group: 'odd' }])],
      NOW,
    );
    expect(await store.validation.freeOf('odd', [a, b])).toEqual([]);
    expect(await store.validation.groups()).toEqual(['odd']);
  });
});

describe('rule sets', () => {
  it('have one default, and a version for each definition', async () => {
    const { rules } = store.validation;
    const by = { who: 'anna', at: NOW };
    await expect(rules.put('none', { description: 'x' }, by)).rejects.toThrow(/give its rules/);
    expect(await rules.put('one', { definition: { a: 1 }, isDefault: true }, by)).toMatchObject({ version: 1 });
    expect(await rules.put('two', { definition: { b: 1 }, isDefault: true }, by)).toMatchObject({ isDefault: true });
    expect(await rules.put('one', { definition: { a: 2 }, reason: 'better' }, by)).toMatchObject({
      version: 2,
      isDefault: false,
    });
    expect(await rules.put('one', { definition: { a: 2 }, description: 'same' }, by)).toMatchObject({ version: 2 });
    expect((await rules.versions('one')).map((v) => [v.version, v.reason])).toEqual([
      [2, 'better'],
      [1, null],
    ]);
    expect((await rules.list()).filter((set) => set.isDefault).map((set) => set.name)).toEqual(['two']);
    expect([await rules.remove('two'), await rules.remove('two')]).toEqual([true, false]);
  });
});
