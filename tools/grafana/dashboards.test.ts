/**
 * The dashboards of examples/grafana: each question of each panel is asked of the real schema, as the role that Grafana has, with
 * Grafana's macros filled in; the JSON is held to what schema version 39 says; metrics asked of Prometheus are those that the programs give.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { openStore, type Store } from '@amiable/store';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../packages/store/test/harness.ts';

const ROOT = new URL('../../examples/grafana/', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const DAY = 86_400_000;
const HOUR = 3_600_000;
/** The end of what is measured: the start of this hour. */
const NOW = Math.floor(Date.now() / HOUR) * HOUR;
const FROM = NOW - 3 * DAY;

const source = z.union([
  z.strictObject({ type: z.literal('grafana-postgresql-datasource'), uid: z.literal('amiable') }),
  z.strictObject({ type: z.literal('prometheus'), uid: z.literal('amiable-metrics') }),
]);
const sqlTarget = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource: source,
  format: z.enum(['time_series', 'table']),
  editorMode: z.literal('code'),
  rawQuery: z.literal(true),
  rawSql: z.string().min(20),
});
const metricTarget = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource: source,
  editorMode: z.literal('code'),
  expr: z.string().min(3),
  legendFormat: z.string(),
  range: z.boolean(),
  instant: z.boolean(),
});
/** Units of Grafana that stand in these dashboards; a wrong word would show as text behind the number. */
const UNITS = [
  'watt',
  'watth',
  'volt',
  'amp',
  'm3',
  'none',
  'short',
  's',
  'ops',
  'bytes',
  'percentunit',
  'dateTimeAsIso',
];
const panel = z.looseObject({
  id: z.number().int().positive(),
  type: z.enum(['stat', 'timeseries', 'barchart', 'table', 'heatmap']),
  title: z.string().min(3),
  description: z.string().min(5),
  datasource: source,
  gridPos: z.strictObject({
    x: z.number().int().min(0).max(23),
    y: z.number().int().min(0),
    w: z.number().int().min(1).max(24),
    h: z.number().int().min(3),
  }),
  targets: z.array(z.union([sqlTarget, metricTarget])).min(1),
  fieldConfig: z.strictObject({
    defaults: z.looseObject({ unit: z.enum(UNITS as [string, ...string[]]).optional() }),
    overrides: z.array(
      z.strictObject({
        matcher: z.strictObject({ id: z.literal('byName'), options: z.string() }),
        properties: z.array(z.strictObject({ id: z.string(), value: z.unknown() })).min(1),
      }),
    ),
  }),
  options: z.looseObject({ xField: z.string().optional() }),
});
const dashboard = z.looseObject({
  uid: z.string().regex(/^[a-z-]{1,40}$/),
  title: z.string(),
  schemaVersion: z.literal(39),
  refresh: z.string().regex(/^\d+[smh]$/),
  time: z.strictObject({ from: z.string().regex(/^now-\d+[hd]$/), to: z.literal('now') }),
  templating: z.strictObject({
    list: z.array(z.looseObject({ name: z.string(), query: z.string(), type: z.literal('query') })),
  }),
  panels: z.array(panel).min(4),
});
type Dashboard = z.infer<typeof dashboard>;

const names = readdirSync(new URL('dashboards/', ROOT)).filter((name) => name.endsWith('.json'));
const all = new Map<string, Dashboard>(
  names.map((name) => [name, JSON.parse(text(`dashboards/${name}`)) as Dashboard]),
);
const questions = [...all].flatMap(([name, { panels }]) =>
  panels.flatMap((p) =>
    p.targets.flatMap((t) => ('rawSql' in t ? [{ name, title: p.title, panel: p, target: t }] : [])),
  ),
);

/** What Grafana puts in place of its macros and variables. */
function fill(sql: string, meter: string, from: number, to: number): string {
  const [first, last] = [from, to].map((at) => `'${new Date(at).toISOString()}'`);
  return sql
    .replace(/\$__timeFilter\(([\w.]+)\)/g, `$1 between ${first} and ${last}`)
    .replaceAll('$__timeFrom()', first as string)
    .replaceAll('$__timeTo()', last as string)
    .replaceAll('$__from', String(from))
    .replaceAll('$__to', String(to))
    .replaceAll('$meter', meter);
}

describe('the dashboards', () => {
  it.each(names)('%s is what schema version 39 says', (name) => {
    const read = dashboard.parse(all.get(name));
    expect(new Set(read.panels.map((p) => p.id)).size).toBe(read.panels.length);
    // No two panels lie on each other, none outside of the 24 columns.
    const taken = new Set<string>();
    for (const { gridPos: g } of read.panels) {
      expect(g.x + g.w).toBeLessThanOrEqual(24);
      for (let x = g.x; x < g.x + g.w; x++)
        for (let y = g.y; y < g.y + g.h; y++) {
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
    }
    for (const p of read.panels) {
      expect(p.targets.every((t) => t.datasource.uid === p.datasource.uid)).toBe(true);
      // Figures have a unit, of the panel or of the column.
      if (p.type !== 'table') expect([p.title, typeof p.fieldConfig.defaults.unit]).toEqual([p.title, 'string']);
    }
  });
  it('know one another and their sources', () => {
    expect(new Set([...all.values()].map((d) => d.uid)).size).toBe(names.length);
    const sources = text('provisioning/datasources/amiable.yaml');
    for (const uid of ['amiable', 'amiable-metrics']) expect(sources).toMatch(new RegExp(`^ {4}uid: ${uid}$`, 'm'));
    const path = /path: (.+)/.exec(text('provisioning/dashboards/amiable.yaml'))?.[1] as string;
    for (const file of ['compose.yaml', 'pod-containers.yaml']) expect(text(file)).toContain(path);
    for (const variable of sources.match(/\$\{(\w+)\}/g) ?? [])
      for (const file of ['compose.yaml', 'pod-containers.yaml']) expect(text(file)).toContain(variable.slice(2, -1));
  });
  it('ask Prometheus for metrics that the programs give', () => {
    const given = new Set(
      ['apps/central/src/features/status/routes.ts', 'apps/reader/src/gateways/prometheus.ts'].flatMap((file) =>
        [
          ...readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').matchAll(/'((?:amiable|process)_\w+)'/g),
        ].map((m) => m[1]),
      ),
    );
    const asked = [...all.values()].flatMap((d) =>
      d.panels.flatMap((p) =>
        p.targets.flatMap((t) => ('expr' in t ? (t.expr.match(/(?:amiable|process)_\w+/g) ?? []) : [])),
      ),
    );
    expect(asked.length).toBeGreaterThan(10);
    for (const name of asked) expect([...given]).toContain(name);
  });
});

describe('on the real schema, as the role of Grafana', () => {
  let database: TestDatabase;
  let store: Store;
  let client: pg.Client;
  let meter: string;
  const role = `reader_${process.pid}`;
  let asReader = false;
  beforeAll(async () => {
    database = await createTestDatabase();
    store = await openStore({ url: database.url });
    const ids = await store.ensureMeters([
      { serial: '1', name: 'Bakken', timeZone: 'Europe/Oslo' },
      { serial: '2', timeZone: 'Europe/Oslo' },
    ]);
    meter = ids.get('1') as string;
    const quarters = (3 * DAY) / 900_000;
    const rising = (step: number) => Float64Array.from({ length: quarters }, (_, i) => i * step);
    const steady = (value: number) => new Float64Array(quarters).fill(value);
    for (const [serial, id] of ids)
      await store.writeBlocks([
        {
          meter: id,
          register: { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh' },
          scaler: 0,
          start: FROM,
          step: 900_000,
          values: rising(250),
        },
        {
          meter: id,
          register: { obis: '1-0:2.8.0', name: 'activeEnergyExport', unit: 'Wh' },
          scaler: 0,
          start: FROM,
          step: 900_000,
          values: rising(10),
        },
        {
          meter: id,
          register: { obis: '0-1:24.2.1', name: 'gasVolume', unit: 'm3', channel: 1 },
          scaler: -3,
          start: FROM,
          step: 900_000,
          values: rising(20),
        },
        ...[900, 60].map((period) => ({
          meter: id,
          register: { obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W' as const, period, stat: 'mean' as const },
          scaler: 0,
          start: FROM,
          step: period * 1000,
          // The second meter has its first day alone, and not all of that.
          values: new Float64Array((serial === '2' ? DAY - 1_800_000 : 3 * DAY) / period / 1000).fill(1000),
        })),
        {
          meter: id,
          register: { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', period: 900, stat: 'max' },
          scaler: -1,
          start: FROM,
          step: 900_000,
          values: steady(2555),
        },
        {
          meter: id,
          register: { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', period: 900, stat: 'mean' },
          scaler: -1,
          start: FROM,
          step: 900_000,
          values: steady(2500),
        },
        {
          meter: id,
          register: { obis: '1-0:31.7.0', name: 'currentL1', unit: 'A', period: 900, stat: 'mean' },
          scaler: -1,
          start: FROM,
          step: 900_000,
          values: steady(43),
        },
      ]);
    await store.compact(NOW);
    await store.retain(NOW);
    client = new pg.Client(database.url);
    await client.connect();
    try {
      await client.query(text('role.sql').replaceAll('amiable_reader', role).replace(':password', "'secret'"));
      await client.query(`set role ${role}`);
      asReader = true;
    } catch (error) {
      // The embedded server's user may make no roles; the questions are then asked as the owner.
      if ((error as { code?: string }).code !== '42501') throw error;
    }
  });
  afterAll(async () => {
    await client?.query('reset role').catch(() => {});
    await client?.query(`drop owned by ${role}; drop role ${role}`).catch(() => {});
    await client?.end();
    await store?.close();
    await database?.drop();
  });

  const ask = async (sql: string, span = 3 * DAY) =>
    (await client.query(fill(sql, meter, NOW - span, NOW))).rows as Record<string, unknown>[];

  it.each(questions)('$name: $title', async ({ panel: p, target }) => {
    const sql = fill(target.rawSql, meter, NOW - 3 * DAY, NOW);
    expect(sql).not.toMatch(/\$[\w{]/);
    // Others ask the same whatever the span.
    for (const span of target.rawSql.includes('$__from') ? [6 * HOUR, 3 * DAY, 60 * DAY] : [3 * DAY]) {
      const { rows, fields } = await client.query(fill(target.rawSql, meter, NOW - span, NOW));
      const columns = fields.map((f) => f.name);
      if (target.format === 'time_series') {
        // 1184: timestamp with time zone.
        expect([columns[0], fields[0]?.dataTypeID]).toEqual(['time', 1184]);
        for (const row of rows as { metric?: unknown }[]) expect(row.metric ?? 'none').not.toBe('');
      }
      if (p.options.xField !== undefined) expect(columns).toContain(p.options.xField);
      for (const { matcher } of p.fieldConfig.overrides)
        if (target.format === 'table') expect(columns).toContain(matcher.options);
    }
  });
  it('energies add up, also where a day is cut by the chosen time', async () => {
    const of = (title: string) =>
      (questions.find((q) => q.title === title) as (typeof questions)[number]).target.rawSql;
    const days = await ask(of('Energy by day'), 10 * DAY);
    expect(days.length).toBeGreaterThanOrEqual(3);
    expect(days.reduce((sum, row) => sum + Number(row.Import), 0)).toBe(250 * 287);
    expect(days.reduce((sum, row) => sum + Number(row.Export), 0)).toBe(10 * 287);
    const hours = await ask(of('Energy by hour'));
    expect(hours.slice(0, -1).every((row) => Number(row.Import) === 1000)).toBe(true);
    const [gas] = (await ask(of('Gas and water by day'), 10 * DAY)).slice(1);
    expect(Number(gas?.['Channel 1'])).toBeCloseTo(96 * 0.02, 1);
    expect(await ask(of('Import by meter'), 10 * DAY)).toMatchObject([
      { Meter: expect.any(String) },
      { Meter: expect.any(String) },
    ]);
    expect(Number((await ask(of('Highest quarter of an hour')))[0]?.Power)).toBe(1000);
    expect((await ask(of('Gaps'), 10 * DAY)).map((row) => row.Meter)).toContain('2');
    expect((await ask(of('Voltage outside 207 to 253 V')))[0]).toMatchObject({
      Meter: expect.any(String),
      Phase: 'L1',
      Highest: '255.5',
    });
    const power = await ask(of('Power'), 6 * HOUR);
    expect(power.every((row) => row.metric === 'Import')).toBe(true);
  });
  it('choose meters by name, and may change nothing', async () => {
    const variable = all.get('household.json')?.templating.list[0]?.query as string;
    expect(await ask(variable)).toEqual([
      { __text: '2', __value: expect.any(String) },
      { __text: 'Bakken', __value: meter },
    ]);
    const granted = [...text('role.sql').matchAll(/^grant (.+) to amiable_reader;$/gm)].map((m) => m[1]);
    expect(granted).toEqual([
      'usage on schema amiable',
      'select on amiable.meter, amiable.reading, amiable.reading_hour, amiable.reading_day',
    ]);
    if (!asReader) return;
    await expect(client.query("update amiable.meter set name = 'x'")).rejects.toThrow(/permission denied/);
    await expect(client.query('select * from amiable.message')).rejects.toThrow(/permission denied/);
  });
});
