import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { type Migration, MigrationError, migrate } from '../src/migrate.ts';
import { migrations } from '../src/schema/migrations.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { samples } from './sample-data.ts';

const toy: Migration[] = [
  { version: 1, name: 'first', sql: 'create table amiable.a (id bigint primary key)' },
  { version: 2, name: 'second', sql: `alter table amiable.a add column note text not null default ''` },
  {
    version: 3,
    name: 'third',
    sql: 'create table amiable.b (id bigint primary key); insert into amiable.b values (1)',
  },
];
const made: TestDatabase[] = [];
async function empty(): Promise<string> {
  const db = await createTestDatabase({ empty: true });
  made.push(db);
  return db.url;
}
async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
afterAll(async () => {
  for (const db of made) await db.drop();
});

describe('migrate', () => {
  it('brings an empty database to the newest schema, once', async () => {
    const url = await empty();
    expect(await migrate({ url, migrations: toy })).toEqual({ from: 0, to: 3, distributed: false });
    expect(await migrate({ url, migrations: toy })).toEqual({ from: 3, to: 3, distributed: false });
    expect(await rows(url, 'select version, name from amiable.migration order by 1')).toEqual([
      { version: 1, name: 'first' },
      { version: 2, name: 'second' },
      { version: 3, name: 'third' },
    ]);
  });
  it('keeps the data on the way up from every version', async () => {
    for (let from = 1; from < toy.length; from++) {
      const url = await empty();
      await migrate({ url, migrations: toy.slice(0, from) });
      await rows(url, 'insert into amiable.a values (42)');
      expect((await migrate({ url, migrations: toy })).from).toBe(from);
      expect(await rows(url, 'select id::int, note from amiable.a')).toEqual([{ id: 42, note: '' }]);
    }
  });
  it('lets several roles start at once', async () => {
    const url = await empty();
    const results = await Promise.all([1, 2, 3, 4].map(() => migrate({ url, migrations: toy })));
    expect(results.map((r) => r.to)).toEqual([3, 3, 3, 3]);
    expect(await rows(url, 'select count(*)::int as n from amiable.b')).toEqual([{ n: 1 }]);
  });
  it('leaves nothing of a migration that fails', async () => {
    const url = await empty();
    const bad = [...toy.slice(0, 2), { version: 3, name: 'bad', sql: 'create table amiable.c (); select 1/0' }];
    await expect(migrate({ url, migrations: bad })).rejects.toThrow('division by zero');
    expect(await rows(url, `select to_regclass('amiable.c') as c, max(version) as v from amiable.migration`)).toEqual([
      { c: null, v: 2 },
    ]);
    expect((await migrate({ url, migrations: toy })).from).toBe(2);
  });
  it('refuses a database of a newer program', async () => {
    const url = await empty();
    await migrate({ url, migrations: toy });
    const old = migrate({ url, migrations: toy.slice(0, 2) });
    await expect(old).rejects.toThrow(MigrationError);
    await expect(old).rejects.toThrow('made by a newer Amiable (schema 3; this program knows up to 2)');
  });
  it('refuses a database whose history differs', async () => {
    const url = await empty();
    await migrate({ url, migrations: toy });
    const edited = [toy[0]!, { ...toy[1]!, sql: 'alter table amiable.a add column other text' }, toy[2]!];
    await expect(migrate({ url, migrations: edited })).rejects.toThrow('Migration 2 (second) was applied');
  });
  it('tells whom to ask when the user may not create a schema', async () => {
    const url = await empty();
    const { username } = new URL(url);
    const locked = new URL(url);
    await rows(url, `revoke create on database ${locked.pathname.slice(1)} from public, "${username}"`);
    const [who] = (await rows(url, 'select rolsuper from pg_roles where rolname = current_user')) as {
      rolsuper: boolean;
    }[];
    if (who?.rolsuper) return;
    await expect(migrate({ url, migrations: toy })).rejects.toThrow(
      /lacks a right in .*As administrator: alter database/,
    );
  });
  it('gives up with a sentence when another program holds a table', async () => {
    const url = await empty();
    await migrate({ url, migrations: toy.slice(0, 1) });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('begin; lock table amiable.a');
    await expect(migrate({ url, migrations: toy, lockTimeout: 50 })).rejects.toThrow('Stop the other roles');
    await client.end();
  });
});

describe('the schema', () => {
  it('is reached from every version that was ever released, with the data kept', async () => {
    for (const { version, name } of migrations) {
      const sample = samples[version];
      if (sample === undefined) throw new Error(`migration ${version} (${name}) brings no entry in sample-data.ts`);
      const url = await empty();
      await migrate({ url, migrations: migrations.slice(0, version) });
      await rows(url, sample);
      const count = `select (select count(*)::int from amiable.block) as blocks, (select count(*)::int from amiable.message) as messages,
        (select count(*)::int from amiable.meter) as meters, (select count(*)::int from amiable.change_log) as changes`;
      const before = await rows(url, count);
      expect(await migrate({ url, migrations })).toMatchObject({ from: version, to: migrations.length });
      expect(await rows(url, count)).toEqual(before);
    }
  });
});
