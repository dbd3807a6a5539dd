import { fromHex, Reader } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateTimeBytes, dateTimeOf, daysFromCivil, decodeDateTime, wallMillis } from '../src/index.ts';
import { dateTime } from './arbitrary.ts';

const decode = (hex: string) => decodeDateTime(new Reader(fromHex(hex)));

describe('date-time', () => {
  it('leaves out what is not specified', () => {
    expect(decode('07E4 01 19 06 0D 09 1E FF 8000 00')).toEqual({
      year: 2020,
      month: 1,
      day: 25,
      weekday: 6,
      hour: 13,
      minute: 9,
      second: 30,
      status: 0,
    });
    expect(decode('FFFF FF FF FF FF FF FF FF 8000 FF')).toEqual({});
  });
  it('deviation counts from local time to UTC', () => {
    expect(decode('07E5 09 16 03 11 23 1E FF FFC4 00').deviation).toBe(-60);
    expect(decode('07E5 09 16 03 11 23 1E FF 003C 80')).toMatchObject({ deviation: 60, status: 0x80 });
  });
  it('any date gives back its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (bytes) => {
        expect(dateTimeBytes(decodeDateTime(new Reader(bytes)))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(dateTime, (value) => {
        expect(decodeDateTime(new Reader(dateTimeBytes(value)))).toEqual(value);
      }),
    );
  });
});

describe('wall time', () => {
  it('is that of Date.UTC on every day', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
        const ms = Math.floor(date.getTime() / 10) * 10;
        expect(wallMillis(dateTimeOf(ms, { hundredths: true }))).toBe(ms);
        expect(daysFromCivil(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(
          Math.floor(ms / 86_400_000),
        );
      }),
    );
  });
  it('impossible dates have none', () => {
    const day = { year: 2023, month: 2, day: 28, hour: 0, minute: 0 };
    expect(wallMillis(day)).toBe(Date.UTC(2023, 1, 28));
    for (const wrong of [
      { day: 29 },
      { month: 13 },
      { month: 0 },
      { day: 0 },
      { hour: 24 },
      { minute: 60 },
      { second: 60 },
      { hundredths: 100 },
    ])
      expect(wallMillis({ ...day, ...wrong })).toBeUndefined();
    expect(wallMillis({ ...day, year: 2024, day: 29 })).toBe(Date.UTC(2024, 1, 29));
    expect(wallMillis({ month: 2, day: 28, hour: 0, minute: 0 })).toBeUndefined();
  });
  it('weekdays are those of ISO 8601', () => {
    expect(dateTimeOf(Date.UTC(2024, 0, 7)).weekday).toBe(7);
    expect(dateTimeOf(Date.UTC(2024, 0, 8)).weekday).toBe(1);
  });
});
