/** Any DLMS value, for property tests. */
import fc from 'fast-check';
import type { Data, TypeDescription } from '../src/index.ts';

const num = <T extends string>(type: T, min: number, max: number) =>
  fc.record({ type: fc.constant(type), value: fc.integer({ min, max }) });
const bytes = fc.uint8Array({ maxLength: 300 });
const opt = (arb: fc.Arbitrary<number>) => fc.option(arb, { nil: undefined });
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const strip = <T extends object>(value: T): Given<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Given<T>;
const u8 = fc.nat(0xfe);

const dateFields = { year: opt(fc.nat(0xfffe)), month: opt(u8), day: opt(u8), weekday: opt(u8) };
const timeFields = { hour: opt(u8), minute: opt(u8), second: opt(u8), hundredths: opt(u8) };
export const date = fc.record(dateFields).map(strip);
export const time = fc.record(timeFields).map(strip);
export const dateTime = fc
  .record({ ...dateFields, ...timeFields, deviation: opt(fc.integer({ min: -0x7fff, max: 0x7fff })), status: opt(u8) })
  .map(strip);

const bitString = fc.nat(40).chain((bits) =>
  fc.record({
    type: fc.constant('bit-string' as const),
    bits: fc.constant(bits),
    value: fc.uint8Array({ minLength: Math.ceil(bits / 8), maxLength: Math.ceil(bits / 8) }),
  }),
);

/** Values that are no containers. */
const scalars: readonly fc.Arbitrary<unknown>[] = [
  fc.constant({ type: 'null-data' as const }),
  fc.constant({ type: 'dont-care' as const }),
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
  bitString,
  num('double-long', -0x80000000, 0x7fffffff),
  num('double-long-unsigned', 0, 0xffffffff),
  num('bcd', 0, 255),
  num('integer', -128, 127),
  num('long', -0x8000, 0x7fff),
  num('unsigned', 0, 255),
  num('long-unsigned', 0, 0xffff),
  num('enum', 0, 255),
  num('delta-integer', -128, 127),
  num('delta-long', -0x8000, 0x7fff),
  num('delta-double-long', -0x80000000, 0x7fffffff),
  num('delta-unsigned', 0, 255),
  num('delta-long-unsigned', 0, 0xffff),
  num('delta-double-long-unsigned', 0, 0xffffffff),
  fc.record({ type: fc.constant('octet-string' as const), value: bytes }),
  fc.record({ type: fc.constant('visible-string' as const), value: bytes }),
  fc.record({ type: fc.constant('utf8-string' as const), value: bytes }),
  fc.record({ type: fc.constant('long64' as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
  fc.record({ type: fc.constant('long64-unsigned' as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
  fc.record({ type: fc.constant('float32' as const), value: fc.float({ noNaN: true }) }),
  fc.record({ type: fc.constant('float64' as const), value: fc.double({ noNaN: true }) }),
  fc.record({ type: fc.constant('date-time' as const), value: dateTime }),
  fc.record({ type: fc.constant('date' as const), value: date }),
  fc.record({ type: fc.constant('time' as const), value: time }),
];
export const scalar = fc.oneof(...scalars) as fc.Arbitrary<Data>;

const SCALARS: Record<string, fc.Arbitrary<Data>> = Object.fromEntries(
  scalars.map((arb) => [(fc.sample(arb, 1)[0] as Data).type, arb as fc.Arbitrary<Data>]),
);

/** A description of elements, and any value that it describes. */
const description: fc.Arbitrary<TypeDescription> = fc.letrec<{ of: TypeDescription }>((tie) => ({
  of: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...Object.keys(SCALARS)).map((type) => ({ type }) as TypeDescription),
    fc.record({ type: fc.constant('array' as const), count: fc.nat(3), of: tie('of') }),
    fc.record({ type: fc.constant('structure' as const), of: fc.array(tie('of'), { maxLength: 4 }) }),
  ),
})).of;

function describedBy(of: TypeDescription): fc.Arbitrary<Data> {
  if (of.type === 'array')
    return fc
      .array(describedBy(of.of), { minLength: of.count, maxLength: of.count })
      .map((value) => ({ type: 'array', value }));
  if (of.type === 'structure')
    return fc.tuple(...of.of.map(describedBy)).map((value) => ({ type: 'structure', value }));
  return SCALARS[of.type] as fc.Arbitrary<Data>;
}

/** Compact arrays of any description. A first byte in each element: those that take none cannot be counted. */
const compactArray: fc.Arbitrary<Data> = description.chain((inner) => {
  const of: TypeDescription = { type: 'structure', of: [{ type: 'unsigned' }, inner] };
  return fc
    .array(describedBy(of), { maxLength: 4 })
    .map((value) => ({ type: 'compact-array', description: of, value }));
});

export const data: fc.Arbitrary<Data> = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    compactArray,
    fc.record({
      type: fc.constantFrom('array' as const, 'structure' as const),
      value: fc.array(tie('data'), { maxLength: 5 }),
    }),
  ),
})).data;
