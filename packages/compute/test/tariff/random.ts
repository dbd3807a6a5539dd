/** Tariffs and consumption out of a seed: all kinds of components, odd calendars, zones whose clocks change at odd times. */

import { startOf } from '@amiable/calendar';
import type { TariffInput } from '@amiable/model/schemas';
import { tariff as schema } from '@amiable/model/schemas';
import {
  earliest,
  type RatingInput,
  type RatingPrices,
  type RatingSeries,
  type TariffVersion,
} from '../../src/index.ts';

export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
  }
  /** 0 to n - 1 (mulberry32). */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  }
  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  /** A price such as `0.1234`. */
  price(top = 10_000): string {
    return (this.below(top) / 10_000).toFixed(4);
  }
}

/** Zones with a local day near which clocks change. */
const ZONES: readonly (readonly [zone: string, around: string])[] = [
  ['Europe/Oslo', '2026-03-29'],
  ['Europe/Oslo', '2026-10-25'],
  ['Europe/Brussels', '2026-03-29'],
  ['America/New_York', '2026-11-01'],
  ['America/St_Johns', '2026-03-08'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Asia/Kolkata', '2026-03-01'],
  ['Asia/Beirut', '2026-03-29'],
  ['Asia/Beirut', '2026-10-25'],
  ['Atlantic/Azores', '2026-10-25'],
  ['Africa/Cairo', '2026-10-30'],
  ['America/Santiago', '2026-04-05'],
  ['America/Havana', '2026-11-01'],
  ['Pacific/Chatham', '2026-04-05'],
  ['UTC', '2026-02-28'],
];

const pad = (n: number): string => `${n}`.padStart(2, '0');
const DAY = 86_400_000;
const shift = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);

function calendar(dice: Dice, rates: readonly string[], grain: number): TariffInput['calendar'] {
  const days = Array.from({ length: 1 + dice.below(4) }, (_, i) => {
    const minutes = new Set([0]);
    for (let n = dice.below(6); n > 0; n--) minutes.add(dice.below(1440 / grain) * grain);
    return {
      name: `d${i}`,
      switches: [...minutes]
        .sort((a, b) => a - b)
        .map((m) => ({ at: `${pad(Math.floor(m / 60))}:${pad(m % 60)}`, rate: dice.one(rates) })),
    };
  });
  const day = (): string => dice.one(days).name;
  const weeks = Array.from({ length: 1 + dice.below(3) }, (_, i) => ({
    name: `w${i}`,
    monday: day(),
    tuesday: day(),
    wednesday: day(),
    thursday: day(),
    friday: day(),
    saturday: day(),
    sunday: day(),
  }));
  // Seasons begin on days of a leap year and end the day before the next one does.
  const starts = [...new Set(Array.from({ length: 1 + dice.below(4) }, () => dice.below(366)))].sort((a, b) => a - b);
  const text = (place: number): string => shift('2000-01-01', (place + 366) % 366).slice(5);
  return {
    seasons: starts.map((start, i) => ({
      name: `s${i}`,
      from: text(start),
      to: text(((starts[(i + 1) % starts.length] as number) - 1 + 366) % 366),
      week: dice.one(weeks).name,
    })),
    weeks,
    days,
    specialDays: [
      { name: 'a', day: day(), easter: dice.below(60) - 5 },
      { name: 'b', day: day(), date: dice.one(['03-29', '10-25', '11-01', '04-05', '01-01']) },
      { name: 'c', day: day(), date: '2026-03-08' },
      { name: 'd', day: day(), nth: dice.one([-1, 1, 2, 5]), weekday: 1 + dice.below(7), month: 1 + dice.below(12) },
      { name: 'e', day: day(), weekday: 1 + dice.below(7), onOrAfter: '10-20' },
    ],
  };
}

type Component = TariffInput['components'][number];

function components(dice: Dice, rates: readonly string[], step: number): Component[] {
  const each = (): Record<string, string> => Object.fromEntries(rates.map((rate) => [rate, dice.price()]));
  const only = (): { only?: string[] } => (dice.chance(30) ? { only: [dice.one(rates)] } : {});
  const out: Component[] = [
    { kind: 'energy', name: 'energy', prices: each(), group: 'grid' },
    {
      kind: 'energy',
      name: 'flat',
      price: dice.price(),
      ...only(),
      ...(dice.chance(30)
        ? { round: { decimals: dice.below(3), mode: dice.one(['half-up', 'half-even', 'up', 'down'] as const) } }
        : {}),
    },
    {
      kind: 'energy',
      name: 'export',
      of: 'energyExport',
      unit: dice.one(['kWh', 'MWh'] as const),
      price: dice.price(),
      credit: true,
    },
    {
      kind: 'energy',
      name: 'steps',
      ...only(),
      steps: {
        per: dice.one(['day', 'month', 'year', 'period'] as const),
        count: dice.one(['each', 'whole'] as const),
        prorate: dice.chance(70),
        steps: [
          { upTo: `${1 + dice.below(20)}.5`, price: dice.price() },
          { upTo: `${30 + dice.below(3000)}`, price: dice.price() },
          { price: dice.price() },
        ],
      },
    },
    {
      kind: 'energy',
      name: 'spot',
      ...only(),
      spot: {
        prices: 'area',
        markup: dice.one(['0', '0.0392', '-0.01']),
        factor: dice.one(['1', '1.25', '0.9']),
        ...(dice.chance(40) ? { floor: '0' } : {}),
        ...(dice.chance(40) ? { cap: '0.12' } : {}),
        ...(dice.chance(50) ? { missing: 'mark' as const } : { missing: 'substitute' as const, substitute: '0.0875' }),
      },
    },
    {
      kind: 'fixed',
      name: 'fixed',
      price: dice.price(1_000_000),
      per: dice.one(['day', 'month', 'year', 'year/12'] as const),
      group: 'grid',
    },
    {
      kind: 'fixed',
      name: 'fuse',
      price: dice.price(),
      per: dice.one(['day', 'month', 'year'] as const),
      times: 'mainFuse',
    },
    {
      kind: 'capacity',
      name: 'demand',
      interval: step > 30 ? 60 : dice.one([30, 60] as const),
      ...only(),
      ...(dice.chance(30) ? { weights: { [rates[0] as string]: dice.one(['0.5', '0', '2']) } } : {}),
      highest: dice.one([1, 1, 2, 3, 10]),
      differentDays: dice.chance(50),
      within: dice.one([1, 1, 2]),
      ...(dice.chance(30) ? { least: '2.5' } : {}),
      months: dice.one([1, 1, 2]),
      ...(dice.chance(30) ? { ratchet: { share: '0.8', months: 2 } } : {}),
      ...(dice.chance(50)
        ? { price: dice.price(500_000) }
        : { steps: [{ below: '2', price: '100' }, { below: '5.5', price: '150.25' }, { price: '300' }] }),
      per: dice.one(['day', 'month', 'year', 'year/12'] as const),
      ...(dice.chance(20) ? { round: { decimals: 1 } } : {}),
    },
    {
      kind: 'net',
      name: 'net',
      over: dice.one(['year', 'month', 'period'] as const),
      from: dice.one(['03-15', '10-10', '02-20']),
      settle: dice.one(['running', 'end'] as const),
      ...(dice.chance(50) ? { price: dice.price() } : { prices: each() }),
      ...(dice.chance(50) ? { surplus: '0.05' } : {}),
    },
    {
      kind: 'minimum',
      name: 'least',
      amount: `${dice.below(400)}`,
      per: dice.one(['day', 'month', 'year', 'period'] as const),
      on: ['energy', 'grid'],
    },
    { kind: 'tax', name: 'levy', percent: dice.one(['3', '-1.5', '6.25']), on: ['grid'] },
    { kind: 'tax', name: 'VAT', percent: '25', on: ['*', 'levy'] },
  ];
  return out.filter(({ name }) => ['energy', 'fixed', 'levy', 'VAT'].includes(name) || dice.chance(55));
}

export function randomTariff(
  dice: Dice,
  zone: string,
  step: number,
  currency: string,
  rounding: NonNullable<TariffInput['rounding']>,
) {
  const rates = ['one', 'two', 'three', 'four'].slice(0, 1 + dice.below(4));
  return schema.parse({
    name: 'random',
    zone,
    currency,
    rounding,
    rates: rates.map((name) => ({ name })),
    calendar: calendar(dice, rates, Math.max(15, step)),
    components: components(dice, rates, step),
  });
}

/** Consumption with all qualities and some holes. */
export function randomSeries(dice: Dice, start: number, to: number, step: number, top: number): RatingSeries {
  const n = (to - start) / step;
  const values = new Float64Array(n);
  const quality = new Uint8Array(n);
  const holes = dice.chance(70);
  for (let i = 0; i < n; i++) {
    values[i] = dice.below(top);
    if (holes && dice.below(20) === 0) quality[i] = dice.below(5);
    if (quality[i] === 4) values[i] = Number.NaN;
  }
  return { start, step, scaler: dice.one([0, 0, -1, -3]), values, quality };
}

export function randomPrices(dice: Dice, from: number, to: number, step: number): RatingPrices {
  const start = from - 2 * 3_600_000;
  const values = new Float64Array(Math.ceil((to - start) / step) + 4);
  for (let i = 0; i < values.length; i++) values[i] = dice.below(50) === 0 ? Number.NaN : dice.below(25_000) - 2000;
  return { start, step, values, scaler: -2, currency: 'EUR', unit: 'MWh' };
}

export function randomInput(seed: number): RatingInput {
  const dice = new Dice(seed);
  const [zone, around] = dice.one(ZONES);
  // Lord Howe's clocks change by half an hour, Chatham's at a quarter to: longer intervals are refused there.
  const minutes = zone.endsWith('Howe')
    ? dice.one([15, 30] as const)
    : zone.endsWith('Chatham')
      ? 15
      : dice.one([15, 30, 60] as const);
  const step = minutes * 60_000;
  const begin = shift(around, -dice.below(4) - (dice.chance(20) ? 20 : 0));
  const days = 1 + dice.below(dice.chance(20) ? 40 : 8);
  const midnight = (date: string): number =>
    startOf('day', zone, Date.parse(`${date}T12:00:00Z`) - (zone === 'Pacific/Chatham' ? 12 * 3_600_000 : 0));
  const from = midnight(begin);
  const to = midnight(shift(begin, days));
  const currency = dice.one(['EUR', 'EUR', 'JPY', 'KWD']);
  const rounding = {
    of: dice.one(['lines', 'total'] as const),
    mode: dice.one(['half-up', 'half-even', 'up', 'down'] as const),
  };
  const versions: TariffVersion[] = [
    { version: '1', from: '2025-06-01', tariff: randomTariff(dice, zone, minutes, currency, rounding) },
  ];
  if (dice.chance(60))
    versions.push({
      version: '2',
      from: shift(begin, dice.below(days + 2)),
      tariff: randomTariff(dice, zone, minutes, currency, rounding),
    });
  const back = earliest(versions, from, to);
  const since = dice.chance(60) ? Math.max(back, from - dice.below(20) * DAY) : undefined;
  const start = since === undefined ? back : from - Math.floor((from - since) / step) * step;
  const prices = randomPrices(dice, from, to, dice.one([900_000, 3_600_000]) > step ? 3_600_000 : 900_000);
  return {
    versions: dice.chance(50) ? versions : [...versions].reverse(),
    from,
    to,
    ...(since === undefined ? {} : { since: start }),
    series: {
      energyImport: randomSeries(dice, start, to, step, 3000),
      energyExport: randomSeries(dice, start, to, step, 2500),
    },
    prices: { area: { ...prices, currency } },
    parameters: { mainFuse: '35.5' },
  };
}
