/**
 * The meter that foreign clients read in the interoperability runs: one logical device with objects of usual classes, and
 * an association for each kind of authentication and security suite. It stands still in time, so that a recorded
 * exchange can be played again: clock, challenges and counters are what the caller gives.
 */
import { fromHex } from '@amiable/bytes';
import {
  type AssociationDefinition,
  BUFFER_SELECTORS,
  type CosemObject,
  createLogicalDevice,
  keyOf,
  type Rows,
  readRows,
} from '@amiable/cosem';
import {
  type ApplicationContextName,
  type AssociationContext,
  type Crypto,
  type EcPrivateKey,
  type EcPublicKey,
  type EncodedData,
  LN_CONFORMANCE,
  type LogicalDevice,
  type MechanismName,
  memoryCounter,
  memoryPeerCounter,
  NO_PROTECTION,
  type SecuritySuite,
  SN_CONFORMANCE,
} from '@amiable/dlms';

export const PASSWORD = 'Gurux';
export const SERVER_TITLE = fromHex('414d490000000001');
const TITLE = SERVER_TITLE;
const counting = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => from + i);

/** Unicast and authentication key of a suite: the example keys of the peers, longer in suite 2. */
export function keysOf(suite: SecuritySuite): { unicast: Uint8Array; authentication: Uint8Array } {
  const length = suite === 2 ? 32 : 16;
  return { unicast: counting(0, length), authentication: counting(0xd0, length) };
}

export interface DeviceOptions {
  readonly crypto: Crypto;
  /** By logical names unless said: a device lists itself in one way only. */
  readonly referencing?: 'ln' | 'sn';
  /** Registers beyond those of every device, for long lists. */
  readonly registers?: number;
  /** Of the signatures of client 29 (P-256). */
  readonly signing?: { readonly own: EcPrivateKey; readonly client: EcPublicKey };
}

/** State that a client can change. */
export interface InteropMeter {
  energy: number;
  text: Uint8Array;
  connected: boolean;
  clock: Uint8Array;
}

export function interopMeter(): InteropMeter {
  return {
    energy: 123_456_789,
    text: Uint8Array.of(0x09, 8, ...new TextEncoder().encode('12345678')),
    connected: true,
    clock: fromHex('090c07ea0b14050c1e0000800000'),
  };
}

/** Two days of quarters, the clock and four registers; 192 rows. */
const ROWS = 192;
const rows: Rows = {
  columns: [
    { classId: 8, logicalName: '0-0:1.0.0', attributeIndex: 2 },
    ...['1-0:1.8.0', '1-0:2.8.0', '1-0:3.8.0', '1-0:4.8.0'].map((logicalName) => ({
      classId: 3,
      logicalName,
      attributeIndex: 2,
    })),
  ],
  count: ROWS,
  ascendingBy: 0,
  write(writer, row, column) {
    if (column === 0) writer.bytes(clockOf(row));
    else {
      writer.u8(0x06);
      writer.u32(column * 100_000 + row * 7);
    }
  },
  key: (row, column) => (column === 0 ? Date.UTC(2026, 10, 18) + row * 900_000 : column * 100_000 + row * 7),
  keyOf: (value, _column, end) => keyOf(value, end),
};

function clockOf(row: number): Uint8Array {
  const day = 18 + Math.floor(row / 96);
  const quarter = row % 96;
  return Uint8Array.of(9, 12, 0x07, 0xea, 11, day, 0xff, quarter >> 2, (quarter & 3) * 15, 0, 0, 0x80, 0, 0);
}

const scalerUnit = (scaler: number, unit: number) => Uint8Array.of(2, 2, 0x0f, scaler & 0xff, 0x16, unit);
const long32 = (value: number) => Uint8Array.of(0x06, value >>> 24, value >>> 16, value >>> 8, value);
const columnsOf = (): Uint8Array => {
  const bytes = [1, rows.columns.length];
  for (const { classId, logicalName } of rows.columns) {
    const groups = logicalName.split(/[-:.]/).map(Number);
    bytes.push(2, 4, 0x12, 0, classId, 9, 6, ...groups, 255, 0x0f, 2, 0x12, 0, 0);
  }
  return Uint8Array.from(bytes);
};

const register = (logicalName: string, value: number, scaler: number, unit: number): CosemObject<InteropMeter> => ({
  classId: 3,
  logicalName,
  attributes: { 2: long32(value), 3: scalerUnit(scaler, unit) },
});

const objects: readonly CosemObject<InteropMeter>[] = [
  {
    classId: 1,
    logicalName: '0-0:96.1.0',
    attributes: {
      2: {
        get: ({ meter }) => meter.text,
        set(value: EncodedData, { meter }: AssociationContext<InteropMeter>) {
          meter.text = value.slice();
          return undefined;
        },
      },
    },
  },
  { classId: 1, logicalName: '0-0:43.1.0', attributes: { 2: long32(0) } },
  {
    classId: 8,
    logicalName: '0-0:1.0.0',
    attributes: {
      2: {
        get: ({ meter }) => meter.clock,
        set(value: EncodedData, { meter }: AssociationContext<InteropMeter>) {
          meter.clock = value.slice();
          return undefined;
        },
      },
      3: fromHex('10003c'),
      4: fromHex('1100'),
      5: fromHex('090cffff03fe07020000ff800000'),
      6: fromHex('090cffff0afe07030000ff800000'),
      7: fromHex('0f3c'),
      8: fromHex('0300'),
      9: fromHex('1601'),
    },
    methods: { 1: () => 0 },
  },
  {
    classId: 3,
    logicalName: '1-0:1.8.0',
    attributes: { 2: { get: ({ meter }) => long32(meter.energy) }, 3: scalerUnit(0, 30) },
    methods: { 1: () => 0 },
  },
  register('1-0:2.8.0', 4_711, 0, 30),
  register('1-0:3.8.0', 815, 0, 32),
  register('1-0:4.8.0', 0, 0, 32),
  register('1-0:32.7.0', 2_305, -1, 35),
  {
    classId: 7,
    version: 1,
    logicalName: '1-0:99.1.0',
    attributes: {
      2: { get: (_context, access) => readRows(rows, access), selectors: BUFFER_SELECTORS },
      3: columnsOf(),
      4: long32(900),
      5: fromHex('1601'),
      6: fromHex('020412000009060000000000000f00120000'),
      7: long32(ROWS),
      8: long32(ROWS),
    },
  },
  {
    classId: 70,
    logicalName: '0-0:96.3.10',
    attributes: {
      2: { get: ({ meter }) => Uint8Array.of(0x03, meter.connected ? 1 : 0) },
      3: { get: ({ meter }) => Uint8Array.of(0x16, meter.connected ? 1 : 0) },
      4: fromHex('1604'),
    },
    methods: {
      1(_parameters, { meter }) {
        meter.connected = false;
        return 0;
      },
      2(_parameters, { meter }) {
        meter.connected = true;
        return 0;
      },
    },
  },
];

interface Terms {
  readonly sap: number;
  readonly mechanism: MechanismName;
  /** With logical names; with short ones each is one more. */
  readonly contexts: readonly (1 | 3)[];
  readonly suite?: SecuritySuite;
}

/** Client addresses: those of the Gurux servers where they have one. */
const TERMS: readonly Terms[] = [
  { sap: 16, mechanism: 0, contexts: [1] },
  { sap: 17, mechanism: 1, contexts: [1] },
  { sap: 18, mechanism: 2, contexts: [1] },
  { sap: 19, mechanism: 3, contexts: [1] },
  { sap: 20, mechanism: 4, contexts: [1] },
  { sap: 21, mechanism: 6, contexts: [1], suite: 0 },
  { sap: 1, mechanism: 5, contexts: [3, 1], suite: 0 },
  { sap: 26, mechanism: 5, contexts: [3], suite: 1 },
  { sap: 27, mechanism: 5, contexts: [3], suite: 2 },
  { sap: 29, mechanism: 7, contexts: [3], suite: 1 },
];

/** As LogicalDevice, for `find` of a meter server. */
export function interopDevice({
  crypto,
  referencing = 'ln',
  registers = 0,
  signing,
}: DeviceOptions): LogicalDevice<InteropMeter> {
  const associations = TERMS.filter(({ mechanism }) => mechanism !== 7 || signing).map(
    ({ sap, mechanism, contexts, suite }): AssociationDefinition<InteropMeter> => ({
      name: `client ${sap}`,
      clientSap: sap,
      applicationContexts: contexts.map(
        (context) => (context + (referencing === 'sn' ? 1 : 0)) as ApplicationContextName,
      ),
      // Gurux C asks for attributes 10 and 11 of any Association LN, and ends when they are not there.
      objectVersion: 2,
      mechanism,
      conformance: referencing === 'sn' ? SN_CONFORMANCE : LN_CONFORMANCE,
      secret: () => new TextEncoder().encode(PASSWORD),
      ...(suite === undefined
        ? {}
        : {
            security: () => ({
              suite,
              ownSystemTitle: TITLE,
              keys: {
                ...keysOf(suite),
                ...(mechanism === 7 && signing ? { signing: signing.own, peerSigning: signing.client } : {}),
              },
              send: contexts.includes(3) ? { authenticated: true, encrypted: true } : NO_PROTECTION,
              require: NO_PROTECTION,
              counter: memoryCounter(),
              peerCounter: memoryPeerCounter(),
              crypto,
            }),
          }),
    }),
  );
  const more = Array.from({ length: registers }, (_, i) => register(`1-1:${1 + (i >> 5)}.8.${i & 31}`, i, 0, 30));
  return createLogicalDevice<InteropMeter>({
    // Short names of our own, so that recordings outlive other ways of giving them out.
    objects: [...objects, ...more].map((object, i) => ({ ...object, baseName: 0x1000 + i * 0x100 })),
    associations,
    name: () => 'AMI0000000000001',
    rights: { 'client 16': 'read', other: 'full' },
  });
}
