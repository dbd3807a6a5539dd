/** A meter behind a modem and the external meter on its current loop (HDLC lower address 18): one call for both, the master first. */
import { type Link, loopback, type SimulatedModem, simulateModem, systemClock } from '@amiable/io';
import { type Connection, type MeterId, openStore, type Store } from '@amiable/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { virtualMeter } from '../../simulator/src/electricity-server/factory.ts';
import { createServer, LOWER, singleDirectory } from '../../simulator/src/electricity-server/listen.ts';
import { secretOwner } from '../src/acquisition/access.ts';
import { startWorker } from '../src/acquisition/index.ts';
import { channelsOf, createLineFinder } from '../src/channels/finder.ts';
import { createLines } from '../src/channels/lines.ts';
import { vaultOf } from '../src/keys/vault.ts';
import { DAY, ZONE } from './virtual-line.ts';

const MIDNIGHT = Date.UTC(2026, 10, 19, 23);
const NOW = MIDNIGHT + DAY / 2;
const vault = vaultOf(new Uint8Array(32).fill(3));

let db: TestDatabase;
let store: Store;
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
});
afterAll(async () => {
  await store?.close();
  await db?.drop();
});

const meterOf = (number: number, lower: number) =>
  virtualMeter(
    {
      seed: 3,
      zone: ZONE,
      suite: 0,
      history: 2 * DAY,
      shared: true,
      parameters: { capturePeriod: 15, periodic: ['1.8.0'] },
      now: () => NOW,
    },
    { number, lower },
  );

test('master and external meter are read in one call', async () => {
  const meters = [meterOf(1, LOWER.own), meterOf(2, LOWER.external)] as const;
  const server = createServer(singleDirectory(...meters), systemClock, { inactivity: 0 });
  const order: number[] = [];
  let modem: SimulatedModem | undefined;
  /** What answers the call: the master's line. */
  const answered = (): Link => {
    const [ours, theirs] = loopback();
    const events = server.accept(
      {
        describe: 'line',
        write: (bytes) => void setImmediate(() => ours.write(bytes.slice())),
        close: () => void ours.close(),
      },
      'hdlc',
    );
    void ours.open({
      data(bytes) {
        // Destination of a frame: upper and lower address; the lower one says who is meant.
        const lower = bytes.length > 6 && bytes[0] === 0x7e ? (bytes[4] as number) >> 1 : 0;
        if ((lower === 17 || lower === 18) && order.at(-1) !== lower) order.push(lower);
        events?.data(bytes);
      },
      closed: () => events?.closed(),
    });
    return theirs;
  };
  await store.work.channels.put({
    kind: 'channel',
    name: 'pool',
    most: 4,
    windows: [],
    timeZone: ZONE,
    address: null,
    device: { modems: [{ port: 'tcp://modem:1' }], pause: 0, hold: 60_000 },
  });
  const serials = meters.map((meter) => meter.engine.identification('meter-serial'));
  const known = await store.ensureMeters(serials.map((serial) => ({ serial, timeZone: ZONE })));
  const [master, external] = serials.map((serial) => known.get(serial) as MeterId) as [MeterId, MeterId];
  const common = { protocol: 'dlms', transport: 'hdlc', readout: 'amiable-virtual', client: 2, server: 1 } as const;
  const connections: Connection[] = [
    { ...common, meter: master, address: 'modem:+49 30 555', channel: 'pool', physical: 17, authentication: 'low' },
    { ...common, meter: external, address: `via:${master}`, channel: 'pool', physical: 18, authentication: 'low' },
  ];
  await store.readout.putConnections(connections, NOW);
  await store.readout.putSecrets(
    [master, external].map((meter, i) => ({
      meter,
      name: 'password' as const,
      ciphertext: vault.seal(
        (meters[i] as (typeof meters)[0]).credentials.stored.password,
        secretOwner(meter, 'password'),
      ),
    })),
    NOW,
  );
  const run = await store.work.runs.create({
    what: 'task',
    kind: 'profile',
    name: 'profile',
    definition: { parameters: { from: MIDNIGHT - DAY, to: MIDNIGHT }, retry: { tries: 1 } },
    meters: [external, master],
    priority: 5,
    due: NOW,
    expires: NOW + DAY,
    created: NOW,
    creator: 'test',
    scope: null,
    transaction: '',
  });
  const lines = createLines({
    clock: systemClock,
    channel: channelsOf(store),
    port() {
      const [dte, dce] = loopback();
      // Opened within the call that asked for the port: the modem is there before the first command.
      void simulateModem({ link: dce, clock: systemClock, setup: 1, dial: answered }).then((made) => {
        modem = made;
      });
      return { link: dte, lines: { carrier: async () => modem?.online ?? true, dtr: async (on) => modem?.dtr(on) } };
    },
  });
  const worker = startWorker({
    store,
    vault,
    name: 'w',
    now: () => NOW,
    poll: 10,
    pause: 10,
    lines: createLineFinder(lines, (meter) => store.readout.connection(meter, 'all')),
  });
  for (;;) {
    const { counts } = (await store.work.runs.get(run?.id ?? '')) as {
      counts: { done: number; failed: number; givenUp: number };
    };
    if (counts.done + counts.failed + counts.givenUp === 2) break;
    await new Promise((go) => setTimeout(go, 10));
  }
  await worker.stop();
  await lines.close();
  const jobs = await store.work.runs.jobs(run?.id ?? '', { limit: 10, scope: 'all' });
  expect(jobs.map(({ serial, state, reason }) => `${serial} ${state} ${reason}`)).toEqual(
    serials.map((serial) => `${serial} done null`),
  );
  expect(lines.counts).toMatchObject({ made: 1, shared: 1, failed: 0, open: 0 });
  expect(order).toEqual([17, 18]);
  for (const [i, meter] of meters.entries()) {
    const view = meter.engine.profile('periodic');
    const truth = Array.from(
      { length: view.length },
      (_, row) => [view.timeOf(row), view.value(row, 0)] as const,
    ).filter(([time]) => time >= MIDNIGHT - DAY && time < MIDNIGHT);
    const key = store.readout.registerOf('1-0:1.8.0', 900);
    const { times, values } = await store.values(
      [master, external][i] as MeterId,
      key as NonNullable<typeof key>,
      MIDNIGHT - DAY,
      MIDNIGHT,
    );
    expect(Array.from(times, (time, n) => [time, values[n]])).toEqual(truth);
    expect(truth).toHaveLength(96);
  }
});
