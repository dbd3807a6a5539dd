/**
 * The virtual electricity meter as it is served: sequential GETs of its register on one wrapper connection (LLS, objects,
 * engine and all), and what a fleet of ten thousand behind one port weighs: asleep, and with every engine made and a day lived.
 *
 * The server has a process of its own; resident memory is what `ps` says of it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { fromHex } from '@amiable/bytes';
import { encodeApdu, encodeWrapper, LN_CONFORMANCE } from '@amiable/dlms';
import { deliveredCredentials } from '../../apps/simulator/src/electricity-server/keys.ts';
import { pingPong } from './dlms-server.ts';
import type { Figure } from './figure.ts';

const PEER_RATE = 30_700;
const PROCESS = new URL('./fleet-process.ts', import.meta.url).pathname;
const READER = 2;

/** AARQ of the reader of meter 1, and a GET of 1-0:1.8.0. */
const frames = {
  aarq: encodeWrapper(
    READER,
    1,
    encodeApdu({
      type: 'aarq',
      applicationContext: 1,
      senderAcseRequirements: true,
      mechanism: 1,
      callingAuthenticationValue: deliveredCredentials(1, 1, 0).password,
      userInformation: encodeApdu({
        type: 'initiate-request',
        responseAllowed: true,
        version: 6,
        conformance: LN_CONFORMANCE,
        maxPduSize: 1024,
      }),
    }),
  ),
  get: encodeWrapper(READER, 1, fromHex('c001c100030100010800ff0200')),
};

export async function benchFleet({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const seconds = smoke ? 0.1 : 2;
  const count = smoke ? 50 : 10_000;
  const one = await start(['1', 'asleep']);
  let rate = 0;
  try {
    for (let i = 0; i < (smoke ? 1 : 4); i++) rate = Math.max(rate, await pingPong(one.port, seconds, true, frames));
  } finally {
    one.child.stdin?.end();
  }
  const figures: Figure[] = [
    {
      name: 'Virtual meter: sequential GETs of its register, wrapper, LLS',
      value: rate,
      unit: 'requests/s',
      peer: 'jDLMS (30,700 measured)',
      ratio: rate / PEER_RATE,
    },
  ];
  for (const [mode, words] of [
    ['asleep', 'idle, not yet asked'],
    ['awake', 'idle, a day lived'],
  ] as const) {
    const begun = performance.now();
    const { child } = await start([String(count), mode]);
    const took = (performance.now() - begun) / 1000;
    figures.push({
      name: `Fleet: ${count} virtual meters behind one port, ${words}, resident`,
      value: resident(child) / 1e6,
      unit: 'MB',
    });
    figures.push({ name: `Fleet: ${count} virtual meters, ${words}: until it listens`, value: took, unit: 's' });
    child.stdin?.end();
  }
  return figures;
}

const resident = ({ pid }: ChildProcess): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString()) * 1024;

function start(words: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROCESS, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (bytes: Buffer) => resolve({ child, port: Number(bytes.toString()) }));
    child.once('exit', (code) => reject(new Error(`the measured process ended with ${code}`)));
  });
}
