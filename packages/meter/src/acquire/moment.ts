/** Moments as a meter's clock writes them: for the bounds of ranges and for setting a clock (IEC 62056-6-2 clause 4.1.6.1). */
import { Reader } from '@amiable/bytes';
import { localToUtc, toLocal, zoneOffset } from '@amiable/calendar';
import {
  CLOCK,
  dateTimeBytes,
  dateTimeOf,
  decodeDateTime,
  type EncodedData,
  octetString,
  wallMillis,
} from '@amiable/dlms';

const MINUTE = 60_000;

/** Summer time holds when the zone's clocks are ahead of what they are half a year away. */
function isSummer(zone: string, utc: number): boolean {
  const year = new Date(utc).getUTCFullYear();
  return (
    zoneOffset(zone, utc) > Math.min(zoneOffset(zone, Date.UTC(year, 0, 1)), zoneOffset(zone, Date.UTC(year, 6, 1)))
  );
}

/** An instant as octet-string: local time with its deviation and summer-time mark. */
export function encodeMoment(zone: string, utc: number): EncodedData {
  const local = toLocal(zone, utc);
  const status = isSummer(zone, utc) ? CLOCK.daylightSaving : 0;
  const deviation = Math.round((utc - local) / MINUTE);
  return octetString(dateTimeBytes(dateTimeOf(local, { deviation, status, hundredths: true })));
}

export interface MeterMoment {
  readonly utc: number;
  /** ms within which it stands: 10 with hundredths, 1,000 without. */
  readonly resolution: number;
  readonly invalid: boolean;
}

/** The time of a clock; undefined when it names no moment. @throws DecodeError */
export function decodeMoment(zone: string, encoded: EncodedData): MeterMoment | undefined {
  // octet-string of 12, or date-time.
  const at = encoded[0] === 0x09 && encoded[1] === 12 ? 2 : encoded[0] === 0x19 ? 1 : undefined;
  if (at === undefined) return undefined;
  const value = decodeDateTime(new Reader(encoded.subarray(at)));
  const wall = wallMillis(value);
  if (wall === undefined) return undefined;
  const { deviation, status } = value;
  const dst = status === undefined ? {} : { dst: (status & CLOCK.daylightSaving) !== 0 };
  const utc = deviation === undefined ? localToUtc(zone, wall, dst) : wall + deviation * MINUTE;
  return {
    utc,
    resolution: value.hundredths === undefined ? 1000 : 10,
    invalid: status !== undefined && (status & (CLOCK.invalid | CLOCK.doubtful | CLOCK.invalidStatus)) !== 0,
  };
}
