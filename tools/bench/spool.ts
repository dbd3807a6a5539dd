/**
 * Store and forward: 72 hours of a port's 2-second messages (129,600) into the spool, and out of it again after the outage, over
 * each kind of uplink into a central system with an embedded database: committed there, acknowledged, passed by the cursor.
 * Over MQTT and HTTP that is a process of its own, as in life.
 * Each way takes the messages of a meter of its own, so that nothing is a duplicate.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { startCentral } from '@amiable/central';
import { nodeCrypto, systemClock } from '@amiable/io';
import { createHanReader } from '@amiable/meter';
import { type Message, messageToJson } from '@amiable/model';
import { createStreet } from '@amiable/simulator';
import { openStore, startEmbedded } from '@amiable/store';
import { openSpool, type Spool } from '../../apps/reader/src/spool/spool.ts';
import { inProcessUplink } from '../../apps/reader/src/uplinks/in-process.ts';
import { mqttUplink } from '../../apps/reader/src/uplinks/mqtt.ts';
import { postUplink } from '../../apps/reader/src/uplinks/post.ts';
import type { Uplink, UplinkCommon } from '../../apps/reader/src/uplinks/uplink.ts';
import type { Figure } from './figure.ts';

const KEY = 'bench';
const WAYS = ['MQTT, embedded broker', 'HTTP POST', 'in one process'] as const;

/** What the port of one simulated house sends. */
function* messagesOf(house: number, from: number, to: number): Generator<Message> {
  const street = createStreet({ seed: 1, zone: 'Europe/Oslo', houses: 12 });
  const open = street.meters.filter((m) => !m.key && !m.replay && m.han);
  const meter = open[house] as (typeof open)[number];
  let arrived = from;
  const out: Message[] = [];
  const han = createHanReader(
    {
      reader: 'bench',
      port: `han${house}`,
      zone: 'Europe/Oslo',
      knownMeter: meter.serial,
      keys: { candidates: () => [] },
      crypto: nodeCrypto,
      now: () => arrived,
      live: true,
    },
    { message: (m) => void out.push(m), drop: () => {} },
  );
  for (let at = from; at < to; at += 3_600_000)
    for (const frame of meter.frames(at, Math.min(to, at + 3_600_000))) {
      arrived = frame.at;
      han.push(frame.bytes);
      yield* out.splice(0);
    }
}

async function fill(
  spool: Spool,
  house: number,
  from: number,
  to: number,
): Promise<{ n: number; bytes: number; ms: number }> {
  // Decoded before: the spool is measured, not the decoder.
  const all = [...messagesOf(house, from, to)];
  const begun = performance.now();
  for (let i = 0; i < all.length; i++) {
    spool.append(all[i] as Message);
    if (i % 256 === 255) await turn();
  }
  await spool.sync();
  const ms = performance.now() - begun;
  return { n: all.length, bytes: spool.status().bytes, ms };
}

export async function benchSpool({ smoke }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const hours = smoke ? 1 : Number(process.env.SPOOL_HOURS ?? 72);
  const to = Date.now() - 60_000;
  const from = to - hours * 3_600_000;
  const figures: Figure[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  const store = await openStore({ url: embedded.url, zone: 'Europe/Oslo' });
  const central = await startCentral({
    store,
    masterKeyFile: join(folder, 'master-key'),
    version: '0',
    timeZone: 'Europe/Oslo',
    apiKeys: [KEY],
    http: { host: '127.0.0.1', port: 0 },
    log: () => {},
  });
  const elsewhere = await forkCentral();
  try {
    for (const [house, way] of WAYS.entries()) {
      const spool = await openSpool({
        folder: join(folder, `spool-${house}`),
        maxBytes: 1e9,
        clock: systemClock,
        tell: () => {},
      });
      const filled = await fill(spool, house, from, to);
      if (house === 0) {
        figures.push({
          name: `spool: append, synced at the end and every MB, ${hours} h of a port (${filled.n} messages)`,
          value: filled.n / (filled.ms / 1000),
          unit: 'messages/s',
          peer: 'a sync for each message',
          ratio: filled.n / (filled.ms / 1000) / syncedSingly(join(folder, 'singly'), smoke ? 50 : 1000),
        });
        figures.push({ name: 'spool: octets on disk per message', value: filled.bytes / filled.n, unit: 'B' });
      }
      const cursor = spool.cursor({ name: 'bench', from: 'oldest', interval: 0, thin: false, newestFirst: true });
      const waiting = cursor.length;
      const counted = async () =>
        way === 'in one process' ? central.ingest.counters.accepted : await elsewhere.accepted();
      const before = await counted();
      const shared: UplinkCommon = {
        outbox: cursor,
        clock: systemClock,
        random: Math.random,
        tell: () => {},
        patient: true,
      };
      const begun = performance.now();
      const uplink = await begin(way, shared, central);
      const report = await uplink.finish(120_000);
      const ms = performance.now() - begun;
      const accepted = (await counted()) - before;
      if (report.waiting > 0 || accepted !== waiting)
        throw new Error(`${way}: ${accepted} of ${waiting} are stored, ${report.waiting} wait`);
      figures.push({ name: `drain over ${way}: ${waiting} messages committed`, value: ms / 1000, unit: 's' });
      figures.push({ name: `drain over ${way}`, value: waiting / (ms / 1000), unit: 'messages/s' });
      await spool.close();
    }
  } finally {
    elsewhere.end();
    await central.stop();
    await store.close();
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;

  function begin(way: (typeof WAYS)[number], shared: UplinkCommon, to: typeof central): Promise<Uplink> | Uplink {
    if (way === 'in one process')
      return inProcessUplink({ to: { name: 'central', target: 'database', take: (m) => to.ingest(m) }, ...shared });
    if (way === 'HTTP POST')
      return postUplink({
        post: { url: new URL(`http://127.0.0.1:${elsewhere.ports.http}/api/v1/messages`), apiKey: KEY, tls: {} },
        ...shared,
      });
    return mqttUplink({
      connection: { host: '127.0.0.1', port: elsewhere.ports.mqtt, secure: false, clientId: 'bench', tls: {} },
      topic: 'amiable/bench/message',
      statusTopic: 'amiable/bench/status',
      reader: 'bench',
      ...shared,
    });
  }
}

interface Elsewhere {
  readonly ports: { readonly http: number; readonly mqtt: number };
  accepted(): Promise<number>;
  end(): void;
}

async function forkCentral(): Promise<Elsewhere> {
  const child: ChildProcess = fork(new URL('./spool-central.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, BENCH_KEY: KEY },
  });
  const [ports] = (await once(child, 'message')) as [Elsewhere['ports']];
  return {
    ports,
    async accepted() {
      child.send('count');
      const [answer] = (await once(child, 'message')) as [{ accepted: number }];
      return answer.accepted;
    },
    end: () => child.disconnect(),
  };
}

/** What a program does that knows no groups. @returns messages/s */
function syncedSingly(path: string, n: number): number {
  const line = `${messageToJson([...messagesOf(0, Date.now() - 60_000, Date.now())][0] as Message, { raw: true })}\n`;
  const fd = openSync(path, 'w');
  const begun = performance.now();
  for (let i = 0; i < n; i++) {
    writeSync(fd, line);
    fsyncSync(fd);
  }
  return n / ((performance.now() - begun) / 1000);
}
