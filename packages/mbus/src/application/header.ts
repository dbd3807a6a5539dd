/**
 * Headers of the application layer (EN 13757-3 clause 5): the long one (identification, manufacturer, version, medium, access
 * number, status, configuration) and the short one; letters of the manufacturer and words of the medium.
 *
 * Leaves out: what the configuration means (security), and the old fixed structure (fixed.ts).
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import type { MbusHeader, ShortHeader } from './types.ts';

export const LONG_HEADER = 12;
export const SHORT_HEADER = 4;

/** Device types (EN 13757-7 table 13; formerly "medium"). */
export const MEDIA: readonly string[] = (() => {
  const media: string[] = Array.from({ length: 256 }, () => 'Reserved');
  const names: readonly (readonly [number, string])[] = [
    [0x00, 'Other'],
    [0x01, 'Oil'],
    [0x02, 'Electricity'],
    [0x03, 'Gas'],
    [0x04, 'Heat (outlet)'],
    [0x05, 'Steam'],
    [0x06, 'Warm water'],
    [0x07, 'Water'],
    [0x08, 'Heat cost allocator'],
    [0x09, 'Compressed air'],
    [0x0a, 'Cooling (outlet)'],
    [0x0b, 'Cooling (inlet)'],
    [0x0c, 'Heat (inlet)'],
    [0x0d, 'Heat and cooling'],
    [0x0e, 'Bus or system component'],
    [0x0f, 'Unknown'],
    [0x10, 'Irrigation water'],
    [0x11, 'Water data logger'],
    [0x12, 'Gas data logger'],
    [0x13, 'Gas converter'],
    [0x14, 'Calorific value'],
    [0x15, 'Hot water'],
    [0x16, 'Cold water'],
    [0x17, 'Hot and cold water'],
    [0x18, 'Pressure'],
    [0x19, 'A/D converter'],
    [0x1a, 'Smoke detector'],
    [0x1b, 'Room sensor'],
    [0x1c, 'Gas detector'],
    [0x20, 'Breaker (electricity)'],
    [0x21, 'Valve (gas or water)'],
    [0x25, 'Customer unit (display)'],
    [0x28, 'Waste water'],
    [0x29, 'Garbage'],
    [0x2a, 'Carbon dioxide'],
    [0x31, 'Communication controller'],
    [0x32, 'Unidirectional repeater'],
    [0x33, 'Bidirectional repeater'],
    [0x36, 'Radio converter (system side)'],
    [0x37, 'Radio converter (meter side)'],
    [0x38, 'Wired adapter'],
  ];
  for (const [code, name] of names) media[code] = name;
  return media;
})();

/** The three letters of a manufacturer (FLAG association): 5 bits each, 1 is A. */
export function manufacturerOf(code: number): string {
  return String.fromCharCode(((code >> 10) & 0x1f) + 64, ((code >> 5) & 0x1f) + 64, (code & 0x1f) + 64);
}

/** @throws MisuseError when it is not three letters A to Z */
export function manufacturerCode(letters: string): number {
  if (!/^[@-_]{3}$/.test(letters)) throw new MisuseError(`a manufacturer is three capital letters, not ${letters}`);
  return ((letters.charCodeAt(0) - 64) << 10) | ((letters.charCodeAt(1) - 64) << 5) | (letters.charCodeAt(2) - 64);
}

const DIGITS = Array.from({ length: 256 }, (_, i) => i.toString(16).toUpperCase().padStart(2, '0'));

/** The 8 digits at `at`, least significant octet first; digits beyond 9 are printed as A to F. */
export function identificationAt(bytes: Uint8Array, at: number): string {
  return (
    (DIGITS[bytes[at + 3] as number] as string) +
    (DIGITS[bytes[at + 2] as number] as string) +
    (DIGITS[bytes[at + 1] as number] as string) +
    (DIGITS[bytes[at] as number] as string)
  );
}

const u16le = (b: Uint8Array, at: number): number => (b[at] as number) | ((b[at + 1] as number) << 8);

/** Reads the 12 octets at `at`. @throws DecodeError `truncated` */
export function decodeLongHeader(bytes: Uint8Array, at = 0, end = bytes.length): MbusHeader {
  if (end - at < LONG_HEADER)
    throw new DecodeError(
      'truncated',
      `a long header has ${LONG_HEADER} octets, ${Math.max(0, end - at)} are here`,
      at,
    );
  return {
    identification: identificationAt(bytes, at),
    manufacturer: manufacturerOf(u16le(bytes, at + 4)),
    version: bytes[at + 6] as number,
    medium: bytes[at + 7] as number,
    accessNumber: bytes[at + 8] as number,
    status: bytes[at + 9] as number,
    configuration: u16le(bytes, at + 10),
  };
}

/** Reads the 4 octets at `at`. @throws DecodeError `truncated` */
export function decodeShortHeader(bytes: Uint8Array, at = 0, end = bytes.length): ShortHeader {
  if (end - at < SHORT_HEADER)
    throw new DecodeError(
      'truncated',
      `a short header has ${SHORT_HEADER} octets, ${Math.max(0, end - at)} are here`,
      at,
    );
  return {
    accessNumber: bytes[at] as number,
    status: bytes[at + 1] as number,
    configuration: u16le(bytes, at + 2),
  };
}

/** Identification as its 4 octets. @throws MisuseError when it is not 8 digits (0 to 9, A to F) */
export function encodeIdentification(identification: string): Uint8Array {
  if (!/^[0-9A-Fa-f]{8}$/.test(identification))
    throw new MisuseError(`an identification has 8 digits, not ${identification}`);
  const out = new Uint8Array(4);
  for (let i = 0; i < 4; i++) out[3 - i] = Number.parseInt(identification.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** The 12 octets of a long header. @throws MisuseError */
export function encodeLongHeader(header: MbusHeader): Uint8Array {
  const out = new Uint8Array(LONG_HEADER);
  const maker = manufacturerCode(header.manufacturer);
  out.set(encodeIdentification(header.identification));
  out.set(
    [
      maker & 0xff,
      maker >> 8,
      header.version,
      header.medium,
      header.accessNumber,
      header.status,
      header.configuration & 0xff,
      header.configuration >> 8,
    ],
    4,
  );
  return out;
}

/** What the status octet says (EN 13757-3 clause 5.6), for a person; empty when all is well. */
export function statusTexts(status: number): string[] {
  const texts: string[] = [];
  const application = status & 0x03;
  if (application === 1) texts.push('application busy');
  if (application === 2) texts.push('application error');
  if (application === 3) texts.push('abnormal condition or alarm');
  if (status & 0x04) texts.push('power low');
  if (status & 0x08) texts.push('permanent error');
  if (status & 0x10) texts.push('temporary error');
  if (status & 0xe0) texts.push(`maker's bits ${(status & 0xe0).toString(16).toUpperCase()}`);
  return texts;
}
