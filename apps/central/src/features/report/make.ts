/** From what was asked to a file: checks rights, makes the table, gives it a form. */
import { MisuseError } from '@amiable/bytes';
import { may } from '@amiable/model';
import { REPORT_FORMATS, type ReportFormat } from '@amiable/store';
import { z } from 'zod';
import { HttpError } from '../../http/error.ts';
import type { ReportCall, ReportKind } from './kind.ts';
import { REPORT_KINDS } from './kinds/index.ts';
import { renderCsv } from './render/csv.ts';
import { renderHtml } from './render/html.ts';
import { renderText } from './render/text.ts';
import { renderXlsx } from './render/xlsx.ts';
import type { ReportTable } from './table.ts';

const FILE_NAME = /^[\p{L}\p{N}{][\p{L}\p{N} _.{}-]*$/u;

export const outputsShape = z.strictObject({
  file: z
    .strictObject({
      folder: z.string().max(500).default('.').describe('below the outbox of the server'),
      name: z
        .string()
        .max(100)
        .regex(FILE_NAME)
        .default('{name}-{date}')
        .describe('{name}, {date}, {time}; without its ending'),
    })
    .optional(),
  email: z
    .strictObject({
      to: z.array(z.email().max(200)).min(1).max(50),
      subject: z
        .string()
        .max(200)
        .regex(/^[^\p{Cc}]*$/u, 'one line')
        .optional(),
    })
    .optional(),
  printer: z
    .strictObject({
      name: z
        .string()
        .max(127)
        .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'the name of a printer, as `lpstat -p` tells it')
        .optional()
        .describe('the default printer unless said'),
      copies: z.number().int().min(1).max(20).default(1),
    })
    .optional(),
});
export type Outputs = z.output<typeof outputsShape>;

export const asked = z.strictObject({
  kind: z.string().min(1).max(40),
  title: z.string().min(1).max(200).optional(),
  // Looked at by the kind; here they may be nested as deep as somebody likes.
  parameters: z.record(z.string().max(60), z.unknown()).default({}),
  format: z.enum(REPORT_FORMATS).default('html'),
  timeZone: z.string().max(60).optional(),
});
export type Asked = z.output<typeof asked>;
export const definition = asked.extend({ outputs: outputsShape.default({}) });
export type ReportDefinition = z.output<typeof definition>;

export const MEDIA_TYPES: Readonly<Record<ReportFormat, string>> = {
  html: 'text/html; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv; charset=utf-8',
  text: 'text/plain; charset=utf-8',
};
export const ENDINGS: Readonly<Record<ReportFormat, string>> = { html: 'html', xlsx: 'xlsx', csv: 'csv', text: 'txt' };

/** @throws HttpError 404 for none of this name, 403 for one whose rows the caller may not see, z.ZodError for parameters */
export function checked(given: Asked, { caller }: Pick<ReportCall, 'caller'>): ReportKind {
  const kind = REPORT_KINDS.get(given.kind);
  if (!kind)
    throw new HttpError(404, `there is no report ${given.kind}; there are ${[...REPORT_KINDS.keys()].join(', ')}`);
  const lacking = kind.needs.find((privilege) => !may(caller, privilege));
  if (lacking) throw new HttpError(403, `the report ${kind.name} needs the privilege ${lacking}`);
  kind.parameters.parse(given.parameters);
  return kind;
}

export async function makeTable(given: Asked, call: ReportCall): Promise<ReportTable> {
  const kind = checked(given, call);
  try {
    const body = await kind.make(call, given.parameters);
    return { title: given.title ?? kind.title, timeZone: call.timeZone, made: call.now, ...body };
  } catch (error) {
    if (error instanceof RangeError) throw new MisuseError(error.message);
    throw error;
  }
}

export async function render(table: ReportTable, format: ReportFormat, language?: string): Promise<Uint8Array> {
  switch (format) {
    case 'html':
      return renderHtml(table, language);
    case 'xlsx':
      return renderXlsx(table);
    case 'csv':
      return renderCsv(table);
    case 'text':
      return renderText(table);
  }
}
