/**
 * The codes a server gives out (IEC 62056-5-3 annex A: Data-Access-Result, Action-Result, ExceptionResponse,
 * ConfirmedServiceError; clause 7.2 for AARE) and the bits of conformance that decide what it serves. Numbers only: the
 * words stand in ../apdu/results.ts.
 */
import { CONFORMANCE } from '../conformance.ts';

/**
 * Data-Access-Result by name: what getters, setters and methods of a device refuse with. Action-Result has the same
 * numbers where both have a name.
 */
export const DATA = {
  success: 0,
  hardwareFault: 1,
  temporaryFailure: 2,
  readWriteDenied: 3,
  objectUndefined: 4,
  objectClassInconsistent: 9,
  objectUnavailable: 11,
  typeUnmatched: 12,
  scopeOfAccessViolated: 13,
  dataBlockUnavailable: 14,
  longGetAborted: 15,
  noLongGetInProgress: 16,
  longSetAborted: 17,
  noLongSetInProgress: 18,
  dataBlockNumberInvalid: 19,
  otherReason: 250,
} as const;

/** Action-Result, where it differs. */
export const ACTION = { longActionAborted: 15, noLongActionInProgress: 16 } as const;

/** ExceptionResponse, state-error. */
export const STATE = { notAllowed: 1, unknown: 2 } as const;
/** ExceptionResponse, service-error. */
export const SERVICE = {
  operationNotPossible: 1,
  notSupported: 2,
  otherReason: 3,
  pduTooLong: 4,
  decipheringError: 5,
  invocationCounterError: 6,
} as const;

/** Bits of conformance that decide what is served. */
export const CONF = {
  generalBlockTransfer: CONFORMANCE['general-block-transfer'],
  read: CONFORMANCE.read,
  write: CONFORMANCE.write,
  unconfirmedWrite: CONFORMANCE['unconfirmed-write'],
  attribute0WithSet: CONFORMANCE['attribute0-supported-with-set'],
  attribute0WithGet: CONFORMANCE['attribute0-supported-with-get'],
  blockTransferWithGetOrRead: CONFORMANCE['block-transfer-with-get-or-read'],
  blockTransferWithSetOrWrite: CONFORMANCE['block-transfer-with-set-or-write'],
  blockTransferWithAction: CONFORMANCE['block-transfer-with-action'],
  multipleReferences: CONFORMANCE['multiple-references'],
  informationReport: CONFORMANCE['information-report'],
  dataNotification: CONFORMANCE['data-notification'],
  access: CONFORMANCE.access,
  parameterizedAccess: CONFORMANCE['parameterized-access'],
  get: CONFORMANCE.get,
  set: CONFORMANCE.set,
  selectiveAccess: CONFORMANCE['selective-access'],
  eventNotification: CONFORMANCE['event-notification'],
  action: CONFORMANCE.action,
} as const;

/** ExceptionResponse: always plain, so that a client whose keys do not fit can read why. */
export function exception(state: number, service: number, counter?: number): Uint8Array {
  if (service !== SERVICE.invocationCounterError || counter === undefined) return Uint8Array.of(0xd8, state, service);
  return Uint8Array.of(0xd8, state, service, counter >>> 24, counter >>> 16, counter >>> 8, counter);
}

/** ConfirmedServiceError. `service`: 1 initiate, 5 read, 6 write. */
export function serviceError(service: number, choice: number, value: number): Uint8Array {
  return Uint8Array.of(0x0e, service, choice, value);
}
