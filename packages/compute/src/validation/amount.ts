/**
 * Amounts of rules as mantissas of a series, and mantissas as words for people.
 *
 * Decides: `5 kWh` is an amount of the interval, `17 kW` the mean power over it, a bare number is in the unit of the series. An amount
 * of another kind (m3 for electricity) is a misuse: the rule does not fit the series.
 */
import { MisuseError } from '@amiable/bytes';
import { toLocal } from '@amiable/calendar';
import type { Amount, Unit } from '@amiable/model';

const FORM = /^([+-]?\d+(?:\.\d+)?)\s*(\S+)$/;
const PREFIXES: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };
/** Power by the unit of the energy that it makes in an hour. */
const POWER_OF: Readonly<Record<string, Unit>> = { W: 'Wh', var: 'varh', VA: 'VAh', 'm3/h': 'm3' };
const OTHER: Readonly<Record<string, readonly [Unit, number]>> = {
  l: ['m3', 1e-3],
  kJ: ['J', 1e3],
  MJ: ['J', 1e6],
  GJ: ['J', 1e9],
};

/** @param step length of an interval, ms @throws MisuseError for an amount of another kind */
export function mantissaOf(amount: Amount, unit: Unit, scaler: number, step: number, rule: string): number {
  const scale = 10 ** -scaler;
  if (typeof amount === 'number') return amount * scale;
  const [, number, written] = FORM.exec(amount) as unknown as [string, string, string];
  let base = written;
  let factor = Number(number);
  const other = OTHER[written];
  const prefix = PREFIXES[written[0] as string];
  if (other) {
    base = other[0];
    factor *= other[1];
  } else if (prefix !== undefined && written.length > 1) {
    base = written.slice(1);
    factor *= prefix;
  }
  if (base === unit) return factor * scale;
  if (POWER_OF[base] === unit) return ((factor * step) / 3_600_000) * scale;
  throw new MisuseError(`rule "${rule}": ${amount} cannot be compared with values in ${unit}`);
}

const KILO: ReadonlySet<string> = new Set(['Wh', 'varh', 'VAh', 'W', 'var', 'VA', 'J']);

/** Four significant digits at least, none lost before the point. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const places = Math.abs(value) >= 1000 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return grouped(Number(value.toFixed(Math.min(places, 6))).toString());
}

function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',') + (fraction ? `.${fraction}` : '');
}

/** A mantissa as an amount: `3.9 kWh`, `12 Wh`. */
export function words(mantissa: number, unit: string, scaler: number): string {
  const value = mantissa * 10 ** scaler;
  if (KILO.has(unit) && Math.abs(value) >= 1000) return `${number(value / 1000)} k${unit}`;
  return `${number(value)} ${unit}`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** Local time for a sentence: `2026-03-01 14:15`. */
export function clock(zone: string, time: number): string {
  const wall = new Date(toLocal(zone, time));
  return `${wall.getUTCFullYear()}-${two(wall.getUTCMonth() + 1)}-${two(wall.getUTCDate())} ${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}`;
}

/** `2 h 30 min`, `3 days`. */
export function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  if (minutes < 2 * 1440)
    return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
  return `${number(Math.round((minutes / 1440) * 10) / 10)} days`;
}
