/**
 * Decoders and encoders of the APDUs that a reading consists of, written out by hand: get-request-normal, get-request-next,
 * get-response-normal, get-response-with-datablock, and what these are put in when they are ciphered.
 *
 * Decides only the way that is usual and right; everything else (selections, errors, faults) is undefined here and goes
 * by the layouts, so that there is one place that words every error.
 */
import { DecodeError } from '@amiable/bytes';
import type { DataLimits } from '../data-types.ts';
import { endOfData } from '../skip.ts';
import { CIPHERED_TAGS } from './tags.ts';
import type { Apdu, GeneralCiphering, GetRequestNormal, GetResponseNormal, GetResponseWithDatablock } from './types.ts';

const GET_REQUEST = 0xc0;
const GET_RESPONSE = 0xc4;
const GENERAL_GLO = 0xdb;
const GENERAL_DED = 0xdc;
const IS_CIPHERED = new Uint8Array(256);
for (const { glo, ded } of CIPHERED_TAGS) IS_CIPHERED[glo] = IS_CIPHERED[ded] = 1;

export function decodeHot(bytes: Uint8Array, limits: DataLimits): Apdu | undefined {
  const tag = bytes[0];
  const choice = bytes[1];
  if (tag === GET_RESPONSE) {
    if (choice === 1) return decodeGetResponse(bytes, limits.depth);
    if (choice === 2) return decodeDatablock(bytes);
  } else if (tag === GET_REQUEST) {
    if (choice === 1) return decodeGetRequest(bytes);
    if (choice === 2 && bytes.length === 7)
      return { type: 'get-request-next', invoke: bytes[2] as number, blockNumber: u32(bytes, 3) };
  } else if (tag === GENERAL_GLO || tag === GENERAL_DED) {
    return decodeGeneral(bytes, tag);
  } else if (tag !== undefined && IS_CIPHERED[tag] === 1) {
    const at = contentsAt(bytes, 1);
    if (at > 0) return { type: 'ciphered', tag, content: bytes.subarray(at) };
  }
  return undefined;
}

/**
 * Where the contents of the octet-string at b[at] begin, when they end with the buffer; else -1. Lengths of one, two and
 * three bytes: all that APDUs have.
 */
function contentsAt(b: Uint8Array, at: number): number {
  const first = b[at] as number;
  if (at >= b.length) return -1;
  if (first < 0x80) return at + 1 + first === b.length ? at + 1 : -1;
  if (first === 0x81) return at + 2 + (b[at + 1] as number) === b.length ? at + 2 : -1;
  if (first === 0x82) return at + 3 + (((b[at + 1] as number) << 8) | (b[at + 2] as number)) === b.length ? at + 3 : -1;
  return -1;
}

function decodeGeneral(b: Uint8Array, tag: number): GeneralCiphering | undefined {
  const length = b[1];
  if (length !== 8 && length !== 0) return undefined;
  const at = contentsAt(b, 2 + length);
  if (at < 0) return undefined;
  return {
    type: tag === GENERAL_GLO ? 'general-glo-ciphering' : 'general-ded-ciphering',
    systemTitle: b.subarray(2, 2 + length),
    content: b.subarray(at),
  };
}

const u32 = (b: Uint8Array, at: number): number =>
  (((b[at] as number) << 24) | ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)) >>>
  0;

function decodeGetRequest(b: Uint8Array): GetRequestNormal | undefined {
  if (b.length !== 13 || b[12] !== 0) return undefined;
  return {
    type: 'get-request-normal',
    invoke: b[2] as number,
    attribute: {
      classId: ((b[3] as number) << 8) | (b[4] as number),
      instanceId: b.subarray(5, 11),
      attributeId: ((b[11] as number) << 24) >> 24,
    },
  };
}

function decodeGetResponse(b: Uint8Array, depth: number): GetResponseNormal | undefined {
  if (b.length < 5 || b[3] !== 0) return undefined;
  try {
    if (endOfData(b, 4, b.length, depth) !== b.length) return undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  return { type: 'get-response-normal', invoke: b[2] as number, result: { data: b.subarray(4) } };
}

function decodeDatablock(b: Uint8Array): GetResponseWithDatablock | undefined {
  if (b.length < 10 || b[8] !== 0) return undefined;
  const at = contentsAt(b, 9);
  if (at < 0) return undefined;
  return {
    type: 'get-response-with-datablock',
    invoke: b[2] as number,
    lastBlock: b[3] !== 0,
    blockNumber: u32(b, 4),
    result: { raw: b.subarray(at) },
  };
}

export function encodeHot(apdu: Apdu): Uint8Array | undefined {
  switch (apdu.type) {
    case 'get-request-normal':
      return encodeGetRequest(apdu);
    case 'get-request-next': {
      if (!isByte(apdu.invoke) || !isU32(apdu.blockNumber)) return undefined;
      const out = new Uint8Array(7);
      out[0] = GET_REQUEST;
      out[1] = 2;
      out[2] = apdu.invoke;
      putU32(out, 3, apdu.blockNumber);
      return out;
    }
    case 'get-response-normal': {
      if (!('data' in apdu.result) || apdu.result.data.length === 0 || !isByte(apdu.invoke)) return undefined;
      const out = new Uint8Array(4 + apdu.result.data.length);
      out[0] = GET_RESPONSE;
      out[1] = 1;
      out[2] = apdu.invoke;
      out.set(apdu.result.data, 4);
      return out;
    }
    case 'get-response-with-datablock':
      return encodeDatablock(apdu);
    case 'ciphered':
      return IS_CIPHERED[apdu.tag] === 1 ? encodeCiphered(apdu.tag, apdu.content) : undefined;
    case 'general-glo-ciphering':
      return encodeCiphered(GENERAL_GLO, apdu.content, apdu.systemTitle);
    case 'general-ded-ciphering':
      return encodeCiphered(GENERAL_DED, apdu.content, apdu.systemTitle);
    default:
      return undefined;
  }
}

const isByte = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 0xff;
const isU32 = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 0xffffffff;

function putU32(out: Uint8Array, at: number, n: number): void {
  out[at] = n >>> 24;
  out[at + 1] = n >>> 16;
  out[at + 2] = n >>> 8;
  out[at + 3] = n;
}

function encodeGetRequest({ invoke, attribute }: GetRequestNormal): Uint8Array | undefined {
  const { classId, instanceId, attributeId, access } = attribute;
  if (access || instanceId.length !== 6 || !isByte(invoke) || !isByte(classId >>> 8) || !Number.isInteger(classId))
    return undefined;
  if (!Number.isInteger(attributeId) || attributeId < -128 || attributeId > 127) return undefined;
  const out = new Uint8Array(13);
  out[0] = GET_REQUEST;
  out[1] = 1;
  out[2] = invoke;
  out[3] = classId >>> 8;
  out[4] = classId;
  out.set(instanceId, 5);
  out[11] = attributeId;
  return out;
}

function encodeDatablock(apdu: GetResponseWithDatablock): Uint8Array | undefined {
  const { invoke, lastBlock, blockNumber, result } = apdu;
  if (!('raw' in result) || !isByte(invoke) || !isU32(blockNumber)) return undefined;
  const { length } = result.raw;
  if (length > 0xffff) return undefined;
  const at = 9 + lengthSize(length);
  const out = new Uint8Array(at + length);
  out[0] = GET_RESPONSE;
  out[1] = 2;
  out[2] = invoke;
  out[3] = lastBlock ? 1 : 0;
  putU32(out, 4, blockNumber);
  putLength(out, 9, length);
  out.set(result.raw, at);
  return out;
}

const lengthSize = (length: number): number => (length < 0x80 ? 1 : length < 0x100 ? 2 : 3);

function putLength(out: Uint8Array, at: number, length: number): void {
  if (length < 0x80) out[at] = length;
  else if (length < 0x100) {
    out[at] = 0x81;
    out[at + 1] = length;
  } else {
    out[at] = 0x82;
    out[at + 1] = length >>> 8;
    out[at + 2] = length;
  }
}

function encodeCiphered(tag: number, content: Uint8Array, title?: Uint8Array): Uint8Array | undefined {
  const { length } = content;
  if (length > 0xffff || (title && title.length !== 8)) return undefined;
  const lengthAt = title ? 10 : 1;
  const at = lengthAt + lengthSize(length);
  const out = new Uint8Array(at + length);
  out[0] = tag;
  if (title) {
    out[1] = 8;
    out.set(title, 2);
  }
  putLength(out, lengthAt, length);
  out.set(content, at);
  return out;
}
