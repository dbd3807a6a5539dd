/** From the words on the command line to what a run needs; each refusal says which option, what is wrong, and what would do. */
import { fromHex } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import { type DamageRates, nodeCrypto, type Parity, parseHostPort } from '@amiable/io';
import { InvalidArgumentError } from 'commander';
import type { Cipher } from './han/encode.ts';
import type { HanMeter } from './han/meter.ts';
import { findModel, MODELS } from './han/models.ts';
import type { ListKind } from './han/schedule.ts';
import { ORIGIN } from './house/house.ts';
import { createVirtualMeter, virtualCipher, virtualSerial } from './street.ts';

export type Target =
  | { readonly to: 'stdout' }
  | { readonly to: 'file'; readonly path: string }
  | { readonly to: 'tcp'; readonly host: string; readonly port: number }
  | { readonly to: 'pty'; readonly path?: string };

export interface SimulateOptions {
  readonly meter: HanMeter;
  /** What the meter's clock says at the start; absent: the machine's time then. */
  readonly from?: number;
  /** How long, ms of the meter's clock; absent: until stopped. */
  readonly duration?: number;
  readonly fast: boolean;
  readonly target: Target;
  readonly baud: number;
  readonly parity: Parity;
  readonly hex: boolean;
  readonly truth?: string;
  readonly lists?: ReadonlySet<ListKind>;
  readonly noise?: { readonly rates: DamageRates; readonly seed: number };
  /** Keys were made up, so they have to be told. */
  readonly ownKeys: boolean;
}

export const refuse = (message: string): never => {
  throw new InvalidArgumentError(message);
};

export function whole(name: string, value: unknown, min: number, max: number): number {
  const n = Number(value);
  return Number.isInteger(n) && n >= min && n <= max
    ? n
    : refuse(`${name} ${String(value)}: a whole number from ${min} to ${max} is needed`);
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(text.trim());
  const ms = match ? Number(match[1]) * (UNITS[match[2] || 's'] as number) : 0;
  return ms > 0 ? ms : refuse(`--duration ${text}: say a time such as 90s, 10m, 2h or 7d`);
}

export function parseKey(name: string, text: unknown): Uint8Array {
  const value = String(text);
  return /^[0-9a-fA-F]{32}$/.test(value)
    ? fromHex(value)
    : refuse(`${name}: 32 hexadecimal digits are needed, not ${value.length} characters`);
}

export function parseNoise(text: string): DamageRates {
  const rates: Record<string, number> = {};
  for (const word of text.split(',')) {
    const [kind, rate] = word.split('=');
    const value = Number(rate);
    if (!kind || !['drop', 'flip', 'duplicate', 'cut', 'join'].includes(kind.trim()) || !(value >= 0 && value <= 1))
      refuse(`--noise ${word}: say kinds and rates from 0 to 1, e.g. flip=0.02,cut=0.01`);
    rates[(kind as string).trim()] = value;
  }
  return rates;
}

export function parseTarget(text: string): Target {
  if (text === 'stdout' || text === '-') return { to: 'stdout' };
  if (text === 'pty') return { to: 'pty' };
  if (text.startsWith('pty:')) return { to: 'pty', path: text.slice(4) };
  if (text.startsWith('tcp:')) {
    const rest = text.slice(4);
    const at = parseHostPort(/^\d+$/.test(rest) ? `:${rest}` : rest);
    if (at) return { to: 'tcp', ...at };
    if (rest === '0') return { to: 'tcp', host: '', port: 0 };
    return refuse(`--to ${text}: say tcp:PORT or tcp:HOST:PORT, e.g. tcp:7700`);
  }
  return { to: 'file', path: text };
}

export function simulateOptions(given: Record<string, unknown>): SimulateOptions {
  const model =
    findModel(String(given.model ?? 'MA304H3E')) ??
    refuse(`--model ${String(given.model)}: the models are ${MODELS.map((m) => m.name).join(', ')}`);
  const seed = whole('--seed', given.seed ?? 1, 0, 0xffff_ffff) | 0;
  const zone = String(given.tz ?? 'Europe/Oslo');
  if (!isValidZone(zone)) refuse(`--tz ${zone}: an IANA name such as Europe/Oslo is needed`);
  const serial = given.serial === undefined ? virtualSerial(model, seed) : String(given.serial);
  if (!/^\d{16}$/.test(serial)) refuse(`--serial ${serial}: 16 digits are needed`);

  const own = virtualCipher(model, seed, serial);
  if (given.authKey !== undefined && given.key === undefined) refuse('--auth-key needs --key beside it');
  const keys =
    given.key === undefined
      ? undefined
      : {
          key: parseKey('--key', given.key),
          ...(given.authKey === undefined ? {} : { authKey: parseKey('--auth-key', given.authKey) }),
        };
  const cipher: Cipher | undefined = keys
    ? { keys, systemTitle: own.systemTitle, crypto: nodeCrypto }
    : given.encrypt
      ? own
      : undefined;

  const fast = given.fast === true;
  const from = given.from === undefined ? undefined : Date.parse(String(given.from));
  if (Number.isNaN(from)) refuse(`--from ${String(given.from)}: a time such as 2026-01-31T12:00:00Z is needed`);
  if (from !== undefined && from < ORIGIN)
    refuse(`--from ${String(given.from)}: the virtual meters begin on ${new Date(ORIGIN).toISOString().slice(0, 10)}`);
  const duration = given.duration === undefined ? (fast ? UNITS.h : undefined) : parseDuration(String(given.duration));

  let lists: Set<ListKind> | undefined;
  if (given.list !== undefined) {
    lists = new Set(
      String(given.list)
        .split(',')
        .map((n) => whole('--list', n, 1, 3) as ListKind),
    );
    const sent = Object.keys(model.lists).map(Number);
    if (![...lists].some((list) => sent.includes(list)))
      refuse(`--list ${String(given.list)}: ${model.name} sends ${sent.join(' and ')} only`);
  }
  const parity = given.parity === undefined ? model.parity : String(given.parity).toUpperCase();
  if (parity !== 'N' && parity !== 'E' && parity !== 'O') return refuse(`--parity ${parity}: N, E or O`);
  return {
    meter: createVirtualMeter({
      seed,
      street: seed,
      zone,
      model,
      serial,
      car: given.car === true,
      solar: given.solar === true,
      ...(cipher ? { cipher } : {}),
    }),
    ...(from === undefined ? {} : { from }),
    ...(duration === undefined ? {} : { duration }),
    fast,
    target: parseTarget(String(given.to ?? 'stdout')),
    baud: whole('--baud', given.baud ?? 2400, 300, 115_200),
    parity,
    hex: given.hex === true,
    ...(given.truth === undefined ? {} : { truth: String(given.truth) }),
    ...(lists ? { lists } : {}),
    ...(given.noise === undefined
      ? {}
      : {
          noise: {
            rates: parseNoise(String(given.noise)),
            seed: whole('--noise-seed', given.noiseSeed ?? 1, 0, 0xffff_ffff),
          },
        }),
    ownKeys: keys === undefined && cipher !== undefined,
  };
}
