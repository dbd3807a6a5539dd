/**
 * A logical device out of a list of objects (IEC 62056-6-2): serves attributes, methods and short names, checks rights and
 * types, and adds the objects that every device has.
 *
 * Decides: who sees what; an object that an association may do nothing with does not exist for it. Shared by any number of
 * meters: nothing here is kept per meter. Leaves out: protocol (package dlms).
 */
import { MisuseError, Reader, Writer } from '@amiable/bytes';
import type {
  ActionResult,
  AssociationContext,
  AttributeDescriptor,
  DataResult,
  EncodedData,
  LogicalDevice,
  MethodDescriptor,
  SelectiveAccess,
} from '@amiable/dlms';
import { encodeLength, RESULT } from '@amiable/dlms';
import type { InterfaceClass } from '../classes/define.ts';
import { isOfType } from '../values/check.ts';
import { associationObject, deviceName, type Lists, ownModes, sapAssignment } from './associations.ts';
import { attributesOf, type Entry, modesFor, prepare, readSlot } from './entry.ts';
import { accessRightsSn, objectFilter, objectListLn, objectListSn, readObjectId } from './object-list.ts';
import { answerProtected, protectedEnough } from './rights.ts';
import { giveBaseNames, type ShortName, shortNames } from './short-names.ts';
import { ACCESS, type CosemObject, type LogicalDeviceOptions, type Rights } from './types.ts';

const READ_FOR_ALL: Rights = { other: 'read' };
const ASSOCIATION_SN_NAME = 0xfa00;
const NULL_DATA = Uint8Array.of(0);
const NO_SIGHT: Rights = {};

/**
 * Makes a device of objects and associations.
 * @throws MisuseError for two objects of one class and name, an impossible index or base_name
 */
export function createLogicalDevice<M = undefined>(options: LogicalDeviceOptions<M>): LogicalDevice<M> {
  return new Device(options);
}

class Device<M> implements LogicalDevice<M> {
  readonly profiles: LogicalDeviceOptions<M>['associations'];
  readonly associated?: (context: AssociationContext<M>) => void;
  /** By the first three and the last three bytes of the logical name. */
  readonly #byName = new Map<number, Map<number, Entry<M>>>();
  readonly #entries: Entry<M>[] = [];
  /** 0-0:40.0.0 as each association sees it. */
  readonly #current: Entry<M>[];
  readonly #numbers = new Map<unknown, number>();
  /** object_list is the same for all meters, so it is encoded once per association. */
  readonly #lists = new Map<string, EncodedData>();
  readonly #names: (ReadonlyMap<number, ShortName<M>> | undefined)[] = [];
  readonly #shortNames: boolean;

  constructor(options: LogicalDeviceOptions<M>) {
    const { associations } = options;
    this.profiles = associations;
    if (options.associated) this.associated = options.associated;
    const names = associations.map((definition) => definition.name);
    associations.forEach((definition, i) => {
      this.#numbers.set(definition, i);
      if (
        names.indexOf(definition.name) !== i ||
        associations.findIndex((d) => d.clientSap === definition.clientSap) !== i
      )
        throw new MisuseError(`association ${definition.name}: its name or its client SAP is another's too`);
    });
    const rights = options.rights ?? READ_FOR_ALL;
    const add = (object: CosemObject<M>): void => this.#add(prepare(object, names, rights));

    const lists = this.#makeLists();
    const own = associations.map((definition) => ownModes(definition));
    this.#current = associations.map((definition, i) => {
      const object = associationObject(definition, i, '0-0:40.0.0', lists);
      const modes = associations.map((_, j) => (i === j ? own[i] : undefined));
      return prepare(object, names, rights, modes);
    });
    associations.forEach((definition, i) => {
      const object = associationObject(definition, i, `0-0:40.0.${definition.instance ?? i + 1}`, lists);
      const entry = prepare({ ...object, rights: definition.rights ?? NO_SIGHT }, names, rights);
      (entry.modes as (typeof own)[number][])[i] = own[i] as (typeof own)[number];
      this.#add(entry);
    });
    if (options.sapList && !named(options.objects, 17, '0-0:41.0.0')) add(sapAssignment(options.sapList.bind(options)));
    if (options.name && !named(options.objects, 1, '0-0:42.0.0')) add(deviceName(options.name.bind(options)));
    for (const object of options.objects) add(object);

    this.#shortNames = associations.some((d) => d.applicationContexts.some((c) => c === 2 || c === 4));
    if (this.#shortNames) {
      for (const entry of this.#current) if (entry.classId === 12) entry.baseName = ASSOCIATION_SN_NAME;
      giveBaseNames(this.#entries);
    }
  }

  #add(entry: Entry<M>): void {
    const [high, low] = halves(entry.instanceId);
    let inner = this.#byName.get(high);
    if (!inner) {
      inner = new Map();
      this.#byName.set(high, inner);
    }
    for (let other = inner.get(low); other; other = other.sibling)
      if (other.classId === entry.classId)
        throw new MisuseError(`${entry.object.logicalName}: class ${entry.classId} is there twice`);
    entry.sibling = inner.get(low);
    inner.set(low, entry);
    this.#entries.push(entry);
  }

  profile(clientSap: number) {
    return this.profiles.find((definition) => definition.clientSap === clientSap);
  }

  #number(context: AssociationContext<M>): number {
    return this.#numbers.get(context.profile) ?? -1;
  }

  /** The object, or the code for there being none. */
  #find(classId: number, instanceId: Uint8Array, association: number): Entry<M> | number {
    let entry = isCurrent(instanceId)
      ? this.#current[association]
      : this.#byName.get(half(instanceId, 0))?.get(half(instanceId, 3));
    let other = false;
    for (; entry; entry = entry.sibling) {
      if (entry.modes[association] === undefined) continue;
      if (entry.classId === classId) return entry;
      other = true;
    }
    return other ? RESULT.objectClassInconsistent : RESULT.objectUndefined;
  }

  get(attribute: AttributeDescriptor, context: AssociationContext<M>): DataResult {
    const association = this.#number(context);
    const entry = this.#find(attribute.classId, attribute.instanceId, association);
    if (typeof entry === 'number') return { error: entry };
    if (attribute.attributeId === 0) return this.#getAll(entry, association, context);
    return this.#read(entry, attribute.attributeId, attribute.access, association, context);
  }

  #read(
    entry: Entry<M>,
    index: number,
    access: SelectiveAccess | undefined,
    association: number,
    context: AssociationContext<M>,
  ): DataResult {
    const slot = entry.slots.get(index);
    if (slot === undefined) return { error: RESULT.objectUndefined };
    const mode = modesFor(entry, association).attribute(index);
    if ((mode & ACCESS.read) === 0 || (mode > ACCESS.readWrite && !mayPass(mode, context)))
      return { error: RESULT.readWriteDenied };
    return readSlot(slot, context, access);
  }

  /** Attribute 0: a structure of all attributes; those that may not be read are null-data. */
  #getAll(entry: Entry<M>, association: number, context: AssociationContext<M>): DataResult {
    const values = attributesOf(entry)
      .filter((index) => index > 0)
      .map((index) => this.#read(entry, index, undefined, association, context));
    const writer = new Writer(256);
    writer.u8(2);
    encodeLength(writer, values.length);
    for (const value of values) writer.bytes('data' in value ? value.data : NULL_DATA);
    return { data: writer.finish() };
  }

  set(attribute: AttributeDescriptor, value: EncodedData, context: AssociationContext<M>): number {
    const association = this.#number(context);
    const entry = this.#find(attribute.classId, attribute.instanceId, association);
    if (typeof entry === 'number') return entry;
    if (attribute.access !== undefined) return RESULT.scopeOfAccessViolated;
    return this.#write(entry, attribute.attributeId, value, association, context);
  }

  #write(
    entry: Entry<M>,
    index: number,
    value: EncodedData,
    association: number,
    context: AssociationContext<M>,
  ): number {
    const slot = entry.slots.get(index);
    if (slot === undefined) return RESULT.objectUndefined;
    const mode = modesFor(entry, association).attribute(index);
    if ((mode & ACCESS.write) === 0 || !mayPass(mode, context)) return RESULT.readWriteDenied;
    if (slot.fixed !== undefined || slot.by.set === undefined) return RESULT.readWriteDenied;
    const { by } = slot;
    if (!by.anyType) {
      const type = entry.table?.attributes[index - 1]?.type;
      if (type && !isOfType(value, type)) return RESULT.typeUnmatched;
      // What the class leaves open is as the instance has it now.
      if ((!type || type.kind === 'any') && by.get) {
        const now = readSlot(slot, context, undefined);
        if ('data' in now && now.data[0] !== 0 && now.data[0] !== value[0]) return RESULT.typeUnmatched;
      }
    }
    return by.set?.(value, context) ?? RESULT.success;
  }

  action(method: MethodDescriptor, parameters: EncodedData | undefined, context: AssociationContext<M>): ActionResult {
    const association = this.#number(context);
    const entry = this.#find(method.classId, method.instanceId, association);
    if (typeof entry === 'number') return { result: entry };
    return this.#invoke(entry, method.methodId, parameters, association, context);
  }

  #invoke(
    entry: Entry<M>,
    index: number,
    parameters: EncodedData | undefined,
    association: number,
    context: AssociationContext<M>,
  ): ActionResult {
    const method = entry.methods.get(index);
    if (method === undefined) return { result: RESULT.objectUndefined };
    const mode = modesFor(entry, association).method(index);
    if ((mode & ACCESS.invoke) === 0 || !mayPass(mode, context)) return { result: RESULT.readWriteDenied };
    if (parameters && !fitsParameter(entry.table, index, parameters)) return { result: RESULT.typeUnmatched };
    const done = method(parameters, context);
    return typeof done === 'object' ? done : { result: done ?? RESULT.success };
  }

  // ---------------------------------------------------------------- short names

  #named(name: number, association: number): ShortName<M> | undefined {
    let names = this.#names[association];
    if (!names) {
      const current = this.#current[association];
      const entries = current ? [current, ...this.#entries] : this.#entries;
      names = this.#shortNames ? shortNames(entries.filter((entry) => entry.modes[association])) : new Map();
      this.#names[association] = names;
    }
    return names.get(name);
  }

  readName(
    name: number,
    selector: number | undefined,
    parameters: EncodedData | undefined,
    context: AssociationContext<M>,
  ): DataResult {
    const association = this.#number(context);
    const found = this.#named(name, association);
    if (!found) return { error: RESULT.objectUndefined };
    if (found.attribute !== undefined) {
      const access = selector === undefined || !parameters ? undefined : { selector, parameters };
      return this.#read(found.entry, found.attribute, access, association, context);
    }
    const { result, returned } = this.#invoke(found.entry, found.method as number, parameters, association, context);
    if (result !== RESULT.success) return { error: result };
    return returned ?? { data: NULL_DATA };
  }

  writeName(
    name: number,
    selector: number | undefined,
    _parameters: EncodedData | undefined,
    value: EncodedData,
    context: AssociationContext<M>,
  ): number {
    const association = this.#number(context);
    const found = this.#named(name, association);
    if (!found) return RESULT.objectUndefined;
    if (found.attribute !== undefined) {
      if (selector !== undefined) return RESULT.scopeOfAccessViolated;
      return this.#write(found.entry, found.attribute, value, association, context);
    }
    return this.#invoke(found.entry, found.method as number, value, association, context).result;
  }

  // ---------------------------------------------------------------- lists

  #seen(association: number): Entry<M>[] {
    const current = this.#current[association];
    return current ? [current, ...this.#entries] : this.#entries;
  }

  #cached(key: string, make: () => EncodedData): EncodedData {
    const known = this.#lists.get(key);
    if (known) return known;
    const list = make();
    this.#lists.set(key, list);
    return list;
  }

  #makeLists(): Lists<M> {
    return {
      ln: (association, form, access) => {
        if (!access)
          return {
            data: this.#cached(`ln${association}`, () => objectListLn(this.#seen(association), association, form)),
          };
        const filter = objectFilter(access);
        if (!filter) return { error: RESULT.typeUnmatched };
        return { data: objectListLn(this.#seen(association), association, form, filter) };
      },
      sn: (association) => this.#cached(`sn${association}`, () => objectListSn(this.#seen(association), association)),
      rightsSn: (association, form) =>
        this.#cached(`rights${association}`, () => accessRightsSn(this.#seen(association), association, form)),
      byClass: (association, parameters) => {
        if (parameters?.[0] !== 0x12 || parameters.length !== 3) return { error: RESULT.typeUnmatched };
        const wanted = new Reader(parameters, 1).u16();
        const filter = { rights: false, wanted: (classId: number) => classId === wanted };
        return { data: objectListSn(this.#seen(association), association, filter) };
      },
      byName: (association, parameters) => {
        const id = parameters && readObjectId(parameters);
        if (!id) return { error: RESULT.typeUnmatched };
        const filter = {
          rights: false,
          wanted: (classId: number, instanceId: Uint8Array) =>
            classId === id.classId && halves(instanceId).join() === halves(id.instanceId).join(),
        };
        return { data: objectListSn(this.#seen(association), association, filter) };
      },
      read: (parameters, context) => this.#readByLogicalName(parameters, context),
    };
  }

  /** One value alone, several in a structure; null-data for what cannot be read. */
  #readByLogicalName(parameters: EncodedData | undefined, context: AssociationContext<M>): DataResult {
    if (!parameters || !isOfType(parameters, REFERENCES)) return { error: RESULT.typeUnmatched };
    const reader = new Reader(parameters, 1);
    const count = reader.u8();
    if (count === 0 || count > 32) return { error: RESULT.typeUnmatched };
    const values: DataResult[] = [];
    for (let i = 0; i < count; i++) {
      reader.skip(3);
      const classId = reader.u16();
      reader.skip(2);
      const instanceId = reader.bytes(6);
      reader.skip(1);
      values.push(this.get({ classId, instanceId, attributeId: reader.i8() }, context));
    }
    if (count === 1) return values[0] as DataResult;
    const writer = new Writer(256);
    writer.u8(2).u8(count);
    for (const value of values) writer.bytes('data' in value ? value.data : NULL_DATA);
    return { data: writer.finish() };
  }
}

/** Whether request and answer have the protection that the mode wants. */
function mayPass<M>(mode: number, context: AssociationContext<M>): boolean {
  return protectedEnough(mode, context.request) && answerProtected(mode, context);
}

const REFERENCES = {
  kind: 'array',
  of: {
    kind: 'structure',
    fields: {
      class_id: { kind: 'number', type: 'long-unsigned' },
      logical_name: { kind: 'string', type: 'octet-string', as: 'logical-name', size: 6 },
      attribute_index: { kind: 'number', type: 'integer' },
    },
  },
} as const;

/** The parameter of methods that need none is integer (0); whatever a client sends in its place does no harm. */
function fitsParameter(table: InterfaceClass | undefined, index: number, parameters: EncodedData): boolean {
  const type = table?.methods.find((method) => method.index === index)?.type;
  return !type || type.kind === 'number' || isOfType(parameters, type);
}

function half(name: Uint8Array, at: number): number {
  return ((name[at] as number) << 16) | ((name[at + 1] as number) << 8) | (name[at + 2] as number);
}

const halves = (name: Uint8Array): [number, number] => [half(name, 0), half(name, 3)];

/** 0-0:40.0.0. */
function isCurrent(n: Uint8Array): boolean {
  return n[2] === 40 && n[0] === 0 && n[1] === 0 && n[3] === 0 && n[4] === 0 && n[5] === 255;
}

function named<M>(objects: readonly CosemObject<M>[], classId: number, logicalName: string): boolean {
  return objects.some((object) => object.classId === classId && object.logicalName === logicalName);
}
