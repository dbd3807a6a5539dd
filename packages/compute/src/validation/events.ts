/**
 * Intervals beside what is known of the meter: outages, disconnection, stays, its clock, its log.
 *
 * Decides: an interval is touched by a span that overlaps it, and covered by one that holds all of it. Use while disconnected or
 * not installed counts in covered intervals only, for in one that a span merely touches there may be honest use.
 */
import type { ProfileRule } from '@amiable/model';
import type { Span } from '../outages.ts';
import { clock, duration } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { type Context, hit, MAX_FINDINGS, many, real, say } from './context.ts';
import { eachRun, extent, span } from './matrix.ts';

type Rule<C extends ProfileRule['check']> = ProfileRule & { check: C };
const HOUR = 3_600_000;

/** Intervals of [a, b) that a span touches (a moment touches the one it falls in). */
export function touched(ctx: Context, { from, to }: Span, a: number, b: number): readonly [a: number, b: number] {
  const { start, step } = ctx.input.intervals;
  const first = Math.max(a, Math.floor((from - start) / step));
  const last = Math.min(b, Math.max(Math.ceil((to - start) / step), Math.floor((from - start) / step) + 1));
  return [first, Math.max(first, last)];
}

/** How many ms of the intervals [a, b) are covered by the spans. */
export function covered(ctx: Context, spans: readonly Span[] | undefined, a: number, b: number): number {
  const { start, step } = ctx.input.intervals;
  let sum = 0;
  for (const { from, to } of spans ?? [])
    sum += Math.max(0, Math.min(to, start + b * step) - Math.max(from, start + a * step));
  return sum;
}

export function checkOutages(ctx: Context, rule: Rule<'run-outage'>): void {
  for (const outage of (ctx.input.meter?.outages ?? []).slice(0, MAX_FINDINGS)) {
    const length = outage.to - outage.from;
    if (length < rule.hours * HOUR) continue;
    const [a, b] = touched(ctx, outage, ctx.from, ctx.to);
    if (a >= b) continue;
    const { zone } = ctx.input;
    hit(
      ctx,
      rule,
      a,
      b,
      `without supply for ${duration(length)} from ${clock(zone, outage.from)} to ${clock(zone, outage.to)}; reported from ${duration(rule.hours * HOUR)}`,
      { hours: length / HOUR, intervals: b - a },
    );
  }
}

/** Intervals that one of the spans covers wholly, as runs. */
function whole(ctx: Context, spans: readonly Span[], found: (a: number, b: number) => void): void {
  const { start, step } = ctx.input.intervals;
  let behind = ctx.from;
  for (const { from, to } of spans) {
    const a = Math.max(behind, Math.ceil((from - start) / step));
    const b = Math.min(ctx.to, Math.floor((to - start) / step));
    if (a >= b) continue;
    found(a, b);
    behind = b;
  }
}

/** The time between the stays. */
function outside(installed: readonly Span[]): Span[] {
  const out: Span[] = [];
  let from = Number.NEGATIVE_INFINITY;
  for (const stay of installed) {
    if (stay.from > from) out.push({ from, to: stay.from });
    from = Math.max(from, stay.to);
  }
  out.push({ from, to: Number.POSITIVE_INFINITY });
  return out;
}

export function checkUse(ctx: Context, rule: Rule<'use-while-disconnected' | 'use-while-not-installed'>): void {
  const { meter, intervals, unit } = ctx.input;
  const off = rule.check === 'use-while-disconnected';
  const spans = off ? meter?.disconnected : meter?.installed && outside(meter.installed);
  if (!spans?.length) return;
  const tolerance = mantissaOf(rule.tolerance, unit, intervals.scaler, intervals.step, rule.name);
  let n = 0;
  whole(ctx, spans, (from, to) =>
    eachRun(ctx.values, from, to, 'above', tolerance, (a, b) => {
      if (n++ >= MAX_FINDINGS) return;
      const { sum } = extent(ctx.values, a, b);
      hit(
        ctx,
        rule,
        a,
        b,
        `${say(ctx, sum)} used from ${span(ctx, a, b)} although the meter was ${off ? 'disconnected' : 'not installed'}`,
        { intervals: b - a, sum: real(ctx, sum) },
      );
    }),
  );
}

const OTHER_DIRECTION: Readonly<Record<string, string>> = {
  energyImport: 'energyExport',
  energyExport: 'energyImport',
  reactiveImport: 'reactiveExport',
  reactiveExport: 'reactiveImport',
};

/**
 * Energy of one kind while its sibling stands still: reactive beside active, or the reverse; a series of the other kind is none of the
 * rule's. A meter that sends active energy back has a current too, so the sibling's other direction stands still as well, where there is one.
 */
export function checkSibling(ctx: Context, rule: Rule<'reactive-without-active' | 'active-without-reactive'>): void {
  const { intervals } = ctx.input;
  const sibling = ctx.input.siblings?.find((s) => s.name === rule.sibling);
  if (!sibling || (ctx.input.unit === 'varh') !== (rule.check === 'reactive-without-active')) return;
  const other = sibling.intervals.values;
  const back = ctx.input.siblings?.find((s) => s.name === OTHER_DIRECTION[rule.sibling])?.intervals.values;
  const least = Math.max(1, Math.ceil((rule.hours * HOUR) / intervals.step));
  const alone = (i: number) => (ctx.values[i] as number) > 0 && other[i] === 0 && !((back?.[i] as number) > 0);
  let since = -1;
  let n = 0;
  for (let i = ctx.from; i <= ctx.to; i++) {
    const is = i < ctx.to && alone(i);
    if (is && since < 0) {
      since = i;
      // A run at the very beginning may have begun before.
      if (i === ctx.from) while (since > 0 && alone(since - 1)) since--;
    }
    if (is || since < 0) continue;
    if (i - since >= least && n++ < MAX_FINDINGS) {
      const { sum } = extent(ctx.values, since, i);
      hit(
        ctx,
        rule,
        Math.max(since, ctx.from),
        i,
        `${say(ctx, sum)} from ${span(ctx, since, i)} while ${sibling.name} stood still for ${many(i - since)}`,
        { intervals: i - since, sum: real(ctx, sum) },
      );
    }
    since = -1;
  }
}

export function checkClock(ctx: Context, rule: Rule<'clock'>): void {
  let n = 0;
  for (const wrong of ctx.input.meter?.clock ?? []) {
    const { deviation } = wrong;
    if (deviation !== undefined && Math.abs(deviation) <= rule.seconds * 1000) continue;
    const [a, b] = touched(ctx, wrong, ctx.from, ctx.to);
    if (a >= b || n++ >= MAX_FINDINGS) continue;
    const by =
      deviation === undefined
        ? 'by the meter’s own status'
        : `by ${duration(Math.abs(deviation))} ${deviation < 0 ? 'behind' : 'ahead'}, allowed are ${rule.seconds} s`;
    hit(ctx, rule, a, b, `the clock of the meter was wrong from ${span(ctx, a, b)}, ${by}`, {
      intervals: b - a,
      ...(deviation !== undefined && { seconds: deviation / 1000 }),
    });
  }
}

/** Communication errors, status words and entries of logs that the rule names. */
export function checkEvents(ctx: Context, rule: Rule<'event'>): void {
  let n = 0;
  for (const event of ctx.input.meter?.events ?? []) {
    if (!rule.events.includes(event.event)) continue;
    const [a, b] = touched(ctx, event, ctx.from, ctx.to);
    if (a >= b || n++ >= MAX_FINDINGS) continue;
    const length = event.to > event.from ? ` for ${duration(event.to - event.from)}` : '';
    hit(ctx, rule, a, b, `the meter tells of ${event.event} at ${clock(ctx.input.zone, event.from)}${length}`, {
      intervals: b - a,
    });
  }
}
