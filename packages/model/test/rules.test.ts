import { describe, expect, it } from 'vitest';
import { ACTIONS_ON_VALUES, PERIODIC_CONDITIONS, PROFILE_CONDITIONS, refusalOf } from '../src/index.ts';
import { ruleSet } from '../src/schemas.ts';

/** As the table of the description has it, row by row. */
const MATRIX: Readonly<Record<string, string>> = {
  missing: 'xxxxxxx',
  zero: 'x-xxx-x',
  anything: 'x-xx-x-',
  'not-missing': 'x------',
  negative: 'x-xxx--',
  positive: 'x------',
  'higher-than': 'x-xxx--',
  'lower-than': 'x-xxx--',
  'higher-than-average': 'x-xxx--',
  'lower-than-average': 'x-xxx--',
  'higher-than-median': 'x-xxx--',
  'lower-than-median': 'x-xxx--',
  user: 'x-xxx--',
};
const NEEDS: Readonly<Record<string, object>> = {
  'higher-than': { limit: 5 },
  'lower-than': { limit: 5 },
  user: { formula: 'value > 0' },
};

const saved = (kind: 'profile' | 'periodic', rules: object[]): string[] => {
  const parsed = ruleSet.safeParse({ name: 'set', [kind]: rules });
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
};

describe('the two matrices', () => {
  it('have every row and every column', () => {
    expect(Object.keys(MATRIX)).toEqual([...PROFILE_CONDITIONS]);
    expect(PERIODIC_CONDITIONS).toHaveLength(19);
    expect(ACTIONS_ON_VALUES).toHaveLength(7);
  });

  it.each(Object.entries(MATRIX))('profile: %s %s', (check, row) => {
    for (const [i, action] of ACTIONS_ON_VALUES.entries()) {
      const value = action.startsWith('user-defined') ? { value: 3 } : {};
      const told = saved('profile', [{ name: 'r', check, action, ...value, ...NEEDS[check] }]);
      if (row[i] === 'x') expect(told).toEqual([]);
      else {
        expect(told).toHaveLength(1);
        expect(told[0]).toMatch(
          new RegExp(`^profile.0.action: rule "r": "${action}" is not allowed for "${check}": .+ Allowed: `, 's'),
        );
      }
    }
  });

  it.each(PERIODIC_CONDITIONS)('registers are never changed: %s', (check) => {
    for (const action of ACTIONS_ON_VALUES) {
      const value = action.startsWith('user-defined') ? { value: 3 } : {};
      const told = saved('periodic', [{ name: 'r', check, action, ...value, ...NEEDS[check] }]);
      if (action === 'unchanged') expect(told).toEqual([]);
      else expect(told).toEqual([expect.stringContaining('a periodic metering is marked and reported, never changed')]);
    }
  });

  it('leave other checks to estimation', () => {
    expect(saved('profile', [{ name: 'r', check: 'spike', action: 'previous-day' }])[0]).toMatch(
      /estimated by the methods/,
    );
    expect(refusalOf('profile', 'spike', 'unchanged')).toBeUndefined();
  });
});

describe('rule sets', () => {
  const rule = (more: object) => saved('profile', [{ name: 'r', check: 'negative', ...more }]);
  it('refuse to replace measured values without telling anybody', () => {
    expect(rule({ action: 'previous-day', severity: 'info' })).toEqual([
      'profile.0.severity: rule "r": it would replace measured values without telling anybody; give it "warning" or "error"',
    ]);
    expect(rule({ action: 'previous-day', severity: 'warning' })).toEqual([]);
    expect(saved('profile', [{ name: 'r', check: 'missing', action: 'previous-day', severity: 'info' }])).toEqual([]);
    expect(rule({ action: 'previous-day', usable: true })[0]).toMatch(/cannot be usable as it is/);
  });
  it('want a value where one is user defined, and only there', () => {
    expect(rule({ action: 'user-defined' })[0]).toMatch(/needs a value/);
    expect(rule({ action: 'unchanged', value: 5 })[0]).toMatch(/is for user-defined actions/);
    expect(rule({ action: 'user-defined', value: '1.5 kWh' })).toEqual([]);
  });
  it.each(['5 apples', 'kWh', '5 kWh; drop', '1e400', '٣ kWh', '5 5 kWh', ''])('refuse the amount %j', (value) => {
    expect(rule({ action: 'user-defined', value })).toHaveLength(1);
  });
  it('want names that tell exceptions apart, and know no fields but theirs', () => {
    const two = { name: 'same', check: 'negative' };
    expect(saved('profile', [two, two])[0]).toMatch(/another rule of this set has the same name/);
    expect(rule({ treshold: 3 })[0]).toMatch(/treshold/);
    expect(saved('profile', [{ name: 'r', check: 'nonsense' }])).toHaveLength(1);
    expect(
      saved(
        'profile',
        new Array(201).fill(0).map((_, i) => ({ name: `${i}`, check: 'negative' })),
      ),
    ).toHaveLength(1);
  });
  it('have the defaults of common practice', () => {
    const { profile } = ruleSet.parse({
      name: 'set',
      profile: [
        { name: 'a', check: 'spike' },
        { name: 'b', check: 'sum' },
      ],
    });
    expect(profile[0]).toMatchObject({ threshold: 1.8, intervals: 20, severity: 'warning', action: 'unchanged' });
    expect(profile[1]).toMatchObject({ factor: 2 });
  });
});
