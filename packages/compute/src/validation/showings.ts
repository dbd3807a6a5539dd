/** What the checks of one register share: its use from showing to showing, the month before, and the one way in which a hit is written down. */
import { localToUtc, toLocal } from '@amiable/calendar';
import type { PeriodicRule } from '@amiable/model';
import { QUALITY } from '../series.ts';
import { clock, words } from '../words.ts';
import { MAX_FINDINGS } from './context.ts';
import { firstAt } from './sums.ts';
import type { Finding, PeriodicInput } from './types.ts';

const DAY = 86_400_000;
/** A showing stands for the same time a month or a year ago if it is no further away. */
const NEAR_MS = 36 * 3_600_000;

export interface Work {
  readonly input: PeriodicInput;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Use since the showing before (rollovers taken out); of a consumption the value itself. NaN: unknown, or it fell. */
  readonly use: Float64Array;
  /** The same of what the meter itself sent; asked for by few rules. */
  sourceUse(): Float64Array;
  /** Found out once. */
  falls(): boolean;
  readonly findings: Finding[];
}

export function measured({ showings: { values, quality } }: PeriodicInput): Float64Array {
  if (!quality || isMeasured(quality, values.length)) return values;
  return values.map((v, i) => (quality[i] === QUALITY.measured ? v : Number.NaN));
}

function isMeasured(quality: Uint8Array, n: number): boolean {
  for (let i = 0; i < n; i++) if (quality[i] !== QUALITY.measured) return false;
  return true;
}

/** Whether the register ever shows less than before. */
export function everFalls(values: Float64Array): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (v < before) return true;
    if (v > before) before = v;
  }
  return false;
}

/** Index of the last showing before `i` that is there; -1: none. */
export function lastBefore(values: Float64Array, i: number): number {
  let p = i - 1;
  while (p >= 0 && Number.isNaN(values[p] as number)) p--;
  return p;
}

export const rolled = (before: number, now: number, rollover: number | undefined): boolean =>
  rollover !== undefined && before > rollover / 2 && before < rollover && now < rollover / 2 && now >= 0;

export function uses(values: Float64Array, rollover: number | undefined): Float64Array {
  const out = new Float64Array(values.length).fill(Number.NaN);
  let before = Number.NaN;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (Number.isNaN(v)) continue;
    if (v >= before) out[i] = v - before;
    else if (rolled(before, v, rollover)) out[i] = v + (rollover as number) - before;
    before = v;
  }
  return out;
}

export const say = (w: Work, mantissa: number): string => words(mantissa, w.input.unit, w.input.showings.scaler);
export const real = (w: Work, mantissa: number): number => mantissa * 10 ** w.input.showings.scaler;
export const when = (w: Work, i: number): string => clock(w.input.zone, w.times[i] as number);
export const isRegister = (w: Work): boolean => w.input.kind === 'register';

export function hit(
  w: Work,
  rule: PeriodicRule,
  from: number,
  to: number,
  sentence: string,
  numbers: Record<string, number>,
  usable = true,
): void {
  w.findings.push({
    rule: rule.name,
    check: rule.check,
    severity: rule.severity,
    from,
    to,
    sentence,
    numbers,
    action: 'unchanged',
    usable: rule.usable ?? usable,
    ...(rule.group !== undefined && { group: rule.group }),
  });
}

/** Calls `found` for showings that are there; stops after as many hits as one rule may have. */
export function each(w: Work, found: (i: number) => boolean | undefined): void {
  let hits = 0;
  for (let i = w.input.from; i < w.input.to && hits < MAX_FINDINGS; i++)
    if (!Number.isNaN(w.values[i] as number) && found(i)) hits++;
}

/** The showing nearest to the same local time a month or a year ago; -1: none is near. */
export function ago(w: Work, i: number, unit: 'month' | 'year'): number {
  const { zone } = w.input;
  const wall = toLocal(zone, w.times[i] as number);
  const date = new Date(wall);
  const months = unit === 'month' ? 1 : 12;
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months + 1, 0)).getUTCDate();
  const target = localToUtc(
    zone,
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, Math.min(last, date.getUTCDate())) +
      (((wall % DAY) + DAY) % DAY),
  );
  let best = -1;
  for (let p = firstAt(w.times, target - NEAR_MS); p < i && (w.times[p] as number) <= target + NEAR_MS; p++) {
    if (Number.isNaN(w.values[p] as number)) continue;
    if (best < 0 || Math.abs((w.times[p] as number) - target) < Math.abs((w.times[best] as number) - target)) best = p;
  }
  return best;
}
