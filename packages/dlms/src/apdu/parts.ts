/** What several APDUs have in common (IEC 62056-5-3 annex A): encoded values, descriptors, blocks, results. */
import { DecodeError, fromHex, MisuseError, Writer } from '@amiable/bytes';
import { encodeData } from '../data.ts';
import { dataOfElement, encodedElement } from '../data-text.ts';
import { explainData } from '../explain-data.ts';
import { endOfData } from '../skip.ts';
import { bool, enumeration, fixed, leaf, type Node, named, octetString, uint } from './node.ts';
import { ACTION_RESULT, DATA_ACCESS_RESULT } from './results.ts';
import { choice, optional, sequence } from './schema.ts';
import type { EncodedData } from './types.ts';

/** One value, kept as its bytes. */
export const data: Node<EncodedData> = {
  decode(reader, budget) {
    const start = reader.pos;
    reader.pos = endOfData(reader.buf, start, reader.end, budget.depth);
    return reader.buf.subarray(start, reader.pos);
  },
  encode(writer, value) {
    if (value.length === 0) throw new MisuseError('encoded data has a tag at least');
    writer.bytes(value);
  },
  explain(out, path) {
    explainData(out, path);
  },
  write(into, value) {
    const child = encodedElement(value);
    if (child) into.children.push(child);
    else
      into.attributes.Value = Array.from(value, (b) => b.toString(16).padStart(2, '0'))
        .join('')
        .toUpperCase();
  },
  read(from) {
    const child = from.children[0];
    if (!child) return fromHex(from.attributes.Value ?? '');
    const writer = new Writer();
    encodeData(writer, dataOfElement(child));
    return writer.finish();
  },
};

/** A signed byte: attribute and method ids (negative ones are the maker's own), quality of service. */
export const int8: Node<number> = leaf({
  decode: (reader) => reader.i8(),
  encode(writer, value) {
    if (!Number.isInteger(value) || value < -128 || value > 127) throw new MisuseError(`${value} does not fit a byte`);
    writer.u8(value);
  },
  text: (value) => (value & 0xff).toString(16).toUpperCase().padStart(2, '0'),
  parse(text) {
    if (!/^[0-9A-Fa-f]{2}$/.test(text)) throw new DecodeError('text', `${JSON.stringify(text)} is no byte`, 0);
    return (Number.parseInt(text, 16) << 24) >> 24;
  },
  describe: (value, name) => `${name} ${value}`,
});

export const invoke = named(
  'InvokeIdAndPriority',
  uint(
    1,
    (v) => `invoke id ${v & 0x0f}, ${v & 0x40 ? 'confirmed' : 'unconfirmed'}, ${v & 0x80 ? 'high' : 'normal'} priority`,
  ),
);
export const longInvoke = named(
  'LongInvokeIdAndPriority',
  uint(4, (v) => {
    const words = [`invoke id ${v & 0xffffff}`, v & 0x40000000 ? 'confirmed' : 'unconfirmed'];
    if (v & 0x10000000) words.push('self-descriptive');
    if (v & 0x20000000) words.push('break on error');
    words.push(v >>> 31 ? 'high priority' : 'normal priority');
    return words.join(', ');
  }),
);

const instanceId = fixed(6, (b) => `${b[0]}-${b[1]}:${b[2]}.${b[3]}.${b[4]}*${b[5]}`);
const attributeFields = { classId: uint(2), instanceId, attributeId: int8 };
const methodFields = { classId: uint(2), instanceId, methodId: int8 };
const selection = sequence({
  selector: named('AccessSelector', uint(1)),
  parameters: named('AccessParameters', data),
});

export { attributeFields, methodFields };
export const selectionField = named('AccessSelection', selection);
export const plainAttribute = sequence(attributeFields);
export const attribute = sequence({ ...attributeFields, access: optional(selectionField) });
export const method = sequence(methodFields);

export const lastBlock = bool('last block', 'more blocks follow');
const numberOfBlock = (bytes: 2 | 4): Node<number> => {
  const node = uint(bytes, (v) => `block ${v}`);
  return {
    ...node,
    explain(out, path, budget) {
      const at = out.reader.pos;
      node.explain(out, path, budget);
      out.blockNumber = 0;
      for (let i = at; i < at + bytes; i++) out.blockNumber = out.blockNumber * 256 + (out.reader.buf[i] as number);
    },
  };
};
export const blockNumber = numberOfBlock(4);
/** Short name services number their blocks with two bytes. */
export const blockNumber16 = numberOfBlock(2);

/** A piece of an encoded value; the first piece can be explained as one. */
export const rawOfValue = named(
  'RawData',
  octetString({
    explain(out, path, length) {
      if (out.blockNumber === 1)
        out.within(path, length, () => explainData(out, path), 'the value goes on in the next block');
      else out.take(path, length, 'piece of an encoded value');
    },
  }),
);
/** A piece of an encoded list. */
export const rawOfList = named(
  'RawData',
  octetString({ explain: (out, path, length) => out.take(path, length, 'piece of an encoded list') }),
);

export const dataAccessResult = enumeration(DATA_ACCESS_RESULT);
export const actionResult = enumeration(ACTION_RESULT);
export const dataResult = choice({ 0: ['data', data], 1: ['error', named('DataAccessResult', dataAccessResult)] });
export const blockResult = choice({
  0: ['raw', rawOfValue],
  1: ['error', named('DataAccessResult', dataAccessResult)],
});
export const actionResponse = sequence({
  result: actionResult,
  returned: optional(named('ReturnParameters', dataResult)),
});

/** A date-time of 12 bytes, or none. */
export const dateTimeOrNone = octetString({ lengths: [0, 12] });
