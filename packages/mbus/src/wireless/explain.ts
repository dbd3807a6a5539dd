/**
 * Every octet of a wireless frame explained: link, extended link, authentication, transport, records; of plain octets where a key
 * opens them. Text for people; the hot path is decoder.ts.
 */
import { DecodeError, type Field } from '@amiable/bytes';
import { identificationAt, MEDIA, manufacturerOf, statusTexts } from '../application/header.ts';
import { layOutPartly } from '../application/layout.ts';
import { readAlong, readingOf } from '../application/read.ts';
import { controlName, decodeWirelessFrame, LINK_HEADER } from './frame.ts';
import { type OpenOptions, openTelegram, type Telegram } from './open.ts';

export interface ExplainedFrame {
  readonly name: string;
  /** The frame without CRCs, plain where a key opened it: what `fields` point into. */
  readonly bytes: Uint8Array;
  readonly fields: readonly Field[];
}

const hex = (n: number, digits = 2): string => n.toString(16).toUpperCase().padStart(digits, '0');

const MODES: Readonly<Record<number, string>> = {
  0: 'not enciphered',
  4: 'AES-128-CBC, initial value 0',
  5: 'AES-128-CBC, initial value of address and access number',
  7: 'AES-128-CBC with a key derived for each message',
  8: 'AES-128-CTR',
  9: 'AES-128-GCM',
  10: 'AES-128-CCM',
  13: 'TLS',
};

/** Explains as far as it can be understood; never throws. */
export function explainWireless(input: Uint8Array, options: OpenOptions = {}): ExplainedFrame {
  const fields: Field[] = [];
  let bytes = input;
  const add = (path: string, offset: number, length: number, text: string): void => {
    fields.push({ path, offset, length, text });
  };
  try {
    const frame = decodeWirelessFrame(input);
    bytes = frame.bytes;
    const form = frame.form === 'bare' ? 'without CRCs' : `format ${frame.form}, its CRCs fit and are left out here`;
    add('link/length', 0, 1, `${bytes[0]} bytes follow (${form})`);
    const control = bytes[1] as number;
    add('link/control', 1, 1, controlName(control) ?? `unknown control ${hex(control)}`);
    explainAddress(add, 'link', bytes, 2);
    const telegram = openTelegram(frame.bytes, options);
    bytes = telegram.bytes;
    explainLayers(add, telegram);
    explainApplication(add, telegram);
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    const at = Math.min(e.offset, bytes.length);
    add('refused', at, bytes.length - at, `${e.reason}: ${e.message}`);
  }
  return { name: 'Wireless M-Bus frame', bytes, fields };
}

type Add = (path: string, offset: number, length: number, text: string) => void;

function explainAddress(add: Add, layer: string, b: Uint8Array, at: number): void {
  add(`${layer}/manufacturer`, at, 2, manufacturerOf((b[at] as number) | ((b[at + 1] as number) << 8)));
  add(`${layer}/identification`, at + 2, 4, identificationAt(b, at + 2));
  add(`${layer}/version`, at + 6, 1, `version ${b[at + 6]}`);
  add(`${layer}/deviceType`, at + 7, 1, MEDIA[b[at + 7] as number] ?? 'reserved');
}

function explainLayers(add: Add, t: Telegram): void {
  const { extended, authentication, transport, bytes } = t;
  let at = LINK_HEADER;
  if (extended) {
    add('ell/ci', at, 1, `extended link layer ${hex(extended.ci)}`);
    add('ell/communicationControl', at + 1, 1, `communication control ${hex(extended.communicationControl)}`);
    add('ell/accessNumber', at + 2, 1, `access number ${extended.accessNumber}`);
    at += 3;
    if (extended.address) {
      explainAddress(add, 'ell', bytes, at);
      at += 8;
    }
    if (extended.session) {
      const how =
        extended.session.encryption === 1 ? 'AES-128-CTR' : extended.session.encryption === 0 ? 'plain' : 'reserved';
      add('ell/sessionNumber', at, 4, `session ${hex(extended.session.number, 8)}, ${how}`);
      add('ell/payloadCrc', at + 4, 2, t.sealed ? 'CRC of what follows, enciphered' : 'CRC of what follows');
      at += 6;
    }
  }
  if (authentication) {
    add('afl/ci', at, 1, 'authentication and fragmentation layer');
    add('afl/length', at + 1, 1, `${bytes[at + 1]} bytes`);
    const more = authentication.moreFragments ? ', more follow' : '';
    add('afl/fragmentControl', at + 2, 2, `fragment ${authentication.fragment}${more}`);
    at += 4;
    if (authentication.messageControl !== undefined)
      add('afl/messageControl', at++, 1, `authentication type ${authentication.messageControl & 0x0f}`);
    if (authentication.keyInformation !== undefined) {
      add('afl/keyInformation', at, 2, `key ${authentication.keyInformation & 0xff}`);
      at += 2;
    }
    if (authentication.messageCounter !== undefined) {
      add('afl/messageCounter', at, 4, `message ${authentication.messageCounter}`);
      at += 4;
    }
    if (authentication.mac) {
      const state = t.authentic === undefined ? 'not checked' : t.authentic ? 'right' : 'wrong';
      add('afl/mac', at, authentication.mac.length, `message authentication code, ${state}`);
      at += authentication.mac.length;
    }
    if (authentication.messageLength !== undefined) {
      add('afl/messageLength', at, 2, `${authentication.messageLength} bytes in all`);
      at += 2;
    }
    if (at < authentication.end) add('afl/rest', at, authentication.end - at, 'no field that is known');
    at = authentication.end;
  }
  if (t.content === 'unknown') return;
  add('transport/ci', at, 1, `${hex(transport.ci)}: ${t.content}, header ${transport.kind}`);
  at++;
  if (transport.kind === 'none') return;
  if (transport.kind === 'long') {
    add('transport/identification', at, 4, identificationAt(bytes, at));
    add('transport/manufacturer', at + 4, 2, t.manufacturer);
    add('transport/version', at + 6, 1, `version ${bytes[at + 6]}`);
    add('transport/deviceType', at + 7, 1, MEDIA[bytes[at + 7] as number] ?? 'reserved');
    at += 8;
  }
  add('transport/accessNumber', at, 1, `access number ${transport.accessNumber}`);
  add('transport/status', at + 1, 1, statusTexts(transport.status).join(', ') || 'no fault');
  const mode = MODES[transport.mode] ?? "reserved, or the maker's own";
  const octets = transport.enciphered > 0 ? `, ${transport.enciphered} bytes` : '';
  add('transport/configuration', at + 2, 2, `security mode ${transport.mode}: ${mode}${octets}`);
  if (transport.extension !== undefined)
    add(
      'transport/configurationExtension',
      at + 4,
      1,
      `key ${transport.extension & 0x0f}, derivation ${(transport.extension >> 4) & 3}`,
    );
}

const SEALED: Readonly<Record<string, string>> = {
  noKey: 'enciphered, no key',
  wrongKey: 'enciphered, none of the keys opens it',
  securityMode: 'enciphered in a mode that is not known here',
};

function explainApplication(add: Add, t: Telegram): void {
  const { bytes, start } = t;
  if (start >= bytes.length) return;
  if (t.sealed) {
    add('application', start, bytes.length - start, SEALED[t.sealed] ?? t.sealed);
    return;
  }
  if (t.content !== 'records') {
    add('application', start, bytes.length - start, t.content === 'maker' ? "the maker's own" : t.content);
    return;
  }
  const { layout, fault } = layOutPartly(bytes, start, bytes.length, false);
  const { items, values } = readAlong(readingOf(layout), bytes, start);
  let end = start;
  layout.slots.forEach((slot, i) => {
    const from = start + slot.start;
    if (from > end) add('records/filler', end, from - end, 'idle filler');
    end = start + slot.at + slot.length;
    const item = items[i];
    const scaled = typeof values[i] === 'string' || !item || item.scaler === 0 ? '' : ` × 10^${item.scaler}`;
    const head = slot.head;
    const notes = head
      ? [
          head.function === 'instantaneous' ? '' : head.function,
          head.storage ? `storage ${head.storage}` : '',
          head.tariff ? `tariff ${head.tariff}` : '',
          head.subunit ? `subunit ${head.subunit}` : '',
        ].filter((note) => note !== '')
      : [];
    const what = head?.quantity ?? "the maker's own";
    add(
      `records/${i}/${item?.name ?? ''}`,
      from,
      end - from,
      `${what}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}: ${values[i]}${scaled} ${item?.unit ?? ''}`.trimEnd(),
    );
  });
  if (fault) add('records/refused', end, bytes.length - end, `${fault.reason}: ${fault.message}`);
  else if (end < bytes.length) add('records/filler', end, bytes.length - end, 'idle filler');
}
