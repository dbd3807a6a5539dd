/**
 * The schema combinator of APDUs: from one description of a layout come decoding, encoding, the explanation of every
 * byte and the text form, and the type of the value is inferred.
 *
 * Decides: A-XDR of SEQUENCE, OPTIONAL, CHOICE and SEQUENCE OF (IEC 61334-6); lists are bounded by the bytes that are
 * there. Leaves out: the primitives (node.ts), BER (ber.ts).
 */
import { DecodeError, MisuseError, type Reader } from '@amiable/bytes';
import { decodeLength, encodeLength } from '../data-types.ts';
import { element, type XmlElement } from '../xml.ts';
import { type Infer, kebab, type Node, pascal } from './node.ts';

export type Fields = Record<string, Node<unknown>>;
type OptionalKeys<F> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F];
export type Inferred<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: Exclude<Infer<F[K]>, undefined>;
};

export interface OptionalNode<T> extends Node<T | undefined> {
  readonly optional: true;
}

/** OPTIONAL: a byte 00, or 01 and the value. */
export function optional<T>(node: Node<T>): OptionalNode<T> {
  return {
    ...(node.label === undefined ? {} : { label: node.label }),
    ...(node.group === undefined ? {} : { group: node.group }),
    optional: true,
    decode(reader, budget) {
      const flag = reader.u8('presence flag');
      return flag === 0 ? undefined : node.decode(reader, budget);
    },
    encode(writer, value) {
      writer.u8(value === undefined ? 0 : 1);
      if (value !== undefined) node.encode(writer, value);
    },
    explain(out, path, budget) {
      const flag = out.reader.peek();
      const name = path.slice(path.lastIndexOf('/') + 1).replaceAll('-', ' ');
      out.take(`${path}/present`, 1, flag === 0 ? `no ${name}` : `${name} follows`);
      if (flag !== 0) node.explain(out, path, budget);
    },
    write(into, value, context) {
      if (value !== undefined) node.write(into, value, context);
    },
    read: (from, context) => node.read(from, context),
  };
}

/** Where the value with this node is absent in the object, nothing stands in the text either. */
interface Entry {
  readonly key: string;
  readonly node: Node<unknown>;
  readonly name: string;
  readonly path: string;
  readonly group: string | undefined;
}

function entriesOf(fields: Fields): Entry[] {
  return Object.entries(fields).map(([key, node]) => {
    const name = node.label ?? pascal(key);
    return { key, node, name, path: kebab(name), group: node.group };
  });
}

/** The element for fields that the text form puts together. */
function groupOf(into: XmlElement, group: string): XmlElement {
  const last = into.children.at(-1);
  if (last?.name === group) return last;
  const made = element(group);
  into.children.push(made);
  return made;
}

/** SEQUENCE: one after another. */
export function sequence<F extends Fields>(fields: F): Node<Inferred<F>> {
  const entries = entriesOf(fields);
  return {
    decode(reader, budget) {
      const out: Record<string, unknown> = {};
      for (const { key, node } of entries) {
        const value = node.decode(reader, budget);
        if (value !== undefined) out[key] = value;
      }
      return out as Inferred<F>;
    },
    encode(writer, value) {
      for (const { key, node } of entries) node.encode(writer, (value as Record<string, unknown>)[key]);
    },
    explain(out, path, budget) {
      for (const { node, path: name } of entries) node.explain(out, `${path}/${name}`, budget);
    },
    write(into, value, context) {
      for (const { key, node, name, group } of entries) {
        const field = (value as Record<string, unknown>)[key];
        if (field === undefined) continue;
        const parent = group === undefined ? into : groupOf(into, group);
        const child = element(name);
        node.write(child, field, context);
        parent.children.push(child);
      }
    },
    read(from, context) {
      const out: Record<string, unknown> = {};
      for (const { key, node, name, group } of entries) {
        const parent = group === undefined ? from : from.children.find((c) => c.name === group);
        const child = parent?.children.find((c) => c.name === name);
        if (child) out[key] = node.read(child, context);
        else if (!node.optional) throw new DecodeError('text', `<${from.name}> has no <${name}>`, 0);
      }
      return out as Inferred<F>;
    },
  };
}

/** SEQUENCE OF; each element of the text form is called `item`. */
export function list<T>(item: string, node: Node<T>): Node<readonly T[]> {
  return {
    decode(reader, budget) {
      const count = countOf(reader);
      const values: T[] = [];
      for (let i = 0; i < count; i++) {
        budget.spend(reader.pos);
        values.push(node.decode(reader, budget));
      }
      return values;
    },
    encode(writer, values) {
      encodeLength(writer, values.length);
      for (const value of values) node.encode(writer, value);
    },
    explain(out, path, budget) {
      const start = out.reader.pos;
      const count = countOf(out.reader);
      out.add(path, start, `list of ${count}`);
      for (let i = 0; i < count; i++) node.explain(out, `${path}/${i}`, budget);
    },
    write(into, values, context) {
      into.attributes.Qty = values.length.toString(16).toUpperCase().padStart(2, '0');
      for (const value of values) {
        const child = element(item);
        node.write(child, value, context);
        into.children.push(child);
      }
    },
    read: (from, context) => from.children.map((child) => node.read(child, context)),
  };
}

/** The count of a list; each of its elements takes a byte at least, so more than there is is a lie that costs nothing. */
function countOf(reader: Reader): number {
  const at = reader.pos;
  const count = decodeLength(reader);
  if (count > reader.remaining)
    throw new DecodeError('truncated', `${count} elements announced, ${reader.remaining} bytes left`, at);
  return count;
}

/** Nothing on the wire (NULL); the value is `true`. */
export const nothing: Node<true> = {
  decode: () => true,
  encode() {},
  explain() {},
  write() {},
  read: () => true,
};

type Alternatives = Readonly<Record<number, readonly [key: string, node: Node<unknown>]>>;
type OneOf<A extends Alternatives> = {
  [K in keyof A]: A[K] extends readonly [infer Key extends string, infer N] ? { readonly [P in Key]: Infer<N> } : never;
}[keyof A];

/** CHOICE: a tag byte, then what it chooses; the value is an object with the one key of the alternative. */
export function choice<const A extends Alternatives>(alternatives: A): Node<OneOf<A>> {
  const rows = Object.entries(alternatives).map(([tag, [key, node]]) => ({
    tag: Number(tag),
    key,
    node,
    name: node.label ?? pascal(key),
  }));
  return {
    decode(reader, budget) {
      const tag = reader.u8('choice');
      const row = rows.find((r) => r.tag === tag);
      if (!row) throw new DecodeError('choice', `there is no choice ${tag} here`, reader.pos - 1);
      return { [row.key]: row.node.decode(reader, budget) } as OneOf<A>;
    },
    encode(writer, value) {
      const row = rows.find((r) => r.key in (value as object));
      if (!row) throw new MisuseError(`one of ${rows.map((r) => r.key).join(', ')} was expected`);
      writer.u8(row.tag);
      row.node.encode(writer, (value as Record<string, unknown>)[row.key]);
    },
    explain(out, path, budget) {
      const start = out.reader.pos;
      const tag = out.reader.u8('choice');
      const row = rows.find((r) => r.tag === tag);
      if (!row) throw new DecodeError('choice', `there is no choice ${tag} here`, start);
      const name = kebab(row.name);
      out.add(`${path}/choice`, start, name.replaceAll('-', ' '));
      row.node.explain(out, `${path}/${name}`, budget);
    },
    write(into, value, context) {
      const row = rows.find((r) => r.key in (value as object));
      if (!row) throw new MisuseError(`one of ${rows.map((r) => r.key).join(', ')} was expected`);
      const child = element(row.name);
      row.node.write(child, (value as Record<string, unknown>)[row.key], context);
      into.children.push(child);
    },
    read(from, context) {
      const child = from.children[0];
      const row = child && rows.find((r) => r.name === child.name);
      if (!row) throw new DecodeError('text', `<${from.name}> needs one of ${rows.map((r) => r.name).join(', ')}`, 0);
      return { [row.key]: row.node.read(child, context) } as OneOf<A>;
    },
  };
}

type KindTable = Readonly<Record<number, readonly [kind: string, fields: Fields]>>;
type OneKind<A extends KindTable> = {
  [K in keyof A]: A[K] extends readonly [infer Kind, infer F] ? { readonly kind: Kind } & Inferred<F> : never;
}[keyof A];

/** CHOICE of SEQUENCEs: the value has a `kind` and the fields of that kind. */
export function kinds<const A extends KindTable>(table: A): Node<OneKind<A>> {
  const rows = Object.entries(table).map(([tag, [kind, fields]]) => ({
    tag: Number(tag),
    kind,
    node: sequence(fields),
    name: pascal(kind),
  }));
  const byKind = (value: unknown) => {
    const row = rows.find((r) => r.kind === (value as { kind: string }).kind);
    if (!row) throw new MisuseError(`one of ${rows.map((r) => r.kind).join(', ')} was expected`);
    return row;
  };
  const byTag = (reader: Reader) => {
    const tag = reader.u8('choice');
    const row = rows.find((r) => r.tag === tag);
    if (!row) throw new DecodeError('choice', `there is no choice ${tag} here`, reader.pos - 1);
    return row;
  };
  return {
    decode(reader, budget) {
      const row = byTag(reader);
      return { kind: row.kind, ...row.node.decode(reader, budget) } as OneKind<A>;
    },
    encode(writer, value) {
      const row = byKind(value);
      writer.u8(row.tag);
      row.node.encode(writer, value as Inferred<Fields>);
    },
    explain(out, path, budget) {
      const start = out.reader.pos;
      const row = byTag(out.reader);
      out.add(`${path}/choice`, start, row.kind.replaceAll('-', ' '));
      row.node.explain(out, `${path}/${row.kind}`, budget);
    },
    write(into, value, context) {
      const row = byKind(value);
      const child = element(row.name);
      row.node.write(child, value as Inferred<Fields>, context);
      into.children.push(child);
    },
    read(from, context) {
      const child = from.children[0];
      const row = child && rows.find((r) => r.name === child.name);
      if (!row) throw new DecodeError('text', `<${from.name}> needs one of ${rows.map((r) => r.name).join(', ')}`, 0);
      return { kind: row.kind, ...row.node.read(child, context) } as OneKind<A>;
    },
  };
}

/** The same bytes with another value: how the APDU's object differs from its layout. */
export function mapped<A, B>(node: Node<A>, to: (value: A) => B, from: (value: B) => A): Node<B> {
  return {
    ...node,
    decode: (reader, budget) => to(node.decode(reader, budget)),
    encode: (writer, value) => node.encode(writer, from(value)),
    write: (into, value, context) => node.write(into, from(value), context),
    read: (element, context) => to(node.read(element, context)),
  } as Node<B>;
}
