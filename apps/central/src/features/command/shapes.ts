/** Commands of other systems (AMI system description §2.2-6, §5.5.3): what may be ordered, and how it is told. */
import { isoTime } from '@amiable/model';
import { COMMAND_STATES, type StoredCommand } from '@amiable/store';
import { z } from 'zod';
import { day } from '../../http/queries.ts';
import { nameShape } from '../delivery/shapes.ts';

export const COMMAND_KINDS = ['contract', 'tariff', 'read', 'parameter'] as const;

const reference = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without blanks');
const at = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const code = z.string().min(1).max(100);

const common = {
  reference: reference.describe('your own: the same one is carried out once, however often it is sent'),
  due: at.optional().describe('when it is carried out; at once unless said'),
  expires: at.optional().describe('fails when it was not begun then; a day after due unless said'),
  callback: nameShape.optional().describe('name of a destination (HTTP) that is told of the end'),
};
const whose = {
  meter: code.optional().describe('serial number'),
  point: code.optional().describe('code of the metering point: the meter that stands there when it is carried out'),
};
const terms = {
  point: code.describe('code of the metering point'),
  product: z.string().min(1).max(60).describe('what the contract is about: energy, grid …'),
};

export const commandBody = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('contract'),
    ...common,
    ...terms,
    action: z.enum(['begin', 'end']).default('begin').describe('move in or change of supplier; end: move out'),
    tariff: code.optional().describe('to begin'),
    from: day.optional().describe('first local day, to begin'),
    to: day.optional().describe('local day on which it holds no longer'),
    contract: z.string().max(100).optional().describe('the contract’s number in your system'),
    cycle: z.enum(['month', 'quarter', 'year']).optional(),
  }),
  z.strictObject({
    kind: z.literal('tariff'),
    ...common,
    ...terms,
    tariff: code,
    from: day.describe('first local day'),
  }),
  z.strictObject({
    kind: z.literal('read'),
    ...common,
    ...whose,
    what: z.enum(['registers', 'profile', 'events']).default('registers'),
    set: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('name of a set of registers of the meter type; billing unless said'),
    profile: z.string().min(1).max(40).optional(),
    from: at.optional(),
    to: at.optional(),
  }),
  z.strictObject({
    kind: z.literal('parameter'),
    ...common,
    ...whose,
    parameter: z.string().min(1).max(100).describe('clock; all others are refused with the reason'),
    value: z.string().max(1000).optional().describe('of the clock: now'),
  }),
]);
export type Command = z.output<typeof commandBody>;
export type CommandInput = z.input<typeof commandBody>;

export const commandShape = z.object({
  id: z.string(),
  reference: z.string(),
  kind: z.string(),
  meter: z.string().nullable(),
  point: z.string().nullable(),
  parameters: z.record(z.string(), z.unknown()),
  state: z.enum(COMMAND_STATES),
  sentence: z.string().nullable().describe('How it stands, for people.'),
  result: z.record(z.string(), z.unknown()).nullable(),
  callback: z.string().nullable(),
  told: z.enum(['waiting', 'told', 'failed']).nullable().describe('whether the callback was told of the end'),
  who: z.string(),
  created: z.string(),
  due: z.string(),
  started: z.string().nullable(),
  ended: z.string().nullable(),
});
const orNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
export const commandJson = (c: StoredCommand): z.infer<typeof commandShape> => ({
  id: c.id,
  reference: c.reference,
  kind: c.kind,
  meter: c.meter,
  point: c.point,
  parameters: { ...c.parameters },
  state: c.state,
  sentence: c.sentence,
  result: c.result && { ...c.result },
  callback: c.callback,
  told: c.told,
  who: c.who,
  created: isoTime(c.created),
  due: isoTime(c.due),
  started: orNull(c.started),
  ended: orNull(c.ended),
});
