/** Reports on what was taken: the largest consumers, and how much of it was measured. */
import { QUANTITIES, quantityOf, toNumber } from '@amiable/model';
import type { MeterIntervals } from '@amiable/store';
import { z } from 'zod';
import {
  kind,
  metersOf,
  type ReportCall,
  type Span,
  spanOf,
  spanShape,
  spanWords,
  whereShape,
  whereWords,
} from '../kind.ts';
import type { ReportCell } from '../table.ts';

const parameters = {
  ...spanShape,
  ...whereShape,
  quantity: z
    .string()
    .refine((name) => quantityOf(name) !== undefined, `one of ${QUANTITIES.map(({ name }) => name).join(', ')}`)
    .default('energyImport'),
  most: z.number().int().min(1).max(10_000).default(100).describe('rows'),
};

/** Qualities by code: measured, calculated, edited, estimated, missing. */
type Counts = [number, number, number, number, number];

interface Taken {
  readonly meter: string;
  /** In the quantity's unit. */
  readonly sum: number;
  readonly highest: number;
  readonly highestAt: number;
  readonly counts: Counts;
}

function takenBy({ meter, start, step, scaler, values, quality }: MeterIntervals, from: number, to: number): Taken {
  const counts: Counts = [0, 0, 0, 0, 0];
  let sum = 0;
  let highest = Number.NEGATIVE_INFINITY;
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    const time = start + i * step;
    if (time < from || time >= to) continue;
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    const code = quality[i] as number;
    counts[code] = (counts[code] ?? 0) + 1;
    sum += value;
    if (value > highest) [highest, at] = [value, time];
  }
  const had = counts.reduce((a, b) => a + b, 0);
  // What lacks at both ends lacks too.
  counts[4] = Math.max(0, Math.round((to - from) / step) - had);
  return {
    meter,
    sum: toNumber(sum, scaler),
    highest: toNumber(highest * (3_600_000 / step), scaler),
    highestAt: at,
    counts,
  };
}

/** The best `most` by a measure, of any number of meters, without keeping all. */
async function best(
  call: ReportCall,
  span: Span,
  where: { under?: string | undefined; group?: string | undefined; quantity: string; most: number },
  measure: (taken: Taken) => number,
): Promise<{
  readonly list: readonly Taken[];
  readonly meters: number;
  readonly sum: number;
  readonly counts: Counts;
}> {
  let list: Taken[] = [];
  let meters = 0;
  let sum = 0;
  const counts: Counts = [0, 0, 0, 0, 0];
  const cut = (): void => {
    list.sort((a, b) => measure(b) - measure(a));
    list = list.slice(0, where.most);
  };
  for await (const page of metersOf(where, call)) {
    call.signal?.throwIfAborted();
    await call.context.store.intervals.read(
      page,
      { quantity: where.quantity, from: span.from, to: span.to },
      (found) => {
        const taken = takenBy(found, span.from, Math.min(span.to, call.now));
        meters++;
        sum += taken.sum;
        taken.counts.forEach((n, i) => {
          counts[i] = (counts[i] as number) + n;
        });
        list.push(taken);
        if (list.length >= where.most + 5000) cut();
      },
    );
  }
  cut();
  return { list, meters, sum, counts };
}

async function names(
  { context, caller }: ReportCall,
  list: readonly Taken[],
): Promise<Map<string, [string, string | null]>> {
  const found = new Map<string, [string, string | null]>();
  for (const { meter } of list) {
    const entry = await context.store.meter(meter, caller.scope);
    if (entry) found.set(meter, [entry.serial, entry.name]);
  }
  return found;
}

/** Wh as kWh and the like; m³ stay. */
const shownUnit = (quantity: string): readonly [unit: string, power: string, parts: number] => {
  const unit = quantityOf(quantity)?.unit ?? '';
  return unit.endsWith('h') ? [`k${unit}`, `k${unit.slice(0, -1)}`, 1000] : [unit, `${unit}/h`, 1];
};

export const consumers = kind({
  name: 'consumers',
  title: 'Largest consumers',
  summary: 'meters that took most, with their highest mean power',
  needs: ['reading:view', 'meter:view'],
  parameters: z.strictObject(parameters),
  async make(call, given) {
    const span = spanOf(given, call);
    const { list, meters, sum } = await best(call, span, given, (taken) => taken.sum);
    const known = await names(call, list);
    const [unit, power, parts] = shownUnit(given.quantity);
    const rows = list.map(({ meter, sum: own, highest, highestAt, counts }): ReportCell[] => {
      const [serial, name] = known.get(meter) ?? [meter, null];
      const whole = counts.reduce((a, b) => a + b, 0);
      return [
        serial,
        name,
        own / parts,
        sum === 0 ? null : own / sum,
        highest === Number.NEGATIVE_INFINITY ? null : highest / parts,
        highestAt || null,
        whole === 0 ? null : (counts[2] + counts[3]) / whole,
        whole === 0 ? null : counts[4] / whole,
      ];
    });
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call)), ['Quantity', given.quantity]],
      columns: [
        { name: 'serial', label: 'Meter', type: 'text' },
        { name: 'name', label: 'Name', type: 'text' },
        { name: 'taken', label: 'Taken', unit, type: 'number', decimals: 1, bar: true },
        { name: 'share', label: 'Of all', type: 'percent', decimals: 2 },
        { name: 'highest', label: 'Highest mean', unit: power, type: 'number', decimals: 2 },
        { name: 'at', label: 'At', type: 'time' },
        { name: 'replaced', label: 'Estimated or edited', type: 'percent' },
        { name: 'missing', label: 'Missing', type: 'percent' },
      ],
      rows,
      totals: ['All', `${meters} meters`, sum / parts, meters === 0 ? null : 1, null, null, null, null],
      notes: meters > list.length ? [`The ${list.length} largest of ${meters} meters with values.`] : [],
    };
  },
});

export const estimated = kind({
  name: 'estimated',
  title: 'Estimated share',
  summary: 'how much of the values was measured, estimated or edited, or is missing; the worst meters first',
  needs: ['reading:view', 'meter:view'],
  parameters: z.strictObject(parameters),
  async make(call, given) {
    const span = spanOf(given, call);
    const bad = ({ counts }: Taken): number =>
      (counts[2] + counts[3] + counts[4]) /
      Math.max(
        1,
        counts.reduce((a, b) => a + b, 0),
      );
    const { list, meters, counts } = await best(call, span, given, bad);
    const known = await names(call, list);
    const shares = (own: Counts): ReportCell[] => {
      const whole = own.reduce((a, b) => a + b, 0);
      return [whole, ...own.map((n) => (whole === 0 ? null : n / whole))];
    };
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call)), ['Quantity', given.quantity]],
      columns: [
        { name: 'serial', label: 'Meter', type: 'text' },
        { name: 'name', label: 'Name', type: 'text' },
        { name: 'intervals', label: 'Intervals', type: 'integer' },
        { name: 'measured', label: 'Measured', type: 'percent', decimals: 2, bar: true },
        { name: 'calculated', label: 'Calculated', type: 'percent', decimals: 2 },
        { name: 'edited', label: 'Edited', type: 'percent', decimals: 2 },
        { name: 'estimated', label: 'Estimated', type: 'percent', decimals: 2 },
        { name: 'missing', label: 'Missing', type: 'percent', decimals: 2 },
      ],
      rows: list
        .filter((taken) => bad(taken) > 0)
        .map((taken) => [...(known.get(taken.meter) ?? [taken.meter, null]), ...shares(taken.counts)]),
      totals: ['All', `${meters} meters`, ...shares(counts)],
      notes: ['Meters of which all was measured are not listed; they stand in the last line.'],
    };
  },
});
