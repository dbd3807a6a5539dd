/**
 * Acquisition: a fleet of virtual meters on one core; workers and PostgreSQL on the other. The load profile of a day (96 × 4), daily
 * billing values and event logs of all of them, from the first lease to the last commit; the same ciphered (HLS-GMAC, suite 0);
 * through one gateway; with two workers. Afterwards what is stored is compared with what the meters have lived.
 *
 * On a machine that does other things too the seconds of processor are what counts: they are told beside those of the clock.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fromHex } from '@amiable/bytes';
import { startOf } from '@amiable/calendar';
import { openStore, type Run, type Store, startEmbedded } from '@amiable/store';
import pg from 'pg';
import { secretOwner } from '../../apps/central/src/acquisition/access.ts';
import { openVault } from '../../apps/central/src/keys/vault.ts';
import { unpackDay } from '../../packages/store/src/codec/block.ts';
import { readBlocks } from '../../packages/store/src/write/block-rows.ts';
import { columnNumber, type FleetReady, Summer, type Truth } from './acquire-truth.ts';
import type { Figure } from './figure.ts';

const DAY = 86_400_000;
const ZONE = 'Europe/Oslo';
const PRESENT = Date.UTC(2026, 10, 20, 9, 20);
const TO = startOf('day', ZONE, PRESENT);
const FROM = startOf('day', ZONE, TO - 1);
const KINDS = ['profile', 'daily', 'events'] as const;
const PAGE = 1000;
/** As docs/acquisition.md advises for workers: what a reading leaves behind is mostly gone before the collector looks. */
const YOUNG = ['--max-semi-space-size=64'];

interface Scenario {
  readonly name: string;
  readonly ciphered?: boolean;
  /** All behind one address. */
  readonly gateway?: boolean;
  readonly workers?: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'a TCP connection each' },
  { name: 'ciphered', ciphered: true },
  { name: 'through one gateway', gateway: true },
  { name: 'two workers', workers: 2 },
];

/** Shows that all of it runs, in few seconds. */
const SMOKE: readonly Scenario[] = [{ name: 'ciphered', ciphered: true }];

interface Spoken {
  readonly child: ChildProcess;
  say(line: string): void;
  heard(): Promise<string>;
}

/** A process that is spoken to line by line, on its core. */
function spoken(
  script: string,
  words: readonly string[],
  core: number | undefined,
  flags: readonly string[] = [],
): Spoken {
  const path = new URL(script, import.meta.url).pathname;
  const node = [process.execPath, ...flags, '--import', 'tsx', path, ...words];
  const all = core === undefined ? node : ['taskset', '-c', String(core), ...node];
  const child = spawn(all[0] as string, all.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const reader: Interface = createInterface(child.stdout as NodeJS.ReadableStream);
  reader.on('line', (line) => {
    const next = waiting.shift();
    if (next) next(line);
    else lines.push(line);
  });
  return {
    child,
    say: (line) => void child.stdin?.write(`${line}\n`),
    heard: () =>
      new Promise((resolve, reject) => {
        const line = lines.shift();
        if (line !== undefined) return resolve(line);
        child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
        waiting.push(resolve);
      }),
  };
}

export async function benchAcquire({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const count = smoke ? 40 : Number(process.env.AMIABLE_BENCH_METERS ?? 10_000);
  const only = process.env.AMIABLE_BENCH_ONLY;
  const pinned = !smoke && availableParallelism() > 1 && hasTaskset();
  // The database's processes are started from here, and stay on our core.
  if (pinned) execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' });
  const fleet = spoken('./acquire-fleet.ts', [count, PRESENT, FROM, TO].map(String), pinned ? 0 : undefined);
  const figures: Figure[] = [];
  try {
    const lived = livesOf(fleet);
    // Whoever awaits it is told; it may fail before.
    lived.catch(() => {});
    for (const scenario of smoke ? SMOKE : SCENARIOS) {
      if (only && !scenario.name.includes(only)) continue;
      figures.push(...(await measure(scenario, fleet, lived, pinned)));
    }
  } finally {
    fleet.child.stdin?.end();
  }
  return figures;
}

/** Where the meters are, and what each has lived. */
async function livesOf(fleet: Spoken): Promise<{ ready: FleetReady; truths: readonly Truth[] }> {
  const ready = JSON.parse(await fleet.heard()) as FleetReady;
  fleet.say('truth');
  return { ready, truths: JSON.parse(await fleet.heard()) as Truth[] };
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function measure(
  scenario: Scenario,
  fleet: Spoken,
  lived: ReturnType<typeof livesOf>,
  pinned: boolean,
): Promise<Figure[]> {
  const { name, workers = 1 } = scenario;
  const folder = mkdtempSync(join(tmpdir(), 'amiable-acquire-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  const store = await openStore({ url: embedded.url });
  try {
    const { ready, truths } = await lived;
    const count = ready.meters.length;
    const ids = await register(store, ready, scenario, join(folder, 'master-key'));
    const runs: Run[] = [];
    for (const kind of KINDS) runs.push(await order(store, kind, ids));
    const flags = [
      ...YOUNG,
      ...(process.env.AMIABLE_BENCH_PROF ? ['--cpu-prof', `--cpu-prof-dir=${process.env.AMIABLE_BENCH_PROF}`] : []),
    ];
    const sessions = scenario.gateway ? 64 : 128;
    const processes = Array.from({ length: workers }, (_, i) =>
      spoken(
        './acquire-worker.ts',
        [embedded.url, `worker-${i + 1}`, String(PRESENT), String(sessions), '16', join(folder, 'master-key')],
        pinned ? 1 : undefined,
        flags,
      ),
    );
    for (const one of processes) await one.heard();
    const database = databaseSeconds(join(folder, 'data', 'postgres'));
    const fleetBefore = await secondsOf(fleet);
    const begun = performance.now();
    for (const one of processes) one.say('go');
    await allEnded(store, runs, count);
    const took = (performance.now() - begun) / 1000;
    const fleetTook = (await secondsOf(fleet)) - fleetBefore;
    const databaseTook = databaseSeconds(join(folder, 'data', 'postgres')) - database;
    for (const one of processes) one.say('end');
    const said: { cpu: number; counters: Counters }[] = [];
    for (const one of processes) said.push(JSON.parse(await one.heard()) as { cpu: number; counters: Counters });
    await compare(embedded.url, ids, truths);
    const cpu = said.reduce((sum, one) => sum + one.cpu, 0);
    const title = `Acquisition: ${count} meters, ${name}`;
    const figure = (what: string, value: number, unit: string): Figure => ({ name: `${title}, ${what}`, value, unit });
    const sum = (of: (c: Counters) => number): number => said.reduce((total, one) => total + of(one.counters), 0);
    return [
      figure('all stored', took, 's'),
      figure('processor: workers', cpu, 's'),
      figure('processor: database', databaseTook, 's'),
      figure('processor: meters', fleetTook, 's'),
      figure('workers and database, for each meter', ((cpu + databaseTook) / count) * 1000, 'ms'),
      figure('requests for each meter', sum((c) => c.requests) / count, ''),
      ...(workers > 1
        ? [
            figure('read by the first', said[0]?.counters.read ?? 0, 'meters'),
            figure(
              'leases, empty ones',
              sum((c) => c.empty),
              `of ${sum((c) => c.leases)}`,
            ),
            figure(
              'outcomes refused, writes repeated',
              sum((c) => c.refused + c.retries),
              '',
            ),
          ]
        : []),
    ];
  } finally {
    await store.close();
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Counters {
  readonly read: number;
  readonly requests: number;
  readonly leases: number;
  readonly empty: number;
  readonly refused: number;
  readonly retries: number;
}

const secondsOf = async (fleet: Spoken): Promise<number> => {
  fleet.say('cpu');
  return (JSON.parse(await fleet.heard()) as { cpu: number }).cpu;
};

async function register(
  store: Store,
  { port, meters }: FleetReady,
  { ciphered, gateway }: Scenario,
  key: string,
): Promise<string[]> {
  const known = await store.ensureMeters(meters.map(({ serial }) => ({ serial, timeZone: ZONE })));
  const ids = meters.map(({ serial }) => known.get(serial) as string);
  const vault = openVault(key);
  await store.readout.putConnections(
    ids.map((meter, i) => ({
      meter,
      protocol: 'dlms' as const,
      // Each its own address, as meters with a modem each have.
      address: gateway ? `tcp://127.0.0.1:${port}` : `tcp://127.1.${(i >> 8) & 255}.${i & 255}:${port}`,
      transport: 'wrapper' as const,
      readout: 'amiable-virtual',
      client: ciphered ? 1 : 2,
      server: i + 1,
      authentication: ciphered ? ('gmac' as const) : ('low' as const),
    })),
    PRESENT,
  );
  await store.readout.putSecrets(
    ids.flatMap((meter, i) => {
      const { password, unicast, authentication } = meters[i] as FleetReady['meters'][number];
      const secrets = ciphered
        ? ([
            ['unicast-key', unicast],
            ['authentication-key', authentication],
          ] as const)
        : ([['password', password]] as const);
      return secrets.map(([name, hex]) => ({
        meter,
        name,
        ciphertext: vault.seal(fromHex(hex), secretOwner(meter, name)),
      }));
    }),
    PRESENT,
  );
  return ids;
}

async function order(store: Store, kind: (typeof KINDS)[number], ids: readonly string[]): Promise<Run> {
  const run = (await store.work.runs.create({
    what: 'task',
    kind,
    name: kind,
    definition: { kind, parameters: kind === 'events' ? {} : { from: FROM, to: TO } },
    priority: 5,
    due: PRESENT,
    expires: PRESENT + DAY,
    created: PRESENT,
    creator: 'bench',
    scope: null,
    transaction: '',
  } as never)) as Run;
  for (let at = 0; at < ids.length; at += PAGE) {
    const last = at + PAGE >= ids.length;
    const now = (await store.work.runs.get(run.id)) as Run;
    if (!(await store.work.runs.expand(now, { meters: ids.slice(at, at + PAGE), last }, PRESENT)))
      throw new Error('the run took no meters');
  }
  return run;
}

async function allEnded(store: Store, runs: readonly Run[], count: number): Promise<void> {
  const until = performance.now() + 600_000;
  for (;;) {
    const now = await Promise.all(runs.map(({ id }) => store.work.runs.get(id)));
    if (now.every((run) => run && run.counts.done === count)) return;
    if (now.some((run) => run && run.counts.failed + run.counts.givenUp > 0) || performance.now() > until) {
      const [bad] = await store.work.runs.jobs(runs[0]?.id as string, { state: 'failed', limit: 1, scope: 'all' });
      throw new Error(`readings failed: ${JSON.stringify(now.map((run) => run?.counts))} ${bad?.reason ?? ''}`);
    }
    await new Promise((go) => setTimeout(go, 100));
  }
}

/** Processor seconds of the server's processes, those that have ended among them. */
function databaseSeconds(folder: string): number {
  const root = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0] as string;
  const stat = (pid: string): string[] => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
    } catch {
      return [];
    }
  };
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = stat(pid);
    // After the name: state, parent; utime, stime, cutime, cstime are the 12th to the 15th.
    if (pid === root) for (const i of [11, 12, 13, 14]) ticks += Number(fields[i] ?? 0);
    else if (fields[1] === root) for (const i of [11, 12]) ticks += Number(fields[i] ?? 0);
  }
  return ticks / 100;
}

/** @throws Error when what is stored is not what the meters have lived */
async function compare(url: string, ids: readonly string[], truths: readonly Truth[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      `select id, obis, period from amiable.register where period in (900, 86400) and stat = 'value' and name <> 'profileFlags'`,
    );
    const registers = new Map((rows as { id: number; obis: string; period: number }[]).map((row) => [row.id, row]));
    const [first, last] = [Math.floor(FROM / DAY), Math.floor(TO / DAY)];
    for (let at = 0; at < ids.length; at += 500) {
      const some = ids.slice(at, at + 500);
      const sums = new Map(some.map((id) => [id, { load: new Summer(), daily: new Summer(), events: new Summer() }]));
      for (const block of await readBlocks(client as never, some, [...registers.keys()], first, last)) {
        const { obis, period } = registers.get(block.register) as { obis: string; period: number };
        const day = unpackDay(block);
        const into = sums.get(block.meter);
        for (let i = 0; i < day.times.length; i++)
          (period === 900 ? into?.load : into?.daily)?.add(
            block.day * DAY + (day.times[i] as number),
            (day.values[i] as number) * 10 ** day.scaler,
            columnNumber(obis),
          );
      }
      const events = await client.query(
        `select meter, (extract(epoch from time) * 1000)::float8 as time, code, status from amiable.event where meter = any($1::bigint[])`,
        [some],
      );
      for (const { meter, time, code, status } of events.rows as {
        meter: string;
        time: number;
        code: number;
        status: string;
      }[])
        sums.get(meter)?.events.add(time, code, Number(status));
      for (const [i, id] of some.entries()) {
        const truth = truths[at + i] as Truth;
        const own = sums.get(id);
        for (const what of ['load', 'daily', 'events'] as const) {
          const [is, was] = [own?.[what].digest, truth[what]];
          if (is?.count !== was.count || is.hash !== was.hash)
            throw new Error(
              `${truth.serial}: ${what} stored is ${JSON.stringify(is)}, lived was ${JSON.stringify(was)}`,
            );
        }
      }
    }
  } finally {
    await client.end();
  }
}
