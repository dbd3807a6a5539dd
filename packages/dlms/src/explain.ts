/**
 * What every byte of an APDU is. Works on broken APDUs too: what was understood before the fault is told, then the fault
 * and the bytes that follow it. Fields do not overlap and leave no byte out.
 */
import { DecodeError, type Field, Reader, toHex } from '@amiable/bytes';
import { APDU, readNotificationHead } from './apdu/codec.ts';
import { decodeData } from './data.ts';
import { type Data, decodeLength, typeOfTag } from './data-types.ts';
import { type DlmsDateTime, decodeDateTime, wallMillis } from './date-time.ts';
import { securityControl } from './security/control.ts';

const MAX_DEPTH = 16;
const MAX_FIELDS = 20_000;

/** Fields of an APDU, in the order of its bytes. Never throws. */
export function explainApdu(bytes: Uint8Array): Field[] {
  const out = new Explainer(bytes);
  try {
    explainTag(out);
    if (out.reader.remaining > 0) out.take('rest', out.reader.remaining, 'bytes behind the end of the APDU');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const from = out.covered;
    out.fields.push({ path: 'fault', offset: from, length: bytes.length - from, text: error.message });
  }
  return out.fields;
}

class Explainer {
  readonly fields: Field[] = [];
  readonly reader: Reader;
  constructor(bytes: Uint8Array) {
    this.reader = new Reader(bytes);
  }
  /** Bytes that fields tell of so far. */
  get covered(): number {
    const last = this.fields.at(-1);
    return last ? last.offset + last.length : 0;
  }
  add(path: string, start: number, text: string): void {
    if (this.fields.length >= MAX_FIELDS) throw new DecodeError('limit', 'too many fields to explain', start);
    this.fields.push({ path, offset: start, length: this.reader.pos - start, text });
  }
  take(path: string, length: number, text: string): void {
    const start = this.reader.pos;
    this.reader.skip(length, path);
    this.add(path, start, text);
  }
}

const hex = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();

function explainTag(out: Explainer): void {
  const { reader } = out;
  const tag = reader.u8('APDU tag');
  switch (tag) {
    case APDU.dataNotification:
      out.add('notification/tag', 0, 'Data-Notification');
      explainNotification(out);
      return;
    case APDU.generalBlockTransfer:
      out.add('block/tag', 0, 'General-Block-Transfer');
      explainBlock(out);
      return;
    case APDU.generalGloCiphering:
    case APDU.generalDedCiphering:
      out.add('ciphering/tag', 0, tag === APDU.generalGloCiphering ? 'General-Glo-Ciphering' : 'General-Ded-Ciphering');
      explainCiphering(out);
      return;
    default:
      throw new DecodeError('apdu', `APDU tag ${tag.toString(16).padStart(2, '0').toUpperCase()} is not a push`, 0);
  }
}

function explainNotification(out: Explainer): void {
  const { reader } = out;
  const start = reader.pos;
  const head = readNotificationHead(reader);
  const end = reader.pos;
  reader.pos = start;
  const id = head.invokeId;
  out.take('notification/invoke-id', 4, `invoke id ${id & 0xffffff}, ${id >>> 31 ? 'high' : 'normal'} priority`);
  if (!head.dateTime) out.take('notification/date-time', 1, 'no date-time');
  else {
    const lead = end - reader.pos - 12;
    if (lead > 0)
      out.take(
        'notification/date-time/length',
        lead,
        lead === 2 ? 'octet-string of 12 bytes (a tag too many)' : '12 bytes',
      );
    out.take('notification/date-time', 12, dateText(head.dateTime));
  }
  explainData(out, 'notification/body', 0);
}

function explainData(out: Explainer, path: string, depth: number): void {
  const { reader } = out;
  const start = reader.pos;
  const type = typeOfTag(reader.u8('data type'));
  if ((type === 'array' || type === 'structure') && depth < MAX_DEPTH) {
    const count = decodeLength(reader);
    out.add(path, start, `${type} of ${count}`);
    for (let i = 0; i < count; i++) explainData(out, `${path}/${i}`, depth + 1);
    return;
  }
  reader.pos = start;
  const data = decodeData(reader);
  const end = reader.pos;
  const long = data.type === 'octet-string' || data.type === 'visible-string' || data.type === 'utf8-string';
  const contents = long || data.type === 'bit-string' ? end - data.value.length : start + 1;
  reader.pos = contents;
  out.add(path, start, long ? `${data.type} of ${data.value.length}` : data.type);
  reader.pos = end;
  if (end > contents) out.add(`${path}/value`, contents, valueText(data));
}

/** A value for a person; codes and dates inside octet-strings are told as such. */
function valueText(data: Data): string {
  switch (data.type) {
    case 'octet-string': {
      const b = data.value;
      if (b.length === 6 && b[5] === 255) return `OBIS ${b[0]}-${b[1]}:${b[2]}.${b[3]}.${b[4]}*${b[5]}`;
      const text = printable(b);
      if (text !== undefined) return text;
      if (b.length === 12) {
        const date = decodeDateTime(new Reader(b));
        if (wallMillis(date) !== undefined) return dateText(date);
      }
      return hex(b);
    }
    case 'visible-string':
    case 'utf8-string':
      return printable(data.value) ?? hex(data.value);
    case 'bit-string':
      return `${data.bits} bits ${hex(data.value)}`;
    case 'boolean':
      return data.value ? 'true' : 'false';
    case 'date-time':
      return dateText(data.value);
    case 'date':
    case 'time':
      return JSON.stringify(data.value);
    case 'compact-array':
      return `${data.value.length} elements`;
    case 'array':
    case 'structure':
    case 'null-data':
    case 'dont-care':
      return data.type;
    default:
      return String(data.value);
  }
}

function printable(bytes: Uint8Array): string | undefined {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  if (end === 0) return undefined;
  let text = '';
  for (let i = 0; i < end; i++) {
    const c = bytes[i] as number;
    if (c < 0x20 || c > 0x7e) return undefined;
    text += String.fromCharCode(c);
  }
  return JSON.stringify(text);
}

const two = (n: number | undefined): string => (n === undefined ? '??' : String(n).padStart(2, '0'));

/** Date, time, offset and clock status in words; `??` is not specified. */
function dateText(d: DlmsDateTime): string {
  const hundredths = d.hundredths === undefined ? '' : `.${two(d.hundredths)}`;
  let text = `${d.year ?? '????'}-${two(d.month)}-${two(d.day)} ${two(d.hour)}:${two(d.minute)}:${two(d.second)}${hundredths}`;
  if (d.deviation === undefined) text += ', offset not given';
  else {
    const ahead = Math.abs(d.deviation);
    text += `, UTC${d.deviation > 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  }
  if (d.status !== undefined) {
    if (d.status & 0x01) text += ', clock invalid';
    if (d.status & 0x02) text += ', clock doubtful';
    if (d.status & 0x80) text += ', daylight saving';
  }
  return text;
}

function explainBlock(out: Explainer): void {
  const { reader } = out;
  const control = reader.peek();
  const words = [
    control & 0x80 ? 'last block' : 'more follow',
    control & 0x40 ? 'streaming' : '',
    `window ${control & 0x3f}`,
  ];
  out.take('block/control', 1, words.filter(Boolean).join(', '));
  const start = reader.pos;
  const number = reader.u16('block number');
  out.add('block/number', start, `block ${number}`);
  const next = reader.pos;
  const acknowledged = reader.u16('block number acknowledged');
  out.add('block/acknowledged', next, `block ${acknowledged} acknowledged`);
  explainBytes(out, 'block/data', 'piece of an APDU');
}

/** A length and the bytes that it counts. */
function explainBytes(out: Explainer, path: string, what: string): void {
  const { reader } = out;
  const start = reader.pos;
  const length = decodeLength(reader);
  out.add(`${path}/length`, start, `${length} bytes`);
  if (length > 0) out.take(path, length, what);
}

function explainCiphering(out: Explainer): void {
  const { reader } = out;
  const start = reader.pos;
  const titleLength = decodeLength(reader);
  out.add('ciphering/system-title/length', start, `${titleLength} bytes`);
  if (titleLength > 0) {
    const at = reader.pos;
    const title = reader.bytes(titleLength, 'system title');
    const maker = printable(title.subarray(0, 3));
    out.add('ciphering/system-title', at, `system title ${hex(title)}${maker ? `, maker ${maker}` : ''}`);
  }
  const lengthAt = reader.pos;
  const length = decodeLength(reader);
  out.add('ciphering/length', lengthAt, `${length} bytes`);
  const end = reader.pos + length;
  const controlAt = reader.pos;
  const control = securityControl(reader.u8('security control'));
  const words = [
    `suite ${control.suite}`,
    control.authenticated ? 'authenticated' : '',
    control.encrypted ? 'encrypted' : '',
    control.broadcast ? 'broadcast key' : '',
    control.compressed ? 'compressed' : '',
  ];
  out.add('ciphering/security-control', controlAt, words.filter(Boolean).join(', '));
  const counterAt = reader.pos;
  const counter = reader.u32('invocation counter');
  out.add('ciphering/invocation-counter', counterAt, `invocation counter ${counter}`);
  const tag = control.authenticated ? 12 : 0;
  const body = end - reader.pos - tag;
  if (body < 0) throw new DecodeError('truncated', 'no room for the tag', reader.pos);
  if (body > 0) out.take('ciphering/text', body, control.encrypted ? 'cipher text' : 'plain text');
  if (tag > 0) out.take('ciphering/tag-bytes', tag, 'authentication tag');
}
