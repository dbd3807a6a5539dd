/**
 * Heat cost allocators, cooling, heat, gas and water (A = 4 to 9): quantities from value group C (IEC 62056-6-1 clauses 5.9
 * to 5.12), and the values that a meter on the M-Bus hands to an electricity meter (0-n:24.x).
 */
import type { Unit } from '@amiable/model';
import type { Quantity } from './named.ts';
import type { Obis } from './obis.ts';

type Row = Record<number, readonly [name: string, unit: Unit]>;

const HEAT: Row = {
  1: ['Energy', 'J'],
  2: ['Volume', 'm3'],
  3: ['Mass', 'kg'],
  4: ['FlowVolume', 'm3'],
  5: ['FlowMass', 'kg'],
  6: ['ReturnVolume', 'm3'],
  7: ['ReturnMass', 'kg'],
  8: ['Power', 'W'],
  9: ['FlowRate', 'm3/h'],
  10: ['FlowTemperature', 'degC'],
  11: ['ReturnTemperature', 'degC'],
  12: ['DifferenceTemperature', 'K'],
  13: ['MediaPressure', 'bar'],
};

const GAS: Row = {
  1: ['Volume', 'm3'],
  2: ['VolumeDisturbed', 'm3'],
  3: ['VolumeAbsolute', 'm3'],
  4: ['VolumeReverse', 'm3'],
  5: ['VolumeReverseDisturbed', 'm3'],
  6: ['VolumeReverseAbsolute', 'm3'],
  31: ['ForwardMass', 'kg'],
  41: ['Temperature', 'K'],
  42: ['Pressure', 'bar'],
  43: ['FlowRate', 'm3/h'],
  52: ['ConversionFactor', '1'],
  53: ['Compressibility', '1'],
};

const WATER: Row = { 1: ['Volume', 'm3'], 2: ['FlowRate', 'm3/h'], 3: ['Temperature', 'degC'] };
const ALLOCATOR: Row = { 1: ['Units', '1'], 2: ['RatedUnits', '1'] };

const MEDIA: Record<number, { readonly prefix: string; readonly rows: Row }> = {
  4: { prefix: 'allocator', rows: ALLOCATOR },
  5: { prefix: 'cooling', rows: HEAT },
  6: { prefix: 'heat', rows: HEAT },
  7: { prefix: 'gas', rows: GAS },
  8: { prefix: 'water', rows: WATER },
  9: { prefix: 'hotWater', rows: WATER },
};

/** D of gas tells how far the volume was worked on; D of the others is 0 for now, else a set date or extreme. */
const GAS_FORMS: Record<number, string> = { 0: '', 1: 'Corrected', 2: 'Converted' };
const FORMS: Record<number, string> = {
  0: '',
  1: 'SetDate',
  2: 'SetDate2',
  3: 'Minimum',
  4: 'Average',
  5: 'LastAverage',
  6: 'Maximum',
};

export function mediaQuantity({ a, c, d, e }: Obis): Quantity | undefined {
  const medium = MEDIA[a];
  const row = medium?.rows[c];
  if (!medium || !row) return undefined;
  const form = (a === 7 ? GAS_FORMS : FORMS)[d] ?? `Form${d}`;
  return { name: `${medium.prefix}${row[0]}${form}${e === 0 || e === 255 ? '' : `Rate${e}`}`, unit: row[1] };
}
