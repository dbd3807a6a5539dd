/** What validation looks like in the API: times ISO 8601. */
import { ACTIONS_ON_VALUES, ESTIMATION_METHODS, SEVERITIES } from '@amiable/compute';
import { EXCEPTION_STATES, type Exception, type StoredEstimate, type StoredRuleSet } from '@amiable/store';
import { z } from 'zod';
import { id63, when } from '../../http/queries.ts';
import { quantityName } from './parameters.ts';

const time = z.iso.datetime();
const iso = (ms: number): string => new Date(ms).toISOString();
const orNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
export const word = z.string().trim().min(1).max(100);
const text = (most: number) => z.string().trim().min(1).max(most);

export const exceptionId = z
  .string()
  .regex(/^\d{1,18}-\d{1,9}-\d{1,16}$/, 'the id of an exception has three numbers with dashes between');

export const exceptionShape = z.object({
  id: exceptionId,
  meter: z.string(),
  serial: z.string(),
  name: z.string().nullable(),
  quantity: z.string(),
  period: z.number().int().describe('seconds'),
  from: time,
  to: time,
  day: z.iso.date().describe('local day on which it begins'),
  rule: z.string(),
  check: z.string(),
  severity: z.enum(SEVERITIES),
  action: z.enum(ACTIONS_ON_VALUES),
  usable: z.boolean().describe('false: the values were taken out and estimated'),
  sentence: z.string(),
  numbers: z.record(z.string(), z.number().nullable()),
  group: z.string().nullable(),
  ruleSet: z.string().nullable().describe('null: the rules that come with the program, or a rule set that is gone'),
  rulesVersion: z.number().int(),
  foundAt: time,
  state: z.enum(EXCEPTION_STATES),
  owner: z.string().nullable(),
  note: z.string().nullable(),
  changedAt: time.nullable(),
  changedBy: z.string().nullable(),
});
export const exceptionList = z.object({ exceptions: z.array(exceptionShape), next: z.string().nullable() });

export const exceptionOf = (e: Exception): z.input<typeof exceptionShape> => ({
  ...e,
  numbers: { ...e.numbers },
  from: iso(e.from),
  to: iso(e.to),
  foundAt: iso(e.foundAt),
  changedAt: orNull(e.changedAt),
});

/** A list in a query: `a,b`. */
const listOf = <T extends string>(values: readonly T[]) =>
  z
    .string()
    .max(500)
    .transform((words, context) => {
      const found = words.split(',').map((one) => one.trim());
      const wrong = found.find((one) => !(values as readonly string[]).includes(one));
      if (wrong === undefined) return found as T[];
      context.addIssue({ code: 'custom', message: `${wrong} is none of ${values.join(', ')}` });
      return z.NEVER;
    });

export const filterShape = {
  state: listOf(EXCEPTION_STATES).optional().describe('open,accepted … ; all unless said'),
  severity: z.enum(SEVERITIES).optional().describe('this weight and above'),
  rule: word.optional(),
  check: word.optional(),
  quantity: quantityName.optional(),
  owner: z.string().trim().min(1).max(200).optional(),
  meter: id63.optional(),
  under: id63.optional().describe('below this node of the network'),
  from: when.optional(),
  to: when.optional(),
};
export const exceptionQuery = z.object({
  ...filterShape,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(60).optional(),
});
export const summaryQuery = z.object(filterShape);
export const summaryShape = z.object({
  open: z.number().int(),
  byRule: z.array(
    z.object({
      rule: z.string(),
      check: z.string(),
      severity: z.enum(SEVERITIES),
      count: z.number().int(),
      open: z.number().int(),
    }),
  ),
  byDay: z.array(z.object({ day: z.iso.date(), count: z.number().int(), open: z.number().int() })),
  counts: z.array(
    z.object({
      rule: z.string(),
      check: z.string(),
      severity: z.enum(SEVERITIES),
      day: z.iso.date(),
      state: z.enum(EXCEPTION_STATES),
      count: z.number().int(),
      meters: z.number().int(),
    }),
  ),
});

const change = {
  state: z.enum(['open', 'accepted', 'corrected', 'dismissed']).optional(),
  owner: text(200).nullable().optional().describe('null: nobody'),
  note: text(2000).nullable().optional(),
};
export const changeBody = z.strictObject(change);
export const bulkBody = z
  .strictObject({
    ids: z.array(exceptionId).min(1).max(10_000).optional(),
    filter: z
      .strictObject({
        state: z.array(z.enum(EXCEPTION_STATES)).min(1).max(5).optional(),
        severity: z.enum(SEVERITIES).optional(),
        rule: word.optional(),
        check: word.optional(),
        quantity: quantityName.optional(),
        owner: text(200).optional(),
        meters: z.array(id63).min(1).max(1000).optional(),
        under: id63.optional(),
        from: z.iso.datetime({ offset: true }).optional(),
        to: z.iso.datetime({ offset: true }).optional(),
      })
      .optional(),
    change: z.strictObject(change),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), 'say ids, or a filter');
export const changedShape = z.object({ changed: z.number().int(), ids: z.array(exceptionId) });

export const estimateShape = z.object({
  quantity: z.string(),
  period: z.number().int(),
  from: time,
  to: time,
  method: z.enum(ESTIMATION_METHODS),
  scaled: z.boolean(),
  sentence: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  madeAt: time,
});
export const estimateOf = (e: StoredEstimate): z.input<typeof estimateShape> => ({
  ...e,
  inputs: { ...e.inputs },
  from: iso(e.from),
  to: iso(e.to),
  madeAt: iso(e.madeAt),
});

const definition = z.record(z.string(), z.unknown()).describe('rules, whom they are for, settings of estimation');
export const ruleSetShape = z.object({
  name: z.string(),
  description: z.string().nullable(),
  isDefault: z.boolean(),
  version: z.number().int(),
  definition,
  changedAt: time.nullable(),
  changedBy: z.string().nullable(),
});
export const versionShape = z.object({
  version: z.number().int(),
  definition,
  changedAt: time,
  changedBy: z.string(),
  reason: z.string().nullable(),
});
export const ruleSetOf = (set: StoredRuleSet): z.input<typeof ruleSetShape> => ({
  name: set.name,
  description: set.description,
  isDefault: set.isDefault,
  version: set.version,
  definition: set.definition as Record<string, unknown>,
  changedAt: iso(set.changedAt),
  changedBy: set.changedBy,
});
