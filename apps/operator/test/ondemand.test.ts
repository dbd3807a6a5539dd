/** `amiable ondemand`: what is asked, and what is printed. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { UsageError } from '../src/action.ts';
import { onDemandCommand, printed } from '../src/ondemand/command.ts';
import { type OneRead, requestOf } from '../src/ondemand/request.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

describe('what is asked', () => {
  test.each([
    [{}, { what: 'registers' }],
    [{ set: 'status' }, { what: 'registers', set: 'status' }],
    [{ registers: '1-0:1.8.0, 1-0:2.8.0' }, { what: 'registers', registers: ['1-0:1.8.0', '1-0:2.8.0'] }],
    [
      { profile: 'daily', from: '2026-11-01T00:00Z', to: '2026-11-03T00:00+01:00' },
      { what: 'profile', profile: 'daily', from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T23:00:00.000Z' },
    ],
    [
      { from: '2026-11-20T00:00Z' },
      { what: 'profile', profile: 'load', from: '2026-11-20T00:00:00.000Z', to: '2026-11-20T12:00:00.000Z' },
    ],
    [{ events: true }, { what: 'events' }],
    [
      { log: 'fraud', from: '2026-11-20T00:00Z' },
      { what: 'events', log: 'fraud', from: '2026-11-20T00:00:00.000Z' },
    ],
  ])('%j', (given, body) => {
    expect(requestOf(given, NOW)).toEqual(body);
  });
  test.each([
    { set: 'a', registers: 'b' },
    { set: 'a', profile: 'load' },
    { profile: 'load', events: true },
    { registers: ' , ' },
    { from: 'yesterday' },
    { from: '2026-11-20T00:00Z', to: '2026-11-19T00:00Z' },
    { set: 'billing', from: '2026-11-20' },
    { events: true, to: '2026-11-20' },
  ])('%j is refused', (given) => {
    expect(() => requestOf(given, NOW)).toThrow(UsageError);
  });
});

const read: OneRead = {
  id: '5',
  meter: '17',
  serial: 'AMI1',
  state: 'done',
  sentence: 'The meter was read: 1 value.',
  result: {
    registers: [
      { obis: '1-0:1.8.0', name: 'energy\x1b[2J', unit: 'Wh', value: '4711', time: '2026-11-20T12:00:00.000Z' },
    ],
  },
};

test('tables, in which a meter cannot move the cursor', () => {
  const text = printed(read);
  expect(text).toMatch(/OBIS +register +value +unit +time/);
  expect(text).toMatch(/1-0:1\.8\.0 .* 4711 +Wh/);
  expect(text).not.toContain('\x1b');
  expect(printed({ ...read, result: null })).toBe('');
});

let server: Server | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  server = undefined;
});

/** A server that knows one meter, and a read that goes as told. */
async function run(
  reads: readonly OneRead[],
  words: readonly string[],
): Promise<{ out: string; err: string; asked: string[] }> {
  const asked: string[] = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      const url = request.url ?? '';
      if (url.endsWith('/events')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const one of reads) response.write(`event: read\ndata: ${JSON.stringify(one)}\n\n`);
        response.end('event: end\ndata: {}\n\n');
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(url.endsWith('/search') ? { meters: [{ id: '17', serial: 'AMI1' }] } : reads[0]));
    });
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  let out = '';
  let err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
  const program = new Command();
  onDemandCommand(program);
  await program.parseAsync(['node', 'amiable', 'ondemand', ...words, '--url', `http://127.0.0.1:${port}`]);
  return { out, err, asked };
}

test('by serial number, followed to its end', async () => {
  const { out, err, asked } = await run(
    [{ ...read, state: 'waiting', sentence: 'It waits.', result: null }, read],
    ['ami1', '--set', 'billing'],
  );
  expect(asked.slice(0, 2)).toEqual([
    'POST /api/v1/meters/search {"where":[{"attribute":"serial","is":"=","value":"ami1"}],"limit":2,"count":false}',
    'POST /api/v1/meters/17/reads {"what":"registers","set":"billing"}',
  ]);
  expect(out).toContain('4711');
  expect(err).toContain('AMI1: The meter was read: 1 value.');
  expect(process.exitCode).toBeUndefined();
});

test('for programs one JSON object; a meter that was not read ends with 1', async () => {
  const failed: OneRead = { ...read, state: 'failed', sentence: 'The meter was not read: no answer', result: null };
  const { out } = await run([failed], ['AMI1', '--json']);
  expect(JSON.parse(out)).toMatchObject({ state: 'failed', sentence: 'The meter was not read: no answer' });
  expect(process.exitCode).toBe(1);
});
