/**
 * What a client says when the other end refuses or misbehaves: the state, what was expected, the bytes (IEC 62056-5-3
 * clause 6 and annex A for the words).
 *
 * Decides: the one error of the association and its message. No message holds a password or a key: only bytes that came.
 */
import { PeerError, toHex } from '@amiable/bytes';
import {
  ACSE_PROVIDER_DIAGNOSTIC,
  ACSE_USER_DIAGNOSTIC,
  ACTION_RESULT,
  ASSOCIATION_RESULT,
  CONFIRMED_SERVICE,
  DATA_ACCESS_RESULT,
  SERVICE_ERROR,
  SERVICE_EXCEPTION,
  STATE_ERROR,
} from '../apdu/results.ts';
import type {
  Aare,
  AttributeDescriptor,
  ConfirmedServiceError,
  ExceptionResponse,
  MethodDescriptor,
} from '../apdu/types.ts';

/**
 * What kind of refusal: a Data-Access-Result, an Action-Result, an exception response, a confirmed-service-error, a
 * rejected association, a failed protection or authentication, or an answer that is none (`answer`: wrong invoke id, type,
 * order, length, or not to be decoded).
 */
export type RefusalKind =
  | 'data-access'
  | 'action'
  | 'exception'
  | 'service-error'
  | 'association'
  | 'security'
  | 'answer';

export interface Refusal {
  readonly kind: RefusalKind;
  /** The number behind the words, where there is one. */
  readonly code?: number;
  /** What was under way, e.g. `GET 3/1-0:1.8.0/2, block 7`. */
  readonly state: string;
  /** What was expected. */
  readonly expected: string;
  /** What came. */
  readonly bytes: Uint8Array;
  /** An exception named the invocation counter to go on from: the same request may be tried again with that. */
  readonly expectedCounter?: number;
}

/** The other end refused or answered wrongly. Its `name` is PeerError: it is one of the four errors, with its facts. */
export class DlmsPeerError extends PeerError implements Refusal {
  readonly kind: RefusalKind;
  declare readonly code?: number;
  readonly state: string;
  readonly expected: string;
  readonly bytes: Uint8Array;
  declare readonly expectedCounter?: number;
  constructor(what: string, refusal: Refusal, cause?: Error) {
    super(sentence(what, refusal), cause && { cause });
    this.kind = refusal.kind;
    if (refusal.code !== undefined) this.code = refusal.code;
    this.state = refusal.state;
    this.expected = refusal.expected;
    this.bytes = refusal.bytes;
    if (refusal.expectedCounter !== undefined) this.expectedCounter = refusal.expectedCounter;
  }
}

const SHOWN = 64;

/** The beginning of bytes as hex, for a message. */
export function excerpt(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing';
  const hex = toHex(bytes.subarray(0, SHOWN));
  return bytes.length > SHOWN ? `${hex}… (${bytes.length} bytes)` : hex;
}

function sentence(what: string, { state, expected, bytes }: Refusal): string {
  const came = bytes.length > 0 ? `; the bytes: ${excerpt(bytes)}` : '';
  return `${state}: ${what}${expected === '' ? '' : `; expected ${expected}`}${came}`;
}

const word = (words: Readonly<Record<number, string | undefined>>, code: number): string =>
  `${words[code] ?? 'a code of the maker'} (${code})`;

export const dataAccessWords = (code: number): string => word(DATA_ACCESS_RESULT, code);
export const actionWords = (code: number): string => word(ACTION_RESULT, code);

export function exceptionWords(apdu: ExceptionResponse): string {
  const counter =
    apdu.invocationCounter === undefined ? '' : `, which expects the invocation counter ${apdu.invocationCounter}`;
  return `the server refuses: ${word(STATE_ERROR, apdu.stateError)}, ${word(SERVICE_EXCEPTION, apdu.serviceError)}${counter}`;
}

export function serviceErrorWords({ service, error }: ConfirmedServiceError): string {
  const table = SERVICE_ERROR[error.choice];
  const name = table?.name ?? `choice ${error.choice}`;
  return `the server refuses ${word(CONFIRMED_SERVICE, service)}: ${name}, ${word(table?.values ?? {}, error.value)}`;
}

export function rejectionWords(aare: Aare): string {
  const { source, code } = aare.resultSourceDiagnostic;
  const words = source === 'user' ? ACSE_USER_DIAGNOSTIC : ACSE_PROVIDER_DIAGNOSTIC;
  return `the association is ${word(ASSOCIATION_RESULT, aare.result)}: ${word(words, code)}`;
}

function logicalName(b: Uint8Array): string {
  return `${b[0]}-${b[1]}:${b[2]}.${b[3]}.${b[4]}${b[5] === 255 ? '' : `*${b[5]}`}`;
}

/** `class/logical name/attribute`. */
export const attributeName = (a: Omit<AttributeDescriptor, 'access'>): string =>
  `${a.classId}/${logicalName(a.instanceId)}/${a.attributeId}`;
export const methodName = (m: MethodDescriptor): string =>
  `${m.classId}/${logicalName(m.instanceId)}/method ${m.methodId}`;
