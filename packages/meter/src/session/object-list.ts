/**
 * The object list of an association (IEC 62056-6-2: Association LN, class 15 attribute 2; Association SN, class 12
 * attribute 2) as entries.
 *
 * Decides: an entry that is not as the standard says ends the reading with a DecodeError that says where; access modes
 * and selectors stay numbers (the tables of @amiable/cosem name them). Elements that meters add at the end are let pass.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { type Data, decodeData, type EncodedData } from '@amiable/dlms';
import type { CaptureObjectDefinition, ObjectListEntry } from './types.ts';

/** Room for the list of the largest meters, with rights for each attribute. */
const LIMITS = { depth: 16, values: 4_000_000 };

function read(encoded: EncodedData): Data {
  const reader = new Reader(encoded);
  const data = decodeData(reader, LIMITS);
  if (reader.remaining > 0) throw new DecodeError('trailing', 'bytes follow the end of the list', reader.pos);
  return data;
}

function elements(data: Data | undefined, what: string, least = 0): readonly Data[] {
  if ((data?.type === 'array' || data?.type === 'structure') && data.value.length >= least) return data.value;
  throw new DecodeError('value', `${what} is ${data?.type ?? 'missing'}`, 0);
}

function number(data: Data | undefined, what: string): number {
  if (data?.type === 'boolean') return data.value ? 1 : 0;
  if (data && 'value' in data && typeof data.value === 'number') return data.value;
  throw new DecodeError('value', `${what} is ${data?.type ?? 'missing'}, not a number`, 0);
}

function logicalName(data: Data | undefined): Uint8Array {
  if (data?.type === 'octet-string' && data.value.length === 6) return data.value.slice();
  throw new DecodeError('value', 'a logical name is no octet-string of 6 bytes', 0);
}

function attributeAccess(data: Data): { id: number; access: number; selectors: number[] } {
  const [id, access, selectors] = elements(data, 'an attribute access item', 2);
  const list = selectors?.type === 'array' ? selectors.value.map((s) => number(s, 'a selector')) : [];
  return { id: number(id, 'an attribute id'), access: number(access, 'an access mode'), selectors: list };
}

function methodAccess(data: Data): { id: number; access: number } {
  const [id, access] = elements(data, 'a method access item', 2);
  return { id: number(id, 'a method id'), access: number(access, 'an access mode') };
}

/** @throws DecodeError */
export function readObjectList(encoded: EncodedData): ObjectListEntry[] {
  return elements(read(encoded), 'the object list').map((element) => {
    const [classId, version, name, rights] = elements(element, 'an entry of the object list', 3);
    const entry = {
      classId: number(classId, 'a class id'),
      version: number(version, 'a version'),
      instanceId: logicalName(name),
    };
    if (rights === undefined || rights.type === 'null-data') return entry;
    const [attributes, methods] = elements(rights, 'the access rights', 2);
    return {
      ...entry,
      attributes: elements(attributes, 'the attribute access').map(attributeAccess),
      methods: elements(methods, 'the method access').map(methodAccess),
    };
  });
}

/** Of short names. @throws DecodeError */
export function readShortNameList(encoded: EncodedData): ObjectListEntry[] {
  return elements(read(encoded), 'the object list').map((element) => {
    const [base, classId, version, name] = elements(element, 'an entry of the object list', 4);
    return {
      classId: number(classId, 'a class id'),
      version: number(version, 'a version'),
      instanceId: logicalName(name),
      // Sent as a signed number, used as an unsigned one.
      baseName: number(base, 'a base name') & 0xffff,
    };
  });
}

/** @throws DecodeError */
export function readCaptureObjects(encoded: EncodedData): CaptureObjectDefinition[] {
  return elements(read(encoded), 'capture_objects').map((element) => {
    const [classId, name, attributeId, dataIndex] = elements(element, 'a capture object', 4);
    return {
      classId: number(classId, 'a class id'),
      instanceId: logicalName(name),
      attributeId: number(attributeId, 'an attribute id'),
      dataIndex: number(dataIndex, 'a data index'),
    };
  });
}
