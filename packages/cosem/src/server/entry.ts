/**
 * One object of a device, prepared for serving: encoded values, its table, its rights by association.
 */
import { MisuseError } from '@amiable/bytes';
import type { AssociationContext, DataResult, EncodedData, SelectiveAccess } from '@amiable/dlms';
import { RESULT } from '@amiable/dlms';
import type { InterfaceClass } from '../classes/define.ts';
import { interfaceClass } from '../classes/registry.ts';
import { obisToBytes } from '../obis.ts';
import { encodedData } from '../values/encoded.ts';
import { isAccessors, type Modes, modesOf, noModes } from './rights.ts';
import type { AttributeAccessors, AttributeValue, CosemObject, Method, Rights } from './types.ts';

/** A value that is the same in every meter, or where to get it. */
type Slot<M> = { readonly fixed: DataResult } | { readonly fixed?: undefined; readonly by: AttributeAccessors<M> };

export interface Entry<M> {
  readonly object: CosemObject<M>;
  readonly classId: number;
  readonly version: number;
  readonly instanceId: Uint8Array;
  readonly table: InterfaceClass | undefined;
  /** By index, attribute 1 included. */
  readonly slots: ReadonlyMap<number, Slot<M>>;
  readonly methods: ReadonlyMap<number, Method<M>>;
  /** By number of the association; absent where it does not see the object. */
  readonly modes: readonly (Modes | undefined)[];
  /** Another class at the same logical name. */
  sibling: Entry<M> | undefined;
  /** Given or found; -1 without short names. */
  baseName: number;
}

/** Any form in which a value is given, as the protocol takes it. */
export function resultOf(value: AttributeValue): DataResult {
  if (value instanceof Uint8Array) return { data: value };
  return 'type' in value ? { data: encodedData(value) } : value;
}

/** An octet-string of up to 127 bytes. */
export function octetString(bytes: Uint8Array): EncodedData {
  const out = new Uint8Array(2 + bytes.length);
  out[0] = 0x09;
  out[1] = bytes.length;
  out.set(bytes, 2);
  return out;
}

export function prepare<M>(
  object: CosemObject<M>,
  associations: readonly string[],
  rights: Rights,
  modes = associations.map((name) => modesOf(object, rights, name)),
): Entry<M> {
  const instanceId = obisToBytes(object.logicalName);
  const version = object.version ?? 0;
  const slots = new Map<number, Slot<M>>();
  slots.set(1, { fixed: { data: octetString(instanceId) } });
  for (const [key, attribute] of Object.entries(object.attributes ?? {})) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < -128 || index > 127 || index === 0 || index === 1)
      throw new MisuseError(`${object.logicalName}: there is no attribute ${key} to give`);
    slots.set(index, isAccessors<M>(attribute) ? { by: attribute } : { fixed: resultOf(attribute as AttributeValue) });
  }
  const methods = new Map<number, Method<M>>();
  for (const [key, method] of Object.entries(object.methods ?? {})) methods.set(Number(key), method);
  return {
    object,
    classId: object.classId,
    version,
    instanceId,
    table: interfaceClass(object.classId, version),
    slots,
    methods,
    modes,
    sibling: undefined,
    baseName: object.baseName ?? -1,
  };
}

/** Indexes of all attributes, as the class has them and as they are given. */
export function attributesOf<M>(entry: Entry<M>): number[] {
  return [...entry.slots.keys()].sort((a, b) => a - b);
}

export function methodsOf<M>(entry: Entry<M>): number[] {
  return [...entry.methods.keys()].sort((a, b) => a - b);
}

export const modesFor = <M>(entry: Entry<M>, association: number): Modes => entry.modes[association] ?? noModes;

/** The value of an attribute, rights apart. */
export function readSlot<M>(
  slot: Slot<M> | undefined,
  context: AssociationContext<M>,
  access: SelectiveAccess | undefined,
): DataResult {
  if (slot === undefined) return { error: RESULT.objectUndefined };
  if (slot.fixed !== undefined) return access === undefined ? slot.fixed : { error: RESULT.scopeOfAccessViolated };
  const { by } = slot;
  if (by.get === undefined) return { error: RESULT.readWriteDenied };
  if (access === undefined) return resultOf(by.get(context));
  if (!by.selectors?.includes(access.selector)) return { error: RESULT.scopeOfAccessViolated };
  return resultOf(by.get(context, access));
}
