/**
 * Learning what stands in a meter's profiles and what class its single objects have (IEC 62056-6-2 clauses 4.3.1 to 4.3.6).
 *
 * Decides: capture objects are told apart by a digest of their bytes, so that a meter whose profile was parametrised otherwise than
 * its type's never has its values taken for others. Scalers and units are asked for once per type, configuration and digest.
 */
import { DecodeError } from '@amiable/bytes';
import {
  columnName,
  columnOfCapture,
  isClock,
  isStatus,
  obisToBytes,
  type ProfileColumn,
  quantityOf,
  unitOfCode,
} from '@amiable/cosem';
import {
  type AttributeDescriptor,
  type DataResult,
  DlmsPeerError,
  dataAccessWords,
  type EncodedData,
} from '@amiable/dlms';
import { readCaptureObjects } from '../session/object-list.ts';
import type { Session } from '../session/types.ts';
import {
  hashOf,
  type ObjectShape,
  type ProfileShape,
  rememberProfile,
  type ShapeColumn,
  type TypeShape,
} from './shape.ts';

const PROFILE_GENERIC = 7;
const CAPTURE_OBJECTS = 3;
const CAPTURE_PERIOD = 4;
const SORT_METHOD = 5;
/** Last in, first out. */
const LIFO = 2;
/** Where classes have scaler_unit. */
const SCALER_UNIT: Readonly<Record<number, number>> = { 3: 3, 4: 3, 5: 4 };
const TEMPORARY_FAILURE = 2;
const NOT_THERE = new Set([4, 9, 11]);

export const attribute = (classId: number, obis: string, attributeId: number): AttributeDescriptor => ({
  classId,
  instanceId: logicalName(obis),
  attributeId,
});

const names = new Map<string, Uint8Array>();
/** The six bytes of a code; shared, not to be changed. */
export function logicalName(obis: string): Uint8Array {
  let bytes = names.get(obis);
  if (!bytes) {
    bytes = obisToBytes(obis);
    if (names.size >= 10_000) names.clear();
    names.set(obis, bytes);
  }
  return bytes;
}

export const captureObjectsOf = (obis: string): AttributeDescriptor =>
  attribute(PROFILE_GENERIC, obis, CAPTURE_OBJECTS);

/** The scaler and unit code of attribute scaler_unit; undefined when it is none. */
export function scalerUnitOf(result: DataResult | undefined): { scaler: number; unit: number } | undefined {
  if (!result || !('data' in result)) return undefined;
  const d = result.data;
  // structure of integer and enum
  if (d.length !== 6 || d[0] !== 2 || d[1] !== 2 || d[2] !== 0x0f || d[4] !== 0x16) return undefined;
  return { scaler: ((d[3] as number) << 24) >> 24, unit: d[5] as number };
}

function meaning(scalerUnit: { scaler: number; unit: number } | undefined, obis: string): Omit<ObjectShape, 'classId'> {
  const quantity = quantityOf(obis);
  if (!scalerUnit) return { scaler: 0, ...(quantity.unit !== undefined && { unit: quantity.unit }) };
  const unit = unitOfCode(scalerUnit.unit);
  return {
    scaler: scalerUnit.scaler + (unit?.power ?? 0),
    ...(unit?.unit !== undefined && { unit: unit.unit }),
  };
}

/** A number of an encoded attribute; undefined for anything else. */
function numberIn(result: DataResult | undefined): number | undefined {
  if (!result || !('data' in result)) return undefined;
  const d = result.data;
  let value = 0;
  for (let i = 1; i < d.length; i++) value = value * 256 + (d[i] as number);
  return [0x06, 0x11, 0x12, 0x16].includes(d[0] as number) ? value : undefined;
}

function isValue({ classId, attribute: id, dataIndex }: ProfileColumn): boolean {
  if (dataIndex !== 0) return classId === 7;
  return (id === 2 && [1, 3, 4, 5].includes(classId)) || (classId === 5 && id === 3);
}

/** Makes the shape of a profile from its capture objects, asking for what is not known. @throws as `Session.getList` */
export async function learnProfile(
  session: Session,
  type: TypeShape,
  obis: string,
  captureObjects: EncodedData,
): Promise<ProfileShape> {
  const columns = readCaptureObjects(captureObjects).map(columnOfCapture);
  const scaled = columns.filter((c) => isValue(c) && !isStatus(c) && SCALER_UNIT[c.classId] !== undefined);
  const [period, sort, ...scalers] = await session.getList([
    attribute(PROFILE_GENERIC, obis, CAPTURE_PERIOD),
    attribute(PROFILE_GENERIC, obis, SORT_METHOD),
    ...scaled.map((c) => attribute(c.classId, c.logicalName, SCALER_UNIT[c.classId] as number)),
  ]);
  const found = new Map(scaled.map((c, i) => [c, scalerUnitOf(scalers[i])]));
  const shape: ProfileShape = {
    hash: hashOf(captureObjects),
    columns: columns.map((column): ShapeColumn => {
      const value = isValue(column) && !isStatus(column) && !isClock(column);
      return {
        ...column,
        name: column.attribute === 2 ? quantityOf(column.logicalName).name : columnName(column),
        ...(value ? meaning(found.get(column), column.logicalName) : { scaler: 0 }),
        value,
      };
    }),
    clock: columns.findIndex(isClock),
    status: columns.findIndex(isStatus),
    capturePeriod: numberIn(period) ?? 0,
    newestFirst: numberIn(sort) === LIFO,
    access: 'range',
  };
  if (shape.clock < 0) throw new DecodeError('value', `${obis}: no clock among its capture objects`, 0);
  rememberProfile(type, obis, shape);
  return shape;
}

/** Classes that have a value, the likeliest first. */
const CLASSES = [3, 4, 5, 1] as const;

/** Finds out class, scaler and unit of single objects that are not known yet. */
export async function learnObjects(session: Session, type: TypeShape, codes: readonly string[]): Promise<void> {
  let unknown = codes.filter((obis) => type.objects.get(obis) === undefined && !type.objects.has(obis));
  for (const classId of CLASSES) {
    if (unknown.length === 0) return;
    const id = SCALER_UNIT[classId] ?? 2;
    const results = await session.getList(unknown.map((obis) => attribute(classId, obis, id)));
    const left: string[] = [];
    for (const [i, obis] of unknown.entries()) {
      const result = results[i];
      // What cannot be told now is asked again another time.
      if (result && 'error' in result && result.error === TEMPORARY_FAILURE) continue;
      if (!result || 'error' in result) left.push(obis);
      else type.objects.set(obis, { classId, ...meaning(scalerUnitOf(result), obis) });
    }
    unknown = left;
  }
  for (const obis of unknown) type.objects.set(obis, null);
}

/** Whether a Data-Access-Result says that there is no such object or attribute. */
export const isNotThere = (code: number | undefined): boolean => code !== undefined && NOT_THERE.has(code);

/** A Data-Access-Result as what it is. */
export const refused = (what: string, code: number): DlmsPeerError =>
  new DlmsPeerError(dataAccessWords(code), {
    kind: 'data-access',
    code,
    state: what,
    expected: '',
    bytes: new Uint8Array(0),
  });
