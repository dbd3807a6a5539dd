/**
 * How a meter is reached, out of its connection and its sealed secrets.
 *
 * Decides: names under which secrets are sealed; the invocation counters of a ciphered association are granted out of durable blocks,
 * and skip rather than repeat. A secret leaves the vault only into the access that is made here.
 */
import { createHash } from 'node:crypto';
import type { InvocationCounter, PeerCounter } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import type { MeterAccess, SessionClock, SessionLink, ShapeMemory } from '@amiable/meter';
import type {
  Connection,
  CounterGrant,
  CounterRequest,
  MeterId,
  ReadoutStore,
  ReadTarget,
  SecretName,
} from '@amiable/store';
import type { Vault } from '../keys/vault.ts';

/** Counters that one reading is granted ahead. */
export const COUNTERS = 1000;
/** With fewer left more are reserved before the next item. */
const FEW = 400;
/** A meter may name a counter so much higher than ours; who names more wants to use ours up. */
const MOST_AHEAD = 10_000_000;
/** System title of ours unless a connection has one: AMI, and a number. */
const CLIENT_TITLE = Uint8Array.of(0x41, 0x4d, 0x49, 0, 0, 0, 0, 1);

/** What a secret is sealed for: it opens as nothing else. */
export const secretOwner = (meter: MeterId, name: SecretName): string => `connection:${meter}:${name}`;

export interface Secrets {
  readonly password?: Uint8Array;
  readonly unicast?: Uint8Array;
  readonly authentication?: Uint8Array;
  readonly clientTitle: Uint8Array;
  readonly serverTitle?: Uint8Array;
}

/** @throws Error when a secret does not open */
export function openSecrets({ meter, secrets }: ReadTarget, vault: Vault): Secrets {
  const open = (name: SecretName): Uint8Array | undefined => {
    const sealed = secrets.get(name);
    return sealed && new Uint8Array(vault.open(sealed, secretOwner(meter, name)));
  };
  const [password, unicast, authentication] = [open('password'), open('unicast-key'), open('authentication-key')];
  const [clientTitle = CLIENT_TITLE, serverTitle] = [open('client-title'), open('server-title')];
  return {
    ...(password && { password }),
    ...(unicast && { unicast }),
    ...(authentication && { authentication }),
    clientTitle,
    ...(serverTitle && { serverTitle }),
  };
}

/** Under which its counters are kept; undefined where nothing is counted. */
export function counterKey(connection: Connection, { unicast, clientTitle }: Secrets): string | undefined {
  if (connection.protocol !== 'dlms' || !unicast || !isCiphered(connection)) return undefined;
  return createHash('sha256')
    .update('invocation counter')
    .update(unicast)
    .update(clientTitle)
    .digest('hex')
    .slice(0, 32);
}

const isCiphered = ({ authentication, ciphered }: Connection): boolean =>
  ciphered === true || authentication === 'gmac' || authentication === 'sha256' || authentication === 'ecdsa';

/** Numbers out of durable blocks; blocks need not follow each other. */
export class BlockCounter implements InvocationCounter {
  #next: number;
  #end: number;
  constructor(start: number, count: number) {
    this.#next = start;
    this.#end = start + count;
  }
  get remaining(): number {
    return this.#end - this.#next;
  }
  next(): number {
    if (this.#next >= this.#end) throw new RangeError('no invocation counters are reserved');
    return this.#next++;
  }
  grant(start: number, count: number): void {
    if (start < this.#end) throw new RangeError('a counter does not go back');
    if (start > this.#end) this.#next = start;
    this.#end = start + count;
  }
}

export interface MadeAccess {
  readonly access: MeterAccess;
  /** The meter's counter that must come next; for the store. */
  readonly peer: () => number | undefined;
}

export interface AccessParts {
  readonly clock: SessionClock;
  readonly now: () => number;
  readonly shapes: ShapeMemory;
  readonly readout: Pick<ReadoutStore, 'reserve' | 'raise'>;
  /** Told of every APDU. */
  readonly trace?: MeterAccess['trace'];
}

/** @throws RangeError when secrets lack that the connection asks for */
export function accessOf(
  parts: AccessParts,
  target: ReadTarget & { readonly connection: Connection },
  secrets: Secrets,
  counters: { readonly key: string; readonly grant: CounterGrant } | undefined,
  link: SessionLink,
): MadeAccess {
  const { connection, timeZone } = target;
  const { clock, now, trace } = parts;
  const common = { link, clock, now, timeZone, ...(trace && { trace }) };
  if (connection.protocol === 'iec62056-21') {
    const access: MeterAccess = {
      ...common,
      protocol: 'iec62056-21',
      ...(connection.deviceAddress !== undefined && { deviceAddress: connection.deviceAddress }),
      ...(secrets.password && { password: new TextDecoder().decode(secrets.password) }),
    };
    return { access, peer: () => undefined };
  }
  const { transport, referencing, client, server, physical, authentication, suite = 0 } = connection;
  const { password, unicast, clientTitle, serverTitle } = secrets;
  const needsPassword = authentication === 'low' || authentication === 'sha256';
  if (needsPassword && !password) throw new RangeError(`authentication ${authentication} needs the secret password`);
  if (isCiphered(connection) && (!unicast || !counters))
    throw new RangeError('a ciphered association needs the secrets unicast-key and authentication-key');
  const counter = counters && new BlockCounter(counters.grant.start, COUNTERS);
  const peer = counters && peerFrom(counters.grant.peer);
  const request = counters && ({ meter: target.meter, key: counters.key, count: COUNTERS } satisfies CounterRequest);
  const more = async (): Promise<void> => {
    const grant = request && (await parts.readout.reserve([request])).get(target.meter);
    if (grant) counter?.grant(grant.start, COUNTERS);
  };
  const access: MeterAccess = {
    ...common,
    protocol: 'dlms',
    transport: transport === 'hdlc' ? 'hdlc' : 'wrapper',
    shapes: parts.shapes,
    ...(referencing && { referencing }),
    ...(client !== undefined && { client }),
    ...(server !== undefined && { server }),
    ...(physical !== undefined && { physical }),
    ...(authentication && { authentication }),
    ...(password && { password }),
    crypto: nodeCrypto,
    ...(counter &&
      peer &&
      unicast && {
        security: {
          suite,
          keys: { unicast, authentication: secrets.authentication ?? new Uint8Array(unicast.length) },
          systemTitle: clientTitle,
          ...(serverTitle && { serverSystemTitle: serverTitle }),
          ...(connection.ciphered === false && { ciphered: false }),
          counter,
          peerCounter: peer,
        },
        async reserve() {
          if (counter.remaining < FEW) await more();
        },
        async raise(expected: number) {
          const { meter, key } = request as CounterRequest;
          if (expected - counters.grant.start > MOST_AHEAD || expected <= counters.grant.start) return false;
          await parts.readout.raise(meter, key, expected);
          await more();
          return true;
        },
      }),
  };
  return { access, peer: () => peer?.lowest() };
}

function peerFrom(lowest: number): PeerCounter {
  let fresh = lowest;
  return {
    lowest: () => fresh,
    accept(counter) {
      if (counter >= fresh) fresh = counter + 1;
    },
  };
}
