/** Meters: the list with its search, one meter, its names, its key. */

import { fromHex } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import type { KeyAnswer, Meter, MeterList } from '@amiable/model';
import { keyPut, meterPatch } from '@amiable/model/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { isTitleSerial } from '../../keys/placeholders.ts';

const listQuery = z.object({
  q: z.string().max(200).optional(),
  state: z.enum(['new', 'named']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
});

export function meterRoutes(app: FastifyInstance, context: Context): void {
  const { store, live, keys } = context;

  const withLive = (meter: Meter): Meter => ({
    ...meter,
    live: live.get(meter.id) ?? meter.live,
    hasKey: keys.has(meter.id),
    ...(isTitleSerial(meter) && !keys.has(meter.id) && meter.live === null ? { needsKey: true } : {}),
  });

  const known = async (id: string): Promise<Meter> => {
    const meter = await store.meter(id);
    const successor = meter ? undefined : context.successor(id);
    if (successor !== undefined)
      throw new HttpError(404, `meter ${id} is known by its own number now: meter ${successor}`);
    if (!meter) throw new HttpError(404, `there is no meter ${id}`);
    return meter;
  };

  app.get('/api/v1/meters', async (request): Promise<MeterList> => {
    const { q, state, limit, after } = listQuery.parse(request.query);
    const list = await store.meters({
      limit,
      ...(q === undefined || q.trim() === '' ? {} : { q: q.trim() }),
      ...(state === undefined ? {} : { state }),
      ...(after === undefined ? {} : { after }),
    });
    return { ...list, meters: list.meters.map(withLive) };
  });

  app.get(
    '/api/v1/meters/:id',
    async (request): Promise<Meter> => withLive(await known(meterParams.parse(request.params).id)),
  );

  app.patch('/api/v1/meters/:id', async (request): Promise<Meter> => {
    const { id } = meterParams.parse(request.params);
    const patch = meterPatch.parse(request.body);
    if (patch.timeZone !== undefined && !isValidZone(patch.timeZone))
      throw new HttpError(422, `timeZone: ${JSON.stringify(patch.timeZone)} is no IANA time zone such as Europe/Oslo`);
    const meter = await store.patchMeter(id, patch);
    if (!meter) throw new HttpError(404, `there is no meter ${id}`);
    return withLive(meter);
  });

  app.put('/api/v1/meters/:id/key', async (request): Promise<KeyAnswer> => {
    const meter = await known(meterParams.parse(request.params).id);
    const { key, authKey } = keyPut.parse(request.body);
    await keys.put(meter.id, meter.serial, { key: fromHex(key), ...(authKey ? { authKey: fromHex(authKey) } : {}) });
    const { reprocessed, left } = await context.reprocess();
    // A meter known by its title alone may have told its number: from now on it is that meter.
    return { reprocessed, left, meter: context.successor(meter.id) ?? meter.id };
  });
}
