/** Reports on supply: the indices of areas, and what meters told. */
import { z } from 'zod';
import { kind, spanOf, spanShape, spanWords, whereShape, whereWords } from '../kind.ts';
import { MOST_ROWS, type ReportCell } from '../table.ts';

export const outages = kind({
  name: 'outages',
  title: 'Interruptions of supply',
  summary: 'SAIDI, SAIFI, CAIDI and MAIFI by area (IEEE 1366)',
  needs: ['event:view', 'network:view'],
  parameters: z.strictObject({
    ...spanShape,
    under: whereShape.under,
    rows: z.enum(['region', 'substation', 'transformer', 'feeder']).default('transformer'),
    momentary: z.number().min(0).max(60).default(3).describe('minutes up to which one is momentary'),
  }),
  async make(call, given) {
    const span = spanOf(given, call, 1100);
    const found = await call.context.store.outages.indices({
      periods: [{ from: span.from, to: Math.min(span.to, call.now) }],
      rows: given.rows,
      momentary: given.momentary * 60_000,
      now: call.now,
      scope: call.caller.scope,
      ...(given.under === undefined ? {} : { under: given.under }),
    });
    const rows: ReportCell[][] = [];
    for (const { name, sums } of found.slice(0, MOST_ROWS)) {
      const [s] = sums;
      if (!s) continue;
      rows.push([
        name,
        s.customers,
        s.sustained,
        s.momentary,
        s.minutes,
        s.saidi ?? null,
        s.saifi ?? null,
        s.caidi ?? null,
        s.maifi ?? null,
      ]);
    }
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call))],
      columns: [
        { name: 'area', label: 'Area', type: 'text' },
        { name: 'customers', label: 'Customers', type: 'number', decimals: 1 },
        { name: 'sustained', label: 'Sustained', type: 'integer' },
        { name: 'momentary', label: 'Momentary', type: 'integer' },
        { name: 'minutes', label: 'Customer minutes', type: 'minutes', decimals: 0, bar: true },
        { name: 'saidi', label: 'SAIDI', unit: 'min', type: 'number', decimals: 2 },
        { name: 'saifi', label: 'SAIFI', type: 'number', decimals: 3 },
        { name: 'caidi', label: 'CAIDI', unit: 'min', type: 'number', decimals: 1 },
        { name: 'maifi', label: 'MAIFI', type: 'number', decimals: 3 },
      ],
      rows,
      notes: [`Interruptions of up to ${given.momentary} minutes are momentary; announced work does not count.`],
    };
  },
});

export const events = kind({
  name: 'events',
  title: 'What meters told',
  summary: 'events of meters by kind: how often, and how grave',
  needs: ['event:view'],
  parameters: z.strictObject({ ...spanShape, under: whereShape.under }),
  async make(call, given) {
    const span = spanOf(given, call, 1100);
    const found = await call.context.store.events.count({
      from: span.from,
      to: span.to,
      scope: call.caller.scope,
      ...(given.under === undefined ? {} : { under: given.under }),
    });
    const rows = [...found].sort((a, b) => b.n - a.n).map(({ event, n }): ReportCell[] => [event, n]);
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call))],
      columns: [
        { name: 'event', label: 'Event', type: 'text' },
        { name: 'n', label: 'Times', type: 'integer', bar: true },
      ],
      rows: rows.slice(0, MOST_ROWS),
      totals: ['Together', found.reduce((sum, { n }) => sum + n, 0)],
      notes: [],
    };
  },
});
