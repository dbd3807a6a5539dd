/** A small meter on real sockets, for tests of `amiable dlms`: a logical device by logical names, one by short names. */
import { fromHex } from '@amiable/bytes';
import {
  ACCESS,
  type AssociationDefinition,
  BUFFER_SELECTORS,
  type CosemObject,
  createLogicalDevice,
  keyOf,
  type Rows,
  readRows,
} from '@amiable/cosem';
import {
  type EncodedData,
  LN_CONFORMANCE,
  memoryCounter,
  type PeerCounter,
  type SecuritySuite,
  SN_CONFORMANCE,
} from '@amiable/dlms';
import { serveOpticalPort } from '@amiable/iec62056-21';
import { type Link, type Listener, listenTcp, listenUdp, nodeCrypto, systemClock } from '@amiable/io';
import { createMeterServer, type MeterServer } from '@amiable/meter';

export const PASSWORD = 'letmein!';
export const METER_TITLE = fromHex('4d45540000000001');
export const keysOf = (suite: SecuritySuite) => {
  const length = suite === 2 ? 32 : 16;
  return { unicast: new Uint8Array(length).fill(0x11), authentication: new Uint8Array(length).fill(0x22) };
};
export const signing = { meter: nodeCrypto.generateKeyPair('P-256'), client: nodeCrypto.generateKeyPair('P-256') };

export interface TestMeter {
  energy: number;
  connected: boolean;
  clock: Uint8Array;
  threshold: Uint8Array;
  resets: number;
  /** Rows of the profile. */
  rows: number;
  /** Answers selections by range with this error. */
  rangeError?: number;
  /** Of the client's messages, as the counter object shows it. */
  counter: number;
}

export const newMeter = (): TestMeter => ({
  energy: 1_234_567_891,
  connected: true,
  clock: fromHex('090c07ea0b14050c1e0000ffc400'),
  threshold: fromHex('120fa0'),
  resets: 0,
  rows: 192,
  counter: 0,
});

const u32 = (n: number): Uint8Array => Uint8Array.of(6, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
const scalerUnit = (scaler: number, unit: number) => Uint8Array.of(2, 2, 0x0f, scaler & 255, 0x16, unit);
const START = Date.UTC(2026, 10, 18, 23);
/** Quarters from 2026-11-19 00:00+01:00 on. */
function clockOf(row: number): Uint8Array {
  const wall = new Date(START + row * 900_000 + 3_600_000);
  return Uint8Array.of(
    9,
    12,
    0x07,
    0xea,
    11,
    wall.getUTCDate(),
    0xff,
    wall.getUTCHours(),
    wall.getUTCMinutes(),
    0,
    0,
    0xff,
    0xc4,
    0,
  );
}
const COLUMNS = [
  { classId: 8, logicalName: '0-0:1.0.0', attributeIndex: 2 },
  { classId: 3, logicalName: '1-0:1.8.0', attributeIndex: 2 },
  { classId: 3, logicalName: '1-0:2.8.0', attributeIndex: 2 },
];
const captureObjects = Uint8Array.from([
  1,
  COLUMNS.length,
  ...COLUMNS.flatMap(({ classId, logicalName }) => [
    2,
    4,
    0x12,
    0,
    classId,
    9,
    6,
    ...logicalName.split(/[-:.]/).map(Number),
    255,
    0x0f,
    2,
    0x12,
    0,
    0,
  ]),
]);
const rowsOf = ({ rows }: TestMeter): Rows => ({
  columns: COLUMNS,
  count: rows,
  ascendingBy: 0,
  write: (writer, row, column) => void writer.bytes(column === 0 ? clockOf(row) : u32(column * 100_000 + row * 7)),
  key: (row, column) => (column === 0 ? START + row * 900_000 : column * 100_000 + row * 7),
  keyOf: (value, _column, end) => keyOf(value, end),
});

const objects: readonly CosemObject<TestMeter>[] = [
  {
    classId: 17,
    logicalName: '0-0:41.0.0',
    // 1: itself; 16: METERING
    attributes: { 2: fromHex('010202021200010904544553540202120010090a4d45544552494e471b42') },
  },
  { classId: 1, logicalName: '0-0:96.1.0', attributes: { 2: fromHex('09083132333435363738') } },
  { classId: 1, logicalName: '0-0:43.1.0', attributes: { 2: { get: ({ meter }) => u32(meter.counter) } } },
  { classId: 1, logicalName: '0-0:96.13.0', attributes: { 2: fromHex('0903411b42') } },
  {
    classId: 8,
    logicalName: '0-0:1.0.0',
    attributes: {
      2: {
        get: ({ meter }) => meter.clock,
        set(value: EncodedData, { meter }) {
          meter.clock = value.slice();
          return undefined;
        },
      },
      3: fromHex('10ffc4'),
    },
  },
  {
    classId: 3,
    logicalName: '1-0:1.8.0',
    attributes: { 2: { get: ({ meter }) => u32(meter.energy) }, 3: scalerUnit(-1, 30) },
    methods: {
      1(_parameters, { meter }) {
        meter.resets++;
        return undefined;
      },
    },
  },
  { classId: 3, logicalName: '1-0:2.8.0', attributes: { 2: u32(4711), 3: scalerUnit(0, 30) } },
  { classId: 3, logicalName: '1-0:32.7.0', attributes: { 2: fromHex('120901'), 3: scalerUnit(-1, 35) } },
  {
    classId: 3,
    logicalName: '0-0:17.0.1',
    attributes: {
      2: {
        get: ({ meter }) => meter.threshold,
        set(value: EncodedData, { meter }) {
          meter.threshold = value.slice();
          return undefined;
        },
      },
      3: scalerUnit(-1, 27),
    },
  },
  {
    classId: 4,
    logicalName: '1-0:1.6.0',
    attributes: { 2: u32(5150), 3: scalerUnit(0, 27), 4: fromHex('1100'), 5: fromHex('090c07ea0b14050b0f0000ffc400') },
  },
  {
    classId: 7,
    version: 1,
    logicalName: '1-0:99.1.0',
    attributes: {
      2: {
        get: ({ meter }, access) =>
          access?.selector === 1 && meter.rangeError !== undefined
            ? { error: meter.rangeError }
            : readRows(rowsOf(meter), access),
        selectors: BUFFER_SELECTORS,
      },
      3: captureObjects,
      4: u32(900),
      5: fromHex('1601'),
      6: fromHex('020412000009060000000000000f00120000'),
      7: { get: ({ meter }) => u32(meter.rows) },
      8: u32(2160),
    },
  },
  {
    classId: 70,
    logicalName: '0-0:96.3.10',
    attributes: {
      2: { get: ({ meter }) => Uint8Array.of(3, meter.connected ? 1 : 0) },
      3: { get: ({ meter }) => Uint8Array.of(0x16, meter.connected ? 1 : 0) },
      4: fromHex('1604'),
    },
    methods: {
      1(_parameters, { meter }) {
        meter.connected = false;
        return undefined;
      },
      2(_parameters, { meter }) {
        meter.connected = true;
        return undefined;
      },
    },
  },
];

/** Keeps the object 0-0:43.1.0 of a meter in step. */
const counting = (meter: TestMeter): PeerCounter => ({
  lowest: () => meter.counter,
  accept(counter) {
    if (counter >= meter.counter) meter.counter = counter + 1;
  },
});

type Terms = Pick<AssociationDefinition<TestMeter>, 'clientSap' | 'mechanism' | 'applicationContexts'> & {
  readonly suite?: SecuritySuite;
};
const TERMS: readonly Terms[] = [
  { clientSap: 16, mechanism: 0, applicationContexts: [1] },
  { clientSap: 2, mechanism: 1, applicationContexts: [1] },
  { clientSap: 3, mechanism: 3, applicationContexts: [1] },
  { clientSap: 1, mechanism: 5, applicationContexts: [3], suite: 0 },
  { clientSap: 4, mechanism: 5, applicationContexts: [3], suite: 1 },
  { clientSap: 5, mechanism: 5, applicationContexts: [3], suite: 2 },
  { clientSap: 6, mechanism: 7, applicationContexts: [3], suite: 1 },
];

function deviceOf(names: 'ln' | 'sn') {
  const terms =
    names === 'ln'
      ? TERMS
      : TERMS.filter((t) => t.mechanism < 2).map((t) => ({ ...t, applicationContexts: [2] as const }));
  return createLogicalDevice<TestMeter>({
    objects,
    associations: terms.map(({ suite, ...association }) => ({
      ...association,
      name: `client ${association.clientSap}`,
      conformance: names === 'ln' ? LN_CONFORMANCE : SN_CONFORMANCE,
      secret: () => new TextEncoder().encode(PASSWORD),
      ...(suite !== undefined && {
        security: (meter: TestMeter) => ({
          suite,
          ownSystemTitle: METER_TITLE,
          keys: {
            ...keysOf(suite),
            ...(suite === 1 && { signing: signing.meter.privateKey, peerSigning: signing.client.publicKey }),
          },
          send: { authenticated: true, encrypted: true },
          require: { authenticated: true, encrypted: true },
          counter: memoryCounter(),
          peerCounter: counting(meter),
          crypto: nodeCrypto,
        }),
      }),
    })),
    name: () => 'MET0000000000001',
    rights: { 'client 16': { attributes: { other: ACCESS.read } }, other: 'full' },
  });
}

export interface Served {
  readonly port: number;
  readonly meter: TestMeter;
  readonly server: MeterServer<TestMeter>;
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly transport?: 'wrapper' | 'hdlc';
  readonly udp?: boolean;
  /** The connection is cut after so many bytes of answers. */
  readonly cutAfter?: number;
}

const ln = deviceOf('ln');
const sn = deviceOf('sn');

export function serverOf(meter: TestMeter): MeterServer<TestMeter> {
  return createMeterServer<TestMeter>({
    fault: (error) => {
      throw error;
    },
    clock: systemClock,
    random: (n) => nodeCrypto.randomBytes(n),
    crypto: nodeCrypto,
    find: ({ logical }) => (logical === 1 ? { device: ln, meter } : logical === 2 ? { device: sn, meter } : undefined),
    inactivity: 0,
  });
}

/** Server 1 speaks logical names, server 2 short ones. */
export async function serveMeter({ transport = 'wrapper', udp = false, cutAfter }: ServeOptions = {}): Promise<Served> {
  const meter = newMeter();
  const server = serverOf(meter);
  let listener: Listener;
  if (udp)
    listener = await listenUdp({ host: '127.0.0.1', port: 0 }, (bytes, peer, reply) =>
      server.datagram(bytes, peer, reply),
    );
  else
    listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => {
      let sent = 0;
      if (cutAfter === undefined) return server.accept(connection, transport);
      return server.accept(
        {
          write(bytes) {
            connection.write(bytes);
            sent += bytes.length;
            if (sent > cutAfter) setImmediate(() => connection.close());
          },
          close: () => connection.close(),
        },
        transport,
      );
    });
  return {
    port: listener.port,
    meter,
    server,
    async close() {
      server.close();
      await listener.close();
    },
  };
}

/** The meter behind a link, which signs on in mode E first. */
export async function serveModeE(link: Link, meter: TestMeter): Promise<void> {
  const hdlc = serverOf(meter).accept(
    { describe: 'mode E', write: (bytes) => void link.write(bytes), close: () => {} },
    'hdlc',
  );
  await serveOpticalPort({
    link,
    clock: systemClock,
    maker: 'MET',
    identification: 'test',
    baud: 9600,
    hdlc: true,
    ...(hdlc && { onHdlc: hdlc }),
  });
}
