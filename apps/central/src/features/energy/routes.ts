/** Curves and energies of one meter, and what stands beside its electricity: gas, water, heat. */
import { isValidZone } from '@amiable/calendar';
import { energy, media, series } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams, span } from '../../http/forms.ts';
import type { Router } from '../../http/router.ts';

const seriesQuery = z
  .object({
    obis: z
      .string()
      .regex(/^[\d.:*-]{1,40}(,[\d.:*-]{1,40}){0,19}$/, 'one to twenty OBIS codes such as 1.7.0, joined by commas'),
    points: z.coerce.number().int().min(1).max(50_000).default(2000),
  })
  .and(span);

const bucketQuery = z
  .object({ bucket: z.enum(['hour', 'day', 'month']), zone: z.string().max(64).optional() })
  .and(span);

export function energyRoutes(router: Router, { store }: Context): void {
  const common = { method: 'GET', needs: 'reading:view', tag: 'readings', params: meterParams, scoped: true } as const;

  router.add({
    ...common,
    path: '/api/v1/meters/:id/series',
    summary: 'Curves of a meter, in the finest stored period that fits the points asked for',
    query: seriesQuery,
    answer: series,
    handler: ({ caller, params, query: { obis, from, to, points } }) =>
      store.series(params.id, obis.split(','), from, to, points, caller.scope),
  });

  /** Local buckets of a span, as both questions take them. */
  const asked = (id: string, { bucket, from, to, zone }: z.output<typeof bucketQuery>) => {
    if (bucket === 'hour' && to - from > 400 * 86_400_000)
      throw new HttpError(422, 'hours of at most 400 days at once');
    if (zone !== undefined && !isValidZone(zone))
      throw new HttpError(422, `zone: ${JSON.stringify(zone)} is no IANA time zone`);
    return [id, bucket, from, to, zone] as const;
  };

  router.add({
    ...common,
    path: '/api/v1/meters/:id/energy',
    summary: 'Import and export by local hour, day or month',
    query: bucketQuery,
    answer: energy,
    handler: ({ caller, params, query }) => store.energy(...asked(params.id, query), caller.scope),
  });
  router.add({
    ...common,
    path: '/api/v1/meters/:id/media',
    summary: 'Gas, water and heat by local hour, day or month',
    query: bucketQuery,
    answer: media,
    handler: ({ caller, params, query }) => store.media(...asked(params.id, query), caller.scope),
  });
}
