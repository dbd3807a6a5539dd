/**
 * Validation of interval values: every rule looks at the same series, none at what another found, and nothing is changed. So the
 * result does not depend on the order of the rules, and validating again finds the same.
 */
import { MisuseError } from '@amiable/bytes';
import type { Expression } from '../expression/types.ts';
import { type Context, contextOf } from './context.ts';
import { checkClock, checkEvents, checkOutages, checkSibling, checkUse } from './events.ts';
import { checkGiven, checkMissing, checkNegative, checkPresent, checkUsual, checkZero } from './matrix.ts';
import { checkNeverZero, checkProlonged, checkRun, checkZeroWithoutOutage } from './runs.ts';
import { checkHighLow, checkPeak, checkSpike, checkStep } from './shape.ts';
import { checkDuplicates, checkLength, checkMultiplier, checkSiblingMissing, checkUnit } from './structure.ts';
import { checkRates, checkSum } from './sums.ts';
import type { CompiledRule, Finding, ValidationInput } from './types.ts';
import { checkUser } from './user.ts';

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

function check(ctx: Context, { rule, expression }: CompiledRule & { kind: 'profile' }): void {
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
    case 'user':
      checkUser(ctx, rule, expression as Expression);
      break;
    case 'duplicate':
      checkDuplicates(ctx, rule);
      break;
    case 'interval-length':
      checkLength(ctx, rule);
      break;
    case 'unit':
      checkUnit(ctx, rule);
      break;
    case 'multiplier':
      checkMultiplier(ctx, rule);
      break;
    case 'sibling-missing':
      checkSiblingMissing(ctx, rule);
      break;
    case 'sum':
      checkSum(ctx, rule);
      break;
    case 'rates-sum':
      checkRates(ctx, rule);
      break;
    case 'spike':
      checkSpike(ctx, rule);
      break;
    case 'high-low':
      checkHighLow(ctx, rule);
      break;
    case 'step':
      checkStep(ctx, rule);
      break;
    case 'demand-peak':
      checkPeak(ctx, rule);
      break;
    case 'run-zero':
    case 'run-negative':
    case 'run-identical':
    case 'run-missing':
      checkRun(ctx, rule);
      break;
    case 'run-outage':
      checkOutages(ctx, rule);
      break;
    case 'never-zero':
      checkNeverZero(ctx, rule);
      break;
    case 'zero-without-outage':
      checkZeroWithoutOutage(ctx, rule);
      break;
    case 'use-while-disconnected':
    case 'use-while-not-installed':
      checkUse(ctx, rule);
      break;
    case 'reactive-without-active':
    case 'active-without-reactive':
      checkSibling(ctx, rule);
      break;
    case 'clock':
      checkClock(ctx, rule);
      break;
    case 'event':
      checkEvents(ctx, rule);
      break;
    case 'prolonged-estimation':
      checkProlonged(ctx, rule);
  }
}
