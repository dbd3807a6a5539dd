import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../src/backup/backup.ts';
import { BackupError, readRecords, record } from '../src/backup/format.ts';
import { restore } from '../src/backup/restore.ts';
import { startEmbedded } from '../src/embedded/supervisor.ts';
import { migrate } from '../src/migrate.ts';
import { migrations } from '../src/schema/migrations.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { samples } from './sample-data.ts';
import { scratchFolder } from './scratch.ts';

const sampleData = migrations.map(({ version }) => samples[version]).join('\n');

let folder: string;
let source: TestDatabase;
let file: string;
const made: TestDatabase[] = [];
async function database(options?: { empty: boolean }): Promise<string> {
  const db = await createTestDatabase(options);
  made.push(db);
  return db.url;
}
async function ask<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}
/** Every table's content as one digest, and every sequence; scratch (unlogged) tables are in no backup. */
async function content(url: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'amiable' and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
         and c.relname <> 'migration'`,
    );
    const digests = tables.map(
      ({ name }) =>
        `select '${name}' as k, count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as v from amiable.${name} t`,
    );
    const { rows } = await client.query<{ k: string; v: string }>(
      `${digests.join(' union all ')}
       union all select sequencename, last_value::text from pg_sequences where schemaname = 'amiable'
       union all select c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid), 'partition' from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'amiable' and c.relispartition and c.relkind = 'r'`,
    );
    return Object.fromEntries(rows.map(({ k, v }) => [k, v]));
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amiable-backup-'));
  file = join(folder, 'all.amiable');
  source = await createTestDatabase();
  made.push(source);
  await ask(source.url, sampleData);
  await backup({ url: source.url, file, now: new Date(0) });
});
afterAll(async () => {
  for (const db of made) await db.drop();
  await rm(folder, { recursive: true, force: true });
});

describe('backup and restore', () => {
  it('gives back every row, sequence and partition, in a migrated or an empty database', async () => {
    const before = await content(source.url);
    expect(before.block).toMatch(/^[1-9]/);
    for (const empty of [false, true]) {
      const url = await database({ empty });
      const seen: string[] = [];
      const result = await restore({ file, url, progress: ({ table }) => seen.push(table) });
      expect(await content(url)).toEqual(before);
      expect(result.takenAt).toBe('1970-01-01T00:00:00.000Z');
      expect(seen).toContain('block');
      // What comes next gets a number of its own.
      await ask(url, `insert into amiable.meter (serial, time_zone) values ('next', 'UTC')`);
    }
  });

  it('can be taken day by day, as on a cluster', async () => {
    const daily = join(folder, 'daily.amiable');
    await backup({ url: source.url, file: daily, byDay: true });
    const url = await database();
    await restore({ file: daily, url });
    expect(await content(url)).toEqual(await content(source.url));
  });

  it.runIf(process.env.AMIABLE_TEST_DATABASE_URL)('moves between the embedded server and another', async () => {
    const dataDir = await scratchFolder('move-');
    const embedded = await startEmbedded({ dataDir, sync: false });
    try {
      const before = await content(source.url);
      await restore({ file, url: embedded.url });
      expect(await content(embedded.url)).toEqual(before);
      const back = join(folder, 'back.amiable');
      await backup({ url: embedded.url, file: back });
      const url = await database();
      await restore({ file: back, url });
      expect(await content(url)).toEqual(before);
    } finally {
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('is closed to others, and leaves the old file until the new one is complete', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const old = join(folder, 'old.amiable');
    await writeFile(old, 'old');
    const empty = await database({ empty: true });
    await expect(backup({ url: empty, file: old })).rejects.toThrow('nothing to back up');
    expect(await readFile(old, 'utf8')).toBe('old');
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
    await expect(backup({ url: source.url, file: join(folder, 'no', 'x') })).rejects.toThrow('does not exist');
  });

  it('sees one moment, whatever is written meanwhile', async () => {
    const url = await database();
    await ask(url, sampleData);
    const before = await content(url);
    const during = join(folder, 'during.amiable');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    let wrote: Promise<unknown> | undefined;
    await backup({
      url,
      file: during,
      progress: () => {
        wrote ??= client.query(`delete from amiable.unplaced; delete from amiable.message`);
      },
    });
    await wrote;
    await client.end();
    const copy = await database();
    await restore({ file: during, url: copy });
    expect(await content(copy)).toEqual(before);
  });

  it('refuses a database that holds data, unless forced', async () => {
    const url = await database();
    await ask(url, `insert into amiable.meter (serial, time_zone) values ('mine', 'UTC')`);
    await expect(restore({ file, url })).rejects.toThrow(/not empty \(meter hold data\).*--force/);
    expect(await ask(url, 'select serial from amiable.meter')).toEqual([{ serial: 'mine' }]);
    await restore({ file, url, force: true });
    expect(await content(url)).toEqual(await content(source.url));
  });

  it('refuses to replace a database under a running Amiable', async () => {
    const url = await database({ empty: true });
    const running = new pg.Client({ connectionString: url, application_name: 'amiable' });
    await running.connect();
    await expect(restore({ url, file, force: true })).rejects.toThrow('Amiable runs on this database');
    await running.end();
    await expect
      .poll(() =>
        restore({ url, file, force: true }).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });
  it('ends with one error, whatever the file still has to say after it', async () => {
    // Refused before or while the cut file is unpacked: the end of the file then comes to streams nobody reads any more.
    const url = await database({ empty: true });
    const running = new pg.Client({ connectionString: url, application_name: 'amiable' });
    await running.connect();
    const cut = join(folder, 'cut.amiable');
    const unheard: unknown[] = [];
    const listen = (error: unknown): void => void unheard.push(error);
    process.prependListener('uncaughtException', listen);
    const packed = await readFile(file);
    for (let i = 1; i <= 25; i++) {
      await writeFile(cut, packed.subarray(0, Math.floor((packed.length * i) / 26)));
      await expect(restore({ url, file: cut, force: true })).rejects.toBeInstanceOf(BackupError);
    }
    await running.end();
    process.removeListener('uncaughtException', listen);
    expect(unheard).toEqual([]);
  });

  it('says that a folder is no file', async () => {
    await expect(backup({ url: source.url, file: folder })).rejects.toThrow('is a folder');
  });
  it('brings a backup of an older schema up to date, and refuses one of a newer', async () => {
    const newer = [
      ...migrations,
      {
        version: migrations.length + 1,
        name: 'more',
        sql: `alter table amiable.meter add column colour text default 'grey'`,
      },
    ];
    const url = await database({ empty: true });
    await migrate({ url, migrations: newer });
    await restore({ file, url, migrations: newer });
    expect(await ask(url, 'select distinct colour from amiable.meter')).toEqual([{ colour: 'grey' }]);
    const late = join(folder, 'late.amiable');
    await backup({ url, file: late });
    const old = await database();
    await expect(restore({ file: late, url: old })).rejects.toThrow('made by a newer Amiable');
    await expect(restore({ file, url })).rejects.toThrow('The database was made by a newer Amiable');
  });

  it('does all or nothing with a damaged file', async () => {
    const good = gunzipSync(await readFile(file));
    const bad = join(folder, 'bad.amiable');
    const url = await database();
    const before = await content(url);
    const flip = (at: number): Buffer => {
      const copy = Buffer.from(good);
      copy[at]! ^= 1;
      return copy;
    };
    const records: { kind: string; body: Buffer }[] = [];
    for await (const r of readRecords(
      (async function* () {
        yield good;
      })(),
    ))
      records.push(r);
    const join_ = (list: typeof records): Buffer => Buffer.concat(list.flatMap((r) => record(r.kind as 'D', r.body)));
    const largest = records.reduce((a, b) => (b.kind === 'D' && b.body.length > a.body.length ? b : a), records[0]!);
    const cases: [string, Buffer, RegExp][] = [
      ['no backup', Buffer.from('hello, this is a text'), /damaged or not a backup/],
      ['another gzip', gzipSync('hello, this is a text'), /not a backup of Amiable/],
      ['cut short', (await readFile(file)).subarray(0, 2000), /ends in the middle/],
      ['cut short between records', gzipSync(join_(records.slice(0, -1))), /its end is missing/],
      ['a flipped bit', gzipSync(flip(good.indexOf(largest.body) + largest.body.length - 100)), /damaged/],
      ['a record missing', gzipSync(join_(records.filter((r) => r !== largest))), /damaged/],
      ['something behind', gzipSync(join_([...records, records[0]!])), /damaged/],
      [
        'an unknown table',
        gzipSync(
          join_(
            records.map((r) => ({
              ...r,
              body: r.kind === 'T' ? Buffer.from('{"table":"pg_authid","columns":["a"]}') : r.body,
            })),
          ),
        ),
        /unknown to its schema/,
      ],
      [
        'a partition with more in its bound',
        gzipSync(
          Buffer.concat([
            ...record('H', {
              ...JSON.parse(records[0]!.body.toString()),
              partitions: [
                {
                  table: 'x',
                  parent: 'block',
                  bound: `FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); drop table amiable.meter`,
                },
              ],
            }),
            join_(records.slice(1)),
          ]),
        ),
        /does not fit this database/,
      ],
    ];
    for (const [name, bytes, sentence] of cases) {
      await writeFile(bad, bytes);
      const attempt = restore({ file: bad, url });
      await expect(attempt, name).rejects.toThrow(sentence);
      await expect(attempt, name).rejects.toThrow(BackupError);
      expect(await content(url), name).toEqual(before);
    }
    await expect(restore({ file: join(folder, 'none'), url })).rejects.toThrow('There is no file');
    await expect(restore({ file: folder, url })).rejects.toThrow('is a folder');
    await truncate(bad, 0);
    await expect(restore({ file: bad, url })).rejects.toThrow(BackupError);
  });
});
