/**
 * The client association seen from outside (IEC 62056-5-3 clauses 6 and 7): what it is told, and what it gives back.
 *
 * Decides: the shapes. An association is synchronous and without I/O: a method starts one operation and gives the APDUs
 * to send; `receive` takes one APDU of the server and gives what to send next, what came out, what came in between.
 */
import type {
  AccessResponse,
  AccessSpecification,
  ActionResult,
  ApduOf,
  AttributeDescriptor,
  DataResult,
  EncodedData,
  MethodDescriptor,
  VariableAccess,
} from '../apdu/types.ts';
import type { SecurityContext } from '../security/context.ts';
import type { Crypto, EcPrivateKey, EcPublicKey } from '../security/crypto.ts';
import type { HlsMechanism, HlsParameters, ManufacturerMechanism } from '../security/hls.ts';

/** Logical names or short names (the application context; ciphering follows from `security`). */
export type Referencing = 'LN' | 'SN';

/** High-level authentication: both ends prove that they have a secret or a key. */
export interface HighAuthentication {
  readonly mechanism: HlsMechanism;
  /** The shared secret (2, 3, 4 and 6). */
  readonly secret?: Uint8Array;
  /** 8 to 64 bytes, new for each association; random, 16 bytes (32 with mechanism 7), unless given. */
  readonly challenge?: Uint8Array;
  /** With mechanism 5. */
  readonly gmac?: HlsParameters['gmac'];
  /** With mechanism 7. */
  readonly signing?: EcPrivateKey;
  readonly peerSigning?: EcPublicKey;
  /** With mechanism 2: the maker's own function; AES-128 of the challenge under the secret unless given. */
  readonly manufacturer?: ManufacturerMechanism;
}

/** How the client proves who he is (COSEM authentication mechanisms 0 to 7). */
export type Authentication =
  | { readonly mechanism: 0 }
  /** Low level: the password goes over the line. */
  | { readonly mechanism: 1; readonly password: Uint8Array }
  | HighAuthentication;

/** Bounds of what a server can make the client keep or do. */
export interface ClientLimits {
  /** Bytes of one APDU, and of all blocks of one transfer together. */
  readonly maxBytes: number;
  /** Blocks of one transfer. */
  readonly maxBlocks: number;
  /** Elements of one list. */
  readonly maxList: number;
  /** Notifications taken in between while one operation is under way. */
  readonly maxIndications: number;
}

export const CLIENT_LIMITS: ClientLimits = {
  maxBytes: 16 << 20,
  maxBlocks: 65_535,
  maxList: 65_535,
  maxIndications: 1000,
};

export interface ClientAssociationOptions {
  /** LN unless said. */
  readonly referencing?: Referencing;
  /** None unless said. */
  readonly authentication?: Authentication;
  /** Makes it a ciphered application context. */
  readonly security?: SecurityContext;
  /** Bytes that `security` adds to an APDU at most (`protectionOverhead`); 64 unless said. */
  readonly overhead?: number;
  /** 8 bytes: goes into the AARQ; needed with ciphering and with mechanisms 5 to 7. */
  readonly systemTitle?: Uint8Array;
  /** The server's, where it is known beforehand (pre-established associations). */
  readonly serverSystemTitle?: Uint8Array;
  /** Sent in the ciphered initiate and used from then on. */
  readonly dedicatedKey?: Uint8Array;
  /** False sends the initiate plain although the context is ciphered, as some meters want it. */
  readonly cipheredInitiate?: boolean;
  /** proposed-conformance, 24 bits; all that this client can unless said. */
  readonly conformance?: number;
  /** client-max-receive-pdu-size, 0 for no limit; 65535 unless said. */
  readonly maxPduSize?: number;
  /** Client user identification, calling-AE-invocation-identifier. */
  readonly userId?: number;
  /** Of the client, for digital signature: calling-AE-qualifier. */
  readonly certificate?: Uint8Array;
  /** No AARQ: the association exists, with these parameters. */
  readonly preEstablished?: { readonly conformance: number; readonly maxPduSize: number };
  /** Puts an InitiateRequest into the RLRQ; always so under ciphering unless false is given. */
  readonly releaseWithInitiate?: boolean;
  /** Priority bit of Invoke-Id-And-Priority; high unless said. */
  readonly highPriority?: boolean;
  /**
   * Blocks of a general block transfer taken without acknowledging, 1 to 63; 1 unless said, for some servers get lost in
   * larger windows.
   */
  readonly window?: number;
  readonly limits?: Partial<ClientLimits>;
  /** Needed with high-level authentication. */
  readonly crypto?: Crypto;
  /** Told of each APDU (or block) as it is on the line; `plain` is the whole APDU without protection, with the last block. */
  readonly trace?: (direction: 'out' | 'in', apdu: Uint8Array, plain: Uint8Array | undefined) => void;
}

/** What AARE or the pre-established association gave. */
export interface Negotiated {
  readonly conformance: number;
  /** server-max-receive-pdu-size: the longest APDU that may be sent; 0 is no limit. */
  readonly maxPduSize: number;
  /** 0x0007 with logical names, 0xFA00 with short names. */
  readonly vaaName: number;
  readonly serverSystemTitle?: Uint8Array;
  readonly qualityOfService?: number;
}

export type ClientState =
  | 'idle'
  /** AARQ sent, AARE awaited. */
  | 'associating'
  /** Pass 3 of the high-level authentication sent, pass 4 awaited. */
  | 'authenticating'
  | 'associated'
  /** RLRQ sent, RLRE awaited. */
  | 'releasing'
  | 'released'
  /** The other end did what it must not, or the line failed: only a new association helps. */
  | 'broken';

/** How an operation ended. Results that name an error per attribute are results, not failures. */
export type Outcome =
  | { readonly ok: true; readonly operation: 'associate'; readonly negotiated: Negotiated }
  | { readonly ok: true; readonly operation: 'release' }
  | { readonly ok: true; readonly operation: 'get'; readonly result: DataResult }
  | { readonly ok: true; readonly operation: 'get-list'; readonly results: readonly DataResult[] }
  | { readonly ok: true; readonly operation: 'set'; readonly result: number }
  | { readonly ok: true; readonly operation: 'set-list'; readonly results: readonly number[] }
  | { readonly ok: true; readonly operation: 'action'; readonly result: ActionResult }
  | { readonly ok: true; readonly operation: 'action-list'; readonly results: readonly ActionResult[] }
  | { readonly ok: true; readonly operation: 'access'; readonly response: AccessResponse }
  | { readonly ok: true; readonly operation: 'read'; readonly results: readonly DataResult[] }
  | { readonly ok: true; readonly operation: 'write'; readonly results: readonly VariableResult[] }
  | { readonly ok: true; readonly operation: 'unconfirmed' }
  | {
      readonly ok: false;
      readonly operation: OperationName;
      /** PeerError (DlmsPeerError), or what `fail` was given. */
      readonly error: Error;
      /** The beginning of the encoded value, as far as blocks of it came. */
      readonly partial?: Uint8Array;
    };

export type OperationName =
  | 'associate'
  | 'release'
  | 'get'
  | 'get-list'
  | 'set'
  | 'set-list'
  | 'action'
  | 'action-list'
  | 'access'
  | 'read'
  | 'write'
  | 'unconfirmed';

/** Of one variable written: done, or a Data-Access-Result. */
export type VariableResult = { readonly success: true } | { readonly error: number };

/** What a server sends unasked. */
export type Indication =
  | ApduOf<'event-notification-request'>
  | ApduOf<'data-notification'>
  | ApduOf<'information-report-request'>;

/** What comes of starting an operation or of receiving an APDU. */
export interface Step {
  /** To send, in order. */
  readonly send: readonly Uint8Array[];
  readonly done?: Outcome;
  readonly indication?: Indication;
}

export interface ClientAssociation {
  readonly state: ClientState;
  readonly negotiated: Negotiated | undefined;
  /** Whether an operation is under way. */
  readonly busy: boolean;
  /** What is under way, in words; '' when nothing is. */
  readonly doing: string;
  /** What is waited for, in words; '' when nothing is. */
  readonly expecting: string;
  /** Starts an association. @throws MisuseError unless idle, released or broken */
  associate(): Step;
  /** @throws MisuseError when an operation is under way, none is associated, or the request does not fit */
  get(attribute: AttributeDescriptor): Step;
  getList(attributes: readonly AttributeDescriptor[]): Step;
  set(attribute: AttributeDescriptor, value: EncodedData): Step;
  setList(attributes: readonly AttributeDescriptor[], values: readonly EncodedData[]): Step;
  action(method: MethodDescriptor, parameters?: EncodedData): Step;
  actionList(methods: readonly MethodDescriptor[], parameters: readonly EncodedData[]): Step;
  access(
    specifications: readonly AccessSpecification[],
    data: readonly EncodedData[],
    options?: { readonly dateTime?: Uint8Array; readonly selfDescriptive?: boolean; readonly breakOnError?: boolean },
  ): Step;
  read(variables: readonly VariableAccess[]): Step;
  write(variables: readonly VariableAccess[], values: readonly EncodedData[]): Step;
  /** Done at once: no answer comes. */
  unconfirmedWrite(variables: readonly VariableAccess[], values: readonly EncodedData[]): Step;
  /** Set or action with service class unconfirmed: done at once. */
  unconfirmedSet(attribute: AttributeDescriptor, value: EncodedData): Step;
  unconfirmedAction(method: MethodDescriptor, parameters?: EncodedData): Step;
  release(): Step;
  /** Takes one whole APDU of the server, whose bytes must not change any more; never throws, whatever they are. */
  receive(apdu: Uint8Array): Step;
  /** Nothing came for a while: what a block transfer sends again to go on; nothing when there is nothing to be repeated. */
  repeat(): readonly Uint8Array[];
  /** The line failed or time is up: ends the operation under way and breaks the association. */
  fail(error: Error): Step;
}
