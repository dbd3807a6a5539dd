/** Events of meters by the one catalogue: lists, counts, and the catalogue itself. */
import { CATALOGUE, EVENT_CATEGORIES, EVENT_SOURCES } from '@amiable/model/events';
import type { EventQuery, StoredEvent } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';

const DAY = 86_400_000;
const words = (what: string) =>
  z
    .string()
    .regex(/^[a-z0-9-]{1,60}(,[a-z0-9-]{1,60}){0,49}$/, `up to 50 ${what}, joined by commas`)
    .transform((text) => text.split(','));

const query = z.object({
  under: id63.optional().describe('meters under this node of the network'),
  category: words('categories').optional(),
  event: words('events').optional(),
  severity: z.coerce
    .number()
    .int()
    .min(0)
    .max(3)
    .optional()
    .describe('this and above: 0 record, 1 notice, 2 warning, 3 alarm'),
  from: when.optional().describe('30 days back unless said'),
  to: when.optional(),
});
const listQuery = query.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(400).optional(),
});

const event = z.object({
  meter: z.string(),
  serial: z.string(),
  name: z.string().nullable(),
  time: z.iso.datetime(),
  event: z.string().describe('by the catalogue'),
  text: z.string().describe('the same in English'),
  category: z.enum(EVENT_CATEGORIES),
  severity: z.number().int(),
  code: z.number().int().describe('the number that the meter gave'),
  source: z.string().describe('catalogue of the number / log it stood in'),
  ordinal: z.number().int(),
  status: z.number().nullable(),
  detail: z.unknown(),
  received: z.iso.datetime().nullable(),
});
const page = z.object({ events: z.array(event).describe('newest first'), next: z.string().nullable() });
const counts = z.object({
  counts: z.array(
    z.object({ event: z.string(), text: z.string(), category: z.enum(EVENT_CATEGORIES), n: z.number().int() }),
  ),
});
const catalogue = z.object({
  events: z.array(
    z.object({
      event: z.string(),
      category: z.enum(EVENT_CATEGORIES),
      severity: z.number().int(),
      text: z.string(),
      begins: z.boolean(),
      ends: z.array(z.string()),
      phase: z.number().int().nullable(),
      channel: z.number().int().nullable(),
    }),
  ),
  sources: z.record(z.string(), z.record(z.string(), z.string())).describe('by catalogue: number → event'),
});

const textOf = (word: string, code?: number): string =>
  word === 'unknown' && code !== undefined ? `Unknown event ${code}` : (CATALOGUE.get(word)?.name ?? word);

const toAnswer = (e: StoredEvent): z.infer<typeof event> => ({
  meter: e.meter,
  serial: e.serial,
  name: e.name,
  time: new Date(e.time).toISOString(),
  event: e.event,
  text: textOf(e.event, e.code),
  category: e.category,
  severity: e.severity,
  code: e.code,
  source: e.source,
  ordinal: e.ordinal,
  status: e.status,
  detail: e.detail ?? null,
  received: e.received === null ? null : new Date(e.received).toISOString(),
});

export function eventRoutes(router: Router, { store, now }: Context): void {
  const asked = (
    given: z.infer<typeof query>,
    scope: EventQuery['scope'],
    meters?: readonly string[],
  ): Omit<EventQuery, 'limit' | 'after'> => ({
    scope,
    ...(meters === undefined ? {} : { meters }),
    ...(given.under === undefined ? {} : { under: given.under }),
    ...(given.category === undefined ? {} : { categories: given.category }),
    ...(given.event === undefined ? {} : { events: given.event }),
    ...(given.severity === undefined ? {} : { severity: given.severity as 0 | 1 | 2 | 3 }),
    from: given.from ?? (given.to ?? now()) - 30 * DAY,
    ...(given.to === undefined ? {} : { to: given.to }),
  });
  const list = async (given: z.infer<typeof listQuery>, scope: EventQuery['scope'], meters?: readonly string[]) => {
    const found = await store.events.list({
      ...asked(given, scope, meters),
      limit: given.limit,
      ...(given.after === undefined ? {} : { after: given.after }),
    });
    return { events: found.events.map(toAnswer), next: found.next ?? null };
  };

  router.add({
    method: 'GET',
    path: '/api/v1/events',
    needs: 'event:view',
    tag: 'events',
    summary: 'Events of all meters, newest first',
    query: listQuery,
    answer: page,
    scoped: true,
    handler: ({ caller, query }) => list(query, caller.scope),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/events/counts',
    needs: 'event:view',
    tag: 'events',
    summary: 'How often what happened',
    query,
    answer: counts,
    scoped: true,
    handler: async ({ caller, query }) => ({
      counts: (await store.events.count(asked(query, caller.scope))).map(({ event: word, n }) => ({
        event: word,
        text: textOf(word),
        category: CATALOGUE.get(word)?.category ?? 'other',
        n,
      })),
    }),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/events/catalogue',
    needs: 'known',
    tag: 'events',
    summary: 'The catalogue of events, and what the numbers of each source mean',
    answer: catalogue,
    handler: () => ({
      events: [...CATALOGUE.values()].map((entry) => ({
        event: entry.event,
        category: entry.category,
        severity: entry.severity,
        text: entry.name,
        begins: entry.begins ?? false,
        ends: [...(entry.ends ?? [])],
        phase: entry.phase ?? null,
        channel: entry.channel ?? null,
      })),
      sources: EVENT_SOURCES,
    }),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/events',
    needs: 'event:view',
    tag: 'events',
    summary: 'Events of one meter, newest first',
    params: meterParams,
    query: listQuery,
    answer: page,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      if (!(await store.meter(params.id, caller.scope))) throw new HttpError(404, `there is no meter ${params.id}`);
      return list(query, caller.scope, [params.id]);
    },
  });
}
