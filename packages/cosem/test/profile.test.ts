/** Buffers of profiles: vectors, the fast way equal to the generic one, buffers cut anywhere, and writing. */
import { DecodeError, fromHex, MisuseError, Reader, Writer } from '@amiable/bytes';
import { type Data, dateTimeBytes, dateTimeOf, decodeDateTime, encodeData, wallMillis } from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { data as anyData } from '../../dlms/test/arbitrary.ts';
import {
  type Cell,
  captureObjectsOf,
  columnName,
  columnOfCapture,
  type MomentValues,
  type NumberValues,
  type Profile,
  type ProfileColumn,
  type ProfileOptions,
  profileColumns,
  readProfile,
  writeProfileRows,
} from '../src/index.ts';

const CLOCK: ProfileColumn = { classId: 8, logicalName: '0-0:1.0.0', attribute: 2, dataIndex: 0 };
const STATUS: ProfileColumn = { classId: 1, logicalName: '0-0:96.10.1', attribute: 2, dataIndex: 0 };
const IMPORT: ProfileColumn = { classId: 3, logicalName: '1-0:1.8.0', attribute: 2, dataIndex: 0 };
const EXPORT: ProfileColumn = { classId: 3, logicalName: '1-0:2.8.0', attribute: 2, dataIndex: 0 };

const encode = (data: Data): Uint8Array => {
  const writer = new Writer();
  encodeData(writer, data);
  return writer.finish();
};
const clockAt = (wallMs: number, deviation?: number, status = 0): Data => ({
  type: 'octet-string',
  value: dateTimeBytes(dateTimeOf(wallMs, { ...(deviation !== undefined && { deviation }), status })),
});
const u32 = (value: number): Data => ({ type: 'double-long-unsigned', value });
const u8 = (value: number): Data => ({ type: 'unsigned', value });
const NULL: Data = { type: 'null-data' };
const T0 = Date.UTC(2026, 2, 1);
const QUARTER = 900_000;

const both = (buffer: Uint8Array, columns: readonly ProfileColumn[], options: ProfileOptions = {}): Profile => {
  const fast = readProfile(buffer, columns, options);
  expect(readProfile(buffer, columns, { ...options, generic: true })).toEqual(fast);
  return fast;
};
const moments = (profile: Profile, column = 0): MomentValues => {
  expect(profile.columns[column]?.kind).toBe('moment');
  return profile.columns[column] as MomentValues;
};
const numbers = (profile: Profile, column: number): number[] => {
  expect(profile.columns[column]?.kind).toBe('number');
  return [...(profile.columns[column] as NumberValues).values];
};

describe('vectors', () => {
  it('two rows of clock, status and register', () => {
    const buffer = fromHex(
      '01 02' +
        '0203 090c 07ea 03 01 07 000000ff ffc4 00 1100 06 000004d2' +
        '0203 090c 07ea 03 01 07 000f00ff ffc4 08 1108 06 000004d7',
    );
    const profile = both(buffer, [CLOCK, STATUS, IMPORT]);
    expect(profile).toMatchObject({ rows: 2, clock: 0, status: 1 });
    expect(profile.stopped).toBeUndefined();
    const clock = moments(profile);
    expect([...clock.wall]).toEqual([T0, T0 + QUARTER]);
    expect([...clock.utc]).toEqual([T0 - 3_600_000, T0 + QUARTER - 3_600_000]);
    expect([...clock.deviation]).toEqual([-60, -60]);
    expect([...clock.status]).toEqual([0, 8]);
    expect(numbers(profile, 1)).toEqual([0, 8]);
    expect(numbers(profile, 2)).toEqual([1234, 1239]);
    expect((profile.columns[2] as NumberValues).type).toBe('double-long-unsigned');
  });
  it('null-data: the value above; in the clock, a capture period later', () => {
    const rows = [
      [clockAt(T0, -60), u32(1), u32(9)],
      [NULL, NULL, u32(10)],
      [NULL, u32(3), NULL],
      [clockAt(T0 + 5 * QUARTER, -60), NULL, NULL],
    ];
    const buffer = writeProfileRows(rows);
    const profile = both(buffer, [CLOCK, IMPORT, EXPORT], { capturePeriod: 900 });
    const wanted = [0, 1, 2, 5].map((n) => T0 + n * QUARTER - 3_600_000);
    expect([...moments(profile).utc]).toEqual(wanted);
    expect(numbers(profile, 1)).toEqual([1, 1, 3, 3]);
    expect(numbers(profile, 2)).toEqual([9, 10, 10, 10]);
    const back = both(buffer, [CLOCK, IMPORT, EXPORT], { capturePeriod: 900, newestFirst: true });
    expect(moments(back).utc[2]).toBe(T0 - 2 * QUARTER - 3_600_000);
    const unknown = both(buffer, [CLOCK, IMPORT, EXPORT]);
    expect(Number.isNaN(moments(unknown).utc[1])).toBe(true);
    expect(moments(unknown).utc[3]).toBe(wanted[3]);
  });
  it('a first row of null-data has nothing to repeat', () => {
    const profile = both(
      writeProfileRows([
        [NULL, NULL],
        [clockAt(T0, 0), u32(5)],
      ]),
      [CLOCK, IMPORT],
    );
    expect(Number.isNaN(moments(profile).utc[0])).toBe(true);
    expect(moments(profile).utc[1]).toBe(T0);
    expect(numbers(profile, 1)).toEqual([Number.NaN, 5]);
  });
  it('delta types add to the value above', () => {
    const rows: Data[][] = [
      [u32(1000), { type: 'long64', value: 10n }],
      [
        { type: 'delta-unsigned', value: 5 },
        { type: 'delta-integer', value: -3 },
      ],
      [{ type: 'delta-long', value: -300 }, NULL],
      [NULL, { type: 'delta-double-long-unsigned', value: 4_000_000_000 }],
      [u32(7), { type: 'delta-long-unsigned', value: 1 }],
    ];
    const profile = both(writeProfileRows(rows), [IMPORT, EXPORT]);
    expect(numbers(profile, 0)).toEqual([1000, 1005, 705, 705, 7]);
    expect(numbers(profile, 1)).toEqual([10, 7, 7, 4_000_000_007, 4_000_000_008]);
  });
  it('a compact-array, its clock and numbers without tags', () => {
    // Structure of octet-string and long-unsigned: two rows of 13 + 2 bytes.
    const clock = (hex: string) => `0c${hex}`;
    const buffer = fromHex(
      `13 02 02 09 12 1e ${clock('07ea030107000000ffffc400')} 04d2 ${clock('07ea030107000f00ffffc400')} 04d7`,
    );
    const profile = both(buffer, [CLOCK, IMPORT]);
    expect([...moments(profile).wall]).toEqual([T0, T0 + QUARTER]);
    expect(numbers(profile, 1)).toEqual([1234, 1239]);
    for (let cut = 6; cut < buffer.length; cut++) {
      const part = readProfile(buffer.subarray(0, cut), [CLOCK, IMPORT]);
      expect(part.rows).toBe(cut >= 21 ? 1 : 0);
      expect(part.stopped?.offset).toBe(part.rows === 1 ? 21 : 6);
    }
  });
  it('the same rows as array and as compact-array are the same profile', () => {
    const rows = Array.from({ length: 5 }, (_, i) => [clockAt(T0 + i * QUARTER, -60), u32(i), u8(i)]);
    const compact = encode({
      type: 'compact-array',
      description: {
        type: 'structure',
        of: [{ type: 'octet-string' }, { type: 'double-long-unsigned' }, { type: 'unsigned' }],
      },
      value: rows.map((value): Data => ({ type: 'structure', value })),
    });
    const columns = [CLOCK, IMPORT, STATUS];
    expect(readProfile(compact, columns)).toEqual(readProfile(writeProfileRows(rows), columns));
  });
  it('64-bit values stay exact', () => {
    const small: Data[][] = [
      [{ type: 'long64-unsigned', value: 2n ** 53n - 1n }],
      [{ type: 'long64', value: -(2n ** 53n) + 1n }],
    ];
    expect(numbers(both(writeProfileRows(small), [IMPORT]), 0)).toEqual([
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ]);
    const large: Data[][] = [[{ type: 'long64-unsigned', value: 2n ** 64n - 1n }], [u32(1)], [NULL]];
    expect(both(writeProfileRows(large), [IMPORT]).columns[0]).toEqual({
      kind: 'bigint',
      type: 'long64-unsigned',
      values: [2n ** 64n - 1n, 1n, 1n],
    });
  });
  it('texts, and rows whose types differ', () => {
    const text = (value: string): Data => ({ type: 'visible-string', value: new TextEncoder().encode(value) });
    const texts = both(writeProfileRows([[text('a')], [NULL], [text('b')]]), [IMPORT]);
    expect(texts.columns[0]).toEqual({ kind: 'text', values: ['a', 'a', 'b'] });
    const mixed = both(writeProfileRows([[u32(1)], [text('x')], [{ type: 'dont-care' }], [NULL]]), [IMPORT]);
    expect(mixed.columns[0]).toEqual({ kind: 'plain', values: [1, 'x', undefined, undefined] });
  });
  it('rows longer and shorter than the columns', () => {
    const buffer = fromHex('0103 0201 1101 0203 1102 1103 1104 0200');
    const profile = both(buffer, [IMPORT, EXPORT]);
    expect(profile.columns.map((_, c) => numbers(profile, c))).toEqual([
      [1, 2, Number.NaN],
      [Number.NaN, 3, Number.NaN],
      [Number.NaN, 4, Number.NaN],
    ]);
  });
  it('an empty one', () => {
    for (const hex of ['0100', '00']) expect(both(fromHex(hex), [CLOCK, IMPORT])).toMatchObject({ rows: 0, clock: 0 });
  });
});

describe('clocks', () => {
  const local = (status: number) => writeProfileRows([[clockAt(T0, undefined, status), u32(1)]]);
  it('without deviation need somebody who knows the zone', () => {
    expect(Number.isNaN(moments(both(local(0), [CLOCK, IMPORT])).utc[0])).toBe(true);
    const seen: (boolean | undefined)[] = [];
    const utcOf = (wall: number, daylightSaving: boolean | undefined) => {
      seen.push(daylightSaving);
      return wall - (daylightSaving ? 7_200_000 : 3_600_000);
    };
    expect(moments(readProfile(local(0), [CLOCK, IMPORT], { utcOf })).utc[0]).toBe(T0 - 3_600_000);
    expect(moments(readProfile(local(0x80), [CLOCK, IMPORT], { utcOf })).utc[0]).toBe(T0 - 7_200_000);
    expect(moments(readProfile(local(0xff), [CLOCK, IMPORT], { utcOf })).utc[0]).toBe(T0 - 3_600_000);
    expect(seen).toEqual([false, true, undefined]);
  });
  it('of meters that turn the sign of the deviation round', () => {
    const buffer = writeProfileRows([[clockAt(T0, 60), u32(1)]]);
    expect(moments(both(buffer, [CLOCK, IMPORT], { invertedDeviation: true })).utc[0]).toBe(T0 - 3_600_000);
  });
  it('that name no day have no time, but keep their status', () => {
    const buffer = fromHex('0101 0202 090c ffff ff ff ff ffffffff 8000 03 1101');
    const clock = moments(both(buffer, [CLOCK, IMPORT]));
    expect([clock.utc[0], clock.wall[0], clock.deviation[0], clock.status[0]]).toEqual([
      Number.NaN,
      Number.NaN,
      -0x8000,
      3,
    ]);
    const leap = fromHex(
      '0102 0202 090c 07e9 02 1d ff 000000ff 0000 00 1101 0202 090c 07e8 02 1d ff 000000ff 0000 00 1101',
    );
    expect([...moments(both(leap, [CLOCK, IMPORT])).utc]).toEqual([Number.NaN, Date.UTC(2024, 1, 29)]);
  });
  it('are those that the codec of dates reads', () => {
    const part = fc.oneof(fc.nat(255), fc.nat(60), fc.constant(255));
    const bytes = fc
      .tuple(fc.constantFrom(0x07, 0xff), part, part, part, part, part, part, part, part, part, part, part)
      .map((b) => Uint8Array.from(b));
    fc.assert(
      fc.property(bytes, (octets) => {
        const value = decodeDateTime(new Reader(octets));
        const clock = moments(both(Uint8Array.of(1, 1, 2, 1, 9, 12, ...octets), [CLOCK]));
        expect(clock.wall[0]).toBe(wallMillis(value) ?? Number.NaN);
        expect(clock.deviation[0]).toBe(value.deviation ?? -0x8000);
        expect(clock.status[0]).toBe(value.status ?? 0xff);
        expect(both(Uint8Array.of(1, 1, 2, 1, 25, ...octets), [CLOCK]).columns).toEqual([clock]);
      }),
      { numRuns: 100 },
    );
  });
  it('of capture times repeat where they are null', () => {
    const captured: ProfileColumn = { classId: 4, logicalName: '1-0:1.6.0', attribute: 5, dataIndex: 0 };
    const buffer = writeProfileRows([
      [clockAt(T0, 0), clockAt(T0 - 60_000, 0)],
      [NULL, NULL],
    ]);
    const profile = both(buffer, [CLOCK, captured], { capturePeriod: 900 });
    expect([...moments(profile, 1).utc]).toEqual([T0 - 60_000, T0 - 60_000]);
  });
});

const cell = (type: 'clock' | 'number'): fc.Arbitrary<Data> =>
  type === 'clock'
    ? fc.oneof(
        { weight: 3, arbitrary: fc.nat(3_000_000).map((n) => clockAt(T0 + n * 1000, -60)) },
        { weight: 1, arbitrary: fc.constant(NULL) },
      )
    : fc.oneof(
        { weight: 3, arbitrary: fc.nat(0xffffffff).map(u32) },
        { weight: 1, arbitrary: fc.constant(NULL) },
        fc.integer({ min: -0x8000, max: 0x7fff }).map((value): Data => ({ type: 'long', value })),
        fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: 'integer', value })),
        fc.integer({ min: -0x80000000, max: 0x7fffffff }).map((value): Data => ({ type: 'double-long', value })),
        fc.nat(255).map((value): Data => ({ type: 'enum', value })),
        fc.boolean().map((value): Data => ({ type: 'boolean', value })),
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value): Data => ({ type: 'long64', value })),
        fc.bigInt(0n, 2n ** 40n).map((value): Data => ({ type: 'long64-unsigned', value })),
        fc.float({ noNaN: true }).map((value): Data => ({ type: 'float32', value })),
        fc.double({ noNaN: true }).map((value): Data => ({ type: 'float64', value })),
        fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: 'delta-integer', value })),
        fc.nat(0xffff).map((value): Data => ({ type: 'delta-long-unsigned', value })),
        fc.integer({ min: -0x80000000, max: 0x7fffffff }).map((value): Data => ({ type: 'delta-double-long', value })),
        fc.nat(0xffff).map((value): Data => ({ type: 'long-unsigned', value })),
        fc.nat(99).map((value): Data => ({ type: 'bcd', value })),
        fc.nat(255).map((value): Data => ({ type: 'unsigned', value })),
      );
const table = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 4 })).chain(([clock, registers]) =>
  fc
    .array(fc.tuple(...(clock ? [cell('clock')] : []), ...Array.from({ length: registers }, () => cell('number'))), {
      maxLength: 12,
    })
    .map((rows) => ({
      rows,
      columns: [...(clock ? [CLOCK] : []), ...Array.from({ length: registers }, () => IMPORT)],
    })),
);

describe('the fast way', () => {
  it('gives what the generic one gives, for profiles as meters have them', () => {
    fc.assert(
      fc.property(table, fc.constantFrom(0, 900), ({ rows, columns }, capturePeriod) => {
        both(writeProfileRows(rows as readonly Cell[][]), columns, { capturePeriod });
      }),
      { numRuns: 150 },
    );
  });
  it('and for any rows of any data', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyData, { maxLength: 3 }), { maxLength: 6 }), (rows) => {
        const buffer = encode({ type: 'array', value: rows.map((value): Data => ({ type: 'structure', value })) });
        both(buffer, [CLOCK, IMPORT]);
      }),
      { numRuns: 100 },
    );
  });
  it('and for buffers with a wrong byte', () => {
    const buffer = writeProfileRows(Array.from({ length: 4 }, (_, i) => [clockAt(T0 + i * QUARTER, -60), u32(i)]));
    fc.assert(
      fc.property(fc.integer({ min: 2, max: buffer.length - 1 }), fc.nat(255), (at, byte) => {
        const bad = buffer.slice();
        bad[at] = byte;
        both(bad, [CLOCK, IMPORT], { capturePeriod: 900 });
      }),
      { numRuns: 150 },
    );
  });
});

describe('what is cut off', () => {
  it('keeps its whole rows and says where it stopped', () => {
    const rows = Array.from({ length: 4 }, (_, i) => [clockAt(T0 + i * QUARTER, -60), u32(i)]);
    const buffer = writeProfileRows(rows);
    const size = (buffer.length - 2) / 4;
    for (let cut = 2; cut < buffer.length; cut++) {
      const profile = both(buffer.subarray(0, cut), [CLOCK, IMPORT]);
      const whole = Math.floor((cut - 2) / size);
      expect(profile.rows).toBe(whole);
      expect((profile.columns[1] as NumberValues).values.length).toBe(whole);
      expect(profile.stopped).toMatchObject({ row: whole, offset: 2 + whole * size });
      expect(profile.stopped?.error).toBeInstanceOf(DecodeError);
    }
  });
  it('and what follows the last row is told', () => {
    const buffer = fromHex('0101 0201 1105 00');
    expect(both(buffer, [IMPORT]).stopped).toMatchObject({ row: 1, offset: 6 });
  });
  it('any bytes give a profile or a DecodeError, at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0x00, 0x01, 0x13), (bytes, tag) => {
        const buffer = Uint8Array.of(tag, ...bytes);
        try {
          both(buffer, [CLOCK, IMPORT]);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 400 },
    );
  });
  it('lies about sizes cost nothing', () => {
    for (const hex of ['01 84 00 01 86 9f', '13 01 ffff 01 ffff 01 ffff 11 82 ffff 00', '13 00 05 0000000000'])
      expect(readProfile(fromHex(hex), [CLOCK, IMPORT]).stopped).toBeDefined();
    expect(() => readProfile(fromHex('01 84 ffffffff'), [CLOCK])).toThrow(DecodeError);
    expect(() => readProfile(fromHex('09 00'), [CLOCK])).toThrow(/array/);
    expect(() => readProfile(new Uint8Array(0), [CLOCK])).toThrow(DecodeError);
  });
});

describe('writing', () => {
  const rows = Array.from({ length: 6 }, (_, i) => [
    clockAt(T0 + (i > 3 ? i + 1 : i) * QUARTER, i === 2 ? -120 : -60),
    u8(0),
    u32(i >> 1),
  ]);
  it('null-data saves what the rules give back', () => {
    const columns = [CLOCK, STATUS, IMPORT];
    const plain = writeProfileRows(rows);
    const packed = writeProfileRows(rows, { nullData: true, clock: 0, capturePeriod: 900 });
    // Of six clocks four stay: the first, the one with another deviation and the one after it, the one after a gap.
    expect(plain.length - packed.length).toBe(2 * 13 + 5 * 1 + 3 * 4);
    expect(readProfile(packed, columns, { capturePeriod: 900 })).toEqual(readProfile(plain, columns));
  });
  it('never changes what is read', () => {
    const value = fc.oneof(fc.nat(3).map(u32), fc.nat(1).map(u8), fc.constant<Data>({ type: 'boolean', value: true }));
    const clocks = fc.array(
      fc.tuple(fc.constantFrom(900, 900, 900, 60), fc.constantFrom(-60, -60, -120), fc.constantFrom(0, 0, 1)),
      {
        maxLength: 10,
      },
    );
    fc.assert(
      fc.property(clocks, fc.infiniteStream(value), fc.boolean(), (steps, values, newestFirst) => {
        let wall = T0;
        const list = steps.map(([seconds, deviation, status]) => {
          wall += (newestFirst ? -seconds : seconds) * 1000;
          return [clockAt(wall, deviation, status), values.next().value as Data];
        });
        const options = { clock: 0, capturePeriod: 900, newestFirst };
        const packed = writeProfileRows(list, { nullData: true, ...options });
        const columns = [CLOCK, IMPORT];
        expect(readProfile(packed, columns, options)).toEqual(readProfile(writeProfileRows(list), columns));
      }),
    );
  });
  it('takes encoded cells, and only rows of one width', () => {
    const row = rows[0] as Data[];
    expect(writeProfileRows([row.map(encode)])).toEqual(writeProfileRows([row]));
    expect(writeProfileRows([])).toEqual(fromHex('0100'));
    expect(() => writeProfileRows([row, row.slice(1)])).toThrow(MisuseError);
  });
});

describe('columns', () => {
  it('go from capture objects and back, and have names', () => {
    const columns = [CLOCK, STATUS, IMPORT, { classId: 5, logicalName: '1-0:1.6.0', attribute: 6, dataIndex: 0 }];
    expect(profileColumns(captureObjectsOf(columns))).toEqual(columns);
    expect(profileColumns(encode(captureObjectsOf(columns)))).toEqual(columns);
    expect(columns.map(columnName)).toEqual([
      'clock',
      'statusRegister1',
      'activeEnergyImport',
      'activePowerImportMaximum.capture_time',
    ]);
    expect(columnName({ classId: 9999, logicalName: '1-0:1.7.0', attribute: 3, dataIndex: 2 })).toBe(
      'activePowerImport.attribute3[2]',
    );
    const instanceId = Uint8Array.of(1, 0, 1, 8, 0, 255);
    expect(columnOfCapture({ classId: 3, instanceId, attributeId: 2, dataIndex: 0 })).toEqual(IMPORT);
  });
  it('of anything else are none', () => {
    expect(profileColumns(NULL)).toEqual([]);
    expect(() => profileColumns(fromHex('0102'))).toThrow(DecodeError);
  });
});
