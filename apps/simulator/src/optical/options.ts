/** From the words of `simulate optical` to what a run needs; each refusal says which option, what is wrong, and what would do. */
import { isValidZone } from '@amiable/calendar';
import { RATES } from '@amiable/iec62056-21';
import { parseHostPort } from '@amiable/io';
import { InvalidArgumentError } from 'commander';

export type OpticalTarget =
  | { readonly to: 'stdout' }
  | { readonly to: 'file'; readonly path: string }
  | { readonly to: 'tcp'; readonly host: string; readonly port: number }
  | { readonly to: 'pty'; readonly path?: string }
  | { readonly to: 'serial'; readonly path: string };

export interface OpticalRunOptions {
  readonly seed: number;
  readonly zone: string;
  readonly car: boolean;
  readonly solar: boolean;
  readonly singlePhase: boolean;
  /** E is C with the hand-over to HDLC. */
  readonly mode: 'A' | 'B' | 'C' | 'D' | 'E';
  readonly baud: number;
  readonly address?: string;
  readonly identification: string;
  readonly passwords: { readonly 1: string; readonly 2: string };
  readonly wakeUp: boolean;
  /** Mode D: between telegrams, ms. */
  readonly every: number;
  readonly history: number;
  readonly from?: number;
  readonly duration?: number;
  readonly fast: boolean;
  readonly target: OpticalTarget;
  readonly truth?: string;
}

const refuse = (message: string): never => {
  throw new InvalidArgumentError(message);
};

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function duration(name: string, value: unknown): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(String(value).trim());
  return match
    ? Number(match[1]) * (UNITS[match[2] || 's'] as number)
    : refuse(`${name} ${String(value)}: say a time such as 10s, 5m, 2h or 40d`);
}

function targetOf(text: string): OpticalTarget {
  if (text === 'stdout' || text === '-') return { to: 'stdout' };
  if (text === 'pty') return { to: 'pty' };
  if (text.startsWith('pty:')) return { to: 'pty', path: text.slice(4) };
  if (text.startsWith('tcp:')) {
    const rest = text.slice(4);
    if (/^(?:[^:]*:)?0$/.test(rest)) return { to: 'tcp', host: rest.replace(/:?0$/, ''), port: 0 };
    const at = parseHostPort(/^\d+$/.test(rest) ? `:${rest}` : rest);
    return at ? { to: 'tcp', ...at } : refuse(`--to ${text}: say tcp:PORT or tcp:HOST:PORT, e.g. tcp:7710`);
  }
  if (text.startsWith('/dev/') || /^COM\d+$/i.test(text)) return { to: 'serial', path: text };
  return { to: 'file', path: text };
}

function password(name: string, value: unknown): string {
  const text = String(value);
  return /^[\x20-\x27\x2a-\x7e]{0,32}$/.test(text)
    ? text
    : refuse(`${name}: up to 32 printable characters without brackets are needed`);
}

/** @throws InvalidArgumentError */
export function opticalOptions(given: Record<string, unknown>): OpticalRunOptions {
  const mode = String(given.mode ?? 'C').toUpperCase();
  if (!/^[A-E]$/.test(mode)) refuse(`--mode ${String(given.mode)}: A, B, C, D or E`);
  const zone = String(given.tz ?? 'Europe/Oslo');
  if (!isValidZone(zone)) refuse(`--tz ${zone}: an IANA name such as Europe/Oslo is needed`);
  const baud = Number(given.baud ?? (mode === 'A' ? 300 : mode === 'D' ? 2400 : 9600));
  if (!(RATES as readonly number[]).includes(baud)) refuse(`--baud ${String(given.baud)}: one of ${RATES.join(', ')}`);
  if (mode === 'A' && baud !== 300) refuse('--mode A has one rate: 300');
  if (mode === 'D' && baud !== 2400) refuse('--mode D has one rate: 2400');
  if (mode === 'B' && baud === 300) refuse('--mode B has rates from 600 on');
  const seed = Number(given.seed ?? 1);
  if (!Number.isInteger(seed) || seed < 0 || seed > 1_000_000)
    refuse(`--seed ${String(given.seed)}: a whole number from 0 to 1000000 is needed`);
  const address = given.address === undefined ? undefined : String(given.address);
  if (address !== undefined && !/^[0-9A-Za-z ]{1,32}$/.test(address))
    refuse(`--address ${address}: up to 32 digits and letters are needed`);
  const identification = String(given.identification ?? 'AMIABLE21');
  if (!/^[\x20-\x7e]{1,16}$/.test(identification) || /[/!]/.test(identification))
    refuse(`--identification ${identification}: up to 16 printable characters without / and ! are needed`);
  const from = given.from === undefined ? undefined : Date.parse(String(given.from));
  if (Number.isNaN(from)) refuse(`--from ${String(given.from)}: a time such as 2026-01-31T12:00:00Z is needed`);
  if (from !== undefined && (from < Date.UTC(2021, 0, 1) || from > Date.UTC(2090, 0, 1)))
    refuse(`--from ${String(given.from)}: the virtual meters live from 2021 to 2090`);
  const fast = given.fast === true;
  const target = targetOf(String(given.to ?? (mode === 'D' ? 'stdout' : 'pty')));
  if ((target.to === 'stdout' || target.to === 'file') && mode !== 'D')
    refuse(
      `--to ${target.to === 'file' ? target.path : 'stdout'}: a meter in mode ${mode} has to be asked; say pty, tcp:PORT or a serial port, or --mode D`,
    );
  return {
    seed,
    zone,
    car: given.car === true,
    solar: given.solar === true,
    singlePhase: given.singlePhase === true,
    mode: mode as OpticalRunOptions['mode'],
    baud,
    ...(address !== undefined && { address }),
    identification,
    passwords: {
      1: password('--password', given.password ?? '00000000'),
      2: password('--password2', given.password2 ?? '11111111'),
    },
    wakeUp: given.wakeUp === true,
    every: duration('--every', given.every ?? '10s'),
    history: duration('--history', given.history ?? '40d'),
    ...(from !== undefined && { from }),
    ...(given.duration === undefined
      ? fast && mode === 'D' && (target.to === 'stdout' || target.to === 'file')
        ? { duration: 60_000 }
        : {}
      : { duration: duration('--duration', given.duration) }),
    fast,
    target,
    ...(given.truth !== undefined && { truth: String(given.truth) }),
  };
}
