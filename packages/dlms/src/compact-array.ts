/**
 * compact-array (IEC 62056-5-3 annex A): the type of the elements is described once, the contents follow without tags.
 *
 * Decides: TypeDescription and the expansion of the contents. An array inside the description has a fixed number of
 * elements, so its contents carry no count.
 */
import { DecodeError, MisuseError, Reader, Writer } from '@amiable/bytes';
import {
  type Budget,
  type Data,
  type DataType,
  decodeLength,
  encodeLength,
  TAGS,
  type TypeDescription,
  typeOfTag,
} from './data-types.ts';

/** The codec of one value without its tag, handed in so that the two files need not know each other. */
export type DecodeContents = (reader: Reader, type: DataType, budget: Budget) => Data;
export type EncodeContents = (writer: Writer, data: Data) => void;

type CompactArray = Extract<Data, { type: 'compact-array' }>;

/** Reads a TypeDescription. */
export function decodeDescription(reader: Reader, budget: Budget): TypeDescription {
  const at = reader.pos;
  const tag = reader.u8('type description');
  const type = typeOfTag(tag);
  if (type === undefined || type === 'compact-array')
    throw new DecodeError('tag', `tag ${tag} cannot describe an element`, at);
  budget.spend(at);
  if (type !== 'array' && type !== 'structure') return { type };
  if (--budget.depth < 0) throw new DecodeError('limit', 'type descriptions nest too deep', at);
  let description: TypeDescription;
  if (type === 'array') {
    const count = reader.u16('number of elements');
    description = { type, count, of: decodeDescription(reader, budget) };
  } else {
    const count = decodeLength(reader);
    if (count > reader.remaining)
      throw new DecodeError('truncated', `${count} types announced, ${reader.remaining} bytes left`, at);
    const of: TypeDescription[] = [];
    for (let i = 0; i < count; i++) of.push(decodeDescription(reader, budget));
    description = { type, of };
  }
  budget.depth++;
  return description;
}

function decodeElement(reader: Reader, description: TypeDescription, budget: Budget, contents: DecodeContents): Data {
  budget.spend(reader.pos);
  if (description.type === 'array') {
    const value: Data[] = [];
    for (let i = 0; i < description.count; i++) value.push(decodeElement(reader, description.of, budget, contents));
    return { type: 'array', value };
  }
  if (description.type === 'structure')
    return { type: 'structure', value: description.of.map((of) => decodeElement(reader, of, budget, contents)) };
  return contents(reader, description.type, budget);
}

export function decodeCompactArray(reader: Reader, budget: Budget, decode: DecodeContents): CompactArray {
  const description = decodeDescription(reader, budget);
  const length = decodeLength(reader);
  reader.need(length, 'compact-array');
  const contents = new Reader(reader.buf, reader.pos, reader.pos + length);
  const value: Data[] = [];
  while (contents.remaining > 0) {
    const at = contents.pos;
    value.push(decodeElement(contents, description, budget, decode));
    if (contents.pos === at) throw new DecodeError('value', 'elements of a compact-array take no bytes', at);
  }
  reader.pos = contents.pos;
  return { type: 'compact-array', description, value };
}

function encodeDescription(writer: Writer, description: TypeDescription): void {
  writer.u8(TAGS[description.type]);
  if (description.type === 'array') {
    writer.u16(description.count);
    encodeDescription(writer, description.of);
  } else if (description.type === 'structure') {
    encodeLength(writer, description.of.length);
    for (const of of description.of) encodeDescription(writer, of);
  }
}

function encodeElement(writer: Writer, description: TypeDescription, data: Data, encode: EncodeContents): void {
  if (data.type !== description.type) throw new MisuseError(`${data.type} in a compact-array of ${description.type}`);
  if (data.type === 'array' && description.type === 'array') {
    if (data.value.length !== description.count)
      throw new MisuseError(`${data.value.length} elements, the description says ${description.count}`);
    for (const element of data.value) encodeElement(writer, description.of, element, encode);
  } else if (data.type === 'structure' && description.type === 'structure') {
    if (data.value.length !== description.of.length)
      throw new MisuseError(`${data.value.length} elements, the description says ${description.of.length}`);
    description.of.forEach((of, i) => {
      encodeElement(writer, of, data.value[i] as Data, encode);
    });
  } else encode(writer, data);
}

export function encodeCompactArray(writer: Writer, data: CompactArray, encode: EncodeContents): void {
  encodeDescription(writer, data.description);
  const contents = new Writer();
  for (const element of data.value) {
    const before = contents.length;
    encodeElement(contents, data.description, element, encode);
    if (contents.length === before)
      throw new MisuseError('elements that take no bytes cannot be counted in a compact-array');
  }
  encodeLength(writer, contents.length);
  writer.bytes(contents.finish());
}
