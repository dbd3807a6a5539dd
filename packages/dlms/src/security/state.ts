/**
 * What the functions of a security context share: its options, keys that come later, and what it has seen.
 */
import { memoryCounter, memoryPeerCounter } from './counters.ts';
import { lengthSize, putLength } from './envelope.ts';
import { Sealer } from './sealing.ts';
import type { InvocationCounter, PeerCounter, SecurityContextOptions } from './types.ts';

export class ContextState {
  readonly options: SecurityContextOptions;
  readonly sealer: Sealer;
  peerTitle: Uint8Array | undefined;
  dedicatedKey: Uint8Array | undefined;
  dedicatedCounter: InvocationCounter;
  dedicatedPeerCounter: PeerCounter;
  readonly broadcastPeerCounter: PeerCounter;
  /** Lowest fresh number of each key that came with a message. */
  readonly keyCounters: Map<string, number>;
  /** Digests of signed APDUs. */
  readonly signedTexts: Map<string, number>;
  /** The transaction that a server answers. */
  transactionId: Uint8Array | undefined;

  constructor(options: SecurityContextOptions) {
    this.options = options;
    this.sealer = new Sealer(options.crypto, options.keys.authentication);
    this.peerTitle = options.peerSystemTitle;
    this.dedicatedKey = options.dedicatedKey;
    this.dedicatedCounter = options.dedicatedCounter ?? memoryCounter();
    this.dedicatedPeerCounter = options.dedicatedPeerCounter ?? memoryPeerCounter();
    this.broadcastPeerCounter = options.broadcastPeerCounter ?? memoryPeerCounter();
    const seen = seenWith(options.peerCounter);
    this.keyCounters = seen.keyCounters;
    this.signedTexts = seen.signedTexts;
  }
}

interface Seen {
  readonly keyCounters: Map<string, number>;
  readonly signedTexts: Map<string, number>;
}
const SEEN = new WeakMap<PeerCounter, Seen>();

/**
 * What no counter protects is remembered as long as the counter of the peer is in memory: a context lives no longer than
 * its association, and what was recorded in one must not pass in the next.
 */
function seenWith(peerCounter: PeerCounter): Seen {
  let seen = SEEN.get(peerCounter);
  if (!seen) {
    seen = { keyCounters: new Map(), signedTexts: new Map() };
    SEEN.set(peerCounter, seen);
  }
  return seen;
}

/** What a signature covers: all fields from transaction-id to content, with their lengths. */
export function signedBytes(state: ContextState, fields: Uint8Array, content: Uint8Array): Uint8Array {
  const length = state.options.dialect === 'gurux' ? 0 : lengthSize(content.length);
  const out = new Uint8Array(fields.length + length + content.length);
  out.set(fields);
  if (length > 0) putLength(out, fields.length, content.length);
  out.set(content, fields.length + length);
  return out;
}

/** Keys and signed texts that a context remembers; beyond that the oldest are forgotten. */
const MOST_REMEMBERED = 4096;

export function dropOldest(of: Map<string, number>): void {
  if (of.size <= MOST_REMEMBERED) return;
  const oldest = of.keys().next();
  if (!oldest.done) of.delete(oldest.value);
}
