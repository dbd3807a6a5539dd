/** Intervals gathered into as many bins as a chart has room for: energy by quality, and how much of each bin is not there. */
import { add, startOf } from '@amiable/calendar';
import type { Quality } from '@amiable/model';

export interface Bin {
  readonly start: number;
  readonly end: number;
  /** In the unit of the metering, by quality; of a bin without any value all are 0. */
  readonly sums: Readonly<Record<Exclude<Quality, 'missing'>, number>>;
  /** Intervals that belong here, and those that are not there. */
  readonly expected: number;
  readonly missing: number;
}

export type BinUnit = 'interval' | 'hour' | 'day' | 'month';

interface Given {
  readonly start: number;
  /** ms */
  readonly step: number;
  readonly values: readonly (number | null)[];
  readonly quality: readonly (readonly [Quality, number])[];
}

/** So long after its end an interval may still be on its way. */
const ON_ITS_WAY = 3 * 3_600_000;
const DAY = 86_400_000;

/** @param begun when the metering began: before its first value nothing lacks */
export function binsOf(given: Given, unit: BinUnit, zone: string, now: number, begun: number): Bin[] {
  const { start, step, values, quality } = given;
  const first = begun + DAY > start ? values.findIndex((value) => value !== null) : 0;
  const bins: (Bin & { sums: Record<Exclude<Quality, 'missing'>, number>; expected: number; missing: number })[] = [];
  let run = 0;
  let left = quality[0]?.[1] ?? 0;
  for (let i = 0; i < values.length; i++) {
    while (left === 0 && run < quality.length - 1) left = quality[++run]?.[1] ?? 0;
    left--;
    const at = start + i * step;
    let bin = bins.at(-1);
    if (!bin || at >= bin.end) {
      const from = unit === 'interval' ? at : startOf(unit, zone, at);
      const end = unit === 'interval' ? at + step : add(unit, zone, from, 1);
      bin = {
        start: from,
        end,
        sums: { measured: 0, calculated: 0, edited: 0, estimated: 0 },
        expected: 0,
        missing: 0,
      };
      bins.push(bin);
    }
    const value = values[i];
    // What is still to come lacks nowhere, nor what was before the beginning.
    if ((value === null || value === undefined) && (at + step > now - ON_ITS_WAY || first < 0 || i < first)) continue;
    bin.expected++;
    const code = quality[run]?.[0] ?? 'measured';
    if (value === null || value === undefined || code === 'missing') bin.missing++;
    else bin.sums[code] += value;
  }
  return bins;
}

export const sumOf = ({ sums }: Bin): number => sums.measured + sums.calculated + sums.edited + sums.estimated;
