/**
 * Passwords and keys of a virtual meter, and the counters that go with them (IEC 62056-5-3 clause 5.3).
 *
 * Decides: all follow from the meter's number and seed, so that a fleet's can be told in one line; they are no secret.
 * Management and firmware have keys of their own, so that neither counts in the other's numbers. What a client changes is
 * kept; counters reserve ahead of their use. Leaves out: files (store.ts).
 */
import { createHash } from 'node:crypto';
import {
  type InvocationCounter,
  type PeerCounter,
  reservedCounter,
  reservedPeerCounter,
  type SecuritySuite,
} from '@amiable/dlms';
import { ascii } from './values.ts';

export type KeyName = 'unicast' | 'broadcast' | 'authentication' | 'master';
export type KeyOwner = 'management' | 'firmware';

/** What is kept of a set of keys. */
export interface StoredKeys {
  unicast: Uint8Array;
  broadcast: Uint8Array;
  authentication: Uint8Array;
  master: Uint8Array;
  /** Security policy of version 1: what requests and responses must have. */
  policy: number;
  /** Bounds: no number of ours from it on has been used, none of the client's from it on was accepted. */
  counter: number;
  peerCounter: number;
}

export interface StoredCredentials {
  readonly suite: SecuritySuite;
  password: Uint8Array;
  readonly management: StoredKeys;
  readonly firmware: StoredKeys;
}

export interface KeySet {
  readonly stored: StoredKeys;
  readonly counter: InvocationCounter;
  readonly peerCounter: PeerCounter;
  /** A new key has come: its numbers begin at 0. */
  restart(): void;
}

export interface Credentials {
  readonly suite: SecuritySuite;
  readonly systemTitle: Uint8Array;
  readonly stored: StoredCredentials;
  readonly sets: Readonly<Record<KeyOwner, KeySet>>;
  /** Writes what has changed, before it returns. */
  save(): void;
}

/** authenticated and encrypted, requests and responses. */
export const POLICY = 0x6c;

const digest = (seed: number, number: number, purpose: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`amiable virtual meter ${seed} ${number} ${purpose}`).digest());

/** The keys that a virtual meter has when it is new. */
export function deliveredCredentials(seed: number, number: number, suite: SecuritySuite): StoredCredentials {
  const length = suite === 2 ? 32 : 16;
  const set = (owner: KeyOwner): StoredKeys => {
    const key = (name: KeyName): Uint8Array => digest(seed, number, `${owner} ${name}`).slice(0, length);
    return {
      unicast: key('unicast'),
      broadcast: key('broadcast'),
      authentication: key('authentication'),
      master: key('master'),
      policy: POLICY,
      counter: 0,
      peerCounter: 0,
    };
  };
  const digits = Buffer.from(digest(seed, number, 'password')).readUInt32BE(0) % 100_000_000;
  return {
    suite,
    password: ascii(String(digits).padStart(8, '0')),
    management: set('management'),
    firmware: set('firmware'),
  };
}

/** System title: AMI, kind of device 01, the meter's number. */
export function systemTitle(number: number): Uint8Array {
  const title = Uint8Array.of(0x41, 0x4d, 0x49, 1, 0, 0, 0, 0);
  new DataView(title.buffer).setUint32(4, number);
  return title;
}

/** `save` must be durable before it returns. */
export function createCredentials(
  stored: StoredCredentials,
  number: number,
  save: (stored: StoredCredentials) => void,
  batch = 1000,
): Credentials {
  const set = (owner: KeyOwner): KeySet => {
    const kept = stored[owner];
    // An association that lives on under the old key counts in the old key's numbers: they must not become the new one's.
    let generation = 0;
    const bounds = (name: 'counter' | 'peerCounter') => {
      const mine = generation;
      return {
        start: kept[name],
        batch,
        persist(bound: number) {
          if (mine !== generation) return;
          kept[name] = bound;
          save(stored);
        },
      };
    };
    let counter: InvocationCounter = reservedCounter(bounds('counter'));
    let peerCounter: PeerCounter = reservedPeerCounter(bounds('peerCounter'));
    return {
      stored: kept,
      get counter() {
        return counter;
      },
      get peerCounter() {
        return peerCounter;
      },
      restart() {
        generation++;
        kept.counter = 0;
        kept.peerCounter = 0;
        counter = reservedCounter(bounds('counter'));
        peerCounter = reservedPeerCounter(bounds('peerCounter'));
      },
    };
  };
  const sets = { management: set('management'), firmware: set('firmware') };
  return { suite: stored.suite, systemTitle: systemTitle(number), stored, sets, save: () => save(stored) };
}
