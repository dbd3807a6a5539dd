/**
 * A disk that really is full, under the embedded server: a small file system of its own (needs root, and the right to
 * mount; else skipped. hostile.test.ts plays the same through error codes). The disk fills up while messages come in;
 * callers are told; what was acknowledged stays; when space is freed everything goes on by itself.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore, StoreUnavailable, startEmbedded } from '../src/index.ts';
import { numberedId, range } from './numbered.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-full-'));
function mount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=711', 'amiable-test', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const mounted = mount();
if (!mounted) rmdirSync(folder);
afterAll(() => {
  if (!mounted) return;
  execFileSync('umount', ['-l', folder]);
  rmdirSync(folder);
});

async function fill(file: string, leave: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const handle = await open(file, 'w');
  const chunk = Buffer.alloc(2 ** 20);
  for (let left = bavail * bsize - leave; left > 0; left -= chunk.length) {
    await handle.write(chunk.subarray(0, Math.min(left, chunk.length)));
  }
  await handle.close();
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.runIf(mounted)('a full disk', () => {
  it('is told, loses nothing acknowledged, and is got over when space is freed', { timeout: 240_000 }, async () => {
    const log: string[] = [];
    const embedded = await startEmbedded({ dataDir: join(folder, 'data'), log: (line) => log.push(line) });
    const store = await openStore({ url: embedded.url, retry: { attempts: 3, pause: 10 } });
    const acknowledged = new Set<number>();
    let next = 0;
    const some = async (): Promise<void> => {
      const messages = range(next, 500).map((m) => ({ ...m, raw: Buffer.alloc(1_000, m.id) }));
      await store.ingest(messages);
      for (let i = 0; i < 500; i++) acknowledged.add(next + i);
      next += 500;
    };
    try {
      await some();
      const filler = join(folder, 'filler');
      await fill(filler, 3 * 2 ** 20);
      let told: unknown;
      for (let i = 0; i < 300 && told === undefined; i++) {
        await some().catch((error) => {
          told = error;
        });
      }
      expect(told).toBeInstanceOf(StoreUnavailable);
      expect(next).toBeGreaterThan(500);
      // Worse: no room for the log that every change goes to first. The server ends, and cannot start again.
      await fill(join(folder, 'rest'), 0).catch(() => {});
      const admin = new pg.Client({ connectionString: embedded.adminUrl });
      admin.on('error', () => {});
      await admin.connect();
      for (let i = 0; i < 50 && !log.some((line) => line.includes('is full')); i++) {
        await admin.query('create table if not exists x (); drop table x; select pg_switch_wal()').catch(() => {});
      }
      await until(() => log.some((line) => /The disk that holds .* is full.* It is tried again every 2 s/.test(line)));
      expect(log.filter((line) => line.includes('is full')).length).toBe(1);
      await expect(store.ingest(range(next, 1))).rejects.toThrow(StoreUnavailable);
      await rm(join(folder, 'rest'), { force: true });
      await rm(filler);
      for (let end = Date.now() + 90_000; ; ) {
        try {
          await some();
          break;
        } catch (error) {
          if (!(error instanceof StoreUnavailable) || Date.now() > end) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      const client = new pg.Client({ connectionString: embedded.url });
      await client.connect();
      const { rows } = await client.query<{ id: string; times: string }>(
        `select replace(id::text, '-', '') as id, count(*) as times from amiable.message group by id`,
      );
      await client.end();
      const stored = new Map(rows.map((row) => [row.id, Number(row.times)]));
      expect([...acknowledged].filter((n) => stored.get(numberedId(n)) !== 1)).toEqual([]);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${log.join('\n')}`, { cause: error });
    } finally {
      await store.close();
      await embedded.stop();
    }
  });

  it('is told when the very first start meets it', async () => {
    await rm(join(folder, 'data'), { recursive: true, force: true });
    await fill(join(folder, 'filler'), 2 ** 20);
    await expect(startEmbedded({ dataDir: join(folder, 'data') })).rejects.toThrow(/disk that holds .* is full/);
    await rm(join(folder, 'filler'));
    await (await startEmbedded({ dataDir: join(folder, 'data'), sync: false })).stop();
  });
});
