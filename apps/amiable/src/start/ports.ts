/**
 * The reader role: the reader's service in this process, with the central system as its uplink. Every message of a real port is in
 * the spool (`spool` in the data folder) before it goes to the database, so an outage of the database loses nothing: the
 * newest state is stored first when it is back, then history.
 */
import { join } from 'node:path';
import type { Central } from '@amiable/central';
import { systemClock } from '@amiable/io';
import { type Device, healthCauses, parseDevice, portsOfTexts, type ReaderConfig, startReader } from '@amiable/reader';
import type { Store } from '@amiable/store';
import type { Ends } from './ends.ts';
import type { StartOptions } from './options.ts';

const READER = 'home';
const SPOOL_BYTES = 1e9;
const NAMES: Readonly<Record<Device['type'], string>> = {
  serial: 'serial port',
  tcp: 'connection',
  tcpServer: 'connections at',
};

export interface Ports {
  /** What to tell the user of each port. */
  readonly told: readonly string[];
  /** What stands in the way now, in the words of `amiable reader`; empty: all is well. */
  causes(): string[];
}

export async function beginPorts(
  options: StartOptions,
  dataFolder: string,
  store: Pick<Store, 'meters'>,
  central: Pick<Central, 'ingest' | 'keys'>,
  ends: Ends,
  log: (line: string) => void,
): Promise<Ports> {
  // A device that cannot be one is told before anything is begun.
  const config = readerConfig(options, dataFolder);
  const told = config.ports.map(
    ({ device, protocol, poll }) =>
      `port      ${NAMES[parseDevice(device).type]} ${device}${poll === undefined ? '' : `, ${protocol} asked every ${poll / 1000} s`}`,
  );
  const known = await knownMeters(store);
  const service = await startReader(config, {
    clock: systemClock,
    random: Math.random,
    tell: log,
    keys: central.keys,
    knownMeter: (port) => known.get(port),
    inProcess: [{ name: 'central', target: 'database', take: (messages) => central.ingest(messages) }],
  });
  ends.add(() => service.stop());
  return { told, causes: () => healthCauses(service.status(), []) };
}

export function readerConfig(options: StartOptions, dataFolder: string): ReaderConfig {
  return {
    reader: READER,
    ports: portsOfTexts(options.device, {
      'max-clock-error': `${options.maxClockError}m`,
      ...(options.tz === undefined ? {} : { 'time-zone': options.tz }),
    }),
    uplinks: [],
    spool: { folder: join(dataFolder, 'spool'), maxBytes: SPOOL_BYTES },
    page: { host: '127.0.0.1', port: 0, names: [], openStatus: false },
    gateways: {},
  };
}

async function knownMeters(store: Pick<Store, 'meters'>): Promise<Map<string, string>> {
  const { meters } = await store.meters({ limit: 1000 });
  return new Map(
    meters
      .filter((m) => m.reader === READER && m.port !== null && !m.serial.startsWith('st:'))
      .map((m) => [m.port as string, m.serial]),
  );
}
