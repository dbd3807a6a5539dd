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
  const { intervals } = input;
  const series = (name: string): SeriesInput | undefined => {
    if (name === 'value' || name === input.quantity) return { intervals, unit: input.unit };
    const sibling = input.siblings?.find((s) => s.name === name);
    return sibling && { intervals: sibling.intervals, unit: sibling.unit };
  };
  // A meter without the series that the formula reads is none that it speaks of.
  if (expression.names.some((name) => !series(name))) return;
  const grid: Grid = {
    start: intervals.start,
    step: intervals.step,
    n: intervals.values.length,
    zone: input.zone,
    from: ctx.from,
    to: ctx.to,
  };
  const { values } = evaluate(expression, grid, series);
  let n = 0;
  eachRun(values, ctx.from, ctx.to, 'above', 0.5, (a, b) => {
    if (n++ >= MAX_FINDINGS) return;
    // Numbers are told of the first interval; telling them of each would calculate the formula anew each time.
    const explained = n <= MAX_EXPLAINED ? explainAt(expression, grid, series, a) : [];
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
