/** Rows and events out of data sets: whatever a meter prints, nothing is thrown and rows ascend within what was asked. */
import { parseDataBlock } from '@amiable/iec62056-21';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainCode, sourceOf } from '../src/acquire/iec-codes.ts';
import { historyRows, logEvents, profileRows } from '../src/acquire/iec-rows.ts';

const ZONE = 'Europe/Oslo';
const ALL = [{ from: 0, to: Date.UTC(2100, 0, 1) }];
const sets = (text: string) => parseDataBlock(text, () => {});

describe('rows', () => {
  test('scalers that differ are brought to one, exactly', () => {
    const text = 'P.01(0261120001500)(00)(15)(2)(1.8.0)(kWh)(2.8.0)(Wh)(1.5)(7)\r\n(2.125)(8)\r\n';
    const { tables, came } = profileRows(sets(text), ZONE, ALL, undefined, 'amr');
    expect(came).toBe(2);
    expect(tables[0]?.columns.map(({ obis, unit, scaler, values }) => [obis, unit, scaler, [...values]])).toEqual([
      ['1-0:1.8.0', 'Wh', 0, [1500, 2125]],
      ['1-0:2.8.0', 'Wh', 0, [7, 8]],
    ]);
    expect([...(tables[0]?.times ?? [])]).toEqual([Date.UTC(2026, 10, 19, 23, 15), Date.UTC(2026, 10, 19, 23, 30)]);
  });

  test('billing history: days at midnight, months at their resets, also where the reset has a code of its own', () => {
    const text =
      '1.8.0*02(000100*kWh)(26-11-18 00:00)\r\n1.8.0*01(000110*kWh)(26-11-19 00:05)\r\n1.6.0*01(9*kW)(26-11-02 10:00)\r\n';
    const days = historyRows(sets(text), ZONE, 86_400, ALL, undefined).tables[0];
    expect([...(days?.times ?? [])]).toEqual([Date.UTC(2026, 10, 17, 23), Date.UTC(2026, 10, 18, 23)]);
    expect(days?.columns).toHaveLength(1);
    expect(historyRows(sets(text), ZONE, 0, ALL, undefined).tables).toEqual([]);
    const months = '0.1.2*03(26-11-01 00:00)\r\n1.8.0*03(5*kWh)\r\n';
    expect([...(historyRows(sets(months), ZONE, 0, ALL, undefined).tables[0]?.times ?? [])]).toEqual([
      Date.UTC(2026, 9, 31, 23),
    ]);
  });

  test('a log without codes: each bit of the status word is an event', () => {
    const { events } = logEvents(sets('P.98(0261120120000)(00C0)()()(0)()()\r\n'), ZONE, 0);
    expect(events.map(({ code }) => code)).toEqual([6, 7]);
  });

  test('codes in all their forms', () => {
    expect(['1-0:1.8.0*255', '1-1:1.8.0', '01.08.0', '1.8.0'].map(plainCode)).toEqual(Array(4).fill('1.8.0'));
    expect(plainCode('0-0:96.1.0')).toBe(plainCode('C.1.0'));
    expect(sourceOf('1-0:99.2.0')).toEqual({ kind: 'profile', address: 'P.02' });
    expect(sourceOf('0-0:99.98.1')).toBeUndefined();
    expect(sourceOf('P.98')).toEqual({ kind: 'log', address: 'P.98' });
  });

  test('whatever is printed', () => {
    const value = fc.oneof(
      fc.constantFrom(
        '0261120001500',
        '00',
        '15',
        '1',
        '2',
        '1.8.0',
        'kWh',
        '26-11-01 00:00',
        '',
        '24:00',
        '9999999999',
      ),
      fc.stringMatching(/^[0-9A-F.*:-]{0,24}$/),
    );
    const line = fc
      .tuple(fc.constantFrom('P.01', 'P.98', '1.8.0*01', '0.1.2*01', '1.8.0', ''), fc.array(value, { maxLength: 12 }))
      .map(([address, values]) => `${address}${values.map((text) => `(${text})`).join('')}`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const found = sets(lines.join('\r\n'));
        logEvents(found, ZONE, 0);
        for (const { tables } of [
          profileRows(found, ZONE, ALL, undefined, 'amr'),
          historyRows(found, ZONE, 86_400, ALL, undefined),
          historyRows(found, ZONE, 0, ALL, ['1-0:1.8.0']),
        ])
          for (const { times, columns } of tables) {
            for (let i = 1; i < times.length; i++) expect(times[i]).toBeGreaterThan(times[i - 1] as number);
            for (const { values } of columns) expect(values).toHaveLength(times.length);
          }
      }),
      { numRuns: 150 },
    );
  });
});
