/** The stand-in server's validated values and bills: mostly measured, an afternoon estimated, an hour edited, a morning missing. */
import { add, startOf } from '@amiable/calendar';

type Quality = 'measured' | 'calculated' | 'edited' | 'estimated' | 'missing';

const QUARTER = 900_000;
const HOUR = 3_600_000;
/** Without a contract, and without values that were validated. */
export const UNBILLED = '9';

const wh = (at: number): number =>
  Math.round(180 + 120 * Math.sin(at / ((24 * HOUR) / (2 * Math.PI))) + ((at / QUARTER) % 7) * 9);

function qualityAt(at: number): Quality {
  const hour = Math.floor(at / HOUR) % 24;
  const day = Math.floor(at / (24 * HOUR)) % 5;
  if (day === 2 && hour >= 12 && hour < 17) return 'estimated';
  if (day === 2 && hour === 18) return 'edited';
  return day === 4 && hour >= 6 && hour < 8 ? 'missing' : 'measured';
}

export function intervalsAnswer(meter: string, query: URLSearchParams, now: number) {
  const from = Number(query.get('from') ?? 0);
  const to = Number(query.get('to') ?? now);
  const values: (number | null)[] = [];
  const quality: [Quality, number][] = [];
  const counts: Record<Quality, number> = { measured: 0, calculated: 0, edited: 0, estimated: 0, missing: 0 };
  let sum = 0;
  for (let at = from; at < to && meter !== UNBILLED; at += QUARTER) {
    const own: Quality = at + QUARTER > now ? 'missing' : qualityAt(at);
    const value = own === 'missing' ? null : wh(at);
    values.push(value);
    sum += value ?? 0;
    counts[own]++;
    const last = quality.at(-1);
    if (last?.[0] === own) last[1]++;
    else quality.push([own, 1]);
  }
  const none = values.every((value) => value === null);
  return {
    meter,
    quantity: 'energyImport',
    unit: 'Wh',
    period: none ? null : 900,
    asOf: null,
    start: none ? null : new Date(from).toISOString(),
    values: none ? [] : values,
    quality: none ? [] : quality,
    counts,
    sum: String(sum),
    version: 2,
  };
}

export const meteringsAnswer = (meter: string, now: number) => ({
  meterings:
    meter === UNBILLED
      ? []
      : [
          {
            quantity: 'energyImport',
            period: 900,
            obis: '1-0:1.29.0',
            unit: 'Wh',
            first: new Date(now - 400 * 24 * HOUR).toISOString(),
            last: new Date(now).toISOString(),
          },
        ],
});

export const exceptionsAnswer = (query: URLSearchParams) => {
  const from = Number(query.get('from') ?? 0);
  const at = (hours: number): string => new Date(from + hours * HOUR).toISOString();
  return {
    exceptions: [
      {
        id: '1-1-1',
        from: at(6),
        to: at(8),
        rule: 'gap',
        severity: 'warning',
        sentence: '8 values of energyImport are missing from 06:00 to 08:00.',
        state: 'open',
      },
      {
        id: '1-1-2',
        from: at(12),
        to: at(12.25),
        rule: 'spike',
        severity: 'error',
        sentence:
          'The highest interval (41.2 kWh) is 16.3 times the third highest (2.38 kWh) within 24 hours, more than 1.8 times above it.',
        state: 'corrected',
      },
    ],
    next: null,
  };
};

export const estimatesAnswer = (query: URLSearchParams) => {
  const from = Number(query.get('from') ?? 0);
  return {
    estimates: [
      {
        from: new Date(from + 12 * HOUR).toISOString(),
        to: new Date(from + 17 * HOUR).toISOString(),
        method: 'same-weekday',
        scaled: true,
        sentence: 'Mean of the 3 nearest Wednesdays, scaled so that the registers at both ends agree.',
      },
    ],
  };
};

const line = (
  title: string,
  rate: string | null,
  quantity: string,
  unit: string,
  price: string | null,
  amount: string,
) => ({
  component: title,
  title,
  rate,
  from: '2026-11-01T00:00:00Z',
  to: '2026-12-01T00:00:00Z',
  quantity,
  unit,
  price,
  meanPrice: price === null ? '1.0312' : null,
  amount,
  sentence: `${title}: ${quantity} ${unit} × ${price ?? 'the price of each interval'} = ${amount} NOK; of it 20 intervals estimated, as the mean of the three nearest days of the same weekday, scaled so that the registers agree.`,
});
const LINES = [
  line('Energy', 'day', '162.792', 'kWh', '0.842', '137.07'),
  line('Energy', 'night', '62.84', 'kWh', null, '64.80'),
  line('Subscription', null, '1', 'month', '39', '39.00'),
  line('Value added tax', null, '240.87', 'NOK', '0.25', '60.22'),
];
const intervals = { measured: 2600, calculated: 0, edited: 4, estimated: 300, missing: 76 };

export function houseBillAnswer(meter: string, query: URLSearchParams, now: number) {
  const from = Number(query.get('from') ?? startOf('month', 'Europe/Oslo', now));
  const to = Number(query.get('to') ?? add('month', 'Europe/Oslo', from, 1));
  const span = { from: new Date(from).toISOString(), to: new Date(Math.min(to, now)).toISOString() };
  if (meter === UNBILLED) return { meter, meteringPoint: null, ...span, bills: [], preview: [] };
  const common = { product: 'supply', tariff: 'Town Energy, day and night', ...span, currency: 'NOK', intervals };
  return {
    meter,
    meteringPoint: { id: '77', code: 'MP-00077' },
    ...span,
    bills:
      to <= now
        ? [
            {
              ...common,
              id: '7-1-1',
              kind: 'bill',
              state: 'billed',
              amount: '301.09',
              seenAt: new Date(now).toISOString(),
              reason: null,
            },
          ]
        : [],
    preview: [
      { ...common, contract: '1', total: '301.09', held: null, reason: null, lines: LINES, marks: [] },
      {
        ...common,
        contract: '2',
        product: 'grid',
        tariff: 'Town Grid, by highest hours',
        total: '1100.19',
        held: '12.2 % of 2,980 intervals are not measured, more than 10 %; correct them, or release the metering point with a reason',
        reason: null,
        lines: LINES.slice(0, 2),
        marks: [
          { kind: 'missing-intervals', sentence: '76 intervals of energyImport are missing and not in the bill.' },
        ],
      },
    ],
  };
}

export const BILL = { id: '7-1-1', detail: { lines: LINES } };
