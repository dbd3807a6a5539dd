import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMeter, indicesOf, noSums, type Outage, outagesOf, type SupplyEvent, unplanned } from '../src/index.ts';

const M = 60_000;
const H = 60 * M;
const DAY = 24 * H;
const e = (minute: number, event: string): SupplyEvent => ({ time: minute * M, event });

describe('interruptions out of events', () => {
  it('begin with power-down and end with the next restoration', () => {
    expect(
      outagesOf([
        e(5, 'power-up'),
        e(10, 'power-down'),
        e(12, 'power-down'),
        e(30, 'power-up-long'),
        e(31, 'power-up'),
        e(50, 'power-down'),
      ]),
    ).toEqual([
      { phase: 'all', from: 10 * M, to: 30 * M },
      { phase: 'all', from: 50 * M, to: undefined },
    ]);
  });
  it('are told apart by phase', () => {
    expect(
      outagesOf([
        e(1, 'phase-outage-l2'),
        e(2, 'phase-outage-l1'),
        e(3, 'phase-restored-l2'),
        e(4, 'voltage-normal-l1'),
        e(5, 'undervoltage-l1'),
      ]),
    ).toEqual([
      { phase: 'l2', from: 1 * M, to: 3 * M },
      { phase: 'l1', from: 2 * M, to: 4 * M },
    ]);
  });
  it('are taken from a log that tells them when they are over', () => {
    expect(outagesOf([{ time: 20 * M, event: 'power-failure-long', duration: 4 * M }])).toEqual([
      { phase: 'all', from: 16 * M, to: 20 * M },
    ]);
  });
});

describe('announced work', () => {
  const outage: Outage = { phase: 'all', from: 10 * M, to: 60 * M };
  it('takes away what begins in it, until it ends', () => {
    expect(unplanned(outage, [{ from: 0, to: 60 * M }])).toBeUndefined();
    expect(unplanned(outage, [{ from: 5 * M, to: 40 * M }])).toEqual({ ...outage, from: 40 * M });
    expect(
      unplanned(outage, [
        { from: 30 * M, to: 50 * M },
        { from: 10 * M, to: 30 * M },
      ]),
    ).toEqual({ ...outage, from: 50 * M });
    expect(unplanned(outage, [{ from: 11 * M, to: 70 * M }])).toEqual(outage);
    expect(unplanned({ ...outage, to: undefined }, [{ from: 0, to: 70 * M }])).toEqual({
      phase: 'all',
      from: 70 * M,
      to: undefined,
    });
  });
});

describe('the indices, by hand', () => {
  it('of four customers in a day', () => {
    // A: 90 min. B: 30 min and 2 min. C: none. D: in service for half of the day, 60 min.
    const period = { from: 0, to: DAY };
    const sums = noSums();
    const add = (outages: Outage[], service = { from: -DAY, to: 9 * DAY }) =>
      addMeter(sums, outages, { period, service, until: DAY });
    add([{ phase: 'all', from: 1 * H, to: 1 * H + 90 * M }]);
    add([
      { phase: 'all', from: 2 * H, to: 2 * H + 30 * M },
      { phase: 'all', from: 5 * H, to: 5 * H + 2 * M },
    ]);
    add([{ phase: 'l1', from: 0, to: DAY }]);
    add([{ phase: 'all', from: 14 * H, to: 15 * H }], { from: 12 * H, to: 9 * DAY });
    expect(sums).toEqual({ customers: 3.5, sustained: 3, momentary: 1, minutes: 180 });
    // 180 / 3.5, 3 / 3.5, 180 / 3, 1 / 3.5
    const { saidi, saifi, caidi, maifi } = indicesOf(sums);
    expect(saidi).toBeCloseTo(51.428571, 6);
    expect(saifi).toBeCloseTo(0.857143, 6);
    expect(caidi).toBe(60);
    expect(maifi).toBeCloseTo(0.285714, 6);
  });
  it('count an interruption once, where it begins, and its minutes where they lie', () => {
    const over: Outage[] = [{ phase: 'all', from: DAY - 10 * M, to: DAY + 50 * M }];
    const days = [0, 1].map((d) => {
      const sums = noSums();
      addMeter(sums, over, {
        period: { from: d * DAY, to: (d + 1) * DAY },
        service: { from: 0, to: 9 * DAY },
        until: 2 * DAY,
      });
      return [sums.sustained, sums.minutes];
    });
    expect(days).toEqual([
      [1, 10],
      [0, 50],
    ]);
  });
  it('take what lasts as long as it is known, and three minutes as momentary unless said', () => {
    const lasts: Outage[] = [{ phase: 'all', from: 0, to: undefined }];
    const of = (until: number, momentary?: number) => {
      const sums = noSums();
      addMeter(sums, lasts, {
        period: { from: 0, to: DAY },
        service: { from: 0, to: DAY },
        until,
        ...(momentary === undefined ? {} : { momentary }),
      });
      return sums;
    };
    expect(of(3 * M)).toMatchObject({ momentary: 1, sustained: 0, minutes: 0 });
    expect(of(4 * M)).toMatchObject({ momentary: 0, sustained: 1, minutes: 4 });
    expect(of(4 * M, 5 * M)).toMatchObject({ momentary: 1, sustained: 0 });
    expect(indicesOf(noSums())).toEqual({ saidi: null, saifi: null, caidi: null, maifi: null });
  });
});

describe('against a scan of every minute', () => {
  it('finds the same interruptions and minutes', () => {
    const LONG = 200;
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(LONG), fc.constantFrom('power-down', 'power-up', 'power-up-short', 'overvoltage-l1')),
          { maxLength: 30 },
        ),
        fc.nat(LONG),
        fc.integer({ min: 1, max: LONG }),
        fc.nat(LONG),
        fc.integer({ min: 1, max: LONG }),
        fc.nat(10),
        (list, from, length, serviceFrom, serviceLength, momentary) => {
          const events = list
            .map(([minute, event], k) => ({ minute, event, k }))
            .sort((a, b) => a.minute - b.minute || a.k - b.k);
          // The model: is there supply in each minute, one after the other.
          const dark: boolean[] = [];
          let on = true;
          let next = 0;
          for (let minute = 0; minute < LONG; minute++) {
            while (next < events.length && (events[next]?.minute as number) <= minute) {
              const word = events[next++]?.event as string;
              if (word === 'power-down') on = false;
              else if (word.startsWith('power-up')) on = true;
            }
            dark.push(!on);
          }
          const period = { from, to: Math.min(LONG, from + length) };
          const service = { from: serviceFrom, to: serviceFrom + serviceLength };
          if (period.to <= period.from) return;
          const model = { sustained: 0, momentary: 0, minutes: 0 };
          for (let begin = 0; begin < LONG; begin++) {
            if (!dark[begin] || (begin > 0 && dark[begin - 1])) continue;
            let end = begin;
            while (end < LONG && dark[end]) end++;
            const isSustained = end - begin > momentary;
            const counts = (minute: number) =>
              minute >= Math.max(period.from, service.from) && minute < Math.min(period.to, service.to);
            if (counts(begin)) model[isSustained ? 'sustained' : 'momentary']++;
            if (isSustained) for (let minute = begin; minute < end; minute++) if (counts(minute)) model.minutes++;
          }
          const sums = noSums();
          const spans = (span: { from: number; to: number }) => ({ from: span.from * M, to: span.to * M });
          // Down and up within one minute are seen by no scan of minutes; nor are they of any length here.
          const seen = outagesOf(events.map(({ minute, event }) => e(minute, event)));
          addMeter(sums, joined(seen), {
            period: spans(period),
            service: spans(service),
            momentary: momentary * M,
            until: LONG * M,
          });
          expect(sums).toMatchObject(model);
        },
      ),
    );
  });
});

/** Restored and lost again at the same moment is one interruption to a scan. */
function joined(outages: readonly Outage[]): Outage[] {
  const out: Outage[] = [];
  for (const outage of outages) {
    const last = out.at(-1);
    if (last && last.to === outage.from) out[out.length - 1] = { ...last, to: outage.to };
    else out.push(outage);
  }
  return out;
}
