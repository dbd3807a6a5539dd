/**
 * Reading types and qualities of IEC 61968-9 Annex C as they stand for our quantities: eighteen and three numbers with points between.
 *
 * Decides: energy in kilo (multiplier 3), volumes in cubic metres; intervals are delta data, showings of registers cumulative. Leaves out:
 * phases, rates (time of use), and what has no commodity of its own there (hot water).
 */
import { MisuseError } from '@amiable/bytes';
import { QUANTITIES, type Quality } from '@amiable/model';

const MINUTE = 60_000;
/** measuringPeriod. */
const PERIODS: readonly (readonly [code: number, ms: number])[] = [
  [1, 10 * MINUTE],
  [2, 15 * MINUTE],
  [3, MINUTE],
  [4, 1440 * MINUTE],
  [5, 30 * MINUTE],
  [6, 5 * MINUTE],
  [7, 60 * MINUTE],
];
const DELTA = 4;
const CUMULATIVE = 3;

interface Kind {
  readonly flow: number;
  readonly commodity: number;
  readonly kind: number;
  /** Of the unit. */
  readonly multiplier: number;
  readonly unit: number;
}
const energy = (flow: number, unit: number, commodity = 1): Kind => ({
  flow,
  commodity,
  kind: 12,
  multiplier: 3,
  unit,
});
const volume = (commodity: number): Kind => ({ flow: 1, commodity, kind: 58, multiplier: 0, unit: 42 });
const KINDS: Readonly<Record<string, Kind>> = {
  energyImport: energy(1, 72),
  energyExport: energy(19, 72),
  reactiveImport: energy(1, 73),
  reactiveExport: energy(19, 73),
  apparentImport: energy(1, 71),
  gasVolume: volume(7),
  waterVolume: volume(9),
  heatEnergy: energy(1, 72, 12),
  coolingEnergy: energy(1, 72, 13),
};

export interface CimType {
  readonly code: string;
  /** Powers of ten between the unit written and the base unit. */
  readonly multiplier: number;
}

/** @throws MisuseError for what has no reading type */
export function readingTypeOf(quantity: string, step: number): CimType {
  const kind = KINDS[quantity];
  if (!kind)
    throw new MisuseError(
      `${quantity} has no reading type of IEC 61968-9; there are ${Object.keys(KINDS).join(', ')}. Choose another format for it`,
    );
  const period = step === 0 ? 0 : PERIODS.find(([, ms]) => ms === step)?.[0];
  if (period === undefined)
    throw new MisuseError(
      `IEC 61968-9 has no measuring period of ${step / 1000} s; deliver 60, 300, 600, 900, 1800, 3600 or 86400 s`,
    );
  const { flow, commodity, kind: measured, multiplier, unit } = kind;
  const code = [
    0,
    0,
    period,
    step === 0 ? CUMULATIVE : DELTA,
    flow,
    commodity,
    measured,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    multiplier,
    unit,
    0,
  ];
  return { code: code.join('.'), multiplier };
}

/** What a reading type stands for here. @returns a sentence when it stands for nothing */
export function meaningOf(
  code: string,
): { readonly quantity: string; readonly period: number; readonly power: number; readonly unit: string } | string {
  const parts = code.split('.');
  if (parts.length !== 18 || !parts.every((part) => /^-?\d{1,6}$/.test(part)))
    return `${JSON.stringify(code.slice(0, 80))} is no reading type: eighteen numbers with points between are wanted`;
  const [, , period, accumulation, flow, commodity, measured] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const multiplier = Number(parts[15]);
  const unit = Number(parts[16]);
  if (parts[11] !== '0') return `${code} is one rate of several (time of use ${parts[11]}); totals are read`;
  const found = Object.entries(KINDS).find(
    ([, kind]) =>
      kind.flow === flow &&
      // Primary and secondary metered electricity.
      (kind.commodity === commodity || (kind.commodity === 1 && commodity === 2)) &&
      kind.kind === measured &&
      kind.unit === unit,
  );
  const base = QUANTITIES.find((quantity) => quantity.name === found?.[0]);
  if (!found || !base)
    return `${code} is not a quantity that is read here; there are energy, reactive energy and volumes`;
  if (Math.abs(multiplier) > 12) return `${code}: a multiplier of ${multiplier} is not read`;
  const length = accumulation === DELTA ? PERIODS.find(([one]) => one === period)?.[1] : 0;
  if (length === undefined) return `${code}: a measuring period of ${period} is not read`;
  if (accumulation !== DELTA && ![1, 3, 9].includes(accumulation))
    return `${code}: accumulation ${accumulation} is not read; delta data (4) and registers (1, 3, 9) are`;
  return { quantity: found[0], period: length, power: multiplier, unit: base.unit };
}

/** systemId 3 is the meter data management system. */
const QUALITY_CODES: Readonly<Record<Quality, string>> = {
  measured: '3.0.0',
  calculated: '3.11.0',
  edited: '3.7.0',
  estimated: '3.8.0',
  missing: '3.5.259',
};
export const qualityCode = (quality: Quality): string => QUALITY_CODES[quality];

/** By its category, whatever the system. */
export function qualityMeant(code: string): Quality | undefined {
  const [, category, sub] = code.split('.');
  switch (category) {
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
      return 'measured';
    case '5':
      return sub === '259' ? 'missing' : 'measured';
    case '6':
    case '10':
      return 'measured';
    case '7':
      return 'edited';
    case '8':
      return 'estimated';
    case '11':
      return 'calculated';
    case '12':
      return 'estimated';
    default:
      return undefined;
  }
}
