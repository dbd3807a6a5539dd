/**
 * Rule sets made ready: which one holds for a meter, and its rules with their formulas parsed.
 *
 * Decides: of several rule sets that fit, the most particular one holds (group before customer type before meter type before
 * quantity), so that no meter is found twice; among equals the first by name.
 */
import { MisuseError } from '@amiable/bytes';
import type { RuleSet } from '@amiable/model';
import { parseExpression } from '../expression/parse.ts';
import type { Expression, Names } from '../expression/types.ts';
import type { CompiledRule } from './types.ts';

/** What formulas of check functions may name unless the caller knows better: every quantity of electricity, gas, water and heat. */
export const CHECK_NAMES: Names = {
  value: '',
  energyImport: 'Wh',
  energyExport: 'Wh',
  reactiveImport: 'varh',
  reactiveExport: 'varh',
  apparentImport: 'VAh',
  gasVolume: 'm3',
  waterVolume: 'm3',
  hotWaterVolume: 'm3',
  heatEnergy: 'Wh',
  coolingEnergy: 'Wh',
};

/**
 * @param unit unit of the series that the rules are for: what `value` of a formula is; left out: Wh
 * @throws MisuseError naming the rule, with the place in its formula
 */
export function compileRules(set: RuleSet, unit = 'Wh', names: Names = CHECK_NAMES): CompiledRule[] {
  const known = { ...names, value: unit };
  const parse = (rule: { readonly name: string; readonly formula: string }): Expression => {
    try {
      const expression = parseExpression(rule.formula, known);
      if (expression.dimension !== undefined)
        throw new MisuseError(
          'it must say whether something is true, such as "value > 3 * mean(value)"; this is an amount',
        );
      return expression;
    } catch (e) {
      if (e instanceof MisuseError) throw new MisuseError(`formula of rule "${rule.name}": ${e.message}`);
      throw e;
    }
  };
  const out: CompiledRule[] = [];
  for (const rule of set.profile)
    if (rule.enabled) out.push({ kind: 'profile', rule, ...(rule.check === 'user' && { expression: parse(rule) }) });
  for (const rule of set.periodic)
    if (rule.enabled) out.push({ kind: 'periodic', rule, ...(rule.check === 'user' && { expression: parse(rule) }) });
  return out;
}

/** Whom a rule set is chosen for. */
export interface RuleSubject {
  readonly groups: readonly string[];
  readonly customerType?: string;
  readonly meterType?: string;
  readonly quantity: string;
}

/** The rule set that holds for a meter's series; undefined when none fits. */
export function chooseRuleSet<T extends Pick<RuleSet, 'name' | 'for'>>(
  sets: readonly T[],
  subject: RuleSubject,
): T | undefined {
  let found: T | undefined;
  let weight = -1;
  for (const set of sets) {
    const { groups, customerTypes, meterTypes, quantities } = set.for;
    if (groups.length && !groups.some((group) => subject.groups.includes(group))) continue;
    if (customerTypes.length && !customerTypes.includes(subject.customerType ?? '')) continue;
    if (meterTypes.length && !meterTypes.includes(subject.meterType ?? '')) continue;
    if (quantities.length && !quantities.includes(subject.quantity)) continue;
    const w =
      (groups.length ? 8 : 0) +
      (customerTypes.length ? 4 : 0) +
      (meterTypes.length ? 2 : 0) +
      (quantities.length ? 1 : 0);
    if (w < weight || (w === weight && found !== undefined && found.name <= set.name)) continue;
    found = set;
    weight = w;
  }
  return found;
}
