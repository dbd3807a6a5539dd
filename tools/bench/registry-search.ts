/**
 * The registry's questions over a million meters, on the embedded PostgreSQL: meters by every kind of attribute, common and
 * rare, at the beginning and at the end of the list, what the tree shows, and what a move costs. Meters stand at metering
 * points under 20 regions, 200 substations, 4,000 transformers; regions were imported one after the other, which is the worst
 * order for a page of the last one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Condition, type MeterSelection, openStore, type Store, startEmbedded } from '@amiable/store';
import pg from 'pg';
import type { Figure } from './figure.ts';

const by = { who: 'bench', at: Date.UTC(2026, 10, 20) };

export async function benchRegistrySearch(options: { smoke?: boolean } = {}): Promise<Figure[]> {
  const meters = options.smoke ? 20_000 : Number(process.env.METERS ?? 1_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    const store = await openStore({ url: embedded.url });
    try {
      await fill(embedded.url, meters);
      return await measure(store, meters);
    } finally {
      await store.close();
    }
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(url: string, meters: number): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await rows(client, meters);
  } finally {
    await client.end();
  }
}

async function rows(client: pg.Client, meters: number): Promise<void> {
  const run = (text: string, values: unknown[] = []): Promise<pg.QueryResult> => client.query(text, values);
  // Indexes are made afterwards, as a bulk import does.
  const { rows: indexes } = await run(`select i.relname as name, pg_get_indexdef(i.oid) as text from pg_index x
    join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid join pg_namespace n on n.oid = t.relnamespace
    where n.nspname = 'amiable' and t.relname in ('meter', 'node', 'link', 'premises') and not x.indisprimary
      and not exists (select 1 from pg_constraint c where c.conindid = i.oid)`);
  for (const { name } of indexes) await run(`drop index amiable.${name}`);
  await run(
    `insert into amiable.meter_type (name, maker) select 'type-' || k, 'maker-' || k % 5 from generate_series(1, 20) k`,
  );
  await run(`insert into amiable.segment (id, name) select k, 'segment ' || k from generate_series(2, 20) k`);
  const perRegion = meters / 20;
  const perTransformer = meters / 4000;
  await run(`insert into amiable.node (id, kind, code, name, parent, path, segment)
    select k, 'region', 'R' || k, 'Region ' || k, null, array[k], k from generate_series(1, 20) k`);
  await run(`insert into amiable.node (id, kind, code, parent, path, segment)
    select 100 + k, 'substation', 'S' || k, 1 + (k - 1) / 10, array[1 + (k - 1) / 10, 100 + k], 1 + (k - 1) / 10 from generate_series(1, 200) k`);
  await run(`insert into amiable.node (id, kind, code, parent, path, segment)
    select 1000 + k, 'transformer', 'T' || k, 101 + (k - 1) / 20, array[1 + (k - 1) / 200, 101 + (k - 1) / 20, 1000 + k], 1 + (k - 1) / 200
    from generate_series(1, 4000) k`);
  await run(
    `insert into amiable.node (id, kind, code, parent, path, segment)
    select 1000000 + k, 'metering-point', '7359991' || lpad(k::text, 11, '0'), 1001 + (k - 1) / $1, array[1 + (k - 1) / $2, 101 + (k - 1) / $1 / 20, 1001 + (k - 1) / $1, 1000000 + k],
      1 + (k - 1) / $2 from generate_series(1, $3::integer) k`,
    [perTransformer, perRegion, meters],
  );
  await run(
    `insert into amiable.meter (id, serial, utility_serial, name, place, time_zone, maker, type, state, life, segment, meter_type,
      param_id, config_id, attributes, path, first_seen)
    select k, 'LGZ' || lpad(k::text, 8, '0'), '7350028740' || lpad((k::bigint * 7919 % 99999989)::text, 8, '0'), null,
      (array['Storgata', 'Kirkeveien', 'Nygata', 'Skoleveien', 'Strandveien'])[1 + k % 5] || ' ' || k % 400, 'Europe/Oslo',
      case when k % 100000 = 7 then 'Rare' else (array['Kaifa', 'Aidon', 'Kamstrup'])[1 + k % 3] end,
      case when k > $2 * 0.7 then 'late' else 'early' end, 'new', 'installed', 1 + (k - 1) / ($1::integer), 1 + k % 20,
      (k % 256)::text, 'C' || k % 40,
      jsonb_build_object('contract', (array['A', 'B', 'C', 'D'])[1 + k % 4], 'fuse', (array[16, 25, 35, 63])[1 + k % 4], 'project', 'P-' || k % 5000,
        'weight', k % 10007 / 10.0, 'note', 'box ' || md5((k % 100000)::text)),
      array[1 + (k - 1) / ($1::integer), 101 + (k - 1) / ($4::integer) / 20, 1001 + (k - 1) / ($4::integer), 1000000 + k], timestamptz '2026-01-01 00:00+00' + k * interval '10 seconds'
    from generate_series(1, $3::integer) k`,
    [perRegion, meters, meters, perTransformer],
  );
  for (const [kind, child, parent] of [
    ['installed', 'id', '1000000 + id'],
    ['under', '1000000 + id', 'path[3]'],
  ])
    await run(`insert into amiable.link (kind, child, parent, from_time, recorded_at)
      select '${kind}', ${child}, ${parent}, '2026-01-01 00:00+00', '2026-01-01 00:00+00' from amiable.meter`);
  await run(`insert into amiable.link (kind, child, parent, from_time, recorded_at)
    select 'under', id, parent, '2026-01-01 00:00+00', '2026-01-01 00:00+00' from amiable.node where parent is not null and kind <> 'metering-point'`);
  await run(`set maintenance_work_mem = '256MB'`);
  for (const { text } of indexes) await run(text);
  await run(
    `select setval(pg_get_serial_sequence('amiable.node', 'id'), 100000000), setval(pg_get_serial_sequence('amiable.meter', 'id'), 100000000)`,
  );
  await run('vacuum analyze');
}

async function measure(store: Store, meters: number): Promise<Figure[]> {
  const r = store.registry;
  const base = {
    object: 'meter',
    description: null,
    required: false,
    lowest: null,
    highest: null,
    choices: [],
  } as const;
  for (const [name, type, searchable] of [
    ['contract', 'text', false],
    ['project', 'text', false],
    ['fuse', 'number', false],
    ['weight', 'number', true],
    ['note', 'text', true],
  ] as const)
    await r.putDefinition({ ...base, name, type, searchable }, by);
  const is = (attribute: string, sign: Condition['is'], value?: Condition['value']): MeterSelection => ({
    where: [{ attribute, is: sign, ...(value === undefined ? {} : { value }) }],
  });
  const all = (...some: MeterSelection[]): MeterSelection => ({ where: some.flatMap((s) => s.where ?? []) });
  const serial = `LGZ${String(Math.floor(meters * 0.9)).padStart(8, '0')}`;
  const selections: Readonly<Record<string, MeterSelection>> = {
    everything: {},
    'serial = one': is('serial', '=', serial),
    'serial begins, ten': is('serial', 'begins', serial.slice(0, -1)),
    'serial contains': is('serial', 'contains', serial.slice(-6)),
    'serial > near the end': is('serial', '>', serial),
    'utility serial = one': is('utilitySerial', '=', '735002874000007919'),
    'words of a place': { q: 'storgata 123' },
    'word in none': { q: 'nowhereatall' },
    'code of a metering point': { q: '735999100000000777' },
    'maker = common': is('maker', '=', 'Aidon'),
    'maker = rare': is('maker', '=', 'Rare'),
    'maker contains': is('maker', 'contains', 'rar'),
    'type = the last 30 %': is('type', '=', 'late'),
    'meter type = 5 %': is('meterType', '=', 'type-7'),
    'parameter id = 0.4 %': is('paramId', '=', '77'),
    'parameter id != all but it': is('paramId', '!=', '77'),
    'time zone = none': is('timeZone', '=', 'Europe/Rome'),
    'phases missing': is('phases', 'missing'),
    'first seen, last hour': is('firstSeen', '>', Date.UTC(2026, 0, 1) + meters * 10_000 - 3_600_000),
    'life = removed (none)': is('life', '=', 'removed'),
    'attribute = 25 %': is('x.contract', '=', 'B'),
    'attribute = 0.02 %': is('x.project', '=', 'P-4321'),
    'attribute = none': is('x.project', '=', 'none'),
    'attribute in three': is('x.project', 'in', ['P-1', 'P-2', 'P-3']),
    'searchable number > rare': is('x.weight', '>', 1000.55),
    'searchable number > common': is('x.weight', '>', 100),
    'searchable text contains': is('x.note', 'contains', 'c4ca4238'),
    'two common attributes that never meet': all(is('x.contract', '=', 'A'), is('x.fuse', '=', 63)),
    'maker, type and contract': all(is('maker', '=', 'Aidon'), is('type', '=', 'late'), is('x.contract', '=', 'C')),
    'under the first region': { under: '1' },
    'under the last region': { under: '20' },
    'under a substation': { under: '290' },
    'under a transformer': { under: '4990' },
    'region = code, maker': all(is('region', '=', 'R19'), is('maker', '=', 'Kaifa')),
    'transformer in three': is('transformer', 'in', ['T1', 'T2000', 'T3999']),
    'under a transformer, half a year ago': { under: '4990', at: Date.UTC(2026, 4, 1) },
  };
  const figures: Figure[] = [];
  const time = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const times: number[] = [];
    await work();
    for (let k = 0; k < 5; k++) {
      const t = performance.now();
      await work();
      times.push(performance.now() - t);
    }
    figures.push({ name: `registry ${name}`, value: times.sort((a, b) => a - b)[2] as number, unit: 'ms' });
  };
  for (const [name, selection] of Object.entries(selections)) {
    await time(`select: ${name}`, () => r.select(selection, 'all', { limit: 100 }));
    await time(`count: ${name}`, () => r.count(selection, 'all'));
  }
  await time('select: one segment of 20, maker', () => r.select(is('maker', '=', 'Rare'), [19], { limit: 100 }));
  await time('100 entries with their places', async () => r.entries(await r.select({}, 'all', { limit: 100 })));
  await time('tree: top with counts', () => r.children(null, 'all', { limit: 100 }));
  await time('tree: a substation with counts', () => r.children('290', 'all', { limit: 100 }));
  await time('nodes by words', () => r.findNodes({ q: 'T399', limit: 100 }, 'all'));
  await time('summary by region', () => r.summary({ by: 'region', since: 0, limit: 100 }, 'all'));
  const t = performance.now();
  await r.link({ kind: 'under', child: '4990', parent: '101', from: by.at - 1000 }, 'all', by);
  figures.push({
    name: `registry move of a transformer with ${meters / 4000} meters`,
    value: performance.now() - t,
    unit: 'ms',
  });
  return figures;
}
