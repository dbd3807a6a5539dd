/** Deliveries and commands against who sees less, or answers never. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGES } from '@amiable/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCourier } from '../src/features/delivery/courier.ts';
import { folderWay } from '../src/features/delivery/ways/folder.ts';
import { ask } from '../src/features/delivery/ways/http.ts';
import { vaultOf } from '../src/keys/vault.ts';
import { openTestApp, type TestApp } from './login.ts';

const NOW = Date.UTC(2026, 10, 20, 11);
let folder = '';
let outbox = '';
let world: TestApp;
let anna: Record<string, string>;
/** What is made later than now is left alone by what the server does by itself. */
let clock = NOW;
const LATER = NOW + 1000;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-hostile-'));
  outbox = mkdtempSync(join(tmpdir(), 'amiable-hostile-out-'));
  world = await openTestApp(folder, { outbox, now: () => NOW, access: { clock: () => clock } });
  anna = await world.as(PRIVILEGES);
});
afterAll(async () => {
  await world?.close();
  for (const one of [folder, outbox]) rmSync(one, { recursive: true, force: true });
});

async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object, headers = anna) {
  const answer = await world.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  return { status: answer.statusCode, json: answer.json() };
}

test('what waits for a destination does not go to another of its name, of somebody who sees less', async () => {
  const destination = (to: string) => ({
    where: { kind: 'folder', folder: to },
    format: { kind: 'cim' },
    empty: 'send',
  });
  expect((await call('PUT', '/api/v1/destinations/next', destination('ours'))).status).toBe(200);
  clock = LATER;
  const made = await call('POST', '/api/v1/destinations/next/deliveries', { send: false });
  clock = NOW;
  expect(made.json.delivery).toMatchObject({ state: 'waiting' });
  expect((await call('DELETE', '/api/v1/destinations/next')).status).toBe(200);
  const { id: segment } = await world.store.access.createSegment('other', null);
  const other = await world.as(PRIVILEGES, [segment]);
  expect((await call('PUT', '/api/v1/destinations/next', destination('theirs'), other)).status).toBe(200);
  const courier = createCourier({
    store: world.store,
    vault: vaultOf(new Uint8Array(32)),
    outbox,
    clock: () => LATER,
    random: () => 0,
    name: 'test',
    log: () => {},
  });
  await courier.turn();
  const after = await call('GET', `/api/v1/deliveries/${made.json.delivery.id}`);
  expect(after.json).toMatchObject({ state: 'failed', reason: expect.stringContaining('written anew') });
  expect(readdirSync(outbox)).toEqual([]);
});

test('a pipe in place of an acknowledgement is not waited for', async () => {
  execFileSync('mkfifo', [join(outbox, 'a.csv.ack')]);
  writeFileSync(join(outbox, 'b.csv.nak'), 'no');
  const found = await folderWay(outbox, '.').acknowledgements?.(['a.csv', 'b.csv'], new AbortController().signal);
  expect([...(found ?? [])]).toEqual([['b.csv', { good: false, text: 'no' }]]);
});

test('who begins to answer and never ends is heard for a time', async () => {
  const server = createServer((_, answer) => void answer.writeHead(200).write('yes'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    const answer = await ask(
      {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        method: 'POST',
        headers: {},
        length: 0,
        within: 200,
        async *pieces() {},
      },
      new AbortController().signal,
    ).catch((error: Error) => error.name);
    expect(answer === 'LinkError' || (answer as { status: number }).status === 200).toBe(true);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('what a command read is for who may see readings', async () => {
  const { commands } = world.store.delivery;
  const { command } = await commands.add({
    source: 'x',
    reference: 'r1',
    kind: 'read',
    meter: null,
    point: null,
    parameters: {},
    digest: 'd',
    callback: null,
    due: LATER,
    expires: LATER + 1000,
    segments: [1],
    account: null,
    who: 'test',
    created: NOW,
  });
  await commands.take('test', LATER, LATER + 1000);
  const result = { stored: 1, values: { registers: [{ value: '42' }] } };
  await commands.settle(command.id, 'test', { state: 'done', at: NOW, sentence: 'Read.', result });
  const blind = await world.as(['execute:command'], [1]);
  const seen = async (headers: Record<string, string>) =>
    JSON.stringify([
      (await call('GET', `/api/v1/commands/${command.id}`, undefined, headers)).json,
      (await call('GET', '/api/v1/commands', undefined, headers)).json,
    ]);
  expect(await seen(anna)).toContain('"42"');
  const told = await seen(blind);
  expect(told).toContain('"stored":1');
  expect(told).not.toContain('"42"');
});
