/**
 * Reading attributes as a person wants them: names, types by the class table, registers with their scaler applied exactly.
 *
 * Decides: which attribute holds the scaler and unit of which others; that both are asked for in one list.
 */
import { DecodeError, toHex } from '@amiable/bytes';
import {
  dataOf,
  type JsonValue,
  jsonValue,
  plainValue,
  printPlain,
  printQuantity,
  readPlain,
  type ScalerUnit,
  unitOfCode,
  type ValueType,
} from '@amiable/cosem';
import { type AttributeDescriptor, type Data, type DataResult, dataAccessWords, type EncodedData } from '@amiable/dlms';
import { harmless } from '@amiable/io/terminal';
import type { Session } from '@amiable/meter';
import { decimal } from '@amiable/model';
import { attributeName, type CatalogObject, mayRead, nameOf } from './catalog.ts';
import { printTarget } from './target.ts';

export interface Wanted {
  readonly object: CatalogObject;
  readonly attribute: number;
}

export interface ReadValue extends Wanted {
  readonly result: DataResult;
  readonly scalerUnit?: ScalerUnit;
}

/** Class → attribute of scaler_unit → attributes that it holds for. */
const SCALERS: Readonly<Record<number, readonly [scaler: number, of: readonly number[]]>> = {
  3: [3, [2]],
  4: [3, [2]],
  5: [4, [2, 3]],
};

const descriptor = ({ object, attribute }: Wanted): AttributeDescriptor => ({
  classId: object.classId,
  instanceId: object.instanceId,
  attributeId: attribute,
});

/** The attribute that holds scaler and unit of this one. */
export function scalerOf({ object, attribute }: Wanted): number | undefined {
  const [scaler, of] = SCALERS[object.classId] ?? [];
  return of?.includes(attribute) ? scaler : undefined;
}

/** All in one list where the meter takes lists. @throws what the session throws when the line or the association fails */
export async function readAttributes(session: Session, wanted: readonly Wanted[]): Promise<ReadValue[]> {
  const asked: AttributeDescriptor[] = [];
  const places = new Map<string, number>();
  const place = (one: Wanted): number => {
    const key = `${one.object.classId} ${one.object.obis} ${one.attribute}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, asked.length);
    return asked.push(descriptor(one)) - 1;
  };
  const plan = wanted.map((one) => {
    const scaler = scalerOf(one);
    const own = place(one);
    const unit =
      scaler !== undefined && mayRead(one.object, scaler)
        ? place({ object: one.object, attribute: scaler })
        : undefined;
    return { one, own, unit };
  });
  const results =
    asked.length === 1 ? [await single(session, asked[0] as AttributeDescriptor)] : await session.getList(asked);
  return plan.map(({ one, own, unit }) => {
    const scalerUnit = unit === undefined ? undefined : scalerUnitOf(results[unit]);
    return { ...one, result: results[own] ?? { error: 250 }, ...(scalerUnit && { scalerUnit }) };
  });
}

async function single(session: Session, attribute: AttributeDescriptor): Promise<DataResult> {
  const [result] = await session.getList([attribute]);
  return result ?? { error: 250 };
}

export function scalerUnitOf(result: DataResult | undefined): ScalerUnit | undefined {
  if (!result || 'error' in result) return undefined;
  const data = decoded(result.data);
  const [scaler, unit] = data?.type === 'structure' ? data.value : [];
  if (scaler?.type !== 'integer' || unit?.type !== 'enum') return undefined;
  return { scaler: scaler.value, unit: unit.value };
}

/** Undefined when the bytes are no value. */
export function decoded(data: EncodedData): Data | undefined {
  try {
    return dataOf(data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const ANY: ValueType = { kind: 'any' };
export const typeOf = ({ object, attribute }: Wanted): ValueType =>
  object.table?.attributes[attribute - 1]?.type ?? ANY;

/** One line. */
export function printRead(value: ReadValue): string {
  const { result } = value;
  if ('error' in result) return `(${dataAccessWords(result.error)})`;
  return harmless(printEncoded(typeOf(value), result.data, value.scalerUnit));
}

export function printEncoded(type: ValueType, encoded: EncodedData, scalerUnit?: ScalerUnit): string {
  const data = decoded(encoded);
  if (!data) return `not a value: ${toHex(encoded)}`;
  const mantissa = mantissaOf(data);
  if (scalerUnit && mantissa !== undefined) return printQuantity(mantissa, scalerUnit);
  return printPlain(readPlain(type, data), type);
}

export function mantissaOf(data: Data): number | bigint | undefined {
  if (data.type === 'enum' || data.type === 'boolean' || !('value' in data)) return undefined;
  return typeof data.value === 'number' || typeof data.value === 'bigint' ? data.value : undefined;
}

export const unitText = (unit: string | number): string =>
  typeof unit === 'number' ? (unitOfCode(unit)?.symbol ?? `unit ${unit}`) : unit;

/** A number where that is exact, else its digits as text. */
export function exactNumber(mantissa: number | bigint, scaler: number): JsonValue {
  if (typeof mantissa === 'number' && !Number.isInteger(mantissa)) return Number(`${mantissa}e${scaler}`);
  const text = decimal(mantissa, scaler);
  const significant = text.replace(/^-?0*\.?0*/, '').replace('.', '').length;
  return significant <= 15 ? Number(text) : text;
}

/** For programs. */
export function jsonRead(value: ReadValue, raw: boolean): Record<string, JsonValue> {
  const { object, attribute, result, scalerUnit } = value;
  const head = {
    obis: object.obis,
    class: object.classId,
    attribute,
    attributeName: attributeName(object, attribute),
    name: nameOf(object),
  };
  if ('error' in result) return { ...head, error: dataAccessWords(result.error), code: result.error };
  const data = decoded(result.data);
  const mantissa = data && mantissaOf(data);
  const bytes = raw ? { raw: toHex(result.data) } : {};
  if (!data) return { ...head, error: 'not a value', raw: toHex(result.data) };
  if (scalerUnit && mantissa !== undefined)
    return {
      ...head,
      value: exactNumber(mantissa, scalerUnit.scaler),
      unit: unitText(scalerUnit.unit),
      scaler: scalerUnit.scaler,
      ...bytes,
    };
  const type = typeOf(value);
  const plain = type === ANY ? plainValue(data) : readPlain(type, data);
  return { ...head, value: jsonValue(plain), ...bytes };
}

/** How a value is headed: `1-0:1.8.0  Active energy import`. */
export function heading({ object, attribute }: Wanted): string {
  return printTarget(object, attribute);
}
