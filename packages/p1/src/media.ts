/**
 * What the meters on the M-Bus behind this one measure: the device type of 24.1.0 (EN 13757-3 table of media) names the value of
 * 24.2.x, which by its code alone would always be gas (DSMR P1 5.0.2 clause 6.12 note on 0-n:24.1.0).
 */
import type { Unit } from '@amiable/model';

type Kind = 'electricity' | 'gas' | 'heat' | 'hotWater' | 'water' | 'cooling' | 'allocator' | 'air';

const KINDS: Readonly<Record<number, Kind>> = {
  2: 'electricity',
  3: 'gas',
  4: 'heat',
  6: 'hotWater',
  7: 'water',
  8: 'allocator',
  9: 'air',
  10: 'cooling',
  11: 'cooling',
  12: 'heat',
  13: 'heat',
  21: 'hotWater',
  22: 'water',
};

const BY_UNIT: Partial<Record<Unit, string>> = {
  m3: 'Volume',
  J: 'Energy',
  Wh: 'Energy',
  kg: 'Mass',
  'm3/h': 'FlowRate',
  W: 'Power',
};

/**
 * Name of the value 24.2.`form` of a device of type `deviceType` (undefined when the telegram does not say it).
 * `form` 3 is gas without temperature correction (Belgium), which other media have no word for.
 */
export function channelName(deviceType: number | undefined, unit: Unit | undefined, form: number): string {
  const kind = deviceType === undefined ? undefined : KINDS[deviceType];
  const what = unit === undefined ? 'Volume' : (BY_UNIT[unit] ?? 'Value');
  if (kind === 'electricity') return unit === 'Wh' ? 'subMeterEnergy' : `subMeter${what}`;
  if (kind === 'allocator') return 'allocatorUnits';
  if (kind !== undefined && kind !== 'gas') return kind + what;
  // Gas, or a type that nobody knows: the unit tells energy from volume.
  if (unit === 'J') return kind === 'gas' ? 'gasEnergy' : 'heatEnergy';
  if (unit === 'Wh') return kind === 'gas' ? 'gasEnergy' : 'subMeterEnergy';
  return form === 3 ? `gas${what}Uncorrected` : `gas${what}`;
}
