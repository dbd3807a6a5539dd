/** Commands down to a meter and back: a reading through to its values, a clock that is set, over a real store and a virtual meter. */
import { type Caller, PRIVILEGES } from '@amiable/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from '../src/acquisition/index.ts';
import type { Context } from '../src/context.ts';
import { createExecutor } from '../src/features/command/execute.ts';
import { commandBody } from '../src/features/command/shapes.ts';
import { takeCommand } from '../src/features/command/take.ts';
import { createReads } from '../src/features/ondemand/reads.ts';
import { createWorld, ended, vault, type World } from './acquisition-world.ts';

const NOW = Date.UTC(2026, 10, 20, 9, 20, 0);
const anna: Caller = { kind: 'system', name: 'anna', privileges: new Set(PRIVILEGES), scope: 'all' };
let world: World;
beforeAll(async () => {
  // Who sets clocks comes as management.
  world = await createWorld(1, NOW, 'management');
});
afterAll(() => world.drop());

/** Orders, lets a worker do what is due, and looks at it once more. */
async function carried(body: object) {
  const context = {
    store: world.store,
    now: () => world.now,
    vault,
    timeZone: 'Europe/Oslo',
    scheduler: { wake: () => {} },
    log: () => {},
  } as unknown as Context;
  const reads = createReads({ store: world.store, now: () => world.now });
  const executor = createExecutor(context, reads, 'test');
  try {
    const { command } = await takeCommand(context, commandBody.parse(body), anna);
    await executor.turn();
    const begun = await world.store.delivery.commands.get(command.id, 'all');
    const work = begun?.work as { read?: string; run?: string };
    const worker = startWorker({
      store: world.store,
      vault,
      name: 'w',
      now: () => world.now,
      poll: 5,
      pause: 5,
      connect: (address) => world.connect(address),
    });
    await ended(world, [(work.read ?? work.run) as string], worker);
    // Between two looks at it there is a pause.
    world.now += 3000;
    await executor.turn();
    return { begun, after: await world.store.delivery.commands.get(command.id, 'all') };
  } finally {
    reads.close();
  }
}

test('a reading by command gives what the meter shows', async () => {
  const [meter] = world.meters;
  const serial = meter?.engine.identification('meter-serial') as string;
  const { begun, after } = await carried({ kind: 'read', reference: 'R-1', meter: serial });
  expect(begun).toMatchObject({ state: 'running', work: { read: expect.any(String) } });
  expect(after).toMatchObject({ state: 'done', result: { meter: serial, values: { registers: expect.any(Array) } } });
  type Row = { obis: string; value: string; unit: string };
  const values = after?.result?.values as { registers: Row[] } | undefined;
  const total = values?.registers.find(({ obis }) => obis === '1-0:1.8.0');
  expect(total?.unit).toBe('Wh');
  expect(Number(total?.value)).toBe(Number(meter?.engine.register('1.8.0')));
});

test('a clock that is an hour wrong is set by command', async () => {
  const [meter] = world.meters;
  const serial = meter?.engine.identification('meter-serial') as string;
  meter?.live().setClock(world.now - 3_600_000);
  const { after } = await carried({ kind: 'parameter', reference: 'P-1', meter: serial, parameter: 'clock' });
  expect(after).toMatchObject({ state: 'done', sentence: `The clock of meter ${serial} is right.` });
  expect(Math.abs((meter?.engine.clock.utc ?? 0) - world.now)).toBeLessThanOrEqual(4000);
});
