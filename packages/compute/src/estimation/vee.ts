/**
 * Validation and estimation of one series in the order of mdm §2: registers are validated, invalid intervals dropped, long gaps looked for,
 * intervals validated, estimates made, scaled to registers, registers estimated. Estimating before dropping would take bad values for
 * good neighbours, so it cannot happen here.
 *
 * Decides: estimates of an earlier turn are taken for missing, so late real values undo them and what depends on them is made
 * anew; what is worked on is widened to whole gaps and to the register readings around them, so days may come in any order; an edit is
 * never replaced. No estimate is made out of an estimate. Leaves out: rules (validation/), where values are kept.
 */
import { MisuseError } from '@amiable/bytes';
import type { Span } from '../outages.ts';
import { type Intervals, QUALITY } from '../series.ts';
import type { Finding } from '../validation/types.ts';
import { eachRun, fillOpen, type Wanted } from './fill.ts';
import { estimateRegisters } from './registers.ts';
import { exact, localTime } from './say.ts';
import { scaleToRegisters } from './scale.ts';
import type { Estimate } from './types.ts';
import type { VeeInput, VeeResult } from './vee-types.ts';
import { createWork, flag, isMethod, type Register, readingAt, registerOn, timeAt, type Work, within } from './work.ts';

const DAY = 86_400_000;

/** Validates and estimates one series. Pure: the input stays as it is. @throws MisuseError for [from, to) off the grid */
export function vee(input: VeeInput): VeeResult {
  const { settings = {}, checks = {}, showings, multiplier = 1, tolerance = 30_000 } = input;
  const series = copied(input.intervals, showings?.scaler);
  const { values, quality, start, step } = series;
  const n = values.length;
  const range: Range = { lo: (input.from - start) / step, hi: (input.to - start) / step };
  if (!Number.isInteger(range.lo) || !Number.isInteger(range.hi) || range.lo < 0 || range.hi > n || range.lo > range.hi)
    throw new MisuseError('what is to be validated does not begin and end on intervals of the series');
  const findings: Finding[] = [];

  // 1. Registers.
  const badReadings: Finding[] = [];
  if (showings && checks.registers)
    for (const finding of checks.registers(showings, input.from, input.to)) {
      findings.push(finding);
      if (!finding.usable) badReadings.push(finding);
    }
  let onGrid: Register | undefined;
  let only: Span | undefined;
  const register = (): Register => {
    onGrid ??= showings
      ? registerOn(series, showings, { runs: input.runs, tolerance, multiplier, bad: badReadings, only })
      : { at: new Int32Array(0), shown: new Float64Array(0), runs: new Uint32Array(0) };
    return onGrid;
  };
  widen(range, series, register, (settings.giveUp ?? 62 * DAY) / step);
  const { lo, hi } = range;
  const from = start + lo * step;
  const to = start + hi * step;
  if (!input.wanted) only = { from, to };
  for (let i = lo; i < hi; i++)
    if ((quality[i] as number) >= QUALITY.estimated) {
      values[i] = Number.NaN;
      quality[i] = QUALITY.missing;
    }

  // 2. What is worthless whatever its value.
  if (checks.structure)
    for (const finding of checks.structure(series, from, to)) {
      findings.push(finding);
      if (!finding.usable) drop(series, finding, lo, hi);
    }
  // 3. Long gaps; where nothing is missing there are none.
  const fill = settings.fill ?? true;
  const work = (): Work =>
    createWork(series, lo, hi, {
      zone: input.zone,
      consumption: input.consumption ?? true,
      settings,
      outages: input.outages ?? [],
      holidays: input.holidays ?? [],
      notAccepted: input.notAccepted ?? [],
      checkMeter: input.checkMeter,
      reference: input.reference,
      register,
    });
  const isWhole = !anyMade(quality, lo, hi);
  let own = isWhole ? undefined : work();
  if (own) longGaps(own, (settings.longGap ?? DAY) / step);

  // 4. Values.
  const found = checks.intervals?.(series, from, to) ?? [];
  const wanted: Wanted[] = [];
  if (found.some(({ usable, action }) => !usable || action !== 'unchanged')) own ??= work();
  for (const finding of found) {
    findings.push(finding);
    if (own) take(own, finding, wanted);
  }
  // Most series of most days: nothing is missing, nothing was found, registers are there.
  if (!own && !input.wanted) return { intervals: series, from, to, findings, estimates: [], flags: [], registers: [] };
  own ??= work();
  return finish(own, input, fill, wanted, findings);
}

/** Steps 5 to 7. */
function finish(work: Work, input: VeeInput, fill: boolean, wanted: readonly Wanted[], findings: Finding[]): VeeResult {
  const { series, lo, hi } = work;
  const { start, step, values } = series;
  if (fill) for (let i = lo; i < hi; i++) if (Number.isNaN(values[i] as number)) work.open[i] = 1;
  // 5. and 6.
  fillOpen(work, wanted);
  if (work.settings.scale ?? true) scaleToRegisters(work);
  nothingToGoBy(work);

  // 7. Registers.
  const { showings } = input;
  const registers =
    showings && input.wanted ? estimateRegisters(work, showings, input.wanted, input.multiplier ?? 1) : [];
  return {
    intervals: series,
    from: start + lo * step,
    to: start + hi * step,
    findings,
    estimates: estimatesOf(work),
    flags: work.flags,
    registers,
  };
}

interface Range {
  lo: number;
  hi: number;
}

/** A copy in the finer of both scalers. */
function copied(intervals: Intervals, register: number | undefined): Intervals {
  const { start, step } = intervals;
  const n = Math.min(intervals.values.length, intervals.quality.length);
  const values = intervals.values.slice(0, n);
  const quality = intervals.quality.slice(0, n);
  const scaler = Math.min(intervals.scaler, register ?? intervals.scaler);
  if (scaler < intervals.scaler) {
    const factor = 10 ** (intervals.scaler - scaler);
    for (let i = 0; i < n; i++) values[i] = (values[i] as number) * factor;
  }
  for (let i = 0; i < n; i++) if (Number.isNaN(values[i] as number)) quality[i] = QUALITY.missing;
  return { start, step, scaler, values, quality };
}

/** To whole gaps, and to the readings around a window with estimates outside, until nothing moves. */
function widen(range: Range, { quality }: Intervals, register: () => Register, most: number): void {
  const n = quality.length;
  const least = Math.max(0, range.lo - most);
  const furthest = Math.min(n, range.hi + most);
  if (!anyMade(quality, least, range.lo) && !anyMade(quality, range.hi, furthest)) return;
  const { at } = register();
  for (;;) {
    let { lo, hi } = range;
    while (lo > least && (quality[lo - 1] as number) >= QUALITY.estimated) lo--;
    while (hi < furthest && (quality[hi] as number) >= QUALITY.estimated) hi++;
    const first = readingAt(register(), lo);
    if (first >= 0 && first + 1 < at.length && (at[first] as number) < lo)
      for (let i = Math.max(at[first] as number, least); i < lo; i++)
        if ((quality[i] as number) >= QUALITY.estimated) lo = i;
    const last = readingAt(register(), hi);
    if (last >= 0 && last + 1 < at.length && (at[last] as number) < hi)
      for (let i = Math.min(at[last + 1] as number, furthest) - 1; i >= hi; i--)
        if ((quality[i] as number) >= QUALITY.estimated) hi = i + 1;
    if (lo === range.lo && hi === range.hi) return;
    range.lo = lo;
    range.hi = hi;
  }
}

function anyMade(quality: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((quality[i] as number) >= QUALITY.estimated) return true;
  return false;
}

/** Takes intervals of a finding away; edits stay. */
function drop(series: Intervals, finding: Finding, lo: number, hi: number): void {
  const [a, b] = within(series, finding);
  for (let i = Math.max(a, lo); i < Math.min(b, hi); i++) {
    if (series.quality[i] === QUALITY.edited) continue;
    series.values[i] = Number.NaN;
    series.quality[i] = QUALITY.missing;
  }
}

/** What a finding of values makes of its intervals: open ones, or no basis of others. */
function take(work: Work, finding: Finding, wanted: Wanted[]): void {
  const { action, usable, severity } = finding;
  const [first, last] = within(work.series, finding);
  const a = Math.max(first, work.lo);
  const b = Math.min(last, work.hi);
  if (usable && action === 'unchanged') {
    // Doubtful: it stays, but nothing else is made of it.
    if (severity === 'error') work.basis.fill(0, first, last);
    return;
  }
  let any = false;
  for (let i = a; i < b; i++) {
    if (work.quality[i] === QUALITY.edited) continue;
    work.open[i] = 1;
    work.basis[i] = 0;
    any = true;
  }
  if (any && action !== 'unchanged' && isMethod(action))
    wanted.push({ from: a, to: b, action, value: finding.value, rule: finding.rule });
}

function longGaps(work: Work, most: number): void {
  let from = -1;
  for (let i = work.lo; i <= work.hi; i++) {
    const isMissing = i < work.hi && Number.isNaN(work.values[i] as number);
    if (isMissing && from < 0) from = i;
    if (isMissing || from < 0) continue;
    if (i - from >= most) {
      const hours = ((i - from) * work.series.step) / 3_600_000;
      const sentence = `nothing for ${hours} hours from ${localTime(timeAt(work, from), work.zone)}`;
      flag(work, 'long-gap', 'warning', from, i, sentence, { hours });
    }
    from = -1;
  }
}

/** What stays open could not be estimated: it is missing, whatever stood there. */
function nothingToGoBy(work: Work): void {
  eachRun(work, work.lo, work.hi, (a, b) => {
    for (let i = a; i < b; i++) {
      work.values[i] = Number.NaN;
      work.quality[i] = QUALITY.missing;
      work.open[i] = 0;
    }
    const sentence = `${b - a} intervals from ${localTime(timeAt(work, a), work.zone)} stay missing: no accepted values beside them, on like days or in registers`;
    flag(work, 'no-basis', 'error', a, b, sentence, { intervals: b - a });
  });
}

function estimatesOf(work: Work): Estimate[] {
  return work.filled
    .map(({ from, to, method, sentence, inputs, scaledTo }): Estimate => {
      const scaled = scaledTo.length > 0;
      const only =
        scaledTo.length === 1
          ? `the register's difference of ${exact(scaledTo[0] as number, work.series.scaler)}`
          : `${scaledTo.length} differences of the register`;
      return {
        from: timeAt(work, from),
        to: timeAt(work, to),
        method,
        scaled,
        sentence: scaled ? `${sentence}; brought to ${only}` : sentence,
        inputs: scaled ? { ...inputs, differences: scaledTo.slice(0, 100) } : inputs,
      };
    })
    .sort((a, b) => a.from - b.from || a.to - b.to);
}
