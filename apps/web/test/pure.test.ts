/** What the page computes, without a browser. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFormat } from '../src/format.ts';
import { de } from '../src/i18n/de.ts';
import { en } from '../src/i18n/en.ts';
import { chooseLanguage, createTranslate } from '../src/i18n/index.tsx';
import { nb } from '../src/i18n/nb.ts';
import { nl } from '../src/i18n/nl.ts';
import { timeMarks, valueMarks } from '../src/meter/axis.ts';
import { addressOf, offsetOf, titleOf, viewOf, weekNumber } from '../src/meter/period.ts';
import { keyFault } from '../src/meter/settings.tsx';
import { netPower, Recent, shortObis, sumOf } from '../src/power.ts';
import { conditionOf, nextScale, niceScale } from '../src/street/condition.ts';
import { voltageVerdict } from '../src/street/signs.tsx';
import { shapeOf } from '../src/street/spark.tsx';
import { house, meterOf } from './world.ts';

const OSLO = 'Europe/Oslo';
const HOUR = 3_600_000;

describe('languages', () => {
  it('says everything in every language, with the same blanks to fill', () => {
    for (const dictionary of [nb, de, nl]) {
      expect(Object.keys(dictionary).sort()).toEqual(Object.keys(en).sort());
      for (const key of Object.keys(en) as (keyof typeof en)[]) {
        const blanks = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
        expect([key, blanks(dictionary[key])]).toEqual([key, blanks(en[key])]);
        expect(dictionary[key].trim()).not.toBe('');
      }
    }
  });
  it('takes what was chosen, then what the browser wishes, then English', () => {
    expect(chooseLanguage('de', ['nb'])).toBe('de');
    expect(chooseLanguage(null, ['fr', 'nn-NO', 'de'])).toBe('nb');
    expect(chooseLanguage(null, ['NL-be'])).toBe('nl');
    expect(chooseLanguage('klingon', ['fr'])).toBe('en');
  });
  it('fills blanks and knows one from many', () => {
    const t = createTranslate(en, createFormat('en'));
    expect(t('houses', { n: 1 })).toBe('1 house');
    expect(t('houses', { n: 100_000 })).toBe('100,000 houses');
    expect(t('nothingFound', { q: '{n}' })).toBe('No house fits “{n}”.');
  });
});

describe('numbers', () => {
  const format = createFormat('en');
  it('writes power with three figures that matter', () => {
    const text = (w: number) => Object.values(format.power(w)).join(' ');
    expect([0, 948, 999.6, 2414, 24_140, 241_400, 2_414_000].map(text)).toEqual([
      '0 W',
      '948 W',
      '1.00 kW',
      '2.41 kW',
      '24.1 kW',
      '241 kW',
      '2.41 MW',
    ]);
  });
  it('writes energy in kWh and never minus nothing', () => {
    expect(format.energy(8).value).toBe('0.01');
    expect(format.energy(106_412)).toEqual({ value: '106.4', unit: 'kWh' });
    expect(format.number(-0.0001, 2)).toBe('0');
    expect(createFormat('nb').power(2414).value).toBe('2,41');
  });
});

describe('power', () => {
  it('shortens codes', () => {
    expect(['1-0:1.7.0', '1-0:1.7.0*255', '1.7.0', '0-1:24.2.1'].map(shortObis)).toEqual([
      '1.7.0',
      '1.7.0',
      '1.7.0',
      '24.2.1',
    ]);
  });
  it('carries the slower register forward, and not for ever', () => {
    const net = netPower({
      meter: '1',
      from: 0,
      to: 1,
      period: 0,
      time: [0, 2000, 4000, 30_000, 32_000],
      curves: [
        { obis: '1-0:1.7.0', name: '', unit: 'W', values: [0, 0, 0, 500, null] },
        { obis: '1-0:2.7.0', name: '', unit: 'W', values: [800, null, null, null, null] },
      ],
    });
    expect(net.values).toEqual([-800, -800, -800, 500, null]);
  });
  it('keeps recent values in order and bounded, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5000), fc.integer())), (events) => {
        const recent = new Recent(1000, 50);
        for (const [at, value] of events) recent.push(at, value);
        expect(recent.time.length).toBe(recent.values.length);
        expect(recent.time.length).toBeLessThanOrEqual(50);
        for (let i = 1; i < recent.time.length; i++)
          expect(recent.time[i]).toBeGreaterThan(recent.time[i - 1] as number);
        const span = (recent.time.at(-1) ?? 0) - (recent.time[0] ?? 0);
        expect(span).toBeLessThanOrEqual(1000);
      }),
    );
  });
  it('puts history before what came live', () => {
    const recent = new Recent(100_000, 100);
    recent.push(5000, 5);
    recent.push(6000, 6);
    recent.fill({ time: [1000, 2000, 5000, 7000], values: [1, null, 50, 70] });
    expect(recent.time).toEqual([1000, 5000, 6000]);
    expect(recent.values).toEqual([1, 5, 6]);
    expect(recent.at(5500, 1000)).toBe(5);
    expect(recent.at(500, 1000)).toBeNull();
    expect(recent.at(9000, 1000)).toBeNull();
  });
  it('sums those who spoke', () => {
    const a = new Recent(1e6, 100);
    const b = new Recent(1e6, 100);
    a.push(0, 100);
    b.push(5000, -30);
    expect(sumOf([a, b], 0, 10_000, 5000, 6000).values).toEqual([100, 70, -30]);
  });
  it('draws a curve inside its box', () => {
    const shape = shapeOf({ time: [0, 10, 20], values: [1000, -1000, null] }, 0, 20, 100, 40, 15);
    expect(shape.zero).toBe(20);
    expect(shape.line).toBe('M0.0 2.0L50.0 38.0');
    expect(shape.area).toBe('M0.0 20.0L0.0 2.0L50.0 38.0L50.0 20.0Z');
  });
});

describe('the state of a house', () => {
  const now = Date.UTC(2026, 10, 20, 12);
  it('tells silence, loss and locks', () => {
    const at = (index: number) => {
      const meter = meterOf(house(index), now);
      return conditionOf(meter, meter.live, now, 1).kind;
    };
    expect([0, 8, 9, 10].map(at)).toEqual(['ok', 'silent', 'lost', 'locked']);
  });
  it('grants a fast clock its pauses', () => {
    const meter = meterOf(house(8), now);
    expect(conditionOf(meter, meter.live, now, 60).kind).toBe('ok');
  });
  it('scales gauges in round steps that do not breathe', () => {
    expect([0, 2100, 9999, 12_000].map(niceScale)).toEqual([2000, 3000, 10_000, 15_000]);
    expect(nextScale(10_000, [5000])).toBe(10_000);
    expect(nextScale(10_000, [3000])).toBe(3000);
    expect(nextScale(2000, [-4000])).toBe(15_000);
  });
  it('judges voltages by EN 50160', () => {
    expect([undefined, 0, 206.9, 230, 253.1].map(voltageVerdict)).toEqual(['none', 'none', 'low', 'good', 'high']);
  });
});

describe('periods', () => {
  const now = Date.UTC(2026, 10, 20, 12);
  it('reads addresses', () => {
    expect(viewOf('', null)).toEqual({ kind: 'overview', period: { unit: 'day', offset: 0 } });
    expect(viewOf('week/-2', null)).toEqual({ kind: 'overview', period: { unit: 'week', offset: -2 } });
    expect(viewOf('week,%20-2', null)).toEqual({ kind: 'overview', period: { unit: 'week', offset: -2 } });
    expect(viewOf('', 'week,-2')).toEqual({ kind: 'overview', period: { unit: 'week', offset: -2 } });
    expect(viewOf('year', null)).toEqual({ kind: 'overview', period: { unit: 'year', offset: 0 } });
    expect(viewOf('messages/abc', null)).toEqual({ kind: 'messages', message: 'abc' });
    expect(viewOf('settings', null)).toEqual({ kind: 'settings' });
    for (const bad of ['fortnight/-1', 'week/-2/3', 'settings/x', '%zz'])
      expect(viewOf(bad, null).kind).toBe('unknown');
  });
  it('writes addresses that it reads', () => {
    expect(addressOf('3', { unit: 'week', offset: -2 })).toBe('/meter/3/week/-2');
    expect(addressOf('3', { unit: 'day', offset: 0 })).toBe('/meter/3');
  });
  it('counts units back across years and changes of the clock', () => {
    expect(offsetOf('day', OSLO, Date.UTC(2026, 9, 24, 23), now)).toBe(-26);
    expect(offsetOf('week', OSLO, Date.UTC(2026, 10, 2, 12), now)).toBe(-2);
    expect(offsetOf('month', OSLO, Date.UTC(2025, 11, 31, 22, 30), now)).toBe(-11);
    expect(offsetOf('month', OSLO, Date.UTC(2025, 11, 31, 23, 30), now)).toBe(-10);
    expect(offsetOf('year', OSLO, Date.UTC(2024, 1, 1), now)).toBe(-2);
  });
  it('numbers weeks by ISO 8601', () => {
    expect(weekNumber(OSLO, Date.UTC(2026, 0, 1, 12))).toBe(1);
    expect(weekNumber(OSLO, Date.UTC(2027, 0, 1, 12))).toBe(53);
    expect(weekNumber(OSLO, Date.UTC(2024, 11, 30, 12))).toBe(1);
    expect(
      titleOf(createFormat('en'), 'Week', 'week', OSLO, Date.UTC(2026, 10, 15, 23), Date.UTC(2026, 10, 22, 23)),
    ).toBe('Week 47 · Mon 16 Nov – Sun 22 Nov');
  });
});

describe('axes', () => {
  const format = createFormat('en');
  it('marks round values that cover the data', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (low, span) => {
          const marks = valueMarks(low, low + span, 5);
          expect(marks.length).toBeLessThan(12);
          expect(marks.length).toBeGreaterThan(1);
          const step = (marks[1] as number) - (marks[0] as number);
          expect(marks[0]).toBeLessThanOrEqual(low + step * 1e-6);
          expect(marks.at(-1)).toBeGreaterThanOrEqual(low + span - step * 1e-6);
        },
      ),
    );
  });
  it('marks local days, the long one too', () => {
    const from = Date.UTC(2026, 9, 24, 22);
    const long = timeMarks(from, from + 25 * HOUR, OSLO, format, 30);
    expect(long).toHaveLength(25);
    expect(long.slice(0, 5).map((m) => m.text)).toEqual(['00:00', '01:00', '02:00', '02:00', '03:00']);
    const month = timeMarks(Date.UTC(2026, 9, 31, 23), Date.UTC(2026, 10, 30, 23), OSLO, format, 40);
    expect(month.map((m) => m.text)).toEqual(Array.from({ length: 30 }, (_, i) => String(i + 1)));
  });
});

describe('keys', () => {
  it('are told apart from what is no key, in terms of what is wrong', () => {
    expect(keyFault('')).toBeUndefined();
    expect(keyFault('0123456789abcdef0123456789ABCDEF')).toBeUndefined();
    expect(keyFault('01:23:45:67 89ab-cdef 0123456789abcdef')).toBeUndefined();
    expect(keyFault('0123')).toEqual({ kind: 'length', n: 4 });
    expect(keyFault('0123456789abcdeg')).toEqual({ kind: 'digit' });
  });
});
