/** The worker over a real store: what virtual meters have lived ends up in it, once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counterKey, openSecrets } from '../src/acquisition/access.ts';
import { startWorker, type Worker, type WorkerOptions } from '../src/acquisition/index.ts';
import { createWorld, vault, type World } from './acquisition-world.ts';
import { DAY, HOUR } from './virtual-line.ts';

const NOW = Date.UTC(2026, 10, 20, 9, 20, 0);
const MIDNIGHT = Date.UTC(2026, 10, 19, 23);
const COUNT = 12;

let world: World;
beforeAll(async () => {
  world = await createWorld(COUNT, NOW - 600_000);
  // A power failure, for the log.
  for (const on of [false, true]) {
    for (const meter of world.meters) meter.live().setMains(on);
    world.now += 300_000;
  }
});
afterAll(() => world.drop());

const work = (more: Partial<WorkerOptions> = {}): Worker =>
  startWorker({
    store: world.store,
    vault,
    name: `w${Math.random()}`,
    now: () => world.now,
    poll: 5,
    pause: 5,
    connect: (address) => world.connect(address),
    ...more,
  });

/** Until these runs have no open job. */
async function ended(runs: readonly string[], worker: Worker): Promise<void> {
  for (;;) {
    const open = await Promise.all(runs.map((run) => world.store.work.runs.get(run)));
    if (open.every((run) => run && run.counts.done + run.counts.failed + run.counts.givenUp >= run.counts.total)) {
      await worker.stop();
      return;
    }
    await new Promise((go) => setTimeout(go, 5));
  }
}

const ENERGY = { name: 'activeEnergyImport', unit: 'Wh' } as const;

async function stored(id: string, obis: string, period: number, from: number, to: number): Promise<[number, number][]> {
  const key = world.store.readout.registerOf(obis, period) ?? { obis, ...ENERGY, period };
  const { times, values } = await world.store.values(id, key, from, to);
  return Array.from(times, (time, i) => [time, values[i] as number]);
}

async function compareLoad(from: number, to: number, only = world.meters): Promise<void> {
  for (const meter of only) {
    const id = world.ids[world.meters.indexOf(meter)] as string;
    const view = meter.engine.profile('periodic');
    for (const [c, name] of view.columns.entries()) {
      const truth: [number, number][] = [];
      for (let row = 0; row < view.length; row++) {
        const time = view.timeOf(row);
        if (time >= from && time < to) truth.push([time, view.value(row, c)]);
      }
      expect(await stored(id, name, 900, from, to)).toEqual(truth);
    }
  }
}

const eventsStored = async (id: string) =>
  (await world.store.events.list({ meters: [id], limit: 1000, scope: 'all' })).events;

describe('a night of readings', () => {
  test('load profile, daily values, events and clock of every meter, one association each', async () => {
    const before = world.lines.opened;
    const runs = await world.order(['profile', 'daily', 'events', 'clock'], { from: MIDNIGHT - DAY, to: MIDNIGHT });
    const worker = work();
    await ended(runs, worker);
    expect(worker.counters).toMatchObject({ outcomes: { done: COUNT, partial: 0, failed: 0 }, read: COUNT });
    expect(world.lines.opened - before).toBe(COUNT);
    expect(world.lines.standing).toBe(0);
    await compareLoad(MIDNIGHT - DAY, MIDNIGHT);
    for (const [i, meter] of world.meters.entries()) {
      const log = meter.engine.log('standard');
      const events = await eventsStored(world.ids[i] as string);
      expect(log.length).toBeGreaterThan(1);
      expect(events.map(({ time, code }) => [time, code]).sort()).toEqual(
        Array.from({ length: log.length }, (_, k) => [log.entry(k).at, log.entry(k).event]).sort(),
      );
    }
    for (const run of runs)
      expect((await world.store.work.runs.get(run))?.counts).toMatchObject({ total: COUNT, done: COUNT });
  });

  test('the log has an association below each meter', async () => {
    await world.store.journal.flush();
    const { transactions } = await world.store.journal.list({ kind: 'association', limit: 100, scope: 'all' });
    const byParent = new Map(transactions.map((t) => [t.parent, t]));
    expect(byParent.size).toBeGreaterThanOrEqual(COUNT);
    for (const { state, text } of transactions)
      expect({ state, text }).toEqual({ state: 'done', text: 'DLMS over wrapper, LN, client 2, low log-in' });
    const below = await world.store.journal.list({ kind: 'meter', limit: 100, scope: 'all' });
    for (const parent of byParent.keys()) expect(below.transactions.map((t) => t.id)).toContain(parent);
  });

  test('again: what is there is not asked for, nothing is doubled', async () => {
    const runs = await world.order(['profile', 'events'], { from: MIDNIGHT - DAY, to: MIDNIGHT });
    const worker = work();
    await ended(runs, worker);
    expect(worker.counters).toMatchObject({ blocks: 0, events: 0, outcomes: { done: COUNT } });
  });

  test('a gap alone is fetched', async () => {
    const runs = await world.order(['profile'], { from: MIDNIGHT - DAY - 2 * HOUR, to: MIDNIGHT });
    const worker = work();
    await ended(runs, worker);
    // Two hours of four registers.
    expect(worker.counters.values).toBe(COUNT * 8 * 4);
    await compareLoad(MIDNIGHT - DAY - 2 * HOUR, MIDNIGHT);
  });
});

test('what the buffer of a meter no longer holds is given up with the reason, and not asked for again', async () => {
  const [id, other] = world.ids as [string, string];
  const { registry, completeness } = world.store;
  const begins = world.meters[0]!.engine.profile('periodic').timeOf(0);
  const [from, to] = [begins - 4 * DAY, begins - 2 * DAY];
  // Of one values are expected; of the other not, for it was installed later: that is no fact for the store to keep.
  const by = { name: 'test', at: world.now };
  const point = await registry.createNode({ kind: 'metering-point', code: 'MP-1' }, 'all', by as never);
  await registry.link({ kind: 'installed', child: other, parent: point.id, from: to } as never, 'all', by as never);
  const asked = async (parameters: object, worker: Worker): Promise<number> => {
    // A meter that is asked soon after is asked on the line that is still open.
    const lines = (): number => worker.counters.connections.opened + worker.counters.connections.reused;
    const before = lines();
    const read = worker.counters.meters;
    await world.order(['profile'], { from, to, ...parameters }, [id, other]);
    for (let i = 0; i < 2000 && worker.counters.meters < read + 2; i++) await new Promise((go) => setTimeout(go, 5));
    expect(worker.counters.meters).toBe(read + 2);
    return lines() - before;
  };
  const first = work();
  try {
    expect(await asked({}, first)).toBe(2);
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const found = (await completeness.meterDays(id, 'load', day(from + DAY), day(to)))?.days ?? [];
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) expect(one).toMatchObject({ missing: 0, reason: 'the meter has no rows of it' });
    expect(await asked({}, first)).toBe(0);
    // Somebody who asks for it again is not held back.
    expect(await asked({ again: true }, first)).toBe(2);
  } finally {
    await first.stop();
  }
  // Another worker knows what the store knows.
  const second = work();
  try {
    expect(await asked({}, second)).toBe(1);
  } finally {
    await second.stop();
  }
});

test('a stranger is marked, and nothing of it is stored', async () => {
  const [first, second] = world.ids as [string, string];
  await world.store.readout.putConnections(
    [{ ...(await world.store.readout.connection(first, 'all'))!, address: 'tcp://meter-2:1', server: 2 }].map(
      ({ meter, protocol, address, transport, readout, client, server, authentication }) =>
        ({ meter, protocol, address, transport, readout, client, server, authentication }) as never,
    ),
    world.now,
  );
  await world.store.readout.putSecrets(
    [
      {
        meter: first,
        name: 'password',
        ciphertext: vault.seal(world.meters[1]!.credentials.stored.password, `connection:${first}:password`),
      },
    ],
    world.now,
  );
  const log: string[] = [];
  const runs = await world.order(['monthly', 'registers'], {}, [first]);
  const worker = work({ log: (line) => log.push(line) });
  while (worker.counters.meters === 0) await new Promise((go) => setTimeout(go, 5));
  await worker.stop();
  expect(worker.counters.outcomes.stranger).toBeGreaterThan(0);
  expect(worker.counters).toMatchObject({ blocks: 0, messages: 0 });
  expect((await world.store.readout.connection(first, 'all'))?.state).toMatchObject({
    outcome: 'stranger',
    stranger: expect.stringContaining('AMI99000002'),
  });
  expect(log.join('\n')).toMatch(/another meter answers: AMI99000002/);
  expect(runs).toHaveLength(2);
  expect(second).toBeDefined();
});

test('ciphered: invocation counters are reserved durably, and the last one of the meter is kept', async () => {
  const ciphered = await createWorld(3, NOW, 'management');
  try {
    const bounds: number[][] = [];
    for (let round = 0; round < 2; round++) {
      ciphered.now += 60_000;
      const worker = startWorker({
        store: ciphered.store,
        vault,
        name: `c${round}`,
        now: () => ciphered.now,
        poll: 5,
        pause: 5,
        connect: (address) => ciphered.connect(address),
      });
      await ciphered.order(['registers'], { set: 'billing' });
      while (worker.counters.meters < 3) await new Promise((go) => setTimeout(go, 5));
      await worker.stop();
      expect(worker.counters).toMatchObject({ outcomes: { done: 3 }, messages: 3 });
      // One more block each: where the next reading begins.
      const targets = await ciphered.store.readout.targets(ciphered.ids);
      const keys = ciphered.ids.map((meter) => {
        const target = targets.get(meter)!;
        return { meter, key: counterKey(target.connection!, openSecrets(target, vault))!, count: 1 };
      });
      const grants = await ciphered.store.readout.reserve(keys);
      bounds.push(ciphered.ids.map((id) => grants.get(id)!.start));
      for (const id of ciphered.ids) expect(grants.get(id)!.peer).toBeGreaterThan(0);
    }
    for (const [i, bound] of bounds[0]!.entries()) {
      expect(bound).toBeGreaterThanOrEqual(1000);
      expect(bounds[1]![i]).toBeGreaterThanOrEqual(bound + 1000);
    }
  } finally {
    await ciphered.drop();
  }
});
