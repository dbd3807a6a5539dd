/** What somebody with small rights tries, to get at what they may not have. Each case was possible once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Caller, Privilege } from '@amiable/model';
import type { Store } from '@amiable/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createThrottle, netOf } from '../src/access/throttle.ts';
import { createImports } from '../src/features/exchange/run.ts';
import { openTestApp, type TestApp } from './login.ts';

const API_KEY = 'key-of-the-readers-in-this-house';
let folder: string;
let test: TestApp;
let meter: string;
let slave: string;
let foreign: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-attacks-'));
  test = await openTestApp(folder, { apiKeys: [API_KEY] });
  const { store } = test;
  const ids = await store.ensureMeters([{ serial: 'mine' }, { serial: 'behind' }, { serial: 'theirs' }]);
  [meter, slave, foreign] = [...ids.values()] as [string, string, string];
  const segment = await store.access.createSegment('theirs', null);
  await store.access.moveMeters([foreign], segment.id, 'all');
  const dlms = { protocol: 'dlms', transport: 'wrapper', readout: 'amiable-virtual', authentication: 'low' } as const;
  await store.readout.putConnections(
    [
      { meter, address: 'tcp://10.0.0.1:4059', ...dlms },
      { meter: slave, address: `via:${meter}`, ...dlms },
      { meter: foreign, address: 'tcp://10.9.9.9:4059', ...dlms },
    ],
    Date.now(),
  );
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true, force: true });
});

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
async function ask(method: Method, url: string, headers: Record<string, string>, body?: object) {
  const answer = await test.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  return { status: answer.statusCode, text: answer.body };
}
const connection = (address: string, more: object = {}) => ({
  protocol: 'dlms',
  transport: 'wrapper',
  readout: 'amiable-virtual',
  authentication: 'low',
  address,
  ...more,
});
const seal = (of: string) =>
  test.store.readout.putSecrets([{ meter: of, name: 'password', ciphertext: new Uint8Array(40) }], Date.now());

describe('secrets of a connection', () => {
  it('do not follow an address that somebody sets who may not give keys', async () => {
    const path = `/api/v1/meters/${meter}/connection`;
    const fitter = await test.as(['connection:view', 'connection:modify'], [1]);
    expect(await ask('PUT', path, fitter, connection('tcp://10.0.0.2:4059'))).toMatchObject({ status: 200 });
    // A meter that is reached through this one has a password: it goes where this one's address says.
    await seal(slave);
    expect(await ask('PUT', path, fitter, connection('tcp://evil.example:4059'))).toMatchObject({ status: 403 });
    await seal(meter);
    for (const more of [{ authentication: 'none' }, { channel: 'evil' }, { ciphered: true }])
      expect(await ask('PUT', path, fitter, connection('tcp://10.0.0.2:4059', more))).toMatchObject({ status: 403 });
    expect((await test.store.readout.connection(meter, 'all'))?.address).toBe('tcp://10.0.0.2:4059');
    // What leads nowhere else may be changed, and whoever may give keys may do it all.
    expect(await ask('PUT', path, fitter, connection('tcp://10.0.0.2:4059', { client: 2 }))).toMatchObject({
      status: 200,
    });
    const keeper = await test.as(['connection:view', 'connection:modify', 'key:modify'], [1]);
    expect(await ask('PUT', path, keeper, connection('tcp://10.0.0.3:4059'))).toMatchObject({ status: 200 });
    const log = await ask('GET', '/api/v1/audit', await test.as(['audit:view']));
    expect(log.text).toContain('tcp://10.0.0.3:4059');
  });

  it('do not follow a registry file, nor the modems of a channel', async () => {
    const pool = { device: { modems: [{ port: 'tcp://evil.example:1' }] } };
    const path = '/api/v1/channels/channel/gsm';
    expect(await ask('PUT', path, await test.as(['connection:modify']), pool)).toMatchObject({ status: 403 });
    const both: Privilege[] = ['connection:modify', 'connection:delete', 'key:modify'];
    // It serves the meters of other segments too.
    expect(await ask('PUT', path, await test.as(both, [1]), { most: 1 })).toMatchObject({ status: 403 });
    expect(await ask('PUT', path, await test.as(both), pool)).toMatchObject({ status: 200 });
    expect(await ask('DELETE', path, await test.as(both, [1]))).toMatchObject({ status: 403 });

    const report = async (address: string, more: Privilege[], scope: 'all' | number[]) => {
      const headers = await test.as(['execute:import', 'connection:modify', ...more], scope);
      const posted = await test.app.inject({
        method: 'POST',
        url: '/api/v1/imports?kind=connection',
        headers: { ...headers, 'content-type': 'text/csv' },
        payload: `meter,address\nmine,"${address}"\n`,
      });
      for (;;) {
        const found = await ask('GET', `/api/v1/imports/${posted.json().id}`, headers);
        const run = JSON.parse(found.text) as { state: string; report: { faults: { message: string }[] } | null };
        if (run.report) return `${run.state}: ${run.report.faults[0]?.message}`;
        await new Promise((wake) => setTimeout(wake, 10));
      }
    };
    expect(await report('tcp://evil.example:1', [], 'all')).toMatch(/^refused: .*key:modify/);
    expect(await report('modem:1;AT&W', ['key:modify'], 'all')).toMatch(/^refused: .*is wanted/);
    expect(await report(`via:${foreign}`, ['key:modify'], [1])).toMatch(/^refused: .*meter by meter/);
    expect(await report('tcp://10.0.0.4:4059', ['key:modify'], [1])).toBe('done: undefined');
  });

  it('are not asked for behind a meter of another segment', async () => {
    const fitter = await test.as(['connection:view', 'connection:modify', 'key:modify'], [1]);
    const path = `/api/v1/meters/${meter}/connection`;
    const there = await ask('PUT', path, fitter, connection(`via:${foreign}`));
    const nowhere = await ask('PUT', path, fitter, connection('via:999999'));
    expect(there.status).toBe(422);
    expect(there.text.replace(foreign, 'N')).toBe(nowhere.text.replace('999999', 'N'));
  });
});

describe('tasks', () => {
  it('are nobody’s who could not be held to their rights later', async () => {
    const group = (await test.store.access.groups()).find(({ name }) => name === 'reader-program');
    const before = group?.privileges ?? [];
    const give = (privileges: readonly Privilege[]) =>
      test.store.access.changeGroup(group?.id as number, { privileges }, () => {});
    await give([...before, 'task:create', 'execute:run-task']);
    test.access.changed();
    const definition = { kind: 'daily', schedule: { recurrence: { type: 'order' } } };
    const headers = { authorization: `Bearer ${API_KEY}` };
    expect(await ask('POST', '/api/v1/tasks', headers, { name: 'forever', definition })).toMatchObject({
      status: 403,
      text: expect.stringContaining('made by a user'),
    });
    await give(before);
    test.access.changed();
  });

  it('do not find people by their names, nor nodes that one may not see', async () => {
    const headers = await test.as(['task:create', 'execute:run-task', 'meter:view', 'run:view']);
    const by = (attribute: string) => ({
      name: attribute,
      definition: {
        kind: 'daily',
        schedule: { recurrence: { type: 'order' } },
        target: { where: [{ attribute, is: '=', value: 'Kari' }] },
      },
    });
    expect(await ask('POST', '/api/v1/tasks', headers, by('customer'))).toMatchObject({ status: 422 });
    expect(await ask('POST', '/api/v1/tasks', headers, by('premises'))).toMatchObject({ status: 403 });
  });
});

describe('exports', () => {
  it('show nothing that one may not look at, and are no way to search for people', async () => {
    const headers = await test.as(['execute:export', 'meter:view']);
    const where = (attribute: string, value: unknown) =>
      `?selection=${encodeURIComponent(JSON.stringify({ where: [{ attribute, is: '=', value }] }))}`;
    expect(await ask('GET', '/api/v1/exports/connection.csv', headers)).toMatchObject({ status: 403 });
    expect((await ask('GET', '/api/v1/exports/all.xml', headers)).text).not.toContain('tcp://');
    expect(await ask('GET', `/api/v1/exports/meter.csv${where('customer', 'Kari')}`, headers)).toMatchObject({
      status: 422,
    });
    for (const wrong of ['{"meters":{"length":1}}', '{"q":5}', '{"group":{}}', '{"where":{}}'])
      expect(
        await ask('GET', `/api/v1/exports/meter.csv?selection=${encodeURIComponent(wrong)}`, headers),
      ).toMatchObject({ status: 422 });
    await ask('GET', `/api/v1/exports/meter.csv${where('name', 'Oak Lane of Kari')}`, headers);
    const log = await ask('GET', '/api/v1/audit', await test.as(['audit:view']));
    expect(log.text).toContain('export meter.csv');
    expect(log.text).not.toContain('Oak Lane');
  });
});

it('imports of all callers together leave room on the disk', async () => {
  let ended: unknown;
  const exchange = {
    interrupt: async () => {},
    beginRun: async () => '1',
    setRun: async (_: string, state: unknown) => {
      ended = state;
    },
  };
  const imports = createImports({
    store: { exchange } as unknown as Store,
    now: Date.now,
    timeZone: 'UTC',
    log() {},
    held: 1000,
  });
  const caller: Caller = { kind: 'user', name: 'x', privileges: new Set(), scope: 'all' };
  const options = {
    format: 'csv',
    name: null,
    kind: 'meter',
    dry: true,
    takeGood: false,
    mapping: {},
    forms: {},
  } as const;
  const sent = imports.receive(Readable.from([Buffer.alloc(600), Buffer.alloc(600)]), options, caller);
  await expect(sent).rejects.toThrow(/fill the room/);
  expect(ended).toBe('failed');
  await imports.close();
});

it('one household is one address to the throttle, however its addresses are written', () => {
  expect(netOf('2001:db8::1')).toBe('2001:db8:0:0');
  expect(netOf('2001:db8::ab:1:2:3')).toBe(netOf('2001:DB8:0:0::9'));
  expect(netOf('2001:db8:0:1::9')).not.toBe(netOf('2001:db8::9'));
  expect([netOf('::1'), netOf('10.0.0.1'), netOf('fe80::')]).toEqual(['0:0:0:0', '10.0.0.1', 'fe80:0:0:0']);
  const throttle = createThrottle(() => 0);
  for (let i = 1; i <= 30; i++) throttle.failed(`name ${i}`, `2001:db8::${i.toString(16)}`);
  expect(throttle.wait('another', '2001:db8::ffff')).toBeGreaterThan(0);
});
