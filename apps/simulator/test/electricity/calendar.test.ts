/** The switching table: limits, seasons, special days, the passive table, and what a desynchronised clock does to it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSpecialDays, checkTables, DELIVERED_TABLES, type SwitchingTables } from '../../src/electricity/index.ts';
import { governing } from '../../src/electricity/tou.ts';
import { DAY, events, eventTimes, forward, HOUR, MINUTE, meter, START, ZONE } from './helpers.ts';

const week = (name: string, id: number) => ({ name, days: [id, id, id, id, id, id, id] as const });
const empty = { seasons: [], weeks: [], days: [] };
const tables = (change: Partial<SwitchingTables>): SwitchingTables => ({
  name: 'test',
  parameterisationId: '7',
  tariff: empty,
  output: empty,
  ...change,
});
const day = (id: number, ...points: readonly (readonly [number, number])[]) => ({
  id,
  points: points.map(([minute, selector]) => ({ minute, selector })),
});

describe('limits', () => {
  const filled = (seasons: number, weeks: number, days: number, points: number) => ({
    seasons: Array.from({ length: seasons }, (_, i) => ({
      name: `s${i}`,
      start: { month: i + 1, day: 1 },
      week: 'w0',
    })),
    weeks: Array.from({ length: weeks }, (_, i) => week(`w${i}`, 0)),
    days: Array.from({ length: days }, (_, id) => ({
      id,
      points: Array.from({ length: points }, (_, p) => ({ minute: p * 60, selector: 1 })),
    })),
  });
  it('4 seasons, 4 weeks, 8 day tables, 4 switch points', () => {
    expect(checkTables(tables({ tariff: filled(4, 4, 8, 4), output: filled(4, 4, 8, 4) }))).toBeUndefined();
    expect(checkTables(tables({ tariff: filled(5, 4, 8, 4) }))).toMatch(/5 seasons/);
    expect(checkTables(tables({ tariff: filled(4, 5, 8, 4) }))).toMatch(/5 week tables/);
    expect(checkTables(tables({ tariff: filled(4, 4, 9, 4) }))).toMatch(/9 day tables/);
    expect(checkTables(tables({ output: filled(4, 4, 8, 5) }))).toMatch(/control output: day table 0 has 5/);
  });
  it('50 special days', () => {
    const some = (n: number) =>
      Array.from({ length: n }, (_, index) => ({ index, date: { month: 1, day: 1 }, dayId: 0 }));
    expect(checkSpecialDays(some(50))).toBeUndefined();
    expect(checkSpecialDays(some(51))).toMatch(/at most 50/);
    expect(checkSpecialDays([{ index: 0, date: { month: 13 }, dayId: 0 }])).toMatch(/no day/);
  });
  it('names that are there, minutes of a day, rates that exist, points in order', () => {
    const one = (points: readonly (readonly [number, number])[]) => ({
      seasons: [{ name: 's', start: { month: 1, day: 1 }, week: 'w' }],
      weeks: [week('w', 1)],
      days: [day(1, ...points)],
    });
    expect(
      checkTables(
        tables({
          tariff: one([
            [0, 1],
            [1439, 2],
          ]),
        }),
      ),
    ).toBeUndefined();
    expect(checkTables(tables({ tariff: one([[1440, 1]]) }))).toMatch(/minute 1440/);
    expect(checkTables(tables({ tariff: one([[0, 3]]) }))).toMatch(/selects 3/);
    expect(
      checkTables(
        tables({
          tariff: one([
            [5, 1],
            [5, 2],
          ]),
        }),
      ),
    ).toMatch(/out of order/);
    expect(checkTables(tables({ output: one([[0, 2]]) }))).toMatch(/selects 2/);
    expect(checkTables(tables({ tariff: { ...one([]), weeks: [week('x', 1)] } }))).toMatch(/names week w/);
    expect(checkTables(tables({ tariff: { ...one([]), days: [] } }))).toMatch(/names day table 1/);
    expect(checkTables(tables({ parameterisationId: '256' }))).toMatch(/0 to 255/);
  });
});

describe('what governs', () => {
  const seasonal = {
    seasons: [
      { name: 'winter', start: { month: 11, day: 1 }, week: 'winter' },
      { name: 'summer', start: { month: 4, day: 15 }, week: 'summer' },
    ],
    weeks: [{ name: 'winter', days: [1, 1, 1, 1, 1, 2, 2] as const }, week('summer', 3)],
    days: [day(1, [360, 1], [1320, 2]), day(2, [0, 2]), day(3, [480, 1])],
  };
  const at = (text: string, special: Parameters<typeof governing>[1] = []) =>
    governing(seasonal, special, ZONE, Date.parse(text));

  it('follows season, weekday and minute', () => {
    // Wednesday in winter.
    expect(at('2025-01-15T04:59:59Z').selector).toBe(2);
    expect(at('2025-01-15T05:00:00Z').selector).toBe(1);
    expect(at('2025-01-15T20:59:59.999Z').selector).toBe(1);
    expect(at('2025-01-15T21:00:00Z').selector).toBe(2);
    // Saturday: rate 2 all day.
    expect(at('2025-01-18T12:00:00Z').selector).toBe(2);
    // The day before summer, and its first: before its first point the day before goes on.
    expect(at('2025-04-14T12:00:00Z').selector).toBe(1);
    expect(at('2025-04-15T03:00:00Z').selector).toBe(2);
    expect(at('2025-04-15T06:00:00Z').selector).toBe(1);
    expect(at('2025-04-16T03:00:00Z').selector).toBe(1);
    expect(at('2025-10-31T12:00:00Z').selector).toBe(1);
    expect(at('2025-11-01T12:00:00Z').selector).toBe(2);
  });

  it('tells when it has to be asked again', () => {
    expect(at('2025-01-15T04:00:00Z').next).toBe(Date.parse('2025-01-15T05:00:00Z'));
    expect(at('2025-01-15T21:00:00Z').next).toBe(Date.parse('2025-01-15T23:00:00Z'));
  });

  it('lets special days go before the week', () => {
    const christmas = [{ index: 0, date: { month: 12, day: 25 }, dayId: 2 }];
    expect(at('2025-12-25T12:00:00Z').selector).toBe(1);
    expect(at('2025-12-25T12:00:00Z', christmas).selector).toBe(2);
    expect(at('2025-12-26T12:00:00Z', christmas).selector).toBe(1);
    const once = [{ index: 0, date: { year: 2024, month: 12, day: 25 }, dayId: 2 }];
    expect(at('2025-12-25T12:00:00Z', once).selector).toBe(1);
    const mondays = [{ index: 0, date: { weekday: 1 }, dayId: 2 }];
    expect(at('2025-01-13T12:00:00Z', mondays).selector).toBe(2);
  });

  it('switches a point in the gap an hour later, and one in the repeated hour the first time', () => {
    const night = {
      seasons: [{ name: 's', start: { month: 1, day: 1 }, week: 'w' }],
      weeks: [week('w', 1)],
      days: [day(1, [150, 1], [1200, 2])],
    };
    const when = (text: string) => governing(night, [], ZONE, Date.parse(text));
    expect(when('2025-03-30T01:29:59Z').selector).toBe(2);
    expect(when('2025-03-30T01:30:00Z').selector).toBe(1);
    expect(when('2025-10-26T00:29:59Z').selector).toBe(2);
    expect(when('2025-10-26T00:30:00Z').selector).toBe(1);
    expect(when('2025-10-26T01:10:00Z').selector).toBe(1);
  });

  it('nothing ever changes before `next`', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 * 365 * 24 * 60 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (m, part) => {
          const now = Date.parse('2024-01-01T00:00:00Z') + m * MINUTE;
          const { selector, next } = governing(seasonal, [], ZONE, now);
          expect(next).toBeGreaterThan(now);
          expect(governing(seasonal, [], ZONE, Math.floor(now + (next - now) * part)).selector).toBe(selector);
        },
      ),
    );
  });
});

describe('a meter', () => {
  it('switches rate and control output by the table', () => {
    const m = meter();
    expect([m.rate, m.outputs.relay]).toEqual([1, false]);
    m.advance(START + 10 * HOUR - 1);
    expect(m.rate).toBe(1);
    forward(m, 1);
    expect([m.rate, m.outputs.relay]).toEqual([2, true]);
    m.advance(START + 18 * HOUR);
    expect([m.rate, m.outputs.relay]).toEqual([1, false]);
    m.setMains(false);
    forward(m, 1000);
    expect(m.outputs.relay).toBe(false);
  });

  it('follows its rate input where it has one', () => {
    const m = meter({ config: { interface: 'rate-input' } });
    expect([m.rate, m.rateInput, m.outputs.relay]).toEqual([1, false, undefined]);
    m.setRateInput(true);
    expect(m.rate).toBe(2);
    forward(m, DAY);
    expect(m.rate).toBe(2);
    m.desynchronise();
    m.setRateInput(false);
    expect(m.rate).toBe(1);
  });

  it('goes to the low tariff with a clock that is not synchronised', () => {
    const m = meter();
    expect(m.rate).toBe(1);
    m.desynchronise();
    expect([m.rate, m.outputs.relay]).toEqual([2, false]);
    forward(m, 2 * DAY);
    expect(m.rate).toBe(2);
    m.setClock(m.now);
    expect(m.rate).toBe(1);
  });

  const always2 = tables({
    tariff: {
      seasons: [{ name: 's', start: { month: 1, day: 1 }, week: 'w' }],
      weeks: [week('w', 1)],
      days: [day(1, [0, 2])],
    },
  });

  it('activates the passive table at its time, with its parameterisation id', () => {
    const m = meter();
    m.plcRegistered();
    const at = START + 2 * HOUR + 17 * MINUTE;
    expect(m.setParameters({ passiveTou: always2, touActivation: at })).toEqual({ done: true });
    m.advance(at - 1);
    expect([m.rate, m.identification('parameterisation-id'), m.plcState]).toEqual([1, '1', 'registered']);
    forward(m, 1);
    expect([m.rate, m.identification('parameterisation-id'), m.plcState]).toEqual([2, '7', 'new-unlocked']);
    expect(m.parameters.tou).toEqual(always2);
    expect(m.parameters.touActivation).toBeUndefined();
    expect(eventTimes(m, 'touActivated')).toEqual([at]);
  });

  it('activates it at once when asked to, or when its time has passed in a power failure', () => {
    const now = meter({ parameters: { passiveTou: always2 } });
    expect(now.activatePassiveTou()).toEqual({ done: true });
    expect([now.rate, now.parameters.tou.name]).toEqual([2, 'test']);
    const later = meter({ parameters: { passiveTou: always2, touActivation: START + HOUR } });
    later.setMains(false);
    forward(later, 3 * HOUR);
    expect(later.parameters.tou).toBe(DELIVERED_TABLES);
    later.setMains(true);
    expect(later.parameters.tou.name).toBe('test');
    expect(events(later)).toEqual(['powerDown', 'longPowerUp', 'touActivated', 'parameterisationIdChanged']);
  });

  it('waits with it until the clock is synchronised', () => {
    const m = meter({ parameters: { passiveTou: always2, touActivation: START + HOUR } });
    m.desynchronise();
    forward(m, 2 * HOUR);
    expect(m.parameters.tou.name).toBe('day/night');
    m.setClock(m.now);
    expect(m.parameters.tou.name).toBe('test');
  });

  it('refuses a table that is beyond the limits and keeps what it has', () => {
    const m = meter();
    const before = m.parameters;
    expect(m.setParameters({ syncLimit: 5, passiveTou: tables({ parameterisationId: '300' }) })).toMatchObject({
      done: false,
      reason: 'range',
    });
    expect(m.parameters).toBe(before);
  });
});
