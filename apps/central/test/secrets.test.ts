/**
 * Passwords and keys are nowhere but where they belong: after a full run everything that the system wrote is searched for each secret that was
 * used in it: logs, the transaction log, the audit, every text of the database, answers of the API, a backup. In any of the
 * forms in which bytes are written down: text, hexadecimal, base64.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PRIVILEGES } from '@amiable/model';
import { backup, openStore, type Store } from '@amiable/store';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { secretOwner } from '../src/acquisition/access.ts';
import { startWorker } from '../src/acquisition/index.ts';
import { type Central, startCentral } from '../src/central.ts';
import { openVault } from '../src/keys/vault.ts';
import { type Fleet, startFleet } from './faults/fleet.ts';
import { createSite, type Site } from './faults/site.ts';
import { type FastClock, fastClock } from './faults/time.ts';
import { DAY } from './virtual-line.ts';

const MIDNIGHT = Date.UTC(2026, 10, 19, 23);
const ADMIN_PASSWORD = 'correct horse battery staple 4711';
const METER_KEY = randomBytes(16);

let db: TestDatabase;
let folder: string;
let store: Store;
let clock: FastClock;
let fleet: Fleet;
let site: Site;
let central: Central;
const written: { where: string; text: string }[] = [];
const restore: (() => void)[] = [];
const say = (where: string, text: string): void => void written.push({ where, text });

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr] as const) {
    const own = stream.write.bind(stream);
    const before = stream.write;
    restore.push(() => {
      stream.write = before;
    });
    stream.write = ((...given: Parameters<typeof own>) => {
      say(stream === process.stdout ? 'stdout' : 'stderr', String(given[0]));
      return own(...given);
    }) as typeof stream.write;
  }
  folder = await mkdtemp(join(tmpdir(), 'amiable-secrets-'));
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  // At the pace of the machine: on a busy one nothing must seem late.
  clock = fastClock(MIDNIGHT + DAY / 2, Date.now(), 1);
  fleet = await startFleet(4, clock);
  await writeFile(join(folder, 'master.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  central = await startCentral({
    store,
    masterKeyFile: join(folder, 'master.key'),
    version: 'test',
    timeZone: 'Europe/Oslo',
    now: clock.now,
    apiKeys: ['an-api-key-of-a-reader-0815'],
    http: { host: '127.0.0.1', port: 0 },
    guest: PRIVILEGES,
    log: (line: string) => say('log', line),
  } as never);
  site = await createSite(store, fleet, clock.now);
}, 120_000);

afterAll(async () => {
  for (const undo of restore) undo();
  await central?.stop();
  await fleet?.close();
  await store?.close();
  await db?.drop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A secret in the forms in which it might stand somewhere. */
function forms(name: string, bytes: Uint8Array): { name: string; form: string }[] {
  const buffer = Buffer.from(bytes);
  const texts = [buffer.toString('hex'), buffer.toString('base64').replace(/=+$/, ''), buffer.toString('base64url')];
  if (/^[\x20-\x7e]{6,}$/.test(buffer.toString('latin1'))) texts.push(buffer.toString('latin1'));
  return texts.map((form) => ({ name, form }));
}

test('nothing that the system wrote in a full run holds a secret', async () => {
  const vault = openVault(join(folder, 'master.key'));
  const secrets = [
    ...forms('master key', Buffer.from((await readFile(join(folder, 'master.key'), 'utf8')).trim(), 'hex')),
    ...forms('password of a user', Buffer.from(ADMIN_PASSWORD)),
    ...forms('key of a HAN meter', METER_KEY),
    ...forms('key of a reader', Buffer.from('an-api-key-of-a-reader-0815')),
  ];
  for (const [i, meter] of fleet.meters.entries()) {
    const { password, management } = meter.credentials.stored;
    // One has a wrong password, one a wrong key: refusals are written, too.
    const own = {
      password: i === 2 ? Buffer.from('WrongSecretPassword') : password,
      'unicast-key': i === 3 ? randomBytes(16) : management.unicast,
      'authentication-key': management.authentication,
    };
    const id = site.ids[i] as string;
    const names = i % 2 === 0 ? (['password'] as const) : (['unicast-key', 'authentication-key'] as const);
    await store.readout.putSecrets(
      names.map((name) => ({ meter: id, name, ciphertext: vault.seal(own[name], secretOwner(id, name)) })),
      clock.now(),
    );
    for (const name of names) secrets.push(...forms(`${name} of meter ${i + 1}`, own[name]));
  }

  const base = `http://127.0.0.1:${central.httpPort}`;
  const ask = async (method: string, path: string, body?: unknown): Promise<string> => {
    const answer = await fetch(`${base}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    say(`${method} ${path}`, `${[...answer.headers].join('\n')}\n${text}`);
    return text;
  };
  await ask('POST', '/api/v1/login', { name: 'nobody', password: ADMIN_PASSWORD });
  await ask('POST', '/api/v1/first', { code: 'wrong', name: 'anna', password: ADMIN_PASSWORD });
  await ask('PUT', `/api/v1/meters/${site.ids[0]}/key`, { key: METER_KEY.toString('hex') });
  await ask('PUT', `/api/v1/meters/${site.ids[0]}/key`, { key: `${METER_KEY.toString('hex')}zz` });

  const runs = await site.order(['profile', 'events', 'clock', 'registers'], {
    from: MIDNIGHT - DAY,
    to: MIDNIGHT,
    apdus: true,
  });
  const worker = startWorker({
    store,
    vault,
    name: 'w',
    now: clock.now,
    clock,
    poll: 20,
    pause: 10,
    hold: 600_000,
    log: (line) => say('worker log', line),
  });
  const ordered = JSON.parse(await ask('POST', `/api/v1/meters/${site.ids[0]}/reads`, { what: 'registers' })) as {
    id: string;
  };
  // The two that are refused are tried until they are cancelled.
  for (;;) {
    const all = await Promise.all(runs.map((id) => store.work.runs.get(id)));
    if (all.every((run) => (run?.counts.done ?? 0) >= 2 && (run?.counts.tries ?? 0) >= 3)) break;
    await new Promise((go) => setTimeout(go, 20));
  }
  for (const id of runs) await store.work.runs.change(id, ['waiting', 'running'], 'cancelled', clock.now());
  await worker.stop();
  await store.journal.flush();

  const paths = [
    `/api/v1/reads/${ordered.id}`,
    `/api/v1/meters/${site.ids[0]}`,
    '/api/v1/meters',
    '/api/v1/transactions?limit=500',
    `/api/v1/transactions?meter=${site.ids[0]}&limit=500`,
    '/api/v1/audit?limit=500',
    '/api/v1/status',
    '/api/v1/openapi.json',
    '/health',
    '/metrics',
    `/api/v1/meters/${site.ids[2]}/connection`,
    '/api/v1/connections?limit=100',
  ];
  for (const path of paths) await ask('GET', path);

  // The read on demand has gone the same way.
  const now = JSON.parse(await ask('GET', `/api/v1/reads/${ordered.id}`)) as {
    state: string;
    result: { registers: object[] };
  };
  expect(now.state).toBe('done');
  expect(now.result.registers).toContainEqual(expect.objectContaining({ obis: '1-0:1.8.0', unit: 'Wh' }));

  const admin = new pg.Client({ connectionString: db.url });
  await admin.connect();
  const { rows: tables } = await admin.query(
    `select table_name as name from information_schema.tables where table_schema = 'amiable' and table_type = 'BASE TABLE'`,
  );
  for (const { name } of tables as { name: string }[]) {
    // Bytes come as hexadecimal, so that a key kept as it is would be seen.
    const { rows } = await admin.query(`select t::text as text from amiable."${name}" t limit 20000`);
    say(`table ${name}`, (rows as { text: string }[]).map(({ text }) => text).join('\n'));
  }
  await admin.end();
  const file = join(folder, 'all.backup');
  await backup({ url: db.url, file });
  const packed = await readFile(file);
  say('backup file', packed.toString('latin1'));
  if (packed[0] === 0x1f && packed[1] === 0x8b) say('backup file, unpacked', gunzipSync(packed).toString('latin1'));

  expect(written.find(({ where }) => where === 'table transaction')?.text.length).toBeGreaterThan(1000);
  expect(written.find(({ where }) => where === 'table connection_secret')?.text.length).toBeGreaterThan(100);
  const search = (all: typeof written): string[] => {
    const found = new Set<string>();
    for (const { where, text } of all) {
      const lower = text.toLowerCase();
      // Hexadecimal may be written in capitals.
      for (const { name, form } of secrets)
        if (text.includes(form) || (/^[0-9a-f]+$/.test(form) && lower.includes(form))) found.add(`${name} in ${where}`);
    }
    return [...found];
  };
  // The search finds what is there, in every form.
  for (const { name, form } of secrets)
    expect(search([{ where: 'a line', text: `key=${form};` }])).toContain(`${name} in a line`);
  expect(search(written)).toEqual([]);
}, 180_000);
