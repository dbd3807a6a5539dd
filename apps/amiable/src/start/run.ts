/** `amiable start`: begins the roles in the order in which they need each other, and ends them in the other. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Central, journalMetrics, processMetrics, STREET_GUEST, startCentral } from '@amiable/central';
import { createLog, type Log } from '@amiable/io';
import type { MetricSource } from '@amiable/model';
import { createStreet } from '@amiable/simulator';
import { openStore, runningUrl, type Store, startEmbedded, takeInstanceLock } from '@amiable/store';
import { openClock } from './clock.ts';
import { createEnds, type Ends } from './ends.ts';
import { type DataFolder, openFolder } from './folder.ts';
import type { House } from './neighbourhood.ts';
import type { Role, StartOptions } from './options.ts';
import { preparePage } from './page.ts';
import { choosePort } from './port.ts';
import { driveStreet } from './street.ts';

/** Of the page and the street, and of meters until somebody says otherwise. */
const DEFAULT_ZONE = 'Europe/Oslo';

const NOT_YET = 'the reader is not set up yet';

const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

export async function start(options: StartOptions): Promise<void> {
  const log = createLog({
    form: options.log,
    write: (text) => process.stderr.write(text),
    now: Date.now,
    fields: { roles: options.roles.join(','), process: process.pid },
  });
  const ends = createEnds(log);
  let ending = false;
  let begun: Promise<void> = Promise.resolve();
  const stop = (why: string, code: number): void => {
    if (ending) {
      // A second Ctrl-C: the user does not want to wait.
      process.exit(code || 130);
    }
    ending = true;
    process.stderr.write(`\n${why}, ending…\n`);
    // What is just being begun (a database server above all) comes to an end of its own, and is ended then.
    void ends
      .run()
      .then(() => begun.catch(() => {}))
      .then(() => ends.run())
      .then(() => process.exit(code));
  };
  process.on('SIGINT', () => stop('Interrupted', 0));
  process.on('SIGTERM', () => stop('Told to end', 0));
  process.on('SIGHUP', () => stop('Terminal closed', 0));
  try {
    begun = begin(options, ends, log, (error) => stop(error.message, 1));
    await begun;
    if (!ending) return;
  } catch (error) {
    if (ending) return;
    ending = true;
    await ends.run();
    throw error;
  }
}

async function begin(options: StartOptions, ends: Ends, log: Log, giveUp: (error: Error) => void): Promise<void> {
  const roles = rolesOf(options);
  const begun = Date.now();
  const folder = openFolder(options.data);
  const masterKeyFile = options.masterKey ?? folder.masterKeyFile;
  if (!roles.has('central')) return beginWithoutPage(options, roles, folder, masterKeyFile, ends, log);

  const loopback = isLoopback(options.host);
  if (!loopback && options.tlsCert === undefined && options.trustedProxy.length === 0 && !options.plainLogin)
    log.warning('without TLS, log-in works from this machine only; see docs/access.md');
  const [httpPort, mqttPort] = await Promise.all([
    choosePort(options.host, options.port, 8080, '--port'),
    roles.has('broker') ? choosePort(options.host, options.mqttPort, 1883, '--mqtt-port') : undefined,
  ]);
  // The page is built while the database starts; both take about a second.
  const page = options.page ? preparePage(log) : Promise.resolve(undefined);
  page.catch(() => {});

  const url = await openDatabase(options, roles, folder, ends, log, giveUp);
  const zone = options.tz ?? DEFAULT_ZONE;
  const store = await openStore({ url, zone, connections: roles.has('worker') ? 8 : 4 });
  ends.add(() => store.close());

  const simulated = roles.has('street') || roles.has('fleet');
  const clock = openClock(folder.path, simulated ? options.speed : 1);
  const now = simulated ? clock.now : Date.now;
  const folderOfPage = await page;
  // The reader needs the central system to begin; until then its ports are not open, and /health says so.
  let causes: () => readonly string[] = () => (roles.has('reader') ? [NOT_YET] : []);
  const metrics: MetricSource[] = [];
  const central = await startCentral({
    store,
    masterKeyFile,
    version: VERSION,
    timeZone: zone,
    now,
    speed: clock.speed,
    simulated,
    apiKeys: [folder.apiKey],
    // Nobody lives in a simulated street: whoever sits at the machine may look at it without an account.
    ...(simulated && !roles.has('reader') && loopback ? { guest: STREET_GUEST } : {}),
    http: {
      host: options.host,
      port: httpPort,
      ...(folderOfPage === undefined ? {} : { page: folderOfPage }),
      hosts: [...options.hostName, ...(loopback ? [] : [options.host])],
      ...tlsOf(options),
      trustedProxies: options.trustedProxy,
      plainLogin: options.plainLogin === true,
    },
    ...(mqttPort === undefined ? {} : { mqtt: { host: options.host, port: mqttPort } }),
    ...(options.subscribe === undefined ? {} : { subscribe: { url: options.subscribe, clientId: 'amiable-central' } }),
    backups: { url, folder: options.backups ?? join(folder.path, 'backups'), keep: options.keepBackups },
    ...(options.inbox === undefined ? {} : { inbox: options.inbox }),
    ...(options.outbox === undefined ? {} : { outbox: options.outbox }),
    ...(options.smtp === undefined ? {} : { mail: { url: options.smtp, from: options.mailFrom } }),
    printCommand: options.printCommand,
    causes: () => causes(),
    metrics: [
      (add) => {
        for (const source of metrics) source(add);
      },
    ],
    log,
  });
  ends.add(() => central.stop());
  await giveKeys(options, store, central);

  const what: string[] = [];
  let houses: readonly House[] = [];
  if (roles.has('street')) {
    const street = await beginStreet(options, store, central, clock, ends, log);
    houses = street.houses;
    what.push(street.told);
  }
  if (roles.has('reader')) {
    const { beginPorts } = await import('./ports.ts');
    const ports = await beginPorts(options, folder.path, store, central, ends, log);
    causes = ports.causes;
    what.push(...ports.told);
  }
  if (roles.has('worker')) {
    const { beginWorker } = await import('./worker.ts');
    metrics.push(beginWorker({ options, store, masterKeyFile, now, ends, log }).metrics);
  }
  if (roles.has('fleet')) {
    const { beginFleet } = await import('./neighbourhood.ts');
    what.push(
      beginFleet({
        options,
        central,
        houses,
        folder: folder.path,
        masterKeyFile,
        store,
        zone,
        speed: clock.speed,
        now,
        ends,
        log,
      }),
    );
  }
  tell({ options, folder, central, url, what, took: Date.now() - begun, secure: options.tlsCert !== undefined });
}

/** What this process is: what was asked for, less what has nothing to do. */
function rolesOf(options: StartOptions): Set<Role> {
  const roles = new Set<Role>(options.roles);
  if (options.databaseUrl !== undefined) roles.delete('database');
  if (options.device.length > 0) for (const simulation of ['street', 'fleet'] as const) roles.delete(simulation);
  else roles.delete('reader');
  if (options.meters === 0) roles.delete('fleet');
  if (!roles.has('central')) {
    const others = [...roles].filter((role) => role !== 'worker' && role !== 'database');
    if (others.length > 0)
      throw new Error(`${others.join(', ')}: needs the role central in the same process; \`worker\` alone does not`);
    if (!roles.has('worker')) throw new Error('the role database does nothing by itself; add central or worker');
  }
  return roles;
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

function tlsOf({ tlsCert, tlsKey }: StartOptions): { tls?: { cert: string; key: string } } {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined) throw new Error('--tls-cert and --tls-key: both or none');
  const read = (option: string, file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new Error(`${option} ${file}: ${(error as Error).message}`);
    }
  };
  return { tls: { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) } };
}

/** A process that only reads meters: what it needs stands in the database of another. */
async function beginWithoutPage(
  options: StartOptions,
  roles: ReadonlySet<Role>,
  folder: DataFolder,
  masterKeyFile: string,
  ends: Ends,
  log: Log,
): Promise<void> {
  const url = options.databaseUrl ?? (await runningUrl(folder.path));
  if (url === undefined)
    throw new Error(
      `no database: no Amiable runs on ${folder.path}; name a server with --database-url, or the data folder of one that runs with --data`,
    );
  if (!existsSync(masterKeyFile))
    throw new Error(
      `${masterKeyFile} is not there: a worker needs the key under which meters’ keys are sealed; copy it from the central system (--master-key)`,
    );
  const store = await openStore({ url, zone: options.tz ?? DEFAULT_ZONE, connections: 8 });
  ends.add(() => store.close());
  const { beginWorker } = await import('./worker.ts');
  const worker = beginWorker({ options, store, masterKeyFile, now: Date.now, ends, log });
  let shown = '';
  if (options.healthPort !== undefined) {
    const { serveRole } = await import('./role-server.ts');
    const server = await serveRole({
      host: options.host,
      port: options.healthPort,
      causes: async () => {
        const fault = await store.check();
        return fault === undefined ? [] : [fault];
      },
      metrics: [worker.metrics, journalMetrics(store.journal), processMetrics],
    });
    ends.add(() => server.stop());
    shown = `, /health and /metrics on http://${options.host}:${server.port}`;
  }
  process.stdout.write(`Amiable ${VERSION}: ${[...roles].join(', ')}${shown}; Ctrl-C ends it.\n`);
}

async function openDatabase(
  options: StartOptions,
  roles: ReadonlySet<Role>,
  folder: DataFolder,
  ends: Ends,
  log: Log,
  giveUp: (error: Error) => void,
): Promise<string> {
  if (options.databaseUrl !== undefined) {
    // The embedded server guards its folder itself.
    const lock = await takeInstanceLock(folder.path, new Date().toISOString());
    ends.add(() => lock.release());
    return options.databaseUrl;
  }
  if (!roles.has('database'))
    throw new Error('without the role database a server is needed: --database-url postgres://…');
  const embedded = await startEmbedded({ dataDir: folder.path, log, onGiveUp: giveUp });
  ends.add(() => embedded.stop());
  if (embedded.adopted) log('database: took over the server that an earlier run left behind');
  return embedded.url;
}

/** Keys for a named meter go into the vault and need be given only once; a bare key is tried on every sender of this run. */
async function giveKeys(options: StartOptions, store: Store, central: Central): Promise<void> {
  if (options.key.length === 0) return;
  const { keyEntries } = await import('@amiable/reader');
  for (const { id, ...pair } of keyEntries(options.key, options.authKey)) {
    if (id === undefined) central.keys.putForAny(pair);
    else {
      const ids = await store.ensureMeters([{ serial: id }]);
      await central.keys.put(ids.get(id) as string, id, pair);
    }
  }
}

async function beginStreet(
  options: StartOptions,
  store: Store,
  central: Central,
  clock: ReturnType<typeof openClock>,
  ends: Ends,
  log: (line: string) => void,
): Promise<{ readonly told: string; readonly houses: readonly House[] }> {
  const zone = options.tz ?? DEFAULT_ZONE;
  const street = createStreet({ seed: options.seed, zone, houses: options.houses });
  // One by one: ids follow the order of the houses, and so does the page. Nobody looks for an order in a whole town.
  const ids = new Map<string, string>();
  const atOnce = street.meters.length > 100 ? 1000 : 1;
  for (let i = 0; i < street.meters.length; i += atOnce) {
    const made = await store.ensureMeters(
      street.meters.slice(i, i + atOnce).map((m) => ({
        serial: m.serial,
        name: m.name,
        place: m.note,
        maker: m.maker,
        type: m.type,
        phases: m.phases,
        lineVoltage: m.lineVoltage,
        timeZone: zone,
        reader: 'street',
        port: m.port,
      })),
    );
    for (const [serial, id] of made) ids.set(serial, id);
  }
  for (const meter of street.meters)
    if (meter.key && !central.keys.has(ids.get(meter.serial) as string))
      await central.keys.put(ids.get(meter.serial) as string, meter.serial, meter.key);
  const from = clock.now();
  if (options.history !== undefined) {
    const { writeHistory } = await import('./history.ts');
    await writeHistory({ street, ids, store, from: from - options.history, to: from });
    await central.refreshLive();
  }
  const drive = driveStreet({ street, clock, from, keys: central.keys, ingest: central.ingest, log });
  ends.add(() => drive.stop());
  const replays = street.meters.filter((m) => m.replay).length;
  const told = `street    ${street.meters.length - replays} simulated houses${replays ? ' and one that replays frames of a real meter' : ''}${options.speed === 1 ? '' : `, time runs ${options.speed} times as fast`}`;
  return { told, houses: street.meters.map(({ serial, name }) => ({ serial, name })) };
}

interface Told {
  readonly options: StartOptions;
  readonly folder: DataFolder;
  readonly central: Central;
  readonly url: string;
  readonly what: readonly string[];
  readonly took: number;
  readonly secure: boolean;
}

function tell({ options, folder, central, url, what, took, secure }: Told): void {
  // Every address of this machine is also this one, which is what whoever started it can open.
  const everywhere = /^(127\.0\.0\.1|::1|0\.0\.0\.0|::)$/.test(options.host);
  const host = options.hostName[0] ?? (everywhere ? 'localhost' : options.host);
  const page = `${secure ? 'https' : 'http'}://${host}:${central.httpPort}`;
  const shown = new URL(url);
  if (shown.password) shown.password = '';
  const lines = [
    `Amiable ${VERSION} runs since ${(took / 1000).toFixed(1)} s; Ctrl-C ends it.`,
    '',
    `  page      ${page}`,
    ...(central.firstCode === undefined
      ? []
      : [`  log-in    make the first administrator: ${page}/first#${central.firstCode}`]),
    ...what.map((line) => `  ${line}`),
    `  readers   HTTP  ${page}/api/v1/messages  (API key in ${join(folder.path, 'api-key')})`,
    ...(central.mqttPort === undefined ? [] : [`            MQTT  mqtt://${host}:${central.mqttPort}`]),
    `  database  ${options.databaseUrl === undefined ? `embedded, in ${folder.path}` : shown.href}`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
