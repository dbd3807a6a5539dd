/**
 * An interface class as a table (IEC 62056-6-2 clause 4.2, "Class description notation"; clause 4.1.3 for short names).
 *
 * Decides: the shape of a table. Attribute 1 is `logical_name` in every class, so no table says it. In short-name
 * referencing attribute n is at base_name + 8 × (n - 1), and methods follow at offsets that each class states.
 */
import type { ValueType } from './type.ts';
import { logicalName } from './type.ts';

export interface AttributeDefinition {
  readonly index: number;
  readonly name: string;
  readonly type: ValueType;
  /** The value is a parameter: no process of the meter changes it. */
  readonly static: boolean;
  readonly shortNameOffset: number;
}

export interface MethodDefinition {
  readonly index: number;
  readonly name: string;
  readonly type: ValueType;
  /** What the method gives back, where it gives something. */
  readonly returns?: ValueType;
  readonly shortNameOffset: number;
}

export interface SelectorDefinition {
  readonly selector: number;
  readonly name: string;
  readonly type: ValueType;
}

export interface InterfaceClass<
  A extends Readonly<Record<string, ValueType>> = Readonly<Record<string, ValueType>>,
  M extends Readonly<Record<string, ValueType>> = Readonly<Record<string, ValueType>>,
> {
  readonly id: number;
  readonly version: number;
  /** As printed in the standard, e.g. `Profile generic`. */
  readonly name: string;
  /** In order, index 1 first. */
  readonly attributes: readonly AttributeDefinition[];
  /** In order; a few classes leave numbers out. */
  readonly methods: readonly MethodDefinition[];
  /** Selective access, by attribute index. */
  readonly selectors: Readonly<Record<number, readonly SelectorDefinition[]>>;
  /** The same types by name, for typed access: `ValueOf<typeof REGISTER.types.scaler_unit>`. */
  readonly types: A & { readonly logical_name: typeof logicalName };
  readonly parameters: M;
}

export interface ClassSource<
  A extends Readonly<Record<string, ValueType>>,
  M extends Readonly<Record<string, ValueType>>,
> {
  readonly id: number;
  readonly version: number;
  readonly name: string;
  /** From attribute 2 on, in order. */
  readonly attributes: A;
  /** Attributes that the meter itself changes; all others are static. */
  readonly dynamic?: readonly (keyof A & string)[];
  /** From method 1 on, in order: the type of the parameter. */
  readonly methods?: M;
  readonly returns?: Readonly<Partial<Record<keyof M & string, ValueType>>>;
  /** Where the standard reserves numbers: the index by name; the next one counts on. */
  readonly methodIndexes?: Readonly<Partial<Record<keyof M & string, number>>>;
  /** Offset of method 1; the next follow every 8. Directly after the attributes when not said. */
  readonly methodsAt?: number;
  readonly selectors?: Readonly<Partial<Record<keyof A & string, readonly SelectorDefinition[]>>>;
}

export function defineClass<
  const A extends Readonly<Record<string, ValueType>>,
  const M extends Readonly<Record<string, ValueType>> = Readonly<Record<never, ValueType>>,
>(source: ClassSource<A, M>): InterfaceClass<A, M> {
  const types = { logical_name: logicalName, ...source.attributes };
  const dynamic = new Set<string>(source.dynamic);
  const attributes = Object.entries<ValueType>(types).map(([name, type], i): AttributeDefinition => {
    return { index: i + 1, name, type, static: !dynamic.has(name), shortNameOffset: 8 * i };
  });
  const parameters = source.methods ?? ({} as M);
  const first = source.methodsAt ?? 8 * attributes.length;
  const indexes: Readonly<Record<string, number | undefined>> = source.methodIndexes ?? {};
  const returned: Readonly<Record<string, ValueType | undefined>> = source.returns ?? {};
  let index = 0;
  const methods = Object.entries<ValueType>(parameters).map(([name, type]): MethodDefinition => {
    const returns = returned[name];
    index = indexes[name] ?? index + 1;
    return { index, name, type, ...(returns && { returns }), shortNameOffset: first + 8 * (index - 1) };
  });
  const selectors: Record<number, readonly SelectorDefinition[]> = {};
  for (const [name, list] of Object.entries<readonly SelectorDefinition[] | undefined>(source.selectors ?? {})) {
    const attribute = attributes.find((a) => a.name === name);
    if (attribute && list) selectors[attribute.index] = list;
  }
  const { id, version, name } = source;
  return { id, version, name, attributes, methods, selectors, types, parameters };
}
