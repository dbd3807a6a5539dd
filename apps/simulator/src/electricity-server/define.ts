/**
 * How the objects of the virtual meter are written down: attributes and methods by the names of their class table, each
 * object with its meaning, its unit and who may do what with it. The documentation's table is made from the same lines.
 *
 * Decides: rights by level; what an engine's refusal is as a Data-Access-Result. Leaves out: any object.
 */
import { MisuseError, Writer } from '@amiable/bytes';
import {
  ACCESS,
  type Access,
  type Attribute,
  type AttributeAccessors,
  type CosemObject,
  interfaceClass,
  type Method,
  type Rights,
  readPlain,
  type Writable,
  writeValue,
} from '@amiable/cosem';
import type { DataResult, EncodedData, SelectiveAccess } from '@amiable/dlms';
import { encodeData, RESULT } from '@amiable/dlms';
import type { Outcome } from '../electricity/index.ts';
import type { ServedMeter } from './served.ts';

/** The associations; each is there with logical names and, as `…-sn`, with short ones. */
export const ASSOCIATIONS = ['public', 'reader', 'management', 'firmware'] as const;
export type AssociationName = (typeof ASSOCIATIONS)[number];

/**
 * `open`: read by all. `data`: read by reader and management. `set`: likewise, and management writes and invokes.
 * `openSet`: read by all, written by management. `image`: firmware's, read by management. `secret`: management alone.
 */
export type Level = 'open' | 'openSet' | 'data' | 'set' | 'image' | 'secret';

type Who = Readonly<Record<AssociationName, 'none' | 'read' | 'full'>>;
export const LEVELS: Readonly<Record<Level, Who>> = {
  open: { public: 'read', reader: 'read', management: 'read', firmware: 'read' },
  openSet: { public: 'read', reader: 'read', management: 'full', firmware: 'read' },
  data: { public: 'none', reader: 'read', management: 'read', firmware: 'none' },
  set: { public: 'none', reader: 'read', management: 'full', firmware: 'none' },
  image: { public: 'none', reader: 'none', management: 'read', firmware: 'full' },
  secret: { public: 'none', reader: 'none', management: 'full', firmware: 'none' },
};

/** What a setter or method may answer. */
export type Answer = Outcome | number | undefined;

// biome-ignore lint/suspicious/noExplicitAny: values have the shape that the class table describes, known by name only
type Plain = any;

export type Given =
  /** The same in every meter. */
  | { readonly is: Writable }
  /** May be written, and is kept as it was written. */
  | { readonly kept: Writable; check?(value: Plain, meter: ServedMeter): Answer; then?(meter: ServedMeter): void }
  /** By the class table. */
  | { get?(meter: ServedMeter): Writable; set?(value: Plain, meter: ServedMeter): Answer }
  /** Encoded. */
  | {
      encoded(meter: ServedMeter, access?: SelectiveAccess): EncodedData | DataResult;
      readonly selectors?: readonly number[];
      set?(value: Plain, meter: ServedMeter): Answer;
    };

export interface ObjectSource {
  readonly classId: number;
  readonly version?: number;
  readonly obis: string;
  /** For people. */
  readonly meaning: string;
  readonly unit?: string;
  readonly level: Level;
  readonly baseName?: number;
  readonly attributes?: Readonly<Record<string, Given>>;
  readonly methods?: Readonly<
    Record<
      string,
      (meter: ServedMeter, value: Plain) => Answer | { readonly result: number; readonly returned?: DataResult }
    >
  >;
}

export interface MeterObject extends CosemObject<ServedMeter> {
  readonly meaning: string;
  readonly unit: string;
  readonly level: Level;
}

/** Data-Access-Result and Action-Result of what the engine answers. */
export function resultOf(answer: Answer): number {
  if (answer === undefined) return RESULT.success;
  if (typeof answer === 'number') return answer;
  if (answer.done) return RESULT.success;
  switch (answer.reason) {
    case 'power-down':
      return RESULT.temporaryFailure;
    case 'not-fitted':
      return RESULT.objectUnavailable;
    case 'read-only':
      return RESULT.readWriteDenied;
    case 'unknown':
      return RESULT.objectUndefined;
    default:
      return RESULT.otherReason;
  }
}

export function encode(value: Parameters<typeof encodeData>[1]): EncodedData {
  const writer = new Writer(64);
  encodeData(writer, value);
  return writer.finish();
}

/** Makes an object of its source. @throws MisuseError for a name that the class does not have */
export function object(source: ObjectSource): MeterObject {
  const { classId, version = 0, obis } = source;
  const table = interfaceClass(classId, version);
  if (!table) throw new MisuseError(`${obis}: there is no class ${classId} version ${version}`);
  const attributes: Record<number, Attribute<ServedMeter>> = {};
  const writable: number[] = [];
  const readable: number[] = [];
  for (const [name, given] of Object.entries(source.attributes ?? {})) {
    const definition = table.attributes.find((a) => a.name === name);
    if (!definition) throw new MisuseError(`${obis}: class ${classId} has no attribute ${name}`);
    const attribute = attributeOf(given, definition.type, `${classId}/${obis}/${definition.index}`);
    attributes[definition.index] = attribute;
    if (!isAccessors(attribute) || attribute.get) readable.push(definition.index);
    if (isAccessors(attribute) && attribute.set) writable.push(definition.index);
  }
  const methods: Record<number, Method<ServedMeter>> = {};
  for (const [name, method] of Object.entries(source.methods ?? {})) {
    const definition = table.methods.find((m) => m.name === name);
    if (!definition) throw new MisuseError(`${obis}: class ${classId} has no method ${name}`);
    methods[definition.index] = (parameters, { meter }) => {
      if (!meter.engine.powered) return RESULT.temporaryFailure;
      const answer = method(meter, parameters ? readPlain(definition.type, parameters) : undefined);
      return typeof answer === 'object' && 'result' in answer ? answer : resultOf(answer);
    };
  }
  return {
    classId,
    version,
    logicalName: obis,
    ...(source.baseName !== undefined && { baseName: source.baseName }),
    attributes,
    methods,
    rights: rightsOf(LEVELS[source.level], readable, writable, Object.keys(methods).map(Number)),
    meaning: source.meaning,
    unit: source.unit ?? '',
    level: source.level,
  };
}

type TableType = Parameters<typeof writeValue>[0];

function attributeOf(given: Given, type: TableType, key: string): Attribute<ServedMeter> {
  const fixed = (value: Writable): EncodedData => encode(writeValue(type, value));
  if ('is' in given) return fixed(given.is);
  const setter = (set: (value: Plain, meter: ServedMeter) => Answer): Pick<AttributeAccessors<ServedMeter>, 'set'> => ({
    set: (value, { meter }) =>
      meter.engine.powered ? resultOf(set(readPlain(type, value), meter)) : RESULT.temporaryFailure,
  });
  if ('kept' in given) {
    const initial = fixed(given.kept);
    return {
      get: ({ meter }) => meter.settings.get(key) ?? initial,
      set: (value, { meter }) => {
        const result = given.check ? resultOf(given.check(readPlain(type, value), meter)) : RESULT.success;
        if (result !== RESULT.success) return result;
        meter.keep(key, value);
        given.then?.(meter);
        return undefined;
      },
    };
  }
  if ('encoded' in given)
    return {
      get: ({ meter }, access) => given.encoded(meter, access),
      ...(given.selectors && { selectors: given.selectors }),
      ...(given.set && setter(given.set)),
    };
  const { get, set } = given;
  return {
    ...(get && { get: ({ meter }: { meter: ServedMeter }) => encode(writeValue(type, get(meter))) }),
    ...(set && setter(set)),
  };
}

/** What a kept attribute is now, as plain value; `fallback` where it was never written. */
export function keptValue(meter: ServedMeter, classId: number, version: number, obis: string, index: number): Plain {
  const bytes = meter.settings.get(`${classId}/${obis}/${index}`);
  const type = interfaceClass(classId, version)?.attributes[index - 1]?.type;
  return bytes && type ? readPlain(type, bytes) : undefined;
}

function isAccessors(attribute: Attribute<ServedMeter>): attribute is AttributeAccessors<ServedMeter> {
  return !(attribute instanceof Uint8Array) && !('type' in attribute);
}

/** Modes that management needs for what it changes: its requests come authenticated and encrypted. */
const PROTECTED = ACCESS.authenticatedRequest | ACCESS.encryptedRequest;

function rightsOf(
  who: Who,
  readable: readonly number[],
  writable: readonly number[],
  methods: readonly number[],
): Rights {
  const rights: Record<string, Access> = {};
  const all = [...new Set([...readable, ...writable])];
  for (const name of ASSOCIATIONS) {
    const level = who[name];
    const access: Access =
      level === 'none'
        ? 'none'
        : {
            attributes: Object.fromEntries(
              all.map((index) => {
                const mode = readable.includes(index) ? ACCESS.read : 0;
                return [index, level === 'full' && writable.includes(index) ? mode | ACCESS.write | PROTECTED : mode];
              }),
            ),
            methods: Object.fromEntries(
              methods.map((index) => [index, level === 'full' ? ACCESS.invoke | PROTECTED : 0]),
            ),
          };
    rights[name] = access;
    rights[`${name}-sn`] = access;
  }
  return rights;
}

// ---------------------------------------------------------------- the forms that come again and again

/** Data (class 1). */
export function data(
  obis: string,
  meaning: string,
  level: Level,
  get: (meter: ServedMeter) => Writable,
  set?: (value: Plain, meter: ServedMeter) => Answer,
  unit?: string,
): MeterObject {
  return object({
    classId: 1,
    obis,
    meaning,
    level,
    attributes: { value: { get, ...(set && { set }) } },
    ...(unit !== undefined && { unit }),
  });
}

const UNITS: Readonly<Record<string, number>> = {
  Wh: 30,
  W: 27,
  V: 35,
  A: 33,
  s: 7,
  min: 6,
  '%': 56,
  m3: 13,
  J: 25,
  kW: 27,
  '': 255,
};
export const unitCode = (unit: string): number => UNITS[unit] ?? 255;

/** Register (class 3). `kW` is W with scaler 3. */
export function register(
  obis: string,
  meaning: string,
  level: Level,
  unit: string,
  scaler: number,
  get: (meter: ServedMeter) => EncodedData,
  set?: (value: Plain, meter: ServedMeter) => Answer,
  methods?: ObjectSource['methods'],
): MeterObject {
  return object({
    classId: 3,
    obis,
    meaning,
    unit,
    level,
    attributes: {
      value: { encoded: get, ...(set && { set }) },
      scaler_unit: { is: [unit === 'kW' ? scaler + 3 : scaler, { type: 'enum', value: unitCode(unit) }] },
    },
    ...(methods && { methods }),
  });
}
