/**
 * date-time, date and time of COSEM (IEC 62056-6-2 clause 4.1.6.1): 12, 5 and 4 bytes.
 *
 * Decides: fields that are "not specified" (FF, FFFF, deviation 8000) are absent; the marks FD and FE of month and day
 * (begin and end of daylight saving, last days of a month) stay numbers, so that encoding gives back the same bytes.
 * Deviation is local time to UTC in minutes: -60 is UTC+01:00. Leaves out: time zones (package calendar).
 */
import { type Reader, Writer } from '@amiable/bytes';

export interface DlmsDate {
  readonly year?: number;
  /** 1 to 12; 0xFD daylight saving ends, 0xFE begins. */
  readonly month?: number;
  /** 1 to 31; 0xFD the last day but one, 0xFE the last day of the month. */
  readonly day?: number;
  /** 1 is Monday. */
  readonly weekday?: number;
}

export interface DlmsTime {
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
  readonly hundredths?: number;
}

export interface DlmsDateTime extends DlmsDate, DlmsTime {
  /** Minutes from local time to UTC: UTC = local + deviation. */
  readonly deviation?: number;
  /** Bits of the clock's status, see CLOCK; absent is FF, "not specified". */
  readonly status?: number;
}

/** Bits of the clock status (IEC 62056-6-2 clause 4.1.6.1). */
export const CLOCK = {
  invalid: 0x01,
  doubtful: 0x02,
  otherBase: 0x04,
  invalidStatus: 0x08,
  daylightSaving: 0x80,
} as const;

const opt = (value: number): number | undefined => (value === 0xff ? undefined : value);

/** Leaves out what is undefined, so that equal dates are deep-equal. */
function defined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  const out: Record<string, unknown> = {};
  for (const [key, v] of Object.entries(value)) if (v !== undefined) out[key] = v;
  return out as T;
}

export function decodeDate(reader: Reader): DlmsDate {
  reader.need(5, 'date');
  const year = reader.u16();
  return defined<DlmsDate>({
    year: year === 0xffff ? undefined : year,
    month: opt(reader.u8()),
    day: opt(reader.u8()),
    weekday: opt(reader.u8()),
  });
}

export function encodeDate(writer: Writer, date: DlmsDate): void {
  writer
    .u16(date.year ?? 0xffff)
    .u8(date.month ?? 0xff)
    .u8(date.day ?? 0xff)
    .u8(date.weekday ?? 0xff);
}

export function decodeTime(reader: Reader): DlmsTime {
  reader.need(4, 'time');
  return defined<DlmsTime>({
    hour: opt(reader.u8()),
    minute: opt(reader.u8()),
    second: opt(reader.u8()),
    hundredths: opt(reader.u8()),
  });
}

export function encodeTime(writer: Writer, time: DlmsTime): void {
  writer
    .u8(time.hour ?? 0xff)
    .u8(time.minute ?? 0xff)
    .u8(time.second ?? 0xff)
    .u8(time.hundredths ?? 0xff);
}

export function decodeDateTime(reader: Reader): DlmsDateTime {
  reader.need(12, 'date-time');
  const date = decodeDate(reader);
  const time = decodeTime(reader);
  const deviation = reader.i16();
  return {
    ...date,
    ...time,
    ...defined<DlmsDateTime>({
      deviation: deviation === -0x8000 ? undefined : deviation,
      status: opt(reader.u8()),
    }),
  };
}

export function encodeDateTime(writer: Writer, value: DlmsDateTime): void {
  encodeDate(writer, value);
  encodeTime(writer, value);
  writer.u16((value.deviation ?? -0x8000) & 0xffff).u8(value.status ?? 0xff);
}

/** The 12 bytes of a date-time. */
export function dateTimeBytes(value: DlmsDateTime): Uint8Array {
  const writer = new Writer(12);
  encodeDateTime(writer, value);
  return writer.finish();
}

/** Days from 1970-01-01 to a civil date (proleptic Gregorian); the usual arithmetic on years that begin in March. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

const MONTH_DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether year, month and day are one day of the calendar. */
export function isCivilDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 && leap ? 29 : (MONTH_DAYS[month] as number));
}

/**
 * The wall clock as epoch milliseconds as if it were UTC; undefined unless date, hour and minute are all there and
 * possible. Seconds and hundredths that are not specified count as zero.
 */
export function wallMillis(value: DlmsDateTime): number | undefined {
  const { year, month, day, hour, minute, second = 0, hundredths = 0 } = value;
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || !isCivilDate(year, month, day)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || hundredths > 99) return undefined;
  return (
    daysFromCivil(year, month, day) * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000 + hundredths * 10
  );
}

/** A date-time of the wall clock `wallMs` (epoch milliseconds as if UTC), as a meter's clock would give it. */
export function dateTimeOf(
  wallMs: number,
  options: { readonly deviation?: number; readonly status?: number; readonly hundredths?: boolean } = {},
): DlmsDateTime {
  const date = new Date(wallMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() || 7,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ...(options.hundredths ? { hundredths: Math.floor(date.getUTCMilliseconds() / 10) } : {}),
    ...(options.deviation === undefined ? {} : { deviation: options.deviation }),
    ...(options.status === undefined ? {} : { status: options.status }),
  };
}
