/**
 * Attributes and methods of objects by short names (IEC 62056-6-2 clause 4.1.3): where the association's list says an
 * object begins, attribute n is at 8 × (n - 1) behind it, and methods are where the table of its class says.
 */
import { MisuseError, PeerError } from '@amiable/bytes';
import { findClass } from '@amiable/cosem';
import { type AttributeDescriptor, attributeName, type MethodDescriptor, type VariableAccess } from '@amiable/dlms';
import type { ObjectListEntry } from './types.ts';

interface Target {
  readonly classId: number;
  readonly instanceId: Uint8Array;
}

const keyOf = ({ classId, instanceId }: Target): string => `${classId}/${instanceId.join('.')}`;

export class ShortNames {
  readonly #entries = new Map<string, ObjectListEntry>();

  constructor(entries: readonly ObjectListEntry[]) {
    for (const entry of entries) this.#entries.set(keyOf(entry), entry);
  }

  /** @throws PeerError when the meter's list has no such object */
  entryOf(target: Target): ObjectListEntry {
    const entry = this.#entries.get(keyOf(target));
    if (entry) return entry;
    throw new PeerError(`${keyOf(target)} is not in the object list of this association`);
  }

  /** Undefined when the list has no such object. */
  find(target: Target): number | undefined {
    return this.#entries.get(keyOf(target))?.baseName;
  }

  baseOf(target: Target): number {
    return this.entryOf(target).baseName as number;
  }
}

export function variableOf(base: number, attribute: AttributeDescriptor): VariableAccess {
  if (attribute.attributeId < 1) throw new MisuseError(`${attributeName(attribute)} has no short name`);
  const name = (base + 8 * (attribute.attributeId - 1)) & 0xffff;
  const { access } = attribute;
  if (!access) return { kind: 'variable-name', name };
  return { kind: 'parameterised-access', name, selector: access.selector, parameters: access.parameters };
}

/** @throws MisuseError when the class or method is unknown */
export function methodVariable(
  entry: ObjectListEntry,
  method: MethodDescriptor,
): Extract<VariableAccess, { kind: 'variable-name' }> {
  const table = findClass(entry.classId, entry.version)?.table;
  const definition = table?.methods.find((m) => m.index === method.methodId);
  if (!definition)
    throw new MisuseError(`the short name of method ${method.methodId} of class ${entry.classId} is not known`);
  return { kind: 'variable-name', name: ((entry.baseName as number) + definition.shortNameOffset) & 0xffff };
}
