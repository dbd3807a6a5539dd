/**
 * The two ends of an HDLC link in normal response mode (IEC 62056-46 clause 6), as their users see them. Both ends are
 * sans-I/O: octets and the time go in, octets and events come out through the sink, and nothing happens between calls.
 * Times are milliseconds of any clock that does not run backwards; the caller wakes an end with `tick` at
 * `nextDeadline()`.
 *
 * Two-way alternate: the client has the word, gives it away with the poll bit and gets it back with the final bit. So a
 * server's information waits for a poll; the client polls by itself while an answer is due (`pollInterval`).
 */
import type { LinkError } from '@amiable/bytes';
import type { HdlcAddress } from '../address.ts';
import type { HdlcLimits, HdlcParameters } from '../parameters.ts';

/** Who sent a frame and to whom, in the form on the wire. */
export interface HdlcAddresses {
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
}

/**
 * How a link came to its end without a fault: `requested` by this end; `peer` said DISC or DM; `reconnected`: the peer
 * began anew with SNRM (the old link is gone before the new one is told); `inactivity`: nothing came in time.
 */
export type DisconnectReason = 'requested' | 'peer' | 'reconnected' | 'inactivity';

export interface HdlcLinkOptions {
  /** What this end can do, offered in SNRM or UA. What is not given is the default of the standard: 128 octets, window 1. */
  readonly limits?: HdlcLimits;
  /** Put the LLC octets E6 E6 00 / E6 E7 00 before information and take them off. Default true. */
  readonly llc?: boolean;
  /** Largest joined information that is taken in, LLC octets included. Default 131,072. */
  readonly maxInformation?: number;
  /** Informations that may wait to be sent. Default 64. */
  readonly maxQueued?: number;
  /** Octets of informations that may wait or be unacknowledged; one alone may be longer. Default 1,048,576. */
  readonly maxQueuedOctets?: number;
}

// ---------------------------------------------------------------- client

export interface HdlcClientOptions extends HdlcLinkOptions {
  /** One octet in the standard, e.g. `{ value: 16, length: 1 }`. */
  readonly client: HdlcAddress;
  readonly server: HdlcAddress;
  /** Whether SNRM carries an information field. Default true; some meters answer only without. */
  readonly negotiate?: boolean;
  /** Time for an answer to a poll, ms. Default 5,000. */
  readonly responseTimeout?: number;
  /** N2: how often a frame is sent again before the link fails. Default 3. */
  readonly retries?: number;
  /** While an answer is due but the server has none yet, or is busy: time between polls, ms. Default 200. 0: only `poll()` polls. */
  readonly pollInterval?: number;
  /** After this long without information the client no longer polls by itself for an answer, ms. Default 60,000. */
  readonly answerTimeout?: number;
  /** How long a server may say RNR before the link fails, ms. Default 60,000. */
  readonly busyTimeout?: number;
  /** Poll an idle link this often so that the server does not take it for inactive, ms. Default 0: never. */
  readonly keepAlive?: number;
}

/**
 * Exactly one of `disconnected` and `failed` ends a connection, or an attempt at one. Methods of the link may be called
 * from within any of these; octets that are received from within are kept until the link is done with what it does, so
 * two ends may write straight into each other.
 */
export interface HdlcClientSink {
  write(bytes: Uint8Array): void;
  /** `parameters` is what was negotiated and is obeyed. */
  connected(parameters: HdlcParameters): void;
  /** One information, segments joined, LLC octets taken off; a copy that is the receiver's own. */
  information(information: Uint8Array): void;
  disconnected(reason: DisconnectReason): void;
  /** The line or the peer broke the link; it is down. The message names the state, what was expected and what came. */
  failed(error: LinkError): void;
  /** A UI frame, in any state and from anybody: a copy of its information, LLC octets taken off where they stand. */
  unnumbered?(information: Uint8Array, addresses: HdlcAddresses, final: boolean): void;
  /** An I frame outside of the link (some meters push so): a copy of its information, LLC octets left on. */
  stray?(information: Uint8Array, addresses: HdlcAddresses, segmented: boolean): void;
}

export type HdlcClientState = 'disconnected' | 'connecting' | 'connected' | 'disconnecting';

export interface HdlcClient {
  readonly state: HdlcClientState;
  /** What was negotiated; undefined unless connected. */
  readonly parameters: HdlcParameters | undefined;
  readonly counters: HdlcLinkCounters;
  /** Sends SNRM. @throws MisuseError unless disconnected */
  connect(now: number): void;
  /**
   * Sends one information, in segments and when its turn comes. `answer: false` says that none will come (unconfirmed
   * services), so that none is polled for. The bytes must not change until they are acknowledged.
   * @throws MisuseError unless connected, or when the queue is full
   */
  send(information: Uint8Array, now: number, answer?: boolean): void;
  /** Asks for more: e.g. for the further APDUs of a streamed answer, which the link cannot know of. */
  poll(now: number): void;
  /** Sends a UI frame, in any state; `poll` asks for an answer (false by default, and always false to all stations). */
  sendUnnumbered(information: Uint8Array, now: number, poll?: boolean): void;
  /** Tells the server to send no more I frames (RNR) until called with false. */
  setBusy(busy: boolean, now: number): void;
  /** Sends DISC when the turn is ours; ends with `disconnected('requested')`, or `failed`. Does nothing when disconnected. */
  disconnect(now: number): void;
  /** The line is gone: forgets the link without a word on the line or in the sink. */
  reset(): void;
  receive(bytes: Uint8Array, now: number): void;
  /** The inter-octet timeout has passed: half a frame that waits for its rest is given up. */
  idle(now: number): void;
  /** Call at or after `nextDeadline()`. */
  tick(now: number): void;
  /** When `tick` has something to do, Infinity when never. */
  nextDeadline(): number;
}

// ---------------------------------------------------------------- server

export interface HdlcServerOptions extends HdlcLinkOptions {
  /**
   * Whether a station of this address is here. Asked for frames to one station, not for all-station and no-station
   * addresses. Must be cheap; memory is taken only after SNRM.
   */
  accepts(server: HdlcAddress, client: HdlcAddress): boolean;
  /**
   * Links at a time, over all addresses. For one more the oldest goes on which nothing came after SNRM; where there is none,
   * SNRM is answered with DM. Default 1,024.
   */
  readonly maxLinks?: number;
  /** A link on which nothing came for so long is freed, ms. Default 120,000 (IEC HDLC setup); 0: never. */
  readonly inactivityTimeout?: number;
  /** How long a poll may wait for an answer that is not handed in within `information`, before RR says "not yet", ms. Default 0. */
  readonly answerTime?: number;
}

/** One connected client at one server address. `context` is the user's to put what belongs to the link. */
export interface HdlcServerLink<T = unknown> {
  readonly client: HdlcAddress;
  readonly server: HdlcAddress;
  readonly parameters: HdlcParameters;
  readonly open: boolean;
  context: T | undefined;
  /** Octets kept for informations that wait, are not acknowledged, or are not whole yet. */
  readonly held: number;
  /**
   * Hands in an answer, or anything else: it leaves with the answer to the current poll or a later one. Called within
   * `information` it is the answer at once. The bytes must not change until they are acknowledged.
   * @throws MisuseError when the link is closed or the queue full
   */
  send(information: Uint8Array, now: number): void;
  /** Answers polls with RNR and takes no I frames until called with false. */
  setBusy(busy: boolean): void;
  /** Forgets the link: the client gets DM when it next polls. `disconnected('requested')` is told. */
  close(): void;
}

/** Exactly one of `disconnected` and `failed` follows each `connected`, at once when the client is lost or begins anew. */
export interface HdlcServerSink<T = unknown> {
  write(bytes: Uint8Array): void;
  connected(link: HdlcServerLink<T>): void;
  information(link: HdlcServerLink<T>, information: Uint8Array): void;
  disconnected(link: HdlcServerLink<T>, reason: DisconnectReason): void;
  failed(link: HdlcServerLink<T>, error: LinkError): void;
  /**
   * A UI frame to an accepted address or to all stations (`destination` says), with or without a link. When `poll` is
   * set, a UI sent from here with `sendUnnumbered` is the answer.
   */
  unnumbered?(information: Uint8Array, addresses: HdlcAddresses, poll: boolean): void;
}

export interface HdlcServer<T = unknown> {
  readonly links: ReadonlySet<HdlcServerLink<T>>;
  readonly counters: HdlcLinkCounters;
  /** Sends a UI frame, e.g. a push. `final` answers a poll. */
  sendUnnumbered(information: Uint8Array, addresses: HdlcAddresses, final?: boolean): void;
  /** The line is gone: every link ends with `disconnected('peer')`. */
  reset(): void;
  receive(bytes: Uint8Array, now: number): void;
  idle(now: number): void;
  tick(now: number): void;
  nextDeadline(): number;
}

/** What happened on a line, for people who look for a fault. */
export interface HdlcLinkCounters {
  framesIn: number;
  framesOut: number;
  /** I frames that were sent again. */
  repeated: number;
  /** Polls that nobody answered in time. */
  timeouts: number;
  /** I frames that came out of their order, or for the second time. */
  outOfSequence: number;
  /** Good frames to or from somebody else, or of no sense in the state. */
  ignored: number;
  /** Refused frames and runs of noise. */
  dropped: number;
}
