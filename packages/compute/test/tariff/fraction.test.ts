import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, exactly, parse, plus, print, ratio, roundTo, times } from '../../src/tariff/fraction.ts';
import { pair, show } from './exact.ts';
import { roundSlow } from './slow.ts';

const MODES = ['half-up', 'half-even', 'up', 'down'] as const;

describe('exact numbers', () => {
  it('are rounded in four ways, halves and negatives included', () => {
    const table: Record<string, readonly string[]> = {
      //        half-up  half-even  up    down
      '0.5': ['1', '0', '1', '0'],
      '1.5': ['2', '2', '2', '1'],
      '2.5': ['3', '2', '3', '2'],
      '-0.5': ['-1', '0', '-1', '0'],
      '-2.5': ['-3', '-2', '-3', '-2'],
      '2.4': ['2', '2', '3', '2'],
      '-2.6': ['-3', '-3', '-3', '-2'],
      '7': ['7', '7', '7', '7'],
    };
    for (const [text, wanted] of Object.entries(table))
      expect(MODES.map((mode) => print(roundTo(parse(text), 0, mode)))).toEqual(wanted);
    expect(print(roundTo(parse('0.125'), 2, 'half-even'))).toBe('0.12');
    expect(print(roundTo(ratio(1, 3), 2, 'up'))).toBe('0.34');
  });
  it('round as a slow implementation does, ties most of all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5000, max: 5000 }),
        fc.constantFrom(1, 2, 3, 7, 8, 20, 200),
        fc.nat(3),
        fc.constantFrom(...MODES),
        (n, d, decimals, mode) => {
          const fast = roundTo(ratio(n, d), decimals, mode);
          expect(show([fast.n, fast.d])).toBe(show(roundSlow([BigInt(n), BigInt(d)], decimals, mode)));
        },
      ),
      { numRuns: 300 },
    );
  });
  it('print what they are, and read it back', () => {
    expect(
      [parse('0'), parse('-0.0'), parse('10'), parse('1.50'), ratio(1, 3), ratio(-2, 3), parse('100.000')].map((x) =>
        print(x),
      ),
    ).toEqual(['0', '0', '10', '1.5', '0.333333333', '-0.666666667', '100']);
    expect([
      print(parse('5'), 2, 2),
      print(parse('5.1'), 6, 2),
      print(parse('0'), 6, 2),
      print(ratio(1, 3), 6, 2),
      print(parse('5.000'), 6, 3),
    ]).toEqual(['5.00', '5.10', '0.00', '0.333333', '5.000']);
    expect([exactly(ratio(6, 4)), exactly(ratio(10, 30)), exactly(ratio(-1, 8))]).toEqual(['1.5', '1/3', '-0.125']);
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(9), (n, places) => {
        const value = { n, d: 10n ** BigInt(places) };
        expect(show(pair(print(value)))).toBe(show([n, value.d]));
        expect(show(pair(exactly(value)))).toBe(show([n, value.d]));
        expect(compare(parse(print(value)), value)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
  it('add and multiply without a loss', () => {
    const third = ratio(1, 3);
    expect(exactly(plus(plus(third, third), third))).toBe('1');
    expect(exactly(times(ratio(12, 31), parse('31')))).toBe('12');
  });
});
