/**
 * Meterings: written durably, read by many meters at once as kernels take them, written again with estimates replaced, read as they
 * stood before. Beside it the same values into the table of plain readings (`writeBlocks`), in the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import { openStore, type SeriesData, startEmbedded } from '@amiable/store';
import type { Figure } from './figure.ts';

const QUARTER = 900_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 9, 1);
const METERING = intervalRegister(quantityOf('energyImport') as Quantity, 900);
const PLAIN = { obis: '1-0:1.29.0', name: 'activeEnergyImportInterval', unit: 'Wh', period: 900 } as const;

export async function benchIntervals(options: { smoke?: boolean } = {}): Promise<Figure[]> {
  const meters = options.smoke ? 100 : 10_000;
  const days = options.smoke ? 5 : 30;
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    return await measure(embedded.url, meters, days);
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function measure(url: string, meters: number, days: number): Promise<Figure[]> {
  const store = await openStore({ url });
  const figures: Figure[] = [];
  const n = meters * days * 96;
  const rate = (name: string, seconds: number, values = n): void => {
    figures.push({ name: `intervals: ${name}`, value: values / seconds / 1e6, unit: 'M values/s' });
  };
  try {
    const made = await store.ensureMeters(
      Array.from({ length: meters }, (_, i) => ({ serial: String(7_000_000_000 + i) })),
    );
    const ids = [...made.values()];
    const count = days * 96;
    const use = (k: number): Float64Array => {
      let seed = k * 2654435761;
      let base = 60;
      return Float64Array.from({ length: count }, () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        if (seed % 40 === 0) base = 40 + (seed >>> 20);
        return base + ((seed >>> 12) % 12);
      });
    };
    const values = ids.map((_, k) => use(k));
    /** One value of fifty is estimated. */
    const quality = Uint8Array.from({ length: count }, (_, i) => (i % 50 === 7 ? 3 : 0));
    const series = (register: SeriesData['register'], codes?: Uint8Array): SeriesData[] =>
      ids.map((meter, k) => ({
        meter,
        register,
        scaler: 0,
        start: START,
        step: QUARTER,
        values: values[k] as Float64Array,
        ...(codes ? { quality: codes } : {}),
      }));
    const to = START + days * DAY;
    const plain = await timed(() => store.writeBlocks(series(PLAIN)));
    rate('plain readings written, durable', plain);
    const first = await timed(() =>
      store.intervals.write(series(METERING, quality), { source: 'validation', at: to, replace: true }),
    );
    rate('meterings written, durable', first);
    rate(
      'meterings written again, nothing changes',
      await timed(() =>
        store.intervals.write(series(METERING, quality), { source: 'validation', at: to + 1000, replace: true }),
      ),
    );
    const query = { quantity: 'energyImport', from: START, to };
    let seen = 0;
    const all = await timed(() =>
      store.intervals.read('all', query, (x) => {
        seen += x.values.length;
      }),
    );
    if (seen !== n) throw new Error(`${seen} values of ${n} were read`);
    rate('read by all meters', all);
    const again = await timed(() => store.intervals.read('all', query, () => {}));
    rate('read by all meters, again', again);
    let one = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 50; i++)
      one = Math.min(one, await timed(() => store.intervals.one(ids[(i * 97) % ids.length] as string, query)));
    figures.push({ name: "intervals: one meter's month", value: one * 1000, unit: 'ms' });
    // The real values of a tenth of the meters come late: every estimate of theirs is replaced and told.
    const late = series(METERING).slice(0, Math.ceil(meters / 10));
    const estimates = late.length * quality.filter((q) => q === 3).length;
    const seconds = await timed(() => store.intervals.write(late, { source: 'validation', at: to + DAY }));
    figures.push({
      name: 'intervals: late values that replace estimates, with the change log',
      value: estimates / seconds,
      unit: 'values/s',
    });
    rate(
      'the same meters as they stood before',
      await timed(() =>
        store.intervals.read(
          late.map((s) => s.meter),
          { ...query, asOf: to + 2000 },
          () => {},
        ),
      ),
      late.length * count,
    );
    figures.push({
      name: 'intervals: what changed since, all meters',
      value:
        (await timed(() =>
          store.intervals.changedSince({ since: to + DAY - 3_600_000, from: START, to, meters: 'all' }),
        )) * 1000,
      unit: 'ms',
    });
    return figures;
  } finally {
    await store.close();
  }
}
