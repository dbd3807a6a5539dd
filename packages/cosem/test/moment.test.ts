/** Dates and times as text, addresses as text. */
import { MisuseError } from '@amiable/bytes';
import type { DlmsDate, DlmsDateTime, DlmsTime } from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { date, dateTime, time } from '../../dlms/test/arbitrary.ts';
import {
  dateText,
  dateTimeText,
  parseDate,
  parseDateTime,
  parseTime,
  timeText,
  weekdayOf,
} from '../src/values/moment.ts';
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Text } from '../src/values/octets.ts';

describe('text', () => {
  const cases: [value: DlmsDateTime, text: string][] = [
    [
      { year: 2026, month: 3, day: 1, weekday: 7, hour: 0, minute: 15, second: 0, deviation: -60 },
      '2026-03-01 00:15:00+01:00',
    ],
    [
      { year: 2026, month: 3, day: 1, weekday: 7, hour: 0, minute: 15, second: 0, deviation: 0 },
      '2026-03-01 00:15:00Z',
    ],
    [{ year: 2026, month: 3, day: 1, weekday: 7, hour: 0, minute: 15, deviation: 210 }, '2026-03-01 00:15:*-03:30'],
    [{ month: 254, day: 253, weekday: 6, hour: 2, minute: 0, second: 0 }, '*-dstbegin-last2 02:00:00 sat'],
    [{ month: 253 }, '*-dstend-* *:*:*'],
    [
      { year: 2026, month: 3, day: 1, weekday: 3, hour: 1, minute: 2, second: 3, hundredths: 4 },
      '2026-03-01 01:02:03.04 wed',
    ],
    [
      { year: 2026, month: 3, day: 1, weekday: 7, hour: 1, minute: 2, second: 3, status: 0x83 },
      '2026-03-01 01:02:03 dst invalid doubtful',
    ],
  ];
  for (const [value, text] of cases)
    it(`${text}`, () => {
      expect(dateTimeText(value)).toBe(text);
      expect(parseDateTime(text)).toEqual(value);
    });
  it('the form of ISO 8601 is taken too', () => {
    expect(parseDateTime('2026-03-01T00:15+01:00')).toEqual({
      year: 2026,
      month: 3,
      day: 1,
      weekday: 7,
      hour: 0,
      minute: 15,
      deviation: -60,
    });
    expect(parseDateTime('2026-03-01 00:15 tomorrow')).toBeUndefined();
    expect(parseDateTime('2026-03-01')).toBeUndefined();
    expect(parseDate('2026-03-01 dst')).toBeUndefined();
    expect(parseTime('255:00:00')).toBeUndefined();
  });
  it('says the same again when read', () => {
    fc.assert(
      fc.property(dateTime, date, time, (a, b, c) => {
        const [one, two, three] = [dateTimeText(a as DlmsDateTime), dateText(b as DlmsDate), timeText(c as DlmsTime)];
        expect(dateTimeText(parseDateTime(one) as DlmsDateTime)).toBe(one);
        expect(dateText(parseDate(two) as DlmsDate)).toBe(two);
        expect(timeText(parseTime(three) as DlmsTime)).toBe(three);
      }),
      { numRuns: 200 },
    );
  });
  it('any text is a date or none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseDate, parseTime, parseDateTime]) expect(() => parse(text)).not.toThrow();
      }),
    );
  });
  it('weekdays are those of the calendar', () => {
    expect(weekdayOf({ year: 1970, month: 1, day: 1 })).toBe(4);
    expect(weekdayOf({ year: 2026, month: 11, day: 20 })).toBe(5);
    expect(weekdayOf({ year: 2025, month: 2, day: 29 })).toBeUndefined();
  });
});

describe('addresses', () => {
  const cases: [hex: string, text: string][] = [
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000100000001000000010000', '2001:db8:1:0:1:0:1:0'],
    ['fe800000000000000000000000000000', 'fe80::'],
  ];
  for (const [hex, text] of cases)
    it(text, () => {
      const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      expect(ipv6Text(bytes)).toBe(text);
      expect(ipv6Bytes(text)).toEqual(bytes);
    });
  it('all of them come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(0xffffffff), (six, four) => {
        expect(ipv6Bytes(ipv6Text(six))).toEqual(six);
        expect(ipv4Number(ipv4Text(four))).toBe(four);
      }),
    );
  });
  it('others are refused', () => {
    for (const text of ['', ':', '1:2:3', '1::2::3', 'g::', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8'])
      expect(() => ipv6Bytes(text), text).toThrow(MisuseError);
    expect(ipv4Number('1.2.3')).toBeUndefined();
    expect(ipv4Number('1.2.3.256')).toBeUndefined();
  });
});
