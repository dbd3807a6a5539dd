/** The reader role: each real port read into the store, the line held back while the database is behind. */
import type { Central } from '@amiable/central';
import { createDeviceReader, type Device, parseDevice } from '@amiable/reader';
import type { Store } from '@amiable/store';
import type { Ends } from './ends.ts';
import type { StartOptions } from './options.ts';

const READER = 'home';
const NAMES: Readonly<Record<Device['type'], string>> = {
  serial: 'serial port',
  tcp: 'connection',
  tcpServer: 'connections at',
};

/** @returns what to tell the user of each port */
export async function beginPorts(
  options: StartOptions,
  store: Pick<Store, 'meters'>,
  central: Central,
  ends: Ends,
  log: (line: string) => void,
): Promise<string[]> {
  const known = await knownMeters(store);
  return options.device.map((text, i) => {
    const device = parseDevice(text);
    const port = `han${i}`;
    const knownMeter = known.get(port);
    const deliver = async (message: Parameters<Central['ingest']>[0][number]): Promise<void> => {
      // What was read waits here until it is durable; the link is asked for no more bytes meanwhile.
      for (let pause = 250; ; pause = Math.min(pause * 2, 10_000)) {
        try {
          await central.ingest([message]);
          return;
        } catch (error) {
          if (stopped) throw error;
          log(`${port}: ${(error as Error).message}; tried again in ${pause / 1000} s`);
          await new Promise((resolve) => setTimeout(resolve, pause));
        }
      }
    };
    let stopped = false;
    const reader = createDeviceReader({
      device,
      reader: READER,
      port,
      keys: central.keys,
      maxClockError: options.maxClockError * 60_000,
      ...(options.tz === undefined ? {} : { zone: options.tz }),
      ...(knownMeter === undefined ? {} : { knownMeter }),
      tell: (line) => log(`${port}: ${line}`),
      message: deliver,
      lost: (bytes) => log(`${port}: ${bytes} bytes were lost, the database did not keep up`),
    });
    const done = reader.run().catch((error: Error) => {
      if (!stopped) log(`${port}: ${error.message}`);
    });
    ends.add(() => {
      stopped = true;
      reader.stop();
      return done;
    });
    return `port      ${NAMES[device.type]} ${text}`;
  });
}

async function knownMeters(store: Pick<Store, 'meters'>): Promise<Map<string, string>> {
  const { meters } = await store.meters({ limit: 1000 });
  return new Map(
    meters
      .filter((m) => m.reader === READER && m.port !== null && !m.serial.startsWith('st:'))
      .map((m) => [m.port as string, m.serial]),
  );
}
