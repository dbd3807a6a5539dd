/** Registry files by HTTP: a body in, a run to watch; and the registry out as a file. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { MeterSelection } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { checkSelection } from '../registry/meters.ts';
import { selectionOf as selectionGiven, selection as selectionShape } from '../registry/shapes.ts';
import { FILE_KINDS, type FileKind, isFileKind } from './columns.ts';
import { exportedTo, exportRegistry } from './export.ts';
import { selectedMeters } from './outbox.ts';
import { exportTask, importTask } from './own-tasks.ts';
import { SEPARATORS } from './read/csv.ts';
import { ENCODINGS } from './read/text.ts';
import { FORMATS, type Format } from './read-file.ts';
import { createImports, type ImportOptions, type ImportStatus, type Imports } from './run.ts';
import { NUMBER_FORMS } from './values.ts';

/** Bytes of a registry file. */
export const MAX_FILE = 4 * 1024 ** 3;

const flag = z.enum(['true', 'false']).transform((word) => word === 'true');
const objectOf = <T extends z.ZodType>(value: T) =>
  z
    .string()
    .max(20_000)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is no JSON' });
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string().max(200), value));

const query = z.strictObject({
  format: z.enum(FORMATS).default('csv').describe('what the body is'),
  kind: z.enum(FILE_KINDS).optional().describe('what the rows of a CSV file are; elements of XML name it themselves'),
  dry: flag.default(false).describe('true: check only'),
  takeGood: flag.default(false).describe('true: leave out lines that are wrong; else one wrong line refuses the file'),
  encoding: z.enum(ENCODINGS).optional().describe('utf-8 unless said; a byte order mark says it too'),
  separator: z.enum(SEPARATORS).optional().describe('found out unless said'),
  name: z.string().max(200).optional().describe('the file’s name, for people'),
  mapping: objectOf(z.string().max(200).nullable())
    .default({})
    .describe('JSON: names of the file’s columns to ours; null leaves a column out'),
  checks: objectOf(z.enum(NUMBER_FORMS))
    .default({})
    .describe(
      'JSON: by which rule numbers are checked, such as {"meter.utility-serial": "asset", "metering-point.code": "gsrn"}',
    ),
});

const fault = z.object({
  line: z.number(),
  column: z.number(),
  field: z.string().optional(),
  message: z.string().describe('what is wrong and what to do'),
});
const status = z.object({
  id: z.string(),
  state: z.enum(['receiving', 'running', 'done', 'refused', 'failed', 'cancelled', 'interrupted']),
  dry: z.boolean(),
  name: z.string().nullable(),
  who: z.string().nullable(),
  startedAt: z.number().describe('epoch ms'),
  endedAt: z.number().nullable(),
  progress: z
    .object({
      phase: z.enum(['receiving', 'waiting', 'reading', 'checking', 'writing', 'indexing']),
      bytes: z.number(),
      ofBytes: z.number().nullable(),
      rows: z.number(),
      faults: z.number(),
    })
    .nullable()
    .describe('null when it has ended'),
  report: z
    .object({
      inserted: z.number(),
      changed: z.number(),
      same: z.number(),
      refused: z.number(),
      kinds: z.array(
        z.object({ kind: z.string(), rows: z.number(), inserted: z.number(), changed: z.number(), same: z.number() }),
      ),
      faultCount: z.number(),
      faults: z.array(fault).describe('the first 1,000'),
      error: z.string().optional(),
    })
    .nullable(),
});
const id = z.object({ id: z.string().regex(/^\d{1,18}$/, 'the number of an import') });

const shown = ({ id, state, dry, name, who, startedAt, endedAt, progress, report }: ImportStatus) => ({
  id,
  state,
  dry,
  name,
  who,
  startedAt,
  endedAt,
  progress,
  report,
});

export function exchangeRoutes(router: Router, context: Context): Imports {
  const { store, now, timeZone, log } = context;
  const imports = createImports({ store, now, timeZone, log });
  router.app.addHook('onClose', () => imports.close());
  context.ownKinds.set('import', importTask(context, imports));
  context.ownKinds.set('export', exportTask(context));

  router.add({
    method: 'POST',
    path: '/api/v1/imports',
    needs: 'execute:import',
    tag: 'exchange',
    summary: 'Takes a registry file (CSV or XML) and begins its import; all of it or nothing, unless takeGood',
    query,
    answer: status,
    raw: true,
    scoped: true,
    takes: ['text/csv', 'application/xml'],
    bodyLimit: MAX_FILE,
    handler: async ({ caller, query, request, reply, about }) => {
      if (query.format === 'csv' && query.kind === undefined)
        throw new HttpError(422, `kind: say what the rows are: ${FILE_KINDS.join(', ')}`);
      const { encoding, separator, kind, name, dry, takeGood, mapping, checks, format } = query;
      const options: ImportOptions = {
        format,
        name: name ?? null,
        dry,
        takeGood,
        mapping,
        forms: checks,
        ...(kind === undefined || format === 'xml' ? {} : { kind }),
        ...(encoding === undefined ? {} : { encoding }),
        ...(separator === undefined ? {} : { separator }),
      };
      const body = request.body instanceof Readable ? request.body : Readable.from([]);
      const run = await imports.receive(body, options, caller);
      about(`import ${run.id}`, { name: run.name, kind: kind ?? null, dry, takeGood });
      reply.code(202).header('location', `/api/v1/imports/${run.id}`);
      return shown(run);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/imports',
    needs: 'execute:import',
    tag: 'exchange',
    summary: 'Imports, the newest first',
    scoped: true,
    query: z.strictObject({
      after: id.shape.id.optional().describe('`next` of the page before'),
      limit: z.coerce.number().int().min(1).max(100).default(20),
    }),
    answer: z.object({ imports: z.array(status), next: z.string().nullable() }),
    handler: async ({ caller, query: { after, limit } }) => {
      const { runs, next } = await imports.list({ ...(after === undefined ? {} : { before: after }), limit }, caller);
      return { imports: runs.map(shown), next };
    },
  });

  const found = async (id: string, caller: Parameters<Imports['status']>[1]): Promise<ImportStatus> => {
    const run = await imports.status(id, caller);
    if (!run) throw new HttpError(404, `there is no import ${id}`);
    return run;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/imports/:id',
    needs: 'execute:import',
    tag: 'exchange',
    summary: 'How far an import is, and what came of it',
    scoped: true,
    params: id,
    answer: status,
    handler: async ({ caller, params }) => shown(await found(params.id, caller)),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/imports/:id/faults',
    needs: 'execute:import',
    tag: 'exchange',
    summary: 'All faults of an import (up to 100,000) as CSV: line, column, field, message',
    scoped: true,
    params: id,
    answer: 'text/csv',
    handler: async ({ caller, params, reply }) => {
      const run = await found(params.id, caller);
      const path = imports.faultsFile(run.id);
      if (path === undefined)
        throw new HttpError(404, `import ${run.id} has no file of faults (any more); its report has the first of them`);
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="import-${run.id}-faults.csv"`);
      return createReadStream(path);
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/imports/:id',
    needs: 'execute:import',
    tag: 'exchange',
    summary: 'Calls an import off; nothing of it is kept',
    scoped: true,
    params: id,
    answer: status,
    handler: async ({ caller, params, about }) => {
      const run = await found(params.id, caller);
      if (!imports.cancel(run.id)) throw new HttpError(409, `import ${run.id} has ended: it is ${run.state}`);
      about(`import ${run.id}`);
      return shown(await found(run.id, caller));
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/exports/:file',
    needs: 'execute:export',
    tag: 'exchange',
    summary: 'The registry as a file that can be imported: KIND.csv, KIND.xml or all.xml',
    description: `KIND is one of ${FILE_KINDS.join(', ')}. Personal data come only to who has premises:view.`,
    scoped: true,
    audit: 'reveal',
    params: z.object({ file: z.string().max(60) }),
    query: z.strictObject({
      selection: z.string().max(20_000).optional().describe('JSON: which meters; for kinds about meters'),
    }),
    answer: 'text/csv',
    handler: async ({ caller, params, query, reply, about }) => {
      const [kind = '', format = '', ...more] = params.file.split('.');
      const all = kind === 'all' && format === 'xml';
      if (more.length > 0 || !(FORMATS as readonly string[]).includes(format) || !(all || isFileKind(kind)))
        throw new HttpError(
          404,
          `there is no export ${params.file}; there are KIND.csv, KIND.xml and all.xml with KIND of ${FILE_KINDS.join(', ')}`,
        );
      const selection = query.selection === undefined ? undefined : selectionOf(query.selection);
      if (selection) checkSelection(selection, caller);
      const kinds = exportedTo(caller, all ? FILE_KINDS : [kind as FileKind]);
      // What somebody searched by may be a name: it is not written down.
      about(`export ${params.file}`, selection ? { selection: Object.keys(selection) } : {});
      const pieces = exportRegistry(store, {
        format: format as Format,
        kinds,
        caller,
        ...(selection
          ? {
              meters: () => selectedMeters(store, selection, caller),
            }
          : {}),
      });
      // The first piece is asked for before the answer begins, so that what fails at once is told by its status.
      const first = await pieces.next();
      reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/xml; charset=utf-8')
        .header('content-disposition', `attachment; filename="${params.file}"`);
      return Readable.from(
        (async function* () {
          if (first.done) return;
          yield first.value;
          yield* pieces;
        })(),
        { objectMode: false },
      );
    },
  });
  return imports;
}

function selectionOf(text: string): MeterSelection {
  let selection: unknown;
  try {
    selection = JSON.parse(text);
  } catch {
    throw new HttpError(422, 'selection: is no JSON');
  }
  if (selection === null || typeof selection !== 'object' || Array.isArray(selection))
    throw new HttpError(422, 'selection: an object such as {"q": "storgata"} is wanted');
  return selectionGiven(selectionShape.parse(selection));
}
