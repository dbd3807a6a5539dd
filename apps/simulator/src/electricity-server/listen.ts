/**
 * Serves virtual meters on lines: the wrapper on TCP and UDP, HDLC on TCP, a pseudo-terminal or a serial line with the sign-on
 * of IEC 62056-21 mode E (IEC 62056-46, -47).
 *
 * Decides: who is at an address. One meter: the wrapper's destination, or the HDLC upper address, is the server SAP; the
 * lower address is its own, 17, or 18 for the external meter on its current loop. A fleet: the wrapper's destination is the
 * meter's number (its Management logical device); in HDLC the lower address is the number and the upper the server SAP.
 * A meter without mains is not there, and its associations end.
 */
import { type OpticalLink, serveOpticalPort, type TariffDevice } from '@amiable/iec62056-21';
import {
  type IncomingConnection,
  type IncomingEvents,
  type Listener,
  listenTcp,
  listenUdp,
  quickCrypto,
} from '@amiable/io';
import {
  type Connection,
  createMeterServer,
  type MeterServer,
  type ServedDevice,
  type ServerAddress,
  type ServerClock,
  type SessionLink,
} from '@amiable/meter';
import { devicesOf, SAP } from './devices.ts';
import type { ServedMeter } from './served.ts';

export const LOWER = { own: 17, external: 18 } as const;

/** Who is at an address. */
export interface Directory {
  find(address: ServerAddress): ServedMeter | undefined;
  /** Which logical device is meant. */
  sap(address: ServerAddress): number;
}

/** One meter, and perhaps another on its current loop. */
export function singleDirectory(meter: ServedMeter, external?: ServedMeter): Directory {
  return {
    find({ physical }) {
      if (physical === undefined || physical === meter.lower) return meter;
      return physical === external?.lower ? external : undefined;
    },
    sap: ({ logical }) => logical,
  };
}

/** Meters by number, from 1. */
export function fleetDirectory(meters: (number: number) => ServedMeter | undefined): Directory {
  return {
    find: ({ logical, physical }) => meters(physical ?? logical),
    sap: ({ logical, physical }) => (physical === undefined ? SAP.management : logical),
  };
}

function rethrow(error: unknown): never {
  throw error;
}

export function createServer(
  directory: Directory,
  clock: ServerClock,
  options: {
    readonly inactivity?: number;
    readonly fault?: (error: unknown) => void;
    readonly random?: (n: number) => Uint8Array;
  } = {},
): MeterServer<ServedMeter> {
  const { inactivity, fault = rethrow, random = (n: number) => quickCrypto.randomBytes(n) } = options;
  const server = createMeterServer<ServedMeter>({
    clock,
    random,
    crypto: quickCrypto,
    ...(inactivity !== undefined && { inactivity }),
    fault,
    hdlc: { limits: { maxInfoReceive: 512, maxInfoTransmit: 512 }, maxLinks: 256 },
    find(address): ServedDevice<ServedMeter> | undefined {
      const meter = directory.find(address);
      if (!meter?.live().powered) return undefined;
      watch(meter);
      const sap = directory.sap(address);
      if (sap === SAP.management) return { device: devicesOf(meter).management, meter };
      return sap === SAP.metering ? { device: devicesOf(meter).metering, meter } : undefined;
    },
  });
  const watched = new WeakSet<ServedMeter>();
  function watch(meter: ServedMeter): void {
    if (watched.has(meter)) return;
    watched.add(meter);
    const before = meter.onPower;
    meter.onPower = (up) => {
      before?.(up);
      // Later: it may be in the middle of an answer.
      if (!up) clock.after(0, () => cut(server, meter));
    };
  }
  return server;
}

/** Ends the meter's associations, as a module does that has lost its mains. */
function cut(server: MeterServer<ServedMeter>, meter: ServedMeter): void {
  for (const association of [...server.associations()]) if (association.context.meter === meter) association.closed();
}

/** Told of traffic, for lights. */
export type Traffic = (direction: 'in' | 'out' | 'open' | 'closed') => void;

function adopt(
  server: MeterServer<ServedMeter>,
  transport: 'wrapper' | 'hdlc',
  connection: IncomingConnection,
  traffic: Traffic | undefined,
): IncomingEvents | undefined {
  const outward: Connection = traffic
    ? {
        describe: connection.describe,
        write(bytes) {
          traffic('out');
          connection.write(bytes);
        },
        close: () => connection.close(),
        get waiting() {
          return connection.waiting;
        },
      }
    : connection;
  const events = server.accept(outward, transport);
  if (!events || !traffic) return events;
  traffic('open');
  return {
    data(bytes) {
      traffic('in');
      events.data(bytes);
    },
    closed() {
      traffic('closed');
      events.closed();
    },
  };
}

export interface PortOptions {
  readonly host: string;
  readonly port: number;
  readonly traffic?: Traffic;
  /** Certificate and key, PEM. */
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array };
}

export const serveTcp = (
  server: MeterServer<ServedMeter>,
  transport: 'wrapper' | 'hdlc',
  { host, port, traffic, tls }: PortOptions,
): Promise<Listener> =>
  listenTcp({ host, port }, (connection) => adopt(server, transport, connection, traffic), tls ? { tls } : {});

export const serveUdp = (server: MeterServer<ServedMeter>, { host, port, traffic }: PortOptions): Promise<Listener> =>
  listenUdp({ host, port }, (bytes, peer, reply) => {
    traffic?.('in');
    server.datagram(bytes, peer, reply);
  });

/**
 * Serves on a line that begins with the sign-on of mode E, or reads out in mode C; a client that begins with HDLC at once is
 * served as well. A new sign-on begins whenever one comes.
 */
export async function serveOptical(
  server: MeterServer<ServedMeter>,
  link: SessionLink & Pick<OpticalLink, 'setBaud'>,
  clock: ServerClock,
  identification: string,
  address?: string,
  device?: TariffDevice,
): Promise<void> {
  const write = (bytes: Uint8Array): void => void link.write(bytes).catch(() => {});
  const hdlc = server.accept({ describe: link.describe, write, close: () => {} }, 'hdlc');
  await serveOpticalPort({
    link,
    clock,
    maker: 'AMI',
    identification,
    baud: 9600,
    hdlc: true,
    ...(address !== undefined && { address }),
    ...(device && { device }),
    ...(hdlc && { onHdlc: hdlc }),
  });
}
