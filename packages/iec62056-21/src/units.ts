/**
 * Units as meters print them behind the star (IEC 62056-21 leaves them free; EN 1434-3 and makers' lists), in terms of the
 * base units of the canonical message.
 *
 * Decides: letters to base unit and power of ten. Case matters only where it tells milli from mega. Leaves out: units that no
 * base unit stands for; the value is then kept without one.
 */
import type { Unit } from '@amiable/model';

export interface UnitText {
  readonly unit: Unit;
  /** value in the base unit = value × 10^power. */
  readonly power: number;
}

const PREFIXES: readonly (readonly [string, number])[] = [
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['m', -3],
];

/** These take the prefixes. */
const PREFIXED: readonly (readonly [text: string, unit: Unit])[] = [
  ['W', 'W'],
  ['Wh', 'Wh'],
  ['var', 'var'],
  ['varh', 'varh'],
  ['VA', 'VA'],
  ['VAh', 'VAh'],
  ['V', 'V'],
  ['A', 'A'],
  ['Ah', 'Ah'],
  ['J', 'J'],
  ['bar', 'bar'],
];

const OTHERS: readonly (readonly [text: string, unit: Unit, power?: number])[] = [
  ['Hz', 'Hz'],
  ['m3', 'm3'],
  ['m^3', 'm3'],
  ['m3n', 'm3'],
  ['Nm3', 'm3'],
  ['m3ph', 'm3/h'],
  ['m3/h', 'm3/h'],
  ['m3h', 'm3/h'],
  ['l', 'm3', -3],
  ['dm3', 'm3', -3],
  ['lph', 'm3/h', -3],
  ['l/h', 'm3/h', -3],
  ['C', 'degC'],
  ['degC', 'degC'],
  // A degree sign of Latin-1 with its bit 7 taken off.
  ['0C', 'degC'],
  ['°C', 'degC'],
  ['K', 'K'],
  ['Pa', 'bar', -5],
  ['hPa', 'bar', -3],
  ['kPa', 'bar', -2],
  ['MPa', 'bar', 1],
  ['GJ/h', 'J/h', 9],
  ['MJ/h', 'J/h', 6],
  ['kJ/h', 'J/h', 3],
  ['MJh', 'J/h', 6],
  ['GJh', 'J/h', 9],
  ['h', 'h'],
  ['hr', 'h'],
  // Measuring periods of heat meters.
  ['m', 'min'],
  ['min', 'min'],
  ['s', 's'],
  ['sec', 's'],
  ['d', 'd'],
  ['day', 'd'],
  ['days', 'd'],
  ['kg', 'kg'],
  ['t', 'kg', 3],
  ['kg/h', 'kg/h'],
  ['t/h', 'kg/h', 3],
  ['%', '1', -2],
  ['deg', 'deg'],
  ['°', 'deg'],
  ['V2h', 'V2h'],
  ['A2h', 'A2h'],
  ['dBm', 'dBm'],
  ['dB', 'dB'],
];

const EXACT = new Map<string, UnitText>();
const ANY_CASE = new Map<string, UnitText>();
for (const [text, unit] of PREFIXED)
  for (const [prefix, power] of PREFIXES) {
    EXACT.set(prefix + text, { unit, power });
    const lower = (prefix + text).toLowerCase();
    if (!ANY_CASE.has(lower)) ANY_CASE.set(lower, { unit, power });
  }
for (const [text, unit, power = 0] of OTHERS) {
  EXACT.set(text, { unit, power });
  const lower = text.toLowerCase();
  if (!ANY_CASE.has(lower)) ANY_CASE.set(lower, { unit, power });
}

/** What a printed unit means; undefined when it is not known. */
export function unitOfText(text: string): UnitText | undefined {
  const plain = text.trim();
  return EXACT.get(plain) ?? ANY_CASE.get(plain.toLowerCase());
}
