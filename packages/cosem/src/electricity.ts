/**
 * Electricity (A = 1): quantity from value group C, processing from D, rate or harmonic from E (IEC 62056-6-1 clause 5.4
 * to 5.8). Names are put together by rule, so that every code has one and equal things are called alike.
 */
import type { Unit } from '@amiable/model';
import type { Quantity } from './named.ts';
import type { Obis } from './obis.ts';

interface Physical {
  /** Of the momentary value, e.g. `activePowerImport`. */
  readonly name: string;
  readonly unit: Unit;
  /** Of the integral over time, e.g. `activeEnergyImport`. */
  readonly integral?: string;
  readonly integralUnit?: Unit;
}

const power = (kind: 'active' | 'reactive' | 'apparent', direction: string): Physical => ({
  name: `${kind}Power${direction}`,
  unit: kind === 'active' ? 'W' : kind === 'reactive' ? 'var' : 'VA',
  integral: `${kind}Energy${direction}`,
  integralUnit: kind === 'active' ? 'Wh' : kind === 'reactive' ? 'varh' : 'VAh',
});

/** C = 1 to 20 for the sum of the phases; the same row + 20, + 40, + 60 is L1, L2, L3. */
const ROW: readonly (Physical | undefined)[] = [
  undefined,
  power('active', 'Import'),
  power('active', 'Export'),
  power('reactive', 'Import'),
  power('reactive', 'Export'),
  power('reactive', 'Q1'),
  power('reactive', 'Q2'),
  power('reactive', 'Q3'),
  power('reactive', 'Q4'),
  power('apparent', 'Import'),
  power('apparent', 'Export'),
  { name: 'current', unit: 'A', integral: 'charge', integralUnit: 'Ah' },
  { name: 'voltage', unit: 'V' },
  { name: 'powerFactor', unit: '1' },
  { name: 'frequency', unit: 'Hz' },
  power('active', 'Absolute'),
  power('active', 'Net'),
  power('active', 'Q1'),
  power('active', 'Q2'),
  power('active', 'Q3'),
  power('active', 'Q4'),
];

/** C = 82 to 92. */
const FURTHER: Record<number, Physical> = {
  82: { name: 'pulses', unit: '1' },
  84: { name: 'powerFactorExport', unit: '1' },
  85: { name: 'powerFactorExportL1', unit: '1' },
  86: { name: 'powerFactorExportL2', unit: '1' },
  87: { name: 'powerFactorExportL3', unit: '1' },
  88: { name: 'currentSquared', unit: 'A2h', integral: 'currentSquaredHours', integralUnit: 'A2h' },
  89: { name: 'voltageSquared', unit: 'V2h', integral: 'voltageSquaredHours', integralUnit: 'V2h' },
  90: { name: 'currentSum', unit: 'A' },
  91: { name: 'currentNeutral', unit: 'A' },
  92: { name: 'voltageNeutral', unit: 'V' },
};

function physical(c: number): (Physical & { phase: string }) | undefined {
  if (c >= 1 && c <= 80) {
    const row = ROW[((c - 1) % 20) + 1];
    return row && { ...row, phase: c <= 20 ? '' : `L${Math.floor((c - 1) / 20)}` };
  }
  const further = FURTHER[c];
  return further && { ...further, phase: '' };
}

/** How D names what is done with the quantity; `integral` says that it is summed over time. */
const PROCESSING: Record<number, { suffix: string; integral?: true; unit?: Unit }> = {
  0: { suffix: 'BillingAverage' },
  1: { suffix: 'CumulativeMinimum' },
  2: { suffix: 'CumulativeMaximum' },
  3: { suffix: 'Minimum' },
  4: { suffix: 'Average' },
  5: { suffix: 'LastAverage' },
  6: { suffix: 'Maximum' },
  7: { suffix: '' },
  8: { suffix: '', integral: true },
  9: { suffix: 'BillingPeriod', integral: true },
  10: { suffix: 'Integral3', integral: true },
  11: { suffix: 'CumulativeMinimum2' },
  12: { suffix: 'CumulativeMaximum2' },
  13: { suffix: 'Minimum2' },
  14: { suffix: 'Average2' },
  15: { suffix: 'LastAverage2' },
  16: { suffix: 'Maximum2' },
  17: { suffix: 'Instantaneous2' },
  18: { suffix: 'Integral2Period1', integral: true },
  19: { suffix: 'Integral2Period2', integral: true },
  20: { suffix: 'Integral2Period3', integral: true },
  21: { suffix: 'CumulativeMinimum3' },
  22: { suffix: 'CumulativeMaximum3' },
  23: { suffix: 'Minimum3' },
  24: { suffix: 'Average3' },
  25: { suffix: 'LastAverage3' },
  26: { suffix: 'Maximum3' },
  27: { suffix: 'IntervalAverage' },
  28: { suffix: 'Interval2Average' },
  29: { suffix: 'Interval', integral: true },
  30: { suffix: 'Interval2', integral: true },
  31: { suffix: 'LowThreshold' },
  32: { suffix: 'Sags', unit: '1' },
  33: { suffix: 'SagDuration', unit: 's' },
  34: { suffix: 'SagMagnitude' },
  35: { suffix: 'HighThreshold' },
  36: { suffix: 'Swells', unit: '1' },
  37: { suffix: 'SwellDuration', unit: 's' },
  38: { suffix: 'SwellMagnitude' },
  39: { suffix: 'MissingThreshold' },
  40: { suffix: 'Missing', unit: '1' },
  41: { suffix: 'MissingDuration', unit: 's' },
  42: { suffix: 'MissingMagnitude' },
  43: { suffix: 'LowTime', unit: 's' },
  44: { suffix: 'HighTime', unit: 's' },
  45: { suffix: 'MissingTime', unit: 's' },
  55: { suffix: 'TestAverage' },
  58: { suffix: 'Test', integral: true },
};

const ANGLE_OF = [
  'VoltageL1',
  'VoltageL2',
  'VoltageL3',
  undefined,
  'CurrentL1',
  'CurrentL2',
  'CurrentL3',
  'CurrentNeutral',
];

/** C = 81: the tens of E name the reference, the ones what is seen from it (IEC 62056-6-1 table of phase angles). */
function angle(e: number): Quantity | undefined {
  const of = ANGLE_OF[e % 10];
  const from = ANGLE_OF[Math.floor(e / 10)];
  return of && from ? { name: `angle${of}From${from}`, unit: 'deg' } : undefined;
}

export function electricityQuantity({ c, d, e }: Obis): Quantity | undefined {
  if (c === 81 && d === 7) return angle(e);
  const what = physical(c);
  const how = PROCESSING[d];
  if (!what || !how) return undefined;
  const momentary = what.name + what.phase;
  if (!how.integral) {
    const rate = d === 7 || (d >= 31 && d <= 45) ? harmonic(e) : rateOf(e);
    return { name: momentary + how.suffix + rate, unit: how.unit ?? what.unit };
  }
  if (!what.integral || !what.integralUnit) return undefined;
  return { name: what.integral + what.phase + how.suffix + rateOf(e), unit: what.integralUnit };
}

/** E of registers is the rate; 0 is the total. */
function rateOf(e: number): string {
  return e === 0 || e === 255 ? '' : `Rate${e}`;
}

/** E of momentary values is the harmonic (IEC 62056-6-1 table of harmonics); 0 is the whole. */
function harmonic(e: number): string {
  if (e === 0 || e === 255) return '';
  if (e === 124) return 'Thd';
  if (e === 125) return 'Tdd';
  return e <= 120 ? `Harmonic${e}` : `Part${e}`;
}
