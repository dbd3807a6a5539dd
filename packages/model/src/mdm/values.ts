/** Meterings over HTTP: intervals with their qualities, their history, and edits of them (features M1). */
import { z } from 'zod';
import { QUALITIES } from '../message.ts';

const moment = z.iso.datetime();
const quality = z.enum(QUALITIES);
/** As the store counts them. */
const id = z.string();

export const meterings = z.object({
  meterings: z.array(
    z.object({
      quantity: z.string().describe('energyImport …, or the name of a calculated profile'),
      period: z.number().int().describe('s'),
      obis: z.string().nullable(),
      unit: z.string().nullable(),
      first: moment.describe('UTC day of its first value'),
      last: moment.describe('UTC day of its last value'),
    }),
  ),
});
export type Meterings = z.infer<typeof meterings>;

export const meterIntervals = z.object({
  meter: id,
  quantity: z.string(),
  unit: z.string().nullable(),
  period: z.number().int().nullable().describe('s; null where there is no value'),
  asOf: moment.nullable().describe('everything as it stood then; null: now'),
  start: moment.nullable().describe('of the first interval; each begins `period` after the one before'),
  values: z.array(z.number().nullable()).describe('in `unit`; null where nothing is'),
  quality: z
    .array(z.tuple([quality, z.number().int().positive()]))
    .describe('runs: [quality, how many intervals], together as many as values'),
  counts: z.record(quality, z.number().int()).describe('how many intervals have which quality'),
  sum: z.string().describe('of what is there, exact'),
  version: z.number().int().describe('greater than 1 when values of these days have been changed'),
});
export type MeterIntervalsAnswer = z.infer<typeof meterIntervals>;

export const valueStates = z.object({
  states: z
    .array(
      z.object({
        time: moment,
        value: z.string().nullable().describe('exact, in the unit of the metering; null: nothing was there'),
        quality,
        source: z.string().describe('reading, validation, estimation, edit, undo, import …'),
        user: z.string().nullable(),
        reason: z.string().nullable(),
        edit: id.nullable(),
        at: moment.nullable().describe('from when on; null: since before anybody wrote it down'),
        kept: z.boolean().describe('true: it came and did not count, because what was there is better'),
      }),
    )
    .describe('by time, of each the newest first'),
  more: z.boolean().describe('there are more than were asked for'),
});
export type ValueStates = z.infer<typeof valueStates>;

export const editShape = z.object({
  id,
  meter: id,
  quantity: z.string(),
  period: z.number().int(),
  unit: z.string().nullable(),
  from: moment,
  to: moment,
  values: z.array(z.string().nullable()).describe('one for each interval, or one for all; null takes away'),
  reason: z.string(),
  state: z.enum(['waiting', 'applied', 'refused', 'undone']),
  by: z.string(),
  at: moment,
  decidedBy: z.string().nullable(),
  decidedAt: moment.nullable(),
  undoneBy: z.string().nullable(),
  undoneAt: moment.nullable(),
  undoReason: z.string().nullable(),
});
export type EditAnswer = z.infer<typeof editShape>;
export const editList = z.object({ edits: z.array(editShape), next: id.nullable() });
