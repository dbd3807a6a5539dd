/**
 * A DLMS/COSEM meter of three objects on TCP port 4059: public client 16 reads, client 1 with the password `12345678`
 * may adjust the clock. Read it with any DLMS client, wrapper, server address 1.
 */
import { fromHex } from '@amiable/bytes';
import { createLogicalDevice } from '@amiable/cosem';
import { dateTimeBytes, dateTimeOf, LN_CONFORMANCE } from '@amiable/dlms';
import { listenTcp, nodeCrypto, systemClock } from '@amiable/io';
import { createMeterServer } from '@amiable/meter';

/** All that differs from meter to meter. */
interface Meter {
  readonly name: string;
  readonly since: number;
  /** What the clock was set forward by, ms. */
  offset: number;
}

const octetString = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0x09, bytes.length, ...bytes);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

const device = createLogicalDevice<Meter>({
  name: (meter) => meter.name,
  sapList: (meter) => [{ sap: 1, name: meter.name }],
  associations: [
    { name: 'public', clientSap: 16, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE },
    {
      name: 'management',
      clientSap: 1,
      applicationContexts: [1],
      mechanism: 1,
      conformance: LN_CONFORMANCE,
      secret: () => text('12345678'),
    },
  ],
  objects: [
    {
      // Register: one kilowatt since the start, in watt-hours.
      classId: 3,
      logicalName: '1-0:1.8.0',
      attributes: {
        2: {
          get: ({ meter }) => ({ type: 'double-long-unsigned', value: Math.floor((Date.now() - meter.since) / 3600) }),
        },
        3: fromHex('02020f00161e'),
      },
    },
    {
      classId: 8,
      logicalName: '0-0:1.0.0',
      attributes: {
        2: {
          get: ({ meter }) =>
            octetString(dateTimeBytes(dateTimeOf(Date.now() + meter.offset, { deviation: 0, status: 0 }))),
        },
      },
      methods: {
        // adjust_to_minute
        3: (_, { meter }) => {
          meter.offset += 30_000 - ((Date.now() + meter.offset + 30_000) % 60_000);
        },
      },
      rights: { public: 'read', management: 'full' },
    },
    {
      classId: 1,
      logicalName: '0-0:96.1.0',
      attributes: { 2: { get: ({ meter }) => octetString(text(meter.name)) } },
    },
  ],
});

const meter: Meter = { name: 'AMI0000000000001', since: Date.now(), offset: 0 };
const server = createMeterServer<Meter>({
  find: ({ logical }) => (logical === 1 ? { device, meter } : undefined),
  clock: systemClock,
  random: (length) => nodeCrypto.randomBytes(length),
  fault: (error) => console.error(error),
});
const listener = await listenTcp({ host: '127.0.0.1', port: Number(process.argv[2] ?? 4059) }, (connection) =>
  server.accept(connection),
);
console.log(`A meter listens on 127.0.0.1:${listener.port}: wrapper, client 16, server 1`);
