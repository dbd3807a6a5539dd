/**
 * What depends on what: the order in which formulas are calculated, and cycles by name.
 *
 * Decides: a formula depends on another when it reads the profile that the other makes, of a meter that it may be made for. Where that
 * cannot be told without asking who is in a group, it depends.
 */
import { MisuseError } from '@amiable/bytes';
import type { Formula, FormulaInput } from '@amiable/model';

export interface NamedFormula {
  readonly name: string;
  readonly formula: Formula;
  /** Meter that the result is kept with; undefined for `each`. */
  readonly meter: string | undefined;
}

/** Whether an input may read what a formula makes. */
function reads(input: FormulaInput, own: NamedFormula, made: NamedFormula): boolean {
  if (input.kind === 'price' || input.kind === 'factor' || input.quantity !== made.formula.result.name) return false;
  if (input.kind === 'meter') return made.meter === undefined || made.meter === input.meter;
  // A virtual meter stands nowhere in the network, so it is under no node; a list says who is in it.
  const of = input.kind === 'self' ? own.formula.result.each : input.of;
  if (!of || made.meter === undefined || of.group !== undefined) return true;
  return of.meters?.includes(made.meter) ?? false;
}

/** Names of the formulas that one depends on. */
export function dependsOn(one: NamedFormula, all: readonly NamedFormula[]): string[] {
  const inputs = Object.values(one.formula.inputs);
  return all.filter((other) => inputs.some((input) => reads(input, one, other))).map((other) => other.name);
}

/** Those that come first, first. @throws MisuseError that names the cycle */
export function inOrder(all: readonly NamedFormula[]): NamedFormula[] {
  const byName = new Map(all.map((f) => [f.name, f]));
  const done = new Set<string>();
  const out: NamedFormula[] = [];
  const way: string[] = [];
  const visit = (one: NamedFormula): void => {
    if (done.has(one.name)) return;
    const at = way.indexOf(one.name);
    if (at >= 0) {
      const cycle = [...way.slice(at), one.name];
      throw new MisuseError(
        cycle.length === 2
          ? `formula ${one.name} reads its own result`
          : `formulas depend on each other in a circle: ${cycle.join(' → ')} (→: reads the result of)`,
      );
    }
    way.push(one.name);
    for (const name of dependsOn(one, all)) visit(byName.get(name) as NamedFormula);
    way.pop();
    done.add(one.name);
    out.push(one);
  };
  for (const one of [...all].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(one);
  return out;
}

/** All that must be calculated anew when the result of one changes, in order. */
export function dependents(name: string, all: readonly NamedFormula[]): string[] {
  const reached = new Set([name]);
  const ordered = inOrder(all);
  for (const one of ordered) if (dependsOn(one, all).some((other) => reached.has(other))) reached.add(one.name);
  return ordered.map((f) => f.name).filter((n) => n !== name && reached.has(n));
}
