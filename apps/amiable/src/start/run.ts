/** `amiable start`: begins the roles in the order in which they need each other, and ends them in the other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Central, STREET_GUEST, startCentral } from '@amiable/central';
import { createLog, type Log } from '@amiable/io';
import { createStreet } from '@amiable/simulator';
import { openStore, type Store, startEmbedded, takeInstanceLock } from '@amiable/store';
import { openClock } from './clock.ts';
import { createEnds, type Ends } from './ends.ts';
import { type DataFolder, openFolder } from './folder.ts';
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
  const roles = new Set<Role>(options.roles);
  if (options.databaseUrl !== undefined) roles.delete('database');
  if (options.device.length > 0) roles.delete('street');
  else roles.delete('reader');
  if (!roles.has('central'))
    throw new Error(
      'every process of `amiable start` has the role central for now; a reader elsewhere is `amiable read --mqtt` or `--post`',
    );

  const begun = Date.now();
  const folder = openFolder(options.data);
  const [httpPort, mqttPort] = await Promise.all([
    choosePort(options.host, options.port, 8080, '--port'),
    roles.has('broker') ? choosePort(options.host, options.mqttPort, 1883, '--mqtt-port') : undefined,
  ]);
  // The page is built while the database starts; both take about a second.
  const page = options.page ? preparePage(log) : Promise.resolve(undefined);
  page.catch(() => {});

  const url = await openDatabase(options, roles, folder, ends, log, giveUp);
  const zone = options.tz ?? DEFAULT_ZONE;
  const store = await openStore({ url, zone });
  ends.add(() => store.close());

  const clock = openClock(folder.path, roles.has('street') ? options.speed : 1);
  const folderOfPage = await page;
  // The reader needs the central system to begin; until then its ports are not open, and /health says so.
  let causes: () => readonly string[] = () => (roles.has('reader') ? [NOT_YET] : []);
  const central = await startCentral({
    store,
    masterKeyFile: folder.masterKeyFile,
    version: VERSION,
    timeZone: zone,
    now: roles.has('street') ? clock.now : Date.now,
    speed: clock.speed,
    simulated: roles.has('street'),
    apiKeys: [folder.apiKey],
    // A simulated street may be looked at without log-in until somebody makes themselves administrator; real meters never.
    ...(roles.has('street') && options.device.length === 0 ? { guest: STREET_GUEST } : {}),
    http: { host: options.host, port: httpPort, ...(folderOfPage === undefined ? {} : { page: folderOfPage }) },
    ...(mqttPort === undefined ? {} : { mqtt: { host: options.host, port: mqttPort } }),
    ...(options.subscribe === undefined ? {} : { subscribe: { url: options.subscribe, clientId: 'amiable-central' } }),
    causes: () => causes(),
    log,
  });
  ends.add(() => central.stop());
  await giveKeys(options, store, central);

  const what: string[] = [];
  if (roles.has('street')) what.push(await beginStreet(options, store, central, clock, ends, log));
  if (roles.has('reader')) {
    const { beginPorts } = await import('./ports.ts');
    const ports = await beginPorts(options, folder.path, store, central, ends, log);
    causes = ports.causes;
    what.push(...ports.told);
  }
  tell(options, folder, central, url, what, Date.now() - begun);
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
): Promise<string> {
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
  return `street    ${street.meters.length - replays} simulated houses${replays ? ' and one that replays frames of a real meter' : ''}${options.speed === 1 ? '' : `, time runs ${options.speed} times as fast`}`;
}

function tell(
  options: StartOptions,
  folder: DataFolder,
  central: Central,
  url: string,
  what: readonly string[],
  took: number,
): void {
  const host = options.host === '127.0.0.1' || options.host === '::1' ? 'localhost' : options.host;
  const shown = new URL(url);
  if (shown.password) shown.password = '';
  const lines = [
    `Amiable ${VERSION} runs since ${(took / 1000).toFixed(1)} s; Ctrl-C ends it.`,
    '',
    `  page      http://${host}:${central.httpPort}`,
    ...(central.firstCode === undefined
      ? []
      : [`  log-in    make the first administrator: http://${host}:${central.httpPort}/first#${central.firstCode}`]),
    ...what.map((line) => `  ${line}`),
    `  readers   HTTP  http://${host}:${central.httpPort}/api/v1/messages  (API key in ${join(folder.path, 'api-key')})`,
    ...(central.mqttPort === undefined ? [] : [`            MQTT  mqtt://${host}:${central.mqttPort}`]),
    `  database  ${options.databaseUrl === undefined ? `embedded, in ${folder.path}` : shown.href}`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
