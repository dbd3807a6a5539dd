/** Validation as a whole: a meter's register in, a metering with findings and estimates out; what comes late, what people say of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localToUtc } from '@amiable/calendar';
import { PRIVILEGES } from '@amiable/model';
import type { MeterId, RegisterKey, Store } from '@amiable/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spansOf } from '../src/features/validation/beside.ts';
import { type ValidationParameters, validationParameters } from '../src/features/validation/parameters.ts';
import { createPool, type Pool } from '../src/features/validation/pool.ts';
import { threadsWanted } from '../src/features/validation/routes.ts';
import { daysOf, type RunResult, runValidation } from '../src/features/validation/run.ts';
import { openTestApp, type TestApp } from './login.ts';

const QUARTER = 900_000;
const ZONE = 'Europe/Oslo';
/** 25 October 2026 has 100 quarters. */
const local = (month: number, day: number, hour = 0, minute = 0): number =>
  localToUtc(ZONE, Date.UTC(2026, month - 1, day, hour, minute));
const START = local(10, 1);
const END = local(10, 29);
const LOAD: RegisterKey = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', period: 900 };
const EXPORT: RegisterKey = { obis: '1-0:2.8.0', name: 'activeEnergyExport', unit: 'Wh', period: 900 };

const folder = mkdtempSync(join(tmpdir(), 'amiable-validation-'));
let test: TestApp;
let store: Store;
let headers: Record<string, string>;
let now = END + 6 * 3_600_000;
const pool: Pool = createPool(0);
const meters: MeterId[] = [];

/** A register that takes 40 Wh in each quarter of the night, and by day 100 or 104 by turns of four hours, from START to END. */
function register(): Float64Array {
  const n = (END - START) / QUARTER;
  const values = new Float64Array(n + 1);
  let shown = 500_000;
  for (let i = 0; i <= n; i++) {
    values[i] = shown;
    shown += i % 96 < 28 ? 40 : 100 + (Math.floor(i / 16) % 2) * 4;
  }
  return values;
}
const at = (time: number): number => (time - START) / QUARTER;
const put = (meter: MeterId, values: Float64Array, key = LOAD, start = START) =>
  store.writeBlocks([{ meter, register: key, scaler: 0, start, step: QUARTER, values }]);
const validate = (meter: MeterId, more: Partial<ValidationParameters> = {}, by = pool): Promise<RunResult> =>
  runValidation(
    { store, pool: by, now: () => now },
    {
      parameters: { ...validationParameters.parse({ days: 28 }), target: { meters: [meter] }, ...more },
      scope: 'all',
      who: 'anna',
    },
  );
const metering = async (meter: MeterId, from = START, to = END) => {
  const found = await store.intervals.one(meter, { quantity: 'energyImport', from, to, period: 900 });
  if (!found) throw new Error('there is no metering');
  return found;
};
const exceptionsOf = async (meter: MeterId) =>
  (await store.validation.exceptions.list({ meters: [meter], scope: 'all', limit: 1000 })).exceptions;
const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) =>
  test.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });

const threads = process.env.AMIABLE_VALIDATION_THREADS;
beforeAll(async () => {
  // The task does it in this thread; a thread of its own has a test of its own.
  process.env.AMIABLE_VALIDATION_THREADS = '0';
  test = await openTestApp(folder, { timeZone: ZONE, now: () => now });
  store = test.store;
  headers = await test.as(PRIVILEGES);
  const serials = Array.from({ length: 8 }, (_, i) => `meter-${i}`);
  const made = await store.ensureMeters(serials.map((serial) => ({ serial, timeZone: ZONE })));
  for (const serial of serials) meters.push(made.get(serial) as MeterId);
});
afterAll(async () => {
  if (threads === undefined) delete process.env.AMIABLE_VALIDATION_THREADS;
  else process.env.AMIABLE_VALIDATION_THREADS = threads;
  await test?.close();
  await pool.close();
  rmSync(folder, { recursive: true });
});

describe('a run', () => {
  it('makes a metering of a register, and finds nothing where nothing is wrong', async () => {
    const meter = meters[0] as MeterId;
    await put(meter, register());
    const result = await validate(meter);
    expect(result).toMatchObject({ meters: 1, meterings: 1, findings: 0, estimates: 0, failed: [] });
    const { values, quality } = await metering(meter);
    expect(values).toHaveLength(28 * 96 + 4);
    expect(values.slice(26, 30)).toEqual(Float64Array.of(40, 40, 104, 104));
    expect(quality.every((q) => q === 0)).toBe(true);
  });

  it('does nothing when nothing has changed, and the same to the same effect when told to', async () => {
    const meter = meters[0] as MeterId;
    expect(await validate(meter)).toMatchObject({ meterings: 0, intervals: 0 });
    expect(await validate(meter, { again: true })).toMatchObject({ meterings: 1, changed: 0, findings: 0 });
  });

  it('estimates a gap to the last unit of the register, and says how', async () => {
    const meter = meters[1] as MeterId;
    const values = register();
    const [from, to] = [local(10, 20, 10), local(10, 20, 11, 30)];
    values.fill(Number.NaN, at(from) + 1, at(to));
    await put(meter, values);
    expect(await validate(meter)).toMatchObject({ meterings: 1, findings: 1, estimates: 1 });
    const got = await metering(meter, from, to);
    expect([...got.values]).toEqual([100, 100, 100, 100, 100, 100]);
    expect([...got.quality]).toEqual([3, 3, 3, 3, 3, 3]);
    const [finding] = await exceptionsOf(meter);
    expect(finding).toMatchObject({
      check: 'missing',
      state: 'open',
      from,
      to,
      day: '2026-10-20',
      quantity: 'energyImport',
    });
    expect(finding?.sentence).toMatch(/6 intervals missing|missing/);
    const [estimate] = await store.validation.exceptions.estimates(meter, { from, to, limit: 10, scope: 'all' });
    expect(estimate).toMatchObject({ method: 'linear', from, to });
  });

  it('undoes estimates by values that come late, tells who depends on them, and solves the finding', async () => {
    const meter = meters[1] as MeterId;
    const [from, to] = [local(10, 20, 10), local(10, 20, 11, 30)];
    const before = now;
    now += 60_000;
    const late = register().slice(at(from) + 1, at(to));
    late[1] = (late[1] as number) + 50;
    await put(meter, late, LOAD, from + QUARTER);
    expect(await validate(meter)).toMatchObject({ meterings: 1, findings: 0, estimates: 0, solved: 1 });
    const got = await metering(meter, from, to);
    expect([...got.values]).toEqual([100, 150, 50, 100, 100, 100]);
    expect([...got.quality]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await exceptionsOf(meter)).toMatchObject([{ state: 'solved', changedBy: 'validation' }]);
    const changed = await store.intervals.changedSince({ since: before, from: START, to: END, meters: [meter] });
    expect(changed).toMatchObject([{ meter, quantity: 'energyImport', period: 900 }]);
    // What the bill saw then can still be asked for.
    const was = await store.intervals.one(meter, { quantity: 'energyImport', from, to, period: 900, asOf: before });
    expect([...(was?.values ?? [])]).toEqual([100, 100, 100, 100, 100, 100]);
    expect(await validate(meter)).toMatchObject({ meterings: 0 });
  });

  it('keeps what a person edited, and scales the rest around it', async () => {
    const meter = meters[2] as MeterId;
    const values = register();
    const [from, to] = [local(10, 21, 10), local(10, 21, 11)];
    values.fill(Number.NaN, at(from) + 1, at(to));
    await put(meter, values);
    await validate(meter);
    now += 60_000;
    await store.intervals.edit(
      [
        {
          meter,
          quantity: 'energyImport',
          period: 900,
          from,
          to: from + QUARTER,
          values: [190],
          scaler: 0,
          reason: 'the customer has read it',
        },
      ],
      'anna',
      now,
      false,
    );
    now += 60_000;
    await validate(meter, { again: true });
    const got = await metering(meter, from, to);
    // In a line from 190 to 100, brought to the 400 that the register says.
    expect([...got.values]).toEqual([190, 81, 70, 59]);
    expect([...got.quality]).toEqual([2, 3, 3, 3]);
  });

  it('judges what a person wrote, without being told to', async () => {
    const meter = meters[0] as MeterId;
    const from = local(10, 15, 3);
    const edit = { meter, quantity: 'energyImport', period: 900, from, to: from + QUARTER, scaler: 0 };
    now += 60_000;
    const [made] = await store.intervals.edit([{ ...edit, values: [-5], reason: 'a slip' }], 'anna', now, false);
    // It cannot be, and the day does not come to what the register says.
    expect(await validate(meter)).toMatchObject({ meterings: 1, findings: 2 });
    const found = await exceptionsOf(meter);
    expect(found.map(({ check }) => check).sort()).toEqual(['negative', 'sum']);
    expect(found.find(({ check }) => check === 'negative')).toMatchObject({ from, to: from + QUARTER, state: 'open' });
    now += 60_000;
    await store.intervals.undo(made?.id as string, 'anna', 'a slip', now);
    expect(await validate(meter)).toMatchObject({ meterings: 1, solved: 2 });
  });

  it('is repeated to the same end after it was killed between values and findings', async () => {
    const meter = meters[3] as MeterId;
    const values = register();
    values.fill(Number.NaN, at(local(10, 22, 3)) + 1, at(local(10, 22, 4)));
    await put(meter, values);
    const save = store.validation.save;
    const mortal = { ...store, validation: { ...store.validation, save: () => Promise.reject(new Error('killed')) } };
    const parameters = { ...validationParameters.parse({ days: 28 }), target: { meters: [meter] } };
    const order = { parameters, scope: 'all' as const, who: 'anna' };
    await expect(runValidation({ store: mortal, pool, now: () => now }, order)).rejects.toThrow('killed');
    expect(await exceptionsOf(meter)).toEqual([]);
    expect(await runValidation({ store, pool, now: () => now }, order)).toMatchObject({ findings: 1, changed: 0 });
    expect(await exceptionsOf(meter)).toHaveLength(1);
    expect(store.validation.save).toBe(save);
  });

  it('gives the same through a thread as in the main one', async () => {
    const meter = meters[3] as MeterId;
    const threads = createPool(1);
    try {
      expect(threads.threads).toBe(1);
      const before = await metering(meter);
      expect(await validate(meter, { again: true }, threads)).toMatchObject({ findings: 1, estimates: 1, changed: 0 });
      expect((await metering(meter)).values).toEqual(before.values);
    } finally {
      await threads.close();
    }
  });

  it('knows two quantities of one meter as siblings, and a meter of which nothing was heard as none', async () => {
    const meter = meters[4] as MeterId;
    await put(meter, register());
    await put(meter, register(), EXPORT);
    expect(await validate(meter)).toMatchObject({ meterings: 2, failed: [] });
    expect(await validate(meters[7] as MeterId)).toMatchObject({ meters: 1, meterings: 0, failed: [] });
  });

  it('expects nothing before the first value and the first stay, and of a day that runs only what is there', async () => {
    const meter = meters[7] as MeterId;
    // Its first value stands at 10:15; it was installed on the day before.
    const first = local(10, 26, 10, 15);
    const stop = local(10, 29, 3, 30);
    const values = Float64Array.from({ length: (stop - first) / QUARTER + 1 }, (_, i) => 1000 + i * 25 + (i & 1));
    await put(meter, values, LOAD, first);
    expect(await validate(meter)).toMatchObject({ meterings: 1, findings: 0, estimates: 0 });
    const { values: got, quality } = await metering(meter, local(10, 25), local(10, 30));
    const there = Array.from(got, (value, i) => (Number.isNaN(value) ? -1 : i)).filter((i) => i >= 0);
    expect(local(10, 25) + (there[0] as number) * QUARTER).toBe(first);
    expect(local(10, 25) + ((there.at(-1) as number) + 1) * QUARTER).toBe(stop);
    expect(there).toHaveLength((stop - first) / QUARTER);
    expect(quality[there[0] as number]).toBe(0);
    expect(await validate(meter)).toMatchObject({ meterings: 0 });
    // More of the day comes; what comes no more is missing once the day is over.
    await put(meter, Float64Array.of(values.at(-1) as number, (values.at(-1) as number) + 25), LOAD, stop);
    expect(await validate(meter)).toMatchObject({ meterings: 1, findings: 0 });
    const before = now;
    now += 86_400_000;
    expect(await validate(meter)).toMatchObject({ meterings: 1 });
    expect(await exceptionsOf(meter)).toMatchObject([
      { check: 'missing', from: local(10, 29, 3, 45), to: local(10, 30) },
    ]);
    now = before + 60_000;
  });

  it('takes whole local days of each zone, and spans of events to the next end', () => {
    expect(daysOf({ days: 1 }, ZONE, local(10, 26, 9, 20))).toEqual({
      from: local(10, 25),
      to: local(10, 26),
      open: local(10, 26, 9),
    });
    expect(local(10, 26) - local(10, 25)).toBe(100 * QUARTER);
    expect(daysOf({ days: 2, to: local(10, 20, 13) }, ZONE, now)).toEqual({ from: local(10, 18), to: local(10, 20) });
    const events = [
      { time: 1, event: 'disconnected' },
      { time: 2, event: 'disconnected-locally' },
      { time: 5, event: 'connected-manually' },
      { time: 7, event: 'disconnected' },
    ];
    expect(spansOf(events, /^disconnected/, /^connected/, 9)).toEqual([
      { from: 1, to: 5 },
      { from: 7, to: 9 },
    ]);
    expect([undefined, '', '0', '3', 'x', '-1'].map(threadsWanted)).toEqual([2, 2, 0, 3, 2, 2]);
  });
});

describe('rule sets', () => {
  it('are refused with the reason, and nothing is kept', async () => {
    const empty = await call('PUT', '/validation/rules/homes', {
      rules: { profile: [{ check: 'positive', name: 'p', action: 'previous-day' }] },
    });
    expect([empty.statusCode, empty.json().error]).toEqual([422, expect.stringContaining('previous-day')]);
    const formula = await call('PUT', '/validation/rules/homes', {
      rules: { profile: [{ check: 'user', name: 'mine', formula: 'value > ' }] },
    });
    expect([formula.statusCode, formula.json().error]).toEqual([422, expect.stringContaining('mine')]);
    expect((await call('GET', '/validation/rules/homes')).statusCode).toBe(404);
    expect((await call('PUT', '/validation/rules/given', { rules: {} })).statusCode).toBe(422);
  });

  it('have versions; what they look at is validated anew; hits go into a group that feeds flows', async () => {
    const meter = meters[5] as MeterId;
    await put(meter, register());
    expect(await validate(meter)).toMatchObject({ findings: 0 });
    const rules = (limit: string) => ({
      isDefault: true,
      rules: {
        profile: [{ check: 'higher-than', name: 'high', limit, severity: 'error', usable: false, group: 'to look at' }],
      },
      estimation: { shortUpToHours: 1 },
    });
    expect((await call('PUT', '/validation/rules/homes', rules('200 Wh'))).json()).toMatchObject({ version: 1 });
    expect((await call('PUT', '/validation/rules/homes', rules('200 Wh'))).json()).toMatchObject({ version: 1 });
    now += 60_000;
    expect(await validate(meter)).toMatchObject({ meterings: 1, findings: 0 });
    expect(await validate(meter)).toMatchObject({ meterings: 0 });
    // One interval is above what is allowed; the register says what it was all the same.
    const values = register().slice(at(local(10, 23, 12)));
    for (let i = 1; i < values.length; i++) values[i] = (values[i] as number) + 300;
    now += 60_000;
    await put(meter, values, LOAD, local(10, 23, 12));
    expect(await validate(meter)).toMatchObject({ findings: 1 });
    expect(await store.registry.select({ group: 'to look at' }, 'all', { limit: 10 })).toEqual([meter]);
    // Whom somebody put there by hand stays, whatever is found.
    const by = { who: 'anna', at: now };
    await store.registry.addToGroup('to look at', [meters[6] as MeterId], 'all', by);
    expect((await call('PUT', '/validation/rules/homes', rules('900 Wh'))).json()).toMatchObject({ version: 2 });
    now += 60_000;
    expect(await validate(meter)).toMatchObject({ findings: 0, solved: 1 });
    expect(await store.registry.select({ group: 'to look at' }, 'all', { limit: 10 })).toEqual([meters[6]]);
    const kept = (await call('GET', '/validation/rules/homes')).json();
    expect(kept.versions.map((v: { version: number }) => v.version)).toEqual([2, 1]);
    expect((await call('DELETE', '/validation/rules/homes')).statusCode).toBe(200);
  });
});

describe('exceptions', () => {
  it('stay as people left them, and what is accepted holds', async () => {
    const meter = meters[6] as MeterId;
    const values = register();
    for (let i = at(local(10, 24, 12)) + 1; i < values.length; i++) values[i] = (values[i] as number) + 900;
    await put(meter, values);
    const rules = {
      profile: [{ check: 'higher-than', name: 'high', limit: '500 Wh', severity: 'error', usable: false }],
    };
    await call('PUT', '/validation/rules/flats', { isDefault: true, rules });
    await validate(meter);
    const from = local(10, 24, 12);
    const [e] = (await call('GET', `/exceptions?meter=${meter}`)).json().exceptions;
    expect(e).toMatchObject({
      rule: 'high',
      state: 'open',
      usable: false,
      ruleSet: 'flats',
      from: new Date(from).toISOString(),
    });
    expect((await metering(meter, from, from + QUARTER)).quality[0]).toBe(3);
    const one = (await call('GET', `/exceptions/${e.id}`)).json();
    expect(one.definition).toMatchObject({ check: 'higher-than', limit: '500 Wh' });
    expect(one.estimates).toHaveLength(1);
    const patch = { state: 'accepted', owner: 'anna', note: 'they had a party' };
    expect((await call('PATCH', `/exceptions/${e.id}`, patch)).json()).toMatchObject(patch);
    now += 60_000;
    expect(await validate(meter)).toMatchObject({ meterings: 1, estimates: 0 });
    const got = await metering(meter, from, from + QUARTER);
    expect([got.values[0], got.quality[0]]).toEqual([1004, 0]);
    expect((await exceptionsOf(meter))[0]).toMatchObject({ ...patch, usable: false });
    now += 60_000;
    await validate(meter, { again: true });
    expect((await exceptionsOf(meter))[0]).toMatchObject(patch);
    // Taken back, it is estimated again.
    expect((await call('PATCH', `/exceptions/${e.id}`, { state: 'open' })).statusCode).toBe(200);
    now += 60_000;
    expect(await validate(meter)).toMatchObject({ meterings: 1, estimates: 1 });
    await call('DELETE', '/validation/rules/flats');
  });

  it('are listed in pages, counted, and changed in bulk', async () => {
    const all = (await call('GET', '/exceptions?limit=1000')).json().exceptions as { id: string }[];
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const page: { exceptions: { id: string }[]; next: string | null } = (
        await call('GET', `/exceptions?limit=1${after === '' ? '' : `&after=${after}`}`)
      ).json();
      seen.push(...page.exceptions.map((e) => e.id));
      after = page.next;
    }
    expect(seen).toEqual(all.map((e) => e.id));
    expect(new Set(seen).size).toBe(seen.length);
    const before = (await call('GET', '/exceptions/summary')).json();
    expect(before.counts.reduce((n: number, c: { count: number }) => n + c.count, 0)).toBe(all.length);
    const changed = (
      await call('POST', '/exceptions/change', {
        filter: { check: 'missing', state: ['open'] },
        change: { state: 'dismissed' },
      })
    ).json();
    expect(changed.changed).toBeGreaterThan(0);
    expect((await call('GET', '/exceptions?check=missing&state=open')).json().exceptions).toEqual([]);
    expect((await call('GET', '/exceptions/summary')).json().open).toBe(before.open - changed.changed);
    expect((await call('POST', '/exceptions/change', { change: { state: 'open' } })).statusCode).toBe(422);
    expect((await call('POST', '/exceptions/change', { ids: ['1-2'], change: { state: 'open' } })).statusCode).toBe(
      422,
    );
    expect((await call('GET', '/exceptions?state=gone')).statusCode).toBe(422);
    expect((await call('GET', '/exceptions?after=nonsense&limit=1')).json().exceptions).toHaveLength(1);
  });
});

describe('a task', () => {
  it('is checked when it is saved and does its work by the scheduler', async () => {
    const save = (parameters: unknown) =>
      call('POST', '/tasks', {
        name: 'nightly validation',
        definition: { kind: 'validation', parameters, schedule: { recurrence: { type: 'order' } } },
      });
    expect((await save({ target: { group: 'nobody' } })).statusCode).toBe(422);
    expect((await save({ ruleSet: 'none' })).json().error).toContain('none');
    expect((await save({ day: 3 })).statusCode).toBe(422);
    // Groups are changed by who may change them.
    const refused = await test.app.inject({
      method: 'POST',
      url: '/api/v1/validation/run',
      headers: await test.as(['execute:validate', 'execute:run-task']),
      payload: { groups: [{ group: 'to look at' }] },
    });
    expect([refused.statusCode, refused.json().error]).toEqual([403, expect.stringContaining('meter:modify')]);
    const ordered = await call('POST', '/validation/run', { target: { meters: [meters[0]] }, again: true });
    expect(ordered.statusCode, ordered.body).toBe(202);
    const { id } = ordered.json();
    await expect.poll(async () => (await call('GET', `/runs/${id}`)).json().state).toBe('done');
    expect((await call('GET', `/runs/${id}`)).json().note).toContain('1 meters, 1 meterings');
  });
});
