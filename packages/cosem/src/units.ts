/**
 * The physical units of COSEM (IEC 62056-62 annex, IEC 62056-6-2 table "unit enumeration") in terms of the base units of the canonical
 * message.
 *
 * Decides: code to base unit and power of ten. Units that differ from a base unit by more than a power of ten (litres a
 * day, weeks) and units that no meter register of a household carries have no base unit and give none.
 */
import type { Unit } from '@amiable/model';

export interface UnitMeaning {
  /** As printed in the standard. */
  readonly symbol: string;
  /** Absent where no base unit exists. */
  readonly unit?: Unit;
  /** value in base unit = value × 10^power. */
  readonly power: number;
}

const TABLE: readonly (readonly [code: number, symbol: string, unit?: Unit, power?: number])[] = [
  [1, 'a', 'year'],
  [2, 'mo', 'month'],
  [3, 'wk'],
  [4, 'd', 'd'],
  [5, 'h', 'h'],
  [6, 'min', 'min'],
  [7, 's', 's'],
  [8, '°', 'deg'],
  [9, '°C', 'degC'],
  [10, 'currency', 'currency'],
  [11, 'm'],
  [12, 'm/s'],
  [13, 'm3', 'm3'],
  [14, 'm3 corrected', 'm3'],
  [15, 'm3/h', 'm3/h'],
  [16, 'm3/h corrected', 'm3/h'],
  [17, 'm3/d'],
  [18, 'm3/d corrected'],
  [19, 'l', 'm3', -3],
  [20, 'kg', 'kg'],
  [21, 'N'],
  [22, 'Nm'],
  [23, 'Pa', 'bar', -5],
  [24, 'bar', 'bar'],
  [25, 'J', 'J'],
  [26, 'J/h', 'J/h'],
  [27, 'W', 'W'],
  [28, 'VA', 'VA'],
  [29, 'var', 'var'],
  [30, 'Wh', 'Wh'],
  [31, 'VAh', 'VAh'],
  [32, 'varh', 'varh'],
  [33, 'A', 'A'],
  [34, 'C', 'C'],
  [35, 'V', 'V'],
  [36, 'V/m'],
  [37, 'F'],
  [38, 'Ω'],
  [39, 'Ωm'],
  [40, 'Wb'],
  [41, 'T'],
  [42, 'A/m'],
  [43, 'H'],
  [44, 'Hz', 'Hz'],
  [45, '1/Wh'],
  [46, '1/varh'],
  [47, '1/VAh'],
  [48, 'V2h', 'V2h'],
  [49, 'A2h', 'A2h'],
  [50, 'kg/s'],
  [51, 'S'],
  [52, 'K', 'K'],
  [53, '1/V2h'],
  [54, '1/A2h'],
  [55, '1/m3'],
  [56, '%', '1', -2],
  [57, 'Ah', 'Ah'],
  [60, 'Wh/m3'],
  [61, 'J/m3'],
  [62, 'mol%'],
  [63, 'g/m3'],
  [64, 'Pa s'],
  [65, 'J/kg'],
  [70, 'dBm', 'dBm'],
  [71, 'dBµV'],
  [72, 'dB', 'dB'],
  [253, 'reserved'],
  [254, 'other'],
  [255, '', '1'],
];

const BY_CODE: readonly (UnitMeaning | undefined)[] = (() => {
  const table: (UnitMeaning | undefined)[] = new Array(256).fill(undefined);
  for (const [code, symbol, unit, power = 0] of TABLE)
    table[code] = unit === undefined ? { symbol, power } : { symbol, unit, power };
  return table;
})();

/** What a unit code means; undefined when the standard gives it no meaning. */
export function unitOfCode(code: number): UnitMeaning | undefined {
  return BY_CODE[code];
}

/** The code that stands for a base unit itself (power 0). */
export function codeOfUnit(unit: Unit): number | undefined {
  return TABLE.find(([, , base, power = 0]) => base === unit && power === 0)?.[0];
}
