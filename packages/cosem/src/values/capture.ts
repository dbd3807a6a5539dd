/**
 * Columns of a profile: what its capture objects are and are called (IEC 62056-6-2 clause 4.3.6).
 *
 * Decides: a column's name, from the quantity of its logical name and, where it is not the value, the attribute; which
 * columns hold moments; which is the status. Leaves out: reading scaler and unit of each register, which the caller does.
 */
import type { Data, EncodedData } from '@amiable/dlms';
import { PROFILE_GENERIC } from '../classes/measurement.ts';
import { attributeOf, interfaceClass } from '../classes/registry.ts';
import { obisFromBytes, obisGroups } from '../obis.ts';
import { quantityOf } from '../quantity.ts';
import type { ScalerUnit } from './print.ts';
import { readPlain } from './read.ts';
import { writeValue } from './write.ts';

export interface ProfileColumn {
  readonly classId: number;
  /** OBIS code, e.g. `1-0:1.8.0`. */
  readonly logicalName: string;
  readonly attribute: number;
  /** 0 is the whole attribute, n its n-th element. */
  readonly dataIndex: number;
  /** Of the register, where it is known. */
  readonly scalerUnit?: ScalerUnit;
}

/** The columns that attribute 3 of a profile tells. @throws DecodeError when bytes are given that are no value */
export function profileColumns(captureObjects: Data | EncodedData): ProfileColumn[] {
  const list = readPlain(PROFILE_GENERIC.types.capture_objects, captureObjects);
  const columns: ProfileColumn[] = [];
  for (const object of Array.isArray(list) ? list : []) {
    const { class_id, logical_name, attribute_index, data_index } = (object ?? {}) as Record<string, unknown>;
    columns.push({
      classId: Number(class_id ?? 0),
      logicalName: String(logical_name ?? ''),
      attribute: Number(attribute_index ?? 0),
      dataIndex: Number(data_index ?? 0),
    });
  }
  return columns;
}

/** A column as the client's session names it. */
export function columnOfCapture(definition: {
  readonly classId: number;
  readonly instanceId: Uint8Array;
  readonly attributeId: number;
  readonly dataIndex: number;
}): ProfileColumn {
  const { classId, instanceId, attributeId, dataIndex } = definition;
  return { classId, logicalName: obisFromBytes(instanceId), attribute: attributeId, dataIndex };
}

/** Attribute 3 of a profile with these columns. */
export function captureObjectsOf(columns: readonly ProfileColumn[]): Data {
  return writeValue(
    PROFILE_GENERIC.types.capture_objects,
    columns.map(({ classId, logicalName, attribute, dataIndex }) => ({
      class_id: classId,
      logical_name: logicalName,
      attribute_index: attribute,
      data_index: dataIndex,
    })),
  );
}

/** `activeEnergyImport`; `clock`; with the attribute where it is not the value: `activePowerImportMaximum.capture_time`. */
export function columnName(column: ProfileColumn): string {
  const { name } = quantityOf(column.logicalName);
  const part = column.dataIndex === 0 ? '' : `[${column.dataIndex}]`;
  if (column.attribute === 2) return name + part;
  const table = interfaceClass(column.classId);
  const attribute = table && attributeOf(table, column.attribute)?.name;
  return `${name}.${attribute ?? `attribute${column.attribute}`}${part}`;
}

/** Class and attribute of every moment that profiles capture: the clock's time and the capture times of registers. */
export function holdsMoments({ classId, attribute }: ProfileColumn): boolean {
  if (classId === 8) return attribute === 2;
  if (classId === 4) return attribute === 5;
  return classId === 5 && (attribute === 6 || attribute === 7);
}

export function isClock({ classId, attribute }: ProfileColumn): boolean {
  return classId === 8 && attribute === 2;
}

/** The profile status, *-*:96.10.*. */
export function isStatus({ logicalName }: ProfileColumn): boolean {
  const obis = obisGroups(logicalName);
  return obis?.c === 96 && obis.d === 10;
}
