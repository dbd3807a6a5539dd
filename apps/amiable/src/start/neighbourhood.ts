/**
 * The simulated utility around the fleet: where its meters stand, how they are reached, and the tasks that read them. All of it goes
 * the way a real utility's would: an import file, connections with sealed secrets, tasks of a schedule.
 *
 * Decides: a town of one substation, four transformers and twelve feeders; every fourth meter is read in a ciphered association, the
 * others with a password; what is there already is left as people have made it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from '@amiable/calendar';
import { type Central, createImports, openVault, secretOwner } from '@amiable/central';
import type { Log } from '@amiable/io';
import { type Caller, PRIVILEGES } from '@amiable/model';
import { virtualMeterSerials } from '@amiable/simulator';
import type { Connection, MeterId, SecretName, Store } from '@amiable/store';
import type { Ends } from './ends.ts';
import { type Fleet, type FleetMeter, startFleet } from './fleet.ts';
import { openMarket } from './market.ts';
import type { StartOptions } from './options.ts';
import { choosePort } from './port.ts';

/** A meter of the street, which speaks by itself. */
export interface House {
  readonly serial: string;
  readonly name: string;
}

export interface NeighbourhoodParts {
  readonly options: StartOptions;
  /** Of the street, which stands at the first feeder. */
  readonly houses: readonly House[];
  readonly folder: string;
  readonly masterKeyFile: string;
  readonly store: Store;
  readonly central: Central;
  readonly zone: string;
  readonly speed: number;
  /** Epoch ms of the simulated world. */
  readonly now: () => number;
  readonly ends: Ends;
  readonly log: Log;
}

const HOST = '127.0.0.1';
const USUAL_PORT = 4059;
const DAY = 86_400_000;
/** Everything that the virtual meters have lived when they are first started. */
const LIVED = 3 * DAY;
const TRANSFORMERS = 4;
const FEEDERS = 3;
/** Wrapper ports of the associations of docs/simulate-meter.md. */
const READER = 2;
const MANAGEMENT = 1;
const READOUT = 'amiable-virtual';
const BATCH = 1000;
/** Seconds. */
const FIRST_READ = 40;

const STREETS = [
  'Elm Street',
  'Birch Road',
  'Mill Lane',
  'Harbour Row',
  'Church Hill',
  'Station Road',
  'Orchard Close',
  'Bridge Street',
  'Meadow Way',
  'Quarry Path',
  'Market Square',
  'Lighthouse Road',
] as const;

const SIMULATION: Caller = {
  kind: 'system',
  name: 'system/simulation',
  privileges: new Set(PRIVILEGES),
  scope: 'all',
};

/** Begins it behind the start, for the page need not wait for it. @returns what to tell the user */
export function beginFleet(parts: NeighbourhoodParts): string {
  const { options, ends, log } = parts;
  const begun = begin(parts).catch((error: Error) => log.error(`fleet: ${error.message}`));
  ends.add(() => begun.then((fleet) => fleet?.stop()));
  return `fleet     ${options.meters} virtual DLMS meters, read by tasks: /completeness and /log show it`;
}

async function begin(parts: NeighbourhoodParts): Promise<Fleet> {
  const { options, folder, store, central, zone, speed, now, log } = parts;
  const port = await choosePort(HOST, undefined, USUAL_PORT, '--meters 0');
  const fleet = await startFleet({
    folder,
    host: HOST,
    port,
    meters: options.meters,
    seed: options.seed,
    zone,
    speed,
    now,
    log: log.of('fleet'),
  });
  const last = virtualMeterSerials(fleet.meters.length).meterSerial;
  const { meters } = await store.meters({ q: last, limit: 1 });
  if (meters.length === 0) await register(parts, fleet.meters);
  await connect(parts, fleet);
  await central.ensureTasks(TASKS);
  await firstRead(store);
  await central.ensureTasks(AFTERWARDS);
  await openMarket(store, zone, beginOf(parts), now());
  return fleet;
}

/** Until every meter of the first readings was tried, or so long as somebody looks at an empty page. */
async function firstRead(store: Store): Promise<void> {
  for (let tries = 0; tries < FIRST_READ; tries++) {
    const open = await store.work.runs.open();
    if (open.every(({ expanded, counts }) => expanded && counts.tries >= counts.total)) return;
    await new Promise((resolve) => setTimeout(resolve, 1000).unref());
  }
}

interface Place {
  readonly transformer: string;
  readonly feeder: string;
  readonly point: string;
  readonly name: string;
}

function placeOf(number: number): Place {
  const feeder = (number - 1) % (TRANSFORMERS * FEEDERS);
  const house = Math.floor((number - 1) / (TRANSFORMERS * FEEDERS)) + 1;
  const transformer = `T${Math.floor(feeder / FEEDERS) + 1}`;
  const street = STREETS[feeder] as string;
  return {
    transformer,
    feeder: `${transformer}-F${(feeder % FEEDERS) + 1}`,
    // The first feeder's low numbers belong to the street of HAN houses.
    point: `MP-${String(number).padStart(5, '0')}`,
    name: `${street} ${house + (feeder === 0 ? 100 : 0)}`,
  };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function element(name: string, fields: Readonly<Record<string, string | number>>): string {
  const words = Object.entries(fields).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return `  <${name}${words.join('')}/>\n`;
}

/** The town as an import file (docs/import.md). */
export function townFile(meters: readonly FleetMeter[], houses: readonly House[], from: string, zone: string): string {
  const out = [
    '<?xml version="1.0" encoding="UTF-8"?>\n<amiable-registry version="1">\n',
    element('region', { code: 'TOWN', name: 'Simulated town' }),
    element('substation', { code: 'TOWN-S1', name: 'Town substation', parent: 'TOWN', from }),
  ];
  for (let t = 1; t <= TRANSFORMERS; t++) {
    const position = { latitude: 59.95 + 0.004 * t, longitude: 10.75 + 0.006 * (t % 2) };
    out.push(element('transformer', { code: `T${t}`, name: `Transformer ${t}`, parent: 'TOWN-S1', from, ...position }));
    for (let f = 1; f <= FEEDERS; f++)
      out.push(
        element('feeder', {
          code: `T${t}-F${f}`,
          name: STREETS[(t - 1) * FEEDERS + f - 1] as string,
          parent: `T${t}`,
          from,
        }),
      );
  }
  for (const { number } of meters) {
    const place = placeOf(number);
    const { meterSerial, utilitySerial } = virtualMeterSerials(number);
    out.push(
      element('premises', { code: `P-${place.point}`, name: place.name, parent: place.feeder, from }),
      element('metering-point', { code: place.point, name: place.name, parent: `P-${place.point}`, from }),
      element('meter', {
        serial: meterSerial,
        'utility-serial': utilitySerial,
        name: place.name,
        maker: 'Amiable',
        type: 'virtual',
        phases: 3,
        'time-zone': zone,
        'meter-type': READOUT,
        'metering-point': place.point,
        from,
      }),
    );
  }
  for (const [i, { serial, name }] of houses.entries()) {
    const point = `MP-H${String(i + 1).padStart(4, '0')}`;
    out.push(
      element('premises', { code: `P-${point}`, name, parent: 'T1-F1', from }),
      element('metering-point', { code: point, name, parent: `P-${point}`, from }),
      element('meter', { serial, 'metering-point': point, from }),
    );
  }
  out.push('</amiable-registry>\n');
  return out.join('');
}

/** Midnight before everything: houses may have a past, and a town in which nothing stands yet does no harm. */
const beginOf = ({ options, zone, now }: NeighbourhoodParts): number =>
  startOf('day', zone, now() - Math.max(LIVED, options.history ?? 0));

async function register(parts: NeighbourhoodParts, meters: readonly FleetMeter[]): Promise<void> {
  const { store, houses, zone, now, log } = parts;
  const folder = mkdtempSync(join(tmpdir(), 'amiable-town-'));
  try {
    const file = join(folder, 'town.xml');
    writeFileSync(file, townFile(meters, houses, new Date(beginOf(parts)).toISOString(), zone));
    const imports = createImports({ store, now, timeZone: zone, log });
    const { report, state } = await imports.file(
      file,
      { format: 'xml', name: 'town.xml', dry: false, takeGood: false, mapping: {}, forms: {} },
      SIMULATION,
    );
    await imports.close();
    if (report?.error !== undefined || (report?.refused ?? 0) > 0 || state !== 'done')
      throw new Error(`the town could not be registered: ${report?.error ?? report?.faults[0]?.message ?? state}`);
    log.of('fleet')(`${meters.length} meters, their transformers and feeders are registered`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Addresses change with each start's port; secrets are put once. */
async function connect({ store, masterKeyFile, now }: NeighbourhoodParts, fleet: Fleet): Promise<void> {
  const vault = openVault(masterKeyFile);
  for (let i = 0; i < fleet.meters.length; i += BATCH) {
    const meters = fleet.meters.slice(i, i + BATCH);
    const ids = await store.ensureMeters(
      meters.map(({ number }) => ({ serial: virtualMeterSerials(number).meterSerial })),
    );
    const connections: Connection[] = [];
    const secrets: { meter: MeterId; name: SecretName; ciphertext: Uint8Array }[] = [];
    for (const meter of meters) {
      const id = ids.get(virtualMeterSerials(meter.number).meterSerial);
      if (id === undefined) continue;
      connections.push(connectionOf(id, meter, fleet.port));
      for (const [name, secret] of secretsOf(meter))
        secrets.push({ meter: id, name, ciphertext: vault.seal(secret, secretOwner(id, name)) });
    }
    await store.readout.putConnections(connections, now());
    await store.readout.putSecrets(secrets, now());
  }
}

const isCiphered = ({ number }: FleetMeter): boolean => number % 4 === 0;

function connectionOf(id: MeterId, meter: FleetMeter, port: number): Connection {
  return {
    meter: id,
    protocol: 'dlms',
    transport: 'wrapper',
    address: `tcp://${HOST}:${port}`,
    readout: READOUT,
    server: meter.number,
    ...(isCiphered(meter)
      ? { client: MANAGEMENT, authentication: 'gmac' as const, suite: 0 as const, ciphered: true }
      : { client: READER, authentication: 'low' as const }),
  };
}

function secretsOf(meter: FleetMeter): readonly (readonly [SecretName, Uint8Array])[] {
  if (!isCiphered(meter)) return [['password', Buffer.from(meter.password, 'latin1')]];
  return [
    ['unicast-key', Buffer.from(meter.unicastKey, 'hex')],
    ['authentication-key', Buffer.from(meter.authenticationKey, 'hex')],
    ['server-title', Buffer.from(meter.systemTitle, 'hex')],
  ];
}

/** Often, for who looks on wants to see something happen. */
const every = (minutes: string) => ({ recurrence: { type: 'cron', expression: `${minutes} * * * *` } });
const OF_FLEET = { types: [READOUT] };

export const TASKS: readonly {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly now?: boolean;
}[] = [
  { name: 'Load profile', now: true, definition: { kind: 'profile', target: OF_FLEET, schedule: every('1,16,31,46') } },
  {
    name: 'Daily values',
    now: true,
    definition: {
      kind: 'daily',
      target: OF_FLEET,
      schedule: { recurrence: { type: 'daily', at: ['00:05', '06:00', '12:00'] } },
    },
  },
  { name: 'Event logs', now: true, definition: { kind: 'events', target: OF_FLEET, schedule: every('5,35') } },
  {
    name: 'Clocks',
    definition: {
      kind: 'clock',
      parameters: { set: true },
      target: OF_FLEET,
      schedule: { recurrence: { type: 'daily', at: ['03:30'] } },
    },
  },
];

/** As soon as there is something to count and to judge. */
const AFTERWARDS = [
  { name: 'Completeness', now: true, definition: { kind: 'completeness', schedule: every('*/5') } },
  { name: 'Validation', now: true, definition: { kind: 'validation', schedule: every('4,19,34,49') } },
  {
    name: 'Bills of the month',
    definition: {
      kind: 'billing',
      schedule: { recurrence: { type: 'monthly', on: [{ day: 3 }], at: ['05:00'] } },
    },
  },
];
