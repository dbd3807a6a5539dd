/**
 * The objects that show associations and logical devices: Association LN (class 15), Association SN (class 12), SAP
 * assignment (class 17), the logical device name (IEC 62056-6-2 clauses 4.4.3 to 4.4.5 and 6.2.32).
 *
 * Decides: what each attribute says of an association, open or not, and how its secret is changed.
 * reply_to_HLS_authentication is served by the association itself (package dlms); here it is only listed.
 */
import { Reader, Writer } from '@amiable/bytes';
import type { AssociationContext, DataResult, EncodedData, SelectiveAccess } from '@amiable/dlms';
import { RESULT } from '@amiable/dlms';
import { obisToBytes } from '../obis.ts';
import { isOfType } from '../values/check.ts';
import { octetString } from './entry.ts';
import type { AccessForm, Modes } from './rights.ts';
import { ACCESS, type AssociationDefinition, type Attribute, type CosemObject, type Method } from './types.ts';

/** What the association objects need of the device. */
export interface Lists<M> {
  ln(association: number, form: AccessForm, access: SelectiveAccess | undefined): DataResult;
  sn(association: number): EncodedData;
  rightsSn(association: number, form: AccessForm): EncodedData;
  /** Methods 1 and 2 of the older Association SN, and read_by_logicalname. */
  byClass(association: number, parameters: EncodedData | undefined): DataResult;
  byName(association: number, parameters: EncodedData | undefined): DataResult;
  read(parameters: EncodedData | undefined, context: AssociationContext<M>): DataResult;
}

/** Under any name, 2.16.756.5.8.1.x and 2.16.756.5.8.2.x. */
const NAME = [0x60, 0x85, 0x74, 0x05, 0x08];
const LONGEST_SECRET = 64;

export const speaksLn = (definition: { readonly applicationContexts: readonly number[] }): boolean =>
  definition.applicationContexts.some((context) => context === 1 || context === 3);

/** The form of access modes that the association's class and version show. */
export function formOfAccess(classId: number, version: number): AccessForm {
  if (classId === 15) return version === 0 ? 'plain' : version >= 3 ? 'bits' : 'authenticated';
  return version >= 4 ? 'bits' : 'authenticated';
}

/** The object of one association. `own` says whether the association that asks is this one. */
export function associationObject<M>(
  definition: AssociationDefinition<M>,
  number: number,
  logicalName: string,
  lists: Lists<M>,
): CosemObject<M> {
  return speaksLn(definition)
    ? associationLn(definition, number, logicalName, lists)
    : associationSn(definition, number, logicalName, lists);
}

function own<M>(definition: AssociationDefinition<M>, context: AssociationContext<M>): boolean {
  return context.profile === definition;
}

function associationLn<M>(
  definition: AssociationDefinition<M>,
  number: number,
  logicalName: string,
  lists: Lists<M>,
): CosemObject<M> {
  const version = definition.objectVersion ?? 1;
  const form = formOfAccess(15, version);
  const attributes: Record<number, Attribute<M>> = {
    2: { get: (_, access) => lists.ln(number, form, access), selectors: [1, 2, 3, 4] },
    3: { get: (context) => partners(definition.clientSap, context.serverSap) },
    4: {
      get: (context) => named(version, 1, own(definition, context) ? context.applicationContext : first(definition)),
    },
    5: { get: (context) => contextInfo(definition, context) },
    6: { get: () => named(version, 2, definition.mechanism) },
    7: secret(definition),
    8: { get: (context) => Uint8Array.of(0x16, own(definition, context) ? context.status : 0) },
  };
  if (version >= 1) attributes[9] = octetString(securitySetup(definition));
  if (version >= 2) addUsers(attributes, 10, 11);
  const methods: Record<number, Method<M>> = { 1: () => RESULT.readWriteDenied };
  if (definition.setSecret) methods[2] = (parameters, context) => storeSecret(definition, parameters, context);
  return { classId: 15, version, logicalName, attributes, methods };
}

/** The secret can be written, never read. */
function secret<M>(definition: AssociationDefinition<M>): Attribute<M> {
  if (!definition.setSecret) return {};
  return { set: (value, context) => storeSecret(definition, value, context) };
}

/** user_list, empty, and current_user. */
function addUsers<M>(attributes: Record<number, Attribute<M>>, list: number, current: number): void {
  attributes[list] = Uint8Array.of(1, 0);
  attributes[current] = Uint8Array.of(2, 2, 0x11, 0, 0x0a, 0);
}

function associationSn<M>(
  definition: AssociationDefinition<M>,
  number: number,
  logicalName: string,
  lists: Lists<M>,
): CosemObject<M> {
  const version = definition.objectVersion ?? 2;
  const attributes: Record<number, Attribute<M>> = { 2: { get: () => lists.sn(number) } };
  if (version >= 1) attributes[3] = { get: () => lists.rightsSn(number, formOfAccess(12, version)) };
  if (version >= 2) attributes[4] = octetString(securitySetup(definition));
  if (version >= 3) addUsers(attributes, 5, 6);
  const methods: Record<number, Method<M>> = {
    3: (parameters, context) => returned(lists.read(parameters, context)),
    8: () => RESULT.readWriteDenied,
  };
  if (version < 2) {
    methods[1] = (parameters) => returned(lists.byClass(number, parameters));
    methods[2] = (parameters) => returned(lists.byName(number, parameters));
  }
  if (definition.setSecret) {
    methods[5] = (parameters, context) => storeSecret(definition, parameters, context);
    if (version < 2) methods[6] = methods[5];
  }
  return { classId: 12, version, logicalName, attributes, methods };
}

const returned = (result: DataResult) =>
  'error' in result ? { result: result.error } : { result: RESULT.success, returned: result };

/** What the association itself may do with its object. */
export function ownModes<M>(definition: AssociationDefinition<M>): Modes {
  const ln = speaksLn(definition);
  const change = definition.setSecret !== undefined && definition.mechanism !== 0;
  return {
    attribute: (index) => {
      if (!ln || index !== 7) return ACCESS.read;
      return change && definition.mechanism === 1 ? ACCESS.write : ACCESS.none;
    },
    method: (index) => {
      const reply = ln ? 1 : 8;
      if (index === reply) return definition.mechanism >= 2 ? ACCESS.invoke : ACCESS.none;
      if (ln) return change && definition.mechanism >= 2 ? ACCESS.invoke : ACCESS.none;
      return index === 5 || index === 6 ? (change ? ACCESS.invoke : ACCESS.none) : ACCESS.invoke;
    },
  };
}

function first<M>(definition: AssociationDefinition<M>): number {
  return definition.applicationContexts[0] ?? 1;
}

function securitySetup<M>(definition: AssociationDefinition<M>): Uint8Array {
  return definition.securitySetup ? obisToBytes(definition.securitySetup) : new Uint8Array(6);
}

function partners(client: number, server: number): EncodedData {
  return Uint8Array.of(2, 2, 0x0f, client, 0x12, server >>> 8, server);
}

/** application_context_name (arc 1), authentication_mechanism_name (arc 2): spelt out in version 0, encoded after. */
function named(version: number, arc: number, last: number): EncodedData {
  if (version > 0) return octetString(Uint8Array.of(...NAME, arc, last));
  return Uint8Array.of(2, 7, 0x11, 2, 0x11, 16, 0x12, 0x02, 0xf4, 0x11, 5, 0x11, 8, 0x11, arc, 0x11, last);
}

function contextInfo<M>(definition: AssociationDefinition<M>, context: AssociationContext<M>): EncodedData {
  const mine = own(definition, context);
  const conformance = mine ? context.conformance : definition.conformance;
  const receive = definition.maxReceivePduSize ?? 1024;
  const send = mine ? context.maxSendPduSize : receive;
  const writer = new Writer(24);
  writer.u8(2).u8(6);
  writer.u8(0x04).u8(24).u24(conformance);
  writer.u8(0x12).u16(receive).u8(0x12).u16(send);
  writer.u8(0x11).u8(6).u8(0x0f).u8(0);
  // cyphering_info would be the dedicated key: it is not told.
  writer.u8(0x09).u8(0);
  return writer.finish();
}

function storeSecret<M>(
  definition: AssociationDefinition<M>,
  value: EncodedData | undefined,
  context: AssociationContext<M>,
): number {
  if (!value || !isOfType(value, { kind: 'string', type: 'octet-string', as: 'bytes' })) return RESULT.typeUnmatched;
  const reader = new Reader(value, 1);
  const length = reader.u8();
  if (length === 0 || length > LONGEST_SECRET) return RESULT.typeUnmatched;
  definition.setSecret?.(context.meter, reader.bytes(length).slice());
  return RESULT.success;
}

/** SAP assignment, 0-0:41.0.0. */
export function sapAssignment<M>(
  sapList: (meter: M) => readonly { readonly sap: number; readonly name: string }[],
): CosemObject<M> {
  return {
    classId: 17,
    logicalName: '0-0:41.0.0',
    baseName: 0xfc00,
    attributes: {
      2: {
        get(context) {
          const list = sapList(context.meter);
          const writer = new Writer(64);
          writer.u8(1).u8(Math.min(list.length, 127));
          for (const { sap, name } of list.slice(0, 127))
            writer
              .u8(2)
              .u8(2)
              .u8(0x12)
              .u16(sap)
              .bytes(octetString(ascii(name)));
          return writer.finish();
        },
      },
    },
  };
}

/** Data at 0-0:42.0.0: the logical device name. */
export function deviceName<M>(name: (meter: M) => string): CosemObject<M> {
  return {
    classId: 1,
    logicalName: '0-0:42.0.0',
    baseName: 0xfd00,
    attributes: { 2: { get: (context) => octetString(ascii(name(context.meter))) } },
  };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text.slice(0, 64), (c) => c.charCodeAt(0) & 0x7f);
}
