/**
 * Billing end to end on PostgreSQL: contracts, stays and values are read, rated and the results committed. Monthly determinants in three
 * rates with one demand charge, and whole bills with their derivation, of 10,000 meters × 30 days × 96; and of a quarter of them, for cost must
 * grow with the meters and no faster.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import { tariff } from '@amiable/model/schemas';
import { type BillingRun, openStore, type Store, startEmbedded } from '@amiable/store';
import pg from 'pg';
import { executeRun } from '../../apps/central/src/features/billing/run.ts';
import { runParameters } from '../../apps/central/src/features/billing/shapes.ts';
import type { Figure } from './figure.ts';
import type { BenchOptions } from './main.ts';

const QUARTER = 900_000;
/** November has 30 days of 96 quarters in Oslo. */
const FROM = Date.parse('2025-11-01T00:00+01:00');
const TO = Date.parse('2025-12-01T00:00+01:00');
const NOW = Date.parse('2025-12-02T00:00+01:00');
const COUNT = (TO - FROM) / QUARTER;
const TRIES = 5;

export async function benchBilling({ smoke }: BenchOptions): Promise<readonly Figure[]> {
  const meters = smoke ? 40 : Number(process.env.AMIABLE_METERS ?? 10_000);
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    return await measure(embedded.url, meters, smoke ? 1 : TRIES);
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Meters at metering points of their own, with a contract each; a quarter of them has a product of its own. */
async function fill(url: string, store: Store, meters: number): Promise<void> {
  const text = readFileSync(new URL('../../examples/tariffs/three-rates-seasons.json', import.meta.url), 'utf8');
  const definition = tariff.parse(JSON.parse(text));
  const by = { who: 'bench', at: NOW };
  await store.billing.tariffs.put(
    'three rates',
    { validFrom: '2025-01-01', definition: definition as unknown as Record<string, unknown> },
    by,
  );
  await store.billing.tariffs.publish('three rates', 1, definition.zone, by);
  const made = await store.ensureMeters(
    Array.from({ length: meters }, (_, i) => ({ serial: String(7_000_000_000 + i), timeZone: definition.zone })),
  );
  const ids = [...made.values()];
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`insert into amiable.node (kind, code, path, created_at)
    select 'metering-point', 'P' || k, '{}', '2025-01-01' from generate_series(1, ${meters}) k`);
  await client.query(`insert into amiable.link (kind, child, parent, from_time, recorded_at)
    select 'installed', m.id, n.id, '2025-01-01', '2025-01-01'
    from (select id, row_number() over (order by id) k from amiable.meter) m
    join (select id, row_number() over (order by id) k from amiable.node) n on n.k = m.k`);
  await client.query(`insert into amiable.contract (metering_point, product, tariff, from_time, recorded_at)
    select n.id, case when n.id % 4 = 0 then 'quarter' else 'rest' end, 1, '2025-01-01', '2025-01-01' from amiable.node n`);
  await client.query('analyze');
  const register = intervalRegister(quantityOf('energyImport') as Quantity, 900);
  for (let at = 0; at < ids.length; at += 1000)
    await store.intervals.write(
      ids.slice(at, at + 1000).map((meter, k) => {
        let seed = (at + k + 1) * 2_654_435_761;
        let base = 60;
        const values = Float64Array.from({ length: COUNT }, () => {
          seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
          if (seed % 40 === 0) base = 40 + (seed >>> 20);
          return base + ((seed >>> 12) % 12);
        });
        return { meter, register, scaler: 0, start: FROM, step: QUARTER, values };
      }),
      { source: 'validation', at: NOW, replace: true },
    );
  await client.query('analyze');
  await client.end();
}

/** What a bill takes: its derivation as text, as it lies in the table, and all of the table with its indexes. */
async function sizes(url: string): Promise<[string, number][]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } =
      await client.query(`select avg(octet_length(detail::text))::float8 as text, avg(pg_column_size(detail))::float8 as kept,
      (select sum(pg_total_relation_size(c.oid)) from pg_class c where c.oid = 'amiable.bill'::regclass
        or c.oid in (select inhrelid from pg_inherits where inhparent = 'amiable.bill'::regclass))::float8 / count(*) as whole from amiable.bill`);
    const [row] = rows as { text: number; kept: number; whole: number }[];
    return [
      ["a bill's derivation as text", row?.text ?? 0],
      ["a bill's derivation, compressed by the database", row?.kept ?? 0],
      ['a bill on disk, indexes included', row?.whole ?? 0],
    ];
  } finally {
    await client.end();
  }
}

interface Took {
  /** Seconds by the clock, and of this process's processor. */
  readonly wall: number;
  readonly own: number;
}

async function measure(url: string, meters: number, tries: number): Promise<Figure[]> {
  const store = await openStore({ url });
  const figures: Figure[] = [];
  let order = 0;
  const run = async (kind: 'bill' | 'determinants', product?: string): Promise<Took> => {
    const parameters = runParameters.parse({ kind, of: '2025-11', ...(product === undefined ? {} : { product }) });
    const begun: BillingRun = await store.billing.runs.begin({
      kind,
      name: '2025-11',
      from: FROM,
      to: TO,
      definition: parameters,
      scope: 'all',
      taskRun: String(++order),
      by: { who: 'bench', at: NOW },
    });
    const cpu = process.cpuUsage();
    const start = performance.now();
    await executeRun(begun, 'all', {
      store,
      now: () => NOW,
      signal: new AbortController().signal,
      progress: () => {},
    });
    const wall = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { wall, own: (user + system) / 1e6 };
  };
  const tell = (name: string, { wall, own }: Took): void => {
    figures.push({ name: `billing: ${name}`, value: wall, unit: 's' });
    figures.push({ name: `billing: ${name}, processor of this program`, value: own, unit: 's' });
  };
  const best = async (kind: 'determinants', product?: string): Promise<Took> => {
    let least: Took | undefined;
    for (let i = 0; i < tries; i++) {
      const took = await run(kind, product);
      if (!least || took.wall < least.wall) least = took;
    }
    return least as Took;
  };
  try {
    await fill(url, store, meters);
    const count = meters.toLocaleString('en');
    tell(`determinants in 3 rates and one demand of ${count} meters`, await best('determinants'));
    tell(`the same of a quarter of them`, await best('determinants', 'quarter'));
    tell(`bills with derivation of a quarter of them`, await run('bill', 'quarter'));
    tell(`bills with derivation of the rest`, await run('bill', 'rest'));
    tell(`a run that finds all of them billed`, await run('bill'));
    for (const [name, value] of await sizes(url)) figures.push({ name: `billing: ${name}`, value, unit: 'B' });
    return figures;
  } finally {
    await store.close();
  }
}
