/** Displays and microcontrollers over real HTTP and a real database: pictures that stay good, values posted by small firmware. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Meter, PRIVILEGES } from '@amiable/model';
import { openStore, type Store } from '@amiable/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { type Central, startCentral } from '../src/index.ts';

const KEY = 'the-key-of-the-displays';
const NOW = Date.UTC(2026, 10, 20, 15, 37);
const folder = mkdtempSync(join(tmpdir(), 'amiable-display-'));
let now = NOW;
let database: TestDatabase;
let store: Store;
let central: Central;
let base: string;

beforeAll(async () => {
  database = await createTestDatabase();
  store = await openStore({ url: database.url, migrate: false });
  central = await startCentral({
    store,
    masterKeyFile: join(folder, 'master-key'),
    version: 'test',
    timeZone: 'Europe/Oslo',
    now: () => now,
    apiKeys: [KEY],
    // Whoever sends readings needs the key, also here.
    guest: PRIVILEGES.filter((privilege) => privilege !== 'execute:ingest'),
    http: { host: '127.0.0.1', port: 0 },
    log: () => {},
  });
  base = `http://127.0.0.1:${central.httpPort}`;
});
afterAll(async () => {
  await central?.stop();
  await store?.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(base + path, { headers });
const post = async (body: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${base}/api/v1/values`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'text/plain', ...headers },
  });
  return {
    status: answer.status,
    body: (await answer.json()) as { accepted?: number; rejected?: unknown[]; error?: string },
  };
};
const meterOf = async (serial: string): Promise<Meter> =>
  ((await (await get(`/api/v1/meters?q=${serial}`)).json()) as { meters: Meter[] }).meters[0] as Meter;

it('a display of a house without a meter says so', async () => {
  const answer = await get('/display.json');
  expect([answer.status, await answer.json()]).toMatchObject([
    200,
    { meter: null, state: 'none', note: 'No meter yet' },
  ]);
});

describe('POST /api/v1/values', () => {
  it('takes lines of values, with units as people write them', async () => {
    for (let quarter = -8; quarter <= 0; quarter++) {
      const at = (NOW + quarter * 900_000) / 1000;
      const lines = [
        'meter=1SAG1100000292',
        `time=${at}`,
        '1.7.0=0.948 kW',
        '2.7.0=0',
        `1-0:1.8.1=${1000 + quarter * 0.25} kWh`,
        `1-0:1.8.2=${2000 + quarter * 0.125} kWh`,
        `0-1:24.2.1=${500.5 + quarter * 0.1} m3`,
        '32.7.0=238,5 V',
      ];
      expect(await post(lines.join('\r\n'))).toEqual({
        status: 200,
        body: { accepted: 1, duplicates: 0, rejected: [] },
      });
    }
    const meter = await meterOf('1SAG1100000292');
    expect(meter.live).toMatchObject({
      power: 948,
      values: {
        '1.8.1': { value: 1_000_000, unit: 'Wh' },
        '32.7.0': { value: 238.5 },
        '24.2.1': { value: 500.5, unit: 'm3' },
      },
    });
  });
  it('takes the form of the first firmware, its key among the fields, and knows a repetition', async () => {
    const form =
      'api_key=the-key-of-the-displays&meter=fluvius&time=1795187700&UL1=230.1&IL1=  1.5&Pcl=   12.345&Pch=10.5&Pc= 0.500&Pp=0.000&Vg=1234.567&Vw=88.1';
    const headers = { authorization: '', 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post(form, headers)).body).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
    expect((await post(form, headers)).body).toEqual({ accepted: 0, duplicates: 1, rejected: [] });
    const { live } = await meterOf('fluvius');
    expect(live?.values['1.8.2']).toMatchObject({ value: 12345, unit: 'Wh' });
    expect(live?.values['31.7.0']).toMatchObject({ value: 1.5, unit: 'A' });
    expect(live?.power).toBe(500);
  });
  it('says what is wrong', async () => {
    expect((await post('1.7.0=1 W', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post('key=%E0%A4%A&1.7.0=1', { authorization: '' })).status).toBe(401);
    expect((await post('hello')).body.error).toMatch(/no OBIS code/);
    expect((await post('1.7.0=warm')).body.error).toMatch(/no number/);
    expect((await post('1.7.0=1 parsec')).body.error).toMatch(/unit "parsec" is not known/);
    expect((await post('time=yesterday\n1.7.0=1')).body.error).toMatch(/time: seconds/);
    expect((await post('x'.repeat(20_000))).status).toBe(413);
    expect((await post('')).status).toBe(422);
    expect((await post('meter=partly\n1.7.0=1 W\nfoo=2')).body).toMatchObject({ accepted: 1, rejected: [{ line: 3 }] });
  });
});

describe('GET /display', () => {
  it('.json: a meter that counts by rate, and the gas behind it', async () => {
    const { id } = await meterOf('1SAG1100000292');
    const answer = await get(`/display.json?meter=${id}`);
    const display = (await answer.json()) as Record<string, unknown> & { bars: Record<string, unknown>[] };
    expect(display).toMatchObject({
      v: 1,
      meter: { id, name: 'Meter 1SAG1100000292' },
      format: 'day',
      offset: 0,
      title: 'Friday 20 November 2026',
      state: 'ok',
      power: 948,
      // From the first reading on, two hours ago.
      import: 3000,
      media: [{ kind: 'gas', unit: 'm3', value: 500.5, total: 0.8 }],
      next: '2026-11-20T15:40:00.000Z',
    });
    // The first hour is not whole; what runs goes to the last reading.
    expect(display.bars[14]).toMatchObject({ import: 575, quality: 'missing' });
    expect(display.bars[15]).toMatchObject({ import: 1500, label: '15' });
    expect(answer.headers.get('cache-control')).toBe('private, max-age=181');
    const media = (await (
      await get(`/api/v1/meters/${id}/media?bucket=hour&from=${NOW - 7_200_000}&to=${NOW}`)
    ).json()) as {
      media: { buckets: { value: number | null }[] }[];
    };
    expect(media.media[0]?.buckets.map((b) => b.value)).toEqual([0.153333, 0.4, 0.246667]);
  });
  it('.png: nothing is sent twice, not even after the slot when nothing changed', async () => {
    const { id } = await meterOf('1SAG1100000292');
    const path = `/display.png?w=480&h=280&greys=4&meter=${id}`;
    const first = await get(path);
    const etag = first.headers.get('etag') as string;
    const body = Buffer.from(await first.arrayBuffer());
    expect([first.status, first.headers.get('content-type'), body.subarray(1, 4).toString()]).toEqual([
      200,
      'image/png',
      'PNG',
    ]);
    const again = await get(path, { 'if-none-match': etag });
    expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([304, 0]);
    // Within the slot the picture stands, whatever comes in.
    expect((await post(`meter=1SAG1100000292\ntime=${NOW / 1000 + 60}\n1.7.0=5 kW`)).body.accepted).toBe(1);
    now = NOW + 120_000;
    expect((await get(path, { 'if-none-match': `"other", W/${etag}` })).status).toBe(304);
    now = NOW + 200_000;
    const later = await get(path, { 'if-none-match': etag });
    expect(later.status).toBe(200);
    expect(later.headers.get('etag')).not.toBe(etag);
    const past = await get(`${path}&format=day&offset=-1`);
    now = NOW + 2 * 3_600_000;
    expect((await get(`${path}&format=day,-1`, { 'if-none-match': past.headers.get('etag') as string })).status).toBe(
      304,
    );
    now = NOW;
  });
  it('plain bits, turned and inverted', async () => {
    const { id } = await meterOf('1SAG1100000292');
    const bits = async (more: string) => {
      const answer = await get(`/display.png?format=raw&period=week,-1&w=480&h=280&greys=4&meter=${id}${more}`);
      return { headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    const plain = await bits('');
    expect(plain.bytes.length).toBe((480 * 280) / 4);
    expect(['x-width', 'x-height', 'x-bits'].map((name) => plain.headers.get(name))).toEqual(['480', '280', '2']);
    expect(
      plain.bytes.equals(
        Buffer.from(await (await get(`/display.raw?format=week&offset=-1&meter=${id}`)).arrayBuffer()),
      ),
    ).toBe(true);
    const inverted = (await bits('&invert=1')).bytes;
    expect(inverted.every((byte, i) => byte === (~(plain.bytes[i] as number) & 255))).toBe(true);
    const turned = (await bits('&rotate=180')).bytes;
    const pixel = (data: Buffer, x: number, y: number) =>
      ((data[y * 120 + (x >> 2)] as number) >> (6 - (x & 3) * 2)) & 3;
    const places = Array.from({ length: 2000 }, (_, i) => [(i * 7) % 480, (i * 11) % 280] as const);
    expect(places.filter(([x, y]) => pixel(turned, 479 - x, 279 - y) !== pixel(plain.bytes, x, y))).toEqual([]);
  });
  it('.csv: the bars, or 288 steps of power for firmware that draws by itself', async () => {
    const { id } = await meterOf('1SAG1100000292');
    const bars = (await (await get(`/display.csv?meter=${id}`)).text()).trim().split('\n');
    expect([bars.length, bars[0]]).toEqual([25, 'start,label,import_Wh,export_Wh,gas_m3']);
    expect(bars[16]).toMatch(/^2026-11-20T14:00:00\.000Z,15,1500,0,0\.4$/);
    const steps = (await (await get(`/display.csv?meter=${id}&selector=0`)).text()).trim().split(',');
    expect(steps).toHaveLength(288);
    expect(steps).toContain('948');
  });
  it('faults are pictures with their status; wrong questions are told in words', async () => {
    const unknown = await get('/display.png?meter=999999');
    expect([unknown.status, unknown.headers.get('content-type'), unknown.headers.get('cache-control')]).toEqual([
      404,
      'image/png',
      'no-store',
    ]);
    for (const wrong of [
      'w=20',
      'h=5000',
      'greys=1',
      'greys=999',
      'format=fortnight',
      'meter=x',
      'lang=xx',
      'every=1',
      'w=1600&h=1600',
      'offset=1.5',
    ]) {
      const answer = await get(`/display.png?${wrong}`);
      expect([wrong, answer.status]).toEqual([wrong, 422]);
      expect(((await answer.json()) as { error: string }).error.length).toBeGreaterThan(5);
    }
  });
  it('answers under any name of the server to who has the key, and to nobody else', async () => {
    const status = (path: string, headers: Record<string, string> = {}) =>
      new Promise<number>((resolve, reject) => {
        request(base + path, { headers: { host: '192.168.1.10:8080', ...headers } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode as number);
        })
          .on('error', reject)
          .end();
      });
    expect(await status('/display.png')).toBe(421);
    expect(await status('/display.png?key=wrong')).toBe(421);
    expect(await status(`/display.png?key=${KEY}`)).toBe(200);
    expect(await status('/display.json', { authorization: `Bearer ${KEY}` })).toBe(200);
    // The key says who asks, and that it is for displays and readers alone.
    expect(await status(`/api/v1/meters?key=${KEY}`, { authorization: `Bearer ${KEY}` })).toBe(403);
    expect(await status(`/api/v1/meters?key=${KEY}`)).toBe(421);
  });
});
