/**
 * APDUs that a meter pushes (IEC 62056-5-3 clause 6 and annex A): Data-Notification, General-Block-Transfer and the
 * general ciphering envelopes.
 *
 * Decides: their fields, and the forms of a notification's date-time that meters send: `00`, `0C` + 12 bytes as the
 * standard says, Kaifa's `09 0C` + 12 bytes (a tag too many), and 12 bytes bare. Leaves out: decrypting (security/),
 * joining blocks (general-block.ts), the service APDUs of associations.
 */
import { DecodeError, MisuseError, Reader, Writer } from '@amiable/bytes';
import { decodeData, encodeData } from '../data.ts';
import { type Data, type DataLimits, decodeLength, encodeLength, type Seen } from '../data-types.ts';
import { type DlmsDateTime, decodeDateTime, encodeDateTime } from '../date-time.ts';
import type { Apdu, DataNotification, DateTimeForm, GeneralBlockTransfer, GeneralCiphering } from './types.ts';

export const APDU = {
  dataNotification: 0x0f,
  generalGloCiphering: 0xdb,
  generalDedCiphering: 0xdc,
  generalBlockTransfer: 0xe0,
} as const;

/** Reads one APDU that fills all of `bytes`. @throws DecodeError */
export function decodeApdu(bytes: Uint8Array, limits?: DataLimits): Apdu {
  const reader = new Reader(bytes);
  const apdu = readApdu(reader, limits);
  if (reader.remaining > 0)
    throw new DecodeError('trailing', `${reader.remaining} bytes follow the end of the APDU`, reader.pos);
  return apdu;
}

function readApdu(reader: Reader, limits?: DataLimits): Apdu {
  const tag = reader.u8('APDU tag');
  switch (tag) {
    case APDU.dataNotification: {
      const head = readNotificationHead(reader);
      return { ...head, body: decodeData(reader, limits) };
    }
    case APDU.generalBlockTransfer:
      return readBlockTransfer(reader);
    case APDU.generalGloCiphering:
      return readCiphering(reader, 'general-glo-ciphering');
    case APDU.generalDedCiphering:
      return readCiphering(reader, 'general-ded-ciphering');
    default:
      throw new DecodeError('apdu', `APDU tag ${tag.toString(16).padStart(2, '0').toUpperCase()} is not a push`, 0);
  }
}

export type NotificationHead = Omit<DataNotification, 'body'>;

/** Reads invoke id and date-time; the reader stands after the tag 0F and is left at the body. */
export function readNotificationHead(reader: Reader): NotificationHead {
  const invokeId = reader.u32('invoke id');
  const form = dateTimeForm(reader);
  const head = { type: 'data-notification', invokeId, dateTimeForm: form } as const;
  if (form === 'none') {
    reader.skip(1);
    return head;
  }
  reader.skip(form === 'tagged' ? 2 : form === 'length' ? 1 : 0);
  return { ...head, dateTime: decodeDateTime(reader) };
}

/** What stands where the date-time should: a length byte 00 or 0C by the standard, else what meters made of it. */
function dateTimeForm(reader: Reader): DateTimeForm {
  const first = reader.peek();
  if (first === 0x00) return 'none';
  if (first === 0x0c) return 'length';
  if (first === 0x09 && reader.remaining > 1 && reader.buf[reader.pos + 1] === 0x0c) return 'tagged';
  // Bare: a year from 1792 to 2303, so that no length or tag is mistaken for one.
  if (first === 0x07 || first === 0x08) return 'bare';
  throw new DecodeError('date-time', 'a date-time of 0 or 12 bytes was expected', reader.pos);
}

function readBlockTransfer(reader: Reader): GeneralBlockTransfer {
  const control = reader.u8('block control');
  const blockNumber = reader.u16('block number');
  const blockNumberAcknowledged = reader.u16('block number acknowledged');
  return {
    type: 'general-block-transfer',
    lastBlock: (control & 0x80) !== 0,
    streaming: (control & 0x40) !== 0,
    window: control & 0x3f,
    blockNumber,
    blockNumberAcknowledged,
    block: reader.bytes(decodeLength(reader), 'block data'),
  };
}

function readCiphering(reader: Reader, type: GeneralCiphering['type']): GeneralCiphering {
  const titleLength = decodeLength(reader);
  // The standard says 8; an empty one is met where the association has told the title before.
  if (titleLength !== 8 && titleLength !== 0)
    throw new DecodeError('value', `a system title has 8 bytes, not ${titleLength}`, reader.pos);
  const systemTitle = reader.bytes(titleLength, 'system title');
  return { type, systemTitle, content: reader.bytes(decodeLength(reader), 'ciphered content') };
}

/** Writes an APDU. */
export function encodeApdu(apdu: Apdu): Uint8Array {
  const writer = new Writer();
  switch (apdu.type) {
    case 'data-notification':
      writer.u8(APDU.dataNotification).u32(apdu.invokeId);
      if (apdu.dateTimeForm === 'none' || !apdu.dateTime) writer.u8(0);
      else {
        if (apdu.dateTimeForm === 'tagged') writer.u8(0x09);
        if (apdu.dateTimeForm !== 'bare') writer.u8(0x0c);
        encodeDateTime(writer, apdu.dateTime);
      }
      encodeData(writer, apdu.body);
      break;
    case 'general-block-transfer':
      writer
        .u8(APDU.generalBlockTransfer)
        .u8((apdu.lastBlock ? 0x80 : 0) | (apdu.streaming ? 0x40 : 0) | (apdu.window & 0x3f))
        .u16(apdu.blockNumber)
        .u16(apdu.blockNumberAcknowledged);
      encodeLength(writer, apdu.block.length);
      writer.bytes(apdu.block);
      break;
    case 'general-glo-ciphering':
    case 'general-ded-ciphering':
      writer.u8(apdu.type === 'general-glo-ciphering' ? APDU.generalGloCiphering : APDU.generalDedCiphering);
      encodeLength(writer, apdu.systemTitle.length);
      writer.bytes(apdu.systemTitle);
      encodeLength(writer, apdu.content.length);
      writer.bytes(apdu.content);
      break;
    default:
      throw new MisuseError(`${apdu.type} cannot be written yet`);
  }
  return writer.finish();
}

/** A notification as meters make them: `encodeDataNotification(body, { dateTime, form: 'tagged' })`. */
export function encodeDataNotification(
  body: Data,
  options: { readonly invokeId?: number; readonly dateTime?: DlmsDateTime; readonly form?: DateTimeForm } = {},
): Uint8Array {
  return encodeApdu({
    type: 'data-notification',
    invokeId: options.invokeId ?? 0,
    dateTimeForm: options.dateTime ? (options.form ?? 'length') : 'none',
    ...(options.dateTime ? { dateTime: options.dateTime } : {}),
    body,
  });
}

/** A notification with the place of every value, for those who learn or explain layouts. */
export function decodeNotification(bytes: Uint8Array, seen: Seen, limits?: DataLimits): DataNotification {
  const reader = new Reader(bytes, 1);
  if (bytes[0] !== APDU.dataNotification) throw new DecodeError('apdu', 'no Data-Notification', 0);
  const head = readNotificationHead(reader);
  const body = decodeData(reader, limits, seen);
  if (reader.remaining > 0)
    throw new DecodeError('trailing', `${reader.remaining} bytes follow the end of the APDU`, reader.pos);
  return { ...head, body };
}
