/** A store with virtual meters that are known, reachable over lines in memory, and work for them; for tests of the worker. */
import { type Clock, type Link, systemClock } from '@amiable/io';
import { type Connection, type MeterId, openStore, type ReadKind, type Store } from '@amiable/store';
import { createTestDatabase } from '../../../packages/store/test/harness.ts';
import type { VirtualMeterOptions } from '../../simulator/src/electricity-server/factory.ts';
import type { ServedMeter } from '../../simulator/src/electricity-server/served.ts';
import { secretOwner } from '../src/acquisition/access.ts';
import type { Worker } from '../src/acquisition/index.ts';
import { vaultOf } from '../src/keys/vault.ts';
import { type Client, type Lines, linesTo, meterOf, type Tamper, ZONE } from './virtual-line.ts';

export const vault = vaultOf(new Uint8Array(32).fill(7));

export interface World {
  readonly store: Store;
  readonly meters: readonly ServedMeter[];
  readonly ids: readonly MeterId[];
  readonly lines: Lines;
  /** Faults on the way, by number of the meter. */
  readonly tampers: Map<number, Tamper>;
  now: number;
  connect(address: string): Link;
  order(kinds: readonly ReadKind[], parameters?: Record<string, unknown>, only?: readonly MeterId[]): Promise<string[]>;
  drop(): Promise<void>;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface WorldOptions {
  readonly readout?: string;
  /** What hangs on the bus of each meter. */
  readonly slaves?: VirtualMeterOptions['slaves'];
}

/** Each meter at an address of its own: `tcp://meter-N:1`. */
export async function createWorld(
  count: number,
  now: number,
  client: Client = 'reader',
  { readout = 'amiable-virtual', slaves }: WorldOptions = {},
): Promise<World> {
  const db = await createTestDatabase();
  const store = await openStore({ url: db.url });
  const world = { now } as { now: number };
  const meters = Array.from({ length: count }, (_, i) =>
    meterOf(i + 1, () => world.now, {
      parameters: { capturePeriod: 15, periodic: ['1.8.0', '2.8.0', '1.8.1', '1.8.2'] },
      ...(slaves && { slaves }),
    }),
  );
  const clock: Clock = { now: systemClock.now, after: systemClock.after };
  const lines = linesTo((n) => meters[n - 1], clock);
  const known = await store.ensureMeters(
    meters.map((meter) => ({ serial: meter.engine.identification('meter-serial'), timeZone: ZONE })),
  );
  const ids = meters.map((meter) => known.get(meter.engine.identification('meter-serial')) as MeterId);
  const ciphered = client === 'management';
  await store.readout.putConnections(
    meters.map(
      (meter, i): Connection => ({
        meter: ids[i] as MeterId,
        protocol: 'dlms',
        address: `tcp://meter-${meter.number}:1`,
        transport: 'wrapper',
        readout,
        client: ciphered ? 1 : 2,
        server: meter.number,
        authentication: ciphered ? 'gmac' : 'low',
      }),
    ),
    now,
  );
  await store.readout.putSecrets(
    meters.flatMap((meter, i) => {
      const id = ids[i] as MeterId;
      const { password, management } = meter.credentials.stored;
      const all = { password, 'unicast-key': management.unicast, 'authentication-key': management.authentication };
      const names = ciphered ? (['unicast-key', 'authentication-key'] as const) : (['password'] as const);
      return names.map((name) => ({ meter: id, name, ciphertext: vault.seal(all[name], secretOwner(id, name)) }));
    }),
    now,
  );
  const tampers = new Map<number, Tamper>();
  return Object.assign(world, {
    store,
    meters,
    ids,
    lines,
    tampers,
    connect(address: string): Link {
      const number = Number(/meter-(\d+)/.exec(address)?.[1]);
      return { ...lines.link('wrapper', tampers.get(number) ?? {}), pause() {}, resume() {} } as unknown as Link;
    },
    async order(kinds: readonly ReadKind[], parameters: Record<string, unknown> = {}, only = ids) {
      const runs: string[] = [];
      for (const kind of kinds) {
        const run = await store.work.runs.create({
          what: 'task',
          kind,
          name: kind,
          definition: { kind, parameters, retry: { tries: 3, first: 1000, factor: 1, longest: 1000 } },
          meters: only,
          priority: 5,
          due: world.now,
          expires: world.now + 86_400_000,
          created: world.now,
          creator: 'test',
          scope: null,
          transaction: '',
        } as never);
        runs.push((run as { id: string }).id);
      }
      return runs;
    },
    async drop() {
      await store.close();
      await db.drop();
    },
  });
}

export const text = encode;

/** Until these runs have no open job; the worker is stopped then. */
export async function ended({ store }: World, runs: readonly string[], worker: Worker): Promise<void> {
  for (;;) {
    const open = await Promise.all(runs.map((run) => store.work.runs.get(run)));
    if (open.every((run) => run && run.counts.done + run.counts.failed + run.counts.givenUp >= run.counts.total)) break;
    await new Promise((go) => setTimeout(go, 5));
  }
  await worker.stop();
}
