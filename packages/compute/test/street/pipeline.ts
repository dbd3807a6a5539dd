/**
 * The street through everything, as the central system does it: each week what came in is made into meterings, validated and estimated, with
 * what was validated before as its context; the result stands for the weeks after.
 */
import { add } from '@amiable/calendar';
import { ruleSet } from '@amiable/model/schemas';
import {
  type CompiledRule,
  checksOf,
  compileRules,
  type Estimate,
  type Finding,
  type Intervals,
  type Known,
  meteringOf,
  QUALITY,
  sourceStamps,
  vee,
} from '../../src/index.ts';
import type { Fault } from './faults.ts';
import { DAY, HOLIDAYS, HOUR, Q, ZONE } from './houses.ts';
import { DIGITS, nightly, ROLLOVER, rowsOf, type SentHouse, timesOf } from './sent.ts';

const CONTEXT = 35 * DAY;

function compiled(
  name: string,
  profile: object[],
  periodic: object[] = [],
  unit: 'Wh' | 'varh' | 'm3' = 'Wh',
): CompiledRule[] {
  const rules = compileRules(ruleSet.parse({ name, profile, periodic }), unit);
  // A rule that does not fit the unit is left out; here that would be a check that nobody misses.
  if (rules.length !== profile.length + periodic.length) throw new Error(`rules of ${name} do not all compile`);
  return rules;
}
const named = <T extends { check: string }>(rules: T[]) => rules.map((rule) => ({ name: rule.check, ...rule }));

/** Fuses of 3 × 25 A at 230 V, and what no house line carries. */
const VALUES = named([
  { check: 'missing', severity: 'info' },
  { check: 'gap', intervals: 8 },
  { check: 'negative', severity: 'error' },
  { check: 'higher-than', limit: '100 kW', severity: 'error', usable: false },
  { check: 'demand-limit', limit: '17.25 kW', usable: false },
  { check: 'demand-peak', percent: 200, atLeast: '16 kW' },
  { check: 'spike', atLeast: '6 kWh', usable: false },
  { check: 'step', percent: 1000, atLeast: '8 kWh', usable: false },
  { check: 'sum' },
  { check: 'rates-sum' },
  { check: 'run-negative', hours: 1 },
  { check: 'run-identical', hours: 6, usable: false },
  { check: 'run-missing', hours: 24 },
  { check: 'run-outage', hours: 24 },
  { check: 'duplicate' },
  { check: 'interval-length' },
  { check: 'unit' },
  { check: 'multiplier' },
  { check: 'sibling-missing', siblings: ['reactiveImport'] },
  { check: 'use-while-disconnected' },
  { check: 'use-while-not-installed' },
  { check: 'clock', seconds: 60 },
  { check: 'user', formula: 'not is_missing(value) and reactiveImport > 3 kvarh' },
  { check: 'event', events: ['magnetic-field'] },
  { check: 'prolonged-estimation', days: 3 },
]);
/** A roof with panels uses nothing from the grid on a sunny day, and a holiday house nothing to speak of between holidays. */
const LIVED = named([
  { check: 'zero-without-outage', hours: 2 },
  { check: 'run-zero', hours: 24 },
  { check: 'zero' },
  { check: 'lower-than', limit: '20 W', usable: true },
  { check: 'active-without-reactive', hours: 24 },
]);
const STEADY = named([
  { check: 'higher-than-average', percent: 6000 },
  { check: 'higher-than-median', percent: 7500 },
  { check: 'lower-than-average', percent: 3 },
  { check: 'lower-than-median', percent: 3 },
  { check: 'high-low', high: 450, low: 15, days: 14 },
]);
const REGISTERS = named([
  { check: 'zero' },
  { check: 'missing' },
  { check: 'falling' },
  { check: 'maximum', limit: '17.25 kW', usable: false },
]);

const RULES = {
  panels: compiled('prosumers', VALUES, REGISTERS),
  'holiday-house': compiled('holiday houses', [...VALUES, ...LIVED], REGISTERS),
  others: compiled('households', [...VALUES, ...LIVED, ...STEADY], REGISTERS),
};
const REACTIVE = compiled('reactive', named([{ check: 'reactive-without-active', hours: 1 }]), [], 'varh');
const WATER = compiled('water', named([{ check: 'never-zero', days: 7 }]), [], 'm3');

function qualityOf(values: Float64Array): Uint8Array {
  const quality = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i] as number)) quality[i] = QUALITY.missing;
  return quality;
}

export interface Outcome {
  readonly findings: readonly (Finding & { readonly series: Fault['series'] })[];
  readonly estimates: readonly Estimate[];
  readonly flags: readonly Finding[];
  readonly intervals: Intervals;
  /** Days that were validated. */
  readonly days: number;
}

/** @param first day from which weeks are validated; what is before is taken as it is */
export function runHouse(sent: SentHouse, first = 35, shipped?: readonly CompiledRule[]): Outcome {
  const values = sent.energyImport.slice();
  const quality = qualityOf(values);
  const whole: Intervals = { start: sent.start, step: Q, scaler: 0, values, quality };
  const findings = new Map<string, Outcome['findings'][number]>();
  const estimates: Estimate[] = [];
  const flags: Finding[] = [];
  const kind = sent.house.kind;
  const rules = shipped ?? (kind === 'panels' || kind === 'holiday-house' ? RULES[kind] : RULES.others);
  const end = sent.start + sent.n * Q;
  let days = 0;
  for (let from = sent.midnights[first] as number; from < end; ) {
    const to = Math.min(end, add('day', ZONE, from, 7));
    const context = Math.max(sent.start, from - CONTEXT);
    const source = rowsOf(sent, from, to);
    const made = meteringOf(
      { registers: [nightly(sent, 'total', context, to)], profiles: [{ ...source, period: Q }] },
      { zone: ZONE, step: Q, from: context, to, digits: DIGITS, mostPerHour: 200_000 },
    );
    const a = (context - sent.start) / Q;
    const before = (from - context) / Q;
    made.intervals.values.set(values.subarray(a, a + before));
    made.intervals.quality.set(quality.subarray(a, a + before));
    const wrong = sent.named.find((span) => span.from < to && span.to > from);
    const part = (all: Float64Array): Intervals => {
      const own = all.slice(a, (to - sent.start) / Q);
      return {
        start: context,
        step: Q,
        scaler: 0,
        values: own,
        quality: qualityOf(own),
      };
    };
    const readings = nightly(sent, 'total', context, to);
    const known: Known = {
      unit: 'Wh',
      zone: ZONE,
      quantity: 'energyImport',
      ...(made.showings && { showings: made.showings }),
      readings,
      rollover: ROLLOVER,
      period: 'day',
      rates: (['high', 'low'] as const).map((name) => ({ name, showings: nightly(sent, name, context, to) })),
      siblings: [{ name: 'reactiveImport', unit: 'varh', intervals: part(sent.reactiveImport) }],
      meter: timesOf(sent),
      source: {
        times: sourceStamps(source.times, Q, made.intervals),
        values: source.values,
        unit: wrong?.unit ?? 'Wh',
        step: wrong?.step ?? Q,
        multiplier: wrong?.multiplier ?? 1,
      },
    };
    const checks = checksOf(rules, known);
    const ofRegisters = new Set<Finding>();
    const result = vee({
      intervals: made.intervals,
      from,
      to,
      zone: ZONE,
      ...(made.showings && { showings: made.showings, runs: made.runs }),
      outages: sent.outages,
      holidays: HOLIDAYS,
      checks: {
        ...checks,
        registers: (...asked) => {
          const found = checks.registers?.(...asked) ?? [];
          for (const one of found) ofRegisters.add(one);
          return found;
        },
      },
    });
    values.set(result.intervals.values, a);
    quality.set(result.intervals.quality, a);
    for (const finding of result.findings) {
      const name = ofRegisters.has(finding) ? 'register' : 'energyImport';
      findings.set(`${name} ${finding.rule} ${finding.from} ${finding.to}`, { ...finding, series: name });
    }
    estimates.push(...result.estimates.filter((one) => one.from >= from));
    flags.push(...result.flags);
    const active = { name: 'energyImport', unit: 'Wh', intervals: part(sent.energyImport) } as const;
    if (kind !== 'panels') {
      const reactive = part(sent.reactiveImport);
      beside(findings, 'reactiveImport', reactive, from, to, REACTIVE, { unit: 'varh', siblings: [active] });
    }
    const hours = (time: number): number => (time - sent.start) / HOUR;
    const water = sent.water.slice(hours(context), hours(to));
    const litres = { start: context, step: HOUR, scaler: -3, values: water, quality: new Uint8Array(water.length) };
    beside(findings, 'water', litres, from, to, WATER, { unit: 'm3', quantity: 'waterVolume' });
    days += (to - from) / DAY;
    from = to;
  }
  return { findings: [...findings.values()], estimates, flags, intervals: whole, days };
}

/** Another series of the house, whose estimates nobody needs here. */
function beside(
  findings: Map<string, Outcome['findings'][number]>,
  series: Fault['series'],
  intervals: Intervals,
  from: number,
  to: number,
  rules: readonly CompiledRule[],
  known: Omit<Known, 'zone'>,
): void {
  const checks = checksOf(rules, { ...known, zone: ZONE });
  const settings = { fill: false };
  for (const one of vee({ intervals, from, to, zone: ZONE, holidays: HOLIDAYS, checks, settings }).findings)
    findings.set(`${series} ${one.rule} ${one.from} ${one.to}`, { ...one, series });
}
