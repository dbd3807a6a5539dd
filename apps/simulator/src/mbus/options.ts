/** From the words of `simulate mbus` to what a run needs; each refusal says which option, what is wrong, and what would do. */
import { isValidZone } from '@amiable/calendar';
import type { DamageRates } from '@amiable/io';
import type { WirelessForm } from '@amiable/mbus';
import { parseDuration, parseKey, parseNoise, parseTarget, refuse, type Target, whole } from '../options.ts';
import { HUNG_UP } from './consumption.ts';
import type { GasParameters } from './gas-module/index.ts';
import { SLAVE_KINDS, type SlaveKind } from './install.ts';
import { FAULTS, type SlaveFault } from './slave.ts';

export interface MbusRunOptions {
  readonly seed: number;
  readonly zone: string;
  readonly kinds: readonly SlaveKind[];
  readonly faults: ReadonlyMap<number, SlaveFault>;
  readonly collide?: 'identification' | 'full' | 'primary';
  readonly gas?: { readonly parameters: Partial<GasParameters>; readonly credit: number };
  readonly baud: number;
  /** What clocks say at the start; absent: the machine's time then. */
  readonly from?: number;
  readonly duration?: number;
  readonly speed: number;
  readonly fast: boolean;
  /** A line that a master asks, or where the answers go that a master of our own has got. */
  readonly target: Target | { readonly to: 'serial'; readonly path: string };
  /** How often our own master asks, or a device sends, ms. */
  readonly every: number;
  readonly wireless?: { readonly form: WirelessForm; readonly key?: Uint8Array; readonly ownKeys: boolean };
  readonly noise?: { readonly rates: DamageRates; readonly seed: number };
  readonly truth?: string;
}

const RATES = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400];
const COLLISIONS = ['identification', 'full', 'primary'] as const;
const FORMS = { a: 'A', b: 'B', bare: 'bare' } as const;

/** @throws InvalidArgumentError */
export function mbusOptions(given: Record<string, unknown>): MbusRunOptions {
  const zone = String(given.tz ?? 'Europe/Oslo');
  if (!isValidZone(zone)) refuse(`--tz ${zone}: an IANA name such as Europe/Oslo is needed`);
  const kinds = String(given.slaves ?? 'gas,water-cold,heat')
    .split(',')
    .map((word) => {
      const kind = SLAVE_KINDS.find((each) => each === word.trim());
      return kind ?? refuse(`--slaves ${word}: ${SLAVE_KINDS.join(', ')}`);
    });
  if (kinds.length > 80) refuse(`--slaves: ${kinds.length} are too many; 80 at most`);
  const baud = whole('--baud', given.baud ?? 2400, 300, 38_400);
  if (!RATES.includes(baud)) refuse(`--baud ${baud}: ${RATES.join(', ')}`);
  const from = given.from === undefined ? undefined : Date.parse(String(given.from));
  if (Number.isNaN(from)) refuse(`--from ${String(given.from)}: a time such as 2026-01-31T12:00:00Z is needed`);
  if (from !== undefined && (from < HUNG_UP || from > Date.UTC(2090, 0, 1)))
    refuse(`--from ${String(given.from)}: the virtual slaves live from ${new Date(HUNG_UP).getUTCFullYear()} to 2090`);
  const speed = Number(String(given.speed ?? '1').replace(/x$/, ''));
  if (!(speed > 0 && speed <= 100_000)) refuse(`--speed ${String(given.speed)}: say 1x to 100000x`);
  const fast = given.fast === true;
  const wireless = wirelessOf(given);
  const target = targetOf(String(given.to ?? (wireless ? 'stdout' : 'pty')));
  const asked = target.to === 'pty' || target.to === 'tcp' || target.to === 'serial';
  if (fast && asked && !wireless)
    refuse('--fast: a line that a master asks goes at its own pace; for --to stdout or a file');
  const duration =
    given.duration === undefined ? (fast ? 86_400_000 : undefined) : parseDuration(String(given.duration));
  const collide = given.collide === undefined ? undefined : COLLISIONS.find((c) => c === given.collide);
  if (given.collide !== undefined && !collide) refuse(`--collide ${String(given.collide)}: ${COLLISIONS.join(', ')}`);
  const gas = gasOf(given);
  return {
    seed: whole('--seed', given.seed ?? 1, 0, 1_000_000),
    zone,
    kinds,
    faults: faultsOf(given.fault),
    ...(collide && { collide }),
    ...(gas && { gas }),
    baud,
    ...(from !== undefined && { from }),
    ...(duration !== undefined && { duration }),
    speed,
    fast,
    target,
    every: parseDuration(String(given.every ?? '15m')),
    ...(wireless && { wireless }),
    ...(given.noise !== undefined && {
      noise: {
        rates: parseNoise(String(given.noise)),
        seed: whole('--noise-seed', given.noiseSeed ?? 1, 0, 0xffff_ffff),
      },
    }),
    ...(given.truth !== undefined && { truth: String(given.truth) }),
  };
}

function targetOf(text: string): MbusRunOptions['target'] {
  if (/^\/dev\/|^COM\d+$/i.test(text)) return { to: 'serial', path: text };
  return parseTarget(text);
}

function wirelessOf(given: Record<string, unknown>): MbusRunOptions['wireless'] {
  if (given.wireless !== true) {
    for (const option of ['key', 'encrypt', 'form'])
      if (given[option] !== undefined) refuse(`--${option} needs --wireless`);
    return undefined;
  }
  const form = FORMS[String(given.form ?? 'A').toLowerCase() as keyof typeof FORMS];
  if (!form) return refuse(`--form ${String(given.form)}: A, B or bare`);
  if (given.key !== undefined) return { form, key: parseKey('--key', given.key), ownKeys: false };
  return { form, ownKeys: given.encrypt === true };
}

function faultsOf(text: unknown): Map<number, SlaveFault> {
  const faults = new Map<number, SlaveFault>();
  if (text === undefined) return faults;
  for (const word of String(text).split(',')) {
    const [number, kind] = word.split('=');
    const fault = FAULTS.find((each) => each === kind?.trim());
    const n = Number(number);
    if (!fault || !Number.isInteger(n) || n < 1)
      refuse(`--fault ${word}: number of a slave and what is wrong with it, e.g. 2=busy; ${FAULTS.join(', ')}`);
    else faults.set(n, fault);
  }
  return faults;
}

function gasOf(given: Record<string, unknown>): MbusRunOptions['gas'] {
  if (given.credit === undefined) return undefined;
  const credit = Number(given.credit);
  if (!(Math.abs(credit) <= 100_000)) return refuse(`--credit ${String(given.credit)}: an amount of money, e.g. 12.50`);
  return { parameters: { mode: 'prepayment' }, credit: Math.round(credit * 100_000) };
}
