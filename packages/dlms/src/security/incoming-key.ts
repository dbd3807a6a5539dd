/**
 * The key that a received general-ciphering APDU names, brings or agrees on (IEC 62056-5-3 clause 5.3.7.2.4.8, Key-Info).
 *
 * Decides: an ephemeral key counts only when the peer has signed it; keys that come with a message have numbers of their
 * own, remembered as long as the counter of the peer is in memory. Leaves out: opening the text (unprotect.ts).
 */
import { toHex } from '@amiable/bytes';
import { SUITES } from './control.ts';
import type { EcPublicKey } from './crypto.ts';
import type { GeneralFields, KeyChoice } from './envelope.ts';
import { agreeKey, agreeStaticKey, gcmAlgorithm, KEY_AGREEMENT } from './key-agreement.ts';
import { type ContextState, dropOldest } from './state.ts';
import type { PeerCounter, Unprotected, UnprotectFailure } from './types.ts';

const USED_UP = 0x1_0000_0000;
/** Every meter has the broadcast key, so that any of them could speak for another. */
export const BROADCAST_TO_CLIENT = 'under the broadcast key, which is for messages to meters';

export type Refused = Extract<Unprotected, { ok: false }>;

export function refuse(reason: UnprotectFailure, text: string): Refused {
  return { ok: false, reason, text };
}

export interface IncomingKey {
  readonly bytes: Uint8Array;
  readonly counter: PeerCounter;
}

export function incomingKey(state: ContextState, choice: KeyChoice, fields: GeneralFields): IncomingKey | Refused {
  const { options } = state;
  switch (choice.kind) {
    case 'none':
      return { bytes: options.keys.unicast, counter: options.peerCounter };
    case 'identified':
      if (choice.keyId === 0) return { bytes: options.keys.unicast, counter: options.peerCounter };
      if (choice.keyId !== 1)
        return refuse('unsupported', `key-info names a key ${choice.keyId}, which does not exist`);
      if (options.role === 'client') return refuse('malformed', BROADCAST_TO_CLIENT);
      if (!options.keys.broadcast) return refuse('noKey', 'sent under the broadcast key, which was not given');
      return { bytes: options.keys.broadcast, counter: state.broadcastPeerCounter };
    case 'wrapped':
      return wrappedKey(state, choice.kekId, choice.data, fields);
    case 'agreed':
      return agreedKey(state, choice.parameters, choice.data, fields);
  }
}

function wrappedKey(
  state: ContextState,
  kekId: number,
  data: Uint8Array,
  fields: GeneralFields,
): IncomingKey | Refused {
  const { master } = state.options.keys;
  if (kekId !== 0) return refuse('unsupported', `the key is wrapped under a key ${kekId}, which does not exist`);
  if (!master) return refuse('noKey', 'the key is wrapped under the master key, which was not given');
  const key = state.options.crypto.keyUnwrap(master, data);
  if (!key) return refuse('wrongKey', 'the key was not wrapped under our master key');
  const length = SUITES[state.options.suite].keyLength;
  if (key.length !== length) return refuse('malformed', `the wrapped key has ${key.length} bytes, not ${length}`);
  return { bytes: key, counter: counterOfKey(state, `wrapped ${toHex(data)}`, fields) };
}

function agreedKey(
  state: ContextState,
  parameters: Uint8Array,
  data: Uint8Array,
  fields: GeneralFields,
): IncomingKey | Refused {
  const { options } = state;
  const { agreement, peerAgreement, peerSigning } = options.keys;
  const curve = SUITES[options.suite].curve;
  if (!curve) return refuse('unsupported', 'an agreed key, which security suite 0 does not have');
  if (!agreement) return refuse('noKey', 'an agreed key needs our key agreement key, which was not given');
  const scheme = parameters.length === 1 ? parameters[0] : undefined;
  if (scheme === KEY_AGREEMENT.onePassDiffieHellman) {
    if (!peerSigning) return refuse('noKey', "the ephemeral key is signed; the peer's signature key was not given");
    const point = curve === 'P-256' ? 64 : 96;
    if (data.length !== 2 * point)
      return refuse('malformed', `an ephemeral key and its signature have ${2 * point} bytes, not ${data.length}`);
    const ephemeral: EcPublicKey = { curve, point: data.subarray(0, point) };
    if (!options.crypto.ecdsaVerify(peerSigning, ephemeral.point, data.subarray(point)))
      return refuse('wrongSignature', 'the ephemeral key is not signed by the peer');
    const algorithm = gcmAlgorithm(options.suite);
    const { originator } = fields;
    const own = options.ownSystemTitle;
    const key = agreeKey(
      options.suite,
      options.crypto,
      agreement,
      ephemeral,
      algorithm,
      originator,
      own,
      options.algorithmArc,
    );
    if (!key) return refuse('malformed', 'the ephemeral key is no point of the curve');
    // The same signature can be written in two ways, the point cannot.
    return { bytes: key, counter: counterOfKey(state, `ephemeral ${toHex(ephemeral.point)}`, fields) };
  }
  if (scheme !== KEY_AGREEMENT.staticUnifiedModel)
    return refuse('unsupported', `key agreement scheme ${toHex(parameters) || 'of no bytes'} does not exist`);
  if (data.length !== 0) return refuse('malformed', 'the static scheme sends no key data');
  if (fields.transactionId.length === 0)
    return refuse('malformed', 'the static scheme needs a transaction-id as nonce');
  if (!peerAgreement) return refuse('noKey', "the peer's key agreement key was not given");
  const key = agreeStaticKey(
    options.suite,
    options.crypto,
    agreement,
    peerAgreement,
    fields.originator,
    fields.transactionId,
    options.ownSystemTitle,
    options.algorithmArc,
  );
  if (!key) return refuse('noKey', "the peer's key agreement key is no point of the curve");
  const id = `static ${toHex(fields.originator)} ${toHex(fields.transactionId)}`;
  return { bytes: key, counter: counterOfKey(state, id, fields) };
}

/** A key that came with the message, or of one transaction: known by `id`, with numbers of its own. */
function counterOfKey(state: ContextState, id: string, fields: GeneralFields): PeerCounter {
  const { freshTransaction } = state.options;
  const counters = state.keyCounters;
  return {
    lowest() {
      const known = counters.get(id);
      if (known !== undefined) return known;
      return freshTransaction && !freshTransaction(fields.originator, fields.transactionId) ? USED_UP : 0;
    },
    accept(number) {
      counters.delete(id);
      counters.set(id, number + 1);
      dropOldest(counters);
    },
  };
}
