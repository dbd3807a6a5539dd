/** Reports on what was read: completeness by area, gaps by meter, communication, work. */
import { z } from 'zod';
import { kind, spanOf, spanShape, spanWords, whereShape, whereWords } from '../kind.ts';
import { MOST_ROWS, type ReportCell } from '../table.ts';

const PAGE = 1000;
const profile = z
  .string()
  .regex(/^[\w-]{1,40}$/)
  .default('load')
  .describe('profile that is counted');

export const completeness = kind({
  name: 'completeness',
  title: 'Completeness of profiles',
  summary: 'what is there of what should be, by area',
  needs: ['reading:view', 'network:view'],
  parameters: z.strictObject({
    ...spanShape,
    under: whereShape.under,
    profile,
    rows: z.enum(['region', 'substation', 'transformer', 'feeder', 'meter']).default('transformer'),
  }),
  async make(call, given) {
    const span = spanOf(given, call, 400);
    const rows: ReportCell[][] = [];
    const sums = { expected: 0, present: 0, estimated: 0, givenUp: 0, missing: 0 };
    let computed: number | undefined;
    let after: string | undefined;
    do {
      const found = await call.context.store.completeness.report({
        profile: given.profile,
        from: span.fromDay,
        to: span.toDay,
        rows: given.rows,
        limit: PAGE,
        scope: call.caller.scope,
        ...(given.under === undefined ? {} : { under: given.under }),
        ...(after === undefined ? {} : { after }),
      });
      computed = found.computed;
      if (after === undefined)
        for (const cell of found.total)
          if (cell) for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += cell[key];
      for (const row of found.rows) {
        const own = { expected: 0, present: 0, estimated: 0, givenUp: 0, missing: 0 };
        for (const cell of row.cells)
          if (cell) for (const key of Object.keys(own) as (keyof typeof own)[]) own[key] += cell[key];
        rows.push([row.name, own.expected, own.present, share(own), own.estimated, own.missing, own.givenUp]);
      }
      after = found.next;
    } while (after !== undefined && rows.length < MOST_ROWS);
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call)), ['Profile', given.profile]],
      columns: [
        { name: 'area', label: given.rows === 'meter' ? 'Meter' : 'Area', type: 'text' },
        { name: 'expected', label: 'Expected', type: 'integer' },
        { name: 'present', label: 'Present', type: 'integer' },
        { name: 'share', label: 'Complete', type: 'percent', decimals: 2, bar: true },
        { name: 'estimated', label: 'Of these estimated', type: 'integer' },
        { name: 'missing', label: 'Missing', type: 'integer' },
        { name: 'givenUp', label: 'Given up', type: 'integer' },
      ],
      rows,
      totals: ['Together', sums.expected, sums.present, share(sums), sums.estimated, sums.missing, sums.givenUp],
      notes: [
        ...(computed === undefined
          ? ['Nothing was counted for these days: a task of kind completeness does it, day by day when they are over.']
          : []),
        ...(given.rows === 'meter' ? ['Only meters that lack something or have estimated values are listed.'] : []),
        ...(after === undefined ? [] : [`Cut after ${rows.length} rows.`]),
      ],
    };
  },
});

const share = ({ expected, present }: { expected: number; present: number }): number | null =>
  expected === 0 ? null : present / expected;

export const gaps = kind({
  name: 'gaps',
  title: 'Meters with gaps',
  summary: 'meters that lack values, those that lack most first',
  needs: ['reading:view', 'meter:view'],
  parameters: z.strictObject({ ...spanShape, under: whereShape.under, profile }),
  async make(call, given) {
    const span = spanOf(given, call, 400);
    const rows: ReportCell[][] = [];
    let after: string | undefined;
    do {
      const found = await call.context.store.completeness.gaps({
        profile: given.profile,
        from: span.fromDay,
        to: span.toDay,
        limit: PAGE,
        scope: call.caller.scope,
        ...(given.under === undefined ? {} : { under: given.under }),
        ...(after === undefined ? {} : { after }),
      });
      for (const m of found.meters) rows.push([m.serial, m.name, m.days, m.missing, m.givenUp, m.first, m.last]);
      after = found.next;
    } while (after !== undefined && rows.length < MOST_ROWS);
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call)), ['Profile', given.profile]],
      columns: [
        { name: 'serial', label: 'Meter', type: 'text' },
        { name: 'name', label: 'Name', type: 'text' },
        { name: 'days', label: 'Days with gaps', type: 'integer' },
        { name: 'missing', label: 'Values missing', type: 'integer', bar: true },
        { name: 'givenUp', label: 'Given up', type: 'integer' },
        { name: 'first', label: 'First such day', type: 'day' },
        { name: 'last', label: 'Last', type: 'day' },
      ],
      rows,
      notes: after === undefined ? [] : [`Cut after ${rows.length} rows.`],
    };
  },
});

export const communication = kind({
  name: 'communication',
  title: 'Communication with meters',
  summary: 'how the last reading of each meter went, those that do not answer first',
  needs: ['connection:view', 'meter:view'],
  parameters: z.strictObject({
    outcome: z.enum(['done', 'partial', 'failed', 'unreachable', 'refused', 'stranger']).optional(),
    troubled: z.boolean().default(true).describe('only meters whose last reading did not do all'),
  }),
  async make(call, given) {
    const rows: ReportCell[][] = [];
    const counts = new Map<string, number>();
    let after: string | undefined;
    let cut = false;
    for (;;) {
      const found = await call.context.store.readout.connections({
        limit: PAGE,
        scope: call.caller.scope,
        ...(given.outcome === undefined ? {} : { outcome: given.outcome }),
        ...(after === undefined ? {} : { after }),
      });
      for (const { serial, address, state } of found) {
        const outcome = state?.outcome ?? 'never read';
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (given.troubled && given.outcome === undefined && outcome === 'done') continue;
        if (rows.length >= MOST_ROWS) cut = true;
        else
          rows.push([
            serial,
            address,
            outcome,
            state?.reason ?? null,
            state?.failures ?? null,
            state?.tried ?? null,
            state?.read ?? null,
            state?.deviation === undefined ? null : state.deviation / 1000,
          ]);
      }
      if (found.length < PAGE) break;
      after = found.at(-1)?.meter;
    }
    rows.sort((a, b) => Number(b[4] ?? 0) - Number(a[4] ?? 0));
    return {
      asked: [['Outcomes', [...counts].map(([outcome, n]) => `${n} ${outcome}`).join(', ') || 'none']],
      columns: [
        { name: 'serial', label: 'Meter', type: 'text' },
        { name: 'address', label: 'Address', type: 'text' },
        { name: 'outcome', label: 'Outcome', type: 'text' },
        { name: 'reason', label: 'Why', type: 'text' },
        { name: 'failures', label: 'Failures in a row', type: 'integer', bar: true },
        { name: 'tried', label: 'Last tried', type: 'time' },
        { name: 'read', label: 'Last read', type: 'time' },
        { name: 'deviation', label: 'Clock off by', unit: 's', type: 'number', decimals: 1 },
      ],
      rows,
      notes: cut ? [`Cut after ${MOST_ROWS} rows.`] : [],
    };
  },
});

export const work = kind({
  name: 'work',
  title: 'Work done',
  summary: 'runs of tasks and flows: how many meters, how long, what came of them',
  needs: ['run:view'],
  parameters: z.strictObject({ ...spanShape, failed: z.boolean().default(false).describe('only runs that failed') }),
  async make(call, given) {
    const span = spanOf({ ...given, period: given.period ?? 'week' }, call, 400);
    const rows: ReportCell[][] = [];
    let before: string | undefined;
    let cut = false;
    reading: for (;;) {
      const found = await call.context.store.work.runs.list({
        limit: PAGE,
        scope: call.caller.scope,
        ...(before === undefined ? {} : { before }),
      });
      for (const run of found) {
        if (run.due < span.from) break reading;
        if (run.due >= span.to || (given.failed && run.state !== 'failed')) continue;
        if (rows.length >= MOST_ROWS) {
          cut = true;
          break reading;
        }
        const { total, done, failed } = run.counts;
        const took = run.started === null || run.ended === null ? null : (run.ended - run.started) / 60_000;
        rows.push([run.name, run.kind ?? 'flow', run.due, run.state, total, done, failed, took, run.creator, run.note]);
      }
      if (found.length < PAGE) break;
      before = found.at(-1)?.id;
    }
    return {
      asked: [spanWords(span, call)],
      columns: [
        { name: 'name', label: 'Task or flow', type: 'text' },
        { name: 'kind', label: 'Kind', type: 'text' },
        { name: 'due', label: 'Due', type: 'time' },
        { name: 'state', label: 'State', type: 'text' },
        { name: 'meters', label: 'Meters', type: 'integer' },
        { name: 'done', label: 'Done', type: 'integer' },
        { name: 'failed', label: 'Failed', type: 'integer' },
        { name: 'took', label: 'Took', unit: 'min', type: 'minutes', decimals: 1, bar: true },
        { name: 'creator', label: 'For', type: 'text' },
        { name: 'note', label: 'Note', type: 'text' },
      ],
      rows,
      notes: cut ? [`Cut after ${MOST_ROWS} rows.`] : [],
    };
  },
});
