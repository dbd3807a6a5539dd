/**
 * One thing in an APDU with everything that can be done with it, and the primitives of A-XDR (IEC 61334-6): numbers,
 * enumerated, boolean, octet-strings. What is sent is checked against its range (MisuseError). They are put together in
 * schema.ts.
 */
import { DecodeError, fromHex, MisuseError, type Reader, type Writer } from '@amiable/bytes';
import { type Budget, decodeLength, encodeLength } from '../data-types.ts';
import type { XmlElement } from '../xml.ts';
import { type Explainer, printable, upperHex } from './explainer.ts';

/** How APDUs inside APDUs are turned to text and back. */
export interface TextContext {
  /** Undefined when the bytes are no APDU, or one that would not be written the same way again. */
  element(apdu: Uint8Array): XmlElement | undefined;
  apdu(from: XmlElement): Uint8Array;
}

/** One thing in an APDU, with everything that can be done with it. */
export interface Node<T> {
  decode(reader: Reader, budget: Budget): T;
  encode(writer: Writer, value: T): void;
  /** Adds the fields of what stands at the reader, and passes over it. */
  explain(out: Explainer, path: string, budget: Budget): void;
  /** Fills the element that stands for this. */
  write(into: XmlElement, value: T, context: TextContext): void;
  read(from: XmlElement, context: TextContext): T;
  /** The standard's name where it is not that of the key, e.g. `InvokeIdAndPriority`. */
  readonly label?: string;
  /** The element that holds this one in the text form. */
  readonly group?: string;
  readonly optional?: true;
}

export type Infer<N> = N extends Node<infer T> ? T : never;
/** `invokeId` and `get-request` to `InvokeId` and `GetRequest`. */
export const pascal = (key: string): string => key.replace(/(^|-)([a-z])/g, (_, __, c: string) => c.toUpperCase());
/** `InvokeId` to `invoke-id`, `CallingAPTitle` to `calling-ap-title`. */
export const kebab = (name: string): string =>
  name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase();

export function attributeValue(from: XmlElement): string {
  const value = from.attributes.Value;
  if (value === undefined) throw new DecodeError('text', `<${from.name}> has no Value`, 0);
  return value;
}

/** What a primitive adds to the common way. */
interface Leaf<T> {
  decode(reader: Reader, budget: Budget): T;
  encode(writer: Writer, value: T): void;
  text(value: T): string;
  parse(text: string): T;
  describe(value: T, name: string): string;
}

export function leaf<T>(of: Leaf<T>): Node<T> {
  return {
    decode: of.decode,
    encode: of.encode,
    explain(out, path, budget) {
      const start = out.reader.pos;
      const value = of.decode(out.reader, budget);
      out.add(path, start, of.describe(value, path.slice(path.lastIndexOf('/') + 1).replaceAll('-', ' ')));
    },
    write(into, value) {
      into.attributes.Value = of.text(value);
    },
    read: (from) => of.parse(attributeValue(from)),
  };
}

/** The same under the standard's own name. */
export const named = <T>(label: string, node: Node<T>): Node<T> => ({ ...node, label });
/** The same inside an element `group` of the text form. */
export const inside = <N extends Node<unknown>>(group: string, node: N): N => ({ ...node, group });

/** An unsigned number of 1, 2 or 4 bytes. */
export function uint(bytes: 1 | 2 | 4, describe?: (value: number) => string): Node<number> {
  const max = 2 ** (8 * bytes) - 1;
  return leaf({
    decode: (reader) => (bytes === 1 ? reader.u8() : bytes === 2 ? reader.u16() : reader.u32()),
    encode(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value > max)
        throw new MisuseError(`${value} does not fit ${bytes} bytes`);
      if (bytes === 1) writer.u8(value);
      else if (bytes === 2) writer.u16(value);
      else writer.u32(value);
    },
    text: (value) =>
      value
        .toString(16)
        .toUpperCase()
        .padStart(2 * bytes, '0'),
    parse: hexNumber,
    describe: (value, name) => (describe ? describe(value) : `${name} ${value}`),
  });
}

export function hexNumber(text: string): number {
  if (!/^[0-9A-Fa-f]{1,8}$/.test(text)) throw new DecodeError('text', `${JSON.stringify(text)} is no hex number`, 0);
  return Number.parseInt(text, 16);
}

/** Numbers with the standard's words; numbers that it has no word for pass too. */
export type Words = Readonly<Record<number, string>>;

/** An enumerated: one byte, text in words. */
export function enumeration(words: Words): Node<number> {
  const byWord = new Map(Object.entries(words).map(([number, word]) => [word, Number(number)]));
  return {
    ...uint(1, (value) => `${words[value] ?? 'not a value of the standard'} (${value})`),
    write(into, value) {
      into.attributes.Value = words[value] ?? String(value);
    },
    read(from) {
      const text = attributeValue(from);
      const known = byWord.get(text);
      if (known !== undefined) return known;
      if (!/^\d{1,3}$/.test(text)) throw new DecodeError('text', `${JSON.stringify(text)} is not a word here`, 0);
      return Number(text);
    },
  };
}

export function bool(yes: string, no: string): Node<boolean> {
  return leaf({
    decode: (reader) => reader.u8() !== 0,
    encode(writer, value) {
      writer.u8(value ? 1 : 0);
    },
    text: (value) => (value ? '01' : '00'),
    parse: (text) => hexNumber(text) !== 0,
    describe: (value) => (value ? yes : no),
  });
}

/** Bytes in words: text where they are text. */
export const bytesText = (bytes: Uint8Array): string => printable(bytes) ?? upperHex(bytes);

export function fixed(length: number, describe: (value: Uint8Array) => string = bytesText): Node<Uint8Array> {
  return leaf<Uint8Array>({
    decode: (reader) => reader.bytes(length),
    encode(writer, value) {
      if (value.length !== length) throw new MisuseError(`${length} bytes were expected, not ${value.length}`);
      writer.bytes(value);
    },
    text: upperHex,
    parse: (text) => fromHex(text),
    describe: (value, name) => `${name} ${describe(value)}`,
  });
}

/** What an octet-string may hold, and how its bytes are explained. */
export interface OctetsOptions {
  /** Lengths that are possible; all unless said. */
  readonly lengths?: readonly number[];
  readonly explain?: (out: Explainer, path: string, length: number) => void;
}

export function decodeOctets(reader: Reader): Uint8Array {
  return reader.bytes(decodeLength(reader), 'octet-string');
}
export function encodeOctets(writer: Writer, value: Uint8Array): void {
  encodeLength(writer, value.length);
  writer.bytes(value);
}

/** An octet-string: a length and as many bytes. */
export function octetString(options: OctetsOptions = {}): Node<Uint8Array> {
  const { lengths } = options;
  const wrong = (length: number) => `${(lengths ?? []).join(' or ')} bytes were expected, not ${length}`;
  return {
    decode(reader) {
      const at = reader.pos;
      const value = decodeOctets(reader);
      if (lengths && !lengths.includes(value.length)) throw new DecodeError('length', wrong(value.length), at);
      return value;
    },
    encode(writer, value) {
      if (lengths && !lengths.includes(value.length)) throw new MisuseError(wrong(value.length));
      encodeOctets(writer, value);
    },
    explain(out, path) {
      const start = out.reader.pos;
      const length = decodeLength(out.reader);
      out.add(`${path}/length`, start, `${length} bytes`);
      if (length === 0) return;
      if (options.explain) {
        options.explain(out, path, length);
        return;
      }
      const at = out.reader.pos;
      const value = out.reader.bytes(length, path);
      out.add(path, at, `${path.slice(path.lastIndexOf('/') + 1).replaceAll('-', ' ')} ${bytesText(value)}`);
    },
    write(into, value) {
      into.attributes.Value = upperHex(value);
    },
    read: (from) => fromHex(attributeValue(from)),
  };
}

/** An octet-string that holds an APDU; the text form shows it as such where it is one. */
export function nestedApdu(): Node<Uint8Array> {
  const octets = octetString({ explain: (out, path, length) => out.apdu(path, length) });
  return {
    ...octets,
    write(into, value, context) {
      const inner = context.element(value);
      if (inner) into.children.push(inner);
      else octets.write(into, value, context);
    },
    read(from, context) {
      const inner = from.children[0];
      return inner ? context.apdu(inner) : octets.read(from, context);
    },
  };
}
