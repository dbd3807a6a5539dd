/**
 * The ciphering and signing envelopes as the security context handles them (IEC 62056-5-3 clauses 5.3.7.2.4 and 5.3.7.2.5,
 * annex A): views into the bytes as they came.
 *
 * Decides: which APDU has a glo- and a ded- form; and keeps the fields that general-ciphering authenticates and
 * general-signing signs as one slice of the received bytes, because tag and signature cover those very bytes, lengths
 * included. That, and speed, is why the general codec (apdu/) is not used here. Leaves out: all cryptography.
 */
import { DecodeError, MisuseError, Reader, Writer } from '@amiable/bytes';
import { decodeLength, encodeLength } from '../data-types.ts';
import { TITLE_LENGTH } from './control.ts';

export const ENVELOPE = {
  generalGloCiphering: 0xdb,
  generalDedCiphering: 0xdc,
  generalCiphering: 0xdd,
  generalSigning: 0xdf,
} as const;

/** Plain tag, its glo- form, its ded- form. */
const SERVICES: readonly (readonly [plain: number, glo: number, ded: number])[] = [
  [0x01, 0x21, 0x41], // initiate-request
  [0x05, 0x25, 0x45], // read-request
  [0x06, 0x26, 0x46], // write-request
  [0x08, 0x28, 0x48], // initiate-response
  [0x0c, 0x2c, 0x4c], // read-response
  [0x0d, 0x2d, 0x4d], // write-response
  [0x0e, 0x2e, 0x4e], // confirmed-service-error
  [0x16, 0x36, 0x56], // unconfirmed-write-request
  [0x18, 0x38, 0x58], // information-report-request
  [0xc0, 0xc8, 0xd0], // get-request
  [0xc1, 0xc9, 0xd1], // set-request
  [0xc2, 0xca, 0xd2], // event-notification-request
  [0xc3, 0xcb, 0xd3], // action-request
  [0xc4, 0xcc, 0xd4], // get-response
  [0xc5, 0xcd, 0xd5], // set-response
  [0xc7, 0xcf, 0xd7], // action-response
];

const GLO = new Uint8Array(256);
const DED = new Uint8Array(256);
const PLAIN_OF = new Uint8Array(256);
const IS_DED = new Uint8Array(256);
const PLAIN = new Uint8Array(256);
for (const [plain, glo, ded] of SERVICES) {
  GLO[plain] = glo;
  DED[plain] = ded;
  PLAIN_OF[glo] = plain;
  PLAIN_OF[ded] = plain;
  IS_DED[ded] = 1;
  PLAIN[plain] = 1;
}
// What has no service-specific form: data-notification and its confirmation, exception-response, ACCESS, block transfer.
for (const tag of [0x0f, 0x10, 0xd8, 0xd9, 0xda, 0xe0]) PLAIN[tag] = 1;

/** The tag of the glo- or ded- form; 0 when there is none (ACCESS, Data-Notification, signed APDUs). */
export function serviceSpecificTag(plain: number, dedicated: boolean): number {
  return (dedicated ? DED[plain] : GLO[plain]) ?? 0;
}

/** Whether an xDLMS APDU that is no envelope can begin so. */
export function isPlainTag(tag: number): boolean {
  return PLAIN[tag] === 1;
}

export function isEnvelopeTag(tag: number): boolean {
  return PLAIN_OF[tag] !== 0 || (tag >= 0xdb && tag <= 0xdf && tag !== 0xde);
}

export type KeyChoice =
  /** Not said: agreed beforehand. */
  | { readonly kind: 'none' }
  | { readonly kind: 'identified'; readonly keyId: number }
  | { readonly kind: 'wrapped'; readonly kekId: number; readonly data: Uint8Array }
  | { readonly kind: 'agreed'; readonly parameters: Uint8Array; readonly data: Uint8Array };

export interface GeneralFields {
  /** transaction-id to other-information as they stand, lengths included. */
  readonly raw: Uint8Array;
  readonly transactionId: Uint8Array;
  readonly originator: Uint8Array;
  readonly recipient: Uint8Array;
}

export type Envelope =
  | { readonly kind: 'specific'; readonly dedicated: boolean; readonly service: number; readonly content: Uint8Array }
  | { readonly kind: 'general'; readonly dedicated: boolean; readonly title: Uint8Array; readonly content: Uint8Array }
  | {
      readonly kind: 'ciphering';
      readonly fields: GeneralFields;
      readonly key: KeyChoice;
      readonly content: Uint8Array;
    }
  | {
      readonly kind: 'signing';
      readonly fields: GeneralFields;
      readonly content: Uint8Array;
      readonly signature: Uint8Array;
    };

/** Reads an envelope that fills all of `apdu`. @throws DecodeError */
export function readEnvelope(apdu: Uint8Array): Envelope {
  const reader = new Reader(apdu);
  const tag = reader.u8('APDU tag');
  const envelope = readAfterTag(reader, tag);
  if (reader.remaining > 0)
    throw new DecodeError('trailing', `${reader.remaining} bytes follow the end of the envelope`, reader.pos);
  return envelope;
}

function readAfterTag(reader: Reader, tag: number): Envelope {
  const service = PLAIN_OF[tag] as number;
  if (service !== 0) return { kind: 'specific', dedicated: IS_DED[tag] === 1, service, content: octets(reader) };
  switch (tag) {
    case ENVELOPE.generalGloCiphering:
    case ENVELOPE.generalDedCiphering:
      return {
        kind: 'general',
        dedicated: tag === ENVELOPE.generalDedCiphering,
        title: readTitle(reader),
        content: octets(reader),
      };
    case ENVELOPE.generalCiphering:
      return { kind: 'ciphering', fields: readFields(reader), key: readKeyInfo(reader), content: octets(reader) };
    case ENVELOPE.generalSigning:
      return { kind: 'signing', fields: readFields(reader), content: octets(reader), signature: octets(reader) };
    default:
      throw new DecodeError('apdu', `APDU tag ${tag.toString(16).padStart(2, '0').toUpperCase()} is no envelope`, 0);
  }
}

function octets(reader: Reader): Uint8Array {
  return reader.bytes(decodeLength(reader), 'octet-string');
}

function readTitle(reader: Reader): Uint8Array {
  const at = reader.pos;
  const title = octets(reader);
  if (title.length !== TITLE_LENGTH && title.length !== 0)
    throw new DecodeError('value', `a system title has 8 bytes, not ${title.length}`, at);
  return title;
}

function readFields(reader: Reader): GeneralFields {
  const start = reader.pos;
  const transactionId = octets(reader);
  const originator = readTitle(reader);
  const recipient = readTitle(reader);
  octets(reader); // date-time
  octets(reader); // other-information
  return { raw: reader.buf.subarray(start, reader.pos), transactionId, originator, recipient };
}

function readKeyInfo(reader: Reader): KeyChoice {
  const at = reader.pos;
  const present = reader.u8('key-info');
  if (present === 0) return { kind: 'none' };
  if (present !== 1) throw new DecodeError('value', `key-info is there or not, 1 or 0, not ${present}`, at);
  const choice = reader.u8('key-info choice');
  switch (choice) {
    case 0:
      return { kind: 'identified', keyId: reader.u8('key-id') };
    case 1:
      return { kind: 'wrapped', kekId: reader.u8('kek-id'), data: octets(reader) };
    case 2:
      return { kind: 'agreed', parameters: octets(reader), data: octets(reader) };
    default:
      throw new DecodeError('value', `key-info has no choice ${choice}`, at);
  }
}

/** transaction-id, titles, no date-time and no other-information, as they are written and protected. */
export function writeFields(transactionId: Uint8Array, originator: Uint8Array, recipient: Uint8Array): GeneralFields {
  const writer = new Writer(transactionId.length + 24);
  writeOctets(writer, transactionId);
  writeOctets(writer, originator);
  writeOctets(writer, recipient);
  return { raw: writer.u8(0).u8(0).finish(), transactionId, originator, recipient };
}

export function writeKeyInfo(key: KeyChoice): Uint8Array {
  const writer = new Writer(160);
  switch (key.kind) {
    case 'none':
      return new Uint8Array([0]);
    case 'identified':
      return new Uint8Array([1, 0, key.keyId]);
    case 'wrapped':
      writer.u8(1).u8(1).u8(key.kekId);
      writeOctets(writer, key.data);
      return writer.finish();
    case 'agreed':
      writer.u8(1).u8(2);
      writeOctets(writer, key.parameters);
      writeOctets(writer, key.data);
      return writer.finish();
  }
}

function writeOctets(writer: Writer, bytes: Uint8Array): void {
  encodeLength(writer, bytes.length);
  writer.bytes(bytes);
}

/** Bytes that a length takes. */
export function lengthSize(n: number): number {
  return n < 0x80 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 5;
}

/** Writes a length in place. @returns the position after it */
export function putLength(out: Uint8Array, at: number, n: number): number {
  if (n > 0xffffffff) throw new MisuseError(`an octet-string of ${n} bytes cannot be written`);
  if (n < 0x80) {
    out[at] = n;
    return at + 1;
  }
  const bytes = n < 0x100 ? 1 : n < 0x10000 ? 2 : 4;
  out[at] = 0x80 | bytes;
  for (let i = 0; i < bytes; i++) out[at + 1 + i] = n >>> (8 * (bytes - 1 - i));
  return at + 1 + bytes;
}
