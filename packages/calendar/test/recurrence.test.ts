import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCron, type Recurrence, recurring, type Schedule, toLocal } from '../src/index.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const ms = (text: string): number => Date.parse(text);
const LONG = process.env.AMIABLE_LONG_TESTS !== undefined;

/**
 * Scans every minute of real time: a rule is due at the first minute whose wall clock shows it, or at the first one after a jump of the
 * wall clock over it.
 */
function scan(schedule: Schedule, from: number, to: number, isDue: (wall: number) => boolean): string[] {
  const out: string[] = [];
  const seen = new Set<number>();
  const step = schedule.repeated === 'each';
  let before = toLocal(schedule.zone, from - MINUTE);
  // What stood on the clock before counts as seen, for the repeated hour may begin before `from`.
  for (let at = from - 3 * 60 * MINUTE; at < from; at += MINUTE) seen.add(toLocal(schedule.zone, at));
  for (let at = from; at < to; at += MINUTE) {
    const wall = toLocal(schedule.zone, at);
    let due: string | undefined;
    // Clocks went forward: what they jumped over.
    for (let gone = before + MINUTE; gone < wall; gone += MINUTE)
      if (isDue(gone)) due ??= new Date(gone).toISOString().slice(0, 16);
    if (isDue(wall) && due === undefined) {
      if (!seen.has(wall)) due = new Date(wall).toISOString().slice(0, 16);
      else if (step) due = `${new Date(wall).toISOString().slice(0, 16)}+`;
    }
    seen.add(wall);
    if (due) out.push(`${due} @ ${new Date(at).toISOString()}`);
    before = wall;
  }
  return out;
}

const shown = (list: { nominal: string; at: number }[]): string[] =>
  list.map((o) => `${o.nominal} @ ${new Date(o.at).toISOString()}`);

const minuteOf = (wall: number): number => Math.floor((((wall % DAY) + DAY) % DAY) / MINUTE);
const weekdayOf = (wall: number): number => ((new Date(wall).getUTCDay() + 6) % 7) + 1;

/** Zones with what is special about them: half an hour (Lord Howe), midnight (Santiago), none (UTC). */
const CHANGES: readonly (readonly [string, readonly string[]])[] = [
  ['Europe/Oslo', ['2026-03-29T01:00Z', '2026-10-25T01:00Z']],
  ['Europe/London', ['2026-03-29T01:00Z', '2026-10-25T01:00Z']],
  ['Australia/Lord_Howe', ['2026-04-04T15:00Z', '2026-10-03T15:30Z']],
  ['America/Santiago', ['2026-04-05T03:00Z', '2026-09-06T04:00Z']],
  ['UTC', ['2026-03-29T01:00Z', '2026-12-31T23:00Z']],
];

const times = fc.uniqueArray(fc.integer({ min: 0, max: 1439 }), { minLength: 1, maxLength: 6 });
const nightly = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 12 });
const recurrences: fc.Arbitrary<{ rule: Recurrence; isDue: (wall: number) => boolean }> = fc.oneof(
  fc
    .oneof(times, nightly)
    .map((at) => ({ rule: { type: 'daily', at } as const, isDue: (w: number) => at.includes(minuteOf(w)) })),
  fc.tuple(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), nightly).map(([days, at]) => ({
    rule: { type: 'weekly', days, at } as const,
    isDue: (w: number) => days.includes(weekdayOf(w)) && at.includes(minuteOf(w)),
  })),
  fc.constantFrom(1, 5, 15, 20, 30).map((step) => ({
    rule: { type: 'cron', expression: `*/${step} 0-4 * * *` } as const,
    isDue: (w: number) => minuteOf(w) < 300 && minuteOf(w) % step === 0,
  })),
  fc.tuple(fc.integer({ min: 1, max: 31 }), nightly).map(([day, at]) => ({
    rule: { type: 'monthly', on: [{ day }], at } as const,
    isDue: (w: number) => new Date(w).getUTCDate() === day && at.includes(minuteOf(w)),
  })),
);

describe('occurrences against a clock that is looked at every minute', () => {
  it.each(CHANGES)('%s', (zone, changes) => {
    fc.assert(
      fc.property(
        recurrences,
        fc.constantFrom(...changes),
        fc.constantFrom('first' as const, 'each' as const),
        fc.integer({ min: -300, max: 60 }),
        fc.integer({ min: 60, max: LONG ? 20_000 : 800 }),
        ({ rule, isDue }, change, repeated, before, length) => {
          const schedule: Schedule = { recurrence: rule, zone, repeated };
          const from = ms(change) + before * MINUTE;
          const to = from + length * MINUTE;
          const expected = scan(schedule, from, to, isDue);
          const ready = recurring(schedule);
          expect(shown(ready.between(from, to))).toEqual(expected);
          // One after the other they are the same.
          const one: { nominal: string; at: number }[] = [];
          for (let next = ready.next(from - 1); next && next.at < to && one.length < 200; next = ready.next(next.at))
            one.push(next);
          expect(shown(one)).toEqual(expected.slice(0, 200));
        },
      ),
      { numRuns: LONG ? 1000 : 20 },
    );
  });
});

describe('summer time', () => {
  const oslo = (recurrence: Recurrence, more: Partial<Schedule> = {}) =>
    recurring({ recurrence, zone: 'Europe/Oslo', ...more });

  it('runs what stands in the skipped hour at the first instant after it', () => {
    const at = oslo({ type: 'daily', at: [150] }).between(ms('2026-03-28T12:00Z'), ms('2026-03-29T12:00Z'));
    expect(at).toEqual([{ nominal: '2026-03-29T02:30', at: ms('2026-03-29T01:00Z'), skipped: true }]);
  });
  it('runs several in the skipped hour as one, under the first name', () => {
    const at = oslo({ type: 'cron', expression: '*/15 2-3 * * *' }).between(
      ms('2026-03-29T00:00Z'),
      ms('2026-03-29T01:20Z'),
    );
    expect(shown(at)).toEqual([
      '2026-03-29T02:00 @ 2026-03-29T01:00:00.000Z',
      '2026-03-29T03:15 @ 2026-03-29T01:15:00.000Z',
    ]);
  });
  it('runs once in the repeated hour, the first time', () => {
    const at = oslo({ type: 'daily', at: [150] }).between(ms('2026-10-24T12:00Z'), ms('2026-10-25T12:00Z'));
    expect(shown(at)).toEqual(['2026-10-25T02:30 @ 2026-10-25T00:30:00.000Z']);
  });
  it('runs twice in the repeated hour when asked to', () => {
    const at = oslo({ type: 'daily', at: [150] }, { repeated: 'each' }).between(
      ms('2026-10-24T12:00Z'),
      ms('2026-10-25T12:00Z'),
    );
    expect(shown(at)).toEqual([
      '2026-10-25T02:30 @ 2026-10-25T00:30:00.000Z',
      '2026-10-25T02:30+ @ 2026-10-25T01:30:00.000Z',
    ]);
  });
  it('runs what stands on a day that a zone left out at the begin of the next', () => {
    const at = recurring({ recurrence: { type: 'daily', at: [720] }, zone: 'Pacific/Apia' });
    expect(shown(at.between(ms('2011-12-29T23:00Z'), ms('2011-12-31T12:00Z')))).toEqual([
      '2011-12-30T12:00 @ 2011-12-30T10:00:00.000Z',
      '2011-12-31T12:00 @ 2011-12-30T22:00:00.000Z',
    ]);
  });
});

describe('monthly', () => {
  const days = (recurrence: Recurrence, more: Partial<Schedule> = {}, year = '2026'): string[] =>
    recurring({ recurrence, zone: 'UTC', ...more })
      .between(ms(`${year}-01-01T00:00Z`), ms(`${Number(year) + 1}-01-01T00:00Z`))
      .map((o) => o.nominal.slice(5, 10));

  it('has no 31st in short months, but a last day in all', () => {
    expect(days({ type: 'monthly', on: [{ day: 31 }], at: [0] })).toEqual([
      '01-31',
      '03-31',
      '05-31',
      '07-31',
      '08-31',
      '10-31',
      '12-31',
    ]);
    expect(days({ type: 'monthly', on: [{ day: -1 }], at: [0], months: [2, 4, 12] })).toEqual([
      '02-28',
      '04-30',
      '12-31',
    ]);
  });
  it('finds nth and last weekdays', () => {
    expect(days({ type: 'monthly', on: [{ nth: 2, weekday: 2 }], at: [0], months: [1, 9] })).toEqual([
      '01-13',
      '09-08',
    ]);
    expect(days({ type: 'monthly', on: [{ nth: -1, weekday: 5 }], at: [0], months: [5, 7] })).toEqual([
      '05-29',
      '07-31',
    ]);
    expect(days({ type: 'monthly', on: [{ nth: 5, weekday: 1 }], at: [0] })).toEqual([
      '03-30',
      '06-29',
      '08-31',
      '11-30',
    ]);
  });
  it('finds the first and last working day', () => {
    const on = [{ workday: 1 }, { workday: -1 }];
    expect(days({ type: 'monthly', on, at: [0], months: [1, 5] }, { specialDays: ['01-01', '2026-05-01'] })).toEqual([
      '01-02',
      '01-30',
      '05-04',
      '05-29',
    ]);
  });
  it.each([
    ['next', ['08-17', '11-16']],
    ['previous', ['08-14', '11-13']],
    ['nearest', ['08-14', '11-16']],
    ['skip', []],
  ] as const)('moves to a working day: %s', (shift, expected) => {
    // 15 August 2026 is a Saturday, 15 November a Sunday.
    expect(days({ type: 'monthly', on: [{ day: 15 }], at: [0], months: [8, 11] }, { shift })).toEqual(expected);
  });
  it('moves past special days, and what meets is one', () => {
    const specialDays = ['12-24', '12-25', '12-26'];
    expect(
      days(
        { type: 'monthly', on: [{ day: 24 }, { day: 25 }, { day: 28 }], at: [0], months: [12] },
        { shift: 'next', specialDays },
      ),
    ).toEqual(['12-28']);
  });
  it('moves into the next month', () => {
    // 31 January 2026 is a Saturday.
    const on = [{ day: -1 }];
    expect(days({ type: 'monthly', on, at: [0], months: [1] }, { shift: 'next' })).toEqual(['02-02']);
  });
  it('finds what is rare', () => {
    const leap = recurring({ recurrence: { type: 'cron', expression: '0 12 29 2 *' }, zone: 'UTC' });
    expect(leap.next(ms('2026-01-01T00:00Z'))?.nominal).toBe('2028-02-29T12:00');
    expect(recurring({ recurrence: { type: 'cron', expression: '0 0 31 2 *' }, zone: 'UTC' }).next(0)).toBeUndefined();
  });
});

describe('a schedule', () => {
  it('holds from its first to its last day', () => {
    const ready = recurring({
      recurrence: { type: 'daily', at: [60] },
      zone: 'UTC',
      from: '2026-05-02',
      until: '2026-05-03',
    });
    expect(ready.between(0, ms('2030-01-01T00:00Z')).map((o) => o.nominal)).toEqual([
      '2026-05-02T01:00',
      '2026-05-03T01:00',
    ]);
    expect(ready.next(ms('2026-05-03T01:00Z'))).toBeUndefined();
  });
  it('may be once, or have no times at all', () => {
    const once = recurring({ recurrence: { type: 'once', at: '2026-11-20T14:30' }, zone: 'Europe/Oslo' });
    expect(once.next(0)).toEqual({ nominal: '2026-11-20T14:30', at: ms('2026-11-20T13:30Z') });
    expect(once.next(ms('2026-11-20T13:30Z'))).toBeUndefined();
    for (const type of ['order', 'spontaneous'] as const) {
      const none = recurring({ recurrence: { type }, zone: 'UTC' });
      expect(none.next(0)).toBeUndefined();
      expect(none.between(0, ms('2030-01-01T00:00Z'))).toEqual([]);
    }
  });
  it('gives so many at most', () => {
    const ready = recurring({ recurrence: { type: 'cron', expression: '* * * * *' }, zone: 'Europe/Oslo' });
    expect(ready.between(0, ms('2030-01-01T00:00Z'), 5000)).toHaveLength(5000);
  });
  it.each([
    [{ recurrence: { type: 'daily', at: [] }, zone: 'UTC' }, /one at least/],
    [{ recurrence: { type: 'daily', at: [1440] }, zone: 'UTC' }, /0 to 1439/],
    [{ recurrence: { type: 'weekly', days: [0], at: [0] }, zone: 'UTC' }, /1 \(Monday\)/],
    [{ recurrence: { type: 'monthly', on: [{ day: 32 }], at: [0] }, zone: 'UTC' }, /1 to 31/],
    [{ recurrence: { type: 'monthly', on: [{ nth: 6, weekday: 1 }], at: [0] }, zone: 'UTC' }, /nth/],
    [{ recurrence: { type: 'once', at: '2026-02-30T10:00' }, zone: 'UTC' }, /no local date/],
    [{ recurrence: { type: 'once', at: '2026-02-20T10:75' }, zone: 'UTC' }, /no local date/],
    [{ recurrence: { type: 'daily', at: [0] }, zone: 'Mars/Olympus' }, /IANA/],
    [
      { recurrence: { type: 'daily', at: [0] }, zone: 'UTC', from: '2026-05-02', until: '2026-05-01' },
      /before it begins/,
    ],
    [{ recurrence: { type: 'daily', at: [0] }, zone: 'UTC', specialDays: ['13-40'] }, /special day/],
  ] as readonly (readonly [Schedule, RegExp])[])('is refused in words: %j', (schedule, words) => {
    expect(() => recurring(schedule)).toThrow(words);
  });
});

describe('cron', () => {
  it('reads lists, ranges, steps and names', () => {
    expect(parseCron('5,10-12 */12 * * *').minutes).toEqual([5, 10, 11, 12, 725, 730, 731, 732]);
    expect(parseCron('50/5 0 * * *').minutes).toEqual([50, 55]);
    const named = parseCron('0 0 * jan-mar mon,sun');
    expect(named.months.flatMap((on, i) => (on ? [i] : []))).toEqual([1, 2, 3]);
    expect(named.weekdays.slice(0, 7)).toEqual([true, true, false, false, false, false, false]);
    expect(parseCron('0 0 * * 7').weekdays[0]).toBe(true);
  });
  it('takes either day when both are given', () => {
    const both = recurring({ recurrence: { type: 'cron', expression: '0 0 13 * 5' }, zone: 'UTC' });
    expect(both.between(ms('2026-11-01T00:00Z'), ms('2026-11-21T00:00Z')).map((o) => o.nominal.slice(8, 10))).toEqual([
      '06',
      '13',
      '20',
    ]);
    const only = recurring({ recurrence: { type: 'cron', expression: '0 0 */2 * 5' }, zone: 'UTC' });
    expect(only.between(ms('2026-11-01T00:00Z'), ms('2026-11-21T00:00Z')).map((o) => o.nominal.slice(8, 10))).toEqual([
      '13',
    ]);
  });
  it.each([
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '*/0 * * * *',
    '5-1 * * * *',
    '1-2-3 * * * *',
    '*/1/1 * * * *',
    'a * * * *',
    '1, * * * *',
    '-1 * * * *',
    `${'0,'.repeat(200)}0 * * * *`,
  ])('refuses %j', (text) => {
    expect(() => parseCron(text)).toThrow(RangeError);
  });
  it('takes any text and raises nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.stringMatching(/^[0-9*,/ -]{1,40}$/)), (text) => {
        try {
          expect(parseCron(text).minutes.length).toBeLessThanOrEqual(1440);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
