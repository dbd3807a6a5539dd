/** Interruptions of supply: by meter, the indices of areas by month, voltage by phase, and announced work. */
import { add, startOf, startsIn } from '@amiable/calendar';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const PHASES = ['all', 'l1', 'l2', 'l3'] as const;

const span = {
  from: when.optional().describe('30 days back unless said'),
  to: when.optional().describe('now unless said'),
};
const momentary = z.coerce
  .number()
  .min(0)
  .max(60)
  .default(3)
  .describe('interruptions of up to so many minutes are momentary (IEEE 1366)');

const outage = z.object({
  meter: z.string(),
  serial: z.string(),
  name: z.string().nullable(),
  phase: z.enum(PHASES).describe('all: no phase had voltage'),
  from: z.iso.datetime(),
  to: z.iso.datetime().nullable().describe('null while it lasts'),
  seconds: z.number().describe('so far, where it lasts'),
  momentary: z.boolean(),
  planned: z.boolean().describe('began within announced work'),
});
const list = z.object({
  outages: z.array(outage).describe('by meter and time; a page ends with a meter'),
  next: z.string().nullable(),
});
const rows = z.enum(['all', 'region', 'substation', 'transformer', 'feeder']);
const indices = z.object({
  months: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime(), name: z.string() })),
  momentary: z.number(),
  rows: z.array(
    z.object({
      id: z.string(),
      kind: rows,
      name: z.string(),
      months: z.array(
        z.object({
          customers: z.number().describe('metering points in service, by the share of the month'),
          sustained: z.number(),
          momentary: z.number(),
          minutes: z.number().describe('of all customers'),
          saidi: z.number().nullable().describe('minutes per customer'),
          saifi: z.number().nullable().describe('sustained interruptions per customer'),
          caidi: z.number().nullable().describe('minutes per sustained interruption'),
          maifi: z.number().nullable().describe('momentary interruptions per customer'),
        }),
      ),
    }),
  ),
});
const quality = z.object({
  meter: z.string(),
  outages: z.array(outage),
  counters: z
    .array(
      z.object({
        register: z.string().describe('OBIS code of a counter of failures'),
        counted: z.number().describe('by the meter, between its first and last value in the span'),
        from: z.iso.datetime(),
        to: z.iso.datetime(),
      }),
    )
    .describe('a check: what the meter itself counted'),
  voltage: z.array(z.object({ event: z.string(), n: z.number().int() })).describe('voltage events by kind and phase'),
});
const planned = z.object({
  id: z.string(),
  node: z.string().nullable().describe('node of the network; null: everywhere'),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  reason: z.string(),
  who: z.string().nullable(),
});

const iso = (time: number): string => new Date(time).toISOString();

export function outageRoutes(router: Router, { store, now, timeZone }: Context): void {
  const { outages } = store;
  const spanOf = (given: { from?: number | undefined; to?: number | undefined }): { from: number; to: number } => {
    const to = given.to ?? now();
    const from = given.from ?? to - 30 * DAY;
    if (from >= to) throw new HttpError(422, 'to: must come after from');
    if (to - from > 3 * 366 * DAY) throw new HttpError(422, 'from: at most three years at once');
    return { from, to };
  };
  const toAnswer = (
    found: Awaited<ReturnType<typeof outages.list>>['outages'][number],
    limit: number,
  ): z.infer<typeof outage> => {
    const length = Math.max(0, (found.to ?? now()) - found.from);
    return {
      meter: found.meter,
      serial: found.serial,
      name: found.name,
      phase: found.phase,
      from: iso(found.from),
      to: found.to === undefined ? null : iso(found.to),
      seconds: length / 1000,
      momentary: length <= limit * MINUTE,
      planned: found.planned,
    };
  };

  router.add({
    method: 'GET',
    path: '/api/v1/outages',
    needs: 'event:view',
    tag: 'outages',
    summary: 'Interruptions of supply that reach into a span of time',
    query: z.object({
      ...span,
      momentary,
      under: id63.optional().describe('meters under this node of the network'),
      meter: id63.optional(),
      limit: z.coerce.number().int().min(1).max(200).default(100).describe('meters'),
      after: id63.optional(),
    }),
    answer: list,
    scoped: true,
    handler: async ({ caller, query }) => {
      const found = await outages.list({
        ...spanOf(query),
        limit: query.limit,
        scope: caller.scope,
        ...(query.under === undefined ? {} : { under: query.under }),
        ...(query.meter === undefined ? {} : { meter: query.meter }),
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      return { outages: found.outages.map((one) => toAnswer(one, query.momentary)), next: found.next ?? null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/outages/indices',
    needs: 'event:view',
    tag: 'outages',
    summary: 'SAIDI, SAIFI, CAIDI and MAIFI by area and local month (IEEE 1366)',
    query: z.object({
      from: when.optional().describe('the month it lies in is the first; twelve months back unless said'),
      to: when.optional().describe('the month before it is the last; this month is counted so far unless said'),
      momentary,
      rows: rows.default('all'),
      under: id63.optional().describe('below this node of the network'),
    }),
    answer: indices,
    scoped: true,
    handler: async ({ caller, query }) => {
      const to = query.to ?? now();
      const from = query.from ?? add('month', timeZone, to, -11);
      const starts = from < to && to - from < 11 * 366 * DAY ? [...startsIn('month', timeZone, from, to)] : [];
      if (starts.length === 0 || starts.length > 120) throw new HttpError(422, 'from: 1 to 120 months up to `to`');
      const periods = starts.map((start) => ({
        from: start,
        to: startOf('month', timeZone, add('month', timeZone, start, 1)),
      }));
      const found = await outages.indices({
        periods,
        rows: query.rows,
        momentary: query.momentary * MINUTE,
        now: now(),
        scope: caller.scope,
        ...(query.under === undefined ? {} : { under: query.under }),
      });
      const local = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit' });
      return {
        months: periods.map((one) => ({ from: iso(one.from), to: iso(one.to), name: local.format(one.from) })),
        momentary: query.momentary,
        rows: found.map(({ id, name, sums }) => ({
          id,
          kind: query.rows,
          name,
          months: sums.map((one) => ({ ...one })),
        })),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/supply',
    needs: 'event:view',
    tag: 'outages',
    summary: 'Delivery quality of one meter: interruptions, its own counters as a check, voltage events by phase',
    params: meterParams,
    query: z.object({ ...span, momentary }),
    answer: quality,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      if (!(await store.meter(params.id, caller.scope))) throw new HttpError(404, `there is no meter ${params.id}`);
      const asked = spanOf(query);
      const [found, counters, voltage] = await Promise.all([
        outages.list({ ...asked, meter: params.id, limit: 1, scope: caller.scope }),
        outages.counters(params.id, asked.from, asked.to),
        store.events.count({ ...asked, meters: [params.id], categories: ['voltage'], scope: caller.scope }),
      ]);
      return {
        meter: params.id,
        outages: found.outages.map((one) => toAnswer(one, query.momentary)),
        counters: counters.map(({ register, first, last }) => ({
          register,
          counted: last.value - first.value,
          from: iso(first.time),
          to: iso(last.time),
        })),
        voltage: voltage.map((one) => ({ ...one })),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/outages/planned',
    needs: 'network:view',
    tag: 'outages',
    summary: 'Announced work on the network',
    query: z.object(span),
    answer: z.object({ planned: z.array(planned) }),
    scoped: true,
    handler: async ({ caller, query }) => {
      const from = query.from ?? now() - 30 * DAY;
      const found = await outages.planned(from, query.to ?? now() + 366 * DAY, 1000, caller.scope);
      return { planned: found.map((work) => ({ ...work, from: iso(work.from), to: iso(work.to) })) };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/outages/planned',
    needs: 'network:modify',
    tag: 'outages',
    summary: 'Announces work: interruptions that begin in it do not count in the indices',
    body: z
      .object({
        node: id63.nullable().default(null).describe('node of the network below which power is off; null: everywhere'),
        from: when,
        to: when,
        reason: z.string().trim().min(1).max(200),
      })
      .strict(),
    answer: z.object({ id: z.string() }),
    handler: async ({ caller, body, about, reply }) => {
      if (body.to <= body.from) throw new HttpError(422, 'to: must come after from');
      if (body.to - body.from > 31 * DAY) throw new HttpError(422, 'to: work lasts 31 days at most');
      const id = await outages.plan({ ...body, who: caller.name }, now(), caller.scope);
      if (id === undefined)
        throw new HttpError(
          404,
          body.node === null
            ? 'work everywhere is announced by who sees all segments'
            : `there is no node ${body.node}`,
        );
      about(`planned-work ${id}`, { node: body.node, from: iso(body.from), to: iso(body.to) });
      reply.code(201);
      return { id };
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/outages/planned/:id',
    needs: 'network:modify',
    tag: 'outages',
    summary: 'Takes announced work back',
    params: z.object({ id: id63 }),
    answer: z.object({}),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      if (!(await outages.unplan(params.id, caller.scope)))
        throw new HttpError(404, `there is no announced work ${params.id}`);
      about(`planned-work ${params.id}`);
      return {};
    },
  });
}
