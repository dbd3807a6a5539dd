/** Any data of a described type, for property tests. */

import { Writer } from '@amiable/bytes';
import type { Data } from '@amiable/dlms';
import { dateTimeBytes, encodeDate, encodeTime } from '@amiable/dlms';
import fc from 'fast-check';
import { data as anyData, date, dateTime, scalar, time } from '../../dlms/test/arbitrary.ts';
import type { ValueType } from '../src/index.ts';

const RANGE: Readonly<Record<string, readonly [number, number]>> = {
  integer: [-128, 127],
  long: [-0x8000, 0x7fff],
  'double-long': [-0x80000000, 0x7fffffff],
  unsigned: [0, 0xff],
  'long-unsigned': [0, 0xffff],
  'double-long-unsigned': [0, 0xffffffff],
  enum: [0, 0xff],
};

const octets = (value: Uint8Array): Data => ({ type: 'octet-string', value });

function bitString(size?: number): fc.Arbitrary<Data> {
  return (size === undefined ? fc.nat(40) : fc.constant(size)).chain((bits) =>
    fc.array(fc.boolean(), { minLength: bits, maxLength: bits }).map((set): Data => {
      const value = new Uint8Array((bits + 7) >> 3);
      set.forEach((on, i) => {
        if (on) value[i >> 3] = (value[i >> 3] as number) | (0x80 >> (i & 7));
      });
      return { type: 'bit-string', bits, value };
    }),
  );
}

const written = (write: (writer: Writer) => void): Data => {
  const writer = new Writer();
  write(writer);
  return octets(writer.finish());
};

export function arbitraryOf(type: ValueType): fc.Arbitrary<Data> {
  switch (type.kind) {
    case 'null-data':
      return fc.constant({ type: 'null-data' });
    case 'boolean':
      return fc.boolean().map((value) => ({ type: 'boolean', value }));
    case 'number':
    case 'flags': {
      const [min, max] = RANGE[type.type] as readonly [number, number];
      return fc.integer({ min, max }).map((value) => ({ type: type.type, value }));
    }
    case 'long64':
      return (type.type === 'long64' ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) : fc.bigInt(0n, 2n ** 64n - 1n)).map(
        (value) => ({ type: type.type, value }),
      );
    case 'enum':
      return fc
        .oneof(fc.constantFrom(0, ...Object.keys(type.names).map(Number)), fc.nat(255))
        .map((value) => ({ type: 'enum', value }));
    case 'bit-string':
      return bitString(type.size);
    case 'string': {
      const length = type.size === undefined ? { maxLength: 20 } : { minLength: type.size, maxLength: type.size };
      const text = fc.string(length).map((s) => new TextEncoder().encode(s));
      const bytes = fc.uint8Array(length);
      return fc.oneof(bytes, type.size === undefined ? text : bytes).map((value) => ({ type: type.type, value }));
    }
    case 'temporal':
      if (type.of === 'date-time')
        return dateTime.map(
          (value): Data => (type.in === 'itself' ? { type: 'date-time', value } : octets(dateTimeBytes(value))),
        );
      if (type.of === 'date')
        return date.map(
          (value): Data => (type.in === 'itself' ? { type: 'date', value } : written((w) => encodeDate(w, value))),
        );
      return time.map(
        (value): Data => (type.in === 'itself' ? { type: 'time', value } : written((w) => encodeTime(w, value))),
      );
    case 'structure':
      return fc.tuple(...Object.values(type.fields).map(arbitraryOf)).map((value) => ({ type: 'structure', value }));
    case 'array':
      return fc.array(arbitraryOf(type.of), { maxLength: 3 }).map((value) => ({ type: 'array', value }));
    case 'choice':
      return fc.oneof(...type.of.map(arbitraryOf));
    case 'any':
      return type.simple ? scalar : anyData;
  }
}

/** Whether a value alone tells which data it came from: no choice and nothing untyped inside. */
export function isExact(type: ValueType): boolean {
  switch (type.kind) {
    case 'any':
    case 'choice':
      return false;
    case 'structure':
      return Object.values(type.fields).every(isExact);
    case 'array':
      return isExact(type.of);
    default:
      return true;
  }
}
