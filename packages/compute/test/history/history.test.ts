import { describe, expect, it } from 'vitest';
import { readHistory } from '../../src/history/history.ts';

const H = 3_600_000;
const OSLO = { zone: 'Europe/Oslo' };
const T = Date.UTC(2026, 9, 24, 22);

describe("a household's own history", () => {
  it('reads a portal of Norway: from, to, decimal comma, the repeated hour twice', () => {
    const hours = ['00', '01', '02', '02', '03'];
    const lines = hours.map(
      (h, i) => `25.10.2026 ${h}:00;25.10.2026 ${hours[i + 1] ?? '04'}:00;0,${i + 1};${i === 2 ? 'Estimert' : 'Målt'}`,
    );
    const found = readHistory(
      `Målepunkt;707057500000000001\nFra;Til;KWH 60 Forbruk;Kvalitet\n${lines.join('\r\n')}`,
      OSLO,
    );
    expect(found).toMatchObject({ unit: 'Wh', count: 5, faults: [] });
    expect(found.intervals).toEqual({
      start: T,
      step: H,
      scaler: 0,
      values: Float64Array.of(100, 200, 300, 400, 500),
      quality: Uint8Array.of(0, 0, 3, 0, 0),
    });
  });

  it('reads UTC with an id in front, date and clock apart, twelve hours, end stamps, and backwards', () => {
    const datahub =
      'Tunnus;Alkuaika;Määrä;Yksikkö\n643000000000000000;2026-10-24T22:00:00Z;1,5;kWh\n643000000000000000;2026-10-24T22:15:00Z;2;kWh\n';
    expect(readHistory(datahub, OSLO).intervals).toMatchObject({
      start: T,
      step: H / 4,
      values: Float64Array.of(1500, 2000),
    });
    const american =
      'TYPE,DATE,START TIME,USAGE,UNITS\nusage,11/20/2026,12:00 AM,0.25,kWh\nusage,11/20/2026,1:00 AM,0.5,kWh\n';
    expect(readHistory(american, { zone: 'America/Chicago' }).intervals).toMatchObject({
      start: Date.UTC(2026, 10, 20, 6),
      values: Float64Array.of(250, 500),
    });
    const ends = 'time,kWh\n2026-10-25 02:00,2\n2026-10-25 01:00,1\n';
    expect(readHistory(ends, { ...OSLO, stamp: 'end' }).intervals).toMatchObject({
      start: T,
      values: Float64Array.of(1000, 2000),
    });
  });

  it('takes cumulative readings as differences, with a hole where one lacks', () => {
    const text =
      'time;stand m3\n2026-10-25 00:00;10,5\n2026-10-25 01:00;10,75\n2026-10-25 02:00+02:00;11\n2026-10-25 05:00;12\n2026-10-25 06:00;11\n';
    const found = readHistory(text, { ...OSLO, cumulative: true });
    expect(found.unit).toBe('m3');
    expect([...(found.intervals?.values ?? [])].slice(0, 3)).toEqual([25, 25, Number.NaN]);
    expect(found.faults).toEqual([{ line: 6, message: 'the register fell here: was the meter exchanged?' }]);
  });

  it('tells what is wrong by line, and asks where it cannot tell', () => {
    const text =
      'time;kWh\n2026-11-20 00:00;1\n2026-11-20 01:00;x\n2026-11-20 01:30;1\n2026-11-20 02:00;1\n2026-11-20 02:00;2\nSum;3\n2026-11-20 03:00;-1\n2026-11-20 04:00;1\n2026-11-20 05:00;1\n';
    expect(readHistory(text, OSLO).faults.map((f) => f.line)).toEqual([3, 4, 6, 7, 8]);
    const first = (csv: string, form = {}) => readHistory(csv, { ...OSLO, ...form }).faults[0]?.message;
    expect(first('nothing')).toContain('say the separator');
    expect(first('t;a;b\n2026-11-20 00:00;1;2\n2026-11-20 01:00;1;2\n')).toContain('which column is the value');
    expect(first('t;value\n2026-11-20 00:00;1\n2026-11-20 01:00;1\n')).toContain('say the unit');
    expect(first('t;kWh\n2026-11-20;1\n2026-11-21;1\n')).toContain('1440 minutes apart');
    expect(first('t;kWh\n3/4/2026 00:00;1\n3/4/2026 01:00;1\n')).toContain('whether the day comes first');
    expect(first('t;kWh\n2026-11-20 00:00;1\n2026-11-20 01:00;1\n', { value: 'x' })).toContain('no column "x"');
    expect(first('t;kWh\n1990-11-20 00:00;1\n1990-11-20 01:00;1\n2090-11-20 01:00;1\n')).toContain('cut it in parts');
  });
});
