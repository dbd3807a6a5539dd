/** `amiable command status`: a result is read by people, and cannot move their cursor. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { commandCommand } from '../src/delivery/command.ts';

let server: Server | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
});

test('a result stands on lines of its own', async () => {
  const one = { id: '1', reference: 'R-1', kind: 'read', state: 'done', result: { name: '\x1b[2J', stored: 7 } };
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ commands: [one] }));
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const program = new Command();
  commandCommand(program);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await program.parseAsync(['node', 'amiable', 'command', 'status', 'R-1', '--url', url]);
  expect(out.split('\n')).toContain('  "stored": 7');
  expect(out).not.toContain('\x1b');
});
