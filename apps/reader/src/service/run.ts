/**
 * One run of `amiable reader`: loads the configuration, starts the service, shows one line of status, reads the configuration
 * anew on SIGHUP, ends in order. Everything for a person goes to stderr.
 */
import { join, resolve } from 'node:path';
import { backOff, PortError, sleep } from '@amiable/io';
import { createConfigStore, type ReaderConfig } from '../config/index.ts';
import type { ReadIo } from '../machine.ts';
import { createAppliance } from '../setup/appliance.ts';
import { hashPassword } from '../setup/password.ts';
import { andThen } from '../words.ts';
import { startReader } from './service.ts';
import type { ReaderMachine, ReaderService, ReaderStatus } from './types.ts';

export interface ReaderRunOptions {
  readonly data: string;
  /** The folder was named: the spool lies there, wherever the configuration does. */
  readonly dataGiven?: boolean;
  readonly config?: string;
  readonly set?: readonly string[];
}

const VERSION = '0.1.0';
const STATUS_EVERY = 2000;
/** Where the console is a log. */
const LOG_EVERY = 3_600_000;

/** @returns the exit code */
export async function runReader(
  options: ReaderRunOptions,
  io: ReadIo,
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal = process.stderr.isTTY === true,
): Promise<number> {
  let status = '';
  const tell = (line: string) => {
    io.err(`${status ? '\r\x1b[K' : ''}${clockText(io.clock.now())} ${line}\n${status}`);
  };
  const data = resolve(options.data);
  const file = resolve(options.config ?? join(data, 'config.txt'));
  const store = createConfigStore({
    file,
    environment,
    given: options.set ?? [],
    hostName: io.hostName,
    hash: hashPassword,
  });
  const machine: ReaderMachine = {
    clock: io.clock,
    random: io.random,
    tell,
    ...(io.serialBinding === undefined ? {} : { serialBinding: io.serialBinding }),
  };
  const appliance = createAppliance({
    store,
    machine,
    hostName: io.hostName,
    version: VERSION,
    start: (config) => startWhenFree(config, machine, io.signal),
    adjust: (loaded, config) =>
      !options.dataGiven || loaded.origins.has('spool.folder')
        ? config
        : { ...config, spool: { ...config.spool, folder: join(data, 'spool') } },
  });
  try {
    if (!(await appliance.begin()) || io.signal.aborted) {
      await appliance.close();
      return io.signal.aborted ? 0 : 2;
    }
  } catch (error) {
    await appliance.close();
    throw error;
  }

  const onHangUp = () => {
    appliance.reload().catch((error: Error) => tell(error.message));
  };
  process.on('SIGHUP', onHangUp);

  const show = () => {
    const service = appliance.service();
    if (!service) return;
    if (isTerminal) {
      const line = statusLine(service.status()).slice(0, Math.max(20, (process.stderr.columns ?? 120) - 1));
      status = line;
      io.err(`\r\x1b[K${line}`);
    } else tell(statusLine(service.status()));
  };
  for (let every = STATUS_EVERY; !io.signal.aborted; every = isTerminal ? STATUS_EVERY : LOG_EVERY) {
    await sleep(io.clock, every, io.signal);
    if (!io.signal.aborted) show();
  }
  process.off('SIGHUP', onHangUp);
  if (status) io.err('\n');
  status = '';
  tell('ending');
  await appliance.close();
  return 0;
}

/** A spool that another process holds is waited for: that one may be just ending. */
async function startWhenFree(
  config: ReaderConfig,
  machine: ReaderMachine,
  signal: AbortSignal,
): Promise<ReaderService | undefined> {
  let said = '';
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      return await startReader(config, machine);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      if (error.message !== said) machine.tell(andThen(error.message, 'Trying again'));
      said = error.message;
      await sleep(machine.clock, backOff({ first: 1000, longest: 30_000 }, failures, machine.random), signal);
    }
  }
  return undefined;
}

const clockText = (at: number): string => new Date(at).toISOString().slice(11, 19);
const count = (n: number): string => n.toLocaleString('en');

/** How things stand, in a line. */
export function statusLine({ ports, spool, uplinks }: ReaderStatus): string {
  const parts = ports.map(({ name, state, counters }) => {
    const refused = Object.values(counters.dropped).reduce((a, b) => a + b, 0);
    return `${name} ${state === 'up' ? `${count(counters.good)} good` : state}${counters.sealed > 0 ? `, ${count(counters.sealed)} sealed` : ''}${refused > 0 ? `, ${count(refused)} refused` : ''}`;
  });
  for (const { name, state, delivered, waiting } of uplinks)
    parts.push(
      `${name} ${state === 'up' ? `${count(delivered)} delivered` : state}${waiting > 0 ? `, ${count(waiting)} wait` : ''}`,
    );
  parts.push(`spool ${(spool.bytes / 1e6).toFixed(1)} MB${spool.state === 'disk' ? '' : ` (${spool.state})`}`);
  return parts.join(' · ');
}
