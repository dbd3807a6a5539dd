/**
 * Runs: the same for too long.
 *
 * Decides: a run that began in the context before what is validated counts with its whole length, and is told of where it reaches into
 * what is validated. Identical values above zero only: zero has a rule of its own. Missing values break runs of zero and of
 * identical values.
 */
import type { ProfileRule } from '@amiable/model';
import { QUALITY } from '../series.ts';
import { duration } from '../words.ts';
import { mantissaOf } from './amount.ts';
import { anyDay, type Context, hit, MAX_FINDINGS, many, real, say, when } from './context.ts';
import { covered } from './events.ts';
import { extent } from './matrix.ts';

type Rule<C extends ProfileRule['check']> = ProfileRule & { check: C };
const HOUR = 3_600_000;

/** What a run is made of. */
type Of = 'zero' | 'negative' | 'identical' | 'missing' | 'above' | 'estimated';

function belongs(ctx: Context, i: number, of: Of, limit: number): boolean {
  const v = ctx.values[i] as number;
  switch (of) {
    case 'zero':
      return v === 0;
    case 'negative':
      return v < 0;
    case 'identical':
      return v !== 0 && v === limit;
    case 'missing':
      return Number.isNaN(v);
    case 'above':
      return v > limit;
    case 'estimated':
      return (ctx.input.intervals.quality[i] as number) >= QUALITY.estimated;
  }
}

/**
 * Calls `found` with runs of at least `least` intervals that reach into what is validated: where they begin, and their end.
 * A run of that length holds one of every `least` places, so only those are looked at, and what lies around one that belongs.
 */
export function longRuns(
  ctx: Context,
  of: Of,
  limit: number,
  least: number,
  found: (a: number, b: number) => void,
): void {
  const { values, from, to } = ctx;
  let n = 0;
  let done = from;
  for (let p = from; p < to; p += least) {
    if (p < done) continue;
    const same = of === 'identical' ? (values[p] as number) : limit;
    if (!belongs(ctx, p, of, same)) continue;
    let a = p;
    while (a > 0 && belongs(ctx, a - 1, of, same)) a--;
    let b = p + 1;
    while (b < to && belongs(ctx, b, of, same)) b++;
    done = b;
    if (b - a >= least && n++ < MAX_FINDINGS) found(a, b);
  }
}

const intervalsIn = (ctx: Context, ms: number): number => Math.max(1, Math.ceil(ms / ctx.input.intervals.step));
const clipped = (ctx: Context, a: number): number => Math.max(a, ctx.from);
const lasting = (ctx: Context, a: number, b: number): string =>
  `${duration((b - a) * ctx.input.intervals.step)} (${many(b - a)}) from ${when(ctx, a)} to ${when(ctx, b)}`;

export function checkRun(
  ctx: Context,
  rule: Rule<'run-zero' | 'run-negative' | 'run-missing' | 'run-identical'>,
): void {
  const of = rule.check.slice(4) as 'zero' | 'negative' | 'missing' | 'identical';
  if (of === 'zero' && !anyDay(ctx, (s, d) => (s.zeros[d] as number) > 0)) return;
  if (of === 'negative' && !anyDay(ctx, (s, d) => (s.negative[d] as number) > 0)) return;
  if (of === 'missing' && !anyDay(ctx, (s, d) => (s.missing[d] as number) > 0)) return;
  const least = Math.max(intervalsIn(ctx, rule.hours * HOUR), of === 'identical' ? 2 : 1);
  longRuns(ctx, of, 0, least, (a, b) => {
    const what =
      of === 'identical'
        ? `the same value, ${say(ctx, ctx.values[a] as number)},`
        : of === 'negative'
          ? 'below zero'
          : of;
    hit(
      ctx,
      rule,
      clipped(ctx, a),
      b,
      `${what} for ${lasting(ctx, a, b)}; allowed are ${duration(rule.hours * HOUR)}`,
      {
        intervals: b - a,
        hours: ((b - a) * ctx.input.intervals.step) / HOUR,
        ...(of === 'identical' && { value: real(ctx, ctx.values[a] as number) }),
      },
    );
  });
}

/** Use that never rests: water that leaks, a relay that sticks. */
export function checkNeverZero(ctx: Context, rule: Rule<'never-zero'>): void {
  const { intervals, unit } = ctx.input;
  const above = mantissaOf(rule.above, unit, intervals.scaler, intervals.step, rule.name);
  longRuns(ctx, 'above', above, intervalsIn(ctx, rule.days * 24 * HOUR), (a, b) => {
    const { low } = extent(ctx.values, a, b);
    hit(
      ctx,
      rule,
      clipped(ctx, a),
      b,
      `never at or below ${say(ctx, above)} for ${lasting(ctx, a, b)}; the lowest interval is ${say(ctx, low)}: a leak, or something that is never switched off`,
      { intervals: b - a, days: ((b - a) * intervals.step) / (24 * HOUR), lowest: real(ctx, low) },
    );
  });
}

export function checkProlonged(ctx: Context, rule: Rule<'prolonged-estimation'>): void {
  longRuns(ctx, 'estimated', 0, intervalsIn(ctx, rule.days * 24 * HOUR), (a, b) => {
    hit(
      ctx,
      rule,
      clipped(ctx, a),
      b,
      `estimated or missing for ${lasting(ctx, a, b)}; after ${duration(rule.days * 24 * HOUR)} somebody should look at the meter`,
      { intervals: b - a, days: ((b - a) * ctx.input.intervals.step) / (24 * HOUR) },
    );
  });
}

/** Zero for a while although the meter told of no outage and was neither disconnected nor taken away. */
export function checkZeroWithoutOutage(ctx: Context, rule: Rule<'zero-without-outage'>): void {
  if (!anyDay(ctx, (s, d) => (s.zeros[d] as number) > 0)) return;
  const { meter } = ctx.input;
  longRuns(ctx, 'zero', 0, intervalsIn(ctx, rule.hours * HOUR), (a, b) => {
    if (covered(ctx, meter?.outages, a, b) > 0 || covered(ctx, meter?.disconnected, a, b) > 0) return;
    if (meter?.installed && covered(ctx, meter.installed, a, b) === 0) return;
    hit(
      ctx,
      rule,
      clipped(ctx, a),
      b,
      `zero for ${lasting(ctx, a, b)}, and the meter tells of no outage in this time`,
      {
        intervals: b - a,
        hours: ((b - a) * ctx.input.intervals.step) / HOUR,
      },
    );
  });
}
