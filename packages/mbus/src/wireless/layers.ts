/**
 * The layers between a wireless frame and its records: extended link layer (EN 13757-4 clause 13), authentication and
 * fragmentation layer (EN 13757-7 clause 6), transport layer headers (EN 13757-7 clause 7).
 *
 * Decides: where each field stands and which address holds (the innermost that is there). Nothing is deciphered here: an ELL
 * with a session number, and a transport layer with a security mode, give the place of their enciphered octets.
 * Leaves out: the network layer (CI 81), DLMS over wireless M-Bus (CI 60, 61, 7C, 7D are told as what they are).
 */
import { DecodeError } from '@amiable/bytes';
import { controlName, LINK_HEADER } from './frame.ts';

/** Manufacturer (2), identification (4), version, device type. */
export const ADDRESS = 8;

/** 8 octets as every key derivation wants them; the letters and digits are made on demand. */
export interface LinkHeader {
  readonly control: number;
  readonly controlName: string | undefined;
  /** A copy of M (2) and A (6). */
  readonly address: Uint8Array;
}

export interface ExtendedLink {
  readonly ci: number;
  readonly communicationControl: number;
  readonly accessNumber: number;
  /** Of the meter, where the frame was sent by somebody else (CI 8E, 8F). */
  readonly address?: Uint8Array;
  /** CI 8D, 8F: what follows is, by bits 29 to 31, plain (0) or enciphered with AES-128-CTR (1). */
  readonly session?: { readonly number: number; readonly encryption: number };
  /** Where the octets behind it begin; with a session the CRC stands there. */
  readonly end: number;
}

export interface AuthenticationLink {
  /** FCL: fragmentation control. */
  readonly fragment: number;
  readonly moreFragments: boolean;
  /** MCL: message control; AT (type of the MAC) in its low half. */
  readonly messageControl?: number;
  readonly keyInformation?: number;
  readonly messageCounter?: number;
  readonly mac?: Uint8Array;
  readonly messageLength?: number;
  readonly end: number;
}

export interface TransportHeader {
  readonly ci: number;
  readonly kind: 'long' | 'short' | 'none';
  /** The octets of the meter's address in the order of a link header; long headers only. */
  readonly address: Uint8Array | undefined;
  readonly accessNumber: number;
  readonly status: number;
  readonly configuration: number;
  /** Bits 8 to 12 of the configuration. */
  readonly mode: number;
  /** Octets that the mode enciphers, from `end` on. */
  readonly enciphered: number;
  /** Mode 7, 10, 13: the octet that follows the configuration. */
  readonly extension: number | undefined;
  /** Where the application's octets begin. */
  readonly end: number;
}

const u16 = (b: Uint8Array, at: number): number => (b[at] as number) | ((b[at + 1] as number) << 8);
const u32 = (b: Uint8Array, at: number): number => (u16(b, at) | (u16(b, at + 2) << 16)) >>> 0;

function need(bytes: Uint8Array, at: number, octets: number, what: string): void {
  if (at + octets > bytes.length) throw new DecodeError('truncated', `${what} is cut`, bytes.length);
}

/** The first 10 octets of a bare frame. @throws DecodeError `truncated` */
export function linkHeader(bytes: Uint8Array): LinkHeader {
  need(bytes, 0, LINK_HEADER, 'the link header');
  const control = bytes[1] as number;
  return { control, controlName: controlName(control), address: bytes.slice(2, 2 + ADDRESS) };
}

export function isExtendedLink(ci: number): boolean {
  return ci >= 0x8c && ci <= 0x8f;
}

/** The ELL whose CI stands at `at`. @throws DecodeError `truncated` */
export function extendedLink(bytes: Uint8Array, at: number): ExtendedLink {
  const ci = bytes[at] as number;
  const withAddress = ci === 0x8e || ci === 0x8f;
  const withSession = ci === 0x8d || ci === 0x8f;
  need(bytes, at, 3 + (withAddress ? ADDRESS : 0) + (withSession ? 4 : 0), 'the extended link layer');
  let next = at + 3;
  const head = { ci, communicationControl: bytes[at + 1] as number, accessNumber: bytes[at + 2] as number };
  const address = withAddress ? bytes.slice(next, next + ADDRESS) : undefined;
  if (withAddress) next += ADDRESS;
  const number = withSession ? u32(bytes, next) : 0;
  if (withSession) next += 4;
  return {
    ...head,
    ...(address ? { address } : {}),
    ...(withSession ? { session: { number, encryption: number >>> 29 } } : {}),
    end: next,
  };
}

export const AFL_CI = 0x90;
/** Octets of MAC by AT of the message control: AES-CMAC-128 cut to 2, 4, 8, 12, 16; 8 is GMAC of 12. */
const MAC_LENGTHS: Readonly<Record<number, number>> = { 3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12 };

/** The AFL whose CI stands at `at`. @throws DecodeError `truncated`, `afl` */
export function authenticationLink(bytes: Uint8Array, at: number): AuthenticationLink {
  need(bytes, at, 4, 'the authentication and fragmentation layer');
  const end = at + 2 + (bytes[at + 1] as number);
  need(bytes, end, 0, 'the authentication and fragmentation layer');
  const control = u16(bytes, at + 2);
  let next = at + 4;
  const take = (octets: number): number => {
    const from = next;
    next += octets;
    if (next > end) throw new DecodeError('afl', 'the layer is shorter than its fields', from);
    return from;
  };
  let messageControl: number | undefined;
  let keyInformation: number | undefined;
  let messageCounter: number | undefined;
  let mac: Uint8Array | undefined;
  let messageLength: number | undefined;
  if (control & 0x2000) messageControl = bytes[take(1)] as number;
  if (control & 0x0200) keyInformation = u16(bytes, take(2));
  if (control & 0x0800) messageCounter = u32(bytes, take(4));
  if (control & 0x0400) {
    const rest = end - next - (control & 0x1000 ? 2 : 0);
    const octets = MAC_LENGTHS[(messageControl ?? 0) & 0x0f] ?? Math.max(0, rest);
    const from = take(octets);
    mac = bytes.slice(from, from + octets);
  }
  if (control & 0x1000) messageLength = u16(bytes, take(2));
  return {
    fragment: control & 0xff,
    moreFragments: (control & 0x4000) !== 0,
    ...(messageControl === undefined ? {} : { messageControl }),
    ...(keyInformation === undefined ? {} : { keyInformation }),
    ...(messageCounter === undefined ? {} : { messageCounter }),
    ...(mac === undefined ? {} : { mac }),
    ...(messageLength === undefined ? {} : { messageLength }),
    end,
  };
}

/** What a CI field announces: its header, and what follows (EN 13757-7 table 2). */
export interface ControlInformation {
  readonly kind: 'long' | 'short' | 'none';
  readonly content:
    | 'records'
    | 'compact'
    | 'format'
    | 'command'
    | 'error'
    | 'alarm'
    | 'dlms'
    | 'obis'
    | 'clock'
    | 'network'
    | 'pure'
    | 'reset'
    | 'select';
}

const CIS: readonly (readonly [number, ControlInformation['kind'], ControlInformation['content']])[] = [
  [0x50, 'none', 'reset'],
  [0x51, 'none', 'command'],
  [0x52, 'none', 'select'],
  [0x53, 'long', 'reset'],
  [0x54, 'short', 'reset'],
  [0x55, 'long', 'select'],
  [0x56, 'short', 'select'],
  [0x5a, 'short', 'command'],
  [0x5b, 'long', 'command'],
  [0x60, 'long', 'dlms'],
  [0x61, 'short', 'dlms'],
  [0x64, 'long', 'obis'],
  [0x65, 'short', 'obis'],
  [0x69, 'none', 'format'],
  [0x6a, 'short', 'format'],
  [0x6b, 'long', 'format'],
  [0x6c, 'long', 'clock'],
  [0x6d, 'long', 'clock'],
  [0x6e, 'short', 'error'],
  [0x6f, 'long', 'error'],
  [0x70, 'none', 'error'],
  [0x71, 'none', 'alarm'],
  [0x72, 'long', 'records'],
  [0x73, 'long', 'compact'],
  [0x74, 'short', 'alarm'],
  [0x75, 'long', 'alarm'],
  [0x78, 'none', 'records'],
  [0x79, 'none', 'compact'],
  [0x7a, 'short', 'records'],
  [0x7b, 'short', 'compact'],
  [0x7c, 'long', 'dlms'],
  [0x7d, 'short', 'dlms'],
  [0x7e, 'long', 'obis'],
  [0x7f, 'short', 'obis'],
  [0x80, 'long', 'pure'],
  [0x8a, 'short', 'pure'],
  [0x8b, 'long', 'pure'],
];
const BY_CI: (ControlInformation | undefined)[] = Array.from({ length: 256 }, () => undefined);
for (const [ci, kind, content] of CIS) BY_CI[ci] = { kind, content };

/** Undefined for a CI that announces nothing known; A0 to B7 are the makers' own. */
export function controlInformation(ci: number): ControlInformation | undefined {
  return BY_CI[ci];
}

export function isManufacturerCi(ci: number): boolean {
  return ci >= 0xa0 && ci <= 0xb7;
}

/** Identification, manufacturer, version, device type of a long header in the order of a link header. */
function addressOfLong(bytes: Uint8Array, at: number): Uint8Array {
  const address = new Uint8Array(ADDRESS);
  address.set(bytes.subarray(at + 4, at + 6));
  address.set(bytes.subarray(at, at + 4), 2);
  address.set(bytes.subarray(at + 6, at + 8), 6);
  return address;
}

/** The transport header whose CI stands at `at`. @throws DecodeError `truncated` */
export function transportHeader(bytes: Uint8Array, at: number, kind: TransportHeader['kind']): TransportHeader {
  let next = at + 1;
  let address: Uint8Array | undefined;
  let accessNumber = 0;
  let status = 0;
  let configuration = 0;
  let mode = 0;
  let enciphered = 0;
  let extension: number | undefined;
  if (kind === 'long') {
    need(bytes, next, 12, 'the long header');
    address = addressOfLong(bytes, next);
    next += 8;
  }
  if (kind !== 'none') {
    need(bytes, next, 4, 'the short header');
    accessNumber = bytes[next] as number;
    status = bytes[next + 1] as number;
    configuration = u16(bytes, next + 2);
    mode = (configuration >> 8) & 0x1f;
    next += 4;
    if (mode === 4 || mode === 5 || mode === 7) enciphered = 16 * ((configuration >> 4) & 0x0f);
    if (mode === 7 || mode === 13) {
      need(bytes, next, 1, 'the configuration field extension');
      extension = bytes[next++] as number;
      // TLS counts octets in the whole low octet.
      if (mode === 13) enciphered = configuration & 0xff;
    }
  }
  const ci = bytes[at] as number;
  return { ci, kind, address, accessNumber, status, configuration, mode, enciphered, extension, end: next };
}
