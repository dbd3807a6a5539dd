/**
 * Values as elements of the text form, and back. Elements are called as the standard calls the types
 * (`<DoubleLongUnsigned Value="9745" />`); numbers are decimal, bits are 0 and 1, octets hex, strings plain where they are
 * printable ASCII.
 */
import { DecodeError, fromHex, Reader, Writer } from '@amiable/bytes';
import { upperHex } from './apdu/explainer.ts';
import { attributeValue, pascal } from './apdu/node.ts';
import { decodeData, encodeData } from './data.ts';
import { type BytesType, type Data, type DataType, type NumberType, TAGS, type TypeDescription } from './data-types.ts';
import { decodeDate, decodeDateTime, decodeTime, encodeDate, encodeDateTime, encodeTime } from './date-time.ts';
import { element, type XmlElement } from './xml.ts';

// `Long64Unsigned` would not come back as `long64-unsigned` by letters alone.
const TYPE_OF_NAME = new Map((Object.keys(TAGS) as DataType[]).map((type) => [pascal(type), type]));

const quantity = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');

export function dataElement(data: Data): XmlElement {
  const name = pascal(data.type);
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
      return element(name);
    case 'array':
    case 'structure':
      return { name, attributes: { Qty: quantity(data.value.length) }, children: data.value.map(dataElement) };
    case 'compact-array': {
      const contents = { name: 'ArrayContents', attributes: {}, children: data.value.map(dataElement) };
      const description = { name: 'TypeDescription', attributes: {}, children: [descriptionElement(data.description)] };
      return { name, attributes: {}, children: [description, contents] };
    }
    case 'boolean':
      return element(name, data.value ? 'true' : 'false');
    case 'bit-string': {
      const text = bitsText(data.value, data.bits);
      // Bits behind the last one mean nothing, but are kept.
      return upperHex(bitsOfText(text)) === upperHex(data.value)
        ? element(name, text)
        : { name, attributes: { Bits: String(data.bits), Hex: upperHex(data.value) }, children: [] };
    }
    case 'visible-string':
    case 'utf8-string':
      return data.value.every((c) => c >= 0x20 && c < 0x7f)
        ? element(name, String.fromCharCode(...data.value))
        : { name, attributes: { Hex: upperHex(data.value) }, children: [] };
    case 'octet-string':
      return element(name, upperHex(data.value));
    case 'date-time':
      return element(
        name,
        written((writer) => encodeDateTime(writer, data.value)),
      );
    case 'date':
      return element(
        name,
        written((writer) => encodeDate(writer, data.value)),
      );
    case 'time':
      return element(
        name,
        written((writer) => encodeTime(writer, data.value)),
      );
    default:
      return element(name, Object.is(data.value, -0) ? '-0' : String(data.value));
  }
}

function written(write: (writer: Writer) => void): string {
  const writer = new Writer(12);
  write(writer);
  return upperHex(writer.finish());
}

/** The first `bits` bits of `bytes` as 0 and 1. Bits behind them are not told. */
export function bitsText(bytes: Uint8Array, bits: number): string {
  let text = '';
  for (let i = 0; i < bits; i++) text += ((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1;
  return text;
}

export function bitsOfText(text: string): Uint8Array {
  if (!/^[01]*$/.test(text)) throw new DecodeError('text', 'bits are 0 and 1', 0);
  const bytes = new Uint8Array(Math.ceil(text.length / 8));
  for (let i = 0; i < text.length; i++)
    if (text[i] === '1') bytes[i >> 3] = (bytes[i >> 3] as number) | (0x80 >> (i & 7));
  return bytes;
}

function descriptionElement(description: TypeDescription): XmlElement {
  const name = pascal(description.type);
  if (description.type === 'array')
    return { name, attributes: { Qty: quantity(description.count) }, children: [descriptionElement(description.of)] };
  if (description.type === 'structure')
    return { name, attributes: {}, children: description.of.map(descriptionElement) };
  return element(name);
}

function typeOf(from: XmlElement): DataType {
  const type = TYPE_OF_NAME.get(from.name);
  if (!type) throw new DecodeError('text', `<${from.name}> is no type of data`, 0);
  return type;
}

function descriptionOf(from: XmlElement | undefined): TypeDescription {
  if (!from) throw new DecodeError('text', 'a type description is missing', 0);
  const type = typeOf(from);
  if (type === 'array')
    return { type, count: Number.parseInt(from.attributes.Qty ?? '0', 16), of: descriptionOf(from.children[0]) };
  if (type === 'structure') return { type, of: from.children.map(descriptionOf) };
  if (type === 'compact-array') throw new DecodeError('text', 'a compact-array cannot describe an element', 0);
  return { type };
}

/** The value of an element. @throws DecodeError `text`, `hex` */
export function dataOfElement(from: XmlElement): Data {
  const type = typeOf(from);
  switch (type) {
    case 'null-data':
    case 'dont-care':
      return { type };
    case 'array':
    case 'structure':
      return { type, value: from.children.map(dataOfElement) };
    case 'compact-array': {
      const [description, contents] = from.children;
      return {
        type,
        description: descriptionOf(description?.children[0]),
        value: (contents?.children ?? []).map(dataOfElement),
      };
    }
    case 'boolean':
      return { type, value: attributeValue(from) === 'true' };
    case 'bit-string': {
      const { Bits, Hex } = from.attributes;
      if (Bits !== undefined && Hex !== undefined) return { type, bits: Number(Bits) || 0, value: fromHex(Hex) };
      const bits = attributeValue(from);
      return { type, bits: bits.length, value: bitsOfText(bits) };
    }
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
      return { type, value: stringOf(from, type) };
    case 'long64':
    case 'long64-unsigned':
      if (!/^-?\d{1,20}$/.test(attributeValue(from))) throw notNumber(from);
      return { type, value: BigInt(attributeValue(from)) };
    case 'date-time':
      return { type, value: decodeDateTime(new Reader(fromHex(attributeValue(from)))) };
    case 'date':
      return { type, value: decodeDate(new Reader(fromHex(attributeValue(from)))) };
    case 'time':
      return { type, value: decodeTime(new Reader(fromHex(attributeValue(from)))) };
    default:
      return { type, value: numberOf(from, type) };
  }
}

function stringOf(from: XmlElement, type: BytesType): Uint8Array {
  if (type === 'octet-string') return fromHex(attributeValue(from));
  if (from.attributes.Hex !== undefined) return fromHex(from.attributes.Hex);
  return Uint8Array.from(attributeValue(from), (c) => c.charCodeAt(0));
}

const notNumber = (from: XmlElement) => new DecodeError('text', `<${from.name}> holds no number`, 0);

function numberOf(from: XmlElement, type: NumberType): number {
  const text = attributeValue(from);
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value) && !(text === 'NaN' && type.startsWith('float'))) throw notNumber(from);
  return value;
}

/** The element of an encoded value; undefined when it would not come back as the same bytes. */
export function encodedElement(bytes: Uint8Array): XmlElement | undefined {
  try {
    const reader = new Reader(bytes);
    const data = decodeData(reader);
    const writer = new Writer(bytes.length);
    encodeData(writer, dataOfElement(dataElement(data)));
    const again = writer.finish();
    return again.length === bytes.length && again.every((b, i) => b === bytes[i]) ? dataElement(data) : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
