/** What an import of readings is ordered with, and what is told of it. */
import { isValidZone } from '@amiable/calendar';
import { isoTime } from '@amiable/model';
import type { ReadingsImport } from '@amiable/store';
import { z } from 'zod';
import { nameShape } from '../delivery/shapes.ts';

export const READING_FORMATS = ['csv', 'flat', 'cim', 'espi', 'mscons'] as const;

export const importOptions = {
  format: z.enum(READING_FORMATS).default('csv').describe('csv: columns by their names; flat: by a designed format'),
  flat: nameShape.optional().describe('name of the designed format'),
  meter: z.string().min(1).max(100).optional().describe('serial number, for a file that does not name its meter'),
  quantity: z
    .string()
    .min(1)
    .max(60)
    .optional()
    .describe('energyImport … or an OBIS code, for a file that does not say'),
  period: z.coerce
    .number()
    .int()
    .min(0)
    .max(3600)
    .default(0)
    .describe('seconds of an interval, where the file does not say; 0: showings of registers'),
  profile: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(0)
    .describe('showings go to the meter’s profile of this period, seconds; 0: to its registers'),
  zone: z
    .string()
    .max(60)
    .refine(isValidZone, 'an IANA zone such as Europe/Oslo')
    .optional()
    .describe('of local times; the server’s unless said'),
};
export const optionsShape = z.strictObject(importOptions);
export type ImportOptions = z.output<typeof optionsShape>;

const count = z.number();
export const report = z.object({
  values: count.describe('that were read'),
  meters: count,
  fresh: count.describe('new'),
  changed: count.describe('that were there and are others now'),
  same: count.describe('that were there already, or stand twice in the file'),
  kept: count.describe('that did not count, because what is there is better (an edit, a measured value)'),
  missing: count.describe('that the file says to lack'),
  faultCount: count,
  faults: z
    .array(z.object({ line: z.number(), column: z.number(), field: z.string().optional(), message: z.string() }))
    .describe('the first 1,000'),
  error: z.string().optional(),
});
export type Report = z.output<typeof report>;

export const importShape = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'refused', 'failed', 'interrupted']),
  dry: z.boolean(),
  name: z.string().nullable(),
  format: z.string(),
  who: z.string(),
  started: z.string(),
  ended: z.string().nullable(),
  report: report.nullable(),
});
export const importJson = (run: ReadingsImport): z.infer<typeof importShape> => ({
  id: run.id,
  state: run.state,
  dry: run.dry,
  name: run.name,
  format: run.format,
  who: run.who,
  started: isoTime(run.started),
  ended: run.ended === null ? null : isoTime(run.ended),
  report: run.report as Report | null,
});
