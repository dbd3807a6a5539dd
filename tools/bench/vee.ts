/**
 * Validation and estimation as a whole: load profiles of a month in the store (cumulative registers, with faults injected) become
 * validated meterings in the store, with findings, estimates and states, through the same pipeline as a task's, on the embedded PostgreSQL.
 * AMIABLE_BENCH_METERS (10000,30000,100000) says other sizes; each has a database of its own.
 *
 * Beside it the durable intake of the same profiles, as readings an hour.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localToUtc } from '@amiable/calendar';
import { openStore, type RegisterKey, type SeriesData, type Store, startEmbedded } from '@amiable/store';
import pg from 'pg';
import { validationParameters } from '../../apps/central/src/features/validation/parameters.ts';
import { createPool } from '../../apps/central/src/features/validation/pool.ts';
import { runValidation } from '../../apps/central/src/features/validation/run.ts';
import type { Figure } from './figure.ts';

const QUARTER = 900_000;
const ZONE = 'Europe/Oslo';
const START = localToUtc(ZONE, Date.UTC(2026, 8, 1));
const DAYS = 30;
const END = START + DAYS * 96 * QUARTER;
const LOAD: RegisterKey = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', period: 900 };
/** Meters that are made and written at once. */
const CHUNK = 2500;
const PEER = 1e9;

export async function benchVee({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const said = process.env.AMIABLE_BENCH_METERS?.split(',').map(Number);
  const figures: Figure[] = [];
  for (const meters of said ?? (smoke ? [50] : [10_000])) figures.push(...(await measure(meters)));
  return figures;
}

async function measure(meters: number): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    const store = await openStore({ url: embedded.url, zone: ZONE });
    try {
      return await run(store, embedded.url, meters, join(folder, 'data'));
    } finally {
      await store.close();
    }
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(store: Store, url: string, meters: number, data: string): Promise<Figure[]> {
  const size = meters.toLocaleString('en');
  const random = generator(4711);
  let written = 0;
  let spent = 0;
  for (let at = 0; at < meters; at += CHUNK) {
    const serials = Array.from({ length: Math.min(CHUNK, meters - at) }, (_, i) => `vee${at + i}`);
    const ids = [...(await store.ensureMeters(serials.map((serial) => ({ serial })))).values()];
    const series = ids.map(
      (meter): SeriesData => ({
        meter,
        register: LOAD,
        scaler: 0,
        start: START,
        step: QUARTER,
        values: household(random),
      }),
    );
    const begin = performance.now();
    written += (await store.writeBlocks(series)).values;
    spent += performance.now() - begin;
  }
  const figures: Figure[] = [
    {
      name: `vee ${size}: durable intake of load profiles`,
      value: (written / spent) * 0.0036,
      unit: 'billion readings/h',
      peer: 'a published record of a whole system (1 billion an hour on a rack)',
      ratio: ((written / spent) * 3_600_000) / PEER,
    },
  ];
  await vacuum(url);
  const pool = createPool(2, (line) => process.stderr.write(`${line}\n`));
  try {
    const parameters = validationParameters.parse({ days: DAYS });
    // The threads have started, as they have in a program that has been up for a while.
    await pool.judge({ tasks: [], rules: {} });
    for (const what of ['validate, estimate and store', 'again, nothing changed']) {
      const begin = performance.now();
      const [ours, theirs] = [process.cpuUsage(), postgresSeconds(data)];
      const result = await runValidation(
        { store, pool, now: () => END + 6 * 3_600_000 },
        { parameters, scope: 'all', who: 'bench' },
      );
      const seconds = (performance.now() - begin) / 1000;
      const { user, system } = process.cpuUsage(ours);
      figures.push({ name: `vee ${size} × ${DAYS} × 96: ${what}`, value: seconds, unit: 's' });
      if (result.meterings > 0)
        figures.push(
          // What other work on the machine does not change: on two idle cores half of their sum is the least it can take.
          { name: `vee ${size}: processor time of the program`, value: (user + system) / 1e6, unit: 's' },
          { name: `vee ${size}: processor time of the database`, value: postgresSeconds(data) - theirs, unit: 's' },
          { name: `vee ${size}: intervals a second, end to end`, value: result.intervals / seconds / 1e6, unit: 'M' },
          { name: `vee ${size}: findings`, value: result.findings, unit: '' },
          { name: `vee ${size}: estimates`, value: result.estimates, unit: '' },
        );
      for (const failed of result.failed.slice(0, 3)) process.stderr.write(`${JSON.stringify(failed)}\n`);
    }
  } finally {
    await pool.close();
  }
  return figures;
}

/** Processor time of a server's processes so far; NaN where there is no /proc. */
function postgresSeconds(data: string): number {
  try {
    const file = ['postgres/postmaster.pid', 'postmaster.pid'].map((name) => join(data, name));
    const parent = file.flatMap((name) => {
      try {
        return [readFileSync(name, 'utf8').split('\n')[0] as string];
      } catch {
        return [];
      }
    })[0];
    let ticks = 0;
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ');
        if (fields[1] === parent) ticks += Number(fields[11]) + Number(fields[12]);
        // With those of its children that have ended.
        else if (pid === parent) for (const k of [11, 12, 13, 14]) ticks += Number(fields[k]);
      } catch {
        // It has ended meanwhile.
      }
    }
    return ticks / 100;
  } catch {
    return Number.NaN;
  }
}

async function vacuum(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('vacuum analyze amiable.block');
  } finally {
    await client.end();
  }
}

/** A register of a household for the month: one day in fifty has a gap, one in two hundred a spike, one meter in a hundred lacks a day. */
function household(random: () => number): Float64Array {
  const n = DAYS * 96 + 1;
  const values = new Float64Array(n);
  let register = Math.floor(random() * 1e7);
  const base = 30 + random() * 60;
  let extra = 0;
  let left = 0;
  for (let i = 0; i < n; i++) {
    values[i] = register;
    if (left-- <= 0) {
      extra = random() < 0.25 ? Math.floor(random() * 800) : 0;
      left = Math.floor(random() * 8);
    }
    register += Math.floor(base * (0.7 + 0.6 * random()) + extra);
  }
  for (let day = 0; day < DAYS; day++) {
    if (random() < 0.02) {
      const at = day * 96 + 1 + Math.floor(random() * 80);
      values.fill(Number.NaN, at, at + 1 + Math.floor(random() * 12));
    }
    if (random() < 0.005) {
      const at = day * 96 + 1 + Math.floor(random() * 90);
      for (let i = at; i < n; i++) values[i] = (values[i] as number) + 40_000;
    }
  }
  if (random() < 0.01) values.fill(Number.NaN, 96 * 11 + 1, 96 * 12);
  return values;
}

/** mulberry32 */
function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
