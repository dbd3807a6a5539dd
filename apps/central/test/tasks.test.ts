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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGES } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from './login.ts';

const schedule = { recurrence: { type: 'order' } };
let folder: string;
let test: TestApp;
let all: Record<string, string>;
let meters: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-tasks-'));
  for (const name of ['in/erp', 'out', 'elsewhere']) mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'out', 'away'));
  test = await openTestApp(folder, { inbox: join(folder, 'in'), outbox: join(folder, 'out') });
  all = await test.as(PRIVILEGES);
  const made = await test.store.ensureMeters([{ serial: 'one' }, { serial: 'two' }]);
  meters = [...made.values()];
  await test.store.readout.putConnections(
    meters.map((meter) => ({
      meter,
      protocol: 'dlms',
      address: 'tcp://127.0.0.1:1',
      transport: 'wrapper',
      readout: 'amiable-virtual',
    })) as never,
    Date.now(),
  );
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true, force: true });
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
async function ask(
  method: Method,
  url: string,
  body?: object,
  headers = all,
): Promise<{ status: number; body: unknown }> {
  const answer = await test.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  return { status: answer.statusCode, body: answer.json() };
}
/** Looks until it is so; the scheduler and the workers take their time. */
async function until<T>(look: () => Promise<T>, is: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (is(value)) return value;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

describe('tasks over HTTP', () => {
  it('are made, read, changed, paused, resumed and taken away', async () => {
    const made = await ask('POST', '/api/v1/tasks', {
      name: 'nightly',
      definition: { kind: 'daily', schedule: { recurrence: { type: 'daily', at: ['04:30'] } } },
    });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'nightly', kind: 'daily', state: 'active', version: 1, definition: { timeZone: 'Europe/Oslo' } },
    });
    const path = `/api/v1/tasks/${(made.body as { id: string }).id}`;
    expect(
      await ask('POST', '/api/v1/tasks', { name: 'nightly', definition: { kind: 'daily', schedule } }),
    ).toMatchObject({ status: 409 });
    expect(await ask('PATCH', path, { version: 1, name: 'evening' })).toMatchObject({
      status: 200,
      body: { name: 'evening', version: 1 },
    });
    expect(await ask('PATCH', path, { version: 7, name: 'x' })).toMatchObject({ status: 409 });
    expect(await ask('POST', `${path}/pause`)).toMatchObject({ body: { state: 'paused', nextDue: null } });
    expect((await ask('POST', `${path}/resume`)).body).toMatchObject({ state: 'active', nextDue: expect.any(Number) });
    const { body } = await ask('GET', `${path}/occurrences?count=3`);
    expect((body as { occurrences: { nominal: string }[] }).occurrences.map((o) => o.nominal.slice(11))).toEqual([
      '04:30',
      '04:30',
      '04:30',
    ]);
    expect(await ask('DELETE', path)).toEqual({ status: 200, body: {} });
    expect(await ask('GET', path)).toMatchObject({ status: 404 });
  });

  it.each([
    [{ kind: 'daily', schedule, target: { group: 'nobody' } }, /no group of meters/],
    [{ kind: 'daily', schedule, target: { types: ['nothing'] } }, /no meter type "nothing"/],
    [{ kind: 'daily', schedule, target: { meters: ['999999'] } }, /none of these meters/],
    [{ kind: 'export', schedule }, /parameters\.kind/],
    [{ kind: 'export', schedule, parameters: { kind: 'all', format: 'csv' } }, /one kind; take xml/],
    [{ kind: 'export', schedule, parameters: { kind: 'meter', folder: '../x' } }, /does not lie in the outbox/],
    [{ kind: 'export', schedule, parameters: { kind: 'meter', folder: 'away/x' } }, /does not lie in the outbox/],
    [{ kind: 'export', schedule, parameters: { kind: 'meter', name: '../{kind}' } }, /parameters\.name/],
    [{ kind: 'export', schedule, parameters: { kind: 'meter', selection: { nonsense: 1 } } }, /nonsense/],
    [{ kind: 'import', schedule, parameters: { folder: 'nowhere' } }, /no folder "nowhere" in the inbox/],
    [{ kind: 'import', schedule, parameters: { kinds: 'meter' } }, /parameters: .*kinds/],
    [{ kind: 'retention', schedule, parameters: { days: 1 } }, /parameters\.days/],
    [{ kind: 'completeness', schedule, parameters: { day: 1 } }, /parameters: .*day/],
    [{ kind: 'backup', schedule }, /cannot do backup/],
    [{ kind: 'retention', schedule, target: { group: 'x' } }, /has no meters/],
    [{ kind: 'daily', schedule: { recurrence: { type: 'cron', expression: '* * *' } } }, /five fields/],
    [{ kind: 'daily', schedule, windows: ['sometime'] }, /no time window/],
  ])('are refused in words: %j', async (definition, words) => {
    const { status, body } = await ask('POST', '/api/v1/tasks', { name: 'bad', definition });
    expect(status).toBe(422);
    expect((body as { error: string }).error).toMatch(words);
  });

  it('need the rights that they will use', async () => {
    const reader = await test.as(['task:view', 'task:create', 'execute:run-task']);
    const clock = { name: 'clock', definition: { kind: 'clock', schedule, parameters: { set: true } } };
    expect(await ask('POST', '/api/v1/tasks', clock, reader)).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('execute:set-clock') },
    });
  });

  it('write registry files to the outbox and take them from the inbox, with the rights of their maker', async () => {
    const maker = await test.as(
      ['task:create', 'task:view', 'run:view', 'execute:run-task', 'execute:export', 'execute:import', 'meter:view'],
      [1],
    );
    const finished = async (name: string, definition: object): Promise<{ state: string; note: string }> => {
      const made = await ask('POST', '/api/v1/tasks', { name, definition }, maker);
      expect(made.status).toBe(201);
      const run = await ask('POST', `/api/v1/tasks/${(made.body as { id: string }).id}/run`, undefined, maker);
      const { id } = run.body as { id: string };
      return until(
        async () => (await ask('GET', `/api/v1/runs/${id}`)).body as { state: string; note: string },
        (r) => ['done', 'failed'].includes(r.state),
      );
    };
    await test.store.ensureMeters([{ serial: 'of another' }]);
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: test.url });
    await client.connect();
    await client.query(`insert into amiable.segment (id, name) values (2, 'other') on conflict do nothing`);
    await client.query(`update amiable.meter set segment = 2 where serial = 'of another'`);
    await client.end();
    const parameters = { folder: 'erp/meters', kind: 'meter', name: '{kind}-{date}', selection: { q: 'o' } };
    const out = await finished('to the ERP', { kind: 'export', schedule, parameters });
    expect(out).toMatchObject({
      state: 'done',
      note: expect.stringMatching(/^meter-\d{4}-\d\d-\d\d\.csv, \d+ bytes$/),
    });
    const [file, ...more] = readdirSync(join(folder, 'out/erp/meters'));
    expect(more).toEqual([]);
    const text = readFileSync(join(folder, 'out/erp/meters', file as string), 'utf8');
    expect(text).toMatch(/^serial,.*\r\none,.*\r\ntwo,/);
    expect(text).not.toContain('of another');
    const { audit } = (await ask('GET', '/api/v1/audit?action=task%20export')).body as {
      audit: { object: string }[];
    };
    expect(audit).toMatchObject([{ object: `export ${file}` }]);

    const put = join(folder, 'in/erp/meter-1.csv');
    writeFileSync(put, 'serial,name\none,Storgata 1\n');
    utimesSync(put, 1e9, 1e9);
    expect(await finished('from the ERP', { kind: 'import', schedule, parameters: { folder: 'erp' } })).toEqual(
      expect.objectContaining({ state: 'done', note: 'meter-1.csv: done, 0 new, 1 changed, 0 refused' }),
    );
    expect(readdirSync(join(folder, 'in/erp'))).toEqual(['done']);
  });

  it('run on order; the run is followed to its end, cut by who ordered it', async () => {
    const made = await ask('POST', '/api/v1/tasks', { name: 'ordered', definition: { kind: 'daily', schedule } });
    const run = await ask('POST', `/api/v1/tasks/${(made.body as { id: string }).id}/run`, {
      meters: [meters[0]],
      priority: 9,
    });
    expect(run).toMatchObject({ status: 202, body: { state: 'waiting', priority: 9 } });
    const { id } = run.body as { id: string };
    const events = test.app.inject({ method: 'GET', url: `/api/v1/runs/${id}/events`, headers: all });
    const leased = await until(
      () => test.store.work.lease({ worker: 'w', count: 9, now: Date.now(), hold: 60_000 }),
      (l) => l.length > 0,
    );
    expect(leased.map((m) => m.meter)).toEqual([meters[0]]);
    const outcomes = leased.flatMap((m) =>
      m.jobs.map((job) => ({ job: job.id, result: 'failed' as const, reason: 'silent', stored: 3 })),
    );
    await test.store.work.finish('w', outcomes, Date.now());
    const text = (await events).payload;
    expect(text).toContain('event: run');
    expect(text).toMatch(/"state":"failed"[^\n]*\n\nevent: end/);
    expect((await ask('GET', `/api/v1/runs/${id}/jobs`)).body).toMatchObject({
      jobs: [{ serial: 'one', state: 'failed', reason: 'silent', stored: 3 }],
      next: null,
    });
    expect(await ask('POST', `/api/v1/runs/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { error: 'the run has ended (failed)' },
    });
    expect((await ask('GET', '/api/v1/workers')).body).toMatchObject({
      workers: [expect.objectContaining({ worker: 'w', jobs: 1, finished: 1 })],
    });
  });
});

describe('flows over HTTP', () => {
  it('that go round are refused with the circle; tasks in use stay', async () => {
    const task = (
      (await ask('POST', '/api/v1/tasks', { name: 'step', definition: { kind: 'daily', schedule } })).body as {
        id: string;
      }
    ).id;
    const step = (name: string, after: string) => ({ name, task, after: [{ step: after }] });
    const round = await ask('POST', '/api/v1/flows', {
      name: 'round',
      definition: { schedule, steps: [step('a', 'b'), step('b', 'a')] },
    });
    expect(round).toMatchObject({ status: 422, body: { error: expect.stringContaining('a → b → a') } });
    const good = await ask('POST', '/api/v1/flows', {
      name: 'good',
      definition: { schedule, steps: [{ name: 'a', task }] },
    });
    expect(good.status).toBe(201);
    expect(await ask('DELETE', `/api/v1/tasks/${task}`)).toMatchObject({
      status: 409,
      body: { error: 'the flow good has it as a step' },
    });
    expect(
      await ask('POST', '/api/v1/flows', {
        name: 'lost',
        definition: { schedule, steps: [{ name: 'a', task: '999' }] },
      }),
    ).toMatchObject({ status: 422 });
  });
});

describe('channels over HTTP', () => {
  it('have limits and windows', async () => {
    const set = { most: 4, windows: ['mon-fri 20:00-06:00'] };
    expect(await ask('PUT', '/api/v1/channels/channel/gsm', set)).toMatchObject({ status: 200 });
    expect((await ask('GET', '/api/v1/channels')).body).toMatchObject({
      channels: [{ kind: 'channel', name: 'gsm', most: 4, windows: [{ days: [1, 2, 3, 4, 5], from: 1200, to: 360 }] }],
    });
    expect(await ask('PUT', '/api/v1/channels/line/gsm', set)).toMatchObject({ status: 422 });
    expect(await ask('DELETE', '/api/v1/channels/channel/gsm')).toMatchObject({ status: 200 });
    expect(await ask('DELETE', '/api/v1/channels/channel/gsm')).toMatchObject({ status: 404 });
  });
});
