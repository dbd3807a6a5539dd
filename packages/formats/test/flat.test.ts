/** Flat files by a design: written, read back, and what is told of wrong ones. */
import { flatFormat } from '@amiable/model/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dateForm } from '../src/date.ts';
import { createFlatReader } from '../src/flat/read.ts';
import { createSimpleReader } from '../src/flat/simple.ts';
import { createFlatWriter } from '../src/flat/write.ts';
import { decimalText } from '../src/text.ts';
import { expected, facts, fileOf, given, intervals, QUARTER, readAll, sample, textOf } from './samples.ts';

const simple = flatFormat.parse({
  columns: [
    { field: 'meter' },
    { field: 'point' },
    { field: 'quantity' },
    { field: 'time', date: 'dd.MM.yyyy HH:mm', zone: 'local' },
    { field: 'value', unit: 'kWh', decimals: 5 },
    { field: 'quality', words: { measured: 'W', estimated: 'E', edited: 'K', calculated: 'B', missing: '-' } },
  ],
  decimal: ',',
  header: [
    [{ field: 'constant', text: 'H' }, { field: 'created', date: 'yyyyMMddHHmmss', zone: 'utc' }, { field: 'name' }],
  ],
  footer: [[{ field: 'constant', text: 'T' }, { field: 'rows' }, { field: 'sum', unit: 'kWh', decimals: 5 }]],
});
const zone = 'Europe/Oslo';
const period = QUARTER;

test('a separated file is written as the design says, byte by byte', () => {
  expect(textOf(createFlatWriter(simple, facts), sample)).toBe(
    [
      'H;20261120223000;4711',
      'meter;point;quantity;time;value;quality',
      '6970631000000001;707057500000000001;energyImport;20.11.2026 00:00;0,25000;W',
      '6970631000000001;707057500000000001;energyImport;20.11.2026 00:15;0,27500;E',
      '6970631000000001;707057500000000001;energyImport;20.11.2026 00:45;0,30000;K',
      '6970631000000002;707057500000000002;energyExport;20.11.2026 00:00;1,23450;W',
      '6970631000000002;707057500000000002;energyExport;20.11.2026 00:15;0,00000;W',
      '6970631000000002;707057500000000002;energyExport;20.11.2026 00:30;0,00070;W',
      '6970631000000002;707057500000000002;energyExport;20.11.2026 00:45;0,00010;W',
      'T;7;2,06030',
      '',
    ].join('\r\n'),
  );
});

test('and read back to the same values, in any pieces', () => {
  const bytes = fileOf(createFlatWriter(simple, facts), sample);
  for (const piece of [1, 7, 4096]) {
    const { rows, faults } = readAll((sink) => createFlatReader(simple, sink, { zone, period }), bytes, piece);
    expect(faults).toEqual([]);
    expect(given(rows)).toEqual(expected(sample));
    expect(rows.map(({ quality }) => quality)).toEqual([
      'measured',
      'estimated',
      'edited',
      'measured',
      'measured',
      'measured',
      'measured',
    ]);
  }
});

const fixed = flatFormat.parse({
  layout: 'fixed',
  encoding: 'latin1',
  lineEnd: 'lf',
  columnNames: false,
  columns: [
    { field: 'constant', text: 'V', width: 1 },
    { field: 'meter', width: 18, pad: '_' },
    { field: 'end', date: 'yyyyMMddHHmmxx', zone: 'local', width: 17 },
    { field: 'value', width: 12, align: 'right', pad: '0' },
    { field: 'quality', words: { measured: 'på', missing: 'ø' }, width: 11 },
  ],
  missing: { write: '?' },
  footer: [
    [
      { field: 'constant', text: 'Z', width: 1 },
      { field: 'lines', width: 8, align: 'right', pad: '0' },
    ],
  ],
});

test('fixed width: padded, negative numbers with zeros, Latin-1, missing values written', () => {
  const series = [intervals(1, [250, -3, null], { quality: Uint8Array.of(0, 0, 4), scaler: -3 })];
  const bytes = fileOf(createFlatWriter(fixed, facts), series);
  expect(Buffer.from(bytes).toString('latin1')).toBe(
    [
      'V6970631000000001__202611200015+0100' + '00000000.250på         ',
      'V6970631000000001__202611200030+0100' + '-0000000.003på         ',
      'V6970631000000001__202611200045+010000000000000?ø          ',
      'Z00000004',
      '',
    ].join('\n'),
  );
  const { rows, faults } = readAll(
    (sink) => createFlatReader(fixed, sink, { zone, period, what: 'energyImport' }),
    bytes,
    5,
  );
  expect(faults).toEqual([]);
  expect(rows.map(({ mantissa, scaler, quality, time }) => [mantissa, scaler, quality, time - facts.from])).toEqual([
    [250, -3, 'measured', 0],
    [-3, -3, 'measured', QUARTER],
    [null, 0, 'missing', 2 * QUARTER],
  ]);
});

test('the repeated hour of autumn comes back as it was, without an offset in the file', () => {
  const start = Date.UTC(2026, 9, 24, 22);
  const day = intervals(
    1,
    Array.from({ length: 100 }, (_, i) => i + 1),
    { start },
  );
  const { rows, faults } = readAll(
    (sink) => createFlatReader(simple, sink, { zone, period }),
    fileOf(createFlatWriter(simple, facts), [day]),
  );
  expect(faults).toEqual([]);
  expect(rows.map(({ time }) => time)).toEqual(Array.from({ length: 100 }, (_, i) => start + i * QUARTER));
});

test('what cannot be written is refused with what to do', () => {
  const narrow = flatFormat.parse({
    ...fixed,
    columns: fixed.columns.map((c) => (c.field === 'meter' ? { ...c, width: 5 } : c)),
  });
  expect(() => fileOf(createFlatWriter(narrow, facts), sample)).toThrow(
    /16 characters and its column 5; make the column wider/,
  );
  const bare = flatFormat.parse({ ...simple, quote: 'never' });
  const odd = intervals(1, [1]);
  const with_ = [{ ...odd, meter: { ...odd.meter, serial: 'a;b' } }];
  expect(() => fileOf(createFlatWriter(bare, facts), with_)).toThrow(/holds the separator/);
  const latin = flatFormat.parse({ ...simple, encoding: 'latin1' });
  expect(() => fileOf(createFlatWriter(latin, facts), [{ ...odd, meter: { ...odd.meter, point: 'č' } }])).toThrow(
    /Latin-1 has no/,
  );
  const gas = { ...odd, quantity: { name: 'gasVolume', obis: '7-0:3.29.0', unit: 'm3' } };
  expect(() => fileOf(createFlatWriter(simple, facts), [gas])).toThrow(/counted in m3 and the format wants kWh/);
});

test('texts that a spreadsheet would calculate are defused, line ends cannot break a line, and reading undoes it', () => {
  for (const serial of ['=HYPERLINK("http://x";1)', '+1', '-1', '@x', "'=1", 'a\r\nb;c', 'a"b']) {
    const one = intervals(1, [5]);
    const series = [{ ...one, meter: { ...one.meter, serial } }];
    const text = textOf(createFlatWriter(simple, facts), series);
    expect(text.split('\r\n')).toHaveLength(5);
    expect(text).not.toMatch(/(^|;|\n)"?[=+@]/);
    const { rows } = readAll((sink) => createFlatReader(simple, sink, { zone, period }), text);
    expect(rows[0]?.meter).toBe(serial.replace('\r\n', ' '));
  }
});

const good = textOf(createFlatWriter(simple, facts), sample);
const wrong = (from: string | RegExp, to: string) =>
  readAll((sink) => createFlatReader(simple, sink, { zone, period }), good.replace(from, to)).faults;

test.each([
  ['a number', '0,27500', '0,2x5', { line: 4, column: 67, field: 'value' }, /decimal comma/],
  ['a decimal point', '0,27500', '0.27500', { line: 4, column: 67, field: 'value' }, /decimal comma/],
  [
    'a time',
    '20.11.2026 00:15;0,27',
    '31.11.2026 00:15;0,27',
    { line: 4, column: 50, field: 'time' },
    /no day and time/,
  ],
  [
    'a skipped hour',
    '20.11.2026 00:15;0,27',
    '29.03.2026 02:15;0,27',
    { line: 4, column: 50, field: 'time' },
    /skipped by the clocks/,
  ],
  ['a quality', '0,27500;E', '0,27500;X', { line: 4, column: 75, field: 'quality' }, /no quality/],
  ['a column too few', ';0,27500;E', ';0,27500', { line: 4, column: 74 }, /5 columns and the format 6/],
  ['a column too many', ';0,27500;E', ';0,27500;E;x', { line: 4, column: 77 }, /7 columns/],
  [
    'an open quote',
    '6970631000000001;7070575',
    '"6970631000000001;7070575',
    { line: 3, column: 1 },
    /quote that opens/,
  ],
  ['another format', 'H;2026', 'X;2026', { line: 1, column: 1 }, /right format/],
  ['a cut file', /T;7.*\r\n/, '', { line: 9, column: 1 }, /whole/],
  ['a wrong count', 'T;7', 'T;8', { line: 10, column: 3, field: 'rows' }, /says "8" rows and has 7/],
  ['a wrong sum', '2,06030', '2,06031', { line: 10, column: 5, field: 'sum' }, /add up/],
])('%s is told by line and column', (_, from, to, at, message) => {
  const [first] = wrong(from, to);
  expect(first).toMatchObject(at);
  expect(first?.message).toMatch(message);
});

test('definitions that cannot be are refused with the reason', () => {
  const of = (change: object): string =>
    flatFormat
      .safeParse({ ...simple, ...change })
      .error?.issues.map(({ message }) => message)
      .join('; ') ?? '';
  const { columns } = simple;
  expect(of({ separator: ',' })).toMatch(/separates columns already/);
  expect(of({ layout: 'fixed' })).toMatch(/needs the width/);
  expect(of({ columns: columns.filter((c) => c.field !== 'value') })).toMatch(/no column for the value/);
  expect(of({ columns: [...columns, { field: 'meter' }] })).toMatch(/stands in two columns/);
  expect(of({ columns: columns.filter((c) => c.field !== 'meter' && c.field !== 'point') })).toMatch(/whose value/);
  expect(of({ columns: [{ field: 'meter' }, { field: 'value' }, { field: 'time', date: 'dd.MM.YYYY' }] })).toMatch(
    /mean nothing/,
  );
});

test('plain tables that nobody designed: columns by their names, in several languages', () => {
  const read = (text: string, more = {}) =>
    readAll((sink) => createSimpleReader(sink, { zone, period: 3_600_000, ...more }), text);
  const household = read(
    'Fra;Til;KWH 60 Forbruk\n01.11.2026 00:00;01.11.2026 01:00;1,25\n01.11.2026 01:00;01.11.2026 02:00;0,5\n',
    {
      meter: { by: 'serial', name: 'M1' },
      what: 'energyImport',
    },
  );
  expect(household.faults).toEqual([]);
  expect(
    household.rows.map(({ meter, time, period, mantissa, scaler, unit }) => [
      meter,
      time,
      period,
      mantissa,
      scaler,
      unit,
    ]),
  ).toEqual([
    ['M1', Date.UTC(2026, 9, 31, 23), 3_600_000, 1250, 0, 'Wh'],
    ['M1', Date.UTC(2026, 10, 1), 3_600_000, 500, 0, 'Wh'],
  ]);
  const other = read(
    'meter,time,value,unit\nA,2026-11-01T00:00:00Z,5,kWh\n"B",2026-11-01T00:00:00+01:00,1.5,Wh\nC,x,1,Wh\n',
  );
  expect(other.rows.map(({ meter, mantissa, scaler }) => [meter, mantissa, scaler])).toEqual([
    ['A', 5000, 0],
    ['B', 15, -1],
  ]);
  expect(other.faults).toMatchObject([{ line: 4, column: 3 }]);
  expect(read('a;b\n1;2\n').faults[0]?.message).toMatch(/no column is the value/);
  expect(read('time;kWh\n2026-11-01T00:00:00Z;2\n').faults[0]?.message).toMatch(/whose values/);
  expect(read('').faults[0]?.message).toMatch(/no line with a value/);
});

test('decimals are exact: rounded half away from zero, never through a binary fraction', () => {
  expect(decimalText(2675, -3, 2)).toBe('2.68');
  expect(decimalText(-2675, -3, 2)).toBe('-2.68');
  expect(decimalText(5, 0, 2)).toBe('5.00');
  expect(decimalText(1, 3, 1)).toBe('1000.0');
  expect(decimalText(-4, -1, 0)).toBe('0');
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: -6, max: 3 }), (mantissa, scaler) => {
      expect(Number(decimalText(mantissa, scaler)) + 0).toBe(
        scaler < 0 ? mantissa / 10 ** -scaler : mantissa * 10 ** scaler,
      );
    }),
    { numRuns: 200 },
  );
});

test('dates come back by every pattern that has an offset or UTC', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 631_152_000, max: 4_000_000_000 }),
      fc.constantFrom('iso', 'epoch', "yyyy-MM-dd'T'HH:mm:ssxx", 'dd/MM/yyyy HH:mm:ss XXX'),
      fc.constantFrom('utc', 'local', 'America/St_Johns'),
      (seconds, pattern, where) => {
        const form = dateForm(pattern, where);
        expect(form.parse(form.print(seconds * 1000, zone), zone)).toBe(seconds * 1000);
      },
    ),
    { numRuns: 200 },
  );
});

test('no bytes make the reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), (bytes, at) => {
      const damaged = Buffer.concat([Buffer.from(good).subarray(0, at), bytes, Buffer.from(good).subarray(at)]);
      for (const format of [simple, fixed])
        readAll((sink) => createFlatReader(format, sink, { zone, period }), damaged);
      readAll((sink) => createSimpleReader(sink, { zone }), bytes);
    }),
    { numRuns: 150 },
  );
});
