/**
 * Units as telegrams write them (DSMR P1 companion standard 5.0.2 clause 6.12; IEC 62056-21 leaves them to the maker), to base
 * units and a power of ten. Whatever the case: some meters write `kwh`, `kVArh` or `M3`. No two of these units differ in case
 * only, since none of them comes in thousandths.
 */
import type { Unit } from '@amiable/model';

export interface UnitSense {
  readonly unit: Unit;
  /** One of the written unit is 10^power of `unit`. */
  readonly power: number;
}

const row = (unit: Unit, power = 0): UnitSense => ({ unit, power });

const UNITS: ReadonlyMap<string, UnitSense> = new Map([
  ['w', row('W')],
  ['kw', row('W', 3)],
  ['mw', row('W', 6)],
  ['wh', row('Wh')],
  ['kwh', row('Wh', 3)],
  ['mwh', row('Wh', 6)],
  ['var', row('var')],
  ['kvar', row('var', 3)],
  ['mvar', row('var', 6)],
  ['varh', row('varh')],
  ['kvarh', row('varh', 3)],
  ['mvarh', row('varh', 6)],
  ['va', row('VA')],
  ['kva', row('VA', 3)],
  ['vah', row('VAh')],
  ['kvah', row('VAh', 3)],
  ['v', row('V')],
  ['kv', row('V', 3)],
  ['a', row('A')],
  ['ka', row('A', 3)],
  ['hz', row('Hz')],
  ['m3', row('m3')],
  ['m^3', row('m3')],
  ['m³', row('m3')],
  ['dm3', row('m3', -3)],
  ['l', row('m3', -3)],
  ['m3/h', row('m3/h')],
  ['l/h', row('m3/h', -3)],
  ['j', row('J')],
  ['kj', row('J', 3)],
  ['mj', row('J', 6)],
  ['gj', row('J', 9)],
  ['s', row('s')],
  ['min', row('min')],
  ['h', row('h')],
  ['d', row('d')],
  ['c', row('degC')],
  ['°c', row('degC')],
  ['degc', row('degC')],
  ['k', row('K')],
  ['bar', row('bar')],
  ['mbar', row('bar', -3)],
  ['kg', row('kg')],
  ['deg', row('deg')],
  ['°', row('deg')],
  ['%', row('1', -2)],
]);

/** Undefined when the unit is none that is known. */
export function unitOf(text: string): UnitSense | undefined {
  return UNITS.get(text.trim().toLowerCase());
}
