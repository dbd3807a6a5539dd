/** The work queue: jobs of 10,000 meters made, leased and finished in batches, by one worker and by several at once, with and without limits. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, startEmbedded } from '@amiable/store';
import type { Figure } from './figure.ts';
import type { BenchOptions } from './main.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const BATCH = 200;
const KINDS = ['daily', 'profile', 'events'] as const;

export async function benchWork({ smoke }: BenchOptions): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    const store = await openStore({ url: embedded.url });
    try {
      return await measure(store, smoke ? 500 : 10_000);
    } finally {
      await store.close();
    }
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(store: Store, count: number): Promise<Figure[]> {
  const made = await store.ensureMeters(Array.from({ length: count }, (_, i) => ({ serial: `bench-${i}` })));
  const meters = [...made.values()];
  await store.readout.putConnections(
    meters.map((meter, i) => ({
      meter,
      protocol: 'dlms' as const,
      address: `tcp://10.${i % 4}.0.1:4059`,
      transport: 'wrapper' as const,
      readout: 'amiable-virtual',
    })) as never,
    NOW,
  );
  const out: Figure[] = [];
  await round(store, meters, 1);
  for (const workers of [1, 4]) out.push(...(await round(store, meters, workers)));
  for (let i = 0; i < 4; i++)
    await store.work.channels.put({
      kind: 'network',
      name: `net-${i}`,
      address: `10.${i}.0.0/16`,
      most: 400,
      windows: [],
      timeZone: 'Europe/Oslo',
    });
  out.push(...(await round(store, meters, 4, ', 4 networks of 400 each')));
  return out;
}

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};

async function round(store: Store, meters: readonly string[], workers: number, more = ''): Promise<Figure[]> {
  const making = await seconds(async () => {
    for (const kind of KINDS) {
      let run = await store.work.runs.create({
        what: 'task',
        kind,
        name: kind,
        definition: { parameters: {} },
        priority: 5,
        due: NOW,
        expires: NOW + 1e9,
        created: NOW,
        creator: 'bench',
        scope: null,
        transaction: '',
      });
      for (let i = 0; run && i < meters.length; i += 5000) {
        await store.work.runs.expand(run, { meters: meters.slice(i, i + 5000), last: i + 5000 >= meters.length }, NOW);
        run = await store.work.runs.get(run.id);
      }
    }
  });
  const spent = { lease: 0, finish: 0, jobs: 0 };
  const before = await contention(store);
  const draining = await seconds(() =>
    Promise.all(
      Array.from({ length: workers }, async (_, w) => {
        for (;;) {
          let leased: Awaited<ReturnType<Store['work']['lease']>> = [];
          spent.lease += await seconds(async () => {
            leased = await store.work.lease({ worker: `bench-${w}`, count: BATCH, now: NOW, hold: 60_000 });
          });
          if (leased.length === 0) return;
          const outcomes = leased.flatMap((m) =>
            m.jobs.map((job) => ({ job: job.id, result: 'done' as const, stored: 96 })),
          );
          spent.jobs += outcomes.length;
          spent.finish += await seconds(() => store.work.finish(`bench-${w}`, outcomes, NOW));
        }
      }),
    ),
  );
  const after = await contention(store);
  const of = `${workers} worker${workers > 1 ? 's' : ''}${more}`;
  return [
    { name: `work: jobs made, ${of}`, value: spent.jobs / making, unit: 'jobs/s' },
    { name: `work: leased and finished, ${of}`, value: spent.jobs / draining, unit: 'jobs/s' },
    {
      name: `work: all of ${meters.length} meters × ${KINDS.length} kinds, ${of}`,
      value: making + draining,
      unit: 's',
    },
    { name: `work: share of leasing, ${of}`, value: spent.lease / (spent.lease + spent.finish), unit: '' },
    {
      name: `work: leases that met another, ${of}`,
      value: after.conflicts - before.conflicts,
      unit: `of ${after.leases - before.leases}`,
    },
    { name: `work: waited for others, ${of}`, value: (after.waited - before.waited) / 1000, unit: 'ms' },
    { name: `work: transactions done again, ${of}`, value: after.retries - before.retries, unit: '' },
  ];
}

async function contention(
  store: Store,
): Promise<{ leases: number; conflicts: number; waited: number; retries: number }> {
  const sum = { leases: 0, conflicts: 0, waited: 0, retries: 0 };
  for (const worker of await store.work.workers()) {
    sum.leases += worker.leases;
    sum.conflicts += worker.conflicts;
    sum.waited += worker.waited;
    sum.retries += worker.retries;
  }
  return sum;
}
