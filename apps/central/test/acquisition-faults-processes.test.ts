/**
 * Worker processes killed with SIGKILL at random moments, and the database server restarted under them: afterwards the store is
 * complete and equal to what the meters have lived. Only with AMIABLE_FAULTS (`npm run faults`).
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@amiable/io';
import { openStore } from '@amiable/store';
import { expect, test } from 'vitest';
import { startEmbedded } from '../../../packages/store/src/embedded/supervisor.ts';
import { startFleet } from './faults/fleet.ts';
import { createSite } from './faults/site.ts';
import { fastClock } from './faults/time.ts';
import { DAY } from './virtual-line.ts';

const FAULTS = process.env.AMIABLE_FAULTS;
const MIDNIGHT = Date.UTC(2026, 10, 19, 23);
const SPEED = 20;
const COUNT = 12;

const pause = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms));

test.skipIf(FAULTS === undefined)(
  'processes killed at random moments, the server restarted in between',
  async () => {
    const random = seededRandom(Number(process.env.AMIABLE_FAULTS_SEED ?? 1));
    const folder = await mkdtemp(join(tmpdir(), 'amiable-faults-'));
    await chmod(folder, 0o711);
    let server = await startEmbedded({ dataDir: folder });
    const since = Date.now();
    const base = MIDNIGHT + DAY / 2;
    const clock = fastClock(base, since, SPEED);
    const fleet = await startFleet(COUNT, clock);
    // Slow enough that a kill meets a meter in the middle.
    fleet.mood = () => ({ slow: 3 });
    let store = await openStore({ url: server.url });
    try {
      const site = await createSite(store, fleet, clock.now);
      const runs = await site.order(['profile', 'daily', 'events', 'clock'], { from: MIDNIGHT - DAY, to: MIDNIGHT });
      let names = 0;
      const start = () =>
        spawn(
          process.execPath,
          [
            '--import',
            'tsx',
            join(import.meta.dirname, 'faults', 'worker-child.ts'),
            ...[server.url, String(base), String(since), String(SPEED), `p${++names}`],
          ],
          { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '..') },
        );
      for (let i = 0; i < Math.min(6, Number(FAULTS)); i++) {
        const child = start();
        const gone = new Promise<void>((done) => child.once('exit', () => done()));
        await Promise.race([new Promise((go) => child.stdout?.once('data', go)), gone]);
        await pause(random() * 400);
        // Both at once, now and then; and the server alone.
        if (i % 4 === 3) {
          await store.close();
          await server.stop();
          server = await startEmbedded({ dataDir: folder });
          store = await openStore({ url: server.url });
        }
        child.kill('SIGKILL');
        await gone;
      }
      const last = start();
      const after = await createSite(store, fleet, clock.now);
      while ((await after.open(runs)) > 0) await pause(50);
      last.kill('SIGTERM');
      expect(await after.differences(MIDNIGHT - DAY, MIDNIGHT)).toEqual([]);
    } finally {
      await store.close();
      await fleet.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
  300_000,
);
