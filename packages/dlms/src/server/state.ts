/**
 * The state of one server association: what was negotiated, what is being transferred in blocks, what waits to be sent.
 * It is the device's `AssociationContext` at the same time. Owned by association.ts; the services read and write it.
 */
import type { AttributeDescriptor, MethodDescriptor } from '../apdu/types.ts';
import type { BlockTransfer } from '../general-block.ts';
import type { Protection } from '../security/context.ts';
import type { Crypto } from '../security/crypto.ts';
import type { AssociationSecurity } from './security.ts';
import type {
  ApplicationContextName,
  AssociationContext,
  AssociationStatus,
  ClientProfile,
  LogicalDevice,
  LoginGuard,
  MechanismName,
  ServerAssociationOptions,
  ServerLimits,
  ServerSecurity,
} from './types.ts';

/** An answer that is fetched block by block: pieces of `bytes`, which is encoded once. */
export interface Outgoing {
  readonly kind: 'get' | 'action' | 'read';
  /** Low four bits of Invoke-Id-And-Priority; 0 with short names. */
  readonly invoke: number;
  readonly bytes: Uint8Array;
  offset: number;
  /** Number of the block sent last. */
  block: number;
}

/** A request that arrives block by block. */
export interface Incoming {
  readonly kind: 'set' | 'action' | 'write' | 'read';
  readonly invoke: number;
  readonly list: boolean;
  readonly attributes?: readonly AttributeDescriptor[];
  readonly methods?: readonly MethodDescriptor[];
  /** Grows; `length` bytes of it are used. */
  buffer: Uint8Array;
  length: number;
  /** Number of the block that came last. */
  block: number;
}

export const PLAIN: Protection = { authenticated: false, encrypted: false };
/** The most an APDU can have where the client sets no limit: the wrapper counts to here. */
const LONGEST = 0xffff;

const LIMITS: Required<ServerLimits> = { request: 65_536, response: 1 << 20, list: 256, queue: 16 };

export class AssociationState<M> implements AssociationContext<M> {
  readonly device: LogicalDevice<M>;
  readonly meter: M;
  readonly clientSap: number;
  readonly serverSap: number;
  readonly limits: Required<ServerLimits>;
  readonly random: (length: number) => Uint8Array;
  readonly crypto: Crypto | undefined;
  readonly login: LoginGuard | undefined;

  profile: ClientProfile<M>;
  status: AssociationStatus = 0;
  applicationContext: ApplicationContextName = 1;
  mechanism: MechanismName = 0;
  conformance = 0;
  /** What is served beyond it, see acse.ts. */
  tolerated = 0;
  maxReceivePduSize = LONGEST;
  maxSendPduSize = 0;
  clientSystemTitle: Uint8Array | undefined = undefined;
  request: Protection = PLAIN;
  /** How the answer is to be protected: as the request was, or more. */
  answer: Protection = PLAIN;
  security: ServerSecurity | undefined = undefined;

  /** Puts protection on and off; absent in associations without. */
  guard: AssociationSecurity | undefined = undefined;
  /** The longest plain APDU that fits the client's PDU size with the protection around it. */
  room = LONGEST;
  /** The challenges of HLS while the client's proof is awaited. */
  challenge: { readonly fromClient: Uint8Array; readonly fromServer: Uint8Array } | undefined = undefined;
  outgoing: Outgoing | undefined = undefined;
  incoming: Incoming | undefined = undefined;
  general: BlockTransfer | undefined = undefined;
  /** The request under way came in general blocks: its answer goes in them too. */
  inGeneralBlocks = false;
  /** Ready APDUs that follow the answer. */
  ready: Uint8Array[] = [];
  /** Plain notifications. */
  queue: Uint8Array[] = [];

  constructor(options: ServerAssociationOptions<M>) {
    this.device = options.device;
    this.meter = options.meter;
    this.clientSap = options.clientSap;
    this.serverSap = options.serverSap;
    this.limits = { ...LIMITS, ...options.limits };
    this.random = (length) => options.random(length);
    this.crypto = options.crypto;
    this.login = options.login;
    this.profile = noProfile(options.clientSap);
  }

  protectAnswer(asked: Protection): boolean {
    if (!this.guard) return false;
    const { authenticated, encrypted, signed } = this.answer;
    this.answer = {
      authenticated: authenticated || asked.authenticated,
      encrypted: encrypted || asked.encrypted,
      signed: signed === true || asked.signed === true,
    };
    return true;
  }

  /** Whether a service was negotiated. */
  may(bits: number): boolean {
    return ((this.conformance | this.tolerated) & bits) === bits;
  }

  get shortNames(): boolean {
    return this.applicationContext === 2 || this.applicationContext === 4;
  }

  /** Sets `room` from the PDU size and what protection adds. */
  measure(): void {
    const size = this.maxSendPduSize === 0 ? LONGEST : Math.min(this.maxSendPduSize, LONGEST);
    this.room = size - (this.guard ? this.guard.overhead : 0);
  }

  /** Back to the state before AARQ. */
  free(): void {
    this.profile = noProfile(this.clientSap);
    this.status = 0;
    this.applicationContext = 1;
    this.mechanism = 0;
    this.conformance = 0;
    this.tolerated = 0;
    this.maxReceivePduSize = LONGEST;
    this.maxSendPduSize = 0;
    this.clientSystemTitle = undefined;
    this.request = PLAIN;
    this.answer = PLAIN;
    this.security = undefined;
    this.guard = undefined;
    this.room = LONGEST;
    this.challenge = undefined;
    this.outgoing = undefined;
    this.incoming = undefined;
    this.general = undefined;
    this.inGeneralBlocks = false;
    this.ready = [];
    this.queue = [];
  }

  get held(): number {
    let bytes = (this.outgoing?.bytes.length ?? 0) + (this.incoming?.buffer.length ?? 0) + (this.general?.held ?? 0);
    for (const apdu of this.ready) bytes += apdu.length;
    for (const apdu of this.queue) bytes += apdu.length;
    return bytes;
  }
}

function noProfile(clientSap: number): ClientProfile<never> {
  return { name: '', clientSap, applicationContexts: [1], mechanism: 0, conformance: 0 };
}
