import { DecodeError, fromHex, MisuseError, Reader, toHex, Writer } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Data, decodeData, decodeLength, encodeData, encodeLength, skipData } from '../src/index.ts';
import { data } from './arbitrary.ts';

const decode = (hex: string): Data => {
  const reader = new Reader(fromHex(hex));
  const value = decodeData(reader);
  expect(reader.remaining).toBe(0);
  return value;
};
const encode = (value: Data): string => {
  const writer = new Writer();
  encodeData(writer, value);
  return toHex(writer.finish()).toUpperCase();
};

describe('A-XDR values, both ways', () => {
  const cases: [hex: string, value: Data][] = [
    ['00', { type: 'null-data' }],
    ['FF', { type: 'dont-care' }],
    ['0301', { type: 'boolean', value: true }],
    ['040CABC0', { type: 'bit-string', bits: 12, value: fromHex('ABC0') }],
    ['05FFFFFFFE', { type: 'double-long', value: -2 }],
    ['0600002611', { type: 'double-long-unsigned', value: 9745 }],
    ['06FFFFFFFF', { type: 'double-long-unsigned', value: 4_294_967_295 }],
    ['090601000107 00FF', { type: 'octet-string', value: fromHex('0100010700FF') }],
    ['0A034B464D', { type: 'visible-string', value: fromHex('4B464D') }],
    ['0C02C3A5', { type: 'utf8-string', value: fromHex('C3A5') }],
    ['0D42', { type: 'bcd', value: 0x42 }],
    ['0FFF', { type: 'integer', value: -1 }],
    ['10FF38', { type: 'long', value: -200 }],
    ['11C8', { type: 'unsigned', value: 200 }],
    ['1208E4', { type: 'long-unsigned', value: 2276 }],
    ['14FFFFFFFFFFFFFFFF', { type: 'long64', value: -1n }],
    ['15FFFFFFFFFFFFFFFF', { type: 'long64-unsigned', value: 2n ** 64n - 1n }],
    ['161B', { type: 'enum', value: 27 }],
    ['1741BC0000', { type: 'float32', value: 23.5 }],
    ['184037800000000000', { type: 'float64', value: 23.5 }],
    ['1CFE', { type: 'delta-integer', value: -2 }],
    ['2100000007', { type: 'delta-double-long-unsigned', value: 7 }],
    [
      '0202 0FFF 1621',
      {
        type: 'structure',
        value: [
          { type: 'integer', value: -1 },
          { type: 'enum', value: 33 },
        ],
      },
    ],
    ['0100', { type: 'array', value: [] }],
    [
      '1907E40115020E1E0AFF8000 00',
      {
        type: 'date-time',
        value: { year: 2020, month: 1, day: 21, weekday: 2, hour: 14, minute: 30, second: 10, status: 0 },
      },
    ],
    ['1AFFFF01FEFF', { type: 'date', value: { month: 1, day: 0xfe } }],
    ['1B0E1E00FF', { type: 'time', value: { hour: 14, minute: 30, second: 0 } }],
    // IEC 62056-5-3: three structures of two numbers, their tags sent once.
    [
      '13 02 02 12 11 09 000101 000202 000303',
      {
        type: 'compact-array',
        description: { type: 'structure', of: [{ type: 'long-unsigned' }, { type: 'unsigned' }] },
        value: [1, 2, 3].map((n) => ({
          type: 'structure',
          value: [
            { type: 'long-unsigned', value: n },
            { type: 'unsigned', value: n },
          ],
        })),
      },
    ],
  ];
  for (const [hex, value] of cases)
    it(hex, () => {
      expect(decode(hex)).toEqual(value);
      expect(encode(value)).toBe(hex.replaceAll(' ', ''));
    });

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(data, (value) => {
        const writer = new Writer();
        encodeData(writer, value);
        const bytes = writer.finish();
        const reader = new Reader(bytes);
        expect(decodeData(reader)).toEqual(value);
        expect(reader.remaining).toBe(0);
        const passed = new Reader(bytes);
        skipData(passed);
        expect(passed.remaining).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('tells the place of every value', () => {
    const bytes = fromHex('0202 0FFF 0902AABB');
    const places: string[] = [];
    decodeData(new Reader(bytes), undefined, (value, start, end) => places.push(`${value.type} ${start}-${end}`));
    expect(places).toEqual(['integer 2-4', 'octet-string 4-8', 'structure 0-8']);
  });

  it('refuses numbers that do not fit', () => {
    expect(() => encode({ type: 'unsigned', value: 256 })).toThrow(MisuseError);
    expect(() => encode({ type: 'long', value: 1.5 })).toThrow(/does not fit long/);
  });
});

describe('lengths', () => {
  it('round trip, in the shortest form', () => {
    for (const [n, hex] of [
      [0, '00'],
      [127, '7f'],
      [128, '8180'],
      [255, '81ff'],
      [256, '820100'],
      [65536, '8400010000'],
    ] as const) {
      const writer = new Writer();
      encodeLength(writer, n);
      expect(toHex(writer.finish())).toBe(hex);
      expect(decodeLength(new Reader(fromHex(hex)))).toBe(n);
    }
  });
  it('long forms that need not be are read', () => {
    expect(decodeLength(new Reader(fromHex('820047')))).toBe(0x47);
  });
  it('refuses the indefinite form and more than four bytes', () => {
    for (const hex of ['80', '850000000001']) expect(() => decodeLength(new Reader(fromHex(hex)))).toThrow(DecodeError);
  });
});

describe('hostile values', () => {
  const reasonOf = (hex: string): string => {
    try {
      decodeData(new Reader(fromHex(hex)));
    } catch (error) {
      if (error instanceof DecodeError) return error.reason;
      throw error;
    }
    return 'none';
  };
  it('unknown tag', () => expect(reasonOf('07')).toBe('tag'));
  it('cut value', () => expect(reasonOf('060000')).toBe('truncated'));
  it('a count beyond the bytes costs nothing', () => expect(reasonOf('0184FFFFFFFF00')).toBe('truncated'));
  it('nesting is bounded', () => expect(reasonOf(`${'0201'.repeat(100)}00`)).toBe('limit'));
  it('sixteen levels are fine', () => expect(reasonOf(`${'0201'.repeat(16)}00`)).toBe('none'));
  it('a compact-array of nothing', () => expect(reasonOf('13000100')).toBe('value'));
  it('a compact-array that expands without end', () =>
    expect(reasonOf('130202 01FFFF 01FFFF 00 11 0107')).toBe('limit'));
  it('any bytes raise DecodeError or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeData(new Reader(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 3000 },
    );
  });
  it('damaged values raise DecodeError or nothing', () => {
    fc.assert(
      fc.property(data, fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 5 }), (value, changes) => {
        const writer = new Writer();
        encodeData(writer, value);
        const bytes = writer.finish();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          decodeData(new Reader(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
