/**
 * How fast interval values are validated, on one core: 30 local days of quarters of many meters, in memory, with the checks gap, negative, limit,
 * zero, spike, sum and high/low, all that validation of a series is (the rules, the register, the days before), not one loop of it. One
 * meter in twenty has something wrong. Beside it the pass over the values alone, the same checks on one interval after the other, and
 * sums by rate. Once with so few meters that they stay in the processor's cache, as values do that were unpacked a moment ago, and once
 * with so many that they come from memory.
 */
import { type CompiledRule, compileRules, QUALITY, type ValidationInput, validateIntervals } from '@amiable/compute';
import { ruleSet } from '@amiable/model/schemas';
import { addRates } from '../../packages/compute/src/tariff/kernels.ts';
import { dayGrid } from '../../packages/compute/src/validation/days.ts';
import { newScan, scanDays } from '../../packages/compute/src/validation/scan.ts';
import { best } from './best.ts';
import type { Figure } from './figure.ts';

const ZONE = 'Europe/Oslo';
const START = Date.UTC(2026, 0, 4, 23);
const QUARTER = 900_000;
const DAYS = 30;
const BEFORE = 14;

/** The checks of the figure that is asked for. */
const RULES = ruleSet.parse({
  name: 'bench',
  profile: [
    { name: 'gap', check: 'gap' },
    { name: 'negative', check: 'negative' },
    { name: 'limit', check: 'demand-limit', limit: '25 kW' },
    { name: 'zero', check: 'zero-without-outage', hours: 2 },
    { name: 'spike', check: 'spike' },
    { name: 'sum', check: 'sum' },
    { name: 'high-low', check: 'high-low', high: 400, low: 20, days: 7 },
  ],
});

/** Curves like those of houses: a base, a morning, an evening, chance. */
function meters(count: number, before: number): ValidationInput[] {
  const n = (DAYS + before) * 96;
  let seed = 0x2545f491;
  const chance = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  return Array.from({ length: count }, (_, m): ValidationInput => {
    const values = new Float64Array(n);
    const base = 50 + chance() * 150;
    for (let i = 0; i < n; i++) {
      const hour = (i % 96) / 4;
      const evening = Math.exp(-((hour - 19) ** 2) / 8) * 900;
      const morning = Math.exp(-((hour - 7) ** 2) / 4) * 500;
      values[i] = Math.round(base + (evening + morning) * (0.5 + chance()) + chance() * 200);
    }
    const times: number[] = [];
    const shown: number[] = [];
    let sum = 1_000_000;
    for (let i = 0; i <= n; i++) {
      if (i % 96 === 0) {
        times.push(START + i * QUARTER);
        shown.push(sum);
      }
      sum += values[i] ?? 0;
    }
    const from = before * 96;
    const quality = new Uint8Array(n);
    if (m % 20 === 7) {
      for (let i = 0; i < 4; i++) values[from + 500 + i] = Number.NaN;
      quality.fill(QUALITY.missing, from + 500, from + 504);
    }
    if (m % 20 === 19) values[from + 1200] = 90_000;
    return {
      intervals: { start: START, step: QUARTER, scaler: 0, values, quality },
      from,
      to: n,
      unit: 'Wh',
      zone: ZONE,
      showings: { times: Float64Array.from(times), values: Float64Array.from(shown), scaler: 0 },
      meter: { outages: [] },
    };
  });
}

function validateAll(inputs: readonly ValidationInput[], rules: readonly CompiledRule[]): number {
  let found = 0;
  for (const input of inputs) found += validateIntervals(input, rules).length;
  if (found === 0) throw new Error('nothing was found where something is wrong');
  return inputs.length * DAYS * 96;
}

/** The same checks as one would write them down: each interval looked at, the third-highest by sorting the day. */
function plainly(inputs: readonly ValidationInput[]): number {
  let found = 0;
  for (const { intervals, from, to } of inputs) {
    const v = intervals.values;
    for (let a = from; a < to; a += 96) {
      const day = v.slice(a, a + 96);
      let sum = 0;
      for (const x of day) {
        if (Number.isNaN(x) || x < 0 || x > 6250 || x === 0) found++;
        else sum += x;
      }
      day.sort();
      const third = day[93] as number;
      if (((day[95] as number) - third) / third > 1.8 || sum < 0) found++;
    }
  }
  if (found === 0) throw new Error('nothing was found where something is wrong');
  return inputs.length * DAYS * 96;
}

export async function benchValidation({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const count = 20;
  const rounds = smoke ? 2 : 100;
  const rules = compileRules(RULES);
  const alone = meters(count, 0);
  const withContext = meters(count, BEFORE);
  const many = meters(smoke ? 100 : 1000, 0);
  const { bounds } = dayGrid(ZONE, START, QUARTER, DAYS * 96);
  const scan = newScan();
  // Five switch points a day, three rates.
  const runs: number[] = [];
  for (let day = 0; day < DAYS; day++)
    for (const [from, to, rate] of [
      [0, 24, 2],
      [24, 32, 1],
      [32, 68, 0],
      [68, 84, 1],
      [84, 96, 2],
    ] as const)
      runs.push(day * 96 + from, day * 96 + to, rate);
  const table = Int32Array.from(runs);
  const sums = new Float64Array(3);
  const [whole, context, fromMemory, pass, plain, rates] = best(
    [
      () => validateAll(alone, rules),
      () => validateAll(withContext, rules),
      () => validateAll(many, rules),
      () => {
        for (const { intervals } of alone) scanDays(intervals.values, bounds, scan, 0, DAYS);
        return count * DAYS * 96;
      },
      () => plainly(alone),
      () => {
        for (const { intervals } of alone) addRates(intervals.values, 0, table, sums.fill(0));
        return count * DAYS * 96;
      },
    ],
    rounds,
  ) as [number, number, number, number, number, number];
  const what = 'validation: gap, negative, limit, zero, spike, sum, high/low';
  return [
    { name: `${what}, 30 days`, value: whole, unit: 'intervals/s', peer: 'interval by interval', ratio: whole / plain },
    { name: `${what}, ${BEFORE} days before`, value: context, unit: 'intervals/s' },
    { name: `${what}, ${many.length} meters out of memory`, value: fromMemory, unit: 'intervals/s' },
    { name: 'validation: the pass over the values alone', value: pass, unit: 'intervals/s' },
    { name: 'rates: sums of 3 rates with 5 switch points a day', value: rates, unit: 'intervals/s' },
  ];
}
