/**
 * What a value information field means (EN 13757-3 tables 10 to 14): the primary table, the first extension (FB), the second
 * (FD) and its own extension (FD FD). Every meaning is given in base units: 10^scaler × factor of the unit.
 *
 * Decides: durations are seconds, flows m3/h and kg/h, calories joules, gallons and cubic feet m3; factors are whole
 * numbers, so that nothing is rounded. Left out: degrees Fahrenheit have no base unit (an offset would round); they keep
 * their number and say so in the name. Codes that the standard reserves have the name `reserved…` and keep their number.
 */
import type { Unit } from '@amiable/model';

/** How the data are read where the data field alone does not tell. */
export type Form =
  | 'number'
  /** Never negative: flags, codes, counters of the protocol. */
  | 'unsigned'
  /** Digits that name something. */
  | 'identity'
  /** A date or a date with time, by the size of the data. */
  | 'time'
  /** Letters of a manufacturer. */
  | 'manufacturer';

export interface Meaning {
  readonly quantity: string;
  readonly unit: Unit | undefined;
  /** Power of ten, and whole number, that the data are multiplied by. */
  readonly scaler: number;
  readonly factor: number;
  readonly form: Form;
}

export type VifTable = 'primary' | 'FB' | 'FD' | 'FDFD';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Seconds of the unit nn of a duration. */
const DURATIONS = [1, MINUTE, HOUR, DAY] as const;

type Row = readonly [first: number, count: number, quantity: string, unit: Unit | '', scaler: number, factor?: number];

/** `count` codes from `first` on, one power of ten apart. */
const PRIMARY: readonly Row[] = [
  [0x00, 8, 'Energy', 'Wh', -3],
  [0x08, 8, 'Energy', 'J', 0],
  [0x10, 8, 'Volume', 'm3', -6],
  [0x18, 8, 'Mass', 'kg', -3],
  [0x28, 8, 'Power', 'W', -3],
  [0x30, 8, 'Power', 'J/h', 0],
  [0x38, 8, 'Volume flow', 'm3/h', -6],
  [0x40, 8, 'Volume flow', 'm3/h', -7, 60],
  [0x48, 8, 'Volume flow', 'm3/h', -9, 3600],
  [0x50, 8, 'Mass flow', 'kg/h', -3],
  [0x58, 4, 'Flow temperature', 'degC', -3],
  [0x5c, 4, 'Return temperature', 'degC', -3],
  [0x60, 4, 'Temperature difference', 'K', -3],
  [0x64, 4, 'External temperature', 'degC', -3],
  [0x68, 4, 'Pressure', 'bar', -3],
  [0x6e, 1, 'Heat cost allocation', '1', 0],
];

const GALLON = 3_785_411_784;
const CUBIC_FOOT = 28_316_846_592;

const FIRST: readonly Row[] = [
  [0x00, 2, 'Energy', 'Wh', 5],
  [0x02, 2, 'Reactive energy', 'varh', 3],
  [0x04, 2, 'Apparent energy', 'VAh', 3],
  [0x08, 2, 'Energy', 'J', 8],
  [0x0c, 4, 'Energy', 'J', 1, 41_868],
  [0x10, 2, 'Volume', 'm3', 2],
  [0x14, 4, 'Reactive power', 'var', 0],
  [0x18, 2, 'Mass', 'kg', 5],
  [0x1a, 2, 'Relative humidity', '%' as Unit, -1],
  [0x20, 1, 'Volume', 'm3', -12, CUBIC_FOOT],
  [0x21, 1, 'Volume', 'm3', -13, CUBIC_FOOT],
  [0x22, 1, 'Volume', 'm3', -13, GALLON],
  [0x23, 1, 'Volume', 'm3', -12, GALLON],
  [0x24, 1, 'Volume flow', 'm3/h', -15, GALLON * 60],
  [0x25, 1, 'Volume flow', 'm3/h', -12, GALLON * 60],
  [0x26, 1, 'Volume flow', 'm3/h', -12, GALLON],
  [0x28, 2, 'Power', 'W', 5],
  [0x2a, 1, 'Phase angle of voltage', 'deg', -1],
  [0x2b, 1, 'Phase angle of current', 'deg', -1],
  [0x2c, 4, 'Frequency', 'Hz', -3],
  [0x30, 2, 'Power', 'J/h', 8],
  [0x34, 4, 'Apparent power', 'VA', 0],
  [0x58, 4, 'Flow temperature Fahrenheit', '', -3],
  [0x5c, 4, 'Return temperature Fahrenheit', '', -3],
  [0x60, 4, 'Temperature difference Fahrenheit', '', -3],
  [0x64, 4, 'External temperature Fahrenheit', '', -3],
  [0x70, 4, 'Temperature limit Fahrenheit', '', -3],
  [0x74, 4, 'Temperature limit', 'degC', -3],
  [0x78, 8, 'Cumulated maximum of active power', 'W', -3],
];

const SECOND: readonly Row[] = [
  [0x00, 4, 'Credit', 'currency', -3],
  [0x04, 4, 'Debit', 'currency', -3],
  [0x40, 16, 'Voltage', 'V', -9],
  [0x50, 16, 'Current', 'A', -12],
  [0x71, 1, 'Reception level', 'dBm', 0],
];

/** Durations of four codes each: seconds, minutes, hours, days. */
const PRIMARY_DURATIONS: readonly (readonly [number, string])[] = [
  [0x20, 'On time'],
  [0x24, 'Operating time'],
  [0x70, 'Averaging duration'],
  [0x74, 'Actuality duration'],
];
const SECOND_DURATIONS: readonly (readonly [number, string])[] = [
  [0x24, 'Storage interval'],
  [0x2c, 'Duration since last readout'],
  [0x34, 'Period of tariff'],
  [0x3c, 'Period of nominal data transmissions'],
];

type Word = readonly [code: number, quantity: string, form?: Form];

const PRIMARY_WORDS: readonly Word[] = [
  [0x6c, 'Date', 'time'],
  [0x6d, 'Date and time', 'time'],
  [0x78, 'Fabrication number', 'identity'],
  [0x79, 'Enhanced identification', 'identity'],
  [0x7a, 'Bus address', 'unsigned'],
  [0x7e, 'Any value'],
  [0x7f, 'Manufacturer specific'],
];

const SECOND_WORDS: readonly Word[] = [
  [0x08, 'Access number', 'unsigned'],
  [0x09, 'Device type', 'unsigned'],
  [0x0a, 'Manufacturer', 'manufacturer'],
  [0x0b, 'Parameter set identification'],
  [0x0c, 'Model version'],
  [0x0d, 'Hardware version'],
  [0x0e, 'Firmware version'],
  [0x0f, 'Software version'],
  [0x10, 'Customer location', 'identity'],
  [0x11, 'Customer', 'identity'],
  [0x12, 'Access code of user'],
  [0x13, 'Access code of operator'],
  [0x14, 'Access code of system operator'],
  [0x15, 'Access code of developer'],
  [0x16, 'Password'],
  [0x17, 'Error flags', 'unsigned'],
  [0x18, 'Error mask', 'unsigned'],
  [0x19, 'Security key'],
  [0x1a, 'Digital output', 'unsigned'],
  [0x1b, 'Digital input', 'unsigned'],
  [0x1c, 'Baud rate', 'unsigned'],
  [0x1d, 'Response delay', 'unsigned'],
  [0x1e, 'Retry', 'unsigned'],
  [0x1f, 'Remote control', 'unsigned'],
  [0x20, 'First storage number', 'unsigned'],
  [0x21, 'Last storage number', 'unsigned'],
  [0x22, 'Size of storage block', 'unsigned'],
  [0x23, 'Tariff and subunit descriptor'],
  [0x2a, 'Operator specific data'],
  [0x30, 'Start of tariff', 'time'],
  [0x3a, 'Dimensionless'],
  [0x3b, 'Data container for wireless M-Bus'],
  [0x60, 'Reset counter'],
  [0x61, 'Cumulation counter'],
  [0x62, 'Control signal'],
  [0x63, 'Day of week'],
  [0x64, 'Week number'],
  [0x65, 'Time of day change', 'time'],
  [0x66, 'State of parameter activation'],
  [0x67, 'Special supplier information'],
  [0x70, 'Battery change', 'time'],
  [0x72, 'Daylight saving'],
  [0x73, 'Listening window'],
  [0x75, 'Number of stops'],
  [0x76, 'Data container of manufacturer'],
];

const meaning = (quantity: string, unit: Unit | '' = '', scaler = 0, factor = 1, form: Form = 'number'): Meaning => ({
  quantity,
  unit: unit === '' ? undefined : unit,
  scaler,
  factor,
  form,
});

const hex2 = (v: number): string => v.toString(16).toUpperCase().padStart(2, '0');

function table(
  prefix: string,
  rows: readonly Row[],
  words: readonly Word[],
  durations: readonly (readonly [number, string])[],
): Meaning[] {
  const out = Array.from({ length: 128 }, (_, code) => meaning(`Reserved ${prefix}${hex2(code)}`));
  for (const [first, count, quantity, unit, scaler, factor] of rows)
    for (let i = 0; i < count; i++) out[first + i] = meaning(quantity, unit, scaler + i, factor);
  for (const [code, quantity, form] of words) out[code] = meaning(quantity, '', 0, 1, form);
  for (const [first, quantity] of durations)
    DURATIONS.forEach((seconds, i) => {
      out[first + i] = meaning(quantity, 's', 0, seconds);
    });
  return out;
}

function secondTable(): Meaning[] {
  const out = table('FD', SECOND, SECOND_WORDS, SECOND_DURATIONS);
  const one = (code: number, quantity: string, unit: Unit, factor = 1) => {
    out[code] = meaning(quantity, unit, 0, factor);
  };
  one(0x28, 'Storage interval', 'month');
  one(0x29, 'Storage interval', 'year');
  one(0x2b, 'Second of time', 's');
  one(0x31, 'Duration of tariff', 's', MINUTE);
  one(0x32, 'Duration of tariff', 's', HOUR);
  one(0x33, 'Duration of tariff', 's', DAY);
  one(0x38, 'Period of tariff', 'month');
  one(0x39, 'Period of tariff', 'year');
  for (const [first, quantity] of [
    [0x68, 'Duration since last cumulation'],
    [0x6c, 'Battery operating time'],
  ] as const) {
    one(first, quantity, 's', HOUR);
    one(first + 1, quantity, 's', DAY);
    one(first + 2, quantity, 'month');
    one(first + 3, quantity, 'year');
  }
  // Date and time of the battery's change stands among the durations of its operation.
  one(0x74, 'Remaining battery life', 's', DAY);
  return out;
}

function thirdTable(): Meaning[] {
  const out = table('FDFD', [], [[0x00, 'Selected application', 'unsigned']], []);
  out[0x02] = meaning('Remaining battery life', 'month');
  out[0x03] = meaning('Remaining battery life', 'year');
  return out;
}

const TABLES: Readonly<Record<VifTable, readonly Meaning[]>> = {
  primary: table('VIF', PRIMARY, PRIMARY_WORDS, PRIMARY_DURATIONS),
  FB: table('FB', FIRST, [], []),
  FD: secondTable(),
  FDFD: thirdTable(),
};

/** The meaning of a code (extension bit ignored) of a table. */
export function vifMeaning(of: VifTable, code: number): Meaning {
  return TABLES[of][code & 0x7f] as Meaning;
}

/** A unit in plain text: known ones are normalised, others have no unit and give their text to the name. */
export function plainTextMeaning(text: string): Meaning {
  const known = PLAIN_UNITS[text.trim()];
  if (known) return meaning(...known);
  const letters = text.replace(/[^A-Za-z0-9]+/g, ' ').trim();
  return meaning(letters === '' ? 'Plain text unit' : `Value ${letters}`);
}

const PLAIN_UNITS: Readonly<Record<string, readonly [string, Unit, number?, number?]>> = {
  '%RH': ['Relative humidity', '%' as Unit],
  Wh: ['Energy', 'Wh'],
  kWh: ['Energy', 'Wh', 3],
  MWh: ['Energy', 'Wh', 6],
  varh: ['Reactive energy', 'varh'],
  kvarh: ['Reactive energy', 'varh', 3],
  VAh: ['Apparent energy', 'VAh'],
  kVAh: ['Apparent energy', 'VAh', 3],
  W: ['Power', 'W'],
  kW: ['Power', 'W', 3],
  var: ['Reactive power', 'var'],
  kvar: ['Reactive power', 'var', 3],
  VA: ['Apparent power', 'VA'],
  kVA: ['Apparent power', 'VA', 3],
  V: ['Voltage', 'V'],
  A: ['Current', 'A'],
  Hz: ['Frequency', 'Hz'],
  m3: ['Volume', 'm3'],
  'm3/h': ['Volume flow', 'm3/h'],
  l: ['Volume', 'm3', -3],
  bar: ['Pressure', 'bar'],
  '°C': ['Temperature', 'degC'],
  K: ['Temperature', 'K'],
};
