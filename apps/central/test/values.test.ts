/** Meterings over HTTP: values with qualities, as they stood, and edits that another person approves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intervalRegister, type Privilege, type Quantity, quantityOf } from '@amiable/model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestApp, type TestApp } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-values-'));
const START = Date.UTC(2026, 10, 18);
const Q = 900_000;
const REGISTER = intervalRegister(quantityOf('energyImport') as Quantity, 900);
const EDITOR: Privilege[] = ['reading:view', 'execute:edit-values', 'execute:approve-values', 'system:modify'];
let clock = Date.UTC(2026, 10, 20, 12);
let test: TestApp;
let meter: string;
let other: string;
let anna: Record<string, string>;
let per: Record<string, string>;

beforeAll(async () => {
  test = await openTestApp(folder, { now: () => clock });
  const made = await test.store.ensureMeters([{ serial: 'V1' }, { serial: 'V2' }]);
  [meter, other] = [made.get('V1') as string, made.get('V2') as string];
  const values = [1205, 1180, Number.NaN, 990];
  const quality = ['measured', 'estimated', undefined, 'calculated'] as const;
  await test.store.intervals.write(
    [meter, other].map((of) => ({
      meter: of,
      register: REGISTER,
      scaler: -1,
      start: START,
      step: Q,
      values,
      quality,
    })),
    { source: 'validation', at: clock - 1000 },
  );
  anna = await test.as(EDITOR);
  per = await test.as(EDITOR);
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true });
});

async function call(method: 'GET' | 'POST' | 'PUT', path: string, headers: Record<string, string>, body?: unknown) {
  const answer = await test.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, body: answer.json() };
}
const at = (ms: number): string => new Date(ms).toISOString();
const hour = `from=${at(START)}&to=${at(START + 4 * Q)}`;
const edit = (values: unknown[], more: object = {}) => ({
  edits: [{ meter, quantity: 'energyImport', from: at(START), to: at(START + values.length * Q), values, ...more }],
  reason: 'read off the display',
});

it('gives values with runs of qualities, now and as they stood', async () => {
  const now = await call('GET', `/meters/${meter}/intervals?${hour}`, anna);
  expect(now).toMatchObject({
    status: 200,
    body: {
      quantity: 'energyImport',
      unit: 'Wh',
      period: 900,
      start: at(START),
      asOf: null,
      values: [120.5, 118, null, 99],
      quality: [
        ['measured', 1],
        ['estimated', 1],
        ['missing', 1],
        ['calculated', 1],
      ],
      counts: { measured: 1, estimated: 1, calculated: 1, missing: 1, edited: 0 },
      sum: '337.5',
      version: 1,
    },
  });
  const before = await call('GET', `/meters/${meter}/intervals?${hour}&asOf=${clock - 2000}`, anna);
  expect(before.body).toMatchObject({ start: null, values: [], sum: '0', asOf: at(clock - 2000) });
  expect((await call('GET', `/meters/${meter}/meterings`, anna)).body.meterings).toEqual([
    { quantity: 'energyImport', period: 900, obis: '1-0:1.29.0', unit: 'Wh', first: at(START), last: at(START) },
  ]);
  for (const [path, words] of [
    [`/meters/${meter}/intervals?from=${at(START)}&to=${at(START + 401 * 86_400_000)}`, '400 days'],
    [`/meters/${meter}/intervals?from=${at(START)}&to=${at(START)}`, 'to must come after from'],
    [`/meters/${meter}/intervals?${hour}&quantity=%00`, 'quantity'],
    [`/meters/${meter}/intervals?${hour}&period=0`, 'period'],
  ] as const) {
    const answer = await call('GET', path, anna);
    expect([path, answer.status]).toEqual([path, 422]);
    expect(answer.body.error).toContain(words);
  }
});

it('edits many values or none, exactly, and only by people', async () => {
  const wrong: [object, number, string][] = [
    [{ ...edit(['12.5']), reason: ' ' }, 422, 'say why'],
    [edit(['twelve']), 422, 'no decimal'],
    [edit([`1${'0'.repeat(16)}`]), 422, 'digits'],
    [edit(['0.0000000000001']), 422, '12 decimals'],
    [edit([1], { from: at(START + 1000) }), 422, 'not on the grid'],
    [edit([1], { from: at(clock), to: at(clock + 900_000) }), 422, 'cannot be known yet'],
    [edit([1], { meter: '999' }), 404, 'there is no meter 999'],
    [edit([]), 422, 'values'],
  ];
  for (const [body, status, words] of wrong) {
    const answer = await call('POST', '/edits', anna, body);
    expect([body, answer.status]).toEqual([body, status]);
    expect(answer.body.error).toContain(words);
  }
  // What lies in another segment is not there, and takes what comes with it along.
  const { id: segment } = await test.store.access.createSegment('north', null);
  const north = await test.as(EDITOR, [segment]);
  expect((await call('POST', '/edits', north, edit([1]))).status).toBe(404);
  expect((await call('GET', '/edits', anna)).body).toEqual({ edits: [], next: null });
  clock += 1000;
  const made = await call('POST', '/edits', anna, edit([120.25, '118.125', null]));
  expect(made.body.edits[0]).toMatchObject({
    state: 'applied',
    values: ['120.250', '118.125', null],
    by: expect.stringMatching(/^test \d+$/),
    at: at(clock),
  });
  const now = await call('GET', `/meters/${meter}/intervals?${hour}`, anna);
  expect(now.body).toMatchObject({ values: [120.25, 118.125, null, 99], sum: '337.375', version: 2 });
  const history = await call('GET', `/meters/${meter}/intervals/history?${hour}&limit=2`, anna);
  expect(history.body).toMatchObject({
    more: true,
    states: [
      {
        value: '120.250',
        quality: 'edited',
        source: 'edit',
        edit: made.body.edits[0].id,
        reason: 'read off the display',
      },
      { value: '120.500', quality: 'measured', source: 'reading', user: null, at: at(clock - 2000) },
    ],
  });
  const id = made.body.edits[0].id;
  expect((await call('POST', `/edits/${id}/undo`, north, { reason: 'x' })).status).toBe(404);
  clock += 1000;
  expect((await call('POST', `/edits/${id}/undo`, per, { reason: 'wrong meter' })).body.state).toBe('undone');
  expect((await call('GET', `/meters/${meter}/intervals?${hour}`, anna)).body.values).toEqual([120.5, 118, null, 99]);
  const log = await test.store.access.auditLog({ limit: 10 });
  expect(log.find((e) => e.action === 'POST /api/v1/edits')).toMatchObject({ object: `edit ${id}` });
});

it('waits for another person where two are asked for', async () => {
  expect((await call('PUT', '/edits/rule', anna, { twoPersons: true })).status).toBe(200);
  expect((await call('GET', '/edits/rule', per)).body).toEqual({ twoPersons: true });
  const made = await call('POST', '/edits', anna, edit([7, 8]));
  const id = made.body.edits[0].id;
  expect(made.body.edits[0].state).toBe('waiting');
  expect((await call('GET', `/meters/${meter}/intervals?${hour}`, anna)).body.values).toEqual([120.5, 118, null, 99]);
  const own = await call('POST', `/edits/${id}/approve`, anna);
  expect([own.status, own.body.error]).toEqual([422, expect.stringContaining('another person')]);
  // Nor is the same person another one under another name.
  const { access } = test.store;
  const name = made.body.edits[0].by as string;
  const maker = (await access.users({ limit: 100 })).users.find((one) => one.name === name)?.id as string;
  await access.changeUser(maker, { name: 'somebody else' }, () => {});
  const renamed = await call('POST', `/edits/${id}/approve`, anna);
  expect([renamed.status, renamed.body.error]).toEqual([422, expect.stringContaining('another person')]);
  await access.changeUser(maker, { name }, () => {});
  expect((await call('GET', '/edits?state=waiting', per)).body.edits.map((e: { id: string }) => e.id)).toEqual([id]);
  expect((await call('POST', `/edits/${id}/approve`, per)).body).toMatchObject({ state: 'applied' });
  expect((await call('GET', `/edits/${id}`, anna)).body.decidedBy).not.toBe(made.body.edits[0].by);
  expect((await call('GET', `/meters/${meter}/intervals?${hour}`, anna)).body.values).toEqual([7, 8, null, 99]);
  expect((await call('POST', `/edits/${id}/refuse`, per)).status).toBe(422);
});
