/**
 * COSEM objects as a server has them (IEC 62056-6-2): which class at which logical name, where its values come from, and
 * which association may do what.
 *
 * Decides: how a device is written down. One list of objects serves any number of meters: values that differ between
 * meters come from functions of the context, whose `meter` is the state of the one that was asked.
 */
import type {
  ActionResult,
  AssociationContext,
  ClientProfile,
  Data,
  DataResult,
  EncodedData,
  SelectiveAccess,
} from '@amiable/dlms';

/** What an attribute may be given as: encoded bytes (cheapest), a Data value, or a refusal. */
export type AttributeValue = EncodedData | Data | DataResult;

export interface AttributeAccessors<M> {
  /** Absent where the attribute can only be written. */
  get?(context: AssociationContext<M>, access?: SelectiveAccess): AttributeValue;
  /**
   * The value has passed the type check of the class table. @returns Data-Access-Result; nothing is success
   */
  set?(value: EncodedData, context: AssociationContext<M>): number | undefined;
  /** Access selectors that `get` serves; others are refused. */
  readonly selectors?: readonly number[];
  /** Takes values of any type (or checks them itself) instead of the type in the class table. */
  readonly anyType?: boolean;
}

/** Attribute 1 is made from the logical name. A plain value is the same in every meter and cannot be set. */
export type Attribute<M> = EncodedBytes | Data | AttributeAccessors<M>;

/** Any Uint8Array; said without its methods, so that its `set` is not taken for an attribute's. */
export type EncodedBytes = Pick<Uint8Array, 'buffer' | 'byteOffset' | 'byteLength' | 'length'>;

/** @returns Action-Result, or that with returned data; nothing is success */
export type Method<M> = (
  parameters: EncodedData | undefined,
  context: AssociationContext<M>,
) => ActionResult | number | undefined;

/**
 * Rights as in the object_list of Association LN version 3, one bit each; versions 0 to 2 show the enumeration that comes
 * nearest.
 */
export const ACCESS = {
  none: 0,
  read: 0x01,
  write: 0x02,
  readWrite: 0x03,
  /** The request must be authenticated, encrypted, signed. */
  authenticatedRequest: 0x04,
  encryptedRequest: 0x08,
  signedRequest: 0x10,
  authenticatedResponse: 0x20,
  encryptedResponse: 0x40,
  signedResponse: 0x80,
  /** Of methods. */
  invoke: 0x01,
} as const;

/** What one association may do with one object. What is not named is not allowed, but attribute 1 is always read. */
export interface AccessRule {
  /** Mode of attributes by index; `other` holds for those not named. */
  readonly attributes?: { readonly [index: number]: number; readonly other?: number };
  readonly methods?: { readonly [index: number]: number; readonly other?: number };
}

/** Short forms: everything readable; everything readable and, where it has a setter or a method, writable. */
export type Access = AccessRule | 'read' | 'full' | 'none';

/** By name of the association's profile; `other` holds for those not named. An object without access is not listed. */
export interface Rights {
  readonly [association: string]: Access;
}

export interface CosemObject<M = undefined> {
  readonly classId: number;
  /** 0 unless said. */
  readonly version?: number;
  /** Any accepted form of an OBIS code: `1-0:1.8.0`. */
  readonly logicalName: string;
  /** Short name; given out automatically unless said. */
  readonly baseName?: number;
  readonly attributes?: { readonly [index: number]: Attribute<M> };
  readonly methods?: { readonly [index: number]: Method<M> };
  /** The device's `rights` unless said. */
  readonly rights?: Rights;
}

/** One association of the device: its terms, and the object that shows it. */
export interface AssociationDefinition<M = undefined> extends ClientProfile<M> {
  /** The association object is 0-0:40.0.`instance`; its place in the list, from 1, unless said. */
  readonly instance?: number;
  /** Version of Association LN (0 to 3, 1 unless said); of Association SN (0 to 4, 2 unless said) where only short names are spoken. */
  readonly objectVersion?: number;
  /** Stores a secret that a client has changed. Absent: it cannot be changed. */
  setSecret?(meter: M, secret: Uint8Array): void;
  /** Logical name of the Security setup that governs it. */
  readonly securitySetup?: string;
  /** What other associations may do with its object 0-0:40.0.`instance`; nothing unless said. It sees its own always. */
  readonly rights?: Rights;
}

export interface LogicalDeviceOptions<M = undefined> {
  readonly objects: readonly CosemObject<M>[];
  readonly associations: readonly AssociationDefinition<M>[];
  /** For objects that say none of their own; reading for all unless said. */
  readonly rights?: Rights;
  /** Logical device name (COSEM), up to 16 characters; 0-0:42.0.0 is made from it unless it is among the objects. */
  name?(meter: M): string;
  /** Logical devices of the physical device, shown by SAP assignment 0-0:41.0.0; that object is made only if given. */
  sapList?(meter: M): readonly { readonly sap: number; readonly name: string }[];
  /** Told when an association opens (status 2) or is gone again (0). */
  associated?(context: AssociationContext<M>): void;
}
