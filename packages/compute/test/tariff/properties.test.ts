import { startOf } from '@amiable/calendar';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareRated,
  type Line,
  type Rated,
  type RatingInput,
  type RatingSeries,
  rate,
  rater,
  type TariffVersion,
} from '../../src/index.ts';
import { pair, show, sum } from './exact.ts';
import { Dice, randomInput, randomSeries } from './random.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const numRuns = 10;

/** The same with other components, and money exact. */
const change = (
  input: RatingInput,
  keep: (component: TariffVersion['tariff']['components'][number]) => boolean,
): RatingInput => ({
  ...input,
  versions: input.versions.map((v) => ({
    ...v,
    tariff: {
      ...v.tariff,
      rounding: { of: 'total', mode: 'half-up' },
      components: v.tariff.components
        .filter(keep)
        .map((c) => (c.kind === 'tax' || c.kind === 'minimum' ? { ...c, on: ['*'] } : c)),
    },
  })),
});

const sumsOf = (lines: readonly Line[]): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const name of [...new Set(lines.map((l) => l.component))].sort()) {
    const total = show(sum(lines.filter((l) => l.component === name).map((l) => pair(l.exact))));
    if (total !== '0/1') found[name] = total;
  }
  return found;
};

describe('bills', () => {
  it('have rates that part the energy, and qualities that part each quantity', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const rated = rate(input);
        for (const name of ['energyImport', 'energyExport']) {
          const parts = rated.determinants.filter((d) => d.kind === 'energy' && d.name === name);
          const series = input.series[name] as (typeof input.series)[string];
          // By version: all that lies in its span, each interval once.
          for (const { version, from, to } of rated.versions) {
            const mine = parts.filter((d) => d.version === version);
            if (mine.length === 0) continue;
            let total = 0;
            let count = 0;
            series.values.forEach((value, i) => {
              const at = series.start + i * series.step;
              if (at < from || at >= to) return;
              count++;
              if (!Number.isNaN(value)) total += value;
            });
            const exponent = { kWh: 3, MWh: 6 }[mine[0]?.unit as string] as number;
            expect(show(sum(mine.map((d) => pair(d.quantity))))).toBe(
              show([BigInt(total), 10n ** BigInt(exponent - series.scaler)]),
            );
            expect(mine.flatMap((d) => Object.values(d.quality?.intervals ?? {})).reduce((a, b) => a + b, 0)).toBe(
              count,
            );
          }
          for (const d of parts)
            expect(show(sum(Object.values(d.quality?.quantity ?? {}).map(pair)))).toBe(show(pair(d.quantity)));
        }
      }),
      { numRuns },
    );
  });

  it('of a period are those of its parts, split where the price changes', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        // What looks at a whole month, or has a limit for the period, is another bill when the period is.
        const input = change(randomInput(seed), (c) => {
          if (c.kind === 'energy') return c.steps?.per !== 'period' && c.round === undefined;
          if (c.kind === 'net') return c.settle === 'running' && c.over !== 'period';
          if (c.kind === 'minimum') return c.per !== 'period';
          return c.kind !== 'capacity';
        });
        const whole = rate(input);
        const parts = whole.versions.flatMap(({ from, to }) => rate({ ...input, from, to }).lines);
        expect(sumsOf(parts)).toEqual(sumsOf(whole.lines));
      }),
      { numRuns },
    );
  });

  it('are the same when the same prices are written down once more', () => {
    fc.assert(
      fc.property(seeds, fc.nat(30), (seed, days) => {
        const input = change(randomInput(seed), (c) => {
          if (c.kind === 'energy') return (c.steps === undefined || c.steps.per === 'day') && c.round === undefined;
          if (c.kind === 'net') return c.settle === 'running';
          return c.kind !== 'minimum';
        });
        const [first] = input.versions as [TariffVersion];
        const one = { ...input, versions: [{ ...first, from: '2025-06-01' }] };
        const { zone } = first.tariff;
        const middle = startOf('day', zone, input.from + Math.floor(((input.to - input.from) * days) / 30));
        const date = new Intl.DateTimeFormat('sv', { timeZone: zone }).format(middle);
        const two = { ...one, versions: [...one.versions, { ...first, version: 'again', from: date }] };
        expect(sumsOf(rate(two).lines)).toEqual(sumsOf(rate(one).lines));
      }),
      { numRuns },
    );
  });

  it('do not depend on the order of components, rates, tables and versions', () => {
    const shuffled = <T>(dice: Dice, list: readonly T[]): T[] => {
      const out = [...list];
      for (let i = out.length - 1; i > 0; i--) {
        const j = dice.below(i + 1);
        [out[i], out[j]] = [out[j] as T, out[i] as T];
      }
      return out;
    };
    const told = (rated: Rated): string[] =>
      rated.lines.map((l) => `${l.component} ${l.version} ${l.rate} ${l.step} ${l.exact} ${l.amount}`).sort();
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const dice = new Dice(seed + 1);
        const other = {
          ...input,
          versions: shuffled(
            dice,
            input.versions.map((v) => ({
              ...v,
              tariff: {
                ...v.tariff,
                components: shuffled(dice, v.tariff.components),
                rates: shuffled(dice, v.tariff.rates),
                calendar: {
                  ...v.tariff.calendar,
                  seasons: shuffled(dice, v.tariff.calendar.seasons),
                  weeks: shuffled(dice, v.tariff.calendar.weeks),
                  days: shuffled(dice, v.tariff.calendar.days),
                },
              },
            })),
          ),
        };
        const [a, b] = [rate(input), rate(other)];
        expect(told(b)).toEqual(told(a));
        expect(b.total).toBe(a.total);
      }),
      { numRuns },
    );
  });

  it('of many customers by one rater are those of each by itself', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const dice = new Dice(seed);
        const { versions, from, to } = input;
        const ready = rater(versions, from, to);
        for (let customer = 0; customer < 3; customer++) {
          const { start, step } = input.series.energyImport as RatingSeries;
          const begun = start + dice.below((from - start) / step + 1) * step;
          const own = {
            ...input,
            since: customer === 0 ? undefined : begun,
            series: {
              energyImport: randomSeries(dice, begun, to, step, 3000),
              energyExport: randomSeries(dice, start, to, step, 3000),
            },
          };
          expect(ready.rate(own)).toEqual(rate(own));
          expect(
            ready
              .determinants(own)
              .map((d) => JSON.stringify(d))
              .sort(),
          ).toEqual(
            rate(own)
              .determinants.map((d) => JSON.stringify(d))
              .sort(),
          );
        }
      }),
      { numRuns: 5 },
    );
  });

  it('compared with themselves differ in nothing, and the other way round by the same amount', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const a = rate(input);
        const b = rate(change(input, (c) => c.kind === 'energy'));
        expect(compareRated(a, a)).toMatchObject({ difference: (0).toFixed(a.decimals) });
        const [there, back] = [compareRated(a, b), compareRated(b, a)];
        expect(show(sum([pair(there.difference), pair(back.difference)]))).toBe('0/1');
        expect(there.components.map((c) => c.component).sort()).toEqual(back.components.map((c) => c.component).sort());
      }),
      { numRuns: 5 },
    );
  });
});
