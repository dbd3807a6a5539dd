/**
 * Values for people and for JSON.
 *
 * Decides: a register is its mantissa with the scaler applied exactly, never through a binary fraction, and its unit;
 * structures are `{name: value, …}`, lists `[…]`. JSON: dates are their text, bytes `0x…`, 64-bit integers that a number
 * cannot hold a text of digits.
 */

import type { Data, EncodedData } from '@amiable/dlms';
import { decimal } from '@amiable/model';
import { REGISTER } from '../classes/measurement.ts';
import type { PlainValue, ValueType } from '../classes/type.ts';
import { unitOfCode } from '../units.ts';
import { isOfType } from './check.ts';
import { hexText, ipv4Text } from './octets.ts';
import { dataOf, readPlain, readValue } from './read.ts';

/** As attribute `scaler_unit` gives it: the unit by symbol or code. */
export interface ScalerUnit {
  readonly scaler: number;
  readonly unit: string | number;
}

export interface PrintOptions {
  /** Of the register whose value is printed: attribute scaler_unit as it was read, or its value. */
  readonly scalerUnit?: ScalerUnit | EncodedData;
}

/** JSON-safe values. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const unitSymbol = (unit: string | number): string => {
  const symbol = typeof unit === 'number' ? (unitOfCode(unit)?.symbol ?? `unit ${unit}`) : unit;
  return symbol === 'count' ? '' : symbol;
};

/** `1234.5 Wh` of 12345, -1 and Wh. */
export function printQuantity(mantissa: number | bigint, { scaler, unit }: ScalerUnit): string {
  const whole = typeof mantissa === 'bigint' || Number.isInteger(mantissa);
  // A float32 or float64 comes as it is; a scaler beside it is applied as a power of ten.
  const text = whole ? decimal(mantissa, scaler) : scaler === 0 ? String(mantissa) : `${mantissa}e${scaler}`;
  const symbol = unitSymbol(unit);
  return symbol ? `${text} ${symbol}` : text;
}

/** One line of text. @throws DecodeError when bytes are given that are no value */
export function printValue(type: ValueType, data: Data | EncodedData, options: PrintOptions = {}): string {
  const decoded = dataOf(data);
  const { scalerUnit: given } = options;
  const scalerUnit = given instanceof Uint8Array ? scalerUnitIn(given) : given;
  const value = 'value' in decoded ? decoded.value : undefined;
  if (scalerUnit && (typeof value === 'number' || typeof value === 'bigint')) return printQuantity(value, scalerUnit);
  return printPlain(readPlain(type, decoded), type);
}

function scalerUnitIn(attribute: EncodedData): ScalerUnit | undefined {
  const type = REGISTER.types.scaler_unit;
  return isOfType(attribute, type) ? readValue(type, attribute) : undefined;
}

/** A value that `readValue` gave; the type adds units. */
export function printPlain(value: PlainValue, type?: ValueType): string {
  if (value === null) return '-';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && type?.kind === 'number' && type.unit !== undefined)
    return type.unit === 'IPv4' ? ipv4Text(value) : `${value} ${type.unit}`;
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return value.length ? hexText(value) : "''";
  if (Array.isArray(value)) {
    if (type?.kind === 'flags' || type?.kind === 'bit-string') return value.length ? value.join(', ') : 'none';
    const of = type?.kind === 'array' ? type.of : undefined;
    return `[${value.map((element) => printPlain(element, of)).join(', ')}]`;
  }
  const text = momentText(value);
  if (text !== undefined) return text;
  if (isScalerUnit(value)) return `10^${value.scaler} ${value.unit}`;
  const fields = type?.kind === 'structure' ? type.fields : {};
  return `{${Object.entries(value)
    .map(([name, field]) => `${name}: ${printPlain(field as PlainValue, fields[name])}`)
    .join(', ')}}`;
}

const isScalerUnit = (value: object): value is { scaler: number; unit: string } =>
  'scaler' in value && 'unit' in value && Object.keys(value).length === 2;

const MOMENT_FIELDS = new Set([
  'year',
  'month',
  'day',
  'weekday',
  'hour',
  'minute',
  'second',
  'hundredths',
  'deviation',
  'status',
  'text',
]);

function momentText(value: object): string | undefined {
  return 'text' in value && typeof value.text === 'string' && Object.keys(value).every((key) => MOMENT_FIELDS.has(key))
    ? value.text
    : undefined;
}

/** The same value as JSON can carry it. `writeValue` takes it back. */
export function jsonValue(value: PlainValue): JsonValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return hexText(value);
  if (Array.isArray(value)) return value.map(jsonValue);
  const text = momentText(value);
  if (text !== undefined) return text;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, jsonValue(field as PlainValue)]));
}
