/** Billing over HTTP: from a tariff that is refused to a bill that says why, its CSV, and what a house sees. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localToUtc } from '@amiable/calendar';
import { intervalRegister, PRIVILEGES, type Quantity, quantityOf } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executeRun } from '../src/features/billing/run.ts';
import { openTestApp, type TestApp } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-billing-'));
const ZONE = 'Europe/Oslo';
const START = localToUtc(ZONE, Date.UTC(2025, 9, 1));
const END = localToUtc(ZONE, Date.UTC(2025, 10, 1));
const example = JSON.parse(
  readFileSync(new URL('../../../examples/tariffs/three-rates-seasons.json', import.meta.url), 'utf8'),
) as { calendar: { days: { switches: { at: string }[] }[] } };

let test: TestApp;
let headers: Record<string, string>;
let point: string;
let meter: string;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
async function ask(method: Method, path: string, body?: unknown, as = headers) {
  const answer = await test.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { ...as, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, body: answer.body, json: () => answer.json() };
}

beforeAll(async () => {
  test = await openTestApp(folder);
  headers = await test.as(PRIVILEGES);
  const by = { who: 'test', at: END };
  const ids = await test.store.ensureMeters([{ serial: 'M1', timeZone: ZONE }]);
  meter = ids.get('M1') as string;
  const from = localToUtc(ZONE, Date.UTC(2025, 0, 1));
  point = (await test.store.registry.createNode({ kind: 'metering-point', code: 'MP-1', segment: 1, from }, 'all', by))
    .id;
  await test.store.registry.link({ kind: 'installed', child: meter, parent: point, from }, 'all', by);
  await test.store.intervals.write(
    [
      {
        meter,
        register: intervalRegister(quantityOf('energyImport') as Quantity, 900),
        scaler: 0,
        start: START,
        step: 900_000,
        values: new Float64Array((END - START) / 900_000).fill(250),
      },
    ],
    { source: 'validation', at: END },
  );
});
afterAll(async () => {
  await test?.close();
  rmSync(folder, { recursive: true });
});

describe('over HTTP', () => {
  it('a tariff with a hole is refused with its place, and a good one is published once', async () => {
    const bad = structuredClone(example);
    (bad.calendar.days[0]?.switches[0] as { at: string }).at = '01:00';
    const checked = (await ask('POST', '/tariffs/check', { definition: bad })).json();
    expect(checked.good).toBe(false);
    expect(checked.faults[0]).toMatchObject({ path: 'calendar.days.0.switches.0.at' });
    const refused = await ask('PUT', '/tariffs/rates', { validFrom: '2025-01-01', definition: bad });
    expect(refused.status).toBe(422);
    expect(refused.json().error).toContain('has a hole');
    expect((await ask('POST', '/tariffs/check', { definition: example, meter: true })).json()).toMatchObject({
      good: true,
      meter: { fits: expect.any(Boolean) },
    });
    const put = await ask('PUT', '/tariffs/rates', { validFrom: '2025-01-01', definition: example });
    expect(put.json()).toMatchObject({ version: 1, state: 'draft' });
    expect((await ask('POST', '/tariffs/rates/versions/1/publish', {})).json()).toMatchObject({ state: 'published' });
    expect((await ask('POST', '/tariffs/rates/versions/1/publish', {})).status).toBe(422);
    expect((await ask('DELETE', '/tariffs/rates')).status).toBe(409);
    expect((await ask('GET', '/tariffs/rates')).json()).toMatchObject({ published: 1, draft: null });
    expect((await ask('GET', '/tariffs/none')).status).toBe(404);
  });

  it('a contract is written, a second one of the product ends it, and what is none is refused', async () => {
    const body = { meteringPoint: point, product: 'supply', tariff: 'rates', from: '2025-02-01' };
    const first = (await ask('POST', '/contracts', body)).json();
    expect(first).toMatchObject({ code: 'MP-1', from: '2025-01-31T23:00:00Z', to: null });
    const second = (await ask('POST', '/contracts', { ...body, from: '2025-03-01', reference: 'C-2' })).json();
    const { contracts } = (await ask('GET', `/contracts?meteringPoint=${point}`)).json();
    expect(contracts.map((c: { to: string | null }) => c.to)).toEqual(['2025-02-28T23:00:00Z', null]);
    expect((await ask('POST', '/contracts', { ...body, tariff: 'none' })).json().error).toContain('no tariff "none"');
    expect((await ask('POST', '/contracts', { ...body, parameters: { power: 4.6 } })).status).toBe(422);
    expect((await ask('GET', `/contracts/${second.id}`)).json()).toMatchObject({ reference: 'C-2', cycle: 'month' });
  });

  it('a period is billed, and the bill says of each line why', async () => {
    expect((await ask('POST', '/billing/runs', { of: '2199-01' })).json().error).toContain('is not over');
    expect((await ask('POST', '/billing/runs', { of: 'soon' })).json().error).toContain('write 2026-10');
    const order = await ask('POST', '/billing/runs', { of: '2025-10' });
    expect(order.status).toBe(202);
    const { id } = order.json();
    // Done here; the scheduler may do it too, and nothing is billed twice.
    const run = await test.store.billing.runs.get(id, 'all');
    await executeRun(run as NonNullable<typeof run>, 'all', {
      store: test.store,
      now: () => Date.now(),
      signal: new AbortController().signal,
      progress: () => {},
    });
    const { bills } = (await ask('GET', `/bills?run=${id}`)).json();
    expect(bills).toHaveLength(1);
    const [bill] = bills;
    expect(bill).toMatchObject({ state: 'billed', code: 'MP-1', product: 'supply', tariffVersion: 1 });
    const whole = (await ask('GET', `/bills/${bill.id}`)).json();
    const { lines, total } = whole.detail.rated;
    expect(total).toBe(bill.amount);
    for (const line of lines) {
      expect(line).toMatchObject({
        quantity: expect.any(String),
        unit: expect.any(String),
        amount: expect.any(String),
      });
      expect(line.sentence).toContain(`= ${line.amount}`);
    }
    const energy = whole.detail.rated.determinants.filter((d: { kind: string }) => d.kind === 'energy');
    expect(energy.reduce((sum: number, d: { quantity: string }) => sum + Number(d.quantity), 0)).toBeCloseTo(745, 9);
    const csv = await ask('GET', `/billing/runs/${id}/bills.csv`);
    expect(csv.body.split('\r\n')[1]).toContain(`${bill.id},MP-1,${meter},supply,bill,billed,rates,1,`);
    const rows = (await ask('GET', `/billing/runs/${id}/bills.csv?rows=lines`)).body.trim().split('\r\n');
    expect(rows).toHaveLength(lines.length + 1);
    expect((await ask('GET', `/metering-points/${point}/bills`)).json().bills).toHaveLength(1);
    const house = (
      await ask('GET', `/meters/${meter}/bill?from=2025-10-01T00:00:00%2B02:00&to=2025-11-01T00:00:00%2B01:00`)
    ).json();
    expect(house.bills.map((b: { id: string }) => b.id)).toEqual([bill.id]);
    expect(house.preview[0]).toMatchObject({ total: bill.amount, held: null, tariff: 'rates' });
    const asked = { of: '2025-10', product: 'supply', proposal: { tariff: 'rates', version: 1 } };
    expect((await ask('POST', '/billing/what-if', asked)).json()).toMatchObject({
      points: 1,
      difference: '0.00',
      same: 1,
    });
    // Over a real connection, whose request is closed as soon as it was read.
    const { server } = test.app;
    if (!server.listening) await new Promise<void>((done) => void server.listen(0, '127.0.0.1', () => done()));
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/billing/what-if`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    expect(await answer.json()).toMatchObject({ points: 1, same: 1 });
  });
});
