/**
 * The parameters of a link, negotiated in the information fields of SNRM and UA (IEC 62056-46 clause 6.4.4.4.3.2;
 * ISO/IEC 13239 clause 5.5.3):
 *
 *     81 (format) 80 (group) LL | 05 max. information field, transmit | 06 …, receive | 07 window, transmit | 08 …, receive
 *
 * each as identifier, length, value. "Transmit" and "receive" are those of the sender of the field. Values are met in one
 * to four octets. An absent field or parameter means the default: 128 octets, window 1. What is negotiated for a
 * direction is the smaller of what one end transmits and the other receives.
 *
 * Left out: groups other than 80 (user data), which are passed over.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';

/** What one end can do; what is left out is the default. */
export interface HdlcLimits {
  /** Octets of an information field that this end sends at most, 32 to 2030. */
  readonly maxInfoTransmit?: number;
  /** Octets of an information field that this end takes at most, 32 to 2030. */
  readonly maxInfoReceive?: number;
  /** I frames that this end sends before it wants an acknowledgement, 1 to 7. */
  readonly windowTransmit?: number;
  readonly windowReceive?: number;
}

/** All four, as one end sees them. */
export type HdlcParameters = Required<HdlcLimits>;

export const DEFAULT_PARAMETERS: HdlcParameters = {
  maxInfoTransmit: 128,
  maxInfoReceive: 128,
  windowTransmit: 1,
  windowReceive: 1,
};

/** The largest information field that the length field of a frame with the longest addresses has room for. */
export const MAX_INFO = 2030;
/** The least that IEC 62056-62 lets an end be set to. */
const MIN_OWN_INFO = 32;
/** The least that is obeyed of a peer: LLC octets and some data. */
const MIN_PEER_INFO = 8;
const FORMAT = 0x81;
const GROUP = 0x80;

const NAMES: Record<number, keyof HdlcParameters> = {
  5: 'maxInfoTransmit',
  6: 'maxInfoReceive',
  7: 'windowTransmit',
  8: 'windowReceive',
};

const TEXTS: Record<keyof HdlcParameters, string> = {
  maxInfoTransmit: 'maximum information field length, transmit',
  maxInfoReceive: 'maximum information field length, receive',
  windowTransmit: 'window size, transmit',
  windowReceive: 'window size, receive',
};

/** One parameter of a field, where it stands. */
interface Found {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
  readonly value: number;
}

/** Visits what an information field holds. @throws DecodeError */
function parse(info: Uint8Array, visit: (p: Found) => void, group?: (id: number, at: number, length: number) => void) {
  if (info[0] !== FORMAT)
    throw new DecodeError('format', `format identifier is ${info[0]?.toString(16)}, not 81: no negotiation field`, 0);
  let at = 1;
  while (at < info.length) {
    const id = info[at] as number;
    const length = info[at + 1];
    if (length === undefined || at + 2 + length > info.length)
      throw new DecodeError('truncated', `group ${id.toString(16)} is longer than its field`, at);
    group?.(id, at, length);
    const end = at + 2 + length;
    if (id === GROUP) parseGroup(info, at + 2, end, visit);
    at = end;
  }
}

function parseGroup(info: Uint8Array, from: number, end: number, visit: (p: Found) => void): void {
  for (let at = from; at < end; ) {
    const length = info[at + 1];
    if (at + 1 >= end || length === undefined || at + 2 + length > end)
      throw new DecodeError('truncated', 'parameter is longer than its group', at);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + (info[at + 2 + i] as number);
    visit({ id: info[at] as number, offset: at, length: 2 + length, value });
    at += 2 + length;
  }
}

/**
 * Reads the information field of an SNRM or UA; an empty one holds the defaults. Values beyond the standard (9999 octets
 * are met) are cut to its limits; values too small to work with are refused. @throws DecodeError
 */
export function decodeParameters(info: Uint8Array): HdlcParameters {
  if (info.length === 0) return DEFAULT_PARAMETERS;
  const out: { -readonly [K in keyof HdlcParameters]: number } = { ...DEFAULT_PARAMETERS };
  parse(info, (p) => {
    const name = NAMES[p.id];
    if (name === undefined) return;
    const isWindow = p.id >= 7;
    if (p.value < (isWindow ? 1 : MIN_PEER_INFO))
      throw new DecodeError('value', `${TEXTS[name]} of ${p.value} lets nothing pass`, p.offset);
    out[name] = Math.min(p.value, isWindow ? 7 : MAX_INFO);
  });
  return out;
}

/** The field that says these parameters: lengths in as few octets as they need, windows in four, as meters expect them. */
export function encodeParameters(p: HdlcParameters): Uint8Array {
  const out = [FORMAT, GROUP, 0];
  for (const [id, value] of [
    [5, p.maxInfoTransmit],
    [6, p.maxInfoReceive],
  ] as const) {
    if (value > 255) out.push(id, 2, value >> 8, value & 0xff);
    else out.push(id, 1, value);
  }
  out.push(7, 4, 0, 0, 0, p.windowTransmit, 8, 4, 0, 0, 0, p.windowReceive);
  out[2] = out.length - 3;
  return Uint8Array.from(out);
}

/** What one end has to keep to, from what it can do and what the other said. */
export function negotiate(own: HdlcParameters, peer: HdlcParameters): HdlcParameters {
  return {
    maxInfoTransmit: Math.min(own.maxInfoTransmit, peer.maxInfoReceive),
    maxInfoReceive: Math.min(own.maxInfoReceive, peer.maxInfoTransmit),
    windowTransmit: Math.min(own.windowTransmit, peer.windowReceive),
    windowReceive: Math.min(own.windowReceive, peer.windowTransmit),
  };
}

export function sameParameters(a: HdlcParameters, b: HdlcParameters): boolean {
  return (
    a.maxInfoTransmit === b.maxInfoTransmit &&
    a.maxInfoReceive === b.maxInfoReceive &&
    a.windowTransmit === b.windowTransmit &&
    a.windowReceive === b.windowReceive
  );
}

/** Limits with defaults filled in. @throws MisuseError outside of what the standard allows */
export function ownParameters(limits: HdlcLimits = {}): HdlcParameters {
  const p = { ...DEFAULT_PARAMETERS, ...limits };
  for (const id of [5, 6, 7, 8]) {
    const name = NAMES[id] as keyof HdlcParameters;
    const [low, high] = id >= 7 ? [1, 7] : [MIN_OWN_INFO, MAX_INFO];
    if (!Number.isInteger(p[name]) || p[name] < low || p[name] > high)
      throw new MisuseError(`${TEXTS[name]} is ${low} to ${high}, not ${p[name]}`);
  }
  return p;
}

/** (path, offset, length, text) of every octet of the field; `add` gets offsets within it. Damage is told, not thrown. */
export function explainParameters(
  info: Uint8Array,
  add: (path: string, offset: number, length: number, text: string) => void,
): void {
  let done = 0;
  const say = (path: string, offset: number, length: number, text: string) => {
    add(path, offset, length, text);
    done = offset + length;
  };
  try {
    if (info[0] === FORMAT) say('format', 0, 1, 'format identifier 81: negotiation of parameters');
    parse(
      info,
      (p) => {
        const name = NAMES[p.id];
        const what = name === undefined ? `parameter ${p.id}, unknown:` : TEXTS[name];
        const path = name?.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`) ?? 'parameter';
        say(path, p.offset, p.length, `${what} ${p.value}`);
      },
      (id, at, length) => {
        if (id === GROUP) say('group', at, 2, `group 80: HDLC parameters, ${length} octets`);
        else say('group', at, 2 + length, `group ${id.toString(16).toUpperCase()}, passed over`);
      },
    );
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    if (info.length > done) say('error', done, info.length - done, `no parameters: ${e.message}`);
  }
}
