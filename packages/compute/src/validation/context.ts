/** What the checks of one series share: its days in one scan, and the one way in which a hit is written down. */

import type { ProfileRule } from '@amiable/model';
import { clock, words } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { type DayGrid, dayGrid } from './days.ts';
import { newScan, type Scan, scanDays } from './scan.ts';
import type { Finding, ValidationInput } from './types.ts';

/** Findings of one rule in one series: more say nothing new, and a broken series must not fill the store. */
export const MAX_FINDINGS = 1000;

export interface Context {
  readonly input: ValidationInput;
  readonly values: Float64Array;
  readonly from: number;
  readonly to: number;
  /** Parts of the whole series: local days, cut at `from` and `to`. */
  readonly grid: DayGrid;
  readonly bounds: Int32Array;
  readonly scan: Scan;
  /** Parts from this one on are scanned; those before `from` only when somebody asks (`scanFrom`). */
  scanned: number;
  /** Parts [firstDay, lastDay) are those of [from, to). */
  readonly firstDay: number;
  readonly lastDay: number;
  readonly findings: Finding[];
}

// One series is looked at after the other, so one scan does for all.
const scan = newScan();

export function contextOf(input: ValidationInput): Context {
  const { intervals, from, to } = input;
  const { values } = intervals;
  const grid = dayGrid(input.zone, intervals.start, intervals.step, values.length, from, to);
  const { bounds, first, last } = grid;
  scanDays(values, bounds, scan, first, last);
  return { input, values, from, to, grid, bounds, scan, scanned: first, firstDay: first, lastDay: last, findings: [] };
}

/** Makes sure that parts from `d` on are scanned, up to the end of what is validated. */
export function scanFrom(ctx: Context, d: number): void {
  if (d >= ctx.scanned) return;
  scanDays(ctx.values, ctx.bounds, ctx.scan, d, ctx.scanned);
  ctx.scanned = d;
}

/** What is said of hits unless the rule says otherwise: whether the intervals can be used as they are. */
const USABLE: ReadonlySet<string> = new Set([
  'anything',
  'not-missing',
  'positive',
  'zero',
  'higher-than-average',
  'lower-than-average',
  'higher-than-median',
  'lower-than-median',
  'duplicate',
  'sibling-missing',
  'sum',
  'rates-sum',
  'high-low',
  'demand-peak',
  'run-zero',
  'run-outage',
  'never-zero',
  'zero-without-outage',
  'reactive-without-active',
  'active-without-reactive',
  'event',
  'prolonged-estimation',
]);

export function hit(
  ctx: Context,
  rule: ProfileRule,
  from: number,
  to: number,
  sentence: string,
  numbers: Readonly<Record<string, number>>,
): void {
  const { intervals, unit } = ctx.input;
  ctx.findings.push({
    rule: rule.name,
    check: rule.check,
    severity: rule.severity,
    from,
    to,
    sentence,
    numbers,
    action: rule.action,
    ...(rule.value !== undefined && {
      value: mantissaOf(rule.value, unit, intervals.scaler, intervals.step, rule.name),
    }),
    usable: rule.action === 'unchanged' && (rule.usable ?? USABLE.has(rule.check)),
    ...(rule.group !== undefined && { group: rule.group }),
  });
}

/** Whether any part of what is validated has it. */
export function anyDay(ctx: Context, has: (scan: Scan, d: number) => boolean): boolean {
  for (let d = ctx.firstDay; d < ctx.lastDay; d++) if (has(ctx.scan, d)) return true;
  return false;
}

export const timeOf = (ctx: Context, i: number): number => ctx.input.intervals.start + i * ctx.input.intervals.step;
export const when = (ctx: Context, i: number): string => clock(ctx.input.zone, timeOf(ctx, i));
export const say = (ctx: Context, mantissa: number): string =>
  words(mantissa, ctx.input.unit, ctx.input.intervals.scaler);
/** `1 interval`, `4 intervals`. */
export const many = (n: number, what = 'interval'): string => `${n} ${what}${n === 1 ? '' : 's'}`;
/** In the unit of the series: what `numbers` of a finding are. */
export const real = (ctx: Context, mantissa: number): number => mantissa * 10 ** ctx.input.intervals.scaler;
