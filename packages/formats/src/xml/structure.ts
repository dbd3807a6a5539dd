/**
 * Whether a document has the structure that a schema says: a table of types in place of an XSD, checked while the document is read.
 *
 * Decides: order, number and names of elements, required attributes, and the lexical form of texts (XML Schema part 2: dateTime, integer,
 * decimal, boolean, lists of words). Leaves out: keys, patterns and all else that the schemas here have no use for.
 */
import type { XmlPlace } from './events.ts';

export type TextKind = 'string' | 'dateTime' | 'decimal' | 'integer' | 'boolean' | readonly string[];

export interface ElementType {
  /** Elements in their order: name, type, least and most (−1: any number). */
  readonly sequence?: readonly (readonly [name: string, type: string, least: number, most: number])[];
  /** Elements in any order. */
  readonly any?: readonly (readonly [name: string, type: string])[];
  /** What its text is; left out: no text but white space. */
  readonly text?: TextKind;
  readonly attributes?: readonly { readonly name: string; readonly required?: boolean }[];
  /** What stands in it is not looked at. */
  readonly open?: boolean;
  /** Elements of this type are of another namespace. */
  readonly uri?: string;
}

export interface Structure {
  readonly uri: string;
  readonly root: readonly [name: string, type: string];
  readonly types: Readonly<Record<string, ElementType>>;
}

const FORMS: Readonly<Record<string, readonly [RegExp, string]>> = {
  dateTime: [/^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/, 'a time such as 2026-11-20T14:30:00Z'],
  decimal: [/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/, 'a number'],
  integer: [/^[+-]?\d{1,18}$/, 'a whole number'],
  boolean: [/^(true|false|0|1)$/, 'true or false'],
};

interface Frame {
  readonly name: string;
  /** Undefined below an element that is not known: looked at no further. */
  readonly type: ElementType | undefined;
  /** Place in the sequence, and how often its element has been met. */
  at: number;
  count: number;
}

export function createStructureCheck(structure: Structure, fault: (at: XmlPlace, message: string) => void) {
  const frames: Frame[] = [];
  const none: ElementType = {};

  function typeOf(parent: Frame, name: string, at: XmlPlace): ElementType | undefined {
    const { type } = parent;
    if (!type || type.open) return undefined;
    const free = type.any?.find(([one]) => one === name);
    if (free) return structure.types[free[1]] ?? none;
    const { sequence = [] } = type;
    for (let i = parent.at; i < sequence.length; i++) {
      const [wanted, of, least, most] = sequence[i] as readonly [string, string, number, number];
      const met = i === parent.at ? parent.count : 0;
      if (wanted === name) {
        if (most >= 0 && met >= most) {
          fault(at, `<${name}> stands here more than ${most === 1 ? 'once' : `${most} times`} in <${parent.name}>`);
          return structure.types[of] ?? none;
        }
        parent.at = i;
        parent.count = met + 1;
        return structure.types[of] ?? none;
      }
      if (met < least) {
        fault(at, `<${wanted}> is wanted in <${parent.name}> before <${name}>`);
        return undefined;
      }
    }
    const known = sequence.some(([one]) => one === name);
    const allowed = [...sequence.map(([one]) => one), ...(type.any ?? []).map(([one]) => one)];
    fault(
      at,
      known
        ? `<${name}> stands in <${parent.name}> behind what must follow it`
        : `<${name.slice(0, 60)}> is not known in <${parent.name}>${allowed.length === 0 ? '' : `; there may be ${allowed.slice(0, 12).join(', ')}`}`,
    );
    return undefined;
  }

  return {
    open(name: string, uri: string, attributes: ReadonlyMap<string, string>, at: XmlPlace): void {
      let type: ElementType | undefined;
      const parent = frames.at(-1);
      if (parent) type = typeOf(parent, name, at);
      else if (name === structure.root[0]) type = structure.types[structure.root[1]];
      else fault(at, `<${structure.root[0]}> is wanted, not <${name.slice(0, 60)}>`);
      if (type) {
        const wanted = type.uri ?? structure.uri;
        if (uri !== wanted && !type.open)
          fault(at, `<${name}> is of the namespace ${JSON.stringify(uri.slice(0, 80))}, and ${wanted} is wanted`);
        for (const one of type.attributes ?? [])
          if (one.required && !attributes.has(one.name)) fault(at, `<${name}> lacks the attribute ${one.name}`);
        for (const one of attributes.keys())
          if (!type.open && !type.attributes?.some((a) => a.name === one))
            fault(at, `<${name}> has no attribute ${one.slice(0, 60)}`);
      }
      frames.push({ name, type, at: 0, count: 0 });
    },
    close(text: string, at: XmlPlace): void {
      const frame = frames.pop();
      if (!frame?.type || frame.type.open) return;
      const { sequence = [], text: kind } = frame.type;
      for (let i = frame.at; i < sequence.length; i++) {
        const [wanted, , least] = sequence[i] as readonly [string, string, number, number];
        if ((i === frame.at ? frame.count : 0) < least) fault(at, `<${wanted}> is missing in <${frame.name}>`);
      }
      const plain = text.trim();
      if (kind === undefined) {
        if (plain !== '')
          fault(at, `the text ${JSON.stringify(plain.slice(0, 40))} stands in <${frame.name}>, which has none`);
      } else if (typeof kind !== 'string') {
        if (!kind.includes(plain))
          fault(at, `<${frame.name}>: one of ${kind.join(', ')} is wanted, not ${JSON.stringify(plain.slice(0, 40))}`);
      } else {
        const form = FORMS[kind];
        if (form && !form[0].test(plain))
          fault(at, `<${frame.name}>: ${form[1]} is wanted, not ${JSON.stringify(plain.slice(0, 40))}`);
      }
    },
  };
}
