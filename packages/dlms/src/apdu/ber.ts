/**
 * As much of BER (ISO/IEC 8825-1) as the APDUs of ACSE need, as layouts of schema.ts: fields with context tags of one byte
 * and definite lengths, and the types inside them.
 *
 * Decides: fields are read in any order, lengths in any definite form, unknown context fields are passed over, a field
 * that comes twice is refused. Sent are the shortest lengths in the order of the standard.
 */
import { DecodeError, fromHex, MisuseError, Reader, Writer } from '@amiable/bytes';
import { bitsOfText, bitsText } from '../data-text.ts';
import { type Budget, decodeLength, encodeLength } from '../data-types.ts';
import { element } from '../xml.ts';
import { upperHex } from './explainer.ts';
import { kebab, leaf, type Node, pascal, type TextContext } from './node.ts';
import type { Inferred } from './schema.ts';

/** A field: its tag, and the layout of its contents. */
export interface BerField<T> extends Node<T> {
  readonly tag: number;
}

export const field = <T>(tag: number, label: string, node: Node<T>): BerField<T> => ({ ...node, tag, label });
/** A field that may be absent. */
export const maybe = <T>(tag: number, label: string, node: Node<T>): BerField<T | undefined> & { optional: true } => ({
  ...(node as Node<T | undefined>),
  tag,
  label,
  optional: true,
});

type BerFields = Record<string, BerField<unknown>>;

/** The contents of a constructed APDU: fields by their tags. The reader must end where the contents end. */
export function berFields<F extends BerFields>(fields: F): Node<Inferred<F>> {
  const rows = Object.entries(fields).map(([key, node]) => ({ key, node, name: node.label ?? pascal(key) }));
  const rowOf = (tag: number) => rows.find((r) => r.node.tag === tag);
  return {
    decode(reader, budget) {
      const out: Record<string, unknown> = {};
      while (reader.remaining > 0) {
        const at = reader.pos;
        const tag = tagOf(reader);
        const contents = contentsOf(reader);
        const row = rowOf(tag);
        if (!row) continue;
        if (row.key in out) throw new DecodeError('duplicate', `${row.name} comes twice`, at);
        out[row.key] = whole(row.node, contents, budget);
      }
      for (const { key, node, name } of rows)
        if (!node.optional && !(key in out)) throw new DecodeError('missing', `${name} is missing`, reader.pos);
      return out as Inferred<F>;
    },
    encode(writer, value) {
      for (const { key, node } of rows) {
        const part = (value as Record<string, unknown>)[key];
        if (part !== undefined) encodeTlv(writer, node.tag, node, part);
      }
    },
    explain(out, path, budget) {
      while (out.reader.remaining > 0) {
        const at = out.reader.pos;
        const row = rowOf(tagOf(out.reader));
        const length = decodeLength(out.reader);
        const name = row ? kebab(row.name) : 'unknown-field';
        out.add(`${path}/${name}/tag`, at, `${name.replaceAll('-', ' ')}, ${length} bytes`);
        if (row) out.within(`${path}/${name}`, length, () => row.node.explain(out, `${path}/${name}`, budget));
        else if (length > 0) out.take(`${path}/${name}`, length, 'a field that is not known');
      }
    },
    write(into, value, context) {
      for (const { key, node, name } of rows) {
        const part = (value as Record<string, unknown>)[key];
        if (part === undefined) continue;
        const child = element(name);
        node.write(child, part, context);
        into.children.push(child);
      }
    },
    read(from, context) {
      const out: Record<string, unknown> = {};
      for (const { key, node, name } of rows) {
        const child = from.children.find((c) => c.name === name);
        if (child) out[key] = node.read(child, context);
        else if (!node.optional) throw new DecodeError('text', `<${from.name}> has no <${name}>`, 0);
      }
      return out as Inferred<F>;
    },
  };
}

function tagOf(reader: Reader): number {
  const tag = reader.u8('tag');
  // Universal and application tags, and those of several bytes, have no place among the fields.
  if ((tag & 0xc0) !== 0x80 || (tag & 0x1f) === 0x1f)
    throw new DecodeError('tag', `tag ${tag.toString(16).toUpperCase()} is no field of ACSE`, reader.pos - 1);
  return tag;
}

function contentsOf(reader: Reader): Reader {
  const length = decodeLength(reader);
  reader.need(length, 'field');
  const contents = new Reader(reader.buf, reader.pos, reader.pos + length);
  reader.pos += length;
  return contents;
}

function whole<T>(node: Node<T>, contents: Reader, budget: Budget): T {
  const value = node.decode(contents, budget);
  if (contents.remaining > 0) throw new DecodeError('trailing', 'bytes follow the end of the field', contents.pos);
  return value;
}

function encodeTlv<T>(writer: Writer, tag: number, node: Node<T>, value: T): void {
  const contents = new Writer(32);
  node.encode(contents, value);
  writer.u8(tag);
  encodeLength(writer, contents.length);
  writer.bytes(contents.finish());
}

/** One value with its own tag around it: EXPLICIT, or an APDU. */
export function tagged<T>(tag: number, node: Node<T>): Node<T> {
  const check = (reader: Reader): void => {
    const found = reader.u8('tag');
    if (found !== tag)
      throw new DecodeError('tag', `tag ${upperHex([tag])} was expected, not ${upperHex([found])}`, reader.pos - 1);
  };
  return {
    ...node,
    decode(reader, budget) {
      check(reader);
      return whole(node, contentsOf(reader), budget);
    },
    encode: (writer, value) => encodeTlv(writer, tag, node, value),
    explain(out, path, budget) {
      const at = out.reader.pos;
      check(out.reader);
      const length = decodeLength(out.reader);
      out.add(`${path}/length`, at, `${length} bytes`);
      out.within(path, length, () => node.explain(out, path, budget));
    },
  };
}

/** A length and contents that end there: what is behind the tag of an APDU. */
export function lengthed<T>(node: Node<T>): Node<T> {
  return {
    ...node,
    decode: (reader, budget) => whole(node, contentsOf(reader), budget),
    encode(writer, value) {
      const contents = new Writer();
      node.encode(contents, value);
      encodeLength(writer, contents.length);
      writer.bytes(contents.finish());
    },
    explain(out, path, budget) {
      const at = out.reader.pos;
      const length = decodeLength(out.reader);
      out.add(`${path}/length`, at, `${length} bytes`);
      out.within(path, length, () => node.explain(out, path, budget));
    },
  };
}

/** All bytes that are there. */
export const rest: Node<Uint8Array> = leaf<Uint8Array>({
  decode: (reader) => reader.bytes(reader.remaining),
  encode(writer, value) {
    writer.bytes(value);
  },
  text: upperHex,
  parse: (text) => fromHex(text),
  describe: (value, name) => `${name} ${upperHex(value)}`,
});

/** All bytes that are there, as an APDU where they are one. */
export const restApdu: Node<Uint8Array> = {
  ...rest,
  explain(out, path) {
    if (out.reader.remaining > 0) out.apdu(path, out.reader.remaining);
  },
  write(into, value, context: TextContext) {
    const inner = context.element(value);
    if (inner) into.children.push(inner);
    else into.attributes.Value = upperHex(value);
  },
  read(from, context) {
    const inner = from.children[0];
    return inner ? context.apdu(inner) : fromHex(from.attributes.Value ?? '');
  },
};

/**
 * Contents of an INTEGER of at most 4 bytes that is never negative. One byte above 127 is read as unsigned, as it was
 * meant by those who left out the leading nought.
 */
export const integer: Node<number> = leaf({
  decode(reader) {
    const at = reader.pos;
    const n = reader.remaining;
    if (n < 1 || n > 5) throw new DecodeError('length', `an integer of ${n} bytes`, at);
    let value = 0;
    while (reader.remaining > 0) value = value * 256 + reader.u8();
    if (value > 0xffffffff) throw new DecodeError('value', 'an integer of more than 32 bits', at);
    return value;
  },
  encode(writer, value) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new MisuseError(`${value} is no number of 32 bits`);
    let bytes = 1;
    while (value >= 2 ** (8 * bytes - 1)) bytes++;
    for (let i = bytes - 1; i >= 0; i--) writer.u8(Math.floor(value / 2 ** (8 * i)) & 0xff);
  },
  text: String,
  parse(text) {
    if (!/^\d{1,10}$/.test(text)) throw new DecodeError('text', `${JSON.stringify(text)} is no number`, 0);
    return Number(text);
  },
  describe: (value, name) => `${name} ${value}`,
});

/** Contents of a BIT STRING, as 0 and 1. */
export const bits: Node<string> = leaf({
  decode(reader) {
    const at = reader.pos;
    const unused = reader.u8('bit string');
    const bytes = reader.bytes(reader.remaining);
    if (unused > 7 || unused > 8 * bytes.length || bytes.length > 64)
      throw new DecodeError('value', `${unused} unused bits in ${bytes.length} bytes`, at);
    return bitsText(bytes, 8 * bytes.length - unused);
  },
  encode(writer, value) {
    const bytes = bitsOfText(value);
    writer.u8(8 * bytes.length - value.length).bytes(bytes);
  },
  text: (value) => value,
  parse(text) {
    bitsOfText(text);
    return text;
  },
  describe: (value, name) => `${name} ${value}`,
});
