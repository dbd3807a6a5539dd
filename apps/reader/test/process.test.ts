/** The command as a process: pipes that close, Ctrl-C, streams kept apart. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tcpServer } from '@amiable/io';
import { describe, expect, it } from 'vitest';
import { file } from './bench.ts';
import { figure2, joined } from './kaifa.ts';

const bin = fileURLToPath(new URL('../../amiable/bin/amiable.js', import.meta.url));

function amiable(...argv: string[]) {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [bin, 'read', ...argv]);
  let err = '';
  child.stderr.on('data', (bytes: Buffer) => {
    err += bytes.toString();
  });
  const ended = new Promise<{ code: number | null; err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, err }));
  });
  return { child, ended };
}

describe.concurrent('the process', () => {
  it('ends quietly when its reader has had enough', async () => {
    const many = joined(...Array.from({ length: 6000 }, () => figure2[1]!));
    const { child, ended } = amiable('-f', file(many), '--json');
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.stdout.destroy();
    expect(await ended).toEqual({ code: 0, err: '' });
  });
  it.skipIf(!existsSync('/dev/full'))('says in words that stdout cannot take its messages', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [bin, 'read', '-f', file(joined(...figure2))], {
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let err = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      err += bytes.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, err]).toEqual([1, expect.stringMatching(/^amiable read: stdout: the disk is full\n3 good messages/)]);
  });
  it('ends at Ctrl-C with its counters', async () => {
    const server = tcpServer({ host: '127.0.0.1', port: 0 });
    await server.open({ data() {}, closed() {} });
    const { child, ended } = amiable('-n', '-d', `127.0.0.1:${server.port}`);
    while (server.peers === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await server.write(figure2[1]!);
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill('SIGINT');
    const { code, err } = await ended;
    await server.close();
    expect(code).toBe(0);
    expect(err).toMatch(/1 good message from 123 bytes\.\n$/);
  });
  it('reads standard input and keeps messages on stdout, words on stderr', async () => {
    const { child, ended } = amiable('-f', '-', '--json');
    let out = '';
    child.stdout.on('data', (bytes: Buffer) => {
      out += bytes.toString();
    });
    child.stdin.end(joined(...figure2));
    expect(await ended).toEqual({ code: 0, err: '3 good messages from 320 bytes.\n' });
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).v),
    ).toEqual([1, 1, 1]);
  });
  it('tells wrong usage with exit code 2', async () => {
    const { ended } = amiable('--nonsense');
    expect(await ended).toMatchObject({ code: 2, err: expect.stringMatching(/unknown option '--nonsense'\n.*--help/) });
  });
});
