import type { TariffSpecialDay } from '@amiable/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addRates,
  calendarDifferences,
  meterCalendar,
  meterFit,
  type RateChanges,
  rateChanges,
  rateMeters,
  rateRuns,
  ratesOf,
} from '../../src/index.ts';
import { dayText, easterSunday, orthodoxEasterSunday, specialDayIn } from '../../src/tariff/days.ts';
import { example, local, tariffOf } from './house.ts';
import { Dice, randomTariff } from './random.ts';
import { localOf, rateAt } from './slow.ts';

const falls = (special: object, year: number): string | undefined => {
  const day = specialDayIn({ name: 'x', day: 'd', ...special } as TariffSpecialDay, year);
  return day === undefined ? undefined : dayText(day);
};

describe('special days', () => {
  it('know Easter of both churches, the exceptions of the computus included', () => {
    expect(
      [1954, 1981, 2000, 2019, 2024, 2025, 2026, 2038, 2049, 2076].map((year) => dayText(easterSunday(year))),
    ).toEqual([
      '1954-04-18',
      '1981-04-19',
      '2000-04-23',
      '2019-04-21',
      '2024-03-31',
      '2025-04-20',
      '2026-04-05',
      '2038-04-25',
      '2049-04-18',
      '2076-04-19',
    ]);
    expect([2021, 2024, 2025, 2026].map((year) => dayText(orthodoxEasterSunday(year)))).toEqual([
      '2021-05-02',
      '2024-05-05',
      '2025-04-20',
      '2026-04-12',
    ]);
  });
  it('come once, each year, with Easter, by weekday, and are observed on another day', () => {
    expect(falls({ date: '2026-05-17' }, 2026)).toBe('2026-05-17');
    expect(falls({ date: '2026-05-17' }, 2027)).toBeUndefined();
    expect([2027, 2028].map((year) => falls({ date: '02-29' }, year))).toEqual([undefined, '2028-02-29']);
    // Good Friday, Ascension Day, Whit Monday of 2026.
    expect([-2, 39, 50].map((easter) => falls({ easter }, 2026))).toEqual(['2026-04-03', '2026-05-14', '2026-05-25']);
    // Thanksgiving; the last Monday of May; a fifth Monday that February lacks.
    expect(falls({ nth: 4, weekday: 4, month: 11 }, 2026)).toBe('2026-11-26');
    expect(falls({ nth: -1, weekday: 1, month: 5 }, 2026)).toBe('2026-05-25');
    expect(falls({ nth: 5, weekday: 1, month: 2 }, 2026)).toBeUndefined();
    // Midsummer's Day of Sweden: the Saturday from 20 to 26 June.
    expect(falls({ weekday: 6, onOrAfter: '06-20' }, 2026)).toBe('2026-06-20');
    expect(falls({ weekday: 6, onOrAfter: '06-20' }, 2027)).toBe('2027-06-26');
    // 4 July 2026 is a Saturday: the Friday before; 1 January 2028 too: the Monday after.
    expect(falls({ date: '07-04', observed: 'nearest' }, 2026)).toBe('2026-07-03');
    expect(falls({ date: '01-01', observed: 'monday' }, 2028)).toBe('2028-01-03');
    expect([2025, 2026, 2027].map((year) => falls({ date: '05-01', fromYear: 2026, toYear: 2026 }, year))).toEqual([
      undefined,
      '2026-05-01',
      undefined,
    ]);
  });
});

/** Rates of each interval by the fast way. */
const laid = (tariff: Parameters<typeof rateChanges>[0], from: number, count: number, step: number): Uint16Array => {
  const changes: RateChanges = rateChanges(tariff, from, from + count * step);
  return ratesOf(rateRuns(changes, from, step, count, tariff), count);
};

describe('rates over time', () => {
  it('are what the wall clock says, in any zone, over a whole year', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.constantFrom(
          'Europe/Oslo',
          'Australia/Lord_Howe',
          'Asia/Kolkata',
          'America/St_Johns',
          'Asia/Beirut',
          'Atlantic/Azores',
          'Pacific/Chatham',
          'Africa/Casablanca',
          'America/Santiago',
        ),
        (seed, zone) => {
          const dice = new Dice(seed);
          const tariff = randomTariff(dice, zone, 15, 'EUR', {});
          // Any hundred quarters in each of forty weeks.
          for (let w = 0; w < 40; w++) {
            const from = local(zone, '2026-01-04') + (w * 9 * 96 + dice.below(96 * 7)) * 900_000;
            const fast = laid(tariff, from, 100, 900_000);
            for (let i = 0; i < 100; i += 3)
              expect(tariff.rates[fast[i] as number]?.name).toBe(rateAt(tariff, localOf(zone, from + i * 900_000)));
          }
        },
      ),
      { numRuns: 4 },
    );
  });
  it('of many meters at once are the sums of each, and NaN where an interval is missing', () => {
    const tariff = example('three-rates-seasons');
    const from = local('Europe/Berlin', '2026-03-01');
    const count = 31 * 96 - 4;
    const runs = rateRuns(rateChanges(tariff, from, from + count * 900_000), from, 900_000, count, tariff);
    const rates = ratesOf(runs, count);
    const values = Float64Array.from({ length: 3 * count }, (_, i) => (i * 7919) % 1013);
    values[2 * count + 5] = Number.NaN;
    const sums = new Float64Array(9);
    const peaks = new Float64Array(3);
    rateMeters(values, count, runs, 3, sums, peaks);
    for (let meter = 0; meter < 3; meter++) {
      const wanted = [0, 0, 0];
      let peak = 0;
      for (let i = 0; i < count; i++) {
        const value = values[meter * count + i] as number;
        wanted[rates[i] as number] = (wanted[rates[i] as number] as number) + value;
        if (value > peak) peak = value;
      }
      expect([...sums.subarray(meter * 3, meter * 3 + 3)]).toEqual(wanted);
      expect(peaks[meter]).toBe(peak);
      const one = new Float64Array(3);
      addRates(values, meter * count, runs, one);
      expect([...one]).toEqual(wanted);
    }
    expect(Number.isNaN(sums[6 + (rates[5] as number)] as number)).toBe(true);
  });
});

describe("the meter's own calendar", () => {
  it('of the examples fits, and has the same rate on every day of three years', () => {
    for (const name of ['day-night', 'norway-grid']) {
      const tariff = example(name);
      const calendar = meterCalendar(tariff, '2026-01-01', 3);
      expect(calendar.specialDays.length).toBeLessThanOrEqual(50);
      expect(calendarDifferences(tariff, calendar, '2026-01-01', '2029-01-01')).toEqual([]);
      // The year after, Easter is another day than the meter knows.
      expect(calendarDifferences(tariff, calendar, '2029-01-01', '2030-01-01').length).toBeGreaterThan(0);
    }
  });
  it('merges what is equal, and drops what switches nothing', () => {
    const week = (name: string, day: string) => ({
      name,
      monday: day,
      tuesday: day,
      wednesday: day,
      thursday: day,
      friday: day,
      saturday: day,
      sunday: day,
    });
    const switches = [
      { at: '00:00', rate: 'low' },
      { at: '06:00', rate: 'high' },
      { at: '12:00', rate: 'high' },
    ];
    const tariff = tariffOf('Europe/Oslo', 'NOK', [{ kind: 'energy', name: 'e', price: '1' }], {
      rates: [{ name: 'low' }, { name: 'high' }],
      calendar: {
        seasons: [
          { name: 'spring', from: '03-01', to: '05-31', week: 'a' },
          { name: 'summer', from: '06-01', to: '08-31', week: 'b' },
          { name: 'autumn', from: '09-01', to: '02-29', week: 'c' },
        ],
        weeks: [week('a', 'x'), week('b', 'y'), week('c', 'z')],
        days: [
          { name: 'x', switches },
          { name: 'y', switches: switches.slice(0, 2) },
          { name: 'z', switches: [{ at: '00:00', rate: 'low' }] },
        ],
      },
    });
    expect(meterCalendar(tariff, '2026-01-01')).toEqual({
      rates: [
        { rate: 'low', selector: 1 },
        { rate: 'high', selector: 2 },
      ],
      seasons: [
        { name: 'spring', start: { month: 3, day: 1 }, week: 'a' },
        { name: 'autumn', start: { month: 9, day: 1 }, week: 'c' },
      ],
      weeks: [
        { name: 'a', days: [1, 1, 1, 1, 1, 1, 1] },
        { name: 'c', days: [2, 2, 2, 2, 2, 2, 2] },
      ],
      days: [
        {
          id: 1,
          points: [
            { minute: 0, selector: 1 },
            { minute: 360, selector: 2 },
          ],
        },
        { id: 2, points: [{ minute: 0, selector: 1 }] },
      ],
      specialDays: [],
      lastYear: 2028,
    });
    expect(calendarDifferences(tariff, meterCalendar(tariff, '2026-01-01'), '2026-01-01', '2027-01-01')).toEqual([]);
  });
  it('refuses what does not fit, with every reason', () => {
    const winter = example('three-rates-seasons');
    expect(() => meterCalendar(winter, '2026-01-01')).toThrow(
      'tariff three-rates-seasons does not fit into the meter. Day table "winter workday" has 7 switch points, the meter holds 4 a day; bill it centrally from intervals.',
    );
    const seasons = ['01', '03', '05', '07', '09'].map((month, i) => ({
      name: `s${i}`,
      from: `${month}-01`,
      to: ['02-29', '04-30', '06-30', '08-31', '12-31'][i] as string,
      week: `w${i}`,
    }));
    const days = Array.from({ length: 9 }, (_, i) => ({
      name: `d${i}`,
      switches: [
        { at: '00:00', rate: 'all' },
        { at: `0${i + 1}:00`, rate: 'other' },
      ],
    }));
    const many = tariffOf('Europe/Oslo', 'NOK', [{ kind: 'energy', name: 'e', price: '1' }], {
      rates: [{ name: 'all' }, { name: 'other' }],
      calendar: {
        seasons,
        weeks: seasons.map(({ week }, i) => ({
          name: week,
          monday: `d${i}`,
          tuesday: 'd5',
          wednesday: 'd6',
          thursday: 'd7',
          friday: 'd8',
          saturday: 'd0',
          sunday: 'd0',
        })),
        days,
        specialDays: Array.from({ length: 51 }, (_, i) => ({
          name: `x${i}`,
          day: 'd0',
          date: `${i < 28 ? '01' : '03'}-${`${(i % 28) + 1}`.padStart(2, '0')}`,
        })),
      },
    });
    expect(meterFit(many, '2026-01-01').reasons).toEqual([
      'The tariff has 5 seasons, the meter holds 4; bill it centrally from intervals.',
      'The tariff has 5 week tables, the meter holds 4; bill it centrally from intervals.',
      'The tariff has 9 day tables, the meter holds 8; bill it centrally from intervals.',
      'The tariff has 51 special days up to 2028, the meter holds 50; write out fewer years than 3, or bill it centrally from intervals.',
    ]);
    expect(
      meterFit(many, '2026-01-01', 3, { seasons: 5, weeks: 5, days: 9, switches: 4, specialDays: 51, rates: 4 })
        .reasons,
    ).toEqual([]);
  });
  it('has the rates of the tariff wherever it fits', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (seed) => {
        const tariff = randomTariff(new Dice(seed), 'Europe/Oslo', 15, 'EUR', {});
        const { calendar, reasons } = meterFit(tariff, '2026-01-01', 2, {
          seasons: 4,
          weeks: 4,
          days: 8,
          switches: 9,
          specialDays: 50,
          rates: 4,
        });
        // A season that begins on 29 February cannot be told to a meter; all others are.
        if (reasons.length) expect(reasons.join()).toContain('02-29');
        else expect(calendarDifferences(tariff, calendar, '2026-01-01', '2028-01-01')).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});
