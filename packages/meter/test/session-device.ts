/** A small device behind the project's own server, and a line in memory to it, for tests of sessions. */
import { fromHex, LinkError } from '@amiable/bytes';
import {
  type AssociationDefinition,
  type CosemObject,
  createLogicalDevice,
  obisToBytes,
  readRows,
} from '@amiable/cosem';
import {
  type AssociationContext,
  type Authentication,
  LN_CONFORMANCE,
  memoryCounter,
  memoryPeerCounter,
  octetString,
  SN_CONFORMANCE,
} from '@amiable/dlms';
import { nodeCrypto, type VirtualClock } from '@amiable/io';
import { createMeterServer, type SessionLink, type SessionSecurity } from '@amiable/meter';

export const CLIENT_TITLE = fromHex('434c490000000001');
export const SERVER_TITLE = fromHex('5352560000000001');
export const SECRET = new TextEncoder().encode('0123456789abcdef');
export const ROWS = 96;
export const COLUMNS = 5;

export const ln = (text: string): Uint8Array => obisToBytes(text);
export const u32 = (n: number): Uint8Array => Uint8Array.of(6, n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff);
const u16 = (n: number): Uint8Array => Uint8Array.of(0x12, n >>> 8, n & 0xff);
export const clockOf = (row: number): Uint8Array =>
  octetString(Uint8Array.of(0x07, 0xea, 11, 20, 5, row >> 2, (row & 3) * 15, 0, 0, 0x80, 0, 0));

const columns = [
  { classId: 8, logicalName: '0-0:1.0.0', attributeIndex: 2 },
  ...['1.8.0', '2.8.0', '3.8.0', '4.8.0'].map((q) => ({ classId: 3, logicalName: `1-0:${q}`, attributeIndex: 2 })),
];

export interface State {
  long: Uint8Array;
  invoked: Uint8Array[];
}
export const newState = (): State => ({ long: octetString(new Uint8Array(3000).fill(7)), invoked: [] });

const objects: CosemObject<State>[] = [
  { classId: 1, logicalName: '0-0:96.1.0', attributes: { 2: octetString(Uint8Array.of(1, 2, 3)) } },
  {
    classId: 1,
    logicalName: '0-0:96.13.0',
    attributes: {
      2: {
        get: (context) => context.meter.long,
        set: (value: Uint8Array, context: AssociationContext<State>) => {
          context.meter.long = value.slice();
          return undefined;
        },
      },
    },
    rights: { other: 'full' },
  },
  { classId: 3, logicalName: '1-0:1.8.0', attributes: { 2: u32(123456), 3: fromHex('02020f00161e') } },
  {
    classId: 9,
    logicalName: '0-0:10.0.0',
    attributes: { 2: fromHex('0100') },
    methods: {
      1: (parameters, context) => {
        context.meter.invoked.push(parameters ?? new Uint8Array(0));
        return undefined;
      },
    },
    rights: { other: 'full' },
  },
  {
    classId: 7,
    version: 1,
    logicalName: '1-0:99.1.0',
    attributes: {
      2: {
        selectors: [1, 2],
        get: (_, access) =>
          readRows(
            {
              columns,
              count: ROWS,
              write: (writer, row, column) => {
                writer.bytes(column === 0 ? clockOf(row) : u32(row * 10 + column));
              },
            },
            access,
          ),
      },
      3: Uint8Array.of(
        1,
        columns.length,
        ...columns.flatMap((c) => [2, 4, ...u16(c.classId), ...octetString(ln(c.logicalName)), 0x0f, 2, ...u16(0)]),
      ),
      4: u32(900),
      5: Uint8Array.of(0x16, 1),
      6: fromHex('0204120000090600000000000000' + '0f00120000').slice(0, 20),
      7: u32(ROWS),
      8: u32(2160),
    },
  },
];

export interface DeviceOptions {
  readonly authentication?: Authentication;
  readonly security?: SessionSecurity;
  readonly sn?: boolean;
  readonly maxPdu?: number;
  readonly conformance?: number;
  readonly serverConformance?: number;
}

/** The server's half of what a client says. */
export function deviceFor(options: DeviceOptions) {
  const { authentication, security, sn } = options;
  const ciphered = security !== undefined && security.ciphered !== false;
  const secret = authentication && 'password' in authentication ? authentication.password : SECRET;
  const serverCounter = memoryCounter(100);
  const peerCounter = memoryPeerCounter();
  const association: AssociationDefinition<State> = {
    name: 'reader',
    clientSap: 16,
    applicationContexts: [((sn ? 2 : 1) + (ciphered ? 2 : 0)) as 1],
    mechanism: authentication?.mechanism ?? 0,
    conformance: options.serverConformance ?? (sn ? SN_CONFORMANCE | 0x200000 : LN_CONFORMANCE),
    maxReceivePduSize: options.maxPdu ?? 1024,
    secret: () => secret,
    ...(security && {
      security: () => ({
        suite: security.suite,
        ownSystemTitle: SERVER_TITLE,
        keys: {
          ...security.keys,
          ...(security.keys.peerSigning && serverKeys(security)),
        },
        send: security.require ?? security.send ?? { authenticated: true, encrypted: true },
        require: security.send ?? { authenticated: true, encrypted: true },
        counter: serverCounter,
        peerCounter,
        crypto: nodeCrypto,
      }),
    }),
  };
  return createLogicalDevice<State>({ objects, associations: [association], name: () => 'AMI0000000000001' });
}

function serverKeys({ suite }: SessionSecurity) {
  const pair = pairOf(suite, 'server');
  const peer = pairOf(suite, 'client');
  return {
    signing: pair.privateKey,
    agreement: pair.privateKey,
    peerSigning: peer.publicKey,
    peerAgreement: peer.publicKey,
  };
}

const pairs = new Map<string, ReturnType<typeof nodeCrypto.generateKeyPair>>();
export function pairOf(suite: number, who: 'client' | 'server') {
  const key = `${suite}${who}`;
  const pair = pairs.get(key) ?? nodeCrypto.generateKeyPair(suite === 2 ? 'P-384' : 'P-256');
  pairs.set(key, pair);
  return pair;
}

/** What a client says of its security, with counters that begin anew. */
export function securityOf(suite: 0 | 1 | 2, more: Partial<SessionSecurity> = {}): SessionSecurity {
  const length = suite === 2 ? 32 : 16;
  const client = suite > 0 ? pairOf(suite, 'client') : undefined;
  const server = suite > 0 ? pairOf(suite, 'server') : undefined;
  return {
    suite,
    systemTitle: CLIENT_TITLE,
    keys: {
      unicast: new Uint8Array(length).fill(1),
      authentication: new Uint8Array(length).fill(2),
      ...(client &&
        server && {
          signing: client.privateKey,
          agreement: client.privateKey,
          peerSigning: server.publicKey,
          peerAgreement: server.publicKey,
        }),
    },
    counter: memoryCounter(1),
    ...more,
  };
}

export interface Line {
  readonly link: SessionLink;
  /** Bytes to the server and from it; may be changed, or dropped by returning nothing. */
  tamper: {
    toServer?: (bytes: Uint8Array) => Uint8Array | undefined;
    toClient?: (bytes: Uint8Array) => Uint8Array | undefined;
  };
  /** The peer hangs up. */
  hangUp(): void;
  readonly closed: boolean;
  /** As if the server had sent them. */
  inject(bytes: Uint8Array): void;
}

/** A line in memory; `accept` gets what the client writes and a way to answer. Answers come a turn later, as from a socket. */
export function lineTo(
  accept: (reply: (bytes: Uint8Array) => void, close: () => void) => { data(bytes: Uint8Array): void; closed(): void },
): Line {
  let events: { data(bytes: Uint8Array): void; closed(error?: Error): void } | undefined;
  let server: { data(bytes: Uint8Array): void; closed(): void } | undefined;
  const end = (error?: Error): void => {
    const was = events;
    events = undefined;
    server?.closed();
    server = undefined;
    was?.closed(error);
  };
  const deliver = (bytes: Uint8Array): void => {
    const kept = line.tamper.toClient ? line.tamper.toClient(bytes.slice()) : bytes.slice();
    if (kept) queueMicrotask(() => events?.data(kept));
  };
  const line: Line = {
    tamper: {},
    link: {
      describe: 'memory',
      async open(given) {
        events = given;
        server = accept(deliver, () => queueMicrotask(() => end(new LinkError('closed by the server'))));
      },
      async write(bytes) {
        const kept = line.tamper.toServer ? line.tamper.toServer(bytes.slice()) : bytes.slice();
        if (kept) queueMicrotask(() => server?.data(kept));
      },
      async close() {
        end();
      },
    },
    hangUp: () => end(new LinkError('reset by peer')),
    get closed() {
      return events === undefined;
    },
    inject: (bytes) => events?.data(bytes),
  };
  return line;
}

export function lineToDevice(
  options: DeviceOptions,
  clock: VirtualClock,
  transport: 'wrapper' | 'hdlc',
  state = newState(),
) {
  const device = deviceFor(options);
  const server = createMeterServer<State>({
    fault: (error) => {
      throw error;
    },
    clock,
    random: (n) => nodeCrypto.randomBytes(n),
    crypto: nodeCrypto,
    find: ({ logical }) => (logical === 1 ? { device, meter: state } : undefined),
    inactivity: 0,
    hdlc: { limits: { maxInfoReceive: 512, maxInfoTransmit: 512, windowReceive: 3, windowTransmit: 3 } },
  });
  const line = lineTo((reply, close) => {
    const connection = server.accept({ write: reply, close }, transport);
    if (!connection) throw new Error('not accepted');
    return connection;
  });
  return { line, server, state };
}
