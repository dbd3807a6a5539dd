/** Reports on supply: the indices of areas, and what meters told. */
import { z } from 'zod';
import { kind, spanOf, spanShape, spanWords, whereShape, whereWords } from '../kind.ts';
import { MOST_ROWS, type ReportCell } from '../table.ts';

const PAGE = 1000;

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

export const losses = kind({
  name: 'losses',
  title: 'Losses by area',
  summary: 'what went in and was not metered, the largest share first',
  needs: ['balance:view', 'network:view'],
  parameters: z.strictObject({ ...spanShape }),
  async make(call, given) {
    const span = spanOf(given, call);
    const rows: ReportCell[][] = [];
    const sums = [0, 0, 0, 0];
    let after: string | undefined;
    for (;;) {
      const page = await call.context.store.balance.summary({
        from: span.fromDay,
        to: span.toDay,
        limit: PAGE,
        scope: call.caller.scope,
        ...(after === undefined ? {} : { after }),
      });
      for (const { name, supplied, produced, consumed, loss, days, complete, intervals } of page) {
        for (const [i, value] of [supplied, produced, consumed, loss].entries()) sums[i] = (sums[i] as number) + value;
        const went = supplied + produced;
        const all = [supplied, produced, consumed, loss].map((value) => value / 1000);
        rows.push([name, ...all, went > 0 ? loss / went : null, days, intervals > 0 ? complete / intervals : null]);
      }
      if (page.length < PAGE || rows.length >= MOST_ROWS) break;
      after = page.at(-1)?.name;
    }
    rows.sort((a, b) => Number(b[5] ?? 0) - Number(a[5] ?? 0));
    const [supplied = 0, produced = 0, , loss = 0] = sums;
    return {
      asked: [spanWords(span, call)],
      columns: [
        { name: 'area', label: 'Area', type: 'text' },
        { name: 'supplied', label: 'Supplied', unit: 'kWh', type: 'number', decimals: 1 },
        { name: 'produced', label: 'Produced', unit: 'kWh', type: 'number', decimals: 1 },
        { name: 'consumed', label: 'Consumed', unit: 'kWh', type: 'number', decimals: 1 },
        { name: 'loss', label: 'Lost', unit: 'kWh', type: 'number', decimals: 1 },
        { name: 'share', label: 'Of what went in', type: 'percent', decimals: 2, bar: true },
        { name: 'days', label: 'Days', type: 'integer' },
        { name: 'whole', label: 'Intervals with all meters', type: 'percent' },
      ],
      rows: rows.slice(0, MOST_ROWS),
      totals: [
        'Together',
        ...sums.map((value) => value / 1000),
        supplied + produced > 0 ? loss / (supplied + produced) : null,
        null,
        null,
      ],
      notes: [
        'Sums are over the intervals in which all meters of the area have a value; the last column says how many those are.',
      ],
    };
  },
});
