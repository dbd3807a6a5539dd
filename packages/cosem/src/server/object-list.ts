/**
 * object_list and access_rights_list (IEC 62056-6-2 clauses 4.4.3 and 4.4.4): what an association sees of the device.
 *
 * Decides: an association lists the objects it may do something with, each with its rights in the form of the
 * association's own class and version; selectors 1 to 4 of Association LN. Leaves out: short names' giving out.
 */
import { DecodeError, Reader, Writer } from '@amiable/bytes';
import { decodeLength, type EncodedData, encodeLength, type SelectiveAccess } from '@amiable/dlms';
import { isOfType } from '../values/check.ts';
import { attributesOf, type Entry, methodsOf, modesFor } from './entry.ts';
import { type AccessForm, attributeMode, isAccessors, methodMode } from './rights.ts';

export interface ObjectFilter {
  readonly rights: boolean;
  wanted(classId: number, instanceId: Uint8Array): boolean;
}

const ALL: ObjectFilter = { rights: true, wanted: () => true };

/** object_list of Association LN as association number `association` sees it. */
export function objectListLn<M>(
  entries: Iterable<Entry<M>>,
  association: number,
  form: AccessForm,
  filter: ObjectFilter = ALL,
): EncodedData {
  const writer = new Writer(4096);
  const seen: Entry<M>[] = [];
  for (const entry of entries)
    if (entry.modes[association] && filter.wanted(entry.classId, entry.instanceId)) seen.push(entry);
  writer.u8(1);
  encodeLength(writer, seen.length);
  for (const entry of seen) {
    writer.u8(2).u8(filter.rights ? 4 : 3);
    head(writer, entry);
    if (!filter.rights) continue;
    writer.u8(2).u8(2);
    writeRights(writer, entry, association, form);
  }
  return writer.finish();
}

/** class_id, version, logical_name. */
function head<M>(writer: Writer, entry: Entry<M>): void {
  writer.u8(0x12).u16(entry.classId).u8(0x11).u8(entry.version).u8(0x09).u8(6).bytes(entry.instanceId);
}

/** attribute_access and method_access, both arrays. */
function writeRights<M>(writer: Writer, entry: Entry<M>, association: number, form: AccessForm): void {
  const modes = modesFor(entry, association);
  const attributes = attributesOf(entry);
  writer.u8(1);
  encodeLength(writer, attributes.length);
  for (const index of attributes) {
    writer
      .u8(2)
      .u8(3)
      .u8(0x0f)
      .u8(index)
      .u8(0x16)
      .u8(attributeMode(modes.attribute(index), form));
    const attribute = entry.object.attributes?.[index];
    const selectors = isAccessors<M>(attribute) ? attribute.selectors : undefined;
    if (!selectors || selectors.length === 0) writer.u8(0);
    else {
      writer.u8(1).u8(selectors.length);
      for (const selector of selectors) writer.u8(0x0f).u8(selector);
    }
  }
  const methods = methodsOf(entry);
  writer.u8(1);
  encodeLength(writer, methods.length);
  for (const index of methods) {
    const mode = methodMode(modes.method(index), form);
    writer.u8(2).u8(2).u8(0x0f).u8(index);
    if (form === 'plain') writer.u8(0x03).u8(mode);
    else writer.u8(0x16).u8(mode);
  }
}

/** object_list of Association SN. */
export function objectListSn<M>(entries: Iterable<Entry<M>>, association: number, filter = ALL): EncodedData {
  return listSn(entries, association, filter, 4, (writer, entry) => head(writer, entry));
}

/** access_rights_list of Association SN. */
export function accessRightsSn<M>(entries: Iterable<Entry<M>>, association: number, form: AccessForm): EncodedData {
  return listSn(entries, association, ALL, 3, (writer, entry) => writeRights(writer, entry, association, form));
}

function listSn<M>(
  entries: Iterable<Entry<M>>,
  association: number,
  filter: ObjectFilter,
  fields: number,
  rest: (writer: Writer, entry: Entry<M>) => void,
): EncodedData {
  const writer = new Writer(4096);
  const seen: Entry<M>[] = [];
  for (const entry of entries)
    if (entry.modes[association] && entry.baseName >= 0 && filter.wanted(entry.classId, entry.instanceId))
      seen.push(entry);
  writer.u8(1);
  encodeLength(writer, seen.length);
  for (const entry of seen) {
    writer.u8(2).u8(fields).u8(0x10).u16(entry.baseName);
    rest(writer, entry);
  }
  return writer.finish();
}

const OBJECT_ID = {
  kind: 'structure',
  fields: {
    class_id: { kind: 'number', type: 'long-unsigned' },
    logical_name: { kind: 'string', type: 'octet-string', as: 'logical-name', size: 6 },
  },
} as const;
const OBJECT_ID_LENGTH = 2 + 3 + 8;

/**
 * What a selective access to object_list asks for: 1 all without rights, 2 objects of the classes, 3 and 4 the objects
 * named, with their rights.
 * @returns undefined when the parameters are not of the selector's type
 */
export function objectFilter(access: SelectiveAccess): ObjectFilter | undefined {
  const { selector, parameters } = access;
  switch (selector) {
    case 1:
      return parameters[0] === 0 && parameters.length === 1 ? { rights: false, wanted: () => true } : undefined;
    case 2: {
      if (!isOfType(parameters, { kind: 'array', of: { kind: 'number', type: 'long-unsigned' } })) return undefined;
      const classes = new Set<number>();
      const reader = contents(parameters);
      while (reader.remaining > 0) {
        reader.skip(1);
        classes.add(reader.u16());
      }
      return { rights: false, wanted: (classId) => classes.has(classId) };
    }
    case 3:
      if (!isOfType(parameters, { kind: 'array', of: OBJECT_ID })) return undefined;
      return named(contents(parameters));
    case 4:
      return isOfType(parameters, OBJECT_ID) ? named(new Reader(parameters)) : undefined;
    default:
      return undefined;
  }
}

/** A reader behind the tag and count of an array that has been checked. */
function contents(array: Uint8Array): Reader {
  const reader = new Reader(array, 1);
  decodeLength(reader);
  return reader;
}

function named(reader: Reader): ObjectFilter {
  const names = new Set<string>();
  while (reader.remaining >= OBJECT_ID_LENGTH) {
    reader.skip(3);
    const classId = reader.u16();
    reader.skip(2);
    names.add(`${classId}:${reader.bytes(6).join('.')}`);
  }
  return { rights: true, wanted: (classId, instanceId) => names.has(`${classId}:${instanceId.join('.')}`) };
}

/** class_id and logical_name of one object_id; undefined when the bytes are none. */
export function readObjectId(parameters: EncodedData): { classId: number; instanceId: Uint8Array } | undefined {
  if (!isOfType(parameters, OBJECT_ID)) return undefined;
  try {
    const reader = new Reader(parameters, 3);
    const classId = reader.u16();
    reader.skip(2);
    return { classId, instanceId: reader.bytes(6) };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
