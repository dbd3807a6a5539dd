/** GET /api/v1/status, /health and /metrics: how the central system fares, for pages, watchdogs and Prometheus. */

import { type AddMetric, EXPOSITION_TYPE, exposition, type MetricSource, may, type Status } from '@amiable/model';
import { status } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { Router } from '../../http/router.ts';
import { processMetrics } from '../../operations/process-metrics.ts';
import { workMetrics } from '../../operations/work-metrics.ts';

const NONE = { accepted: 0, duplicates: 0, rejected: 0 };
/** How long health waits for the database, ms. */
const PATIENCE = 4000;

export function statusRoutes(router: Router, context: Context): void {
  const { store, ingest, live } = context;

  /** What keeps the central system itself from taking messages. */
  const own = async (): Promise<string[]> => {
    const database = await within(store.check(), PATIENCE);
    return [
      ...(database === undefined ? [] : [database]),
      ...(ingest.trouble === undefined ? [] : [`ingest: ${ingest.trouble}`]),
    ];
  };
  const causes = async (): Promise<string[]> => [...(await own()), ...context.causes()];

  router.add({
    method: 'GET',
    path: '/api/v1/status',
    needs: 'known',
    tag: 'system',
    summary: 'Version, the server’s clock, counters, and causes when something is wrong',
    answer: status,
    scoped: true,
    handler: async ({ caller }): Promise<Status> => {
      // How the system fares is for those who run it; the clock and the zone are for every page.
      const told = may(caller, 'system:view');
      const [found, counted] = await Promise.all([told ? causes() : [], store.counters(caller.scope)]);
      const { accepted, duplicates, rejected } = told ? ingest.counters : NONE;
      return {
        version: context.version,
        now: new Date(context.now()).toISOString(),
        speed: context.speed,
        simulated: context.simulated,
        timeZone: context.timeZone,
        meters: counted.meters,
        newMeters: counted.newMeters,
        messages: {
          accepted,
          duplicates,
          rejected,
          unplaced: told ? counted.unplaced : 0,
        },
        causes: found,
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/health',
    needs: 'public',
    tag: 'system',
    summary: '200 when all is well, else 503; causes only for those who may view the system',
    answer: z.object({ ok: z.boolean(), causes: z.array(z.string()).optional() }),
    handler: async ({ caller, reply }) => {
      const found = await causes();
      const told = may(caller, 'system:view') ? { causes: found } : {};
      return reply.code(found.length ? 503 : 200).send({ ok: found.length === 0, ...told });
    },
  });

  router.add({
    method: 'GET',
    path: '/metrics',
    needs: 'execute:metrics',
    tag: 'system',
    summary: 'Counters and gauges for Prometheus',
    answer: 'text/plain',
    handler: async ({ reply }) => {
      const up = (await own()).length === 0;
      // Of a database that is away nothing is asked.
      const work = up ? [await workMetrics(context.store, context.now())] : [];
      const sources = [messageMetrics, (add: AddMetric) => addUp(add, up), ...context.metrics, ...work, processMetrics];
      return reply.type(EXPOSITION_TYPE).send(exposition(sources));
    },
  });

  const messageMetrics: MetricSource = (add) => {
    const { accepted, duplicates, rejected, unplaced } = ingest.counters;
    const help = 'Messages by what became of them.';
    for (const [result, count] of Object.entries({ accepted, duplicate: duplicates, rejected, unplaced }))
      add('amiable_messages_total', 'counter', help, count, { result });
    add('amiable_messages_pending', 'gauge', 'Messages that wait for their commit.', ingest.pending);
    add('amiable_live_listeners', 'gauge', 'Pages that listen to live values.', live.listeners);
  };
}

const addUp = (add: AddMetric, up: boolean): void =>
  add('amiable_up', 'gauge', 'Whether the database answers and takes messages.', up ? 1 : 0);

/** A watchdog wants an answer, also of a database that neither answers nor refuses. */
async function within(check: Promise<string | undefined>, patience: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`the database did not answer within ${patience / 1000} s`), patience);
  });
  try {
    return await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}
