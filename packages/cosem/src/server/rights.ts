/**
 * Rights per attribute, method and association, as modes (see ACCESS) and as object_list shows them (IEC 62056-6-2 clauses
 * 4.4.3 and 4.4.4: Association SN and LN, access_rights).
 */
import type { AssociationContext, Protection } from '@amiable/dlms';
import { ACCESS, type Access, type AttributeAccessors, type CosemObject, type Rights } from './types.ts';

/** What one association may do with one object. */
export interface Modes {
  attribute(index: number): number;
  method(index: number): number;
}

const NOTHING: Modes = { attribute: () => 0, method: () => 0 };
/** Attribute 1 is read by all who see the object. */
const NAME_ONLY = (index: number): number => (index === 1 ? ACCESS.read : 0);

export function modesOf<M>(object: CosemObject<M>, rights: Rights, association: string): Modes | undefined {
  const given = object.rights ?? rights;
  const access: Access = (Object.hasOwn(given, association) ? given[association] : given.other) ?? 'none';
  if (access === 'none') return undefined;
  if (access === 'read')
    return { attribute: (index) => (isReadable(object, index) ? ACCESS.read : 0), method: () => 0 };
  if (access === 'full')
    return {
      attribute: (index) =>
        (isReadable(object, index) ? ACCESS.read : 0) | (isWritable(object, index) ? ACCESS.write : 0),
      method: (index) => (object.methods?.[index] ? ACCESS.invoke : 0),
    };
  const { attributes, methods } = access;
  return {
    attribute: (index) => {
      const mode = attributes?.[index] ?? (has(object, index) ? attributes?.other : 0) ?? 0;
      return index === 1 ? mode | NAME_ONLY(1) : mode;
    },
    method: (index) => methods?.[index] ?? (object.methods?.[index] ? methods?.other : 0) ?? 0,
  };
}

export const noModes: Modes = NOTHING;

const has = <M>(object: CosemObject<M>, index: number): boolean => object.attributes?.[index] !== undefined;

/** Whether it is given by functions, not as a value. */
export function isAccessors<M>(attribute: unknown): attribute is AttributeAccessors<M> {
  return (
    typeof attribute === 'object' && attribute !== null && !(attribute instanceof Uint8Array) && !('type' in attribute)
  );
}

function isReadable<M>(object: CosemObject<M>, index: number): boolean {
  if (index === 1) return true;
  const attribute = object.attributes?.[index];
  return attribute !== undefined && (!isAccessors<M>(attribute) || attribute.get !== undefined);
}

function isWritable<M>(object: CosemObject<M>, index: number): boolean {
  const attribute = object.attributes?.[index];
  return attribute !== undefined && isAccessors<M>(attribute) && attribute.set !== undefined;
}

/** Whether the request came protected as the mode wants it. */
export function protectedEnough(mode: number, request: Protection): boolean {
  return (
    ((mode & ACCESS.authenticatedRequest) === 0 || request.authenticated) &&
    ((mode & ACCESS.encryptedRequest) === 0 || request.encrypted) &&
    ((mode & ACCESS.signedRequest) === 0 || request.signed === true)
  );
}

const RESPONSE = ACCESS.authenticatedResponse | ACCESS.encryptedResponse | ACCESS.signedResponse;

/** Has the answer protected as the mode wants it. @returns false where that cannot be */
export function answerProtected<M>(mode: number, context: AssociationContext<M>): boolean {
  if ((mode & RESPONSE) === 0) return true;
  const asked = {
    authenticated: (mode & ACCESS.authenticatedResponse) !== 0,
    encrypted: (mode & ACCESS.encryptedResponse) !== 0,
    signed: (mode & ACCESS.signedResponse) !== 0,
  };
  return context.protectAnswer?.(asked) ?? false;
}

/** Bits that ask for any protection. */
const PROTECTED = 0xff & ~ACCESS.readWrite;

/** access_mode of an attribute as a version of the association's class has it; `bits` from version 3 (LN) or 4 (SN) on. */
export function attributeMode(mode: number, form: AccessForm): number {
  if (form === 'bits') return mode;
  const plain = mode & ACCESS.readWrite;
  // no_access to read_and_write are 0 to 3; the authenticated ones 4 to 6.
  return form === 'authenticated' && plain !== 0 && (mode & PROTECTED) !== 0 ? plain + 3 : plain;
}

export function methodMode(mode: number, form: AccessForm): number {
  if (form === 'bits') return mode & ~ACCESS.write;
  if ((mode & ACCESS.invoke) === 0) return 0;
  return form === 'authenticated' && (mode & PROTECTED) !== 0 ? 2 : 1;
}

/** `plain`: version 0, methods are boolean; `authenticated`: enumerations with authenticated modes; `bits`. */
export type AccessForm = 'plain' | 'authenticated' | 'bits';
