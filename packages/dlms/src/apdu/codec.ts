/**
 * Reads and writes every APDU of DLMS/COSEM (IEC 62056-5-3 annex A).
 *
 * Decides: an APDU fills its buffer; the frequent ones have decoders and encoders of their own (hot.ts), which tests hold
 * equal to the layouts. Byte arrays in what is decoded are views of the buffer.
 */
import { DecodeError, MisuseError, Reader, Writer } from '@amiable/bytes';
import { Budget, type Data, type DataLimits, DEFAULT_LIMITS } from '../data-types.ts';
import type { DlmsDateTime } from '../date-time.ts';
import { cipheredService } from './general.ts';
import { decodeHot, encodeHot } from './hot.ts';
import { readSchema, schemaOfType } from './table.ts';
import { serviceOfCiphered } from './tags.ts';
import type { Apdu, DateTimeForm } from './types.ts';

/** Reads one APDU that fills all of `bytes`. @throws DecodeError and nothing else, whatever the bytes */
export function decodeApdu(bytes: Uint8Array, limits: DataLimits = DEFAULT_LIMITS): Apdu {
  return decodeHot(bytes, limits) ?? decodeBySchema(bytes, limits);
}

/** The same by the layouts alone. */
export function decodeBySchema(bytes: Uint8Array, limits: DataLimits = DEFAULT_LIMITS): Apdu {
  const reader = new Reader(bytes);
  const apdu = readApdu(reader, new Budget(limits));
  if (reader.remaining > 0)
    throw new DecodeError('trailing', `${reader.remaining} bytes follow the end of the APDU`, reader.pos);
  return apdu;
}

function readApdu(reader: Reader, budget: Budget): Apdu {
  const schema = readSchema(reader);
  if (schema) return { type: schema.type, ...(schema.node.decode(reader, budget) as object) } as Apdu;
  const tag = reader.buf[reader.pos - 1] as number;
  if (!serviceOfCiphered(tag))
    throw new DecodeError('apdu', `no APDU has the tag ${tag.toString(16).padStart(2, '0').toUpperCase()}`, 0);
  return { type: 'ciphered', tag, ...cipheredService.decode(reader, budget) };
}

/** Writes an APDU. @throws MisuseError when a field does not fit */
export function encodeApdu(apdu: Apdu): Uint8Array {
  return encodeHot(apdu) ?? encodeBySchema(apdu);
}

/** The same by the layouts alone. */
export function encodeBySchema(apdu: Apdu): Uint8Array {
  const writer = new Writer();
  if (apdu.type === 'ciphered') {
    if (!serviceOfCiphered(apdu.tag)) throw new MisuseError(`no ciphered service has the tag ${apdu.tag}`);
    writer.u8(apdu.tag);
    cipheredService.encode(writer, apdu);
    return writer.finish();
  }
  const schema = schemaOfType(apdu.type);
  if (!schema) throw new MisuseError(`there is no APDU ${apdu.type}`);
  writer.u8(schema.tag);
  if (schema.choice !== undefined) writer.u8(schema.choice);
  schema.node.encode(writer, apdu);
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
