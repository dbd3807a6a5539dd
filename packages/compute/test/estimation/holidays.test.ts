import { localToUtc } from '@amiable/calendar';
import { holiday } from '@amiable/model/schemas';
import { describe, expect, it } from 'vitest';
import { holidaysBetween } from '../../src/index.ts';

const ZONE = 'Europe/Oslo';
const local = (year: number, month: number, day: number): number => localToUtc(ZONE, Date.UTC(year, month - 1, day));
const text = (times: readonly number[]): string[] =>
  times.map((t) => new Date(t + 7_200_000).toISOString().slice(0, 10));

describe('holidays', () => {
  it('are local days of fixed dates, by Easter, and by weekdays, within the time', () => {
    const days = [
      { date: '05-17' },
      { date: '2026-06-01', name: 'once' },
      { easter: -2 },
      { easter: 39 },
      { weekday: 6, onOrAfter: '06-20' },
    ].map((day) => holiday.parse(day));
    expect(text(holidaysBetween(days, ZONE, local(2026, 4, 1), local(2026, 6, 30)))).toEqual([
      '2026-04-03',
      '2026-05-14',
      '2026-05-17',
      '2026-06-01',
      '2026-06-20',
    ]);
    expect(holidaysBetween(days, ZONE, local(2026, 5, 17), local(2026, 5, 17) + 1)).toEqual([local(2026, 5, 17)]);
    expect(holidaysBetween([], ZONE, 0, local(2026, 5, 17))).toEqual([]);
  });

  it('are the day on which they are observed, also over the end of a year', () => {
    const days = [holiday.parse({ date: '12-31', observed: 'monday' })];
    // 31 December 2022 was a Saturday.
    expect(text(holidaysBetween(days, ZONE, local(2023, 1, 1), local(2023, 1, 10)))).toEqual(['2023-01-02']);
    expect(() => holiday.parse({ date: '13-41' })).toThrow();
    expect(() => holiday.parse({ date: '05-17', day: 'Sunday' })).toThrow();
  });
});
