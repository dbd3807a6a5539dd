/**
 * A bare wireless frame opened: layer by layer down to the octets of the application, deciphered where a key fits.
 *
 * Decides: the order of layers (link, extended link, authentication, transport), whose address holds, which keys are tried, and
 * what "wrong key" means: keys were given for this meter and none yields what must stand there. Telegrams that stand in logs
 * deciphered behind headers that say enciphered are taken as they are. The result keeps every octet in its place: `bytes` is the
 * frame with plain octets instead of enciphered ones. Leaves out: fragments (fragments.ts), records, makers' payloads.
 */
import { DecodeError } from '@amiable/bytes';
import { identificationAt, manufacturerOf } from '../application/header.ts';
import type { MbusKeys } from '../application/types.ts';
import { DIEHL_DEFAULT_KEY, diehlAddress, diehlKind, diehlPlain } from '../drivers/diehl.ts';
import { type MbusCrypto, softwareAes } from './aes.ts';
import { LINK_HEADER } from './frame.ts';
import {
  AFL_CI,
  type AuthenticationLink,
  authenticationLink,
  type ControlInformation,
  controlInformation,
  type ExtendedLink,
  extendedLink,
  isExtendedLink,
  isManufacturerCi,
  type LinkHeader,
  linkHeader,
  type TransportHeader,
  transportHeader,
} from './layers.ts';
import { aflMac, beginsPlain, deriveKey, ellCipher, ellCrcFits, transportDecipher } from './security.ts';

export type Sealed = 'noKey' | 'wrongKey' | 'securityMode';

export interface Telegram {
  /** Octets of the frame, plain where a key opened them. */
  readonly bytes: Uint8Array;
  readonly link: LinkHeader;
  readonly extended: ExtendedLink | undefined;
  readonly authentication: AuthenticationLink | undefined;
  readonly transport: TransportHeader;
  /** What the CI of the transport layer announces; `maker` for A0 to B7. */
  readonly content: ControlInformation['content'] | 'maker' | 'unknown';
  /** Of the meter: manufacturer (2), identification (4), version, device type. */
  readonly address: Uint8Array;
  readonly identification: string;
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: number;
  /** Of the transport layer, else of the extended link layer. */
  readonly accessNumber: number;
  /** Where the application's octets begin. */
  readonly start: number;
  /** Set when the application's octets cannot be read. */
  readonly sealed: Sealed | undefined;
  /** The key that opened it. */
  readonly key: Uint8Array | undefined;
  /** A MAC came with it: whether it fits. Undefined when it could not be checked. */
  readonly authentic: boolean | undefined;
}

export interface OpenOptions {
  readonly keys?: MbusKeys | undefined;
  readonly crypto?: MbusCrypto | undefined;
}

const NO_KEYS: readonly Uint8Array[] = [];

/** The frame's layers up to and including the AFL: what is needed to know whether it is a fragment. */
export interface Envelope {
  readonly bytes: Uint8Array;
  readonly link: LinkHeader;
  readonly extended: ExtendedLink | undefined;
  readonly authentication: AuthenticationLink | undefined;
  readonly address: Uint8Array;
  /** Where the CI of the next layer stands. */
  readonly at: number;
  readonly sealed: Sealed | undefined;
  readonly key: Uint8Array | undefined;
}

/**
 * Link, extended link and authentication layer. @throws DecodeError `truncated`, `crc` (of the extended link layer), `afl`
 */
export function openEnvelope(frame: Uint8Array, options: OpenOptions = {}): Envelope {
  const link = linkHeader(frame);
  let bytes = frame;
  let at = LINK_HEADER;
  let address = link.address;
  let extended: ExtendedLink | undefined;
  let key: Uint8Array | undefined;
  if (at >= bytes.length) throw new DecodeError('truncated', 'there is no CI field', at);
  if (isExtendedLink(bytes[at] as number)) {
    extended = extendedLink(bytes, at);
    if (extended.address) address = extended.address;
    at = extended.end;
    if (extended.session) {
      if (at + 2 > bytes.length) throw new DecodeError('truncated', 'the extended link layer is cut', bytes.length);
      if (!ellCrcFits(bytes, at)) {
        if (extended.session.encryption === 0)
          throw new DecodeError('crc', 'the payload does not fit its CRC in the extended link layer', at);
        const candidates = keysFor(options, address);
        const opened = openSession(bytes, at, candidates, address, extended, options.crypto ?? softwareAes);
        if (!opened) {
          const sealed = candidates.length > 0 ? 'wrongKey' : 'noKey';
          return { bytes, link, extended, authentication: undefined, address, at: at + 2, sealed, key };
        }
        ({ bytes, key } = opened);
      }
      at += 2;
    }
  }
  let authentication: AuthenticationLink | undefined;
  if (bytes[at] === AFL_CI) {
    authentication = authenticationLink(bytes, at);
    at = authentication.end;
  }
  return { bytes, link, extended, authentication, address, at, sealed: undefined, key };
}

function keysFor({ keys }: OpenOptions, address: Uint8Array): readonly Uint8Array[] {
  if (!keys) return NO_KEYS;
  return keys.candidates(
    identificationAt(address, 2),
    manufacturerOf((address[0] as number) | ((address[1] as number) << 8)),
  );
}

function openSession(
  bytes: Uint8Array,
  at: number,
  candidates: readonly Uint8Array[],
  address: Uint8Array,
  ell: ExtendedLink,
  crypto: MbusCrypto,
): { bytes: Uint8Array; key: Uint8Array } | undefined {
  const octets = bytes.subarray(at);
  for (const key of candidates) {
    const plain = bytes.slice();
    plain.set(ellCipher(crypto, key, address, ell, octets), at);
    if (ellCrcFits(plain, at)) return { bytes: plain, key };
  }
  return undefined;
}

/**
 * @param frame bare: without CRCs
 * @throws DecodeError `truncated`, `crc`, `afl`, `ci` for one that announces nothing known
 */
export function openTelegram(frame: Uint8Array, options: OpenOptions = {}): Telegram {
  const diehl = diehlKind(frame);
  if (diehl === 'realData' || diehl === 'prios' || diehl === 'sapPrios' || diehl === 'scr')
    return openDiehl(frame, diehl, options);
  return openTransport(openEnvelope(frame, options), options);
}

/** From the transport layer on. @throws DecodeError `truncated`, `ci` */
export function openTransport(envelope: Envelope, options: OpenOptions = {}): Telegram {
  const { bytes, at, extended } = envelope;
  if (envelope.sealed) {
    const transport: TransportHeader = { ...NO_TRANSPORT, ci: 0, end: at };
    return telegram(envelope, transport, 'unknown', envelope.address, bytes, envelope.sealed, undefined, undefined);
  }
  const ci = bytes[at];
  if (ci === undefined) throw new DecodeError('truncated', 'there is no CI field', at);
  const information = controlInformation(ci);
  if (!information) {
    const content = isManufacturerCi(ci) ? 'maker' : undefined;
    if (!content) throw new DecodeError('ci', `CI field ${ci.toString(16).toUpperCase()} announces nothing known`, at);
    const transport: TransportHeader = { ...NO_TRANSPORT, ci, accessNumber: extended?.accessNumber ?? 0, end: at + 1 };
    return telegram(envelope, transport, content, envelope.address, bytes, undefined, envelope.key, undefined);
  }
  const transport = transportHeader(bytes, at, information.kind);
  const address = transport.address ?? envelope.address;
  const { content } = information;
  const isPlain = transport.enciphered === 0 || beginsPlain(bytes, transport.end);
  if (isPlain) {
    const sealed = transport.enciphered === 0 && unreadableMode(transport) ? 'securityMode' : undefined;
    return telegram(envelope, transport, content, address, bytes, sealed, envelope.key, undefined);
  }
  return openMode(envelope, transport, content, address, at, options);
}

const NO_TRANSPORT: TransportHeader = {
  ci: 0,
  kind: 'none',
  address: undefined,
  accessNumber: 0,
  status: 0,
  configuration: 0,
  mode: 0,
  enciphered: 0,
  extension: undefined,
  end: 0,
};

/** Modes that encipher in a way that is not done here: 2, 3 (DES), 8 to 10, 13 (TLS). From 16 on they are the makers' own. */
function unreadableMode({ mode }: TransportHeader): boolean {
  return mode === 2 || mode === 3 || (mode >= 8 && mode <= 13);
}

function openMode(
  envelope: Envelope,
  transport: TransportHeader,
  content: Telegram['content'],
  address: Uint8Array,
  at: number,
  options: OpenOptions,
): Telegram {
  const { bytes, authentication } = envelope;
  const seal = (sealed: Sealed) => telegram(envelope, transport, content, address, bytes, sealed, undefined, undefined);
  if (unreadableMode(transport)) return seal('securityMode');
  if (transport.end + transport.enciphered > bytes.length)
    throw new DecodeError('length', 'fewer octets than the configuration says are enciphered', bytes.length);
  const candidates = keysFor(options, address);
  const crypto = options.crypto ?? softwareAes;
  const octets = bytes.subarray(transport.end, transport.end + transport.enciphered);
  const tries = transport.mode === 5 && diehlKind(bytes) ? [...candidates, DIEHL_DEFAULT_KEY] : candidates;
  for (const key of tries) {
    const plain = transportDecipher(crypto, key, { header: transport, address, afl: authentication }, octets);
    if (!plain || !beginsPlain(plain)) continue;
    const opened = bytes.slice();
    opened.set(plain, transport.end);
    const authentic = authentication?.mac
      ? macFits(crypto, key, authentication, address, bytes.subarray(at))
      : undefined;
    return telegram(envelope, transport, content, address, opened, undefined, key, authentic);
  }
  return seal(candidates.length > 0 ? 'wrongKey' : 'noKey');
}

function macFits(
  crypto: MbusCrypto,
  key: Uint8Array,
  afl: AuthenticationLink,
  address: Uint8Array,
  message: Uint8Array,
): boolean {
  const macKey = deriveKey(crypto, key, 'mac', afl.messageCounter ?? 0, address);
  const due = aflMac(crypto, macKey, afl, message);
  const mac = afl.mac as Uint8Array;
  let different = due.length ^ mac.length;
  for (let i = 0; i < due.length; i++) different |= (due[i] as number) ^ (mac[i] ?? 0);
  return different === 0;
}

function openDiehl(frame: Uint8Array, kind: NonNullable<ReturnType<typeof diehlKind>>, options: OpenOptions): Telegram {
  const link = linkHeader(frame);
  const address = diehlAddress(frame, kind);
  const ci = frame[LINK_HEADER] as number;
  const standard = kind === 'realData' && ci === 0x7a;
  const transport = standard
    ? transportHeader(frame, LINK_HEADER, 'short')
    : { ...NO_TRANSPORT, ci, end: LINK_HEADER + 1 };
  const envelope: Envelope = {
    bytes: frame,
    link,
    extended: undefined,
    authentication: undefined,
    address,
    at: LINK_HEADER,
    sealed: undefined,
    key: undefined,
  };
  const content = standard ? 'records' : 'maker';
  const keys = keysFor(options, address);
  const plain = kind === 'scr' ? undefined : diehlPlain(frame, kind, keys);
  if (!plain) {
    const sealed = kind === 'scr' ? 'securityMode' : keys.length > 0 ? 'wrongKey' : 'noKey';
    return telegram(envelope, transport, content, address, frame, sealed, undefined, undefined);
  }
  const bytes = frame.slice();
  bytes.set(plain, 15);
  return telegram(envelope, transport, content, address, bytes, undefined, undefined, undefined);
}

/** Text is made when it is asked for: most who read telegrams have seen their meter before. */
class OpenedTelegram implements Telegram {
  readonly bytes: Uint8Array;
  readonly link: LinkHeader;
  readonly extended: ExtendedLink | undefined;
  readonly authentication: AuthenticationLink | undefined;
  readonly transport: TransportHeader;
  readonly content: Telegram['content'];
  readonly address: Uint8Array;
  readonly sealed: Sealed | undefined;
  readonly key: Uint8Array | undefined;
  readonly authentic: boolean | undefined;

  constructor(
    { link, extended, authentication }: Envelope,
    transport: TransportHeader,
    content: Telegram['content'],
    address: Uint8Array,
    bytes: Uint8Array,
    sealed: Sealed | undefined,
    key: Uint8Array | undefined,
    authentic: boolean | undefined,
  ) {
    this.bytes = bytes;
    this.link = link;
    this.extended = extended;
    this.authentication = authentication;
    this.transport = transport;
    this.content = content;
    this.address = address;
    this.sealed = sealed;
    this.key = key;
    this.authentic = authentic;
  }

  get identification(): string {
    return identificationAt(this.address, 2);
  }

  get manufacturer(): string {
    return manufacturerOf((this.address[0] as number) | ((this.address[1] as number) << 8));
  }

  get version(): number {
    return this.address[6] as number;
  }

  get medium(): number {
    return this.address[7] as number;
  }

  get accessNumber(): number {
    return this.transport.kind === 'none' ? (this.extended?.accessNumber ?? 0) : this.transport.accessNumber;
  }

  get start(): number {
    return this.transport.end;
  }
}

function telegram(
  envelope: Envelope,
  transport: TransportHeader,
  content: Telegram['content'],
  address: Uint8Array,
  bytes: Uint8Array,
  sealed: Sealed | undefined,
  key: Uint8Array | undefined,
  authentic: boolean | undefined,
): Telegram {
  return new OpenedTelegram(envelope, transport, content, address, bytes, sealed, key, authentic);
}
