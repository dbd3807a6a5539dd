/** What is there of what should be: by day and area, by meter, and the meters that lack something. */
import type { CompletenessCell } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { day, id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';

const DAY = 86_400_000;
const MOST = 400;

const span = {
  profile: z
    .string()
    .regex(/^[\w-]{1,40}$/, 'the name of a profile, such as load or daily')
    .default('load'),
  from: day.optional().describe('first local day; 30 days back unless said'),
  to: day.optional().describe('the day after the last; today unless said'),
};
const cell = z.object({
  expected: z.number().int(),
  present: z.number().int().describe('those that are there, the estimated ones among them'),
  missing: z.number().int().describe('those that lack and are still asked for'),
  estimated: z.number().int(),
  givenUp: z.number().int().describe('those that lack and are asked for no more'),
  meters: z.number().int(),
  complete: z.number().int().describe('meters that lack nothing'),
});
const KINDS = ['region', 'substation', 'transformer', 'feeder', 'meter'] as const;
const row = z.object({
  id: z.string(),
  kind: z.enum(['all', ...KINDS]),
  name: z.string(),
  cells: z.array(cell.nullable()).describe('by day; null where nothing was counted'),
});
const report = z.object({
  profile: z.string(),
  profiles: z.array(z.string()).describe('those that were counted'),
  days: z.array(z.iso.date()),
  total: row,
  rows: z.array(row),
  next: z.string().nullable(),
  computedAt: z.iso.datetime().nullable(),
});
const meterDays = z.object({
  meter: z.string(),
  profile: z.string(),
  profiles: z.array(z.string()),
  days: z.array(
    z.object({
      day: z.iso.date(),
      expected: z.number().int(),
      present: z.number().int(),
      missing: z.number().int(),
      estimated: z.number().int(),
      givenUp: z.number().int(),
      reason: z.string().nullable().describe('why it was given up'),
      gaps: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime(), count: z.number().int() })),
    }),
  ),
});
const gapList = z.object({
  meters: z
    .array(
      z.object({
        meter: z.string(),
        serial: z.string(),
        name: z.string().nullable(),
        days: z.number().int(),
        missing: z.number().int(),
        givenUp: z.number().int(),
        first: z.iso.date(),
        last: z.iso.date(),
      }),
    )
    .describe('those that lack most first'),
  next: z.string().nullable(),
});

export function completenessRoutes(router: Router, { store, now }: Context): void {
  const { completeness } = store;
  const text = (time: number): string => new Date(time).toISOString().slice(0, 10);

  /** @throws HttpError 422 for a span that is none, or too long */
  const spanOf = ({
    from,
    to,
  }: {
    from?: string | undefined;
    to?: string | undefined;
  }): { from: string; to: string } => {
    const end = to ?? text(now());
    const begin = from ?? text(Date.parse(end) - 30 * DAY);
    const days = (Date.parse(end) - Date.parse(begin)) / DAY;
    if (days < 1) throw new HttpError(422, 'to: the day after the last must come after from');
    if (days > MOST) throw new HttpError(422, `from: at most ${MOST} days at once`);
    return { from: begin, to: end };
  };

  router.add({
    method: 'GET',
    path: '/api/v1/completeness',
    needs: 'reading:view',
    tag: 'completeness',
    summary: 'Completeness of a profile by day and area, as it was counted last',
    query: z.object({
      ...span,
      rows: z
        .enum(KINDS)
        .default('region')
        .describe('meter: those that lack something or have estimated values, the worst first'),
      under: id63.optional().describe('below this node of the network'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      after: z.string().max(40).optional(),
    }),
    answer: report,
    scoped: true,
    handler: async ({ caller, query }) => {
      const found = await completeness.report({
        ...spanOf(query),
        profile: query.profile,
        rows: query.rows,
        limit: query.limit,
        scope: caller.scope,
        ...(query.under === undefined ? {} : { under: query.under }),
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      const cells = (list: readonly (CompletenessCell | null)[]) => list.map((one) => one && { ...one });
      return {
        profile: query.profile,
        profiles: [...found.profiles],
        days: [...found.days],
        total: { id: query.under ?? '0', kind: 'all' as const, name: '', cells: cells(found.total) },
        rows: found.rows.map(({ id, name, cells: own }) => ({ id, kind: query.rows, name, cells: cells(own) })),
        next: found.next ?? null,
        computedAt: found.computed === undefined ? null : new Date(found.computed).toISOString(),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/completeness/gaps',
    needs: 'reading:view',
    tag: 'completeness',
    summary: 'Meters that lack values of a profile, those that lack most first',
    query: z.object({
      ...span,
      under: id63.optional().describe('below this node of the network'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      after: z.string().max(40).optional(),
    }),
    answer: gapList,
    scoped: true,
    handler: async ({ caller, query }) => {
      const found = await completeness.gaps({
        ...spanOf(query),
        profile: query.profile,
        limit: query.limit,
        scope: caller.scope,
        ...(query.under === undefined ? {} : { under: query.under }),
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      return { meters: [...found.meters], next: found.next ?? null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/completeness',
    needs: 'reading:view',
    tag: 'completeness',
    summary: 'Days of one meter, counted now, with what lacks of each',
    params: meterParams,
    query: z.object(span),
    answer: meterDays,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      if (!(await store.meter(params.id, caller.scope))) throw new HttpError(404, `there is no meter ${params.id}`);
      const { from, to } = spanOf(query);
      const found = await completeness.meterDays(params.id, query.profile, from, to);
      return {
        meter: params.id,
        profile: query.profile,
        profiles: [...(found?.profiles ?? [])],
        days: (found?.days ?? []).map(({ reason, gaps, ...counts }) => ({
          ...counts,
          reason: reason ?? null,
          gaps: gaps.map((gap) => ({
            from: new Date(gap.from).toISOString(),
            to: new Date(gap.to).toISOString(),
            count: gap.count,
          })),
        })),
      };
    },
  });
}
