/**
 * A wireless telegram as octets, for simulators and tests: link header, extended link layer, authentication layer, transport header,
 * and the application's octets enciphered as asked for.
 *
 * Decides: the fewest layers that the asked-for security needs. Leaves out: fragmentation, the partner's telegrams, preambles.
 */
import { crc16En13757, MisuseError } from '@amiable/bytes';
import { encodeIdentification, manufacturerCode } from '../application/header.ts';
import { type MbusCrypto, softwareAes } from './aes.ts';
import { compactOf } from './compact.ts';
import { encodeWirelessFrame, type WirelessForm } from './frame.ts';
import type { AuthenticationLink, TransportHeader } from './layers.ts';
import { aflMac, deriveKey, ellCipher, transportEncipher } from './security.ts';

export interface WirelessMeter {
  /** 8 digits. */
  readonly identification: string;
  /** 3 letters. */
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: number;
}

export type WirelessSecurity =
  | { readonly mode: 'none' }
  /** Transport layer, AES-CBC with an initial value of address and access number. */
  | { readonly mode: 5; readonly key: Uint8Array }
  /** Transport layer with a key derived for each message, and a MAC. */
  | { readonly mode: 7; readonly key: Uint8Array; readonly messageCounter: number }
  /** Extended link layer, AES-CTR. `session` are the lower 29 bits of the session number. */
  | { readonly mode: 'ell'; readonly key: Uint8Array; readonly session: number };

export interface TelegramToSend {
  /** C field; 44 (SND_NR) unless given. */
  readonly control?: number;
  /** Who sends on the radio. */
  readonly meter: WirelessMeter;
  /** The meter behind a radio module: then the transport header is the long one. */
  readonly behind?: WirelessMeter;
  readonly accessNumber: number;
  readonly status?: number;
  /** Standard records. */
  readonly records: Uint8Array;
  readonly security?: WirelessSecurity;
  /** Leave the record headers out (CI 79; with a header 7B or 73). */
  readonly compact?: boolean;
  readonly form?: WirelessForm;
  readonly crypto?: MbusCrypto;
}

const BLOCK = 16;
const FILLER = 0x2f;
const ELL_CRC = 2;

/** Manufacturer, identification, version, device type, as they stand in a link header. @throws MisuseError */
export function encodeLinkAddress({ identification, manufacturer, version, medium }: WirelessMeter): Uint8Array {
  const code = manufacturerCode(manufacturer);
  return Uint8Array.of(code & 0xff, code >> 8, ...encodeIdentification(identification), version, medium);
}

/** @throws MisuseError for what does not fit a frame */
export function encodeTelegram(telegram: TelegramToSend): Uint8Array {
  const { control = 0x44, meter, behind, security = { mode: 'none' }, crypto = softwareAes, form = 'bare' } = telegram;
  const address = encodeLinkAddress(meter);
  const owner = behind ? encodeLinkAddress(behind) : address;
  const content = telegram.compact ? compactOf(telegram.records) : telegram.records;
  let upper: Uint8Array;
  if (security.mode === 'ell') {
    const plain = Uint8Array.of(telegram.compact ? 0x79 : 0x78, ...content);
    const crc = crc16En13757(plain);
    const number = (0x2000_0000 | (security.session & 0x1fff_ffff)) >>> 0;
    const ell = {
      ci: 0x8d,
      communicationControl: 0x20,
      accessNumber: telegram.accessNumber,
      session: { number, encryption: 1 },
      end: 0,
    };
    const sealed = ellCipher(crypto, security.key, address, ell, Uint8Array.of(crc & 0xff, crc >> 8, ...plain));
    upper = Uint8Array.of(0x8d, ell.communicationControl, ell.accessNumber, ...le32(number), ...sealed);
    if (sealed.length !== plain.length + ELL_CRC) throw new MisuseError('the cipher changed the length');
  } else upper = transport(telegram, security, owner, content, crypto);
  const length = 9 + upper.length;
  if (length > 255) throw new MisuseError(`a frame has at most 256 bytes, not ${length + 1}`);
  return encodeWirelessFrame(Uint8Array.of(length, control, ...address, ...upper), form);
}

function le32(n: number): number[] {
  return [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24];
}

function transport(
  { behind, accessNumber, status = 0, compact }: TelegramToSend,
  security: Exclude<WirelessSecurity, { readonly mode: 'ell' }>,
  owner: Uint8Array,
  content: Uint8Array,
  crypto: MbusCrypto,
): Uint8Array {
  const ci = compact ? (behind ? 0x73 : 0x7b) : behind ? 0x72 : 0x7a;
  const kind = behind ? ('long' as const) : ('short' as const);
  const sealing = security.mode !== 'none';
  const blocks = sealing ? Math.ceil((content.length + 2) / BLOCK) : 0;
  if (blocks > 15) throw new MisuseError('at most 15 blocks of 16 bytes can be enciphered');
  const configuration = sealing ? (security.mode << 8) | (blocks << 4) : 0;
  const extension = security.mode === 7 ? 0x10 : undefined;
  const header: TransportHeader = {
    ci,
    kind,
    address: owner,
    accessNumber,
    status,
    configuration,
    mode: sealing ? security.mode : 0,
    enciphered: BLOCK * blocks,
    extension,
    end: 0,
  };
  const afl: AuthenticationLink | undefined =
    security.mode === 7
      ? {
          fragment: 0,
          moreFragments: false,
          messageControl: 0x25,
          messageCounter: security.messageCounter,
          mac: new Uint8Array(8),
          end: 0,
        }
      : undefined;
  let octets = content;
  if (sealing) {
    const padded = new Uint8Array(BLOCK * blocks).fill(FILLER);
    padded.set(content, 2);
    octets = transportEncipher(crypto, security.key, { header, address: owner, afl }, padded) as Uint8Array;
  }
  const long = behind ? [...owner.subarray(2, 6), ...owner.subarray(0, 2), ...owner.subarray(6, 8)] : [];
  const message = Uint8Array.of(
    ci,
    ...long,
    accessNumber,
    status,
    configuration & 0xff,
    configuration >> 8,
    ...(extension === undefined ? [] : [extension]),
    ...octets,
  );
  if (!afl || security.mode !== 7) return message;
  const macKey = deriveKey(crypto, security.key, 'mac', security.messageCounter, owner);
  const mac = aflMac(crypto, macKey, afl, message);
  // Control: message control, counter and MAC are there.
  return Uint8Array.of(0x90, 15, 0x00, 0x2c, 0x25, ...le32(security.messageCounter), ...mac, ...message);
}
