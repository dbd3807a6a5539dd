/**
 * What a security context of an association consists of (IEC 62056-5-3 clauses 5.3.2 and 5.3.5 to 5.3.7): keys, counters,
 * what is applied and what is demanded, and why an APDU is refused.
 *
 * Decides: the shapes. Leaves out: what is done with them (context.ts).
 */
import type { Crypto, EcPrivateKey, EcPublicKey } from './crypto.ts';

export type SecuritySuite = 0 | 1 | 2;

/**
 * The arc that stands for identified-organization(5) in the algorithm's identifier: 5, as it must be encoded and as the
 * test vectors of annex C have it; 6, as the table of identifiers is printed and as some stacks therefore do.
 */
export type AlgorithmArc = 5 | 6;

/** What is applied to an APDU, or demanded of one. */
export interface Protection {
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  /** Digitally signed; suites 1 and 2. */
  readonly signed?: boolean;
}

export type CipheringForm =
  | 'service-specific-global'
  | 'service-specific-dedicated'
  | 'general-global'
  | 'general-dedicated'
  | 'general-ciphering';

/** Our numbers: each is given out once in the life of a key. */
export interface InvocationCounter {
  /** The next number, 0 to 4294967295. @throws MisuseError when the key has used all of them */
  next(): number;
}

/** The peer's numbers. */
export interface PeerCounter {
  /** The lowest number that is still fresh: 0 when none was received. */
  lowest(): number;
  /** Called once an APDU with this number has proved genuine. */
  accept(counter: number): void;
}

export interface SecurityKeys {
  /** Global unicast encryption key (GUEK): 16 bytes in suites 0 and 1, 32 in suite 2. */
  readonly unicast: Uint8Array;
  /** Global broadcast encryption key (GBEK). */
  readonly broadcast?: Uint8Array;
  /** Authentication key (GAK). */
  readonly authentication: Uint8Array;
  /** Master key, the key-encrypting key (KEK). */
  readonly master?: Uint8Array;
  /** Our digital signature key. */
  readonly signing?: EcPrivateKey;
  /** Our static key agreement key. */
  readonly agreement?: EcPrivateKey;
  /** The peer's digital signature key. */
  readonly peerSigning?: EcPublicKey;
  /** The peer's static key agreement key. */
  readonly peerAgreement?: EcPublicKey;
}

/** How general-ciphering names its key (Key-Info). */
export type KeyInfoMethod = 'identified' | 'identified-broadcast' | 'wrapped' | 'one-pass-dh' | 'static-dh';

export interface SecurityContextOptions {
  readonly suite: SecuritySuite;
  readonly role: 'client' | 'server';
  /** 8 bytes. */
  readonly ownSystemTitle: Uint8Array;
  /** Known from AARQ or AARE. */
  readonly peerSystemTitle?: Uint8Array;
  readonly keys: SecurityKeys;
  readonly dedicatedKey?: Uint8Array;
  /** What is put on what we send. */
  readonly send: Protection;
  /** The least that is demanded of what we receive. */
  readonly require: Protection;
  readonly form: CipheringForm;
  /** Of the global unicast key. */
  readonly counter: InvocationCounter;
  readonly peerCounter: PeerCounter;
  /** Of the dedicated key, which lives as long as the association; in memory from 0 unless given. */
  readonly dedicatedCounter?: InvocationCounter;
  readonly dedicatedPeerCounter?: PeerCounter;
  /** Of the broadcast key. */
  readonly broadcastCounter?: InvocationCounter;
  readonly broadcastPeerCounter?: PeerCounter;
  /** With form general-ciphering; 'identified' unless said. */
  readonly keyInfo?: KeyInfoMethod;
  /** Where the signature goes: inside the ciphering (sign, then cipher; the rule) or around it. */
  readonly signing?: 'inside' | 'outside';
  /**
   * The Initiate APDUs of a general form: service-specific all the same, as most meters want them (the rule), or in the
   * form of all others.
   */
  readonly initiate?: 'service-specific' | 'as-others';
  /**
   * The standard binds the fields of general-ciphering into the tag, and the content's length into the signature of
   * general-signing. Gurux (C#, Java) does neither; say so to talk with it.
   */
  readonly dialect?: 'standard' | 'gurux';
  /** Which encoding of the algorithm's identifier agreed keys are derived with; 5 unless said. */
  readonly algorithmArc?: AlgorithmArc;
  /**
   * Whether a transaction-id is fresh, asked for keys that come with the message (wrapped and agreed), which no counter
   * protects. What was used is remembered as long as `peerCounter` is in memory, so give all associations of a peer the same
   * object; who is to refuse replays after a restart too keeps transaction-ids durably and answers here.
   */
  readonly freshTransaction?: (originator: Uint8Array, transactionId: Uint8Array) => boolean;
  readonly crypto: Crypto;
}

export type UnprotectFailure =
  /** Not to be read as an envelope at all, or a truncated tag. */
  | 'malformed'
  /** A suite, compression or key method we do not have. */
  | 'unsupported'
  /** Less protected than the context demands. */
  | 'downgrade'
  /** The invocation counter was used before; `expectedCounter` says which is the lowest fresh one. */
  | 'replay'
  /** From or to another system title. */
  | 'foreign'
  /** The key that the envelope names was not given. */
  | 'noKey'
  /** The tag does not fit: another key, or the bytes were changed. */
  | 'wrongKey'
  | 'wrongSignature';

export type Unprotected =
  | {
      readonly ok: true;
      readonly plain: Uint8Array;
      /** The security control byte of the (outermost) ciphering; undefined when it came without. */
      readonly control?: number;
      /** False for what may come plain: ACSE, and to a client exceptions and service errors. */
      readonly wasProtected: boolean;
      /** All layers taken together. */
      readonly protection: Protection;
      readonly invocationCounter?: number;
      /** Of the envelope, where it carries one. */
      readonly systemTitle?: Uint8Array;
    }
  | {
      readonly ok: false;
      readonly reason: UnprotectFailure;
      /** A sentence for people. */
      readonly text: string;
      readonly expectedCounter?: number;
      readonly receivedCounter?: number;
    };

export interface UnprotectOptions {
  /** Takes this APDU plain too (user-information of RLRE). */
  readonly plainAllowed?: boolean;
}

export interface ProtectOptions {
  /** Under the broadcast key. */
  readonly broadcast?: boolean;
  /** Instead of the context's own (access rights may ask for more). */
  readonly protection?: Protection;
}

export interface SecurityContext {
  readonly suite: SecuritySuite;
  /** Wraps a plain APDU. @throws MisuseError when a key that the form needs was not given */
  protect(plainApdu: Uint8Array, options?: ProtectOptions): Uint8Array;
  /** Never throws, whatever the bytes. */
  unprotect(apdu: Uint8Array, options?: UnprotectOptions): Unprotected;
  setPeerSystemTitle(systemTitle: Uint8Array): void;
  /** Sets the key that InitiateRequest carried; its counters begin at 0. @throws MisuseError on a wrong length */
  setDedicatedKey(key: Uint8Array): void;
}
