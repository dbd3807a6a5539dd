/**
 * Taking protection off a received APDU, layer by layer (IEC 62056-5-3 clauses 5.3.7.2 and 5.3.7.3).
 *
 * Decides: the order of the checks: form, suite and tag length; whom it comes from and goes to; which key; whether the
 * number or the key that came with it is fresh; the tag or signature; at last whether all layers together are what the
 * context demands. Only then are numbers accepted, so that a forger can neither read nor move a counter up. Leaves out:
 * reading the bytes (envelope.ts).
 */
import { toHex } from '@amiable/bytes';
import {
  describeProtection,
  HEAD_LENGTH,
  NO_PROTECTION,
  SECURITY,
  SUITE_MASK,
  satisfies,
  TAG_LENGTH,
} from './control.ts';
import { type Envelope, type GeneralFields, isEnvelopeTag, isPlainTag, readEnvelope } from './envelope.ts';
import { BROADCAST_TO_CLIENT, incomingKey, type Refused, refuse } from './incoming-key.ts';
import { type ContextState, dropOldest, signedBytes } from './state.ts';
import type { PeerCounter, Unprotected, UnprotectOptions } from './types.ts';

/** Signing and ciphering, once for each party, is as deep as the standard goes. */
const MOST_LAYERS = 4;

/** What the layers taken off so far amount to. */
interface Peeled {
  authenticated: boolean;
  encrypted: boolean;
  signed: boolean;
  layers: number;
  control: number | undefined;
  invocationCounter: number | undefined;
  systemTitle: Uint8Array | undefined;
  transactionId: Uint8Array | undefined;
  /** Numbers and keys to be accepted at the end. */
  readonly fresh: { readonly counter: PeerCounter; readonly number: number }[];
  /** Of a signed text, which has no number of its own. */
  signedDigest: string | undefined;
}

/** @throws DecodeError when the bytes are no envelope */
export function unprotect(state: ContextState, apdu: Uint8Array, how: UnprotectOptions | undefined): Unprotected {
  const peeled: Peeled = {
    authenticated: false,
    encrypted: false,
    signed: false,
    layers: 0,
    control: undefined,
    invocationCounter: undefined,
    systemTitle: undefined,
    transactionId: undefined,
    fresh: [],
    signedDigest: undefined,
  };
  let inner = apdu;
  while (inner.length > 0 && isEnvelopeTag(inner[0] as number)) {
    if (++peeled.layers > MOST_LAYERS)
      return refuse('malformed', `more than ${MOST_LAYERS} layers of protection inside each other`);
    const opened = openLayer(state, readEnvelope(inner), peeled);
    if (!(opened instanceof Uint8Array)) return opened;
    inner = opened;
  }
  if (inner.length === 0) return refuse('malformed', 'no APDU inside the protection');
  return conclude(state, inner, peeled, how);
}

function conclude(
  state: ContextState,
  plain: Uint8Array,
  peeled: Peeled,
  how: UnprotectOptions | undefined,
): Unprotected {
  const { options } = state;
  const tag = plain[0] as number;
  if (peeled.layers === 0) {
    if (satisfies(NO_PROTECTION, options.require) || how?.plainAllowed || mayComePlain(tag, options.role))
      return { ok: true, plain, wasProtected: false, protection: NO_PROTECTION };
    return refuse('downgrade', `a plain APDU where ${describeProtection(options.require)} ones are demanded`);
  }
  // Without a tag nothing but the first byte tells a wrong key.
  if (!isPlainTag(tag))
    return peeled.authenticated || peeled.signed
      ? refuse('malformed', `the protected bytes begin with ${hex(tag)}, which is no xDLMS APDU`)
      : refuse('wrongKey', `deciphered, it begins with ${hex(tag)}, which is no APDU: the key is another one`);
  const protection = {
    authenticated: peeled.authenticated,
    encrypted: peeled.encrypted,
    signed: peeled.signed,
  };
  if (!satisfies(protection, options.require))
    return refuse(
      'downgrade',
      `the APDU is ${describeProtection(protection)}, where ${describeProtection(options.require)} is demanded`,
    );
  // A tag brings a number that cannot come twice; a signature alone does not.
  if (peeled.signedDigest && !peeled.authenticated && state.signedTexts.has(peeled.signedDigest))
    return refuse('replay', 'this signed APDU was received before');
  for (const { counter, number } of peeled.fresh) counter.accept(number);
  if (peeled.signedDigest) {
    state.signedTexts.set(peeled.signedDigest, 0);
    dropOldest(state.signedTexts);
  }
  if (peeled.transactionId) state.transactionId = peeled.transactionId;
  return {
    ok: true,
    plain,
    wasProtected: true,
    protection,
    ...(peeled.control === undefined ? {} : { control: peeled.control }),
    ...(peeled.invocationCounter === undefined ? {} : { invocationCounter: peeled.invocationCounter }),
    ...(peeled.systemTitle ? { systemTitle: peeled.systemTitle } : {}),
  };
}

/** AARQ, AARE, RLRQ, RLRE; and what a server says when it cannot protect: exception-response, confirmed-service-error. */
function mayComePlain(tag: number, role: 'client' | 'server'): boolean {
  if (tag >= 0x60 && tag <= 0x63) return true;
  return role === 'client' && (tag === 0xd8 || tag === 0x0e);
}

function openLayer(state: ContextState, envelope: Envelope, peeled: Peeled): Uint8Array | Refused {
  switch (envelope.kind) {
    case 'specific': {
      const opened = openContent(
        state,
        envelope.content,
        envelope.dedicated ? 'dedicated' : 'global',
        undefined,
        peeled,
      );
      if (!(opened instanceof Uint8Array) || opened[0] === envelope.service) return opened;
      const what = `the ciphered ${hex(envelope.service)} holds ${opened.length > 0 ? hex(opened[0] as number) : 'nothing'}`;
      return ((envelope.content[0] as number) & SECURITY.authenticated) !== 0
        ? refuse('malformed', what)
        : refuse('wrongKey', `${what}: the key is another one`);
    }
    case 'general': {
      const wrong = envelope.title.length > 0 ? checkOriginator(state, envelope.title, peeled) : undefined;
      if (wrong) return wrong;
      const title = envelope.title.length > 0 ? envelope.title : undefined;
      return openContent(state, envelope.content, envelope.dedicated ? 'dedicated' : 'global', title, peeled);
    }
    case 'ciphering':
      return openGeneralCiphering(state, envelope, peeled);
    case 'signing':
      return openSigned(state, envelope, peeled);
  }
}

function checkOriginator(state: ContextState, title: Uint8Array, peeled: Peeled): Refused | undefined {
  const { peerTitle } = state;
  if (peerTitle && !same(title, peerTitle))
    return refuse('foreign', `from system title ${toHex(title)}, where ${toHex(peerTitle)} is the peer`);
  if (!peerTitle && same(title, state.options.ownSystemTitle))
    return refuse('foreign', 'the APDU bears our own system title as its originator');
  peeled.systemTitle = title;
  return undefined;
}

function checkFields(state: ContextState, fields: GeneralFields, peeled: Peeled): Refused | undefined {
  if (fields.originator.length === 0) return refuse('foreign', 'the originator gives no system title');
  const { recipient } = fields;
  if (recipient.length > 0 && !same(recipient, state.options.ownSystemTitle))
    return refuse('foreign', `the recipient is ${toHex(recipient)}, not us`);
  return checkOriginator(state, fields.originator, peeled);
}

/** Form, suite, compression and length of SC || IC || text || tag. */
function checkContent(state: ContextState, content: Uint8Array): Refused | undefined {
  if (content.length < HEAD_LENGTH)
    return refuse('malformed', `a ciphered text of ${content.length} bytes has no header`);
  const control = content[0] as number;
  const suite = control & SUITE_MASK;
  const ours = state.options.suite;
  if (suite < ours) return refuse('downgrade', `security suite ${suite}, where suite ${ours} is agreed`);
  if (suite > ours) return refuse('unsupported', `security suite ${suite}, where suite ${ours} is agreed`);
  if ((control & SECURITY.compressed) !== 0)
    return refuse(
      'unsupported',
      'the APDU is compressed (V.44), which is not supported; turn compression off in the meter',
    );
  if ((control & SECURITY.authenticated) !== 0 && content.length < HEAD_LENGTH + TAG_LENGTH)
    return refuse('malformed', `no room for the tag of ${TAG_LENGTH} bytes`);
  return undefined;
}

function openContent(
  state: ContextState,
  content: Uint8Array,
  keySet: 'global' | 'dedicated',
  originator: Uint8Array | undefined,
  peeled: Peeled,
): Uint8Array | Refused {
  const wrong = checkContent(state, content);
  if (wrong) return wrong;
  const title = originator ?? state.peerTitle;
  if (!title) return refuse('foreign', 'the system title of the peer is not known yet');
  const broadcast = ((content[0] as number) & SECURITY.broadcast) !== 0;
  const { options } = state;
  if (keySet === 'dedicated') {
    if (broadcast) return refuse('malformed', 'the broadcast key set together with a dedicated key');
    if (!state.dedicatedKey) return refuse('noKey', 'no dedicated key was agreed in this association');
    return open(state, state.dedicatedKey, state.dedicatedPeerCounter, title, content, undefined, peeled);
  }
  if (!broadcast) return open(state, options.keys.unicast, options.peerCounter, title, content, undefined, peeled);
  if (options.role === 'client') return refuse('malformed', BROADCAST_TO_CLIENT);
  if (!options.keys.broadcast) return refuse('noKey', 'sent under the broadcast key, which was not given');
  return open(state, options.keys.broadcast, state.broadcastPeerCounter, title, content, undefined, peeled);
}

function open(
  state: ContextState,
  key: Uint8Array,
  counter: PeerCounter,
  title: Uint8Array,
  content: Uint8Array,
  fields: Uint8Array | undefined,
  peeled: Peeled,
): Uint8Array | Refused {
  const control = content[0] as number;
  const b = content;
  const number =
    (((b[1] as number) << 24) | ((b[2] as number) << 16) | ((b[3] as number) << 8) | (b[4] as number)) >>> 0;
  const lowest = counter.lowest();
  if (number < lowest)
    return {
      ok: false,
      reason: 'replay',
      text: `the invocation counter ${number} was used before; the lowest fresh one is ${lowest}`,
      expectedCounter: lowest,
      receivedCounter: number,
    };
  const plain = state.sealer.open(key, title, content, fields);
  if (!plain) return refuse('wrongKey', 'the authentication tag does not fit: another key, or the bytes were changed');
  const authenticated = (control & SECURITY.authenticated) !== 0;
  peeled.authenticated ||= authenticated;
  peeled.encrypted ||= (control & SECURITY.encrypted) !== 0;
  peeled.control ??= control;
  peeled.invocationCounter ??= number;
  // Numbers that no tag proves count only where tags are not demanded; with no protection at all they mean nothing.
  const counts = authenticated || ((control & SECURITY.encrypted) !== 0 && !state.options.require.authenticated);
  if (counts) peeled.fresh.push({ counter, number });
  return plain;
}

function openGeneralCiphering(
  state: ContextState,
  envelope: Extract<Envelope, { kind: 'ciphering' }>,
  peeled: Peeled,
): Uint8Array | Refused {
  const { fields, content } = envelope;
  const wrong = checkFields(state, fields, peeled) ?? checkContent(state, content);
  if (wrong) return wrong;
  if (((content[0] as number) & SECURITY.broadcast) !== 0)
    return refuse('malformed', 'the key-set bit is set in general-ciphering, where key-info names the key');
  const key = incomingKey(state, envelope.key, fields);
  if (!('bytes' in key)) return key;
  const bound = state.options.dialect === 'gurux' ? undefined : fields.raw;
  peeled.transactionId ??= fields.transactionId;
  return open(state, key.bytes, key.counter, fields.originator, content, bound, peeled);
}

function openSigned(
  state: ContextState,
  envelope: Extract<Envelope, { kind: 'signing' }>,
  peeled: Peeled,
): Uint8Array | Refused {
  const { fields, content, signature } = envelope;
  const { options } = state;
  if (options.suite === 0) return refuse('unsupported', 'a signed APDU, which security suite 0 does not have');
  const wrong = checkFields(state, fields, peeled);
  if (wrong) return wrong;
  if (!options.keys.peerSigning) return refuse('noKey', "the APDU is signed; the peer's signature key was not given");
  const signed = signedBytes(state, fields.raw, content);
  if (!options.crypto.ecdsaVerify(options.keys.peerSigning, signed, signature))
    return refuse('wrongSignature', 'the signature does not fit: another key, or the bytes were changed');
  peeled.signed = true;
  peeled.signedDigest = toHex(options.crypto.sha256(signed));
  peeled.transactionId ??= fields.transactionId;
  return content;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function hex(tag: number): string {
  return tag.toString(16).padStart(2, '0').toUpperCase();
}
