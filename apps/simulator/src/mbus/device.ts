/**
 * What every M-Bus slave of the simulator is: a device in virtual time that has records to give, and takes some.
 *
 * Decides the face between devices (meters.ts, ocr.ts, gas-device.ts, converter.ts) and what carries their records: the wire
 * (slave.ts) and the radio (radio.ts). Leaves out telegrams and frames.
 */
import { zoneOffset } from '@amiable/calendar';
import type { MbusRecord, RecordToSend, SlaveIdentity } from '@amiable/mbus';

export interface MbusDevice {
  /** For a person, e.g. `water meter, cold`. */
  readonly name: string;
  readonly identity: SlaveIdentity;
  /** For enhanced selection, 8 digits. */
  readonly fabrication: string;
  /** Lives on to `at`. */
  live(at: number): void;
  /** The status octet of the header. */
  status(): number;
  /** All that it has, or what an application reset asked for (the subcode; its low four bits are days of hourly values). */
  records(subcode: number | undefined): RecordToSend[];
  /** The few that go over the radio. */
  beacon(): RecordToSend[];
  /** Records for alarms (class 1); none when all is well. */
  alarms(): RecordToSend[];
  /** Undefined: taken; else the code of the application error. */
  write(records: readonly MbusRecord[]): number | undefined;
  /** It has sent something. */
  sent?(): void;
  /** Octets that only the maker reads. */
  manufacturerData?(): Uint8Array | undefined;
}

/** Subcode of an application reset (EN 13757-3 table 14) whose answer holds hourly values: enhanced billing. */
export const HOURLY_SUBCODE = 0x30;
/** As many as a master keeps rows of a slave. */
export const MOST_DAYS = 10;

export const APPLICATION_ERROR = { unspecified: 0, notImplemented: 1, tooMany: 3, busy: 8 } as const;
export const STATUS = {
  busy: 0x01,
  error: 0x02,
  abnormal: 0x03,
  powerLow: 0x04,
  permanent: 0x08,
  temporary: 0x10,
} as const;

// ---------------------------------------------------------------- records

type Place = Pick<RecordToSend, 'storage' | 'tariff' | 'subunit' | 'function'>;

export const bcd = (vif: readonly number[], value: number, digits = 8, place: Place = {}): RecordToSend => ({
  ...place,
  vif,
  // A register rolls over.
  data: { type: 'bcd', digits, value: value < 0 ? value : value % 10 ** digits },
});

export const whole = (vif: readonly number[], value: number, octets = 4, place: Place = {}): RecordToSend => ({
  ...place,
  vif,
  data: { type: 'integer', octets, value },
});

export const text = (vif: readonly number[], value: string, place: Place = {}): RecordToSend => ({
  ...place,
  vif,
  data: { type: 'text', value },
});

const two = (n: number): string => String(n).padStart(2, '0');

/** Local wall clock of a device, to the minute, and whether it is summer time. */
export function wallClock(zone: string, utc: number): { day: string; minute: string; summer: boolean } {
  const offset = zoneOffset(zone, utc);
  const local = new Date(utc + offset);
  const day = `${local.getUTCFullYear()}-${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
  const year = local.getUTCFullYear();
  const winter = Math.min(zoneOffset(zone, Date.UTC(year, 0, 1)), zoneOffset(zone, Date.UTC(year, 6, 1)));
  return { day, minute: `${day}T${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`, summer: offset > winter };
}

export function time(zone: string, utc: number, place: Place = {}, vif: readonly number[] = [0x6d]): RecordToSend {
  const { minute, summer } = wallClock(zone, utc);
  return { ...place, vif, data: { type: 'dateTime', value: minute, summer } };
}

export function date(zone: string, utc: number, place: Place = {}): RecordToSend {
  return { ...place, vif: [0x6c], data: { type: 'date', value: wallClock(zone, utc).day } };
}

/** Storage number of the first hourly value; those before are the actual values and the due date. */
export const FIRST_HOUR = 8;
const HOUR = 3_600_000;

/**
 * Hourly values as a storage block (EN 13757-3 annex on historic values): first and last number, interval, the time of
 * the first, then the values.
 */
export function hourly(
  zone: string,
  vif: readonly number[],
  now: number,
  days: number,
  valueAt: (at: number) => number | undefined,
): RecordToSend[] {
  const newest = Math.floor(now / HOUR) * HOUR;
  const values: (number | undefined)[] = [];
  for (let at = newest; values.length < days * 24; at -= HOUR) values.unshift(valueAt(at));
  while (values.length > 0 && values[0] === undefined) values.shift();
  if (values.length === 0) return [];
  return [
    whole([0xfd, 0x20], FIRST_HOUR, 1),
    whole([0xfd, 0x21], FIRST_HOUR + values.length - 1, 2),
    whole([0xfd, 0x26], 1, 1),
    time(zone, newest - (values.length - 1) * HOUR, { storage: FIRST_HOUR }),
    ...values.map((value, i) => {
      const place = { storage: FIRST_HOUR + i };
      return value === undefined ? missing(vif, place) : bcd(vif, value, 8, place);
    }),
  ];
}

/** A record without value: VIFE 15, no data available. */
function missing(vif: readonly number[], place: Place): RecordToSend {
  const extended = vif.map((octet) => octet | 0x80);
  return { ...place, vif: [...extended, 0x15], data: { type: 'bcd', digits: 8, value: 0 } };
}

/** Days of hourly values that an application reset asks for; 0: none. */
export const daysOf = (subcode: number | undefined): number =>
  subcode !== undefined && (subcode & 0xf0) === HOURLY_SUBCODE ? Math.min(MOST_DAYS, subcode & 0x0f || 1) : 0;

// ---------------------------------------------------------------- identities

/** The virtual maker. */
export const MAKER = 'AMI';

export const MEDIUM = {
  electricity: 0x02,
  gas: 0x03,
  heat: 0x04,
  'water-hot': 0x06,
  'water-cold': 0x16,
  converter: 0x37,
} as const;
