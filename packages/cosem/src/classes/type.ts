/**
 * The language in which attributes and method parameters are described (IEC 62056-6-2 clause 4.1.5, "Common data types").
 *
 * Decides: what a type is, as plain data, and which JavaScript value belongs to it (`ValueOf`). Reading, writing, checking
 * and printing are derived from it in ../values. Leaves out: ranges that are a meter's own affair.
 */
import type { DlmsDate, DlmsDateTime, DlmsTime } from '@amiable/dlms';

export type NumberName =
  | 'integer'
  | 'long'
  | 'double-long'
  | 'unsigned'
  | 'long-unsigned'
  | 'double-long-unsigned'
  | 'bcd'
  | 'float32'
  | 'float64'
  | 'delta-integer'
  | 'delta-long'
  | 'delta-double-long'
  | 'delta-unsigned'
  | 'delta-long-unsigned'
  | 'delta-double-long-unsigned';

/** What the bytes of a string are. `bytes` is shown as text where it is text, else as hex. */
export type StringMeaning = 'bytes' | 'text' | 'logical-name' | 'hex' | 'ipv6';

export type ValueType =
  | { readonly kind: 'null-data' }
  | { readonly kind: 'boolean' }
  /** `unit` is for people, e.g. `s` of a capture period. */
  | { readonly kind: 'number'; readonly type: NumberName; readonly unit?: string }
  | { readonly kind: 'long64'; readonly type: 'long64' | 'long64-unsigned' }
  | { readonly kind: 'enum'; readonly names: EnumNames }
  /** A number whose bits have names, the least significant first; '' where a bit is reserved. */
  | { readonly kind: 'flags'; readonly type: FlagsName; readonly names: readonly string[] }
  /** `names` from the leading bit on; `size` where the standard fixes the number of bits. */
  | { readonly kind: 'bit-string'; readonly size?: number; readonly names?: readonly string[] }
  | {
      readonly kind: 'string';
      readonly type: 'octet-string' | 'visible-string' | 'utf8-string';
      readonly as: StringMeaning;
      /** Exact number of bytes, where there is one. */
      readonly size?: number;
    }
  /** Sent as an octet-string of 12, 5 or 4 bytes, as the standard has it nearly everywhere, or as the type of its own. */
  | { readonly kind: 'temporal'; readonly of: TemporalName; readonly in: 'octet-string' | 'itself' }
  | { readonly kind: 'structure'; readonly fields: Readonly<Record<string, ValueType>> }
  | { readonly kind: 'array'; readonly of: ValueType; readonly max?: number }
  /** The first alternative that takes a value is the one meant. */
  | { readonly kind: 'choice'; readonly of: readonly ValueType[] }
  /** Whatever the instance says; `simple` excludes arrays and structures. */
  | { readonly kind: 'any'; readonly simple?: true };

export type TemporalName = 'date-time' | 'date' | 'time';
export type FlagsName = 'enum' | 'unsigned' | 'long-unsigned' | 'double-long-unsigned';
export type EnumNames = Readonly<Record<number, string>>;

/** Any plain value: what is read where the type says no more. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | DlmsDateTime
  | readonly PlainValue[]
  | { readonly [field: string]: PlainValue };

/** A date or time with its text, e.g. `2026-03-01 00:15:00+01:00`; marks that are not specified are `*`. */
export type Spoken<T> = T & { readonly text: string };

/** The JavaScript value of a described type. */
export type ValueOf<T> = T extends { readonly kind: 'null-data' }
  ? null
  : T extends { readonly kind: 'boolean' }
    ? boolean
    : T extends { readonly kind: 'number' }
      ? number
      : T extends { readonly kind: 'long64' }
        ? bigint
        : T extends { readonly kind: 'enum'; readonly names: infer N }
          ? N[keyof N] | number
          : T extends { readonly kind: 'flags'; readonly names: readonly (infer N)[] }
            ? readonly (N | string)[]
            : T extends { readonly kind: 'bit-string'; readonly names: readonly (infer N)[] }
              ? readonly (N | string)[]
              : T extends { readonly kind: 'bit-string' }
                ? string
                : T extends { readonly kind: 'string'; readonly as: 'bytes' }
                  ? string | Uint8Array
                  : T extends { readonly kind: 'string' }
                    ? string
                    : T extends { readonly kind: 'temporal'; readonly of: 'date-time' }
                      ? Spoken<DlmsDateTime>
                      : T extends { readonly kind: 'temporal'; readonly of: 'date' }
                        ? Spoken<DlmsDate>
                        : T extends { readonly kind: 'temporal' }
                          ? Spoken<DlmsTime>
                          : T extends { readonly kind: 'structure'; readonly fields: infer F }
                            ? { readonly [K in keyof F]: ValueOf<F[K]> }
                            : T extends { readonly kind: 'array'; readonly of: infer E }
                              ? readonly ValueOf<E>[]
                              : T extends { readonly kind: 'choice'; readonly of: readonly (infer E)[] }
                                ? ValueOf<E>
                                : PlainValue;

const numeric = <const N extends NumberName>(type: N) => ({ kind: 'number', type }) as const;

export const nothing = { kind: 'null-data' } as const;
export const bool = { kind: 'boolean' } as const;
export const integer = numeric('integer');
export const long = numeric('long');
export const doubleLong = numeric('double-long');
export const unsigned = numeric('unsigned');
export const longUnsigned = numeric('long-unsigned');
export const doubleLongUnsigned = numeric('double-long-unsigned');
export const float32 = numeric('float32');
export const long64 = { kind: 'long64', type: 'long64' } as const;
export const long64Unsigned = { kind: 'long64', type: 'long64-unsigned' } as const;

/** The same number, printed with a unit. */
export function inUnit<const N extends { kind: 'number' }>(type: N, unit: string): N & { readonly unit: string } {
  return { ...type, unit };
}

export function enumOf<const N extends EnumNames>(names: N) {
  return { kind: 'enum', names } as const;
}

/** An enumeration whose values no second source confirms: read as a number. */
export const unnamedEnum = enumOf({});

export function flags<const N extends readonly string[]>(type: FlagsName, names: N) {
  return { kind: 'flags', type, names } as const;
}

export const bitString = { kind: 'bit-string' } as const;

export function bitsOf<const N extends readonly string[]>(names: N) {
  return { kind: 'bit-string', size: names.length, names } as const;
}

const ofBytes = <const A extends StringMeaning>(as: A) => ({ kind: 'string', type: 'octet-string', as }) as const;

export const octetString = ofBytes('bytes');
/** Keys, addresses, challenges: never text. */
export const binary = ofBytes('hex');
export const textOctets = ofBytes('text');
export const visibleString = { kind: 'string', type: 'visible-string', as: 'text' } as const;
export const utf8String = { kind: 'string', type: 'utf8-string', as: 'text' } as const;
export const logicalName = { kind: 'string', type: 'octet-string', as: 'logical-name', size: 6 } as const;
export const ipv6Address = { kind: 'string', type: 'octet-string', as: 'ipv6', size: 16 } as const;

export function sized<const T extends { kind: 'string' }>(type: T, size: number): T & { readonly size: number } {
  return { ...type, size };
}

const moment = <const O extends TemporalName, const I extends 'octet-string' | 'itself'>(of: O, where: I) =>
  ({ kind: 'temporal', of, in: where }) as const;

/** `date-time` and so on in an octet-string. */
export const dateTime = moment('date-time', 'octet-string');
export const date = moment('date', 'octet-string');
export const time = moment('time', 'octet-string');
/** The type itself, tag 25 to 27. */
export const dateTimeItself = moment('date-time', 'itself');
export const dateItself = moment('date', 'itself');
export const timeItself = moment('time', 'itself');

export function structureOf<const F extends Readonly<Record<string, ValueType>>>(fields: F) {
  return { kind: 'structure', fields } as const;
}

export function arrayOf<const T extends ValueType>(of: T) {
  return { kind: 'array', of } as const;
}

export function choiceOf<const T extends readonly ValueType[]>(...of: T) {
  return { kind: 'choice', of } as const;
}

/** The same type under several names, in their order. */
export function each<const T extends ValueType, const N extends readonly string[]>(
  type: T,
  ...names: N
): { readonly [K in N[number]]: T } {
  return Object.fromEntries(names.map((name) => [name, type])) as { readonly [K in N[number]]: T };
}

/** CHOICE of simple types, as `value` of Register; and of every type, as `value` of Data. */
export const simple = { kind: 'any', simple: true } as const;
export const any = { kind: 'any' } as const;
