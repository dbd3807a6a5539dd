/** Virtual meters behind lines in memory, in virtual time, and sessions with them. */
import { obisToBytes, plainValue } from '@amiable/cosem';
import { type EncodedData, memoryCounter } from '@amiable/dlms';
import { nodeCrypto, virtualClock } from '@amiable/io';
import {
  hdlcTransport,
  type MeterServer,
  openSession,
  type Session,
  type SessionLink,
  type SessionOptions,
  wrapperTransport,
} from '@amiable/meter';
import { constantSource } from '../../src/electricity/index.ts';
import type { AssociationName } from '../../src/electricity-server/define.ts';
import { CLIENTS } from '../../src/electricity-server/devices.ts';
import { type MadeMeter, type VirtualMeterOptions, virtualMeter } from '../../src/electricity-server/factory.ts';
import { createServer, LOWER, singleDirectory } from '../../src/electricity-server/listen.ts';
import type { ServedMeter } from '../../src/electricity-server/served.ts';

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
/** A Wednesday, 12:00 local time (UTC+1). */
export const START = Date.UTC(2025, 0, 15, 11);

export interface Stand {
  readonly clock: ReturnType<typeof virtualClock>;
  readonly meter: ServedMeter;
  readonly server: MeterServer<ServedMeter>;
}

export function stand(wishes: Partial<VirtualMeterOptions> = {}, made: Partial<MadeMeter> = {}, start = START): Stand {
  const clock = virtualClock(start);
  const meter = virtualMeter(
    {
      seed: 1,
      zone: 'Europe/Oslo',
      suite: 0,
      history: 0,
      source: constantSource([230, 231, 232], [1000, 500, 0]),
      now: () => clock.now(),
      ...wishes,
    },
    { number: 1, lower: LOWER.own, ...made },
  );
  const server = createServer(singleDirectory(meter), clock, { inactivity: 0 });
  return { clock, meter, server };
}

/** A line in memory. */
export function lineTo(server: MeterServer<ServedMeter>, transport: 'wrapper' | 'hdlc'): SessionLink {
  let events: { data(bytes: Uint8Array): void; closed(error?: Error): void } | undefined;
  let inward: ReturnType<MeterServer<ServedMeter>['accept']>;
  return {
    describe: 'memory',
    async open(given) {
      events = given;
      inward = server.accept(
        {
          write(bytes) {
            const copy = bytes.slice();
            queueMicrotask(() => events?.data(copy));
          },
          close: () => queueMicrotask(() => events?.closed(new Error('closed'))),
        },
        transport,
      );
    },
    async write(bytes) {
      const copy = bytes.slice();
      queueMicrotask(() => inward?.data(copy));
    },
    async close() {
      events = undefined;
      inward?.closed();
    },
  };
}

export interface Wish {
  readonly as: AssociationName;
  readonly referencing?: 'LN' | 'SN';
  readonly transport?: 'wrapper' | 'hdlc';
  readonly server?: number;
  readonly lower?: number;
  readonly more?: Partial<SessionOptions>;
}

export const CLIENT_TITLE = Uint8Array.of(0x43, 0x4c, 0x49, 0, 0, 0, 0, 1);

export function open(at: Stand, wish: Wish): Promise<Session> {
  const { as, referencing = 'LN', transport = 'wrapper', server = 1, lower, more } = wish;
  const client = CLIENTS[as][referencing === 'LN' ? 0 : 1];
  const link = lineTo(at.server, transport);
  const credentials = at.meter.credentials;
  const ciphered = as === 'management' || as === 'firmware';
  const { stored, peerCounter } = credentials.sets[as === 'firmware' ? 'firmware' : 'management'];
  return openSession({
    transport:
      transport === 'wrapper'
        ? wrapperTransport(link, { client, server })
        : hdlcTransport(link, at.clock, { client, server, ...(lower !== undefined && { physical: lower }) }),
    clock: at.clock,
    crypto: nodeCrypto,
    referencing,
    ...(as === 'reader' && { authentication: { mechanism: 1 as const, password: credentials.stored.password } }),
    ...(ciphered && {
      authentication: { mechanism: 5 as const },
      security: {
        suite: credentials.suite,
        systemTitle: CLIENT_TITLE,
        keys: { unicast: stored.unicast, authentication: stored.authentication },
        counter: memoryCounter(peerCounter.lowest()),
      },
    }),
    ...more,
  });
}

export const attribute = (classId: number, obis: string, attributeId = 2) => ({
  classId,
  instanceId: obisToBytes(obis),
  attributeId,
});
export const method = (classId: number, obis: string, methodId: number) => ({
  classId,
  instanceId: obisToBytes(obis),
  methodId,
});
export const read = async (session: Session, classId: number, obis: string, attributeId = 2): Promise<unknown> =>
  plainValue(await session.get(attribute(classId, obis, attributeId)));
export const ZERO: EncodedData = Uint8Array.of(0x0f, 0);
