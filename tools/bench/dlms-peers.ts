/**
 * DLMS/COSEM beside its peers, turn and turn about in one run; pin it to one core with `taskset -c 1`.
 *
 * Decoding: AMIABLE_PEER_GURUX_C and AMIABLE_PEER_GURUX_JAVA are commands of programs that decode with those libraries.
 * Each is called with one more argument, a file of Get-Responses with a load profile (a clock and four registers, 96
 * rows), as hex, one a line. For each line `run <milliseconds>` of its input it decodes them all in turn, each in a
 * wrapper frame, to the rows of a Profile generic object with their times, and prints `<responses> <seconds>`.
 *
 * Answering: AMIABLE_PEER_SERVERS lists running servers, `Gurux C=127.0.0.1:4061, jDLMS=127.0.0.1:4062`: wrapper, client 16
 * without authentication. All are asked for the logical device name (0-0:42.0.0), each time when the answer before is here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fromHex, toHex } from '@amiable/bytes';
import { readProfile } from '@amiable/cosem';
import { createWrapperReceiver, decodeApdu, encodeWrapper } from '@amiable/dlms';
import { AARQ, startServer } from './dlms-server.ts';
import type { Figure } from './figure.ts';
import { PROFILE_COLUMNS, profileResponse } from './profile.ts';

const ROWS = 96;
const DAYS = 32;
const PERIOD = 900;

export async function benchDlmsPeers({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  return [...(await decoding(smoke)), ...(await answering(smoke))];
}

// ------------------------------------------------------------------- decoding

/** Responses a second. */
type Decoder = (milliseconds: number) => Promise<number>;

async function decoding(smoke: boolean): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const responses = Array.from({ length: DAYS }, (_, day) => profileResponse(day));
  const file = join(folder, 'profiles.hex');
  writeFileSync(file, responses.map((response) => `${toHex(response)}\n`).join(''));
  const children: ChildProcess[] = [];
  const figures: Figure[] = [];
  try {
    const ours = ourDecoder(responses);
    const name = 'DLMS: a load profile of 4 registers × 96 rows, wrapper frame to columns';
    let alone = true;
    for (const [variable, peer] of [
      ['AMIABLE_PEER_GURUX_C', 'Gurux C'],
      ['AMIABLE_PEER_GURUX_JAVA', 'Gurux Java'],
    ] as const) {
      const command = process.env[variable];
      if (!command) {
        notGiven(peer, variable);
        continue;
      }
      alone = false;
      const child = spawn('/bin/sh', ['-c', `exec ${command} "$0"`, file], { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      const [a, b] = await pairs(ours, peerDecoder(child), smoke);
      figures.push(
        { name, value: a, unit: 'responses/s', peer, ratio: a / b },
        { name: `${name}, ${peer}`, value: b, unit: 'responses/s' },
      );
    }
    if (alone) figures.push({ name, value: median([await ours(smoke ? 20 : 1000)]), unit: 'responses/s' });
  } finally {
    for (const child of children) child.stdin?.end();
    rmSync(folder, { recursive: true });
  }
  return figures;
}

function ourDecoder(responses: readonly Uint8Array[]): Decoder {
  const frames = responses.map((response) => encodeWrapper(1, 16, response));
  let rows = 0;
  const receiver = createWrapperReceiver(
    {},
    {
      frame(_source, _destination, bytes) {
        const apdu = decodeApdu(bytes);
        if (apdu.type !== 'get-response-normal' || !('data' in apdu.result)) throw new Error('no profile came');
        rows += readProfile(apdu.result.data, PROFILE_COLUMNS, { capturePeriod: PERIOD }).rows;
      },
      failed(error) {
        throw error;
      },
    },
  );
  return async (milliseconds) => {
    rows = 0;
    const start = performance.now();
    do for (const frame of frames) receiver.push(frame);
    while (performance.now() - start < milliseconds);
    return (rows / ROWS / (performance.now() - start)) * 1000;
  };
}

function peerDecoder(child: ChildProcess): Decoder {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return async (milliseconds) => {
    child.stdin?.write(`run ${milliseconds}\n`);
    const { value, done } = await lines.next();
    const [count, seconds] = String(value).split(' ').map(Number);
    if (done || !count || !seconds) throw new Error(`the peer's program said: ${value}`);
    return count / seconds;
  };
}

/** Medians of both, turn and turn about; the first turns warm up. */
async function pairs(ours: Decoder, theirs: Decoder, smoke: boolean): Promise<[number, number]> {
  const [turns, milliseconds, warming] = smoke ? [1, 20, 20] : [9, 500, 5000];
  await ours(warming);
  await theirs(warming);
  const a: number[] = [];
  const b: number[] = [];
  for (let i = 0; i < turns; i++) {
    a.push(await ours(milliseconds));
    b.push(await theirs(milliseconds));
  }
  return [median(a), median(b)];
}

function median(of: readonly number[]): number {
  const sorted = [...of].sort((x, y) => x - y);
  return sorted[sorted.length >> 1] as number;
}

function notGiven(peer: string, variable: string): void {
  process.stderr.write(`bench: ${peer}: not given (${variable})\n`);
}

// ------------------------------------------------------------------ answering

interface Server {
  readonly peer: string;
  readonly port: number;
}

async function answering(smoke: boolean): Promise<Figure[]> {
  const listed = process.env.AMIABLE_PEER_SERVERS;
  if (!listed) notGiven('servers', 'AMIABLE_PEER_SERVERS');
  const servers = (listed?.split(',') ?? []).map((entry): Server => {
    const [peer = '', address = ''] = entry.trim().split('=');
    return { peer, port: Number(address.split(':').at(-1)) };
  });
  const ours = await startServer();
  const rates = new Map<Server, number[]>();
  const all: Server[] = [{ peer: '', port: ours.port }, ...servers];
  try {
    for (let turn = 0; turn < (smoke ? 1 : 5); turn++)
      for (const server of all) {
        const rate = await pingPong(server.port, smoke ? 0.1 : 1);
        rates.set(server, [...(rates.get(server) ?? []), rate]);
      }
  } finally {
    ours.stop();
  }
  const name = 'DLMS: sequential GETs of the device name, one wrapper connection';
  const mine = median(rates.get(all[0] as Server) ?? []);
  return all.map((server) => {
    const value = median(rates.get(server) ?? []);
    if (!server.peer) return { name, value, unit: 'requests/s' };
    return { name: `${name}, ${server.peer}`, value, unit: 'requests/s', peer: 'of ours', ratio: value / mine };
  });
}

const GET = encodeWrapper(16, 1, fromHex('c001c1000100002a0000ff0200'));

function pingPong(port: number, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let n = -1;
    let started = 0;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`127.0.0.1:${port} closed the connection after ${n} answers`)));
    socket.on('data', (bytes) => {
      if (++n === 0) {
        if (bytes[8] !== 0x61) return reject(new Error(`127.0.0.1:${port} gives no AARE`));
        started = performance.now();
      } else if (bytes[8] !== 0xc4 || bytes[11] !== 0) return reject(new Error(`127.0.0.1:${port} gives no data`));
      if ((n & 255) === 255 && performance.now() - started > seconds * 1000) {
        resolve((n / (performance.now() - started)) * 1000);
        socket.destroy();
        return;
      }
      socket.write(GET);
    });
    socket.on('connect', () => socket.write(AARQ));
  });
}
