/**
 * Meterings: the series of interval values that validation, calculation and billing work on, one for each meter and quantity
 * (AMI system description §5.3, §5.4).
 *
 * Decides: the quantities there are, what their intervals are called in the store, and from which registers of a meter they come.
 * A meter's own profile stays as it was read; the metering is made of it and carries what validation and estimation add. Its
 * values stand at the START of their interval, whatever the meter's profile does.
 */
import type { Unit } from './message.ts';

export const MEDIA = ['electricity', 'gas', 'water', 'hot-water', 'heat', 'cooling', 'other'] as const;
export type MediumName = (typeof MEDIA)[number];

export interface Quantity {
  /** In the API and on the command line: `energyImport`. */
  readonly name: string;
  /** OBIS code of its intervals: group D 29, the energy of a period of a load profile. */
  readonly obis: string;
  readonly unit: Unit;
  readonly medium: MediumName;
  /** Short codes (C.D.E, or with medium where it is not electricity) of the cumulative registers it comes from; several: rates that add up. */
  readonly registers: readonly string[];
  /** Short codes of profiles that hold intervals already (energy of the period, stamped with its end). */
  readonly intervals: readonly string[];
  /** Short codes of mean power over the period, stamped with its end. */
  readonly powers: readonly string[];
  /** False where it may go below zero (a difference, a balance). */
  readonly consumption: boolean;
}

const electricity = (name: string, code: number, unit: Unit): Quantity => ({
  name,
  obis: `1-0:${code}.29.0`,
  unit,
  medium: 'electricity',
  registers: [`${code}.8.0`],
  intervals: [`${code}.29.0`],
  powers: [`${code}.5.0`, `${code}.4.0`, `${code}.27.0`],
  consumption: true,
});

const volume = (name: string, medium: MediumName, group: number): Quantity => ({
  name,
  obis: `${group}-0:3.29.0`,
  unit: 'm3',
  medium,
  registers: [`${group}:3.0.0`, `${group}:1.0.0`, '0:24.2.1'],
  intervals: [`${group}:3.29.0`],
  powers: [],
  consumption: true,
});

const heat = (name: string, medium: MediumName, group: number): Quantity => ({
  name,
  obis: `${group}-0:1.29.0`,
  unit: 'Wh',
  medium,
  registers: [`${group}:1.0.0`, '0:24.2.1'],
  intervals: [`${group}:1.29.0`],
  powers: [],
  consumption: true,
});

export const QUANTITIES: readonly Quantity[] = [
  electricity('energyImport', 1, 'Wh'),
  electricity('energyExport', 2, 'Wh'),
  electricity('reactiveImport', 3, 'varh'),
  electricity('reactiveExport', 4, 'varh'),
  electricity('apparentImport', 9, 'VAh'),
  volume('gasVolume', 'gas', 7),
  volume('waterVolume', 'water', 8),
  volume('hotWaterVolume', 'hot-water', 9),
  heat('heatEnergy', 'heat', 6),
  heat('coolingEnergy', 'cooling', 5),
];

export const quantityOf = (name: string): Quantity | undefined => QUANTITIES.find((q) => q.name === name);

/** Marks the registers of the store that hold meterings, so that they are never taken for what a meter sent. */
export const INTERVAL_ADDRESS = 'interval';

/** What the store calls a metering: `period` in seconds (900: quarters of an hour). Calculated profiles have names of their own. */
export const intervalRegister = (quantity: Pick<Quantity, 'name' | 'obis' | 'unit'>, period: number) => ({
  obis: quantity.obis,
  address: INTERVAL_ADDRESS,
  name: quantity.name,
  unit: quantity.unit,
  period,
});

/** Units that values are written in, in files, with the base unit and the power of ten between. */
export const FLAT_UNIT_POWERS: Readonly<Record<string, { readonly base: string; readonly power: number }>> = {
  Wh: { base: 'Wh', power: 0 },
  kWh: { base: 'Wh', power: 3 },
  MWh: { base: 'Wh', power: 6 },
  varh: { base: 'varh', power: 0 },
  kvarh: { base: 'varh', power: 3 },
  VAh: { base: 'VAh', power: 0 },
  kVAh: { base: 'VAh', power: 3 },
  W: { base: 'W', power: 0 },
  kW: { base: 'W', power: 3 },
  V: { base: 'V', power: 0 },
  A: { base: 'A', power: 0 },
  m3: { base: 'm3', power: 0 },
  l: { base: 'm3', power: -3 },
};
