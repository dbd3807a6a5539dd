/**
 * Results and errors of services in the standard's words (IEC 62056-5-3 clause 6 and annex A; ACSE: its clause 6.2).
 * Numbers that are missing here are not values of the standard; decoders let them pass, for meters invent some.
 */
import type { Words } from './node.ts';

const COMMON: Words = {
  0: 'success',
  1: 'hardware-fault',
  2: 'temporary-failure',
  3: 'read-write-denied',
  4: 'object-undefined',
  9: 'object-class-inconsistent',
  11: 'object-unavailable',
  12: 'type-unmatched',
  13: 'scope-of-access-violated',
  14: 'data-block-unavailable',
  250: 'other-reason',
};

/** Data-Access-Result. */
export const DATA_ACCESS_RESULT: Words = {
  ...COMMON,
  15: 'long-get-aborted',
  16: 'no-long-get-in-progress',
  17: 'long-set-aborted',
  18: 'no-long-set-in-progress',
  19: 'data-block-number-invalid',
};

/** Action-Result. */
export const ACTION_RESULT: Words = { ...COMMON, 15: 'long-action-aborted', 16: 'no-long-action-in-progress' };

/** state-error of an exception response. */
export const STATE_ERROR: Words = { 1: 'service-not-allowed', 2: 'service-unknown' };

/** service-error of an exception response. */
export const SERVICE_EXCEPTION: Words = {
  1: 'operation-not-possible',
  2: 'service-not-supported',
  3: 'other-reason',
  4: 'pdu-too-long',
  5: 'deciphering-error',
  6: 'invocation-counter-error',
};

/** The service that a confirmed-service-error is about. */
export const CONFIRMED_SERVICE: Words = {
  1: 'initiateError',
  2: 'getStatus',
  3: 'getNameList',
  4: 'getVariableAttribute',
  5: 'read',
  6: 'write',
  7: 'getDataSetAttribute',
  8: 'getTIAttribute',
  9: 'changeScope',
  10: 'start',
  11: 'stop',
  12: 'resume',
  13: 'makeUsable',
  14: 'initiateLoad',
  15: 'loadSegment',
  16: 'terminateLoad',
  17: 'initiateUpLoad',
  18: 'upLoadSegment',
  19: 'terminateUpLoad',
};

/** ServiceError: its choices, and the values of each. */
export const SERVICE_ERROR: Readonly<Record<number, { readonly name: string; readonly values: Words }>> = {
  0: {
    name: 'application-reference',
    values: {
      0: 'other',
      1: 'time-elapsed',
      2: 'application-unreachable',
      3: 'application-reference-invalid',
      4: 'application-context-unsupported',
      5: 'provider-communication-error',
      6: 'deciphering-error',
    },
  },
  1: {
    name: 'hardware-resource',
    values: {
      0: 'other',
      1: 'memory-unavailable',
      2: 'processor-resource-unavailable',
      3: 'mass-storage-unavailable',
      4: 'other-resource-unavailable',
    },
  },
  2: {
    name: 'vde-state-error',
    values: { 0: 'other', 1: 'no-dlms-context', 2: 'loading-data-set', 3: 'status-nochange', 4: 'status-inoperable' },
  },
  3: { name: 'service', values: { 0: 'other', 1: 'pdu-size', 2: 'service-unsupported' } },
  4: {
    name: 'definition',
    values: {
      0: 'other',
      1: 'object-undefined',
      2: 'object-class-inconsistent',
      3: 'object-attribute-inconsistent',
    },
  },
  5: {
    name: 'access',
    values: {
      0: 'other',
      1: 'scope-of-access-violated',
      2: 'object-access-violated',
      3: 'hardware-fault',
      4: 'object-unavailable',
    },
  },
  6: {
    name: 'initiate',
    values: {
      0: 'other',
      1: 'dlms-version-too-low',
      2: 'incompatible-conformance',
      3: 'pdu-size-too-short',
      4: 'refused-by-the-VDE-Handler',
    },
  },
  7: {
    name: 'load-data-set',
    values: {
      0: 'other',
      1: 'primitive-out-of-sequence',
      2: 'not-loadable',
      3: 'dataset-size-too-large',
      4: 'not-awaited-segment',
      5: 'interpretation-failure',
      6: 'storage-failure',
      7: 'data-set-not-ready',
    },
  },
  8: { name: 'change-scope', values: {} },
  9: {
    name: 'task',
    values: { 0: 'other', 1: 'no-remote-control', 2: 'ti-stopped', 3: 'ti-running', 4: 'ti-unusable' },
  },
  10: { name: 'other', values: { 0: 'other' } },
};

/** Association-result of an AARE. */
export const ASSOCIATION_RESULT: Words = { 0: 'accepted', 1: 'rejected-permanent', 2: 'rejected-transient' };

/** Associate-source-diagnostic, acse-service-user. */
export const ACSE_USER_DIAGNOSTIC: Words = {
  0: 'null',
  1: 'no-reason-given',
  2: 'application-context-name-not-supported',
  3: 'calling-AP-title-not-recognized',
  4: 'calling-AP-invocation-identifier-not-recognized',
  5: 'calling-AE-qualifier-not-recognized',
  6: 'calling-AE-invocation-identifier-not-recognized',
  7: 'called-AP-title-not-recognized',
  8: 'called-AP-invocation-identifier-not-recognized',
  9: 'called-AE-qualifier-not-recognized',
  10: 'called-AE-invocation-identifier-not-recognized',
  11: 'authentication-mechanism-name-not-recognised',
  12: 'authentication-mechanism-name-required',
  13: 'authentication-failure',
  14: 'authentication-required',
};

/** Associate-source-diagnostic, acse-service-provider. */
export const ACSE_PROVIDER_DIAGNOSTIC: Words = { 0: 'null', 1: 'no-reason-given', 2: 'no-common-acse-version' };

export const RELEASE_REQUEST_REASON: Words = { 0: 'normal', 1: 'urgent', 30: 'user-defined' };
export const RELEASE_RESPONSE_REASON: Words = { 0: 'normal', 1: 'not-finished', 30: 'user-defined' };

/** Application contexts, 2.16.756.5.8.1.x. */
export const APPLICATION_CONTEXT: Words = { 1: 'LN', 2: 'SN', 3: 'LN_WITH_CIPHERING', 4: 'SN_WITH_CIPHERING' };

/** Authentication mechanisms, 2.16.756.5.8.2.x. */
export const MECHANISM_NAME: Words = {
  0: 'LOWEST',
  1: 'LOW',
  2: 'HIGH',
  3: 'HIGH_MD5',
  4: 'HIGH_SHA1',
  5: 'HIGH_GMAC',
  6: 'HIGH_SHA256',
  7: 'HIGH_ECDSA',
};
