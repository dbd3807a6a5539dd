/**
 * Which key a message goes under, and which number (IEC 62056-5-3 clauses 5.3.4.5 and 5.3.7.2.4.8, Key-Info).
 *
 * Decides: global keys count on their own counters, dedicated keys on theirs. A wrapped key and a one-pass key are made
 * anew for each message, so their counter is 0, as in the standard's examples. A key of the static scheme depends on
 * the transaction-id alone, which a server repeats, so its messages take numbers of the unicast counter: the pair of key
 * and number never repeats whatever the peer sends. Leaves out: sealing.
 */
import { MisuseError } from '@amiable/bytes';
import { SUITES } from './control.ts';
import type { KeyChoice } from './envelope.ts';
import { agreeKey, agreeStaticKey, gcmAlgorithm, KEY_AGREEMENT } from './key-agreement.ts';
import type { ContextState } from './state.ts';
import type { KeyInfoMethod } from './types.ts';

export interface Outgoing {
  readonly key: Uint8Array;
  readonly counter: number;
  readonly info: KeyChoice;
}

const UNNAMED: KeyChoice = { kind: 'none' };
const UNICAST: KeyChoice = { kind: 'identified', keyId: 0 };
const BROADCAST: KeyChoice = { kind: 'identified', keyId: 1 };

/** @throws MisuseError when the key was not given */
export function outgoingKey(
  state: ContextState,
  method: 'unicast' | 'broadcast' | 'dedicated' | KeyInfoMethod,
  transactionId?: Uint8Array,
): Outgoing {
  const { options } = state;
  const { keys } = options;
  switch (method) {
    case 'unicast':
      return { key: keys.unicast, counter: options.counter.next(), info: UNNAMED };
    case 'identified':
      return { key: keys.unicast, counter: options.counter.next(), info: UNICAST };
    case 'broadcast':
    case 'identified-broadcast':
      if (!keys.broadcast) throw new MisuseError('no broadcast encryption key was given');
      // In memory it would begin at 0 again after a restart and repeat numbers: the caller must hold it.
      if (!options.broadcastCounter) throw new MisuseError('the broadcast key needs an invocation counter of its own');
      return { key: keys.broadcast, counter: options.broadcastCounter.next(), info: BROADCAST };
    case 'dedicated':
      if (!state.dedicatedKey) throw new MisuseError('no dedicated key was agreed in InitiateRequest');
      return { key: state.dedicatedKey, counter: state.dedicatedCounter.next(), info: UNNAMED };
    case 'wrapped': {
      if (!keys.master) throw new MisuseError('a wrapped key needs the master key');
      const key = options.crypto.randomBytes(SUITES[options.suite].keyLength);
      const data = options.crypto.keyWrap(keys.master, key);
      return { key, counter: 0, info: { kind: 'wrapped', kekId: 0, data } };
    }
    case 'one-pass-dh':
      return onePass(state);
    case 'static-dh':
      return staticUnified(state, transactionId as Uint8Array);
  }
}

function onePass(state: ContextState): Outgoing {
  const { options } = state;
  const { signing, peerAgreement } = options.keys;
  const curve = SUITES[options.suite].curve;
  if (!curve || !signing || !peerAgreement || !state.peerTitle)
    throw new MisuseError(
      'one-pass Diffie-Hellman needs our signature key, and the agreement key and title of the peer',
    );
  const ephemeral = options.crypto.generateKeyPair(curve);
  const key = agreeKey(
    options.suite,
    options.crypto,
    ephemeral.privateKey,
    peerAgreement,
    gcmAlgorithm(options.suite),
    options.ownSystemTitle,
    state.peerTitle,
    options.algorithmArc,
  );
  if (!key) throw new MisuseError("the peer's key agreement key is no point of the curve");
  const point = ephemeral.publicKey.point;
  const signature = options.crypto.ecdsaSign(signing, point);
  const data = new Uint8Array(point.length + signature.length);
  data.set(point);
  data.set(signature, point.length);
  const parameters = new Uint8Array([KEY_AGREEMENT.onePassDiffieHellman]);
  return { key, counter: 0, info: { kind: 'agreed', parameters, data } };
}

function staticUnified(state: ContextState, transactionId: Uint8Array): Outgoing {
  const { options } = state;
  const { agreement, peerAgreement } = options.keys;
  if (!agreement || !peerAgreement || !state.peerTitle)
    throw new MisuseError('the static scheme needs our agreement key, and the agreement key and title of the peer');
  const key = agreeStaticKey(
    options.suite,
    options.crypto,
    agreement,
    peerAgreement,
    options.ownSystemTitle,
    transactionId,
    state.peerTitle,
    options.algorithmArc,
  );
  if (!key) throw new MisuseError("the peer's key agreement key is no point of the curve");
  const parameters = new Uint8Array([KEY_AGREEMENT.staticUnifiedModel]);
  return { key, counter: options.counter.next(), info: { kind: 'agreed', parameters, data: new Uint8Array(0) } };
}
