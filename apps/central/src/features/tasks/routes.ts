/** Runs, their jobs and their progress as it goes, channels with limits and windows, and what workers had of the queue. */
import { isValidZone } from '@amiable/calendar';
import { type Caller, may } from '@amiable/model';
import type { Run } from '@amiable/store';
import { hasEnded, hasMeters } from '@amiable/tasks';
import { windowsSchema } from '@amiable/tasks/schemas';
import { z } from 'zod';
import { channelDevice } from '../../channels/device.ts';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { control, type Order } from '../../scheduler/control.ts';
import { taskRoutes } from './definitions.ts';
import { ids, jobList, jobQuery, runList, runOf, runQuery, runShape } from './shapes.ts';
import { runEvents } from './stream.ts';

const channelKey = z.object({
  kind: z.enum(['channel', 'concentrator', 'network']),
  name: z.string().min(1).max(100).describe('* for all of the kind that have none of their own'),
});
const channelBody = z.strictObject({
  most: z.number().int().min(1).max(100_000).nullable().default(null).describe('meters at a time; null: no limit'),
  windows: windowsSchema.default([]),
  timeZone: z.string().max(60).refine(isValidZone, 'give an IANA time zone').optional(),
  address: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'write 10.20.0.0/16')
    .nullable()
    .default(null)
    .describe('of a network: the addresses that belong to it'),
  device: channelDevice.nullable().default(null).describe('of a channel: the modems that it opens'),
});
const channelShape = channelKey.extend({
  most: z.number().nullable(),
  windows: z.array(z.record(z.string(), z.unknown())),
  timeZone: z.string(),
  address: z.string().nullable(),
  device: z.record(z.string(), z.unknown()).nullish(),
});
const use = z.object({
  channel: z.string(),
  concentrator: z.string(),
  network: z.string(),
  meters: z.number().describe('with open jobs'),
  queued: z.number().describe('that could be called now'),
  leased: z.number().describe('that are being called'),
});
const workers = z.object({
  workers: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
});

/** Ways are shared by the meters of all segments. @throws HttpError 403 */
function requireAll(caller: Caller): void {
  if (caller.scope !== 'all')
    throw new HttpError(
      403,
      `${caller.name} does not see all segments, and a channel, concentrator or network serves all`,
    );
}

export function workRoutes(router: Router, context: Context): void {
  const { store } = context;
  const tag = 'tasks';
  taskRoutes(router, context);

  const find = async (id: string, caller: Caller): Promise<Run> => {
    const run = await store.work.runs.get(id);
    const { scope } = caller;
    // Seen by who may see all that it touches.
    const within = scope === 'all' || run?.scope?.every((segment) => scope.includes(segment));
    if (!run || !within) throw new HttpError(404, `there is no run ${id}`);
    return run;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/runs',
    needs: 'run:view',
    tag,
    summary: 'Runs of tasks and flows, newest first',
    query: runQuery,
    answer: runList,
    scoped: true,
    handler: async ({ caller, query }) => {
      const runs = await store.work.runs.list({ ...query, scope: caller.scope });
      return { runs: runs.map(runOf), next: runs.length === query.limit ? (runs.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/runs/:id',
    needs: 'run:view',
    tag,
    summary: 'One run, with the counts of its jobs',
    params: ids,
    answer: runShape,
    scoped: true,
    handler: async ({ caller, params }) => runOf(await find(params.id, caller)),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/runs/:id/jobs',
    needs: 'run:view',
    tag,
    summary: 'What became of each meter of a run',
    params: ids,
    query: jobQuery,
    answer: jobList,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const run = await find(params.id, caller);
      const jobs = await store.work.runs.jobs(run.id, { ...query, scope: caller.scope });
      const next = jobs.length === query.limit ? (jobs.at(-1)?.meter ?? null) : null;
      return { jobs: jobs.map(({ run: _, ...job }) => job), next };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/runs/:id/events',
    needs: 'run:view',
    tag,
    summary: 'Server-sent events: `run` with the run as it changes, `end` when it has ended',
    params: ids,
    answer: 'text/event-stream',
    scoped: true,
    handler: async ({ caller, params, reply, watch }) => {
      const run = await find(params.id, caller);
      events.follow(run, reply, watch);
    },
  });
  const events = runEvents(router, store);

  for (const [order, summary] of [
    ['pause', 'Lease no more jobs of the run; what is under way ends'],
    ['resume', 'Go on with a paused run'],
    ['cancel', 'End the run; what is under way ends'],
  ] as const satisfies readonly (readonly [Order, string])[])
    router.add({
      method: 'POST',
      path: `/api/v1/runs/:id/${order}`,
      needs: 'run:modify',
      tag,
      summary,
      params: ids,
      answer: runShape,
      scoped: true,
      handler: async ({ caller, params, about }) => {
        const run = await find(params.id, caller);
        if (order === 'pause' && run.kind !== null && !hasMeters(run.kind) && run.state === 'running')
          throw new HttpError(409, `${run.kind} is under way and cannot be paused; cancel it`);
        const changed = await control(store, run, order, context.now(), `${order} by ${caller.name}`);
        if (!changed)
          throw new HttpError(
            409,
            hasEnded(run.state) ? `the run has ended (${run.state})` : `the run is ${run.state}`,
          );
        if (order === 'cancel') context.scheduler.cancelled(run.id);
        about(`run ${run.id}`, { state: changed.state });
        context.scheduler.wake();
        return runOf(changed);
      },
    });

  router.add({
    method: 'GET',
    path: '/api/v1/channels',
    needs: 'connection:view',
    tag,
    summary: 'Limits and time windows of channels, concentrators and networks',
    answer: z.object({ channels: z.array(channelShape) }),
    handler: async () => ({ channels: await store.work.channels.list() }),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/channels/use',
    needs: 'connection:view',
    tag,
    summary: 'How many meters wait and are called through each way',
    answer: z.object({ ways: z.array(use) }),
    handler: async () => ({ ways: await store.work.channels.use(context.now()) }),
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/channels/:kind/:name',
    needs: 'connection:modify',
    tag,
    summary: 'Set limit and time windows of a channel, concentrator or network',
    params: channelKey,
    body: channelBody,
    answer: channelShape,
    handler: async ({ caller, params, body, about }) => {
      requireAll(caller);
      if (body.device !== null && !may(caller, 'key:modify'))
        throw new HttpError(
          403,
          `${caller.name} lacks the privilege key:modify: passwords of meters go through modems`,
        );
      const channel = { ...params, ...body, timeZone: body.timeZone ?? context.timeZone };
      await store.work.channels.put(channel);
      about(`${params.kind} ${params.name}`, {
        most: body.most,
        windows: body.windows.length,
        ...(body.device && { ports: body.device.modems.map(({ port }) => port) }),
      });
      return channel;
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/channels/:kind/:name',
    needs: 'connection:delete',
    tag,
    summary: 'Take limit and windows away',
    params: channelKey,
    answer: z.object({}),
    handler: async ({ caller, params, about }) => {
      requireAll(caller);
      if (!(await store.work.channels.remove(params.kind, params.name)))
        throw new HttpError(404, `there is no ${params.kind} ${params.name}`);
      about(`${params.kind} ${params.name}`);
      return {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/workers',
    needs: 'system:view',
    tag,
    summary: 'What each worker had of the queue, and how much they stood in each other’s way',
    answer: workers,
    handler: async () => ({ workers: await store.work.workers() }),
  });
}
