import { add, startOf } from '@amiable/calendar';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridOf, meteringOf, QUALITY, type Showings, sourceStamps } from '../src/index.ts';

const H = 3_600_000;
const Q = H / 4;
const OSLO = 'Europe/Oslo';
const T0 = Date.UTC(2026, 0, 5);
const register = (times: number[], values: number[], scaler = 0): Showings => ({
  times: Float64Array.from(times),
  values: Float64Array.from(values),
  scaler,
});
const options = { zone: OSLO, step: Q, from: T0, to: T0 + H };
const quarters = (k: number): number[] => Array.from({ length: k }, (_, i) => T0 + i * Q);

describe('the grid', () => {
  it('has 92, 96 or 100 quarters on local days', () => {
    for (const [day, quartersOfDay] of [
      [Date.UTC(2026, 2, 29, 10), 92],
      [Date.UTC(2026, 5, 1, 10), 96],
      [Date.UTC(2026, 9, 25, 10), 100],
    ] as const) {
      const from = startOf('day', OSLO, day);
      expect(gridOf(OSLO, Q, from, add('day', OSLO, from, 1)).length - 1).toBe(quartersOfDay);
    }
  });
  it('begins with the local hour where zones are not whole hours from UTC', () => {
    expect(gridOf('Asia/Kathmandu', H, T0, T0 + 3 * H)[0]).toBe(T0 + Q);
    expect(gridOf('Asia/Kolkata', Q, T0, T0 + H)[0]).toBe(T0);
  });
  it('has days of their own length, and gas days from six', () => {
    const from = startOf('day', OSLO, Date.UTC(2026, 2, 28, 10));
    const days = gridOf(OSLO, 'day', from, add('day', OSLO, from, 3));
    expect(Array.from(days.subarray(1), (t, i) => (t - (days[i] as number)) / H)).toEqual([24, 23, 24]);
    const gas = gridOf(OSLO, 'day', from, add('day', OSLO, from, 2), 6 * H);
    expect((gas[0] as number) - from).toBe(6 * H);
    expect(((gas[1] as number) - (gas[0] as number)) / H).toBe(23);
  });
  it('refuses what fills no hour', () => {
    expect(() => gridOf(OSLO, 7 * 60_000, T0, T0 + H)).toThrow(/fill no hour/);
    expect(() => gridOf(OSLO, 1000, T0, T0 + 40 * 366 * 24 * H)).toThrow(/too many/);
    expect(gridOf(OSLO, Q, T0, T0)).toHaveLength(0);
  });
});

describe('intervals out of registers', () => {
  it('are differences, start-stamped, where both ends stand', () => {
    const sent = register(
      [...quarters(2), ...quarters(5).slice(3)].map((t) => t + 5000),
      [100, 110, 145, 150],
    );
    const { intervals, showings } = meteringOf({ registers: [sent] }, options);
    expect(Array.from(intervals.values)).toEqual([10, Number.NaN, Number.NaN, 5]);
    expect(Array.from(intervals.quality)).toEqual([0, 4, 4, 0]);
    expect(intervals.start).toBe(T0);
    expect(Array.from(showings?.times ?? [])).toEqual([T0, T0 + Q, T0 + 3 * Q, T0 + 4 * Q]);
  });
  it('take the reading that is nearest to a boundary, and none that is too far', () => {
    const sent = register([T0 - 20_000, T0 + 1000, T0 + 9000, T0 + Q + 31_000, T0 + 2 * Q], [100, 101, 102, 110, 120]);
    const { showings } = meteringOf({ registers: [sent] }, options);
    expect(Array.from(showings?.times ?? [])).toEqual([T0, T0 + 2 * Q]);
    expect(Array.from(showings?.values ?? [])).toEqual([101, 120]);
  });
  it('know a rollover from an exchange', () => {
    const rolled = meteringOf(
      { registers: [register(quarters(4), [99_990, 99_999, 4, 10])] },
      { ...options, digits: 5 },
    );
    expect(Array.from(rolled.intervals.values)).toEqual([9, 5, 6, Number.NaN]);
    expect(rolled.notes).toEqual([{ kind: 'rollover', time: T0 + 2 * Q, values: [99_999, 4] }]);
    const exchanged = meteringOf(
      { registers: [register(quarters(4), [5000, 5010, 4, 10])] },
      { ...options, digits: 5 },
    );
    expect(Array.from(exchanged.intervals.values)).toEqual([10, Number.NaN, 6, Number.NaN]);
    expect(exchanged.notes[0]?.kind).toBe('fall');
    expect(Array.from(exchanged.runs)).toEqual([0, 0, 1, 1]);
  });
  it('judge a rollover after a long time by what can run through', () => {
    const sent = register([T0, T0 + 1000 * H], [70_000, 20_000]);
    const long = { ...options, to: T0 + 1001 * H, digits: 5 };
    expect(meteringOf({ registers: [sent] }, { ...long, mostPerHour: 60 }).notes[0]?.kind).toBe('rollover');
    expect(meteringOf({ registers: [sent] }, { ...long, mostPerHour: 40 }).notes[0]?.kind).toBe('fall');
  });
  it('add rates up where all of them stand, with the finer scaler', () => {
    const high = register(quarters(5), [10, 10, 12, 13, 13], 1);
    const low = register(
      quarters(5).filter((_, i) => i !== 3),
      [500, 505, 505, 510],
    );
    const { intervals, showings } = meteringOf({ registers: [high, low] }, options);
    expect(intervals.scaler).toBe(0);
    expect(Array.from(intervals.values)).toEqual([5, 20, Number.NaN, Number.NaN]);
    expect(Array.from(showings?.values ?? [])).toEqual([600, 605, 625, 640]);
  });
  it('carry the worst quality of their two readings', () => {
    const sent = { ...register(quarters(3), [1, 2, 3]), quality: Uint8Array.of(0, QUALITY.estimated, 0) };
    expect(Array.from(meteringOf({ registers: [sent] }, options).intervals.quality)).toEqual([3, 3, 4, 4]);
  });
  it('note two readings at one instant and keep the first', () => {
    const { intervals, notes } = meteringOf({ registers: [register([T0, T0, T0 + Q], [1, 9, 4])] }, options);
    expect(intervals.values[0]).toBe(3);
    expect(notes).toEqual([{ kind: 'duplicate', time: T0, values: [1, 9] }]);
  });
  it('of local days are as long as the day', () => {
    const from = startOf('day', OSLO, Date.UTC(2026, 9, 24, 10));
    const days = gridOf(OSLO, 'day', from, add('day', OSLO, from, 3));
    const sent = register(Array.from(days), [0, 24, 49, 73]);
    const { intervals, bounds } = meteringOf(
      { registers: [sent] },
      { zone: OSLO, step: 'day', from, to: days[3] as number },
    );
    expect(Array.from(intervals.values)).toEqual([24, 25, 24]);
    expect(Array.from(bounds)).toEqual(Array.from(days));
  });
});

describe('intervals out of profiles', () => {
  const ends = (k: number, step: number): number[] => Array.from({ length: k }, (_, i) => T0 + (i + 1) * step);
  it('are stamped with their end', () => {
    const profile = { ...register(ends(4, Q), [5, 6, 7, 8]), period: Q };
    expect(Array.from(meteringOf({ profiles: [profile] }, options).intervals.values)).toEqual([5, 6, 7, 8]);
  });
  it('of finer periods add up where they fill the interval', () => {
    const five = { ...register(ends(12, Q / 3), [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1]), period: Q / 3 };
    expect(Array.from(meteringOf({ profiles: [five] }, options).intervals.values)).toEqual([6, 15, 24, 3]);
    const less = {
      ...register(
        ends(12, Q / 3).filter((_, i) => i !== 4),
        [1, 2, 3, 4, 6, 7, 8, 9, 1, 1, 1],
      ),
      period: Q / 3,
    };
    expect(Array.from(meteringOf({ profiles: [less] }, options).intervals.values)).toEqual([6, Number.NaN, 24, 3]);
  });
  it('of coarser periods are noted, not cut', () => {
    const hourly = { ...register([T0 + H], [40]), period: H };
    const { intervals, notes } = meteringOf({ profiles: [hourly] }, options);
    expect(intervals.values.every(Number.isNaN)).toBe(true);
    expect(notes[0]?.kind).toBe('wrong-period');
  });
  it('between the quarters are noted, not taken', () => {
    const off = { ...register([T0 + Q, T0 + Q + 5 * 60_000 + Q], [4, 5]), period: Q };
    const { intervals, notes } = meteringOf({ profiles: [off] }, options);
    expect(Array.from(intervals.values)).toEqual([4, Number.NaN, Number.NaN, Number.NaN]);
    expect(notes[0]?.kind).toBe('off-grid');
  });
  it('out of powers are exact in finer units', () => {
    const watts = { ...register(ends(4, Q), [1000, 1001, 1002, 1003]), period: Q };
    const { intervals } = meteringOf({ powers: [watts] }, options);
    expect(intervals.scaler).toBe(-2);
    expect(Array.from(intervals.values)).toEqual([25_000, 25_025, 25_050, 25_075]);
  });
  it('fill only what registers leave open', () => {
    const profile = { ...register(ends(4, Q), [50, 60, 70, 80], -1), period: Q };
    const { intervals } = meteringOf({ registers: [register(quarters(2), [0, 9])], profiles: [profile] }, options);
    expect(intervals.scaler).toBe(-1);
    expect(Array.from(intervals.values)).toEqual([90, 60, 70, 80]);
  });
});

it('stamps of rows are moved onto the boundary that they mean, and to the start of their interval', () => {
  const times = Float64Array.of(T0 + Q + 5000, T0 + 2 * Q - 30_000, T0 + 3 * Q + 31_000);
  const grid = { start: T0, step: Q };
  expect(Array.from(sourceStamps(times, Q, grid))).toEqual([T0, T0 + Q, T0 + 2 * Q + 31_000]);
  expect(Array.from(sourceStamps(times, 0, grid)).slice(0, 2)).toEqual([T0 + Q, T0 + 2 * Q]);
});

it('intervals add up to the difference of the register, whatever is dropped and wherever stamps lie', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ use: fc.nat(5000), jitter: fc.integer({ min: -30_000, max: 30_000 }), kept: fc.boolean() }),
        {
          minLength: 2,
          maxLength: 60,
        },
      ),
      fc.integer({ min: 4, max: 6 }),
      (rows, digits) => {
        let shown = 10 ** digits - 500;
        const all = rows.map((row, i) => {
          shown += i ? row.use % 90 : 0;
          return { time: T0 + i * Q + row.jitter, value: shown % 10 ** digits, kept: row.kept, total: shown };
        });
        const kept = all.filter((row) => row.kept);
        const sent = register(
          kept.map((row) => row.time),
          kept.map((row) => row.value),
        );
        const { intervals, showings, runs } = meteringOf(
          { registers: [sent] },
          { ...options, to: T0 + (rows.length - 1) * Q, digits, mostPerHour: 360 },
        );
        expect(showings?.values.length).toBe(kept.length);
        expect(runs.every((run) => run === 0)).toBe(true);
        for (let i = 0; i + 1 < rows.length; i++) {
          const both = all[i]?.kept && all[i + 1]?.kept;
          if (both) expect(intervals.values[i]).toBe((all[i + 1]?.total ?? 0) - (all[i]?.total ?? 0));
          else expect(intervals.values[i]).toBeNaN();
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('whatever a meter sends, intervals are whole numbers or missing, and nothing is thrown', () => {
  const odd = fc.oneof(fc.double(), fc.integer({ min: -100, max: 100_000_000 }));
  const time = fc.oneof(fc.integer({ min: T0 - H, max: T0 + 3 * H }), fc.double());
  const rows = fc.array(fc.tuple(time, odd, fc.nat(6)), { maxLength: 30 });
  const sent = rows.map((all) => ({
    times: Float64Array.from(all, ([t]) => t),
    values: Float64Array.from(all, ([, v]) => v),
    quality: Uint8Array.from(all, ([, , q]) => q),
    scaler: 0,
  }));
  fc.assert(
    fc.property(sent, sent, sent, fc.constantFrom(Q / 3, Q, H), (a, b, c, period) => {
      const made = meteringOf(
        { registers: [a], profiles: [{ ...b, period }], powers: [{ ...c, period }] },
        { ...options, digits: 5 },
      );
      const { values, quality } = made.intervals;
      const wrong = Array.from(values).filter(
        (v, i) => Number.isNaN(v) !== (quality[i] === QUALITY.missing) || (!Number.isNaN(v) && !Number.isInteger(v)),
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

it('makes the same of a register that never falls in one pass as in the general way', () => {
  const steps = fc.array(fc.record({ gone: fc.nat(3), use: fc.nat(900), off: fc.constantFrom(0, 0, 0, 0, 0, 1000) }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: -6, max: 6 }), fc.integer({ min: -50, max: 50 }), (all, first, shown) => {
      const times: number[] = [];
      const values: number[] = [];
      let [place, value] = [first, shown];
      for (const { gone, use, off } of all) {
        times.push(T0 + place * Q + off);
        values.push(value);
        // Mostly the next quarter, and forward.
        place += gone === 3 ? 3 : 1;
        value += gone === 2 && use < 30 ? -use : use;
      }
      const sent = { ...register(times, values), quality: new Uint8Array(times.length) };
      const span = { ...options, to: T0 + 4 * H };
      const none = { times: new Float64Array(0), values: new Float64Array(0), scaler: 0, period: Q };
      const general = meteringOf({ registers: [sent], profiles: [none] }, span);
      expect(meteringOf({ registers: [sent] }, span)).toEqual(general);
    }),
    { numRuns: 300 },
  );
});
