/**
 * How many meters one client process reads: connect, associate, read a profile of 96 rows into typed columns, release, close; against
 * virtual meters in another process over loopback TCP, 32 sessions at a time. The rate per core counts the processor time
 * that this process took, whatever else the machine did meanwhile.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { obisToBytes } from '@amiable/cosem';
import { memoryCounter } from '@amiable/dlms';
import { nodeCrypto, systemClock, tcpClient } from '@amiable/io';
import { openSession, type SessionOptions, wrapperTransport } from '@amiable/meter';
import { CLIENT_TITLE, COLUMNS, KEYS, METERS, ROWS, SECRET } from './dlms-fixture.ts';
import { benchDlmsServer } from './dlms-server.ts';
import type { Figure } from './figure.ts';

const AT_A_TIME = 32;
const PROFILE = obisToBytes('1-0:99.1.0');
const PROFILE_COLUMNS = COLUMNS.map((c) => ({ ...c, attribute: c.attributeIndex, dataIndex: 0 }));
const WANTED = { plain: 2000, ciphered: 800 };

export async function benchDlms({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const figures = await benchDlmsServer({ smoke });
  const seconds = smoke ? 0.1 : 3;
  const { child, port } = await start();
  try {
    figures.push(...(await measure('none', port, false, seconds, WANTED.plain)));
    figures.push(...(await measure('HLS-GMAC, ciphered', port, true, seconds, WANTED.ciphered)));
  } finally {
    child.stdin?.end();
  }
  return figures;
}

function start(): Promise<{ child: ChildProcess; port: number }> {
  const path = new URL('./dlms-meters.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', path], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (bytes: Buffer) => resolve({ child, port: Number(bytes.toString()) }));
    child.once('exit', (code) => reject(new Error(`the meters' process ended with ${code}`)));
  });
}

async function measure(
  name: string,
  port: number,
  ciphered: boolean,
  seconds: number,
  wanted: number,
): Promise<Figure[]> {
  // Warm first: the figures are those of a program that has run for a while.
  await readMeters(port, ciphered, seconds / 3);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const count = await readMeters(port, ciphered, seconds);
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const what = `DLMS: associations with ${ROWS} rows read, ${name}`;
  const perCore = count / ((user + system) / 1e6);
  return [
    { name: `${what}, per core`, value: perCore, unit: 'meters/s', peer: `${wanted} wanted`, ratio: perCore / wanted },
    { name: `${what}, elapsed`, value: count / wall, unit: 'meters/s' },
  ];
}

async function readMeters(port: number, ciphered: boolean, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let count = 0;
  let next = 0;
  async function worker(): Promise<void> {
    while (performance.now() < until) {
      await readMeter(port, 1 + (next++ % METERS), ciphered);
      count++;
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return count;
}

const counter = memoryCounter(1);

async function readMeter(port: number, server: number, ciphered: boolean): Promise<void> {
  const secured: Partial<SessionOptions> = {
    crypto: nodeCrypto,
    authentication: { mechanism: 5, secret: SECRET },
    security: { suite: 0, systemTitle: CLIENT_TITLE, keys: KEYS, counter },
  };
  const session = await openSession({
    transport: wrapperTransport(tcpClient({ host: '127.0.0.1', port }), { client: ciphered ? 1 : 16, server }),
    clock: systemClock,
    ...(ciphered && secured),
  });
  const { profile, complete } = await session.readProfile(PROFILE, { kind: 'all' }, { columns: PROFILE_COLUMNS });
  if (!complete || profile.rows !== ROWS) throw new Error(`${profile.rows} rows came of ${ROWS}`);
  await session.release();
}
