import { describe, expect, it } from 'vitest';
import { earliest, type Line, type RatingInput, rate } from '../../src/index.ts';
import { example, house, local, since, tariffOf } from './house.ts';

const line = (input: RatingInput, component: string): Line =>
  rate(input).lines.find((l) => l.component === component) as Line;

describe('capacity tariffs', () => {
  const B = 'Europe/Brussels';
  const flanders = (price: string, per: 'year' | 'year/12') =>
    tariffOf(B, 'EUR', [{ kind: 'capacity', name: 'capacity', interval: 15, least: '2.5', months: 12, price, per }]);
  const year = (peaks: readonly number[], from = '2023-01-01', to = '2024-01-01') =>
    house(
      B,
      from,
      to,
      15,
      Object.fromEntries(peaks.map((kw, m) => [`2023-${`${m + 1}`.padStart(2, '0')}-11 18:15`, kw])),
    );

  it('Flanders: a house below 2.5 kW pays 101 euro a year at the mean price of 2023', () => {
    // Published for 2023: 40.40 EUR per kW and year on average; 2.5 kW × 40.40 = 101.00 EUR.
    const rated = rate({
      versions: [since('2023-01-01', flanders('40.40', 'year'))],
      from: local(B, '2023-01-01'),
      to: local(B, '2024-01-01'),
      since: local(B, '2023-01-01'),
      series: { energyImport: year([1, 2, 1.5, 0.8, 2.4, 1, 1, 1, 2, 2, 2, 1]) },
    });
    expect(rated.lines).toHaveLength(12);
    // Twelve months of 2.5 × 40.40 × 31/365 = 8.578…, × 28/365 = 7.747…, × 30/365 = 8.301…: 7 × 8.58 + 7.75 + 4 × 8.30.
    expect(rated.lines.map((l) => l.amount)).toEqual([
      '8.58',
      '7.75',
      '8.58',
      '8.30',
      '8.58',
      '8.30',
      '8.58',
      '8.58',
      '8.30',
      '8.58',
      '8.30',
      '8.58',
    ]);
    expect(rated.total).toBe('101.01');
    const exact = rate({
      versions: [since('2023-01-01', { ...flanders('40.40', 'year'), rounding: { of: 'total', mode: 'half-up' } })],
      from: local(B, '2023-01-01'),
      to: local(B, '2024-01-01'),
      series: { energyImport: year([1]) },
    });
    expect(exact.total).toBe('101.00');
  });

  it('Flanders: charging at 7 kW instead of 11 kW saves 161.60 euro a year', () => {
    // Published: (11 - 7) × 40.40 = 161.60. A twelfth of 11 × 40.40 = 444.40 is 37.0333…, of 7 × 40.40 = 282.80 it is 23.5666….
    const bill = (kw: number) =>
      line(
        {
          versions: [since('2023-01-01', flanders('40.40', 'year/12'))],
          from: local(B, '2023-12-01'),
          to: local(B, '2024-01-01'),
          series: { energyImport: year(new Array(12).fill(kw)) },
        },
        'capacity',
      );
    expect([bill(11).amount, bill(7).amount]).toEqual(['37.03', '23.57']);
    expect([bill(11).exact, bill(7).exact]).toEqual(['1111/30', '707/30']);
    // 1111/30 - 707/30 = 404/30 a month, × 12 = 161.60.
    expect((404 / 30) * 12).toBeCloseTo(161.6, 9);
  });

  it('Flanders: the mean is of twelve monthly peaks, each at least 2.5 kW', () => {
    // 4, 6, 2.5 (of 1.2), 3, 2.5 (of 2), 2.5 (of 0.9), 2.5 (of 2.4), 5, 3.5, 4.5, 7, 8: sum 51.0, mean 4.25 kW; × 48 / 12 = 17.00.
    const input = {
      versions: [since('2023-01-01', flanders('48', 'year/12'))],
      from: local(B, '2023-12-01'),
      to: local(B, '2024-01-01'),
      series: { energyImport: year([4, 6, 1.2, 3, 2, 0.9, 2.4, 5, 3.5, 4.5, 7, 8]) },
    };
    const found = line(input, 'capacity');
    expect(found).toMatchObject({ quantity: '4.25', unit: 'kW', amount: '17.00' });
    expect(found.peaks).toHaveLength(12);
    expect(found.peaks?.at(-1)).toEqual({ at: local(B, '2023-12-11 18:15'), value: '8', quality: 'measured' });
    expect(earliest(input.versions, input.from, input.to)).toBe(local(B, '2023-01-01'));
    // Who moved in in October has three months: (4.5 + 7 + 8) / 3 = 6.5 kW; × 4 = 26.00.
    const moved = line({ ...input, since: local(B, '2023-10-01') }, 'capacity');
    expect(moved).toMatchObject({ quantity: '6.5', amount: '26.00' });
    expect(moved.sentence).toContain('mean of 3 months');
  });

  const O = 'Europe/Oslo';
  const norway = (peaks: Readonly<Record<string, number>>, to = '2026-02-01') => ({
    versions: [since('2026-01-01', example('norway-grid'))],
    from: local(O, '2026-01-01'),
    to: local(O, to),
    series: { energyImport: house(O, '2026-01-01', '2026-02-01', 60, peaks) },
  });

  it('Norway: 8, 7 and 6 kW on different days are 7 kW, the step from 5 to 10', () => {
    // (8 + 7 + 6) / 3 = 7. The second hour of 7.9 kW on the day of the 8 does not count.
    const found = line(
      norway({ '2026-01-10 18:00': 8, '2026-01-10 19:00': 7.9, '2026-01-12 07:00': 7, '2026-01-20 20:00': 6 }),
      'capacity',
    );
    expect(found).toMatchObject({ step: 3, price: '290', amount: '290.00' });
    expect(found.peaks?.map(({ value }) => value)).toEqual(['8', '7', '6']);
    expect(found.sentence).toContain('7 kW in step 3 (from 5 to below 10 kW)');
  });

  it('Norway: 12, 10 and 7.8 kW are 9.933 kW; a day of 8 kW more is just 10 and one step up', () => {
    // (12 + 10 + 7.8) / 3 = 29.8 / 3 = 9.9333…, below 10: 290. (12 + 10 + 8) / 3 = 10 is not below 10: 410.
    const peaks = { '2026-01-05 18:00': 12, '2026-01-06 18:00': 10, '2026-01-07 18:00': 7.8 };
    expect(line(norway(peaks), 'capacity')).toMatchObject({ step: 3, amount: '290.00' });
    expect(rate(norway(peaks)).determinants.find((d) => d.kind === 'power')?.quantity).toBe('9.933333333');
    expect(line(norway({ ...peaks, '2026-01-30 18:00': 8 }), 'capacity')).toMatchObject({ step: 4, amount: '410.00' });
  });

  it('Norway: who moves out on the tenth pays 10 of 31 days of the step', () => {
    // 290 × 10 / 31 = 93.548…
    const found = line(
      norway({ '2026-01-05 18:00': 9, '2026-01-06 18:00': 9, '2026-01-07 18:00': 9 }, '2026-01-11'),
      'capacity',
    );
    expect(found).toMatchObject({ share: '10/31', exact: '2900/31', amount: '93.55' });
  });

  it('Denmark: the mean of the ten largest hours of the trailing year', () => {
    const C = 'Europe/Copenhagen';
    // Ten hours of 20, 18, …, 2 above the load, some of one day: (20 + 19 + 18 + 17 + 16 + 15 + 14 + 13 + 12 + 11) / 10 = 15.5 kW.
    // At 360 DKK per kW and year: 15.5 × 360 / 12 = 465.00. The hour of 50 kW lies thirteen months back.
    const peaks: Record<string, number> = { '2024-12-31 17:00': 50, '2025-02-01 12:00': 10.9 };
    for (let n = 0; n < 10; n++) peaks[`2025-0${1 + (n % 5)}-15 ${n < 5 ? 17 : 18}:00`] = 20 - n;
    const found = line(
      {
        versions: [
          since(
            '2024-01-01',
            tariffOf(C, 'DKK', [
              { kind: 'capacity', name: 'power', interval: 60, highest: 10, within: 12, price: '360', per: 'year/12' },
            ]),
          ),
        ],
        from: local(C, '2025-12-01'),
        to: local(C, '2026-01-01'),
        series: { energyImport: house(C, '2024-12-01', '2026-01-01', 60, peaks) },
      },
      'power',
    );
    expect(found).toMatchObject({ quantity: '15.5', amount: '465.00', share: '1/12' });
    expect(found.peaks?.map(({ value }) => Number(value))).toEqual([20, 19, 18, 17, 16, 15, 14, 13, 12, 11]);
  });

  it('Sweden: 21 kr per kW all year and 66 kr more on winter weekdays from 6 to 22', () => {
    const S = 'Europe/Stockholm';
    // Published for 2024 (high voltage): highest hour × 21, highest hour in high load × 66.
    const day = (name: string, ...switches: (readonly [string, string])[]) => ({
      name,
      switches: switches.map(([at, rate]) => ({ at, rate })),
    });
    const week = (name: string, weekday: string) => ({
      name,
      monday: weekday,
      tuesday: weekday,
      wednesday: weekday,
      thursday: weekday,
      friday: weekday,
      saturday: 'low',
      sunday: 'low',
    });
    const definition = tariffOf(
      S,
      'SEK',
      [
        { kind: 'capacity', name: 'all year', interval: 60, price: '21' },
        { kind: 'capacity', name: 'high load', interval: 60, only: ['high'], price: '66' },
      ],
      {
        rates: [{ name: 'high' }, { name: 'low' }],
        calendar: {
          seasons: [
            { name: 'winter', from: '11-01', to: '03-31', week: 'winter' },
            { name: 'summer', from: '04-01', to: '10-31', week: 'summer' },
          ],
          weeks: [week('winter', 'high'), week('summer', 'low')],
          days: [day('high', ['00:00', 'low'], ['06:00', 'high'], ['22:00', 'low']), day('low', ['00:00', 'low'])],
        },
      },
    );
    const bill = (month: string, next: string, peaks: Readonly<Record<string, number>>) =>
      rate({
        versions: [since('2024-01-01', definition)],
        from: local(S, month),
        to: local(S, next),
        series: { energyImport: house(S, month, next, 60, peaks) },
      });
    // Saturday 6 January 30 kW, Tuesday 9 January 06:00 20 kW, 05:00 25 kW: 30 × 21 = 630, 20 × 66 = 1320.
    const january = bill('2024-01-01', '2024-02-01', {
      '2024-01-06 12:00': 30,
      '2024-01-09 05:00': 25,
      '2024-01-09 06:00': 20,
    });
    expect(january.lines.map((l) => l.amount)).toEqual(['630.00', '1320.00']);
    // In June there is no high load, so nothing is known of it, and that is said.
    const june = bill('2024-06-01', '2024-07-01', { '2024-06-04 12:00': 10 });
    expect(june.lines.map((l) => [l.component, l.amount])).toEqual([['all year', '210.00']]);
  });

  it('a ratchet holds the demand at 80 % of the highest of the last 11 months', () => {
    const definition = tariffOf(B, 'EUR', [
      { kind: 'capacity', name: 'demand', ratchet: { share: '0.8', months: 11 }, price: '5' },
    ]);
    const bill = (november: number) =>
      line(
        {
          versions: [since('2023-01-01', definition)],
          from: local(B, '2023-11-01'),
          to: local(B, '2023-12-01'),
          series: {
            energyImport: house(B, '2022-12-01', '2023-12-01', 15, {
              '2023-01-10 18:00': 10,
              '2023-06-10 18:00': 9.9,
              '2023-11-10 18:00': november,
            }),
          },
        },
        'demand',
      );
    // max(6, 0.8 × 10) = 8 × 5 = 40; max(8.5, 8) = 8.5 × 5 = 42.50.
    expect(bill(6)).toMatchObject({ quantity: '8', amount: '40.00' });
    expect(bill(6).sentence).toContain('held at 0.8 of the 10 kW of 2023-01');
    expect(bill(8.5)).toMatchObject({ quantity: '8.5', amount: '42.50' });
  });
});

describe('days on which clocks change', () => {
  const O = 'Europe/Oslo';
  const rates = (from: string, to: string, switches: { at: string; rate: string }[]) => {
    const definition = tariffOf(O, 'NOK', [{ kind: 'energy', name: 'e', prices: { day: '1', night: '0.5' } }], {
      rates: [{ name: 'day' }, { name: 'night' }],
      calendar: {
        seasons: [{ name: 'year', from: '01-01', to: '12-31', week: 'w' }],
        weeks: [
          {
            name: 'w',
            monday: 'd',
            tuesday: 'd',
            wednesday: 'd',
            thursday: 'd',
            friday: 'd',
            saturday: 'd',
            sunday: 'd',
          },
        ],
        days: [{ name: 'd', switches }],
      },
    });
    return Object.fromEntries(
      rate({
        versions: [since('2026-01-01', definition)],
        from: local(O, from),
        to: local(O, to),
        series: { energyImport: house(O, from, to, 15) },
      }).lines.map((l) => [l.rate, l.quality?.intervals.measured]),
    );
  };
  const sixToTen = [
    { at: '00:00', rate: 'night' },
    { at: '06:00', rate: 'day' },
    { at: '22:00', rate: 'night' },
  ];
  const atHalfPastTwo = [
    { at: '00:00', rate: 'night' },
    { at: '02:30', rate: 'day' },
  ];
  it('have 92 or 100 quarters, and the night loses or gains them', () => {
    // Day 16 h = 64 quarters always; night 8 h = 32, 28 in March, 36 in October.
    expect(rates('2026-01-10', '2026-01-11', sixToTen)).toEqual({ day: 64, night: 32 });
    expect(rates('2026-03-29', '2026-03-30', sixToTen)).toEqual({ day: 64, night: 28 });
    expect(rates('2026-10-25', '2026-10-26', sixToTen)).toEqual({ day: 64, night: 36 });
  });
  it('switch in the hour that stands twice each time, and at the end of the hour that is skipped', () => {
    // October: 00:00-02:30 (10 quarters), then 02:30-03:00 day (2), again 02:00-02:30 night (2), then day: 2 + 84.
    expect(rates('2026-10-25', '2026-10-26', atHalfPastTwo)).toEqual({ night: 12, day: 88 });
    // March: 02:30 is never shown; 00:00-02:00 night (8), from 03:00 on day (84).
    expect(rates('2026-03-29', '2026-03-30', atHalfPastTwo)).toEqual({ night: 8, day: 84 });
  });
  it('count as one day of a subscription', () => {
    const definition = tariffOf(O, 'NOK', [{ kind: 'fixed', name: 'f', price: '31', per: 'month' }]);
    for (const month of ['2026-03', '2026-10']) {
      const [next] = [month === '2026-03' ? '2026-03-30' : '2026-10-26'];
      const day = month === '2026-03' ? '2026-03-29' : '2026-10-25';
      const rated = rate({
        versions: [since('2026-01-01', definition)],
        from: local(O, day),
        to: local(O, next),
        series: {},
      });
      expect(rated.total).toBe('1.00');
    }
  });
});

describe('energy, steps, spot and net', () => {
  const A = 'Europe/Amsterdam';
  const month = (component: Parameters<typeof tariffOf>[2], more: Partial<RatingInput> = {}, kwh = 744) => {
    const series = house(A, '2026-01-01', '2026-02-01', 60);
    series.values.fill((kwh * 1000) / 744);
    return rate({
      versions: [since('2026-01-01', tariffOf(A, 'EUR', component))],
      from: local(A, '2026-01-01'),
      to: local(A, '2026-02-01'),
      series: { energyImport: series },
      ...more,
    });
  };
  it('steps: each part at its own price, or all at the price of the step that was reached', () => {
    const steps = (count: 'each' | 'whole') =>
      month([
        {
          kind: 'energy',
          name: 'e',
          steps: {
            per: 'month',
            count,
            steps: [{ upTo: '100', price: '0.10' }, { upTo: '500', price: '0.20' }, { price: '0.30' }],
          },
        },
      ]);
    // 100 × 0.10 + 400 × 0.20 + 244 × 0.30 = 10 + 80 + 73.20; or 744 × 0.30 = 223.20.
    expect(steps('each').lines.map((l) => [l.step, l.quantity, l.amount])).toEqual([
      [1, '100', '10.00'],
      [2, '400', '80.00'],
      [3, '244', '73.20'],
    ]);
    expect(steps('whole').total).toBe('223.20');
  });
  it('steps of a month that is billed for half of its days have half the limits', () => {
    // 16 of 31 days: the limit of 310 kWh is 160; 384 kWh used: 160 × 0.10 + 224 × 0.20 = 16 + 44.80.
    const found = month(
      [
        {
          kind: 'energy',
          name: 'e',
          steps: { per: 'month', steps: [{ upTo: '310', price: '0.10' }, { price: '0.20' }] },
        },
      ],
      { to: local(A, '2026-01-17') },
    );
    expect(found.lines.map((l) => l.quantity)).toEqual(['160', '224']);
    expect(found.total).toBe('60.80');
    expect(found.lines[0]?.sentence).toContain('limits for 16/31 of the month');
  });
  it('an hourly spot price holds for its quarters, negative prices pay the customer', () => {
    const prices = {
      start: local(A, '2026-01-01'),
      step: 3_600_000,
      scaler: -2,
      values: new Float64Array(744),
      currency: 'EUR',
      unit: 'MWh',
    };
    prices.values.set([5000, -1000]);
    const quarters = house(A, '2026-01-01', '2026-02-01', 15);
    quarters.values.fill(0).set([1000, 0, 2000, 0, 4000, 0, 0, 500]);
    // 3 kWh × 0.05 + 4.5 kWh × -0.01 = 0.15 - 0.045 = 0.105; with 0.02 more each: + 7.5 × 0.02 = 0.255.
    const found = (markup: string) =>
      month([{ kind: 'energy', name: 'e', spot: { prices: 'NL', markup } }], {
        series: { energyImport: quarters },
        prices: { NL: prices },
      }).lines[0];
    expect(found('0')).toMatchObject({ exact: '0.105', quantity: '7.5', meanPrice: '0.014', amount: '0.11' });
    expect(found('0.02')?.exact).toBe('0.255');
  });
  it('a missing price is refused, marked or stood in for, as the tariff says', () => {
    const prices = {
      start: local(A, '2026-01-01'),
      step: 3_600_000,
      scaler: -2,
      values: new Float64Array(744).fill(10_000),
      currency: 'EUR',
      unit: 'MWh',
    };
    prices.values.fill(Number.NaN, 10, 12);
    const bill = (missing: 'refuse' | 'mark' | 'substitute') =>
      month(
        [
          {
            kind: 'energy',
            name: 'e',
            spot: { prices: 'NL', missing, ...(missing === 'substitute' ? { substitute: '0.5' } : {}) },
          },
        ],
        { prices: { NL: prices } },
      );
    expect(() => bill('refuse')).toThrow('prices NL lack for 2 intervals from 2026-01-01T09:00:00.000Z on');
    // 742 kWh × 0.10 without the two, and said so; with 0.50 for them 74.20 + 1.00.
    expect(bill('mark')).toMatchObject({ total: '74.20', marks: [{ kind: 'missing-price' }] });
    expect(bill('mark').lines[0]).toMatchObject({ quantity: '742' });
    expect(bill('substitute')).toMatchObject({ total: '75.20', marks: [{ kind: 'substitute-price' }] });
    expect(() =>
      month([{ kind: 'energy', name: 'e', spot: { prices: 'NL' } }], {
        prices: { NL: { ...prices, currency: 'NOK' } },
      }),
    ).toThrow('are in NOK');
  });
  it('tax on tax, credit and a minimum', () => {
    const found = month([
      { kind: 'energy', name: 'e', price: '0.10', group: 'grid' },
      { kind: 'energy', name: 'levy', price: '0.01', group: 'levies' },
      { kind: 'tax', name: 'city', percent: '5', on: ['grid'] },
      { kind: 'tax', name: 'VAT', percent: '21', on: ['*', 'city'] },
      { kind: 'minimum', name: 'least', amount: '100', per: 'period', on: ['grid', 'levies'] },
    ]);
    // 74.40 + 7.44 = 81.84; city 5 % of 74.40 = 3.72; minimum 100 - 81.84 = 18.16; VAT 21 % of (81.84 + 18.16 + 3.72 = 103.72) = 21.7812.
    expect(found.lines.map((l) => [l.component, l.amount])).toEqual([
      ['e', '74.40'],
      ['levy', '7.44'],
      ['city', '3.72'],
      ['VAT', '21.78'],
      ['least', '18.16'],
    ]);
    expect(found).toMatchObject({ total: '125.50', tax: '25.50' });
  });
  it('net per year: the bills of a year add up to what import exceeds export, whatever the months did', () => {
    const definition = tariffOf(A, 'EUR', [{ kind: 'net', name: 'n', price: '0.20', surplus: '0.05' }]);
    const series = (kw: (day: number) => number) => {
      const found = house(A, '2026-01-01', '2027-01-01', 60);
      found.values.forEach((_, i) => {
        found.values[i] = kw(Math.floor(i / 24)) * 1000;
      });
      return found;
    };
    // Import 1 kWh each hour of the first 182 days, export 0.5 kWh each hour of the other 183: 4368 - 2196 = 2172 kWh (one hour of the
    // winter half lies on either side of clock changes, which cancel: the year has 8760 hours).
    const input = { energyImport: series((d) => (d < 182 ? 1 : 0)), energyExport: series((d) => (d < 182 ? 0 : 0.5)) };
    const bills = Array.from({ length: 12 }, (_, m) => {
      const from = local(A, `2026-${`${m + 1}`.padStart(2, '0')}-01`);
      const to = m === 11 ? local(A, '2027-01-01') : local(A, `2026-${`${m + 2}`.padStart(2, '0')}-01`);
      return rate({ versions: [since('2026-01-01', definition)], from, to, series: input });
    });
    const quantity = bills.flatMap((b) => b.lines).reduce((sum, l) => sum + Number(l.quantity), 0);
    expect(quantity).toBe(4368 - 2196);
    expect(bills[0]?.lines[0]).toMatchObject({ quantity: '744', amount: '148.80' });
    // August: 31 × 24 × 0.5 = 372 kWh come back.
    expect(bills[7]?.lines[0]).toMatchObject({ quantity: '-372', amount: '-74.40' });
  });
  it('yearly settlement on the last bill alone, and surplus paid', () => {
    const definition = tariffOf(A, 'EUR', [{ kind: 'net', name: 'n', settle: 'end', price: '0.20', surplus: '0.05' }]);
    const bill = (from: string, to: string, until?: string) =>
      rate({
        versions: [since('2026-01-01', definition)],
        from: local(A, from),
        to: local(A, to),
        ...(until ? { until: local(A, until) } : {}),
        series: {
          energyImport: house(A, '2026-01-01', '2027-01-01', 60),
          energyExport: house(A, '2026-01-01', '2027-01-01', 60, { '2026-05-01 12:00': 100.1 }),
        },
      });
    expect(bill('2026-05-01', '2026-06-01').lines).toEqual([]);
    // 100 Wh each hour both ways, but for the one hour of 100.1 kWh: 100 kWh left over, × 0.05 to the customer.
    expect(bill('2026-12-01', '2027-01-01').total).toBe('-5.00');
    expect(bill('2026-07-01', '2026-07-11', '2026-07-11').total).toBe('-5.00');
  });
  it("the meter's own registers, with an even course between readings", () => {
    const showing = (values: number[]) => ({
      times: Float64Array.from([local(A, '2025-12-30'), local(A, '2026-01-03'), local(A, '2026-02-01')]),
      values: Float64Array.from(values),
      scaler: 0,
    });
    // Between 30 December (1000) and 3 January (1400) the register stands at 1200 on 1 January: 5200 - 1200 = 4000 Wh.
    const found = month([{ kind: 'energy', name: 'e', prices: { all: '0.25' }, registers: { all: '1.8.1' } }], {
      registers: { '1.8.1': showing([1000, 1400, 5200]) },
    });
    expect(found.lines[0]).toMatchObject({ quantity: '4', amount: '1.00', quality: { worst: 'estimated' } });
    expect(found.determinants[0]).toMatchObject({ kind: 'energy', name: '1.8.1', rate: 'all', quantity: '4' });
    expect(found.quality['1.8.1']).toMatchObject({ worst: 'estimated', unit: 'kWh' });
    expect(() =>
      month([{ kind: 'energy', name: 'e', prices: { all: '1' }, registers: { all: '1.8.1' } }], {
        registers: { '1.8.1': showing([1000, 1400, 5]) },
      }),
    ).toThrow('falls between');
  });
  it('minor units of currencies, and rounding of the total alone', () => {
    const bill = (currency: string, of: 'lines' | 'total') =>
      rate({
        versions: [
          since(
            '2026-01-01',
            tariffOf(
              A,
              currency,
              [
                { kind: 'fixed', name: 'a', price: '0.4445' },
                { kind: 'fixed', name: 'b', price: '0.4445' },
              ],
              { rounding: { of } },
            ),
          ),
        ],
        from: local(A, '2026-01-01'),
        to: local(A, '2026-02-01'),
        series: {},
      }).total;
    expect(['JPY', 'EUR', 'KWD'].map((c) => bill(c, 'lines'))).toEqual(['0', '0.88', '0.890']);
    expect(['JPY', 'EUR', 'KWD'].map((c) => bill(c, 'total'))).toEqual(['1', '0.89', '0.889']);
  });
});
