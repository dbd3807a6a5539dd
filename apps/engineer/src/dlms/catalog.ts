/**
 * The objects that an association shows, with the tables of their classes and their names in words.
 *
 * Decides: what rights are in one notation whatever the version of the association; what an object that was never seen in a
 * list is taken for.
 */
import { Reader } from '@amiable/bytes';
import { ACCESS, findClass, type InterfaceClass, obisFromBytes, objectName } from '@amiable/cosem';
import { decodeData } from '@amiable/dlms';
import { harmless } from '@amiable/io/terminal';
import type { ObjectListEntry, Session } from '@amiable/meter';

export interface CatalogObject {
  readonly classId: number;
  /** Undefined where only the class is known. */
  readonly version: number | undefined;
  readonly obis: string;
  readonly instanceId: Uint8Array;
  readonly table: InterfaceClass | undefined;
  readonly baseName: number | undefined;
  /** Bits of ACCESS by attribute; undefined where the list tells no rights. */
  readonly attributes: ReadonlyMap<number, number> | undefined;
  readonly methods: ReadonlyMap<number, number> | undefined;
}

export interface Catalog {
  /** By class, then by logical name. */
  readonly objects: readonly CatalogObject[];
}

const ASSOCIATION_LN = 15;
/** access_mode of Association LN before version 3: with 4 to 6 the message must be authenticated. */
const MODES = [0, 1, 2, 3, 0x25, 0x26, 0x27];
const METHOD_MODES = [0, 1, 0x25];
/** Either end authenticated, encrypted or signed. */
const PROTECTED = 0xfc;

export async function readCatalog(session: Session): Promise<Catalog> {
  const entries = await session.objects();
  const association =
    entries.find((e) => e.classId === ASSOCIATION_LN && isCurrent(e.instanceId)) ??
    entries.find((e) => e.classId === ASSOCIATION_LN);
  const bits = (association?.version ?? 0) >= 3;
  const objects = entries.map((entry) => objectOf(entry, bits));
  objects.sort((a, b) => a.classId - b.classId || compareNames(a.instanceId, b.instanceId));
  return { objects };
}

const SAP_ASSIGNMENT = { classId: 17, instanceId: Uint8Array.of(0, 0, 41, 0, 0, 255), attributeId: 2 };

/** The logical devices that the meter names in its SAP assignment; none where this client does not see it. */
export async function logicalDevices(session: Session): Promise<{ sap: number; name: string }[]> {
  try {
    const list = decodeData(new Reader(await session.get(SAP_ASSIGNMENT)));
    if (list.type !== 'array') return [];
    return list.value.flatMap((item) => {
      const [sap, name] = item.type === 'structure' ? item.value : [];
      if (sap?.type !== 'long-unsigned' || name?.type !== 'octet-string') return [];
      return [{ sap: sap.value, name: harmless(String.fromCharCode(...name.value)) }];
    });
  } catch (error) {
    if (['PeerError', 'DecodeError'].includes((error as Error).name)) return [];
    throw error;
  }
}

const isCurrent = (n: Uint8Array): boolean => n.join() === '0,0,40,0,0,255';

function compareNames(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 6; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return 0;
}

function objectOf(entry: ObjectListEntry, bits: boolean): CatalogObject {
  const { classId, version, instanceId } = entry;
  return {
    ...bareObject(classId, instanceId, version),
    baseName: entry.baseName,
    attributes:
      entry.attributes && new Map(entry.attributes.map(({ id, access }) => [id, bits ? access : (MODES[access] ?? 0)])),
    methods:
      entry.methods &&
      new Map(entry.methods.map(({ id, access }) => [id, bits ? access : (METHOD_MODES[access] ?? 0)])),
  };
}

/** An object of which only class and name are known. */
export function bareObject(classId: number, instanceId: Uint8Array, version?: number): CatalogObject {
  const obis = obisFromBytes(instanceId);
  const table = findClass(classId, version)?.table;
  return { classId, version, obis, instanceId, table, baseName: undefined, attributes: undefined, methods: undefined };
}

/** In words; of an object that nobody has named, its class. */
export function nameOf({ obis, table, classId }: Pick<CatalogObject, 'obis' | 'table' | 'classId'>): string {
  return objectName(obis) ?? table?.name ?? `class ${classId}`;
}

export function attributeName({ table }: Pick<CatalogObject, 'table'>, index: number): string {
  return table?.attributes[index - 1]?.name ?? `attribute_${index}`;
}

export function methodName({ table }: Pick<CatalogObject, 'table'>, index: number): string {
  return table?.methods.find((m) => m.index === index)?.name ?? `method_${index}`;
}

/** r, w, + for both, - for none; in capitals (and *) where the message must be protected. */
function letter(access: number): string {
  const plain = '-rw+'[access & ACCESS.readWrite] as string;
  return (access & PROTECTED) === 0 ? plain : plain === '+' ? '*' : plain.toUpperCase();
}

/** One letter for each attribute, and after a blank one for each method: `rr+ x`. Empty where nothing is told. */
export function rightsText({ attributes, methods, table }: CatalogObject): string {
  if (!attributes) return '';
  const last = Math.max(table?.attributes.length ?? 0, ...attributes.keys());
  let text = '';
  for (let i = 1; i <= last; i++) text += letter(attributes.get(i) ?? 0);
  const able = [...(methods?.values() ?? [])].some((access) => access & ACCESS.invoke);
  if (!able) return text;
  const lastMethod = Math.max(...(methods?.keys() ?? [0]));
  let acts = '';
  for (let i = 1; i <= lastMethod; i++) {
    const access = methods?.get(i) ?? 0;
    acts += access & ACCESS.invoke ? ((access & PROTECTED) === 0 ? 'x' : 'X') : '-';
  }
  return `${text} ${acts}`;
}

/** The same for programs: by name, `r`, `w`, `rw`, with ` protected`. */
export function rightsByName(
  object: CatalogObject,
): { attributes: Record<string, string>; methods: Record<string, string> } | undefined {
  if (!object.attributes) return undefined;
  const words = (access: number, what: string): string => `${what}${access & PROTECTED ? ' protected' : ''}`;
  const attributes: Record<string, string> = {};
  for (const [id, access] of object.attributes)
    attributes[attributeName(object, id)] = words(access, ['-', 'r', 'w', 'rw'][access & 3] as string);
  const methods: Record<string, string> = {};
  for (const [id, access] of object.methods ?? [])
    methods[methodName(object, id)] = words(access, access & ACCESS.invoke ? 'x' : '-');
  return { attributes, methods };
}

/** Whether an attribute may be read, as far as the list tells. */
export function mayRead({ attributes }: CatalogObject, index: number): boolean {
  return !attributes || ((attributes.get(index) ?? 0) & ACCESS.read) !== 0;
}
