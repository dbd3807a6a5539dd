/**
 * Which of the registers of a meter a metering is made of, by the table of quantities (model/metering.ts).
 *
 * Decides: a register belongs to a quantity by its short code, where it says the medium by that too; of several the one that covers the
 * time best, then intervals before cumulative registers before mean powers, then the finest. Leaves out: values.
 */
import { INTERVAL_ADDRESS, type Quantity } from '@amiable/model';
import type { Register, Registers } from '../registers.ts';
import type { SourceKind } from './types.ts';

export interface Candidate {
  readonly register: number;
  readonly kind: SourceKind;
  /** Seconds; 0: as the meter sent it, to be seen of its blocks. */
  readonly period: number;
}

/** Coarser profiles (daily, monthly) are showings of a register, no source of intervals. */
export const COARSEST = 3600;
const FINEST = 60;
const RANK: Readonly<Record<SourceKind, number>> = { interval: 0, register: 1, power: 2 };
/** Counters of a slave are told apart by name alone: the code says its channel. */
const SLAVE = /^0:24\.2\./;
const NAMES: Readonly<Record<string, RegExp>> = {
  gasVolume: /gas/i,
  waterVolume: /^(?!.*(hot|warm)).*water/i,
  hotWaterVolume: /(hot|warm).*water/i,
  heatEnergy: /heat/i,
  coolingEnergy: /cool|cold/i,
};

function isCode(register: Register, code: string, quantity: Quantity): boolean {
  const { obis, short } = register;
  if (obis === undefined || short === undefined) return false;
  const medium = obis.slice(0, obis.indexOf('-'));
  if (!code.includes(':')) return medium === '1' && short === code;
  if (code !== `${medium}:${short}`) return false;
  return !SLAVE.test(code) || (NAMES[quantity.name]?.test(register.name) ?? false);
}

/** All registers that could be a source of a quantity, showings of days and months among them. */
export function candidatesOf(registers: Registers, quantity: Quantity): Candidate[] {
  const found: Candidate[] = [];
  for (const register of registers.all()) {
    const { id, period, stat, unit, address } = register;
    if (address === INTERVAL_ADDRESS || register.obis === undefined) continue;
    if ((register.storage ?? 0) !== 0 || (register.tariff ?? 0) !== 0 || (register.subunit ?? 0) !== 0) continue;
    const is = (codes: readonly string[]): boolean => codes.some((code) => isCode(register, code, quantity));
    if (stat === 'value' && unit === quantity.unit && is(quantity.registers))
      found.push({ register: id, kind: 'register', period });
    else if (stat === 'value' && unit === quantity.unit && period > 0 && is(quantity.intervals))
      found.push({ register: id, kind: 'interval', period });
    else if ((stat === 'value' || stat === 'mean') && period > 0 && is(quantity.powers))
      found.push({ register: id, kind: 'power', period });
  }
  return found;
}

/** Blocks of one register of one meter, out of their headers; by day, rising. */
export interface Headers {
  readonly days: number[];
  /** When the first value of each stands, ms after the start of the day. */
  readonly starts: number[];
  readonly steps: number[];
  /** Places of each block. */
  readonly places: number[];
  /** Values that are there. */
  readonly counts: number[];
  readonly versions: number[];
}

/** Seconds from value to value: the register's own, else the commonest distance that fills an hour. */
export function periodOf(candidate: Candidate, headers: Headers): number {
  if (candidate.period > 0) return candidate.period;
  const seen = new Map<number, number>();
  for (const step of headers.steps) seen.set(step, (seen.get(step) ?? 0) + 1);
  let best = 0;
  for (const [step, n] of seen) if (step > 0 && n > (seen.get(best) ?? 0)) best = step;
  const seconds = best / 1000;
  // What comes every few seconds is differenced by quarters; what comes at any time, by hours.
  if (seconds > 0 && seconds < FINEST) return 900;
  return Number.isInteger(seconds) && seconds > 0 && 3600 % seconds === 0 ? seconds : COARSEST;
}

export interface Source extends Candidate {
  readonly headers: Headers;
}

/** The source of intervals, and beside one that is no register the register that it should agree with. */
export function chooseSource(
  candidates: readonly Candidate[],
  headersOf: ReadonlyMap<number, Headers>,
): { readonly source: Source; readonly showings: Source | undefined } | undefined {
  const there: Source[] = [];
  for (const candidate of candidates) {
    const headers = headersOf.get(candidate.register);
    if (headers) there.push({ ...candidate, period: periodOf(candidate, headers), headers });
  }
  const fine = there.filter((s) => s.period <= COARSEST);
  const most = fine.reduce((n, s) => Math.max(n, s.headers.days.length), 0);
  const [source] = fine
    .filter((s) => s.headers.days.length >= most * 0.8)
    .sort((a, b) => RANK[a.kind] - RANK[b.kind] || a.period - b.period || b.register - a.register);
  if (!source) return undefined;
  const [showings] =
    source.kind === 'register'
      ? []
      : there
          .filter((s) => s.kind === 'register')
          .sort((a, b) => b.headers.days.length - a.headers.days.length || a.period - b.period);
  return { source, showings };
}
