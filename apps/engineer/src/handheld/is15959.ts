/**
 * What Indian meters hold, as IS 15959 names it: Part 1 (2011) for meters of categories A (accounting and audit: feeders,
 * transformers), B (boundaries, banking, availability-based tariff) and C (consumers of high voltage, or behind current
 * transformers); Part 2 (2016) for smart meters D1 (one phase) and D2 (three phases); Part 3 (2017) for D3 and D4
 * (transformer operated, low and high voltage).
 *
 * Decides: names, kinds and categories of objects and the words of event codes, from what is publicly known of the standard.
 * Leaves out: access rights, and which parameters a utility has chosen of the optional ones: the meter's own list says that.
 */

/** What a reader of meters may choose to take. */
export const GROUPS = ['identity', 'instantaneous', 'energy', 'demand', 'billing', 'load', 'events'] as const;
export type Group = (typeof GROUPS)[number];

export type Category = 'A' | 'B' | 'C' | 'D1' | 'D2' | 'D3' | 'D4';
export const CATEGORIES: readonly Category[] = ['A', 'B', 'C', 'D1', 'D2', 'D3', 'D4'];

export interface IsObject {
  /** A-B:C.D.E */
  readonly obis: string;
  readonly classId: number;
  /** The standard's words. */
  readonly name: string;
  /** Absent of parameters that are written rather than read. */
  readonly group?: Group;
  readonly categories: readonly Category[];
}

const ALL = CATEGORIES;
const ABC: readonly Category[] = ['A', 'B', 'C'];
const D: readonly Category[] = ['D1', 'D2', 'D3', 'D4'];
const THREE: readonly Category[] = ['A', 'B', 'C', 'D2', 'D3', 'D4'];
const SMART_DIRECT: readonly Category[] = ['D1', 'D2'];
const B_C_D: readonly Category[] = ['B', 'C', 'D1', 'D2', 'D3', 'D4'];

type Row = readonly [obis: string, classId: number, name: string, group: Group | undefined, of: readonly Category[]];

const ZONES = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const zoned = (prefix: string, classId: number, name: string, group: Group, of: readonly Category[]): Row[] =>
  ZONES.map((zone) => [`${prefix}.${zone}`, classId, `${name}, tariff zone ${zone}`, group, of]);

const ROWS: readonly Row[] = [
  // Name plate.
  ['0-0:96.1.0', 1, 'Meter serial number', 'identity', ALL],
  ['0-0:96.1.1', 1, 'Manufacturer name', 'identity', ALL],
  ['0-0:96.1.2', 1, 'Device ID', 'identity', D],
  ['0-0:96.1.4', 1, 'Meter year of manufacture', 'identity', ALL],
  ['1-0:0.2.0', 1, 'Firmware version for meter', 'identity', ALL],
  ['0-0:94.91.9', 1, 'Meter type', 'identity', ALL],
  ['0-0:94.91.11', 1, 'Meter category', 'identity', ALL],
  ['0-0:94.91.12', 1, 'Meter current rating', 'identity', ALL],
  ['1-0:0.4.2', 1, 'Internal CT ratio', 'identity', ['A', 'B', 'C', 'D3', 'D4']],
  ['1-0:0.4.3', 1, 'Internal PT ratio', 'identity', ['A', 'B', 'C', 'D4']],
  ['0-0:94.91.10', 7, 'Name plate profile', 'identity', D],
  ['0-0:42.0.0', 1, 'Logical device name', 'identity', ALL],
  // Instantaneous parameters.
  ['0-0:1.0.0', 8, 'Real time clock, date and time', 'instantaneous', ALL],
  ['1-0:12.7.0', 3, 'Voltage', 'instantaneous', ['D1']],
  ['1-0:11.7.0', 3, 'Phase current', 'instantaneous', ['D1']],
  ['1-0:91.7.0', 3, 'Neutral current', 'instantaneous', ['D1']],
  ['1-0:94.91.14', 3, 'Current (RMS), in total', 'instantaneous', ['D1']],
  ['1-0:31.7.0', 3, 'Current, IR', 'instantaneous', THREE],
  ['1-0:51.7.0', 3, 'Current, IY', 'instantaneous', THREE],
  ['1-0:71.7.0', 3, 'Current, IB', 'instantaneous', THREE],
  ['1-0:32.7.0', 3, 'Voltage, VRN (VRY in three-wire systems)', 'instantaneous', THREE],
  ['1-0:52.7.0', 3, 'Voltage, VYN', 'instantaneous', THREE],
  ['1-0:72.7.0', 3, 'Voltage, VBN (VBY in three-wire systems)', 'instantaneous', THREE],
  ['1-0:33.7.0', 3, 'Signed power factor, R phase', 'instantaneous', THREE],
  ['1-0:53.7.0', 3, 'Signed power factor, Y phase', 'instantaneous', THREE],
  ['1-0:73.7.0', 3, 'Signed power factor, B phase', 'instantaneous', THREE],
  ['1-0:13.7.0', 3, 'Signed power factor', 'instantaneous', ALL],
  ['1-0:14.7.0', 3, 'Frequency', 'instantaneous', ALL],
  ['1-0:9.7.0', 3, 'Apparent power, kVA', 'instantaneous', ALL],
  ['1-0:1.7.0', 3, 'Signed active power, kW (+ forwarded, - reverse)', 'instantaneous', ALL],
  ['1-0:3.7.0', 3, 'Signed reactive power, kvar (+ lag, - lead)', 'instantaneous', THREE],
  ['0-0:96.7.0', 1, 'Number of power failures', 'instantaneous', ABC],
  ['0-0:94.91.8', 3, 'Cumulative power-failure duration', 'instantaneous', ABC],
  ['0-0:94.91.14', 3, 'Cumulative power-on duration', 'instantaneous', D],
  ['0-0:94.91.0', 1, 'Cumulative tamper count', 'instantaneous', ALL],
  ['0-0:0.1.0', 1, 'Cumulative billing count', 'instantaneous', ALL],
  ['0-0:96.2.0', 1, 'Cumulative programming count', 'instantaneous', ALL],
  ['0-0:0.1.2', 3, 'Billing date', 'instantaneous', ALL],
  ['0-0:96.3.10', 70, 'Load limit function status', 'instantaneous', SMART_DIRECT],
  ['0-0:17.0.0', 71, 'Load limit value', 'instantaneous', SMART_DIRECT],
  ['1-0:94.91.0', 7, 'Instantaneous profile', 'instantaneous', ALL],
  // Energies.
  ['1-0:1.8.0', 3, 'Cumulative energy, kWh (import)', 'energy', ALL],
  ['1-0:2.8.0', 3, 'Cumulative energy, kWh (export)', 'energy', ['B', 'D1', 'D2', 'D3', 'D4']],
  ['1-0:9.8.0', 3, 'Cumulative energy, kVAh (import)', 'energy', ALL],
  ['1-0:10.8.0', 3, 'Cumulative energy, kVAh (export)', 'energy', ['B', 'D1', 'D2', 'D3', 'D4']],
  ['1-0:5.8.0', 3, 'Cumulative energy, kvarh, quadrant I (lag)', 'energy', THREE],
  ['1-0:6.8.0', 3, 'Cumulative energy, kvarh, quadrant II', 'energy', ['B', 'D2', 'D3', 'D4']],
  ['1-0:7.8.0', 3, 'Cumulative energy, kvarh, quadrant III', 'energy', ['B', 'D2', 'D3', 'D4']],
  ['1-0:8.8.0', 3, 'Cumulative energy, kvarh, quadrant IV (lead)', 'energy', THREE],
  ...zoned('1-0:1.8', 3, 'Cumulative energy, kWh', 'energy', B_C_D),
  ...zoned('1-0:9.8', 3, 'Cumulative energy, kVAh', 'energy', B_C_D),
  // Demands.
  ['1-0:1.6.0', 4, 'Maximum demand, kW', 'demand', ALL],
  ['1-0:2.6.0', 4, 'Maximum demand, kW (export)', 'demand', ['B', 'D2', 'D3', 'D4']],
  ['1-0:9.6.0', 4, 'Maximum demand, kVA', 'demand', ALL],
  ['1-0:10.6.0', 4, 'Maximum demand, kVA (export)', 'demand', ['B', 'D2', 'D3', 'D4']],
  ...zoned('1-0:1.6', 4, 'Maximum demand, kW', 'demand', B_C_D),
  ...zoned('1-0:9.6', 4, 'Maximum demand, kVA', 'demand', B_C_D),
  // Billing.
  ['1-0:98.1.0', 7, 'Billing profile', 'billing', ALL],
  ['1-0:13.0.0', 3, 'System power factor for the billing period', 'billing', ALL],
  ['0-0:94.91.13', 3, 'Total power-on duration in the billing period', 'billing', ALL],
  // Load survey.
  ['1-0:99.1.0', 7, 'Block load profile', 'load', ALL],
  ['1-0:99.2.0', 7, 'Daily load profile', 'load', ALL],
  ['1-0:12.27.0', 3, 'Average voltage', 'load', ['D1']],
  ['1-0:11.27.0', 3, 'Average current', 'load', ['D1']],
  ['1-0:31.27.0', 3, 'Average current, IR', 'load', THREE],
  ['1-0:51.27.0', 3, 'Average current, IY', 'load', THREE],
  ['1-0:71.27.0', 3, 'Average current, IB', 'load', THREE],
  ['1-0:32.27.0', 3, 'Average voltage, VRN', 'load', THREE],
  ['1-0:52.27.0', 3, 'Average voltage, VYN', 'load', THREE],
  ['1-0:72.27.0', 3, 'Average voltage, VBN', 'load', THREE],
  ['1-0:1.29.0', 3, 'Block energy, kWh (import)', 'load', ALL],
  ['1-0:2.29.0', 3, 'Block energy, kWh (export)', 'load', ['B', 'D1', 'D2', 'D3', 'D4']],
  ['1-0:5.29.0', 3, 'Block energy, kvarh, quadrant I (lag)', 'load', THREE],
  ['1-0:6.29.0', 3, 'Block energy, kvarh, quadrant II', 'load', ['B', 'D2', 'D3', 'D4']],
  ['1-0:7.29.0', 3, 'Block energy, kvarh, quadrant III', 'load', ['B', 'D2', 'D3', 'D4']],
  ['1-0:8.29.0', 3, 'Block energy, kvarh, quadrant IV (lead)', 'load', THREE],
  ['1-0:9.29.0', 3, 'Block energy, kVAh (import)', 'load', ALL],
  ['1-0:10.29.0', 3, 'Block energy, kVAh (export)', 'load', ['B', 'D1', 'D2', 'D3', 'D4']],
  // Events.
  ['0-0:99.98.0', 7, 'Voltage related events', 'events', ALL],
  ['0-0:99.98.1', 7, 'Current related events', 'events', ALL],
  ['0-0:99.98.2', 7, 'Power related events', 'events', ALL],
  ['0-0:99.98.3', 7, 'Transaction events', 'events', ALL],
  ['0-0:99.98.4', 7, 'Other events', 'events', ALL],
  ['0-0:99.98.5', 7, 'Non-rollover events', 'events', ALL],
  ['0-0:99.98.6', 7, 'Control events', 'events', SMART_DIRECT],
  ['0-0:96.11.0', 1, 'Event code, voltage related', 'events', ALL],
  ['0-0:96.11.1', 1, 'Event code, current related', 'events', ALL],
  ['0-0:96.11.2', 1, 'Event code, power related', 'events', ALL],
  ['0-0:96.11.3', 1, 'Event code, transaction', 'events', ALL],
  ['0-0:96.11.4', 1, 'Event code, other', 'events', ALL],
  ['0-0:96.11.5', 1, 'Event code, non-rollover', 'events', ALL],
  ['0-0:96.11.6', 1, 'Event code, control', 'events', SMART_DIRECT],
  ['0-0:94.91.18', 1, 'Event status word', 'events', D],
  // Programmable parameters.
  ['1-0:0.8.0', 1, 'Demand integration period', undefined, ALL],
  ['1-0:0.8.4', 1, 'Profile capture period (block load)', undefined, ALL],
  ['1-0:0.8.5', 1, 'Profile capture period (daily load)', undefined, D],
  ['0-0:15.0.0', 22, 'Single action schedule for billing dates', undefined, ALL],
  ['0-0:13.0.0', 20, 'Activity calendar for time zones', undefined, ALL],
  ['0-0:10.0.1', 9, 'MD reset', undefined, ALL],
  ['0-0:94.91.26', 1, 'Event status word filter', undefined, D],
];

export const IS_OBJECTS: readonly IsObject[] = ROWS.map(([obis, classId, name, group, categories]) => ({
  obis,
  classId,
  name,
  categories,
  ...(group && { group }),
}));

const BY_OBIS = new Map(IS_OBJECTS.map((object) => [object.obis, object]));

/** Under this standard; undefined for a code that it does not name. */
export const isObject = (obis: string): IsObject | undefined => BY_OBIS.get(obis);

/** Where the scalers and units of a profile's columns stand: one row of `scaler_unit`s. */
export const SCALER_PROFILES: Readonly<Record<string, string>> = {
  '1-0:94.91.0': '1-0:94.91.3',
  '1-0:99.1.0': '1-0:94.91.4',
  '1-0:99.2.0': '1-0:94.91.5',
  '1-0:98.1.0': '1-0:94.91.6',
  '0-0:99.98.0': '1-0:94.91.7',
  '0-0:99.98.1': '1-0:94.91.7',
  '0-0:99.98.2': '1-0:94.91.7',
  '0-0:99.98.3': '1-0:94.91.7',
  '0-0:99.98.4': '1-0:94.91.7',
  '0-0:99.98.5': '1-0:94.91.7',
  '0-0:99.98.6': '1-0:94.91.7',
};

/** Odd codes are occurrences, the even one behind them the end of it; by the first of the pair. */
const PAIRS: Readonly<Record<number, string>> = {
  1: 'R phase, voltage (PT link) missing',
  3: 'Y phase, voltage (PT link) missing',
  5: 'B phase, voltage (PT link) missing',
  7: 'Over-voltage in any phase',
  9: 'Low voltage in any phase',
  11: 'Voltage unbalance',
  51: 'R phase, current (CT) reverse',
  53: 'Y phase, current (CT) reverse',
  55: 'B phase, current (CT) reverse',
  57: 'R phase, current (CT) open',
  59: 'Y phase, current (CT) open',
  61: 'B phase, current (CT) open',
  63: 'Current unbalance',
  65: 'Current (CT) bypass',
  67: 'Over-current in any phase',
  69: 'Earth loading',
  101: 'Power failure',
  201: 'Influence of permanent magnet or AC/DC electromagnet',
  203: 'Neutral disturbance, HF, DC or alternate method',
  205: 'Very low power factor',
  207: 'Single wire operation (neutral missing)',
  209: 'Plug-in communication module removed',
  215: 'Overload',
};

const SINGLE: Readonly<Record<number, string>> = {
  151: 'Real time clock, date and time',
  152: 'Demand integration period',
  153: 'Profile capture period',
  154: 'Single action schedule for billing dates',
  155: 'Activity calendar for time zones',
  157: 'New firmware activated',
  158: 'Load limit (kW) set',
  159: 'Load limit function enabled',
  160: 'Load limit function disabled',
  161: 'LLS secret (MR) changed',
  162: 'HLS key (US) changed',
  163: 'HLS key (FW) changed',
  164: 'Global key changed',
  165: 'Event status word filter changed',
  166: 'MD reset',
  167: 'Metering mode changed',
  211: 'Configuration changed to post-paid mode',
  212: 'Configuration changed to pre-paid mode',
  213: 'Configuration changed to forward only mode',
  214: 'Configuration changed to import and export mode',
  251: 'Meter cover opened',
  301: 'Meter disconnected',
  302: 'Meter connected',
};

/** `Power failure, occurrence`; undefined for a code that this standard does not know. */
export function eventName(code: number): string | undefined {
  if (SINGLE[code] !== undefined) return SINGLE[code];
  if (PAIRS[code] !== undefined) return `${PAIRS[code]}, occurrence`;
  return PAIRS[code - 1] === undefined ? undefined : `${PAIRS[code - 1]}, restoration`;
}
