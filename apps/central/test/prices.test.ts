import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAddress, fill, spansOf } from '../src/features/prices/fetch.ts';
import { sourceShape } from '../src/features/prices/shapes.ts';
import { openTestApp, type TestApp, tokenFor } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-prices-'));
let test: TestApp;
let service: Server;
let base = '';
let headers: Record<string, string>;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  test = await openTestApp(folder);
  headers = await tokenFor(test.store, ['price:view', 'price:create', 'price:modify', 'price:delete'], 'all');
  service = createServer((request, response) => answer(request, response));
  await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((done) => service.close(done));
  await test.close();
  rmSync(folder, { recursive: true });
});

const ask = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, payload?: object | string) => {
  const got = await test.app.inject({
    method,
    url,
    headers: {
      ...headers,
      ...(payload === undefined
        ? {}
        : { 'content-type': typeof payload === 'string' ? 'text/csv' : 'application/json' }),
    },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: got.statusCode, body: got.json() };
};
const DAY = 'from=2026-11-19T23:00:00Z&to=2026-11-20T01:00:00Z';

describe('prices by HTTP', () => {
  it('takes a file, says what it was, and shows prices on any grid and as they were known', async () => {
    expect(await ask('PUT', '/api/v1/prices/NO1', { currency: 'NOK', unit: 'kWh' })).toMatchObject({
      status: 200,
      body: { name: 'NO1' },
    });
    const csv = 'Fra;Til;NOK/MWh\n20.11.2026 00:00;20.11.2026 01:00;512,34\n20.11.2026 01:00;20.11.2026 02:00;-7\n';
    const how = encodeURIComponent(JSON.stringify({ timeZone: 'Europe/Oslo' }));
    const dry = await ask('POST', `/api/v1/prices/NO1/import?dry=true&how=${how}`, csv);
    expect(dry.body).toMatchObject({ form: 'csv', read: 2, fresh: 0, changed: 0, faults: [] });
    const taken = await ask('POST', `/api/v1/prices/NO1/import?name=a.csv&how=${how}`, csv);
    expect(taken.body).toMatchObject({
      read: 2,
      fresh: 2,
      from: '2026-11-19T23:00:00.000Z',
      days: ['2026-11-20: 22 of 24 prices lack, from 02:00 to 00:00'],
    });
    const read = await ask('GET', `/api/v1/prices/NO1?${DAY}&step=1800`);
    expect(read.body.prices.map((p: { price: string }) => p.price)).toEqual([
      '0.51234',
      '0.51234',
      '-0.00700',
      '-0.00700',
    ]);
    const wrong = await ask('POST', `/api/v1/prices/NO1/import?how=${how}`, csv.replace('-7', 'seven'));
    expect(wrong.body).toMatchObject({
      fresh: 0,
      changed: 0,
      faults: [{ line: 3, message: expect.stringContaining('"seven" is no price') }],
    });
    expect(
      (
        await ask('POST', '/api/v1/prices/NO1', {
          prices: [{ from: '2026-11-20T00:00:00Z', to: '2026-11-20T01:00:00Z', price: '0.1' }],
        })
      ).body,
    ).toEqual({ fresh: 0, changed: 1 });
    const history = await ask('GET', `/api/v1/prices/NO1/history?${DAY}`);
    expect(history.body.prices.map((p: { price: string; source: string }) => [p.price, p.source])).toEqual([
      ['0.51234', 'a.csv'],
      ['0.1', expect.stringMatching(/^test/)],
      ['-0.00700', 'a.csv'].map((x) => (x === '-0.00700' ? '-0.007' : x)),
    ]);
    const days = await ask('GET', `/api/v1/prices/NO1/days?${DAY}&timeZone=Europe/Oslo`);
    expect(days.body.days).toMatchObject([{ day: '2026-11-20', expected: 24, present: 2 }]);
  });

  it('refuses where it cannot be told what is meant', async () => {
    const json = JSON.stringify({
      data: { ee: [{ timestamp: 1795129200, price: 1 }], fi: [{ timestamp: 1795129200, price: 2 }] },
    });
    const several = await ask('POST', '/api/v1/prices/NO1/import', json);
    expect(several).toMatchObject({
      status: 422,
      body: { error: expect.stringContaining('say which area is meant: there are EE in no named currency, FI') },
    });
    const how = encodeURIComponent(JSON.stringify({ area: 'fi' }));
    expect((await ask('POST', `/api/v1/prices/NO1/import?how=${how}`, json)).body.error).toContain(
      'does not say what its prices are for',
    );
    expect((await ask('POST', '/api/v1/prices/NO1/import', '  ')).status).toBe(422);
    expect((await ask('POST', '/api/v1/prices/none/import', 'x')).status).toBe(404);
    expect((await ask('GET', `/api/v1/prices/NO1?${DAY}&step=60&from=2026-01-01T00:00:00Z`)).status).toBe(422);
  });

  it('asks a service with its key, writes down what came of it, and never tells the key', async () => {
    const seen: string[] = [];
    answer = (request, response) => {
      seen.push(`${request.url} ${request.headers['x-key']}`);
      response.end(
        JSON.stringify([
          { NOK_per_kWh: 0.5, time_start: '2026-11-21T00:00:00+01:00', time_end: '2026-11-21T01:00:00+01:00' },
        ]),
      );
    };
    const source = {
      series: 'NO1',
      url: `${base}/{year}?token={key}`,
      headers: { 'x-key': '{key}' },
      daysBack: 0,
      daysAhead: 1,
    };
    expect((await ask('PUT', '/api/v1/price-sources/no', source)).body).toMatchObject({
      name: 'no',
      hasKey: false,
      good: null,
    });
    expect(await ask('POST', '/api/v1/price-sources/no/fetch', {})).toMatchObject({
      status: 422,
      body: { error: '{key} is asked for and no key is set' },
    });
    expect((await ask('PUT', '/api/v1/price-sources/no/key', { key: 'secret+1' })).body.hasKey).toBe(true);
    expect((await ask('POST', '/api/v1/price-sources/no/fetch', {})).body).toMatchObject({
      taken: [{ form: 'per-kwh', fresh: 1 }],
    });
    expect(seen).toEqual([expect.stringMatching(/^\/\d{4}\?token=secret%2B1 secret\+1$/)]);
    answer = (_, response) => {
      response.statusCode = 403;
      response.end('<b>secret+1</b> is no key');
    };
    expect(await ask('POST', '/api/v1/price-sources/no/fetch', {})).toMatchObject({
      status: 502,
      body: { error: expect.stringContaining('answers 403: … is no key') },
    });
    const { body } = await ask('GET', '/api/v1/price-sources');
    expect(body.sources).toMatchObject([{ name: 'no', good: false, outcome: expect.stringContaining('403') }]);
    expect(JSON.stringify(body)).not.toContain('secret');
    // Another server does not get the key of the first.
    const moved = await ask('PUT', '/api/v1/price-sources/no', { ...source, url: 'https://elsewhere.example/{key}' });
    expect(moved.body.hasKey).toBe(false);
  });

  it('keeps its bounds: schemes, sizes, redirects', async () => {
    const url =
      (text: string, keyed = false) =>
      () =>
        checkAddress(text, keyed);
    expect(url('file:///etc/passwd')).toThrow('http:// or https:// is wanted');
    expect(url('https://a:b@prices.example/')).toThrow('no name or password');
    expect(url('https://{area}.example/')).toThrow('cannot be filled in');
    expect(url('http://prices.example/{key}', true)).toThrow('over https only');
    expect(url('prices')).toThrow('no address');
    await ask('PUT', '/api/v1/price-sources/far', { series: 'NO1', url: `${base}/a` });
    const outcome = async () => (await ask('POST', '/api/v1/price-sources/far/fetch', {})).body.error;
    answer = (_, response) => void response.writeHead(302, { location: `${base}/b` }).end();
    expect(await outcome()).toContain('without end');
    answer = (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    expect(await outcome()).toContain('an address that is not taken');
    answer = (_, response) => {
      const piece = Buffer.alloc(1024 * 1024);
      for (let k = 0; k < 17; k++) response.write(piece);
      response.end();
    };
    expect(await outcome()).toContain('more than 16 MB');
    answer = (request) => request.socket.destroy();
    expect(await outcome()).toContain('does not answer');
    expect((await ask('DELETE', '/api/v1/price-sources/far')).body).toEqual({ removed: true });
    expect((await ask('DELETE', '/api/v1/price-sources/far')).status).toBe(404);
  });

  it('asks for local days, over summer time too', () => {
    const source = sourceShape.parse({
      series: 'NO1',
      url: 'https://prices.example/',
      perDay: true,
      daysBack: 1,
      daysAhead: 2,
    });
    const spans = spansOf(source, 'Europe/Oslo', Date.UTC(2026, 9, 25, 12));
    expect(spans.map((s) => (s.to - s.from) / 3_600_000)).toEqual([24, 25, 24]);
    const words = '{from} {to} {fromDay} {toDay} {day} {year} {month} {dayOfMonth}';
    expect(fill(words, spans[1] as (typeof spans)[0], 'Europe/Oslo', undefined, undefined, false)).toBe(
      '202610242200 202610252300 2026-10-25 2026-10-26 2026-10-25 2026 10 25',
    );
    expect(() => fill('{secret}', spans[0] as (typeof spans)[0], 'UTC', undefined, undefined, true)).toThrow(
      '{secret} means nothing',
    );
  });
});
