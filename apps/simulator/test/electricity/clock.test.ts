/** sync_limit, small shifts, a clock that drifts, a clock that nobody trusts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROFILE_STATUS } from '../../src/electricity/index.ts';
import { DAY, events, eventTimes, forward, HOUR, MINUTE, meter, rows, SECOND, START } from './helpers.ts';

describe('setting the clock', () => {
  it('registers what is beyond sync_limit, and nothing else', () => {
    for (const [deviation, registered] of [
      [10_000, false],
      [-10_000, false],
      [10_001, true],
      [-10_001, true],
      [0, false],
    ] as const) {
      const m = meter();
      forward(m, HOUR);
      expect(m.setClock(m.now + deviation)).toEqual({ accepted: true, registered, deviation });
      expect(m.clock.utc).toBe(m.now + deviation);
      expect(events(m)).toEqual(registered ? ['clockAdjusted', 'clockAdjustedTo'] : []);
      if (registered) {
        expect(eventTimes(m, 'clockAdjusted')).toEqual([START + HOUR]);
        expect(eventTimes(m, 'clockAdjustedTo')).toEqual([Math.floor((START + HOUR + deviation) / SECOND) * SECOND]);
      }
    }
  });

  it('refuses many small shifts in place of a large one, within the window', () => {
    const m = meter();
    forward(m, HOUR);
    const shift = (ms: number) => m.setClock(m.clock.utc + ms);
    expect(shift(6000)).toMatchObject({ accepted: true });
    forward(m, HOUR);
    expect(shift(4001)).toEqual({ accepted: false, reason: 'small-shifts', deviation: 4001 });
    expect(m.clock.utc).toBe(m.now + 6000);
    expect(shift(4000)).toMatchObject({ accepted: true, registered: false });
    expect(shift(1)).toMatchObject({ accepted: false });
    expect(shift(1)).toMatchObject({ accepted: false });
    // They are one event in a window.
    expect(events(m)).toEqual(['smallShiftsRefused']);
    // Back is as good as forward: net displacement counts.
    expect(shift(-20_000)).toMatchObject({ accepted: true, registered: true });
    expect(events(m)).toEqual(['smallShiftsRefused', 'clockAdjusted', 'clockAdjustedTo']);
  });

  it('forgets small shifts when the window has passed', () => {
    const m = meter({ parameters: { smallShiftWindow: 3600 } });
    const shift = (ms: number) => m.setClock(m.clock.utc + ms).accepted;
    expect(shift(10_000)).toBe(true);
    forward(m, HOUR - 1);
    expect(shift(10_000)).toBe(false);
    forward(m, 1);
    expect(shift(10_000)).toBe(true);
  });

  it('never lets small shifts move it by more than sync_limit within any window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: 1, max: 12 * HOUR })), {
          maxLength: 40,
        }),
        (shifts) => {
          const m = meter();
          const taken: [number, number][] = [];
          for (const [ms, wait] of shifts) {
            if (m.setClock(m.clock.utc + ms).accepted) taken.push([m.now, ms]);
            forward(m, wait);
          }
          for (const [until] of taken) {
            const sum = taken.filter(([t]) => t > until - DAY && t <= until).reduce((s, [, ms]) => s + ms, 0);
            expect(Math.abs(sum)).toBeLessThanOrEqual(10_000);
          }
          expect(events(m)).not.toContain('clockAdjusted');
          expect(rows(m, 'periodic').every(({ status }) => (status & PROFILE_STATUS.timeChanged) === 0)).toBe(true);
        },
      ),
    );
  });

  it('refuses times that no row could hold', () => {
    const m = meter();
    for (const utc of [Date.UTC(1999, 11, 31), Date.UTC(2100, 0, 1), Number.NaN, 0.5])
      expect(m.setClock(utc)).toMatchObject({ accepted: false, reason: 'range' });
    expect(m.setClock(Date.UTC(2000, 0, 1))).toMatchObject({ accepted: true });
  });

  it('sets a desynchronised clock whatever the deviation, and says so', () => {
    for (const [deviation, registered] of [
      [3000, false],
      [HOUR, true],
    ] as const) {
      const m = meter();
      m.setClock(m.now + 10_000);
      m.desynchronise();
      expect(m.clock).toMatchObject({ synchronised: false, invalid: false });
      expect(m.setClock(m.clock.utc + deviation)).toMatchObject({ accepted: true, registered });
      expect(m.clock.synchronised).toBe(true);
      expect(events(m)).toEqual(
        registered
          ? ['clockInvalid', 'clockAdjusted', 'clockSynchronised', 'clockAdjustedTo']
          : ['clockInvalid', 'clockSynchronised'],
      );
    }
  });
});

describe('a clock that was never set', () => {
  it('is invalid, counts the low tariff, marks rows, and takes the first time it is given', () => {
    const m = meter({ clockSet: false });
    m.setPowers([1000, 0, 0]);
    forward(m, HOUR);
    expect(m.clock).toMatchObject({ invalid: true, synchronised: false, utc: Date.UTC(2000, 0, 1, 1) });
    expect([m.register('1.8.1'), m.register('1.8.2')]).toEqual([0, 1000]);
    const bad = PROFILE_STATUS.clockInvalid | PROFILE_STATUS.clockDesynchronised;
    expect(rows(m, 'periodic').map(({ status }) => status)).toEqual([bad]);
    expect(m.setClock(m.now)).toMatchObject({ accepted: true, registered: true });
    expect([m.clock.utc, m.rate]).toEqual([m.now, 1]);
  });
});

describe('a clock that drifts', () => {
  it('shows its own time, and captures by it', () => {
    for (const driftPpm of [100, -100, 37]) {
      const m = meter({ config: { driftPpm }, parameters: { capturePeriod: 15 } });
      forward(m, 10 * DAY);
      expect(m.clock.utc - m.now).toBe(Math.trunc((10 * DAY * driftPpm) / 1e6));
      const found = rows(m, 'periodic');
      expect(found.length).toBe(driftPpm > 0 ? 960 : 959);
      for (const [i, { at, status }] of found.entries()) {
        expect(at).toBe(START + (i + 1) * 15 * MINUTE);
        expect(status).toBe(0);
      }
    }
  });

  it('is kept right by a correction each hour', () => {
    const m = meter({ config: { driftPpm: 60 } });
    for (let i = 0; i < 240; i++) {
      forward(m, HOUR);
      expect(m.setClock(m.now)).toMatchObject({ accepted: true, registered: false });
    }
    expect(m.profile('periodic').length).toBe(240);
    expect(events(m)).toEqual([]);
  });
});

describe('daylight saving', () => {
  it('is an event each time it begins and ends', () => {
    const m = meter();
    m.advance(START + 365 * DAY);
    expect(events(m)).toEqual(['dstOn', 'dstOff']);
    expect(eventTimes(m, 'dstOn')).toEqual([Date.parse('2025-03-30T01:00:00Z')]);
    expect(eventTimes(m, 'dstOff')).toEqual([Date.parse('2025-10-26T01:00:00Z')]);
    m.advance(Date.parse('2026-06-01T00:00:00Z'));
    expect(m.clock).toMatchObject({ dst: true, offset: 2 * HOUR });
  });

  it('is an event also when it changed in a power failure, or the clock was set over it', () => {
    const before = Date.parse('2025-03-29T12:00:00Z');
    const m = meter({ start: before });
    m.setMains(false);
    forward(m, DAY);
    m.setMains(true);
    expect(events(m)).toEqual(['powerDown', 'longPowerUp', 'dstOn']);
    m.setClock(before);
    expect(events(m).slice(3)).toEqual(['clockAdjusted', 'clockAdjustedTo', 'dstOff']);
  });

  it('is none where there is none', () => {
    const m = meter({ config: { zone: 'Asia/Kolkata' } });
    m.advance(START + 365 * DAY);
    expect(events(m)).toEqual([]);
  });
});
