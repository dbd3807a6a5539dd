/** Gas and water behind an electricity meter: what its channels captured lies under the master with the slave's own code. */
import { expect, test } from 'vitest';
import { startWorker, type Worker } from '../src/acquisition/index.ts';
import { createWorld, ended, vault } from './acquisition-world.ts';
import { DAY, HOUR } from './virtual-line.ts';

const NOW = Date.UTC(2026, 10, 20, 9, 20, 0);
const MIDNIGHT = Date.UTC(2026, 10, 19, 23);

test('profiles of slaves come with the load profile; channels without a slave are no failure and nothing is expected of them', async () => {
  const world = await createWorld(1, NOW, 'reader', {
    readout: 'amiable-virtual-slaves',
    slaves: ['gas', 'water-cold'],
  });
  try {
    const { store } = world;
    const [meter, id] = [world.meters[0]!, world.ids[0]!];
    const start = (): Worker =>
      startWorker({
        store,
        vault,
        name: 'slaves',
        now: () => world.now,
        poll: 5,
        pause: 5,
        connect: (address) => world.connect(address),
      });
    const runs = await world.order(['profile'], { from: MIDNIGHT - DAY, to: MIDNIGHT });
    const worker = start();
    await ended(world, runs, worker);
    expect((await store.work.runs.get(runs[0]!))?.counts).toMatchObject({ total: 1, done: 1 });
    expect(worker.counters).toMatchObject({ outcomes: { done: 1, partial: 0 } });
    expect(world.lines.opened).toBe(1);

    for (const [profile, obis, name] of [
      ['slave-1', '7-0:3.0.0', 'gas'],
      ['slave-2', '8-1:1.0.0', 'water'],
    ] as const) {
      const view = meter.engine.profile(profile);
      const truth: [number, number][] = [];
      for (let row = 0; row < view.length; row++) {
        const time = view.timeOf(row);
        if (time >= MIDNIGHT - DAY && time < MIDNIGHT) truth.push([time, view.value(row, 0)]);
      }
      expect(truth).toHaveLength(24);
      const key = store.readout.registerOf(obis, 3600)!;
      expect(key).toMatchObject({ obis, unit: 'm3' });
      expect(key.name.toLowerCase()).toContain(name);
      const { times, values } = await store.values(id, key, MIDNIGHT - DAY, MIDNIGHT);
      // Captured in thousandths.
      expect(Array.from(times, (time, i) => [time, Math.round((values[i] as number) * 1000)])).toEqual(truth);
    }

    const state = (await store.readout.connection(id, 'all'))?.state;
    expect(state).toMatchObject({ outcome: 'done', delivers: { 'slave-1': ['7-0:3.0.0'], 'slave-2': ['8-1:1.0.0'] } });
    expect(state?.delivers).not.toHaveProperty('slave-3');

    // Of the first channel a day's 24 values are expected, of the third none.
    const day = (name: string) => store.completeness.meterDays(id, name, '2026-11-19', '2026-11-20');
    expect((await day('slave-1'))?.days).toMatchObject([{ expected: 24, present: 24, missing: 0 }]);
    expect((await day('slave-3'))?.days).toEqual([]);

    // By day slaves have given nothing since midnight: that is not tried again and again.
    const later = await world.order(['profile'], { from: MIDNIGHT + HOUR, to: MIDNIGHT + 4 * HOUR });
    await ended(world, later, start());
    expect((await store.work.runs.get(later[0]!))?.counts).toMatchObject({ total: 1, done: 1 });
  } finally {
    await world.drop();
  }
});
