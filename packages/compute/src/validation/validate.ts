/**
 * Validation of interval values: every rule looks at the same series, none at what another found, and nothing is changed. So the
 * result does not depend on the order of the rules, and validating again finds the same.
 */
import { MisuseError } from '@amiable/bytes';
import { type Context, contextOf } from './context.ts';
import { checkGiven, checkMissing, checkNegative, checkPresent, checkUsual, checkZero } from './matrix.ts';
import type { CompiledRule, Finding, ValidationInput } from './types.ts';

/**
 * All hits of the profile rules, in order of time.
 * @throws MisuseError for indices or arrays that do not fit, or an amount of a rule in a unit that the series has not
 */
export function validateIntervals(input: ValidationInput, rules: readonly CompiledRule[]): Finding[] {
  const { intervals, from, to } = input;
  const n = intervals.values.length;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= n))
    throw new MisuseError(`intervals ${from} to ${to} are not among the ${n} that were given`);
  if (intervals.quality.length !== n || !(intervals.step > 0))
    throw new MisuseError('intervals need as many qualities as values, and a length above zero');
  if (from === to) return [];
  const ctx = contextOf(input);
  for (const rule of rules) if (rule.kind === 'profile') check(ctx, rule);
  return ctx.findings.length > 1 ? ctx.findings.sort(inOrder) : ctx.findings;
}

export const inOrder = (a: Finding, b: Finding): number =>
  a.from - b.from || a.to - b.to || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);

function check(ctx: Context, { rule }: CompiledRule & { kind: 'profile' }): void {
  switch (rule.check) {
    case 'missing':
      checkMissing(ctx, rule);
      break;
    case 'gap':
      checkMissing(ctx, rule, rule.intervals);
      break;
    case 'zero':
      checkZero(ctx, rule);
      break;
    case 'anything':
    case 'not-missing':
    case 'positive':
      checkPresent(ctx, rule);
      break;
    case 'negative':
      checkNegative(ctx, rule);
      break;
    case 'higher-than':
    case 'lower-than':
    case 'demand-limit':
      checkGiven(ctx, rule);
      break;
    case 'higher-than-average':
    case 'lower-than-average':
    case 'higher-than-median':
    case 'lower-than-median':
      checkUsual(ctx, rule);
      break;
  }
}
