/**
 * Reading a meter now, as the API says it: what may be asked, and what is told of it.
 *
 * Decides: bounds (registers, spans of time), and the shapes that page and command line share.
 */
import { z } from 'zod';

const DAY = 86_400_000;
/** A profile read within a phone call: what takes longer is a task's. */
const LONGEST = 400 * DAY;
const EARLIEST = Date.UTC(1990, 0, 1);

const name = z.string().min(1).max(40);
const code = z
  .string()
  .regex(/^[0-9A-Za-z.:*&-]{1,40}$/, 'an OBIS code such as 1-0:1.8.0')
  .describe('OBIS code, e.g. 1-0:1.8.0');
const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .refine((at) => at >= EARLIEST && at < Date.UTC(2200, 0, 1), 'a time from 1990 to 2199');

export const readBody = z
  .discriminatedUnion('what', [
    z.strictObject({
      what: z.literal('registers'),
      set: name.optional().describe('Name of a set of registers of the meter type; billing unless said.'),
      registers: z.array(code).min(1).max(100).optional().describe('Instead of a set.'),
    }),
    z.strictObject({
      what: z.literal('profile'),
      profile: name.default('load').describe('Name of the profile: load, daily, monthly …'),
      from: instant.describe('First moment, ISO 8601 with zone.'),
      to: instant.describe('End, not included.'),
      again: z.boolean().optional().describe('Also what is stored already, or was given up.'),
    }),
    z.strictObject({
      what: z.literal('events'),
      log: name.optional().describe('Name of the log; all of the meter type unless said.'),
      from: instant.optional().describe('Entries since then; the last 30 days unless said.'),
    }),
  ])
  .superRefine((body, context) => {
    if (body.what === 'registers' && body.set !== undefined && body.registers !== undefined)
      context.addIssue({ code: 'custom', path: ['registers'], message: 'a set or a list of registers, not both' });
    if (body.what !== 'profile') return;
    if (body.from >= body.to) context.addIssue({ code: 'custom', path: ['to'], message: 'must come after from' });
    else if (body.to - body.from > LONGEST)
      context.addIssue({ code: 'custom', path: ['to'], message: 'at most 400 days are read on demand' });
  });
export type ReadBody = z.output<typeof readBody>;

const iso = z.string().describe('ISO 8601, UTC');
const column = z.object({ obis: z.string(), name: z.string(), unit: z.string().nullable() });

export const readResult = z.object({
  registers: z.array(column.extend({ value: z.string().describe('Decimal'), time: iso })).optional(),
  profile: z
    .object({
      name: z.string(),
      columns: z.array(column),
      rows: z.array(z.object({ time: iso, values: z.array(z.string().nullable()) })),
      cut: z.boolean().describe('There are more rows; ask for a shorter span, or for the series.'),
    })
    .optional(),
  events: z.array(z.object({ time: iso, code: z.number(), event: z.string(), log: z.string() })).optional(),
});
export type ReadResult = z.infer<typeof readResult>;

export const read = z.object({
  id: z.string(),
  meter: z.string(),
  serial: z.string(),
  what: z.enum(['registers', 'profile', 'events']),
  set: z.string().optional(),
  registers: z.array(z.string()).optional(),
  profile: z.string().optional(),
  log: z.string().optional(),
  from: iso.optional(),
  to: iso.optional(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  sentence: z.string().describe('How it stands, for people.'),
  asked: iso,
  ended: iso.nullable(),
  by: z.string(),
  tries: z.number(),
  stored: z.number().describe('Values and events stored by it.'),
  transaction: z.string().describe('In the transaction log.'),
  result: readResult.nullable(),
});
export type Read = z.infer<typeof read>;
export const readList = z.object({ reads: z.array(read) });
