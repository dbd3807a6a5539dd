/**
 * Codes as IEC 62056-21 meters print them against OBIS codes as the central system names them (IEC 62056-61; VDEW).
 *
 * Decides: which two texts mean the same code; which code is a load profile, a log or the history of billing values; a value as mantissa
 * and scaler. Leaves out: the exchange (iec.ts).
 */
import { type BracketValue, type DataSet, meaningOf, parseNumber, unitOfText } from '@amiable/iec62056-21';
import type { Unit } from '@amiable/model';

const LETTERS: Readonly<Record<string, string>> = { C: '96', F: '97', L: '98', P: '99' };

/** `1-0:1.8.0*255`, `1-1:1.8.0`, `1.8.0` are `1.8.0`; `0-0:96.1.0` and `C.1.0` are `96.1.0`. Upper case, without leading zeros. */
export function plainCode(address: string): string {
  return address
    .trim()
    .toUpperCase()
    .replace(/^(?:0-0|1-\d{1,2}):/, '')
    .replace(/[*&]255$/, '')
    .replace(/^[CFLP](?=\.)/, (letter) => LETTERS[letter] as string)
    .replace(/(^|[.*&])0+(?=\d)/g, '$1');
}

/** How a profile of the central system is read from such a meter. */
export type IecSource =
  /** With R5 or R6: `P.01`. */
  | { readonly kind: 'profile'; readonly address: string }
  | { readonly kind: 'log'; readonly address: string }
  /** `1.8.0*01` and so on, of the read-out. */
  | { readonly kind: 'history' };

/** By the code: P.01 to P.96 (99.1.0 to 99.96.0) are profiles, P.97 to P.99 logs, 98.* the billing history. */
export function sourceOf(obis: string): IecSource | undefined {
  const code = plainCode(obis);
  if (/^98(\.|$)/.test(code) || code === 'READOUT') return { kind: 'history' };
  const number = /^99\.(\d{1,2})(?:\.0)?$/.exec(code)?.[1];
  if (number === undefined) return undefined;
  const address = `P.${number.padStart(2, '0')}`;
  return Number(number) >= 97 ? { kind: 'log', address } : { kind: 'profile', address };
}

export interface IecValue {
  readonly mantissa: number | bigint;
  readonly scaler: number;
  readonly unit?: Unit;
}

/** Undefined for what is no number. */
export function iecValue(text: string, unit: string | undefined): IecValue | undefined {
  const number = parseNumber(text);
  if (!number) return undefined;
  const meant = unit === undefined || unit.trim() === '' ? undefined : unitOfText(unit);
  return {
    mantissa: number.mantissa,
    scaler: number.scaler + (meant?.power ?? 0),
    ...(meant?.unit !== undefined && { unit: meant.unit }),
  };
}

export interface CodeMeaning {
  readonly obis: string;
  readonly name: string;
  /** Digits under this code are a quantity even without a unit. */
  readonly counts: boolean;
}

/** Code in OBIS form (as it came where it is none) and its name. */
export function meaningOfCode(address: string, unit: Unit | undefined): CodeMeaning {
  const { obis, name, counts } = meaningOf(address, unit, false);
  return { obis: obis ?? address, name, counts };
}

/** The part of an address before its history mark, and the mark: `1.8.0*01` is 1.8.0 and 1; undefined without one. */
export function historyOf(address: string): { readonly code: string; readonly number: number } | undefined {
  const found = /^(.+)[*&](\d{1,3})$/.exec(address);
  if (!found || found[2] === '255') return undefined;
  return { code: found[1] as string, number: Number(found[2]) };
}

/** The first value of a code, by any of its forms. */
export function firstOf(sets: readonly DataSet[], code: string): BracketValue | undefined {
  const wanted = plainCode(code);
  return sets.find(({ address }) => plainCode(address) === wanted)?.values[0];
}

/** Where a meter says who it is, the best first. */
export const SERIAL_CODES = ['C.1.0', '0.0.0', '0.0.1', '0.0.2', '0.0.3', '0.0.9', 'C.1.1', 'C.1.9'] as const;

/** Mantissas of one scaler for values that have their own; doubles where all are exact in them. */
export function commonScaler(values: readonly (IecValue | undefined)[]): {
  readonly scaler: number;
  readonly values: Float64Array | (bigint | undefined)[];
} {
  let scaler = Number.POSITIVE_INFINITY;
  for (const value of values) if (value && value.scaler < scaler) scaler = value.scaler;
  if (scaler === Number.POSITIVE_INFINITY)
    return { scaler: 0, values: new Float64Array(values.length).fill(Number.NaN) };
  const big = values.map((value) =>
    value === undefined ? undefined : BigInt(value.mantissa) * 10n ** BigInt(value.scaler - scaler),
  );
  if (big.some((value) => value !== undefined && !Number.isSafeInteger(Number(value)))) return { scaler, values: big };
  return { scaler, values: Float64Array.from(big, (value) => (value === undefined ? Number.NaN : Number(value))) };
}
