/** Reports: which there are, making one, keeping definitions, and what was made. */
import { isValidZone } from '@amiable/calendar';
import { type Caller, may } from '@amiable/model';
import type { Report, ReportResult } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { covers } from '../../scheduler/rights.ts';
import { REPORT_KINDS } from './kinds/index.ts';
import { asked, checked, definition, MEDIA_TYPES, makeTable, render } from './make.ts';
import { checkOutputs, fileName } from './outputs.ts';
import { makeReport, reportTask } from './task.ts';

const column = z.object({
  name: z.string(),
  label: z.string(),
  type: z.enum(['text', 'integer', 'number', 'percent', 'money', 'day', 'time', 'minutes']),
  unit: z.string().optional(),
  decimals: z.number().optional(),
  bar: z.boolean().optional(),
});
const cell = z.union([z.string(), z.number(), z.null()]);
const table = z.object({
  title: z.string(),
  asked: z.array(z.array(z.string())),
  columns: z.array(column),
  rows: z.array(z.array(cell)).describe('by column; times are epoch ms, shares 0 to 1'),
  totals: z.array(cell).optional(),
  notes: z.array(z.string()),
  timeZone: z.string(),
  made: z.number(),
});
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}/]+$/u, 'names have no slashes and no control characters');
const stored = z.object({
  id: z.number().int(),
  name: z.string(),
  definition: z.record(z.string(), z.unknown()),
  version: z.number().int(),
  creator: z.string(),
  changed: z.iso.datetime(),
});
const output = z.object({ to: z.string(), fault: z.string().nullable() });
const result = z.object({
  id: z.string(),
  report: z.number().int().nullable(),
  name: z.string(),
  kind: z.string(),
  format: z.enum(['html', 'xlsx', 'csv', 'text']),
  lines: z.number().int(),
  bytes: z.number().int(),
  made: z.iso.datetime(),
  who: z.string(),
  outputs: z.array(output),
});
const byId = z.object({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});
const resultId = z.object({ id: id63 });

const iso = (at: number): string => new Date(at).toISOString();
const told = ({ segments: _, ...report }: Report) => ({
  ...report,
  definition: { ...report.definition },
  changed: iso(report.changed),
});
const toldResult = ({ made, outputs, ...rest }: ReportResult) => ({ ...rest, made: iso(made), outputs: [...outputs] });

export function reportRoutes(router: Router, context: Context): void {
  const { store, now, ownKinds } = context;
  ownKinds.set('report', reportTask(context));

  const found = async (id: number, caller: Caller): Promise<Report> => {
    const report = await store.reports.get(id, caller.scope);
    if (!report) throw new HttpError(404, `there is no report ${id}`);
    return report;
  };
  /** A result is as secret as the rows it was made of. */
  const mayRead = (caller: Caller, kind: string): boolean =>
    REPORT_KINDS.get(kind)?.needs.every((privilege) => may(caller, privilege)) ?? false;
  const zoneOf = (given: string | undefined): string => {
    if (given !== undefined && !isValidZone(given)) throw new HttpError(422, `timeZone: ${given} is no IANA time zone`);
    return given ?? context.timeZone;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/report-kinds',
    needs: 'report:view',
    tag: 'reports',
    summary: 'The reports there are, with their parameters as JSON schema, and whether the caller may have them',
    answer: z.object({
      kinds: z.array(
        z.object({
          name: z.string(),
          title: z.string(),
          summary: z.string(),
          needs: z.array(z.string()),
          may: z.boolean(),
          parameters: z.record(z.string(), z.unknown()),
        }),
      ),
    }),
    handler: ({ caller }) => ({
      kinds: [...REPORT_KINDS.values()].map((kind) => ({
        name: kind.name,
        title: kind.title,
        summary: kind.summary,
        needs: [...kind.needs],
        may: mayRead(caller, kind.name),
        parameters: z.toJSONSchema(kind.parameters, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>,
      })),
    }),
  });

  router.add({
    method: 'POST',
    path: '/api/v1/reports/table',
    needs: 'execute:run-report',
    tag: 'reports',
    summary: 'Makes a report and gives its table; nothing of it is kept',
    body: asked,
    answer: table,
    scoped: true,
    audit: 'reveal',
    handler: async ({ caller, body, about }) => {
      about(`report ${body.kind}`);
      return makeTable(body, { context, caller, now: now(), timeZone: zoneOf(body.timeZone) });
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/reports/file',
    needs: 'execute:run-report',
    tag: 'reports',
    summary: 'Makes a report and gives it as a file: HTML (to be printed as PDF too), XLSX, CSV or text',
    body: asked,
    answer: 'application/octet-stream',
    scoped: true,
    audit: 'reveal',
    handler: async ({ caller, body, about, reply }) => {
      about(`report ${body.kind}`);
      const made = await makeTable(body, { context, caller, now: now(), timeZone: zoneOf(body.timeZone) });
      const file = fileName('{name}-{date}', { name: body.kind, table: made, format: body.format });
      return reply
        .type(MEDIA_TYPES[body.format])
        .header('content-disposition', `attachment; filename="${encodeURIComponent(file)}"`)
        .send(Buffer.from(await render(made, body.format, caller.language)));
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/reports',
    needs: 'report:view',
    tag: 'reports',
    summary: 'Reports that were set up',
    query: z.object({
      after: z.string().max(100).optional().describe('name of the last one of the page before'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ reports: z.array(stored), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query: { after, limit } }) => {
      const reports = await store.reports.list({
        limit,
        scope: caller.scope,
        ...(after === undefined ? {} : { after }),
      });
      return { reports: reports.map(told), next: reports.length < limit ? null : (reports.at(-1)?.name ?? null) };
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/reports/:name',
    needs: 'report:create',
    tag: 'reports',
    summary: 'Sets a report up, or gives the one of this name a new version; it is made of your segments',
    params: z.object({ name }),
    body: definition,
    answer: stored,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      about(`report ${params.name}`);
      const before = await store.reports.byName(params.name, 'all');
      if (before && !covers(caller.scope, before.segments)) throw new HttpError(404, 'there is no such report');
      if (before && !may(caller, 'report:modify'))
        throw new HttpError(
          403,
          `there is a report ${params.name} already, and ${caller.name} lacks the privilege report:modify`,
        );
      checked(body, { caller });
      zoneOf(body.timeZone);
      await checkOutputs(body.outputs, context);
      return told(await store.reports.put(params.name, body, caller.name, now(), caller.scope));
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/reports/:id',
    needs: 'report:delete',
    tag: 'reports',
    summary: 'Takes a report away; what was made of it stays',
    params: byId,
    answer: z.object({ removed: z.boolean() }),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      about(`report ${(await found(params.id, caller)).name}`);
      return { removed: await store.reports.remove(params.id) };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/reports/:id/run',
    needs: 'execute:run-report',
    tag: 'reports',
    summary: 'Makes a report that was set up, keeps it and sends it where it says',
    params: byId,
    answer: z.object({ id: z.string(), lines: z.number().int(), outputs: z.array(output) }),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const report = await found(params.id, caller);
      about(`report ${report.name}`);
      const made = await makeReport(
        context,
        { ...report, definition: definition.parse(report.definition) },
        { caller, now: now() },
      );
      return { ...made, outputs: [...made.outputs] };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/report-results',
    needs: 'report:view',
    tag: 'reports',
    summary: 'Reports that were made, newest first',
    query: z.object({
      report: z.coerce
        .number()
        .int()
        .min(1)
        .max(2 ** 31 - 1)
        .optional(),
      before: id63.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ results: z.array(result), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query: { report, before, limit } }) => {
      const results = await store.reports.results({
        limit,
        scope: caller.scope,
        ...(report === undefined ? {} : { report }),
        ...(before === undefined ? {} : { before }),
      });
      return {
        results: results.map(toldResult),
        next: results.length < limit ? null : (results.at(-1)?.id ?? null),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/report-results/:id',
    needs: 'report:view',
    tag: 'reports',
    summary: 'The file of a report that was made',
    params: resultId,
    answer: 'application/octet-stream',
    scoped: true,
    audit: 'reveal',
    handler: async ({ caller, params, reply, about }) => {
      about(`report result ${params.id}`);
      const kept = await store.reports.result(params.id, caller.scope);
      if (!kept || !mayRead(caller, kept.kind)) throw new HttpError(404, `there is no report result ${params.id}`);
      const { name: of, format, content, made } = kept;
      const file = fileName('{name}-{date}', {
        name: of,
        format,
        table: { timeZone: context.timeZone, made } as never,
      });
      return (
        reply
          .type(MEDIA_TYPES[format])
          .header('content-disposition', `attachment; filename="${encodeURIComponent(file)}"`)
          // Rows come from strangers; nothing of it runs, whatever a browser makes of it.
          .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
          .send(content)
      );
    },
  });
}
