/**
 * What a server association needs of the device behind it, and what it tells the device (IEC 62056-5-3 clauses 5 and 6).
 *
 * Decides: the seam between the protocol and the objects. Values cross it as encoded A-XDR. One device object may serve
 * thousands of meters: everything that differs from meter to meter is `M`, and reaches the device through the context.
 */
import type { ActionResult, AttributeDescriptor, DataResult, EncodedData, MethodDescriptor } from '../apdu/types.ts';
import type { Protection, SecurityContextOptions } from '../security/context.ts';
import type { Crypto } from '../security/crypto.ts';
import type { ManufacturerMechanism } from '../security/hls.ts';

/** Application context names by their last arc: logical or short names, without or with ciphering. */
export type ApplicationContextName = 1 | 2 | 3 | 4;

/** Mechanism names by their last arc: none, LLS, HLS of the maker, MD5, SHA-1, GMAC, SHA-256, ECDSA. */
export type MechanismName = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** What one client (a client SAP) may do with a device: the server's half of an application association. */
export interface ClientProfile<M = undefined> {
  /** How rights name it: `public`, `reader`, `management`. */
  readonly name: string;
  readonly clientSap: number;
  /** Those that an AARQ may ask for; the first one holds where none was said (pre-established). */
  readonly applicationContexts: readonly ApplicationContextName[];
  readonly mechanism: MechanismName;
  /** Proposed conformance, 24 bits; what is negotiated is its intersection with the client's. */
  readonly conformance: number;
  /** The largest APDU we take, 0 to 65535; 1024 unless said. */
  readonly maxReceivePduSize?: number;
  /** LLS password, or HLS secret of mechanisms 2, 3, 4 and 6. */
  secret?(meter: M): Uint8Array;
  /** What mechanism 2 computes; AES-128 in ECB mode under the secret unless said. */
  readonly manufacturer?: ManufacturerMechanism;
  /** Keys, policies and counters, for application contexts 3 and 4 and for mechanisms 5 and 7. */
  security?(meter: M): ServerSecurity;
  /** Lives without AARQ and RLRQ from the moment the link is there. */
  readonly preEstablished?: boolean;
}

/** A security context as the device gives it: role, peer and form are the association's own. */
export type ServerSecurity = Omit<
  SecurityContextOptions,
  'role' | 'peerSystemTitle' | 'dedicatedKey' | 'dedicatedCounter' | 'dedicatedPeerCounter' | 'form' | 'initiate'
>;

/** Class 15 attribute 8. */
export const ASSOCIATION_STATUS = { nonAssociated: 0, pending: 1, associated: 2 } as const;
export type AssociationStatus = (typeof ASSOCIATION_STATUS)[keyof typeof ASSOCIATION_STATUS];

/** Who asks, and under what terms. Read it while a request is served; do not keep it. */
export interface AssociationContext<M = undefined> {
  readonly meter: M;
  readonly profile: ClientProfile<M>;
  readonly clientSap: number;
  readonly serverSap: number;
  readonly status: AssociationStatus;
  readonly applicationContext: ApplicationContextName;
  readonly mechanism: MechanismName;
  /** Negotiated. */
  readonly conformance: number;
  /** What we take. */
  readonly maxReceivePduSize: number;
  /** What the client takes; 0 is no limit. */
  readonly maxSendPduSize: number;
  readonly clientSystemTitle: Uint8Array | undefined;
  /** How the request under way came. */
  readonly request: Protection;
  /** The security of this association, absent where it has none. */
  readonly security: ServerSecurity | undefined;
  /**
   * Asks that the answer under way be protected at least so, whatever the policy.
   * @returns false where the association cannot: it is not ciphered
   */
  protectAnswer?(protection: Protection): boolean;
}

/** What an association serves. A method never throws for what a client sent: it returns the standard's result code. */
export interface LogicalDevice<M = undefined> {
  get(attribute: AttributeDescriptor, context: AssociationContext<M>): DataResult;
  /** @returns Data-Access-Result */
  set(attribute: AttributeDescriptor, value: EncodedData, context: AssociationContext<M>): number;
  action(method: MethodDescriptor, parameters: EncodedData | undefined, context: AssociationContext<M>): ActionResult;
  /** A short name is base_name + offset; reading the name of a method invokes it. */
  readName(
    name: number,
    selector: number | undefined,
    parameters: EncodedData | undefined,
    context: AssociationContext<M>,
  ): DataResult;
  /** Writing the name of a method invokes it. @returns Data-Access-Result */
  writeName(
    name: number,
    selector: number | undefined,
    parameters: EncodedData | undefined,
    value: EncodedData,
    context: AssociationContext<M>,
  ): number;
  /** The profile of a client SAP; undefined when the device has no association for it. */
  profile(clientSap: number): ClientProfile<M> | undefined;
  /** Pre-established associations live without AARQ. */
  readonly profiles: readonly ClientProfile<M>[];
  /** Told when an association opens (status 2), or is gone again (0). */
  associated?(context: AssociationContext<M>): void;
}

/** Bounds of one association. */
export interface ServerLimits {
  /** Bytes that are joined from the blocks of one request; 65536 unless said. */
  readonly request?: number;
  /** Bytes of one answer, all blocks together; 1 MiB unless said. */
  readonly response?: number;
  /** Attributes, methods or variables in one list; 256 unless said. */
  readonly list?: number;
  /** Notifications that wait to be sent; the oldest is dropped beyond; 16 unless said. */
  readonly queue?: number;
}

/** Who may try to prove himself, and what came of it: where guessing is slowed down, or counted. */
export interface LoginGuard {
  /** False: what is sent is refused without being looked at. */
  allowed(): boolean;
  tried(good: boolean): void;
}

export interface ServerAssociationOptions<M = undefined> {
  readonly device: LogicalDevice<M>;
  readonly meter: M;
  readonly clientSap: number;
  readonly serverSap: number;
  /** Challenges StoC come from here. */
  random(length: number): Uint8Array;
  /** For HLS of associations that have no `security`. */
  readonly crypto?: Crypto;
  readonly limits?: ServerLimits;
  /** Asked before a password (LLS) or proof (HLS) is checked; everybody may try as often as he likes unless given. */
  readonly login?: LoginGuard;
  /** A device threw, or lacks a key: a fault in the program. The client gets an exception-response. Thrown on if absent. */
  fault?(error: unknown): void;
}

export interface ServerAssociation<M = undefined> {
  /**
   * Takes one APDU. Never throws, whatever the bytes.
   * @returns the answer, undefined where there is none; then ask `next` until it has no more
   */
  receive(apdu: Uint8Array): Uint8Array | undefined;
  /** What is to be sent beside answers: further blocks of a stream, notifications. */
  next(): Uint8Array | undefined;
  /**
   * Queues a plain DataNotification, EventNotification or InformationReport; it is protected as the association is.
   * @returns false when no association is open
   */
  notify(apdu: Uint8Array): boolean;
  /** The link is gone, or came anew: the association is freed at once. */
  closed(): void;
  readonly status: AssociationStatus;
  readonly context: AssociationContext<M>;
  /** Bytes held for block transfers and notifications. */
  readonly held: number;
}
