/** What a run of validation may be told, by a task or by an order. */
import { type Caller, may, QUANTITIES, SEVERITIES } from '@amiable/model';
import { targetSchema } from '@amiable/tasks/schemas';
import { z } from 'zod';
import { HttpError } from '../../http/error.ts';

const instant = z.union([
  z.number().int().min(0).max(4_102_444_800_000),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);
const NAMES = QUANTITIES.map((quantity) => quantity.name);
const word = z.string().trim().min(1).max(100);

export const quantityName = z
  .string()
  .refine((name) => NAMES.includes(name), { error: `a quantity is one of ${NAMES.join(', ')}` });

export const validationParameters = z.strictObject({
  target: targetSchema.default({}).describe('which meters; all when left out'),
  quantities: z.array(quantityName).min(1).max(NAMES.length).optional().describe('all that a meter has when left out'),
  days: z.number().int().min(1).max(400).default(35).describe('so many local days back, the last whole one included'),
  from: instant.optional().describe('instead of days: local days from this time on'),
  to: instant.optional().describe('to before this time; the last whole local day when left out'),
  again: z.boolean().default(false).describe('also what has not changed since it was validated last'),
  ruleSet: word.optional().describe('this one for all of them, instead of the one that holds for each'),
  groups: z
    .array(
      z.strictObject({
        group: word.describe('meters join it while they have an open finding of this kind'),
        severity: z.enum(SEVERITIES).default('info').describe('this weight and above'),
        checks: z.array(word).max(100).optional().describe('of these checks alone'),
      }),
    )
    .max(20)
    .default([])
    .describe('groups beside those that rules name'),
});
export type ValidationParameters = z.output<typeof validationParameters>;

/** Joining and leaving groups is changing them. */
export function mayGroup(caller: Caller, { groups }: Pick<ValidationParameters, 'groups'>): void {
  if (groups.length > 0 && !may(caller, 'meter:modify'))
    throw new HttpError(403, `groups: to change groups needs meter:modify, which ${caller.name} does not have`);
}
