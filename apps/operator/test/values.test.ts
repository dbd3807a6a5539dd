/** `amiable values`: what a file of edits says, and how values are shown. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../src/action.ts';
import { editsOfFile, rowsOf, summaryOf } from '../src/values/words.ts';

const GIVEN = { quantity: 'energyImport', period: 900 };

describe('a file of edits', () => {
  test('joins what follows each other, in any order of lines', () => {
    const text = [
      '\ufeffmeter;time;value',
      '17;2026-11-18T06:15:00Z;118,5',
      '17;2026-11-18T07:00:00+01:00;120',
      '',
      '18;2026-11-18T06:00:00Z;-',
      '17;2026-11-18T07:00:00Z;',
    ].join('\r\n');
    expect(editsOfFile(text, GIVEN)).toEqual([
      {
        meter: '17',
        ...GIVEN,
        from: '2026-11-18T06:00:00.000Z',
        to: '2026-11-18T06:30:00.000Z',
        values: ['120', '118.5'],
      },
      { meter: '17', ...GIVEN, from: '2026-11-18T07:00:00.000Z', to: '2026-11-18T07:15:00.000Z', values: [null] },
      { meter: '18', ...GIVEN, from: '2026-11-18T06:00:00.000Z', to: '2026-11-18T06:15:00.000Z', values: [null] },
    ]);
  });
  test('names quantity and period where several are edited', () => {
    const text = 'meter,time,value,quantity,period\n17,2026-11-18T06:00:00Z,1,gasVolume,3600\n';
    expect(editsOfFile(text, GIVEN)).toMatchObject([
      { quantity: 'gasVolume', period: 3600, to: '2026-11-18T07:00:00.000Z' },
    ]);
  });
  test.each([
    ['17;1', 'line 1: there is no column'],
    ['meter,time\n', 'a heading is wanted'],
    ['nothing', 'a heading is wanted'],
    ['meter,time,value\n17,2026-11-18 06:00,1\n', 'line 2: "2026-11-18 06:00" is no time'],
    ['meter,time,value\n17,2026-11-18T06:00:00Z,twelve\n', 'line 2: "twelve" is no decimal'],
    ['meter,time,value\n17,2026-11-18T06:00:00Z,1,2\n', 'line 2: 4 cells for 3 columns'],
    ['meter,time,value\n,2026-11-18T06:00:00Z,1\n', 'line 2: no meter'],
    ['meter,time,value\n1,2026-11-18T06:00:00Z,1\n1,2026-11-18T06:00:00Z,2\n', 'is there twice'],
    ['meter,time,value,period\n1,2026-11-18T06:00:00Z,1,x\n', 'x is no period'],
  ])('%j is refused', (text, why) => {
    expect(() => editsOfFile(text, GIVEN)).toThrow(UsageError);
    expect(() => editsOfFile(text, GIVEN)).toThrow(why);
  });
  test('whatever it holds, is understood or refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.boolean(), (text, headed) => {
        try {
          editsOfFile(headed ? `meter,time,value\n${text}` : text, GIVEN);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});

test('values have one sign each, and a line that adds them up', () => {
  const answer = {
    meter: '17',
    quantity: 'energyImport',
    unit: 'Wh',
    period: 900,
    asOf: null,
    start: '2026-11-18T06:00:00.000Z',
    values: [1, 2.5, null, 4],
    quality: [
      ['measured', 1],
      ['estimated', 1],
      ['missing', 1],
      ['edited', 1],
    ] as ['measured' | 'estimated' | 'missing' | 'edited', number][],
    counts: { measured: 1, calculated: 0, edited: 1, estimated: 1, missing: 1 },
    sum: '7.5',
    version: 2,
  };
  expect(rowsOf(answer).map((r) => `${r.time.slice(11, 16)} ${r.value} ${r.quality}`)).toEqual([
    '06:00 1 measured',
    '06:15 2.5 estimated',
    '06:30 null missing',
    '06:45 4 edited',
  ]);
  expect(summaryOf(answer)).toBe(
    '4 intervals: 1 measured, 1 edited (25.0 %), 1 estimated (25.0 %), 1 missing (25.0 %); sum 7.5 Wh; some were changed: `amiable values history`',
  );
});
