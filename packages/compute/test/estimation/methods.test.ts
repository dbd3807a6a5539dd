import { describe, expect, it } from 'vitest';
import { type Finding, QUALITY, type VeeInput, vee } from '../../src/index.ts';
import { DAY, daysOfQuarters, H, MONDAY, Q, series, showings, whole, ZONE } from './helpers.ts';

const run = (values: readonly (number | null)[], more: Partial<VeeInput> = {}) => {
  const intervals = series(values);
  return vee({ intervals, ...whole(intervals), zone: ZONE, ...more });
};
const finding = (i: number, to: number, more: Partial<Finding>): Finding => ({
  rule: 'r',
  check: 'missing',
  severity: 'warning',
  from: MONDAY + i * Q,
  to: MONDAY + to * Q,
  sentence: '',
  numbers: {},
  action: 'unchanged',
  usable: false,
  ...more,
});
const values = (result: ReturnType<typeof vee>): number[] => Array.from(result.intervals.values);

describe('short gaps', () => {
  it('are filled along a line: 75, gap of four, 100', () => {
    const result = run([75, null, null, null, null, 100]);
    expect(values(result)).toEqual([75, 80, 85, 90, 95, 100]);
    expect(Array.from(result.intervals.quality)).toEqual([0, 3, 3, 3, 3, 0]);
    expect(result.estimates).toEqual([
      {
        from: MONDAY + Q,
        to: MONDAY + 5 * Q,
        method: 'linear',
        scaled: false,
        sentence: 'between 75 at 2026-01-05 00:00 and 100 at 2026-01-05 01:15',
        inputs: { left: 75, right: 100, leftAt: MONDAY, rightAt: MONDAY + 5 * Q },
      },
    ]);
  });
  it('end at the length that is configured', () => {
    expect(run([75, null, null, 90]).estimates[0]?.method).toBe('linear');
    const short = run([75, null, null, 90], { settings: { shortUpTo: Q } });
    expect(short.estimates).toEqual([]);
    expect(short.flags.map((f) => f.check)).toEqual(['no-basis']);
    expect(short.intervals.quality[1]).toBe(QUALITY.missing);
  });
  it('between two power failures are zero', () => {
    const outages = [
      { from: MONDAY, to: MONDAY + Q },
      { from: MONDAY + 3 * Q, to: MONDAY + 3 * Q + 60_000 },
    ];
    const result = run([75, null, null, 90], { outages });
    expect(values(result)).toEqual([75, 0, 0, 90]);
    expect(result.estimates[0]?.method).toBe('outage');
  });
  it('beside one power failure take the nearest good interval', () => {
    const left = run([8, null, null, 90], { outages: [{ from: MONDAY + 60_000, to: MONDAY + Q }] });
    expect(values(left)).toEqual([8, 90, 90, 90]);
    expect(left.estimates[0]?.method).toBe('nearest');
    expect(left.estimates[0]?.sentence).toContain('90 as at 2026-01-05 00:45');
    const right = run([75, null, null, 9], { outages: [{ from: MONDAY + 3 * Q, to: MONDAY + 4 * Q }] });
    expect(values(right)).toEqual([75, 75, 75, 9]);
  });
  it('in a power failure are zero, and what touches it takes the nearest', () => {
    const outages = [{ from: MONDAY + 1.5 * Q, to: MONDAY + 4.5 * Q }];
    const result = run([70, null, null, null, null, 60], { outages });
    expect(values(result)).toEqual([70, 70, 0, 0, 60, 60]);
  });
  it('do not lean on what was dropped, nor on an estimate', () => {
    const checks = { structure: () => [finding(1, 2, { check: 'clock' })] };
    expect(values(run([10, 5000, null, 40], { checks }))).toEqual([10, 20, 30, 40]);
  });
});

describe('long gaps', () => {
  // Weekday w uses 10·w + quarter; weekends and Mondays differ.
  const usual = (day: number, quarter: number): number => 100 * (1 + (day % 7)) + (quarter % 24);
  const withGap = (days: number, gapDay: number, from: number, to: number) =>
    daysOfQuarters(days, (d, q) => (d === gapDay && q >= from && q < to ? null : usual(d, q) + d));

  it('are the mean of the three nearest same weekdays', () => {
    const result = run(withGap(35, 15, 20, 50));
    // Tuesdays 1, 8, 22 (one week off on both sides; of two weeks off the earlier).
    const expected = Math.round((3 * usual(15, 30) + 8 + 22 + 1) / 3);
    expect(result.intervals.values[15 * 96 + 30]).toBe(expected);
    expect(result.estimates[0]?.method).toBe('same-weekday');
    expect(result.estimates[0]?.inputs.days).toEqual([8, 22, 1].map((d) => MONDAY + d * DAY));
    expect(result.estimates[0]?.sentence).toBe('mean of the nearest Tuesdays: 2026-01-13, 2026-01-27, 2026-01-06');
  });
  it('are like days where there are not three of the same', () => {
    const result = run(withGap(14, 8, 20, 50));
    expect(result.estimates[0]?.method).toBe('like-day');
    expect(result.estimates[0]?.inputs.days).toEqual([7, 9, 10].map((d) => MONDAY + d * DAY));
    const weekend = run(withGap(14, 5, 20, 50));
    expect(weekend.estimates[0]?.inputs.days).toEqual([6, 12, 13].map((d) => MONDAY + d * DAY));
  });
  it('of a holiday look at holidays, else at weekends', () => {
    const holidays = [MONDAY + 16 * DAY, MONDAY + 2 * DAY];
    const holiday = run(withGap(28, 16, 20, 50), { holidays });
    expect(holiday.estimates[0]?.sentence).toBe('the nearest holidays: 2026-01-07');
    const alone = run(withGap(28, 16, 20, 50), { holidays: [MONDAY + 16 * DAY] });
    expect(alone.estimates[0]?.sentence).toContain('weekend days: 2026-01-18, 2026-01-24, 2026-01-17');
    // And a holiday is no Wednesday.
    const wednesday = run(withGap(35, 9, 20, 50), { holidays: [MONDAY + 2 * DAY] });
    expect(wednesday.estimates[0]?.inputs.days).toEqual([16, 23, 30].map((d) => MONDAY + d * DAY));
  });
  it('leave out days with a power failure, doubtful days and days with gaps', () => {
    const result = run(
      daysOfQuarters(49, (d, q) => ((d === 15 && q < 50) || (d === 8 && q === 30) ? null : usual(d, q))),
      {
        outages: [{ from: MONDAY + 22 * DAY + 20 * H, to: MONDAY + 22 * DAY + 21 * H }],
        notAccepted: [{ from: MONDAY + 1 * DAY + H, to: MONDAY + 1 * DAY + 2 * H }],
      },
    );
    const long = result.estimates.find((e) => e.from === MONDAY + 15 * DAY);
    expect(long?.inputs.days).toEqual([29, 36, 43].map((d) => MONDAY + d * DAY));
  });
  it('are estimated local day by local day, by the clock where it changes', () => {
    // Sunday 29 March 2026 has 23 hours; each value is its time of day by the clock.
    const start = Date.UTC(2026, 1, 28, 23);
    const end = Date.UTC(2026, 3, 26, 22);
    const all: (number | null)[] = [];
    for (let t = start; t < end; t += Q) {
      const local = t + (t >= Date.UTC(2026, 2, 29, 1) ? 2 : 1) * H;
      all.push(((local % DAY) / Q) * 10);
    }
    const day = (Date.UTC(2026, 2, 28, 23) - start) / Q;
    const gone = all.map((v, i) => (i >= day + 4 && i < day + 40 ? null : v));
    const intervals = series(gone, start);
    const result = vee({ intervals, ...whole(intervals), zone: ZONE });
    expect(Array.from(result.intervals.values)).toEqual(all);
    const autumn = Date.UTC(2026, 8, 27, 22);
    const clock: (number | null)[] = [];
    for (let t = autumn; t < Date.UTC(2026, 10, 22, 23); t += Q) {
      const local = t + (t >= Date.UTC(2026, 9, 25, 1) ? 1 : 2) * H;
      clock.push(((local % DAY) / Q) * 10);
    }
    const sunday = (Date.UTC(2026, 9, 24, 22) - autumn) / Q;
    const open = series(
      clock.map((v, i) => (i >= sunday && i < sunday + 100 ? null : v)),
      autumn,
    );
    const filled = vee({ intervals: open, ...whole(open), zone: ZONE });
    expect(Array.from(filled.intervals.values)).toEqual(clock);
  });
  it('are reported, and not estimated when they are too long', () => {
    const result = run(withGap(35, 15, 0, 96), { settings: { giveUp: DAY / 2 } });
    expect(result.flags.map((f) => f.check)).toEqual(['long-gap', 'gap-not-estimated']);
    expect(result.intervals.values[15 * 96]).toBeNaN();
    expect(run(withGap(35, 15, 0, 96)).flags.map((f) => [f.check, f.numbers.hours])).toEqual([['long-gap', 24]]);
  });
  it('take the check meter first, and a reference profile at the level of the series', () => {
    const gap = withGap(3, 1, 0, 96);
    const check = series(gap.map((_, i) => i));
    const checked = run(gap, { checkMeter: { ...check, scaler: 1 } });
    expect(checked.estimates[0]?.method).toBe('check-meter');
    expect(checked.intervals.values[97]).toBe(970);
    // No like day: the only other days have a power failure.
    const flat = daysOfQuarters(3, (d, q) => (d === 1 && q >= 20 && q < 50 ? null : 200));
    const outages = [0, 2].map((d) => ({ from: MONDAY + d * DAY, to: MONDAY + d * DAY + 60_000 }));
    const reference = series(daysOfQuarters(3, () => 50));
    const shaped = run(flat, { reference, outages });
    expect(shaped.estimates[0]?.method).toBe('reference-profile');
    expect(shaped.estimates[0]?.inputs.factor).toBe(4);
    expect(shaped.intervals.values[96 + 30]).toBe(200);
  });
});

describe('what a rule asks for', () => {
  const asked = (
    action: Finding['action'],
    list: readonly (number | null)[],
    from: number,
    to: number,
    value?: number,
  ) =>
    run(list, { checks: { intervals: () => [finding(from, to, { action, ...(value !== undefined && { value }) })] } });
  const two = daysOfQuarters(9, (d, q) => (d === 8 && q >= 10 && q < 14 ? null : d * 1000 + q));
  const at = 8 * 96 + 10;

  it('zero', () => expect(values(asked('zero', [5, null, 7], 1, 2))).toEqual([5, 0, 7]));
  it('previous day and previous week', () => {
    expect(asked('previous-day', two, at, at + 4).intervals.values[at]).toBe(7010);
    expect(asked('previous-week', two, at, at + 4).intervals.values[at]).toBe(1010);
    const doubtful = two.map((v, i) => (i === 7 * 96 + 10 ? null : v));
    const result = asked('previous-day', doubtful, at, at + 4);
    expect(result.intervals.values[at]).toBe(6010);
    expect(result.estimates.at(-1)?.sentence).toBe('as on 2026-01-11, for what lies between is not accepted');
  });
  it('user defined, and user defined distributed to the last unit', () => {
    expect(values(asked('user-defined', [5, null, null, 7], 1, 3, 12))).toEqual([5, 12, 12, 7]);
    expect(values(asked('user-defined-distributed', [5, null, null, null, 7], 1, 4, 11))).toEqual([5, 4, 4, 3, 7]);
  });
  it('distribute the cumulative value: what stands after the gap, or what the register says', () => {
    expect(values(asked('distribute-cumulative-value', [50, 0, 0, 0, 402, 60], 1, 4))).toEqual([
      50, 101, 101, 100, 100, 60,
    ]);
    const intervals = series([50, null, null, 70]);
    const result = vee({
      intervals,
      ...whole(intervals),
      zone: ZONE,
      showings: showings([
        [MONDAY, 1000],
        [MONDAY + 4 * Q, 1221],
      ]),
      checks: { intervals: () => [finding(1, 3, { action: 'distribute-cumulative-value' })] },
    });
    expect(values(result)).toEqual([50, 51, 50, 70]);
    expect(result.estimates[0]?.sentence).toContain('the register ran 221');
  });
  it('that has nothing to go by is estimated like any gap, and says so', () => {
    const result = asked('previous-week', [75, null, null, null, null, 100], 1, 5);
    expect(values(result)).toEqual([75, 80, 85, 90, 95, 100]);
    expect(result.flags[0]?.sentence).toContain('rule r asks for previous-week');
  });
  it('never replaces an edit', () => {
    const intervals = series([5, 900, 900, 7]);
    intervals.quality[1] = QUALITY.edited;
    const checks = { intervals: () => [finding(1, 3, { action: 'user-defined', value: 6 })] };
    const result = vee({ intervals, ...whole(intervals), zone: ZONE, checks });
    expect(values(result)).toEqual([5, 900, 6, 7]);
    expect(Array.from(result.intervals.quality)).toEqual([0, 2, 3, 0]);
  });
  it('only to mark it changes nothing', () => {
    const result = run([5, 900, 7], {
      checks: { intervals: () => [finding(1, 2, { usable: true, severity: 'error' })] },
    });
    expect(values(result)).toEqual([5, 900, 7]);
    expect(result.findings).toHaveLength(1);
    expect(result.estimates).toEqual([]);
  });
});
