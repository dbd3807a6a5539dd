/** From the words of `simulate meter` to what a run needs; each refusal says which option, what is wrong, and what would do. */
import { isValidZone } from '@amiable/calendar';
import type { SecuritySuite } from '@amiable/dlms';
import { parseHostPort } from '@amiable/io';
import { InvalidArgumentError } from 'commander';
import type { EnergyRegister, MeterConfig } from '../electricity/index.ts';
import type { SlaveKind } from '../mbus/install.ts';
import { MEDIA } from './factory.ts';

export interface MeterRunOptions {
  readonly seed: number;
  readonly zone: string;
  readonly suite: SecuritySuite;
  readonly config: Partial<MeterConfig>;
  readonly capturePeriod: 15 | 30 | 60;
  /** Registers of the periodic profile; as delivered when undefined. */
  readonly columns?: readonly EnergyRegister[];
  readonly slaves: readonly (typeof MEDIA)[number][];
  /** What they are on the bus: meters, or something that stands for one. */
  readonly slaveKinds: readonly SlaveKind[];
  /** The line that its slaves are on; undefined: a bus of its own. */
  readonly mbus?: BusLine;
  readonly solar: boolean;
  readonly car: boolean;
  readonly history: number;
  readonly speed: number;
  readonly from?: number;
  readonly host: string;
  readonly wrapperPort: number;
  readonly hdlcPort: number;
  readonly udp: boolean;
  /** Files, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Port of the page; undefined without one. */
  readonly pagePort?: number;
  /** A pseudo-terminal or serial line beside TCP. */
  readonly to?: { readonly kind: 'pty' | 'serial'; readonly path?: string };
  readonly state?: string;
  /** File that passwords and keys of all meters are written to. */
  readonly keys?: string;
  readonly count: number;
  readonly ports: number;
  /** Brings all meters of a fleet up to the present this often, ms; 0: only when asked. */
  readonly sweep: number;
  /** Times as often as in an ordinary network. */
  readonly disturbances?: number;
}

export type BusLine =
  | { readonly to: 'tcp'; readonly host: string; readonly port: number }
  | { readonly to: 'line'; readonly path: string; readonly baud: number };

/** Kinds that give a medium's value without being its meter. */
const BEHIND_OTHERS = ['ocr-gas', 'ocr-water', 'gas-module'] as const;
const MEDIUM_OF = { 'ocr-gas': 'gas', 'ocr-water': 'water-cold', 'gas-module': 'gas' } as const;

const refuse = (message: string): never => {
  throw new InvalidArgumentError(message);
};

function whole(name: string, value: unknown, min: number, max: number): number {
  const n = Number(value);
  return Number.isInteger(n) && n >= min && n <= max
    ? n
    : refuse(`${name} ${String(value)}: a whole number from ${min} to ${max} is needed`);
}

function oneOf<const T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  return choices.find((choice) => choice === value) ?? refuse(`${name} ${String(value)}: ${choices.join(', ')}`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function duration(name: string, value: unknown): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd])$/.exec(String(value).trim());
  if (String(value) === '0') return 0;
  return match
    ? Number(match[1]) * (UNITS[match[2] as string] as number)
    : refuse(`${name} ${String(value)}: say a time such as 90s, 10m, 2h or 40d`);
}

function target(value: unknown): MeterRunOptions['to'] {
  if (value === undefined) return undefined;
  const said = String(value);
  if (said === 'pty') return { kind: 'pty' };
  if (said.startsWith('pty:')) return { kind: 'pty', path: said.slice(4) };
  if (said.startsWith('/') || /^COM\d+$/i.test(said)) return { kind: 'serial', path: said };
  return refuse(`--to ${said}: say pty, pty:PATH or the path of a serial port`);
}

/** `inside`, `tcp:HOST:PORT`, or the path of a serial port or pseudo-terminal. */
function busOption(value: unknown): BusLine | undefined {
  if (value === undefined || value === 'inside') return undefined;
  const said = String(value);
  if (said.startsWith('tcp:')) {
    const at = parseHostPort(said.slice(4));
    return at ? { to: 'tcp', ...at, host: at.host || '127.0.0.1' } : refuse(`--mbus ${said}: say tcp:HOST:PORT`);
  }
  const path = said.startsWith('pty:') ? said.slice(4) : said;
  if (path.startsWith('/') || /^COM\d+$/i.test(path)) return { to: 'line', path, baud: 2400 };
  return refuse(`--mbus ${said}: say inside, tcp:HOST:PORT, or the path of a serial port or pseudo-terminal`);
}

const REGISTERS: readonly EnergyRegister[] = ['1.8.0', '2.8.0', '15.8.0', '1.8.1', '1.8.2', '2.8.1', '2.8.2'];

/** Of the periodic profile. */
function columnsOption(value: unknown): readonly EnergyRegister[] | undefined {
  if (value === undefined) return undefined;
  const columns = String(value)
    .split(',')
    .map((word) => oneOf('--columns', word.trim().replace(/^1-0:/, ''), REGISTERS));
  if (columns.length > 4 || new Set(columns).size < columns.length)
    return refuse(`--columns ${String(value)}: one to four registers, each once`);
  return columns;
}

const YEAR = 366 * 86_400_000;

/** @throws InvalidArgumentError */
export function meterOptions(given: Record<string, unknown>): MeterRunOptions {
  const zone = String(given.tz ?? 'Europe/Oslo');
  if (!isValidZone(zone)) refuse(`--tz ${zone}: an IANA name such as Europe/Oslo is needed`);
  const speed = Number(String(given.speed ?? '1').replace(/x$/, ''));
  if (!(speed >= 0 && speed <= 100_000)) refuse(`--speed ${String(given.speed)}: say 1x to 100000x`);
  const from = given.from === undefined ? undefined : Date.parse(String(given.from));
  if (Number.isNaN(from)) refuse(`--from ${String(given.from)}: a time such as 2026-01-31T12:00:00Z is needed`);
  if (from !== undefined && (from < Date.UTC(2021, 0, 1) || from > Date.UTC(2090, 0, 1)))
    refuse(`--from ${String(given.from)}: the virtual meters live from 2021 to 2090`);
  const slaveKinds = given.slaves
    ? String(given.slaves)
        .split(',')
        .map((word) => oneOf('--slaves', word.trim(), [...MEDIA, ...BEHIND_OTHERS]))
    : [];
  const slaves = slaveKinds.map(
    (kind) => MEDIUM_OF[kind as keyof typeof MEDIUM_OF] ?? (kind as (typeof MEDIA)[number]),
  );
  const mbus = busOption(given.mbus);
  if (slaves.length > 4) refuse(`--slaves ${String(given.slaves)}: four at most`);
  const count = whole('--count', given.count ?? 1, 1, 16_381);
  const ports = whole('--ports', given.ports ?? 1, 1, 1000);
  if (mbus && (count > 1 || ports > 1)) refuse('--mbus: for one meter; those of a fleet have slaves of their own');
  if (mbus && slaves.length === 0) refuse('--mbus: say with --slaves which media are at addresses 1, 2, 3, 4');
  if (count > 1 && ports > 1) refuse('--count and --ports: one of both');
  // One meter has rows to show; what each of many has lived costs time when it is first asked.
  const history = duration('--history', given.history ?? (count > 1 || ports > 1 ? '0' : '3d'));
  if (history > 2 * YEAR) refuse(`--history ${String(given.history)}: two years (732d) at most`);
  const host = String(given.host ?? '127.0.0.1');
  if (!parseHostPort(`${host.includes(':') ? `[${host}]` : host}:1`)) refuse(`--host ${host}: an address is needed`);
  const port = whole('--port', given.port ?? 4059, 0, 65_535);
  if (port !== 0 && port + ports - 1 > 65_535)
    refuse(
      `--port ${port} with --ports ${ports}: the last would be ${port + ports - 1}, and 65535 is the highest there is`,
    );
  const hdlcPort = whole('--hdlc-port', given.hdlcPort ?? (port === 0 ? 0 : 4062), 0, 65_535);
  const page =
    given.page === false ? undefined : whole('--page', given.page ?? (count > 1 || ports > 1 ? 0 : 4080), 0, 65_535);
  const to = target(given.to);
  if ((given.module ?? 'gprs') === 'plc' && (given.input ?? 'none') !== 'none')
    refuse(`--input ${String(given.input)}: alert and S0 inputs are fitted to --module gprs only`);
  if ((given.tlsCert === undefined) !== (given.tlsKey === undefined)) refuse('--tls-cert and --tls-key: both or none');
  const period = whole('--period', given.period ?? 60, 15, 60);
  if (period !== 15 && period !== 30 && period !== 60) return refuse(`--period ${period}: 15, 30 or 60`);
  const columns = columnsOption(given.columns);
  return {
    seed: whole('--seed', given.seed ?? 1, 0, 1_000_000),
    zone,
    suite: whole('--suite', given.suite ?? 0, 0, 2) as SecuritySuite,
    config: {
      type: given.singlePhase === true ? 'single-phase' : 'polyphase',
      module: oneOf('--module', given.module ?? 'gprs', ['gprs', 'plc']),
      disconnecter: given.disconnecter !== false,
      interface: oneOf('--interface', given.interface ?? 'relay', ['relay', 's0', 'rate-input']),
      extraInput: oneOf('--input', given.input ?? 'none', ['none', 'alert', 's0']),
    },
    capturePeriod: period,
    ...(columns && { columns }),
    slaves,
    slaveKinds,
    ...(mbus && { mbus }),
    solar: given.solar === true,
    car: given.car === true,
    history,
    speed,
    ...(from !== undefined && { from }),
    host,
    wrapperPort: port,
    hdlcPort,
    udp: given.udp === true,
    ...(given.tlsCert !== undefined && { tls: { cert: String(given.tlsCert), key: String(given.tlsKey) } }),
    ...(page !== undefined && !(given.page === undefined && (count > 1 || ports > 1)) && { pagePort: page }),
    ...(to && { to }),
    ...(given.state !== undefined && { state: String(given.state) }),
    ...(given.keys !== undefined && { keys: String(given.keys) }),
    count,
    ports,
    sweep: duration('--sweep', given.sweep ?? '0'),
    ...(given.disturbances !== undefined && { disturbances: whole('--disturbances', given.disturbances, 0, 365) }),
  };
}
