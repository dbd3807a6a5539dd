/** The task kind `delivery`: files for a destination by a schedule, with the rights of who made the task. */
import { MisuseError } from '@amiable/bytes';
import type { Caller } from '@amiable/model';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { callerOf } from '../../scheduler/rights.ts';
import type { Courier } from './courier.ts';
import { mayDeliver } from './destination-routes.ts';
import { makeDelivery } from './make.ts';
import { nameShape } from './shapes.ts';

const DAY = 86_400_000;
const parameters = z.strictObject({
  destination: nameShape,
  keepDays: z
    .number()
    .int()
    .min(1)
    .max(36_600)
    .default(800)
    .describe('the bytes of what this destination got are kept so long'),
});

export function deliveryTask(context: Context, courier: Courier): OwnTask {
  const { store } = context;
  const run: OwnTask = async ({ run, parameters: given, due, signal, progress }) => {
    const { destination: name, keepDays } = parameters.parse(given);
    const caller = await callerOf(store, run);
    mayDeliver(caller);
    const destination = await store.delivery.destinations.get(name, 'all');
    if (!destination) throw new MisuseError(`there is no destination ${name}`);
    const { timeZone = context.timeZone } = run.definition as { timeZone?: string };
    // A run that is taken up after a process died sends what it made before, not another file.
    const before = await store.delivery.deliveries.ofRun(run.id);
    const delivery =
      before ??
      (await makeDelivery({
        store,
        destination,
        scope: caller.scope,
        due,
        now: context.now(),
        clock: context.access.clock,
        zone: timeZone,
        run: run.id,
        by: caller.name,
        signal,
        progress,
      }));
    await store.delivery.deliveries.prune(context.access.clock() - keepDays * DAY, name);
    if (!delivery) return { note: 'there was nothing to send' };
    await store.access.audit({
      at: context.access.clock(),
      who: caller.name,
      ...(run.creatorId === null ? {} : { user: run.creatorId }),
      action: 'task delivery',
      object: `delivery ${delivery.id}`,
      detail: { run: run.id, destination: name, file: delivery.file, bytes: delivery.bytes },
    });
    await courier.one(delivery.id, signal);
    const after = await store.delivery.deliveries.get(delivery.id, 'all');
    const what = `${delivery.file}: ${delivery.rows} values of ${delivery.meters} meters${delivery.corrected > 0 ? `, ${delivery.corrected} with earlier values that changed` : ''}`;
    if (after?.state === 'refused' || after?.state === 'failed')
      throw new MisuseError(`${what}; not sent: ${after.reason ?? after.state}. It is kept as delivery ${delivery.id}`);
    return { note: after?.state === 'waiting' ? `${what}; kept and tried again: ${after.reason}` : what };
  };
  return Object.assign(run, {
    check: async (given: unknown, caller: Caller) => {
      const { destination } = parameters.parse(given);
      mayDeliver(caller);
      if (!(await store.delivery.destinations.get(destination, caller.scope)))
        throw new MisuseError(`there is no destination ${destination}; \`amiable delivery destinations\` lists them`);
    },
  });
}
