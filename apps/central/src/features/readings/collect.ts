/**
 * The values of a file by series, in bounded memory, with the line of each: what stands twice in it is found here.
 */
import type { MeterName, ReadingFault, ReadingRow } from '@amiable/formats';
import { QUALITIES } from '@amiable/model';

/** Values of one file. */
export const MOST_VALUES = 2_000_000;
const SHOWN = 1000;

export interface Collected {
  readonly by: MeterName;
  readonly meter: string;
  readonly what: string | undefined;
  /** ms; 0: showings. */
  readonly period: number;
  readonly unit: string | undefined;
  readonly times: number[];
  readonly mantissas: number[];
  readonly scalers: number[];
  readonly qualities: number[];
  readonly lines: number[];
  readonly columns: number[];
}

export class Faults {
  count = 0;
  readonly first: ReadingFault[] = [];
  add(fault: ReadingFault): void {
    this.count++;
    if (this.first.length < SHOWN) this.first.push(fault);
  }
}

export interface Collector {
  readonly series: readonly Collected[];
  readonly missing: number;
  readonly same: number;
  row(row: ReadingRow): void;
  /** Sorts each series by time and takes out what stands twice. */
  settle(): void;
}

/** Ends the reading of a file that is too large. */
export class TooMuch extends Error {}

export function createCollector(faults: Faults): Collector {
  const byKey = new Map<string, Collected>();
  let values = 0;
  let missing = 0;
  let same = 0;
  return {
    get series() {
      return [...byKey.values()];
    },
    get missing() {
      return missing;
    },
    get same() {
      return same;
    },
    row(row) {
      if (row.mantissa === null) {
        missing++;
        return;
      }
      if (row.meter === undefined) {
        faults.add({ line: row.line, column: row.column, message: 'nothing says whose value this is; name the meter' });
        return;
      }
      if (++values > MOST_VALUES)
        throw new TooMuch(`the file has more than ${MOST_VALUES} values; cut it into several`);
      const key = `${row.by}\0${row.meter}\0${row.what ?? ''}\0${row.period}\0${row.unit ?? ''}`;
      let series = byKey.get(key);
      if (!series) {
        series = {
          by: row.by,
          meter: row.meter,
          what: row.what,
          period: row.period,
          unit: row.unit,
          times: [],
          mantissas: [],
          scalers: [],
          qualities: [],
          lines: [],
          columns: [],
        };
        byKey.set(key, series);
      }
      series.times.push(row.time);
      series.mantissas.push(row.mantissa);
      series.scalers.push(row.scaler);
      series.qualities.push(QUALITIES.indexOf(row.quality));
      series.lines.push(row.line);
      series.columns.push(row.column);
    },
    settle() {
      for (const series of byKey.values()) {
        const { times, mantissas, scalers, lines, columns } = series;
        let rising = true;
        for (let i = 1; i < times.length && rising; i++) rising = (times[i] as number) > (times[i - 1] as number);
        if (rising) continue;
        const order = times
          .map((_, i) => i)
          .sort((a, b) => (times[a] as number) - (times[b] as number) || (lines[a] as number) - (lines[b] as number));
        const kept: number[] = [];
        for (const i of order) {
          const before = kept.at(-1);
          if (before === undefined || times[before] !== times[i]) {
            kept.push(i);
            continue;
          }
          const a = (mantissas[before] as number) * 10 ** (scalers[before] as number);
          const b = (mantissas[i] as number) * 10 ** (scalers[i] as number);
          if (a === b) same++;
          else
            faults.add({
              line: lines[i] as number,
              column: columns[i] as number,
              message: `line ${lines[before]} has another value of the same time; which one is right?`,
            });
        }
        for (const list of [times, mantissas, scalers, series.qualities, lines, columns]) {
          const sorted = kept.map((i) => list[i] as number);
          list.length = 0;
          for (const one of sorted) list.push(one);
        }
      }
    },
  };
}
