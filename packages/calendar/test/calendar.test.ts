import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  isValidZone,
  localToUtc,
  parsePeriod,
  periodRange,
  startOf,
  startsIn,
  toLocal,
  zoneOffset,
} from '../src/index.ts';

const OSLO = 'Europe/Oslo';
const utc = (text: string) => Date.parse(text);
const wall = (text: string) => Date.parse(`${text}Z`);
const HOUR = 3_600_000;

describe('zones', () => {
  it('know Oslo in winter and summer', () => {
    expect(zoneOffset(OSLO, utc('2026-01-15T12:00:00Z'))).toBe(HOUR);
    expect(zoneOffset(OSLO, utc('2026-07-15T12:00:00Z'))).toBe(2 * HOUR);
    expect(zoneOffset(OSLO, utc('2026-03-29T00:59:59Z'))).toBe(HOUR);
    expect(zoneOffset(OSLO, utc('2026-03-29T01:00:00Z'))).toBe(2 * HOUR);
    expect(zoneOffset('Asia/Kolkata', utc('2026-01-01T00:00:00Z'))).toBe(5.5 * HOUR);
  });
  it('refuse what is none', () => {
    expect(isValidZone('Europe/Olso')).toBe(false);
    expect(() => zoneOffset('Europe/Olso', 0)).toThrow('unknown time zone "Europe/Olso"');
  });
  it('agree with Intl at any instant', () => {
    const zones = [OSLO, 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia', 'UTC'];
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: utc('2060-01-01T00:00:00Z') }), (zone, at) => {
        const text = new Date(at).toLocaleString('sv-SE', { timeZone: zone });
        expect(Math.floor(toLocal(zone, at) / 1000)).toBe(Date.parse(`${text.replace(' ', 'T')}Z`) / 1000);
      }),
      { numRuns: 300 },
    );
  });
  it('go from UTC to local and back, the repeated hour included', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(OSLO, 'America/Sao_Paulo', 'Australia/Lord_Howe'),
        fc.integer({ min: 0, max: 2_000_000_000 }),
        (zone, s) => {
          const at = s * 1000;
          const local = toLocal(zone, at);
          expect([localToUtc(zone, local, { dst: true }), localToUtc(zone, local, { dst: false })]).toContain(at);
          expect(localToUtc(zone, local, { after: at })).toBe(at);
        },
      ),
      { numRuns: 300 },
    );
  });
  it('tell the two 02:30 of autumn apart by mark, by what came before, else take the first', () => {
    const local = wall('2026-10-25T02:30:00');
    const first = utc('2026-10-25T00:30:00Z');
    const second = utc('2026-10-25T01:30:00Z');
    expect(localToUtc(OSLO, local)).toBe(first);
    expect(localToUtc(OSLO, local, { dst: false })).toBe(second);
    expect(localToUtc(OSLO, local, { after: first - 2000 })).toBe(first);
    expect(localToUtc(OSLO, local, { after: first + 2000 })).toBe(second);
  });
  it('let the clock run on through the gap of spring', () => {
    expect(localToUtc(OSLO, wall('2026-03-29T02:30:00'))).toBe(utc('2026-03-29T01:30:00Z'));
  });
});

describe('calendar units', () => {
  it('local days have 23, 24 and 25 hours', () => {
    const length = (at: string) => (add('day', OSLO, utc(at), 1) - startOf('day', OSLO, utc(at))) / HOUR;
    expect(length('2026-03-29T12:00:00Z')).toBe(23);
    expect(length('2026-06-01T12:00:00Z')).toBe(24);
    expect(length('2026-10-25T12:00:00Z')).toBe(25);
  });
  it('the repeated hour begins twice', () => {
    const starts = [...startsIn('hour', OSLO, utc('2026-10-24T22:00:00Z'), utc('2026-10-25T23:00:00Z'))];
    expect(starts).toHaveLength(25);
    expect(new Set(starts).size).toBe(25);
  });
  it('weeks begin on Monday, months and years on their first', () => {
    const at = utc('2026-11-20T09:00:00Z');
    expect(startOf('week', OSLO, at)).toBe(utc('2026-11-15T23:00:00Z'));
    expect(startOf('month', OSLO, at)).toBe(utc('2026-10-31T23:00:00Z'));
    expect(startOf('year', OSLO, at)).toBe(utc('2025-12-31T23:00:00Z'));
    expect(add('month', OSLO, utc('2026-01-31T12:00:00Z'), 1)).toBe(utc('2026-01-31T23:00:00Z'));
    expect(add('year', OSLO, at, -1)).toBe(utc('2024-12-31T23:00:00Z'));
  });
  it('starts of units cover time without holes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('hour' as const, 'day' as const, 'week' as const, 'month' as const),
        fc.integer({ min: 0, max: 2_000_000_000 }),
        (unit, s) => {
          const from = s * 1000;
          const starts = [...startsIn(unit, OSLO, from, from + 40 * 24 * HOUR)];
          expect(starts[0]).toBeLessThanOrEqual(from);
          for (const start of starts) expect(startOf(unit, OSLO, start)).toBe(start);
          for (let i = 1; i < starts.length; i++)
            expect(startOf(unit, OSLO, (starts[i] as number) - 1)).toBe(starts[i - 1]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('periods', () => {
  it('read as people write them', () => {
    expect(parsePeriod('week -2')).toEqual({ unit: 'week', offset: -2 });
    expect(parsePeriod('week, -2')).toEqual({ unit: 'week', offset: -2 });
    expect(parsePeriod('Day')).toEqual({ unit: 'day', offset: 0 });
    expect(parsePeriod('year/-1')).toEqual({ unit: 'year', offset: -1 });
    expect(parsePeriod('fortnight')).toBeUndefined();
    expect(parsePeriod('week --2')).toBeUndefined();
  });
  it('give their instants', () => {
    expect(periodRange({ unit: 'week', offset: -2 }, OSLO, utc('2026-11-20T09:00:00Z'))).toEqual({
      from: utc('2026-11-01T23:00:00Z'),
      to: utc('2026-11-08T23:00:00Z'),
    });
  });
});
