/** `amiable start` as a user runs it: a process of its own, its output read, Ctrl-C sent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { startCommand } from '../src/start/command.ts';

const BIN = fileURLToPath(new URL('../bin/amiable.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'amiable-start-'));
const data = join(folder, 'data');
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly page: string;
  readonly out: () => string;
  readonly ended: Promise<number | null>;
}

function run(...args: string[]) {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env.DATABASE_URL;
  const child = spawn(process.execPath, [BIN, ...args], { env });
  running.add(child);
  let out = '';
  const ended = new Promise<number | null>((resolve) =>
    child.on('close', (code) => {
      running.delete(child);
      resolve(code);
    }),
  );
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      out += chunk;
      for (const watch of watchers) watch();
    });
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      watchers.add(() => {
        const found = pattern.exec(out);
        if (found) resolve(found[1] as string);
      });
      void ended.then(() => reject(new Error(`it ended:\n${out}`)));
    });
  return { child, ended, out: () => out, line };
}

async function start(...args: string[]): Promise<Started> {
  const started = run(
    'start',
    '--data',
    data,
    '--port',
    '0',
    '--mqtt-port',
    '0',
    '--no-page',
    '--meters',
    '0',
    ...args,
  );
  const page = await started.line(/page {6}(http:\S+)/);
  return { ...started, page };
}

async function until<T>(ask: () => Promise<T | undefined>, ms: number): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const got = await ask();
    if (got !== undefined) return got;
    if (Date.now() > end) throw new Error(`not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const json = async (url: string) => (await fetch(url)).json();

describe('amiable start', () => {
  it('shows thirteen houses live, refuses a second instance, ends on Ctrl-C, keeps its history', async () => {
    const first = await start();
    const meters = await until(async () => {
      const { meters } = await json(`${first.page}/api/v1/meters`);
      return meters.length === 13 &&
        meters.every((m: { live: { power: number | null } | null }) => m.live?.power != null)
        ? meters
        : undefined;
    }, 120_000);
    expect(meters.map((m: { name: string }) => m.name)).toEqual(
      meters.map((_: unknown, i: number) => expect.stringMatching(new RegExp(` ${i + 1}$`))),
    );
    expect(new Set(meters.map((m: { maker: string }) => m.maker))).toEqual(new Set(['Kaifa', 'Aidon', 'Kamstrup']));
    expect(meters.filter((m: { hasKey: boolean }) => m.hasKey)).toHaveLength(1);
    expect((await json(`${first.page}/api/v1/status`)).messages.rejected).toBe(0);

    const second = run('start', '--data', data, '--no-page');
    expect(await second.ended).toBe(1);
    expect(second.out()).toMatch(/already uses .*process \d+/s);
    expect(second.out()).not.toMatch(/ {4}at /);

    const { messages } = await json(`${first.page}/api/v1/meters/${meters[0].id}/messages`);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    expect(first.out()).toContain('Interrupted');

    const again = await start();
    const ids = (await json(`${again.page}/api/v1/meters/${meters[0].id}/messages?limit=500`)).messages.map(
      (m: { id: string }) => m.id,
    );
    for (const message of messages) expect(ids).toContain(message.id);
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
    expect(existsSync(join(data, 'postgres', 'postmaster.pid'))).toBe(false);
  }, 240_000);

  it('reads a fleet by tasks, worker and meters being processes of their own', async () => {
    const where = ['--data', data];
    const central = await start(...where, '--meters', '8', '--roles', 'database,central,fleet');
    const worker = run('start', ...where, '--roles', 'worker', '--health-port', '0', '--log', 'json');
    const health = await worker.line(/on (http:\S+);/);
    const runs = await until(async () => {
      const { runs } = await json(`${central.page}/api/v1/runs`);
      // What the central system does by itself has no meters of its own.
      const read = runs.filter((r: { kind: string }) => ['profile', 'daily', 'events'].includes(r.kind));
      return read.length >= 3 && read.every((r: { state: string }) => r.state === 'done') ? read : undefined;
    }, 120_000);
    expect(runs.map((r: { counts: { done: number } }) => r.counts.done)).toEqual(runs.map(() => 8));
    expect(await json(`${health}/health`)).toEqual({ ok: true, causes: [] });
    expect(await (await fetch(`${health}/metrics`)).text()).toMatch(/readings_total\{[^}]*outcome="done"\} [1-9]/);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    for (const line of worker
      .out()
      .split('\n')
      .filter((l) => l.startsWith('{')))
      expect(JSON.parse(line)).toMatchObject({ roles: 'worker' });
    central.child.kill('SIGTERM');
    expect(await central.ended).toBe(0);
  }, 240_000);

  it('leaves nothing behind when it is ended while the database starts', async () => {
    const { child, ended, line } = run(
      'start',
      '--data',
      join(folder, 'early'),
      '--port',
      '0',
      '--mqtt-port',
      '0',
      '--no-page',
    );
    line(/never/).catch(() => {});
    const lock = join(folder, 'early', 'amiable.lock');
    await expect.poll(() => existsSync(lock), { interval: 5, timeout: 60_000 }).toBe(true);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(existsSync(lock)).toBe(false);
    expect(existsSync(join(folder, 'early', 'postgres', 'postmaster.pid'))).toBe(false);
  }, 240_000);
  it('is not well when the line to the meter is gone, and says which', async () => {
    const sockets = new Set<Socket>();
    const meter = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
    const listen = (port: number) =>
      new Promise<number>((resolve, reject) => {
        meter.once('error', reject);
        meter.listen(port, '127.0.0.1', () => resolve((meter.address() as { port: number }).port));
      });
    const port = await listen(0);
    const started = await start('--data', join(folder, 'line'), '-d', `tcp://127.0.0.1:${port}`);
    // What is wrong is told to who may know: of a real port nobody sees anything without log-in.
    const code = /first#(\S+)/.exec(started.out())?.[1];
    const first = await fetch(`${started.page}/api/v1/first`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, name: 'admin', password: 'correct horse battery' }),
    });
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] as string;
    expect(await json(`${started.page}/health`)).not.toHaveProperty('causes');
    expect((await fetch(`${started.page}/api/v1/meters`)).status).toBe(401);
    const health = async (status: number) => {
      const answer = await fetch(`${started.page}/health`, { headers: { cookie } });
      const told = (await answer.json()) as { ok: boolean; causes: string[] };
      return answer.status === status ? told : undefined;
    };
    expect(await until(() => health(200), 120_000)).toEqual({ ok: true, causes: [] });
    const closed = new Promise((resolve) => meter.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
    const told = await until(() => health(503), 120_000);
    expect(told).toEqual({ ok: false, causes: [expect.stringMatching(/^port \S+: .*\d/)] });
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  }, 240_000);
  it('is told what is wrong, in a sentence and without a trace', async () => {
    for (const [args, words] of [
      [['--speed', 'fast'], /a number from 0\.1/],
      [['--history', 'forever'], /a span is wanted such as 1y/],
      [['--tz', 'Europe/Olso'], /IANA time zone/],
      [['--roles', 'king'], /king is no role; roles are/],
      [['--port', '99999'], /whole number from 0 to 65535/],
    ] as const) {
      let told = '';
      const program = new Command('amiable').exitOverride().configureOutput({ writeErr: (text) => (told += text) });
      startCommand(program);
      await expect(program.parseAsync(['node', 'amiable', 'start', ...args])).rejects.toThrow(CommanderError);
      expect(told).toMatch(words);
    }
    const nowhere = run(
      'start',
      '--data',
      join(folder, 'other'),
      '--no-page',
      '--database-url',
      'postgres://127.0.0.1:1/none',
    );
    expect(await nowhere.ended).toBe(1);
    expect(nowhere.out()).not.toMatch(/ {4}at /);
  }, 240_000);
});
