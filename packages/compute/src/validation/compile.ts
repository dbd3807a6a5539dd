/**
 * Rule sets made ready: which one holds for a meter, and its rules with their formulas parsed.
 *
 * Decides: of several rule sets that fit, the most particular one holds (group before customer type before meter type before
 * quantity), so that no meter is found twice; among equals the first by name.
 */
import { MisuseError } from '@amiable/bytes';
import { type Amount, type PeriodicRule, type ProfileRule, quantityOf, type RuleSet, type Unit } from '@amiable/model';
import { ExpressionError } from '../expression/lex.ts';
import { parseExpression } from '../expression/parse.ts';
import { partsOf } from '../expression/tree.ts';
import type { Expression, Names, Node } from '../expression/types.ts';
import { mantissaOf } from './amount.ts';
import { PERIODIC_NAMES } from './registers.ts';
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

type AnyRule = ProfileRule | PeriodicRule;

/** Amounts that a rule compares values with. */
function amountsOf(rule: AnyRule): Amount[] {
  const fields = rule as { limit?: Amount; tolerance?: Amount; atLeast?: Amount; above?: Amount; value?: Amount };
  return [fields.limit, fields.tolerance, fields.atLeast, fields.above, fields.value].filter((a) => a !== undefined);
}

/** @throws MisuseError for a formula or an amount that does not fit a series in `unit` */
function compileRule(kind: CompiledRule['kind'], rule: AnyRule, unit: Unit, names: Names): CompiledRule {
  for (const amount of amountsOf(rule)) mantissaOf(amount, unit, 0, 1, rule.name);
  const expression = rule.check === 'user' ? formulaOf(rule, kind, unit, names) : undefined;
  return { kind, rule, ...(expression && { expression }) } as CompiledRule;
}

function formulaOf(
  rule: { readonly name: string; readonly formula: string },
  kind: CompiledRule['kind'],
  unit: Unit,
  names: Names,
): Expression {
  const known =
    kind === 'profile' ? { ...names, value: unit } : Object.fromEntries(PERIODIC_NAMES.map((name) => [name, unit]));
  try {
    const expression = parseExpression(rule.formula, known);
    if (kind === 'periodic') timeless(expression.root);
    if (expression.dimension !== undefined)
      throw new MisuseError(
        'it must say whether something is true, such as "value > 3 * mean(value)"; this is an amount',
      );
    return expression;
  } catch (e) {
    if (e instanceof MisuseError) throw new MisuseError(`formula of rule "${rule.name}": ${e.message}`);
    throw e;
  }
}

/** Showings come when they come: a formula over them has no windows in time. */
function timeless(node: Node): void {
  if (
    node.kind === 'clock' ||
    (node.kind === 'window' && node.window.kind !== 'all') ||
    (node.kind === 'previous' && node.by !== 'interval') ||
    node.kind === 'power' ||
    node.kind === 'energy'
  )
    throw new ExpressionError(
      'values of registers have no intervals: use previous(…) without a length, previous_month, previous_year, and windows over all values',
      node.at,
    );
  for (const part of partsOf(node)) timeless(part);
}

/**
 * The rules of a set that are for a series in `unit`, ready to be used. A rule whose formula or amounts are of another kind (kWh beside
 * m3) is for other series of the set and is left out; `checkRuleSet` says so when a set is saved.
 *
 * @param unit unit of the series: what `value` of a formula is
 * @param names what formulas may name beside it
 */
export function compileRules(set: RuleSet, unit: string = 'Wh', names: Names = CHECK_NAMES): CompiledRule[] {
  const out: CompiledRule[] = [];
  const take = (kind: CompiledRule['kind'], rule: AnyRule) => {
    if (!rule.enabled) return;
    try {
      out.push(compileRule(kind, rule, unit as Unit, names));
    } catch (e) {
      if (!(e instanceof MisuseError)) throw e;
    }
  };
  for (const rule of set.profile) take('profile', rule);
  for (const rule of set.periodic) take('periodic', rule);
  return out;
}

/**
 * What must hold of a set before it is saved, beyond its schema: every formula and every amount fits the quantities that the set is for,
 * or, of a set for any quantity, at least one unit that there is.
 * @throws MisuseError naming the rule, with the place in its formula
 */
export function checkRuleSet(set: RuleSet, names: Names = CHECK_NAMES): void {
  const units = new Set<Unit>();
  for (const name of set.for.quantities) units.add(quantityOf(name)?.unit ?? 'Wh');
  const any: readonly Unit[] = ['Wh', 'm3', 'varh', 'VAh'];
  for (const [kind, rules] of [
    ['profile', set.profile],
    ['periodic', set.periodic],
  ] as const)
    for (const rule of rules) {
      if (units.size) for (const unit of units) compileRule(kind, rule, unit, names);
      else if (!any.some((unit) => fits(kind, rule, unit, names))) compileRule(kind, rule, 'Wh', names);
    }
}

function fits(kind: CompiledRule['kind'], rule: AnyRule, unit: Unit, names: Names): boolean {
  try {
    compileRule(kind, rule, unit, names);
    return true;
  } catch (e) {
    if (e instanceof MisuseError) return false;
    throw e;
  }
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
