/**
 * The process that tools/bench/dlms.ts reads: 64 virtual meters behind one wrapper port, each with a profile of 96 rows of
 * a clock and four registers; client 16 without security, client 1 with HLS-GMAC and ciphering. Prints its port; lives
 * as long as its parent holds its input.
 */
import { createLogicalDevice, obisToBytes, readRows } from '@amiable/cosem';
import { LN_CONFORMANCE, memoryCounter, memoryPeerCounter, type ServerSecurity } from '@amiable/dlms';
import { listenTcp, nodeCrypto, systemClock } from '@amiable/io';
import { createMeterServer } from '@amiable/meter';
import { COLUMNS, KEYS, METERS, ROWS, rowTime, SECRET, serverTitle } from './dlms-fixture.ts';

interface Meter {
  readonly energy: number;
  readonly security: ServerSecurity;
}

const meters = Array.from({ length: METERS }, (_, i): Meter => {
  const both = { authenticated: true, encrypted: true };
  return {
    energy: 1_000_000 * i,
    security: {
      suite: 0,
      ownSystemTitle: serverTitle(i),
      keys: KEYS,
      send: both,
      require: both,
      counter: memoryCounter(1),
      // Sessions of one client overlap, so its numbers come out of order: each association has its own memory.
      get peerCounter() {
        return memoryPeerCounter();
      },
      crypto: nodeCrypto,
    },
  };
});

const times = Array.from({ length: ROWS }, (_, row) => rowTime(row));
const terms = { conformance: LN_CONFORMANCE, maxReceivePduSize: 0xffff };
const device = createLogicalDevice<Meter>({
  associations: [
    { name: 'public', clientSap: 16, applicationContexts: [1], mechanism: 0, ...terms },
    {
      name: 'reader',
      clientSap: 1,
      applicationContexts: [3],
      mechanism: 5,
      ...terms,
      secret: () => SECRET,
      security: (meter) => meter.security,
    },
  ],
  name: () => 'AMI0000000000001',
  objects: [
    {
      classId: 7,
      version: 1,
      logicalName: '1-0:99.1.0',
      attributes: {
        2: {
          selectors: [1, 2],
          get: ({ meter }, access) =>
            readRows(
              {
                columns: COLUMNS,
                count: ROWS,
                write(writer, row, column) {
                  if (column === 0) writer.bytes(times[row] as Uint8Array);
                  else writer.u8(6).u32(meter.energy + 10 * row + column);
                },
              },
              access,
            ),
        },
        3: captureObjects(),
        4: Uint8Array.of(6, 0, 0, 0x03, 0x84),
        7: Uint8Array.of(6, 0, 0, 0, ROWS),
        8: Uint8Array.of(6, 0, 0, 0, ROWS),
      },
    },
  ],
});

function captureObjects(): Uint8Array {
  const each = COLUMNS.flatMap((c) => {
    const head = [2, 4, 0x12, 0, c.classId, 9, 6, ...obisToBytes(c.logicalName)];
    return [...head, 0x0f, c.attributeIndex, 0x12, 0, 0];
  });
  return Uint8Array.of(1, COLUMNS.length, ...each);
}

const server = createMeterServer<Meter>({
  fault: (error) => {
    throw error;
  },
  find: ({ logical }) => {
    const meter = meters[logical - 1];
    return meter && { device, meter };
  },
  clock: systemClock,
  random: (length) => nodeCrypto.randomBytes(length),
});
const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => server.accept(connection));
process.stdout.write(`${listener.port}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
