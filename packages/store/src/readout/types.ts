/**
 * How a meter is reached and what is read of it: connections, the read-out set of a meter type, and what lacks in the store.
 */
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
  /** The value is counted within its interval (consumption), not a counter's state; told by completeness and validation. */
  readonly interval?: boolean;
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
}

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
