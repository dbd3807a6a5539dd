/**
 * All interface classes, found by number or name.
 *
 * Decides: which table serves a version that no table is for: the nearest known one, and it says so.
 */
import * as access from './access.ts';
import type { AttributeDefinition, InterfaceClass, MethodDefinition, SelectorDefinition } from './define.ts';
import * as g3 from './g3.ts';
import * as mbus from './mbus.ts';
import * as measurement from './measurement.ts';
import * as networks from './networks.ts';
import * as payment from './payment.ts';
import * as plc from './plc.ts';
import * as ports from './ports.ts';
import * as security from './security.ts';
import * as time from './time.ts';

const isTable = (value: unknown): value is InterfaceClass =>
  typeof value === 'object' && value !== null && 'attributes' in value && 'methods' in value;

/** Every table, by class_id, then version. */
export const INTERFACE_CLASSES: readonly InterfaceClass[] = [
  measurement,
  time,
  access,
  security,
  ports,
  mbus,
  plc,
  g3,
  networks,
  payment,
]
  .flatMap((module) => Object.values(module))
  .filter(isTable)
  .sort((a, b) => a.id - b.id || a.version - b.version);

const BY_ID = new Map<number, InterfaceClass[]>();
for (const table of INTERFACE_CLASSES) BY_ID.set(table.id, [...(BY_ID.get(table.id) ?? []), table]);

/** All known versions of a class, the lowest first. */
export function versionsOf(classId: number): readonly InterfaceClass[] {
  return BY_ID.get(classId) ?? [];
}

export interface FoundClass {
  readonly table: InterfaceClass;
  /** False when the table is that of the nearest version. */
  readonly exact: boolean;
}

/** The table of a class and version; the newest where no version is given. Undefined where the class is unknown. */
export function findClass(classId: number, version?: number): FoundClass | undefined {
  const tables = versionsOf(classId);
  let best: InterfaceClass | undefined;
  for (const table of tables)
    if (version === undefined || !best || Math.abs(table.version - version) < Math.abs(best.version - version))
      best = table;
  return best && { table: best, exact: version === undefined || best.version === version };
}

/** As `findClass`, the table alone. */
export function interfaceClass(classId: number, version?: number): InterfaceClass | undefined {
  return findClass(classId, version)?.table;
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** By the name of the standard, in any case and with or without blanks; the newest version where none is given. */
export function classNamed(name: string, version?: number): InterfaceClass | undefined {
  const wanted = plain(name);
  const found = INTERFACE_CLASSES.find((table) => plain(table.name) === wanted);
  return found && interfaceClass(found.id, version);
}

/** An attribute by index or name. */
export function attributeOf(table: InterfaceClass, attribute: number | string): AttributeDefinition | undefined {
  if (typeof attribute === 'number') return table.attributes[attribute - 1];
  const wanted = plain(attribute);
  return table.attributes.find((a) => plain(a.name) === wanted);
}

/** A method by index or name. */
export function methodOf(table: InterfaceClass, method: number | string): MethodDefinition | undefined {
  if (typeof method === 'number') return table.methods.find((m) => m.index === method);
  const wanted = plain(method);
  return table.methods.find((m) => plain(m.name) === wanted);
}

/** How `selector` of an attribute is to be parameterised. */
export function selectorOf(table: InterfaceClass, attribute: number, selector: number): SelectorDefinition | undefined {
  return table.selectors[attribute]?.find((s) => s.selector === selector);
}

/** What a short name within an object is: `offset` counts from its base_name. */
export function atShortName(
  table: InterfaceClass,
  offset: number,
): { readonly attribute: AttributeDefinition } | { readonly method: MethodDefinition } | undefined {
  const attribute = table.attributes.find((a) => a.shortNameOffset === offset);
  if (attribute) return { attribute };
  const method = table.methods.find((m) => m.shortNameOffset === offset);
  return method && { method };
}
