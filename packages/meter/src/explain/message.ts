/**
 * Says of every byte of one stored message what it is, in layers: what was on the wire, the APDU where it came in several
 * pieces, the plain text where it was ciphered. A field that belongs to a reading says to which, so that a page can light
 * up the bytes of the value under the mouse. For people, not for speed; damaged bytes are explained as far as they go.
 */
import { DecodeError } from '@amiable/bytes';
import { APDU, type Crypto, decipher, decodeApdu, explainApdu, type KeyRing } from '@amiable/dlms';
import { explainFrame } from '@amiable/hdlc';
import { explainLongFrame } from '@amiable/mbus';
import type { Protocol } from '@amiable/model';
import { explainNotification } from '@amiable/push';
import { mbusKeysOf } from '../any.ts';
import { readWire, type Wire } from '../wire.ts';
import { type Layer, type MessageField, replaceBy, shift } from './layers.ts';
import { isTelegram, readoutPart, telegramFields, telegramPart, wiredPart, wirelessPart } from './ports.ts';
import { type NamedReading, withReadings } from './readings.ts';

export interface ExplainOptions {
  /** Of the message: `han` unless given. */
  readonly protocol?: Protocol | undefined;
  /** What was read of it, for fields that name their reading. */
  readonly readings?: readonly NamedReading[] | undefined;
  readonly keys?: KeyRing | undefined;
  readonly crypto?: Crypto | undefined;
}

/** The layers of a message's bytes, whatever port they came from. Never throws. */
export function explainMessage(raw: Uint8Array, options: ExplainOptions = {}): Layer[] {
  const layers = layersOf(raw, options);
  const own = options.protocol !== undefined && options.protocol !== 'han' && options.protocol !== 'dlms';
  return own && options.readings ? withReadings(layers, options.readings) : layers;
}

function layersOf(raw: Uint8Array, options: ExplainOptions): Layer[] {
  const mbusKeys = options.keys && mbusKeysOf(options.keys);
  switch (options.protocol) {
    case 'p1':
      return isTelegram(raw) ? [...telegramPart(raw).layers] : explainHan(raw, options);
    case 'iec62056-21':
      return [...readoutPart(raw).layers];
    case 'mbus':
      return [...wiredPart(raw, mbusKeys).layers];
    case 'wmbus':
      return [...wirelessPart(raw, mbusKeys).layers];
    default:
      return explainHan(raw, options);
  }
}

/** Envelopes inside envelopes that are opened. */
const MAX_LAYERS = 4;

export function explainHan(raw: Uint8Array, options: ExplainOptions = {}): Layer[] {
  const wire = readWire(raw);
  const fields = linkFields(raw, wire);
  const layers: Layer[] = [];
  if (wire.apdu && wire.apduAt !== undefined) {
    const at = wire.apduAt;
    replaceBy(fields, at, at + wire.apdu.length, shift(apduFields(wire.apdu), at));
    layers.push({ name: 'on the wire', bytes: raw, fields });
  } else {
    layers.push({ name: 'on the wire', bytes: raw, fields });
    if (wire.apdu) layers.push({ name: 'joined', bytes: wire.apdu, fields: apduFields(wire.apdu) });
  }
  let apdu = wire.apdu;
  while (apdu && layers.length < MAX_LAYERS) {
    apdu = plainText(apdu, options);
    if (apdu) layers.push({ name: 'deciphered', bytes: apdu, fields: apduFields(apdu) });
  }
  return layers;
}

function linkFields(raw: Uint8Array, wire: Wire): MessageField[] {
  const fields: MessageField[] = [];
  for (const c of wire.carriers) {
    if (c.kind === 'bare') {
      fields.push({ path: 'apdu', offset: c.start, length: c.end - c.start, text: 'APDU without a link' });
      continue;
    }
    const frame = raw.subarray(c.start, c.end);
    const own = shift(c.kind === 'hdlc' ? explainFrame(frame) : explainLongFrame(frame), c.start);
    if (c.llc) {
      const header: MessageField = {
        path: 'llc',
        offset: c.payloadStart - 3,
        length: 3,
        text: llcText(raw, c.payloadStart - 3),
      };
      replaceBy(own, c.payloadStart - 3, c.payloadEnd, [header, payload(c.payloadStart, c.payloadEnd)]);
    }
    fields.push(...own);
  }
  if (wire.end < raw.length)
    fields.push({
      path: 'rest',
      offset: wire.end,
      length: raw.length - wire.end,
      text: 'no frame could be made of this',
    });
  return fields;
}

const payload = (from: number, to: number): MessageField => ({
  path: 'payload',
  offset: from,
  length: to - from,
  text: `part of an APDU, ${to - from} octets`,
});

function llcText(raw: Uint8Array, at: number): string {
  return raw[at + 1] === 0xe7 ? 'LLC header: from the meter' : 'LLC header: to the meter';
}

function apduFields(apdu: Uint8Array): MessageField[] {
  if (isTelegram(apdu)) return telegramFields(apdu);
  return apdu[0] === APDU.dataNotification ? explainNotification(apdu) : explainApdu(apdu);
}

function plainText(apdu: Uint8Array, { keys, crypto }: ExplainOptions): Uint8Array | undefined {
  if (!keys || !crypto || (apdu[0] !== APDU.generalGloCiphering && apdu[0] !== APDU.generalDedCiphering))
    return undefined;
  try {
    const envelope = decodeApdu(apdu);
    if (envelope.type !== 'general-glo-ciphering' && envelope.type !== 'general-ded-ciphering') return undefined;
    const opened = decipher(envelope, keys.candidates(envelope.systemTitle), crypto);
    return opened.ok ? opened.plain : undefined;
  } catch (e) {
    if (e instanceof DecodeError) return undefined;
    throw e;
  }
}
