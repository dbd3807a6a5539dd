import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intervalRegister, quantityOf } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp, tokenFor } from './login.ts';

const Q = 900_000;
const H = 4 * Q;
/** Noon of 27 October 2026 in Oslo: the 25th had 25 hours. */
const NOW = Date.UTC(2026, 9, 27, 11);
/** 00:00 of the 25th there. */
const T = Date.UTC(2026, 9, 24, 22);
const folder = mkdtempSync(join(tmpdir(), 'amiable-grid-'));
let test: TestApp;
let headers: Record<string, string>;
let id: Record<string, string>;
let clock = NOW;

async function write(
  meter: string,
  quantity: string,
  values: readonly (number | null)[],
  { start = T, step = Q, at = NOW - H, quality = 'measured' as const } = {},
) {
  await test.store.intervals.write(
    [
      {
        meter: id[meter] as string,
        register: intervalRegister(quantityOf(quantity) as NonNullable<ReturnType<typeof quantityOf>>, step / 1000),
        scaler: 0,
        start,
        step,
        values: values.map((v) => v ?? Number.NaN),
        quality: values.map((v) => (v === null ? ('missing' as const) : quality)),
      },
    ],
    { source: 'validation', at, replace: true },
  );
}
const ask = async (
  method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH',
  url: string,
  payload?: object,
  who = headers,
) => {
  const got = await test.app.inject({
    method,
    url,
    headers: { ...who, ...(payload ? { 'content-type': 'application/json' } : {}) },
    ...(payload ? { payload } : {}),
  });
  return { status: got.statusCode, body: got.json() };
};
const day = (n: number, value: number): number[] => new Array(n).fill(value);

beforeAll(async () => {
  test = await openTestApp(folder, { now: () => clock });
  headers = await tokenFor(
    test.store,
    [
      'formula:view',
      'formula:create',
      'formula:delete',
      'balance:view',
      'balance:create',
      'balance:modify',
      'balance:delete',
      'execute:calculate',
    ],
    'all',
  );
  const r = test.store.registry;
  const by = { who: 'test', at: NOW - H };
  const from = Date.UTC(2026, 0, 1);
  const node = async (kind: 'transformer' | 'metering-point', code: string, parent?: string) =>
    (await r.createNode({ kind, code, from, ...(parent === undefined ? {} : { parent }) }, 'all', by)).id;
  const trafo = await node('transformer', 'T-1');
  const serials = ['trafo', 'a', 'b', 'gas', 'c'];
  id = Object.fromEntries([...(await test.store.ensureMeters(serials.map((serial) => ({ serial }))))]);
  for (const serial of ['a', 'b', 'gas']) {
    const point = await node('metering-point', `P-${serial}`, trafo);
    await r.link({ kind: 'installed', child: id[serial] as string, parent: point, from }, 'all', by);
    if (serial === 'b')
      await r.putRatio({ meteringPoint: point, kind: 'current', primary: 100, secondary: 5, from }, 'all', by);
  }
  id.T = trafo;
  // The 25th: 100 quarters; the 26th: 96.
  await write('trafo', 'energyImport', [...day(100, 1000), ...day(96, 1000)]);
  await write('a', 'energyImport', [...day(100, 300), ...day(95, 300), null]);
  await write('b', 'energyImport', [...day(100, 30), ...day(96, 30)]);
  await write('a', 'energyExport', [...day(100, 0), ...day(96, 10)]);
  await write('gas', 'gasVolume', day(49, 2), { step: H });
  await test.store.prices.put({ name: 'NO1', currency: 'EUR', unit: 'MWh', description: null });
  await test.store.prices.write(
    'NO1',
    { start: T, step: H, values: Float64Array.from(day(49, 50)), scaler: 0 },
    { source: 'test', at: NOW },
  );
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true });
});

const street = () => ({
  expression: 'houses - loss_share * houses',
  inputs: {
    houses: { kind: 'meters', of: { under: id.T }, quantity: 'energyImport', missing: 'skip' },
    loss_share: { kind: 'factor', values: [{ from: '2026-01-01T00:00:00Z', value: '0.5' }] },
  },
  period: 3600,
  unit: 'kWh',
  result: { name: 'energyImport', meter: 'VIRTUAL-1' },
});
const values = async (meter: string, quantity: string, from = T, to = T + 49 * H) =>
  test.store.intervals.one((await test.store.registry.meterBySerial(meter, 'all')) as string, { quantity, from, to });

describe('formulas', () => {
  it('sums meters under a node with their ratios, carries the worst quality, and tells who lacked', async () => {
    const made = await ask('PUT', '/api/v1/formulas/street', street());
    expect(made).toMatchObject({ status: 200, body: { version: 1, unit: 'Wh', dependsOn: [] } });
    // The gas meter stands under the node too and has no energy: it is told.
    const { body } = await ask('POST', '/api/v1/formulas/street/calculate', {
      from: '2026-10-24T22:00:00Z',
      to: '2026-10-26T23:00:00Z',
    });
    expect(body.reports).toMatchObject([{ formula: 'street', days: 2, left: 0, meters: 1, written: 49 }]);
    expect(body.reports[0].fitted).toEqual(['houses: intervals of 15 min were summed to 60 min (2 meters)']);
    expect(body.reports[0].lacking.map((l: { serial: string; count: number }) => [l.serial, l.count])).toEqual([
      ['gas', 49],
      ['a', 1],
    ]);
    const found = await values('VIRTUAL-1', 'energyImport');
    // (4 × 300 + 4 × 30 × 20) / 2, in thousandths of a Wh.
    expect(found).toMatchObject({ step: H, scaler: -3, unit: 'Wh' });
    expect(found?.values[0]).toBe(1_800_000);
    expect(found?.values[48]).toBe(1_200_000);
    expect(new Set(found?.quality)).toEqual(new Set([3]));
  });

  it('calculates again only what changed, what lacked and what is new', async () => {
    const all = {
      name: 'own',
      expression: 'x * 2',
      inputs: { x: { kind: 'meter', meter: id.a, quantity: 'energyImport' } },
      period: 900,
      unit: 'kWh',
      decimals: 0,
      result: { name: 'twice', meter: 'VIRTUAL-2' },
    };
    const { name: _, ...formula } = all;
    await ask('PUT', '/api/v1/formulas/own', formula);
    const run = async (change = {}) =>
      (
        await ask('POST', '/api/v1/formulas/own/calculate', {
          from: '2026-10-24T22:00:00Z',
          to: '2026-10-26T23:00:00Z',
          ...change,
        })
      ).body.reports[0];
    expect(await run()).toMatchObject({ days: 2, left: 0, written: 195, shares: { calculated: 195, missing: 1 } });
    clock += H;
    // The 26th lacked a value: it alone is calculated again.
    expect(await run()).toMatchObject({ days: 1, left: 1 });
    clock += H;
    await write('a', 'energyImport', [777], { start: T + 195 * Q, at: clock });
    clock += H;
    expect(await run()).toMatchObject({ days: 1, left: 1, written: 96, shares: { missing: 0 } });
    clock += H;
    expect(await run()).toMatchObject({ days: 0, left: 2 });
    expect((await values('VIRTUAL-2', 'twice'))?.values.at(-1)).toBe(1554);
    clock += H;
    await write('a', 'energyImport', [500], { start: T, at: clock });
    clock += H;
    expect(await run()).toMatchObject({ days: 1, left: 1 });
    expect((await values('VIRTUAL-2', 'twice'))?.values[0]).toBe(1000);
    expect(await run({ force: true })).toMatchObject({ days: 2 });
    const changed = await ask('PUT', '/api/v1/formulas/own', { ...formula, expression: 'x * 3' });
    expect(changed.body.version).toBe(2);
    expect(await run()).toMatchObject({ days: 2, version: 2 });
    expect(
      (await ask('GET', '/api/v1/formulas/own/versions')).body.versions.map((v: { version: number }) => v.version),
    ).toEqual([2, 1]);
    expect((await ask('GET', '/api/v1/formulas/own/runs')).body.runs.length).toBeGreaterThan(5);
    await write('a', 'energyImport', [300], { start: T, at: clock });
  });

  it('is calculated for each meter: gas as energy with factors in time; prices are spread over quarters', async () => {
    const gas = {
      expression: 'volume * z * heat',
      inputs: {
        volume: { kind: 'self', quantity: 'gasVolume' },
        z: { kind: 'factor', values: [{ from: '2026-01-01T00:00:00Z', value: '0.95' }] },
        heat: {
          kind: 'factor',
          unit: 'kWh/m3',
          values: [
            { from: '2026-01-01T00:00:00Z', value: '11.2' },
            { from: '2026-10-25T23:00:00Z', value: '11.3' },
          ],
        },
      },
      period: 3600,
      unit: 'kWh',
      decimals: 0,
      result: { name: 'gasEnergy', each: { meters: [id.gas] } },
    };
    expect((await ask('PUT', '/api/v1/formulas/gas', gas)).status).toBe(200);
    await ask('POST', '/api/v1/formulas/gas/calculate', { from: '2026-10-24T22:00:00Z', to: '2026-10-26T23:00:00Z' });
    const found = await values('gas', 'gasEnergy');
    expect([found?.values[0], found?.values[24], found?.values[25], found?.unit]).toEqual([
      21_280,
      21_280,
      21_470,
      'Wh',
    ]);
    const cost = {
      expression: 'x * price',
      inputs: {
        x: { kind: 'meter', meter: id.trafo, quantity: 'energyImport' },
        price: { kind: 'price', series: 'NO1' },
      },
      period: 900,
      unit: 'EUR',
      decimals: 4,
      result: { name: 'spotCost', meter: 'VIRTUAL-3' },
    };
    expect((await ask('PUT', '/api/v1/formulas/cost', cost)).body).toMatchObject({ unit: 'EUR' });
    const dry = await ask('POST', '/api/v1/formulas/cost/calculate', {
      dry: true,
      from: '2026-10-24T22:00:00Z',
      to: '2026-10-25T23:00:00Z',
    });
    expect(dry.body.values).toHaveLength(100);
    expect(dry.body.values[0]).toEqual({
      meter: expect.any(String),
      time: '2026-10-24T22:00:00.000Z',
      value: '0.0500',
      quality: 'calculated',
    });
  });

  it('refuses cycles by name, units that do not fit, and what would overwrite measurements', async () => {
    const virtual = async (serial: string) => (await test.store.registry.meterBySerial(serial, 'all')) as string;
    const make = (expression: string, from: string, quantity: string, result: object, unit = 'kWh') => ({
      expression,
      inputs: { x: { kind: 'meter', meter: from, quantity } },
      period: 3600,
      unit,
      result,
    });
    const two = await ask(
      'PUT',
      '/api/v1/formulas/two',
      make('x', await virtual('VIRTUAL-1'), 'energyImport', { name: 'two', meter: 'VIRTUAL-4' }),
    );
    expect(two.body).toMatchObject({ dependsOn: ['street'] });
    const circle = street();
    const closed = {
      ...circle,
      expression: 'houses - loss_share * houses + y',
      inputs: { ...circle.inputs, y: { kind: 'meter', meter: await virtual('VIRTUAL-4'), quantity: 'two' } },
    };
    expect(await ask('PUT', '/api/v1/formulas/street', closed)).toMatchObject({
      status: 422,
      body: { error: expect.stringContaining('in a circle: street → two → street') },
    });
    expect(
      (
        await ask(
          'PUT',
          '/api/v1/formulas/bad',
          make('x + 3 V', id.a as string, 'energyImport', { name: 'bad', meter: 'V-9' }),
        )
      ).body.error,
    ).toContain('same unit');
    expect(
      (
        await ask(
          'PUT',
          '/api/v1/formulas/bad',
          make('x', id.a as string, 'energyImport', { name: 'bad', meter: 'V-9' }, 'm3'),
        )
      ).body.error,
    ).toContain('gives Wh, and the result is said to be in m3');
    expect(
      (await ask('PUT', '/api/v1/formulas/bad', make('x', id.a as string, 'energyImport', { name: 'bad', meter: 'b' })))
        .body.error,
    ).toContain('b is a meter that measures');
    expect(
      (
        await ask(
          'PUT',
          '/api/v1/formulas/bad',
          make('x', id.a as string, 'energyImport', { name: 'energyImport', each: { meters: [id.b] } }),
        )
      ).body.error,
    ).toContain('needs another name');
    expect(
      (await ask('PUT', '/api/v1/formulas/bad', make('x', id.a as string, 'unheardOf', { name: 'bad', meter: 'V-9' })))
        .body.error,
    ).toContain('nothing is known of unheardOf');
    expect(
      (await ask('PUT', '/api/v1/formulas/bad', make('x', '999999', 'energyImport', { name: 'bad', meter: 'V-9' })))
        .body.error,
    ).toContain('there is no meter 999999');
    expect(await ask('DELETE', '/api/v1/formulas/street')).toMatchObject({
      status: 409,
      body: { error: 'two reads its result' },
    });
    expect((await ask('DELETE', '/api/v1/formulas/two')).body).toEqual({ removed: true });
    expect((await ask('GET', '/api/v1/formulas/two')).status).toBe(404);
  });
});

describe('balances', () => {
  it('are loss by interval and day, with the meters that lacked named', async () => {
    await write('a', 'energyImport', [null], { start: T + 195 * Q, at: clock });
    clock += H;
    const area = { node: id.T, supply: [id.trafo] };
    expect((await ask('PUT', '/api/v1/balances/T-1', area)).status).toBe(200);
    const run = await ask('POST', '/api/v1/balances/T-1/compute', { from: '2026-10-25', to: '2026-10-27' });
    expect(run.body).toMatchObject({ days: 2, intervals: 196, complete: 195 });
    const { days } = (await ask('GET', '/api/v1/balances/T-1/days?from=2026-10-25&to=2026-10-27')).body;
    // 1000 - (300 + 20 × 30) + 0, and from the second day on 10 that were produced.
    expect(days[0]).toMatchObject({
      day: '2026-10-25',
      intervals: 100,
      complete: 100,
      supplied: '100000',
      consumed: '90000',
      produced: '0',
      loss: '10000',
      share: 0.1,
      meters: 3,
      missing: [],
    });
    expect(days[1]).toMatchObject({ intervals: 96, complete: 95, loss: String(95 * 110), missingMeters: 1 });
    expect(days[1].missing).toEqual([
      {
        meter: id.a,
        serial: 'a',
        role: 'consumed',
        count: 1,
        spans: [{ from: '2026-10-26T22:45:00.000Z', to: '2026-10-26T23:00:00.000Z' }],
      },
    ]);
    const { intervals } = (await ask('GET', '/api/v1/balances/T-1/intervals?from=2026-10-26&to=2026-10-27')).body;
    expect([intervals.length, intervals[0].loss, intervals[95].loss]).toEqual([96, '110', null]);
    expect((await ask('GET', '/api/v1/balances?from=2026-10-25&to=2026-10-27')).body.areas).toMatchObject([
      { name: 'T-1', days: 2, loss: String(10_000 + 95 * 110) },
    ]);
  });

  it('are computed again where values came or changed, and not elsewhere', async () => {
    const again = async () => (await ask('POST', '/api/v1/balances/T-1/compute', {})).body;
    clock += H;
    // The last fourteen days are computed as far as they lack something: all but the 25th.
    expect(await again()).toMatchObject({ days: 13 });
    await write('a', 'energyImport', [300], { start: T + 195 * Q, at: clock });
    clock += H;
    const found = await again();
    expect(found.complete).toBe(96);
    expect((await ask('GET', '/api/v1/balances/T-1/days?from=2026-10-26&to=2026-10-27')).body.days[0]).toMatchObject({
      complete: 96,
      missing: [],
    });
  });

  it('raise an alarm where a share stays, which somebody takes on and which closes when it is over', async () => {
    const first = Date.UTC(2026, 9, 12, 22);
    const count = 12 * 96;
    for (const [meter, value] of [
      ['trafo', 1000],
      ['a', 280],
      ['b', 30],
    ] as const)
      await write(meter, 'energyImport', day(count, value), { start: first, at: clock });
    await write('a', 'energyExport', day(count, 0), { start: first, at: clock });
    clock += H;
    const run = await ask('POST', '/api/v1/balances/T-1/compute', {});
    expect(run.body).toMatchObject({ opened: 1 });
    const { alarms } = (await ask('GET', '/api/v1/balance-alarms')).body;
    expect(alarms).toMatchObject([
      {
        area: 'T-1',
        kind: 'persistent-loss',
        severity: 'warning',
        state: 'open',
        sentence: expect.stringContaining('12.0 % of what comes in is lost'),
      },
    ]);
    const taken = await ask('PATCH', `/api/v1/balance-alarms/${alarms[0].id}`, {
      state: 'accepted',
      owner: 'anna',
      note: 'van sent',
    });
    expect(taken.body).toMatchObject({ state: 'accepted', owner: 'anna' });
    const shown = (await ask('GET', '/api/v1/balances/T-1')).body;
    expect(shown).toMatchObject({ trend: { days: 14 } });
    // Before there were enough days it was said that there were not.
    expect(shown.alarms.map((a: { kind: string; state: string }) => [a.kind, a.state])).toEqual([
      ['persistent-loss', 'accepted'],
      ['incomplete', 'closed'],
    ]);
    await ask('PUT', '/api/v1/balances/T-1', { node: id.T, supply: [id.trafo], limits: { share: 0.3 } });
    clock += H;
    expect((await ask('POST', '/api/v1/balances/T-1/compute', {})).body).toMatchObject({ opened: 0, closed: 1 });
    expect((await ask('PATCH', `/api/v1/balance-alarms/${alarms[0].id}`, { state: 'open' })).status).toBe(422);
  });

  it('are of segments: who does not see an area does not find it', async () => {
    const { id: segment } = await test.store.access.createSegment('south', null);
    const other = await tokenFor(
      test.store,
      ['balance:view', 'balance:create', 'formula:view', 'formula:create'],
      [segment],
    );
    expect((await ask('GET', '/api/v1/balances/T-1', undefined, other)).status).toBe(404);
    expect((await ask('GET', '/api/v1/balances', undefined, other)).body.areas).toEqual([]);
    expect((await ask('GET', '/api/v1/balance-alarms?state=closed', undefined, other)).body.alarms).toEqual([]);
    expect(
      (await ask('PUT', `/api/v1/balances/mine?segment=${segment}`, { supply: [id.trafo], node: id.T }, other)).status,
    ).toBe(422);
    expect((await ask('PUT', `/api/v1/formulas/street?segment=${segment}`, street(), other)).body.error).toContain(
      'no formula of this name',
    );
    expect((await ask('DELETE', '/api/v1/balances/T-1')).body).toEqual({ removed: true });
  });

  it('and formulas read no more than who wrote them sees, whoever has them computed', async () => {
    const { store } = test;
    const { id: segment } = await store.access.createSegment('west', null);
    const west = await tokenFor(
      store,
      ['balance:view', 'balance:create', 'formula:view', 'formula:create', 'execute:calculate'],
      [segment],
    );
    const of = { meters: [id.trafo, id.a] };
    const sum = {
      inputs: { all: { kind: 'meters', of, quantity: 'energyImport', missing: 'skip' } },
      expression: 'all',
    };
    const spy = { ...sum, period: 3600, unit: 'kWh', result: { name: 'energyImport', meter: 'VIRTUAL-W' } };
    const made = await ask('PUT', `/api/v1/formulas/spy?segment=${segment}`, spy, west);
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    // By somebody who sees all: the meters of others are not there for it.
    const span = { from: '2026-10-24T22:00:00Z', to: '2026-10-25T23:00:00Z' };
    expect((await ask('POST', '/api/v1/formulas/spy/calculate', span)).body.reports).toMatchObject([{ written: 0 }]);
    const by = { who: 'test', at: NOW };
    const { id: own } = await store.registry.createMeter(
      { serial: 'west-1', segment, timeZone: 'Europe/Oslo' },
      'all',
      by,
    );
    const area = { supply: [own], consumed: [{ of, quantity: 'energyImport' }] };
    expect((await ask('PUT', `/api/v1/balances/spied?segment=${segment}`, area, west)).status).toBe(200);
    const whole = { from: '2026-10-25', to: '2026-10-26' };
    expect((await ask('POST', '/api/v1/balances/spied/compute', whole)).status).toBe(200);
    const { days } = (await ask('GET', '/api/v1/balances/spied/days?from=2026-10-25&to=2026-10-26', undefined, west))
      .body;
    expect(days).toMatchObject([{ meters: 1, missing: [{ serial: 'west-1' }] }]);
    // Whoever sees less than it reads would write sums that lack the others.
    expect((await ask('PUT', '/api/v1/balances/wide', { ...area, supply: [id.trafo] })).status).toBe(200);
    const home = await tokenFor(store, ['balance:view', 'execute:calculate'], [1]);
    const refused = await ask('POST', '/api/v1/balances/wide/compute', whole, home);
    expect(refused).toMatchObject({
      status: 422,
      body: { error: expect.stringContaining('segments that you do not see') },
    });
  });
});
