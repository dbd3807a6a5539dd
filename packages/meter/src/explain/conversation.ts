/**
 * Explains bytes of any layer, one piece after the other as a conversation brings them: every byte of the link, of the APDU
 * it carries, of what is inside its ciphering, and of values that came in blocks.
 *
 * Decides: what is learnt on the way (system titles and the dedicated key of an association, joined segments and blocks), and
 * a title for each part. Left out: what pasted text looks like (paste.ts), where layers begin (carriers.ts), keys
 * (opener.ts). Never throws, whatever the bytes; damaged ones are explained as far as they go.
 */
import { DecodeError } from '@amiable/bytes';
import { obisFromBytes } from '@amiable/cosem';
import {
  APDU,
  type Apdu,
  type AttributeDescriptor,
  apduText,
  type Crypto,
  decodeApdu,
  explainApdu,
  explainValue,
  explainWrapper,
  type MethodDescriptor,
  serviceOfCiphered,
} from '@amiable/dlms';
import { controlText, decodeControl, explainFrame, frameAt } from '@amiable/hdlc';
import { ciText, explainLongFrame } from '@amiable/mbus';
import { explainNotification } from '@amiable/push';
import { joinParts, llcLength } from '../assembly.ts';
import { type Carried, type CarrierKind, carriersOf, isApduTag } from './carriers.ts';
import { type Layer, type MessageField, replaceBy, shift } from './layers.ts';
import { createOpener, type ExplainKeys, type Opener } from './opener.ts';
import type { Direction } from './paste.ts';
import {
  anyMeter,
  isTelegram,
  type PortPart,
  readoutPart,
  telegramFields,
  telegramPart,
  telegramTitle,
  wiredPart,
  wirelessPart,
} from './ports.ts';

export interface ExplainedPart {
  readonly kind: CarrierKind;
  /** Where in the piece it lies. */
  readonly offset: number;
  readonly length: number;
  readonly direction: Direction | undefined;
  /** For a person: `get-request-normal 1-0:1.8.0 attribute 2`, `SNRM, poll`. */
  readonly title: string;
  /** Outermost first. */
  readonly layers: readonly Layer[];
  /** The innermost APDU as XML-like text. */
  readonly text?: string;
  /** What could not be done with it, and what would help. */
  readonly hint?: string;
}

export interface ConversationOptions {
  readonly keys?: ExplainKeys;
  readonly crypto?: Crypto;
  /** What the bytes are; found out unless said. */
  readonly kind?: CarrierKind;
  /** Parts that are explained of one piece, where not all are shown. */
  readonly maxParts?: number;
}

export interface Conversation {
  /** @param direction told by the bytes themselves where they say it, and unless given */
  add(bytes: Uint8Array, direction?: Direction): ExplainedPart[];
}

/** Bytes that are held for one joined APDU or value. */
const MAX_JOINED = 4 << 20;
const MAX_DEPTH = 6;

export function explainConversation(options: ConversationOptions = {}): Conversation {
  const opener = createOpener(options.keys, options.crypto);
  const segments = createPieces();
  const blocks = createPieces();
  let last: CarrierKind | undefined;
  const mbusKeys = options.keys?.unicast.length === 16 ? anyMeter(options.keys.unicast) : undefined;

  /** Undefined for what carries APDUs, or is one. */
  const port = (own: Uint8Array, c: Carried): PortPart | undefined => {
    if (c.kind === 'p1') return telegramPart(own);
    if (c.kind === 'iec62056-21') return readoutPart(own);
    if (c.kind === 'wmbus') return wirelessPart(own, mbusKeys);
    if (c.kind === 'mbus' && c.more === undefined && !carriesApdu(own)) return wiredPart(own, mbusKeys);
    return undefined;
  };

  const link = (bytes: Uint8Array, c: Carried, said: Direction | undefined): ExplainedPart => {
    const own = bytes.subarray(c.start, c.end);
    const fields = shift(linkFields(own, c), c.start);
    const base = { kind: c.kind, offset: c.start, length: c.end - c.start };
    let at = c.payloadStart;
    let direction = said;
    if (c.kind === 'hdlc') {
      const llc = llcLength(bytes, c.payloadStart, c.payloadEnd);
      const frame = frameAt(bytes, c.layout as NonNullable<Carried['layout']>);
      const { kind } = decodeControl(frame.control);
      if (llc > 0) {
        direction ??= bytes[at + 1] === 0xe6 ? 'out' : 'in';
        const text = bytes[at + 1] === 0xe6 ? 'LLC header: to the meter' : 'LLC header: from the meter';
        replaceBy(fields, at, c.payloadEnd, [
          { path: 'llc', offset: at, length: llc, text },
          { path: 'payload', offset: at + llc, length: c.payloadEnd - at - llc, text: 'part of an APDU' },
        ]);
        at += llc;
      }
      direction ??= kind === 'SNRM' || kind === 'DISC' ? 'out' : kind === 'UA' || kind === 'DM' ? 'in' : undefined;
      const title = controlText(frame.control);
      const carries = (kind === 'I' || kind === 'UI') && c.payloadEnd > at;
      if (!carries)
        return {
          ...base,
          direction,
          title,
          layers: [{ name: 'on the wire', bytes: own, fields: shift(fields, -c.start) }],
        };
      const key = `${frame.destination.value} ${frame.source.value}`;
      const joined = segments.join(key, bytes.slice(at, c.payloadEnd), frame.segmented);
      if (!joined)
        return {
          ...base,
          direction,
          title: `${title}, segment ${segments.count(key)}`,
          layers: [{ name: 'on the wire', bytes: own, fields: shift(fields, -c.start) }],
        };
      return whole(own, shift(fields, -c.start), at - c.start, joined, direction, base);
    }
    if (c.kind === 'mbus') {
      const joined = segments.join('mbus', bytes.slice(at, c.payloadEnd), c.more === true);
      const wire = shift(fields, -c.start);
      if (!joined)
        return {
          ...base,
          direction,
          title: 'M-Bus segment',
          layers: [{ name: 'on the wire', bytes: own, fields: wire }],
        };
      return whole(own, wire, at - c.start, joined, direction, base);
    }
    return whole(own, shift(fields, -c.start), at - c.start, bytes.slice(at, c.payloadEnd), direction, base);
  };

  /** A whole APDU: inside the bytes of the wire where it lies there in one piece, else in a layer of its own. */
  const whole = (
    wire: Uint8Array,
    fields: MessageField[],
    at: number,
    apdu: Uint8Array,
    direction: Direction | undefined,
    base: Pick<ExplainedPart, 'kind' | 'offset' | 'length'>,
  ): ExplainedPart => {
    const layers: Layer[] = [];
    const inPlace = wire.length - at >= apdu.length && apdu.every((byte, i) => wire[at + i] === byte);
    if (inPlace) replaceBy(fields, at, at + apdu.length, shift(apduFields(apdu), at));
    layers.push({ name: 'on the wire', bytes: wire, fields });
    if (!inPlace) layers.push({ name: 'joined from segments', bytes: apdu, fields: apduFields(apdu) });
    const found = inside(apdu, direction, layers, opener, blocks);
    return { ...base, ...found, layers };
  };

  return {
    add(bytes, direction) {
      const carriers = carriersOf(bytes, options.kind, options.maxParts, last);
      last = carriers.at(-1)?.kind;
      return carriers.map((c) => {
        const own = bytes.subarray(c.start, c.end);
        const base = { kind: c.kind, offset: c.start, length: own.length };
        if (c.kind === 'unknown') {
          const fields = [{ path: 'unknown', offset: 0, length: own.length, text: c.why ?? 'unknown' }];
          return {
            ...base,
            direction,
            title: 'unknown',
            layers: [{ name: 'as given', bytes: own, fields }],
            hint: c.why ?? '',
          };
        }
        const told = port(own, c);
        if (told) return { ...base, ...told, direction: direction ?? told.direction };
        if (c.kind === 'data')
          return {
            ...base,
            direction,
            title: 'value',
            layers: [{ name: 'as given', bytes: own, fields: explainValue(own) }],
          };
        if (c.kind === 'apdu')
          return whole(own, [{ path: 'apdu', offset: 0, length: own.length, text: '' }], 0, own, direction, base);
        return link(bytes, c, direction);
      });
    },
  };
}

/** An M-Bus frame without the transport of DLMS, and with an APDU in it all the same. */
function carriesApdu(own: Uint8Array): boolean {
  const ci = own[6] as number;
  const ofMaster = (ci & ~7) === 0x50 || (ci & ~7) === 0xb8;
  return own.length > 9 && ciText(ci) === '' && !ofMaster && isApduTag(own[7]);
}

function linkFields(own: Uint8Array, c: Carried): MessageField[] {
  if (c.kind === 'hdlc') return [...explainFrame(own)];
  if (c.kind === 'mbus') return [...explainLongFrame(own)];
  return [...explainWrapper(own)];
}

function apduFields(apdu: Uint8Array): MessageField[] {
  if (isTelegram(apdu)) return telegramFields(apdu);
  return apdu[0] === APDU.dataNotification ? explainNotification(apdu) : explainApdu(apdu);
}

/** Title, text and hint of an APDU; adds a layer for each envelope that is opened and for values that blocks made whole. */
function inside(
  bytes: Uint8Array,
  said: Direction | undefined,
  layers: Layer[],
  opener: Opener,
  blocks: Pieces,
): Pick<ExplainedPart, 'title' | 'text' | 'hint' | 'direction'> {
  let direction = said;
  let apdu = bytes;
  const titles: string[] = [];
  let text: string | undefined;
  let hint: string | undefined;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (depth > 0 && isTelegram(apdu)) {
      titles.push(telegramTitle(layers.at(-1)?.fields ?? []));
      break;
    }
    let decoded: Apdu;
    try {
      decoded = decodeApdu(apdu);
      text = apduText(decoded);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      titles.push('damaged APDU');
      hint = error.message;
      break;
    }
    direction ??= directionOf(decoded) ?? ('systemTitle' in decoded ? opener.sender(decoded.systemTitle) : undefined);
    titles.push(titleOf(decoded));
    learn(decoded, direction, opener);
    let next: Uint8Array | undefined;
    let name = 'deciphered';
    if (decoded.type === 'general-block-transfer') {
      // An empty block only acknowledges.
      if (decoded.block.length === 0) break;
      next = blocks.join(`gbt ${direction}`, decoded.block.slice(), !decoded.lastBlock);
      name = 'joined from blocks';
    } else {
      const value = blockOf(decoded);
      if (value) {
        const joined = blocks.join(`${value.key} ${direction}`, value.raw.slice(), !value.last);
        if (joined && value.number > 1)
          layers.push({ name: 'value joined from blocks', bytes: joined, fields: explainValue(joined) });
      }
      const sealed = 'userInformation' in decoded ? decoded.userInformation : apdu;
      const opened = sealed && openSafely(opener, sealed, direction ?? 'out');
      next = opened?.plain;
      hint = opened?.hint ?? hint;
      if (next && sealed !== apdu) name = 'user-information, deciphered';
    }
    if (!next) break;
    layers.push({ name, bytes: next, fields: apduFields(next) });
    apdu = next;
  }
  return {
    direction,
    title: titles.join(' > '),
    ...(text === undefined ? {} : { text }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function openSafely(opener: Opener, apdu: Uint8Array, direction: Direction) {
  try {
    return opener.open(apdu, direction);
  } catch (error) {
    if (error instanceof DecodeError) return { hint: error.message, plain: undefined };
    throw error;
  }
}

function learn(apdu: Apdu, direction: Direction | undefined, opener: Opener): void {
  if (apdu.type === 'aarq' && apdu.callingApTitle) opener.learnTitle('out', apdu.callingApTitle);
  if (apdu.type === 'aare' && apdu.respondingApTitle) opener.learnTitle('in', apdu.respondingApTitle);
  if (apdu.type === 'initiate-request' && apdu.dedicatedKey && direction !== 'in')
    opener.learnDedicatedKey(apdu.dedicatedKey);
}

/** The part of a longer value that an APDU carries. */
function blockOf(apdu: Apdu): { key: string; raw: Uint8Array; last: boolean; number: number } | undefined {
  if (apdu.type === 'get-response-with-datablock')
    return 'raw' in apdu.result
      ? { key: 'get', raw: apdu.result.raw, last: apdu.lastBlock, number: apdu.blockNumber }
      : undefined;
  if (
    apdu.type === 'action-response-with-pblock' ||
    apdu.type === 'set-request-with-first-datablock' ||
    apdu.type === 'set-request-with-datablock' ||
    apdu.type === 'action-request-with-first-pblock' ||
    apdu.type === 'action-request-with-pblock'
  )
    return { key: apdu.type.slice(0, 3), raw: apdu.raw, last: apdu.lastBlock, number: apdu.blockNumber };
  return undefined;
}

function directionOf(apdu: Apdu): Direction | undefined {
  const type = apdu.type === 'ciphered' ? `-${serviceOfCiphered(apdu.tag)?.service ?? ''}` : apdu.type;
  if (type === 'aarq' || type === 'rlrq' || type.includes('-request')) {
    // What a meter sends unasked is called a request as well.
    return /event-notification|information-report/.test(type) ? 'in' : 'out';
  }
  if (type === 'aare' || type === 'rlre' || type.includes('-response') || type === 'confirmed-service-error')
    return 'in';
  return type === 'data-notification' ? 'in' : type === 'data-notification-confirm' ? 'out' : undefined;
}

const describeAttribute = (a: AttributeDescriptor): string =>
  `${obisFromBytes(a.instanceId)} attribute ${a.attributeId}`;
const describeMethod = (m: MethodDescriptor): string => `${obisFromBytes(m.instanceId)} method ${m.methodId}`;

function titleOf(apdu: Apdu): string {
  if ('attribute' in apdu) return `${apdu.type} ${describeAttribute(apdu.attribute)}`;
  if ('method' in apdu) return `${apdu.type} ${describeMethod(apdu.method)}`;
  if ('attributes' in apdu) return `${apdu.type} of ${apdu.attributes.length}`;
  if ('blockNumber' in apdu) return `${apdu.type} ${apdu.blockNumber}`;
  return apdu.type.length === 4 ? apdu.type.toUpperCase() : apdu.type;
}

interface Pieces {
  /** @returns everything under this key once there is no more, copied together */
  join(key: string, piece: Uint8Array, more: boolean): Uint8Array | undefined;
  count(key: string): number;
}

function createPieces(): Pieces {
  const held = new Map<string, { parts: Uint8Array[]; size: number }>();
  return {
    join(key, piece, more) {
      const found = held.get(key) ?? { parts: [], size: 0 };
      found.parts.push(piece);
      found.size += piece.length;
      // Keys come from addresses on the wire; a stream that never ends a transfer must not pile up.
      if (found.size > MAX_JOINED || held.size > 64) held.clear();
      if (more) {
        held.set(key, found);
        return undefined;
      }
      held.delete(key);
      return joinParts(found.parts, found.size);
    },
    count: (key) => held.get(key)?.parts.length ?? 0,
  };
}
