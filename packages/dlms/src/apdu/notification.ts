/**
 * Data-Notification and Event-Notification (IEC 62056-5-3 clause 6 and annex A).
 *
 * Decides: the forms of a notification's date-time that meters send: `00`, `0C` + 12 bytes as the standard says, Kaifa's
 * `09 0C` + 12 bytes (a tag too many), and 12 bytes bare.
 */
import { DecodeError, fromHex, Reader, type Writer } from '@amiable/bytes';
import { decodeData, encodeData } from '../data.ts';
import { dataElement, dataOfElement } from '../data-text.ts';
import type { DataLimits, Seen } from '../data-types.ts';
import { dateTimeBytes, decodeDateTime, encodeDateTime } from '../date-time.ts';
import { dateText, explainData } from '../explain-data.ts';
import { element } from '../xml.ts';
import { upperHex } from './explainer.ts';
import { attributeValue, type Node, named, octetString } from './node.ts';
import { data, dateTimeOrNone, longInvoke, plainAttribute } from './parts.ts';
import { service } from './registry.ts';
import { optional, sequence } from './schema.ts';
import { APDU } from './tags.ts';
import type { DataNotification, DateTimeForm } from './types.ts';

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

function writeHead(writer: Writer, { invokeId, dateTimeForm: form, dateTime }: NotificationHead): void {
  writer.u32(invokeId);
  if (form === 'none' || !dateTime) {
    writer.u8(0);
    return;
  }
  if (form === 'tagged') writer.u8(0x09);
  if (form !== 'bare') writer.u8(0x0c);
  encodeDateTime(writer, dateTime);
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

const FORMS: readonly DateTimeForm[] = ['none', 'length', 'tagged', 'bare'];

const notification: Node<Omit<DataNotification, 'type'>> = {
  decode(reader, budget) {
    const { type: _, ...head } = readNotificationHead(reader);
    return { ...head, body: decodeData(reader, budget) };
  },
  encode(writer, value) {
    writeHead(writer, { type: 'data-notification', ...value });
    encodeData(writer, value.body);
  },
  explain(out, path) {
    const { reader } = out;
    const start = reader.pos;
    const head = readNotificationHead(reader);
    const end = reader.pos;
    reader.pos = start;
    const id = head.invokeId;
    out.take(`${path}/invoke-id`, 4, `invoke id ${id & 0xffffff}, ${id >>> 31 ? 'high' : 'normal'} priority`);
    if (!head.dateTime) out.take(`${path}/date-time`, 1, 'no date-time');
    else {
      const lead = end - reader.pos - 12;
      const text = lead === 2 ? 'octet-string of 12 bytes (a tag too many)' : '12 bytes';
      if (lead > 0) out.take(`${path}/date-time/length`, lead, text);
      out.take(`${path}/date-time`, 12, dateText(head.dateTime));
    }
    explainData(out, `${path}/body`);
  },
  write(into, value, context) {
    const invoke = element('LongInvokeIdAndPriority');
    longInvoke.write(invoke, value.invokeId, context);
    const time = element('DateTime', value.dateTime ? upperHex(dateTimeBytes(value.dateTime)) : '');
    if (value.dateTimeForm !== 'none' && value.dateTimeForm !== 'length') time.attributes.Form = value.dateTimeForm;
    into.children.push(invoke, time, {
      name: 'NotificationBody',
      attributes: {},
      children: [dataElement(value.body)],
    });
  },
  read(from, context) {
    const part = (name: string) => {
      const found = from.children.find((c) => c.name === name);
      if (!found) throw new DecodeError('text', `<${from.name}> has no <${name}>`, 0);
      return found;
    };
    const bytes = fromHex(attributeValue(part('DateTime')));
    const form = part('DateTime').attributes.Form ?? 'length';
    const body = part('NotificationBody').children[0];
    if (!body) throw new DecodeError('text', '<NotificationBody> is empty', 0);
    const rest = { invokeId: longInvoke.read(part('LongInvokeIdAndPriority'), context), body: dataOfElement(body) };
    if (bytes.length === 0) return { ...rest, dateTimeForm: 'none' };
    if (!FORMS.includes(form as DateTimeForm)) throw new DecodeError('text', `${form} is no form of a date-time`, 0);
    return { ...rest, dateTimeForm: form as DateTimeForm, dateTime: decodeDateTime(new Reader(bytes)) };
  },
};

export const NOTIFICATIONS = [
  service('data-notification', APDU.dataNotification, undefined, notification, { path: 'notification' }),
  service(
    'data-notification-confirm',
    APDU.dataNotificationConfirm,
    undefined,
    sequence({ longInvoke, dateTime: dateTimeOrNone }),
  ),
  service(
    'event-notification-request',
    APDU.eventNotificationRequest,
    undefined,
    sequence({
      time: optional(octetString()),
      attribute: named('AttributeDescriptor', plainAttribute),
      value: named('AttributeValue', data),
    }),
  ),
];
