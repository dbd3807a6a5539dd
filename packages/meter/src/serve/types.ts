/**
 * Serving meters over lines: what `createMeterServer` and `serveLink` take and give.
 *
 * Decides: which device an address stands for is the caller's `find`; connections are anything that can write. Answers
 * are written within the call that brought the request: no promise, no timer per message.
 */
import type { Crypto, LogicalDevice, ServerAssociation, ServerLimits } from '@amiable/dlms';
import type { HdlcLimits } from '@amiable/hdlc';

/** A device and the state of one meter that it serves. */
export interface ServedDevice<M = undefined> {
  readonly device: LogicalDevice<M>;
  readonly meter: M;
}

/** How the server was addressed. */
export interface ServerAddress {
  /** Wrapper: the destination wPort. HDLC: the upper address (all of a one-octet address). */
  readonly logical: number;
  /** HDLC: the lower address, undefined in one octet and over the wrapper. */
  readonly physical: number | undefined;
}

/** The part of a clock that serving uses. */
export interface ServerClock {
  now(): number;
  after(ms: number, fn: () => void): () => void;
}

export interface MeterServerOptions<M = undefined> {
  /** Which device, if any, is at an address: logical devices of one meter, or a fleet. Must be cheap. */
  find(address: ServerAddress): ServedDevice<M> | undefined;
  readonly clock: ServerClock;
  /** For challenges: a generator fit for keys. */
  random(length: number): Uint8Array;
  /** For HLS of associations that have no `security`. */
  readonly crypto?: Crypto;
  /**
   * Connections at a time, 1,000 unless said. For one more the longest silent that has no association goes; where all have
   * one, it is closed at once.
   */
  readonly maxConnections?: number;
  /** Associations at a time on one connection, 16 unless said; the one longest silent goes for a new one. */
  readonly maxAssociations?: number;
  /** A connection on which no message came for so long is closed, ms; 180,000 unless said (TCP-UDP setup), 0 never. */
  readonly inactivity?: number;
  /** Bytes that may wait in one connection for a client that does not read; 1 MiB unless said. */
  readonly maxWaiting?: number;
  /**
   * Bytes that all connections together may hold for messages and transfers that are not complete; beyond it connections are
   * closed, the longest silent first. 128 MiB unless said.
   */
  readonly maxHeld?: number;
  /** Bounds of each association. */
  readonly limits?: ServerLimits;
  readonly hdlc?: { readonly limits?: HdlcLimits; readonly maxLinks?: number };
  /** Every APDU, for a trace. Costs nothing when absent. */
  trace?(direction: 'in' | 'out', apdu: Uint8Array, client: number, server: ServerAddress): void;
  /**
   * A device threw, or lacks a key: a fault in the program, never the client's doing. The client gets an exception-response
   * and all goes on; what else is to happen is said here, if only `console.error`.
   */
  fault(error: unknown): void;
}

/** Something that takes bytes: a socket, a link. */
export interface Connection {
  readonly describe?: string;
  /** A line, not a caller: it is closed neither for its silence nor to make room. */
  readonly lasting?: boolean;
  write(bytes: Uint8Array): void;
  close(): void;
  /** Bytes written but not taken by the other end yet. */
  readonly waiting?: number;
}

/** What the owner of a connection feeds. */
export interface ConnectionEvents {
  /** The bytes may be overwritten after the call. */
  data(bytes: Uint8Array): void;
  closed(): void;
  /** Open associations (wrapper) or HDLC links. */
  readonly open: number;
}

export type ServerTransport = 'wrapper' | 'hdlc';

export interface MeterServer<M = undefined> {
  /** @returns undefined when there are connections enough; the connection is closed then */
  accept(connection: Connection, transport?: ServerTransport): ConnectionEvents | undefined;
  /** One UDP datagram with a wrapper; `peer` tells senders apart (e.g. `10.0.0.1:5000`). */
  datagram(bytes: Uint8Array, peer: string, reply: (bytes: Uint8Array) => void): void;
  /** Open associations, for pushes and for pages that show them. */
  associations(): IterableIterator<ServerAssociation<M>>;
  /** Sends what devices have queued with `notify` since. */
  flush(): void;
  readonly connections: number;
  /** Bytes held for messages and transfers that are not complete. */
  readonly held: number;
  /** Closes all connections. */
  close(): void;
}
