/** Curves and energies of one meter, and what stands beside its electricity: gas, water, heat. */
import { isValidZone } from '@amiable/calendar';
import type { Energy, Media, Series } from '@amiable/model';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams, span } from '../../http/forms.ts';

const seriesQuery = z.object({
  obis: z
    .string()
    .regex(/^[\d.:*-]{1,40}(,[\d.:*-]{1,40}){0,19}$/, 'one to twenty OBIS codes such as 1.7.0, joined by commas'),
  points: z.coerce.number().int().min(1).max(50_000).default(2000),
});

const bucketQuery = z.object({ bucket: z.enum(['hour', 'day', 'month']), zone: z.string().max(64).optional() });

export function energyRoutes(app: FastifyInstance, { store }: Context): void {
  app.get('/api/v1/meters/:id/series', async (request): Promise<Series> => {
    const { id } = meterParams.parse(request.params);
    const { obis, points } = seriesQuery.parse(request.query);
    const { from, to } = span.parse(request.query);
    return store.series(id, obis.split(','), from, to, points);
  });

  /** Local buckets of a span, as both questions take them. */
  const asked = (request: FastifyRequest) => {
    const { id } = meterParams.parse(request.params);
    const { bucket, zone } = bucketQuery.parse(request.query);
    const { from, to } = span.parse(request.query);
    if (bucket === 'hour' && to - from > 400 * 86_400_000)
      throw new HttpError(422, 'hours of at most 400 days at once');
    if (zone !== undefined && !isValidZone(zone))
      throw new HttpError(422, `zone: ${JSON.stringify(zone)} is no IANA time zone`);
    return [id, bucket, from, to, zone] as const;
  };

  app.get('/api/v1/meters/:id/energy', async (request): Promise<Energy> => store.energy(...asked(request)));
  app.get('/api/v1/meters/:id/media', async (request): Promise<Media> => store.media(...asked(request)));
}
