/** Deliveries by API: made by hand, listed with their bytes, acknowledged, sent again; and the task kind that makes them by a schedule. */
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parsePeriod, periodRange } from '@amiable/calendar';
import type { Caller } from '@amiable/model';
import { DELIVERY_STATES } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { createCourier } from './courier.ts';
import { destinationRoutes, mayDeliver } from './destination-routes.ts';
import { formatRoutes } from './format-routes.ts';
import { makeDelivery } from './make.ts';
import { deliveryJson, deliveryShape, destinationBody, named, nameShape, periodText } from './shapes.ts';
import { deliveryTask } from './task.ts';

const tag = 'delivery';
const unpacked = promisify(gunzip);
const byId = z.object({ id: id63 });
const EVERY = 15_000;
let couriers = 0;

export function deliveryRoutes(router: Router, context: Context): void {
  const { store, vault, outbox, now, access, timeZone } = context;
  const { deliveries, destinations } = store.delivery;
  const ended = new AbortController();
  const courier = createCourier({
    store,
    vault,
    outbox,
    clock: () => access.clock(),
    random: Math.random,
    name: `${process.pid}/${++couriers}`,
    log: context.log,
  });
  context.ownKinds.set('delivery', deliveryTask(context, courier));
  startLooking(router, context, ended, async () => {
    await interruptDead(context);
    await courier.turn(ended.signal);
    await courier.acknowledgements(ended.signal);
  });

  formatRoutes(router, context);
  destinationRoutes(router, context);

  const known = async (id: string, caller: Caller) => {
    const found = await deliveries.get(id, caller.scope);
    if (!found) throw new HttpError(404, `there is no delivery ${id}`);
    return found;
  };

  router.add({
    method: 'POST',
    path: '/api/v1/destinations/:name/deliveries',
    needs: 'execute:deliver',
    tag,
    summary: 'Makes a delivery now and sends it; the answer tells what became of it',
    description:
      'For many meters make a task of the kind delivery. A destination that is away is tried again without you.',
    params: named,
    body: z
      .strictObject({
        period: periodText.optional().describe('instead of the destination’s'),
        from: when.optional(),
        to: when.optional(),
        send: z.boolean().default(true).describe('false: make it and let it wait for the next turn'),
      })
      .refine(({ from, to }) => (from === undefined) === (to === undefined), 'from and to go together'),
    answer: z.object({ delivery: deliveryShape.nullable().describe('null: there was nothing to send') }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const destination = await destinations.get(params.name, caller.scope);
      if (!destination) throw new HttpError(404, 'there is no such destination');
      mayDeliver(caller);
      const period = body.period === undefined ? undefined : parsePeriod(body.period);
      const zone = destinationBody.safeParse(destination.definition).data?.timeZone ?? timeZone;
      const span =
        body.from !== undefined && body.to !== undefined
          ? { from: body.from, to: body.to }
          : period && periodRange(period, zone, now());
      const made = await makeDelivery({
        store,
        destination,
        scope: caller.scope,
        due: now(),
        now: now(),
        clock: access.clock,
        zone: timeZone,
        run: null,
        by: caller.name,
        ...(span ? { span } : {}),
        signal: ended.signal,
      });
      about(
        `destination ${params.name}`,
        made ? { delivery: made.id, file: made.file, bytes: made.bytes } : { empty: true },
      );
      if (made && body.send) await courier.one(made.id, ended.signal);
      return { delivery: made ? deliveryJson(await known(made.id, caller)) : null };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/deliveries',
    needs: 'delivery:view',
    tag,
    summary: 'What was made and sent, the newest first',
    query: z.object({
      destination: nameShape.optional(),
      state: z.enum(DELIVERY_STATES).optional(),
      after: id63.optional().describe('`next` of the page before'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ deliveries: z.array(deliveryShape), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query: { destination, state, after, limit } }) => {
      const found = await deliveries.list({
        limit,
        scope: caller.scope,
        ...(destination === undefined ? {} : { destination }),
        ...(state === undefined ? {} : { state }),
        ...(after === undefined ? {} : { before: after }),
      });
      return { deliveries: found.map(deliveryJson), next: found.length === limit ? (found.at(-1)?.id ?? null) : null };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/deliveries/:id',
    needs: 'delivery:view',
    tag,
    summary: 'A delivery',
    params: byId,
    answer: deliveryShape,
    scoped: true,
    handler: async ({ caller, params }) => deliveryJson(await known(params.id, caller)),
  });
  router.add({
    method: 'GET',
    path: '/api/v1/deliveries/:id/file',
    needs: 'reading:view',
    audit: 'reveal',
    tag,
    summary: 'The very bytes that were sent',
    params: byId,
    answer: 'application/octet-stream',
    scoped: true,
    handler: async ({ caller, params, reply, about }) => {
      const delivery = await known(params.id, caller);
      const parts = deliveries.parts(delivery.id);
      const first = await parts.next();
      if (first.done) throw new HttpError(404, `the bytes of delivery ${delivery.id} are not kept any more`);
      about(`delivery ${delivery.id}`, { file: delivery.file });
      reply
        // As bytes, whatever it is: nothing of it is shown as a page.
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${delivery.file}"`)
        .header('content-length', delivery.bytes);
      return Readable.from(
        (async function* () {
          yield await unpacked(first.value);
          for await (const part of parts) yield await unpacked(part);
        })(),
        { objectMode: false },
      );
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/deliveries/:id/resend',
    needs: 'execute:deliver',
    tag,
    summary: 'Sends the same bytes once more, as a delivery of its own',
    params: byId,
    answer: deliveryShape,
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const delivery = await known(params.id, caller);
      mayDeliver(caller);
      const again = await deliveries.resend(delivery.id, caller.name, access.clock());
      if (!again)
        throw new HttpError(409, `the bytes of delivery ${delivery.id} are not kept any more, or it is being made`);
      about(`delivery ${again.id}`, { resendOf: delivery.id, destination: delivery.destination });
      await courier.one(again.id, ended.signal);
      return deliveryJson(await known(again.id, caller));
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/deliveries/:id/acknowledge',
    needs: 'delivery:modify',
    tag,
    summary: 'The other system says that it took a delivery, or that it refuses it',
    params: byId,
    body: z.strictObject({ good: z.boolean().default(true), reason: z.string().max(1000).optional() }),
    answer: deliveryShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const delivery = await known(params.id, caller);
      const changed = await deliveries.change(
        delivery.id,
        ['sent', 'acknowledged'],
        body.good ? 'acknowledged' : 'refused',
        {
          at: access.clock(),
          by: caller.name,
          ...(body.reason === undefined ? {} : { reason: body.reason }),
        },
      );
      if (!changed)
        throw new HttpError(409, `delivery ${delivery.id} is ${delivery.state}; what was sent is acknowledged`);
      about(`delivery ${delivery.id}`, { good: body.good });
      return deliveryJson(changed);
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/deliveries/:id/cancel',
    needs: 'execute:deliver',
    tag,
    summary: 'A delivery that waits is not tried any more',
    params: byId,
    answer: deliveryShape,
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const delivery = await known(params.id, caller);
      const changed = await deliveries.change(delivery.id, ['waiting'], 'cancelled', {
        at: access.clock(),
        by: caller.name,
      });
      if (!changed)
        throw new HttpError(409, `delivery ${delivery.id} is ${delivery.state}; only what waits is cancelled`);
      about(`delivery ${delivery.id}`);
      return deliveryJson(changed);
    },
  });
}

/** What a process was making or importing when it died is told so, whichever process finds it. */
export async function interruptDead({
  store,
  now,
  access,
  log,
}: Pick<Context, 'store' | 'now' | 'access' | 'log'>): Promise<void> {
  const clock = access.clock();
  const made = await store.delivery.deliveries.interrupt(clock);
  const imported = await store.delivery.imports.interrupt(now(), clock);
  if (made + imported > 0)
    log(`exchange: ${made} deliveries and ${imported} imports of readings were interrupted when a program ended`);
}

/** Looks again and again while the server runs, one look at a time. */
export function startLooking(
  router: Router,
  context: Context,
  ended: AbortController,
  look: () => Promise<unknown>,
  every = EVERY,
): void {
  let under: Promise<unknown> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy || ended.signal.aborted) return;
    busy = true;
    under = look()
      .catch((error: Error) => {
        if (!context.isUnavailable(error) && !ended.signal.aborted) context.log(`exchange: ${error.message}`);
      })
      .finally(() => {
        busy = false;
      });
  }, every);
  timer.unref();
  router.app.addHook('onClose', async () => {
    clearInterval(timer);
    ended.abort();
    await under;
  });
}
