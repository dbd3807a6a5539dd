/**
 * The simulated utility's meters: virtual electricity meters behind one TCP port, in a process of their own, so that what they
 * compute does not slow down who reads them.
 *
 * Decides: where their state lies (they live on over a restart), that they are started anew when they end by themselves, and end
 * with this process however it ends. Leaves out: how they are registered (neighbourhood.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface FleetOptions {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly meters: number;
  readonly seed: number;
  readonly zone: string;
  readonly speed: number;
  /** Epoch ms of the simulated world. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Passwords and keys of one of them, hex but for the password. */
export interface FleetMeter {
  readonly number: number;
  readonly systemTitle: string;
  readonly password: string;
  readonly unicastKey: string;
  readonly authenticationKey: string;
}

export interface Fleet {
  readonly meters: readonly FleetMeter[];
  readonly port: number;
  stop(): Promise<void>;
}

/** What they have lived when they are first started: completeness has something to show. */
const HISTORY = '3d';
const PATIENCE = 60_000;
const ANEW = 5000;

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const keysFile = join(options.folder, 'fleet-keys.csv');
  let stopping = false;
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;

  const words = (): string[] => [
    'simulate',
    'meter',
    ...['--count', String(options.meters), '--host', options.host, '--port', String(options.port), '--hdlc-port', '0'],
    ...['--seed', String(options.seed), '--tz', options.zone, '--period', '15', '--history', HISTORY, '--sweep', '1m'],
    // A bad week for the network: events and outages have something to show.
    ...['--disturbances', '60'],
    ...['--state', join(options.folder, 'fleet'), '--keys', keysFile, '--no-page'],
    ...(options.speed === 1 ? [] : ['--from', new Date(options.now()).toISOString(), '--speed', String(options.speed)]),
  ];

  /** Resolves when they listen. */
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const program = process.argv[1];
      if (program === undefined) throw new Error('the program does not know its own file');
      const started = spawn(process.execPath, [...process.execArgv, program, ...words()], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      child = started;
      let said = '';
      const late = setTimeout(() => {
        started.kill('SIGKILL');
        reject(new Error(`the virtual meters did not listen within ${PATIENCE / 1000} s: ${said.slice(-500)}`));
      }, PATIENCE);
      started.once('error', reject);
      createInterface({ input: started.stderr as NodeJS.ReadableStream }).on('line', (line) => {
        if (said.length < 5000) said += `${line}\n`;
        if (/ on port \d+/.test(line)) {
          clearTimeout(late);
          resolve();
        } else if (/^fault:/.test(line)) options.log(`fleet: ${line}`);
      });
      started.once('exit', (code, signal) => {
        clearTimeout(late);
        reject(new Error(`the virtual meters ended (${signal ?? code}): ${said.slice(-500)}`));
        if (stopping || child !== started) return;
        options.log(`fleet: the virtual meters ended (${signal ?? code}); started again in ${ANEW / 1000} s`);
        again = setTimeout(() => void run().catch((error: Error) => options.log(`fleet: ${error.message}`)), ANEW);
      });
    });

  await run();
  const meters = readKeys(readFileSync(keysFile, 'utf8'));
  // They are in the vault from now on.
  rmSync(keysFile, { force: true });
  return {
    meters,
    port: options.port,
    async stop() {
      stopping = true;
      clearTimeout(again);
      const ending = child;
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        const late = setTimeout(() => ending.kill('SIGKILL'), 5000);
        ending.once('exit', () => {
          clearTimeout(late);
          resolve();
        });
        ending.kill('SIGTERM');
      });
      rmSync(keysFile, { force: true });
    },
  };
}

function readKeys(text: string): FleetMeter[] {
  const [head = '', ...lines] = text.trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    return {
      number: Number(cell('number')),
      systemTitle: cell('system_title'),
      password: cell('password'),
      unicastKey: cell('management_unicast'),
      authenticationKey: cell('management_authentication'),
    };
  });
}
