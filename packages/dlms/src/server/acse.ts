/**
 * Opening and releasing an association in the server (IEC 62056-5-3 clauses 5.2, 6.2, 6.3 and 7.2).
 *
 * Decides: in which order an AARQ is judged, and with which result and diagnostic it is refused. A refusal that ACSE makes
 * carries the InitiateResponse that would have been given, one that xDLMS makes a ConfirmedServiceError, as in the
 * examples of the Green Book; one for reasons of ciphering is an exception-response, which alone can name a counter.
 */
import { DecodeError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from '../apdu/codec.ts';
import type { Aarq, InitiateRequest, Rlrq } from '../apdu/types.ts';
import { LN_CONFORMANCE, SN_CONFORMANCE } from '../conformance.ts';
import type { Protection } from '../security/context.ts';
import { CONF, exception, SERVICE, STATE, serviceError } from './codes.ts';
import { AssociationSecurity } from './security.ts';
import { type AssociationState, PLAIN } from './state.ts';
import type { ApplicationContextName, ClientProfile, MechanismName } from './types.ts';

/** Result-source-diagnostic, acse-service-user. */
const USER = {
  null: 0,
  noReason: 1,
  contextNameNotSupported: 2,
  callingApTitleNotRecognized: 3,
  mechanismNotRecognised: 11,
  mechanismRequired: 12,
  authenticationFailure: 13,
  authenticationRequired: 14,
} as const;
const PROVIDER = { noReason: 1, noCommonVersion: 2 } as const;
/** ConfirmedServiceError, initiateError, choice initiate. */
const INITIATE = { other: 0, versionTooLow: 1, incompatibleConformance: 2, pduSizeTooShort: 3 } as const;

const SN_SERVICES = CONF.read | CONF.write | CONF.unconfirmedWrite;
const DLMS_VERSION = 6;
/** The least PDU size that the standard allows. */
const SMALLEST_PDU = 12;
const DEFAULT_PDU = 1024;
const LAST_COUNTER = 0xffff_ffff;
const CHALLENGE = { least: 8, most: 64, ours: 16, ecdsa: 32 } as const;

/** Why an AARQ is refused. */
interface Refusal {
  readonly source: 'user' | 'provider';
  readonly code: number;
  readonly userInformation?: Uint8Array;
}
const user = (code: number): Refusal => ({ source: 'user', code });
const initiateError = (value: number): Refusal => ({
  source: 'user',
  code: USER.noReason,
  userInformation: serviceError(1, 6, value),
});

/** Takes an AARQ; an association that is open is freed by it, whatever comes of it. */
export function associate<M>(state: AssociationState<M>, apdu: Uint8Array): Uint8Array | undefined {
  const aarq = decoded(apdu);
  if (aarq?.type !== 'aarq') return refuse(state, undefined, { source: 'provider', code: PROVIDER.noReason });
  if (aarq.protocolVersion !== undefined && !aarq.protocolVersion.startsWith('1'))
    return refuse(state, aarq, { source: 'provider', code: PROVIDER.noCommonVersion });
  const profile = state.device.profile(state.clientSap);
  if (!profile || profile.preEstablished) return refuse(state, aarq, user(USER.noReason));
  const context = aarq.applicationContext as ApplicationContextName;
  state.profile = profile;
  if (!profile.applicationContexts.includes(context)) {
    state.applicationContext = profile.applicationContexts[0] ?? 1;
    return refuse(state, aarq, user(USER.contextNameNotSupported));
  }
  state.applicationContext = context;
  state.mechanism = profile.mechanism;
  const ciphered = context >= 3;
  if (ciphered || profile.mechanism >= 5) state.security = profile.security?.(state.meter);
  const named = aarq.callingApTitle?.length === 8 ? aarq.callingApTitle.slice() : undefined;
  state.clientSystemTitle = named ?? undefined;
  // Mechanisms 5 to 7 bind both titles.
  const titled = ciphered || profile.mechanism >= 5;
  if (titled && !named) return refuse(state, aarq, user(USER.callingApTitleNotRecognized));
  if (titled && !state.security) return refuse(state, aarq, user(USER.noReason));
  // A client that bears our title could have our own words back as its own.
  if (named && state.security && isSame(named, state.security.ownSystemTitle))
    return refuse(state, aarq, user(USER.callingApTitleNotRecognized));
  // The guard is there for HLS mechanisms that need keys too, but ciphers only in a ciphered context.
  if (ciphered && state.security) state.guard = new AssociationSecurity(state.security, named);

  const refused = authenticate(state, profile, aarq);
  const opened = openInitiate(state, aarq.userInformation);
  if (opened.exception) {
    state.free();
    return opened.exception;
  }
  if (refused) return refuse(state, aarq, refused, opened.initiate, opened.protection);
  if (!opened.initiate) return refuse(state, aarq, initiateError(INITIATE.other));
  const { initiate, protection } = opened;
  const wrong = negotiate(state, profile, initiate);
  if (wrong) return refuse(state, aarq, wrong);
  if (
    initiate.dedicatedKey &&
    state.guard &&
    protection.encrypted &&
    !state.guard.takeDedicatedKey(initiate.dedicatedKey)
  )
    return refuse(state, aarq, initiateError(INITIATE.other));
  return accept(state, initiate, protection);
}

function decoded(apdu: Uint8Array): ReturnType<typeof decodeApdu> | undefined {
  try {
    return decodeApdu(apdu);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** @returns why the client is not who it should be, so far as AARQ tells */
function authenticate<M>(state: AssociationState<M>, profile: ClientProfile<M>, aarq: Aarq): Refusal | undefined {
  const asked = aarq.mechanism ?? (aarq.mechanismName ? -1 : 0);
  if (profile.mechanism === 0) return asked === 0 ? undefined : user(USER.mechanismNotRecognised);
  if (asked === 0) return user(aarq.senderAcseRequirements ? USER.mechanismRequired : USER.authenticationRequired);
  if (asked !== profile.mechanism) return user(USER.mechanismNotRecognised);
  const value = aarq.callingAuthenticationValue;
  if (profile.mechanism === 1) {
    if (state.login?.allowed() === false) return user(USER.authenticationFailure);
    const secret = profile.secret?.(state.meter);
    const good = value !== undefined && secret !== undefined && sameSecret(value, secret);
    state.login?.tried(good);
    return good ? undefined : user(USER.authenticationFailure);
  }
  if (!value || value.length < CHALLENGE.least || value.length > CHALLENGE.most)
    return user(USER.authenticationFailure);
  const fromServer = state.random(profile.mechanism === 7 ? CHALLENGE.ecdsa : CHALLENGE.ours);
  state.challenge = { fromClient: value.slice(), fromServer };
  return undefined;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/** In a time that depends on the length of what was sent only. */
function sameSecret(given: Uint8Array, secret: Uint8Array): boolean {
  let difference = given.length ^ secret.length;
  for (let i = 0; i < given.length; i++) difference |= (given[i] as number) ^ (secret[i % secret.length] ?? 0);
  return difference === 0;
}

interface Opened {
  readonly initiate: InitiateRequest | undefined;
  readonly protection: Protection;
  readonly exception?: Uint8Array;
}

function openInitiate<M>(state: AssociationState<M>, information: Uint8Array | undefined): Opened {
  if (!information || information.length === 0) return { initiate: undefined, protection: PLAIN };
  let plain = information;
  let protection = PLAIN;
  if (state.guard) {
    const opened = state.guard.unprotect(information);
    if (!opened.ok)
      return {
        initiate: undefined,
        protection,
        exception: securityException(opened.reason, opened.expectedCounter),
      };
    plain = opened.plain;
    protection = opened.protection;
  }
  const apdu = decoded(plain);
  return { initiate: apdu?.type === 'initiate-request' ? apdu : undefined, protection };
}

/** What a client is told of an APDU that its protection speaks against. */
export function securityException(reason: string, expectedCounter: number | undefined): Uint8Array {
  // Where all numbers of a key are used there is none to name.
  if (reason === 'replay' && (expectedCounter ?? 0) <= LAST_COUNTER)
    return exception(STATE.notAllowed, SERVICE.invocationCounterError, expectedCounter ?? 0);
  return exception(STATE.notAllowed, SERVICE.decipheringError);
}

function negotiate<M>(
  state: AssociationState<M>,
  profile: ClientProfile<M>,
  initiate: InitiateRequest,
): Refusal | undefined {
  if (initiate.version < DLMS_VERSION) return initiateError(INITIATE.versionTooLow);
  const sensible = state.shortNames ? SN_CONFORMANCE : LN_CONFORMANCE;
  state.conformance = initiate.conformance & profile.conformance & sensible;
  if (state.conformance === 0) return initiateError(INITIATE.incompatibleConformance);
  // Some clients propose under short names what they would under logical ones, and then read and write all the same.
  if (state.shortNames && (initiate.conformance & SN_SERVICES) === 0)
    state.tolerated = profile.conformance & (SN_SERVICES | CONF.parameterizedAccess);
  state.maxReceivePduSize = profile.maxReceivePduSize ?? DEFAULT_PDU;
  state.maxSendPduSize = initiate.maxPduSize;
  state.measure();
  const tooShort = initiate.maxPduSize !== 0 && (initiate.maxPduSize < SMALLEST_PDU || state.room < SMALLEST_PDU + 4);
  return tooShort ? initiateError(INITIATE.pduSizeTooShort) : undefined;
}

function initiateResponse<M>(state: AssociationState<M>, qualityOfService: number | undefined): Uint8Array {
  return encodeApdu({
    type: 'initiate-response',
    ...(qualityOfService !== undefined && { qualityOfService }),
    version: DLMS_VERSION,
    conformance: state.conformance,
    maxPduSize: state.maxReceivePduSize,
    vaaName: state.shortNames ? 0xfa00 : 0x0007,
  });
}

function accept<M>(
  state: AssociationState<M>,
  initiate: InitiateRequest,
  protection: Protection,
): Uint8Array | undefined {
  const plain = initiateResponse(state, initiate.qualityOfService);
  const userInformation = state.guard ? state.guard.protect(plain, protection) : plain;
  state.status = state.challenge ? 1 : 2;
  const aare = encodeApdu({
    type: 'aare',
    applicationContext: state.applicationContext,
    result: 0,
    resultSourceDiagnostic: { source: 'user', code: state.challenge ? USER.authenticationRequired : USER.null },
    ...(state.security && { respondingApTitle: state.security.ownSystemTitle }),
    ...(state.challenge && {
      responderAcseRequirements: true,
      mechanism: state.mechanism as MechanismName,
      respondingAuthenticationValue: state.challenge.fromServer,
    }),
    userInformation,
  });
  if (state.status === 2) state.device.associated?.(state);
  return initiate.responseAllowed ? aare : undefined;
}

function refuse<M>(
  state: AssociationState<M>,
  aarq: Aarq | undefined,
  refusal: Refusal,
  initiate?: InitiateRequest,
  protection: Protection = PLAIN,
): Uint8Array {
  let { userInformation } = refusal;
  if (!userInformation && initiate && refusal.source === 'user') {
    negotiate(state, state.profile, initiate);
    const plain = initiateResponse(state, initiate.qualityOfService);
    userInformation = state.guard ? state.guard.protect(plain, protection) : plain;
  }
  const aare = encodeApdu({
    type: 'aare',
    applicationContext: (aarq?.applicationContext || state.applicationContext) as ApplicationContextName,
    result: 1,
    resultSourceDiagnostic: { source: refusal.source, code: refusal.code },
    ...(userInformation && { userInformation }),
  });
  state.free();
  return aare;
}

/**
 * Takes an RLRQ. Its user-information, where there is any, must open as the association's other APDUs do; else the RLRQ is
 * not the client's and is dropped.
 */
export function release<M>(state: AssociationState<M>, apdu: Uint8Array): Uint8Array | undefined {
  const apart = decoded(apdu);
  // Some clients write its lengths wrong; that they leave is all there is to know.
  const rlrq: Rlrq = apart?.type === 'rlrq' ? apart : { type: 'rlrq' };
  if (state.status === 0) return encodeApdu({ type: 'rlre', reason: 0 });
  const userInformation = releaseInformation(state, rlrq);
  if (userInformation === false) return undefined;
  // A pre-established association cannot be released.
  if (state.profile.preEstablished) return encodeApdu({ type: 'rlre', reason: 1 });
  if (state.status === 2) {
    state.status = 0;
    state.device.associated?.(state);
  }
  state.free();
  return encodeApdu({ type: 'rlre', reason: 0, ...(userInformation && { userInformation }) });
}

function releaseInformation<M>(state: AssociationState<M>, rlrq: Rlrq): Uint8Array | undefined | false {
  const information = rlrq.userInformation;
  if (!information || information.length === 0) return undefined;
  let protection = PLAIN;
  if (state.guard) {
    const opened = state.guard.unprotect(information, true);
    if (!opened.ok) return false;
    protection = opened.protection;
  }
  const plain = initiateResponse(state, undefined);
  return state.guard ? state.guard.protect(plain, protection) : plain;
}
