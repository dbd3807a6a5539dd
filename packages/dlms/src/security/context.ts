/**
 * The security context of one association (IEC 62056-5-3 clauses 5.3.2 and 5.3.7): protects what is sent, and takes the
 * protection off what is received or says why not.
 *
 * Decides: which envelope and which key; that an APDU less protected than demanded, one whose counter or agreed key was
 * used before, a truncated tag, a lower suite, another originator or recipient, and what is compressed (V.44) are
 * refused. Counters are accepted only after all else held. ACSE, and to a client exceptions and service errors, may come
 * plain: `wasProtected` tells the caller. An APDU without a service-specific form (ACCESS, Data-Notification, signed
 * ones) goes in the general form of the same key. Leaves out: block transfer (joined before), V.44, layers that a third
 * party applied behind the peer.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import { controlByte, SUITES, TITLE_LENGTH } from './control.ts';
import { memoryCounter, memoryPeerCounter } from './counters.ts';
import { ENVELOPE, lengthSize, putLength, serviceSpecificTag, writeFields, writeKeyInfo } from './envelope.ts';
import { type Outgoing, outgoingKey } from './message-key.ts';
import { ContextState, signedBytes } from './state.ts';
import type {
  Protection,
  ProtectOptions,
  SecurityContext,
  SecurityContextOptions,
  Unprotected,
  UnprotectOptions,
} from './types.ts';
import { unprotect } from './unprotect.ts';

export type * from './types.ts';

const INITIATE_REQUEST = 0x01;
const INITIATE_RESPONSE = 0x08;
const TRANSACTION_ID_LENGTH = 8;

/** @throws MisuseError when a key has not the length that the suite asks for */
export function createSecurityContext(options: SecurityContextOptions): SecurityContext {
  checkOptions(options);
  const state = new ContextState(options);
  return {
    suite: options.suite,
    protect: (plain: Uint8Array, how?: ProtectOptions) => protect(state, plain, how),
    unprotect: (apdu: Uint8Array, how?: UnprotectOptions) => attempt(state, apdu, how),
    setPeerSystemTitle(title) {
      checkLength(title, TITLE_LENGTH, 'a system title');
      state.peerTitle = title;
    },
    setDedicatedKey(key) {
      checkLength(key, SUITES[options.suite].keyLength, 'the dedicated key');
      state.dedicatedKey = key;
      state.dedicatedCounter = memoryCounter();
      state.dedicatedPeerCounter = memoryPeerCounter();
    },
  };
}

function attempt(state: ContextState, apdu: Uint8Array, how: UnprotectOptions | undefined): Unprotected {
  try {
    return unprotect(state, apdu, how);
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, reason: 'malformed', text: error.message };
    throw error;
  }
}

function checkLength(bytes: Uint8Array | undefined, length: number, what: string): void {
  if (bytes && bytes.length !== length) throw new MisuseError(`${what} has ${length} bytes, not ${bytes.length}`);
}

function checkOptions(options: SecurityContextOptions): void {
  const { keys, suite } = options;
  const facts = SUITES[suite];
  if (!facts) throw new MisuseError(`there is no security suite ${suite}`);
  const length = facts.keyLength;
  checkLength(options.ownSystemTitle, TITLE_LENGTH, 'a system title');
  checkLength(options.peerSystemTitle, TITLE_LENGTH, 'a system title');
  checkLength(keys.unicast, length, `the unicast encryption key of suite ${suite}`);
  checkLength(keys.broadcast, length, `the broadcast encryption key of suite ${suite}`);
  checkLength(keys.authentication, length, `the authentication key of suite ${suite}`);
  checkLength(keys.master, length, `the master key of suite ${suite}`);
  checkLength(options.dedicatedKey, length, `the dedicated key of suite ${suite}`);
  for (const key of [keys.signing, keys.agreement, keys.peerSigning, keys.peerAgreement])
    if (key && key.curve !== facts.curve)
      throw new MisuseError(
        `suite ${suite} has ${facts.curve ? `keys on ${facts.curve}` : 'no such keys'}, not ${key.curve}`,
      );
  if (!facts.curve && (options.send.signed || options.require.signed))
    throw new MisuseError('security suite 0 has no signatures');
}

function protect(state: ContextState, plain: Uint8Array, how: ProtectOptions | undefined): Uint8Array {
  if (plain.length === 0) throw new MisuseError('an empty APDU cannot be protected');
  const { options } = state;
  const protection = how?.protection ?? options.send;
  const ciphers = protection.authenticated || protection.encrypted;
  if (!protection.signed) return ciphers ? cipher(state, plain, protection, how?.broadcast === true) : plain;
  if (!ciphers) return sign(state, plain);
  if (options.signing === 'outside') return sign(state, cipher(state, plain, protection, how?.broadcast === true));
  return cipher(state, sign(state, plain), protection, how?.broadcast === true);
}

function cipher(state: ContextState, plain: Uint8Array, protection: Protection, broadcast: boolean): Uint8Array {
  const { options } = state;
  const tag = plain[0] as number;
  const initiate = tag === INITIATE_REQUEST || tag === INITIATE_RESPONSE;
  // InitiateRequest carries the dedicated key, so it goes under the global one.
  const form = initiate && options.initiate !== 'as-others' ? 'service-specific-global' : options.form;
  if (form === 'general-ciphering') return generalCiphering(state, plain, protection, broadcast);
  const dedicated = !initiate && (form === 'service-specific-dedicated' || form === 'general-dedicated');
  const specific =
    form === 'service-specific-global' || form === 'service-specific-dedicated'
      ? serviceSpecificTag(tag, dedicated)
      : 0;
  const key = outgoingKey(state, dedicated ? 'dedicated' : broadcast ? 'broadcast' : 'unicast');
  const control = controlByte(options.suite, protection, broadcast && !dedicated);
  const length = state.sealer.sealedLength(control, plain);
  const title = options.ownSystemTitle;
  const head = specific !== 0 ? 1 : 2 + title.length;
  const out = new Uint8Array(head + lengthSize(length) + length);
  if (specific !== 0) out[0] = specific;
  else {
    out[0] = dedicated ? ENVELOPE.generalDedCiphering : ENVELOPE.generalGloCiphering;
    out[1] = title.length;
    out.set(title, 2);
  }
  state.sealer.seal(key.key, title, key.counter, control, plain, undefined, out, putLength(out, head, length));
  return out;
}

function generalCiphering(
  state: ContextState,
  plain: Uint8Array,
  protection: Protection,
  broadcast: boolean,
): Uint8Array {
  const { options } = state;
  const fields = writeFields(transaction(state), options.ownSystemTitle, recipient(state));
  const method = broadcast ? 'identified-broadcast' : (options.keyInfo ?? 'identified');
  const key: Outgoing = outgoingKey(state, method, fields.transactionId);
  const keyInfo = writeKeyInfo(key.info);
  // Which key is meant stands in key-info; the key-set bit is zero here.
  const control = controlByte(options.suite, protection);
  const length = state.sealer.sealedLength(control, plain);
  const at = 1 + fields.raw.length + keyInfo.length;
  const out = new Uint8Array(at + lengthSize(length) + length);
  out[0] = ENVELOPE.generalCiphering;
  out.set(fields.raw, 1);
  out.set(keyInfo, 1 + fields.raw.length);
  const bound = options.dialect === 'gurux' ? undefined : fields.raw;
  const title = options.ownSystemTitle;
  state.sealer.seal(key.key, title, key.counter, control, plain, bound, out, putLength(out, at, length));
  return out;
}

function sign(state: ContextState, content: Uint8Array): Uint8Array {
  const { options } = state;
  const key = options.keys.signing;
  if (!key) throw new MisuseError('signing needs our private signature key');
  const fields = writeFields(transaction(state), options.ownSystemTitle, recipient(state));
  const signature = options.crypto.ecdsaSign(key, signedBytes(state, fields.raw, content));
  const at = 1 + fields.raw.length;
  const out = new Uint8Array(
    at + lengthSize(content.length) + content.length + lengthSize(signature.length) + signature.length,
  );
  out[0] = ENVELOPE.generalSigning;
  out.set(fields.raw, 1);
  const contentAt = putLength(out, at, content.length);
  out.set(content, contentAt);
  out.set(signature, putLength(out, contentAt + content.length, signature.length));
  return out;
}

function recipient(state: ContextState): Uint8Array {
  if (!state.peerTitle)
    throw new MisuseError('general-ciphering and general-signing need the system title of the peer');
  return state.peerTitle;
}

/** A server answers in the transaction of the request. Else eight fresh bytes: they are the nonce of static agreement. */
function transaction(state: ContextState): Uint8Array {
  if (state.options.role === 'server' && state.transactionId) return state.transactionId;
  return state.options.crypto.randomBytes(TRANSACTION_ID_LENGTH);
}
