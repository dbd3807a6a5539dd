/** Scheduled backups: made, their restore tried, kept and let go. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@amiable/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { type Backups, createBackups } from '../src/operations/backups.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-backups-'));
let database: TestDatabase;
let now = Date.UTC(2026, 10, 20, 3);
let backups: Backups;

beforeAll(async () => {
  database = await createTestDatabase();
  const store = await openStore({ url: database.url, migrate: false });
  await store.ensureMeters([{ serial: 'A' }, { serial: 'B' }]);
  await store.close();
  backups = createBackups({ url: database.url, folder: join(folder, 'kept'), keep: 2, now: () => now });
});
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true });
});

describe('backups', () => {
  it('are made with their restore tried, one at a time', async () => {
    const first = backups.make({ check: true });
    await expect(backups.make({ check: false })).rejects.toThrow('under way');
    const record = await first;
    expect(record).toMatchObject({ name: 'amiable-2026-11-20T03-00-00.backup', takenAt: now });
    expect(record.restored).toMatchObject({ at: now, fault: null });
    expect(record.rows).toBeGreaterThanOrEqual(2);
    expect(await backups.list()).toEqual([record]);
  });

  it('say when the restore fails, and keep the last good one although newer ones came', async () => {
    now += 3_600_000;
    const bad = await backups.make({ check: false });
    truncateSync(join(folder, 'kept', bad.name), bad.bytes - 20);
    expect((await backups.check(bad.name)).restored?.fault).toMatch(/incomplete|damaged|cut|end/i);
    for (let i = 0; i < 2; i++) {
      now += 3_600_000;
      await backups.make({ check: false });
    }
    const names = (await backups.list()).map((record) => record.name.slice(8, 21));
    expect(names).toEqual(['2026-11-20T06', '2026-11-20T05', '2026-11-20T03']);
    expect(readdirSync(join(folder, 'kept'))).toHaveLength(6);
  });

  it('refuse names that are none, and take a file that somebody put there', async () => {
    await expect(backups.check('../../etc/passwd')).rejects.toThrow('there is no backup');
    writeFileSync(join(folder, 'kept', 'amiable-2020-01-01T00-00-00.backup'), 'x');
    expect((await backups.list()).at(-1)).toMatchObject({ takenAt: Date.UTC(2020, 0, 1), bytes: 1, restored: null });
  });

  it('leave no scratch database behind', async () => {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query("select 1 from pg_database where datname like 'amiable\\_check\\_%'");
    await client.end();
    expect(rows).toEqual([]);
  });
});
