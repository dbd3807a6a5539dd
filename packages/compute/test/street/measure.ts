/** Precision and recall of each check over a street, and how often it is wrong about a house without faults. */
import { type CompiledRule, type Finding, QUALITY } from '../../src/index.ts';
import { type Fault, injectInto, KINDS } from './faults.ts';
import { DAY, house, Q } from './houses.ts';
import { type Outcome, runHouse } from './pipeline.ts';
import { ROLLOVER, type SentHouse, send } from './sent.ts';

export interface Tally {
  injected: number;
  found: number;
  /** Findings in the street with faults, and those of them that lie at a fault of whatever kind. */
  findings: number;
  right: number;
  /** Findings in the street without faults. */
  falseAlarms: number;
}

export interface Measured {
  readonly byCheck: ReadonlyMap<string, Tally>;
  readonly missed: readonly (Fault & { readonly house: string })[];
  readonly falseAlarms: readonly (Finding & { readonly house: string })[];
  /** Of houses without faults: days, days with a false alarm, intervals, intervals under a false alarm. */
  /** Windows between readings of the register with estimates in them, and those whose intervals do not add up to it. */
  readonly windows: { estimated: number; wrong: number };
  readonly clean: { days: number; daysAlarmed: number; intervals: number; intervalsAlarmed: number };
}

export interface StreetSize {
  readonly street: number;
  readonly houses: number;
  readonly from: number;
  readonly days: number;
  readonly first?: number;
  readonly apart?: number;
}

/** How far after a fault what it brings about still shows: comparisons with weeks before, differences to the reading before. */
const AFTER: Readonly<Record<string, number>> = {
  'high-low': 21 * DAY,
  missing: DAY,
  'higher-than-average': 31 * DAY,
  'higher-than-median': 31 * DAY,
  'lower-than-average': 31 * DAY,
  'lower-than-median': 31 * DAY,
};

const touches = (finding: { from: number; to: number }, fault: { from: number; to: number }, margin = 0): boolean =>
  finding.from < fault.to + margin && Math.max(finding.to, finding.from + 1) > fault.from - margin;

export function measure({ street, houses, from, days, first = 42, apart = 9 }: StreetSize): Measured {
  const byCheck = new Map<string, Tally>();
  const missed: (Fault & { house: string })[] = [];
  const falseAlarms: (Finding & { house: string })[] = [];
  const queue = [...KINDS];
  const windows = { estimated: 0, wrong: 0 };
  const clean = { days: 0, daysAlarmed: 0, intervals: 0, intervalsAlarmed: 0 };
  const of = (check: string): Tally => {
    let tally = byCheck.get(check);
    if (!tally) {
      tally = { injected: 0, found: 0, findings: 0, right: 0, falseAlarms: 0 };
      byCheck.set(check, tally);
    }
    return tally;
  };
  const name = (one: { series: string; check: string }): string =>
    one.series === 'register' ? `register ${one.check}` : one.check;
  for (let n = 0; n < houses; n++) {
    const truth = house(street, n, from, days);
    const good = runHouse(send(truth), first - 7);
    const alarmed = new Set<number>();
    for (const finding of good.findings) {
      of(name(finding)).falseAlarms++;
      falseAlarms.push({ ...finding, house: truth.name });
      const last = Math.max(finding.from + 1, finding.to);
      for (let at = finding.from; at < last; at += DAY) alarmed.add(Math.floor((at - truth.start) / DAY));
      clean.intervalsAlarmed += Math.ceil((last - finding.from) / 900_000);
    }
    clean.days += good.days;
    clean.daysAlarmed += alarmed.size;
    clean.intervals += good.days * 96;
    const sent = send(truth);
    const faults = injectInto(sent, queue, first, apart);
    const outcome = runHouse(sent, first - 7);
    const { findings } = outcome;
    addWindows(windows, sent, outcome, faults, first);
    for (const fault of faults) {
      const tally = of(name(fault));
      tally.injected++;
      const margin = fault.series === 'register' ? DAY + 1 : 0;
      if (
        findings.some((one) => one.check === fault.check && one.series === fault.series && touches(one, fault, margin))
      )
        tally.found++;
      else missed.push({ ...fault, house: truth.name });
    }
    for (const finding of findings) {
      const tally = of(name(finding));
      tally.findings++;
      // A fault shows in what follows too: the register's next difference, the next week's comparison.
      if (faults.some((fault) => touches(finding, fault, AFTER[finding.check] ?? DAY))) tally.right++;
    }
  }
  return { byCheck, missed, falseAlarms, windows, clean };
}

/** Estimates equal the register's difference, wherever two readings stand that are not faults themselves. */
function addWindows(
  windows: Measured['windows'],
  sent: SentHouse,
  { intervals, flags, findings }: Outcome,
  faults: readonly Fault[],
  first: number,
): void {
  const { midnights, total, start } = sent;
  let before = -1;
  for (let d = first; d < midnights.length; d++) {
    if (Number.isNaN(total[d] as number)) continue;
    const a = before;
    before = d;
    if (a < 0) continue;
    const span = { from: midnights[a] as number, to: midnights[d] as number };
    if (faults.some((fault) => fault.series === 'register' && touches(fault, span, 1))) continue;
    // A reading that was found to be impossible is not scaled to.
    if (findings.some((one) => one.series === 'register' && !one.usable && touches(one, span, 1))) continue;
    // Too much was measured: then estimates are zero, and it is said.
    if (flags.some((flag) => flag.check === 'negative-estimate' && touches(flag, span))) continue;
    let sum = 0;
    let made = 0;
    for (let i = (span.from - start) / Q; i < (span.to - start) / Q; i++) {
      sum += intervals.values[i] as number;
      if (intervals.quality[i] === QUALITY.estimated) made++;
    }
    if (made === 0) continue;
    windows.estimated++;
    if (((total[d] as number) - (total[a] as number) + ROLLOVER) % ROLLOVER !== sum) windows.wrong++;
  }
}

/** Days with a false alarm by rule, of houses without faults, under one rule set for all of them. */
export function cleanAlarms(
  { street, houses, from, days }: StreetSize,
  rules: readonly CompiledRule[],
): { readonly days: number; readonly byRule: ReadonlyMap<string, number> } {
  const byRule = new Map<string, number>();
  let total = 0;
  for (let n = 0; n < houses; n++) {
    const truth = house(street, n, from, days);
    const { findings, days: validated } = runHouse(send(truth), 35, rules);
    total += validated;
    const seen = new Set<string>();
    for (const { rule, from: begin, to, severity } of findings)
      if (severity !== 'info')
        for (let at = begin; at < Math.max(begin + 1, to); at += DAY) seen.add(`${rule}\n${Math.floor(at / DAY)}`);
    for (const key of seen) {
      const rule = key.slice(0, key.indexOf('\n'));
      byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
    }
  }
  return { days: total, byRule };
}
