/**
 * Structure of what the meter sent: stamps, lengths, units, ratios, siblings.
 *
 * Decides: equal stamps with equal values are one value sent twice and no error; with different values nobody knows which holds. A stamp
 * between two boundaries of the grid, or a capture period that is not the grid's, is a wrong length.
 */
import type { ProfileRule } from '@amiable/model';
import { clock, duration, number } from '../words.ts';
import { type Context, hit, MAX_FINDINGS, many } from './context.ts';
import { span } from './matrix.ts';

type Rule<C extends ProfileRule['check']> = ProfileRule & { check: C };

const indexOf = (ctx: Context, time: number): number =>
  Math.floor((time - ctx.input.intervals.start) / ctx.input.intervals.step);

/** Nearly all meters send each stamp once and in order, and nothing is to be remembered then. */
function isRising(times: Float64Array): boolean {
  for (let i = 1; i < times.length; i++) if (!((times[i] as number) > (times[i - 1] as number))) return false;
  return true;
}

export function checkDuplicates(ctx: Context, rule: Rule<'duplicate'>): void {
  const { source, zone } = ctx.input;
  if (!source || isRising(source.times)) return;
  const first = new Map<number, number>();
  let n = 0;
  for (let r = 0; r < source.times.length; r++) {
    const time = source.times[r] as number;
    const before = first.get(time);
    if (before === undefined) {
      first.set(time, r);
      continue;
    }
    const a = source.values?.[before] as number;
    const b = source.values?.[r] as number;
    if (source.values && (a === b || (Number.isNaN(a) && Number.isNaN(b)))) continue;
    const at = indexOf(ctx, time);
    if (at < ctx.from || at >= ctx.to || n++ >= MAX_FINDINGS) continue;
    const told = source.values ? `: ${number(a)} and ${number(b)}` : '';
    hit(ctx, rule, at, at + 1, `the meter sent two values for ${clock(zone, time)}${told}`, {
      ...(source.values && { first: a, second: b }),
    });
  }
}

export function checkLength(ctx: Context, rule: Rule<'interval-length'>): void {
  const { source, intervals, zone } = ctx.input;
  if (!source) return;
  if (source.step !== undefined && source.step !== intervals.step) {
    hit(
      ctx,
      rule,
      ctx.from,
      ctx.to,
      `the meter captures every ${duration(source.step)}, the metering has intervals of ${duration(intervals.step)}`,
      { captured: source.step / 1000, expected: intervals.step / 1000 },
    );
    return;
  }
  let n = 0;
  for (let r = 0; r < source.times.length; r++) {
    const time = source.times[r] as number;
    const place = (time - intervals.start) / intervals.step;
    const at = Math.floor(place);
    if (place === at) continue;
    const beside = time - intervals.start - at * intervals.step;
    if (at < ctx.from || at >= ctx.to || n++ >= MAX_FINDINGS) continue;
    hit(
      ctx,
      rule,
      at,
      at + 1,
      `an entry stamped ${clock(zone, time)} stands ${duration(beside)} behind a boundary of intervals: its length is not ${duration(intervals.step)}`,
      { seconds: beside / 1000 },
    );
  }
}

export function checkUnit(ctx: Context, rule: Rule<'unit'>): void {
  const { source, unit } = ctx.input;
  if (source?.unit === undefined || source.unit === unit) return;
  hit(ctx, rule, ctx.from, ctx.to, `the meter sent ${source.unit}, the metering is in ${unit}`, {});
}

export function checkMultiplier(ctx: Context, rule: Rule<'multiplier'>): void {
  const { source, multiplier = 1 } = ctx.input;
  if (source?.multiplier === undefined || source.multiplier === multiplier) return;
  hit(
    ctx,
    rule,
    ctx.from,
    ctx.to,
    `the source says a ratio of ${number(source.multiplier)}, the registry ${number(multiplier)} for this time`,
    { source: source.multiplier, registry: multiplier },
  );
}

/** Intervals of another channel of the meter lack where this one has values. */
export function checkSiblingMissing(ctx: Context, rule: Rule<'sibling-missing'>): void {
  for (const name of rule.siblings.length ? rule.siblings : (ctx.input.siblings ?? []).map((s) => s.name)) {
    const sibling = ctx.input.siblings?.find((s) => s.name === name);
    if (!sibling) {
      if (rule.siblings.length)
        hit(ctx, rule, ctx.from, ctx.to, `the meter has no ${name}, which should stand beside`, {
          intervals: ctx.to - ctx.from,
        });
      continue;
    }
    const other = sibling.intervals.values;
    let since = -1;
    let n = 0;
    for (let i = ctx.from; i <= ctx.to; i++) {
      const is = i < ctx.to && Number.isNaN(other[i] ?? Number.NaN) && !Number.isNaN(ctx.values[i] as number);
      if (is && since < 0) since = i;
      if (is || since < 0) continue;
      if (n++ < MAX_FINDINGS)
        hit(
          ctx,
          rule,
          since,
          i,
          `${name} lacks ${many(i - since)} from ${span(ctx, since, i)} while this one is there`,
          {
            intervals: i - since,
          },
        );
      since = -1;
    }
  }
}
