/** Readings out of files and commands of other systems: a real database, all or nothing, billed time, references, files in a folder. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGES } from '@amiable/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../src/context.ts';
import { parseTariff } from '../src/features/billing/tariffs.ts';
import { createExecutor } from '../src/features/command/execute.ts';
import { commandFiles } from '../src/features/command/files.ts';
import { createReads } from '../src/features/ondemand/reads.ts';
import { importReadings } from '../src/features/readings/run.ts';
import { optionsShape } from '../src/features/readings/shapes.ts';
import { readingsTask } from '../src/features/readings/task.ts';
import { vaultOf } from '../src/keys/vault.ts';
import { retentionOfWork } from '../src/scheduler/own.ts';
import { openTestApp, type TestApp } from './login.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const FROM = Date.UTC(2026, 10, 10);
const POINT = '707057500000000001';
let folder = '';
let inbox = '';
let world: TestApp;
let anna: Record<string, string>;
let meter = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-readings-'));
  inbox = mkdtempSync(join(tmpdir(), 'amiable-inbox-'));
  world = await openTestApp(folder, { inbox, now: () => NOW });
  anna = await world.as(PRIVILEGES);
  const { store } = world;
  meter = (await store.ensureMeters([{ serial: 'M-1' }, { serial: 'M-2' }])).get('M-1') as string;
  const by = { who: 'test', at: NOW };
  const point = await store.registry.createNode({ kind: 'metering-point', code: POINT }, 'all', by);
  await store.registry.link(
    { kind: 'installed', child: meter, parent: point.id, from: Date.UTC(2026, 0, 1) },
    'all',
    by,
  );
  for (const name of ['plain', 'other']) {
    const week = Object.fromEntries(
      ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((day) => [day, 'day']),
    );
    const definition = parseTariff({
      name,
      zone: 'Europe/Oslo',
      currency: 'NOK',
      rates: [{ name: 'all' }],
      calendar: {
        seasons: [{ name: 'year', from: '01-01', to: '12-31', week: 'week' }],
        weeks: [{ name: 'week', ...week }],
        days: [{ name: 'day', switches: [{ at: '00:00', rate: 'all' }] }],
      },
      components: [{ kind: 'energy', name: 'energy', price: '1.00' }],
    });
    await store.billing.tariffs.put(name, { validFrom: '2026-01-01', definition: definition as never }, by);
    await store.billing.tariffs.publish(name, 1, 'Europe/Oslo', by);
  }
});
afterAll(async () => {
  await world?.close();
  for (const one of [folder, inbox]) rmSync(one, { recursive: true, force: true });
});

interface Report {
  readonly values: number;
  readonly fresh: number;
  readonly changed: number;
  readonly same: number;
  readonly faultCount: number;
  readonly faults: readonly { line: number; column: number; message: string }[];
}
async function give(
  text: string,
  query = '',
  headers = anna,
): Promise<{ status: number; state: string; report: Report; error?: string }> {
  const answer = await world.app.inject({
    method: 'POST',
    url: `/api/v1/readings-imports?period=900&${query}`,
    headers: { ...headers, 'content-type': 'text/csv' },
    payload: text,
  });
  return { status: answer.statusCode, ...answer.json() };
}
const time = (i: number): string => new Date(FROM + i * 900_000).toISOString();
const table = (values: readonly (number | string)[], who = 'M-1') =>
  `meter,time,value,unit\n${values.map((value, i) => `${who},${time(i)},${value},kWh`).join('\n')}\n`;
const stored = async () => {
  const found = await world.store.intervals.one(meter, { quantity: 'energyImport', from: FROM, to: FROM + 3_600_000 });
  return (
    found &&
    Array.from(found.values, (value) =>
      Number.isNaN(value) ? null : Number((value * 10 ** found.scaler).toPrecision(10)),
    )
  );
};

test('intervals come in as a metering: dry run, all or nothing, duplicates, the same file again', async () => {
  const dry = await give(table([0.25, 0.5]), 'quantity=energyImport&dry=true');
  expect(dry).toMatchObject({ state: 'done', report: { values: 2, fresh: 2 } });
  expect(await stored()).toBeUndefined();
  const wrong = await give(table([0.25, 'x', 0.5]), 'quantity=energyImport');
  expect(wrong.state).toBe('refused');
  expect(wrong.report.faults).toMatchObject([{ line: 3, column: 30 }]);
  expect(await stored()).toBeUndefined();
  expect((await give(table([0.25, 0.5]), 'quantity=energyImport')).state).toBe('done');
  expect(await stored()).toEqual([250, 500, null, null]);
  const states = await world.store.intervals.states(
    meter,
    { quantity: 'energyImport', from: FROM, to: FROM + 900_000 },
    5,
  );
  expect(states[0]).toMatchObject({ quality: 'measured' });
  const again = await give(table([0.25, 0.5]), 'quantity=energyImport');
  expect(again.report.faults[0]?.message).toMatch(/these very bytes were imported .* as import \d+/);
  expect((await give(table([0.25, 0.5]), 'quantity=energyImport&again=true')).report).toMatchObject({
    same: 2,
    fresh: 0,
  });
  expect((await give(table([0.25, 0.6]), 'quantity=energyImport')).report).toMatchObject({ same: 1, changed: 1 });
  expect(await stored()).toEqual([250, 600, null, null]);
});

test('by metering point and time; showings go to the register; what cannot be is told by line', async () => {
  const byPoint = `point,time,value,unit\n${POINT},${time(2)},0.75,kWh\n`;
  expect((await give(byPoint, 'quantity=energyImport')).state).toBe('done');
  expect(await stored()).toEqual([250, 600, 750, null]);
  const before = `point,time,value,unit\n${POINT},2025-11-10T00:00:00Z,1,kWh\n`;
  expect((await give(before, 'quantity=energyImport')).report.faults[0]).toMatchObject({
    line: 2,
    message: expect.stringMatching(/no meter stood/),
  });
  const showing = `meter,obis,time,value,unit\nM-1,1-0:1.8.0,${time(0)},1234.567,kWh\n`;
  const answer = await give(showing);
  expect(answer.report.faults[0]?.message).toMatch(/a register that counts up/);
  const shown = await world.app.inject({
    method: 'POST',
    url: '/api/v1/readings-imports?period=0',
    headers: { ...anna, 'content-type': 'text/csv' },
    payload: showing,
  });
  expect(shown.json()).toMatchObject({ state: 'done', report: { fresh: 1 } });
  const register = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh' } as const;
  expect(Array.from((await world.store.values(meter, register, FROM, FROM + 1)).values)).toEqual([1_234_567]);
  const faults = async (text: string, query = 'quantity=energyImport') =>
    (await give(text, query)).report.faults[0]?.message;
  expect(await faults(table([1], 'nobody'))).toMatch(/there is no meter "nobody"/);
  expect(await faults(table([1]), '')).toMatch(/nothing says what was measured/);
  expect(await faults(table([1]), 'quantity=gasVolume')).toMatch(/counted in m3, not in Wh/);
  expect(await faults(`meter,time,value\nM-1,${time(0).replace(':00.', ':07.')},1\n`)).toMatch(
    /does not begin on a whole 15 minutes/,
  );
  expect(await faults(`meter,time,value\nM-1,2026-12-24T00:00:00Z,1\n`)).toMatch(/future/);
  expect(await faults(`${table([1])}M-1,${time(0)},2,kWh\n`)).toMatch(/line 2 has another value of the same time/);
  const other = await world.as(PRIVILEGES, [(await world.store.access.createSegment('other', null)).id]);
  expect((await give(table([1]), 'quantity=energyImport', other)).report.faults[0]?.message).toMatch(
    /there is no meter/,
  );
});

test('time that was billed is refused, with the bill', async () => {
  const { billing } = world.store;
  const by = { who: 'test', at: NOW };
  const node = await world.store.registry.nodeByCode('metering-point', POINT, 'all');
  const point = node?.id as string;
  const [from, to] = [FROM, FROM + 900_000];
  const contract = await billing.contracts.put(
    { meteringPoint: point, product: 'grid', tariff: 'plain', from: Date.UTC(2026, 9, 31, 23) },
    'all',
    by,
  );
  const run = await billing.runs.begin({ kind: 'bill', name: 'x', from, to, definition: {}, scope: 'all', by });
  const bill = {
    meter,
    contract: contract.id,
    meteringPoint: point,
    kind: 'bill',
    state: 'billed',
    product: 'grid',
    tariffId: contract.tariffId,
  } as const;
  const money = {
    currency: 'NOK',
    scaler: -2,
    amount: 25n,
    total: 25n,
    counts: [1, 0, 0, 0, 0],
    valueVersion: 1,
    seenAt: NOW,
  };
  await billing.bills.write(run.id, [
    { ...bill, ...money, tariffVersion: 1, from, to, previousRun: null, days: null, detail: null, reason: null },
  ]);
  const refused = await give(table([0.9, 0.9]), 'quantity=energyImport');
  expect(refused).toMatchObject({ state: 'refused', report: { faultCount: 1 } });
  expect(refused.report.faults[0]).toMatchObject({
    line: 2,
    message: expect.stringMatching(/1 value lies in time that was billed \(bill .*, grid, .*edit with a reason/),
  });
  expect(await stored()).toEqual([250, 600, 750, null]);
});

interface Ordered {
  readonly id: string;
  readonly state: string;
  readonly sentence: string;
  readonly told: string | null;
  readonly result: Record<string, unknown> | null;
  readonly error?: string;
}
async function order(body: object, headers = anna): Promise<{ status: number; json: Ordered }> {
  const answer = await world.app.inject({ method: 'POST', url: '/api/v1/commands', headers, payload: body });
  return { status: answer.statusCode, json: answer.json() };
}
const executor = () => {
  const context = {
    store: world.store,
    now: () => NOW,
    timeZone: 'Europe/Oslo',
    scheduler: { wake: () => {} },
    log: () => {},
  };
  const vault = vaultOf(Buffer.from(readFileSync(join(folder, 'master-key'), 'utf8').trim(), 'hex'));
  return {
    context: { ...context, vault } as unknown as Context,
    reads: createReads({ store: world.store, now: () => NOW }),
  };
};

test('a tariff changes once for each reference; what was ordered otherwise is refused', async () => {
  const command = {
    kind: 'tariff',
    reference: 'T-1',
    point: POINT,
    product: 'grid',
    tariff: 'other',
    from: '2026-12-01',
  };
  const first = await order(command);
  expect(first).toMatchObject({
    status: 202,
    json: { state: 'done', result: { before: 'plain', from: '2026-11-30T23:00:00Z' } },
  });
  expect(await order(command)).toMatchObject({ status: 200, json: { id: first.json.id, state: 'done' } });
  expect(await order({ ...command, from: '2026-12-02' })).toMatchObject({
    status: 409,
    json: { error: expect.stringMatching(/T-1 was used for another command/) },
  });
  const all = await world.store.billing.contracts.list({ product: 'grid', limit: 10, scope: 'all' });
  expect(all.map(({ tariff, to }) => [tariff, to]).sort()).toEqual([
    ['other', null],
    ['plain', Date.UTC(2026, 10, 30, 23)],
  ]);
  // Another account has references of its own.
  const per = await world.as(PRIVILEGES);
  expect((await order({ ...command, product: 'energy' }, per)).json).toMatchObject({
    state: 'failed',
    sentence: expect.stringMatching(/No contract of energy holds/),
  });
  const begun = await order({
    kind: 'contract',
    reference: 'C-1',
    point: POINT,
    product: 'energy',
    tariff: 'plain',
    from: '2026-11-01',
    contract: '77',
  });
  expect(begun.json).toMatchObject({ state: 'done' });
  expect(
    (
      await order({
        kind: 'contract',
        action: 'end',
        reference: 'C-2',
        point: POINT,
        product: 'energy',
        to: '2026-12-01',
      })
    ).json,
  ).toMatchObject({ state: 'done' });
  expect(
    (
      await order({
        kind: 'tariff',
        reference: 'T-2',
        point: 'nowhere',
        product: 'grid',
        tariff: 'other',
        from: '2026-12-01',
      })
    ).status,
  ).toBe(422);
  const lacking = await world.as(['execute:command']);
  expect((await order({ ...command, reference: 'T-3' }, lacking)).json.error).toMatch(
    /a command tariff needs contract:create/,
  );
});

test('a parameter that nothing writes is kept as refused, with the reason, and its end is told', async () => {
  const told: unknown[] = [];
  const server = createServer((request, answer) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      told.push(JSON.parse(text));
      answer.end();
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  try {
    const where = { kind: 'http', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ends` };
    const put = await world.app.inject({
      method: 'PUT',
      url: '/api/v1/destinations/crm',
      headers: anna,
      payload: { where, format: { kind: 'cim' } },
    });
    expect(put.statusCode).toBe(200);
    const refused = await order({
      kind: 'parameter',
      reference: 'P-1',
      meter: 'M-1',
      parameter: '0-0:96.3.10',
      value: '1',
      callback: 'crm',
    });
    expect(refused.json).toMatchObject({
      state: 'refused',
      sentence: expect.stringMatching(/Nothing here writes "0-0:96\.3\.10" to meters yet/),
      told: 'waiting',
    });
    const { context, reads } = executor();
    await createExecutor(context, reads, 'test').tell();
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]).toMatchObject({ reference: 'P-1', state: 'refused' });
    expect(
      (await order({ kind: 'parameter', reference: 'P-2', meter: 'M-1', parameter: 'clock', value: '2020' })).json
        .state,
    ).toBe('refused');
    expect((await order({ kind: 'read', reference: 'R-1', meter: 'M-1' })).json).toMatchObject({
      state: 'failed',
      sentence: expect.stringMatching(/has no connection/),
    });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => void server.close(done));
  }
});

test('a reading is ordered, looked at until it ends, and gives what came', async () => {
  const { store } = world;
  await store.readout.putConnections(
    [{ meter, protocol: 'dlms', address: 'tcp://127.0.0.1:1', transport: 'wrapper', readout: 'amiable-virtual' }],
    NOW,
  );
  const ordered = await order({ kind: 'read', reference: 'R-2', point: POINT });
  expect(ordered.json).toMatchObject({ state: 'running' });
  const [lease] = await store.work.lease({ worker: 'w', count: 1, now: NOW, hold: 60_000 });
  expect(lease?.meter).toBe(meter);
  const again = await order({ kind: 'read', reference: 'R-2', point: POINT });
  expect(again.json.id).toBe(ordered.json.id);
  const cancelled = await world.app.inject({
    method: 'DELETE',
    url: `/api/v1/commands/${ordered.json.id}`,
    headers: anna,
  });
  expect(cancelled.statusCode).toBe(409);
});

test('files of commands out of the inbox, with results beside; links and wrong files', async () => {
  const { context, reads } = executor();
  const own = { ...context, inbox, access: world.access } as unknown as Context;
  const { store } = world;
  const task = readingsTask(own, commandFiles(own, createExecutor(own, reads, 'test')));
  const place = join(inbox, 'orders');
  mkdirSync(place);
  const put = (name: string, text: string): void => {
    writeFileSync(join(place, name), text);
    utimesSync(join(place, name), new Date(1), new Date(1));
  };
  put(
    'a.csv',
    `reference;kind;point;product;tariff;from\nF-1;tariff;${POINT};grid;plain;2027-01-01\nF-2;tariff;nowhere;grid;plain;2027-01-01\n`,
  );
  put(
    'b.xml',
    `<?xml version="1.0"?>\n<commands>\n<command reference="F-3" kind="parameter" meter="M-1" parameter="relay"/>\n</commands>`,
  );
  put('c.csv', 'reference;kind\nF-4;dance\n');
  put('d.xml', '<!DOCTYPE x><commands/>');
  symlinkSync('/etc/passwd', join(place, 'e.csv'));
  const run = { id: '1', kind: 'readings', creator: 'test', creatorId: null, scope: null, definition: {} } as never;
  const job = { run, due: NOW, signal: new AbortController().signal, progress: () => {} };
  await expect(task({ ...job, parameters: { folder: 'orders', format: 'commands' } })).rejects.toThrow(/4 files/);
  const done = readdirSync(join(place, 'done'));
  const result = (of: string): string =>
    readFileSync(join(place, 'done', done.find((name) => name.endsWith(`${of}.result.csv`)) as string), 'utf8');
  expect(
    result('a.csv')
      .split('\r\n')
      .slice(1, 3)
      .map((line) =>
        line
          .split(',')
          .slice(0, 4)
          .filter((_, i) => i !== 2)
          .join(),
      ),
  ).toEqual(['3,"F-2","refused"', '2,"F-1","done"']);
  expect(result('b.xml')).toMatch(/3,"F-3","\d+","refused","Nothing here writes/);
  const failed = readdirSync(join(place, 'failed'));
  const faults = failed
    .filter((name) => name.endsWith('.faults.csv'))
    .map((name) => readFileSync(join(place, 'failed', name), 'utf8'));
  expect(faults.join()).toMatch(/2,1,"kind/);
  expect(faults.join()).toMatch(/document type is not read/);
  expect(readdirSync(place).sort()).toEqual(['done', 'e.csv', 'failed']);
  expect(
    (await store.delivery.commands.list({ limit: 50, scope: 'all' })).some(({ reference }) => reference === 'F-4'),
  ).toBe(false);
  // Readings the same way.
  put('r.csv', table(['y']));
  await expect(
    task({ ...job, parameters: { folder: 'orders', format: 'csv', quantity: 'energyImport', period: 900 } }),
  ).rejects.toThrow(/r\.csv: refused, 0 new, 0 changed, 1 faults/);
  await expect(task({ ...job, parameters: { folder: '../..', format: 'csv' } })).rejects.toThrow(
    /does not lie in the inbox|there is no folder/,
  );
});

test('an import that breaks while it is written says so, and the same file completes it; retention lets go of what is old', async () => {
  const { store } = world;
  const broken = {
    ...store,
    writeBlocks: () => Promise.reject(new Error('the database went away')),
  } as typeof store;
  const options = optionsShape.parse({ format: 'csv' });
  const caller = { kind: 'system', name: 'test', privileges: new Set(PRIVILEGES), scope: 'all' } as const;
  const order = { options, dry: false, again: false, name: 'mixed.csv', caller };
  const parts = { now: () => NOW, clock: () => NOW, zone: 'Europe/Oslo' };
  // An interval, which is written, and a showing, which is not.
  const text = `meter,quantity,period,time,value,unit\nM-2,energyImport,900,${time(0)},1,kWh\nM-2,1-0:1.8.0,0,${time(0)},5,kWh\n`;
  const bytes = async function* () {
    yield Buffer.from(text);
  };
  await expect(importReadings({ ...parts, store: broken }, order, bytes())).rejects.toThrow(/went away/);
  const [failed] = await store.delivery.imports.list({ limit: 1, scope: 'all' });
  expect(failed).toMatchObject({
    state: 'failed',
    report: { error: expect.stringMatching(/some values may be there; give the file again, it completes them/) },
  });
  expect(await importReadings({ ...parts, store }, order, bytes())).toMatchObject({
    state: 'done',
    report: { values: 2, same: 1, fresh: 1 },
  });

  const later = (days: number) => () => NOW + days * 86_400_000;
  const job = { run: {} as never, due: NOW, signal: new AbortController().signal, progress: () => {}, parameters: {} };
  await retentionOfWork(store, later(799))(job);
  expect(await store.delivery.imports.get(failed?.id as string, 'all')).toBeDefined();
  const told = await retentionOfWork(store, later(801))(job);
  expect(told?.note).toMatch(/\d+ imports of readings and commands older than 800 days/);
  expect(await store.delivery.imports.list({ limit: 1, scope: 'all' })).toEqual([]);
  // What runs, and whose end was not told yet, stays.
  const left = await store.delivery.commands.list({ limit: 50, scope: 'all' });
  expect(left.filter(({ ended, told }) => ended !== null && told !== 'waiting')).toEqual([]);
});
