/**
 * Opening and releasing an association (IEC 62056-5-3 clause 7.2 and 7.3.1, 7.3.2): AARQ and what an AARE says, RLRQ.
 *
 * Decides: what stands in an AARQ for an application context and an authentication mechanism; what of an AARE is obeyed.
 * Meters leave fields out: without user-information what was proposed holds. A server that negotiates what was not
 * proposed gets what was proposed.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from '../apdu/codec.ts';
import type { Aare, Aarq, Apdu, InitiateResponse } from '../apdu/types.ts';
import { CONFORMANCE, LN_CONFORMANCE, SN_CONFORMANCE } from '../conformance.ts';
import { DlmsPeerError, exceptionWords, rejectionWords, serviceErrorWords } from './failure.ts';
import type { ClientAssociationOptions, Negotiated } from './types.ts';

const VERSION = 6;
/** Smaller than this no service fits (IEC 62056-5-3 clause 7.3.1). */
const LEAST_PDU = 12;
const AUTHENTICATION_REQUIRED = 14;
const STATE = 'association';

export const proposedConformance = (options: ClientAssociationOptions): number => {
  if (options.conformance !== undefined) return options.conformance;
  if (options.referencing === 'SN') return SN_CONFORMANCE;
  return options.security ? LN_CONFORMANCE : LN_CONFORMANCE & ~CONFORMANCE['general-protection'];
};

export const proposedPduSize = (options: ClientAssociationOptions): number => options.maxPduSize ?? 0xffff;

/** The InitiateRequest of AARQ, and of RLRQ. */
export function initiateRequest(options: ClientAssociationOptions, withKey: boolean): Uint8Array {
  return encodeApdu({
    type: 'initiate-request',
    ...(withKey && options.dedicatedKey && { dedicatedKey: options.dedicatedKey }),
    responseAllowed: true,
    version: VERSION,
    conformance: proposedConformance(options),
    maxPduSize: proposedPduSize(options),
  });
}

export function buildAarq(options: ClientAssociationOptions, challenge: Uint8Array | undefined): Uint8Array {
  const { authentication = { mechanism: 0 } as const, security, systemTitle } = options;
  const context = (options.referencing === 'SN' ? 2 : 1) + (security ? 2 : 0);
  const title = systemTitle && (security || authentication.mechanism >= 5) ? systemTitle : undefined;
  if ((security || authentication.mechanism >= 5) && !title)
    throw new MisuseError('ciphering and the authentication mechanisms 5 to 7 need a system title');
  const value = challenge ?? ('password' in authentication ? authentication.password : undefined);
  const initiate = initiateRequest(options, true);
  const aarq: Aarq = {
    type: 'aarq',
    applicationContext: context,
    ...(title && { callingApTitle: title }),
    ...(options.certificate && { callingAeQualifier: options.certificate }),
    ...(options.userId !== undefined && { callingAeInvocationId: options.userId }),
    ...(authentication.mechanism > 0 && {
      senderAcseRequirements: true,
      mechanism: authentication.mechanism,
      callingAuthenticationValue: value ?? new Uint8Array(0),
    }),
    userInformation: security && options.cipheredInitiate !== false ? security.protect(initiate) : initiate,
  };
  return encodeApdu(aarq);
}

export interface Accepted {
  readonly negotiated: Negotiated;
  /** With high-level authentication: what pass 3 is to answer. */
  readonly serverChallenge?: Uint8Array;
}

/** Reads an AARE. @throws DlmsPeerError when it rejects, or is not what we can go on with */
export function readAare(aare: Aare, options: ClientAssociationOptions, bytes: Uint8Array): Accepted {
  const expected = 'an AARE that accepts';
  const refuse = (what: string, kind: 'association' | 'security' | 'answer', code?: number): never => {
    throw new DlmsPeerError(what, { kind, state: STATE, expected, bytes, ...(code !== undefined && { code }) });
  };
  if (aare.result !== 0) {
    const also = aare.userInformation ? refusalWithin(aare.userInformation) : '';
    refuse(`${rejectionWords(aare)}${also}`, 'association', aare.resultSourceDiagnostic.code);
  }
  const title = aare.respondingApTitle;
  if (title && title.length !== 0) {
    if (title.length !== 8) refuse(`the server's system title has ${title.length} bytes, not 8`, 'answer');
    const known = options.serverSystemTitle;
    if (known && !title.every((b, i) => b === known[i])) refuse('the server has another system title', 'security');
    // It could give us our own proof of another session back as its own.
    if (options.systemTitle?.every((b, i) => b === title[i]))
      refuse('the server bears our own system title', 'security');
    options.security?.setPeerSystemTitle(title);
  }
  const serverSystemTitle = title && title.length === 8 ? title : options.serverSystemTitle;
  const response = aare.userInformation && readInitiate(aare.userInformation, options, bytes);
  const proposed = proposedConformance(options);
  const maxPduSize = response?.maxPduSize ?? 0xffff;
  if (response && response.version !== VERSION) refuse(`its DLMS version is ${response.version}, not 6`, 'answer');
  if (maxPduSize !== 0 && maxPduSize < LEAST_PDU)
    refuse(`the server takes APDUs of ${maxPduSize} bytes, no service fits into those`, 'answer');
  const negotiated: Negotiated = {
    conformance: response ? response.conformance & proposed : proposed,
    maxPduSize,
    vaaName: response?.vaaName ?? (options.referencing === 'SN' ? 0xfa00 : 0x0007),
    ...(serverSystemTitle && { serverSystemTitle }),
    ...(response?.qualityOfService !== undefined && { qualityOfService: response.qualityOfService }),
  };
  const mechanism = options.authentication?.mechanism ?? 0;
  if (mechanism < 2) {
    if (aare.resultSourceDiagnostic.source === 'user' && aare.resultSourceDiagnostic.code === AUTHENTICATION_REQUIRED)
      refuse('the server wants high-level authentication', 'association', AUTHENTICATION_REQUIRED);
    return { negotiated };
  }
  const serverChallenge = aare.respondingAuthenticationValue;
  if (!serverChallenge)
    return refuse('it has no challenge of the server, which high-level authentication needs', 'security');
  return { negotiated, serverChallenge };
}

function readInitiate(information: Uint8Array, options: ClientAssociationOptions, bytes: Uint8Array): InitiateResponse {
  const refusal = { state: STATE, expected: 'an InitiateResponse in the AARE', bytes } as const;
  let plain = information;
  if (options.security) {
    const opened = options.security.unprotect(information, { plainAllowed: options.cipheredInitiate === false });
    if (!opened.ok)
      throw new DlmsPeerError(`its user-information is refused: ${opened.text}`, { kind: 'security', ...refusal });
    plain = opened.plain;
  }
  const apdu = decoded(plain);
  if (apdu instanceof Error)
    throw new DlmsPeerError(
      `its user-information cannot be read: ${apdu.message}`,
      { kind: 'answer', ...refusal },
      apdu,
    );
  if (apdu.type === 'initiate-response') return apdu;
  if (apdu.type === 'confirmed-service-error')
    throw new DlmsPeerError(serviceErrorWords(apdu), { kind: 'service-error', code: apdu.error.value, ...refusal });
  throw new DlmsPeerError(`its user-information is ${apdu.type}`, { kind: 'answer', ...refusal });
}

/** What a rejecting AARE says besides, plain. */
function refusalWithin(information: Uint8Array): string {
  const apdu = decoded(information);
  if (apdu instanceof Error) return '';
  if (apdu.type === 'confirmed-service-error') return `; ${serviceErrorWords(apdu)}`;
  return apdu.type === 'exception-response' ? `; ${exceptionWords(apdu)}` : '';
}

function decoded(bytes: Uint8Array): Apdu | DecodeError {
  try {
    return decodeApdu(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

export function buildRlrq(options: ClientAssociationOptions): Uint8Array {
  const { security } = options;
  const withInitiate = options.releaseWithInitiate ?? security !== undefined;
  if (!withInitiate) return encodeApdu({ type: 'rlrq', reason: 0 });
  const initiate = initiateRequest(options, false);
  return encodeApdu({ type: 'rlrq', reason: 0, userInformation: security ? security.protect(initiate) : initiate });
}
