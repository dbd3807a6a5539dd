/** What price routes and tasks take: shapes with bounds. */
import { isValidZone } from '@amiable/calendar';
import { z } from 'zod';

export const seriesName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._+-]{0,99}$/u, 'a name of letters, digits and . _ + - such as NO1');
export const currency = z.string().regex(/^[A-Z]{3}$/, 'three letters such as EUR');
export const unit = z.enum(['kWh', 'MWh', 'Wh', 'm3', 'kW', 'day']);
export const zone = z.string().max(60).refine(isValidZone, 'an IANA time zone such as Europe/Oslo');
const column = z.string().min(1).max(200).describe('heading, or number from 1');

export const csvForm = z.strictObject({
  separator: z.enum([';', ',', '\t', '|']).optional().describe('found out unless said'),
  decimal: z.enum(['.', ',']).optional().describe('found out unless said'),
  time: column.optional(),
  hour: column.optional().describe('column of the hour: 0-23, 1-25 (counted from the start of the day), 00-01'),
  end: column.optional(),
  price: column.optional(),
  area: column.optional().describe('column of areas: only lines of `area` count'),
  dayFirst: z.boolean().optional(),
});

export const FORMS = ['auto', 'entsoe', 'json', 'csv'] as const;
/** How a text of prices is to be read, and what it does not say of itself. */
export const reading = z.strictObject({
  form: z.enum(FORMS).default('auto').describe('auto: by how it begins'),
  area: z.string().max(60).optional().describe('which area of several, as the source names it: 10YNO-1--------2, NO1'),
  currency: currency.optional().describe('where the source does not say it'),
  unit: unit.optional().describe('what a price is for, where the source does not say it'),
  timeZone: zone.optional().describe('of times without an offset'),
  sequence: z.number().int().min(1).max(99).optional().describe('ENTSO-E: which auction'),
  csv: csvForm.default({}),
});
export type Reading = z.output<typeof reading>;

const header = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[\x20-\x7e]+$/, 'one line of plain characters');
export const sourceShape = z.strictObject({
  series: seriesName,
  url: z
    .string()
    .min(8)
    .max(2000)
    .describe(
      'http or https; {from} {to} (UTC, 202611192300), {fromDay} {toDay} {day} (local), {year} {month} {dayOfMonth}, {area} and {key} are filled in',
    ),
  headers: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,60}$/), header).default({}),
  perDay: z.boolean().default(false).describe('ask once for each local day rather than for all days at once'),
  daysBack: z.number().int().min(0).max(60).default(1),
  daysAhead: z.number().int().min(0).max(14).default(2),
  reading: reading.prefault({}),
});
export type SourceShape = z.output<typeof sourceShape>;

export const taskShape = z.strictObject({
  sources: z.array(z.string().min(1).max(100)).min(1).max(100).optional().describe('all unless said'),
  folder: z
    .strictObject({
      folder: z.string().max(500).default('.').describe('below the inbox of the server'),
      series: seriesName,
      reading: reading.prefault({}),
    })
    .optional()
    .describe('files of a folder rather than services'),
});
