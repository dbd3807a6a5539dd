/**
 * A profile as typed columns: what its capture objects are, how far apart its rows, in which order, their scalers and
 * units, and then the rows themselves (IEC 62056-6-2, class 7; the decoding is @amiable/cosem's).
 *
 * Decides: what is asked of the meter before the buffer; who has asked before gives it in and only the buffer is read.
 * A meter that refuses scalers or the capture period is read without them.
 */
import { DecodeError } from '@amiable/bytes';
import {
  columnOfCapture,
  type ProfileColumn,
  type ProfileOptions,
  readPlain,
  readProfile,
  type ScalerUnit,
  scalerUnit,
} from '@amiable/cosem';
import type { AttributeDescriptor, DataResult } from '@amiable/dlms';
import { readCaptureObjects } from './object-list.ts';
import type {
  CaptureObjectDefinition,
  ProfileReading,
  ProfileSelection,
  ReadProfileOptions,
  Session,
} from './types.ts';

const PROFILE_GENERIC = 7;
const CAPTURE_OBJECTS = 3;
const CAPTURE_PERIOD = 4;
const SORT_METHOD = 5;
/** Last in, first out. */
const LIFO = 2;
/** Where classes have their scaler_unit. */
const SCALER_UNIT: Readonly<Record<number, number>> = { 3: 3, 4: 3, 5: 4 };

/** @throws as `Session.get` when the profile does not tell its columns; DecodeError when its buffer is none */
export async function readProfileOf(
  session: Session,
  profile: Uint8Array,
  selection: ProfileSelection,
  options: ReadProfileOptions,
): Promise<ProfileReading> {
  const known = options.columns
    ? { columns: options.columns, shape: options }
    : await shapeOf(session, profile, options);
  const columns = selected(known.columns, selection);
  const rows = await session.getProfile(profile, selection);
  return { ...rows, columns, profile: readProfile(rows.buffer, columns, known.shape) };
}

async function shapeOf(
  session: Session,
  profile: Uint8Array,
  options: ReadProfileOptions,
): Promise<{ columns: readonly ProfileColumn[]; shape: ProfileOptions }> {
  const attribute = (attributeId: number): AttributeDescriptor => ({
    classId: PROFILE_GENERIC,
    instanceId: profile,
    attributeId,
  });
  const definitions = readCaptureObjects(await session.get(attribute(CAPTURE_OBJECTS)));
  const [period, sort] = await session.getList([attribute(CAPTURE_PERIOD), attribute(SORT_METHOD)]);
  const capturePeriod = options.capturePeriod ?? numberIn(period) ?? 0;
  const newestFirst = options.newestFirst ?? numberIn(sort) === LIFO;
  const columns =
    options.scalers === false ? definitions.map(columnOfCapture) : await withScalers(session, definitions);
  return { columns, shape: { ...options, capturePeriod, newestFirst } };
}

async function withScalers(
  session: Session,
  definitions: readonly CaptureObjectDefinition[],
): Promise<ProfileColumn[]> {
  const registers = definitions.filter(isValueOfRegister);
  const found = new Map<CaptureObjectDefinition, ScalerUnit>();
  if (registers.length > 0) {
    const results = await session.getList(
      registers.map(({ classId, instanceId }) => ({
        classId,
        instanceId,
        attributeId: SCALER_UNIT[classId] as number,
      })),
    );
    for (const [i, register] of registers.entries()) {
      const unit = scalerIn(results[i]);
      if (unit) found.set(register, unit);
    }
  }
  return definitions.map((definition) => {
    const unit = found.get(definition);
    return { ...columnOfCapture(definition), ...(unit && { scalerUnit: unit }) };
  });
}

function isValueOfRegister({ classId, attributeId, dataIndex }: CaptureObjectDefinition): boolean {
  if (SCALER_UNIT[classId] === undefined || dataIndex !== 0) return false;
  // Current and last average value of a demand register, the value of the others.
  return attributeId === 2 || (classId === 5 && attributeId === 3);
}

function numberIn(result: DataResult | undefined): number | undefined {
  const value = plainIn(result, { kind: 'any' });
  return typeof value === 'number' ? value : undefined;
}

function scalerIn(result: DataResult | undefined): ScalerUnit | undefined {
  const value = plainIn(result, scalerUnit) as Partial<ScalerUnit> | undefined;
  return value && typeof value.scaler === 'number' && value.unit !== undefined
    ? { scaler: value.scaler, unit: value.unit }
    : undefined;
}

function plainIn(result: DataResult | undefined, type: Parameters<typeof readPlain>[0]): unknown {
  if (!result || !('data' in result)) return undefined;
  try {
    return readPlain(type, result.data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Those columns that the selection names. */
function selected(columns: readonly ProfileColumn[], selection: ProfileSelection): readonly ProfileColumn[] {
  if (selection.kind === 'entry') {
    const { fromColumn = 1, toColumn = 0 } = selection;
    return columns.slice(Math.max(0, fromColumn - 1), toColumn === 0 ? undefined : toColumn);
  }
  if (selection.kind === 'all' || !selection.columns?.length) return columns;
  return selection.columns.map((wanted) => {
    const column = columnOfCapture(wanted);
    const same = columns.find(
      (c) =>
        c.classId === column.classId &&
        c.logicalName === column.logicalName &&
        c.attribute === column.attribute &&
        c.dataIndex === column.dataIndex,
    );
    return same ?? column;
  });
}
