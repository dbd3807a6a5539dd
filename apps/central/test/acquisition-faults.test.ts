/**
 * Faults of acquisition: workers that die at any step, meters that are silent, half there, slow or repeat themselves, a database that goes
 * away, clocks that jump. Afterwards the store is complete and equal to what the meters have lived, and holds nothing twice.
 *
 * AMIABLE_FAULTS sets how many workers are killed (`npm run faults` kills many, and real processes as well).
 */
import { seededRandom } from '@amiable/io';
import { openStore, type Store } from '@amiable/store';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { startWorker, type Worker, type WorkerOptions } from '../src/acquisition/index.ts';
import { type Fleet, type Mood, startFleet } from './faults/fleet.ts';
import { type Mortal, mortalOf } from './faults/mortal.ts';
import { createSite, type Site, vault } from './faults/site.ts';
import { type FastClock, fastClock } from './faults/time.ts';
import { DAY } from './virtual-line.ts';

const KILLS = Number(process.env.AMIABLE_FAULTS ?? 3);
const SEED = Number(process.env.AMIABLE_FAULTS_SEED ?? 1);
const COUNT = 9;
const MIDNIGHT = Date.UTC(2026, 10, 19, 23);
const NOW = MIDNIGHT + 10 * 3_600_000;
const LONGEST = 60_000 + KILLS * 3000;

let db: TestDatabase;
let store: Store;
let clock: FastClock;
let fleet: Fleet;
let site: Site;
const workers: Worker[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  clock = fastClock(NOW, Date.now(), 40);
  fleet = await startFleet(COUNT, clock);
  site = await createSite(store, fleet, () => clock.now());
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  fleet.mood = () => 'well';
});
afterAll(async () => {
  await fleet?.close();
  await store?.close();
  await db?.drop();
});

let names = 0;
function work(more: Partial<WorkerOptions> = {}): Worker {
  return startWorker({
    store,
    vault,
    name: `w${++names}`,
    now: clock.now,
    clock,
    poll: 400,
    pause: 200,
    hold: 20_000,
    ...more,
  });
}
const healthy = (): void => void workers.push(work());

/** Looks again and again; how long that takes is the machine's affair, and no test of ours. */
async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((go) => setTimeout(go, 10));
}
const allEnded = (runs: readonly string[]) => until(async () => (await site.open(runs)) === 0);

async function allDone(runs: readonly string[]): Promise<void> {
  for (const id of runs) {
    const run = await store.work.runs.get(id);
    const jobs = await store.work.runs.jobs(id, { limit: 100, scope: 'all' });
    const bad = jobs.filter(({ state }) => state !== 'done');
    expect(bad.map(({ serial, state, reason }) => `${run?.kind} ${serial} ${state}: ${reason}`)).toEqual([]);
    expect(run?.counts).toMatchObject({ total: jobs.length, done: jobs.length, failed: 0, givenUp: 0 });
  }
}

test(
  'workers killed at any step: before a statement, behind it, in the middle of a meter',
  async () => {
    const random = seededRandom(SEED);
    const runs = await site.order(['profile', 'daily', 'events', 'clock'], { from: MIDNIGHT - DAY, to: MIDNIGHT });
    const kill = async (): Promise<void> => {
      const mortal: Mortal = mortalOf(store, 1 + Math.floor(random() * 25), random() < 0.5);
      // What it leaves behind hangs for ever, as a process that is gone.
      work({ store: mortal.store, connect: (address) => mortal.connect(address), batch: 1 + Math.floor(random() * 4) });
      await until(async () => mortal.dead || (await site.open(runs)) === 0);
      mortal.kill();
    };
    for (let i = 0; i < KILLS; i++) await kill();
    healthy();
    await allEnded(runs);
    await allDone(runs);
    expect(await site.differences(MIDNIGHT - DAY, MIDNIGHT)).toEqual([]);
  },
  LONGEST,
);

test(
  'a third silent and coming back, half-open, slow, cut, refusing, repeating',
  async () => {
    const seen = new Map<number, number>();
    const moods: readonly Mood[] = [
      'well',
      'silent',
      { halfOpen: 700 },
      { slow: 5 },
      'silent',
      { cut: 300 },
      'refusing',
      'silent',
      'twice',
    ];
    fleet.mood = (i) => {
      const times = (seen.get(i) ?? 0) + 1;
      seen.set(i, times);
      return times <= 2 ? (moods[i] as Mood) : 'well';
    };
    const from = MIDNIGHT - 2 * DAY;
    const runs = await site.order(['profile', 'daily'], { from, to: MIDNIGHT - DAY });
    // The same is ordered twice, and two workers share it.
    runs.push(...(await site.order(['profile', 'daily', 'events'], { from, to: MIDNIGHT - DAY })));
    healthy();
    healthy();
    await allEnded(runs);
    await allDone(runs);
    expect(await site.differences(from, MIDNIGHT)).toEqual([]);
    expect([1, 2, 4, 7].every((i) => (seen.get(i) ?? 0) > 1)).toBe(true);
  },
  LONGEST,
);

test(
  'connections to the database are cut, and clocks of server and meters jump',
  async () => {
    const admin = new pg.Client({ connectionString: db.url });
    await admin.connect();
    try {
      const off = 45_000;
      for (const [i, meter] of fleet.meters.entries()) if (i % 3 === 0) meter.live().setClock(clock.now() + off);
      const to = MIDNIGHT + 6 * 3_600_000;
      const runs = await site.order(['profile', 'events'], { from: MIDNIGHT, to });
      const may = site.ids.filter((_, i) => i % 2 === 1);
      runs.push(...(await site.order(['clock'], { set: true, above: 'set' }, may)));
      healthy();
      for (const jump of [3_600_000, -5000, 0]) {
        const before = workers[0]?.counters.read ?? 0;
        await until(async () => (workers[0]?.counters.read ?? 0) > before || (await site.open(runs)) === 0);
        clock.jump(jump);
        await admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
          [db.name],
        );
      }
      await allEnded(runs);
      await allDone(runs);
      expect(await site.differences(MIDNIGHT, to)).toEqual([]);
    } finally {
      await admin.end();
    }
  },
  LONGEST,
);
