/**
 * `npm run soak -- [--kills 200] [--hours 72] [--seed 1]`: a reader process that is killed over and over, in real time. Its port
 * sends the 2-second frames of so many hours, some of them damaged, as fast as the reader takes them; broker and server are
 * away while they come, and there for the last tenth of the kills. At the end every message that the reader said to have must be
 * in the store exactly once, and nothing that was never sent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCentral } from '@amiable/central';
import { nodeCrypto, seededRandom } from '@amiable/io';
import { createHanReader } from '@amiable/meter';
import { createStreet } from '@amiable/simulator';
import { openStore, startEmbedded } from '@amiable/store';
import pg from 'pg';

export interface SoakOptions {
  readonly kills: number;
  readonly hours: number;
  readonly seed: number;
  readonly log: (line: string) => void;
}

export interface SoakResult {
  readonly frames: number;
  readonly damaged: number;
  readonly kills: number;
  /** Messages that the reader said to have. */
  readonly told: number;
  readonly stored: number;
  readonly missing: number;
  readonly twice: number;
  readonly strange: number;
  /** s from the return of broker and server until all was delivered, without further kills. */
  readonly drain: number;
  /** Largest resident size of the reader, MB. */
  readonly memory: number;
}

const KEY = 'soak';

export async function soak({ kills, hours, seed, log }: SoakOptions): Promise<SoakResult> {
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'amiable-soak-'));
  const to = Date.now() - 3_600_000;
  const { frames, ids } = framesOf(to - hours * 3_600_000, to);
  const damaged = new Set<number>();
  for (let i = 0; i < frames.length; i++) if (random() < 0.002) damaged.add(i);
  const indexOf = new Map(ids.map((id, i) => [id, i]));
  log(`${frames.length} frames of ${hours} hours, ${damaged.size} of them damaged`);

  const told = new Set<string>();
  /** The next frame to send; after a kill it goes back to behind what the reader had. */
  let position = 0;
  let furthest = -1;
  let socket: Socket | undefined;
  const feed = createServer((one) => {
    socket = one;
    one.on('error', () => {});
    position = furthest + 1;
    const send = () => {
      while (position < frames.length && socket === one) {
        const i = position++;
        const frame = Buffer.from(frames[i] as Uint8Array);
        if (damaged.has(i)) frame[5 + ((i * 7) % (frame.length - 10))]! ^= 1 << (i % 8);
        if (!one.write(frame)) {
          one.once('drain', send);
          return;
        }
      }
    };
    send();
  });
  await new Promise<void>((resolve) => feed.listen(0, '127.0.0.1', resolve));
  const feedPort = (feed.address() as { port: number }).port;

  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  const store = await openStore({ url: embedded.url, zone: 'Europe/Oslo' });
  const begin = (http: number, mqtt: number) =>
    startCentral({
      store,
      masterKeyFile: join(folder, 'master-key'),
      version: '0',
      timeZone: 'Europe/Oslo',
      apiKeys: [KEY],
      http: { host: '127.0.0.1', port: http },
      mqtt: { host: '127.0.0.1', port: mqtt },
      log: () => {},
    });
  // Which ports are free; nobody else takes them in the meantime, or it begins anew.
  let central = await begin(0, 0);
  const { httpPort, mqttPort } = central;
  await central.stop();
  let isUp = false;

  let child: ChildProcess | undefined;
  let memory = 0;
  let waiting = Number.POSITIVE_INFINITY;
  const spool = join(folder, 'spool');
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting = Number.POSITIVE_INFINITY;
      const own = spawn(
        process.execPath,
        [
          '--import',
          import.meta.resolve('tsx'),
          fileURLToPath(new URL('./reader.ts', import.meta.url)),
          spool,
          String(feedPort),
          String(httpPort),
          String(mqttPort),
          KEY,
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      child = own;
      let rest = '';
      let said = '';
      own.stderr?.on('data', (bytes: Buffer) => {
        said = (said + bytes.toString()).slice(-2000);
      });
      own.stdout?.on('data', (bytes: Buffer) => {
        const lines = (rest + bytes.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line === '# ready') resolve();
          else if (line.startsWith('# ')) {
            const [, size, ...uplinks] = line.split(' ');
            memory = Math.max(memory, Number(size));
            waiting = uplinks.reduce((sum, one) => sum + Number(one.split(':')[1]), 0);
          } else {
            told.add(line);
            furthest = Math.max(furthest, indexOf.get(line) ?? -1);
          }
        }
      });
      own.once('close', (code, signal) => {
        if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`the reader ended by itself: ${said}`));
      });
    });
  const end = (signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      const own = child as ChildProcess;
      // All that it wrote is read before the next one begins.
      own.once('close', () => {
        socket = undefined;
        resolve();
      });
      own.kill(signal);
    });
  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

  const apart = Math.max(1, Math.floor(kills * 0.9));
  for (let kill = 1; kill <= kills; kill++) {
    await start();
    // The frames are spread over the kills, so that each finds some under way.
    const share = Math.min(frames.length, Math.ceil((frames.length * kill) / Math.min(kills, apart)));
    const until = Date.now() + 100 + random() * 400;
    while (Date.now() < until || (furthest < share * 0.98 - 100 && Date.now() < until + 20_000)) await pause(5);
    await end('SIGKILL');
    if (kill === apart) {
      log(`${kill} kills; ${told.size} messages are in the spool; broker and server come back`);
      central = await begin(httpPort, mqttPort as number);
      isUp = true;
    }
    if (kill % 20 === 0) log(`${kill} kills, ${told.size} messages, ${readdirSync(spool).length} files`);
  }
  if (!isUp) central = await begin(httpPort, mqttPort as number);
  await start();
  const begun = Date.now();
  while (waiting > 0 || furthest < frames.length - 100) await pause(20);
  const drain = (Date.now() - begun) / 1000;
  await pause(500);
  await end('SIGTERM');
  feed.close();

  const client = new pg.Client(embedded.url);
  await client.connect();
  const { rows } = await client.query<{ id: string; n: string }>(
    // A first short list that names no meter waits in the queue until its meter is known.
    "select replace(id::text, '-', '') as id, count(*) as n from (select id from amiable.message union all (select id from amiable.unplaced except select id from amiable.message)) as m group by 1",
  );
  await client.end();
  const stored = new Map(rows.map(({ id, n }) => [id.replace(/^\\x/, ''), Number(n)]));
  let missing = 0;
  for (const id of told) if (!stored.has(id) && ++missing <= 5) log(`missing: message ${indexOf.get(id)} (${id})`);
  let twice = 0;
  let strange = 0;
  for (const [id, n] of stored) {
    if (n !== 1) twice++;
    if (!indexOf.has(id)) strange++;
  }
  await central.stop();
  await store.close();
  await embedded.stop();
  rmSync(folder, { recursive: true, force: true });
  return {
    frames: frames.length,
    damaged: damaged.size,
    kills,
    told: told.size,
    stored: stored.size,
    missing,
    twice,
    strange,
    drain,
    memory,
  };
}

/** One house's frames, and the id that each has once it is read. */
function framesOf(from: number, to: number): { frames: Uint8Array[]; ids: string[] } {
  const meter = createStreet({ seed: 1, zone: 'Europe/Oslo', houses: 12 }).meters.find(
    (m) => !m.key && !m.replay && m.han,
  );
  if (!meter) throw new Error('the street has no open meter');
  const frames: Uint8Array[] = [];
  const ids: string[] = [];
  const han = createHanReader(
    {
      reader: 'soak',
      port: 'han0',
      zone: 'Europe/Oslo',
      keys: { candidates: () => [] },
      crypto: nodeCrypto,
      now: () => to,
      live: false,
    },
    { message: (m) => void ids.push(m.id), drop: () => {} },
  );
  for (let at = from; at < to; at += 3_600_000)
    for (const frame of meter.frames(at, Math.min(to, at + 3_600_000))) {
      frames.push(frame.bytes.slice());
      han.push(frame.bytes);
    }
  if (ids.length !== frames.length) throw new Error(`${frames.length} frames gave ${ids.length} messages`);
  return { frames, ids };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const number = (name: string, usual: number): number => {
    const at = process.argv.indexOf(`--${name}`);
    const value = at < 0 ? usual : Number(process.argv[at + 1]);
    if (!(value > 0)) {
      process.stderr.write(`soak: --${name} wants a number\n`);
      process.exit(2);
    }
    return value;
  };
  const result = await soak({
    kills: number('kills', 200),
    hours: number('hours', 72),
    seed: number('seed', 1),
    log: (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  const good = result.missing === 0 && result.twice === 0 && result.strange === 0 && result.told > result.frames * 0.99;
  process.stderr.write(
    good ? 'every message is in the store exactly once\n' : 'NOT every message is in the store exactly once\n',
  );
  process.exit(good ? 0 : 1);
}
