/** Check functions of users: a formula is a hit where it is true (docs/expressions.md). What cannot be said is none. */

import type { ProfileRule } from '@amiable/model';
import type { Grid, SeriesInput } from '../expression/align.ts';
import { evaluate } from '../expression/evaluate.ts';
import { explainAt, sentenceAt } from '../expression/explain.ts';
import type { Expression } from '../expression/types.ts';
import { type Context, hit, MAX_FINDINGS, many } from './context.ts';
import { eachRun, span } from './matrix.ts';

export function checkUser(ctx: Context, rule: ProfileRule & { check: 'user' }, expression: Expression): void {
  const { input } = ctx;
  const { start, step, values: all } = input.intervals;
  const series = (name: string): SeriesInput | undefined => {
    if (name === 'value' || name === input.quantity) return { intervals: input.intervals, unit: input.unit };
    const sibling = input.siblings?.find((s) => s.name === name);
    return sibling && { intervals: sibling.intervals, unit: sibling.unit };
  };
  // A meter without the series that the formula reads is none that it speaks of.
  if (expression.names.some((name) => !series(name))) return;
  // Calculated from as far back as it looks, and to the end of local days and weeks where it asks for whole ones.
  const begin = Math.max(0, ctx.from - Math.ceil(expression.lookBack / step));
  const end = expression.wholePeriods.length ? all.length : ctx.to;
  const grid: Grid = {
    start: start + begin * step,
    step,
    n: end - begin,
    zone: input.zone,
    from: ctx.from - begin,
    to: ctx.to - begin,
  };
  const { values } = evaluate(expression, grid, series);
  let n = 0;
  eachRun(values, ctx.from - begin, ctx.to - begin, 'above', 0.5, (first, behind) => {
    const a = first + begin;
    const b = behind + begin;
    if (n++ >= MAX_FINDINGS) return;
    // Numbers are told of the first interval; telling them of each would calculate the formula anew each time.
    const explained = n <= MAX_EXPLAINED ? explainAt(expression, grid, series, first) : [];
    const numbers: Record<string, number> = { intervals: b - a };
    for (const part of explained)
      if (part.unit !== undefined && Number.isFinite(part.value)) numbers[part.text] = part.value;
    const told = sentenceAt(explained);
    hit(
      ctx,
      rule,
      a,
      b,
      `${rule.formula} holds for ${many(b - a)} from ${span(ctx, a, b)}${told && `; at the first: ${told}`}`,
      numbers,
    );
  });
}

const MAX_EXPLAINED = 20;
