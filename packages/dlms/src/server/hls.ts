/**
 * Passes 3 and 4 of high level security in the server (IEC 62056-5-3 clause 5.3.2; Green Book 9.2.7.4): the client proves
 * itself with f(StoC) through reply_to_HLS_authentication, and gets f(CtoS) back.
 *
 * Decides: the method is served here, before the device, for it belongs to the association; a proof that fails frees the
 * association, and so does any second attempt.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import type { ActionResult, EncodedData, MethodDescriptor } from '../apdu/types.ts';

import { decodeLength } from '../data-types.ts';
import { aesEcbManufacturer, type HlsMechanism, type HlsParameters, hlsCheck, hlsReply } from '../security/hls.ts';
import { DATA } from './codes.ts';
import type { AssociationState } from './state.ts';

/** reply_to_HLS_authentication is at offset 0x58 of Association SN, which is at FA00. */
export const SN_REPLY_TO_HLS = 0xfa58;

const ASSOCIATION_LN = 15;
const REPLY_TO_HLS = 1;

/** 0-0:40.0.0, or the object that stands for this association among the others: 0-0:40.0.e. */
export function isReplyToHls(method: MethodDescriptor): boolean {
  const { instanceId: n } = method;
  return (
    method.classId === ASSOCIATION_LN &&
    method.methodId === REPLY_TO_HLS &&
    n[0] === 0 &&
    n[1] === 0 &&
    n[2] === 40 &&
    n[3] === 0 &&
    n[5] === 255
  );
}

/** Invokes a method of the device, unless it is the association's own. */
export function invokeMethod<M>(
  state: AssociationState<M>,
  method: MethodDescriptor,
  parameters: EncodedData | undefined,
): ActionResult {
  if (isReplyToHls(method)) return replyToHls(state, parameters);
  if (state.status !== 2) return { result: DATA.readWriteDenied };
  return state.device.action(method, parameters, state);
}

/** Pass 3 in, pass 4 out. */
export function replyToHls<M>(state: AssociationState<M>, parameters: EncodedData | undefined): ActionResult {
  const { challenge } = state;
  if (state.status !== 1 || !challenge) return { result: DATA.readWriteDenied };
  const proof = parameters && octetsOf(parameters);
  const terms = hlsParameters(state, challenge);
  if (!proof || !terms || !isProven(state, terms, proof)) {
    state.free();
    return { result: DATA.readWriteDenied };
  }
  const reply = hlsReply(terms);
  state.challenge = undefined;
  state.status = 2;
  state.device.associated?.(state);
  // At most 96 bytes, a signature of P-384.
  const data = new Uint8Array(2 + reply.length);
  data[0] = 0x09;
  data[1] = reply.length;
  data.set(reply, 2);
  return { result: DATA.success, returned: { data } };
}

function isProven<M>(state: AssociationState<M>, terms: HlsParameters, proof: Uint8Array): boolean {
  if (state.login?.allowed() === false) return false;
  const good = hlsCheck(terms, proof);
  state.login?.tried(good);
  return good;
}

function hlsParameters<M>(
  state: AssociationState<M>,
  challenge: { readonly fromClient: Uint8Array; readonly fromServer: Uint8Array },
): HlsParameters | undefined {
  const { security, profile, mechanism } = state;
  const crypto = security?.crypto ?? state.crypto;
  if (!crypto || mechanism < 2) return undefined;
  const secret = profile.secret?.(state.meter);
  const keys = security?.keys;
  return {
    mechanism: mechanism as HlsMechanism,
    crypto,
    role: 'server',
    clientChallenge: challenge.fromClient,
    serverChallenge: challenge.fromServer,
    manufacturer: profile.manufacturer ?? aesEcbManufacturer,
    ...(secret && { secret }),
    ...(state.clientSystemTitle && { clientSystemTitle: state.clientSystemTitle }),
    ...(security && {
      serverSystemTitle: security.ownSystemTitle,
      gmac: {
        suite: security.suite,
        unicast: security.keys.unicast,
        authentication: security.keys.authentication,
        counter: security.counter,
      },
    }),
    ...(keys?.signing && { signing: keys.signing }),
    ...(keys?.peerSigning && { peerSigning: keys.peerSigning }),
  };
}

/** The octets of an encoded octet-string that fills the bytes; undefined when it is anything else. */
export function octetsOf(value: EncodedData): Uint8Array | undefined {
  if (value[0] !== 0x09) return undefined;
  try {
    const reader = new Reader(value, 1);
    const octets = reader.bytes(decodeLength(reader));
    return reader.remaining === 0 ? octets : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
