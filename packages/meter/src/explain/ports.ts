/**
 * Layers, title and hint of what the ports without DLMS carry: P1 telegrams, read-outs and exchanges of IEC 62056-21, frames of
 * wired and wireless M-Bus.
 *
 * Decides: how a part is called, which end sent it where its bytes say so, and which layers deciphering adds. The fields of each
 * layer lie side by side and cover it, whatever an explainer leaves out. Left out: where these begin (carriers.ts, text.ts).
 */
import { DecodeError } from '@amiable/bytes';
import { explainReadout } from '@amiable/iec62056-21';
import {
  decodeLongHeader,
  decodeWirelessFrame,
  explainData,
  explainLongFrame,
  explainWireless,
  longFrameAt,
  type MbusKeys,
  openRecords,
  type WirelessFrame,
} from '@amiable/mbus';
import { explainTelegram } from '@amiable/p1';
import { covering, type Layer, type MessageField, shift } from './layers.ts';
import type { Direction } from './paste.ts';

export interface PortPart {
  readonly title: string;
  readonly direction: Direction | undefined;
  readonly layers: readonly Layer[];
  readonly hint?: string;
}

const NO_KEY = 'Ciphered. Give the encryption key to open it.';
const WRONG_KEY = 'Not opened with this key.';

/** What a field says to be wrong is worth to be told beside the title. */
function faultOf(fields: readonly MessageField[]): { hint?: string } {
  const found = fields.find(({ path, text }) => /\bwrong\b/.test(text) || /(?:^|\/)(?:error|refused)$/.test(path));
  return found ? { hint: found.text } : {};
}

const textOf = (fields: readonly MessageField[], path: RegExp): string | undefined =>
  fields.find((field) => path.test(field.path))?.text;

// --- text ---------------------------------------------------------------------------------------------------------

/** NUL, CR, LF and DEL may stand before a telegram. */
const BEFORE: ReadonlySet<number> = new Set([0, 0x0d, 0x0a, 0x7f]);

function behindPadding(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && BEFORE.has((bytes[at] as number) & 0x7f)) at++;
  return at;
}

/**
 * Addresses as what holds their values, and each line's end with its line: so a tree shows lines. Two of one address stay apart.
 */
function byLine(fields: readonly MessageField[]): MessageField[] {
  let path = '';
  let own = '';
  let count = 0;
  return fields.map((field) => {
    if (field.path.endsWith('/address') && field.path !== 'request/address') {
      path = field.path.slice(0, -'/address'.length);
      own = `${path.slice(0, Math.max(0, path.lastIndexOf('/')))}/${count++}`.replace(/^\//, '');
      return { ...field, path: own };
    }
    if (path !== '' && field.path.startsWith(`${path}/`))
      return { ...field, path: `${own}/${field.path.slice(path.length + 1)}` };
    if (own !== '' && /end of line|line-end/.test(field.path)) {
      const line = own;
      own = '';
      path = '';
      return { ...field, path: `${line}/line-end` };
    }
    own = '';
    path = '';
    return field;
  });
}

export function telegramFields(bytes: Uint8Array): MessageField[] {
  const at = behindPadding(bytes);
  return byLine(covering(shift(explainTelegram(bytes.subarray(at)), at), bytes.length, 'padding'));
}

/** Whether deciphered octets are a P1 telegram. */
export function isTelegram(bytes: Uint8Array): boolean {
  const at = behindPadding(bytes);
  return ((bytes[at] as number) & 0x7f) === 0x2f && bytes.length > at + 5;
}

export function telegramTitle(fields: readonly MessageField[]): string {
  const said = textOf(fields, /identification$/)?.replace(/^identification /, '');
  return `P1 telegram ${said?.split(/: |; /)[0] ?? ''}`.trimEnd();
}

export function telegramPart(bytes: Uint8Array): PortPart {
  const fields = telegramFields(bytes);
  return {
    title: telegramTitle(fields),
    direction: 'in',
    layers: [{ name: 'on the wire', bytes, fields }],
    ...faultOf(fields),
  };
}

export function readoutPart(bytes: Uint8Array): PortPart {
  const fields = covering(explainReadout(bytes), bytes.length);
  return {
    ...readoutTitle(fields),
    layers: [{ name: 'on the wire', bytes, fields: byLine(fields) }],
    ...faultOf(fields),
  };
}

/** Letters of commands that the meter sends. */
const OF_METER = /^[PB]0: password operand/;

function readoutTitle(fields: readonly MessageField[]): { title: string; direction: Direction | undefined } {
  const command = textOf(fields, /^command\/code/);
  if (command) return { title: command, direction: OF_METER.test(command) ? 'in' : 'out' };
  const address = fields.find(({ path }) => path === 'request/start');
  if (address) return { title: `request ${textOf(fields, /^request\/address/) ?? 'to every meter'}`, direction: 'out' };
  const mode = textOf(fields, /^select\/mode/);
  if (mode) return { title: `option select: ${mode}`, direction: 'out' };
  const sets = fields.filter(({ path }) => /\/address$/.test(path)).length;
  const identification = textOf(fields, /^identification\/text/)?.replace(/^identification /, '');
  const maker = textOf(fields, /^identification\/maker/)
    ?.replace(/^maker /, '')
    .split(', ')[0];
  const who = [maker, identification].filter(Boolean).join(' ');
  if (who && sets === 0) return { title: `identification ${who}`, direction: 'in' };
  if (sets > 0)
    return {
      title: `${[who ? `read-out ${who}` : 'data', `${sets} data set${sets === 1 ? '' : 's'}`].join(', ')}`,
      direction: 'in',
    };
  const only = fields.find(({ length }) => length > 0);
  return {
    title: only?.text ?? 'IEC 62056-21',
    direction: fields.some(({ path }) => /stx|etx/.test(path)) ? 'in' : undefined,
  };
}

// --- wired M-Bus --------------------------------------------------------------------------------------------------

const SHORT: Readonly<Record<number, string>> = {
  64: 'SND_NKE, initialise the link',
  90: 'REQ_UD1, asks for alarms',
  122: 'REQ_UD1, asks for alarms',
  91: 'REQ_UD2, asks for data',
  123: 'REQ_UD2, asks for data',
};
const LONG: Readonly<Record<number, string>> = { 8: 'RSP_UD', 67: 'SND_UD2', 83: 'SND_UD' };
const hex2 = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');

export function wiredPart(bytes: Uint8Array, keys: MbusKeys | undefined): PortPart {
  if (bytes[0] !== 0x68) return shortPart(bytes);
  const fields = covering(explainLongFrame(bytes), bytes.length);
  const layers: Layer[] = [{ name: 'on the wire', bytes, fields }];
  const control = bytes[4] as number;
  const opened = fields.some(({ path }) => path === 'mbus/enciphered') ? openWired(bytes, keys) : undefined;
  if (opened?.layer) layers.push(opened.layer);
  const name = LONG[control & ~0x30] ?? `control ${hex2(control)}`;
  const who = ['manufacturer', 'identification'].map((what) =>
    textOf(fields, new RegExp(`header/${what}$`))?.slice(what.length + 1),
  );
  const n = new Set(layers.flatMap((l) => l.fields.flatMap(({ path }) => /record\d+/.exec(path)?.[0] ?? []))).size;
  const ci = textOf(fields, /mbus\/ci$/)?.split(': ')[1];
  const parts = [
    `M-Bus ${name}`,
    who.filter(Boolean).join(' '),
    n > 0 ? `${n} record${n === 1 ? '' : 's'}` : (ci ?? ''),
  ];
  return {
    title: parts.filter((part) => part !== '').join(', '),
    direction: control & 0x40 ? 'out' : 'in',
    layers,
    ...(opened?.hint ? { hint: opened.hint } : faultOf(fields)),
  };
}

function openWired(bytes: Uint8Array, keys: MbusKeys | undefined): { layer?: Layer; hint?: string } {
  try {
    const frame = longFrameAt(bytes, 0);
    if (frame.controlInformation !== 0x72)
      return { hint: 'Ciphered behind a header without an address: not opened here.' };
    const header = decodeLongHeader(bytes, 7);
    const opened = openRecords(bytes, 7, 7 + frame.data.length, header.configuration, header, keys);
    if ('sealed' in opened)
      return {
        hint:
          opened.sealed === 'securityMode'
            ? 'Ciphered in a mode that is not known here.'
            : opened.sealed === 'noKey'
              ? NO_KEY
              : WRONG_KEY,
      };
    const plain = opened.bytes.subarray(opened.start, opened.end);
    if (plain.buffer === bytes.buffer) return {};
    return {
      layer: {
        name: 'deciphered',
        bytes: plain,
        fields: covering(explainData(plain, 0x78, 0, plain.length), plain.length),
      },
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { hint: error.message };
  }
}

function shortPart(bytes: Uint8Array): PortPart {
  const one = (path: string, offset: number, text: string): MessageField => ({
    path: `mbus/${path}`,
    offset,
    length: 1,
    text,
  });
  if (bytes.length < 5) {
    const fields = covering([one('acknowledge', 0, 'E5: acknowledged')], bytes.length);
    return { title: 'M-Bus acknowledgement', direction: 'in', layers: [{ name: 'on the wire', bytes, fields }] };
  }
  const [, control = 0, address = 0, sum = 0] = bytes;
  const name = SHORT[control] ?? 'unknown';
  const to =
    address === 0xfd
      ? 'address 253: the slave that was selected'
      : address === 0xff
        ? 'address 255: all, no answer'
        : address === 0xfe
          ? 'address 254: all, all answer'
          : `address ${address}`;
  const fields = covering(
    [
      one('start', 0, 'start of a short frame'),
      one(
        'control',
        1,
        `control ${hex2(control)}: ${name}${control & 0x10 ? `, frame count bit ${control & 0x20 ? 1 : 0}` : ''}`,
      ),
      one('address', 2, to),
      one('checksum', 3, `check sum ${hex2(sum)}, right`),
      one('stop', 4, 'stop'),
    ],
    bytes.length,
  );
  return {
    title: `M-Bus ${name}, ${to.split(':')[0]}`,
    direction: 'out',
    layers: [{ name: 'on the wire', bytes, fields }],
  };
}

// --- wireless M-Bus -----------------------------------------------------------------------------------------------

export function wirelessPart(bytes: Uint8Array, keys: MbusKeys | undefined): PortPart {
  const frame = wirelessFrame(bytes);
  const sealed = explainWireless(bytes);
  const own = covering(sealed.fields, sealed.bytes.length);
  const layers: Layer[] = [];
  if (!frame || (frame.form === 'bare' && frame.length === bytes.length))
    layers.push({ name: 'on the wire', bytes: sealed.bytes, fields: own });
  else {
    layers.push({ name: 'on the wire', bytes, fields: covering(blocks(frame), bytes.length, STICK) });
    layers.push({ name: 'without check sums', bytes: sealed.bytes, fields: own });
  }
  let fields = own;
  const opened = keys && explainWireless(bytes, { keys });
  if (opened) {
    fields = covering(opened.fields, opened.bytes.length);
    const at = opened.bytes.findIndex((byte, i) => byte !== sealed.bytes[i]);
    const field = own.findIndex(({ offset, length }) => offset <= at && at < offset + length);
    if (at >= 0 && field >= 0) layers.push(openedFrom(own, field, opened.bytes, fields));
  }
  const control = textOf(fields, /^link\/control$/);
  const who = ['manufacturer', 'identification'].map(
    (what) => textOf(fields, new RegExp(`^transport/${what}$`)) ?? textOf(fields, new RegExp(`^link/${what}$`)),
  );
  const n = fields.filter(({ path }) => /^records\/\d/.test(path)).length;
  const application = textOf(fields, /^application$/) ?? '';
  const hint = application.includes('no key')
    ? { hint: NO_KEY }
    : application.includes('none of the keys')
      ? { hint: WRONG_KEY }
      : faultOf(fields);
  const parts = [`wireless M-Bus ${control ?? 'frame'}`, who.filter(Boolean).join(' ')];
  if (n > 0) parts.push(`${n} record${n === 1 ? '' : 's'}`);
  return { title: parts.filter((part) => part !== '').join(', '), direction: directionOf(bytes[1]), layers, ...hint };
}

/** The plain octets from where they were enciphered on; the field that said so says that they were opened. */
function openedFrom(sealed: MessageField[], at: number, bytes: Uint8Array, fields: readonly MessageField[]): Layer {
  const closed = sealed[at] as MessageField;
  sealed[at] = {
    ...closed,
    text: closed.text.replace('enciphered, no key', 'enciphered; the plain text stands below'),
  };
  const plain = bytes.subarray(closed.offset);
  const own = fields.filter(({ offset }) => offset >= closed.offset);
  return { name: 'deciphered', bytes: plain, fields: covering(shift(own, -closed.offset), plain.length) };
}

const STICK = 'behind the frame: what the receiver says of it';

/** What a meter sends first or answers (EN 13757-4 table 15); commands of the other end have the bit for "primary" and are no SND_NR. */
function directionOf(control: number | undefined): Direction | undefined {
  if (control === undefined) return undefined;
  const fromMeter =
    (control & 0x40) === 0 || control === 0x44 || control === 0x46 || control === 0x47 || control === 0x48;
  return fromMeter && control !== 0x06 && control !== 0x00 && control !== 0x10 ? 'in' : 'out';
}

function wirelessFrame(bytes: Uint8Array): WirelessFrame | undefined {
  try {
    return decodeWirelessFrame(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

/** Blocks and their CRCs, which have been checked, as they came. */
function blocks({ form, length, bytes }: WirelessFrame): MessageField[] {
  const fields: MessageField[] = [];
  const add = (path: string, offset: number, size: number, text: string): void => {
    fields.push({ path: `link/${path}`, offset, length: size, text });
  };
  if (form === 'bare') {
    add('frame', 0, length, 'frame without CRCs');
    return fields;
  }
  const sizes: number[] = [];
  if (form === 'A') {
    let left = bytes.length;
    for (let size = 10; left > 0; size = 16) {
      sizes.push(Math.min(size, left));
      left -= size;
    }
  } else {
    const head = Math.min(126, bytes.length);
    sizes.push(head);
    if (bytes.length > head) sizes.push(bytes.length - head);
  }
  let at = 0;
  sizes.forEach((size, i) => {
    add(`block${i + 1}`, at, size, `block ${i + 1} of format ${form}, ${size} octets`);
    add(`block${i + 1}/crc`, at + size, 2, `CRC of block ${i + 1}, right`);
    at += size + 2;
  });
  return fields;
}

/** For keys that are good for whatever meter it is. */
export const anyMeter = (key: Uint8Array): MbusKeys => ({ candidates: () => [key] });
