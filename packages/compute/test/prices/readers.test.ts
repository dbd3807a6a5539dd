import { DecodeError } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountOf,
  instantOf,
  isDayFirst,
  perUnit,
  priceDays,
  priceUnitOf,
  readEntsoe,
  readPriceCsv,
  readPriceJson,
  readStamp,
} from '../../src/prices/index.ts';

const H = 3_600_000;
const Q = H / 4;
const OSLO = { zone: 'Europe/Oslo' };
/** 20 November 2026, 00:00 in Oslo. */
const T = Date.UTC(2026, 10, 19, 23);

const point = (position: number, price: string) =>
  `<Point><position>${position}</position><price.amount>${price}</price.amount></Point>`;
function document(series: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <mRID>a1</mRID><type>A44</type>${series}</Publication_MarketDocument>`;
}
function series(
  points: string,
  { curve = 'A03', resolution = 'PT60M', start = '2026-11-19T23:00Z', end = '2026-11-20T03:00Z', more = '' } = {},
): string {
  return `<TimeSeries><mRID>1</mRID><businessType>A62</businessType>${more}
    <in_Domain.mRID codingScheme="A01">10YNO-1--------2</in_Domain.mRID><out_Domain.mRID codingScheme="A01">10YNO-1--------2</out_Domain.mRID>
    <currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>${curve}</curveType>
    <Period><timeInterval><start>${start}</start><end>${end}</end></timeInterval><resolution>${resolution}</resolution>${points}</Period></TimeSeries>`;
}
const values = (spans: readonly { mantissa: number; scaler: number }[] | undefined) =>
  spans?.map(({ mantissa, scaler }) => mantissa * 10 ** scaler);

describe('prices of ENTSO-E', () => {
  it('repeats the position before where one is left out, up to the end of the period', () => {
    const { lists, notes } = readEntsoe(document(series(point(1, '42.10') + point(3, '-5'))), OSLO);
    expect(lists).toHaveLength(1);
    expect(lists[0]).toMatchObject({ area: '10YNO-1--------2', currency: 'EUR', unit: 'MWh' });
    expect(lists[0]?.spans).toEqual([
      { from: T, to: T + H, mantissa: 421, scaler: -1 },
      { from: T + H, to: T + 2 * H, mantissa: 421, scaler: -1 },
      { from: T + 2 * H, to: T + 3 * H, mantissa: -5, scaler: 0 },
      { from: T + 3 * H, to: T + 4 * H, mantissa: -5, scaler: 0 },
    ]);
    expect(notes).toEqual(['from 2026-11-19T23:00Z: 2 of 4 positions repeat the one before']);
  });

  it('leaves holes where none may be left out, and before the first', () => {
    const fixed = readEntsoe(document(series(point(1, '1') + point(3, '3'), { curve: 'A01' })), OSLO);
    expect(values(fixed.lists[0]?.spans)).toEqual([1, 3]);
    expect(fixed.notes).toEqual(['from 2026-11-19T23:00Z: 2 of 4 positions have no price']);
    expect(values(readEntsoe(document(series(point(3, '3'))), OSLO).lists[0]?.spans)).toEqual([3, 3]);
  });

  it('reads 15, 30 and 60 minutes; of two resolutions the finer; of auctions the one that is meant; never intraday', () => {
    const half = readEntsoe(document(series(point(1, '1') + point(8, '8'), { resolution: 'PT30M' })), OSLO);
    expect(half.lists[0]?.spans).toHaveLength(8);
    const sequence = (n: number) =>
      `<classificationSequence_AttributeInstanceComponent.position>${n}</classificationSequence_AttributeInstanceComponent.position>`;
    const both = document(
      series(point(1, '10'), { more: sequence(2), resolution: 'PT15M' }) +
        series(point(1, '20'), { more: sequence(1) }) +
        series(point(1, '30'), { more: sequence(1), resolution: 'PT15M', end: '2026-11-20T00:00Z' }) +
        series(point(1, '99'), { more: '<contract_MarketAgreement.type>A07</contract_MarketAgreement.type>' }),
    );
    const first = readEntsoe(both, OSLO);
    expect(values(first.lists[0]?.spans)).toEqual([30, 30, 30, 30, 20, 20, 20]);
    expect(first.notes.join('\n')).toContain('auctions 1, 2 are there; 1 was taken');
    expect(first.notes.join('\n')).toContain('market type A07 was left out');
    expect(new Set(values(readEntsoe(both, { ...OSLO, sequence: 2 }).lists[0]?.spans))).toEqual(new Set([10]));
  });

  it('tells what the platform says in place of prices, and what is wrong', () => {
    const acknowledgement = (code: string, text: string) =>
      `<Acknowledgement_MarketDocument><Reason><code>${code}</code><text>${text}</text></Reason></Acknowledgement_MarketDocument>`;
    expect(readEntsoe(acknowledgement('999', 'No matching data found for &lt;A44&gt;'), OSLO)).toMatchObject({
      lists: [],
      notes: ['the platform has no prices for this: No matching data found for <A44>'],
    });
    expect(() => readEntsoe(acknowledgement('401', 'Unauthorized'), OSLO)).toThrow(
      'the platform refused: Unauthorized',
    );
    const wrong: readonly [string, string][] = [
      [document(series(point(5, '1'))), 'position 5 is none of the 4'],
      [document(series(point(1, '1') + point(1, '2'))), 'position 1 from 2026-11-19T23:00Z stands twice'],
      [document(series(point(1, 'x'))), '"x" is no price'],
      [document(series(point(1, '1'), { resolution: 'PT7M' })), 'no whole number of 7 minutes'],
      [document(series(point(1, '1'), { end: '2226-11-20T03:00Z', resolution: 'PT1M' })), 'more than 1000000 prices'],
      [document(series(point(1, '1'), { start: 'yesterday' })), 'start of a period: "yesterday"'],
      [document(`<TimeSeries>${'<a/>'.repeat(5001)}</TimeSeries>`), 'more than 5000 elements'],
      ['<!DOCTYPE x [<!ENTITY a "b">]><x/>', 'a document type is not taken'],
      ['<a><b></a></b>', 'ends what was not begun'],
      [`${'<a>'.repeat(40)}`, 'within each other'],
      ['<a>&nbsp;</a>', 'unknown entity'],
      ['{}', 'outside of all elements'],
      ['<a/>', 'Publication_MarketDocument is wanted'],
    ];
    for (const [text, words] of wrong) {
      expect(() => readEntsoe(text, OSLO)).toThrow(words);
      expect(() => readEntsoe(text, OSLO)).toThrow(DecodeError);
    }
  });
});

describe('prices in JSON', () => {
  const first = (text: unknown) => readPriceJson(JSON.stringify(text), OSLO);
  const hour = { from: T, to: T + H, mantissa: 1234, scaler: -2 };
  const forms: readonly [string, unknown, object][] = [
    [
      'nordpool',
      {
        deliveryDateCET: '2026-11-20',
        currency: 'EUR',
        multiAreaEntries: [
          {
            deliveryStart: '2026-11-19T23:00:00Z',
            deliveryEnd: '2026-11-20T00:00:00Z',
            entryPerArea: { NO1: 12.34, NO2: null },
          },
        ],
      },
      { area: 'NO1', currency: 'EUR', unit: 'MWh', spans: [hour] },
    ],
    [
      'nordpool-api',
      [
        {
          deliveryArea: 'NO1',
          currency: 'NOK',
          prices: [{ deliveryStart: '2026-11-19T23:00:00Z', deliveryEnd: '2026-11-19T23:15:00Z', price: 12.34 }],
        },
      ],
      { area: 'NO1', currency: 'NOK', unit: 'MWh', spans: [{ ...hour, to: T + Q }] },
    ],
    [
      'nordpool-page',
      {
        currency: 'NOK',
        data: {
          Units: ['NOK/MWh'],
          Rows: [
            {
              IsExtraRow: false,
              StartTime: '2026-11-20T00:00:00',
              EndTime: '2026-11-20T01:00:00',
              Columns: [{ Name: 'Oslo', Value: '1 012,34' }],
            },
            {
              IsExtraRow: true,
              StartTime: '2026-11-20T00:00:00',
              EndTime: '2026-11-20T00:00:00',
              Columns: [{ Name: 'Oslo', Value: '7' }],
            },
          ],
        },
      },
      { area: 'Oslo', currency: 'NOK', unit: 'MWh', spans: [{ ...hour, mantissa: 101234 }] },
    ],
    [
      'per-kwh',
      [
        {
          NOK_per_kWh: 12.34,
          EXR: 11.7,
          time_start: '2026-11-20T00:00:00+01:00',
          time_end: '2026-11-20T01:00:00+01:00',
        },
      ],
      { currency: 'NOK', unit: 'kWh', spans: [hour] },
    ],
    [
      'energidataservice',
      {
        total: 2,
        dataset: 'DayAheadPrices',
        records: [
          { TimeUTC: '2026-11-19T23:15:00', TimeDK: '2026-11-20T00:15:00', PriceArea: 'DK1', DayAheadPriceEUR: 1 },
          { TimeUTC: '2026-11-19T23:00:00', TimeDK: '2026-11-20T00:00:00', PriceArea: 'DK1', DayAheadPriceEUR: 12.34 },
        ],
      },
      {
        area: 'DK1',
        currency: 'EUR',
        unit: 'MWh',
        spans: [
          { ...hour, to: T + Q },
          { from: T + Q, to: T + 2 * Q, mantissa: 1, scaler: 0 },
        ],
      },
    ],
    [
      'unix-seconds',
      { unix_seconds: [T / 1000], price: [12.34], unit: 'EUR / MWh' },
      { currency: 'EUR', unit: 'MWh', spans: [hour] },
    ],
    [
      'marketprice',
      { object: 'list', data: [{ start_timestamp: T, end_timestamp: T + H, marketprice: 12.34, unit: 'Eur/MWh' }] },
      { currency: 'EUR', unit: 'MWh', spans: [hour] },
    ],
    [
      'timestamp',
      { success: true, data: { ee: [{ timestamp: T / 1000, price: 12.34 }] } },
      { area: 'EE', spans: [hour] },
    ],
    [
      'list',
      {
        prices: [{ startDate: '2026-11-19T23:00:00.000Z', endDate: '2026-11-20T00:00:00.000Z', price: 1234 }],
        unit: 'c/kWh',
      },
      { currency: 'EUR', unit: 'kWh', spans: [{ ...hour, mantissa: 1234 }] },
    ],
  ];
  it.each(forms)('%s', (form, text, list) => {
    const read = first(text);
    expect(read.form).toBe(form);
    expect(read.lists).toHaveLength(1);
    expect(read.lists[0]).toMatchObject(list);
  });

  it('counts both faces of the repeated hour in lists without offsets', () => {
    const starts = ['00:00', '01:00', '02:00', '02:00', '03:00'].map((t) => `2026-10-25T${t}:00`);
    const { lists } = first(starts.map((start, price) => ({ start, price })));
    expect(lists[0]?.spans.map((s) => s.from)).toEqual([-1, 0, 1, 2, 3].map((n) => Date.UTC(2026, 9, 24, 23 + n)));
  });

  it('refuses what it does not know, prices that contradict each other, and nonsense', () => {
    expect(() => first({ hello: 1 })).toThrow('none of the known forms of prices in JSON (it has hello)');
    expect(() => readPriceJson('<x/>', OSLO)).toThrow('no JSON');
    expect(() => first([{ start: '2026-11-20', price: 'dear' }])).toThrow('"dear" is no price');
    expect(() => first([{ start: 'soon', price: 1 }])).toThrow('"soon" is no time');
    const twice = [1, 2].map((price) => ({ start: '2026-11-20T00:00:00Z', price }));
    expect(() => first(twice)).toThrow('two prices for 2026-11-20T00:00:00.000Z');
    expect(first([]).notes).toEqual(['it has no prices']);
  });

  it('throws nothing but DecodeError, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        for (const read of [readPriceJson, readEntsoe])
          try {
            read(text, OSLO);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        expect(Array.isArray(readPriceCsv(text.replaceAll('"', ''), OSLO).faults)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('prices in CSV', () => {
  const read = (text: string, wish = {}, form = {}) => readPriceCsv(text, { ...OSLO, ...wish }, form);

  it('finds time, price, comma and unit by itself', () => {
    const found = read(
      'Spotpriser NO1\n\nFra;Til;Pris [øre/kWh]\n20.11.2026 00:00;20.11.2026 01:00;42,10\n20.11.2026 01:00;20.11.2026 02:00;-1,5\n',
    );
    expect(found.faults).toEqual([]);
    expect(found.lists).toEqual([
      {
        area: undefined,
        currency: undefined,
        unit: 'kWh',
        spans: [
          { from: T, to: T + H, mantissa: 421, scaler: -3 },
          { from: T + H, to: T + 2 * H, mantissa: -15, scaler: -3 },
        ],
      },
    ]);
  });

  it('takes the column of an area, of a currency, or the one that is named; both times in one cell; backwards', () => {
    const wide = 'time,NO1,NO2\n2026-11-20 01:00,3.5,4.5\n2026-11-20 00:00,1.5,2.5\n';
    expect(values(read(wide, { area: 'NO2' }).lists[0]?.spans)).toEqual([2.5, 4.5]);
    expect(read(wide).faults).toEqual([{ line: 2, message: 'which column is the price cannot be told; name it' }]);
    expect(values(read(wide, {}, { price: '2' }).lists[0]?.spans)).toEqual([1.5, 3.5]);
    expect(read(wide, {}, { price: 'SE1' }).faults[0]?.message).toContain(
      'no column "SE1" for the price; there are time, NO1, NO2',
    );
    const mtu =
      '"MTU (CET/CEST)","Day-ahead Price [EUR/MWh]"\n"20.11.2026 00:00 - 20.11.2026 01:00","42.10"\n"20.11.2026 01:00 - 20.11.2026 02:00",""\n';
    expect(read(mtu)).toMatchObject({
      notes: ['1 lines have no price'],
      lists: [{ currency: 'EUR', unit: 'MWh', spans: [{ from: T, to: T + H, mantissa: 421, scaler: -1 }] }],
    });
  });

  it('counts 25 hours from the start of the day', () => {
    const lines = Array.from({ length: 25 }, (_, i) => `2026-10-25;${i + 1};${i}`);
    const spans = read(`date;hour;price\n${lines.join('\n')}`, {}, { hour: 'hour' }).lists[0]?.spans;
    expect(spans?.map((s) => [s.from, s.mantissa])).toEqual(
      Array.from({ length: 25 }, (_, i) => [Date.UTC(2026, 9, 24, 22 + i), i === 0 ? 0 : expect.any(Number)]),
    );
    expect(spans?.at(-1)?.to).toBe(Date.UTC(2026, 9, 25, 23));
  });

  it('tells errors by line, and asks where a date can be read in two ways', () => {
    const text = 'time;price\n2026-03-29 01:00;1\n2026-03-29 02:30;2\n2026-03-29 03:00;x\nsum;3\n2026-03-29 01:00;4\n';
    expect(read(text).faults.map((f) => f.line)).toEqual([3, 4, 5, 6]);
    expect(read(text).faults[0]?.message).toContain('clocks in Europe/Oslo never showed 2026-03-29 02:30');
    expect(read('t;price\n3/4/2026 00:00;1\n3/4/2026 01:00;1\n').faults[0]?.message).toContain(
      'say whether the day comes first',
    );
    expect(read('nothing here').faults[0]?.message).toContain('say the separator');
  });
});

describe('amounts and times', () => {
  it('reads what people write', () => {
    expect(amountOf('1 234,50', ',')).toEqual({ mantissa: 12345, scaler: -1 });
    expect(amountOf('1.234,5', ',')).toEqual({ mantissa: 12345, scaler: -1 });
    expect(amountOf('1.5', ',')).toBeUndefined();
    expect(amountOf('\u22120.0000000005')).toEqual({ mantissa: -1, scaler: -9 });
    expect(amountOf('1e3')).toEqual({ mantissa: 1000, scaler: 0 });
    for (const text of ['', '.', '-', '1e99', '0x1', '1,2', 'NaN', '9'.repeat(20)])
      expect(amountOf(text)).toBeUndefined();
    expect(priceUnitOf('NOK_per_kWh')).toEqual({ currency: 'NOK', unit: 'kWh', shift: 0 });
    expect(priceUnitOf('öre/kWh')).toEqual({ currency: undefined, unit: 'kWh', shift: -2 });
    expect(perUnit({ mantissa: 4210, scaler: -2 }, 'MWh', 'kWh')).toEqual({ mantissa: 4210, scaler: -5 });
    expect(() => perUnit({ mantissa: 1, scaler: 0 }, 'm3', 'kWh')).toThrow('says nothing of one kWh');
    const at = (text: string, dayFirst = true) => {
      const stamp = readStamp(text, dayFirst);
      return stamp && new Date(instantOf(stamp, 'Europe/Oslo')).toISOString().slice(0, 16);
    };
    expect(at('20.11.2026 14:00')).toBe('2026-11-20T13:00');
    expect(at('11/20/2026 2:00 PM', false)).toBe('2026-11-20T13:00');
    expect(at('2026-11-20T14:00:00+02:00')).toBe('2026-11-20T12:00');
    expect(at('20/11/26 24:00')).toBe('2026-11-20T23:00');
    expect(at('1795183200')).toBe('2026-11-20T14:00');
    for (const text of ['31.02.2026', '2026-11-20 25:00', '12:61', '735999100000000001'])
      expect(at(text)).toBeUndefined();
    expect(isDayFirst(['3/4/2026', '3/5/2026', '3/6/2026'])).toBe(false);
    expect(isDayFirst(['3/4/2026', '4/4/2026'])).toBe(true);
    expect(isDayFirst(['3/4/2026'])).toBeUndefined();
  });

  it('says which days lack prices, and which are not 24 hours', () => {
    const start = Date.UTC(2026, 9, 23, 22);
    const quarters = new Float64Array(96 + 100 + 96).fill(1);
    quarters.fill(Number.NaN, 96 + 12, 96 + 16);
    const days = priceDays({ start, step: Q, values: quarters }, 'Europe/Oslo', start, start + (96 + 100 + 96) * Q);
    expect(days.map((d) => [d.day, d.present, d.expected])).toEqual([
      ['2026-10-24', 96, 96],
      ['2026-10-25', 96, 100],
      ['2026-10-26', 96, 96],
    ]);
    expect(days[1]?.sentence).toBe(
      '2026-10-25 has 25 hours (summer time ends); 4 of 100 prices lack, from 02:00 to 03:00',
    );
    const spring = Date.UTC(2026, 2, 28, 23);
    expect(
      priceDays({ start: spring, step: H, values: new Float64Array(23) }, 'Europe/Oslo', spring, spring + H)[0],
    ).toMatchObject({
      expected: 23,
      present: 23,
      sentence: '2026-03-29 has 23 hours (summer time begins)',
    });
  });
});
