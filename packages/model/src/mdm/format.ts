/**
 * Flat files that a utility designs itself (AMI system description §5.5.2, the data file tool): one line for each value, its columns
 * separated or of fixed width, lines before and after. The same definition writes a file and reads it back.
 *
 * Decides: what a definition may say, and what cannot be (two columns for the time, a fixed layout without widths, a decimal comma that
 * is the separator too). Leaves out: writing and reading (@amiable/formats), and where files go (deliveries).
 */
import { z } from 'zod';
import { FLAT_UNIT_POWERS } from '../metering.ts';

/** What a column can hold of a value. */
export const FLAT_FIELDS = [
  'meter',
  'utilitySerial',
  'meterId',
  'point',
  'quantity',
  'obis',
  'unit',
  'time',
  'end',
  'period',
  'value',
  'quality',
  'row',
  'constant',
] as const;
export type FlatField = (typeof FLAT_FIELDS)[number];

/** What a line before or after the values can hold. */
export const LINE_FIELDS = ['constant', 'created', 'from', 'to', 'name', 'rows', 'lines', 'sum'] as const;
export type LineField = (typeof LINE_FIELDS)[number];

const one = (what: string) => z.string().refine((text) => [...text].length === 1, `${what}: one character is wanted`);
const printable = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'no control characters');

/** Patterns of dates: yyyy MM dd HH mm ss SSS, XXX (+01:00 or Z), xx (+0100), text in single quotes; or iso, epoch, epoch-ms. */
export const DATE_TOKENS = ['yyyy', 'yy', 'MM', 'dd', 'HH', 'mm', 'ss', 'SSS', 'XXX', 'xx'] as const;
const datePattern = z
  .string()
  .min(1)
  .max(60)
  .superRefine((text, context) => {
    if (text === 'iso' || text === 'epoch' || text === 'epoch-ms') return;
    const bare = text.replace(/'[^']*'/g, '');
    const rest = bare.replace(/yyyy|yy|MM|dd|HH|mm|ss|SSS|XXX|xx/g, '');
    if (/[a-zA-Z']/.test(rest))
      context.addIssue({
        code: 'custom',
        message: `${JSON.stringify(text)} has letters that mean nothing; there are ${DATE_TOKENS.join(', ')}, and text in single quotes`,
      });
    for (const token of ['MM', 'dd'])
      if (!bare.includes(token))
        context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} lacks ${token}` });
    if (!bare.includes('yy')) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} lacks the year` });
    for (const token of DATE_TOKENS)
      if (token !== 'yy' && bare.split(token).length > 2)
        context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} has ${token} twice` });
  });
const zone = z.union([z.literal('utc'), z.literal('local'), z.string().regex(/^[A-Za-z_]+\/[A-Za-z0-9_+\-/]+$/)]);

const date = {
  date: datePattern.default('iso').describe('yyyy-MM-dd HH:mm and the like, or iso, epoch, epoch-ms'),
  zone: zone.default('utc').describe('utc, local (of the meter) or an IANA zone'),
};
const width = {
  width: z.number().int().min(1).max(200).optional().describe('characters, in a layout of fixed width'),
  align: z.enum(['left', 'right']).default('left'),
  pad: one('pad').default(' '),
};
const text = printable.default('').describe('of a constant');
const places = z
  .number()
  .int()
  .min(0)
  .max(9)
  .optional()
  .describe('rounded to so many decimals; left out: as exact as it is');

export const flatColumn = z.strictObject({
  field: z.enum(FLAT_FIELDS),
  name: printable.optional().describe('in the line of column names; the field’s name unless said'),
  ...width,
  ...date,
  text,
  unit: z
    .enum(Object.keys(FLAT_UNIT_POWERS) as [string, ...string[]])
    .optional()
    .describe('of a value; base unit unless said'),
  decimals: places,
  words: z
    .record(z.string().max(60), printable.max(60))
    .optional()
    .describe('what is written for a quality or a quantity: {"measured": "M", "energyImport": "A+"}'),
});
export type FlatColumn = z.output<typeof flatColumn>;

export const lineColumn = z.strictObject({
  field: z.enum(LINE_FIELDS),
  ...width,
  ...date,
  text,
  decimals: places,
  unit: flatColumn.shape.unit,
});
export type LineColumn = z.output<typeof lineColumn>;

export const flatFormat = z
  .strictObject({
    layout: z.enum(['separated', 'fixed']).default('separated'),
    separator: one('separator').default(';'),
    quote: z.enum(['needed', 'always', 'never']).default('needed'),
    encoding: z.enum(['utf-8', 'utf-8-bom', 'latin1']).default('utf-8'),
    lineEnd: z.enum(['crlf', 'lf']).default('crlf'),
    decimal: z.enum(['.', ',']).default('.'),
    columnNames: z.boolean().default(true).describe('a line with the names of the columns before the values'),
    header: z.array(z.array(lineColumn).min(1).max(50)).max(20).default([]),
    columns: z.array(flatColumn).min(1).max(100),
    footer: z.array(z.array(lineColumn).min(1).max(50)).max(20).default([]),
    missing: z
      .union([z.strictObject({ write: printable.max(40) }), z.literal('skip')])
      .default('skip')
      .describe('a value that lacks: its line is left out, or has this text in place of the value'),
    formulas: z
      .enum(['defuse', 'keep'])
      .default('defuse')
      .describe('defuse: texts that a spreadsheet would take for formulas get an apostrophe in front'),
  })
  .superRefine((format, context) => {
    const wrong = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const fields = format.columns.map((column) => column.field);
    const once = (field: FlatField): void => {
      if (fields.filter((one) => one === field).length > 1)
        wrong(['columns'], `${field} stands in two columns; which one would be read back?`);
    };
    for (const field of FLAT_FIELDS) if (field !== 'constant') once(field);
    if (!fields.includes('value')) wrong(['columns'], 'there is no column for the value');
    if (!fields.includes('time') && !fields.includes('end')) wrong(['columns'], 'there is no column for time or end');
    if (!fields.some((field) => ['meter', 'utilitySerial', 'meterId', 'point'].includes(field)))
      wrong(['columns'], 'nothing says whose value it is: meter, utilitySerial, meterId or point is wanted');
    if (format.layout === 'fixed') {
      const lines: [string, readonly { readonly width?: number | undefined }[]][] = [
        ['columns', format.columns],
        ...format.header.map((line, i): [string, typeof line] => [`header.${i}`, line]),
        ...format.footer.map((line, i): [string, typeof line] => [`footer.${i}`, line]),
      ];
      for (const [where, columns] of lines)
        for (const [i, column] of columns.entries())
          if (column.width === undefined) wrong([where, i], 'a layout of fixed width needs the width of each column');
    } else {
      if (/["'\s\dA-Za-z]/.test(format.separator) && format.separator !== '\t' && format.separator !== ' ')
        wrong(['separator'], 'letters, digits and quotes cannot separate');
      if (format.separator === format.decimal)
        wrong(['decimal'], 'it separates columns already; choose another separator or a decimal point');
      if (format.quote === 'never' && format.missing !== 'skip' && format.missing.write.includes(format.separator))
        wrong(['missing'], 'its text holds the separator');
    }
  });
export type FlatFormat = z.output<typeof flatFormat>;
/** As it is written by people, with what has a default left out. */
export type FlatFormatInput = z.input<typeof flatFormat>;
