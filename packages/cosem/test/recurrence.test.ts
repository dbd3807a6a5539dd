/** Wildcard dates, calendars, schedules: against the standard's examples and against trying every moment. */
import { fromHex } from '@amiable/bytes';
import type { DlmsDate, DlmsDateTime, DlmsTime } from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACTIVITY_CALENDAR,
  type Calendar,
  calendarAt,
  dateMatches,
  dateTimeMatches,
  dayIdAt,
  isBetween,
  isScheduled,
  lastOccurrence,
  nextExecution,
  nextOccurrence,
  nextSwitch,
  readValue,
  type ScheduleEntry,
  type SpecialDay,
  seasonAt,
  specialDayAt,
  timeMatches,
} from '../src/index.ts';

const DAY = 86_400_000;
const wall = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);
const day = (text: string): number => wall(`${text} 00:00:00`) / DAY;
const text = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

describe('dates', () => {
  // All days of 2026 that a date names.
  const cases: [name: string, date: DlmsDate, days: string[]][] = [
    ['last Sunday of March', { month: 3, day: 0xfe, weekday: 7 }, ['2026-03-29']],
    ['last Sunday but one of March', { month: 3, day: 0xfd, weekday: 7 }, ['2026-03-22']],
    ['last day of February', { month: 2, day: 0xfe }, ['2026-02-28']],
    ['last day but one of February', { month: 2, day: 0xfd }, ['2026-02-27']],
    ['second Sunday of March', { month: 3, day: 8, weekday: 7 }, ['2026-03-08']],
    ['first Friday on or after 29 May, which is the 29th', { month: 5, day: 29, weekday: 5 }, ['2026-05-29']],
    ['Monday on or after 30 April', { month: 4, day: 30, weekday: 1 }, ['2026-05-04']],
    ['Christmas', { month: 12, day: 25 }, ['2026-12-25']],
    ['a day of one year', { year: 2026, month: 7, day: 1 }, ['2026-07-01']],
    ['a day of another year', { year: 2025, month: 7, day: 1 }, []],
    ['a day and a day of week that agree', { year: 2026, month: 7, day: 1, weekday: 3 }, ['2026-07-01']],
    ['that do not', { year: 2026, month: 7, day: 1, weekday: 4 }, []],
    ['the 31st', { day: 31, month: 4 }, []],
    ['29 February', { month: 2, day: 29 }, []],
    ['day 0xF0', { month: 2, day: 0xf0 }, []],
  ];
  for (const [name, date, days] of cases)
    it(name, () => {
      const found: string[] = [];
      for (let d = day('2026-01-01'); d <= day('2026-12-31'); d++)
        if (dateMatches(date, d)) found.push(new Date(d * DAY).toISOString().slice(0, 10));
      expect(found).toEqual(days);
    });
  it('every Monday, every day', () => {
    const count = (date: DlmsDate) => {
      let n = 0;
      for (let d = day('2026-01-01'); d <= day('2026-12-31'); d++) if (dateMatches(date, d)) n++;
      return n;
    };
    expect(count({ weekday: 1 })).toBe(52);
    expect(count({})).toBe(365);
    expect(count({ day: 1 })).toBe(12);
    expect(count({ day: 0xfe })).toBe(12);
    expect(count({ day: 0xfe, weekday: 5 })).toBe(12);
    expect(count({ day: 8, weekday: 7 })).toBe(12);
  });
  it('the days when daylight saving turns', () => {
    const turns = { begin: () => day('2026-03-29'), end: () => day('2026-10-25') };
    expect(dateMatches({ month: 0xfe }, day('2026-03-29'), turns)).toBe(true);
    expect(dateMatches({ month: 0xfe }, day('2026-03-30'), turns)).toBe(false);
    expect(dateMatches({ month: 0xfd }, day('2026-10-25'), turns)).toBe(true);
    expect(dateMatches({ month: 0xfd, year: 2025 }, day('2026-10-25'), turns)).toBe(false);
    expect(dateMatches({ month: 0xfe }, day('2026-03-29'))).toBe(false);
  });
});

describe('times', () => {
  it('match what is specified', () => {
    expect(timeMatches({ hour: 6, minute: 0 }, wall('2026-01-01 06:00:59'))).toBe(true);
    expect(timeMatches({ hour: 6, minute: 0, second: 0 }, wall('2026-01-01 06:00:59'))).toBe(false);
    expect(timeMatches({ minute: 15 }, wall('2026-01-01 23:15:00'))).toBe(true);
    expect(timeMatches({ hundredths: 50 }, wall('2026-01-01 23:15:00') + 500)).toBe(true);
    expect(timeMatches({ hour: 1 }, wall('1969-12-31 01:00:00'))).toBe(true);
  });
});

describe('the next and the last moment', () => {
  const cases: [name: string, value: DlmsDateTime, from: string, next: string | undefined, last: string | undefined][] =
    [
      [
        'every midnight',
        { hour: 0, minute: 0, second: 0 },
        '2026-01-01 00:00:01',
        '2026-01-02 00:00:00',
        '2026-01-01 00:00:00',
      ],
      [
        'every quarter past',
        { minute: 15, second: 0 },
        '2026-01-01 23:15:01',
        '2026-01-02 00:15:00',
        '2026-01-01 23:15:00',
      ],
      ['now', { hour: 6, minute: 0, second: 0 }, '2026-01-01 06:00:00', '2026-01-01 06:00:00', '2026-01-01 06:00:00'],
      [
        'first of the month',
        { day: 1, hour: 0, minute: 0, second: 0 },
        '2026-02-15 10:00:00',
        '2026-03-01 00:00:00',
        '2026-02-01 00:00:00',
      ],
      [
        'one moment',
        { year: 2026, month: 5, day: 4, hour: 3, minute: 2, second: 1 },
        '2026-01-01 00:00:00',
        '2026-05-04 03:02:01',
        undefined,
      ],
      [
        'over',
        { year: 2020, month: 5, day: 4, hour: 3, minute: 2, second: 1 },
        '2026-01-01 00:00:00',
        undefined,
        '2020-05-04 03:02:01',
      ],
      [
        'leap day',
        { month: 2, day: 29, hour: 0, minute: 0, second: 0 },
        '2026-01-01 00:00:00',
        '2028-02-29 00:00:00',
        '2024-02-29 00:00:00',
      ],
      ['never', { month: 2, day: 30, hour: 0, minute: 0, second: 0 }, '2026-01-01 00:00:00', undefined, undefined],
      ['any moment of a year', { year: 2030 }, '2026-01-01 00:00:00', '2030-01-01 00:00:00', undefined],
      ['any second', {}, '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00'],
    ];
  for (const [name, value, from, next, last] of cases)
    it(name, () => {
      expect(text(nextOccurrence(value, wall(from)))).toBe(next);
      expect(text(lastOccurrence(value, wall(from)))).toBe(last);
    });

  const some = (max: number, weight = 1) =>
    fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(max) });
  const given = (value: object): DlmsDateTime =>
    Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as DlmsDateTime;
  const value = fc
    .record({
      day: some(3, 3).map((n) => n && n + 1),
      weekday: some(6, 3).map((n) => n && n + 1),
      hour: some(23),
      minute: some(59),
      second: some(59),
    })
    .map(given);
  it('is the first that matches when every second is tried', () => {
    fc.assert(
      fc.property(value, fc.nat(20 * 86_400), (v, offset) => {
        const from = wall('2026-01-01 00:00:00') + offset * 1000;
        const next = nextOccurrence(v, from);
        const last = lastOccurrence(v, from);
        for (const [found, step] of [
          [next, 1000],
          [last, -1000],
        ] as const) {
          if (found === undefined) continue;
          expect(dateTimeMatches(v, found)).toBe(true);
          expect((found - from) * step).toBeGreaterThanOrEqual(0);
          // Nothing between, looked at in as many places as time allows.
          const between = Math.abs(found - from) / 1000;
          const stride = Math.max(1, Math.floor(between / 2000));
          for (let s = 0; s < between; s += stride) if (dateTimeMatches(v, from + s * step)) expect(s).toBe(between);
        }
      }),
      { numRuns: 60 },
    );
  });
});

const clock = (hour: number, minute = 0): DlmsTime => ({ hour, minute, second: 0, hundredths: 0 });
const script = (script_selector: number) => ({ script_logical_name: '0-0:10.0.100', script_selector });
const CALENDAR: Calendar = {
  seasons: [
    {
      season_profile_name: 'summer',
      season_start: { month: 4, day: 1, hour: 0, minute: 0, second: 0 },
      week_name: 'S',
    },
    { season_profile_name: 'winter', season_start: { month: 10, day: 1 }, week_name: Uint8Array.of(1) },
  ],
  weeks: [
    { week_profile_name: 'S', monday: 1, tuesday: 1, wednesday: 1, thursday: 1, friday: 1, saturday: 2, sunday: 2 },
    {
      week_profile_name: Uint8Array.of(1),
      monday: 1,
      tuesday: 1,
      wednesday: 1,
      thursday: 1,
      friday: 1,
      saturday: 1,
      sunday: 3,
    },
  ],
  days: [
    {
      day_id: 1,
      day_schedule: [
        { start_time: clock(22), ...script(2) },
        { start_time: clock(6), ...script(1) },
      ],
    },
    { day_id: 2, day_schedule: [{ start_time: clock(0), ...script(2) }] },
    { day_id: 3, day_schedule: [] },
  ],
};
const HOLIDAYS: SpecialDay[] = [
  { index: 2, specialday_date: { month: 12, day: 25 }, day_id: 2 },
  { index: 1, specialday_date: { year: 2026, month: 7, day: 15 }, day_id: 3 },
];

describe('an activity calendar', () => {
  it('knows its season over the turn of the year', () => {
    const name = (at: string) => seasonAt(CALENDAR.seasons, wall(at))?.season_profile_name;
    expect(name('2026-06-01 00:00:00')).toBe('summer');
    expect(name('2026-04-01 00:00:00')).toBe('summer');
    expect(name('2026-03-31 23:59:59')).toBe('winter');
    expect(name('2026-10-01 00:00:00')).toBe('winter');
    expect(seasonAt([], 0)).toBeUndefined();
  });
  it('special days go before the week', () => {
    expect(dayIdAt(CALENDAR, HOLIDAYS, wall('2026-12-25 12:00:00'))).toBe(2);
    expect(dayIdAt(CALENDAR, [], wall('2026-12-25 12:00:00'))).toBe(1);
    expect(dayIdAt(CALENDAR, HOLIDAYS, wall('2026-07-15 12:00:00'))).toBe(3);
    expect(
      specialDayAt([...HOLIDAYS, { index: 0, specialday_date: {}, day_id: 9 }], wall('2026-12-25 00:00:00'))?.day_id,
    ).toBe(9);
    expect(dayIdAt({ ...CALENDAR, weeks: [] }, [], 0)).toBeUndefined();
  });
  const at = (when: string) => {
    const { action, since, next, dayId } = calendarAt(CALENDAR, HOLIDAYS, wall(when));
    return [dayId, action?.script_selector, text(since), text(next)];
  };
  it('switches within the day, and carries on over midnight', () => {
    expect(at('2026-06-02 12:00:00')).toEqual([1, 1, '2026-06-02 06:00:00', '2026-06-02 22:00:00']);
    expect(at('2026-06-03 05:59:59')).toEqual([1, 2, '2026-06-02 22:00:00', '2026-06-03 06:00:00']);
    expect(at('2026-06-06 12:00:00')).toEqual([2, 2, '2026-06-06 00:00:00', '2026-06-07 00:00:00']);
    // A special day without actions goes on with the day before.
    expect(at('2026-07-15 12:00:00')).toEqual([3, 2, '2026-07-14 22:00:00', '2026-07-16 06:00:00']);
  });
  it('an empty one says nothing', () => {
    const empty = calendarAt({ seasons: [], weeks: [], days: [] }, [], wall('2026-06-02 12:00:00'));
    expect(empty).toEqual({ dayId: undefined, action: undefined, since: undefined, next: undefined });
  });
  it('as it is read from a meter', () => {
    const seasons = readValue(
      ACTIVITY_CALENDAR.types.season_profile_active,
      fromHex(
        '0102 0203 0901 31 090c ffff0401ff000000ff800000 0901 31 0203 0901 32 090c ffff0a01ff000000ff800000 0901 32',
      ),
    );
    expect(seasonAt(seasons, wall('2026-11-20 00:00:00'))?.week_name).toBe('2');
  });
});

describe('a schedule', () => {
  const entry: ScheduleEntry = {
    index: 1,
    enable: true,
    ...script(1),
    switch_time: { hour: 6, minute: 30, second: 0 },
    validity_window: 0xffff,
    exec_weekdays: '1111100',
    exec_specdays: '0010',
    begin_date: { month: 11, day: 1 },
    end_date: { month: 2, day: 28 },
  };
  it('comes on its days between its dates, over the turn of the year too', () => {
    expect(isScheduled(entry, [], wall('2026-12-21 00:00:00'))).toBe(true);
    expect(isScheduled(entry, [], wall('2026-12-20 00:00:00'))).toBe(false);
    expect(isScheduled(entry, [], wall('2026-06-01 00:00:00'))).toBe(false);
    expect(isScheduled({ ...entry, enable: false }, [], wall('2026-12-21 00:00:00'))).toBe(false);
    expect(isScheduled(entry, HOLIDAYS, wall('2026-12-25 00:00:00'))).toBe(true);
    expect(isScheduled({ ...entry, exec_specdays: '0000' }, HOLIDAYS, wall('2026-12-25 00:00:00'))).toBe(false);
    expect(text(nextSwitch(entry, [], wall('2026-03-01 00:00:00')))).toBe('2026-11-02 06:30:00');
    expect(text(nextSwitch(entry, [], wall('2026-12-18 06:30:01')))).toBe('2026-12-21 06:30:00');
    expect(nextSwitch({ ...entry, exec_weekdays: '0000000' }, [], wall('2026-03-01 00:00:00'))).toBeUndefined();
  });
  it('with years only once', () => {
    expect(isBetween({ year: 2026, month: 1, day: 5 }, { year: 2026, month: 2, day: 1 }, day('2026-01-05'))).toBe(true);
    expect(isBetween({ year: 2026, month: 1, day: 5 }, { year: 2026, month: 2, day: 1 }, day('2027-01-05'))).toBe(
      false,
    );
    expect(isBetween({}, {}, day('2026-01-05'))).toBe(true);
  });
});

describe('a single action schedule', () => {
  it('runs at the first of its times', () => {
    const times = [
      { time: clock(0), date: { day: 1 } },
      { time: clock(12), date: { year: 2026, month: 11, day: 20 } },
    ];
    expect(text(nextExecution(times, wall('2026-11-20 08:00:00')))).toBe('2026-11-20 12:00:00');
    expect(text(nextExecution(times, wall('2026-11-20 12:00:01')))).toBe('2026-12-01 00:00:00');
    expect(nextExecution([], 0)).toBeUndefined();
  });
});
