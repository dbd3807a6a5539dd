/** Maximum demand: the mean of the last hour against the maximum and its margin, looked at each minute. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEVICE_STATUS, PROFILE_STATUS } from '../../src/electricity/index.ts';
import { events, eventTimes, forward, HOUR, MINUTE, meter, rows, START } from './helpers.ts';

describe('maximum demand', () => {
  it('is exceeded by more than the maximum over an hour', () => {
    for (const [watts, over] of [
      [1000, false],
      [1001, true],
    ] as const) {
      const m = meter({ parameters: { maximumDemand: 1 } });
      m.setPowers([watts, 0, 0]);
      forward(m, 2 * HOUR);
      expect(m.overDemand).toBe(over);
      expect(events(m)).toEqual(over ? ['overDemand'] : []);
      if (over) expect(eventTimes(m, 'overDemand')).toEqual([START + HOUR]);
    }
  });

  it('has a margin, and an end', () => {
    const m = meter({ parameters: { maximumDemand: 10, demandMargin: 1.2 } });
    m.setPowers([12_000, 0, 0]);
    forward(m, 2 * HOUR);
    expect(events(m)).toEqual([]);
    m.setPowers([12_060, 0, 0]);
    forward(m, HOUR);
    expect(m.hourlyDemand).toBeCloseTo(12_060, 6);
    expect(m.overDemand).toBe(true);
    expect(m.deviceStatus & DEVICE_STATUS.overDemand).not.toBe(0);
    m.setPowers([0, 0, 0]);
    forward(m, HOUR);
    expect(events(m)).toEqual(['overDemand', 'overDemandEnd']);
    expect((rows(m, 'periodic').at(-2)?.status ?? 0) & PROFILE_STATUS.overDemand).not.toBe(0);
  });

  it('is 1 to 256 kW, or off', () => {
    const m = meter();
    for (const maximumDemand of [0.9, 256.1, -1, Number.NaN])
      expect(m.setParameters({ maximumDemand })).toMatchObject({ done: false, reason: 'range' });
    for (const maximumDemand of [256, 1, 0]) expect(m.setParameters({ maximumDemand })).toEqual({ done: true });
    expect(m.hourlyDemand).toBe(0);
    expect(m.setParameters({ demandMargin: 0.99 })).toMatchObject({ done: false });
    expect(m.setParameters({ fuse: 'gG 63 A' })).toEqual({ done: true });
  });

  it('counts a power failure as time without load', () => {
    const m = meter({ parameters: { maximumDemand: 1.11 } });
    m.setPowers([1200, 0, 0]);
    forward(m, 40 * MINUTE);
    m.setMains(false);
    forward(m, 20 * MINUTE);
    m.setMains(true);
    forward(m, 55 * MINUTE);
    // In the hour that ends now 20 of 60 minutes were dark, 15 of them still count.
    expect(m.hourlyDemand).toBeCloseTo(1200 * (55 / 60), 6);
    expect(events(m)).not.toContain('overDemand');
  });

  it('agrees with a model that adds up minutes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 50 })), { maxLength: 10 }),
        (steps) => {
          const m = meter({ parameters: { maximumDemand: 5, demandMargin: 1.1 } });
          const minutes: number[] = [];
          const wanted: string[] = [];
          let over = false;
          for (const [hundreds, length] of steps) {
            m.setPowers([hundreds * 600, 0, 0]);
            forward(m, length * MINUTE);
            for (let i = 0; i < length; i++) {
              minutes.push(hundreds * 10);
              const now = minutes.slice(-60).reduce((a, b) => a + b, 0) > 5500;
              if (now !== over) wanted.push(now ? 'overDemand' : 'overDemandEnd');
              over = now;
            }
          }
          expect(events(m)).toEqual(wanted);
        },
      ),
    );
  });
});
