/** Profile buffers by range and by entry, against a filter over all rows. */
import { fromHex, Reader, toHex, Writer } from '@amiable/bytes';
import { type Data, decodeData } from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyOf, obisToBytes, type Rows, readRows } from '../src/index.ts';

const COLUMNS = [
  { classId: 8, logicalName: '0-0:1.0.0', attributeIndex: 2 },
  { classId: 3, logicalName: '1-0:1.8.0', attributeIndex: 2 },
  { classId: 3, logicalName: '1-0:2.8.0', attributeIndex: 2 },
] as const;

/** Rows of [key, key + 1, key + 2]; told as double-long-unsigned. */
function rowsOf(keys: readonly number[], ascending: boolean): Rows & { written: number } {
  return {
    written: 0,
    columns: COLUMNS,
    count: keys.length,
    write(writer, row, column) {
      this.written++;
      writer.u8(6).u32((keys[row] as number) + column);
    },
    key: (row, column) => (keys[row] as number) + column,
    keyOf: (value, _, end) => keyOf(value, end),
    ...(ascending && { ascendingBy: 0 }),
  };
}

const definition = (c: (typeof COLUMNS)[number], data = 0): string =>
  `020412${c.classId.toString(16).padStart(4, '0')}0906${toHex(obisToBytes(c.logicalName))}0f0212${data.toString(16).padStart(4, '0')}`;
const number = (n: number): string => `06${n.toString(16).padStart(8, '0')}`;
const range = (from: string, to: string, selected: readonly number[] = [], by = 0): Uint8Array =>
  fromHex(
    `0204${definition(COLUMNS[by]!)}${from}${to}01${selected.length.toString(16).padStart(2, '0')}${selected
      .map((i) => definition(COLUMNS[i]!))
      .join('')}`,
  );
const entries = (from: number, to: number, fromColumn: number, toColumn: number): Uint8Array =>
  new Writer().u16(0x0204).u8(6).u32(from).u8(6).u32(to).u8(0x12).u16(fromColumn).u8(0x12).u16(toColumn).finish();

function table(result: ReturnType<typeof readRows>): number[][] | number {
  if ('error' in result) return result.error;
  const reader = new Reader(result.data);
  const value = decodeData(reader) as Extract<Data, { type: 'array' }>;
  expect(reader.remaining).toBe(0);
  return value.value.map((row) =>
    (row as Extract<Data, { type: 'structure' }>).value.map((cell) => (cell as { value: number }).value),
  );
}

const keys = fc.array(fc.nat(200), { maxLength: 40 });
const bound = fc.nat(210);
const whole = (row: number): number[] => [row, row + 1, row + 2];

describe('by range', () => {
  test('a column asked for a thousand times is not written a thousand times', () => {
    const rows = rowsOf(
      Array.from({ length: 2000 }, (_, i) => i),
      true,
    );
    const columns = 1000;
    const selected = definition(COLUMNS[1]).repeat(columns);
    const parameters = fromHex(
      `0204${definition(COLUMNS[0])}${number(0)}${number(5000)}01820${columns.toString(16)}${selected}`,
    );
    expect(readRows(rows, { selector: 1, parameters })).toEqual({ error: 13 });
    expect(rows.written).toBe(0);
    // Twice, too: a row has each of its columns once.
    expect(readRows(rows, { selector: 1, parameters: range(number(0), number(0), [1, 1]) })).toEqual({ error: 13 });
    expect(table(readRows(rows, { selector: 1, parameters: range(number(0), number(0), [2, 1]) }))).toEqual([[2, 1]]);
  });

  test('gives what a filter over all rows gives, sorted or not, and writes no more than that', () => {
    fc.assert(
      fc.property(keys, bound, bound, fc.boolean(), fc.nat(2), (given, from, to, ascending, by) => {
        const of = ascending ? [...given].sort((a, b) => a - b) : given;
        const rows = rowsOf(of, ascending);
        const wanted = of.filter((key) => key + by >= from && key + by <= to).map(whole);
        const access = { selector: 1, parameters: range(number(from), number(to), [], by) };
        expect(table(readRows(rows, access))).toEqual(wanted);
        expect(rows.written).toBe(3 * wanted.length);
      }),
      { numRuns: 150 },
    );
  });

  test('columns are those selected, in that order', () => {
    const rows = rowsOf([10, 20, 30], true);
    const access = { selector: 1, parameters: range(number(15), number(30), [2, 0]) };
    expect(table(readRows(rows, access))).toEqual([
      [22, 20],
      [32, 30],
    ]);
  });

  test('objects that are not captured, and parameters that are none', () => {
    const rows = rowsOf([10], true);
    const odd = range(number(0), number(1));
    odd[4] = 0x09;
    const other = fromHex(
      `0204${definition({ ...COLUMNS[0], logicalName: '0-0:1.0.1' } as never)}${number(0)}${number(1)}0100`,
    );
    expect(table(readRows(rows, { selector: 1, parameters: other }))).toBe(13);
    expect(table(readRows(rows, { selector: 1, parameters: fromHex('00') }))).toBe(12);
    expect(table(readRows(rows, { selector: 1, parameters: range('0900', number(1)) }))).toBe(12);
    expect(table(readRows(rows, { selector: 3, parameters: fromHex('00') }))).toBe(13);
  });

  test('no parameters throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 60 }), (selector, parameters) => {
        table(readRows(rowsOf([1, 2, 3], true), { selector, parameters }));
      }),
      { numRuns: 200 },
    );
  });
});

describe('by entry', () => {
  test('gives what slices give', () => {
    fc.assert(
      fc.property(keys, fc.nat(45), fc.nat(45), fc.nat(4), fc.nat(4), (of, from, to, first, last) => {
        const got = table(readRows(rowsOf(of, false), { selector: 2, parameters: entries(from, to, first, last) }));
        const end = last === 0 ? 3 : Math.min(last, 3);
        if (from === 0 || first === 0 || first > 3 || end < first) {
          expect(got).toBe(13);
          return;
        }
        const wanted = of
          .slice(from - 1, to === 0 ? undefined : Math.max(to, from - 1))
          .map((k) => whole(k).slice(first - 1, end));
        expect(got).toEqual(wanted);
      }),
      { numRuns: 150 },
    );
  });
});

test('without selection everything', () => {
  expect(table(readRows(rowsOf([5, 3], false)))).toEqual([whole(5), whole(3)]);
});

describe('keys', () => {
  const octets = (date: string): Uint8Array => fromHex(`090c${date}`);
  test.each([
    ['07ea0301ff000f0000ffc480', 0, Date.UTC(2026, 1, 28, 23, 15)],
    ['07ea0301ff000f00008000ff', -60, Date.UTC(2026, 1, 28, 23, 15)],
    ['07ea0301ff000f00008000ff', 0, Date.UTC(2026, 2, 1, 0, 15)],
    ['07ea0301ffffffffff8000ff', 0, Date.UTC(2026, 2, 1)],
  ])('%s from, at deviation %i', (date, deviation, wanted) => {
    expect(keyOf(octets(date), 'from', deviation)).toBe(wanted);
  });

  test('what is open is the whole of it', () => {
    expect(keyOf(octets('07ea02ffffffffffff8000ff'), 'to')).toBe(Date.UTC(2026, 1, 28, 23, 59, 59));
    expect(keyOf(octets('ffffffffffffffffff8000ff'), 'to')).toBe(Number.POSITIVE_INFINITY);
    expect(keyOf(octets('ffffffffffffffffff8000ff'), 'from')).toBe(Number.NEGATIVE_INFINITY);
    expect(keyOf(octets('07ea0d01ff000f00008000ff'), 'from')).toBeUndefined();
  });

  test('numbers of all widths', () => {
    expect(
      ['11ff', '0fff', '12ffff', '10ffff', '06ffffffff', '05ffffffff'].map((n) => keyOf(fromHex(n), 'from')),
    ).toEqual([255, -1, 65535, -1, 4294967295, -1]);
    expect(keyOf(fromHex('0102'), 'from')).toBeUndefined();
    expect(keyOf(fromHex('06ff'), 'from')).toBeUndefined();
  });
});
