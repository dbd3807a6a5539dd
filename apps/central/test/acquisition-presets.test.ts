/** Every preset of reading once, as a task carries it out: one meter, one association, and what comes of each in the store. */
import { PRESETS } from '@amiable/tasks';
import { expect, test } from 'vitest';
import { startWorker } from '../src/acquisition/index.ts';
import { createWorld, ended, vault } from './acquisition-world.ts';
import { DAY } from './virtual-line.ts';

/** Just after the first of a month in Oslo, for the monthly values. */
const NOW = Date.UTC(2026, 10, 2, 9, 20, 0);
const MIDNIGHT = Date.UTC(2026, 10, 1, 23);
const FIRST = Date.UTC(2026, 9, 31, 23);

const kinds = Object.values(PRESETS).map(({ kind }) => kind);

test('every preset of reading is carried out once, and the clock is right afterwards', async () => {
  const world = await createWorld(1, NOW - 600_000, 'management');
  try {
    const { store } = world;
    const [meter, id] = [world.meters[0]!, world.ids[0]!];
    for (const on of [false, true]) {
      meter.live().setMains(on);
      world.now += 300_000;
    }
    meter.live().setClock(NOW + 20_000);
    const log = meter.engine.log('standard');
    const logged = Array.from({ length: log.length }, (_, k) => [log.entry(k).at, log.entry(k).event]).sort();
    expect(logged.length).toBeGreaterThan(3);
    expect(kinds).toHaveLength(9);
    const runs: string[] = [];
    for (const { kind, definition } of Object.values(PRESETS))
      runs.push(...(await world.order([kind], definition.parameters)));
    const worker = startWorker({
      store,
      vault,
      name: 'presets',
      now: () => world.now,
      poll: 5,
      pause: 5,
      connect: (address) => world.connect(address),
    });
    await ended(world, runs, worker);

    const went = await Promise.all(runs.map(async (run) => (await store.work.runs.get(run))!));
    expect(Object.fromEntries(went.map(({ kind, counts }) => [kind, counts.done]))).toEqual(
      Object.fromEntries(kinds.map((kind) => [kind, 1])),
    );
    expect(worker.counters).toMatchObject({ read: 1, outcomes: { done: 1 } });
    expect(world.lines.opened).toBe(1);

    expect(Math.abs(meter.engine.clock.utc - world.now)).toBeLessThanOrEqual(1000);

    // Profiles, against what the engine itself says.
    const profiles = [
      ['periodic', 900, MIDNIGHT - DAY],
      ['daily', 86_400, FIRST],
      ['monthly', 2_592_000, FIRST],
    ] as const;
    for (const [name, period, from] of profiles) {
      const view = meter.engine.profile(name);
      const truth: [number, number][] = [];
      for (let row = 0; row < view.length; row++) {
        const time = view.timeOf(row);
        if (time >= from && time <= MIDNIGHT) truth.push([time, view.value(row, 0)]);
      }
      expect(truth.length).toBeGreaterThan(0);
      const key = store.readout.registerOf(view.columns[0]!, period)!;
      const { times, values } = await store.values(id, key, from, MIDNIGHT + 1);
      expect(Array.from(times, (time, i) => [time, values[i]])).toEqual(truth);
    }

    const { events } = await store.events.list({ meters: [id], limit: 1000, scope: 'all' });
    const of = (source: string): [number, number][] =>
      events.flatMap((one) => (one.source === source ? [[one.time, one.code] as [number, number]] : [])).sort();
    // Logs come with the first request, before the clock is mended.
    expect(of('amiable-virtual/standard')).toEqual(logged);
    expect(of('dlms/central')).toEqual([
      [NOW, 5],
      [NOW + 20_000, 4],
    ]);

    // Registers of now: a message for each of the sets.
    const messages = await store.messages(id, 10);
    expect(messages.map(({ list }) => list).sort()).toEqual(['billing', 'outage', 'quality', 'status']);
    const billing = messages.find(({ list }) => list === 'billing')?.readings ?? [];
    expect(billing.find(({ obis }) => obis === '1-0:1.8.0')?.value).toBe(meter.engine.register('1.8.0'));
  } finally {
    await world.drop();
  }
});
