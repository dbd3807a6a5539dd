import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, lchown, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { run } from '@amiable/fsm';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { commandMaker } from '../src/embedded/account.ts';
import { findBinaries, libraryPath } from '../src/embedded/binaries.ts';
import { isInitialised } from '../src/embedded/cluster.ts';
import { takeInstanceLock } from '../src/embedded/instance-lock.ts';
import { maxRestarts, type ServerEffect, type ServerState, serverTable } from '../src/embedded/machine.ts';
import { isAlive, waitUntilGone } from '../src/embedded/processes.ts';
import { type Embedded, startEmbedded } from '../src/embedded/supervisor.ts';
import { EmbeddedError, explainFileError, explainServerLog } from '../src/embedded/trouble.ts';
import { scratchFolder } from './scratch.ts';

const root = process.getuid?.() === 0;
let home: string;
/** A cluster made once; tests that break things get a copy. */
let base: string;
const running: Embedded[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  home = await scratchFolder('embedded-');
  base = join(home, 'base');
  await (await startEmbedded({ dataDir: base, sync: false })).stop();
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

let copies = 0;
async function copy(): Promise<string> {
  const to = join(home, `copy${++copies}`);
  await promisify(execFile)('cp', ['-a', base, to]);
  return to;
}
async function chownAll(path: string, uid: number, gid: number): Promise<void> {
  await lchown(path, uid, gid);
  if ((await lstat(path)).isDirectory()) {
    await Promise.all((await readdir(path)).map((name) => chownAll(join(path, name), uid, gid)));
  }
}
async function start(dataDir: string, more: Partial<Parameters<typeof startEmbedded>[0]> = {}): Promise<Embedded> {
  const server = await startEmbedded({ dataDir, sync: false, ...more });
  running.push(server);
  return server;
}
async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
async function occupy(): Promise<[Server, number]> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  return [probe, (probe.address() as { port: number }).port];
}
async function freePort(): Promise<number> {
  const [probe, port] = await occupy();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
interface Told {
  url: string;
  pid: number;
  adopted: boolean;
  error?: string;
}
async function startChild(
  dataDir: string,
  options: { uid?: number; gid?: number } = {},
): Promise<[ChildProcess, Told]> {
  const script = join(import.meta.dirname, 'embedded-child.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: join(import.meta.dirname, '..'),
    ...options,
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout! })) return [child, JSON.parse(line) as Told];
  throw new Error('the child said nothing');
}

describe('the embedded server', () => {
  it('keeps the data from start to start, and is closed to others', async () => {
    const first = await start(base);
    expect(first.adopted).toBe(false);
    await ask(first.url, 'create table if not exists kept as select 42 as n');
    await first.stop();
    expect(first.pid).toBeUndefined();
    const second = await start(base);
    expect(await ask(second.url, 'select n, current_user as who from kept')).toEqual([{ n: 42, who: 'amiable' }]);
    const [settings] = await ask(
      second.url,
      `select current_setting('listen_addresses') as listen, current_setting('TimeZone') as tz,
              (select rolsuper from pg_roles where rolname = current_user) as super, getdatabaseencoding() as enc`,
    );
    expect(settings).toEqual({ listen: '', tz: 'UTC', super: false, enc: 'UTF8' });
    expect((await stat(join(base, 'postgres.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(base, 'run'))).mode & 0o777).toBe(0o700);
    const wrong = second.url.replace(/:[^:@/]+@/, ':wrong-password@');
    await expect(ask(wrong, 'select 1')).rejects.toThrow('password authentication failed');
  });

  it('keeps durability on unless a test says otherwise', async () => {
    const server = await start(base, { sync: true });
    const rows = await ask(
      server.url,
      `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`,
    );
    expect(rows.map((r) => r.setting)).toEqual(['on', 'on', 'on']);
  });

  it('listens on a loopback port when asked, and says so when the port is taken', async () => {
    const [probe, port] = await occupy();
    await expect(start(base, { port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken by another program`);
    await new Promise((resolve) => probe.close(resolve));
    const server = await start(base, { port });
    expect(
      await ask(`postgresql://amiable:${new URL(server.url).password}@127.0.0.1:${port}/amiable`, 'select 1 as one'),
    ).toEqual([{ one: 1 }]);
    await new Promise<void>((resolve, reject) => {
      const other = connect(port, '127.0.0.2', () => reject(new Error('reached by another address')));
      other.on('error', () => resolve());
    });
  });

  it('refuses a second Amiable with the number of the first', async () => {
    await start(base);
    await expect(start(base)).rejects.toThrow(
      new RegExp(`Another Amiable already uses ${base}: process ${process.pid}, running since .*kill ${process.pid}`),
    );
  });

  it('adopts the server of a killed parent, and replaces it when it should listen elsewhere', async () => {
    const [child, told] = await startChild(base);
    expect(told.adopted).toBe(false);
    child.kill('SIGKILL');
    await waitUntilGone(child.pid!, 30_000);
    expect(isAlive(told.pid)).toBe(true);
    const adopting = await start(base);
    expect([adopting.adopted, adopting.pid, adopting.url]).toEqual([true, told.pid, told.url]);
    await adopting.stop();
    expect(await waitUntilGone(told.pid, 30_000)).toBe(true);

    const [second, left] = await startChild(base);
    second.kill('SIGKILL');
    await waitUntilGone(second.pid!, 30_000);
    const replacing = await start(base, { port: await freePort() });
    expect(replacing.adopted).toBe(false);
    expect(await waitUntilGone(left.pid, 30_000)).toBe(true);
  });

  it('notices the end of an adopted server and starts another', async () => {
    const [child, told] = await startChild(base);
    child.kill('SIGKILL');
    await waitUntilGone(child.pid!, 30_000);
    const server = await start(base);
    expect(server.adopted).toBe(true);
    process.kill(told.pid, 'SIGKILL');
    await until(() => server.pid !== undefined && server.pid !== told.pid);
    await until(() => ask(server.url, 'select 1').then(Boolean, () => false));
  });

  it('starts a server that was killed again, at the same address', async () => {
    const said: string[] = [];
    const server = await start(base, { log: (line) => said.push(line) });
    const { pid } = server;
    process.kill(pid!, 'SIGKILL');
    await until(() => said.includes('The database server is running again.'));
    expect(server.pid).not.toBe(pid);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(said[0]).toMatch(/ended unexpectedly.* Starting it again\./);
  });

  it('survives the crash of a single server process', async () => {
    const server = await start(base);
    const [row] = await ask(server.url, 'select pg_backend_pid() as pid');
    const { pid } = server;
    const victim = new pg.Client({ connectionString: server.url });
    victim.on('error', () => {});
    await victim.connect();
    const { rows } = await victim.query('select pg_backend_pid() as pid');
    expect(rows[0].pid).not.toBe(row!.pid);
    const cut = new Promise((resolve) => victim.once('end', resolve));
    process.kill(rows[0].pid, 'SIGKILL');
    await cut;
    await until(() => ask(server.url, 'select 1').then(Boolean, () => false));
    expect(server.pid).toBe(pid);
  });

  it('gives new passwords when their file is lost', async () => {
    const dataDir = await copy();
    await rm(join(dataDir, 'postgres.json'));
    const server = await start(dataDir);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
    await chmod(join(dataDir, 'postgres.json'), 0o644);
    await expect(start(dataDir)).rejects.toThrow(/others may read it. Run chmod 600/);
  });

  it('takes no notice of process ids that now belong to others', async () => {
    const dataDir = await copy();
    // Process 1 lives, and is neither an Amiable nor our server.
    await writeFile(join(dataDir, 'amiable.lock'), (await lockText(dataDir)).replace(/"pid":\d+/, '"pid":1'));
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `1\n${dataDir}/postgres\n1\n5432\n\n\n  1 1\nready\n`);
    expect((await start(dataDir)).adopted).toBe(false);
  });

  it('is replaced by nothing when its folder belongs to another major version', async () => {
    const dataDir = await copy();
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start(dataDir)).rejects.toThrow(
      /made by PostgreSQL 17, and this Amiable brings PostgreSQL 18.*amiable backup/,
    );
    await rename(join(dataDir, 'postgres', 'PG_VERSION'), join(dataDir, 'postgres', 'elsewhere'));
    await expect(start(dataDir)).rejects.toThrow('PG_VERSION is missing');
  });

  it('begins anew after an initdb that was cut short', async () => {
    const dataDir = join(home, 'half');
    await mkdir(join(dataDir, 'postgres.new', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'postgres.password'), 'old');
    expect(await ask((await start(dataDir)).url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await readdir(dataDir)).not.toContain('postgres.new');
    expect(await readdir(dataDir)).not.toContain('postgres.password');
  });

  it('follows no link that somebody planted', async () => {
    const dataDir = join(home, 'planted');
    await mkdir(dataDir);
    await symlink('/etc/hostname', join(dataDir, 'postgres.log'));
    await expect(start(dataDir)).rejects.toThrow('is a symbolic link');
  });

  it('says what is wrong with a data folder that is a file', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(start(join(home, 'file', 'data'))).rejects.toThrow(
      'cannot be a folder: a part of that path is a file',
    );
  });

  it.runIf(root)('works in a folder that the server may not enter, as in /root', async () => {
    const closed = join(home, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const dataDir = join(closed, 'data');
    await rename(await copy(), dataDir);
    const server = await start(dataDir);
    const [row] = await ask(server.url, `select current_setting('server_version') as version`);
    expect(row!.version).toMatch(/^18/);
  });

  it.runIf(root)('runs as the owner of the data folder, who can start it alone later', async () => {
    const dataDir = join(home, 'owned');
    await mkdir(dataDir, { mode: 0o700 });
    await chownAll(dataDir, 65_534, 65_534);
    await (await start(dataDir)).stop();
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(65_534);
    expect((await stat(join(dataDir, 'postgres.json'))).uid).toBe(65_534);
    if (!(await othersMayEnter(import.meta.dirname))) return;
    const [child, told] = await startChild(dataDir, { uid: 65_534, gid: 65_534 });
    expect(told.error).toBeUndefined();
    child.kill('SIGTERM');
    await waitUntilGone(child.pid!, 30_000);
    const [, refused] = await startChild(dataDir, { uid: 1, gid: 1 });
    expect(refused.error).toMatch(/You may not (write|change)/);
  });
});

async function othersMayEnter(path: string): Promise<boolean> {
  for (let dir = path; dirname(dir) !== dir; dir = dirname(dir)) if (((await stat(dir)).mode & 1) === 0) return false;
  return true;
}
async function lockText(dataDir: string): Promise<string> {
  const lock = await takeInstanceLock(dataDir, 'now');
  const text = await readFile(join(dataDir, 'amiable.lock'), 'utf8');
  await lock.release();
  return text;
}

describe('the programs of the npm package', () => {
  it('are found, and run where npm has not made their symbolic links', async () => {
    const found = await findBinaries(join(home, 'links'));
    expect(found.major).toBe(18);
    const links = JSON.parse(await readFile(join(found.root, 'pg-symlinks.json'), 'utf8')) as { source: string }[];
    // A copy of the package without links, as npm leaves it with install scripts blocked; read-only.
    const bare = join(home, 'bare', 'native');
    await mkdir(join(bare, '..'));
    const shell = promisify(execFile);
    await shell('cp', ['-a', found.root, bare]);
    await shell('find', [bare, '-type', 'l', '-delete']);
    await shell('chmod', ['-R', 'a-w', bare]);
    await expect(shell(join(bare, 'bin', 'initdb'), ['-V'], { env: {} })).rejects.toThrow('loading shared libraries');
    const linkDir = join(home, 'links');
    const env = await libraryPath(bare, linkDir);
    expect(Object.values(env)).toEqual([`${linkDir}:${join(bare, 'lib')}`]);
    expect(await libraryPath(bare, linkDir)).toEqual(env);
    expect((await readdir(linkDir)).length).toBe(links.length);
    for (const program of ['initdb', 'postgres']) {
      expect((await shell(join(bare, 'bin', program), ['-V'], { env })).stdout).toContain('(PostgreSQL) 18');
    }
    await shell('chmod', ['-R', 'u+w', bare]);
  });
});

describe('the account of the server', () => {
  it.runIf(root)('is reached directly where the folders are open', async () => {
    const make = await commandMaker({ name: 'x', other: { uid: 65_534, gid: 65_534 } }, [home]);
    expect(make('/bin/true', ['a'])).toEqual({ file: '/bin/true', args: ['a'], uid: 65_534, gid: 65_534 });
  });
  it('is ourselves for an ordinary user', async () => {
    const make = await commandMaker({ name: 'me' }, [home]);
    expect(make('/bin/true', ['a'])).toEqual({ file: '/bin/true', args: ['a'] });
  });
});

describe('the lock of a data folder', () => {
  it('is taken by exactly one of many that find a stale one', async () => {
    const dataDir = join(home, 'lock');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'amiable.lock'), (await lockText(dataDir)).replace(/"pid":\d+/, '"pid":999999999'));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeInstanceLock(dataDir, 'now')));
    const taken = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
    expect(taken.length).toBe(1);
    await taken[0]!.release();
    expect(await readdir(dataDir)).toEqual([]);
  });
  it('of garbage or another boot is stale', async () => {
    const dataDir = join(home, 'lock2');
    await mkdir(dataDir);
    for (const text of ['', '{', '{"pid":"x"}', (await lockText(dataDir)).replace(/"born":"[^/"]*/, '"born":"other')]) {
      await writeFile(join(dataDir, 'amiable.lock'), text);
      await (await takeInstanceLock(dataDir, 'now')).release();
    }
  });
});

describe('the life of the server', () => {
  const dead = (at: number, kind: 'crash' | 'full' | 'hopeless' = 'crash') =>
    ({ type: 'ended', at, reason: new EmbeddedError('It ended.', { kind }), kind }) as const;
  function simulate() {
    const done: ServerEffect['do'][] = [];
    const waits: number[] = [];
    const machine = run(serverTable, { type: 'opening' } as ServerState, (effect) => {
      done.push(effect.do);
      if (effect.do === 'wait') waits.push(effect.ms);
    });
    return { machine, done, waits };
  }
  it('gives up at once when the first start fails', () => {
    const { machine, done } = simulate();
    machine.send(dead(0));
    expect([machine.state.type, done]).toEqual(['failed', ['giveUp']]);
  });
  it('starts again, slower and slower, and gives up when it helps nothing', () => {
    const { machine, done, waits } = simulate();
    machine.send({ type: 'ready' });
    for (let i = 0; i < maxRestarts; i++) {
      machine.send(dead(i * 100));
      machine.send({ type: 'due' });
    }
    expect(waits).toEqual([0, 400, 800, 1600, 3200]);
    machine.send(dead(900));
    expect([machine.state.type, done.at(-1)]).toEqual(['failed', 'giveUp']);
  });
  it('forgets ends of long ago, and waits for space on a full disk as long as it takes', () => {
    const { machine } = simulate();
    machine.send({ type: 'ready' });
    for (let i = 0; i < 100; i++) {
      machine.send(dead(i * 61_000, i % 2 ? 'full' : 'crash'));
      machine.send({ type: 'due' });
      machine.send({ type: 'ready' });
    }
    expect(machine.state.type).toBe('running');
  });
  it('stops from every state', () => {
    for (const before of [[], ['ready'], ['ready', 'dead'], ['ready', 'dead', 'due'], ['dead']]) {
      const { machine, done } = simulate();
      for (const input of before) {
        machine.send(input === 'dead' ? dead(0) : input === 'due' ? { type: 'due' } : { type: 'ready' });
      }
      machine.send({ type: 'stop' });
      if (machine.state.type === 'stopping') machine.send(dead(1));
      expect(done.at(-1)).toBe('closed');
      machine.send({ type: 'stop' });
    }
  });
});

describe('sentences about trouble', () => {
  const place = { dataDir: '/data', port: 5432, logFile: '/data/postgres.log', runAs: 'nobody' };
  it.each([
    [
      'FATAL:  could not write lock file "postmaster.pid": No space left on device',
      'The disk that holds /data is full',
    ],
    ['FATAL:  could not create any TCP/IP sockets', 'Port 5432 on 127.0.0.1 is taken'],
    ['FATAL:  database files are incompatible with server', 'another major version'],
    [
      'FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use',
      'An older PostgreSQL server still holds',
    ],
    ['FATAL:  could not create shared memory segment: Cannot allocate memory', 'too little free memory'],
    ['FATAL:  data directory "/data/postgres" has wrong ownership', 'must belong to nobody'],
    ['FATAL:  could not open file "x": Permission denied', 'runs as nobody, who may not use'],
    ['FATAL:  could not open file "x": Read-only file system', 'read-only file system'],
    ['2026-01-01 00:00:00.000 UTC [1] PANIC:  strange', 'ended unexpectedly: PANIC:  strange. Its log is'],
  ])('%s', (log, sentence) => {
    expect(explainServerLog(log, place).message).toContain(sentence);
  });
  it.each(['ENOSPC', 'EACCES', 'EROFS', 'ENOTDIR'])('%s', (code) => {
    const told = explainFileError(Object.assign(new Error('x'), { code }), '/data');
    expect(told).toBeInstanceOf(EmbeddedError);
  });
  it('leaves other errors alone', () => {
    const error = new Error('x');
    expect(explainFileError(error, '/data')).toBe(error);
  });
  it('needs no file to tell that nothing is there', async () => {
    const found = await findBinaries(join(home, 'links'));
    expect(await isInitialised(join(home, 'nothing'), found)).toBe(false);
  });
});
