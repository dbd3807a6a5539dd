/** Lines in memory to the simulator's electricity meters, for tests of acquisition. */
import { LinkError } from '@amiable/bytes';
import { memoryCounter } from '@amiable/dlms';
import { type Clock, nodeCrypto, quickCrypto } from '@amiable/io';
import { createShapeMemory, type DlmsAccess, type MeterServer, type SessionLink } from '@amiable/meter';
import { type VirtualMeterOptions, virtualMeter } from '../../simulator/src/electricity-server/factory.ts';
import { createServer } from '../../simulator/src/electricity-server/listen.ts';
import type { ServedMeter } from '../../simulator/src/electricity-server/served.ts';

export const ZONE = 'Europe/Oslo';
export const DAY = 86_400_000;
export const HOUR = 3_600_000;

export interface Tamper {
  toMeter?: (bytes: Uint8Array) => Uint8Array | undefined;
  toUs?: (bytes: Uint8Array) => Uint8Array | undefined;
}

export interface Lines {
  /** A link to the server that has these meters by number. */
  link(transport?: 'wrapper' | 'hdlc', tamper?: Tamper): SessionLink & { hangUp(): void };
  readonly server: MeterServer<ServedMeter>;
  readonly opened: number;
  readonly standing: number;
}

/** Bytes come a turn later, as from a socket. */
export function linesTo(find: (number: number) => ServedMeter | undefined, clock: Clock): Lines {
  const server = createServer(
    {
      find: ({ logical, physical }) => find(physical ?? logical),
      sap: ({ logical, physical }) => (physical === undefined ? 1 : logical),
    },
    clock,
    { inactivity: 0 },
  );
  let opened = 0;
  let standing = 0;
  return {
    server,
    get opened() {
      return opened;
    },
    get standing() {
      return standing;
    },
    link(transport = 'wrapper', tamper = {}) {
      let events: Parameters<SessionLink['open']>[0] | undefined;
      let peer: { data(bytes: Uint8Array): void; closed(): void } | undefined;
      const end = (error?: Error): void => {
        const was = events;
        if (was) standing--;
        events = undefined;
        peer?.closed();
        peer = undefined;
        was?.closed(error);
      };
      const soon = (bytes: Uint8Array | undefined, to: (bytes: Uint8Array) => void): void => {
        if (bytes) setImmediate(() => to(bytes));
      };
      return {
        describe: 'memory',
        async open(given) {
          opened++;
          standing++;
          events = given;
          peer = server.accept(
            {
              describe: 'memory',
              write: (bytes) => soon(tamper.toUs ? tamper.toUs(bytes.slice()) : bytes.slice(), (b) => events?.data(b)),
              close: () => setImmediate(() => end(new LinkError('closed by the meter'))),
            },
            transport,
          );
        },
        async write(bytes) {
          soon(tamper.toMeter ? tamper.toMeter(bytes.slice()) : bytes.slice(), (b) => peer?.data(b));
        },
        async close() {
          end();
        },
        hangUp: () => end(new LinkError('reset by peer')),
      };
    },
  };
}

export const meterOf = (number: number, now: () => number, more: Partial<VirtualMeterOptions> = {}): ServedMeter =>
  virtualMeter({ seed: 1, zone: ZONE, suite: 0, history: 3 * DAY, shared: true, now, ...more }, { number });

export type Client = 'reader' | 'management' | 'reader-sn' | 'management-sn' | 'public';

/** How the virtual meter's clients are reached. */
export function accessTo(
  meter: ServedMeter,
  lines: Lines,
  clock: Clock,
  client: Client = 'reader',
  more: Partial<DlmsAccess> & { tamper?: Tamper } = {},
): DlmsAccess {
  const { tamper, ...rest } = more;
  const { stored } = meter.credentials;
  const sn = client.endsWith('-sn');
  const ciphered = client.startsWith('management');
  return {
    protocol: 'dlms',
    link: lines.link(rest.transport ?? 'wrapper', tamper),
    clock,
    timeZone: ZONE,
    transport: 'wrapper',
    referencing: sn ? 'SN' : 'LN',
    client: { reader: 2, management: 1, 'reader-sn': 34, 'management-sn': 33, public: 16 }[client],
    server: rest.transport === 'hdlc' ? 1 : meter.number,
    ...(rest.transport === 'hdlc' && { physical: meter.number }),
    authentication: client === 'public' ? 'none' : ciphered ? 'gmac' : 'low',
    ...(client.startsWith('reader') && { password: stored.password }),
    ...(ciphered && {
      security: {
        suite: stored.suite,
        keys: { unicast: stored.management.unicast, authentication: stored.management.authentication },
        systemTitle: Uint8Array.of(0x41, 0x4d, 0x49, 0, 0, 0, 0, 1),
        counter: memoryCounter(1),
      },
      crypto: client === 'management' ? quickCrypto : nodeCrypto,
    }),
    shapes: createShapeMemory(),
    ...rest,
  };
}
