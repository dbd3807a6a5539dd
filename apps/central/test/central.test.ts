/** The central system whole: a real database, real HTTP, a real MQTT client, real frames. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fromHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { createAnyReader, createHanReader } from '@amiable/meter';
import { type Message, messageToJson, PRIVILEGES } from '@amiable/model';
import { openStore, type Store } from '@amiable/store';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { type Central, startCentral } from '../src/index.ts';
import { sampleMessage } from './sample.ts';

const KEY = 'the-key-of-the-readers';
const folder = mkdtempSync(join(tmpdir(), 'amiable-central-'));
let database: TestDatabase;
let store: Store;
let central: Central;
let base: string;
const lines: string[] = [];
/** Of another role in the process. */
let causes: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  store = await openStore({ url: database.url, migrate: false });
  central = await startCentral({
    store,
    masterKeyFile: join(folder, 'master-key'),
    version: 'test',
    timeZone: 'Europe/Oslo',
    apiKeys: [KEY],
    // Whoever sends readings needs the key, also here.
    guest: PRIVILEGES.filter((privilege) => privilege !== 'execute:ingest'),
    http: { host: '127.0.0.1', port: 0 },
    mqtt: { host: '127.0.0.1', port: 0 },
    causes: () => causes,
    log: (line) => lines.push(line),
  });
  base = `http://127.0.0.1:${central.httpPort}`;
});

afterAll(async () => {
  await central?.stop();
  await store?.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${base}/api/v1/messages`, { method: 'POST', body, headers: { authorization: `Bearer ${KEY}`, ...headers } });
const get = async (path: string) => (await fetch(base + path)).json();

/** Frames of a vector file, as a reader would give them. */
function messagesOf(name: string, keys?: { key: Uint8Array; authKey?: Uint8Array }): Message[] {
  const out: Message[] = [];
  const reader = createHanReader(
    {
      reader: 'attic',
      port: 'han0',
      now: () => 1.8e12,
      crypto: nodeCrypto,
      ...(keys ? { keys: { candidates: () => [keys] } } : {}),
    },
    { message: (m) => out.push(m), drop: () => {} },
  );
  reader.push(fromHex(readFileSync(new URL(`../../../vectors/han/${name}.hex`, import.meta.url), 'utf8')));
  reader.end();
  return out;
}

describe('POST /api/v1/messages', () => {
  it('answers after the commit: accepted, then duplicates', async () => {
    const body = Array.from({ length: 50 }, (_, n) => messageToJson(sampleMessage(n), { raw: true })).join('\n');
    expect(await (await post(body)).json()).toEqual({ accepted: 50, duplicates: 0, rejected: [] });
    expect(await (await post(gzipSync(body), { 'content-encoding': 'gzip' })).json()).toEqual({
      accepted: 0,
      duplicates: 50,
      rejected: [],
    });
    const { meters } = await get('/api/v1/meters?q=6970631401753985');
    expect(meters[0]).toMatchObject({
      serial: '6970631401753985',
      state: 'new',
      maker: 'Kaifa',
      live: { power: 1049 },
    });
    const { messages } = await get(`/api/v1/meters/${meters[0].id}/messages?limit=3`);
    expect(messages.map((m: { id: string }) => m.id)).toEqual([49, 48, 47].map((n) => sampleMessage(n).id));
  });
  it('says what is wrong with the key, the body, the line', async () => {
    expect((await post('{}', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post('{}', { authorization: '' })).status).toBe(401);
    expect((await post('garbage')).status).toBe(422);
    expect((await post('')).status).toBe(422);
    expect((await post(Buffer.alloc(6_000_000, 32))).status).toBe(413);
    expect((await post(Buffer.from('x'), { 'content-encoding': 'gzip' })).status).toBe(422);
    const mixed = await post(`${messageToJson(sampleMessage(100))}\n{"v":7}`);
    expect(await mixed.json()).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: [{ line: 2, reason: expect.stringContaining('version 1') }],
    });
  });
});

describe('the API', () => {
  it('answers only to names of this machine, and takes changes from its own page', async () => {
    const { request } = await import('node:http');
    const status = (headers: Record<string, string>, method = 'GET', path = '/api/v1/status') =>
      new Promise<number>((resolve, reject) => {
        request(base + path, { method, headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode as number);
        })
          .on('error', reject)
          .end();
      });
    expect(await status({})).toBe(200);
    expect(await status({ host: 'evil.example' })).toBe(421);
    expect(await status({ host: `localhost:${central.httpPort}` })).toBe(200);
    expect(await status({ origin: 'http://evil.example' }, 'PATCH', '/api/v1/meters/1')).toBe(403);
  });
  it('names a meter, and says what it does not take', async () => {
    const { meters } = await get('/api/v1/meters');
    const patch = (body: unknown) =>
      fetch(`${base}/api/v1/meters/${meters[0].id}`, {
        method: 'PATCH',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    expect(await (await patch({ name: ' Attic ', place: 'under the roof' })).json()).toMatchObject({
      name: 'Attic',
      state: 'named',
    });
    expect((await patch({ timeZone: 'Mars/Base' })).status).toBe(422);
    expect((await patch({ serial: '1' })).status).toBe(422);
    expect((await fetch(`${base}/api/v1/meters/999999`)).status).toBe(404);
    expect((await fetch(`${base}/api/v1/meters/x`)).status).toBe(422);
    expect((await fetch(`${base}/api/v1/nothing`)).status).toBe(404);
    expect((await get('/api/v1/meters?q=attic')).meters).toHaveLength(1);
  });
  it('explains a message byte by byte', async () => {
    await central.ingest(messagesOf('amshan_kaifa_no_list_2'));
    const { meters } = await get('/api/v1/meters?q=6970631402614476');
    const { messages } = await get(`/api/v1/meters/${meters[0].id}/messages`);
    const one = await get(`/api/v1/meters/${meters[0].id}/messages/${messages[0].id}`);
    expect(one.layers[0].bytes).toBe(one.raw);
    const power = one.readings.findIndex((r: { name: string }) => r.name === 'activePowerImport');
    const field = one.layers[0].fields.find((f: { reading?: number; length: number }) => f.reading === power);
    expect(field).toBeDefined();
    for (const f of one.layers[0].fields) expect(f.offset + f.length).toBeLessThanOrEqual(one.raw.length / 2);
  });
  it('streams live values', async () => {
    const abort = new AbortController();
    const answer = await fetch(`${base}/api/v1/live`, { signal: abort.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('data:')) text += new TextDecoder().decode((await reader.read()).value);
    expect(text).toContain('"power":');
    abort.abort();
  });
  it('tells its health and its figures', async () => {
    expect(await get('/health')).toEqual({ ok: true, causes: [] });
    const metrics = await (await fetch(`${base}/metrics`)).text();
    for (const name of ['journal_waiting', 'journal_lost_total', 'work_queued', 'work_leased', 'scheduler_turns_total'])
      expect(metrics).toMatch(new RegExp(`^amiable_${name} \\d+$`, 'm'));
    expect(metrics).toMatch(/amiable_messages_total\{result="accepted"\} [1-9]/);
  });
  it('is not well when another role in the process is not, and well again after', async () => {
    causes = ['port han0: /dev/ttyUSB0: there is no such device'];
    const answer = await fetch(`${base}/health`);
    expect([answer.status, await answer.json()]).toEqual([503, { ok: false, causes }]);
    expect((await get('/api/v1/status')).causes).toEqual(causes);
    // The central system itself takes messages all the same.
    expect(await (await fetch(`${base}/metrics`)).text()).toMatch(/^amiable_up 1$/m);
    causes = [];
    expect((await fetch(`${base}/health`)).status).toBe(200);
  });
});

describe('what a front door does with odd times, names and places', () => {
  it('takes its own time of receipt when the clock of a reader cannot be right', async () => {
    const odd = (n: number, receivedAt: string) =>
      JSON.stringify({ ...JSON.parse(messageToJson(sampleMessage(n, '7000000000000077'))), receivedAt });
    const answer = await post(`${odd(1, '2099-01-01T00:00:00Z')}\n${odd(2, '1970-01-01T00:00:07Z')}`);
    expect(await answer.json()).toEqual({ accepted: 2, duplicates: 0, rejected: [] });
    const [meter] = (await get('/api/v1/meters?q=7000000000000077')).meters;
    expect(Math.abs(Date.parse(meter.lastSeen) - Date.now())).toBeLessThan(3_600_000);
  });
  it('takes half a character for what it is', async () => {
    const message = { ...sampleMessage(3, 'half \ud800'), reader: 'r\udfff' };
    expect((await (await post(messageToJson(message))).json()).accepted).toBe(1);
    expect((await (await post(messageToJson(message))).json()).duplicates).toBe(1);
  });
  it('says 422 to times and ids that no database has', async () => {
    for (const path of [
      '/meters/1/series?obis=1.7.0&from=999999999999998&to=999999999999999',
      '/meters/1/series?obis=1.7.0&from=0000-01-01T00:00:00Z&to=0001-01-01T00:00:00Z',
      '/meters/9223372036854775808/energy?bucket=day&from=0&to=1000',
    ])
      expect((await fetch(`${base}/api/v1${path}`)).status, path).toBe(422);
  });
  it('counts requests before their bodies come', async () => {
    const { request } = await import('node:http');
    const open = Array.from({ length: 16 }, () => {
      const r = request(`${base}/api/v1/messages`, { method: 'POST', headers: { authorization: `Bearer ${KEY}` } });
      r.on('error', () => {});
      r.write('{');
      return r;
    });
    await expect.poll(async () => (await post('{}')).status).toBe(429);
    for (const r of open) r.destroy();
    await expect.poll(async () => (await post('{}')).status).toBe(422);
  });
});

describe('the broker', () => {
  it('acknowledges what is stored, takes a duplicate once, survives garbage, passes on what was committed', async () => {
    const url = `mqtt://127.0.0.1:${central.mqttPort}`;
    const listener = await connectAsync(url);
    const heard: string[] = [];
    listener.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString()).id));
    await listener.subscribeAsync('amiable/+/message');
    const client = await connectAsync(url);
    const send = (payload: string) => client.publishAsync('amiable/attic/message', payload, { qos: 1 });
    const message = sampleMessage(1000, '7000000000000001');
    await send(messageToJson(message));
    const { meters } = await get('/api/v1/meters?q=7000000000000001');
    expect(meters).toHaveLength(1);
    await send(messageToJson(message));
    await send('garbage');
    await send('{"v":1}');
    expect((await get(`/api/v1/meters/${meters[0].id}/messages`)).messages).toHaveLength(1);
    await central.ingest([sampleMessage(1001, '7000000000000001')]);
    // The listener's own acknowledgement comes after all that was sent to it before.
    await listener.publishAsync('amiable/listener/status', 'x', { qos: 1 });
    expect(heard.filter((id) => id === message.id)).toHaveLength(2);
    expect(heard).toContain(sampleMessage(1001, '7000000000000001').id);
    expect(lines.some((line) => line.includes('no JSON'))).toBe(true);
    await client.endAsync();
    await listener.endAsync();
  });
  it('ends a connection that announces more than a message can have', async () => {
    const { connect } = await import('node:net');
    const socket = connect(central.mqttPort as number, '127.0.0.1');
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await new Promise((resolve) => socket.on('close', resolve));
    expect(lines.some((line) => line.includes('announced'))).toBe(true);
  });
});

describe('a meter whose key is not known', () => {
  it('is listed under its number where it says it (M-Bus), and read when the key comes', async () => {
    const raw = fromHex('681f1f680801727856341224230107050010052929f1f38adbc2c1def5a5c3ba68c32a6016');
    const kept: Message[] = [];
    const reader = createAnyReader(
      { reader: 'cellar', port: 'mbus0', now: () => 1.8e12 },
      { message: (m) => kept.push(m), drop: () => {} },
    );
    reader.push(raw);
    expect(kept[0]).toMatchObject({ protocol: 'mbus', meterId: '12345678', error: { reason: 'noKey' } });
    await central.ingest(kept);
    const [meter] = (await get('/api/v1/meters?q=12345678')).meters;
    const answer = await fetch(`${base}/api/v1/meters/${meter.id}/key`, {
      method: 'PUT',
      body: JSON.stringify({ key: '000102030405060708090a0b0c0d0e0f' }),
      headers: { 'content-type': 'application/json' },
    });
    expect((await answer.json()).reprocessed).toBe(1);
    const { messages } = await get(`/api/v1/meters/${meter.id}/messages?limit=3`);
    expect(messages[0].readings).toMatchObject([{ name: 'volume', value: 1.234, unit: 'm3' }]);
  });
  it('is listed under its system title, its frames kept, and read when the key comes', async () => {
    const expected = JSON.parse(
      readFileSync(new URL('../../../vectors/han/dlmsparser_hdlc_landis_gyr_e450.json', import.meta.url), 'utf8'),
    );
    const kept = messagesOf('dlmsparser_hdlc_landis_gyr_e450');
    expect(kept[0]?.error?.reason).toBe('noKey');
    await central.ingest(kept);
    const before = (await get('/api/v1/status')).messages.unplaced;
    expect(before).toBeGreaterThan(0);
    const title = (await get('/api/v1/meters?q=st:')).meters[0];
    expect(title).toMatchObject({ needsKey: true, hasKey: false, serial: 'st:4C475A677370B177' });
    await fetch(`${base}/api/v1/meters/${title.id}`, {
      method: 'PATCH',
      body: JSON.stringify({ name: 'cellar' }),
      headers: { 'content-type': 'application/json' },
    });
    const put = (key: string) =>
      fetch(`${base}/api/v1/meters/${title.id}/key`, {
        method: 'PUT',
        body: JSON.stringify({ key }),
        headers: { 'content-type': 'application/json' },
      });
    expect((await put('short')).status).toBe(422);
    expect((await (await put('0'.repeat(32))).json()).reprocessed).toBe(0);
    const answer = await put(expected.key ?? expected.keys?.[0]?.key);
    const text = await answer.text();
    expect(JSON.parse(text).reprocessed).toBe(1);
    expect(text.toLowerCase()).not.toContain((expected.key ?? '').toLowerCase() || 'never');
    expect((await get('/api/v1/status')).messages.unplaced).toBe(before - 1);
    // The entry held a place until the meter told its number; the key went where it belongs.
    expect((await get('/api/v1/meters?q=st:4C475A677370B177')).meters).toEqual([]);
    const meter = await get(`/api/v1/meters/${JSON.parse(text).meter}`);
    expect(meter).toMatchObject({ hasKey: true, name: 'cellar', state: 'named' });
    expect(meter.serial).not.toContain('st:');
    expect((await get(`/api/v1/meters/${title.id}`)).error).toContain(`meter ${meter.id}`);
    // After a restart the key is found by the title, however many keys there are.
    const { openMeterKeys } = await import('../src/keys/meter-keys.ts');
    const { openVault } = await import('../src/keys/vault.ts');
    const again = await openMeterKeys(store, openVault(join(folder, 'master-key')));
    expect(again.candidates(fromHex('4C475A677370B177'))[0]).toEqual(again.of(meter.id));
  });
});

describe('a street by its areas', () => {
  it('tells who stands below what, and what an area draws now', async () => {
    const by = { who: 'anna', at: Date.UTC(2026, 10, 20) };
    const r = store.registry;
    const feeder = await r.createNode({ kind: 'feeder', code: 'AREA-F1', name: 'Elm Street' }, 'all', by);
    const point = await r.createNode({ kind: 'metering-point', code: 'AREA-MP', parent: feeder.id }, 'all', by);
    await central.ingest([
      sampleMessage(6000, 'AREA-1', { values: [1200, 0, 2301] }),
      sampleMessage(6000, 'AREA-2', { values: [500, 0, 2301] }),
    ]);
    const one = (await get('/api/v1/meters?q=AREA-1')).meters[0];
    await r.link({ kind: 'installed', child: one.id, parent: point.id, from: by.at }, 'all', by);
    expect(await get('/api/v1/areas')).toEqual({
      areas: [
        {
          id: feeder.id,
          code: 'AREA-F1',
          name: 'Elm Street',
          meters: 1,
          power: { import: 1200, export: 0, meters: 1 },
        },
      ],
      next: null,
    });
    expect(await get('/api/v1/areas?kind=region')).toEqual({ areas: [], next: null });
    const serials = async (query: string) =>
      (await get(`/api/v1/meters?${query}`)).meters.map(({ serial }: { serial: string }) => serial);
    expect(await serials(`under=${feeder.id}`)).toEqual(['AREA-1']);
    expect(await serials('outside=feeder&q=area-')).toEqual(['AREA-2']);
    expect((await fetch(`${base}/api/v1/meters?under=999999`)).status).toBe(404);
    expect((await fetch(`${base}/api/v1/meters?under=${feeder.id}&outside=feeder`)).status).toBe(422);
  });
});

describe('an entry that holds the place of a meter', () => {
  const ciphered = (keys?: { key: Uint8Array }) => messagesOf('dlmsparser_hdlc_landis_gyr_e450', keys);
  const key = JSON.parse(
    readFileSync(new URL('../../../vectors/han/dlmsparser_hdlc_landis_gyr_e450.json', import.meta.url), 'utf8'),
  ).key as string;

  it('goes when a reader in this program reads the meter, though no frame was kept', async () => {
    const [entry] = [...(await store.ensureMeters([{ serial: 'st:4C475A677370B177' }])).values()];
    const { openPlaceholders } = await import('../src/keys/placeholders.ts');
    const { openMeterKeys } = await import('../src/keys/meter-keys.ts');
    const { openVault } = await import('../src/keys/vault.ts');
    const keys = await openMeterKeys(store, openVault(join(folder, 'master-key')));
    const places = await openPlaceholders(store, keys);
    const [read] = ciphered({ key: fromHex(key) }) as [Message];
    const message = Object.assign(Object.create(read) as Message, { meterId: '7000000000000042' });
    // Who only says that a title is his, without our key opening the frame, is not believed.
    const torn = Object.assign(Object.create(message) as Message, {
      raw: message.raw?.map((b, i) => (i > 40 ? b ^ 1 : b)),
    });
    expect(places.stored([{ meter: '1', message: torn }])).toBe(false);
    expect(places.stored([{ meter: '1', message }])).toBe(true);
    await places.settle();
    expect(places.successor(entry as string)).toBe(
      (await store.ensureMeters([{ serial: '7000000000000042' }])).get('7000000000000042'),
    );
    expect(await store.meter(entry as string)).toBeUndefined();
  });
  it('stays when values came under its name', async () => {
    await central.ingest([sampleMessage(5000, 'st:0011223344556677')]);
    const [meter] = (await get('/api/v1/meters?q=st:0011223344556677')).meters;
    expect(meter.needsKey).toBeUndefined();
    expect(await store.removeMeter(meter.id)).toBe(false);
  });
  it('does not end the program when the master key is another one', async () => {
    const { openMeterKeys } = await import('../src/keys/meter-keys.ts');
    const { vaultOf } = await import('../src/keys/vault.ts');
    const told: string[] = [];
    const keys = await openMeterKeys(store, vaultOf(new Uint8Array(32)), (line) => told.push(line));
    expect(keys.size).toBe(0);
    expect(told.join()).toContain('master-key');
    await keys.refresh();
    expect(told).toHaveLength(1);
  });
});
