/**
 * The process that tools/bench/dlms-server.ts measures: a virtual meter behind the wrapper, or, with `bare`, a socket that
 * answers everything with the same bytes. Prints its port.
 */
import { createServer } from 'node:net';
import { fromHex } from '@amiable/bytes';
import { createLogicalDevice } from '@amiable/cosem';
import { LN_CONFORMANCE } from '@amiable/dlms';
import { listenTcp, nodeCrypto, systemClock } from '@amiable/io';
import { createMeterServer } from '@amiable/meter';

interface Meter {
  energy: number;
}

function register(meter: Meter): Uint8Array {
  const { energy } = meter;
  return Uint8Array.of(0x06, energy >>> 24, energy >>> 16, energy >>> 8, energy);
}

const device = createLogicalDevice<Meter>({
  associations: [
    { name: 'public', clientSap: 16, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE },
  ],
  name: () => 'AMI0000000000001',
  objects: Array.from({ length: 300 }, (_, i) => ({
    classId: 3,
    logicalName: `1-0:${1 + (i >> 4)}.8.${i & 15}`,
    attributes: { 2: { get: (context) => register(context.meter) }, 3: fromHex('02020f00161e') },
  })),
});

async function serve(): Promise<number> {
  const meter: Meter = { energy: 123_456_789 };
  const server = createMeterServer<Meter>({
    fault: (error) => {
      throw error;
    },
    find: () => ({ device, meter }),
    clock: systemClock,
    random: (length) => nodeCrypto.randomBytes(length),
  });
  const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => server.accept(connection));
  return listener.port;
}

function bare(): Promise<number> {
  const answer = fromHex('00010001001000 09c401c10006075bcd15');
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('data', () => socket.write(answer));
      socket.on('error', () => socket.destroy());
    });
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

/** Heap, buffers and resident memory of many meters of which nobody asks anything. */
function idle(count: number): Promise<string> {
  const meters: Meter[] = [];
  const gc = (globalThis as { gc?: () => void }).gc;
  gc?.();
  const before = process.memoryUsage();
  for (let i = 0; i < count; i++) meters.push({ energy: i });
  createMeterServer<Meter>({
    fault: (error) => {
      throw error;
    },
    find: ({ logical }) => {
      const meter = meters[logical];
      return meter && { device, meter };
    },
    clock: systemClock,
    random: (length) => nodeCrypto.randomBytes(length),
  });
  gc?.();
  const after = process.memoryUsage();
  return Promise.resolve(`${after.rss} ${(after.heapUsed - before.heapUsed) / count}`);
}

const [mode, count] = process.argv.slice(2);
const said = mode === 'bare' ? await bare() : mode === 'idle' ? await idle(Number(count)) : await serve();
process.stdout.write(`${said}\n`);
if (mode !== 'idle') {
  // Lives as long as its parent holds its input.
  process.stdin.on('end', () => process.exit(0)).resume();
}
