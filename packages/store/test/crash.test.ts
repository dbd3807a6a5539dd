/**
 * kill -9 in the middle of ingest: of the program, of the database server, of one of its processes, of program and server
 * at once. Nothing that was acknowledged is missing, nothing is there twice. AMIABLE_CRASH_KILLS sets how many kills.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../src/embedded/supervisor.ts';
import { numberedId } from './numbered.ts';

const kills = Number(process.env.AMIABLE_CRASH_KILLS ?? 4);
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'amiable-crash-'));
  await chmod(dataDir, 0o711);
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  /** The server's process id as last told. */
  server: number;
  acknowledgements: number;
  readonly started: Promise<void>;
  readonly closed: Promise<void>;
}

const acknowledged = new Set<number>();
const log: string[] = [];

function start(from: number): Run {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'crash-child.ts'), dataDir, String(from)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: join(import.meta.dirname, '..'),
    },
  );
  let begun: () => void;
  const current: Run = {
    child,
    server: 0,
    acknowledgements: 0,
    started: new Promise<void>((resolve, reject) => {
      begun = resolve;
      child.once('close', () => reject(new Error(`the program ended:\n${log.slice(-20).join('\n')}`)));
    }),
    closed: new Promise<void>((resolve) => child.once('close', () => resolve())),
  };
  current.started.catch(() => {});
  child.stderr!.on('data', (chunk: Buffer) => log.push(`stderr ${chunk}`));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const [kind, a, b, c] = line.split(' ');
    if (kind === 's') {
      current.server = Number(a);
      begun();
    } else if (kind === 'a') {
      for (let i = 0; i < Number(b); i++) acknowledged.add(Number(a) + i);
      current.acknowledgements++;
      if (c !== '0') current.server = Number(c);
    }
    if (kind !== 'a') log.push(line);
  });
  return current;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 90_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what} did not happen:\n${log.slice(-20).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const firstMissing = (): number => {
  let n = 0;
  while (acknowledged.has(n)) n++;
  return n;
};

/** A process of the server that works for the ingest. */
async function someBackend(server: number): Promise<number | undefined> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${server}/task/${server}/children`, 'latin1').catch(() => '');
  for (const pid of text.trim().split(' ').reverse()) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (/^postgres: amiable amiable/.test(command)) return Number(pid);
  }
  return undefined;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}

describe('kill -9 in the middle of ingest', () => {
  it(`loses nothing and doubles nothing in ${kills} kills`, { timeout: 120_000 + kills * 15_000 }, async () => {
    let seed = 12_345;
    const random = (n: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * n);
    };
    let current = start(0);
    await current.started;
    for (let i = 0; i < kills; i++) {
      // In the middle of something: after a few acknowledgements and a moment of no particular length.
      const before = current.acknowledgements;
      await until('an acknowledgement', () => current.acknowledgements > before + random(8));
      await new Promise((resolve) => setTimeout(resolve, random(25)));
      const kind = ['program', 'server', 'process', 'both'][i % 4];
      if (kind === 'server') kill(current.server);
      else if (kind === 'process') kill((await someBackend(current.server)) ?? current.server);
      else {
        kill(current.child.pid!);
        if (kind === 'both') kill(current.server);
        await current.closed;
        current = start(firstMissing());
        // Now and then it is killed again before it is up.
        if (i % 8 === 4) await new Promise((resolve) => setTimeout(resolve, random(600)));
        else await current.started;
      }
      if (current.child.exitCode !== null) throw new Error(`the program ended:\n${log.slice(-20).join('\n')}`);
    }
    await current.started;
    const before = current.acknowledgements;
    await until('an acknowledgement after the last kill', () => current.acknowledgements > before + 5);
    await until('a compaction', () => log.some((line) => line.startsWith('c ')));
    kill(current.child.pid!);
    await current.closed;

    const embedded = await startEmbedded({ dataDir });
    const client = new pg.Client({ connectionString: embedded.url });
    await client.connect();
    try {
      // Values stand in messages or, after compaction, in blocks: in either case once.
      const { rows } = await client.query<{ n: string; times: string }>(
        `select value::bigint as n, count(*) as times from amiable.reading
         where obis = '1-0:1.7.0' and period = 0 group by value`,
      );
      const stored = new Map(rows.map((row) => [Number(row.n), Number(row.times)]));
      expect([...acknowledged].filter((n) => !stored.has(n))).toEqual([]);
      expect([...stored].filter(([, times]) => times !== 1)).toEqual([]);
      const { rows: messages } = await client.query<{ id: string; times: string }>(
        'select id, count(*) as times from amiable.message group by id',
      );
      const ids = new Map(messages.map((row) => [row.id.replaceAll('-', ''), Number(row.times)]));
      expect([...acknowledged].filter((n) => ids.get(numberedId(n)) !== 1)).toEqual([]);
      const { rows: changes } = await client.query('select count(*)::int as n from amiable.change_log');
      expect(changes).toEqual([{ n: 0 }]);
      expect(acknowledged.size).toBeGreaterThan(kills * 5);
      const adopted = log.filter((line) => /^s \d+ true/.test(line)).length;
      if (kills >= 8) expect(adopted).toBeGreaterThan(0);
    } finally {
      await client.end();
      await embedded.stop();
    }
  });
});
