/** Imports of readings by API: a body in, what came of it out. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { importReadings, MAX_FILE } from './run.ts';
import { importJson, importOptions, importShape } from './shapes.ts';

const tag = 'readings';
/** Imports hold the values of their file in memory. */
const AT_ONCE = 2;
const flag = z.enum(['true', 'false']).transform((word) => word === 'true');

export function readingsRoutes(router: Router, { store, now, timeZone, access }: Context): void {
  let under = 0;
  router.add({
    method: 'POST',
    path: '/api/v1/readings-imports',
    needs: 'execute:import',
    tag,
    summary: 'Imports readings out of a file: a file with a fault is refused whole, faults by line',
    description:
      'Intervals come in as a metering, showings as registers of the meter. Values of billed time are refused. The answer tells what came of it when it is over.',
    query: z.strictObject({
      ...importOptions,
      dry: flag.default(false).describe('true: check only'),
      again: flag.default(false).describe('true: although the same bytes were imported before'),
      name: z.string().max(200).optional().describe('the file’s name, for people'),
    }),
    answer: importShape,
    raw: true,
    scoped: true,
    takes: ['text/csv', 'application/xml', 'application/edifact'],
    bodyLimit: MAX_FILE,
    handler: async ({ caller, query, request, about }) => {
      if (under >= AT_ONCE) throw new HttpError(503, `${AT_ONCE} imports are under way; try again when one has ended`);
      under++;
      try {
        const { dry, again, name, ...options } = query;
        const body = request.body instanceof Readable ? request.body : Readable.from([]);
        const done = await importReadings(
          { store, now, clock: access.clock, zone: timeZone },
          { options, dry, again, name: name ?? null, caller },
          body,
        );
        about(`readings import ${done.id}`, { name: done.name, state: done.state, dry });
        return importJson(done);
      } finally {
        under--;
      }
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/readings-imports',
    needs: 'execute:import',
    tag,
    summary: 'Imports of readings, the newest first',
    query: z.strictObject({ after: id63.optional(), limit: z.coerce.number().int().min(1).max(100).default(20) }),
    answer: z.object({ imports: z.array(importShape), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query: { after, limit } }) => {
      const found = await store.delivery.imports.list({
        limit,
        scope: caller.scope,
        ...(after === undefined ? {} : { before: after }),
      });
      return { imports: found.map(importJson), next: found.length === limit ? (found.at(-1)?.id ?? null) : null };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/readings-imports/:id',
    needs: 'execute:import',
    tag,
    summary: 'An import of readings',
    params: z.object({ id: id63 }),
    answer: importShape,
    scoped: true,
    handler: async ({ caller, params }) => {
      const found = await store.delivery.imports.get(params.id, caller.scope);
      if (!found) throw new HttpError(404, `there is no import of readings ${params.id}`);
      return importJson(found);
    },
  });
}
