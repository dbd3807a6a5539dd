/**
 * The APDUs of DLMS/COSEM as values (IEC 62056-5-3 clauses 6 and 8, annex A; ACSE: ISO/IEC 8650-1 as used there).
 *
 * Decides: every APDU is one readonly object whose `type` is the standard's name in kebab case; values of attributes
 * travel encoded (`EncodedData`), so that who only passes them on never decodes them and the bytes stay exact. Numbers
 * of tables (results, errors) stay numbers; results.ts names them. Leaves out: how they are written (codec.ts).
 */
import type { Data } from '../data-types.ts';
import type { DlmsDateTime } from '../date-time.ts';

/** One A-XDR `Data` with its tag. */
export type EncodedData = Uint8Array;

/** Selective-Access-Descriptor. */
export interface SelectiveAccess {
  readonly selector: number;
  readonly parameters: EncodedData;
}

/** Cosem-Attribute-Descriptor, with the selection where there is one. `instanceId` is the logical name, 6 bytes. */
export interface AttributeDescriptor {
  readonly classId: number;
  readonly instanceId: Uint8Array;
  readonly attributeId: number;
  readonly access?: SelectiveAccess;
}

/** Cosem-Method-Descriptor. */
export interface MethodDescriptor {
  readonly classId: number;
  readonly instanceId: Uint8Array;
  readonly methodId: number;
}

/** Get-Data-Result: a value, or a Data-Access-Result (see DATA_ACCESS_RESULT). */
export type DataResult = { readonly data: EncodedData } | { readonly error: number };
/** What a DataBlock-G carries: a piece of encoded data, or a Data-Access-Result. */
export type BlockResult = { readonly raw: Uint8Array } | { readonly error: number };
/** Action-Response-With-Optional-Data: `result` as in ACTION_RESULT. */
export interface ActionResult {
  readonly result: number;
  readonly returned?: DataResult;
}

/** Every confirmed LN service begins with it: the whole Invoke-Id-And-Priority byte. */
interface Invoked {
  readonly invoke: number;
}
/** DataBlock-SA: a piece of what is sent, and its number from 1. */
interface Block {
  readonly lastBlock: boolean;
  readonly blockNumber: number;
  readonly raw: Uint8Array;
}

// GET
export interface GetRequestNormal extends Invoked {
  readonly type: 'get-request-normal';
  readonly attribute: AttributeDescriptor;
}
export interface GetRequestNext extends Invoked {
  readonly type: 'get-request-next';
  readonly blockNumber: number;
}
export interface GetRequestWithList extends Invoked {
  readonly type: 'get-request-with-list';
  readonly attributes: readonly AttributeDescriptor[];
}
export interface GetResponseNormal extends Invoked {
  readonly type: 'get-response-normal';
  readonly result: DataResult;
}
export interface GetResponseWithDatablock extends Invoked {
  readonly type: 'get-response-with-datablock';
  readonly lastBlock: boolean;
  readonly blockNumber: number;
  readonly result: BlockResult;
}
export interface GetResponseWithList extends Invoked {
  readonly type: 'get-response-with-list';
  readonly results: readonly DataResult[];
}

// SET
export interface SetRequestNormal extends Invoked {
  readonly type: 'set-request-normal';
  readonly attribute: AttributeDescriptor;
  readonly value: EncodedData;
}
export interface SetRequestWithFirstDatablock extends Invoked, Block {
  readonly type: 'set-request-with-first-datablock';
  readonly attribute: AttributeDescriptor;
}
export interface SetRequestWithDatablock extends Invoked, Block {
  readonly type: 'set-request-with-datablock';
}
export interface SetRequestWithList extends Invoked {
  readonly type: 'set-request-with-list';
  readonly attributes: readonly AttributeDescriptor[];
  readonly values: readonly EncodedData[];
}
export interface SetRequestWithListAndFirstDatablock extends Invoked, Block {
  readonly type: 'set-request-with-list-and-first-datablock';
  readonly attributes: readonly AttributeDescriptor[];
}
export interface SetResponseNormal extends Invoked {
  readonly type: 'set-response-normal';
  /** Data-Access-Result. */
  readonly result: number;
}
export interface SetResponseDatablock extends Invoked {
  readonly type: 'set-response-datablock';
  readonly blockNumber: number;
}
export interface SetResponseLastDatablock extends Invoked {
  readonly type: 'set-response-last-datablock';
  readonly result: number;
  readonly blockNumber: number;
}
export interface SetResponseLastDatablockWithList extends Invoked {
  readonly type: 'set-response-last-datablock-with-list';
  readonly results: readonly number[];
  readonly blockNumber: number;
}
export interface SetResponseWithList extends Invoked {
  readonly type: 'set-response-with-list';
  readonly results: readonly number[];
}

// ACTION
export interface ActionRequestNormal extends Invoked {
  readonly type: 'action-request-normal';
  readonly method: MethodDescriptor;
  readonly parameters?: EncodedData;
}
export interface ActionRequestNextPblock extends Invoked {
  readonly type: 'action-request-next-pblock';
  readonly blockNumber: number;
}
export interface ActionRequestWithList extends Invoked {
  readonly type: 'action-request-with-list';
  readonly methods: readonly MethodDescriptor[];
  readonly parameters: readonly EncodedData[];
}
export interface ActionRequestWithFirstPblock extends Invoked, Block {
  readonly type: 'action-request-with-first-pblock';
  readonly method: MethodDescriptor;
}
export interface ActionRequestWithListAndFirstPblock extends Invoked, Block {
  readonly type: 'action-request-with-list-and-first-pblock';
  readonly methods: readonly MethodDescriptor[];
}
export interface ActionRequestWithPblock extends Invoked, Block {
  readonly type: 'action-request-with-pblock';
}
export interface ActionResponseNormal extends Invoked {
  readonly type: 'action-response-normal';
  readonly result: ActionResult;
}
export interface ActionResponseWithPblock extends Invoked, Block {
  readonly type: 'action-response-with-pblock';
}
export interface ActionResponseWithList extends Invoked {
  readonly type: 'action-response-with-list';
  readonly results: readonly ActionResult[];
}
export interface ActionResponseNextPblock extends Invoked {
  readonly type: 'action-response-next-pblock';
  readonly blockNumber: number;
}

// ACCESS
/** Access-Request-Specification. The kinds with selection have `access`, the others have not. */
export type AccessSpecification =
  | ({ readonly kind: 'get' | 'set' } & Omit<AttributeDescriptor, 'access'>)
  | ({ readonly kind: 'action' } & MethodDescriptor)
  | ({ readonly kind: 'get-with-selection' | 'set-with-selection' } & Omit<AttributeDescriptor, 'access'> & {
        readonly access: SelectiveAccess;
      });
/** Access-Response-Specification: get and set have a Data-Access-Result, action an Action-Result. */
export interface AccessResult {
  readonly kind: 'get' | 'set' | 'action';
  readonly result: number;
}
export interface AccessRequest {
  readonly type: 'access-request';
  /** Long-Invoke-Id-And-Priority, 32 bits. */
  readonly longInvoke: number;
  /** 12 bytes, or none. */
  readonly dateTime: Uint8Array;
  readonly specifications: readonly AccessSpecification[];
  /** One per specification; null-data for get. */
  readonly data: readonly EncodedData[];
}
export interface AccessResponse {
  readonly type: 'access-response';
  readonly longInvoke: number;
  readonly dateTime: Uint8Array;
  /** The request's, when it asked for itself back. */
  readonly specifications?: readonly AccessSpecification[];
  readonly data: readonly EncodedData[];
  readonly results: readonly AccessResult[];
}

// Short names
/** Variable-Access-Specification. `name` is the ObjectName, read as unsigned. */
export type VariableAccess =
  | { readonly kind: 'variable-name'; readonly name: number }
  | {
      readonly kind: 'parameterised-access';
      readonly name: number;
      readonly selector: number;
      readonly parameters: EncodedData;
    }
  | { readonly kind: 'block-number-access'; readonly blockNumber: number }
  | ({ readonly kind: 'read-data-block-access' } & Block)
  | { readonly kind: 'write-data-block-access'; readonly lastBlock: boolean; readonly blockNumber: number };
export type ReadResult = DataResult | { readonly block: Block } | { readonly blockNumber: number };
export type WriteResult = { readonly success: true } | { readonly error: number } | { readonly blockNumber: number };
export interface ReadRequest {
  readonly type: 'read-request';
  readonly variables: readonly VariableAccess[];
}
export interface ReadResponse {
  readonly type: 'read-response';
  readonly results: readonly ReadResult[];
}
export interface WriteRequest {
  readonly type: 'write-request';
  readonly variables: readonly VariableAccess[];
  readonly values: readonly EncodedData[];
}
export interface WriteResponse {
  readonly type: 'write-response';
  readonly results: readonly WriteResult[];
}
export interface UnconfirmedWriteRequest {
  readonly type: 'unconfirmed-write-request';
  readonly variables: readonly VariableAccess[];
  readonly values: readonly EncodedData[];
}
export interface InformationReportRequest {
  readonly type: 'information-report-request';
  /** GeneralizedTime: ASCII such as `20261120130000Z`. */
  readonly currentTime?: Uint8Array;
  readonly variables: readonly VariableAccess[];
  readonly values: readonly EncodedData[];
}

// Notifications
export interface EventNotificationRequest {
  readonly type: 'event-notification-request';
  /** date-time of 12 bytes; older meters send other forms. */
  readonly time?: Uint8Array;
  /** Never with a selection. */
  readonly attribute: AttributeDescriptor;
  readonly value: EncodedData;
}

/** How the date-time of a notification is written; it is kept so that encoding gives the same bytes. */
export type DateTimeForm = 'none' | 'length' | 'tagged' | 'bare';

export interface DataNotification {
  readonly type: 'data-notification';
  /** long-invoke-id-and-priority, 32 bits. */
  readonly invokeId: number;
  readonly dateTimeForm: DateTimeForm;
  readonly dateTime?: DlmsDateTime;
  readonly body: Data;
}
export interface DataNotificationConfirm {
  readonly type: 'data-notification-confirm';
  readonly longInvoke: number;
  /** 12 bytes, or none. */
  readonly dateTime: Uint8Array;
}

// Errors
export interface ExceptionResponse {
  readonly type: 'exception-response';
  /** See STATE_ERROR. */
  readonly stateError: number;
  /** See SERVICE_EXCEPTION. */
  readonly serviceError: number;
  /** With service error 6 only: the counter to go on from. */
  readonly invocationCounter?: number;
}
export interface ConfirmedServiceError {
  readonly type: 'confirmed-service-error';
  /** Which service failed, see CONFIRMED_SERVICE: 1 initiate, 5 read, 6 write. */
  readonly service: number;
  /** ServiceError: its choice and the value within it, see SERVICE_ERROR. */
  readonly error: { readonly choice: number; readonly value: number };
}

// Association
export interface InitiateRequest {
  readonly type: 'initiate-request';
  readonly dedicatedKey?: Uint8Array;
  readonly responseAllowed: boolean;
  /** -128 to 127; not used by DLMS/COSEM. */
  readonly qualityOfService?: number;
  /** proposed-dlms-version-number, 6. */
  readonly version: number;
  /** proposed-conformance, 24 bits: bit 0 of the standard is the most significant, see conformance.ts. */
  readonly conformance: number;
  /** client-max-receive-pdu-size; 0 is no limit. */
  readonly maxPduSize: number;
}
export interface InitiateResponse {
  readonly type: 'initiate-response';
  readonly qualityOfService?: number;
  /** negotiated-dlms-version-number, 6. */
  readonly version: number;
  readonly conformance: number;
  /** server-max-receive-pdu-size. */
  readonly maxPduSize: number;
  /** 0x0007 with logical names, 0xFA00 with short names. */
  readonly vaaName: number;
}

/** Authentication-value is charstring unless said. */
export type AuthenticationForm = 'bit-string' | 'external' | 'other';

interface AssociationNames {
  /** The bits of protocol-version as written, `1` is version1; absent is the default, version1. */
  readonly protocolVersion?: string;
  /** Last arc of 2.16.756.5.8.1.x: 1 LN, 2 SN, 3 LN with ciphering, 4 SN with ciphering; 0 is any other name. */
  readonly applicationContext: number;
  /** The object identifier's contents where applicationContext is 0. */
  readonly applicationContextName?: Uint8Array;
  /** Last arc of 2.16.756.5.8.2.x: 0 lowest, 1 low, 2 high, 3 MD5, 4 SHA-1, 5 GMAC, 6 SHA-256, 7 ECDSA. */
  readonly mechanism?: number;
  /** The object identifier's contents where the mechanism is none of 2.16.756.5.8.2.x. */
  readonly mechanismName?: Uint8Array;
  readonly implementationInformation?: Uint8Array;
  /** The octets inside the octet-string: an Initiate APDU, plain or ciphered. */
  readonly userInformation?: Uint8Array;
}
export interface Aarq extends AssociationNames {
  readonly type: 'aarq';
  readonly calledApTitle?: Uint8Array;
  readonly calledAeQualifier?: Uint8Array;
  readonly calledApInvocationId?: number;
  readonly calledAeInvocationId?: number;
  /** The client's system title. */
  readonly callingApTitle?: Uint8Array;
  /** The client's certificate for digital signature. */
  readonly callingAeQualifier?: Uint8Array;
  readonly callingApInvocationId?: number;
  /** The client user id. */
  readonly callingAeInvocationId?: number;
  /** The authentication functional unit; sent as `8A 02 07 80`. */
  readonly senderAcseRequirements?: boolean;
  /** The password, or the challenge of the client. */
  readonly callingAuthenticationValue?: Uint8Array;
  readonly callingAuthenticationForm?: AuthenticationForm;
}
export interface Aare extends AssociationNames {
  readonly type: 'aare';
  /** 0 accepted, 1 rejected-permanent, 2 rejected-transient. */
  readonly result: number;
  /** See ACSE_USER_DIAGNOSTIC and ACSE_PROVIDER_DIAGNOSTIC. */
  readonly resultSourceDiagnostic: { readonly source: 'user' | 'provider'; readonly code: number };
  /** The server's system title. */
  readonly respondingApTitle?: Uint8Array;
  /** The server's certificate for digital signature. */
  readonly respondingAeQualifier?: Uint8Array;
  readonly respondingApInvocationId?: number;
  readonly respondingAeInvocationId?: number;
  readonly responderAcseRequirements?: boolean;
  /** The challenge of the server. */
  readonly respondingAuthenticationValue?: Uint8Array;
  readonly respondingAuthenticationForm?: AuthenticationForm;
}
export interface Rlrq {
  readonly type: 'rlrq';
  /** 0 normal, 1 urgent, 30 user-defined. */
  readonly reason?: number;
  readonly userInformation?: Uint8Array;
}
export interface Rlre {
  readonly type: 'rlre';
  /** 0 normal, 1 not-finished, 30 user-defined. */
  readonly reason?: number;
  readonly userInformation?: Uint8Array;
}

// Protection and transfer
/** A service-specific glo- or ded- APDU (see ciphered-tags.ts). */
export interface CipheredApdu {
  readonly type: 'ciphered';
  readonly tag: number;
  /** Security control, invocation counter, cipher text and tag as they stand. */
  readonly content: Uint8Array;
}

/** The general-glo- and general-ded-ciphering APDUs. */
export interface GeneralCiphering {
  /** glo: under the global key; ded: under the key of one association. */
  readonly type: 'general-glo-ciphering' | 'general-ded-ciphering';
  readonly systemTitle: Uint8Array;
  /** Security control, invocation counter, cipher text and tag as they stand. */
  readonly content: Uint8Array;
}

/** Key-Info of general-ciphering. Key ids: 0 global unicast, 1 global broadcast; kek id: 0 master key. */
export type KeyInfo =
  | { readonly kind: 'identified-key'; readonly keyId: number }
  | { readonly kind: 'wrapped-key'; readonly kekId: number; readonly keyCipheredData: Uint8Array }
  | { readonly kind: 'agreed-key'; readonly keyParameters: Uint8Array; readonly keyCipheredData: Uint8Array };

/** What both general envelopes say of themselves: transaction-id, the system titles, date-time (0 or 12 bytes), other-information. */
interface GeneralHeader {
  readonly transactionId: Uint8Array;
  readonly originator: Uint8Array;
  readonly recipient: Uint8Array;
  readonly dateTime: Uint8Array;
  readonly other: Uint8Array;
}
export interface GeneralCipheringWithKeyInfo extends GeneralHeader {
  readonly type: 'general-ciphering';
  readonly keyInfo?: KeyInfo;
  readonly content: Uint8Array;
}
export interface GeneralSigning extends GeneralHeader {
  readonly type: 'general-signing';
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}

export interface GeneralBlockTransfer {
  readonly type: 'general-block-transfer';
  readonly lastBlock: boolean;
  readonly streaming: boolean;
  /** Blocks that may be sent without waiting. */
  readonly window: number;
  readonly blockNumber: number;
  readonly blockNumberAcknowledged: number;
  readonly block: Uint8Array;
}

export type GetRequest = GetRequestNormal | GetRequestNext | GetRequestWithList;
export type GetResponse = GetResponseNormal | GetResponseWithDatablock | GetResponseWithList;
export type SetRequest =
  | SetRequestNormal
  | SetRequestWithFirstDatablock
  | SetRequestWithDatablock
  | SetRequestWithList
  | SetRequestWithListAndFirstDatablock;
export type SetResponse =
  | SetResponseNormal
  | SetResponseDatablock
  | SetResponseLastDatablock
  | SetResponseLastDatablockWithList
  | SetResponseWithList;
export type ActionRequest =
  | ActionRequestNormal
  | ActionRequestNextPblock
  | ActionRequestWithList
  | ActionRequestWithFirstPblock
  | ActionRequestWithListAndFirstPblock
  | ActionRequestWithPblock;
export type ActionResponse =
  | ActionResponseNormal
  | ActionResponseWithPblock
  | ActionResponseWithList
  | ActionResponseNextPblock;

export type Apdu =
  | GetRequest
  | GetResponse
  | SetRequest
  | SetResponse
  | ActionRequest
  | ActionResponse
  | AccessRequest
  | AccessResponse
  | ReadRequest
  | ReadResponse
  | WriteRequest
  | WriteResponse
  | UnconfirmedWriteRequest
  | InformationReportRequest
  | EventNotificationRequest
  | DataNotification
  | DataNotificationConfirm
  | ExceptionResponse
  | ConfirmedServiceError
  | InitiateRequest
  | InitiateResponse
  | Aarq
  | Aare
  | Rlrq
  | Rlre
  | CipheredApdu
  | GeneralCiphering
  | GeneralCipheringWithKeyInfo
  | GeneralSigning
  | GeneralBlockTransfer;

export type ApduType = Apdu['type'];
/** The APDU of one type. */
export type ApduOf<T extends ApduType> = Apdu extends infer A
  ? A extends { readonly type: infer U }
    ? T extends U
      ? A
      : never
    : never
  : never;
