/**
 * Encoded values that the meter gives often, made without detours (IEC 62056-5-3 clause 9.5, A-XDR; clock values after
 * IEC 62056-6-2 clause 4.1.6.1).
 *
 * Decides: times are octet-strings of 12 bytes in the meter's local time, with deviation and the clock's status.
 */
import { fromHex } from '@amiable/bytes';
import { localToUtc, toLocal, zoneOffset } from '@amiable/calendar';
import {
  CLOCK,
  type Data,
  type DlmsDateTime,
  dateTimeBytes,
  dateTimeOf,
  type EncodedData,
  octetString,
  wallMillis,
} from '@amiable/dlms';

export const u8 = (n: number): EncodedData => Uint8Array.of(0x11, n);
export const u16 = (n: number): EncodedData => Uint8Array.of(0x12, n >>> 8, n);
export const u32 = (n: number): EncodedData => Uint8Array.of(0x06, n >>> 24, n >>> 16, n >>> 8, n);

/** Data of the types that parameters have. */
export const unsigned = (value: number): Data => ({ type: 'unsigned', value });
export const long = (value: number): Data => ({ type: 'long-unsigned', value });
export const doubleLong = (value: number): Data => ({ type: 'double-long-unsigned', value });
export const bool = (value: boolean): Data => ({ type: 'boolean', value });
export const ascii = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0) & 0xff);
export const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
export const octets = (value: string | Uint8Array): Data => ({
  type: 'octet-string',
  value: typeof value === 'string' ? utf8(value) : value,
});
export const text = (value: string): Data => ({ type: 'utf8-string', value: utf8(value) });
export const list = (...value: readonly Data[]): Data => ({ type: 'array', value: [...value] });
export const group = (...value: readonly Data[]): Data => ({ type: 'structure', value: [...value] });

/** A text as octet-string. */
export const textOctets = (value: string): EncodedData => octetString(utf8(value));

export interface Marks {
  readonly invalid?: boolean;
  readonly doubtful?: boolean;
}

/** Daylight saving holds when the zone's clocks are ahead of what they are in that year's winter. */
function isDst(zone: string, utc: number): boolean {
  const year = new Date(utc).getUTCFullYear();
  const offset = zoneOffset(zone, utc);
  return offset > Math.min(zoneOffset(zone, Date.UTC(year, 0, 1)), zoneOffset(zone, Date.UTC(year, 6, 1)));
}

export function localDateTime(zone: string, utc: number, marks: Marks = {}): DlmsDateTime {
  const local = toLocal(zone, utc);
  const status =
    (isDst(zone, utc) ? CLOCK.daylightSaving : 0) |
    (marks.invalid ? CLOCK.invalid : 0) |
    (marks.doubtful ? CLOCK.doubtful : 0);
  return dateTimeOf(local, { deviation: Math.round((utc - local) / 60_000), status, hundredths: true });
}

/** The instant as the meter writes it, tag and length included. */
export function moment(zone: string, utc: number, marks: Marks = {}): EncodedData {
  return octetString(dateTimeBytes(localDateTime(zone, utc, marks)));
}

/** What stands for "never". */
export const NEVER: DlmsDateTime = {};
export const NO_MOMENT: EncodedData = octetString(dateTimeBytes(NEVER));

/**
 * The instant of a date-time that a client sent, with its deviation, else with its daylight saving mark in the meter's zone.
 * @returns undefined where it is not wholly given
 */
export function instantOf(zone: string, given: DlmsDateTime): number | undefined {
  const wall = wallMillis(given);
  if (wall === undefined) return undefined;
  if (given.deviation !== undefined) return wall + given.deviation * 60_000;
  const known = given.status !== undefined && given.status !== 0;
  return localToUtc(zone, wall, known ? { dst: ((given.status ?? 0) & CLOCK.daylightSaving) !== 0 } : {});
}

/** Octets that the class table calls text, where they are text, else as they are. */
export const octetsOf = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : utf8(String(value)));

/** Octets that the class table calls binary: they come as hex. */
export const hexOctets = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : fromHex(String(value)));
