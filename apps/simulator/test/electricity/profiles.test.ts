/** Profiles as rings: rows, instants, status words, days of 92, 96 and 100 quarters, failures and clocks set over instants. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Meter, PROFILE_STATUS as P } from '../../src/electricity/index.ts';
import { Ring } from '../../src/electricity/ring.ts';
import { DAY, forward, HOUR, MINUTE, meter, rows, SECOND, START } from './helpers.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const ordinary = { daily: ['1.8.0'], periodic: ['1.8.0'], monthly: ['1.8.0'], capturePeriod: 15 } as const;
const plain = (start = START, more = {}): Meter => {
  const m = meter({ start, parameters: { ...ordinary, ...more } });
  m.setPowers([1000, 0, 0]);
  return m;
};

describe('rows', () => {
  it('hold Wh at the instant, and are stamped with it', () => {
    const m = plain(START + 7 * MINUTE + 13 * SECOND);
    m.advance(START + HOUR);
    expect(rows(m, 'periodic').map(({ at, status }) => [iso(at), status])).toEqual([
      ['2025-01-15T11:15:00.000Z', 0],
      ['2025-01-15T11:30:00.000Z', 0],
      ['2025-01-15T11:45:00.000Z', 0],
      ['2025-01-15T12:00:00.000Z', 0],
    ]);
    // 467, 1367 … seconds of 1 kW.
    expect(rows(m, 'periodic').map(({ values }) => values)).toEqual([[129], [379], [629], [879]]);
    m.advance(START + 7 * DAY);
    expect(rows(m, 'daily').map(({ at }) => iso(at))).toHaveLength(7);
    expect(iso(m.profile('daily').timeOf(0))).toBe('2025-01-15T23:00:00.000Z');
  });

  it('come each 15, 30 or 60 minutes of local time, also where zones stand at halves of hours', () => {
    for (const [period, zone, count] of [
      [15, 'Europe/Oslo', 96],
      [30, 'Asia/Kolkata', 48],
      [60, 'Asia/Kathmandu', 24],
    ] as const) {
      const m = meter({ config: { zone }, parameters: { ...ordinary, capturePeriod: period } });
      forward(m, DAY);
      expect(m.profile('periodic').length).toBe(count);
      const offset = m.clock.offset;
      for (const { at } of rows(m, 'periodic')) expect((at + offset) % (period * MINUTE)).toBe(0);
    }
    expect(meter().setParameters({ capturePeriod: 45 as 15 })).toMatchObject({ done: false, reason: 'range' });
  });

  it('are 366, 2160, 13 at most; the oldest go', () => {
    const m = plain();
    m.advance(START + 430 * DAY);
    expect([m.profile('daily').length, m.profile('periodic').length, m.profile('monthly').length]).toEqual([
      366, 2160, 13,
    ]);
    const daily = rows(m, 'daily');
    expect(iso(daily.at(-1)?.at as number)).toBe('2026-03-20T23:00:00.000Z');
    for (const [i, row] of daily.entries()) if (i > 0) expect(row.at).toBeGreaterThan((daily[i - 1] as typeof row).at);
    const monthly = rows(m, 'monthly').map(({ at }) => iso(at));
    expect(monthly[0]).toBe('2025-02-28T23:00:00.000Z');
    expect(monthly.at(-1)).toBe('2026-02-28T23:00:00.000Z');
    expect(m.profile('daily').columns).toEqual(['1-0:1.8.0']);
    expect(m.profile('daily').row(366).values).toEqual([Number.NaN]);
  });

  it('hold up to 4 registers, of their own choice', () => {
    const m = plain();
    expect(m.setParameters({ daily: ['1.8.0', '2.8.0', '15.8.0', '1.8.1'] })).toEqual({ done: true });
    forward(m, DAY);
    expect(m.profile('daily').row(0).values).toEqual([12_000, 0, 12_000, 10_000]);
    expect(m.setParameters({ daily: ['1.8.0', '2.8.0', '15.8.0', '1.8.1', '1.8.2'] })).toMatchObject({ done: false });
    expect(m.setParameters({ daily: ['1.8.0', '1.8.0'] })).toMatchObject({ done: false });
    // What stands there means something else with other columns: it begins anew.
    expect(m.setParameters({ daily: ['2.8.0'] })).toEqual({ done: true });
    expect(m.profile('daily').length).toBe(0);
    expect(m.profile('periodic').length).toBe(96);
    expect(m.setParameters({ capturePeriod: 30 })).toEqual({ done: true });
    expect(m.profile('periodic').length).toBe(0);
  });

  it('say 8 bits where 8 bits are configured', () => {
    const m = meter({ config: { statusBits: 8 }, parameters: ordinary });
    m.pressButton();
    m.setMains(false);
    forward(m, DAY);
    m.setMains(true);
    expect(rows(m, 'daily')[0]?.status).toBe(P.powerDown | P.powerUp);
  });

  it('say that the premises are disconnected, or that an error holds', () => {
    const m = plain();
    m.pressButton();
    m.setError('critical');
    forward(m, 15 * MINUTE);
    m.setError('none');
    forward(m, 15 * MINUTE);
    expect(rows(m, 'periodic').map(({ status }) => status)).toEqual([P.disconnected | P.criticalError, P.disconnected]);
  });
});

describe('days on which clocks change', () => {
  it.each([
    ['2025-03-29T23:00:00Z', 92, 23],
    ['2025-06-01T22:00:00Z', 96, 24],
    ['2025-10-25T22:00:00Z', 100, 25],
  ])('the day from %s has %i quarters', (from, quarters, hours) => {
    const start = Date.parse(from);
    const m = plain(start);
    m.advance(start + hours * HOUR - 1);
    expect(m.profile('daily').length).toBe(0);
    m.advance(start + hours * HOUR);
    expect(m.profile('periodic').length).toBe(quarters);
    expect(rows(m, 'daily').map(({ values }) => values[0])).toEqual([hours * 1000]);
    const dst = rows(m, 'periodic').filter(({ status }) => status & P.dst).length;
    expect(dst).toBe(quarters === 96 ? 96 : quarters === 92 ? 85 : 11);
  });
});

describe('power failures', () => {
  it('leave a gap in the periodic profile, and mark the next row', () => {
    const m = plain();
    forward(m, 20 * MINUTE);
    m.setMains(false);
    forward(m, 2 * HOUR);
    m.setMains(true);
    forward(m, 25 * MINUTE);
    expect(rows(m, 'periodic').map(({ at, status, values }) => [(at - START) / MINUTE, status, values[0]])).toEqual([
      [15, 0, 250],
      [150, P.powerDown | P.powerUp, 500],
      [165, 0, 750],
    ]);
  });

  it('over midnight and over the first of a month are made good, once', () => {
    const m = plain(Date.parse('2025-01-30T12:00:00Z'));
    m.advance(Date.parse('2025-01-30T20:00:00Z'));
    m.setMains(false);
    m.advance(Date.parse('2025-02-02T10:00:00Z'));
    expect(m.profile('daily').length).toBe(0);
    m.setMains(true);
    const mark = P.late | P.powerDown | P.powerUp;
    expect(rows(m, 'daily')).toEqual([{ at: Date.parse('2025-02-01T23:00:00Z'), status: mark, values: [8000] }]);
    expect(rows(m, 'monthly')).toEqual([{ at: Date.parse('2025-01-31T23:00:00Z'), status: mark, values: [8000] }]);
    m.advance(Date.parse('2025-02-03T00:00:00Z'));
    expect(rows(m, 'daily')[1]).toEqual({
      at: Date.parse('2025-02-02T23:00:00Z'),
      status: P.powerDown | P.powerUp,
      values: [21_000],
    });
  });

  it('of over 7 days mark rows until the clock is set', () => {
    const m = plain();
    m.setMains(false);
    forward(m, 8 * DAY);
    m.setMains(true);
    forward(m, HOUR);
    for (const { status } of rows(m, 'periodic')) {
      expect(status & P.clockInvalid).not.toBe(0);
      expect(status & P.clockDesynchronised).not.toBe(0);
    }
    m.setClock(m.now);
    forward(m, HOUR);
    expect(rows(m, 'periodic').at(-1)?.status).toBe(0);
    expect(rows(m, 'periodic').at(-1)?.at).toBe(START + 8 * DAY + 2 * HOUR);
  });
});

describe('clocks that are set', () => {
  const at = START + 5 * MINUTE;
  it('forward over instants: none of the periodic profile, the last of the others, all marked', () => {
    const m = plain();
    m.advance(at);
    expect(m.setClock(at + DAY)).toMatchObject({ accepted: true, registered: true });
    expect(m.profile('periodic').length).toBe(0);
    expect(rows(m, 'daily')).toEqual([
      { at: Date.parse('2025-01-15T23:00:00Z'), status: P.late | P.timeChanged, values: [83] },
    ]);
    forward(m, 30 * MINUTE);
    expect(rows(m, 'periodic').map(({ at: t, status }) => [iso(t), status])).toEqual([
      ['2025-01-16T11:15:00.000Z', P.timeChanged],
      ['2025-01-16T11:30:00.000Z', 0],
    ]);
  });

  it('backward: instants come again and are captured again', () => {
    const m = plain();
    m.advance(START + 20 * MINUTE);
    m.setClock(START + 10 * MINUTE);
    forward(m, 20 * MINUTE);
    expect(rows(m, 'periodic').map(({ at: t, status, values }) => [(t - START) / MINUTE, status, values[0]])).toEqual([
      [15, 0, 250],
      [15, P.timeChanged, 416],
      [30, 0, 666],
    ]);
  });

  it('by no more than sync_limit: every instant once, nothing marked', () => {
    for (const [before, shift] of [
      [-3, 5],
      [3, -5],
      [-1, 1],
      [0, -10],
    ] as const) {
      const m = plain();
      m.advance(START + 15 * MINUTE + before * SECOND);
      expect(m.setClock(m.now + shift * SECOND)).toMatchObject({ accepted: true, registered: false });
      forward(m, 20 * MINUTE);
      expect(rows(m, 'periodic').map(({ at: t, status }) => [(t - START) / MINUTE, status])).toEqual([
        [15, 0],
        [30, 0],
      ]);
    }
  });
});

describe('the ring', () => {
  it('holds the newest rows in order, whatever was pushed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 4_000_000_000 }), { maxLength: 150 }),
        (capacity, width, wide, pushed) => {
          const ring = new Ring(capacity, width, wide);
          for (const [i, n] of pushed.entries()) {
            ring.push(n * 1000, i & 0xffff);
            for (let c = 0; c < width; c++) ring.set(c, (n + c) % 4_000_000_000);
          }
          const kept = pushed.slice(-capacity);
          expect(ring.length).toBe(kept.length);
          for (const [i, n] of kept.entries()) {
            expect(ring.timeOf(i)).toBe(n * 1000);
            expect(ring.statusOf(i)).toBe(pushed.length - kept.length + i);
            for (let c = 0; c < width; c++) expect(ring.value(i, c)).toBe((n + c) % 4_000_000_000);
          }
          expect(ring.timeOf(kept.length)).toBeNaN();
          expect(ring.timeOf(-1)).toBeNaN();
        },
      ),
    );
  });
});
