/** Meters: the list with its search, one meter, its names, its key. */

import { fromHex } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import type { KeyAnswer, Meter, Scope } from '@amiable/model';
import { keyAnswer, keyPut, meterList, meterPatch, meter as meterShape } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { isTitleSerial } from '../../keys/placeholders.ts';
import { maySee } from '../registry/shapes.ts';
import { areaKind } from './areas.ts';

const listQuery = z.object({
  q: z.string().max(200).optional(),
  state: z.enum(['new', 'named']).optional(),
  under: id63.optional().describe('Those below this node of the network'),
  outside: areaKind.optional().describe('Those below no node of this kind'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
});

export function meterRoutes(router: Router, context: Context): void {
  const { store, live, keys } = context;

  const withLive = (meter: Meter): Meter => ({
    ...meter,
    live: live.get(meter.id) ?? meter.live,
    hasKey: keys.has(meter.id),
    ...(isTitleSerial(meter) && !keys.has(meter.id) && meter.live === null ? { needsKey: true } : {}),
  });

  const known = async (id: string, scope: Scope): Promise<Meter> => {
    const meter = await store.meter(id, scope);
    const successor = meter ? undefined : context.successor(id);
    if (successor !== undefined && (await store.meter(successor, scope)))
      throw new HttpError(404, `meter ${id} is known by its own number now: meter ${successor}`);
    if (!meter) throw new HttpError(404, `there is no meter ${id}`);
    return meter;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/meters',
    needs: 'meter:view',
    tag: 'meters',
    summary: 'Meters with their latest values, in pages by id',
    query: listQuery,
    answer: meterList,
    scoped: true,
    handler: async ({ caller, query: { q, state, under, outside, limit, after } }) => {
      const { scope } = caller;
      if (under !== undefined && outside !== undefined) throw new HttpError(422, 'under or outside, not both');
      const area = under === undefined ? undefined : await store.registry.node(under, scope);
      if (under !== undefined && (!area || !maySee(caller, area.kind)))
        throw new HttpError(404, `there is no node ${under}`);
      const list = await store.meters({
        limit,
        scope,
        ...(q === undefined || q.trim() === '' ? {} : { q: q.trim() }),
        ...(state === undefined ? {} : { state }),
        ...(under === undefined ? {} : { under }),
        ...(outside === undefined ? {} : { outside }),
        ...(after === undefined ? {} : { after }),
      });
      return { ...list, meters: list.meters.map(withLive) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id',
    needs: 'meter:view',
    tag: 'meters',
    summary: 'One meter with its latest values',
    params: meterParams,
    answer: meterShape,
    scoped: true,
    handler: async ({ caller: { scope }, params: { id } }) => ({
      ...withLive(await known(id, scope)),
      hasConnection: (await store.readout.connection(id, scope)) !== undefined,
    }),
  });

  router.add({
    method: 'PATCH',
    path: '/api/v1/meters/:id',
    needs: 'meter:modify',
    tag: 'meters',
    summary: 'Names a meter, says its place, number and time zone',
    params: meterParams,
    body: meterPatch,
    answer: meterShape,
    scoped: true,
    handler: async ({ caller, params: { id }, body: patch, about }) => {
      if (patch.timeZone !== undefined && !isValidZone(patch.timeZone))
        throw new HttpError(
          422,
          `timeZone: ${JSON.stringify(patch.timeZone)} is no IANA time zone such as Europe/Oslo`,
        );
      // A name or a place may be a person's; what it was and became stands in the meter's own history.
      about(`meter ${id}`, { fields: Object.keys(patch) });
      const meter = await store.patchMeter(id, patch, caller.name, caller.scope);
      if (!meter) throw new HttpError(404, `there is no meter ${id}`);
      return withLive(meter);
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/meters/:id/key',
    needs: 'key:modify',
    tag: 'meters',
    summary: 'Gives the key of a meter that enciphers; it is kept sealed and never shown',
    params: meterParams,
    body: keyPut,
    answer: keyAnswer,
    scoped: true,
    handler: async ({ caller, params, body: { key, authKey }, about }): Promise<KeyAnswer> => {
      const meter = await known(params.id, caller.scope);
      about(`meter ${meter.id}`, { serial: meter.serial });
      await keys.put(meter.id, meter.serial, { key: fromHex(key), ...(authKey ? { authKey: fromHex(authKey) } : {}) });
      const { reprocessed, left } = await context.reprocess();
      // A meter known by its title alone may have told its number: from now on it is that meter.
      return { reprocessed, left, meter: context.successor(meter.id) ?? meter.id };
    },
  });
}
