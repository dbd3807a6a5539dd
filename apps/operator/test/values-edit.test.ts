/** `amiable values edit`: on which grid, where nobody says it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { valuesCommand } from '../src/values/command.ts';

let server: Server | undefined;
let folder: string | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  if (folder) await rm(folder, { recursive: true });
  folder = undefined;
});

/** A server with one meter that knows hours alone; what the command would edit. */
async function wouldEdit(...words: string[]): Promise<unknown> {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    const hours = { quantity: 'energyImport', period: 3600 };
    const meterings = [{ quantity: 'energyExport', period: 900 }, { quantity: 'energyImport', period: 86_400 }, hours];
    response.end(
      JSON.stringify(request.url?.endsWith('/meterings') ? { meterings } : { meters: [{ id: '17', serial: 'AMI1' }] }),
    );
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const program = new Command();
  valuesCommand(program);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rest = ['--reason', 'why', '--dry', '--json', '--url', url];
  await program.parseAsync(['node', 'amiable', 'values', 'edit', ...words, ...rest]);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const hours = (to: string, values: string[]) => [
  { meter: '17', quantity: 'energyImport', period: 3600, from: '2026-11-18T06:00:00.000Z', to, values },
];

test('values are for the finest intervals that the meter has', async () => {
  expect(await wouldEdit('AMI1', '--from', '2026-11-18T06:00:00Z', '--values', '1,2')).toEqual(
    hours('2026-11-18T08:00:00.000Z', ['1', '2']),
  );
});
test('so are those of a file', async () => {
  folder = await mkdtemp(join(tmpdir(), 'amiable-'));
  const file = join(folder, 'edits.csv');
  await writeFile(file, 'meter,time,value\nAMI1,2026-11-18T06:00:00Z,1\nAMI1,2026-11-18T07:00:00Z,2\n');
  expect(await wouldEdit('--file', file)).toEqual(hours('2026-11-18T08:00:00.000Z', ['1', '2']));
});
