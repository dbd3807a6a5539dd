/**
 * Whether data is of a described type, and if not, where and why: for servers that must refuse and clients that explain.
 *
 * Decides: the type of each element, the number of elements of a structure, sizes that the standard fixes. Leaves out:
 * ranges and which values an enumeration has, which are the affair of the object.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { type Data, decodeData, type EncodedData } from '@amiable/dlms';
import type { ValueType } from '../classes/type.ts';

const MOMENT_BYTES = { 'date-time': 12, date: 5, time: 4 } as const;

/** Undefined when the data is of the type; else what is wrong, e.g. `entries[2].day_id: long, not unsigned`. */
export function checkValue(type: ValueType, data: Data | EncodedData): string | undefined {
  if (!(data instanceof Uint8Array)) return check(type, data, '');
  try {
    const reader = new Reader(data);
    const value = decodeData(reader);
    return reader.remaining ? `${reader.remaining} bytes behind the value` : check(type, value, '');
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

const at = (path: string, text: string): string => (path ? `${path}: ${text}` : text);

function of(wanted: Data['type'], data: Data, path: string): string | undefined {
  return data.type === wanted ? undefined : at(path, `${data.type}, not ${wanted}`);
}

function sized(data: { readonly value: Uint8Array }, size: number | undefined, path: string): string | undefined {
  return size === undefined || data.value.length === size
    ? undefined
    : at(path, `${data.value.length} bytes, not ${size}`);
}

function check(type: ValueType, data: Data, path: string): string | undefined {
  switch (type.kind) {
    case 'null-data':
    case 'boolean':
    case 'enum':
      return of(type.kind, data, path);
    case 'number':
    case 'long64':
    case 'flags':
      return of(type.type, data, path);
    case 'bit-string':
      if (data.type !== 'bit-string') return of('bit-string', data, path);
      return type.size === undefined || data.bits === type.size
        ? undefined
        : at(path, `${data.bits} bits, not ${type.size}`);
    case 'string':
      if (data.type !== type.type) return of(type.type, data, path);
      return sized(data as { value: Uint8Array }, type.size, path);
    case 'temporal':
      if (type.in === 'itself') return of(type.of, data, path);
      return data.type === 'octet-string' ? sized(data, MOMENT_BYTES[type.of], path) : of('octet-string', data, path);
    case 'structure': {
      if (data.type !== 'structure') return of('structure', data, path);
      const fields = Object.entries(type.fields);
      if (data.value.length !== fields.length) return at(path, `${data.value.length} elements, not ${fields.length}`);
      return first(fields.length, (i) => {
        const [name, field] = fields[i] as [string, ValueType];
        return check(field, data.value[i] as Data, path ? `${path}.${name}` : name);
      });
    }
    case 'array': {
      if (data.type !== 'array') return of('array', data, path);
      const { length } = data.value;
      if (type.max !== undefined && length > type.max) return at(path, `${length} elements, at most ${type.max} fit`);
      return first(length, (i) => check(type.of, data.value[i] as Data, `${path}[${i}]`));
    }
    case 'choice': {
      const faults = type.of.map((alternative) => check(alternative, data, path));
      return faults.includes(undefined) ? undefined : faults.join('; ');
    }
    case 'any':
      return type.simple && (data.type === 'array' || data.type === 'structure' || data.type === 'compact-array')
        ? at(path, `${data.type} where a simple type is asked for`)
        : undefined;
  }
}

function first(count: number, each: (i: number) => string | undefined): string | undefined {
  for (let i = 0; i < count; i++) {
    const fault = each(i);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
