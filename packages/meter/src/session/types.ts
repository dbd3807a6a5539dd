/**
 * A session with a meter (IEC 62056-5-3, over the profiles of IEC 62056-46, -47 and EN 13757): what `openSession` takes and
 * gives.
 *
 * Decides: the shapes. Values are encoded A-XDR (`EncodedData`): decode them with `decodeData` of @amiable/dlms, or by the
 * tables of @amiable/cosem. Failures: PeerError (the meter refused or answered wrongly; `DlmsPeerError` tells the code),
 * LinkError (line gone or time up), MisuseError (the call cannot be). Each names the state, what was expected, the bytes.
 */
import type { Profile, ProfileColumn, ProfileOptions } from '@amiable/cosem';
import type {
  AccessResponse,
  AccessSpecification,
  ActionResult,
  AttributeDescriptor,
  Authentication,
  CipheringForm,
  ClientLimits,
  Crypto,
  DataResult,
  EncodedData,
  Indication,
  InvocationCounter,
  KeyInfoMethod,
  MethodDescriptor,
  Negotiated,
  PeerCounter,
  Protection,
  Referencing,
  SecurityContextOptions,
  SecurityKeys,
  SecuritySuite,
  VariableAccess,
  VariableResult,
} from '@amiable/dlms';

/** The part of a link (package io) that a session uses. */
export interface SessionLink {
  readonly describe: string;
  /** True where every `data` is one whole datagram. */
  readonly datagrams?: boolean;
  open(events: { data(bytes: Uint8Array): void; closed(error?: Error): void }): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** The part of a clock (package io) that a session uses. */
export interface SessionClock {
  now(): number;
  after(ms: number, fn: () => void): () => void;
}

/** Milliseconds. */
export interface SessionTimeouts {
  /** Until the link is open, and the data link layer connected. */
  readonly connect: number;
  /** From a request (or a block) to its answer, or without any byte of it. */
  readonly answer: number;
  /** For one whole operation, however many blocks it takes. */
  readonly operation: number;
  /** For the answer to RLRQ and to the disconnection of the data link layer. */
  readonly release: number;
}

export const SESSION_TIMEOUTS: SessionTimeouts = {
  connect: 10_000,
  answer: 10_000,
  operation: 600_000,
  release: 3_000,
};

/** What carries APDUs: a data link layer over a link. Made by `wrapperTransport`, `hdlcTransport` and so on. */
export interface ApduTransport {
  readonly describe: string;
  /** Resolves when APDUs can flow. Called once. @throws LinkError */
  open(events: ApduTransportEvents): Promise<void>;
  /** Failures arrive as `closed`. `answered`: whether something is expected back. */
  send(apdu: Uint8Array, answered: boolean): void;
  /** More is expected although nothing was sent, as from a peer that streams blocks: layers that have to ask for it do. */
  more?(): void;
  /** Silence that the layer below may need to mend a loss by itself, ms; the session waits so long at least. */
  readonly patience?: number;
  /** What came and was of no use so far, in words, for the message when time is up; '' when there is nothing. */
  trouble?(): string;
  /** Disconnects the data link layer where there is one, and closes the link. Idempotent, and never throws. */
  close(): Promise<void>;
}

export interface ApduTransportEvents {
  /** One whole APDU; the bytes are the receiver's to keep. */
  apdu(bytes: Uint8Array): void;
  /** Something came that is not yet an APDU: the time for an answer begins anew. */
  progress(): void;
  /** Nothing will come any more. Called once at most, and not after `close`. */
  closed(error: Error): void;
}

/** Security of the association, as the meter's Security setup has it. */
export interface SessionSecurity {
  readonly suite: SecuritySuite;
  readonly keys: SecurityKeys;
  /** Ours, 8 bytes. */
  readonly systemTitle: Uint8Array;
  /** The meter's, where the AARE does not tell it. */
  readonly serverSystemTitle?: Uint8Array;
  /** Authenticated and encrypted unless said. */
  readonly send?: Protection;
  /** As `send` unless said. */
  readonly require?: Protection;
  /** service-specific-global unless said; service-specific-dedicated with a dedicated key. */
  readonly form?: CipheringForm;
  readonly keyInfo?: KeyInfoMethod;
  /** See SecurityContextOptions. */
  readonly signing?: SecurityContextOptions['signing'];
  readonly initiate?: SecurityContextOptions['initiate'];
  readonly dialect?: SecurityContextOptions['dialect'];
  /** False: the keys serve authentication only (mechanisms 5 and 7), APDUs go plain. */
  readonly ciphered?: boolean;
  /** A new random one is made for true. */
  readonly dedicatedKey?: Uint8Array | boolean;
  readonly cipheredInitiate?: boolean;
  /** Ours: to be kept over restarts. With `raise`, a meter that names a higher counter is asked once more with that. */
  readonly counter: InvocationCounter & { raise?(to: number): void };
  /** The meter's: to be kept likewise; in memory from 0 unless given. */
  readonly peerCounter?: PeerCounter;
}

/** One APDU, for `--trace` and pcap. */
export interface SessionTrace {
  readonly direction: 'out' | 'in';
  /** Epoch milliseconds. */
  readonly time: number;
  /** The APDU as it went over the line. */
  readonly apdu: Uint8Array;
  /** Without its ciphering, where it has one that could be opened, and with its blocks joined. */
  readonly plain?: Uint8Array;
}

export interface SessionOptions {
  readonly transport: ApduTransport;
  readonly clock: SessionClock;
  /** LN unless said. */
  readonly referencing?: Referencing;
  /** None unless said. */
  readonly authentication?: Authentication;
  readonly security?: SessionSecurity;
  /** Needed with security and with high-level authentication (`nodeCrypto` of package io). */
  readonly crypto?: Crypto;
  readonly conformance?: number;
  /** client-max-receive-pdu-size; 65535 unless said. */
  readonly maxPduSize?: number;
  readonly userId?: number;
  /** Ours, for digital signature: calling-AE-qualifier. */
  readonly certificate?: Uint8Array;
  readonly preEstablished?: { readonly conformance: number; readonly maxPduSize: number };
  readonly releaseWithInitiate?: boolean;
  /** General block transfer: blocks taken without acknowledging, 1 to 63; 1 unless said. */
  readonly window?: number;
  readonly timeouts?: Partial<SessionTimeouts>;
  readonly limits?: Partial<ClientLimits>;
  readonly trace?: (trace: SessionTrace) => void;
  /** What the meter sends unasked; a data-notification that wants it has been confirmed already. */
  readonly onNotification?: (indication: Indication) => void;
  /** Called once, when the session ends without `release` or `close`. */
  readonly onClosed?: (error: Error) => void;
}

/** One entry of an association's object list. */
export interface ObjectListEntry {
  readonly classId: number;
  readonly version: number;
  /** 6 bytes. */
  readonly instanceId: Uint8Array;
  /** With short names. */
  readonly baseName?: number;
  /** With logical names: access_mode per attribute as the standard numbers it, and the selectors it takes. */
  readonly attributes?: readonly {
    readonly id: number;
    readonly access: number;
    readonly selectors: readonly number[];
  }[];
  readonly methods?: readonly { readonly id: number; readonly access: number }[];
}

export type ProfileSelection =
  | { readonly kind: 'all' }
  /** Selective access 1. `from` and `to` are encoded, mostly a clock's date-time as octet-string; both ends belong to it. */
  | {
      readonly kind: 'range';
      readonly from: EncodedData;
      readonly to: EncodedData;
      /** The restricting object; Clock 0-0:1.0.0, attribute 2 unless given. */
      readonly by?: CaptureObjectDefinition;
      /** All columns unless given. */
      readonly columns?: readonly CaptureObjectDefinition[];
    }
  /** Selective access 2: entries from 1, columns from 1; `to` 0 is the last. */
  | {
      readonly kind: 'entry';
      readonly from: number;
      readonly to: number;
      readonly fromColumn?: number;
      readonly toColumn?: number;
    };

/** capture_object_definition. */
export interface CaptureObjectDefinition {
  readonly classId: number;
  readonly instanceId: Uint8Array;
  readonly attributeId: number;
  readonly dataIndex: number;
}

/** What was read of a profile. Whole rows only: when the reading broke off, what came before is here. */
export interface ProfileRows {
  /** The rows, each one encoded structure, as they stand (null-data not yet filled in). */
  readonly rows: readonly EncodedData[];
  /** The same rows as one encoded array, for `readProfile` of @amiable/cosem. */
  readonly buffer: EncodedData;
  readonly complete: boolean;
  /** Why it is not complete. */
  readonly error?: Error;
}

/** How a profile is to be decoded; see ProfileOptions of @amiable/cosem. */
export interface ReadProfileOptions extends ProfileOptions {
  /** Its columns, where they are known: then only the buffer is read, and the other options are taken as they are. */
  readonly columns?: readonly ProfileColumn[];
  /** False: scalers and units of registers are not asked for. */
  readonly scalers?: boolean;
}

/** A profile with its rows as typed columns. `profile.stopped` says where rows could not be decoded. */
export interface ProfileReading extends ProfileRows {
  readonly columns: readonly ProfileColumn[];
  readonly profile: Profile;
}

export interface Session {
  readonly describe: string;
  readonly state: 'associated' | 'released' | 'closed';
  readonly referencing: Referencing;
  readonly negotiated: Negotiated;
  /** One attribute. Under SN it is found through the object list. @throws PeerError with the Data-Access-Result in words */
  get(attribute: AttributeDescriptor): Promise<EncodedData>;
  /** With-list where it was negotiated and fits, else one after the other: same results. */
  getList(attributes: readonly AttributeDescriptor[]): Promise<readonly DataResult[]>;
  set(attribute: AttributeDescriptor, value: EncodedData): Promise<void>;
  setList(attributes: readonly AttributeDescriptor[], values: readonly EncodedData[]): Promise<readonly number[]>;
  /** @returns what the method returned, if anything. @throws PeerError with the Action-Result in words */
  action(method: MethodDescriptor, parameters?: EncodedData): Promise<EncodedData | undefined>;
  actionList(
    methods: readonly MethodDescriptor[],
    parameters: readonly EncodedData[],
  ): Promise<readonly ActionResult[]>;
  /** `data` has a value per specification, null-data for get; may be left out where all are gets. */
  access(
    specifications: readonly AccessSpecification[],
    data?: readonly EncodedData[],
    options?: { readonly dateTime?: Uint8Array; readonly selfDescriptive?: boolean; readonly breakOnError?: boolean },
  ): Promise<AccessResponse>;
  read(variables: readonly VariableAccess[]): Promise<readonly DataResult[]>;
  write(variables: readonly VariableAccess[], values: readonly EncodedData[]): Promise<readonly VariableResult[]>;
  unconfirmedWrite(variables: readonly VariableAccess[], values: readonly EncodedData[]): Promise<void>;
  unconfirmedSet(attribute: AttributeDescriptor, value: EncodedData): Promise<void>;
  unconfirmedAction(method: MethodDescriptor, parameters?: EncodedData): Promise<void>;
  /** The association's object list; read once and kept. */
  objects(): Promise<readonly ObjectListEntry[]>;
  /** The capture objects of a profile. */
  captureObjects(profile: Uint8Array): Promise<readonly CaptureObjectDefinition[]>;
  /** The buffer of the Profile generic with this logical name. Never loses whole rows to a failure on the way. */
  getProfile(profile: Uint8Array, selection?: ProfileSelection): Promise<ProfileRows>;
  /** As `getProfile`, without cutting a buffer that came whole into rows. */
  getBuffer(profile: Uint8Array, selection?: ProfileSelection): Promise<Omit<ProfileRows, 'rows'>>;
  /** The same, decoded: asks for capture objects, capture period, order, scalers and units first unless they are given. */
  readProfile(profile: Uint8Array, selection?: ProfileSelection, options?: ReadProfileOptions): Promise<ProfileReading>;
  /** RLRQ, then everything closed. Never throws for a meter that does not answer it. */
  release(): Promise<void>;
  /** What the meter sends unasked, until the session ends. @returns a function that calls it off */
  onNotification(listener: (indication: Indication) => void): () => void;
  /** Closes without release; an operation under way ends with LinkError. Idempotent. */
  close(): Promise<void>;
}
