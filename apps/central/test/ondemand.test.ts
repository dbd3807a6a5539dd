/** Reads on demand over HTTP, with a worker that is played: the database is a real one. */
import { type Caller, type Message, PRIVILEGES } from '@amiable/model';
import { type LeasedMeter, openStore, type Store } from '@amiable/store';
import { parameterSchemas } from '@amiable/tasks/schemas';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import type { Context } from '../src/context.ts';
import { onDemandRoutes } from '../src/features/ondemand/routes.ts';
import type { Read } from '../src/features/ondemand/schema.ts';
import { HttpError } from '../src/http/error.ts';
import { createRouter, type Guard } from '../src/http/router.ts';
import { sampleMessage } from './sample.ts';

let db: TestDatabase;
let store: Store;
let app: FastifyInstance;
let now = Date.UTC(2026, 10, 20, 12);
let meter = '';
let other = '';
const all: Caller = { kind: 'user', name: 'anna', privileges: new Set(PRIVILEGES), scope: 'all' };
let caller: Caller = all;
const audited: string[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  await store.ingest([sampleMessage(0, '111'), sampleMessage(0, '222')]);
  const { meters } = await store.meters({ limit: 10 });
  meter = meters.find(({ serial }) => serial === '111')?.id ?? '';
  other = meters.find(({ serial }) => serial === '222')?.id ?? '';
  await store.readout.putConnections(
    [{ meter, protocol: 'dlms', address: 'tcp://127.0.0.1:1', transport: 'wrapper', readout: 'amiable-virtual' }],
    now,
  );
  app = Fastify();
  app.setErrorHandler((error: Error & { statusCode?: number; issues?: { message: string }[] }, _, reply) =>
    reply
      .code(error instanceof HttpError ? error.status : error.issues ? 422 : 500)
      .send({ error: error.issues?.[0]?.message ?? error.message }),
  );
  const guard = {
    caller: () => caller,
    watch: () => () => {},
    audit: async (...told: unknown[]) => void audited.push(JSON.stringify(told)),
  } as unknown as Guard;
  onDemandRoutes(createRouter(app, guard), { store, now: () => now } as unknown as Context);
  await app.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await app?.close();
  await store?.close();
  await db?.drop();
});

beforeEach(() => {
  caller = all;
  now += 3_600_000;
});

async function ask(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  body?: object,
): Promise<{ code: number; json: Read & { error?: string; reads?: Read[] } }> {
  const answer = await app.inject({ method, url, ...(body && { payload: body }) });
  return { code: answer.statusCode, json: answer.json() };
}

const order = (body: object) => ask('POST', `/api/v1/meters/${meter}/reads`, body);
const lease = (): Promise<readonly LeasedMeter[]> => store.work.lease({ worker: 'w', count: 10, now, hold: 60_000 });

function answerOf(): Message {
  const item = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', scaler: 0 } as const;
  return sampleMessage(1, '111', { time: now, receivedAt: now, list: 'billing', items: [item], values: [4711] });
}

test('registers: leased ahead of all others, watched by events, and what came is given', async () => {
  await store.work.runs.create({
    what: 'task',
    kind: 'daily',
    name: 'daily',
    definition: {},
    meters: [meter, other],
    priority: 5,
    due: now - 1000,
    expires: now + 3_600_000,
    created: now - 1000,
    creator: 'anna',
    scope: null,
    transaction: '',
  });
  const { code, json } = await order({ what: 'registers', set: 'billing' });
  expect(code).toBe(202);
  expect(json).toMatchObject({
    meter,
    serial: '111',
    what: 'registers',
    set: 'billing',
    state: 'waiting',
    sentence: 'The read waits for a worker.',
    by: 'anna',
    result: null,
  });
  const { port } = app.server.address() as { port: number };
  const stream = await fetch(`http://127.0.0.1:${port}/api/v1/reads/${json.id}/events`);
  const [first] = await store.work.lease({ worker: 'w', count: 1, now, hold: 60_000 });
  expect(first?.meter).toBe(meter);
  expect(first?.jobs.map(({ priority, kind }) => `${priority} ${kind}`).sort()).toEqual(['5 daily', '9 registers']);
  const job = first?.jobs.find(({ kind }) => kind === 'registers');
  expect(job?.parameters).toEqual({ set: 'billing' });
  await store.ingest([answerOf()]);
  now += 2000;
  await store.work.finish(
    'w',
    (first?.jobs ?? []).map(({ id }) => ({ job: id, result: 'done', stored: 1 })),
    now,
  );
  const text = await stream.text();
  const told = [...text.matchAll(/^data: (\{.*\})$/gm)].map((found) => JSON.parse(found[1] as string) as Read);
  const last = told.findLast(({ id }) => id !== undefined);
  expect(last).toMatchObject({ state: 'done', sentence: 'The meter was read: 1 value.' });
  expect(last?.result?.registers).toEqual([expect.objectContaining({ obis: '1-0:1.8.0', value: '4711', unit: 'Wh' })]);
  expect(text).toMatch(/event: end\ndata: \{\}\n\n$/);
  expect((await ask('GET', `/api/v1/reads/${json.id}`)).json.result).toEqual(last?.result);
  expect((await ask('GET', `/api/v1/meters/${meter}/reads?limit=3`)).json.reads?.map(({ id }) => id)).toEqual([
    json.id,
  ]);
  expect(audited.join()).toContain(`meter ${meter}`);
  for (const { jobs } of await lease())
    await store.work.finish(
      'w',
      jobs.map(({ id }) => ({ job: id, result: 'done' })),
      now,
    );
});

test('parameters are those that a worker understands', async () => {
  const span = { from: '2026-11-19T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' };
  const [from, to] = [Date.parse(span.from), Date.parse(span.to)];
  const bodies: [object, object][] = [
    [
      { what: 'profile', ...span },
      { profile: 'load', from, to },
    ],
    [
      { what: 'profile', ...span, again: true },
      { profile: 'load', from, to, again: true },
    ],
    [
      { what: 'events', log: 'standard', from: span.from },
      { log: 'standard', from },
    ],
  ];
  for (const [body, parameters] of bodies) {
    const { json } = await order(body);
    const [leased] = await lease();
    expect(leased?.jobs.map((job) => job.parameters)).toEqual([parameters]);
    expect(parameterSchemas[leased?.jobs[0]?.kind as 'profile'].safeParse(parameters).success).toBe(true);
    expect((await ask('DELETE', `/api/v1/reads/${json.id}`)).json.state).toBe('cancelled');
    await store.work.finish(
      'w',
      (leased?.jobs ?? []).map(({ id }) => ({ job: id, result: 'again', reason: 'cancelled' })),
      now,
    );
  }
});

test('a meter that does not answer: tried twice, then a sentence that says so', async () => {
  const { json } = await order({ what: 'events', log: 'standard' });
  for (const times of [1, 2]) {
    const [leased] = await lease();
    expect((await ask('GET', `/api/v1/reads/${json.id}`)).json.sentence).toMatch(
      times === 1 ? /is being called\.$/ : /called again, after: no answer/,
    );
    await store.work.finish(
      'w',
      (leased?.jobs ?? []).map(({ id }) => ({ job: id, result: 'again', reason: 'no answer in 10 s' })),
      now,
    );
    now += 5000;
  }
  const end = (await ask('GET', `/api/v1/reads/${json.id}`)).json;
  expect(end).toMatchObject({
    state: 'failed',
    sentence: 'The meter was not read: no answer in 10 s',
    tries: 2,
    result: null,
  });
});

test('cancelled: nobody reads it any more', async () => {
  const { json } = await order({ what: 'profile', from: '2026-11-19T00:00:00Z', to: '2026-11-20T00:00:00Z' });
  expect(json).toMatchObject({ profile: 'load', from: '2026-11-19T00:00:00.000Z' });
  expect((await ask('DELETE', `/api/v1/reads/${json.id}`)).json).toMatchObject({
    state: 'cancelled',
    sentence: 'The read was cancelled.',
  });
  expect(await lease()).toEqual([]);
  expect((await ask('DELETE', `/api/v1/reads/${json.id}`)).json.state).toBe('cancelled');
});

test('without a worker it says so; time that is over as well', async () => {
  const { json } = await order({ what: 'registers' });
  now += 120_000;
  expect((await ask('GET', `/api/v1/reads/${json.id}`)).json.sentence).toBe(
    'The read waits: no acquisition worker is running.',
  );
  now += 600_000;
  await store.work.runs.expire(now);
  expect((await ask('GET', `/api/v1/reads/${json.id}`)).json).toMatchObject({
    state: 'failed',
    sentence: expect.stringMatching(/^Nobody could read the meter in time/),
  });
});

test('what cannot be is refused before a run is made', async () => {
  const wrong = async (body: object, to = meter) => {
    const { code, json } = await ask('POST', `/api/v1/meters/${to}/reads`, body);
    return `${code} ${json.error}`;
  };
  expect(await wrong({ what: 'registers' }, '99999')).toBe('404 there is no meter 99999');
  expect(await wrong({ what: 'registers' }, other)).toMatch(/^409 meter 222 has no connection/);
  expect(await wrong({ what: 'registers', set: 'nothing' })).toMatch(/^422 set: .* has no set nothing; it has billing/);
  expect(
    await wrong({ what: 'profile', profile: 'x', from: '2026-11-19T00:00:00Z', to: '2026-11-20T00:00:00Z' }),
  ).toMatch(/^422 profile: .*it has load, daily, monthly/);
  expect(await wrong({ what: 'events', log: 'x' })).toMatch(/^422 log: /);
  expect(await wrong({ what: 'profile', from: '2026-11-20T00:00:00Z', to: '2026-11-19T00:00:00Z' })).toBe(
    '422 must come after from',
  );
  expect(await wrong({ what: 'profile', from: '2024-11-20T00:00:00Z', to: '2026-11-19T00:00:00Z' })).toMatch(
    /400 days/,
  );
  expect(await wrong({ what: 'profile', from: 'yesterday', to: '2026-11-19T00:00:00Z' })).toMatch(/^422/);
  expect(await wrong({ what: 'registers', set: 'billing', registers: ['1-0:1.8.0'] })).toMatch(/not both/);
  expect(await wrong({ what: 'registers', registers: ["1'; drop table"] })).toMatch(/OBIS/);
  expect(await wrong({ what: 'all' })).toMatch(/^422/);
  expect((await ask('GET', '/api/v1/reads/1')).code).toBe(404);
});

test('so many of one caller wait, not more; the others are not held up', async () => {
  caller = { ...all, name: 'carl' };
  const codes: number[] = [];
  for (let i = 0; i < 22; i++) codes.push((await order({ what: 'registers' })).code);
  expect(codes.filter((code) => code === 202)).toHaveLength(20);
  expect(codes.filter((code) => code === 429)).toHaveLength(2);
  caller = { ...all, name: 'ben' };
  expect((await order({ what: 'registers' })).code).toBe(202);
});

test('a meter of another segment is as if it were not there, and so are its reads', async () => {
  const { reads } = (await ask('GET', `/api/v1/meters/${meter}/reads`)).json;
  caller = { ...all, scope: [77] };
  expect((await order({ what: 'registers' })).code).toBe(404);
  expect((await ask('GET', `/api/v1/meters/${meter}/reads`)).code).toBe(404);
  for (const path of ['', '/events'])
    expect((await ask('GET', `/api/v1/reads/${reads?.[0]?.id}${path}`)).code).toBe(404);
  expect((await ask('DELETE', `/api/v1/reads/${reads?.[0]?.id}`)).code).toBe(404);
});
