/**
 * From what is written on the command line to a value of a described type.
 *
 * Decides: `{…}` and `[…]` are JSON; a type before the value (`long-unsigned:5`) overrides all; a register takes the number as
 * it is printed, with its scaler undone exactly; the rest is text that the type reads.
 */
import { fromHex, MisuseError } from '@amiable/bytes';
import { encodedData, type ScalerUnit, type ValueType, type Writable, writeValue } from '@amiable/cosem';
import { type Data, type DlmsDateTime, type EncodedData, TAGS } from '@amiable/dlms';
import { parseDecimal } from '@amiable/model';
import { UsageError } from './usage.ts';
import { mantissaOf, unitText } from './values.ts';

export interface TextOptions {
  readonly now: DlmsDateTime;
  /** The present value. */
  readonly like?: Data;
  readonly scalerUnit?: ScalerUnit;
}

/** @throws UsageError with what would be right */
export function dataFromText(type: ValueType, text: string, options: TextOptions): Data {
  try {
    const typed = typedText(text);
    if (typed) return typed;
    const { like } = options;
    if (options.scalerUnit && like && mantissaOf(like) !== undefined)
      return writeValue(type, unscaled(text, options.scalerUnit), { like });
    const value = writable(type, text, like);
    return writeValue(type, value, { now: options.now, ...(like && { like }) });
  } catch (error) {
    if (error instanceof MisuseError) throw new UsageError(`${error.message}.`);
    throw error;
  }
}

export function encodedFromText(type: ValueType, text: string, options: TextOptions): EncodedData {
  return encodedData(dataFromText(type, text, options));
}

function writable(type: ValueType, text: string, like: Data | undefined): Writable {
  if (/^\s*[[{]/.test(text)) return jsonText(text) as Writable;
  if (text === 'null' && type.kind !== 'string') return null;
  if (type.kind === 'any' && !like) {
    if (/^-?\d{1,15}$/.test(text)) return Number(text);
    if (/^-?\d+\.\d+$/.test(text)) return Number(text);
    if (text === 'true' || text === 'false') return text === 'true';
  }
  return text;
}

function jsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${text.slice(0, 60)} begins as JSON but is none: ${(error as Error).message}`);
  }
}

/** `double-long-unsigned:5`, `octet-string:0x0102`, `null-data:`. */
function typedText(text: string): Data | undefined {
  const found = /^([a-z0-9]+(?:-[a-z0-9]+)*):(.*)$/s.exec(text);
  const name = found?.[1] as keyof typeof TAGS | undefined;
  if (!found || !name || !Object.hasOwn(TAGS, name)) return undefined;
  const rest = found[2] as string;
  switch (name) {
    case 'null-data':
    case 'dont-care':
      return { type: name };
    case 'array':
    case 'structure':
    case 'compact-array':
      throw new UsageError(`${name} is written as JSON: [1, 2] or {"scaler": 0, "unit": "Wh"}.`);
    case 'boolean':
      return writeValue({ kind: 'boolean' }, rest);
    case 'long64':
    case 'long64-unsigned':
      return writeValue({ kind: 'long64', type: name }, rest);
    case 'enum':
      return writeValue({ kind: 'enum', names: {} }, rest);
    case 'bit-string':
      return writeValue({ kind: 'bit-string' }, rest);
    case 'octet-string':
      // Bare hex too, which an octet-string mostly is.
      return { type: name, value: /^([0-9a-f]{2})*$/i.test(rest) ? fromHex(rest) : octets(rest) };
    case 'visible-string':
    case 'utf8-string':
      return writeValue({ kind: 'string', type: name, as: 'text' }, rest);
    case 'date-time':
    case 'date':
    case 'time':
      return writeValue({ kind: 'temporal', of: name, in: 'itself' }, rest);
    default:
      return writeValue({ kind: 'number', type: name }, rest);
  }
}

function octets(text: string): Uint8Array {
  const data = writeValue({ kind: 'string', type: 'octet-string', as: 'bytes' }, text);
  return (data as { value: Uint8Array }).value;
}

/** The mantissa of a number that is written in the unit of the register. */
function unscaled(text: string, { scaler, unit }: ScalerUnit): bigint | number {
  const symbol = unitText(unit);
  const bare = text.trim().replace(/\s+/g, ' ');
  const number = symbol !== '' && bare.endsWith(` ${symbol}`) ? bare.slice(0, -symbol.length - 1) : bare;
  const given = parseDecimal(number);
  if (!given) throw new UsageError(`${JSON.stringify(text)} is no number${symbol ? ` in ${symbol}` : ''}.`);
  let mantissa = BigInt(given.mantissa);
  const steps = given.scaler - scaler;
  if (steps >= 0) mantissa *= 10n ** BigInt(steps);
  else {
    const by = 10n ** BigInt(-steps);
    if (mantissa % by !== 0n) throw new UsageError(`${text}: the register holds steps of 10^${scaler} ${symbol}.`);
    mantissa /= by;
  }
  const small = Number(mantissa);
  return Number.isSafeInteger(small) ? small : mantissa;
}
