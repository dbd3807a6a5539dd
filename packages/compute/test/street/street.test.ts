/**
 * A street with faults at known places, and gaps with a known truth. The short form is in every test run; the long one is a year:
 * `AMIABLE_STREET=long npx vitest run packages/compute/test/street` prints the tables of docs/estimation.md.
 */
import { ruleSet } from '@amiable/model/schemas';
import { describe, expect, it } from 'vitest';
import { compileRules, HOUSEHOLD_RULES, UTILITY_RULES } from '../../src/index.ts';
import { addErrors, type Errors, registerDifference, share } from './estimates.ts';
import { KINDS } from './faults.ts';
import { house } from './houses.ts';
import { cleanAlarms, measure, type Tally } from './measure.ts';

const isLong = process.env.AMIABLE_STREET === 'long';
const size = isLong
  ? { street: 11, houses: 60, from: Date.UTC(2025, 0, 1), days: 365 }
  : { street: 7, houses: 8, from: Date.UTC(2025, 0, 20), days: 119 };
const percent = (part: number, whole: number): string => (whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '–');

function print(lines: readonly string[]): void {
  if (isLong) process.stdout.write(`${lines.join('\n')}\n\n`);
}

// A year of sixty houses takes as long as the machine takes.
describe('the street', { timeout: isLong ? 1_200_000 : 90_000 }, () => {
  it('has its faults found, and nothing found where there are none', () => {
    const { byCheck, missed, falseAlarms, clean, windows } = measure(size);
    let injected = 0;
    let found = 0;
    const rows = [...byCheck].sort(([a], [b]) => (a < b ? -1 : 1)).filter(([, t]) => t.injected > 0);
    for (const [, tally] of rows) {
      injected += tally.injected;
      found += tally.found;
    }
    const row = (name: string, t: Tally): string =>
      `| ${name} | ${t.injected} | ${percent(t.found, t.injected)} | ${t.findings} | ${percent(t.right, t.findings)} | ${t.falseAlarms} |`;
    print([
      '| check | faults | recall | findings | precision | false alarms on clean data |',
      '|---|---|---|---|---|---|',
      ...rows.map(([name, tally]) => row(name, tally)),
      '',
      `${found} of ${injected} faults found (${percent(found, injected)}); ${clean.daysAlarmed} of ${Math.round(clean.days)} clean meter-days and ${clean.intervalsAlarmed} of ${Math.round(clean.intervals)} clean intervals with a false alarm.`,
      `${windows.estimated} windows between register readings had estimates in them; ${windows.wrong} did not add up to the register.`,
      ...missed.map((fault) => `missed: ${fault.house}, ${fault.kind}, ${new Date(fault.from).toISOString()}`),
      ...falseAlarms.slice(0, 20).map((finding) => `false alarm: ${finding.house}, ${finding.sentence}`),
    ]);
    if (!isLong) expect(missed).toEqual([]);
    if (isLong)
      for (const shipped of [HOUSEHOLD_RULES, UTILITY_RULES]) {
        const { days, byRule } = cleanAlarms(size, compileRules(ruleSet.parse(shipped)));
        const told = [...byRule].map(([rule, n]) => `${rule} ${percent(n, days)}`).join(', ');
        print([`Rule set ${shipped.name} on clean data, meter-days with a warning: ${told || 'none'}`]);
      }
    expect(found / injected).toBeGreaterThanOrEqual(0.99);
    expect(clean.daysAlarmed / clean.days).toBeLessThan(0.001);
    expect(clean.intervalsAlarmed / clean.intervals).toBeLessThan(0.001);
    expect(windows.estimated).toBeGreaterThan(20);
    expect(windows.wrong).toBe(0);
    // Every kind of fault was tried: in the short form one in some house, so a check that stops working is missed here.
    const tried = new Set(rows.map(([name]) => name));
    const all = KINDS.map(({ check, series }) => (series === 'register' ? `register ${check}` : check));
    expect(all.filter((name) => !tried.has(name))).toEqual([]);
  });

  it('is estimated as well as any simple way, and to the register where there is one', () => {
    const errors: Record<string, Errors> = {};
    const kinds: Record<string, Record<string, Errors>> = {};
    let worst = 0;
    const houses = isLong ? 60 : 7;
    for (let n = 0; n < houses; n++) {
      const truth = house(isLong ? 1 : 5, n, size.from, isLong ? 365 : 84);
      addErrors(truth, errors);
      if (isLong) {
        kinds[truth.kind] ??= {};
        addErrors(truth, kinds[truth.kind] as Record<string, Errors>);
      }
      worst = Math.max(worst, registerDifference(truth));
    }
    const ways = Object.keys(errors);
    const cells = (of: Record<string, Errors>): string =>
      ways
        .map((way) => share(of[way] as Errors))
        .map((e) => `${(100 * e.intervals).toFixed(1)} / ${(100 * e.gaps).toFixed(1)}`)
        .join(' | ');
    print([
      `| houses | ${ways.join(' | ')} |`,
      `|---|${ways.map(() => '---|').join('')}`,
      ...Object.entries(kinds).map(([kind, of]) => `| ${kind} | ${cells(of)} |`),
      `| all | ${cells(errors)} |`,
    ]);
    expect(worst).toBe(0);
    const own = share(errors.amiable as Errors);
    for (const way of ways) {
      expect(errors[way]?.missing).toBe(0);
      expect(own.intervals).toBeLessThanOrEqual(share(errors[way] as Errors).intervals);
      expect(own.gaps).toBeLessThanOrEqual(share(errors[way] as Errors).gaps);
    }
  });
});
