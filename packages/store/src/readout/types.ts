/**
 * How a meter is reached and what is read of it: connections, the read-out set of a meter type, and what lacks in the store.
 */
import type { Scope } from '@amiable/model';
import type { MeterId, RegisterKey } from '../types.ts';

/** One set of rows that a meter keeps: a profile, a log. */
export interface ReadoutProfile {
  /** `load`, `daily`, `monthly`, `slave-1`: by what tasks and reports name it. */
  readonly name: string;
  readonly kind: 'profile' | 'daily' | 'monthly';
  /** Logical name, `1-0:99.1.0`. */
  readonly obis: string;
  /** Seconds from row to row; 86,400 for daily values (local midnight), 0 for monthly ones. */
  readonly period: number;
  /** What of its columns is kept; all registers when left out. */
  readonly registers?: readonly string[];
  /** How the status word of a row is read: the AMR profile status of European companion specifications unless said. */
  readonly status?: 'amr' | 'amiable';
  /** The value is counted within its interval (consumption), not a counter's state; told by completeness and validation. */
  readonly interval?: boolean;
  /** Not every meter of the type has it: nothing is expected of one that never gave any, and no reading fails for it. */
  readonly optional?: boolean;
}

export interface ReadoutLog {
  readonly name: string;
  readonly obis: string;
  /** Names of its codes: a table of the event catalogue. */
  readonly catalogue: string;
}

/** What is delivered by a type of meter (AMI system description §5.7.2). */
export interface ReadoutSet {
  readonly identification: readonly string[];
  readonly profiles: readonly ReadoutProfile[];
  readonly logs: readonly ReadoutLog[];
  /** Registers of now, by name of the set: `billing`, `quality`, `network`, `instantaneous`. */
  readonly registers: Readonly<Record<string, readonly string[]>>;
  readonly clock?: string;
  /** Codes of parameterisation and configuration ID: while they stay, what was learnt of the type holds. */
  readonly configuration?: readonly string[];
}

/** Seconds under which monthly values are kept, whatever the month's length: period of their registers. */
export const MONTH_PERIOD = 2_592_000;
/** The period under which values of a profile are kept. */
export const periodOf = (profile: Pick<ReadoutProfile, 'kind' | 'period'>): number =>
  profile.kind === 'monthly' || profile.period === 0 ? MONTH_PERIOD : profile.period;

/** How a meter is reached. Passwords and keys are apart, in the vault. */
export interface Connection {
  readonly meter: MeterId;
  readonly protocol: 'dlms' | 'iec62056-21';
  /** `tcp://host:port`, `tls://host:port`, `modem:NUMBER` over a channel, `via:METER` behind another meter. */
  readonly address: string;
  readonly transport: 'wrapper' | 'hdlc' | 'iec';
  readonly referencing?: 'LN' | 'SN';
  /** wPort or upper HDLC address of client and server; lower HDLC address. */
  readonly client?: number;
  readonly server?: number;
  readonly physical?: number;
  readonly authentication?: 'none' | 'low' | 'gmac' | 'sha256' | 'ecdsa';
  readonly suite?: 0 | 1 | 2;
  readonly ciphered?: boolean;
  /** IEC 62056-21: device address in the request message. */
  readonly deviceAddress?: string;
  /** Channel (a modem pool, a network) whose windows and limits hold; the network of the address unless said. */
  readonly channel?: string;
  /** Name of the read-out set: what is read of it. */
  readonly readout: string;
  /** What the meter must say of itself; its serial number unless said. Checked before anything is stored. */
  readonly identity?: string;
}

/** A stretch of a series that lacks values: both ends epoch ms, `to` not included. */
export interface Missing {
  readonly from: number;
  readonly to: number;
  /** Values that lack in it. */
  readonly count: number;
}

/** What should be there. */
export interface Wanted {
  readonly profile: ReadoutProfile;
  readonly registers: readonly RegisterKey[];
  readonly from: number;
  readonly to: number;
}

export interface MissingQuery {
  /** What lacks of each meter; meters that lack nothing are left out. Cheap for thousands of meters: headers of blocks, and values only of those that are not whole. */
  missing(
    meters: readonly MeterId[],
    wanted: Wanted,
    timeZone: string,
  ): Promise<ReadonlyMap<MeterId, readonly Missing[]>>;
}

// ---------------------------------------------------------------- what the API and workers ask for

export const SECRET_NAMES = ['password', 'unicast-key', 'authentication-key', 'client-title', 'server-title'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** A connection with what may be told of it. */
export interface StoredConnection extends Connection {
  readonly serial: string;
  /** Which secrets are set; never what they are. */
  readonly secrets: readonly SecretName[];
  readonly changed: number;
  readonly state?: ReadoutState;
}

export interface ConnectionQuery {
  readonly channel?: string;
  readonly outcome?: ReadOutcome;
  /** Part of serial number, name or address. */
  readonly q?: string;
  readonly after?: MeterId;
  readonly limit: number;
  readonly scope: Scope;
}

export type ReadOutcome = 'done' | 'partial' | 'failed' | 'unreachable' | 'refused' | 'stranger';

/** How the reading of a meter went last. */
export interface ReadoutState {
  readonly meter: MeterId;
  /** Epoch ms. */
  readonly tried: number;
  readonly read?: number;
  readonly outcome: ReadOutcome;
  readonly reason?: string;
  readonly failures: number;
  readonly fingerprint?: string;
  /** By code. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Codes of registers by name of the profile. */
  readonly delivers?: Readonly<Record<string, readonly string[]>>;
  /** ms. */
  readonly deviation?: number;
  readonly deviationAt?: number;
  readonly stranger?: string;
}

/** What a worker needs of a meter. */
export interface ReadTarget {
  readonly meter: MeterId;
  readonly serial: string;
  readonly utilitySerial?: string;
  readonly timeZone: string;
  readonly connection?: Connection;
  /** Ciphertext. */
  readonly secrets: ReadonlyMap<SecretName, Uint8Array>;
  readonly state?: ReadoutState;
  /** Time of the newest stored entry by log. */
  readonly logs: ReadonlyMap<string, number>;
}

/** What changed by a reading. `failures` counts by itself. */
export type StateChange = Omit<ReadoutState, 'failures'> & { readonly logs?: ReadonlyMap<string, number> };

export interface CounterRequest {
  readonly meter: MeterId;
  /** Digest of key and system title. */
  readonly key: string;
  readonly count: number;
}
export interface CounterGrant {
  /** Numbers from here on, `count` of them, are the caller's alone. */
  readonly start: number;
  /** The meter's next must be this or higher. */
  readonly peer: number;
}

export interface ReadoutStore {
  /** All read-out sets by name: those that come with the program, and those of the table over them. */
  sets(): Promise<ReadonlyMap<string, ReadoutSet>>;
  putSet(name: string, set: ReadoutSet, now: number): Promise<void>;
  /** @returns false when there is none of the table's */
  removeSet(name: string): Promise<boolean>;
  connections(query: ConnectionQuery): Promise<readonly StoredConnection[]>;
  connection(meter: MeterId, scope: Scope): Promise<StoredConnection | undefined>;
  putConnections(connections: readonly Connection[], now: number): Promise<void>;
  /** Whether the meter has secrets, or one that is reached through it (`via:`). */
  keepsSecrets(meter: MeterId): Promise<boolean>;
  /** Its secrets go with it. */
  removeConnection(meter: MeterId): Promise<boolean>;
  /** Ciphertexts; null takes one away. */
  putSecrets(
    secrets: readonly { readonly meter: MeterId; readonly name: SecretName; readonly ciphertext: Uint8Array | null }[],
    now: number,
  ): Promise<void>;
  /** The register of a code and period as it lies in the store, where it does. */
  registerOf(obis: string, period: number): RegisterKey | undefined;
  targets(meters: readonly MeterId[]): Promise<ReadonlyMap<MeterId, ReadTarget>>;
  /** Reserves invocation counters durably; nobody is given them again. Used up: the meter is left out. */
  reserve(requests: readonly CounterRequest[]): Promise<ReadonlyMap<MeterId, CounterGrant>>;
  /** The meter expects at least `to`; and the highest of its own that was seen. Never lowers. */
  raise(meter: MeterId, key: string, to: number): Promise<void>;
  notePeers(peers: readonly { readonly meter: MeterId; readonly key: string; readonly peer: number }[]): Promise<void>;
  writeStates(changes: readonly StateChange[]): Promise<void>;
}
