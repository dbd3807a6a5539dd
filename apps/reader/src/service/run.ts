/**
 * One run of `amiable reader`: loads the configuration, starts the service, shows one line of status, reads the configuration
 * anew on SIGHUP, ends in order. Everything for a person goes to stderr.
 */
import { join, resolve } from 'node:path';
import { backOff, PortError, sleep } from '@amiable/io';
import { createConfigStore, faultText, type Loaded, type ReaderConfig } from '../config/index.ts';
import type { ReadIo } from '../machine.ts';
import { startReader } from './service.ts';
import type { ReaderMachine, ReaderService, ReaderStatus } from './types.ts';

export interface ReaderRunOptions {
  readonly data: string;
  /** The folder was named: the spool lies there, wherever the configuration does. */
  readonly dataGiven?: boolean;
  readonly config?: string;
  readonly set?: readonly string[];
}

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
    hash: async (password) => (await import('@node-rs/argon2')).hash(password),
  });
  const configOf = (loaded: Loaded): ReaderConfig | undefined => {
    for (const fault of loaded.faults) tell(faultText(fault, file));
    for (const warning of loaded.warnings) tell(warning);
    const { config } = loaded;
    if (!config || !options.dataGiven || loaded.origins.has('spool.folder')) return config;
    return { ...config, spool: { ...config.spool, folder: join(data, 'spool') } };
  };

  const config = configOf(await store.load());
  if (!config) return 2;
  if (config.ports.length === 0) {
    tell(`no port is configured; name one in ${file} (port.device=/dev/ttyUSB0) or with --set`);
    return 2;
  }
  const machine: ReaderMachine = {
    clock: io.clock,
    random: io.random,
    tell,
    ...(io.serialBinding === undefined ? {} : { serialBinding: io.serialBinding }),
  };
  const service = await startWhenFree(config, machine, io.signal);
  if (!service) return 0;

  const reload = async () => {
    try {
      const now = configOf(await store.load());
      if (!now) return tell('the configuration stays as it was');
      await service.apply(now);
      tell('the configuration was read anew');
    } catch (error) {
      tell((error as Error).message);
    }
  };
  const onHangUp = () => void reload();
  process.on('SIGHUP', onHangUp);

  const show = () => {
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
  await service.stop();
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
      if (error.message !== said) machine.tell(`${error.message}. Trying again`);
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
