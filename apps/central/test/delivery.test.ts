/** Deliveries end to end: a real database, a folder, a real HTTP server and a real SFTP server. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intervalRegister, PRIVILEGES, quantityOf } from '@amiable/model';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../src/context.ts';
import { createCourier } from '../src/features/delivery/courier.ts';
import { interruptDead } from '../src/features/delivery/routes.ts';
import { deliveryTask } from '../src/features/delivery/task.ts';
import { vaultOf } from '../src/keys/vault.ts';
import { openTestApp, type TestApp } from './login.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 20, 11);
const DAY = Date.UTC(2026, 10, 18, 23);
let folder = '';
let outbox = '';
let world: TestApp;
let anna: Record<string, string>;
let meter = '';
let clock = NOW;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-delivery-'));
  outbox = mkdtempSync(join(tmpdir(), 'amiable-outbox-'));
  world = await openTestApp(folder, { outbox, now: () => clock, access: { clock: () => clock } });
  anna = await world.as(PRIVILEGES);
  const { store } = world;
  meter = (await store.ensureMeters([{ serial: 'M-1' }])).get('M-1') as string;
  await write(
    Array.from({ length: 96 }, (_, i) => 100 + i),
    clock,
  );
});
afterAll(async () => {
  await world?.close();
  for (const one of [folder, outbox]) rmSync(one, { recursive: true, force: true });
});

const write = (values: readonly number[], at: number, start = DAY, of = meter) =>
  world.store.intervals.write(
    [
      {
        meter: of,
        register: intervalRegister(quantityOf('energyImport') as NonNullable<ReturnType<typeof quantityOf>>, 900),
        scaler: 0,
        start,
        step: 900_000,
        values: Float64Array.from(values),
      },
    ],
    { source: 'validation', at, replace: true },
  );

interface Answer {
  readonly error?: string;
  readonly delivery?: Sent | null;
  readonly deliveries?: readonly Sent[];
  readonly secrets?: readonly string[];
  readonly text?: string;
  readonly faults?: readonly { line: number; column: number; message: string }[];
}
interface Sent extends Answer {
  readonly id: string;
  readonly state: string;
  readonly file: string;
  readonly rows: number;
  readonly corrected: number;
  readonly digest: string;
  readonly bytes: number;
  readonly reason: string | null;
  readonly tries: number;
  readonly nextTry: string | null;
  readonly acknowledgedBy: string | null;
}
async function ask<T = Answer>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  payload?: object,
  headers = anna,
): Promise<{ status: number; json: T & Answer }> {
  const answer = await world.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, json: answer.json() as T & Answer };
}
const put = (name: string, body: object) => ask('PUT', `/api/v1/destinations/${name}`, body);
const run = async (name: string, body = {}): Promise<Sent> => {
  const { status, json } = await ask('POST', `/api/v1/destinations/${name}/deliveries`, body);
  if (status !== 200 || !json.delivery) throw new Error(JSON.stringify(json));
  return json.delivery;
};
const courier = () =>
  createCourier({
    store: world.store,
    vault: vaultOf(Buffer.from(readFileSync(join(folder, 'master-key'), 'utf8').trim(), 'hex')),
    outbox,
    clock: () => clock,
    random: () => 0.5,
    name: 'test',
    log: () => {},
  });

test('a file goes into a folder by a designed format, is kept, and sent again', async () => {
  const columns = [
    { field: 'meter' },
    { field: 'time', date: 'dd.MM.yyyy HH:mm', zone: 'local' },
    { field: 'value', unit: 'kWh', decimals: 3 },
  ];
  expect((await ask('PUT', '/api/v1/formats/simple', { columns })).status).toBe(200);
  const tried = await ask('POST', '/api/v1/formats/try', { name: 'simple' });
  expect(tried.json.text).toMatch(/^meter;time;value\r\n6970631000000001;15\.01\.2026 12:00;0\.250\r\n/);
  const back = await ask('POST', '/api/v1/formats/try', {
    name: 'simple',
    text: 'meter;time;value\nA;15.01.2026 12:00;x\n',
  });
  expect(back.json.faults).toMatchObject([{ line: 2, column: 20 }]);

  expect(
    (
      await put('billing', {
        where: { kind: 'folder', folder: 'to-billing' },
        format: { kind: 'flat', name: 'simple' },
      })
    ).status,
  ).toBe(200);
  const sent = await run('billing');
  expect(sent).toMatchObject({
    state: 'sent',
    rows: 96,
    meters: 1,
    corrected: 0,
    file: `billing-20261118T2300-${sent.id}.csv`,
  });
  const bytes = readFileSync(join(outbox, 'to-billing', sent.file));
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sent.digest);
  expect(bytes.toString().split('\r\n').slice(0, 2)).toEqual(['meter;time;value', 'M-1;19.11.2026 00:00;0.100']);
  expect(readdirSync(join(outbox, 'to-billing'))).toEqual([sent.file]);
  const kept = await world.app.inject({ method: 'GET', url: `/api/v1/deliveries/${sent.id}/file`, headers: anna });
  expect(kept.rawPayload.equals(bytes)).toBe(true);

  rmSync(join(outbox, 'to-billing', sent.file));
  const again = await ask<Sent>('POST', `/api/v1/deliveries/${sent.id}/resend`);
  expect(again.json).toMatchObject({ state: 'sent', resendOf: sent.id, digest: sent.digest });
  expect(readFileSync(join(outbox, 'to-billing', sent.file)).equals(bytes)).toBe(true);
  expect((await ask('DELETE', '/api/v1/formats/simple')).json.error).toMatch(/destination billing uses/);
});

test('what was delivered and changed since goes with the next file, once', async () => {
  clock += 24 * HOUR;
  await write([7777], clock);
  await write(
    Array.from({ length: 96 }, () => 5),
    clock,
    DAY + 24 * HOUR,
  );
  clock += HOUR;
  const next = await run('billing');
  expect(next).toMatchObject({ rows: 97, corrected: 1 });
  expect(readFileSync(join(outbox, 'to-billing', next.file), 'utf8')).toContain('M-1;19.11.2026 00:00;7.777\r\n');
  clock += 24 * HOUR;
  await write(
    Array.from({ length: 96 }, () => 6),
    clock,
    DAY + 48 * HOUR,
  );
  expect(await run('billing')).toMatchObject({ rows: 96, corrected: 0 });
});

test('folders stay below the outbox, links are not written through, and acknowledgements lie beside the file', async () => {
  for (const bad of ['../elsewhere', '/etc', 'a/../../b'])
    expect((await put('bad', { where: { kind: 'folder', folder: bad }, format: { kind: 'cim' } })).status).toBe(422);
  expect(
    (await put('bad', { where: { kind: 'folder', folder: 'x' }, format: { kind: 'cim' }, file: '../x' })).status,
  ).toBe(422);
  symlinkSync('/tmp', join(outbox, 'out'));
  expect(
    (await put('bad', { where: { kind: 'folder', folder: 'out/x' }, format: { kind: 'cim' } })).json.error,
  ).toMatch(/does not lie in the outbox/);
  const where = { kind: 'folder', folder: 'acked' };
  const acknowledge = { by: 'file', within: '2h' };
  expect((await put('acked', { where, format: { kind: 'mscons' }, file: 'same.edi', acknowledge })).status).toBe(200);
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  await run('acked');
  rmSync(join(outbox, 'acked', 'same.edi'));
  symlinkSync(victim, join(outbox, 'acked', 'same.edi'));
  const sent = await run('acked');
  expect(readFileSync(victim, 'utf8')).toBe('untouched');
  expect(readFileSync(join(outbox, 'acked', 'same.edi'), 'latin1')).toMatch(/^UNA/);
  symlinkSync(victim, join(outbox, 'acked', 'same.edi.ack'));
  await courier().acknowledgements();
  expect((await ask<Sent>('GET', `/api/v1/deliveries/${sent.id}`)).json.state).toBe('sent');
  rmSync(join(outbox, 'acked', 'same.edi.ack'));
  clock += 3 * HOUR;
  await courier().acknowledgements();
  expect((await ask<Sent>('GET', `/api/v1/deliveries/${sent.id}`)).json.reason).toMatch(
    /not acknowledged within 120 minutes/,
  );
  writeFileSync(join(outbox, 'acked', 'same.edi.nak'), 'wrong market partner');
  await courier().acknowledgements();
  expect((await ask<Sent>('GET', `/api/v1/deliveries/${sent.id}`)).json).toMatchObject({
    state: 'refused',
    reason: 'wrong market partner',
    acknowledgedBy: 'file',
  });
});

test('HTTP: the body with its digest and the secret; tried again while it is away, refused for good', async () => {
  const seen: { headers: NodeJS.Dict<string | string[]>; body: Buffer }[] = [];
  let status = 503;
  const server: Server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ headers: request.headers, body: Buffer.concat(chunks) });
      answer.writeHead(status, status === 302 ? { location: 'http://elsewhere.example/' } : {}).end('taken as 17');
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
    const body = {
      where: { kind: 'http', url, headers: { 'x-area': 'NO1' } },
      format: { kind: 'cim' },
      retry: { tries: 3, pause: '1m', factor: 2 },
    };
    expect((await put('market', body)).status).toBe(200);
    const secret = await ask('PUT', '/api/v1/destinations/market/secrets', { token: 's3cr3t-token' });
    expect(secret.json.secrets).toEqual(['token']);
    expect(JSON.stringify((await ask('GET', '/api/v1/destinations')).json)).not.toContain('s3cr3t');
    const first = await run('market');
    expect(first).toMatchObject({ state: 'waiting', tries: 1, reason: expect.stringMatching(/answered 503/) });
    expect(Math.abs(Date.parse(first.nextTry as string) - clock - 60_000)).toBeLessThanOrEqual(3000);
    expect(await courier().turn()).toBe(0);
    clock += 66_000;
    await courier().turn();
    status = 200;
    clock += 132_000;
    await courier().turn();
    const sent = (await ask<Sent>('GET', `/api/v1/deliveries/${first.id}`)).json;
    expect(sent).toMatchObject({
      state: 'acknowledged',
      tries: 3,
      acknowledgedBy: 'answer',
      answer: '200 taken as 17',
    });
    expect(seen).toHaveLength(3);
    expect(seen[2]?.headers).toMatchObject({
      authorization: 'Bearer s3cr3t-token',
      'x-area': 'NO1',
      'idempotency-key': `amiable-${first.id}`,
      'content-digest': `sha-256=:${Buffer.from(sent.digest, 'hex').toString('base64')}:`,
      'content-length': String(sent.bytes),
    });
    expect(
      createHash('sha256')
        .update(seen[2]?.body as Buffer)
        .digest('hex'),
    ).toBe(sent.digest);
    status = 400;
    expect(await run('market')).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/answered 400: taken as 17/),
    });
    status = 302;
    expect(await run('market')).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/redirections are not followed/),
    });
    // Another address is not told the token that was given for this one.
    await put('market', { ...body, where: { ...body.where, url: 'http://127.0.0.1:9/other' } });
    expect((await ask('GET', '/api/v1/destinations/market')).json.secrets).toEqual([]);
    let one = await run('market');
    expect(one.state).toBe('waiting');
    for (const wait of [66_000, 132_000]) {
      clock += wait;
      await courier().turn();
    }
    one = (await ask<Sent>('GET', `/api/v1/deliveries/${one.id}`)).json;
    expect(one).toMatchObject({ state: 'failed', reason: expect.stringMatching(/given up after 3 tries/) });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => void server.close(done));
  }
});

/** An SFTP server with files in memory, as ssh2 has one. */
function sftpServer(files: Map<string, Buffer>) {
  const privateKey = ssh2.utils.generateKeyPairSync('ed25519').private;
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('no key');
  const hostKey = `SHA256:${createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
  const { STATUS_CODE } = ssh2.utils.sftp;
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (context.method === 'password' && context.username === 'amiable' && context.password === 'pässword')
        context.accept();
      else context.reject(['password']);
    });
    client.on('ready', () =>
      client.on('session', (accept) =>
        accept().on('sftp', (open) => {
          const sftp = open();
          const handles: { path: string; listed: boolean }[] = [];
          const handleOf = (handle: Buffer) => handles[handle.readUInt32BE(0)] as { path: string; listed: boolean };
          const opened = (id: number, path: string): void => {
            const handle = Buffer.alloc(4);
            handle.writeUInt32BE(handles.push({ path, listed: false }) - 1);
            sftp.handle(id, handle);
          };
          sftp.on('OPEN', (id, path, flags) => {
            if (!path.startsWith('in/')) return sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
            if (flags & 2) files.set(path, Buffer.alloc(0));
            return opened(id, path);
          });
          sftp.on('OPENDIR', opened);
          sftp.on('READDIR', (id, handle) => {
            const one = handleOf(handle);
            if (one.listed) return sftp.status(id, STATUS_CODE.EOF);
            one.listed = true;
            return sftp.name(
              id,
              [...files.keys()].map((path) => ({ filename: path.slice(3), longname: path, attrs: {} as never })),
            );
          });
          sftp.on('READ', (id, handle, at, length) => {
            const bytes = files.get(handleOf(handle).path)?.subarray(at, at + length) ?? Buffer.alloc(0);
            if (bytes.length === 0) sftp.status(id, STATUS_CODE.EOF);
            else sftp.data(id, bytes);
          });
          sftp.on('WRITE', (id, handle, at, data) => {
            const { path } = handleOf(handle);
            const before = files.get(path) as Buffer;
            files.set(path, Buffer.concat([before.subarray(0, at), data]));
            sftp.status(id, STATUS_CODE.OK);
          });
          sftp.on('CLOSE', (id) => sftp.status(id, STATUS_CODE.OK));
          sftp.on('REMOVE', (id, path) =>
            sftp.status(id, files.delete(path) ? STATUS_CODE.OK : STATUS_CODE.NO_SUCH_FILE),
          );
          sftp.on('RENAME', (id, from, to) => {
            if (files.has(to)) return sftp.status(id, STATUS_CODE.FAILURE);
            files.set(to, files.get(from) as Buffer);
            files.delete(from);
            return sftp.status(id, STATUS_CODE.OK);
          });
        }),
      ),
    );
  });
  return { server, hostKey };
}

test('SFTP: the server is known by its key; whole files under their own names; acknowledged by a file', async () => {
  const files = new Map<string, Buffer>();
  const { server, hostKey } = sftpServer(files);
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  try {
    const where = {
      kind: 'sftp',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      user: 'amiable',
      folder: 'in',
      hostKey,
    };
    const body = { where, format: { kind: 'espi' }, file: 'usage.xml', acknowledge: { by: 'file' } };
    expect((await put('sftp', { ...body, where: { ...where, hostKey: `SHA256:${'A'.repeat(43)}` } })).status).toBe(200);
    await ask('PUT', '/api/v1/destinations/sftp/secrets', { password: 'pässword' });
    expect(await run('sftp')).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/showed the key SHA256:.* may be another server/),
    });
    await put('sftp', body);
    // The key belongs to the way: its change has taken the password away.
    expect(await run('sftp')).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/neither password nor private-key/),
    });
    await ask('PUT', '/api/v1/destinations/sftp/secrets', { password: 'wrong' });
    expect(await run('sftp')).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/does not take the user or the secret/),
    });
    await ask('PUT', '/api/v1/destinations/sftp/secrets', { password: 'pässword' });
    const sent = await run('sftp');
    expect(sent).toMatchObject({ state: 'sent', reason: null });
    expect([...files.keys()]).toEqual(['in/usage.xml']);
    expect(
      createHash('sha256')
        .update(files.get('in/usage.xml') as Buffer)
        .digest('hex'),
    ).toBe(sent.digest);
    // Over what an earlier try left.
    expect((await ask<Sent>('POST', `/api/v1/deliveries/${sent.id}/resend`)).json.state).toBe('sent');
    expect([...files.keys()]).toEqual(['in/usage.xml']);
    files.set('in/usage.xml.ack', Buffer.alloc(0));
    await courier().acknowledgements();
    expect((await ask<Sent>('GET', `/api/v1/deliveries/${sent.id}`)).json).toMatchObject({
      state: 'acknowledged',
      acknowledgedBy: 'file',
    });
    await put('sftp', { ...body, where: { ...where, folder: 'secret' } });
    expect(await run('sftp')).toMatchObject({ state: 'refused', reason: expect.stringMatching(/permission denied/) });
  } finally {
    await new Promise<void>((done) => void server.close(() => done()));
  }
});

test('who acknowledges by the route, what is listed, and what another segment sees', async () => {
  const [open] = (await ask('GET', '/api/v1/deliveries?destination=billing')).json.deliveries ?? [];
  const done = await ask<Sent>('POST', `/api/v1/deliveries/${open?.id}/acknowledge`, { reason: 'posted' });
  expect(done.json).toMatchObject({ state: 'acknowledged', reason: 'posted' });
  expect((await ask('POST', `/api/v1/deliveries/${open?.id}/cancel`)).status).toBe(409);
  const other = await world.as(PRIVILEGES, [(await world.store.access.createSegment('other', null)).id]);
  expect((await ask('GET', '/api/v1/deliveries', undefined, other)).json.deliveries).toEqual([]);
  expect((await ask('GET', `/api/v1/deliveries/${open?.id}/file`, undefined, other)).status).toBe(404);
  expect(
    (
      await ask(
        'PUT',
        '/api/v1/destinations/billing',
        { where: { kind: 'folder', folder: 'x' }, format: { kind: 'cim' } },
        other,
      )
    ).status,
  ).toBe(404);
  const blind = await world.as(['execute:deliver', 'delivery:view', 'delivery:modify']);
  expect((await ask('POST', '/api/v1/destinations/billing/deliveries', {}, blind)).json.error).toMatch(
    /it needs reading:view/,
  );
});

const QUARTERS = (value: number): number[] => Array.from({ length: 96 }, () => value);
const textOf = (place: string, file: string): string => readFileSync(join(outbox, place, file), 'utf8');
const text = (row: string): string => row.replace('\r', '');

test('a task of the scheduler delivers metering points over an exchange, and registers at midnight', async () => {
  const { store } = world;
  clock = Date.UTC(2026, 10, 25, 11);
  const midnight = Date.UTC(2026, 10, 23, 23);
  const noon = midnight + 12 * HOUR;
  const by = { who: 'test', at: clock };
  const second = (await store.ensureMeters([{ serial: 'M-2' }])).get('M-2') as string;
  const point = await store.registry.createNode({ kind: 'metering-point', code: 'POINT-1' }, 'all', by);
  const installed = { kind: 'installed', parent: point.id } as const;
  await store.registry.link({ ...installed, child: meter, from: midnight - 240 * HOUR, to: noon }, 'all', by);
  await store.registry.link({ ...installed, child: second, from: noon }, 'all', by);
  await write(QUARTERS(10), clock, midnight);
  await write(QUARTERS(20), clock, midnight, second);
  const register = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh' } as const;
  await store.writeBlocks([
    {
      meter,
      register,
      scaler: 0,
      times: [midnight, midnight + HOUR, midnight + 24 * HOUR],
      values: [1000, 1100, 1960],
    },
  ]);
  const columns = [
    { field: 'point' },
    { field: 'meter' },
    { field: 'obis' },
    { field: 'time', date: 'iso', zone: 'local' },
    { field: 'value', unit: 'Wh', decimals: 0 },
  ];
  await ask('PUT', '/api/v1/formats/wide', { columns });
  const format = { kind: 'flat', name: 'wide' };
  const target = { meters: [meter] };
  const contents = {
    points: { of: 'points', target, quantities: ['energyImport'] },
    registers: { of: 'meters', target, quantities: [], registers: ['1.8.0'] },
  };
  const rowsOf = async (name: 'points' | 'registers'): Promise<string[]> => {
    const body = { where: { kind: 'folder', folder: name }, format, content: contents[name], file: `${name}.csv` };
    const put1 = await put(name, body);
    expect(put1.status, JSON.stringify(put1.json)).toBe(200);
    const definition = {
      kind: 'delivery',
      schedule: { recurrence: { type: 'order' } },
      parameters: { destination: name },
    };
    const task = await ask<Sent>('POST', '/api/v1/tasks', { name: `to ${name}`, definition });
    expect(task.status, JSON.stringify(task.json)).toBe(201);
    const run = (await ask<Sent>('POST', `/api/v1/tasks/${task.json.id}/run`)).json.id;
    const state = async () => (await ask<{ state: string; note: string }>('GET', `/api/v1/runs/${run}`)).json;
    const how = { interval: 10, timeout: 20_000 };
    await expect.poll(async () => (await state()).state, how).toMatch(/done|failed/);
    expect(await state()).toMatchObject({ state: 'done', note: expect.stringContaining(`${name}.csv`) });
    return textOf(name, `${name}.csv`).split('\r\n').slice(1, -1);
  };
  const points = await rowsOf('points');
  expect(points).toHaveLength(96);
  // Of the point, whichever meter stood there; told with the one that stood there last.
  expect(points[0]).toBe('POINT-1;M-2;1-0:1.29.0;2026-11-24T00:00:00+01:00;10');
  expect(points.map((row) => row.split(';').at(-1))).toEqual(
    [...QUARTERS(10).slice(48), ...QUARTERS(20).slice(48)].map(String),
  );
  expect((await rowsOf('registers')).map((row) => row.replace(/^[^;]*;/, ''))).toEqual([
    'M-1;1-0:1.8.0;2026-11-24T00:00:00+01:00;1000',
    'M-1;1-0:1.8.0;2026-11-25T00:00:00+01:00;1960',
  ]);
});

test('what was delivered and taken away is told where the format can say so', async () => {
  clock = Date.UTC(2026, 10, 27, 11);
  const day = Date.UTC(2026, 10, 25, 23);
  await write(QUARTERS(3), clock, day);
  const columns = [
    { field: 'meter' },
    { field: 'time', date: 'iso', zone: 'utc' },
    { field: 'value' },
    { field: 'quality' },
  ];
  await ask('PUT', '/api/v1/formats/whole', { columns, missing: { write: '' } });
  const content = { target: { meters: [meter] }, quantities: ['energyImport'] };
  const formats = { whole: { kind: 'flat', name: 'whole' }, market: { kind: 'cim' } };
  for (const [name, format] of Object.entries(formats)) {
    const made = await put(`gone-${name}`, { where: { kind: 'folder', folder: name }, format, content });
    expect(made.status, JSON.stringify(made.json)).toBe(200);
    expect(await run(`gone-${name}`)).toMatchObject({ rows: 96 });
  }
  clock += 24 * HOUR;
  await write(QUARTERS(4), clock, day + 24 * HOUR);
  const register = intervalRegister(quantityOf('energyImport') as NonNullable<ReturnType<typeof quantityOf>>, 900);
  const values = Float64Array.from([Number.NaN, Number.NaN]);
  const quality = Uint8Array.from([4, 4]);
  await world.store.intervals.write(
    [{ meter, register, scaler: 0, start: day + 2 * HOUR, step: 900_000, values, quality }],
    { source: 'validation', at: clock, replace: true },
  );
  clock += HOUR;
  const told = await run('gone-whole');
  expect(told).toMatchObject({ rows: 98, corrected: 1 });
  expect(textOf('whole', told.file).split('\r\n').slice(1, 4).map(text)).toEqual([
    'M-1;2026-11-26T01:00:00Z;;missing',
    'M-1;2026-11-26T01:15:00Z;;missing',
    expect.stringMatching(/^M-1;2026-11-26T23:00:00Z;.*;measured$/),
  ]);
  expect(await run('gone-market')).toMatchObject({ rows: 96, corrected: 0 });
});

test('a process that died: what it made halfway is failed without bytes, what it made whole is sent by the run that is taken up', async () => {
  const { store } = world;
  const access = { ...world.access, clock: () => clock };
  const context = { store, now: () => clock, timeZone: 'Europe/Oslo', access, log: () => {} } as unknown as Context;
  const { deliveries, imports } = store.delivery;
  const span = {
    from: DAY,
    to: DAY + HOUR,
    asOf: clock,
    created: clock,
    held: clock + 60_000,
    segments: null,
    by: 'test',
  };
  const half = await deliveries.begin({
    ...span,
    destination: 'billing',
    run: '990',
    format: 'cim',
    formatVersion: null,
    file: 'half',
    mediaType: 'application/xml',
  });
  await deliveries.addPart(half, 0, Buffer.from('half'));
  const how = { dry: false, name: 'x.csv', format: 'csv', detail: {}, segments: null, who: 'test', started: clock };
  const importing = await imports.begin({ ...how, held: clock + 60_000 });
  const alive = await imports.begin({ ...how, held: clock + 600_000 });
  await interruptDead(context);
  expect((await imports.get(importing, 'all'))?.state).toBe('running');
  clock += 120_000;
  const before = await deliveries.last('billing');
  await interruptDead(context);
  expect(await deliveries.get(half, 'all')).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/program ended/),
  });
  expect(await deliveries.resend(half, 'test', clock)).toBeUndefined();
  // What was never sent has delivered nothing: the next one's corrections begin where they did.
  expect(await deliveries.last('billing')).toEqual(before);
  expect(await imports.get(importing, 'all')).toMatchObject({ state: 'interrupted', ended: clock });
  expect((await imports.get(alive, 'all'))?.state).toBe('running');

  const task = deliveryTask(context, courier());
  const own = { id: '990', kind: 'delivery', creator: 'test', creatorId: null, scope: null, definition: {} } as never;
  const job = { run: own, due: clock, signal: new AbortController().signal, progress: () => {} };
  const parameters = { destination: 'gone-whole' };
  await task({ ...job, parameters });
  const made = await deliveries.ofRun('990');
  expect(made?.state).toBe('sent');
  await task({ ...job, parameters });
  expect((await deliveries.ofRun('990'))?.id).toBe(made?.id);
});

test('bytes are kept so long as the task says, those of its destination alone', async () => {
  const old = (await ask('GET', '/api/v1/deliveries?destination=gone-whole')).json.deliveries?.at(-1) as Sent;
  const other = (await ask('GET', '/api/v1/deliveries?destination=gone-market')).json.deliveries?.at(-1) as Sent;
  const access = { ...world.access, clock: () => clock };
  const context = { store: world.store, now: () => clock, timeZone: 'Europe/Oslo', access } as unknown as Context;
  const task = deliveryTask(context, courier());
  const bytes = async ({ id }: Sent): Promise<number> =>
    (await world.app.inject({ method: 'GET', url: `/api/v1/deliveries/${id}/file`, headers: anna })).statusCode;
  for (const [days, status] of [
    [798, 200],
    [3, 404],
  ] as const) {
    clock += days * 24 * HOUR;
    const run = {
      id: `${991 + days}`,
      kind: 'delivery',
      creator: 'test',
      creatorId: null,
      scope: null,
      definition: {},
    };
    const job = { run: run as never, due: clock, signal: new AbortController().signal, progress: () => {} };
    await task({ ...job, parameters: { destination: 'gone-whole' } });
    expect(await bytes(old)).toBe(status);
  }
  expect(await bytes(other)).toBe(200);
  expect((await ask<Sent>('GET', `/api/v1/deliveries/${old.id}`)).json.digest).toBe(old.digest);
});
