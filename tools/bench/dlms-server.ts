/**
 * How many sequential GETs a second a virtual meter answers on one wrapper connection, over loopback TCP: server in its
 * own process, asked by a client that sends prepared bytes and does nothing else. Beside it the same client against a
 * socket that answers without looking, which is what Node and the machine allow. And what idle meters cost.
 *
 * The fastest peer, jDLMS, answered 30,700 a second on two cores.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { fromHex } from '@amiable/bytes';
import { encodeApdu, encodeWrapper, LN_CONFORMANCE } from '@amiable/dlms';
import type { Figure } from './figure.ts';

const PEER_RATE = 30_700;
const PROCESS = new URL('./dlms-server-process.ts', import.meta.url).pathname;

export async function benchDlmsServer({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const seconds = smoke ? 0.1 : 2;
  const rounds = smoke ? 1 : 3;
  const rates = { served: 0, bare: 0 };
  // Turn by turn, the best of each: another process on the machine disturbs both alike.
  const served = await start([]);
  const bare = await start(['bare']);
  try {
    for (let i = 0; i < rounds; i++) {
      rates.served = Math.max(rates.served, await pingPong(served.port, seconds, true));
      rates.bare = Math.max(rates.bare, await pingPong(bare.port, seconds, false));
    }
  } finally {
    served.child.stdin?.end();
    bare.child.stdin?.end();
  }
  const count = smoke ? 100 : 10_000;
  const [rss = 0, heap = 0] = await idle(count);
  return [
    {
      name: 'DLMS: sequential GETs, one wrapper connection, virtual meter',
      value: rates.served,
      unit: 'requests/s',
      peer: 'jDLMS (30,700 measured)',
      ratio: rates.served / PEER_RATE,
    },
    {
      name: 'DLMS: the same client against a bare socket of Node',
      value: rates.bare,
      unit: 'requests/s',
    },
    { name: `DLMS: ${count} idle logical devices of 300 objects, resident`, value: rss / 1e6, unit: 'MB' },
    { name: `DLMS: one of ${count} idle logical devices, heap`, value: heap, unit: 'B' },
  ];
}

/** The virtual meter of this file in its own process, for other measurements. */
export async function startServer(): Promise<{ readonly port: number; stop(): void }> {
  const { child, port } = await start([]);
  return { port, stop: () => child.stdin?.end() };
}

const ARGUMENTS = ['--import', 'tsx', PROCESS];

function start(words: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [...ARGUMENTS, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (bytes: Buffer) => resolve({ child, port: Number(bytes.toString()) }));
    child.once('exit', (code) => reject(new Error(`the measured process ended with ${code}`)));
  });
}

function idle(count: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--expose-gc', ...ARGUMENTS, 'idle', String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().split(' ').map(Number)));
    child.once('error', reject);
  });
}

/** Of the public client, 16, to logical device 1. */
export const AARQ = encodeWrapper(
  16,
  1,
  encodeApdu({
    type: 'aarq',
    applicationContext: 1,
    userInformation: encodeApdu({
      type: 'initiate-request',
      responseAllowed: true,
      version: 6,
      conformance: LN_CONFORMANCE,
      maxPduSize: 1024,
    }),
  }),
);
const GET = encodeWrapper(16, 1, fromHex('c001c100030100010800ff0200'));

/** Requests a second, each sent when the one before is answered. */
export function pingPong(
  port: number,
  seconds: number,
  associate: boolean,
  { aarq, get }: { readonly aarq: Uint8Array; readonly get: Uint8Array } = { aarq: AARQ, get: GET },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let n = 0;
    let started = 0;
    let until = 0;
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      if (started === 0) {
        started = performance.now();
        until = started + seconds * 1000;
        if (associate && bytes[8] !== 0x61) return reject(new Error('no AARE'));
      } else {
        n++;
        if (bytes[8] !== 0xc4 || bytes[11] !== 0) return reject(new Error('no Get-Response with data'));
      }
      if ((n & 1023) === 1023 && performance.now() > until) {
        resolve(n / ((performance.now() - started) / 1000));
        socket.destroy();
        return;
      }
      socket.write(get);
    });
    socket.on('connect', () => socket.write(associate ? aarq : get));
  });
}
