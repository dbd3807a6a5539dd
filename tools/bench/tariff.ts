/**
 * Tariffs without a database: rates of many meters in one matrix, and determinants and bills of one customer after the other. The tariff
 * is examples/tariffs/three-rates-seasons.json: three rates, one demand charge, a subscription, two levels of tax.
 */
import { readFileSync } from 'node:fs';
import { addRates, rateMeters, rater } from '@amiable/compute';
import { tariff } from '@amiable/model/schemas';
import type { Figure } from './figure.ts';
import type { BenchOptions } from './main.ts';

const QUARTER = 900_000;

/** Processor time of a call in ms, the best of a few: what else the machine does only adds. */
function best(times: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

export async function benchTariff({ smoke }: BenchOptions): Promise<readonly Figure[]> {
  const definition = tariff.parse(
    JSON.parse(readFileSync(new URL('../../examples/tariffs/three-rates-seasons.json', import.meta.url), 'utf8')),
  );
  const from = Date.parse('2026-01-01T00:00+01:00');
  const to = Date.parse('2026-02-01T00:00+01:00');
  const count = (to - from) / QUARTER;
  const ready = rater([{ version: '1', from: '2025-01-01', tariff: definition }], from, to);
  const meters = smoke ? 20 : 1000;
  const values = new Float64Array(meters * count);
  for (let i = 0, seed = 1; i < values.length; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    values[i] = seed >>> 21;
  }
  const quality = new Uint8Array(count);
  const [span] = ready.compiled.spans;
  if (!span) throw new Error('the period has no version');
  const { spanRuns } = ready.compiled.grid(span, from, QUARTER, 'energyImport');
  const rates = new Float64Array(meters * 3);
  const peaks = new Float64Array(meters);
  const one = new Float64Array(3);
  const tries = smoke ? 1 : 15;
  const rounds = smoke ? 1 : 4;
  const both = best(tries, () => {
    for (let n = 0; n < rounds; n++) rateMeters(values, count, spanRuns, 3, rates, peaks);
  });
  const alone = best(tries, () => {
    for (let n = 0; n < rounds; n++) for (let m = 0; m < meters; m++) addRates(values, m * count, spanRuns, one);
  });
  const inputs = Array.from({ length: Math.min(meters, 200) }, (_, m) => ({
    series: {
      energyImport: {
        start: from,
        step: QUARTER,
        scaler: 0,
        values: values.subarray(m * count, (m + 1) * count),
        quality,
      },
    },
  }));
  const determined = best(tries, () => {
    for (const input of inputs) ready.determinants(input);
  });
  const billed = best(tries, () => {
    for (const input of inputs) ready.rate(input);
  });
  const intervals = meters * count * rounds;
  return [
    { name: 'tariff: energy in three rates', value: intervals / alone / 1000, unit: 'M intervals/s' },
    { name: 'tariff: three rates and the highest interval', value: intervals / both / 1000, unit: 'M intervals/s' },
    { name: 'tariff: the same for 10,000 meters and a month', value: (both / rounds / meters) * 10_000, unit: 'ms' },
    {
      name: 'tariff: monthly determinants with qualities',
      value: (inputs.length / determined) * 1000,
      unit: 'customers/s',
    },
    { name: 'tariff: bills with their derivation', value: (inputs.length / billed) * 1000, unit: 'customers/s' },
  ];
}
