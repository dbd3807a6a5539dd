import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModule, parseSync } from 'libpg-query';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../src/schema/migrations.ts';
import { allStatements } from '../src/sql/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { BIG, faults, LOCAL, REFERENCE } from './sql-rules.ts';

const SRC = new URL('../src/', import.meta.url).pathname;

beforeAll(async () => {
  await loadModule();
});

describe('every statement obeys the rules of a distributed database', () => {
  it.each(allStatements().map((s) => [s.name, s.text]))('%s', (_, text) => {
    expect(faults(parseSync(text))).toEqual([]);
  });

  it.each(migrations.map((m) => [m.name, m.sql]))('migration %s', (_, text) => {
    const { stmts } = parseSync(text) as { stmts: unknown[] };
    expect(stmts.flatMap((s) => faults(s))).toEqual([]);
  });

  it('sees what is forbidden', () => {
    const bad: readonly (readonly [string, string])[] = [
      ['merge into amiable.block b using amiable.block_stage s on b.meter = s.meter when matched then delete', 'MERGE'],
      ['select 1 from block', 'block is not schema-qualified'],
      ['select 1 from amiable.message for update skip locked', 'SKIP LOCKED on a big or reference table'],
      ['select ctid from amiable.block', 'a system column'],
      ["select date_trunc('day', time) from amiable.message", 'date_trunc without a zone'],
      ['select now()', 'now()'],
      ['select current_timestamp', 'current_timestamp and the like'],
      [
        'insert into amiable.live (meter) values (1) on conflict (meter) do update set time = lower(excluded.v)',
        'a function call in DO UPDATE',
      ],
      [
        'insert into amiable.live (layout) values (1) on conflict (layout) do nothing',
        'ON CONFLICT of a big table does not begin with meter',
      ],
      ['select meter from amiable.block group by rollup (meter)', 'ROLLUP, CUBE or GROUPING SETS'],
      ['with recursive r as (select 1 from amiable.block) select 1 from r', 'a recursive CTE'],
      ['copy amiable.block from stdin where meter > 1', 'COPY FROM … WHERE'],
      [
        'select 1 from amiable.meter m cross join lateral (select 1 from amiable.block b where b.meter = m.id limit 1) x',
        'LATERAL … LIMIT over a big table',
      ],
      [
        'select (select max(time) from amiable.message x where x.meter = m.id) from amiable.meter m',
        'a subquery over a big table for rows of a reference table',
      ],
      [
        'select 1 from amiable.block b join amiable.message m on m.time = b.day',
        'big tables are joined without meter = meter',
      ],
      [
        'delete from amiable.block b using amiable.dirty d where b.day = d.day',
        'big tables are joined without meter = meter',
      ],
      [
        'insert into amiable.live (meter) select * from unnest($1::bigint[])',
        'INSERT into a big table out of unnest; use VALUES or COPY',
      ],
      ['create table amiable.x (meter bigint references amiable.meter)', 'a foreign key'],
      ['create trigger t before insert on amiable.block execute function amiable.f()', 'a trigger, rule or row policy'],
      ['select unpack(v, n) from amiable.block', 'unpack() is not schema-qualified'],
    ];
    for (const [text, fault] of bad) expect(faults(parseSync(text)), text).toContain(fault);
  });
});

describe('the source', () => {
  const files = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((f) =>
      f.isDirectory() ? files(join(folder, f.name)) : f.name.endsWith('.ts') ? [join(folder, f.name)] : [],
    );
  // The supervisor, the migrations and the backup work on one server by their nature.
  const own = files(SRC).filter((f) => !/\/(embedded|backup|sql)\/|\/migrate\.ts$/.test(f));

  it('has its SQL in one place', () => {
    for (const file of own)
      expect(readFileSync(file, 'utf8'), file).not.toMatch(
        /['"`]\s*(select|insert into|update|delete from|copy|with|truncate|create|alter)\s+[a-z(]+[^'"`\n]* (from|set|values|table|as)\b/,
      );
  });

  it('never counts by rowCount, and knows no constraint by name', () => {
    for (const file of own) expect(readFileSync(file, 'utf8'), file).not.toMatch(/\.rowCount|\.constraint\b/);
  });
});

describe('the live schema', () => {
  let db: TestDatabase;
  let client: pg.Client;
  const rows = async (text: string): Promise<Record<string, unknown>[]> => (await client.query(text)).rows;

  beforeAll(async () => {
    db = await createTestDatabase();
    client = new pg.Client(db.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  it('has each table in one of the three kinds', async () => {
    const found = await rows(`select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where nspname = 'amiable' and relkind in ('r', 'p')`);
    for (const { name } of found)
      expect(
        BIG.has(name as string) || REFERENCE.has(name as string) || LOCAL.has(name as string),
        name as string,
      ).toBe(true);
  });

  it('has the meter first in every key of a big table', async () => {
    const found =
      await rows(`select t.relname as name, a.attname as first, y.typname as type, i.indisunique from pg_index i
      join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0] join pg_type y on y.oid = a.atttypid
      where n.nspname = 'amiable' and (i.indisunique or i.indisprimary)`);
    for (const row of found) {
      if (!BIG.has(row.name as string)) continue;
      expect(row, row.name as string).toMatchObject({ first: 'meter', type: 'int8' });
    }
    expect(new Set(found.map((r) => r.name))).toContain('block');
  });

  it('has no foreign key, trigger, rule or policy, and partitions of one level', async () => {
    expect(
      await rows(
        `select conname from pg_constraint c join pg_namespace n on n.oid = c.connamespace where nspname = 'amiable' and contype = 'f'`,
      ),
    ).toEqual([]);
    expect(
      await rows(
        `select tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace where nspname = 'amiable' and not tgisinternal`,
      ),
    ).toEqual([]);
    expect(await rows(`select rulename from pg_rules where schemaname = 'amiable'`)).toEqual([]);
    expect(await rows(`select polname from pg_policy`)).toEqual([]);
    expect(
      await rows(
        `select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace where nspname = 'amiable' and c.relkind = 'p'`,
      ),
    ).toEqual([]);
  });

  it('has immutable functions that other nodes may run', async () => {
    const found = await rows(
      `select proname, provolatile, proparallel from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname = 'amiable'`,
    );
    expect(found.length).toBeGreaterThan(5);
    for (const f of found) expect(f).toMatchObject({ provolatile: 'i', proparallel: 's' });
  });

  it('says of every table, view, column and function what it is', async () => {
    const silent = await rows(`select c.relname || coalesce('.' || a.attname, '') as what from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where nspname = 'amiable' and relkind in ('r', 'p', 'v') and not relispartition and relname <> 'migration'
        and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)`);
    expect(silent).toEqual([]);
    expect(
      await rows(
        `select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname = 'amiable' and obj_description(p.oid, 'pg_proc') is null`,
      ),
    ).toEqual([]);
  });
});
