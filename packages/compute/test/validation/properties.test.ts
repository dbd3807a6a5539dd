import { ruleSet } from '@amiable/model/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkRuleSet,
  chooseRuleSet,
  compileRules,
  type Finding,
  HOUSEHOLD_RULES,
  UTILITY_RULES,
  type ValidationInput,
  validateIntervals,
  validateRegisters,
  WATER_RULES,
} from '../../src/index.ts';
import { DAY, house, inputOf, QUARTER, set, showings, T0, ZONE } from './helpers.ts';

const at = (i: number) => T0 + i * QUARTER;

/** Everything at once, with limits that random values reach. */
const ALL = set([
  { name: 'missing', check: 'missing', action: 'previous-day' },
  { name: 'zero', check: 'zero' },
  { name: 'negative', check: 'negative' },
  { name: 'positive', check: 'positive' },
  { name: 'anything', check: 'anything' },
  { name: 'high', check: 'higher-than', limit: 400 },
  { name: 'low', check: 'lower-than', limit: 20 },
  { name: 'mean', check: 'higher-than-average', percent: 200, days: 2 },
  { name: 'median', check: 'lower-than-median', percent: 50, days: 2 },
  { name: 'gap', check: 'gap', intervals: 2 },
  { name: 'sum', check: 'sum' },
  { name: 'spike', check: 'spike', intervals: 3, threshold: 0.5 },
  { name: 'high-low', check: 'high-low', days: 1, high: 120, low: 80 },
  { name: 'step', check: 'step', percent: 100 },
  { name: 'peak', check: 'demand-peak', percent: 101 },
  { name: 'zeros', check: 'run-zero', hours: 0.5 },
  { name: 'same', check: 'run-identical', hours: 0.5 },
  { name: 'none', check: 'run-missing', hours: 0.5 },
  { name: 'never', check: 'never-zero', days: 1 },
  { name: 'dark', check: 'zero-without-outage', hours: 0.25 },
  { name: 'off', check: 'use-while-disconnected' },
  { name: 'clock', check: 'clock' },
  { name: 'long', check: 'prolonged-estimation', days: 0.1 },
  { name: 'formula', check: 'user', formula: 'value > 2 * mean(value, 6 h) or value < previous(value) / 10' },
]);

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 500 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 0, -3, 7, Number.NaN) },
);
const series = fc.array(value, { minLength: 1, maxLength: 3 * DAY });
const cut = fc.tuple(fc.nat(3 * DAY), fc.nat(3 * DAY));

function input(values: number[], [a, b]: [number, number]): ValidationInput {
  const from = Math.min(a, b, values.length);
  const to = Math.min(Math.max(a, b), values.length);
  return inputOf(values, {
    from,
    to,
    showings: showings([at(0), at(DAY), at(2 * DAY)], [0, 5000, 9000]),
    meter: {
      outages: [{ from: at(20), to: at(24) }],
      disconnected: [{ from: at(40), to: at(60) }],
      clock: [{ from: at(5), to: at(9) }],
    },
  });
}

describe('validation', () => {
  const rules = compileRules(ALL);

  it('changes nothing, finds the same again, and does not depend on the order of rules', () => {
    fc.assert(
      fc.property(series, cut, fc.integer(), (values, ends, seed) => {
        const given = input(values, ends);
        const before = given.intervals.values.slice();
        const first = validateIntervals(given, rules);
        expect(given.intervals.values).toEqual(before);
        expect(validateIntervals(given, rules)).toEqual(first);
        const mixed = rules.toSorted(
          (x, y) => ((x.rule.name.length * 31 + seed) % 7) - ((y.rule.name.length * 31 + seed) % 7),
        );
        expect(validateIntervals(given, mixed.toReversed())).toEqual(first);
      }),
      { numRuns: 50 },
    );
  });

  it('tells of each rule what it tells alone', () => {
    fc.assert(
      fc.property(series, cut, fc.nat(rules.length - 1), (values, ends, i) => {
        const given = input(values, ends);
        const rule = rules[i] as (typeof rules)[number];
        const among = validateIntervals(given, rules).filter((f) => f.rule === rule.rule.name);
        expect(validateIntervals(given, [rule])).toEqual(among);
      }),
      { numRuns: 50 },
    );
  });

  it('stays within what it was asked about, and says a sentence with finite numbers', () => {
    fc.assert(
      fc.property(series, cut, (values, ends) => {
        const given = input(values, ends);
        for (const f of validateIntervals(given, rules)) {
          expect(f.from).toBeGreaterThanOrEqual(given.from);
          expect(f.to).toBeGreaterThan(f.from);
          expect(f.to).toBeLessThanOrEqual(given.to);
          expect(f.sentence).not.toMatch(/NaN|undefined|Infinity/);
          expect(f.sentence.length).toBeGreaterThan(10);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('finds what a plain look at each interval finds', () => {
    const slow: Readonly<Record<string, (v: number) => boolean>> = {
      missing: (v) => Number.isNaN(v),
      zero: (v) => v === 0,
      negative: (v) => v < 0,
      positive: (v) => v > 0,
      high: (v) => v > 400,
      low: (v) => v < 20,
    };
    fc.assert(
      fc.property(series, cut, (values, ends) => {
        const given = input(values, ends);
        const hits = validateIntervals(given, rules);
        for (const [name, is] of Object.entries(slow)) {
          const marked = new Set<number>();
          for (const f of hits) if (f.rule === name) for (let i = f.from; i < f.to; i++) marked.add(i);
          const plain = values.flatMap((v, i) => (i >= given.from && i < given.to && is(v) ? [i] : []));
          expect([...marked].sort((x, y) => x - y)).toEqual(plain);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('finds spikes where three sorted values say so', () => {
    const spike = compileRules(set([{ name: 's', check: 'spike', intervals: 20, threshold: 1.8 }]));
    const peaky = fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 1, max: 50 }) },
        fc.integer({ min: 80, max: 200 }),
        fc.constant(Number.NaN),
      ),
      { minLength: DAY, maxLength: DAY },
    );
    fc.assert(
      fc.property(peaky, (values) => {
        const there = values.filter((v) => !Number.isNaN(v)).sort((a, b) => b - a);
        const [h1, , h3] = there as [number, number, number];
        const hits: Finding[] = validateIntervals(inputOf(values), spike);
        expect(hits.length > 0).toBe(there.length >= 20 && (h1 - h3) / h3 > 1.8);
      }),
      { numRuns: 100 },
    );
  });

  it('finds long runs where a walk over the values does, with what began before', () => {
    const runny = fc.array(fc.tuple(fc.constantFrom(0, 0, 5, 9, -1, Number.NaN), fc.integer({ min: 1, max: 9 })), {
      maxLength: 30,
    });
    const kinds = ['zero', 'negative', 'missing', 'identical'] as const;
    fc.assert(
      fc.property(
        runny,
        fc.nat(60),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(...kinds),
        (parts, at, least, kind) => {
          const values = parts.flatMap(([v, n]) => new Array<number>(n).fill(v));
          const from = Math.min(at, values.length);
          const is = (v: number) =>
            kind === 'zero'
              ? v === 0
              : kind === 'negative'
                ? v < 0
                : kind === 'missing'
                  ? Number.isNaN(v)
                  : v !== 0 && !Number.isNaN(v);
          const plain: [number, number][] = [];
          for (let a = 0; a < values.length; ) {
            let b = a + 1;
            const v = values[a] as number;
            while (b < values.length && is(values[b] as number) && (kind !== 'identical' || values[b] === v)) b++;
            const needed = Math.max(least, kind === 'identical' ? 2 : 1);
            if (is(v) && b - a >= needed && b > from) plain.push([Math.max(a, from), b]);
            a = is(v) ? b : a + 1;
          }
          const rule = compileRules(set([{ name: 'r', check: `run-${kind}`, hours: least / 4 }]));
          expect(validateIntervals(inputOf(values, { from }), rule).map((f) => [f.from, f.to])).toEqual(plain);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('validates a day alone as it does within its month, where a rule looks at a day', () => {
    const local = compileRules(
      set([
        { name: 'spike', check: 'spike' },
        { name: 'run', check: 'run-zero', hours: 1 },
        { name: 'sum', check: 'sum' },
        { name: 'step', check: 'step', percent: 100 },
      ]),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 3 * DAY, maxLength: 3 * DAY }), (values) => {
        const given = input(values, [0, 3 * DAY]);
        const whole = validateIntervals(given, local).filter((f) => f.check !== 'run-zero');
        const apart = [0, 1, 2].flatMap((d) =>
          validateIntervals({ ...given, from: d * DAY, to: (d + 1) * DAY }, local).filter(
            (f) => f.check !== 'run-zero',
          ),
        );
        expect(apart).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses indices that are not there', () => {
    expect(() => validateIntervals({ ...inputOf([1]), to: 2 }, rules)).toThrow(/not among the 1/);
    expect(() => validateIntervals({ ...inputOf([1]), from: 0.5 }, rules)).toThrow(/not among/);
    expect(validateIntervals(inputOf([]), rules)).toEqual([]);
  });

  it('tells of one rule in one series a thousand times at most', () => {
    const values = Array.from({ length: 4000 }, (_, i) => (i % 2 ? 0 : 5));
    expect(validateIntervals(inputOf(values), compileRules(set([{ name: 'z', check: 'zero' }])))).toHaveLength(1000);
  });

  it('sees local days of 92 and 100 quarters', () => {
    const spike = compileRules(set([{ name: 's', check: 'spike' }]));
    // The last quarter of 29 March, a day of 23 hours, and the first of the next day.
    const start = Date.UTC(2026, 2, 28, 23);
    const values = [...house(1).slice(0, 92), ...house(1)];
    const raised = values.map((v, i) => (i === 91 ? 3000 : i >= 92 ? v * 10 : v));
    const hits = validateIntervals(inputOf(raised, { start }), spike);
    expect(hits.map((f) => f.from)).toEqual([91]);
  });
});

describe('registers', () => {
  it('are found the same again, in any order of rules', () => {
    const rules = compileRules(
      set(
        [],
        [
          { name: 'a', check: 'missing' },
          { name: 'b', check: 'falling' },
          { name: 'c', check: 'rollover' },
          { name: 'd', check: 'higher-than-previous' },
          { name: 'e', check: 'lower-than-previous-month', percent: 5 },
          { name: 'f', check: 'maximum', limit: 100 },
          { name: 'g', check: 'zero' },
          { name: 'h', check: 'user', formula: 'use > 2 * previous_use' },
        ],
      ),
    );
    const shown = fc.array(fc.oneof(fc.nat(1000), fc.constant(Number.NaN)), { maxLength: 80 });
    fc.assert(
      fc.property(shown, (values) => {
        const given = {
          showings: showings(
            values.map((_, d) => T0 + d * 86_400_000),
            values,
          ),
          from: 0,
          to: values.length,
          unit: 'Wh' as const,
          zone: ZONE,
          kind: 'register' as const,
          rollover: 1000,
        };
        const first = validateRegisters(given, rules);
        expect(validateRegisters(given, rules.toReversed())).toEqual(first);
        for (const f of first) expect(f.sentence).not.toMatch(/NaN|undefined|Infinity/);
      }),
      { numRuns: 50 },
    );
  });
});

describe('rule sets', () => {
  it('that come with the program can be saved, fit what they are for, and find nothing in clean data', () => {
    for (const written of [HOUSEHOLD_RULES, UTILITY_RULES, WATER_RULES]) {
      const parsed = ruleSet.parse(written);
      checkRuleSet(parsed);
      const unit = written === WATER_RULES ? 'm3' : 'Wh';
      const compiled = compileRules(parsed, unit);
      expect(compiled).toHaveLength(parsed.profile.length + parsed.periodic.length);
      const values = house(21).map((v, i) => (unit === 'm3' && i % DAY < 20 ? 0 : v));
      let sum = 0;
      const shown = values.map((v) => {
        sum += v;
        return sum - v;
      });
      const given = inputOf(values, {
        unit,
        scaler: unit === 'm3' ? -3 : 0,
        from: 14 * DAY,
        showings: showings(
          values.map((_, i) => at(i)),
          shown,
          unit === 'm3' ? -3 : 0,
        ),
        meter: { outages: [], installed: [{ from: 0, to: at(30 * DAY) }] },
      });
      expect(validateIntervals(given, compiled)).toEqual([]);
    }
  });

  it('are refused with rule and place when a formula is wrong', () => {
    const wrong = set([{ name: 'mine', check: 'user', formula: 'value > 3 * maen(value)' }]);
    expect(() => checkRuleSet(wrong)).toThrow(
      /^formula of rule "mine": there is no function "maen".*\(at character 13\)$/,
    );
    expect(() => checkRuleSet(set([{ name: 'mine', check: 'user', formula: 'value + 1 Wh' }]))).toThrow(
      /whether something is true/,
    );
    expect(() => checkRuleSet(set([], [{ name: 'r', check: 'user', formula: 'mean(use, day) > 0' }]))).toThrow(
      /no intervals/,
    );
    const gas = ruleSet.parse({
      name: 'gas',
      for: { quantities: ['gasVolume'] },
      profile: [{ name: 'p', check: 'higher-than', limit: '5 kWh' }],
    });
    expect(() => checkRuleSet(gas)).toThrow(/rule "p": 5 kWh cannot be compared with values in m3/);
  });

  it('leave out for a series what is of another kind, and what is switched off', () => {
    const mixed = set([
      { name: 'p', check: 'higher-than', limit: '5 kWh' },
      { name: 'q', check: 'higher-than', limit: '5 m3' },
      { name: 'n', check: 'negative' },
      { name: 'o', check: 'zero', enabled: false },
    ]);
    checkRuleSet(mixed);
    expect(compileRules(mixed, 'm3').map((r) => r.rule.name)).toEqual(['q', 'n']);
    expect(compileRules(mixed).map((r) => r.rule.name)).toEqual(['p', 'n']);
  });

  it('are chosen by what is most particular', () => {
    const made = (name: string, whom: object) => ruleSet.parse({ name, for: whom });
    const sets = [
      made('all', {}),
      made('type', { meterTypes: ['T'] }),
      made('customer', { customerTypes: ['shop'] }),
      made('group', { groups: ['g'] }),
      made('gas', { quantities: ['gasVolume'] }),
      made('also all', {}),
    ];
    const whom = (more: object) => chooseRuleSet(sets, { groups: [], quantity: 'energyImport', ...more })?.name;
    expect(whom({})).toBe('all');
    expect(whom({ quantity: 'gasVolume' })).toBe('gas');
    expect(whom({ meterType: 'T', quantity: 'gasVolume' })).toBe('type');
    expect(whom({ meterType: 'T', customerType: 'shop' })).toBe('customer');
    expect(whom({ meterType: 'T', customerType: 'shop', groups: ['x', 'g'] })).toBe('group');
    expect(chooseRuleSet([sets[1] as (typeof sets)[number]], { groups: [], quantity: 'q' })).toBeUndefined();
    const orders = [sets, sets.toReversed()].map(
      (s) => chooseRuleSet(s, { groups: [], quantity: 'energyImport' })?.name,
    );
    expect(new Set(orders).size).toBe(1);
  });
});
